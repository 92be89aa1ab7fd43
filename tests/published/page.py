"""docs/published.md, from the entries and the committed results."""
# ruff: noqa: E501 (lines of the page are as long as those of other pages)

import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from verdicts import DIFFERS, REPRODUCED, UNDECIDED, Entry

HEAD = """# A book of published numbers

Papers, manuals and tutorials print what came of training small networks. This page trains them anew, with many seeds, and
says for each number whether it is reproduced. `make published` trains all of them and writes this page;
`python tests/published/book.py {name}` trains one. The set-up is the source's. Where a source leaves something open, the
guess stands beside it, and nothing was tuned until a number fitted.

- **One training.** A source that prints the result of one training is reproduced if its number lies within the middle 95%
  of our seeds, with an exact interval for its place among them. One number in twenty lies outside by chance.
- **A share of trainings** is reproduced if the difference of both shares may be 0 (Newcombe's interval), a derived
  probability if it lies in our exact interval, and a mean if the difference of both means may be 0, each at 95%. If the
  difference could also be large, the number is undecided.
- **Without chance.** A number that follows from given weights is reproduced if ours is printed alike.

Seconds are those of a processor core, compilation among them. Numbers that were compared afterwards, in search of a reason,
are marked so and do not count.

"""


def counted(entries: Mapping[str, Entry], results: Mapping[str, Any]) -> dict[str, int]:
    """How many numbers have each verdict."""
    counts = {REPRODUCED: 0, DIFFERS: 0, UNDECIDED: 0}
    for name, entry in entries.items():
        for key, number in entry.numbers.items():
            if key not in entry.afterwards:
                counts[number.judged(results[name]["numbers"][key])] += 1
    return counts


def row(*cells: str) -> str:
    """A row of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def filled(text: str) -> str:
    """A paragraph in lines as long as those of other pages."""
    return textwrap.fill(text, 126, break_long_words=False, break_on_hyphens=False)


def anchor(title: str) -> str:
    """The anchor that GitHub gives a title."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def summary(entries: Mapping[str, Entry], results: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the table of all entries."""
    yield row("what was published", "numbers", "reproduced", "not", "undecided", "seconds")
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, entry in entries.items():
        counts = counted({name: entry}, results)
        shown = (counts[REPRODUCED], counts[DIFFERS], counts[UNDECIDED])
        link = f"[{entry.title}](#{anchor(entry.title)})"
        seconds = f"{results[name]['seconds']:.0f}"
        yield row(link, f"{sum(shown)}", *map(str, shown), seconds)


def section(entry: Entry, result: Mapping[str, Any]) -> Iterator[str]:
    """The lines of one entry."""
    source = entry.source
    yield f"## {entry.title}"
    yield ""
    read = f" Read was {source.read}." if source.read else ""
    yield filled(
        f"**Source.** {source.authors} ({source.year}): {source.title}, {source.place}, "
        f"<{source.address}>.{read}"
    )
    yield ""
    yield filled(f"**Set-up.** {entry.setup}")
    yield ""
    yield filled(f"**Guesses.** {entry.guesses}")
    yield ""
    yield row("number", "reported", "ours", "verdict")
    yield "| --- | --- | --- | --- |"
    verdicts = []
    for key, number in entry.numbers.items():
        evidence = result["numbers"][key]
        verdicts.append(number.judged(evidence))
        text = number.text
        if key in entry.afterwards:
            text = f"(afterwards) {text}"
        yield row(text, number.said(), number.found(evidence), verdicts[-1])
    if DIFFERS in verdicts:
        yield ""
        reason = entry.reason or "No reason is known."
        yield filled(f"**Likeliest reason.** {reason}")
    yield ""


def waiting(entries: Mapping[str, Entry]) -> Iterator[str]:
    """The lines about entries without results."""
    if not entries:
        return
    yield "## Entries that wait for their training"
    yield ""
    yield "These are written, and `book.py NAME` trains them, but their results are not here yet."
    yield ""
    yield row("name", "what was published", "source", "reported")
    yield "| --- | --- | --- | --- |"
    for name, entry in entries.items():
        source = f"{entry.source.authors} {entry.source.year}"
        said = "; ".join(each.said() for each in entry.numbers.values())
        yield row(f"`{name}`", entry.title, source, said)
    yield ""


def page(entries: Mapping[str, Entry], results: Mapping[str, Any]) -> str:
    """The whole page."""
    untrained = {name: entry for name, entry in entries.items() if name not in results}
    entries = {name: entry for name, entry in entries.items() if name in results}
    counts = counted(entries, results)
    total = sum(counts.values())
    told = (
        f"Of {total} numbers in {len(entries)} entries {counts[REPRODUCED]} are reproduced, "
        f"{counts[DIFFERS]} are not, and {counts[UNDECIDED]} are undecided."
    )
    lines = [told, "", *summary(entries, results), ""]
    for name, entry in entries.items():
        lines += section(entry, results[name])
    lines += [*waiting(untrained), FOOT]
    return HEAD.replace("{name}", "NAME") + "\n".join(lines)


FOOT = """## Numbers that are missing

Of these sources only the abstracts could be read, so that their numbers are not here: Fahlman 1988 (epochs of backpropagation
and quickprop on encoders), Riedmiller and Braun 1993 (Rprop), Lang and Witbrock 1988 (epochs on two spirals), Kolen and
Pollack 1990 (XOR by the range of first weights), Lu et al. 2018 (collapse of deep and narrow relu networks), and Swirszcz et
al. 2016 (local minima of XOR).
"""
