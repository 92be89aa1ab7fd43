"""Panels of what was learned: functions, learning curves, errors outside the range."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from approx import stats

STYLE = Path(__file__).with_name("paper.mplstyle")  # plt.style.use(ap.plot.STYLE)
COLUMN, TWO_COLUMNS = 3.4, 7.0  # widths of a journal's columns, inches


def bands(ax: Axes, x: np.ndarray, quantiles: np.ndarray, color: str = "C0", label: str | None = None) -> None:
    """5-95% and 25-75% bands around the median; what is infinite or nan runs out of the axes."""
    low, lower, middle, upper, high = np.where(np.isnan(quantiles), np.inf, quantiles)
    top = np.nanmax(np.where(np.isfinite(quantiles), quantiles, np.nan)) * 1e3
    ax.fill_between(x, np.minimum(low, top), np.minimum(high, top), color=color, alpha=0.18, lw=0)
    ax.fill_between(x, np.minimum(lower, top), np.minimum(upper, top), color=color, alpha=0.3, lw=0)
    ax.plot(x, middle, color=color, label=label)


def fan(
    runs: xr.Dataset,
    ax: Axes | None = None,
    *,
    between: Sequence[float] | None = None,
    singles: int = 5,
    output: int = 0,
) -> Axes:
    """Learned functions of one variable: quantile bands over seeds, a few single seeds, the target, the range shown.

    Args:
        runs: predictions over (seed, point, output), at points with one input.
        ax: to draw on; a new one if left out.
        between: limits of x; all test points if left out.
        singles: how many seeds to draw as thin lines, the first ones.
        output: which output.
    """
    ax = ax or plt.subplots()[1]
    x = runs.x_test.isel(input=0).values
    chosen = np.flatnonzero((x >= (between or x)[0]) & (x <= (between or x)[-1]))
    here = runs.isel(point=chosen, output=output)
    x, inside = x[chosen], here.distance.values == 0
    q = stats.quantiles(here, of="prediction").prediction.transpose("quantile", "point").values
    ax.axvspan(x[inside].min(), x[inside].max(), color="0.93", lw=0, zorder=0)
    bands(ax, x, q)
    for seed in range(min(singles, runs.sizes["seed"])):
        ax.plot(x, here.prediction.isel(seed=seed), color="0.25", lw=0.35, alpha=0.8)
    ax.plot(x, here.y_test, color="k", lw=0.9, ls=(0, (4, 2)))
    y = here.y_test.values
    spread = max(np.ptp(y), np.ptp(q[np.isfinite(q)]) if np.isfinite(q).any() else 0)
    ax.set(xlabel="x", ylabel="f(x)", xlim=(x.min(), x.max()), ylim=(y.min() - 0.12 * spread, y.max() + 0.06 * spread))
    return note(ax, runs)


def learning_curve(runs: xr.Dataset, ax: Axes | None = None, *, of: str = "loss", singles: int = 5, color="C0") -> Axes:
    """A loss over steps: quantile bands over seeds and a few single seeds, log axes; step 0 is drawn at 1/2."""
    ax = ax or plt.subplots()[1]
    q = stats.quantiles(runs, of=of)[of].transpose("quantile", "step").values
    steps = np.maximum(runs.step.values, 0.5)
    bands(ax, steps, q, color)
    for seed in range(min(singles, runs.sizes["seed"])):
        ax.plot(steps, runs[of].isel(seed=seed), color="0.25", lw=0.35, alpha=0.8)
    ax.set(xscale="log", yscale="log", xlabel="step", ylabel=runs[of].attrs.get("long_name", of), xlim=(0.5, steps[-1]))
    return note(ax, runs)


def extrapolation(
    runs: xr.Dataset, ax: Axes | None = None, *, relative_to: float = 1.0, color: str = "C0", label: str | None = None
) -> Axes:
    """Absolute error against the distance outside the training range, quantile bands over seeds, log error axis.

    Args:
        runs: with predictions, as `stats.error_by_distance` takes them.
        ax: to draw on; a new one if left out.
        relative_to: unit of the distance, for example half the training range.
        color: of the bands. label: written at the end of the median.
    """
    ax = ax or plt.subplots()[1]
    errors = stats.error_by_distance(runs)
    q = stats.quantiles(errors, of="error").error.transpose("quantile", "distance").values
    bands(ax, errors.distance.values / relative_to, q, color)
    if label:
        at_end(ax, errors.distance.values[-1] / relative_to, q[2, -1], label, color)
    ax.set(yscale="log", xlabel="distance outside the range", ylabel="|f(x) - y|", xlim=(0, None))
    return note(ax, runs)


def at_end(ax: Axes, x: float, y: float, label: str, color: str) -> None:
    """A label to the right of a line's last point."""
    ax.annotate(
        label, (x, y), (3, 0), textcoords="offset points", color=color, va="center", fontsize=7, annotation_clip=False
    )


def note(ax: Axes, runs: xr.Dataset) -> Axes:
    """The number of seeds, in a corner."""
    ax.text(
        0.98,
        0.02,
        f"n = {runs.sizes['seed']}",
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize=6.5,
        color="0.3",
    )
    return ax
