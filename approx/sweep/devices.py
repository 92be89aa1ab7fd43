"""The cores and accelerators of this machine: which block runs where, and in which segments.

The only place that knows about devices and threads. A block runs in segments of some steps, so that
the host hears from it now and then; the length of segments changes no bit.
"""

import math
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np

from approx.sweep.facts import x64
from approx.sweep.plans import Plan, inputs
from approx.sweep.programs import Ready
from approx.training.loop import Trace, left_behind

SECONDS_PER_SEGMENT = 0.5  # how often the host loop hears from a block
SECONDS_OF_PILOT = 0.02  # steps of one block that tell what all cost, while the other workers wait
LONGEST_PILOT = 0.5  # seconds of a pilot whose segments do not agree what a step costs
AGREE = 1.5  # segments agree if one's seconds a step are at most that many times the other's
CALLS_PER_SEGMENT = 20  # a segment takes that many times what an empty call costs, at least
SECONDS_PER_HOLD = 60.0  # how often the state of a block that takes long is stored
SECONDS_PER_LOOK = 0.1  # how often the main thread looks how far the workers are


class Batch(NamedTuple):
    """Trainings for one block, at most as many as it has lanes, and how far they are.

    Attributes:
        trainings: their numbers in the plan.
        carry: the block's (State, Trace) after `begin` steps; None before the first.
        begin: how many steps are made.

    """

    trainings: np.ndarray
    carry: Any = None
    begin: int = 0


class Cost(NamedTuple):
    """What one block costs.

    Attributes:
        total: seconds of all its steps.
        seconds: that a segment should take.
        first: steps of its first segment.

    """

    total: float
    seconds: float
    first: int


class Taker(Protocol):
    """What takes finished trainings."""

    @property
    def hold(self) -> Callable[[Batch], None] | None:
        """Stores a batch that is under way, from which another run can go on; None stores none."""

    def add(self, trainings: np.ndarray, found: Any) -> None:
        """Take finished trainings, by number. It is called from any thread, one at a time."""


class Sink(Taker, Protocol):
    """Where the results of a run go: `memory.Memory`, or `disk.writer.Writer`."""

    def said(self) -> str:
        """How far all is, for people."""

    def tell(self, share: float) -> None:
        """Hear which share of the work is done."""

    def finish(self) -> None:
        """Take care of what is not stored yet, at the end of the work."""

    def stop(self, error: BaseException) -> None:
        """Save what can be saved when an interrupt or an error ends the work."""


def find_workers(threads: int | None) -> list:
    """For each thread, the device that it feeds.

    Args:
        threads: on a CPU, how many; None is one per core that this process may use.

    """
    devices = jax.local_devices()
    if devices[0].platform != "cpu":
        return devices
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    return devices[:1] * (threads or cores)


# ---- what a block costs --------------------------------------------------------------------------


def pilot(plan: Plan, ready: Ready, batch: Batch) -> tuple[Batch, Cost]:
    """Take the first steps of a batch, until they have taken long enough to tell what all cost.

    These steps are part of the run: nothing is computed twice. An empty segment, first, tells what
    a call costs (a task that draws its rows draws them in every call). The others, of which the
    first has more records per step, tell what a step and a record cost (see `fitted`). On a busy
    machine any of them may be held up, so that they go on until two that follow each other agree.
    """
    block = ready.block
    device = ready.workers[0]
    placed = jax.device_put(inputs(plan, batch.trainings), device)
    carry = started(block, batch, placed, device)
    counts: list[tuple[int, int]] = []
    seconds: list[float] = []
    begin = batch.begin
    length = 0
    while begin < plan.recipe.steps and not is_enough(counts, seconds):
        end = min(begin + length, plan.recipe.steps)
        carry, spent = advanced(block, carry, placed, begin, end)
        seconds.append(spent)
        counts.append((end - begin, records_between(plan, begin, end)))
        begin = end
        length = longer(length, spent)
    return Batch(batch.trainings, carry, begin), cost_of(plan, counts, seconds)


def longer(length: int, spent: float) -> int:
    """Steps of the pilot's next segment: two or four times the last one's, unless that took long.

    A segment that was held up seems slow. A shorter one would not tell that it was held up.

    Args:
        length: steps of the last segment, 0 of the empty one. spent: seconds that it took.

    """
    if length == 0:
        return 8
    if spent >= LONGEST_PILOT / 4:
        return length
    return 4 * length if spent < SECONDS_OF_PILOT else 2 * length


def is_enough(counts: list[tuple[int, int]], seconds: list[float]) -> bool:
    """Whether timed segments, of which the first is empty, tell what all cost.

    They do if the last one took long enough, and agrees with the one before on what a step costs;
    or if all took so long that the rest is not worth waiting for.

    Args:
        counts: of each segment, its steps and its records. seconds: that it took.

    """
    if len(seconds) < 3:
        return False
    if sum(seconds[1:]) >= LONGEST_PILOT:
        return True
    before, last = (seconds[at] / counts[at][0] for at in (-2, -1))
    agree = max(before, last) <= AGREE * min(before, last)
    return agree and seconds[-1] >= SECONDS_OF_PILOT / 2


def records_between(plan: Plan, begin: int, end: int) -> int:
    """How many records are made after these steps."""
    recorded = plan.facts.recorded
    return int(((recorded > begin) & (recorded <= end)).sum())


def cost_of(plan: Plan, counts: list[tuple[int, int]], seconds: list[float]) -> Cost:
    """What a block costs, from timed segments (see `fitted`)."""
    overhead, step, record = fitted(counts, seconds)
    target = max(SECONDS_PER_SEGMENT, CALLS_PER_SEGMENT * overhead)
    of_steps = plan.recipe.steps * step
    of_records = len(plan.facts.recorded) * record
    total = of_steps + of_records
    calls = math.ceil(total / target)
    last_steps, _ = counts[-1]
    first = next_length(max(1, last_steps), seconds[-1], target)
    return Cost(total + calls * overhead, target, first)


def advanced(block: Any, carry: Any, placed: Any, begin: int, end: int) -> tuple[Any, float]:
    """A block's (State, Trace) after the steps from `begin` to `end`, and the seconds they took."""
    began = time.perf_counter()
    carry = block.advance(carry, placed, np.int32(begin), np.int32(end))
    carry = jax.block_until_ready(carry)
    return carry, time.perf_counter() - began


def started(block: Any, batch: Batch, placed: Any, device: Any) -> Any:
    """The (State, Trace) of a batch on its device: that which it has, or that of step 0."""
    if batch.carry is None:
        return block.start(placed)
    return jax.device_put(batch.carry, device)


def fitted(counts: list[tuple[int, int]], seconds: list[float]) -> tuple[float, float, float]:
    """Seconds of an empty call, of a step and of a record, from timed segments.

    The first segment is empty, and alone tells what a call costs. If a later segment with work in
    it took less, the empty one was disturbed, and a call is taken to cost nothing. The rest is
    fitted by least squares of the relative errors, in which a segment that was held up counts for
    little. Neither a step nor a record costs less than nothing.

    Args:
        counts: of each segment, its steps and its records. seconds: that it took.

    Example:
        `fitted([(0, 0), (1, 1), (4, 0)], [0.001, 0.021, 0.081])` is about (0.001, 0.02, 0).

    """
    work = np.array(counts, float)
    spent = np.array(seconds)
    works = work[:, 0] > 0
    empty, working = spent[~works], spent[works]
    if not works.any():
        return float(empty.min()), 0.0, 0.0
    overhead = 0.0
    if len(empty) and empty.min() < working.min() / 2:
        overhead = float(empty.min())
    rest = working - overhead
    step, record = non_negative(work[works] / rest[:, None], np.ones(len(rest)))
    return overhead, step, record


def non_negative(work: np.ndarray, seconds: np.ndarray) -> tuple[float, float]:
    """The two costs, at least 0, whose products with the work are nearest to the seconds.

    If the least squares have a cost below 0, the best solution with one of the costs at 0 is the
    answer: there are only two such solutions. scipy.optimize.nnls (1.18) gives the same; importing
    it takes longer than many a run.

    Args:
        work: (segments, 2), steps and records. seconds: (segments,).

    """
    both = np.linalg.lstsq(work, seconds)[0]
    if both.min() >= 0:
        return float(both[0]), float(both[1])
    of_steps, of_records = (alone(one, seconds) for one in work.T)

    def squares(costs: tuple[float, float]) -> float:
        return float(((work @ costs - seconds) ** 2).sum())

    return min([(of_steps, 0.0), (0.0, of_records)], key=squares)


def alone(work: np.ndarray, seconds: np.ndarray) -> float:
    """The cost, at least 0, whose product with one kind of work is nearest to the seconds."""
    if not work.any():
        return 0.0
    return max(float(work @ seconds / (work @ work)), 0.0)


def next_length(length: int, seconds: float, target: float) -> int:
    """Steps of the next segment, which takes `target` seconds if it goes like the last one.

    At most sixteen times as many: a measurement may mislead, and an interrupt waits for a segment's
    end.

    Args:
        length: steps of the last segment. seconds: that it took. target: seconds of the next.

    """
    return max(1, min(16 * length, int(length * target / max(seconds, 1e-9))))


class Pace:
    """How long the segments of one block are, in steps.

    A segment should take `target` seconds. Where a call costs much without any step (a task that
    draws its rows draws them in every call), shorter segments would take hardly less time, so a
    segment should then take twenty times what an empty call costs. What it costs follows from two
    segments, one at least twice as long as the other: a pilot on a busy machine may have missed it.

    Attributes:
        length: steps of the next segment.
        most: steps of a segment, at most.
        target: seconds of a segment that a call itself does not delay.
        call: seconds of an empty call, as far as it is known.

    """

    def __init__(self, first: int, most: int, target: float):
        self.length = min(first, most)
        self.most = most
        self.target = target
        self.call = 0.0
        self.last: tuple[int, float] | None = None

    def took(self, steps: int, seconds: float) -> None:
        """Hear how long a segment took, and choose the length of the next."""
        segment = steps, seconds
        if self.last is None:
            self.last = segment
        shorter, longer = sorted((self.last, segment))
        if longer[0] >= 2 * shorter[0]:
            step = max(0.0, (longer[1] - shorter[1]) / (longer[0] - shorter[0]))
            self.call = max(0.0, shorter[1] - shorter[0] * step)
            self.last = segment
        target = max(self.target, CALLS_PER_SEGMENT * self.call)
        length = next_length(steps, seconds, target)
        if steps == length == 1:
            length = 2  # of two lengths one learns whether the steps or the calls take so long
        self.length = min(length, self.most)


# ---- all blocks ----------------------------------------------------------------------------------


class Drive:
    """Threads that take batches until none is left, and drive each to its end in segments.

    Attributes:
        plan: of the trainings. ready: its compiled blocks. sink: where finished trainings go.
        cost: of a block, from `pilot`.
        most: steps of a segment, at most.
        pending: the batches that nobody has taken yet.
        steps_done: of each worker, in all its batches.
        stopped: set when all are to end with their segment.
        turn: held while the sink takes finished trainings.

    """

    def __init__(self, plan: Plan, ready: Ready, sink: Taker, cost: Cost, segment: int | None):
        self.plan = plan
        self.ready = ready
        self.sink = sink
        self.cost = cost
        self.most = segment or plan.recipe.steps
        self.pending: queue.SimpleQueue[Batch] = queue.SimpleQueue()
        self.steps_done = [0] * len(ready.workers)
        self.stopped = threading.Event()
        self.turn = threading.Lock()

    def go(self, batches: Iterable[Batch], tell: Callable[[int], None]) -> None:
        """Do all batches; tell now and then how many steps of trainings are done."""
        for batch in batches:
            self.pending.put(batch)
        workers = range(min(len(self.ready.workers), self.pending.qsize()))
        with ThreadPoolExecutor(max(1, len(workers))) as pool:
            futures = [pool.submit(self.work, worker) for worker in workers]
            try:
                self.watch(futures, tell)
            finally:
                self.stopped.set()  # an interrupt or an error: the others end with their segment
            for future in futures:
                future.result()

    def watch(self, futures: list[Future], tell: Callable[[int], None]) -> None:
        """Wait until all workers have ended, or one has failed."""
        while True:
            done, left = wait(futures, SECONDS_PER_LOOK, FIRST_EXCEPTION)
            if not left or any(future.exception() for future in done):
                return
            tell(sum(self.steps_done) * self.plan.lanes)

    def work(self, worker: int) -> None:
        """One thread: take batches until none is left, or all are told to stop."""
        with x64(self.plan.recipe):
            while not self.stopped.is_set():
                try:
                    batch = self.pending.get_nowait()
                except queue.Empty:
                    return
                self.one(worker, batch)

    def one(self, worker: int, batch: Batch) -> None:
        """Drive a batch to its end, or to where all are told to stop."""
        plan = self.plan
        device = self.ready.workers[worker]
        block = self.ready.programs[device]
        placed = jax.device_put(inputs(plan, batch.trainings), device)
        carry = started(block, batch, placed, device)
        begin = batch.begin
        pace = Pace(self.cost.first, self.most, self.cost.seconds)
        self.steps_done[worker] += begin
        held = time.monotonic()
        while begin < plan.recipe.steps and not self.stopped.is_set():
            end = min(begin + pace.length, plan.recipe.steps)
            carry, spent = advanced(block, carry, placed, begin, end)
            pace.took(end - begin, spent)
            self.steps_done[worker] += end - begin
            begin = end
            if begin < plan.recipe.steps and time.monotonic() - held > SECONDS_PER_HOLD:
                self.hold(batch, carry, begin)
                held = time.monotonic()
        if begin < plan.recipe.steps:
            self.hold(batch, carry, begin)
        else:
            self.deliver(batch, carry)

    def deliver(self, batch: Batch, carry: Any) -> None:
        """Give the sink what finished trainings left behind."""
        structure = self.plan.structure
        trace = left_behind(carry, structure.keep)
        count = len(batch.trainings)
        traces = rows(jax.device_get(trace), count, structure.axis)
        with self.turn:
            self.sink.add(batch.trainings, traces)

    def hold(self, batch: Batch, carry: Any, begin: int) -> None:
        """Store a batch under way, if the sink stores such."""
        if self.sink.hold is not None:
            self.sink.hold(Batch(batch.trainings, jax.device_get(carry), begin))


def drive(
    plan: Plan,
    ready: Ready,
    batches: Iterable[Batch],
    sink: Taker,
    cost: Cost,
    segment: int | None = None,
    tell: Callable[[int], None] = lambda done: None,
) -> None:
    """Drive all batches to their end.

    Args:
        plan: of the trainings. ready: its compiled blocks.
        batches: what to do, in order.
        sink: takes the trainings that are done.
        cost: of a block, from `pilot`.
        segment: steps of a segment, at most.
        tell: hears now and then how many steps of trainings are done.

    """
    Drive(plan, ready, sink, cost, segment).go(batches, tell)


def rows(block: Trace, count: int, axis: int) -> Trace:
    """What the first `count` lanes of a block left behind, with the trainings first.

    Args:
        block: (State, Trace) arrays of a block. count: of its lanes that do not only fill it up.
        axis: of the lanes.

    """
    return jax.tree.map(lambda part: np.moveaxis(part, axis, 0)[:count], block)
