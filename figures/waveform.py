"""The figure of the waveform: who learns 32, 64 and 256 levels, what is exact, which advice helps.

Reads results/waveform_{label}.nc and waveform_kinds.csv, and
experiments/summaries/waveform_{recipes,failures}.csv, which experiments/waveform.py writes, and
draws figures/waveform.pdf and .png.

Shows: Which optimiser learns how many classes of waveforms ("the class of x/256 is x") after how
many epochs. Of the advice Gaussian units alone raise success, and nearly all failures are still
falling.
"""

import csv
from collections import Counter
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
DRAWN = {32: (":", 1.6), 64: ("--", 2.8), 256: ("-", 4.4)}  # classes: (line, size of its marks)
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
    return str(ap.plot.drawn_as([kind], GROUPED)[0])


def read_kinds(path: Path, summaries: Path) -> dict[str, list[str]]:
    """What became of each seed, by recipe.

    Raises:
        ValueError: waveform_failures.csv among the summaries has other counts.
    """
    kinds: dict[str, list[str]] = {}
    for row in read(path):
        kinds.setdefault(row["label"], []).append(row["kind"])
    ap.plot.check_counts(kinds, read(summaries / "waveform_failures.csv"), "recipe")
    return kinds


def draw_accuracy(ax: Axes, classes: int, runs: dict[str, xr.Dataset]) -> None:
    """Accuracy of the three optimisers on fresh rows over epochs: median and 5-95% of the seeds."""
    ends, n = [], 0
    for optimizer, words in OPTIMIZERS.items():
        one = runs.get(name(classes, optimizer))
        if one is None:
            continue
        color, n = COLORS[optimizer], one.sizes["seed"]
        found = ap.stats.quantiles(one, of="test_accuracy", q=(0.05, 0.5, 0.95)).test_accuracy
        low, mid, high = found.transpose("quantile", "step").values
        ax.fill_between(
            one.step,
            low,
            high,
            color=color,
            alpha=0.25,
            linewidth=0,
        )
        ax.plot(one.step, mid, color=color)
        ends.append((mid, words, color))
    ap.plot.step_axis(ax, np.asarray(next(iter(runs.values())).step))
    ap.plot.share_axis(ax, "")
    ap.plot.corner(ax, n, "upper left")
    ticks = [step for step in (0, 10, 100, 1_000) if step <= ax.get_xlim()[1]]
    ax.set_xticks(ticks, [f"{step:,}" for step in ticks])
    ax.set_xlabel("epochs")
    for level in (0.99, 1 / classes):
        ax.axhline(level, color="0.5", linewidth=0.6, linestyle=":", zorder=0)
    if classes == 256:
        mark_thread(ax)
    ap.plot.label_ends(ax, ends)


def mark_thread(ax: Axes) -> None:
    """The accuracy that the thread reports of 256 classes."""
    middle, half = np.mean(ACCURACIES), np.ptp(ACCURACIES) / 2
    ax.errorbar(ASKED, middle, half, color="black", capsize=2, linewidth=1.5, zorder=5)
    arrow: dict[str, Any] = {"arrowstyle": "-", "linewidth": 0.6, "color": "0.3"}
    ax.annotate(
        "the thread's",
        (ASKED, middle),
        (2, 0.3),
        arrowprops=arrow,
        size=6.5,
    )


def exact_loss(classes: int, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Norm of the weights and expected loss of the separating softmax, by its scale."""
    centres = np.arange(classes) / 255
    found = [ap.floors.waveform_softmax(centres, DIM, SD, float(scale)) for scale in scales]
    norms = [np.hypot(one.norm, np.linalg.norm(one.bias - one.bias.mean())) for one in found]
    return np.array(norms), np.array([one.cross_entropy for one in found])


def draw_reference(ax: Axes, runs: dict[str, xr.Dataset]) -> None:
    """Loss of the linear softmax against the norm of its weights.

    Marks show the literal networks at theirs.
    """
    for classes, (line, size) in DRAWN.items():
        draw_exact(ax, classes, line)
        for optimizer in OPTIMIZERS:
            one = runs.get(name(classes, optimizer))
            if one is not None:
                last = one.isel(step=-1)
                style: dict[str, Any] = {"color": COLORS[optimizer], "marker": MARKS[optimizer]}
                mark: dict[str, Any] = {"markersize": size, "markeredgewidth": 0, "alpha": 0.7}
                ax.plot(
                    last.weight_norm,
                    last.test_loss,
                    linestyle="",
                    **style,
                    **mark,
                )
    for optimizer, words in OPTIMIZERS.items():
        if name(64, optimizer) in runs:
            color = COLORS[optimizer]
            ax.plot(
                [],
                [],
                MARKS[optimizer],
                color=color,
                markersize=3.5,
                label=words,
            )
    ax.set(xscale="log", xlim=(0.1, 1e11), xlabel="Euclidean norm of all weights")
    ax.set(yscale="log", ylim=(3e-4, 9), ylabel="loss on fresh rows")
    ax.set_xticks(10.0 ** np.arange(-1, 9, 2))
    ax.minorticks_off()
    text = f"lines: the softmax,\nits accuracy at any\nnorm {100 * exact_accuracy():.6g}%"
    ax.text(
        0.98,
        0.04,
        text,
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        size=6.5,
    )
    ax.legend(
        loc="upper right",
        title="marks: sigmoids,\nlarger for larger K",
        title_fontsize=6.5,
        fontsize=6.5,
        handletextpad=0.1,
        labelspacing=0.2,
        borderpad=0.1,
    )


def draw_exact(ax: Axes, classes: int, line: str) -> None:
    """The loss of the linear softmax, with the number of classes at its end."""
    norm, loss = exact_loss(classes, np.geomspace(1, 1e7, 85))
    shown = loss > 1e-3
    ax.plot(
        norm[shown],
        loss[shown],
        line,
        color="0.3",
        linewidth=1,
    )
    text, side = (f"K = {classes}  ", "right") if classes == 32 else (str(classes), "center")
    ax.text(
        norm[shown][-1],
        7e-4,
        text,
        size=6.5,
        ha=side,
        va="top",
    )


def exact_accuracy() -> float:
    """The least of Bayes' accuracies.

    It is that of 256 classes, which are as near to each other as those of 32.
    """
    noise = SD / np.sqrt(DIM)
    return min(ap.floors.bayes_accuracy(np.arange(many) / 255, noise) for many in CLASSES)


def draw_ends(ax: Axes, kinds: dict[str, list[str]]) -> None:
    """What became of the seeds of the literal recipes, as stacked bars."""
    shown = [label for label in LITERALS if label in kinds and not label.startswith("32")]
    parts = []
    for label in shown:
        classes, optimizer = label.split("_", 1)
        ended = np.array([end_of(kind) for kind in kinds[label]])
        found = xr.Dataset({"kind": ("seed", ended)}, attrs={"kinds": list(ENDS)})
        words = f"{classes}, {OPTIMIZERS[optimizer]}"
        parts.append(ap.stats.shares(found).assign_coords(recipe=words).expand_dims("recipe"))
    ap.plot.failure_causes(
        xr.concat(parts, "recipe", coords="minimal", combine_attrs="override"), ax
    )


def draw_rates(ax: Axes, table: dict[str, dict[str, str]]) -> None:
    """Rate of success of every remedy, one mark per optimiser, with its interval."""
    rates = np.full((len(ROWS), len(OPTIMIZERS), 3), np.nan)
    for (i, (classes, remedy)), (j, optimizer) in product(enumerate(ROWS), enumerate(OPTIMIZERS)):
        found = table.get(name(classes, optimizer, remedy))
        if found is not None:
            rates[i, j] = [float(found[of]) for of in ("rate", "low", "high")]
    of = {
        key: (("row", "optimizer"), rates[..., k]) for k, key in enumerate(("rate", "low", "high"))
    }
    rows = [f"{remedy} {classes}" for classes, remedy in ROWS]
    data = xr.Dataset(of, {"row": rows, "optimizer": list(OPTIMIZERS.values())})
    styles = {
        words: {"color": COLORS[key], "marker": MARKS[key], "markersize": 3.2, "clip_on": False}
        for key, words in OPTIMIZERS.items()
    }
    ap.plot.forest(data, "rate", ax, by="optimizer", styles=styles)
    ax.set(xlim=(-0.03, 1.03), xlabel="seeds at an accuracy of 0.99 (exact 95%)")
    ax.set_xticks(np.linspace(0, 1, 5), [f"{p}%" for p in range(0, 101, 25)])
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
        loss = np.clip(
            runs[label].test_loss.isel(step=-1).values,
            1e-5,
            20,
        )
        least = min(least, loss.min())
        ended = ap.plot.drawn_as(kinds[label], GROUPED)
        heights = row + 0.26 * (number - 1) + jitter.uniform(-0.09, 0.09, loss.size)
        mark: dict[str, Any] = {"marker": MARKS[optimizer], "markersize": 2}
        ap.plot.seed_dots(
            ax,
            loss,
            ended,
            ENDS,
            heights,
            **mark,
        )
    for classes, first, last in ((64, 0, 6), (256, 7, 9)):
        constant = np.log(classes)
        line: dict[str, Any] = {"linewidth": 0.6, "linestyle": ":", "zorder": 0}
        ax.vlines(
            constant,
            first - 0.45,
            last + 0.45,
            color="0.2",
            **line,
        )
        ax.text(constant, first - 0.5, " log K", size=6, va="bottom")
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
    ap.plot.row_axis(ax, [REMEDIES[remedy] for _, remedy in ROWS])
    ax.set_ylim(len(ROWS) - 0.5, -0.9)
    ax.tick_params(axis="y", labelsize=6.5)
    for row in range(1, len(ROWS)):
        between_groups = row == 7
        color = "0.6" if between_groups else "0.92"
        ax.axhline(row - 0.5, color=color, linewidth=0.6, zorder=0)
    for classes, middle in ((64, 3), (256, 8)):
        beside(ax, -0.52, middle, f"{classes} classes")


def beside(ax: Axes, x: float, y: float, text: str) -> None:
    """Upright text left of the panel: x in widths of the panel, y in rows."""
    place: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "rotation": 90}
    ax.text(
        x,
        y,
        text,
        size=7,
        va="center",
        ha="center",
        **place,
    )


def draw_factorial(ax: Axes, table: dict[str, dict[str, str]]) -> None:
    """Percentage of successes of every combination at 32 classes, for both optimisers."""
    rows = list(product(("adam_keras", "rmsprop_keras"), ((), ("wide",)), ((), ("gaussian",))))
    columns = list(product(((), ("normalise",)), ((), ("random",))))
    rates = np.full((len(rows), len(columns)), np.nan)
    for (i, (optimizer, *layers)), (j, rows_) in product(enumerate(rows), enumerate(columns)):
        chosen = [factor for one in (*layers, *rows_) for factor in one]
        changes = "+".join(factor for factor in FACTORS if factor in chosen)
        found = table.get(name(32, optimizer, changes))
        if found is not None:
            rates[i, j] = float(found["rate"])
    words = [layer_words(bool(width), bool(units)) for _, width, units in rows]
    draws = ["at random" if draw else "each class" for _, draw in columns]
    ap.plot.table(rates, words, draws, ax)
    ax.tick_params(labelsize=6.5)
    ax.axhline(3.5, color="white", linewidth=2)
    ax.axvline(1.5, color="white", linewidth=2)
    for x, text in ((0.5, "raw x"), (2.5, "normalised x")):
        ax.text(
            x,
            len(rows) + 0.45,
            text,
            ha="center",
            va="top",
            size=7,
        )
    for y, optimizer in ((1.5, "Adam"), (5.5, "RMSprop")):
        beside(ax, -0.42, y, optimizer)


def layer_words(wide: bool, gaussian: bool) -> str:
    """The hidden layers and their units in words."""
    layers = "8K" if wide else "K-2K"
    units = "Gaussian" if gaussian else "sigmoid"
    return f"{layers}, {units}"


def examples(kinds: dict[str, list[str]]) -> list[tuple[str, str, int, float]]:
    """An example of each kind: (kind, literal recipe, seed, share of the recipe's seeds).

    It is of the recipe where the kind is most frequent, and of the last of equal ones.
    """
    shares: dict[str, dict[str, float]] = {}
    for label in LITERALS:
        for kind, count in Counter(kinds.get(label, [])).items():
            shares.setdefault(kind, {})[label] = count / len(kinds[label])
    found = []
    for kind in [*ENDS, *sorted(set(shares) - set(ENDS))]:
        if kind in shares:
            here = shares[kind]
            label = max(reversed(here), key=here.__getitem__)
            found.append((kind, label, kinds[label].index(kind), here[label]))
    return found


def draw_example(
    ax: Axes, kind: str, label: str, seed: int, share: float, runs: xr.Dataset
) -> None:
    """Class that one network chooses against the true one; the diagonal is right."""
    many, optimizer = label.split("_", 1)
    classes = int(many)
    chosen = runs.chosen.sel(seed=seed).values
    true = np.arange(chosen.size) % classes
    ax.plot(
        [0, classes],
        [0, classes],
        color="0.75",
        linewidth=0.6,
        zorder=0,
    )
    ax.plot(
        true,
        chosen,
        ".",
        color=ENDS[end_of(kind)],
        markersize=2,
        markeredgewidth=0,
    )
    limits, ticks = (-0.03 * classes, 1.03 * classes), (0, classes)
    ax.set(xlim=limits, ylim=limits, xticks=ticks, yticks=ticks)
    said = f"{kind}\n{OPTIMIZERS[optimizer]} {classes}: {share:.0%}"
    ax.set_title(said, size=6.5, loc="left", pad=2)
    ax.tick_params(labelsize=6)
    ax.set_box_aspect(1)


def draw_examples(figure: Any, kinds: dict[str, list[str]], runs: dict[str, xr.Dataset]) -> None:
    """One network of each kind."""
    shown = examples(kinds)[:6]
    small = figure.subplots(2 if len(shown) > 3 else 1, 3)
    for ax, one in zip(small.flat, shown, strict=False):
        draw_example(ax, *one, runs[one[1]])
    for ax in small.flat[len(shown) :]:
        ax.set_axis_off()
    figure.supxlabel("true class", size=7)
    figure.supylabel("class chosen", size=7)
    figure.suptitle(
        ap.plot.lettered("i", TITLES["i"]),
        size=8,
        x=0.02,
        ha="left",
    )


def check_medians(runs: dict[str, xr.Dataset], table: dict[str, dict[str, str]]) -> None:
    """Refuse results whose median accuracies contradict the table.

    Raises:
        ValueError: naming the recipe and both numbers.
    """
    for label, row in table.items():
        last = runs[label].test_accuracy.isel(step=-1)
        median = float(ap.stats.order_quantiles(last, worst=-np.inf))
        said = float(row["test_accuracy 50"])
        ap.plot.check_number(f"the median accuracy of {label}", median, said)


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
    check_medians(runs, table)
    plt.style.use(ap.plot.STYLE)
    figure = plt.figure(figsize=(7.0, 9.4))
    rows: Any = figure.subfigures(4, 1, height_ratios=(1.75, 2.0, 3.1, 2.5))
    accuracy = rows[0].subplots(1, 3, sharey=True)
    d, e = rows[1].subplots(
        1,
        2,
        gridspec_kw={"width_ratios": (1.1, 1)},
    )
    f, g = rows[2].subplots(
        1,
        2,
        sharey=True,
        gridspec_kw={"width_ratios": (0.8, 1)},
    )
    left, right = rows[3].subfigures(
        1,
        2,
        width_ratios=(1, 1.1),
    )
    h = left.subplots()
    for ax, classes in zip(accuracy, CLASSES, strict=True):
        draw_accuracy(ax, classes, runs)
    accuracy[0].set_ylabel("accuracy on fresh rows")
    draw_reference(d, runs)
    draw_ends(e, kinds)
    draw_rates(f, table)
    draw_losses(g, runs, kinds)
    draw_factorial(h, table)
    draw_examples(right, kinds, runs)
    for letter, ax in zip("abcdefgh", (*accuracy, d, e, f, g, h), strict=True):
        title = ap.plot.lettered(letter, TITLES[letter])
        ax.set_title(
            title,
            loc="left",
            pad=PADS.get(letter, plt.rcParams["axes.titlepad"]),
        )
    n = {label: one.sizes["seed"] for label, one in runs.items()}
    note = ""
    if quick:
        few = min(n.values())
        note = f"Quick look: {few} seeds, few epochs and recipes; not the experiment"
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
