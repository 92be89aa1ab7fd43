"""What one change does to the thread's ten tanh units on x², and what became of their seeds.

Reads the tables experiments/summaries/square_* that experiments/square_remedies.py writes, and
draws figures/square_remedies.{pdf,svg,png}.

Shows: A thread's ten tanh units were trained with 33 changes, one at a time. Twenty units, the
activation gelu, highway units and Adam at a rate of 0.01 help most: 67 to 75% of the seeds learn x²
with them, and 5% without. More rows, another range, and scaling x or y alone help nobody. Of the
seeds that fail without a change, most had an error that was still falling at the end.
Cost: a quarter of an hour on two busy cores, and B's 128 seeds four to eight minutes.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
from matplotlib.axes import Axes

import approx as ap
from experiments.square_remedies import CASE, RESULTS, SUMMARIES, changes

HERE = Path(__file__).parent
NAMES = {
    "baseline": "C: 10 tanh, SGD",
    "best of 5": "C, best of five",
    "B": "B: 8-8 relu, Adam",
    "A": "A: linear, Adam",
}


def in_groups(answer: ap.study.Answer) -> list[pd.DataFrame]:
    """The rows that are drawn, a table for each kind of change, the best first."""
    groups = [list(NAMES)]
    groups += [list(group) for group in changes().values() if "A" not in group]
    rows = answer.main_rows
    tables = []
    for labels in groups:
        here = rows[rows.label.isin(labels)]
        tables.append(here.sort_values("rate", ascending=False, kind="stable"))
    first = tables[0]
    tables[0] = pd.concat([first[first.label == "baseline"], first[first.label != "baseline"]])
    return [table for table in tables if len(table)]


def draw_changes(answer: ap.study.Answer, figure: Any, rates: Axes, became: Axes) -> None:
    """Every row's share of seeds that learn, and what became of all seeds."""
    groups = in_groups(answer)
    rows = pd.concat(groups).reset_index(drop=True)
    ap.study.draw_rates(answer, rows, rates)
    shown = ap.study.draw_endings(answer, rows, became)
    names = []
    for row in rows.itertuples():
        named = NAMES.get(str(row.label), str(row.label)).replace("*", "·")
        names.append(named if row.n == rows.n.max() else f"{named} ({row.n})")
    rates.set_yticks(range(len(rows)), names)
    most = rows.n.max()
    rates.set_xlabel(
        "seeds with an error of at most 0.1% of the variance\n"
        f"(of {most}, or of the number beside the name; grey: C)"
    )
    for ax in (rates, became):
        for end in np.cumsum([len(table) for table in groups])[:-1]:
            ax.axhline(end - 0.5, color="0.8", lw=0.5)
        ax.set_ylim(len(rows) - 0.4, -0.6)
    became.tick_params(axis="y", labelleft=False)
    ap.study.draw_keys(figure, rows, shown, columns=3)


def main(
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    figures: Path = HERE,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder whose quick look is drawn with `quick`.
        summaries: the folder of its tables.
        figures: the folder to draw into.
        quick: draw what `--quick` wrote, in results/quick.
    """
    if quick:
        results = summaries = figures = results / "quick"
    answer = ap.study.Answer.load(summaries, CASE)
    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 6.6))
    figure.set_layout_engine("none")  # the places of the panels are given
    a = figure.add_axes((0.19, 0.155, 0.38, 0.81))
    b = figure.add_axes((0.61, 0.155, 0.37, 0.81), sharey=a)
    draw_changes(answer, figure, a, b)
    a.set_title(ap.plot.lettered("a", "Few changes help ten tanh units"))
    b.set_title(ap.plot.lettered("b", "C's failures were mostly still falling"))
    note = "Quick look: few seeds and steps, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "square_remedies", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
