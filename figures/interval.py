"""The figure of the interval: what seeds become, and which advice changes how many succeed.

Reads results/interval and experiments/summaries/interval_*, which experiments/interval.py writes,
and draws figures/interval.pdf and .png.

Shows: The thread's recipe never finds one bump in one dimension; its answer's does for 85% of 2,048
seeds, not for all. Failures are plateaus of known value: the constant, one edge and a half.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tyro
import xarray as xr
from matplotlib.axes import Axes

import approx as ap
from experiments import interval as case

FOLDER = Path(__file__).parent
CONSTANT, EDGE, ZERO = case.PLATEAUS["squares"]
LEARNED, OTHER = "learned", "between these"
COLORS = {
    LEARNED: "#CDE9F9",
    EDGE: "#EBB93A",
    CONSTANT: "#C65A11",
    ZERO: "#8F8FC4",
    OTHER: "#333333",
}
# Rows by the names that the panels give them
ROWS = {
    "raw, SGD 0.01 (literal)": case.SGD,
    "raw, Adam 0.1": case.RAW_ADAM,
    "z, SGD 0.01": case.Z_SGD,
    "z, SGD 0.1": case.Z_SGD_FASTER,
    "z, Adam 0.1, 20 epochs (answer)": case.after(case.Z_ADAM, case.SHORT),
    "z, Adam 0.1": case.Z_ADAM,
    "raw, BFGS (R's nnet)": case.NNET,
    "z, BFGS": case.Z_NNET,
}
CURVES = ("z, Adam 0.1", "z, SGD 0.1", "raw, Adam 0.1", "z, SGD 0.01")
# Levels of inputs, optimiser, first weights and loss whose rates are drawn against the width
AGAINST_WIDTH = {
    "z, Adam 0.1": ("z", "Adam 0.1", "Keras", "entropy"),
    "z, BFGS": ("z", "BFGS", "nnet", "squares"),
    "raw, Adam 0.1": ("raw", "Adam 0.1", "Keras", "entropy"),
    "raw, BFGS": ("raw", "BFGS", "nnet", "squares"),
}
LINES = {"z, Adam 0.1": "C0o-", "z, BFGS": "C3s-", "raw, Adam 0.1": "C2^-", "raw, BFGS": "C4v-"}
MOST = 12  # functions in one panel


def drawn_as(ending: str) -> str:
    """The name under which an ending is drawn."""
    return ending if ending in COLORS else OTHER


def endings_of(answer: ap.study.Answer) -> pd.DataFrame:
    """The share of each ending that is drawn, one line for each row."""
    ends = answer.endings.assign(ending=answer.endings.ending.map(drawn_as))
    shares = ends.pivot_table("rate", "label", "ending", "sum", fill_value=0.0)
    labels = [label for label in ROWS.values() if label in shares.index]
    return shares.reindex(index=labels, columns=list(COLORS), fill_value=0.0)


def probabilities(runs: xr.Dataset, label: str, seeds: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The learned functions (seeds, points) at raw x."""
    rows = np.asarray(case.RAW.x)
    inputs = x[:, None]
    if label.startswith("z, "):
        inputs = (inputs - rows.mean()) / rows.std()
    networks = ap.params(runs.isel(seed=seeds))
    logits = jax.vmap(lambda one: case.NETWORK.apply(one, jnp.asarray(inputs)))(networks)
    return np.asarray(jax.nn.sigmoid(logits))[..., 0]


def draw_functions(ax: Axes, answer: ap.study.Answer, shares: pd.DataFrame, ending: str) -> None:
    """A dozen functions of one ending, of the whole training in which it is the most frequent."""
    names = {label: name for name, label in ROWS.items() if label not in case.VIEWS}
    here = shares.loc[shares.index.isin(list(names)), ending]
    label = here.idxmax()
    runs = answer.runs(label)
    found = ap.stats.endings(runs, case.learned(runs), case.plateaus(label))
    kinds = np.array([drawn_as(kind) for kind in found.kind.values])
    seeds = np.flatnonzero(kinds == ending)[:MOST]
    x = np.linspace(-3, 33, 361)
    for values in probabilities(runs, label, seeds, x):
        ax.plot(x, values, color="0.25", linewidth=0.6, alpha=0.8)
    for begin, end, height in ((0, 10, 0), (11, 20, 1), (21, 30, 0)):
        ax.hlines(height, begin, end, color="#0072B2", linewidth=2.2, zorder=0)
    ax.axhspan(1.38, 1.5, color=COLORS[ending])
    ax.text(15, 1.34, f"{names[label].split(' (')[0]}: {here.max():.0%}", ha="center", va="top")
    ax.set(xlim=(-3, 33), xticks=(0, 10, 20, 30), xlabel="x", ylim=(-0.06, 1.5), yticks=(0, 0.5, 1))
    ax.set_title(ending)


def draw_endings(ax: Axes, answer: ap.study.Answer, shares: pd.DataFrame) -> None:
    """What became of the seeds of each row, as stacked bars, and how many succeed."""
    rates = answer.main_rows.set_index("label")
    left = np.zeros(len(shares))
    for ending, color in COLORS.items():
        ax.barh(range(len(shares)), shares[ending], 0.75, left, color=color, edgecolor="white")
        left += shares[ending].to_numpy()
    for y, label in enumerate(shares.index):
        row = rates.loc[label]
        text = f"{row.rate:.0%} [{100 * row.low:.0f}, {100 * row.high:.0f}]"
        ax.text(1.03, y, text, va="center", size=7)
    names = {label: name for name, label in ROWS.items()}
    ap.plot.row_axis(ax, [names[label] for label in shares.index])
    ax.set(xlim=(0, 1), xticks=(0, 0.5, 1), xlabel="what became of the seeds, in the colours of a")
    ax.xaxis.set_major_formatter("{x:.0%}")
    ax.text(1.03, -1.0, "succeed [95%]", va="center", size=7)


def draw_curves(ax: Axes, answer: ap.study.Answer) -> None:
    """The share of seeds in success against epochs."""
    rates = {}
    for name in CURVES:
        runs = answer.runs(ROWS[name])
        hits = case.learned(runs.assign_coords(step=runs.step / case.EPOCH))
        rates[name] = ap.stats.rate(hits, when="each")
    ap.plot.work_curve(rates, ax, label="epochs")
    ax.axvline(case.SHORT, color="0.6", linewidth=0.6, linestyle=":", zorder=0)


def draw_widths(ax: Axes, answer: ap.study.Answer) -> None:
    """The share of seeds in success against the number of hidden units."""
    rows = answer.main_rows.set_index("label")
    widths = sorted(case.WIDTHS, key=lambda name: case.WIDTHS[name])
    ends = []
    for name, (inputs, optimizer, weights, loss) in AGAINST_WIDTH.items():
        labels = [case.cell(inputs, optimizer, weights, width, loss) for width in widths]
        here = rows.reindex(labels)
        color = LINES[name][:2]
        ax.plot(range(len(widths)), here.rate, LINES[name])
        ax.vlines(range(len(widths)), here.low, here.high, color=color)
        ends.append((here.rate.dropna().to_numpy(), name, color))
    ax.set_xticks(range(len(widths)), [str(case.WIDTHS[width]) for width in widths])
    ax.set(xlabel="hidden units", xlim=(-0.2, len(widths) - 0.8))
    ap.plot.share_axis(ax, "")
    ap.plot.label_ends(ax, ends)


def main(
    results: Path = case.RESULTS,
    summaries: Path = case.SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/interval.py wrote its trainings to.
        summaries: the folder that it wrote its tables to.
        figures: the folder to draw into.
        quick: draw the quick look, in results/quick.
    """
    if quick:
        results = summaries = figures = results / "quick"
    answer = ap.study.Answer.load(summaries, case.NAME, runs=results / case.NAME)
    shares = endings_of(answer)
    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 5.6))
    parts: Any = figure.subfigures(3, 1, height_ratios=(1.25, 1.5, 1.5))
    above, middle, below = parts
    functions = above.subplots(1, len(COLORS), sharey=True)
    for ax, ending in zip(functions, COLORS, strict=True):
        draw_functions(ax, answer, shares, ending)
    functions[0].set_ylabel("P(y = 1)")
    became = middle.subplots()
    draw_endings(became, answer, shares)
    curves, widths = below.subplots(1, 2)
    draw_curves(curves, answer)
    draw_widths(widths, answer)
    titles = {
        functions[0]: ("a", functions[0].get_title(loc="left")),
        became: ("b", "On raw x Adam and BFGS find one edge, and SGD at 0.01 finds none"),
        curves: ("c", "z-scores and a rate of 0.1: both are needed"),
        widths: ("d", "One unit cannot; two can"),
    }
    for ax, (letter, title) in titles.items():
        ax.set_title(ap.plot.lettered(letter, title), loc="left")
    seeds = answer.main_rows.set_index("label").n[case.SGD]
    figure.suptitle(
        f"{answer.facts['title']}; {seeds:,} seeds of each row.\nSuccess: {case.RIGHT.says}. Two "
        "units where no width is said.\nSGD and Adam: Keras' weights, cross-entropy; BFGS: nnet's "
        "weights, squares, 200 evaluations",
        size=7.5,
    )
    print(*ap.plot.save(figure, figures, case.NAME), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
