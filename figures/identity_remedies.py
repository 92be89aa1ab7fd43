"""What lets a linear autoencoder learn the identity: scaled rows, and with SGD a scaled loss too.

Reads the table experiments/summaries/identity_rows.csv, which experiments/identity.py writes, and
draws figures/identity_remedies.{pdf,svg,png}.

Shows: With Adam all of 88 seeds learn the identity once the rows are standardised, whatever the
loss. With SGD they also need the loss in standardised units; scaling one of the two leaves 0 of 88,
and a scaled loss on raw rows diverges. Success: an R² of at least 0.99 on 400 further rows.
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
from experiments import identity as case
from experiments.identity import ADAM, FEATURE, RAW, RAW_LOSS, SAMPLE, SCALED_LOSS, SGD

OPTIMIZERS = {SGD: "SGD 0.01", ADAM: "Adam 0.001"}
NAMES = {
    (RAW, RAW_LOSS): "nothing scaled",
    (RAW, SCALED_LOSS): "loss scaled",
    (SAMPLE, RAW_LOSS): "each row scaled",
    (SAMPLE, SCALED_LOSS): "each row and loss scaled",
    (FEATURE, RAW_LOSS): "each column scaled",
    (FEATURE, SCALED_LOSS): "each column and loss scaled",
}
LIMITS = (3e-5, 2e3)
SUCCESS, FAILURE = "#56B4E9", "#333333"  # light is good


def draw_row(ax: Axes, y: float, row: Any) -> None:
    """One row's 1 - R², 5 to 95% of its seeds, and how many of them succeed."""
    color = SUCCESS if row.successes == row.n else FAILURE
    if np.isfinite(row["median"]):
        ax.plot((row.q05, row.q95), (y, y), color=color, linewidth=1.6, zorder=2)
        ax.plot(row["median"], y, "o", color=color, markersize=5, markeredgecolor="0.15")
    else:
        ax.plot(LIMITS[1] / 2, y, ">", color=color, markersize=5)
        ax.text(LIMITS[1] / 4, y, "diverged", ha="right", va="center", size=7)
    beside = ax.get_yaxis_transform()
    ax.text(1.04, y, f"{row.successes} of {row.n}", transform=beside, va="center", size=7)


def draw_factorial(ax: Axes, rows: pd.DataFrame) -> None:
    """All combinations of the factors, those of one optimiser below its name."""
    heights, names, y = [], [], 0.0
    beside = ax.get_yaxis_transform()
    heading: dict[str, Any] = {"transform": beside, "weight": "bold", "ha": "right", "va": "center"}
    for optimizer, its_name in OPTIMIZERS.items():
        ax.text(-0.02, y, its_name, **heading)
        for (kind, loss), name in NAMES.items():
            label = case.cell(kind, loss, optimizer)
            if label in rows.index:
                y += 1
                draw_row(ax, y, rows.loc[label])
                heights.append(y)
                names.append(name)
        y += 1.3
    ax.axvspan(LIMITS[0], 1 - case.LEARNED, color="#E5F3FC", linewidth=0, zorder=0)
    ax.axvline(1, color="0.6", linewidth=0.7, linestyle=":", zorder=0)
    ax.set_yticks(heights, names)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(y - 0.6, -0.6)
    ax.set(xscale="log", xlim=LIMITS)
    ax.set_xlabel("1 − R² on 400 new rows")
    ax.set_xticks((1e-4, 1e-2, 1, 1e2))
    ax.minorticks_off()
    ax.text(1.04, 0, "learned", transform=beside, va="center", size=7)


def draw(summaries: Path) -> Figure:
    """The whole figure, for one column."""
    answer = ap.study.Answer.load(summaries, case.CASE)
    rows = answer.main_rows.set_index("label")
    figure, ax = plt.subplots(figsize=(3.5, 3.6))
    draw_factorial(ax, rows)
    title = "Scaled rows let Adam learn the identity;\nSGD needs the loss scaled too"
    figure.suptitle(title, size=8, x=0.02, ha="left")
    asked = rows.loc[case.BASELINE]
    n, most = asked.n, asked.high
    figure.supxlabel(
        f"after {int(asked.steps):,} updates; dots: median; bars: 5 to 95%\n"
        f"blue: learned, 1 − R² of at most {1 - case.LEARNED:.2f}; dotted: the mean alone\n"
        f"0 of {n}: at most {most:.0%}; {n} of {n}: at least {1 - most:.0%} (95% intervals)",
        size=7,
    )
    return figure


main = ap.study.table_figure_script("identity_remedies", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
