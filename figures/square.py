"""The figure of x²: what was learned, when, how often, and what of it holds outside the range.

Reads results/square_{A,B,C}.nc, which experiments/square.py writes, and draws figures/square.pdf
and .png.

Shows: A linear network cannot learn x², ten tanh units do for some seeds, and a deep relu network
nearly always. Outside the range none of them holds.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import tyro
import xarray as xr
from matplotlib.axes import Axes

import approx as ap

FOLDER = Path(__file__).parent
NAMES = {"A": "A: linear", "C": "C: 10 tanh", "B": "B: 8-8 relu"}


def name(label: str, runs: xr.Dataset) -> str:
    """A recipe and its number of seeds."""
    return f"{NAMES[label]} ({runs.sizes['seed']})"


def variance(runs: xr.Dataset) -> float:
    """Variance of the targets inside the range: the error of the best constant."""
    return float(runs.y_test.where(runs.distance == 0).var())


def half_width(runs: xr.Dataset) -> float:
    """The largest x of the range."""
    return float(runs.x_test.where(runs.distance == 0).max())


def profiles(results: dict[str, xr.Dataset]) -> xr.Dataset:
    """Success against threshold for every recipe, thresholds as shares of the targets' variance."""
    thresholds = np.geomspace(1e-6, 10, 200)
    parts = []
    for label, runs in results.items():
        relative = (runs[["test_loss"]] / variance(runs)).reset_coords(drop=True)
        found = ap.stats.profile(relative, thresholds=thresholds)
        parts.append(found.assign_coords(recipe=name(label, runs)).expand_dims("recipe"))
    return xr.concat(parts, "recipe", coords="minimal")


def floor_of(label: str, runs: xr.Dataset) -> float:
    """The smallest error that a recipe's network can have on the judged points."""
    inside = runs.distance.values == 0
    x, y = runs.x_test.values[inside, 0], runs.y_test.values[inside, 0]
    if label == "A":
        return ap.floors.least_squares(x, y).mse
    if label == "B":
        return ap.floors.pieces_bound(
            x,
            y,
            ap.floors.deep_pieces((8, 8)),
        )
    return 0.0  # what ten tanh units could do is not known


def outcomes(results: dict[str, xr.Dataset]) -> xr.Dataset:
    """Shares of the reasons why each recipe's seeds fail.

    An error below 1% of the targets' variance is a success.
    """
    parts = []
    for label, runs in results.items():
        limit = 0.01 * variance(runs)
        kinds = ap.stats.failure_causes(
            runs,
            floor_of(label, runs),
            below=limit,
            outside_below=limit,
        )
        found = ap.stats.shares(kinds).reset_coords(drop=True)
        parts.append(found.assign_coords(recipe=NAMES[label]).expand_dims("recipe"))
    return xr.concat(parts, "recipe", coords="minimal", combine_attrs="override")


def draw_outside(results: dict[str, xr.Dataset], ax: Axes) -> None:
    """Error against distance of every recipe, in units of its range."""
    errors, units = {}, {}
    for label, runs in results.items():
        half = half_width(runs)
        errors[name(label, runs)] = ap.stats.error_by_distance(runs)
        units[name(label, runs)] = (half, half**2)
    message = ap.plot.lettered("d", "Outside the range every recipe fails")
    ap.plot.extrapolation(errors, ax, message, units=units)
    ax.set_xlabel("distance outside / half-width of the range")
    ax.set_ylabel("absolute error / half-width²")


def main(
    results: Path = FOLDER.parent / "results", figures: Path = FOLDER, quick: bool = False
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/square.py wrote to.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        results = figures = results / "quick"
    runs = {label: ap.load(results / f"square_{label}.nc") for label in NAMES}
    plt.style.use(ap.plot.STYLE)
    figure, ((a, b), (c, d), (e, f)) = plt.subplots(
        3, 2, figsize=(7.0, 7.4), gridspec_kw={"wspace": 0.12, "hspace": 0.08}
    )
    message = ap.plot.lettered("a", "C learns x² where it was shown")
    ap.plot.fan(
        runs["C"],
        a,
        message,
        between=(-12, 12),
    )
    ap.plot.learning_curve(
        runs["C"],
        b,
        ap.plot.lettered("b", "C's seeds end decades apart"),
    )
    b.set_ylabel("mean squared error, training rows")
    message = ap.plot.lettered("c", "How often, by what counts as success")
    ap.plot.threshold_profile(profiles(runs), c, message)
    c.set_xlabel("threshold: MSE inside the range / variance of x² ≤")
    draw_outside(runs, d)
    defects = {"C": ap.stats.symmetry(runs["C"])}
    ap.plot.symmetry(
        defects,
        e,
        ap.plot.lettered("e", "C is not even, although x² is"),
    )
    message = ap.plot.lettered("f", "Why they fail, at 1% of the variance")
    ap.plot.failure_causes(outcomes(runs), f, message)
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "square", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
