"""One training of one network: its start, the loop over steps, and `train`.

All shapes are those of one network; `blocks.py` puts the axis of seeds and settings around `start`
and `loop`.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random
from jax.tree_util import tree_map_with_path
from jaxtyping import Array, ArrayLike, Key, PyTree

from approx.numerics.products import ONE, Batching
from approx.tasks import Task
from approx.training import stopping
from approx.training.checks import check
from approx.training.inputs import Data, Keys, as_keys, batch, prepare
from approx.training.recipes import Recipe, record_steps, settled
from approx.training.records import (
    KEEP,
    KEEPABLE,
    KEPT_FIELDS,
    Keep,
    Trace,
    left_behind,
    measure,
    record,
)
from approx.training.steps import State, init, step

__all__ = ["KEEP", "KEEPABLE", "Keep", "Trace", "advance", "left_behind", "loop", "start", "train"]

NEVER = np.iinfo(np.int32).max  # a step that no training reaches


def start(
    key: Key[Array, ""] | Keys,
    task: Task,
    recipe: Recipe,
    keep: Keep = KEEP,
    params: PyTree | None = None,
    source: Any = None,
    checked: bool = False,
) -> tuple[State, Trace]:
    """The state before the first step, and a trace whose records `loop` still has to make.

    The task and the recipe are checked, unless `checked` says that they were.
    """
    recipe = settled(recipe, task)
    if not checked:
        check(task, recipe)
    keys = as_keys(key)
    state = init(keys, task, recipe, params, source)
    state = state._replace(stopping=stopping.begin(recipe, state.params))
    one = jax.eval_shape(lambda: measure(state, prepare(keys, task, recipe), task, recipe, keep))

    def unwritten(path, value):
        size = len(record_steps(recipe))
        if path[0].name in KEPT_FIELDS:
            size = len(keep.at) or 1
        return jnp.full((size, *value.shape), jnp.nan, value.dtype)

    trace = tree_map_with_path(unwritten, one)
    return state, stopping.with_stop(trace, state, 0)


def loop(
    carry,
    keys: Keys,
    data: Data,
    task: Task,
    recipe: Recipe,
    span: tuple[ArrayLike, ArrayLike],
    keep: Keep,
    batching: Batching = ONE,
) -> tuple[State, Trace]:
    """THE training loop: the steps begin, ..., end - 1 of a span (begin, end), and their records.

    A span that begins with step 0 makes the record of the untrained network, if step 0 is recorded.

    With Python ints for begin and end it is a scan, which reverse-mode differentiation can pass
    through. With traced ones it is a while loop, so that one compiled program serves segments of
    any length, with the same bits.
    """
    spread = stopping.spread_of(data, recipe)
    rows, validation = batching.arrange(data.rows), batching.arrange(data.validation)
    data = data._replace(rows=rows, validation=validation)

    def stepped(n, state):
        def moved(state):
            shown = batch(keys, n, data.rows, task, recipe, batching)
            key_of_step = batching.each(lambda key: random.fold_in(key, n))
            dropout_key = key_of_step(keys.dropout)
            state = batching.turn(state)
            state = step(state, shown, task, recipe, dropout_key, batching)
            if recipe.rules:
                state = stopping.watched(state, n, data, spread, task, recipe, batching)
            return batching.turn(state)

        return stopping.unless_stopped(moved, state)

    def recorded(carry, slot):
        return record(carry, slot, data, task, recipe, keep, batching)

    state, trace = carry
    carry = batching.turn(state), stopping.without_stop(trace)
    due = np.append(record_steps(recipe), NEVER)
    begin, end = span
    if isinstance(begin, int) and isinstance(end, int):
        state, trace = step_by_step(carry, (begin, end), due, stepped, recorded)
    else:
        state, trace = record_by_record(carry, span, due, stepped, recorded)
    return batching.turn(state), stopping.with_stop(trace, state, end)


def step_by_step(carry, span: tuple[int, int], due: np.ndarray, stepped: Any, recorded: Any) -> Any:
    """The loop as one scan over steps, after each of which a record is made if one is due.

    Args:
        carry: the state and the trace.
        span: (begin, end), the first step and the one after the last.
        due: (records + 1,), the numbers of steps after which there is a record, with NEVER last.
        stepped: gives the state after step n, as `stepped(n, state)`.
        recorded: gives state and trace with a record, as `recorded(carry, slot)`, where `slot`
            counts the records from 0.
    """
    begin, end = span
    if begin == 0 and due[0] == 0:
        carry = recorded(carry, 0)
    at = jnp.asarray(due, jnp.int32)

    def one_step(n, carry):
        state, trace = carry
        carry = stepped(n, state), trace
        slot = (at <= n).sum(dtype=jnp.int32)
        return lax.cond(at[slot] == n + 1, recorded, lambda carry, _: carry, carry, slot)

    return lax.fori_loop(begin, end, one_step, carry)


def record_by_record(
    carry, span: tuple[Any, Any], due: np.ndarray, stepped: Any, recorded: Any
) -> Any:
    """The loop as two, one in the other: over records, and over the steps before each.

    The inner loop holds nothing but the step, so that no step asks whether a record is due. The
    arguments are those of `step_by_step`, with a traced span.
    """
    begin, end = span
    at = jnp.asarray(due, jnp.int32)
    before = jnp.asarray(np.append(-1, due), jnp.int32)  # the record before each
    behind = jnp.where(begin == 0, -1, begin)  # the record of step 0 is made by the first span

    def is_within(turn):
        slot, _ = turn
        return before[slot] <= end

    def to_record(turn):
        slot, (state, trace) = turn
        here = jnp.maximum(before[slot], begin)
        there = jnp.minimum(at[slot], end)
        carry = lax.fori_loop(here, there, stepped, state), trace
        is_due = (at[slot] > behind) & (at[slot] <= end)
        return slot + 1, lax.cond(is_due, recorded, lambda carry, _: carry, carry, slot)

    # Records that were made before the span take turns without a step. The span may go on after its
    # last record: the last turn makes these steps and no record.
    _, carry = lax.while_loop(is_within, to_record, (jnp.int32(0), carry))
    return carry


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

    See `loop`.
    """
    recipe = settled(recipe, task)
    keys = as_keys(key)
    return loop(carry, keys, prepare(keys, task, recipe), task, recipe, (begin, end), keep)


def train(
    key: Key[Array, ""] | Keys,
    task: Task,
    recipe: Recipe,
    *,
    keep: Keep = KEEP,
    params: PyTree | None = None,
) -> Trace:
    """One training: init, `recipe.steps` updates, and the records on the way.

    It is a pure function of its arguments, to be jitted, vmapped and differentiated:
    `jax.jit(train)(key, task, recipe)`.

    Args:
        key: the seed's key, `fold_in(root, seed)` in `run`; or its `Keys`.
        task: what to learn.
        recipe: how to learn it.
        keep: what to keep besides the losses.
        params: to start from, instead of a fresh init.

    Returns:
        The trace, with one value per record (t,).

    Raises:
        ValueError: a task and a recipe that do not fit.

    Example:
        `train(jax.random.key(0), tasks.square(), Recipe(steps=100)).loss[-1]`
    """
    recipe = settled(recipe, task)
    carry = start(key, task, recipe, keep, params)
    return left_behind(advance(carry, key, task, recipe, 0, recipe.steps, keep), keep)
