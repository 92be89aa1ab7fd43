"""Which learning rates learn how many classes of the waveform.

Reads the rates that experiments/map_waveform.py writes,
experiments/summaries/map_waveform_{sgd,adam}_{CLASSES}_rates.nc, and draws
figures/map_waveform.{pdf,svg,png}.

Shows: The more classes, the narrower the band of Adam's learning rates: 64 classes are learned in
1,000 batches at 0.006 to 0.018, by 81% [64, 93] of 32 seeds at best, and never at Keras' default of
0.001. SGD learns two classes for most seeds at its best rate, 16 for 6%, and more for none.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments.map_waveform import CLASSES, LEARNED

DEFAULTS = {"sgd": 0.01, "adam": 0.001}  # Keras' learning rates
MESSAGES = {
    "sgd": "SGD learns few classes at any rate",
    "adam": "Adam learns all, in a band that narrows",
}
LABEL = f"seeds with an accuracy\nof at least {LEARNED} on fresh rows"


def over_classes(summaries: Path, optimizer: str) -> xr.Dataset:
    """Rates over classes and learning rate, of files for each number of classes."""
    parts = [
        ap.study.load_rates(summaries / f"map_waveform_{optimizer}_{classes}_rates.nc")
        for classes in CLASSES
    ]
    along = xr.Variable("classes", np.array(CLASSES))
    joined = xr.concat(parts, along, combine_attrs="drop_conflicts")
    return joined.transpose("classes", "learning_rate")


def mark_default(ax: Axes, rate: float) -> None:
    """A thin line at Keras' learning rate, and its name above the map."""
    ax.axvline(rate, color="white", lw=1.8)
    ax.axvline(rate, color="black", lw=0.8, ls=(0, (3, 2)))
    place: dict[str, Any] = {"textcoords": "offset points", "xycoords": ("data", "axes fraction")}
    ax.annotate("Keras' default", (rate, 1), (0, 2), ha="center", va="bottom", size=7, **place)


def draw(summaries: Path) -> Figure:
    """The whole figure."""
    figure, panels = plt.subplots(1, 2, figsize=(7.0, 2.9), sharex=True, sharey=True)
    for ax, name in zip(panels, MESSAGES, strict=True):
        bar = list(panels) if ax is panels[-1] else False
        ap.plot.landscape(over_classes(summaries, name), ax, bar=bar, label=LABEL)
        mark_default(ax, DEFAULTS[name])
        ax.set_yticks(CLASSES, [str(classes) for classes in CLASSES])
        ax.minorticks_off()
        ax.label_outer()
    ap.plot.map_key(panels)
    for letter, ax, message in zip("ab", panels, MESSAGES.values(), strict=True):
        ax.set_title(ap.plot.lettered(letter, message), pad=14)  # above the name of the line
    return figure


main = ap.study.table_figure_script("map_waveform", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
