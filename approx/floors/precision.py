"""What float32 alone leaves of an error."""

import numpy as np
from numpy.typing import ArrayLike

from approx.floors.points import column


def float32_rounding(y: ArrayLike) -> float:
    """Mean square error of the targets rounded to float32, `mean((float32(y) - y)²)`.

    No float32 output has less: rounding is to the nearest. It is 0 if the targets are float32
    values themselves.

    Args:
        y: targets as they are judged, in float64; (k,) or (k, 1).

    Returns:
        The mean square error.

    Raises:
        ValueError: values that are not finite, in float32 too.

    Example:
        >>> floors.float32_rounding([0.1, 0.5])
    """
    values = column("y", y)
    difference = rounded(values).astype(np.float64) - values
    return float(np.mean(difference**2))


def float32_resolution(y: ArrayLike) -> float:
    """Mean square error of one float32 rounding of outputs near the targets, `mean(spacing²) / 12`.

    A number with a spacing of s to the next float32 is rounded by up to s / 2 either way, uniformly
    if it has no reason to lie on the grid: mean square `s² / 12`. This is a convention rather than
    a bound: the error of a network adds several rounded terms, so it is seldom below this number,
    but it may be where the targets are float32 values.

    Args:
        y: targets, (k,) or (k, 1).

    Returns:
        The mean square error, at most `eps² mean(y²) / 12` with `eps = 2⁻²³` where no target is
        subnormal.

    Raises:
        ValueError: values that are not finite, in float32 too.

    Example:
        >>> stats.profile(runs, floor=floors.float32_resolution(task.y_test))
    """
    sizes = np.abs(rounded(column("y", y)))
    spacing = np.spacing(sizes).astype(np.float64)
    return float(np.mean(spacing**2) / 12)


def rounded(values: np.ndarray) -> np.ndarray:
    """The nearest float32, or a ValueError for numbers beyond its range."""
    with np.errstate(over="ignore"):
        result = values.astype(np.float32)
    if not np.isfinite(result).all():
        largest = np.abs(values).max()
        end = np.finfo(np.float32).max
        raise ValueError(f"y reaches {largest}; float32 ends at {end}")
    return result
