"""Where the rate of success crosses one half along an axis, and how wide the crossing is.

A row is the cells along the axis at one setting of everything else. `boundary` finds the crossings
of every row, and fits a logistic curve to the cells around each.
"""

import math
from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
import scipy
import xarray as xr

from approx.stats.crossings import Crossing, Row, crossings
from approx.stats.intervals import check_level
from approx.stats.labels import check_rates, refuse_names, require_dims
from approx.stats.logistic import Cells, logistic, rate_of
from approx.stats.maps import check_axis, spaced_by_logarithm

NAMES = ("middle", "low", "high", "spread", "spread_low", "spread_high", "rising", "cells")
POSITIONS = ("middle", "low", "high")  # of these names: on the axis, not along it
FEW_TO_MOST = 2 * math.log(9)  # logits between rates of 10 and 90%: log(0.9 / 0.1) either side
NEARLY = 0.02  # a plateau's rate that is this near to 0 or 1 is taken to be 0 or 1


def boundary(
    rates: xr.Dataset,
    along: str,
    log: bool | None = None,
    level: float = 0.95,
    resamples: int = 200,
    rng: int = 0,
) -> xr.Dataset:
    """Where the rate of success crosses one half along an axis, and how wide the crossing is.

    A cell is decided where the interval of its rate excludes one half. There is a crossing between
    two decided cells of opposite sides if all cells between them are undecided. On either side of
    it lies a plateau; it begins at the first decided cell whose interval holds the extreme rate
    before the next crossing.

    The cells from plateau to plateau are fitted by `p = l + (r - l) / (1 + exp(-a - b x))`, l and r
    being the plateaus' rates (0 and 1 if within 2%) and x the axis or its logarithm. The fit is the
    maximum of the likelihood with Jeffreys' prior, which is finite where success and failure are
    separated too (D. Firth, Biometrika 80, 1993). Intervals are percentiles of the parametric
    bootstrap, of the plateaus too; by simulation 95% ones cover the middle in 90 to 95%.

    Where the crossing is narrower than a cell and a half, its interval holds at least the two
    decided cells that it is between, and its spread begins at 0. A crossing so wide that the axis
    shows no plateaus is taken to be narrower than it is.

    Args:
        rates: what `stats.rate` returned.
        along: the dimension.
        log: whether x is the logarithm; by default where the positive values are spaced more evenly
            so.
        level: of the intervals.
        resamples: of the bootstrap.
        rng: its seed.

    Returns:
        Over the other dimensions and `crossing`, as many as any row has, in order along the axis,
        nan where a row has fewer: `middle` (where p = 1/2) with `low` and `high`; `spread` (from 10
        to 90% of the way between the plateaus, in decades where `log`) with `spread_low` and
        `spread_high`; `rising`, 1 or -1; `cells`, how many were fitted.

    Raises:
        ValueError: `rates` are none, there is no such dimension, or its values are fewer than
            three, repeat, are not sorted, or have no logarithm although `log`; or another
            dimension has the name of a number that is returned.

    Example:
        border = stats.boundary(stats.rate(hits), along="learning_rate")
        border.middle, border.low, border.high
    """
    check_rates(rates, ("rate", "low", "high", "n", "successes"))
    require_dims(rates, [along])
    others = [dim for dim in rates.successes.dims if dim != along]
    refuse_names(others, (*NAMES, "crossing"))
    check_level(level)
    values = _values_along(rates, along)
    if log is None:
        log = spaced_by_logarithm(values)
    x = values
    if log:
        x = _logarithms(values, along)

    generator = np.random.default_rng(rng)
    rows = []
    for row in _rows(rates, along, x):
        found = [fitted(row, one, level, resamples, generator) for one in crossings(row)]
        rows.append(found)
    table = _table(rows)
    if log:
        positions = slice(len(POSITIONS))
        table[..., positions] = 10 ** table[..., positions]

    made = _named_numbers(table, {dim: rates.sizes[dim] for dim in others})
    coords = {dim: rates[dim] for dim in others if dim in rates.coords}
    about = {"along": along, "log": int(log), "level": level}
    return xr.Dataset(made, coords, {**rates.attrs, **about})


def _values_along(rates: xr.Dataset, along: str) -> np.ndarray:
    """The values of the axis, or a ValueError if no boundary can be fitted along it."""
    values = np.asarray(rates[along].values, float)
    check_axis(along, values)
    if values.size < 3:
        raise ValueError(
            f"{along} has {values.size} values: a boundary along it takes at least three"
        )
    return values


def _logarithms(values: np.ndarray, along: str) -> np.ndarray:
    """The decimal logarithms of the values of an axis, or a ValueError if one has none."""
    if values.min() <= 0:
        raise ValueError(f"{along} has values of at most 0, which have no logarithm: log=False")
    return np.log10(values)


def _named_numbers(
    table: np.ndarray, sizes: dict[Hashable, int]
) -> dict[str, tuple[list[Hashable], np.ndarray]]:
    """The columns of the table (rows, crossings, names) as variables over dimensions of `sizes`."""
    dims = [*sizes, "crossing"]
    shape = [*sizes.values(), table.shape[1]]
    made = {}
    for place, name in enumerate(NAMES):
        made[name] = (dims, table[..., place].reshape(shape))
    return made


def _rows(rates: xr.Dataset, along: str, x: np.ndarray) -> list[Row]:
    """All rows of a map, the last of the other dimensions fastest."""
    ordered = rates.transpose(..., along)
    flat = []
    for name in Row._fields[1:]:
        values = ordered[name].values
        flat.append(values.reshape(-1, x.size))
    return [Row(x, *arrays) for arrays in zip(*flat, strict=True)]


def _table(rows: list[list[tuple[float, ...]]]) -> np.ndarray:
    """The numbers of all crossings as an array (rows, crossings, names), filled up with nan."""
    most = max([1, *map(len, rows)])
    shape = (len(rows), most, len(NAMES))
    table = np.full(shape, np.nan)
    for number, row in enumerate(rows):
        for place, found in enumerate(row):
            table[number, place] = found
    return table


# ---- one crossing --------------------------------------------------------------------------------


def fitted(
    row: Row,
    crossing: Crossing,
    level: float,
    resamples: int,
    generator: np.random.Generator,
) -> tuple[float, ...]:
    """Fit one crossing and bootstrap it: the numbers of `NAMES`, in units of x."""
    # The curve
    plateaus = [
        _plateau(row, crossing.before),
        _plateau(row, crossing.after),
    ]
    cells, successes = _cells_of(row, crossing, plateaus)
    units = _units_of(row, crossing)
    a, b = logistic(cells, successes)
    (middle,), (spread,) = _places(a, b, cells.levels, units)

    # The same fit to numbers of successes that are drawn from the curve and its plateaus
    drawn = _draw_successes(a, b, cells, resamples, generator)
    drawn_levels = _draw_levels(plateaus, resamples, generator)
    again = cells._replace(levels=drawn_levels)
    a, b = logistic(again, drawn)
    middles, spreads = _places(a, b, drawn_levels, units)
    ends = (1 - level) / 2, (1 + level) / 2
    low, high = np.quantile(middles, ends)
    least, most = np.quantile(spreads, ends)

    # If all happens between two cells, they cannot tell where, nor how steeply
    if spread < 1.5 * _widest_gap(row, crossing):
        low = min(low, row.x[crossing.first])
        high = max(high, row.x[crossing.last])
        least = 0.0

    before, after = plateaus
    rising = np.sign(after.level - before.level)
    return middle, low, high, spread, least, most, rising, len(cells.z)


class Plateau(NamedTuple):
    """The cells on one side of a crossing: their seeds, and the rate that the curve leads to."""

    seeds: int
    level: float


def _plateau(row: Row, part: slice) -> Plateau:
    """The plateau that some cells make."""
    seeds = row.n[part].sum()
    rate = row.successes[part].sum() / seeds
    return Plateau(seeds, _level_of(rate))


class _Units(NamedTuple):
    """How the axis is measured in a fit: from the middle of the crossing, in median gaps."""

    center: float
    scale: float


def _units_of(row: Row, crossing: Crossing) -> _Units:
    """The units of a crossing."""
    first_x = row.x[crossing.first]
    last_x = row.x[crossing.last]
    gaps = np.diff(row.x)
    return _Units((first_x + last_x) / 2, np.median(gaps))


def _cells_of(row: Row, crossing: Crossing, plateaus: list[Plateau]) -> tuple[Cells, np.ndarray]:
    """The cells with seeds that a curve is fitted to, and their successes as a table of one row."""
    steep = crossing.steep
    has_seeds = row.n[steep] > 0

    def used(values: np.ndarray) -> np.ndarray:
        return values[steep][has_seeds].astype(float)

    units = _units_of(row, crossing)
    z = (used(row.x) - units.center) / units.scale
    levels = np.array([plateau.level for plateau in plateaus])
    cells = Cells(z, used(row.n), levels[None])
    return cells, used(row.successes)[None]


def _level_of(rate: float) -> float:
    """The level of a plateau, its rate; 0 or 1 where nearly none or all succeed."""
    rounded = np.round(rate)
    if abs(rate - rounded) < NEARLY:
        return float(rounded)
    return float(rate)


def _widest_gap(row: Row, crossing: Crossing) -> float:
    """The widest gap between cells with seeds, from the last decided one to the first again."""
    seen = slice(crossing.first, crossing.last + 1)
    has_seeds = row.n[seen] > 0
    x = row.x[seen][has_seeds]
    return np.diff(x).max()


def _draw_successes(
    a: np.ndarray, b: np.ndarray, cells: Cells, resamples: int, generator: np.random.Generator
) -> np.ndarray:
    """Successes (resamples, cells) drawn from the fitted curve."""
    (p,) = np.clip(rate_of(a, b, cells), 0, 1)
    n = cells.n.astype(int)
    shape = (resamples, len(p))
    return generator.binomial(n, p, shape).astype(float)


def _draw_levels(
    plateaus: list[Plateau],
    resamples: int,
    generator: np.random.Generator,
) -> np.ndarray:
    """The plateaus' levels (resamples, 2) drawn anew; levels of 0 and 1 stay."""
    columns = [_draw_level(one, resamples, generator) for one in plateaus]
    return np.stack(columns, 1)


def _draw_level(plateau: Plateau, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """The level of one plateau (resamples,) drawn anew."""
    seeds, level = plateau
    # Drawn for levels of 0 and 1 too, so that all fits use the generator alike
    drawn = generator.binomial(seeds, level, resamples) / seeds
    if level in (0, 1):
        return np.full(resamples, level)
    return drawn


def _places(
    a: np.ndarray, b: np.ndarray, levels: np.ndarray, units: _Units
) -> tuple[np.ndarray, np.ndarray]:
    """Where the rate is one half, and the width from 10 to 90% of the way between the levels."""
    before = levels[:, 0]
    after = levels[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        # One half lies at this share of the way between the levels
        share = (0.5 - before) / (after - before)
        share = np.clip(share, 1e-3, 1 - 1e-3)
        away = scipy.special.logit(share) - a
        middle = units.center + units.scale * away / b
        spread = units.scale * FEW_TO_MOST / np.abs(b)
    return middle, spread
