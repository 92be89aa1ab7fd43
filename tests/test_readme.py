"""Promise: the README's code runs, as written, in order; what the pages name and link is there."""

import ast
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import approx as ap

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(BLOCKS) >= 6
    names: dict = {"__name__": "readme"}
    for block in BLOCKS:
        exec(block, names)
    plt.close("all")
    assert (tmp_path / "results" / "hat.nc").exists()
    assert names["runs"].sizes["seed"] == 10


def test_the_page_of_studies_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "studies"}
    for block in re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "studies.md").read_text(), re.DOTALL
    ):
        exec(block, names)
    printed = capsys.readouterr().out
    assert "of 64 seeds succeed as it stands" in printed
    assert len(names["study"].answer().claims) == 3


def test_the_page_of_the_system_says_what_may_import_what():
    from test_floor_plan import ALLOWED, GROUND

    first = re.search(r"^    (numerics < .*)$", README, re.MULTILINE).group(1)
    *ground, doors = first.split(" < ")
    assert tuple(ground) == GROUND
    assert set(doors.split(", ")) == {
        name for name, below in ALLOWED.items() if set(GROUND) <= set(below)
    }
    upon_stats = re.search(r"^    stats < (.*)$", README, re.MULTILINE).group(1).split(", ")
    assert set(upon_stats) == {name for name, below in ALLOWED.items() if "stats" in below}


def test_the_page_of_the_system_names_the_functions_from_run_to_the_mathematics():
    chain = re.findall(r"^    (\S+\.py) +(\w+)  ", README, re.MULTILINE)
    assert [name for _, name in chain][:2] == ["run", "run_all"]
    assert chain[-1] == ("training/evaluation.py", "row_sums")
    for path, name in chain:
        tree = ast.parse((ROOT / "approx" / path).read_text())
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in defined, f"{path} has no function {name}"


@pytest.mark.parametrize(
    ("field", "known"),
    [
        ("optimizer", ap.optimizers.KNOWN),
        ("schedule", ap.optimizers.SCHEDULES),
        ("batches", ap.sampling.KINDS),
        ("activation", ap.models.ACTIVATIONS),
        ("initializer", ap.models.INITIALIZERS),
        ("loss", ap.losses.LOSSES),
    ],
)
def test_the_readme_lists_every_name_that_is_accepted(field, known):
    listed = re.search(rf"^    {field} +(.*(?:\n {{18}}.*)*)$", README, re.MULTILINE).group(1)
    assert sorted(re.split(r",\s+", listed)) == sorted(known)


def test_the_page_of_networks_has_every_name():
    """Those of the tables, and other frameworks' words with what they mean."""
    page = (ROOT / "docs" / "networks.md").read_text()
    modules = ap.models.activations, ap.models.initializers, ap.losses
    catalogues = ap.models.ACTIVATIONS, ap.models.INITIALIZERS, ap.losses.LOSSES
    layers = {each.__name__ for each in ap.models.chain.Layer.__subclasses__()}
    named = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(named) == sorted([*layers, *(name for names in catalogues for name in names)])
    flowing = " ".join(page.split())
    for module, names in zip(modules, catalogues, strict=True):
        for word, meaning in module.OTHER_NAMES.items():
            assert meaning in names
            assert f"`{word}` is `{meaning}`" in flowing


def test_the_help_of_stats_names_every_statistic():
    words = set(re.findall(r"\w+", ap.stats.__doc__))
    assert set(ap.stats.__all__) <= words


PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "findings" / "README.md",
]


def anchors(page):
    """The anchors that GitHub gives to a page's headings."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        there = page.parent / name if name else page
        assert there.exists(), f"{page.name} links {target}"
        assert not anchor or anchor in anchors(there), f"{page.name} links {target}"
