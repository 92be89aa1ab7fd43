"""The figure of the identity: what a small loss hides, why A does not move, and which advice helps.

Reads results/identity_{label}.nc and identity_{curves,kinds,examples,diagonal}.csv beside them,
which experiments/identity.py writes, and draws figures/identity.pdf and .png. What it says of the
seeds must be what experiments/summaries/identity_{failures,outcomes}.csv say of them.

Shows: A linear network of 84 columns onto themselves has a tiny loss and has learned nothing but
the means. The advice as given solves it for 0 of 32 seeds, with the loss in standardised units too
for all 32.
"""

import csv
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
import xarray as xr
from matplotlib.axes import Axes

import approx as ap

FOLDER = Path(__file__).parent
SUMMARIES = FOLDER.parent / "experiments" / "summaries"
A_EPOCH = 12_192  # updates
MEAN, SD = 1.1090579, 0.0012380764  # of A's columns; B's are U[0, 1)
LEARNED = 0.99
COLORS = {
    "learned": "#0072B2",
    "on the way": "#009E73",
    "mean only": "#E69F00",
    "noise added": "#D55E00",
    "means jitter": "#56B4E9",
    "shrunk outputs": "#CC79A7",
    "on no plateau": "#F0E442",
    "diverged": "0.35",
}
# A plateau without a name is nobody's known error
GROUPED = {kind: kind for kind in COLORS} | {"at": "on no plateau"}
EXAMPLES = {  # label: (title, what it is)
    "A": ("noise added", "A as asked"),
    "zero_weights": ("mean only", "A from weights at 0"),
    "B": ("on the way", "B, 100 epochs"),
    "A_per_sample_z": ("learned", "A, per sample, loss too"),
}
# The rows of the panel of all recipes, in groups.
ROWS: dict[str, str] = {
    "A": "A as asked",
    "A_per_sample": "A, per sample (the advice)",
    "A_per_sample_z": "A, per sample, loss too",
    "B": "B, uniform",
    "C": "C, uniform, 5 columns",
    "none_data_sgd": "A, 16,000 rows",
    "sample_data_sgd": "per sample",
    "sample_z_sgd": "per sample, loss too",
    "feature_data_sgd": "per feature",
    "feature_z_sgd": "per feature, loss too",
    "none_data_adam": "Adam 0.001",
    "momentum": "momentum 0.9",
    "rate": "rate 0.4, half the largest stable",
    "none_z_sgd": "rate 0.01 / variance",
    "no_bias": "no bias",
    "zero_weights": "weights at 0",
    "small_weights": "weights U(-0.05, 0.05)",
    "identity": "weights at I",
    "l1": "L1 on the outputs",
    "l2": "L2 on the outputs",
    "lbfgs": "L-BFGS, 1,000 rows",
}
# Rows after which a line stands: the literal ones, and the one that the others change
GROUPS = (5, 6)
LEAST, MOST = 1e-6, 1e6
MARKED = (  # lines over the recipes: 1 - R², name, on which side of the line
    (1 - LEARNED, "R² 0.99 ", "right"),
    (1, "mean ", "right"),
    (2, " noise", "left"),
)
CURVES = {  # label of the closed form: (name, colour of what became of it, place of the name)
    "A": ("A as asked", COLORS["noise added"], (1e7, 2.6)),
    "rate": ("rate 0.4", COLORS["means jitter"], (3e7, 0.3)),
    "feature_z_sgd": ("per feature,\nloss too", COLORS["learned"], (2.2e4, 0.05)),
}
LEVELS = {1: "the mean", 0.5: "best of\n42 units", 1 / 84: "best of\n83 units"}
MESSAGES = {
    "b": "All seeds of a recipe learn it, or none",
    "c": "A needs 10¹⁰ updates",
    "d": "Standardise; for SGD the loss too (% of seeds)",
    "e": "B's diagonal, as predicted",
    "f": "B's loss, nearly as reported",
}
PADS = {"b": 14, "c": 14, "d": 14}  # points between title and panel
# B's losses in the table of reported numbers: (variable, epoch, name there)
REPORTED = (
    *(("batch_loss", n, f"B: batch loss, epoch {n}") for n in (1, 2, 3, 98, 99, 100)),
    *(("validation_loss", n, f"B: validation loss, epoch {n}") for n in (1, 2, 3, 100)),
)
ROUNDING = 5e-5  # of the thread's losses, which have four decimals


def reported() -> pd.Series:
    """The thread's numbers, by their names."""
    return pd.read_csv(SUMMARIES / "identity_reported.csv", index_col="number").value


def read(path: Path) -> list[dict]:
    """Rows of a table."""
    with path.open() as file:
        return list(csv.DictReader(file))


def unexplained(runs: xr.Dataset) -> xr.DataArray:
    """1 - R²: 0 is the identity, 1 the means alone."""
    left = 1 - runs.r_squared
    return left.where(np.isfinite(left), np.inf)


def median_r_squared(runs: xr.Dataset) -> float:
    """The median R² at the end, over seeds; those that diverged have the smallest."""
    return float(ap.stats.order_quantiles(runs.r_squared.isel(step=-1), worst=-np.inf))


def draw_example(ax: Axes, label: str, rows: list[dict], runs: xr.Dataset) -> None:
    """One judged row's columns: what went in, and what came out.

    Both are in standard deviations from the mean.
    """
    mean, sd = (0.5, 1 / np.sqrt(12)) if label == "B" else (MEAN, SD)
    x = (np.array([float(row["input"]) for row in rows]) - mean) / sd
    y = (np.array([float(row["output"]) for row in rows]) - mean) / sd
    kind, name = EXAMPLES[label]
    ax.plot(
        (-4, 4),
        (-4, 4),
        color="0.6",
        linewidth=0.6,
        linestyle=":",
        zorder=0,
    )
    ax.plot(
        x,
        y,
        "o",
        color=COLORS[kind],
        markersize=2.2,
        markeredgewidth=0,
    )
    ax.set(
        xlim=(-3.4, 3.4),
        xticks=(-2, 0, 2),
        xlabel="input",
    )
    ax.set(ylim=(-4.6, 4.6), yticks=(-4, -2, 0, 2, 4))
    last = runs.isel(seed=0, step=-1)
    says = f"{name}\nMSE {float(last.mse):.2g}, R² {float(last.r_squared):.2f}"
    ax.text(
        0.03,
        0.99,
        says,
        transform=ax.transAxes,
        ha="left",
        va="top",
        size=6.5,
    )


def draw_recipes(ax: Axes, runs: dict[str, xr.Dataset], kinds: dict[str, np.ndarray]) -> None:
    """1 - R² of every seed of every recipe, coloured by what became of it.

    The share that learned it is written beside.
    """
    names = {label: name for label, name in ROWS.items() if label in runs}
    became = {label: ap.plot.drawn_as(kinds[label], GROUPED) for label in names}
    jitter = np.random.default_rng(0)
    beside: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"),
        "textcoords": "offset points",
        "size": 6.5,
    }
    for row, label in enumerate(names):
        left = np.clip(
            unexplained(runs[label]).isel(step=-1).values,
            LEAST,
            MOST,
        )
        heights = row + jitter.uniform(-0.3, 0.3, left.size)
        ap.plot.seed_dots(
            ax,
            left,
            became[label],
            COLORS,
            heights,
            clip_on=False,
        )
        rate = rate_of(runs[label])
        says = f"{int(rate.successes)} of {int(rate.n)}"
        ax.annotate(
            says,
            (1, row),
            (4, 0),
            va="center",
            **beside,
        )
    ax.annotate(
        "learned",
        (1, -0.75),
        (4, 0),
        va="bottom",
        **beside,
    )
    mark_recipes(ax, list(names.values()))
    there = {kind for found in became.values() for kind in found}
    seen = [kind for kind in COLORS if kind in there]
    for kind in seen:
        ax.plot(
            [],
            [],
            ".",
            color=COLORS[kind],
            markersize=6,
            label=kind,
        )
    ax.figure.legend(
        loc="outside lower center", ncols=len(seen), columnspacing=0.8, handletextpad=0
    )


def mark_recipes(ax: Axes, names: list[str]) -> None:
    """The axes of the panel of recipes, with lines at known values and between groups of rows."""
    for value, name, side in MARKED:
        ax.axvline(value, color="0.2", linewidth=0.6, linestyle=":", zorder=0)
        ax.text(value, -0.75, name, ha=side, va="bottom", size=6)
    for row in GROUPS:
        ax.axhline(row - 0.5, color="0.8", linewidth=0.6, zorder=0)
    ap.plot.row_axis(ax, names)
    ax.set(
        xscale="log",
        xlim=(LEAST, MOST),
        ylim=(len(names) - 0.4, -0.7),
    )
    ax.set_xticks([1e-6, 1e-4, 1e-2, 1, 1e2, 1e4, 1e6])
    ax.minorticks_off()
    ax.set_xlabel(
        "1 - R² = error / variance, one dot a seed\n"
        "(at the left edge: less; at the right: diverged)"
    )


def draw_modes(ax: Axes, runs: dict[str, xr.Dataset], curves: list[dict]) -> None:
    """1 - R² over updates: closed forms as lines, measured medians as marks.

    Levels show which bottlenecks have the same R².
    """
    for label in CURVES:
        if label in runs:
            draw_mode(ax, label, runs[label], curves)
    for left, name in LEVELS.items():
        ax.axhline(left, color="0.6", linewidth=0.6, linestyle=":", zorder=0)
        place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center"}
        ax.annotate(
            name,
            (1, left),
            (3, 0),
            textcoords="offset points",
            size=6,
            **place,
        )
    for epochs in (10, 200):
        updates = epochs * A_EPOCH
        ax.axvline(updates, color="0.8", linewidth=0.6, zorder=0)
        place = {"xycoords": ("data", "axes fraction"), "va": "bottom", "rotation": 90}
        text = f"{epochs} epochs"
        ax.annotate(
            text,
            (updates, 0),
            (1, 2),
            textcoords="offset points",
            size=6,
            **place,
        )
    said = "lines: closed form; marks: 5, 50, 95% of seeds"
    ax.text(0, 1.01, said, transform=ax.transAxes, va="bottom", size=6.5)
    ax.set(xscale="log", xlim=(10, 1e11), xlabel="updates")
    ax.set(yscale="log", ylim=(1e-3, 10), ylabel="1 - R²")
    ax.set_xticks([10, 1e3, 1e5, 1e7, 1e9, 1e11])
    ax.minorticks_off()


def draw_mode(ax: Axes, label: str, runs: xr.Dataset, curves: list[dict]) -> None:
    """One recipe's 1 - R² over updates: its closed form, and what was measured."""
    name, color, place = CURVES[label]
    rows = [row for row in curves if row["label"] == label]
    path = np.array([(float(row["step"]), float(row["unexplained"])) for row in rows])
    ax.plot(*path[path[:, 1] < 1e5].T, color=color)
    measured = unexplained(runs).isel(step=slice(1, None)).transpose("seed", "step")
    low, middle, high = ap.stats.order_quantiles(
        measured,
        (0.05, 0.5, 0.95),
        axis=0,
    )
    ax.plot(
        runs.step[1:],
        middle,
        "o",
        color=color,
        markersize=3,
        markeredgecolor="white",
    )
    ax.vlines(
        runs.step[1:],
        low,
        high,
        color=color,
        linewidth=1,
    )
    ax.text(
        *place,
        name,
        color=color,
        size=6.5,
        ha="right" if label == "rate" else "left",
    )


def draw_factorial(ax: Axes, runs: dict[str, xr.Dataset]) -> None:
    """Share of seeds that learned it, and the median R², at all combinations of three factors."""
    columns = [(units, optimizer) for optimizer in ("sgd", "adam") for units in ("data", "z")]
    rows = ("none", "sample", "feature")
    rates = np.full((len(rows), len(columns)), np.nan)
    texts = np.full(rates.shape, "", object)
    for i, standardised in enumerate(rows):
        for j, (units, optimizer) in enumerate(columns):
            label = f"{standardised}_{units}_{optimizer}"
            if label in runs:
                rates[i, j] = float(rate_of(runs[label]).rate)
                texts[i, j] = cell_text(runs[label])
    ap.plot.table(
        rates,
        ["raw", "per\nsample", "per\nfeature"],
        ["loss in\ndata's\nunits", "in stand-\nardised\nunits"] * 2,
        ax,
        texts=texts,
        size=6,
    )
    ax.tick_params(axis="x", labelsize=6.5)
    ax.axvline(1.5, color="white", linewidth=2)
    for x, name in ((0.5, "SGD 0.01"), (2.5, "Adam 0.001")):
        ax.text(x, -0.55, name, ha="center", va="bottom", size=7)


def rate_of(runs: xr.Dataset) -> xr.Dataset:
    """The share of seeds that learned it, with its interval."""
    return ap.stats.rate(ap.stats.success(runs, above=LEARNED, of="r_squared"))


def cell_text(runs: xr.Dataset) -> str:
    """What a cell of the factorial says: percent, its interval, and the median R²."""
    rate, middle = rate_of(runs), median_r_squared(runs)
    percent, low, high = (100 * float(rate[name]) for name in ("rate", "low", "high"))
    r_squared = f"R² {middle:.2f}" if abs(middle) < 100 else "R² < -100"
    return f"{percent:.0f}\n[{low:.0f}, {high:.0f}]\n{r_squared}"


def draw_diagonal(ax: Axes, runs: xr.Dataset, expected: list[dict], length: int) -> None:
    """B's diagonal over epochs: its mean in closed form and measured, and the thread's.

    The least and the greatest value of the diagonal are drawn too.
    """
    epochs = runs.step.values / length
    draw_band(ax, epochs, runs.diagonal, "o", "C0")
    for name, shift, side in (("least", -0.1, "left"), ("greatest", 0.06, "right")):
        middle = draw_band(
            ax,
            epochs,
            runs[f"{name}_diagonal"],
            "-",
            "C5",
        )
        y = np.interp(48, epochs, middle) + shift
        ax.text(48, y, name, color="C5", size=6.5, ha=side)
    path = np.array([(float(row["epoch"]), float(row["diagonal"])) for row in expected])
    ax.plot(*path.T, color="0.2", linewidth=0.8, linestyle="--", zorder=3)
    ax.text(42, 0.03, "dashed: closed form\ndots: mean diagonal", size=6.5)
    ends = reported()[[f"B: {name} diagonal, epoch 100" for name in ("least", "greatest")]]
    ax.vlines(103, *ends, color="#D55E00", linewidth=2.5)
    ax.text(101, 0.93, "thread", color="#D55E00", size=6.5, ha="right")
    ax.axhline(1, color="0.6", linewidth=0.6, linestyle=":", zorder=0)
    ax.set(
        xlim=(0, 106),
        ylim=(-0.28, 1.05),
        xlabel="epochs",
        ylabel="diagonal of the weights",
    )


def draw_band(
    ax: Axes, epochs: np.ndarray, values: xr.DataArray, line: str, color: str
) -> np.ndarray:
    """Median and 5 to 95% of the seeds over epochs; return the median."""
    seeds = values.transpose("seed", "step")
    low, middle, high = ap.stats.order_quantiles(
        seeds,
        (0.05, 0.5, 0.95),
        axis=0,
    )
    ax.fill_between(epochs, low, high, color=color, alpha=0.35, linewidth=0)
    ax.plot(epochs, middle, line, color=color, linewidth=0.8)
    return middle


def draw_loss(ax: Axes, runs: xr.Dataset, length: int) -> None:
    """B's losses over the thread's: 5, 50 and 95% of the seeds; grey: the thread's rounding."""
    there = [one for one in REPORTED if one[1] * length in runs.step]
    if len(there) < len(REPORTED):  # a quick look of fewer epochs
        ax.text(0.5, 0.5, "too few epochs", ha="center")
        return
    numbers = reported()
    for place, (of, epoch, name) in enumerate(there):
        value = numbers[name]
        seeds = runs[of].sel(step=epoch * length)
        low, middle, high = ap.stats.order_quantiles(seeds, (0.05, 0.5, 0.95)) / value
        color = "C0" if of == "batch_loss" else "C5"
        sides, rounding = (place - 0.4, place + 0.4), ROUNDING / value
        ax.fill_between(
            sides,
            1 - rounding,
            1 + rounding,
            color="0.8",
            linewidth=0,
        )
        ax.vlines(place, low, high, color=color, linewidth=2.5, alpha=0.6)
        ax.plot(place, middle, "_", color=color, markersize=6)
    ax.axhline(1, color="#D55E00", linewidth=0.8, zorder=0)
    ax.text(-0.4, 0.987, "thread, grey: its rounding", color="#D55E00", size=6.5, va="top")
    right: dict[str, Any] = {"size": 6.5, "ha": "right", "va": "top"}
    ax.text(
        9.4,
        1.13,
        f"5, 50, 95% of {runs.sizes['seed']} seeds",
        **right,
    )
    ax.text(9.4, 1.12, "training", color="C0", **right)
    ax.text(9.4, 1.11, "validation", color="C5", **right)
    ax.set_xticks(
        range(len(there)),
        [str(epoch) for _, epoch, _ in there],
        size=6.5,
    )
    ax.set(xlabel="epoch", xlim=(-0.6, len(there) - 0.4))
    ax.set(ylabel="our loss / the thread's", ylim=(0.975, 1.135))


def check_rates(runs: dict[str, xr.Dataset], table: list[dict]) -> None:
    """Refuse results that contradict the table.

    It holds the number of seeds that learned each recipe, and the median R².

    Raises:
        ValueError: naming the recipe and both numbers.
    """
    for row in table:
        label, n = row["label"], int(row["n"])
        rate = rate_of(runs[label])
        ap.plot.check_number(
            f"the number of seeds of {label}",
            int(rate.n),
            n,
        )
        said = round(float(row["rate"]) * n)
        ap.plot.check_number(
            f"how many seeds of {label} learned it",
            int(rate.successes),
            said,
        )
        middle = median_r_squared(runs[label])
        ap.plot.check_number(
            f"the median R² of {label}",
            middle,
            float(row["R²"].split()[0]),
        )


def read_kinds(results: Path, summaries: Path) -> dict[str, np.ndarray]:
    """What became of each seed, by recipe, as the summary counts them too.

    Raises:
        ValueError: the summary has other counts.
    """
    kinds: dict[str, Any] = {}
    for row in read_table(results, "kinds"):
        kinds.setdefault(row["label"], []).append(row["kind"])
    ap.plot.check_counts(kinds, read_table(summaries, "failures"))
    return {label: np.array(kind, object) for label, kind in kinds.items()}


def main(
    results: Path = FOLDER.parent / "results",
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/identity.py wrote its results to.
        summaries: the folder that it wrote its tables to.
        figures: the folder to draw into.
        quick: draw the quick look, in results/quick.
    """
    if quick:
        results = summaries = figures = results / "quick"
    tables = {name: read_table(results, name) for name in ("curves", "examples", "diagonal")}
    kinds = read_kinds(results, summaries)
    runs = {label: ap.load(results / f"identity_{label}.nc") for label in kinds}
    check_rates(runs, read_table(summaries, "outcomes"))
    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 8.6))
    parts: Any = figure.subfigures(3, 1, height_ratios=(1.55, 3.9, 2.35))
    small = parts[0].subplots(1, 4, sharey=True)
    b, c = parts[1].subplots(
        1,
        2,
        gridspec_kw={"width_ratios": (1.1, 1)},
    )
    d, e, f = parts[2].subplots(
        1,
        3,
        gridspec_kw={"width_ratios": (1.25, 1, 1)},
    )
    for ax, label in zip(small, EXAMPLES, strict=True):
        rows = [row for row in tables["examples"] if row["label"] == label]
        draw_example(ax, label, rows, runs[label])
        ax.set_title(EXAMPLES[label][0].capitalize())
    small[0].set_ylabel("output, in standard\ndeviations from the mean")
    draw_recipes(b, runs, kinds)
    draw_modes(c, runs, tables["curves"])
    draw_factorial(d, runs)
    length = int(tables["diagonal"][1]["step"])  # of an epoch
    draw_diagonal(e, runs["B"], tables["diagonal"], length)
    draw_loss(f, runs["B"], length)
    for letter, ax in zip("abcdef", (small[0], b, c, d, e, f), strict=True):
        title = MESSAGES.get(letter, ax.get_title(loc="left"))
        ax.set_title(
            ap.plot.lettered(letter, title),
            loc="left",
            pad=PADS.get(letter, 4),
        )
    n, more = runs["A"].sizes["seed"], runs["none_data_sgd"].sizes["seed"]
    figure.suptitle(
        f"84 columns to themselves by a linear network: {n} seeds of A, B and C, "
        f"{more} of each remedy",
        size=8,
    )
    note = f"quick look: {n} seeds, few updates and rows; not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "identity", note), sep="\n")
    plt.close(figure)


def read_table(results: Path, name: str) -> list[dict]:
    """A table that the experiment left beside its results.

    Raises:
        FileNotFoundError: if it did not.
    """
    path = results / f"identity_{name}.csv"
    if not path.exists():
        raise FileNotFoundError(f"{path}: run the experiment that writes it first")
    return read(path)


if __name__ == "__main__":
    tyro.cli(main)
