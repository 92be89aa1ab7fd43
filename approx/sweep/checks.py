"""Whether the data of a task are fit to train on, and whether recipes can share one result."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jax import random

from approx import tasks
from approx.sweep.plans import Plan, x64
from approx.tasks import Points, losses
from approx.training import evaluation, inputs, steps
from approx.training.recipes import record_steps


def check_data(plan: Plan, data: inputs.Data, points: Points, finite: Any) -> None:
    """Refuse data that are not finite, in any cell of the grid, and labels out of range.

    Raises:
        ValueError: naming the value.
    """
    task, (x, y) = plan.task, data.rows
    named: dict[str, Any] = {"x": x, "y": y, "x_test": points.x, "y_test": points.y}
    named |= (
        {}
        if data.validation is None
        else {"validation x": data.validation[0], "validation y": data.validation[1]}
    )
    if data.validation is not None and task.hold_out == "last":
        # Of the first cell, as the rows are
        first = np.asarray(points.x)[0], np.asarray(points.distance)[0]
        tasks.warn_of_tail(np.asarray(data.validation[0]), np.asarray(x), *first)
    for name, values in named.items():
        tasks.check_finite(name, values)
        if name.endswith(("y", "y_test")) and task.loss in losses.CORRECT:
            low, high = float(values.min()), float(values.max())
            most = classes(plan) - 1 if task.loss == "cross_entropy" else 1
            if low < 0 or high > most:
                label = f"{name} has the label {low if low < 0 else high:g}, but labels go from 0 to {most}"
                raise ValueError(
                    label + ("; see MLP(outputs=...)" if task.loss == "cross_entropy" else "")
                )
    if not np.all(finite):
        raise ValueError(
            f"the task's rows are not finite in cell {int(np.argmin(finite))} of its numbers' grid"
        )


def classes(plan: Plan) -> int:
    """How many outputs the model has."""

    def outputs():
        (x, _), *_ = inputs.prepare(inputs.streams(random.key(0)), plan.task, plan.recipe)
        return evaluation.predict(
            steps.init(random.key(0), plan.task, plan.recipe).params, x, plan.recipe
        )

    return jax.eval_shape(outputs).shape[1]


def check_alike(plans: Mapping[Any, Plan]) -> None:
    """Refuse recipes that cannot share the axes of one Dataset.

    Raises:
        ValueError: naming the recipes and what differs.

    """
    first_label, first = next(iter(plans.items()))
    for label, plan in list(plans.items())[1:]:
        if not np.array_equal(record_steps(plan.recipe), record_steps(first.recipe)):
            raise ValueError(
                f"{label!r} and {first_label!r} have different record steps: give them the same steps= and records="
            )
        check_same_points(label, plan, first_label, first)
        if recorded(plan) != recorded(first):
            raise ValueError(
                f"{label!r} and {first_label!r} record other things (validation, accuracy, points inside or outside)"
            )
        if "params" in plan.structure.keep.what and params_shapes(plan) != params_shapes(first):
            raise ValueError(
                f"{label!r} and {first_label!r} have other parameters: run them one by one to keep them"
            )


def check_same_points(label: Any, plan: Plan, first_label: Any, first: Plan) -> None:
    """Refuse two recipes that are judged at points, or against targets, of different shapes.

    Raises:
        ValueError: naming the recipes, both shapes, and whether the inputs or the targets differ.

    """
    (x, y, _), (first_x, first_y, _) = points_shape(plan), points_shape(first)
    pair = f"{label!r} and {first_label!r}"
    if x != first_x:
        raise ValueError(
            f"{pair} are judged at points of other shapes, {x} and {first_x}: run them one by one"
        )
    if y != first_y:
        named = [
            f"{shape} ({'labels' if len(shape) == 1 else 'columns of numbers'})"
            for shape in (y, first_y)
        ]
        raise ValueError(
            f"{pair} have targets of other shapes, {' and '.join(named)}: run them one by one"
        )


def recorded(plan: Plan) -> tuple[bool, ...]:
    """Whether there are validation rows, an accuracy, test points at all, and such inside the range
    and outside.
    """
    distance = np.asarray(tasks.Points(*plan.task.points()).distance)
    accuracy = plan.task.correct is not None or plan.task.loss in losses.CORRECT
    tested = plan.task.tested
    return (
        bool(plan.task.validation),
        accuracy,
        tested,
        bool((distance <= 0).any()),
        bool((distance > 0).any()),
    )


def points_shape(plan: Plan) -> Any:
    """Shapes of the task's points."""
    return jax.tree.map(lambda s: s.shape, jax.eval_shape(lambda: tuple(plan.task.points())))


def params_shapes(plan: Plan) -> Any:
    """Names and shapes of the parameters."""
    with x64(plan.recipe):
        state = jax.eval_shape(lambda: steps.init(random.key(0), plan.task, plan.recipe))
    return jax.tree_util.tree_flatten_with_path(jax.tree.map(lambda s: s.shape, state.params))
