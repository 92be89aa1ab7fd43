"""Many trainings: seeds x grid x recipes, planned, checked, computed in memory or into a folder,
and labelled.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle
import jax
import numpy as np
import psutil
import xarray as xr
from jax import random
from jaxtyping import Array, Key, PyTree

from approx.disk import assemble, chunks, executors, files, folders, labelled, writer
from approx.sweep import checks, plans, provenance, results
from approx.sweep.announcement import announce
from approx.sweep.devices import Batch, drive, find_workers, pilot
from approx.sweep.plans import Plan, blocks_of, x64
from approx.sweep.programs import Ready, compile_plan, one_lane
from approx.sweep.progress import bar, size
from approx.tasks import Task
from approx.training.loop import Trace
from approx.training.recipes import Recipe, is_whole, record_steps

# Trainings; of fewer, the room for predictions is looked at when all is compiled, a second later
MANY = 10**6


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
    out: str | Path | None = None,
    executor: Executor | str | None = None,
    accept: bool = False,
    **grid: Any,
) -> xr.Dataset:
    """Train one network per seed, per cell of the grid, and per recipe.

    Args:
        task: what to learn.
        recipe: how; or a dictionary {label: recipe or (task, recipe)}, compiled one by one and
            paired by seed.
        seeds: how many (0, 1, ...), or which.
        lanes: trainings per compiled block; part of the experiment, as other lanes may round
            otherwise. The default does not depend on the number of seeds: one seed alone costs a
            block, but with lanes=1.
        form: of the program: "lanes" (networks as the last axis, without dots), "columns" (dots,
            rows as the last axis), "vmap", or None for the fastest, which depends on task, recipe,
            lanes and platform only. Part of the experiment, like lanes.
        key: the root; a seed's key is `fold_in(root, seed)`.
        freeze: streams ("init", "data", "order", "dropout", "noise") that all seeds share, that of
            seed 0; or {stream: seed} for that of another.
        cross: {stream: its seeds}, to tell sources of randomness apart: every combination is run,
            each for all `seeds`, which drive the other streams; axes "init_seed", "data_seed", ...
            See `stats.variance_split`.
        keep: of "prediction", "params", "gradient_norm", "weight_norm". () keeps only the losses.
        keep_at: the record steps at which predictions and parameters are kept; () is the last.
        metrics: {name: function(params, predict)}, recorded like the losses; `predict(x)` gives the
            outputs at x.
        init_params: start from these: one network's, for all, or with an axis of seeds first
            (`params(runs)`).
        threads: on a CPU, how many blocks run at a time; default one per core. Accelerators take
            one each.
        segment: at most so many steps per call of the program (default: about half a second's).
            Changes no bit.
        compiler_options: for XLA, as `jax.jit` takes them. They are part of the identity.
        until: a function of the result so far, asked after every batch of seeds, 128 and then a
            quarter more each time; once it says True, no more seeds are run. With `stats.enough`
            the answer stays valid however often it asks.
        progress: print the cost line and a progress bar.
        out: a folder to write finished trainings to, every ten seconds or so; several recipes get
            one each inside it. The same call goes on with what is missing there, after whatever
            ended it, and one with more seeds or grid values adds those; `load` reads it, and
            `approx status` and `approx verify` know it. It needs little memory.
        executor: to compute chunks with, into `out`: any of `concurrent.futures`', or the address
            of a Dask scheduler. `threads` are then each worker's, by default one.
        accept: go on in a folder of trainings that other code or other inputs made; it is recorded.
        grid: name=values for every number to sweep, of recipe, model or task; `**{"task.noise":
            ...}` where a name is ambiguous.

    Returns:
        A Dataset over (recipe?, *grid, seed, step), with its `identity` and `provenance` in the
        attributes. A diverged training has inf or nan. See `training.Trace` for the variables.

    Raises:
        TypeError, ValueError: before anything is computed, naming the value and the remedy.
        MemoryError: if it cannot fit, with a suggestion.
        RuntimeError: if another run is writing to `out`.

    """
    if until is not None:
        if not callable(until):
            raise TypeError(
                f"until is {until!r}; it must be a function of the result so far that says True or False"
            )
        options: dict[str, Any] = {
            "lanes": lanes,
            "form": form,
            "key": key,
            "freeze": freeze,
            "keep": keep,
        }
        options |= {
            "cross": cross,
            "keep_at": keep_at,
            "metrics": metrics,
            "init_params": init_params,
        }
        options |= {"threads": threads, "segment": segment, "compiler_options": compiler_options}
        options |= {"progress": progress, "out": out, "executor": executor, "accept": accept}
        more = partial(run, task, recipe, **options, **grid)
        return run_until(until, plans.check_seeds(seeds), more, whole=out is not None)
    if executor is not None and out is None:
        raise ValueError("an executor computes chunks into a folder: say out=")
    recipes: Mapping[Any, Any] = (
        check_labels(recipe) if isinstance(recipe, Mapping) else {None: recipe}
    )
    plans.check_size(seeds, cross, grid, lanes)
    if out is None:
        check_room(task, recipes, keep, seeds, grid)
    keeping = plans.check_keep(keep, keep_at, metrics)
    shared: dict[str, Any] = {
        "seeds": seeds,
        "lanes": lanes,
        "form": form,
        "key": key,
        "freeze": freeze,
    }
    shared |= {"cross": cross, "init_params": init_params, "grid": grid}
    planned = {}
    for label, entry in recipes.items():
        its_task, its_recipe = entry if isinstance(entry, tuple) else (task, entry)
        planned[label] = plans.make_plan(its_task, its_recipe, keep=keeping, **shared)
    for name, value in (("segment", segment), ("threads", threads)):
        if value is not None and not (is_whole(value) and value >= 1):
            raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1")
    checks.check_alike(planned)
    folders = None if out is None else find_folders(Path(out), list(planned))
    if executor is not None and folders is not None:
        options = {
            "keep": keeping,
            **shared,
            "key": np.asarray(random.key_data(plans.root_key(key))),
        }
        with executors.opened(executor) as pool:
            for label, entry in recipes.items():
                what = cloudpickle.dumps(entry if isinstance(entry, tuple) else (task, entry))
                order = executors.Order(what, options, compiler_options, threads or 1, segment)
                executors.run_elsewhere(
                    folders[label], planned[label], order, pool, progress, label, accept
                )
        return results.join(
            {label: assembled(folders[label], plan) for label, plan in planned.items()}
        )
    workers = find_workers(threads)
    ready = {
        label: compile_plan(plan, workers, compiler_options) for label, plan in planned.items()
    }
    check_memory(planned, ready, workers, in_memory=out is None)
    for label, plan in planned.items():
        check_device_memory(plan, ready[label])
    made = {}
    for label, plan in planned.items():
        with x64(plan.recipe):
            if folders is None:
                try:
                    made[label] = run_plan(plan, ready[label], workers, segment, progress, label)
                except Interrupted as stopped:
                    raise stopped.of_several(label, made) from None
            else:
                writer.run_here(
                    folders[label], plan, ready[label], workers, segment, progress, label, accept
                )
                made[label] = assembled(folders[label], plan)
    return results.join(made)


def run_until(
    until: Callable[[xr.Dataset], bool],
    seeds: np.ndarray,
    more: Callable[..., xr.Dataset],
    whole: bool,
) -> xr.Dataset:
    """Run seeds in batches, in their order, until told that it is enough, or all are done.

    `whole`: a folder keeps the earlier ones, and all are asked for each time.
    """
    parts: list[xr.Dataset] = []
    done = 0
    while done < len(seeds):
        count = max(128, done // 4)
        if whole:
            parts = [more(seeds=seeds[: done + count])]
        else:
            try:
                parts = [results.append([*parts, more(seeds=seeds[done : done + count])])]
            except Interrupted as stopped:
                raise stopped.after(parts) from None
        done += count
        if until(parts[0]):
            break
    return parts[0]


def find_folders(out: Path, labels: list) -> dict[Any, Path]:
    """A recipe's folder each, inside that of all; without labels, it is the one.

    Raises:
        ValueError: a label that cannot be a folder's name, or a folder of something else.
        OSError: the folder cannot be made, or may not be written to.
    """
    if labels == [None]:
        folders.check_place(out)
        return {None: out}
    labelled.check_labels(out, [str(label) for label in labels])
    files.make_folder(out)
    labelled.write_labels(out, labels)
    for label in labels:
        folders.check_place(out / str(label))
    return {label: out / str(label) for label in labels}


def check_room(
    task: Any, recipes: Mapping[Any, Any], keep: Any, seeds: Any, grid: Mapping[str, Any]
) -> None:
    """Refuse results that do not fit into memory, from their numbers, before a table of their
    trainings is made.

    Raises:
        MemoryError: with the numbers and a remedy.
    """
    cells = math.prod(len(values) for values in grid.values() if hasattr(values, "__len__"))
    count, free = plans.length_of(seeds) * cells, psutil.virtual_memory().available
    pairs = [entry if isinstance(entry, tuple) else (task, entry) for entry in recipes.values()]
    losses = count * sum(8 * len(record_steps(one)) for _, one in pairs if isinstance(one, Recipe))
    predictions = 0
    if "prediction" in keep and count > MANY:
        predictions = count * sum(4 * points(one) for one, _ in pairs if isinstance(one, Task))
    if losses + predictions > free:
        advice = "keep=() keeps no predictions, " if predictions else ""
        raise MemoryError(
            f"{count:,} trainings leave {size(losses)} of losses and {size(predictions)} of predictions or more, and "
            f"{size(free)} are free: {advice}out= keeps all on disk; fewer seeds, cells, records or points help too"
        )


def points(task: Task) -> int:
    """At how many points a task's networks are judged."""
    return jax.eval_shape(lambda: tuple(task.points()))[0].shape[0]


def check_labels(recipes: Mapping[Any, Any]) -> dict[Any, Any]:
    """Recipes under labels that an axis of a result can have: strings, or numbers.

    Raises:
        TypeError: no recipes by label, or labels that are neither all strings nor all numbers.
        ValueError: no recipes; two labels that read the same.
    """
    if not recipes:
        raise ValueError("no recipes: the dictionary is empty")
    plain = {
        label.item() if isinstance(label, np.generic) else label: entry
        for label, entry in recipes.items()
    }
    words = [isinstance(label, str) for label in plain]
    numbers = [isinstance(label, int | float) and not isinstance(label, bool) for label in plain]
    for label, word, number in zip(plain, words, numbers, strict=True):
        if not (word or number):
            raise TypeError(f"the recipe's label {label!r} must be a string or a number")
    read = [str(label) for label in plain]
    if twice := [label for label in read if read.count(label) > 1]:
        raise ValueError(f"two recipes' labels read the same: {twice[0]!r} twice")
    if not (all(words) or all(numbers)):
        raise TypeError(f"the recipes' labels {list(plain)} must be all strings or all numbers")
    return plain


def assembled(folder: Path, plan: Plan) -> xr.Dataset:
    """A plan's trainings from their folder; read when they are used, where they would take half of
    the memory.
    """
    files = sum(path.stat().st_size for path in chunks.paths(folder))
    return assemble.assemble(folder, plan.axes, lazy=files > psutil.virtual_memory().available / 2)


def run_plan(plan: Plan, ready: Ready, workers, segment, progress: bool, label) -> xr.Dataset:
    """All trainings of one recipe, as a Dataset."""
    block = ready.programs[workers[0]]
    first, *rest = [Batch(each) for each in blocks_of(plan, np.arange(plan.trainings))]
    workers = workers[: 1 + len(rest)]
    first, cost = pilot(plan, block, workers[0], first)
    if progress:
        announce(label, plan, plan.trainings, ready, workers, cost)
    trace = jax.tree.map(
        lambda s: np.empty((plan.trainings, *one_lane(plan, s)), s.dtype), block.carry[1]
    )

    finished = np.zeros(plan.trainings, bool)

    def deliver(trainings: np.ndarray, traces: Trace) -> None:
        finished[trainings] = True
        for whole, part in zip(jax.tree.leaves(trace), jax.tree.leaves(traces), strict=True):
            whole[trainings] = part

    try:
        with bar((1 + len(rest)) * plan.lanes * plan.recipe.steps, progress) as show:
            drive(plan, ready.programs, workers, [first, *rest], deliver, cost, segment, show)
    except KeyboardInterrupt:
        raise Interrupted(
            plan.trainings, finished_part(plan, ready, block, trace, finished)
        ) from None
    return results.dataset(plan, trace, ready.points, provenance.provenance(plan, block))


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while trainings went on in memory: what had ended by then is not lost.

    Attributes:
        runs: a Dataset of the seeds that had ended in every cell, with an identity of its own; None
            if there is none. Of several recipes, those of the one that was interrupted; with
            `until`, of all batches of seeds so far.
        recipes: of several recipes, {label: Dataset} of those that had ended, and of the one that
            was interrupted.

    Example:
        `try: runs = ap.run(...)`, then `except ap.runs.Interrupted as stopped: runs =
        stopped.runs`; in a notebook or a console, `sys.last_value.runs` after the fact.
    """

    def __init__(
        self, asked: int, runs: xr.Dataset | None, recipes: Mapping[Any, xr.Dataset] | None = None
    ):
        self.asked, self.runs, self.recipes = asked, runs, dict(recipes or {})
        kept = (
            "no seed had ended in every cell"
            if runs is None
            else f"{runs.sizes['seed']:,} seeds had ended"
        )
        super().__init__(
            f"interrupted: of {asked:,} trainings, {kept}"
            f"{'' if runs is None else ': they are in sys.last_value.runs, or in the .runs of what except catches'}; "
            f"{self.said()}with out=FOLDER the same call would go on where it was stopped"
        )

    def said(self) -> str:
        """Where the results of several recipes are."""
        return (
            f"those of {', '.join(map(str, self.recipes))} are in .recipes; "
            if self.recipes
            else ""
        )

    def of_several(self, label: Any, made: Mapping[Any, xr.Dataset]) -> "Interrupted":
        """The same, with the recipes that had ended before; a single recipe has no label."""
        if label is None:
            return self
        return Interrupted(
            self.asked, self.runs, {**made} | ({} if self.runs is None else {label: self.runs})
        )

    def after(self, parts: list[xr.Dataset]) -> "Interrupted":
        """The same, with the batches of seeds before; of several recipes, those batches that all of
        them have.
        """
        if self.recipes or self.runs is None:
            found = parts
        else:
            found = [*parts, self.runs]
        if not found:
            return self
        runs = results.append(found)
        return Interrupted(self.asked, runs, self.recipes)


def finished_part(
    plan: Plan, ready: Ready, block: Any, trace: Trace, finished: np.ndarray
) -> xr.Dataset | None:
    """A result of those seeds of a plan whose trainings have ended in every cell; None if there are
    none.
    """
    whole = finished.reshape(-1, len(plan.seeds)).all(0)
    if not whole.any():
        return None
    rows, every = (
        np.tile(whole, len(plan.streams) // len(plan.seeds)),
        np.tile(whole, len(finished) // len(whole)),
    )
    given = plan.init_params
    if given is not None:
        given = jax.tree.map(lambda p: p[whole] if len(p) == len(whole) else p, given)
    smaller = plan._replace(seeds=plan.seeds[whole], streams=plan.streams[rows], init_params=given)
    part = jax.tree.map(lambda values: values[every], trace)
    return results.dataset(smaller, part, ready.points, provenance.provenance(smaller, block))


def check_memory(
    planned: Mapping[Any, Plan], ready: Mapping[Any, Ready], workers: list, in_memory: bool
) -> None:
    """Refuse what cannot fit, with a suggestion. Joining several recipes holds their results twice."""
    available = psutil.virtual_memory().available
    kept = (
        sum(one.bytes for one in ready.values()) * (2 if len(ready) > 1 else 1) if in_memory else 0
    )
    lanes = max(plan.lanes for plan in planned.values())
    work = max(
        ready[label].programs[workers[0]].bytes
        * min(len(workers), math.ceil(plan.trainings / plan.lanes))
        for label, plan in planned.items()
    )
    work = work if workers[0].platform == "cpu" else 0
    if kept + work < 0.9 * available:
        return
    count = sum(plan.trainings for plan in planned.values())
    advice = (
        "keep=() keeps no predictions, out= keeps all on disk"
        if kept > work
        else f"lanes={max(1, lanes // 4)} takes less at a time"
    )
    raise MemoryError(
        f"{count:,} trainings need {size(kept + work)} ({size(kept)} of results, {size(work)} at work), "
        f"and {size(available)} are free: {advice}; fewer records, test points or seeds help too"
    )


def check_device_memory(plan: Plan, ready: Ready) -> None:
    """Refuse a block that an accelerator's own memory cannot hold.

    Raises:
        MemoryError: with the bytes needed and free, and the number of lanes that would fit.

    """
    for device, block in ready.programs.items():
        if device.platform == "cpu":
            continue
        told = device.memory_stats() or {}
        if "bytes_limit" not in told:  # some platforms do not say
            continue
        free = told["bytes_limit"] - told.get("bytes_in_use", 0)
        if block.bytes <= 0.95 * free:
            continue
        fits = max(1, int(plan.lanes * 0.9 * free / block.bytes))
        raise MemoryError(
            f"a block of {plan.lanes:,} networks needs {size(block.bytes)} on {device.device_kind}, "
            f"and {size(free)} are free there: lanes={fits} would fit"
        )
