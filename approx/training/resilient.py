"""Resilient backpropagation: steps whose lengths follow the signs of the gradient alone.

Every parameter has a step length Δ of its own, at first the learning rate. Where the gradient g
keeps its sign, Δ grows by the factor `grow`, up to `longest`; where the sign changes, Δ shrinks by
the factor `shrink`, down to `shortest`. The members of the family differ in what else happens where
the sign changes. Names and formulas are those of Igel and Hüsken (2003, "Empirical evaluation of
the improved Rprop learning algorithms"); those of a library are recorded from the library itself.
A schedule scales the first step length only.
"""

from typing import Any

import jax.numpy as jnp
import optax
from jaxtyping import Array

from approx.training.leafwise import leafwise, rate_at


def lengthened(
    length: Array, product: Array, shrink: Any, grow: Any, shortest: Any, longest: Any
) -> Array:
    """The next step length, from the product of the last two gradients."""
    grown = jnp.minimum(length * grow, longest)
    shrunk = jnp.maximum(length * shrink, shortest)
    return jnp.where(product > 0, grown, jnp.where(product < 0, shrunk, length))


def first(learning_rate: Any) -> Any:
    """The first step length: the learning rate before the first step."""
    return rate_at(learning_rate, jnp.zeros((), jnp.int32))


def rprop(
    learning_rate, shrink=0.5, grow=1.2, shortest=1e-6, longest=50.0
) -> optax.GradientTransformation:
    """iRPROP-: where the sign changes no step is made, and the gradient is forgotten.

    It is PyTorch's `Rprop` (`etas=(shrink, grow)`, `step_sizes=(shortest, longest)`).
    """

    def move(g, w, slots, now):
        product = g * slots["before"]
        length = lengthened(slots["length"], product, shrink, grow, shortest, longest)
        g = jnp.where(product < 0, 0, g)
        return -jnp.sign(g) * length, {"before": g, "length": length}

    return leafwise(learning_rate, move, {"before": 0, "length": first(learning_rate)})


def rprop_minus(
    learning_rate, shrink=0.5, grow=1.2, shortest=1e-6, longest=50.0
) -> optax.GradientTransformation:
    """RPROP-: a step is made in any case, along the sign of the gradient."""

    def move(g, w, slots, now):
        product = g * slots["before"]
        length = lengthened(slots["length"], product, shrink, grow, shortest, longest)
        return -jnp.sign(g) * length, {"before": g, "length": length}

    return leafwise(learning_rate, move, {"before": 0, "length": first(learning_rate)})


def backtracking(
    learning_rate, shrink, grow, shortest, longest, only_if_worse: bool
) -> optax.GradientTransformation:
    """RPROP+, or iRPROP+ if steps are taken back only where the loss has become larger."""

    def worse(now):
        return now.value > now.shared["last"]

    def values(now):
        # The value of this step stands beside that of the last one, for `worse`
        return {"last": now.shared["value"], "value": jnp.asarray(now.value)}

    def move(g, w, slots, now):
        product = g * slots["before"]
        length = lengthened(slots["length"], product, shrink, grow, shortest, longest)
        step = -jnp.sign(g) * length
        back = -slots["step"]
        if only_if_worse:
            back = jnp.where(worse(now), back, 0)
        turned = product < 0
        step = jnp.where(turned, back, step)
        return step, {"before": jnp.where(turned, 0, g), "length": length, "step": step}

    slots = {"before": 0, "length": first(learning_rate), "step": 0}
    if not only_if_worse:
        return leafwise(learning_rate, move, slots)
    shared = {"last": jnp.inf, "value": jnp.inf}
    return leafwise(learning_rate, move, slots, shared, values, asks_value=True)


def rprop_plus(
    learning_rate, shrink=0.5, grow=1.2, shortest=1e-6, longest=50.0
) -> optax.GradientTransformation:
    """RPROP+: where the sign changes, the last step is taken back (Riedmiller and Braun 1993)."""
    return backtracking(learning_rate, shrink, grow, shortest, longest, only_if_worse=False)


def irprop_plus(
    learning_rate, shrink=0.5, grow=1.2, shortest=1e-6, longest=50.0
) -> optax.GradientTransformation:
    """iRPROP+: where the sign changes and the loss has grown, the last step is taken back."""
    return backtracking(learning_rate, shrink, grow, shortest, longest, only_if_worse=True)


FANN_FLOOR = 1e-4  # FANN takes every step length for at least this before it changes it
FANN_LARGEST = 1500.0  # and keeps every weight within this


def rprop_fann(
    learning_rate, shrink=0.5, grow=1.2, shortest=0.0, longest=50.0
) -> optax.GradientTransformation:
    """FANN's iRPROP- (FANN_TRAIN_RPROP): a gradient that does not change its sign lengthens.

    So the first step is `grow` times the learning rate, and a product of 0 lengthens too. Where the
    sign changes the gradient counts as 0, and a gradient of 0 moves the weight UP by Δ.
    """

    def move(g, w, slots, now):
        slope = -g
        product = slope * slots["before"]
        length = jnp.maximum(slots["length"], FANN_FLOOR)
        grown = jnp.minimum(length * grow, longest)
        shrunk = jnp.maximum(length * shrink, shortest)
        length = jnp.where(product >= 0, grown, shrunk)
        slope = jnp.where(product >= 0, slope, 0)
        target = w + jnp.where(slope < 0, -length, length)
        target = jnp.clip(target, -FANN_LARGEST, FANN_LARGEST)
        return target - w, {"before": slope, "length": length}

    return leafwise(learning_rate, move, {"before": 0, "length": first(learning_rate)})


def rprop_opencv(
    learning_rate, shrink=0.5, grow=1.2, shortest=1.1920929e-07, longest=50.0
) -> optax.GradientTransformation:
    """OpenCV's RPROP: the shortened step is made where the sign changes, which is then forgotten.

    Only signs are kept, so that no product of two small gradients is rounded to 0.
    """

    def move(g, w, slots, now):
        sign = jnp.sign(g)
        product = sign * slots["before"]
        length = lengthened(slots["length"], product, shrink, grow, shortest, longest)
        return -sign * length, {"before": jnp.where(product < 0, 0, sign), "length": length}

    return leafwise(learning_rate, move, {"before": 0, "length": first(learning_rate)})


def rprop_neurolab(
    learning_rate, shrink=0.5, grow=1.2, shortest=1e-9, longest=50.0
) -> optax.GradientTransformation:
    """neurolab's `train_rprop` with back-steps (`TrainRpropM`).

    Where the sign changes, w moves on by the old length and back by the shortened one, and the
    gradient is remembered with its sign turned.
    """

    def move(g, w, slots, now):
        product = g * slots["before"]
        length = lengthened(slots["length"], product, shrink, grow, shortest, longest)
        turned = product < 0
        further = jnp.where(turned, -slots["length"] * jnp.sign(g), 0)
        g = jnp.where(turned, -g, g)
        return further - length * jnp.sign(g), {"before": g, "length": length}

    return leafwise(learning_rate, move, {"before": 0, "length": first(learning_rate)})
