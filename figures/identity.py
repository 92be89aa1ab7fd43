"""A linear autoencoder's tiny error hides that it has learned nothing but the means.

Reads the table experiments/summaries/identity_examples.csv, which experiments/identity.py writes,
and draws figures/identity.{pdf,svg,png}.

Shows: A linear network of 84 columns onto themselves has an error of 3 × 10⁻⁶ and has learned
nothing: its R² is -0.99, because the columns hardly vary. From weights of 0 it learns the means
alone. On numbers that vary, in [0, 1), an error of 5 × 10⁻³ goes with an R² of 0.94. With the rows
and the loss standardised the first data set is learned. Success: an R² of at least 0.99 on 400
further rows.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments import identity as case

NAMES = {
    "A": "as asked: SGD 0.01,\nraw rows",
    "weights at 0": "as a, but from\nweights of 0",
    "B": "100 epochs on\nnumbers in [0, 1)",
    "A, per sample, loss too": "as a, each row and\nthe loss standardised",
}
LIMIT = 4.3


def draw_example(ax: Axes, columns: pd.DataFrame) -> None:
    """The columns of one further row: what goes into the network, and what comes out."""
    first = columns.iloc[0]
    is_success = first.r_squared >= case.LEARNED
    ends = (-LIMIT, LIMIT)
    ax.plot(ends, ends, color="0.5", linewidth=0.8, linestyle=(0, (4, 2)), zorder=0)
    ax.plot(columns.input, columns.output, "o", color="0.15", markersize=2.4, markeredgewidth=0)
    ax.set(xlim=ends, xticks=(-4, -2, 0, 2, 4), ylim=(-LIMIT, LIMIT + 3.2))
    ax.set_yticks((-4, -2, 0, 2, 4))
    verdict = "success" if is_success else "no success"
    if is_success:
        ax.set_facecolor("#E5F3FC")
    r_squared = f"{first.r_squared:.2f}".replace("-", "−")
    says = f"error {case.power(first.error)}\nR² {r_squared}: {verdict}"
    ax.text(0.03, 0.98, says, transform=ax.transAxes, va="top", size=7.5)


def draw(summaries: Path) -> Figure:
    """The whole figure, for two columns."""
    table = pd.read_csv(summaries / f"{case.CASE}_examples.csv")
    figure, axes = plt.subplots(1, len(NAMES), figsize=(7.0, 2.75), sharey=True)
    for letter, ax, (label, name) in zip("abcd", axes, NAMES.items(), strict=True):
        draw_example(ax, table[table.label == label])
        ax.set_title(ap.plot.lettered(letter, name))
    axes[0].set_ylabel("output")
    figure.suptitle("A tiny error hides that nothing was learned: look at R²", size=9)
    columns = np.unique(table.column).size
    figure.supxlabel(
        f"input: {columns} columns of one new row, in standard deviations from the mean, as the "
        "output; dashed: the identity\n"
        f"success (blue): an R² of at least {case.LEARNED} on 400 new rows",
        size=7.5,
    )
    return figure


main = ap.study.table_figure_script("identity", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
