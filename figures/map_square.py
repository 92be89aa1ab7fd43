"""The maps of x².

Reads what experiments/map_square.py writes, results/map_square_{tanh,relu,range}.nc, and draws
figures/map_square.{pdf,png}.

Shows: SGD learns x² in a band of learning rates that falls as the initial weights grow, with
divergence above it; in relu's band some 80% of the seeds succeed, in tanh's nearly all. With Adam
at one rate the range that is learned grows with the width, and relu's error at twice the range is
never small.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import tyro
import xarray as xr

import approx as ap

FOLDER = Path(__file__).parent
VARIANCE, LEARNED = 4 / 45, 0.01  # as in the experiment
COLORS = {"learned": "#0072B2", "constant": "#E69F00", "still falling": "#F0E442", "stands still": "#D55E00",
          "diverged": "0.15"}  # fmt: skip


def kinds(runs: xr.Dataset) -> xr.Dataset:
    """What each training became; "still falling" by the rule of `stats.falling`."""
    last = runs.isel(step=-1)
    conditions = [
        ~np.isfinite(last.loss),
        last.test_loss <= LEARNED * VARIANCE,
        ap.stats.falling(runs),
        abs(last.loss / CONSTANT - 1) < 0.05,
    ]
    names = ["diverged", "learned", "still falling", "constant"]
    kind = np.select([c.values for c in conditions], names, "stands still")
    return xr.Dataset({"kind": last.loss.copy(data=kind)}, attrs={"kinds": list(COLORS)})


X = np.linspace(-1, 1, 21)
CONSTANT = float((X**2).var())  # the loss of the best constant on the training rows


def main(
    results: Path = FOLDER.parent / "results", figures: Path = FOLDER, quick: bool = False
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/map_square.py wrote to.
        figures: the folder to draw into.
        quick: draw what `--quick` wrote, in results/quick.
    """
    if quick:
        results = figures = results / "quick"
    runs = {name: ap.load(results / f"map_square_{name}.nc") for name in ("tanh", "relu", "range")}
    plt.style.use(ap.plot.STYLE)
    figure, ((a, b), (c, d), (e, f)) = plt.subplots(3, 2, figsize=(7.0, 7.6))
    for ax, name, letter in ((a, "tanh", "a"), (b, "relu", "b")):
        hits = ap.stats.success(runs[name], below=LEARNED * VARIANCE)
        rates = ap.stats.rate(hits)
        edge = ap.stats.boundary(rates, "learning_rate")
        blown = (~np.isfinite(runs[name].loss.isel(step=-1))).mean("seed")
        ap.plot.landscape(
            rates, ax, rf"$\bf{{{letter}}}$  Ten {name} units, SGD", boundary=edge, diverged=blown
        )
    wide = runs["range"]
    rates = ap.stats.rate(
        ap.stats.success(wide, below=LEARNED * VARIANCE * wide.range**4)
    ).transpose("width", "range")
    ap.plot.landscape(rates, c, r"$\bf{c}$  Adam 0.01, tanh: range and width")
    cost = ap.stats.ert(ap.stats.success(runs["tanh"], below=LEARNED * VARIANCE))
    ap.plot.field(cost, "ert", d, r"$\bf{d}$  Cost of a success, tanh", label="expected steps")
    away = ap.stats.quantiles(runs["relu"].isel(step=-1), q=[0.5], of="far").isel(quantile=0)
    title = r"$\bf{e}$  Error at twice the range, relu"
    shown: dict[str, Any] = {
        "label": "median error / x²",
        "limits": (0.1, 10),
        "infinite": "diverged",
    }
    ap.plot.field(away.assign(n=cost.n), "far", e, title, **shown)
    ap.plot.regions(
        ap.stats.majority(kinds(runs["tanh"])), f, r"$\bf{f}$  What most became, tanh", COLORS
    )
    note = "Quick look: few settings, seeds and steps, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "map_square", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
