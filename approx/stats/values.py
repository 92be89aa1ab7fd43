"""The values reached, such as final losses: quantiles, robust means, and the best of several seeds.

What diverged takes the worst value there is (+inf for a loss, -inf for an accuracy); nothing is
dropped.
"""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from scipy import special

from approx.stats.intervals import at_rank, order_quantile, quantile_of_sorted, rank_interval
from approx.stats.labels import Over, final, reduce, variable, worst_value
from approx.stats.resample import by_chunks
from approx.stats.unseen_sorted import (
    share_mean,
    share_median,
    share_middle,
    sorted_interval,
    weighted_sum,
)


def quantiles(
    runs: xr.Dataset,
    of: str = "loss",
    q: Sequence[float] | float = (0.05, 0.25, 0.5, 0.75, 0.95),
    over: Over = "seed",
    level: float = 0.95,
    worst: float | None = None,
) -> xr.Dataset:
    """Quantiles over seeds at every record; nan counts as the worst value.

    A quantile is one of the seeds' values, the least that a share q of them does not exceed (see
    `order_quantiles`), so that seeds that diverged do no harm. The ends of the interval are such
    values too (see `rank_interval`). It covers with at least the given probability; its ends are
    -inf or inf where the sample is too small to bound the quantile.

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
    """
    probabilities = np.atleast_1d(np.asarray(q, float))
    if not np.all((probabilities >= 0) & (probabilities <= 1)):
        raise ValueError(f"q must lie between 0 and 1, got {probabilities.tolist()}")
    stand_in = worst_value(of, worst)

    def sample_quantiles(values: np.ndarray) -> tuple[np.ndarray, ...]:
        ordered = np.sort(np.where(np.isnan(values), stand_in, values), -1)
        n = ordered.shape[-1]
        ends = [
            rank_interval(n, p, level) if 0 < p < 1 else (-1, n) for p in probabilities.tolist()
        ]
        estimate = np.stack([order_quantile(ordered, p) for p in probabilities.tolist()], -1)
        low = np.stack([at_rank(ordered, rank) for rank, _ in ends], -1)
        high = np.stack([at_rank(ordered, rank) for _, rank in ends], -1)
        return estimate, low, high, np.full(low.shape, n)

    names = (of, "low", "high", "n")
    result = reduce(
        sample_quantiles,
        variable(runs, of),
        over=over,
        names=names,
        new={"quantile": probabilities},
    )
    result.attrs = {"of": of, "level": level}
    return result


def mean(values: np.ndarray) -> np.ndarray:
    """Arithmetic mean along the last axis; one diverged seed makes it infinite."""
    return values.mean(-1)


def median(values: np.ndarray) -> np.ndarray:
    """Median along the last axis, infinite values allowed."""
    return quantile_of_sorted(np.sort(values, -1), 0.5)


def interquartile_mean(values: np.ndarray) -> np.ndarray:
    """Mean of the middle half (floor(n / 4) cut off at either end, as `scipy.stats.trim_mean(x,
    0.25)`).
    """
    n = values.shape[-1]
    cut = n // 4
    return np.sort(values, -1)[..., cut : n - cut].mean(-1)


STATISTICS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "iqm": interquartile_mean,
    "median": median,
    "mean": mean,
}


# How much the lowest seeds make up of each
SHARES = {"iqm": share_middle, "median": share_median, "mean": share_mean}


def possible(values: np.ndarray, of: str, worst: float | None) -> tuple[float, float]:
    """The smallest and the largest value there could be, so that what was not seen can be reckoned
    with.

    The worst is what nan stands for, the best 0 for losses and errors and 1 for accuracies, as far
    as no value lies beyond; everything else is unbounded (-inf, inf).
    """
    finite = values[np.isfinite(values)]
    low, high = -np.inf, np.inf
    if worst_value(of, worst) < 0 or "accuracy" in of:
        low, high = worst_value(of, worst), 1.0 if "accuracy" in of else np.inf
    else:
        low, high = 0.0 if "loss" in of or "error" in of else -np.inf, worst_value(of, worst)
    if (finite < low).any():
        low = -np.inf
    if (finite > high).any():
        high = np.inf
    return low, high


def check_statistic(statistic: str) -> Callable[[np.ndarray], np.ndarray]:
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

    The interquartile mean is recommended by R. Agarwal et al. (NeurIPS 2021): less noisy than the
    median, and not ruled by a few seeds as the mean is. It is infinite when more than a quarter of
    the seeds diverged.

    The interval reckons with one more seed at the best or worst value there could be (see
    `unseen`): the median's is the one by order statistics. Losses and errors are at least 0,
    accuracies at most 1, and the worst value is `worst`. A mean of losses without a largest value
    has no interval at any number of seeds, as rare seeds that were not seen may be arbitrarily
    large (R. Bahadur and L. Savage, Annals of Mathematical Statistics 27, 1956): its upper end is
    inf. Give `worst`, or take the median or the interquartile mean. Of few seeds those are
    unbounded too: the median below 6, the interquartile mean below about 12. On a grid the
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
    """
    func, stand_in = check_statistic(statistic), worst_value(of, worst)
    value = final(runs, of)
    bounds = possible(value.values, of, worst)

    def chunk(values: np.ndarray) -> tuple[np.ndarray, ...]:
        values = np.where(np.isnan(values), stand_in, values).astype(float)
        cells, n = values.shape
        low, high = sorted_interval(values, SHARES[statistic], bounds, level, resamples, rng)
        estimate = func(values) if n else np.full(cells, np.nan)
        return estimate, low, high, np.full(cells, n)

    names = ("value", "low", "high", "n")
    result = reduce(lambda x: by_chunks(chunk, x), value, over=over, names=names)
    result.attrs = {"of": of, "statistic": statistic, "level": level, "resamples": resamples}
    return result


def best_of(
    runs: xr.Dataset,
    tries: Sequence[int] = (1, 2, 5, 10, 20, 50),
    of: str = "test_loss",
    statistic: str = "mean",
    over: Over = "seed",
    level: float = 0.95,
    resamples: int = 1000,
    rng: int = 0,
    worst: float | None = None,
) -> xr.Dataset:
    """Expected (or median) best value among m seeds.

    Among n seeds, the best of m drawn without replacement is the i-th best one with probability
    C(n - i, m - 1) / C(n, m): the unbiased estimate of R. Tang et al. (ACL 2020), who correct J.
    Dodge et al. (EMNLP 2019). The interval reckons with one more seed, as that of `aggregate`: the
    mean best of seeds that may be arbitrarily bad has no end on that side unless `worst` is given;
    the median's is by order statistics.

    Args:
        runs: variables over (..., seed, step), or (..., seed) after `pick`.
        tries: numbers m of seeds, each from 1 to n.
        of: the variable; lowest is best, and highest where nan stands for -inf (accuracies).
        statistic: "mean" or "median" of the best value.
        over: the dimension or dimensions of the sample.
        level: probability of covering.
        resamples: number of draws of the weights of seeds.
        rng: seed of the draws.
        worst: what nan stands for; by default inf, and -inf for an accuracy.

    Returns:
        `best`, `low`, `high`, `n` over (..., tries).

    Raises:
        ValueError: m outside 1..n, an unknown statistic.
    """
    if statistic not in ("mean", "median"):
        raise ValueError(f"statistic must be 'mean' or 'median', got {statistic!r}")
    wanted = np.atleast_1d(np.asarray(tries, int))
    stand_in = worst_value(of, worst)
    sign = 1.0 if stand_in > 0 else -1.0

    def chunk(values: np.ndarray) -> tuple[np.ndarray, ...]:
        n = values.shape[-1]
        if n == 0 or wanted.min() < 1 or wanted.max() > n:
            raise ValueError(
                f"tries must lie between 1 and the {n} seeds there are, got {wanted.tolist()}"
            )
        estimate = sign * best_among(np.sort(sign * values, -1), _none_among(n, wanted), statistic)
        bounded = [
            sorted_interval(sign * values, _best_share(m, statistic), bounds, level, resamples, rng)
            for m in wanted
        ]
        low, high = (sign * np.stack(end, -1) for end in zip(*bounded, strict=True))
        return estimate, *((low, high) if sign > 0 else (high, low)), np.full(low.shape, n)

    filled = final(runs, of)
    filled = filled.where(filled.notnull(), stand_in).astype(float)
    least, most = possible(filled.values, of, worst)
    bounds = (least, most) if sign > 0 else (-most, -least)
    names = ("best", "low", "high", "n")
    result = reduce(
        lambda x: by_chunks(chunk, x), filled, over=over, names=names, new={"tries": wanted}
    )
    result.attrs = {"of": of, "statistic": statistic, "level": level, "resamples": resamples}
    return result


def _none_among(n: int, tries: np.ndarray) -> np.ndarray:
    """P(none of c given seeds among m drawn of n) = C(n - c, m) / C(n, m): array (tries, n + 1)
    over c = 0..n.
    """
    c, m = np.arange(n + 1), tries[:, None]
    rest = np.maximum(n - c - m, 0)
    logs = (
        special.gammaln(n - c + 1)
        - special.gammaln(rest + 1)
        - special.gammaln(n + 1)
        + special.gammaln(n - m + 1)
    )
    return np.where(n - c >= m, np.exp(logs), 0.0)


def best_among(ordered: np.ndarray, missing: np.ndarray, statistic: str) -> np.ndarray:
    """Mean or median (cells, tries) of the lowest of m from sorted samples (cells, n)."""
    if statistic == "median":
        return ordered[:, np.argmax(missing[:, 1:] <= 0.5, -1)]
    return weighted_sum(ordered, missing[:, :-1] - missing[:, 1:])


def _best_share(tries: int, statistic: str) -> Callable[[np.ndarray], np.ndarray]:
    """How likely the best of so many trainings is among the lowest share u of all; of the median,
    whether it is.
    """
    if statistic == "mean":
        return lambda u: 1 - (1 - u) ** tries
    middle = 1 - 0.5 ** (1 / tries)
    return lambda u: (u >= middle).astype(float)
