"""Compiled programs: a block's two entry points, compiled once for each device and found again by
their text.
"""

import gc
import hashlib
import math
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import (
    ThreadPoolExecutor,
)
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import SingleDeviceSharding
from jaxtyping import PyTree

from approx.sweep import checks, hosts, layouts
from approx.sweep.blocks import Inputs, Structure, advance, look, start
from approx.sweep.plans import Plan, cell_inputs, inputs, x64
from approx.tasks import Points

# `start` runs once per block, `look` once per run: half the optimisation compiles in half the time
# (`start` of ten tanh units in 0.7 s instead of 1.7 s).
QUICK = {"xla_backend_optimization_level": 1}


class Block(NamedTuple):
    """The compiled program of a block: its two entry points, and what identifies it."""

    start: Any
    advance: Any
    # Digest of the lowered programs; of programs that call the host, one that never comes again
    text: str
    options: dict[str, dict[str, Any]]  # of the compiler, for each of the two
    bytes: int  # of one block at work
    carry: Any  # shapes of (State, Trace)
    callbacks: tuple[str, ...] = ()  # names of the host's functions that it calls while it runs


# By program text, so that a fresh lambda with the same code finds its program
_compiled: dict[tuple, Any] = {}


def looked(structure: Structure, inputs: Inputs, options: Mapping[str, Any] | None, device: Any):
    """What `look` gives; recipes that prepare the same data share its program."""
    quick = (accepted(QUICK) if device.platform == "cpu" else {}) | dict(options or {})
    placed = jax.device_put(inputs, device)
    return compiled(*lower(look, (structure,), (placed,), (), quick, device))(placed)


def build(
    structure: Structure, inputs: Inputs, options: Mapping[str, Any] | None, device: Any
) -> Block:
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
    fast = (accepted(layouts.OPTIONS[structure.form]) if cpu else {}) | own
    lowered = (
        lower(start, (structure,), (inputs,), (), quick, device),
        lower(advance, (structure,), (carry, inputs, step, step), (1,), fast, device),
    )
    with ThreadPoolExecutor(2) as pool:
        first, rest = pool.map(compiled, *zip(*lowered, strict=True))
    memory = rest.memory_analysis()
    size = (
        memory.temp_size_in_bytes + memory.argument_size_in_bytes
        if memory
        else 2 * nbytes((carry, inputs))
    )
    text = "".join(key[0][:32] for _, key in lowered)
    called = tuple(
        getattr(one.function, "__qualname__", repr(one.function))
        for _, key in lowered
        for one in key[-1]
    )
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
    placed = jax.tree.map(
        lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=SingleDeviceSharding(device)),
        args,
    )
    traced = jitted(function, donated, tuple(options.items())).trace(*static, *placed)
    lowered, called = traced.lower(), tuple(map(Called, hosts.callbacks(traced.jaxpr)))
    key = (
        digest(lowered),
        repr(sorted(options.items())),
        device,
        lowered.in_tree,
        lowered.out_tree,
        called,
    )
    return lowered, key


class Called:
    """A function of the host that a program calls; equal only to itself, as its code is not in the
    program's text.
    """

    def __init__(self, function: Any):
        self.function = function

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Called) and self.function is other.function

    def __hash__(self) -> int:
        return id(self.function)


@lru_cache
def jitted(function, donated: tuple[int, ...], options: tuple[tuple[str, Any], ...]) -> Any:
    """One function as JAX's jit has it: the same object each time, as JAX keeps what it traced with
    the object.
    """
    return jax.jit(
        function,
        static_argnums=0,
        donate_argnums=donated,
        keep_unused=True,
        compiler_options=dict(options) or None,
    )


def digest(lowered: Any) -> str:
    """The sha256 of a lowered program's text."""
    return hashlib.sha256(lowered.as_text().encode()).hexdigest()


def compiled(lowered: Any, key: tuple) -> Any:
    """The compiled program.

    Raises:
        MemoryError: the device's memory does not even suffice to compile it, as XLA may find on an
            accelerator.
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
    """Forget all compiled programs, JAX's own too, before the process has as many memory maps as
    Linux allows it.

    A program takes some hundred maps; where none is left XLA's compiler crashes the process. With
    the usual limit of 65,530 that is after some 150 calls of `run` that compile. What is in use
    stays; what is wanted again is compiled again.
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


class Ready(NamedTuple):
    """One recipe's compiled block for every device, the points of its task, and the bytes of its
    results.
    """

    programs: dict[Any, Block]
    points: Points
    bytes: int
    seconds: float = 0.0  # that it took to trace and compile


def compile_plan(plan: Plan, workers: list, compiler_options) -> Ready:
    """Check a recipe's data and compile its block."""
    began = time.perf_counter()
    with x64(plan.recipe):
        data, points, finite = looked(
            plan.structure, cell_inputs(plan), compiler_options, workers[0]
        )
        checks.check_data(plan, data, points, finite)
        first = inputs(plan, np.arange(1))
        programs = {
            d: build(plan.structure, first, compiler_options, d) for d in dict.fromkeys(workers)
        }
    trace = programs[workers[0]].carry[1]
    return Ready(
        programs, points, nbytes(trace) // plan.lanes * plan.trainings, time.perf_counter() - began
    )


def one_lane(plan: Plan, s: Any) -> tuple[int, ...]:
    """Shape without the axis of lanes."""
    return s.shape[1:] if plan.structure.axis == 0 else s.shape[:-1]
