"""Panels of what happens outside the training range.

They draw classes of functions, reasons of failure, and how far a symmetry is broken.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator, PercentFormatter

from approx import stats
from approx.plot.kinds import check_colors
from approx.plot.learning import bands, only_seeds
from approx.plot.scales import corner, counted, legend_above, row_axis, shade_shown
from approx.plot.series import (
    MARKS,
    SPREAD,
    axes,
    by_label,
    cells,
    check_made,
    each,
    label_ends,
    small,
)

# From good to bad they grow darker, and they are told apart in grey too
FILLS = ("#CDE9F9", "#EBB93A", "#C65A11", "#111111")
DARK = ("#C65A11", "#111111", "#0072B2", "0.35", "0.15")  # the fills on which text is white
READABLE = 0.09  # the least share in which its percentage has room
# Where defects are drawn that are all 0: below float32's rounding of any function of size 1
EXACT = 1e-9


def shares(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Share of every class, a mark with its interval for each series; classes under each other.

    Args:
        data: what `stats.shares` returned, over `kind` and up to eight series.
        ax: axes to draw on.
        title: the message of the panel.
    """
    needed = ["rate", "low", "high", "kind"]
    check_made(data, needed, "plot.shares", "stats.shares(stats.failure_causes(...))")
    ax = axes(ax, title)
    rows = np.arange(data.sizes["kind"])
    series = list(each(data, "kind"))
    for number, (label, one, style) in enumerate(series):
        y = rows + SPREAD * ((number + 0.5) / len(series) - 0.5)
        mark: dict[str, Any] = {"color": style["color"], "markersize": 3.5, "clip_on": False}
        ax.hlines(
            y,
            one.low,
            one.high,
            color=style["color"],
            linewidth=1.0,
        )
        ax.plot(
            one.rate,
            y,
            MARKS[number],
            label=label,
            **mark,
        )
    for row in rows[1:]:
        ax.axhline(row - 0.5, color="0.9", linewidth=0.5, zorder=0)
    row_axis(ax, [str(kind) for kind in data.kind.values])
    ax.set_ylim(rows.size - 0.5, -0.5)
    percent_axis(ax, data.n)
    if any(label for label, *_ in series):
        legend_above(ax, min(len(series), 4), handletextpad=0.2)
    return ax


def failure_causes(
    data: xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    *,
    colors: Mapping[str, Any] | None = None,
    numbers: bool = True,
) -> Axes:
    """Outcomes of all trainings as stacked bars, one for each series.

    The whisker below the end of a part is the binomial interval of the share up to there, at the
    level of `data`.

    Args:
        data: `stats.shares(stats.failure_causes(...))`, over `kind` and the series.
        ax: axes to draw on.
        title: the message of the panel.
        colors: {kind: its colour}, for every kind in `data`; if left out, four colours of ours.
        numbers: whether to write percentages into the bars, and n at their ends.

    Raises:
        ValueError: `colors` lacks a class, or is left out and there are more than four classes.
    """
    needed = ["rate", "low", "high", "kind"]
    check_made(data, needed, "plot.failure_causes", "stats.shares(stats.failure_causes(...))")
    kinds = [str(kind) for kind in data.kind.values]
    if colors is None:
        colors = _fills(kinds)
    check_colors(kinds, colors)
    ax = axes(ax, title)
    bars = cells(data, "kind")
    for y, (_, one) in enumerate(bars):
        _draw_bar(ax, y, one, colors, numbers)
    row_axis(ax, [label for label, _ in bars])
    ax.set_ylim(len(bars) - 0.45, -0.5)
    percent_axis(ax, data.n)
    ax.set(xlim=(0, 1), xlabel="share of seeds")
    legend_above(ax, 2, handlelength=1.0)
    return ax


def _fills(kinds: Sequence[str]) -> dict[str, str]:
    """A colour for each class, or a ValueError if there are more classes than colours."""
    if len(kinds) > len(FILLS):
        raise ValueError(
            f"{len(kinds)} classes are too many to stack: give them colors=, or draw them with "
            "plot.shares"
        )
    return dict(zip(kinds, FILLS, strict=False))


def _draw_bar(ax: Axes, y: int, one: xr.Dataset, colors: Mapping[str, Any], numbers: bool) -> None:
    """One bar of `failure_causes`: its parts, their whiskers and numbers."""
    successes = one.successes.values
    n = one.n.values
    ends = np.cumsum(successes) / np.maximum(n, 1)
    level = float(one.attrs.get("level", 0.95))
    low, high = stats.binomial_interval(
        np.cumsum(successes),
        n,
        level,
    )
    text: dict[str, Any] = {"va": "center", "size": small()}
    for i, kind in enumerate(one.kind.values):
        color = colors[str(kind)]
        share = successes[i] / max(n[i], 1)
        fill = {"color": color, "edgecolor": "white", "linewidth": 0.4}
        label = str(kind) if y == 0 else None
        ax.barh(
            y,
            share,
            0.62,
            ends[i] - share,
            label=label,
            **fill,
        )
        if numbers and share >= READABLE:
            ink = "white" if color in DARK else "black"
            middle = ends[i] - share / 2
            ax.text(
                middle,
                y,
                f"{share:.0%}",
                ha="center",
                color=ink,
                **text,
            )
        ends_at_one = i == len(ends) - 1  # by definition
        if not ends_at_one and (i == 0 or successes[i]):
            _draw_whisker(ax, y + 0.39, ends[i], (low[i], high[i]))
    if numbers:
        _write_number(ax, y, n[0])


def _draw_whisker(ax: Axes, y: float, end: float, interval: tuple[float, float]) -> None:
    """Draw the end of a part of a bar as a tick, and its interval as a line."""
    low, high = interval
    ax.hlines(
        y,
        low,
        high,
        color="0.2",
        linewidth=0.8,
    )
    ax.plot(
        end,
        y,
        "|",
        color="0.2",
        markersize=3,
        markeredgewidth=0.8,
        clip_on=False,
    )


def _write_number(ax: Axes, y: float, n: int) -> None:
    """Write the number of trainings of a bar right of it."""
    ax.annotate(
        counted(n),
        (1, y),
        (4, 0),
        textcoords="offset points",
        va="center",
        size=small(),
    )


def symmetry(
    named: Mapping[str, xr.Dataset] | xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    *,
    unit: float = 1.0,
) -> Axes:
    """Defect of symmetry against |x|, quantile bands over seeds; the training range is shaded.

    A defect of exactly 0 has no place on a logarithmic axis: it is drawn at a third of the least
    other value.

    Args:
        named: what `stats.symmetry` returned, by label; or one of these alone, which gets no label.
        ax: axes to draw on.
        title: the message of the panel.
        unit: what |x| is divided by, such as the half-width of the training range.

    Raises:
        ValueError: something else than such defects, or over other dimensions too.
    """
    named = by_label(named, "defect", "plot.symmetry", "stats.symmetry(runs)")
    for defects in named.values():
        only_seeds(defects, "defect", "radius")
    ax = axes(ax, title)
    ends = []
    edge = 0.0
    bottom = np.inf
    for number, (label, defects) in enumerate(named.items()):
        color = f"C{number}"
        defects = defects.sortby("radius")
        shown = _without_zero(stats.quantiles(defects, of="defect").defect)
        bands(ax, defects.radius.values / unit, shown, color)
        ends.append((shown[2], label, color))
        bottom = min(bottom, shown.min())
        inside = defects.radius.where(defects.distance <= 0)
        edge = max(edge, inside.max().item() / unit)
    if edge > 0:
        shade_shown(ax, 0, edge)
    ax.set(yscale="log", ylabel=f"|f(x) {_sign(named)} f(−x)|")
    ax.set_xlabel("|x|" if unit == 1 else "|x| / range")
    ax.set_xlim(0, max(ax.dataLim.x1, 1e-12))
    if any((defects.defect == 0).any() for defects in named.values()):
        ax.set_ylim(bottom=bottom)
    seeds = [defects.sizes["seed"] for defects in named.values()]
    corner(ax, np.array(seeds))
    label_ends(ax, ends)
    return ax


def _without_zero(defects: xr.DataArray) -> np.ndarray:
    """Quantiles (5, radius) of defects, those of 0 moved to where a logarithmic axis shows them."""
    quantiles = defects.transpose("quantile", "radius").values
    least = np.min(
        quantiles,
        where=quantiles > 0,
        initial=np.inf,
    )
    return np.maximum(quantiles, least / 3 if np.isfinite(least) else EXACT)


def _sign(named: Mapping[str, xr.Dataset]) -> str:
    """The sign between f(x) and f(-x): of the symmetry that all have, or of both."""
    kinds = {str(defects.attrs.get("kind", "")) for defects in named.values()}
    if len(kinds) > 1:
        return "±"
    return {"even": "−", "odd": "+"}.get(kinds.pop(), "±")


def percent_axis(ax: Axes, n: xr.DataArray) -> None:
    """Make the horizontal axis one of shares of n seeds, from 0 to 100%."""
    ax.set_xlim(-0.02, 1.02)
    ax.xaxis.set_major_locator(MultipleLocator(0.2))
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, 0))
    ax.set_xlabel(f"share of seeds ({counted(n)})")
