"""One training of ten tanh units on x², and 512.

Reads results/square_recipes/, which experiments/square.py writes, and draws figures/hero.{pdf,png}.

Shows: One training of ten tanh units on x² looks fine. Of 512 trainings that differ in their first
weights alone, 27 have an error of at most a thousandth of the variance of x²: 5%, with a 95%
interval of 4 to 8%. All are flat outside the range that they were shown.
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
from experiments.square import CASE, LEARNED, MEASURES

ONE = 0  # the seed that stands for a single training
MANY, SINGLE = "#56B4E9", "#9C3A00"  # their greys differ too
NAMED = "#0072B2"  # the names of the many: darker, to be read on grey
BETWEEN = (-15.0, 15.0)
HIGHEST, LINE = 172, 16  # where the names begin, and the height of a line of them


def draw_functions(runs: xr.Dataset, ax: Axes) -> None:
    """Every seed's function as a faint line, one of them in its own colour, and the target."""
    x = runs.x_test.isel(input=0).values
    order = np.argsort(x)
    here = order[(x[order] >= BETWEEN[0]) & (x[order] <= BETWEEN[1])]
    x = x[here]
    functions = runs.prediction.isel(output=0).transpose("point", "seed").values[here]
    shown = x[runs.distance.values[here] == 0]
    ax.axvspan(shown.min(), shown.max(), color="0.93", lw=0, zorder=0)
    ax.plot(x, functions, color=MANY, lw=0.6, alpha=0.1)
    target: dict[str, Any] = {"color": "k", "ls": (0, (3, 2)), "lw": 1.0}
    ax.plot(x, x**2, **target)
    ax.plot(x, functions[:, ONE], color=SINGLE, lw=1.5)
    ax.set(xlim=BETWEEN, ylim=(-15, 180), ylabel="output")
    learned = (
        f"learned: a mean squared error in the grey range\nbelow {LEARNED:.1%} of the variance"
    )
    ax.set_xlabel(f"x; {learned} of x²")


def name_lines(rate: xr.Dataset, ax: Axes) -> None:
    """Name the target, the single training and the many, and say how many of them learned it."""
    ends = f"{100 * float(rate.low):.0f} to {100 * float(rate.high):.0f}%"
    lines: dict[str, dict[str, Any]] = {
        "dashed: x²": {"color": "black"},
        "dark: one training": {"color": SINGLE, "weight": "bold"},
        f"light: {int(rate.n)} trainings": {"color": NAMED, "weight": "bold"},
        f"{int(rate.successes)} learned it": {"color": NAMED},
        f"(95% interval: {ends})": {"color": NAMED},
    }
    for number, (says, look) in enumerate(lines.items()):
        ax.text(0, HIGHEST - LINE * number, says, ha="center", va="top", **look)


def draw(results: Path) -> Figure:
    """The whole figure, for one column."""
    answer = ap.study.Answer.load(results / CASE)
    runs = answer.runs("baseline")
    hits = MEASURES["learned"].hits(runs)
    rate = ap.stats.rate(hits.isel(step=-1))
    figure, ax = plt.subplots(figsize=(3.5, 2.7))
    draw_functions(runs, ax)
    name_lines(rate, ax)
    percent = 100 * float(rate.rate)
    ax.set_title(f"One training looks fine; of {int(rate.n)}, {percent:.0f}% learned x²")
    return figure


main = ap.study.figure_script("hero", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
