"""The values reached, such as final losses: quantiles and robust means.

A training that diverged takes the worst value there is (+inf for a loss, -inf for an accuracy), so
that nothing is dropped.
"""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from approx.stats.intervals import (
    at_rank,
    check_probabilities,
    order_quantile,
    quantile_of_sorted,
    rank_interval,
)
from approx.stats.labels import Over, final, reduce, reduce_in_chunks, variable, worst_value
from approx.stats.resample import stacked
from approx.stats.unseen_sorted import (
    share_mean,
    share_median,
    share_middle,
    sorted_interval,
)

Statistic = Callable[[np.ndarray], np.ndarray]


def quantiles(
    runs: xr.Dataset,
    of: str = "loss",
    q: Sequence[float] | float = (0.05, 0.25, 0.5, 0.75, 0.95),
    over: Over = "seed",
    level: float = 0.95,
    worst: float | None = None,
) -> xr.Dataset:
    """Quantiles over seeds at every record; nan counts as the worst value.

    A quantile is one of the seeds' values: the least value that a share q of them does not exceed
    (see `order_quantiles`). Seeds that diverged therefore do no harm. The ends of the interval are
    such values too (see `rank_interval`). The interval covers with at least the given probability;
    its ends are -inf or inf where the sample is too small to bound the quantile.

    Args:
        runs: variables over (..., seed, ...).
        of: the variable.
        q: probabilities from 0 to 1.
        over: the dimension or dimensions of the sample.
        level: probability of covering.
        worst: what nan stands for; by default inf, and -inf for an accuracy.

    Returns:
        A variable named as `of`, `low`, `high`, `n` over (..., quantile).

    Raises:
        ValueError: a probability outside [0, 1], no such variable.

    Example:
        >>> stats.quantiles(runs, "loss", 0.5)
    """
    probabilities = np.atleast_1d(np.asarray(q, float))
    check_probabilities(probabilities)
    stand_in = worst_value(of, worst)

    def sample_quantiles(values: np.ndarray) -> tuple[np.ndarray, ...]:
        filled = np.where(np.isnan(values), stand_in, values)
        ordered = np.sort(filled, -1)
        n = ordered.shape[-1]
        columns = []
        for p in probabilities.tolist():
            first, last = -1, n  # these ranks stand for -inf and inf
            if 0 < p < 1:
                first, last = rank_interval(n, p, level)
            estimate = order_quantile(ordered, p)
            low = at_rank(ordered, first)
            high = at_rank(ordered, last)
            columns.append((estimate, low, high))
        estimate, low, high = stacked(columns)
        return estimate, low, high, np.full(low.shape, n)

    value = variable(runs, of)
    names = (of, "low", "high", "n")
    new = {"quantile": probabilities}
    result = reduce(sample_quantiles, value, over=over, names=names, new=new)
    result.attrs = {"of": of, "level": level}
    return result


# ---- one statistic of the last values ------------------------------------------------------------


def mean(values: np.ndarray) -> np.ndarray:
    """Arithmetic mean along the last axis; one diverged seed makes it infinite."""
    return values.mean(-1)


def median(values: np.ndarray) -> np.ndarray:
    """Median along the last axis, infinite values allowed."""
    return quantile_of_sorted(np.sort(values, -1), 0.5)


def interquartile_mean(values: np.ndarray) -> np.ndarray:
    """Mean of the middle half along the last axis.

    As `scipy.stats.trim_mean(x, 0.25)` does, it leaves out floor(n / 4) values at either end.
    """
    n = values.shape[-1]
    cut = n // 4
    ordered = np.sort(values, -1)
    return ordered[..., cut : n - cut].mean(-1)


STATISTICS: dict[str, Statistic] = {"iqm": interquartile_mean, "median": median, "mean": mean}

# For each statistic, how much a share u of lowest seeds contributes to it
SHARES = {"iqm": share_middle, "median": share_median, "mean": share_mean}


def possible(values: np.ndarray, of: str, worst: float | None) -> tuple[float, float]:
    """The smallest and the largest value that a seed could have, for the seed that was not seen.

    The worst value is what nan stands for. The best one is 0 for losses and errors and 1 for
    accuracies. A bound that one of the values lies beyond is replaced by -inf or inf, and so is the
    best value of any other variable.
    """
    low, high = _usual_range(of, worst_value(of, worst))
    finite = values[np.isfinite(values)]
    if (finite < low).any():
        low = -np.inf
    if (finite > high).any():
        high = np.inf
    return low, high


def _usual_range(of: str, extreme: float) -> tuple[float, float]:
    """The range of a variable by its name, where `extreme` is its worst value."""
    if "accuracy" in of:
        return extreme, 1.0
    if extreme < 0:
        return extreme, np.inf
    if "loss" in of or "error" in of:
        return 0.0, extreme
    return -np.inf, extreme


def check_statistic(statistic: str) -> Statistic:
    """The function behind a name, or a ValueError that lists the names."""
    if statistic not in STATISTICS:
        raise ValueError(f"statistic must be one of {', '.join(STATISTICS)}; got {statistic!r}")
    return STATISTICS[statistic]


def aggregate(
    runs: xr.Dataset,
    of: str = "test_loss",
    statistic: str = "iqm",
    over: Over = "seed",
    level: float = 0.95,
    resamples: int = 1000,
    rng: int = 0,
    worst: float | None = None,
) -> xr.Dataset:
    """Interquartile mean, median or mean of the last value over seeds, with an interval.

    R. Agarwal et al. (NeurIPS 2021) recommend the interquartile mean: it is less noisy than the
    median, and a few seeds do not rule it as they rule the mean. It is infinite when more than a
    quarter of the seeds diverged.

    The interval reckons with one more seed at the best or worst value there could be (see
    `unseen`). For the median this is the interval by order statistics. Losses and errors are at
    least 0, accuracies at most 1, and the worst value is `worst`. A mean of losses without a
    largest value has no interval at any number of seeds, as rare seeds that were not seen may be
    arbitrarily large (R. Bahadur and L. Savage, Annals of Mathematical Statistics 27, 1956): its
    upper end is inf. Give `worst`, or take the median or the interquartile mean. Of few seeds those
    are unbounded too: the median below 6, the interquartile mean below about 12. On a grid the
    intervals of `quantiles` are faster.

    Args:
        runs: variables over (..., seed, step), or (..., seed) after `pick`.
        of: the variable.
        statistic: "iqm", "median" or "mean".
        over: the dimension or dimensions of the sample.
        level: probability of covering.
        resamples: number of draws of the weights of seeds.
        rng: seed of the draws.
        worst: what nan stands for; by default inf, and -inf for an accuracy.

    Returns:
        `value` (the statistic that was asked for), `low`, `high`, `n`; -inf and inf where the
        interval has no such end.

    Raises:
        ValueError: an unknown statistic, no such variable.

    Example:
        >>> stats.aggregate(runs, "test_loss", "median")
    """
    func = check_statistic(statistic)
    shares = SHARES[statistic]
    stand_in = worst_value(of, worst)
    value = final(runs, of)
    bounds = possible(value.values, of, worst)

    def chunk(values: np.ndarray) -> tuple[np.ndarray, ...]:
        values = np.where(np.isnan(values), stand_in, values).astype(float)
        cells, n = values.shape
        low, high = sorted_interval(values, shares, bounds, level, resamples, rng)
        estimate = np.full(cells, np.nan)
        if n:
            estimate = func(values)
        return estimate, low, high, np.full(cells, n)

    names = ("value", "low", "high", "n")
    result = reduce_in_chunks(chunk, value, over=over, names=names)
    result.attrs = {
        "of": of,
        "statistic": statistic,
        "level": level,
        "resamples": resamples,
    }
    return result
