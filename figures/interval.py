"""The figure of the interval: what failed seeds become, which advice helps, what a success costs.

Reads results/interval_{label}.nc, results/interval_kinds.csv and
experiments/summaries/interval_{factorial,failures,restarts}.csv, which experiments/interval.py
writes, and draws figures/interval.pdf and .png.

Shows: The thread's recipe never finds one bump in one dimension; its answer's does for 85% of 2,048
seeds, not for all. Failures are plateaus of known value: the constant, one edge and a half.
"""

import csv
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
import xarray as xr
from matplotlib.axes import Axes
from scipy.special import expit

import approx as ap

FOLDER = Path(__file__).parent
SUMMARIES = FOLDER.parent / "experiments" / "summaries"
EPOCH = 10  # updates
ROWS = np.asarray(ap.tasks.interval().x)
CENTER, SCALE = ROWS.mean(), ROWS.std()
THIRD = np.log(3) - 2 / 3 * np.log(2)  # cross-entropy of the constant 1/3
EDGE = 2 / 3 * np.log(2)  # of 0 on one outer hundred and 1/2 on the other two
EXACT = {"constant": THIRD, "one edge": EDGE}
COLORS = {
    "learned": "#0072B2",
    "one edge": "#56B4E9",
    "constant": "#B8A800",
    "zero": "#CC79A7",
    "neither": "0.35",
}
# Drawn as "neither"; "at" a value without a name
OTHERS = ("not finished", "on no plateau", "diverged", "at")
GROUPED = {kind: kind for kind in COLORS if kind != "neither"} | dict.fromkeys(OTHERS, "neither")
BARS = {
    "learned": "learned",
    "one edge": "one edge",
    "constant": "constant ⅓",
    "zero": "else",
    "neither": "else",
}
PADS = {"b": 14, "c": 14, "d": 27, "e": 27, "f": 27, "g": 24}  # points between title and panel
KINDS = {  # title, and the probability at which the exact function is flat
    "learned": ("The interval", None),
    "one edge": ("One edge, then ½", 1 / 2),
    "constant": ("Constant ⅓", 1 / 3),
    "zero": ("0 throughout", None),
    "neither": ("In between", None),
}
MESSAGES = {
    "b": "Failures lie at two known losses, or between",
    "c": "z-scores and a rate of 0.1: both are needed",
    "d": "On raw x, one edge is found",
    "e": "Passes per success",
    "f": "One unit cannot; two can",
    "g": "All 270 recipes: z-scores decide, then rate and width (% of seeds with every row right)",
}
WIDTHS, INITS = (1, 2, 3, 4, 8), ("keras", "pytorch", "nnet")
# Cells by the name that panels give them: (label, epochs they are judged after, or None for the
# end).
NAMED: dict[str, tuple[str, int | None]] = {
    "raw, SGD 0.01 (literal)": ("raw_sgd0.01_keras_2_entropy", None),
    "raw, Adam 0.1": ("raw_adam0.1_keras_2_entropy", None),
    "z, SGD 0.01": ("z_sgd0.01_keras_2_entropy", None),
    "z, SGD 0.1": ("z_sgd0.1_keras_2_entropy", None),
    "z, Adam 0.1, 20 epochs (answer)": ("z_adam0.1_keras_2_entropy", 20),
    "z, Adam 0.1": ("z_adam0.1_keras_2_entropy", None),
    "raw, BFGS (R's nnet)": ("raw_bfgs_nnet_2_squares", None),
    "z, BFGS": ("z_bfgs_nnet_2_squares", None),
    "z, LM": ("z_lm_nnet_2_squares", None),
}
SHOWN = {name: cell for name, cell in NAMED.items() if name != "z, LM"}  # eight bars are the most
CURVES = {"z, Adam 0.1": "C0", "z, SGD 0.1": "C1", "z, SGD 0.01": "C2", "raw, Adam 0.1": "C3"}
OPTIMIZERS = {
    "SGD 0.01": "sgd0.01",
    "SGD 0.1": "sgd0.1",
    "Adam 0.1, 20": "adam0.1@20",
    "Adam 0.1": "adam0.1",
    "BFGS": "bfgs",
    "LM": "lm",
}
PRINTED = {  # what the thread prints: recipe -> its loss's name in the table of reported numbers
    "raw, SGD 0.01 (literal)": "literal: mean loss of epoch 1,000",
    "z, Adam 0.1, 20 epochs (answer)": "answer: mean loss of epoch 20",
}
RECIPES = {  # whose rates are drawn against width: (inputs, optimiser, initial weights, loss)
    "z, Adam 0.1": ("z", "adam0.1", "keras", "entropy"),
    "z, BFGS": ("z", "bfgs", "nnet", "squares"),
    "raw, Adam 0.1": ("raw", "adam0.1", "keras", "entropy"),
    "raw, BFGS": ("raw", "bfgs", "nnet", "squares"),
    "raw, SGD 0.01": ("raw", "sgd0.01", "keras", "entropy"),
}


def short(name: str) -> str:
    """A recipe's name without its remark."""
    return name.split(" (")[0].replace(", 20 epochs", ", 20 ep.")


def accurate(runs: xr.Dataset) -> xr.Dataset:
    """Success: every row on its side of one half."""
    return ap.stats.success(runs, above=1.0, of="accuracy")


def read(path: Path) -> list[dict]:
    """Rows of a table."""
    with path.open() as file:
        return list(csv.DictReader(file))


def read_kinds(path: Path, summaries: Path) -> dict[str, np.ndarray]:
    """What became of each seed of the named recipes.

    Plateaus other than the exact ones are "neither".

    Raises:
        ValueError: interval_failures.csv among the summaries has other counts.
    """
    kinds: dict[str, list[str]] = {}
    for row in read(path):
        kinds.setdefault(row["label"], []).append(row["kind"])
    ap.plot.check_counts(kinds, read(summaries / "interval_failures.csv"))
    found = {}
    for name, (label, epochs) in NAMED.items():
        judged = label if epochs is None else f"{label}@{epochs}"
        found[name] = ap.plot.drawn_as(kinds.get(judged, []), GROUPED)
    return found


def functions(runs: xr.Dataset, label: str, seeds: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Probabilities (seeds, points) at raw x of the networks at their end."""
    inputs = (x - CENTER) / SCALE if label.startswith("z_") else x
    hidden, output = ap.params(runs.isel(seed=seeds), kept_step=int(runs.kept_step[-1]))
    values = expit(inputs[:, None] @ hidden["w"] + hidden["b"][:, None])
    return expit(values @ output["w"] + output["b"][:, None])[..., 0]


def draw_kind(
    ax: Axes, kind: str, found: dict[str, np.ndarray], runs: dict[str, xr.Dataset]
) -> None:
    """A dozen functions of one kind, of the recipe in which it is the most frequent.

    Recipes of cross-entropy that are judged at their end are considered.
    """
    shares = {name: (found[name] == kind).mean() for name in found if NAMED[name][1] is None}
    name = max(shares, key=lambda one: shares[one])
    label, x = NAMED[name][0], np.linspace(-3, 33, 361)
    seeds = np.flatnonzero(found[name] == kind)[:12]
    shown = "no seed"
    if seeds.size:
        shown = f"{name.split(' (')[0]}: {shares[name]:.0%}"
        for probability in functions(runs[label], label, seeds, x):
            ax.plot(
                x,
                probability,
                color=COLORS[kind],
                linewidth=0.6,
                alpha=0.8,
            )
    for begin, end, height in ((0, 10, 0), (11, 20, 1), (21, 30, 0)):
        ax.hlines(height, begin, end, color="black", linewidth=2.2)
    title, flat = KINDS[kind]
    ax.set_title(title)
    if flat:
        ax.axhline(flat, color="0.2", linewidth=0.6, linestyle=":", zorder=0)
    ax.set(
        xlim=(-3, 33),
        xticks=(0, 10, 20, 30),
        xlabel="x",
    )
    ax.set(ylim=(-0.06, 1.3), yticks=(0, 0.5, 1))
    ax.text(
        0.5,
        0.995,
        shown,
        transform=ax.transAxes,
        ha="center",
        va="top",
        size=6.5,
    )


def final_loss(runs: xr.Dataset, epochs: int | None) -> np.ndarray:
    """The loss of every seed after so many epochs, or at the end."""
    if epochs is not None:
        runs = runs.sel(step=slice(0, epochs * EPOCH))
    return runs.loss.isel(step=-1).values


def draw_losses(ax: Axes, runs: dict[str, xr.Dataset], found: dict[str, np.ndarray]) -> None:
    """Final cross-entropy of every seed of every recipe of entropy.

    Lines show the exact plateaus, and crosses what the thread prints.
    """
    names = [name for name, (label, _) in NAMED.items() if label.endswith("entropy")]
    jitter = np.random.default_rng(0)
    for row, name in enumerate(names):
        label, epochs = NAMED[name]
        loss = final_loss(runs[label], epochs)
        heights = row + jitter.uniform(-0.32, 0.32, loss.size)
        dot: dict[str, Any] = {"markersize": 1.6, "rasterized": True}
        ap.plot.seed_dots(
            ax,
            loss,
            found[name],
            COLORS,
            heights,
            **dot,
        )
    for name, value, place in (("one edge", EDGE, "right"), ("constant", THIRD, "left")):
        ax.axvline(value, color="0.2", linewidth=0.6, linestyle=":", zorder=0)
        ax.text(
            value,
            -0.6,
            f" {name} ",
            ha=place,
            va="bottom",
            size=6.5,
        )
    printed = pd.read_csv(SUMMARIES / "interval_reported.csv", index_col="number").value
    for name, number in PRINTED.items():
        cross: dict[str, Any] = {"color": "#D55E00", "markersize": 5, "markeredgewidth": 1.3}
        ax.plot(
            printed[number],
            names.index(name),
            "x",
            **cross,
        )
    ap.plot.row_axis(ax, [short(name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.6)
    ax.set_xlim(-0.01, 0.7)
    ax.set_xlabel("cross-entropy at the end, one dot a seed (×: the thread's)")


def draw_curves(ax: Axes, runs: dict[str, xr.Dataset]) -> None:
    """Share of seeds in success against epochs."""
    rates = {}
    for name in (*CURVES, "raw, SGD 0.01 (literal)"):
        one = runs[NAMED[name][0]]
        hits = accurate(one.assign_coords(step=one.step / EPOCH))
        rates[name] = ap.stats.rate(hits, when="each")
    ap.plot.work_curve(rates, ax, label="epochs")
    ax.axvline(20, color="0.6", linewidth=0.6, linestyle=":", zorder=0)
    ax.text(21, 0.03, "20", color="0.4", size=6.5)


def draw_widths(ax: Axes, table: list[dict]) -> None:
    """Share of seeds in success against width, one line per recipe."""
    ends = []
    for number, (name, (inputs, optimizer, init, loss)) in enumerate(RECIPES.items()):
        color, rows = f"C{number}", {}
        for place, width in enumerate(WIDTHS):
            row = pick(table, inputs, optimizer, init, width, loss)
            if row is not None:
                rows[place] = [float(row[of]) for of in ("rate", "low", "high")]
        if not rows:
            continue
        rate, low, high = np.array(list(rows.values())).T
        ax.plot(list(rows), rate, "o-", color=color)
        ax.vlines(list(rows), low, high, color=color, linewidth=1)
        ends.append((rate, name, color))
    ax.set(xlabel="hidden units", xlim=(-0.2, len(WIDTHS) - 0.8))
    ax.set_xticks(range(len(WIDTHS)), list(map(str, WIDTHS)))
    ap.plot.share_axis(ax, "share of seeds in success")
    ax.set_ylim(-0.03, 1.03)
    ap.plot.label_ends(ax, ends)


def pick(
    table: list[dict], inputs: str, optimizer: str, init: str, width: int, loss: str
) -> dict | None:
    """One cell's row; Adam's after 20 epochs is called adam0.1@20."""
    name, _, epochs = optimizer.partition("@")
    cell = {"inputs": inputs, "optimizer": name, "init": init, "width": str(width), "loss": loss}
    rows = [row for row in table if cell.items() <= row.items()]
    rows.sort(key=lambda row: int(row["passes"]))
    if not rows:
        return None
    return rows[0] if epochs else rows[-1]


def draw_costs(ax: Axes, rows: list[dict]) -> None:
    """Expected passes through the rows until success if a failure is followed by a new seed.

    An open mark is the cost if trainings are cut off early.
    """
    costs = pd.DataFrame(rows).set_index("label")
    labels = [f"{label}@{epochs}" if epochs else label for label, epochs in SHOWN.values()]
    columns = {"cost": "cost", "cost low": "low", "cost high": "high"}
    cells = costs.loc[labels, list(columns)].rename(columns=columns).astype(float)
    cells["high"] = cells.high.clip(upper=1e9)  # beyond the axis
    ap.plot.forest(cells.to_xarray(), "cost", ax, log=True)
    text: dict[str, Any] = {"ha": "center", "va": "bottom", "size": 6.5}
    for y, label in enumerate(labels):
        cost, low = float(cells.cost[label]), float(cells.low[label])
        if np.isfinite(cost):
            there = float(costs.loc[label, "cost there"])
            ax.plot(there, y, "o", color="C0", markerfacecolor="white", markersize=3.5)
            ax.text(
                cost,
                y - 0.16,
                f"{cost:,.0f}",
                **text,
            )
        else:
            ax.text(
                low,
                y - 0.16,
                f"none in {int(costs.n[label]):,}",
                **text,
            )
    ax.set_yticks(range(len(SHOWN)), [""] * len(SHOWN))
    ax.set_ylim(len(SHOWN) - 0.45, -0.5)
    ax.set(xlim=(5, 1e7), xlabel="expected, with restarts\n(○: cut off early)")
    ax.set_xticks([10, 1e3, 1e5, 1e7])
    ax.minorticks_off()


def draw_shares(ax: Axes, found: dict[str, np.ndarray]) -> None:
    """What became of the seeds, in four classes, as stacked bars."""
    bars = list(dict.fromkeys(BARS.values()))
    parts = []
    for name in SHOWN:
        kinds = ap.plot.drawn_as(found[name], BARS)
        shares = ap.stats.shares(xr.Dataset({"kind": ("seed", kinds)}, attrs={"kinds": bars}))
        parts.append(shares.assign_coords(recipe=short(name)).expand_dims("recipe"))
    ap.plot.failure_causes(
        xr.concat(parts, "recipe", coords="minimal", combine_attrs="override"), ax
    )


def draw_factorial(ax: Axes, table: list[dict]) -> None:
    """Every cell's rate of success, in percent."""
    blocks = list(product(("entropy", "squares"), ("raw", "z")))
    rows = [(*block, name) for block, name in product(blocks, OPTIMIZERS)]
    rows = [row for row in rows if row[0] == "squares" or row[2] != "LM"]
    columns = list(product(INITS, WIDTHS))
    rates = np.full((len(rows), len(columns)), np.nan)
    for (i, (loss, inputs, name)), (j, (init, width)) in product(
        enumerate(rows), enumerate(columns)
    ):
        cell = pick(
            table,
            inputs,
            OPTIMIZERS[name],
            init,
            width,
            loss,
        )
        if cell is not None:
            rates[i, j] = float(cell["rate"])
    widths = [str(width) for _, width in columns]
    ap.plot.table(
        rates,
        [name for *_, name in rows],
        widths,
        ax,
        size=6,
    )
    ax.tick_params(axis="y", labelsize=6.5)
    ax.xaxis.tick_top()
    for number, init in enumerate(("Keras'", "PyTorch's", "nnet's")):
        said = f"{init} initial weights; hidden units:"
        ax.text(
            5 * number + 2,
            -1.75,
            said,
            ha="center",
            va="bottom",
            size=7,
        )
    for line in (4.5, 9.5):
        ax.axvline(line, color="white", linewidth=2)
    begin = 0
    for loss, inputs in blocks:
        many = sum(row[:2] == (loss, inputs) for row in rows)
        middle: dict[str, Any] = {"rotation": 90, "ha": "center", "va": "center", "size": 7}
        ax.text(
            -2.75,
            begin + many / 2 - 0.5,
            f"{inputs}, {loss}",
            **middle,
        )
        begin += many
        ax.axhline(begin - 0.5, color="white", linewidth=2)


def main(
    results: Path = FOLDER.parent / "results",
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/interval.py wrote its results to.
        summaries: the folder that it wrote its tables to.
        figures: the folder to draw into.
        quick: draw the quick look, in results/quick.
    """
    if quick:
        results = summaries = figures = results / "quick"
    table, costs = (read(summaries / f"interval_{name}.csv") for name in ("factorial", "restarts"))
    runs = {label: ap.load(results / f"interval_{label}.nc") for label, _ in NAMED.values()}
    found = read_kinds(results / "interval_kinds.csv", summaries)
    n = next(iter(runs.values())).sizes["seed"]
    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 9.3))
    rows: Any = figure.subfigures(4, 1, height_ratios=(1.35, 1.9, 2.2, 3.6))
    functions_ = rows[0].subplots(1, 5, sharey=True)
    b, c = rows[1].subplots(
        1,
        2,
        gridspec_kw={"width_ratios": (1.25, 1)},
    )
    d, e, f = rows[2].subplots(
        1,
        3,
        gridspec_kw={"width_ratios": (1, 0.85, 0.85)},
    )
    g = rows[3].subplots()
    for ax, kind in zip(functions_, KINDS, strict=True):
        draw_kind(ax, kind, found, runs)
    functions_[0].set_ylabel("P(y = 1)")
    draw_losses(b, runs, found)
    draw_curves(c, runs)
    draw_shares(d, found)
    draw_costs(e, costs)
    draw_widths(f, table)
    draw_factorial(g, table)
    for letter, ax in zip("abcdefg", (functions_[0], b, c, d, e, f, g), strict=True):
        title = MESSAGES.get(letter, ax.get_title(loc="left"))
        ax.set_title(
            ap.plot.lettered(letter, title),
            loc="left",
            pad=PADS.get(letter, 4),
        )
    look = f"{n:,} seeds of each recipe"
    if quick:
        look = f"quick look: {n} seeds, few epochs; not the experiment"
    figure.suptitle(
        "One interval in one dimension; 1-2-1 sigmoids where no width is said. SGD and Adam: "
        "Keras' initial weights,\n"
        f"cross-entropy, 1,000 epochs; BFGS and LM: nnet's, squares, 200 evaluations; {look}",
        size=7.5,
    )
    print(*ap.plot.save(figure, figures, "interval"), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
