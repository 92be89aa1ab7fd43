"""The figure of what limits a network on x²: its floor, training, range, and kinds of randomness.

Reads results/square_floors.nc, results/square_sources.nc and the table
experiments/summaries/square_floors.csv, which experiments/square_floors.py writes, and draws
figures/square_floors.pdf and .png.

Shows: The floor is the least error that a network of this size can have. It falls as width^-4, and
the errors of trained relu networks fall as width^-2.8 only: the wider the network, the farther
training ends above the floor. Which rows were drawn and which first weights decide how far seeds
lie apart; the order of the batches decides next to nothing.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import tyro
import xarray as xr
from matplotlib.axes import Axes

import approx as ap
from experiments.square_floors import QUICK_WIDTHS, RESULTS, SUMMARIES

FOLDER = Path(__file__).parent
LEARNED = 1e-3  # MSE inside; the targets' variance is 0.09


def draw_floor(runs: xr.Dataset, floor: xr.DataArray, ax: Axes) -> None:
    """Median and best error against width, and the smallest error possible."""
    fits = [
        ap.stats.exponent(runs, "width", statistic=statistic).expand_dims(which=[statistic])
        for statistic in ("median", "best")
    ]
    ap.plot.power_law(
        xr.concat(fits, "which", combine_attrs="override"),
        ax,
        ap.plot.lettered("a", "Seeds end ever further above the least error"),
        floors={"least": (floor.width.values, floor.values)},
    )
    ax.set_ylabel("mean squared error inside")


def draw_reasons(runs: xr.Dataset, floor: xr.DataArray, ax: Axes) -> None:
    """Why the seeds of some widths fail."""
    kinds = ap.stats.failure_causes(runs, floor, below=LEARNED, outside_below=LEARNED)
    found = ap.stats.shares(kinds.sel(width=list(QUICK_WIDTHS)))
    message = ap.plot.lettered("b", f"Why a relu network misses {LEARNED:g}")
    ap.plot.failure_causes(found, ax, message)


def draw_asymptotes(runs: xr.Dataset, ax: Axes) -> None:
    """What kind of functions two widths are to the right of the range."""
    asymptotes = ap.stats.asymptote(runs.sel(width=[4, 32]))
    found = ap.stats.shares(asymptotes.sel(side="right", drop=True))
    there = (found.rate > 0).any("width")
    message = ap.plot.lettered("c", "Outside, relu networks are lines")
    ap.plot.shares(found.sel(kind=there), ax, message)


def main(
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/square_floors.py wrote to.
        summaries: the folder of its tables.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        results = summaries = figures = results / "quick"
    runs = ap.load(results / "square_floors.nc")
    table = pd.read_csv(summaries / "square_floors.csv", dtype={"fingerprint": str})
    ap.plot.check_identity("the widths", runs.fingerprint, table.fingerprint[0])
    floor = table.set_index("width").bound.to_xarray()
    components = ap.stats.variance_components(ap.load(results / "square_sources.nc"))
    plt.style.use(ap.plot.STYLE)
    figure, ((a, b), (c, d)) = plt.subplots(2, 2, figsize=(7.0, 5.2), layout="constrained")
    draw_floor(runs, floor, a)
    draw_reasons(runs, floor, b)
    draw_asymptotes(runs, c)
    ap.plot.variance_components(components, d, ap.plot.lettered("d", "Rows and weights, not order"))
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "square_floors", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
