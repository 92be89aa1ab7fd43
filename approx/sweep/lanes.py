"""Networks as the last axis of every array, as the lanes of a vector unit are: small networks' fast form on a CPU.

`vmap` turns the products of small matrices into a kernel and two transposing copies each. Here the formulas, which
accept a trailing axis, work on all lanes at once, and rows are taken one by one, so that everything between a row's
inputs and its share of the gradient stays in registers. `LANES` is what the training loop is put over; the rest decides
when, and with which compiler options.
"""

import itertools
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax, random
from jaxtyping import Array, PyTree

from approx import models
from approx.models import scalings
from approx.tasks import Task, losses
from approx.training.optimizers import is_method
from approx.training.recipes import Recipe, optimizer
from approx.training.steps import Over, State, init

# Multiply-and-add along a last axis wants the widest vectors, and is 2 to 5 times slower with XLA's newest fusions; for
# columns its products and sums are the best, and what it makes of the rest costs a sixth (P4).
OPTIONS: dict[str, dict[str, Any]] = {
    "lanes": {"xla_cpu_prefer_vector_width": 512, "xla_cpu_experimental_ynn_fusion_type": ""},
    "columns": {
        "xla_cpu_prefer_vector_width": 512,
        "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_DOT,LIBRARY_FUSION_TYPE_REDUCE",
    },
    "vmap": {},
}
PANEL = 4  # columns of a Cholesky factor made at a time: 8 is no faster and 16 compiles for 6 s
WIDEST, LARGEST = 32, 500  # units of the widest layer, weights of the largest; see `suits` and `columns_suit`
LARGEST_MATRIX = 32  # parameters up to which they do for Levenberg-Marquardt


def unroll(rows: PyTree) -> int:
    """How many rows one iteration of the loop over them takes: a divisor of their number.

    Measured on one core with AVX-512, ns per seed and step: 21 rows (P1) by 3, 54, by 4, which leaves one, 60, one by
    one 60; 32 rows (P3) by 4, 74, by 3, which leaves two, 80, by 8, 75; 256 rows (P2) by 4, 1,230, by 3, 1,320.
    """
    n = len(jax.tree.leaves(rows)[0])
    return next(size for size in (4, 3, 2, 1) if n % size == 0)


def sums(f, *rows: PyTree) -> PyTree:
    """`f(*rows)` added up row by row, for a function that gives sums over rows."""
    first = jax.tree.map(lambda values: values[:1], rows)
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), jax.eval_shape(f, *first))

    def add(total, row):
        return jax.tree.map(jnp.add, total, f(*jax.tree.map(lambda values: values[None], row))), None

    return lax.scan(add, zeros, rows, unroll=unroll(rows))[0]


def outputs(f, *rows: Array) -> PyTree:
    """`f(*rows)` row by row, for a function that gives as many of each result per row."""

    def of_row(_, row):
        return None, f(*(values[None] for values in row))

    stacked = lax.scan(of_row, None, rows, unroll=unroll(rows))[1]
    return jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), stacked)


def solve(matrix: Array, right: Array) -> Array:
    """`matrix x = right` by Cholesky, matrix (q, q, S) positive definite and right (q, S), four columns at a time.

    LAPACK factorises one matrix after the other, in vectors that are mostly empty: of order 31, 2.6 us against 1.7.
    Four columns' products with those before them are one multiply-add over the lanes, and compile as one loop body.
    """
    q, width = len(right), PANEL
    pad = -q % width
    matrix = jnp.pad(matrix, ((0, pad), (0, pad), (0, 0)))
    matrix = matrix.at[jnp.arange(q, q + pad), jnp.arange(q, q + pad)].set(1)
    right = jnp.pad(right, ((0, pad), (0, 0)))
    row = jnp.arange(q + pad)[:, None]

    def forward(panel, carry):
        """Four columns of the factor, and four elements of `factor⁻¹ right`."""
        factor, solved = carry
        begin = panel * width
        known = lax.dynamic_slice_in_dim(factor, begin, width, 0)
        columns = lax.dynamic_slice_in_dim(matrix, begin, width, 1) - (factor[:, None] * known).sum(2)
        rest = lax.dynamic_slice_in_dim(right, begin, width, 0) - (known * solved).sum(1)
        made: list[Array] = []
        elements: list[Array] = []
        for j in range(width):
            column, element = columns[:, j], rest[j]
            for k, earlier in enumerate(made):
                pivot_row = lax.dynamic_index_in_dim(earlier, begin + j, 0, keepdims=False)
                column, element = column - earlier * pivot_row, element - pivot_row * elements[k]
            scale = lax.rsqrt(lax.dynamic_index_in_dim(column, begin + j, 0, keepdims=False))
            made.append(jnp.where(row >= begin + j, column * scale, 0))
            elements.append(element * scale)
        factor = lax.dynamic_update_slice_in_dim(factor, jnp.stack(made, 1), begin, 1)
        return factor, lax.dynamic_update_slice_in_dim(solved, jnp.stack(elements), begin, 0)

    panels = (q + pad) // width
    factor, solved = lax.fori_loop(0, panels, forward, (jnp.zeros_like(matrix), jnp.zeros_like(right)))

    def backward(n, x):
        """Four elements of the solution, from the last ones up."""
        begin = (panels - 1 - n) * width
        columns = lax.dynamic_slice_in_dim(factor, begin, width, 1)
        rest = lax.dynamic_slice_in_dim(solved, begin, width, 0) - (columns * x[:, None]).sum(0)
        block = lax.dynamic_slice_in_dim(columns, begin, width, 0)
        found: dict[int, Array] = {}
        for j in reversed(range(width)):
            above = sum((block[k, j] * found[k] for k in found), jnp.zeros_like(rest[j]))
            found[j] = (rest[j] - above) / block[j, j]
        return lax.dynamic_update_slice_in_dim(x, jnp.stack([found[j] for j in range(width)]), begin, 0)

    return lax.fori_loop(0, panels, backward, jnp.zeros_like(right))[:q]


def each(f):
    """A function of one network as one of all lanes: every argument has, and every result gets, the lanes last."""
    return jax.vmap(f, in_axes=-1, out_axes=-1)


LANES = Over(each=each, sums=sums, outputs=outputs, solve=solve)


# ---- wide layers: dots, with the rows of one network as the last axis ------------------------------------------------


def turn(state: State) -> State:
    """Every matrix transposed. Where two such meet, XLA leaves both out."""
    params, opt_state = jax.tree.map(lambda leaf: leaf.T if leaf.ndim == 2 else leaf, (state.params, state.opt_state))
    return state._replace(params=params, opt_state=opt_state)


def column(rows: Array) -> Array:
    """Rows (n, ...) as (1, ..., n)."""
    return jnp.moveaxis(rows, 0, -1)[None]


# Weights (o, i), as the loop carries them, times rows (i, n) take no transposed copy. XLA would copy targets in every
# step; x stays as it is, since the dots take it both ways.
COLUMNS = Over(
    rows=lambda rows: rows and (rows[0], column(rows[1])),
    sums=lambda f, x, *rest: f(column(x), *rest),
    whole=lambda sums: jax.tree.map(lambda values: values.sum(-1), sums),
    turn=turn,
)


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
        and is_plain(task, recipe)
    )


def is_plain(task: Task, recipe: Recipe) -> bool:
    """Whether the optimiser gets by with the gradient, its state and the parameters, as all but line searches do."""
    if is_method(recipe.optimizer):
        return True
    rule: Any = optimizer(recipe)
    params = jax.eval_shape(lambda: init(random.key(0), task, recipe).params)
    try:
        jax.eval_shape(lambda params: rule.update(params, rule.init(params), params), params)
    except TypeError:  # it wants value, grad, or value_fn
        return False
    return True


def suits(task: Task, recipe: Recipe, lanes: int, inputs: int, platform: str) -> bool:
    """Whether lanes are the faster form: small layers, enough lanes to fill vectors, and a CPU.

    Measured on one core with AVX-512, 32 lanes, ns per seed and step: 1-w-w-1 tanh, w = 16, 536 against vmap's 1,884;
    w = 32, 2,754 against 3,127; w = 40, 18,925 against 4,132: XLA then keeps a layer's products in memory. 1-8-o, cross
    entropy: o = 32, 2,577 against 6,044; o = 40, 11,001 against 6,056. Of few products, 1-100-1 relu, 1,127 against
    2,328, 3-40-3 2,890 against 5,711; but 64-1, 744 against 355. Likewise the normal equations of Levenberg-Marquardt,
    50 rows, us per seed and trial: 31 parameters, 2.0 against 3.4; 37, 14 against 7.8.
    """
    model = scalings.core(recipe.model)
    sizes = (inputs, *model.widths, model.outputs)
    layers = [*itertools.pairwise(sizes)]
    small = max(inputs, model.outputs) <= WIDEST and all(
        max(layer) <= WIDEST or (min(layer) <= 3 and math.prod(layer) <= LARGEST) for layer in layers
    )
    if recipe.optimizer == "lm":
        small = sum(map(math.prod, layers)) + model.bias * sum(sizes[1:]) <= LARGEST_MATRIX
    return platform == "cpu" and lanes >= 8 and small


def columns_possible(task: Task, recipe: Recipe) -> bool:
    """Whether the formulas take one network with its rows last: all rows in every step, no scaling, no dropout."""
    return (
        possible(task, recipe)
        and type(recipe.model) is models.MLP
        and recipe.model.dropout is None
        and isinstance(task.loss, str)
        and recipe.batch_size is None
        and recipe.batches != "stream"
        and not is_method(recipe.optimizer)
    )


def columns_suit(recipe: Recipe, rows: tuple[int, ...], platform: str) -> bool:
    """Whether they are faster than `vmap`: layers of some dozens of units, some dozens of rows (n, i), and a CPU.

    Measured on one core with AVX-512, 4 lanes, us per seed and step: 84-84, 32 rows 7.8 against 8.5, 80 rows 15.6
    against 17.7; 32-32-32-1, 16 rows 5.5 against 5.3, 64 rows 7.8 against 9.7, 256 rows 22 against 29; 1-100-100-1, 256
    rows 119 against 137; 784-64-10, 128 rows 162 against 186; 64-256-256-8, 64 rows 298 against 228.
    """
    sizes = (rows[1], *recipe.model.widths, recipe.model.outputs)
    largest = max(a * b for a, b in itertools.pairwise(sizes))
    return platform == "cpu" and 64 <= rows[0] <= 2**16 // rows[1] and LARGEST < largest <= 2**15


def number(parameters: int, matrix: bool = False) -> int:
    """Lanes per block by default, so that a block's parameters, gradients and moments stay in the caches.

    With a matrix of parameters by parameters per lane: 2^15 numbers, but 16 lanes at least (7 parameters, 64 lanes; 31,
    32; 49 and 97, 16: all within 10% of the best), as long as 16 lanes take 2^25 numbers.

    Measured on P1, P3 (31 and 7 parameters, 64 lanes against 32: 46 and 70 ns against 48 and 75), P2 (97 parameters:
    1,750 ns against 1,250), and with vmap on P4 (7,140 parameters: 4 lanes come within 2% of the best number) and P5
    (314,000: 2 lanes 3.31 ms, 4 lanes 3.45, 1 lane 4.1).
    """
    if matrix:
        most = max(16, 2**15 // parameters**2) if parameters <= 1_448 else max(1, 2**25 // parameters**2)
        return min(64, 2 ** int(math.log2(most)))
    return 64 if parameters <= 64 else 32 if parameters <= 5_000 else 4 if parameters <= 100_000 else 2
