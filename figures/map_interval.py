"""The maps of the interval.

Reads what experiments/map_interval.py writes, results/map_interval_{sgd,adam}_{raw,z}.nc and
map_interval_width.nc, and draws figures/map_interval.{pdf,png}.

Shows: On x as it is no learning rate and no initial scale lets SGD find the bump, 0 of 262,144
trainings, and Adam does in one place, at a rate of 0.01 and initial weights a tenth of the usual or
less. Standardised, both have a wide band, which more units widen; RMSprop's and Adam's are alike,
and SGD is better above a rate of 1.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments.map_interval import MAPS

PANELS = {
    "sgd_raw": "SGD, x as it is",
    "sgd_z": "SGD, x standardised",
    "adam_raw": "Adam, x as it is",
    "adam_z": "Adam, x standardised",
}
COLORS = {"SGD": "#0072B2", "Adam": "#E69F00"}


def by_width(runs: xr.Dataset) -> xr.Dataset:
    """Rates over (optimizer, learning rate, width), of recipes called "SGD 2" and so on."""
    names, numbers = zip(*(label.split() for label in runs.recipe.values), strict=True)
    widths = [int(number) for number in numbers]
    found = (
        MAPS["width"]
        .rates(runs)
        .assign_coords(
            optimizer=("recipe", list(names)),
            width=("recipe", widths),
        )
    )
    whole = found.set_index(recipe=["optimizer", "width"]).unstack("recipe")
    order = {"optimizer": list(dict.fromkeys(names)), "width": sorted(set(widths))}
    return whole.reindex(order).transpose("optimizer", "learning_rate", "width")


def draw_scales(results: Path, panels: Any) -> None:
    """Rates over learning rate and initial scale, of two optimisers and two kinds of inputs."""
    for letter, ax, (name, title) in zip("abcd", panels, PANELS.items(), strict=True):
        rates = MAPS[name].rates(ap.load(results / f"map_interval_{name}.nc"))
        edge = None
        if rates.sizes["learning_rate"] > 2:
            edge = ap.stats.boundary(rates, "learning_rate")
        ap.plot.landscape(
            rates,
            ax,
            ap.plot.lettered(letter, title),
            boundary=edge,
        )
        ax.set_xlabel("initial scale")


def draw_widths(wide: xr.Dataset, three: Any, best: Axes) -> None:
    """Rates over learning rate and width of three optimisers, and which of two is better."""
    names = zip("efg", wide.optimizer.values, strict=True)
    titles = [ap.plot.lettered(letter, name) for letter, name in names]
    ap.plot.facets(wide, col="optimizer", panels=three, titles=titles)
    pair = ap.stats.best(wide.sel(optimizer=["SGD", "Adam"]), "optimizer")
    ap.plot.regions(
        pair,
        best,
        ap.plot.lettered("h", "SGD or Adam: the better"),
        COLORS,
    )
    ticks = [width for width in wide.width.values if width in (1, 2, 4, 8, 16)]
    for ax in (*three, best):
        ax.set_xticks(ticks, ticks)
        ax.minorticks_off()
        ax.set_xlabel("units, x standardised")


def draw(results: Path) -> Figure:
    """The whole figure."""
    figure = plt.figure(figsize=(7.0, 7.4))
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(2, 1))[:, 0]
    draw_scales(results, above.subplots(2, 2).flat)
    left, right = below.subfigures(1, 2, width_ratios=(2.6, 1.2))
    three = left.subplots(1, 3, sharex=True, sharey=True)
    wide = by_width(ap.load(results / "map_interval_width.nc"))
    draw_widths(wide, three, right.subplots())
    return figure


main = ap.study.figure_script("map_interval", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
