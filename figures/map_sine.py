"""How many periods of a sine a layer of tanh learns, and which frequencies it learns first.

Reads what experiments/map_sine.py writes, results/map_sine_{width,spectrum}.nc, and draws
figures/map_sine.{pdf,svg,png}.

Shows: The number of periods that a layer of tanh learns grows with its width, from 1 with two units
to 7 with 32. Of a sum of sines the low frequencies are learned first.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments.map_sine import LEARNED, MAPS, PERIODS

UNITS = (1, 2, 4, 8, 16, 32)
SHOWN_PERIODS = (0.5, 1, 2, 4, 7)


def draw_width(runs: xr.Dataset, ax: Axes) -> None:
    """Share of seeds that learn a sine, over its frequency and the number of units."""
    rates = MAPS["width"].rates(runs).transpose("frequency", "width")
    edge = ap.stats.boundary(rates, "frequency")
    message = ap.plot.lettered("a", "More units learn more periods")
    label = f"seeds with a mean squared\nerror below {LEARNED['below']:g}"
    ap.plot.landscape(rates, ax, message, boundary=edge, label=label)
    ax.set_xticks(UNITS, [str(units) for units in UNITS])
    ax.set_yticks(SHOWN_PERIODS, [f"{periods:g}" for periods in SHOWN_PERIODS])
    ax.minorticks_off()
    ax.set(ylabel="periods in the range", xlabel="tanh units")


def draw_spectrum(runs: xr.Dataset, ax: Axes) -> None:
    """Which frequencies of a sum of eight sines are learned when."""
    # A metric that is an array has an axis without a name
    named = runs.rename(learned_share_0="periods").assign_coords(periods=PERIODS)
    found = ap.stats.quantiles(
        named.isel(step=slice(1, None)),
        of="learned_share",
        q=[0.5],
    )
    ap.plot.field(
        found.isel(quantile=0).transpose("periods", "step"),
        "learned_share",
        ax,
        ap.plot.lettered("b", "Low frequencies are learned first"),
        label="share of its amplitude that is learned\n"
        f"(median of {runs.sizes['seed']} seeds; 1: all of it)",
        limits=(0, 1),
        log=False,
        light="greatest",
    )
    ax.set_ylabel("periods in the range, of eight")


def draw(results: Path) -> Figure:
    """The whole figure."""
    runs = ap.study.load_maps("map_sine", ("width", "spectrum"), results)
    figure, (a, b) = plt.subplots(1, 2, figsize=(7.0, 2.9))
    draw_width(runs["width"], a)
    draw_spectrum(runs["spectrum"], b)
    ap.plot.map_key((a, b))
    return figure


main = ap.study.figure_script("map_sine", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
