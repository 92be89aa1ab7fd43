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
import pandas as pd
import tyro
from matplotlib.axes import Axes

import approx as ap

FOLDER = Path(__file__).parent
REFERENCES = FOLDER.parent / "experiments" / "summaries" / "clusters_references.csv"
SHOWN: dict[str, Any] = {
    "label": "median test accuracy",
    "limits": (0.5, 0.93),
    "log": False,
    "infinite": "diverged",
}


def draw_row(path: Path, row: tuple[Axes, Axes], letters: str, title: str, works: float) -> None:
    """Median accuracy, and the share of seeds at least as good as a linear softmax."""
    runs = ap.load(path)
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
        **SHOWN,
    )
    rates = ap.stats.rate(ap.stats.success(runs, above=works, of="test_accuracy"))
    message = ap.plot.lettered(letters[1], f"As good as a linear softmax ({works})")
    ap.plot.landscape(rates, right, message)


def main(
    results: Path = FOLDER.parent / "results", figures: Path = FOLDER, quick: bool = False
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/map_clusters.py wrote to.
        figures: the folder to draw into.
        quick: draw what `--quick` wrote, in results/quick.
    """
    if quick:
        results = figures = results / "quick"
    plt.style.use(ap.plot.STYLE)
    figure, grid = plt.subplots(2, 2, figsize=(7.0, 5.2))
    works = float(pd.read_csv(REFERENCES, index_col=0).test_accuracy["softmax"])
    titles = {"bare": "without biases", "biases": "with biases"}
    for row, letters, (name, title) in zip(grid, ("ab", "cd"), titles.items(), strict=True):
        draw_row(
            results / f"map_clusters_{name}.nc",
            row,
            letters,
            title,
            works,
        )
    note = "Quick look: few settings, seeds and passes, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "map_clusters", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
