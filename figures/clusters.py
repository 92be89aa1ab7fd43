"""The figure of the clusters: what the network of 0.6 really has, why advice fails, and what limits
it.

Reads results/clusters_{RECIPE}.nc and
experiments/summaries/clusters_{references,remedies,factorial,kinds}.csv, which
experiments/clusters.py writes, and draws figures/clusters.pdf and .png.

Shows: The network said to be stuck at 0.6 has 0.81 when its dropout is off. Relu's wrong derivative
turns biases and cross-entropy into harm; with the right one both help, and with everything all
seeds work.
"""

import re
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
ROWS = 8_000
# What the thread prints, by pass from 1: test accuracy, and accuracy counted in training.
REPORTED = {
    "test_accuracy": {1: 0.812, 3: 0.814, 298: 0.7685, 300: 0.778},
    "batch_accuracy": {1: 0.572, 300: 0.61},
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
CLASSES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")


def path_of(results: Path, label: str) -> Path:
    """Where the runs of a recipe are kept."""
    return results / f"clusters_{re.sub(r'[^A-Za-z0-9]+', '_', label)}.nc"


def passes_axis(ax: Axes, last: float) -> None:
    """A logarithmic axis of passes."""
    ax.set(xscale="log", xlim=(1, last), xlabel="passes over the training rows")
    ax.xaxis.set_major_formatter("{x:g}")


def over_passes(runs: xr.Dataset, ax: Axes) -> None:
    """Accuracy of the literal network over the passes: judged without dropout, and as the thread
    counted it.
    """
    passes = runs.step.values[1:] / ROWS
    training = ap.stats.quantiles(runs, of="accuracy", q=0.5).accuracy.isel(quantile=0).values[1:]
    ax.plot(passes, training, color="C2", ls=(0, (4, 1.5)), zorder=1)
    ends: list[Any] = [(training, "training rows,\nno dropout", "C2")]
    for number, (of, text) in enumerate(
        {
            "test_accuracy": "test rows",
            "batch_accuracy": "training rows,\nas counted:\nwith dropout",
        }.items()
    ):
        quantiles = ap.stats.quantiles(runs, of=of)[of].transpose("quantile", "step").values[:, 1:]
        ap.plot.learning.bands(ax, passes, quantiles, f"C{number}")
        ends.append((quantiles[2], text, f"C{number}"))
        x, y = zip(*[(x, y) for x, y in REPORTED[of].items() if x <= passes[-1]], strict=True)
        ax.plot(x, y, "kx", ms=4, mew=1.0, zorder=5, clip_on=False)
    ax.plot([], [], "kx", ms=4, mew=1.0, label="the thread's numbers")
    ax.legend(loc="center left", bbox_to_anchor=(0, 0.52), handletextpad=0.2)
    ax.set(ylim=(0.5, 0.87), ylabel="accuracy")
    passes_axis(ax, passes[-1])
    ap.plot.series.corner(ax, runs.sizes["seed"], "lower left")
    ap.plot.series.label_ends(ax, ends)


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
    ap.plot.series.corner(ax, runs.sizes["seed"], "lower left")
    ap.plot.series.label_ends(ax, ends)


def remedies(
    all_runs: dict[str, xr.Dataset], table: pd.DataFrame, lines: pd.Series, ax: Axes
) -> None:
    """Test accuracy of each recipe, and on which share of the seeds it beats the literal one."""
    beside: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"),
        "textcoords": "offset points",
        "va": "center",
    }
    for y, label in enumerate(RECIPES):
        last = all_runs[label].isel(step=-1)
        low, lower, mid, upper, high = ap.stats.quantiles(
            last, of="test_accuracy"
        ).test_accuracy.values
        color = "0.3" if label == "literal" else "C0"
        ax.hlines(y, low, high, color=color, lw=0.8)
        ax.hlines(y, lower, upper, color=color, lw=2.6)
        ax.plot(mid, y, "o", color="white", markeredgecolor=color, ms=3.5)
        row = table.loc[label]
        ap.plot.kinds.check_number(f"the median test accuracy of {label}", mid, row.q50)
        text = "better than literal:"
        if label != "literal":
            text = f"{row.better:.0%} [{row.better_low:.0%}, {row.better_high:.0%}]"
        ax.annotate(text, (1, y), (6, 0), size=6.0, **beside)
    above: dict[str, Any] = {
        "xycoords": ("data", "axes fraction"),
        "textcoords": "offset points",
        "color": "0.35",
    }
    for name, (text, side, height) in LINES.items():
        ax.axvline(lines[name], color="0.55", lw=0.6, ls=(0, (3, 2)), zorder=0)
        ax.annotate(
            text,
            (lines[name], 1),
            (3 if side == "right" else -3, height),
            ha=side,
            size=6.0,
            **above,
        )
    ax.set_yticks(range(len(RECIPES)), list(RECIPES.values()), size=6.5)
    ax.tick_params(axis="y", length=0)
    passes = int(all_runs["literal"].step[-1]) // ROWS
    ax.set(ylim=(len(RECIPES) - 0.5, -0.6), xlim=(0.4, 0.96))
    ax.set_xlabel(f"test accuracy after {passes} passes (5–95%, 25–75%, median)", size=7)


def endings(table: pd.DataFrame, ax: Axes) -> None:
    """Where the seeds of each recipe are, as stacked bars in the rows of the panel beside."""
    for y, label in enumerate(RECIPES):
        begin = 0.0
        ap.plot.kinds.check_colors(table.loc[label].kind, KINDS)
        for row in table.loc[label].itertuples():
            shown: dict[str, Any] = {
                "color": KINDS[row.kind],
                "label": row.kind if y == 0 else None,
            }
            ax.barh(y, row.rate, 0.66, begin, edgecolor="white", lw=0.4, **shown)
            begin += row.rate
        ends = np.cumsum(table.loc[label].seeds.to_numpy())[:-1]
        n = int(table.loc[label].n.iloc[0])
        for k, low, high in zip(ends, *ap.stats.binomial_interval(ends, n), strict=True):
            if 0 < k < n:
                ax.hlines(y + 0.4, low, high, color="0.2", lw=0.8)
    ax.set(ylim=(len(RECIPES) - 0.5, -0.6), xlim=(0, 1), yticks=[])
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    ax.set_xlabel(f"share of seeds (n = {n})", size=7)
    place: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.4, 0.99), "borderpad": 0.1}
    ax.legend(
        ncols=2, handlelength=0.9, columnspacing=0.8, handletextpad=0.4, fontsize=6.0, **place
    )


def effects(table: pd.DataFrame, ax: Axes) -> None:
    """Main effects and interactions of the factorial."""
    for y, row in enumerate(table.itertuples()):
        decided = row.low > 0 or row.high < 0
        color = ("C0", "C1", "C2", "C3")[int(row.order) - 1]
        ax.hlines(y, 100 * row.low, 100 * row.high, color=color, lw=1.2)
        ax.plot(100 * row.effect, y, "o", color=color, mfc=color if decided else "white", ms=3.5)
    ax.axvline(0, color="0.5", lw=0.6, zorder=0)
    ax.set_yticks(range(len(table)), [short(str(name)) for name in table.index], size=6.5)
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(table) - 0.4, -0.6))
    ax.set_xlabel("effect on test accuracy, points (95%); derivatives wrong", size=7)
    ap.plot.series.corner(ax, int(table.n.iloc[0]), "lower right")


def short(factors: str) -> str:
    """A factor with its letter, or the letters of an interaction."""
    letters = [FACTORS[name] for name in factors.split(" × ")]
    return " × ".join(letters) if len(letters) > 1 else f"{factors} ({letters[0]})"


def plane(x: np.ndarray) -> np.ndarray:
    """Axes (2, 5) of the plane in which the classes lie: the last column is noise, the others have
    rank two.
    """
    axes = np.linalg.svd(x[:, :4], full_matrices=False)[2][:2]
    return np.column_stack([axes, np.zeros(2)])


def region(outputs, task, title: str, ax: Axes) -> None:
    """Which class each point of the plane is given to, the rows, and where the origin is."""
    axes = plane(task.x)
    grid = np.linspace(-WIDE, WIDE, 281)
    points = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2) @ axes
    given = np.asarray(outputs(points)).argmax(1).reshape(grid.size, grid.size)
    colors = ListedColormap(CLASSES)
    shown: dict[str, Any] = {"cmap": colors, "vmin": -0.5, "vmax": 3.5}
    ax.imshow(
        given, origin="lower", extent=(-WIDE, WIDE) * 2, alpha=0.3, interpolation="nearest", **shown
    )
    u, v = (task.x_test[:500] @ axes.T).T
    ax.scatter(u, v, c=task.y_test[:500], s=1.6, lw=0, **shown)
    ax.plot(0, 0, "k+", ms=6, mew=1.0)
    right = np.asarray(outputs(task.x_test)).argmax(1) == task.y_test
    ax.text(0, 1.02, f"{title}: {right.mean():.2f}", size=6.5, transform=ax.transAxes)
    ax.set(xticks=[], yticks=[], xlim=(-WIDE, WIDE), ylim=(-WIDE, WIDE))
    for side in ax.spines.values():
        side.set_visible(True)


def bayes(task):
    """The rule of the classes' Gaussians, with moments of the rows nearest to them: some labels are
    random.
    """
    axes = plane(task.x)
    found = []
    for c in range(4):
        z = task.x[task.y == c] @ axes.T
        for _ in range(5):  # without what lies beyond the 99.9% ellipse
            away, s = z - z.mean(0), np.cov(z.T)
            z = z[(away * np.linalg.solve(s, away.T).T).sum(1) < 13.8]
        found.append((z.mean(0), np.cov(z.T)))

    def outputs(x):
        away = [(x @ axes.T - m, s) for m, s in found]
        return np.stack(
            [-(d * np.linalg.solve(s, d.T).T).sum(1) - np.linalg.slogdet(s)[1] for d, s in away], 1
        )

    return outputs


def example(runs: xr.Dataset, model, quantile: float):
    """The network whose test accuracy is at that quantile of all seeds."""
    accuracy = runs.test_accuracy.isel(step=-1).fillna(-np.inf)
    seed = int(runs.seed[np.argsort(accuracy.values)[round(quantile * (runs.sizes["seed"] - 1))]])
    params = ap.params(runs, seed=seed)
    return lambda x: model.apply(params, jnp.asarray(x, "float32"))


def main(
    results: Path = FOLDER.parent / "results",
    summaries: Path = FOLDER.parent / "experiments" / "summaries",
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
    remedies(runs, tables["remedies"], tables["references"].test_accuracy, axes["c"])
    endings(tables["kinds"], axes["kinds"])
    effects(tables["factorial"], axes["d"])
    task = ap.tasks.clusters(loss="cross_entropy")
    plain, biased = (ap.MLP((10,), "relu", outputs=4, bias=bias) for bias in (False, True))
    maps = {
        "Bayes' rule": bayes(task),
        "literal, median seed": example(runs["literal"], plain, 0.5),
        "biases, 25% seed": example(runs["biases"], biased, 0.25),
        "everything, median seed": example(
            runs["everything"], ap.scalings.features(biased, task.x), 0.5
        ),
    }
    for (title, outputs), letter in zip(maps.items(), "efgh", strict=True):
        region(outputs, task, title, axes[letter])
    for c, place in enumerate(NAMED):
        axes["e"].text(*place, f"class {c}", size=6, ha="center", va="center")
    titles = {
        "a": ("The network is not stuck at 0.6: that is its dropout", 6),
        "b": ("Advice fails while relu's derivative is wrong", 6),
        "c": ("With relu's derivative wrong, biases or cross-entropy alone lose whole classes", 24),
        "d": ("After 30 passes biases still help", 6),
        "e": ("Without biases all borders meet at the origin (+)", 14),
    }
    for letter, (title, pad) in titles.items():
        axes[letter].set_title(rf"$\bf{{{letter}}}$  {title}", pad=pad)
    if quick:
        seeds, passes = runs["literal"].sizes["seed"], compared.stop // ROWS
        figure.suptitle(
            f"Quick look: {seeds} seeds, {passes} passes: not the experiment", color="C1", y=0.998
        )
    print(*ap.plot.save(figure, figures, "clusters"), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
