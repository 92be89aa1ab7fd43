"""Panels of planning: what the seeds so far say, and how many are needed."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from approx.plot.scales import share_axis
from approx.plot.series import axes, band, check_made, each, label_ends, small

# The precisions that the axis of `plan` names
PRECISIONS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


def running_rate(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """The rate after each number of seeds, with two intervals.

    The band holds at all numbers of seeds at once, so one may look at it and stop; the dashed
    interval holds at one number that was chosen before. A dotted line marks where the rate is known
    to the width that the band was tuned to.

    Args:
        data: what `stats.running_rate` returned, for one cell.
        ax: axes to draw on.
        title: the message of the panel.
    """
    needed = ["rate", "wilson_low", "wilson_high"]
    check_made(data, needed, "plot.running_rate", "stats.running_rate(hits)")
    ax = axes(ax, title)
    for _, one, style in each(data, "n"):
        color = style["color"]
        band(ax, one.n, one.low, one.high, color)
        for end in (one.wilson_low, one.wilson_high):
            ax.plot(
                one.n,
                end,
                color=color,
                linewidth=0.6,
                linestyle=(0, (4, 1.5)),
            )
        ax.plot(one.n, one.rate, color=color)
        _mark_known(ax, one, float(data.attrs["width"]), color)
    ax.set_xscale("log")
    ax.set_xlim(float(data.n[0]), float(data.n[-1]))
    share_axis(ax, "rate of success")
    ax.set_xlabel("number of seeds n")
    level = 100 * data.attrs["level"]
    first_series = {dim: 0 for dim in data.dims if dim != "n"}
    last = float(data.rate.isel(first_series).isel(n=-1))
    away = -0.3 if last > 0.5 else 0.3
    at_all = f"band: {level:g}%\nat all n at once"
    at_one = f"dashed: {level:g}%\nat one n"
    label_ends(ax, [(last, at_all, "C0"), (last + away, at_one, "C0")])
    return ax


def _mark_known(ax: Axes, one: xr.Dataset, width: float, color: str) -> None:
    """Mark after how many seeds the rate is known to `width` on both sides."""
    near_low = one.rate - one.low <= width
    near_high = one.high - one.rate <= width
    known = np.asarray(near_low & near_high)
    if not known.any():
        return
    stop = int(one.n[known.argmax()])
    ax.axvline(stop, color=color, linewidth=0.8, linestyle=":")
    late = stop > np.sqrt(float(one.n[-1]))  # the right half of the axis
    said = f" ±{100 * width:g}% after {stop:,} seeds "
    ax.text(
        stop,
        0.02,
        said,
        size=small(),
        color=color,
        ha="right" if late else "left",
    )


def plan(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Number of seeds needed against the wanted precision, one line for each expected rate.

    Args:
        data: what `stats.plan` returned.
        ax: axes to draw on.
        title: the message of the panel.
    """
    check_made(data, ["n", "rate", "width"], "plot.plan", "stats.plan()")
    ax = axes(ax, title)
    ends = []
    for label, one, style in each(data, "width"):
        ax.plot(one.width, one.n, **style)
        ends.append((one.n.values, label, style["color"]))
    ax.set_xscale("log")
    ax.set_yscale("log")
    _precision_axis(ax, np.asarray(data.width))
    ax.set_xlabel(f"wanted precision of the rate ({100 * data.attrs['level']:g}%)")
    ax.set_ylabel("seeds needed")
    label_ends(ax, ends)
    return ax


def _precision_axis(ax: Axes, widths: np.ndarray) -> None:
    """Limit the horizontal axis to the precisions, and write round ones as percentages."""
    low = widths.min()
    high = widths.max()
    ax.set_xlim(low, high)
    ticks = [tick for tick in PRECISIONS if low <= tick <= high]
    ax.set_xticks(ticks, [f"±{100 * tick:g}%" for tick in ticks])
    ax.minorticks_off()
