"""The figure of the clusters: what the network of 0.6 really has, what each remedy changes, and what limits it.

Reads results/clusters_{RECIPE}.nc and experiments/summaries/clusters_{references,remedies,factorial,kinds}.csv, which
experiments/clusters.py writes, and draws figures/clusters.pdf and .png.
"""

from pathlib import Path

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
REPORTED = {"test_accuracy": {1: 0.812, 3: 0.814, 298: 0.7685, 300: 0.778}, "batch_accuracy": {1: 0.572, 300: 0.61}}
LINES = {
    "least squares": "least squares",
    "Bayes' rule of the direction of x, all that is known without biases": "limit without biases",
    "softmax": "linear softmax",
    "Bayes' rule": "Bayes",
}
RECIPES = {
    "literal": "literal",
    "mask corrected": "mask's factor right",
    "relu corrected": "relu's derivative right",
    "both corrected": "both right",
    "cross-entropy": "cross-entropy",
    "normalised": "normalised",
    "biases": "biases",
    "no dropout": "no dropout",
    "all advice": "biases, cross-entropy,\nnormalised",
    "everything": "… no dropout,\nright derivatives",
}
FACTORS = {"biases": "B", "cross-entropy": "C", "normalised": "N", "no dropout": "D"}
# Panels as shares of the page, by hand: names on both sides of some are wider than any grid's margins.
PLACES = {
    "a": (0.07, 0.705, 0.31, 0.225),
    "b": (0.645, 0.705, 0.235, 0.225),
    "c": (0.15, 0.365, 0.29, 0.245),
    "d": (0.645, 0.365, 0.33, 0.245),
    **{letter: (0.015 + 0.247 * n, 0.03, 0.229, 0.229 * 7.0 / 7.9) for n, letter in enumerate("efgh")},
}
WIDE = 5.0  # half the side of the maps
CLASSES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")


def over_passes(runs: xr.Dataset, ax: Axes) -> None:
    """Accuracy of the literal network over the passes: judged without dropout, and as the thread counted it."""
    passes = runs.step.values[1:] / ROWS
    ends = []
    for number, (of, text) in enumerate(
        {"test_accuracy": "test rows", "batch_accuracy": "counted\nin training"}.items()
    ):
        quantiles = ap.stats.quantiles(runs, of=of)[of].transpose("quantile", "step").values[:, 1:]
        ap.plot.learning.bands(ax, passes, quantiles, f"C{number}")
        ends.append((quantiles[2], text, f"C{number}"))
        ax.plot(*zip(*REPORTED[of].items(), strict=True), "kx", ms=4, mew=1.0, zorder=5, clip_on=False)
    training = runs.accuracy.median("seed").values[1:]
    ax.plot(passes, training, color="C2", ls=(0, (4, 1.5)))
    ends.append((training, "training rows,\nno dropout", "C2"))
    ax.plot([], [], "kx", ms=4, mew=1.0, label="the thread's numbers")
    ax.legend(loc="center left", bbox_to_anchor=(0, 0.42), handletextpad=0.2)
    ax.set(
        xscale="log", xlim=(1, passes[-1]), ylim=(0.5, 0.9), xlabel="passes over the training rows", ylabel="accuracy"
    )
    ap.plot.series.corner(ax, runs.sizes["seed"], "lower left")
    ap.plot.series.label_ends(ax, ends)


def remedies(all_runs: dict[str, xr.Dataset], table: pd.DataFrame, lines: pd.Series, ax: Axes) -> None:
    """Test accuracy of each recipe at the end, and on which share of the seeds it beats the literal one."""
    passes = int(all_runs["literal"].step[-1]) // ROWS
    for y, label in enumerate(RECIPES):
        low, lower, mid, upper, high = np.quantile(
            all_runs[label].test_accuracy.isel(step=-1), (0.05, 0.25, 0.5, 0.75, 0.95)
        )
        color = "0.3" if label == "literal" else "C0"
        ax.hlines(y, low, high, color=color, lw=0.8)
        ax.hlines(y, lower, upper, color=color, lw=2.6)
        ax.plot(mid, y, "o", color="white", markeredgecolor=color, ms=3.5)
        row = table.loc[label]
        text = "better on" if label == "literal" else f"{row.better:.0%} [{row.better_low:.0%}, {row.better_high:.0%}]"
        ax.annotate(text, (1, y), (3, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
                    size=6.0)  # fmt: skip
    for n, (name, text) in enumerate(LINES.items()):
        ax.axvline(lines[name], color="0.55", lw=0.6, ls=(0, (3, 2)), zorder=0)
        ax.annotate(text, (lines[name], 1), (0, 1 + 7 * (n % 2)), xycoords=("data", "axes fraction"),
                    textcoords="offset points", ha="center", size=6.0, color="0.35")  # fmt: skip
    ax.set_yticks(range(len(RECIPES)), list(RECIPES.values()), size=6.5)
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(RECIPES) - 0.5, -0.6), xlabel=f"test accuracy after {passes} passes (5–95%, 25–75%, median)")


def effects(table: pd.DataFrame, ax: Axes) -> None:
    """Main effects and interactions of the factorial."""
    for y, row in enumerate(table.itertuples()):
        decided = row.low > 0 or row.high < 0
        color = ("C0", "C1", "C2", "C3")[int(row.order) - 1]
        ax.hlines(y, 100 * row.low, 100 * row.high, color=color, lw=1.2)
        ax.plot(100 * row.effect, y, "o", color=color, mfc=color if decided else "white", ms=3.5)
    ax.axvline(0, color="0.5", lw=0.6, zorder=0)
    ax.set_yticks(range(len(table)), [short(str(name)) for name in table.index], size=6)
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(table) - 0.4, -0.6), xlabel="effect on test accuracy, points (95%)")
    ap.plot.series.corner(ax, int(table.n.iloc[0]), "lower right")


def short(factors: str) -> str:
    """A factor with its letter, or the letters of an interaction."""
    letters = [FACTORS[name] for name in factors.split(" × ")]
    return " × ".join(letters) if len(letters) > 1 else f"{factors} ({letters[0]})"


def recalls(table: pd.DataFrame, ax: Axes) -> None:
    """Mean share of each class that is found."""
    for c in range(4):
        ax.plot(table.loc[list(RECIPES), f"recall_{c}"], range(len(RECIPES)), "osD^"[c], color=CLASSES[c], ms=4,
                label=f"class {c}", clip_on=False)  # fmt: skip
    ax.set_yticks(range(len(RECIPES)), list(RECIPES.values()), size=6.5)
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(RECIPES) - 0.5, -0.6), xlabel="share of the class's test rows that is found, mean over seeds")
    ax.legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 0.98), handletextpad=0.0, columnspacing=0.8, borderpad=0.1)


def plane(x: np.ndarray) -> np.ndarray:
    """Axes (2, 5) of the plane in which the classes lie: the last column is noise, the others have rank two."""
    axes = np.linalg.svd(x[:, :4], full_matrices=False)[2][:2]
    return np.column_stack([axes, np.zeros(2)])


def region(outputs, task, title: str, ax: Axes) -> None:
    """Which class each point of the plane is given to, the rows, and where the origin is."""
    axes = plane(task.x)
    grid = np.linspace(-WIDE, WIDE, 281)
    points = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2) @ axes
    given = np.asarray(outputs(points)).argmax(1).reshape(grid.size, grid.size)
    colors = ListedColormap(CLASSES)
    ax.imshow(given, cmap=colors, vmin=-0.5, vmax=3.5, origin="lower", extent=(-WIDE, WIDE) * 2, alpha=0.3,
              interpolation="nearest")  # fmt: skip
    rows = slice(0, 500)
    u, v = (task.x_test[rows] @ axes.T).T
    ax.scatter(u, v, c=task.y_test[rows], cmap=colors, vmin=-0.5, vmax=3.5, s=1.6, lw=0)
    ax.plot(0, 0, "k+", ms=6, mew=1.0)
    right = np.asarray(outputs(task.x_test)).argmax(1) == task.y_test
    ax.text(0, 1.03, f"{title}: {right.mean():.3f}", size=7, transform=ax.transAxes)
    ax.set(xticks=[], yticks=[], xlim=(-WIDE, WIDE), ylim=(-WIDE, WIDE))
    for side in ax.spines.values():
        side.set_visible(True)


def bayes(task):
    """The rule of the fitted Gaussians in the plane."""
    axes = plane(task.x)

    def outputs(x):
        logs = []
        for c in range(4):
            z = task.x[task.y == c] @ axes.T
            away, s = x @ axes.T - z.mean(0), np.cov(z.T)
            logs.append(-(away * np.linalg.solve(s, away.T).T).sum(1) - np.linalg.slogdet(s)[1])
        return np.stack(logs, 1)

    return outputs


def example(runs: xr.Dataset, model, quantile: float):
    """The network whose test accuracy at the end is at that quantile of all seeds."""
    accuracy = runs.test_accuracy.isel(step=-1)
    seed = int(runs.seed[np.argsort(accuracy.values)[round(quantile * (runs.sizes["seed"] - 1))]])
    params = ap.params(runs, seed=seed)
    return lambda x: model.apply(params, np.asarray(x, np.float32))


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
        quick: draw what `experiments/clusters.py --quick` left in the folder quick of `results`, into that folder.
    """
    if quick:
        results = summaries = figures = results / "quick"
    runs = {label: ap.load(results / f"clusters_{label.replace(' ', '_').replace('-', '_')}.nc") for label in RECIPES}
    tables = {
        name: pd.read_csv(summaries / f"clusters_{name}.csv", index_col=0)
        for name in ("references", "remedies", "factorial", "confusion")
    }
    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 7.9), layout="none")
    axes = {letter: figure.add_axes(place) for letter, place in PLACES.items()}
    a, b, c, d = (axes[letter] for letter in "abcd")
    over_passes(runs["literal"], a)
    compared = slice(None, int(runs["biases"].step[-1]))  # the passes after which all are compared
    runs = {label: one.sel(step=compared) for label, one in runs.items()}
    remedies(runs, tables["remedies"], tables["references"].test_accuracy, b)
    effects(tables["factorial"], c)
    recalls(tables["confusion"], d)
    task = ap.tasks.clusters(loss="cross_entropy")
    plain = ap.MLP((10,), "relu", outputs=4, bias=False)
    whole = ap.scalings.features(ap.MLP((10,), "relu", outputs=4), task.x)
    maps = {
        "Bayes' rule": bayes(task),
        "literal, worst 5%": example(runs["literal"], plain, 0.05),
        "literal, median": example(runs["literal"], plain, 0.5),
        "everything, median": example(runs["everything"], whole, 0.5),
    }
    for (title, outputs), letter in zip(maps.items(), "efgh", strict=True):
        region(outputs, task, title, axes[letter])
    titles = {
        a: "0.6 is how it counts: it has 0.8",
        b: "",
        c: "Factors",
        d: "Classes",
    }
    for letter, (ax, title) in zip("abcd", titles.items(), strict=True):
        pad = {b: 18, d: 14}.get(ax, 6)
        ax.set_title(rf"$\bf{{{letter}}}$  {title}", pad=pad)
    axes["e"].set_title(r"$\bf{e}$  Without biases", pad=16)
    if quick:
        seeds, passes = runs["literal"].sizes["seed"], compared.stop // ROWS
        figure.suptitle(f"Quick look: {seeds} seeds, {passes} passes: not the experiment", color="C1")
    print(*ap.plot.save(figure, figures, "clusters"), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
