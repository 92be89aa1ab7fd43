"""One step of one network, as pure functions: its first state, and the update of the state.

Shape letters: n training rows, i inputs, o outputs. All shapes are those of one network; `batching`
says how the same formulas run on many (see `Batching`).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Key, PyTree

from approx import models
from approx.numerics.products import ONE, Batching, take
from approx.tasks import Task
from approx.tasks.losses import OfNetwork
from approx.training.evaluation import EVALUATIONS
from approx.training.inputs import Batch, Keys, as_keys
from approx.training.network_losses import residual_count
from approx.training.recipes import Recipe, rule, settled, with_rate
from approx.training.rules import GRADIENT, Gradient


class State(NamedTuple):
    """What one update changes.

    Attributes:
        params: the network's parameters.
        opt_state: state of the rule that trains.
        loss_sum: sum of the losses of all rows seen since the last record.
        correct_sum: how many of these rows were correct.
        row_sum: how many rows these are.
        stopping: a `watching.Stopping`, what the rules carry that look at the training; None
            without such rules.
    """

    params: PyTree
    opt_state: PyTree
    loss_sum: Float[Array, ""]
    correct_sum: Float[Array, ""]
    row_sum: Float[Array, ""]
    stopping: Any = None


def init(
    key: Key[Array, ""] | Keys,
    task: Task,
    recipe: Recipe,
    params: PyTree | None = None,
    source: Any = None,
) -> State:
    """The state before the first step.

    Args:
        key: the seed's key, or its `Keys`.
        task: gives the rows, whose shapes the model may ask for.
        recipe: says which model and optimiser.
        params: parameters to start from (a warm start); None for the model's own init.
        source: of the model's random numbers (see `models.draws`); None for the stream of the key.
    """
    recipe = settled(recipe, task)
    keys = as_keys(key)
    x, y = task.split(keys.data, keys.noise)[0]
    if params is None:
        first_params, _ = models.functions(recipe.model)
        if source is None:
            source = keys.init
        params = first_params(source, x.astype(recipe.dtype))
    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, recipe.dtype), params)
    zero = jnp.zeros((), recipe.dtype)
    residuals = y.size
    if isinstance(task.loss, OfNetwork):
        residuals = residual_count(task, recipe, params, (x, y))
    if recipe.penalised:
        residuals = 0
    return State(
        params=params,
        opt_state=rule(recipe).init(params, residuals),
        loss_sum=zero,
        correct_sum=zero,
        row_sum=zero,
    )


def update(
    state: State,
    x: Array,
    y: Array,
    task: Task,
    recipe: Recipe,
    key: Key[Array, "..."] | None = None,
    weights: Array | None = None,
    index: Array | None = None,
) -> State:
    """One step of the optimiser on one batch.

    Args:
        state: before the step.
        x: inputs (n, i).
        y: targets (n, o), or labels (n,).
        task: says which loss.
        recipe: says which model and optimiser.
        key: for dropout; None for none.
        weights: of the rows, 0 or 1; None is 1 for all.
        index: which of the rows x, y are the batch (b,), or None if all are.

    Returns:
        The state after the step.
    """
    return step(state, Batch(x, y, weights, index), task, settled(recipe, task), key)


def step(
    state: State, batch: Batch, task: Task, recipe: Recipe, key=None, batching: Batching = ONE
) -> State:
    """One step of the rule that trains: it asks at its point, and moves by the answer."""
    factor = None if state.stopping is None else state.stopping.factor
    chosen = rule(with_rate(recipe, factor))

    def move(state: State) -> State:
        point = chosen.point(state.params, state.opt_state)
        found = EVALUATIONS[chosen.wants](point, batch, task, recipe, key, batching)
        params, opt_state = chosen.step(state.params, state.opt_state, found, batching)
        if models.trained(params) is not params:
            params = with_averages(params, point, batch, recipe, key)
        state = state._replace(params=params, opt_state=opt_state)
        if chosen.wants == GRADIENT:
            return with_batch(state, found)
        return state

    running = chosen.runs(state.opt_state)
    if running is None:
        return move(state)
    return lax.cond(running.any(), move, lambda state: state, state)


def with_averages(params: PyTree, point: PyTree, batch: Batch, recipe: Recipe, key: Any) -> PyTree:
    """Parameters after a step, with the running averages that the batch leaves.

    The averages are those before the step moved by the batch, as the network saw it at `point`;
    whatever the optimiser made of them is dropped. Without a key the network was not trained, and
    they stay.
    """
    statistics = point[models.STATISTICS]
    if key is not None:
        x = batch.x if batch.which is None else take(batch.x, batch.which)
        statistics = models.averages(recipe.model, point, x, key, batch.weights)
    return {**params, models.STATISTICS: statistics}


def with_batch(state: State, found: Gradient) -> State:
    """The state with the batch's rows among those seen since the last record."""
    state = with_sums(state, found)
    if state.stopping is None:
        return state
    return state._replace(stopping=with_sums(state.stopping, found))


def with_sums(sums: Any, found: Gradient) -> Any:
    """Sums over rows seen, with those of a batch: of a State, or of its `Stopping`."""
    if found.correct is not None:
        correct_sum = sums.correct_sum + found.correct * found.n
        sums = sums._replace(correct_sum=correct_sum)
    loss_sum = sums.loss_sum + found.value * found.n
    return sums._replace(loss_sum=loss_sum, row_sum=sums.row_sum + found.n)
