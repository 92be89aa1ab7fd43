"""Axes, legends and corners of panels: steps, shares, rows, the number of seeds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from approx.plot.series import small


def corner(
    ax: Axes, n: xr.DataArray | np.ndarray | int, where: str = "lower right", what: str = "seeds"
) -> None:
    """Write the number of seeds into a corner: one number, or the range over the series.

    Args:
        ax: the panel.
        n: the numbers.
        where: "lower" or "upper", and "left" or "right".
        what: what is counted.
    """
    vertical, horizontal = where.split()
    x = 0.98 if horizontal == "right" else 0.02
    y, align = (0.03, "bottom") if vertical == "lower" else (0.97, "top")
    text = f"{counted(n)} {what}".strip()
    ax.text(
        x,
        y,
        text,
        transform=ax.transAxes,
        ha=horizontal,
        va=align,
        size=small(),
    )


def counted(n: xr.DataArray | np.ndarray | int) -> str:
    """A number of seeds as text: "n = 512", or "n = 100 to 512"."""
    values = np.asarray(n)
    if not values.size:
        return "n = 0"
    low = int(values.min())
    high = int(values.max())
    return f"n = {low:,}" if low == high else f"n = {low:,} to {high:,}"


def step_axis(ax: Axes, steps: np.ndarray) -> None:
    """Make the horizontal axis one of steps: logarithmic, and linear below 1 to show step 0."""
    ax.set_xscale("symlog", linthresh=1)
    ax.set_xlim(float(steps[0]), float(steps[-1]))
    highest = np.ceil(np.log10(max(steps[-1], 10)))
    decades = 10.0 ** np.arange(0, highest + 1)
    ax.set_xticks([0.0, *decades[decades <= steps[-1]]])
    ax.set_xlabel("step")


def share_axis(ax: Axes, label: str) -> None:
    """Make the vertical axis one of shares, from 0 to 100%."""
    ax.set_ylim(-0.02, 1.02)
    ax.set_yticks(np.linspace(0, 1, 6), [f"{p}%" for p in range(0, 101, 20)])
    ax.set_ylabel(label)


def row_axis(ax: Axes, names: Sequence[str]) -> None:
    """Make the vertical axis one of named rows, the first at the top."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)


def shade_shown(ax: Axes, low: float, high: float) -> None:
    """Shade the range of x in which the training rows are, and name it."""
    ax.axvspan(low, high, color="0.93", lw=0, zorder=0)
    ax.text(
        (low + high) / 2,
        0.97,
        "training range",
        color="0.45",
        size=small(),
        transform=ax.get_xaxis_transform(),
        ha="center",
        va="top",
    )


def legend_above(ax: Axes, columns: int, **options: Any) -> None:
    """Draw a legend between the title and the panel.

    Args:
        ax: the panel.
        columns: names in a line of the legend.
        **options: of `Axes.legend`.
    """
    options = {
        "ncols": columns,
        "borderaxespad": 0,
        "columnspacing": 1.2,
        "borderpad": 0.3,
    } | options
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), **options)
    rows = -(-len(ax.get_legend_handles_labels()[1]) // columns)
    ax.set_title(
        ax.get_title(loc="left"),
        loc="left",
        pad=4 + 11 * rows,
    )
