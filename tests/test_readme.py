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


def test_the_floors_are_those_of_the_test():
    from test_floor_plan import FLOORS

    text = re.search(r"(elementary < losses.*?)experiments/", (ROOT / "README.md").read_text(), re.DOTALL)
    assert tuple(text.group(1).replace("<", " ").split()) == FLOORS
