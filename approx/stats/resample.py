"""Bootstrap resamples shared by all cells of a grid, and by the two sides of a paired comparison.

A resample draws n seeds with replacement (B. Efron, Annals of Statistics 7, 1979). The same draws serve every cell:
sums over resamples of 10^4 cells are then one matrix product, and what shares a seed stays together.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import special

from approx.stats.intervals import check_level, quantile_of_sorted

DRAWS_AT_ONCE = 2**24  # 128 MB of int64: what bounds memory where there are a million seeds
CELLS_AT_ONCE = 4096


def draws(n: int, resamples: int, rng: int = 0, at_once: int = DRAWS_AT_ONCE) -> Iterator[np.ndarray]:
    """Yield blocks (b, n) of seed positions, one row for each resample; the same numbers as `scipy.stats.bootstrap`."""
    generator = np.random.default_rng(rng)
    block = max(1, at_once // max(n, 1))
    for start in range(0, resamples, block):
        yield generator.integers(0, n, (min(block, resamples - start), n))


def weights(drawn: np.ndarray) -> np.ndarray:
    """How often each seed was drawn: (b, n) counts from (b, n) positions; each row sums to n."""
    b, n = drawn.shape
    flat = drawn + n * np.arange(b)[:, None]
    return np.bincount(flat.ravel(), minlength=b * n).reshape(b, n).astype(float)


def resampled_sums(columns: tuple[np.ndarray, ...], resamples: int, rng: int = 0) -> list[np.ndarray]:
    """Sums over the seeds of each resample: arrays (cells, resamples) from arrays (cells, n), all by the same draws."""
    cells, n = columns[0].shape
    sums = [np.empty((cells, resamples)) for _ in columns]
    done = 0
    for drawn in draws(n, resamples, rng):
        counts = weights(drawn).T
        for total, column in zip(sums, columns, strict=True):
            np.matmul(column, counts, out=total[:, done : done + len(drawn)])
        done += len(drawn)
    return sums


def resampled(
    statistic: Callable[[np.ndarray], np.ndarray], values: np.ndarray, resamples: int, rng: int
) -> np.ndarray:
    """A statistic that is no sum, on each resample: (..., resamples) from values (..., n).

    `statistic` reduces the last axis. Leading axes share the draws, so two recipes stay paired.
    """
    n = values.shape[-1]
    at_once = DRAWS_AT_ONCE // max(1, values[..., :1].size)
    return np.concatenate([statistic(values[..., drawn]) for drawn in draws(n, resamples, rng, at_once)], -1)


def percentile_interval(samples: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval along the last axis; infinite samples count, and nan (inf - inf, inf / inf) at either end.

    What is undefined in a resample could have been anything, so it widens the interval on both sides.
    """
    tail = (1 - check_level(level)) / 2
    ends = []
    for q, undefined in ((tail, -np.inf), (1 - tail, np.inf)):
        filled = np.where(np.isnan(samples), undefined, samples)
        below = int(np.floor(q * (samples.shape[-1] - 1)))
        ranks = [below, min(below + 1, samples.shape[-1] - 1)]
        ends.append(quantile_of_sorted(np.partition(filled, ranks, axis=-1), q))
    return ends[0], ends[1]


def bca_interval(
    func: Callable[..., np.ndarray], columns: tuple[np.ndarray, ...], level: float, resamples: int, rng: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A function of sums over seeds, with its bias-corrected and accelerated bootstrap interval.

    The percentiles taken are moved by the bias z0 (where the estimate lies among the resamples) and the acceleration a
    (skewness of the leave-one-out values): B. Efron, JASA 82, 1987; the same numbers as `scipy.stats.bootstrap`.
    Ratios such as the expected running time need it: plain percentiles covered 93.4 to 94.9% where this covered
    94.1 to 95.1% (n = 100 and 256, 4,000 simulations each).

    Args:
        func: from sums (cells, any) to the statistic (cells, any).
        columns: arrays (cells, n), n >= 2.
        level: probability of covering.
        resamples: number of resamples.
        rng: seed of the resamples.

    Returns:
        The estimate, the lower and the upper end, each (cells,).
    """
    totals = [column.sum(-1, keepdims=True) for column in columns]
    estimate = func(*totals)
    samples = func(*resampled_sums(columns, resamples, rng))
    undefined = np.isnan(samples)
    left_out = func(*(total - column for total, column in zip(totals, columns, strict=True)))
    acceleration = _acceleration(left_out)
    ends = []
    for q, stand_in in (((1 - check_level(level)) / 2, -np.inf), ((1 + level) / 2, np.inf)):
        ordered = np.sort(np.where(undefined, stand_in, samples), -1)
        below = np.count_nonzero(ordered < estimate, -1) + np.count_nonzero(ordered <= estimate, -1)
        bias = special.ndtri(np.clip(below / (2 * resamples), 0.5 / resamples, 1 - 0.5 / resamples))
        shifted = bias + special.ndtri(q)
        ends.append(_quantiles(ordered, special.ndtr(bias + shifted / (1 - acceleration * shifted))))
    return estimate[:, 0], ends[0], ends[1]


def _acceleration(left_out: np.ndarray) -> np.ndarray:
    """Skewness of the jackknife over 6; 0 where a value left out is not finite or all are equal."""
    usable = np.isfinite(left_out).all(-1)
    values = np.where(usable[:, None], left_out, 0.0)
    deviation = values.mean(-1, keepdims=True) - values
    spread = (deviation**2).sum(-1)
    return np.where(spread > 0, (deviation**3).sum(-1) / (6 * np.where(spread > 0, spread, 1) ** 1.5), 0.0)


def _quantiles(ordered: np.ndarray, q: np.ndarray) -> np.ndarray:
    """One quantile per row of sorted samples (cells, b), interpolated linearly; infinite values stay so."""
    position = np.clip(q, 0, 1) * (ordered.shape[-1] - 1)
    below = np.floor(position).astype(int)
    pick = np.arange(len(ordered))
    a, b = ordered[pick, below], ordered[pick, np.minimum(below + 1, ordered.shape[-1] - 1)]
    part = position - below
    with np.errstate(invalid="ignore"):  # inf - inf, replaced on the next line
        between = a + (b - a) * part
    return np.where((a == b) | (part == 0) | np.isneginf(a), a, between)


def by_chunks(func: Callable[..., tuple[np.ndarray, ...]], *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """Call `func` on arrays (cells, n) made of arrays (..., n), some thousand cells at a time; results (..., *rest)."""
    shape = arrays[0].shape[:-1]
    cells = int(np.prod(shape))
    flat = [np.broadcast_to(array, arrays[0].shape).reshape(cells, arrays[0].shape[-1]) for array in arrays]
    starts = range(0, max(cells, 1), CELLS_AT_ONCE)
    parts = [func(*(array[start : start + CELLS_AT_ONCE] for array in flat)) for start in starts]
    joined = (np.concatenate(column) for column in zip(*parts, strict=True))
    return tuple(column.reshape((*shape, *column.shape[1:])) for column in joined)
