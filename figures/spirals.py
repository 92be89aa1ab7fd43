"""Where small networks draw the line between two spirals, and how many fit every point.

Reads results/spirals_spirals.nc and experiments/summaries/spirals_rates.csv, which
experiments/spirals.py writes, and draws figures/spirals.{pdf,png}.

Shows: Ten tanh units in one layer tell two circles apart for all of 128 seeds, and never all 194
points of two spirals. Two layers of ten fit all points of the spirals for 15% of the seeds in
10,000 steps. None of these has 95% of the points halfway between right, so they know the points by
heart. Three layers of five, without connections that skip a layer, never fit all points.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

import approx as ap
from experiments.spirals import RESULTS, SUMMARIES, points

FOLDER = Path(__file__).parent
SHOWN = ("2", "10", "10-10")  # the networks whose decisions are drawn
COLORS = {"2": "0.65", "10": "#D55E00", "5-5-5": "#0072B2", "10-10": "black"}
# Points that are right: line and name
LINES = {"accuracy": ("-", "training points"), "test_accuracy": (":", "points halfway between")}


def draw_decisions(ax: Axes, runs: xr.Dataset, layers: str, title: str) -> None:
    """Which share of the seeds names which spiral over the plane, with the training points."""
    here = runs.sel(layers=layers)
    ap.plot.boundary(here, ax, title, rows=points(), bar=False)
    ax.legend_ = None  # the title of the figure says what the marks are
    ax.set(xlabel="", ylabel="", xticks=[-6, 0, 6], yticks=[-6, 0, 6], aspect="equal")


def draw_learning(ax: Axes, runs: xr.Dataset) -> None:
    """The median share of points that are right against steps, on the spirals and between."""
    ends = []
    for layers, color in COLORS.items():
        here = runs.sel(layers=layers).isel(step=slice(1, None))
        for of, (line, _) in LINES.items():
            middle = ap.stats.order_quantiles(here[of].values, 0.5, axis=0, worst=0.0)
            ax.plot(here.step, middle, color=color, linestyle=line, marker="o", markersize=3)
            if of == "accuracy":
                ends.append((middle, layers, color))
    for line, name in LINES.values():
        ax.plot([], [], color="0.3", linestyle=line, label=name)
    ax.legend(frameon=False, loc="upper left")
    ax.set(xscale="log", xlabel="steps of Adam at 0.01", ylim=(0.45, 1.02))
    ax.set_ylabel("points that are right, median over seeds")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ap.plot.label_ends(ax, ends)


def fits(rates: pd.DataFrame, task: str, layers: str) -> str:
    """The share of seeds with all training points right, and its 95% interval."""
    row = rates[(rates.task == task) & (rates.layers == layers)].iloc[0]
    return f"{row.fitted:.0%} [{100 * row.fitted_low:.0f}, {100 * row.fitted_high:.0f}]"


def main(
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/spirals.py wrote to.
        summaries: the folder of its tables.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        results = summaries = figures = results / "quick"
    rates = pd.read_csv(summaries / "spirals_rates.csv", dtype={"layers": str, "fingerprint": str})
    runs = ap.load(results / "spirals_spirals.nc")
    made_of = rates[rates.task == "spirals"].fingerprint.iloc[0]
    ap.plot.check_identity("the spirals", runs.fingerprint, made_of)
    plt.style.use(ap.plot.STYLE)
    figure, axes = plt.subplots(2, 2, figsize=(7.0, 6.6), layout="constrained")
    for letter, ax, layers in zip("abc", axes.flat, SHOWN, strict=False):
        title = f"2-{layers}-1: {fits(rates, 'spirals', layers)} of the seeds fit all points"
        draw_decisions(ax, runs, layers, ap.plot.lettered(letter, title))
    draw_learning(axes[1, 1], runs)
    axes[1, 1].set_title(ap.plot.lettered("d", "Right on the points, less so between"))
    figure.suptitle("One layer of ten never fits two spirals; two layers sometimes do, by heart")
    figure.supxlabel(
        "blue: the share of seeds that name the spiral of squares, from none (light) to all "
        f"(dark);\n{rates.n[0]} seeds, tanh units, {runs.step.values[-1]:,} steps; brackets: 95% "
        "intervals",
        size=7,
    )
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "spirals", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
