"""Promise: a question from the command line gets its answer, or an error says what is wrong."""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import approx as ap
from approx import commands
from approx.asking import answering, columns, scripts, tables
from approx.asking.networks import network
from approx.asking.options import Data, Effort, Success

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (40, 2))
POINTS = pd.DataFrame(
    {
        "left": X[:, 0],
        "right": X[:, 1],
        "y": X[:, 0] * X[:, 1],
        "kind": np.where(X[:, 0] > X[:, 1], "above", "below"),
        "side": (X[:, 0] > 0).astype(int),
    }
)
FEW = ["--seeds", "4", "--only", "baseline", "rate x 10"]


@pytest.fixture
def points(tmp_path, monkeypatch):
    """A table of data in the folder that one is in."""
    monkeypatch.chdir(tmp_path)
    POINTS.to_csv("points.csv", index=False)
    return Path("points.csv")


def written(text, name="question.py"):
    """A file of that text."""
    path = Path(name)
    path.write_text(text)
    return path


def approx(monkeypatch, *arguments):
    """What `approx` does with arguments: its exit status, or the message that it ends with."""
    monkeypatch.setattr(sys, "argv", ["approx", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        commands.main()
    return ended.value.code


# ---- the whole way -------------------------------------------------------------------------------


@pytest.mark.usefixtures("soon")
def test_a_question_about_a_table_gets_its_answer(points, monkeypatch, capsys):
    about = ["--data", points, "--target", "y", "--inputs", "left", "right", "--steps", 20]
    assert approx(monkeypatch, "ask", *about, "--below", "0.5", *FEW) == 0
    said = capsys.readouterr().out
    assert "40 rows; y is learned from left, right." in said
    assert "20% of the rows are kept for validation, drawn anew for each seed." in said
    assert "of 4 seeds succeed as it stands (success: validation loss at most 0.5)" in said
    assert re.search(r"Undecided with so few seeds: rate x 10 \(\d+%\)\.", said)
    names = {path.name for path in Path("answer").iterdir()}
    assert {"report.md", "report.html", "figure.png", "rows.csv", "study.json", "runs"} <= names
    answer = ap.study.Study.load("answer")
    assert set(answer.rows.label) == {"baseline", "rate x 10"}
    assert answer.facts["title"] == "y of points.csv"
    assert answer.facts["verdicts"] == 1  # only rows that were trained get a verdict
    assert answer.runs("baseline").sizes["seed"] == 4
    assert "<table>" in Path("answer/report.html").read_text()


@pytest.mark.usefixtures("soon")
def test_a_question_in_a_file_gets_its_answer(points, monkeypatch, capsys):
    question = written(
        "import approx as ap\n"
        "task, recipe = ap.tasks.square(), ap.Recipe(model=ap.MLP(()), steps=10)\n"
        "study = ap.Study(task, recipe, below=1e9, changes={'fast': {'learning_rate': 0.1}})\n"
        "if __name__ == '__main__':\n"
        "    raise RuntimeError('a question is not run as a program')\n"
    )
    assert approx(monkeypatch, "ask", question, "--seeds", 4, "--out", "there") == 0
    said = capsys.readouterr().out
    assert said.lstrip().startswith("100%")
    assert "there/report.md" in said
    assert ap.study.Study.load("there").facts["title"] == "question"
    message = approx(monkeypatch, "ask", question, "--below", 1)
    assert "says itself what counts as success" in message


@pytest.mark.slow
def test_a_task_and_a_recipe_are_asked_about_the_usual_remedies(points, monkeypatch):
    question = written(
        "import approx as ap\n"
        "task, recipe = ap.tasks.square(), ap.Recipe(steps=5)\n"
        "below, of = 1e9, 'loss'\n"
    )
    study, notes = answering.understood(question, Success(), Data(), 256)
    assert {"relu", "best of 5 seeds"} <= {*study.rows, *study.views}
    assert (study.below, study.of, study.title, notes) == (1e9, "loss", "question", [])
    study, _ = answering.understood(question, Success(below=2.0), Data(), 4)
    assert (study.below, study.of) == (2.0, "loss")
    assert not study.views  # of four seeds there is no best of five
    message = approx(monkeypatch, "ask", question, "--only", "rellu")
    assert "'rellu'" in message
    assert "'relu'" in message
    message = approx(monkeypatch, "ask", question, "--above", "0.9", "--of", "test_accuracy")
    assert "there is no accuracy" in message


def test_doubts_are_said(points):
    question = written(
        "import approx as ap\ntask, recipe = ap.given([1, 1], [0, 1]), ap.Recipe(steps=5)\n"
    )
    _, notes = answering.understood(question, Success(below=1.0), Data(), 256)
    assert len(notes) == 1
    assert re.match(r"Doubtful: 2 training rows share .* below 0\.25\.$", notes[0])


def test_a_quick_look_has_a_few_rows():
    study = ap.remedies(ap.tasks.square(), ap.Recipe(steps=5))
    rows = answering.chosen_rows(study, Effort(quick=True))
    assert rows[0] == "baseline"
    assert 3 <= len(rows) <= 1 + len(answering.QUICK_ROWS) < len(study.rows)
    changes = {f"{n} steps": {"steps": n} for n in range(1, 9)}
    own = ap.Study(ap.tasks.square(), ap.Recipe(), changes=changes)
    assert len(answering.chosen_rows(own, Effort(quick=True))) == 6
    assert answering.chosen_rows(own, Effort()) is None


def test_an_interrupt_gives_the_answer_of_what_is_trained(points, monkeypatch, capsys):
    question = written(
        "import approx as ap\ntask, recipe = ap.tasks.square(), ap.Recipe(steps=5)\n"
    )

    def interrupted(study, *args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(ap.Study, "run", interrupted)
    assert "stopped before any row was trained" in approx(monkeypatch, "ask", question)


# ---- a table -------------------------------------------------------------------------------------


def of(**options):
    return tables.asked(Data(data=Path("points.csv"), target="y", **options))


def test_a_table_becomes_a_task_and_a_recipe(points):
    asked = tables.asked(
        Data(
            data=points,
            target="y",
            inputs=("right",),
            model="MLP(8, 4, relu, initializer=keras)",
            optimizer="sgd",
            rate=0.1,
            epochs=10,
            batch_size=8,
            validation=0.25,
            hold_out="last",
        )
    )
    np.testing.assert_array_equal(asked.task.x[:, 0], POINTS.right)
    np.testing.assert_array_equal(asked.task.y[:, 0], POINTS.y)
    assert (asked.task.validation, asked.task.hold_out) == (0.25, "last")
    assert asked.recipe.model == ap.MLP((8, 4), "relu", initializer="keras")
    assert (asked.recipe.optimizer, asked.recipe.learning_rate) == ("sgd", 0.1)
    assert asked.recipe.steps == 40  # 30 rows are 4 batches
    plain = of(inputs=("left",))
    assert (plain.task.validation, plain.task.hold_out) == (0.2, "random")
    assert plain.recipe == ap.Recipe(model=ap.MLP((16,), "tanh"))


def test_words_in_a_target_are_classes(points):
    inputs = ("left", "right")
    asked = tables.asked(Data(data=points, target="kind", inputs=inputs))
    task = asked.task
    assert (task.loss, task.classes, asked.recipe.model.outputs) == ("cross_entropy", 2, 2)
    assert (len(task.x), len(task.x_test)) == (32, 8)
    both = np.concatenate([task.x, task.x_test])
    labels = np.concatenate([task.y, task.y_test])
    np.testing.assert_array_equal(labels, (both[:, 0] <= both[:, 1]).astype(int))
    assert "The target has 2 classes (above, below), learned by cross-entropy." in asked.notes
    last = tables.asked(Data(data=points, target="kind", inputs=inputs, hold_out="last"))
    np.testing.assert_array_equal(last.task.x_test, X[-8:])
    whole = tables.asked(Data(data=points, target="kind", inputs=inputs, validation=0.0))
    assert not whole.task.tested


def test_numbers_are_classes_only_if_that_is_said(points):
    inputs = ("left", "right")
    asked = tables.asked(Data(data=points, target="side", inputs=inputs))
    assert asked.task.loss == "mse"
    assert "--labels learns classes" in asked.notes[-1]
    asked = tables.asked(Data(data=points, target="side", inputs=inputs, labels=True))
    assert asked.task.loss == "cross_entropy"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"inputs": ("lft",)},
            r"no column 'lft' for the inputs; did you mean 'left'\?.*columns: left",
        ),
        ({"inputs": ("y", "left")}, "is the target and an input"),
        ({"inputs": ("left", "left")}, "an input is named twice"),
        ({}, r"the input 'kind' holds text: '(above|below)' in row 1, .* --inputs"),
        ({"inputs": ("left",), "steps": 3, "epochs": 3}, "give one of them"),
        ({"inputs": ("left",), "model": "MLP(16, rellu)"}, "'rellu'.*did you mean 'relu'"),
        ({"inputs": ("left",), "optimizer": "adm"}, "'adm'.*did you mean 'adam'"),
        ({"inputs": ("left",), "validation": 1.5}, "a share of the rows"),
    ],
)
def test_wrong_options_are_named(points, options, said):
    with pytest.raises(ValueError, match=said):
        of(**options)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("x,y\n", "columns x, y, and no row"),
        ("x,y\n1,2\n3,\n,4\n5,\n", r"the input 'x' has no value in row 3 "),
        ("x,y\n1,2\n3,\n4,\n", r"the target 'y' has no value in rows 2, 3 "),
        ("x,y\n1,2\ninf,3\n", r"the input 'x' is infinite in row 2"),
        ("x,y\n1,2\n2,3\n3,four\n", r"the target 'y' holds text: 'four' in row 3"),
        ("x,y\n1,a\n2,a\n3,a\n4,a\n", r"is 'a' in all rows"),
        ("x,y\n1,a\n2,b\n3,c\n", r"has 3 different values in 3 rows"),
        ("0.5,0.25\n1,2\n", r"seems to hold numbers: put the names"),
        ("y\n1\n2\n", r"no column besides the target"),
        ("x,y\n1,2,3\n1,2,3,4\n", r"cannot be read as a table"),
    ],
)
def test_wrong_tables_are_named(points, text, said):
    points.write_text(text)
    with pytest.raises(ValueError, match=said):
        of()


def test_files_are_found_by_name_and_read_by_their_separator(points):
    with pytest.raises(FileNotFoundError, match=r"no file point\.csv; did you mean points\.csv\?"):
        columns.read(Path("point.csv"))
    for separator in (";", "\t"):
        POINTS.to_csv(points, index=False, sep=separator)
        pd.testing.assert_frame_equal(columns.read(points), POINTS)


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("MLP(16, relu)", ap.MLP((16,), "relu")),
        (" MLP( 8,4 ) ", ap.MLP((8, 4))),
        ("MLP()", ap.MLP(())),
        ("MLP(3, activation=sin, initializer = he)", ap.MLP((3,), "sin", initializer="he")),
    ],
)
def test_a_network_is_read_from_words(text, model):
    assert network(text, 1) == model


@pytest.mark.parametrize(
    "text",
    [
        "16",
        "MLP(relu, 16)",
        "MLP(16, relu, tanh)",
        "MLP(-3)",
        "MLP(16, dropout=0.1)",
        "MLP(f(2))",
        "MLP(16) + 1",
        "__import__('os')",
        "MLP(0)",
    ],
)
def test_other_words_are_no_network(text):
    with pytest.raises(ValueError, match=r"MLP\(16, relu\)|at least 1"):
        network(text, 1)


# ---- a Python file -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 3\n", r"defines neither `study` nor `task` and `recipe`"),
        ("task = 3\n", r"defines no `recipe`"),
        ("y = 1\nz = 1 / 0\n", r"question\.py, line 2: z = 1 / 0\n  ZeroDivisionError"),
        ("y = (\n", r"question\.py, line 1: .*\n  SyntaxError"),
        ("import nothing_of_that_name\n", r"line 1: .*\n  ModuleNotFoundError"),
        ("def f():\n    return int('a')\nf()\n", r"line 2: return int\('a'\)\n  ValueError"),
        (
            "import approx as ap\nap.given([1], [1, 2])\n",
            r"line 2: .*\n  ValueError: x and y differ",
        ),
        ("study = 3\n", r"is a int, not an ap.Study"),
        ("task, recipe = 3, 4\n", r"task"),
    ],
)
def test_what_is_wrong_in_a_file_is_shown_with_its_line(points, monkeypatch, text, said):
    message = approx(monkeypatch, "ask", written(text))
    assert re.search(said, message), message


def test_a_file_can_import_its_neighbours(points):
    written("value = 3\n", "neighbour_of_a_question.py")
    names = scripts.run(written("import neighbour_of_a_question as n\nx = n.value\n"))
    assert names["x"] == 3


def test_a_question_is_one(points, monkeypatch):
    assert "ask what?" in approx(monkeypatch, "ask")
    assert "not both" in approx(monkeypatch, "ask", "q.py", "--data", points)
    assert "no file q.py" in approx(monkeypatch, "ask", "q.py")
    assert "no Python file" in approx(monkeypatch, "ask", points)
    assert "--target" in approx(monkeypatch, "ask", "--data", points)
