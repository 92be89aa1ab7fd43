"""Promise: the README's code runs, as written, in order."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(BLOCKS) >= 6
    names: dict = {"__name__": "readme"}
    for block in BLOCKS:
        exec(block, names)
    plt.close("all")
    assert (tmp_path / "results" / "hat.nc").exists()
    assert names["runs"].sizes["seed"] == 10


def test_the_page_of_the_system_says_what_may_import_what():
    from test_floor_plan import ALLOWED, GROUND

    page = (ROOT / "README.md").read_text()
    first = re.search(r"^    (numerics < .*)$", page, re.MULTILINE).group(1)
    *ground, doors = first.split(" < ")
    assert tuple(ground) == GROUND
    assert set(doors.split(", ")) == {
        name for name, below in ALLOWED.items() if set(GROUND) <= set(below)
    }
    upon_stats = re.search(r"^    stats < (.*)$", page, re.MULTILINE).group(1).split(", ")
    assert set(upon_stats) == {name for name, below in ALLOWED.items() if "stats" in below}
