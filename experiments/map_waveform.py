"""Maps of the waveform: how many classes at which learning rate.

Question: accuracy on fresh rows over 2 to 64 classes and 32 learning rates, 32 seeds each: the
thread's network of 200-K-2K-K sigmoids, one fresh row of each class a batch, 1,000 batches; SGD,
and Adam (Keras'). Learned: an accuracy of at least 0.99.
Source: the thread on "the class of x / 256 is x" has one network and one rate.
Expected finding: the more classes, the narrower the band of rates; SGD's ends at a few classes.
Found: both. Adam's band narrows from both sides, to 0.006 to 0.018 at 64 classes, where 81% [65,
91] of 32 seeds learn at best; Keras' default of 0.001 learns 2 and 4 classes, and 16 and more for
no seed. SGD learns 2 classes for 88% of the seeds at its best rate, 8 for 53%, 16 for 6%, 32 and 64
for none.
Cost: six minutes on two cores. Writes results/map_waveform_{sgd,adam}_{CLASSES}.nc.
"""

from itertools import product
from pathlib import Path

import numpy as np
import tyro

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
POINTS, SEEDS, STEPS = 32, 32, 1_000
CLASSES = (2, 4, 8, 16, 32, 64)
OPTIMIZERS = {"sgd": "sgd", "adam": "adam_keras"}


def recipe(classes: int, optimizer: str, steps: int = STEPS) -> ap.Recipe:
    """The thread's network for that many classes."""
    model = ap.MLP((classes, 2 * classes), "sigmoid", outputs=classes, initializer="keras")
    records = {round(steps * share) for share in (0, 0.1, 0.25, 0.5, 0.75, 1)}
    return ap.Recipe(
        model=model,
        optimizer=OPTIMIZERS[optimizer],
        batches="stream",
        batch_size=classes,
        steps=steps,
        records=tuple(sorted(records)),
    )


def axes(points: int = POINTS) -> dict[str, np.ndarray]:
    """The axis of the map of every number of classes."""
    return {"learning_rate": ap.maps.axis(1e-4, 10, points)}


def main(
    points: int = POINTS,
    seeds: int = SEEDS,
    steps: int = STEPS,
    zoom: dict[str, tuple[float, float]] | None = None,
    results: Path = RESULTS,
    quick: bool = False,
) -> None:
    """Train every setting of the maps, and save them.

    Args:
        points: learning rates.
        seeds: of each cell.
        steps: of each training.
        zoom: a window to map at full resolution instead, such as learning_rate 0.001 0.1; saved as
            map_waveform_{OPTIMISER}_{CLASSES}_zoom.nc.
        results: the folder to write to.
        quick: a look at 5 learning rates with 4 seeds, few classes, into results/quick.
    """
    classes: tuple[int, ...] = CLASSES
    if quick:
        points, seeds, steps = 5, 4, min(steps, 50)
        classes, results = CLASSES[:3], results / "quick"
        results.mkdir(parents=True, exist_ok=True)

    grid = ap.maps.zoom(axes(points), zoom or {})
    ending = "_zoom" * bool(zoom)
    for name, many in product(OPTIMIZERS, classes):
        task = ap.tasks.waveform(classes=many)
        runs = ap.run(task, recipe(many, name, steps), seeds=seeds, keep=(), **grid)
        ap.save(runs, results / f"map_waveform_{name}_{many}{ending}.nc")
        rates = ap.stats.rate(ap.stats.success(runs, above=0.99, of="test_accuracy"))
        print(f"{name}, {many} classes: learned by {ap.stats.highest(rates)}", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
