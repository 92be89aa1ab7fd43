"""Under which learning rate and scale of the initial weights two sigmoids find one bump.

Reads the rates that experiments/map_interval.py writes,
experiments/summaries/map_interval_{sgd,adam}_{raw,z}_rates.nc, and draws
figures/map_interval.{pdf,svg,png}.

Shows: On x as it is SGD finds the bump in 1 of 262,144 trainings, over all learning rates and
scales, and Adam in one small place, at a rate of 0.01 and initial weights a tenth of the usual or
less. On standardised x both find it for most seeds in a wide band.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap

MESSAGES = {
    "sgd_raw": "SGD on x as it is: hardly ever",
    "sgd_z": "SGD on x standardised: a wide band",
    "adam_raw": "Adam on x as it is: one small place",
    "adam_z": "Adam on x standardised: a wide band",
}
LABEL = "seeds with every training row right"
FEW = 1e-4  # a share of trainings that no colour shows


def draw_rates(rates: xr.Dataset, ax: Axes, title: str, bar: bool | list[Axes]) -> None:
    """Rates over learning rate and initial scale; in words where next to none succeeds."""
    edge = None
    if rates.sizes["learning_rate"] > 2:
        edge = ap.stats.boundary(rates, "learning_rate")
    ap.plot.landscape(rates, ax, title, boundary=edge, bar=bar, label=LABEL)
    successes, trainings = int(rates.successes.sum()), int(rates.n.sum())
    if successes < FEW * trainings:
        says = f"{successes} of {trainings:,} trainings"
        ax.text(0.5, 0.5, says, color="white", transform=ax.transAxes, ha="center", va="center")


def draw(summaries: Path) -> Figure:
    """The whole figure."""
    figure, grid = plt.subplots(2, 2, figsize=(7.0, 5.4), sharex=True, sharey=True)
    panels = list(grid.flat)
    for letter, ax, (name, message) in zip("abcd", panels, MESSAGES.items(), strict=True):
        rates = ap.study.load_rates(summaries / f"map_interval_{name}_rates.nc")
        bar = panels if ax is panels[-1] else False
        draw_rates(rates, ax, ap.plot.lettered(letter, message), bar)
        ax.label_outer()
    ap.plot.map_key(panels)
    figure.suptitle("Two sigmoids find the bump at most settings only if x is standardised")
    return figure


main = ap.study.table_figure_script("map_interval", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
