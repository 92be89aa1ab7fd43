"""Trainings that an executor computes: any of `concurrent.futures`, or the workers of a Dask
scheduler.

A training's bits depend on its own inputs and on the program only, so chunks can be of any size, in
any order, made by anyone, and a sweep that was killed goes on with what is missing.
"""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import cloudpickle
import numpy as np
import xarray as xr

from approx.disk import folders
from approx.disk import writer as writing
from approx.disk.exports import files, head
from approx.disk.writer import (
    Writer,
    gathered,
    is_only_read,
    missing,
    said_if_it_ends,
    say_there,
)
from approx.sweep import plans, provenance
from approx.sweep.devices import Batch, drive, find_workers, pilot
from approx.sweep.plans import Plan, x64
from approx.sweep.programs import compile_plan
from approx.sweep.progress import bar, duration, plural, size

# What a worker is asked for at a time: no less, and this share of what is left
SECONDS_PER_PART, PARTS = 0.2, 32


BYTES_IN_FLIGHT = 2e9  # of chunks that an executor is asked for at a time: results wait in memory


ATTEMPTS = 3  # at a chunk whose worker was lost


class Order(NamedTuple):
    """What a worker needs to compute parts of a plan: the arguments of `make_plan`, and how to run
    it.

    `what` is the task and the recipe, by cloudpickle: a worker makes the same objects of the same
    bytes, by which JAX finds what it has traced.
    """

    what: bytes
    options: dict[str, Any]
    compiler_options: Mapping[str, Any] | None
    threads: int
    segment: int | None


class Estimate(NamedTuple):
    """What a worker says before it begins: the sweep's head and files, a block's seconds, bytes of
    a training.
    """

    head: folders.Head
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
    """A worker's own plan, compiled block, source and cost: once in a worker for each run, under
    `_preparing`.
    """
    order: Order = cloudpickle.loads(pickled)
    plan = plans.make_plan(*unpickled(order.what), **order.options)
    workers = find_workers(order.threads)
    ready = compile_plan(plan, workers, order.compiler_options)
    block = ready.programs[workers[0]]
    with x64(plan.recipe):
        _, cost = pilot(plan, block, workers[0], Batch(np.arange(1)))
    source = provenance.identity(provenance.common(provenance.provenance(plan, block)))[:16]
    return {
        "plan": plan,
        "workers": workers,
        "ready": ready,
        "cost": cost,
        "source": source,
        "segment": order.segment,
    }


def estimate(pickled: bytes) -> Estimate:
    """Before anything is computed: what the sweep is, and what it costs. `pickled` is an `Order`,
    by cloudpickle.
    """
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
        if (
            isinstance(executor, ProcessPoolExecutor)
            and context
            and context.get_start_method() == "fork"
        ):
            raise ValueError(
                "processes that are forked from one that runs JAX may hang: ProcessPoolExecutor(..., "
                'mp_context=multiprocessing.get_context("spawn"))'
            )
        yield executor
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise ImportError(
            f'executor={executor!r} needs Dask: pip install ".[cluster]" in a clone of approx'
        ) from error
    with Client(executor) as client:
        pool = client.get_executor(pure=False, retries=ATTEMPTS)
        try:
            yield pool
        finally:
            # Which, if it waited, would want lost results again, of workers that are gone
            pool.shutdown(wait=False)


def run_elsewhere(
    folder: Path,
    plan: Plan,
    order: Order,
    executor: Executor,
    progress: bool,
    label: str | None,
    accept: bool,
) -> None:
    """Have an executor compute what the folder lacks of a plan; what comes back is written here."""
    with folders.locked(folder):
        pickled = cloudpickle.dumps(order)
        ((_, found),) = answers(executor, estimate, [(pickled,)])
        if is_only_read(folder, plan, found.head, accept):
            return say_there(folder, plan, progress, label)
        source = folders.begin(folder, found.head, accept, label)
        folders.write_files(
            folder, source, {end: partial(bytes, content) for end, content in found.files.items()}
        )
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
            for (_, numbers), part in answers(
                executor, compute, [(pickled, part) for part in parts], at_once
            ):
                if part.attrs["source"] != source:
                    raise RuntimeError(
                        "a worker has another processor, other versions or other code than the first: use workers of "
                        "one kind, so that the bits of a training do not depend on who computed it"
                    )
                writer.add(numbers, part)
                show(writer.done)
                writer.tell(writer.done / writer.total)


def shares(plan: Plan, todo: np.ndarray, found: Estimate) -> Iterator[np.ndarray]:
    """Parts of what is to be done, ever smaller ones, so that all workers end at about the same
    time.
    """
    most = min(
        writing.SECONDS_PER_CHUNK / max(found.seconds, 1e-9),
        writing.BYTES_PER_CHUNK / (found.bytes * plan.lanes),
    )
    while len(todo):
        length = max(len(todo) / plan.lanes / PARTS, SECONDS_PER_PART / max(found.seconds, 1e-9))
        length = max(1, int(min(length, most))) * plan.lanes
        yield todo[:length]
        todo = todo[length:]


def answers(
    executor: Executor, function: Callable, calls: Iterable[tuple[Any, ...]], at_once: int = 1
) -> Iterator[tuple[Any, Any]]:
    """Each call with what `function(*call)` gives, as they come; those of a lost worker are asked
    for again.
    """
    left = [(1, call) for call in reversed([*calls])]
    asked_for: dict[Future, tuple[int, tuple[Any, ...]]] = {}
    done: list[Future] = []
    try:
        while left or asked_for:
            while left and len(asked_for) < at_once:
                attempt, call = left.pop()
                asked_for[executor.submit(ask, attempt, function, *call)] = attempt, call
            done = sorted(
                wait(asked_for, return_when=FIRST_COMPLETED).done, key=failed, reverse=True
            )
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
        # A traceback may know this frame: an executor that waits for its futures must not
        asked_for.clear()
        done.clear()


def failed(future: Future) -> bool:
    """Whether something that is done has no result."""
    return future.cancelled() or future.exception() is not None


def ask(attempt: int, function: Callable, *arguments: Any) -> Any:
    """`function(*arguments)`; to Dask, which answers equal calls with one result, each attempt is
    another call.
    """
    return function(*arguments)
