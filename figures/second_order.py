"""How much work small networks take to learn: SGD, Adam, BFGS, L-BFGS and Levenberg-Marquardt.

Reads second_order_rates.csv of experiments/summaries, which experiments/second_order.py writes, and
draws figures/second_order.{pdf,svg,png}. second_order_speed.md says how long the methods take.

Shows: On x² and on a sine Levenberg-Marquardt, BFGS and L-BFGS succeed after tens to hundreds of
evaluations of the loss and its derivatives, where Adam needs thousands and SGD fails. On the
interval they are faster than Adam and SGD too, but they do not rescue bad starts: Adam succeeds for
more seeds in the end. A line ends with a dot where all its trainings have stopped.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap

# case: what its panel says of it and of what counts as success
CASES = {
    "raw squares": "Interval, raw x: all rows right",
    "standardised squares": "Interval, scaled x: all rows right",
    "square": "x²: mean squared error below 10⁻⁶",
    "sine": "sin x: mean squared error below 10⁻³",
}
# method: name, colour, line and how wide it is
METHODS: dict[str, tuple[str, str, Any, float]] = {
    "sgd": ("SGD", "#333333", (0, (1, 1)), 1.6),
    "adam": ("Adam", "#D55E00", (0, (4, 1.5)), 1.4),
    "bfgs": ("BFGS", "#0072B2", "-", 1.4),
    "lbfgs": ("L-BFGS", "#56B4E9", (0, (6, 1, 1, 1)), 1.4),
    "lm": ("Levenberg-Marquardt", "#009E73", "-", 2.4),
}


def draw_case(rates: pd.DataFrame, ax: Axes) -> None:
    """The share of seeds in success against evaluations, of every method of one case."""
    for method, (_, color, line, width) in METHODS.items():
        here = rates[(rates.method == method) & (rates.evaluations > 0)]
        if here.empty:
            continue
        ax.fill_between(here.evaluations, here.low, here.high, color=color, alpha=0.25, lw=0)
        ax.plot(here.evaluations, here.rate, color=color, ls=line, lw=width)
        last = here.iloc[-1]
        ax.plot(last.evaluations, last.rate, "o", color=color, ms=3.5, clip_on=False)
    ax.set_xscale("log")
    ax.set_xlim(1, 3e4)
    ap.plot.share_axis(ax, "")


def name_methods(figure: Figure) -> None:
    """One key of all methods, below the panels."""
    handles = []
    for name, color, line, width in METHODS.values():
        handles.append(plt.Line2D([], [], color=color, ls=line, lw=width, label=name))
    figure.legend(handles=handles, loc="outside lower center", ncols=5, handlelength=2.8)


def draw(summaries: Path) -> Figure:
    """The whole figure."""
    table = pd.read_csv(summaries / "second_order_rates.csv")
    figure, panels = plt.subplots(2, 2, figsize=(7.0, 4.6), sharey=True, sharex=True)
    for letter, ax, (case, title) in zip("abcd", panels.flat, CASES.items(), strict=True):
        draw_case(table[table.case == case], ax)
        ax.set_title(ap.plot.lettered(letter, title))
    for ax in panels[1]:
        ax.set_xlabel("evaluations of the loss and its derivatives")
    for ax in panels[:, 0]:
        ax.set_ylabel("seeds that succeed")
    name_methods(figure)
    figure.suptitle(
        "Second-order methods need fewer evaluations, but do not rescue bad starts (a, b); "
        f"{table.n.max()} seeds each; dots: the end",
        size=8.5,
    )
    return figure


main = ap.study.table_figure_script("second_order", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
