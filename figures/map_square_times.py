"""How long ten tanh units take to learn x², how sure the map of their success is, and their
learning curves.

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

import approx as ap

FOLDER = Path(__file__).parent
LEARNED = 0.01 * 4 / 45  # as in the experiment


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
    runs = ap.load(results / "map_square_tanh.nc")
    hits = ap.stats.success(runs, below=LEARNED)
    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 7.2))
    above, middle, below = figure.subfigures(3, 1, squeeze=False, height_ratios=(1, 1.05, 1))[:, 0]

    top = above.subplots(1, 3, sharex=True, sharey=True)
    times = ap.stats.time_quantiles(hits, q=(0.1, 0.5, 0.9))
    shown: dict[str, Any] = {"of": "time", "log": True, "label": "steps", "limits": (100, 2_000)}
    ap.plot.facets(times, ap.plot.field, col="quantile", panels=top, **shown)
    for ax, letter, share in zip(top, "abc", ("a tenth", "half", "nine tenths"), strict=True):
        ax.set_title(rf"$\bf{{{letter}}}$  Until {share} have learned it", pad=13)

    d, e, f = middle.subplots(1, 3)
    rates = ap.stats.rate(hits)
    width = rates.assign(width=100 * (rates.high - rates.low))
    ap.plot.field(
        width,
        "width",
        d,
        r"$\bf{d}$  How sure the rate is",
        "width of its interval (points)",
        (0, 25),
        False,
    )
    one = runs.sel(init_scale=1, method="nearest")
    curves: dict[str, Any] = {
        "of": "test_loss",
        "label": "median test loss",
        "limits": (1e-4, 1),
        "log": True,
    }
    ap.plot.learning_landscape(one, e, r"$\bf{e}$  Curves at initial scale 1", **curves)
    spread: dict[str, Any] = {"of": "test_loss", "q": (0.05, 0.95), "limits": (0, 2), "log": False}
    ap.plot.learning_landscape(
        one, f, r"$\bf{f}$  How far seeds are apart", **spread, label="decades, 5 to 95%"
    )

    g, h = below.subplots(1, 2)
    chosen = one.sel(learning_rate=[0.01, 0.1, 0.3], method="nearest")
    ap.plot.learning_curve(chosen, g, of="test_loss", by="learning_rate")
    g.set_title(r"$\bf{g}$  Bands over seeds, at initial scale 1")
    near = runs.sel(learning_rate=0.1, method="nearest")
    ap.plot.learning_curve(near, h, of="test_loss", over=("seed", "init_scale"))
    h.set_title(r"$\bf{h}$  Over seeds and initial scales, at rate 0.1")
    for ax in (g, h):
        ax.axhline(LEARNED, color="0.5", lw=0.7, ls=(0, (3, 2)))
        ax.set_ylabel("test loss")
    note = "Quick look: few settings, seeds and steps, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "map_square_times", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
