"""One step of one network, as pure functions: init, predict, loss, update, and the data they see.

Shape letters: n training rows, k test points, i inputs, o outputs. All shapes are those of one network; the formulas
accept an axis of networks behind them (see `Over`, and `lanes.py`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import optax
from jax import lax, random
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, ArrayLike, Float, Key, PyTree

from approx import models
from approx.tasks import Points, Task, losses
from approx.training import sampling
from approx.training.optimizers import is_method
from approx.training.recipes import Recipe, optimizer
from approx.training.second_order import RUNNING, Slope, Squares, choose, identity, ravel, unravel


class Keys(NamedTuple):
    """One named stream of randomness each, so that one can be frozen while the others vary."""

    init: Key[Array, "..."]
    data: Key[Array, "..."]
    order: Key[Array, "..."]
    dropout: Key[Array, "..."]
    noise: Key[Array, "..."]


class State(NamedTuple):
    """What one update changes: parameters, the optimiser's state, and sums over the batches since the last record."""

    params: PyTree
    opt_state: PyTree
    loss_sum: Float[Array, ""]
    correct_sum: Float[Array, ""]
    row_sum: Float[Array, ""]


class Over(NamedTuple):
    """What the loop is put over besides one network: an axis of networks, or of rows, always the last; here nothing.

    Attributes:
        each: turns a function of one network into one of many.
        rows: rows as `sums` takes them, from a task's; once, before the loop.
        sums: `f(*rows)` for a function that gives sums over rows; `lanes` adds up row by row.
        whole: of sums over rows, the sums over those that have an axis of their own.
        turn: a state as the loop carries it, from what the formulas take; and back.
        outputs: `f(*rows)` for a function that gives something of each row; `lanes` goes row by row.
        solve: `solve(matrix, right)` of a positive definite system; not a number where the matrix is not.
    """

    each: Callable = lambda f: f
    rows: Callable = lambda rows: rows
    sums: Callable = lambda f, *rows: f(*rows)
    whole: Callable = lambda sums: sums
    turn: Callable = lambda state: state
    outputs: Callable = lambda f, *rows: f(*rows)
    solve: Callable = lambda matrix, right: cho_solve((jnp.linalg.cholesky(matrix), True), right)


ONE = Over()
KNOWN_RULES = (*losses.RULES, *losses.CORRECT.values())  # they look for outputs that are not finite themselves


class Data(NamedTuple):
    """What a network is shown and where it is judged: training rows, validation rows or None, points, and which of
    them lie inside the training range (1) or outside (0).
    """  # noqa: D205

    rows: tuple[Array, Array]
    validation: tuple[Array, Array] | None
    points: tuple[Array, Array]
    inside: Array


def as_keys(key: Key[Array, ""] | Keys) -> Keys:
    """A seed's `Keys`, from its key or as they are."""
    if isinstance(key, Keys):
        return key
    if not hasattr(key, "dtype"):
        raise TypeError(f"the key is {key!r}; make one with jax.random.key(0)")
    return streams(key if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else random.wrap_key_data(key))


def as_dtype(y: Array, recipe: Recipe) -> Array:
    """Targets in the recipe's dtype; labels as they are."""
    return y if jnp.issubdtype(y.dtype, jnp.integer) else y.astype(recipe.dtype)


def prepare(keys: Keys, task: Task, recipe: Recipe) -> Data:
    """A seed's data, in the recipe's dtype."""
    rows, validation = task.split(keys.data, keys.noise)
    x_test, y_test, distance = map(jnp.asarray, Points(*task.points()))
    cast = lambda pair: (pair[0].astype(recipe.dtype), as_dtype(pair[1], recipe))  # noqa: E731
    inside = (distance <= 0).astype(recipe.dtype)
    return Data(cast(rows), None if validation is None else cast(validation), cast((x_test, y_test)), inside)


def streams(key: Key[Array, ""]) -> Keys:
    """A seed's streams: `fold_in(key, n)` for the n-th."""
    return Keys(*(random.fold_in(key, n) for n in range(len(Keys._fields))))


def predict(
    params: PyTree, x: Float[ArrayLike, "n i ..."], recipe: Recipe, key: Key[Array, "..."] | None = None
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
    return losses.find(task.loss)(predict(params, x, recipe, key), y).mean(0) + penalty(params, recipe)


def row_sums(params: PyTree, rows: tuple, task: Task, recipe: Recipe, key=None, over: Over = ONE) -> tuple:
    """Sums over rows (x, y, weights or None): of losses, of correct ones if there is such a thing, and of weights."""
    x, y, weights = rows
    outputs = predict(params, x, recipe, key)
    values = losses.find(task.loss)(outputs, y), is_correct(outputs, y, task)
    if weights is not None:
        values = jax.tree.map(lambda value: value * weights, values)
    return over.whole(jax.tree.map(lambda value: value.sum(0), (*values, weights)))


def slope(params: PyTree, rows: tuple, task: Task, recipe: Recipe, key=None, over: Over = ONE, index=None):
    """Gradient of the loss that is minimised, its value, the share of correct rows or None, and how many rows count.

    The gradient of the sum of many networks' losses is each one's own. Rows (x, y, weights or None); with an index,
    those of x and y that it names, taken where they are needed: row by row that is faster than all before.
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

    masked = getattr(recipe.model, "dropout", None) is not None  # a mask is drawn for all rows at once
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

    A row whose outputs are not all finite is never correct, whatever the task's own rule makes of nan.
    """
    correct = task.correct or (losses.CORRECT.get(task.loss) if isinstance(task.loss, str) else None)
    if correct is None:
        return None
    right = correct(outputs, y).astype(outputs.dtype)
    return right if correct in KNOWN_RULES else jnp.where(losses.is_finite(outputs), right, 0)


def mean_where(weights: Array, values: Array) -> Array:
    """Mean over the points of weight 1; the others may be infinite without harm."""
    return jnp.where(weights > 0, values, 0).sum(0) / weights.sum(0)


def init(key: Key[Array, ""] | Keys, task: Task, recipe: Recipe, params: PyTree | None = None) -> State:
    """The state before the first step, from `params` if given (a warm start), else from the model's own init."""
    keys, rule = as_keys(key), cast(Any, optimizer(recipe))
    x, y = task.split(keys.data, keys.noise)[0]
    if params is None:
        params = models.functions(recipe.model)[0](keys.init, x.astype(recipe.dtype))
    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, recipe.dtype), params)
    zero = jnp.zeros((), recipe.dtype)
    residuals = (y.size if recipe.l2 is None else 0,) if is_method(recipe.optimizer) else ()
    return State(params, rule.init(params, *residuals), zero, zero, zero)


def update(
    state: State,
    x: Array,
    y: Array,
    task: Task,
    recipe: Recipe,
    key: Key[Array, "..."] | None = None,
    weights: Array | None = None,
    over: Over = ONE,
    index: Array | None = None,
) -> State:
    """One step of the optimiser on one batch.

    Args:
        state: before it.
        x: inputs (n, i).
        y: targets (n, o), or labels (n,).
        task: says which loss.
        recipe: says which model and optimiser.
        key: for dropout; None for none.
        weights: of the rows, 0 or 1; None is 1 for all.
        over: see `Over`.
        index: which of the rows x, y are the batch (b,), or None if all are.
    """
    if is_method(recipe.optimizer):
        return step(state, (x, y), task, recipe, over)
    gradient, value, correct, n = slope(state.params, (x, y, weights), task, recipe, key, over, index)

    def objective(params):
        batch = (x, y) if index is None else (take(x, index), take(y, index))
        value, _, n = row_sums(params, (*batch, weights), task, recipe, key)
        return value / (len(batch[0]) if n is None else n) + penalty(params, recipe)

    def move(gradient, opt_state, params, value, recipe):
        # Rules with a line search take these three (optax's convention); of many networks, none of them runs.
        more = {"value": value, "grad": gradient, "value_fn": objective} if over is ONE else {}
        rule = optax.with_extra_args_support(optimizer(recipe))
        updates, opt_state = rule.update(gradient, opt_state, params, **more)
        return optax.apply_updates(params, updates), opt_state

    params, opt_state = over.each(move)(gradient, state.opt_state, state.params, value, recipe)
    correct_sum = state.correct_sum if correct is None else state.correct_sum + correct * n
    return State(params, opt_state, state.loss_sum + value * n, correct_sum, state.row_sum + n)


def step(state: State, rows: tuple, task: Task, recipe: Recipe, over: Over = ONE) -> State:
    """One step of a method of second order: it evaluates its trial, unless it has stopped."""
    method: Any = optimizer(recipe)

    def move(state):
        opt_state, trailing = state.opt_state, state.opt_state.trial.shape[1:]
        trial = unravel(opt_state.trial, state.params)
        evaluation: Slope | Squares
        if method.squares:
            evaluation = squares(trial, rows, task, recipe, opt_state.best.jacobian is not None, over)
        else:
            evaluation = total(trial, rows, task, recipe, over)
        point, moved = method.update(ravel(state.params, trailing), opt_state, evaluation, over.solve)
        running = opt_state.stopped == RUNNING
        params = choose(running, unravel(point, state.params), state.params)
        return state._replace(params=params, opt_state=choose(running, moved, opt_state))

    return lax.cond((state.opt_state.stopped == RUNNING).any(), move, lambda state: state, state)


def total(params: PyTree, rows: tuple, task: Task, recipe: Recipe, over: Over = ONE) -> Slope:
    """The loss that is minimised times the number of rows, and its gradient."""
    gradient, value, _, n = slope(params, (*rows, None), task, recipe, None, over)
    return Slope(value * n, ravel(gradient, value.shape) * n)


def residuals(params: PyTree, x: Array, y: Array, task: Task, recipe: Recipe) -> tuple[Array, Array]:
    """Residuals (n o, ...), `f(x) - y` for most losses, and their Jacobian (n o, p, ...)."""

    def of_row(x, y):
        residual = lambda params: losses.RESIDUALS[str(task.loss)](predict(params, x[None], recipe), y[None])[0]  # noqa: E731
        values, pull = jax.vjp(residual, params)
        count, *trailing = values.shape
        units = jnp.eye(count, dtype=values.dtype).reshape(count, count, *(1 for _ in trailing))
        slopes = jax.vmap(lambda unit: ravel(pull(unit)[0], tuple(trailing)))
        return values, slopes(jnp.broadcast_to(units, (count, *values.shape)))

    return jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), jax.vmap(of_row)(x, y))


def gram(a: Array) -> Array:
    """`aᵀa` for a (k, p); or of S networks at once, a (k, p, S), without dots (see `models.contract`)."""
    return jnp.matmul(a.T, a, precision="highest") if a.ndim == 2 else (a[:, :, None] * a[:, None]).sum(0)


def squares(params: PyTree, rows: tuple, task: Task, recipe: Recipe, dual: bool, over: Over = ONE) -> Squares:
    """The loss that is minimised as a mean of squared residuals, linearised; `dual` for the matrix `JJᵀ`.

    A penalty adds to the normal equations as the square of a residual per parameter would.
    """
    of_rows = lambda x, y: residuals(params, x, y, task, recipe)  # noqa: E731
    n, outputs = rows[1].shape[:2]
    m, unit = n * outputs, outputs / 2 if task.loss == "half_squared_error" else 1.0
    if dual:
        r, jacobian = over.outputs(of_rows, *rows)
        matrix, right, slopes = gram(jacobian.swapaxes(0, 1)), r, (jacobian * r[:, None]).sum(0)
        value = unit * (r**2).mean(0)
        return Squares(value, 2 * unit / m * jnp.linalg.norm(slopes, axis=0), matrix, right, jacobian)

    def sums(x, y):
        r, jacobian = of_rows(x, y)
        return (r**2).sum(0), gram(jacobian), (jacobian * r[:, None]).sum(0)

    value, matrix, right = over.sums(sums, *rows)
    value = unit * value / m
    if recipe.l2 is not None:
        extra, slope = over.each(jax.value_and_grad(penalty))(params, recipe)
        _, curvature = over.each(jax.value_and_grad(penalty))(jax.tree.map(jnp.ones_like, params), recipe)
        scale = m / (2 * unit)
        value, right = value + extra, right + scale * ravel(slope, value.shape)
        matrix = matrix + scale * identity(matrix) * ravel(curvature, value.shape)
    return Squares(value, 2 * unit / m * jnp.linalg.norm(right, axis=0), matrix, right, None)


def batch(keys: Keys, step: Any, rows: tuple[Array, Array], task: Task, recipe: Recipe, over: Over = ONE) -> tuple:
    """The rows of one step: x, y, their weights or None, and which of x and y are meant, or None for all."""
    if recipe.batches == "stream":
        fresh = lambda data, noise, task: task.fresh(  # noqa: E731
            random.fold_in(data, step), random.fold_in(noise, step), recipe.batch_size
        )
        x, y = over.each(fresh)(keys.data, keys.noise, task)
        return x.astype(recipe.dtype), as_dtype(y, recipe), None, None
    if recipe.batch_size is None:
        return *rows, None, None
    size, n = recipe.batch_size, rows[0].shape[0]
    index, weights = sampling.batch(recipe.batches, keys.order, step, size, n)
    index = lax.optimization_barrier(index)  # else XLA:CPU computes it anew, and without vectors, in every gather
    return *rows, weights, index


def take(values: Array, index: Array) -> Array:
    """Rows by their numbers: index (b,), or (b, S) into rows of S networks or of one for all, (n, ..., S or 1)."""
    if index.ndim == 1:
        return values[index]
    if values.shape[-1] == 1:
        index = index.astype(jnp.uint32)  # JAX asks of each signed one whether it counts from the end
        rows = values[..., 0].at[index].get(mode="promise_in_bounds")
        return rows if rows.ndim == 2 else jnp.moveaxis(rows, 2, 1)
    each = index.reshape(index.shape[0], *(1 for _ in values.shape[2:]), index.shape[1])
    return jnp.take_along_axis(values, each, 0, mode="promise_in_bounds")
