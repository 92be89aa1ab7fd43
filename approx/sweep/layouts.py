"""Networks as the last axis of every array, as the lanes of a vector unit are: small networks' fast
form on a CPU.

`vmap` turns the products of small matrices into a kernel and two transposing copies each. Here the
formulas, which accept a trailing axis, work on all lanes at once, and rows are taken one by one, so
that everything between a row's inputs and its share of the gradient stays in registers. `LANES` is
what the training loop is put over; the rest decides when, and with which compiler options.
"""

import itertools
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import random

from approx import models
from approx.models import scalings
from approx.tasks import Task, losses
from approx.training.recipes import Recipe, rule
from approx.training.rules import GRADIENT, Optax
from approx.training.steps import init

# Multiply-and-add along a last axis wants the widest vectors, and is 2 to 5 times slower with XLA's
# newest fusions; for columns its products and sums are the best, and what it makes of the rest
# costs a sixth (P4).
OPTIONS: dict[str, dict[str, Any]] = {
    "lanes": {"xla_cpu_prefer_vector_width": 512, "xla_cpu_experimental_ynn_fusion_type": ""},
    "columns": {
        "xla_cpu_prefer_vector_width": 512,
        "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_DOT,LIBRARY_FUSION_TYPE_REDUCE",
    },
    "vmap": {},
}


# Units of the widest layer, weights of the largest; see `suits` and `columns_suit`
WIDEST, LARGEST = 32, 500


LARGEST_MATRIX = 32  # parameters up to which they do for Levenberg-Marquardt


def possible(task: Task, recipe: Recipe) -> bool:
    """Whether every formula involved is the catalogue's, which accept a trailing axis; a user's own
    get `vmap`.
    """
    model, own_arrays = (
        scalings.core(recipe.model),
        any(jnp.ndim(leaf) for leaf in jax.tree.leaves(task)),
    )
    return (
        type(model) is models.MLP
        and isinstance(model.activation, str | models.Elementwise)
        and (task.loss in losses.LOSSES or isinstance(task.loss, losses.ScaledError))
        and task.correct in (None, *losses.RULES)
        and not (recipe.batches == "stream" and own_arrays)
        and is_plain(task, recipe)
    )


def is_plain(task: Task, recipe: Recipe) -> bool:
    """Whether the optimiser gets by with the gradient, its state and the parameters, as all but
    line searches do.
    """
    chosen = rule(recipe)
    if not isinstance(chosen, Optax):
        return True
    params = jax.eval_shape(lambda: init(random.key(0), task, recipe).params)
    return chosen.is_plain(params)


def suits(task: Task, recipe: Recipe, lanes: int, inputs: int, platform: str) -> bool:
    """Whether lanes are the faster form: small layers, enough lanes to fill vectors, and a CPU.

    Measured on one core with AVX-512, 32 lanes, ns per seed and step: 1-w-w-1 tanh, w = 16, 536
    against vmap's 1,884; w = 32, 2,754 against 3,127; w = 40, 18,925 against 4,132: XLA then keeps
    a layer's products in memory. 1-8-o, cross
    entropy: o = 32, 2,577 against 6,044; o = 40, 11,001 against 6,056. Of few products, 1-100-1
    relu, 1,127 against 2,328, 3-40-3 2,890 against 5,711; but 64-1, 744 against 355. Likewise the
    normal equations of Levenberg-Marquardt, 50 rows, us per seed and trial: 31 parameters, 2.0
    against 3.4; 37, 14 against 7.8.
    """
    model = scalings.core(recipe.model)
    sizes = (inputs, *model.widths, model.outputs)
    layers = [*itertools.pairwise(sizes)]
    small = max(inputs, model.outputs) <= WIDEST and all(
        max(layer) <= WIDEST or (min(layer) <= 3 and math.prod(layer) <= LARGEST)
        for layer in layers
    )
    if recipe.optimizer == "lm":
        small = sum(map(math.prod, layers)) + model.bias * sum(sizes[1:]) <= LARGEST_MATRIX
    return platform == "cpu" and lanes >= 8 and small


def columns_possible(task: Task, recipe: Recipe) -> bool:
    """Whether the formulas take one network with its rows last: all rows in every step, no scaling,
    no dropout.
    """
    return (
        possible(task, recipe)
        and type(recipe.model) is models.MLP
        and recipe.model.dropout is None
        and isinstance(task.loss, str)
        and recipe.batch_size is None
        and recipe.batches != "stream"
        and rule(recipe).wants == GRADIENT
    )


def columns_suit(recipe: Recipe, rows: tuple[int, ...], platform: str) -> bool:
    """Whether they are faster than `vmap`: layers of some dozens of units, some dozens of rows (n,
    i), and a CPU.

    Measured on one core with AVX-512, 4 lanes, us per seed and step: 84-84, 32 rows 7.8 against
    8.5, 80 rows 15.6 against 17.7; 32-32-32-1, 16 rows 5.5 against 5.3, 64 rows 7.8 against 9.7,
    256 rows 22 against 29; 1-100-100-1, 256 rows 119 against 137; 784-64-10, 128 rows 162 against
    186; 64-256-256-8, 64 rows 298 against 228.
    """
    sizes = (rows[1], *recipe.model.widths, recipe.model.outputs)
    largest = max(a * b for a, b in itertools.pairwise(sizes))
    return platform == "cpu" and 64 <= rows[0] <= 2**16 // rows[1] and LARGEST < largest <= 2**15


def number(parameters: int, matrix: bool = False) -> int:
    """Lanes per block by default, so that a block's parameters, gradients and moments stay in the
    caches.

    With a matrix of parameters by parameters per lane: 2^15 numbers, but 16 lanes at least (7
    parameters, 64 lanes; 31, 32; 49 and 97, 16: all within 10% of the best), as long as 16 lanes
    take 2^25 numbers.

    Measured on P1, P3 (31 and 7 parameters, 64 lanes against 32: 46 and 70 ns against 48 and 75),
    P2 (97 parameters: 1,750 ns against 1,250), and with vmap on P4 (7,140 parameters: 4 lanes come
    within 2% of the best number) and P5 (314,000: 2 lanes 3.31 ms, 4 lanes 3.45, 1 lane 4.1).
    """
    if matrix:
        most = (
            max(16, 2**15 // parameters**2)
            if parameters <= 1_448
            else max(1, 2**25 // parameters**2)
        )
        return min(64, 2 ** int(math.log2(most)))
    return (
        64 if parameters <= 64 else 32 if parameters <= 5_000 else 4 if parameters <= 100_000 else 2
    )
