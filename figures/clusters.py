"""The figure of the clusters: what the network of 0.6 really has, and why advice fails.

Reads results/clusters_{RECIPE}.nc and
experiments/summaries/clusters_{references,remedies,factorial,kinds}.csv, which
experiments/clusters.py writes, and draws figures/clusters.pdf and .png.

Shows: The network said to be stuck at 0.6 has 0.81 when its dropout is off. Relu's wrong derivative
turns biases and cross-entropy into harm; with the right one both help, and with everything all
seeds work.
"""

import re
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

FOLDER = Path(__file__).parent
SUMMARIES = FOLDER.parent / "experiments" / "summaries"
ROWS = 8_000  # training rows, which a pass goes over
# What the thread prints: {variable: {pass, from 1: its name in the table of reported numbers}}
REPORTED = {
    "test_accuracy": {n: f"test accuracy, pass {n - 1}" for n in (1, 3, 298, 300)},
    "batch_accuracy": {n: f"accuracy in training, pass {n - 1}" for n in (1, 300)},
}
COUNTED = {  # how the two accuracies are named at their lines
    "test_accuracy": "test rows",
    "batch_accuracy": "training rows,\nas counted:\nwith dropout",
}
# References: what they are called, on which side of their line, and how high in points.
LINES = {
    "least squares": ("least squares", "right", 1),
    "Bayes' rule of the direction of x, all that is known without biases": (
        "limit without biases",
        "right",
        8,
    ),
    "softmax": ("linear softmax", "left", 8),
    "Bayes' rule": ("Bayes", "left", 1),
}
RECIPES = {
    "literal": "literal",
    "relu corrected": "relu's derivative right",
    "both corrected": "both derivatives right",
    "no dropout": "no dropout",
    "normalised": "normalised",
    "biases": "biases",
    "biases, right derivatives": "biases, derivatives right",
    "cross-entropy": "cross-entropy",
    "cross-entropy, right derivatives": "cross-entropy, derivatives right",
    "all advice": "all advice: biases, c.-e., normalised",
    "everything": "all advice, no dropout, deriv. right",
}
CURVES = {
    "literal": ("literal", "0.3", "-"),
    "biases": ("biases", "C1", "-"),
    "biases, right derivatives": ("biases,\nderivatives right", "C1", (0, (3, 1.2))),
    "cross-entropy": ("cross-entropy", "C3", "-"),
    "cross-entropy, right derivatives": ("cross-entropy,\nderivatives right", "C3", (0, (3, 1.2))),
    "everything": ("everything", "C2", "-"),
}
FACTORS = {"biases": "B", "cross-entropy": "C", "normalised": "N", "no dropout": "D"}
KINDS = {  # of the ends of seeds, as experiments/clusters.py names them
    "≥ 0.882, a linear softmax's": "#0072B2",
    "≥ 0.8065, least squares'": "#9ecae1",
    "below": "#F0E442",
    "class given up": "0.35",
}
# Panels as shares of the page, by hand: names on both sides of some are wider than any grid's
# margins.
PLACES = {
    "a": (0.07, 0.785, 0.275, 0.17),
    "b": (0.56, 0.785, 0.275, 0.17),
    "c": (0.285, 0.46, 0.31, 0.235),
    "kinds": (0.745, 0.46, 0.235, 0.235),
    "d": (0.145, 0.05, 0.29, 0.315),
    "e": (0.51, 0.215, 0.225, 0.225 * 7.0 / 9.4),
    "f": (0.755, 0.215, 0.225, 0.225 * 7.0 / 9.4),
    "g": (0.51, 0.02, 0.225, 0.225 * 7.0 / 9.4),
    "h": (0.755, 0.02, 0.225, 0.225 * 7.0 / 9.4),
}
WIDE = 5.0  # half the side of the maps
NAMED = ((-3.6, 2.7), (-3.4, -1.4), (1.3, 4.3), (3.4, 2.9))  # where the classes are named
TITLES = {  # by letter, with the points between title and panel
    "a": ("The network is not stuck at 0.6: that is its dropout", 6),
    "b": ("Advice fails while relu's derivative is wrong", 6),
    "c": ("With relu's derivative wrong, biases or cross-entropy alone lose whole classes", 24),
    "d": ("After 30 passes biases still help", 6),
    "e": ("Without biases all borders meet at the origin (+)", 14),
}
Outputs = Callable[[np.ndarray], Any]  # a network's outputs (rows, 4) for inputs (rows, 5)
CLASSES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")


def path_of(results: Path, label: str) -> Path:
    """Where the runs of a recipe are kept."""
    return results / f"clusters_{re.sub(r'[^A-Za-z0-9]+', '_', label)}.nc"


def passes_axis(ax: Axes, last: float) -> None:
    """A logarithmic axis of passes."""
    ax.set(xscale="log", xlim=(1, last), xlabel="passes over the training rows")
    ax.xaxis.set_major_formatter("{x:g}")


def over_passes(runs: xr.Dataset, ax: Axes) -> None:
    """Accuracy of the literal network over the passes.

    It is judged without dropout, and as the thread counted it.
    """
    passes = runs.step.values[1:] / ROWS
    reported = pd.read_csv(SUMMARIES / "clusters_reported.csv", index_col="number").value
    found = ap.stats.quantiles(runs, of="accuracy", q=0.5).accuracy
    training = found.isel(quantile=0).values[1:]
    ax.plot(
        passes,
        training,
        color="C2",
        ls=(0, (4, 1.5)),
        zorder=1,
    )
    ends: list[Any] = [(training, "training rows,\nno dropout", "C2")]
    for number, (of, text) in enumerate(COUNTED.items()):
        found = ap.stats.quantiles(runs, of=of)[of]
        quantiles = found.transpose("quantile", "step").values[:, 1:]
        ap.plot.bands(ax, passes, quantiles, f"C{number}")
        ends.append((quantiles[2], text, f"C{number}"))
        printed = {n: reported[name] for n, name in REPORTED[of].items() if n <= passes[-1]}
        cross: dict[str, Any] = {"ms": 4, "mew": 1.0, "zorder": 5, "clip_on": False}
        ax.plot(
            list(printed),
            list(printed.values()),
            "kx",
            **cross,
        )
    ax.plot([], [], "kx", ms=4, mew=1.0, label="the thread's numbers")
    ax.legend(loc="center left", bbox_to_anchor=(0, 0.52), handletextpad=0.2)
    ax.set(ylim=(0.5, 0.87), ylabel="accuracy")
    passes_axis(ax, passes[-1])
    ap.plot.corner(ax, runs.sizes["seed"], "lower left")
    ap.plot.label_ends(ax, ends)


def trajectories(all_runs: dict[str, xr.Dataset], ax: Axes) -> None:
    """Median test accuracy over the passes, and its quartiles."""
    ends: list[Any] = []
    for label, (text, color, line) in CURVES.items():
        runs = all_runs[label]
        passes = runs.step.values[1:] / ROWS
        found = ap.stats.quantiles(runs, of="test_accuracy", q=(0.25, 0.5, 0.75)).test_accuracy
        lower, mid, upper = found.transpose("quantile", "step").values[:, 1:]
        ax.fill_between(passes, lower, upper, color=color, alpha=0.15, lw=0)
        ax.plot(passes, mid, color=color, ls=line)
        ends.append((mid, text, color))
    ax.set(ylim=(0.5, 0.95), ylabel="test accuracy: median, quartiles")
    passes_axis(ax, passes[-1])
    ap.plot.corner(ax, runs.sizes["seed"], "lower left")
    ap.plot.label_ends(ax, ends)


def remedies(all_runs: dict[str, xr.Dataset], table: pd.DataFrame, ax: Axes) -> None:
    """Test accuracy of each recipe, and on which share of the seeds it beats the literal one."""
    for y, label in enumerate(RECIPES):
        last = all_runs[label].isel(step=-1)
        found = ap.stats.quantiles(last, of="test_accuracy").test_accuracy.values
        low, lower, mid, upper, high = found
        color = "0.3" if label == "literal" else "C0"
        ax.hlines(y, low, high, color=color, lw=0.8)
        ax.hlines(y, lower, upper, color=color, lw=2.6)
        ax.plot(mid, y, "o", color="white", markeredgecolor=color, ms=3.5)
        row = table.loc[label]
        ap.plot.check_number(f"the median test accuracy of {label}", mid, row.q50)
        text = "better than literal:"
        if label != "literal":
            text = f"{row.better:.0%} [{row.better_low:.0%}, {row.better_high:.0%}]"
        place: dict[str, Any] = {"textcoords": "offset points", "va": "center"}
        ax.annotate(
            text,
            (1, y),
            (6, 0),
            size=6.0,
            xycoords=("axes fraction", "data"),
            **place,
        )
    ap.plot.row_axis(ax, list(RECIPES.values()))
    ax.tick_params(axis="y", labelsize=6.5)
    passes = int(all_runs["literal"].step[-1]) // ROWS
    ax.set(ylim=(len(RECIPES) - 0.5, -0.6), xlim=(0.4, 0.96))
    ax.set_xlabel(f"test accuracy after {passes} passes (5–95%, 25–75%, median)", size=7)


def mark_references(accuracies: pd.Series, ax: Axes) -> None:
    """Lines at what simpler methods reach, named above the panel."""
    above: dict[str, Any] = {"textcoords": "offset points", "color": "0.35", "size": 6.0}
    for name, (text, side, height) in LINES.items():
        x = accuracies[name]
        offset = 3 if side == "right" else -3
        ax.axvline(
            x,
            color="0.55",
            lw=0.6,
            ls=(0, (3, 2)),
            zorder=0,
        )
        ax.annotate(
            text,
            (x, 1),
            (offset, height),
            xycoords=("data", "axes fraction"),
            ha=side,
            **above,
        )


def endings(table: pd.DataFrame, ax: Axes) -> None:
    """Where the seeds of each recipe are, as stacked bars in the rows of the panel beside."""
    counts = table.reset_index().set_index(["recipe", "kind"])[
        ["seeds", "n", "rate", "low", "high"]
    ]
    found = counts.rename(columns={"seeds": "successes"}).to_xarray()
    ap.plot.check_colors(found.kind.values, KINDS)
    found = found.sel(recipe=list(RECIPES), kind=list(KINDS))
    ap.plot.failure_causes(found, ax, colors=KINDS, numbers=False)
    ax.set(ylim=(len(RECIPES) - 0.5, -0.6), yticks=[])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(f"share of seeds (n = {int(found.n[0, 0])})", size=7)
    ax.legend(
        loc="lower center",
        bbox_to_anchor=(0.4, 0.99),
        ncols=2,
        borderpad=0.1,
        handlelength=0.9,
        columnspacing=0.8,
        handletextpad=0.4,
        fontsize=6.0,
    )


def effects(table: pd.DataFrame, ax: Axes) -> None:
    """Main effects and interactions of the factorial, in the colours of their orders."""
    names = [short(str(name)) for name in table.index]
    found = 100 * table[["effect", "low", "high"]].set_axis(names).rename_axis("factors")
    styles = {
        name: {"color": f"C{int(order) - 1}"}
        for name, order in zip(names, table.order, strict=True)
    }
    ap.plot.forest(
        found.to_xarray(),
        "effect",
        ax,
        groups={"": names},
        styles=styles,
    )
    ax.tick_params(axis="y", labelsize=6.5)
    ax.set_xlabel("effect on test accuracy, points (95%); derivatives wrong", size=7)
    ap.plot.corner(
        ax,
        int(table.n.iloc[0]),
        "lower right",
    )


def short(factors: str) -> str:
    """A factor with its letter, or the letters of an interaction."""
    letters = [FACTORS[name] for name in factors.split(" × ")]
    return " × ".join(letters) if len(letters) > 1 else f"{factors} ({letters[0]})"


def plane(x: np.ndarray) -> np.ndarray:
    """Axes (2, 5) of the plane in which the classes lie.

    The last column is noise, and the others have rank two.
    """
    axes = np.linalg.svd(x[:, :4], full_matrices=False)[2][:2]
    return np.column_stack([axes, np.zeros(2)])


def region(outputs: Outputs, task: Any, title: str, ax: Axes) -> None:
    """Which class each point of the plane is given to, the rows, and where the origin is."""
    axes = plane(task.x)
    grid = np.linspace(-WIDE, WIDE, 281)
    points = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2) @ axes
    given = np.asarray(outputs(points)).argmax(1).reshape(grid.size, grid.size)
    shown: dict[str, Any] = {"cmap": ListedColormap(CLASSES), "vmin": -0.5, "vmax": 3.5}
    ax.imshow(
        given,
        origin="lower",
        extent=(-WIDE, WIDE) * 2,
        alpha=0.3,
        interpolation="nearest",
        **shown,
    )
    u, v = (task.x_test[:500] @ axes.T).T
    ax.scatter(
        u,
        v,
        c=task.y_test[:500],
        s=1.6,
        lw=0,
        **shown,
    )
    ax.plot(0, 0, "k+", ms=6, mew=1.0)
    right = np.asarray(outputs(task.x_test)).argmax(1) == task.y_test
    ax.text(
        0,
        1.02,
        f"{title}: {right.mean():.2f}",
        size=6.5,
        transform=ax.transAxes,
    )
    ax.set(
        xticks=[],
        yticks=[],
        xlim=(-WIDE, WIDE),
        ylim=(-WIDE, WIDE),
    )
    ax.spines[:].set_visible(True)


def distance(z: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Squared Mahalanobis distance (rows,) of rows z from a Gaussian."""
    away = z - mean
    return (away * np.linalg.solve(covariance, away.T).T).sum(1)


def bayes(task: Any) -> Outputs:
    """The rule of the classes' Gaussians.

    Some labels are random, so the moments of a class are those of its rows within the 99.9% ellipse
    of their Gaussian, which is found in five rounds.
    """
    axes = plane(task.x)
    found = []
    for c in range(4):
        z = task.x[task.y == c] @ axes.T
        for _ in range(5):
            z = z[distance(z, z.mean(0), np.cov(z.T)) < 13.8]
        found.append((z.mean(0), np.cov(z.T)))

    def outputs(x: np.ndarray) -> np.ndarray:
        z = x @ axes.T
        scores = [-distance(z, mean, cov) - np.linalg.slogdet(cov)[1] for mean, cov in found]
        return np.stack(scores, 1)

    return outputs


def example(runs: xr.Dataset, model: Any, quantile: float) -> Outputs:
    """The network whose test accuracy is at that quantile of all seeds."""
    accuracy = runs.test_accuracy.isel(step=-1).fillna(-np.inf)
    order = np.argsort(accuracy.values)
    seed = int(runs.seed[order[round(quantile * (runs.sizes["seed"] - 1))]])
    params = ap.params(runs, seed=seed)
    return lambda x: model.apply(params, jnp.asarray(x, "float32"))


def draw_maps(runs: dict[str, xr.Dataset], axes: dict[str, Axes]) -> None:
    """What Bayes' rule and three networks make of the plane."""
    task = ap.tasks.clusters(loss="cross_entropy")
    plain, biased = (ap.MLP((10,), "relu", outputs=4, bias=bias) for bias in (False, True))
    scaled = ap.scalings.features(biased, task.x)
    maps = {
        "Bayes' rule": bayes(task),
        "literal, median seed": example(runs["literal"], plain, 0.5),
        "biases, 25% seed": example(runs["biases"], biased, 0.25),
        "everything, median seed": example(runs["everything"], scaled, 0.5),
    }
    for (title, outputs), letter in zip(maps.items(), "efgh", strict=True):
        region(outputs, task, title, axes[letter])
    for c, place in enumerate(NAMED):
        axes["e"].text(
            *place,
            f"class {c}",
            size=6,
            ha="center",
            va="center",
        )


def main(
    results: Path = FOLDER.parent / "results",
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/clusters.py wrote runs to.
        summaries: the folder that it wrote tables to.
        figures: the folder to draw into.
        quick: draw what `experiments/clusters.py --quick` left in the folder quick of `results`,
            into that folder.
    """
    if quick:
        results = summaries = figures = results / "quick"
    runs = {label: ap.load(path_of(results, label)) for label in RECIPES}
    tables = {
        name: pd.read_csv(summaries / f"clusters_{name}.csv", index_col=0)
        for name in ("references", "remedies", "factorial", "kinds")
    }
    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 9.4))
    figure.set_layout_engine("none")
    axes = {letter: figure.add_axes(place) for letter, place in PLACES.items()}
    over_passes(runs["literal"], axes["a"])
    compared = slice(None, int(runs["biases"].step[-1]))  # the passes after which all are compared
    runs = {label: one.sel(step=compared) for label, one in runs.items()}
    trajectories(runs, axes["b"])
    remedies(runs, tables["remedies"], axes["c"])
    mark_references(tables["references"].test_accuracy, axes["c"])
    endings(tables["kinds"], axes["kinds"])
    effects(tables["factorial"], axes["d"])
    draw_maps(runs, axes)
    for letter, (title, pad) in TITLES.items():
        axes[letter].set_title(ap.plot.lettered(letter, title), pad=pad)
    if quick:
        seeds, passes = runs["literal"].sizes["seed"], compared.stop // ROWS
        figure.suptitle(
            f"Quick look: {seeds} seeds, {passes} passes: not the experiment", color="C1", y=0.998
        )
    print(*ap.plot.save(figure, figures, "clusters"), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
