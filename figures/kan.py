"""KAN against MLP: the error of three functions against steps and against the time of training.

Reads results/kan_*.nc and experiments/summaries/kan_rates.csv, which experiments/kan.py writes, and
draws figures/kan.{pdf,png}.

Shows: A KAN learns the functions on its edges as splines; an MLP has fixed activations. After
equally many steps a KAN of 150 parameters is more accurate than an MLP of 151 in two layers on all
three functions, for 81% to 100% of 128 seeds. A step of the KAN takes seven times as long. After
equal time it is more accurate on exp(sin(πx) + y²) for all seeds, not clearly so on x y, and less
accurate on max(x, y).
"""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import tyro
import xarray as xr
from matplotlib.axes import Axes

import approx as ap
from experiments.kan import (
    FUNCTIONS,
    NETWORKS,
    RESULTS,
    SUMMARIES,
    equal_steps,
    labelled,
    relative,
    step_time,
)

FOLDER = Path(__file__).parent
TITLES = {
    "product": "x y: undecided in equal time",
    "formula": "exp(sin(πx) + y²): the KAN",
    "maximum": "max(x, y): the MLPs in equal time",
}
LOOKS = {
    "KAN": ("black", "-", "s"),
    "MLP 10-10": ("#0072B2", "-", "o"),
    "MLP 37": ("#D55E00", "--", "^"),
}


def draw_errors(ax: Axes, runs: Mapping[str, xr.Dataset], function: str) -> None:
    """The median error over time with the middle half of the seeds; a mark at equal steps."""
    for network, (color, line, marker) in LOOKS.items():
        here = runs[labelled(function, network)].isel(step=slice(1, None))
        errors = relative(here).error.transpose("seed", "step").values
        low, middle, high = ap.stats.order_quantiles(errors, (0.25, 0.5, 0.75), axis=0)
        took = here.step.values * step_time(runs, network) / 1e3
        ax.fill_between(took, low, high, color=color, alpha=0.2, linewidth=0)
        ax.plot(took, middle, color=color, linestyle=line)
        at = int((here.step.values == equal_steps(runs)).argmax())
        ax.plot(took[at], middle[at], marker, color=color, markersize=5, label=network)
    ax.set(xscale="log", yscale="log", xlabel="processor time of a training, ms")


def main(
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/kan.py wrote to.
        summaries: the folder of its tables.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        results = summaries = figures = results / "quick"
    rates = pd.read_csv(summaries / "kan_rates.csv", dtype={"fingerprint": str})
    labels = [labelled(function, network) for function in FUNCTIONS for network in NETWORKS]
    runs = {label: ap.load(results / f"kan_{label}.nc") for label in labels}
    plt.style.use(ap.plot.STYLE)
    figure, axes = plt.subplots(
        1, 3, figsize=(7.0, 2.9), layout="constrained", sharex=True, sharey=True
    )
    for letter, ax, (function, title) in zip("abc", axes, TITLES.items(), strict=True):
        draw_errors(ax, runs, function)
        ax.set_title(ap.plot.lettered(letter, title))
    axes[0].set_ylabel("squared error over the variance")
    axes[2].legend(frameon=False)
    ratio = step_time(runs, "KAN") / step_time(runs, "MLP 10-10")
    figure.suptitle(
        "A KAN is better than MLPs after equal steps; after equal time it depends on the function\n"
        f"150 parameters each; {rates.n[0]} seeds; marks: after {equal_steps(runs):,} steps, of "
        f"which one of the KAN takes {ratio:.1f} times as long as one of MLP 10-10\n"
        "lines: medians; bands: the middle half of the seeds",
        size=7.5,
    )
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "kan", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
