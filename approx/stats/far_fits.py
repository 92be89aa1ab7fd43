"""The least-squares fits behind the rule of stats/far_behaviour.py: lines, growth and waves.

Everything here is about functions of one distance: `r` (m,) holds increasing distances from the
center, and every row of `f` (rows, m) the values of one function there. `tol` is the tolerance of
`stats.asymptote`, whose docstring holds the rule.
"""

from collections.abc import Callable
from math import gcd

import numpy as np

LEAST_CYCLES = 1.75  # "nearly two periods": sin on the default `sine` task shows two on either side
HARMONICS = 3
POINTS_PER_PERIOD = 8
CYCLE_STEP = 1 / 32  # phase error at the ends below 2 pi / 128: 0.1% of the variance

# A function of the distances (m,) and of one parameter: what is fitted beside a constant.
Basis = Callable[[np.ndarray, float], np.ndarray]


def halves(points: np.ndarray) -> tuple[slice, slice]:
    """The inner and the outer half of points along the first axis of an array."""
    half = len(points) // 2
    return slice(half), slice(half, None)


# ---- lines ---------------------------------------------------------------------------------------


def is_line(r: np.ndarray, f: np.ndarray, tol: float) -> tuple[np.ndarray, np.ndarray]:
    """Whether the rows of f are lines on the points r by statement 4, and their slopes."""
    inner, outer = halves(r)
    intercept, slope = least_squares_line(r, f)
    _, inner_slope = least_squares_line(r[inner], f[:, inner])
    _, outer_slope = least_squares_line(r[outer], f[:, outer])

    # No point is far from the line
    rise = slope[:, None] * r
    missed = abs(f - intercept[:, None] - rise)
    depth = r[-1] - r[0]
    change = abs(slope) * depth
    is_straight = missed.max(-1, initial=0) <= tol * change

    # The slope hardly changes on the way: as a power of r it would have an exponent near 0
    has_one_sign = inner_slope * outer_slope > 0
    inner_slope = np.where(has_one_sign, inner_slope, 1)
    outer_slope = np.where(has_one_sign, outer_slope, 1)
    steeper = np.log(outer_slope / inner_slope)
    inner_radius = r[inner].mean()
    outer_radius = r[outer].mean()
    farther = np.log(outer_radius / inner_radius)
    bend = steeper / farther
    is_even = abs(bend) <= 5 * tol

    return is_straight & has_one_sign & is_even, slope


def least_squares_line(r: np.ndarray, f: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intercepts and slopes (rows,) of the lines that fit the rows of f best."""
    # By degree, the lowest first
    intercept, slope = np.polynomial.polynomial.polyfit(r, f.T, 1)
    return intercept, slope


# ---- powers and exponentials ---------------------------------------------------------------------


def power_basis(r: np.ndarray, p: float) -> np.ndarray:
    """(r^p - 1) / p, which is r^p up to a constant and a factor, and log r for p = 0."""
    if abs(p) > 1e-9:
        return np.expm1(p * np.log(r)) / p
    return np.log(r)


def exponential_basis(r: np.ndarray, g: float) -> np.ndarray:
    """(exp(g (r - max r)) - 1) / g: exp(g r) up to a constant and a factor; a line for g = 0."""
    if abs(g) > 1e-9:
        return np.expm1(g * (r - r[-1])) / g
    return r


def fit_and_halves(
    r: np.ndarray, f: np.ndarray, basis: Basis, candidates: np.ndarray, tol: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Fit a parameter of `basis` to all points, to the inner half and to the outer half of them.

    Returns:
        The three parameters, each (rows,), and for which rows the fit to all points misses none by
        more than tol / 10 times the range of f.
    """
    inner, outer = halves(r)
    both, residual = fit(r, f, basis, candidates)
    of_inner, _ = fit(r[inner], f[:, inner], basis, candidates)
    of_outer, _ = fit(r[outer], f[:, outer], basis, candidates)

    missed = np.abs(residual).max(-1, initial=0)
    range_of_f = np.ptp(f, axis=-1)
    allowed = tol / 10 * range_of_f
    return both, of_inner, of_outer, missed <= allowed


def fit(
    r: np.ndarray, f: np.ndarray, basis: Basis, candidates: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the parameter of `basis` that fits each row best beside a constant.

    Args:
        r: (m,), distances.
        f: (rows, m), values.
        basis: the function whose parameter is sought.
        candidates: equally spaced values of the parameter. The best of them is improved to a tenth
            of their spacing.

    Returns:
        The parameters (rows,) and the residuals (rows, m).
    """
    best, residual, _ = best_basis(f, with_constant(r, basis, candidates))
    found = candidates[best]

    # Again for the rows of each candidate, with finer ones around it
    spacing = candidates[1] - candidates[0]
    around = np.linspace(-1, 1, 21) * spacing
    for i in np.unique(best):
        rows = best == i
        finer = candidates[i] + around
        choice, residual[rows], _ = best_basis(f[rows], with_constant(r, basis, finer))
        found[rows] = finer[choice]
    return found, residual


def with_constant(r: np.ndarray, basis: Basis, candidates: np.ndarray) -> list[np.ndarray]:
    """For each value of the parameter the matrix (m, 2) of a constant and the basis function."""
    ones = np.ones_like(r)
    return [np.column_stack([ones, basis(r, value)]) for value in candidates.tolist()]


# ---- waves ---------------------------------------------------------------------------------------


def is_periodic(
    r: np.ndarray, f: np.ndarray, degree: int, tol: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether the rows of f are periodic by statement 6.

    Args:
        r: (m,), distances, at least 15 of them: with fewer there is no number of cycles to try.
        f: (rows, m), values.
        degree: 0 for waves about a constant, 1 for waves about a line.
        tol: the tolerance.

    Returns:
        Whether the row is periodic, the period, and the slope of the line (nan for degree 0), each
        (rows,).
    """
    depth = r[-1] - r[0]
    most_cycles = (len(r) - 1) / POINTS_PER_PERIOD
    cycles = np.arange(LEAST_CYCLES, most_cycles + CYCLE_STEP / 2, CYCLE_STEP)

    # A polynomial of the degree, and waves about it; t is the share of the depth
    t = (r - r[0]) / depth
    powers = range(degree + 1)
    trend = np.stack([t**k for k in powers], -1)
    best, residual, coefficients = best_basis(f, waves(t, trend, cycles))
    holds = explains(f, trend, residual, tol)

    of_waves = coefficients[:, len(powers) :]
    cycles_shown = cycles[best] * common_divisor(of_waves)
    period = depth / cycles_shown
    slope = np.full(len(f), np.nan)
    if degree:
        slope = coefficients[:, 1] / depth
    return holds, period, slope


def waves(t: np.ndarray, trend: np.ndarray, cycles: np.ndarray) -> list[np.ndarray]:
    """For each number of cycles the matrix (m, b) of the trend, the cosines and the sines."""
    harmonics = np.arange(1, HARMONICS + 1)
    angle = 2 * np.pi * harmonics * t[:, None]
    bases = []
    for number in cycles:
        cosines = np.cos(number * angle)
        sines = np.sin(number * angle)
        bases.append(np.hstack([trend, cosines, sines]))
    return bases


def explains(f: np.ndarray, trend: np.ndarray, residual: np.ndarray, tol: float) -> np.ndarray:
    """For which rows the residual is small beside what the trend alone leaves over.

    It must be so on all points, on the inner half of them and on the outer half.
    """
    orthonormal, _ = np.linalg.qr(trend)
    of_trend = (f @ orthonormal) @ orthonormal.T
    left = f - of_trend

    everything = slice(None)
    holds = np.ones(len(f), bool)
    for part in (everything, *halves(f.T)):
        unexplained = (residual[:, part] ** 2).mean(-1)
        variance = left[:, part].var(-1)
        holds &= unexplained <= tol * variance
    return holds


def common_divisor(coefficients: np.ndarray) -> np.ndarray:
    """The largest number that divides all harmonics present in a wave, (rows,).

    A wave of frequency w may be found as the second harmonic of w / 2: then only even harmonics are
    present, the divisor is 2, and the true number of cycles is twice the one that was found.

    Args:
        coefficients: (rows, 2 HARMONICS), of the cosines and then of the sines.
    """
    pairs = coefficients.reshape(-1, 2, HARMONICS)
    heights = np.hypot(pairs[:, 0], pairs[:, 1])
    highest = heights.max(-1, keepdims=True, initial=0)
    present = heights > 0.1 * highest
    divisors = []
    for row in present:
        numbers = np.flatnonzero(row) + 1  # the harmonics, from 1
        divisors.append(gcd(*numbers.tolist()))
    return np.maximum(np.array(divisors, int), 1)


# ---- least squares -------------------------------------------------------------------------------


def best_basis(f: np.ndarray, bases: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the basis that fits each row of f best in least squares.

    Args:
        f: (rows, m), values.
        bases: matrices (m, b), whose first column must be constant.

    Returns:
        The index of the best basis (rows,), the residuals (rows, m) and the coefficients (rows, b)
        of the row less its mean.
    """
    # Scaled to a height of 1, so that no square overflows
    mean = f.mean(-1, keepdims=True)
    height = abs(f - mean).max(-1, keepdims=True, initial=0)
    height = np.maximum(height, np.finfo(float).tiny)
    unit = (f - mean) / height

    factors = [np.linalg.qr(basis) for basis in bases]
    best = most_explained(unit, [q for q, _ in factors])

    # Residuals and coefficients, for all rows with the same best basis at once
    functions = bases[0].shape[1]
    residual = np.zeros_like(f)
    coefficients = np.zeros((len(f), functions))
    for i in np.unique(best):
        q, triangle = factors[i]
        rows = best == i
        values = unit[rows]
        along = values @ q
        left = values - along @ q.T
        solved = np.linalg.solve(triangle, along.T)
        residual[rows] = left * height[rows]
        coefficients[rows] = solved.T * height[rows]
    return best, residual, coefficients


def most_explained(f: np.ndarray, orthonormal: list[np.ndarray]) -> np.ndarray:
    """Which of several orthonormal bases (m, b) explains most of each row of f (rows, m)."""
    best = np.zeros(len(f), int)
    most = np.full(len(f), -np.inf)
    for i, q in enumerate(orthonormal):
        explained = ((f @ q) ** 2).sum(-1)
        best = np.where(explained > most, i, best)
        most = np.maximum(explained, most)
    return best
