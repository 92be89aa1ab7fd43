"""The panel of claims, with a row for each.

A row shows the region that would support the claim, its effect and intervals, and the verdict.
"""

import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from approx.plot.series import axes, check_made, points, small
from approx.stats.evidence import tested_at_once

# Verdicts differ by colour and by shape, so that they are told apart in grey too
VERDICTS: dict[str, dict[str, Any]] = {
    "supported": {"color": "#0072B2", "marker": "o"},
    "contradicted": {"color": "#D55E00", "marker": "X"},
    "undecided": {"color": "0.35", "marker": "o", "markerfacecolor": "white"},
}
REGION = "#009E73"
# Widths of the lines: a claim's own interval, and the interval that decides
OWN_WIDTH, DECIDING_WIDTH = 1.8, 0.7
LINE = 0.5  # height of a line of text, in the units of the vertical axis


def claims(
    data: xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    wrap: int = 58,
    *,
    legend: bool = True,
) -> Axes:
    """A row for each claim: where it holds, its effect, both its intervals, n and the verdict.

    The thick line is the claim's own interval. The thin one decides: it is the wider interval that
    all claims of its table have at once. The legend and the words below the axis say at which level
    and why. Claims are grouped by source.

    Args:
        data: what `stats.claims` or `stats.read_claims` returned.
        ax: axes to draw on, on which a line of text needs some 0.17 inches; a figure of that height
            if left out.
        title: the message of the panel.
        wrap: characters in a line of a claim's text.
        legend: whether to say what marks and lines mean, above the panel.
    """
    needed = ["claim", "source", "effect", "low_all", "high_all", "verdict"]
    check_made(data, needed, "plot.claims", "stats.claims(source, [...])")
    frame = data.to_dataframe().reset_index()
    ax = axes(ax or _tall_axes(frame, wrap), title)
    bottom = _draw_rows(ax, frame, wrap)
    ax.axvline(0, color="0.5", linewidth=0.6, zorder=0)
    ends = np.concatenate([frame.low_all, frame.holds_from.clip(lower=-0.1)])
    ax.set(xlim=(max(-1.0, np.nanmin(ends)) - 0.05, 1.03), ylim=(bottom - 0.4, -0.7))
    words = ["probability, or difference of paired probabilities", *_words(data)]
    ax.set_xlabel("\n".join(words), size=small())
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    if legend:
        _draw_legend(ax, data)
    _beside(ax, -0.1, "n")
    return ax


def _draw_legend(ax: Axes, data: xr.Dataset) -> None:
    """Draw the legend of `claims` above the right side of the panel."""
    ax.legend(
        handles=claims_legend(data),
        loc="lower right",
        bbox_to_anchor=(1.06, 1),
        ncols=3,
        fontsize=small(),
        frameon=False,
        handletextpad=0.5,
    )


def _tall_axes(frame: pd.DataFrame, wrap: int) -> Axes:
    """New axes, high enough for the lines of all claims."""
    lines = sum(len(textwrap.wrap(str(claim), wrap)) for claim in frame.claim)
    height = 1.2 + 0.17 * (lines + 2 * frame.source.nunique())
    return plt.figure(figsize=(points(7.0), points(height)), layout="constrained").add_subplot()


def _draw_rows(ax: Axes, frame: pd.DataFrame, wrap: int) -> float:
    """Draw every claim under the heading of its source; return the height below the last one."""
    y = 0.0
    ticks, labels = [], []
    for source, group in frame.groupby("source", sort=False):
        _write_source(ax, y, str(source))
        for row in group.itertuples():
            text = textwrap.wrap(str(row.claim), wrap)
            y += LINE * (1 + len(text))
            _draw_claim(ax, y, row)
            ticks.append(y)
            labels.append("\n".join(text))
            y += LINE * (len(text) - 1)
        y += 1.4
    ax.set_yticks(ticks, labels, size=small())
    return y


def _write_source(ax: Axes, y: float, source: str) -> None:
    """Write the heading of the claims of one source left of the panel."""
    ax.text(
        0,
        y,
        source,
        weight="bold",
        size=small(),
        transform=ax.get_yaxis_transform(),
        ha="right",
        va="center",
    )


def _draw_claim(ax: Axes, y: float, row: Any) -> None:
    """One claim: its region, both intervals, its effect, and n."""
    mark = VERDICTS[row.verdict]
    region: dict[str, Any] = {
        "color": REGION,
        "alpha": 0.18,
        "linewidth": 0,
        "zorder": 0,
    }
    ax.barh(
        y,
        row.holds_to - row.holds_from,
        0.7,
        row.holds_from,
        **region,
    )
    color = mark["color"]
    _draw_ends(ax, y, (row.low_all, row.high_all), color, DECIDING_WIDTH)
    _draw_ends(ax, y, (row.low, row.high), color, OWN_WIDTH)
    ax.plot(row.effect, y, markersize=4, clip_on=False, **mark)
    _beside(ax, y, f"{row.n:,}")


def _draw_ends(ax: Axes, y: float, ends: tuple[float, float], color: Any, width: float) -> None:
    """Draw an interval as a line, cut off at -1 and 1."""
    low, high = np.clip(ends, -1, 1)
    ax.hlines(
        y,
        low,
        high,
        color=color,
        linewidth=width,
    )


def _beside(ax: Axes, y: float, text: str) -> None:
    """Small text to the right of the axes."""
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    ax.annotate(
        text,
        (1, y),
        (4, 0),
        size=small(),
        va="center",
        annotation_clip=False,
        **place,
    )


def claims_legend(data: xr.Dataset) -> list[Line2D]:
    """What the marks and lines of `claims` mean, for one legend of several panels.

    Args:
        data: what `stats.claims` or `stats.read_claims` returned.

    Returns:
        Handles for `Figure.legend(handles=...)`, whose labels say the levels of the intervals.
    """
    own = "the claim's own"
    if "level" in data.attrs:
        own = f"{100 * data.attrs['level']:g}%"
    levels = [f"{100 * float(end):.4g}" for end in (data.level_all.min(), data.level_all.max())]
    deciding = " to ".join(dict.fromkeys(levels))
    handles = [
        Line2D([], [], linestyle="", markersize=4, label=verdict, **mark)
        for verdict, mark in VERDICTS.items()
    ]
    lines: Sequence[tuple[str, dict[str, Any]]] = (
        ("claim holds here", {"color": REGION, "alpha": 0.25, "linewidth": 5}),
        (f"{own} interval", {"color": "0.35", "linewidth": OWN_WIDTH}),
        (f"{deciding}% interval: decides", {"color": "0.35", "linewidth": DECIDING_WIDTH}),
    )
    return handles + [Line2D([], [], label=label, **options) for label, options in lines]


def _words(data: xr.Dataset) -> list[str]:
    """Lines that say why the wider interval decides, where the results know it."""
    if "level" in data.attrs and "interval" in data:
        return textwrap.wrap(f"{tested_at_once(data)}.", 70)
    return []
