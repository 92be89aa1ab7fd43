"""Success: which seeds succeed, how many, and how that depends on what is called a success.

A seed is one draw from the population of trainings; its success is a Bernoulli variable. Raw losses are stored, success
is derived here, so that another threshold costs no training. What diverged (nan, inf) is a failure and stays in n.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from approx.stats.intervals import binomial_interval
from approx.stats.labels import Over, reduce, require_dims, variable

READINGS = ("last", "first", "sustained", "each")


def success(
    runs: xr.Dataset,
    below: ArrayLike | xr.DataArray | None = None,
    above: ArrayLike | xr.DataArray | None = None,
    of: str = "test_loss",
) -> xr.Dataset:
    """Mark the records at which a training succeeds, and between which two records it first did.

    hit = value <= below, or value >= above; a value that is not finite is no success. (So is a seed that joining two
    datasets filled with nan: keep the common seeds, with xarray.align, before.)

    Args:
        runs: variables over (..., seed, step), or (..., seed) after `pick`.
        below: largest value that counts as success, a number or a labelled array (one threshold per task, say).
        above: smallest value that counts as success (accuracies).
        of: the variable judged.

    Returns:
        `hit` (..., seed, step), bool, and the first hitting time in steps, known to lie in (lower, upper]:
        `lower` (..., seed), the last record before the first hit, and `upper`, the record of the first hit.
        A hit at step 0 has lower = upper = 0; no hit has lower = the last step and upper = inf (right-censored).

    Raises:
        ValueError: not exactly one threshold, a threshold that is nan, no such variable, no dimension `seed`.
    """
    if (below is None) == (above is None):
        raise ValueError(f"give one of below= and above=; got below={below!r}, above={above!r}")
    value = variable(runs, of)
    require_dims(value, ["seed"])
    given = below if above is None else above
    threshold = given if isinstance(given, xr.DataArray) else xr.DataArray(np.asarray(given, float))
    if bool(threshold.isnull().any()):
        raise ValueError("the threshold is nan; give a number, such as below=1.0")
    if np.issubdtype(value.dtype, np.floating):
        # In the precision of the data: float32's 0.9 lies below float64's, and an accuracy of 0.9 must reach above=0.9.
        with np.errstate(over="ignore"):  # a threshold beyond float32 admits every finite value
            threshold = threshold.astype(value.dtype)
    reached = value <= threshold if above is None else value >= threshold
    hits = xr.Dataset({"hit": reached & np.isfinite(value)})
    hits.attrs = {"of": of, "below" if above is None else "above": np.asarray(given).tolist()}
    if "step" in hits.dims:
        hits["lower"], hits["upper"] = first_hit(hits.hit)
    return hits


def first_hit(hit: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """The records (lower, upper] between which `hit` (..., step) first becomes true; (last step, inf) where never."""
    steps = np.asarray(hit.step, float)
    if steps.size == 0 or np.any(np.diff(steps) <= 0):
        raise ValueError(f"step must hold increasing records, got {steps.tolist()[:5]}; sort with runs.sortby('step')")

    def bounds(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        index = array.argmax(-1)
        never = (index == 0) & ~array[..., 0]
        before = np.where(never, steps[-1], steps[np.maximum(index - 1, 0)])
        return before, np.where(never, np.inf, steps[index])

    both = reduce(bounds, hit, over="step", names=("lower", "upper"))
    return both.lower, both.upper


def reading(hits: xr.Dataset | xr.DataArray, when: str = "last") -> xr.DataArray:
    """One truth value per seed: in success at the last record, at any record, or from its first hit to the end.

    Args:
        hits: what `success` returned, or its `hit`.
        when: "last": at the last record. "first": reached at some record. "sustained": reached, and never lost at a
            later record; sustained <= last <= first. "each": at every record, which keeps the dimension `step`.

    Raises:
        ValueError: an unknown reading, or a variable `hit` is missing.
    """
    hit = variable(hits, "hit") if isinstance(hits, xr.Dataset) else hits
    if when not in READINGS:
        raise ValueError(f"when must be one of {', '.join(READINGS)}; got {when!r}")
    if when == "each" or "step" not in hit.dims:
        return hit
    if when == "last":
        return hit.isel(step=-1, drop=True)
    if when == "first":
        return hit.any("step")
    falls = hit.isel(step=slice(None, -1)).values & ~hit.isel(step=slice(1, None)).values
    lost = hit.isel(step=slice(1, None)).copy(data=falls).any("step")
    return hit.isel(step=-1, drop=True) & ~lost


def rate(
    hits: xr.Dataset | xr.DataArray,
    over: Over = "seed",
    when: str = "last",
    interval: str = "exact",
    level: float = 0.95,
) -> xr.Dataset:
    """Share of successes with its confidence interval.

    Coverage of the nominal 95%, summed exactly over all outcomes. Exact: never below 95%, 96.5% on average at n = 100.
    Wilson: 95.1% on average over all rates, 93.0 to 97.0% for n >= 100 with at least 20 expected successes and 20
    expected failures, and nearer to 0 or 1 between 83.8 and 100% (it dips where n p = 0.18; at n = 5 and a rate of 2%
    it covers 90.4%). Both count independent trials: where one seed enters several times (over=("task", "seed")) and its
    outcomes are correlated, the interval is too narrow.

    Args:
        hits: what `success` returned (or a boolean array).
        over: the dimension or dimensions counted over.
        when: see `reading`; "each" gives the share at every record.
        interval: "exact" (never below the level) or "wilson" (a little shorter, nearest to the level on average).
        level: probability of covering.

    Returns:
        `rate`, `low`, `high`, `n`, `successes` over the other dimensions. Without seeds: nan in [0, 1] with n = 0.
    """

    def share(hit: np.ndarray) -> tuple[np.ndarray, ...]:
        k, n = np.count_nonzero(hit, axis=-1), hit.shape[-1]
        low, high = binomial_interval(k, n, level, interval)
        return k / n if n else np.full(k.shape, np.nan), low, high, np.full(k.shape, n), k

    result = reduce(share, reading(hits, when), over=over, names=("rate", "low", "high", "n", "successes"))
    result.attrs = {**hits.attrs, "when": when, "interval": interval, "level": level}
    return result


def profile(
    runs: xr.Dataset,
    of: str = "test_loss",
    thresholds: Sequence[float] | np.ndarray | None = None,
    over: Over = "seed",
    when: str = "last",
    above: bool = False,
    floor: float | xr.DataArray | None = None,
    interval: str = "exact",
    level: float = 0.95,
) -> xr.Dataset:
    """Share of successes as a function of the threshold: nobody has to believe in one threshold.

    The empirical distribution function of the final value (or of the best one), with a pointwise interval. Over
    ("task", "seed") it is the run-score distribution of R. Agarwal et al. (NeurIPS 2021); its interval is then
    conservative, because the tasks are strata.

    Args:
        runs: as for `success`.
        of: the variable judged.
        thresholds: where to evaluate; by default 101 values, spaced by their logarithm, over all finite values.
        over: the dimension or dimensions counted over.
        when: "last" judges the last record, "first" the best one.
        above: True where more is better (accuracies).
        floor: the smallest value the task allows in float32, handed on for drawing.
        interval: as for `rate`.
        level: as for `rate`.

    Returns:
        `rate`, `low`, `high`, `n`, `successes` over (threshold, ...), and `floor` where given.
    """
    if when not in ("last", "first"):
        raise ValueError(f"when must be 'last' or 'first' (the best record), got {when!r}")
    value = variable(runs, of)
    if "step" in value.dims:
        value = value.isel(step=-1, drop=True) if when == "last" else best_record(value, above)
    levels = default_thresholds(value.values) if thresholds is None else np.asarray(thresholds, float)
    kept = xr.Dataset({of: value})
    limit = "above" if above else "below"
    rates = [rate(success(kept, of=of, **{limit: t}), over, "last", interval, level) for t in levels.tolist()]
    result = xr.concat(rates, xr.DataArray(levels, dims="threshold", name="threshold"), combine_attrs="drop")
    result.attrs = {"of": of, "when": when, "above": int(above), "interval": interval, "level": level}
    return result if floor is None else result.assign(floor=floor)


def best_record(value: xr.DataArray, above: bool = False) -> xr.DataArray:
    """The best finite value over the records, nan where none is finite."""
    finite = value.where(np.isfinite(value), -np.inf if above else np.inf)
    best = finite.max("step") if above else finite.min("step")
    return best.where(np.isfinite(best))


def default_thresholds(values: np.ndarray, points: int = 101) -> np.ndarray:
    """Thresholds over the range of the finite values, by their logarithm unless some are negative.

    A loss of exactly 0 (underflow) lies below all of them.
    """
    finite = values[np.isfinite(values)].astype(float)
    if finite.size == 0 or not np.any(finite):
        return np.geomspace(1e-8, 1e2, points)
    if finite.min() < 0:
        return np.linspace(finite.min(), max(finite.max(), finite.min() + 1), points)
    low, high = finite[finite > 0].min(), finite.max()
    return np.geomspace(low, high, points) if low < high else np.geomspace(low / 10, 10 * high, points)


def pick(runs: xr.Dataset, by: str = "validation_loss", above: bool = False) -> xr.Dataset:
    """Pick each training's step on validation data, so that it can be judged on test data it was not chosen by.

    Args:
        runs: variables over (..., seed, step).
        by: the variable that chooses: its best record, the earliest of equals. Values that are not finite are never
            chosen; where none is finite, the last record is taken.
        above: True where more is better.

    Returns:
        All variables over (..., seed) at the picked records, with `step` (..., seed) as coordinate. It goes into
        `success`, `quantiles` and so on as `runs` does.

    Raises:
        ValueError: no variable of that name.
    """
    value = variable(runs, by)
    worst = -np.inf if above else np.inf
    value = value.where(np.isfinite(value), worst)
    index = value.argmax("step") if above else value.argmin("step")
    nothing = (value == worst).all("step")
    return runs.isel(step=index.where(~nothing, runs.sizes["step"] - 1).astype(int))
