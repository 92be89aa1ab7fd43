"""The decision chart of the page "My network does not learn x²": `python docs/decision_chart.py`.

It reads the committed summary of the remedies for x² and writes `decision_chart.svg` beside itself.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

HERE = Path(__file__).parent
ROWS = HERE.parent / "experiments" / "summaries" / "square_rows.csv"
QUESTION, ANSWER = "#E8EEF4", "#FFF6D9"
SUCCESS = "Shares of seeds whose error inside [-10, 10] is at most 0.1% of the variance of x²"
LEFT, RIGHT = (0.0, 3.1), (3.75, 3.25)  # where the boxes begin and how wide they are, in inches


class Step(NamedTuple):
    """A question, the answer that leads to a remedy, and the remedy."""

    question: str
    answer: str
    remedy: str


def shares() -> dict[tuple[str, str], str]:
    """Per cent of the seeds that succeed, as words, by measure and row."""
    with ROWS.open() as file:
        rows = list(csv.DictReader(file))
    return {(row["measure"], row["label"]): f"{100 * float(row['rate']):.0f}%" for row in rows}


def steps() -> list[Step]:
    """The questions in the order in which one asks them."""
    share = shares()

    def inside(row: str) -> str:
        return share["learned", row]

    return [
        Step(
            "Is the loss inf or nan?",
            "yes",
            "The steps are too large. Take a learning rate ten\n"
            "times smaller, or bring x and y into [-1, 1].",
        ),
        Step(
            "Is there a layer with an activation\nbetween input and output?",
            "no",
            f"A line cannot bend: {inside('A')} of 512 seeds.\nAdd ten tanh units.",
        ),
        Step(
            "Are x and y in [-1, 1]?",
            "no",
            f"Scale both. Adam at its best rate: {inside('adam, tanh, raw')} of the seeds\n"
            f"before, {inside('adam, tanh, scaled')} after. "
            f"SGD: {inside('sgd, tanh, raw')} before, {inside('sgd, tanh, scaled')} after.",
        ),
        Step(
            "Does the training loss still fall\nat the last step?",
            "yes",
            f"Train longer, or use Levenberg-Marquardt:\n"
            f"{inside('lm, tanh, scaled')} after 1,000 steps on scaled x and y.",
        ),
        Step(
            "Is it wrong on new points\ninside the training range?",
            "yes",
            "It knows its rows by heart. Take more rows, and\nkeep some for validation.",
        ),
        Step(
            "Is it wrong outside\nthe training range?",
            "yes",
            f"Expected: {share['held', 'adam, tanh, scaled']} of tanh networks are right there,\n"
            f"and {share['held', 'adam, x*x, scaled']} of those with the activation z².",
        ),
    ]


def box(ax: Axes, left: float, width: float, middle: float, text: str, color: str) -> None:
    """Draw a rounded box with its text."""
    low = middle - 0.24
    shape = FancyBboxPatch(
        (left + 0.05, low), width - 0.1, 0.48, boxstyle="round,pad=0.05", fc=color, ec="0.4", lw=0.8
    )
    ax.add_patch(shape)
    ax.text(left + 0.12, middle, text, va="center", ha="left", fontsize=8, linespacing=1.25)


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], word: str) -> None:
    """Draw an arrow with the answer beside it."""
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "lw": 1, "color": "0.25"})
    flat = start[1] == end[1]
    dx, dy = (0.0, 0.09) if flat else (0.16, 0.0)
    middle = (start[0] + end[0]) / 2 + dx, (start[1] + end[1]) / 2 + dy
    ax.text(*middle, word, ha="center", va="center", fontsize=8, style="italic")


def main() -> None:
    """Draw the chart and write it."""
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "approx", "font.size": 8})
    found = steps()
    pitch = 0.86
    height = pitch * len(found) + 0.25
    figure, ax = plt.subplots(figsize=(7.1, height), layout="constrained")
    ax.set(xlim=(-0.1, 7.1), ylim=(0, height), aspect="equal")
    ax.axis("off")
    ax.text(0.0, height - 0.14, SUCCESS, fontsize=8)
    for place, step in enumerate(found):
        middle = height - 0.62 - pitch * place
        box(ax, *LEFT, middle, step.question, QUESTION)
        box(ax, *RIGHT, middle, step.remedy, ANSWER)
        arrow(ax, (sum(LEFT), middle), (RIGHT[0], middle), step.answer)
        if place + 1 < len(found):
            other = {"yes": "no", "no": "yes"}[step.answer]
            arrow(ax, (1.5, middle - 0.29), (1.5, middle - pitch + 0.29), other)
    figure.savefig(HERE / "decision_chart.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
