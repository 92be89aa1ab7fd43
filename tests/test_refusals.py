"""Promise: bad input is refused before any training, naming the value and what would be right."""

import os
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import flax.linen as nn
import jax
import numpy as np
import optax
import pytest
from conftest import QUICK

import approx as ap
from approx.sweep import devices, facts, limits, programs

SQUARE, RECIPE = ap.tasks.square(), ap.Recipe(steps=5)
LEAST = ap.Recipe(model=ap.MLP(()), optimizer="sgd", steps=5)  # where something is trained
LABELS = ap.given([0.0, 1.0, 2.0], [0, 1, 2], loss="cross_entropy")
X = np.arange(4.0)
AMOUNTS = ap.given([0.0, 1.0, 2.0], np.eye(3))
THREE = ap.Recipe(model=ap.MLP((2,), outputs=3), steps=5)
ONE = jax.numpy.ones((1, 1))


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Flat(ap.Task):
    """Its points have targets (k,) beside training targets (n, 1)."""

    def rows(self, key, noise_key):
        return jax.numpy.ones((4, 1)), jax.numpy.ones((4, 1))

    def points(self):
        return jax.numpy.ones((3, 1)), jax.numpy.ones(3), jax.numpy.zeros(3)


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Own(ap.Task):
    """Refuses a value inside a range, and computes a further number from it."""

    epochs: float = 1.0
    double: float = 2.0

    def __post_init__(self):
        super().__post_init__()
        if isinstance(self.epochs, float):
            if self.epochs == 2.5:
                raise ValueError("epochs is not 2.5")
            object.__setattr__(self, "double", 2 * self.epochs)

    def rows(self, key, noise_key):
        return jax.numpy.ones((4, 1)), self.double * jax.numpy.ones((4, 1))

    def points(self):
        return *self.rows(None, None), jax.numpy.zeros(4)


class Undecorated(ap.Task):
    rows, points = Flat.rows, Flat.points


@dataclass(frozen=True)
class Foreign:
    """A model that JAX does not know as a pytree, so its numbers are structure."""

    scale: float = 1.0

    def init(self, key, x):
        return {"w": self.scale * jax.numpy.ones((1, 1))}

    def apply(self, params, x):
        return x @ params["w"]


class Normed(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(1)(nn.BatchNorm(use_running_average=False)(x))


def run(task=SQUARE, recipe=RECIPE, **options):
    return ap.run(
        task,
        recipe,
        **{"seeds": 2, "lanes": 2, "progress": False, "compiler_options": QUICK} | options,
    )


CASES = {
    "unknown number": (
        lambda: run(momentun=[0.1]),
        TypeError,
        "cannot sweep 'momentun'; sweepable: learning_rate",
    ),
    "structure": (lambda: run(steps=[1, 2]), TypeError, "cannot sweep 'steps'"),
    "ambiguous": (
        lambda: run(
            ap.tasks.sine(), replace(RECIPE, model=ap.MLP((4,), "sin")), frequency=[1.0, 2.0]
        ),
        TypeError,
        "write one of model.frequency, task.frequency",
    ),
    "not numbers": (lambda: run(learning_rate=["a"]), TypeError, "not numbers"),
    "empty grid": (lambda: run(learning_rate=[]), ValueError, "one or more values"),
    "repeated value": (lambda: run(learning_rate=[0.1, 0.1]), ValueError, "repeats the value 0.1"),
    "infinite value": (lambda: run(learning_rate=[0.1, np.inf]), ValueError, "inf"),
    "twice": (
        lambda: run(**{"range": [1.0], "task.range": [1.0]}),
        TypeError,
        "names one number twice",
    ),
    "useless number": (lambda: run(a=[1.0]), ValueError, "a belongs to the activation 'snake'"),
    "bad dropout in a grid": (
        lambda: run(dropout=[0.1, 1.5]),
        ValueError,
        "dropout is a rate in \\[0, 1\\), not 1.5",
    ),
    "nan in the recipe": (
        lambda: run(recipe=ap.Recipe(learning_rate=float("nan"))),
        ValueError,
        "not finite",
    ),
    "x and y": (lambda: ap.given(X, X[:3]), ValueError, "differ in their number of rows: 4 and 3"),
    "x and x_test": (lambda: ap.given(X, X, np.ones((5, 2)), X), ValueError, "differ"),
    "x_test alone": (lambda: ap.given(X, X, X), ValueError, "x_test and y_test come together"),
    "not finite": (lambda: ap.given(X, [1, 2, np.nan, 4]), ValueError, r"y\[2, 0\] is nan"),
    "f not finite": (
        lambda: ap.task(lambda x: np.where(x > 0, x, -np.inf), X),
        ValueError,
        r"y\[0, 0\] is -inf",
    ),
    "three axes": (lambda: ap.given(np.ones((2, 2, 2)), X[:2]), ValueError, "shape \\(2, 2, 2\\)"),
    "no rows": (lambda: ap.given([], []), ValueError, "not empty"),
    "fractional labels": (
        lambda: ap.given(X, X + 0.5, loss="cross_entropy"),
        ValueError,
        "whole numbers",
    ),
    "shares for labels": (
        lambda: ap.data(X, np.eye(4), loss="cross_entropy"),
        ValueError,
        r"shape \(4, 4\); for a column of shares .* loss='soft_cross_entropy'",
    ),
    "negative labels": (
        lambda: ap.given(X, X - 1, loss="cross_entropy"),
        ValueError,
        "whole numbers",
    ),
    "label out of range": (
        lambda: run(LABELS, ap.Recipe(model=ap.MLP(outputs=2))),
        ValueError,
        "label 2.*0 to 1",
    ),
    "outputs": (
        lambda: run(ap.given(X, np.ones((4, 3)))),
        ValueError,
        "outputs have shape \\(4, 1\\).*\\(4, 3\\)",
    ),
    "loss per row": (
        lambda: run(replace(SQUARE, loss=lambda f, y: (f - y).mean())),
        ValueError,
        "one value per row",
    ),
    "unknown loss": (
        lambda: replace(SQUARE, loss="mea"),
        ValueError,
        "unknown loss 'mea'; there is: mse",
    ),
    "validation": (
        lambda: ap.tasks.square(validation=1.0),
        ValueError,
        "share of the rows in \\[0, 1\\), not 1.0",
    ),
    "validation takes all": (
        lambda: run(ap.given(X, X, validation=0.9)),
        ValueError,
        "splits 4 rows into 0",
    ),
    "inputs": (lambda: ap.tasks.square(inputs="random"), ValueError, "'grid' or 'uniform'"),
    "size": (lambda: ap.tasks.square(size=0), ValueError, "size is 0"),
    "steps": (
        lambda: ap.Recipe(steps=0),
        ValueError,
        "steps is 0; it must be a whole number of at least 1",
    ),
    "half a step": (lambda: ap.Recipe(steps=2.5), ValueError, "steps is 2.5"),
    "batch of none": (lambda: ap.Recipe(batch_size=0), ValueError, "batch_size is 0"),
    "batch too large": (
        lambda: run(recipe=ap.Recipe(batch_size=22)),
        ValueError,
        "more than the 21 training rows",
    ),
    "stream of a grid": (
        lambda: run(
            LABELS, replace(RECIPE, model=ap.MLP(outputs=3), batches="stream", batch_size=2)
        ),
        ValueError,
        "no endless stream",
    ),
    "stream without size": (lambda: ap.Recipe(batches="stream"), ValueError, "needs a batch_size"),
    "batches": (
        lambda: ap.Recipe(batches="random"),
        ValueError,
        "unknown batches 'random'; there is: epoch",
    ),
    "records": (lambda: ap.Recipe(steps=10, records=(0, 20)), ValueError, "between 0 and steps=10"),
    "records fall": (lambda: ap.Recipe(steps=10, records=(5, 2)), ValueError, "increasing"),
    "one record": (lambda: ap.Recipe(records=1), ValueError, "at least 2"),
    "dtype": (
        lambda: ap.Recipe(dtype="float16"),
        ValueError,
        "unknown dtype 'float16'; there is: float32, float64",
    ),
    "l2_on": (lambda: ap.Recipe(l2_on="bias"), ValueError, "unknown l2_on 'bias'"),
    "activation": (
        lambda: ap.MLP((3,), "tanhh"),
        ValueError,
        "unknown activation 'tanhh'; there is: tanh, relu",
    ),
    "initializer": (
        lambda: ap.MLP(initializer="xavier"),
        ValueError,
        "unknown initializer 'xavier'; there is: keras",
    ),
    "width": (lambda: ap.MLP((3, 0)), ValueError, "at least 1"),
    "frequency of tanh": (
        lambda: ap.MLP((3,), frequency=2.0),
        ValueError,
        "frequency belongs to the activation 'sin'",
    ),
    "optimizer": (
        lambda: ap.Recipe(optimizer="adamaxx"),
        ValueError,
        "unknown optimizer 'adamaxx'; there is: sgd",
    ),
    "option": (
        lambda: ap.Recipe(options={"beta1": 0.9}),
        ValueError,
        "'adam' has no option 'beta1'; it has: b1",
    ),
    "schedule as rate": (
        lambda: ap.Recipe(learning_rate=optax.linear_schedule(1, 0, 5)),
        TypeError,
        "schedule=it",
    ),
    "schedule": (
        lambda: ap.Recipe(schedule="step"),
        ValueError,
        "unknown schedule 'step'; there is: cosine, linear",
    ),
    "rate twice": (lambda: ap.Recipe(optimizer=optax.sgd(0.1)), ValueError, "learning_rate=None"),
    "no rate": (lambda: ap.Recipe(learning_rate=None), ValueError, "needs a learning_rate"),
    "rate of a method": (
        lambda: ap.Recipe(optimizer="lm", learning_rate=1e-3),
        ValueError,
        "leave learning_rate",
    ),
    "batches of a method": (
        lambda: ap.Recipe(optimizer="bfgs", batch_size=5),
        ValueError,
        "all rows at every step",
    ),
    "dropout of a method": (
        lambda: run(recipe=ap.Recipe(model=ap.MLP(dropout=0.1), optimizer="lbfgs")),
        ValueError,
        "dropout changes it",
    ),
    "lm of an entropy": (
        lambda: run(ap.tasks.interval(), ap.Recipe(optimizer="lm")),
        ValueError,
        "sum of squares",
    ),
    "stream of a method": (
        lambda: ap.Recipe(optimizer="lm", batches="stream"),
        ValueError,
        "no stream",
    ),
    "mu in place": (
        lambda: ap.Recipe(optimizer="lm", options={"mu": 0.0}),
        ValueError,
        "between 0 and inf",
    ),
    "mu swept": (
        lambda: run(recipe=ap.Recipe(optimizer="lm"), mu_inc=[2.0, 0.5]),
        ValueError,
        "between 1 and inf",
    ),
    "replaced": (
        lambda: replace(RECIPE, optimizer="lm", batch_size=None),
        ValueError,
        "dataclasses.replace carries",
    ),
    "penalised": (
        lambda: run(recipe=ap.Recipe(model=ap.MLP((100_000,)), optimizer="lm", l2=1e-4)),
        MemoryError,
        "GB a network",
    ),
    "half a memory": (
        lambda: ap.Recipe(optimizer="lbfgs", options={"memory_size": 2.5}),
        ValueError,
        "whole number",
    ),
    "jacobian": (
        lambda: run(
            ap.given(np.zeros((1000, 1)), np.zeros((1000, 999))),
            ap.Recipe(model=ap.MLP((10_000,), outputs=999), optimizer="lm"),
        ),
        MemoryError,
        "Jacobian of 999,000 residuals by 10,010,999 parameters",
    ),
    "inverse": (
        lambda: run(recipe=ap.Recipe(model=ap.MLP((700, 700)), optimizer="bfgs")),
        MemoryError,
        "GB a network",
    ),
    "metric's name": (
        lambda: run(metrics={"stopped": lambda params, predict: 0.0}),
        ValueError,
        "name of its own",
    ),
    "no model": (lambda: ap.Recipe(model="mlp"), TypeError, "no model"),
    "batch norm": (lambda: run(recipe=ap.Recipe(model=Normed())), ValueError, "'batch_stats'"),
    "no optax": (
        lambda: run(recipe=ap.Recipe(optimizer=lambda rate: rate)),
        TypeError,
        "no optax transformation",
    ),
    "no task": (lambda: run("square"), TypeError, r"make one with ap.data\(x, y\) .* ap.task"),
    "no recipe": (lambda: run(recipe="adam"), TypeError, "make one with ap.Recipe"),
    "no recipes": (lambda: run(recipe={}), ValueError, "empty"),
    "seeds": (lambda: run(seeds=0), ValueError, "seeds is 0"),
    "half a seed": (lambda: run(seeds=1.5), ValueError, "whole number"),
    "negative seed": (lambda: run(seeds=[-1, 2]), ValueError, "between 0 and 2\\^32"),
    "repeated seed": (lambda: run(seeds=[3, 4, 3]), ValueError, "seed 3 is repeated"),
    "lanes": (lambda: run(lanes=0), ValueError, "lanes is 0"),
    "threads": (lambda: run(threads=0), ValueError, "threads is 0"),
    "segment": (lambda: run(segment=0), ValueError, "segment is 0"),
    "freeze": (
        lambda: run(freeze=("weights",)),
        ValueError,
        "cannot freeze 'weights'; the streams are: init",
    ),
    "freeze a string": (lambda: run(freeze="init"), TypeError, "write a tuple"),
    "keep": (
        lambda: run(keep=("weights",)),
        ValueError,
        "cannot keep 'weights'; there is: prediction",
    ),
    "keep_at": (lambda: run(keep_at=(4711,)), ValueError, "keep_at=4711 is no record step"),
    "metric": (lambda: run(metrics={"loss": lambda p, f: 0}), ValueError, "a name of its own"),
    "other params": (
        lambda: run(init_params=[1.0]),
        ValueError,
        "init_params do not fit the model",
    ),
    "other shapes": (
        lambda: run(init_params=ap.MLP((3,)).init(jax.random.key(0), ONE)),
        ValueError,
        "shapes",
    ),
    "recipes of other steps": (
        lambda: run(recipe={"a": RECIPE, "b": ap.Recipe(steps=6)}),
        ValueError,
        "record steps",
    ),
    "labels beside amounts": (
        lambda: run(recipe={"a": (AMOUNTS, THREE), "b": (LABELS, THREE)}),
        ValueError,
        "the same: 'b' has an accuracy .*, 'a' has none. Run them",
    ),
    "seed for seeds": (lambda: run(seed=3), TypeError, "did you mean seeds=3"),
    "no options": (lambda: ap.Recipe(options=None), TypeError, "options is None"),
    "negative noise": (
        lambda: run(noise=[-1.0, 1.0]),
        ValueError,
        "noise is -1.0; it must be at least 0",
    ),
    "negative rate": (lambda: ap.Recipe(learning_rate=-1.0), ValueError, "learning_rate is -1.0"),
    "negative l2": (lambda: run(l2=[-1.0, 1.0]), ValueError, "l2 is -1.0"),
    "b1 of 2": (
        lambda: ap.Recipe(options={"b1": 2.0}),
        ValueError,
        "'b1'.*is 2.0; .* between 0 and 1",
    ),
    "b2 swept": (lambda: run(b2=[0.9, 2.0]), ValueError, "'b2'.*is 2.0"),
    "negative sd": (lambda: ap.tasks.waveform(sd=-1.0), ValueError, "sd is -1.0"),
    "negative init": (lambda: ap.MLP(init_scale=-1.0), ValueError, "init_scale is -1.0"),
    "until": (lambda: run(until=5), TypeError, "until is 5; it must be a function"),
    "steps of 2^31": (lambda: ap.Recipe(steps=2**31), ValueError, "below 2\\^31"),
    "records of all": (
        lambda: ap.Recipe(steps=10**9, records=10**9),
        ValueError,
        "at most 1,000,000",
    ),
    "records of most": (
        lambda: ap.Recipe(steps=10**6, records=10**5),
        ValueError,
        "100,000 of 1,000,000.*range",
    ),
    "steps to keep": (
        lambda: run(keep_at=range(10**9)),
        ValueError,
        "keep_at has 1,000,000,000 steps",
    ),
    "one step to keep": (lambda: run(keep_at=4), TypeError, "keep_at is 4; write a tuple"),
    "many rows": (
        lambda: run(ap.tasks.square(size=10**9), lanes=64),
        MemoryError,
        "1,000,000,000 training rows",
    ),
    "map's axis": (
        lambda: ap.maps.axis(0.1, 1, 10**9),
        ValueError,
        "an axis of 1,000,000,000 values",
    ),
    "long axis": (
        lambda: run(learning_rate=np.arange(1, 10**6)),
        ValueError,
        "999,999 values; at most 100,000",
    ),
    "large grid": (
        lambda: run(learning_rate=np.arange(1, 10**4), init_scale=np.arange(1, 10**4)),
        ValueError,
        "99,980,001 cells",
    ),
    "many lanes": (lambda: run(lanes=10**9), ValueError, "lanes is 1,000,000,000; at most"),
    "seeds without end": (
        lambda: run(seeds=range(10**11)),
        ValueError,
        "100,000,000,000 trainings; at most 10.10",
    ),
    "seeds for all memory": (
        lambda: run(seeds=range(10**10)),
        MemoryError,
        "the table of 10,000,000,000 seeds",
    ),
    "records for all memory": (
        lambda: run(recipe=ap.Recipe(steps=10**6, records=range(10**6)), seeds=10**6),
        MemoryError,
        "8 TB of losses",
    ),
    "predictions for all memory": (
        lambda: run(ap.tasks.square(test_size=10**6), seeds=10**7),
        MemoryError,
        "40 TB of predictions or more",
    ),
    "wide": (
        lambda: run(recipe=ap.Recipe(model=ap.MLP((10**6, 10**6)))),
        MemoryError,
        "parameters.*narrower layers",
    ),
    "many points": (
        lambda: run(ap.tasks.square(test_size=10**11)),
        ValueError,
        "test_size is 100,000,000,000",
    ),
    "fresh rows": (
        lambda: run(recipe=ap.Recipe(batches="stream", batch_size=2**31 - 1), lanes=10**4),
        MemoryError,
        "fresh rows",
    ),
    "epochs": (lambda: run(epochs=5), TypeError, r"recipe: ap.Recipe\(epochs=5\)"),
    "batch size in run": (lambda: run(batch_size=8), TypeError, "batch_size belongs to the recipe"),
    "steps in run": (lambda: run(steps=8), TypeError, "steps belongs to the recipe"),
    "labels alike": (lambda: run(recipe={1: RECIPE, "1": RECIPE}), ValueError, "'1' twice"),
    "labels of recipes": (
        lambda: run(recipe={(1, 2): RECIPE, (2, 1): RECIPE}),
        TypeError,
        "a string or a number",
    ),
    "correct per row": (
        lambda: run(replace(SQUARE, correct=lambda f, y: f > y)),
        ValueError,
        "one value per row, shape \\(21,\\)",
    ),
    "points of other columns": (lambda: run(Flat()), ValueError, "differ in their columns"),
    "undecorated task": (lambda: run(Undecorated()), TypeError, "not a registered dataclass"),
    "hidden of a dictionary": (
        lambda: run(recipe=ap.Recipe(model=nn.Dense(1), l2=0.1, l2_on="hidden")),
        ValueError,
        "order of the layers",
    ),
    "signs for labels": (
        lambda: run(ap.given(X, X - 1, loss="binary_cross_entropy")),
        ValueError,
        "label -1",
    ),
    "words for labels": (
        lambda: ap.given([1, 2], ["a", "b"], loss="cross_entropy"),
        ValueError,
        "not of type <U1",
    ),
    "negative range": (lambda: run(range=[-1.0, 1.0]), ValueError, "range is -1.0"),
    "half a record": (lambda: ap.Recipe(steps=9, records=(0, 2.5)), TypeError, "records is"),
    "no records": (lambda: ap.Recipe(records=None), TypeError, "records is None"),
    "root too large": (lambda: run(key=2**32), ValueError, "key is 4294967296"),
    "no root": (lambda: run(key=None), TypeError, "jax.random.key"),
    "frozen at half a seed": (
        lambda: run(freeze={"data": 3.5}),
        ValueError,
        "'data' is frozen at seed 3.5",
    ),
    "three functions": (lambda: ap.Recipe(model=(1, 2, 3)), TypeError, "no model"),
    "two rates": (lambda: ap.Recipe(learning_rate=np.array([0.1, 0.2])), TypeError, "one number"),
    "a rate in words": (lambda: ap.Recipe(learning_rate="0.1"), TypeError, "one number"),
    "an option in words": (lambda: ap.Recipe(options={"b1": "0.9"}), TypeError, "one number"),
    "metric named as an axis": (
        lambda: run(metrics={"seed": lambda p, f: 0.0}),
        ValueError,
        "a name of its own",
    ),
    "metric named as a sweep": (
        lambda: run(metrics={"range": lambda p, f: 0.0}, range=[1.0, 2.0]),
        ValueError,
        "a name of its own",
    ),
    "infinite in one cell": (
        lambda: run(ap.tasks.Curve(f=lambda x: 1 / (2 - abs(x)), test_size=2), range=[1.0, 2.0]),
        ValueError,
        "cell 1",
    ),
    "validation in one recipe only": (
        lambda: run(recipe={"a": RECIPE, "b": (ap.tasks.square(validation=0.2), RECIPE)}),
        ValueError,
        "the same: 'b' has validation rows, 'a' has none",
    ),
    "one class": (lambda: ap.tasks.waveform(classes=1), ValueError, "classes is 1; .* at least 2"),
    "label above the classes": (
        lambda: ap.given(X, range(4), loss="cross_entropy", classes=3),
        ValueError,
        "label 3, but labels .* 0 to 2",
    ),
    "outputs and classes": (
        lambda: run(ap.tasks.waveform(classes=8, dim=3), ap.Recipe(model=ap.MLP(outputs=9))),
        ValueError,
        "the model has 9 outputs, the task 8 classes",
    ),
    "rows per class": (
        lambda: run(
            ap.tasks.waveform(classes=8, dim=3),
            ap.Recipe(model=ap.MLP(outputs=8), batches="stream", batch_size=12),
        ),
        ValueError,
        "batch_size=12 is no multiple of 8 classes",
    ),
    "draw": (
        lambda: ap.tasks.waveform(draw="all"),
        ValueError,
        "draw is 'each' or 'random', not 'all'",
    ),
    "kind": (lambda: ap.tasks.identity("D"), ValueError, "unknown kind 'D'; there is: A, B, C"),
    "identity of nothing": (lambda: ap.tasks.identity(size=0), ValueError, "size is 0"),
    "validation of all": (
        lambda: ap.tasks.identity(validation=1.0),
        ValueError,
        "validation is a share .* not 1.0",
    ),
    "validation inputs without targets": (
        lambda: ap.data(np.zeros((9, 2)), np.zeros(9), validation=np.zeros((3, 2))),
        TypeError,
        r"validation is <float64 array of shape \(3, 2\)>; .* a pair: .* validation=\(x, y\)",
    ),
    "a study that is not there": (
        lambda: ap.Study.load("nowhere"),
        FileNotFoundError,
        r"no study in nowhere: study.json is missing; Study.save writes it. .* run that first",
    ),
    "negative validation": (
        lambda: ap.tasks.clusters(validation=-0.1),
        ValueError,
        "a share .* not -0.1",
    ),
    "distribution": (lambda: ap.tasks.Identity(distribution="cauchy"), ValueError, "not 'cauchy'"),
    "no params kept": (
        lambda: ap.params(run(recipe=LEAST), seed=0),
        ValueError,
        'keep=\\("prediction", "params"\\)',
    ),
}


@pytest.fixture
def nothing_compiled(monkeypatch):
    """A block that is compiled fails the test."""

    def fail(*_):
        pytest.fail("the block was compiled before this was refused")

    monkeypatch.setattr(programs, "build", fail)


@pytest.mark.parametrize("case", CASES)
def test_refused(case, request):
    call, error, message = CASES[case]
    if case != "no params kept":
        request.getfixturevalue("nothing_compiled")
    with pytest.raises(error, match=f"(?s){message}"):
        call()


WITHOUT_TYPE_CHECKS = """
import approx as ap
for call in (
    lambda: ap.tasks.square(size=21.5),
    lambda: ap.tasks.square(noise="0.1"),
    lambda: ap.MLP(10),
    lambda: ap.MLP((10.0,)),
    lambda: ap.train(0, ap.tasks.square(), ap.Recipe()),
):
    try:
        call()
    except (TypeError, ValueError) as error:
        print(error)
"""


@pytest.mark.parametrize(
    ("value", "said"),
    [("abc", "'abc'; it must give a number"), (jax.numpy.complex64(1), "complex numbers")],
)
def test_metrics_give_real_numbers(value, said):
    with pytest.raises(TypeError, match=f"metric 'm' gives {said}"):
        run(metrics={"m": lambda params, predict: value})


def test_what_type_checks_would_forestall_in_these_tests():
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", WITHOUT_TYPE_CHECKS]
    lines = subprocess.run(
        command, capture_output=True, text=True, env=environment, check=True
    ).stdout.splitlines()
    expected = (
        "size is 21.5",
        "noise is '0.1'",
        "such as (10,)",
        "must be whole",
        "jax.random.key",
    )
    assert len(lines) == 5
    assert all(words in line for words, line in zip(expected, lines, strict=True))


@pytest.mark.slow
def test_recipes_are_labelled_by_numbers_too(tmp_path):
    small = replace(RECIPE, model=ap.MLP((2,)))
    slower = {2: small, 3: replace(small, learning_rate=1e-4)}  # which share a program
    options = {"seeds": 2, "progress": False, "compiler_options": QUICK}
    runs = ap.run(SQUARE, slower, out=tmp_path / "labels", **options)
    assert runs.recipe.values.tolist() == [2, 3]
    assert (tmp_path / "labels" / "3" / "sweep.json").exists()
    assert ap.load(tmp_path / "labels").recipe.values.tolist() == [2, 3]


def test_nothing_is_trained_before_everything_is_checked(nothing_compiled):
    with pytest.raises(ValueError, match="more than the 21 training rows"):
        run(recipe={"good": RECIPE, "bad": replace(RECIPE, batch_size=30)})


def test_what_cannot_fit_into_memory_is_refused_with_a_suggestion(monkeypatch):
    monkeypatch.setattr(limits, "free_memory", lambda: 200_000)
    with pytest.raises(MemoryError, match=r"2,000 trainings need .* are free: keep=\(\)"):
        run(recipe=LEAST, seeds=2000)
    with pytest.raises(MemoryError, match="lanes=16 takes less"):
        run(ap.tasks.square(size=5000), seeds=1, lanes=64, keep=())
    run(recipe=LEAST, seeds=10, keep=())
    # Checked for all recipes before the first is trained
    with pytest.raises(MemoryError, match="600 trainings need"):
        run(recipe={"slow": LEAST, "fast": replace(LEAST, learning_rate=0.1)}, seeds=300)


def test_a_failing_block_stops_the_others(monkeypatch):
    done = []

    def rows(block, count, axis):
        done.append(count)
        raise OSError("worker failed")

    monkeypatch.setattr(devices, "rows", rows)
    with pytest.raises(OSError, match="worker failed"):
        run(recipe=replace(LEAST, steps=100_000), seeds=100, threads=2)
    assert len(done) <= 4


def test_records_are_refused_with_what_was_given():
    with pytest.raises(ValueError, match="records asks for 1,000,000,000 records"):
        facts.find(SQUARE, ap.Recipe(steps=10**9, records=range(10**9)))
    assert replace(RECIPE, records=np.array(3)).records == 3
    with pytest.raises(ValueError, match=r"between 0 and steps=5, not \(0, 4, 3\)"):
        facts.find(SQUARE, replace(RECIPE, records=(0, 4, 3)))


def test_widths_that_count_inputs_and_outputs_are_pointed_out():
    said = r"this network is 1-1-8-1-1; for 1-8-1 say widths=\(8,\)"
    with pytest.warns(UserWarning, match=said):
        facts.find(SQUARE, replace(RECIPE, model=ap.MLP((1, 8, 1))))


@pytest.mark.slow  # a process
def test_an_interrupt_ends_a_run_soon(tmp_path):
    script = tmp_path / "long.py"
    script.write_text(
        "import signal\n"
        "import approx as ap\n"
        # A shell starts what runs in the background with interrupts ignored: so tests may run.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "ap.run(ap.tasks.square(), ap.Recipe(steps=10**9), seeds=4, segment=10**9)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(
        [sys.executable, script], stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        for line in process.stderr:
            if "4 trainings of 1,000,000,000 steps" in line:
                break
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        # A segment's half second, on a machine however busy
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode != 0
    assert "Interrupted" in error
    assert "with out=FOLDER the same call would go on" in error


def test_segments_lengthen_with_care_and_shorten_at_once():
    """Whatever one measurement says: an interrupt waits for a segment's end."""
    assert devices.next_length(100, 0.01, 0.5) == 1600
    assert devices.next_length(100, 0.0, 0.5) == 1600
    assert devices.next_length(100, 0.4, 0.5) == 125
    assert devices.next_length(100, 50.0, 0.5) == 1
    assert devices.next_length(1, 60.0, 0.5) == 1


@pytest.mark.parametrize(("call", "step"), [(10.0, 1e-3), (2.0, 1e-5), (0.0, 1e-3), (0.0, 10.0)])
@pytest.mark.parametrize("first", [1, 8, 10_000])
def test_segments_find_what_a_call_costs_although_the_pilot_missed_it(call, step, first):
    """Few segments where calls are slow, and short ones where steps are."""
    pace = devices.Pace(first, 100_000, 0.5)
    left, segments, spent = 100_000, [], 0.0
    while left and len(segments) < 10_000:
        steps = min(pace.length, left)
        seconds = call + steps * step
        segments.append(seconds)
        pace.took(steps, seconds)
        left -= steps
        spent += seconds
        if spent > 50_000:
            break
    work = (100_000 - left) * step
    assert spent - work <= 0.2 * work + 12 * call
    if not call:
        assert max([0.0, *segments[1:]]) <= max(0.75, 2 * step)


def test_flax_without_numbers_sweeps_only_the_recipe():
    class Dense(nn.Module):
        width: int = 3

        @nn.compact
        def __call__(self, x):
            return nn.Dense(1)(nn.tanh(nn.Dense(self.width)(x)))

    with pytest.raises(TypeError, match=r"width belongs to the model: Dense\(width=3\)"):
        run(recipe=ap.Recipe(model=Dense()), width=3)
    with pytest.raises(
        TypeError, match="sweepable: learning_rate, l2, l1, b1, b2, eps, range, center, noise"
    ):
        run(recipe=ap.Recipe(model=Dense()), wide=[3, 4])


SLIPS = {
    "seed": (3, "run() has no option 'seed'; did you mean seeds=3"),
    "epochs": (5, "epochs belongs to the recipe: ap.Recipe(epochs=5)"),
    "patience": (5, "did you mean ap.Recipe(stop=ap.stops.Patience(patience=...))?"),
    "batch_size": (8, "batch_size belongs to the recipe: ap.Recipe(batch_size=8)"),
    "steps": ([10, 20], "train the longest, with records= of the steps that you want"),
    "widths": ((20,), "widths belongs to the model: MLP(widths=(20,))"),
    "activation": ("relu", "activation belongs to the model: MLP(activation='relu')"),
    "size": (50, "size belongs to the task: Curve(size=50)"),
    "learning_rates": ([0.1, 0.2], "did you mean learning_rate=, a number to sweep?"),
    "thread": (2, "did you mean threads=, an option?"),
    "metrics_": ({}, "did you mean metrics=, an option?"),
    "bta1": (
        [0.9],
        "run() has no option 'bta1', and cannot sweep 'bta1'; sweepable: learning_rate",
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_met_with_what_was_meant(name):
    value, said = SLIPS[name]
    with pytest.raises(TypeError) as refused:
        run(**{name: value})
    assert said in str(refused.value)


def test_a_number_of_ones_own_may_have_the_name_of_a_slip(quiet):
    """What a task of one's own calls `seed` or `epochs` is swept like any other number."""
    runs = ap.run(Own(), LEAST, seeds=2, epochs=[1.0, 2.0], keep=(), **quiet)
    assert runs.sizes["epochs"] == 2


def test_values_that_a_task_of_ones_own_refuses_are_tried_one_by_one():
    with pytest.raises(ValueError, match=r"epochs is not 2\.5"):
        run(Own(), epochs=[1.0, 2.5, 3.0])


def test_numbers_that_follow_from_a_swept_one_are_swept_with_it(quiet):
    runs = ap.run(Own(), LEAST, seeds=1, epochs=[1.0, 1.5, 3.0], keep=(), **quiet)
    assert runs.y_test.isel(point=0, output=0).values.tolist() == [2.0, 3.0, 6.0]


@pytest.mark.parametrize(
    ("name", "value"), [("noise", -0.1), ("b1", 1.5), ("dropout", 1.0), ("range", 0.0)]
)
def test_a_long_axis_is_refused_for_a_single_value(name, value):
    model = replace(RECIPE, model=ap.MLP(dropout=0.1))
    with pytest.raises(ValueError, match=f"{value:g}"):
        run(recipe=model, **{name: [0.5, value, *np.linspace(0.1, 0.9, 50)]})


def test_lanes_that_nothing_fills_get_a_word():
    with pytest.warns(UserWarning, match="lanes is 8,192 for 64 trainings: .* 128 times the work"):
        limits.warn_of_idle_lanes(8_192, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        limits.warn_of_idle_lanes(8_192, 5_000)
        limits.warn_of_idle_lanes(512, 1)
