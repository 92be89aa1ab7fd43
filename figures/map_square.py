"""The maps of x².

Reads what experiments/map_square.py writes, results/map_square_{tanh,relu,range}.nc, and draws
figures/map_square.{pdf,png}.

Shows: SGD learns x² in a band of learning rates that falls as the initial weights grow, with
divergence above it; in relu's band some 80% of the seeds succeed, in tanh's nearly all. With Adam
at one rate the range that is learned grows with the width, and relu's error at twice the range is
never small.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments.map_square import LEARNED, MAPS, VARIANCE

X = np.linspace(-1, 1, 21)
CONSTANT = float((X**2).var())  # the loss of the best constant on the training rows
COLORS = {
    "learned": "#0072B2",
    "constant": "#E69F00",
    "still falling": "#F0E442",
    "stands still": "#D55E00",
    "diverged": "0.15",
}


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
    kind = np.select(
        [c.values for c in conditions],
        names,
        "stands still",
    )
    return xr.Dataset({"kind": last.loss.copy(data=kind)}, attrs={"kinds": list(COLORS)})


def draw_rates(runs: xr.Dataset, ax: Axes, letter: str, unit: str) -> None:
    """Share of seeds that learn x², over learning rate and initial scale."""
    rates = MAPS[unit].rates(runs)
    ap.plot.landscape(
        rates,
        ax,
        ap.plot.lettered(letter, f"Ten {unit} units, SGD"),
        boundary=ap.stats.boundary(rates, "learning_rate"),
        diverged=(~np.isfinite(runs.loss.isel(step=-1))).mean("seed"),
    )


def draw_range(runs: xr.Dataset, ax: Axes) -> None:
    """Share of seeds that learn x² on a range, over the range and the width."""
    rates = MAPS["range"].rates(runs).transpose("width", "range")
    ap.plot.landscape(
        rates,
        ax,
        ap.plot.lettered("c", "Adam 0.01, tanh: range and width"),
    )


def draw_far(runs: xr.Dataset, ax: Axes) -> None:
    """Median error at twice the range."""
    away = ap.stats.quantiles(runs.isel(step=-1), q=[0.5], of="far").isel(quantile=0)
    ap.plot.field(
        away,
        "far",
        ax,
        ap.plot.lettered("e", "Error at twice the range, relu"),
        label="median error / x²",
        limits=(0.1, 10),
        infinite="diverged",
    )


def draw(results: Path) -> Figure:
    """The whole figure."""
    runs = ap.study.load_maps("map_square", MAPS, results)
    figure, ((a, b), (c, d), (e, f)) = plt.subplots(3, 2, figsize=(7.0, 7.6))
    draw_rates(runs["tanh"], a, "a", "tanh")
    draw_rates(runs["relu"], b, "b", "relu")
    draw_range(runs["range"], c)
    cost = ap.stats.ert(MAPS["tanh"].hits(runs["tanh"]))
    message = ap.plot.lettered("d", "Cost of a success, tanh")
    ap.plot.field(cost, "ert", d, message, label="expected steps")
    draw_far(runs["relu"], e)
    most = ap.stats.majority(kinds(runs["tanh"]))
    ap.plot.regions(most, f, ap.plot.lettered("f", "What most became, tanh"), COLORS)
    return figure


main = ap.study.figure_script("map_square", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
