"""Losses of frameworks that print one quantity and descend another, and checks of their words.

A training here records the quantity that the framework prints, so that both can be compared, and
follows the gradient that the framework follows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.lax import stop_gradient
from jaxtyping import Array, Float

from approx.models import scalings
from approx.numerics.products import along, networks_of
from approx.tasks.values import as_rows, meant

Values = Float[Array, "n o ..."]


@dataclass(frozen=True)
class Printed:
    """A loss whose value is what is printed, and whose gradient is what is descended.

    Attributes:
        slope: (outputs, targets) -> the derivative (n, o) of what is descended, for each output.
        value: (outputs, targets) -> what is printed for each row (n,).

    """

    slope: Callable[[Values, Values], Values]
    value: Callable[[Values, Values], Array]

    def __call__(self, outputs: Values, targets: Values) -> Float[Array, "n ..."]:
        """What is printed for each row, plus a term that is 0 and has the gradient."""
        pull = stop_gradient(self.slope(outputs, targets))
        nothing = (pull * (outputs - stop_gradient(outputs))).sum(1)
        return stop_gradient(self.value(outputs, targets)) + nothing


@dataclass(frozen=True)
class SquaresOf:
    """`factor Σ_o ((f - y) / s)²` of each row, or the mean over the outputs in place of the sum.

    Outputs and targets are in the data's units, and s are the units in which the framework squares.

    Attributes:
        factor: of the squares.
        scale: s, one for each output; None for the data's own units.
        mean: whether the mean over the outputs is taken.

    """

    factor: float = 1.0
    scale: tuple[float, ...] | None = None
    mean: bool = False

    def __call__(self, outputs: Values, targets: Values) -> Float[Array, "n ..."]:
        """One value for each row."""
        squares = self.factor * self.errors(outputs, targets) ** 2
        return squares.mean(1) if self.mean else squares.sum(1)

    def errors(self, outputs: Values, targets: Values) -> Values:
        """`(f - y) / s`."""
        return (outputs - targets) / units(self.scale, outputs)

    def slope(self, outputs: Values, targets: Values) -> Values:
        """The derivative for each output, of the sum over the outputs."""
        scale = units(self.scale, outputs)
        return 2 * self.factor * (outputs - targets) / scale**2


def units(scale: tuple[float, ...] | None, outputs: Values) -> Any:
    """Units of the outputs, as an array that broadcasts with them."""
    if scale is None:
        return 1.0
    return along(jnp.asarray(scale, outputs.dtype), networks_of(outputs, 2))


def half_squares(
    value: Callable[[Values, Values], Array], scale: tuple[float, ...] | None = None
) -> Printed:
    """The loss that descends `½ Σ_o ((f - y) / s)²` of each row and prints something else."""
    return Printed(SquaresOf(0.5, scale).slope, value)


def mean_square(outputs: Values, targets: Values) -> Float[Array, "n ..."]:
    """`mean_o (f - y)²`, what most frameworks print."""
    return ((outputs - targets) ** 2).mean(1)


# ---- words ---------------------------------------------------------------------------------------


def find(what: str, name: Any, table: Mapping[Any, Any], refused: Mapping[Any, str]) -> Any:
    """What a table says for a framework's word.

    Args:
        what: such as "activation".
        name: the word.
        table: the words that can be translated.
        refused: words that cannot, each with what is nearest.

    Raises:
        ValueError: a word that is not in the table; it says what is nearest.
    """
    if name in table:
        return table[name]
    known = ", ".join(map(str, table))
    if name in refused:
        raise ValueError(f"{what} is {name!r}, which cannot be translated: {refused[name]}")
    raise ValueError(f"unknown {what} {name!r}; there is: {known}{meant(name, table)}")


def check_range(name: str, value: Any, low: float, high: float, why: str) -> None:
    """Refuse a number outside an open interval, as the framework does.

    Raises:
        ValueError: with the bounds.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | np.number)
        or not low < value < high
    ):
        raise ValueError(f"{name} is {value!r}; {why} between {low} and {high}, both excluded")


def widths(name: str, hidden: Any) -> tuple[int, ...]:
    """Numbers of hidden units as a tuple; one number is one layer.

    Raises:
        ValueError: something else than whole numbers of at least 1.
    """
    several = hidden if isinstance(hidden, tuple | list | np.ndarray) else (hidden,)
    for width in several:
        whole = isinstance(width, int | np.integer) and not isinstance(width, bool)
        if not (whole and width >= 1):
            raise ValueError(f"{name} is {hidden!r}; give whole numbers of units, such as 10")
    return tuple(int(width) for width in several)


def rows(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (n, i) and targets (n, o) in float64.

    Raises:
        TypeError: values that are no real numbers.
        ValueError: values that are not finite, or lengths that differ.
    """
    x, y = as_rows("x", x), as_rows("y", y)
    if len(x) != len(y):
        raise ValueError(f"x and y differ in their number of rows: {len(x)} and {len(y)}")
    return x, y


# ---- scalings ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Columns:
    """A shift and a scale for each column: the framework sees `(v - center) / scale`.

    Attributes:
        center: one number for each column.
        scale: one number above 0 for each column.

    """

    center: tuple[float, ...]
    scale: tuple[float, ...]


def to_range(values: np.ndarray, low: float, high: float) -> Columns:
    """The columns whose least value becomes `low` and whose largest becomes `high`.

    A constant column is only shifted, to 0.
    """
    least, most = values.min(0), values.max(0)
    span = np.where(most > least, most - least, high - low)
    scale = span / (high - low)
    center = np.where(most > least, least - low * scale, least)
    return Columns(tuple(center.tolist()), tuple(scale.tolist()))


def to_unit_spread(values: np.ndarray) -> Columns:
    """The columns with mean 0 and standard deviation 1 (the population's); a constant one: 1."""
    spread = values.std(0)
    scale = np.where(spread > 0, spread, 1.0)
    return Columns(tuple(values.mean(0).tolist()), tuple(scale.tolist()))


def scaled(model: Any, inputs: Columns | None, outputs: Columns | None) -> Any:
    """A model that sees scaled inputs and gives outputs in the data's units."""
    if inputs is None and outputs is None:
        return model
    fields: dict[str, Any] = {}
    if inputs is not None:
        fields |= {"center": inputs.center, "scale": inputs.scale}
    if outputs is not None:
        fields |= {"out_center": outputs.center, "out_scale": outputs.scale}
    return scalings.PerFeature(model, **fields)
