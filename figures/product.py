"""How often small networks multiply, by width, depth and activation.

Reads experiments/summaries/product_rates.csv, which experiments/product.py writes, and draws
figures/product.{pdf,png}.

Shows: Inside the square that they were shown, four tanh units in one layer multiply x by y for 81%
of 128 seeds, eight units for all, and three for none. Eight relu units multiply for 23% of the
seeds, and two layers of eight for 70%. Two units with the activation z² could be exact, and are so
for 54%. Outside the square no tanh and no relu network multiplies, and one layer of z² units still
does.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import tyro
from matplotlib.axes import Axes

import approx as ap
from experiments.product import EXTRAPOLATES, MULTIPLIES, STEPS, SUMMARIES, WIDTHS

FOLDER = Path(__file__).parent
RESULTS = FOLDER.parent / "results"
# Colour, marker and line of each activation, from dark to light
LOOKS = {
    "square": ("black", "s", "-"),
    "tanh": ("#0072B2", "o", "-"),
    "relu": ("#D55E00", "^", "--"),
}


def draw_rates(ax: Axes, rates: pd.DataFrame, depth: int, of: str) -> None:
    """A rate against the width, a line for each activation, with exact 95% intervals."""
    for activation, (color, marker, line) in LOOKS.items():
        here = rates[(rates.depth == depth) & (rates.activation == activation)]
        away = [here[of] - here[f"{of}_low"], here[f"{of}_high"] - here[of]]
        ax.errorbar(
            here.widths,
            here[of],
            away,
            color=color,
            marker=marker,
            markersize=4,
            linestyle=line,
            elinewidth=0.7,
            label=activation,
            clip_on=False,
        )
    ax.set(xscale="log", xlabel="units in each layer")
    ax.set_xticks(WIDTHS, [str(width) for width in WIDTHS])
    ax.minorticks_off()


def main(
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/product.py wrote to.
        summaries: the folder of its tables.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        summaries = figures = results / "quick"
    rates = pd.read_csv(summaries / "product_rates.csv", dtype={"fingerprint": str})
    plt.style.use(ap.plot.STYLE)
    figure, (a, b, c) = plt.subplots(1, 3, figsize=(7.0, 2.8), layout="constrained", sharey=True)
    draw_rates(a, rates, 1, "rate")
    ap.plot.share_axis(a, "seeds that succeed")
    a.set_title(ap.plot.lettered("a", "One layer: tanh needs four"))
    draw_rates(b, rates, 2, "rate")
    b.set_title(ap.plot.lettered("b", "Two layers: relu is better at eight"))
    draw_rates(c, rates, 1, "outside")
    c.set_title(ap.plot.lettered("c", "Outside, one layer: squares only"))
    c.legend(frameon=False, loc="center right")
    figure.suptitle(
        "Four smooth units learn x y, relu needs more, and only square units know it elsewhere"
    )
    figure.supxlabel(
        f"success: mean squared error at most {MULTIPLIES:g} inside the box, {EXTRAPOLATES:g} "
        "between it and one twice as wide\n"
        f"{rates.n[0]} seeds of each network; {STEPS:,} steps of Adam; bars: 95% intervals",
        size=7,
    )
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "product", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
