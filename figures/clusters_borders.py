"""Where networks on four clusters draw their borders, without biases and with all advice.

Reads clusters_networks.csv of experiments/summaries, which experiments/clusters.py writes, and
draws figures/clusters_borders.{pdf,svg,png}. Both networks are the median ones of 128 seeds by
their test accuracy at the end.

Shows: Without biases all borders are rays from the origin, whatever the training: the classes that
a network can tell apart are directions. With biases, right derivatives, cross-entropy, normalised
inputs and no dropout the borders go where the data are.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

import approx as ap
from experiments import clusters

WIDE = 5.0  # half the side of the maps
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")
MARKS = ("o", "^", "s", "x")
NAMED = ((-3.6, 2.9), (-3.4, -2.6), (1.2, 4.4), (3.7, 3.2))  # where the classes are named
RIM = [withStroke(linewidth=2.5, foreground="white")]
SHOWN = 300  # test rows
NETWORKS = {
    clusters.BASELINE: "Without biases all borders meet at +",
    "everything": "With all advice they follow the data",
}
Outputs = Callable[[np.ndarray], Any]  # a network's outputs (rows, 4) for inputs (rows, 5)


def plane(x: np.ndarray) -> np.ndarray:
    """Axes (2, 5) of the plane in which the classes lie.

    The last column is noise, and the others have rank two.
    """
    axes = np.linalg.svd(x[:, :4], full_matrices=False)[2][:2]
    return np.column_stack([axes, np.zeros(2)])


def draw_regions(outputs: Outputs, ax: Axes) -> float:
    """Colour each point of the plane by the class that it is given to, and draw the test rows.

    Returns:
        The share of all test rows that are right.
    """
    task = clusters.LABELS
    axes = plane(task.x)
    grid = np.linspace(-WIDE, WIDE, 281)
    points = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2) @ axes
    given = np.asarray(outputs(points)).argmax(1).reshape(grid.size, grid.size)
    colors = ListedColormap(COLORS)
    extent = (-WIDE, WIDE, -WIDE, WIDE)
    whole: dict[str, Any] = {"origin": "lower", "extent": extent, "interpolation": "nearest"}
    ax.imshow(given, cmap=colors, vmin=-0.5, vmax=3.5, alpha=0.25, **whole)
    levels = (0.5, 1.5, 2.5)
    ax.contour(grid, grid, given, levels=levels, colors="0.3", linewidths=0.6)
    rows = task.x_test[:SHOWN] @ axes.T
    for of_class, (color, mark) in enumerate(zip(COLORS, MARKS, strict=True)):
        u, v = rows[task.y_test[:SHOWN] == of_class].T
        ax.scatter(u, v, c=color, marker=mark, s=4, lw=0.6)
    ax.set(xticks=[], yticks=[], xlim=(-WIDE, WIDE), ylim=(-WIDE, WIDE))
    ax.spines[:].set_visible(True)
    is_right = np.asarray(outputs(task.x_test)).argmax(1) == task.y_test
    return float(is_right.mean())


def draw(summaries: Path) -> Figure:
    """The whole figure, for two columns."""
    table = pd.read_csv(summaries / f"{clusters.CASE}_networks.csv")
    figure, panels = plt.subplots(1, 2, figsize=(5.4, 2.9))
    for letter, ax, (label, title) in zip("ab", panels, NETWORKS.items(), strict=True):
        right = draw_regions(clusters.network_of(table, label), ax)
        ax.set_xlabel(f"{right:.0%} of the test rows are right")
        ax.set_title(ap.plot.lettered(letter, title))
        ax.plot(0, 0, "k+", ms=8, mew=1.5, path_effects=RIM)
    for of_class, place in enumerate(NAMED):
        text: dict[str, Any] = {"ha": "center", "va": "center", "path_effects": RIM}
        panels[0].text(*place, f"class {of_class}", size=7, **text)
    figure.supxlabel("the plane in which the classes lie; + is where all inputs are 0", size=7)
    return figure


main = ap.study.table_figure_script("clusters_borders", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
