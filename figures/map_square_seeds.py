"""When the seeds of ten tanh units on x² differ most: at the step at which learning begins.

Reads what experiments/map_square.py writes, results/map_square_tanh.nc, and draws
figures/map_square_seeds.{pdf,svg,png}.

Shows: At each learning rate the test errors of 64 seeds lie farthest apart at one time of the
training, when some seeds have begun to learn x² and others have not. That step falls as one over
the learning rate, along the dark diagonal. Before it, when all are as good as the best constant,
and after it the seeds are close together.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap

HIGHEST = 0.25  # the learning rate above which seeds diverge


def draw_spread(runs: xr.Dataset, ax: Axes) -> None:
    """How many decades lie between the test errors of the best and the worst seeds."""
    ap.plot.learning_landscape(
        runs,
        ax,
        "Seeds differ most when learning begins",
        of="test_loss",
        q=(0.05, 0.95),
        label="decades of test error between\n5% and 95% of the seeds",
        limits=(0, 1.25),
        log=False,
        infinite="a twentieth of the seeds or more diverged",
    )


def draw(results: Path) -> Figure:
    """The whole figure, for one column."""
    runs = ap.load(results / "map_square_tanh.nc")
    usual = runs.sel(init_scale=1, method="nearest", drop=True)
    figure, ax = plt.subplots(figsize=(3.5, 2.7))
    draw_spread(usual.sel(learning_rate=slice(None, HIGHEST)), ax)
    return figure


main = ap.study.figure_script("map_square_seeds", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
