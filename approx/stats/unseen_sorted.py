"""Intervals of statistics of sorted values, such as a median, that allow for an unseen seed.

The method is that of stats/unseen.py: seeds get random weights, and one more seed, which was not
seen, takes the value that makes the result smallest or largest.

Shapes: n is the number of seeds, b the number of draws, `cells` the cells of a grid.
"""

from collections.abc import Callable

import numpy as np

from approx.stats.unseen import seed_weights, tail_ends

# From a share u of all trainings, those with the lowest values, to the share of a result that they
# make up, see `sorted_interval`
Cumulative = Callable[[np.ndarray], np.ndarray]


# ---- weighted means of sorted values -------------------------------------------------------------


def share_mean(u: np.ndarray) -> np.ndarray:
    """Every value counts by its share of the seeds."""
    return u


def share_middle(u: np.ndarray) -> np.ndarray:
    """Only the middle half counts."""
    return np.clip(2 * u - 0.5, 0.0, 1.0)


def share_median(u: np.ndarray) -> np.ndarray:
    """Only the value in the middle counts."""
    return (u >= 0.5).astype(float)


def sorted_interval(
    values: np.ndarray,
    cumulative: Cumulative,
    bounds: tuple[float, float],
    level: float,
    resamples: int,
    rng: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Interval (cells,) of the integral of quantile(u) d cumulative(u) from samples (cells, n).

    Args:
        values: numbers, also infinite ones.
        cumulative: how much of the result the lowest share u of all trainings makes up; from 0 to
            1.
        bounds: the smallest and the largest value there could be, also infinite.
        level: probability of covering.
        resamples: number of draws.
        rng: seed of the draws.
    """
    cells, n = values.shape
    least, most = (np.full((cells, 1), bound) for bound in bounds)
    ordered = np.sort(values, -1)
    with_least = np.concatenate([least, ordered], -1)
    with_most = np.concatenate([ordered, most], -1)

    # Weights may be drawn in any order: the first one is that of the lowest value
    low, high = [], []
    for block in seed_weights(n, resamples, rng):
        counted = counted_shares(block, cumulative)
        low.append(weighted_sum(with_least, counted))
        high.append(weighted_sum(with_most, counted))
    below = np.concatenate(low, -1)
    above = np.concatenate(high, -1)
    return tail_ends(below, above, level)


def counted_shares(weights: np.ndarray, cumulative: Cumulative) -> np.ndarray:
    """How much each of several sorted values counts.

    Args:
        weights: (b, m), in the order of the values.
        cumulative: see `sorted_interval`.

    Returns:
        Shares (b, m), each row summing to 1.
    """
    reached = np.cumsum(weights, -1)
    reached[:, -1] = 1.0  # without the rounding of the sum
    nothing = np.zeros((len(reached), 1))
    return np.diff(cumulative(reached), axis=-1, prepend=cumulative(nothing))


def weighted_sum(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Sums (cells, b) of values (cells, m), also infinite ones, by how much each counts (b, m).

    A sum in which both inf and -inf count is nan.
    """
    is_finite = np.isfinite(values)
    finite = np.where(is_finite, values, 0.0)
    total = finite @ counted.T
    if is_finite.all():
        return total

    # Where infinite values count
    takes_part = (counted > 0).astype(float).T
    is_inf = (values == np.inf).astype(float)
    is_minus_inf = (values == -np.inf).astype(float)
    up = is_inf @ takes_part > 0
    down = is_minus_inf @ takes_part > 0

    total = np.where(up, np.inf, total)
    total = np.where(down, -np.inf, total)
    return np.where(up & down, np.nan, total)


def sorted_draws(
    values: np.ndarray, weights: np.ndarray, cumulative: Cumulative, bounds: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Results for one sample, the unseen seed at its lowest and at its highest.

    Samples on the same seeds, drawn with the same weights, stay paired, because seeds keep their
    weights.

    Args:
        values: (n,), one for each seed.
        weights: (b, n + 1), the last column that of the unseen seed.
        cumulative: see `sorted_interval`.
        bounds: the lowest and the highest value of the unseen seed.

    Returns:
        Two arrays (b,).
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    seen = weights[:, :-1][:, order]
    unseen = weights[:, -1:]

    # The unseen seed is the lowest
    least, most = bounds
    with_least = np.concatenate([[least], ordered])
    weights = np.concatenate([unseen, seen], -1)
    counted = counted_shares(weights, cumulative)
    (low,) = weighted_sum(with_least[None], counted)

    # The unseen seed is the highest
    with_most = np.concatenate([ordered, [most]])
    weights = np.concatenate([seen, unseen], -1)
    counted = counted_shares(weights, cumulative)
    (high,) = weighted_sum(with_most[None], counted)
    return low, high


def difference_interval(
    x: np.ndarray,
    y: np.ndarray,
    cumulative: Cumulative,
    bounds: tuple[float, float],
    level: float,
    resamples: int,
    rng: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of the result of x less that of y, two samples (n,) on the same seeds.

    The arguments are those of `sorted_interval`.
    """
    below, above = [], []
    # inf - inf is nan, which `tail_ends` takes as unknown
    with np.errstate(invalid="ignore"):
        for weights in seed_weights(len(x), resamples, rng):
            x_low, x_high = sorted_draws(x, weights, cumulative, bounds)
            y_low, y_high = sorted_draws(y, weights, cumulative, bounds)
            below.append(x_low - y_high)
            above.append(x_high - y_low)
    return tail_ends(np.concatenate(below), np.concatenate(above), level)


# ---- all pairs -----------------------------------------------------------------------------------


def pairs_interval(
    x: np.ndarray, y: np.ndarray, level: float, resamples: int, rng: int = 0
) -> tuple[float, float]:
    """Interval of P(x < y) + P(x = y) / 2 over any two seeds.

    Args:
        x: (n,), a sample.
        y: (n,), another one on the same seeds.
        level: probability of covering.
        resamples: number of draws.
        rng: seed of the draws.
    """
    # How many y are below each x, and how many are not above it
    n = len(x)
    order = np.argsort(y, kind="stable")
    ordered = y[order]
    below = np.searchsorted(ordered, x, "left")
    not_above = np.searchsorted(ordered, x, "right")

    low, high = [], []
    for weights in seed_weights(n, resamples, rng):
        # The weight of the k lowest y, for k from 0 to n
        seen = weights[:, :n]
        nothing = np.zeros((len(seen), 1))
        cumulated = np.cumsum(seen[:, order], -1)
        reached = np.concatenate([nothing, cumulated], -1)
        whole = reached[:, -1:]

        # The weight of all pairs of seeds that were seen in which x < y; of equal ones one half
        lost = (reached[:, below] + reached[:, not_above]) / 2
        won = seen * (whole - lost)
        won = won.sum(-1)
        low.append(won)
        # The unseen seed is part of all other pairs, whose weights fill up to 1
        high.append(won + 1 - whole[:, 0] ** 2)
    below_draws = np.concatenate(low)
    above_draws = np.concatenate(high)
    least, most = tail_ends(below_draws, above_draws, level)
    return max(float(least), 0.0), min(float(most), 1.0)
