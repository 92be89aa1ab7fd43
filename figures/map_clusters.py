"""The maps of the clusters.

Reads what experiments/map_clusters.py writes, results/map_clusters_{bare,biases}.nc, and draws
figures/map_clusters.{pdf,png}.

Shows: Without biases none of 25,600 trainings is as good as a linear softmax, at any rate of
dropout and of learning. With them all seeds are, where dropout is below a tenth and the learning
rate about 0.1; any dropout costs accuracy.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments.map_clusters import MAPS, WORKS

SHOWN: dict[str, Any] = {
    "label": "median test accuracy",
    "limits": (0.5, 0.93),
    "log": False,
    "infinite": "diverged",
}


def draw_row(results: Path, name: str, row: tuple[Axes, Axes], letters: str, title: str) -> None:
    """Median accuracy, and the share of seeds at least as good as a linear softmax."""
    runs = ap.load(results / f"map_clusters_{name}.nc")
    left, right = row
    found = ap.stats.quantiles(
        runs.isel(step=-1),
        of="test_accuracy",
        q=[0.5],
    )
    message = ap.plot.lettered(letters[0], f"Ten units {title}")
    ap.plot.field(
        found.isel(quantile=0),
        "test_accuracy",
        left,
        message,
        light="greatest",
        **SHOWN,
    )
    rates = MAPS[name].rates(runs)
    message = ap.plot.lettered(letters[1], f"As good as a linear softmax ({WORKS})")
    ap.plot.landscape(rates, right, message)


def draw(results: Path) -> Figure:
    """The whole figure."""
    figure, grid = plt.subplots(2, 2, figsize=(7.0, 5.2))
    draw_row(results, "bare", grid[0], "ab", "without biases")
    draw_row(results, "biases", grid[1], "cd", "with biases")
    return figure


main = ap.study.figure_script("map_clusters", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
