"""Promise: the page of claims has every claim of the summaries, with their numbers, and can be
sorted and searched.
"""

import csv
from html.parser import HTMLParser

import browser
import pytest
from scripts import ROOT, script

from approx import stats

SUMMARIES = sorted((ROOT / "experiments" / "summaries").glob("*_claims.csv"))
PAGE = ROOT / "figures" / "claims.html"


class Cells(HTMLParser):
    """The texts of a page's tables, row by row."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1] and data.strip():
            self.rows[-1][-1] += data


def rows_of(page):
    """The rows of a page's table as dictionaries."""
    reader = Cells()
    reader.feed(page[page.index("<thead>") : page.index("</tbody>")])
    heads, *rows = reader.rows
    return [dict(zip(heads, row, strict=True)) for row in rows]


def claims():
    """Every line of the summaries."""
    return [line for path in SUMMARIES for line in csv.DictReader(path.open())]


def test_the_committed_page_has_the_numbers_of_the_summaries():
    rows = rows_of(PAGE.read_text())
    lines = claims()
    assert len(rows) == len(lines) > 150
    for row, line in zip(rows, lines, strict=True):
        numbers = {name: float(line[name]) for name in ("effect", "low", "high", "low_all")}
        low_all, high_all = numbers["low_all"], float(line["high_all"])
        setting = f"{line['compared']}: {line['measure']}"
        assert row["claim and setting"] == line["claim"] + setting + line["remark"]
        assert row["verdict"] == line["verdict"]
        assert row["effect"] == f"{numbers['effect']:.3f}"
        assert row["95% interval"] == f"[{numbers['low']:.3f}, {numbers['high']:.3f}]"
        assert row["decided by"].startswith(f"[{low_all:.3f}, {high_all:.3f}] at 99.")
        assert row["n"] == line["n"]
        assert row["source"] == line["source"]


def test_the_committed_page_is_the_one_that_its_script_writes(tmp_path):
    script("figures", "claims_page").main(figures=tmp_path)
    assert (tmp_path / "claims.html").read_bytes() == PAGE.read_bytes()


def test_without_tables_the_script_says_what_to_run(tmp_path):
    with pytest.raises(SystemExit, match="run the experiments first"):
        script("figures", "claims_page").main(summaries=tmp_path, figures=tmp_path)


def test_something_else_than_claims_is_refused():
    with pytest.raises(ValueError, match=r"this takes what ap\.stats\.claims returned"):
        stats.claims_page([1])


@pytest.mark.slow
def test_in_a_browser_the_page_is_sorted_and_searched(tmp_path):
    lines = claims()
    shown = "return [...document.querySelectorAll('tbody tr')].filter((one) => !one.hidden)"
    with browser.chromium(tmp_path / "profile") as window:
        window.requests()
        window.errors()
        window.open(PAGE)
        assert window.text("output") == f"{len(lines)} of {len(lines)} shown"
        assert len(window.run(f"{shown}.map((one) => 1)")) == len(lines)
        window.run(
            """
            const list = document.querySelector('select[data-column=verdict]');
            list.value = 'contradicted';
            list.dispatchEvent(new Event('input', { bubbles: true }));
            """
        )
        contradicted = [line for line in lines if line["verdict"] == "contradicted"]
        texts = window.run(f"{shown}.map((one) => one.cells[0].textContent)")
        assert len(texts) == len(contradicted)
        for text, line in zip(texts, contradicted, strict=True):
            assert text.startswith(line["claim"])
        window.run("document.querySelector('input').focus()")
        window.press(*"Adam")
        names = ("claim", "remark", "compared", "measure", "source")
        whole = [" ".join(line[name] for name in names).lower() for line in contradicted]
        with_word = [text for text in whole if "adam" in text]
        assert window.text("output") == f"{len(with_word)} of {len(lines)} shown"
        assert 0 < len(with_word) < len(contradicted)
        head = (
            "[...document.querySelectorAll('th button')].find((one) => one.innerText == 'effect')"
        )
        window.run(f"{head}.click()")
        effects = window.run(f"{shown}.map((one) => Number(one.cells[2].textContent))")
        assert effects == sorted(effects)
        assert window.requests() == [PAGE.resolve().as_uri()]
        assert window.errors() == []
