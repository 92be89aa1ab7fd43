"""Sweeps into a folder: what is missing there is computed, by this machine or by an executor, and written as it ends.

A training's bits depend on its own inputs and on the program only, so chunks can be of any size, in any order, made by
anyone, and a sweep that was killed goes on with what is missing.
"""

import io
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import cloudpickle
import jax
import numpy as np
import xarray as xr
from jax import export, random

from approx.disk import chunks
from approx.sweep import blocks, choice, plans, provenance, results
from approx.sweep.blocks import Block
from approx.sweep.devices import Batch, Cost, drive, find_workers, pilot
from approx.sweep.plans import Plan, cell_inputs, inputs, x64
from approx.sweep.progress import bar, duration, plural, size
from approx.tasks import Points
from approx.training.loop import Trace

SECONDS_PER_CHUNK, BYTES_PER_CHUNK = 10.0, 64_000_000
AT_RISK = 0.01  # the share of the work that may be lost, where that is more than those seconds
SECONDS_PER_PART, PARTS = 0.2, 32  # what a worker is asked for at a time: no less, and this share of what is left
BYTES_IN_FLIGHT = 2e9  # of chunks that an executor is asked for at a time: results wait in memory
ATTEMPTS = 3  # at a chunk whose worker was lost


class Ready(NamedTuple):
    """One recipe's compiled block for every device, the points of its task, and the bytes of its results."""

    programs: dict[Any, Block]
    points: Points
    bytes: int
    seconds: float = 0.0  # that it took to trace and compile


def compile_plan(plan: Plan, workers: list, compiler_options) -> Ready:
    """Check a recipe's data and compile its block."""
    began = time.perf_counter()
    with x64(plan.recipe):
        data, points, finite = blocks.looked(plan.structure, cell_inputs(plan), compiler_options, workers[0])
        results.check_data(plan, data, points, finite)
        first = inputs(plan, np.arange(1))
        programs = {d: blocks.build(plan.structure, first, compiler_options, d) for d in dict.fromkeys(workers)}
    trace = programs[workers[0]].carry[1]
    return Ready(programs, points, blocks.nbytes(trace) // plan.lanes * plan.trainings, time.perf_counter() - began)


def announce(label: str | None, plan: Plan, count: int, ready: Ready, workers: list, cost: Cost) -> None:
    """Say in one line what is to be done, and what it costs."""
    many, thread = -(-count // plan.lanes), "thread" if workers[0].platform == "cpu" else "device"
    say = f"{plural(count, 'training')} of {plural(plan.recipe.steps, 'step')}, {plural(many, 'block')} of "
    say += f"{plan.lanes} lanes on {plural(len(workers), thread)}: {size(ready.bytes * count / plan.trainings)} of "
    say += f"results, {size(ready.programs[workers[0]].bytes * len(workers))} at work, "
    say += f"about {duration(cost.total * many / len(workers))} "
    say += f"after {duration(ready.seconds)} of compilation"
    if remark := choice.remark(workers[0]):
        say += f" ({remark})"
    print(f"{label}: {say}" if label is not None else say, file=sys.stderr, flush=True)


# ---- what a folder is told of a sweep ------------------------------------------------------------------------------


def head(plan: Plan, ready: Ready, block: Block) -> chunks.Head:
    """A sweep's provenance, axes and coordinates.

    Raises:
        ValueError: a program that calls functions of the host, whose code and state no folder can keep.
    """
    if block.callbacks:
        raise ValueError(
            f"out= cannot keep trainings that call {block.callbacks[0]} by a JAX callback: what it does does not "
            "stand in the program, so that a folder could mix the numbers of two. Compute it with jax.numpy, or leave "
            "out= out"
        )
    trace = jax.tree.map(lambda s: np.empty((0, *one_lane(plan, s)), s.dtype), block.carry[1])
    source = provenance.provenance(plan, block)
    about = results.attributes(plan, trace, source)
    about = {name: value for name, value in about.items() if name not in ("identity", "provenance", "created")}
    program = {"leaves": results.leaf_variables(block.carry), "axis": plan.structure.axis}
    coordinates = xr.Dataset(coords=results.coordinates(plan, ready.points))
    return chunks.Head(source, plan.axes, coordinates, about, program)


def files(plan: Plan, block: Block) -> dict[str, Callable[[], bytes]]:
    """By the ends of their names, what makes the files from which a sweep can be computed again."""
    return {
        "inputs.npz": lambda: shared(plan),
        "start.jax": lambda: exported(plan, block, "start"),
        "advance.jax": lambda: exported(plan, block, "advance"),
    }


def one_lane(plan: Plan, s: Any) -> tuple[int, ...]:
    """Shape without the axis of lanes."""
    return s.shape[1:] if plan.structure.axis == 0 else s.shape[:-1]


_exported: dict[tuple[str, str], bytes] = {}  # by program text: sweeps of one program share them


def exported(plan: Plan, block: Block, what: str) -> bytes:
    """`blocks.start` or `blocks.advance` as a function of flat arrays, in JAX's own portable form."""
    if (block.text, what) not in _exported:
        with x64(plan.recipe):
            _exported[block.text, what] = export_one(plan, block, what)
    return _exported[block.text, what]


def export_one(plan: Plan, block: Block, what: str) -> bytes:
    """`exported`, anew."""
    given = inputs(plan, np.arange(1))
    leaves, tree = jax.tree.flatten(given._replace(root=random.key_data(given.root)))
    state, state_tree = jax.tree.flatten(block.carry)

    def whole(leaves) -> blocks.Inputs:
        made = jax.tree.unflatten(tree, leaves)
        return made._replace(root=random.wrap_key_data(made.root))

    def start(*leaves):
        return jax.tree.leaves(blocks.start(plan.structure, whole(leaves)))

    def advance(begin, end, *both):
        carry = jax.tree.unflatten(state_tree, both[: len(state)])
        return jax.tree.leaves(blocks.advance(plan.structure, carry, whole(both[len(state) :]), begin, end))

    step = jax.ShapeDtypeStruct((), np.int32)
    shapes = [jax.ShapeDtypeStruct(np.shape(leaf), np.asarray(leaf).dtype) for leaf in leaves]
    made = export.export(jax.jit(start))(*shapes) if what == "start" else None
    made = export.export(jax.jit(advance))(step, step, *state, *shapes) if made is None else made
    return bytes(made.serialize())


def shared(plan: Plan) -> bytes:
    """What all trainings are given, as an npz file: the root's data, the task's arrays, parameters to start from."""
    file = io.BytesIO()
    arrays: dict[str, Any] = {f"array{n}": np.asarray(each) for n, each in enumerate(plan.arrays)}
    arrays |= {f"params{n}": each for n, each in enumerate(jax.tree.leaves(plan.init_params))}
    np.savez(file, root=np.asarray(random.key_data(plan.root)), **arrays)
    return file.getvalue()


# ---- writing -------------------------------------------------------------------------------------------------------


@dataclass
class Writer:
    """Gathers trainings that are finished, writes them as chunks, and says how far it is.

    Attributes:
        folder: a sweep's. source: of its chunks from now on. plan: of the trainings. total: how many are missing.
        waiting: finished ones that no chunk has yet, as traces or as a worker's `results.part`, and their bytes.
        done, diverged, stored: how many were finished, ended so, and are on the disk.
        writing: the chunk that is being written aside.
    """

    folder: Path
    source: str
    plan: Plan
    total: int
    waiting: list[tuple[np.ndarray, Trace | xr.Dataset]] = field(default_factory=list)
    done: int = 0
    diverged: int = 0
    bytes: int = 0
    stored: int = 0
    aside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    writing: Future | None = None
    began: float = field(default_factory=time.time)
    written: float = field(default_factory=time.monotonic)
    told: float = 0.0

    def add(self, trainings: np.ndarray, found: Trace | xr.Dataset) -> None:
        """Take finished trainings; begin to write a chunk if the last one was some time ago, or much is waiting."""
        self.waiting.append((trainings, found))
        self.done += len(trainings)
        self.diverged += int((~np.isfinite(np.asarray(found.loss[:, -1]))).sum())
        self.bytes += found.nbytes if isinstance(found, xr.Dataset) else blocks.nbytes(found)
        due = max(SECONDS_PER_CHUNK, AT_RISK * (time.time() - self.began))
        if time.monotonic() - self.written > due or self.bytes > BYTES_PER_CHUNK:
            self.flush()

    def flush(self, finish: bool = False) -> None:
        """Have what is waiting written aside, once the last chunk is; wait for it, to finish."""
        if self.writing is not None:
            self.writing.result()
        waiting, self.waiting = sorted(self.waiting, key=lambda each: each[0][0]), []
        self.written, self.bytes = time.monotonic(), 0
        self.writing = self.aside.submit(self.write, waiting) if waiting else None
        if finish and self.writing is not None:
            self.writing.result()

    def write(self, waiting: list[tuple[np.ndarray, Any]]) -> None:
        """One chunk."""
        numbers, found = zip(*waiting, strict=True)
        part = results.stacked(found) if isinstance(found[0], xr.Dataset) else gathered(self.plan, waiting)
        chunks.write_chunk(self.folder, part, self.source)
        self.stored += sum(map(len, numbers))
        for each, _ in waiting:
            chunks.release(self.folder, which(self.plan, each))

    def hold(self, batch: Batch) -> None:
        """Keep a batch on its way."""
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(batch.carry)]
        chunks.hold(self.folder, self.source, which(self.plan, batch.trainings), batch.begin, leaves)

    def tell(self, share: float) -> None:
        """Write for `status`, every few seconds, how far it is."""
        if time.time() - self.told > 5:
            self.told = time.time()
            found: dict[str, Any] = {"began": self.began, "now": self.told, "share": share, "missing": self.total}
            found |= {"done": self.done, "diverged": self.diverged, "command": sys.argv}
            chunks.write(self.folder / "progress.json", json.dumps(found).encode())

    def said(self) -> str:
        """How far it is, for people."""
        return f"{self.done:,} of {plural(self.total, 'training')}, {self.diverged:,} diverged"


def gathered(plan: Plan, found: list[tuple[np.ndarray, Trace]]) -> xr.Dataset:
    """`results.part` of several blocks."""
    numbers, traces = zip(*found, strict=True)
    return results.part(plan, np.concatenate(numbers), jax.tree.map(lambda *parts: np.concatenate(parts), *traces))


def which(plan: Plan, trainings: np.ndarray) -> np.ndarray:
    """`chunks.rows` of some trainings."""
    cell, row = np.divmod(trainings, len(plan.streams))
    given = jax.tree.leaves(plan.init_params)
    start = row % len(plan.seeds) % (len(given[0]) if given else 1)
    return chunks.rows(plan.numbers[cell], plan.streams[row], start)


def missing(plan: Plan, folder: Path, wanted: np.ndarray | None = None) -> np.ndarray:
    """Numbers of the trainings that the folder does not have; of those that are wanted, if not all are."""
    done, every = chunks.done(folder), np.arange(plan.trainings)
    left = every[~np.isin(which(plan, every), done)] if len(done) else every
    return left if wanted is None else np.intersect1d(left, wanted)


def is_only_read(folder: Path, plan: Plan, head: chunks.Head, accept: bool, wanted: np.ndarray | None = None) -> bool:
    """Whether the folder may not be written to, and need not be: all that is asked for is in it.

    Raises:
        ValueError: it holds other trainings. PermissionError: trainings are missing.
    """
    if chunks.is_writable(folder):
        return False
    name = provenance.identity(provenance.common(head.source))[:16]
    chunks.check(folder, chunks.read_sweep(folder), name, head, accept)
    if count := len(missing(plan, folder, wanted)):
        raise PermissionError(
            f"{folder} may not be written to, and lacks {count:,} of {plural(plan.trainings, 'training')}: change its "
            "permissions, or copy it to where you may write"
        )
    return True


@contextmanager
def said_if_it_ends(folder: Path, writer: Writer) -> Iterator[None]:
    """Write what is finished whatever happens, and say how to go on."""
    try:
        yield
        writer.flush(finish=True)
    except BaseException as error:
        how = "interrupted" if isinstance(error, KeyboardInterrupt) else f"ended by {type(error).__name__}"
        try:
            writer.flush(finish=True)
        except Exception as again:
            print(f"could not write to {folder}: {again}", file=sys.stderr)
        left = f"{writer.stored:,} of {plural(writer.total, 'training')} stored"
        print(f"{how}: {left}; the same command goes on with {folder}", file=sys.stderr, flush=True)
        raise
    finally:
        writer.aside.shutdown()


def say_there(folder: Path, plan: Plan, progress: bool, label: str | None) -> None:
    """Say that nothing is to be done."""
    if progress:
        text = f"all {plural(plan.trainings, 'training')} are in {folder}"
        print(f"{label}: {text}" if label is not None else text, file=sys.stderr, flush=True)


# ---- on this machine -----------------------------------------------------------------------------------------------


def run_here(
    folder: Path,
    plan: Plan,
    ready: Ready,
    workers: list,
    segment: int | None,
    progress: bool,
    label: str | None,
    accept: bool,
    wanted: np.ndarray | None = None,
) -> None:
    """Compute what the folder lacks of a plan, or of those of its trainings that are wanted, on this machine."""
    block = ready.programs[workers[0]]
    with chunks.locked(folder):
        about = head(plan, ready, block)
        if is_only_read(folder, plan, about, accept, wanted):
            return say_there(folder, plan, progress and wanted is None, label)
        source = chunks.begin(folder, about, accept, label, selective=wanted is not None)
        todo = missing(plan, folder, wanted)
        batches = [*resumed(folder, source, plan, block, todo)]
        if not len(todo):
            chunks.write_files(folder, source, files(plan, block))  # if somebody deleted a damaged one
            return say_there(folder, plan, progress and wanted is None, label)
        writer = Writer(folder, source, plan, len(todo))
        todo = np.setdiff1d(todo, [n for batch in batches for n in batch.trainings], assume_unique=True)
        batches += [Batch(each) for each in plans.blocks_of(plan, todo)]
        workers = workers[: len(batches)]
        with said_if_it_ends(folder, writer), ThreadPoolExecutor(1) as aside:
            batches[0], cost = pilot(plan, block, workers[0], batches[0])
            if progress:
                announce(label, plan, writer.total, ready, workers, cost)
            export_ = aside.submit(chunks.write_files, folder, source, files(plan, block))  # while blocks are computed
            total = len(batches) * plan.lanes * plan.recipe.steps
            with bar(total, progress, writer.said) as show:

                def tell(steps: int) -> None:
                    show(steps)
                    writer.tell(steps / total)

                drive(plan, ready.programs, workers, batches, writer.add, cost, segment, tell, writer.hold)
            export_.result()


def resumed(folder: Path, source: str, plan: Plan, block: Block, todo: np.ndarray) -> Iterator[Batch]:
    """Blocks that an earlier run held on their way, if all of it is asked for; finished ones are released."""
    number: dict[bytes, int] = {}
    tree, like = jax.tree.structure(block.carry), jax.tree.leaves(block.carry)
    for rows, begin, leaves in chunks.held(folder, source):
        number = number or dict(zip(which(plan, todo).tolist(), todo.tolist(), strict=True))
        trainings = [number.pop(row, -1) for row in rows.tolist()]
        fits = [(leaf.shape, leaf.dtype) for leaf in leaves] == [(leaf.shape, leaf.dtype) for leaf in like]
        if max(trainings) < 0 and np.isin(rows, chunks.done(folder)).all():  # it ended before it could release them
            chunks.release(folder, rows)
        elif fits and min(trainings) >= 0:
            yield Batch(np.array(trainings), jax.tree.unflatten(tree, leaves), begin)


# ---- by an executor ------------------------------------------------------------------------------------------------


class Order(NamedTuple):
    """What a worker needs to compute parts of a plan: the arguments of `make_plan`, and how to run it.

    `what` is the task and the recipe, by cloudpickle: a worker makes the same objects of the same bytes, by which JAX
    finds what it has traced.
    """

    what: bytes
    options: dict[str, Any]
    compiler_options: Mapping[str, Any] | None
    threads: int
    segment: int | None


class Estimate(NamedTuple):
    """What a worker says before it begins: the sweep's head and files, a block's seconds, bytes of a training."""

    head: chunks.Head
    files: dict[str, bytes]
    seconds: float
    bytes: float


_preparing = threading.Lock()  # a worker's threads share what one of them has compiled


@lru_cache(maxsize=64)
def unpickled(what: bytes) -> tuple[Any, Any]:
    """A task and a recipe."""
    return cloudpickle.loads(what)


@lru_cache(maxsize=4)
def prepare(pickled: bytes) -> dict[str, Any]:
    """A worker's own plan, compiled block, source and cost: once in a worker for each run, under `_preparing`."""
    order: Order = cloudpickle.loads(pickled)
    plan = plans.make_plan(*unpickled(order.what), **order.options)
    workers = find_workers(order.threads)
    ready = compile_plan(plan, workers, order.compiler_options)
    block = ready.programs[workers[0]]
    with x64(plan.recipe):
        _, cost = pilot(plan, block, workers[0], Batch(np.arange(1)))
    source = provenance.identity(provenance.common(provenance.provenance(plan, block)))[:16]
    return {"plan": plan, "workers": workers, "ready": ready, "cost": cost, "source": source, "segment": order.segment}


def estimate(pickled: bytes) -> Estimate:
    """Before anything is computed: what the sweep is, and what it costs. `pickled` is an `Order`, by cloudpickle."""
    with _preparing:
        mine = prepare(pickled)
    plan, ready, block = mine["plan"], mine["ready"], mine["ready"].programs[mine["workers"][0]]
    found = head(plan, ready, block)
    made = {end: make() for end, make in files(plan, block).items()}
    return Estimate(found, made, mine["cost"].total, ready.bytes / plan.trainings)


def compute(pickled: bytes, trainings: np.ndarray) -> xr.Dataset:
    """`results.part` of trainings, by number, with the source that it is of."""
    with _preparing:
        mine = prepare(pickled)
    plan, found = mine["plan"], []
    batches = [Batch(each) for each in plans.blocks_of(plan, trainings)]
    with x64(plan.recipe):
        drive(plan, mine["ready"].programs, mine["workers"][: len(batches)], batches,
              lambda *done: found.append(done), mine["cost"], mine["segment"])  # fmt: skip
    found.sort(key=lambda each: each[0][0])
    return gathered(plan, found).assign_attrs(source=mine["source"])


@contextmanager
def opened(executor: Executor | str) -> Iterator[Executor]:
    """An executor, or that of the Dask scheduler at an address."""
    if not isinstance(executor, str):
        context = getattr(executor, "_mp_context", None)
        if isinstance(executor, ProcessPoolExecutor) and context and context.get_start_method() == "fork":
            raise ValueError(
                "processes that are forked from one that runs JAX may hang: ProcessPoolExecutor(..., "
                'mp_context=multiprocessing.get_context("spawn"))'
            )
        yield executor
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise ImportError(f'executor={executor!r} needs Dask: pip install ".[cluster]" in a clone of approx') from error
    with Client(executor) as client:
        pool = client.get_executor(pure=False, retries=ATTEMPTS)
        try:
            yield pool
        finally:
            pool.shutdown(wait=False)  # which, if it waited, would want lost results again, of workers that are gone


def run_elsewhere(
    folder: Path, plan: Plan, order: Order, executor: Executor, progress: bool, label: str | None, accept: bool
) -> None:
    """Have an executor compute what the folder lacks of a plan; what comes back is written here."""
    with chunks.locked(folder):
        pickled = cloudpickle.dumps(order)
        ((_, found),) = answers(executor, estimate, [(pickled,)])
        if is_only_read(folder, plan, found.head, accept):
            return say_there(folder, plan, progress, label)
        source = chunks.begin(folder, found.head, accept, label)
        chunks.write_files(folder, source, {end: partial(bytes, content) for end, content in found.files.items()})
        todo = missing(plan, folder)
        if not len(todo):
            return say_there(folder, plan, progress, label)
        parts = [*shares(plan, todo, found)]
        writer = Writer(folder, source, plan, len(todo))
        if progress:
            about = f"{plural(len(todo), 'training')} in {plural(len(parts), 'part')} by {type(executor).__name__}, "
            about += f"{size(found.bytes * len(todo))} of results, "
            about += f"about {duration(found.seconds * len(todo) / plan.lanes)} of one worker"
            print(f"{label}: {about}" if label is not None else about, file=sys.stderr, flush=True)
        with said_if_it_ends(folder, writer), bar(len(todo), progress, writer.said) as show:
            at_once = int(np.clip(BYTES_IN_FLIGHT / (found.bytes * len(parts[0])), 16, 1024))
            for (_, numbers), part in answers(executor, compute, [(pickled, part) for part in parts], at_once):
                if part.attrs["source"] != source:
                    raise RuntimeError(
                        "a worker has another processor, other versions or other code than the first: use workers of "
                        "one kind, so that the bits of a training do not depend on who computed it"
                    )
                writer.add(numbers, part)
                show(writer.done)
                writer.tell(writer.done / writer.total)


def shares(plan: Plan, todo: np.ndarray, found: Estimate) -> Iterator[np.ndarray]:
    """Parts of what is to be done, ever smaller ones, so that all workers end at about the same time."""
    most = min(SECONDS_PER_CHUNK / max(found.seconds, 1e-9), BYTES_PER_CHUNK / (found.bytes * plan.lanes))
    while len(todo):
        length = max(len(todo) / plan.lanes / PARTS, SECONDS_PER_PART / max(found.seconds, 1e-9))
        length = max(1, int(min(length, most))) * plan.lanes
        yield todo[:length]
        todo = todo[length:]


def answers(
    executor: Executor, function: Callable, calls: Iterable[tuple[Any, ...]], at_once: int = 1
) -> Iterator[tuple[Any, Any]]:
    """Each call with what `function(*call)` gives, as they come; those of a lost worker are asked for again."""
    left = [(1, call) for call in reversed([*calls])]
    asked_for: dict[Future, tuple[int, tuple[Any, ...]]] = {}
    done: list[Future] = []
    try:
        while left or asked_for:
            while left and len(asked_for) < at_once:
                attempt, call = left.pop()
                asked_for[executor.submit(ask, attempt, function, *call)] = attempt, call
            done = sorted(wait(asked_for, return_when=FIRST_COMPLETED).done, key=failed, reverse=True)
            while done:  # from the end: what is finished is not lost to what failed
                attempt, call = asked_for.pop(done[-1])
                try:
                    yield call, done.pop().result()
                except BrokenExecutor:
                    raise  # nothing can be asked of it any more
                except Exception as error:
                    if type(error).__name__ != "KilledWorker" or attempt == ATTEMPTS:
                        raise
                    left.append((attempt + 1, call))
    finally:
        for future in asked_for:
            future.cancel()
        asked_for.clear()  # a traceback may know this frame: an executor that waits for its futures must not
        done.clear()


def failed(future: Future) -> bool:
    """Whether something that is done has no result."""
    return future.cancelled() or future.exception() is not None


def ask(attempt: int, function: Callable, *arguments: Any) -> Any:
    """`function(*arguments)`; to Dask, which answers equal calls with one result, each attempt is another call."""
    return function(*arguments)
