"""The least error of piecewise linear functions of one input, such as networks of relu units.

The number of pieces bounds the error from below: `pieces_bound` is proven for every network with
that many pieces. `relu_optimum` finds a network, so it is an upper bound on what its width can
reach. Where they agree, both are the optimum.
"""

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from approx.floors.points import Groups, groups, whole


def square_mse(pieces: int, half_width: float = 1.0) -> float:
    """Least mean square error on x² under uniform density on [-L, L]: `h⁴ / 180`, h = 2 L / pieces.

    On an interval of length h the best line leaves `x² - h² / 12` about the middle, of mean square
    `h⁴ / 180` (`h⁴ / 80 - h⁴ / 144`). Equal pieces are best, as h⁵ is convex. The lines meet if
    they are continued to the breaks, so a continuous function attains it. A relu network of m =
    pieces - 1 units does so if m is even: the first slope, `-m h` about the middle, must be minus
    the jumps (2 h each) of the units that are active to the left, m / 2 of them.

    Args:
        pieces: number of linear pieces.
        half_width: L.

    Returns:
        The mean square error.

    Raises:
        ValueError: pieces below 1, a half-width that is not positive and finite.

    Example:
        >>> floors.square_mse(5)
    """
    if not (np.isfinite(half_width) and half_width > 0):
        raise ValueError(f"half_width is {half_width!r}; it must be positive and finite")
    h = 2 * float(half_width) / whole("pieces", pieces, 1)
    return h**4 / 180


def deep_pieces(widths: Sequence[int]) -> int:
    """The most linear pieces of a relu network with one input: `prod(n_l + 1)` over hidden widths.

    By induction over layers: where all outputs of a layer are linear, each of the n units above
    crosses zero at most once, so that a piece is cut into at most n + 1. It is the one-input case
    of the bounds of Montúfar (2017, "Notes on the number of linear regions of deep neural
    networks") and of Serra, Tjandraatmadja and Ramalingam (2018, "Bounding and counting linear
    regions of deep neural networks"). One layer attains it; for several it is used here as an upper
    bound only. `pieces_bound(x, y, deep_pieces(widths))` is then a floor for such a network.

    Args:
        widths: hidden widths, such as (8, 8); () is a linear model.

    Returns:
        The number of pieces.

    Raises:
        ValueError: a width below 1.

    Example:
        >>> floors.deep_pieces((8, 8))
        81
    """
    return prod(whole("a width", n, 1) + 1 for n in widths)


# ---- segmented least squares ---------------------------------------------------------------------


def pieces_bound(
    x: ArrayLike, y: ArrayLike, pieces: int, weights: ArrayLike | None = None
) -> float:
    """Least mean square error on these points of any function with at most so many linear pieces.

    The pieces need not meet: a lower bound for every relu network with that many pieces (m units in
    one hidden layer make at most m + 1, see also `deep_pieces`). Exact by dynamic programming over
    the distinct x (Bellman 1961, "On the approximation of curves by line segments using dynamic
    programming"), O(k² pieces); points with equal x stay together. Rounding leaves about 1e-15 of
    `max|y - centre|²`.

    Args:
        x: inputs, (k,) or (k, 1).
        y: targets, (k,) or (k, 1).
        pieces: number of linear pieces.
        weights: (k,), at least 0; None is the same for all.

    Returns:
        The mean square error `Σ w (f(x) - y)² / Σ w`; without ties 0 if there are at most 2 *
        pieces points.

    Raises:
        ValueError: pieces below 1, values that are not finite, lengths that differ, weights that
            are no weights.

    Example:
        >>> x = np.linspace(-1, 1, 100)
        >>> floors.pieces_bound(x, x**2, pieces=5)
    """
    pieces = whole("pieces", pieces, 1)
    points = groups(x, y, weights)
    best, _ = segmented(points, pieces)
    return points.mse(best)


def segmented(points: Groups, pieces: int) -> tuple[float, np.ndarray]:
    """The best lines over at most so many segments of consecutive points.

    Returns:
        The least Σ w (line - y)², and at which points the segments start, (segments,) increasing.
    """
    k = len(points.x)
    pieces = min(pieces, (k + 1) // 2)  # two points each: more gain nothing
    # best[p, j] is the least error of the first j points in p segments, the last of which starts at
    # the point start[p, j]
    shape = (pieces + 1, k + 1)
    best = np.full(shape, np.inf)
    start = np.zeros(shape, np.int64)
    best[0, 0] = 0
    for j, cost in enumerate(line_errors(points)):
        totals = best[:-1, : j + 1] + cost
        first = totals.argmin(1)
        start[1:, j + 1] = first
        least = np.take_along_axis(totals, first[:, None], 1)
        best[1:, j + 1] = least[:, 0]
    segments = int(best[:, k].argmin())
    return float(best[segments, k]), _starts_of_segments(start, segments, k)


def _starts_of_segments(start: np.ndarray, segments: int, points: int) -> np.ndarray:
    """The first point of each segment, from the last segment backwards (see `segmented`)."""
    starts = []
    end = points
    for p in range(segments, 0, -1):
        end = int(start[p, end])
        starts.append(end)
    return np.array(starts[::-1])


def line_errors(points: Groups) -> Iterator[np.ndarray]:
    """For each j the errors Σ w (line - y)² of the best lines through points i..j, (j + 1,) over i.

    Updated point by point as recursive least squares does: a new point with residual r about the
    old line adds `w r² / (1 + w / W + w d² / Sxx)`. Only nonnegative terms are added, where
    differences of prefix sums would cancel.
    """
    k = len(points.x)
    # Of the points i..j: sum of weights, means, sums of squares and products about the means
    total, x_mean, y_mean, sxx, sxy, error = np.zeros((6, k))
    for j in range(k):
        x = points.x[j]
        y = points.y[j]
        w = points.weights[j]
        n = total[:j]
        s = sxx[:j]
        dx = x - x_mean[:j]
        dy = y - y_mean[:j]
        slope = np.divide(
            sxy[:j],
            s,
            out=np.zeros(j),
            where=s > 0,
        )
        residual = dy - slope * dx
        # With s = 0, one point so far, the factor is 0: two points lie on a line.
        divisor = (n + w) * s + w * n * dx * dx
        error[:j] += w * residual**2 * (n * s / divisor)
        share = w / (n + w)
        s += n * share * dx * dx
        sxy[:j] += n * share * dx * dy
        x_mean[:j] += share * dx
        y_mean[:j] += share * dy
        n += w
        total[j] = w
        x_mean[j] = x
        y_mean[j] = y
        yield error[: j + 1]
