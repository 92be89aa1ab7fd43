"""What advice does to a numpy network on four clusters, with wrong and with right derivatives.

Reads the tables clusters_*.csv of experiments/summaries, which experiments/clusters.py writes, and
draws figures/clusters_advice.{pdf,svg,png}.

Shows: While the program takes relu's derivative to be 1 everywhere, biases alone and cross-entropy
alone lower its test accuracy, for some seeds by half. With the right derivative both raise it, and
with biases, cross-entropy, normalised inputs and no dropout all 128 seeds are at least as good as a
linear softmax.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments import clusters

# What is drawn, by the names that it has in the figure; the rows whose derivatives are wrong first
WRONG = {
    clusters.BASELINE: "as it stands",
    "biases": "with biases",
    "cross-entropy": "with cross-entropy",
    "normalised": "with normalised inputs",
    "no dropout": "without dropout",
    "all advice": "with biases, cross-entropy\nand normalised inputs",
}
RIGHT = {
    "both corrected": "as it stands",
    "biases, right derivatives": "with biases",
    "cross-entropy, right derivatives": "with cross-entropy",
    "everything": "with biases, cross-entropy,\nnormalised inputs, no dropout",
}
GROUPS = {
    "relu's derivative is wrong": (WRONG, "#C65A11", "white"),
    "relu's derivative is right": (RIGHT, "#0072B2", "#0072B2"),
}
LOWEST = 0.4


def at_equal_passes(answer: ap.study.Answer) -> pd.DataFrame:
    """The rows that are drawn, after as many passes as the remedies have, in the figure's order.

    Besides what the table of rows says of their test accuracy, there is the column `name`.
    """
    works = answer.rows[answer.rows.measure == "works"].set_index("label")
    steps = works.steps["biases"]
    labels = []
    for label in (*WRONG, *RIGHT):
        if works.steps[label] == steps:
            labels.append(label)
        else:
            labels.append(clusters.cut(label, steps // clusters.ROWS))
    rows = works.loc[labels].copy()
    return rows.assign(name=[*WRONG.values(), *RIGHT.values()]).reset_index(drop=True)


def draw_rows(rows: pd.DataFrame, ax: Axes) -> None:
    """Median and 5 to 95% of the seeds of every row, in two groups with a heading each."""
    place = 0
    ticks: dict[int, str] = {}
    for heading, (names, color, fill) in GROUPS.items():
        ax.text(
            LOWEST + 0.01, place, heading, color=color, weight="bold", va="center", clip_on=False
        )
        ticks[place] = ""
        here = rows.iloc[: len(names)]
        rows = rows.iloc[len(names) :]
        for number, (_, row) in enumerate(here.iterrows(), start=place + 1):
            ax.hlines(number, max(row.q05, LOWEST), row.q95, color=color, lw=2)
            dots: dict[str, Any] = {"color": fill, "mec": color, "mew": 1.2, "ms": 5}
            ax.plot(row["median"], number, "o", **dots)
            ticks[number] = row["name"]
        place += len(names) + 1
    ap.plot.row_axis(ax, list(ticks.values()))


def mark_softmax(ax: Axes) -> None:
    """A line at the test accuracy of a linear softmax, which is what counts as success."""
    ax.axvline(clusters.SOFTMAX, color="0.4", lw=0.8, ls=(0, (3, 2)), zorder=0)
    says = "success: a linear\nsoftmax's, at least"
    ax.annotate(
        says,
        (clusters.SOFTMAX, 0.7),
        (4, 0),
        xycoords="data",
        textcoords="offset points",
        color="0.3",
        va="center",
    )


def draw(summaries: Path) -> Figure:
    """The whole figure."""
    answer = ap.study.Answer.load(summaries, clusters.CASE)
    rows = at_equal_passes(answer)
    figure, ax = plt.subplots(figsize=(5.4, 3.3))
    draw_rows(rows, ax)
    mark_softmax(ax)
    passes, seeds = int(rows.steps[0] // clusters.ROWS), int(rows.n[0])
    ax.set(xlim=(LOWEST, 1.0))
    says = f"test accuracy after {passes} passes: median and 5 to 95% of {seeds} seeds"
    ax.set_xlabel(says)
    ax.set_title("Alone, biases and cross-entropy hurt until relu's derivative is right")
    return figure


main = ap.study.table_figure_script("clusters_advice", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
