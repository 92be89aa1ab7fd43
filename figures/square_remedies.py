"""What single changes do to the success of a thread's ten tanh units on x².

Reads square_rows.csv of experiments/summaries, which experiments/square_remedies.py writes, and
draws figures/square_remedies.{pdf,svg,png}. square_endings.csv says what became of the seeds.

Shows: A thread's ten tanh units were trained with 33 changes, one at a time. Twenty units, the
activation gelu, highway units and Adam at a rate of 0.01 help most: 67 to 75% of the seeds learn x²
with them, and 5% without. More rows, another range, and scaling x or y alone help nobody.
Cost: a quarter of an hour on two busy cores, and B's 128 seeds four to eight minutes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments.square_remedies import CASE, changes

NAMES = {
    "baseline": "as asked: SGD 0.001",
    "best of 5": "the best of five seeds",
    "B": "8-8 relu, Adam",
    "A": "no hidden units, Adam",
}
UNCHANGED, BETTER = "#333333", "#0072B2"


def in_groups(answer: ap.study.Answer) -> dict[str, pd.DataFrame]:
    """The rows that are drawn by their heading, the recipe as asked first and then the best."""
    rows = answer.main_rows
    groups = {"recipe": list(NAMES)}
    for heading, group in changes().items():
        if "A" not in group:
            groups[heading] = list(group)
    found = {}
    for heading, labels in groups.items():
        here = rows[rows.label.isin(labels)]
        here = here.sort_values("rate", ascending=False, kind="stable")
        if heading == "recipe":
            is_first = here.label == "baseline"
            here = pd.concat([here[is_first], here[~is_first]])
        if len(here):
            found[heading] = here
    return found


def name_of(row: Any, most: int) -> str:
    """What a row is called, with its number of seeds where it has fewer than others."""
    name = NAMES.get(str(row.label), str(row.label)).replace("*", "·")
    return name if row.n == most else f"{name} ({row.n})"


def draw_changes(answer: ap.study.Answer, headings: Sequence[str], ax: Axes) -> None:
    """The share of seeds that learn x², with its interval, of the rows under some headings."""
    groups = in_groups(answer)
    first = groups["recipe"].iloc[0]
    most = answer.main_rows.n.max()
    ticks: list[str] = []
    for heading in headings:
        ax.text(-0.02, len(ticks), heading, weight="bold", ha="right", va="center")
        ticks.append("")
        for row in groups[heading].itertuples():
            color = BETTER if row.low > first.high else UNCHANGED
            place = len(ticks)
            ax.hlines(place, row.low, row.high, color=color, lw=1.5)
            ax.plot(row.rate, place, "o", color=color, ms=4, clip_on=False)
            ticks.append(name_of(row, most))
    ap.plot.row_axis(ax, ticks)
    ax.axvspan(first.low, first.high, color="0.88", lw=0, zorder=0)
    ax.set_xlim(-0.01, 1.01)
    ax.set_xticks([0, 0.5, 1], ["0%", "50%", "100%"])


def draw(summaries: Path) -> Figure:
    """The whole figure: data and size stand on the left, units and training on the right."""
    answer = ap.study.Answer.load(summaries, CASE)
    headings = list(in_groups(answer))
    half = headings.index("activation") if "activation" in headings else len(headings) // 2
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 4.7))
    draw_changes(answer, headings[:half], left)
    draw_changes(answer, headings[half:], right)
    figure.suptitle(
        "Most single changes do not help ten tanh units to learn x²; a few lift 5% to 75%"
    )
    most = answer.main_rows.n.max()
    figure.supxlabel(
        f"share of {most} seeds (or of the number beside the name) with an error of at most 0.1% "
        "of the variance,\n"
        "and its 95% interval; grey: as asked; blue: the interval lies above the grey",
        size=7.5,
    )
    return figure


main = ap.study.table_figure_script("square_remedies", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
