"""Maps of the clusters: which dropout and learning rate serve ten units, with and without biases.

Question: test accuracy over 25 rates of dropout and 32 learning rates, 32 seeds each: the thread's
5-10-4 relu network with the right derivatives, half the sum of squares, batches of 32, eight passes
over the 8,000 rows; with biases and without. Works: an accuracy of at least 0.882, a linear
softmax's.
Source: the thread on four clusters has dropout 0.5, no biases, and is "stuck at 0.6".
Expected finding: dropout hurts ten units at any rate; without biases no setting works.
Found: both. The best median without biases is 0.836, with them 0.918, each with no dropout; of
25,600 trainings without biases none works, of those with them 15%.
Cost: eight and a half minutes on two cores. Writes results/map_clusters_{bare,biases}.nc.
"""

from pathlib import Path

import numpy as np
import tyro
import xarray as xr

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
POINTS, SEEDS, PASSES, PASS = 32, 32, 8, 250
TASK = ap.tasks.clusters()
BIASES = {"bare": False, "biases": True}
WORKS = 0.882


def recipe(biases: bool, passes: int = PASSES) -> ap.Recipe:
    """The thread's network, with biases or without."""
    model = ap.MLP(
        (10,),
        "relu",
        outputs=4,
        bias=biases,
        initializer="uniform",
        init_scale=0.1,
        dropout=0.5,
    )
    records = tuple(PASS * n for n in range(passes + 1))
    return ap.Recipe(
        model=model,
        optimizer="sgd",
        batch_size=32,
        steps=records[-1],
        records=records,
    )


def axes(points: int = POINTS) -> dict[str, dict[str, np.ndarray]]:
    """The axes of each map."""
    dropout = ap.maps.axis(0, 0.9, max(2, points * 25 // 32), log=False)
    both = {"learning_rate": ap.maps.axis(1e-3, 3, points), "dropout": dropout}
    return dict.fromkeys(BIASES, both)


def said(name: str, runs: xr.Dataset) -> str:
    """The best median accuracy and the best rate of success of a map."""
    last = ap.stats.quantiles(runs.isel(step=-1), of="test_accuracy", q=0.5)
    best = last.test_accuracy.max().item()
    rates = ap.stats.rate(ap.stats.success(runs, above=WORKS, of="test_accuracy"))
    return f"{name}: best median accuracy {best:.3f}; works for {ap.stats.highest(rates)}"


def main(
    points: int = POINTS,
    seeds: int = SEEDS,
    passes: int = PASSES,
    zoom: dict[str, tuple[float, float]] | None = None,
    results: Path = RESULTS,
    quick: bool = False,
) -> None:
    """Train every setting of the maps, and save them.

    Args:
        points: learning rates; rates of dropout are three quarters as many.
        seeds: of each cell.
        passes: over the rows.
        zoom: a window to map at full resolution instead, such as learning_rate 0.01 0.3 dropout 0
            0.2; saved as map_clusters_{NAME}_zoom.nc.
        results: the folder to write to.
        quick: a look at 8 learning rates with 4 seeds, into results/quick.
    """
    if quick:
        points, seeds, passes, results = 8, 4, min(passes, 2), results / "quick"
        results.mkdir(parents=True, exist_ok=True)

    ending = "_zoom" * bool(zoom)
    for name, grid in ap.maps.zooms(axes(points), zoom).items():
        runs = ap.run(
            TASK,
            recipe(BIASES[name], passes),
            seeds=seeds,
            keep=(),
            **grid,
        )
        ap.save(runs, results / f"map_clusters_{name}{ending}.nc")
        print(said(name, runs), flush=True)


if __name__ == "__main__":
    tyro.cli(main)
