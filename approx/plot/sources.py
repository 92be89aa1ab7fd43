"""Panels of where the spread over seeds comes from, and of how fast an error falls."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from approx.plot.scales import corner, row_axis
from approx.plot.series import axes, check_made, each, label_ends, readable

MOST_TICKS = 8  # with more points, the axis names powers of ten


def variance_components(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Share of the variance that each source of randomness makes, with its interval.

    Interactions of sources stand below them, in grey.

    Args:
        data: what `stats.variance_components` returned, for one setting.
        ax: axes to draw on.
        title: the message of the panel.

    Raises:
        ValueError: more than one setting.
    """
    needed = ["share", "low", "high", "source"]
    check_made(data, needed, "plot.variance_components", "stats.variance_components(runs)")
    _check_one_setting(data)
    ax = axes(ax, title)
    names = [str(name).replace(" x ", " × ") for name in data.source.values]
    for y, name in enumerate(names):
        color = "0.55" if "×" in name else "C0"
        _draw_share(ax, y, data.isel(source=y), color)
    row_axis(ax, names)
    ax.set_xlim(0, 1)
    of = readable(data.attrs["of"])
    judged = {"log": f"log {of}", "rank": f"ranks of {of}"}.get(data.attrs["scale"], of)
    ax.set_xlabel(f"share of the variance of {judged}")
    corner(ax, int(data.n), "lower right", "trainings")
    return ax


def _check_one_setting(data: xr.Dataset) -> None:
    """Raise a ValueError if the shares of several settings are given."""
    if data.share.dims != ("source",):
        extra = ", ".join(map(str, data.share.dims[:-1]))
        raise ValueError(f"a panel draws one setting; select one of {extra}")


def _draw_share(ax: Axes, y: int, one: xr.Dataset, color: str) -> None:
    """Draw the share of one source as a bar and a dot, with its interval."""
    ax.barh(
        y,
        one.share,
        height=0.6,
        color=color,
        alpha=0.45,
    )
    ax.hlines(
        y,
        one.low,
        one.high,
        color=color,
        linewidth=1.4,
    )
    ax.plot(one.share, y, "o", color=color, markersize=3.5)


def power_law(
    data: xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    *,
    floors: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
) -> Axes:
    """An error along an axis on logarithmic scales, with intervals and the fitted power.

    Intervals without an end, such as those of the best seed, are not drawn.

    Args:
        data: what `stats.exponent` returned.
        ax: axes to draw on.
        title: the message of the panel.
        floors: {name: (x, smallest error possible)}, drawn as dashed lines.
    """
    needed = ["value", "value_low", "value_high", "fitted"]
    check_made(data, needed, "plot.power_law", "stats.exponent(runs, ...)")
    ax = axes(ax, title)
    along = data.attrs["along"]
    ends = []
    for label, one, style in each(data, along):
        color = style["color"]
        _draw_values(ax, one, along, color)
        ax.plot(
            one[along],
            one.fitted,
            color=color,
            linewidth=0.9,
        )
        text = f"{label}\n{_power(one, along)}".removeprefix("\n")
        ends.append((one.fitted.values, text, color))
    for name, (x, floor) in (floors or {}).items():
        _draw_floor(ax, x, floor)
        ends.append((np.asarray(floor, float), name, "k"))
    ax.set(xscale="log", yscale="log", xlabel=readable(along))
    ax.set_ylabel(f"{data.attrs['statistic']} {readable(data.attrs['of'])}")
    if data[along].size <= MOST_TICKS:
        _write_values(ax, data[along].values)
    corner(ax, data.n, "lower left")
    label_ends(ax, ends)
    return ax


def _draw_floor(ax: Axes, x: np.ndarray, floor: np.ndarray) -> None:
    """Draw the least errors that are possible as a dashed line."""
    ax.plot(
        x,
        floor,
        color="k",
        linewidth=0.9,
        linestyle=(0, (3, 2)),
    )


def _write_values(ax: Axes, values: np.ndarray) -> None:
    """Write every value at the horizontal axis, and no others."""
    ax.set_xticks(values, [f"{x:g}" for x in values])
    ax.xaxis.set_minor_locator(NullLocator())


def _draw_values(ax: Axes, one: xr.Dataset, along: str, color: str) -> None:
    """The errors as dots, with their intervals where both ends are known."""
    value, low, high = (one[name].values for name in ("value", "value_low", "value_high"))
    known = (low > 0) & np.isfinite(high)
    lengths = np.where(
        known,
        np.abs(np.stack([low, high]) - value),
        0.0,
    )
    ax.errorbar(
        one[along],
        value,
        lengths,
        fmt="o",
        color=color,
        markersize=3,
        linewidth=0.9,
    )


def _power(one: xr.Dataset, along: str) -> str:
    """The fitted power as mathematical text, with its interval if that has two ends."""
    between = ""  # of the best seed, for example: a better one may always come
    low = float(one.low)
    high = float(one.high)
    if np.isfinite([low, high]).all():
        between = f"\\ [{low:.1f},\\ {high:.1f}]"
    return f"{along}$^{{{float(one.exponent):.1f}{between}}}$"
