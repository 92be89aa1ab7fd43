"""Promise: a place or a name that a result cannot have is refused by name, before anything is
computed or made.
"""

import os
import stat

import numpy as np
import pytest
from conftest import QUICK
from test_damage import result, sweep

import approx as ap
from approx.disk import files, folders, writer
from approx.sweep import options

TASK, RECIPE = ap.tasks.square(), ap.Recipe(model=ap.MLP(()), steps=2)


TAKEN = (
    "training_numbers",
    "training_streams",
    "training_params",
    "init_seed",
    "noise_seed",
    "training",
    "number",
)
TAKEN += ("stream", "step", "point", "x_test", "loss", "evaluations", "params_of_mine")


@pytest.mark.parametrize("name", [*TAKEN, "", " a", "a/b", "a\nb", ".", 1])
def test_names_that_a_metric_cannot_have(name):
    with pytest.raises(
        ValueError, match=r"metric .* (under a name of its own|that a file cannot hold)"
    ):
        options.check_keep((), (), {name: lambda params, predict: 0.0})


def test_a_metric_that_has_the_name_of_anothers_dimension_or_of_a_swept_number():
    def keeping(*names):
        return options.check_keep((), (), dict.fromkeys(names, abs))

    with pytest.raises(ValueError, match="'a_0' would be a dimension of the metric 'a'"):
        options.check_names({}, keeping("a", "a_0"))
    with pytest.raises(ValueError, match="'a_1' would be a dimension of the metric 'a'"):
        options.check_names({"a_1": [1.0]}, keeping("a"))
    with pytest.raises(ValueError, match="metric 'noise' has the name of a swept number"):
        options.check_names({"noise": [1.0]}, keeping("noise"))
    with pytest.raises(
        ValueError, match=r"the swept number 'step' has a name .*: sweep it as \"task.step\""
    ):
        options.check_names({"step": [1.0]}, keeping())
    options.check_names({"task.step": [1.0], "a_b": [1.0]}, keeping("a", "a_b_0"))


@pytest.mark.parametrize("place", ["file", "file/inside", "file/a/b", "none/a", "x" * 300])
def test_places_that_a_folder_or_a_file_cannot_have(tmp_path, count_compiles, place):
    (tmp_path / "file").write_text("mine")
    words = r"is not a folder|there is no folder|cannot be made|too long"
    ap.tasks.square().points()  # what the data takes is compiled already
    for labels in (RECIPE, {"a": RECIPE}):
        with count_compiles() as compiles, pytest.raises(OSError, match=words):
            ap.run(TASK, labels, seeds=1, progress=False, out=tmp_path / place)
        assert not compiles
    with pytest.raises(OSError, match=words):
        ap.save(result(), tmp_path / place / "name")
    assert os.listdir(tmp_path) == ["file"]


def test_what_is_saved_needs_the_name_of_a_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder /nonexistent: make it first"):
        ap.save(result(), "/nonexistent/name")
    (tmp_path / "folder.nc").mkdir()
    for place in (f"{tmp_path}/name/", tmp_path, tmp_path / "folder.nc", tmp_path / "folder"):
        with pytest.raises(
            ValueError, match=r"is a folder, and a result is saved as a file: say .*/name.nc"
        ):
            ap.save(result(), place)
    assert ap.save(result(), tmp_path / "one" / "name") == tmp_path / "one" / "name.nc"


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["x" * 300], "at most 255 bytes; it has 300"),
        (["ä" * 130], "at most 255 bytes; it has 260"),
        (["a\nb"], "characters that do not print"),
        (["a/b"], "without slashes"),
        ([".."], "a dot in front"),
        ([""], "can be a name"),
        (["Adam", "adam"], "differs from 'Adam' only"),
        (["sweep.json"], "a file of ours"),
        (["recipes.json"], "a file of ours"),
    ],
)
def test_labels_that_cannot_be_folders(tmp_path, labels, words):
    with pytest.raises(ValueError, match=words):
        writer.find_folders(tmp_path / "x", labels)
    assert not os.listdir(tmp_path)
    found = writer.find_folders(tmp_path / "x", ["a b", "ä", "b1"])
    assert [folder.name for folder in found] == ["a b", "ä", "b1"]


def test_recipes_do_not_go_into_the_folder_of_a_single_one(tmp_path):
    sweep(tmp_path / "x")
    with pytest.raises(ValueError, match="holds the sweep of a single recipe"):
        writer.find_folders(tmp_path / "x", ["a"])


def read_only(folder, monkeypatch):
    """As if nobody might write there: permissions do not stop a superuser who runs tests."""
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    monkeypatch.setattr(files, "replacing", None)


def test_a_finished_folder_that_is_read_only_loads(tmp_path, monkeypatch, capsys):
    options = {"seeds": 2, "lanes": 2, "out": tmp_path / "x", "compiler_options": QUICK}
    first = ap.run(TASK, RECIPE, progress=False, **options)
    read_only(tmp_path / "x", monkeypatch)
    again = ap.run(TASK, RECIPE, **options)
    assert "all 2 trainings are in" in capsys.readouterr().err
    assert again.identical(first)
    assert ap.load(tmp_path / "x").loss.identical(first.loss)
    with pytest.raises(PermissionError, match="may not be written to, and lacks 1 of 3 trainings"):
        ap.run(TASK, RECIPE, progress=False, **(options | {"seeds": 3}))
    (tmp_path / "x").chmod(0o700)


def test_an_empty_folder_that_is_read_only_is_refused(tmp_path, monkeypatch):
    (tmp_path / "x").mkdir()
    read_only(tmp_path / "x", monkeypatch)
    with pytest.raises(PermissionError, match="may not be written to: choose another folder"):
        folders.check_place(tmp_path / "x")
    (tmp_path / "x").chmod(0o700)
    assert np.array_equal(os.listdir(tmp_path), ["x"])
