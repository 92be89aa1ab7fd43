"""Which units, optimisers and scalings learn x², and which of them are right outside the range.

Reads the tables experiments/summaries/square_* that experiments/square_remedies.py writes, and
draws figures/square_scaling.{pdf,svg,png}.

Shows: If x and y are scaled to lie within [-1, 1], nearly every tanh network learns x² by Adam,
BFGS or Levenberg-Marquardt (LM); relu networks learn it less often than on the numbers as they are.
Outside, from the edge of the range to three times its width, all seeds are right only where a
unit is a product, such as z² or u v.
Cost: a quarter of an hour on two busy cores, and B's 128 seeds four to eight minutes.
"""

from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import tyro
from matplotlib.axes import Axes

import approx as ap
from experiments.square_remedies import CASE, RESULTS, SUMMARIES, study

HERE = Path(__file__).parent
METHODS = {"sgd": "SGD", "adam": "Adam", "bfgs": "BFGS", "lm": "LM"}
UNITS = {"LSTM": "σ(v) tanh u", "x*x": "x·x", "u v": "u·v"}
SCALINGS = ("raw", "x and y scaled to 1")


def draw_combinations(answer: ap.study.Answer, measure: str, says: str, ax: Axes) -> None:
    """The factorial as a table of shares: units by optimisers, raw and scaled."""
    asked = study()
    rows = answer.rows
    cells = rows[(rows.group == "cell") & (rows.measure == measure)]
    by_label = cells.set_index("label").rate.items()
    rates = {asked.rows[str(label)].levels: rate for label, rate in by_label}
    units = [unit for unit in asked.factors["unit"] if any(unit in levels for levels in rates)]
    methods = [name for name in METHODS if any(name in levels for levels in rates)]
    columns = list(product(asked.factors["scaling"], methods))
    shares = [[rates[method, unit, scaling] for scaling, method in columns] for unit in units]
    names = [UNITS.get(unit, unit) for unit in units]
    ap.plot.table(np.array(shares), names, [METHODS[method] for _, method in columns], ax)
    ax.tick_params(axis="x", length=0, pad=1)
    ax.axvline(len(methods) - 0.5, color="white", lw=4)
    for block, said in enumerate(SCALINGS):
        middle = (block + 0.5) * len(methods) - 0.5
        ax.text(middle, -0.6, said, ha="center", va="bottom")
    ax.set_xlabel(f"% of {cells.n.max()} seeds, each at its best rate, with\n{says}", labelpad=6)


def main(
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    figures: Path = HERE,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder whose quick look is drawn with `quick`.
        summaries: the folder of the tables.
        figures: the folder to draw into.
        quick: draw what `--quick` wrote, in results/quick.
    """
    if quick:
        summaries = figures = results / "quick"
    answer = ap.study.Answer.load(summaries, CASE)
    plt.style.use(ap.plot.STYLE)
    figure, (a, b) = plt.subplots(1, 2, figsize=(7.0, 3.3), sharey=True)
    draw_combinations(answer, "learned", "an error inside of at most 0.1% of the variance", a)
    draw_combinations(answer, "held", "an error outside of at most 1% of the variance", b)
    a.set_title(ap.plot.lettered("a", "Scaled, all but relu learn it with Adam"), pad=15)
    b.set_title(ap.plot.lettered("b", "Outside only products are always right"), pad=15)
    note = "Quick look: few seeds and steps, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "square_scaling", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
