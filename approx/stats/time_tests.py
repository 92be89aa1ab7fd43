"""Tests of times to success: paired on common seeds, and log-rank for independent groups."""

from collections.abc import Hashable

import numpy as np
import scipy
import xarray as xr

from approx.stats.comparisons import Pairable, on_common_records, pair
from approx.stats.labels import reduce_in_chunks
from approx.stats.paired import wins
from approx.stats.survival_curves import product_limit
from approx.stats.times import time_to_success

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
    differ, p is normal; with fewer it comes from 4,999 random sign flips of the differences.

    Both are compared at the records that both have, up to the last of these: a recipe that is
    followed for longer, or looked at more often, would seem to succeed earlier. The attributes say
    which records these are (`until`, `records`).

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

    Example:
        >>> stats.compare_times(hits, "adam", "sgd").pvalue
    """
    *sides, about = on_common_records(*pair(hits, a, b, dim))
    times = [time_to_success(side, event) for side in sides]
    horizon = float(times[0].horizon)

    def chunk(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, ...]:
        n = first.shape[-1]
        faster = wins(first, second, level)
        difference = _peto_scores(first, second, horizon)
        deviation = np.sqrt((difference**2).sum(-1))
        z, p = _normal_test(difference.sum(-1), deviation)
        few = np.count_nonzero(difference, -1) < ENOUGH_PAIRS
        p[few] = _sign_flip(difference[few])
        return *faster, np.full(z.shape, n), z, p

    names = ("faster", "low", "high", "n", "statistic", "pvalue")
    uppers = [time.upper for time in times]
    result = reduce_in_chunks(chunk, *uppers, names=names)
    about |= {
        "a": str(a),
        "b": str(b),
        "event": event,
        "level": level,
    }
    result.attrs = {**about, "test": "paired Prentice-Wilcoxon"}
    return result


def _peto_scores(first: np.ndarray, second: np.ndarray, horizon: float) -> np.ndarray:
    """Differences (cells, n) of Peto's scores, see `compare_times`.

    Args:
        first: times (cells, n), inf where censored.
        second: times (cells, n) of the other recipe.
        horizon: the step at which times are censored.
    """
    both = np.concatenate([first, second], -1)
    time = np.minimum(both, horizon)
    event = np.isfinite(both)
    at = np.unique(time)
    if at.size == 0:
        return np.zeros(first.shape)
    survival = product_limit(time, event, at, "linear", 0.95)[0]
    everybody = np.ones((len(both), 1))
    before = np.concatenate([everybody, survival[:, :-1]], -1)
    place = np.searchsorted(at, time)
    s_at = np.take_along_axis(survival, place, -1)
    s_before = np.take_along_axis(before, place, -1)
    scores = np.where(event, s_at + s_before - 1, s_at - 1)
    n = first.shape[-1]
    difference = scores[:, :n] - scores[:, n:]
    return np.where(np.abs(difference) < 1e-12, 0.0, difference)


def _sign_flip(difference: np.ndarray) -> np.ndarray:
    """Two-sided p-values (cells,) of the sums of differences (cells, n) under random signs.

    All cells share the signs. Each has fewer than `ENOUGH_PAIRS` differences that are not zero.
    """
    observed = np.abs(difference.sum(-1, keepdims=True))
    # Only the largest sizes are needed: zeros change no sum, and the signs are random anyway
    largest_first = -np.sort(-np.abs(difference), -1)
    sizes = largest_first[:, :ENOUGH_PAIRS]
    generator = np.random.default_rng(0)
    shape = (sizes.shape[-1], SIGN_FLIPS)
    signs = generator.choice([-1.0, 1.0], shape)
    flipped = np.abs(sizes @ signs)
    beyond = np.count_nonzero(flipped >= observed - 1e-9, -1)
    return (1 + beyond) / (1 + SIGN_FLIPS)


def logrank(first: xr.Dataset, second: xr.Dataset, event: str = "first") -> xr.Dataset:
    """Log-rank test that two independent groups of seeds succeed equally fast (N. Mantel 1966).

    z = sum(observed - expected) / sqrt(sum of hypergeometric variances) over the records; the
    numbers of `scipy.stats.logrank`. For recipes trained on the same seeds use `compare_times`.

    Both groups are compared at the records that both have, up to the last of these; the attributes
    say which records these are (`until`, `records`).

    Args:
        first: what `success` returned for one group.
        second: the same for the other group; its seeds may differ in number and in name.
        event: see `time_to_success`.

    Returns:
        `statistic` (positive: the first group succeeds earlier), `pvalue`, `n_first`, `n_second`;
        without any success 0 and p = 1.

    Raises:
        ValueError: no hits, hits that are nan (see `rate`), or no common record.

    Example:
        >>> stats.logrank(stats.success(old, below=0.1), stats.success(new, below=0.1)).pvalue
    """
    *sides, about = on_common_records(first, second)
    groups = []
    for i, side in enumerate(sides):
        upper = time_to_success(side, event).upper
        # The groups differ in size, so their sample dimensions must differ in name, and xarray must
        # not align their seeds
        unlabelled = upper.drop_vars("seed", errors="ignore")
        groups.append(unlabelled.rename(seed=f"seed_{i}"))
    outputs = xr.apply_ufunc(
        _logrank_test,
        *groups,
        input_core_dims=[["seed_0"], ["seed_1"]],
        output_core_dims=[[]] * 4,
    )
    names = ("statistic", "pvalue", "n_first", "n_second")
    result = xr.Dataset(dict(zip(names, outputs, strict=True)))
    return result.assign_attrs({**about, "event": event, "test": "log-rank"})


def _logrank_test(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Statistic, p-value and sizes (...) from times (..., n) of two groups, inf where censored."""
    of_first = x[np.isfinite(x)]
    of_second = y[np.isfinite(y)]
    records = np.unique(np.concatenate([of_first, of_second]))
    cells = x.shape[:-1]
    excess = np.zeros(cells)  # observed minus expected successes of the first group
    variance = np.zeros(cells)
    for t in records:
        events_x = np.count_nonzero(x == t, -1)
        events = events_x + np.count_nonzero(y == t, -1)
        risk_x = np.count_nonzero(x >= t, -1)
        risk_y = np.count_nonzero(y >= t, -1)
        risk = np.maximum(risk_x + risk_y, 1)
        expected = events * risk_x / risk
        excess += events_x - expected
        # The variance of a hypergeometric number
        products = events * (risk - events) * risk_x * risk_y
        divisor = risk**2 * np.maximum(risk - 1, 1)
        variance += products / divisor
    z, p = _normal_test(excess, np.sqrt(variance))
    n_first = np.full(cells, x.shape[-1])
    n_second = np.full(cells, y.shape[-1])
    return z, p, n_first, n_second


def _normal_test(total: np.ndarray, deviation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A sum in standard deviations, 0 where there are none, and its two-sided normal p-value."""
    varies = deviation > 0
    scaled = total / np.where(varies, deviation, 1)
    z = np.where(varies, scaled, 0.0)
    return z, 2 * scipy.special.ndtr(-np.abs(z))
