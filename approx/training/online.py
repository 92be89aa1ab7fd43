"""Gradient descent with momentum and adaptive rates, as small libraries have it.

The formulas were found by experiment or are those of the libraries' manuals; each function names
its library. g is the gradient and w the parameter.
"""

import jax.numpy as jnp
import optax

from approx.training.leafwise import Now, is_kernel, leafwise


def momentum_brainjs(learning_rate, momentum=0.1) -> optax.GradientTransformation:
    """brain.js: `c <- momentum c - rate g`, `w <- w + c` for weights; biases move by `-rate g`."""

    def move(g, w, slots, now):
        change = -now.rate * g
        if is_kernel(w):
            change = momentum * slots["change"] + change
        return change, {"change": change}

    return leafwise(learning_rate, move, {"change": 0})


def gdm(learning_rate, momentum=0.9) -> optax.GradientTransformation:
    """neurolab's and MATLAB's `gdm`: `d <- momentum d + (1 - momentum) rate g`, `w <- w - d`."""

    def move(g, w, slots, now):
        step = momentum * slots["step"] + (1 - momentum) * now.rate * g
        return -step, {"step": step}

    return leafwise(learning_rate, move, {"step": 0})


def adapted(now: Now, lr_inc, lr_dec, max_perf_inc) -> dict:
    """The factor on the rate, and the loss, of neurolab's adaptive rate (`gda`).

    Where the loss is more than `max_perf_inc` times that of the last step, the factor shrinks by
    `lr_dec`; where it is below that of the last step, it grows by `lr_inc`. The first step has no
    last one.
    """
    ratio = now.value / now.shared["value"]
    worse = jnp.where(ratio > max_perf_inc, lr_dec, 1)
    change = jnp.where(ratio < 1, lr_inc, worse)
    change = jnp.where(now.t == 1, 1, change)
    return {"factor": now.shared["factor"] * change, "value": jnp.asarray(now.value)}


def gda(learning_rate, lr_inc=1.05, lr_dec=0.7, max_perf_inc=1.04) -> optax.GradientTransformation:
    """neurolab's `gda`: gradient descent whose rate follows the loss; see `adapted`."""

    def advance(now):
        return adapted(now, lr_inc, lr_dec, max_perf_inc)

    def move(g, w, slots, now):
        return -now.rate * now.shared["factor"] * g, slots

    shared = {"factor": 1, "value": 1}
    return leafwise(learning_rate, move, {}, shared, advance, asks_value=True)


def gdx(
    learning_rate, momentum=0.9, lr_inc=1.05, lr_dec=0.7, max_perf_inc=1.04
) -> optax.GradientTransformation:
    """neurolab's `gdx`: `gdm` with the rate of `gda`."""

    def advance(now):
        return adapted(now, lr_inc, lr_dec, max_perf_inc)

    def move(g, w, slots, now):
        rate = now.rate * now.shared["factor"]
        step = momentum * slots["step"] + (1 - momentum) * rate * g
        return -step, {"step": step}

    shared = {"factor": 1, "value": 1}
    return leafwise(learning_rate, move, {"step": 0}, shared, advance, asks_value=True)
