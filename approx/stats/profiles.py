"""How the share of successes depends on what is called a success."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from approx.stats.labels import Over, final, variable
from approx.stats.rates import check_trained, rate, success, warn_of_untrained


# A public verb: what is judged (5 arguments), how it is counted (3), and a floor for its drawing
def profile(  # noqa: PLR0913
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

    This is the empirical distribution function of the final value (or of the best one), with a
    pointwise interval. A value that is not finite is a failure at every threshold; `success` says
    what that means after an outer join. Over ("task", "seed") it is the run-score distribution of
    R. Agarwal et al. (NeurIPS 2021); its interval is then conservative, because the tasks are
    strata.

    Args:
        runs: as for `success`.
        of: the variable judged.
        thresholds: where to evaluate; by default 101 values, spaced by their logarithm, over all
            finite values.
        over: the dimension or dimensions counted over.
        when: "last" judges the last record, "first" the best one.
        above: True where more is better (accuracies).
        floor: the smallest value the task allows in float32 (see `floors.float32_resolution`); it
            is put into the result so that a drawing can show it.
        interval: as for `rate`.
        level: as for `rate`.

    Returns:
        `rate`, `low`, `high`, `n`, `successes` over (threshold, ...), and `floor` where given.

    Raises:
        ValueError: an unknown `when`, and as `success`.

    Example:
        >>> stats.profile(runs, thresholds=[1e-4, 1e-3, 1e-2])
    """
    if when not in ("last", "first"):
        raise ValueError(f"when must be 'last' or 'first' (the best record), got {when!r}")
    value = variable(runs, of)
    check_trained(runs)
    warn_of_untrained(runs, of)
    if when == "last":
        value = final(runs, of)
    elif "step" in value.dims:
        value = best_record(value, above)
    if thresholds is None:
        thresholds = default_thresholds(value.values)
    levels = np.asarray(thresholds, float)
    judged = xr.Dataset({of: value})
    rates = []
    for threshold in levels.tolist():
        hits = _hits_at(threshold, judged, of, above)
        rates.append(rate(hits, over, "last", interval, level))
    axis = xr.DataArray(levels, dims="threshold", name="threshold")
    result = xr.concat(rates, axis, combine_attrs="drop")
    about = {"of": of, "when": when, "above": int(above)}
    result.attrs = about | {"interval": interval, "level": level}
    if floor is None:
        return result
    return result.assign(floor=floor)


def _hits_at(threshold: float, judged: xr.Dataset, of: str, above: bool) -> xr.Dataset:
    """The hits at one threshold, which successes are above or below."""
    if above:
        return success(judged, of=of, above=threshold)
    return success(judged, of=of, below=threshold)


def best_record(value: xr.DataArray, above: bool = False) -> xr.DataArray:
    """The best finite value over the records, nan where none is finite."""
    is_finite = np.isfinite(value)
    if above:
        best = value.where(is_finite, -np.inf).max("step")
    else:
        best = value.where(is_finite, np.inf).min("step")
    return best.where(np.isfinite(best))


def default_thresholds(values: np.ndarray, points: int = 101) -> np.ndarray:
    """Thresholds over the range of the finite values, by their logarithm unless some are negative.

    A loss of exactly 0 (underflow) lies below all of them.
    """
    finite = values[np.isfinite(values)].astype(float)
    if finite.size == 0 or not np.any(finite):
        return np.geomspace(1e-8, 1e2, points)
    high = finite.max()
    if finite.min() < 0:
        return np.linspace(finite.min(), max(high, finite.min() + 1), points)
    low = finite[finite > 0].min()
    if low < high:
        return np.geomspace(low, high, points)
    return np.geomspace(low / 10, 10 * high, points)
