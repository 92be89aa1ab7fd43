"""How many seeds: for an interval of wanted width, or to find a difference with a wanted power."""

from collections.abc import Callable

import numpy as np
import scipy
import xarray as xr
from numpy.typing import ArrayLike

from approx.stats.intervals import check_level, clopper_pearson, wilson

# ---- how many seeds for an interval --------------------------------------------------------------


def seeds_for_width(
    rate: ArrayLike, width: ArrayLike, level: float = 0.95, interval: str = "exact"
) -> np.ndarray:
    """Smallest number of seeds with which a rate is known to within +-width, if looked at once.

    The width is the larger distance from the rate to an end of its interval, at the expected number
    of successes.

    Args:
        rate: expected rates, 0.5 if nothing is known (the most expensive).
        width: wanted distances, broadcast against `rate`.
        level: probability of covering.
        interval: "exact" or "wilson".

    Returns:
        Numbers of seeds, integers.

    Raises:
        ValueError: rates lie outside [0, 1], widths outside (0, 1), or the interval is unknown.

    Example:
        int(stats.seeds_for_width(0.9, 0.05))
    """
    p = np.asarray(rate, float)
    w = np.asarray(width, float)
    p, w = np.broadcast_arrays(p, w)
    if not (_all_between(p, 0, 1) and np.all((w > 0) & (w < 1))):
        raise ValueError(
            f"rates must lie in [0, 1] and widths in (0, 1), got rate={rate!r} and width={width!r}"
        )
    if interval not in ("wilson", "exact"):
        raise ValueError(f"interval must be wilson or exact, got {interval!r}")
    check_level(level)

    def reached(n: np.ndarray) -> np.ndarray:
        low, high = _expected_interval(p, n, level, interval)
        return np.maximum(p - low, high - p) <= w

    return _smallest(reached, np.ones(p.shape, int))


def _all_between(values: np.ndarray, least: float, most: float) -> bool:
    """Whether all values lie between two numbers, the numbers among them."""
    return bool(np.all((values >= least) & (values <= most)))


def _expected_interval(
    p: np.ndarray, n: np.ndarray, level: float, interval: str
) -> tuple[np.ndarray, np.ndarray]:
    """The interval at the expected number of successes, which may be fractional."""
    k = p * n
    n = n.astype(float)
    if interval == "wilson":
        return wilson(k, n, level)
    low, high = clopper_pearson(k, n, level)
    low = np.where(k <= 0, 0.0, low)
    high = np.where(k >= n, 1.0, high)
    return low, high


def plan(
    rates: ArrayLike = (0.5, 0.8, 0.95),
    widths: ArrayLike = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2),
    level: float = 0.95,
    interval: str = "exact",
) -> xr.Dataset:
    """How many seeds each rate and width take: `seeds_for_width` as a labelled table.

    Args:
        rates: expected rates.
        widths: wanted distances.
        level: as for `seeds_for_width`.
        interval: as for `seeds_for_width`.

    Returns:
        `n` over (rate, width).

    Raises:
        ValueError: as for `seeds_for_width`.

    Example:
        stats.plan().n.sel(rate=0.8, width=0.05)
    """
    p = np.atleast_1d(np.asarray(rates, float))
    w = np.atleast_1d(np.asarray(widths, float))
    n = seeds_for_width(p[:, None], w, level, interval)
    return xr.Dataset(
        {"n": (("rate", "width"), n)},
        {"rate": p, "width": w},
        {"level": level, "interval": interval},
    )


def _smallest(reached: Callable[[np.ndarray], np.ndarray], first: np.ndarray) -> np.ndarray:
    """Smallest integers with which a condition holds, by doubling and then by bisection.

    Args:
        reached: whether the condition holds with each of several integers; if it holds with one,
            it must hold with all larger ones.
        first: the least integers allowed.
    """
    high = first.copy()
    ok = reached(high)
    while not np.all(ok):
        high = np.where(ok, high, 2 * high)
        ok = reached(high)

    is_doubled = high > first
    low = np.where(is_doubled, high // 2, first - 1)  # too few
    while np.any(high - low > 1):
        middle = (low + high) // 2
        ok = reached(np.maximum(middle, 1)) & (middle >= first)
        low = np.where(ok, low, middle)
        high = np.where(ok, middle, high)
    return high


# ---- how many seeds for a comparison -------------------------------------------------------------


def power(
    n: int, rate_a: float, rate_b: float, correlation: float = 0.0, level: float = 0.95
) -> float:
    """Probability that McNemar's exact test on n common seeds finds a difference of two rates.

    It is the test of `compare`. The probability is exact: the number of seeds on which the two
    recipes disagree is binomial, and given it, so is the test's statistic.

    Args:
        n: seeds.
        rate_a: success rate of the one recipe.
        rate_b: success rate of the other.
        correlation: of the two successes on one seed (phi); 0 if a seed says nothing about both.
        level: 1 - level is the size of the test.

    Raises:
        ValueError: rates lie outside [0, 1], or cannot have this correlation.

    Example:
        stats.power(200, 0.8, 0.9)  # how likely 200 seeds show a difference of ten percent
    """
    only_a, only_b = _disagreements(rate_a, rate_b, correlation)
    either = only_a + only_b
    if either == 0 or n < 1:
        return 0.0

    # For each number of disagreements m: at which counts of successes of a alone it rejects
    m = np.arange(*_bulk(n, either))
    critical = _critical_count(m, 1 - check_level(level))

    # How likely these are, a being the one that succeeds with this probability
    share = only_a / either
    few = scipy.stats.binom.cdf(critical, m, share)
    many = scipy.stats.binom.sf(m - critical - 1, m, share)
    found = np.where(critical >= 0, few + many, 0.0)

    # The mean over the numbers of disagreements
    weights = scipy.stats.binom.pmf(m, n, either)
    return float(np.sum(weights * found))


def _critical_count(disagreeing: np.ndarray, size: float) -> np.ndarray:
    """The largest count c at which the test rejects, -1 if it never does.

    It rejects where twice the smaller tail of Binomial(m, 1/2) is at most its size: at counts up to
    c, and from m - c on, of m disagreements.
    """
    c = scipy.stats.binom.ppf(size / 2, disagreeing, 0.5)
    is_small_enough = 2 * scipy.stats.binom.cdf(c, disagreeing, 0.5) <= size
    return np.where(is_small_enough, c, c - 1)


def _bulk(n: int, p: float) -> tuple[int, int]:
    """The range of counts of Binomial(n, p) that matter: 10 standard deviations and 20 counts."""
    mean = n * p
    deviation = np.sqrt(n * p * (1 - p))
    spread = 10 * deviation + 20
    least = max(0, int(mean - spread))
    most = min(n, int(mean + spread))
    return least, most + 1


def _disagreements(rate_a: float, rate_b: float, correlation: float) -> tuple[float, float]:
    """P(only a succeeds) and P(only b succeeds) from two rates and the correlation on one seed.

    Raises:
        ValueError: rates lie outside [0, 1], or cannot have this correlation.
    """
    if not (0 <= rate_a <= 1 and 0 <= rate_b <= 1):
        raise ValueError(f"rates must lie between 0 and 1, got {rate_a} and {rate_b}")

    # The four outcomes of a seed; the correlation moves probability between them
    variance_a = rate_a * (1 - rate_a)
    shared = correlation * np.sqrt(variance_a * rate_b * (1 - rate_b))
    only_a = rate_a * (1 - rate_b) - shared
    only_b = rate_b * (1 - rate_a) - shared
    both = rate_a * rate_b + shared
    neither = (1 - rate_a) * (1 - rate_b) + shared
    if min(only_a, only_b, both, neither) < -1e-12:
        raise ValueError(
            f"rates {rate_a} and {rate_b} cannot have the correlation {correlation}; try one "
            "nearer to 0"
        )
    return max(only_a, 0.0), max(only_b, 0.0)


def seeds_for_power(
    rate_a: float,
    rate_b: float,
    power_wanted: float = 0.8,
    correlation: float = 0.0,
    level: float = 0.95,
) -> int:
    """Number of common seeds with which `compare` is likely to find the difference of two rates.

    Searched with the exact `power`, whose small steps down are ignored; the usual normal
    approximation (R. J. Connor, Biometrics 43, 1987) gives a little less.

    Args:
        rate_a: success rate of the one recipe.
        rate_b: success rate of the other.
        power_wanted: the probability of finding the difference.
        correlation: as for `power`.
        level: as for `power`.

    Raises:
        ValueError: the rates are equal, so that no number of seeds can tell them apart, and what
            `power` raises.

    Example:
        stats.seeds_for_power(0.8, 0.9)
    """
    check_level(power_wanted)
    if rate_a == rate_b:
        raise ValueError(
            f"both rates are {rate_a}: no number of seeds tells equal rates apart; give the "
            "smallest difference that matters"
        )

    def reached(n: np.ndarray) -> np.ndarray:
        powers = [power(int(k), rate_a, rate_b, correlation, level) for k in n]
        return np.array(powers) >= power_wanted

    return int(_smallest(reached, np.array([1]))[0])
