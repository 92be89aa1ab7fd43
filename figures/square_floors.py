"""How far from the best possible networks on x² training ends, by their width.

Reads square_{floors,exponents}.csv of experiments/summaries, which experiments/square_floors.py
writes, and draws figures/square_floors.{pdf,svg,png}.

Shows: The least error that a relu network can have on x² falls about as width^-4; the errors that
its seeds end with, the best of 256 among them, fall as width^-2.7 to width^-2.8. So the wider the
network beyond four units, the further its training ends above what it could be.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap

# column: name, colour, mark and line
SERIES: dict[str, tuple[str, str, str]] = {
    "median": ("median of the seeds", "#0072B2", "o-"),
    "best": ("best of the seeds", "#D55E00", "s--"),
    "bound": ("no network can\nbe lower", "#333333", ":"),
}


def draw_errors(floors: pd.DataFrame, exponents: pd.DataFrame, ax: Axes) -> None:
    """Median, best and least possible error against the width, each with its name at its end."""
    powers = exponents.set_index("statistic").exponent
    ends: list[Any] = []
    for column, (name, color, mark) in SERIES.items():
        ax.plot(floors.width, floors[column], mark, color=color, ms=4)
        if column in powers:
            name += f":\nas width$^{{{powers[column]:.1f}}}$"
        ends.append((floors[column].to_numpy(), name, color))
    ax.set(xscale="log", yscale="log", ylabel="mean squared error inside the range")
    ax.set_xlabel(f"relu units in one layer ({floors.seeds.max()} seeds each)")
    ticks = [width for width in (1, 2, 4, 8, 16, 32) if width <= floors.width.max()]
    ax.set_xticks(ticks, [str(width) for width in ticks])
    ax.minorticks_off()
    ap.plot.label_ends(ax, ends)


def draw(summaries: Path) -> Figure:
    """The whole figure, for one column."""
    floors = pd.read_csv(summaries / "square_floors.csv")
    exponents = pd.read_csv(summaries / "square_exponents.csv")
    figure, ax = plt.subplots(figsize=(3.5, 2.6))
    draw_errors(floors, exponents, ax)
    ax.set_title("Wider networks end further above the least error")
    return figure


main = ap.study.table_figure_script("square_floors", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
