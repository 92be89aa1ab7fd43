"""Why relu networks miss a small error on x²: they are too small, or training does not find it.

Reads square_causes.csv of experiments/summaries, which experiments/square_floors.py writes, and
draws figures/square_causes.{pdf,svg,png}.

Shows: One or two relu units cannot have a mean squared error of 0.001 on x². From three on they
could, and training does not find it for most seeds with three and four units, and finds it for all
with 32. None of these networks is right outside the range.
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
from experiments.square_floors import LEARNED

# kind: what it is called, its colour and the colour of the numbers in its bar; light is good
KINDS = {
    "success": ("right inside and outside", "#FFF7D6", "black"),
    "does not extrapolate": ("right inside only", "#A6D3F0", "black"),
    "did not find": ("could be right, was not found", "#D98B3A", "black"),
    "cannot represent": ("too few units to be right", "#4A4A4A", "white"),
}
NARROWEST = 0.08  # of a bar that holds its number


def shares_of(table: pd.DataFrame) -> pd.DataFrame:
    """The share of each kind, one line for each width.

    Raises:
        ValueError: a kind that has no colour here.
    """
    unknown = set(table.kind) - set(KINDS)
    if unknown:
        raise ValueError(f"square_causes.csv has kinds that the figure does not draw: {unknown}")
    wide = table.pivot_table("rate", "width", "kind", fill_value=0.0)
    return wide.reindex(columns=list(KINDS), fill_value=0.0)


def draw_bars(shares: pd.DataFrame, ax: Axes) -> None:
    """A bar for each width, of the shares of its seeds."""
    places = np.arange(len(shares))
    left = np.zeros(len(shares))
    look: dict[str, Any] = {"height": 0.75, "edgecolor": "white", "linewidth": 0.8}
    for kind, (name, color, ink) in KINDS.items():
        values = shares[kind].to_numpy()
        if not values.any():
            continue
        ax.barh(places, values, left=left, color=color, label=name, **look)
        for place, (share, begin) in enumerate(zip(values, left, strict=True)):
            if share >= NARROWEST:
                middle = begin + share / 2
                ax.text(middle, place, f"{share:.0%}", color=ink, ha="center", va="center")
        left += values
    ap.plot.row_axis(ax, [str(width) for width in shares.index])
    ax.set(xlim=(0, 1), ylabel="relu units in one layer")
    ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")


def draw(summaries: Path) -> Figure:
    """The whole figure, for one column."""
    table = pd.read_csv(summaries / "square_causes.csv")
    figure, ax = plt.subplots(figsize=(3.5, 3.1))
    draw_bars(shares_of(table), ax)
    seeds = int(table.n.max())
    ax.set_xlabel(f"share of {seeds} seeds; right: mean squared error at most {LEARNED:g}")
    ax.set_title("Two units cannot learn x²; a few more may miss it", pad=32)
    key: dict[str, Any] = {"handlelength": 1.0, "handletextpad": 0.4, "columnspacing": 0.8}
    ax.legend(loc="lower left", bbox_to_anchor=(-0.12, 1.0), ncols=2, **key)
    return figure


main = ap.study.table_figure_script("square_causes", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
