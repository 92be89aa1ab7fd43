"""The same network in fourteen frameworks: how often their defaults learn x² and XOR.

Reads experiments/summaries/frameworks.csv, which experiments/frameworks.py writes, and
frameworks_themselves.csv beside it: successes of the frameworks themselves, counted from what the
scripts of tests/parity print. Draws figures/frameworks.pdf and .png.

Shows: With ten hidden units the defaults of the framework decide whether x² is learned; with two
they decide how often XOR is. Where x² is never learned, the network is not to blame: a rule of the
framework ends the training early (brain.js, synaptic, OpenCV), or Adam makes small and few steps
(200 in scikit-learn, 1,000 in Keras and TensorFlow.js).
Cost: nine minutes on two busy cores for 512 seeds.
"""

import csv
from pathlib import Path

import matplotlib.pyplot as plt
import tyro
from matplotlib.axes import Axes

import approx as ap

FOLDER = Path(__file__).parent
SUMMARIES = FOLDER.parent / "experiments" / "summaries"
# Marker, colour and filling tell the families apart in grey too
FAMILIES = {
    "its defaults here: second order": (("MATLAB", "pyrenn", "R nnet", "neurolab"), "s", "black"),
    "Adam": (("scikit-learn", "Keras", "PyTorch", "TensorFlow.js"), "o", "0.45"),
    "first order, other": (
        ("convnetjs", "brain.js", "synaptic", "FANN", "OpenCV", "Weka"),
        "^",
        "0.7",
    ),
}


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with path.open() as file:
        return list(csv.DictReader(file))


def panel(ax: Axes, rows: list[dict[str, str]], order: list[str], title: str) -> None:
    """A row for each framework: the share of successes with its exact 95% interval."""
    by_name = {row["framework"]: row for row in rows}
    for family, (names, marker, color) in FAMILIES.items():
        label: str | None = family
        for name in names:
            if name not in by_name:
                continue
            row = by_name[name]
            rate, low, high = (100 * float(row[each]) for each in ("rate", "low", "high"))
            ax.errorbar(
                rate,
                order.index(name),
                xerr=[[rate - low], [high - rate]],
                marker=marker,
                color=color,
                markeredgecolor="black",
                markeredgewidth=0.5,
                markersize=5,
                ecolor="black",
                elinewidth=0.8,
                linestyle="none",
                label=label,
            )
            label = None
    ax.set_xlim(-3, 103)
    ax.set_yticks(range(len(order)), order)
    ax.grid(axis="x", linewidth=0.3)
    ax.set_title(title)


def main(summaries: Path = SUMMARIES, figures: Path = FOLDER, quick: bool = False) -> None:
    """Draw the figure.

    Args:
        summaries: the folder with frameworks.csv.
        figures: the folder to draw into.
        quick: draw the quick look, from results/quick and into it.
    """
    if quick:
        summaries = figures = FOLDER.parent / "results" / "quick"
    rows = read(summaries / "frameworks.csv")
    square = [row for row in rows if row["problem"] == "square"]
    order = [row["framework"] for row in sorted(square, key=lambda row: float(row["rate"]))]
    plt.style.use(ap.plot.STYLE)
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 3.4), sharey=True)
    seeds = square[0]["seeds"]
    panel(left, square, order, ap.plot.lettered("a", f"x², ten hidden units ({seeds} seeds)"))
    left.set_xlabel("seeds with a mean squared error below 0.001, %")
    xor = [row for row in rows if row["problem"] == "xor"]
    panel(right, xor, order, ap.plot.lettered("b", f"XOR, two hidden units ({seeds} seeds)"))
    right.set_xlabel("seeds with all four rows right, %")
    label: str | None = "trained in the framework itself"
    for row in read(SUMMARIES / "frameworks_themselves.csv"):
        if row["framework"] in order:
            share = 100 * int(row["successes"]) / int(row["seeds"])
            left.plot(
                share,
                order.index(row["framework"]),
                "x",
                color="black",
                markersize=5,
                markeredgewidth=1.2,
                zorder=5,
                label=label,
            )
            label = None
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    figure.suptitle("A framework's defaults decide how often a network learns x² and XOR")
    note = "Quick look, not the experiment" if quick else ""
    print(*ap.plot.save(figure, figures, "frameworks", note), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
