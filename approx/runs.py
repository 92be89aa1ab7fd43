"""Many trainings: seeds x grid x recipes, computed in memory or into a folder, and labelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, Key, PyTree

from approx.changes import axes
from approx.disk import executors, writer
from approx.late_imports import xarray as xr
from approx.sweep import results, room, settings
from approx.sweep.devices import Batch, find_workers
from approx.sweep.driver import compute, say
from approx.sweep.memory import Interrupted, Memory
from approx.sweep.plans import Plan, blocks_of, make_plans
from approx.sweep.programs import Ready, compile_plan
from approx.sweep.progress import plural
from approx.sweep.request import Request, checked
from approx.tasks import Task
from approx.training.recipes import Recipe

__all__ = ["Interrupted", "run"]
SIDE_BY_SIDE = 2  # recipes that are compiled at the same time
FIRST_LOOK, GROWTH = 128, 4  # `until` is asked after so many seeds, then after a quarter more


# 21 parameters: this is the one public verb for many trainings, and each option is one of its own
def run(  # noqa: PLR0913
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

    What varies is said by `seeds` and `name=values` for any number, and beyond that by `key`,
    `freeze`, `cross` and `init_params`; what is kept by `keep`, `keep_at` and `metrics`; when to
    stop by `until`; where results go and who computes them by `out`, `executor` and `accept`. The
    remaining options (`lanes`, `form`, `threads`, `segment`, `compiler_options`) are seldom needed.

    Args:
        task: what to learn.
        recipe: how to learn it; or a dictionary {label: recipe or (task, recipe)}. Its recipes are
            compiled one by one, and networks of the same seed are paired.
        seeds: how many seeds (0, 1, ...), or which.
        lanes: how many networks one call of the compiled program trains. Another number of lanes
            may round differently, so it is recorded with the result. The default does not depend
            on the number of seeds: a single seed costs as much as a block, unless lanes=1.
        form: how the program arranges many networks in memory. "lanes" has them as the last axis
            of every array and uses no matrix products; "columns" uses matrix products with the
            training rows as the last axis; "vmap" is what `jax.vmap` makes of one network. None
            takes the fastest. It is recorded with the result, like lanes.
        key: the root key, or an integer to make it from. The key of a seed is
            `jax.random.fold_in(root key, seed)`.
        freeze: streams of randomness ("init", "data", "order", "dropout", "noise") that all seeds
            share. They have those of seed 0; {stream: seed} names another seed.
        cross: {stream: its seeds}, to tell sources of randomness apart. Every combination is run
            with each of `seeds`, which drive the other streams. The result has an axis
            "init_seed", "data_seed", ... for each. See `stats.variance_components`.
        keep: what is kept besides the losses, of "prediction", "params", "gradient_norm",
            "weight_norm", "output_loss" and "state". () keeps nothing else. "output_loss" records
            the loss of each output by itself (`output_loss`, `output_test_loss`). "state" is the
            optimiser's state and all else that `ap.resume` needs to go on.
        keep_at: the record steps at which predictions and parameters are kept; () is the last.
        metrics: {name: function(params, predict)}. Their values are recorded like the losses;
            `predict(x)` gives the outputs at x.
        init_params: parameters to start from: one network's for all, or with an axis of seeds
            first (`ap.params(runs)` gives them).
        threads: on a CPU, how many blocks are trained at the same time; by default one for each
            core. An accelerator trains one block at a time.
        segment: how many steps one call of the program makes, at most; by default what takes about
            half a second. The numbers do not depend on it.
        compiler_options: for XLA, as `jax.jit` takes them. They count in the result's fingerprint.
        until: a function of the result so far that says whether it is enough. It is asked after
            every batch of seeds, of which the first has 128 and each later one a quarter of all so
            far. With `stats.enough` the answer stays valid however often it is asked.
        progress: whether to print what the run costs, and a progress bar.
        out: a folder to which finished trainings are written, every ten seconds or so; each of
            several recipes gets a folder of its own inside. Whatever ended a run, the same call
            goes on with what is missing there; a call with more seeds or grid values adds those.
            `ap.load` reads the folder, and `approx status` and `approx verify` know it. Little
            memory is needed.
        executor: what computes the trainings, which are written into `out`: any executor of
            `concurrent.futures`, or the address of a Dask scheduler. `threads` are then those of
            each worker, by default one.
        accept: whether to go on in a folder of trainings that other code or other inputs made. It
            is recorded.
        grid: name=values for every number to sweep, of recipe, model or task;
            `**{"task.noise": ...}` where a name is ambiguous. A list of values for any other field,
            such as widths=[1, 2, 4], activation=["tanh", "relu"], batch_size=[8, None] or
            optimizer=["sgd", "adam"], makes an axis too. Its values change the program, so that
            each is compiled, and has a folder of its own with `out`. A number among widths is the
            width of all hidden layers, a tuple has one for each; depth=[1, 2, 3] repeats the width.
            What a value alters besides its field is said in docs/sweeps.md. Parameters and states
            of networks of different shapes cannot be kept in one result.

    Returns:
        A Dataset over (recipe?, *structure, *grid, seed, step), with its `fingerprint` and
        `provenance` in the attributes. A diverged training has inf or nan. See `ap.Trace` for the
        variables.

    Raises:
        TypeError, ValueError: before anything is computed, naming the value and the remedy.
        MemoryError: if it cannot fit, with a suggestion.
        RuntimeError: if another run is writing to `out`.
        Interrupted: at Ctrl-C without `out`, with the trainings that had ended.

    Example:
        >>> recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), steps=2_000)
        >>> runs = ap.run(ap.tasks.square(), recipe, seeds=256, learning_rate=[1e-3, 1e-2])
        >>> runs.test_loss.dims
        ('learning_rate', 'seed', 'step')

    """
    asked = Request(
        task=task,
        recipe=recipe,
        seeds=seeds,
        lanes=lanes,
        form=form,
        key=key,
        freeze=freeze,
        cross=cross,
        keep=keep,
        keep_at=keep_at,
        metrics=metrics,
        init_params=init_params,
        threads=threads,
        segment=segment,
        compiler_options=compiler_options,
        until=until,
        progress=progress,
        out=out,
        executor=executor,
        accept=accept,
        grid=grid,
    )
    request = checked(axes.expanded(asked))
    if request.until is not None:
        return run_until(request, request.until)
    return run_all(request)


def run_all(request: Request) -> xr.Dataset:
    """All trainings of a checked request, whatever `until` says."""
    if request.executor is None or request.out is None:
        return computed(prepare(request))
    plans = make_plans(request)
    folders = folders_of(request, request.out, plans)
    executors.run_elsewhere(request, plans, folders)
    return written(request, plans, folders)


class Prepared(NamedTuple):
    """A request whose programs are compiled, so that nothing is left to do but training.

    Attributes:
        request: that was checked.
        plans: of its recipes.
        ready: the compiled programs of each plan.
        folders: of each recipe, with `out=`.

    """

    request: Request
    plans: list[Plan]
    ready: list[Ready]
    folders: list[Path]


def prepare(request: Request) -> Prepared:
    """Compile the programs of a checked request for this machine; several recipes side by side.

    Raises:
        MemoryError: if the results or the work cannot fit.

    """
    if request.out is None:
        room.check_room(request)
    plans = make_plans(request)
    folders: list[Path] = []
    if request.out is not None:
        folders = folders_of(request, request.out, plans)
    workers = find_workers(request.threads)

    def compiled(plan: Plan) -> Ready:
        return compile_plan(plan, workers, request.compiler_options)

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        ready = list(pool.map(settings.carried(compiled), plans))
    if request.progress and len(plans) > 1:
        programs = {one.block.text for one in ready}
        over = " x ".join(request.unfolded)
        count = f"{over}: {plural(len(plans), 'recipe')}".removeprefix(": ")
        say(f"{count} in {plural(len(programs), 'compiled program')}")
    room.check_memory(plans, ready, in_memory=request.out is None)
    return Prepared(request, plans, ready, folders)


def computed(prepared: Prepared) -> xr.Dataset:
    """Train what was prepared, in memory or into the request's folder."""
    request, plans, ready, folders = prepared
    if request.out is None:
        return run_in_memory(request, plans, ready)
    for folder, plan, one in zip(folders, plans, ready, strict=True):
        writer.run_here(folder, plan, one, request)
    return written(request, plans, folders)


def folders_of(request: Request, out: str | Path, plans: list[Plan]) -> list[Path]:
    """The folder of each recipe inside that of all."""
    return writer.find_folders(out, labels_of(plans), request.labelled, request.unfolded)


def labels_of(plans: list[Plan]) -> list[Any]:
    """The labels of the recipes."""
    return [plan.entry.label for plan in plans]


def written(request: Request, plans: list[Plan], folders: list[Path]) -> xr.Dataset:
    """The results that stand in the folders of the recipes."""
    made = [writer.result(folder, plan) for folder, plan in zip(folders, plans, strict=True)]
    return results.join(made, labels_of(plans), request.labelled, request.unfolded)


def run_in_memory(request: Request, plans: list[Plan], ready: list[Ready]) -> xr.Dataset:
    """Compute one recipe after another, with the results in memory.

    Raises:
        Interrupted: with all that had ended, of all recipes.

    """
    made: dict[Any, xr.Dataset] = {}
    for plan, one in zip(plans, ready, strict=True):
        sink = Memory(plan, one)
        batches = [Batch(each) for each in blocks_of(plan, np.arange(plan.trainings))]
        try:
            compute(plan, one, batches, sink, request.segment, request.progress)
        except Interrupted as stopped:
            if not request.labelled:
                raise
            raise stopped.of_several(plan.entry.label, made) from None
        made[plan.entry.label] = sink.result()
    return results.join([*made.values()], [*made], request.labelled, request.unfolded)


def run_until(request: Request, until: Callable[[xr.Dataset], bool]) -> xr.Dataset:
    """Run seeds in batches, in their order, until it is enough, or all are done.

    A folder keeps the earlier batches: then all seeds so far are asked for each time.
    """
    parts: list[xr.Dataset] = []
    done = 0
    while done < len(request.seeds):
        begin = 0 if request.out is not None else done
        done += max(FIRST_LOOK, done // GROWTH)
        try:
            new = run_all(replace(request, seeds=request.seeds[begin:done]))
        except Interrupted as stopped:
            raise stopped.after(parts) from None
        parts = [new] if begin == 0 else [results.append([*parts, new])]
        if until(parts[0]):
            break
    return parts[0]
