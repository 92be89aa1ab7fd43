"""Panels of planning: what the seeds so far say, and how many are needed."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from approx.plot.series import axes, check_made, each, label_ends, share_axis


def running_rate(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """The rate as seeds come in, with the interval that allows peeking (band) and the one that does
    not (dashed).

    A tick on the curve marks where the rate is known to the width the sequence was tuned to.

    Args:
        data: what `stats.running_rate` returned, for one cell.
        ax: axes to draw on.
        title: the message of the panel.
    """
    check_made(
        data, ["rate", "wilson_low", "wilson_high"], "plot.running_rate", "stats.running_rate(hits)"
    )
    ax = axes(ax, title)
    for _, one, style in each(data, "n"):
        color = style["color"]
        ax.fill_between(one.n, one.low, one.high, color=color, alpha=0.2, linewidth=0)
        for end in (one.wilson_low, one.wilson_high):
            ax.plot(one.n, end, color=color, linewidth=0.6, linestyle=(0, (4, 1.5)))
        ax.plot(one.n, one.rate, color=color)
        width = data.attrs["width"]
        known = np.asarray((one.rate - one.low <= width) & (one.high - one.rate <= width))
        if known.any():
            stop = int(one.n[known.argmax()])
            ax.axvline(stop, color=color, linewidth=0.8, linestyle=":")
            late = stop > np.sqrt(float(one.n[-1]))  # the right half of the axis
            said = f" ±{100 * width:g}% after {stop:,} seeds "
            ax.text(stop, 0.02, said, size=6.5, color=color, ha="right" if late else "left")
    ax.set_xscale("log")
    ax.set_xlim(float(data.n[0]), float(data.n[-1]))
    share_axis(ax, "rate of success")
    ax.set_xlabel("number of seeds n")
    level = 100 * data.attrs["level"]
    last = float(data.rate.isel({d: 0 for d in data.dims if d != "n"}).isel(n=-1))
    other = last - 0.3 if last > 0.5 else last + 0.3
    names = f"band: {level:g}%\nat all n at once", f"dashed: {level:g}%\nat one n"
    ends = [(np.array([y]), name, "C0") for y, name in zip((last, other), names, strict=True)]
    label_ends(ax, ends)
    return ax


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
    widths = np.asarray(data.width)
    ax.set_xlim(widths.min(), widths.max())
    ticks = np.array([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2])
    ticks = ticks[(ticks >= widths.min()) & (ticks <= widths.max())]
    ax.set_xticks(ticks, [f"±{100 * t:g}%" for t in ticks])
    ax.minorticks_off()
    ax.set_xlabel(f"wanted precision of the rate ({100 * data.attrs['level']:g}%)")
    ax.set_ylabel("seeds needed")
    label_ends(ax, ends)
    return ax
