"""What small networks make of two periods of a sine inside and outside their range.

Reads sine_{functions,rows}.csv of experiments/summaries, which experiments/sine.py writes, and
draws figures/sine.{pdf,svg,png}.

Shows: Nearly all networks learn two periods of a sine inside the range that they are shown. Outside
it only the network that is linear in the sines and cosines of the range's own frequencies goes on:
tanh leaves the sine, snake fades, and sines as activations (SIREN) oscillate as chance has it.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments.sine import CASE, GOES_ON, LEARNED, clean

TITLES = {  # 32-32 units each; the last is linear in sines and cosines
    "tanh": "tanh leaves the sine",
    "snake": "snake oscillates, and fades",
    "SIREN": "SIREN oscillates by chance",
    "harmonics": "sines of the range go on",
}
QUANTILES = ["q05", "q25", "q50", "q75", "q95"]
TICKS = {-6: "−6π", -2: "−2π", 2: "2π", 6: "6π"}


def draw_functions(functions: pd.DataFrame, ax: Axes) -> None:
    """The functions of one network: bands of the seeds, two of them, and the target."""
    x = functions.x.to_numpy()
    shown = x[functions.is_shown]
    ax.axvspan(shown.min(), shown.max(), color="0.92", lw=0, zorder=0)
    ap.plot.bands(ax, x, functions[QUANTILES].to_numpy().T)
    for seed in (0, 1):
        ax.plot(x, functions[f"seed {seed}"], color="0.35", lw=0.6)
    ax.plot(x, functions.target, color="black", lw=1, ls=(0, (3, 2)))
    ax.set(xlim=(x[0], x[-1]), ylim=(-3.2, 3.2))
    ax.set_xticks([np.pi * number for number in TICKS], list(TICKS.values()))


def draw(summaries: Path) -> Figure:
    """The whole figure."""
    answer = ap.study.Answer.load(summaries, CASE)
    functions = pd.read_csv(summaries / f"{CASE}_functions.csv")
    figure, panels = plt.subplots(1, 4, figsize=(7.0, 2.4), sharex=True, sharey=True)
    for letter, ax, (network, title) in zip("abcd", panels, TITLES.items(), strict=True):
        here = functions[functions.label == clean(network)]
        if here.empty:
            continue
        draw_functions(here, ax)
        rates = answer.rows[answer.rows.label == clean(network)].set_index("measure").rate
        ax.set_xlabel(f"right inside: {rates.inside:.0%}\nright outside: {rates.outside:.0%}")
        ax.set_title(ap.plot.lettered(letter, title), size=7.5)
    panels[0].set_ylabel("output")
    figure.supxlabel(
        f"grey: the range shown; dashed: sin x; bands: 5-95% and 25-75% of {functions.n.max()} "
        f"seeds; thin: two seeds\nright: mean squared error of at most {LEARNED:g} inside, "
        f"{GOES_ON:g} outside, up to ±6π",
        size=7,
    )
    return figure


main = ap.study.table_figure_script("sine", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
