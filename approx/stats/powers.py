"""Rates of approximation: how an error falls with width, depth, rows or steps, as a power law with its interval."""

import numpy as np
import xarray as xr

from approx.stats.intervals import check_level
from approx.stats.labels import final, require_dims, variable, worst_value
from approx.stats.resample import percentile_interval, resampled
from approx.stats.values import check_statistic


def exponent(
    runs: xr.Dataset,
    along: str,
    of: str = "test_loss",
    statistic: str = "median",
    level: float = 0.95,
    resamples: int = 1000,
    rng: int = 0,
) -> xr.Dataset:
    """The power p of `error = c * along^p`, fitted to a statistic over seeds by least squares on logarithms.

    The interval is a percentile bootstrap over seeds, all points of the axis by the same draws, as seeds are shared
    along it. It tells the noise of the seeds, not whether the law is one: compare `fitted` with `value`, and look at
    `bend`, the quadratic coefficient of the same logarithms, whose interval excludes 0 where it is not.

    Args:
        runs: variables over (..., along, seed, step?); `along` is a positive numeric coordinate.
        along: the axis, such as "width", "size" or "step" (every record after step 0).
        of: the variable, at its last record unless `along` is "step".
        statistic: "median", "iqm", "mean", or "best", the lowest over the seeds, whose bootstrap interval is too narrow
            (no resample holds a better one).
        level: probability of covering.
        resamples: number of bootstrap resamples.
        rng: seed of the resamples.

    Returns:
        `exponent` (negative where the error falls), `low`, `high`, `bend`, `bend_low`, `bend_high`, `n` over (...), and
        `value`, `value_low`, `value_high`, `fitted` over (..., along). Where a statistic diverged the fit is nan.

    Raises:
        ValueError: fewer than three positive points, a statistic of 0, no such dimension.
    """
    check_level(level)
    values = final(runs, of) if along != "step" else variable(runs, of).isel(step=runs.step.values > 0)
    require_dims(values, [along, "seed"])
    x = np.asarray(values[along].values)
    if x.dtype.kind not in "fiu" or (x <= 0).any() or len(np.unique(x)) < 3:
        raise ValueError(f"a power law along {along!r} needs three different positive numbers; there are {x.tolist()}")
    func = (lambda v: v.min(-1)) if statistic == "best" else check_statistic(statistic)
    logs = np.log(x.astype(float))
    centred = logs - logs.mean()
    powers = np.linalg.pinv(np.stack([np.ones_like(logs), centred], 1))
    bends = np.linalg.pinv(np.stack([np.ones_like(logs), centred, centred**2], 1))[2:]

    def cell(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (3, 3) and points (along, 4) of one cell (along, seed): each with low and high."""
        value, samples = func(table), resampled(func, table, resamples, rng)
        if (value == 0).any():
            raise ValueError(f"{of!r} is exactly 0, which has no logarithm: leave that point out with .sel()")
        matrix = np.concatenate([powers, bends])  # level at the centre, power, bend
        with np.errstate(invalid="ignore", divide="ignore"):  # a diverged statistic makes nan, as documented
            estimate, drawn = matrix @ np.log(value), matrix @ np.log(samples)
            fitted = np.exp(estimate[0] + estimate[1] * centred)
        numbers = np.stack([estimate, *percentile_interval(drawn, level)], -1)
        return numbers, np.stack([value, *percentile_interval(samples, level), fitted], -1)

    def fit(table: np.ndarray) -> tuple[np.ndarray, ...]:
        table = np.where(np.isnan(table), worst_value(of, None), table).astype(float)
        rows = [cell(one) for one in table.reshape(-1, *table.shape[-2:])]
        return tuple(np.stack(part).reshape(*table.shape[:-2], *part[0].shape) for part in zip(*rows, strict=True))

    numbers, points = xr.apply_ufunc(
        fit, values, input_core_dims=[[along, "seed"]], output_core_dims=[["what", "end"], [along, "end_"]]
    )
    ends = ("", "low", "high")
    made = {name or "exponent": numbers.isel(what=1, end=i) for i, name in enumerate(ends)}
    made |= {f"bend_{name}".rstrip("_"): numbers.isel(what=2, end=i) for i, name in enumerate(ends)}
    made |= {name: points.isel(end_=i) for i, name in enumerate(("value", "value_low", "value_high", "fitted"))}
    result = xr.Dataset(made).assign(n=values.sizes["seed"]).assign_coords({along: values[along]})
    result.attrs = {"of": of, "along": along, "statistic": statistic, "level": level, "resamples": resamples}
    return result
