"""Tests of times to success: paired on common seeds, and log-rank for independent groups."""

from collections.abc import Hashable

import numpy as np
import xarray as xr
from scipy import special

from approx.stats.comparisons import Pairable, on_common_records, pair
from approx.stats.labels import reduce
from approx.stats.paired import wins
from approx.stats.resample import by_chunks
from approx.stats.times import product_limit, time_to_success

SIGN_FLIPS = 4999
ENOUGH_PAIRS = 25


def compare_times(
    hits: Pairable,
    a: Hashable,
    b: Hashable,
    dim: str = "recipe",
    event: str = "first",
    level: float = 0.95,
) -> xr.Dataset:
    """Which of two recipes succeeds earlier on the same seeds: the paired Prentice-Wilcoxon test.

    Every time gets Peto's score from the Kaplan-Meier curve of both recipes together, S(t) + S(t-)
    - 1 for a success and S(t) - 1 for a censored one; z = sum d / sqrt(sum d²) over the pairs'
    differences (P. C. O'Brien and T. R. Fleming, Biometrics 43, 1987). With 25 or more pairs that
    differ, p is normal, with fewer it comes from 4,999 random sign flips of the differences.

    Both are compared at the records that both have, up to the last of these: who is followed for
    longer, or looked at more often, would seem to succeed earlier. The attributes say which
    (`until`, `records`).

    Args:
        hits: what `success` returned, with the dimension `dim`; or a dict of such by label.
        a: the first label.
        b: the second label.
        dim: the dimension that holds the labels.
        event: see `time_to_success`.
        level: probability of covering.

    Returns:
        `faster`, the share of seeds on which a succeeds at an earlier record than b (ties, and
        pairs of failures, count half), `low`, `high` (see `compare`), `n`, `statistic` (positive: a
        is earlier), `pvalue`.

    Raises:
        ValueError: an unknown label, unequal seeds, no hits, hits that are nan (see `rate`), or no
            common record.
    """
    first, second, about = on_common_records(*pair(hits, a, b, dim))
    times = [time_to_success(side, event) for side in (first, second)]
    horizon = float(times[0].horizon)

    def chunk(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, ...]:
        n = first.shape[-1]
        faster = wins(first, second, level)
        difference = _peto_scores(first, second, horizon)
        length = np.sqrt((difference**2).sum(-1))
        z = np.where(length > 0, difference.sum(-1) / np.where(length > 0, length, 1), 0.0)
        p = 2 * special.ndtr(-np.abs(z))
        few = np.count_nonzero(difference, -1) < ENOUGH_PAIRS
        p[few] = _sign_flip(difference[few])
        return *faster, np.full(z.shape, n), z, p

    names = ("faster", "low", "high", "n", "statistic", "pvalue")
    result = reduce(lambda *x: by_chunks(chunk, *x), times[0].upper, times[1].upper, names=names)
    about |= {"a": str(a), "b": str(b), "event": event, "level": level}
    result.attrs = {**about, "test": "paired Prentice-Wilcoxon"}
    return result


def _peto_scores(first: np.ndarray, second: np.ndarray, horizon: float) -> np.ndarray:
    """Differences of Peto's scores (cells, n) from two arrays of times (cells, n), inf where
    censored.
    """
    both = np.concatenate([first, second], -1)
    time, event = np.minimum(both, horizon), np.isfinite(both)
    at = np.unique(time)
    if at.size == 0:
        return np.zeros(first.shape)
    survival = product_limit(time, event, at, "linear", 0.95)[0]
    before = np.concatenate([np.ones((len(both), 1)), survival[:, :-1]], -1)
    place = np.searchsorted(at, time)
    after, earlier = (np.take_along_axis(s, place, -1) for s in (survival, before))
    scores = np.where(event, after + earlier - 1, after - 1)
    difference = scores[:, : first.shape[-1]] - scores[:, first.shape[-1] :]
    return np.where(np.abs(difference) < 1e-12, 0.0, difference)


def _sign_flip(difference: np.ndarray) -> np.ndarray:
    """Two-sided p-value of the sum under random signs, the same for all cells, which have few
    differences but zero.
    """
    observed = np.abs(difference.sum(-1, keepdims=True))
    # The signs are random, and zeros change no sum
    sizes = -np.sort(-np.abs(difference), -1)[:, :ENOUGH_PAIRS]
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (sizes.shape[-1], SIGN_FLIPS))
    beyond = np.count_nonzero(np.abs(sizes @ signs) >= observed - 1e-9, -1)
    return (1 + beyond) / (1 + SIGN_FLIPS)


def logrank(first: xr.Dataset, second: xr.Dataset, event: str = "first") -> xr.Dataset:
    """Log-rank test that two independent groups of seeds reach success equally fast (N. Mantel
    1966).

    z = sum(observed - expected) / sqrt(sum of hypergeometric variances) over the records; the
    numbers of `scipy.stats.logrank`. For recipes trained on the same seeds use `compare_times`.

    Both groups are compared at the records that both have, up to the last of these; the attributes
    say which (`until`, `records`).

    Args:
        first: what `success` returned for one group.
        second: the same for the other group; its seeds may differ in number and in name.
        event: see `time_to_success`.

    Returns:
        `statistic` (positive: the first group succeeds earlier), `pvalue`, `n_first`, `n_second`;
        without any success 0 and p = 1.

    Raises:
        ValueError: no hits, hits that are nan (see `rate`), or no common record.
    """
    first, second, about = on_common_records(first, second)
    times = [time_to_success(side, event) for side in (first, second)]

    def test(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        records = np.unique(np.concatenate([x[np.isfinite(x)], y[np.isfinite(y)]]))
        excess, variance = np.zeros(x.shape[:-1]), np.zeros(x.shape[:-1])
        for t in records:
            events = [np.count_nonzero(z == t, -1) for z in (x, y)]
            risk = [np.count_nonzero(z >= t, -1) for z in (x, y)]
            d, n = sum(events), np.maximum(sum(risk), 1)
            excess += events[0] - d * risk[0] / n
            variance += d * (n - d) * risk[0] * risk[1] / (n**2 * np.maximum(n - 1, 1))
        z = np.where(variance > 0, excess / np.sqrt(np.where(variance > 0, variance, 1)), 0.0)
        return (
            z,
            2 * special.ndtr(-np.abs(z)),
            np.full(z.shape, x.shape[-1]),
            np.full(z.shape, y.shape[-1]),
        )

    # The sample dimensions differ in length, so they must differ in name, and their labels must not
    # be aligned.
    groups = [
        t.upper.drop_vars("seed", errors="ignore").rename(seed=f"seed_{i}")
        for i, t in enumerate(times)
    ]
    outputs = xr.apply_ufunc(
        test, *groups, input_core_dims=[["seed_0"], ["seed_1"]], output_core_dims=[[]] * 4
    )
    names = ("statistic", "pvalue", "n_first", "n_second")
    result = xr.Dataset(dict(zip(names, outputs, strict=True)))
    return result.assign_attrs({**about, "event": event, "test": "log-rank"})
