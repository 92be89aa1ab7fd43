"""Panels of sources and rates: where the spread over seeds comes from, and how fast an error falls."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from approx.plot.series import axes, check_made, corner, each, label_ends, readable


def variance_split(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Share of the variance that each source of randomness makes, with its interval; interactions
    below.

    Args:
        data: what `stats.variance_split` returned, for one setting.
        ax: axes to draw on.
        title: the message of the panel.

    Raises:
        ValueError: more than one setting.
    """
    check_made(
        data,
        ["share", "low", "high", "source"],
        "plot.variance_split",
        "stats.variance_split(runs)",
    )
    if data.share.dims != ("source",):
        raise ValueError(
            f"a panel draws one setting; select one of {', '.join(map(str, data.share.dims[:-1]))}"
        )
    ax = axes(ax, title)
    names = [str(name).replace(" x ", " × ") for name in data.source.values]
    for y, (name, share, low, high) in enumerate(
        zip(names, data.share.values, data.low.values, data.high.values, strict=True)
    ):
        color = "0.55" if "×" in name else "C0"
        ax.barh(y, share, height=0.6, color=color, alpha=0.45)
        ax.hlines(y, low, high, color=color, linewidth=1.4)
        ax.plot(share, y, "o", color=color, markersize=3.5)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlim(0, 1)
    ax.tick_params(axis="y", length=0)
    scale = {
        "log": f"log {readable(data.attrs['of'])}",
        "rank": f"ranks of {readable(data.attrs['of'])}",
    }
    ax.set_xlabel(
        f"share of the variance of {scale.get(data.attrs['scale'], readable(data.attrs['of']))}"
    )
    corner(ax, int(data.n), "lower right", "trainings")
    return ax


def power_law(
    data: xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    *,
    floors: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
) -> Axes:
    """An error along an axis on logarithmic scales, with intervals, the fitted power, and floors
    beside it.

    Intervals without an end, such as those of the best seed, are not drawn.

    Args:
        data: what `stats.exponent` returned.
        ax: axes to draw on.
        title: the message of the panel.
        floors: {name: (x, smallest error possible)}, drawn as dashed lines.
    """
    check_made(
        data,
        ["value", "value_low", "value_high", "fitted"],
        "plot.power_law",
        "stats.exponent(runs, ...)",
    )
    ax = axes(ax, title)
    along = data.attrs["along"]
    ends = []
    for label, one, style in each(data, along):
        x, color = one[along].values, style["color"]
        gaps = np.abs(np.stack([one.value_low.values, one.value_high.values]) - one.value.values)
        known = (one.value_low.values > 0) & np.isfinite(one.value_high.values)
        ax.errorbar(
            x,
            one.value,
            np.where(known, gaps, 0.0),
            fmt="o",
            color=color,
            markersize=3,
            linewidth=0.9,
        )
        ax.plot(x, one.fitted, color=color, linewidth=0.9)
        between = ""  # of the best seed, for example: a better one may always come
        if np.isfinite([float(one.low), float(one.high)]).all():
            between = f"\\ [{float(one.low):.1f},\\ {float(one.high):.1f}]"
        power = f"{along}$^{{{float(one.exponent):.1f}{between}}}$"
        ends.append((one.fitted.values, f"{label}\n{power}" if label else power, color))
    for name, (x, floor) in (floors or {}).items():
        ax.plot(x, floor, color="k", linewidth=0.9, linestyle=(0, (3, 2)))
        ends.append((np.asarray(floor, float), name, "k"))
    ax.set(
        xscale="log",
        yscale="log",
        xlabel=readable(along),
        ylabel=f"{data.attrs['statistic']} {readable(data.attrs['of'])}",
    )
    if data[along].size <= 8:  # the points themselves, rather than powers of ten
        ax.set_xticks(data[along].values, [f"{x:g}" for x in data[along].values])
        ax.xaxis.set_minor_locator(NullLocator())
    corner(ax, data.n, "lower left")
    label_ends(ax, ends)
    return ax
