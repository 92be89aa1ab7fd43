"""Networks as a chain of layers: dense layers, activations, dropout, noise, and normalisations.

Everything about a chain is structure; its numbers are not swept. A chain takes the form "vmap".
Conventions are those of Keras where a docstring names no other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import random
from jaxtyping import Array

from approx.models import activations, draws, initializers
from approx.models.adapters import STATISTICS
from approx.models.mlp import affine, dropout
from approx.tasks.data import check_number

LEAST_SD = 1e-7  # by which Keras' Normalization divides at least


class Layer:
    """A layer of a chain; it changes nothing but what its class says.

    `training` is a key in training, and None where the network is judged.
    """

    def init(self, source: draws.Source, columns: int) -> tuple[dict[str, Array], int]:
        """Parameters for so many columns, and how many columns the outputs have."""
        del source
        return {}, columns

    def statistics(self, columns: int) -> dict[str, Array]:
        """The running averages before the first step."""
        del columns
        return {}

    def averaged(self, statistics: Any, x: Array, weights: Any = None) -> dict[str, Any]:
        """The running averages after a batch whose inputs to this layer are x (n, i).

        Weights (n,) are 1 for the rows of the batch and 0 for what fills it up; None is 1 for all.
        """
        del x, weights
        return statistics

    def apply(self, params: Any, statistics: Any, x: Array, training: Any) -> Array:
        """Outputs (n, o) at x (n, i)."""
        raise NotImplementedError(f"{type(self).__name__} defines no apply")


@dataclass(frozen=True)
class Dense(Layer):
    """`activation(x w + b)`.

    Attributes:
        units: number of outputs.
        activation: a name of `models.ACTIVATIONS` or a function; None is "linear".
        bias: whether there are biases b.
        initializer: one of `MLP`'s, or a pair (weights, biases).

    Raises:
        ValueError: no unit, an unknown name.
    """

    units: int
    activation: Any = None
    bias: bool = True
    initializer: Any = "keras"

    def __post_init__(self):
        check_number("units", self.units, low=1)
        chosen = activations.checked("activation", self.activation or "linear")
        object.__setattr__(self, "activation", chosen)
        given = self.initializer
        if isinstance(given, tuple) and len(given) != 2:
            raise ValueError(f"initializer has {len(given)} entries; give (weights, biases)")
        kept_as = tuple(map(initializers.checked, given)) if isinstance(given, tuple) else None
        object.__setattr__(self, "initializer", kept_as or initializers.checked(given))

    def init(self, source: draws.Source, columns: int) -> tuple[dict[str, Array], int]:
        """Weights (i, o), and biases (o,) if there are any."""
        place = initializers.Place(activation=self.activation, hidden=self.activation)
        w, b = initializers.layer_of(self.initializer, source, columns, self.units, place)
        made = {"w": w, "b": b} if self.bias else {"w": w}
        return made, self.units

    def apply(self, params: Any, statistics: Any, x: Array, training: Any) -> Array:
        """`activation(x w + b)`."""
        return activations.find(self.activation)(affine(params, x))


@dataclass(frozen=True)
class Activation(Layer):
    """An activation: a name of `models.ACTIVATIONS` or a function.

    Raises:
        ValueError: an unknown name.
    """

    function: str | Callable

    def __post_init__(self):
        object.__setattr__(self, "function", activations.checked("activation", self.function))

    def apply(self, params: Any, statistics: Any, x: Array, training: Any) -> Array:
        """The activation of x."""
        return activations.find(self.function)(x)


@dataclass(frozen=True)
class Dropout(Layer):
    """In training every number is 0 with probability `rate`, and else divided by 1 - rate.

    Raises:
        ValueError: a rate that is not in [0, 1).
    """

    rate: float

    def __post_init__(self):
        check_number("rate", self.rate, low=0, high=1, below=True)

    def apply(self, params: Any, statistics: Any, x: Array, training: Any) -> Array:
        """x, thinned out in training."""
        return x if training is None else dropout(training, 0, x, self.rate)


@dataclass(frozen=True)
class GaussianNoise(Layer):
    """In training, `x + N(0, sd²)`.

    Raises:
        ValueError: a deviation below 0.
    """

    sd: float

    def __post_init__(self):
        check_number("sd", self.sd, low=0)

    def apply(self, params: Any, statistics: Any, x: Array, training: Any) -> Array:
        """x, with noise in training."""
        if training is None:
            return x
        return x + self.sd * random.normal(training, x.shape, x.dtype)


@dataclass(frozen=True)
class Rescaling(Layer):
    """`scale x + offset`."""

    scale: float
    offset: float = 0.0

    def apply(self, params: Any, statistics: Any, x: Array, training: Any) -> Array:
        """`scale x + offset`."""
        return self.scale * x + self.offset


@dataclass(frozen=True)
class Normalization(Layer):
    """`(x - mean) / max(√variance, 1e-7)`, column by column (Keras' layer, once adapted).

    Attributes:
        mean: one number for each column of the inputs, a list or a tuple.
        variance: likewise.

    Raises:
        ValueError: unlike numbers of means and variances, a variance below 0.
    """

    mean: Sequence[float]
    variance: Sequence[float]

    def __post_init__(self):
        for name in ("mean", "variance"):
            object.__setattr__(self, name, tuple(map(float, getattr(self, name))))
        if len(self.mean) != len(self.variance):
            raise ValueError(f"{len(self.mean)} means and {len(self.variance)} variances")
        for value in self.variance:
            check_number("variance", value, low=0)

    def init(self, source: draws.Source, columns: int) -> tuple[dict[str, Array], int]:
        """No parameters.

        Raises:
            ValueError: another number of columns than of means.
        """
        if columns != len(self.mean):
            raise ValueError(f"Normalization has {len(self.mean)} means, for {columns} columns")
        return {}, columns

    def apply(self, params: Any, statistics: Any, x: Array, training: Any) -> Array:
        """`(x - mean) / sd`."""
        sd = jnp.sqrt(jnp.asarray(self.variance, x.dtype))
        return (x - jnp.asarray(self.mean, x.dtype)) / jnp.maximum(sd, LEAST_SD)


@dataclass(frozen=True)
class LayerNorm(Layer):
    """`scale (x - m) / √(v + epsilon) + bias`, with mean m and variance v of each row.

    The variance is the population's (Ba, Kiros and Hinton 2016). Scales begin as 1, biases as 0.

    Attributes:
        epsilon: 1e-3 in Keras, 1e-5 in PyTorch.
        scale: whether there are scales.
        bias: whether there are biases.
    """

    epsilon: float = 1e-3
    scale: bool = True
    bias: bool = True

    def init(self, source: draws.Source, columns: int) -> tuple[dict[str, Array], int]:
        """Scales and biases (i,)."""
        return scales_and_biases(self, columns), columns

    def apply(self, params: Any, statistics: Any, x: Array, training: Any) -> Array:
        """Each row in its own units."""
        mean, variance = x.mean(1, keepdims=True), x.var(1, keepdims=True)
        return moved(params, (x - mean) / jnp.sqrt(variance + self.epsilon))


@dataclass(frozen=True)
class BatchNorm(Layer):
    """`scale (x - m) / √(v + epsilon) + bias`, with mean m and variance v of each column.

    In training they are those of the batch, the population's variance; where the network is judged
    they are running averages, `momentum old + (1 - momentum) new` (Ioffe and Szegedy 2015).

    Attributes:
        momentum: share of the old average that stays, 0.99 in Keras; PyTorch's momentum 0.1 is 0.9.
        epsilon: 1e-3 in Keras, 1e-5 in PyTorch.
        unbiased: whether the running average takes the variance over n - 1, as PyTorch does.
        scale: whether there are scales, which begin as 1.
        bias: whether there are biases, which begin as 0.

    Raises:
        ValueError: a momentum that is not in [0, 1].
    """

    momentum: float = 0.99
    epsilon: float = 1e-3
    unbiased: bool = False
    scale: bool = True
    bias: bool = True

    def __post_init__(self):
        check_number("momentum", self.momentum, low=0, high=1)

    def init(self, source: draws.Source, columns: int) -> tuple[dict[str, Array], int]:
        """Scales and biases (i,)."""
        return scales_and_biases(self, columns), columns

    def statistics(self, columns: int) -> dict[str, Array]:
        """Means of 0 and variances of 1."""
        return {"mean": jnp.zeros(columns), "var": jnp.ones(columns)}

    def averaged(self, statistics: Any, x: Array, weights: Any = None) -> dict[str, Any]:
        """The running averages after a batch."""
        mean, variance = moments(x, weights, int(self.unbiased))
        new = {"mean": mean, "var": variance}
        kept_share, new_share = self.momentum, 1 - self.momentum
        return {name: kept_share * statistics[name] + new_share * new[name] for name in new}

    def apply(
        self, params: Any, statistics: Any, x: Array, training: Any, weights: Any = None
    ) -> Array:
        """Each column in its own units."""
        if training is None:
            mean, variance = statistics["mean"], statistics["var"]
        else:
            mean, variance = moments(x, weights)
        return moved(params, (x - mean) / jnp.sqrt(variance + self.epsilon))


def moments(x: Array, weights: Any = None, lost: int = 0) -> tuple[Array, Array]:
    """Mean and variance of each column, over the rows of weight 1.

    Args:
        x: rows (n, i).
        weights: of the rows, 0 or 1; None is 1 for all.
        lost: degrees of freedom that the variance's divisor is less than the rows.
    """
    if weights is None:
        return x.mean(0), x.var(0, ddof=lost)
    n = weights.sum()
    mean = (weights[:, None] * x).sum(0) / n
    squares = weights[:, None] * (x - mean) ** 2
    return mean, squares.sum(0) / (n - lost)


def scales_and_biases(layer: LayerNorm | BatchNorm, columns: int) -> dict[str, Array]:
    """The parameters of a normalisation."""
    made = {}
    if layer.scale:
        made["scale"] = jnp.ones(columns)
    if layer.bias:
        made["bias"] = jnp.zeros(columns)
    return made


def moved(params: Any, x: Array) -> Array:
    """`scale x + bias`, with those that there are."""
    if "scale" in params:
        x = params["scale"] * x
    if "bias" in params:
        x = x + params["bias"]
    return x


@dataclass(frozen=True, init=False)
class Chain:
    """Layers one after another, as a model.

    Its parameters are a list with a dictionary for each layer. With a `BatchNorm` they are
    `{"params": that list, "batch_stats": another}`, whose second list has the running averages. A
    training moves these by themselves: no optimiser, penalty or decay touches them.

    Args:
        layers: a list of the layers of this module, from the inputs on.

    Raises:
        TypeError: something that is no layer.

    Example:
        `Chain([Dense(16, "relu"), BatchNorm(), Dense(1)])`
    """

    layers: tuple[Layer, ...]

    def __init__(self, layers: Any):
        layers = tuple(layers)
        for layer in layers:
            if not isinstance(layer, Layer):
                raise TypeError(f"{layer!r} is no layer; take one of models, such as Dense(16)")
        object.__setattr__(self, "layers", layers)

    def init(self, key: Any, x: Array) -> Any:
        """Parameters, for inputs of as many columns as x (n, i) has."""
        source, columns = draws.as_source(key), x.shape[-1]
        params, statistics = [], []
        for n, layer in enumerate(self.layers):
            statistics.append(layer.statistics(columns))
            made, columns = layer.init(source.fold_in(n), columns)
            params.append(made)
        if any(statistics):
            return {"params": params, STATISTICS: statistics}
        return params

    def apply(self, params: Any, x: Array, key: Any = None, weights: Any = None) -> Array:
        """Outputs (n, o) at x (n, i); with a key as in training.

        Weights (n,) are 1 for the rows of a batch and 0 for rows that only fill it up: a
        `BatchNorm` does not count these.
        """
        return self.passed(params, x, key, weights)[0]

    def averages(self, params: Any, x: Array, key: Any, weights: Any = None) -> Any:
        """The running averages after a batch with the inputs x (n, i)."""
        return self.passed(params, x, key, weights)[1]

    def passed(
        self, params: Any, x: Array, key: Any, weights: Any = None
    ) -> tuple[Array, list[Any]]:
        """Outputs, and the running averages after these rows."""
        statistics: Any = [{}] * len(self.layers)
        if isinstance(params, dict):
            params, statistics = params["params"], params[STATISTICS]
        new = []
        for n, layer in enumerate(self.layers):
            training = None if key is None else random.fold_in(key, n)
            new.append(layer.averaged(statistics[n], x, weights))
            if isinstance(layer, BatchNorm):
                x = layer.apply(params[n], statistics[n], x, training, weights)
            else:
                x = layer.apply(params[n], statistics[n], x, training)
        return x, new
