"""How far every form of training is from the limit of the machine, and what more seeds cost.

Reads experiments/summaries/speed.json, which experiments/speed.py writes, and draws
figures/speed.pdf and .png.

Shows: Small networks train in one and a half times the time of vector code written by hand in C.
That is an order of magnitude faster than naive JAX, in which a user writes the training by hand
and maps it over seeds with `jit(vmap(train))`, and than compiled ensembles in PyTorch. The two
cases with wide layers take 1.7 to 1.8 times the time that their multiply-adds alone would take, and
a little over half the time of naive JAX. Plain vmap is this project's step without its fast
layouts. For fewer than some dozen seeds naive JAX is faster, as b shows.
Cost: some quarter of an hour on two quiet cores and 3 GB.
"""

import statistics
from json import loads
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import tyro
from matplotlib.axes import Axes

import approx as ap

FOLDER = Path(__file__).parent
# label -> forms as the experiment names them (the fastest counts), colour of the style's cycle,
# marker
FORMS = {
    "ap.run": (("run lanes", "run columns", "run vmap"), 0, "o"),
    "plain vmap": (("step vmap",), 2, "s"),
    "naive JAX": (("naive",), 1, "D"),
    "PyTorch, compiled": (("torch compiled",), 3, "^"),
    "PyTorch, torch.func": (("torch vmap",), 4, "v"),
    "PyTorch, a loop": (("torch loop",), 5, "<"),
    "scikit-learn": (("scikit-learn",), 6, "P"),
}
LIMIT = "the limit\n(the line at 1: C written by hand; P4, P5: the multiply-adds alone)"
# form -> (label, colour of the style's cycle, marker)
CURVES = {
    "naive": ("naive JAX", 1, "D"),
    "step vmap": ("plain vmap", 2, "s"),
    "run": ("ap.run", 0, "o"),
    "limit": ("C limit", 7, "x"),
}


def load(path: Path) -> dict:
    """What the experiment wrote.

    Raises:
        FileNotFoundError: if it has not been run.
    """
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}; run experiments/speed.py first")
    return loads(path.read_text())


def colors() -> list[str]:
    """The style's colours, and a grey for the limit."""
    return [*plt.rcParams["axes.prop_cycle"].by_key()["color"], "0.45"]


def samples(measures: list[dict], case: str, forms: tuple[str, ...]) -> np.ndarray | None:
    """Nanoseconds per seed and step of the fastest of these forms, whatever the threads."""
    found = [
        measure["ns"]
        for measure in measures
        if measure["case"] == case and measure["form"] in forms and None not in measure["ns"]
    ]
    return np.array(min(found, key=statistics.median)) if found else None


def point(ax: Axes, ratios: np.ndarray, y: float, style: dict[str, Any]) -> float:
    """Draw the median, and a line from the smallest to the largest; return the median."""
    middle = float(np.median(ratios))
    ax.plot(
        [ratios.min(), ratios.max()],
        [y, y],
        color=style["color"],
        lw=1.2,
        zorder=2,
    )
    dot: dict[str, Any] = {"ms": 4, "ls": "", "zorder": 3}
    ax.plot(middle, y, **(dot | style))
    return middle


def distances(ax: Axes, measures: list[dict], cases: list[str]) -> None:
    """Every form of every case that has a limit, as its ratio to the limit.

    Where no limit could be built, every case is drawn, and ap.run takes the place of the limit.
    """
    limited = [case for case in cases if samples(measures, case, ("limit",)) is not None]
    reference, named = FORMS["ap.run"][0], "ap.run"
    if limited:
        cases, reference, named = limited, ("limit",), LIMIT
    for row, case in enumerate(cases):
        ax.axhline(row, color="0.9", lw=0.6, zorder=0)
        bound = samples(measures, case, reference)
        if bound is not None:
            draw_case(ax, measures, case, row, bound)
    ax.axvline(1, color="black", lw=0.8, zorder=1)
    ax.set(
        xscale="log",
        ylim=(len(cases) - 0.4, -0.5),
        yticks=range(len(cases)),
        yticklabels=cases,
    )
    ax.set_xlabel(f"time per seed and step / that of {named}")
    for label, (forms, color, marker) in FORMS.items():
        if any(samples(measures, case, forms) is not None for case in cases):
            ax.plot(
                [],
                [],
                marker,
                color=colors()[color],
                ms=4,
                label=label,
            )
    ax.legend(loc="lower right", borderaxespad=0, handletextpad=0.2, labelspacing=0.35)


def draw_case(ax: Axes, measures: list[dict], case: str, row: int, bound: np.ndarray) -> None:
    """Every form of one case, and the inner step of ap.run, as ratios to `bound`."""
    for label, (forms, color, marker) in FORMS.items():
        values = samples(measures, case, forms)
        if values is None:
            continue
        style: dict[str, Any] = {"color": colors()[color], "marker": marker}
        if label == "ap.run":
            style["zorder"] = 4  # above those that are as fast
        middle = point(ax, values / bound, row, style)
        if label != "ap.run":
            continue
        place: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "top"}
        text = f"{middle:.2g}"
        ax.annotate(
            text,
            (middle, row),
            (0, -5),
            fontsize=7,
            color=style["color"],
            **place,
        )
        inner = samples(
            measures,
            case,
            tuple(form.replace("run", "step") for form in forms),
        )
        if inner is not None:
            point(
                ax,
                inner / bound,
                row,
                style | {"markerfacecolor": "white"},
            )


def by_seeds(ax: Axes, measures: list[dict]) -> None:
    """Seconds of a whole training of P1 against the number of seeds."""
    runs = [measure for measure in measures if measure["case"] == "P1 seeds"]
    steps = max((measure["steps"] for measure in runs if measure["form"] == "run"), default=1)
    ends: list[tuple] = []
    for form, (label, number, marker) in CURVES.items():
        found = [measure for measure in runs if measure["form"] == form]
        if not found:
            continue
        found.sort(key=lambda measure: measure["seeds"])
        seeds = np.array([measure["seeds"] for measure in found])
        seconds = np.array([measure["ns"] for measure in found]) * seeds[:, None] * steps / 1e9
        color, middle = colors()[number], np.median(seconds, 1)
        ax.fill_between(
            seeds,
            seconds.min(1),
            seconds.max(1),
            color=color,
            alpha=0.25,
            lw=0,
        )
        ax.plot(seeds, middle, marker=marker, color=color)
        ends.append((float(middle[-1]), label, color, seeds[-1]))
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="seeds",
        ylabel=f"seconds for {steps:,} steps",
    )
    name_curves(ax, ends)


def in_a_sentence(about: dict) -> str:
    """How far ap.run is from the limit, over all cases that have one."""
    ratios = []
    for of_case in about.values():
        against = (of_case["against limit"] or {}).get("run")
        if against:
            ratios.append(against["median"])
    if not ratios:
        return "Time per seed and step"
    return f"ap.run takes {min(ratios):.1f} to {max(ratios):.1f} times the limit"


def from_how_many(measures: list[dict]) -> str:
    """From how many seeds on ap.run is faster than naive JAX, as far as both were timed."""
    medians: dict[str, dict[int, float]] = {"run": {}, "naive": {}}
    for measure in measures:
        if measure["case"] == "P1 seeds" and measure["form"] in medians:
            medians[measure["form"]][measure["seeds"]] = float(np.median(measure["ns"]))
    fewest = None
    for seeds in sorted(medians["run"].keys() & medians["naive"].keys(), reverse=True):
        if medians["run"][seeds] >= medians["naive"][seeds]:
            break
        fewest = seeds
    if fewest is None:
        return "P1: what more seeds cost"
    return f"Faster from {fewest:,} seeds on (P1)"


def name_curves(ax: Axes, ends: list[tuple]) -> None:
    """Write each curve's name at its own end; names that would overlap move apart."""
    low, high = ax.get_ylim()
    apart = (high / low) ** 0.055
    last = 0.0
    place: dict[str, Any] = {"textcoords": "offset points", "va": "center"}
    for y, label, color, x in sorted(ends):
        last = max(y, last * apart)
        ax.annotate(
            label, (x, last), (5, 0), fontsize=7, color=color, annotation_clip=False, **place
        )


def main(
    summary: Path = FOLDER.parent / "experiments" / "summaries" / "speed.json",
    figures: Path = FOLDER,
) -> None:
    """Draw the figure.

    Args:
        summary: the file that experiments/speed.py wrote.
        figures: the folder to draw into.
    """
    result = load(summary)
    plt.style.use(ap.plot.STYLE)
    figure, (a, b) = plt.subplots(
        1, 2, figsize=(7.0, 3.2), gridspec_kw={"width_ratios": (3, 2), "wspace": 0.02}
    )
    about = result["summary"]
    cases = list(about)
    distances(a, result["measures"], cases)
    names = [f"{case}: {about[case]['about']}".replace(", ", "\n", 1) for case in cases]
    a.set_yticks(range(len(cases)), names)
    by_seeds(b, result["measures"])
    counts = ", ".join(f"{case} {about[case]['seeds']}" for case in cases)
    note = (
        f"{result['processor']}, {result['cores']} cores; medians of {result['repeats']} "
        "interleaved repeats, lines and bands hold all of them.\n"
        f"Open circles: the inner step of ap.run. Seeds in a: {counts}."
    )
    figure.supxlabel(note, fontsize=7, color="0.35")
    a.set_title(ap.plot.lettered("a", in_a_sentence(about)))
    b.set_title(ap.plot.lettered("b", from_how_many(result["measures"])))
    print(*ap.plot.save(figure, figures, "speed"), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
