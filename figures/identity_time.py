"""How long a linear autoencoder takes to learn the identity by SGD: a closed form's answer.

Reads the tables experiments/summaries/identity_{curves,closed_forms}.csv, which
experiments/identity.py writes, and draws figures/identity_time.{pdf,svg,png}.

Shows: Plain SGD at 0.01 would learn the identity on the question's raw rows after 7 × 10⁹ updates,
says a closed form that the measured errors follow; the question made 121,920. At a rate of 0.4,
half of the largest stable one, it would still need 2 × 10⁸. With each row and the loss standardised
1 × 10⁴ updates do. Success: an R² of at least 0.99 on 400 further rows.
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
from experiments.identity import SAMPLE, SCALED_LOSS, SGD, cell

STANDARDISED = cell(SAMPLE, SCALED_LOSS, SGD)
# Row: its name, colour, line, mark, and where the name stands. The greys differ
LOOKS: dict[str, tuple[str, str, Any, str, tuple[float, float]]] = {
    "A": ("as asked", "#7A1F00", "-", "o", (1.5e8, 3.2)),
    "rate 0.4": ("rate 0.4", "#C2549D", (0, (4, 1.5)), "s", (7e5, 0.5)),
    "B": ("numbers\nin [0, 1)", "#0072B2", (0, (1, 1.2)), "D", (2.2e5, 0.05)),
    STANDARDISED: ("rows and\nloss scaled", "#2FA67C", (0, (4, 1.2, 1, 1.2)), "^", (20, 0.06)),
}
FIRST, LAST = 10, 1e11  # updates
LOWEST, HIGHEST = 1e-3, 10.0


def updates_needed(form: pd.DataFrame) -> float:
    """After how many updates a closed form first is a success.

    They are infinitely many where the table has no success. Between two points of the table its
    logarithm is taken as linear in the updates, as that of its slowest mode is.
    """
    later = int(np.argmax(form.unexplained <= 1 - case.LEARNED))
    if later == 0:
        return np.inf
    between = form.iloc[later - 1 : later + 1]
    falling = -np.log(between.unexplained)
    return float(np.interp(-np.log(1 - case.LEARNED), falling, between.updates))


def draw_row(ax: Axes, label: str, form: pd.DataFrame, measured: pd.DataFrame) -> None:
    """A closed form as a line, and what was measured as marks with 5 to 95% of the seeds."""
    name, color, line, mark, place = LOOKS[label]
    ax.plot(form.updates, form.unexplained, color=color, linestyle=line)
    later = measured[measured.updates >= FIRST]
    ax.vlines(later.updates, later.low, later.high, color=color, linewidth=1)
    ax.plot(later.updates, later["median"], mark, color=color, markersize=3.5, mec="white", mew=0.4)
    ax.text(*place, name, color=color, va="center")


def name_end(ax: Axes, measured: pd.DataFrame) -> None:
    """Say where the question's own training ends."""
    if len(measured):
        last = measured.iloc[-1]
        arrow = {"arrowstyle": "-", "linewidth": 0.6, "color": "0.3", "shrinkB": 2}
        ax.annotate(
            "the question's end",
            (last.updates, last["median"]),
            (last.updates, 5.0),
            ha="center",
            size=7,
            color="0.2",
            arrowprops=arrow,
        )


def draw(summaries: Path) -> Figure:
    """The whole figure, for one column."""
    forms = pd.read_csv(summaries / f"{case.CASE}_closed_forms.csv")
    curves = pd.read_csv(summaries / f"{case.CASE}_curves.csv")
    figure, ax = plt.subplots(figsize=(3.5, 3.2))
    for label in LOOKS:
        if (forms.label == label).any():
            draw_row(ax, label, forms[forms.label == label], curves[curves.label == label])
    success = 1 - case.LEARNED
    ax.axhspan(LOWEST, success, color="#E5F3FC", linewidth=0, zorder=0)
    ax.text(1e7, success / 3, "success", ha="center", va="center")
    ax.axhline(1, color="0.6", linewidth=0.7, linestyle=":", zorder=0)
    ax.set(xscale="log", xlim=(FIRST, LAST), yscale="log", ylim=(LOWEST, HIGHEST))
    ax.set_xticks(10.0 ** np.arange(1, 12, 2))
    ax.minorticks_off()
    ax.set_xlabel("updates")
    ax.set_ylabel("1 − R² on 400 new rows")
    name_end(ax, curves[curves.label == "A"])
    needed, scaled = (updates_needed(forms[forms.label == label]) for label in ("A", STANDARDISED))
    as_asked = f"SGD 0.01 needs {case.power(needed)} updates as asked,"
    ax.set_title(f"{as_asked}\n{case.power(scaled)} with rows and loss scaled")
    figure.supxlabel(
        f"success: 1 − R² of at most {success:.2f}; dotted: the mean alone\n"
        "lines: closed form; marks: measured, 5 to 95% of the seeds",
        size=7,
    )
    return figure


main = ap.study.table_figure_script("identity_time", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
