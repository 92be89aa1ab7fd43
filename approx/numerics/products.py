"""Products of one network and of many, and the three ways to put formulas over more than one
network.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, ArrayLike, PyTree


class Over(NamedTuple):
    """What the loop is put over besides one network: an axis of networks, or of rows, always the
    last; here nothing.

    Attributes:
        each: turns a function of one network into one of many.
        rows: rows as `sums` takes them, from a task's; once, before the loop.
        sums: `f(*rows)` for a function that gives sums over rows; `lanes` adds up row by row.
        whole: of sums over rows, the sums over those that have an axis of their own.
        turn: a state as the loop carries it, from what the formulas take; and back.
        outputs: `f(*rows)` for a function that gives something of each row; `lanes` goes row by
            row.
        solve: `solve(matrix, right)` of a positive definite system; not a number where the matrix
            is not.
    """

    each: Callable = lambda f: f
    rows: Callable = lambda rows: rows
    sums: Callable = lambda f, *rows: f(*rows)
    whole: Callable = lambda sums: sums
    turn: Callable = lambda state: state
    outputs: Callable = lambda f, *rows: f(*rows)
    solve: Callable = lambda matrix, right: cho_solve((jnp.linalg.cholesky(matrix), True), right)


ONE: Over = Over()


def gram(a: Array) -> Array:
    """`aᵀa` for a (k, p); or of S networks at once, a (k, p, S), without dots (see
    `models.contract`).
    """
    return (
        jnp.matmul(a.T, a, precision="highest")
        if a.ndim == 2
        else (a[:, :, None] * a[:, None]).sum(0)
    )


def take(values: Array, index: Array) -> Array:
    """Rows by their numbers: index (b,), or (b, S) into rows of S networks or of one for all, (n,
    ..., S or 1).
    """
    if index.ndim == 1:
        return values[index]
    if values.shape[-1] == 1:
        # JAX asks of each signed one whether it counts from the end
        index = index.astype(jnp.uint32)
        rows = values[..., 0].at[index].get(mode="promise_in_bounds")
        return rows if rows.ndim == 2 else jnp.moveaxis(rows, 2, 1)
    each = index.reshape(index.shape[0], *(1 for _ in values.shape[2:]), index.shape[1])
    return jnp.take_along_axis(values, each, 0, mode="promise_in_bounds")


PANEL = 4  # columns of a Cholesky factor made at a time: 8 is no faster and 16 compiles for 6 s


def unroll(rows: PyTree) -> int:
    """How many rows one iteration of the loop over them takes: a divisor of their number.

    Measured on one core with AVX-512, ns per seed and step: 21 rows (P1) by 3, 54, by 4, which
    leaves one, 60, one by one 60; 32 rows (P3) by 4, 74, by 3, which leaves two, 80, by 8, 75; 256
    rows (P2) by 4, 1,230, by 3, 1,320.
    """
    n = len(jax.tree.leaves(rows)[0])
    return next(size for size in (4, 3, 2, 1) if n % size == 0)


def sums(f, *rows: PyTree) -> PyTree:
    """`f(*rows)` added up row by row, for a function that gives sums over rows."""
    first = jax.tree.map(lambda values: values[:1], rows)
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), jax.eval_shape(f, *first))

    def add(total, row):
        return jax.tree.map(
            jnp.add, total, f(*jax.tree.map(lambda values: values[None], row))
        ), None

    return lax.scan(add, zeros, rows, unroll=unroll(rows))[0]


def outputs(f, *rows: Array) -> PyTree:
    """`f(*rows)` row by row, for a function that gives as many of each result per row."""

    def of_row(_, row):
        return None, f(*(values[None] for values in row))

    stacked = lax.scan(of_row, None, rows, unroll=unroll(rows))[1]
    return jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), stacked)


def solve(matrix: Array, right: Array) -> Array:
    """`matrix x = right` by Cholesky, matrix (q, q, S) positive definite and right (q, S), four
    columns at a time.

    LAPACK factorises one matrix after the other, in vectors that are mostly empty: of order 31, 2.6
    us against 1.7. Four columns' products with those before them are one multiply-add over the
    lanes, and compile as one loop body.
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
        columns = lax.dynamic_slice_in_dim(matrix, begin, width, 1) - (factor[:, None] * known).sum(
            2
        )
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
    factor, solved = lax.fori_loop(
        0, panels, forward, (jnp.zeros_like(matrix), jnp.zeros_like(right))
    )

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
        return lax.dynamic_update_slice_in_dim(
            x, jnp.stack([found[j] for j in range(width)]), begin, 0
        )

    return lax.fori_loop(0, panels, backward, jnp.zeros_like(right))[:q]


def each(f):
    """A function of one network as one of all lanes: every argument has, and every result gets, the
    lanes last.
    """
    return jax.vmap(f, in_axes=-1, out_axes=-1)


LANES = Over(each=each, sums=sums, outputs=outputs, solve=solve)


def turn(state: Any) -> Any:
    """Every matrix transposed. Where two such meet, XLA leaves both out."""
    params, opt_state = jax.tree.map(
        lambda leaf: leaf.T if leaf.ndim == 2 else leaf, (state.params, state.opt_state)
    )
    return state._replace(params=params, opt_state=opt_state)


def column(rows: Array) -> Array:
    """Rows (n, ...) as (1, ..., n)."""
    return jnp.moveaxis(rows, 0, -1)[None]


# Weights (o, i), as the loop carries them, times rows (i, n) take no transposed copy. XLA would
# copy targets in every step; x stays as it is, since the dots take it both ways.
COLUMNS = Over(
    rows=lambda rows: rows and (rows[0], column(rows[1])),
    sums=lambda f, x, *rest: f(column(x), *rest),
    whole=lambda sums: jax.tree.map(lambda values: values.sum(-1), sums),
    turn=turn,
)


def last(f, *arguments: Any) -> PyTree:
    """`f` of one network over arguments with lanes first: results with the lanes last, or 1 where
    all share them.
    """

    def shared(leaf: int) -> bool:
        try:
            jax.eval_shape(
                jax.vmap(lambda *a: jax.tree.leaves(f(*a))[leaf], out_axes=None), *arguments
            )
        except ValueError:  # JAX's word for: it differs from lane to lane
            return False
        return True

    shape = jax.eval_shape(f, *jax.tree.map(lambda a: a[0], arguments))
    axes = [None if shared(leaf) else -1 for leaf in range(len(jax.tree.leaves(shape)))]
    found = jax.vmap(lambda *a: jax.tree.leaves(f(*a)), out_axes=axes)(*arguments)
    trailing = [
        leaf[..., None] if axis is None else leaf for leaf, axis in zip(found, axes, strict=True)
    ]
    return jax.tree.unflatten(jax.tree.structure(shape), trailing)


OFTEN = 500  # products for which a cheap activation is rather computed anew than stored


CONFLICT = 128  # numbers between those of a column at which they share few sets of a cache


def contract(x: Array, w: ArrayLike) -> Array:
    """`x w` for x (n, i) and w (i, o); or of S networks at once, x (n, i, S or 1) and w (i, o, S),
    without dots.

    A dot of many small matrices is a kernel each on a CPU; this is one multiply-add along the last
    axis. Of one network x may have a last axis too, (n, i, S): rows, for example.
    """
    w = jnp.asarray(w)
    if w.ndim == 3:
        return (settled(x)[:, :, None] * w).sum(1)
    if x.ndim == 3:
        return jax.vmap(lambda x: w.T @ x)(x)
    return x @ w if x.shape[1] % CONFLICT else product(x, w)


@jax.custom_jvp
def product(x: Array, w: Array) -> Array:
    """`x w`, whose gradient `xᵀ g` is made of x transposed in memory: XLA:CPU else reads x column
    by column.

    Measured on one core, whole steps of 8-i-o-4, 128 rows: 256 by 256 (i by o) 1.15 times faster,
    1,024 by 64 1.6; but 200 by 200 and 784 by 128 as slow or up to 5% slower, as their columns do
    not share sets.
    """
    return x @ w


@product.defjvp
def product_jvp(primals, tangents):
    """The product rule."""
    (x, w), (dx, dw) = primals, tangents
    transposed = jax.lax.optimization_barrier(x.T)
    return x @ w, dx @ w + jax.lax.dot_general(transposed, dw, (((0,), (0,)), ((), ())))


# What XLA:CPU stores, and what it computes anew without need, decides the speed of lanes. Measured
# on one core, 32 lanes, ns per seed and step: 1-16-16-1, 21 rows, sin 3,754 without `kept` and 667
# with it, gelu 1,756 and 1,137, tanh 533 and 524, but relu 426 and 643; 64 rows, relu 1,513 without
# `pulled` and 948 with it, tanh 1,624 and 1,270.


@jax.custom_jvp
def settled(x: Array) -> Array:
    """`x`, computed once where nothing is differentiated; else its derivative stores what is worth
    it.

    A record costs 13 steps of ten tanh units with it, 130 without: XLA computes x anew for each of
    its products.
    """
    return jax.lax.optimization_barrier(x)


settled.defjvp(lambda primals, tangents: (primals[0], tangents[0]))


@jax.custom_jvp
def kept(h: Array) -> Array:
    """`h`, computed once."""
    return jax.lax.optimization_barrier(h)


kept.defjvp(lambda primals, tangents: (jax.lax.optimization_barrier(primals[0]), tangents[0]))


@jax.custom_jvp
def pulled(z: Array) -> Array:
    """`z`, whose cotangent is computed once."""
    return z


pulled.defjvp(lambda primals, tangents: (primals[0], jax.lax.optimization_barrier(tangents[0])))
