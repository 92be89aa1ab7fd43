"""Initialisers: the distributions that the first weights are drawn from."""

from typing import Any

import jax.numpy as jnp
from jax import random
from jaxtyping import Array, Key


def init_keras(key, fan_in, fan_out, **_):
    """Keras' Dense: Glorot uniform weights, `U(±sqrt(6 / (fan_in + fan_out)))`, zero biases."""
    bound = jnp.sqrt(6 / (fan_in + fan_out))
    return uniform(key, (fan_in, fan_out), bound), jnp.zeros(fan_out)


def init_pytorch(key, fan_in, fan_out, **_):
    """PyTorch's Linear: weights AND biases `U(±1 / sqrt(fan_in))`, with the weights' fan-in."""
    w_key, b_key = random.split(key)
    bound = 1 / jnp.sqrt(fan_in)
    return uniform(w_key, (fan_in, fan_out), bound), uniform(b_key, (fan_out,), bound)


def init_nnet(key, fan_in, fan_out, **_):
    """R's nnet: weights and biases `U(-0.7, 0.7)` (its `rang`)."""
    w_key, b_key = random.split(key)
    return uniform(w_key, (fan_in, fan_out), 0.7), uniform(b_key, (fan_out,), 0.7)


def init_he(key, fan_in, fan_out, **_):
    """He et al. 2015: weights `N(0, 2 / fan_in)`, untruncated as in PyTorch; zero biases."""
    sd = jnp.sqrt(2 / fan_in)
    return sd * random.normal(key, (fan_in, fan_out)), jnp.zeros(fan_out)


def init_uniform(key, fan_in, fan_out, **_):
    """Weights and biases `U(-1, 1)`, to be sized by `init_scale`."""
    w_key, b_key = random.split(key)
    return uniform(w_key, (fan_in, fan_out), 1.0), uniform(b_key, (fan_out,), 1.0)


def init_siren(key, fan_in, fan_out, *, first, frequency):
    """Sitzmann et al. 2020, for the activation `sin`.

    Weights are `U(±1 / fan_in)` in the first layer and `U(±sqrt(6 / fan_in) / frequency)` in the
    others; biases are PyTorch's.
    """
    w_key, b_key = random.split(key)
    if first:
        bound = 1 / fan_in
    else:
        bound = jnp.sqrt(6 / fan_in) / frequency
    w = uniform(w_key, (fan_in, fan_out), bound)
    b_bound = 1 / jnp.sqrt(fan_in)
    return w, uniform(b_key, (fan_out,), b_bound)


def init_identity(key, fan_in, fan_out, **_):
    """Ones on the diagonal, zeros elsewhere, zero biases."""
    return jnp.eye(fan_in, fan_out), jnp.zeros(fan_out)


INITIALIZERS = {
    "keras": init_keras,
    "pytorch": init_pytorch,
    "nnet": init_nnet,
    "he": init_he,
    "uniform": init_uniform,
    "siren": init_siren,
    "identity": init_identity,
}


def uniform(key: Key[Array, ""], shape: tuple[int, ...], bound: Any) -> Array:
    """`U(-bound, bound)`."""
    return random.uniform(key, shape, minval=-bound, maxval=bound)
