"""The maps of the identity.

Reads what experiments/map_identity.py writes, results/map_identity_{sgd,adam}.nc, and draws
figures/map_identity.{pdf,png}.

Shows: With a spread of a thousandth, the thread's, no learning rate of SGD or Adam learns the
identity in ten epochs. SGD needs a spread of at least a half and a rate that falls as one over its
square, Adam one of a fifth and rates about 0.01.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

import approx as ap
from experiments.map_identity import MAPS

RIM = [withStroke(linewidth=2.5, foreground="black")]  # to be seen on any colour, and in grey
THREADS = (0.0012380764, 0.01)  # the thread's spread and learning rate
SHOWN: dict[str, Any] = {
    "label": "median 1 - R²",
    "limits": (1e-4, 1e4),
    "log": True,
    "infinite": "diverged",
}


def draw_row(
    results: Path, name: str, row: tuple[Axes, Axes], letters: str, optimizer: str
) -> None:
    """Share of seeds that learn the identity, and the variance that their outputs leave."""
    runs = ap.load(results / f"map_identity_{name}.nc")
    rates = MAPS[name].rates(runs)
    message = ap.plot.lettered(letters[0], f"{optimizer}: R² of at least 0.99")
    ap.plot.landscape(rates, row[0], message)
    last = runs.isel(step=-1)
    left = last.assign(unexplained=last.test_loss / runs.spread**2)
    found = ap.stats.quantiles(left, of="unexplained", q=[0.5]).isel(quantile=0)
    message = ap.plot.lettered(letters[1], f"{optimizer}: variance left")
    ap.plot.field(
        found,
        "unexplained",
        row[1],
        message,
        **SHOWN,
    )
    for ax in row:
        mark_thread(ax)
        ax.set_xlabel("standard deviation of the data")


def mark_thread(ax: Axes) -> None:
    """A cross at the thread's setting."""
    ax.plot(*THREADS, "x", color="white", ms=6, mew=1.5, path_effects=RIM)
    text: dict[str, Any] = {"color": "white", "size": 6.5, "path_effects": RIM}
    ax.annotate("thread", THREADS, (4, 4), textcoords="offset points", **text)


def draw(results: Path) -> Figure:
    """The whole figure."""
    figure, grid = plt.subplots(2, 2, figsize=(7.0, 5.2))
    draw_row(results, "sgd", grid[0], "ab", "SGD")
    draw_row(results, "adam", grid[1], "cd", "Adam")
    return figure


main = ap.study.figure_script("map_identity", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
