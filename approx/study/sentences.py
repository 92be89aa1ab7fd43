"""The verdict of a study in plain sentences."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from approx.stats.evidence import percent
from approx.study import verdicts
from approx.study.claims import BASELINE
from approx.study.tables import Tables

MOST_NAMED = 6  # rows that one sentence names
LEARNED = "learned"  # the ending of a seed that succeeds
# What is said before the names of the rows with a verdict, in the order of the report
SAID = {
    verdicts.HELPS: "What helps",
    verdicts.HELPS_SOME: "What helps, perhaps by less than matters",
    verdicts.HURTS: "What hurts",
    verdicts.HURTS_SOME: "What hurts, perhaps by less than matters",
    verdicts.SMALL: "What makes no difference that matters",
    verdicts.UNDECIDED: "Undecided with so few seeds",
}


def verdict_in_sentences(answer: Tables) -> list[str]:
    """The answer in plain sentences, the most important first."""
    found = [
        *of_baseline(answer),
        *of_verdicts(answer),
        *of_endings(answer),
        *of_factors(answer),
        *of_claims(answer),
        *of_certainty(answer),
        *of_rows_left_out(answer),
    ]
    return [sentence for sentence in found if sentence]


def share(rate: float) -> str:
    """A rate in percent: with a decimal where a whole number would hide that it is not 0 or 1."""
    if 0 < rate < 0.01 or 0.99 < rate < 1:
        return f"{100 * rate:.1f}%"
    return f"{100 * rate:.0f}%"


def with_interval(rate: float, low: float, high: float) -> str:
    """A rate in percent with its interval, such as "86% [82, 90]"."""
    return f"{share(rate)} [{points(low)}, {points(high)}]"


def points(number: float) -> str:
    """A rate or a difference in points, with a decimal where a whole number would say 0 or 100."""
    if 0 < abs(number) < 0.01 or 0.99 < abs(number) < 1:
        return f"{100 * number:.1f}"
    return f"{100 * number:.0f}"


def of_baseline(answer: Tables) -> list[str]:
    """How often the baseline succeeds, and what a success costs."""
    rows = answer.main_rows.set_index("label")
    rule = answer.facts["measures"][answer.main]
    if BASELINE not in rows.index:
        return [f"Success means: {rule}. The baseline was not trained."]
    base = rows.loc[BASELINE]
    rate = with_interval(base.rate, base.low, base.high)
    sentences = [f"{rate} of {base.n} seeds succeed as it stands (success: {rule})."]
    if "ert" in rows and np.isfinite(base.ert) and base.successes:
        steps = f"{base.ert:,.0f} [{base.ert_low:,.0f}, {base.ert_high:,.0f}]"
        sentences.append(f"Trained anew until one succeeds, a success costs {steps} steps.")
    return sentences


def of_verdicts(answer: Tables) -> list[str]:
    """Which changes help, which hurt, and which are undecided."""
    rows = answer.main_rows
    if "verdict" not in rows:
        return []
    judged = rows[rows.verdict.notna()]
    sentences = []
    for verdict, said in SAID.items():
        here = judged[judged.verdict == verdict]
        if len(here):
            order = here.rate.to_numpy().argsort(kind="stable")
            best_first = here.iloc[order if "hurt" in verdict else order[::-1]]
            sentences.append(f"{said}: {named(best_first)}.")
    return sentences


def named(rows: pd.DataFrame) -> str:
    """Rows by name with their rates; of many only the first."""
    texts = [f"{row.label} ({share(row.rate)})" for row in rows.itertuples()]
    more = len(texts) - MOST_NAMED
    if more > 0:
        return ", ".join(texts[:MOST_NAMED]) + f" and {more} more"
    return ", ".join(texts)


def of_endings(answer: Tables) -> list[str]:
    """What became of the baseline's seeds that fail."""
    ends = answer.endings
    if not len(ends):
        return []
    failed = ends[(ends.label == BASELINE) & (ends.ending != LEARNED)]
    count = int(failed.seeds.sum())
    if not count:
        return []
    ordered = failed.sort_values("seeds", ascending=False, kind="stable")
    parts = [f"{row.seeds} {in_words(row.ending)}" for row in ordered.itertuples()]
    if count == 1:
        return [f"The one seed that fails: {in_words(ordered.ending.iloc[0])}."]
    return [f"What became of the {count} seeds that fail: {joined(parts)}."]


def in_words(ending: str) -> str:
    """An ending as it stands behind a number of seeds."""
    if ending in ("still falling", "stuck", "diverged"):
        return ending
    if ending == "fits its rows only":
        return "right on the training rows only"
    if ending.startswith("at "):
        return f"{ending}, a training loss that many seeds share"
    return f"at the plateau “{ending}”"


def joined(parts: Iterable[str]) -> str:
    """Parts of a sentence with commas and an "and"."""
    *first, last = parts
    if not first:
        return last
    return ", ".join(first) + " and " + last


def of_factors(answer: Tables) -> list[str]:
    """The best combination of a factorial, and the largest effect of one level."""
    cells = answer.main_rows[answer.main_rows.group == "cell"]
    if not len(cells) or not len(answer.effects):
        return []
    best = cells.loc[cells.rate.idxmax()]
    rate = with_interval(best.rate, best.low, best.high)
    sentences = [f"The best of {len(cells)} combinations is {best.label} ({rate})."]
    single = answer.effects[(answer.effects.order == 1) & answer.effects.difference.notna()]
    if len(single):
        top = single.loc[single.difference.abs().idxmax()]
        change = f"{points(top.difference)} points"
        ends = f"[{points(top.difference_low)}, {points(top.difference_high)}]"
        sentences.append(
            f"The largest effect of one level is that of {top.effect}: {change} {ends}."
        )
    return sentences


def of_claims(answer: Tables) -> list[str]:
    """How many claims hold."""
    if not len(answer.claims):
        return []
    counts = answer.claims.verdict.value_counts()
    parts = [f"{counts[each]} {each}" for each in counts.index]
    first, *others = parts
    first = first.replace(" ", " is " if first.startswith("1 ") else " are ", 1)
    return [f"Of {len(answer.claims)} claims {joined([first, *others])}."]


def of_certainty(answer: Tables) -> list[str]:
    """How sure the verdicts are, and what counts as a difference."""
    facts = answer.facts
    many = facts["verdicts"]
    if "verdict" not in answer.main_rows and not len(answer.claims):
        return []
    matters = f"A difference matters from {points(facts['matters'])} points on."
    risk = percent(1 - facts["level"])
    sure = f"The chance that any of the {many} verdicts is wrong is below {risk}."
    if many == 1:
        sure = f"The chance that the verdict is wrong is below {risk}."
    sentences = [matters, sure]
    if facts["looked_often"]:
        sentences.append("Seeds were added until all was decided; the intervals allow for that.")
    return sentences


def of_rows_left_out(answer: Tables) -> list[str]:
    """Which rows are not in the report."""
    left: list[Any] = answer.facts["not_trained"]
    if not left:
        return []
    more = len(left) - MOST_NAMED
    named_rows = ", ".join(left[:MOST_NAMED])
    if more > 0:
        named_rows += f" and {more} more"
    return [f"Not trained, and so not in this report: {named_rows}."]
