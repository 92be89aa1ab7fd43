"""The figure of speed: how far every form of training is from the limit, and what more seeds cost.

Reads experiments/summaries/speed.json, which experiments/speed.py writes, and draws
figures/speed.pdf and .png.

Shows: Small networks train in one and a half times the time of vector code written by hand, an
order of magnitude faster than naive JAX and compiled PyTorch ensembles. The dense cases take 1.7 to
1.8 times the time of their multiply-adds, a little over half that of naive JAX.
Cost: some quarter of an hour on two quiet cores and 3 GB.
"""

import statistics
from json import loads
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import tyro

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
CURVES = {
    "naive": ("naive JAX", 1),
    "step vmap": ("plain vmap", 2),
    "run": ("ap.run", 0),
    "limit": ("C limit", 7),
}


def load(path: Path) -> dict:
    """What the experiment wrote.

    Raises:
        FileNotFoundError: if it has not been run.

    """
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}; run experiments/speed.py first")
    return loads(path.read_text())


def samples(measures: list[dict], case: str, forms: tuple[str, ...]) -> np.ndarray | None:
    """Nanoseconds per seed and step of the fastest of these forms, whatever the threads."""
    found = [
        m["ns"]
        for m in measures
        if m["case"] == case and m["form"] in forms and None not in m["ns"]
    ]
    return np.array(min(found, key=statistics.median)) if found else None


def point(ax, ratios: np.ndarray, y: float, colour: str, marker: str, fill: bool = True) -> float:
    """Median, and a line from the smallest to the largest; gives the median."""
    middle = float(np.median(ratios))
    ax.plot([ratios.min(), ratios.max()], [y, y], color=colour, lw=1.2, zorder=2)
    ax.plot(
        middle,
        y,
        marker=marker,
        ms=4,
        ls="",
        color=colour,
        mfc=colour if fill else "white",
        zorder=3,
    )
    return middle


def distances(ax, measures: list[dict], cases: list[str], colours: list[str]) -> None:
    """Every form of every case, as its ratio to the limit (to ap.run, where the limit could not be
    built).
    """
    limit = all(samples(measures, case, ("limit",)) is not None for case in cases)
    reference = ("limit",) if limit else FORMS["ap.run"][0]
    for row, case in enumerate(cases):
        bound = samples(measures, case, reference)
        ax.axhline(row, color="0.9", lw=0.6, zorder=0)
        for label, (forms, colour, marker) in FORMS.items():
            if (values := samples(measures, case, forms)) is None or bound is None:
                continue
            middle = point(ax, values / bound, row, colours[colour], marker)
            if label == "ap.run":
                ax.annotate(f"{middle:.2g}", (middle, row), (0, -5), textcoords="offset points", ha="center", va="top",
                            fontsize=7, color=colours[colour])  # fmt: skip
                inner = samples(
                    measures, case, tuple(form.replace("run", "step") for form in forms)
                )
                if inner is not None:
                    point(ax, inner / bound, row, colours[colour], marker, fill=False)
    ax.axvline(1, color="black", lw=0.8, zorder=1)
    ax.set(xscale="log", ylim=(len(cases) - 0.4, -0.5), yticks=range(len(cases)), yticklabels=cases)
    ax.set_xlabel(f"time per seed and step / that of {'the limit' if limit else 'ap.run'}")
    for label, (forms, colour, marker) in FORMS.items():
        if any(samples(measures, case, forms) is not None for case in cases):
            ax.plot([], [], marker, color=colours[colour], ms=4, label=label)
    ax.legend(loc="lower right", borderaxespad=0, handletextpad=0.2, labelspacing=0.35)


def by_seeds(ax, measures: list[dict], colours: list[str]) -> None:
    """Seconds of a whole training of P1 against the number of seeds."""
    runs = [m for m in measures if m["case"] == "P1 seeds"]
    steps = max((m["steps"] for m in runs if m["form"] == "run"), default=1)
    ends: list[tuple] = []
    for form, (label, tint) in CURVES.items():
        found = sorted((m for m in runs if m["form"] == form), key=lambda m: m["seeds"])
        if not found:
            continue
        seeds = np.array([m["seeds"] for m in found])
        seconds = np.array([m["ns"] for m in found]) * seeds[:, None] * steps / 1e9
        ax.fill_between(
            seeds, seconds.min(1), seconds.max(1), color=colours[tint], alpha=0.25, lw=0
        )
        ax.plot(seeds, np.median(seconds, 1), marker="o", color=colours[tint])
        ends.append((float(np.median(seconds[-1])), label, colours[tint], seeds[-1]))
    ax.set(xscale="log", yscale="log", xlabel="seeds", ylabel=f"seconds for {steps:,} steps")
    low, high = ax.get_ylim()
    last = 0.0
    for y, label, colour, x in sorted(ends):
        last = max(y, last * (high / low) ** 0.055)  # names stay apart
        ax.annotate(label, (x, last), (5, 0), textcoords="offset points", va="center", fontsize=7, color=colour,
                    annotation_clip=False)  # fmt: skip


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
    colours = [*plt.rcParams["axes.prop_cycle"].by_key()["color"], "0.45"]
    figure, (a, b) = plt.subplots(
        1, 2, figsize=(7.0, 3.0), gridspec_kw={"width_ratios": (3, 2), "wspace": 0.04}
    )
    cases = list(result["summary"])
    distances(a, result["measures"], cases, colours)
    a.set_yticks(
        range(len(cases)),
        [f"{name}: {result['summary'][name]['about']}".replace(", ", "\n", 1) for name in cases],
    )
    by_seeds(b, result["measures"], colours)
    counts = ", ".join(f"{name} {result['summary'][name]['seeds']}" for name in cases)
    note = f"{result['processor']}, {result['cores']} cores; medians of {result['repeats']} interleaved repeats, "
    note += f"lines and bands hold all of them.\nOpen circles: the inner step of ap.run. Seeds in a: {counts}."
    figure.supxlabel(note, fontsize=7, color="0.35")
    a.set_title(r"$\bf{a}$  How far from the limit")
    b.set_title(r"$\bf{b}$  What more seeds cost (P1)")
    print(*ap.plot.save(figure, figures, "speed"), sep="\n")
    plt.close(figure)


if __name__ == "__main__":
    tyro.cli(main)
