"""Confidence intervals for a share and for a quantile: plain arrays in, plain arrays out.

Measured by exact summation over all outcomes (tests/test_statistics.py): see each docstring.
"""

from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import ArrayLike

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
        ValueError: the interval or level is unknown, or counts lie outside 0..n.

    Example:
        low, high = stats.binomial_interval(58, 64)  # 0.807, 0.965
    """
    k = np.asarray(successes, float)
    n = np.asarray(n, float)
    k, n = np.broadcast_arrays(k, n)
    check_level(level)
    if interval not in INTERVALS:
        raise ValueError(f"interval must be one of {', '.join(INTERVALS)}; got {interval!r}")
    check_successes(k, n)
    if interval == "wilson":
        low, high = wilson(k, n, level)
    else:
        low, high = clopper_pearson(k, n, level)
    low = np.where(k == 0, 0.0, low)
    high = np.where(k == n, 1.0, high)
    return low, high


def check_successes(successes: np.ndarray, n: np.ndarray) -> None:
    """Raise a ValueError unless all numbers of successes lie between 0 and n."""
    if not np.all((successes >= 0) & (successes <= n)):
        raise ValueError(
            "successes must lie between 0 and n; did you pass a rate or exchange the two?"
        )


def wilson(k: np.ndarray, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's score interval; `k` may be fractional, as an effective sample size makes it."""
    z = scipy.special.ndtri((1 + level) / 2)
    middle = k + z**2 / 2
    spread = k * (n - k) / np.maximum(n, 1)
    half = z * np.sqrt(spread + z**2 / 4)

    whole = n + z**2
    low = (middle - half) / whole
    high = (middle + half) / whole
    return low, high


def clopper_pearson(k: np.ndarray, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Clopper and Pearson's interval from quantiles of the beta distribution."""
    # Equal counts have equal intervals, and a quantile takes microseconds
    if k.size > LARGE_GRID:
        counts = np.stack([k.ravel(), n.ravel()])
        different, place = np.unique(counts, axis=1, return_inverse=True)
        if different.shape[1] < k.size / 2:
            low, high = clopper_pearson(different[0], different[1], level)
            low = low[place].reshape(k.shape)
            high = high[place].reshape(k.shape)
            return low, high

    tail = (1 - level) / 2
    # The beta distribution has no parameter 0: where k = 0 or k = n the caller knows the end
    some = np.maximum(k, 0.5)
    others = np.maximum(n - k, 0.5)
    low = scipy.special.betaincinv(some, n - k + 1, tail)
    high = scipy.special.betaincinv(k + 1, others, 1 - tail)
    return low, high


def rank_interval(n: int, q: float, level: float = 0.95) -> tuple[int, int]:
    """Ranks whose order statistics enclose the q-quantile of any distribution.

    They do so with at least the probability `level`: P(X_(l) <= x_q <= X_(u)) >= P(l <= K < u),
    K ~ Binomial(n, q) (W. J. Conover, Practical Nonparametric Statistics, 1999, section 3.2;
    `scipy.stats.quantile_test` uses it too).

    Args:
        n: the size of the sample.
        q: the probability that the quantile belongs to.
        level: probability of covering.

    Returns:
        The two ranks counted from 0; -1 and n stand for "unbounded below" and "unbounded above".
    """
    tail = (1 - check_level(level)) / 2
    lower, upper = scipy.stats.binom.ppf([tail, 1 - tail], n, q)
    return int(lower) - 1, int(upper)


def at_rank(ordered: np.ndarray, rank: int) -> np.ndarray:
    """The value of that rank (from 0) along the last, sorted axis.

    Beyond the sample it is -inf or inf.
    """
    shape = ordered.shape[:-1]
    if rank < 0:
        return np.full(shape, -np.inf)
    if rank >= ordered.shape[-1]:
        return np.full(shape, np.inf)
    return ordered[..., rank].astype(float)


def order_quantiles(
    values: ArrayLike,
    q: float | Sequence[float] = 0.5,
    axis: int | None = -1,
    worst: float = np.inf,
) -> np.ndarray:
    """Quantiles of an array that are values of the array: the value of rank ceil(q n), from 1.

    The q-quantile is the least value that a share q of all values does not exceed, the inverse of
    their empirical distribution function (definition 1 of R. J. Hyndman and Y. Fan, The American
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
        ValueError: a probability lies outside [0, 1].

    Example:
        low, middle, high = order_quantiles(runs.loss.isel(step=-1), (0.05, 0.5, 0.95))
    """
    probabilities = np.asarray(q, float)
    check_probabilities(probabilities)
    sample = _with_axis_last(np.asarray(values, float), axis)
    sample = np.where(np.isnan(sample), worst, sample)
    ordered = np.sort(sample, -1)

    found = [order_quantile(ordered, p) for p in np.atleast_1d(probabilities).tolist()]
    if probabilities.ndim:
        return np.stack(found)
    return found[0]


def check_probabilities(q: np.ndarray) -> None:
    """Raise a ValueError unless all numbers lie between 0 and 1."""
    is_inside = (q >= 0) & (q <= 1)
    if not is_inside.all():
        raise ValueError(f"q must lie between 0 and 1, got {q.tolist()}")


def _with_axis_last(values: np.ndarray, axis: int | None) -> np.ndarray:
    """The array with one axis moved to the end, or flattened if the axis is None."""
    if axis is None:
        return values.ravel()
    return np.moveaxis(values, axis, -1)


def order_quantile(ordered: np.ndarray, q: float) -> np.ndarray:
    """The value of rank ceil(q n), from 1, along the last, sorted axis (see `order_quantiles`).

    It is nan if that axis is empty.
    """
    n = ordered.shape[-1]
    if n == 0:
        return np.full(ordered.shape[:-1], np.nan)
    rank = int(np.ceil(round(q * n, 9)))  # rounded, as 0.7 * 10 is 7.000000000000001
    index = max(rank, 1) - 1
    return ordered[..., index].astype(float)


def quantile_of_sorted(ordered: np.ndarray, q: float) -> np.ndarray:
    """Linearly interpolated quantile along the last, sorted axis, with infinite values allowed.

    It is that of `numpy.quantile` where all is finite. Between a finite and an infinite value it is
    the infinite one; of an empty sample it is nan.
    """
    n = ordered.shape[-1]
    if n == 0:
        return np.full(ordered.shape[:-1], np.nan)
    position = q * (n - 1)
    below = min(int(np.floor(position)), n - 1)
    above = min(below + 1, n - 1)
    a = ordered[..., below].astype(float)
    part = position - below
    if part == 0:
        return a

    b = ordered[..., above].astype(float)
    # inf - inf and 0 * inf are replaced below
    with np.errstate(invalid="ignore"):
        between = a + (b - a) * part

    # From -inf on it stays there, unless the next value is inf; equal values may both be infinite
    is_from_minus_inf = np.isneginf(a) & (b < np.inf)
    between = np.where(is_from_minus_inf, a, between)
    return np.where(a == b, a, between)
