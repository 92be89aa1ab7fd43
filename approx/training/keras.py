"""Keras' Adam and AdamW, which optax lacks."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, PyTree, ScalarLike


class AdamState(NamedTuple):
    """Adam between two steps.

    Attributes:
        steps: how many were made.
        mu: running mean of the gradients.
        nu: running mean of their squares.
    """

    steps: Array
    mu: PyTree
    nu: PyTree


def scale_by_adam_keras(b1: ScalarLike = 0.9, b2: ScalarLike = 0.999, eps: ScalarLike = 1e-7):
    """Keras' Adam: `m sqrt(1 - b2^t) / (1 - b1^t) / (sqrt(v) + eps)`.

    Epsilon is added after the bias correction went into the rate (Kingma and Ba 2015, the "more
    efficient order" of section 2; keras/src/optimizers/adam.py), so it is not optax.adam(eps=1e-7),
    which corrects v before the root.

    Args:
        b1: share that the running mean m of the gradients keeps in a step.
        b2: share that the running mean v of their squares keeps in a step.
        eps: is added to the root of v.
    """

    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return AdamState(jnp.zeros((), jnp.int32), zeros, zeros)

    def next_mu(m, gradient):
        return b1 * m + (1 - b1) * gradient

    def next_nu(v, gradient):
        return b2 * v + (1 - b2) * gradient**2

    def update(gradients, state, params=None):
        del params
        count = state.steps + 1
        mu = jax.tree.map(next_mu, state.mu, gradients)
        nu = jax.tree.map(next_nu, state.nu, gradients)
        factor = jnp.sqrt(1 - b2**count) / (1 - b1**count)

        def change(m, v):
            return factor * m / (jnp.sqrt(v) + eps)

        return jax.tree.map(change, mu, nu), AdamState(count, mu, nu)

    return optax.GradientTransformation(init, update)


def adam_keras(learning_rate, b1=0.9, b2=0.999, eps=1e-7):
    """Keras' Adam; see `scale_by_adam_keras`."""
    rate = optax.scale_by_learning_rate(learning_rate)
    return optax.chain(scale_by_adam_keras(b1, b2, eps), rate)


def adamw_keras(learning_rate, b1=0.9, b2=0.999, eps=1e-7, weight_decay=0.004):
    """Keras' AdamW: its Adam, and `learning_rate * weight_decay * w` off every parameter."""
    return optax.chain(
        scale_by_adam_keras(b1, b2, eps),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(learning_rate),
    )
