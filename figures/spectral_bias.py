"""When small networks learn each sine of a sum.

Reads results/spectral_bias_all.nc and experiments/summaries/spectral_bias_rates.csv, which
experiments/spectral_bias.py writes, and draws figures/spectral_bias.{pdf,png}.

Shows: Relu and tanh networks learn slow sines first. Tanh units learn the sines of one, two, four
and eight periods in this order, and half of 128 seeds know the last after 3,320 steps. Relu units
never learn the last in 4,000 steps. If Fourier features, sines of the input, come before the relu
units, all seeds learn all four sines, most within 240 steps. A SIREN, whose activations are fast
sines, learns the four together after about 100 steps.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import tyro
import xarray as xr
from matplotlib.axes import Axes

import approx as ap
from experiments.spectral_bias import OFF, PERIODS, RESULTS, SUMMARIES, learned

FOLDER = Path(__file__).parent
SHOWN = {
    "relu": "relu: the slow ones first, the fastest never",
    "tanh": "tanh: one after the other",
    "Fourier": "Fourier features: soon, the fastest last",
    "SIREN": "SIREN: all at once",
}
# Of each number of periods: colour and line, from slow to fast
LOOKS = dict(
    zip(
        PERIODS.tolist(),
        (("#E69F00", "-"), ("#D55E00", "--"), ("#0072B2", "-"), ("black", "--")),
        strict=True,
    )
)


def draw_learned(ax: Axes, hits: xr.Dataset, network: str) -> None:
    """The share of seeds that have learned each sine, against steps, with intervals."""
    rates = ap.stats.rate(hits.sel(recipe=network), when="each", interval="exact")
    rates = rates.isel(step=slice(1, None))
    for periods, (color, line) in LOOKS.items():
        here = rates.sel(periods=periods)
        ax.fill_between(here.step, here.low, here.high, color=color, alpha=0.2, linewidth=0)
        ax.plot(here.step, here.rate, color=color, linestyle=line, label=f"{periods}")
    ax.set(xscale="log", xlim=(float(rates.step[0]), float(rates.step[-1])))


def main(
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/spectral_bias.py wrote to.
        summaries: the folder of its tables.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        results = summaries = figures = results / "quick"
    rates = pd.read_csv(summaries / "spectral_bias_rates.csv", dtype={"fingerprint": str})
    runs = ap.load(results / "spectral_bias_all.nc")
    ap.plot.check_identity("the sines", runs.fingerprint, rates.fingerprint.iloc[0])
    hits = learned(runs)
    plt.style.use(ap.plot.STYLE)
    figure, axes = plt.subplots(
        2, 2, figsize=(7.0, 4.2), layout="constrained", sharex=True, sharey=True
    )
    for letter, ax, (network, title) in zip("abcd", axes.flat, SHOWN.items(), strict=True):
        draw_learned(ax, hits, network)
        ax.set_title(ap.plot.lettered(letter, title))
    for ax in axes[:, 0]:
        ap.plot.share_axis(ax, "seeds that have learned it")
    for ax in axes[1]:
        ax.set_xlabel("steps of Adam at 0.001")
    axes[0, 0].legend(frameon=False, title="periods on [-1, 1]", title_fontsize=7)
    figure.suptitle(
        "Of a sum of four sines the slow ones are learned first, unless the network is made of "
        "waves\n"
        f"{rates.n[0]} seeds; a sine is learned while its component is off by at most {OFF:.0%}; "
        "bands: exact 95% intervals",
        size=7.5,
    )
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "spectral_bias", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
