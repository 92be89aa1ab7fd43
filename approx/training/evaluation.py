"""What a network gives on some rows: outputs, loss, and what rules that train want of the loss.

Everything is written for one network. `batching` says how it is run on many (see `Batching`).
`EVALUATIONS` has the function for each of the things that a rule can want.

Shape letters: n rows, i inputs, o outputs, p parameters.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Key, PyTree

from approx import models
from approx.numerics.products import (
    LANES,
    ONE,
    Batching,
    gram,
    identity,
    merged,
    networks_of,
    of_networks,
    ravel,
    take,
    units,
)
from approx.tasks import Task, losses
from approx.training import network_losses
from approx.training.inputs import Batch
from approx.training.recipes import Recipe
from approx.training.rules import GRADIENT, SQUARES, SUM, Gradient, Slope, Squares, is_dual

# These rules make a row with outputs that are not finite incorrect by themselves.
KNOWN_RULES = (*losses.RULES, *losses.CORRECT.values())


def predict(
    params: PyTree,
    x: Float[ArrayLike, "n i ..."],
    recipe: Recipe,
    key: Key[Array, "..."] | None = None,
    weights: Array | None = None,
) -> Array:
    """Outputs (n, o) of the recipe's model.

    Args:
        params: the model's parameters.
        x: inputs (n, i).
        recipe: says which model.
        key: for dropout, as in training; None for no dropout.
        weights: of the rows, 0 or 1: batch normalisation counts those of weight 1; None is all.
    """
    return models.outputs(recipe.model, params, jnp.asarray(x), key, weights)


def penalty(params: PyTree, recipe: Recipe, per: Any = None) -> Array | float:
    """`l2 Σ w² + l1 Σ |w|` over the parameters that `l2_on` names, divided by `per` if given."""
    if not recipe.penalised:
        return 0.0
    leaves = jax.tree.leaves(models.trained(params))
    if recipe.l2_on != "all":
        leaves = [leaf for leaf in leaves if leaf.ndim >= 2]
    if recipe.l2_on == "hidden":
        leaves = leaves[:-1]
    total: Any = 0.0
    if recipe.l2 is not None:
        total = recipe.l2 * sum((leaf**2).sum() for leaf in leaves)
    if recipe.l1 is not None:
        total = total + recipe.l1 * sum(magnitude(leaf).sum() for leaf in leaves)
    return total if per is None else total / per


def magnitude(w: Array) -> Array:
    """`|w|`, whose slope at 0 is 0 here; that of `jnp.abs` is 1."""
    return jnp.maximum(w, -w)


def rows_per_penalty(recipe: Recipe, n: Any) -> Any:
    """What a penalty is divided by in the loss per row of a batch of n rows; None for nothing.

    See `Recipe`. With the sum of the rows' losses, the loss per row has the n-th part of it.
    """
    per = n if recipe.l2_per == "rows" else None
    if recipe.reduction == "sum":
        return n if per is None else n * n
    return per


def loss(
    params: PyTree,
    x: Float[ArrayLike, "n i ..."],
    y: Array,
    task: Task,
    recipe: Recipe,
    key: Key[Array, "..."] | None = None,
) -> Float[Array, ""]:
    """The loss that is minimised, per row: `mean_n loss(f(x), y) + l2 Σ w²`.

    Args:
        params: the model's parameters.
        x: inputs (n, i).
        y: targets (n, o), or labels (n,).
        task: says which loss.
        recipe: says which model, and l2.
        key: for dropout; None for none.
    """
    if isinstance(task.loss, losses.OfNetwork):
        return value_alone(params, Batch(jnp.asarray(x), y), task, recipe, key)
    outputs = predict(params, x, recipe, key)
    of_rows = losses.find(task.loss)(outputs, y)
    return of_rows.mean(0) + penalty(params, recipe, rows_per_penalty(recipe, len(of_rows)))


def is_correct(outputs: Array, y: Array, task: Task) -> Array | None:
    """Which rows are correct (1 or 0), or None if the task does not say what is correct.

    A row whose outputs are not all finite is never correct, whatever the task's own rule makes of
    nan.
    """
    correct = task.correct
    if correct is None and isinstance(task.loss, str):
        correct = losses.CORRECT.get(task.loss)
    if correct is None:
        return None
    if correct in KNOWN_RULES:
        return correct(outputs, y).astype(outputs.dtype)
    right = of_networks(correct)(outputs, y).astype(outputs.dtype)
    return jnp.where(losses.is_finite(outputs), right, 0)


def mean_where(weights: Array, values: Array) -> Array:
    """Mean over the points of weight 1; the others may be infinite without harm."""
    counted = jnp.where(weights > 0, values, 0)
    return counted.sum(0) / weights.sum(0)


# ---- first order: the gradient of a batch --------------------------------------------------------


class Sums(NamedTuple):
    """Sums over rows: of losses, of correct rows (or None), and of weights (or None)."""

    loss: Array
    correct: Array | None
    weights: Array | None


def row_sums(
    params: PyTree, rows: tuple, task: Task, recipe: Recipe, key=None, batching: Batching = ONE
) -> Sums:
    """Losses, correct rows and weights, summed over rows (x, y, weights or None)."""
    if isinstance(task.loss, losses.OfNetwork):
        return network_sums(params, rows, task, recipe, key)
    x, y, weights = rows
    outputs = predict(params, x, recipe, key, weights)
    of_rows = losses.find(task.loss)(outputs, y)
    values = of_rows, is_correct(outputs, y, task)
    if weights is not None:
        values = jax.tree.map(lambda value: value * weights, values)
    summed = jax.tree.map(lambda value: value.sum(0), (*values, weights))
    return batching.finish(Sums(*summed))


def network_means(
    params: PyTree, rows: tuple, task: Task, recipe: Recipe, batching: Batching
) -> dict[str, Array]:
    """The terms of a loss that sees the network, by name, each a mean over all rows (x, y)."""
    if batching is LANES:
        return network_losses.lanes_means(params, rows, task, recipe)
    loss: Any = task.loss
    return network_losses.means(params, (*rows, None), task.numbers, loss, recipe)


def network_sums(params: PyTree, rows: tuple, task: Task, recipe: Recipe, key: Any) -> Sums:
    """`row_sums` of a loss that sees the network: its value times the number of rows that count."""
    x, y, weights = rows
    loss: Any = task.loss
    means = network_losses.means(params, rows, task.numbers, loss, recipe, key)
    total: Any = sum(means.values())
    n: Any = len(x) if weights is None else weights.sum(0)
    correct = None
    if task.correct is not None:
        right: Any = is_correct(predict(params, x, recipe, key), y, task)
        correct = (right if weights is None else right * weights).sum(0)
    return Sums(total * n, correct, None if weights is None else n)


def lanes_slope(params: PyTree, batch: Batch, task: Task, recipe: Recipe) -> tuple[Sums, PyTree]:
    """`row_sums` of many networks of a loss that sees the network, and their gradient."""
    found = network_losses.in_lanes_sums(params, batch, task, recipe, graded=True)
    summed, n, gradient = found
    total: Any = sum(summed.values())
    weights = None if batch.weights is None else n
    return Sums(total, None, weights), jax.tree.map(lambda g: g * n, gradient)


def slope(
    params: PyTree, batch: Batch, task: Task, recipe: Recipe, key=None, batching: Batching = ONE
) -> Gradient:
    """Gradient and value of the loss that is minimised, on a batch; see `Gradient`.

    The gradient of the sum of many networks' losses is each network's own. The rows that an index
    names are taken where they are needed: row by row that is faster than to take all before.
    """

    def gradient_of_sums(*rows):
        *shown, weights = rows
        if batch.which is not None:
            shown = [take(batch.x, *shown), take(batch.y, *shown)]

        def total(params):
            sums = row_sums(params, (*shown, weights), task, recipe, key, batching)
            return sums.loss.sum(), sums

        (_, sums), gradient = jax.value_and_grad(total, has_aux=True)(params)
        return sums, gradient

    rows: tuple[Array, ...] = batch.x, batch.y
    if batch.which is not None:
        rows = (batch.which,)
    sum_rows = batching.sum_rows
    # A dropout mask is drawn for all rows at once
    if getattr(recipe.model, "dropout", None) is not None:
        sum_rows = ONE.sum_rows
    if batching is LANES and isinstance(task.loss, losses.OfNetwork):
        sums, gradient = lanes_slope(params, batch, task, recipe)
    else:
        sums, gradient = sum_rows(gradient_of_sums, *rows, batch.weights)
    n = len(rows[0]) if sums.weights is None else sums.weights
    gradient = jax.tree.map(lambda g: g / n, gradient)
    value = sums.loss / n
    if recipe.penalised:
        extra, extra_gradient = batching.each(jax.value_and_grad(penalty))(params, recipe)
        per = rows_per_penalty(recipe, n)
        if per is not None:
            extra, extra_gradient = jax.tree.map(lambda a: a / per, (extra, extra_gradient))
        gradient = jax.tree.map(jnp.add, gradient, extra_gradient)
        value = value + extra
    correct = None if sums.correct is None else sums.correct / n

    def objective(params):
        return value_alone(params, batch, task, recipe, key)

    return Gradient(gradient, value, correct, n, objective)


def descended(
    params: PyTree, batch: Batch, task: Task, recipe: Recipe, key=None, batching: Batching = ONE
) -> Gradient:
    """`slope`, whose gradient and objective are those of the sum over rows where that is descended.

    The value stays that per row.
    """
    found = slope(params, batch, task, recipe, key, batching)
    if recipe.reduction == "mean":
        return found
    gradient = jax.tree.map(lambda g: g * found.n, found.gradient)
    return found._replace(gradient=gradient, objective=lambda w: found.objective(w) * found.n)


def value_alone(params: PyTree, batch: Batch, task: Task, recipe: Recipe, key=None) -> Array:
    """The loss that is minimised, of one network on a batch."""
    x, y = batch.x, batch.y
    if batch.which is not None:
        x = take(x, batch.which)
        y = take(y, batch.which)
    sums = row_sums(params, (x, y, batch.weights), task, recipe, key)
    n = len(x) if sums.weights is None else sums.weights
    return sums.loss / n + penalty(params, recipe, rows_per_penalty(recipe, n))


# ---- second order: all rows, at a point that the rule chooses ------------------------------------


def total(
    params: PyTree, batch: Batch, task: Task, recipe: Recipe, key=None, batching: Batching = ONE
) -> Slope:
    """The loss that is minimised times the number of rows, and its gradient as a vector."""
    del key
    found = slope(params, batch, task, recipe, None, batching)
    value = found.value * found.n
    return Slope(value, ravel(found.gradient, found.value.shape) * found.n)


def residuals(
    params: PyTree, x: Array, y: Array, task: Task, recipe: Recipe
) -> tuple[Array, Array]:
    """Residuals (n o,), `f(x) - y` for most losses, and their Jacobian (n o, p)."""

    def of_row(x, y):
        def residual(params):
            outputs = predict(params, x[None], recipe)
            return losses.RESIDUALS[str(task.loss)](outputs, y[None])[0]

        values, pull = jax.vjp(residual, params)
        slopes = jax.vmap(lambda unit: ravel(pull(unit)[0], networks_of(values, 1)))
        return values, slopes(units(values))

    return jax.tree.map(merged, jax.vmap(of_row)(x, y))


def squares(
    params: PyTree, batch: Batch, task: Task, recipe: Recipe, key=None, batching: Batching = ONE
) -> Squares:
    """The loss that is minimised as a mean of squared residuals, linearised; see `Squares`.

    A penalty adds to the normal equations as one more residual for each parameter would.
    """
    del key
    if isinstance(task.loss, losses.OfNetwork):
        return network_squares(params, batch, task, recipe)

    def of_rows(x, y):
        return residuals(params, x, y, task, recipe)

    n, outputs = batch.y.shape[:2]
    m = n * outputs
    # The loss is `unit` times the mean of the squares
    unit = 1.0
    if task.loss in losses.SUMS:
        unit = outputs * losses.SUMS[task.loss]
    if not recipe.penalised and is_dual(m, batching.count(params)):
        r, jacobian = batching.map_rows(of_rows, batch.x, batch.y)
        return dual_squares(r, jacobian, unit)

    def sums(x, y):
        r, jacobian = of_rows(x, y)
        value = (r**2).sum(0)
        matrix = gram(jacobian)
        return value, matrix, pulled_back(jacobian, r)

    value, matrix, right = batching.sum_rows(sums, batch.x, batch.y)
    value = unit * value / m
    return penalised_squares(params, (value, matrix, right), (unit, m), recipe, batching)


def penalised_squares(
    params: PyTree, summed: tuple, scale: tuple[float, int], recipe: Recipe, batching: Batching
) -> Squares:
    """`Squares` from the value, `JᵀJ` and `Jᵀr`, with the penalty if there is one.

    Args:
        params: at which they are.
        summed: value, matrix and right side, without the penalty.
        scale: unit and m, where the value is `unit` times the sum of squares over m.
        recipe: says which penalty.
        batching: see `Batching`.
    """
    value, matrix, right = summed
    unit, m = scale
    if recipe.l2 is not None:
        value_and_gradient = batching.each(jax.value_and_grad(penalty))
        extra, extra_gradient = value_and_gradient(params, recipe)
        # The penalty is quadratic: its gradient at 1 is its curvature
        ones = jax.tree.map(jnp.ones_like, params)
        _, curvature = value_and_gradient(ones, recipe)
        half = m / (2 * unit)
        value = value + extra
        right = right + half * ravel(extra_gradient, value.shape)
        matrix = matrix + half * identity(matrix) * ravel(curvature, value.shape)
    norm = 2 * unit / m * jnp.linalg.norm(right, axis=0)
    return Squares(value, norm, matrix, right, None)


def network_squares(params: PyTree, batch: Batch, task: Task, recipe: Recipe) -> Squares:
    """`squares` of a loss that sees the network and is given as residuals."""
    n = len(batch.x)
    r, jacobian = network_losses.linearised(params, (batch.x, batch.y, None), task, recipe)
    if not recipe.penalised and is_dual(len(r), jacobian.shape[1]):
        return dual_squares(r, jacobian, len(r) / n)
    summed = (r**2).sum(0) / n, gram(jacobian), pulled_back(jacobian, r)
    return penalised_squares(params, summed, (1.0, n), recipe, ONE)


def dual_squares(r: Array, jacobian: Array, unit: float) -> Squares:
    """`Squares` with `JJᵀ`, from residuals (m,) and their Jacobian (m, p).

    The loss is `unit` times the mean of the squares.
    """
    m = len(r)
    matrix = gram(jacobian.swapaxes(0, 1))
    slopes = pulled_back(jacobian, r)
    value = unit * (r**2).mean(0)
    norm = 2 * unit / m * jnp.linalg.norm(slopes, axis=0)
    return Squares(value, norm, matrix, r, jacobian)


def pulled_back(jacobian: Array, r: Array) -> Array:
    """`Jᵀ r`."""
    return (jacobian * r[:, None]).sum(0)


# What each `Rule.wants` is found by.
EVALUATIONS: dict[str, Callable[..., Any]] = {GRADIENT: descended, SUM: total, SQUARES: squares}
