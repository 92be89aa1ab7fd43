"""Standardisation as part of a model: any network between a scaling of its inputs and one of its
outputs.

Losses and predictions stay in the data's own units. To train in standardised units instead, so that
a gradient does not carry the squares of the data's, give the task the loss `losses.ScaledError`.
"""

from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike, Float, PyTree

from approx import models
from approx.tasks import STATIC

Numbers = ArrayLike | tuple[ArrayLike, ...]  # one for all columns, or one for each


class Around:
    """A model around another, `model`, whose dropout is its own."""

    model: Any

    @property
    def dropout(self):
        """The inner model's."""
        return getattr(self.model, "dropout", None)


@register_dataclass
@dataclass(frozen=True)
class PerFeature(Around):
    """`out_center + out_scale f((x - center) / scale)`, column by column.

    All four are numbers, or tuples of one number per column; `features` takes them from data. For
    an autoencoder the outputs' are the inputs'; for logits they are 0 and 1.

    Attributes:
        model: f.
        center, scale: of the inputs. out_center, out_scale: of the outputs.

    """

    model: Any
    center: Numbers = 0.0
    scale: Numbers = 1.0
    out_center: Numbers = 0.0
    out_scale: Numbers = 1.0

    def __post_init__(self):
        for name in ("scale", "out_scale"):
            values = getattr(self, name)
            for value in values if isinstance(values, tuple) else (values,):
                if isinstance(value, float | int | np.floating) and not value > 0:
                    raise ValueError(
                        f"{name} is {value}; a scale is above 0, and a constant column has none"
                    )

    def init(self, key, x: Array) -> PyTree:
        """The inner model's parameters, from inputs as it will see them."""
        return models.functions(self.model)[0](key, self.inward(x))

    def inward(self, x: Array) -> Array:
        """Inputs in units of their scale."""
        return (x - columns("center", self.center, x)) / columns("scale", self.scale, x)

    def apply(self, params, x: Float[Array, "n i ..."], key=None) -> Float[Array, "n o ..."]:
        """Outputs in the data's units."""
        out = models.functions(self.model)[1](params, self.inward(x), key=key)
        return (
            columns("out_center", self.out_center, out)
            + columns("out_scale", self.out_scale, out) * out
        )


@register_dataclass
@dataclass(frozen=True)
class PerSample(Around):
    """`m + s f((x - m) / s)` with m the mean and s the standard deviation over each row's own
    columns.

    s is the population's (divided by the number of columns), as in numpy.

    Attributes:
        model: f.
        undo: whether outputs get m and s back; without, they are f's, as logits should be.

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
                f"PerSample needs rows of two columns or more, not of {x.shape[1]}: one has no spread"
            )
        return models.functions(self.model)[0](key, self.moments(x)[0])

    def moments(self, x: Array) -> tuple[Array, Array, Array]:
        """Rows in units of their spread, their means, and their standard deviations."""
        mean = x.mean(1, keepdims=True)
        sd = jnp.sqrt(((x - mean) ** 2).mean(1, keepdims=True))
        return (x - mean) / sd, mean, sd

    def apply(self, params, x: Float[Array, "n i ..."], key=None) -> Float[Array, "n o ..."]:
        """Outputs, in the data's units if undone."""
        z, mean, sd = self.moments(x)
        out = models.functions(self.model)[1](params, z, key=key)
        return mean + sd * out if self.undo else out


def columns(name: str, numbers: Any, x: Array) -> Array:
    """One number, or one per column of x (n, i), so that it broadcasts; or the same of S networks,
    x (n, i, S).

    Raises:
        ValueError: another number of columns.

    """
    if not isinstance(numbers, tuple):
        return jnp.asarray(numbers, x.dtype)
    if len(numbers) != x.shape[1]:
        raise ValueError(
            f"{name} has {len(numbers)} numbers, for {x.shape[1]} columns; give one number, or each its own"
        )
    return jnp.stack([jnp.asarray(number, x.dtype) for number in numbers])


def features(model: Any, x: ArrayLike, *, undo: bool = False) -> PerFeature:
    """The model between scalings by the columns' means and population standard deviations
    (scikit-learn's).

    Args:
        model: any.
        x: (n, i), rows to take them from: the training rows.
        undo: whether outputs get them back, as an autoencoder's should.

    Raises:
        ValueError: a constant column.

    """
    values = np.asarray(x, np.float64)
    center, scale = tuple(values.mean(0).tolist()), tuple(values.std(0).tolist())
    return (
        PerFeature(model, center, scale, center, scale)
        if undo
        else PerFeature(model, center, scale)
    )


def core(model: Any) -> Any:
    """The network inside all scalings."""
    while isinstance(model, Around):
        model = model.model
    return model
