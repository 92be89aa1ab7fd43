"""At which learning rates and frequencies snake learns one period of a sine, inside and outside.

Reads what experiments/map_sine.py writes, results/map_sine_snake.nc, and draws
figures/map_sine_snake.{pdf,svg,png}. Snake is the activation x + sin²(a x) / a.

Shows: Snake learns the period inside the training range for wide ranges of its a and of the
learning rate. It goes on outside for up to 59% [41, 76] of 32 seeds, and only where its a is about
the sine's frequency.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments.map_sine import LEARNED, MAPS

CONTINUES = 0.05  # the largest mean squared error outside at which a seed continues the sine


def draw_inside(runs: xr.Dataset, ax: Axes) -> None:
    """Share of seeds that learn the period inside the training range."""
    label = f"seeds with a mean squared error\nbelow {LEARNED['below']:g} inside the range"
    message = ap.plot.lettered("a", "Inside, many settings work")
    ap.plot.landscape(MAPS["snake"].rates(runs), ax, message, label=label)


def draw_outside(runs: xr.Dataset, ax: Axes) -> None:
    """Share of seeds that go on outside, to three times the range."""
    outside = ap.stats.rate(ap.stats.success(runs, below=CONTINUES, of="outside_loss"))
    label = f"seeds with a mean squared error\nbelow {CONTINUES:g} to three times the range"
    message = ap.plot.lettered("b", "Outside, half of the seeds at best")
    ap.plot.landscape(outside, ax, message, label=label)


def draw(results: Path) -> Figure:
    """The whole figure."""
    runs = ap.study.load_maps("map_sine", ("snake",), results)["snake"]
    figure, (a, b) = plt.subplots(1, 2, figsize=(7.0, 2.9))
    draw_inside(runs, a)
    draw_outside(runs, b)
    for ax in (a, b):
        ax.set_xlabel("a, snake's frequency")
    ap.plot.map_key((a, b))
    return figure


main = ap.study.figure_script("map_sine_snake", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
