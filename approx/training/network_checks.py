"""Whether a loss that sees the network fits its task and its recipe, found from shapes alone."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from approx.models import scalings
from approx.numerics import lanes
from approx.tasks import Task, losses
from approx.training import network_losses
from approx.training.recipes import Recipe


def check_network_loss(task: Task, recipe: Recipe, shapes: Any) -> None:
    """Refuse a loss that sees the network and does not fit its task and its recipe.

    Args:
        task: whose loss it is.
        recipe: how it is learned.
        shapes: of data, parameters and outputs, as `checks.Shapes` has them.

    Raises:
        TypeError: a function that gives something else than real numbers.
        ValueError: terms or targets of shapes that do not fit; a network with batch normalisation.
    """
    outputs = shapes.outputs
    if outputs.ndim != 2 or outputs.shape[0] != shapes.inputs.shape[0]:
        raise ValueError(
            f"the model's outputs have shape {outputs.shape} for {shapes.inputs.shape[0]} rows; "
            "they must be (rows, outputs)"
        )
    if scalings.mixes_rows(recipe.model, shapes.params):
        raise ValueError(
            "a loss that sees the network cannot train one with batch normalisation, whose outputs "
            "at a point depend on the other points of the call; take a network without it"
        )
    for name, values in terms_of(task, recipe, shapes, rows=shapes.inputs.shape[0]).items():
        check_term(name, values, task)
    check_partial_batches(task, recipe, shapes)
    check_judged(task, shapes)
    for one in recipe.rules:
        if one.of == "validation_r2" and shapes.targets.shape[1:] != outputs.shape[1:]:
            raise ValueError(
                f"{one} looks at R², and the task's targets {shapes.targets.shape} have another "
                f"shape than the outputs {outputs.shape}: say another of="
            )


def shown(task: Task, recipe: Recipe, shapes: Any, rows: int, weighted: bool = False) -> Any:
    """Shapes of the parameters, and of so many rows with or without weights."""
    dtype = recipe.dtype
    x = jax.ShapeDtypeStruct((rows, *shapes.inputs.shape[1:]), dtype)
    of_labels = jnp.issubdtype(shapes.targets.dtype, jnp.integer)
    kind = shapes.targets.dtype if of_labels else dtype
    y = jax.ShapeDtypeStruct((rows, *shapes.targets.shape[1:]), kind)
    weights = jax.ShapeDtypeStruct((rows,), dtype) if weighted else None
    cast = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, dtype), shapes.params)
    return cast, (x, y, weights)


def terms_of(task: Task, recipe: Recipe, shapes: Any, rows: int) -> dict[str, Any]:
    """Shapes of what a user's function gives for so many rows, by the names of the terms.

    Raises:
        TypeError: something else than real numbers.
    """
    loss: Any = task.loss

    def given(params: Any, rows: Any) -> dict[str, Any]:
        found = network_losses.seen_by(params, rows, task.numbers, loss, recipe)
        if not isinstance(found, Mapping):
            found = {"": found}
        for name, values in found.items():
            if not isinstance(values, jax.Array | float | int):
                raise TypeError(
                    f"{called(name)} is {values!r}; a loss that sees the network gives an array, "
                    "or terms by name, {'equation': array, ...}"
                )
        return {name: jnp.asarray(values) for name, values in found.items()}

    return jax.eval_shape(given, *shown(task, recipe, shapes, rows))


def called(name: Any) -> str:
    """A term in words."""
    return f"the term {name!r} of the loss" if name else "the loss"


def check_term(name: Any, values: Any, task: Task) -> None:
    """Refuse a term whose name is no word, or whose shape or type does not fit.

    Raises:
        TypeError: numbers that are not real, or whole numbers.
        ValueError: another name or shape.
    """
    if name and not (isinstance(name, str) and name.isidentifier()):
        raise ValueError(f"{called(name)} needs a name that Python could have, such as 'equation'")
    if not jnp.issubdtype(values.dtype, jnp.floating):
        raise TypeError(f"{called(name)} is of type {values.dtype}; it must be of real numbers")
    loss: Any = task.loss
    if loss.squared or values.ndim < 2:
        return
    raise ValueError(
        f"{called(name)} has shape {values.shape}; it must be one value per row (n,), or one "
        "number: write (...)[:, 0], or sum over axis 1"
    )


def check_partial_batches(task: Task, recipe: Recipe, shapes: Any) -> None:
    """Refuse terms that mix the rows of a batch, where the last batch of an epoch is filled up.

    Raises:
        ValueError: with the term and the batch size.
    """
    n, size = shapes.inputs.shape[0], recipe.batch_size
    in_epochs = recipe.batches in ("epoch", "once", "order") and not recipe.drop_last
    if not (in_epochs and size and n % size):
        return
    cast, rows = shown(task, recipe, shapes, size, weighted=True)
    of_rows = network_losses.dependent(task, recipe, cast, rows)
    for name, values in terms_of(task, recipe, shapes, rows=size).items():
        has_rows = values.ndim > 0 and values.shape[0] == size
        if has_rows == of_rows[name]:
            continue
        why = "depends on the batch and has no value for each row"
        if has_rows:
            why = "has as many values as a batch has rows, and does not depend on the batch"
        raise ValueError(
            f"{called(name)} {why}, and batch_size={size} leaves a partial batch of the {n} rows, "
            "which is filled up with rows that do not count: take a divisor, drop_last=True, or "
            'batches="replacement"'
        )
    check_rows_apart(task, recipe, shapes)


def check_rows_apart(task: Task, recipe: Recipe, shapes: Any) -> None:
    """Refuse values of rows that depend on the rows which fill up the last batch of an epoch.

    The program of the loss shows that most losses keep rows apart. Of any other loss the values are
    computed twice, from made-up rows, with other numbers in the rows that do not count.

    Raises:
        ValueError: with the term and the batch size.
    """
    n, size = shapes.inputs.shape[0], recipe.batch_size or 1
    cast, rows = shown(task, recipe, shapes, size, weighted=True)
    of_rows = network_losses.dependent(task, recipe, cast, rows)
    loss: Any = task.loss
    numbers = {name: np.ones((), recipe.dtype) for name in task.numbers}

    def values(x: Any, y: Any, weights: Any, params: Any) -> dict[str, Any]:
        found = network_losses.terms(params, (x, y, weights), numbers, loss, recipe)
        return {name: found[name] for name in found if of_rows[name]}

    program = jax.make_jaxpr(values)(*rows, cast)
    others = len(program.jaxpr.invars) - 3
    if not lanes.mixed_rows(program, [lanes.OF_ROWS] * 3 + [lanes.FREE] * others, size):
        return
    counted = np.arange(size) < n % size
    x, y, params = made_up((*rows[:2], cast))
    weights = counted.astype(recipe.dtype)
    with jax.ensure_compile_time_eval():
        told = jax.jit(values)
        first = told(x, y, weights, params)
        for shift in (-50, 50):
            moved = [replaced(array, counted, shift) for array in (x, y)]
            second = told(*moved, weights, params)
            for name in first:
                one, other = (np.asarray(found[name])[counted] for found in (first, second))
                if not np.allclose(one, other, rtol=1e-4, equal_nan=True):
                    raise mixing(name, n, size)


def mixing(name: str, n: int, size: int) -> ValueError:
    """The error of a term whose value for a row depends on rows that do not count."""
    return ValueError(
        f"{called(name)} has values of rows that depend on other rows of the batch, and "
        f"batch_size={size} leaves a partial batch of the {n} rows, which is filled up with rows "
        'that do not count: take a divisor, drop_last=True, batches="replacement", or weigh the '
        "rows by batch.weights"
    )


def made_up(shapes: Any) -> Any:
    """Arrays of these shapes and types: numbers from 0.1 to 0.9, and labels of the first class."""
    generator = np.random.default_rng(0)
    return jax.tree.map(
        lambda leaf: generator.uniform(0.1, 0.9, leaf.shape).astype(leaf.dtype), shapes
    )


def replaced(values: Any, counted: Any, shift: int) -> Any:
    """Numbers that are moved by `shift` in the rows that do not count; labels stay."""
    if not np.issubdtype(values.dtype, np.floating):
        return values
    moved = values.copy()
    moved[~counted] += shift
    return moved


def check_judged(task: Task, shapes: Any) -> None:
    """Refuse targets of the test points, and a rule of what is correct, that do not fit.

    Raises:
        ValueError: with the shapes.
    """
    outputs = shapes.outputs
    if task.correct is not None:
        right = jax.eval_shape(task.correct, outputs, shapes.targets)
        if right.shape != outputs.shape[:1]:
            raise ValueError(
                f"correct gives one value per row, shape {outputs.shape[:1]}; the task's gives "
                f"{right.shape}"
            )
    if not task.tested:
        return
    points = shapes.points
    at_points = jax.ShapeDtypeStruct((points.x.shape[0], outputs.shape[1]), outputs.dtype)
    loss: Any = task.loss
    if points.y.shape != at_points.shape:
        raise ValueError(
            f"the task's targets at the test points have shape {points.y.shape}, and the model's "
            f"outputs there {at_points.shape}: test={loss.test!r} compares the two; further "
            "targets, such as slopes, belong to the training rows alone; see MLP(outputs=...)"
        )
    of_points = jax.eval_shape(losses.find(loss), at_points, points.y)
    if of_points.shape != at_points.shape[:1]:
        raise ValueError(
            f"test gives one value per row, shape {at_points.shape[:1]}; {loss.test!r} gives "
            f"{of_points.shape}"
        )
