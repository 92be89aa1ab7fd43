"""Under which learning rate and scale of the initial weights x² is learned, and how it fails.

Reads what experiments/map_square.py writes, results/map_square_{tanh,relu}.nc, and draws
figures/map_square.{pdf,png}.

Shows: SGD learns x² in a band of learning rates that falls as the initial weights grow, with
divergence above it. At the best settings of tanh all 64 seeds succeed, at the best of relu 86%
[75, 93]. Below the band the error still falls, or is that of the best constant, and a success
costs most.
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
SUCCESS = f"seeds with a test error below {LEARNED:.0%}\nof the variance of x²"
MESSAGES = {
    "tanh": "Ten tanh units: SGD learns x² in a band",
    "relu": "Ten relu units: in a band, never all",
}
COLORS = {  # light is good
    "learned": "#CDE9F9",
    "still falling": "#EBB93A",
    "best constant": "#9C9CC8",
    "stands still": "#C65A11",
    "diverged": "#111111",
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
    names = ["diverged", "learned", "still falling", "best constant"]
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
        ap.plot.lettered(letter, MESSAGES[unit]),
        boundary=ap.stats.boundary(rates, "learning_rate"),
        diverged=(~np.isfinite(runs.loss.isel(step=-1))).mean("seed"),
        label=SUCCESS,
    )


def draw_cost(hits: xr.Dataset, ax: Axes) -> None:
    """Expected steps until a success, if trainings that fail are begun anew."""
    ap.plot.field(
        ap.stats.ert(hits),
        "ert",
        ax,
        ap.plot.lettered("c", "Tanh: cheapest from large weights"),
        label="expected steps to a success,\nrestarts included",
        infinite="no seed succeeds",
    )


def draw(results: Path) -> Figure:
    """The whole figure."""
    there = {name: MAPS[name] for name in ("tanh", "relu")}
    runs = ap.study.load_maps("map_square", there, results)
    figure, ((a, b), (c, d)) = plt.subplots(2, 2, figsize=(7.0, 5.4), sharex=True, sharey=True)
    draw_rates(runs["tanh"], a, "a", "tanh")
    draw_rates(runs["relu"], b, "b", "relu")
    draw_cost(MAPS["tanh"].hits(runs["tanh"]), c)
    most = ap.stats.majority(kinds(runs["tanh"]))
    ap.plot.regions(most, d, ap.plot.lettered("d", "Tanh: divergence above, waiting below"), COLORS)
    for ax in (a, b, c, d):
        ax.label_outer()
    ap.plot.map_key((a, b, c, d), columns=3)
    return figure


main = ap.study.figure_script("map_square", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
