"""The machine's cores and accelerators: blocks of trainings dealt to them, each driven in segments
by a host loop.

The only place that knows about devices and threads.
"""

import math
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

import jax
import numpy as np

from approx.sweep.plans import Plan, inputs, x64
from approx.sweep.programs import Block
from approx.training.loop import Trace
from approx.training.recipes import record_steps

SECONDS_PER_SEGMENT = 0.5  # how often the host loop hears from a block; changes no bit
SECONDS_OF_PILOT = 0.02  # steps of one block that tell what all cost, while the other workers wait
SECONDS_PER_HOLD = 60.0  # how often a block that takes long is held on the way


class Batch(NamedTuple):
    """Trainings that a block is to do, at most as many as it has lanes; and how far it is with
    them.
    """

    trainings: np.ndarray
    carry: Any = None
    begin: int = 0


class Cost(NamedTuple):
    """What one block costs: seconds in all, those a segment should take, and the steps of the first
    segment.
    """

    total: float
    seconds: float
    first: int


def pilot(plan: Plan, block: Block, device, batch: Batch) -> tuple[Batch, Cost]:
    """Take the first steps of a batch, until they have taken long enough to tell what the rest
    costs.

    These steps are part of the run: nothing is computed twice. An empty segment, first, tells what
    a call costs (a task that draws its rows draws them in every call); the others, of which the
    first has more records per step, what a step and a record cost (see `fitted`).
    """
    placed = jax.device_put(inputs(plan, batch.trainings), device)
    records, steps, begin, length = record_steps(plan.recipe), plan.recipe.steps, batch.begin, 0
    carry = block.start(placed) if batch.carry is None else jax.device_put(batch.carry, device)
    counts: list[tuple] = []
    seconds: list[float] = []
    while begin < steps and (len(seconds) < 3 or sum(seconds[1:]) < SECONDS_OF_PILOT):
        end = min(begin + length, steps)
        began = time.perf_counter()
        carry = jax.block_until_ready(block.advance(carry, placed, np.int32(begin), np.int32(end)))
        seconds.append(time.perf_counter() - began)
        counts.append((end - begin, ((records > begin) & (records <= end)).sum()))
        begin, length = (
            end,
            min(4 * length, next_length(length, seconds[-1], SECONDS_OF_PILOT)) or 8,
        )
    overhead, step, record = fitted(counts, seconds)
    target = max(SECONDS_PER_SEGMENT, 20 * overhead)
    total = steps * step + len(records) * record
    first = next_length(max(1, counts[-1][0]), seconds[-1], target)
    return Batch(batch.trainings, carry, begin), Cost(
        total + math.ceil(total / target) * overhead, target, first
    )


def fitted(counts: list[tuple[int, int]], seconds: list[float]) -> tuple[float, float, float]:
    """Seconds of an empty call, of a step and of a record, from timed segments.

    The first segment is empty, and alone tells what a call costs; where a later one with work in it
    took less, the empty one was disturbed, and a call is taken to cost nothing. What is left is
    fitted by least squares; a step costs no less than nothing, and neither does a record.

    Args:
        counts: of each segment, its steps and its records. seconds: that it took.

    Example:
        `fitted([(0, 0), (1, 1), (4, 0)], [0.001, 0.021, 0.081])` is about (0.001, 0.02, 0).
    """
    empty = [spent for (steps, _), spent in zip(counts, seconds, strict=True) if steps == 0]
    working = [spent for (steps, _), spent in zip(counts, seconds, strict=True) if steps]
    if not working:
        return min(empty), 0.0, 0.0
    overhead = min(empty) if empty and min(empty) < min(working) / 2 else 0.0
    work = np.array([each for each in counts if each[0]], float)
    step, record = non_negative(work, np.array(working) - overhead)
    return overhead, step, record


def non_negative(work: np.ndarray, seconds: np.ndarray) -> tuple[float, float]:
    """The two costs, at least 0, whose products with the work (segments, 2) are nearest to the
    seconds.

    Where the least squares have a cost below 0, the best with one of them at 0 is the solution:
    there are only two. scipy.optimize.nnls gives the same; importing it takes longer than many a
    run.
    """
    both = np.linalg.lstsq(work, seconds)[0]
    if both.min() >= 0:
        return float(both[0]), float(both[1])
    alone = [max(float(one @ seconds / (one @ one)), 0.0) if one.any() else 0.0 for one in work.T]
    candidates = [(alone[0], 0.0), (0.0, alone[1])]
    return min(candidates, key=lambda costs: float(((work @ costs - seconds) ** 2).sum()))


def next_length(length: int, seconds: float, target: float) -> int:
    """Steps of the next segment, so that it takes `target` seconds if it goes like the last one.

    At most sixteen times as many: a measurement may mislead, and an interrupt waits for a segment's
    end.
    """
    return max(1, min(16 * length, int(length * target / max(seconds, 1e-9))))


def drive(
    plan: Plan,
    programs: dict,
    workers: list,
    batches: Iterable[Batch],
    deliver: Callable[[np.ndarray, Trace], None],
    cost: Cost,
    most: int | None = None,
    show: Callable[[int], None] = lambda done: None,
    hold: Callable[[Batch], None] | None = None,
) -> None:
    """Let every worker take batches until none is left, in segments of at most `most` steps.

    Args:
        plan: of the trainings.
        programs: the compiled block of every device.
        workers: the device of every thread.
        batches: what to do, in order.
        deliver: takes the numbers and the traces of trainings that are done, from any thread, one
            at a time.
        cost: of a block, from `pilot`.
        most: steps of a segment.
        show: told now and then how many steps of trainings are done.
        hold: takes a batch under way, on the host, every `SECONDS_PER_HOLD` and when an interrupt
            or an error ends all.
    """
    stop, turn, steps_done = threading.Event(), threading.Lock(), [0] * len(workers)
    pending: queue.SimpleQueue = queue.SimpleQueue()
    for batch in batches:
        pending.put(batch)

    def work(worker: int) -> None:
        with x64(plan.recipe):
            while not stop.is_set():
                try:
                    one(worker, pending.get_nowait())
                except queue.Empty:
                    return

    def one(worker: int, batch: Batch) -> None:
        """A batch to its end, or to where all are told to stop."""
        device, (trainings, carry, begin) = workers[worker], batch
        block, length = programs[device], min(cost.first, most or plan.recipe.steps)
        placed = jax.device_put(inputs(plan, trainings), device)
        carry = block.start(placed) if carry is None else jax.device_put(carry, device)
        steps_done[worker] += begin
        held = time.monotonic()
        while begin < plan.recipe.steps and not stop.is_set():
            end, began = min(begin + length, plan.recipe.steps), time.perf_counter()
            carry = jax.block_until_ready(
                block.advance(carry, placed, np.int32(begin), np.int32(end))
            )
            if end - begin == length:
                length = next_length(length, time.perf_counter() - began, cost.seconds)
                length = min(length, most or plan.recipe.steps)
            steps_done[worker] += end - begin
            begin = end
            if (
                hold is not None
                and begin < plan.recipe.steps
                and time.monotonic() - held > SECONDS_PER_HOLD
            ):
                hold(Batch(trainings, jax.device_get(carry), begin))
                held = time.monotonic()
        if begin == plan.recipe.steps:
            traces = rows(jax.device_get(carry[1]), len(trainings), plan.structure.axis)
            with turn:
                deliver(trainings, traces)
        elif hold is not None:
            hold(Batch(trainings, jax.device_get(carry), begin))

    with ThreadPoolExecutor(len(workers)) as pool:
        futures = [pool.submit(work, worker) for worker in range(len(workers))]
        try:
            while (waiting := wait(futures, timeout=0.1, return_when=FIRST_EXCEPTION)).not_done:
                show(sum(steps_done) * plan.lanes)
                if any(future.exception() for future in waiting.done):
                    break
        finally:
            stop.set()  # an interrupt or an error: the others end with their segment
        for future in futures:
            future.result()


def rows(block: Trace, count: int, axis: int) -> Trace:
    """A block's trainings, first axis, without those that pad it; their axis was that one."""
    return jax.tree.map(lambda part: np.moveaxis(part, axis, 0)[:count], block)


def find_workers(threads: int | None) -> list:
    """One entry per thread: the device it feeds. A CPU gets one thread per core this process may
    use.
    """
    devices = jax.local_devices()
    if devices[0].platform != "cpu":
        return devices
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return devices[:1] * (threads or cores)
