"""Which learning rate and which spread of the data let a linear network learn the identity.

Reads the rates that experiments/map_identity.py writes,
experiments/summaries/map_identity_{sgd,adam}_rates.nc, and draws
figures/map_identity.{pdf,svg,png}.

Shows: With a spread of a thousandth, the thread's, no learning rate of SGD or Adam learns the
identity in ten epochs. SGD needs a spread of at least a half and a rate that falls as one over its
square, Adam one of a fifth and rates about 0.01.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import approx as ap
from experiments.map_identity import MAPS

THREADS = (0.0012380764, 0.01)  # the thread's spread and learning rate
OPTIMIZERS = {"sgd": "SGD", "adam": "Adam"}
LABEL = "seeds with an R² of at least 0.99\non fresh rows"


def message(optimizer: str, rates: xr.Dataset) -> str:
    """The least spread at which decidedly more than half of the seeds learn it, at some rate."""
    learned = (rates.low > 0.5).any("learning_rate")
    if not learned.any():
        return f"{optimizer}: success is decided at no spread"
    least = float(rates.spread.where(learned).min())
    return f"{optimizer} needs a spread of at least {least:.2g}"


def mark_thread(ax: Axes) -> Line2D:
    """A cross at the thread's setting: black on white, to be seen on any colour and in grey."""
    ax.plot(*THREADS, "X", color="white", ms=8, mec="black", mew=0.8)
    return ax.lines[-1]


def draw(summaries: Path) -> Figure:
    """The whole figure."""
    rates = {
        name: ap.study.load_rates(summaries / f"map_identity_{name}_rates.nc") for name in MAPS
    }
    figure, panels = plt.subplots(1, 2, figsize=(7.0, 2.9), sharex=True, sharey=True)
    for letter, ax, (name, found) in zip("ab", panels, rates.items(), strict=True):
        title = ap.plot.lettered(letter, message(OPTIMIZERS[name], found))
        bar = list(panels) if ax is panels[-1] else False
        diverged = found.diverged / found.n
        ap.plot.landscape(found, ax, title, diverged=diverged, bar=bar, label=LABEL)
        thread = mark_thread(ax)
        ax.set_xlabel("spread: standard deviation of the data")
        ax.label_outer()
    ap.plot.map_key(panels, columns=3, also={"the thread's setting": thread})
    return figure


main = ap.study.table_figure_script("map_identity", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
