"""Compiled programs of blocks: compiled once for each device, and found again by their text."""

from __future__ import annotations

import ctypes
import gc
import hashlib
import math
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import SingleDeviceSharding
from jaxtyping import PyTree

from approx.late_imports import xarray as xr
from approx.sweep import checks, hosts, kept_programs, layouts, settings, traced_before
from approx.sweep.blocks import Inputs, Structure, advance, draw, look, of_task, start, table_of
from approx.sweep.facts import x64
from approx.sweep.plans import Plan, cell_inputs, inputs
from approx.tasks import Points
from approx.training.loop import left_behind

# `start` runs once per block, `look` once per run: half the optimisation compiles in half the time
# (`start` of ten tanh units in 0.7 s instead of 1.7 s).
QUICK = {"xla_backend_optimization_level": 1}


class Block(NamedTuple):
    """The compiled program of a block.

    Attributes:
        start, advance: its two entry points, see `blocks`.
        text: a digest of both programs' lowered text. Programs that call functions of the host get
            a text that never comes again, as what those functions do does not stand in it.
        options: of the compiler, for each of the two.
        bytes: of memory that one block needs at work.
        carry: shapes of (State, Trace).
        callbacks: names of the functions of the host that the program calls while it runs.

    """

    start: Any
    advance: Any
    text: str
    options: dict[str, dict[str, Any]]
    bytes: int
    carry: Any
    callbacks: tuple[str, ...] = ()


class Start(NamedTuple):
    """The compiled start of a block, which is given its random numbers as bits.

    Attributes:
        program: `blocks.start`.
        draw: `blocks.draw`. Networks of nearly as many parameters share this program.
        table: where each number comes from, on the device.

    """

    program: Any
    draw: Any
    table: Any

    def __call__(self, inputs: Inputs) -> Any:
        """The block's (State, Trace) of step 0."""
        bits = self.draw(inputs.root, inputs.seeds, self.table)
        return self.program(inputs, bits)


class Ready(NamedTuple):
    """A recipe's block, compiled for every device.

    Attributes:
        programs: the compiled block of every device.
        points: of the task, with an axis of cells first (see `plans.cell_inputs`).
        bytes: of the results of all trainings.
        workers: for each thread, the device that it feeds.
        seconds: that it took to trace and to compile.

    """

    programs: dict[Any, Block]
    points: Points
    bytes: int
    workers: list[Any]
    seconds: float = 0.0

    @property
    def block(self) -> Block:
        """The block of the first device."""
        return self.programs[self.workers[0]]


# ---- a plan's programs ---------------------------------------------------------------------------


def compile_plan(plan: Plan, workers: list, compiler_options: Mapping[str, Any] | None) -> Ready:
    """Check the data of a plan, and compile its block for every device.

    Args:
        plan: of the trainings.
        workers: for each thread, the device that it feeds.
        compiler_options: for XLA.

    """
    began = time.perf_counter()
    with x64(plan.recipe):
        first = inputs(plan, np.arange(1))
        building = {
            device: Building(plan.structure, first, compiler_options, device)
            for device in dict.fromkeys(workers)
        }
        # Their longer programs compile in threads of their own while the data are looked at
        import_for_results()
        cells = cell_inputs(plan)
        data, points, finite = looked(plan.structure, cells, compiler_options, workers[0])
        checks.check_data(plan.facts, data, points, finite)
        programs = {device: one.block() for device, one in building.items()}
    left = left_behind(programs[workers[0]].carry, plan.structure.keep)
    size = nbytes(left) // plan.lanes * plan.trainings
    return Ready(programs, points, size, workers, time.perf_counter() - began)


def looked(structure: Structure, inputs: Inputs, options: Mapping[str, Any] | None, device: Any):
    """What `look` gives. Recipes of one task share its program."""
    quick = with_defaults(QUICK, options, device)
    task, of_cells = of_task(structure, inputs)
    placed = jax.device_put(of_cells, device)
    return compiled(*lower(look, (task,), (placed,), (), quick, device))(placed)


class Building:
    """A block that is being built for one device: its longer program compiles in a thread.

    A block that was built for an equal call is found, and nothing compiles. One that calls
    functions of the host is built anew each time, since it may call others.

    Args:
        structure: of the trainings.
        inputs: of one block, for shapes only.
        options: XLA compiler options.
        device: where it will run.

    """

    def __init__(
        self, structure: Structure, inputs: Inputs, options: Mapping[str, Any] | None, device: Any
    ):
        leaves, tree = jax.tree.flatten(inputs)
        shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
        said = repr(sorted((options or {}).items()))
        self.key = structure, tree, shapes, said, device, tuple(jax.config.values.items())
        self.known = _built.get(self.key)
        self.structure, self.inputs, self.device = structure, inputs, device
        if self.known is None:
            make_room()
            self.traced = trace(structure, inputs, options, device)
            self.pool = ThreadPoolExecutor(2)
            self.advance = self.pool.submit(compiled, *self.traced.advance)

    def block(self) -> Block:
        """The block, once all of it is compiled."""
        if self.known is None:
            self.known = self.newly_built()
            if not self.known.callbacks:
                if len(_built) >= MOST_LOWERED:
                    _built.clear()
                _built[self.key] = self.known
        return self.known

    def newly_built(self) -> Block:
        """Compile the other programs too, side by side, or find them compiled."""
        structure, inputs, device, traced = self.structure, self.inputs, self.device, self.traced
        quick, table = traced.options["start"], traced.table
        with self.pool as pool:
            if table is not None:
                wide = inputs.numbers.dtype == np.float64
                drawn = inputs.root, inputs.seeds, table
                drawing = pool.submit(compiled, *lower(draw, (wide,), drawn, (), quick, device))
            start_code, start_key = lower(start, (structure,), traced.given, (), quick, device)
            first = compiled(start_code, start_key)
            if table is not None:
                first = Start(first, drawing.result(), jax.device_put(table, device))
        rest = self.advance.result()
        return_freed_memory()
        _, advance_key = traced.advance
        size = bytes_at_work(rest, (traced.carry, inputs))
        text = text_of(start_key, advance_key)
        called = tuple(one.name for one in (*start_key.called, *advance_key.called))
        if called:
            text = f"{text} and host functions {uuid.uuid4().hex}"
        return Block(first, rest, text, traced.options, size, traced.carry, called)


def build(
    structure: Structure, inputs: Inputs, options: Mapping[str, Any] | None, device: Any
) -> Block:
    """The block for one device. The arguments are those of `Building`."""
    return Building(structure, inputs, options, device).block()


def described(
    structure: Structure, inputs: Inputs, options: Mapping[str, Any] | None, device: Any
) -> Block:
    """A block that is traced and lowered, to know its text, and not compiled.

    The arguments are those of `Building`.
    """
    traced = trace(structure, inputs, options, device)
    quick = traced.options["start"]
    _, start_key = lower(start, (structure,), traced.given, (), quick, device)
    _, advance_key = traced.advance
    text = text_of(start_key, advance_key)
    return Block(None, None, text, traced.options, 0, traced.carry)


class Traced(NamedTuple):
    """What is known of a block before anything is compiled.

    Attributes:
        options: of the compiler, for "start" and for "advance".
        table: see `table_of`.
        given: what `start` is called with besides the structure.
        carry: shapes of (State, Trace).
        advance: the lowered program, and what the compiled one is found by.

    """

    options: dict[str, dict[str, Any]]
    table: np.ndarray | None
    given: tuple[Any, ...]
    carry: Any
    advance: tuple[Any, Found]


def trace(
    structure: Structure, inputs: Inputs, options: Mapping[str, Any] | None, device: Any
) -> Traced:
    """Trace a block's two entry points, and lower the longer one, which is compiled first.

    What an earlier process has traced is not traced again. The arguments are those of `Building`.
    """
    used = {
        "start": with_defaults(QUICK, options, device),
        "advance": with_defaults(layouts.OPTIONS[structure.form], options, device),
    }
    table = table_of(structure, inputs)
    given: tuple[Any, ...] = (inputs,)
    if table is not None:
        given = inputs, bits_of(inputs, table)
    _, past = recalled(start, (structure,), given, (), used["start"], device)
    if past is None:
        carry = jitted(start, (), ()).eval_shape(structure, *given)
    else:
        carry = past.shapes
    step = jax.ShapeDtypeStruct((), jnp.int32)
    arguments = carry, inputs, step, step
    lowered = lower(advance, (structure,), arguments, (1,), used["advance"], device)
    return Traced(used, table, given, carry, lowered)


def text_of(start_key: Found, advance_key: Found) -> str:
    """The digest of both programs' texts, see `Block`."""
    return start_key.text[:32] + advance_key.text[:32]


def bits_of(inputs: Inputs, table: np.ndarray) -> jax.ShapeDtypeStruct:
    """The shape of the bits that `blocks.draw` gives."""
    wide = inputs.numbers.dtype == np.float64
    shape = len(inputs.seeds), table.shape[1]
    return jax.ShapeDtypeStruct(shape, np.uint64 if wide else np.uint32)


@lru_cache
def import_for_results() -> None:
    """Begin to import xarray in a thread of its own, which works on while XLA compiles.

    A first variable is made too, for which xarray imports Dask where Dask is installed: half a
    second.
    """
    threading.Thread(target=lambda: xr.Variable((), 0.0), name="import xarray").start()


def bytes_at_work(program: Any, arguments: PyTree) -> int:
    """Bytes that a compiled program needs while it runs; a guess where XLA does not say."""
    memory = program.memory_analysis()
    if memory:
        return memory.temp_size_in_bytes + memory.argument_size_in_bytes
    return 2 * nbytes(arguments)


def nbytes(tree: PyTree) -> int:
    """Bytes of all arrays of a tree, or of their shapes."""
    return sum(int(np.prod(leaf.shape)) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def one_lane(plan: Plan, leaf: Any) -> tuple[int, ...]:
    """The shape of one training's part of an array of a block."""
    return leaf.shape[1:] if plan.structure.axis == 0 else leaf.shape[:-1]


# ---- compiler options ----------------------------------------------------------------------------


def with_defaults(
    defaults: Mapping[str, Any], options: Mapping[str, Any] | None, device: Any
) -> dict[str, Any]:
    """Compiler options for a device: on a CPU our defaults, and a user's own before them."""
    found = accepted(defaults) if device.platform == "cpu" else {}
    return found | dict(options or {})


def accepted(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those compiler options that this version of JAX knows; they come and go with its compiler."""
    if are_accepted(tuple(options.items())):
        return dict(options)
    return {name: value for name, value in options.items() if are_accepted(((name, value),))}


@lru_cache
def are_accepted(options: tuple[tuple[str, Any], ...]) -> bool:
    """Whether a program of one addition compiles with these options."""
    try:
        jax.jit(lambda x: x + 1, compiler_options=dict(options)).lower(1.0).compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True


# ---- tracing, lowering, compiling ----------------------------------------------------------------


class Called:
    """A function of the host that a program calls.

    It is equal only to itself, as its code does not stand in the program's text.
    """

    def __init__(self, function: Any):
        self.function = function

    @property
    def name(self) -> str:
        """What the user calls the function."""
        return getattr(self.function, "__qualname__", repr(self.function))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Called) and self.function is other.function

    def __hash__(self) -> int:
        return id(self.function)


class Found(NamedTuple):
    """What a compiled program is found by: two programs of which this is equal are one.

    Attributes:
        text: the sha256 of the lowered program's text.
        options: of the compiler, as text.
        device: that it is compiled for.
        takes, gives: the nesting of its arguments and of its results.
        called: the functions of the host that it calls.

    """

    text: str
    options: str
    device: Any
    takes: Any
    gives: Any
    called: tuple[Called, ...] = ()


class Lowered(NamedTuple):
    """A program that was traced and lowered before.

    JAX gives the same `jaxpr` object again if it has traced the same function of the same static
    arguments and shapes before. It is kept here, so that no other object gets its number.
    """

    jaxpr: Any
    code: Any
    found: Found


MOST_LOWERED = 256  # programs; then all are forgotten, and lowered again where they are wanted
_lowered: dict[Any, Lowered] = {}
_recalled: dict[Any, traced_before.Unlowered] = {}  # that an earlier process has lowered
_built: dict[Any, Block] = {}  # by everything that a block is traced and compiled from
# A fresh lambda with the same code finds its program here, as it has the same text
_compiled: dict[Any, Any] = {}
_compiling: dict[Any, threading.Lock] = {}  # held while a program is compiled


def lower(
    function: Callable, static, args, donated, options: dict[str, Any], device: Any
) -> tuple[Any, Found]:
    """Trace and lower a function for a device, unless it is known from an earlier process.

    Args:
        function: to lower, called as `function(*static, *args)`.
        static: arguments that decide the program.
        args: arrays, or their shapes.
        donated: the places of the arguments whose memory may be used for the results.
        options: of the compiler.
        device: where it will run.

    Returns:
        The lowered program, and what the compiled one is found by.

    """
    place, past = recalled(function, static, args, donated, options, device)
    if past is not None:
        said = repr(sorted(options.items()))
        return past, Found(past.text, said, device, past.in_tree, past.out_tree)
    code, found = newly_lowered(function, static, args, donated, options, device)
    if not found.called:
        traced_before.keep(place, found.text, code)
    return code, found


def recalled(
    function: Callable, static, args, donated, options: dict[str, Any], device: Any
) -> tuple[Path | None, traced_before.Unlowered | None]:
    """A program of which an earlier process has said on disk how it is lowered.

    The arguments are those of `lower`.

    Returns:
        The file that belongs to the program, and the program; each None if there is none.

    """
    leaves, tree = jax.tree.flatten(args)
    shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
    said = repr(sorted(options.items()))
    key = function, static, tree, shapes, said, device, tuple(jax.config.values.items())
    if key in _recalled:
        return None, _recalled[key]
    place = traced_before.place_of(function, static, args, said, device)
    known = traced_before.recall(place)
    if known is None:
        return place, None

    def lowered() -> Any:
        code, found = newly_lowered(function, static, args, donated, options, device)
        if found.text != known.text:
            raise RuntimeError(
                f"{place} belongs to another program than it says. Please report this; "
                "`python -m approx cache --clear` removes it"
            )
        return code

    if len(_recalled) >= MOST_LOWERED:
        _recalled.clear()
    _recalled[key] = traced_before.Unlowered(known, settings.carried(lowered))
    return place, _recalled[key]


def newly_lowered(
    function: Callable, static, args, donated, options: dict[str, Any], device: Any
) -> tuple[Any, Found]:
    """Trace and lower a function; the arguments and the results are those of `lower`."""

    def on_device(leaf: Any) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=SingleDeviceSharding(device))

    placed = jax.tree.map(on_device, args)
    traced = jitted(function, donated, tuple(options.items())).trace(*static, *placed)
    said = repr(sorted(options.items()))
    known = _lowered.get((id(traced.jaxpr), said, device))
    if known is not None:
        return known.code, known.found
    code = traced.lower()
    text = hashlib.sha256(code.as_text().encode()).hexdigest()
    called = tuple(map(Called, hosts.callbacks(traced.jaxpr)))
    found = Found(text, said, device, code.in_tree, code.out_tree, called)
    if len(_lowered) >= MOST_LOWERED:
        _lowered.clear()
    _lowered[id(traced.jaxpr), said, device] = Lowered(traced.jaxpr, code, found)
    return code, found


@lru_cache
def jitted(
    function: Callable, donated: tuple[int, ...], options: tuple[tuple[str, Any], ...]
) -> Any:
    """The function as `jax.jit` wraps it: the same object each time.

    JAX keeps what it traced with that object.
    """
    return jax.jit(
        function,
        static_argnums=0,
        donate_argnums=donated,
        keep_unused=True,
        compiler_options=dict(options) or None,
    )


def compiled(lowered: Any, key: Found) -> Any:
    """The compiled program: from this process, from the folder of an earlier one, or compiled now.

    Raises:
        MemoryError: the device's memory does not even suffice to compile it, as XLA may find on an
            accelerator.

    """
    with _compiling.setdefault(key, threading.Lock()):  # two threads may ask for it at once
        known = _compiled.get(key)
        if known is None:
            known = _compiled[key] = newly_compiled(lowered, key)
        return known


def newly_compiled(lowered: Any, key: Found) -> Any:
    """Read a program from the folder of an earlier process, or compile it; see `compiled`."""
    try:
        return kept_programs.compiled(
            lowered, key.text, key.options, key.device, calls_host=bool(key.called)
        )
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise MemoryError(
            "the device has too little memory for a block of this size: give fewer lanes=, or a "
            f"smaller network. XLA says: {str(error)[:300]}"
        ) from error


# ---- memory ------------------------------------------------------------------------------------


def make_room() -> None:
    """Forget all compiled programs before the process has as many memory maps as Linux allows it.

    A program takes some hundred maps; where none is left XLA's compiler crashes the process. With
    the usual limit of 65,530 that is after some 150 calls of `run` that compile. A program that is
    in use stays; one that is wanted again is compiled again. JAX's own are forgotten too.
    """
    if maps_used() > 0.75 * maps_allowed():
        _built.clear()
        _compiled.clear()
        _compiling.clear()
        _lowered.clear()
        _recalled.clear()
        jax.clear_caches()
        gc.collect()


def return_freed_memory() -> None:
    """Give the memory that the compiler has freed back to the system.

    Linux's usual C library would keep it for the process: some 70 MB after a network of ten units
    is compiled. Where the C library has no such call, nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


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
