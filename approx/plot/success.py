"""Panels of success: its share over the steps, and as a function of what is called a success."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from approx import stats
from approx.plot.series import (
    LINES,
    axes,
    by_label,
    check_made,
    corner,
    each,
    label_ends,
    readable,
    share_axis,
    step_axis,
)
from approx.stats.labels import check_rates


def success_curve(
    data: xr.Dataset, ax: Axes | None = None, title: str | None = None, level: float = 0.95
) -> Axes:
    """Share of seeds that are in success at each record, with its interval as a band.

    Args:
        data: what `stats.success` returned, or `stats.rate(..., when="each")`.
        ax: axes to draw on.
        title: the message of the panel.
        level: of the intervals, where the rates are still to be computed.
    """
    rates = stats.rate(data, when="each", level=level) if "hit" in data else data
    check_rates(rates)
    check_made(rates, ["step"], "plot.success_curve", 'stats.rate(hits, when="each")')
    ax = axes(ax, title)
    ends = []
    for label, one, style in each(rates, "step"):
        ax.fill_between(one.step, one.low, one.high, color=style["color"], alpha=0.2, linewidth=0)
        ax.plot(one.step, one.rate, **style)
        ends.append((one.rate.values, label, style["color"]))
    step_axis(ax, np.asarray(rates.step))
    share_axis(ax, "share of seeds in success")
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
    """Share of seeds in success against work, of methods that each have their own grid; after its
    last, a dot.

    Args:
        rates: by name, what `stats.rate(..., when="each")` returned; or one of these alone, which
            gets no name.
        ax: axes to draw on.
        title: the message of the panel.
        work: the coordinate along `step` that says how much work had been done; records without
            work are left out.
        label: what that is, and its unit.
    """
    rates = by_label(rates, "rate", "plot.work_curve", 'stats.rate(hits, when="each")')
    for one in rates.values():
        check_made(one, ["step", work], "plot.work_curve", 'stats.rate(hits, when="each")')
    ax = axes(ax, title)
    ends: list[tuple] = []
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for n, (name, one) in enumerate(rates.items()):
        done = one.isel(step=np.flatnonzero(one[work] > 0))
        if not done.sizes["step"]:
            continue
        style: dict[str, Any] = {
            "color": colors[n % len(colors)],
            "linestyle": LINES[n % len(LINES)],
        }
        ax.fill_between(
            done[work], done.low, done.high, color=style["color"], alpha=0.2, linewidth=0
        )
        ax.plot(done[work], done.rate, **style)
        ax.plot(done[work][-1], done.rate[-1], ".", color=style["color"], clip_on=False)
        ends.append((done.rate.values, name, style["color"]))
    ax.set_xscale("log")
    ax.margins(x=0)
    ax.set_xlabel(label)
    share_axis(ax, "share of seeds in success")
    corner(ax, np.array([int(one.n.max()) for one in rates.values()]), "upper left", what="")
    label_ends(ax, ends)
    return ax


def threshold_profile(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Share of successes as a function of the threshold, with the smallest value that float32
    allows, if given.

    Args:
        data: what `stats.profile` returned.
        ax: axes to draw on.
        title: the message of the panel.
    """
    check_made(
        data, ["rate", "low", "high", "threshold"], "plot.threshold_profile", "stats.profile(runs)"
    )
    ax = axes(ax, title)
    floor = data.get("floor")
    data = data.drop_vars("floor", errors="ignore")
    ends = []
    for label, one, style in each(data, "threshold"):
        ax.fill_between(
            one.threshold,
            one.low,
            one.high,
            color=style["color"],
            alpha=0.2,
            linewidth=0,
            step="post",
        )
        ax.plot(one.threshold, one.rate, drawstyle="steps-post", **style)
        ends.append((one.rate.values, label, style["color"]))
    thresholds = np.asarray(data.threshold)
    if thresholds.min() > 0:
        ax.set_xscale("log")
    ax.set_xlim(thresholds.min(), thresholds.max())
    if floor is not None:
        for value in np.unique(floor):
            ax.axvline(value, color="0.4", linewidth=0.8, linestyle=":")
            ax.text(
                value,
                0.5,
                "float32 floor ",
                rotation=90,
                ha="right",
                va="center",
                size=6.5,
                color="0.3",
            )
            ax.set_xlim(left=min(thresholds.min(), value / 30))
    share_axis(ax, "share of seeds")
    relation = "≥" if data.attrs.get("above") else "≤"
    ax.set_xlabel(f"threshold: {readable(data.attrs.get('of', 'value'))} {relation}")
    corner(ax, data.n, "upper right" if data.attrs.get("above") else "lower right")
    label_ends(ax, ends)
    return ax
