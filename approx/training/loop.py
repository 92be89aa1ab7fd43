"""One training of one network: the loop over steps, and the records it leaves behind.

Shape letters: n training rows, k test points, i inputs, o outputs, t records. All shapes are those
of one network; `blocks.py` puts the axis of seeds and settings around `start` and `advance`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax, random
from jaxtyping import Array, ArrayLike, Key, PyTree

from approx.numerics.products import ONE, Over
from approx.tasks import Task, losses
from approx.training.checks import check
from approx.training.evaluation import is_correct, mean_where, penalty, predict, row_sums, slope
from approx.training.inputs import Data, Keys, as_keys, batch, prepare
from approx.training.optimizers import is_method
from approx.training.recipes import Recipe, record_steps
from approx.training.second_order import report
from approx.training.steps import State, init, update


class Trace(NamedTuple):
    """What one training leaves behind: a value per record; None for what the task has not or nobody
    asked for.

    Attributes:
        loss, accuracy: on the training rows, as the network stands. test_loss, test_accuracy: on
            the test points that count as inside (distance 0). outside_loss, outside_accuracy: on
            the others. All four are None for a task without test points (`Task.tested`).
            validation_loss: on the validation rows.
        batch_loss, batch_accuracy: mean over the batches since the last record, with dropout and
            l2: what Keras prints.
        gradient_norm, weight_norm: Euclidean, of the loss on the training rows (with l2), and of
            the parameters.
        metrics: by name, a user's own.
        prediction: (kept records, k, o), outputs at the test points. params: the parameters, at the
            kept records.

    """

    loss: Array
    test_loss: Array | None
    outside_loss: Array | None
    validation_loss: Array | None
    accuracy: Array | None
    test_accuracy: Array | None
    outside_accuracy: Array | None
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
        metrics: ((name, function), ...), each called as `function(params, predict)` with
            `predict(x)` the outputs.

    """

    what: tuple[str, ...] = ("prediction",)
    at: tuple[int, ...] = ()
    metrics: tuple[tuple[str, Callable], ...] = ()


KEEP = Keep()
KEEPABLE = ("prediction", "params", "gradient_norm", "weight_norm")


def measure(
    state: State, data: Data, task: Task, recipe: Recipe, keep: Keep, over: Over = ONE
) -> Trace:
    """One record of the network as it stands: a `Trace` of single values."""
    x_test, y_test = data.points
    outputs = over.outputs(lambda x: predict(state.params, x, recipe), x_test)
    test = losses.find(task.loss)(outputs, y_test) if task.tested else None
    test_correct = is_correct(outputs, y_test, task) if task.tested else None
    inside = jnp.asarray(data.inside)
    evaluate = lambda rows: over.sums(  # noqa: E731
        lambda *rows: row_sums(state.params, (*rows, None), task, recipe, over=over), *rows
    )
    (total, correct, _), n = evaluate(data.rows), len(data.rows[0])
    if is_method(recipe.optimizer):  # its batch is all rows, as the network stands
        extra = over.each(penalty)(state.params, recipe) if recipe.l2 is not None else 0
        state = state._replace(loss_sum=total + n * extra, row_sum=jnp.full_like(total, n))
        state = state if correct is None else state._replace(correct_sum=correct)

    def own(params, recipe):
        """A user's metrics, of one network."""
        at = lambda x: predict(params, x, recipe)  # noqa: E731
        return {name: as_numbers(name, f(params, at), recipe.dtype) for name, f in keep.metrics}

    def norm(kind, tree):
        return over.each(optax.tree.norm)(tree) if kind in keep.what else None

    def mean_of(values, weights):
        """Mean over the points of weight 1, or None where there is nothing."""
        return None if values is None else mean_where(weights, values)

    held = (
        None if data.validation is None else evaluate(data.validation)[0] / len(data.validation[0])
    )
    return Trace(
        loss=total / n,
        test_loss=mean_of(test, inside),
        outside_loss=mean_of(test, 1 - inside),
        validation_loss=held,
        accuracy=None if correct is None else correct / n,
        test_accuracy=mean_of(test_correct, inside),
        outside_accuracy=mean_of(test_correct, 1 - inside),
        batch_loss=state.loss_sum / state.row_sum,
        batch_accuracy=None if correct is None else state.correct_sum / state.row_sum,
        gradient_norm=norm(
            "gradient_norm", slope(state.params, (*data.rows, None), task, recipe, None, over)[0]
        ),
        weight_norm=norm("weight_norm", state.params),
        metrics=over.each(own)(state.params, recipe) | report(state.opt_state),
        prediction=outputs if "prediction" in keep.what else None,
        params=state.params if "params" in keep.what else None,
    )


def as_numbers(name: str, value: Any, dtype: str) -> Array:
    """What a metric gives, as an array.

    Raises:
        TypeError: something else than real numbers.
    """
    if isinstance(value, Array) and jnp.iscomplexobj(value):
        raise TypeError(
            f"metric {name!r} gives complex numbers: give their real part, imaginary part, or size"
        )
    try:
        return jnp.asarray(value, dtype)
    except (TypeError, ValueError):
        raise TypeError(
            f"metric {name!r} gives {value!r}; it must give a number or an array of numbers"
        ) from None


def start(
    key: Key[Array, ""] | Keys,
    task: Task,
    recipe: Recipe,
    keep: Keep = KEEP,
    params: PyTree | None = None,
) -> tuple[State, Trace]:
    """State and trace before the first step; record 0 is made if step 0 is among the records."""
    check(task, recipe)
    keys = as_keys(key)
    data = prepare(keys, task, recipe)
    state = init(keys, task, recipe, params)
    one = jax.eval_shape(lambda: measure(state, data, task, recipe, keep))
    sizes = dict.fromkeys(("prediction", "params"), len(keep.at) or 1)

    def empty(name):
        size = sizes.get(name, len(record_steps(recipe)))
        return jax.tree.map(
            lambda v: jnp.full((size, *v.shape), jnp.nan, v.dtype), getattr(one, name)
        )

    return record((state, Trace(*map(empty, Trace._fields))), -1, data, task, recipe, keep)


def advance(
    carry: tuple[State, Trace],
    key: Key[Array, ""] | Keys,
    task: Task,
    recipe: Recipe,
    begin: ArrayLike,
    end: ArrayLike,
    keep: Keep = KEEP,
) -> tuple[State, Trace]:
    """Steps begin, ..., end - 1 of one network, with a record after those that are due.

    With Python ints for begin and end it is a scan, which reverse-mode differentiation can pass
    through; with traced ones a while loop, so that one compiled program serves segments of any
    length, with the same bits.
    """
    keys = as_keys(key)
    return loop(carry, keys, prepare(keys, task, recipe), task, recipe, begin, end, keep)


def loop(
    carry,
    keys: Keys,
    data: Data,
    task: Task,
    recipe: Recipe,
    begin,
    end,
    keep: Keep,
    over: Over = ONE,
):
    """THE training loop."""
    data = data._replace(rows=over.rows(data.rows), validation=over.rows(data.validation))

    def step(n, carry):
        state, trace = carry
        x, y, weights, index = batch(keys, n, data.rows, task, recipe, over)
        dropout_key = over.each(lambda key: random.fold_in(key, n))(keys.dropout)
        state = update(over.turn(state), x, y, task, recipe, dropout_key, weights, over, index)
        return record((over.turn(state), trace), n, data, task, recipe, keep, over)

    state, trace = lax.fori_loop(begin, end, step, (over.turn(carry[0]), carry[1]))
    return over.turn(state), trace


def record(
    carry, n: Any, data: Data, task: Task, recipe: Recipe, keep: Keep, over: Over = ONE
) -> tuple[State, Trace]:
    """After step n, if a record is due: measure, write it into the trace, and start new sums over
    batches.

    The state is as the loop carries it (`over.turn`).

    Kept predictions and parameters go to the slot of the next kept step, so that the last write
    before it counts.
    """
    steps = jnp.asarray(record_steps(recipe))
    kept = jnp.asarray(keep.at) if keep.at else steps[-1:]

    def write(carry):
        state, trace = carry
        now = over.turn(lax.optimization_barrier(state))  # else XLA would turn it in every step
        new = measure(now, data, task, recipe, keep, over)
        # Past the end: not written
        slot, kept_slot = jnp.searchsorted(steps, n + 1), jnp.searchsorted(kept, n + 1)
        slots = dict.fromkeys(("prediction", "params"), kept_slot)

        def put(name):
            at = slots.get(name, slot)
            return jax.tree.map(
                lambda old, v: old.at[at].set(v), getattr(trace, name), getattr(new, name)
            )

        zero = jnp.zeros_like(state.loss_sum)
        return state._replace(loss_sum=zero, correct_sum=zero, row_sum=zero), Trace(
            *map(put, Trace._fields)
        )

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

    A pure function of its arguments, to be jitted, vmapped and differentiated: `jax.jit(train)(key,
    task, recipe)`.

    Args:
        key: the seed's key, `fold_in(root, seed)` in `run`; or its `Keys`.
        task: what to learn. recipe: how.
        keep: what to keep besides the losses. params: to start from, instead of a fresh init.

    """
    return advance(
        start(key, task, recipe, keep, params), key, task, recipe, 0, recipe.steps, keep
    )[1]
