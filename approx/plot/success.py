"""Panels of success: its share over the steps, and as a function of what is called a success."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from approx import stats
from approx.plot.scales import corner, share_axis, step_axis
from approx.plot.series import (
    axes,
    band,
    by_label,
    check_made,
    each,
    label_ends,
    readable,
    small,
    style,
)
from approx.stats.labels import check_rates

EACH = 'stats.rate(hits, when="each")'  # makes what two of the panels draw


def success_curve(
    data: xr.Dataset, ax: Axes | None = None, title: str | None = None, level: float = 0.95
) -> Axes:
    """Share of seeds that are in success at each record, with its interval as a band.

    Args:
        data: what `stats.success` returned, or `stats.rate(..., when="each")`.
        ax: axes to draw on.
        title: the message of the panel.
        level: of the intervals, if `data` are hits; rates have their own.
    """
    rates = data
    if isinstance(data, xr.Dataset) and "hit" in data:
        rates = stats.rate(data, when="each", level=level)
    check_rates(rates)
    check_made(rates, ["step"], "plot.success_curve", EACH)
    ax = axes(ax, title)
    ends = []
    for label, one, line in each(rates, "step"):
        band(
            ax,
            one.step,
            one.low,
            one.high,
            line["color"],
        )
        ax.plot(one.step, one.rate, **line)
        ends.append((one.rate.values, label, line["color"]))
    step_axis(ax, np.asarray(rates.step))
    share_axis(ax, "share of seeds that succeed")
    corner(ax, rates.n, "upper left")
    label_ends(ax, ends)
    return ax


def work_curve(
    rates: Mapping[str, xr.Dataset] | xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    *,
    work: str = "step",
    label: str = "evaluations of loss and gradient",
) -> Axes:
    """Share of seeds in success against work, for methods that each have records of their own.

    A dot marks the last record of each method.

    Args:
        rates: what `stats.rate(..., when="each")` returned, by name; or one of these alone, which
            gets no name.
        ax: axes to draw on.
        title: the message of the panel.
        work: the coordinate along `step` that says how much work had been done; records without
            work are left out.
        label: the words at the axis of work, with its unit.
    """
    rates = by_label(rates, "rate", "plot.work_curve", EACH)
    for one in rates.values():
        check_made(one, ["step", work], "plot.work_curve", EACH)
    ax = axes(ax, title)
    ends: list[tuple] = []
    for number, (name, one) in enumerate(rates.items()):
        done = one.isel(step=np.flatnonzero(one[work] > 0))
        if not done.sizes["step"]:
            continue
        line = style(number)
        _draw_work(ax, done, work, line)
        ends.append((done.rate.values, name, line["color"]))
    ax.set_xscale("log")
    ax.margins(x=0)
    ax.set_xlabel(label)
    share_axis(ax, "share of seeds that succeed")
    corner(
        ax,
        np.array([int(one.n.max()) for one in rates.values()]),
        "upper left",
        what="",
    )
    label_ends(ax, ends)
    return ax


def _draw_work(ax: Axes, done: xr.Dataset, work: str, line: Mapping[str, Any]) -> None:
    """Draw the rates of one method against its work, with a dot where its records end."""
    x = done[work]
    color = line["color"]
    band(ax, x, done.low, done.high, color)
    ax.plot(x, done.rate, **line)
    ax.plot(
        x[-1],
        done.rate[-1],
        ".",
        color=color,
        clip_on=False,
    )


def threshold_profile(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Share of successes as a function of the threshold.

    The smallest value that float32 allows is marked, if `data` has it.

    Args:
        data: what `stats.profile` returned.
        ax: axes to draw on.
        title: the message of the panel.
    """
    needed = ["rate", "low", "high", "threshold"]
    check_made(data, needed, "plot.threshold_profile", "stats.profile(runs)")
    ax = axes(ax, title)
    ends = []
    for label, one, line in each(data.drop_vars("floor", errors="ignore"), "threshold"):
        band(
            ax,
            one.threshold,
            one.low,
            one.high,
            line["color"],
            step="post",
        )
        ax.plot(one.threshold, one.rate, drawstyle="steps-post", **line)
        ends.append((one.rate.values, label, line["color"]))
    thresholds = np.asarray(data.threshold)
    if thresholds.min() > 0:
        ax.set_xscale("log")
    ax.set_xlim(thresholds.min(), thresholds.max())
    if "floor" in data:
        _mark_floors(ax, np.unique(data.floor), thresholds.min())
    share_axis(ax, "share of seeds")
    above = bool(data.attrs.get("above"))
    of = readable(data.attrs.get("of", "value"))
    ax.set_xlabel(f"threshold: {of} {'≥' if above else '≤'}")
    corner(ax, data.n, "upper right" if above else "lower right")
    label_ends(ax, ends)
    return ax


def _mark_floors(ax: Axes, floors: np.ndarray, least: float) -> None:
    """Mark the smallest values that float32 allows, and make the axis reach below them."""
    for floor in floors:
        ax.axvline(floor, color="0.4", linewidth=0.8, linestyle=":")
        ax.text(
            floor,
            0.5,
            "float32 floor ",
            rotation=90,
            size=small(),
            color="0.3",
            ha="right",
            va="center",
        )
        ax.set_xlim(left=min(least, floor / 30))
