"""The confidence interval of a mean of bounded numbers: plain arrays in, plain arrays out."""

from typing import NamedTuple

import numpy as np
import scipy

from approx.stats.intervals import binomial_interval

ALIKE = 1e-9  # means over cells that differ by less are one value in other roundings
# Up to this many values that differ from all others: Wilson's interval covers less than 93% at some
# rates
EXCEPTIONS = 5
FEWEST = 10  # from this many values on those seen say how far the unseen may lie
ROUNDING = 1e-12  # of a sample's mean
HALVINGS = 50  # of the bracket of an end


def mean_interval(
    values: np.ndarray, bounds: tuple[float, float], level: float = 0.95, step: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Two-sided confidence interval for the mean of a bounded variable, by a score test.

    A mean μ is inside if |m - μ| <= t σ(μ) / √n, with m the sample's mean, t Student's quantile at
    n - 1 degrees of freedom, and σ(μ)² the variance of the likeliest distribution of mean μ (A. B.
    Owen's empirical likelihood, Biometrika 75, 1988), which may have mass at an unseen value beyond
    the sample. Of values that are 0 and 1 it is Wilson's score interval, and of -1, 0 and 1
    Tango's, but for t in place of the normal quantile.

    Where at most five values differ from one on which the others agree, the interval is at least as
    wide as Clopper and Pearson's for the share of those that differ makes it: for rare exceptions
    the score test's tail is too light.

    Args:
        values: (..., n), n of at least 1.
        bounds: the least and the largest value there can be.
        level: probability of covering.
        step: how far the unseen value may lie beyond the sample. By default it may be the bound;
            so it may where all values agree, or are fewer than ten.

    Returns:
        The lower and upper ends, (...). With one value they are the bounds.

    Example:
        low, high = stats.mean_interval(accuracies, (0.0, 1.0))
    """
    values = np.asarray(values, float)
    floor, ceiling = _unseen_values(values, bounds, step)
    low = -_upper_end(-values, -floor, level)
    high = _upper_end(values, ceiling, level)

    # At least as wide as the interval of a few exceptions
    least, most = _interval_of_exceptions(values, level)
    low = np.minimum(low, least)
    high = np.maximum(high, most)
    return low, high


def _unseen_values(
    values: np.ndarray, bounds: tuple[float, float], step: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest value (...) that a number which was not seen may have."""
    lowest_bound, highest_bound = bounds
    least = values.min(-1)
    most = values.max(-1)
    floor = np.full(least.shape, float(lowest_bound))
    ceiling = np.full(most.shape, float(highest_bound))
    if step is None or values.shape[-1] < FEWEST:
        return floor, ceiling

    # If values differ, those seen say how far the unseen may lie
    differ = most - least > ALIKE
    nearer_floor = np.maximum(floor, least - step)
    nearer_ceiling = np.minimum(ceiling, most + step)
    floor = np.where(differ, nearer_floor, floor)
    ceiling = np.where(differ, nearer_ceiling, ceiling)
    return floor, ceiling


def _interval_of_exceptions(values: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """The interval of the mean (...) where a few values lie on one side of all others, which agree.

    It is the exact interval of the share of these few, times their mean distance. Elsewhere it is
    empty, from inf to -inf.
    """
    # The value of more than half, if there is one
    n = values.shape[-1]
    common = np.sort(values, -1)[..., n // 2]

    # Those that differ from it
    away = values - common[..., None]
    is_above = away > ALIKE
    is_below = away < -ALIKE
    count = (is_above | is_below).sum(-1)
    on_one_side = is_above.any(-1) != is_below.any(-1)
    meant = on_one_side & (count <= EXCEPTIONS) & (2 * count < n)

    count = np.where(meant, count, 0)
    distance = away.sum(-1) / np.maximum(count, 1)
    share_low, share_high = binomial_interval(count, n, level, "exact")
    one_end = common + distance * share_low
    other_end = common + distance * share_high

    # The distance is negative if the few lie below the others
    low, high = np.sort([one_end, other_end], axis=0)
    low = np.where(meant, low, np.inf)
    high = np.where(meant, high, -np.inf)
    return low, high


class _Tilted(NamedTuple):
    """Mean and variance (...) of the likeliest distribution at some place, see `_upper_end`."""

    mean: np.ndarray
    variance: np.ndarray


def _upper_end(values: np.ndarray, ceiling: np.ndarray, level: float) -> np.ndarray:
    """The largest mean (...) that the score test does not reject.

    The likeliest distribution whose mean lies above the sample's weights each value v by
    1 / (pole - v). The search runs along these distributions by bisection. At place 0 the pole is
    at infinity: the distribution is the sample itself. From there the pole comes down, and reaches
    the ceiling at place 1. From place 1 on the weights shrink, and what they leave lies at the
    ceiling; at place 2 that is everything.

    Args:
        values: (..., n).
        ceiling: (...), the largest value there can be.
        level: probability of covering.
    """
    n = values.shape[-1]
    if n == 1:
        return ceiling.copy()
    quantile = scipy.stats.t.ppf((1 + level) / 2, n - 1)
    allowed = quantile / np.sqrt(n)  # standard deviations
    mean = values.mean(-1)

    room = ceiling[..., None] - values
    # If a value is at the ceiling, all weight is there at place 1 already
    is_reached = (room <= ALIKE).any(-1)
    room = np.maximum(room, ALIKE)
    at_ceiling = _weighted(1 / room, values).mean

    inside = np.zeros(mean.shape)
    outside = np.where(is_reached, 1.0, 2.0)
    end = mean
    for _ in range(HALVINGS):
        place = (inside + outside) / 2
        before = _before_ceiling(place, values, mean, ceiling)
        after = _beyond_ceiling(place, values, at_ceiling, ceiling, room)
        end = np.where(place <= 1, before.mean, after.mean)
        variance = np.where(place <= 1, before.variance, after.variance)

        margin = allowed * np.sqrt(np.maximum(variance, 0))
        accepted = end - mean <= margin + ROUNDING
        inside = np.where(accepted, place, inside)
        outside = np.where(accepted, outside, place)
    return np.where(mean >= ceiling - ALIKE, ceiling, end)


def _before_ceiling(
    place: np.ndarray, values: np.ndarray, mean: np.ndarray, ceiling: np.ndarray
) -> _Tilted:
    """The distribution at places from 0 to 1: the values weighted by their nearness to the pole."""
    nearness = np.maximum(np.minimum(place, 1), 1e-12)
    pole = mean + (ceiling - mean) / nearness
    distance = np.maximum(pole[..., None] - values, ALIKE**2)
    return _weighted(1 / distance, values)


def _beyond_ceiling(
    place: np.ndarray,
    values: np.ndarray,
    at_ceiling: np.ndarray,
    ceiling: np.ndarray,
    room: np.ndarray,
) -> _Tilted:
    """The distribution at places from 1 to 2: shrunk weights, and the rest at the ceiling.

    Args:
        place: (...).
        values: (..., n).
        at_ceiling: (...), the mean at place 1.
        ceiling: (...).
        room: (..., n), the distances of the values to the ceiling.
    """
    n = values.shape[-1]
    mean = at_ceiling + (place - 1) * (ceiling - at_ceiling)
    below_ceiling = ceiling - mean
    weights = below_ceiling[..., None] / room / n
    rest = 1 - weights.sum(-1)

    squares = (values - mean[..., None]) ** 2
    variance = (weights * squares).sum(-1)
    variance += rest * below_ceiling**2
    return _Tilted(mean, variance)


def _weighted(weights: np.ndarray, values: np.ndarray) -> _Tilted:
    """Mean and variance of values (..., n) under weights that need not add up to 1."""
    whole = weights.sum(-1, keepdims=True)
    weights = weights / whole
    mean = (weights * values).sum(-1)
    away = values - mean[..., None]
    variance = (weights * away**2).sum(-1)
    return _Tilted(mean, variance)
