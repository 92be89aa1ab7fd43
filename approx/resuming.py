"""Going on: the trainings of a result are continued from their last state, bit by bit the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import PyTree

from approx.disk import writer
from approx.late_imports import xarray as xr
from approx.runs import Prepared, prepare
from approx.sweep import plans, programs, provenance
from approx.sweep.devices import Batch, find_workers
from approx.sweep.driver import compute
from approx.sweep.facts import x64
from approx.sweep.memory import Memory
from approx.sweep.past import Past
from approx.sweep.plans import Plan
from approx.sweep.programs import Ready
from approx.sweep.request import Request, check_nouns, checked
from approx.tasks import Task
from approx.training.optimizers import SCHEDULES
from approx.training.recipes import Recipe, checked_count, is_whole, steps_of
from approx.training.recorded_steps import record_steps

# What `keep` names, and the variables by which a result shows that it was kept
KEPT = ("gradient_norm", "prediction", "weight_norm")


# 12 parameters: a public verb, whose options are those of `run`
def resume(  # noqa: PLR0913
    runs: xr.Dataset,
    task: Task,
    recipe: Recipe,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    records: Sequence[int] | None = None,
    metrics: Mapping[str, Callable] | None = None,
    init_params: PyTree = None,
    compiler_options: Mapping[str, Any] | None = None,
    threads: int | None = None,
    segment: int | None = None,
    progress: bool = True,
    out: str | Path | None = None,
) -> xr.Dataset:
    """Train the networks of a result further, as if they had been trained that long at once.

    The result has the same bits, and the same fingerprint, as one run of the whole length with the
    same records: parameters, the optimiser's state, the order of rows, dropout, stopping rules and
    sums over batches go on where they were.

    Args:
        runs: what `run` gave with `keep=(..., "state")`, whole or some of its seeds and cells. Of
            several recipes, choose one: `runs.sel(recipe="adam")`.
        task, recipe: those of the run. How long the recipe is and which records it has does not
            count here.
        steps: how many steps the whole training has, those that are made among them.
        epochs: the same in epochs, in place of steps.
        records: the steps above the last one at which losses are recorded. By default they are
            those that a single run of the whole length and as many records would have there; the
            last step is always one.
        metrics, init_params, compiler_options: as they were given to `run`.
        threads, segment, progress: as for `run`; they change no number.
        out: a folder for the trainings, as for `run`. It is the folder of the longer run, so that
            the same call goes on after a kill, and `run` of the whole length finds all in it.

    Returns:
        A Dataset as of `run`, with the records of `runs` and those after. What `keep` and `keep_at`
        kept is kept again, the last state too, so that it can be resumed again. If predictions or
        parameters were kept at several steps, they are also kept at the new last step.

    Raises:
        TypeError, ValueError: no state was kept; a whole length that is not longer; a task, a
            recipe, a program or a machine that are not those of the run, with what differs; several
            recipes; a schedule given by name, whose rates depend on the whole length; networks that
            a rule has given their best parameters instead of the last ones.

    Example:
        >>> runs = ap.run(task, recipe, seeds=64, keep=("prediction", "state"))
        >>> longer = ap.resume(runs, task, recipe, steps=5_000)

    """
    check_nouns(task, recipe)
    made = steps_made(runs)
    check_schedule(recipe)
    source = source_of(runs)
    check_members(runs, source)
    runs = with_all_axes(runs, source)
    whole = length(task, recipe, made, steps, epochs)
    asked = Request(
        task=task,
        recipe=replace(recipe, steps=made, epochs=None, records=steps_recorded(runs)),
        seeds=runs.seed.values,
        lanes=int(runs.attrs["lanes"]),
        form=source["form"],
        key=np.asarray(source["root"], np.uint32),
        freeze=source["freeze"],
        cross={name: runs[f"{name}_seed"].values for name in source["cross"]} or None,
        keep=kept_of(runs),
        keep_at=kept_steps(runs, made),
        metrics=metrics,
        init_params=init_params,
        threads=threads,
        segment=segment,
        compiler_options=compiler_options,
        progress=progress,
        out=out,
        grid={name: runs[name].values for name in source["grid"]},
    )
    check_same(checked(asked), source)
    grid = (*steps_recorded(runs), *later_records(recipe, runs, whole, records))
    longer = replace(recipe, steps=whole, epochs=None, records=grid)
    kept_at = (*asked.keep_at, whole) if asked.keep_at else ()
    prepared = prepare(checked(replace(asked, recipe=longer, keep_at=kept_at)))
    return continued(prepared, runs, made)


def continued(prepared: Prepared, runs: xr.Dataset, made: int) -> xr.Dataset:
    """The trainings of a result, computed from its last states to the end of a longer recipe.

    Args:
        prepared: the longer run. runs: its beginning, with a value of every axis.
        made: how many steps the beginning has.

    """
    request, (plan,), (ready,), folders = prepared
    past = Past(plan, ready, runs, made)
    if request.out is not None:
        (folder,) = folders
        writer.fill(folder, Further(plan, ready, request, past), request)
        return writer.result(folder, plan)
    sink = Memory(plan, ready)
    batches = past.batches(np.arange(plan.trainings))
    compute(plan, ready, batches, sink, request.segment, request.progress)
    return sink.result()


# ---- what the result says of itself --------------------------------------------------------------


def steps_made(runs: xr.Dataset) -> int:
    """How many steps the trainings of a result have made.

    Raises:
        TypeError: no result. ValueError: its last state was not kept, or records were cut off.
    """
    if not isinstance(runs, xr.Dataset):
        raise TypeError(f"resume continues what ap.run gave, not a {type(runs).__name__}")
    if "state" not in runs.attrs or "state_0" not in runs:
        raise ValueError(
            "the last state was not kept, without which no training goes on: run with "
            'keep=("prediction", "state")'
        )
    made = int(runs.attrs["state"].rpartition(" ")[2])
    last = int(np.atleast_1d(runs.step.values)[-1]) if "step" in runs.coords else None
    if last != made:
        raise ValueError(
            f"the last record is of step {last}, and the state that was kept is of step {made}: "
            "give the result with all its records, not one that was cut by .sel(step=...)"
        )
    return made


def source_of(runs: xr.Dataset) -> dict[str, Any]:
    """The provenance of the one recipe whose trainings these are.

    Raises:
        ValueError: several recipes.
    """
    source = json.loads(runs.attrs["provenance"])
    if "recipes" not in source:
        return source
    of_recipes = source["recipes"]
    axes = axes_of_recipes(runs, of_recipes)
    chosen = [str(runs[name].item()) if name == "recipe" else one_of(name, runs) for name in axes]
    label = ", ".join(chosen)
    if label not in of_recipes:
        raise ValueError(
            f"resume continues one recipe, and this is none of {', '.join(of_recipes)}"
        )
    return of_recipes[label]


def axes_of_recipes(runs: xr.Dataset, of_recipes: Mapping[str, Any]) -> list[str]:
    """Names of the coordinates that say which of several recipes these trainings are of.

    Raises:
        ValueError: there are several recipes.
    """
    grid = next(iter(of_recipes.values()))["grid"]
    known = {"seed", "step", "kept_step", *grid}
    several = [
        str(dim) for dim in runs.loss.dims if dim not in known and not str(dim).endswith("_seed")
    ]
    if several:
        where = ", ".join(f"{name}={runs[name].values[0]!r}" for name in several)
        raise ValueError(
            "resume continues one recipe at a time, as each has a program of its own: choose one, "
            f"such as runs.sel({where})"
        )
    scalars = [str(name) for name, each in runs.coords.items() if each.ndim == 0]
    return [name for name in scalars if name not in known and not name.endswith("_seed")]


def one_of(name: str, runs: xr.Dataset) -> str:
    """The value of an axis of structure as it stands in a recipe's label."""
    return f"{name}={runs[name].item()}"


def with_all_axes(runs: xr.Dataset, source: Mapping[str, Any]) -> xr.Dataset:
    """The result with an axis for everything that was swept, also where one value is left of it."""
    crossed = [f"{name}_seed" for name in source["cross"]]
    for name in reversed([*source["grid"], *crossed, "seed"]):
        if name not in runs.loss.dims:
            runs = runs.assign(
                {
                    each: runs[each].expand_dims(name)
                    for each in runs.data_vars
                    if name not in runs[each].dims
                }
            )
    return runs


def steps_recorded(runs: xr.Dataset) -> tuple[int, ...]:
    """The steps of the records, as a recipe takes them."""
    return tuple(map(int, np.atleast_1d(runs.step.values)))


def kept_of(runs: xr.Dataset) -> tuple[str, ...]:
    """What the result keeps, as `keep` names it."""
    found = [name for name in KEPT if name in runs]
    if "params" in runs.attrs:
        found.append("params")
    return (*found, "state")


def kept_steps(runs: xr.Dataset, made: int) -> tuple[int, ...]:
    """The steps at which predictions and parameters are kept, as `keep_at` names them."""
    if "kept_step" in runs.dims:
        return tuple(map(int, runs.kept_step.values))
    noted = {int(each.attrs["kept_step"]) for each in runs.values() if "kept_step" in each.attrs}
    last = int(np.atleast_1d(runs.step.values)[-1])
    return tuple(step for step in sorted(noted) if step not in (made, last))


def check_members(runs: xr.Dataset, source: Mapping[str, Any]) -> None:
    """Refuse trainings that are not of the run that the result describes, as in joined results.

    Raises:
        ValueError: with the first swept value or seed that the run does not have.
    """
    known = {**source["grid"], "seed": seeds_known(source["seeds"])}
    for name, values in known.items():
        here = np.atleast_1d(runs[name].values)
        others = here[~np.isin(here, here if values is None else values)]
        if len(others):
            raise ValueError(
                f"{name} {others[0]} is not of the run that this result describes, as where "
                "results were joined or coordinates were changed: resume each result as run gave it"
            )


def seeds_known(described: Any) -> Any:
    """The seeds of a run, or None where its provenance has a digest that does not tell them."""
    if isinstance(described, list):
        return described
    first = np.arange(int(described.split()[0]))
    return first if provenance.describe_seeds(first) == described else None


# ---- how long it goes on -------------------------------------------------------------------------


def length(task: Task, recipe: Recipe, made: int, steps: Any, epochs: Any) -> int:
    """The whole length in steps.

    Raises:
        ValueError: not exactly one of steps and epochs; no more steps than are made.
    """
    if (steps is None) == (epochs is None):
        raise ValueError(
            f"say how long the whole training is, by steps= or by epochs=; got steps={steps!r}, "
            f"epochs={epochs!r}"
        )
    if steps is None:
        whole = steps_of(task, epochs, recipe.batch_size, recipe.drop_last)
    else:
        whole = checked_count("steps", steps)
    if whole <= made:
        raise ValueError(
            f"steps={whole:,} is the length of the whole training, of which {made:,} steps are "
            "made already: give more"
        )
    return whole


def later_records(
    recipe: Recipe, runs: xr.Dataset, whole: int, records: Sequence[int] | None
) -> tuple[int, ...]:
    """The steps after those of a result at which there are records.

    Raises:
        ValueError: a record that is not between the last one and the whole length.
    """
    last = int(runs.step.values[-1])
    if records is None:
        number = recipe.records if is_whole(recipe.records) else runs.sizes["step"]
        spaced = record_steps(replace(recipe, steps=whole, epochs=None, records=max(2, number)))
        return tuple(int(step) for step in spaced if step > last)
    for step in records:
        if not (is_whole(step) and last < step <= whole):
            raise ValueError(
                f"records has {step!r}; those to come are whole numbers above {last:,}, the last "
                f"record of the result, and at most {whole:,}"
            )
    return tuple(sorted({*map(int, records), whole}))


def check_schedule(recipe: Recipe) -> None:
    """Refuse a schedule whose rates depend on how long the whole training is.

    Raises:
        ValueError: with the remedy.
    """
    if isinstance(recipe.schedule, str) and recipe.schedule in SCHEDULES:
        raise ValueError(
            f"schedule={recipe.schedule!r} lowers the rate to 0 at the last step, so that a longer "
            "training has other rates from its first step on: give the schedule its own length "
            "when you run, such as optax.cosine_decay_schedule(1.0, 5_000)"
        )


# ---- whether it is the same training -------------------------------------------------------------


def check_same(request: Request, source: Mapping[str, Any]) -> None:
    """Refuse a task, a recipe or a machine that are not those of the run.

    The program of the run is traced again, and its text compared.

    Raises:
        ValueError: with what differs.
    """
    (plan,) = plans.make_plans(request)
    device = find_workers(request.threads)[0]
    with x64(plan.recipe):
        first = plans.inputs(plan, np.arange(1))
        block = programs.described(plan.structure, first, request.compiler_options, device)
    now = provenance.common(provenance.provenance(plan, block))
    then = provenance.common(source)
    differing = list(provenance.differences(now, json.loads(json.dumps(then))))
    if differing:
        raise ValueError(
            "this is not the training that the result is of, so it cannot go on: "
            f"{'; '.join(differing)}. Give the task, the recipe and the options of the run, and a "
            "result that has all its records: one that was cut by .sel(step=...) has lost some"
        )


# ---- going on into a folder ----------------------------------------------------------------------


class Further(writer.Here):
    """The engine that goes on with the trainings of a result on this machine."""

    def __init__(self, plan: Plan, ready: Ready, request: Request, past: Past):
        super().__init__(plan, ready, request)
        self.past = past

    def begun(self, trainings: np.ndarray) -> list[Batch]:
        """See `writer.Here`."""
        return self.past.batches(trainings)
