"""Confidence intervals for a share and for a quantile: plain arrays in, plain arrays out.

Measured by exact summation over all outcomes (tests/test_statistics.py): see each docstring.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

INTERVALS = ("wilson", "exact")
LARGE_GRID = 2000  # cells above which equal counts are computed once


def check_level(level: float) -> float:
    """Return the level, or raise a ValueError unless 0 < level < 1 (95 percent is 0.95)."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}; write 0.95 for 95%")
    return float(level)


def binomial_interval(
    successes: ArrayLike, n: ArrayLike, level: float = 0.95, interval: str = "exact"
) -> tuple[np.ndarray, np.ndarray]:
    """Two-sided confidence interval for the probability behind `successes` out of `n`.

    "exact" inverts the binomial test by beta quantiles (C. J. Clopper and E. S. Pearson, Biometrika
    26, 1934) and never covers less often than `level`. "wilson" inverts the score test,
    (k + z²/2 ± z sqrt(k (n - k) / n + z²/4)) / (n + z²) (E. B. Wilson, JASA 22, 1927): it is a
    little shorter, covers as often as `level` on average over all rates, and in as little as 83.8%
    of samples at rates near 0 and 1.

    Args:
        successes: counts, any shape.
        n: numbers of trials, broadcast against `successes`. Where n = 0 the interval is [0, 1].
        level: probability of covering.
        interval: "exact" or "wilson".

    Returns:
        The lower and upper ends.

    Raises:
        ValueError: an unknown interval or level, or counts outside 0..n.
    """
    k, n = np.broadcast_arrays(np.asarray(successes, float), np.asarray(n, float))
    check_level(level)
    if interval not in INTERVALS:
        raise ValueError(f"interval must be one of {', '.join(INTERVALS)}; got {interval!r}")
    if not np.all((k >= 0) & (k <= n)):
        raise ValueError(
            "successes must lie between 0 and n; did you pass a rate or exchange the two?"
        )
    low, high = wilson(k, n, level) if interval == "wilson" else clopper_pearson(k, n, level)
    return np.where(k == 0, 0.0, low), np.where(k == n, 1.0, high)


def wilson(k: np.ndarray, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's score interval; `k` may be fractional, as an effective sample size makes it."""
    z = special.ndtri((1 + level) / 2)
    half = z * np.sqrt(k * (n - k) / np.maximum(n, 1) + z**2 / 4)
    return (k + z**2 / 2 - half) / (n + z**2), (k + z**2 / 2 + half) / (n + z**2)


def clopper_pearson(k: np.ndarray, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Clopper and Pearson's interval from quantiles of the beta distribution."""
    tail = (1 - level) / 2
    if k.size > LARGE_GRID:  # equal counts have equal intervals, and a quantile takes microseconds
        pairs, place = np.unique(np.stack([k.ravel(), n.ravel()]), axis=1, return_inverse=True)
        if pairs.shape[1] < k.size / 2:
            low, high = clopper_pearson(pairs[0], pairs[1], level)
            return low[place].reshape(k.shape), high[place].reshape(k.shape)
    # 0.5 only where k = 0, which the caller overwrites
    low = special.betaincinv(np.maximum(k, 0.5), n - k + 1, tail)
    high = special.betaincinv(k + 1, np.maximum(n - k, 0.5), 1 - tail)
    return low, high


def rank_interval(n: int, q: float, level: float = 0.95) -> tuple[int, int]:
    """Ranks whose order statistics enclose the q-quantile of any distribution with at least the
    given probability.

    P(X_(l) <= x_q <= X_(u)) >= P(l <= K < u), K ~ Binomial(n, q)
    (W. J. Conover, Practical Nonparametric Statistics, 1999, section 3.2;
    `scipy.stats.quantile_test` uses it too).

    Returns:
        The two ranks counted from 0; -1 and n stand for "unbounded below" and "unbounded above".
    """
    tail = (1 - check_level(level)) / 2
    lower, upper = stats.binom.ppf([tail, 1 - tail], n, q)
    return int(lower) - 1, int(upper)


def at_rank(ordered: np.ndarray, rank: int) -> np.ndarray:
    """The order statistic of that rank (from 0) along the last axis; -inf and inf beyond the
    sample.
    """
    n = ordered.shape[-1]
    if rank < 0 or rank >= n:
        return np.full(ordered.shape[:-1], -np.inf if rank < 0 else np.inf)
    return ordered[..., rank].astype(float)


def order_quantiles(
    values: ArrayLike,
    q: float | Sequence[float] = 0.5,
    axis: int | None = -1,
    worst: float = np.inf,
) -> np.ndarray:
    """Quantiles of an array that are values of the array: the q-quantile is the value of rank
    ceil(q n), from 1.

    It is the least value that a share q of all values does not exceed, the inverse of their
    empirical distribution function (definition 1 of R. J. Hyndman and Y. Fan, The American
    Statistician 50, 1996; `numpy.quantile` with method="inverted_cdf"). As nothing is interpolated,
    infinite values do no harm: the 0.75-quantile of 1, 2, 3, 4, inf is 4, where numpy's default
    gives nan. A nan counts as the worst value and is not left out.

    Args:
        values: an array, such as the losses of the seeds; some may be inf or nan.
        q: a probability from 0 to 1, or several.
        axis: the axis of the sample; None takes all values as one sample.
        worst: what nan stands for: inf for a loss, -inf for an accuracy.

    Returns:
        An array without that axis; with several probabilities they are a new first axis, as in
        `numpy.quantile`. It is nan where the sample is empty.

    Raises:
        ValueError: a probability outside [0, 1].

    Example:
        low, middle, high = order_quantiles(runs.loss.isel(step=-1), (0.05, 0.5, 0.95))
    """
    probabilities = np.asarray(q, float)
    if not np.all((probabilities >= 0) & (probabilities <= 1)):
        raise ValueError(f"q must lie between 0 and 1, got {probabilities.tolist()}")
    array = np.asarray(values, float)
    sample = array.ravel() if axis is None else np.moveaxis(array, axis, -1)
    ordered = np.sort(np.where(np.isnan(sample), worst, sample), -1)
    found = [order_quantile(ordered, p) for p in np.atleast_1d(probabilities).tolist()]
    return np.stack(found) if probabilities.ndim else found[0]


def order_quantile(ordered: np.ndarray, q: float) -> np.ndarray:
    """The value of rank ceil(q n), from 1, along the last, sorted axis (see `order_quantiles`); nan
    of none.
    """
    n = ordered.shape[-1]
    if n == 0:
        return np.full(ordered.shape[:-1], np.nan)
    rank = int(np.ceil(round(q * n, 9)))  # rounded, as 0.7 * 10 is 7.000000000000001
    return ordered[..., max(rank, 1) - 1].astype(float)


def quantile_of_sorted(ordered: np.ndarray, q: float) -> np.ndarray:
    """Linearly interpolated quantile along the last, sorted axis, as `numpy.quantile`, but infinite
    ends are allowed.

    Between a finite and an infinite value the quantile is the infinite one; of an empty sample it
    is nan.
    """
    n = ordered.shape[-1]
    if n == 0:
        return np.full(ordered.shape[:-1], np.nan)
    position = q * (n - 1)
    below = min(int(np.floor(position)), n - 1)
    a, b = ordered[..., below].astype(float), ordered[..., min(below + 1, n - 1)].astype(float)
    part = position - below
    if part == 0:
        return a
    with np.errstate(invalid="ignore"):  # inf - inf and 0 * inf, replaced on the next line
        between = a + (b - a) * part
    return np.where(a == b, a, np.where(np.isneginf(a) & (b < np.inf), a, between))
