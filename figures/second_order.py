"""The figure of second-order methods: how often they succeed, against evaluations and against time.

Reads results/second_order_{CASE}_{METHOD}.nc, which experiments/second_order.py writes, and draws
figures/second_order.pdf and .png.

Shows: Levenberg-Marquardt and BFGS need orders of magnitude fewer evaluations and less time than
SGD and Adam where they succeed. They do not rescue bad starts: on the raw interval Adam succeeds
more often.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import tyro

import approx as ap

FOLDER = Path(__file__).parent
ACCURATE: dict[str, Any] = {"of": "accuracy", "above": 1.0}
# case -> (what its panel says, what counts as success)
CASES: dict[str, Any] = {
    "raw_entropy": ("Interval, raw, entropy", ACCURATE),
    "raw_squares": ("Interval, raw, squares", ACCURATE),
    "square": ("x², MSE < 10⁻⁶", {"of": "loss", "below": 1e-6}),
    "standardised_entropy": ("Interval, z-scored, entropy", ACCURATE),
    "standardised_squares": ("Interval, z-scored, squares", ACCURATE),
    "sine": ("sin x, MSE < 10⁻³", {"of": "loss", "below": 1e-3}),
}
TIMED = ("standardised_squares", "square", "sine")
METHODS = {"sgd": "SGD", "adam": "Adam", "bfgs": "BFGS", "lbfgs": "L-BFGS", "lm": "LM"}


def rates(results: Path, case: str, left_out: tuple[str, ...] = ()) -> dict:
    """Share of successes at each record of every method.

    The coordinate `milliseconds` says how long a training had then taken.
    """
    found = {}
    for method, name in METHODS.items():
        needs_squares = method == "lm" and "entropy" in case  # an entropy is no sum of squares
        if needs_squares or method in left_out:
            continue
        runs = ap.load(results / f"second_order_{case}_{method}.nc")
        work = runs.evaluations.mean("seed")
        taken = runs.milliseconds * work / work[-1]
        rate = ap.stats.rate(ap.stats.success(runs, **CASES[case][1]), when="each")
        found[name] = rate.assign_coords(milliseconds=taken)
    return found


def main(
    results: Path = FOLDER.parent / "results", figures: Path = FOLDER, quick: bool = False
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/second_order.py wrote to.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        results = figures = results / "quick"
    left_out = ("lbfgs", "sgd") if quick else ()
    found = {case: rates(results, case, left_out) for case in CASES}
    plt.style.use(ap.plot.STYLE)
    figure, grid = plt.subplots(
        3,
        3,
        figsize=(7.0, 6.6),
        sharey=True,
    )
    for letter, ax, case in zip("abcdef", grid[:2].flat, CASES, strict=True):
        ap.plot.work_curve(
            found[case],
            ax,
            ap.plot.lettered(letter, CASES[case][0]),
        )
    for letter, ax, case in zip("ghi", grid[2], TIMED, strict=True):
        said = CASES[case][0].split(",")[0]
        ap.plot.work_curve(
            found[case],
            ax,
            ap.plot.lettered(letter, f"{said}: time"),
            work="milliseconds",
            label="ms a training, two cores",
        )
    figure.suptitle(
        "Second order takes a hundredth of the evaluations, and stops short for more starts"
    )
    for ax in grid[:, 1:].flat:
        ax.set_ylabel("")
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "second_order", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
