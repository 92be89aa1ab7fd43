"""When small networks know the sums of modular addition that they were not shown.

Reads results/modular_{many,few}.nc and experiments/summaries/modular_rates.csv, which
experiments/modular.py writes, and draws figures/modular.{pdf,png}.

Shows: Networks are shown 70% of the sums of two numbers modulo 23. All of 128 seeds have these
right after some 100 steps. The other sums they know later, and only with weight decay: half of the
seeds after 330 steps with a decay of 1, after 800 steps with 0.3, and none within 3,000 steps
without. If only 30% of the sums are shown, no seed ever knows the others.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import tyro
import xarray as xr
from matplotlib.axes import Axes

import approx as ap
from experiments.modular import (
    DECAYS,
    FITTED,
    KNOWN,
    MODULUS,
    RESULTS,
    SHARES,
    SUMMARIES,
    fits,
    knows,
)

FOLDER = Path(__file__).parent
SAID = {"many": "decay brings the others", "few": "nobody knows the others"}
# Colour and line of each weight decay
LOOKS = dict(zip(DECAYS, (("black", "-"), ("#0072B2", "--"), ("#D55E00", "-")), strict=True))


def draw_waiting(ax: Axes, hits: xr.Dataset, weight_decay: float, label: str, shown: bool) -> None:
    """The share of seeds that have not yet succeeded against steps, as a curve with its band."""
    curve = ap.stats.survival(hits.sel(weight_decay=weight_decay)).isel(step=slice(1, None))
    color, line = LOOKS[weight_decay]
    if shown:
        ax.plot(curve.step, curve.survival, ":", color="0.5", drawstyle="steps-post", label=label)
        return
    band: dict[str, Any] = {"color": color, "alpha": 0.2, "linewidth": 0, "step": "post"}
    ax.fill_between(curve.step, curve.low, curve.high, **band)
    ax.plot(curve.step, curve.survival, line, color=color, drawstyle="steps-post", label=label)


def draw_share(ax: Axes, runs: xr.Dataset) -> None:
    """All curves of one share of the sums."""
    last = DECAYS[-1]
    draw_waiting(ax, fits(runs), last, f"until the shown are fitted, decay {last:g}", shown=True)
    for decay in DECAYS:
        draw_waiting(ax, knows(runs), decay, f"weight decay {decay:g}", shown=False)
    steps = runs.step.values
    ax.set(xscale="log", xlim=(steps[1], steps[-1]), xlabel="steps of AdamW at 0.003")


def main(
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/modular.py wrote to.
        summaries: the folder of its tables.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        results = summaries = figures = results / "quick"
    rates = pd.read_csv(summaries / "modular_rates.csv", dtype={"fingerprint": str})
    plt.style.use(ap.plot.STYLE)
    figure, axes = plt.subplots(1, 2, figsize=(7.0, 2.9), layout="constrained", sharey=True)
    for letter, ax, (name, share) in zip("ab", axes, SHARES.items(), strict=True):
        draw_share(ax, ap.load(results / f"modular_{name}.nc"))
        ax.set_title(ap.plot.lettered(letter, f"{share:.0%} of the sums shown: {SAID[name]}"))
    ap.plot.share_axis(axes[0], "seeds that do not know the others yet")
    axes[1].legend(frameon=False, loc="center right")
    figure.suptitle(
        f"The sums (a + b) mod {MODULUS} that were not shown are known late, and only with weight "
        "decay\n"
        f"{rates.n[0]} seeds; known: {KNOWN:.0%} of the other sums right; fitted: {FITTED:.0%} of "
        "the shown; bands: exact 95% intervals",
        size=7.5,
    )
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "modular", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
