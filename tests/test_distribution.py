"""Promise: nobody is sent to a package of the same name that is not ours."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_nobody_is_told_to_install_another_project():
    folders = ("approx", "experiments", "figures")
    texts = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    texts += [
        ROOT / name for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml", "Makefile")
    ]
    for path in texts:
        text = path.read_text()
        for words in ("approx[", "install approx\n", "install approx "):
            assert words not in text, (
                f"{path} says {words!r}, which is somebody else's package on PyPI"
            )


def test_the_distribution_has_a_name_of_its_own_and_the_import_name_stays():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["name"] == "approx-landscapes"
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["approx"]
