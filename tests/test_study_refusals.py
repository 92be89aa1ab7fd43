"""Promise: a study that cannot be is refused when it is declared, with what was wrong and what
would be right.
"""

import time

import jax
import numpy as np
import pytest

import approx as ap
from approx.study.errors import naming_row
from approx.study.rows import slug

TASK, RECIPE = ap.tasks.square(size=9), ap.Recipe(model=ap.MLP((2,), "tanh"), steps=20)
CHANGE = {"a": {"steps": 5}}
BEST = ap.study.best_of("baseline", 3)
OTHER = ap.study.best_of("baseline", 4)
NUMBER = ap.study.Reported("a number", "baseline", 0.1)

LABELS = [
    ({"changes": {"": {"steps": 5}}}, ValueError, "one line of text"),
    ({"changes": {"a\nb": {"steps": 5}}}, ValueError, "one line of text"),
    ({"changes": {"A": {"steps": 5}, "a": {"steps": 6}}}, ValueError, "differ too little"),
    ({"changes": {"baseline": {"steps": 5}}}, ValueError, "two rows are called 'baseline'"),
    ({"changes": {1: {"steps": 5}, "1": {"steps": 6}}}, ValueError, "two rows are called '1'"),
    ({"changes": CHANGE, "views": {"a": BEST}}, ValueError, "a row and a view"),
    ({"claims": [ap.never("tnah")]}, ValueError, "'tnah'; there are only: 'baseline'"),
    ({"claims": [ap.never(measure="x")]}, ValueError, "the measure 'x'.*only: 'success'"),
    ({"judged": ["b"]}, ValueError, "judged names the row 'b'"),
    ({"judged": ["baseline"]}, ValueError, "which the other rows are compared with"),
    ({"judged": "baseline"}, TypeError, "give a list"),
    ({"options": {"b": {}}}, ValueError, "options names the row 'b'"),
]
CHANGES = [
    ({"changes": [("a", {})]}, TypeError, "changes is .* give a dictionary"),
    ({"changes": {"a": None}}, TypeError, "the change 'a': a change is None"),
    ({"changes": {"a": {"stps": 5}}}, TypeError, "the change 'a'.*did you mean 'steps'"),
    ({"changes": {"a": {"steps": 20}}}, ValueError, "leaves the baseline as it is"),
    ({"changes": {"a": {"tune": [1, 2]}}}, TypeError, "'a': tune is"),
    ({"changes": {"a": {"tune": {"learning_rate": [1]}}}}, ValueError, "two or more numbers"),
    ({"changes": {"a": {"tune": {"learning_rate": ["x", "y"]}}}}, ValueError, "two or more"),
    ({"tune": {"learning_rate": 0.1}}, ValueError, "two or more numbers"),
]
FACTORS = [
    ({"factors": {"steps": [5]}}, ValueError, "two levels at least"),
    ({"factors": {"steps": 5}}, TypeError, "a list of values"),
    ({"factors": {"steps": "5"}}, TypeError, "a list of values"),
    ({"factors": {"steps": [5, 5]}}, ValueError, "two levels of one name"),
    ({"factors": {"f": {1: {}, "1": {"steps": 5}, "2": {}}}}, ValueError, "levels of one name"),
    ({"factors": {"stps": [5, 6]}}, TypeError, "the combination '5'.*did you mean 'steps'"),
    (
        {"factors": {"f": {"1": {"steps": 5}, "2": {}}, "g": {"1": {"steps": 6}, "2": {}}}},
        ValueError,
        "the combination '1, 1': two factors change 'steps': to 5 and to 6",
    ),
    (
        {"factors": {"f": {"1": {}, "2": RECIPE}, "g": {"1": {}, "2": (TASK, RECIPE)}}},
        ValueError,
        "two factors replace the whole recipe",
    ),
    ({"factors": {"steps": [5, 6]}, "skip": lambda cell: True}, ValueError, "all combinations"),
    ({"skip": lambda cell: False}, ValueError, "there are no factors"),
    ({"skip": True, "factors": {"steps": [5, 6]}}, TypeError, "skip is True"),
]
COMPARISONS = [
    ({"views": {"v": 3}}, TypeError, "the view 'v' is 3"),
    ({"views": BEST}, TypeError, "views is .* give a dictionary"),
    ({"views": {"v": BEST, "w": ap.study.best_of("v", 2)}}, ValueError, "a view looks at a row"),
    ({"views": {"v": ap.study.until("baseline", 50)}}, ValueError, "from step 0 to 20"),
    ({"views": {"v": ap.study.until("b", 5)}}, ValueError, "'b'; there are only: 'baseline'"),
    ({"claims": ap.never()}, TypeError, "claims is a single Claim"),
    ({"claims": ["x"]}, TypeError, "claims has 'x'"),
    ({"claims": [ap.helps("baseline")]}, ValueError, "compares 'baseline' with itself"),
    ({"claims": [ap.never(), ap.never()]}, ValueError, "two claims have the text"),
    (
        {"views": {"v": BEST, "w": OTHER}, "claims": [ap.helps("v", against="w")]},
        ValueError,
        "the best of 3 with the best of 4",
    ),
    (
        {"changes": CHANGE, "views": {"v": BEST}, "against": {"a": "v"}},
        ValueError,
        "'v', which brings its own comparison",
    ),
    ({"reported": NUMBER}, TypeError, "reported is a single Reported"),
    ({"reported": [NUMBER, NUMBER]}, ValueError, "two reported numbers"),
    ({"reported": [NUMBER._replace(step=30)]}, ValueError, "step 30, which is no record"),
]
NUMBERS = [
    ({"matters": "0.1"}, ValueError, "matters is '0.1'"),
    ({"matters": 0}, ValueError, "matters is 0"),
    ({"level": 95}, ValueError, "level is 95"),
    ({"when": "lst"}, ValueError, "last, first, sustained"),
    ({"when": "each"}, ValueError, "last, first, sustained"),
    ({"plateaus": 3}, TypeError, "plateaus is 3"),
    ({"fits": np.inf}, ValueError, "fits is inf"),
]
OPTIONS = [
    ({"cross": {"init": 3}}, ValueError, "does not take 'cross'"),
    ({"out": "x"}, ValueError, "does not take 'out'"),
    ({"until": len}, ValueError, "does not take 'until'"),
    ({"learning_rate": [1.0, 2.0]}, TypeError, "belongs into changes="),
    ({"lnaes": 3}, TypeError, "'lnaes' is no option"),
    ({"key": 3}, ValueError, "another key than the baseline"),
    ({"seeds": 0}, ValueError, "seeds is 0"),
]
SUCCESS = [
    ({"below": "0.1"}, "a finite number"),
    ({"below": np.nan}, "a finite number"),
    ({"below": 0.1, "above": 0.2}, "give one of below= and above="),
    ({"below": 0.1, "success": len}, "not both"),
    ({"success": {}}, "empty dictionary"),
    ({"above": 0.9}, "needs of="),
    ({"of": "mine"}, "say what counts as success"),
]


@pytest.mark.parametrize(
    ("given", "error", "words"), [*LABELS, *CHANGES, *FACTORS, *COMPARISONS, *NUMBERS]
)
def test_what_cannot_be_is_refused(given, error, words):
    with pytest.raises(error, match=words):
        ap.Study(TASK, RECIPE, below=1.0, **given)


@pytest.mark.parametrize(("options", "error", "words"), OPTIONS)
def test_options_that_a_row_cannot_have_are_refused(options, error, words):
    with pytest.raises(error, match=f"'a'.*{words}"):
        ap.Study(TASK, RECIPE, below=1.0, changes=CHANGE, options={"a": options})


@pytest.mark.parametrize(("given", "words"), SUCCESS)
def test_a_rule_of_success_that_is_none_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        ap.Study(TASK, RECIPE, **given)


def test_the_loss_of_a_classification_has_no_default():
    """It was judged by the default of accuracies: a test loss of at least 0.95."""
    task = ap.tasks.interval()
    assert ap.Study(task, RECIPE).measures["success"].says == "test accuracy at least 0.95"
    with pytest.raises(ValueError, match="say what counts as success"):
        ap.Study(task, RECIPE, of="test_loss")


def test_what_is_no_task_or_recipe_is_refused():
    with pytest.raises(TypeError, match="the task is 3"):
        ap.Study(3, RECIPE)
    with pytest.raises(TypeError, match="the recipe is"):
        ap.Study(TASK, {"a": RECIPE})


@pytest.mark.parametrize(
    ("view", "words"), [(ap.study.best_of, "at least two tries"), (ap.study.until, "of steps")]
)
@pytest.mark.parametrize("value", [0, 2.5, True, "3"])
def test_a_view_of_no_whole_number_is_refused(view, words, value):
    with pytest.raises(ValueError, match=words):
        view("baseline", value)


def test_a_huge_factorial_is_refused_at_once():
    factors = {f"f{n}": {str(level): {} for level in range(10)} for n in range(5)}
    begin = time.monotonic()
    with pytest.raises(ValueError, match="there are 100,000, and 5,000 can be made"):
        ap.Study(TASK, RECIPE, below=1.0, factors=factors)
    assert time.monotonic() - begin < 5

    def is_left_out(cell):
        return set(cell.values()) != {"0", "1"}

    few = ap.Study(TASK, RECIPE, below=1.0, factors=factors, skip=is_left_out)
    assert len(few.rows) == 1 + 2**5 - 2


def test_levels_by_value_are_called_as_they_are_written():
    factors = {"batch_size": [None, 4], "activation": ["tanh", jax.nn.relu], "l2": [1e-3, 0.0]}
    labels = list(ap.Study(TASK, RECIPE, below=1.0, factors=factors).rows)
    assert labels[1:3] == ["None, tanh, 0.001", "None, tanh, 0"]
    assert labels[-1] == "4, relu, 0"


def test_every_label_has_a_file_of_its_own():
    labels = [
        "a b",
        "a_b",
        "a/b",
        "a, b",
        "a,b",
        ".",
        "..",
        "-",
        "",
        "学习",
        "学",
        "x" * 99,
        "x" * 98,
    ]
    names = [slug(label) for label in labels if label]
    assert len(set(names)) == len(names)
    assert all(name and name.strip(".") and "/" not in name for name in names)
    assert max(map(len, names)) < 80
    assert slug("SGD lr = 0.1") == "SGD_lr_=_0.1"


def test_an_error_of_any_kind_names_its_row():
    """Those of JAX are type errors that cannot be made from a text."""

    def traced(x):
        return bool(x)

    with pytest.raises(TypeError, match=r"^the row 'a': .*boolean"), naming_row("the row 'a'"):
        jax.jit(traced)(1.0)
    with pytest.raises(ValueError, match=r"^the row 'a': .*codec"), naming_row("the row 'a'"):
        b"\xff".decode()
