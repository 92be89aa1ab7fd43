"""What success costs: expected running time with restarts, the best cut-off, and how many tries are
needed.

Steps are counted to the record that shows success, since nobody can stop before seeing it; with
finer records the cost would be a little smaller (`*_earliest` counts to the record before).
"""

import numpy as np
import xarray as xr

from approx.stats.intervals import check_level
from approx.stats.labels import Over, reduce
from approx.stats.rates import rate
from approx.stats.resample import by_chunks
from approx.stats.times import time_to_success
from approx.stats.unseen import means_interval


def ert(
    hits: xr.Dataset, over: Over = "seed", level: float = 0.95, resamples: int = 1000, rng: int = 0
) -> xr.Dataset:
    """Expected running time: all steps spent, by failures too, per success (N. Hansen et al., COCO,
    2021).

    ERT = sum of min(T, horizon) over seeds / number of successes: the mean steps until success if
    every failure is followed by a new seed. The interval reckons with one more seed, which may
    succeed at once or fail (see `unseen`): where all of n seeds succeed it allows for the failures
    that n seeds can miss, and it has a width where all succeed at one record. Without any success
    ERT and the upper end are inf, and the lower end is about horizon (1 - p) / p at the exact upper
    limit p of the rate. Measured coverage of the nominal 95% for n from 1 to 50 and rates of 0 to
    100%: see `experiments/summaries/coverage.md`.

    Args:
        hits: what `success` returned, with records.
        over: the dimension or dimensions of the sample.
        level: probability of covering.
        resamples: number of draws of the weights of seeds.
        rng: seed of the draws.

    Returns:
        `ert`, `ert_earliest`, `low`, `high`, `n`, `successes`, in steps. `high` is inf without
        success.
    """
    times = time_to_success(hits)
    horizon = float(times.horizon)

    def chunk(lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, ...]:
        spent, hit = np.minimum(upper, horizon), np.isfinite(upper).astype(float)
        low, high = ert_interval(spent, hit, horizon, level, resamples, rng)
        k, n = hit.sum(-1), np.full(len(hit), hit.shape[-1])
        return ratio(spent.sum(-1), k), ratio(lower.sum(-1), k), low, high, n, k.astype(int)

    names = ("ert", "ert_earliest", "low", "high", "n", "successes")
    result = reduce(
        lambda *a: by_chunks(chunk, *a), times.lower, times.upper, over=over, names=names
    )
    result.attrs = {**hits.attrs, "level": level, "resamples": resamples}
    return result


def ratio(spent: np.ndarray, successes: np.ndarray) -> np.ndarray:
    """Steps per success; inf where steps were spent without success, nan where there were no seeds
    at all.
    """
    some = successes > 0
    return np.where(some, spent / np.where(some, successes, 1), np.where(spent > 0, np.inf, np.nan))


def ratio_of_ratios(
    spent_a: np.ndarray, hit_a: np.ndarray, spent_b: np.ndarray, hit_b: np.ndarray
) -> np.ndarray:
    """One expected running time over another; nan where neither has a success."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return ratio(spent_a, hit_a) / ratio(spent_b, hit_b)


def ert_interval(
    spent: np.ndarray, hit: np.ndarray, horizon: float, level: float, resamples: int, rng: int
) -> tuple[np.ndarray, np.ndarray]:
    """Interval (cells,) of steps per success from arrays (cells, n): one more seed could succeed at
    once, or fail.
    """
    unseen = [(0.0, 1.0), (horizon, 0.0)]
    low, high = means_interval(ratio, (spent, hit), unseen, level, resamples, rng)
    return np.maximum(low, 0.0), high


def best_cutoff(hits: xr.Dataset, over: Over = "seed") -> xr.Dataset:
    """The number of steps after which an unsuccessful training is best given up and restarted with
    a new seed.

    The cut-off c (a record after step 0, the first one too where step 0 is not recorded) with the
    smallest expected cost sum min(T, c) / #(T <= c): among all restart strategies for a known
    distribution, a fixed cut-off is optimal (M. Luby, A. Sinclair, D. Zuckerman, Information
    Processing Letters 47, 1993). The minimum is chosen on the same seeds, so `best_cost` is
    optimistic; `restart_gain` is not.

    Returns:
        `best_cutoff`, `best_cost` (steps) and `n`; nan and inf where no seed succeeds.
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
    """Expected steps until success if every try is stopped at the cut-off: (..., cutoffs) from
    times (..., n).
    """
    costs = [ratio(np.minimum(upper, c).sum(-1), np.count_nonzero(upper <= c, -1)) for c in cutoffs]
    return np.stack(costs, -1)


def _cheapest(costs: np.ndarray, cutoffs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The earliest cheapest cut-off and its cost."""
    filled = np.where(np.isnan(costs), np.inf, costs)
    best = filled.argmin(-1)
    cost = np.take_along_axis(costs, best[..., None], -1)[..., 0]
    return np.where(np.isfinite(cost), cutoffs[best], np.nan), cost


def restart(
    hits: xr.Dataset, over: Over = "seed", level: float = 0.95, resamples: int = 1000, rng: int = 0
) -> xr.Dataset:
    """Expected cost as a function of the cut-off, the best cut-off, and what restarting there
    gains.

    Args:
        hits: what `success` returned, with records.
        over: the dimension or dimensions of the sample.
        level: probability of covering, pointwise in the cut-off.
        resamples: number of draws of the weights of seeds.
        rng: seed of the draws.

    Returns:
        `cost`, `low`, `high` over (..., cutoff), and what `best_cutoff` and `restart_gain` return,
        the latter's interval as `gain_low` and `gain_high`.
    """
    all_upper = time_to_success(hits).upper
    records = possible_cutoffs(hits)

    def chunk(upper: np.ndarray) -> tuple[np.ndarray, ...]:
        ends = []
        for c in records:
            spent, hit = np.minimum(upper, c), (upper <= c).astype(float)
            ends.append(ert_interval(spent, hit, c, level, resamples, rng))
        low, high = (np.stack(end, -1) for end in zip(*ends, strict=True))
        return expected_costs(upper, records), low, high

    new, names = {"cutoff": records.astype(hits.step.dtype)}, ("cost", "low", "high")
    curve = reduce(lambda x: by_chunks(chunk, x), all_upper, over=over, names=names, new=new)
    gain = restart_gain(hits, over, level, resamples, rng).rename(low="gain_low", high="gain_high")
    result = xr.merge(
        [curve, best_cutoff(hits, over), gain], compat="override", combine_attrs="drop"
    )
    result.attrs = {**hits.attrs, "level": level, "resamples": resamples}
    return result


def restart_gain(
    hits: xr.Dataset, over: Over = "seed", level: float = 0.95, resamples: int = 1000, rng: int = 0
) -> xr.Dataset:
    """How many times fewer steps success costs if unsuccessful trainings are restarted at the best
    cut-off.

    ERT without cut-off / ERT with it, cross-fitted: each half of the seeds (even and odd positions)
    is judged by the cut-off that is best on the other half, so choosing does not flatter it; below
    1 restarting early does not pay. The interval is for given cut-offs, and reckons with one more
    seed that succeeds at once, late or never (see `unseen`). Fewer than four seeds tell nothing:
    nan in [0, inf].

    Returns:
        `gain`, `low`, `high`, `n`.
    """
    all_upper = time_to_success(hits).upper
    records = possible_cutoffs(hits)

    def chunk(upper: np.ndarray) -> tuple[np.ndarray, ...]:
        return *_gain(upper, records, level, resamples, rng), np.full(len(upper), upper.shape[-1])

    names = ("gain", "low", "high", "n")
    result = reduce(lambda x: by_chunks(chunk, x), all_upper, over=over, names=names)
    result.attrs = {**hits.attrs, "level": level, "resamples": resamples}
    return result


def _gain(
    upper: np.ndarray, records: np.ndarray, level: float, resamples: int, rng: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cross-fitted gain of the best cut-off over none, with its percentile interval; (cells,) from
    times (cells, n).
    """
    n = upper.shape[-1]
    if n < 4:
        nothing = np.full(len(upper), np.nan)
        return nothing, np.zeros(len(upper)), np.full(len(upper), np.inf)
    other = [
        _cheapest(expected_costs(upper[:, 1 - half :: 2], records), records)[0] for half in (0, 1)
    ]
    limit = np.empty(upper.shape)
    for half in (0, 1):  # a half without success teaches nothing: no cut-off then
        limit[:, half::2] = np.where(np.isnan(other[half]), records[-1], other[half])[:, None]
    never = np.minimum(upper, records[-1]), np.isfinite(upper).astype(float)
    early = np.minimum(upper, limit), (upper <= limit).astype(float)
    gain = ratio_of_ratios(*(column.sum(-1) for column in (*never, *early)))
    unseen = [one for half in (0, 1) for one in _extreme_seeds(limit[:, half : half + 1], records)]
    low, high = means_interval(ratio_of_ratios, (*never, *early), unseen, level, resamples, rng)
    return gain, np.maximum(low, 0.0), high


def _extreme_seeds(limit: np.ndarray, records: np.ndarray) -> list[tuple[np.ndarray | float, ...]]:
    """Steps and success without and with a cut-off, of seeds that succeed at once, at, just after
    it, and never.
    """
    end = float(records[-1])
    after = np.minimum(limit + 1, end)
    late = (limit < end).astype(float)
    return [
        (0.0, 1.0, 0.0, 1.0),
        (limit, 1.0, limit, 1.0),
        (after, 1.0, limit, 1 - late),
        (end, 1.0, limit, 1 - late),
        (end, 0.0, limit, 0.0),
    ]


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
    """
    check_level(probability)
    rates = rate(hits, over, when, level=level)

    def tries(p: xr.DataArray) -> xr.DataArray:
        with np.errstate(divide="ignore"):
            exact = np.log1p(-probability) / np.log1p(-p)
        # 1e-9: a rate of 0.95 needs one try, though the two logarithms differ in the last digit
        return np.ceil(exact.where(p > 0, np.inf) - 1e-9).clip(min=1).where(p.notnull())

    result = xr.Dataset(
        {
            "tries": tries(rates.rate),
            "low": tries(rates.high),
            "high": tries(rates.low),
            "n": rates.n,
        }
    )
    result.attrs = {**rates.attrs, "probability": probability}
    return result
