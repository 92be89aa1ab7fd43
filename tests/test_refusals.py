"""Promise: bad input is refused before any training, naming the value and what would be right."""

from dataclasses import replace

import flax.linen as nn
import jax
import numpy as np
import optax
import pytest

import approx as ap

SQUARE, RECIPE = ap.tasks.square(), ap.Recipe(steps=5)
LABELS = ap.given([0.0, 1.0, 2.0], [0, 1, 2], loss="cross_entropy")
X = np.arange(4.0)
ONE = jax.numpy.ones((1, 1))


class Normed(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(1)(nn.BatchNorm(use_running_average=False)(x))


def run(task=SQUARE, recipe=RECIPE, **options):
    return ap.run(task, recipe, **{"seeds": 2, "lanes": 2, "progress": False} | options)


CASES = {
    "unknown number": (lambda: run(momentun=[0.1]), TypeError, "cannot sweep 'momentun'; sweepable: learning_rate"),
    "structure": (lambda: run(steps=[1, 2]), TypeError, "cannot sweep 'steps'"),
    "ambiguous": (
        lambda: run(ap.tasks.sine(), replace(RECIPE, model=ap.MLP((4,), "sin")), frequency=[1.0, 2.0]),
        TypeError,
        "write one of model.frequency, task.frequency",
    ),
    "not numbers": (lambda: run(learning_rate=["a"]), TypeError, "not numbers"),
    "empty grid": (lambda: run(learning_rate=[]), ValueError, "one or more values"),
    "repeated value": (lambda: run(learning_rate=[0.1, 0.1]), ValueError, "repeats the value 0.1"),
    "infinite value": (lambda: run(learning_rate=[0.1, np.inf]), ValueError, "inf"),
    "twice": (lambda: run(**{"range": [1.0], "task.range": [1.0]}), TypeError, "names one number twice"),
    "useless number": (lambda: run(a=[1.0]), ValueError, "a belongs to the activation 'snake'"),
    "bad dropout in a grid": (lambda: run(dropout=[0.1, 1.5]), ValueError, "dropout is a rate in \\[0, 1\\), not 1.5"),
    "nan in the recipe": (lambda: run(recipe=ap.Recipe(learning_rate=float("nan"))), ValueError, "not finite"),
    "x and y": (lambda: ap.given(X, X[:3]), ValueError, "differ in their number of rows: 4 and 3"),
    "x and x_test": (lambda: ap.given(X, X, np.ones((5, 2)), X), ValueError, "differ"),
    "x_test alone": (lambda: ap.given(X, X, X), ValueError, "x_test and y_test come together"),
    "not finite": (lambda: ap.given(X, [1, 2, np.nan, 4]), ValueError, r"y\[2, 0\] is nan"),
    "f not finite": (lambda: ap.task(lambda x: np.where(x > 0, x, -np.inf), X), ValueError, r"y\[0, 0\] is -inf"),
    "three axes": (lambda: ap.given(np.ones((2, 2, 2)), X[:2]), ValueError, "shape \\(2, 2, 2\\)"),
    "no rows": (lambda: ap.given([], []), ValueError, "not empty"),
    "fractional labels": (lambda: ap.given(X, X + 0.5, loss="cross_entropy"), ValueError, "whole numbers"),
    "negative labels": (lambda: ap.given(X, X - 1, loss="cross_entropy"), ValueError, "whole numbers"),
    "label out of range": (lambda: run(LABELS, ap.Recipe(model=ap.MLP(outputs=2))), ValueError, "label 2.*0 to 1"),
    "outputs": (lambda: run(ap.given(X, np.ones((4, 3)))), ValueError, "outputs have shape \\(4, 1\\).*\\(4, 3\\)"),
    "loss per row": (lambda: run(replace(SQUARE, loss=lambda f, y: (f - y).mean())), ValueError, "one value per row"),
    "unknown loss": (lambda: replace(SQUARE, loss="mae"), ValueError, "unknown loss 'mae'; there is: mse"),
    "validation": (lambda: ap.tasks.square(validation=1.0), ValueError, "share of the rows in \\[0, 1\\), not 1.0"),
    "validation takes all": (lambda: run(ap.given([1.0], [1.0], validation=0.9)), ValueError, "leaves none of 1 rows"),
    "inputs": (lambda: ap.tasks.square(inputs="random"), ValueError, "'grid' or 'uniform'"),
    "size": (lambda: ap.tasks.square(size=0), ValueError, "size is 0"),
    "steps": (lambda: ap.Recipe(steps=0), ValueError, "steps is 0; it must be a whole number of at least 1"),
    "half a step": (lambda: ap.Recipe(steps=2.5), ValueError, "steps is 2.5"),
    "batch of none": (lambda: ap.Recipe(batch_size=0), ValueError, "batch_size is 0"),
    "batch too large": (lambda: run(recipe=ap.Recipe(batch_size=22)), ValueError, "more than the 21 training rows"),
    "stream of a grid": (lambda: run(LABELS, replace(RECIPE, model=ap.MLP(outputs=3), batches="stream", batch_size=2)),
                         ValueError, "no endless stream"),
    "stream without size": (lambda: ap.Recipe(batches="stream"), ValueError, "needs a batch_size"),
    "batches": (lambda: ap.Recipe(batches="random"), ValueError, "unknown batches 'random'; there is: epoch"),
    "records": (lambda: ap.Recipe(steps=10, records=(0, 20)), ValueError, "between 0 and steps=10"),
    "records fall": (lambda: ap.Recipe(steps=10, records=(5, 2)), ValueError, "increasing"),
    "one record": (lambda: ap.Recipe(records=1), ValueError, "at least 2"),
    "dtype": (lambda: ap.Recipe(dtype="float16"), ValueError, "unknown dtype 'float16'; there is: float32, float64"),
    "l2_on": (lambda: ap.Recipe(l2_on="bias"), ValueError, "unknown l2_on 'bias'"),
    "activation": (lambda: ap.MLP((3,), "tanhh"), ValueError, "unknown activation 'tanhh'; there is: tanh, relu"),
    "initializer": (lambda: ap.MLP(initializer="xavier"), ValueError, "unknown initializer 'xavier'; there is: keras"),
    "width": (lambda: ap.MLP((3, 0)), ValueError, "at least 1"),
    "frequency of tanh": (lambda: ap.MLP((3,), frequency=2.0), ValueError, "frequency belongs to the activation 'sin'"),
    "optimizer": (lambda: ap.Recipe(optimizer="adamax"), ValueError, "unknown optimizer 'adamax'; there is: sgd"),
    "option": (lambda: ap.Recipe(options={"beta1": 0.9}), ValueError, "'adam' has no option 'beta1'; it has: b1"),
    "schedule as rate": (lambda: ap.Recipe(learning_rate=optax.linear_schedule(1, 0, 5)), TypeError, "schedule=it"),
    "schedule": (lambda: ap.Recipe(schedule="step"), ValueError, "unknown schedule 'step'; there is: cosine, linear"),
    "rate twice": (lambda: ap.Recipe(optimizer=optax.sgd(0.1)), ValueError, "learning_rate=None"),
    "no rate": (lambda: ap.Recipe(learning_rate=None), ValueError, "needs a learning_rate"),
    "no model": (lambda: ap.Recipe(model="mlp"), TypeError, "no model"),
    "batch norm": (lambda: run(recipe=ap.Recipe(model=Normed())), ValueError, "'batch_stats'"),
    "no optax": (lambda: run(recipe=ap.Recipe(optimizer=lambda rate: rate)), TypeError, "no optax transformation"),
    "no task": (lambda: run("square"), TypeError, "make one with ap.task"),
    "no recipe": (lambda: run(recipe="adam"), TypeError, "make one with ap.Recipe"),
    "no recipes": (lambda: run(recipe={}), ValueError, "empty"),
    "seeds": (lambda: run(seeds=0), ValueError, "seeds is 0"),
    "half a seed": (lambda: run(seeds=1.5), ValueError, "whole number"),
    "negative seed": (lambda: run(seeds=[-1, 2]), ValueError, "between 0 and 2\\^32"),
    "repeated seed": (lambda: run(seeds=[3, 4, 3]), ValueError, "seed 3 is repeated"),
    "lanes": (lambda: run(lanes=0), ValueError, "lanes is 0"),
    "threads": (lambda: run(threads=0), ValueError, "threads is 0"),
    "segment": (lambda: run(segment=0), ValueError, "segment is 0"),
    "freeze": (lambda: run(freeze=("weights",)), ValueError, "cannot freeze 'weights'; the streams are: init"),
    "freeze a string": (lambda: run(freeze="init"), TypeError, "write a tuple"),
    "keep": (lambda: run(keep=("weights",)), ValueError, "cannot keep 'weights'; there is: prediction"),
    "keep_at": (lambda: run(keep_at=(4711,)), ValueError, "keep_at=4711 is no record step"),
    "metric": (lambda: run(metrics={"loss": lambda p, f: 0}), ValueError, "a name of its own"),
    "other params": (lambda: run(init_params=[1.0]), ValueError, "init_params do not fit the model"),
    "other shapes": (lambda: run(init_params=ap.MLP((3,)).init(jax.random.key(0), ONE)), ValueError, "shapes"),
    "recipes of other steps": (lambda: run(recipe={"a": RECIPE, "b": ap.Recipe(steps=6)}), ValueError, "record steps"),
    "labels of recipes": (lambda: run(recipe={1: RECIPE, 2: RECIPE}), TypeError, "strings"),
    "no params kept": (lambda: ap.params(run(), seed=0), ValueError, 'keep=\\("prediction", "params"\\)'),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refused(case, monkeypatch):
    call, error, message = CASES[case]
    if case != "no params kept":
        monkeypatch.setattr(
            ap.blocks, "build", lambda *_: pytest.fail("the block was compiled before this was refused")
        )
    with pytest.raises(error, match=f"(?s){message}"):
        call()


def test_nothing_is_trained_before_everything_is_checked(monkeypatch):
    monkeypatch.setattr(ap.blocks, "build", lambda *_: pytest.fail("compiled before the second recipe was checked"))
    with pytest.raises(ValueError, match="more than the 21 training rows"):
        run(recipe={"good": RECIPE, "bad": replace(RECIPE, batch_size=30)})


def test_what_cannot_fit_into_memory_is_refused_with_a_suggestion(monkeypatch):
    monkeypatch.setattr(ap.runs.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 200_000})())
    with pytest.raises(MemoryError, match=r"2,000 trainings need .* are free: keep=\(\)"):
        run(seeds=2000)
    with pytest.raises(MemoryError, match="lanes=16 takes less"):
        run(ap.tasks.square(size=5000), seeds=1, lanes=64, keep=())
    run(seeds=10, keep=())


def test_flax_without_numbers_sweeps_only_the_recipe():
    class Dense(nn.Module):
        width: int = 3

        @nn.compact
        def __call__(self, x):
            return nn.Dense(1)(nn.tanh(nn.Dense(self.width)(x)))

    with pytest.raises(
        TypeError, match="cannot sweep 'width'; sweepable: learning_rate, l2, b1, b2, eps, range, noise"
    ):
        run(recipe=ap.Recipe(model=Dense()), width=[3, 4])
