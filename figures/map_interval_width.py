"""How many sigmoids find one bump at which learning rate, with SGD, RMSprop and Adam.

Reads the rates that experiments/map_interval.py writes,
experiments/summaries/map_interval_width_rates.nc, and draws
figures/map_interval_width.{pdf,svg,png}. x is standardised.

Shows: One unit never finds the bump, and two or more do at wide bands of learning rates, which grow
with the number of units. The bands of RMSprop and Adam are alike and begin at rates thirty times
lower than SGD's; SGD succeeds more often at rates above 1.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap

COLORS = {"SGD": "#0072B2", "Adam": "#E69F00"}
SHOWN = (1, 2, 4, 8, 16)  # the widths that the axes name
LABEL = "seeds with every training row right"


def by_width(rates: xr.Dataset) -> xr.Dataset:
    """Rates over (optimizer, learning rate, width), of recipes called "SGD 2" and so on."""
    names, numbers = zip(*(label.split() for label in rates.recipe.values), strict=True)
    widths = [int(number) for number in numbers]
    found = rates.assign_coords(optimizer=("recipe", list(names)), width=("recipe", widths))
    whole = found.set_index(recipe=["optimizer", "width"]).unstack("recipe")
    order = {"optimizer": list(dict.fromkeys(names)), "width": sorted(set(widths))}
    return whole.reindex(order).transpose("optimizer", "learning_rate", "width")


def draw_better(wide: xr.Dataset, ax: Axes) -> None:
    """Which of two optimisers succeeds more often."""
    pair = ap.stats.best(wide.sel(optimizer=list(COLORS)), "optimizer")
    ap.plot.regions(pair, ax, ap.plot.lettered("d", "Succeeds more often"), COLORS)


def draw(summaries: Path) -> Figure:
    """The whole figure."""
    wide = by_width(ap.study.load_rates(summaries / "map_interval_width_rates.nc"))
    figure, panels = plt.subplots(1, 4, figsize=(7.0, 3.0), sharex=True, sharey=True)
    names = zip("abc", wide.optimizer.values, strict=True)
    titles = [ap.plot.lettered(letter, str(name)) for letter, name in names]
    options: dict[str, Any] = {"titles": titles, "label": LABEL, "key": False}
    ap.plot.facets(wide, col="optimizer", panels=panels[:3], **options)
    draw_better(wide, panels[3])
    ticks = [width for width in wide.width.values if width in SHOWN]
    for ax in panels:
        ax.set_xticks(ticks, ticks)
        ax.minorticks_off()
        ax.set_xlabel("sigmoid units")
        ax.label_outer()
    ap.plot.map_key(panels)
    figure.suptitle("One unit never finds the bump; more units find it at more learning rates")
    return figure


main = ap.study.table_figure_script("map_interval_width", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
