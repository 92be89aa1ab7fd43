"""The best network of one hidden layer of relu units with one input, found by a search."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from approx.floors.pieces import segmented
from approx.floors.points import Groups, column, groups, whole

# A unit whose hinge the other units span, but for this share of its square, adds nothing that
# float64 could resolve.
SPANNED = 1e-10
# So many of the starts, the best of different error after a short search, are searched to the end.
REFINED = 16
PATTERNED = 4  # of so many units each pattern of signs is tried
SHORT, LONG = 4, 20  # rounds of a search over single units, before and while it is refined


class ReluOptimum(NamedTuple):
    """A network `f(x) = bias + Σ_j coefficients_j relu(signs_j (x - kinks_j))`, the best found.

    Attributes:
        mse: its mean square error on the points.
        bound: a number that no network of so many units is below (`pieces_bound` of units + 1
            pieces).
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


class Units(NamedTuple):
    """Relu units during the search, on the scaled points.

    Attributes:
        kinks: (m,) in any order.
        signs: (m,), +1 where a unit is active to the right of its kink, -1 to the left.
    """

    kinks: np.ndarray
    signs: np.ndarray

    def without(self, j: int) -> "Units":
        """All units but the j-th."""
        kinks = np.delete(self.kinks, j)
        signs = np.delete(self.signs, j)
        return Units(kinks, signs)

    def replaced(self, j: int, kink: float, sign: float) -> "Units":
        """The same units with another j-th one."""
        kinks = self.kinks.copy()
        signs = self.signs.copy()
        kinks[j], signs[j] = kink, sign
        return Units(kinks, signs)


Found = tuple[float, Units]  # an error Σ w r² and the units that have it


def error_of(found: Found) -> float:
    """The error of what a search found, to sort by."""
    return found[0]


def relu_optimum(
    x: ArrayLike,
    y: ArrayLike,
    units: int,
    weights: ArrayLike | None = None,
    starts: int = 64,
    rng: int = 0,
) -> ReluOptimum:
    """The best network of one hidden layer of so many relu units that is found on these points.

    The network has an output bias. Given kinks and directions the rest is linear least squares
    (variable projection; Golub and Pereyra 1973), so the search is over m kinks and signs. One unit
    at a time is set to its best kink and direction over all gaps between the points, in closed form
    with the others' coefficients refitted, until nothing improves; then all kinks move together
    (L-BFGS-B). The search starts from the breaks of `pieces_bound` and from quantiles with each
    pattern of signs, and from random kinks, half of them with a step.

    For one unit the search is exact; for more it is the best found, an upper bound on the optimum,
    which lies between `bound` and `mse`. Smooth targets are easy; on few noisy points a narrow
    optimum may be missed, and more `starts` help.

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

    Example:
        >>> x = np.linspace(-1, 1, 100)
        >>> floors.relu_optimum(x, x**2, units=4).mse
    """
    units = whole("units", units, 0)
    starts = whole("starts", starts, 0)
    points = groups(x, y, weights)
    least, breaks = segmented(points, units + 1)
    begun = []
    for one in beginnings(points, units, breaks, starts, rng):
        begun.append(sweep(points, one, SHORT))
    promising = _different(begun)[:REFINED]
    refined = [refine(points, one) for _, one in promising]
    _, best = min(refined, key=error_of)
    best = _by_kinks(best)
    error, coefficients, _ = fit(points, best)
    mse = points.mse(error)
    return ReluOptimum(
        mse=mse,
        bound=min(points.mse(least), mse),  # rounding aside it is never more
        kinks=points.x_centre + points.x_scale * best.kinks,
        signs=best.signs,
        coefficients=coefficients[1:] * points.y_scale / points.x_scale,
        bias=float(points.y_centre + points.y_scale * coefficients[0]),
    )


def _different(found: list[Found]) -> list[Found]:
    """What was found, the least error first, without errors that are equal to seven digits."""
    distinct = {}
    for error, units in sorted(found, key=error_of):
        distinct[f"{error:.6e}"] = (error, units)
    return list(distinct.values())


def _by_kinks(units: Units) -> Units:
    """The units in the order of their kinks."""
    order = np.argsort(units.kinks, kind="stable")
    return Units(units.kinks[order], units.signs[order])


def beginnings(
    points: Groups, units: int, breaks: np.ndarray, starts: int, rng: int
) -> Iterator[Units]:
    """The units from which the search starts, see `relu_optimum`.

    Args:
        points: what is fitted.
        units: how many.
        breaks: at which points the segments of the best lines start.
        starts: random starts.
        rng: their seed.
    """
    random = np.random.default_rng(rng)
    shares = np.arange(1, units + 1) / (units + 1)
    quantiles = np.quantile(points.x, shares)
    left = points.x[breaks[1:] - 1]
    right = points.x[breaks[1:]]
    between = (left + right) / 2
    segment_kinks = np.r_[between, quantiles[len(between) :]]
    patterned = min(units, PATTERNED)
    for kinks in (segment_kinks, quantiles):
        for pattern in product((1.0, -1.0), repeat=patterned):
            drawn = random.choice((-1.0, 1.0), units - patterned)
            yield Units(kinks, np.r_[pattern, drawn])
    if units <= 1:  # the search is exact, wherever it starts
        return
    last = len(points.x) - 1
    places = np.arange(len(points.x))
    for n in range(starts):
        drawn = random.uniform(0, last, units)
        kinks = np.interp(drawn, places, points.x)
        signs = random.choice((-1.0, 1.0), units)
        if n % 2:  # a step: single moves of units that stand apart hardly find it
            gap = random.integers(max(last, 1))
            kinks[:2] = points.x[gap : gap + 2]
            signs[1] = signs[0]
        yield Units(kinks, signs)


# ---- least squares -------------------------------------------------------------------------------


def hinges(x: np.ndarray, kinks: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """`relu(signs_j (x_i - kinks_j))`, (k, m)."""
    return np.maximum(signs * (x[:, None] - kinks), 0)


def features_of(points: Groups, units: Units) -> np.ndarray:
    """What the output is a linear combination of: a column of ones and the hinges, (k, 1 + m)."""
    of_bias = np.ones(len(points.x))
    of_units = hinges(points.x, units.kinks, units.signs)
    return np.c_[of_bias, of_units]


def fit(points: Groups, units: Units) -> tuple[float, np.ndarray, np.ndarray]:
    """The best output bias and coefficients of these units.

    Returns:
        The error Σ w r², bias and coefficients (1 + m,), and the residuals r = f - y, (k,).
    """
    features = features_of(points, units)
    root = np.sqrt(points.weights)
    weighted = features * root[:, None]
    target = points.y * root
    coefficients = np.linalg.lstsq(weighted, target)[0]
    residuals = features @ coefficients - points.y
    return float(points.weights @ residuals**2), coefficients, residuals


# ---- the search ----------------------------------------------------------------------------------


def refine(points: Groups, units: Units) -> Found:
    """Error and better units: all kinks moved together, then single units, then all together."""
    units = polish(points, units)
    _, units = sweep(points, units, LONG)
    units = polish(points, units)
    return fit(points, units)[0], units


def sweep(points: Groups, units: Units, rounds: int) -> Found:
    """Error and units after each unit in turn took its best place given the others.

    It ends after so many rounds, or when one gains less than a thousandth: along valleys `polish`
    is faster.
    """
    error = fit(points, units)[0]
    many = len(units.kinks)
    if not many:
        return error, units
    for _ in range(rounds):
        before = error
        for j in range(many):
            kink, sign = best_hinge(points, units.without(j))
            moved = units.replaced(j, kink, sign)
            moved_error = fit(points, moved)[0]
            if moved_error < error:
                error, units = moved_error, moved
        if error >= 0.999 * before:
            break
    return error, units


def best_hinge(points: Groups, others: Units) -> tuple[float, float]:
    """Kink and sign of the one unit that reduces the error most if it is added to the others.

    Exact, over all gaps between points at once. To the right of a kink t in the gap after point i
    the unit is `u - τ e` with `u = (x - x_i) 1`, `e = 1` on the points after i, and `τ = t - x_i`.
    It lowers Σ w r² by `(<r, u> - τ <r, e>)² / |u - τ e|²` with u and e projected off the other
    units. With a = <r, u>, b = <r, e>, c = |u|², d = <u, e> and e = |e|² the maximum over τ is at
    `(a d - b c) / (a e - b d)` or at an end of the gap.
    """
    root = np.sqrt(points.weights)
    weighted = features_of(points, others) * root[:, None]
    spanned = np.linalg.qr(weighted)[0]
    target = points.y * root
    explained = spanned @ (spanned.T @ target)
    residual = target - explained
    best = (-1.0, 0.0, 1.0)
    for sign in (1.0, -1.0):
        turn = slice(None, None, int(sign))  # a unit that is active to the left, seen in a mirror
        x = sign * points.x[turn]
        seen = root[turn], residual[turn], spanned[turn]
        gains, places = gap_gains(x, *seen)
        if not len(gains):
            continue
        at = int(gains.argmax())
        if gains[at] > best[0]:
            kink = sign * float(places[at])
            best = (float(gains[at]), kink, sign)
    return best[1], best[2]


def sums_after(values: np.ndarray) -> np.ndarray:
    """For each gap between points the sums of values (k, ...) over the points after it."""
    return np.cumsum(values[::-1], 0)[-2::-1]


class Products(NamedTuple):
    """For each gap between points, products (k - 1,) of the vectors r, u and e of `best_hinge`.

    Attributes:
        ru: <r, u>; r is orthogonal to the other units, so u need not be projected.
        re: <r, e>, likewise.
        uu: |u|² before u and e are projected off the other units.
        ue: <u, e> before.
        ee: |e|² before.
        uu_left: |u|² after.
        ue_left: <u, e> after.
        ee_left: |e|² after.
    """

    ru: np.ndarray
    re: np.ndarray
    uu: np.ndarray
    ue: np.ndarray
    ee: np.ndarray
    uu_left: np.ndarray
    ue_left: np.ndarray
    ee_left: np.ndarray


def products_after(
    x: np.ndarray, root: np.ndarray, residual: np.ndarray, others: np.ndarray
) -> Products:
    """The products for each gap, from sums over the points after it (see `gap_gains`)."""
    left = x[:-1]
    line = x * root
    # u = line - left e, since u is 0 at the left end of the gap
    re = sums_after(residual * root)
    ru = sums_after(residual * line) - left * re
    e_others = sums_after(others * root[:, None])
    line_others = sums_after(others * line[:, None])
    u_others = line_others - left[:, None] * e_others
    ee = sums_after(root * root)
    line_e = sums_after(root * line)
    line_line = sums_after(line * line)
    uu = line_line - 2 * left * line_e + left**2 * ee
    ue = line_e - left * ee
    return Products(
        ru=ru,
        re=re,
        uu=uu,
        ue=ue,
        ee=ee,
        uu_left=uu - (u_others**2).sum(1),
        ue_left=ue - (u_others * e_others).sum(1),
        ee_left=ee - (e_others**2).sum(1),
    )


def gap_gains(
    x: np.ndarray, root: np.ndarray, residual: np.ndarray, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each gap between points the largest gain of a unit that is active to its right.

    Args:
        x: increasing (k,).
        root: square roots of the weights (k,).
        residual: of the other units, times `root`, (k,).
        others: orthonormal columns that span the other units, (k, m).

    Returns:
        The gains and the kinks that have them, (k - 1,).
    """
    products = products_after(x, root, residual, others)
    a = products.ru
    b = products.re
    c = products.uu_left
    d = products.ue_left
    e = products.ee_left
    # The best place inside each gap, and both its ends
    width = np.diff(x)
    slope = a * e - b * d
    zero = np.zeros_like(a)
    inner = np.divide(
        a * d - b * c,
        slope,
        out=zero.copy(),
        where=slope != 0,
    )
    inside = np.clip(inner, 0, width)
    places = np.stack([zero, inside, width])
    # |u - τ e|² before the projection and after it
    size = products.uu - 2 * places * products.ue + places**2 * products.ee
    rest = c - 2 * places * d + places**2 * e
    # Where the other units span this one its gain is rounding: it counts as none.
    fine = rest > SPANNED * np.maximum(size, products.uu)
    lowered = (a - places * b) ** 2
    gains = np.divide(lowered, rest, out=np.zeros_like(rest), where=fine)
    which = gains.argmax(0)
    gaps = np.arange(len(width))
    best_gains = gains[which, gaps]
    best_places = x[:-1] + places[which, gaps]
    return best_gains, best_places


def polish(points: Groups, units: Units) -> Units:
    """All kinks moved together by L-BFGS-B, if that is better."""
    if not len(units.kinks):
        return units
    error_before = fit(points, units)[0]
    scale = max(error_before, np.finfo(float).tiny)

    def error_and_slope(kinks: np.ndarray) -> tuple[float, np.ndarray]:
        error, coefficients, residuals = fit(points, Units(kinks, units.signs))
        active = hinges(points.x, kinks, units.signs) > 0
        # The coefficients are optimal, so only the hinges themselves depend on the kinks: the
        # derivative of a minimum.
        pull = (points.weights * residuals) @ active
        slopes = -2 * units.signs * coefficients[1:] * pull
        return error / scale, slopes / scale

    found = scipy.optimize.minimize(
        error_and_slope,
        units.kinks,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-1, 1)] * len(units.kinks),
        options={"maxiter": 100, "ftol": 1e-12, "gtol": 1e-9},
    )
    moved = Units(found.x, units.signs)
    if fit(points, moved)[0] < error_before:
        return moved
    return units
