"""What three small networks learn of x², how often, and what of it holds outside the range.

Reads results/square_recipes/, which experiments/square.py writes, and draws figures/square.pdf and
.png.

Shows: A, a linear unit, cannot learn x². C, ten tanh units, learns it for 5% of 512 seeds (random
starts), if success is an error of at most a thousandth of the variance of x². B, two layers of
eight relu units, learns it for all of 16. Outside the range that was shown none of them is right.
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
from experiments.square import CASE, LEARNED, at_end

# The first colour is that of C in all panels
NAMES = {"baseline": "C: 10 tanh", "B": "B: 8-8 relu", "A": "A: linear"}
Results = dict[str, xr.Dataset]


def without_counts(ax: Axes) -> None:
    """Take the numbers of seeds out of the panel's corner: the names of the recipes say them."""
    for text in ax.texts:
        if text.get_text().startswith("n = "):
            text.remove()


def draw_rates(results: Results, ax: Axes) -> None:
    """Success of every recipe against the threshold, a share of the targets' variance."""
    thresholds = np.geomspace(1e-6, 10, 200)
    parts = []
    for name, runs in results.items():
        errors = at_end("test_loss", runs).to_dataset(name="test_loss")
        found = ap.stats.profile(errors, thresholds=thresholds)
        parts.append(found.assign_coords(recipe=name).expand_dims("recipe"))
    ap.plot.threshold_profile(xr.concat(parts, "recipe", coords="minimal"), ax)
    without_counts(ax)
    ax.axvline(LEARNED, color="0.6", lw=0.7, ls=(0, (3, 2)), zorder=0)
    beside: dict[str, Any] = {
        "rotation": 90,
        "ha": "right",
        "va": "center",
        "color": "0.35",
        "size": 7,
    }
    ax.text(0.85 * LEARNED, 0.5, "success", **beside)
    ax.set_xlabel("success: error inside / variance of x², at most")
    ax.set_title(ap.plot.lettered("b", "The stricter, the fewer succeed"))


def draw_outside(results: Results, ax: Axes) -> None:
    """Error against distance of every recipe, in units of its range."""
    errors, units = {}, {}
    for name, runs in results.items():
        half = float(runs.x_test.where(runs.distance == 0).max())
        errors[name] = ap.stats.error_by_distance(runs)
        units[name] = (half, half**2)
    ap.plot.extrapolation(errors, ax, units=units)
    ax.set(xlabel="distance outside / half of the training range", ylabel="absolute error / half²")
    without_counts(ax)
    ax.set_title(ap.plot.lettered("c", "Outside its range every recipe fails"))


def draw(results: Path) -> Figure:
    """Draw the figure from a folder of results."""
    answer = ap.study.Answer.load(results / CASE)
    runs = {label: answer.runs(label) for label in NAMES}
    named = {f"{NAMES[label]}\n{one.sizes['seed']} seeds": one for label, one in runs.items()}
    figure, axes = plt.subplot_mosaic("ab;ac", figsize=(7.0, 4.4), width_ratios=(1.1, 1))
    title = ap.plot.lettered("a", "Ten tanh units (C): near x² inside, flat outside")
    ap.plot.fan(runs["baseline"], axes["a"], title, between=(-15, 15))
    draw_rates(named, axes["b"])
    draw_outside(named, axes["c"])
    return figure


main = ap.study.figure_script("square", draw, Path(__file__).parent)


if __name__ == "__main__":
    tyro.cli(main)
