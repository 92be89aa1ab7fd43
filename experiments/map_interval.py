"""Maps of the interval: under which learning rate and initial scale do two sigmoids find one bump.

Question: share of seeds with every training row right, over 64 x 64 values of the learning rate and the initial scale,
64 seeds each: 1-2-1 sigmoids, Keras' initialiser, batches of 32 of the 300 rows, 200 epochs; SGD and Adam, x raw and
standardised. And with standardised x over learning rate and width, 64 seeds each: SGD, RMSprop or Adam?
Source: the thread on a bump tries SGD at 0.01 on raw x, and answers with Adam at 0.1 on standardised x.
Expected finding: on raw x no rate and no scale helps SGD; Adam has an island; standardised, both have a wide band.
Found: so it is for SGD: none of 262,144 trainings on raw x. Adam's island is at a rate of 0.01 and at initial weights
a tenth of Keras' or less, the smallest that were tried: 92% [83, 97] of 64 seeds.
Cost: eight and a half minutes on two cores. Writes results/map_interval_{sgd,adam}_{raw,z}.nc and
map_interval_width.nc.
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tyro
import xarray as xr

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
POINTS, SEEDS, EPOCHS, EPOCH = 64, 64, 200, 10
WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16)
OPTIMIZERS = {"SGD": "sgd", "RMSprop": "rmsprop_keras", "Adam": "adam_keras"}
NETWORK = ap.MLP((2,), "sigmoid", initializer="keras")
INPUTS = {"raw": ap.tasks.interval(), "z": ap.tasks.interval(standardise=True)}


def recipe(optimizer: str, epochs: int = EPOCHS) -> ap.Recipe:
    """The thread's but for optimiser and epochs."""
    at = sorted({round(epochs * share) * EPOCH for share in (0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1)})
    return ap.Recipe(model=NETWORK, optimizer=OPTIMIZERS[optimizer], batch_size=32, steps=at[-1], records=tuple(at))


def axes(points: int = POINTS) -> dict[str, np.ndarray]:
    """Of the maps of learning rate and initial scale."""
    return {"learning_rate": ap.maps.axis(1e-3, 10, points), "init_scale": ap.maps.axis(0.1, 100, points)}


def by_width(points: int, seeds: int, epochs: int, widths: tuple[int, ...], **options) -> xr.Dataset:
    """Learning rate x width x optimiser, x standardised: a program for each width and optimiser, "SGD 2" and so on."""
    recipes = {
        f"{name} {width}": replace(recipe(name, epochs), model=replace(NETWORK, widths=(width,)))
        for name in OPTIMIZERS
        for width in widths
    }
    rates = axes(points)["learning_rate"]
    return ap.run(INPUTS["z"], recipes, seeds=seeds, keep=(), learning_rate=rates, progress=False, **options)


def main(
    points: int = POINTS,
    seeds: int = SEEDS,
    epochs: int = EPOCHS,
    learning_rate: tuple[float, float] | None = None,
    init_scale: tuple[float, float] | None = None,
    results: Path = RESULTS,
    quick: bool = False,
) -> None:
    """Train every setting of the maps, and save them.

    Args:
        points: values of each axis.
        seeds: of each cell.
        epochs: of each training.
        learning_rate: a window to map at full resolution instead, as results/map_interval_{...}_zoom.nc.
        init_scale: the other side of that window.
        results: the folder to write to.
        quick: a look at 10 values of each axis with 8 seeds, into results/quick.
    """
    widths: tuple[int, ...] = WIDTHS
    options: dict[str, Any] = {}
    if quick:
        points, seeds, epochs, results, widths = 10, 8, min(epochs, 40), results / "quick", WIDTHS[1:3]
        options = {"compiler_options": ap.blocks.accepted({"xla_backend_optimization_level": 0})}
    window = {name: ends for name, ends in (("learning_rate", learning_rate), ("init_scale", init_scale)) if ends}
    grid, name = ap.maps.zoom(axes(points), window), "_zoom" if window else ""
    for optimizer in ("SGD", "Adam"):
        for inputs, task in INPUTS.items():
            began = time.perf_counter()
            runs = ap.run(task, recipe(optimizer, epochs), seeds=seeds, keep=(), **options, **grid)
            speed = runs.loss.isel(step=-1).size / (time.perf_counter() - began)
            runs = runs.assign_attrs(trainings_per_second=speed)
            ap.save(runs, results / f"map_interval_{optimizer.lower()}_{inputs}{name}.nc")
            rate = ap.stats.rate(ap.stats.success(runs, above=1.0, of="accuracy"))
            best = rate.stack(cell=list(grid)).isel(cell=int(np.argmax(rate.rate.values)))
            where = f"learning rate {float(best.learning_rate):.3g}, initial scale {float(best.init_scale):.3g}"
            share = f"{float(best.rate):.0%} [{float(best.low):.0%}, {float(best.high):.0%}] of {int(best.n)} seeds"
            print(f"{optimizer}, {inputs}: {speed:,.0f} trainings a second; best {share} at {where}", flush=True)
    if not window:
        ap.save(by_width(points, seeds, epochs, widths, **options), results / "map_interval_width.nc")


if __name__ == "__main__":
    tyro.cli(main)
