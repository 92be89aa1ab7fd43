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

import approx as ap

FOLDER = Path(__file__).parent
NAMES = {"A": "A: linear", "C": "C: 10 tanh", "B": "B: 8-8 relu"}


def name(label: str, runs) -> str:
    """A recipe and its number of seeds."""
    return f"{NAMES[label]} ({runs.sizes['seed']})"


def variance(runs) -> float:
    """Variance of the targets inside the range: the error of the best constant."""
    return float(runs.y_test.where(runs.distance == 0).var())


def profiles(results: dict):
    """Success against threshold for every recipe, thresholds as shares of the targets' variance."""
    thresholds = np.geomspace(1e-6, 10, 200)
    parts = []
    for label, runs in results.items():
        relative = (
            (runs[["test_loss"]] / variance(runs))
            .reset_coords(drop=True)
            .assign_coords(recipe=name(label, runs))
        )
        parts.append(ap.stats.profile(relative, thresholds=thresholds).expand_dims("recipe"))
    return xr.concat(parts, "recipe", coords="minimal")


def outcomes(results: dict):
    """Why each recipe's seeds fail: shares of the reasons, an error below 1% of the targets'
    variance being success.
    """
    parts = []
    for label, runs in results.items():
        inside = runs.distance.values == 0
        x, y = runs.x_test.values[inside, 0], runs.y_test.values[inside, 0]
        floor = {  # on the judged points; what ten tanh units could do is not known
            "A": ap.floors.least_squares(x, y).mse,
            "B": ap.floors.pieces_bound(x, y, ap.floors.deep_pieces((8, 8))),
            "C": 0.0,
        }[label]
        limit = 0.01 * variance(runs)
        kinds = ap.stats.split(runs, floor, below=limit, outside_below=limit)
        parts.append(
            ap.stats.shares(kinds)
            .reset_coords(drop=True)
            .assign_coords(recipe=NAMES[label])
            .expand_dims("recipe")
        )
    return xr.concat(parts, "recipe", coords="minimal", combine_attrs="override")


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
    ap.plot.fan(runs["C"], a, between=(-12, 12))
    ap.plot.learning_curve(runs["C"], b)
    b.set_ylabel("mean squared error, training rows")
    ap.plot.threshold_profile(profiles(runs), c)
    c.set_xlabel("threshold: MSE inside the range / variance of x² ≤")
    errors = {name(label, r): ap.stats.error_by_distance(r) for label, r in runs.items()}
    units = {
        name(label, r): (half := float(r.x_test.where(r.distance == 0).max()), half**2)
        for label, r in runs.items()
    }
    ap.plot.extrapolation(errors, d, units=units)
    d.set(
        xlabel="distance outside / half-width of the range", ylabel="absolute error / half-width²"
    )
    messages = ("C learns x² where it was shown", "C's seeds end decades apart", "How often, by what counts as success",
                "Outside the range every recipe fails")  # fmt: skip
    ap.plot.symmetry(
        {"C": ap.stats.symmetry(runs["C"])}, e, r"$\bf{e}$  C is not even, although x² is"
    )
    ap.plot.split(outcomes(runs), f, r"$\bf{f}$  Why they fail, at 1% of the variance")
    for letter, message, ax in zip("abcd", messages, (a, b, c, d), strict=True):
        ax.set_title(rf"$\bf{{{letter}}}$  {message}")
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "square", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
