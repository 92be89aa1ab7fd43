"""Many trainings: seeds x grid x recipes, packed into blocks, dealt to cores or accelerators, labelled on return.

The only place that knows about devices and threads. `run` plans and checks everything first, says in
one line what it will cost, and then a plain host loop per thread drives the one compiled block in segments.
"""

import math
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
import psutil
import xarray as xr
from jaxtyping import Array, Key, PyTree

from approx import blocks, plans, results
from approx.blocks import Block
from approx.plans import Plan, cell_inputs, inputs, x64
from approx.progress import bar, duration, plural, size
from approx.recipes import Recipe, is_whole, record_steps
from approx.tasks import Points, Task
from approx.training import Trace

SECONDS_PER_SEGMENT = 0.5  # how often the host loop hears from a block; changes no bit


def run(
    task: Task,
    recipe: Recipe | Mapping[str, Any],
    *,
    seeds: int | Sequence[int] = 64,
    lanes: int | None = None,
    form: str | None = None,
    key: int | Key[Array, ""] = 0,
    freeze: Sequence[str] | Mapping[str, int] = (),
    cross: Mapping[str, int | Sequence[int]] | None = None,
    keep: Sequence[str] = ("prediction",),
    keep_at: Sequence[int] = (),
    metrics: Mapping[str, Callable] | None = None,
    init_params: PyTree = None,
    threads: int | None = None,
    segment: int | None = None,
    compiler_options: Mapping[str, Any] | None = None,
    until: Callable[[xr.Dataset], bool] | None = None,
    progress: bool = True,
    **grid: Any,
) -> xr.Dataset:
    """Train one network per seed, per cell of the grid, and per recipe.

    Args:
        task: what to learn.
        recipe: how; or a dictionary {label: recipe or (task, recipe)}, compiled one by one and paired by seed.
        seeds: how many (0, 1, ...), or which.
        lanes: trainings per compiled block; part of the experiment, as other lanes may round otherwise. The default
            does not depend on the number of seeds.
        form: of the program: "lanes" (networks as the last axis, without dots), "vmap", or None for the faster one,
            which depends on model, lanes and platform only. Part of the experiment, like lanes.
        key: the root; a seed's key is `fold_in(root, seed)`.
        freeze: streams ("init", "data", "order", "dropout", "noise") that all seeds share, that of seed 0; or
            {stream: seed} for that of another.
        cross: {stream: its seeds}, to tell sources of randomness apart: every combination is run, each for all
            `seeds`, which drive the other streams; axes "init_seed", "data_seed", ... See `stats.variance_split`.
        keep: of "prediction", "params", "gradient_norm", "weight_norm". () keeps only the losses.
        keep_at: the record steps at which predictions and parameters are kept; () is the last.
        metrics: {name: function(params, predict)}, recorded like the losses; `predict(x)` gives the outputs at x.
        init_params: start from these: one network's, for all, or with an axis of seeds first (`params(runs)`).
        threads: on a CPU, how many blocks run at a time; default one per core. Accelerators take one each.
        segment: at most so many steps per call of the program (default: about half a second's). Changes no bit.
        compiler_options: for XLA, as `jax.jit` takes them. They are part of the identity.
        until: a function of the result so far, asked after every batch of seeds, 128 and then a quarter more each time;
            once it says True, no more seeds are run. With `stats.enough` the answer stays valid however often it asks.
        progress: print the cost line and a progress bar.
        grid: name=values for every number to sweep, of recipe, model or task; `**{"task.noise": ...}` where a name
            is ambiguous.

    Returns:
        A Dataset over (recipe?, *grid, seed, step), with its `identity` and `provenance` in the attributes. A diverged
        training has inf or nan. See `training.Trace` for the variables.

    Raises:
        TypeError, ValueError: before anything is computed, naming the value and the remedy.
        MemoryError: if it cannot fit, with a suggestion.

    """
    if until is not None:
        options: dict[str, Any] = {"lanes": lanes, "form": form, "key": key, "freeze": freeze, "keep": keep}
        options |= {
            "cross": cross,
            "keep_at": keep_at,
            "metrics": metrics,
            "init_params": init_params,
            "threads": threads,
        }
        options |= {"segment": segment, "compiler_options": compiler_options, "progress": progress}
        more = partial(run, task, recipe, **options, **grid)
        return run_until(until, plans.check_seeds(seeds), more)
    recipes = recipe if isinstance(recipe, Mapping) else {None: recipe}
    if not recipes:
        raise ValueError("no recipes: the dictionary is empty")
    keeping = plans.check_keep(keep, keep_at, metrics)
    shared: dict[str, Any] = {"seeds": seeds, "lanes": lanes, "form": form, "key": key, "freeze": freeze}
    shared |= {"cross": cross, "init_params": init_params, "grid": grid}
    planned = {}
    for label, entry in recipes.items():
        its_task, its_recipe = entry if isinstance(entry, tuple) else (task, entry)
        planned[label] = plans.make_plan(its_task, its_recipe, keep=keeping, **shared)
    for name, value in (("segment", segment), ("threads", threads)):
        if value is not None and not (is_whole(value) and value >= 1):
            raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1")
    results.check_alike(planned)
    workers = find_workers(threads)
    ready = {label: compile_plan(plan, workers, compiler_options) for label, plan in planned.items()}
    check_memory(planned, ready, workers)
    made = {}
    for label, plan in planned.items():
        with x64(plan.recipe):
            made[label] = run_plan(plan, ready[label], workers, segment, progress, label)
    return results.join(made)


def run_until(until: Callable[[xr.Dataset], bool], seeds: np.ndarray, more: Callable[..., xr.Dataset]) -> xr.Dataset:
    """Run seeds in batches, in their order, until told that it is enough, or all are done."""
    parts: list[xr.Dataset] = []
    done = 0
    while done < len(seeds):
        count = max(128, done // 4)
        parts = [results.append([*parts, more(seeds=seeds[done : done + count])])]
        done += count
        if until(parts[0]):
            break
    return parts[0]


class Ready(NamedTuple):
    """One recipe's compiled block for every device, the points of its task, and the bytes of its results."""

    programs: dict[Any, Block]
    points: Points
    bytes: int


def compile_plan(plan: Plan, workers: list, compiler_options) -> Ready:
    """Check a recipe's data and compile its block."""
    with x64(plan.recipe):
        data, points, finite = blocks.look_jit(plan.structure, cell_inputs(plan))
        results.check_data(plan, data, points, finite)
        programs = {
            d: blocks.build(plan.structure, inputs(plan, 0), compiler_options, d) for d in dict.fromkeys(workers)
        }
    trace = programs[workers[0]].carry[1]
    return Ready(programs, points, blocks.nbytes(trace) // plan.lanes * plan.trainings)


def run_plan(plan: Plan, ready: Ready, workers, segment, progress: bool, label) -> xr.Dataset:
    """All trainings of one recipe, as a Dataset."""
    block = ready.programs[workers[0]]
    count = math.ceil(plan.trainings / plan.lanes)
    workers = workers[:count]
    carry, done, cost = pilot(plan, block, workers[0])
    say = f"{plural(plan.trainings, 'training')} of {plural(plan.recipe.steps, 'step')}, {plural(count, 'block')} of "
    say += f"{plan.lanes} lanes on {plural(len(workers), 'thread' if workers[0].platform == 'cpu' else 'device')}: "
    say += f"{size(ready.bytes)} of results, {size(block.bytes * len(workers))} at work, "
    say += f"about {duration(cost.total * count / len(workers))}"
    if progress:
        print(f"{label}: {say}" if label is not None else say, file=sys.stderr, flush=True)
    pending: queue.SimpleQueue = queue.SimpleQueue()
    for index in range(count):
        pending.put((index, carry, done) if index == 0 else (index, None, 0))
    first = lambda s: s.shape[1:] if plan.structure.axis == 0 else s.shape[:-1]  # noqa: E731
    trace = jax.tree.map(lambda s: np.empty((plan.trainings, *first(s)), s.dtype), block.carry[1])
    drive(plan, ready.programs, workers, pending, trace, cost, segment or plan.recipe.steps, progress)
    return results.dataset(plan, trace, ready.points, results.provenance(plan, block))


class Cost(NamedTuple):
    """What one block costs: seconds in all, those a segment should take, and the steps of the first segment."""

    total: float
    seconds: float
    first: int


def pilot(plan: Plan, block: Block, device) -> tuple[Any, int, Cost]:
    """Start the first block and take its first steps, until they have taken long enough to tell what the rest costs.

    These steps are part of the run: nothing is computed twice. An empty segment, first, tells what a call costs (a task
    that draws its rows draws them in every call); the others, of which the first has more records per step, what a
    step and a record cost (least squares).
    """
    placed = jax.device_put(inputs(plan, 0), device)
    records, steps, begin, length = record_steps(plan.recipe), plan.recipe.steps, 0, 0
    carry = block.start(placed)
    counts: list[tuple] = []
    seconds: list[float] = []
    while begin < steps and (len(seconds) < 3 or sum(seconds[1:]) < 0.05):
        end = min(begin + length, steps)
        began = time.perf_counter()
        carry = jax.block_until_ready(block.advance(carry, placed, np.int32(begin), np.int32(end)))
        seconds.append(time.perf_counter() - began)
        counts.append((end - begin, ((records > begin) & (records <= end)).sum()))
        begin, length = end, 4 * length or 8
    overhead = min(seconds)
    step, record = np.maximum(np.linalg.lstsq(np.array(counts, float), np.array(seconds) - overhead)[0], 0)
    target = max(SECONDS_PER_SEGMENT, 20 * overhead)
    total = steps * step + len(records) * record
    first = next_length(max(1, counts[-1][0]), seconds[-1], target)
    return carry, begin, Cost(total + math.ceil(total / target) * overhead, target, first)


def next_length(length: int, seconds: float, target: float) -> int:
    """Steps of the next segment, so that it takes `target` seconds if it goes like the last one.

    At most sixteen times as many: a measurement may mislead, and an interrupt waits for a segment's end.
    """
    return max(1, min(16 * length, int(length * target / max(seconds, 1e-9))))


def drive(plan, programs: dict, workers: list, pending, trace: Trace, cost: Cost, most: int, progress: bool) -> None:
    """Let every worker take blocks until none is left, in segments of at most `most` steps.

    Results go to their places in `trace`.
    """
    stop, steps_done = threading.Event(), [0] * len(workers)
    total = math.ceil(plan.trainings / plan.lanes) * plan.lanes * plan.recipe.steps

    def work(worker: int) -> None:
        device = workers[worker]
        block, length = programs[device], min(cost.first, most)
        with x64(plan.recipe):
            while not stop.is_set():
                try:
                    index, carry, begin = pending.get_nowait()
                except queue.Empty:
                    return
                placed = jax.device_put(inputs(plan, index), device)
                carry = block.start(placed) if carry is None else carry
                steps_done[worker] += begin
                while begin < plan.recipe.steps and not stop.is_set():
                    end, began = min(begin + length, plan.recipe.steps), time.perf_counter()
                    carry = jax.block_until_ready(block.advance(carry, placed, np.int32(begin), np.int32(end)))
                    if end - begin == length:
                        length = min(most, next_length(length, time.perf_counter() - began, cost.seconds))
                    steps_done[worker] += end - begin
                    begin = end
                if not stop.is_set():
                    fill(trace, index * plan.lanes, jax.device_get(carry[1]), plan.structure.axis)

    with ThreadPoolExecutor(len(workers)) as pool, bar(total, progress) as show:
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


def fill(trace: Trace, begin: int, block: Trace, axis: int) -> None:
    """Copy a block's lanes, which stand on that axis, to their place, without the padding of the last block."""
    for whole, part in zip(jax.tree.leaves(trace), jax.tree.leaves(block), strict=True):
        part = np.moveaxis(part, axis, 0)
        end = min(begin + len(part), len(whole))
        whole[begin:end] = part[: end - begin]


def check_memory(planned: Mapping[Any, Plan], ready: Mapping[Any, Ready], workers: list) -> None:
    """Refuse what cannot fit, with a suggestion. Joining several recipes holds their results twice."""
    available = psutil.virtual_memory().available
    kept = sum(one.bytes for one in ready.values()) * (2 if len(ready) > 1 else 1)
    lanes = max(plan.lanes for plan in planned.values())
    work = max(
        ready[label].programs[workers[0]].bytes * min(len(workers), math.ceil(plan.trainings / plan.lanes))
        for label, plan in planned.items()
    )
    work = work if workers[0].platform == "cpu" else 0
    if kept + work < 0.9 * available:
        return
    count = sum(plan.trainings for plan in planned.values())
    advice = "keep=() keeps no predictions" if kept > work else f"lanes={max(1, lanes // 4)} takes less at a time"
    raise MemoryError(
        f"{count:,} trainings need {size(kept + work)} ({size(kept)} of results, {size(work)} at work), "
        f"and {size(available)} are free: {advice}; fewer records, test points or seeds help too"
    )


def find_workers(threads: int | None) -> list:
    """One entry per thread: the device it feeds. A CPU gets one thread per core this process may use."""
    devices = jax.local_devices()
    if devices[0].platform != "cpu":
        return devices
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return devices[:1] * (threads or cores)
