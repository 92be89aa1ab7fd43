"""Promise: the documentation has every public name and panel; its pages run, link and agree."""

import ast
import csv
import importlib
import importlib.util
import re
import types

import matplotlib.pyplot as plt
import pages
import pytest
import yaml

import approx as ap

ROOT = pages.ROOT
DOCS = ROOT / "docs"
EXAMPLES = sorted((DOCS / "examples").rglob("*.py"))
MODULES = sorted(
    name for name in ap.__all__ if isinstance(getattr(ap, name), types.ModuleType)
)  # `study`, `plot` and others
LISTED = re.compile(r"^\.\. (?:autofunction|autoclass|py:data):: ([\w.]+)$", re.MULTILINE)
ELSEWHERE = {"equations", "training"}  # run by the tests of what they are about
WITH_CODE = [
    page for page in sorted(DOCS.glob("*.md")) if pages.blocks(page) and page.stem not in ELSEWHERE
]


def listed(name):
    """The names that the page of a module documents."""
    return LISTED.findall((DOCS / "api" / f"{name}.md").read_text())


@pytest.mark.parametrize("name", [name for name in MODULES if name != "frameworks"])
def test_every_public_name_of_a_module_is_on_its_page(name):
    assert sorted(listed(name)) == sorted(getattr(ap, name).__all__)


def test_every_name_of_the_package_is_on_a_page():
    assert sorted([*listed("approx"), *MODULES]) == sorted(ap.__all__)
    index = (DOCS / "api" / "index.md").read_text().split()
    assert set(MODULES) <= set(index)


def test_every_framework_is_on_the_page():
    names = set(listed("frameworks"))
    for name in ap.frameworks.__all__:
        there = getattr(ap.frameworks, name)
        wanted = (
            f"approx.frameworks.{name}.question" if isinstance(there, types.ModuleType) else name
        )
        assert wanted in names


def test_a_page_names_what_its_module_has():
    for name in MODULES:
        page = (DOCS / "api" / f"{name}.md").read_text()
        modules = set(re.findall(r"^\.\. currentmodule:: ([\w.]+)$", page, re.MULTILINE))
        assert modules == {getattr(ap, name).__name__}
        tables = re.findall(r":nosignatures:\n\n((?:   \S+\n)+)", page)
        in_tables = " ".join(tables).split()
        if name == "frameworks":
            in_tables = [f"approx.frameworks.{row}" if "." in row else row for row in in_tables]
        constants = re.findall(r"^\.\. py:data:: (\w+)$", page, re.MULTILINE)
        assert sorted([*in_tables, *constants]) == sorted(listed(name))


def test_every_panel_has_an_example():
    page = (DOCS / "api" / "plot.md").read_text()
    panels = LISTED.findall(page.partition("## Parts of panels")[0])
    panels.remove("claims_legend")  # the example of `claims` shows it
    panels.remove("explore")  # docs/explorer.md shows it
    assert sorted(path.stem for path in EXAMPLES) == sorted(panels)
    for path in EXAMPLES:
        assert f"ap.plot.{path.stem}(" in path.read_text()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_calls_of_an_example_fit(path):
    assert pages.check([path.read_text()]) >= 1


def test_every_page_is_in_a_table_of_contents():
    found = set()
    for page in [*DOCS.glob("*.md"), *DOCS.glob("api/*.md")]:
        for block in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(), re.DOTALL):
            names = [line for line in block.split("\n") if line and not line.startswith(":")]
            found |= {(page.parent / name).relative_to(DOCS).as_posix() for name in names}
    there = {
        page.relative_to(DOCS).with_suffix("").as_posix()
        for page in [*DOCS.glob("*.md"), *DOCS.glob("api/*.md")]
    }
    assert found - {"gallery/index"} == there - {"index"}


def per_cent(row, *names):
    """Numbers of a row of results, in whole per cent."""
    return [f"{100 * float(row[name]):.0f}" for name in names]


def test_the_page_of_x_squared_has_the_numbers_of_the_results():
    with (ROOT / "experiments" / "summaries" / "square_rows.csv").open() as file:
        results = {(row["measure"], row["label"]): row for row in csv.DictReader(file)}
    page = (DOCS / "x_squared.md").read_text()
    pattern = r"^\|.*\| `(.+)` \| (\d+) \| (\d+)% \[(\d+), (\d+)\] \| (\d+)% \|$"
    rows = re.findall(pattern, page, re.MULTILINE)
    assert len(rows) >= 17
    for label, n, *inside, outside in rows:
        learned, held = results["learned", label], results["held", label]
        assert learned["n"] == n
        assert per_cent(learned, "rate", "low", "high") == inside
        assert per_cent(held, "rate") == [outside]


def test_the_decision_chart_has_the_numbers_of_the_results():
    place = DOCS / "decision_chart.py"
    spec = importlib.util.spec_from_file_location("decision_chart", place)
    chart = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(chart)
    drawn = (DOCS / "decision_chart.svg").read_text()
    for step in chart.steps():
        for line in [*step.question.split("\n"), *step.remedy.split("\n")]:
            assert f">{line}</text>" in drawn, f"draw the chart anew, it lacks {line!r}"


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(cited)
    assert cited["cff-version"] == "1.2.0"
    assert cited["version"] == ap.__version__
    assert cited["license"] == "MIT"


# The pages that compile longer than they train; unoptimised they take half the time
COMPILED_FOR_LONG = (
    "catalogue",
    "failures",
    "networks",
    "own_functions",
    "references",
    "second_order",
    "studies",
    "sweeps",
)
AFTER = {  # what a page must have done
    "data": lambda names, folder: names["runs"].sizes["point"] == 101**2,
    "own_functions": lambda names, folder: (folder / "results" / "hat.nc").exists(),
    "references": lambda names, folder: "polynomial_cv" in names["found"].reference,
    "studies": lambda names, folder: len(names["study"].answer().claims) == 3,
}


def absent(block):
    """Frameworks that a block imports and that are not installed."""
    nodes = [node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Import)]
    names = {alias.name for node in nodes for alias in node.names} & pages.OPTIONAL
    return {name for name in names if importlib.util.find_spec(name) is None}


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
def test_a_page_runs(page, request, tmp_path, monkeypatch):
    if page.stem in COMPILED_FOR_LONG:
        request.getfixturevalue("soon")
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": page.stem}
    for block in pages.blocks(page):
        if not absent(block):
            exec(block, names)
    plt.close("all")
    if page.stem in AFTER:
        assert AFTER[page.stem](names, tmp_path)
