"""One training of one network, as pure functions: init, predict, loss, update, and the loop.

Shape letters: n training rows, k test points, i inputs, o outputs, t records. All shapes are those of one network;
`runs.py` puts the axis of seeds and settings around `start` and `advance`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax, random
from jaxtyping import Array, ArrayLike, Float, Key, PyTree, ScalarLike

from approx import losses, models, sampling
from approx.recipes import Recipe, check, optimizer, record_steps
from approx.tasks import Task


class Keys(NamedTuple):
    """One named stream of randomness each, so that one can be frozen while the others vary."""

    init: Key[Array, ""]
    data: Key[Array, ""]
    order: Key[Array, ""]
    dropout: Key[Array, ""]
    noise: Key[Array, ""]


class State(NamedTuple):
    """What one update changes: parameters, the optimiser's state, and sums over the batches since the last record."""

    params: PyTree
    opt_state: PyTree
    loss_sum: Float[Array, ""]
    correct_sum: Float[Array, ""]
    row_sum: Float[Array, ""]


class Trace(NamedTuple):
    """What one training leaves behind: a value per record; None for what the task has not or nobody asked for.

    Attributes:
        loss, accuracy: on the training rows, as the network stands. test_loss, test_accuracy: on the points inside
            the training range. outside_loss: outside it. validation_loss: on the validation rows.
        batch_loss, batch_accuracy: mean over the batches since the last record, with dropout and l2: what Keras prints.
        gradient_norm, weight_norm: Euclidean, of the loss on the training rows (with l2), and of the parameters.
        metrics: by name, a user's own.
        prediction: (kept records, k, o), outputs at the test points. params: the parameters, at the kept records.

    """

    loss: Array
    test_loss: Array
    outside_loss: Array
    validation_loss: Array | None
    accuracy: Array | None
    test_accuracy: Array | None
    batch_loss: Array
    batch_accuracy: Array | None
    gradient_norm: Array | None
    weight_norm: Array | None
    metrics: dict[str, Array]
    prediction: Array | None
    params: PyTree


class Keep(NamedTuple):
    """What a training keeps besides its losses.

    Attributes:
        what: of "prediction", "params", "gradient_norm", "weight_norm".
        at: the record steps at which predictions and parameters are kept; () is the last.
        metrics: ((name, function), ...), each called as `function(params, predict)` with `predict(x)` the outputs.

    """

    what: tuple[str, ...] = ("prediction",)
    at: tuple[int, ...] = ()
    metrics: tuple[tuple[str, Callable], ...] = ()


KEEP = Keep()
KEEPABLE = ("prediction", "params", "gradient_norm", "weight_norm")


def as_keys(key: Key[Array, ""] | Keys) -> Keys:
    """A seed's `Keys`, from its key or as they are."""
    if isinstance(key, Keys):
        return key
    return streams(key if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else random.wrap_key_data(key))


def as_dtype(y: Array, recipe: Recipe) -> Array:
    """Targets in the recipe's dtype; labels as they are."""
    return y if jnp.issubdtype(y.dtype, jnp.integer) else y.astype(recipe.dtype)


def data(keys: Keys, task: Task, recipe: Recipe) -> tuple[tuple[Array, Array], tuple[Array, Array] | None]:
    """A seed's training rows and validation rows (or None), in the recipe's dtype."""
    rows, validation = task.split(keys.data, keys.noise)
    cast = lambda pair: (pair[0].astype(recipe.dtype), as_dtype(pair[1], recipe))  # noqa: E731
    return cast(rows), None if validation is None else cast(validation)


def streams(key: Key[Array, ""]) -> Keys:
    """A seed's streams: `fold_in(key, n)` for the n-th."""
    return Keys(*(random.fold_in(key, n) for n in range(len(Keys._fields))))


def predict(params: PyTree, x: Float[ArrayLike, "n i"], recipe: Recipe, key: Key[Array, ""] | None = None) -> Array:
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
    x: Float[Array, "n i"],
    y: Array,
    task: Task,
    recipe: Recipe,
    key: Key[Array, ""] | None = None,
    weights: Float[Array, " n"] | None = None,
) -> tuple[Float[Array, ""], Array]:
    """The loss that is minimised, `mean_n loss(f(x), y) + l2 Σ w²`, and the outputs it was computed from.

    Args:
        params: the model's parameters. x: inputs. y: targets (n, o) or labels (n,). task, recipe: as in `train`.
        key: for dropout; None for none.
        weights: of the rows in the mean, 0 or 1; None is 1 for all.

    """
    outputs = predict(params, x, recipe, key)
    return mean(losses.find(task.loss)(outputs, y), weights) + penalty(params, recipe), outputs


def mean(values: Array, weights: Array | None = None) -> Array:
    """Mean of the rows that count; nan where none does."""
    return values.mean() if weights is None else (values * weights).sum() / weights.sum()


def accuracy(outputs: Array, y: Array, task: Task, weights: Array | None = None) -> Array | None:
    """Share of correct rows, or None if the task does not say what is correct."""
    correct = task.correct or (losses.CORRECT.get(task.loss) if isinstance(task.loss, str) else None)
    return None if correct is None else mean(correct(outputs, y).astype(outputs.dtype), weights)


def init(key: Key[Array, ""] | Keys, task: Task, recipe: Recipe, params: PyTree | None = None) -> State:
    """The state before the first step, from `params` if given (a warm start), else from the model's own init."""
    keys = as_keys(key)
    if params is None:
        x, _ = task.split(keys.data, keys.noise)[0]
        params = models.functions(recipe.model)[0](keys.init, x.astype(recipe.dtype))
    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, recipe.dtype), params)
    zero = jnp.zeros((), recipe.dtype)
    return State(params, optimizer(recipe).init(params), zero, zero, zero)


def update(
    state: State,
    x: Float[Array, "n i"],
    y: Array,
    task: Task,
    recipe: Recipe,
    key: Key[Array, ""] | None = None,
    weights: Float[Array, " n"] | None = None,
) -> State:
    """One step of the optimiser on one batch."""
    (value, outputs), gradient = jax.value_and_grad(loss, has_aux=True)(state.params, x, y, task, recipe, key, weights)
    updates, opt_state = optimizer(recipe).update(gradient, state.opt_state, state.params)
    rows = jnp.asarray(x.shape[0], value.dtype) if weights is None else weights.sum()
    right = accuracy(outputs, y, task, weights)
    return State(
        optax.apply_updates(state.params, updates),
        opt_state,
        state.loss_sum + lax.stop_gradient(value) * rows,
        state.correct_sum + (0 if right is None else right * rows),
        state.row_sum + rows,
    )


def batch(keys: Keys, step: Any, rows: tuple[Array, Array], task: Task, recipe: Recipe):
    """The rows of one step: x, y, and weights or None."""
    if recipe.batches == "stream":
        assert recipe.batch_size is not None  # Recipe saw to it
        x, y = task.fresh(random.fold_in(keys.order, step), random.fold_in(keys.noise, step), recipe.batch_size)
        return x.astype(recipe.dtype), as_dtype(y, recipe), None
    if recipe.batch_size is None:
        return *rows, None
    index, weights = sampling.batch(recipe.batches, keys.order, step, recipe.batch_size, rows[0].shape[0])
    return rows[0][index], rows[1][index], weights


def measure(state: State, rows, validation, task: Task, recipe: Recipe, keep: Keep) -> Trace:
    """One record of the network as it stands: a `Trace` of single values."""
    points = task.points()
    x_test, y_test = jnp.asarray(points.x, recipe.dtype), as_dtype(jnp.asarray(points.y), recipe)
    inside = (jnp.asarray(points.distance) <= 0).astype(recipe.dtype)
    row_loss = losses.find(task.loss)
    value, right = evaluate(state.params, rows, task, recipe)
    outputs = predict(state.params, x_test, recipe)
    test = row_loss(outputs, y_test)
    at = lambda x: predict(state.params, x, recipe)  # noqa: E731
    return Trace(
        loss=value,
        test_loss=where_mean(test, inside),
        outside_loss=where_mean(test, 1 - inside),
        validation_loss=None if validation is None else evaluate(state.params, validation, task, recipe)[0],
        accuracy=right,
        test_accuracy=accuracy(outputs, y_test, task, inside),
        batch_loss=state.loss_sum / state.row_sum,
        batch_accuracy=None if right is None else state.correct_sum / state.row_sum,
        gradient_norm=optax.tree.norm(jax.grad(loss, has_aux=True)(state.params, *rows, task, recipe)[0])
        if "gradient_norm" in keep.what
        else None,
        weight_norm=optax.tree.norm(state.params) if "weight_norm" in keep.what else None,
        metrics={name: jnp.asarray(f(state.params, at), recipe.dtype) for name, f in keep.metrics},
        prediction=outputs if "prediction" in keep.what else None,
        params=state.params if "params" in keep.what else None,
    )


def where_mean(values: Array, weights: Array) -> Array:
    """Mean over the points of weight 1; the others may be infinite without harm."""
    return jnp.where(weights > 0, values, 0).sum() / weights.sum()


def evaluate(params: PyTree, rows: tuple[Array, Array], task: Task, recipe: Recipe) -> tuple[Array, Array | None]:
    """Mean loss without l2, and accuracy, without dropout."""
    outputs = predict(params, rows[0], recipe)
    return mean(losses.find(task.loss)(outputs, rows[1])), accuracy(outputs, rows[1], task)


def start(key, task: Task, recipe: Recipe, keep: Keep = KEEP, params: PyTree | None = None) -> tuple[State, Trace]:
    """State and trace before the first step; record 0 is made if step 0 is among the records."""
    check(task, recipe)
    keys = as_keys(key)
    rows, validation = data(keys, task, recipe)
    state = init(keys, task, recipe, params)
    one = jax.eval_shape(lambda: measure(state, rows, validation, task, recipe, keep))
    sizes = dict.fromkeys(("prediction", "params"), len(keep.at) or 1)

    def empty(name):
        size = sizes.get(name, len(record_steps(recipe)))
        return jax.tree.map(lambda v: jnp.full((size, *v.shape), jnp.nan, v.dtype), getattr(one, name))

    trace = Trace(*map(empty, Trace._fields))
    return record((state, trace), -1, rows, validation, task, recipe, keep)


def advance(
    carry: tuple[State, Trace],
    key,
    task: Task,
    recipe: Recipe,
    begin: ScalarLike,
    end: ScalarLike,
    keep: Keep = KEEP,
) -> tuple[State, Trace]:
    """Steps begin, ..., end - 1, with a record after those that are due. THE training loop.

    With Python ints for begin and end it is a scan, which reverse-mode differentiation can pass through; with traced
    ones a while loop, so that one compiled program serves segments of any length, with the same bits.
    """
    keys = as_keys(key)
    rows, validation = data(keys, task, recipe)

    def step(n, carry):
        state, trace = carry
        x, y, weights = batch(keys, n, rows, task, recipe)
        state = update(state, x, y, task, recipe, random.fold_in(keys.dropout, n), weights)
        return record((state, trace), n, rows, validation, task, recipe, keep)

    return lax.fori_loop(begin, end, step, carry)


def record(carry, n: ScalarLike, rows, validation, task: Task, recipe: Recipe, keep: Keep) -> tuple[State, Trace]:
    """After step n, if a record is due: measure, write it into the trace, and start new sums over batches.

    Kept predictions and parameters go to the slot of the next kept step, so that the last write before it counts.
    """
    steps = jnp.asarray(record_steps(recipe))
    kept = jnp.asarray(keep.at) if keep.at else steps[-1:]

    def write(carry):
        state, trace = carry
        new = measure(state, rows, validation, task, recipe, keep)
        slot, kept_slot = jnp.searchsorted(steps, n + 1), jnp.searchsorted(kept, n + 1)  # past the end: not written
        slots = dict.fromkeys(("prediction", "params"), kept_slot)

        def put(name):
            at = slots.get(name, slot)
            return jax.tree.map(lambda old, v: old.at[at].set(v), getattr(trace, name), getattr(new, name))

        zero = jnp.zeros_like(state.loss_sum)
        return state._replace(loss_sum=zero, correct_sum=zero, row_sum=zero), Trace(*map(put, Trace._fields))

    return lax.cond(jnp.isin(n + 1, steps), write, lambda carry: carry, carry)


def train(
    key: Key[Array, ""] | Keys,
    task: Task,
    recipe: Recipe,
    *,
    keep: Keep = KEEP,
    params: PyTree | None = None,
) -> Trace:
    """One training: init, `recipe.steps` updates, and the records on the way.

    A pure function of its arguments, to be jitted, vmapped and differentiated: `jax.jit(train)(key, task, recipe)`.

    Args:
        key: the seed's key, `fold_in(root, seed)` in `run`; or its `Keys`.
        task: what to learn. recipe: how.
        keep: what to keep besides the losses. params: to start from, instead of a fresh init.

    """
    return advance(start(key, task, recipe, keep, params), key, task, recipe, 0, recipe.steps, keep)[1]
