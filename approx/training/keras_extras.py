"""What every optimiser of Keras can do besides its own rule: clip, decay, and average the weights.

In one step (Keras 3.15.1, `Optimizer.apply`) the gradient is clipped, `rate weight_decay w` is
taken off every w, the optimiser's own rule moves w, and the running average takes in the new w.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, PyTree

from approx.training import keras
from approx.training.leafwise import is_kernel, rate_at


class Extras(NamedTuple):
    """The options that every optimiser of Keras has; None leaves one out of the program.

    Attributes:
        weight_decay: share of w, times the learning rate, that is taken off in a step.
        kernels_only: whether biases do not decay (Keras: `exclude_from_weight_decay`).
        clipnorm: largest norm of one array's gradient.
        global_clipnorm: largest norm of all gradients together.
        clipvalue: largest absolute value of a gradient.
        ema_momentum: share that the running average of the weights keeps in a step.
        ema_every: after so many steps, again and again, the weights are replaced by their average
            (Keras: `ema_overwrite_frequency`; its None, which replaces them at the end, is the
            number of all steps).
    """

    weight_decay: Any = None
    kernels_only: bool = False
    clipnorm: Any = None
    global_clipnorm: Any = None
    clipvalue: Any = None
    ema_momentum: Any = None
    ema_every: int | None = None


class Averaged(NamedTuple):
    """The state of an optimiser with extras.

    Attributes:
        steps: how many were made.
        inner: the optimiser's own state.
        average: of the weights, or None.
    """

    steps: Array
    inner: Any
    average: PyTree


def clipped(gradients: PyTree, extras: Extras) -> PyTree:
    """Gradients within the bound that the extras name: one of the three, as in Keras."""
    if extras.clipnorm is not None:

        def within(g):
            norm = jnp.sqrt((g**2).sum())
            return g * extras.clipnorm / jnp.maximum(norm, extras.clipnorm)

        return jax.tree.map(within, gradients)
    if extras.global_clipnorm is not None:
        squares = [(g**2).sum() for g in jax.tree.leaves(gradients)]
        norm = jnp.sqrt(sum(squares))
        factor = extras.global_clipnorm / jnp.maximum(norm, extras.global_clipnorm)
        return jax.tree.map(lambda g: g * factor, gradients)
    if extras.clipvalue is not None:
        most = extras.clipvalue
        return jax.tree.map(lambda g: jnp.clip(g, -most, most), gradients)
    return gradients


def decayed(params: PyTree, rate: Any, extras: Extras) -> PyTree:
    """The weights without the share that decays in a step."""
    if extras.weight_decay is None:
        return params

    def shrunk(w):
        if extras.kernels_only and not is_kernel(w):
            return w
        return w - (w * extras.weight_decay * rate).astype(w.dtype)

    return jax.tree.map(shrunk, params)


def averaged(average: PyTree, params: PyTree, t: Array, extras: Extras) -> PyTree:
    """The running average with the new weights in it; at first it is the weights themselves."""
    momentum = jnp.where(t == 1, 0, extras.ema_momentum)

    def kept(mean, w):
        return (momentum * mean + (1 - momentum) * w).astype(w.dtype)

    return jax.tree.map(kept, average, params)


def with_extras(
    rule: optax.GradientTransformation, learning_rate: Any, extras: Extras
) -> optax.GradientTransformation:
    """A rule that clips, decays and averages before and after it moves."""

    def init(params):
        average = None
        if extras.ema_every is not None:
            average = jax.tree.map(jnp.zeros_like, params)
        return Averaged(jnp.zeros((), jnp.int32), rule.init(params), average)

    def update(gradients, state, params=None):
        if params is None:
            raise ValueError("this rule needs the parameters: update(gradients, state, params)")
        t = state.steps + 1
        base = decayed(params, rate_at(learning_rate, state.steps), extras)
        changes, inner = rule.update(clipped(gradients, extras), state.inner, base)
        target = optax.apply_updates(base, changes)
        average = state.average
        if extras.ema_every is not None:
            average = averaged(average, target, t, extras)
            due = t % extras.ema_every == 0
            target = jax.tree.map(lambda mean, w: jnp.where(due, mean, w), average, target)
        changes = jax.tree.map(jnp.subtract, target, params)
        return changes, Averaged(t, inner, average)

    return optax.GradientTransformation(init, update)


def extended(factory: Callable) -> Callable:
    """An optimiser of Keras with the options of `Extras`."""

    @wraps(factory)
    def made(learning_rate, *args, **options):
        own = {name: value for name, value in options.items() if name not in Extras._fields}
        chosen = {name: value for name, value in options.items() if name in Extras._fields}
        rule = factory(learning_rate, *args, **own)
        extras = Extras(**chosen)
        check(extras)
        if extras._replace(kernels_only=False) == Extras():
            return rule
        return with_extras(rule, learning_rate, extras)

    return made


def adamw(learning_rate, b1=0.9, b2=0.999, eps=1e-7, weight_decay=0.004, amsgrad=False, **options):
    """Keras' AdamW: its Adam with a `weight_decay`; see `Extras` for the other options."""
    if not amsgrad and all(value in (None, False) for value in options.values()):
        return keras.adamw(learning_rate, b1, b2, eps, weight_decay)
    return extended(keras.adam)(
        learning_rate, b1, b2, eps, amsgrad, weight_decay=weight_decay, **options
    )


def check(extras: Extras) -> None:
    """Refuse two ways of clipping, and half of an average.

    Raises:
        ValueError: with what was given.
    """
    ways = ("clipnorm", "global_clipnorm", "clipvalue")
    given = [name for name in ways if getattr(extras, name) is not None]
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} both clip the gradient; give one of them")
    if extras.ema_momentum is not None and extras.ema_every is None:
        raise ValueError(
            "ema_momentum averages the weights, and ema_every says after how many steps they are "
            "replaced by the average; for Keras' end of the training give ema_every=steps"
        )
    if extras.ema_every is not None and extras.ema_momentum is None:
        raise ValueError("ema_every needs ema_momentum, which is 0.99 in Keras")
