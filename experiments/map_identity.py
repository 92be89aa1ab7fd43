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
results/map_identity_{sgd,adam}.nc, and the rates of both,
experiments/summaries/map_identity_{sgd,adam}_rates.nc.
"""

from pathlib import Path

import tyro
import xarray as xr

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
EPOCHS, EPOCH = 10, 140
AXES = {
    "learning_rate": ap.study.Axis(1e-4, 1),
    "spread": ap.study.Axis(1e-3, 3, number="task.scale"),
}


def variance_left(runs: xr.Dataset) -> xr.DataArray:
    """The error that counts as success: 1% of the variance, an R² of 0.99."""
    return 0.01 * runs.spread**2


def spreads(optimizer: str) -> ap.study.Map:
    """The thread's recipe, but for its optimiser and its number of rows."""
    records = tuple(EPOCH * epoch for epoch in range(EPOCHS + 1))
    recipe = ap.Recipe(
        model=ap.MLP((), outputs=84, initializer="keras"),
        optimizer=optimizer,
        batch_size=8,
        steps=records[-1],
        records=records,
    )
    return ap.study.Map(
        ap.tasks.identity("A", size=1_600),
        recipe,
        axes=AXES,
        below=variance_left,
        quick={"epochs": 2},
        quick_points=6,
    )


MAPS = {"sgd": spreads("sgd"), "adam": spreads("adam_keras")}
main = ap.study.maps_script("map_identity", MAPS, RESULTS, SUMMARIES)

if __name__ == "__main__":
    tyro.cli(main)
