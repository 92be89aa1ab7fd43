"""Promise: what a program's text does not show, a callback or a value of the host, is never taken for another's."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import approx as ap
from approx import hosts

TASK, RECIPE = ap.tasks.square(), ap.Recipe(model=ap.MLP((2,)), steps=4)
FACTOR = 1.0
ONE = jax.ShapeDtypeStruct((), jnp.float32)


def times(factor):
    """A metric whose factor only the host knows."""

    def metric(params, predict):
        return jax.pure_callback(lambda v: np.float32(factor) * v, ONE, jnp.float32(1), vmap_method="broadcast_all")

    return metric


def reads_global(params, predict):
    return jnp.float32(FACTOR)


def test_two_callbacks_are_two_programs_and_have_two_identities(quiet):
    runs = [ap.run(TASK, RECIPE, seeds=2, metrics={"m": times(f)}, **quiet) for f in (1.0, 1000.0)]
    assert [float(one.m[0, 0]) for one in runs] == [1.0, 1000.0]
    assert runs[0].identity != runs[1].identity


def test_a_folder_refuses_callbacks(quiet, tmp_path):
    with pytest.raises(ValueError, match=r"JAX callback.*leave out= out"):
        ap.run(TASK, RECIPE, seeds=2, metrics={"m": times(1.0)}, out=tmp_path / "sweep", **quiet)
    assert not (tmp_path / "sweep" / "sweep.json").exists()


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


def test_fingerprints_see_what_functions_read_and_no_more():
    def closing(value):
        return lambda x: value

    state = [1]
    before = hosts.fingerprint(closing(state))
    assert hosts.fingerprint(closing([1])) == before  # made anew
    state.append(2)
    assert hosts.fingerprint(closing(state)) != before
    assert hosts.fingerprint(closing(np.zeros(2))) != hosts.fingerprint(closing(np.ones(2)))
    plan = lambda recipe: ap.plans.make_plan(  # noqa: E731
        TASK, recipe, seeds=1, lanes=1, form=None, key=0, freeze=(), cross=None, init_params=None, grid={},
        keep=ap.Keep(),
    )  # fmt: skip
    other = replace(RECIPE, learning_rate=0.5, model=ap.MLP((2,)))
    assert plan(RECIPE).structure == plan(other).structure  # so that nothing is traced again
