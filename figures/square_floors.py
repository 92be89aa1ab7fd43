"""The figure of what limits a network on x²: its floor, its training, its range, and which
randomness decides.

Reads results/square_floors.nc and results/square_sources.nc, which experiments/square_floors.py
writes, and draws figures/square_floors.pdf and .png.

Shows: Relu networks' errors fall as width^-2.8 where the exact optima fall as width^-4, so
training's distance from its floor grows. The rows and the initial weights make the spread over
seeds; the order of the batches next to none.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import tyro
import xarray as xr

import approx as ap

FOLDER = Path(__file__).parent
LEARNED = 1e-3  # MSE inside; the targets' variance is 0.09


def main(
    results: Path = FOLDER.parent / "results", figures: Path = FOLDER, quick: bool = False
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/square_floors.py wrote to.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        results = figures = results / "quick"
    runs = ap.load(results / "square_floors.nc")
    sources = ap.load(results / "square_sources.nc")
    inside = runs.distance.values == 0
    x, y = runs.x_test.values[inside, 0], runs.y_test.values[inside, 0]
    widths = runs.width.values
    bound = np.array([ap.floors.pieces_bound(x, y, width + 1) for width in widths.tolist()])
    plt.style.use(ap.plot.STYLE)
    figure, ((a, b), (c, d)) = plt.subplots(2, 2, figsize=(7.0, 5.2), layout="constrained")
    fits = [
        ap.stats.exponent(runs, "width", statistic=s).expand_dims(seeds=[f"{s} of"])
        for s in ("median", "best")
    ]
    both = xr.concat(fits, "seeds", combine_attrs="override").rename(seeds="which")
    both["which"] = ["median", "best"]
    ap.plot.power_law(
        both,
        a,
        r"$\bf{a}$  Seeds end ever further above the floor",
        floors={"floor": (widths, bound)},
    )
    a.set_ylabel("MSE inside the range")
    floor = xr.DataArray(bound, {"width": widths}, "width")
    kinds = ap.stats.split(runs, floor, below=LEARNED, outside_below=LEARNED)
    chosen = kinds.sel(width=[1, 2, 3, 4, 8, 16, 32])
    ap.plot.split(ap.stats.shares(chosen), b, rf"$\bf{{b}}$  Why a relu network misses {LEARNED:g}")
    asymptotes = ap.stats.asymptote(runs.sel(width=[4, 32]))
    right = asymptotes.sel(side="right", drop=True)
    ap.plot.shares(ap.stats.shares(right), c, r"$\bf{c}$  Outside, relu networks are lines")
    ap.plot.variance_split(
        ap.stats.variance_split(sources), d, r"$\bf{d}$  Rows and weights, not order"
    )
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "square_floors", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
