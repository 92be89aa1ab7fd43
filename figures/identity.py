"""The figure of the identity: what a small loss hides, how long A would take, and what helps.

Reads the tables and the trainings of experiments/identity.py, and draws figures/identity.pdf and
.png.

Shows: A linear network of 84 columns onto themselves has a tiny loss and has learned nothing but
the means. The advice as given solves it for 0 of 32 seeds, with the loss in standardised units too
for all 32.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import tyro
import xarray as xr
from matplotlib.axes import Axes

import approx as ap
from experiments import identity
from experiments.identity import ADAM, FEATURE, RAW, RAW_LOSS, SAMPLE, SCALED_LOSS, SGD, cell

FOLDER = Path(__file__).parent
EXAMPLES = {
    "A": "A as asked",
    "weights at 0": "A, weights at 0",
    "B": "B, 100 epochs",
    "A, per sample, loss too": "A, advice, loss too",
}
# Row: name, colour, line, and where the name stands
CURVES: dict[str, tuple[str, str, str, tuple[float, float]]] = {
    "A": ("A as asked", "#D55E00", "-", (1e6, 2.6)),
    "rate 0.4": ("rate 0.4", "#0072B2", "--", (2.5e5, 0.3)),
    cell(FEATURE, SCALED_LOSS, SGD): ("per feature,\nloss too", "#009E73", "-.", (1.5e4, 0.05)),
}
LEVELS = {1: "the mean alone", 1 - identity.LEARNED: "success"}
UPDATES = np.geomspace(1, 1e12, 600)
SMALL: dict[str, Any] = {"size": 6.5}
THREAD = "#D55E00"  # the colour of the thread's own numbers
DOTTED: dict[str, Any] = {"color": "0.6", "linewidth": 0.6, "linestyle": ":", "zorder": 0}


def quantiles(values: xr.DataArray) -> np.ndarray:
    """5, 50 and 95% of the seeds at every record."""
    seeds = values.transpose("seed", "step")
    return ap.stats.order_quantiles(seeds, (0.05, 0.5, 0.95), axis=0)


# ---- panels --------------------------------------------------------------------------------------


def draw_example(ax: Axes, row: ap.study.Row, runs: xr.Dataset, name: str) -> None:
    """The columns of one further row in the first seed's network: what goes in, what comes out.

    Both are in standard deviations from the mean. The error is that on all further rows.
    """
    _, apply = ap.models.functions(row.recipe.model)
    params = ap.params(runs, seed=0, kept_step=int(runs.kept_step[-1]))
    x = np.asarray(row.task.points().x)
    y = np.asarray(apply(params, x))
    error = float(np.mean((y.astype(float) - x) ** 2))
    r_squared = 1 - float(runs.unexplained.isel(seed=0, step=-1))

    mean, variance = identity.column_moments(row.task)
    shown = (np.stack([x[0], y[0]]) - mean) / np.sqrt(variance)
    ax.plot((-4, 4), (-4, 4), **DOTTED)
    ax.plot(*shown, "o", color="0.2", markersize=2.2, markeredgewidth=0)
    ax.set(xlim=(-3.4, 3.4), xticks=(-2, 0, 2), xlabel="input")
    ax.set(ylim=(-4.6, 4.6), yticks=(-4, -2, 0, 2, 4))
    says = f"error {error:.1g}\nR² {r_squared:.2f}"
    ax.text(0.03, 0.98, says, transform=ax.transAxes, va="top", **SMALL)
    ax.set_title(name, loc="left")


def draw_updates(ax: Axes, asked: ap.Study, trained: dict[str, xr.Dataset]) -> None:
    """1 - R² over updates: closed forms as lines, what was measured as marks."""
    for label, runs in trained.items():
        draw_curve(ax, asked.rows[label], runs)
    for level, name in LEVELS.items():
        ax.axhline(level, **DOTTED)
        ax.text(12, level, name, va="bottom", **SMALL)
    length = float(trained["A"].step[-1]) / 10
    for epochs, side in ((10, "right"), (200, "left")):
        ax.axvline(epochs * length, color="0.8", linewidth=0.6, zorder=0)
        ax.text(epochs * length, 1.1e-3, f" {epochs} epochs ", ha=side, size=6)
    ax.set(xscale="log", xlim=(10, 1e11), xlabel="updates")
    ax.set(yscale="log", ylim=(1e-3, 10), ylabel="1 - R²")
    ax.set_xticks([10, 1e3, 1e5, 1e7, 1e9, 1e11])
    ax.minorticks_off()


def draw_curve(ax: Axes, row: ap.study.Row, runs: xr.Dataset) -> None:
    """One row's 1 - R² over updates: its closed form, and what was measured."""
    name, color, line, place = CURVES[row.label]
    of = identity.expected(row.task, row.recipe)
    shares = identity.expected_share(of, row.task, runs, UPDATES)
    ax.plot(UPDATES, ap.stats.order_quantiles(shares, axis=0), line, color=color)
    later = runs.isel(step=slice(1, None))
    low, middle, high = quantiles(later.unexplained)
    ax.vlines(later.step, low, high, color=color, linewidth=1)
    ax.plot(later.step, middle, "o", color=color, markersize=3, markeredgecolor="white")
    ax.text(*place, name, color=color, **SMALL)


def draw_factorial(ax: Axes, answer: ap.study.Answer) -> None:
    """Share of seeds that learned it, and the median R², at all combinations of the factors."""
    rows = answer.main_rows.set_index("label")
    kinds = (RAW, SAMPLE, FEATURE)
    columns = [(loss, optimizer) for optimizer in (SGD, ADAM) for loss in (RAW_LOSS, SCALED_LOSS)]
    rates = np.full((len(kinds), len(columns)), np.nan)
    texts = np.full(rates.shape, "", object)
    for i, kind in enumerate(kinds):
        for j, column in enumerate(columns):
            label = cell(kind, *column)
            if label in rows.index:
                rates[i, j] = rows.loc[label].rate
                texts[i, j] = cell_text(rows.loc[label])
    names = ["raw\nrows", "per\nsample", "per\nfeature"]
    losses = ["raw\nloss", "scaled\nloss"] * 2
    ap.plot.table(rates, names, losses, ax, texts=texts, size=6)
    ax.tick_params(axis="x", labelsize=6.5)
    ax.axvline(1.5, color="white", linewidth=2)
    for x, name in ((0.5, "SGD 0.01"), (2.5, "Adam 0.001")):
        ax.text(x, -0.55, name, ha="center", va="bottom", size=7)


def cell_text(row: Any) -> str:
    """What a combination's cell says: percent of the seeds, its interval, and the median R²."""
    percent, low, high = (round(100 * end) for end in (row.rate, row.low, row.high))
    r_squared = f"R² {1 - row['median']:.2f}"
    if not row["median"] < 100:
        r_squared = "R² < -100"
    return f"{percent}\n[{low}, {high}]\n{r_squared}"


def draw_diagonal(ax: Axes, row: ap.study.Row, runs: xr.Dataset, answer: ap.study.Answer) -> None:
    """B's diagonal over epochs: its mean in closed form and measured, and the thread's.

    The least and the greatest value of the diagonal are drawn too.
    """
    length = float(runs.step[-1]) / 100
    epochs = runs.step.values / length
    draw_band(ax, epochs, runs.diagonal, "C0", "o")
    for name, shift, side in (("least", -0.1, "left"), ("greatest", 0.06, "right")):
        middle = draw_band(ax, epochs, runs[f"{name}_diagonal"], "0.5", "-")
        ax.text(48, np.interp(48, epochs, middle) + shift, name, color="0.4", ha=side, **SMALL)
    steps = np.arange(101) * round(length)
    path = identity.expected_diagonal(row.task, identity.RATE, steps)
    ax.plot(np.arange(101), path, color="0.2", linewidth=0.8, linestyle="--", zorder=3)
    ax.text(42, 0.03, "dashed: closed form\ndots: mean diagonal", **SMALL)

    numbers = answer.reported.set_index("number").value
    ends = numbers[[f"B: {name} diagonal, epoch 100" for name in ("least", "greatest")]]
    ax.vlines(103, *ends, color=THREAD, linewidth=2.5)
    ax.text(101, 0.93, "thread", color=THREAD, ha="right", **SMALL)
    ax.axhline(1, **DOTTED)
    ax.set(xlim=(0, 106), xlabel="epochs")
    ax.set(ylim=(-0.28, 1.05), ylabel="diagonal of the weights")


def draw_band(ax: Axes, x: np.ndarray, values: xr.DataArray, color: str, line: str) -> np.ndarray:
    """Median and 5 to 95% of the seeds; return the median."""
    low, middle, high = quantiles(values)
    ax.fill_between(x, low, high, color=color, alpha=0.35, linewidth=0)
    ax.plot(x, middle, line, color=color, linewidth=0.8, markersize=3)
    return middle


# ---- the figure ----------------------------------------------------------------------------------


def draw(asked: ap.Study, answer: ap.study.Answer) -> plt.Figure:
    """The figure of a study and its answer."""
    figure = plt.figure(figsize=(7.0, 4.9))
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.3, 2))
    top, bottom = parts
    small = top.subplots(1, len(EXAMPLES), sharey=True)
    for ax, (label, name) in zip(small, EXAMPLES.items(), strict=True):
        draw_example(ax, asked.rows[label], answer.runs(label), name)
    small[0].set_ylabel("output, in standard\ndeviations from the mean")

    b, c, d = bottom.subplots(1, 3, gridspec_kw={"width_ratios": (1.1, 1.2, 1)})
    there = set(answer.main_rows.label)
    trained = {label: answer.runs(label) for label in CURVES if label in there}
    draw_updates(b, asked, trained)
    draw_factorial(c, answer)
    draw_diagonal(d, asked.rows["B"], answer.runs("B"), answer)
    messages = {
        small[0]: small[0].get_title(loc="left"),
        b: "A needs 10¹⁰ updates",
        c: "Scale rows and loss (% of seeds)",
        d: "B's diagonal, as predicted",
    }
    for letter, (ax, message) in zip("abcd", messages.items(), strict=True):
        ax.set_title(ap.plot.lettered(letter, message), loc="left", pad=14 if ax is c else 4)
    seeds = answer.main_rows.set_index("label").n
    figure.suptitle(
        f"84 columns to themselves by a linear network: {seeds['A']} seeds of A and B, "
        f"{seeds[identity.BASELINE]} of each change; bars and bands: 5 to 95% of the seeds",
        size=8,
    )
    return figure


def main(
    results: Path = identity.RESULTS,
    summaries: Path = identity.SUMMARIES,
    figures: Path = FOLDER,
    rows: int | None = None,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/identity.py wrote its results to.
        summaries: the folder that it wrote its tables to.
        figures: the folder to draw into.
        rows: at most so many in each data set, as the experiment was given.
        quick: draw the quick look, in results/quick.
    """
    note = ""
    if quick:
        results = summaries = figures = results / "quick"
        rows = min(rows or identity.QUICK_ROWS, identity.QUICK_ROWS)
        note = "quick look: few seeds and rows of data; not the experiment"
    answer = ap.study.Answer.load(summaries, identity.CASE, runs=results / identity.CASE)
    plt.style.use(ap.plot.STYLE)
    figure = draw(identity.study(rows), answer)
    print(*ap.plot.save(figure, figures, identity.CASE, note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
