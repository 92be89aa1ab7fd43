"""Activations: the formulas that a layer applies to each of its outputs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike

from approx.numerics import elementary


def sin(z: Array, frequency: ArrayLike = 1.0) -> Array:
    """`sin(frequency z)` (Sitzmann et al. 2020, SIREN, whose omega_0 this is)."""
    return elementary.sin(frequency * z)


def snake(z: Array, a: ArrayLike = 1.0) -> Array:
    """`z + sin²(a z) / a` (Ziyin, Hartwig and Ueda 2020, eq. 3)."""
    return z + elementary.sin(a * z) ** 2 / a


def linear(z: Array) -> Array:
    """`z`."""
    return z


ACTIVATIONS = {
    "tanh": elementary.tanh,
    "relu": jax.nn.relu,
    "sigmoid": elementary.sigmoid,
    "gelu": partial(jax.nn.gelu, approximate=False),  # the exact one, Keras' and PyTorch's default
    "gaussian": elementary.gaussian,
    "sin": sin,
    "snake": snake,
    "square": jnp.square,
    "linear": linear,
    "xla_tanh": jnp.tanh,
}


@dataclass(frozen=True)
class Elementwise:
    """A user's own activation that works number by number, so that the form "lanes" can use it.

    Attributes:
        function: the activation.
    """

    function: Callable

    def __call__(self, z: Array) -> Array:
        """The function."""
        return self.function(z)
