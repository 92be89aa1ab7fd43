"""Maps of the interval: under which learning rate and initial scale do two sigmoids find one bump.

Question: share of seeds with every training row right, over 64 x 64 values of the learning rate and
the initial scale, 64 seeds each: 1-2-1 sigmoids, Keras' initialiser, batches of 32 of the 300 rows,
200 epochs; SGD and Adam, x raw and standardised. And with standardised x over learning rate and
width, 64 seeds each: SGD, RMSprop or Adam?
Source: the thread on a bump tries SGD at 0.01 on raw x, and answers with Adam at 0.1 on
standardised x.
Expected finding: on raw x no rate and no scale helps SGD; Adam has an island; standardised, both
have a wide band.
Found: so it is for SGD: none of 262,144 trainings on raw x. Adam's island is at a rate of 0.01 and
at initial weights a tenth of Keras' or less: 92% [83, 97] of 64 seeds. It goes on below the map
(`--points 32 --zoom learning_rate 0.002 0.05 init_scale 0.001 1`): 95% [87, 98] at a twentieth of
Keras' weights, and still 81% at a thousandth.
Cost: eight and a half minutes on two cores. Writes results/map_interval_{sgd,adam}_{raw,z}.nc and
map_interval_width.nc.
"""

import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import tyro
import xarray as xr

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
POINTS, SEEDS, EPOCHS, EPOCH = 64, 64, 200, 10
WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16)
UNOPTIMISED = {"xla_backend_optimization_level": 0}  # compiles soon, and trains more slowly
OPTIMIZERS = {"SGD": "sgd", "RMSprop": "rmsprop_keras", "Adam": "adam_keras"}
NETWORK = ap.MLP((2,), "sigmoid", initializer="keras")
INPUTS = {"raw": ap.tasks.interval(), "z": ap.tasks.interval(standardise=True)}


# When losses are recorded, as shares of the training
RECORDED = (0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1)


def recipe(optimizer: str, epochs: int = EPOCHS) -> ap.Recipe:
    """The thread's recipe, but for its optimiser and its number of epochs."""
    records = sorted({round(epochs * share) * EPOCH for share in RECORDED})
    return ap.Recipe(
        model=NETWORK,
        optimizer=OPTIMIZERS[optimizer],
        batch_size=32,
        steps=records[-1],
        records=tuple(records),
    )


def axes(points: int = POINTS) -> dict[str, dict[str, np.ndarray]]:
    """The axes of each map."""
    rate = ap.maps.axis(1e-3, 10, points)
    both = {"learning_rate": rate, "init_scale": ap.maps.axis(0.1, 100, points)}
    return {
        "sgd_raw": both,
        "sgd_z": both,
        "adam_raw": both,
        "adam_z": both,
        "width": {"learning_rate": rate},
    }


def by_width(seeds: int, epochs: int, widths: tuple[int, ...], **options) -> xr.Dataset:
    """Learning rate x width, for three optimisers: a program for each, "SGD 2" and so on."""
    recipes = {}
    for optimizer, width in product(OPTIMIZERS, widths):
        model = replace(NETWORK, widths=(width,))
        recipes[f"{optimizer} {width}"] = replace(recipe(optimizer, epochs), model=model)
    return ap.run(INPUTS["z"], recipes, seeds=seeds, keep=(), progress=False, **options)


def trained(name: str, seeds: int, epochs: int, widths: tuple[int, ...], **options) -> xr.Dataset:
    """One of the maps."""
    if name == "width":
        return by_width(seeds, epochs, widths, **options)
    optimizer, inputs = name.split("_")
    its = recipe({"sgd": "SGD", "adam": "Adam"}[optimizer], epochs)
    return ap.run(INPUTS[inputs], its, seeds=seeds, keep=(), **options)


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
        zoom: a window to map at full resolution instead, such as learning_rate 0.001 0.1 init_scale
            0.1 1, of the maps that have those axes; saved as map_interval_{NAME}_zoom.nc.
        results: the folder to write to.
        quick: a look at 10 values of each axis with 8 seeds, into results/quick.
    """
    widths: tuple[int, ...] = WIDTHS
    options: dict[str, Any] = {}
    if quick:
        points, seeds, epochs = 10, 8, min(epochs, 40)
        widths, results = WIDTHS[1:3], results / "quick"
        results.mkdir(parents=True, exist_ok=True)
        options = {"compiler_options": UNOPTIMISED}

    ending = "_zoom" * bool(zoom)
    for name, grid in ap.maps.zooms(axes(points), zoom).items():
        began = time.perf_counter()
        runs = trained(name, seeds, epochs, widths, **options, **grid)
        speed = runs.loss.isel(step=-1).size / (time.perf_counter() - began)
        runs = runs.assign_attrs(trainings_per_second=speed)
        ap.save(runs, results / f"map_interval_{name}{ending}.nc")
        rates = ap.stats.rate(ap.stats.success(runs, above=1.0, of="accuracy"))
        best = ap.stats.highest(rates)
        print(f"{name}: {speed:,.0f} trainings a second; best {best}", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
