"""Standardisation as part of a model: a scaling before any network, and one after it.

Losses and predictions stay in the data's own units. To train in standardised units instead, so that
a gradient does not carry the squares of the data's units, give the task the loss
`losses.ScaledError`.
"""

from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike, Float, PyTree

from approx import models
from approx.tasks import STATIC

__all__ = [
    "Around",
    "PerFeature",
    "PerSample",
    "core",
    "features",
    "mixes_rows",
]

Numbers = ArrayLike | tuple[ArrayLike, ...]  # one for all columns, or one for each


class Around:
    """A model around another one, `model`."""

    model: Any

    @property
    def dropout(self):
        """The inner model's dropout; None if it has none."""
        return getattr(self.model, "dropout", None)


@register_dataclass
@dataclass(frozen=True)
class PerFeature(Around):
    """`out_center + out_scale f((x - center) / scale)`, column by column.

    Each of the four is a number, or a tuple of one number per column; `features` takes them from
    data. For an autoencoder those of the outputs are those of the inputs; for logits they are 0
    and 1.

    Attributes:
        model: the network f.
        center: is subtracted from the inputs.
        scale: divides the inputs.
        out_center: is added to the outputs.
        out_scale: multiplies the outputs.

    Raises:
        ValueError: a scale that is not above 0.

    """

    model: Any
    center: Numbers = 0.0
    scale: Numbers = 1.0
    out_center: Numbers = 0.0
    out_scale: Numbers = 1.0

    def __post_init__(self):
        for name in ("scale", "out_scale"):
            values = getattr(self, name)
            if not isinstance(values, tuple):
                values = (values,)
            for value in values:
                if isinstance(value, float | int | np.floating) and not value > 0:
                    raise ValueError(
                        f"{name} is {value}; a scale is above 0, and a constant column has none"
                    )

    def init(self, key, x: Array) -> PyTree:
        """The inner model's parameters, from inputs as it will see them."""
        init, _ = models.functions(self.model)
        return init(key, self.inward(x))

    def averages(self, params, x: Array, key, weights=None) -> PyTree:
        """The inner model's running averages after a batch."""
        return models.averages(self.model, params, self.inward(x), key, weights)

    def inward(self, x: Array) -> Array:
        """Inputs in units of their scale."""
        from_center = x - columns("center", self.center, x)
        return from_center / columns("scale", self.scale, x)

    def apply(
        self, params, x: Float[Array, "n i ..."], key=None, weights=None
    ) -> Float[Array, "n o ..."]:
        """Outputs in the data's units."""
        out = models.outputs(self.model, params, self.inward(x), key, weights)
        center = columns("out_center", self.out_center, out)
        return center + columns("out_scale", self.out_scale, out) * out


@register_dataclass
@dataclass(frozen=True)
class PerSample(Around):
    """`m + s f((x - m) / s)`, with the mean m and the standard deviation s of each row.

    Both are over the row's own columns. s is the population's (divided by the number of columns),
    as in numpy.

    Attributes:
        model: the network f.
        undo: whether outputs are multiplied by s and m is added; without, they are those of f, as
            logits should be.

    """

    model: Any
    undo: bool = field(default=True, metadata=STATIC)

    def init(self, key, x: Array) -> PyTree:
        """The inner model's parameters, from inputs as it will see them.

        Raises:
            ValueError: rows of one column, which have no spread.

        """
        if x.shape[1] < 2:
            raise ValueError(
                f"PerSample needs rows of two columns or more, not of {x.shape[1]}: "
                "one has no spread"
            )
        init, _ = models.functions(self.model)
        return init(key, self.moments(x)[0])

    def averages(self, params, x: Array, key, weights=None) -> PyTree:
        """The inner model's running averages after a batch."""
        return models.averages(self.model, params, self.moments(x)[0], key, weights)

    def moments(self, x: Array) -> tuple[Array, Array, Array]:
        """Rows in units of their spread, their means, and their standard deviations."""
        mean = x.mean(1, keepdims=True)
        sd = jnp.sqrt(((x - mean) ** 2).mean(1, keepdims=True))
        return (x - mean) / sd, mean, sd

    def apply(
        self, params, x: Float[Array, "n i ..."], key=None, weights=None
    ) -> Float[Array, "n o ..."]:
        """Outputs, in the data's units with `undo`."""
        z, mean, sd = self.moments(x)
        out = models.outputs(self.model, params, z, key, weights)
        if self.undo:
            return mean + sd * out
        return out


def columns(name: str, numbers: Any, x: Array) -> Array:
    """Numbers as an array that broadcasts with x (n, i).

    Args:
        name: of the numbers, for errors.
        numbers: one for all columns, or a tuple with one for each.
        x: what they will be combined with.

    Raises:
        ValueError: another number of columns.

    """
    if not isinstance(numbers, tuple):
        return jnp.asarray(numbers, x.dtype)
    if len(numbers) != x.shape[1]:
        raise ValueError(
            f"{name} has {len(numbers)} numbers, for {x.shape[1]} columns; "
            "give one number, or each its own"
        )
    return jnp.stack([jnp.asarray(number, x.dtype) for number in numbers])


def features(model: Any, x: ArrayLike, *, undo: bool = False) -> PerFeature:
    """The model with inputs that are standardised column by column, as by scikit-learn.

    Every column is shifted by its mean and divided by its standard deviation (the population's).

    Args:
        model: the network.
        x: rows (n, i) whose means and standard deviations are taken: the training rows.
        undo: whether outputs are scaled back in the same way, as an autoencoder's should be.

    Raises:
        ValueError: a constant column.

    Example:
        `Recipe(model=scalings.features(MLP((10,)), x))`

    """
    values = np.asarray(x, np.float64)
    center = tuple(values.mean(0).tolist())
    scale = tuple(values.std(0).tolist())
    if undo:
        return PerFeature(model, center, scale, center, scale)
    return PerFeature(model, center, scale)


def core(model: Any) -> Any:
    """The network inside all scalings."""
    while isinstance(model, Around):
        model = model.model
    return model


def mixes_rows(model: Any, params: PyTree) -> bool:
    """Whether the outputs in training depend on the other rows of the batch, by running averages.

    The frequencies of a `Fourier` lie where running averages do, and no batch moves them.

    Args:
        model: a network, scaled or not.
        params: its parameters, or their shapes.
    """
    beside = models.trained(params) is not params
    return beside and not isinstance(core(model), models.Fourier)
