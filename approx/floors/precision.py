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
    """
    values = column("y", y)
    return float(np.mean((rounded(values).astype(np.float64) - values) ** 2))


def float32_resolution(y: ArrayLike) -> float:
    """Mean square error of one float32 rounding of outputs near the targets, `mean(spacing²) / 12`.

    A number with a spacing of s to the next float32 is rounded by up to s / 2 either way, uniformly
    if it has no reason to lie on the grid: mean square `s² / 12`. A convention rather than a bound:
    a network adds several rounded terms, so it cannot be relied upon to be below this, but on
    targets that are float32 values it may be.

    Args:
        y: targets, (k,) or (k, 1).

    Returns:
        The mean square error, at most `eps² mean(y²) / 12` with `eps = 2⁻²³` where no target is
        subnormal.

    Raises:
        ValueError: values that are not finite, in float32 too.
    """
    return float(np.mean(np.spacing(np.abs(rounded(column("y", y)))).astype(np.float64) ** 2) / 12)


def rounded(values: np.ndarray) -> np.ndarray:
    """The nearest float32."""
    with np.errstate(over="ignore"):
        result = values.astype(np.float32)
    if not np.isfinite(result).all():
        raise ValueError(
            f"y reaches {np.abs(values).max()}; float32 ends at {np.finfo(np.float32).max}"
        )
    return result
