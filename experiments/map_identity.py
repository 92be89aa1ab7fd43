"""Maps of the identity: which learning rate and spread of the data let a linear network learn it.

Question: R² on fresh rows over 32 x 32 values of the learning rate and of the data's standard
deviation, 32 seeds each: 84 columns N(1.109, spread²) onto themselves, 1,120 rows, batches of 8, 10
epochs; SGD and Adam (Keras'). Learned: an R² of at least 0.99.
Source: the thread on the identity has a spread of 0.0012, SGD at 0.01, and a small loss.
Expected finding: a band around a spread of 1; SGD needs a rate that grows as 1 / spread², Adam does
not.
Found: the first, and of SGD the second: its lowest rate that learns for most seeds falls from 0.41
at a spread of 0.49 to 0.012 at 3, as 1 / spread². Below 0.38 SGD learns for no seed, below 0.175
neither does Adam, whose rates fall with the spread as well, if less.
Cost: nine and a half minutes on two cores with light work beside. Writes
results/map_identity_{sgd,adam}.nc.
"""

from pathlib import Path
from typing import Any

import numpy as np
import tyro

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
POINTS, SEEDS, EPOCHS, EPOCH = 32, 32, 10, 140
TASK = ap.tasks.identity("A", size=1_600)
OPTIMIZERS = {"sgd": "sgd", "adam": "adam_keras"}


def recipe(optimizer: str, epochs: int = EPOCHS) -> ap.Recipe:
    """The thread's recipe, but for its optimiser and its number of rows."""
    model = ap.MLP((), outputs=84, initializer="keras")
    records = tuple(EPOCH * epoch for epoch in range(epochs + 1))
    return ap.Recipe(
        model=model,
        optimizer=OPTIMIZERS[optimizer],
        batch_size=8,
        steps=records[-1],
        records=records,
    )


def axes(points: int = POINTS) -> dict[str, dict[str, np.ndarray]]:
    """The axes of each map: the learning rate and the standard deviation of every column."""
    both = {"learning_rate": ap.maps.axis(1e-4, 1, points), "spread": ap.maps.axis(1e-3, 3, points)}
    return dict.fromkeys(OPTIMIZERS, both)


def main(
    points: int = POINTS,
    seeds: int = SEEDS,
    epochs: int = EPOCHS,
    zoom: dict[str, tuple[float, float]] | None = None,
    results: Path = RESULTS,
    quick: bool = False,
) -> None:
    """Train every setting of the maps, and save them.

    Args:
        points: values of each axis.
        seeds: of each cell.
        epochs: of each training.
        zoom: a window to map at full resolution instead, such as learning_rate 0.001 0.1 spread 0.1
            1; saved as map_identity_{NAME}_zoom.nc.
        results: the folder to write to.
        quick: a look at 6 values of each axis with 4 seeds, into results/quick.
    """
    if quick:
        points, seeds, epochs, results = 6, 4, min(epochs, 2), results / "quick"
        results.mkdir(parents=True, exist_ok=True)

    ending = "_zoom" * bool(zoom)
    for name, grid in ap.maps.zooms(axes(points), zoom).items():
        swept: dict[str, Any] = {
            "learning_rate": grid["learning_rate"],
            "task.scale": grid["spread"],
        }
        runs = ap.run(TASK, recipe(name, epochs), seeds=seeds, keep=(), **swept)
        runs = runs.rename({"task.scale": "spread"})
        ap.save(runs, results / f"map_identity_{name}{ending}.nc")
        rates = ap.stats.rate(ap.stats.success(runs, below=0.01 * runs.spread**2))
        most = f"{float((rates.rate > 0.5).mean()):.0%} of the settings"
        best = ap.stats.highest(rates)
        print(f"{name}: {most} learn it for most seeds; {best}", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
