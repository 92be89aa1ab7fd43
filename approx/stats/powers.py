"""Rates of approximation: how an error falls with width, depth, rows or steps, as a power law with
its interval.
"""

import numpy as np
import xarray as xr

from approx.stats.intervals import check_level
from approx.stats.labels import final, require_dims, variable, worst_value
from approx.stats.unseen import seed_weights, sorted_draws, tail_ends
from approx.stats.values import SHARES, check_statistic


def exponent(
    runs: xr.Dataset,
    along: str,
    of: str = "test_loss",
    statistic: str = "median",
    level: float = 0.95,
    resamples: int = 1000,
    rng: int = 0,
) -> xr.Dataset:
    """The power p of `error = c * along^p`, fitted to a statistic over seeds by least squares on
    logarithms.

    The interval weights seeds, at all points of the axis alike, as seeds are shared along it, and
    reckons with one more seed that may be 0 or inf at any point (see `unseen`). So it is unbounded
    below some 6 seeds for the median, and always for the mean, whose values have no largest, and
    for the best. It tells the noise of the seeds, not whether
    the law is one: compare `fitted` with `value`, and look at `bend`, the quadratic coefficient of
    the same logarithms, whose interval excludes 0 where it is not.

    Args:
        runs: variables over (..., along, seed, step?); `along` is a positive numeric coordinate.
        along: the axis, such as "width", "size" or "step" (every record after step 0).
        of: the variable, at its last record unless `along` is "step".
        statistic: "median", "iqm", "mean", or "best", the lowest over the seeds, which has no
            interval (a better seed may always come).
        level: probability of covering.
        resamples: number of draws of the weights of seeds.
        rng: seed of the draws.

    Returns:
        `exponent` (negative where the error falls), `low`, `high`, `bend`, `bend_low`, `bend_high`,
        `n` over (...), and `value`, `value_low`, `value_high`, `fitted` over (..., along). Where a
        statistic diverged the fit is nan.

    Raises:
        ValueError: fewer than three positive points, a statistic of 0, no such dimension.
    """
    check_level(level)
    values = (
        final(runs, of) if along != "step" else variable(runs, of).isel(step=runs.step.values > 0)
    )
    require_dims(values, [along, "seed"])
    x = np.asarray(values[along].values)
    if x.dtype.kind not in "fiu" or (x <= 0).any() or len(np.unique(x)) < 3:
        raise ValueError(
            f"a power law along {along!r} needs three different positive numbers; there are {x.tolist()}"
        )
    func = (lambda v: v.min(-1)) if statistic == "best" else check_statistic(statistic)
    logs = np.log(x.astype(float))
    centred = logs - logs.mean()
    powers = np.linalg.pinv(np.stack([np.ones_like(logs), centred], 1))
    bends = np.linalg.pinv(np.stack([np.ones_like(logs), centred, centred**2], 1))[2:]

    matrix = np.concatenate([powers, bends])  # level at the centre, power, bend

    def cell(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (3, 3) and points (along, 4) of one cell (along, seed): each with low and
        high.
        """
        value = func(table)
        if (value == 0).any():
            raise ValueError(
                f"{of!r} is exactly 0, which has no logarithm: leave that point out with .sel()"
            )
        below, above = drawn_points(table, statistic, resamples, rng)
        # A diverged statistic makes nan, as documented
        with np.errstate(invalid="ignore", divide="ignore"):
            estimate = matrix @ np.log(value)
            smallest, largest = combined(matrix, np.log(below), np.log(above))
            fitted = np.exp(estimate[0] + estimate[1] * centred)
        numbers = np.stack([estimate, *tail_ends(smallest, largest, level)], -1)
        return numbers, np.stack([value, *tail_ends(below, above, level), fitted], -1)

    def fit(table: np.ndarray) -> tuple[np.ndarray, ...]:
        table = np.where(np.isnan(table), worst_value(of, None), table).astype(float)
        rows = [cell(one) for one in table.reshape(-1, *table.shape[-2:])]
        return tuple(
            np.stack(part).reshape(*table.shape[:-2], *part[0].shape)
            for part in zip(*rows, strict=True)
        )

    numbers, points = xr.apply_ufunc(
        fit,
        values,
        input_core_dims=[[along, "seed"]],
        output_core_dims=[["what", "end"], [along, "end_"]],
    )
    ends = ("", "low", "high")
    made = {name or "exponent": numbers.isel(what=1, end=i) for i, name in enumerate(ends)}
    made |= {f"bend_{name}".rstrip("_"): numbers.isel(what=2, end=i) for i, name in enumerate(ends)}
    made |= {
        name: points.isel(end_=i)
        for i, name in enumerate(("value", "value_low", "value_high", "fitted"))
    }
    result = xr.Dataset(made).assign(n=values.sizes["seed"]).assign_coords({along: values[along]})
    result.attrs = {
        "of": of,
        "along": along,
        "statistic": statistic,
        "level": level,
        "resamples": resamples,
    }
    return result


def drawn_points(
    table: np.ndarray, statistic: str, resamples: int, rng: int
) -> tuple[np.ndarray, np.ndarray]:
    """The statistic of every point (along, b) for weighted seeds, the unseen one at 0 and at inf;
    see `unseen`.
    """
    points, n = table.shape
    if statistic == "best":  # a better seed may always come, as near to 0 as one likes
        return np.zeros((points, resamples)), np.repeat(table.min(-1, keepdims=True), resamples, -1)
    blocks = [
        [sorted_draws(row, weights, SHARES[statistic], (0.0, np.inf)) for row in table]
        for weights in seed_weights(n, resamples, rng)
    ]
    low, high = (
        np.concatenate([np.stack([row[i] for row in rows]) for rows in blocks], -1) for i in (0, 1)
    )
    return low, high


def combined(
    matrix: np.ndarray, below: np.ndarray, above: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest sums (rows, b) of numbers that lie between `below` and `above` (along, b)."""
    factors = matrix[:, :, None]
    smallest = np.where(factors > 0, factors * below, factors * above)
    largest = np.where(factors > 0, factors * above, factors * below)
    unused = factors == 0
    return np.where(unused, 0.0, smallest).sum(1), np.where(unused, 0.0, largest).sum(1)
