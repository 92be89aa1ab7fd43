"""Confidence intervals for a difference of two shares on the same seeds, on plain arrays.

Of n seeds `only_a` succeed with a alone, `only_b` with b alone, and the rest with both or neither.
The difference is P(only a) - P(only b). Its interval depends on a nuisance parameter, the rate of
disagreement P(only a) + P(only b).
"""

import numpy as np
import scipy
from numpy.typing import ArrayLike

from approx.stats.intervals import binomial_interval, check_level
from approx.stats.unseen import shares_difference_interval

PAIRED_INTERVALS = ("weighted", "score", "exact")
# Share of a tail's probability spent on the rate of disagreement; any number from 0 to 1 is honest
SPENT = 0.02
# Rates of disagreement at which the largest tail is sought, both ends of their interval among them
RATES = 65
NEGLIGIBLE = 1e-12  # probability that is left out of a sum, and added to it as a whole
TOLERANCE = 1e-9  # of the exact limit, which is moved outwards by as much
HALVINGS = 50  # of the score interval: they bring its error below 1e-14


def check_paired(interval: str) -> str:
    """Return the name of an interval, or raise a ValueError that lists the names."""
    if interval not in PAIRED_INTERVALS:
        raise ValueError(f"interval must be one of {', '.join(PAIRED_INTERVALS)}; got {interval!r}")
    return interval


def paired_interval(
    only_a: ArrayLike,
    only_b: ArrayLike,
    n: ArrayLike,
    level: float = 0.95,
    interval: str = "weighted",
) -> tuple[np.ndarray, np.ndarray]:
    """Two-sided confidence interval for the difference of two paired proportions.

    "weighted" weights the seeds at random and reckons with one more, on which either may succeed
    alone (see `unseen`): at 95% it covers at least 95.8% for n from 1 to 50. "score" is T. Tango's
    (Statistics in Medicine 17, 1998), which covers as often as it says on average, and at 95% as
    little as 90.0%. "exact" never covers less often than it says, whatever the rates (see
    `exact_lower`), and takes a few hundredths of a second for each pair of counts.

    Args:
        only_a: how many seeds succeed with a alone, any shape.
        only_b: how many succeed with b alone.
        n: numbers of seeds. Where n = 0 the interval is [-1, 1].
        level: probability of covering.
        interval: "weighted", "score" or "exact".

    Returns:
        The lower and upper ends.

    Raises:
        ValueError: an unknown interval or level, or counts that are negative or add up to more than
            n.

    Example:
        >>> low, high = paired_interval(20, 2, 64, level=0.998, interval="exact")
    """
    check_level(level)
    check_paired(interval)
    counts = [np.asarray(one, float) for one in (only_a, only_b, n)]
    a, b, n = np.broadcast_arrays(*counts)
    possible = (a >= 0) & (b >= 0) & (a + b <= n)
    if not possible.all():
        raise ValueError("only_a and only_b must be counts of at least 0 that add up to at most n")
    if interval == "score":
        return tango(a, b, n, level)
    if interval == "weighted":
        return _weighted(a, b, n, level)
    return _exact(a, b, n, level)


def _weighted(
    a: np.ndarray, b: np.ndarray, n: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """The interval "weighted" of arrays of counts, for each number of seeds at once."""
    low = np.empty(a.shape)
    high = np.empty(a.shape)
    for size in np.unique(n):
        here = n == size
        ends = shares_difference_interval(a[here], b[here], int(size), level)
        low[here], high[here] = ends
    return low, high


def _exact(
    a: np.ndarray, b: np.ndarray, n: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """The interval "exact" of arrays of counts, one after another."""
    low = np.empty(a.shape)
    high = np.empty(a.shape)
    for place in np.ndindex(a.shape):
        counts = float(a[place]), float(b[place])
        size = float(n[place])
        low[place] = exact_lower(*counts, size, level)
        high[place] = -exact_lower(*counts[::-1], size, level)
    return low, high


# ---- the score interval --------------------------------------------------------------------------


def tango(
    a: np.ndarray, b: np.ndarray, n: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Tango's score interval by bisection; [-1, 1] without seeds.

    Args:
        a: how many seeds succeed with a alone, any shape.
        b: how many succeed with b alone.
        n: numbers of seeds.
        level: probability of covering.

    Returns:
        The lower and upper ends.
    """
    z = scipy.special.ndtri((1 + level) / 2)
    estimate = (a - b) / np.maximum(n, 1)
    ends = []
    for sign in (1.0, -1.0):
        inside = estimate.copy()
        outside = np.full(estimate.shape, -sign)
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            kept = sign * score(a, b, n, middle) <= z
            inside = np.where(kept, middle, inside)
            outside = np.where(kept, outside, middle)
        ends.append((inside + outside) / 2)
    return ends[0], ends[1]


def score(
    a: np.ndarray, b: np.ndarray, n: np.ndarray | float, difference: np.ndarray | float
) -> np.ndarray:
    """Tango's score statistic under a given difference.

    The rate of disagreement is set to its maximum likelihood under that difference.
    """
    product = difference * (1 - difference)
    # P(only b) is the larger root of 2 n p² + linear p + constant = 0
    linear = -a - b + (2 * n - a + b) * difference
    constant = -b * difference * (1 - difference)
    discriminant = linear**2 - 8 * n * constant
    root = np.sqrt(np.maximum(discriminant, 0))
    rate_b = (root - linear) / np.maximum(4 * n, 1)
    variance = n * (2 * rate_b + product)
    deviation = np.sqrt(np.maximum(variance, 1e-300))
    return (a - b - n * difference) / deviation


# ---- the exact interval --------------------------------------------------------------------------


def exact_lower(a: float, b: float, n: float, level: float) -> float:
    """Lower confidence limit for P(only a) - P(only b).

    It lies below the true difference with a probability of at least (1 + level) / 2.

    Outcomes are ordered by Tango's lower limit: those with a limit at least as high as the observed
    one speak at least as much for a large difference. The limit is the least difference under which
    such an outcome is not rarer than the tail, at any rate of disagreement (R. J. Buehler, JASA 52,
    1957; C. J. Lloyd and M. V. Moldovan, Statistics in Medicine 26, 2007). Only rates of
    disagreement inside their exact interval are looked at, and the probability that this misses the
    true rate is taken off the tail first (R. L. Berger and D. D. Boos, JASA 89, 1994).
    """
    if n == 0 or (a == 0 and b == n):
        return -1.0
    tail = (1 - level) / 2
    missed = SPENT * tail
    counts = np.asarray(a), np.asarray(b)
    limit = float(tango(*counts, np.asarray(n), level)[0])
    observed = float(score(*counts, n, limit))
    least = min(scipy.special.ndtri(1 - tail), observed)
    needed = least_wins(np.arange(n + 1), n, limit, least)
    low, high = binomial_interval(a + b, n, 1 - missed, "exact")
    rates = np.linspace(low, high, RATES)

    def excess(difference: float) -> float:
        return largest_tail(difference, needed, n, rates) - (tail - missed)

    estimate = (a - b) / n  # under the estimate the observed outcome is not rare
    root = float(scipy.optimize.brentq(excess, -1.0, estimate, xtol=TOLERANCE))
    return max(-1.0, root - TOLERANCE)


def least_wins(disagree: np.ndarray, n: float, limit: float, least: float) -> np.ndarray:
    """For each number of disagreements, the fewest wins of a whose score is large enough.

    Found by bisection, because the score grows with the wins.

    Args:
        disagree: numbers of disagreements (d,).
        n: number of seeds.
        limit: the difference under which the score is computed.
        least: the score that is needed.

    Returns:
        Numbers of wins (d,); one more than the disagreements where no number of wins suffices.
    """
    low = np.zeros(disagree.shape)
    high = disagree + 1.0
    for _ in range(int(np.ceil(np.log2(n + 2))) + 1):
        middle = np.floor((low + high) / 2)
        enough = score(middle, disagree - middle, n, limit) >= least
        searching = low < high
        high = np.where(searching & enough, middle, high)
        low = np.where(searching & ~enough, middle + 1, low)
    return high


def largest_tail(difference: float, wins: np.ndarray, n: float, rates: np.ndarray) -> float:
    """The largest probability, over rates of disagreement, of at least so many wins of a.

    A rate below |difference| is impossible; |difference| stands for it, so that the result grows
    with the difference.

    Args:
        difference: P(only a) - P(only b).
        wins: how many wins are needed for each number of disagreements from 0 to n, (n + 1,).
        n: number of seeds.
        rates: rates of disagreement, P(only a) + P(only b).
    """
    rates = np.maximum(rates, abs(difference))
    first = int(scipy.stats.binom.ppf(NEGLIGIBLE / 2, n, rates.min()))
    last = int(scipy.stats.binom.isf(NEGLIGIBLE / 2, n, rates.max()))
    disagree = np.arange(first, last + 1.0)
    needed = wins[first : last + 1]
    rates = rates[:, None]
    # The probability that a wins a disagreement
    relative = difference / np.maximum(rates, 1e-300)
    share = np.clip((1 + relative) / 2, 0, 1)
    # The tail of a binomial distribution, P(wins >= needed)
    failures = np.maximum(disagree - needed + 1, 1)
    beaten = scipy.special.betainc(np.maximum(needed, 1), failures, share)
    beaten = np.where(needed > disagree, 0.0, beaten)
    beaten = np.where(needed <= 0, 1.0, beaten)
    weights = scipy.stats.binom.pmf(disagree, n, rates)
    probability = (weights * beaten).sum(1)
    return float(probability.max()) + NEGLIGIBLE
