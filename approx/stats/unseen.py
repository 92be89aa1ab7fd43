"""Intervals that allow for what was not seen: seeds get random weights, and one more seed joins.

The share of all trainings that lie between two neighbouring values of a sample of n is random: the
n + 1 shares are spacings of uniform numbers, which are exponential numbers divided by their sum. So
each draw gives every seed a weight, and one weight to a seed that was not seen. For the upper end
the unseen seed takes the value that makes the result largest, for the lower end the one that makes
it smallest; the ends are quantiles of the results over the draws.

Of a share this is Clopper and Pearson's interval, of a quantile the one by order statistics (both
never cover less often than their level), of a mean N. Gaffke's (Mathematical Methods of Statistics
14, 2005), which is not proven to keep its level but for which no distribution is known where it
fails (E. Learned-Miller and P. Thomas, 2020; M. Phan, P. Thomas and E. Learned-Miller, ICML 2021).
A bootstrap has no unseen seed: if all seeds agree, it says that all trainings would.

`experiments/coverage.py` measures all of them; see `experiments/summaries/coverage.md`.

Shapes: n is the number of seeds, b the number of draws, `cells` the cells of a grid.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from approx.stats.intervals import check_level

MANY = 2**14  # seeds above which equal ones are drawn together
DRAWS_AT_ONCE = 2**23  # 64 MB of float64
LEAST_BEYOND = 200  # draws beyond both ends together, which place a tail to within some 10%


def seed_weights(n: int, resamples: int, rng: int = 0) -> Iterator[np.ndarray]:
    """Draw weights of n seeds and of one that was not seen.

    Yields:
        Blocks (b, n + 1) of all `resamples` draws. Each row sums to 1; the last column is the seed
        that was not seen.
    """
    generator = np.random.default_rng(rng)
    for size in _blocks(resamples, n + 1):
        drawn = generator.standard_exponential((size, n + 1))
        yield drawn / drawn.sum(-1, keepdims=True)


def _blocks(resamples: int, numbers: int) -> Iterator[int]:
    """Sizes of blocks of draws, of so many numbers each, that fit into memory."""
    block = max(1, DRAWS_AT_ONCE // numbers)
    for start in range(0, resamples, block):
        yield min(block, resamples - start)


def tail_ends(below: np.ndarray, above: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """The ends of an interval from draws of its two sides.

    Of B draws an end is the k-th from the outside, k = floor((B + 1) tail); it is infinite if k is
    0, because too few draws tell nothing of such a tail. What is undefined (nan) could be anything,
    so it widens the interval.

    Args:
        below: draws (..., B) whose lower tail gives the lower end.
        above: draws (..., B) whose upper tail gives the upper end.
        level: probability of covering.

    Returns:
        The lower and the upper end, (...).
    """
    tail = (1 - check_level(level)) / 2
    draws = below.shape[-1]
    rank = (draws + 1) * tail
    rank = int(np.floor(rank + 1e-9))  # 39.99999999 is 40 in another rounding
    if rank < 1:
        shape = below.shape[:-1]
        unbounded = np.full(shape, np.inf)
        return -unbounded, unbounded
    return _kth_lowest(below, rank), _kth_highest(above, rank)


def _kth_lowest(draws: np.ndarray, k: int) -> np.ndarray:
    """The k-th lowest number along the last axis, from 1; nan counts as -inf."""
    known = np.where(np.isnan(draws), -np.inf, draws)
    place = k - 1
    return np.partition(known, place, -1)[..., place]


def _kth_highest(draws: np.ndarray, k: int) -> np.ndarray:
    """The k-th highest number along the last axis, from 1; nan counts as inf."""
    known = np.where(np.isnan(draws), np.inf, draws)
    place = draws.shape[-1] - k
    return np.partition(known, place, -1)[..., place]


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
    sums, weight = weighted_means(columns, resamples, rng)

    # The results of all draws with the unseen seed at each extreme
    drawn = np.stack([func(*_with_unseen(sums, weight, extreme)) for extreme in unseen])

    # The lowest and the highest of these; what is undefined could be anything
    is_unknown = np.isnan(drawn)
    lowest = np.where(is_unknown, -np.inf, drawn)
    highest = np.where(is_unknown, np.inf, drawn)
    return tail_ends(lowest.min(0), highest.max(0), level)


def _with_unseen(
    sums: Sequence[np.ndarray], weight: np.ndarray, extreme: Sequence[np.ndarray | float]
) -> list[np.ndarray]:
    """The weighted means of all columns if the unseen seed has the values `extreme`."""
    return [seen + weight * value for seen, value in zip(sums, extreme, strict=True)]


def weighted_means(
    columns: Sequence[np.ndarray], resamples: int, rng: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """Weighted sums over the seeds that were seen.

    Args:
        columns: arrays (cells, n).
        resamples: number of draws.
        rng: seed of the draws.

    Returns:
        The sums (cells, resamples) for each column, and the weight of the unseen seed, (cells,
        resamples) or (1, resamples).
    """
    n = columns[0].shape[-1]
    if n > MANY:
        return _weighted_means_by_cell(columns, resamples, rng)

    sums: list[list[np.ndarray]] = [[] for _ in columns]
    weights = []
    for block in seed_weights(n, resamples, rng):
        seen = block[:, :n]
        unseen = block[:, n]
        for collected, column in zip(sums, columns, strict=True):
            collected.append(column @ seen.T)
        weights.append(unseen)
    joined = [np.concatenate(parts, -1) for parts in sums]
    return joined, np.concatenate(weights)[None]


def _weighted_means_by_cell(
    columns: Sequence[np.ndarray], resamples: int, rng: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """The same for many seeds, cell by cell: seeds that are equal in a cell are drawn together."""
    tables = np.stack(columns, -1)
    rows = [_means_of_equal(table, resamples, rng) for table in tables]
    weights = np.stack([weight for _, weight in rows])
    sums = []
    for j in range(len(columns)):
        of_column = [means[:, j] for means, _ in rows]
        sums.append(np.stack(of_column))
    return sums, weights


def _means_of_equal(table: np.ndarray, resamples: int, rng: int) -> tuple[np.ndarray, np.ndarray]:
    """Weighted sums of one cell, where k equal seeds share a weight: a gamma number of shape k.

    Args:
        table: (n, columns).
        resamples: number of draws.
        rng: seed of the draws.

    Returns:
        The sums (resamples, columns), and the weight of the unseen seed (resamples,).
    """
    different, counts = np.unique(table, axis=0, return_counts=True)
    groups = len(counts)
    generator = np.random.default_rng(rng)
    sums, unseen = [], []
    for size in _blocks(resamples, groups):
        weights = generator.standard_gamma(counts, (size, groups))
        alone = generator.standard_exponential(size)

        # Weights of one draw sum to 1
        total = weights.sum(-1) + alone
        sums.append(weights @ different / total[:, None])
        unseen.append(alone / total)
    return np.concatenate(sums), np.concatenate(unseen)


def bounded_mean_interval(
    early: np.ndarray,
    late: np.ndarray,
    bounds: tuple[float, float],
    level: float,
    resamples: int,
    rng: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a mean of numbers that are known to lie between `early` and `late`.

    Args:
        early: (cells, n), the least that each number can be.
        late: (cells, n), the most.
        bounds: the least and the largest value of any number.
        level: probability of covering.
        resamples: number of draws.
        rng: seed of the draws.

    Returns:
        The lower and the upper end, each (cells,).
    """
    least, most = bounds
    low, _ = means_interval(_same, [early], [(least,)], level, resamples, rng)
    _, high = means_interval(_same, [late], [(most,)], level, resamples, rng)
    low = np.clip(low, least, most)
    high = np.clip(high, least, most)
    return low, high


def _same(mean: np.ndarray) -> np.ndarray:
    """The mean itself, as a function of means."""
    return mean


# ---- differences of shares -----------------------------------------------------------------------


def shares_difference_interval(
    only_a: np.ndarray, only_b: np.ndarray, n: int, level: float, rng: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of P(only a succeeds) - P(only b succeeds).

    The unseen seed succeeds with b alone for the lower end, with a alone for the upper one.

    Args:
        only_a: on how many of the n seeds a alone succeeded, any shape.
        only_b: on how many b alone did.
        n: seeds.
        level: probability of covering.
        rng: seed of the draws.

    Returns:
        The lower and the upper end, in the shape of the counts.
    """
    both = np.broadcast_arrays(only_a, only_b)
    counts = np.stack(both).astype(float)
    shape = counts.shape[1:]

    # Always drawn with the larger count first: if a and b are exchanged, the interval then changes
    # its sign and nothing else
    is_exchanged = counts[0] < counts[1]
    larger_first = np.sort(counts.reshape(2, -1), axis=0)[::-1]

    # Each pair of counts once
    different, place = np.unique(larger_first, axis=1, return_inverse=True)
    ends = [_shares_difference(a, b, n, level, rng) for a, b in different.T.tolist()]
    table = np.array(ends).reshape(-1, 2)[place]
    low = table[:, 0].reshape(shape)
    high = table[:, 1].reshape(shape)

    lower_end = np.where(is_exchanged, -high, low)
    upper_end = np.where(is_exchanged, -low, high)
    return lower_end, upper_end


def _shares_difference(
    only_a: float, only_b: float, n: int, level: float, rng: int
) -> tuple[float, float]:
    """The interval for one pair of counts."""
    beyond = 1 - check_level(level)
    resamples = int(np.ceil(LEAST_BEYOND / beyond)) - 1

    # The weights of all seeds that share an outcome, and of the unseen seed
    others = n - only_a - only_b
    shapes = np.array([only_a, only_b, others])
    weights = np.random.default_rng(rng).standard_gamma(shapes, (resamples, 3))
    unseen = np.random.default_rng([rng, 1]).standard_exponential(resamples)

    difference = weights[:, 0] - weights[:, 1]
    total = weights.sum(-1) + unseen
    below = (difference - unseen) / total
    above = (difference + unseen) / total
    low, high = tail_ends(below, above, level)
    # With equal counts the interval is symmetric, but for the chance of the draws
    if only_a == only_b:
        high = max(high, -low)
        low = -high
    return float(low), float(high)
