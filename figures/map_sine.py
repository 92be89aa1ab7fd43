"""The maps of the sine.

Reads what experiments/map_sine.py writes, results/map_sine_{width,snake,spectrum}.nc, and draws
figures/map_sine.{pdf,png}.

Shows: The number of periods that a layer of tanh learns grows with its width, from 1 with two units
to 7 with 32, and of a sum of sines the low frequencies are learned first. Snake goes on outside for
up to 56% [39, 72] of 32 seeds, where its a is about the sine's frequency and the rate about 0.02.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import tyro

import approx as ap

FOLDER = Path(__file__).parent
LEARNED: dict[str, Any] = {"below": 0.01, "of": "loss"}


def main(
    results: Path = FOLDER.parent / "results", figures: Path = FOLDER, quick: bool = False
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/map_sine.py wrote to.
        figures: the folder to draw into.
        quick: draw what `--quick` wrote, in results/quick.
    """
    if quick:
        results = figures = results / "quick"
    width, snake, spectrum = (
        ap.load(results / f"map_sine_{name}.nc") for name in ("width", "snake", "spectrum")
    )
    plt.style.use(ap.plot.STYLE)
    figure, ((a, b), (c, d), (e, f)) = plt.subplots(3, 2, figsize=(7.0, 7.6))
    rates = ap.stats.rate(ap.stats.success(width, **LEARNED)).transpose("frequency", "width")
    edge = ap.stats.boundary(rates, "frequency")
    ap.plot.landscape(rates, a, r"$\bf{a}$  More units reach higher frequencies", boundary=edge)
    a.set_xticks([1, 2, 4, 8, 16, 32], ["1", "2", "4", "8", "16", "32"])
    a.set(ylabel="periods in the range", xlabel="tanh units")
    inside = ap.stats.rate(ap.stats.success(snake, **LEARNED))
    ap.plot.landscape(inside, b, r"$\bf{b}$  Snake learns one period at rates to suit a")
    away = ap.stats.quantiles(snake.isel(step=-1), of="outside_loss", q=[0.5]).isel(quantile=0)
    shown: dict[str, Any] = {
        "label": "median squared error",
        "limits": (0.01, 10),
        "infinite": "diverged",
    }
    ap.plot.field(away, "outside_loss", c, r"$\bf{c}$  Its error to three times the range", **shown)
    on = ap.stats.rate(ap.stats.success(snake, below=0.05, of="outside_loss"))
    ap.plot.landscape(on, d, r"$\bf{d}$  It goes on outside for half the seeds at best")
    for ax in (b, c, d):
        ax.set_xlabel("a, snake's frequency")
    share = ap.stats.quantiles(
        spectrum.isel(step=slice(1, None)), of="learned_share", q=[0.5]
    ).isel(quantile=0)
    share = share.transpose("periods", "step")
    shown = {"label": "median share of its amplitude", "limits": (0, 1), "log": False}
    ap.plot.field(
        share, "learned_share", e, r"$\bf{e}$  Low frequencies are learned first", **shown
    )
    e.set(ylabel="periods in the range")
    ap.plot.learning_curve(spectrum, f, r"$\bf{f}$  The loss of the sum of eight")
    note = "Quick look: few settings, seeds and steps, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "map_sine", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
