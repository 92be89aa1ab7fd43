"""Studies and their answers as a notebook shows them: some sentences and one short table."""

from collections.abc import Sequence
from html import escape

from approx.study.declaration import Declaration
from approx.study.reports import rows_table
from approx.study.sentences import verdict_in_sentences
from approx.study.tables import Tables

MOST_ROWS = 20  # of a table in a notebook; the report has them all
COLUMNS = ("row", "seeds", "succeed", "difference", "verdict")
LEFT = ' style="text-align: left"'


def html_of_answer(answer: Tables) -> str:
    """The verdict in sentences, and the rates by the measure that verdicts are about."""
    heads, *rows = rows_table(answer, answer.main).rows
    places = [heads.index(name) for name in COLUMNS if name in heads]
    texts = [[row[place] for place in places] for row in rows]
    said = [f"<li>{escape(sentence)}</li>" for sentence in verdict_in_sentences(answer)]
    title = escape(answer.facts["title"] or "A study")
    found = table([heads[place] for place in places], texts)
    more = "report() has all tables; report('html') makes a page of them."
    return f"<div><strong>{title}</strong><ul>{''.join(said)}</ul>{found}<p>{more}</p></div>"


def html_of_declaration(study: Declaration) -> str:
    """The rows that a study will train, with what each changes of the baseline."""
    rows = [[label, row.change] for label, row in study.rows.items()]
    title = escape(study.title or "A study")
    found = table(["row", "what is changed"], rows)
    more = "Nothing is trained yet: call run(seeds=256)."
    return f"<div><strong>{title}</strong>{found}<p>{more}</p></div>"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first rows as a table, with a line that says how many are left out."""
    lines = [line(heads, "th")]
    lines += [line(row, "td") for row in rows[:MOST_ROWS]]
    left_out = len(rows) - MOST_ROWS
    if left_out > 0:
        text = f"and {left_out} more"
        lines.append(f'<tr><td colspan="{len(heads)}"{LEFT}>{text}</td></tr>')
    return f"<table>{''.join(lines)}</table>"


def line(texts: Sequence[str], tag: str) -> str:
    """One row of a table."""
    entries = [f"<{tag}{LEFT}>{escape(text)}</{tag}>" for text in texts]
    return f"<tr>{''.join(entries)}</tr>"
