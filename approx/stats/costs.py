"""What success costs: expected running time with restarts, and how many tries.

Steps are counted to the record that shows success, since nobody can stop before seeing it. With
finer records the cost would be a little smaller (`*_earliest` counts to the record before).
"""

import numpy as np
import xarray as xr

from approx.stats.intervals import check_level
from approx.stats.labels import Over, reduce_in_chunks, refuse_names
from approx.stats.rates import rate
from approx.stats.times import time_to_success
from approx.stats.unseen import means_interval


def ert(
    hits: xr.Dataset, over: Over = "seed", level: float = 0.95, resamples: int = 1000, rng: int = 0
) -> xr.Dataset:
    """Expected running time: all steps spent, those of failures too, per success.

    ERT = sum of min(T, horizon) over seeds / number of successes (N. Hansen et al., COCO, 2021).
    This is the mean number of steps until success if every failure is followed by a new seed.

    The interval reckons with one more seed, which may succeed at once or fail (see `unseen`): where
    all of n seeds succeed it allows for the failures that n seeds can miss, and it has a width
    where all succeed at one record. Without any success ERT and the upper end are inf, and the
    lower end is about horizon (1 - p) / p at the exact upper limit p of the rate. Measured coverage
    of the nominal 95% for n from 1 to 50 and rates of 0 to 100%: see
    `experiments/summaries/coverage.md`.

    Args:
        hits: what `success` returned, with records.
        over: the dimension or dimensions of the sample.
        level: probability of covering.
        resamples: number of draws of the weights of seeds.
        rng: seed of the draws.

    Returns:
        `ert`, `ert_earliest`, `low`, `high`, `n`, `successes`, in steps. `high` is inf without
        success.

    Raises:
        ValueError: as `time_to_success`.

    Example:
        >>> stats.ert(stats.success(runs, below=1e-3)).ert
    """
    times = time_to_success(hits)
    horizon = float(times.horizon)

    def chunk(lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, ...]:
        cells, n = upper.shape
        spent = np.minimum(upper, horizon)
        hit = np.isfinite(upper).astype(float)
        low, high = ert_interval(spent, hit, horizon, level, resamples, rng)
        k = hit.sum(-1)
        latest = ratio(spent.sum(-1), k)
        earliest = ratio(lower.sum(-1), k)
        return latest, earliest, low, high, np.full(cells, n), k.astype(int)

    names = ("ert", "ert_earliest", "low", "high", "n", "successes")
    both = times.lower, times.upper
    result = reduce_in_chunks(chunk, *both, over=over, names=names)
    result.attrs = {**hits.attrs, "level": level, "resamples": resamples}
    return result


def ratio(spent: np.ndarray, successes: np.ndarray) -> np.ndarray:
    """Steps per success.

    It is inf where steps were spent without success, and nan where no steps were spent either.
    """
    some = successes > 0
    without = np.where(spent > 0, np.inf, np.nan)
    return np.where(some, spent / np.where(some, successes, 1), without)


def ratio_of_ratios(
    spent_a: np.ndarray, hit_a: np.ndarray, spent_b: np.ndarray, hit_b: np.ndarray
) -> np.ndarray:
    """One expected running time over another; nan where neither has a success."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return ratio(spent_a, hit_a) / ratio(spent_b, hit_b)


def ert_interval(
    spent: np.ndarray, hit: np.ndarray, horizon: float, level: float, resamples: int, rng: int
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of the steps per success, where one more seed could succeed at once, or fail.

    Args:
        spent: steps of each seed (cells, n).
        hit: 1.0 for a success and 0.0 for a failure (cells, n).
        horizon: steps of a failure.
        level: probability of covering.
        resamples: number of draws of the weights of seeds.
        rng: seed of the draws.

    Returns:
        The lower and upper ends, (cells,).
    """
    unseen = [(0.0, 1.0), (horizon, 0.0)]
    low, high = means_interval(ratio, (spent, hit), unseen, level, resamples, rng)
    return np.maximum(low, 0.0), high


# ---- how many seeds to train ---------------------------------------------------------------------


def tries_needed(
    hits: xr.Dataset,
    probability: float = 0.95,
    over: Over = "seed",
    when: str = "last",
    level: float = 0.95,
) -> xr.Dataset:
    """How many seeds to train so that at least one succeeds with the wanted probability.

    n = ceil(log(1 - probability) / log(1 - rate)); the interval is that of the rate (`rate`),
    carried over, since n falls as the rate grows.

    Args:
        hits: what `success` returned.
        probability: wanted probability of at least one success.
        over: the dimension or dimensions of the sample.
        when: which success is meant, see `reading`.
        level: probability of covering.

    Returns:
        `tries`, `low`, `high` (inf where the rate may be 0), `n`.

    Raises:
        ValueError: a probability outside (0, 1), and as `rate`.

    Example:
        >>> stats.tries_needed(hits, 0.99).tries
    """
    check_level(probability)
    rates = rate(hits, over, when, level=level)

    def tries(p: xr.DataArray) -> xr.DataArray:
        with np.errstate(divide="ignore"):
            exact = np.log1p(-probability) / np.log1p(-p)
        exact = exact.where(p > 0, np.inf)
        # 1e-9: a rate of 0.95 needs one try, though the two logarithms differ in the last digit
        return np.ceil(exact - 1e-9).clip(min=1).where(p.notnull())

    columns = {
        "tries": tries(rates.rate),
        "low": tries(rates.high),
        "high": tries(rates.low),
        "n": rates.n,
    }
    refuse_names(rates.rate.dims, columns)
    return xr.Dataset(columns, attrs={**rates.attrs, "probability": probability})
