"""The figure of what helps on x²: remedies, their combinations, failures, and the world outside.

Reads what experiments/square_remedies.py writes, results/square_remedies_*.nc and the tables
experiments/summaries/square_*.csv, and draws figures/square_remedies.{pdf,png}.

Shows: One change at a time to the thread's ten tanh units, and all combinations of unit, optimiser
and scaling. Scaling x and y settles it for tanh, harms relu, and only products are exact outside.
"""

from pathlib import Path
from typing import Any, cast

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
from matplotlib.axes import Axes

import approx as ap

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
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
UNITS = {"tanh": "tanh", "sigmoid": "sigmoid", "relu": "relu", "snake": "snake", "sin": "sin", "LSTM": "σ(v) tanh u",
         "highway": "highway", "x*x": "x·x", "u v": "u·v"}  # fmt: skip
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
ENDINGS = {"learned": "#0072B2", "on its rows only": "#56B4E9", "still falling": "#F0E442", "stands still": "0.7",
           "best constant": "#E69F00", "few units or steps": "#CC79A7", "diverged": "0.15"}  # fmt: skip
FEW = ("1 relu unit", "2 relu units", "3 relu units", "1 steps", "2 steps")
GROUPED = {kind: kind for kind in ENDINGS} | dict.fromkeys(FEW, "few units or steps")
# "at" a value of the loss without a name
GROUPED |= dict.fromkeys(("on no plateau", "at"), "stands still")
REPORTED = {4: 16.63, -4: 15.03, 11: 121.27, 20: 397.79, 8: 65.70, -5: 27.04}


def remedies(table: pd.DataFrame, rates: Axes, errors: Axes) -> None:
    """Every recipe's share of seeds that learn, and how far from x² they end."""
    ticks, labels, y = [], [], 0.0
    for group, members in GROUPS.items():
        present = [label for label in members if label in table.index]
        if group and present:
            y += 0.35
            rates.text(-0.03, y, group, weight="bold", size=6.5, ha="right", va="center",
                       transform=rates.get_yaxis_transform())  # fmt: skip
            y += 1
        for label in present:
            row = table.loc[label]
            literal = label in ("A", "B", "C", "C, best of 5")
            style: dict[str, Any] = {"color": "k" if literal else "C0"}
            rates.hlines(y, row.learned_low, row.learned_high, lw=1.2, **style)
            rates.plot(row.learned, y, "o", ms=3.5, clip_on=False, **style)
            middle, low, high = (min(row[f"inside_{q}"], 1e9) for q in ("q50", "q05", "q95"))
            errors.hlines(y, low, high, lw=1.2, **style)
            if np.isfinite(row.inside_q50):
                errors.plot(middle, y, "o", ms=3.5, **style)
            else:
                errors.text(0.97, y, "diverges", size=6, ha="right", va="center", color="0.4",
                            transform=errors.get_yaxis_transform())  # fmt: skip
            if label in PIECES:
                # The variance of x² on [-1, 1]
                floor = ap.floors.square_mse(PIECES[label]) / (4 / 45)
                errors.plot(floor, y, "|", ms=6, mew=1.4, color="C1")
                errors.annotate("least", (floor, y), (-3, 0), textcoords="offset points", size=6, ha="right",
                                va="center", color="C1")  # fmt: skip
            ticks.append(y)
            number = "" if row.n == table.n.max() else f" ({row.n})"
            labels.append(NAMES.get(label, label).replace("*", "·") + number)
            y += 1
    row = table.loc["C"]
    rates.axvspan(row.learned_low, row.learned_high, color="0.88", lw=0, zorder=0)
    rates.set(xlim=(-0.02, 1.02), ylim=(y - 0.4, -0.6), xlabel=f"learn, of {table.n.max()} seeds")
    rates.set_xticks([0, 0.5, 1])
    rates.xaxis.set_major_formatter(plt.matplotlib.ticker.PercentFormatter(1, 0))
    rates.set_yticks(ticks, labels)
    errors.axvline(1e-3, color="0.5", lw=0.7, ls=(0, (3, 2)), zorder=0)
    errors.axvline(1, color="0.8", lw=0.7, zorder=0)
    errors.text(
        1e-3,
        1.002,
        "learned",
        size=6,
        ha="right",
        va="bottom",
        color="0.4",
        transform=errors.get_xaxis_transform(),
    )
    errors.text(
        1,
        1.002,
        "constant",
        size=6,
        ha="center",
        va="bottom",
        color="0.4",
        transform=errors.get_xaxis_transform(),
    )
    errors.set(xscale="log", xlim=(1e-9, 1e2), xlabel="MSE inside / variance")
    errors.set_xticks([1e-8, 1e-4, 1])
    errors.tick_params(axis="y", labelleft=False, length=0)
    rates.tick_params(axis="y", length=0)


def combinations(table: pd.DataFrame, ax: Axes) -> None:
    """The factorial as a table of shares: units by optimisers, raw and scaled."""
    units = [unit for unit in UNITS if unit in set(table.unit)]
    methods = [name for name in METHODS if name in set(table.optimizer)]
    cells = table.set_index(["unit", "scaling", "optimizer"]).learned
    for block, scaling in enumerate(("raw", "scaled")):
        offset = block * (len(methods) + 0.4)
        for i, unit in enumerate(units):
            for j, method in enumerate(methods):
                share = cells[unit, scaling, method]
                ax.add_patch(
                    plt.Rectangle((offset + j, i), 1, 1, color=plt.cm.viridis(share), lw=0)
                )
                ax.text(offset + j + 0.5, i + 0.5, f"{100 * share:.0f}", size=6.5, ha="center", va="center",
                        color="white" if share < 0.6 else "black")  # fmt: skip
        for j, method in enumerate(methods):
            ax.text(offset + j + 0.5, -0.15, METHODS[method], size=6, ha="center", va="bottom")
        said = "as it is" if scaling == "raw" else "x and y scaled to 1"
        ax.text(offset + len(methods) / 2, len(units) + 0.15, said, size=7, ha="center", va="top")
    ax.set(xlim=(0, 2 * len(methods) + 0.4), ylim=(len(units) + 0.1, 0))
    ax.set_yticks(np.arange(len(units)) + 0.5, [UNITS[unit] for unit in units])
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    n = int(table.n.max())
    within = 100 * 0.98 / np.sqrt(n)  # half a 95% interval about one half, the widest
    ax.set_xlabel(f"% of seeds that learn, n = {n} a cell (± {within:.0f} at most)", labelpad=14)


def endings(table: pd.DataFrame) -> pd.DataFrame:
    """Shares of the panel's groups of endings, by recipe, from the summary's text."""
    found = {}
    for label in FAILED:
        if label not in table.index:
            continue
        shares = dict.fromkeys(ENDINGS, 0.0)
        for part in str(table.loc[label, "became"]).split("; "):
            kind, share = part.rsplit(" [", 1)[0].rsplit(" ", 1)
            (name,) = ap.plot.kinds.drawn_as([kind], GROUPED)
            shares[name] += float(share.rstrip("%")) / 100
        found[label] = shares
    return pd.DataFrame(found).T


def became(table: pd.DataFrame, ax: Axes) -> None:
    """What the seeds became, as stacked bars."""
    shares = endings(table)
    left = np.zeros(len(shares))
    for name, color in ENDINGS.items():
        if not shares[name].any():
            continue
        ax.barh(
            range(len(shares)),
            shares[name],
            0.7,
            left,
            color=color,
            label=name,
            edgecolor="white",
            lw=0.3,
        )
        left += shares[name].values
    ax.set_yticks(
        range(len(shares)),
        [NAMES.get(label, label).split(":")[0].replace("*", "·") for label in shares.index],
    )
    ax.set(
        xlim=(0, 1), ylim=(len(shares) - 0.4, -0.6), xlabel=f"share of seeds (n = {table.n.max()})"
    )
    ax.xaxis.set_major_formatter(plt.matplotlib.ticker.PercentFormatter(1, 0))
    ax.tick_params(axis="y", length=0)
    ax.legend(ncols=3, loc="lower left", bbox_to_anchor=(-0.2, 1.0), handlelength=0.9, columnspacing=0.8, borderpad=0.2,
              handletextpad=0.4, fontsize=6.2)  # fmt: skip


def loaded(path: Path, label: str, table: pd.DataFrame) -> Any:
    """The results of a recipe, if they are those that its row of the table was made of.

    Raises:
        ValueError: they are others.
    """
    runs = ap.load(path)
    ap.plot.kinds.check_identity(label, runs.identity, table.loc[label, "identity"])
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
        ax.plot(x[near], f[near], color=f"C{number}", lw=1, label=name)
    x = np.linspace(-1.5, 1.5, 61)
    ax.plot(x, x**2, color="k", ls=(0, (3, 2)), lw=0.9, label="x²")
    ax.axvspan(-1, 1, color="0.93", lw=0, zorder=0)
    ax.set(xlabel="x / range", ylabel="f(x) / range²", ylim=(-0.6, 2.3), xlim=(-1.5, 1.5))
    ax.legend(ncols=3, loc="upper center", fontsize=6.2, handlelength=1.2, columnspacing=0.8)


def outputs(results: Path, table: pd.DataFrame, ax: Axes) -> None:
    """Recipe B's outputs where the thread was asked, ours and the thread's."""
    runs = loaded(results / "square_remedies_B.nc", "B", table)
    x = runs.x_test.values[:, 0]
    for place, (number, value) in enumerate(REPORTED.items()):
        ours = (
            runs.prediction.isel(point=int(np.abs(x - number).argmin()), output=0).values
            - number**2
        )
        low, lower, middle, upper, high = ap.stats.order_quantiles(
            ours, (0.05, 0.25, 0.5, 0.75, 0.95)
        )
        ax.vlines(
            place, low, high, color="C0", lw=1, label="5 to 95% of seeds" if place == 0 else ""
        )
        ax.vlines(place, lower, upper, color="C0", lw=4, label="25 to 75%" if place == 0 else "")
        ax.plot(place, middle, "_", color="white", ms=5)
        ax.plot(
            place,
            value - number**2,
            "X",
            color="C1",
            ms=4.5,
            label="the thread's" if place == 0 else "",
        )
    ax.axhline(0, color="0.5", lw=0.6, zorder=0)
    ax.set_xticks(range(len(REPORTED)), [f"f({number})" for number in REPORTED])
    ax.set(ylabel="f(x) − x²")
    ax.legend(loc="lower left", fontsize=6.2, ncols=3, handlelength=1, columnspacing=0.8, bbox_to_anchor=(-0.05, 1.0),
              borderpad=0.2)  # fmt: skip
    ax.text(
        0.98,
        0.97,
        f"n = {runs.sizes['seed']}",
        transform=ax.transAxes,
        ha="right",
        va="top",
        size=6.5,
    )


def outside(results: Path, ax: Axes) -> None:
    """Error against distance of units that all learned it inside, by Levenberg-Marquardt on scaled
    data.
    """
    paths = {
        name: results / f"square_remedies_lm_{label}_scaled.nc" for label, name in OUTSIDE.items()
    }
    far = {
        name: ap.stats.error_by_distance(ap.load(path))
        for name, path in paths.items()
        if path.exists()
    }
    # Float32 is right to the bit at some points
    far = {name: errors.clip(min=1e-8) for name, errors in far.items()}
    ap.plot.extrapolation(far, ax)
    ax.set(ylim=(5e-9, 1e2), xlabel="distance outside / range", ylabel="absolute error / range²")


def letter(ax: Axes, name: str, message: str, **options: Any) -> None:
    """A panel's letter and message."""
    ax.set_title(rf"$\bf{{{name}}}$  {message}", **options)


def main(
    results: Path = ROOT / "results",
    summaries: Path = ROOT / "experiments" / "summaries",
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
    table = pd.read_csv(summaries / "square_remedies.csv", dtype={"identity": str}).set_index(
        "label"
    )
    cells = pd.read_csv(summaries / "square_factorial.csv")
    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 8.6))
    left, right = cast(Any, figure.subfigures(1, 2, width_ratios=(1.05, 1)))
    a = left.add_axes((0.345, 0.048, 0.26, 0.9))
    rest = left.add_axes((0.655, 0.048, 0.29, 0.9), sharey=a)
    b, c, d, e, f = right.subplots(5, 1, gridspec_kw={"height_ratios": (1.5, 1.6, 1.0, 1.0, 1.0)})
    remedies(table, a, rest)
    combinations(cells, b)
    became(table, c)
    examples(results, table, d)
    outside(results, e)
    outputs(results, table, f)
    letter(a, "a", "One change to recipe C, and the error it leaves", pad=14)
    letter(b, "b", "Scaling helps Adam, BFGS, LM; not relu", pad=14)
    letter(c, "c", "What the seeds became", pad=34)
    letter(d, "d", "A seed each at the upper quartile of the loss")
    letter(e, "e", "Only a product is exact outside")
    letter(f, "f", "The thread's outputs of B are ordinary", pad=14)
    note = "Quick look: few seeds and steps, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "square_remedies", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
