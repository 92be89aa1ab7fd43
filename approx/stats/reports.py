"""One call that answers what a paper prints, and the table it prints it in."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from approx.stats.comparisons import compare
from approx.stats.costs import best_cutoff, ert, restart_gain
from approx.stats.labels import final
from approx.stats.rankings import holm, ranking
from approx.stats.rates import rate, success
from approx.stats.times import restricted_mean, time_quantiles
from approx.stats.values import quantiles

FORMATS = ("text", "markdown", "latex")


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
        resamples: number of bootstrap resamples.
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
    """
    if show is not None and show not in FORMATS:
        raise ValueError(f"show must be one of {', '.join(FORMATS)} or None; got {show!r}")
    hits = success(runs, below, above, of)
    rates = rate(hits, level=level)
    parts = [rates[["n", "successes"]], _interval(rates, "rate")]
    if "step" in hits.dims:
        parts += _times(hits, level, resamples)
    value = quantiles(
        runs if "step" not in runs[of].dims else runs.isel(step=-1), of, 0.5, level=level
    )
    parts.append(_interval(value.isel(quantile=0, drop=True), of, "median_value"))
    diverged = xr.apply_ufunc(np.isfinite, final(runs, of)).pipe(np.logical_not).sum("seed")
    undecided = (rates.low <= decide) & (decide <= rates.high)
    parts.append(xr.Dataset({"diverged": diverged, "undecided": undecided}))
    if "recipe" in hits.dims and hits.sizes["recipe"] > 1:
        parts += [
            ranking(hits, level=level)[["rank_low", "rank_high"]],
            _against_first(hits, level),
        ]
    result = xr.merge(
        [part.drop_vars("step", errors="ignore") for part in parts],
        combine_attrs="drop",
        join="exact",
        compat="no_conflicts",
    )
    last = int(hits.step[-1]) if "step" in hits.dims else -1
    result.attrs = {**hits.attrs, "level": level, "decide": decide, "last_step": last}
    if show is not None:
        print(table(result, show))
    return result


def _interval(data: xr.Dataset, name: str, new: str | None = None) -> xr.Dataset:
    """One quantity with its ends, renamed so that several fit into one dataset."""
    new = new or name
    return data[[name, "low", "high"]].rename(
        {name: new, "low": f"{new}_low", "high": f"{new}_high"}
    )


def _times(hits: xr.Dataset, level: float, resamples: int) -> list[xr.Dataset]:
    first = rate(hits, when="first", level=level)
    median = time_quantiles(hits, 0.5, level=level).isel(quantile=0, drop=True)
    return [
        _interval(first, "rate", "rate_first"),
        _interval(rate(hits, when="sustained", level=level), "rate", "rate_sustained"),
        _interval(median, "time", "median_steps"),
        _interval(restricted_mean(hits, level=level), "restricted_mean", "mean_steps"),
        _interval(ert(hits, level=level, resamples=resamples), "ert"),
        best_cutoff(hits)[["best_cutoff"]],
        _interval(restart_gain(hits, level=level, resamples=resamples), "gain"),
        xr.Dataset({"censored": first.n - first.successes}),
    ]


def _against_first(hits: xr.Dataset, level: float) -> xr.Dataset:
    """Differences of rates to the first recipe; nan for the first recipe itself."""
    labels = list(hits.recipe.values)
    found = xr.concat(
        [compare(hits, label, labels[0], level=level) for label in labels[1:]], "recipe"
    )
    found = found.assign_coords(recipe=labels[1:])
    axis = found.pvalue.get_axis_num("recipe")
    adjusted = np.moveaxis(holm(np.moveaxis(found.pvalue.values, axis, 0)), 0, axis)
    found["pvalue"] = found.pvalue.copy(data=adjusted)
    return xr.merge([_interval(found, "difference"), found[["pvalue"]]]).reindex(recipe=labels)


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


def table(summary: xr.Dataset, form: str = "text", most: int = 40) -> str:
    """The table of a `report`: quantities in rows for up to four cells, else one row for each cell.

    Args:
        summary: what `report` returned.
        form: "text", "markdown" or "latex" (booktabs).
        most: cells shown; the number of further ones is said below.

    Raises:
        ValueError: an unknown format.
    """
    if form not in FORMATS:
        raise ValueError(f"the format must be one of {', '.join(FORMATS)}; got {form!r}")
    dims = list(summary["rate"].dims)
    cells = summary.stack(cell_=dims, create_index=False) if dims else summary.expand_dims("cell_")
    count = cells.sizes["cell_"]
    shown = [cells.isel(cell_=i) for i in range(min(count, most))]
    names = [name for name in COLUMNS if name in summary or f"{name}_low" in summary]
    heads = [" ".join(_label(cell[dim].item()) for dim in dims) or "all" for cell in shown]
    body = [[_entry(cell, name) for name in names] for cell in shown]
    corner = ", ".join(map(str, dims))
    if count > 4:
        titles = [COLUMNS[name][1] for name in names]
        rows = [[corner, *titles], *([head, *row] for head, row in zip(heads, body, strict=True))]
    else:
        titles = [COLUMNS[name][0] for name in names]
        rows = [
            [corner, *heads],
            *([title, *column] for title, *column in zip(titles, *body, strict=True)),
        ]
    return LAYOUTS[form](rows, _caption(summary, count - len(shown)))


def _label(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _entry(cell: xr.Dataset, name: str) -> str:
    """One quantity of one cell, with its interval where it has one."""
    if name == "rank":
        low, high = int(cell.rank_low), int(cell.rank_high)
        return str(low) if low == high else f"{low} to {high}"
    value = cell[name].item()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if name == "pvalue":
        return "-" if np.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"
    shown: Callable[[float], str] = _percent if name in PERCENT else _number
    if name == "median_steps" and np.isinf(value):
        return f"not reached [{shown(cell[name + '_low'].item())}, inf]"
    if f"{name}_low" not in cell or np.isnan(value):
        return shown(value)
    return f"{shown(value)} [{shown(cell[name + '_low'].item())}, {shown(cell[name + '_high'].item())}]"


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{100 * value:.1f}"


def _number(value: float) -> str:
    """Three digits; integers up to a million in full."""
    if np.isnan(value):
        return "-"
    if 100 <= abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.3g}"


def _caption(summary: xr.Dataset, hidden: int) -> str:
    facts = summary.attrs
    sign, limit = ("<=", facts["below"]) if "below" in facts else (">=", facts.get("above"))
    limit = f"{limit:g}" if isinstance(limit, float | int) else "thresholds of each cell"
    text = (
        f"Success: {facts.get('of')} {sign} {limit}. Brackets: {100 * facts['level']:g}% intervals."
    )
    if facts.get("last_step", -1) >= 0:
        text += (
            f" Times in steps, censored at {facts['last_step']}; diverged seeds count as failures."
        )
    text += f" Undecided: the interval holds {100 * facts['decide']:g}%."
    return text + (f" {hidden} further cells are not shown." if hidden > 0 else "")


def _text(rows: list[list[str]], caption: str) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(entry.ljust(width) for entry, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * (sum(widths) + 2 * len(widths) - 2), *lines[1:], caption])


def _markdown(rows: list[list[str]], caption: str) -> str:
    lines = ["| " + " | ".join(entry.replace("|", "\\|") for entry in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:], "", caption])


def _latex(rows: list[list[str]], caption: str) -> str:
    lines = [" & ".join(map(_escaped, row)) + r" \\" for row in rows]
    opening = [r"\begin{tabular}{l" + "r" * (len(rows[0]) - 1) + "}", r"\toprule"]
    closing = [r"\bottomrule", r"\end{tabular}", "% " + caption]
    return "\n".join([*opening, lines[0], r"\midrule", *lines[1:], *closing])


def _escaped(text: str) -> str:
    for plain, escaped in (
        ("\\", r"\textbackslash{}"),
        ("_", r"\_"),
        ("%", r"\%"),
        ("&", r"\&"),
        ("#", r"\#"),
    ):
        text = text.replace(plain, escaped)
    return text.replace("inf", r"$\infty$").replace("<", "$<$")


LAYOUTS = {"text": _text, "markdown": _markdown, "latex": _latex}
