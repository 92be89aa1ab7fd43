"""Promise: standardisation inside a model is undone exactly, and is that of the data outside it."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import QUICK

import approx as ap
from approx import scalings
from approx.sweep import facts, layouts

RNG = np.random.default_rng(3)
X = RNG.normal([5.0, -3.0, 100.0], [0.1, 2.0, 30.0], (40, 3))
MEAN, SD = X.mean(0), X.std(0)
KEY = jax.random.key(4)
quick = partial(jax.jit, compiler_options=QUICK)
NET = ap.MLP((4,), outputs=3, init_scale=0.7)
CHAIN = ap.Recipe(
    model=NET, optimizer="sgd", learning_rate=0.05, batch_size=None, steps=10, records=range(11)
)


def outputs(model, x=X):
    with jax.enable_x64(True):
        params = quick(model.init)(KEY, x)
        of_net = quick(NET.apply)
        return np.asarray(quick(model.apply)(params, x)), lambda z: np.asarray(of_net(params, z))


def test_per_feature():
    out, inner = outputs(scalings.features(NET, X))
    with jax.enable_x64(True):
        np.testing.assert_allclose(out, inner((X - MEAN) / SD), rtol=1e-12)
        out, inner = outputs(scalings.features(NET, X, undo=True))
        np.testing.assert_allclose(out, MEAN + SD * inner((X - MEAN) / SD), rtol=1e-12)
        out, inner = outputs(scalings.PerFeature(NET, 0.5, 0.289))
        np.testing.assert_allclose(out, inner((X - 0.5) / 0.289), rtol=1e-12)


def test_per_sample():
    mean, sd = X.mean(1, keepdims=True), X.std(1, keepdims=True)
    out, inner = outputs(scalings.PerSample(NET))
    with jax.enable_x64(True):
        np.testing.assert_allclose(out, mean + sd * inner((X - mean) / sd), rtol=1e-12)
        out, inner = outputs(scalings.PerSample(NET, undo=False))
        np.testing.assert_allclose(out, inner((X - mean) / sd), rtol=1e-12)


def test_what_is_undone_leaves_an_identity_alone():
    identity = ap.MLP((), outputs=3, initializer="identity")
    for model in (
        scalings.features(identity, X, undo=True),
        scalings.PerSample(identity),
        scalings.PerSample(scalings.features(identity, X, undo=True)),
    ):
        np.testing.assert_allclose(outputs(model)[0], X, rtol=1e-12)


def test_values_are_compared_and_numbers_are_leaves():
    one, two = scalings.features(NET, X), scalings.features(replace(NET), X.copy())
    assert one == two
    assert hash(one) == hash(two)
    assert jax.tree.structure(one) == jax.tree.structure(scalings.features(NET, X + 1))
    # Centers, scales, those of the outputs, init_scale
    assert len(jax.tree.leaves(one)) == 3 + 3 + 2 + 1
    assert replace(CHAIN, model=one).traced_model


@pytest.mark.slow
def test_training_in_standardised_units_is_training_on_standardised_data():
    with jax.enable_x64(True):
        recipe = replace(CHAIN, dtype="float64")
        z = (X - MEAN) / SD
        plain = ap.train(KEY, ap.given(z, z), recipe)
        task = ap.given(X, X, loss=ap.losses.ScaledError(tuple(SD.tolist())))
        inside = ap.train(KEY, task, replace(recipe, model=scalings.features(NET, X, undo=True)))
        np.testing.assert_allclose(inside.loss, plain.loss, rtol=1e-10)
        np.testing.assert_allclose(inside.prediction, MEAN + SD * plain.prediction, rtol=1e-10)
        mean, sd = X.mean(1, keepdims=True), X.std(1, keepdims=True)
        plain = ap.train(KEY, ap.given((X - mean) / sd, (X - mean) / sd), recipe)
        task = ap.given(X, X, loss=ap.losses.ScaledError())
        inside = ap.train(KEY, task, replace(recipe, model=scalings.PerSample(NET)))
        np.testing.assert_allclose(inside.loss, plain.loss, rtol=1e-10)


@pytest.mark.slow
def test_lanes_and_vmap_agree_and_inner_numbers_are_swept(quiet):
    z = (X - X.mean(1, keepdims=True)) / X.std(1, keepdims=True)
    task = ap.given(X, X, loss=ap.losses.ScaledError((0.1, 2.0, 30.0)))
    recipe = replace(
        CHAIN, model=scalings.PerSample(scalings.features(NET, z, undo=True)), learning_rate=1e-5
    )
    options = quiet | {"seeds": 4, "init_scale": [0.7, 0.1]}
    fast, plain = (ap.run(task, recipe, form=form, **options) for form in ("lanes", "vmap"))
    np.testing.assert_allclose(fast.loss, plain.loss, rtol=1e-4)  # float32, summed in another order
    np.testing.assert_allclose(fast.prediction, plain.prediction, rtol=1e-4, atol=1e-3)
    assert (fast.loss.isel(step=-1) < fast.loss.isel(step=0)).all()
    assert (fast.loss.isel(init_scale=0).values != fast.loss.isel(init_scale=1).values).all()


def test_a_scaled_task_takes_the_lanes_form_by_itself_and_others_do_not():
    def possible(model):
        return layouts.possible(facts.find(ap.given(X, X), replace(CHAIN, model=model)))

    assert possible(scalings.features(NET, X, undo=True))
    assert possible(replace(NET, activation=ap.models.Elementwise(jnp.arctan)))
    assert not possible(scalings.PerSample((NET.init, NET.apply)))
    assert possible(replace(NET, activation=jnp.arctan))


CASES = {
    "columns": (
        lambda: scalings.PerFeature(NET, (1.0, 2.0)),
        "center has 2 numbers, for 3 columns",
    ),
    "constant column": (lambda: scalings.features(NET, np.ones((4, 3))), "a scale is above 0"),
    "one column": (lambda: scalings.PerSample(NET), "two columns or more, not of 1"),
}


@pytest.mark.parametrize("case", CASES)
def test_refused(case):
    make, message = CASES[case]
    x = X[:, :1] if case == "one column" else X
    with pytest.raises(ValueError, match=message):
        ap.run(ap.given(x, X), replace(CHAIN, model=make()), seeds=1, progress=False)
