"""What a network gives on some rows: outputs, loss, gradient, and squared residuals for
second-order methods.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Key, PyTree

from approx import models
from approx.numerics.products import ONE, Over, gram, take
from approx.tasks import Task, losses
from approx.training.recipes import Recipe
from approx.training.second_order import Slope, Squares, identity, ravel

# They look for outputs that are not finite themselves
KNOWN_RULES = (*losses.RULES, *losses.CORRECT.values())


def predict(
    params: PyTree,
    x: Float[ArrayLike, "n i ..."],
    recipe: Recipe,
    key: Key[Array, "..."] | None = None,
) -> Array:
    """Outputs (n, o) of the recipe's model; with a key, as in training (dropout)."""
    return models.functions(recipe.model)[1](params, jnp.asarray(x), key=key)


def penalty(params: PyTree, recipe: Recipe) -> Array | float:
    """`l2 * Σ w²` over the parameters that `l2_on` names."""
    if recipe.l2 is None:
        return 0.0
    leaves = jax.tree.leaves(params)
    if recipe.l2_on != "all":
        leaves = [leaf for leaf in leaves if leaf.ndim >= 2]
    if recipe.l2_on == "hidden":
        leaves = leaves[:-1]
    return recipe.l2 * sum((leaf**2).sum() for leaf in leaves)


def loss(
    params: PyTree,
    x: Float[ArrayLike, "n i ..."],
    y: Array,
    task: Task,
    recipe: Recipe,
    key: Key[Array, "..."] | None = None,
) -> Float[Array, ""]:
    """The loss that is minimised: `mean_n loss(f(x), y) + l2 Σ w²`.

    Args:
        params: the model's parameters.
        x: inputs.
        y: targets (n, o), or labels (n,).
        task: says which loss.
        recipe: says which model, and l2.
        key: for dropout; None for none.
    """
    return losses.find(task.loss)(predict(params, x, recipe, key), y).mean(0) + penalty(
        params, recipe
    )


def row_sums(
    params: PyTree, rows: tuple, task: Task, recipe: Recipe, key=None, over: Over = ONE
) -> tuple:
    """Sums over rows (x, y, weights or None): of losses, of correct ones if there is such a thing,
    and of weights.
    """
    x, y, weights = rows
    outputs = predict(params, x, recipe, key)
    values = losses.find(task.loss)(outputs, y), is_correct(outputs, y, task)
    if weights is not None:
        values = jax.tree.map(lambda value: value * weights, values)
    return over.whole(jax.tree.map(lambda value: value.sum(0), (*values, weights)))


def slope(
    params: PyTree, rows: tuple, task: Task, recipe: Recipe, key=None, over: Over = ONE, index=None
):
    """Gradient of the loss that is minimised, its value, the share of correct rows or None, and how
    many rows count.

    The gradient of the sum of many networks' losses is each one's own. Rows (x, y, weights or
    None); with an index, those of x and y that it names, taken where they are needed: row by row
    that is faster than all before.
    """
    x, y, weights = rows

    def with_gradient(*given):
        of, weights = given[:-1], given[-1]
        of = of if index is None else (take(x, *of), take(y, *of))

        def total(params):
            sums = row_sums(params, (*of, weights), task, recipe, key, over)
            return sums[0].sum(), sums

        (_, sums), gradient = jax.value_and_grad(total, has_aux=True)(params)
        return sums, gradient

    # A mask is drawn for all rows at once
    masked = getattr(recipe.model, "dropout", None) is not None
    of = (x, y) if index is None else (index,)
    (value, correct, n), gradient = (ONE if masked else over).sums(with_gradient, *of, weights)
    n = len(of[0]) if n is None else n
    gradient, value = jax.tree.map(lambda g: g / n, gradient), value / n
    if recipe.l2 is not None:
        extra, extra_gradient = over.each(jax.value_and_grad(penalty))(params, recipe)
        gradient, value = jax.tree.map(jnp.add, gradient, extra_gradient), value + extra
    return gradient, value, None if correct is None else correct / n, n


def is_correct(outputs: Array, y: Array, task: Task) -> Array | None:
    """Which rows are correct (1 or 0), or None if the task does not say what is correct.

    A row whose outputs are not all finite is never correct, whatever the task's own rule makes of
    nan.
    """
    correct = task.correct or (
        losses.CORRECT.get(task.loss) if isinstance(task.loss, str) else None
    )
    if correct is None:
        return None
    right = correct(outputs, y).astype(outputs.dtype)
    return right if correct in KNOWN_RULES else jnp.where(losses.is_finite(outputs), right, 0)


def mean_where(weights: Array, values: Array) -> Array:
    """Mean over the points of weight 1; the others may be infinite without harm."""
    return jnp.where(weights > 0, values, 0).sum(0) / weights.sum(0)


def total(params: PyTree, rows: tuple, task: Task, recipe: Recipe, over: Over = ONE) -> Slope:
    """The loss that is minimised times the number of rows, and its gradient."""
    gradient, value, _, n = slope(params, (*rows, None), task, recipe, None, over)
    return Slope(value * n, ravel(gradient, value.shape) * n)


def residuals(
    params: PyTree, x: Array, y: Array, task: Task, recipe: Recipe
) -> tuple[Array, Array]:
    """Residuals (n o, ...), `f(x) - y` for most losses, and their Jacobian (n o, p, ...)."""

    def of_row(x, y):
        def residual(params):
            outputs = predict(params, x[None], recipe)
            return losses.RESIDUALS[str(task.loss)](outputs, y[None])[0]

        values, pull = jax.vjp(residual, params)
        count, *trailing = values.shape
        units = jnp.eye(count, dtype=values.dtype).reshape(count, count, *(1 for _ in trailing))
        slopes = jax.vmap(lambda unit: ravel(pull(unit)[0], tuple(trailing)))
        return values, slopes(jnp.broadcast_to(units, (count, *values.shape)))

    return jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), jax.vmap(of_row)(x, y))


def squares(
    params: PyTree, rows: tuple, task: Task, recipe: Recipe, dual: bool, over: Over = ONE
) -> Squares:
    """The loss that is minimised as a mean of squared residuals, linearised; `dual` for the matrix
    `JJᵀ`.

    A penalty adds to the normal equations as the square of a residual per parameter would.
    """
    of_rows = lambda x, y: residuals(params, x, y, task, recipe)  # noqa: E731
    n, outputs = rows[1].shape[:2]
    m, unit = n * outputs, outputs / 2 if task.loss == "half_squared_error" else 1.0
    if dual:
        r, jacobian = over.outputs(of_rows, *rows)
        matrix, right, slopes = gram(jacobian.swapaxes(0, 1)), r, (jacobian * r[:, None]).sum(0)
        value = unit * (r**2).mean(0)
        return Squares(
            value, 2 * unit / m * jnp.linalg.norm(slopes, axis=0), matrix, right, jacobian
        )

    def sums(x, y):
        r, jacobian = of_rows(x, y)
        return (r**2).sum(0), gram(jacobian), (jacobian * r[:, None]).sum(0)

    value, matrix, right = over.sums(sums, *rows)
    value = unit * value / m
    if recipe.l2 is not None:
        extra, slope = over.each(jax.value_and_grad(penalty))(params, recipe)
        _, curvature = over.each(jax.value_and_grad(penalty))(
            jax.tree.map(jnp.ones_like, params), recipe
        )
        scale = m / (2 * unit)
        value, right = value + extra, right + scale * ravel(slope, value.shape)
        matrix = matrix + scale * identity(matrix) * ravel(curvature, value.shape)
    return Squares(value, 2 * unit / m * jnp.linalg.norm(right, axis=0), matrix, right, None)
