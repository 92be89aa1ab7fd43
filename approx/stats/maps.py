"""What a map shows of its cells: the boundary between success and failure, the best of several, the
commonest kind.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy import special

from approx.stats.intervals import binomial_interval, check_level
from approx.stats.labels import check_rates, kind_of, require_dims

UNDECIDED = "undecided"
FEW_TO_MOST = 2 * special.logit(0.9)  # logits between rates of 10 and 90%
# A step of a logit at which the fit stands; intervals of 64 seeds are a tenth wide and more
ENOUGH = 1e-5


def boundary(
    rates: xr.Dataset,
    along: str,
    log: bool | None = None,
    level: float = 0.95,
    resamples: int = 200,
    rng: int = 0,
) -> xr.Dataset:
    """Where the rate of success crosses one half along an axis, and how wide the crossing is.

    Two decided cells of opposite sides, with none but undecided ones between them, have a crossing
    between them; a cell is decided where the interval of its rate excludes one half. On either side
    a plateau begins at the first decided cell whose interval holds the extreme rate before the next
    crossing. To the cells between the plateaus, `p = l + (r - l) / (1 + exp(-a - b x))` is fitted,
    l and r being the plateaus' rates (0 and 1 if within 2%) and x the axis or its logarithm, by
    maximum likelihood with Jeffreys' prior, which is finite where success and failure are separated
    too (D. Firth, Biometrika 80, 1993). Intervals: percentiles of the parametric bootstrap, of the
    plateaus too; by simulation 95% ones cover the middle in 90 to 95%. A crossing of less than a
    cell and a half has the decided cells that it is between as its interval, and a spread from 0.
    One so wide that the axis shows no plateaus is taken to be narrower than it is.

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
        nan where a row has
        fewer: `middle` (where p = 1/2) with `low` and `high`; `spread` (from 10 to 90% of the way
        between the plateaus, in decades where `log`) with `spread_low` and `spread_high`; `rising`,
        1 or -1; `cells`, how many were fitted.

    Raises:
        ValueError: no such dimension; fewer than three values; values that repeat or are not
            sorted.
    """
    check_rates(rates, ("rate", "low", "high", "n", "successes"))
    require_dims(rates, [along])
    values = np.asarray(rates[along].values, float)
    check_axis(along, values)
    if values.size < 3:
        raise ValueError(
            f"{along} has {values.size} values: a boundary along it takes at least three"
        )
    log = spaced_by_logarithm(values) if log is None else log
    if log and values.min() <= 0:
        raise ValueError(f"{along} has values of at most 0, which have no logarithm: log=False")
    x = np.log10(values) if log else values
    others = [dim for dim in rates.successes.dims if dim != along]
    ordered = rates.transpose(*others, along)
    shape = tuple(rates.sizes[dim] for dim in others)
    flat = {
        name: ordered[name].values.reshape(-1, x.size)
        for name in ("successes", "n", "rate", "low", "high")
    }
    generator = np.random.default_rng(rng)
    rows = [
        [
            _fitted(x, k, n, part, check_level(level), resamples, generator)
            for part in _crossings(rate, low, high)
        ]
        for k, n, rate, low, high in zip(*flat.values(), strict=True)
    ]
    most = max(1, *(len(row) for row in rows)) if rows else 1
    table = np.full((len(rows), most, 8), np.nan)
    for number, row in enumerate(rows):
        for place, found in enumerate(row):
            table[number, place] = found
    if log:
        table[..., :3] = 10 ** table[..., :3]
    names = ("middle", "low", "high", "spread", "spread_low", "spread_high", "rising", "cells")
    made = {
        name: ([*others, "crossing"], table[..., place].reshape(*shape, most))
        for place, name in enumerate(names)
    }
    coordinates = {dim: rates[dim] for dim in others if dim in rates.coords}
    about = {"along": along, "log": int(log), "level": level}
    return xr.Dataset(made, coordinates, {**rates.attrs, **about})


class _Crossing(NamedTuple):
    """A crossing of one half: the steep cells, those of the plateaus, and the decided cells that it
    is between.
    """

    steep: slice
    before: slice
    after: slice
    first: int
    last: int


def _crossings(rate: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[_Crossing]:
    """All crossings of a row, from extreme to extreme."""
    side = np.where(low > 0.5, 1, np.where(high < 0.5, -1, 0))
    decided = np.flatnonzero(side)
    changes = np.flatnonzero(np.diff(side[decided]))
    at = (decided[changes] + decided[changes + 1]) / 2
    extremes = [0]
    for first, second, sign in zip(at[:-1], at[1:], side[decided][changes + 1][:-1], strict=True):
        inside = np.arange(int(np.ceil(first)), int(second) + 1)
        height = np.nan_to_num(sign * rate[inside], nan=-np.inf)
        top = inside[height == height.max()]
        extremes.append(int(top[len(top) // 2]))
    ends = [*extremes[1:], len(side) - 1]
    pairs = zip(decided[changes].tolist(), decided[changes + 1].tolist(), strict=True)
    return [
        _crossing(rate, low, high, *part)
        for part in zip(extremes, ends, pairs, strict=bool(len(at)))
    ]


def _crossing(
    rate: np.ndarray, low: np.ndarray, high: np.ndarray, begin: int, end: int, pair
) -> _Crossing:
    """A plateau begins at the first decided cell whose interval holds the extreme rate of its side."""
    found = []
    for walk in (range(pair[0], begin - 1, -1), range(pair[1], end + 1)):
        upper = low[walk[0]] > 0.5
        own = [i for i in walk if (low[i] > 0.5 if upper else high[i] < 0.5)]
        extreme = max(rate[i] for i in own) if upper else min(rate[i] for i in own)
        found.append(next(i for i in own if low[i] <= extreme <= high[i]))
    return _Crossing(
        slice(found[0], found[1] + 1), slice(begin, found[0] + 1), slice(found[1], end + 1), *pair
    )


def _fitted(
    x, k, n, found: _Crossing, level: float, resamples: int, generator
) -> tuple[float, ...]:
    """One crossing: its middle, width, their intervals, its direction and cells."""
    bracket, scale = (x[found.first], x[found.last]), np.median(np.diff(x))
    centre, seen = sum(bracket) / 2, slice(found.first, found.last + 1)
    apart = np.diff(x[seen][n[seen] > 0]).max()
    plateaus = [(k[part].sum(), n[part].sum()) for part in (found.before, found.after)]
    levels = np.array([_plateau(hits / seeds) for hits, seeds in plateaus])
    there = n[found.steep] > 0
    z, k, n = ((part[found.steep][there]).astype(float) for part in ((x - centre) / scale, k, n))
    one = _logistic(z, k[None], n, levels[None])
    p = _rate(*one, z, levels[None])[0]
    drawn = generator.binomial(n.astype(int), np.clip(p, 0, 1), (resamples, len(n))).astype(float)
    again = [
        generator.binomial(seeds, q, resamples) / seeds
        for (_, seeds), q in zip(plateaus, levels, strict=True)
    ]
    moved = np.stack(
        [np.where((q == 0) | (q == 1), q, new) for q, new in zip(levels, again, strict=True)], 1
    )
    ends = (1 - level) / 2, (1 + level) / 2
    (middle,), (width,) = _places(*one, levels[None], centre, scale)
    middles, widths = _places(*_logistic(z, drawn, n, moved), moved, centre, scale)
    (low, high), (narrow, wide) = np.quantile(middles, ends), np.quantile(widths, ends)
    # It happens between two cells: where, and how steeply, they cannot tell
    if width < 1.5 * apart:
        low, high, narrow = min(low, bracket[0]), max(high, bracket[1]), 0.0
    return middle, low, high, width, narrow, wide, np.sign(levels[1] - levels[0]), len(z)


def _plateau(rate: float) -> float:
    """A plateau's rate; of nearly none or all, 0 or 1."""
    return float(np.round(rate)) if abs(rate - np.round(rate)) < 0.02 else float(rate)


def _places(
    a: np.ndarray, b: np.ndarray, levels: np.ndarray, centre: float, scale: float
) -> tuple[np.ndarray, ...]:
    """Where the rate is one half, and the width from 10 to 90% of the way between the levels."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip((0.5 - levels[:, 0]) / (levels[:, 1] - levels[:, 0]), 1e-3, 1 - 1e-3)
        return centre + scale * (special.logit(share) - a) / b, scale * FEW_TO_MOST / np.abs(b)


def _logistic(
    z: np.ndarray, k: np.ndarray, n: np.ndarray, levels: np.ndarray, rounds: int = 30
) -> tuple[np.ndarray, np.ndarray]:
    """Intercepts and slopes of `p = l + (r - l) / (1 + exp(-a - b z))` between levels l and r
    (tables, 2), b > 0.

    Of several tables of successes (tables, cells). Fisher's scoring on the likelihood with
    Jeffreys' prior `|information|^(1/2)`; of several lengths of a step the one after which it is
    largest.
    """
    lengths = np.array([0.0, 0.03, 0.1, 0.3, 0.6, 1.0])[:, None]
    a, b, small = np.zeros(len(k)), np.full(len(k), 0.5), 1e-4
    for _ in range(rounds):
        p, slope = _rate(a, b, z, levels), _slope(a, b, z, levels)
        (s0, s1, s2), determinant = _information(a, b, z, n, levels)
        left = (k - n * p) / np.maximum(p * (1 - p), 1e-12) * slope
        prior = [
            (
                np.log(_information(a + i, b + j, z, n, levels)[1])
                - np.log(_information(a - i, b - j, z, n, levels)[1])
            )
            / (4 * small)
            for i, j in ((small, 0.0), (0.0, small))
        ]
        u0, u1 = left.sum(-1) + prior[0], (left * z).sum(-1) + prior[1]
        step = np.stack([s2 * u0 - s1 * u1, s0 * u1 - s1 * u0]) / determinant
        step *= np.minimum(1, 3 / np.maximum(np.abs(step).max(0), 1e-300))
        tried = a + lengths * step[0], np.maximum(b + lengths * step[1], 1e-3)
        p = np.clip(_rate(*tried, z, levels), 1e-12, 1 - 1e-12)
        likelihood = (k * np.log(p) + (n - k) * np.log1p(-p)).sum(-1)
        likelihood += np.log(_information(*tried, z, n, levels)[1]) / 2
        longest = np.nanargmax(likelihood, 0)
        moved = np.abs(lengths[longest, 0] * step).max()
        a, b = (values[longest, np.arange(len(k))] for values in tried)
        if moved < ENOUGH:
            break
    return a, b


def _rate(a: np.ndarray, b: np.ndarray, z: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """p of every cell."""
    return levels[:, :1] + (levels[:, 1:] - levels[:, :1]) * special.expit(
        a[..., None] + b[..., None] * z
    )


def _slope(a: np.ndarray, b: np.ndarray, z: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Its derivative by a."""
    q = special.expit(a[..., None] + b[..., None] * z)
    return (levels[:, 1:] - levels[:, :1]) * q * (1 - q)


def _information(a, b, z: np.ndarray, n: np.ndarray, levels: np.ndarray) -> tuple:
    """Fisher's: sums over the cells of w, w z and w z², w being their weights, and the determinant."""
    p = _rate(a, b, z, levels)
    w = n * _slope(a, b, z, levels) ** 2 / np.maximum(p * (1 - p), 1e-300)
    s0, s1, s2 = w.sum(-1), (w * z).sum(-1), (w * z * z).sum(-1)
    return (s0, s1, s2), np.maximum(s0 * s2 - s1 * s1, 1e-100)


def best(rates: xr.Dataset, dim: str = "recipe") -> xr.Dataset:
    """Which entry of a dimension has the highest rate in each cell, where its interval lies above
    all others'.

    Args:
        rates: what `stats.rate` returned.
        dim: the dimension compared.

    Returns:
        Over the other dimensions: `kind`, the entry's name or "undecided"; `rate`, `low`, `high` of
        the entry with the highest rate, an exact interval at 1 - (1 - level) / entries, so that
        choosing the highest does not flatter it; `n`. `attrs["kinds"]` has the names in order.
    """
    check_rates(rates)
    require_dims(rates, [dim])
    names = [str(name) for name in rates[dim].values]
    first = rates.rate.fillna(-1).argmax(dim)
    at = {
        name: rates[name].isel({dim: first}).drop_vars(dim, errors="ignore")
        for name in ("rate", "low", "high", "n")
    }
    own_low = at["low"]
    # Of several that are chosen from, all must cover, so that the chosen one does
    if "successes" in rates:
        k = rates.successes.isel({dim: first}).drop_vars(dim, errors="ignore")
        ends = binomial_interval(k, at["n"], 1 - (1 - rates.attrs.get("level", 0.95)) / len(names))
        at |= {
            name: at[name].copy(data=end) for name, end in zip(("low", "high"), ends, strict=True)
        }
    others = rates.high.where(xr.DataArray(np.arange(len(names)), dims=dim) != first, -1.0).max(dim)
    decided = (own_low > others) & (at["n"] > 0)
    kind = np.where(decided, np.array(names, object)[first.values], UNDECIDED).astype(str)
    about = {**rates.attrs, "kinds": [*names, UNDECIDED], "of": dim}
    return xr.Dataset(
        {"kind": first.drop_vars(dim, errors="ignore").copy(data=kind), **at}, attrs=about
    )


def highest(rates: xr.Dataset) -> str:
    """The cell with the highest rate, the first of several, in words: "92% [83, 97] of 64 seeds at
    learning rate 0.01".

    The interval is the cell's own. The highest of many cells is likely to lie above its true rate,
    which it ignores.

    Args:
        rates: what `stats.rate` returned.
    """
    check_rates(rates)
    places = np.unravel_index(int(np.nanargmax(rates.rate.values)), rates.rate.shape)
    cell = rates.isel(dict(zip(rates.rate.dims, places, strict=True)))
    share = f"{float(cell.rate):.0%} [{100 * float(cell.low):.0f}, {100 * float(cell.high):.0f}]"
    at = {str(dim).replace("_", " "): cell[dim].item() for dim in rates.rate.dims}
    where = [
        value if isinstance(value, str) else f"{name} {value:.3g}" for name, value in at.items()
    ]
    return f"{share} of {int(cell.n)} seeds at {', '.join(where)}"


def majority(kinds: xr.Dataset, over: str = "seed", level: float = 0.95) -> xr.Dataset:
    """The commonest kind of each cell, where it leads.

    It leads where the exact interval of its share among the two commonest kinds excludes one half:
    a sign test.

    Args:
        kinds: `kind` over (..., seed), as from `stats.plateaus` or `stats.asymptote`;
            `attrs["kinds"]` orders them.
        over: the dimension counted over.
        level: of the intervals.

    Returns:
        Over the other dimensions: `kind`, a name or "undecided"; `rate`, `low`, `high` of the
        commonest; `n`.

    Raises:
        ValueError: no classes, a class that is missing (nan), no such dimension.
    """
    of = kind_of(kinds)
    require_dims(of, [over])
    names = [*kinds.attrs.get("kinds", np.unique(of.values).tolist())]
    of = of.transpose(..., over)
    counts = np.stack([(of.values == name).sum(-1) for name in names], -1)
    order = np.argsort(-counts, -1, kind="stable")
    ordered = np.take_along_axis(counts, order, -1)
    n, first = np.full(counts.shape[:-1], of.shape[-1]), ordered[..., 0]
    second = ordered[..., 1] if len(names) > 1 else np.zeros_like(first)
    leads = binomial_interval(first, np.maximum(first + second, 1), level)[0] > 0.5
    low, high = binomial_interval(first, n, level)
    kind = np.where(leads, np.array(names, object)[order[..., 0]], UNDECIDED).astype(str)
    cells = of.isel({over: 0}, drop=True)
    found = {"kind": kind, "rate": first / n, "low": low, "high": high, "n": n}
    about = {**kinds.attrs, "kinds": [*names, UNDECIDED], "level": level}
    return xr.Dataset(
        {name: cells.copy(data=values) for name, values in found.items()}, attrs=about
    )


def check_axis(name: str, values: np.ndarray) -> None:
    """Refuse an axis that no map has.

    Raises:
        ValueError: values that are no numbers, repeat, or are not in increasing order.
    """
    if not np.isfinite(values).all():
        raise ValueError(
            f"{name} has values that are no finite numbers: {values[~np.isfinite(values)][:3]}"
        )
    if (np.diff(values) == 0).any():
        raise ValueError(
            f"{name} has {values[1:][np.diff(values) == 0][0]:g} twice: a map takes each value once"
        )
    if (np.diff(values) < 0).any():
        raise ValueError(f"{name} is not in increasing order: runs.sortby({name!r})")


def spaced_by_logarithm(values: np.ndarray) -> bool:
    """Whether positive values are spaced more evenly by their logarithm than as they are."""
    if values.size < 3 or values.min() <= 0:
        return False
    gaps, ratios = np.diff(values), np.diff(np.log(values))
    return bool(np.std(ratios) / abs(np.mean(ratios)) < np.std(gaps) / abs(np.mean(gaps)))
