"""Fit power laws: how an error falls with width, depth, rows or steps, with intervals."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import xarray as xr

from approx.stats.intervals import check_level
from approx.stats.labels import final, require_dims, variable, worst_value
from approx.stats.unseen import seed_weights, tail_ends
from approx.stats.unseen_sorted import Cumulative, sorted_draws
from approx.stats.values import SHARES, check_statistic

# The numbers of a cell, by row of the array `numbers` and by its columns (estimate, low, high)
POWER, BEND = 1, 2
ENDS = ("", "low", "high")
# The columns of the array `points` of a cell
POINT_NAMES = ("value", "value_low", "value_high", "fitted")


def exponent(
    runs: xr.Dataset,
    along: str,
    of: str = "test_loss",
    statistic: str = "median",
    level: float = 0.95,
    resamples: int = 1000,
    rng: int = 0,
) -> xr.Dataset:
    """Fit the power p of `error = c * along^p` to a statistic over seeds.

    The fit is by least squares on logarithms. For the interval seeds get random weights, the same
    at all points of the axis, because the points share their seeds; one more seed, which was not
    seen, may be 0 or inf at any point (see `stats/unseen.py`). So the interval is unbounded below
    some 6 seeds for the median, and always for the mean, whose values have no largest, and for the
    best. It tells the noise of the seeds, not whether the law is a power: compare `fitted` with
    `value`, and look at `bend`, the quadratic coefficient of the same logarithms. Where the
    interval of `bend` excludes 0, the law is no power.

    Args:
        runs: variables over (..., along, seed, step?); `along` is a positive numeric coordinate.
        along: the axis, such as "width", "size" or "step" (every record after step 0).
        of: the variable, at its last record unless `along` is "step".
        statistic: "median", "iqm", "mean", or "best", the lowest over the seeds, which has no
            lower end (a better seed may always come).
        level: probability of covering.
        resamples: number of draws of the weights of seeds.
        rng: seed of the draws.

    Returns:
        `exponent` (negative where the error falls), `low`, `high`, `bend`, `bend_low`, `bend_high`,
        `n` over (...), and `value`, `value_low`, `value_high`, `fitted` over (..., along). Where a
        statistic diverged the fit is nan.

    Raises:
        ValueError: `runs` is no Dataset or has no such variable or dimension, the axis has fewer
            than three different positive numbers, or a statistic is 0.

    Example:
        law = stats.exponent(runs, along="width")
        float(law.exponent), float(law.low), float(law.high)
    """
    check_level(level)
    values = _values_along(runs, of, along)
    statistic_of = _statistic(statistic)
    design = _design(_positive_axis(values, along))

    def fit_all(tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers (..., 3, 3) and points (..., along, 4) of the tables (..., along, seed)."""
        worst = worst_value(of, None)
        tables = np.where(np.isnan(tables), worst, tables).astype(float)
        grid = tables.shape[:-2]
        cells = tables.reshape(-1, *tables.shape[-2:])
        numbers, points = [], []
        for table in cells:
            value = statistic_of(table)
            check_positive(value, of)
            drawn = drawn_points(table, statistic, resamples, rng)
            numbers_of_cell, points_of_cell = _fit(value, drawn, design, level)
            numbers.append(numbers_of_cell)
            points.append(points_of_cell)
        return _on_grid(numbers, grid), _on_grid(points, grid)

    numbers, points = xr.apply_ufunc(
        fit_all,
        values,
        input_core_dims=[[along, "seed"]],
        output_core_dims=[["what", "end"], [along, "point"]],
    )
    result = _named(numbers, points)
    result = result.assign(n=values.sizes["seed"])
    result = result.assign_coords({along: values[along]})
    result.attrs = {
        "of": of,
        "along": along,
        "statistic": statistic,
        "level": level,
        "resamples": resamples,
    }
    return result


def _on_grid(arrays: list[np.ndarray], grid: tuple[int, ...]) -> np.ndarray:
    """The arrays of all cells as one, over the dimensions of the grid and their own."""
    own = arrays[0].shape
    return np.stack(arrays).reshape(*grid, *own)


def _values_along(runs: xr.Dataset, of: str, along: str) -> xr.DataArray:
    """The variable over the axis and the seeds: its last record, or all after step 0."""
    if along == "step":
        values = variable(runs, of)
        values = values.isel(step=runs.step.values > 0)
    else:
        values = final(runs, of)
    require_dims(values, [along, "seed"])
    return values


def _positive_axis(values: xr.DataArray, along: str) -> np.ndarray:
    """The numbers of the axis.

    Raises:
        ValueError: they are no three different positive numbers.
    """
    x = np.asarray(values[along].values)
    if not _can_carry_a_power(x):
        raise ValueError(
            f"a power law along {along!r} needs three different positive numbers; there are "
            f"{x.tolist()}"
        )
    return x.astype(float)


def _can_carry_a_power(x: np.ndarray) -> bool:
    """Whether these are positive numbers, at least three of them different."""
    if x.dtype.kind not in "fiu":
        return False
    if (x <= 0).any():
        return False
    return len(np.unique(x)) >= 3


def _statistic(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """The function that reduces the last axis of an array to the named statistic."""
    if name == "best":
        return lambda values: values.min(-1)
    return check_statistic(name)


def check_positive(value: np.ndarray, of: str) -> None:
    """Raise a ValueError where a statistic of the variable `of` is 0."""
    if (value == 0).any():
        raise ValueError(
            f"{of!r} is exactly 0, which has no logarithm: leave that point out with .sel()"
        )


class _Design(NamedTuple):
    """What the least-squares fits along one axis have in common.

    Attributes:
        centred: (along,), the logarithms of the axis less their mean.
        matrix: (3, along). Its product with the logarithms of the statistic is the level at the
            center, the power and the bend.
    """

    centred: np.ndarray
    matrix: np.ndarray


def _design(x: np.ndarray) -> _Design:
    """The matrix that fits a line, and the last coefficient of a parabola, to logarithms over x."""
    logs = np.log(x)
    centred = logs - logs.mean()
    ones = np.ones_like(logs)
    line = np.stack([ones, centred], 1)
    parabola = np.stack([ones, centred, centred**2], 1)

    # The rows of a pseudoinverse give the coefficients of a fit
    level_and_power = np.linalg.pinv(line)
    bend = np.linalg.pinv(parabola)[2:]
    return _Design(centred, np.concatenate([level_and_power, bend]))


def _fit(
    value: np.ndarray, drawn: tuple[np.ndarray, np.ndarray], design: _Design, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fit one cell.

    Args:
        value: (along,), the statistic.
        drawn: its draws (along, b) with the unseen seed at 0 and at inf, see `drawn_points`.
        design: what is fitted.
        level: probability of covering.

    Returns:
        Numbers (3, 3): level at the center, power and bend, each as estimate, low and high; and
        points (along, 4): the statistic, its low and high, and the fitted law.
    """
    below, above = drawn
    # The logarithms of a statistic that diverged make nan, as documented
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = design.matrix @ np.log(value)
        least = np.log(below)
        most = np.log(above)
        smallest, largest = combined(design.matrix, least, most)
        line = estimate[0] + estimate[POWER] * design.centred
        fitted = np.exp(line)

    low, high = tail_ends(smallest, largest, level)
    numbers = np.stack([estimate, low, high], -1)
    low, high = tail_ends(below, above, level)
    points = np.stack([value, low, high, fitted], -1)
    return numbers, points


def _named(numbers: xr.DataArray, points: xr.DataArray) -> xr.Dataset:
    """The arrays `numbers` (..., what, end) and `points` (..., along, point) as named variables."""
    made = {}
    for i, end in enumerate(ENDS):
        made[end or "exponent"] = numbers.isel(what=POWER, end=i)
    for i, end in enumerate(ENDS):
        name = f"bend_{end}".rstrip("_")
        made[name] = numbers.isel(what=BEND, end=i)
    for i, name in enumerate(POINT_NAMES):
        made[name] = points.isel(point=i)
    return xr.Dataset(made)


def drawn_points(
    table: np.ndarray, statistic: str, resamples: int, rng: int
) -> tuple[np.ndarray, np.ndarray]:
    """The statistic at every point for weighted seeds, with the unseen seed at 0 and at inf.

    Args:
        table: (along, seed), one cell.
        statistic: its name.
        resamples: b, the number of draws. Every draw weights the seeds alike at all points.
        rng: seed of the draws.

    Returns:
        Two arrays (along, b): the unseen seed at 0, and at inf.
    """
    if statistic == "best":
        return _draws_of_best(table, resamples)
    share = SHARES[statistic]
    low, high = [], []
    for weights in seed_weights(table.shape[1], resamples, rng):
        below, above = _draws_at_points(table, weights, share)
        low.append(below)
        high.append(above)
    return np.concatenate(low, -1), np.concatenate(high, -1)


def _draws_of_best(table: np.ndarray, resamples: int) -> tuple[np.ndarray, np.ndarray]:
    """The same for the best seed: a better one may always come, as near to 0 as one likes."""
    nothing = np.zeros((len(table), resamples))
    best = table.min(-1, keepdims=True)
    return nothing, np.repeat(best, resamples, -1)


def _draws_at_points(
    table: np.ndarray, weights: np.ndarray, share: Cumulative
) -> tuple[np.ndarray, np.ndarray]:
    """The statistic (points, draws) for some draws of the weights (draws, seeds + 1)."""
    below, above = [], []
    for row in table:
        lowest, highest = sorted_draws(row, weights, share, (0.0, np.inf))
        below.append(lowest)
        above.append(highest)
    return np.stack(below), np.stack(above)


def combined(
    matrix: np.ndarray, below: np.ndarray, above: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest values of `matrix @ v` for all v between `below` and `above`.

    Args:
        matrix: (rows, along).
        below: (along, b), the least v of each draw.
        above: (along, b), the greatest.

    Returns:
        Two arrays (rows, b).
    """
    factors = matrix[:, :, None]
    from_below = factors * below
    from_above = factors * above
    positive = factors > 0
    smallest = np.where(positive, from_below, from_above)
    largest = np.where(positive, from_above, from_below)
    # 0 times an infinite end is nan, but such a point takes no part
    unused = factors == 0
    smallest = np.where(unused, 0.0, smallest)
    largest = np.where(unused, 0.0, largest)
    return smallest.sum(1), largest.sum(1)
