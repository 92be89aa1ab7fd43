"""What small sigmoid networks find of one interval: on raw x one edge or none.

Reads the tables experiments/summaries/interval_{rows,endings,functions}.csv, which
experiments/interval.py writes, and draws figures/interval.{pdf,svg,png}.

Shows: On raw x two sigmoid units find one edge of the interval or none; on standardised x most find
both, if the steps are not as small as those of SGD at 0.01. The recipe of the question succeeds for
0 of 512 seeds, that of its answer for 437, which are 85%. Failures of BFGS, and of Adam after 1,000
epochs, nearly all have a loss of known value: that of the best constant, of one edge followed by a
half, or of the output 0. Success: every training row on its side of one half.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments import interval as case
from experiments.interval import CONSTANT, EDGE, LEARNED, OTHER, ZERO

# Ending: its colour, and what a panel calls it. Light is good; the greys differ
COLORS = {
    LEARNED: "#CDE9F9",
    EDGE: "#EBB93A",
    CONSTANT: "#C65A11",
    ZERO: "#8F8FC4",
    OTHER: "#333333",
}
WORDS = {
    LEARNED: "both edges: success",
    EDGE: "one edge, then ½",
    CONSTANT: "the constant ⅓",
    ZERO: "0 throughout",
    OTHER: "none of these",
}
# Rows below their headings, by the names that the panel gives them
ROWS = {
    "raw x": {
        "SGD 0.01 (the question)": case.SGD,
        "Adam 0.1": case.RAW_ADAM,
        "BFGS (R's nnet)": case.NNET,
    },
    "standardised x": {
        "SGD 0.01": case.Z_SGD,
        "SGD 0.1": case.Z_SGD_FASTER,
        "Adam 0.1, 20 epochs (the answer)": case.after(case.Z_ADAM, case.SHORT),
        "Adam 0.1": case.Z_ADAM,
        "BFGS": case.Z_NNET,
    },
}
X = np.linspace(-3, 33, 361)


def name_of(label: str) -> str:
    """What a panel calls a row."""
    for heading, rows in ROWS.items():
        for name, one in rows.items():
            if one == label:
                return f"{heading}, {name.split(' (')[0]}"
    raise ValueError(f"no name for {label!r}: ROWS has none")


def shares_of(answer: ap.study.Answer) -> pd.DataFrame:
    """The share of each ending that is drawn, one line for each row."""
    ends = answer.endings.assign(ending=answer.endings.ending.map(case.drawn_as))
    shares = ends.pivot_table("rate", "label", "ending", "sum", fill_value=0.0)
    labels = [label for rows in ROWS.values() for label in rows.values() if label in shares.index]
    return shares.reindex(index=labels, columns=list(COLORS), fill_value=0.0)


def draw_functions(ax: Axes, networks: pd.DataFrame, shares: pd.DataFrame, ending: str) -> None:
    """The functions of a dozen networks of one ending, and the share of their row's seeds."""
    here = networks[networks.ending == ending]
    for values in case.functions(here, X):
        ax.plot(X, values, color="0.15", linewidth=0.6, alpha=0.8)
    for begin, end, height in ((0, 10, 0), (11, 20, 1), (21, 30, 0)):
        ax.hlines(height, begin, end, color="#56B4E9", linewidth=3, zorder=0)
    ax.axhspan(1.62, 1.8, color=COLORS[ending])
    if len(here):
        label = here.label.iloc[0]
        place, recipe = name_of(label).split(", ")
        says = f"{place},\n{recipe}: {shares.loc[label, ending]:.0%}"
        ax.text(15, 1.58, says, ha="center", va="top", size=7, linespacing=1.1)
    ax.set(xlim=(-3, 33), xticks=(0, 10, 20, 30), xlabel="x", ylim=(-0.08, 1.8), yticks=(0, 0.5, 1))
    ax.set_title(WORDS[ending], loc="center", size=7.5)


def draw_endings(ax: Axes, answer: ap.study.Answer, shares: pd.DataFrame, n: int) -> None:
    """What became of the seeds of each row, as stacked bars, and how many succeed."""
    rates = answer.main_rows.set_index("label")
    heights, names = [], []
    y = 0.0
    for heading, rows in ROWS.items():
        there = {name: label for name, label in rows.items() if label in shares.index}
        if there:
            ax.text(-0.01, y, heading, weight="bold", ha="right", va="center", size=7.5)
        for name, label in there.items():
            y += 1
            draw_bar(ax, y, shares.loc[label])
            row = rates.loc[label]
            succeed = f"{row.rate:.0%} [{100 * row.low:.0f}, {100 * row.high:.0f}]"
            ax.text(1.02, y, succeed, va="center", size=7)
            heights.append(y)
            names.append(name)
        y += 1.2
    ax.set_yticks(heights, names)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(y - 0.5, -0.5)
    ax.set(xlim=(0, 1), xticks=(0, 0.5, 1))
    ax.set_xlabel(
        f"what became of {n:,} seeds, in the colours of a; success: {case.RIGHT.says}\n"
        f"(SGD and Adam: {case.EPOCHS[-1]:,} epochs where no number is said; "
        f"BFGS: {case.EVALUATIONS[-1]} evaluations)"
    )
    ax.xaxis.set_major_formatter("{x:.0%}")
    ax.text(1.02, 0, "success [95%]", va="center", size=7)


def draw_bar(ax: Axes, y: float, shares: pd.Series) -> None:
    """The endings of one row, the good ones first."""
    begin = 0.0
    for ending, color in COLORS.items():
        ax.barh(y, shares[ending], 0.78, begin, color=color, edgecolor="white", linewidth=0.5)
        begin += shares[ending]


def draw(summaries: Path) -> Figure:
    """The whole figure, for two columns."""
    answer = ap.study.Answer.load(summaries, case.NAME)
    networks = pd.read_csv(summaries / f"{case.NAME}_functions.csv")
    shares = shares_of(answer)
    figure = plt.figure(figsize=(7.0, 4.6))
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.25, 1.6))
    above, below = parts
    functions = above.subplots(1, len(COLORS), sharey=True)
    for ax, ending in zip(functions, COLORS, strict=True):
        draw_functions(ax, networks, shares, ending)
    functions[0].set_ylabel("P(y = 1)")
    became = below.subplots()
    seeds = answer.main_rows.set_index("label").n[case.SGD]
    draw_endings(became, answer, shares, seeds)
    of_each = f"{case.MOST} functions of each kind (blue: training rows; %: of the seeds)"
    titles = {
        above: f"What two units learn, {of_each}",
        below: "On raw x one edge or none; on standardised x both, unless the steps are small",
    }
    for letter, (part, title) in zip("ab", titles.items(), strict=True):
        part.suptitle(ap.plot.lettered(letter, title), x=0.01, ha="left", size=8)
    return figure


main = ap.study.table_figure_script("interval", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
