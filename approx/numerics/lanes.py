"""Any function of one network's arrays, run on many networks whose axis is the last.

`in_lanes` traces the function for one network, and computes its program with one more axis behind
every array. As that axis is the last, the axes that an operation names keep their numbers. Products
of matrices become multiply-adds along it. `jax.vmap` would do the same in other orders of axes,
which takes several times as long on a CPU.

`mixed_rows` asks of the same programs whether each row of the results comes from one row.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend import core
from jaxtyping import Array, PyTree

# JAX's names of operations that work number by number
NUMBER_NAMES = """
    abs acos acosh add add_any and asin asinh atan atan2 atanh cbrt ceil clamp
    convert_element_type copy copy_p cos cosh div eq erf erf_inv erfc exp exp2 expm1 floor ge gt
    integer_pow is_finite le log log1p logistic lt max min mul ne neg nextafter not
    one_minus_square or pow rem round rsqrt select_n sign sin sinh sqrt square stop_gradient sub
    tan tanh xor
"""
BY_NUMBER = frozenset(NUMBER_NAMES.split())
REDUCTIONS = ("reduce_and", "reduce_max", "reduce_min", "reduce_or", "reduce_prod", "reduce_sum")
# Operations that hold a program, by the name of the parameter that has it
CALLS = {
    "jit": "jaxpr",
    "eval_jaxpr": "call_jaxpr",  # a program that was traced before
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
}


def in_lanes(function: Callable, *arguments: PyTree) -> PyTree:
    """`function` of one network, computed for S networks.

    Args:
        function: of one network's arrays; it is not differentiated from outside.
        arguments: of S networks, with one more axis, the last: of length S, or of length 1 where
            all networks share the values.

    Returns:
        The results, with an axis of S networks behind each.
    """
    leaves, tree = jax.tree.flatten(arguments)
    lanes = max(leaf.shape[-1] for leaf in leaves)
    shapes = [jax.ShapeDtypeStruct(leaf.shape[:-1], leaf.dtype) for leaf in leaves]
    program, result = jax.make_jaxpr(function, return_shape=True)(*jax.tree.unflatten(tree, shapes))
    found = computed(program, leaves)
    whole = [jnp.broadcast_to(one, (*one.shape[:-1], lanes)) for one in found]
    return jax.tree.unflatten(jax.tree.structure(result), whole)


def computed(program: Any, arguments: Sequence[Array]) -> list[Array]:
    """The results of a closed program of one network, for networks on a last axis."""
    known: dict[Any, Array] = {}

    def read(name: Any) -> Array:
        if isinstance(name, core.Literal):
            return jnp.asarray(name.val, typed(name))[..., None]
        return known[name]

    known.update(zip(program.jaxpr.invars, arguments, strict=True))
    for name, value in zip(program.jaxpr.constvars, program.consts, strict=True):
        known[name] = jnp.asarray(value)[..., None]
    for equation in program.jaxpr.eqns:
        values = [read(name) for name in equation.invars]
        for name, value in zip(equation.outvars, results_of(equation, values), strict=True):
            known[name] = value
    return [read(name) for name in program.jaxpr.outvars]


def typed(name: Any) -> Any:
    """The type of an operation's argument or result."""
    return name.aval.dtype


def results_of(equation: Any, values: list[Array]) -> list[Array]:
    """The results of one operation."""
    name = equation.primitive.name
    if name in CALLS:
        return computed(closed(equation.params[CALLS[name]]), values)
    if name == "optimization_barrier":
        return list(lax.optimization_barrier(tuple(values)))
    if name in BY_NUMBER:
        return [by_number(equation, values)]
    if name in RULES:
        return [RULES[name](equation, *values)]
    return vectorised(equation, values)


def closed(program: Any) -> Any:
    """A program with its constants."""
    if isinstance(program, core.Jaxpr):
        return core.ClosedJaxpr(program, ())
    return program


def by_number(equation: Any, values: list[Array]) -> Array:
    """An operation that works number by number; scalars are repeated."""
    (name,) = equation.outvars
    lanes = max(value.shape[-1] for value in values)
    shape = (*name.aval.shape, lanes)
    given = []
    for value in values:
        if value.ndim < len(shape):
            value = value.reshape(*(1 for _ in shape[:-1]), value.shape[-1])
        given.append(jnp.broadcast_to(value, shape))
    return equation.primitive.bind(*given, **equation.params)


def vectorised(equation: Any, values: list[Array]) -> list[Array]:
    """Any other operation, as `jax.vmap` does it."""
    bound: Any = equation.primitive.get_bind_params(equation.params)
    # JAX gives the inner functions beside the parameters, or the parameters alone
    functions, params = bound if isinstance(bound, tuple) else ((), bound)
    several = equation.primitive.multiple_results

    def one(*arrays: Array) -> list[Array]:
        found = equation.primitive.bind(*functions, *arrays, **params)
        return list(found) if several else [found]

    shared = [value.shape[-1] == 1 for value in values]
    arrays = [
        value[..., 0] if alike else value for value, alike in zip(values, shared, strict=True)
    ]
    if all(shared):
        return [found[..., None] for found in one(*arrays)]
    axes = [None if alike else -1 for alike in shared]
    return jax.vmap(one, in_axes=axes, out_axes=-1)(*arrays)


# ---- operations with axes ------------------------------------------------------------------------


def broadcast(equation: Any, value: Array, *_: Any) -> Array:
    """An array repeated along new axes."""
    shape = equation.params["shape"]
    axes = equation.params["broadcast_dimensions"]
    return lax.broadcast_in_dim(value, (*shape, value.shape[-1]), (*axes, len(shape)))


def reshaped(equation: Any, value: Array, *_: Any) -> Array:
    """An array in another shape, in the order of its numbers."""
    return value.reshape(*equation.params["new_sizes"], value.shape[-1])


def reduced(equation: Any, value: Array) -> Array:
    """A sum or another reduction over axes."""
    return equation.primitive.bind(value, **equation.params)


def sliced(equation: Any, value: Array) -> Array:
    """A part of an array."""
    first, last = equation.params["start_indices"], equation.params["limit_indices"]
    strides = equation.params["strides"] or (1,) * len(first)
    return lax.slice(value, (*first, 0), (*last, value.shape[-1]), (*strides, 1))


def transposed(equation: Any, value: Array) -> Array:
    """An array with its axes in another order."""
    return lax.transpose(value, (*equation.params["permutation"], value.ndim - 1))


def joined(equation: Any, *values: Array) -> Array:
    """Arrays one behind another."""
    lanes = max(value.shape[-1] for value in values)
    whole = [jnp.broadcast_to(value, (*value.shape[:-1], lanes)) for value in values]
    return lax.concatenate(whole, equation.params["dimension"])


def stacked(equation: Any, *values: Array) -> Array:
    """Arrays along a new axis."""
    lanes = max(value.shape[-1] for value in values)
    whole = [jnp.broadcast_to(value, (*value.shape[:-1], lanes)) for value in values]
    return jnp.stack(whole, equation.params["axis"])


def product(equation: Any, a: Array, b: Array) -> Array:
    """A product of arrays (`dot_general`), as a sum of products along the last axis."""
    (of_a, of_b), (batch_a, batch_b) = equation.params["dimension_numbers"]
    a, free_a = in_order(a, batch_a, of_a)
    b, free_b = in_order(b, batch_b, of_b)
    # Both get the axes (batch, free ones of a, free ones of b, those that are summed, lanes)
    end_of_batch = len(batch_a)
    end_of_a = end_of_batch + free_a
    end_of_b = end_of_a + free_b
    a = jnp.expand_dims(a, tuple(range(end_of_a, end_of_b)))
    b = jnp.expand_dims(b, tuple(range(end_of_batch, end_of_a)))
    summed = range(end_of_b, a.ndim - 1)
    return (a * b).sum(tuple(summed))


def in_order(value: Array, batch: Sequence[int], summed: Sequence[int]) -> tuple[Array, int]:
    """An array with its axes as (batch, free, summed, lanes), and how many axes are free."""
    last = value.ndim - 1
    free = [axis for axis in range(last) if axis not in (*batch, *summed)]
    return value.transpose(*batch, *free, *summed, last), len(free)


RULES: dict[str, Callable[..., Array]] = {
    "broadcast_in_dim": broadcast,
    "reshape": reshaped,
    "squeeze": lambda equation, value: lax.squeeze(value, equation.params["dimensions"]),
    "slice": sliced,
    "transpose": transposed,
    "concatenate": joined,
    "stack": stacked,
    "dot_general": product,
    **{name: reduced for name in REDUCTIONS},
}
QUICK = BY_NUMBER | set(RULES) | set(CALLS) | {"optimization_barrier"}


# ---- whether rows stay apart ---------------------------------------------------------------------

# What is known of the first axis of an array: each row comes from the same row of the inputs; all
# rows are alike; or nothing.
OF_ROWS, ALIKE, FREE = "of rows", "alike", "free"


class MixedError(Exception):
    """A row of a result comes from more than the same row of the inputs."""


def mixed_rows(program: Any, kinds: Sequence[str], rows: int) -> str:
    """The operation of a closed program that mixes rows, or may do so; "" if there is none.

    Args:
        program: of one network.
        kinds: of each argument, `OF_ROWS` or `FREE`.
        rows: how many there are.
    """
    try:
        found = kinds_of(program, kinds, rows)
    except MixedError as error:
        return str(error)
    return "" if all(kind == OF_ROWS for kind in found) else "the order of rows"


def kinds_of(program: Any, kinds: Sequence[str], rows: int) -> list[str]:
    """What is known of the results of a closed program.

    Raises:
        MixedError: with the name of the operation.
    """
    known: dict[Any, str] = dict(zip(program.jaxpr.invars, kinds, strict=True))

    def read(name: Any) -> str:
        return FREE if isinstance(name, core.Literal) else known.get(name, FREE)

    for equation in program.jaxpr.eqns:
        given = [read(name) for name in equation.invars]
        found = kinds_after(equation, given, rows)
        known.update(zip(equation.outvars, found, strict=True))
    return [read(name) for name in program.jaxpr.outvars]


def kinds_after(equation: Any, given: list[str], rows: int) -> list[str]:
    """What is known of the results of one operation.

    Raises:
        MixedError: with its name.
    """
    name = equation.primitive.name
    if name in CALLS:
        return kinds_of(closed(equation.params[CALLS[name]]), given, rows)
    if name == "optimization_barrier":
        return given
    apart = OF_ROWS if OF_ROWS in given else ALIKE
    if all(keeps(equation, given, rows)):
        return [apart for _ in equation.outvars]
    if apart == OF_ROWS:
        raise MixedError(name)
    return [FREE for _ in equation.outvars]


def keeps(equation: Any, given: list[str], rows: int) -> Iterator[bool]:
    """Conditions which together say that the rows of a result are those of the arguments."""
    name, params = equation.primitive.name, equation.params
    shapes = [variable.aval.shape for variable in equation.invars]
    if name in BY_NUMBER:
        yield any(kind != FREE for kind in given)
        for shape, kind in zip(shapes, given, strict=True):
            yield kind != FREE or shape[:1] in ((), (1,))
    elif name == "broadcast_in_dim":
        yield spreads(params, shapes[0], given[0], rows)
    elif name in ("concatenate", "stack"):
        axis = params["dimension"] if name == "concatenate" else params["axis"]
        yield axis != 0 and FREE not in given
    elif name == "dot_general":
        (of_a, _), (batch, _) = params["dimension_numbers"]
        yield given[0] != FREE and given[1] == FREE and 0 not in of_a and not batch
    else:
        yield given[:1] != [FREE] and bool(given)
        yield name in ROWS_KEPT and ROWS_KEPT[name](params, shapes[0])


def spreads(params: Any, shape: tuple[int, ...], kind: str, rows: int) -> bool:
    """Whether rows that are repeated along new axes stay rows, or become equal rows."""
    axes = params["broadcast_dimensions"]
    if kind != FREE:
        return axes[:1] == (0,) and params["shape"][0] == shape[0]
    first = shape[axes.index(0)] if 0 in axes else 1
    return first == 1 and params["shape"][:1] == (rows,)


ROWS_KEPT: dict[str, Callable[[Any, tuple[int, ...]], bool]] = {
    "reshape": lambda params, shape: params["new_sizes"][:1] == shape[:1],
    "squeeze": lambda params, _: 0 not in params["dimensions"],
    "slice": lambda params, shape: (
        (params["start_indices"][0], params["limit_indices"][0]) == (0, shape[0])
        and (params["strides"] or (1,))[0] == 1
    ),
    "transpose": lambda params, _: params["permutation"][0] == 0,
    "pad": lambda params, _: params["padding_config"][0] == (0, 0, 0),
    **{name: lambda params, _: 0 not in params["axes"] for name in REDUCTIONS},
}
