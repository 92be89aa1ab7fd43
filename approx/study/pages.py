"""A report as one HTML file, whose tables can be sorted; nothing is loaded from elsewhere."""

from collections.abc import Iterable
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
    const numeric = full.length > 0 && full.every((text) => /^-?[0-9.]/.test(text));
    rows.sort((a, b) => {
      const one = a.cells[column].textContent, two = b.cells[column].textContent;
      if (one === "" || two === "") return (one === "") - (two === "");
      const order = numeric ? number(one) - number(two) : one.localeCompare(two);
      return up ? order : -order;
    });
    body.append(...rows);
  });
}
"""


def page(title: str, source: str, sentences: Iterable[str], tables: Iterable[Any]) -> str:
    """The whole page.

    Args:
        title: of the study.
        source: where the question comes from; "" for none.
        sentences: the verdict.
        tables: with `title`, `rows` (the titles of the columns first) and `caption`.
    """
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
<body>
<h1>{escape(title)}</h1>
{origin}
<ul>
{said}
</ul>
{"".join(map(section, tables))}
<script>{SCRIPT}</script>
</body>
</html>
"""


def section(table: Any) -> str:
    """One table with its title."""
    heads, *rows = table.rows
    head = "".join(f'<th scope="col"><button>{escape(text)}</button></th>' for text in heads)
    body = "\n".join(_row(row) for row in rows)
    return (
        f"<h2>{escape(table.title)}</h2>\n<table>\n<caption>{escape(table.caption)}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
    )


def _row(texts: list[str]) -> str:
    """One row of a table; its first entry names the row."""
    first, *rest = texts
    entries = "".join(f"<td>{escape(text)}</td>" for text in rest)
    return f'<tr><th scope="row">{escape(first)}</th>{entries}</tr>'
