"""How far the seeds of ten tanh units on x² are apart, and how sure the rates are for it.

Reads what experiments/map_square.py writes, results/map_square_tanh.nc, and draws
figures/map_square_seeds.{pdf,png}.

Shows: Seeds are farthest apart when learning begins, at a step that falls as one over the learning
rate. No rate of success has an interval wider than 26 points; the widest are along the border.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments.map_square import MAPS


def draw_spread(runs: xr.Dataset, ax: Axes) -> None:
    """How many decades lie between the test errors of the best and the worst seeds."""
    ap.plot.learning_landscape(
        runs,
        ax,
        ap.plot.lettered("a", "Seeds differ while learning begins"),
        of="test_loss",
        q=(0.05, 0.95),
        label="decades of test error between\n5% and 95% of the seeds",
        limits=(0, 2),
        log=False,
        infinite="a twentieth of the seeds or more diverged",
    )


def draw_width(hits: xr.Dataset, ax: Axes) -> None:
    """Width of the interval of each cell's rate."""
    rates = ap.stats.rate(hits)
    ap.plot.field(
        rates.assign(width=100 * (rates.high - rates.low)),
        "width",
        ax,
        ap.plot.lettered("b", "Rates are least sure at the border"),
        label="width of the rate's 95% interval\n(percentage points)",
        limits=(0, 26),
        log=False,
    )


def draw(results: Path) -> Figure:
    """The whole figure."""
    runs = ap.load(results / "map_square_tanh.nc")
    figure, (a, b) = plt.subplots(1, 2, figsize=(7.0, 2.9))
    draw_spread(runs.sel(init_scale=1, method="nearest", drop=True), a)
    draw_width(MAPS["tanh"].hits(runs), b)
    ap.plot.map_key((a, b))
    return figure


main = ap.study.figure_script("map_square_seeds", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
