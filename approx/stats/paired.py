"""Two recipes on the same seeds, compared by cost and by the values they end with."""

from collections.abc import Hashable

import numpy as np
import xarray as xr

from approx.stats.comparisons import Pairable, last_steps, mcnemar, on_common_records, pair
from approx.stats.costs import ratio_of_ratios
from approx.stats.intervals import check_level
from approx.stats.labels import final, reduce_in_chunks, worst_value
from approx.stats.paired_intervals import check_paired, paired_interval
from approx.stats.times import time_to_success
from approx.stats.unseen import means_interval
from approx.stats.unseen_sorted import difference_interval, pairs_interval
from approx.stats.values import SHARES, check_statistic, possible

# ---- cost ----------------------------------------------------------------------------------------


def ert_ratio(
    hits: Pairable,
    a: Hashable,
    b: Hashable,
    dim: str = "recipe",
    level: float = 0.95,
    resamples: int = 1000,
    rng: int = 0,
) -> xr.Dataset:
    """ERT(a) / ERT(b) on the same seeds: below 1, a is cheaper.

    The interval weights seeds, so what happens on one seed stays together, and reckons with one
    more seed on which one recipe succeeds at once and the other fails (see `unseen`). Recipes that
    agree on all seeds therefore have no interval [1, 1].

    Both are compared at the records that both have, up to the last of these, where unsuccessful
    trainings are given up; the attributes say which records these are (`until`, `records`). To
    compare different numbers of steps, divide two `ert`.

    Args:
        hits: what `success` returned, with the dimension `dim`; or a dict of such by label.
        a: the label whose expected running time is divided.
        b: the label whose expected running time it is divided by.
        dim: the dimension that holds the labels.
        level: probability of covering.
        resamples: number of draws of the weights of seeds.
        rng: seed of the draws.

    Returns:
        `ratio`, `low`, `high`, `n`; where neither succeeds, nan in [0, inf].

    Raises:
        ValueError: an unknown label, unequal seeds, no hits, hits that are nan (see `rate`), or no
            common record.

    Example:
        >>> stats.ert_ratio(hits, "adam", "sgd").ratio
    """
    *sides, about = on_common_records(*pair(hits, a, b, dim))
    times = [time_to_success(side) for side in sides]
    horizon_a, horizon_b = (float(time.horizon) for time in times)

    def chunk(upper_a: np.ndarray, upper_b: np.ndarray) -> tuple[np.ndarray, ...]:
        cells, n = upper_a.shape
        columns = [
            np.minimum(upper_a, horizon_a),
            np.isfinite(upper_a).astype(float),
            np.minimum(upper_b, horizon_b),
            np.isfinite(upper_b).astype(float),
        ]
        estimate = ratio_of_ratios(*(column.sum(-1) for column in columns))
        a_at_once = (0.0, 1.0, horizon_b, 0.0)
        b_at_once = (horizon_a, 0.0, 0.0, 1.0)
        unseen = [a_at_once, b_at_once]
        low, high = means_interval(ratio_of_ratios, columns, unseen, level, resamples, rng)
        return estimate, np.maximum(low, 0.0), high, np.full(cells, n)

    names = ("ratio", "low", "high", "n")
    uppers = [time.upper for time in times]
    result = reduce_in_chunks(chunk, *uppers, names=names)
    result.attrs = {
        "a": str(a),
        "b": str(b),
        "level": level,
        "resamples": resamples,
        **about,
    }
    return result


# ---- which ends better ---------------------------------------------------------------------------


def wins(
    first: np.ndarray, second: np.ndarray, level: float, interval: str = "weighted"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of pairs in which the first is smaller, ties half, with its interval.

    The share is (1 + (wins - losses) / n) / 2, so the interval is that of a difference of paired
    proportions.

    Args:
        first: values (..., n).
        second: values (..., n) on the same seeds.
        level: probability of covering.
        interval: see `paired_interval`.

    Returns:
        The share and the ends of its interval, (...).
    """
    n = first.shape[-1]
    won = np.count_nonzero(first < second, -1)
    lost = np.count_nonzero(first > second, -1)
    low, high = paired_interval(won, lost, n, level, interval)
    share = np.full(won.shape, np.nan)
    if n:
        share = (1 + (won - lost) / n) / 2
    return share, (1 + low) / 2, (1 + high) / 2


# A public verb: what is compared takes 6 arguments, the other 5 are options of its interval
def improvement(  # noqa: PLR0913
    runs: Pairable,
    a: Hashable,
    b: Hashable,
    of: str = "test_loss",
    pairs: str = "seed",
    dim: str = "recipe",
    level: float = 0.95,
    resamples: int = 1000,
    rng: int = 0,
    worst: float | None = None,
    interval: str = "weighted",
) -> xr.Dataset:
    """Probability that a ends better than b; ties, also of two diverged seeds, count half.

    Each side is judged at its own last record, which the attributes name (`last_a`, `last_b`).

    `pairs="seed"`: on the same seed (sign test). `pairs="all"`: on any two seeds, U / n² of Mann
    and Whitney, as R. Agarwal et al. (NeurIPS 2021) report. Both intervals reckon with one more
    seed, on which either recipe may be the better one (see `unseen`), so none is [1, 1] after a few
    seeds that are separated: n = 5 give [0.23, 1] over all pairs. Summed over all outcomes the
    interval on the same seed covers at least 95.8% (n from 1 to 50).

    Args:
        runs: variables over (dim, ..., seed, step), or a dict of such by label.
        a: the first label.
        b: the second label.
        of: the variable; lowest is best, and highest where nan stands for -inf (accuracies).
        pairs: "seed" or "all".
        dim: the dimension that holds the labels.
        level: probability of covering.
        resamples: number of draws of the weights of seeds (pairs="all").
        rng: seed of the draws.
        worst: what nan stands for; by default inf, and -inf for an accuracy.
        interval: of pairs="seed": "weighted", "score", or "exact", which never covers less often
            than `level` (see `paired_interval`).

    Returns:
        `improvement`, `low`, `high`, `n`, and for pairs="seed" the `pvalue` of the sign test.

    Raises:
        ValueError: unknown `pairs`, label or interval, interval="exact" with pairs="all", unequal
            seeds, no such variable.

    Example:
        >>> stats.improvement(runs, "adam", "sgd").improvement
    """
    _check_pairs(pairs, interval)
    sign = 1.0
    if worst_value(of, worst) <= 0:  # more is better, so the negated values are compared
        sign = -1.0
    sides = pair(runs, a, b, dim)
    values = [_filled(side, of, worst) * sign for side in sides]

    def same_seed(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        won = np.count_nonzero(x < y, -1)
        lost = np.count_nonzero(x > y, -1)
        share, low, high = wins(x, y, level, interval)
        n = np.full(won.shape, x.shape[-1])
        return share, low, high, n, mcnemar(won, lost)

    def any_seeds(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        cells, n = x.shape
        ends = [
            pairs_interval(*samples, level, resamples, rng) for samples in zip(x, y, strict=True)
        ]
        low, high = np.array(ends).reshape(cells, 2).T
        return _mann_whitney(x, y), low, high, np.full(cells, n)

    names = ["improvement", "low", "high", "n"]
    if pairs == "seed":
        names.append("pvalue")
        result = reduce_in_chunks(same_seed, *values, names=names)
    else:
        result = reduce_in_chunks(any_seeds, *values, names=names)
    result.attrs = {
        "a": str(a),
        "b": str(b),
        "of": of,
        "pairs": pairs,
        "level": level,
    }
    result.attrs |= last_steps(*sides)
    return result


def _check_pairs(pairs: str, interval: str) -> None:
    """Raise a ValueError for unknown pairs, or for an interval that they do not have."""
    if pairs not in ("seed", "all"):
        raise ValueError(f"pairs must be 'seed' or 'all', got {pairs!r}")
    if check_paired(interval) == "exact" and pairs != "seed":
        raise ValueError(f"interval='exact' is known for pairs='seed' only, got pairs={pairs!r}")


def _filled(runs: xr.Dataset, of: str, worst: float | None) -> xr.DataArray:
    """A variable at the last record, with the worst value in place of nan."""
    value = final(runs, of)
    return value.where(value.notnull(), worst_value(of, worst)).astype(float)


def _mann_whitney(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """P(x < y) + P(x = y) / 2 over all pairs, (cells,) from samples (cells, n)."""
    cells, n = x.shape
    if n == 0:
        return np.full(cells, np.nan)
    losses = np.empty(x.shape, np.int64)  # twice the number of y below each x, ties once
    for cell, ordered in enumerate(np.sort(y, -1)):
        smaller = np.searchsorted(ordered, x[cell], "left")
        not_larger = np.searchsorted(ordered, x[cell], "right")
        losses[cell] = smaller + not_larger
    return 1 - losses.mean(-1) / (2 * n)


# ---- the values at the end -----------------------------------------------------------------------


# A public verb: what is compared takes 6 arguments, the other 4 are options of its interval
def compare_values(  # noqa: PLR0913
    runs: Pairable,
    a: Hashable,
    b: Hashable,
    of: str = "test_loss",
    statistic: str = "iqm",
    dim: str = "recipe",
    level: float = 0.95,
    resamples: int = 1000,
    rng: int = 0,
    worst: float | None = None,
) -> xr.Dataset:
    """Difference a - b of interquartile means, medians or means of the last value, on common seeds.

    Each side is judged at its own last record, which the attributes name (`last_a`, `last_b`).

    Seeds are weighted, for both recipes alike, and one more seed may be the worst for one and the
    best for the other (see `unseen`). Where both sides are infinite the difference is unknown: nan
    in [-inf, inf]. The mean of values that may be arbitrarily large has no bound, see `aggregate`.

    Args:
        runs: variables over (dim, ..., seed, step), or a dict of such by label.
        a: the label whose statistic comes first.
        b: the label whose statistic is subtracted.
        of: the variable.
        statistic: "iqm", "median" or "mean".
        dim: the dimension that holds the labels.
        level: probability of covering.
        resamples: number of draws of the weights of seeds.
        rng: seed of the draws.
        worst: what nan stands for; by default inf, and -inf for an accuracy.

    Returns:
        `difference`, `low`, `high`, `n`.

    Raises:
        ValueError: an unknown label or statistic, unequal seeds, no such variable.

    Example:
        >>> stats.compare_values(runs, "adam", "sgd", statistic="median").difference
    """
    func = check_statistic(statistic)
    shares = SHARES[statistic]
    check_level(level)
    sides = pair(runs, a, b, dim)
    first, second = (_filled(side, of, worst) for side in sides)
    of_both = [first.values.ravel(), second.values.ravel()]
    everything = np.concatenate(of_both)
    bounds = possible(everything, of, worst)

    def chunk(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        cells, n = x.shape
        ends = []
        for samples in zip(x, y, strict=True):
            ends.append(difference_interval(*samples, shares, bounds, level, resamples, rng))
        low, high = np.array(ends).reshape(cells, 2).T
        estimate = np.full(cells, np.nan)
        if n:
            with np.errstate(invalid="ignore"):  # inf - inf is nan: the difference is unknown
                estimate = func(x) - func(y)
        return estimate, low, high, np.full(cells, n)

    names = ("difference", "low", "high", "n")
    result = reduce_in_chunks(chunk, first, second, names=names)
    result.attrs = {
        "a": str(a),
        "b": str(b),
        "of": of,
        "statistic": statistic,
        "level": level,
    }
    result.attrs |= last_steps(*sides)
    return result
