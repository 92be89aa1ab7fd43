"""Which randomness decides how well ten tanh units learn x²: rows, initial weights or order.

Reads square_sources.csv of experiments/summaries, which experiments/square_floors.py writes, and
draws figures/square_sources.{pdf,svg,png}.

Shows: With 40 rows drawn at random and batches of eight, which rows were drawn and which weights
training began from make most of the spread of the test loss over seeds. The order of the
batches makes next to none. The rest of the spread belongs to combinations of the three.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap

WORDS = {"init": "initial weights", "data": "rows drawn", "order": "order of batches"}
COLOR = "#0072B2"


def draw_shares(table: pd.DataFrame, ax: Axes) -> None:
    """The share of each source, with its interval."""
    table = table.sort_values("share", ascending=False, ignore_index=True)
    for place, row in table.iterrows():
        ax.barh(place, row.share, 0.6, color=COLOR, alpha=0.45)
        ax.hlines(place, row.low, row.high, color=COLOR, lw=1.5)
        ax.plot(row.share, place, "o", color=COLOR, ms=4, clip_on=False)
    ap.plot.row_axis(ax, [WORDS[source] for source in table.source])
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    ax.set_xlabel(
        f"share of the variance of the log of the test loss\n{table.n.max():,} trainings; "
        "lines: 95% intervals"
    )


def draw(summaries: Path) -> Figure:
    """The whole figure, for one column."""
    table = pd.read_csv(summaries / "square_sources.csv")
    of_one = table[table.source.isin(list(WORDS))]
    figure, ax = plt.subplots(figsize=(3.5, 1.9))
    draw_shares(of_one, ax)
    ax.set_title("Rows and initial weights decide, not the order")
    return figure


main = ap.study.table_figure_script("square_sources", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
