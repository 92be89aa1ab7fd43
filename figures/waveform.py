"""The figure of the waveform: who learns 32, 64 and 256 levels, what is exact, and which advice
changes it.

Reads results/waveform_{label}.nc and waveform_kinds.csv, and
experiments/summaries/waveform_{recipes,failures}.csv, which experiments/waveform.py writes, and
draws figures/waveform.pdf and .png.

Shows: Which optimiser learns how many classes of waveforms ("the class of x/256 is x") after how
many epochs. Of the advice Gaussian units alone raise success, and nearly all failures are still
falling.
"""

import csv
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import tyro
import xarray as xr
from matplotlib.axes import Axes

import approx as ap

FOLDER = Path(__file__).parent
SUMMARIES = FOLDER.parent / "experiments" / "summaries"
OPTIMIZERS = {"sgd": "SGD", "adam_keras": "Adam", "rmsprop_keras": "RMSprop"}
COLORS = {"sgd": "#009E73", "adam_keras": "#0072B2", "rmsprop_keras": "#D55E00"}
MARKS = {"sgd": "s", "adam_keras": "o", "rmsprop_keras": "^"}
CLASSES = (32, 64, 256)
ASKED, LOSSES, ACCURACIES = 2_500, (2.0, 3.0), (0.07, 0.1)  # what the thread reports of 256 classes
SD, DIM = 1e-4, 200
REMEDIES = {
    "": "literal",
    "normalise": "(x − 0.5) / 0.289",
    "wide": "one layer of 8K",
    "gaussian": "Gaussian units",
    "random": "rows at random",
    "even": "levels over [0, 1]",
    "dim225": "rows of 225",
}
FACTORS = ("normalise", "wide", "gaussian", "random")
ENDS = {  # what became of a seed: colour, of Okabe and Ito's
    "learned": "#0072B2",
    "not finished": "#56B4E9",
    "constant": "#E6C700",
    "other": "0.35",
}
# "at" a value of the loss without a name
OTHERS = ("lost again", "on no plateau", "diverged", "at")
GROUPED = {kind: kind for kind in ENDS if kind != "other"} | dict.fromkeys(OTHERS, "other")
TITLES = {
    "a": "32 classes: learned, not by SGD",
    "b": "64 classes: Adam nearly",
    "c": "256: RMSprop as in the thread",
    "d": "A linear softmax suffices, with large weights",
    "e": "SGD stays constant, others need longer",
    "f": "Gaussian units help Adam",
    "g": "Much advice raises the loss (one mark a seed)",
    "h": "32 classes: raw x, each class, or none",
    "i": "But for SGD, failures miss by a few classes",
}
PADS = {"e": 25, "f": 15, "g": 15}  # points between title and panel, where a legend is between
LITERALS = [f"{classes}_{optimizer}" for classes in CLASSES for optimizer in OPTIMIZERS]
ROWS = [(64, remedy) for remedy in REMEDIES] + [
    (256, remedy) for remedy in ("", "normalise", "wide")
]


def name(classes: int, optimizer: str, changes: str = "") -> str:
    """A recipe's label."""
    return f"{classes}_{optimizer}" + (f"_{changes}" if changes else "")


def read(path: Path) -> list[dict[str, str]]:
    """Rows of a table."""
    with path.open() as file:
        return list(csv.DictReader(file))


def end_of(kind: str) -> str:
    """A kind of `experiments/waveform.py` in the four that are drawn."""
    return str(ap.plot.kinds.drawn_as([kind], GROUPED)[0])


def read_kinds(path: Path, summaries: Path) -> dict[str, list[str]]:
    """What became of each seed, by recipe.

    Raises:
        ValueError: waveform_failures.csv among the summaries has other counts.
    """
    kinds: dict[str, list[str]] = {}
    for row in read(path):
        kinds.setdefault(row["label"], []).append(row["kind"])
    ap.plot.kinds.check_counts(kinds, read(summaries / "waveform_failures.csv"), "recipe")
    return kinds


def percentages(ax: Axes) -> None:
    """A horizontal axis from 0 to 100%."""
    ax.set(xlim=(-0.03, 1.03), xlabel="seeds at an accuracy of 0.99 (exact 95%)")
    ax.set_xticks(np.linspace(0, 1, 5), [f"{p}%" for p in range(0, 101, 25)])


def draw_accuracy(ax: Axes, classes: int, runs: dict[str, xr.Dataset]) -> None:
    """Accuracy on fresh rows over epochs, median and 5-95% of the seeds, of the three optimisers."""
    ends, n = [], 0
    for optimizer, words in OPTIMIZERS.items():
        one = runs.get(name(classes, optimizer))
        if one is None:
            continue
        found = ap.stats.quantiles(one, of="test_accuracy", q=(0.05, 0.5, 0.95)).test_accuracy
        low, mid, high = found.transpose("quantile", "step").values
        ax.fill_between(one.step, low, high, color=COLORS[optimizer], alpha=0.25, linewidth=0)
        ax.plot(one.step, mid, color=COLORS[optimizer])
        ends.append((mid, words, COLORS[optimizer]))
        n = one.sizes["seed"]
    ap.plot.series.step_axis(ax, np.asarray(next(iter(runs.values())).step))
    ap.plot.series.share_axis(ax, "")
    ap.plot.series.corner(ax, n, "upper left")
    ticks = [step for step in (0, 10, 100, 1_000) if step <= ax.get_xlim()[1]]
    ax.set_xticks(ticks, [f"{step:,}" for step in ticks])
    ax.set_xlabel("epochs")
    ax.axhline(0.99, color="0.5", linewidth=0.6, linestyle=":", zorder=0)
    ax.axhline(1 / classes, color="0.5", linewidth=0.6, linestyle=":", zorder=0)
    if classes == 256:
        middle, half = np.mean(ACCURACIES), np.ptp(ACCURACIES) / 2
        ax.errorbar(ASKED, middle, half, color="black", capsize=2, linewidth=1.5, zorder=5)
        arrow: dict[str, Any] = {"arrowstyle": "-", "linewidth": 0.6, "color": "0.3"}
        ax.annotate("the thread's", (ASKED, middle), (2, 0.3), arrowprops=arrow, size=6.5)
    ap.plot.series.label_ends(ax, ends)


def exact_loss(classes: int, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Norm of the weights and expected loss of the separating softmax, by its scale."""
    centres = np.arange(classes) / 255
    found = [ap.floors.waveform_softmax(centres, DIM, SD, float(scale)) for scale in scales]
    norms = [np.hypot(one.norm, np.linalg.norm(one.bias - one.bias.mean())) for one in found]
    return np.array(norms), np.array([one.cross_entropy for one in found])


def draw_reference(ax: Axes, runs: dict[str, xr.Dataset]) -> None:
    """Loss of the linear softmax against the norm of its weights, and of the literal networks at
    theirs.
    """
    sizes = dict(zip(CLASSES, (1.6, 2.8, 4.4), strict=True))
    for classes, style in zip(CLASSES, (":", "--", "-"), strict=True):
        norm, loss = exact_loss(classes, np.geomspace(1, 1e7, 85))
        shown = loss > 1e-3
        ax.plot(norm[shown], loss[shown], style, color="0.3", linewidth=1)
        text = f"K = {classes}  " if classes == 32 else str(classes)
        side = "right" if classes == 32 else "center"
        ax.text(norm[shown][-1], 7e-4, text, size=6.5, ha=side, va="top")
        for optimizer, words in OPTIMIZERS.items():
            if name(classes, optimizer) in runs:
                last = runs[name(classes, optimizer)].isel(step=-1)
                style_: dict[str, Any] = {"color": COLORS[optimizer], "markersize": sizes[classes]}
                ax.plot(
                    last.weight_norm,
                    last.test_loss,
                    MARKS[optimizer],
                    **style_,
                    markeredgewidth=0,
                    alpha=0.7,
                )
                if classes == 64:
                    ax.plot(
                        [],
                        [],
                        MARKS[optimizer],
                        color=COLORS[optimizer],
                        markersize=3.5,
                        label=words,
                    )
    labels = {"xlabel": "Euclidean norm of all weights", "ylabel": "loss on fresh rows"}
    ax.set(xscale="log", yscale="log", xlim=(0.1, 1e11), ylim=(3e-4, 9), **labels)
    ax.set_xticks(10.0 ** np.arange(-1, 9, 2))
    ax.minorticks_off()
    text = f"lines: the softmax,\nits accuracy at any\nnorm {100 * exact_accuracy():.6g}%"
    ax.text(0.98, 0.04, text, transform=ax.transAxes, ha="right", va="bottom", size=6.5)
    handles = ax.get_legend_handles_labels()
    options: dict[str, Any] = {
        "title_fontsize": 6.5,
        "handletextpad": 0.1,
        "fontsize": 6.5,
        "labelspacing": 0.2,
    }
    ax.legend(
        *handles,
        loc="upper right",
        title="marks: sigmoids,\nlarger for larger K",
        **options,
        borderpad=0.1,
    )


def exact_accuracy() -> float:
    """The least of Bayes' accuracies: of 256 classes, which are as near to each other as those of
    32.
    """
    return min(
        ap.floors.bayes_accuracy(np.arange(classes) / 255, SD / np.sqrt(DIM)) for classes in CLASSES
    )


def draw_ends(ax: Axes, kinds: dict[str, list[str]]) -> None:
    """What became of the seeds of the literal recipes, stacked, with exact intervals of the parts'
    ends.
    """
    shown = [label for label in LITERALS if label in kinds and not label.startswith("32")]
    parts = []
    for label in shown:
        classes, optimizer = label.split("_", 1)
        ended = np.array([end_of(kind) for kind in kinds[label]])
        found = xr.Dataset({"kind": ("seed", ended)}, attrs={"kinds": list(ENDS)})
        words = f"{classes}, {OPTIMIZERS[optimizer]}"
        parts.append(ap.stats.shares(found).assign_coords(recipe=words).expand_dims("recipe"))
    ap.plot.split(xr.concat(parts, "recipe", coords="minimal", combine_attrs="override"), ax)


def draw_rates(ax: Axes, table: dict[str, dict[str, str]]) -> None:
    """Rate of success of every remedy, one mark per optimiser, with its interval."""
    for (row, (classes, remedy)), (number, optimizer) in product(
        enumerate(ROWS), enumerate(OPTIMIZERS)
    ):
        found = table.get(name(classes, optimizer, remedy))
        if found is None:
            continue
        y = row + 0.26 * (number - 1)
        ax.hlines(
            y, float(found["low"]), float(found["high"]), color=COLORS[optimizer], linewidth=1.2
        )
        marks: dict[str, Any] = {"markersize": 3.2, "clip_on": False}
        ax.plot(float(found["rate"]), y, MARKS[optimizer], color=COLORS[optimizer], **marks)
    for optimizer, words in OPTIMIZERS.items():
        ax.plot([], [], MARKS[optimizer], color=COLORS[optimizer], markersize=3.2, label=words)
    percentages(ax)
    label_rows(ax)
    above(ax, 3)


def draw_losses(ax: Axes, runs: dict[str, xr.Dataset], kinds: dict[str, list[str]]) -> None:
    """Final loss of every seed of every remedy, in the colour of what became of it."""
    jitter, least = np.random.default_rng(0), np.inf
    for (row, (classes, remedy)), (number, optimizer) in product(
        enumerate(ROWS), enumerate(OPTIMIZERS)
    ):
        label = name(classes, optimizer, remedy)
        if label not in runs:
            continue
        loss = np.clip(runs[label].test_loss.isel(step=-1).values, 1e-5, 20)
        least = min(least, loss.min())
        heights = row + 0.26 * (number - 1) + jitter.uniform(-0.09, 0.09, loss.size)
        for end, color in ENDS.items():
            here = [end_of(kind) == end for kind in kinds[label]]
            ax.plot(
                loss[here],
                heights[here],
                MARKS[optimizer],
                color=color,
                markersize=2,
                markeredgewidth=0,
            )
    for classes, rows in ((64, (0, 6)), (256, (7, 9))):
        ax.vlines(
            np.log(classes),
            rows[0] - 0.45,
            rows[1] + 0.45,
            color="0.2",
            linewidth=0.6,
            linestyle=":",
            zorder=0,
        )
        ax.text(np.log(classes), rows[0] - 0.5, " log K", size=6, va="bottom")
    ax.fill_between(LOSSES, 6.55, 7.45, color="0.85", linewidth=0, zorder=0)
    ax.text(7, 7, "thread:\n2 to 3", size=6, va="center")
    ax.set(xscale="log", xlabel="loss on fresh rows after the last epoch")
    ax.tick_params(axis="y", length=0)
    for end, color in ENDS.items():
        ax.plot([], [], "o", color=color, markersize=3, label=end)
    ax.set_xlim(min(0.5 * least, 0.1), 40)
    above(ax, 4)


def above(ax: Axes, columns: int) -> None:
    """A legend between title and panel, in one row."""
    options: dict[str, Any] = {
        "handletextpad": 0.1,
        "borderpad": 0.1,
        "columnspacing": 0.7,
        "borderaxespad": 0,
    }
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.005), ncols=columns, **options)


def label_rows(ax: Axes) -> None:
    """Names of the remedies, in two groups by the number of classes."""
    ax.set_yticks(range(len(ROWS)), [REMEDIES[remedy] for _, remedy in ROWS], size=6.5)
    ax.set_ylim(len(ROWS) - 0.5, -0.9)
    ax.tick_params(axis="y", length=0)
    for row in range(1, len(ROWS)):
        ax.axhline(row - 0.5, color="0.6" if row == 7 else "0.92", linewidth=0.6, zorder=0)
    for classes, middle in ((64, 3), (256, 8)):
        place: dict[str, Any] = {
            "transform": ax.get_yaxis_transform(),
            "rotation": 90,
            "va": "center",
            "ha": "center",
        }
        ax.text(-0.52, middle, f"{classes} classes", size=7, **place)


def draw_factorial(ax: Axes, table: dict[str, dict[str, str]]) -> None:
    """Percentage of successes of every combination at 32 classes, for both optimisers."""
    rows = list(product(("adam_keras", "rmsprop_keras"), ((), ("wide",)), ((), ("gaussian",))))
    columns = list(product(((), ("normalise",)), ((), ("random",))))
    rates = np.full((len(rows), len(columns)), np.nan)
    for (i, (optimizer, width, units)), (j, (inputs, draw)) in product(
        enumerate(rows), enumerate(columns)
    ):
        changes = [factor for factor in FACTORS if factor in (*inputs, *width, *units, *draw)]
        found = table.get(name(32, optimizer, "+".join(changes)))
        if found is not None:
            rates[i, j] = float(found["rate"])
            color = "white" if rates[i, j] < 0.6 else "black"
            ax.text(
                j, i, f"{100 * rates[i, j]:.0f}", ha="center", va="center", size=6.5, color=color
            )
    ax.set_facecolor("0.9")
    ax.imshow(np.ma.masked_invalid(rates), vmin=0, vmax=1, aspect="auto")
    ax.axhline(3.5, color="white", linewidth=2)
    ax.axvline(1.5, color="white", linewidth=2)
    words = [
        f"{'8K' if width else 'K-2K'}, {'Gaussian' if units else 'sigmoid'}"
        for _, width, units in rows
    ]  # of the hidden layers
    ax.set_yticks(range(len(rows)), words, size=6.5)
    draws = ["at random" if draw else "each class" for _, draw in columns]
    ax.set_xticks(range(len(columns)), draws, size=6.5)
    for x, text in ((0.5, "raw x"), (2.5, "normalised x")):
        ax.text(x, len(rows) + 0.45, text, ha="center", va="top", size=7)
    for y, optimizer in ((1.5, "Adam"), (5.5, "RMSprop")):
        ax.text(
            -0.42,
            y,
            optimizer,
            rotation=90,
            ha="center",
            va="center",
            size=7,
            transform=ax.get_yaxis_transform(),
        )
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def examples(kinds: dict[str, list[str]]) -> list[tuple[str, str, int, float]]:
    """Kind, literal recipe, seed, share: of each kind the recipe where it is most frequent, the
    last of equal ones.
    """
    shares: dict[str, dict[str, float]] = {}
    for label in LITERALS:
        for kind in dict.fromkeys(kinds.get(label, [])):
            shares.setdefault(kind, {})[label] = kinds[label].count(kind) / len(kinds[label])
    most = {
        kind: max(reversed(found), key=lambda one: found[one]) for kind, found in shares.items()
    }
    order = [*ENDS, *sorted(set(most) - {*ENDS})]
    return [
        (kind, most[kind], kinds[most[kind]].index(kind), shares[kind][most[kind]])
        for kind in order
        if kind in most
    ]


def draw_example(
    ax: Axes, kind: str, label: str, seed: int, share: float, runs: xr.Dataset
) -> None:
    """Class that one network chooses against the true one; the diagonal is right."""
    classes, optimizer = label.split("_", 1)
    chosen = runs.chosen.sel(seed=seed).values
    true = np.arange(chosen.size) % int(classes)
    ax.plot([0, int(classes)], [0, int(classes)], color="0.75", linewidth=0.6, zorder=0)
    ax.plot(true, chosen, ".", color=ENDS[end_of(kind)], markersize=2, markeredgewidth=0)
    limits = (-0.03 * int(classes), 1.03 * int(classes))
    ax.set(xlim=limits, ylim=limits, xticks=(0, int(classes)), yticks=(0, int(classes)))
    ax.set_title(
        f"{kind}\n{OPTIMIZERS[optimizer]} {classes}: {share:.0%}", size=6.5, loc="left", pad=2
    )
    ax.tick_params(labelsize=6)
    ax.set_box_aspect(1)


def main(
    results: Path = FOLDER.parent / "results",
    summaries: Path = SUMMARIES,
    figures: Path = FOLDER,
    quick: bool = False,
) -> None:
    """Draw the figure.

    Args:
        results: the folder that experiments/waveform.py wrote its results to.
        summaries: the folder that it wrote its tables to.
        figures: the folder to draw into.
        quick: draw the quick look, in results/quick.
    """
    if quick:
        results = summaries = figures = results / "quick"
    table = {row["recipe"]: row for row in read(summaries / "waveform_recipes.csv")}
    runs = {label: ap.load(results / f"waveform_{label}.nc") for label in table}
    kinds = read_kinds(results / "waveform_kinds.csv", summaries)
    for label, row in table.items():
        accuracy = ap.stats.order_quantiles(runs[label].test_accuracy.isel(step=-1), worst=-np.inf)
        ap.plot.kinds.check_number(
            f"the median accuracy of {label}", float(accuracy), float(row["test_accuracy 50"])
        )
    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 9.4))
    rows: Any = figure.subfigures(4, 1, height_ratios=(1.75, 2.0, 3.1, 2.5))
    accuracy = rows[0].subplots(1, 3, sharey=True)
    d, e = rows[1].subplots(1, 2, gridspec_kw={"width_ratios": (1.1, 1)})
    f, g = rows[2].subplots(1, 2, sharey=True, gridspec_kw={"width_ratios": (0.8, 1)})
    left, right = rows[3].subfigures(1, 2, width_ratios=(1, 1.1))
    h = left.subplots()
    shown = examples(kinds)[:6]
    small = right.subplots(2 if len(shown) > 3 else 1, 3)
    for ax, classes in zip(accuracy, CLASSES, strict=True):
        draw_accuracy(ax, classes, runs)
    accuracy[0].set_ylabel("accuracy on fresh rows")
    draw_reference(d, runs)
    draw_ends(e, kinds)
    draw_rates(f, table)
    draw_losses(g, runs, kinds)
    draw_factorial(h, table)
    for ax, one in zip(small.flat, shown, strict=False):
        draw_example(ax, *one, runs[one[1]])
    for ax in small.flat[len(shown) :]:
        ax.set_axis_off()
    right.supxlabel("true class", size=7)
    right.supylabel("class chosen", size=7)
    right.suptitle(rf"$\bf{{i}}$  {TITLES['i']}", size=8, x=0.02, ha="left")
    for letter, ax in zip("abcdefgh", (*accuracy, d, e, f, g, h), strict=True):
        pad = {"pad": PADS[letter]} if letter in PADS else {}
        ax.set_title(rf"$\bf{{{letter}}}$  {TITLES[letter]}", loc="left", **pad)
    n = {label: one.sizes["seed"] for label, one in runs.items()}
    note = (
        f"Quick look: {min(n.values())} seeds, few epochs and recipes; not the experiment"
        if quick
        else ""
    )
    figure.suptitle(
        f"The class of a flat signal at level class / 255, 200-K-2K-K sigmoids: {seeds_text(n)}",
        size=8,
    )
    print(*ap.plot.save(figure, figures, "waveform", note), sep="\n")
    plt.close(figure)


def seeds_text(n: dict[str, int]) -> str:
    """How many seeds the recipes have, more of the literal ones with 256 classes."""
    large = [count for label, count in n.items() if label.startswith("256")]
    small = [count for label, count in n.items() if not label.startswith("256")]
    parts = [f"{min(small)} seeds"] if small else []
    if large:
        low, high = min(large), max(large)
        parts.append(f"{low} to {high} of K = 256" if low < high else f"{low} of K = 256")
    return ", ".join(parts)


if __name__ == "__main__":
    tyro.cli(main)
