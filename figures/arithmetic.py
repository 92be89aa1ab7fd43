"""Which networks go on adding, subtracting, multiplying and dividing beyond their range.

Reads experiments/summaries/arithmetic_rates.csv, which experiments/arithmetic.py writes, and draws
figures/arithmetic.{pdf,png}.

Shows: Seven architectures are shown inputs from 1 to 2 and judged on inputs from 2 to 6. Only one,
the NAU, both adds and subtracts there for all of 128 seeds. The NMU multiplies there for 95%,
product units for 9%, and no other for more than one seed. Product units divide for 2%, and no other
does. The NAC always subtracts and never adds within 20,000 steps; a relu network adds for 27%.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro

import approx as ap
from experiments.arithmetic import NETWORKS, OPERATIONS, RESULTS, SHARE, STEPS, SUMMARIES

FOLDER = Path(__file__).parent
SIGNS = {"add": "+", "sub": "−", "mul": "×", "div": "÷"}
DARK = 0.6  # rates above it are written in white


def said(row: pd.Series) -> str:
    """A rate with its interval in percent."""
    low, high = 100 * row.rate_low, 100 * row.rate_high
    return f"{row.rate:.0%}\n[{low:.0f}, {high:.0f}]"


def main(
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/arithmetic.py wrote to.
        summaries: the folder of its tables.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        summaries = figures = results / "quick"
    rates = pd.read_csv(summaries / "arithmetic_rates.csv", dtype={"fingerprint": str})
    rows, columns = list(NETWORKS), list(OPERATIONS)
    plt.style.use(ap.plot.STYLE)
    figure, ax = plt.subplots(figsize=(3.4, 3.9), layout="constrained")
    image = np.zeros((len(rows), len(columns)))
    for row in rates.itertuples():
        place = rows.index(row.network), columns.index(row.operation)
        image[place] = row.rate
        color = "black"
        if row.rate < 1 - DARK:
            color = "white"
        ax.text(place[1], place[0], said(row), ha="center", va="center", size=6.5, color=color)
    ax.imshow(image, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    ax.set_xticks(range(len(columns)), [SIGNS[name] for name in columns], size=10)
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    figure.suptitle("One unit adds, one multiplies, hardly any divides", size=8.5)
    figure.supxlabel(
        "(x1 + x2) op (x1 + x2 + x3 + x4), trained on [1, 2]: seeds with\n"
        f"an error on [2, 6] of at most {SHARE:g} of the variance after\n"
        f"{STEPS:,} steps; {rates.n[0]} seeds, 95% intervals",
        size=7,
    )
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "arithmetic", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
