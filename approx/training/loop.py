"""One training of one network: its start, the loop over steps, and `train`.

All shapes are those of one network; `blocks.py` puts the axis of seeds and settings around `start`
and `loop`.
"""

from typing import Any

import jax
import jax.numpy as jnp
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


def start(
    key: Key[Array, ""] | Keys,
    task: Task,
    recipe: Recipe,
    keep: Keep = KEEP,
    params: PyTree | None = None,
    source: Any = None,
) -> tuple[State, Trace]:
    """State and trace before the first step; record 0 is made if step 0 is among the records."""
    recipe = settled(recipe, task)
    check(task, recipe)
    keys = as_keys(key)
    data = prepare(keys, task, recipe)
    state = init(keys, task, recipe, params, source)
    state = state._replace(stopping=stopping.begin(recipe, state.params))
    one = jax.eval_shape(lambda: measure(state, data, task, recipe, keep))

    def unwritten(path, value):
        size = len(record_steps(recipe))
        if path[0].name in KEPT_FIELDS:
            size = len(keep.at) or 1
        return jnp.full((size, *value.shape), jnp.nan, value.dtype)

    trace = tree_map_with_path(unwritten, one)
    state, trace = record((state, trace), -1, data, task, recipe, keep)
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

    With Python ints for begin and end it is a scan, which reverse-mode differentiation can pass
    through. With traced ones it is a while loop, so that one compiled program serves segments of
    any length, with the same bits.
    """
    spread = stopping.spread_of(data, recipe)
    rows, validation = batching.arrange(data.rows), batching.arrange(data.validation)
    data = data._replace(rows=rows, validation=validation)

    def one_step(n, carry):
        state, trace = carry

        def moved(state):
            shown = batch(keys, n, data.rows, task, recipe, batching)
            key_of_step = batching.each(lambda key: random.fold_in(key, n))
            dropout_key = key_of_step(keys.dropout)
            state = batching.turn(state)
            state = step(state, shown, task, recipe, dropout_key, batching)
            if recipe.rules:
                state = stopping.watched(state, n, data, spread, task, recipe, batching)
            return batching.turn(state)

        state = stopping.unless_stopped(moved, state)
        return record((state, trace), n, data, task, recipe, keep, batching)

    begin, end = span
    state, trace = carry
    state = batching.turn(state)
    trace = stopping.without_stop(trace)
    state, trace = lax.fori_loop(begin, end, one_step, (state, trace))
    return batching.turn(state), stopping.with_stop(trace, state, end)


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
