"""How a training looks at itself: the rules of `stops`, on the state of the training loop.

All shapes are those of one network; `batching` says how the same formulas run on many.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, PyTree

from approx.numerics.products import ONE, Batching, any_network
from approx.tasks import Task
from approx.training import watching
from approx.training.evaluation import is_correct, penalty, predict, rows_per_penalty, slope
from approx.training.inputs import Batch, Data
from approx.training.recipes import Recipe, epoch_length, rule
from approx.training.records import Trace, over_all
from approx.training.rules import GRADIENT
from approx.training.second_order import choose
from approx.training.steps import State
from approx.training.watching import Best, Look, Stopping


def begin(recipe: Recipe, params: PyTree) -> Stopping | None:
    """What a training carries for its rules before the first step; None without rules."""
    if not recipe.rules:
        return None
    sums = jnp.zeros((), recipe.dtype)
    bests = []
    for one in recipe.rules:
        best = Best(params, jnp.zeros((), bool)) if one.restore_best else None
        bests.append(best)
    return Stopping(
        running=jnp.ones((), bool),
        stopped_at=jnp.zeros((), jnp.int32),
        reason=jnp.zeros((), jnp.int32),
        loss_sum=sums,
        correct_sum=sums,
        row_sum=sums,
        memories=tuple(one.start(recipe.dtype) for one in recipe.rules),
        bests=tuple(bests),
        factor=None if recipe.plateau is None else jnp.ones((), recipe.dtype),
    )


def unless_stopped(move: Callable[[State], State], state: State) -> State:
    """The state after a step; of a network that is stopped, the state as it is.

    Where all networks are stopped, no step is computed.
    """
    if state.stopping is None:
        return move(state)
    running = state.stopping.running

    def moved(state: State) -> State:
        return choose(running, move(state), state)

    return lax.cond(any_network(running), moved, lambda state: state, state)


def with_stop(trace: Trace, state: State, steps: Any) -> Trace:
    """The trace with when and why the training was stopped, after so many steps."""
    stopping = state.stopping
    if stopping is None:
        return trace
    stopped_at = jnp.where(stopping.running, jnp.int32(steps), stopping.stopped_at)
    return trace._replace(stopped_at=stopped_at, stop_reason=stopping.reason)


def without_stop(trace: Trace) -> Trace:
    """The trace without when and why, which the loop does not carry twice."""
    return trace._replace(stopped_at=None, stop_reason=None)


# ---- one look ------------------------------------------------------------------------------------


def watched(
    state: State,
    n: Any,
    data: Data,
    spread: Any,
    task: Task,
    recipe: Recipe,
    batching: Batching = ONE,
) -> State:
    """The state after step n, at which those rules have looked whose time it is.

    Args:
        state: as the formulas take it.
        n: number of the step.
        data: see `Data`.
        spread: see `spread_of`.
        task: says which loss.
        recipe: says which rules.
        batching: see `Batching`.
    """
    steps = n + 1
    epoch = epoch_length(recipe, data.rows[0].shape[0])
    is_due = []
    for one in recipe.rules:
        length = epoch if one.every == "epoch" else one.every
        is_due.append(steps % length == 0)

    def look(state: State) -> State:
        values = {}
        for name in sorted({one.of for one in recipe.rules}):
            values[name] = observed(name, state, data, spread, task, recipe, batching)
        return judged(state, values, is_due, steps, recipe)

    any_due = jnp.stack(is_due).any()
    still = any_network(state.stopping.running)
    state = lax.cond(any_due & still, look, lambda state: state, state)
    state = with_new_epoch(state, steps % epoch == 0)
    if any(one.restore_best for one in recipe.rules):
        state = lax.cond(steps == recipe.steps, restored, lambda state: state, state)
    return state


def judged(
    state: State, values: dict[str, Array], is_due: list[Any], steps: Any, recipe: Recipe
) -> State:
    """The state after all rules whose time it is have judged what was observed."""
    stopping = state.stopping
    running = still = stopping.running
    params, factor, reason = state.params, stopping.factor, stopping.reason
    memories, bests = [], []
    for one, due, memory, best in zip(
        recipe.rules, is_due, stopping.memories, stopping.bests, strict=True
    ):
        seen = Look(values[one.of])
        if factor is not None:
            seen = Look(values[one.of], recipe.learning_rate * factor, factor)
        verdict = one.judge(memory, seen)
        counts = running & due
        memories.append(choose(counts, verdict.memory, memory))
        if best is not None:
            new = Best(state.params, jnp.ones_like(best.known))
            best = choose(counts & verdict.better, new, best)
        bests.append(best)
        if verdict.factor is not None:
            factor = jnp.where(counts, verdict.factor, factor)
        ends = still & due & verdict.stops
        if best is not None:
            params = choose(ends & best.known, best.params, params)
        reason = jnp.where(ends, one.reason, reason)
        still = still & ~ends
    stopped_at = jnp.where(running & ~still, jnp.int32(steps), stopping.stopped_at)
    stopping = stopping._replace(
        running=still,
        stopped_at=stopped_at,
        reason=reason,
        memories=tuple(memories),
        bests=tuple(bests),
        factor=factor,
    )
    return state._replace(params=params, stopping=stopping)


def with_new_epoch(state: State, ended: Any) -> State:
    """The state whose sums over an epoch begin anew, if an epoch has ended."""
    stopping = state.stopping
    names = ("loss_sum", "correct_sum", "row_sum")
    sums = {name: jnp.where(ended, 0, getattr(stopping, name)) for name in names}
    return state._replace(stopping=stopping._replace(**sums))


def restored(state: State) -> State:
    """The state at the end of the steps: who was not stopped gets its best parameters too."""
    params = state.params
    to_do = state.stopping.running
    for best in state.stopping.bests:
        if best is not None:
            chosen = to_do & best.known
            params = choose(chosen, best.params, params)
            to_do = to_do & ~chosen
    return state._replace(params=params)


# ---- what a rule can look at ---------------------------------------------------------------------


def observed(
    name: str,
    state: State,
    data: Data,
    spread: Any,
    task: Task,
    recipe: Recipe,
    batching: Batching,
) -> Array:
    """The value of a quantity of `watching.QUANTITIES`, of the network as it stands."""
    if name in watching.OF_EPOCHS:
        epoch = state.stopping
        total = epoch.loss_sum if name == "epoch_loss" else epoch.correct_sum
        return total / epoch.row_sum
    if name.startswith("gradient"):
        every_row = Batch(*data.rows)
        gradient = slope(state.params, every_row, task, recipe, None, batching).gradient
        size = optax.tree.norm if name == "gradient_norm" else largest
        return batching.each(size)(gradient)
    if name == "validation_r2":
        return r_squared(state.params, data, spread, recipe, batching)
    rows: Any = data.validation if name in watching.OF_VALIDATION else data.rows
    sums = over_all(state.params, rows, task, recipe, batching)
    count = len(rows[0])
    if sums.correct is not None and name in watching.OF_CORRECT:
        return sums.correct / count
    value = sums.loss / count
    if name == "objective" and recipe.penalised:
        added = batching.each(penalty)(state.params, recipe)
        per = rows_per_penalty(recipe, count)
        value = value + (added if per is None else added / per)
    return value


def largest(tree: PyTree) -> Array:
    """The largest number of a tree, without signs."""
    return jnp.stack([jnp.abs(leaf).max() for leaf in jax.tree.leaves(tree)]).max()


def spread_of(data: Data, recipe: Recipe) -> Array | None:
    """`Σ (y - mean y)²` of the validation targets for each output (o,); None where nobody asks.

    Args:
        data: whose rows are not arranged yet.
        recipe: says which rules.
    """
    if all(one.of != "validation_r2" for one in recipe.rules):
        return None
    held: Any = data.validation
    _, y = held
    return ((y - y.mean(0)) ** 2).sum(0)


def r_squared(params: PyTree, data: Data, spread: Any, recipe: Recipe, batching: Batching) -> Array:
    """R² on the validation rows, the mean over the outputs, as scikit-learn's `r2_score`."""

    def squares(x, y):
        return batching.finish(((predict(params, x, recipe) - y) ** 2).sum(0))

    held: Any = data.validation
    left = batching.sum_rows(squares, *held)
    return (1 - left / spread).mean(0)


# ---- whether rules fit a task --------------------------------------------------------------------


def check(task: Task, recipe: Recipe, outputs: Any, targets: Any) -> None:
    """Refuse rules that look at what the training does not have.

    Args:
        task: what is learned.
        recipe: whose rules are checked.
        outputs: shape of the model's outputs, (n, o).
        targets: shape of the targets, (n, o) or (n,).

    Raises:
        ValueError: with the rule and the remedy.
    """
    for one in recipe.rules:
        if one.of in watching.OF_VALIDATION and not task.validated:
            raise ValueError(
                f"{one} looks at the validation rows, and the task keeps none: give the task "
                "validation=0.2, or the rule of="
            )
        if one.of in watching.OF_CORRECT:
            right = jax.eval_shape(lambda a, b: is_correct(a, b, task), outputs, targets)
            if right is None:
                raise ValueError(
                    f"{one} looks at an accuracy, and the task's loss {task.loss!r} does not say "
                    "what is correct: give the task correct=, or the rule another of="
                )
        if one.of == "validation_r2" and jnp.issubdtype(targets.dtype, jnp.integer):
            raise ValueError(f"{one} looks at R², and the task's targets are labels of classes")
        if one.of in watching.OF_EPOCHS and rule(recipe).wants != GRADIENT:
            raise ValueError(
                f"{one} looks at the means of an epoch's batches, and {recipe.optimizer!r} takes "
                'all rows at every step: say of="objective" or of="loss"'
            )
        if recipe.batches == "stream" and one.every == "epoch":
            raise ValueError(
                f'{one} looks at the end of each epoch, and with batches="stream" every row is '
                "new, and there are no epochs: give the rule every= so many steps"
            )
