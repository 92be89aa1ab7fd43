"""Two recipes on the same seeds, compared by cost and by the values they end with."""

from collections.abc import Hashable

import numpy as np
import xarray as xr

from approx.stats.comparisons import Pairable, last_steps, mcnemar, on_common_records, pair
from approx.stats.costs import ratio_of_ratios
from approx.stats.intervals import check_level
from approx.stats.labels import final, reduce, worst_value
from approx.stats.paired_intervals import check_paired, paired_interval
from approx.stats.resample import by_chunks
from approx.stats.times import time_to_success
from approx.stats.unseen import means_interval
from approx.stats.unseen_sorted import difference_interval, pairs_interval
from approx.stats.values import SHARES, check_statistic, possible


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
    more seed on which one recipe succeeds at once and the other fails (see `unseen`): recipes that
    agree on all seeds have no interval [1, 1].

    Both are compared at the records that both have, up to the last of these, where unsuccessful
    trainings are given up; the attributes say which (`until`, `records`). To compare different
    numbers of steps, divide two `ert`.

    Returns:
        `ratio`, `low`, `high`, `n`; where neither succeeds, nan in [0, inf].

    Raises:
        ValueError: an unknown label, unequal seeds, no hits, hits that are nan (see `rate`), or no
            common record.
    """
    *sides, about = on_common_records(*pair(hits, a, b, dim))
    times = [time_to_success(side) for side in sides]
    horizons = [float(t.horizon) for t in times]

    def chunk(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, ...]:
        cells, n = first.shape
        columns = []
        for upper, horizon in zip((first, second), horizons, strict=True):
            columns += [np.minimum(upper, horizon), np.isfinite(upper).astype(float)]
        estimate = ratio_of_ratios(*(column.sum(-1) for column in columns))
        a_at_once = (0.0, 1.0, horizons[1], 0.0)
        b_at_once = (horizons[0], 0.0, 0.0, 1.0)
        low, high = means_interval(
            ratio_of_ratios, columns, [a_at_once, b_at_once], level, resamples, rng
        )
        return estimate, np.maximum(low, 0.0), high, np.full(cells, n)

    names = ("ratio", "low", "high", "n")
    result = reduce(lambda *x: by_chunks(chunk, *x), times[0].upper, times[1].upper, names=names)
    result.attrs = {"a": str(a), "b": str(b), "level": level, "resamples": resamples, **about}
    return result


def wins(
    first: np.ndarray, second: np.ndarray, level: float, interval: str = "weighted"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of pairs in which the first is smaller, ties half, with its interval.

    The share is (1 + (wins - losses) / n) / 2, so the interval is that of a difference of paired
    proportions.
    """
    n = first.shape[-1]
    wins, losses = np.count_nonzero(first < second, -1), np.count_nonzero(first > second, -1)
    low, high = paired_interval(wins, losses, n, level, interval)
    share = (1 + (wins - losses) / n) / 2 if n else np.full(wins.shape, np.nan)
    return share, (1 + low) / 2, (1 + high) / 2


def improvement(
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
    """
    if pairs not in ("seed", "all"):
        raise ValueError(f"pairs must be 'seed' or 'all', got {pairs!r}")
    if check_paired(interval) == "exact" and pairs != "seed":
        raise ValueError(f"interval='exact' is known for pairs='seed' only, got pairs={pairs!r}")
    sign = 1.0 if worst_value(of, worst) > 0 else -1.0
    sides = pair(runs, a, b, dim)
    first, second = (_filled(side, of, worst) * sign for side in sides)

    def same_seed(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        p = mcnemar(np.count_nonzero(x < y, -1), np.count_nonzero(x > y, -1))
        return *wins(x, y, level, interval), np.full(p.shape, x.shape[-1]), p

    def any_seeds(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        cells, n = x.shape
        rows = [pairs_interval(*xy, level, resamples, rng) for xy in zip(x, y, strict=True)]
        low, high = np.array(rows).reshape(cells, 2).T
        return _mann_whitney(x, y), low, high, np.full(cells, n)

    names, func = ("improvement", "low", "high", "n", "pvalue"), same_seed
    if pairs == "all":
        names, func = names[:-1], any_seeds  # type: ignore[assignment]
    result = reduce(lambda *z: by_chunks(func, *z), first, second, names=names)
    result.attrs = {"a": str(a), "b": str(b), "of": of, "pairs": pairs, "level": level}
    result.attrs |= last_steps(*sides)
    return result


def _filled(runs: xr.Dataset, of: str, worst: float | None) -> xr.DataArray:
    value = final(runs, of)
    return value.where(value.notnull(), worst_value(of, worst)).astype(float)


def _mann_whitney(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """P(x < y) + P(x = y) / 2 over all pairs, (b,) from rows (b, n)."""
    if x.shape[-1] == 0:
        return np.full(x.shape[:-1], np.nan)
    ordered = np.sort(y, -1)
    sides = [
        np.stack(
            [np.searchsorted(row, values, side) for row, values in zip(ordered, x, strict=True)]
        )  # type: ignore[call-overload]
        for side in ("left", "right")
    ]
    return 1 - (sides[0] + sides[1]).mean(-1) / (2 * y.shape[-1])


def compare_values(
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
    """Difference of interquartile means, medians or means of the last value, a - b, on the same
    seeds.

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
    """
    func, cumulative = check_statistic(statistic), SHARES[statistic]
    check_level(level)
    sides = pair(runs, a, b, dim)
    first, second = (_filled(side, of, worst) for side in sides)

    bounds = possible(np.concatenate([first.values.ravel(), second.values.ravel()]), of, worst)

    def subtract(z: np.ndarray) -> np.ndarray:  # (2, b, n) -> (b,)
        with np.errstate(invalid="ignore"):  # inf - inf is nan, which the interval takes as unknown
            return func(z[0]) - func(z[1])

    def chunk(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        cells, n = x.shape
        rows = [
            difference_interval(*xy, cumulative, bounds, level, resamples, rng)
            for xy in zip(x, y, strict=True)
        ]
        low, high = np.array(rows).reshape(cells, 2).T
        estimate = subtract(np.stack([x, y])) if n else np.full(cells, np.nan)
        return estimate, low, high, np.full(cells, n)

    result = reduce(
        lambda *z: by_chunks(chunk, *z), first, second, names=("difference", "low", "high", "n")
    )
    result.attrs = {"a": str(a), "b": str(b), "of": of, "statistic": statistic, "level": level}
    result.attrs |= last_steps(*sides)
    return result
