"""Panels of time and cost: survival, restarting, the best of several seeds."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from approx.plot.series import (
    axes,
    check_made,
    corner,
    each,
    label_ends,
    readable,
    share_axis,
    step_axis,
)


def survival(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Share of seeds without success by each step, with its band; times are known to the record, so
    it has steps.

    The true curve lies below the steps, above those drawn one record earlier (thin).

    Args:
        data: what `stats.survival` or `stats.kaplan_meier` returned.
        ax: axes to draw on.
        title: the message of the panel.
    """
    check_made(data, ["survival", "low", "high", "step"], "plot.survival", "stats.survival(hits)")
    ax = axes(ax, title)
    ends = []
    for label, one, style in each(data, "step"):
        ax.fill_between(
            one.step, one.low, one.high, color=style["color"], alpha=0.2, linewidth=0, step="post"
        )
        ax.plot(one.step, one.survival, drawstyle="steps-post", **style)
        ax.plot(one.step, one.survival, drawstyle="steps-pre", color=style["color"], linewidth=0.4)
        ends.append((one.survival.values, label, style["color"]))
    step_axis(ax, np.asarray(data.step))
    share_axis(ax, "share of seeds without success")
    corner(ax, data.n, "lower left")
    label_ends(ax, ends)
    return ax


def restart(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Expected steps until success against the step at which unsuccessful trainings are restarted.

    The best cut-off is marked; where no seed had succeeded yet the cost is unknown and nothing is
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
        known = np.isfinite(one.cost)
        high = one.high.clip(max=100 * top).where(known)
        ax.fill_between(
            one.cutoff, one.low.where(known), high, color=style["color"], alpha=0.2, linewidth=0
        )
        ax.plot(one.cutoff, one.cost.where(known), **style)
        if np.isfinite(one.best_cost):
            ax.plot(
                one.best_cutoff,
                one.best_cost,
                "o",
                color=style["color"],
                markersize=4,
                markeredgecolor="white",
            )
            gain = f"gain {float(one.gain):.2g} [{float(one.gain_low):.2g}, {float(one.gain_high):.2g}]"
            label = f"{label}: best {int(one.best_cutoff):,}\n{gain}".removeprefix(": ")
        ends.append((one.cost.values, label, style["color"]))
    ax.set_xscale("log")
    ax.set_yscale("log")
    others = [d for d in data.cost.dims if d != "cutoff"]
    reached = data.cutoff.values[np.isfinite(data.cost).any(others).values]
    if finite.size:
        lowest = data.low.where(np.isfinite(data.cost)).min().item()
        ax.set_ylim(max(lowest, finite.min() / 10) / 2.5, top)
        ax.set_xlim(min(reached[0], data.cutoff.values[-1] / 10), data.cutoff.values[-1])
    else:
        ax.set(xlim=(1, max(10, data.cutoff.values[-1])), ylim=(1, 10))
        ax.text(
            0.5,
            0.5,
            "no success, so no cost is known",
            transform=ax.transAxes,
            ha="center",
            color="0.3",
        )
    ax.set_xlabel("restart after this many steps")
    ax.set_ylabel("expected steps until success")
    corner(ax, data.n, "upper right")
    label_ends(ax, [end for end in ends if np.isfinite(end[0][-1])])
    return ax


def best_of(data: xr.Dataset, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Expected best value among m seeds against m; an infinite expectation (diverged seeds) is not
    drawn but said.

    Args:
        data: what `stats.best_of` returned.
        ax: axes to draw on.
        title: the message of the panel.
    """
    check_made(data, ["best", "low", "high", "tries"], "plot.best_of", "stats.best_of(runs)")
    ax = axes(ax, title)
    ends, infinite = [], False
    for label, one, style in each(data, "tries"):
        known = np.isfinite(one.best)
        infinite |= bool((~known).any())
        top = one.high.where(np.isfinite(one.high), 10 * one.best.where(known).max())
        ax.fill_between(
            one.tries,
            one.low.where(known),
            top.where(known),
            color=style["color"],
            alpha=0.2,
            linewidth=0,
        )
        ax.plot(one.tries, one.best.where(known), marker="o", **style)
        ends.append((one.best.values, label, style["color"]))
    ax.set_xscale("log")
    ax.set_xticks(data.tries.values, [str(m) for m in data.tries.values])
    ax.minorticks_off()
    if (data.best.where(np.isfinite(data.best)) > 0).any():
        ax.set_yscale("log")
    ax.set_xlabel("number of seeds tried")
    ax.set_ylabel(
        f"{data.attrs.get('statistic', 'mean')} of the best {readable(data.attrs.get('of', 'value'))}"
    )
    corner(ax, data.n, "upper right")
    if infinite:
        ax.text(0.02, 0.03, "not drawn: infinite", transform=ax.transAxes, size=6.5, color="0.3")
    label_ends(ax, [end for end in ends if np.isfinite(end[0][-1])])
    return ax
