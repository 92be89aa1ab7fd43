"""Intervals that reckon with what was not seen: the seeds weighted at random, and one more seed,
the worst or the best.

The share of all trainings that lie between two neighbouring values of a sample of n is random: the
n + 1 shares are spacings of uniform numbers, which are exponential numbers divided by their sum. So
each draw gives every seed a weight, and one weight to a seed that was not seen. For the upper end
the unseen seed takes the value that makes the result largest, for the lower end the one that makes
it smallest; the ends are quantiles of the results over the draws.

Of a share this is Clopper and Pearson's interval, of a quantile that by order statistics (both
never below their level), of a mean N. Gaffke's (Mathematical Methods of Statistics 14, 2005), which
is not proven to keep its level but for which no distribution is known where it fails (E.
Learned-Miller and P. Thomas, 2020; M. Phan, P. Thomas and E. Learned-Miller, ICML 2021). A
bootstrap has no unseen seed: of seeds that agree it says that all would.

`experiments/coverage.py` measures all of them; see `experiments/summaries/coverage.md`.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from approx.stats.intervals import check_level

MANY = 2**14  # seeds above which equal ones are drawn together
DRAWS_AT_ONCE = 2**23  # 64 MB of float64
LEAST_BEYOND = 200  # draws beyond both ends together, which place a tail to within some 10%

Cumulative = Callable[[np.ndarray], np.ndarray]


def seed_weights(n: int, resamples: int, rng: int = 0) -> Iterator[np.ndarray]:
    """Yield blocks (b, n + 1) of weights, each row summing to 1; the last column is the seed that
    was not seen.
    """
    generator = np.random.default_rng(rng)
    block = max(1, DRAWS_AT_ONCE // (n + 1))
    for start in range(0, resamples, block):
        drawn = generator.standard_exponential((min(block, resamples - start), n + 1))
        yield drawn / drawn.sum(-1, keepdims=True)


def tail_ends(below: np.ndarray, above: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles along the last axis: of `below` at the lower tail, of `above` at the upper one.

    Of B draws the k-th from the end, k = floor((B + 1) tail); -inf and inf where that is none,
    because too few draws tell nothing of such a tail. What is undefined (nan) could be anything, so
    it widens the interval.
    """
    tail = (1 - check_level(level)) / 2
    draws = below.shape[-1]
    rank = int(np.floor((draws + 1) * tail + 1e-9))
    if rank < 1:
        return np.full(below.shape[:-1], -np.inf), np.full(below.shape[:-1], np.inf)
    low = np.partition(np.where(np.isnan(below), -np.inf, below), rank - 1, -1)[..., rank - 1]
    high = np.partition(np.where(np.isnan(above), np.inf, above), draws - rank, -1)[
        ..., draws - rank
    ]
    return low, high


# ---- functions of means --------------------------------------------------------------------------


def means_interval(
    func: Callable[..., np.ndarray],
    columns: Sequence[np.ndarray],
    unseen: Sequence[Sequence[np.ndarray | float]],
    level: float,
    resamples: int,
    rng: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a function of means over seeds.

    Args:
        func: from means (cells, any), one for each column, to the result (cells, any).
        columns: arrays (cells, n) of finite numbers.
        unseen: what the seed that was not seen may be, the extremes: one value for each column, a
            number or (cells, 1).
        level: probability of covering.
        resamples: number of draws.
        rng: seed of the draws.

    Returns:
        The lower and the upper end, each (cells,).
    """
    means, unknown = weighted_means(columns, resamples, rng)
    results = np.stack(
        [
            func(*(mean + unknown * value for mean, value in zip(means, one, strict=True)))
            for one in unseen
        ]
    )
    lowest = np.where(np.isnan(results), -np.inf, results).min(0)
    highest = np.where(np.isnan(results), np.inf, results).max(0)
    return tail_ends(lowest, highest, level)


def weighted_means(
    columns: Sequence[np.ndarray], resamples: int, rng: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """Weighted sums over the seen seeds, (cells, resamples) for each column, and the weight of the
    unseen one.
    """
    cells, n = columns[0].shape
    if n > MANY:
        rows = [
            _means_of_equal(np.stack([c[i] for c in columns], -1), resamples, rng)
            for i in range(cells)
        ]
        sums = [np.stack([row[0][:, j] for row in rows]) for j in range(len(columns))]
        return sums, np.stack([row[1] for row in rows])
    blocks = seed_weights(n, resamples, rng)
    parts = [([c @ block[:, :n].T for c in columns], block[:, n]) for block in blocks]
    sums = [np.concatenate([part[0][j] for part in parts], -1) for j in range(len(columns))]
    return sums, np.concatenate([part[1] for part in parts])[None]


def _means_of_equal(table: np.ndarray, resamples: int, rng: int) -> tuple[np.ndarray, np.ndarray]:
    """The same for one cell (n, columns), where equal seeds share a weight: a gamma number of as
    many.
    """
    different, counts = np.unique(table, axis=0, return_counts=True)
    generator = np.random.default_rng(rng)
    block = max(1, DRAWS_AT_ONCE // len(counts))
    means, unknown = [], []
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        weights = generator.standard_gamma(counts, (size, len(counts)))
        alone = generator.standard_exponential(size)
        total = weights.sum(-1) + alone
        means.append(weights @ different / total[:, None])
        unknown.append(alone / total)
    return np.concatenate(means), np.concatenate(unknown)


def bounded_mean_interval(
    early: np.ndarray,
    late: np.ndarray,
    bounds: tuple[float, float],
    level: float,
    resamples: int,
    rng: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Interval (cells,) of a mean of numbers within bounds, each known to lie between `early` and
    `late` (cells, n).
    """
    low, _ = means_interval(lambda mean: mean, [early], [(bounds[0],)], level, resamples, rng)
    _, high = means_interval(lambda mean: mean, [late], [(bounds[1],)], level, resamples, rng)
    return np.clip(low, *bounds), np.clip(high, *bounds)


def shares_difference_interval(
    only_a: np.ndarray, only_b: np.ndarray, n: int, level: float, rng: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of P(only a) - P(only b) from how many of n seeds succeed with a alone and with b
    alone, any shape.

    The unseen seed succeeds with b alone for the lower end, with a alone for the upper one.
    """
    counts = np.stack(np.broadcast_arrays(only_a, only_b)).astype(float)
    # Drawn the other way round, so that the interval only changes its sign
    exchanged = counts[0] < counts[1]
    larger_first = np.sort(counts.reshape(2, -1), axis=0)[::-1]
    different, place = np.unique(larger_first, axis=1, return_inverse=True)
    resamples = int(np.ceil(LEAST_BEYOND / (1 - check_level(level)))) - 1
    low, high = np.empty(different.shape[1]), np.empty(different.shape[1])
    for i, (a, b) in enumerate(different.T.tolist()):
        shapes = np.array([a, b, n - a - b])
        drawn = np.random.default_rng(rng).standard_gamma(shapes, (resamples, 3))
        alone = np.random.default_rng([rng, 1]).standard_exponential(resamples)
        difference, total = drawn[:, 0] - drawn[:, 1], drawn.sum(-1) + alone
        low[i], high[i] = tail_ends(
            (difference - alone) / total, (difference + alone) / total, level
        )
        if a == b:
            high[i] = max(high[i], -low[i])
            low[i] = -high[i]
    low, high = (end[place].reshape(exchanged.shape) for end in (low, high))
    return np.where(exchanged, -high, low), np.where(exchanged, -low, high)


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
    ordered = np.sort(values, -1)
    below = np.concatenate([np.full((cells, 1), bounds[0]), ordered], -1)
    above = np.concatenate([ordered, np.full((cells, 1), bounds[1])], -1)
    parts = []
    for block in seed_weights(n, resamples, rng):
        counted = counted_shares(block, cumulative)
        parts.append([weighted_sum(below, counted), weighted_sum(above, counted)])
    low, high = (np.concatenate(part, -1) for part in zip(*parts, strict=True))
    return tail_ends(low, high, level)


def counted_shares(weights: np.ndarray, cumulative: Cumulative) -> np.ndarray:
    """How much each of several sorted values counts, (b, m) from weights (b, m) in the same order."""
    reached = np.cumsum(weights, -1)
    reached[:, -1] = 1.0  # without the rounding of the sum
    return np.diff(cumulative(reached), axis=-1, prepend=cumulative(np.zeros((len(reached), 1))))


def weighted_sum(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Sums (cells, b) of values (cells, m), also infinite ones, by how much each counts (b, m)."""
    finite = np.where(np.isfinite(values), values, 0.0)
    total = finite @ counted.T
    if np.isfinite(values).all():
        return total
    counts = (counted > 0).astype(float).T
    up, down = (
        (values == np.inf).astype(float) @ counts > 0,
        (values == -np.inf).astype(float) @ counts > 0,
    )
    undefined = np.where(up & down, np.nan, total)
    return np.where(up & ~down, np.inf, np.where(down & ~up, -np.inf, undefined))


def sorted_draws(
    values: np.ndarray, weights: np.ndarray, cumulative: Cumulative, bounds: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Results (b,) for one sample (n,), the unseen seed at its lowest and at its highest; seeds
    keep their weights.

    Samples on the same seeds, drawn with the same `weights` (b, n + 1), stay paired.
    """
    order = np.argsort(values, kind="stable")
    seen, unseen = weights[:, :-1][:, order], weights[:, -1:]
    ordered = values[order]
    below = np.concatenate([[bounds[0]], ordered])[None]
    above = np.concatenate([ordered, [bounds[1]]])[None]
    low = weighted_sum(below, counted_shares(np.concatenate([unseen, seen], -1), cumulative))
    high = weighted_sum(above, counted_shares(np.concatenate([seen, unseen], -1), cumulative))
    return low[0], high[0]


def difference_interval(
    x: np.ndarray,
    y: np.ndarray,
    cumulative: Cumulative,
    bounds: tuple[float, float],
    level: float,
    resamples: int,
    rng: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of the result of x less that of y, two samples (n,) on the same seeds; see
    `sorted_interval`.
    """
    below, above = [], []
    with np.errstate(invalid="ignore"):  # inf - inf is nan, which `tail_ends` takes as unknown
        for weights in seed_weights(len(x), resamples, rng):
            (x_low, x_high), (y_low, y_high) = (
                sorted_draws(z, weights, cumulative, bounds) for z in (x, y)
            )
            below.append(x_low - y_high)
            above.append(x_high - y_low)
    return tail_ends(np.concatenate(below), np.concatenate(above), level)


# ---- all pairs -----------------------------------------------------------------------------------


def pairs_interval(
    x: np.ndarray, y: np.ndarray, level: float, resamples: int, rng: int = 0
) -> tuple[float, float]:
    """Interval of P(x < y) + P(x = y) / 2 over any two seeds, from two samples (n,) on the same
    seeds.
    """
    n = len(x)
    order = np.argsort(y, kind="stable")
    ranks = [np.searchsorted(y[order], x, side) for side in ("left", "right")]
    low, high = [], []
    for weights in seed_weights(n, resamples, rng):
        seen = weights[:, :n]
        reached = np.concatenate([np.zeros((len(seen), 1)), np.cumsum(seen[:, order], -1)], -1)
        whole = reached[:, -1:]
        lost = (reached[:, ranks[0]] + reached[:, ranks[1]]) / 2
        won = (seen * (whole - lost)).sum(-1)
        low.append(won)
        high.append(won + 1 - whole[:, 0] ** 2)  # every pair that holds the unseen seed
    pair_ends = tail_ends(np.concatenate(low), np.concatenate(high), level)
    return max(float(pair_ends[0]), 0.0), min(float(pair_ends[1]), 1.0)
