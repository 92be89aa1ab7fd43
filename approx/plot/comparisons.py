"""Panels of comparison: intervals below each other, and performance profiles."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from approx.plot.scales import corner, legend_above, share_axis
from approx.plot.series import (
    MARKS,
    SPREAD,
    WRAP,
    axes,
    band,
    cells,
    check_made,
    each,
    label_ends,
    readable,
    small,
)

# The value of a quantity that means "no difference"
NO_DIFFERENCE = {
    "difference": 0.0,
    "effect": 0.0,
    "ratio": 1.0,
    "gain": 1.0,
    "improvement": 0.5,
    "faster": 0.5,
}
RATIOS = ("ratio", "gain")
SHORT = 1e3  # up to this ratio of its ends, an axis has room for three numbers a decade
MARK: dict[str, Any] = {"linestyle": "", "markersize": 4}
Options = Mapping[str, Any]


def forest(
    data: xr.Dataset,
    of: str | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    *,
    by: str | None = None,
    log: bool | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    styles: Mapping[str, Options] | None = None,
) -> Axes:
    """One row per cell with its interval, and a line at the value that means "no difference".

    A mark is filled if the interval excludes that value, or if there is no such value. An arrow at
    the rim says that the interval goes on beyond it. The ranks that `stats.ranking` returns are
    written behind the names.

    Args:
        data: any result with `low` and `high`, over up to some thirty cells.
        of: the quantity; the first variable if left out.
        ax: axes to draw on.
        title: the message of the panel.
        by: a dimension whose values share a row, each in its own colour and mark, which a legend
            names. If left out, each cell has a row of its own.
        log: whether the axis is logarithmic; if left out, that of a ratio is.
        groups: {heading: names of the rows below it}. Rows are drawn in this order, and rows that
            no group names are left out. An empty heading is not written.
        styles: {name of a row or of a value of `by`: options of `Axes.plot`, such as "color"}.

    Raises:
        ValueError: there is no such quantity, or no interval.

    Example:
        plot.forest(stats.compare(hits, "adam", "sgd"))
    """
    needed = ["low", "high"] if of is None else ["low", "high", of]
    check_made(data, needed, "plot.forest", "stats.compare(hits, ...)")
    of = of or str(next(iter(data.data_vars)))
    log = of in RATIOS if log is None else log
    null = NO_DIFFERENCE.get(of)
    ax = axes(ax, title)
    ax.set_xlim(*_limits(data, of, null, log))
    if log:
        _log_axis(ax)
    if null is not None:
        ax.axvline(null, color="0.5", linewidth=0.6, zorder=0)
    drawn = (of, "low", "high", "rank_low", "rank_high")
    shown = data[[name for name in drawn if name in data]]
    rows = {_row_name(label, row, data.attrs): row for label, row in cells(shown, by)}
    heights = _place_rows(
        ax,
        list(rows),
        groups or {"": list(rows)},
    )
    series = [""] if by is None else [str(value) for value in data[by].values]
    for number, name in enumerate(series):
        shift = SPREAD * ((number + 0.5) / len(series) - 0.5)
        own = {"color": f"C{number}", "marker": MARKS[number]} | dict((styles or {}).get(name, {}))
        label = own.pop("label", name)
        if label:
            _add_to_legend(ax, label, own)
        for row_name, y in heights.items():
            row = rows[row_name] if by is None else rows[row_name].isel({by: number})
            style = own | dict((styles or {}).get(row_name, {}))
            _draw_interval(
                ax, y + shift, [row[key].item() for key in (of, "low", "high")], null, style
            )
    if by is not None:
        legend_above(ax, min(len(series), 4), handletextpad=0.2)
    ax.set_xlabel(_name_of_axis(data, of))
    if "n" in data:
        corner(ax, data.n, "lower right")
    return ax


def _add_to_legend(ax: Axes, label: str, own: Options) -> None:
    """Give the legend the mark of one series."""
    # Nothing that is drawn nowhere may lie outside the axes: it would break their layout
    ax.plot(
        [],
        [],
        label=label,
        **(MARK | dict(own) | {"clip_on": True}),
    )


def _name_of_axis(data: xr.Dataset, of: str) -> str:
    """What `forest` draws, and of which two sides where its rows do not say so."""
    name = readable(of)
    if data[of].ndim and "a" in data.attrs:
        return f"{name} ({data.attrs['a']} against {data.attrs['b']})"
    return name


def _log_axis(ax: Axes) -> None:
    """Make the horizontal axis logarithmic.

    If it is short, numbers such as 0.5 stand at its ticks.
    """
    left, right = ax.get_xlim()
    ax.set_xscale("log")
    if right / left < SHORT:
        _three_numbers_a_decade(ax)


def _three_numbers_a_decade(ax: Axes) -> None:
    """Write 1, 2 and 5 of every decade on the horizontal axis, and nothing between them."""
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _limits(data: xr.Dataset, of: str, null: float | None, log: bool) -> tuple[float, float]:
    """Limits between which every finite value and end of an interval lies, with a margin."""
    columns = [np.ravel(data[name]).astype(float) for name in (of, "low", "high")]
    ends = np.concatenate(columns)
    if null is not None:
        ends = np.append(ends, null)
    ends = ends[np.isfinite(ends)]
    if log:
        ends = ends[ends > 0]
    if not ends.size:
        return (0.1, 10.0) if log else (0.0, 1.0)
    low = ends.min()
    high = ends.max()
    return _with_margin(low, high, log)


def _with_margin(low: float, high: float, log: bool) -> tuple[float, float]:
    """Two limits, moved apart by a part of what lies between them."""
    if log:
        factor = 1.05 * (high / low) ** 0.1
        return low / factor, high * factor
    margin = 0.08 * (high - low) or 0.1
    return low - margin, high + margin


def _row_name(label: str, row: xr.Dataset, attrs: Mapping[str, Any]) -> str:
    """The name of a row of `forest`: its cell, and its rank where that is known."""
    if not label and "a" in attrs:
        label = f"{attrs['a']} against {attrs['b']}"
    if "rank_low" not in row:
        return label
    return f"{label} ({_ranks(row)})"


def _ranks(row: xr.Dataset) -> str:
    """The ranks that a recipe may have, such as "rank 1 to 3"."""
    first = row.rank_low.item()
    last = row.rank_high.item()
    if last > first:
        return f"rank {first} to {last}"
    return f"rank {first}"


def _place_rows(
    ax: Axes, names: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """Write the names of the rows, and the headings above them; return the height of each row."""
    heights: dict[str, float] = {}
    y = 0.0
    for heading, members in groups.items():
        here = [name for name in members if name in names]
        if heading and here:
            y += 0.35
            _write_heading(ax, y, heading)
            y += 1
        for name in here:
            heights[name] = y
            y += 1
    labels = [textwrap.fill(name, WRAP) for name in heights]
    ax.set_yticks(list(heights.values()), labels)
    ax.set_ylim(y - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    return heights


def _write_heading(ax: Axes, y: float, heading: str) -> None:
    """Write the heading of a group of rows left of the panel."""
    ax.text(
        -0.03,
        y,
        heading,
        weight="bold",
        size=small(),
        va="center",
        ha="right",
        transform=ax.get_yaxis_transform(),
    )


def _draw_interval(
    ax: Axes, y: float, ends: Sequence[float], null: float | None, style: Options
) -> None:
    """One interval, given as (value, low, high), with its mark, and arrows where it goes on."""
    value, low, high = ends
    left, right = ax.get_xlim()
    if np.isnan(low) or np.isnan(high):
        return
    ax.hlines(
        y,
        max(low, left),
        min(high, right),
        color=style["color"],
        linewidth=1.2,
    )
    if np.isfinite(value):
        decided = null is None or low > null or high < null
        fill = {"markerfacecolor": style["color"] if decided else "white"}
        options: dict[str, Any] = {**MARK, **fill, **style}
        ax.plot(value, y, **options)
    for end, rim, arrow in ((low, left, "<"), (high, right, ">")):
        if end < left or end > right:
            ax.plot(
                rim,
                y,
                arrow,
                color=style["color"],
                markersize=4,
                clip_on=False,
            )


def performance_profile(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Share of problems that a recipe solves within a factor of the fastest recipe's steps.

    A curve that is higher everywhere is better.

    Args:
        data: what `stats.performance_profile` returned.
        ax: axes to draw on.
        title: the message of the panel.
    """
    needed = ["profile", "low", "high", "ratio"]
    check_made(data, needed, "plot.performance_profile", "stats.performance_profile(hits)")
    ax = axes(ax, title)
    ends = []
    for label, one, style in each(data, "ratio"):
        band(
            ax,
            one.ratio,
            one.low,
            one.high,
            style["color"],
            step="post",
        )
        ax.plot(one.ratio, one.profile, drawstyle="steps-post", **style)
        ends.append((one.profile.values, label, style["color"]))
    ax.set_xscale("log")
    ax.set_xlim(1, float(data.ratio[-1]))
    share_axis(ax, "share of problems solved")
    ax.set_xlabel("steps, relative to the fastest recipe")
    corner(ax, data.n, "lower right", "problems")
    label_ends(ax, ends)
    return ax
