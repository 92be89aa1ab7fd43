"""The figure of the waveform: who learns 32, 64 and 256 levels, and which advice helps Adam.

Reads results/waveform/ and experiments/summaries/waveform_*, which experiments/waveform.py writes,
and draws figures/waveform.pdf and .png.

Shows: Which optimiser learns how many classes of waveforms ("the class of x/256 is x") after how
many epochs, and how often Adam learns 64 classes with each advice. Of the advice Gaussian units
alone raise success.
"""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import tyro
import xarray as xr
from matplotlib.axes import Axes

import approx as ap
from experiments import waveform
from experiments.waveform import CASE, RESULTS, SUMMARIES

FOLDER = Path(__file__).parent
STYLES: dict[str, dict[str, Any]] = {
    "SGD": {"color": "#009E73", "linestyle": ":"},
    "Adam": {"color": "#0072B2", "linestyle": "-"},
    "RMSprop": {"color": "#D55E00", "linestyle": "--"},
}
MEASURES: dict[str, dict[str, Any]] = {
    "learned": {"color": "#0072B2", "marker": "o", "label": "the right class"},
    "within one class": {"color": "#56B4E9", "marker": "^", "label": "at most one class off"},
}
WORDS = {  # the rows of the last panel
    "": "as the thread has it",
    "normalised": "(x − 0.5) / 0.289",
    "one layer": "one layer of 8K units",
    "Gaussian": "Gaussian units",
    "random rows": "rows at random",
    "even levels": "levels over [0, 1]",
    "225 numbers": "rows of 225 numbers",
}
TITLES = {
    32: "32 classes: not by SGD",
    64: "64 classes: Adam nearly",
    256: "256: RMSprop as reported",
}


def draw_accuracy(ax: Axes, classes: int, runs: Mapping[str, xr.Dataset]) -> None:
    """Accuracy of the optimisers on fresh rows over epochs: median and 5 to 95% of the seeds."""
    ends, steps, n = [], np.arange(2), 0
    for optimizer, style in STYLES.items():
        one = runs.get(waveform.name(classes, optimizer))
        if one is None:
            continue
        found = ap.stats.quantiles(one, of="test_accuracy", q=(0.05, 0.5, 0.95)).test_accuracy
        low, middle, high = found.transpose("quantile", "step").values
        ax.fill_between(one.step, low, high, color=style["color"], alpha=0.25, linewidth=0)
        ax.plot(one.step, middle, **style)
        ends.append((middle, optimizer, style["color"]))
        steps, n = one.step.values, one.sizes["seed"]
    ap.plot.step_axis(ax, steps)
    ap.plot.share_axis(ax, "")
    ap.plot.corner(ax, n, "upper left")
    ax.set_xlabel("epochs")
    for level in (waveform.LEARNED, 1 / classes):
        ax.axhline(level, color="0.5", linewidth=0.6, linestyle=":", zorder=0)
    if classes == max(waveform.CLASSES):
        mark_reported(ax)
    ap.plot.label_ends(ax, ends)


def mark_reported(ax: Axes) -> None:
    """The accuracy that the thread reports of 256 classes."""
    _, _, least, most = waveform.REPORTED[1]
    middle, half = (least + most) / 2, (most - least) / 2
    ax.errorbar(waveform.ASKED, middle, half, color="black", capsize=2, linewidth=1.5, zorder=5)
    arrow: dict[str, Any] = {"arrowstyle": "-", "linewidth": 0.6, "color": "0.3"}
    ax.annotate("the thread's", (waveform.ASKED, middle), (2, 0.3), arrowprops=arrow, size=6.5)


def draw_advice(ax: Axes, answer: ap.study.Answer) -> None:
    """How often Adam learns 64 classes with each advice, exactly and within one class."""
    labels = {waveform.name(64, "Adam", advice): words for advice, words in WORDS.items()}
    rows = answer.rows[answer.rows.label.isin(list(labels))]
    table = rows.set_index(["label", "measure"])[["rate", "low", "high"]].to_xarray()
    there = [label for label in labels if label in table.label]
    table = table.sel(label=there, measure=list(MEASURES))
    table = table.assign_coords(label=[labels[label] for label in there])
    ap.plot.forest(table, "rate", ax, by="measure", styles=MEASURES)
    share = f"{waveform.LEARNED:.0%}"
    says = f"seeds that get {share} of fresh rows so, of {rows.n.max()} (95% intervals)"
    ax.set(xlim=(-0.03, 1.03), xlabel=says)
    ax.set_xticks(np.linspace(0, 1, 5), [f"{share}%" for share in range(0, 101, 25)])


def main(
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/waveform.py wrote its results to.
        summaries: the folder that it wrote its tables to.
        figures: the folder to draw into.
        quick: draw the quick look, in results/quick.
    """
    note = ""
    if quick:
        results = summaries = figures = results / "quick"
        note = "Quick look: few seeds, epochs and rows; not the experiment"
    answer = ap.study.Answer.load(summaries, CASE, runs=results / CASE)
    literal = [waveform.name(*pair) for pair in itertools.product(waveform.CLASSES, STYLES)]
    there = set(answer.rows.label)
    runs = {label: answer.runs(label) for label in literal if label in there}

    plt.style.use(ap.plot.STYLE)
    figure, panels = plt.subplot_mosaic("abc;ddd", figsize=(7.0, 4.4), height_ratios=(1, 1.15))
    for letter, classes in zip("abc", waveform.CLASSES, strict=True):
        draw_accuracy(panels[letter], classes, runs)
        panels[letter].set_title(ap.plot.lettered(letter, TITLES[classes]), loc="left")
        panels[letter].tick_params(labelleft=letter == "a")
    panels["a"].set_ylabel("accuracy on fresh rows")
    draw_advice(panels["d"], answer)
    title = ap.plot.lettered("d", "64 classes, Adam: Gaussian units help")
    panels["d"].set_title(title, loc="left", pad=15)  # above the legend
    figure.suptitle(
        "Levels of a flat signal are told apart by Adam and RMSprop, slowly; by SGD never", size=8
    )
    print(*ap.plot.save(figure, figures, CASE, note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
