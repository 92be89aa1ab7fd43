"""One call that answers what a paper prints, and the table it prints it in."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from approx.stats.comparisons import compare
from approx.stats.costs import ert
from approx.stats.labels import check_result, final
from approx.stats.layouts import LAYOUTS, check_form
from approx.stats.rankings import holm, ranking
from approx.stats.rates import rate, success
from approx.stats.restarts import best_cutoff, restart_gain
from approx.stats.times import restricted_mean, time_quantiles
from approx.stats.values import quantiles


def report(
    runs: xr.Dataset,
    below: float | None = None,
    above: float | None = None,
    of: str = "test_loss",
    level: float = 0.95,
    resamples: int = 1000,
    decide: float = 0.5,
    show: str | None = "text",
) -> xr.Dataset:
    """All numbers on success, time and cost at once, over seeds; prints them as a table too.

    Args:
        runs: variables over (..., seed, step); after `pick` without times and costs.
        below: largest value that counts as success (or `above`, see `success`).
        above: smallest value that counts as success.
        of: the variable judged.
        level: probability of covering, for every interval by itself.
        resamples: number of draws of the weights of seeds.
        decide: the rate that decides; a cell whose interval holds it is `undecided`.
        show: "text", "markdown" or "latex" to print that table; None prints nothing.

    Returns:
        For each remaining cell: `n`, `successes`, and with `_low` and `_high` each: `rate`,
        `rate_first`, `rate_sustained`, `median_steps`, `mean_steps` (restricted to the last step),
        `ert`, `gain`, `median_value`; `best_cutoff`; how many seeds are `censored` (never in
        success) and `diverged` (not finite at the end); `undecided`. With several recipes also
        `rank_low`, `rank_high`, and `difference` to the first recipe with its interval and `pvalue`
        (McNemar's, Holm's correction over the recipes).

    Raises:
        ValueError: as `success`, or an unknown table format.

    Example:
        >>> stats.report(runs, below=1e-3)
    """
    if show is not None and show not in LAYOUTS:
        raise ValueError(f"show must be one of {', '.join(LAYOUTS)} or None; got {show!r}")
    hits = success(runs, below, above, of)
    rates = rate(hits, level=level)
    parts = [rates[["n", "successes"]], _interval(rates, "rate")]
    if "step" in hits.dims:
        parts += _times(hits, level, resamples)
    parts += _ends(runs, of, level)
    undecided = (rates.low <= decide) & (decide <= rates.high)
    parts.append(xr.Dataset({"undecided": undecided}))
    if "recipe" in hits.dims and hits.sizes["recipe"] > 1:
        parts.append(ranking(hits, level=level)[["rank_low", "rank_high"]])
        parts.append(_against_first(hits, level))
    parts = [part.drop_vars("step", errors="ignore") for part in parts]
    result = xr.merge(parts, combine_attrs="drop", join="exact", compat="no_conflicts")
    last = -1  # no records, so no times
    if "step" in hits.dims:
        last = int(hits.step[-1])
    result.attrs = {
        **hits.attrs,
        "level": level,
        "decide": decide,
        "last_step": last,
    }
    if show is not None:
        print(table(result, show))
    return result


def _interval(data: xr.Dataset, name: str, new: str | None = None) -> xr.Dataset:
    """One quantity with its ends, renamed so that several fit into one dataset."""
    new = new or name
    names = {name: new, "low": f"{new}_low", "high": f"{new}_high"}
    return data[list(names)].rename(names)


def _times(hits: xr.Dataset, level: float, resamples: int) -> list[xr.Dataset]:
    """What is reported on times and costs."""
    first = rate(hits, when="first", level=level)
    sustained = rate(hits, when="sustained", level=level)
    median = time_quantiles(hits, 0.5, level=level).isel(quantile=0, drop=True)
    mean = restricted_mean(hits, level=level)
    running_time = ert(hits, level=level, resamples=resamples)
    gain = restart_gain(hits, level=level, resamples=resamples)
    return [
        _interval(first, "rate", "rate_first"),
        _interval(sustained, "rate", "rate_sustained"),
        _interval(median, "time", "median_steps"),
        _interval(mean, "restricted_mean", "mean_steps"),
        _interval(running_time, "ert"),
        best_cutoff(hits)[["best_cutoff"]],
        _interval(gain, "gain"),
        xr.Dataset({"censored": first.n - first.successes}),
    ]


def _ends(runs: xr.Dataset, of: str, level: float) -> list[xr.Dataset]:
    """What is reported on the values at the last record."""
    end = final(runs, of)
    median = quantiles(xr.Dataset({of: end}), of, 0.5, level=level)
    median = median.isel(quantile=0, drop=True)
    diverged = (~xr.apply_ufunc(np.isfinite, end)).sum("seed")
    return [_interval(median, of, "median_value"), xr.Dataset({"diverged": diverged})]


def _against_first(hits: xr.Dataset, level: float) -> xr.Dataset:
    """Differences of rates to the first recipe; nan for the first recipe itself."""
    labels = list(hits.recipe.values)
    others = labels[1:]
    differences = [compare(hits, one, labels[0], level=level) for one in others]
    found = xr.concat(differences, "recipe")
    found = found.assign_coords(recipe=others)
    pvalues = found.pvalue
    axis = pvalues.get_axis_num("recipe")
    adjusted = holm(np.moveaxis(pvalues.values, axis, 0))
    found["pvalue"] = pvalues.copy(data=np.moveaxis(adjusted, 0, axis))
    result = xr.merge([_interval(found, "difference"), found[["pvalue"]]])
    return result.reindex(recipe=labels)


# ---- the table -----------------------------------------------------------------------------------

COLUMNS = {  # quantity: title of a row, title of a column
    "n": ("seeds", "seeds"),
    "rate": ("success at the last step, %", "success, %"),
    "rate_first": ("success at any step, %", "ever, %"),
    "rate_sustained": ("success reached and kept, %", "kept, %"),
    "median_steps": ("median steps to success", "median steps"),
    "mean_steps": ("mean steps, restricted", "mean steps"),
    "ert": ("expected running time", "ERT"),
    "best_cutoff": ("best cut-off", "cut-off"),
    "gain": ("gain by restarting", "gain"),
    "median_value": ("median value", "median value"),
    "censored": ("never in success", "never"),
    "diverged": ("diverged", "diverged"),
    "undecided": ("undecided", "undecided"),
    "rank": ("rank", "rank"),
    "difference": ("difference to the first, %", "difference, %"),
    "pvalue": ("p, corrected", "p"),
}
PERCENT = ("rate", "rate_first", "rate_sustained", "difference")
FEW_CELLS = 4  # up to so many cells stand side by side, one column for each


def table(summary: xr.Dataset, form: str = "text", most: int = 40) -> str:
    """The table of a `report`: quantities in rows for up to four cells, else one row for each cell.

    Args:
        summary: what `report` returned.
        form: "text", "markdown" or "latex" (booktabs).
        most: the largest number of cells that are shown. The text below the table says how many
            more there are.

    Returns:
        The table as a text.

    Raises:
        ValueError: an unknown format, or something that `report` did not return.

    Example:
        >>> print(stats.table(stats.report(runs, below=1e-3, show=None), "latex"))
    """
    check_form(form)
    check_result(summary, "report", ("rate", "n", "median_value", "undecided"))
    dims = list(summary["rate"].dims)
    if dims:
        cells = summary.stack(cell_=dims, create_index=False)
    else:
        cells = summary.expand_dims("cell_")
    count = cells.sizes["cell_"]
    shown = [cells.isel(cell_=i) for i in range(min(count, most))]
    names = [name for name in COLUMNS if name in summary or f"{name}_low" in summary]
    corner = ", ".join(map(str, dims))
    heads = [_head(cell, dims) for cell in shown]
    if count > FEW_CELLS:
        rows = [[corner, *(COLUMNS[name][1] for name in names)]]
        rows += [_row_of_cell(*cell, names) for cell in zip(heads, shown, strict=True)]
    else:
        rows = [[corner, *heads]]
        rows += [_row_of_quantity(name, shown) for name in names]
    return LAYOUTS[form](rows, _caption(summary, count - len(shown)))


def _row_of_cell(head: str, cell: xr.Dataset, names: Sequence[str]) -> list[str]:
    """A row of the table for one cell, with an entry for each quantity."""
    entries = [_entry(cell, name) for name in names]
    return [head, *entries]


def _row_of_quantity(name: str, cells: Sequence[xr.Dataset]) -> list[str]:
    """A row of the table for one quantity, with an entry for each cell."""
    entries = [_entry(cell, name) for cell in cells]
    return [COLUMNS[name][0], *entries]


def _head(cell: xr.Dataset, dims: list) -> str:
    """What a cell is called: its labels, or "all" if there is one cell only."""
    return " ".join(_label(cell[dim].item()) for dim in dims) or "all"


def _label(value: object) -> str:
    """A label as a text, a number with three digits."""
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)


def _entry(cell: xr.Dataset, name: str) -> str:
    """One quantity of one cell, with its interval where it has one."""
    if name == "rank":
        return _ranks(int(cell.rank_low), int(cell.rank_high))
    value = cell[name].item()
    if isinstance(value, bool):
        return ("no", "yes")[value]
    if isinstance(value, int):
        return str(value)
    if name == "pvalue":
        return _pvalue(value)
    shown: Callable[[float], str] = _number
    if name in PERCENT:
        shown = _percent
    if f"{name}_low" not in cell or np.isnan(value):
        return shown(value)
    low = cell[f"{name}_low"].item()
    high = cell[f"{name}_high"].item()
    if name == "median_steps" and np.isinf(value):
        return f"not reached [{shown(low)}, inf]"
    return f"{shown(value)} [{shown(low)}, {shown(high)}]"


def _ranks(low: int, high: int) -> str:
    """A rank, or the ranks that a recipe may have."""
    if low == high:
        return str(low)
    return f"{low} to {high}"


def _pvalue(value: float) -> str:
    """A p-value with three decimals."""
    if np.isnan(value):
        return "-"
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3f}"


def _percent(value: float) -> str:
    """A share in percent, without the sign."""
    if np.isnan(value):
        return "-"
    return f"{100 * value:.1f}"


def _number(value: float) -> str:
    """A number with three digits; those from 100 to a million in full, without decimals."""
    if np.isnan(value):
        return "-"
    if 100 <= abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.3g}"


def _caption(summary: xr.Dataset, hidden: int) -> str:
    """What stands below the table: what success means, and how many cells are not shown."""
    facts = summary.attrs
    last = facts.get("last_step", -1)
    sentences = [
        f"Success: {facts.get('of')} {_limit(facts)}.",
        f"Brackets: {100 * facts['level']:g}% intervals.",
    ]
    if last >= 0:
        sentences.append(f"Times in steps, censored at {last}; diverged seeds count as failures.")
    sentences.append(f"Undecided: the interval holds {100 * facts['decide']:g}%.")
    if hidden > 0:
        sentences.append(f"{hidden} further cells are not shown.")
    return " ".join(sentences)


def _limit(facts: Mapping[Hashable, Any]) -> str:
    """What a value must be in success, such as "<= 0.1"."""
    sign = ">="
    threshold = facts.get("above")
    if "below" in facts:
        sign = "<="
        threshold = facts["below"]
    if isinstance(threshold, float | int):
        return f"{sign} {threshold:g}"
    return f"{sign} thresholds of each cell"
