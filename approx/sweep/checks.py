"""Whether the data of a task are fit to train on, and whether recipes can share one result."""

from collections.abc import Sequence
from typing import Any, cast

import jax
import numpy as np

from approx import tasks
from approx.sweep.facts import Entry, Facts, x64
from approx.tasks import Points, losses
from approx.training import inputs
from approx.training.loop import Keep, start

# ---- data ----------------------------------------------------------------------------------------


def check_data(facts: Facts, data: inputs.Data, points: Points, finite: Any) -> None:
    """Refuse data that are not finite, in any cell of the grid, and labels out of range.

    Args:
        facts: of the task and the recipe.
        data: that the first training is shown.
        points: of every cell of the grid, with an axis of cells first.
        finite: whether all data of each cell are finite, (cells,).

    Raises:
        ValueError: naming the value.

    """
    x, y = data.rows
    shown: dict[str, Any] = {"x": x, "x_test": points.x}
    y_test: Any = points.y
    judged = y_test.shape[1] - facts.task.unjudged
    targets: dict[str, Any] = {"y": y}
    if judged:
        targets["y_test"] = y_test[:, :judged]
    if data.validation is not None:
        shown["validation x"], targets["validation y"] = data.validation
        if facts.task.validation and facts.task.hold_out == "last":
            warn_of_tail(data, points)
    for name, values in (shown | targets).items():
        tasks.check_finite(name, values)
    if facts.task.loss in losses.CORRECT and facts.task.loss not in losses.SIDES:
        for name, labels in targets.items():
            check_range(name, labels, facts)
    finite = np.asarray(finite)
    if not finite.all():
        raise ValueError(
            f"the task's rows are not finite in cell {int(np.argmin(finite))} of its numbers' grid"
        )


def warn_of_tail(data: inputs.Data, points: Points) -> None:
    """Warn of validation rows that are the end of sorted rows, of the first cell of the grid."""
    held_out, _ = cast(tuple, data.validation)
    x, _ = data.rows
    judged = np.asarray(points.x)[0]
    distance = np.asarray(points.distance)[0]
    tasks.warn_of_tail(np.asarray(held_out), np.asarray(x), judged, distance)


def check_range(name: str, labels: Any, facts: Facts) -> None:
    """Refuse labels that are no class of the model's."""
    there = np.asarray(labels)
    low, high = float(there.min()), float(there.max())
    most, advice = 1, ""
    if facts.task.loss == "cross_entropy":
        most, advice = facts.outputs - 1, "; see MLP(outputs=...)"
    if low < 0 or high > most:
        label = low if low < 0 else high
        raise ValueError(f"{name} has the label {label:g}, but labels go from 0 to {most}{advice}")


# ---- several recipes -----------------------------------------------------------------------------


def check_alike(entries: Sequence[Entry], keep: Keep) -> None:
    """Refuse recipes that cannot share the axes of one Dataset.

    Raises:
        ValueError: naming the recipes and what differs.

    """
    if len(entries) < 2:
        return
    first, *others = entries
    for entry in others:
        pair = f"{entry.label!r} and {first.label!r}"
        if not np.array_equal(entry.facts.recorded, first.facts.recorded):
            raise ValueError(
                f"{pair} have different record steps: give them the same steps= and records="
            )
        check_same_points(pair, entry.facts, first.facts)
        check_same_records(entry, first)
        if "params" in keep.what and shapes_of(entry) != shapes_of(first):
            raise ValueError(f"{pair} have other parameters: run them one by one to keep them")
        if "state" in keep.what and not states_alike(entry, first):
            raise ValueError(
                f"{pair} have states of other shapes: run them one by one to keep them"
            )


def check_same_records(entry: Entry, first: Entry) -> None:
    """Refuse two recipes of which one records what the other does not.

    Raises:
        ValueError: naming the recipes and all that only one of them has.
    """
    differences = []
    there, first_there = recorded(entry.facts), recorded(first.facts)
    for what, has, first_has in zip(RECORDED, there, first_there, strict=True):
        if has == first_has:
            continue
        having, other = (entry, first) if has > first_has else (first, entry)
        rest = "fewer" if has and first_has else "none"
        differences.append(f"{having.label!r} has {what}, {other.label!r} has {rest}")
    if differences:
        raise ValueError(
            f"recipes of one result record the same: {'; '.join(differences)}. Run them one by one"
        )


def check_same_points(pair: str, facts: Facts, first: Facts) -> None:
    """Refuse two recipes that are judged at points, or against targets, of different shapes.

    Labels of so many classes and rows of so many numbers may stand side by side.

    Args:
        pair: both labels, for the message.
        facts: of one recipe. first: of the other.

    Raises:
        ValueError: naming the recipes, both shapes, and whether the inputs or the targets differ.

    """
    x, first_x = facts.points.x.shape, first.points.x.shape
    if x != first_x:
        raise ValueError(
            f"{pair} are judged at points of other shapes, {x} and {first_x}: run them one by one"
        )
    y, first_y = facts.points.y.shape, first.points.y.shape
    of_classes = len(y) != len(first_y) and facts.outputs == first.outputs
    if y != first_y and not of_classes:
        named = f"{kind_of_targets(y)} and {kind_of_targets(first_y)}"
        raise ValueError(f"{pair} have targets of other shapes, {named}: run them one by one")


def kind_of_targets(shape: tuple[int, ...]) -> str:
    """The shape of targets, and what targets of this shape are."""
    kind = "labels" if len(shape) == 1 else "columns of numbers"
    return f"{shape} ({kind})"


# What `recorded` finds, in its order
RECORDED = (
    "validation rows",
    "an accuracy (from the loss or from correct=)",
    "test targets",
    "test points inside the training range",
    "test points outside the training range",
    "points without targets",
)


def recorded(facts: Facts) -> tuple[int, ...]:
    """Which losses are recorded.

    Returns:
        Whether there are validation rows, an accuracy, test points, test points inside the training
        range, and test points outside it; how many points have no target.

    """
    task = facts.task
    distance = np.asarray(Points(*task.points()).distance)
    accuracy = task.correct is not None or task.loss in losses.CORRECT
    inside, outside = bool((distance <= 0).any()), bool((distance > 0).any())
    return task.validated, accuracy, task.tested, inside, outside, task.unjudged


def states_alike(entry: Entry, first: Entry) -> bool:
    """Whether the last states of two recipes are arrays of the same shapes and types."""
    return state_shapes(entry) == state_shapes(first)


def state_shapes(entry: Entry) -> list[tuple[tuple[int, ...], Any]]:
    """Shapes and types of the arrays of a training's state."""
    task, recipe = entry.facts.task, entry.facts.recipe

    def begun() -> Any:
        state, _ = start(jax.random.key(0), task, recipe, checked=True)
        return state

    with x64(recipe):
        state = jax.eval_shape(begun)
    return [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(state)]


def shapes_of(entry: Entry) -> Any:
    """Names and shapes of the parameters."""
    shapes = jax.tree.map(lambda leaf: leaf.shape, entry.facts.params)
    return jax.tree_util.tree_flatten_with_path(shapes)
