"""Which dropout and which learning rate serve ten relu units on the four clusters.

Reads the rates that experiments/map_clusters.py writes,
experiments/summaries/map_clusters_{bare,biases}_rates.nc, and draws
figures/map_clusters.{pdf,svg,png}.

Shows: Without biases none of 25,600 trainings is as good as a linear softmax, at any rate of
dropout and of learning. With them all seeds are, where dropout is below a tenth and the learning
rate 0.05 to 0.1; from a dropout of 0.34 on no learning rate serves decidedly more than half.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import tyro
import xarray as xr
from matplotlib.figure import Figure

import approx as ap
from experiments.map_clusters import MAPS, WORKS


def message(bare: xr.Dataset) -> str:
    """The title: what biases are worth, and how many trainings without them succeed."""
    counted = f"{int(bare.successes.sum()):,} of {int(bare.n.sum()):,}"
    return f"With biases ten units tolerate some dropout;\nwithout, {counted} trainings succeed"


def draw(summaries: Path) -> Figure:
    """The whole figure, for one column."""
    rates = {
        name: ap.study.load_rates(summaries / f"map_clusters_{name}_rates.nc") for name in MAPS
    }
    figure, ax = plt.subplots(figsize=(3.5, 3.3))
    ap.plot.landscape(
        rates["biases"],
        ax,
        message(rates["bare"]),
        diverged=rates["biases"].diverged / rates["biases"].n,
        label=f"seeds with a test accuracy of at least\n{WORKS}, a linear softmax's",
    )
    ax.set_xlabel("dropout: share of units left out of a step")
    ap.plot.map_key(ax, columns=1)
    return figure


main = ap.study.table_figure_script("map_clusters", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
