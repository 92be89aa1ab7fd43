"""The figure of a study: rates and differences with intervals, and what became of the seeds."""

import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, PercentFormatter

from approx.plot import STYLE
from approx.stats.outcomes import FITS
from approx.study import verdicts
from approx.study.claims import BASELINE
from approx.study.sentences import LEARNED, share
from approx.study.tables import Tables

MOST_ROWS = 40  # that one figure shows
WIDTH = 7.0  # inches: two columns of a journal
ROW = 0.17  # inches of height for each row
TOP, BOTTOM, RIGHT, GAP = 0.32, 0.98, 0.2, 0.22  # inches around and between the panels
LETTER = 0.054  # inches of width for each letter of a row's name
WIDEST_NAME = 2.2  # inches; longer names are broken into lines
MARKS = {
    verdicts.HELPS: "▲",
    verdicts.HELPS_SOME: "△",
    verdicts.HURTS: "▼",
    verdicts.HURTS_SOME: "▽",
    verdicts.SMALL: "=",
    verdicts.UNDECIDED: "?",
}


class Look(NamedTuple):
    """How an ending is drawn. The greys of all looks differ, and light is good."""

    color: str
    hatch: str = ""


LOOKS = {
    LEARNED: Look("#CDE9F9"),
    "still falling": Look("#EBB93A"),
    "plateau": Look("#C65A11"),
    "found": Look("#C65A11", "////"),
    "fitted": Look("#9C9CC8"),
    "stuck": Look("#4C4C4C"),
    "diverged": Look("#111111"),
}
KEYS = {
    LEARNED: "success",
    "plateau": "at a known plateau",
    "found": "at another shared value",
    "fitted": "fits its rows only",
}


def figure(answer: Tables, path: str | Path | None = None) -> Figure:
    """Draw an answer; see `Answer.figure`.

    Raises:
        ValueError: a path without a suffix that matplotlib knows.
    """
    rows = rows_to_draw(answer)
    with plt.style.context(STYLE):
        whole = plt.figure(figsize=(WIDTH, TOP + BOTTOM + ROW * len(rows)), layout="none")
        rates, differences, became = three_panels(whole, rows)
        draw_rates(answer, rows, rates)
        draw_differences(answer, rows, differences)
        groups = draw_endings(answer, rows, became)
        draw_keys(whole, rows, groups)
        whole.text(0.01, 0.99, literal(title_of(answer)), ha="left", va="top", fontsize=9)
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            whole.savefig(path, dpi=200)
    return whole


def three_panels(whole: Figure, rows: pd.DataFrame) -> Any:
    """Three panels side by side that share their rows, beside room for the rows' names."""
    longest = max(len(name_of(row, rows.n.max())) for row in rows.itertuples())
    left = min(LETTER * longest + 0.2, WIDEST_NAME)
    height = TOP + BOTTOM + ROW * len(rows)
    panel = (WIDTH - left - RIGHT - 2 * GAP) / 3
    grid = {
        "left": left / WIDTH,
        "right": 1 - RIGHT / WIDTH,
        "top": 1 - TOP / height,
        "bottom": BOTTOM / height,
        "wspace": GAP / panel,
    }
    return whole.subplots(1, 3, sharey=True, gridspec_kw=grid)


def rows_to_draw(answer: Tables) -> pd.DataFrame:
    """The rows of the figure: the baseline first, then the others by their rates, the best first.

    The cells of a factorial are drawn if there is room for them.
    """
    rows = answer.main_rows
    if len(rows) > MOST_ROWS:
        rows = rows[rows.group != "cell"]
    ordered = rows.sort_values("rate", ascending=False, kind="stable").head(MOST_ROWS)
    is_base = ordered.label == BASELINE
    return pd.concat([ordered[is_base], ordered[~is_base]]).reset_index(drop=True)


def title_of(answer: Tables) -> str:
    """The finding in one line."""
    rows = answer.main_rows.set_index("label")
    name = f"{answer.facts['title']}: " if answer.facts["title"] else ""
    if BASELINE not in rows.index:
        return f"{name}rates of success"
    base = rows.loc[BASELINE]
    said = f"{name}{share(base.rate)} of {base.n} seeds succeed as it stands"
    helping = rows[:0]
    if "verdict" in rows:
        helping = rows[rows.verdict.isin((verdicts.HELPS, verdicts.HELPS_SOME))]
    if len(helping):
        best = helping.rate.idxmax()
        said += f", {share(helping.rate.max())} with “{best}”"
    return said


def draw_rates(answer: Tables, rows: pd.DataFrame, ax: Axes) -> None:
    """The share of the seeds of each row that succeed, with its interval."""
    at = np.arange(len(rows))
    beyond = np.maximum([rows.rate - rows.low, rows.high - rows.rate], 0)
    ax.errorbar(rows.rate, at, xerr=beyond, fmt="o", color="black", markersize=3.5, linewidth=1)
    names = [wrapped(name_of(row, rows.n.max()), 34) for row in rows.itertuples()]
    ax.set_yticks(at, names)
    ax.invert_yaxis()
    ax.set_xlim(-0.03, 1.03)
    ax.xaxis.set_major_formatter(PercentFormatter(1, 0))
    rule = answer.facts["measures"][answer.main]
    ax.set_xticks([0, 0.5, 1])
    ax.set_xlabel(f"succeed, of {rows.n.max()} seeds\n{wrapped(literal(rule), 28)}")
    if rows.label[0] == BASELINE:
        ax.axvspan(rows.low[0], rows.high[0], color="0.9", linewidth=0, zorder=0)
        ax.get_yticklabels()[0].set_fontweight("bold")
    ax.tick_params(axis="y", length=0)


def name_of(row: Any, most: int) -> str:
    """A row's label, with its seeds where it has fewer than others."""
    label = literal(row.label)
    return label if row.n == most else f"{label} ({row.n})"


def literal(text: str) -> str:
    """A text that matplotlib shows as it is, with dollars that are no mathematics."""
    return text.replace("$", r"\$")


def wrapped(text: str, width: int) -> str:
    """A text in lines of a limited width."""
    return "\n".join(textwrap.wrap(text, width))


def draw_differences(answer: Tables, rows: pd.DataFrame, ax: Axes) -> None:
    """The difference of each row to the baseline, with its interval and its verdict."""
    matters = answer.facts["matters"]
    ax.axvspan(-matters, matters, color="0.9", linewidth=0, zorder=0)
    ax.axvline(0, color="0.5", linewidth=0.6, zorder=0)
    level = f"{100 * answer.facts['level']:g}%"
    other = "the baseline"
    if "against" in rows and (rows.against.fillna("") != "").any():
        other = "the baseline or another row"
    ax.set_xlabel(f"difference to {other}, points\n{level}; grey: too small to matter")
    ax.set_xlim(-1.03, 1.16)
    ax.set_xticks([-1, 0, 1])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:+.0f}" if x else "0"))
    ax.tick_params(axis="y", length=0)
    if "difference" not in rows:
        return
    for at, row in enumerate(rows.to_dict("records")):
        if np.isnan(row["difference"]):
            continue
        ends = [row["difference_low"], row["difference_high"]]
        ax.plot(ends, [at, at], color="black", linewidth=1)
        ax.plot(row["difference"], at, "o", color="black", markersize=3.5)
        mark = MARKS.get(row.get("verdict", ""), "")
        ax.text(1.15, at, mark, ha="right", va="center", fontsize=7)


def draw_endings(answer: Tables, rows: pd.DataFrame, ax: Axes) -> list[str]:
    """What became of the seeds of each row, as stacked bars; the groups that are drawn."""
    shown = set()
    for at, label in enumerate(rows.label):
        begin = 0.0
        for group, width in grouped(answer.endings, label).items():
            look = LOOKS[group]
            shown.add(group)
            ax.barh(
                at,
                width,
                left=begin,
                height=0.75,
                color=look.color,
                hatch=look.hatch,
                edgecolor="white",
                linewidth=0.4,
            )
            begin += width
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.5, 1])
    ax.xaxis.set_major_formatter(PercentFormatter(1, 0))
    ax.set_xlabel("what became of the seeds")
    ax.tick_params(axis="y", length=0)
    return [group for group in LOOKS if group in shown]


def draw_keys(
    whole: Figure, rows: pd.DataFrame, groups: list[str], columns: int | None = None
) -> None:
    """Name the endings and the marks of the verdicts below the panels.

    Args:
        whole: the figure.
        rows: that are drawn.
        groups: the groups of endings, as `draw_endings` returned them.
        columns: of the legend; None puts all groups side by side.
    """
    patches = []
    for group in groups:
        look = LOOKS[group]
        patches.append(Rectangle((0, 0), 1, 1, fc=look.color, hatch=look.hatch, ec="0.5", lw=0.5))
    names = [KEYS.get(group, group) for group in groups]
    options: dict[str, Any] = {"fontsize": 6.5, "frameon": False, "handlelength": 1.2}
    whole.legend(patches, names, loc="lower right", ncols=columns or len(groups), **options)
    if "verdict" not in rows:
        return
    there = [verdict for verdict in MARKS if (rows.verdict == verdict).any()]
    marks = [f"{MARKS[verdict]} {verdict}" for verdict in there]
    height = TOP + BOTTOM + ROW * len(rows)
    whole.text(0.01, 0.24 / height, "    ".join(marks), fontsize=6.5, va="bottom")


def grouped(endings: pd.DataFrame, label: str) -> dict[str, float]:
    """The share of each group of endings of a row, in the order of the key."""
    found = dict.fromkeys(LOOKS, 0.0)
    for row in endings[endings.label == label].itertuples():
        found[group_of(row.ending)] += row.rate
    return {group: width for group, width in found.items() if width > 0}


def group_of(ending: str) -> str:
    """The group that an ending is drawn in: plateaus with and without a name are two groups."""
    if ending == FITS:
        return "fitted"
    if ending in LOOKS:
        return ending
    return "found" if ending.startswith("at ") else "plateau"
