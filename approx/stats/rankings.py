"""Many recipes at once: discoveries among many tests, rankings, and performance profiles.

A ranking refuses to rank what the seeds cannot tell apart.
"""

from itertools import combinations

import numpy as np
import scipy
import xarray as xr

from approx.stats.comparisons import compare
from approx.stats.intervals import binomial_interval
from approx.stats.labels import Over, dimensions, require_dims
from approx.stats.rates import rate, truth
from approx.stats.resample import by_chunks
from approx.stats.times import RESAMPLES, time_to_success
from approx.stats.unseen import bounded_mean_interval

FACTORS = 61  # points of a performance profile by default


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

    Raises:
        ValueError: something other than an xarray.DataArray.

    Example:
        >>> stats.discoveries(stats.compare(hits, "adam", "sgd").pvalue).discovery
    """
    if not isinstance(pvalues, xr.DataArray):
        kind = type(pvalues).__name__
        raise ValueError(
            f"this takes p-values as an xarray.DataArray, such as stats.compare(...).pvalue, not "
            f"{kind}"
        )
    adjusted = _adjusted(np.asarray(pvalues, float), method)
    result = xr.Dataset({"adjusted": pvalues.copy(data=adjusted)})
    result["discovery"] = result.adjusted <= rate
    result.attrs = {"rate": rate, "method": method}
    return result


def _adjusted(pvalues: np.ndarray, method: str) -> np.ndarray:
    """The p-values adjusted for the false discovery rate; nan stays nan and does not count."""
    adjusted = np.full(pvalues.shape, np.nan)
    known = ~np.isnan(pvalues)
    if known.any():
        adjusted[known] = scipy.stats.false_discovery_control(pvalues[known], method=method)
    return adjusted


def holm(pvalues: np.ndarray) -> np.ndarray:
    """Adjusted p-values that control the probability of any error (S. Holm, 1979).

    Args:
        pvalues: p-values (m, ...) of m tests along the first axis.

    Returns:
        The adjusted p-values, of the same shape.
    """
    m = len(pvalues)
    order = np.argsort(pvalues, axis=0)
    other_axes = [1] * (pvalues.ndim - 1)
    factors = np.arange(m, 0, -1).reshape(-1, *other_axes)
    scaled = np.take_along_axis(pvalues, order, 0) * factors
    stepped = np.maximum.accumulate(scaled, axis=0)
    adjusted = np.empty(pvalues.shape)
    np.put_along_axis(adjusted, order, np.minimum(stepped, 1.0), 0)
    return adjusted


def ranking(
    hits: xr.Dataset, dim: str = "recipe", when: str = "last", level: float = 0.95
) -> xr.Dataset:
    """Ranks by success rate; recipes that the seeds cannot tell apart share ranks.

    All pairs are compared on their common seeds (exact McNemar, Holm's correction). The best rank
    that a recipe can have is 1 + the number of recipes shown to be better, and its worst rank is
    the number of recipes without those shown to be worse: the confidence sets of M. Mogstad, J.
    Romano, A. Shaikh and D. Wilhelm (Review of Economic Studies 91, 2024), simultaneous at `level`.

    Args:
        hits: what `success` returned, with the dimension `dim`.
        dim: the dimension whose entries are ranked.
        when: which success is meant, see `reading`.
        level: probability that all the rank intervals hold.

    Returns:
        `rate`, `low`, `high`, `n`, `successes`, and `rank_low`, `rank_high` over (dim, ...); 1 is
        best.

    Raises:
        ValueError: no hits, no dimension `dim`, and as `rate`.

    Example:
        >>> stats.ranking(stats.success(runs, below=1e-3))
    """
    require_dims(truth(hits), [dim], option="dim")
    result = rate(hits, "seed", when, level=level)
    labels = list(result[dim].values)
    result["rank_low"] = xr.ones_like(result.rate, dtype=int)
    result["rank_high"] = xr.full_like(result.rate, len(labels), dtype=int)
    pairs = list(combinations(labels, 2))
    if not pairs:
        return result
    found = [compare(hits, a, b, dim, when, level) for a, b in pairs]
    pvalues = [np.asarray(one.pvalue) for one in found]
    adjusted = holm(np.stack(pvalues))
    for (a, b), one, p in zip(pairs, found, adjusted, strict=True):
        difference = np.asarray(one.difference)
        told_apart = p <= 1 - level
        better = (difference > 0) & told_apart
        worse = (difference < 0) & told_apart
        result["rank_low"].loc[{dim: a}] += worse
        result["rank_high"].loc[{dim: a}] -= better
        result["rank_low"].loc[{dim: b}] += better
        result["rank_high"].loc[{dim: b}] -= worse
    result.attrs["test"] = "McNemar, exact, Holm"
    return result


# ---- performance profiles ------------------------------------------------------------------------


def performance_profile(
    hits: xr.Dataset,
    ratios: np.ndarray | None = None,
    dim: str = "recipe",
    over: Over = "seed",
    level: float = 0.95,
) -> xr.Dataset:
    """Share of problems that a recipe solves within a factor of the fastest recipe.

    As E. D. Dolan and J. J. More (2002) define it. A problem is one seed (on one task, with
    over=("task", "seed")); r = steps / steps of the fastest recipe on it, by records, at least one
    step. At ratio 1: how often it is the fastest; at the right end: how often it succeeds. The
    interval is Clopper and Pearson's. With several tasks it is that of the mean over seeds of the
    share of tasks solved (see `unseen`), so seeds count and tasks are taken as fixed.

    Args:
        hits: what `success` returned, with records and the dimension `dim`.
        ratios: factors, from 1; by default 61 values up to the largest one seen.
        dim: the dimension that holds the recipes.
        over: "seed", or several dimensions, one of which is "seed".
        level: probability of covering, pointwise.

    Returns:
        `profile`, `low`, `high`, `n` (problems) over (dim, ..., ratio).

    Raises:
        ValueError: no hits, a dimension that is missing, and as `time_to_success`.

    Example:
        >>> stats.performance_profile(stats.success(runs, below=1e-3))
    """
    hit = truth(hits)
    require_dims(hit, [dim], option="dim")
    require_dims(hit, dimensions(over), option="over")
    relative = relative_times(hits, dim)
    if ratios is None:
        ratios = default_ratios(relative.values)
    factors = np.asarray(ratios, float)
    others = [name for name in dimensions(over) if name != "seed"]
    if others:
        problems = relative.stack(problem_=others, create_index=False)
    else:
        problems = relative.expand_dims("problem_")

    def share(r: np.ndarray) -> tuple[np.ndarray, ...]:
        return _solved_within(r, factors, level)

    names = ("profile", "low", "high", "n")
    outputs = xr.apply_ufunc(
        share,
        problems,
        input_core_dims=[["problem_", "seed"]],
        output_core_dims=[["ratio"]] * len(names),
    )
    result = xr.Dataset(dict(zip(names, outputs, strict=True)))
    result = result.assign_coords(ratio=factors)
    result.attrs = {**hits.attrs, "level": level}
    return result


def relative_times(hits: xr.Dataset, dim: str) -> xr.DataArray:
    """Steps to success divided by those of the fastest recipe along `dim`; inf without success."""
    time = time_to_success(hits).upper.clip(min=1)
    with np.errstate(invalid="ignore"):  # inf / inf: nobody solved the problem
        relative = time / time.min(dim)
    return relative.where(relative.notnull(), np.inf)


def default_ratios(relative: np.ndarray) -> np.ndarray:
    """Factors from 1 to the largest finite one of `relative`, spaced by their logarithm."""
    reached = relative[np.isfinite(relative)]
    largest = reached.max(initial=1.0)
    return np.geomspace(1, max(largest, 1.01), FACTORS)


def _solved_within(
    relative: np.ndarray, factors: np.ndarray, level: float
) -> tuple[np.ndarray, ...]:
    """Share of problems that are solved within each factor of the fastest recipe.

    Args:
        relative: times relative to the fastest recipe (..., tasks, seeds).
        factors: (f,).
        level: probability of covering.

    Returns:
        The share, the ends of its interval, and the number of problems, each (..., f).
    """
    tasks, n = relative.shape[-2:]
    # For each seed the share of tasks that are solved, (..., f, seeds)
    shares = [(relative <= factor + 1e-12).mean(-2) for factor in factors]
    solved = np.stack(shares, -2)
    shape = solved.shape[:-1]
    p = np.full(shape, np.nan)
    counts = np.zeros(shape)
    if n:
        p = solved.mean(-1)
        counts = np.rint(p * n)

    def of_means(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return bounded_mean_interval(x, x, (0.0, 1.0), level, RESAMPLES)

    if tasks == 1:
        low, high = binomial_interval(counts, n, level)
    else:
        low, high = by_chunks(of_means, solved)
    return p, low, high, np.full(shape, n * tasks)
