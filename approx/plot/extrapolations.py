"""Panels of what happens outside the training range: classes of functions, reasons of failure,
broken symmetry.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator, PercentFormatter

from approx import stats
from approx.plot.learning import bands, only_seeds
from approx.plot.series import axes, by_label, check_made, corner, each, label_ends

FILLS = ("#0072B2", "#56B4E9", "#F0E442", "0.35")  # of Okabe and Ito; told apart in grey too
# Where defects are drawn that are all 0: below float32's rounding of any function of size 1
EXACT = 1e-9
MARKS = "osD^v<>p"


def shares(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Share of every class, a mark with its interval for each series; classes under each other.

    Args:
        data: what `stats.shares` returned, over `kind` and up to eight series.
        ax: axes to draw on.
        title: the message of the panel.
    """
    check_made(
        data, ["rate", "low", "high", "kind"], "plot.shares", "stats.shares(stats.split(...))"
    )
    ax = axes(ax, title)
    rows = np.arange(data.sizes["kind"])
    series = list(each(data, "kind"))
    for i, (label, one, style) in enumerate(series):
        y = rows + 0.6 * ((i + 0.5) / len(series) - 0.5)
        ax.hlines(y, one.low, one.high, color=style["color"], linewidth=1.0)
        ax.plot(
            one.rate, y, MARKS[i], color=style["color"], markersize=3.5, clip_on=False, label=label
        )
    for row in rows[1:]:
        ax.axhline(row - 0.5, color="0.9", linewidth=0.5, zorder=0)
    ax.set_ylim(rows.size - 0.5, -0.5)
    ax.set_yticks(rows, [str(kind) for kind in data.kind.values])
    ax.tick_params(axis="y", length=0)
    percent_axis(ax, data.n)
    if any(label for label, *_ in series):
        above(ax, min(len(series), 4), handletextpad=0.2)
    return ax


def split(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Outcomes of all trainings as stacked bars, one for each series, with n at their ends.

    The whisker below the end of a part is the binomial interval of the share up to there, at the
    level of `data`.

    Args:
        data: `stats.shares(stats.split(...))`, over `kind` and up to eight series.
        ax: axes to draw on.
        title: the message of the panel.

    Raises:
        ValueError: more classes than can be told apart, here four.
    """
    check_made(
        data, ["rate", "low", "high", "kind"], "plot.split", "stats.shares(stats.split(...))"
    )
    if data.sizes["kind"] > len(FILLS):
        raise ValueError(
            f"{data.sizes['kind']} classes are too many to stack: draw them with plot.shares"
        )
    ax = axes(ax, title)
    series = list(each(data, "kind"))
    for y, (_, one, _) in enumerate(series):
        successes, n = one.successes.values, one.n.values
        ends = np.cumsum(successes) / np.maximum(n, 1)
        low, high = stats.binomial_interval(
            np.cumsum(successes), n, float(data.attrs.get("level", 0.95))
        )
        for i, kind in enumerate(one.kind.values):
            share = successes[i] / max(n[i], 1)
            label = str(kind) if y == 0 else None
            ax.barh(
                y,
                share,
                0.62,
                ends[i] - share,
                color=FILLS[i],
                edgecolor="white",
                linewidth=0.4,
                label=label,
            )
            if share >= 0.09:
                color = "white" if FILLS[i] in ("#0072B2", "0.35") else "black"
                middle: dict[str, Any] = {
                    "ha": "center",
                    "va": "center",
                    "size": 6.5,
                    "color": color,
                }
                ax.text(ends[i] - share / 2, y, f"{share:.0%}", **middle)
            # The last ends at 100% by definition
            if i < len(ends) - 1 and (i == 0 or successes[i]):
                ax.hlines(y + 0.39, low[i], high[i], color="0.2", linewidth=0.8)
                ax.plot(
                    ends[i],
                    y + 0.39,
                    "|",
                    color="0.2",
                    markersize=3,
                    markeredgewidth=0.8,
                    clip_on=False,
                )
        place: dict[str, Any] = {
            "xytext": (4, 0),
            "textcoords": "offset points",
            "va": "center",
            "size": 6.5,
        }
        ax.annotate(f"n = {int(n[0]):,}", (1, y), **place)
    ax.set_ylim(len(series) - 0.45, -0.5)
    ax.set_yticks(range(len(series)), [label for label, *_ in series])
    ax.tick_params(axis="y", length=0)
    percent_axis(ax, data.n)
    ax.set(xlim=(0, 1), xlabel="share of seeds")
    above(ax, 2, handlelength=1.0)
    return ax


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
    ends, edge, bottom = [], 0.0, np.inf
    for number, (label, defects) in enumerate(named.items()):
        defects = defects.sortby("radius")
        quantiles = (
            stats.quantiles(defects, of="defect").defect.transpose("quantile", "radius").values
        )
        least = np.min(quantiles, where=quantiles > 0, initial=np.inf)
        shown = np.maximum(quantiles, least / 3 if np.isfinite(least) else EXACT)
        bottom = min(bottom, shown.min())
        bands(ax, defects.radius.values / unit, shown, f"C{number}")
        ends.append((shown[2], label, f"C{number}"))
        edge = max(edge, defects.radius.where(defects.distance <= 0).max().item() / unit)
    if edge > 0:
        ax.axvspan(0, edge, color="0.93", lw=0, zorder=0)
        where: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "ha": "center", "va": "top"}
        ax.text(edge / 2, 0.97, "shown", color="0.45", size=6.5, **where)
    kinds = {str(defects.attrs.get("kind", "")) for defects in named.values()}
    sign = {"even": "−", "odd": "+"}.get(kinds.pop() if len(kinds) == 1 else "", "±")
    ax.set(
        yscale="log", xlabel="|x|" if unit == 1 else "|x| / range", ylabel=f"|f(x) {sign} f(−x)|"
    )
    ax.set_xlim(0, max(ax.dataLim.x1, 1e-12))
    if any((defects.defect == 0).any() for defects in named.values()):
        ax.set_ylim(bottom=bottom)
    corner(ax, np.array([defects.sizes["seed"] for defects in named.values()]))
    label_ends(ax, ends)
    return ax


def percent_axis(ax: Axes, n: xr.DataArray) -> None:
    """A horizontal axis from 0 to 100% of n seeds."""
    few, many = int(n.min()), int(n.max())
    ax.set_xlim(-0.02, 1.02)
    ax.xaxis.set_major_locator(MultipleLocator(0.2))
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, 0))
    ax.set_xlabel(
        f"share of seeds (n = {few:,})"
        if few == many
        else f"share of seeds (n = {few:,} to {many:,})"
    )


def above(ax: Axes, columns: int, **options: Any) -> None:
    """A legend between title and panel."""
    options = {
        "ncols": columns,
        "borderaxespad": 0,
        "columnspacing": 1.2,
        "borderpad": 0.3,
    } | options
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), **options)
    rows = -(-len(ax.get_legend_handles_labels()[1]) // columns)
    ax.set_title(ax.get_title(loc="left"), loc="left", pad=4 + 11 * rows)
