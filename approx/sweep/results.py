"""Results: numbers get their names, axes and provenance; parameters become pytrees again."""

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import jax
import numpy as np
import xarray as xr
from jax import random
from jaxtyping import PyTree

from approx.sweep import layouts, parameters, provenance
from approx.sweep.numbers import qualify
from approx.sweep.plans import Plan
from approx.sweep.provenance import describe_seeds
from approx.tasks import Points
from approx.training.loop import Trace
from approx.training.recipes import record_steps
from approx.training.second_order import REASONS

NAMES = {
    "loss": "loss on the training rows",
    "test_loss": "loss at the test points of distance 0",
    "outside_loss": "loss at the test points outside the training range",
    "validation_loss": "loss on the validation rows",
    "accuracy": "share of the training rows that are correct",
    "test_accuracy": "share of the test points of distance 0 that are correct",
    "outside_accuracy": "share of the test points outside the training range that are correct",
    "batch_loss": "mean loss of the batches since the last record, with dropout and l2",
    "batch_accuracy": "share correct in the batches since the last record, with dropout",
    "gradient_norm": "Euclidean norm of the gradient on the training rows",
    "weight_norm": "Euclidean norm of the parameters",
}


REPORTS: dict[str, dict[str, Any]] = {
    "evaluations": {
        "long_name": "evaluations of the loss and its gradient, in passes over the training rows"
    },
    "stopped": {  # as the CF conventions flag states
        "long_name": "why the method stopped",
        "flag_values": list(range(len(REASONS))),
        "flag_meanings": " ".join(reason.replace(" ", "_") for reason in REASONS),
    },
}


def passes(plan: Plan) -> np.ndarray:
    """How often a first-order method has passed over the training rows, at every record."""
    recorded_at, recipe = record_steps(plan.recipe), plan.recipe
    if recipe.batch_size is None:
        return recorded_at.astype(recipe.dtype)
    rows = jax.eval_shape(lambda: plan.task.split(*random.split(random.key(0)))[0][0]).shape[0]
    epoch = (
        math.ceil(rows / recipe.batch_size)
        if recipe.batches in ("epoch", "order")
        else recorded_at[-1] + 1
    )
    return (recorded_at // epoch + recorded_at % epoch * recipe.batch_size / rows).astype(
        recipe.dtype
    )


def dataset(plan: Plan, trace: Trace, points: Points, source: dict[str, Any]) -> xr.Dataset:
    """One recipe's trainings on named axes."""
    shape = [len(values) for values in plan.axes.values()]
    found = {
        name: ((*plan.axes, *dims[1:]), values.reshape(*shape, *values.shape[1:]), about)
        for name, (dims, values, about) in variables(plan, trace).items()
    }
    return finished(xr.Dataset(found, coordinates(plan, points), attributes(plan, trace, source)))


def finished(made: xr.Dataset) -> xr.Dataset:
    """Without losses at points that there are none of; a warning if trainings have no loss to begin
    with.
    """
    first = made.loss.isel(step=0)
    if (
        made.step[0] == 0
        and not hasattr(first.data, "dask")
        and (count := int((~np.isfinite(first)).sum()))
    ):
        warnings.warn(
            f"{count} trainings have no finite loss before the first step: look at their data",
            stacklevel=4,
        )
    if not (made.distance > 0).any():
        made = made.drop_vars(["outside_loss", "outside_accuracy"], errors="ignore")
    if not (made.distance <= 0).any():
        made = made.drop_vars(["test_loss", "test_accuracy"], errors="ignore")
    return made


def variables(
    plan: Plan, trace: Trace
) -> dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, Any]]]:
    """Dimensions, values and attributes of every variable, over trainings one after another."""
    recorded_at = record_steps(plan.recipe)
    many = len(trace.loss)
    found: dict[str, Any] = {}

    def add(name: str, values: Any, *dims: str, about: str) -> None:
        notes: dict[str, Any] = {"long_name": about}
        if "kept_step" in dims and len(plan.structure.keep.at) <= 1:
            values, dims = values[:, 0], dims[1:]
            notes["kept_step"] = steps_kept(plan)[0]
        found[name] = (("training", *dims), values, notes)

    for name, about in NAMES.items():
        if getattr(trace, name) is not None:
            add(name, getattr(trace, name), "step", about=about)
    for name, values in trace.reports.items():
        found[name] = (("training", "step"), values, REPORTS[name])
    if "evaluations" not in found and layouts.is_plain(plan.task, plan.recipe):
        work = np.broadcast_to(passes(plan), (many, len(recorded_at)))
        found["evaluations"] = (("training", "step"), work, REPORTS["evaluations"])
    for name, values in trace.metrics.items():
        add(
            name,
            values,
            "step",
            *(f"{name}_{n}" for n in range(values.ndim - 2)),
            about=f"metric {name}",
        )
    if trace.prediction is not None:
        add(
            "prediction",
            trace.prediction,
            "kept_step",
            "point",
            "output",
            about="output at the test points",
        )
    for path, values in jax.tree_util.tree_leaves_with_path(trace.params):
        name = parameters.leaf_name(path)
        add(
            name,
            values,
            "kept_step",
            *(f"{name}_{n}" for n in range(values.ndim - 2)),
            about="parameter",
        )
    return found


def leaf_variables(carry: tuple[Any, Trace]) -> list[str]:
    """The variable that each array of a block's state and trace becomes, "" for those that become
    none.
    """
    names = []
    for (part, *path), _ in jax.tree_util.tree_leaves_with_path(carry):
        field = getattr(path[0], "name", "")
        inner = {"metrics": lambda path: path[0].key, "params": parameters.leaf_name}.get(
            field, lambda _, f=field: f
        )
        names.append(inner(tuple(path[1:])) if part.idx == 1 else "")
    return names


def part(plan: Plan, trainings: np.ndarray, trace: Trace) -> xr.Dataset:
    """Some trainings, by number, as they are stored: with their places on the axes, and the inputs
    of each.
    """
    cell, row = np.divmod(trainings, len(plan.streams))
    given = jax.tree.leaves(plan.init_params)
    own: dict[str, Any] = {
        "training_numbers": (("training", "number"), plan.numbers[cell]),
        "training_streams": (("training", "stream"), plan.streams[row]),
        "training_params": (("training",), row % len(plan.seeds) % (len(given[0]) if given else 1)),
    }
    at = np.unravel_index(trainings, tuple(map(len, plan.axes.values())))
    own |= {
        name: (("training",), values[index])
        for (name, values), index in zip(plan.axes.items(), at, strict=True)
    }
    found = variables(plan, trace)
    for name, (dims, values, about) in found.items():
        if values.strides[0] == 0 and len(values):  # broadcast: the same for all trainings
            found[name] = (dims[1:], values[0], about)
    return xr.Dataset(found | own)


def stacked(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Several of `part` as one."""
    if len(parts) == 1:
        return parts[0]
    found = dict(parts[0].variables)
    for name, first in found.items():
        if first.dims[:1] == ("training",):
            values = np.concatenate([part.variables[name].values for part in parts])
            found[name] = xr.Variable(first.dims, values, first.attrs)
    return xr.Dataset(found)


def coordinates(plan: Plan, points: Points) -> dict[str, Any]:
    """Axes, record steps, and where the networks are judged."""
    kept = steps_kept(plan)
    return {
        **{name: (name, values) for name, values in plan.axes.items()},
        "step": ("step", record_steps(plan.recipe), {"long_name": "updates made"}),
        **({"kept_step": ("kept_step", kept)} if len(kept) > 1 else {}),
        **point_coordinates(plan, points),
    }


def steps_kept(plan: Plan) -> list[int]:
    """The steps at which predictions and parameters are kept.

    One alone is an attribute of these variables. As a coordinate of the Dataset it would be one of
    every other variable too, and of every statistic of them.
    """
    return list(plan.structure.keep.at) or [int(record_steps(plan.recipe)[-1])]


def attributes(plan: Plan, trace: Trace, source: dict[str, Any]) -> dict[str, Any]:
    """What made a result; the nesting of its parameters, if it has them."""
    found = {
        "identity": provenance.identity(source),
        "provenance": json.dumps(source),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "lanes": plan.lanes,
    }
    if jax.tree.leaves(trace.params):
        found["params"] = json.dumps(parameters.skeleton(trace.params))
    return found


def point_coordinates(plan: Plan, points: Points) -> dict[str, Any]:
    """Where the networks are judged; over the axes of the task's own numbers if those are swept."""
    swept = {name: qualify(name, plan.task, plan.recipe) for name in plan.grid}
    axes = [name for name, full in swept.items() if full.startswith("task.")]
    lengths = [len(plan.grid[name]) for name in axes]
    found = {}
    for name, values, dims in (
        ("x_test", points.x, ("point", "input")),
        ("y_test", points.y, ("point", "output")),
        ("distance", points.distance, ("point",)),
    ):
        values = np.asarray(values)
        found[name] = (
            (*axes, *dims[: values.ndim - 1]),
            values.reshape(*lengths, *values.shape[1:]),
        )
    return found


def join(made: Mapping[Any, xr.Dataset]) -> xr.Dataset:
    """One Dataset of several recipes, along `recipe`; a single unlabelled one as it is."""
    if list(made) == [None]:
        return made[None]
    sources = {label: json.loads(runs.provenance) for label, runs in made.items()}
    # First-order rules never stop; some search unseen
    for name, value in (("stopped", 0), ("evaluations", np.nan)):
        if any(name in runs for runs in made.values()):
            missing = xr.full_like(next(iter(made.values())).loss, value).assign_attrs(
                REPORTS[name]
            )
            made = {
                k: runs if name in runs else runs.assign({name: missing})
                for k, runs in made.items()
            }
    recipes = xr.DataArray(list(made), dims="recipe", name="recipe")
    shared = [name for name in ("x_test", "y_test", "distance") if all(_same(name, made.values()))]
    parts = [runs.drop_vars(shared) for runs in made.values()]
    joined = xr.concat(
        parts,
        recipes,
        data_vars="all",
        coords="different",
        compat="equals",
        join="exact",
        combine_attrs="drop_conflicts",
    )
    first = next(iter(made.values()))
    joined = joined.assign_coords({name: first[name] for name in shared})
    source = {"recipes": sources}
    return joined.assign_attrs(
        first.attrs | {"identity": provenance.identity(source), "provenance": json.dumps(source)}
    )


def append(parts: list[xr.Dataset]) -> xr.Dataset:
    """Results of different seeds as one, with the identity it would have if all seeds had been run
    at once.
    """
    if len(parts) == 1:
        return parts[0]
    options: Any = {
        "data_vars": "minimal",
        "coords": "minimal",
        "compat": "equals",
        "join": "exact",
    }
    runs = xr.concat(parts, "seed", combine_attrs="override", **options)
    source = json.loads(runs.provenance)
    for one in source.get("recipes", {"": source}).values():
        one["seeds"] = describe_seeds(runs.seed.values)
    return runs.assign_attrs(provenance=json.dumps(source), identity=provenance.identity(source))


def _same(name: str, runs) -> list[bool]:
    """Whether each further result has the first one's variable of that name."""
    first, *others = (r[name] for r in runs)
    return [first.equals(other) for other in others]


def params(runs: xr.Dataset, **where: Any) -> PyTree:
    """Parameters of a result, as the model's pytree of numpy arrays.

    Args:
        runs: made with `keep=("params",)`.
        where: which, by label: `seed=7`, `recipe="adam"`, `kept_step=100`. Axes not named stay in
            front: `params(runs)` has an axis of seeds first, and can be `init_params=` of another
                run.

    Raises:
        ValueError: if no parameters were kept. KeyError: an unknown label.

    """
    if "params" not in runs.attrs and "not_picked" in runs.attrs:
        raise ValueError(
            "the parameters were not kept at every step that stats.pick picked, and those of another step belong to "
            "other networks: run with keep_at= all record steps (runs.step.values), then pick"
        )
    if "params" not in runs.attrs:
        raise ValueError('no parameters were kept: run with keep=("prediction", "params")')
    return parameters.rebuild(
        json.loads(runs.attrs["params"]), lambda name: np.asarray(runs[name].sel(**where))
    )
