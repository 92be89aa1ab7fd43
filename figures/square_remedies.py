"""The figure of what helps on x²: remedies, their combinations, failures, and the world outside.

Reads what experiments/square_remedies.py writes, results/square_remedies_*.nc and the tables
experiments/summaries/square_*.csv, and draws figures/square_remedies.{pdf,png}.

Shows: One change at a time to the thread's ten tanh units, and all combinations of unit, optimiser
and scaling. Scaling x and y settles it for tanh, harms relu, and only products are exact outside.
"""

import itertools
from pathlib import Path
from typing import Any, cast

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

import approx as ap

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
SUMMARIES = ROOT / "experiments" / "summaries"
TITLES = {  # by letter, with the points between title and panel
    "a": ("One change to recipe C, and the error it leaves", 14),
    "b": ("Scaling helps Adam, BFGS, LM; not relu", 14),
    "c": ("What the seeds became", 34),
    "d": ("A seed each at the upper quartile of the loss", 4),
    "e": ("Only a product is exact outside", 4),
    "f": ("The thread's outputs of B are ordinary", 14),
}
GROUPS = {  # a title above its labels
    "": ("C", "C, best of 5", "B", "A"),
    "range": ("range 1", "range 50"),
    "rows": ("101 rows", "1,001 rows", "10,001 rows"),
    "scale of one": ("x / 10", "y / 100"),
    "width, depth": (
        "2 units",
        "5 units",
        "20 units",
        "50 units",
        "100 units",
        "2 layers",
        "3 layers",
    ),
    "activation": ("sigmoid", "gaussian", "relu", "gelu", "snake", "sin", "x*x"),
    "gates": ("u v", "u sigmoid(v)", "LSTM", "highway"),
    "optimiser": ("momentum", "Adam", "BFGS", "LM"),
    "rate, steps": ("SGD 1e-4", "SGD 1e-2", "Adam 1e-2", "150,000 steps"),
}
NAMES = {
    "C": "C: 10 tanh, SGD",
    "B": "B: 8-8 relu, Adam",
    "A": "A: linear",
    "C, best of 5": "C, best of five",
}
# The most linear pieces such a network has
PIECES = {"relu": 11, "B": ap.floors.deep_pieces((8, 8))}
METHODS = {"sgd": "SGD", "adam": "Adam", "bfgs": "BFGS", "lm": "LM"}
UNITS = {
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "relu": "relu",
    "snake": "snake",
    "sin": "sin",
    "LSTM": "σ(v) tanh u",
    "highway": "highway",
    "x*x": "x·x",
    "u v": "u·v",
}
OUTSIDE = {"tanh": "tanh", "relu": "relu", "snake": "snake", "highway": "highway", "xtimesx": "x·x"}
FAILED = (
    "C",
    "range 1",
    "range 50",
    "relu",
    "sigmoid",
    "snake",
    "sin",
    "x*x",
    "LSTM",
    "highway",
    "Adam",
    "LM",
)
# how the endings are grouped in the panel -> colour
ENDINGS = {
    "learned": "#0072B2",
    "on its rows only": "#56B4E9",
    "still falling": "#F0E442",
    "stands still": "0.7",
    "best constant": "#E69F00",
    "few units or steps": "#CC79A7",
    "diverged": "0.15",
}
FEW = ("1 relu unit", "2 relu units", "3 relu units", "1 steps", "2 steps")
GROUPED = {kind: kind for kind in ENDINGS} | dict.fromkeys(FEW, "few units or steps")
# "at" a value of the loss without a name
GROUPED |= dict.fromkeys(("on no plateau", "at"), "stands still")
ASKED = (4, -4, 11, 20, 8, -5)  # where the thread asked for B's outputs
LITERAL = ("A", "B", "C", "C, best of 5")  # the thread's own recipes
VARIANCE = 4 / 45  # of x² on [-1, 1]
LARGEST = 1e9  # errors above are drawn as if they were this large


def row_name(label: str) -> str:
    """What a recipe is called at its row."""
    return NAMES.get(label, label).replace("*", "·")


def rows_of(table: pd.DataFrame, columns: dict[str, str]) -> xr.Dataset:
    """Columns of the table as a result over recipes, under new names."""
    found = table[list(columns)].rename(columns=columns)
    return found.set_axis([row_name(str(label)) for label in table.index]).to_xarray()


def remedies(table: pd.DataFrame, rates: Axes, errors: Axes) -> None:
    """Every recipe's share of seeds that learn, and how far from x² they end."""
    there = {
        heading: [label for label in members if label in table.index]
        for heading, members in GROUPS.items()
    }
    groups = {heading: [row_name(label) for label in labels] for heading, labels in there.items()}
    styles = {row_name(label): {"color": "k", "markersize": 3.5} for label in LITERAL}
    learned = {"learned": "rate", "learned_low": "low", "learned_high": "high"}
    ap.plot.forest(
        rows_of(table, learned),
        "rate",
        rates,
        groups=groups,
        styles=styles,
    )
    heights = dict(zip(itertools.chain(*there.values()), rates.get_yticks(), strict=True))
    finish_rates(table, rates, list(heights))
    draw_errors(table, errors, heights)


def finish_rates(table: pd.DataFrame, ax: Axes, labels: list[str]) -> None:
    """Names with unusual numbers of seeds, the literal recipe's interval, and the axis."""
    names = []
    for label in labels:
        n = table.n[label]
        names.append(row_name(label) if n == table.n.max() else f"{row_name(label)} ({n})")
    ax.set_yticks(ax.get_yticks(), names)
    literal = table.loc["C"]
    ax.axvspan(literal.learned_low, literal.learned_high, color="0.88", lw=0, zorder=0)
    ax.set(xlim=(-0.02, 1.02), xlabel=f"learn, of {table.n.max()} seeds")
    ax.set_xticks([0, 0.5, 1])
    ax.xaxis.set_major_formatter(PercentFormatter(1, 0))


def draw_errors(table: pd.DataFrame, ax: Axes, heights: dict[str, float]) -> None:
    """How far from x² the seeds of each recipe end, in the rows of the panel beside."""
    for label, y in heights.items():
        row = table.loc[label]
        color = "k" if label in LITERAL else "C0"
        ax.hlines(
            y, min(row.inside_q05, LARGEST), min(row.inside_q95, LARGEST), lw=1.2, color=color
        )
        if np.isfinite(row.inside_q50):
            ax.plot(
                min(row.inside_q50, LARGEST),
                y,
                "o",
                ms=3.5,
                color=color,
            )
        else:
            place: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "ha": "right"}
            ax.text(0.97, y, "diverges", size=6, va="center", color="0.4", **place)
        if label in PIECES:
            floor = ap.floors.square_mse(PIECES[label]) / VARIANCE
            ax.plot(floor, y, "|", ms=6, mew=1.4, color="C1")
            place = {"textcoords": "offset points", "ha": "right", "va": "center"}
            ax.annotate(
                "least",
                (floor, y),
                (-3, 0),
                size=6,
                color="C1",
                **place,
            )
    for x, name, side in ((1e-3, "learned", "right"), (1, "constant", "center")):
        place = {"transform": ax.get_xaxis_transform(), "ha": side, "va": "bottom"}
        ax.text(x, 1.002, name, size=6, color="0.4", **place)
    ax.axvline(
        1e-3,
        color="0.5",
        lw=0.7,
        ls=(0, (3, 2)),
        zorder=0,
    )
    ax.axvline(1, color="0.8", lw=0.7, zorder=0)
    ax.set(xscale="log", xlim=(1e-9, 1e2), xlabel="MSE inside / variance")
    ax.set_xticks([1e-8, 1e-4, 1])
    ax.tick_params(axis="y", labelleft=False, length=0)


def combinations(table: pd.DataFrame, ax: Axes) -> None:
    """The factorial as a table of shares: units by optimisers, raw and scaled."""
    units = [unit for unit in UNITS if unit in set(table.unit)]
    methods = [name for name in METHODS if name in set(table.optimizer)]
    cells = table.set_index(["unit", "scaling", "optimizer"]).learned
    columns = list(itertools.product(("raw", "scaled"), methods))
    rates = np.array([[cells[unit, *column] for column in columns] for unit in units])
    names = [METHODS[method] for _, method in columns]
    ap.plot.table(
        rates,
        [UNITS[unit] for unit in units],
        names,
        ax,
    )
    ax.xaxis.tick_top()
    ax.tick_params(axis="x", labelsize=6, length=0, pad=1)
    ax.axvline(len(methods) - 0.5, color="white", lw=4)
    for block, said in enumerate(("as it is", "x and y scaled to 1")):
        middle = (block + 0.5) * len(methods) - 0.5
        ax.text(
            middle,
            len(units) - 0.4,
            said,
            size=7,
            ha="center",
            va="top",
        )
    n = int(table.n.max())
    within = 100 * 0.98 / np.sqrt(n)  # half a 95% interval about one half, the widest
    said = f"% of seeds that learn, n = {n} a cell (± {within:.0f} at most)"
    ax.set_xlabel(said, labelpad=14)


def endings(table: pd.DataFrame) -> pd.DataFrame:
    """Shares of the panel's groups of endings, by recipe, from the summary's text."""
    found = {}
    for label in FAILED:
        if label not in table.index:
            continue
        shares = dict.fromkeys(ENDINGS, 0.0)
        for part in str(table.loc[label, "became"]).split("; "):
            kind, share = part.rsplit(" [", 1)[0].rsplit(" ", 1)
            (name,) = ap.plot.drawn_as([kind], GROUPED)
            shares[name] += float(share.rstrip("%")) / 100
        found[label] = shares
    return pd.DataFrame(found).T


def became(table: pd.DataFrame, ax: Axes) -> None:
    """What the seeds became, as stacked bars."""
    shares = endings(table)
    shares = shares.loc[:, shares.any()]
    recipe = [row_name(label).split(":")[0] for label in shares.index]
    n = table.n[shares.index].to_numpy()[:, None]
    ends = np.minimum(np.round(np.cumsum(shares.to_numpy(), axis=1) * n), n)
    successes = np.diff(ends, axis=1, prepend=0)
    low, high = ap.stats.binomial_interval(successes, n)
    dims = ("recipe", "kind")
    found = xr.Dataset(
        {
            "rate": (dims, shares),
            "low": (dims, low),
            "high": (dims, high),
            "successes": (dims, successes),
            "n": (dims, np.broadcast_to(n, shares.shape)),
        },
        {"recipe": recipe, "kind": list(shares.columns)},
    )
    ap.plot.failure_causes(found, ax, colors=ENDINGS, numbers=False)
    ax.set_xlabel(f"share of seeds (n = {table.n.max()})")
    ax.legend(
        ncols=3,
        loc="lower left",
        bbox_to_anchor=(-0.2, 1.0),
        handlelength=0.9,
        columnspacing=0.8,
        borderpad=0.2,
        handletextpad=0.4,
        fontsize=6.2,
    )


def loaded(path: Path, label: str, table: pd.DataFrame) -> Any:
    """The results of a recipe, if they are those that its row of the table was made of.

    Raises:
        ValueError: they are others.
    """
    runs = ap.load(path)
    ap.plot.check_identity(
        label,
        runs.fingerprint,
        table.loc[label, "fingerprint"],
    )
    return runs


def examples(results: Path, table: pd.DataFrame, ax: Axes) -> None:
    """One seed of each kind of failure, in units of the range."""
    shown = (("C", 10, "C"), ("range_1", 1, "range 1"), ("sin", 10, "sin"), ("relu", 10, "relu"))
    for number, (label, half, name) in enumerate(shown):
        path = results / f"square_remedies_{label}.nc"
        if not path.exists():
            continue
        runs = loaded(path, name, table)
        order = np.argsort(np.where(np.isfinite(runs.loss[:, -1]), runs.loss[:, -1], np.inf))
        seed = int(order[int(0.75 * len(order))])
        x = runs.x_test.values[:, 0] / half
        near = np.abs(x) <= 1.5
        f = runs.prediction.isel(seed=seed, output=0).values / half**2
        ax.plot(
            x[near],
            f[near],
            color=f"C{number}",
            lw=1,
            label=name,
        )
    x = np.linspace(-1.5, 1.5, 61)
    ax.plot(
        x,
        x**2,
        color="k",
        ls=(0, (3, 2)),
        lw=0.9,
        label="x²",
    )
    ax.axvspan(-1, 1, color="0.93", lw=0, zorder=0)
    ax.set(
        xlabel="x / range",
        ylabel="f(x) / range²",
        ylim=(-0.6, 2.3),
        xlim=(-1.5, 1.5),
    )
    ax.legend(ncols=3, loc="upper center", fontsize=6.2, handlelength=1.2, columnspacing=0.8)


def outputs(results: Path, table: pd.DataFrame, ax: Axes) -> None:
    """Recipe B's outputs where the thread was asked, ours and the thread's."""
    runs = loaded(results / "square_remedies_B.nc", "B", table)
    reported = pd.read_csv(SUMMARIES / "square_reported.csv", index_col="number").value
    x = runs.x_test.values[:, 0]
    for place, number in enumerate(ASKED):
        point = int(np.abs(x - number).argmin())
        errors = runs.prediction.isel(point=point, output=0).values - number**2
        found = ap.stats.order_quantiles(errors, (0.05, 0.25, 0.5, 0.75, 0.95))
        low, lower, middle, upper, high = found
        names = ("5 to 95% of seeds", "25 to 75%", "the thread's") if place == 0 else ("",) * 3
        ax.vlines(
            place,
            low,
            high,
            color="C0",
            lw=1,
            label=names[0],
        )
        ax.vlines(
            place,
            lower,
            upper,
            color="C0",
            lw=4,
            label=names[1],
        )
        ax.plot(place, middle, "_", color="white", ms=5)
        printed = reported[f"f({number})"] - number**2
        ax.plot(
            place,
            printed,
            "X",
            color="C1",
            ms=4.5,
            label=names[2],
        )
    ax.axhline(0, color="0.5", lw=0.6, zorder=0)
    ax.set_xticks(range(len(ASKED)), [f"f({number})" for number in ASKED])
    ax.set(ylabel="f(x) − x²")
    ax.legend(
        loc="lower left",
        fontsize=6.2,
        ncols=3,
        handlelength=1,
        columnspacing=0.8,
        bbox_to_anchor=(-0.05, 1.0),
        borderpad=0.2,
    )
    ap.plot.corner(ax, runs.sizes["seed"], "upper right", what="")


def outside(results: Path, ax: Axes) -> None:
    """Error against distance of units that all learned it inside.

    They are trained by Levenberg-Marquardt on scaled data.
    """
    far = {}
    for label, name in OUTSIDE.items():
        path = results / f"square_remedies_lm_{label}_scaled.nc"
        if path.exists():
            # Float32 is right to the bit at some points
            far[name] = ap.stats.error_by_distance(ap.load(path)).clip(min=1e-8)
    ap.plot.extrapolation(far, ax)
    ax.set(ylim=(5e-9, 1e2), xlabel="distance outside / range", ylabel="absolute error / range²")


def main(
    results: Path = ROOT / "results",
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/square_remedies.py wrote to.
        summaries: the folder of its tables.
        figures: the folder to draw into.
        quick: draw what `--quick` wrote, in results/quick.
    """
    if quick:
        results = summaries = figures = results / "quick"
    table = pd.read_csv(summaries / "square_remedies.csv", dtype={"fingerprint": str})
    table = table.set_index("label")
    cells = pd.read_csv(summaries / "square_factorial.csv")
    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 8.6))
    left, right = cast(Any, figure.subfigures(1, 2, width_ratios=(1.05, 1)))
    a = left.add_axes((0.345, 0.048, 0.26, 0.9))
    rest = left.add_axes((0.655, 0.048, 0.29, 0.9), sharey=a)
    b, c, d, e, f = right.subplots(
        5,
        1,
        gridspec_kw={"height_ratios": (1.5, 1.6, 1.0, 1.0, 1.0)},
    )
    remedies(table, a, rest)
    combinations(cells, b)
    became(table, c)
    examples(results, table, d)
    outside(results, e)
    outputs(results, table, f)
    for (letter, (message, pad)), ax in zip(TITLES.items(), (a, b, c, d, e, f), strict=True):
        ax.set_title(ap.plot.lettered(letter, message), pad=pad)
    note = "Quick look: few seeds and steps, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "square_remedies", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
