"""The figure of the sine: what each network makes of it outside, and whether only its phase is off.

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
import xarray as xr
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
TICKS = {-6: "−6π", -2: "−2π", 0: "0", 2: "2π", 6: "6π"}
CONSTANT = 0.5  # mean squared error of the constant 0
LEAST = 1e-13  # errors below are drawn here


def curve(runs: xr.Dataset, ax: Axes) -> None:
    """Learned functions of one network."""
    ap.plot.fan(runs, ax, singles=2, names=False)
    ax.set(ylim=(-2.6, 2.6), xlabel="", ylabel="")
    ax.set_xticks([np.pi * number for number in TICKS], list(TICKS.values()))


def errors_of(table: pd.DataFrame) -> xr.Dataset:
    """Median and 5 to 95% of the seeds' errors, over network, and kind of error and noise."""
    parts = []
    for kind, said in ERRORS.items():
        for noise in sorted(table.noise.unique()):
            rows = table[table.noise == noise].set_index("network")
            quantiles = rows[[f"{kind}_{q}" for q in ("q50", "q05", "q95")]].clip(lower=LEAST)
            part = quantiles.set_axis(["error", "low", "high"], axis=1).to_xarray()
            name = f"{said}, noise" if noise else said
            parts.append(part.expand_dims(kind=[name]))
    return xr.concat(parts, "kind")


def distances(table: pd.DataFrame, ax: Axes) -> None:
    """Mean squared errors in the end, by network, without noise (filled) and with (open)."""
    found = errors_of(table)
    styles: dict[str, Any] = {}
    for number, name in enumerate(ERRORS.values()):
        style = {"color": f"C{number}", "marker": "o", "markersize": 3}
        styles[name] = style
        styles[f"{name}, noise"] = style | {"markerfacecolor": "white", "label": ""}
    names = {"tanh10": "10 tanh"} | NAMES
    shown = [network for network in names if network in found.network]
    found = found.sel(network=shown).assign_coords(network=[names[network] for network in shown])
    ap.plot.forest(found, "error", ax, by="kind", log=True, styles=styles)
    ax.set_xlabel("mean squared error: median, 5 to 95% of seeds")
    ax.axvline(
        CONSTANT,
        color="0.6",
        lw=0.7,
        ls=(0, (3, 2)),
        zorder=0,
    )
    ax.text(CONSTANT, -0.52, "constant ", size=6, ha="right", va="center", color="0.4")
    ax.legend(
        ncols=3,
        loc="lower left",
        bbox_to_anchor=(-0.15, 1.0),
        fontsize=6.2,
        handlelength=0.8,
        columnspacing=0.8,
        borderpad=0.2,
    )


def read_runs(results: Path, table: pd.DataFrame) -> dict[str, xr.Dataset]:
    """The results without noise of every network, which must be those of the table.

    Raises:
        ValueError: the table was made of other results.
    """
    trained = [network for network in NAMES if network in set(table.network)]
    runs = {network: ap.load(results / f"sine_{network}.nc").sel(noise=0.0) for network in trained}
    for row in table[table.network.isin(trained)].itertuples():
        ap.plot.check_identity(
            row.network,
            runs[row.network].identity,
            row.fingerprint,
        )
    return runs


def draw_curves(runs: dict[str, xr.Dataset], figure: Any) -> None:
    """Learned functions of six networks."""
    axes = figure.subplots(2, 3, sharex=True, sharey=True)
    for letter, ax, network in zip("abcdef", axes.flat, SHOWN, strict=True):
        if network in runs:
            curve(runs[network], ax)
        ax.set_title(ap.plot.lettered(letter, SHOWN[network]))
    for ax in axes[:, 0]:
        ax.set_ylabel("f(x)")
    sizes = sorted({one.sizes["seed"] for one in runs.values()})
    counted = " to ".join(f"{size:,}" for size in sizes)
    figure.supxlabel(
        f"x; bands: 5-95% and 25-75% of {counted} seeds; thin: two seeds; dashed: the target",
        size=7,
    )


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
    table = pd.read_csv(summaries / "sine_networks.csv", dtype={"fingerprint": str})
    runs = read_runs(results, table)
    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 6.2))
    top, bottom = cast(Any, figure.subfigures(2, 1, height_ratios=(1.25, 1)))
    draw_curves(runs, top)
    g, h = bottom.subplots(1, 2)
    far = {NAMES[name]: ap.stats.error_by_distance(one) for name, one in runs.items()}
    far.pop(NAMES["random"], None)
    ap.plot.extrapolation(
        far,
        g,
        ap.plot.lettered("g", "But for harmonics, none goes on"),
    )
    distances(table, h)
    h.set_title(ap.plot.lettered("h", "Forgiving the phase helps little (open: noise)"), pad=14)
    note = "Quick look: few seeds and steps, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "sine", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
