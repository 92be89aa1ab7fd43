"""The records that a training leaves behind: how a network is measured, and what is kept.

Shape letters: k test points, o outputs, t records. All shapes are those of one network.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jax.tree_util import GetAttrKey, register_pytree_with_keys, tree_map_with_path
from jaxtyping import Array, PyTree

from approx import models
from approx.numerics.products import LANES, ONE, Batching
from approx.tasks import Task, losses, outputs
from approx.training.evaluation import (
    Sums,
    is_correct,
    mean_where,
    network_means,
    penalty,
    predict,
    row_sums,
    slope,
)
from approx.training.inputs import Batch, Data
from approx.training.recipes import Recipe, record_steps, rule
from approx.training.rules import GRADIENT
from approx.training.second_order import choose
from approx.training.steps import State


class Trace(NamedTuple):
    """What one training leaves behind: one value per record (t,).

    A field is None if the task does not have it, or if nobody asked for it.

    Attributes:
        loss: on the training rows, as the network stands.
        test_loss: on the test points inside the training range (distance 0); like the other three
            of test points, None for a task without test points (`Task.tested`).
        outside_loss: on the test points outside.
        validation_loss: on the validation rows.
        accuracy: share of the training rows that are correct.
        test_accuracy: share of the test points inside that are correct.
        outside_accuracy: share of the test points outside that are correct.
        batch_loss: mean over the batches since the last record, with dropout and l2, as Keras
            prints it.
        batch_accuracy: share correct in the batches since the last record, with dropout.
        gradient_norm: Euclidean, of the gradient on the training rows, with l2.
        weight_norm: Euclidean, of the parameters.
        metrics: a user's own, by name.
        reports: what the rule that trains says of its work, by name (`Rule.report`).
        prediction: outputs at the test points (kept records, k, o).
        params: the parameters at the kept records.
        stopped_at: the step after which a rule of the recipe stopped the training, or the number of
            steps if none did: a single number; None without such rules.
        stop_reason: which kind of rule that was, see `stops.REASONS`: a single number.
        output_loss: of each output by itself, on the training rows (t, o); see
            `tasks.outputs.of_outputs`.
        output_test_loss: the same on the test points inside the training range (t, o).
        validation_accuracy: share of the validation rows that are correct.
        state: the `State` after the last step, which has all that going on needs; None unless it is
            kept.
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
    reports: dict[str, Array]
    prediction: Array | None
    params: PyTree
    stopped_at: Array | None = None
    stop_reason: Array | None = None
    output_loss: Array | None = None
    output_test_loss: Array | None = None
    validation_accuracy: Array | None = None
    state: PyTree = None


def flatten_trace(trace: Trace) -> tuple[list[tuple[Any, Any]], tuple[str, ...]]:
    """A trace's fields as JAX flattens them: the reports stand among the metrics.

    The text of a compiled program names its results. With reports of their own name, all programs
    of methods of second order would get another identity than in results that exist.
    """
    fields = trace._asdict()
    reports = fields.pop("reports")
    fields["metrics"] = fields["metrics"] | reports
    children = [(GetAttrKey(name), value) for name, value in fields.items()]
    return children, tuple(sorted(reports))


def unflatten_trace(reported: tuple[str, ...], values: Any) -> Trace:
    """The trace of these fields, of which the metrics hold the reports too."""
    names = [name for name in Trace._fields if name != "reports"]
    fields = dict(zip(names, values, strict=True))
    metrics = dict(fields.pop("metrics"))
    reports = {name: metrics.pop(name) for name in reported}
    return Trace(**fields, metrics=metrics, reports=reports)


register_pytree_with_keys(Trace, flatten_trace, unflatten_trace)


class Keep(NamedTuple):
    """What a training keeps besides its losses.

    Attributes:
        what: of "prediction", "params", "gradient_norm", "weight_norm", "output_loss", "state".
        at: the record steps at which predictions and parameters are kept; () is the last.
        metrics: ((name, function), ...), each called as `function(params, predict)` with
            `predict(x)` the outputs.

    """

    what: tuple[str, ...] = ("prediction",)
    at: tuple[int, ...] = ()
    metrics: tuple[tuple[str, Callable], ...] = ()


KEEP = Keep()
KEEPABLE = ("prediction", "params", "gradient_norm", "weight_norm", "output_loss", "state")
KEPT_FIELDS = ("prediction", "params")  # these have a value for each kept step, not each record


def left_behind(carry: tuple[State, Trace], keep: Keep) -> Trace:
    """What a training leaves behind: its trace, with its last state if that is kept."""
    state, trace = carry
    if "state" not in keep.what:
        return trace
    return trace._replace(state=state)


def measure(
    state: State,
    data: Data,
    task: Task,
    recipe: Recipe,
    keep: Keep,
    batching: Batching = ONE,
    kept: Any = True,
) -> Trace:
    """One record of the network as it stands: a `Trace` of single values.

    Args:
        state: of the training.
        data: see `Data`.
        task: says how the network is judged.
        recipe: says which model.
        keep: what is kept.
        batching: see `Batching`.
        kept: whether predictions are kept at this record.
    """
    found, judged = at_points(state.params, data, recipe, batching, kept)
    test, test_correct = None, None
    if task.tested:
        test = losses.find(task.loss)(judged, data.points[1])
        test_correct = is_correct(judged, data.points[1], task)
    inside = jnp.asarray(data.inside)
    sums = over_all(state.params, data.rows, task, recipe, batching)
    n = len(data.rows[0])
    chosen = rule(recipe)
    if chosen.wants != GRADIENT:
        state = with_all_rows(state, sums, n, recipe, batching)
    of_validation = on_validation_rows(state.params, data, task, recipe, batching)

    def share(correct, of):
        return None if sums.correct is None else correct / of

    def mean_of(values, weights):
        return None if values is None else mean_where(weights, values)

    def if_kept(name, value):
        return value if name in keep.what else None

    def own(params, recipe):
        return users_metrics(params, recipe, keep)

    return Trace(
        loss=sums.loss / n,
        test_loss=mean_of(test, inside),
        outside_loss=mean_of(test, 1 - inside),
        accuracy=share(sums.correct, n),
        test_accuracy=mean_of(test_correct, inside),
        outside_accuracy=mean_of(test_correct, 1 - inside),
        batch_loss=state.loss_sum / state.row_sum,
        batch_accuracy=share(state.correct_sum, state.row_sum),
        metrics=batching.each(own)(state.params, recipe)
        | terms_of(state.params, data, task, recipe, keep, batching),
        reports=chosen.report(state.opt_state),
        prediction=if_kept("prediction", found),
        params=if_kept("params", state.params),
        **norms(state.params, data, task, recipe, keep, batching),
        **of_validation,
        **of_each_output(state.params, judged, data, task, recipe, keep, batching),
    )


def norms(
    params: PyTree, data: Data, task: Task, recipe: Recipe, keep: Keep, batching: Batching
) -> dict[str, Array | None]:
    """The norms of the gradient on the training rows and of the parameters; None if not kept."""
    found: dict[str, Array | None] = {"gradient_norm": None, "weight_norm": None}
    norm = batching.each(optax.tree.norm)
    if "gradient_norm" in keep.what:
        of_rows = slope(params, Batch(*data.rows), task, recipe, None, batching)
        found["gradient_norm"] = norm(models.trained(of_rows.gradient))
    if "weight_norm" in keep.what:
        found["weight_norm"] = norm(models.trained(params))
    return found


def on_validation_rows(
    params: PyTree, data: Data, task: Task, recipe: Recipe, batching: Batching
) -> dict[str, Array | None]:
    """The mean loss on the validation rows, and the share of them that is correct.

    Both are None without such rows; the share is None where the loss does not say what is correct.
    """
    if data.validation is None:
        return {"validation_loss": None, "validation_accuracy": None}
    held = over_all(params, data.validation, task, recipe, batching)
    n = len(data.validation[0])
    correct = None if held.correct is None else held.correct / n
    return {"validation_loss": held.loss / n, "validation_accuracy": correct}


def terms_of(
    params: PyTree, data: Data, task: Task, recipe: Recipe, keep: Keep, batching: Batching
) -> dict[str, Array]:
    """The terms of a loss that sees the network, by name, over all rows; {} of other losses.

    Raises:
        ValueError: a term that has the name of a metric.
    """
    if not isinstance(task.loss, losses.OfNetwork):
        return {}
    found = network_means(params, data.rows, task, recipe, batching)
    named = {f"loss_{name}": value for name, value in found.items() if name}
    for name, _ in keep.metrics:
        if name in named:
            raise ValueError(f"metric {name!r} has the name of a term of the loss; rename it")
    return named


def of_each_output(
    params: PyTree,
    judged: Array,
    data: Data,
    task: Task,
    recipe: Recipe,
    keep: Keep,
    batching: Batching,
) -> dict[str, Array]:
    """The losses of each output on the training rows and on the test points, if they are kept."""
    if "output_loss" not in keep.what:
        return {}

    def sums(x, y):
        of_rows = outputs.of_outputs(task.loss, predict(params, x, recipe), y)
        return batching.finish(of_rows.sum(0))

    found = {"output_loss": batching.sum_rows(sums, *data.rows) / len(data.rows[0])}
    if task.tested:
        of_points = outputs.of_outputs(task.loss, judged, data.points[1])
        weights = jnp.expand_dims(jnp.asarray(data.inside), 1)
        found["output_test_loss"] = mean_where(weights, of_points)
    return found


def users_metrics(params: PyTree, recipe: Recipe, keep: Keep) -> dict[str, Array]:
    """A user's own metrics of one network, by name."""

    def at(x):
        return predict(params, x, recipe)

    found = {}
    for name, metric in keep.metrics:
        found[name] = as_numbers(name, metric(params, at), recipe.dtype)
    return found


def at_points(
    params: PyTree, data: Data, recipe: Recipe, batching: Batching, kept: Any
) -> tuple[Array, Array]:
    """Outputs at all points, and at those that have a target.

    At the others they are computed only where predictions are kept, and 0 elsewhere.
    """
    x, y = data.points

    def outputs(x):
        return batching.map_rows(lambda x: predict(params, x, recipe), x)

    judged = len(y)
    if len(x) == judged:
        found = outputs(x)
        return found, found
    others = x[judged:]
    shape = jax.eval_shape(outputs, others)
    found = lax.cond(kept, lambda: outputs(others), lambda: jnp.zeros(shape.shape, shape.dtype))
    found = lax.optimization_barrier(found)  # else XLA computes with the zeros while it compiles
    if not judged:
        return found, found[:0]
    of_judged = outputs(x[:judged])
    return jnp.concatenate([of_judged, found]), of_judged


def over_all(
    params: PyTree, rows: tuple[Array, Array], task: Task, recipe: Recipe, batching: Batching
) -> Sums:
    """Losses and correct rows summed over all rows (x, y), without dropout."""
    if batching is LANES and isinstance(task.loss, losses.OfNetwork):
        means = network_means(params, rows, task, recipe, batching)
        total: Any = sum(means.values())
        return Sums(total * len(rows[0]), None, None)

    def sums(x, y):
        return row_sums(params, (x, y, None), task, recipe, batching=batching)

    return batching.sum_rows(sums, *rows)


def with_all_rows(state: State, sums: Sums, n: int, recipe: Recipe, batching: Batching) -> State:
    """The state of a rule whose batch is all rows: the sums since the last record are of these."""
    extra: Any = 0
    if recipe.penalised:
        extra = batching.each(penalty)(state.params, recipe)
    loss_sum, row_sum = sums.loss + n * extra, jnp.full_like(sums.loss, n)
    state = state._replace(loss_sum=loss_sum, row_sum=row_sum)
    if sums.correct is None:
        return state
    return state._replace(correct_sum=sums.correct)


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


def without_sums(state: State) -> State:
    """The state whose sums over batches begin anew.

    A network that is stopped sees no further batches, and keeps those of its last ones.
    """
    zero = jnp.zeros_like(state.loss_sum)
    anew = state._replace(loss_sum=zero, correct_sum=zero, row_sum=zero)
    if state.stopping is None:
        return anew
    return choose(state.stopping.running, anew, state)


def record(
    carry,
    slot: Any,
    data: Data,
    task: Task,
    recipe: Recipe,
    keep: Keep,
    batching: Batching = ONE,
) -> tuple[State, Trace]:
    """State and trace with one more record, of the network as it stands.

    The sums over batches begin anew after a record. Predictions and parameters are written to the
    slot of the next kept step at every record, so that the last write before that step counts.

    Args:
        carry: the state as the training loop carries it (`Batching.turn`), and the trace.
        slot: which of `record_steps` this record belongs to, from 0.
        data: see `Data`.
        task: says how the network is judged.
        recipe: says which steps have a record.
        keep: what is kept.
        batching: see `Batching`.
    """
    steps = record_steps(recipe)
    kept = np.asarray(keep.at or steps[-1:])
    state, trace = carry
    now = batching.turn(lax.optimization_barrier(state))  # else XLA would turn it in every step
    is_kept: Any = True
    if task.unjudged:
        is_kept = jnp.asarray(np.isin(steps, kept))[slot]
    new = measure(now, data, task, recipe, keep, batching, is_kept)
    kept_slot = jnp.asarray(np.searchsorted(kept, steps))[slot]

    def put(path, old, value):
        at = kept_slot if path[0].name in KEPT_FIELDS else slot
        return old.at[at].set(value)  # a slot past the end is not written

    return without_sums(state), tree_map_with_path(put, trace, new)
