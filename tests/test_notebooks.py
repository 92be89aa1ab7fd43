"""Promise: in a notebook, tasks, recipes, studies and answers show short tables, with every text
escaped.
"""

from html.parser import HTMLParser

import numpy as np
import pytest

import approx as ap
from approx.study.notebooks import MOST_ROWS, table

ODD = "<b>&\"'"


class Checked(HTMLParser):
    """Reads a piece of HTML, and refuses elements that are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.cells = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


def cells_of(thing):
    """The texts in the table of what a notebook shows."""
    reader = Checked()
    reader.feed(thing._repr_html_())
    assert reader.open == []
    return reader.cells


def test_a_recipe_shows_what_its_repr_says():
    cells = cells_of(ap.Recipe(steps=5, records=tuple(range(6)), l2=0.1))
    said = dict(zip(cells[::2], cells[1::2], strict=True))
    assert said["steps"] == "5"
    assert said["optimizer"] == "'adam'"
    assert said["l2"] == "0.1"
    assert set(said) >= {"model", "learning_rate"}
    assert "freeze" not in said
    assert "epochs" in cells_of(ap.Recipe(epochs=3, batch_size=4))


def test_a_task_shows_arrays_by_their_shapes():
    task = ap.task(np.square, x=np.linspace(0, 1, 1000))
    text = task._repr_html_()
    assert len(text) < 2000
    assert "&lt;float64 array of shape (1000, 1)&gt;" in text
    assert "x" in cells_of(task)
    assert cells_of(ap.tasks.square(range=2.0))


@pytest.fixture(scope="module")
def study():
    changes = {ODD: {"activation": "relu"}, "longer": {"steps": 16}}
    recipe = ap.Recipe(model=ap.MLP((2,), "tanh"), steps=8, records=(0, 4, 8))
    task = ap.tasks.square(range=1.0, size=9)
    return ap.Study(task, recipe, below=0.3, changes=changes, title=ODD)


def test_a_study_shows_first_what_it_changes(study):
    assert cells_of(study)[2:] == ["baseline", "", ODD, "activation = relu", "longer", "steps = 16"]
    assert "Nothing is trained yet" in study._repr_html_()


def test_a_table_is_short_and_says_what_it_leaves_out():
    text = table(["row"], [[str(number)] for number in range(MOST_ROWS + 3)])
    assert "and 3 more" in text
    assert text.count("<td") == MOST_ROWS + 1
    assert "more" not in table(["row"], [["one"]])
