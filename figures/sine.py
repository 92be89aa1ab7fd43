"""The figure of the sine: what each network makes of it outside, how far off it is, and whether
only the phase is.

Reads results/sine_{NETWORK}.nc and experiments/summaries/sine_*.csv, which experiments/sine.py
writes, and draws figures/sine.{pdf,png}.

Shows: Nearly all networks learn two periods of a sine inside what they are shown. Outside only the
one that holds the range's own harmonics goes on, restarts and a forgiven phase notwithstanding.
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
NAMES = {
    "tanh": "tanh",
    "relu": "relu",
    "snake": "snake",
    "siren": "sin",
    "random": "random",
    "fourier": "Fourier",
}
SHOWN = {  # 32-32 units each; the last two are linear in sines and cosines
    "tanh": "tanh: goes off",
    "relu": "relu: goes off along lines",
    "snake": "snake: oscillates, and fades",
    "siren": "sin: oscillates, at random",
    "random": "random features: at random",
    "fourier": "harmonics of the range: exact",
}
ERRORS = {"inside": "inside", "outside": "outside", "forgiven": "outside, phase forgiven"}


def curve(runs, ax: Axes) -> None:
    """Learned functions of one network."""
    ap.plot.fan(runs, ax, singles=2)
    for text in list(ax.texts):
        if text.get_text() in ("target", "median") or text.get_text().startswith("n ="):
            text.remove()
    ax.set(ylim=(-2.6, 2.6), xlabel="", ylabel="")
    ax.set_xticks(np.pi * np.array([-6, -2, 0, 2, 6]), ["−6π", "−2π", "0", "2π", "6π"])


def distances(table: pd.DataFrame, ax: Axes) -> None:
    """Mean squared errors in the end: 5 to 95% of the seeds, by network, without noise (filled) and
    with (open).
    """
    networks = [name for name in ("tanh10", *NAMES) if name in set(table.network)]
    for number, (of, said) in enumerate(ERRORS.items()):
        for noise in sorted(table.noise.unique()):
            rows = table[table.noise == noise].set_index("network").loc[networks]
            y = np.arange(len(networks)) + 0.24 * (number - 1) + (0.09 if noise else 0)
            style: dict[str, Any] = {"color": f"C{number}"}
            ax.hlines(y, rows[f"{of}_q05"].clip(1e-13), rows[f"{of}_q95"], lw=1, **style)
            label = None if noise else said
            fill: dict[str, Any] = {"markerfacecolor": "white"} if noise else {}
            ax.plot(rows[f"{of}_q50"], y, "o", ms=3, label=label, **style, **fill)
    names = {"tanh10": "10 tanh"} | NAMES
    ax.set_yticks(range(len(networks)), [names[name] for name in networks])
    ax.set(
        xscale="log",
        ylim=(len(networks) - 0.4, -0.6),
        xlabel="mean squared error: median, 5 to 95% of seeds",
    )
    ax.axvline(0.5, color="0.6", lw=0.7, ls=(0, (3, 2)), zorder=0)
    ax.text(0.5, -0.52, "constant ", size=6, ha="right", va="center", color="0.4")
    ax.tick_params(axis="y", length=0)
    ax.legend(ncols=3, loc="lower left", bbox_to_anchor=(-0.15, 1.0), fontsize=6.2, handlelength=0.8, columnspacing=0.8,
              borderpad=0.2)  # fmt: skip


def main(
    results: Path = ROOT / "results",
    summaries: Path = ROOT / "experiments" / "summaries",
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/sine.py wrote to.
        summaries: the folder of its tables.
        figures: the folder to draw into.
        quick: draw what `--quick` wrote, in results/quick.
    """
    if quick:
        results = summaries = figures = results / "quick"
    table = pd.read_csv(summaries / "sine_networks.csv", dtype={"identity": str})
    trained = [network for network in NAMES if network in set(table.network)]
    runs = {network: ap.load(results / f"sine_{network}.nc").sel(noise=0.0) for network in trained}
    for row in table[table.network.isin(list(runs))].itertuples():
        ap.plot.kinds.check_identity(row.network, runs[row.network].identity, row.identity)
    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 6.2))
    top, bottom = cast(Any, figure.subfigures(2, 1, height_ratios=(1.25, 1)))
    axes = top.subplots(2, 3, sharex=True, sharey=True)
    for letter, ax, network in zip("abcdef", axes.flat, SHOWN, strict=True):
        if network in runs:
            curve(runs[network], ax)
        ax.set_title(rf"$\bf{{{letter}}}$  {SHOWN[network]}")
    for ax in axes[:, 0]:
        ax.set_ylabel("f(x)")
    sizes = sorted({one.sizes["seed"] for one in runs.values()})
    counted = " to ".join(f"{size:,}" for size in sizes)
    top.supxlabel(
        f"x; bands: 5-95% and 25-75% of {counted} seeds; thin: two seeds; dashed: the target",
        size=7,
    )
    g, h = bottom.subplots(1, 2)
    far = {
        NAMES[network]: ap.stats.error_by_distance(one)
        for network, one in runs.items()
        if network != "random"
    }
    ap.plot.extrapolation(far, g, r"$\bf{g}$  But for harmonics, none goes on")
    distances(table, h)
    h.set_title(r"$\bf{h}$  Forgiving the phase helps little (open: noise)", pad=14)
    note = "Quick look: few seeds and steps, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "sine", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
