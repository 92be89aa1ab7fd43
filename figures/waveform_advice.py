"""Which advice lets Adam tell 64 levels of a flat signal apart.

Reads waveform_rows.csv of experiments/summaries, which experiments/waveform.py writes, and draws
figures/waveform_advice.{pdf,svg,png}.

Shows: Of all that the answers advise only Gaussian units raise success at 64 levels: with them all
32 seeds are right for at least 99% of fresh rows, with sigmoids three are. Rows drawn at random
lower it: no seed is then even within one level of right.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments import waveform

CLASSES, OPTIMIZER = 64, "Adam"
# What counts: name, colour, mark, and how far above its row's place it is drawn
MEASURES = {
    "learned": ("the right level", "#0072B2", "o", -0.16),
    "within one class": ("right or one level off", "#E69F00", "^", 0.16),
}
WORDS = {  # the rows, by advice
    "": "as asked: sigmoids, raw rows",
    "Gaussian": "Gaussian units",
    "225 numbers": "rows of 225 numbers, not 200",
    "normalised": "inputs (x − 0.5) / 0.289",
    "one layer": "one hidden layer of 8 × 64 units",
    "even levels": "levels spread over [0, 1]",
    "random rows": "rows drawn at random",
}


def rates_of(answer: ap.study.Answer, measure: str) -> pd.DataFrame:
    """The rates of one measure in the order of the figure's rows; nan where there is none."""
    labels = [waveform.name(CLASSES, OPTIMIZER, advice) for advice in WORDS]
    rows = answer.rows[answer.rows.measure == measure].set_index("label")
    return rows.reindex(labels)


def draw_rates(answer: ap.study.Answer, ax: Axes) -> None:
    """The rate of both measures for each advice, with its interval."""
    for measure, (name, color, mark, shift) in MEASURES.items():
        rates = rates_of(answer, measure)
        for place, (_, row) in enumerate(rates.iterrows()):
            ax.hlines(place + shift, row.low, row.high, color=color, lw=1.5)
        heights = [place + shift for place in range(len(rates))]
        ax.plot(rates.rate, heights, mark, color=color, ms=5, label=name, clip_on=False)
    ap.plot.row_axis(ax, list(WORDS.values()))
    ax.set_xlim(-0.02, 1.02)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])


def draw(summaries: Path) -> Figure:
    """The whole figure."""
    answer = ap.study.Answer.load(summaries, waveform.CASE)
    figure, ax = plt.subplots(figsize=(5.0, 2.7))
    draw_rates(answer, ax)
    seeds = answer.main_rows.set_index("label").n[waveform.name(CLASSES, OPTIMIZER)]
    share = f"{waveform.LEARNED:.0%}"
    ax.set_xlabel(
        f"share of {seeds} seeds for which this holds of {share} of fresh\nrows, with 95% intervals"
    )
    ax.set_title("Adam, 64 levels: of all advice only Gaussian units help")
    ax.legend(loc="center", bbox_to_anchor=(0.62, 0.36), handletextpad=0.2)
    return figure


main = ap.study.table_figure_script("waveform_advice", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
