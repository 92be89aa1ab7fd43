"""What a map shows of its cells: the boundary between success and failure, the best of several, the commonest kind."""

import numpy as np
import xarray as xr
from scipy import special

from approx.stats.intervals import check_level, wilson
from approx.stats.labels import require_dims

UNDECIDED = "undecided"
FEW_TO_MOST = 2 * special.logit(0.9)  # logits between rates of 10 and 90%


def boundary(
    rates: xr.Dataset,
    along: str,
    log: bool | None = None,
    level: float = 0.95,
    resamples: int = 200,
    rng: int = 0,
) -> xr.Dataset:
    """Where the rate of success crosses one half along an axis, and how wide the crossing is.

    Two decided cells of opposite sides, with none but undecided ones between them, have a crossing between them; a cell
    is decided where the interval of its rate excludes one half. To the cells from the extreme rate before the crossing
    to the one after it, `logit p = a + b x` is fitted, x being the axis or its logarithm, by maximum likelihood with
    Jeffreys' prior, which is finite where success and failure are separated too (D. Firth, Biometrika 80, 1993).
    Intervals: percentiles of the parametric bootstrap.

    Args:
        rates: what `stats.rate` returned.
        along: the dimension.
        log: whether x is the logarithm; by default where the positive values are spaced more evenly so.
        level: of the intervals.
        resamples: of the bootstrap.
        rng: its seed.

    Returns:
        Over the other dimensions and `crossing`, as many as any row has, in order along the axis, nan where a row has
        fewer: `middle` (where p = 1/2) with `low` and `high`; `width` (from p = 10% to 90%, in decades where `log`)
        with `width_low` and `width_high`; `rising`, 1 or -1; `cells`, how many were fitted.

    Raises:
        ValueError: no such dimension; fewer than three values; values that repeat or are not sorted.
    """
    require_dims(rates, [along])
    values = np.asarray(rates[along].values, float)
    check_axis(along, values)
    if values.size < 3:
        raise ValueError(f"{along} has {values.size} values: a boundary along it takes at least three")
    log = spaced_by_logarithm(values) if log is None else log
    if log and values.min() <= 0:
        raise ValueError(f"{along} has values of at most 0, which have no logarithm: log=False")
    x = np.log10(values) if log else values
    others = [dim for dim in rates.successes.dims if dim != along]
    ordered = rates.transpose(*others, along)
    shape = tuple(rates.sizes[dim] for dim in others)
    flat = {name: ordered[name].values.reshape(-1, x.size) for name in ("successes", "n", "rate", "low", "high")}
    generator = np.random.default_rng(rng)
    rows = [
        [_fitted(x, k, n, part, check_level(level), resamples, generator) for part in _crossings(rate, low, high)]
        for k, n, rate, low, high in zip(*flat.values(), strict=True)
    ]
    most = max(1, *(len(row) for row in rows)) if rows else 1
    table = np.full((len(rows), most, 8), np.nan)
    for number, row in enumerate(rows):
        for place, found in enumerate(row):
            table[number, place] = found
    if log:
        table[..., :3] = 10 ** table[..., :3]
    names = ("middle", "low", "high", "width", "width_low", "width_high", "rising", "cells")
    made = {name: ([*others, "crossing"], table[..., place].reshape(*shape, most)) for place, name in enumerate(names)}
    coordinates = {dim: rates[dim] for dim in others if dim in rates.coords}
    about = {"along": along, "log": int(log), "level": level}
    return xr.Dataset(made, coordinates, {**rates.attrs, **about})


def _crossings(rate: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[tuple[slice, float]]:
    """The cells that belong to each crossing of one half, and about where among them it is."""
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
    return [(slice(begin, end + 1), c - begin) for begin, end, c in zip(extremes, ends, at, strict=bool(len(at)))]


def _fitted(x, k, n, found: tuple[slice, float], level: float, resamples: int, generator) -> tuple[float, ...]:
    """One crossing: its middle, width, their intervals, its direction and cells."""
    part, at = found
    centre, scale = np.interp(at, np.arange(len(x[part])), x[part]), np.median(np.diff(x[part]))
    there = n[part] > 0
    x, k, n = x[part][there], k[part][there].astype(float), n[part][there].astype(float)
    z = (x - centre) / scale
    a, b = _logistic(z, k[None], n)
    drawn = generator.binomial(n.astype(int), special.expit(a[0] + b[0] * z), (resamples, len(n))).astype(float)
    many = _logistic(z, drawn, n)
    ends = (1 - level) / 2, (1 + level) / 2
    with np.errstate(divide="ignore"):
        middles, widths = centre - scale * many[0] / many[1], scale * FEW_TO_MOST / np.abs(many[1])
        middle, width = centre - scale * a[0] / b[0], scale * FEW_TO_MOST / abs(b[0])
    return middle, *np.quantile(middles, ends), width, *np.quantile(widths, ends), np.sign(b[0]), len(x)


def _logistic(z: np.ndarray, k: np.ndarray, n: np.ndarray, rounds: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Intercepts and slopes of `logit p = a + b z` for several tables of successes (tables, cells), Jeffreys' prior.

    Fisher's scoring on Firth's score `X' (k - n p + h (1/2 - p))`, h being the leverages; of several lengths of a step
    the one after which the penalised likelihood is largest.
    """
    lengths = np.array([0.0, 0.03, 0.1, 0.3, 0.6, 1.0])[:, None]
    a = np.zeros(len(k))
    b = np.sign((k * (z - z.mean())).sum(-1)) / 2
    for _ in range(rounds):
        p = special.expit(a[:, None] + b[:, None] * z)
        w, s0, s1, s2, determinant = _information(a, b, z, n)
        h = w * (s2[..., None] - 2 * s1[..., None] * z + s0[..., None] * z * z) / determinant[..., None]
        left = k - n * p + h * (0.5 - p)
        u0, u1 = left.sum(-1), (left * z).sum(-1)
        step = np.stack([s2 * u0 - s1 * u1, s0 * u1 - s1 * u0]) / determinant
        step *= np.minimum(1, 3 / np.maximum(np.abs(step).max(0), 1e-300))
        tried = a + lengths * step[0], b + lengths * step[1]
        eta = tried[0][..., None] + tried[1][..., None] * z
        likelihood = (k * special.log_expit(eta) + (n - k) * special.log_expit(-eta)).sum(-1)
        likelihood += np.log(_information(*tried, z, n)[-1]) / 2
        best_length = np.nanargmax(likelihood, 0)
        a, b = (values[best_length, np.arange(len(k))] for values in tried)
    return a, b


def _information(a: np.ndarray, b: np.ndarray, z: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, ...]:
    """Fisher's: weights of the cells, sums of w, w z and w z², and the determinant."""
    p = special.expit(a[..., None] + b[..., None] * z)
    w = n * p * (1 - p)
    s0, s1, s2 = w.sum(-1), (w * z).sum(-1), (w * z * z).sum(-1)
    return w, s0, s1, s2, np.maximum(s0 * s2 - s1 * s1, 1e-100)


def best(rates: xr.Dataset, dim: str = "recipe") -> xr.Dataset:
    """Which entry of a dimension has the highest rate in each cell, where its interval lies above all others'.

    Args:
        rates: what `stats.rate` returned.
        dim: the dimension compared.

    Returns:
        Over the other dimensions: `kind`, the entry's name or "undecided"; `rate`, `low`, `high` of the entry with the
        highest rate; `n`. `attrs["kinds"]` has the names in order.
    """
    require_dims(rates, [dim])
    names = [str(name) for name in rates[dim].values]
    first = rates.rate.fillna(-1).argmax(dim)
    at = {name: rates[name].isel({dim: first}).drop_vars(dim, errors="ignore") for name in ("rate", "low", "high", "n")}
    others = rates.high.where(xr.DataArray(np.arange(len(names)), dims=dim) != first, -1.0).max(dim)
    decided = (at["low"] > others) & (at["n"] > 0)
    kind = np.where(decided, np.array(names, object)[first.values], UNDECIDED).astype(str)
    about = {**rates.attrs, "kinds": [*names, UNDECIDED], "of": dim}
    return xr.Dataset({"kind": first.drop_vars(dim, errors="ignore").copy(data=kind), **at}, attrs=about)


def majority(kinds: xr.Dataset, over: str = "seed", level: float = 0.95) -> xr.Dataset:
    """The commonest kind of each cell, where it leads.

    It leads where Wilson's interval of its share among those of the two commonest kinds excludes one half: a sign test.

    Args:
        kinds: `kind` over (..., seed), as from `stats.plateaus` or `stats.asymptote`; `attrs["kinds"]` orders them.
        over: the dimension counted over.
        level: of the intervals.

    Returns:
        Over the other dimensions: `kind`, a name or "undecided"; `rate`, `low`, `high` of the commonest; `n`.
    """
    require_dims(kinds, [over])
    names = [*kinds.attrs.get("kinds", np.unique(kinds.kind.values).tolist())]
    of = kinds.kind.transpose(..., over)
    counts = np.stack([(of.values == name).sum(-1) for name in names], -1)
    order = np.argsort(-counts, -1, kind="stable")
    ordered = np.take_along_axis(counts, order, -1)
    n, first = np.full(counts.shape[:-1], of.shape[-1]), ordered[..., 0]
    second = ordered[..., 1] if len(names) > 1 else np.zeros_like(first)
    leads = wilson(first.astype(float), np.maximum(first + second, 1).astype(float), check_level(level))[0] > 0.5
    low, high = wilson(first.astype(float), n.astype(float), level)
    kind = np.where(leads, np.array(names, object)[order[..., 0]], UNDECIDED).astype(str)
    cells = of.isel({over: 0}, drop=True)
    found = {"kind": kind, "rate": first / n, "low": low, "high": high, "n": n}
    about = {**kinds.attrs, "kinds": [*names, UNDECIDED], "level": level}
    return xr.Dataset({name: cells.copy(data=values) for name, values in found.items()}, attrs=about)


def check_axis(name: str, values: np.ndarray) -> None:
    """Refuse an axis that no map has.

    Raises:
        ValueError: values that are no numbers, repeat, or are not in increasing order.
    """
    if not np.isfinite(values).all():
        raise ValueError(f"{name} has values that are no finite numbers: {values[~np.isfinite(values)][:3]}")
    if (np.diff(values) == 0).any():
        raise ValueError(f"{name} has {values[1:][np.diff(values) == 0][0]:g} twice: a map takes each value once")
    if (np.diff(values) < 0).any():
        raise ValueError(f"{name} is not in increasing order: runs.sortby({name!r})")


def spaced_by_logarithm(values: np.ndarray) -> bool:
    """Whether positive values are spaced more evenly by their logarithm than as they are."""
    if values.size < 3 or values.min() <= 0:
        return False
    gaps, ratios = np.diff(values), np.diff(np.log(values))
    return bool(np.std(ratios) / abs(np.mean(ratios)) < np.std(gaps) / abs(np.mean(gaps)))
