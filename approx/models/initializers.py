"""Initialisers: the distributions that the first weights and biases are drawn from.

There are two kinds. A *distribution*, such as "normal" or "he_uniform", fills an array of any
shape; alone, it gives the weights, and the biases are 0. A *scheme*, such as "pytorch" or "weka",
is what a framework does with a whole layer: it gives weights (i, o) and biases (o,).

Both take a source of random numbers (see `draws`), so that the numbers of many networks are drawn
at once.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from approx.models import activations
from approx.models.draws import Source
from approx.numerics.elementary import sigmoid, tanh
from approx.tasks.values import known_name, meant

# The standard deviation of N(0, 1) cut at ±2: √(1 - 4 φ(2) / (2 Φ(2) - 1))
TRUNCATED_SD = 0.87962566103423978


class Place(NamedTuple):
    """Where a layer stands in its network, as some schemes want to know.

    Attributes:
        first: whether it is the first layer.
        last: whether it is the last layer.
        activation: of the layer, a name or a function.
        hidden: activation of the network's first hidden layer; of the output if there is none.
        before: activation of the layer before; None for the first layer.
        frequency: of the activation "sin".
    """

    first: bool = True
    last: bool = True
    activation: str | Callable = "linear"
    hidden: str | Callable = "linear"
    before: str | Callable | None = None
    frequency: Any = 1.0


# ---- distributions: arrays of any shape ----------------------------------------------------------


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Fan-in and fan-out of an array, as Keras counts them: of a vector both are its length."""
    if len(shape) < 2:
        return shape[0], shape[0]
    return shape[0], shape[1]


def zeros(source: Source, shape: tuple[int, ...]) -> Array:
    """0."""
    del source
    return jnp.zeros(shape)


def ones(source: Source, shape: tuple[int, ...]) -> Array:
    """1."""
    del source
    return jnp.ones(shape)


def constant(source: Source, shape: tuple[int, ...], value: float = 0.0) -> Array:
    """One value (Keras' Constant)."""
    del source
    return jnp.full(shape, value, float)


def normal(source: Source, shape: tuple[int, ...], sd: float = 1.0, mean: float = 0.0) -> Array:
    """`N(mean, sd²)`."""
    return mean + sd * source.normal(shape)


def truncated_normal(
    source: Source, shape: tuple[int, ...], sd: float = 0.05, mean: float = 0.0
) -> Array:
    """`N(mean, sd²)`, cut at `mean ± 2 sd` (Keras' TruncatedNormal); its deviation is 0.88 sd."""
    return mean + sd * source.truncated_normal(shape)


def between(source: Source, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Array:
    """`U(low, high)`."""
    middle, half = (low + high) / 2, (high - low) / 2
    return middle + source.uniform(shape, half)


def uniform(source: Source, shape: tuple[int, ...], bound: float = 1.0) -> Array:
    """`U(-bound, bound)`."""
    return source.uniform(shape, bound)


def variance_scaling(
    source: Source,
    shape: tuple[int, ...],
    scale: float = 1.0,
    mode: str = "fan_in",
    distribution: str = "truncated_normal",
) -> Array:
    """Zero mean and the variance `scale / fan` (Keras' VarianceScaling; its names).

    Args:
        source: of random numbers.
        shape: of the array.
        scale: of the variance.
        mode: the fan: "fan_in", "fan_out", or their mean, "fan_avg".
        distribution: "truncated_normal" (cut at 2 standard deviations, and widened so that the
            variance is right), "untruncated_normal", or "uniform".
    """
    fan_in, fan_out = fans(shape)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    sd = math.sqrt(scale / fan)
    if distribution == "uniform":
        return source.uniform(shape, math.sqrt(3) * sd)
    if distribution == "untruncated_normal":
        return sd * source.normal(shape)
    return sd / TRUNCATED_SD * source.truncated_normal(shape)


def orthogonal(source: Source, shape: tuple[int, ...], gain: float = 1.0) -> Array:
    """Orthonormal columns, or rows where these are fewer, times the gain (Saxe et al. 2014).

    They are those of the QR decomposition of normal numbers, with the signs of R's diagonal, as in
    Keras and PyTorch. A vector becomes one of length `gain`.
    """
    rows, columns = shape[0], math.prod(shape[1:])
    tall = source.normal((max(rows, columns), min(rows, columns)))
    q, r = jnp.linalg.qr(tall)
    q = q * jnp.sign(jnp.diagonal(r))
    if rows < columns:
        q = q.T
    return (gain * q).reshape(shape)


def identity(source: Source, shape: tuple[int, ...]) -> Array:
    """Ones on the diagonal, zeros elsewhere."""
    del source
    return jnp.eye(*fans(shape))


scaling = partial(partial, variance_scaling)
DISTRIBUTIONS: dict[str, Callable[..., Array]] = {
    "zeros": zeros,
    "ones": ones,
    "constant": constant,
    "normal": normal,  # PyBrain's
    "between": between,
    "random_normal": partial(normal, sd=0.05),  # Keras' defaults, here and below
    "random_uniform": partial(uniform, bound=0.05),
    "truncated_normal": truncated_normal,
    "glorot_normal": scaling(mode="fan_avg"),  # Glorot and Bengio 2010
    "xavier_normal": scaling(mode="fan_avg", distribution="untruncated_normal"),  # PyTorch's
    "he_normal": scaling(scale=2.0),  # He et al. 2015; PyTorch's is "he"
    "he_uniform": scaling(scale=2.0, distribution="uniform"),
    "lecun_normal": scaling(),  # LeCun et al. 1998
    "lecun_uniform": scaling(distribution="uniform"),
    "variance_scaling": variance_scaling,
    "orthogonal": orthogonal,
    "identity": identity,
}


# ---- schemes: weights and biases of a layer ------------------------------------------------------

Pair = tuple[Array, Array]


def init_keras(source: Source, fan_in: int, fan_out: int, place: Place) -> Pair:
    """Keras' Dense: Glorot uniform weights, `U(±sqrt(6 / (fan_in + fan_out)))`, zero biases."""
    del place
    bound = jnp.sqrt(6 / (fan_in + fan_out))
    return source.uniform((fan_in, fan_out), bound), jnp.zeros(fan_out)


def init_pytorch(source: Source, fan_in: int, fan_out: int, place: Place) -> Pair:
    """PyTorch's Linear: weights AND biases `U(±1 / sqrt(fan_in))`, with the weights' fan-in."""
    del place
    return both_uniform(source, fan_in, fan_out, 1 / jnp.sqrt(fan_in))


def init_he(source: Source, fan_in: int, fan_out: int, place: Place) -> Pair:
    """He et al. 2015: weights `N(0, 2 / fan_in)`, untruncated as in PyTorch; zero biases."""
    del place
    sd = jnp.sqrt(2 / fan_in)
    return sd * source.normal((fan_in, fan_out)), jnp.zeros(fan_out)


def init_within(
    source: Source, fan_in: int, fan_out: int, place: Place, bound: float = 1.0
) -> Pair:
    """Weights and biases `U(±bound)`, whatever the layer's size."""
    del place
    return both_uniform(source, fan_in, fan_out, bound)


def init_siren(source: Source, fan_in: int, fan_out: int, place: Place) -> Pair:
    """Sitzmann et al. 2020, for the activation `sin`.

    Weights are `U(±1 / fan_in)` in the first layer and `U(±sqrt(6 / fan_in) / frequency)` in the
    others; biases are PyTorch's.
    """
    of_w, of_b = source.split()
    if place.first:
        bound = 1 / fan_in
    else:
        bound = jnp.sqrt(6 / fan_in) / place.frequency
    w = of_w.uniform((fan_in, fan_out), bound)
    b_bound = 1 / jnp.sqrt(fan_in)
    return w, of_b.uniform((fan_out,), b_bound)


def init_sklearn(source: Source, fan_in: int, fan_out: int, place: Place) -> Pair:
    """scikit-learn's MLP: weights and biases `U(±sqrt(f / (fan_in + fan_out)))`.

    f is 2 in all layers of a network of logistic units, and else 6.
    """
    factor = 2 if is_named(place.hidden, "sigmoid") else 6
    return both_uniform(source, fan_in, fan_out, math.sqrt(factor / (fan_in + fan_out)))


def init_convnetjs(source: Source, fan_in: int, fan_out: int, place: Place) -> Pair:
    """convnetjs: weights `N(0, 1 / fan_in)`; biases 0.1 in relu layers and else 0."""
    sd = math.sqrt(1 / fan_in)
    bias = 0.1 if is_named(place.activation, "relu") else 0.0
    return sd * source.normal((fan_in, fan_out)), jnp.full(fan_out, bias, float)


def init_chainer(source: Source, fan_in: int, fan_out: int, place: Place) -> Pair:
    """Chainer's Linear: weights `N(0, 1 / fan_in)`, untruncated; zero biases."""
    del place
    sd = math.sqrt(1 / fan_in)
    return sd * source.normal((fan_in, fan_out)), jnp.zeros(fan_out)


def init_tfjs(source: Source, fan_in: int, fan_out: int, place: Place) -> Pair:
    """TensorFlow.js' dense: `N(0, 2 / (fan_in + fan_out))`, cut at 2 of its sd; zero biases."""
    del place
    sd = math.sqrt(2 / (fan_in + fan_out))
    return sd * source.truncated_normal((fan_in, fan_out)), jnp.zeros(fan_out)


def init_ffnet(source: Source, fan_in: int, fan_out: int, place: Place) -> Pair:
    """The ffnet package: weights and biases `U(±2.38 / sqrt(fan_in + 1))`; the bias counts."""
    del place
    return both_uniform(source, fan_in, fan_out, 2.38 / math.sqrt(fan_in + 1))


def init_mlfnn(source: Source, fan_in: int, fan_out: int, place: Place) -> Pair:
    """The ml-fnn package: weights `U(0, 1) / sqrt(fan_in)`, all positive; zero biases."""
    del place
    high = 1 / math.sqrt(fan_in)
    return between(source, (fan_in, fan_out), 0.0, high), jnp.zeros(fan_out)


def init_opencv(source: Source, fan_in: int, fan_out: int, place: Place) -> Pair:
    """OpenCV's ANN_MLP, which it calls Nguyen and Widrow's.

    Weights and biases are `U(-1, 1)`. In all layers but the last, those of a unit are divided by
    the sum of its weights' absolute values, and its bias is multiplied by `G (2 j / n - 1)`, for
    the j-th of n units, with `G = 0.7 fan_in^(1 / (n - 1))`, or 1 for n <= 2.
    """
    w, b = both_uniform(source, fan_in, fan_out, 1.0)
    if place.last:
        return w, b
    size = jnp.abs(w).sum(0)
    spread = 1.0
    if fan_out > 2:
        spread = 0.7 * fan_in ** (1 / (fan_out - 1))
    factor = spread * (2 * np.arange(fan_out) / fan_out - 1)
    return w / size, b / size * factor


def init_neurolab(
    source: Source,
    fan_in: int,
    fan_out: int,
    place: Place,
    low: float = -1.0,
    high: float = 1.0,
) -> Pair:
    """Nguyen and Widrow 1990, as neurolab's initnw has it.

    The weights of a unit have a random direction (that of a vector of `U(-1, 1)`) and the length
    `0.7 n^(1 / fan_in)` for n units. Its bias is that length times the j-th of n equidistant
    numbers from -1 to 1, times the sign of its first weight; it is 0 if n = 1. Both are then
    scaled from sums in [-1, 1] to the range in which the activation is not flat, ±2 for tanh and ±4
    for the logistic function, and from inputs in [-1, 1] to those that the layer has.

    Args:
        source: of random numbers.
        fan_in: number of inputs.
        fan_out: number of units.
        place: of the layer.
        low: least value of the network's inputs.
        high: largest value of them.
    """
    direction = source.uniform((fan_in, fan_out), 1.0)
    length = jnp.sqrt((direction**2).sum(0))
    size = 0.7 * fan_out ** (1 / fan_in)
    w = size * direction / length
    b = jnp.zeros(fan_out)
    if fan_out > 1:
        b = size * np.linspace(-1, 1, fan_out) * jnp.sign(w[0])
    half = active_half(place.activation) or 1.0
    if place.before is not None:
        low, high = output_range(place.before)
    slope = 2 / (high - low)
    shift = 1 - high * slope
    # neurolab shifts by the weights that it has scaled already
    w = half * slope * w
    return w, half * b + shift * w.sum(0)


def init_matlab(
    source: Source, fan_in: int, fan_out: int, place: Place, low: float = -1.0, high: float = 1.0
) -> Pair:
    """MATLAB's initnw: as `init_neurolab`, but `U(-1, 1)` in layers without an active range.

    Such a layer is the linear output of `feedforwardnet`; mapminmax gives the inputs the range
    [-1, 1]. The source is the documentation of initnw, not a run of MATLAB.
    """
    if active_half(place.activation) is None:
        return both_uniform(source, fan_in, fan_out, 1.0)
    return init_neurolab(source, fan_in, fan_out, place, low, high)


def both_uniform(source: Source, fan_in: int, fan_out: int, bound: Any) -> Pair:
    """Weights and biases `U(±bound)`."""
    of_w, of_b = source.split()
    return of_w.uniform((fan_in, fan_out), bound), of_b.uniform((fan_out,), bound)


def is_named(activation: Any, name: str) -> bool:
    """Whether this is the activation of that name, by its name or as its function."""
    return activation in (name, activations.ACTIVATIONS[name])


def active_half(activation: Any) -> float | None:
    """Half the range in which an activation is not flat: 2 for tanh, 4 for the logistic function.

    None for one without such a range.
    """
    if activation in ("tanh", "xla_tanh", tanh, jnp.tanh):
        return 2.0
    if activation in ("sigmoid", sigmoid):
        return 4.0
    return None


def output_range(activation: Any) -> tuple[float, float]:
    """The values that an activation gives: from 0 to 1 for the logistic function, else from -1."""
    return (0.0, 1.0) if is_named(activation, "sigmoid") else (-1.0, 1.0)


def within(bound: float) -> Callable[..., Pair]:
    """The scheme `U(±bound)` for weights and biases."""
    return partial(init_within, bound=bound)


SCHEMES: dict[str, Callable[..., Pair]] = {
    "keras": init_keras,
    "pytorch": init_pytorch,
    "nnet": within(0.7),  # R's nnet, its `rang`
    "he": init_he,
    "uniform": within(1.0),  # to be sized by `init_scale`; mlpack's
    "siren": init_siren,
    "sklearn": init_sklearn,
    "matlab": init_matlab,
    "neurolab": init_neurolab,
    "opencv": init_opencv,
    "fann": within(0.1),
    "weka": within(0.05),
    "brainjs": within(0.2),
    "synaptic": within(0.1),  # and neataptic's
    "pyrenn": within(0.5),
    "convnetjs": init_convnetjs,
    "chainer": init_chainer,
    "tfjs": init_tfjs,
    "ffnet": init_ffnet,
    "mlfnn": init_mlfnn,
}
INITIALIZERS = SCHEMES | DISTRIBUTIONS
# What Keras and PyTorch call them where that means one thing
OTHER_NAMES = {
    "glorot_uniform": "keras",
    "xavier_uniform": "keras",
    "kaiming_normal": "he",
    "kaiming_uniform": "he_uniform",
    "Zeros": "zeros",
    "Ones": "ones",
}


@dataclass(frozen=True)
class Initializer:
    """A named initialiser with numbers of one's own; made by `initializer`.

    Attributes:
        name: of `INITIALIZERS`.
        numbers: (name, value) each; they are structure.
    """

    name: str
    numbers: tuple[tuple[str, Any], ...] = ()

    def __repr__(self) -> str:
        """As one writes it in code."""
        numbers = [f"{number}={value!r}" for number, value in self.numbers]
        return f"initializer({', '.join([repr(self.name), *numbers])})"


def initializer(name: str, **numbers: Any) -> Initializer:
    """A named initialiser with numbers of one's own.

    Args:
        name: of `INITIALIZERS`.
        numbers: such as `sd` of "normal", `bound` of "uniform" and "random_uniform", `low` and
            `high` of "between", `value` of "constant", `scale`, `mode` and `distribution` of
            "variance_scaling".

    Raises:
        ValueError: an unknown name, or a number that the initialiser has not.

    Example:
        `MLP((10,), initializer=(models.initializer("normal", sd=0.3), "zeros"))`
    """
    name = checked(name)
    function = INITIALIZERS[name]
    wanted = ("source", "shape", "fan_in", "fan_out", "place")
    known = [each for each in inspect.signature(function).parameters if each not in wanted]
    for number, value in numbers.items():
        if number not in known:
            has = ", ".join(known) or "none"
            raise ValueError(f"the initializer {name!r} has no number {number!r}; it has: {has}")
        check_word(number, value)
    return Initializer(name, tuple(sorted(numbers.items())))


WORDS = {
    "mode": ("fan_in", "fan_out", "fan_avg"),
    "distribution": ("truncated_normal", "untruncated_normal", "uniform"),
}


def check_word(name: str, value: Any) -> None:
    """Refuse another word than those of `WORDS`, and what is no number elsewhere.

    Raises:
        ValueError: an unknown word. TypeError: no number.
    """
    if name in WORDS:
        if value not in WORDS[name]:
            raise ValueError(f"{name} is {value!r}; there is: {', '.join(WORDS[name])}")
    elif isinstance(value, bool) or not isinstance(value, float | int):
        raise TypeError(f"{name} is {value!r}; give one number")


def checked(chosen: Any, known: Mapping[str, Any] = INITIALIZERS) -> Any:
    """One initialiser as it is kept: its name here, an `Initializer`, or a function.

    Raises:
        ValueError: an unknown name, with all names known.
    """
    if callable(chosen) or isinstance(chosen, Initializer):
        return chosen
    name = known_name(chosen, known, OTHER_NAMES)
    if not isinstance(name, str) or name not in known:
        raise ValueError(
            f"unknown initializer {chosen!r}; there is: {', '.join(known)}, or your own function"
            f"{meant(chosen, (*known, *OTHER_NAMES))}"
        )
    return name


def layer_of(chosen: Any, source: Source, fan_in: int, fan_out: int, place: Place) -> Pair:
    """Weights (i, o) and biases (o,) of a layer.

    Args:
        chosen: an initialiser, or a pair of them, for weights and for biases.
        source: of the layer's random numbers.
        fan_in: number of inputs.
        fan_out: number of outputs.
        place: of the layer.
    """
    if isinstance(chosen, tuple) and not isinstance(chosen, Initializer):
        of_weights, of_biases = chosen
        w, _ = layer_of(of_weights, source, fan_in, fan_out, place)
        return w, biases_of(of_biases, source, fan_in, fan_out, place)
    shape = fan_in, fan_out
    if callable(chosen):
        return chosen(source.own_key(), shape, jnp.result_type(float)), jnp.zeros(fan_out)
    name, numbers = named(chosen)
    if name in SCHEMES:
        return SCHEMES[name](source, fan_in, fan_out, place, **numbers)
    return DISTRIBUTIONS[name](source, shape, **numbers), jnp.zeros(fan_out)


def biases_of(chosen: Any, source: Source, fan_in: int, fan_out: int, place: Place) -> Array:
    """Biases (o,): those that a scheme gives, or drawn from a distribution."""
    if not callable(chosen):
        name, numbers = named(chosen)
        if name in SCHEMES:
            return SCHEMES[name](source, fan_in, fan_out, place, **numbers)[1]
        return DISTRIBUTIONS[name](source.split()[1], (fan_out,), **numbers)
    return chosen(source.split()[1].own_key(), (fan_out,), jnp.result_type(float))


def named(chosen: str | Initializer) -> tuple[str, dict[str, Any]]:
    """Name and numbers of an initialiser."""
    if isinstance(chosen, Initializer):
        return chosen.name, dict(chosen.numbers)
    return chosen, {}
