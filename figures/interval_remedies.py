"""What lets small sigmoid networks find one interval: standardised x, large steps, two units.

Reads the tables experiments/summaries/interval_{rows,curves}.csv, which experiments/interval.py
writes, and draws figures/interval_remedies.{pdf,svg,png}.

Shows: Standardised x and a rate of 0.1 are both needed: with them 97% of 512 seeds succeed by Adam
and 94% by SGD, half of them after 11 and after 300 to 400 epochs; without one of them 2% or none.
One unit never succeeds. Two do on standardised x, and on raw x even eight succeed for only 27% by
Adam and 54% by BFGS. Success: every training row on its side of one half.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments import interval as case

# Optimiser: colour and mark; the greys differ
ADAM, SGD, SLOW, BFGS = ("#0072B2", "o"), ("#C98200", "s"), ("#000000", "v"), ("#B85C93", "D")
RAW, STANDARDISED = (0, (3, 1.5)), "-"  # the lines of raw and of standardised x
# Row: its name, the look of its optimiser, and its line
CURVES = {
    case.Z_ADAM: ("Adam 0.1", ADAM, STANDARDISED),
    case.Z_SGD_FASTER: ("SGD 0.1", SGD, STANDARDISED),
    case.RAW_ADAM: ("Adam 0.1, raw x", ADAM, RAW),
    case.Z_SGD: ("SGD 0.01", SLOW, STANDARDISED),
}
# Levels of inputs, optimiser, first weights and loss whose rates are drawn against the width
WIDTHS = {
    ("z", "Adam 0.1", "Keras", "entropy"): ("Adam 0.1", ADAM, STANDARDISED),
    ("z", "BFGS", "nnet", "squares"): ("BFGS", BFGS, STANDARDISED),
    ("raw", "BFGS", "nnet", "squares"): ("BFGS, raw x", BFGS, RAW),
    ("raw", "Adam 0.1", "Keras", "entropy"): ("Adam 0.1, raw x", ADAM, RAW),
}


def draw_curves(ax: Axes, curves: pd.DataFrame) -> None:
    """The share of seeds in success against epochs, with its interval."""
    ends = []
    for label, (name, (color, mark), line) in CURVES.items():
        here = curves[(curves.label == label) & (curves.epoch > 0)]
        ax.fill_between(here.epoch, here.low, here.high, color=color, alpha=0.25, linewidth=0)
        ax.plot(here.epoch, here.rate, color=color, linestyle=line)
        ax.plot(here.epoch.iloc[-1:], here.rate.iloc[-1:], mark, color=color, clip_on=False)
        ends.append((here.rate.to_numpy(), name, color))
    ax.set(xscale="log", xlabel="epochs")
    ax.margins(x=0)
    name_lines(ax, ends)
    ax.set_ylabel("seeds in success")


def draw_widths(ax: Axes, rows: pd.DataFrame) -> None:
    """The share of seeds in success against the number of hidden units, with its interval."""
    widths = sorted(case.WIDTHS, key=lambda name: case.WIDTHS[name])
    places = np.array([case.WIDTHS[width] for width in widths])
    ends = []
    for (inputs, optimizer, weights, loss), (name, (color, mark), line) in WIDTHS.items():
        labels = [case.cell(inputs, optimizer, weights, width, loss) for width in widths]
        here = rows.reindex(labels)
        ax.plot(places, here.rate, color=color, linestyle=line, marker=mark, clip_on=False)
        ax.vlines(places, here.low, here.high, color=color)
        ends.append((here.rate.dropna().to_numpy(), name, color))
    ax.set_xticks(places, [str(width) for width in places])
    ax.set(xlabel="hidden units", xlim=(0.7, places[-1] + 0.2))
    name_lines(ax, ends)


def name_lines(ax: Axes, ends: list[tuple]) -> None:
    """Make the vertical axis one of shares, and write the names at the lines' ends."""
    ap.plot.share_axis(ax, "")
    ax.set_ylim(-0.05, 1.05)
    ap.plot.label_ends(ax, ends)


def draw(summaries: Path) -> Figure:
    """The whole figure, for two columns."""
    answer = ap.study.Answer.load(summaries, case.NAME)
    curves = pd.read_csv(summaries / f"{case.NAME}_curves.csv")
    rows = answer.main_rows.set_index("label")
    figure, (a, b) = plt.subplots(1, 2, figsize=(7.0, 2.8))
    draw_curves(a, curves)
    draw_widths(b, rows)
    a.set_title(ap.plot.lettered("a", "Standardised x and a rate of 0.1: both are needed"))
    b.set_title(ap.plot.lettered("b", "One unit never succeeds, two can"))
    seeds = rows.n[case.Z_ADAM]
    figure.supxlabel(
        "solid: standardised x; dashed: raw x; a: networks of two units\n"
        f"success: {case.RIGHT.says}; {seeds:,} seeds each, with 95% intervals",
        size=7,
    )
    return figure


main = ap.study.table_figure_script("interval_remedies", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
