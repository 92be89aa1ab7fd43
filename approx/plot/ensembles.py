"""Ensembles: the error of the mean of several networks against how many there are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from approx.plot.scales import corner
from approx.plot.series import MARKS, axes, check_made, each, label_ends

ROOM = 2.0  # how far the axis reaches beyond the marks, as a factor, where a bar has no end
LABELS = {
    "squared": "squared error",
    "wrong": "share of wrong points",
    "log": "minus log probability of the right class",
}


def ensemble(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """The error of an ensemble against its number of networks, and that of its members.

    Marks with bars are the ensembles, with the interval of their error; a bar that has no upper
    end, as with a single group, goes out of the panel. A thin line is the mean error of the
    members, from which the marks fall by the ambiguity.

    Args:
        data: what `stats.ensemble` returned. Inside and outside are series, like every cell.
        ax: axes to draw on.
        title: the message of the panel.

    Returns:
        The axes. The corner has the number of groups, from the largest ensembles to the smallest.

    Raises:
        ValueError: something else than such a result, or more than eight series.

    Example:
        >>> plot.ensemble(stats.ensemble(runs, sizes=[1, 2, 4, 8]))
    """
    needed = ["error", "low", "high", "member_error", "size"]
    check_made(data, needed, "plot.ensemble", "stats.ensemble(runs)")
    ax = axes(ax, title)
    ax.set_xscale("log", base=2)
    shown = data[["error", "low", "high", "member_error"]]
    is_log = data.attrs.get("loss") != "wrong"
    if is_log:
        ax.set_yscale("log")
    ax.set_ylim(*_limits(shown, is_log))
    ends = []
    for number, (label, one, line) in enumerate(each(shown, "size")):
        _draw_ensembles(ax, one, number, line)
        ends.append((one.error.values, label, line["color"]))
    sizes = data["size"].values
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(sizes.min() / 1.1, sizes.max() * 1.1)
    ax.set_xlabel("networks in an ensemble")
    ax.set_ylabel(LABELS.get(str(data.attrs.get("loss")), "error"))
    corner(ax, data.n, "lower left", what="groups")
    label_ends(ax, ends)
    return ax


def _limits(shown: xr.Dataset, is_log: bool) -> tuple[float, float]:
    """The vertical limits: those of all marks and of the ends of bars that are finite."""
    if not is_log:
        return -0.02, 1.02
    names = ("error", "low", "high", "member_error")
    values = np.concatenate([shown[name].values.ravel() for name in names])
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return 0.1, 1.0
    return float(values.min()) / ROOM, float(values.max()) * ROOM


def _draw_ensembles(ax: Axes, one: xr.Dataset, number: int, line: Mapping[str, Any]) -> None:
    """Draw the errors of one series with their intervals, and those of the members."""
    bottom, top = ax.get_ylim()
    error = one.error.values
    low = np.clip(one.low.values, bottom, top)
    high = np.clip(one.high.values, bottom, top)
    sizes = one["size"].values
    shown = np.isfinite(error)
    color = line["color"]
    ax.vlines(sizes, low, high, color=color, linewidth=1.0, alpha=0.5)
    ax.plot(sizes[shown], error[shown], marker=MARKS[number], markersize=3.5, **line)
    ax.plot(sizes, one.member_error, color=color, linewidth=0.7, alpha=0.7)
