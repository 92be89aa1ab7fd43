"""Panels of claims: each a row, with the region that would support it, its effect and interval, and
the verdict.
"""

import textwrap
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from approx.plot.series import axes, check_made
from approx.stats.evidence import tested_at_once

# By colour and by shape, so that they are told apart in grey too.
MARKS: dict[str, dict[str, Any]] = {
    "supported": {"color": "#0072B2", "marker": "o"},
    "contradicted": {"color": "#D55E00", "marker": "X"},
    "undecided": {"color": "0.35", "marker": "o", "markerfacecolor": "white"},
}
# Of the lines that are a claim's own interval and the one that decides
OWN_WIDTH, DECIDING_WIDTH = 1.8, 0.7


def claims(
    data: xr.Dataset, ax: Axes | None = None, title: str | None = None, wrap: int = 58
) -> Axes:
    """A row for each claim: the region in which it holds, its effect, both its intervals, n and the
    verdict.

    The thick line is the claim's own interval, the thin one the interval that decides: the wider
    one which all claims of its table have at once. The legend and the words below the axis say at
    which level and why. Claims are grouped by source.

    Args:
        data: what `stats.claims` or `stats.read_claims` returned.
        ax: axes to draw on, on which a line of text needs some 0.17 inches; a figure of that height
            if left out.
        title: the message of the panel.
        wrap: characters in a line of a claim's text.
    """
    needed = ["claim", "source", "effect", "low_all", "high_all", "verdict"]
    check_made(data, needed, "plot.claims", "stats.claims(source, [...])")
    frame = data.to_dataframe().reset_index()
    if ax is None:
        lines = sum(len(textwrap.wrap(str(claim), wrap)) for claim in frame.claim)
        height = 1.2 + 0.17 * (lines + 2 * frame.source.nunique())
        ax = plt.figure(figsize=(7.0, height), layout="constrained").add_subplot()
    ax = axes(ax, title)
    y, ticks, labels = 0.0, [], []
    for source, group in frame.groupby("source", sort=False):
        ax.text(
            0,
            y,
            str(source),
            weight="bold",
            size=7,
            ha="right",
            va="center",
            transform=ax.get_yaxis_transform(),
        )
        for _, row in group.iterrows():
            text = textwrap.wrap(str(row.claim), wrap)
            y += 0.5 + 0.5 * len(text)
            _claim(ax, y, row)
            ticks.append(y)
            labels.append("\n".join(text))
            y += 0.5 * (len(text) - 1)
        y += 1.4
    ax.axvline(0, color="0.5", linewidth=0.6, zorder=0)
    ends = np.concatenate([frame.low_all, frame.holds_from.clip(lower=-0.1)])
    ax.set(
        xlim=(max(-1.0, np.nanmin(ends)) - 0.05, 1.03),
        ylim=(y - 0.4, -0.7),
        xlabel="\n".join(["probability, or difference of paired probabilities", *_words(data)]),
    )
    ax.set_yticks(ticks, labels, size=6.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    handles = legend_handles(data)
    # Like the rows' words: sizes of this panel do not follow the style
    ax.xaxis.label.set_fontsize(7)
    beside: dict[str, Any] = {
        "loc": "lower right",
        "bbox_to_anchor": (1.06, 1),
        "ncols": 3,
        "fontsize": 6.5,
    }
    ax.legend(handles=handles, frameon=False, handletextpad=0.5, **beside)
    _beside(ax, -0.1, "n")
    return ax


def legend_handles(data: xr.Dataset) -> list[Line2D]:
    """What the marks and lines of `claims` mean, with the levels of the intervals; for a legend of
    several panels.
    """
    own = f"{100 * data.attrs['level']:g}%" if "level" in data.attrs else "the claim's own"
    ends = [f"{100 * float(end):.4g}" for end in (data.level_all.min(), data.level_all.max())]
    deciding = " to ".join(dict.fromkeys(ends)) + "%"
    handles = [
        Line2D([], [], linestyle="", markersize=4, label=name, **mark)
        for name, mark in MARKS.items()
    ]
    return [
        *handles,
        Line2D([], [], color="#009E73", alpha=0.25, linewidth=5, label="claim holds here"),
        Line2D([], [], color="0.35", linewidth=OWN_WIDTH, label=f"{own} interval"),
        Line2D(
            [], [], color="0.35", linewidth=DECIDING_WIDTH, label=f"{deciding} interval: decides"
        ),
    ]


def _words(data: xr.Dataset) -> list[str]:
    """Lines that say why the wider interval decides."""
    known = "level" in data.attrs and "interval" in data
    return textwrap.wrap(f"{tested_at_once(data)}.", 70) if known else []


def _claim(ax: Axes, y: float, row: Any) -> None:
    """One row."""
    mark = MARKS[row.verdict]
    ax.barh(
        y,
        row.holds_to - row.holds_from,
        0.7,
        row.holds_from,
        color="#009E73",
        alpha=0.18,
        linewidth=0,
        zorder=0,
    )
    low, high = np.clip([row.low_all, row.high_all], -1, 1)
    ax.hlines(y, low, high, color=mark["color"], linewidth=DECIDING_WIDTH)
    ax.hlines(y, *np.clip([row.low, row.high], -1, 1), color=mark["color"], linewidth=OWN_WIDTH)
    ax.plot(row.effect, y, markersize=4, clip_on=False, **mark)
    _beside(ax, y, f"{row.n:,}")


def _beside(ax: Axes, y: float, text: str) -> None:
    """Small text to the right of the axes."""
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    ax.annotate(text, (1, y), (4, 0), size=6.5, va="center", annotation_clip=False, **place)
