"""The maps of the waveform.

Reads what experiments/map_waveform.py writes, results/map_waveform_{sgd,adam}_{CLASSES}.nc, and
draws figures/map_waveform.{pdf,png}.

Shows: The more classes, the narrower the band of Adam's learning rates: 64 classes are learned in
1,000 batches at 0.006 to 0.018, by 81% [65, 91] of 32 seeds at best, and never at Keras' default of
0.001. SGD learns two classes for most seeds at its best rate, 16 for 6%, and more for none.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments.map_waveform import LEARNED

SHOWN: dict[str, Any] = {
    "label": "median accuracy",
    "limits": (0, 1),
    "log": False,
    "infinite": "diverged",
}


def paths_of(results: Path, optimizer: str) -> dict[int, Path]:
    """The results of an optimiser by their number of classes, in ascending order.

    Raises:
        FileNotFoundError: there are none.
    """
    found = {}
    for path in results.glob(f"map_waveform_{optimizer}_*.nc"):
        if not path.stem.endswith("_zoom"):
            found[int(path.stem.split("_")[-1])] = path
    if not found:
        raise FileNotFoundError(f"no results in {results}: run experiments/map_waveform.py first")
    return dict(sorted(found.items()))


def over_classes(paths: dict[int, Path]) -> tuple[xr.Dataset, xr.Dataset]:
    """Rates of success and median accuracies over learning rate and classes."""
    rates, middles = [], []
    for path in paths.values():
        runs = ap.load(path)
        rates.append(ap.stats.rate(ap.stats.success(runs, above=LEARNED, of="test_accuracy")))
        found = ap.stats.quantiles(
            runs.isel(step=-1),
            of="test_accuracy",
            q=[0.5],
        )
        middles.append(found.isel(quantile=0))
    return join(rates, list(paths)), join(middles, list(paths))


def join(parts: list[xr.Dataset], classes: list[int]) -> xr.Dataset:
    """One result over (classes, learning rate), of results for each number of classes."""
    along = xr.Variable("classes", np.array(classes))
    joined = xr.concat(parts, along, combine_attrs="drop_conflicts")
    return joined.transpose("classes", "learning_rate")


def draw_row(results: Path, row: tuple[Axes, Axes], letters: str, name: str, title: str) -> None:
    """Share of seeds that learn all classes, and the median accuracy, of one optimiser."""
    rates, middle = over_classes(paths_of(results, name))
    message = ap.plot.lettered(letters[0], f"{title}: accuracy of at least {LEARNED}")
    ap.plot.landscape(rates, row[0], message)
    message = ap.plot.lettered(letters[1], f"{title}: accuracy")
    ap.plot.field(
        middle,
        "test_accuracy",
        row[1],
        message,
        light="greatest",
        **SHOWN,
    )
    for ax in row:
        ax.set_yticks(rates.classes.values, rates.classes.values)
        ax.minorticks_off()


def draw(results: Path) -> Figure:
    """The whole figure."""
    figure, grid = plt.subplots(2, 2, figsize=(7.0, 5.2))
    draw_row(results, grid[0], "ab", "sgd", "SGD")
    draw_row(results, grid[1], "cd", "adam", "Adam")
    return figure


main = ap.study.figure_script("map_waveform", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
