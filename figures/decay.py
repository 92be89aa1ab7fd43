"""Which weights of the start let which method solve u' = -u, and how the others fail.

Reads results/decay_adam.nc and experiments/summaries/decay_rates.csv, which experiments/decay.py
writes, and draws figures/decay.{pdf,png}.

Shows: A network is trained to make u' + u zero and to start at u(0) = 1; w is the weight of the
start in the loss. With w from 0.01 to 10, 99 to 100% of 128 seeds of Adam and L-BFGS solve the
equation to within 0.01. Too small a weight leaves a wrong start, too large a one a wrong curve.
Levenberg-Marquardt solves it at all weights from 0.0001 to 10,000.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
from matplotlib.axes import Axes

import approx as ap
from experiments.decay import CLOSE, CLOSER, KINDS, LARGE, ONE, RESULTS, SMALL, SUMMARIES

FOLDER = Path(__file__).parent
# Name, colour, marker and line of each method, from dark to light
METHODS = {
    "lm": ("Levenberg-Marquardt", "black", "s", "-"),
    "lbfgs": ("L-BFGS", "0.4", "^", "--"),
    "adam": ("Adam", "#0072B2", "o", "-"),
}
WRONG = ((SMALL, "#E69F00", ":"), (ONE, "0.35", "-"), (LARGE, "#0072B2", "--"))
FILLS = {"right": ("0.92", ""), "start wrong": ("#E69F00", ""), "curve wrong": ("#0072B2", "////")}


def draw_rates(ax: Axes, rates: pd.DataFrame, of: str, most: float) -> None:
    """The share of seeds below a largest error, against the weight, a line for each method."""
    for method, (name, color, marker, line) in METHODS.items():
        here = rates[rates.method == method]
        away = [here[of] - here[f"{of}_low"], here[f"{of}_high"] - here[of]]
        ax.errorbar(
            here.weight,
            here[of],
            away,
            color=color,
            marker=marker,
            markersize=3.5,
            linestyle=line,
            elinewidth=0.7,
            label=name,
        )
    weight_axis(ax)
    ap.plot.share_axis(ax, f"seeds with a largest error\nof at most {most:g}")


def weight_axis(ax: Axes) -> None:
    """The axis of the weight, which is logarithmic."""
    ax.set(xscale="log", xlabel="weight of the start, u(0) = 1, in the loss")
    ax.set_xticks([SMALL, 1e-2, ONE, 1e2, LARGE])
    ax.minorticks_off()


def draw_kinds(ax: Axes, rates: pd.DataFrame) -> None:
    """What became of Adam's seeds at each weight, as stacked bars."""
    here = rates[rates.method == "adam"]
    places = range(len(here))
    below = np.zeros(len(here))
    for kind in KINDS:
        color, hatch = FILLS[kind]
        ax.bar(
            places,
            here[kind],
            0.8,
            below,
            color=color,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.3,
            label=kind,
        )
        below += here[kind].to_numpy()
    powers = [f"$10^{{{round(np.log10(weight))}}}$" for weight in here.weight]
    ax.set_xticks(places, powers)
    ax.set_xlabel("weight of the start, u(0) = 1, in the loss")
    ap.plot.share_axis(ax, "what Adam's seeds became")


def draw_errors(ax: Axes, results: Path) -> None:
    """Where Adam's errors lie at three weights: the median and the middle 90% of the seeds."""
    runs = ap.load(results / "decay_adam.nc")
    t = runs.isel(boundary_weight=0).x_test.values[:, 0]  # the same for all weights
    away = abs(runs.prediction - runs.y_test).isel(output=0)
    for weight, color, line in WRONG:
        errors = away.sel(boundary_weight=weight).values
        low, middle, high = ap.stats.order_quantiles(errors, (0.05, 0.5, 0.95), axis=0)
        ax.fill_between(t, low, high, color=color, alpha=0.2, linewidth=0)
        ax.plot(t, middle, line, color=color, label=f"weight {weight:g}")
    ax.axhline(CLOSE, color="black", linewidth=0.6)
    ax.text(4.95, 1.1 * CLOSE, f"{CLOSE:g}", ha="right", va="bottom", size=6.5)
    ax.set(xlabel="t", ylabel="Adam's error, |u(t) - e$^{-t}$|", xlim=(0, 5))
    ax.set(yscale="log", ylim=(1e-5, 2))
    ax.legend(frameon=False, loc="upper right")


def main(
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/decay.py wrote to.
        summaries: the folder of its tables.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        results = summaries = figures = results / "quick"
    rates = pd.read_csv(summaries / "decay_rates.csv", dtype={"fingerprint": str})
    plt.style.use(ap.plot.STYLE)
    figure, ((a, b), (c, d)) = plt.subplots(2, 2, figsize=(7.0, 4.6), layout="constrained")
    draw_rates(a, rates, "close", CLOSE)
    a.set_title(ap.plot.lettered("a", "One method does not care about the weight"))
    a.legend(frameon=False)
    draw_rates(b, rates, "closer", CLOSER)
    b.set_title(ap.plot.lettered("b", "Exact to 0.001: not at the advised 100"))
    draw_kinds(c, rates)
    c.set_title(ap.plot.lettered("c", "Too small misses the start, too large the curve"))
    c.legend(frameon=True, framealpha=1, loc="lower center")
    draw_errors(d, results)
    d.set_title(ap.plot.lettered("d", "Where the error lies tells the two apart"))
    steps = rates.groupby("method").steps.first()
    figure.suptitle(
        "A wrong weight of the start fails Adam and L-BFGS in two ways, and LM in none\n"
        f"u' = -u on [0, 5] by ten tanh units; {rates.n[0]} seeds of each weight and method\n"
        f"{steps.adam:,} steps of Adam at 0.01, {steps.lbfgs} evaluations of L-BFGS, "
        f"{steps.lm} of LM; bars: exact 95% intervals",
        size=7.5,
    )
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "decay", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
