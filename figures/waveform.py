"""Levels of a flat signal are told apart by Adam and RMSprop, slowly, and hardly by SGD.

Reads waveform_{curves,rows}.csv of experiments/summaries, which experiments/waveform.py writes, and
draws figures/waveform.{pdf,svg,png}.

Shows: Networks learn which of 32, 64 or 256 levels a flat signal of 200 numbers has ("the class of
x/256 is x"). Within 3,000 epochs the median network of Keras' Adam is right for nearly all fresh
rows of 32 and 64 levels, while SGD at its default rate stays at about twice chance. RMSprop's
networks with 256 levels end at the accuracy of 0.07 to 0.1 that the question reports.
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
from experiments import waveform

STYLES: dict[str, dict[str, Any]] = {
    "SGD": {"color": "#333333", "linestyle": ":", "marker": "s"},
    "Adam": {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    "RMSprop": {"color": "#D55E00", "linestyle": "--", "marker": "^"},
}
SHIFT = 0.18  # of the optimisers from each other
DOTTED: dict[str, Any] = {"color": "0.6", "lw": 0.8, "ls": (0, (1, 2)), "zorder": 0}


def draw_curves(curves: pd.DataFrame, ax: Axes) -> None:
    """Accuracy of the optimisers on fresh rows over epochs: median and 5 to 95% of the seeds."""
    ends = []
    for optimizer, style in STYLES.items():
        here = curves[curves.label == waveform.name(waveform.DRAWN, optimizer)]
        ax.fill_between(here.epochs, here.q05, here.q95, color=style["color"], alpha=0.25, lw=0)
        ax.plot(here.epochs, here.q50, style["linestyle"], color=style["color"])
        ends.append((here.q50.to_numpy(), optimizer, style["color"]))
    ap.plot.step_axis(ax, curves.epochs.sort_values().to_numpy())
    ap.plot.share_axis(ax, "fresh rows that are right")
    ax.set_xlabel("epochs; lines: median, bands and bars: 5 to 95% of the seeds")
    ax.axhline(waveform.LEARNED, **DOTTED)
    ax.text(1, waveform.LEARNED - 0.02, f"success: {waveform.LEARNED:.0%}", va="top")
    ap.plot.label_ends(ax, ends)


def draw_ends(rows: pd.DataFrame, ax: Axes) -> None:
    """Accuracy at the end against the number of levels: median and 5 to 95% of the seeds."""
    places = np.arange(len(waveform.CLASSES))
    for number, (optimizer, style) in enumerate(STYLES.items()):
        labels = [waveform.name(classes, optimizer) for classes in waveform.CLASSES]
        here = rows.reindex(labels)
        x = places + SHIFT * (number - 1)
        ax.vlines(x, here.q05, here.q95, color=style["color"], lw=1.5)
        ax.plot(
            x,
            here["median"],
            style["marker"],
            color=style["color"],
            ms=5,
            label=optimizer,
            clip_on=False,
        )
    mark_reported(ax, places[-1])
    ap.plot.share_axis(ax, "")
    ax.set_xticks(places, [f"{classes}" for classes in waveform.CLASSES])
    ax.set(xlim=(-0.5, places[-1] + 0.9), xlabel="levels (32 seeds each; 256: 16 seeds)")
    ax.legend(loc="center left", bbox_to_anchor=(0.0, 0.45), handletextpad=0.2)


def mark_reported(ax: Axes, place: float) -> None:
    """The range of accuracies that the question reports of 256 levels."""
    _, _, least, most = waveform.REPORTED[1]
    right = place + 2 * SHIFT
    bracket: dict[str, Any] = {"color": "black", "capsize": 2.5, "lw": 1}
    ax.errorbar(right, (least + most) / 2, (most - least) / 2, **bracket)
    says = f"the question:\n{100 * least:.0f} to {100 * most:.0f}%"
    ax.annotate(says, (right, most), (0, 6), textcoords="offset points", ha="center")


def draw(summaries: Path) -> Figure:
    """The whole figure."""
    curves = pd.read_csv(summaries / f"{waveform.CASE}_curves.csv")
    answer = ap.study.Answer.load(summaries, waveform.CASE)
    rows = answer.rows[answer.rows.measure == "learned"].set_index("label")
    figure, (a, b) = plt.subplots(1, 2, figsize=(7.0, 2.7), width_ratios=(1.15, 1))
    draw_curves(curves, a)
    a.set_title(ap.plot.lettered("a", f"{waveform.DRAWN} levels, {curves.n.max()} seeds"))
    draw_ends(rows, b)
    epochs = int(rows.steps.max())
    b.set_title(ap.plot.lettered("b", f"After {epochs:,} epochs"))
    figure.suptitle(
        "Telling levels of a flat signal apart: Adam and RMSprop leave chance after about a "
        "hundred epochs, SGD hardly",
        size=8,
    )
    return figure


main = ap.study.table_figure_script("waveform", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
