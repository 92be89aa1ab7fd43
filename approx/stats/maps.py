"""What a map shows of its cells: the best of several recipes, and the commonest kind.

Where the rate crosses one half is told by stats/boundaries.py.
"""

import numpy as np
import xarray as xr

from approx.stats.intervals import binomial_interval
from approx.stats.labels import check_rates, kind_of, readable, require_dims

UNDECIDED = "undecided"


def best(rates: xr.Dataset, dim: str = "recipe") -> xr.Dataset:
    """Which entry of a dimension has the highest rate in each cell, if it is decidedly the highest.

    It is so where its interval in `rates` lies above those of all other entries.

    Args:
        rates: what `stats.rate` returned.
        dim: the dimension compared.

    Returns:
        Over the other dimensions: `kind`, the entry's name or "undecided"; `rate`, `low`, `high` of
        the entry with the highest rate, an exact interval at 1 - (1 - level) / entries, so that
        choosing the highest does not flatter it; `n`. `attrs["kinds"]` has the names in order.

    Raises:
        ValueError: `rates` are none, or there is no such dimension.

    Example:
        stats.best(stats.rate(hits), dim="recipe").kind
    """
    check_rates(rates)
    require_dims(rates, [dim])
    names = [str(name) for name in rates[dim].values]
    first = rates.rate.fillna(-1).argmax(dim)

    def of_first(name: str) -> xr.DataArray:
        return rates[name].isel({dim: first}).drop_vars(dim, errors="ignore")

    rate, low, high, n = (of_first(name) for name in ("rate", "low", "high", "n"))

    # Decided where the first one's interval lies above all others'
    entries = xr.DataArray(np.arange(len(names)), dims=dim)
    others_high = rates.high.where(entries != first, -1.0).max(dim)
    is_decided = (low > others_high) & (n > 0)
    kind = _named(first.values, names, is_decided.values)

    # All entries' intervals must cover at once, so that the one of the chosen entry does
    if "successes" in rates:
        error = 1 - rates.attrs.get("level", 0.95)
        successes = of_first("successes")
        ends = binomial_interval(successes, n, 1 - error / len(names))
        low = low.copy(data=ends[0])
        high = high.copy(data=ends[1])

    cells = first.drop_vars(dim, errors="ignore")
    found = {
        "kind": cells.copy(data=kind),
        "rate": rate,
        "low": low,
        "high": high,
        "n": n,
    }
    about = {**rates.attrs, "kinds": [*names, UNDECIDED], "of": dim}
    return xr.Dataset(found, attrs=about)


def _named(index: np.ndarray, names: list[str], is_decided: np.ndarray) -> np.ndarray:
    """The names at some indices, as strings; "undecided" where it is not decided."""
    chosen = np.array(names, object)[index]
    return np.where(is_decided, chosen, UNDECIDED).astype(str)


def highest(rates: xr.Dataset) -> str:
    """Say which cell has the highest rate, the first of several.

    The interval is the cell's own. The highest of many cells is likely to lie above its true rate,
    which the interval ignores.

    Args:
        rates: what `stats.rate` returned.

    Returns:
        Words such as "92% [83, 97] of 64 seeds at learning rate 0.01".

    Raises:
        ValueError: `rates` are none.
    """
    check_rates(rates)
    rate = rates.rate
    flat = int(np.nanargmax(rate.values))
    places = np.unravel_index(flat, rate.shape)
    at = dict(zip(rate.dims, places, strict=True))
    cell = rates.isel(at)

    where = [_named_place(rates[dim], place) for dim, place in at.items()]
    return f"{_rate_as_text(cell)} of {int(cell.n)} seeds at {', '.join(where)}"


def _named_place(axis: xr.DataArray, place: int) -> str:
    """An entry of an axis as text: a name as it is, a number after the name of its axis."""
    value = axis.values.tolist()[place]
    if isinstance(value, str):
        return value
    return f"{readable(axis.name)} {value:.3g}"


def _rate_as_text(cell: xr.Dataset) -> str:
    """A rate with its interval in percent, such as "75% [62, 85]"."""
    low = 100 * float(cell.low)
    high = 100 * float(cell.high)
    return f"{float(cell.rate):.0%} [{low:.0f}, {high:.0f}]"


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
        ValueError: there are no classes, a class is missing (nan), or there is no such dimension.

    Example:
        stats.majority(stats.plateaus(runs, named={"mean": 0.25})).kind
    """
    of = kind_of(kinds)
    require_dims(of, [over])
    of = of.transpose(..., over)
    different = np.unique(of.values).tolist()
    names = list(kinds.attrs.get("kinds", different))

    # The kinds by how often they come, the commonest first
    by_name = [(of.values == name).sum(-1) for name in names]
    counts = np.stack(by_name, -1)
    order = np.argsort(-counts, -1, kind="stable")
    ordered = np.take_along_axis(counts, order, -1)
    commonest = order[..., 0]
    first = ordered[..., 0]
    second = np.zeros_like(first)
    if len(names) > 1:
        second = ordered[..., 1]

    # The sign test between the two commonest, and the share of the commonest among all
    both = np.maximum(first + second, 1)
    low_among_two, _ = binomial_interval(first, both, level)
    n = np.full(first.shape, of.shape[-1])
    low, high = binomial_interval(first, n, level)

    found = {
        "kind": _named(commonest, names, low_among_two > 0.5),
        "rate": first / n,
        "low": low,
        "high": high,
        "n": n,
    }
    cells = of.isel({over: 0}, drop=True)
    arrays = {name: cells.copy(data=values) for name, values in found.items()}
    about = {**kinds.attrs, "kinds": [*names, UNDECIDED], "level": level}
    return xr.Dataset(arrays, attrs=about)


# ---- axes ----------------------------------------------------------------------------------------


def check_axis(name: str, values: np.ndarray) -> None:
    """Refuse values that cannot be the axis of a map.

    Raises:
        ValueError: they are no finite numbers, repeat, or are not in increasing order.
    """
    is_finite = np.isfinite(values)
    if not is_finite.all():
        raise ValueError(f"{name} has values that are no finite numbers: {values[~is_finite][:3]}")
    steps = np.diff(values)
    if (steps == 0).any():
        repeated = values[1:][steps == 0][0]
        raise ValueError(f"{name} has {repeated:g} twice: a map takes each value once")
    if (steps < 0).any():
        raise ValueError(f"{name} is not in increasing order: runs.sortby({name!r})")


def spaced_by_logarithm(values: np.ndarray) -> bool:
    """Whether positive values are spaced more evenly by their logarithm than as they are."""
    if values.size < 3 or values.min() <= 0:
        return False
    return _unevenness(np.log(values)) < _unevenness(values)


def _unevenness(values: np.ndarray) -> float:
    """The standard deviation of the gaps between values, over their mean size."""
    gaps = np.diff(values)
    return float(np.std(gaps) / abs(np.mean(gaps)))
