"""Tables as one HTML file, to be sorted and searched; nothing is loaded from elsewhere."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #ffffff; }
table { border-collapse: collapse; font-size: 0.85rem; display: block; overflow-x: auto; }
th, td { padding: 0.3rem 0.7rem; text-align: left; border-bottom: 1px solid #dddddd; }
th button { font: inherit; font-weight: 600; border: 0; background: none; padding: 0;
  cursor: pointer; text-align: left; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
caption { caption-side: bottom; text-align: left; color: #555555; padding-top: 0.5rem; }
.source { color: #555555; }
h1 { font-size: 1.6rem; line-height: 1.25; }
.wide { max-width: 100rem; }
.wide tbody th { font-weight: 400; min-width: 21rem; }
.wide td, .wide th { vertical-align: top; padding-right: 0.4rem; }
.wide td:nth-child(-n + 8) { white-space: nowrap; }
.wide td:last-child { min-width: 12rem; }
.wide td:last-child, small { color: #555555; }
.search { margin-bottom: 0.8rem; display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem;
  align-items: center; }
.search input, .search select { font: inherit; padding: 0.2rem 0.4rem; }
.search select { max-width: 16rem; }
.search output { color: #555555; }
:focus-visible { outline: 3px solid #0072b2; outline-offset: 2px; }
"""
# A column is sorted by its first number where all entries have one, else by its letters
SCRIPT = """
function number(text) {
  const found = text.replaceAll(",", "").match(/-?[0-9.]+(e[+-]?[0-9]+)?/);
  return found ? parseFloat(found[0]) : NaN;
}
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.parentElement;
    const body = head.closest("table").tBodies[0];
    const column = head.cellIndex;
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = [...body.rows];
    const texts = rows.map((row) => row.cells[column].textContent);
    const full = texts.filter((text) => text !== "");
    const numeric = full.length > 0 && full.every((text) => /^\\[?-?[0-9.]/.test(text));
    rows.sort((a, b) => {
      const one = a.cells[column].textContent, two = b.cells[column].textContent;
      if (one === "" || two === "") return (one === "") - (two === "");
      const order = numeric ? number(one) - number(two) : one.localeCompare(two);
      return up ? order : -order;
    });
    body.append(...rows);
  });
}
for (const search of document.querySelectorAll(".search")) {
  const table = document.getElementById(search.dataset.table), body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const choices = [...search.querySelectorAll("select")];
  for (const choice of choices) {
    const column = heads.indexOf(choice.dataset.column);
    const texts = new Set([...body.rows].map((row) => row.cells[column].textContent));
    for (const text of [...texts].sort()) choice.append(new Option(text, text));
  }
  const show = () => {
    const words = search.querySelector("input").value.toLowerCase().split(/\\s+/);
    let shown = 0;
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      const fits = choices.every((choice) => !choice.value
        || row.cells[heads.indexOf(choice.dataset.column)].textContent === choice.value);
      row.hidden = !(fits && words.every((word) => text.includes(word)));
      shown += !row.hidden;
    }
    search.querySelector("output").textContent = `${shown} of ${body.rows.length} shown`;
  };
  search.addEventListener("input", show);
  show();
}
"""


class Html(str):
    """A text that is HTML already; all other texts are escaped."""

    __slots__ = ()


def page(
    title: str,
    source: str,
    sentences: Iterable[str],
    tables: Iterable[Any],
    choices: Sequence[str] | None = None,
) -> str:
    """The whole page.

    Args:
        title: of the page.
        source: where the question comes from; "" for none.
        sentences: the verdict.
        tables: with `title`, `rows` (the titles of the columns first) and `caption`.
        choices: the columns of which a reader can choose one value; the tables can be searched
            then. None leaves all this out.
    """
    wide = "" if choices is None else ' class="wide"'
    sections = [section(table, number, choices) for number, table in enumerate(tables)]
    said = "\n".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    origin = f'<p class="source">Source: {escape(source)}</p>' if source else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body{wide}>
<h1>{escape(title)}</h1>
{origin}
<ul>
{said}
</ul>
{"".join(sections)}
<script>{SCRIPT}</script>
</body>
</html>
"""


def section(table: Any, number: int, choices: Sequence[str] | None) -> str:
    """One table with its title, and what it is searched with."""
    heads, *rows = table.rows
    head = "".join(f'<th scope="col"><button>{escape(text)}</button></th>' for text in heads)
    body = "\n".join(_row(row) for row in rows)
    name = f"table{number}"
    begin = "<table>"
    if choices is not None:
        begin = f'{_search(name, choices)}<table id="{name}">'
    return (
        f"<h2>{escape(table.title)}</h2>\n{begin}\n"
        f"<caption>{escape(table.caption)}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
    )


def _search(table: str, choices: Sequence[str]) -> str:
    """A field for words, and a list of values for each of some columns."""
    lists = "".join(
        f'<label>{escape(column)} <select data-column="{escape(column)}">'
        '<option value="">all</option></select></label>'
        for column in choices
    )
    words = '<label>search <input type="search"></label>'
    said = '<output aria-live="polite"></output>'
    return f'<div class="search" data-table="{table}">{words}{lists}{said}</div>\n'


def _row(texts: list[str]) -> str:
    """One row of a table; its first entry names the row."""
    first, *rest = texts
    entries = "".join(f"<td>{_content(text)}</td>" for text in rest)
    return f'<tr><th scope="row">{_content(first)}</th>{entries}</tr>'


def _content(text: str) -> str:
    """What stands in an entry: a text is escaped, HTML is not."""
    if isinstance(text, Html):
        return text
    return escape(text)
