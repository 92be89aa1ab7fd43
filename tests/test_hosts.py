"""Promise: what a program's text does not show, a callback or a value of the host, is never taken
for another's.
"""

from collections import deque
from dataclasses import replace
from datetime import date
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest
import xarray as xr
from flax import linen

import approx as ap
from approx.sweep import hosts
from approx.sweep.plans import make_plans
from approx.sweep.request import Request, checked

TASK, RECIPE = ap.tasks.square(), ap.Recipe(model=ap.MLP(()), steps=4)
MODEL, ROWS = (
    ap.MLP((2,)),
    ap.given(np.linspace(-1, 1, 5), np.zeros(5), np.linspace(-1, 1, 5), np.zeros(5)),
)
FACTOR = 1.0
ONE = jax.ShapeDtypeStruct((), jnp.float32)


def times(factor):
    """A metric whose factor only the host knows."""

    def metric(params, predict):
        return jax.pure_callback(
            lambda v: np.float32(factor) * v, ONE, jnp.float32(1), vmap_method="broadcast_all"
        )

    return metric


def reads_global(params, predict):
    return jnp.float32(FACTOR)


def test_two_callbacks_are_two_programs_and_have_two_identities(quiet):
    runs = [ap.run(TASK, RECIPE, seeds=2, metrics={"m": times(f)}, **quiet) for f in (1.0, 1000.0)]
    assert [float(one.m[0, 0]) for one in runs] == [1.0, 1000.0]
    assert runs[0].fingerprint != runs[1].fingerprint


def test_a_folder_refuses_callbacks(quiet, tmp_path):
    with pytest.raises(ValueError, match=r"JAX callback.*leave out= out"):
        ap.run(TASK, RECIPE, seeds=2, metrics={"m": times(1.0)}, out=tmp_path / "sweep", **quiet)
    assert not (tmp_path / "sweep" / "sweep.json").exists()


@pytest.mark.slow  # test_fingerprints_see_what_functions_read_and_no_more sees it
def test_a_global_that_changed_is_read_again(quiet, monkeypatch):
    first = ap.run(TASK, RECIPE, seeds=2, metrics={"m": reads_global}, **quiet)
    monkeypatch.setattr(f"{__name__}.FACTOR", 7.0)
    second = ap.run(TASK, RECIPE, seeds=2, metrics={"m": reads_global}, **quiet)
    assert (float(first.m[0, 0]), float(second.m[0, 0])) == (1.0, 7.0)


def test_callbacks_are_found_in_loops_and_branches():
    def loss(outputs, targets):
        return jnp.zeros(3)

    def program(x):
        body = lambda n, x: jax.lax.cond(x > 0, lambda: times(1.0)(None, None), lambda: x)  # noqa: E731
        jax.debug.callback(lambda x: None, x)
        return jax.lax.fori_loop(0, n, body, x)

    n = jnp.int32(3)
    assert len(list(hosts.callbacks(jax.make_jaxpr(program)(1.0).jaxpr))) == 2
    assert not list(hosts.callbacks(jax.make_jaxpr(loss)(1.0, 1.0).jaxpr))


VALUES = {
    "nesting": ([[1], 2], [[1, 2]]),
    "set": ({1}, {2}),
    "dataset": (xr.Dataset({"a": ("x", [1.0])}), xr.Dataset({"a": ("x", [2.0])})),
    "table": (pd.Series([1]), pd.Series([2])),
    "queue": (deque([1]), deque([2])),
    "bytes": (bytearray(b"1"), bytearray(b"2")),
    "date": (date(2020, 1, 1), date(2021, 1, 1)),
    "fraction": (Fraction(1, 2), Fraction(1, 3)),
    "random numbers": (np.random.default_rng(0), np.random.default_rng(1)),
    "objects": (np.array([{1: 2}]), np.array([{1: 3}])),
}


@pytest.mark.parametrize("kind", VALUES)
def test_values_of_any_kind_that_differ_are_seen(kind):
    one, other = VALUES[kind]
    assert hosts.fingerprint(one) != hosts.fingerprint(other)
    assert hosts.fingerprint(one) == hosts.fingerprint(one)


def test_globals_behind_classes_schedules_and_jitted_functions_are_seen(monkeypatch):
    class Above:
        def method(self):
            return FACTOR

        @property
        def field(self):
            return FACTOR

        @staticmethod
        def alone():
            return FACTOR

    class Net(linen.Module):
        @linen.compact
        def __call__(self, x):
            return FACTOR * linen.Dense(1)(x)

    below = type("Below", (Above,), {})()
    users = {"methods": below, "schedule": optax.sgd(lambda step: FACTOR), "module": Net()}
    users["jitted"] = jax.jit(lambda x: FACTOR * x)
    before = {name: hosts.fingerprint(user) for name, user in users.items()}
    assert before == {name: hosts.fingerprint(user) for name, user in users.items()}
    monkeypatch.setattr(f"{__name__}.FACTOR", 7.0)
    assert not [name for name, user in users.items() if hosts.fingerprint(user) == before[name]]


def test_large_deep_and_cyclic_values_are_described_once():
    deep, cycle, many = [], [], [[n] for n in range(5000)]
    for _ in range(5000):
        deep = [deep]
    cycle.append(cycle)
    assert hosts.fingerprint(deep) != hosts.fingerprint(deep[0])
    assert hosts.fingerprint(cycle) == hosts.fingerprint(cycle)
    # And not each as often as it is met
    assert len(list(hosts.walked([many, many[::-1]]))) == 3 + 3 * len(many)


CALLS = {
    "correct": (
        lambda call: replace(ROWS, correct=lambda outputs, y: call(outputs[:, 0]) > 10),
        RECIPE,
        "accuracy",
    ),
    "model": (ROWS, lambda call: (MODEL.init, lambda p, x: MODEL.apply(p, x) + call(x)), "loss"),
}


def calling(factor):
    """Gives so many ones as `like` has, times a factor that only the host knows."""

    def call(like):
        shape = jax.ShapeDtypeStruct(like.shape, jnp.float32)
        made = lambda v: np.full(np.shape(v), factor, np.float32)  # noqa: E731
        return jax.pure_callback(made, shape, jnp.ones(like.shape), vmap_method="broadcast_all")

    return call


@pytest.mark.slow
@pytest.mark.parametrize("where", CALLS)
def test_callbacks_in_tasks_and_models_are_told_apart(where, quiet):
    task, model, of = CALLS[where]
    runs = []
    for factor in (1.0, 1000.0):
        call = calling(factor)
        its_task = task(call) if where == "correct" else task
        recipe = model if where == "correct" else replace(RECIPE, model=model(call))
        runs.append(ap.run(its_task, recipe, seeds=2, **quiet))
    assert runs[0].fingerprint != runs[1].fingerprint
    assert float(runs[1][of][0, -1]) > 2 * float(runs[0][of][0, -1])


def test_fingerprints_see_what_functions_read_and_no_more():
    def closing(value):
        return lambda x: value

    state = [1]
    before = hosts.fingerprint(closing(state))
    assert hosts.fingerprint(closing([1])) == before  # made anew
    state.append(2)
    assert hosts.fingerprint(closing(state)) != before
    assert hosts.fingerprint(closing(np.zeros(2))) != hosts.fingerprint(closing(np.ones(2)))

    def structure(recipe):
        (plan,) = make_plans(checked(Request(task=TASK, recipe=recipe, seeds=1, lanes=1)))
        return plan.structure

    other = replace(RECIPE, learning_rate=0.5, model=ap.MLP(()))
    assert structure(RECIPE) == structure(other)  # so that nothing is traced again
