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

import approx as ap

FOLDER = Path(__file__).parent
WORKS = 0.882  # as in the experiment


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
    shown: dict[str, Any] = {
        "label": "median test accuracy",
        "limits": (0.5, 0.93),
        "log": False,
        "infinite": "diverged",
    }
    titles = {"bare": "without biases", "biases": "with biases"}
    for row, letters, (name, title) in zip(grid, ("ab", "cd"), titles.items(), strict=True):
        runs = ap.load(results / f"map_clusters_{name}.nc")
        middle = ap.stats.quantiles(runs.isel(step=-1), of="test_accuracy", q=[0.5]).isel(
            quantile=0
        )
        ap.plot.field(
            middle, "test_accuracy", row[0], rf"$\bf{{{letters[0]}}}$  Ten units {title}", **shown
        )
        rates = ap.stats.rate(ap.stats.success(runs, above=WORKS, of="test_accuracy"))
        text = rf"$\bf{{{letters[1]}}}$  As good as a linear softmax ({WORKS})"
        ap.plot.landscape(rates, row[1], text)
    note = "Quick look: few settings, seeds and passes, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "map_clusters", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
