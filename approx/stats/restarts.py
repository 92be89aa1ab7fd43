"""After how many steps to give up a training for a new seed, and what this gains.

Steps are counted to the record that shows success, since nobody can stop before seeing it.
"""

import numpy as np
import xarray as xr

from approx.stats.costs import ert_interval, ratio, ratio_of_ratios
from approx.stats.labels import Over, reduce, reduce_in_chunks, refuse_names
from approx.stats.resample import stacked
from approx.stats.times import time_to_success
from approx.stats.unseen import means_interval


def best_cutoff(hits: xr.Dataset, over: Over = "seed") -> xr.Dataset:
    """After how many steps an unsuccessful training is best given up for a new seed.

    This is the cut-off c (a record after step 0, the first one too where step 0 is not recorded)
    with the smallest expected cost sum min(T, c) / #(T <= c). Among all restart strategies for a
    known distribution, a fixed cut-off is optimal (M. Luby, A. Sinclair, D. Zuckerman, Information
    Processing Letters 47, 1993). The minimum is chosen on the same seeds, so `best_cost` is
    optimistic; `restart_gain` is not.

    Args:
        hits: what `success` returned, with records.
        over: the dimension or dimensions of the sample.

    Returns:
        `best_cutoff`, `best_cost` (steps) and `n`; nan and inf where no seed succeeds.

    Raises:
        ValueError: no record after step 0, and as `time_to_success`.

    Example:
        >>> stats.best_cutoff(hits).best_cutoff
    """
    times = time_to_success(hits)
    records = possible_cutoffs(hits)

    def choose(upper: np.ndarray) -> tuple[np.ndarray, ...]:
        cutoff, cost = _cheapest(expected_costs(upper, records), records)
        return cutoff, cost, np.full(cutoff.shape, upper.shape[-1])

    return reduce(choose, times.upper, over=over, names=("best_cutoff", "best_cost", "n"))


def possible_cutoffs(hits: xr.Dataset) -> np.ndarray:
    """The records at which a training can be given up: all but step 0, where nothing is spent."""
    steps = np.asarray(hits.step, float)
    if not (steps > 0).any():
        raise ValueError(
            "no record after step 0, so there is no cut-off to choose; record more steps"
        )
    return steps[steps > 0]


def expected_costs(upper: np.ndarray, cutoffs: np.ndarray) -> np.ndarray:
    """Expected steps until success if every try is stopped at a cut-off.

    Args:
        upper: times to success (..., n), inf where it never came.
        cutoffs: numbers of steps (c,).

    Returns:
        The costs, (..., c).
    """
    costs = [_expected_cost(upper, cutoff) for cutoff in cutoffs]
    return np.stack(costs, -1)


def _expected_cost(upper: np.ndarray, cutoff: float) -> np.ndarray:
    """Steps spent per success if every try is stopped at one cut-off."""
    spent = np.minimum(upper, cutoff).sum(-1)
    successes = np.count_nonzero(upper <= cutoff, -1)
    return ratio(spent, successes)


def _cheapest(costs: np.ndarray, cutoffs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The earliest cheapest cut-off and its cost, from costs (..., c) of cut-offs (c,)."""
    filled = np.where(np.isnan(costs), np.inf, costs)
    best = filled.argmin(-1)
    least = np.take_along_axis(costs, best[..., None], -1)
    cost = least[..., 0]
    cutoff = np.where(np.isfinite(cost), cutoffs[best], np.nan)
    return cutoff, cost


def restart(
    hits: xr.Dataset, over: Over = "seed", level: float = 0.95, resamples: int = 1000, rng: int = 0
) -> xr.Dataset:
    """Expected cost for each cut-off, the best cut-off, and what restarting there gains.

    Args:
        hits: what `success` returned, with records.
        over: the dimension or dimensions of the sample.
        level: probability of covering, pointwise in the cut-off.
        resamples: number of draws of the weights of seeds.
        rng: seed of the draws.

    Returns:
        `cost`, `low`, `high` over (..., cutoff), and what `best_cutoff` and `restart_gain` return,
        the latter's interval as `gain_low` and `gain_high`.

    Raises:
        ValueError: no record after step 0, and as `time_to_success`.

    Example:
        >>> stats.restart(hits).cost.plot(x="cutoff")
    """
    all_upper = time_to_success(hits).upper
    records = possible_cutoffs(hits)

    def chunk(upper: np.ndarray) -> tuple[np.ndarray, ...]:
        ends = []
        for cutoff in records:
            spent = np.minimum(upper, cutoff)
            hit = (upper <= cutoff).astype(float)
            ends.append(ert_interval(spent, hit, cutoff, level, resamples, rng))
        low, high = stacked(ends)
        return expected_costs(upper, records), low, high

    new = {"cutoff": records.astype(hits.step.dtype)}
    names = ("cost", "low", "high")
    curve = reduce_in_chunks(chunk, all_upper, over=over, names=names, new=new)
    gain = restart_gain(hits, over, level, resamples, rng)
    refuse_names(gain.dims, ("gain_low", "gain_high"))
    gain = gain.rename(low="gain_low", high="gain_high")
    parts = [curve, best_cutoff(hits, over), gain]
    result = xr.merge(parts, compat="override", combine_attrs="drop")
    result.attrs = {**hits.attrs, "level": level, "resamples": resamples}
    return result


# ---- what restarting gains -----------------------------------------------------------------------


def restart_gain(
    hits: xr.Dataset, over: Over = "seed", level: float = 0.95, resamples: int = 1000, rng: int = 0
) -> xr.Dataset:
    """How many times fewer steps success costs if trainings are restarted at the best cut-off.

    The gain is ERT without cut-off / ERT with it; below 1 restarting early does not pay. It is
    cross-fitted: each half of the seeds (even and odd positions) is judged by the cut-off that is
    best on the other half, so choosing does not flatter it.

    The interval is for given cut-offs, and reckons with one more seed that succeeds at once, late
    or never (see `unseen`). Fewer than four seeds tell nothing: nan in [0, inf].

    Args:
        hits: what `success` returned, with records.
        over: the dimension or dimensions of the sample.
        level: probability of covering.
        resamples: number of draws of the weights of seeds.
        rng: seed of the draws.

    Returns:
        `gain`, `low`, `high`, `n`.

    Raises:
        ValueError: no record after step 0, and as `time_to_success`.

    Example:
        >>> stats.restart_gain(hits).gain
    """
    all_upper = time_to_success(hits).upper
    records = possible_cutoffs(hits)

    def chunk(upper: np.ndarray) -> tuple[np.ndarray, ...]:
        gain, low, high = _gain(upper, records, level, resamples, rng)
        return gain, low, high, np.full(len(upper), upper.shape[-1])

    names = ("gain", "low", "high", "n")
    result = reduce_in_chunks(chunk, all_upper, over=over, names=names)
    result.attrs = {**hits.attrs, "level": level, "resamples": resamples}
    return result


def _gain(
    upper: np.ndarray, records: np.ndarray, level: float, resamples: int, rng: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gain of the best cut-off over none and its interval, (cells,), from times (cells, n)."""
    cells, n = upper.shape
    if n < 4:
        return _unknown_gain(cells)
    limit = _limits(upper, records)
    end = float(records[-1])
    columns = [
        np.minimum(upper, end),
        np.isfinite(upper).astype(float),
        np.minimum(upper, limit),
        (upper <= limit).astype(float),
    ]
    gain = ratio_of_ratios(*(column.sum(-1) for column in columns))
    even_half = limit[:, 0:1]
    odd_half = limit[:, 1:2]
    unseen = _extreme_seeds(even_half, end) + _extreme_seeds(odd_half, end)
    low, high = means_interval(ratio_of_ratios, columns, unseen, level, resamples, rng)
    return gain, np.maximum(low, 0.0), high


def _unknown_gain(cells: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gain and its interval (cells,) for too few seeds to learn a cut-off from."""
    gain = np.full(cells, np.nan)
    low = np.zeros(cells)
    high = np.full(cells, np.inf)
    return gain, low, high


def _limits(upper: np.ndarray, records: np.ndarray) -> np.ndarray:
    """For each seed the cut-off that is best on the other half of the seeds, (cells, n)."""
    limit = np.empty(upper.shape)
    for half in (0, 1):
        other_half = upper[:, 1 - half :: 2]
        limit[:, half::2] = _learned_cutoff(other_half, records)[:, None]
    return limit


def _learned_cutoff(upper: np.ndarray, records: np.ndarray) -> np.ndarray:
    """The best cut-off (cells,) of some seeds, or the last record if they teach nothing."""
    cutoff, _ = _cheapest(expected_costs(upper, records), records)
    # A half without success teaches nothing: there is no cut-off then
    return np.where(np.isnan(cutoff), records[-1], cutoff)


def _extreme_seeds(limit: np.ndarray, end: float) -> list[tuple[np.ndarray | float, ...]]:
    """Seeds that were not seen and would change the gain most.

    They succeed at once, at the cut-off `limit`, just after it, at the last step `end`, and never.

    Returns:
        For each such seed its steps and success without a cut-off, then with the cut-off.
    """
    after = np.minimum(limit + 1, end)
    # A success after the cut-off is lost, but there is none after a cut-off at the last step
    found = 1 - (limit < end).astype(float)
    return [
        (0.0, 1.0, 0.0, 1.0),
        (limit, 1.0, limit, 1.0),
        (after, 1.0, limit, found),
        (end, 1.0, limit, found),
        (end, 0.0, limit, 0.0),
    ]
