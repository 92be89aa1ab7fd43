"""Panels of comparison: intervals under each other, and performance profiles."""

import textwrap

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from approx.plot.series import (
    WRAP,
    axes,
    check_made,
    corner,
    each,
    label_ends,
    name_value,
    readable,
    share_axis,
)

NO_DIFFERENCE = {"difference": 0.0, "ratio": 1.0, "gain": 1.0, "improvement": 0.5, "faster": 0.5}


def forest(
    data: xr.Dataset, of: str | None = None, ax: Axes | None = None, title: str | None = None
) -> Axes:
    """One line per cell with its interval, and the value that means "no difference" where there is
    one.

    Filled marks: the interval excludes that value. An arrow at the rim: the interval goes on to
    infinity. For what `stats.ranking` returned, the ranks are written too.

    Args:
        data: any result with `low` and `high`, over up to some thirty cells.
        of: the quantity; by default the first variable.
        ax: axes to draw on.
        title: the message of the panel.
    """
    check_made(
        data, ["low", "high", *filter(None, [of])], "plot.forest", "stats.compare(hits, ...)"
    )
    ax = axes(ax, title)
    of = of or str(next(iter(data.data_vars)))
    dims = [str(dim) for dim in data[of].dims]
    cells = data.stack(cell_=dims, create_index=False) if dims else data.expand_dims("cell_")
    null = NO_DIFFERENCE.get(of)
    value, low, high = (np.asarray(cells[name], float) for name in (of, "low", "high"))
    if of in ("ratio", "gain"):
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter(FormatStrFormatter("%g"))
        ax.xaxis.set_minor_formatter(NullFormatter())
    left, right = _limits(value, low, high, null, of in ("ratio", "gain"))
    ax.set_xlim(left, right)
    if null is not None:
        ax.axvline(null, color="0.5", linewidth=0.6, zorder=0)
    for y, (v, a, b) in enumerate(zip(value, low, high, strict=True)):
        decided = null is None or a > null or b < null
        ax.hlines(y, max(a, left), min(b, right), color="C0", linewidth=1.2)
        if np.isfinite(v):
            ax.plot(
                v, y, "o", color="C0", markerfacecolor="C0" if decided else "white", markersize=4
            )
        for end, rim, mark in ((a, left, "<"), (b, right, ">")):
            if end < left or end > right:
                ax.plot(rim, y, mark, color="C0", markersize=4, clip_on=False)
    labels = [
        ", ".join(name_value(d, cells[d][i].item()) for d in dims if d in cells.coords)
        for i in range(value.size)
    ]
    if "rank_low" in data:
        ranks = zip(cells.rank_low.values, cells.rank_high.values, strict=True)
        labels = [
            f"{x} (rank {a}{f' to {b}' if b > a else ''})"
            for x, (a, b) in zip(labels, ranks, strict=True)
        ]
    if not dims and "a" in data.attrs:
        labels = [f"{data.attrs['a']} against {data.attrs['b']}"]
    ax.set_yticks(range(value.size), [textwrap.fill(label, WRAP) for label in labels])
    ax.set_ylim(value.size - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    sides = f" ({data.attrs['a']} against {data.attrs['b']})" if dims and "a" in data.attrs else ""
    ax.set_xlabel(readable(of) + sides)
    if "n" in data:
        corner(ax, data.n, "lower right")
    return ax


def _limits(
    value: np.ndarray, low: np.ndarray, high: np.ndarray, null: float | None, log: bool
) -> tuple[float, float]:
    """Limits that hold every finite end, with a margin."""
    ends = np.concatenate([value, low, high, [] if null is None else [null]])
    ends = ends[np.isfinite(ends) & ((ends > 0) | (not log))]
    if ends.size == 0:
        return (0.1, 10.0) if log else (0.0, 1.0)
    a, b = ends.min(), ends.max()
    if log:
        return a / (b / a) ** 0.1 / 1.05, b * (b / a) ** 0.1 * 1.05
    margin = 0.08 * (b - a) or 0.1
    return a - margin, b + margin


def performance_profile(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Share of problems solved within a factor of the fastest recipe; higher is better, everywhere.

    Args:
        data: what `stats.performance_profile` returned.
        ax: axes to draw on.
        title: the message of the panel.
    """
    check_made(
        data,
        ["profile", "low", "high", "ratio"],
        "plot.performance_profile",
        "stats.performance_profile(hits)",
    )
    ax = axes(ax, title)
    ends = []
    for label, one, style in each(data, "ratio"):
        ax.fill_between(
            one.ratio, one.low, one.high, color=style["color"], alpha=0.2, linewidth=0, step="post"
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
