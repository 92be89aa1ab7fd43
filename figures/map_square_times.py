"""How long ten tanh units take to learn x², how sure the map is, and their learning curves.

Reads what experiments/map_square.py writes, results/map_square_tanh.nc, and draws
figures/map_square_times.{pdf,png}.

Shows: At its fastest setting half of the seeds have learned x² after 449 [392, 675] steps, nine
tenths after 1,015 [675, 1,525]; no rate's interval is wider than 24 points. The loss stays at the
constant's for a time that falls as one over the learning rate, and that is when seeds are farthest
apart.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import tyro
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import approx as ap
from experiments.map_square import LEARNED, MAPS, VARIANCE


def draw_times(hits: xr.Dataset, panels: Any) -> None:
    """Steps until a tenth, half and nine tenths of the seeds have learned it."""
    shares = {"a": "a tenth", "b": "half", "c": "nine tenths"}
    ap.plot.facets(
        ap.stats.time_quantiles(hits, q=(0.1, 0.5, 0.9)),
        ap.plot.field,
        col="quantile",
        panels=panels,
        titles=[
            ap.plot.lettered(x, f"Until {share} have learned it") for x, share in shares.items()
        ],
        of="time",
        log=True,
        label="steps",
        limits=(100, 2_000),
    )


def draw_width(hits: xr.Dataset, ax: Axes) -> None:
    """Width of the interval of each cell's rate."""
    rates = ap.stats.rate(hits)
    ap.plot.field(
        rates.assign(width=100 * (rates.high - rates.low)),
        "width",
        ax,
        ap.plot.lettered("d", "How sure the rate is"),
        label="width of its interval (points)",
        limits=(0, 25),
        log=False,
    )


def draw_landscapes(runs: xr.Dataset, e: Axes, f: Axes) -> None:
    """Median test loss over steps and learning rates, and how far the seeds are apart."""
    ap.plot.learning_landscape(
        runs,
        e,
        ap.plot.lettered("e", "Curves at initial scale 1"),
        of="test_loss",
        label="median test loss",
        limits=(1e-4, 1),
        log=True,
    )
    ap.plot.learning_landscape(
        runs,
        f,
        ap.plot.lettered("f", "How far seeds are apart"),
        of="test_loss",
        q=(0.05, 0.95),
        label="decades, 5 to 95%",
        limits=(0, 2),
        log=False,
    )


def draw_curves(runs: xr.Dataset, g: Axes, h: Axes) -> None:
    """Test loss of three learning rates over seeds, and of one over initial scales too."""
    one = runs.sel(init_scale=1, method="nearest")
    chosen = one.sel(learning_rate=[0.01, 0.1, 0.3], method="nearest")
    message = ap.plot.lettered("g", "Bands over seeds, at initial scale 1")
    ap.plot.learning_curve(chosen, g, message, of="test_loss", by="learning_rate")
    near = runs.sel(learning_rate=0.1, method="nearest")
    message = ap.plot.lettered("h", "Over seeds and initial scales, at rate 0.1")
    ap.plot.learning_curve(
        near,
        h,
        message,
        of="test_loss",
        over=("seed", "init_scale"),
    )
    for ax in (g, h):
        ax.axhline(LEARNED * VARIANCE, color="0.5", lw=0.7, ls=(0, (3, 2)))
        ax.set_ylabel("test loss")


def draw(results: Path) -> Figure:
    """The whole figure."""
    runs = ap.load(results / "map_square_tanh.nc")
    hits = MAPS["tanh"].hits(runs)
    figure = plt.figure(figsize=(7.0, 7.2))
    above, middle, below = figure.subfigures(3, 1, squeeze=False, height_ratios=(1, 1.05, 1))[:, 0]
    draw_times(hits, above.subplots(1, 3, sharex=True, sharey=True))
    d, e, f = middle.subplots(1, 3)
    draw_width(hits, d)
    draw_landscapes(runs.sel(init_scale=1, method="nearest"), e, f)
    draw_curves(runs, *below.subplots(1, 2))
    return figure


main = ap.study.figure_script("map_square_times", draw, Path(__file__).parent)

if __name__ == "__main__":
    tyro.cli(main)
