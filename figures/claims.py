"""What is claimed of small networks in six cases, and what hundreds of seeds say of it.

Reads experiments/summaries/*_claims.csv, which the experiments write, and draws
figures/claims.{pdf,svg,png}. figures/claims.html, which figures/claims_page.py writes, lists every
claim with its effect, its intervals and its verdict.

Shows: The six cases, five question-and-answer threads and a set-up of our own, hold 189 claims that
can be tested. Of these 86 are supported, 67 contradicted, and 36 not decided by our seeds. Most are
right on the interval and the sine (18 of 27 and 19 of 26 claims); on the identity and the clusters
more are wrong than right (14 of 22 and 12 of 25 claims).
Cost: seconds; the experiments whose claims these are say their own.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
import xarray as xr

import approx as ap

FOLDER = Path(__file__).parent


class Look(NamedTuple):
    """How the bars of a verdict are drawn, and the colour of the text on them."""

    fill: dict[str, Any]
    ink: str


BARS = {  # the greys differ, and light is good
    "supported": Look({"facecolor": "#CDE9F9", "edgecolor": "0.4"}, "black"),
    "undecided": Look({"facecolor": "white", "edgecolor": "0.4", "hatch": "////"}, "black"),
    "contradicted": Look({"facecolor": "#C65A11", "edgecolor": "0.4"}, "white"),
}
NAMES = {  # what the network of each thread was to learn
    "interval": "which x lie in an interval",
    "waveform": "which level a flat signal has",
    "identity": "a copy of 84 columns",
    "square": "x²",
    "sine": "a sine",
    "clusters": "four clusters of points",
}


def read_claims(files: Sequence[Path]) -> xr.Dataset:
    """The claims of several tables; the source of each is the case that its file is named after."""
    tables = []
    for file in files:
        table = ap.stats.read_claims(file)
        case = file.name.removesuffix("_claims.csv")
        tables.append(table.assign(source=("claim", [case] * table.sizes["claim"])))
    return xr.concat(tables, "claim", combine_attrs="drop_conflicts")


def counts_of(found: xr.Dataset) -> pd.DataFrame:
    """How many claims of each thread have each verdict, the thread with most support first."""
    table = found.to_dataframe().groupby(["source", "verdict"]).size().unstack(fill_value=0)
    table = table.reindex(columns=list(BARS), fill_value=0)
    supported = table.supported / table.sum(axis=1)
    order = supported.sort_values(ascending=False, kind="stable").index
    return table.loc[order]


def draw_counts(found: xr.Dataset) -> plt.Figure:
    """How many claims of each thread are supported, undecided, contradicted."""
    counts = counts_of(found)
    figure, ax = plt.subplots(figsize=(7.0, 1.05 + 0.27 * len(counts)))
    left = np.zeros(len(counts))
    for verdict, look in BARS.items():
        here = counts[verdict].to_numpy()
        label = f"{verdict} ({here.sum()})"
        bars = ax.barh(range(len(counts)), here, 0.75, left, label=label, lw=0.5, **look.fill)
        texts = [str(n) if n else "" for n in here]
        behind = {"boxstyle": "square,pad=0.15", "fc": look.fill["facecolor"], "lw": 0}
        ax.bar_label(bars, texts, label_type="center", size=7, color=look.ink, bbox=behind)
        left += here
    names = [
        f"{NAMES[source]}: {row.supported} of {row.sum()}" for source, row in counts.iterrows()
    ]
    ap.plot.row_axis(ax, names)
    ax.set(
        ylim=(len(counts) - 0.5, -0.5),
        xlabel="number of claims; each says how large an effect is",
        xlim=(0, 1.02 * left.max()),
    )
    total, supported = int(counts.to_numpy().sum()), int(counts.supported.sum())
    ax.set_title(f"Of {total} claims about small networks {supported} are supported")
    ap.plot.legend_above(ax, 3)
    return figure


def main(
    summaries: Path = FOLDER.parent / "experiments" / "summaries",
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        summaries: the folder that the experiments wrote their tables of claims to.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        summaries = figures = FOLDER.parent / "results" / "quick"
    files = sorted(summaries.glob("*_claims.csv"))
    if not files:
        raise SystemExit(f"no tables of claims in {summaries}: run the experiments first")
    found = read_claims(files)
    plt.style.use(ap.plot.STYLE)
    note = "Quick look, not the experiment" if quick else ""
    figure = draw_counts(found)
    print(*ap.plot.save(figure, figures, "claims", note), sep="\n")
    plt.close(figure)
    for verdict, n in found.verdict.to_series().value_counts().items():
        print(f"{verdict}: {n}")


if __name__ == "__main__":
    tyro.cli(main)
