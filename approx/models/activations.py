"""Activations: the formulas that a layer applies to each of its outputs.

`ACTIVATIONS` has them by the names that an `MLP` and the layers of a `Chain` take. `activation`
gives one of them with other numbers than its defaults.

Where a formula has a corner, its slope there is PyTorch's: that of the left side for "relu" and
"leaky_relu", and 0 at both corners of a clipped line.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike

from approx.numerics import elementary
from approx.tasks.values import known_name, meant

# Klambauer et al. 2017, eq. 14: with these, means of 0 and variances of 1 stay as they are
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
# FANN's stepwise sigmoids are polygons through these values of the smooth ones, and constant beyond
STEPS = (0.005, 0.05, 0.25, 0.75, 0.95, 0.995)


def sin(z: Array, frequency: ArrayLike = 1.0) -> Array:
    """`sin(frequency z)` (Sitzmann et al. 2020, SIREN, whose omega_0 this is)."""
    return elementary.sin(frequency * z)


def snake(z: Array, a: ArrayLike = 1.0) -> Array:
    """`z + sin²(a z) / a` (Ziyin, Hartwig and Ueda 2020, eq. 3)."""
    return z + elementary.sin(a * z) ** 2 / a


def linear(z: Array) -> Array:
    """`z`."""
    return z


# ---- lines with corners --------------------------------------------------------------------------


def clipped(z: Array, low: float, high: float) -> Array:
    """`min(max(z, low), high)`, with a slope of 0 at both corners."""
    not_above = jnp.where(z < high, z, high)
    return jnp.where(z > low, not_above, low)


def leaky_relu(z: Array, slope: float = 0.01) -> Array:
    """`z` above 0 and `slope z` below (Maas et al. 2013).

    The slope is 0.01 in PyTorch and JAX, 0.2 in Keras' word "leaky_relu" and 0.3 in its layer.
    """
    return jnp.where(z > 0, z, slope * z)


def relu6(z: Array) -> Array:
    """`min(max(z, 0), 6)` (Krizhevsky 2010)."""
    return clipped(z, 0.0, 6.0)


def hard_sigmoid(z: Array, slope: float = 1 / 6) -> Array:
    """`min(max(slope z + 1/2, 0), 1)` (Courbariaux et al. 2015).

    The slope is 1/6 in Keras 3 and PyTorch, and 0.2 in Keras 2 and TensorFlow.js.
    """
    return clipped(slope * z + 0.5, 0.0, 1.0)


def hard_silu(z: Array) -> Array:
    """`z min(max(z + 3, 0), 6) / 6` (Howard et al. 2019, "hard swish")."""
    return z * relu6(z + 3) / 6


def hard_tanh(z: Array, low: float = -1.0, high: float = 1.0) -> Array:
    """`min(max(z, low), high)` (Collobert 2004)."""
    return clipped(z, low, high)


def hard_shrink(z: Array, threshold: float = 0.5) -> Array:
    """`z` where `|z| > threshold`, and 0 elsewhere (PyTorch's Hardshrink)."""
    return jnp.where(jnp.abs(z) > threshold, z, 0)


def soft_shrink(z: Array, threshold: float = 0.5) -> Array:
    """`z` moved towards 0 by the threshold, and 0 where it is nearer (PyTorch's Softshrink)."""
    return z - clipped(z, -threshold, threshold)


def threshold(z: Array, threshold: float = 0.0, value: float = 0.0) -> Array:
    """`z` above the threshold, and `value` elsewhere (PyTorch's and Keras' threshold)."""
    return jnp.where(z > threshold, z, value)


# ---- exponentials below 0 ------------------------------------------------------------------------


def elu(z: Array, alpha: float = 1.0) -> Array:
    """`z` above 0 and `alpha (e^z - 1)` below (Clevert, Unterthiner and Hochreiter 2016)."""
    below = jnp.where(z > 0, 0, z)
    return jnp.where(z > 0, z, alpha * jnp.expm1(below))


def celu(z: Array, alpha: float = 1.0) -> Array:
    """`z` above 0 and `alpha (e^(z / alpha) - 1)` below (Barron 2017)."""
    below = jnp.where(z > 0, 0, z)
    return jnp.where(z > 0, z, alpha * jnp.expm1(below / alpha))


def selu(z: Array) -> Array:
    """`1.0507 elu(z)` with alpha 1.6733 (Klambauer et al. 2017)."""
    return SELU_SCALE * elu(z, SELU_ALPHA)


# ---- sigmoids and what is made of them -----------------------------------------------------------


def softsign(z: Array) -> Array:
    """`z / (1 + |z|)` (Turian, Bergstra and Bengio 2009); MATLAB's elliotsig."""
    return z / (1 + jnp.abs(z))


def scaled_tanh(z: Array, outer: float = 1.7159, inner: float = 2 / 3) -> Array:
    """`outer tanh(inner z)` (LeCun et al. 1998); `inner` is 1/3 in OpenCV's SIGMOID_SYM."""
    return outer * elementary.tanh(inner * z)


def silu(z: Array) -> Array:
    """`z sigmoid(z)` (Elfwing, Uchibe and Doya 2018; "swish" of Ramachandran et al. 2017)."""
    return z * elementary.sigmoid(z)


def mish(z: Array) -> Array:
    """`z tanh(log(1 + e^z))` (Misra 2020)."""
    return z * elementary.tanh(elementary.softplus(z))


def gelu_tanh(z: Array) -> Array:
    """`z (1 + tanh(√(2/π) (z + 0.044715 z³))) / 2` (Hendrycks and Gimpel 2016)."""
    inner = math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)
    return 0.5 * z * (1 + elementary.tanh(inner))


def tanh_shrink(z: Array) -> Array:
    """`z - tanh(z)` (PyTorch's Tanhshrink)."""
    return z - elementary.tanh(z)


def log_sigmoid(z: Array) -> Array:
    """`log(sigmoid(z)) = -log(1 + e^-z)`."""
    return -elementary.softplus(-z)


# ---- FANN's --------------------------------------------------------------------------------------


def elliot(z: Array, steepness: float = 0.5) -> Array:
    """`s z / (1 + |s z|) / 2 + 1/2` with the steepness s (Elliott 1993; FANN's ELLIOT)."""
    return 0.5 + 0.5 * softsign(steepness * z)


def elliot_symmetric(z: Array, steepness: float = 0.5) -> Array:
    """`s z / (1 + |s z|)` with the steepness s (FANN's ELLIOT_SYMMETRIC)."""
    return softsign(steepness * z)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def fann_sigmoid(z: Array, steepness: float = 0.5) -> Array:
    """`1 / (1 + e^(-2 s z))` with the steepness s (FANN's SIGMOID).

    Its slope is `2 s h (1 - h)`, with a value h between 0.01 and 0.99 at least, as FANN has it.
    """
    return elementary.sigmoid(2 * steepness * z)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def fann_sigmoid_stepwise(z: Array, steepness: float = 0.5) -> Array:
    """FANN's SIGMOID_STEPWISE: a polygon through six points of its sigmoid, 0 and 1 beyond them.

    Its slope is the formula of `fann_sigmoid`'s, from the polygon's value.
    """
    values = [-math.log(1 / step - 1) / 2 for step in STEPS]
    return polygon(steepness * z, values, STEPS, 0.0, 1.0)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def fann_tanh(z: Array, steepness: float = 0.5) -> Array:
    """`tanh(s z)` with the steepness s (FANN's SIGMOID_SYMMETRIC).

    Its slope is `s (1 - h²)`, with a value h between -0.98 and 0.98 at least, as FANN has it.
    """
    return elementary.tanh(steepness * z)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def fann_tanh_stepwise(z: Array, steepness: float = 0.5) -> Array:
    """FANN's SIGMOID_SYMMETRIC_STEPWISE: a polygon through six points of `fann_tanh`, ±1 beyond.

    Its slope is the formula of `fann_tanh`'s, from the polygon's value.
    """
    heights = [2 * step - 1 for step in STEPS]
    values = [math.atanh(height) for height in heights]
    return polygon(steepness * z, values, heights, -1.0, 1.0)


def polygon(z: Array, values: Any, heights: Any, low: float, high: float) -> Array:
    """The polygon through the points (value, height), `low` below the first and `high` above."""
    total = jnp.full_like(z, low)
    for n in range(len(values) - 1):
        slope = (heights[n + 1] - heights[n]) / (values[n + 1] - values[n])
        line = heights[n] + slope * (z - values[n])
        total = jnp.where(z >= values[n], line, total)
    return jnp.where(z >= values[-1], high, total)


def sloped(function: Any, slope: Callable) -> None:
    """Give an activation a slope `slope(value, steepness)` that is made of its value."""

    @function.defjvp
    def rule(steepness, primals, tangents):
        h = function(*primals, steepness)
        return h, tangents[0] * slope(h, steepness)


def logistic_slope(h: Array, steepness: float) -> Array:
    """`2 s h (1 - h)`, with h between 0.01 and 0.99."""
    h = jnp.clip(h, 0.01, 0.99)
    return 2 * steepness * h * (1 - h)


def symmetric_slope(h: Array, steepness: float) -> Array:
    """`s (1 - h²)`, with h between -0.98 and 0.98."""
    h = jnp.clip(h, -0.98, 0.98)
    return steepness * (1 - h * h)


for each in (fann_sigmoid, fann_sigmoid_stepwise):
    sloped(each, logistic_slope)
for each in (fann_tanh, fann_tanh_stepwise):
    sloped(each, symmetric_slope)


# ---- over all outputs of a row -------------------------------------------------------------------


def softmax(z: Array) -> Array:
    """`e^z / Σ e^z`, where the sum is over the outputs of a row (axis 1)."""
    shifted = z - jax.lax.stop_gradient(z.max(1, keepdims=True))
    powers = jnp.exp(shifted)
    return powers / powers.sum(1, keepdims=True)


def log_softmax(z: Array) -> Array:
    """`z - log Σ e^z`, where the sum is over the outputs of a row (axis 1)."""
    shifted = z - jax.lax.stop_gradient(z.max(1, keepdims=True))
    return shifted - jnp.log(jnp.exp(shifted).sum(1, keepdims=True))


ACTIVATIONS: dict[str, Callable] = {
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
    "elu": elu,
    "selu": selu,
    "celu": celu,
    "leaky_relu": leaky_relu,
    "relu6": relu6,
    "silu": silu,
    "hard_silu": hard_silu,
    "mish": mish,
    "gelu_tanh": gelu_tanh,
    "softplus": elementary.softplus,
    "softsign": softsign,
    "exponential": jnp.exp,
    "hard_sigmoid": hard_sigmoid,
    "hard_tanh": hard_tanh,
    "hard_shrink": hard_shrink,
    "soft_shrink": soft_shrink,
    "tanh_shrink": tanh_shrink,
    "threshold": threshold,
    "log_sigmoid": log_sigmoid,
    "scaled_tanh": scaled_tanh,
    "elliot": elliot,
    "elliot_symmetric": elliot_symmetric,
    "fann_sigmoid": fann_sigmoid,
    "fann_sigmoid_stepwise": fann_sigmoid_stepwise,
    "fann_tanh": fann_tanh,
    "fann_tanh_stepwise": fann_tanh_stepwise,
    "softmax": softmax,
    "log_softmax": log_softmax,
}
# What Keras, PyTorch, scikit-learn and MATLAB call them where that means one thing
OTHER_NAMES = {
    "swish": "silu",
    "hard_swish": "hard_silu",
    "hardswish": "hard_silu",
    "hardtanh": "hard_tanh",
    "hardsigmoid": "hard_sigmoid",
    "logsigmoid": "log_sigmoid",
    "logsoftmax": "log_softmax",
    "hardshrink": "hard_shrink",
    "softshrink": "soft_shrink",
    "tanhshrink": "tanh_shrink",
    "logistic": "sigmoid",
    "tansig": "tanh",
    "logsig": "sigmoid",
    "purelin": "linear",
    "elliotsig": "softsign",
}


@dataclass(frozen=True)
class Elementwise:
    """An activation that works number by number, so that the form "lanes" can use it.

    Attributes:
        function: the activation, of z and perhaps of numbers by name.
        numbers: the values of these, (name, value) each; they are structure.
    """

    function: Callable
    numbers: tuple[tuple[str, float], ...] = ()

    def __call__(self, z: Array) -> Array:
        """The function."""
        return self.function(z, **dict(self.numbers))

    def __repr__(self) -> str:
        """The function's name and the numbers."""
        name = getattr(self.function, "__name__", repr(self.function))
        numbers = [f"{number}={value:g}" for number, value in self.numbers]
        return f"{type(self).__name__}({', '.join([name, *numbers])})"


def activation(name: str, **numbers: Any) -> Elementwise:
    """A named activation with numbers of one's own.

    Args:
        name: of `ACTIVATIONS`.
        numbers: of its formula, such as `slope` of "leaky_relu", `alpha` of "elu" and "celu",
            `steepness` of FANN's. They are structure: another value is another program.

    Raises:
        ValueError: an unknown name, or a number that the formula has not.
        TypeError: what is no number.

    Example:
        `MLP((10,), models.activation("leaky_relu", slope=0.3))` is Keras' LeakyReLU layer.
    """
    function = ACTIVATIONS[checked("activation", name)]
    has = numbers_of(function)
    for number, value in numbers.items():
        if number not in has:
            known = ", ".join(has) or "none"
            raise ValueError(f"the activation {name!r} has no number {number!r}; it has: {known}")
        if isinstance(value, bool | str) or not isinstance(value, float | int):
            raise TypeError(f"{number} of the activation {name!r} is {value!r}; give one number")
    given = {number: float(value) for number, value in numbers.items()}
    return Elementwise(function, tuple(sorted(given.items())))


def numbers_of(function: Callable) -> dict[str, float]:
    """The numbers of an activation's formula and their defaults."""
    parameters = [*inspect.signature(function).parameters.values()][1:]
    return {each.name: each.default for each in parameters if isinstance(each.default, float)}


def checked(what: str, chosen: Any, known: Mapping[str, Any] = ACTIVATIONS) -> Any:
    """An activation as it is kept: its name here, or the function.

    Raises:
        ValueError: an unknown name, with all names known.
    """
    if callable(chosen):
        return chosen
    name = known_name(chosen, known, OTHER_NAMES)
    if name not in known:
        raise ValueError(
            f"unknown {what} {chosen!r}; there is: {', '.join(known)}, or your own function"
            f"{meant(chosen, (*known, *OTHER_NAMES))}"
        )
    return name


def find(chosen: str | Callable) -> Callable:
    """The function of an activation."""
    if isinstance(chosen, str):
        return ACTIVATIONS[chosen]
    return chosen
