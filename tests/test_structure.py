"""Promise: a list of values of a field that changes the program is an axis of the result, on which
each training has the bits that it has in a run of its own.
"""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from conftest import QUICK

import approx as ap
from approx.changes import axes
from approx.changes.alterations import altered
from approx.sweep import results
from approx.sweep.request import Request

TASK = ap.tasks.square(range=1.0, size=6, test_size=3)
RECIPE = ap.Recipe(model=ap.MLP((3, 3)), steps=6, records=(0, 2, 6))


def made(recipe=RECIPE, **grid):
    """What the recipes of a run with these axes are, by label, and the request."""
    request = axes.expanded(Request(task=TASK, recipe=recipe, grid=grid))
    return request.recipe, request


# ---- what the axes are ---------------------------------------------------------------------------


def test_every_combination_is_a_recipe_in_the_order_given():
    recipes, request = made(activation=["relu", "tanh"], learning_rate=[0.1, 0.2], widths=[4, (2,)])
    assert list(recipes) == [
        "activation=relu, widths=4",
        "activation=relu, widths=2",
        "activation=tanh, widths=4",
        "activation=tanh, widths=2",
    ]
    assert list(request.grid) == ["learning_rate"]
    assert list(request.unfolded) == ["activation", "widths"]
    assert request.unfolded["widths"].tolist() == [4, 2]
    task, recipe = recipes["activation=relu, widths=4"]
    assert task is TASK
    assert recipe == replace(RECIPE, model=ap.MLP((4, 4), "relu"))


def test_an_axis_of_every_recipe_of_a_dictionary():
    sgd = replace(RECIPE, optimizer="sgd")
    recipes, request = made({"a": RECIPE, "b": sgd}, size=range(5, 7))
    assert list(recipes) == ["a, size=5", "a, size=6", "b, size=5", "b, size=6"]
    assert recipes["b, size=5"] == (replace(TASK, size=5), sgd)
    assert {name: each.tolist() for name, each in request.unfolded.items()} == {
        "recipe": ["a", "b"],
        "size": [5, 6],
    }


def test_a_run_without_such_an_axis_is_left_alone():
    request = Request(task=TASK, recipe=RECIPE, grid={"learning_rate": [0.1, 0.2], "noise": [0.0]})
    assert axes.expanded(request) is request


def test_mixed_values_are_told_apart_by_their_words():
    _, request = made(batch_size=[2, None], optimizer=np.array(["sgd", "adam"]))
    assert request.unfolded["batch_size"].tolist() == ["2", "None"]
    assert request.unfolded["optimizer"].tolist() == ["sgd", "adam"]
    _, request = made(**{"model.bias": [True, False]})
    assert request.unfolded["model.bias"].tolist() == ["True", "False"]


@pytest.mark.parametrize(
    ("change", "widths"),
    [
        ({"widths": 5}, (5, 5)),
        ({"widths": (5,)}, (5,)),
        ({"depth": 3}, (3, 3, 3)),
        ({"depth": 0}, ()),
        ({"widths": 2, "depth": 1}, (2,)),
        ({"model.widths": 2, "depth": 4}, (2, 2, 2, 2)),
    ],
)
def test_one_width_is_that_of_all_hidden_layers(change, widths):
    assert altered(TASK, RECIPE, change)[1].model.widths == widths


def test_a_linear_model_gets_one_hidden_layer():
    linear = replace(RECIPE, model=ap.MLP(()))
    assert altered(TASK, linear, {"widths": 5})[1].model.widths == (5,)


# ---- what is refused -----------------------------------------------------------------------------

REFUSED = {
    "steps": ({"steps": [1, 2]}, TypeError, "cannot sweep 'steps': a training of many steps has"),
    "records": ({"records": [1, 2]}, TypeError, "all trainings of a result have the same records"),
    "nothing": ({"widths": []}, ValueError, "the list is empty"),
    "twice": ({"widths": [2, 2]}, ValueError, "the value 2 twice"),
    "read alike": ({"activation": [lambda x: x, lambda x: x]}, ValueError, "read the same"),
    "no list": ({"widths": 4}, TypeError, r"a list, which makes an axis: widths=\[...\]"),
    "tuple": ({"activation": ("relu", "tanh")}, TypeError, "a list, which makes an axis"),
    "unknown word": ({"activation": ["rel"]}, ValueError, "did you mean 'relu'"),
    "unknown name": ({"activatoin": ["relu"]}, TypeError, "has no option 'activatoin'"),
    "no depth": ({"depth": [1.5]}, ValueError, "a whole number of hidden layers"),
    "several widths": ({"widths": [(4, 2)], "depth": [2]}, ValueError, "give one, such as"),
    "params": ({"widths": [1, 2], "keep": ("params",)}, ValueError, "have other parameters"),
    "state": ({"optimizer": ["sgd", "adam"], "keep": ("state",)}, ValueError, "other shapes"),
    "no rate": ({"optimizer": ["lm"], "learning_rate": [0.1]}, TypeError, "own step lengths"),
    "a variable": ({"loss": ["mse", "mae"]}, ValueError, 'sweep it as "task.loss"'),
    "many": ({"size": range(1, 200), "test_size": range(1, 200)}, ValueError, "39,601 programs"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_an_axis_is_refused(case):
    options, kind, message = REFUSED[case]
    with pytest.raises(kind, match=message):
        ap.run(TASK, RECIPE, seeds=2, progress=False, **options)


@pytest.mark.slow  # imports what draws maps
def test_a_map_takes_numbers_only():
    grid = {"widths": [1, 2], "learning_rate": [0.1, 0.2]}
    with pytest.raises(TypeError, match="cannot sweep 'widths'"):
        ap.maps.refine(TASK, RECIPE, {"below": 0.1}, budget=10, seeds=4, **grid)


# ---- results -------------------------------------------------------------------------------------


def test_recipes_are_unfolded_onto_their_axes_the_last_fastest():
    values = np.arange(12.0).reshape(6, 2)
    runs = xr.Dataset(
        {"loss": (("recipe", "seed"), values, {"long_name": "a"})},
        {"recipe": list("abcdef"), "seed": [7, 9], "x": ("recipe", np.arange(6))},
        {"created": "then"},
    )
    found = results.unfold(runs, {"widths": np.array([1, 2, 4]), "bias": np.array(["n", "y"])})
    assert found.loss.dims == ("widths", "bias", "seed")
    assert found.loss.sel(widths=2, bias="y").values.tolist() == values[3].tolist()
    assert found.x.sel(widths=4, bias="n") == 4
    assert found.attrs == runs.attrs
    assert found.loss.attrs == {"long_name": "a"}
    assert "recipe" not in found.coords


LINEAR = replace(RECIPE, model=ap.MLP(()))
GIVEN = {"seeds": 3, "progress": False, "lanes": 4, "compiler_options": QUICK, "keep": ()}
GIVEN |= {"learning_rate": [0.1, 0.2], "freeze": ("data",)}


def test_an_axis_has_the_bits_of_runs_of_its_own():
    runs = ap.run(TASK, LINEAR, optimizer=["sgd", "momentum"], **GIVEN)
    assert runs.test_loss.dims == ("optimizer", "learning_rate", "seed", "step")
    for name in ("sgd", "momentum"):
        alone = ap.run(TASK, replace(LINEAR, optimizer=name), **GIVEN)
        for each in alone.data_vars:
            both = alone[each].values, runs[each].sel(optimizer=name).values
            np.testing.assert_array_equal(*both, err_msg=each)


@pytest.mark.slow
def test_an_axis_stands_on_disk(tmp_path):
    given = GIVEN | {"out": tmp_path / "x"}
    runs = ap.run(TASK, LINEAR, optimizer=["sgd", "momentum"], **given)
    loaded = ap.load(tmp_path / "x")
    assert loaded.equals(runs)
    assert loaded.fingerprint == runs.fingerprint
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("chunk-*.nc")}
    assert {path.parent.name for path in files} == {"optimizer=sgd", "optimizer=momentum"}
    one = ap.run(TASK, LINEAR, optimizer=["momentum"], **given)
    assert one.optimizer.values.tolist() == ["momentum"]
    assert ap.load(tmp_path / "x").sizes["optimizer"] == 1  # as the last command had it
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("chunk-*.nc")} == files


@pytest.mark.slow
def test_axes_go_with_everything_that_a_run_can_do(tmp_path, capsys):
    def first_weight(params, predict):
        return params[0]["w"].sum()

    asked = []

    def enough(runs):
        asked.append(dict(runs.sizes))
        return True

    runs = ap.run(
        TASK,
        {"a": RECIPE, "b": replace(RECIPE, optimizer="sgd")},
        seeds=200,
        widths=[1, 2],
        learning_rate=[0.1, 0.2],
        until=enough,
        metrics={"first": first_weight},
        freeze={"data": 3},
        lanes=8,
    )
    assert asked[0]["seed"] == 128
    assert runs["first"].dims == ("recipe", "widths", "learning_rate", "seed", "step")
    assert "recipe x widths: 4 recipes in 4 compiled programs" in capsys.readouterr().err
    rates = ap.stats.rate(ap.stats.success(runs, below=0.1))
    assert rates.rate.dims == ("recipe", "widths", "learning_rate")
    same = ap.run(
        TASK,
        replace(RECIPE, model=ap.MLP((2, 2))),
        seeds=128,
        learning_rate=[0.1, 0.2],
        metrics={"first": first_weight},
        freeze={"data": 3},
        lanes=8,
    )
    mine = runs.sel(recipe="a", widths=2)
    for name in same.data_vars:
        np.testing.assert_array_equal(same[name], mine[name], err_msg=name)
    ap.save(runs, tmp_path / "x.nc")
    assert ap.load(tmp_path / "x.nc").equals(runs)
