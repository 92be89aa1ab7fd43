"""Networks of relu units in one dimension: piecewise linear, so their number of pieces bounds their
error from below.

`pieces_bound` is a proven bound for every network with that many pieces; `relu_optimum` is a
network that is the best found, an upper bound on what its width can reach. Where they agree, both
are the optimum.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from approx.floors.points import Groups, column, groups, whole

# A hinge that the other units span but for this share of its square adds nothing that float64 could
# resolve.
SPANNED = 1e-10
# So many of the starts, the best of different error after a short search, are searched to the end.
REFINED = 16


def square_mse(pieces: int, half_width: float = 1.0) -> float:
    """Least mean square error on x² under uniform density on [-L, L]: `h⁴ / 180`, `h = 2 L /
    pieces`.

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
    """
    return spacing(pieces, half_width) ** 4 / 180


def square_max(pieces: int, half_width: float = 1.0) -> float:
    """Least maximal error on x² over [-L, L]: `h² / 8`, `h = 2 L / pieces`.

    On an interval of length h that is the error of the best line (`T₂` scaled: `(h / 2)² / 2`);
    equal pieces are best.

    Args:
        pieces: number of linear pieces.
        half_width: L.

    Returns:
        The maximal absolute error.

    Raises:
        ValueError: pieces below 1, a half-width that is not positive and finite.
    """
    return spacing(pieces, half_width) ** 2 / 8


def spacing(pieces: int, half_width: float) -> float:
    """Length of each of the equal pieces of [-L, L]."""
    if not (np.isfinite(half_width) and half_width > 0):
        raise ValueError(f"half_width is {half_width!r}; it must be positive and finite")
    return 2 * float(half_width) / whole("pieces", pieces, 1)


def deep_pieces(widths: Sequence[int]) -> int:
    """The most linear pieces of a relu network with one input: `prod(n_l + 1)` over its hidden
    widths.

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
    """
    return prod(whole("a width", n, 1) + 1 for n in widths)


# ---- the bound: segmented least squares ----------------------------------------------------------


def pieces_bound(
    x: ArrayLike, y: ArrayLike, pieces: int, weights: ArrayLike | None = None
) -> float:
    """Least mean square error of any function with at most so many linear pieces, on these very
    points.

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
    """
    pieces, points = whole("pieces", pieces, 1), groups(x, y, weights)
    best, _ = segmented(points, pieces)
    return best * points.y_scale**2 + points.within


def segmented(points: Groups, pieces: int) -> tuple[float, np.ndarray]:
    """Least Σ w (line - y)² over segments of consecutive points, and where they start, (segments,)
    increasing.
    """
    k = len(points.x)
    pieces = min(pieces, (k + 1) // 2)  # two points each: more gain nothing
    best = np.full((pieces + 1, k + 1), np.inf)  # best[p, j]: the first j points in p segments
    start = np.zeros((pieces + 1, k + 1), np.int64)
    best[0, 0] = 0
    for j, cost in enumerate(line_errors(points)):
        totals = best[:-1, : j + 1] + cost
        start[1:, j + 1] = totals.argmin(1)
        best[1:, j + 1] = np.take_along_axis(totals, start[1:, j + 1, None], 1)[:, 0]
    p, end, starts = int(best[:, k].argmin()), k, []
    for q in range(p, 0, -1):
        end = int(start[q, end])
        starts.append(end)
    return float(best[p, k]), np.array(starts[::-1])


def line_errors(points: Groups) -> Iterator[np.ndarray]:
    """For each j the errors Σ w (line - y)² of the best lines through points i..j, (j + 1,) over i.

    Updated point by point as recursive least squares does: a new point with residual r about the
    old line adds `w r² / (1 + w / W + w d² / Sxx)`. Only nonnegative terms are added, where
    differences of prefix sums would cancel.
    """
    k = len(points.x)
    total, x_mean, y_mean, sxx, sxy, error = np.zeros((6, k))
    for j, (x, y, w) in enumerate(zip(points.x, points.y, points.weights, strict=True)):
        n, s = total[:j], sxx[:j]
        dx, dy = x - x_mean[:j], y - y_mean[:j]
        slope = np.divide(sxy[:j], s, out=np.zeros(j), where=s > 0)
        # With s = 0, one point so far, the factor is 0: two points lie on a line.
        error[:j] += w * (dy - slope * dx) ** 2 * (n * s / ((n + w) * s + w * n * dx * dx))
        share = w / (n + w)
        s += n * share * dx * dx
        sxy[:j] += n * share * dx * dy
        x_mean[:j] += share * dx
        y_mean[:j] += share * dy
        n += w
        total[j], x_mean[j], y_mean[j] = w, x, y
        yield error[: j + 1]


# ---- what is attained: the best network of m units -----------------------------------------------


class ReluOptimum(NamedTuple):
    """A network `f(x) = bias + Σ_j coefficients_j relu(signs_j (x - kinks_j))`, the best found.

    Attributes:
        mse: its mean square error on the points.
        bound: what no network of so many units is below (`pieces_bound` of units + 1 pieces).
        kinks: (m,) increasing.
        signs: (m,), +1 where a unit is active to the right of its kink, -1 to the left.
        coefficients: (m,).
        bias: the output's.
    """

    mse: float
    bound: float
    kinks: np.ndarray
    signs: np.ndarray
    coefficients: np.ndarray
    bias: float

    def predict(self, x: ArrayLike) -> np.ndarray:
        """Outputs (k,) at x, (k,) or (k, 1)."""
        return self.bias + hinges(column("x", x), self.kinks, self.signs) @ self.coefficients


def relu_optimum(
    x: ArrayLike,
    y: ArrayLike,
    units: int,
    weights: ArrayLike | None = None,
    starts: int = 64,
    rng: int = 0,
) -> ReluOptimum:
    """The best network of one hidden layer of so many relu units, with an output bias, found on
    these points.

    Given kinks and directions the rest is linear least squares (variable projection; Golub and
    Pereyra 1973), so the search is over m kinks and signs. One unit at a time is set to its best
    kink and direction over all gaps between the points, in closed form with the others'
    coefficients refitted, until nothing improves; then all kinks move together (L-BFGS-B). It
    starts from the breaks of `pieces_bound` and from quantiles with each pattern of signs, and from
    random kinks, half of them with a step. For one unit the search is exact; for more it is the
    best found, an upper bound on the optimum, which lies between `bound` and `mse`. Smooth targets
    are easy; on few noisy points a narrow optimum may be missed, and more `starts` help.

    Args:
        x: inputs, (k,) or (k, 1).
        y: targets, (k,) or (k, 1).
        units: m; 0 is a constant.
        weights: (k,), at least 0; None is the same for all.
        starts: random starts besides all patterns of signs of the first 4 units (others' signs are
            drawn).
        rng: seed of the random starts.

    Returns:
        The network, in the units of x and y.

    Raises:
        ValueError: units or starts below 0, values that are not finite, lengths that differ,
            weights that are none.
    """
    units, starts, points = (
        whole("units", units, 0),
        whole("starts", starts, 0),
        groups(x, y, weights),
    )
    error, breaks = segmented(points, units + 1)
    bound = error * points.y_scale**2 + points.within
    begun = [
        sweep(points, *start, rounds=4) for start in beginnings(points, units, breaks, starts, rng)
    ]
    distinct = {f"{found[0]:.6e}": found for found in sorted(begun, key=lambda found: found[0])}
    refined = [refine(points, *found[1:]) for found in list(distinct.values())[:REFINED]]
    _, kinks, signs = min(refined, key=lambda found: found[0])
    order = np.argsort(kinks, kind="stable")
    kinks, signs = kinks[order], signs[order]
    error, coefficients, _ = fit(points, kinks, signs)
    mse = error * points.y_scale**2 + points.within
    return ReluOptimum(
        mse=mse,
        bound=min(bound, mse),  # rounding aside it is never more
        kinks=points.x_centre + points.x_scale * kinks,
        signs=signs,
        coefficients=coefficients[1:] * points.y_scale / points.x_scale,
        bias=float(points.y_centre + points.y_scale * coefficients[0]),
    )


def beginnings(
    points: Groups, units: int, breaks: np.ndarray, starts: int, rng: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Kinks (m,) and signs (m,) to start from."""
    random = np.random.default_rng(rng)
    quantiles = np.quantile(points.x, np.arange(1, units + 1) / (units + 1))
    ends = points.x[breaks[1:]]
    between = (points.x[breaks[1:] - 1] + ends) / 2
    segment_kinks = np.r_[between, quantiles[len(between) :]]
    for kinks in (segment_kinks, quantiles):
        for pattern in product((1.0, -1.0), repeat=min(units, 4)):
            yield kinks, np.r_[pattern, random.choice((-1.0, 1.0), units - len(pattern))]
    for n in range(starts if units > 1 else 0):
        kinks = np.interp(
            random.uniform(0, len(points.x) - 1, units), np.arange(len(points.x)), points.x
        )
        signs = random.choice((-1.0, 1.0), units)
        if n % 2:  # a step: single moves of units that stand apart hardly find it
            gap = random.integers(max(len(points.x) - 1, 1))
            kinks[:2], signs[1] = points.x[gap : gap + 2], signs[0]
        yield kinks, signs


def hinges(x: np.ndarray, kinks: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """`relu(signs_j (x_i - kinks_j))`, (k, m)."""
    return np.maximum(signs * (x[:, None] - kinks), 0)


def fit(
    points: Groups, kinks: np.ndarray, signs: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Least Σ w r² over bias and coefficients, those (1 + m,), and the residuals r = f - y, (k,)."""
    features = np.c_[np.ones(len(points.x)), hinges(points.x, kinks, signs)]
    root = np.sqrt(points.weights)
    coefficients = np.linalg.lstsq(features * root[:, None], points.y * root)[0]
    residuals = features @ coefficients - points.y
    return float(points.weights @ residuals**2), coefficients, residuals


def refine(
    points: Groups, kinks: np.ndarray, signs: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Error and better kinks and signs: all kinks together, then single units again, then all
    together.
    """
    kinks = polish(points, kinks, signs)
    _, kinks, signs = sweep(points, kinks, signs, rounds=20)
    kinks = polish(points, kinks, signs)
    return fit(points, kinks, signs)[0], kinks, signs


def sweep(
    points: Groups, kinks: np.ndarray, signs: np.ndarray, rounds: int
) -> tuple[float, np.ndarray, np.ndarray]:
    """Error, kinks and signs after each unit in turn took its best place given the others.

    It ends after so many rounds, or when one gains less than a thousandth: along valleys `polish`
    is faster.
    """
    error = fit(points, kinks, signs)[0]
    for _ in range(rounds if len(kinks) else 0):
        before = error
        for j in range(len(kinks)):
            new_kinks, new_signs = kinks.copy(), signs.copy()
            new_kinks[j], new_signs[j] = best_hinge(
                points, np.delete(kinks, j), np.delete(signs, j)
            )
            if (new := fit(points, new_kinks, new_signs)[0]) < error:
                error, kinks, signs = new, new_kinks, new_signs
        if error >= 0.999 * before:
            break
    return error, kinks, signs


def best_hinge(points: Groups, kinks: np.ndarray, signs: np.ndarray) -> tuple[float, float]:
    """Kink and sign of the one unit that, added to these, reduces the error most: exact, over all
    gaps at once.

    To the right of a kink t in the gap after point i the unit is `u - τ e` with `u = (x - x_i) 1`,
    `e = 1` on the points after i, and `τ = t - x_i`. It lowers Σ w r² by `(<r, u> - τ <r, e>)² / |u
    - τ e|²` with u and e projected off the other units; the maximum over τ is at `(a d - b c) / (a
    e - b d)` or at an end of the gap.
    """
    root = np.sqrt(points.weights)
    others = np.linalg.qr(
        np.c_[np.ones(len(points.x)), hinges(points.x, kinks, signs)] * root[:, None]
    )[0]
    residual = points.y * root
    residual = residual - others @ (others.T @ residual)
    best = (-1.0, 0.0, 1.0)
    for sign in (1.0, -1.0):
        turn = slice(None, None, int(sign))
        gains, places = gap_gains(sign * points.x[turn], root[turn], residual[turn], others[turn])
        at = int(gains.argmax()) if len(gains) else 0
        if len(gains) and gains[at] > best[0]:
            best = (float(gains[at]), sign * float(places[at]), sign)
    return best[1], best[2]


def gap_gains(
    x: np.ndarray, root: np.ndarray, residual: np.ndarray, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each gap between increasing x the largest gain of a unit active to its right, and the
    kink, (k - 1,).
    """

    def after(values: np.ndarray) -> np.ndarray:
        """Sums over the points after each gap."""
        return np.cumsum(values[::-1], 0)[-2::-1]

    left, width, ones, line = x[:-1], np.diff(x), root, x * root
    column_left = left[:, None]
    b, q_e = after(residual * ones), after(others * ones[:, None])
    a, q_u = after(residual * line) - left * b, after(others * line[:, None]) - column_left * q_e
    s0, s1, s2 = after(ones * ones), after(ones * line), after(line * line)
    uu, ue = s2 - 2 * left * s1 + left**2 * s0, s1 - left * s0
    c, d, e = uu - (q_u**2).sum(1), ue - (q_u * q_e).sum(1), s0 - (q_e**2).sum(1)
    slope = a * e - b * d
    inner = np.divide(a * d - b * c, slope, out=np.zeros_like(a), where=slope != 0)
    places = np.stack([np.zeros_like(width), np.clip(inner, 0, width), width])
    size, rest = uu - 2 * places * ue + places**2 * s0, c - 2 * places * d + places**2 * e
    # Where the other units span this one its gain is rounding: it counts as none.
    fine = rest > SPANNED * np.maximum(size, uu)
    gains = np.divide((a - places * b) ** 2, rest, out=np.zeros_like(rest), where=fine)
    which = gains.argmax(0)
    rows = np.arange(len(width))
    return gains[which, rows], left + places[which, rows]


def polish(points: Groups, kinks: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """All kinks moved together by L-BFGS-B, if that is better."""
    if not len(kinks):
        return kinks
    start = max(fit(points, kinks, signs)[0], np.finfo(float).tiny)

    def error_and_slope(moved: np.ndarray) -> tuple[float, np.ndarray]:
        error, coefficients, residuals = fit(points, moved, signs)
        active = hinges(points.x, moved, signs) > 0
        # The coefficients are optimal, so only the hinges themselves depend on t: the derivative of
        # a minimum.
        slopes = -2 * signs * coefficients[1:] * ((points.weights * residuals) @ active)
        return error / start, slopes / start

    found = optimize.minimize(
        error_and_slope,
        kinks,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-1, 1)] * len(kinks),
        options={"maxiter": 100, "ftol": 1e-12, "gtol": 1e-9},
    )
    return found.x if fit(points, found.x, signs)[0] < fit(points, kinks, signs)[0] else kinks
