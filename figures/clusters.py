"""The figure of the clusters: what the network of 0.6 really has, and why advice fails.

Reads the tables clusters_*.csv of experiments/summaries and the trainings in results/clusters,
which experiments/clusters.py writes, and draws figures/clusters.pdf and .png.

Shows: The network said to be stuck at 0.6 has 0.81 when its dropout is off. Relu's wrong derivative
turns biases and cross-entropy into harm; with the right one both help, and with everything all
seeds work.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

import approx as ap
from experiments import clusters

FOLDER = Path(__file__).parent
BASELINE = clusters.BASELINE
# The accuracies over the passes: how they are named at their lines, colour and line
ACCURACIES = {
    "accuracy": ("training rows,\ndropout off", "#009E73", (0, (4, 1.5))),
    "test_accuracy": ("test rows", "#0072B2", "-"),
    "batch_accuracy": ("training rows,\nas counted:\ndropout on", "#D55E00", "-"),
}
# What is drawn, by the names that it has in the figure; the rows whose derivatives are wrong first
WRONG = {
    BASELINE: "as it stands",
    "no dropout": "no dropout",
    "normalised": "normalised",
    "biases": "biases",
    "cross-entropy": "cross-entropy",
    "all advice": "biases, cross-entropy, normalised",
}
RIGHT = {
    "both corrected": "both derivatives right",
    "biases, right derivatives": "biases",
    "cross-entropy, right derivatives": "cross-entropy",
    "everything": "biases, cross-entropy, normalised, no dropout",
}
# References: what they are called, on which side of their line, and how high in points
LINES = {
    "least squares": ("least squares", "right", 1),
    clusters.DIRECTION: ("limit without biases", "right", 8),
    "softmax": ("softmax", "left", 8),
    "Bayes' rule": ("Bayes", "left", 1),
}
PLACES = {  # of the panels, as shares of the page
    "a": (0.07, 0.61, 0.27, 0.32),
    "b": (0.53, 0.6, 0.225, 0.225 * 7.0 / 5.6),
    "c": (0.765, 0.6, 0.225, 0.225 * 7.0 / 5.6),
    "d": (0.36, 0.09, 0.33, 0.34),
}
# Of the rows whose derivatives are right or not: name, colour, and what fills the dots
STYLES = {
    False: ("relu's derivative wrong", "#D55E00", "white"),
    True: ("right", "#0072B2", "#0072B2"),
}
WIDE = 5.0  # half the side of the maps
NAMED = ((-3.6, 2.7), (-3.4, -1.8), (1.3, 4.3), (3.4, 2.9))  # where the classes are named
CLASSES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")
Outputs = Callable[[np.ndarray], Any]  # a network's outputs (rows, 4) for inputs (rows, 5)


def over_passes(answer: ap.study.Answer, ax: Axes) -> None:
    """Accuracies of the program over its passes: without dropout, and as the thread counted it."""
    runs = answer.runs(BASELINE)
    passes = runs.step.values[1:] / clusters.ROWS
    ends: list[Any] = []
    for of, (text, color, line) in ACCURACIES.items():
        found = ap.stats.quantiles(runs, of=of)[of]
        quantiles = found.transpose("quantile", "step").values[:, 1:]
        middle = quantiles[2]
        if line == "-":
            ap.plot.bands(ax, passes, quantiles, color)
        else:
            ax.plot(passes, middle, color=color, ls=line, zorder=1)
        ends.append((middle, text, color))

    printed = [one for one in clusters.PRINTED if one.of in ACCURACIES and one.step in runs.step]
    after = [one.step / clusters.ROWS for one in printed if one.step]
    values = [one.value for one in printed]
    ax.plot(
        after, values, "kx", ms=4, mew=1.0, zorder=5, clip_on=False, label="the thread's numbers"
    )
    ax.legend(loc="center left", bbox_to_anchor=(0, 0.52), handletextpad=0.2)
    ax.set(ylim=(0.5, 0.87), ylabel="accuracy")
    ax.set(xscale="log", xlim=(1, passes[-1]), xlabel="passes over the training rows")
    ax.xaxis.set_major_formatter("{x:g}")
    ap.plot.corner(ax, runs.sizes["seed"], "lower left")
    ap.plot.label_ends(ax, ends)


def at_equal_passes(answer: ap.study.Answer) -> pd.DataFrame:
    """The rows that are drawn, after as many passes as the remedies have, the best last.

    Besides what the table of rows says of their test accuracy, the columns are a name, whether the
    derivatives are right, and `found`, the share of seeds that find every class, with its interval.
    """
    tables = {name: rows.set_index("label") for name, rows in answer.rows.groupby("measure")}
    works, finds = tables["works"], tables["finds every class"]
    steps = works.steps["biases"]
    labels = []
    for label in (*WRONG, *RIGHT):
        if works.steps[label] == steps:
            labels.append(label)
        else:
            labels.append(clusters.cut(label, steps // clusters.ROWS))
    rows = works.loc[labels].copy()
    rows["name"] = [*WRONG.values(), *RIGHT.values()]
    rows["is_right"] = [False] * len(WRONG) + [True] * len(RIGHT)
    rows[["found", "found_low", "found_high"]] = finds.loc[labels, ["rate", "low", "high"]]
    return rows.sort_values("median", kind="stable", ignore_index=True)


def remedies(rows: pd.DataFrame, ax: Axes) -> None:
    """Test accuracy of each row; for how many seeds it is better, and how many find every class."""
    for is_right, (text, color, fill) in STYLES.items():
        here = rows[rows.is_right == is_right]
        ax.hlines(here.index, here.q05, here.q95, color=color, lw=1.2)
        dots: dict[str, Any] = {"color": fill, "markeredgecolor": color, "ms": 4.5, "label": text}
        ax.plot(here["median"], here.index, "o", **dots)
    for y, row in rows.iterrows():
        beside(ax, y, 12, in_percent(row.better, row.better_low, row.better_high))
        beside(ax, y, 90, in_percent(row.found, row.found_low, row.found_high))
    beside(ax, -1.1, 12, "better than\nas it stands")
    beside(ax, -1.1, 90, "finds every\nclass")
    ax.legend(loc="lower left", handletextpad=0.2, borderpad=0.1)
    ap.plot.row_axis(ax, list(rows.name))
    ax.set(ylim=(len(rows) - 0.5, -0.6), xlim=(0.4, 0.96))
    passes, seeds = rows.steps[0] // clusters.ROWS, rows.n[0]
    ax.set_xlabel(f"test accuracy after {passes} passes: median and 5 to 95% of {seeds} seeds")


def in_percent(rate: float, low: float, high: float) -> str:
    """A rate and its interval; a dash where there is none."""
    if np.isnan(rate):
        return "–"
    return f"{rate:.0%} [{low:.0%}, {high:.0%}]"


def beside(ax: Axes, y: Any, points: float, text: str) -> None:
    """A text on the right of a row."""
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "size": 6.5}
    ax.annotate(text, (1, y), (points, 0), textcoords="offset points", **place)


def mark_references(accuracies: pd.Series, ax: Axes) -> None:
    """Lines at what simpler methods reach, named above the panel."""
    for name, (text, side, height) in LINES.items():
        ax.axvline(accuracies[name], color="0.55", lw=0.6, ls=(0, (3, 2)), zorder=0)
        ax.annotate(
            text,
            (accuracies[name], 1),
            (3 if side == "right" else -3, height),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha=side,
            color="0.35",
            size=6.0,
        )


def plane(x: np.ndarray) -> np.ndarray:
    """Axes (2, 5) of the plane in which the classes lie.

    The last column is noise, and the others have rank two.
    """
    axes = np.linalg.svd(x[:, :4], full_matrices=False)[2][:2]
    return np.column_stack([axes, np.zeros(2)])


def region(outputs: Outputs, title: str, ax: Axes) -> None:
    """Which class each point of the plane is given to, the rows, and where the origin is."""
    task = clusters.LABELS
    axes = plane(task.x)
    grid = np.linspace(-WIDE, WIDE, 281)
    points = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2) @ axes
    given = np.asarray(outputs(points)).argmax(1).reshape(grid.size, grid.size)
    shown: dict[str, Any] = {"cmap": ListedColormap(CLASSES), "vmin": -0.5, "vmax": 3.5}
    extent = (-WIDE, WIDE, -WIDE, WIDE)
    ax.imshow(given, origin="lower", extent=extent, alpha=0.3, interpolation="nearest", **shown)
    u, v = (task.x_test[:500] @ axes.T).T
    ax.scatter(u, v, c=task.y_test[:500], s=1.6, lw=0, **shown)
    ax.plot(0, 0, "k+", ms=6, mew=1.0)
    right = np.asarray(outputs(task.x_test)).argmax(1) == task.y_test
    ax.set_xlabel(f"{title}: {right.mean():.2f}")
    ax.set(xticks=[], yticks=[], xlim=(-WIDE, WIDE), ylim=(-WIDE, WIDE))
    ax.spines[:].set_visible(True)


def median_network(runs: xr.Dataset, model: Any) -> Outputs:
    """The network whose test accuracy at the end is the median of all seeds."""
    accuracy = runs.test_accuracy.isel(step=-1).fillna(-np.inf)
    order = np.argsort(accuracy.values, kind="stable")
    seed = int(runs.seed[order[runs.sizes["seed"] // 2]])
    params = ap.params(runs, seed=seed)
    return lambda x: model.apply(params, jnp.asarray(x, "float32"))


def draw_maps(answer: ap.study.Answer, axes: dict[str, Axes]) -> None:
    """What the program and the network with everything make of the plane."""
    rows = clusters.study().rows
    for letter, label in (("b", BASELINE), ("c", "everything")):
        network = median_network(answer.runs(label), rows[label].recipe.model)
        region(network, (WRONG | {"everything": "with everything"})[label], axes[letter])
    for c, place in enumerate(NAMED):
        axes["b"].text(*place, f"class {c}", size=6, ha="center", va="center")


def main(
    results: Path = clusters.RESULTS,
    summaries: Path = clusters.SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/clusters.py wrote trainings to.
        summaries: the folder that it wrote tables to.
        figures: the folder to draw into.
        quick: draw what `experiments/clusters.py --quick` left in the folder quick of `results`,
            into that folder.
    """
    if quick:
        results = summaries = figures = results / "quick"
    answer = ap.study.Answer.load(summaries, clusters.CASE, runs=results / clusters.CASE)
    simple = pd.read_csv(summaries / "clusters_references.csv", index_col=0)

    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 5.6))
    figure.set_layout_engine("none")
    axes = {letter: figure.add_axes(place) for letter, place in PLACES.items()}
    over_passes(answer, axes["a"])
    draw_maps(answer, axes)
    remedies(at_equal_passes(answer), axes["d"])
    mark_references(simple.test_accuracy, axes["d"])
    titles = {
        "a": ("The network is not stuck at 0.6: that is its dropout", 6),
        "b": ("Borders all meet at +", 6),
        "c": ("With biases not", 6),
        "d": ("Advice hurts while relu's derivative is wrong", 24),
    }
    for letter, (title, pad) in titles.items():
        axes[letter].set_title(ap.plot.lettered(letter, title), pad=pad)
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "clusters", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
