"""Networks as the last axis of every array, as the lanes of a vector unit are: small networks' fast form on a CPU.

`vmap` turns the products of small matrices into a kernel and two transposing copies each. Here the formulas, which
accept a trailing axis, work on all lanes at once, and rows are taken one by one, so that everything between a row's
inputs and its share of the gradient stays in registers. `LANES` is what the training loop is put over; the rest decides
when, and with which compiler options.
"""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, PyTree

from approx import losses, models, scalings
from approx.recipes import Recipe
from approx.steps import Over
from approx.tasks import Task

UNROLL = 4  # rows per iteration of the loop over them: within 5% of the best for P1, P2 and P3
# Multiply-and-add along a last axis wants the widest vectors, and is 2 to 5 times slower with XLA's newest fusions.
OPTIONS = {"xla_cpu_prefer_vector_width": 512, "xla_cpu_experimental_ynn_fusion_type": ""}
LARGEST = 500  # weights of the largest layer up to which lanes win; see `suits`


def sums(f, *rows: PyTree) -> PyTree:
    """`f(*rows)` added up row by row, for a function that gives sums over rows."""
    first = jax.tree.map(lambda values: values[:1], rows)
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), jax.eval_shape(f, *first))

    def add(total, row):
        return jax.tree.map(jnp.add, total, f(*jax.tree.map(lambda values: values[None], row))), None

    return lax.scan(add, zeros, rows, unroll=UNROLL)[0]


def outputs(f, x: Array) -> Array:
    """`f(x)` row by row, for a function that gives one output row per input row."""
    return lax.scan(lambda _, row: (None, f(row[None])[0]), None, x, unroll=UNROLL)[1]


def each(f):
    """A function of one network as one of all lanes: every argument has, and every result gets, the lanes last."""
    return jax.vmap(f, in_axes=-1, out_axes=-1)


LANES = Over(each, sums, outputs)


def last(f, *arguments: Any) -> PyTree:
    """`f` of one network over arguments with lanes first: results with the lanes last, or 1 where all share them."""

    def shared(leaf: int) -> bool:
        try:
            jax.eval_shape(jax.vmap(lambda *a: jax.tree.leaves(f(*a))[leaf], out_axes=None), *arguments)
        except ValueError:  # JAX's word for: it differs from lane to lane
            return False
        return True

    shape = jax.eval_shape(f, *jax.tree.map(lambda a: a[0], arguments))
    axes = [None if shared(leaf) else -1 for leaf in range(len(jax.tree.leaves(shape)))]
    found = jax.vmap(lambda *a: jax.tree.leaves(f(*a)), out_axes=axes)(*arguments)
    trailing = [leaf[..., None] if axis is None else leaf for leaf, axis in zip(found, axes, strict=True)]
    return jax.tree.unflatten(jax.tree.structure(shape), trailing)


def possible(task: Task, recipe: Recipe) -> bool:
    """Whether every formula involved is the catalogue's, which accept a trailing axis; a user's own get `vmap`."""
    model, own_arrays = scalings.core(recipe.model), any(jnp.ndim(leaf) for leaf in jax.tree.leaves(task))
    return (
        type(model) is models.MLP
        and isinstance(model.activation, str | models.Elementwise)
        and (task.loss in losses.LOSSES or isinstance(task.loss, losses.ScaledError))
        and task.correct in (None, *losses.RULES)
        and not (recipe.batches == "stream" and own_arrays)
    )


def suits(task: Task, recipe: Recipe, lanes: int, inputs: int, platform: str) -> bool:
    """Whether lanes are the faster form: small layers, enough lanes to fill vectors, and a CPU.

    Measured on one core with AVX-512, 1-w-w-1 tanh, 32 lanes, ns per seed and step: w = 16, 620 against vmap's 2,157;
    w = 22, 1,133 against 3,435; w = 24, 5,384 against 3,132: XLA then keeps a layer's products in memory.
    """
    model = scalings.core(recipe.model)
    sizes = (inputs, *model.widths, model.outputs)
    return platform == "cpu" and lanes >= 8 and max(a * b for a, b in itertools.pairwise(sizes)) <= LARGEST


def number(parameters: int) -> int:
    """Lanes per block by default, so that a block's parameters, gradients and moments stay in the caches.

    Measured on P1, P3 (31 and 7 parameters, 64 lanes against 32: 46 and 70 ns against 48 and 75), P2 (97 parameters:
    1,750 ns against 1,250), and with vmap on P4 and P5 (7,140 and 314,000 parameters), where 4 come within 3% of the
    best number.
    """
    return 64 if parameters <= 64 else 32 if parameters <= 5_000 else 4
