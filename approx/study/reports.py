"""Reports of a study: sentences, then tables, as text, Markdown, HTML or LaTeX."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from approx.stats.evidence import EXACT, labelled, percent
from approx.stats.evidence_files import claims_rows, reported_rows
from approx.stats.layouts import LAYOUTS, Rows
from approx.stats.pages import page
from approx.study.sentences import points, share, verdict_in_sentences, with_interval
from approx.study.tables import Tables

FORMS = (*LAYOUTS, "html")
MOST_ROWS = 40  # of a report that is read from top to bottom
MARKS = {"text": "", "markdown": "## ", "latex": "% "}


class Table(NamedTuple):
    """One table of a report.

    Attributes:
        title: what it shows.
        rows: texts, the titles of the columns first.
        caption: what one must know to read it.
    """

    title: str
    rows: Rows
    caption: str


def report(answer: Tables, form: str) -> str:
    """The whole report; see `Answer.report`."""
    if form not in FORMS:
        raise ValueError(f"the format must be one of {', '.join(FORMS)}; got {form!r}")
    sentences = verdict_in_sentences(answer)
    if form != "html":
        answer, left_out = for_a_page(answer)
        sentences += left_out
    tables = tables_of(answer)
    title = answer.facts["title"] or "A study"
    if form == "html":
        return page(title, answer.facts["source"], sentences, tables)
    return document(title, answer.facts["source"], sentences, tables, form)


def for_a_page(answer: Tables) -> tuple[Tables, list[str]]:
    """The answer without most cells of a large factorial, and a sentence that says so.

    Cells that a claim names stay. A page of HTML has them all, for its tables can be sorted.
    """
    rows = answer.main_rows
    unnamed = rows.label[(rows.group == "cell") & ~rows.label.isin(answer.facts["claimed"])]
    if len(rows) <= MOST_ROWS or not len(unnamed):
        return answer, []
    kept = answer.rows[~answer.rows.label.isin(unnamed)]
    endings = answer.endings[~answer.endings.label.isin(unnamed)]
    sentence = f"The tables below leave out {len(unnamed)} combinations that no claim names."
    return replace(answer, rows=kept, endings=endings), [sentence]


def document(title: str, source: str, sentences: list[str], tables: list[Table], form: str) -> str:
    """The report as text, Markdown or LaTeX."""
    heading = {"text": "", "markdown": "# ", "latex": "% "}[form] + title
    said = "\n".join(sentences)
    if form == "latex":
        said = "\n".join(f"% {sentence}" for sentence in sentences)
    parts = [heading]
    if source:
        parts.append({"latex": "% "}.get(form, "") + f"Source: {source}")
    parts.append(said)
    for table in tables:
        parts.append(MARKS[form] + table.title + "\n\n" + LAYOUTS[form](table.rows, table.caption))
    return "\n\n".join(parts) + "\n"


def tables_of(answer: Tables) -> list[Table]:
    """All tables of a report that have rows."""
    found = [rows_table(answer, name) for name in answer.facts["measures"]]
    found += [endings_table(answer), effects_table(answer)]
    found += [claims_table(answer), reported_table(answer), changes_table(answer)]
    return [table for table in found if len(table.rows) > 1]


# ---- rows ----------------------------------------------------------------------------------------

Column = tuple[str, Callable[[Any], str]]


def rows_table(answer: Tables, name: str) -> Table:
    """Every row's rate, its difference to the baseline, and the verdict, by one measure."""
    rows = answer.rows[answer.rows.measure == name]
    columns = [column for column in COLUMNS if _has(rows, column[0])]
    texts = [[column[0] for column in columns]]
    for row in rows.to_dict("records"):
        texts.append([_filled(row, show) for _, show in columns])
    level = f"{100 * answer.facts['level']:g}%"
    caption = (
        f"Success: {answer.facts['measures'][name]}. Brackets: {level} intervals, in points; "
        f"differences are to {compared_with(rows)} on the same seeds. Trainings that diverged "
        "count as failures. Steps to a success: training anew after each failure."
    )
    if _has(rows, "ends better"):
        caption += (
            " Ends better: the seeds whose value is better at the end than on the same seed of "
            "the other row; ties count half."
        )
    title = "Rates and differences"
    if len(answer.facts["measures"]) > 1:
        title += f": {name}"
    return Table(title, texts, caption)


def compared_with(rows: pd.DataFrame) -> str:
    """What the differences of a table are to, in words."""
    if _has(rows, "against"):
        return "the row that stands under “against”, or else to the baseline,"
    return "the baseline"


def _has(rows: pd.DataFrame, title: str) -> bool:
    """Whether any row has something to say in a column."""
    needed = NEEDED[title]
    if needed not in rows:
        return False
    values = rows[needed]
    return bool((values.notna() & (values.astype(str) != "")).any())


def _filled(row: dict[str, Any], show: Callable[[Any], str]) -> str:
    """An entry of a row; empty where the row does not have it."""
    try:
        return show(row)
    except (KeyError, TypeError, ValueError):
        return ""


def _number(value: float) -> str:
    """A number with three digits; empty for nan."""
    if np.isnan(value):
        return ""
    if 1000 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _interval(row: dict[str, Any], name: str, low: str, high: str) -> str:
    """A difference in points with its interval; empty for nan."""
    if np.isnan(row[name]):
        return ""
    return f"{points(row[name])} [{points(row[low])}, {points(row[high])}]"


def _deciding(row: dict[str, Any]) -> str:
    """The interval that decides a verdict, with its level."""
    if np.isnan(row["deciding_low"]):
        return ""
    ends = f"[{points(row['deciding_low'])}, {points(row['deciding_high'])}]"
    return f"{ends} at {percent(row['deciding_level'])}"


def _better(row: dict[str, Any]) -> str:
    """How many seeds end with a better value than with the other row; empty for nan."""
    if np.isnan(row["better"]):
        return ""
    return with_interval(row["better"], row["better_low"], row["better_high"])


def _cost(row: dict[str, Any]) -> str:
    """The steps that a success costs, with their interval."""
    if np.isnan(row["ert"]):
        return ""
    if np.isinf(row["ert"]):
        return f"over {_number(row['ert_low'])}"
    return f"{_number(row['ert'])} [{_number(row['ert_low'])}, {_number(row['ert_high'])}]"


def _word(name: str) -> Callable[[dict[str, Any]], str]:
    """A function that shows a text of a row, empty for nan."""

    def show(row: dict[str, Any]) -> str:
        return row[name] if isinstance(row[name], str) else ""

    return show


COLUMNS: tuple[Column, ...] = (
    ("row", lambda row: row["label"]),
    ("seeds", lambda row: str(row["n"])),
    ("succeed", lambda row: with_interval(row["rate"], row["low"], row["high"])),
    ("difference", lambda row: _interval(row, "difference", "difference_low", "difference_high")),
    ("against", _word("against")),
    ("decided by", _deciding),
    ("verdict", _word("verdict")),
    (
        "difference at equal rows seen",
        lambda row: _interval(row, "equal_difference", "equal_low", "equal_high"),
    ),
    ("median", lambda row: _number(row["median"])),
    ("ends better", _better),
    ("steps", lambda row: f"{row['steps']:,}"),
    ("steps to a success", _cost),
    ("diverged", lambda row: str(row["diverged"])),
    ("idle units", lambda row: "" if np.isnan(row["idle_units"]) else share(row["idle_units"])),
    ("tuned", _word("tuned")),
)
NEEDED = {
    "row": "label",
    "seeds": "n",
    "succeed": "rate",
    "difference": "difference",
    "against": "against",
    "decided by": "deciding_low",
    "verdict": "verdict",
    "difference at equal rows seen": "equal_difference",
    "median": "median",
    "ends better": "better",
    "steps": "steps",
    "steps to a success": "ert",
    "diverged": "diverged",
    "idle units": "idle_units",
    "tuned": "tuned",
}


# ---- the other tables ----------------------------------------------------------------------------


def endings_table(answer: Tables) -> Table:
    """What became of every row's seeds."""
    ends = answer.endings
    rows = [["row", "ending", "seeds", "share", "idle units"]]
    for each in ends.itertuples():
        rate = with_interval(each.rate, each.low, each.high)
        idle = "" if np.isnan(each.idle_units) else share(each.idle_units)
        rows.append([each.label, each.ending, f"{each.seeds} of {each.n}", rate, idle])
    caption = (
        "Learned: a success. Then, in this order: diverged; at a plateau with a name; still "
        "falling; at a value of the loss that many seeds share; stuck. Idle units: the mean share "
        "of hidden units that give the same on all training rows."
    )
    if len(ends) and ends.idle_units.isna().all():
        rows = [row[:-1] for row in rows]
        caption = caption.partition(" Idle units:")[0]
    return Table("What became of the seeds", rows, caption)


def effects_table(answer: Tables) -> Table:
    """What each level of each factor changes."""
    rows = [["level", "average rate", "difference to the first level", "combinations", "seeds"]]
    for each in answer.effects.to_dict("records"):
        average = with_interval(each["average"], each["low"], each["high"])
        change = _interval(each, "difference", "difference_low", "difference_high")
        rows.append([each["effect"], average, change, str(each["cells"]), str(each["n"])])
    caption = (
        "Averages over all combinations of the other factors, on the same seeds. The difference of "
        "two levels together is what they do beyond the sum of what each does."
    )
    return Table("Effects of the factors", rows, caption)


def claims_table(answer: Tables) -> Table:
    """Every claim with its effect, both intervals, and the verdict."""
    if not len(answer.claims):
        return Table("Claims", [[]], "")
    rows, _ = claims_rows(as_dataset(answer.claims, "claim", answer.facts["level"]))
    if (answer.claims.remark != "").any():
        rows[0].append("remark")
        for row, remark in zip(rows[1:], answer.claims.remark, strict=True):
            row.append(remark)
    return Table("Claims", rows, caption_of_claims(answer))


def caption_of_claims(answer: Tables) -> str:
    """What one must know to read the table of claims."""
    facts = answer.facts
    looks = ", at each of several looks at the data," if facts["looked_often"] else ""
    text = (
        f"The interval that decides is so wide that all {facts['verdicts']} verdicts of this "
        f"report{looks} are right together with a probability of at least "
        f"{percent(facts['level'])}. Supported: that interval lies inside the region of the claim; "
        "contradicted: outside; undecided: it reaches over an edge. Effects are probabilities, or "
        "differences of probabilities on the same seeds."
    )
    others = int((answer.claims.interval != EXACT).sum())
    if others:
        text += (
            f" {others} of the claims are decided by an interval of their own, which must cover as "
            "often as it says."
        )
    return text


def reported_table(answer: Tables) -> Table:
    """Every reported number among our seeds."""
    if not len(answer.reported):
        return Table("Reported numbers", [[]], "")
    rows, caption = reported_rows(as_dataset(answer.reported, "number", answer.facts["level"]))
    return Table("Reported numbers among our seeds", rows, caption)


def as_dataset(frame: pd.DataFrame, index: str, level: float) -> xr.Dataset:
    """A table of claims or of reported numbers as `stats.claims` and `stats.reported` return it."""
    return labelled(frame.drop(columns="level").set_index(index), level)


def changes_table(answer: Tables) -> Table:
    """What each row changes of the baseline."""
    rows = [["row", "what is changed"]]
    for each in answer.main_rows.itertuples():
        if each.change:
            rows.append([each.label, each.change])
    return Table("The rows", rows, "Everything else is as in the baseline.")
