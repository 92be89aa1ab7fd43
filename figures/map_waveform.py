"""The maps of the waveform.

Reads what experiments/map_waveform.py writes, results/map_waveform_{sgd,adam}_{CLASSES}.nc, and
draws figures/map_waveform.{pdf,png}.

Shows: The more classes, the narrower the band of Adam's learning rates: 64 classes are learned in
    1,000 batches at
0.006 to 0.018, by 81% [65, 91] of 32 seeds at best, and never at Keras' default of 0.001. SGD
learns two classes for most seeds at its best rate, 16 for 6%, and more for none.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import tyro
import xarray as xr

import approx as ap

FOLDER = Path(__file__).parent
LEARNED = 0.99  # as in the experiment


def over_classes(results: Path, optimizer: str) -> tuple[xr.Dataset, xr.Dataset]:
    """Rates of success and median accuracies over learning rate and classes."""
    there = results.glob(f"map_waveform_{optimizer}_*.nc")
    paths = {
        int(path.stem.split("_")[-1]): path for path in there if not path.stem.endswith("_zoom")
    }
    if not paths:
        raise FileNotFoundError(f"no results in {results}: run experiments/map_waveform.py first")
    rates, middles = [], []
    for many in sorted(paths):
        runs = ap.load(paths[many])
        rates.append(ap.stats.rate(ap.stats.success(runs, above=LEARNED, of="test_accuracy")))
        last = runs.isel(step=-1)
        middles.append(ap.stats.quantiles(last, of="test_accuracy", q=[0.5]).isel(quantile=0))
    classes = xr.Variable("classes", np.array(sorted(paths)))
    joined = [
        xr.concat(found, classes, combine_attrs="drop_conflicts") for found in (rates, middles)
    ]
    return joined[0].transpose("classes", "learning_rate"), joined[1].transpose(
        "classes", "learning_rate"
    )


def main(
    results: Path = FOLDER.parent / "results", figures: Path = FOLDER, quick: bool = False
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/map_waveform.py wrote to.
        figures: the folder to draw into.
        quick: draw what `--quick` wrote, in results/quick.
    """
    if quick:
        results = figures = results / "quick"
    plt.style.use(ap.plot.STYLE)
    figure, grid = plt.subplots(2, 2, figsize=(7.0, 5.2))
    shown: dict[str, Any] = {
        "label": "median accuracy",
        "limits": (0, 1),
        "log": False,
        "infinite": "diverged",
    }
    for row, letters, (name, title) in zip(
        grid, ("ab", "cd"), (("sgd", "SGD"), ("adam", "Adam")), strict=True
    ):
        rates, middle = over_classes(results, name)
        ap.plot.landscape(
            rates, row[0], rf"$\bf{{{letters[0]}}}$  {title}: accuracy of at least {LEARNED}"
        )
        ap.plot.field(
            middle, "test_accuracy", row[1], rf"$\bf{{{letters[1]}}}$  {title}: accuracy", **shown
        )
        for ax in row:
            ax.set_yticks(rates.classes.values, rates.classes.values)
            ax.minorticks_off()
    note = "Quick look: few settings, seeds and steps, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "map_waveform", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
