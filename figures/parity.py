"""How the share of seeds that learn parity falls with the number of bits.

Reads experiments/summaries/parity_rates.csv, which experiments/parity.py writes, and draws
figures/parity.{pdf,png}.

Shows: n tanh units can represent the parity of n bits. They learn it for 55% of 128 seeds at n = 2,
81% at n = 3, 8% at n = 4 and none at n = 8. Four times as many units learn it for all seeds. Shown
three quarters of the rows of n = 8, they are right for more than three quarters of the other rows
too, for all seeds.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import tyro
from matplotlib.axes import Axes

import approx as ap
from experiments.parity import (
    DIMENSIONS,
    KEPT,
    KNOWS,
    NARROW,
    RESULTS,
    SINES,
    STEPS,
    SUMMARIES,
    WIDE,
)

FOLDER = Path(__file__).parent
# Kind of rows and network: name, colour, marker and line
SERIES = {
    ("signs", SINES): ("n sines", "black", "s", "-"),
    ("signs", WIDE): ("4n tanh", "#0072B2", "o", "-"),
    ("signs", NARROW): ("n tanh", "#D55E00", "^", "-"),
    ("bits", NARROW): ("n tanh, bits 0 and 1", "#D55E00", "v", ":"),
}


def draw_rates(ax: Axes, rates: pd.DataFrame) -> None:
    """The share of seeds with all rows right against the number of bits, with intervals."""
    for (rows, network), (name, color, marker, line) in SERIES.items():
        here = rates[(rates.rows == rows) & (rates.network == network)]
        away = [here.rate - here.rate_low, here.rate_high - here.rate]
        ax.errorbar(
            here.n_bits,
            here.rate,
            away,
            color=color,
            marker=marker,
            markersize=4,
            linestyle=line,
            elinewidth=0.7,
            label=name,
            clip_on=False,
        )
    ax.set_xticks(DIMENSIONS)
    ax.set_xlabel("n, the number of bits")
    ap.plot.share_axis(ax, "seeds with all 2$^n$ rows right")


def draw_kept(ax: Axes, rates: pd.DataFrame) -> None:
    """The shares of wide networks that fit the rows shown, and that know the rows kept."""
    here = rates[rates.rows == "kept"]
    looks = (("rate", "all rows shown are right", "0.75"), ("knows", "", "#0072B2"))
    for place, (of, name, color) in zip((-0.2, 0.2), looks, strict=True):
        away = [here[of] - here[f"{of}_low"], here[f"{of}_high"] - here[of]]
        label = name or f"{KNOWS:.0%} of the rows kept back are right"
        places = [number + place for number in range(len(here))]
        ax.bar(places, here[of], 0.36, color=color, label=label)
        ax.errorbar(places, here[of], away, linestyle="", color="black", elinewidth=0.8)
    ax.set_xticks(range(len(here)), [f"n = {n}" for n in KEPT])
    ax.set_xlabel("4n tanh units, trained on 3/4 of the rows")
    ap.plot.share_axis(ax, "seeds")


def main(
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/parity.py wrote to.
        summaries: the folder of its tables.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        summaries = figures = results / "quick"
    rates = pd.read_csv(summaries / "parity_rates.csv", dtype={"fingerprint": str})
    plt.style.use(ap.plot.STYLE)
    shape = {"width_ratios": (1.4, 1)}
    figure, (a, b) = plt.subplots(1, 2, figsize=(7.0, 2.9), layout="constrained", gridspec_kw=shape)
    draw_rates(a, rates)
    a.set_title(ap.plot.lettered("a", "All rows shown: wide networks always learn them"))
    a.legend(frameon=False)
    draw_kept(b, rates)
    b.set_title(ap.plot.lettered("b", "Rows held out are known, n = 8"))
    ap.plot.legend_above(b, 1)
    figure.suptitle(
        "Parity is hard for networks that are just large enough, and easy for wide ones"
    )
    figure.supxlabel(
        f"{rates.n[0]} seeds of each network, {STEPS:,} steps of Adam at 0.01; bits are "
        "-1 and 1 unless said otherwise; bars: 95% intervals",
        size=7,
    )
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "parity", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
