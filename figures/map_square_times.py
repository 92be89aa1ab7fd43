"""How long ten tanh units take to learn x², and what they wait for.

Reads what experiments/map_square.py writes, results/map_square_tanh.nc, and draws
figures/map_square_times.{pdf,png}.

Shows: At its fastest setting half of the seeds have learned x² after 449 [392, 675] steps, nine
tenths after 1,015 [675, 1,525]. The error stays at that of the best constant for a time that falls
as one over the learning rate; learning waits for its end.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments.map_square import LEARNED, MAPS, VARIANCE

CURVES = (0.01, 0.1, 0.3)  # the learning rates whose curves are drawn, nearly
RATES = (0.02, 1.0)  # the learning rates that a and b show; at others too few seeds learn it
NEVER = "never learned by so many seeds, or diverged"
STEPS = (400, 2_000)  # the steps that have colours of their own


def draw_times(hits: xr.Dataset, a: Axes, b: Axes) -> None:
    """Steps until half and nine tenths of the seeds have learned it."""
    times = ap.stats.time_quantiles(hits, q=(0.5, 0.9))
    fastest = times.time.min(("learning_rate", "init_scale")).values
    who = ("Half of the seeds", "Nine tenths")
    ap.plot.facets(
        times,
        ap.plot.field,
        col="quantile",
        panels=(a, b),
        titles=[
            ap.plot.lettered(letter, f"{share}: in {steps:,.0f} steps at best")
            for letter, share, steps in zip("ab", who, fastest, strict=True)
        ],
        of="time",
        log=True,
        label=f"steps until the test error is below\n{LEARNED:.0%} of the variance of x²",
        limits=STEPS,
        infinite=NEVER,
        key=False,
    )


def draw_landscape(runs: xr.Dataset, ax: Axes) -> None:
    """Median test error over steps and learning rates."""
    ap.plot.learning_landscape(
        runs,
        ax,
        ap.plot.lettered("c", "The wait is one over the rate"),
        of="test_loss",
        label="median test error",
        limits=(3e-4, 0.3),
        log=True,
        infinite=NEVER,
    )


def draw_curves(runs: xr.Dataset, ax: Axes) -> None:
    """Test error of three learning rates, with bands over the seeds."""
    chosen = runs.sel(learning_rate=list(CURVES), method="nearest")
    named = chosen.assign_coords(learning_rate=list(CURVES)).rename(learning_rate="rate")
    message = ap.plot.lettered("d", "First a constant, then x²")
    ap.plot.learning_curve(named, ax, message, of="test_loss", by="rate")
    ax.axhline(VARIANCE, color="0.5", lw=0.7, ls=(0, (1, 1.5)))
    ax.axhline(LEARNED * VARIANCE, color="0.5", lw=0.7, ls=(0, (3, 2)))
    ax.text(0.1, 0.6 * VARIANCE, "dots: best constant", va="top", color="0.35", size=7)
    ax.text(0.1, LEARNED * VARIANCE, "learned", va="bottom", color="0.35", size=7)
    ax.set(ylabel="test error", ylim=(1e-4, 3))


def draw(results: Path) -> Figure:
    """The whole figure."""
    runs = ap.load(results / "map_square_tanh.nc")
    usual = runs.sel(init_scale=1, method="nearest", drop=True)
    figure = plt.figure(figsize=(7.0, 5.4))
    above, below = figure.subfigures(2, 1, squeeze=False)[:, 0]
    a, b = above.subplots(1, 2, sharex=True, sharey=True)
    c, d = below.subplots(1, 2)
    draw_times(MAPS["tanh"].hits(runs), a, b)
    a.set_ylim(RATES)
    b.set_ylim(RATES)
    draw_landscape(usual, c)
    draw_curves(usual, d)
    ap.plot.map_key((a, b, c, d))
    return figure


main = ap.study.figure_script("map_square_times", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
