"""Rules that move every parameter by its own gradient: the machinery that they share.

A rule is written as a function of one array of parameters (`Move`). This file carries it over all
arrays of a network, counts the steps, and keeps what the rule remembers of each array.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, PyTree


class Memory(NamedTuple):
    """What a rule keeps between two steps.

    Attributes:
        steps: how many were made.
        shared: numbers that all parameters share, by name.
        slots: for each name an array beside every array of parameters.
    """

    steps: Array
    shared: dict[str, Array]
    slots: dict[str, PyTree]


class Now(NamedTuple):
    """What a rule is told in a step.

    Attributes:
        t: number of the step, from 1 on, as a floating-point number.
        rate: the learning rate.
        shared: the numbers that all parameters share, as they were before the step.
        value: the loss on the batch, or None for rules that do not ask for it.
    """

    t: Array
    rate: Any
    shared: dict[str, Array]
    value: Any = None


# (gradient, parameters, slots, now) -> (what is added to the parameters, slots)
Move = Callable[[Array, Array, dict[str, Array], Now], tuple[Array, dict[str, Array]]]


def rate_at(learning_rate: Any, steps: Any) -> Any:
    """The learning rate after so many steps: a number, or a function of the steps."""
    if callable(learning_rate):
        return learning_rate(steps)
    return learning_rate


def filled(params: PyTree, value: Any) -> PyTree:
    """An array of one value beside every array of parameters."""
    return jax.tree.map(lambda w: jnp.full_like(w, value), params)


def leafwise(
    learning_rate: Any,
    move: Move,
    slots: Mapping[str, Any] | None = None,
    shared: Mapping[str, Any] | None = None,
    advance: Callable[[Now], dict[str, Array]] | None = None,
    asks_value: bool = False,
) -> optax.GradientTransformation:
    """A rule of one array as an optax transformation of all.

    Args:
        learning_rate: a number, or a function of the number of steps made.
        move: the rule, see `Move`.
        slots: what it keeps beside every array of parameters, by name, with the first value.
        shared: the numbers that all parameters share, by name, with the first value.
        advance: these numbers for this step, from `Now` with those of the last step. `move` is told
            them in `Now.shared`.
        asks_value: whether the rule asks for the loss on the batch.

    Example:
        `leafwise(0.1, lambda g, w, slots, now: (-now.rate * g, slots))` is gradient descent.
    """
    slots, shared = dict(slots or {}), dict(shared or {})

    def init(params):
        dtype = jax.tree.leaves(params)[0].dtype
        return Memory(
            jnp.zeros((), jnp.int32),
            {name: jnp.full((), value, dtype) for name, value in shared.items()},
            {name: filled(params, value) for name, value in slots.items()},
        )

    def update(gradients, state, params=None, value=None, **_):
        if params is None:
            raise ValueError("this rule needs the parameters: update(gradients, state, params)")
        if asks_value and value is None:
            raise TypeError("this rule needs the loss: update(..., value=loss)")
        leaves, tree = jax.tree.flatten(params)
        gradient_leaves = jax.tree.leaves(gradients)
        slot_leaves = {name: jax.tree.leaves(state.slots[name]) for name in slots}
        t = (state.steps + 1).astype(leaves[0].dtype)
        now = Now(t, rate_at(learning_rate, state.steps), state.shared, value)
        if advance is not None:
            now = now._replace(shared=advance(now))
        changes = []
        kept: dict[str, list[Array]] = {name: [] for name in slots}
        for n, (gradient, leaf) in enumerate(zip(gradient_leaves, leaves, strict=True)):
            own = {name: slot_leaves[name][n] for name in slots}
            change, own = move(gradient, leaf, own, now)
            changes.append(change.astype(leaf.dtype))
            for name in slots:
                kept[name].append(own[name].astype(leaf.dtype))
        arrays = {name: jax.tree.unflatten(tree, kept[name]) for name in slots}
        memory = Memory(state.steps + 1, now.shared, arrays)
        return jax.tree.unflatten(tree, changes), memory

    if asks_value:
        return optax.GradientTransformationExtraArgs(init, update)
    return optax.GradientTransformation(init, update)


def is_kernel(leaf: Array) -> bool:
    """Whether these parameters are a layer's weights: an array of two axes or more."""
    return leaf.ndim >= 2
