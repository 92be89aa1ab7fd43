"""Losses that see the network: their terms, what is minimised, and their residuals.

Everything is written for one network. `in_lanes_sums` has `numerics.lanes` compute it for many.

Shape letters: n rows, i inputs, o outputs, m residuals, p parameters.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.interpreters import partial_eval
from jaxtyping import Array, PyTree

from approx import models
from approx.numerics.lanes import in_lanes
from approx.numerics.products import ravel, sum_row_by_row, take, unravel
from approx.tasks import Task
from approx.tasks.losses import OfNetwork, Seen
from approx.training.inputs import Batch
from approx.training.recipes import Recipe

Rows = tuple[Array, Array, Array | None]  # inputs, targets, and weights or None


def network_of(params: PyTree, recipe: Recipe, inputs: int, key: Any = None) -> Callable:
    """A network as a function of points (n, i), or of one point (i,).

    Args:
        params: of the network.
        recipe: says which model.
        inputs: i.
        key: for dropout; None for none.
    """

    def network(x: Any) -> Array:
        points = jnp.asarray(x)
        if points.ndim not in (1, 2) or points.shape[-1] != inputs:
            raise ValueError(
                f"the network is called with an array of shape {points.shape}; it takes points of "
                f"shape (n, {inputs}), or one point of shape ({inputs},)"
            )
        points = points.astype(recipe.dtype)
        if points.ndim == 1:
            return models.outputs(recipe.model, params, points[None], key)[0]
        return models.outputs(recipe.model, params, points, key)

    return network


def terms(
    params: PyTree, rows: Rows, numbers: dict[str, Any], loss: OfNetwork, recipe: Recipe, key=None
) -> dict[str, Array]:
    """The terms of a loss by name, with a value for each of k rows or points (k,), or one ().

    Residuals are squared, and summed over their columns.
    """
    found = as_given(params, rows, numbers, loss, recipe, key)
    if not loss.squared:
        return found
    return {name: squared(values) for name, values in found.items()}


def as_given(
    params: PyTree, rows: Rows, numbers: dict[str, Any], loss: OfNetwork, recipe: Recipe, key=None
) -> dict[str, Array]:
    """What a user's function gives, by the names of the terms: losses, or residuals."""
    found = seen_by(params, rows, numbers, loss, recipe, key)
    return {name: jnp.asarray(values) for name, values in found.items()}


def seen_by(
    params: PyTree, rows: Rows, numbers: dict[str, Any], loss: OfNetwork, recipe: Recipe, key=None
) -> dict[str, Any]:
    """What a user's function gives when it is shown the network and the rows."""
    x, y, weights = rows
    network = network_of(params, recipe, x.shape[1], key)
    given = {name: jnp.asarray(value, recipe.dtype) for name, value in numbers.items()}
    return loss(network, Seen(x, y, weights, given))


def squared(residuals: Array) -> Array:
    """The squares of residuals, summed over all axes but the first."""
    return (residuals**2).sum(tuple(range(1, residuals.ndim)))


def mean_of(values: Array, weights: Array | None) -> Array:
    """The mean of a term over its first axis, with the weights of the rows where it has rows."""
    if values.ndim == 0:
        return values
    if weights is None or len(values) != len(weights):
        return values.mean(0)
    return (values * weights).sum(0) / weights.sum(0)


def means(
    params: PyTree, rows: Rows, numbers: dict[str, Any], loss: OfNetwork, recipe: Recipe, key=None
) -> dict[str, Array]:
    """The mean of each term; their sum is what is minimised."""
    found = terms(params, rows, numbers, loss, recipe, key)
    return {name: mean_of(values, rows[2]) for name, values in found.items()}


# ---- terms of rows, and others -------------------------------------------------------------------


def dependent(task: Task, recipe: Recipe, params: Any, rows: Any) -> dict[str, bool]:
    """For each term of a loss, whether it depends on the inputs or the targets of the batch.

    Args:
        task: whose loss it is.
        recipe: says which model.
        params: shapes of one network's.
        rows: shapes of inputs and targets, and of weights or None.
    """
    loss: Any = task.loss
    x, y, weights = rows
    numbers = {name: jax.ShapeDtypeStruct((), recipe.dtype) for name in task.numbers}

    def of_rows(x: Any, y: Any, params: Any, weights: Any, numbers: Any) -> Any:
        return terms(params, (x, y, weights), numbers, loss, recipe)

    program, found = jax.make_jaxpr(of_rows, return_shape=True)(x, y, params, weights, numbers)
    leaves = jax.tree.leaves(found)
    answers = []
    for place in range(len(leaves)):
        wanted = [n == place for n in range(len(leaves))]
        answers.append(any(partial_eval.dce_jaxpr(program.jaxpr, wanted)[1][:2]))
    return jax.tree.unflatten(jax.tree.structure(found), answers)


# ---- many networks, whose axis is the last -------------------------------------------------------


def lanes_means(
    params: PyTree, rows: tuple[Array, Array], task: Task, recipe: Recipe
) -> dict[str, Array]:
    """The mean of each term over all rows (x, y), of S networks: (S,)."""
    found, n, _ = in_lanes_sums(params, Batch(*rows), task, recipe, graded=False)
    return {name: values / n for name, values in found.items()}


def in_lanes_sums(
    params: PyTree, batch: Batch, task: Task, recipe: Recipe, graded: bool
) -> tuple[dict[str, Array], Any, PyTree]:
    """The terms of S networks, times the number of rows, and the gradient of their sum.

    Terms of rows are computed row by row and added up, the others once.

    Args:
        params: of S networks.
        batch: of rows, which a weight may leave out.
        task: whose loss sees the network.
        recipe: says which model.
        graded: whether the gradient is wanted; else it is None.

    Returns:
        Each term (S,) times n; n, a number or (S,); the gradient of the sum of the terms.
    """
    loss: Any = task.loss
    numbers = {name: as_lanes(value, recipe) for name, value in task.numbers.items()}
    of_rows = names_of_rows(params, batch, task, recipe)

    def chosen(params: PyTree, rows: Rows, numbers: Any, wanted: bool) -> Any:
        """The sum of each term of rows, or each of the others; and the sum of them all."""
        found = terms(params, rows, numbers, loss, recipe)
        sums = {}
        for name, values in found.items():
            if of_rows[name] and wanted:
                sums[name] = (values if rows[2] is None else values * rows[2]).sum(0)
            elif not (of_rows[name] or wanted):
                sums[name] = mean_of(values, None)
        return sum(sums.values(), jnp.zeros((), recipe.dtype)), sums

    def values_of(params: PyTree, rows: Rows, numbers: Any, wanted: bool) -> Any:
        """What `chosen` sums up, and the gradient of it all; None if no gradient is wanted."""
        if not graded:
            return chosen(params, rows, numbers, wanted)[1], None
        with_slope = jax.value_and_grad(chosen, has_aux=True)
        (_, sums), gradient = with_slope(params, rows, numbers, wanted)
        return sums, gradient

    def row(shown: Any, weights: Any) -> Any:
        """The terms that one row of the batch adds for every network, and their gradient."""
        x, y = shown
        if batch.which is not None:
            x, y = take(batch.x, x), take(batch.y, x)
        return in_lanes(partial(values_of, wanted=True), params, (x, y, weights), numbers)

    shown: Any = (batch.x, batch.y)
    if batch.which is not None:
        shown = (batch.which, batch.which)
    summed, gradient = sum_row_by_row(row, shown, batch.weights)
    n = len(shown[0]) if batch.weights is None else batch.weights.sum(0)

    # Terms that do not depend on the rows are shown a row of zeros
    one = jax.tree.map(lambda values: jnp.zeros_like(values[:1]), (batch.x, batch.y))
    once = partial(values_of, wanted=False)
    others, of_others = in_lanes(once, params, (*one, None), numbers)
    found = summed | {name: values * n for name, values in others.items()}
    gradient = jax.tree.map(lambda a, b: a / n + b, gradient, of_others)
    return found, n, gradient


def as_lanes(value: Any, recipe: Recipe) -> Array:
    """A number of the task, as (S,), or as (1,) if all networks share it."""
    return jnp.asarray(value, recipe.dtype).reshape(-1)


def names_of_rows(params: PyTree, batch: Batch, task: Task, recipe: Recipe) -> dict[str, bool]:
    """Which terms depend on the rows, found from the shapes of S networks' arrays."""
    one, x, y = jax.tree.map(
        lambda values: jax.ShapeDtypeStruct(values.shape[:-1], values.dtype),
        (params, batch.x, batch.y),
    )
    return dependent(task, recipe, one, (x, y, None))


# ---- squares, for Levenberg-Marquardt ------------------------------------------------------------


def residual_vector(params: PyTree, rows: Rows, task: Task, recipe: Recipe) -> Array:
    """Residuals (m,) whose sum of squares is n times the loss.

    A term with k values has the factor `sqrt(n / k)`.
    """
    loss: Any = task.loss
    n = len(rows[0])
    parts = []
    for values in as_given(params, rows, task.numbers, loss, recipe).values():
        count = len(values) if values.ndim else 1
        parts.append(values.reshape(-1) * (n / count) ** 0.5)
    return jnp.concatenate(parts)


def residual_count(task: Task, recipe: Recipe, params: PyTree, rows: tuple[Any, Any]) -> int:
    """How many residuals there are: m, or 0 of a loss that is not given as residuals.

    Args:
        task: whose loss sees the network.
        recipe: says which model.
        params: of one network, or their shapes.
        rows: inputs and targets, or their shapes.
    """
    loss: Any = task.loss
    if not loss.squared:
        return 0

    def vector(params: PyTree, x: Array, y: Array) -> Array:
        return residual_vector(params, (x.astype(recipe.dtype), y, None), task, recipe)

    return jax.eval_shape(vector, params, *rows).size


def linearised(params: PyTree, rows: Rows, task: Task, recipe: Recipe) -> tuple[Array, Array]:
    """The residuals (m,) and their Jacobian (m, p), in forward mode: a pass for each parameter."""

    def of_point(point: Array) -> Array:
        return residual_vector(unravel(point, params), rows, task, recipe)

    point = ravel(params)
    values, push = jax.linearize(of_point, point)
    columns = jax.vmap(push)(jnp.eye(len(point), dtype=point.dtype))
    return values, columns.T
