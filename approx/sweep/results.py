"""Results: numbers get their names, axes and provenance; parameters become pytrees again."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from approx.late_imports import xarray as xr
from approx.sweep import parameters, provenance
from approx.sweep.facts import Facts
from approx.sweep.plans import Plan, start_rows
from approx.sweep.provenance import describe_seeds
from approx.tasks import Points, Task, losses
from approx.training import stops
from approx.training.loop import Keep, Trace
from approx.training.second_order import REASONS

# Dimensions, values, attributes
Variable = tuple[tuple[str, ...], Any, dict[str, Any]]
NO_AXES: Mapping[str, Any] = {}  # of several recipes: they stay on the axis `recipe`
PACKAGE = str(Path(__file__).parents[1])  # warnings point to the line outside of it
NAMES = {
    "loss": "loss on the training rows",
    "test_loss": "loss at the test points of distance 0",
    "outside_loss": "loss at the test points outside the training range",
    "validation_loss": "loss on the validation rows",
    "accuracy": "share of the training rows that are correct",
    "test_accuracy": "share of the test points of distance 0 that are correct",
    "outside_accuracy": "share of the test points outside the training range that are correct",
    "validation_accuracy": "share of the validation rows that are correct",
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


# What a recipe with rules in `stop` or `plateau` records of each training, once.
STOPS: dict[str, dict[str, Any]] = {
    "stopped_at": {"long_name": "step after which a rule stopped the training, or its last step"},
    "stop_reason": {  # as the CF conventions flag states
        "long_name": "which kind of rule stopped the training",
        "flag_values": list(range(len(stops.REASONS))),
        "flag_meanings": " ".join(reason.replace(" ", "_") for reason in stops.REASONS),
    },
}


OF_INSIDE = ["test_loss", "test_accuracy", "output_test_loss"]  # of test points of distance 0


def passes(facts: Facts, recorded: np.ndarray) -> np.ndarray:
    """How often a first-order method has passed over the training rows, after so many steps."""
    recipe = facts.recipe
    if recipe.batch_size is None:
        return recorded.astype(recipe.dtype)
    epoch = recipe.steps + 1  # steps after which the batches begin anew: here they never do
    if recipe.batches in ("epoch", "order"):
        epoch = math.ceil(facts.rows / recipe.batch_size)
    within = recorded % epoch * recipe.batch_size / facts.rows
    return (recorded // epoch + within).astype(recipe.dtype)


# ---- one recipe ----------------------------------------------------------------------------------


def dataset(plan: Plan, trace: Trace, points: Points, source: dict[str, Any]) -> xr.Dataset:
    """One recipe's trainings on named axes.

    Args:
        plan: of the trainings.
        trace: what they left behind, with an axis of trainings first.
        points: where they are judged, with an axis of cells first (see `plans.cell_inputs`).
        source: the provenance.

    """
    shape = [len(values) for values in plan.axes.values()]
    found = {}
    for name, (dims, values, about) in variables(plan, trace).items():
        _, *own_dims = dims
        on_axes = values.reshape(*shape, *values.shape[1:])
        found[name] = ((*plan.axes, *own_dims), on_axes, about)
    made = xr.Dataset(found, coordinates(plan, points), attributes(plan, trace, source))
    return finished(made)


def finished(made: xr.Dataset) -> xr.Dataset:
    """Drop the test loss and the outside loss where the task has no such points.

    It warns of trainings that have no finite loss to begin with.
    """
    first = made.variables["loss"].isel(step=0).data
    if made.variables["step"].values[0] == 0 and not hasattr(first, "dask"):
        count = int((~np.isfinite(first)).sum())
        if count:
            warnings.warn(
                f"{count} trainings have no finite loss before the first step: look at their data",
                skip_file_prefixes=(PACKAGE,),
                stacklevel=2,
            )
    distance = made.variables["distance"].values
    if not (distance > 0).any():
        made = made.drop_vars(["outside_loss", "outside_accuracy"], errors="ignore")
    if not (distance <= 0).any():
        made = made.drop_vars(OF_INSIDE, errors="ignore")
    return made


# The loss of each output, over the records and the outputs
OF_OUTPUTS = {
    "output_loss": "loss of each output on the training rows",
    "output_test_loss": "loss of each output at the test points of distance 0",
}


def variables(plan: Plan, trace: Trace) -> dict[str, Variable]:
    """Dimensions, values and attributes of every variable, over trainings one after another."""
    found: dict[str, Variable] = {}
    for name, about in NAMES.items():
        values = getattr(trace, name)
        if values is not None:
            found[name] = recorded(values, {"long_name": about})
    for name, about in OF_OUTPUTS.items():
        values = getattr(trace, name)
        if values is not None:
            found[name] = recorded(values, {"long_name": about}, ("output",))
    found |= stops_of(trace)
    found |= reported(plan, trace) | metrics_of(plan, trace) | outputs_of(plan, trace)
    return found | states_of(trace)


def reported(plan: Plan, trace: Trace) -> dict[str, Variable]:
    """What a method reports of itself; of first-order rules, how much they have evaluated."""
    found = {}
    for name, values in trace.reports.items():
        found[name] = recorded(values, REPORTS[name])
    if "evaluations" not in found and plan.facts.plain:
        shape = (len(trace.loss), len(plan.facts.recorded))
        steps = np.broadcast_to(plan.facts.recorded, shape)
        if trace.stopped_at is not None:
            steps = np.minimum(steps, trace.stopped_at[:, None])
            work = passes(plan.facts, steps)
        else:
            work = np.broadcast_to(passes(plan.facts, plan.facts.recorded), shape)
        found["evaluations"] = recorded(work, REPORTS["evaluations"])
    return found


def stops_of(trace: Trace) -> dict[str, Variable]:
    """When and why each training was stopped by a rule of the recipe, if it has rules."""
    found: dict[str, Variable] = {}
    if trace.stopped_at is None:
        return found
    for name, notes in STOPS.items():
        found[name] = ("training",), getattr(trace, name), notes
    return found


def metrics_of(plan: Plan, trace: Trace) -> dict[str, Variable]:
    """The user's own metrics, and the named terms of a loss that sees the network."""
    found = {}
    for name, values in trace.metrics.items():
        notes = {"long_name": f"metric {name}"}
        if name.startswith("loss_") and isinstance(plan.task.loss, losses.OfNetwork):
            term = name.removeprefix("loss_")
            notes = {"long_name": f"term {term!r} of the loss on the training rows"}
        found[name] = recorded(values, notes, numbered(name, values))
    return found


def outputs_of(plan: Plan, trace: Trace) -> dict[str, Variable]:
    """Predictions and parameters, if they were kept."""
    found = {}
    if trace.prediction is not None:
        notes = {"long_name": "output at the test points"}
        found["prediction"] = kept(plan, trace.prediction, notes, ("point", "output"))
    for path, values in jax.tree_util.tree_leaves_with_path(trace.params):
        name = parameters.leaf_name(path)
        found[name] = kept(plan, values, {"long_name": "parameter"}, numbered(name, values))
    return found


def states_of(trace: Trace) -> dict[str, Variable]:
    """The last state of each training, array by array, if it was kept."""
    found = {}
    leaves = jax.tree_util.tree_leaves_with_path(trace.state)
    for number, (path, values) in enumerate(leaves):
        name = state_name(number)
        dims = tuple(f"{name}_{n}" for n in range(values.ndim - 1))
        notes = {"long_name": f"last state: {jax.tree_util.keystr(path)}"}
        found[name] = ("training", *dims), values, notes
    return found


def state_name(number: int) -> str:
    """The variable that holds an array of the last state, by its number among these."""
    return f"state_{number}"


def recorded(values: Any, notes: dict[str, Any], dims: tuple[str, ...] = ()) -> Variable:
    """A variable that has a value, or an array over further dimensions, at every record."""
    return ("training", "step", *dims), values, notes


def kept(plan: Plan, values: Any, notes: dict[str, Any], dims: tuple[str, ...]) -> Variable:
    """A variable that has an array at every kept step; a single kept step becomes an attribute.

    As a coordinate of the Dataset it would be one of every other variable too, and of every
    statistic of them.
    """
    if len(plan.structure.keep.at) > 1:
        return ("training", "kept_step", *dims), values, notes
    return ("training", *dims), values[:, 0], notes | {"kept_step": steps_kept(plan)[0]}


def numbered(name: str, values: Any) -> tuple[str, ...]:
    """Names of a variable's own dimensions, after those of trainings and of steps."""
    return tuple(f"{name}_{n}" for n in range(values.ndim - 2))


def leaf_variables(carry: tuple[Any, Trace], keep: Keep) -> list[str]:
    """The variable that each array of a block's (State, Trace) becomes, "" if it becomes none."""
    state, trace = carry
    names = ["" for _ in jax.tree.leaves(state)]
    if "state" in keep.what:
        names = [state_name(number) for number in range(len(names))]
    for path, _ in jax.tree_util.tree_leaves_with_path(trace):
        field, *inner = path
        name = field.name
        if name == "metrics":
            name = inner[0].key
        elif name == "params":
            name = parameters.leaf_name(tuple(inner))
        names.append(name)
    return names


# ---- a part of the trainings, as a folder stores it ----------------------------------------------


def part(plan: Plan, trainings: np.ndarray, trace: Trace) -> xr.Dataset:
    """Some trainings as they are stored: with their places on the axes, and their own inputs.

    Args:
        plan: of all trainings. trainings: numbers of these, (n,).
        trace: what they left behind, with an axis of these first.

    """
    found: dict[str, Any] = {}
    for name, (dims, values, about) in variables(plan, trace).items():
        found[name] = (dims, values, about)
        broadcast = len(values) and values.strides[0] == 0  # the same for all trainings
        if broadcast:
            _, *own_dims = dims
            found[name] = (own_dims, values[0], about)
    return xr.Dataset(found | own_inputs(plan, trainings) | places(plan, trainings))


def own_inputs(plan: Plan, trainings: np.ndarray) -> dict[str, Any]:
    """Which numbers, which seeds and which parameters to start from each training is given."""
    cell, row = np.divmod(trainings, len(plan.streams))
    return {
        "training_numbers": (("training", "number"), plan.numbers[cell]),
        "training_streams": (("training", "stream"), plan.streams[row]),
        "training_params": (("training",), start_rows(plan, row)),
    }


def places(plan: Plan, trainings: np.ndarray) -> dict[str, Any]:
    """Where each training stands on the axes."""
    shape = [len(values) for values in plan.axes.values()]
    found = {}
    for axis, index in zip(plan.axes, np.unravel_index(trainings, shape), strict=True):
        found[axis] = (("training",), plan.axes[axis][index])
    return found


def gathered(plan: Plan, blocks: Sequence[tuple[np.ndarray, Any]]) -> xr.Dataset:
    """The `part` of several blocks, each with the numbers of its trainings and its trace."""
    numbers, traces = zip(*blocks, strict=True)
    trace = jax.tree.map(lambda *parts: np.concatenate(parts), *traces)
    return part(plan, np.concatenate(numbers), trace)


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


# ---- coordinates and attributes ------------------------------------------------------------------


def coordinates(plan: Plan, points: Points) -> dict[str, Any]:
    """Axes, record steps, and where the networks are judged."""
    found: dict[str, Any] = {name: (name, values) for name, values in plan.axes.items()}
    found["step"] = ("step", plan.facts.recorded, {"long_name": "updates made"})
    kept = steps_kept(plan)
    if len(kept) > 1:
        found["kept_step"] = ("kept_step", kept)
    return found | point_coordinates(plan, points)


def steps_kept(plan: Plan) -> list[int]:
    """The steps at which predictions and parameters are kept."""
    return list(plan.structure.keep.at) or [int(plan.facts.recorded[-1])]


def attributes(plan: Plan, trace: Trace, source: dict[str, Any]) -> dict[str, Any]:
    """What made a result; the nesting of its parameters, if it has them."""
    found = {
        **provenance.marks(source),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "lanes": plan.lanes,
    }
    if jax.tree.leaves(trace.params):
        found["params"] = json.dumps(parameters.skeleton(trace.params))
    if trace.state is not None:
        found["state"] = f"after step {plan.recipe.steps}"
    return found


def point_coordinates(plan: Plan, points: Points) -> dict[str, Any]:
    """Where the networks are judged; over the axes of the task's own numbers if those are swept."""
    axes = [name for name in plan.grid if plan.entry.swept[name].startswith("task.")]
    lengths = [len(plan.grid[name]) for name in axes]
    found = {}
    for name, given, dims, notes in (
        ("x_test", points.x, ("point", "input"), {}),
        ("y_test", points.y, ("point", "output"), plan.facts.task.target_notes()),
        ("distance", points.distance, ("point",), {}),
    ):
        values = np.asarray(given)  # (cells, ...); labels have no columns
        if name == "y_test" and not has_targets(plan, values):
            continue
        on_axes = values.reshape(*lengths, *values.shape[1:])
        found[name] = ((*axes, *dims[: values.ndim - 1]), on_axes, notes)
    return found | named(plan.facts.task, points)


def named(task: Task, points: Points) -> dict[str, Any]:
    """The names of inputs and outputs, and which points have no target, where there are any."""
    found: dict[str, Any] = {}
    for axis, names in task.axis_names().items():
        found[axis] = (axis, np.array(names))
    if task.unjudged:
        count = np.shape(points.x)[1]
        judged = np.arange(count) < count - task.unjudged
        notes = {"long_name": "test: judged by its target; at: a point without a target"}
        found["role"] = ("point", np.where(judged, "test", "at"), notes)
    return found


def has_targets(plan: Plan, y: np.ndarray) -> bool:
    """Whether the targets at the points are ones that outputs can be compared with.

    Those of a task without test points may be of another kind, if its loss sees the network.
    """
    if plan.task.tested or not isinstance(plan.task.loss, losses.OfNetwork):
        return True
    return y.shape[2:] == (plan.facts.outputs,)


# ---- several recipes, more seeds -----------------------------------------------------------------


def join(
    made: Sequence[xr.Dataset],
    labels: Sequence[Any],
    labelled: bool = True,
    unfolded: Mapping[str, Any] = NO_AXES,
) -> xr.Dataset:
    """One Dataset of several recipes, along the axis `recipe` or along axes of structure.

    Args:
        made: the result of each recipe. labels: the label of each.
        labelled: whether there is such an axis; without it there is one result, which stays as it
            is.
        unfolded: {name: values} of the axes that the recipes are laid out on, the last one fastest.

    """
    if not labelled:
        return made[0]
    made = without_mixed_names(without_mixed_targets(with_reports(made)))
    first = made[0]
    of_points = ("x_test", "y_test", "distance", "role")
    shared = [name for name in of_points if is_shared(name, made)]
    joined = xr.concat(
        [runs.drop_vars(shared) for runs in made],
        xr.DataArray([*labels], dims="recipe", name="recipe"),
        data_vars="all",
        coords="different",
        compat="equals",
        join="exact",
        combine_attrs="drop_conflicts",
    )
    joined = joined.assign_coords({name: first[name] for name in shared})
    sources = [json.loads(runs.provenance) for runs in made]
    source = {"recipes": dict(zip(labels, sources, strict=True))}
    joined = joined.assign_attrs(first.attrs | provenance.marks(source))
    return unfold(joined, unfolded) if unfolded else joined


def unfold(runs: xr.Dataset, axes: Mapping[str, Any]) -> xr.Dataset:
    """A result of several recipes with these on axes of their own instead of the axis `recipe`.

    Args:
        runs: in which `recipe` is the first axis wherever it is one.
        axes: {name: values}, whose combinations are the recipes, the last axis fastest.

    """
    shape = tuple(len(values) for values in axes.values())

    def laid_out(variable: xr.Variable) -> xr.Variable:
        if "recipe" not in variable.dims:
            return variable
        _, *dims = variable.dims
        values = variable.data.reshape(*shape, *variable.shape[1:])
        return xr.Variable((*axes, *dims), values, variable.attrs)

    found = {name: laid_out(variable) for name, variable in runs.data_vars.variables.items()}
    placed = {
        name: laid_out(variable)
        for name, variable in runs.coords.variables.items()
        if name != "recipe"
    }
    placed |= {name: xr.Variable((name,), values) for name, values in axes.items()}
    return xr.Dataset(found, placed, runs.attrs)


def without_mixed_targets(made: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """The results, without targets of the test points if only some of these are labels."""
    kinds = {"output" in runs.y_test.dims for runs in made if "y_test" in runs.coords}
    if len(kinds) < 2:
        return list(made)
    return [runs.drop_vars("y_test") for runs in made]


def without_mixed_names(made: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """The results, without names of inputs or outputs that are not the same in all of them."""
    mixed = [name for name in ("input", "output") if not is_shared(name, made)]
    return [runs.drop_vars(mixed, errors="ignore") for runs in made]


def with_reports(made: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """The results, all of them with what only some methods report.

    First-order methods never stop by themselves: `stopped` is 0. How often a line search evaluates
    the loss is not known: `evaluations` is nan.
    """
    found = list(made)
    if any("stop_reason" in runs for runs in made):
        found = [with_stops(runs) for runs in found]
    for name, value in (("stopped", 0), ("evaluations", np.nan)):
        if any(name in runs for runs in made):
            missing = xr.full_like(made[0].loss, value).assign_attrs(REPORTS[name])
            found = [runs if name in runs else runs.assign({name: missing}) for runs in found]
    return found


def with_stops(runs: xr.Dataset) -> xr.Dataset:
    """A result that says when its trainings were stopped: of a recipe without rules, never."""
    if "stop_reason" in runs:
        return runs
    never = xr.zeros_like(runs.loss.isel(step=0, drop=True), np.int32)
    last = int(runs.step[-1])
    return runs.assign(
        stopped_at=(never + last).astype(np.int32).assign_attrs(STOPS["stopped_at"]),
        stop_reason=never.assign_attrs(STOPS["stop_reason"]),
    )


def is_shared(name: str, made: Sequence[xr.Dataset]) -> bool:
    """Whether all results have the same values under a name."""
    if name not in made[0].coords:
        return False
    first, *others = (runs[name] for runs in made)
    return all(first.equals(other) for other in others)


def append(parts: list[xr.Dataset]) -> xr.Dataset:
    """Results of different seeds as one.

    It has the fingerprint that it would have if all seeds had been run at once.
    """
    if len(parts) == 1:
        return parts[0]
    runs = xr.concat(
        parts,
        "seed",
        data_vars="minimal",
        coords="minimal",
        compat="equals",
        join="exact",
        combine_attrs="override",
    )
    source = json.loads(runs.provenance)
    for one in source.get("recipes", {"": source}).values():
        one["seeds"] = describe_seeds(runs.seed.values)
    return runs.assign_attrs(provenance.marks(source))


def params(runs: xr.Dataset, **where: Any) -> PyTree:
    """Parameters of a result, as the model's pytree of numpy arrays.

    Args:
        runs: made with `keep=("params",)`.
        where: which networks, by label: `seed=7`, `recipe="adam"`, `kept_step=100`. Axes that are
            not named stay in front: `params(runs)` has an axis of seeds first, and can be
            `init_params=` of another run. Where parameters were kept at one step only, `kept_step`
            may be that step or left out.

    Raises:
        ValueError: if no parameters were kept. KeyError: an unknown label, or a step at which no
            parameters were kept.

    """
    if "params" not in runs.attrs and "not_picked" in runs.attrs:
        raise ValueError(
            "the parameters were not kept at every step that stats.pick picked, and those of "
            "another step belong to other networks: run with keep_at= all record steps "
            "(runs.step.values), then pick"
        )
    if "params" not in runs.attrs:
        raise ValueError('no parameters were kept: run with keep=("prediction", "params")')
    nesting = json.loads(runs.attrs["params"])

    def values(name: str) -> np.ndarray:
        return np.asarray(runs[name].sel(**at_the_only_step(runs[name], where)))

    return parameters.rebuild(nesting, values)


def at_the_only_step(kept: xr.DataArray, where: Mapping[str, Any]) -> Mapping[str, Any]:
    """The labels without the step, if parameters were kept at that step only.

    Raises:
        KeyError: another step than that.
    """
    only = kept.attrs.get("kept_step")
    if "kept_step" in kept.coords and not kept.kept_step.ndim:
        only = kept.kept_step.item()
    if "kept_step" not in where or only is None:
        return where
    if where["kept_step"] != only:
        raise KeyError(
            f"parameters were kept at step {only} only, not at {where['kept_step']}: run with "
            f"keep_at=({where['kept_step']},)"
        )
    return {label: value for label, value in where.items() if label != "kept_step"}
