"""The points on which a floor is computed: checked, one row per distinct x, scaled."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Groups(NamedTuple):
    """Points whose equal x are joined, since no function can tell them apart.

    Values of x that differ by 1e-16 of their range count as equal.

    Attributes:
        x: (k,) distinct and increasing, moved and scaled to [-1, 1].
        y: (k,) weighted means of the targets, moved and scaled to [-1, 1].
        weights: (k,) positive, sum 1.
        within: weighted mean square of the targets about their group's mean, in original units:
            part of every error.
        x_centre: the original x is x_centre + x_scale * x.
        x_scale: see x_centre.
        y_centre: the original y is y_centre + y_scale * y.
        y_scale: see y_centre.
    """

    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    within: float
    x_centre: float
    x_scale: float
    y_centre: float
    y_scale: float

    def mse(self, error: float) -> float:
        """A mean square error on the original points from one on the joined, scaled ones."""
        return error * self.y_scale**2 + self.within


def column(name: str, values: ArrayLike) -> np.ndarray:
    """Values (k,) or (k, 1) as float64 (k,).

    Raises:
        ValueError: another shape, no values, or one that is not finite.
    """
    array = np.asarray(values, np.float64)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not array.size:
        raise ValueError(
            f"{name} has shape {np.shape(values)}; it must be (k,) or (k, 1) with k of at least 1"
        )
    _check_finite(name, array)
    return array


def _check_finite(name: str, array: np.ndarray) -> None:
    """Raise a ValueError that names the first entry that is infinite or nan, if there is one."""
    is_finite = np.isfinite(array)
    if not is_finite.all():
        at = int(np.flatnonzero(~is_finite)[0])
        raise ValueError(f"{name}[{at}] is {array[at]}; every value must be finite")


def columns(
    x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The points of positive weight: x (k,), y (k,), weights (k,) with sum 1.

    Raises:
        ValueError: see `column`; lengths that differ; a negative weight, or none that is positive.
    """
    xs = column("x", x)
    ys = column("y", y)
    if weights is None:
        weights = np.ones(len(xs))
    ws = column("weights", weights)
    if not len(xs) == len(ys) == len(ws):
        raise ValueError(
            f"x, y and weights must have one length; they have {len(xs)}, {len(ys)} and {len(ws)}"
        )
    _check_weights(ws)
    kept = ws > 0
    ws = ws[kept] / ws.max()  # by the largest first: the sum cannot overflow
    return xs[kept], ys[kept], ws / ws.sum()


def _check_weights(weights: np.ndarray) -> None:
    """Raise a ValueError if a weight is negative, or none is positive."""
    if (weights < 0).any() or not (weights > 0).any():
        low = weights.min()
        high = weights.max()
        raise ValueError(
            f"weights must be at least 0, and one positive; they lie in [{low}, {high}]"
        )


def scaled(values: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Values in [-1, 1], and the centre and scale they came from (scale 1 where all are equal)."""
    centre = float(values.min() / 2 + values.max() / 2)
    scale = float(np.abs(values - centre).max()) or 1.0
    return (values - centre) / scale, centre, scale


def groups(x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> Groups:
    """The points joined by equal x and scaled.

    Raises:
        ValueError: see `columns`.
    """
    xs, ys, ws = columns(x, y, weights)
    xs, x_centre, x_scale = scaled(xs)
    ys, y_centre, y_scale = scaled(ys)
    distinct, group = np.unique(xs, return_inverse=True)
    weight = np.bincount(group, ws)
    mean = np.bincount(group, ws * ys) / weight
    deviation = ys - mean[group]
    squares = ws * deviation**2
    within = float(squares.sum()) * y_scale**2
    return Groups(
        distinct,
        mean,
        weight,
        within,
        x_centre,
        x_scale,
        y_centre,
        y_scale,
    )


def whole(name: str, value: int, least: int) -> int:
    """A whole number of at least so much.

    Raises:
        ValueError: something else.
    """
    if not _is_whole(value) or value < least:
        raise ValueError(f"{name} is {value!r}; it must be a whole number of at least {least}")
    return int(value)


def _is_whole(value: object) -> bool:
    """Whether a value is a whole number of Python or numpy, and no truth value."""
    if isinstance(value, bool | np.bool_):
        return False
    return isinstance(value, int | np.integer)
