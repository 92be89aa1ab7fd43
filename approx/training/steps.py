"""One step of one network, as pure functions: init, predict, loss, update, and the data they see.

Shape letters: n training rows, k test points, i inputs, o outputs. All shapes are those of one
network; the formulas accept an axis of networks behind them (see `Over`, and `lanes.py`).
"""

from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, Float, Key, PyTree

from approx import models
from approx.numerics.products import ONE, Over, take
from approx.tasks import Task
from approx.training.evaluation import penalty, row_sums, slope, squares, total
from approx.training.inputs import Keys, as_keys
from approx.training.optimizers import is_method
from approx.training.recipes import Recipe, optimizer
from approx.training.second_order import RUNNING, Slope, Squares, choose, ravel, unravel


class State(NamedTuple):
    """What one update changes: parameters, the optimiser's state, and sums over the batches since
    the last record.
    """

    params: PyTree
    opt_state: PyTree
    loss_sum: Float[Array, ""]
    correct_sum: Float[Array, ""]
    row_sum: Float[Array, ""]


def init(
    key: Key[Array, ""] | Keys, task: Task, recipe: Recipe, params: PyTree | None = None
) -> State:
    """The state before the first step, from `params` if given (a warm start), else from the model's
    own init.
    """
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
    gradient, value, correct, n = slope(
        state.params, (x, y, weights), task, recipe, key, over, index
    )

    def objective(params):
        batch = (x, y) if index is None else (take(x, index), take(y, index))
        value, _, n = row_sums(params, (*batch, weights), task, recipe, key)
        return value / (len(batch[0]) if n is None else n) + penalty(params, recipe)

    def move(gradient, opt_state, params, value, recipe):
        # Rules with a line search take these three (optax's convention); of many networks, none of
        # them runs.
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
            evaluation = squares(
                trial, rows, task, recipe, opt_state.best.jacobian is not None, over
            )
        else:
            evaluation = total(trial, rows, task, recipe, over)
        point, moved = method.update(
            ravel(state.params, trailing), opt_state, evaluation, over.solve
        )
        running = opt_state.stopped == RUNNING
        params = choose(running, unravel(point, state.params), state.params)
        return state._replace(params=params, opt_state=choose(running, moved, opt_state))

    return lax.cond((state.opt_state.stopped == RUNNING).any(), move, lambda state: state, state)
