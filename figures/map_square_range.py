"""The range in which x² is learned by how many units, and the error at twice that range.

Reads what experiments/map_square.py writes, results/map_square_{range,relu}.nc, and draws
figures/map_square_range.{pdf,png}.

Shows: With Adam at one learning rate the range that tanh units learn grows with their number. Ten
relu units are wrong at twice the range by a quarter of x² or more, at every setting.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments.map_square import LEARNED, MAPS, WIDTHS

SHOWN = [width for width in WIDTHS if width in (1, 2, 4, 8, 16, 32, 64)]  # on the axis
AWAY = (0.2, 2.0)  # the errors outside that have colours of their own, as shares of x²


def draw_range(runs: xr.Dataset, ax: Axes) -> None:
    """Share of seeds that learn x² on a range, over the range and the width."""
    rates = MAPS["range"].rates(runs).transpose("width", "range")
    ap.plot.landscape(
        rates,
        ax,
        ap.plot.lettered("a", "Tanh, Adam: wider learns a larger range"),
        label=f"seeds with a test error below {LEARNED:.0%}\nof the variance of x²",
    )
    ax.set(xlabel="r: the training range is [−r, r]", ylabel="tanh units (Adam, 0.01)")
    ax.set_yticks(SHOWN, [str(width) for width in SHOWN])
    ax.minorticks_off()


def draw_far(runs: xr.Dataset, ax: Axes) -> None:
    """Median error at twice the range."""
    away = ap.stats.quantiles(runs.isel(step=-1), q=[0.5], of="far").isel(quantile=0)
    ap.plot.field(
        away,
        "far",
        ax,
        ap.plot.lettered("b", "Relu, SGD: none is right outside"),
        label="median error of ten relu units\nat twice the range, as a share of x²",
        limits=AWAY,
        infinite="half of the seeds diverged",
    )


def draw(results: Path) -> Figure:
    """The whole figure."""
    runs = ap.study.load_maps("map_square", ("range", "relu"), results)
    figure, (a, b) = plt.subplots(1, 2, figsize=(7.0, 2.9))
    draw_range(runs["range"], a)
    draw_far(runs["relu"], b)
    ap.plot.map_key((a, b))
    return figure


main = ap.study.figure_script("map_square_range", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
