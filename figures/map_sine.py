"""The maps of the sine.

Reads what experiments/map_sine.py writes, results/map_sine_{width,snake,spectrum}.nc, and draws
figures/map_sine.{pdf,png}.

Shows: The number of periods that a layer of tanh learns grows with its width, from 1 with two units
to 7 with 32, and of a sum of sines the low frequencies are learned first. Snake goes on outside for
up to 56% [39, 72] of 32 seeds, where its a is about the sine's frequency and the rate about 0.02.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments.map_sine import MAPS

UNITS = (1, 2, 4, 8, 16, 32)


def draw_width(runs: xr.Dataset, ax: Axes) -> None:
    """Share of seeds that learn a sine, over its frequency and the number of units."""
    rates = MAPS["width"].rates(runs).transpose("frequency", "width")
    edge = ap.stats.boundary(rates, "frequency")
    message = ap.plot.lettered("a", "More units reach higher frequencies")
    ap.plot.landscape(rates, ax, message, boundary=edge)
    ax.set_xticks(UNITS, [str(units) for units in UNITS])
    ax.set(ylabel="periods in the range", xlabel="tanh units")


def draw_snake(runs: xr.Dataset, b: Axes, c: Axes, d: Axes) -> None:
    """Snake inside the range, its error outside, and the share of seeds that go on there."""
    inside = MAPS["snake"].rates(runs)
    message = ap.plot.lettered("b", "Snake learns one period at rates to suit a")
    ap.plot.landscape(inside, b, message)
    away = ap.stats.quantiles(runs.isel(step=-1), of="outside_loss", q=[0.5]).isel(quantile=0)
    ap.plot.field(
        away,
        "outside_loss",
        c,
        ap.plot.lettered("c", "Its error to three times the range"),
        label="median squared error",
        limits=(0.01, 10),
        infinite="diverged",
    )
    outside = ap.stats.rate(ap.stats.success(runs, below=0.05, of="outside_loss"))
    message = ap.plot.lettered("d", "It goes on outside for half the seeds at best")
    ap.plot.landscape(outside, d, message)
    for ax in (b, c, d):
        ax.set_xlabel("a, snake's frequency")


def draw_spectrum(runs: xr.Dataset, e: Axes, f: Axes) -> None:
    """Which frequencies of a sum of sines are learned when, and the loss meanwhile."""
    found = ap.stats.quantiles(
        runs.isel(step=slice(1, None)),
        of="learned_share",
        q=[0.5],
    )
    ap.plot.field(
        found.isel(quantile=0).transpose("periods", "step"),
        "learned_share",
        e,
        ap.plot.lettered("e", "Low frequencies are learned first"),
        label="median share of its amplitude",
        limits=(0, 1),
        log=False,
    )
    e.set_ylabel("periods in the range")
    ap.plot.learning_curve(
        runs,
        f,
        ap.plot.lettered("f", "The loss of the sum of eight"),
    )


def draw(results: Path) -> Figure:
    """The whole figure."""
    runs = ap.study.load_maps("map_sine", MAPS, results)
    figure, ((a, b), (c, d), (e, f)) = plt.subplots(3, 2, figsize=(7.0, 7.6))
    draw_width(runs["width"], a)
    draw_snake(runs["snake"], b, c, d)
    draw_spectrum(runs["spectrum"], e, f)
    return figure


main = ap.study.figure_script("map_sine", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
