"""Many recipes at once: discoveries among many tests, rankings that refuse to rank ties,
performance profiles.
"""

from itertools import combinations

import numpy as np
import xarray as xr
from scipy import stats

from approx.stats.comparisons import compare
from approx.stats.intervals import binomial_interval
from approx.stats.labels import Over, require_dims
from approx.stats.rates import rate
from approx.stats.resample import by_chunks
from approx.stats.times import RESAMPLES, time_to_success
from approx.stats.unseen import bounded_mean_interval


def discoveries(pvalues: xr.DataArray, rate: float = 0.05, method: str = "bh") -> xr.Dataset:
    """Control the false discovery rate over all p-values of a labelled array.

    Adjusted by `scipy.stats.false_discovery_control`: "bh" (Y. Benjamini and Y. Hochberg, JRSS B
    57, 1995), "by" (Benjamini and D. Yekutieli 2001) for tests that depend on each other in any
    way. Missing p-values (nan) are not counted as tests.

    Args:
        pvalues: p-values, any dimensions.
        rate: tolerated share of false ones among the discoveries.
        method: "bh" or "by".

    Returns:
        `adjusted` and `discovery` (adjusted <= rate), as `pvalues`.
    """
    values = np.asarray(pvalues, float)
    adjusted = np.full(values.shape, np.nan)
    known = ~np.isnan(values)
    if known.any():
        adjusted[known] = stats.false_discovery_control(values[known], method=method)
    result = xr.Dataset({"adjusted": pvalues.copy(data=adjusted)})
    result["discovery"] = result.adjusted <= rate
    result.attrs = {"rate": rate, "method": method}
    return result


def holm(pvalues: np.ndarray) -> np.ndarray:
    """Adjusted p-values that control the probability of any error, along the first axis (S. Holm,
    1979).
    """
    m = len(pvalues)
    order = np.argsort(pvalues, axis=0)
    factors = np.arange(m, 0, -1).reshape(-1, *[1] * (pvalues.ndim - 1))
    stepped = np.maximum.accumulate(np.take_along_axis(pvalues, order, 0) * factors, axis=0)
    adjusted = np.empty(pvalues.shape)
    np.put_along_axis(adjusted, order, np.minimum(stepped, 1.0), 0)
    return adjusted


def ranking(
    hits: xr.Dataset, dim: str = "recipe", when: str = "last", level: float = 0.95
) -> xr.Dataset:
    """Ranks by success rate that the seeds can tell apart; what they cannot tell apart shares
    ranks.

    All pairs are compared on their common seeds (exact McNemar, Holm's correction). A recipe's rank
    lies between 1 + the number of recipes shown to be better, and all but the number shown to be
    worse: the confidence sets of M. Mogstad, J. Romano, A. Shaikh and D. Wilhelm (Review of
        Economic Studies 91, 2024), simultaneous at `level`.

    Args:
        hits: what `success` returned, with the dimension `dim`.
        dim: the dimension whose entries are ranked.
        when: which success is meant, see `reading`.
        level: probability that all the rank intervals hold.

    Returns:
        `rate`, `low`, `high`, `n`, `successes`, and `rank_low`, `rank_high` over (dim, ...); 1 is
        best.
    """
    require_dims(hits, [dim])
    result = rate(hits, "seed", when, level=level)
    labels = list(result[dim].values)
    result["rank_low"] = xr.ones_like(result.rate, dtype=int)
    result["rank_high"] = xr.full_like(result.rate, len(labels), dtype=int)
    pairs = list(combinations(range(len(labels)), 2))
    if not pairs:
        return result
    found = [compare(hits, labels[i], labels[j], dim, when, level) for i, j in pairs]
    adjusted = holm(np.stack([np.asarray(c.pvalue) for c in found]))
    for (i, j), c, p in zip(pairs, found, adjusted, strict=True):
        better = (np.asarray(c.difference) > 0) & (p <= 1 - level)
        worse = (np.asarray(c.difference) < 0) & (p <= 1 - level)
        for position, lost, won in ((i, worse, better), (j, better, worse)):
            result["rank_low"].loc[{dim: labels[position]}] += lost
            result["rank_high"].loc[{dim: labels[position]}] -= won
    result.attrs["test"] = "McNemar, exact, Holm"
    return result


def performance_profile(
    hits: xr.Dataset,
    ratios: np.ndarray | None = None,
    dim: str = "recipe",
    over: Over = "seed",
    level: float = 0.95,
) -> xr.Dataset:
    """Share of problems that a recipe solves within a factor of the fastest recipe (E. D. Dolan and
    J. J. More, 2002).

    A problem is one seed (on one task, with over=("task", "seed")); r = steps / steps of the
    fastest recipe on it, by records, at least one step. At ratio 1: how often it is the fastest; at
    the right end: how often it succeeds. The interval is Clopper and Pearson's; with several tasks
    that of the mean over seeds of the share of tasks solved (see `unseen`), so seeds count and
    tasks are taken as fixed.

    Args:
        hits: what `success` returned, with records and the dimension `dim`.
        ratios: factors, from 1; by default 61 values up to the largest one seen.
        dim: the dimension that holds the recipes.
        over: "seed", or several dimensions, one of which is "seed".
        level: probability of covering, pointwise.

    Returns:
        `profile`, `low`, `high`, `n` (problems) over (dim, ..., ratio).
    """
    over = [over] if isinstance(over, str) else list(over)
    require_dims(hits, [dim, *over])
    time = time_to_success(hits).upper.clip(min=1)
    with np.errstate(invalid="ignore"):  # inf / inf: nobody solved the problem
        relative = time / time.min(dim)
    relative = relative.where(relative.notnull(), np.inf)
    reached = relative.values[np.isfinite(relative.values)]
    factors = (
        np.geomspace(1, max(reached.max(initial=1.0), 1.01), 61)
        if ratios is None
        else np.asarray(ratios, float)
    )
    others = [d for d in over if d != "seed"]
    size = int(np.prod([relative.sizes[d] for d in others])) if others else 1

    def share(r: np.ndarray) -> tuple[np.ndarray, ...]:  # (..., tasks, seeds)
        solved = np.stack([(r <= factor + 1e-12).mean(-2) for factor in factors], -2)
        n = solved.shape[-1]
        p = solved.mean(-1) if n else np.full(solved.shape[:-1], np.nan)
        if size == 1:
            low, high = binomial_interval(np.rint(p * n) if n else np.zeros(p.shape), n, level)
        else:
            low, high = by_chunks(
                lambda x: bounded_mean_interval(x, x, (0.0, 1.0), level, RESAMPLES), solved
            )
        return p, low, high, np.full(p.shape, n * size)

    problems = (
        relative.stack(problem_=others, create_index=False)
        if others
        else relative.expand_dims("problem_")
    )
    names = ("profile", "low", "high", "n")
    outputs = xr.apply_ufunc(
        share,
        problems,
        input_core_dims=[["problem_", "seed"]],
        output_core_dims=[["ratio"]] * len(names),
    )
    result = xr.Dataset(dict(zip(names, outputs, strict=True))).assign_coords(ratio=factors)
    result.attrs = {**hits.attrs, "level": level}
    return result
