"""Success: which seeds succeed, and how many of them.

A seed is one draw from the population of trainings; its success is a Bernoulli variable. Raw losses
are stored and success is derived here, so that another threshold costs no training. A training that
diverged (nan, inf) is a failure and stays in n.

Among hits, nan has another meaning: nobody knows whether that training succeeded, since it was
never judged. Every function that reads hits refuses them then (see `truth`), because a missing
training is neither a success nor a failure.
"""

import warnings
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from approx.stats.intervals import binomial_interval
from approx.stats.labels import Over, reduce, require_dims, variable, wrong_stage

READINGS = ("last", "first", "sustained", "each")
# Of float32's steps at 1: a share of n rows is off by fewer, and one row more or less by many more
SHARE_STEPS = 4
RATE_NAMES = ("rate", "low", "high", "n", "successes")  # what `rate` returns of each cell


def success(
    runs: xr.Dataset,
    below: ArrayLike | xr.DataArray | None = None,
    above: ArrayLike | xr.DataArray | None = None,
    of: str = "test_loss",
) -> xr.Dataset:
    """Mark the records at which a training succeeds.

    hit = value <= below, or value >= above. A value that is not finite is no success, because that
    is what diverged trainings hold. An accuracy may miss a threshold by rounding: 194 of 194 rows
    are 0.99999994 in float32, and reach above=1.0.

    An outer join of two datasets fills the seeds and records that one of them lacks with nan as
    well. Where the runs count their `evaluations`, this is told apart and refused, because no
    divergence makes a count nan. Otherwise these count as failures too, with a warning where a
    training is nan in every variable at every record, step 0 included: networks are seldom nan
    before they are trained. Before joining, keep what both have:
    `xarray.align(first, second, join="inner")`.

    Args:
        runs: variables over (..., seed, step), or (..., seed) after `pick`.
        below: largest value that counts as success, a number or a labelled array (one threshold per
            task, say).
        above: smallest value that counts as success (accuracies).
        of: the variable judged.

    Returns:
        `hit` (..., seed, step), bool. Times are derived from these records whenever they are read
        (see `time_to_success`), so hits may be cut or thinned: `hits.sel(step=slice(None, 100))`
        are the hits of trainings that were followed for 100 steps.

    Raises:
        ValueError: not exactly one threshold, a threshold that is nan or that lacks some labels of
            the runs, no such variable, no dimension `seed`, records that are not in increasing
            order, trainings or records that a join filled.

    Example:
        >>> hits = stats.success(runs, below=1.0)
        >>> stats.rate(hits)
    """
    if (below is None) == (above is None):
        raise ValueError(f"give one of below= and above=; got below={below!r}, above={above!r}")
    value = variable(runs, of)
    require_dims(value, ["seed"])
    if above is None:
        limit, given = "below", below
        reached = value <= threshold_of(below, value) + rounding_of(value)
    else:
        limit, given = "above", above
        reached = value >= threshold_of(above, value) - rounding_of(value)
    check_records(value)
    check_trained(runs)
    warn_of_untrained(runs, of)
    reached &= np.isfinite(value)  # in place: of a large map each of these is some 10 MB
    hits = xr.Dataset({"hit": reached})
    hits.attrs = {"of": of, limit: np.asarray(given).tolist()}
    return hits


def threshold_of(given: ArrayLike | xr.DataArray | None, value: xr.DataArray) -> xr.DataArray:
    """A threshold as a labelled array, checked, in the precision of the values that it judges.

    In float32, 0.9 lies below the 0.9 of float64, and an accuracy of 0.9 must reach above=0.9.
    """
    threshold = _labelled(given)
    check_threshold(threshold, value)
    if not np.issubdtype(value.dtype, np.floating):
        return threshold
    with np.errstate(over="ignore"):  # a threshold beyond float32 admits every finite value
        return threshold.astype(value.dtype)


def rounding_of(value: xr.DataArray) -> Any:
    """By how much an accuracy may be off, as the program computes it; 0 for other values.

    XLA multiplies the number of rows that are right by the rounded inverse of the number of rows.
    """
    if not str(value.name).endswith("accuracy") or not np.issubdtype(value.dtype, np.floating):
        return 0
    return value.dtype.type(SHARE_STEPS * np.finfo(value.dtype).eps)


def _labelled(given: ArrayLike | xr.DataArray | None) -> xr.DataArray:
    """A threshold as a labelled array; one without labels holds for all cells."""
    if isinstance(given, xr.DataArray):
        return given
    return xr.DataArray(np.asarray(given, float))


def check_threshold(threshold: xr.DataArray, value: xr.DataArray) -> None:
    """Raise a ValueError if a threshold is nan, or if some cells of `value` have no threshold.

    A comparison of two labelled arrays keeps the labels that both have, so cells without a
    threshold would vanish.
    """
    if bool(threshold.isnull().any()):
        raise ValueError("the threshold is nan; give a number, such as below=1.0")
    for dim in threshold.dims:
        labelled = dim in value.coords and dim in threshold.coords
        if dim not in value.dims or not labelled:
            continue
        lacking = np.setdiff1d(value[dim].values, threshold[dim].values)
        if lacking.size:
            few = ", ".join(map(str, lacking[:3]))
            which = f"{lacking.size} entries of {dim!r}: {few}"
            raise ValueError(f"there is no threshold for {which}")


# ---- what may be wrong with runs and hits --------------------------------------------------------


def check_records(array: xr.DataArray) -> None:
    """Raise a ValueError where the dimension `step`, if any, holds no increasing records."""
    if "step" not in array.dims:
        return
    _check_increasing(np.asarray(array.step, float))


def _check_increasing(steps: np.ndarray) -> None:
    """Raise a ValueError if there are no steps, or if they do not increase."""
    if steps.size == 0 or np.any(np.diff(steps) <= 0):
        few = steps.tolist()[:5]
        raise ValueError(f"step must hold increasing records, got {few}; sort with .sortby('step')")


def check_trained(runs: xr.Dataset) -> None:
    """Raise a ValueError where `evaluations`, a count, is nan: nothing was trained or recorded.

    Some recipes do not count them; where a cell of the grid has no count at all nothing is known.
    """
    counted = runs.get("evaluations")
    if counted is None or not {"seed", "step"} <= set(counted.dims):
        return
    missing = counted.isnull()
    if not missing.any():
        return
    missing &= counted.notnull().any(["seed", "step"])
    if missing.any():
        trainings = missing.any("step")
        raise ValueError(
            f"{int(trainings.sum())} of {trainings.size} trainings have records that were never "
            "made: their evaluations are nan, which no divergence does. An outer join fills what "
            "one side lacks so; they are no failures. Keep the seeds and records that both sides "
            "have before joining: xarray.align(first, second, join='inner')"
        )


def warn_of_untrained(runs: xr.Dataset, of: str) -> None:
    """Warn of trainings that are nan in every variable from step 0 on: a join may make them."""
    value = runs[of]
    if "step" not in value.dims or value.step[0] != 0:
        return
    untrained = value.isnull().all("step")
    for name in runs.data_vars:
        if not untrained.any():
            return
        if "seed" not in runs[name].dims:
            continue
        missing = runs[name].isnull()
        inner = [dim for dim in missing.dims if dim not in untrained.dims]
        untrained = untrained & missing.all(inner)
    if untrained.any():
        warnings.warn(
            f"{int(untrained.sum())} of {untrained.size} trainings are nan in every variable at "
            "every record, step 0 included. They count as failures. If they were never trained, as "
            "when an outer join fills the seeds that one side lacks, keep the common seeds before: "
            "xarray.align(first, second, join='inner')",
            stacklevel=3,
        )


def truth(hits: xr.Dataset | xr.DataArray) -> xr.DataArray:
    """The hits (..., seed, step?) as booleans. Every function that reads hits begins with this.

    Raises:
        ValueError: something other than hits; values that are neither true nor false; nan, which
            says that nobody knows whether the training succeeded; records that are not in
            increasing order.
    """
    hit = _hit_of(hits)
    check_records(hit)
    if hit.dtype == bool:
        return hit
    _check_none_missing(hit)
    _check_zero_or_one(hit.values)
    return hit.astype(bool)


def _hit_of(hits: xr.Dataset | xr.DataArray) -> xr.DataArray:
    """The array of hits: the variable `hit` of a Dataset, or an array as it is."""
    if isinstance(hits, xr.Dataset) and "hit" in hits.data_vars:
        return hits["hit"]
    if not isinstance(hits, xr.DataArray):
        raise wrong_stage(hits, "hits")
    return hits


def _check_none_missing(hit: xr.DataArray) -> None:
    """Raise a ValueError if hits are nan."""
    missing = hit.isnull()
    if missing.any():
        raise ValueError(_missing(missing))


def _check_zero_or_one(values: np.ndarray) -> None:
    """Raise a ValueError if hits that are numbers are others than 0 and 1."""
    wrong = values[(values != 0) & (values != 1)]
    if wrong.size:
        raise ValueError(
            f"hits are true or false (1 or 0), and there is {wrong[0]}: call hits = "
            "ap.stats.success(runs, below=...) first, which compares losses with a threshold"
        )


def _missing(missing: xr.DataArray) -> str:
    """How many hits are missing, and what to do: for trainings without any record, or with some."""
    whole = missing
    if "step" in missing.dims:
        whole = missing.all("step")
    if not whole.any():
        return _missing_records(missing)
    return (
        f"{int(whole.sum())} of {whole.size} trainings have nan instead of a hit: nobody knows "
        "whether they succeeded, as when an outer join fills the seeds that one side lacks. "
        "They count neither as successes nor as failures: leave their seeds out with "
        "hits.dropna('seed'), or join with join='inner'"
    )


def _missing_records(missing: xr.DataArray) -> str:
    """At which records hits are missing of trainings that have hits at others."""
    others = [dim for dim in missing.dims if dim != "step"]
    steps = missing.step.values[missing.any(others).values]
    return (
        f"hits are missing (nan) at {steps.size} of {missing.sizes['step']} records, the first at "
        f"step {steps[0]}, as when an outer join puts trainings with different records together: "
        "keep the records that all have with hits.dropna('step'), or join with join='inner'"
    )


# ---- the share of successes ----------------------------------------------------------------------


def reading(hits: xr.Dataset | xr.DataArray, when: str = "last") -> xr.DataArray:
    """One truth value per seed: whether the training counts as a success.

    Hits with one record for each training (after `pick`, say) are returned as they are, whatever
    `when` is.

    Args:
        hits: what `success` returned, or its `hit`; nan, a missing training, is refused.
        when: "last": in success at the last record. "first": in success at any record.
            "sustained": in success from its first hit to the last record; sustained <= last <=
            first. "each": one value for every record, so the dimension `step` stays.

    Returns:
        Booleans (..., seed), or (..., seed, step) for "each".

    Raises:
        ValueError: an unknown reading, no hits, or hits that are nan (see `truth`).

    Example:
        >>> stats.reading(hits, "first").mean("seed")
    """
    hit = truth(hits)
    if when not in READINGS:
        raise ValueError(f"when must be one of {', '.join(READINGS)}; got {when!r}")
    if when == "each" or "step" not in hit.dims:
        return hit
    if when == "last":
        return hit.isel(step=-1, drop=True)
    if when == "first":
        return hit.any("step")
    return hit.isel(step=-1, drop=True) & ~_was_lost(hit)


def _was_lost(hit: xr.DataArray) -> xr.DataArray:
    """Whether a training that was in success at one record was not at the next."""
    earlier = hit.isel(step=slice(None, -1))
    later = hit.isel(step=slice(1, None))
    return later.copy(data=earlier.values & ~later.values).any("step")


def rate(
    hits: xr.Dataset | xr.DataArray,
    over: Over = "seed",
    when: str = "last",
    interval: str = "exact",
    level: float = 0.95,
) -> xr.Dataset:
    """Share of successes with its confidence interval.

    Coverage of the nominal 95%, summed exactly over all outcomes. Exact: never below 95%, and 96.5%
    on average at n = 100. Wilson: 95.1% on average over all rates, 93.0 to 97.0% for n >= 100 with
    at least 20 expected successes and 20 expected failures, and nearer to 0 or 1 between 83.8 and
    100% (it dips where n p = 0.18; at n = 5 and a rate of 2% it covers 90.4%).

    Both count independent trials. Where one seed enters several times (over=("task", "seed")) and
    its outcomes are correlated, the interval is too narrow.

    Args:
        hits: what `success` returned (or a labelled array of booleans). A hit that is nan is
            refused: its training is missing, and neither a success nor a failure.
        over: the dimension or dimensions counted over.
        when: see `reading`; "each" gives the share at every record.
        interval: "exact" (never below the level) or "wilson" (a little shorter, nearest to the
            level on average).
        level: probability of covering.

    Returns:
        `rate`, `low`, `high`, `n`, `successes` over the other dimensions. Without seeds: nan in [0,
        1] with n = 0.

    Raises:
        ValueError: no hits (runs, say), hits that are nan, no such dimension, an unknown reading or
            interval.

    Example:
        >>> stats.rate(stats.success(runs, below=1e-3), level=0.99)
    """

    def share(hit: np.ndarray) -> tuple[np.ndarray, ...]:
        k = np.count_nonzero(hit, axis=-1)
        return share_of(k, hit.shape[-1], level, interval)

    judged = reading(hits, when)
    result = reduce(share, judged, over=over, names=RATE_NAMES)
    result.attrs = {
        **hits.attrs,
        "when": when,
        "interval": interval,
        "level": level,
    }
    return result


def share_of(successes: np.ndarray, n: int, level: float, interval: str) -> tuple[np.ndarray, ...]:
    """The numbers of `RATE_NAMES` of cells that have `n` seeds each, from their successes."""
    low, high = binomial_interval(successes, n, level, interval)
    estimate = np.full(successes.shape, np.nan)
    if n:
        estimate = successes / n
    return estimate, low, high, np.full(successes.shape, n), successes
