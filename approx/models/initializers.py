"""Initialisers: the distributions that the first weights are drawn from.

Each takes a source of random numbers (see `draws`), and gives weights (i, o) and biases (o,).
"""

import jax.numpy as jnp


def init_keras(source, fan_in, fan_out, **_):
    """Keras' Dense: Glorot uniform weights, `U(±sqrt(6 / (fan_in + fan_out)))`, zero biases."""
    bound = jnp.sqrt(6 / (fan_in + fan_out))
    return source.uniform((fan_in, fan_out), bound), jnp.zeros(fan_out)


def init_pytorch(source, fan_in, fan_out, **_):
    """PyTorch's Linear: weights AND biases `U(±1 / sqrt(fan_in))`, with the weights' fan-in."""
    of_w, of_b = source.split()
    bound = 1 / jnp.sqrt(fan_in)
    return of_w.uniform((fan_in, fan_out), bound), of_b.uniform((fan_out,), bound)


def init_nnet(source, fan_in, fan_out, **_):
    """R's nnet: weights and biases `U(-0.7, 0.7)` (its `rang`)."""
    of_w, of_b = source.split()
    return of_w.uniform((fan_in, fan_out), 0.7), of_b.uniform((fan_out,), 0.7)


def init_he(source, fan_in, fan_out, **_):
    """He et al. 2015: weights `N(0, 2 / fan_in)`, untruncated as in PyTorch; zero biases."""
    sd = jnp.sqrt(2 / fan_in)
    return sd * source.normal((fan_in, fan_out)), jnp.zeros(fan_out)


def init_uniform(source, fan_in, fan_out, **_):
    """Weights and biases `U(-1, 1)`, to be sized by `init_scale`."""
    of_w, of_b = source.split()
    return of_w.uniform((fan_in, fan_out), 1.0), of_b.uniform((fan_out,), 1.0)


def init_siren(source, fan_in, fan_out, *, first, frequency):
    """Sitzmann et al. 2020, for the activation `sin`.

    Weights are `U(±1 / fan_in)` in the first layer and `U(±sqrt(6 / fan_in) / frequency)` in the
    others; biases are PyTorch's.
    """
    of_w, of_b = source.split()
    if first:
        bound = 1 / fan_in
    else:
        bound = jnp.sqrt(6 / fan_in) / frequency
    w = of_w.uniform((fan_in, fan_out), bound)
    b_bound = 1 / jnp.sqrt(fan_in)
    return w, of_b.uniform((fan_out,), b_bound)


def init_identity(source, fan_in, fan_out, **_):
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
