"""Polynomials: yardsticks that are no networks, the best in the mean and in the maximum on the
given points.
"""

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike
from scipy import optimize

from approx.floors.points import columns, groups, scaled, whole


def polynomial_mse(
    x: ArrayLike, y: ArrayLike, degree: int, weights: ArrayLike | None = None
) -> float:
    """Least mean square error of a polynomial of at most this degree, `min_p Σ w (p(x) - y)² / Σ
    w`.

    Linear least squares in the Chebyshev polynomials of x scaled to [-1, 1].

    Args:
        x: inputs, (k,) or (k, 1).
        y: targets, (k,) or (k, 1).
        degree: at least 0.
        weights: (k,), at least 0; None is the same for all.

    Returns:
        The mean square error; without ties 0 to rounding if there are at most degree + 1 points.

    Raises:
        ValueError: a negative degree, values that are not finite, lengths that differ, weights that
            are no weights.
    """
    degree, points = whole("degree", degree, 0), groups(x, y, weights)
    if degree >= len(points.x) - 1:  # a polynomial through every group's mean
        return points.within
    root = np.sqrt(points.weights)
    features = chebyshev.chebvander(points.x, degree)
    coefficients = np.linalg.lstsq(features * root[:, None], points.y * root)[0]
    return (
        float(points.weights @ (features @ coefficients - points.y) ** 2) * points.y_scale**2
        + points.within
    )


def minimax_polynomial(x: ArrayLike, y: ArrayLike, degree: int) -> float:
    """Least maximal error of a polynomial of at most this degree on these points, `min_p max |p(x)
    - y|`.

    A linear programme (scipy's HiGHS): minimise e subject to `|p(x_i) - y_i| <= e`. It is solved
    for what the least-squares polynomial leaves, scaled to 1, so that the solver's tolerance of
    1e-9 is relative to that.

    Args:
        x: inputs, (k,) or (k, 1).
        y: targets, (k,) or (k, 1).
        degree: at least 0.

    Returns:
        The maximal absolute error of the polynomial found.

    Raises:
        ValueError: a negative degree, values that are not finite, lengths that differ.
        RuntimeError: the solver gave up.
    """
    degree = whole("degree", degree, 0)
    xs, ys, _ = columns(x, y)
    xs, ys, y_scale = scaled(xs)[0], *scaled(ys)[::2]
    features = chebyshev.chebvander(xs, min(degree, len(np.unique(xs)) - 1))
    left = ys - features @ np.linalg.lstsq(features, ys)[0]
    size = np.abs(left).max()
    if size <= 1e-14:  # rounding of values up to 1: the polynomial goes through the points
        return float(size * y_scale)
    left /= size
    sides = np.block([[features, -np.ones((len(xs), 1))], [-features, -np.ones((len(xs), 1))]])
    found = optimize.linprog(
        np.r_[np.zeros(features.shape[1]), 1.0],
        sides,
        np.r_[left, -left],
        bounds=[(None, None)] * features.shape[1] + [(0, None)],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9},
    )
    if not found.success:
        raise RuntimeError(
            f"the linear programme of degree {degree} on {len(xs)} points failed: {found.message}"
        )
    return float(np.abs(features @ found.x[:-1] - left).max() * size * y_scale)
