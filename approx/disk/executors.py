"""Trainings that an executor computes: any of `concurrent.futures`, or workers of a Dask scheduler.

A worker is told what to train and which trainings, computes them as this machine would, and gives
them back; this machine writes them into the folder.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import cloudpickle
import numpy as np

from approx.disk import exports, folders, writer
from approx.disk.description import source_name
from approx.late_imports import xarray as xr
from approx.sweep import provenance, results, settings
from approx.sweep.devices import Batch, Cost, drive, find_workers, pilot
from approx.sweep.driver import closing, say, shown
from approx.sweep.facts import Entry, x64
from approx.sweep.plans import Plan, blocks_of, make_plan
from approx.sweep.programs import Ready, compile_plan
from approx.sweep.progress import duration, plural, size
from approx.sweep.request import Request

# What a worker is asked for at a time: no less than so many seconds' work, and this share of what
# is left
SECONDS_PER_PART, PARTS = 0.2, 32
BYTES_IN_FLIGHT = 2e9  # of chunks that an executor is asked for at a time: results wait in memory
ATTEMPTS = 3  # at a chunk whose worker was lost


# ---- what a worker does --------------------------------------------------------------------------


class Order(NamedTuple):
    """What a worker needs to compute parts of a plan.

    Attributes:
        entry: the recipe with its task, by cloudpickle. Unpickling is cached by these bytes, so
            that a worker gets the same Python objects each time, and JAX does not trace again.
        request: checked, and without all that concerns this machine alone.
        settings: of JAX, where the run was asked for; but a worker chooses its devices itself.

    """

    entry: bytes
    request: Request
    settings: dict[str, Any]


class Estimate(NamedTuple):
    """What a worker says before it begins.

    Attributes:
        head: what the folder says of the sweep. files: the contents of its further files.
        seconds: that a block takes. bytes: of one training's results.

    """

    head: folders.Head
    files: dict[str, bytes]
    seconds: float
    bytes: float


class Prepared(NamedTuple):
    """What a worker has made of an order: its plan, its compiled blocks, and what a block costs."""

    plan: Plan
    ready: Ready
    cost: Cost
    source: str
    segment: int | None
    settings: dict[str, Any]


def order_for(request: Request, entry: Entry) -> bytes:
    """An `Order`, by cloudpickle."""
    stripped = replace(
        request,
        task=None,
        recipe=None,
        metrics=None,
        entries=(),
        until=None,
        out=None,
        executor=None,
    )
    carried = settings.own()
    carried.pop("jax_default_device")
    return cloudpickle.dumps(Order(cloudpickle.dumps(entry), stripped, carried))


_preparing = threading.Lock()  # a worker's threads share what one of them has compiled


@lru_cache(maxsize=64)
def unpickled(entry: bytes) -> Entry:
    """A recipe with its task."""
    return cloudpickle.loads(entry)


@lru_cache(maxsize=4)
def prepare(pickled: bytes) -> Prepared:
    """What a worker makes of an order, once in a worker for each run, under `_preparing`."""
    order: Order = cloudpickle.loads(pickled)
    request = order.request
    with settings.entered(order.settings):
        plan = make_plan(request, unpickled(order.entry))
        ready = compile_plan(plan, find_workers(request.threads or 1), request.compiler_options)
        with x64(plan.recipe):
            _, cost = pilot(plan, ready, Batch(np.arange(1)))
    source = source_name(provenance.common(provenance.provenance(plan, ready.block)))
    return Prepared(plan, ready, cost, source, request.segment, order.settings)


def estimate(pickled: bytes) -> Estimate:
    """Say before anything is computed what the sweep is, and what it costs."""
    with _preparing:
        mine = prepare(pickled)
    made = {}
    with settings.entered(mine.settings):
        for end, make in exports.files(mine.plan, mine.ready.block).items():
            made[end] = make()
    head = exports.head(mine.plan, mine.ready)
    return Estimate(head, made, mine.cost.total, mine.ready.bytes / mine.plan.trainings)


class Gathering:
    """A worker's finished trainings, in memory (`devices.Taker`); whoever asked stores them."""

    hold = None

    def __init__(self):
        self.found: list[tuple[np.ndarray, Any]] = []

    def add(self, trainings: np.ndarray, found: Any) -> None:
        """Keep finished trainings, by number."""
        self.found.append((trainings, found))


def compute(pickled: bytes, trainings: np.ndarray) -> xr.Dataset:
    """`results.part` of trainings, by number, with the source that it is of."""
    with _preparing:
        mine = prepare(pickled)
    batches = [Batch(each) for each in blocks_of(mine.plan, trainings)]
    sink = Gathering()
    drive(mine.plan, mine.ready, batches, sink, mine.cost, mine.segment)
    found = sorted(sink.found, key=writer.first_number)
    return results.gathered(mine.plan, found).assign_attrs(source=mine.source)


# ---- what this machine does ----------------------------------------------------------------------


@contextmanager
def opened(executor: Executor | str | None) -> Iterator[Executor]:
    """An executor, or that of the Dask scheduler at an address."""
    if not isinstance(executor, str):
        check_start(executor)
        yield cast(Executor, executor)
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
            # If it waited, it would want the lost results of workers that are gone again
            pool.shutdown(wait=False)


def check_start(executor: Any) -> None:
    """Refuse processes that begin as a copy of this one, which runs JAX."""
    context = getattr(executor, "_mp_context", None)
    if not isinstance(executor, ProcessPoolExecutor) or context is None:
        return
    if context.get_start_method() == "fork":
        raise ValueError(
            "processes that are forked from one that runs JAX may hang: ProcessPoolExecutor(..., "
            'mp_context=multiprocessing.get_context("spawn"))'
        )


def run_elsewhere(request: Request, plans: list[Plan], places: list[Path]) -> None:
    """Have the request's executor compute what each plan's folder lacks."""
    with opened(request.executor) as pool:
        for plan, folder in zip(plans, places, strict=True):
            writer.fill(folder, Elsewhere(plan, pool, request), request)


class Elsewhere:
    """An executor, as an engine (`writer.Engine`); what comes back is written here.

    Attributes:
        plan: of the trainings. executor: that computes them.
        request: says whether progress is printed.
        order: for the workers.

    """

    def __init__(self, plan: Plan, executor: Executor, request: Request):
        self.plan, self.executor, self.request = plan, executor, request
        self.order = order_for(request, plan.entry)

    def describe(self) -> tuple[folders.Head, dict[str, Callable[[], bytes]]]:
        """See `writer.Engine`. The first worker says it."""
        ((_, self.estimate),) = answers(self.executor, estimate, [(self.order,)])
        contents = self.estimate.files.items()
        return self.estimate.head, {end: partial(bytes, content) for end, content in contents}

    def compute(self, sink: writer.Writer, todo: np.ndarray) -> None:
        """See `writer.Engine`."""
        plan, found = self.plan, self.estimate
        parts = [*shares(plan, todo, found)]
        at_once = int(np.clip(BYTES_IN_FLIGHT / (found.bytes * len(parts[0])), 16, 1024))
        calls = [(self.order, part) for part in parts]
        if self.request.progress:
            say(plan.entry.prefix + self.announcement(len(todo), len(parts)))
        with closing(sink), shown(sink, len(todo), self.request.progress) as tell:
            for (_, numbers), part in answers(self.executor, compute, calls, at_once):
                if part.attrs["source"] != sink.source:
                    raise RuntimeError(
                        "a worker has another processor, other versions or other code than the "
                        "first: use workers of one kind, so that the bits of a training do not "
                        "depend on who computed it"
                    )
                sink.add(numbers, part)
                tell(sink.done)

    def announcement(self, trainings: int, parts: int) -> str:
        """What is going to be done, and what it costs, in one line."""
        found = self.estimate
        seconds = duration(found.seconds * trainings / self.plan.lanes)
        return (
            f"{plural(trainings, 'training')} in {plural(parts, 'part')} by "
            f"{type(self.executor).__name__}, {size(found.bytes * trainings)} of results, "
            f"about {seconds} of one worker"
        )


def shares(plan: Plan, todo: np.ndarray, found: Estimate) -> Iterator[np.ndarray]:
    """Parts of what is to be done, ever smaller, so that all workers end at about the same time."""
    seconds = max(found.seconds, 1e-9)
    most = min(
        writer.SECONDS_PER_CHUNK / seconds, writer.BYTES_PER_CHUNK / (found.bytes * plan.lanes)
    )
    while len(todo):
        blocks = max(len(todo) / plan.lanes / PARTS, SECONDS_PER_PART / seconds)
        length = max(1, int(min(blocks, most))) * plan.lanes
        yield todo[:length]
        todo = todo[length:]


# ---- asking an executor --------------------------------------------------------------------------


def answers(
    executor: Executor, function: Callable, calls: Iterable[tuple[Any, ...]], at_once: int = 1
) -> Iterator[tuple[Any, Any]]:
    """Each call with what `function(*call)` gives, as they come.

    A call whose worker was lost is made again.

    Args:
        executor: that calls the function.
        function: to be called. calls: its arguments, for each call.
        at_once: how many calls the executor has at a time.

    """
    left = [(1, call) for call in reversed([*calls])]
    asked_for: dict[Future, tuple[int, tuple[Any, ...]]] = {}
    done: list[Future] = []
    try:
        while left or asked_for:
            while left and len(asked_for) < at_once:
                attempt, call = left.pop()
                asked_for[executor.submit(ask, attempt, function, *call)] = attempt, call
            ended = wait(asked_for, return_when=FIRST_COMPLETED).done
            done = sorted(ended, key=failed, reverse=True)
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
    """`function(*arguments)`.

    Dask answers equal calls with one result; with its number, each attempt is another call.
    """
    return function(*arguments)
