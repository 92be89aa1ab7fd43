"""Promise: a training that goes on has the bits of one that was that long from the start."""

from dataclasses import replace

import jax
import numpy as np
import optax
import pytest
from conftest import QUICK

import approx as ap
from approx import resuming
from approx.sweep import provenance

TASK = ap.tasks.square(range=1.0, size=7, test_size=4)
RECIPE = ap.Recipe(
    model=ap.MLP(()),
    optimizer="momentum",
    learning_rate=0.01,
    batch_size=3,
    batches="order",
    steps=8,
    records=4,
)
GIVEN = {"seeds": 3, "progress": False, "lanes": 4, "keep": ("prediction", "params", "state")}
RATES = {"learning_rate": [0.01, 0.1]}
FAST = {"compiler_options": QUICK}


def same(one, other):
    """Both results have the same variables, bit by bit, and the same fingerprint."""
    assert set(one.variables) == set(other.variables)
    for name in one.variables:
        np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=str(name))
    assert one.fingerprint == other.fingerprint


def longer(runs, recipe):
    """The recipe of one longer run with the records of a result."""
    steps = int(runs.step[-1])
    return replace(recipe, steps=steps, epochs=None, records=runs.step.values.tolist())


@pytest.fixture(scope="module")
def short():
    return ap.run(TASK, RECIPE, **GIVEN, **RATES, **FAST)


@pytest.fixture(scope="module")
def resumed(short):
    return ap.resume(short, TASK, RECIPE, steps=20, progress=False, **FAST)


def test_a_resumed_training_is_one_longer_training(short, resumed):
    assert resumed.step.values[:4].tolist() == short.step.values.tolist()
    assert resumed.step.values[-1] == 20
    once = ap.run(TASK, longer(resumed, RECIPE), **GIVEN, **RATES, **FAST)
    same(resumed, once)


@pytest.mark.slow
def test_some_trainings_from_a_file_go_on_in_a_folder(short, resumed, tmp_path):
    ap.save(short, tmp_path / "short.nc")
    some = ap.load(tmp_path / "short.nc").sel(learning_rate=0.1, seed=[2, 0])
    found = ap.resume(some, TASK, RECIPE, steps=20, progress=False, out=tmp_path / "x", **FAST)
    assert found.learning_rate.values.tolist() == [0.1]
    wanted = resumed.sel(learning_rate=[0.1], seed=[2, 0])
    for name in wanted.variables:
        np.testing.assert_array_equal(found[name], wanted[name], err_msg=str(name))
    # The folder is that of the longer run, which finds its trainings there
    given = GIVEN | {"seeds": [2, 0]}
    once = ap.run(
        TASK,
        longer(resumed, RECIPE),
        **given,
        learning_rate=[0.1],
        out=tmp_path / "x",
        **FAST,
    )
    assert once.fingerprint == found.fingerprint


def test_the_state_is_that_of_a_single_training(short):
    """`train` gives the same arrays, in the order of their numbers."""
    keep = ap.Keep(("state",))
    state = jax.eval_shape(lambda key: ap.train(key, TASK, RECIPE, keep=keep), jax.random.key(0))
    leaves = jax.tree.leaves(state.state)
    assert len(leaves) == sum(str(name).startswith("state_") for name in short)
    for number, leaf in enumerate(leaves):
        assert short[f"state_{number}"].shape == (2, 3, *leaf.shape)
    assert short.attrs["state"] == "after step 8"


REFUSED = {
    "no state": (
        lambda runs: (runs.drop_vars("state_0"), TASK, RECIPE),
        {},
        "the last state was not kept",
    ),
    "cut records": (
        lambda runs: (runs.isel(step=slice(2)), TASK, RECIPE),
        {},
        "the state that was kept is of step 8: give the result with all its records",
    ),
    "changed seeds": (
        lambda runs: (runs.assign_coords(seed=runs.seed + 10_000), TASK, RECIPE),
        {},
        "is not of the run that this result describes",
    ),
    "not longer": (lambda runs: (runs, TASK, RECIPE), {"steps": 8}, "8 steps are made already"),
    "no length": (lambda runs: (runs, TASK, RECIPE), {"steps": None}, "by steps= or by epochs="),
    "number": (
        lambda runs: (runs, TASK, replace(RECIPE, l2=0.1)),
        {},
        "not the training that the result is of",
    ),
    "program": (
        lambda runs: (runs, TASK, replace(RECIPE, model=ap.MLP((), bias=False))),
        {},
        "not the training that the result is of.*program is",
    ),
    "task": (
        lambda runs: (runs, ap.tasks.square(range=2.0, size=7, test_size=4), RECIPE),
        {},
        "task.range",
    ),
    "cosine": (
        lambda runs: (runs, TASK, replace(RECIPE, schedule="cosine")),
        {},
        "give the schedule its own length",
    ),
    "records": (lambda runs: (runs, TASK, RECIPE), {"records": [5]}, "whole numbers above 8"),
    "no result": (lambda runs: (3, TASK, RECIPE), {}, "continues what ap.run gave"),
}


TRACED = ("number", "program", "task")  # a program is traced for each of these
QUICKLY = [
    pytest.param(each, marks=pytest.mark.slow) if each in TRACED else each for each in REFUSED
]


@pytest.mark.parametrize("case", QUICKLY)
def test_what_would_be_another_training_is_refused(short, case):
    make, options, message = REFUSED[case]
    given = {"steps": 20, "progress": False} | FAST | options
    with pytest.raises((TypeError, ValueError), match=message):
        ap.resume(*make(short), **given)


def test_seeds_are_known_from_a_list_or_where_they_count_from_0():
    describe = provenance.describe_seeds
    np.testing.assert_array_equal(resuming.seeds_known(describe(np.arange(40))), np.arange(40))
    assert resuming.seeds_known([3, 5]) == [3, 5]
    assert resuming.seeds_known(describe(np.arange(40) + 1)) is None


def test_records_and_lengths(short):
    assert resuming.later_records(RECIPE, short, 20, [12]) == (12, 20)
    assert resuming.length(TASK, RECIPE, 8, None, 5) == 15  # 7 rows are 3 batches
    assert resuming.kept_steps(short, 8) == ()


# ---- every kind of training ----------------------------------------------------------------------

HELD = ap.tasks.square(range=1.0, size=10, test_size=4, validation=0.3, hold_out="random")
KINDS = {
    "adam in epochs": (TASK, ap.Recipe(model=ap.MLP((2,)), epochs=4, batch_size=3), {}),
    "dropout over a grid": (
        TASK,
        ap.Recipe(model=ap.MLP((2,), dropout=0.2), steps=8, batch_size=3),
        RATES,
    ),
    "lm in float64": (
        TASK,
        ap.Recipe(model=ap.MLP((2,)), optimizer="lm", dtype="float64", steps=8),
        {},
    ),
    "columns": (TASK, ap.Recipe(model=ap.MLP((2,)), steps=8), {"form": "columns"}),
    "vmap": (TASK, ap.Recipe(model=ap.MLP((2,)), steps=8, batch_size=3), {"form": "vmap"}),
    "stream": (
        ap.tasks.square(range=1.0, size=7, test_size=4, inputs="uniform"),
        ap.Recipe(model=ap.MLP((2,)), steps=8, batch_size=3, batches="stream"),
        {},
    ),
    "stopping rules": (
        HELD,
        ap.Recipe(
            model=ap.MLP((2,)),
            steps=12,
            batch_size=4,
            learning_rate=0.1,
            stop=ap.stops.Patience(patience=2),
            plateau=ap.stops.ReduceRate(patience=1),
        ),
        {},
    ),
    "a schedule of its own length": (
        TASK,
        ap.Recipe(model=ap.MLP((2,)), steps=8, schedule=optax.cosine_decay_schedule(1.0, 20)),
        {"keep_at": (0, 8)},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_training_goes_on(kind):
    task, recipe, options = KINDS[kind]
    given = GIVEN | options
    runs = ap.run(task, recipe, **given)
    found = ap.resume(runs, task, recipe, steps=30, progress=False)
    if "keep_at" in given:
        given["keep_at"] = (*given["keep_at"], 30)
    same(found, ap.run(task, longer(found, recipe), **given))
    twice = ap.resume(found, task, recipe, steps=40, progress=False)
    assert twice.step.values[-1] == 40


@pytest.mark.slow
def test_parameters_that_were_replaced_by_the_best_do_not_go_on():
    rule = ap.stops.Patience(patience=50, restore_best=True)
    recipe = ap.Recipe(model=ap.MLP((2,)), steps=6, stop=rule)
    runs = ap.run(HELD, recipe, **GIVEN)
    with pytest.raises(ValueError, match="restore_best=False"):
        ap.resume(runs, HELD, recipe, steps=12, progress=False)


@pytest.mark.slow
def test_one_value_of_an_axis_of_structure_goes_on():
    tanh = replace(RECIPE, model=ap.MLP((2,), "tanh"))
    runs = ap.run(TASK, tanh, activation=["tanh", "relu"], **GIVEN)
    with pytest.raises(ValueError, match="one recipe at a time"):
        ap.resume(runs, TASK, tanh, steps=12)
    relu = replace(RECIPE, model=ap.MLP((2,), "relu"))
    found = ap.resume(runs.sel(activation="relu"), TASK, relu, steps=12, progress=False)
    same(found, ap.run(TASK, longer(found, relu), **GIVEN))
