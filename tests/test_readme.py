"""Promise: the README's code runs, as written, in order; what the pages name and link is there.

`test_docs.py` runs the pages of docs/.
"""

import ast
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pages
import pytest

import approx as ap

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SYSTEM = (ROOT / "docs" / "system.md").read_text()
NAMES = (ROOT / "docs" / "names.md").read_text()
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "api").glob("*.md")),
    ROOT / "findings" / "README.md",
]
WITH_CODE = [page for page in PAGES if pages.blocks(page)]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_names_and_calls_of_a_page_are_those_of_the_package(page):
    """Without running it: what is imported and named is there, and each call fits its function."""
    assert pages.check(pages.blocks(page)) >= 1


@pytest.mark.parametrize(
    ("block", "error"),
    [
        ("ap.run(task, recipe", SyntaxError),
        ("from flax import linnen", ImportError),
        ("hits = ap.stats.sucess(runs)", AttributeError),
        ("best = [ap.optimizers.BEST]", AttributeError),
        ("ap.Recipe(stepps=3)", TypeError),
        ("ap.run(ap.tasks.square())", TypeError),
        ("ap.run(task, recipe, seedz=3)", TypeError),
        ("ap.maps.refine(task, recipe, {}, bugdet=3)", TypeError),
        ("partial(ap.stats.compare, hits, 'a', 'b', 'c', 'd', 'e', 'f', 'g')", TypeError),
        ("study = ap.Study(task, recipe)\nstudy.run(seeds=3).reprot()", AttributeError),
        ("study = ap.Study(task, recipe)\nstudy.run(seedz=3)", TypeError),
    ],
)
def test_a_page_that_could_not_run_is_noticed(block, error):
    with pytest.raises(error):
        pages.check([block])


def test_the_first_lines_of_the_readme_run(tmp_path, monkeypatch, capsys):
    """What a user types first."""
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "readme"}
    exec(pages.blocks(ROOT / "README.md")[0], names)
    loss = names["runs"].test_loss
    assert loss.sizes["seed"] == 256
    assert (loss.isel(step=-1) < loss.isel(step=0)).all()
    printed = capsys.readouterr().out.strip()
    shown = re.search(r"It prints\n\n    (.*)\n", README).group(1)
    digits = re.compile(r"0\.\d\d")
    assert digits.sub("", printed) == digits.sub("", shown)
    # Another processor rounds otherwise, which changes the fate of few of the 256 seeds
    for ours, theirs in zip(digits.findall(printed), digits.findall(shown), strict=True):
        assert abs(float(ours) - float(theirs)) <= 0.04


@pytest.mark.slow
def test_the_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = pages.blocks(ROOT / "README.md")
    assert len(blocks) == 2
    names: dict = {"__name__": "readme"}
    for block in blocks:
        exec(block, names)
    plt.close("all")
    assert "of 64 seeds succeed as it stands" in capsys.readouterr().out


def test_the_readme_is_a_page():
    assert len(README.split()) <= 750


def test_the_page_of_the_system_says_what_may_import_what():
    from test_floor_plan import ALLOWED, GROUND

    first = re.search(r"^    (late_imports < .*)$", SYSTEM, re.MULTILINE).group(1)
    *ground, doors = first.split(" < ")
    assert tuple(ground) == GROUND
    assert set(doors.split(", ")) == {
        name for name, below in ALLOWED.items() if set(GROUND) <= set(below)
    }
    upon_stats = re.search(r"^    stats < (.*)$", SYSTEM, re.MULTILINE).group(1).split(", ")
    assert set(upon_stats) == {name for name, below in ALLOWED.items() if "stats" in below}


def test_the_page_of_the_system_names_the_functions_from_run_to_the_mathematics():
    chain = re.findall(r"^    (\S+\.py) +(\w+)  ", SYSTEM, re.MULTILINE)
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
def test_the_page_of_names_lists_every_name_that_is_accepted(field, known):
    listed = re.search(rf"^    {field} +(.*(?:\n {{18}}.*)*)$", NAMES, re.MULTILINE).group(1)
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
        if name.endswith("gallery/index"):  # made of these by the build
            there = ROOT / "docs" / "examples" / "README.rst"
        assert there.exists(), f"{page.name} links {target}"
        assert not anchor or anchor in anchors(there), f"{page.name} links {target}"
