"""Panels of time and cost: survival, restarting, the best of several seeds."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from approx.plot.scales import corner, share_axis, step_axis
from approx.plot.series import axes, band, check_made, each, label_ends, readable, small


def survival(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Share of seeds without success by each step, with its band.

    A time of success is known to lie between two records, so the curve has steps. The true curve
    lies below these steps, and above the thin ones, which are drawn one record earlier.

    Args:
        data: what `stats.survival` or `stats.kaplan_meier` returned.
        ax: axes to draw on.
        title: the message of the panel.
    """
    check_made(data, ["survival", "low", "high", "step"], "plot.survival", "stats.survival(hits)")
    ax = axes(ax, title)
    ends = []
    for label, one, style in each(data, "step"):
        color = style["color"]
        band(
            ax,
            one.step,
            one.low,
            one.high,
            color,
            step="post",
        )
        ax.plot(one.step, one.survival, drawstyle="steps-post", **style)
        ax.plot(
            one.step,
            one.survival,
            drawstyle="steps-pre",
            color=color,
            linewidth=0.4,
        )
        ends.append((one.survival.values, label, color))
    step_axis(ax, np.asarray(data.step))
    share_axis(ax, "share of seeds without success")
    corner(ax, data.n, "lower left")
    label_ends(ax, ends)
    return ax


def restart(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Expected steps until success against the step at which trainings without it are restarted.

    The best step is marked. Where no seed had succeeded yet the cost is unknown, and nothing is
    drawn.

    Args:
        data: what `stats.restart` returned.
        ax: axes to draw on.
        title: the message of the panel.
    """
    check_made(data, ["cost", "low", "high", "cutoff"], "plot.restart", "stats.restart(hits)")
    ax = axes(ax, title)
    finite = data.cost.values[np.isfinite(data.cost.values)]
    top = 3 * finite.max() if finite.size else 1.0
    ends = []
    for label, one, style in each(data, "cutoff"):
        color = style["color"]
        known = np.isfinite(one.cost)
        high = one.high.clip(max=100 * top)
        band(
            ax,
            one.cutoff,
            one.low.where(known),
            high.where(known),
            color,
        )
        ax.plot(
            one.cutoff,
            one.cost.where(known),
            **style,
        )
        if np.isfinite(one.best_cost):
            _mark_best(ax, one, color)
            label = f"{label}: {_best(one)}".removeprefix(": ")
        if known[-1]:
            ends.append((one.cost.values, label, color))
    ax.set_xscale("log")
    ax.set_yscale("log")
    _limit_costs(ax, data, finite, top)
    ax.set_xlabel("restart after this many steps")
    ax.set_ylabel("expected steps until success")
    corner(ax, data.n, "upper right")
    label_ends(ax, ends)
    return ax


def _mark_best(ax: Axes, one: xr.Dataset, color: str) -> None:
    """Mark the best cut-off and its cost."""
    ax.plot(
        one.best_cutoff,
        one.best_cost,
        "o",
        color=color,
        markersize=4,
        markeredgecolor="white",
    )


def _best(one: xr.Dataset) -> str:
    """The best step to restart at, and what it gains."""
    gain, low, high = (float(one[name]) for name in ("gain", "gain_low", "gain_high"))
    return f"best {int(one.best_cutoff):,}\ngain {gain:.2g} [{low:.2g}, {high:.2g}]"


def _limit_costs(ax: Axes, data: xr.Dataset, finite: np.ndarray, top: float) -> None:
    """Limit the axes of `restart` to the costs that are known."""
    last = data.cutoff.values[-1]
    if not finite.size:
        _say_no_success(ax, last)
        return
    known = np.isfinite(data.cost)
    lowest = data.low.where(known).min().item()
    others = [dim for dim in data.cost.dims if dim != "cutoff"]
    reached = data.cutoff.values[known.any(others).values]
    ax.set_ylim(max(lowest, finite.min() / 10) / 2.5, top)
    ax.set_xlim(min(reached[0], last / 10), last)


def _say_no_success(ax: Axes, last: float) -> None:
    """Write into the empty panel of `restart` that nothing succeeded."""
    ax.set(xlim=(1, max(10, last)), ylim=(1, 10))
    ax.text(
        0.5,
        0.5,
        "no success, so no cost is known",
        transform=ax.transAxes,
        ha="center",
        color="0.3",
    )


def best_of(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Expected best value among m seeds, against m.

    If seeds diverged the expectation can be infinite: it is not drawn, and a note says so.

    Args:
        data: what `stats.best_of` returned.
        ax: axes to draw on.
        title: the message of the panel.
    """
    check_made(data, ["best", "low", "high", "tries"], "plot.best_of", "stats.best_of(runs)")
    ax = axes(ax, title)
    ends = []
    for label, one, style in each(data, "tries"):
        known = np.isfinite(one.best)
        beyond = 10 * one.best.where(known).max()
        top = one.high.where(np.isfinite(one.high), beyond)
        band(
            ax,
            one.tries,
            one.low.where(known),
            top.where(known),
            style["color"],
        )
        ax.plot(
            one.tries,
            one.best.where(known),
            marker="o",
            **style,
        )
        if known[-1]:
            ends.append((one.best.values, label, style["color"]))
    ax.set_xscale("log")
    tries = data.tries.values
    ax.set_xticks(tries, [str(m) for m in tries])
    ax.minorticks_off()
    finite = np.isfinite(data.best)
    if (data.best.where(finite) > 0).any():
        ax.set_yscale("log")
    ax.set_xlabel("number of seeds tried")
    statistic = data.attrs.get("statistic", "mean")
    of = data.attrs.get("of", "value")
    ax.set_ylabel(f"{statistic} of the best {readable(of)}")
    corner(ax, data.n, "upper right")
    if not finite.all():
        ax.text(
            0.02, 0.03, "not drawn: infinite", transform=ax.transAxes, size=small(), color="0.3"
        )
    label_ends(ax, ends)
    return ax
