"""The compiled block: `lanes` trainings as one program. The only place where an axis of trainings is put around one.

A block's lanes are independent trainings, each with its own seed per stream and its own value of every number, swept
or not. The same program runs every block of a sweep, so a training's bits depend on neither its company nor its place.
"""

import gc
import hashlib
import math
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jax.sharding import SingleDeviceSharding
from jaxtyping import Array, Key, PyTree, UInt32

from approx.sweep import hosts, lanes
from approx.tasks import Points, Task
from approx.training import loop as training
from approx.training import steps
from approx.training.loop import Keep, Trace
from approx.training.recipes import Recipe
from approx.training.steps import Data, Keys, State

# `start` runs once per block, `look` once per run: half the optimisation compiles in half the time (`start` of ten tanh
# units in 0.7 s instead of 1.7 s).
QUICK = {"xla_backend_optimization_level": 1}


class Structure(NamedTuple):
    """What a block's program depends on besides shapes: hashable and compared by value.

    Attributes:
        tree: of (task, recipe).
        scalar: which of its leaves are numbers, given per lane; the others are arrays, shared by all lanes.
        keep: see `Keep`.
        form: "vmap", "columns" or "lanes" (see `lanes`).
        host: `hosts.fingerprint` of a user's functions: JAX remembers what it traced by the functions' identity only.
    """

    tree: Any
    scalar: tuple[bool, ...]
    keep: Keep
    form: str = "vmap"
    host: str = ""

    @property
    def axis(self) -> int:
        """Where the lanes are in State and Trace: first, or last."""
        return -1 if self.form == "lanes" else 0


class Inputs(NamedTuple):
    """What a block of trainings is given.

    Attributes:
        root: the root key. seeds: (lanes, streams). numbers: (lanes, number). arrays: the task's, shared by all lanes.
        params: None, or parameters to start from, with an axis of lanes first.

    """

    root: Key[Array, ""]
    seeds: Any
    numbers: Any
    arrays: tuple[Any, ...]
    params: PyTree = None


class Block(NamedTuple):
    """The compiled program of a block: its two entry points, and what identifies it."""

    start: Any
    advance: Any
    text: str  # digest of the lowered programs; of programs that call the host, one that never comes again
    options: dict[str, dict[str, Any]]  # of the compiler, for each of the two
    bytes: int  # of one block at work
    carry: Any  # shapes of (State, Trace)
    callbacks: tuple[str, ...] = ()  # names of the host's functions that it calls while it runs


def flatten(task: Task, recipe: Recipe, keep: Keep, form: str) -> tuple[Structure, list[float], tuple[np.ndarray, ...]]:
    """Structure, numbers and arrays of a task and a recipe."""
    leaves, tree = jax.tree.flatten((task, recipe))
    scalar = tuple(np.ndim(leaf) == 0 for leaf in leaves)
    numbers = [float(leaf) for leaf, is_scalar in zip(leaves, scalar, strict=True) if is_scalar]
    arrays = tuple(np.asarray(leaf) for leaf, is_scalar in zip(leaves, scalar, strict=True) if not is_scalar)
    return Structure(tree, scalar, keep, form), numbers, arrays


def unflatten(structure: Structure, numbers: Any, arrays: tuple[Any, ...]) -> tuple[Task, Recipe]:
    """Task and recipe of one lane; or of all, if every number is a vector of the lanes'."""
    number, array = iter(numbers), iter(arrays)
    leaves = [next(number) if is_scalar else next(array) for is_scalar in structure.scalar]
    return jax.tree.unflatten(structure.tree, leaves)


def keys(root: Key[Array, ""], seeds: UInt32[Array, " streams"]) -> Keys:
    """A lane's streams, each that of its own seed: `streams(fold_in(root, seed))`."""
    return Keys(*(random.fold_in(random.fold_in(root, seeds[n]), n) for n in range(len(Keys._fields))))


def start(structure: Structure, inputs: Inputs) -> tuple[State, Trace]:
    """`training.start` on every lane."""

    def one(seeds, numbers, params):
        task, recipe = unflatten(structure, numbers, inputs.arrays)
        return training.start(keys(inputs.root, seeds), task, recipe, structure.keep, params)

    return jax.vmap(one, out_axes=structure.axis)(inputs.seeds, inputs.numbers, inputs.params)


def advance(structure: Structure, carry: tuple[State, Trace], inputs: Inputs, begin: Array, end: Array):
    """`training.advance` on every lane, for the same steps."""

    def prepare(seeds, numbers):
        return steps.prepare(keys(inputs.root, seeds), *unflatten(structure, numbers, inputs.arrays))

    def one(carry, seeds, numbers, rows):
        (task, recipe), data = unflatten(structure, numbers, inputs.arrays), prepare(seeds, numbers)
        data = data if rows is None else data._replace(rows=rows)
        over = lanes.COLUMNS if structure.form == "columns" else steps.ONE
        return training.loop(carry, keys(inputs.root, seeds), data, task, recipe, begin, end, structure.keep, over)

    task, recipe = unflatten(structure, inputs.numbers.T, inputs.arrays)
    if structure.form != "lanes":
        rows = jax.vmap(prepare)(inputs.seeds, inputs.numbers).rows
        own = structure.form == "vmap" and recipe.batch_size is None and rows[0][0].size <= OWN_ROWS
        return jax.vmap(one)(carry, inputs.seeds, inputs.numbers, rows if own else None)

    data = lanes.last(prepare, inputs.seeds, inputs.numbers)
    streams = jax.vmap(lambda seeds: keys(inputs.root, seeds))(inputs.seeds)
    return training.loop(carry, streams, data, task, recipe, begin, end, structure.keep, lanes.LANES)


def look(structure: Structure, inputs: Inputs) -> tuple[Data, Points, Array]:
    """What `run` checks and describes on the host: the first lane's data, every lane's points, and which are finite."""

    def one(seeds, numbers):
        task, recipe = unflatten(structure, numbers, inputs.arrays)
        data = steps.prepare(keys(inputs.root, seeds), task, recipe)
        finite = jnp.stack([jnp.isfinite(values).all() for values in jax.tree.leaves(data)]).all()
        return data, Points(*map(jnp.asarray, task.points())), finite

    def rest(seeds, numbers):
        _, points, finite = one(seeds, numbers)
        return points, finite

    return one(inputs.seeds[0], inputs.numbers[0])[0], *jax.vmap(rest)(inputs.seeds, inputs.numbers)


# Numbers of x up to which vmap gives each network a copy of the rows that all see in every step. XLA:CPU makes products
# of shared rows from transposed weights: 84 x 84 weights, 80 rows, 24.2 us a step, with copies 17.7; 784 x 64 weights,
# 32 rows 89 and 68, 128 rows 186 and 192, 1,000 rows 1,216 and 1,540.
OWN_ROWS = 2**16
_compiled: dict[tuple, Any] = {}  # by program text, so that a fresh lambda with the same code finds its program


def looked(structure: Structure, inputs: Inputs, options: Mapping[str, Any] | None, device: Any):
    """What `look` gives; recipes that prepare the same data share its program."""
    quick = (accepted(QUICK) if device.platform == "cpu" else {}) | dict(options or {})
    placed = jax.device_put(inputs, device)
    return compiled(*lower(look, (structure,), (placed,), (), quick, device))(placed)


def build(structure: Structure, inputs: Inputs, options: Mapping[str, Any] | None, device: Any) -> Block:
    """Compile the two entry points for one device, side by side, or find them compiled.

    Args:
        structure: of the trainings.
        inputs: of one block, for shapes only.
        options: XLA compiler options.
        device: where it will run.
    """
    make_room()
    carry = jitted(start, (), ()).eval_shape(structure, inputs)
    step = jax.ShapeDtypeStruct((), jnp.int32)
    cpu, own = device.platform == "cpu", dict(options or {})
    quick = (accepted(QUICK) if cpu else {}) | own
    fast = (accepted(lanes.OPTIONS[structure.form]) if cpu else {}) | own
    lowered = (
        lower(start, (structure,), (inputs,), (), quick, device),
        lower(advance, (structure,), (carry, inputs, step, step), (1,), fast, device),
    )
    with ThreadPoolExecutor(2) as pool:
        first, rest = pool.map(compiled, *zip(*lowered, strict=True))
    memory = rest.memory_analysis()
    size = memory.temp_size_in_bytes + memory.argument_size_in_bytes if memory else 2 * nbytes((carry, inputs))
    text = "".join(key[0][:32] for _, key in lowered)
    called = tuple(getattr(one.function, "__qualname__", repr(one.function)) for _, key in lowered for one in key[-1])
    text = f"{text} and host functions {uuid.uuid4().hex}" if called else text
    return Block(first, rest, text, {"start": quick, "advance": fast}, size, carry, called)


def accepted(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those compiler options that this version of JAX knows; they come and go with its compiler."""
    return {name: value for name, value in options.items() if is_accepted(name, value)}


@lru_cache
def is_accepted(name: str, value: Any) -> bool:
    """Whether a program of one addition compiles with that option."""
    try:
        jax.jit(lambda x: x + 1, compiler_options={name: value}).lower(1.0).compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True


def lower(function, static, args, donated, options: dict[str, Any], device) -> tuple[Any, tuple]:
    """One function lowered for a device, and the key under which its program is found."""
    placed = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=SingleDeviceSharding(device)), args)
    traced = jitted(function, donated, tuple(options.items())).trace(*static, *placed)
    lowered, called = traced.lower(), tuple(map(Called, hosts.callbacks(traced.jaxpr)))
    key = digest(lowered), repr(sorted(options.items())), device, lowered.in_tree, lowered.out_tree, called
    return lowered, key


class Called:
    """A function of the host that a program calls; equal only to itself, as its code is not in the program's text."""

    def __init__(self, function: Any):
        self.function = function

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Called) and self.function is other.function

    def __hash__(self) -> int:
        return id(self.function)


@lru_cache
def jitted(function, donated: tuple[int, ...], options: tuple[tuple[str, Any], ...]) -> Any:
    """One function as JAX's jit has it: the same object each time, as JAX keeps what it traced with the object."""
    return jax.jit(
        function, static_argnums=0, donate_argnums=donated, keep_unused=True, compiler_options=dict(options) or None
    )


def digest(lowered: Any) -> str:
    """The sha256 of a lowered program's text."""
    return hashlib.sha256(lowered.as_text().encode()).hexdigest()


def compiled(lowered: Any, key: tuple) -> Any:
    """The compiled program.

    Raises:
        MemoryError: the device's memory does not even suffice to compile it, as XLA may find on an accelerator.
    """
    if key not in _compiled:
        try:
            _compiled[key] = lowered.compile()
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            raise MemoryError(
                f"the device has too little memory for a block of this size: give fewer lanes=, or a smaller "
                f"network. XLA says: {str(error)[:300]}"
            ) from error
    return _compiled[key]


def make_room() -> None:
    """Forget all compiled programs, JAX's own too, before the process has as many memory maps as Linux allows it.

    A program takes some hundred maps; where none is left XLA's compiler crashes the process. With the usual limit of
    65,530 that is after some 150 calls of `run` that compile. What is in use stays; what is wanted again is compiled
    again.
    """
    if maps_used() > 0.75 * maps_allowed():
        _compiled.clear()
        jax.clear_caches()
        gc.collect()


def maps_used() -> int:
    """Memory maps of this process; 0 where the system does not say."""
    try:
        return Path("/proc/self/maps").read_bytes().count(b"\n")
    except OSError:
        return 0


def maps_allowed() -> float:
    """Memory maps that Linux allows to a process."""
    try:
        return float(Path("/proc/sys/vm/max_map_count").read_text())
    except OSError:
        return math.inf


def nbytes(tree: PyTree) -> int:
    """Bytes of all arrays of a tree, or of their shapes."""
    return sum(int(np.prod(leaf.shape)) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
