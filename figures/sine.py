"""What small networks make of two periods of a sine inside and outside their range.

Reads results/sine/ and experiments/summaries/sine_*, which experiments/sine.py writes, and draws
figures/sine.{pdf,png}.

Shows: All six networks of this figure learn two periods of a sine inside the range that they are
shown, for 99 to 100% of 512 seeds. Outside it only one goes on with the sine: the one whose inputs
are sines and cosines of the range's own frequencies. The others do not, not even with restarts, nor
if a shift in phase is not counted as an error.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import tyro
from matplotlib.axes import Axes

import approx as ap
from experiments.sine import CASE, GOES_ON, LEARNED, RESULTS, SUMMARIES, clean

FOLDER = Path(__file__).parent
SHOWN = {  # 32-32 units each; the last two are linear in sines and cosines
    "tanh": "tanh: goes off",
    "relu": "relu: goes off along lines",
    "snake": "snake: oscillates, and fades",
    "SIREN": "sines (SIREN): oscillate at random",
    "random": "random frequencies: at random",
    "harmonics": "harmonics of the range: exact",
}
TICKS = {-6: "−6π", -2: "−2π", 0: "0", 2: "2π", 6: "6π"}


def draw_curves(answer: ap.study.Answer, network: str, ax: Axes) -> None:
    """The learned functions of one network, and how many seeds are right."""
    ap.plot.fan(answer.runs(clean(network)), ax, singles=2, names=False)
    ax.set(ylim=(-3.2, 3.2), xlabel="", ylabel="")
    ax.set_xticks([np.pi * number for number in TICKS], list(TICKS.values()))
    rates = answer.rows[answer.rows.label == clean(network)].set_index("measure").rate
    right = f"{rates.inside:.0%} right inside, {rates.outside:.0%} outside"
    ax.text(0.5, 0.03, right, transform=ax.transAxes, size=6.5, ha="center", va="bottom")


def main(
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/sine.py wrote to.
        summaries: the folder of its tables.
        figures: the folder to draw into.
        quick: draw what `--quick` wrote, in results/quick.
    """
    if quick:
        results = summaries = figures = results / "quick"
    answer = ap.study.Answer.load(summaries, CASE, runs=results / CASE)
    trained = set(answer.rows.label)
    plt.style.use(ap.plot.STYLE)
    figure, axes = plt.subplots(2, 3, figsize=(7.0, 3.8), sharex=True, sharey=True)
    for letter, ax, network in zip("abcdef", axes.flat, SHOWN, strict=True):
        if clean(network) in trained:
            draw_curves(answer, network, ax)
        ax.set_title(ap.plot.lettered(letter, SHOWN[network]))
    for ax in axes[:, 0]:
        ax.set_ylabel("f(x)")
    figure.supxlabel(
        f"x; bands: 5-95% and 25-75% of {answer.facts['seeds']} seeds; thin: two seeds; dashed: "
        f"sin x\nright: mean squared error at most {LEARNED:g} inside, {GOES_ON:g} outside",
        size=7,
    )
    note = "Quick look: few seeds and steps, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, CASE, note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
