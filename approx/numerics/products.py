"""The axis of networks: how formulas that are written for one network are run on many.

Below the sweep, this is the only file that knows of such an axis. All other files write their
formulas for one network; S networks have one more axis, the last one of every array. Most formulas
are the same with and without it. Where they are not, they call a function of this file, whose
argument `networks` is the shape of that axis: `()` for one network and `(S,)` for S.

`COLUMNS` uses the last axis for something else: it has the rows of one network there.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_batching import custom_vmap
from jax.extend import core
from jaxtyping import Array, ArrayLike, PyTree

from approx.numerics.barriers import product, settled
from approx.numerics.cholesky import solve_lanes, solve_one

# x is transposed in memory (see `product`) if its columns are a multiple of so many numbers apart:
# then they share few sets of a cache.
CONFLICT = 128


def as_it_is(value: Any) -> Any:
    """The value itself."""
    return value


def call(f: Callable, *rows: Any) -> Any:
    """`f(*rows)`."""
    return f(*rows)


def count(params: PyTree) -> int:
    """How many numbers one network's parameters are."""
    leaves = jax.tree.leaves(params)
    return sum(leaf.size for leaf in leaves)


def of_networks(function: Callable) -> Callable:
    """A user's function of one network's arrays, for those of many networks too.

    Arrays of S networks have one more axis, the last; of length 1 where all networks share the
    values. JAX vectorises the function over this axis.

    Args:
        function: of outputs (n, o) and perhaps further arrays.
    """

    def applied(outputs: Array, *others: Array) -> Any:
        if outputs.ndim == 2:
            return function(outputs, *others)
        arrays: list[Array] = [outputs]
        axes: list[int | None] = [-1]
        for other in others:
            shared = other.shape[-1] != outputs.shape[-1]
            arrays.append(other[..., 0] if shared else other)
            axes.append(None if shared else -1)
        return jax.vmap(function, in_axes=axes, out_axes=-1)(*arrays)

    return applied


class Batching(NamedTuple):
    """How to run the one-network formulas on a batch.

    `ONE` changes nothing, `LANES` has S networks on the last axis, `COLUMNS` has the rows of one
    network there.

    Attributes:
        each: turns a function of one network into a function of all networks of the batch.
        arrange: turns a task's rows (or None) into the form that `sum_rows` takes. It is called
            once, before the training loop.
        sum_rows: `f(*rows)` for a function that gives sums over rows. `LANES` calls the function
            for each row and adds up.
        finish: turns what a formula summed over its rows into the sums over all rows. `COLUMNS`
            adds up the last axis, where it has the rows.
        map_rows: `f(*rows)` for a function that gives something for each row. `LANES` calls the
            function for each row.
        turn: turns a State as the formulas take it into one as the training loop carries it, and
            back.
        solve: `solve(matrix, right)` of a positive definite system; the solution is not a number
            where the matrix is not positive definite.
        count: how many numbers one network's parameters are.
    """

    each: Callable = as_it_is
    arrange: Callable = as_it_is
    sum_rows: Callable = call
    finish: Callable = as_it_is
    map_rows: Callable = call
    turn: Callable = as_it_is
    solve: Callable = solve_one
    count: Callable[[PyTree], int] = count


ONE: Batching = Batching()


@custom_vmap
def any_network(condition: Array) -> Array:
    """Whether a condition holds for at least one network: one answer for all of them.

    Under `jax.vmap` too: a program that asks this can leave out a step that no network needs, where
    a condition of each network's own would be computed for all of them in both ways.

    Args:
        condition: () of one network, (S,) of S networks.
    """
    return jnp.any(condition)


@any_network.def_vmap
def any_of_batch(size: int, batched: Any, condition: Array) -> tuple[Array, bool]:
    """The answer for all networks of a further axis, which is the same for each of them."""
    del size, batched
    return any_network(condition), False


# ---- many networks: the last axis is theirs ------------------------------------------------------


def each(f: Callable) -> Callable:
    """A function of one network as a function of all: the last axis of every array is theirs."""
    return jax.vmap(f, in_axes=-1, out_axes=-1)


def unroll(rows: PyTree) -> int:
    """How many rows one iteration of the loop over rows takes: a divisor of their number.

    Measured on one core with AVX-512, ns per seed and step: 21 rows (P1) by 3, 54, by 4, which
    leaves one, 60, one by one 60; 32 rows (P3) by 4, 74, by 3, which leaves two, 80, by 8, 75; 256
    rows (P2) by 4, 1,230, by 3, 1,320.
    """
    n = len(jax.tree.leaves(rows)[0])
    return next(size for size in (4, 3, 2, 1) if n % size == 0)


def sum_row_by_row(f: Callable, *rows: PyTree) -> PyTree:
    """The sum over rows of what `f` gives for each, for a function that gives sums over rows."""
    first = jax.tree.map(lambda values: values[:1], rows)
    sums = jax.eval_shape(f, *first)
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), sums)

    def add(total, row):
        one = jax.tree.map(lambda values: values[None], row)
        total = jax.tree.map(jnp.add, total, f(*one))
        return total, None

    return lax.scan(add, zeros, rows, unroll=unroll(rows))[0]


def map_row_by_row(f: Callable, *rows: Array) -> PyTree:
    """`f(*rows)` for a function that gives, for each row, the same number of each result."""

    def of_row(_, row):
        return None, f(*(values[None] for values in row))

    stacked = lax.scan(of_row, None, rows, unroll=unroll(rows))[1]
    return jax.tree.map(merged, stacked)


def count_of_one(params: PyTree) -> int:
    """How many numbers the parameters of one of the networks are."""
    total = 0
    for leaf in jax.tree.leaves(params):
        total += leaf.size // leaf.shape[-1]
    return total


LANES = Batching(
    each=each,
    sum_rows=sum_row_by_row,
    map_rows=map_row_by_row,
    solve=solve_lanes,
    count=count_of_one,
)


def last(f: Callable, *arguments: Any) -> PyTree:
    """`f` of one network, called for many: the axis of networks goes from first to last.

    Args:
        f: a function of one network's arguments.
        arguments: the same of S networks, whose axis is the first.

    Returns:
        The results, whose last axis has length S, or 1 where the result is the same for all.
    """
    first = jax.tree.map(lambda a: a[0], arguments)
    program, shapes = jax.make_jaxpr(f, return_shape=True)(*first)
    differs = depend_on_input(program.jaxpr)

    def leaves(*one):
        # XLA:CPU takes 0.2 s to compile the transposition of (S, n), and 6 ms of (S, n, 1)
        found = jax.tree.leaves(f(*one))
        pairs = zip(found, differs, strict=True)
        return [a[:, None] if differing and a.ndim == 1 else a for a, differing in pairs]

    axes = [-1 if differing else None for differing in differs]
    found = jax.vmap(leaves, out_axes=axes)(*arguments)
    with_axis = []
    for leaf, differing, shape in zip(found, differs, jax.tree.leaves(shapes), strict=True):
        if not differing:
            with_axis.append(leaf[..., None])
        else:
            with_axis.append(leaf.reshape(*shape.shape, -1))
    return jax.tree.unflatten(jax.tree.structure(shapes), with_axis)


def depend_on_input(program: core.Jaxpr) -> list[bool]:
    """Whether each output of a program depends on any of its inputs."""
    dependent = set(program.invars)

    def is_dependent(value: Any) -> bool:
        return not isinstance(value, core.Literal) and value in dependent

    for equation in program.eqns:
        if any(map(is_dependent, equation.invars)):
            dependent.update(equation.outvars)
    return [is_dependent(value) for value in program.outvars]


# ---- one network: the last axis is that of its rows ----------------------------------------------


def column(rows: Array) -> Array:
    """Rows (n, ...) as (1, ..., n): one row whose last axis has all of them."""
    return jnp.moveaxis(rows, 0, -1)[None]


def targets_last(rows: tuple[Array, Array] | None) -> tuple[Array, Array] | None:
    """Rows with the targets as a column: XLA would copy them in every step. x stays as it is."""
    if rows is None:
        return None
    x, y = rows
    return x, column(y)


def sum_columns(f: Callable, x: Array, *rest: Any) -> PyTree:
    """`f` of inputs as a column, and of the rest, which is in that form already."""
    return f(column(x), *rest)


def sum_last(sums: PyTree) -> PyTree:
    """Every array summed over its last axis."""
    return jax.tree.map(lambda values: values.sum(-1), sums)


def transposed(state: Any) -> Any:
    """A State with every matrix transposed. Where two such meet, XLA leaves both out.

    Weights (o, i), as the loop carries them, times rows (i, n) take no transposed copy.
    """
    carried = state.params, state.opt_state
    params, opt_state = jax.tree.map(lambda leaf: leaf.T if leaf.ndim == 2 else leaf, carried)
    return state._replace(params=params, opt_state=opt_state)


COLUMNS = Batching(arrange=targets_last, sum_rows=sum_columns, finish=sum_last, turn=transposed)


# ---- formulas that differ with the axis ----------------------------------------------------------


def networks_of(values: Array, axes: int) -> tuple[int, ...]:
    """The shape of the axis of networks, for an array that has so many axes for one network."""
    return values.shape[axes:]


def along(values: ArrayLike, networks: tuple[int, ...]) -> Array:
    """A vector (size,) that all networks share, as (size, 1) if there is an axis of networks."""
    return jnp.asarray(values).reshape(-1, *(1 for _ in networks))


def repeated(values: Array, networks: tuple[int, ...]) -> Array:
    """A vector (size,) that all networks share, as (size, S) if there is an axis of networks."""
    return jnp.broadcast_to(along(values, networks), (len(values), *networks))


def with_key(draw: Callable, key: Array) -> Array:
    """`draw(key)`, or what it gives for each of S keys, with these on the last axis."""
    if key.ndim:
        return jax.vmap(draw, out_axes=-1)(key)
    return draw(key)


MOST_NUMBERED = 2**32  # numbers of an array that unsigned 32-bit numbers can count


def take(values: Array, index: Array) -> Array:
    """Rows of an array by their numbers.

    Args:
        values: (n, ...) of one network; of S networks (n, ..., S), or (n, ..., 1) if all share it.
        index: (b,) of one network, (b, S) of S networks.
    """
    if index.ndim == 1:
        return values[index]
    if values.shape[-1] == 1 and values.size < MOST_NUMBERED:
        # JAX asks of each signed number whether it counts from the end
        index = index.astype(jnp.uint32)
        # One number at a time. Of whole rows XLA lays the numbers of one network together, and what
        # reads them then steps over memory: two inputs (P6) take 232 ns, and so 165
        size = values[0].size
        first = index[:, None] * jnp.uint32(size)
        where = first + jnp.arange(size, dtype=jnp.uint32)[:, None]
        found = values.reshape(-1).at[where].get(mode="promise_in_bounds")
        return found.reshape(len(index), *values.shape[1:-1], index.shape[-1])
    index = index.reshape(index.shape[0], *(1 for _ in values.shape[2:]), index.shape[1])
    return jnp.take_along_axis(values, index, 0, mode="promise_in_bounds")


def contract(x: Array, w: ArrayLike) -> Array:
    """`x w`, of one network or of S networks at once.

    A dot of many small matrices is a kernel each on a CPU. Without dots, the product is one
    multiply-add along the last axis.

    Args:
        x: (n, i) of one network, or (n, i, c) with c of its rows last; of S networks (n, i, S), or
            (n, i, 1) if all share it.
        w: (i, o) of one network, (i, o, S) of S networks.
    """
    w = jnp.asarray(w)
    if w.ndim == 3:
        return (settled(x)[:, :, None] * w).sum(1)
    if x.ndim == 3:
        return jax.vmap(lambda x: w.T @ x)(x)
    if x.shape[1] % CONFLICT == 0:
        return product(x, w)
    return x @ w


def shifted(z: Array, b: ArrayLike) -> Array:
    """`z + b` with one bias for each column of z (n, o), also where z has one more axis than b."""
    b = jnp.asarray(b)
    if z.ndim > b.ndim + 1:
        b = b[:, None]
    return z + b


def gram(a: Array) -> Array:
    """`aᵀa` for a (k, p) of one network, or a (k, p, S) of S networks, then without dots."""
    if a.ndim == 2:
        return jnp.matmul(a.T, a, precision="highest")
    return (a[:, :, None] * a[:, None]).sum(0)


def identity(matrix: Array) -> Array:
    """The identity of a matrix's size, (p, p), or (p, p, 1) of a (p, p, S)."""
    ones = jnp.eye(len(matrix), dtype=matrix.dtype)
    return ones.reshape(*matrix.shape[:2], *(1 for _ in matrix.shape[2:]))


def units(values: Array) -> Array:
    """The k unit vectors of values (k,), as (k, k); or (k, k, S) of S networks' values (k, S)."""
    size, *networks = values.shape
    ones = jnp.eye(size, dtype=values.dtype).reshape(size, size, *(1 for _ in networks))
    return jnp.broadcast_to(ones, (size, *values.shape))


def merged(values: Array) -> Array:
    """The first two axes as one."""
    return values.reshape(-1, *values.shape[2:])


def ravel(params: PyTree, networks: tuple[int, ...] = ()) -> Array:
    """Parameters as one vector (p,), or (p, S) of S networks."""
    leaves = jax.tree.leaves(params)
    return jnp.concatenate([leaf.reshape(-1, *networks) for leaf in leaves])


def unravel(point: Array, like: PyTree) -> PyTree:
    """A vector (p,), or (p, S), as parameters of the same shapes as `like`."""
    leaves, tree = jax.tree.flatten(like)
    ends = np.cumsum([leaf.size // point[0].size for leaf in leaves])
    parts = jnp.split(point, ends[:-1])
    shaped = []
    for part, leaf in zip(parts, leaves, strict=True):
        shaped.append(part.reshape(leaf.shape))
    return jax.tree.unflatten(tree, shaped)
