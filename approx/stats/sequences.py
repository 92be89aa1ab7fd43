"""Intervals of a rate that hold at every number of seeds at once, so that one may stop at will."""

from collections.abc import Callable

import numpy as np
import scipy
import xarray as xr
from numpy.typing import ArrayLike

from approx.stats.intervals import check_level, check_successes, wilson
from approx.stats.labels import reduce
from approx.stats.rates import reading

HALVINGS = 60  # of the bracket of an end of an interval


def confidence_sequence(
    successes: ArrayLike, n: ArrayLike, level: float = 0.95, width: float = 0.02
) -> tuple[np.ndarray, np.ndarray]:
    """Interval for a rate that holds at every n at once: look after each batch, stop at will.

    It holds all p with B(a + s, b + n - s) / (B(a, b) p^s (1 - p)^(n - s)) < 1 / (1 - level), where
    s are the successes, a = k p, b = k (1 - p) and k = 1 + p (1 - p) / width². For the true p the
    left side is a nonnegative martingale with mean 1, so by Ville's inequality it ever reaches the
    bound with probability 1 - level at most (H. Robbins, Annals of Mathematical Statistics 41,
    1970; beta-binomial mixture, centred at p, of S. Howard, A. Ramdas, J. McAuliffe and J. Sekhon,
    Annals of Statistics 49, 2021). This k makes the interval tightest about when it is `width` to
    either side: +-0.02 at a rate of one half takes 5,758 seeds, and 9,157 with the uniform prior.

    Args:
        successes: successes so far, any shape.
        n: seeds so far.
        level: probability that no interval ever misses.
        width: the distance it is tuned to, chosen beforehand; it holds whatever it is.

    Returns:
        The lower and upper ends; [0, 1] where n = 0.

    Raises:
        ValueError: counts lie outside 0..n, the level outside (0, 1), or the width is not positive.

    Example:
        low, high = stats.confidence_sequence(successes=180, n=200)
    """
    s = np.asarray(successes, float)
    n = np.asarray(n, float)
    s, n = np.broadcast_arrays(s, n)
    check_successes(s, n)
    if not width > 0:
        raise ValueError(f"width must be positive, got {width}; 0.02 stands for +-2%")
    bound = -np.log1p(-check_level(level))

    def inside(p: np.ndarray) -> np.ndarray:
        """Whether each p is in the interval: whether the logarithm of the martingale is small."""
        p = np.clip(p, 1e-12, 1 - 1e-12)
        k = 1 + p * (1 - p) / width**2
        a = k * p
        b = k * (1 - p)
        before = scipy.special.betaln(a, b)
        mixture = scipy.special.betaln(a + s, b + n - s) - before
        log_hits = scipy.special.xlogy(s, p)
        log_misses = scipy.special.xlog1py(n - s, -p)
        return mixture - log_hits - log_misses < bound

    # The interval reaches from the estimate to either side
    estimate = _share(s, n)
    lowest = np.full(s.shape, 0.0)
    highest = np.full(s.shape, 1.0)
    low = _boundary(inside, estimate, lowest)
    high = _boundary(inside, estimate, highest)
    return low, high


def _share(successes: np.ndarray, n: np.ndarray) -> np.ndarray:
    """The share of successes, one half where there are no seeds."""
    return np.where(n > 0, successes / np.maximum(n, 1), 0.5)


def _boundary(
    inside: Callable[[np.ndarray], np.ndarray], within: np.ndarray, beyond: np.ndarray
) -> np.ndarray:
    """Where a region ends, by bisection.

    Args:
        inside: whether each number of an array lies in the region.
        within: numbers in the region.
        beyond: where the search ends; itself the answer if it lies in the region.
    """
    whole = inside(beyond)
    end = beyond
    for _ in range(HALVINGS):
        middle = (within + end) / 2
        kept = inside(middle)
        within = np.where(kept, middle, within)
        end = np.where(kept, end, middle)
    return np.where(whole, beyond, end)


def enough(successes: ArrayLike, n: ArrayLike, width: float = 0.02, level: float = 0.95) -> bool:
    """True once every rate is known to within +-width, valid however often it was asked before.

    Both ends of `confidence_sequence` lie within `width` of successes / n. Peeking costs seeds:
    +-0.02 takes 5,758 of them at a rate of 0.5, 3,846 at 0.8 and 1,332 at 0.95, where one look at a
    number of seeds fixed beforehand takes 2,449, 1,671 and 632 (`seeds_for_width`).

    Args:
        successes: successes so far, a number or one for each cell of a grid.
        n: seeds so far.
        width: wanted distance, 0.02 for +-2%; the same at every call.
        level: probability that the rate at stopping is right to within `width`, for each cell by
            itself.

    Raises:
        ValueError: as for `confidence_sequence`.

    Example:
        while not stats.enough(successes, n):
            ...  # train another batch of seeds
    """
    low, high = confidence_sequence(successes, n, level, width)
    s = np.asarray(successes, float)
    estimate = _share(s, np.asarray(n, float))
    near_low = estimate - low <= width
    near_high = high - estimate <= width
    return bool(np.all(near_low & near_high))


def running_rate(
    hits: xr.Dataset | xr.DataArray, when: str = "last", level: float = 0.95, width: float = 0.02
) -> xr.Dataset:
    """The rate after the first n seeds, n = 1, 2, ..., with the confidence sequence.

    Wilson's interval stands beside it for comparison only: it covers less than its level near rates
    of 0 and 1, see `rate`.

    Args:
        hits: as `success` returns them.
        when: which success is meant, see `reading`.
        level: probability of covering.
        width: as for `confidence_sequence`.

    Returns:
        `rate`, `low`, `high` (valid at all n at once), `wilson_low`, `wilson_high` (valid at one n
        chosen before) over (..., n).

    Raises:
        ValueError: `hits` are none, or an option is out of range.

    Example:
        stats.running_rate(stats.success(runs, below=0.01)).rate.plot()
    """
    hit = reading(hits, when)
    seen = np.arange(1, hit.sizes["seed"] + 1)

    def run(values: np.ndarray) -> tuple[np.ndarray, ...]:
        successes = np.cumsum(values, -1).astype(float)
        share = successes / seen
        sequence = confidence_sequence(successes, seen, level, width)
        score = wilson(successes, seen.astype(float), level)
        return share, *sequence, *score

    names = ("rate", "low", "high", "wilson_low", "wilson_high")
    result = reduce(run, hit, names=names, new={"n": seen})
    result.attrs = {
        **hits.attrs,
        "when": when,
        "level": level,
        "width": width,
    }
    return result
