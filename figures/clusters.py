"""The accuracy of 0.6 at which a numpy network was said to be stuck is that of its dropout.

Reads clusters_{curves,reported}.csv of experiments/summaries, which experiments/clusters.py writes,
and draws figures/clusters.{pdf,svg,png}.

Shows: The program counts its training accuracy while dropout takes half of its units away, and
prints about 0.6. The same networks are right for about 0.8 of the same rows once dropout is off for
counting, and for about as many test rows.
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

# The accuracies that are drawn: how they are named at their lines, colour and line
ACCURACIES: dict[str, tuple[str, str, Any]] = {
    "accuracy": ("dropout off", "#0072B2", "-"),
    "batch_accuracy": ("dropout on,\nas printed", "#C65A11", (0, (4, 1.5))),
}
QUANTILES = ["q05", "q25", "q50", "q75", "q95"]
PRINTED: dict[str, Any] = {"color": "black", "marker": "x", "ls": "", "ms": 4.5, "mew": 1.2}


def draw_curves(curves: pd.DataFrame, ax: Axes) -> None:
    """The accuracy on the training rows over passes, with dropout and without."""
    ends: list[Any] = []
    for of, (name, color, line) in ACCURACIES.items():
        here = curves[(curves.of == of) & (curves.passes > 0)]
        ap.plot.bands(ax, here.passes.to_numpy(), here[QUANTILES].to_numpy().T, color)
        ax.lines[-1].set_linestyle(line)
        ends.append((here.q50.to_numpy(), name, color))
    ax.set(xscale="log", xlim=(1, curves.passes.max()), ylim=(0.48, 0.9))
    ax.xaxis.set_major_formatter("{x:g}")
    seeds = curves.n.max()
    band = f"{seeds} seeds: their median, and the middle half and 90% of them"
    ax.set_xlabel(f"passes over the training rows\n{band}")
    ax.set_ylabel("share of training rows\nthat are right")
    mark_printed(ax)
    ap.plot.label_ends(ax, ends)


def mark_printed(ax: Axes) -> None:
    """Crosses at the training accuracies that the program printed."""
    printed = [one for one in clusters.PRINTED if one.of == "batch_accuracy" and one.step]
    passes = [(one.step or 0) / clusters.ROWS for one in printed]
    values = [one.value for one in printed]
    ax.plot(passes, values, **PRINTED, clip_on=False, zorder=5)
    where, height = passes[0], values[0]
    says = "crosses: what the program printed"
    ax.annotate(says, (where, height), (6, -3), textcoords="offset points", va="top", size=7)


def draw(summaries: Path) -> Figure:
    """The whole figure, for one column."""
    curves = pd.read_csv(summaries / f"{clusters.CASE}_curves.csv")
    figure, ax = plt.subplots(figsize=(3.5, 2.5))
    draw_curves(curves, ax)
    ax.set_title("Not stuck at 0.6: with dropout off, 0.8")
    return figure


main = ap.study.table_figure_script("clusters", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
