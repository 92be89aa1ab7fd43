"""The figure of the interval: what failed seeds become, which advice changes how often, and what a
success costs.

Reads results/interval_{label}.nc, results/interval_kinds.csv and
experiments/summaries/interval_{factorial,failures,restarts}.csv, which experiments/interval.py
writes, and draws figures/interval.pdf and .png.

Shows: The thread's recipe never finds one bump in one dimension; its answer's does for 85% of 2,048
seeds, not for all. Failures are plateaus of known value: the constant, one edge and a half.
"""

import csv
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
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
    "SGD 0.01": "sgd0.01", "SGD 0.1": "sgd0.1", "Adam 0.1, 20": "adam0.1@20", "Adam 0.1": "adam0.1", "BFGS": "bfgs",
    "LM": "lm",
}  # fmt: skip


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
    """What became of each seed of the named recipes, plateaus other than the exact ones being
    "neither".

    Raises:
        ValueError: interval_failures.csv among the summaries has other counts.
    """
    rows = read(path)
    kinds: dict[str, list[str]] = {}
    for row in rows:
        kinds.setdefault(row["label"], []).append(row["kind"])
    ap.plot.kinds.check_counts(kinds, read(summaries / "interval_failures.csv"))
    labels = {
        name: label if epochs is None else f"{label}@{epochs}"
        for name, (label, epochs) in NAMED.items()
    }
    found = {
        name: np.array([row["kind"] for row in rows if row["label"] == label], object)
        for name, label in labels.items()
    }
    return {name: ap.plot.kinds.drawn_as(kind, GROUPED) for name, kind in found.items()}


def functions(runs: xr.Dataset, label: str, seeds: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Probabilities (seeds, points) at raw x of the networks at their end."""
    inputs = (x - CENTER) / SCALE if label.startswith("z_") else x
    hidden, output = ap.params(runs.isel(seed=seeds), kept_step=int(runs.kept_step[-1]))
    values = expit(inputs[:, None] @ hidden["w"] + hidden["b"][:, None])
    return expit(values @ output["w"] + output["b"][:, None])[..., 0]


def draw_kind(
    ax: Axes, kind: str, found: dict[str, np.ndarray], runs: dict[str, xr.Dataset]
) -> None:
    """A dozen functions of one kind, of the recipe of cross-entropy in which it is the most
    frequent.
    """
    shares = {name: (found[name] == kind).mean() for name in found if NAMED[name][1] is None}
    name = max(shares, key=lambda one: shares[one])
    label, x = NAMED[name][0], np.linspace(-3, 33, 361)
    seeds = np.flatnonzero(found[name] == kind)[:12]
    for probability in functions(runs[label], label, seeds, x) if seeds.size else ():
        ax.plot(x, probability, color=COLORS[kind], linewidth=0.6, alpha=0.8)
    for begin, end, height in ((0, 10, 0), (11, 20, 1), (21, 30, 0)):
        ax.hlines(height, begin, end, color="black", linewidth=2.2)
    ax.set(xlim=(-3, 33), ylim=(-0.06, 1.3), yticks=(0, 0.5, 1), xticks=(0, 10, 20, 30), xlabel="x")
    shown = f"{name.split(' (')[0]}: {shares[name]:.0%}" if seeds.size else "no seed"
    ax.text(0.5, 0.995, shown, transform=ax.transAxes, ha="center", va="top", size=6.5)


def draw_losses(ax: Axes, runs: dict[str, xr.Dataset], found: dict[str, np.ndarray]) -> None:
    """Final cross-entropy of every seed of every recipe of entropy, beside the exact plateaus and
    the thread's.
    """
    names = [name for name, (label, _) in NAMED.items() if label.endswith("entropy")]
    jitter = np.random.default_rng(0)
    for row, name in enumerate(names):
        label, epochs = NAMED[name]
        one = runs[label] if epochs is None else runs[label].sel(step=slice(0, epochs * EPOCH))
        loss = one.loss.isel(step=-1).values
        heights = row + jitter.uniform(-0.32, 0.32, loss.size)
        for kind, color in COLORS.items():
            here = found[name] == kind
            ax.plot(
                loss[here],
                heights[here],
                ".",
                color=color,
                markersize=1.6,
                markeredgewidth=0,
                rasterized=True,
            )
    for name, value, place in (("one edge", EDGE, "right"), ("constant", THIRD, "left")):
        ax.axvline(value, color="0.2", linewidth=0.6, linestyle=":", zorder=0)
        ax.text(value, -0.6, f" {name} ", ha=place, va="bottom", size=6.5)
    for name, value in (
        ("raw, SGD 0.01 (literal)", 0.5566),
        ("z, Adam 0.1, 20 epochs (answer)", 0.072),
    ):
        ax.plot(value, names.index(name), "x", color="#D55E00", markersize=5, markeredgewidth=1.3)
    ax.set_yticks(range(len(names)), [short(name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.6)
    ax.set_title(" ", pad=14)
    ax.set(xlim=(-0.01, 0.7), xlabel="cross-entropy at the end, one dot a seed (×: the thread's)")
    ax.tick_params(axis="y", length=0)


def draw_curves(ax: Axes, runs: dict[str, xr.Dataset]) -> None:
    """Share of seeds in success against epochs."""
    names = {name: NAMED[name][0] for name in (*CURVES, "raw, SGD 0.01 (literal)")}
    rates = {
        name: ap.stats.rate(
            accurate(runs[label].assign_coords(step=runs[label].step / EPOCH)), when="each"
        )
        for name, label in names.items()
    }
    ap.plot.work_curve(rates, ax, label="epochs")
    ax.axvline(20, color="0.6", linewidth=0.6, linestyle=":", zorder=0)
    ax.text(21, 0.03, "20", color="0.4", size=6.5)


def draw_widths(ax: Axes, table: list[dict]) -> None:
    """Share of seeds in success against width, one line per recipe."""
    lines = {
        "z, Adam 0.1": ("z", "adam0.1", "keras", "entropy", 10_000),
        "z, BFGS": ("z", "bfgs", "nnet", "squares", 0),
        "raw, Adam 0.1": ("raw", "adam0.1", "keras", "entropy", 10_000),
        "raw, BFGS": ("raw", "bfgs", "nnet", "squares", 0),
        "raw, SGD 0.01": ("raw", "sgd0.01", "keras", "entropy", 0),
    }
    ends = []
    for number, (name, (inputs, optimizer, init, loss, _)) in enumerate(lines.items()):
        rows = [pick(table, inputs, optimizer, init, width, loss) for width in WIDTHS]
        known = [(width, row) for width, row in zip(WIDTHS, rows, strict=True) if row]
        if not known:
            continue
        at = np.arange(len(WIDTHS))[[row is not None for row in rows]]
        rate, low, high = (
            np.array([float(row[of]) for _, row in known]) for of in ("rate", "low", "high")
        )
        ax.plot(at, rate, "o-", color=f"C{number}")
        ax.vlines(at, low, high, color=f"C{number}", linewidth=1)
        ends.append((rate, name, f"C{number}"))
    ax.set(xlabel="hidden units", xlim=(-0.2, len(WIDTHS) - 0.8), ylim=(-0.03, 1.03))
    ax.set_xticks(range(len(WIDTHS)), list(map(str, WIDTHS)))
    ax.set_yticks(np.linspace(0, 1, 6), [f"{p}%" for p in range(0, 101, 20)])
    ax.set_ylabel("share of seeds in success")
    ap.plot.series.label_ends(ax, ends)


def pick(
    table: list[dict], inputs: str, optimizer: str, init: str, width: int, loss: str
) -> dict | None:
    """One cell's row; Adam's after 20 epochs is called adam0.1@20."""
    name, _, epochs = optimizer.partition("@")
    rows = [
        row
        for row in table
        if [row[of] for of in ("inputs", "optimizer", "init", "width", "loss")]
        == [inputs, name, init, str(width), loss]
    ]
    rows.sort(key=lambda row: int(row["passes"]))
    return rows[0 if epochs else -1] if rows else None


def draw_costs(ax: Axes, rows: list[dict]) -> None:
    """Expected passes through the rows until success if a failure is followed by a new seed; open:
    cut off early.
    """
    costs = {row["label"]: row for row in rows}
    for y, (label, epochs) in enumerate(SHOWN.values()):
        cell = costs[f"{label}@{epochs}" if epochs else label]
        value, low, high = (float(cell[of]) for of in ("cost", "cost low", "cost high"))
        ax.hlines(y, low, min(high, 1e9), color="C0", linewidth=1.2)
        if np.isfinite(value):
            ax.plot(value, y, "o", color="C0", markersize=3.5)
            ax.plot(
                float(cell["cost there"]),
                y,
                "o",
                color="C0",
                markerfacecolor="white",
                markersize=3.5,
            )
            ax.text(value, y - 0.16, f"{value:,.0f}", ha="center", va="bottom", size=6.5)
        else:
            ax.text(
                low, y - 0.16, f"none in {int(cell['n']):,}", ha="center", va="bottom", size=6.5
            )
    ax.set_yticks(range(len(SHOWN)), [""] * len(SHOWN))
    ax.set_ylim(len(SHOWN) - 0.45, -0.5)
    ax.set(xscale="log", xlim=(5, 1e7), xlabel="expected, with restarts\n(○: cut off early)")
    ax.set_xticks([10, 1e3, 1e5, 1e7])
    ax.minorticks_off()
    ax.tick_params(axis="y", length=0)


def draw_shares(ax: Axes, found: dict[str, np.ndarray]) -> None:
    """What became of the seeds, in four classes, as stacked bars."""
    merged = {name: ap.plot.kinds.drawn_as(kind, BARS) for name, kind in found.items()}
    bars = list(dict.fromkeys(BARS.values()))
    parts = [
        ap.stats.shares(xr.Dataset({"kind": ("seed", kind)}, attrs={"kinds": bars}))
        .assign_coords(recipe=short(name))
        .expand_dims("recipe")
        for name, kind in merged.items()
        if name in SHOWN
    ]
    ap.plot.split(xr.concat(parts, "recipe", coords="minimal", combine_attrs="override"), ax)


def draw_factorial(ax: Axes, table: list[dict]) -> None:
    """Every cell's rate of success, in percent."""
    rows = [
        (loss, inputs, name, optimizer)
        for loss in ("entropy", "squares")
        for inputs in ("raw", "z")
        for name, optimizer in OPTIMIZERS.items()
        if optimizer != "lm" or loss == "squares"
    ]
    columns = [(init, width) for init in INITS for width in WIDTHS]
    found = [
        [pick(table, inputs, optimizer, init, width, loss) for init, width in columns]
        for loss, inputs, _, optimizer in rows
    ]
    rates = np.array([[float(cell["rate"]) if cell else np.nan for cell in line] for line in found])
    ax.set_facecolor("0.9")
    ax.imshow(np.ma.masked_invalid(rates), vmin=0, vmax=1, aspect="auto")
    for (i, j), rate in np.ndenumerate(rates):
        if np.isfinite(rate):
            color = "white" if rate < 0.6 else "black"
            ax.text(j, i, f"{100 * rate:.0f}", ha="center", va="center", size=6, color=color)
    ax.set_xticks(range(len(columns)), [str(width) for _, width in columns])
    ax.set_yticks(range(len(rows)), [name for _, _, name, _ in rows], size=6.5)
    ax.tick_params(length=0)
    ax.xaxis.tick_top()
    for number, init in enumerate(("Keras'", "PyTorch's", "nnet's")):
        ax.text(
            5 * number + 2,
            -1.75,
            f"{init} initial weights; hidden units:",
            ha="center",
            va="bottom",
            size=7,
        )
    for line in (4.5, 9.5):
        ax.axvline(line, color="white", linewidth=2)
    begin = 0
    for loss in ("entropy", "squares"):
        for inputs in ("raw", "z"):
            many = sum(row[:2] == (loss, inputs) for row in rows)
            ax.text(-2.75, begin + many / 2 - 0.5, f"{inputs}, {loss}",
                    rotation=90, ha="center", va="center", size=7)  # fmt: skip
            begin += many
            ax.axhline(begin - 0.5, color="white", linewidth=2)
    for spine in ax.spines.values():
        spine.set_visible(False)


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
    b, c = rows[1].subplots(1, 2, gridspec_kw={"width_ratios": (1.25, 1)})
    d, e, f = rows[2].subplots(1, 3, gridspec_kw={"width_ratios": (1, 0.85, 0.85)})
    g = rows[3].subplots()
    for ax, (kind, (title, height)) in zip(functions_, KINDS.items(), strict=True):
        draw_kind(ax, kind, found, runs)
        ax.set_title(title)
        if height:
            ax.axhline(height, color="0.2", linewidth=0.6, linestyle=":", zorder=0)
    functions_[0].set_ylabel("P(y = 1)")
    draw_losses(b, runs, found)
    draw_curves(c, runs)
    draw_shares(d, found)
    draw_costs(e, costs)
    draw_widths(f, table)
    draw_factorial(g, table)
    for letter, ax in zip("abcdefg", (functions_[0], b, c, d, e, f, g), strict=True):
        title = MESSAGES.get(letter, ax.get_title(loc="left"))
        pad = {"pad": PADS.get(letter, 4)}
        ax.set_title(rf"$\bf{{{letter}}}$  {title}", loc="left", **pad)
    look = (
        f"quick look: {n} seeds, few epochs; not the experiment"
        if quick
        else f"{n:,} seeds of each recipe"
    )
    figure.suptitle(
        "One interval in one dimension; 1-2-1 sigmoids where no width is said. SGD and Adam: Keras' initial weights,\n"
        f"cross-entropy, 1,000 epochs; BFGS and LM: nnet's, squares, 200 evaluations; {look}",
        size=7.5,
    )
    print(*ap.plot.save(figure, figures, "interval"), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
