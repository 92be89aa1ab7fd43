"""The table of conventions in the documentation, made from what the modules say of themselves.

`python -m approx.frameworks.table` writes it into docs/frameworks.md, between its two marks.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from approx import frameworks
from approx.frameworks.questions import Conventions

BEGIN = "<!-- This table is made by `python -m approx.frameworks.table`. -->"
END = "<!-- Here the table ends. -->"
PAGE = Path(__file__).parents[2] / "docs" / "frameworks.md"


def all_conventions() -> list[Conventions]:
    """The conventions of every module that has some, in the order of the frameworks' names."""
    found = []
    for each in pkgutil.iter_modules(frameworks.__path__):
        module = importlib.import_module(f"approx.frameworks.{each.name}")
        conventions = getattr(module, "CONVENTIONS", None)
        if isinstance(conventions, Conventions):
            found.append(conventions)
    return sorted(found, key=lambda conventions: conventions.framework.lower())


def topics(conventions: Iterable[Conventions]) -> list[str]:
    """All topics, in the order in which they first appear."""
    return list(dict.fromkeys(topic for each in conventions for topic in each.rows))


def text(conventions: Sequence[Conventions]) -> str:
    """One section for each framework: a table of topics, and how they were measured."""
    parts = []
    for each in conventions:
        lines = [f"### {each.framework} {each.version}", "", "| | |", "| --- | --- |"]
        lines += [f"| {topic} | {escaped(sentence)} |" for topic, sentence in each.rows.items()]
        parts.append("\n".join([*lines, "", f"How it was measured: {each.measured}"]))
    return "\n\n".join(parts)


def escaped(sentence: str) -> str:
    """A sentence as a cell of a table in Markdown."""
    return sentence.replace("|", "\\|").replace("\n", " ")


def page(current: str, conventions: Sequence[Conventions]) -> str:
    """The page with the table of today between its marks.

    Args:
        current: the page as it is.
        conventions: of all frameworks.

    Raises:
        ValueError: a page without the marks.
    """
    before, begin, rest = current.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{text(conventions)}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(), all_conventions()))
