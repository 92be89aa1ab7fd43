"""The figure of what helps on x²: remedies, what the seeds became, combinations, and the outside.

Reads what experiments/square_remedies.py writes, results/square_remedies/ and the tables
experiments/summaries/square_*, and draws figures/square_remedies.{pdf,png}.

Shows: One change at a time to the thread's ten tanh units, and all combinations of unit, optimiser
and scaling. Scaling x and y lets nearly every tanh network learn x², harms relu, and only products
are exact outside.
"""

from itertools import product
from pathlib import Path
from typing import Any, cast

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
from matplotlib.axes import Axes

import approx as ap
from experiments.square_remedies import CASE, FOLDER, RESULTS, SUMMARIES, changes, study

HERE = Path(__file__).parent
NAMES = {
    "baseline": "C: 10 tanh, SGD",
    "best of 5": "C, best of five",
    "B": "B: 8-8 relu, Adam",
    "A": "A: linear, Adam",
}
METHODS = {"sgd": "SGD", "adam": "Adam", "bfgs": "BFGS", "lm": "LM"}
UNITS = {"LSTM": "σ(v) tanh u", "x*x": "x·x", "u v": "u·v"}
OUTSIDE = ("tanh", "relu", "snake", "highway", "x*x")


# ---- one change at a time ------------------------------------------------------------------------


def in_groups(answer: ap.study.Answer) -> list[pd.DataFrame]:
    """The rows that are drawn, a table for each kind of change, the best first."""
    groups = [list(NAMES)]
    groups += [list(group) for group in changes().values() if "A" not in group]
    rows = answer.main_rows
    tables = []
    for labels in groups:
        here = rows[rows.label.isin(labels)]
        tables.append(here.sort_values("rate", ascending=False, kind="stable"))
    first = tables[0]
    tables[0] = pd.concat([first[first.label == "baseline"], first[first.label != "baseline"]])
    return [table for table in tables if len(table)]


def draw_changes(answer: ap.study.Answer, figure: Any, rates: Axes, became: Axes) -> None:
    """Every row's share of seeds that learn, and what became of all seeds."""
    groups = in_groups(answer)
    rows = pd.concat(groups).reset_index(drop=True)
    ap.study.draw_rates(answer, rows, rates)
    shown = ap.study.draw_endings(answer, rows, became)
    names = []
    for row in rows.itertuples():
        named = NAMES.get(str(row.label), str(row.label)).replace("*", "·")
        names.append(named if row.n == rows.n.max() else f"{named} ({row.n})")
    rates.set_yticks(range(len(rows)), names)
    rates.set_xlabel(f"learn x², of {rows.n.max()} seeds\n(grey: C's interval)")
    for ax in (rates, became):
        for end in np.cumsum([len(table) for table in groups])[:-1]:
            ax.axhline(end - 0.5, color="0.8", lw=0.5)
        ax.set_ylim(len(rows) - 0.4, -0.6)
    became.tick_params(axis="y", labelleft=False)
    ap.study.draw_keys(figure, rows, shown, columns=3)


# ---- combinations, and the outside ---------------------------------------------------------------


def combinations(answer: ap.study.Answer, ax: Axes) -> None:
    """The factorial as a table of shares: units by optimisers, raw and scaled."""
    asked = study()
    cells = answer.main_rows[answer.main_rows.group == "cell"]
    by_label = cells.set_index("label").rate.items()
    rates = {asked.rows[str(label)].levels: rate for label, rate in by_label}
    units = [unit for unit in asked.factors["unit"] if any(unit in levels for levels in rates)]
    methods = [name for name in METHODS if any(name in levels for levels in rates)]
    columns = list(product(asked.factors["scaling"], methods))
    shares = [[rates[method, unit, scaling] for scaling, method in columns] for unit in units]
    names = [UNITS.get(unit, unit) for unit in units]
    ap.plot.table(np.array(shares), names, [METHODS[method] for _, method in columns], ax)
    ax.xaxis.tick_top()
    ax.tick_params(axis="x", labelsize=6, length=0, pad=1)
    ax.axvline(len(methods) - 0.5, color="white", lw=4)
    for block, said in enumerate(("raw", "x and y scaled to 1")):
        middle = (block + 0.5) * len(methods) - 0.5
        ax.text(middle, len(units) - 0.4, said, size=7, ha="center", va="top")
    ax.set_xlabel(f"% of {cells.n.max()} seeds that learn, best rate", labelpad=14)


def outside(answer: ap.study.Answer, ax: Axes) -> None:
    """Error against distance of units that all learned it inside, by LM on scaled data."""
    trained = set(answer.rows.label)
    far = {}
    for unit in OUTSIDE:
        label = f"lm, {unit}, scaled"
        if label in trained:
            # Float32 is right to the bit at some points
            found = ap.stats.error_by_distance(answer.runs(label))
            far[UNITS.get(unit, unit)] = found.clip(min=1e-8)
    ap.plot.extrapolation(far, ax)
    ax.set(ylim=(5e-9, 1e2), xlabel="distance outside / range", ylabel="absolute error / range²")


def main(
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    figures: Path = HERE,
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
    answer = ap.study.Answer.load(summaries, CASE, runs=results / FOLDER)
    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 7.0))
    left, right = cast(Any, figure.subfigures(1, 2, width_ratios=(1.25, 1)))
    a = left.add_axes((0.31, 0.13, 0.29, 0.82))
    b = left.add_axes((0.66, 0.13, 0.29, 0.82), sharey=a)
    c, d = right.subplots(2, 1, gridspec_kw={"height_ratios": (1.3, 1)})
    draw_changes(answer, left, a, b)
    combinations(answer, c)
    outside(answer, d)
    a.set_title(ap.plot.lettered("a", "One change to C"))
    b.set_title(ap.plot.lettered("b", "What the seeds became"))
    c.set_title(ap.plot.lettered("c", "Scaling helps Adam, BFGS, LM; not relu"), pad=14)
    d.set_title(ap.plot.lettered("d", "Only a product is exact outside"))
    note = "Quick look: few seeds and steps, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "square_remedies", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
