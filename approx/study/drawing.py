"""The figure of a study: rates and differences with intervals, and what became of the seeds."""

from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from approx.plot import STYLE
from approx.study import verdicts
from approx.study.claims import BASELINE
from approx.study.sentences import LEARNED, share
from approx.study.tables import Tables

MOST_ROWS = 40  # that one figure shows
ROW = 0.17  # inches of height for each row
WIDTH = 7.0  # inches: two columns of a journal
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
    "stuck": Look("#6A6A6A"),
    "diverged": Look("#111111"),
}
KEYS = {
    LEARNED: "success",
    "plateau": "at a plateau that is known in closed form",
    "found": "at another value that many seeds share",
    "fitted": "right on the training rows only",
}


def figure(answer: Tables, path: str | Path | None = None) -> Figure:
    """Draw an answer; see `Answer.figure`.

    Raises:
        ValueError: a path without a suffix that matplotlib knows.
    """
    rows = rows_to_draw(answer)
    with plt.style.context(STYLE):
        height = 1.15 + ROW * len(rows)
        whole = plt.figure(figsize=(WIDTH, height), layout="constrained")
        rates, differences, became = whole.subplots(
            1, 3, sharey=True, gridspec_kw={"width_ratios": (1, 1, 1)}
        )
        draw_rates(answer, rows, rates)
        draw_differences(answer, rows, differences)
        draw_endings(answer, rows, became)
        whole.suptitle(title_of(answer), x=0.01, ha="left", fontsize=9)
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            whole.savefig(path, dpi=200)
    return whole


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
    helping = rows[rows.verdict == verdicts.HELPS] if "verdict" in rows else rows[:0]
    if len(helping):
        best = helping.rate.idxmax()
        said += f", {share(helping.rate.max())} with “{best}”"
    return said


def draw_rates(answer: Tables, rows: pd.DataFrame, ax: Axes) -> None:
    """The share of the seeds of each row that succeed, with its interval."""
    at = np.arange(len(rows))
    beyond = np.maximum([rows.rate - rows.low, rows.high - rows.rate], 0)
    ax.errorbar(rows.rate, at, xerr=beyond, fmt="o", color="black", markersize=3.5, linewidth=1)
    names = [name_of(row, rows.n.max()) for row in rows.itertuples()]
    ax.set_yticks(at, names)
    ax.invert_yaxis()
    ax.set_xlim(-0.03, 1.03)
    ax.xaxis.set_major_formatter(PercentFormatter(1, 0))
    rule = answer.facts["measures"][answer.main]
    ax.set_xlabel(f"succeed, of {rows.n.max()} seeds\n({wrapped(rule)})")
    if rows.label[0] == BASELINE:
        ax.axvspan(rows.low[0], rows.high[0], color="0.9", linewidth=0, zorder=0)
        ax.get_yticklabels()[0].set_fontweight("bold")
    ax.tick_params(axis="y", length=0)


def name_of(row: Any, most: int) -> str:
    """A row's label, with its seeds where it has fewer than others."""
    return row.label if row.n == most else f"{row.label} ({row.n})"


def wrapped(text: str, width: int = 34) -> str:
    """A text in lines of a limited width."""
    import textwrap

    return "\n".join(textwrap.wrap(text, width))


def draw_differences(answer: Tables, rows: pd.DataFrame, ax: Axes) -> None:
    """The difference of each row to the baseline, with its interval and its verdict."""
    matters = answer.facts["matters"]
    ax.axvspan(-matters, matters, color="0.9", linewidth=0, zorder=0)
    ax.axvline(0, color="0.5", linewidth=0.6, zorder=0)
    level = f"{100 * answer.facts['level']:g}%"
    ax.set_xlabel(f"difference to the baseline, in points\n({level}; grey: too small to matter)")
    ax.set_xlim(-1.03, 1.16)
    ax.set_xticks([-1, -0.5, 0, 0.5, 1])
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


def draw_endings(answer: Tables, rows: pd.DataFrame, ax: Axes) -> None:
    """What became of the seeds of each row, as stacked bars with a key above."""
    shown: dict[str, Look] = {}
    for at, label in enumerate(rows.label):
        begin = 0.0
        for group, width in grouped(answer.endings, label).items():
            look = LOOKS[group]
            shown[group] = look
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
    ax.xaxis.set_major_formatter(PercentFormatter(1, 0))
    ax.set_xlabel("what became of the seeds")
    ax.tick_params(axis="y", length=0)
    draw_key(ax, [group for group in LOOKS if group in shown])


def draw_key(ax: Axes, groups: list[str]) -> None:
    """Name the endings above the panel."""
    patches = []
    for group in groups:
        look = LOOKS[group]
        patches.append(
            plt.Rectangle((0, 0), 1, 1, facecolor=look.color, hatch=look.hatch, edgecolor="0.5")
        )
    names = [KEYS.get(group, group) for group in groups]
    ax.legend(
        patches,
        names,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        fontsize=6,
        frameon=False,
        ncols=2 if len(groups) > 3 else 1,
        handlelength=1.2,
        labelspacing=0.25,
    )


def grouped(endings: pd.DataFrame, label: str) -> dict[str, float]:
    """The share of each group of endings of a row, in the order of the key."""
    found = dict.fromkeys(LOOKS, 0.0)
    for row in endings[endings.label == label].itertuples():
        found[group_of(row.ending)] += row.rate
    return {group: width for group, width in found.items() if width > 0}


def group_of(ending: str) -> str:
    """The group that an ending is drawn in: plateaus with and without a name are two groups."""
    if ending in LOOKS:
        return ending
    return "found" if ending.startswith("at ") else "plateau"
