"""What the threads claim and what hundreds of seeds say of it: verdicts by thread, and each claim.

Reads experiments/summaries/*_claims.csv, which the experiments write, and draws figures/claims.pdf,
the counts, and figures/claims_1.pdf, claims_2.pdf, ..., every claim; .png too.

Shows: Of 189 claims of six threads 86 are supported, 67 contradicted, and 36 not decided by the
seeds. On the interval and the sine people are mostly right (18 of 27 and 19 of 26), on the identity
and the clusters mostly wrong (14 of 22 and 12 of 25).
Cost: seconds; the experiments whose claims these are say their own.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import tyro
import xarray as xr

import approx as ap

FOLDER = Path(__file__).parent
# Two columns each
PAGES = ((("interval", "identity"), ("square",)), (("waveform",), ("sine", "clusters")))
WRAP, INCHES = 45, 0.112  # characters in a line, and its height
BARS = {  # verdict: (colour of its bars, colour of the text on them)
    "supported": (ap.plot.VERDICTS["supported"]["color"], "white"),
    "undecided": ("0.8", "black"),
    "contradicted": (ap.plot.VERDICTS["contradicted"]["color"], "white"),
}
NAMES = {  # the threads
    "interval": "one interval: which x lie in it",
    "waveform": "the class of x / 256 is x",
    "identity": "84 columns to themselves",
    "square": "x²",
    "sine": "a sine",
    "clusters": "four clusters",
}


def read_claims(files: Sequence[Path]) -> xr.Dataset:
    """The claims of several tables; the source of each is the case that its file is named after."""
    tables = []
    for file in files:
        table = ap.stats.read_claims(file)
        case = file.name.removesuffix("_claims.csv")
        tables.append(table.assign(source=("claim", [case] * table.sizes["claim"])))
    return xr.concat(tables, "claim", combine_attrs="drop_conflicts")


def draw_counts(found: xr.Dataset) -> plt.Figure:
    """How many claims of each thread are supported, undecided, contradicted."""
    frame = found.to_dataframe()
    sources = [source for source in NAMES if (frame.source == source).any()]
    counts = frame.groupby(["verdict", "source"]).size().unstack(fill_value=0)
    figure, ax = plt.subplots(figsize=(7.0, 0.75 + 0.27 * len(sources)))
    left = np.zeros(len(sources))
    for verdict, (color, ink) in BARS.items():
        here = counts.reindex(index=[verdict], columns=sources, fill_value=0).to_numpy()[0]
        label = f"{verdict} ({here.sum()})"
        bars = ax.barh(
            sources,
            here,
            0.75,
            left,
            color=color,
            label=label,
        )
        texts = [str(n) if n else "" for n in here]
        ax.bar_label(bars, texts, label_type="center", size=7, color=ink)
        left += here
    ap.plot.row_axis(ax, [NAMES[source] for source in sources])
    ax.set(
        ylim=(len(sources) - 0.5, -0.5),
        xlabel="claims",
        xlim=(0, 1.02 * left.max()),
    )
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
    return figure


def pages(found: xr.Dataset) -> list[plt.Figure]:
    """Every claim a row, in two columns of threads a page."""
    drawn = [draw_page(found, page) for page in PAGES]
    for figure in drawn:
        deepest = max(max(ax.get_ylim()) for ax in figure.axes)
        figure.set_size_inches(7.0, 0.8 + INCHES * deepest)
        for ax in figure.axes:
            ax.set_ylim(deepest, -0.7)  # a line has the same height everywhere
    return drawn


def draw_page(found: xr.Dataset, page: tuple[tuple[str, ...], ...]) -> plt.Figure:
    """Two columns, with one legend."""
    figure, both = plt.subplots(1, 2)
    for ax, column in zip(both, page, strict=True):
        here = claims_of(found, column)
        if here.sizes["claim"]:
            ap.plot.claims(here, ax, wrap=WRAP, legend=False)
            ax.set(xlim=(-1.05, 1.05), xlabel="probability (difference)")
            ax.set_xticks([-1, 0, 1])
        else:
            ax.set_axis_off()
    drawn = claims_of(found, page[0] + page[1])
    if drawn.sizes["claim"]:
        handles = ap.plot.claims_legend(drawn)
        figure.legend(handles=handles, loc="outside upper right", ncols=3, frameon=False)
    return figure


def claims_of(found: xr.Dataset, sources: tuple[str, ...]) -> xr.Dataset:
    """The claims of some threads."""
    return found.isel(claim=np.isin(found.source, sources))


def main(
    summaries: Path = FOLDER.parent / "experiments" / "summaries",
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figures.

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
    names = ("claims", "claims_1", "claims_2")
    for name, figure in zip(names, (draw_counts(found), *pages(found)), strict=True):
        print(*ap.plot.save(figure, figures, name, note), sep="\n")
        plt.close(figure)
    for verdict, n in found.verdict.to_series().value_counts().items():
        print(f"{verdict}: {n}")


if __name__ == "__main__":
    tyro.cli(main)
