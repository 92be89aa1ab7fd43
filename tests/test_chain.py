"""Promise: chains of layers are their formulas, and running averages follow the batches alone."""

from dataclasses import replace
from functools import partial

import flax.linen as nn
import jax
import numpy as np
import pytest
from conftest import QUICK

import approx as ap
from approx.models import BatchNorm, Chain, Dense

X = np.random.default_rng(0).normal(size=(8, 2))
Y = X[:, :1] * X[:, 1:]
KEY = jax.random.key(0)
quick = partial(jax.jit, compiler_options=QUICK)


def normalised(x, epsilon):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + epsilon)


def test_layers_against_numpy():
    x = X.astype(np.float32)
    chain = Chain(
        [
            ap.models.Normalization([1.0, 2.0], [4.0, 0.0]),
            ap.models.Rescaling(1e-7, 0.5),
            ap.models.LayerNorm(epsilon=0.1),
            Dense(3, "swish", initializer=("he", "ones")),
            ap.models.Activation("softmax"),
        ]
    )
    params = quick(chain.init)(KEY, x)
    h = (X - [1, 2]) / [2, 1e-7] * 1e-7 + 0.5
    h = (h - h.mean(1, keepdims=True)) / np.sqrt(h.var(1, keepdims=True) + 0.1)
    z = h @ np.asarray(params[3]["w"]) + 1
    e = np.exp(z / (1 + np.exp(-z)))
    found = quick(chain.apply)(params, x)
    np.testing.assert_allclose(found, e / e.sum(1, keepdims=True), rtol=1e-5)


def test_dropout_and_noise_draw_in_training_alone():
    x = np.ones((400, 5), np.float32)
    chain = Chain([ap.models.Dropout(0.25), ap.models.GaussianNoise(0.1)])
    params = quick(chain.init)(KEY, x)
    np.testing.assert_array_equal(quick(chain.apply)(params, x), x)
    found = np.asarray(quick(lambda x, key: chain.apply(params, x, key=key))(x, KEY))
    dropped = found < 0.66
    assert abs(dropped.mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 2000)
    assert abs(found[~dropped].mean() - 4 / 3) < 0.02
    assert abs(found[dropped].std() - 0.1) < 0.02


class Flax(nn.Module):
    @nn.compact
    def __call__(self, x, train=False):
        x = nn.BatchNorm(use_running_average=not train, momentum=0.8, epsilon=1e-3)(x)
        return nn.Dense(1)(x)


def by_hand(w, b, unbiased, decay, batches):
    """Steps of gradient descent at rate 0.1, the normalisation's own numbers too."""
    mean, var, scale, shift = np.zeros(2), np.ones(2), np.ones(2), np.zeros(2)
    for rows in batches:
        x, y = X[rows], Y[rows]
        h = normalised(x, 1e-3)
        error = (h * scale + shift) @ w + b - y
        back = 2 * error / len(x)
        of_h = back @ w.T
        gradients = h.T @ of_h, of_h, (h * scale + shift).T @ back, back.sum(0)
        scale = scale - 0.1 * np.diag(gradients[0])
        shift = shift - 0.1 * gradients[1].sum(0)
        w, b = w - 0.1 * (gradients[2] + 2 * decay * w), b - 0.1 * gradients[3]
        mean = 0.8 * mean + 0.2 * x.mean(0)
        var = 0.8 * var + 0.2 * x.var(0, ddof=unbiased)
    judged = (X - mean) / np.sqrt(var + 1e-3) * scale + shift
    return mean, var, ((judged @ w + b - Y) ** 2).mean()


ALL = slice(None)


@pytest.mark.parametrize("kind", ["partial", "unbiased", "flax"])
def test_running_averages_against_numpy(kind):
    """In `train` and in `run`, with a penalty, that leaves the averages alone."""
    model = Flax()
    if kind != "flax":
        model = Chain([BatchNorm(momentum=0.8, unbiased=kind == "unbiased"), Dense(1)])
    task = ap.given(X, Y)
    recipe = ap.Recipe(
        model=model, optimizer="sgd", learning_rate=0.1, steps=2, records=(0, 2), l2=0.05
    )
    batches = [ALL, ALL]
    if kind == "partial":  # the second batch has three rows, and two that fill it up
        batches = [slice(0, 5), slice(5, 8)]
        recipe = replace(recipe, batch_size=5, batches="order")
    options = {"progress": False, "lanes": 2, "compiler_options": QUICK, "keep": ("params",)}
    runs = ap.run(task, recipe, seeds=2, **options)
    key = jax.random.fold_in(jax.random.key(0, impl="threefry2x32"), 0)
    first = quick(ap.init)(key, task, recipe).params
    dense = first["params"]["Dense_0"] if kind == "flax" else first["params"][1]
    w, b = (np.asarray(dense[name]) for name in (("kernel", "bias") if kind == "flax" else "wb"))
    mean, var, judged = by_hand(w, b, int(kind == "unbiased"), 0.05, batches)
    found = ap.params(runs, seed=0)
    found = jax.tree.leaves(found["batch_stats"])
    np.testing.assert_allclose(found[0], mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[1], var, rtol=1e-5)
    np.testing.assert_allclose(runs.loss.sel(seed=0).isel(step=-1), judged, rtol=1e-4)
    if kind == "unbiased":
        trace = quick(ap.train)(key, task, recipe)
        np.testing.assert_allclose(trace.loss, runs.loss.sel(seed=0), rtol=1e-5)


def test_what_batch_normalisation_cannot_take():
    with pytest.raises(ValueError, match="batch_size=3 leaves a partial batch of the 8 rows"):
        ap.run(ap.given(X, Y), ap.Recipe(model=Flax(), batch_size=3), seeds=1)
    torch = Chain([BatchNorm(unbiased=True), Dense(1)])
    with pytest.raises(ValueError, match="batch_size=7 leaves a last batch of one of the 8 rows"):
        ap.run(ap.given(X, Y), ap.Recipe(model=torch, batch_size=7, batches="once"), seeds=1)
    model = Chain([BatchNorm(), Dense(1)])
    with pytest.raises(ValueError, match="'bfgs' cannot train a network with batch normal"):
        ap.run(ap.given(X, Y), ap.Recipe(model=model, optimizer="bfgs"), seeds=1)
    with pytest.raises(TypeError, match="is no layer"):
        Chain([Dense(3), "relu"])


@pytest.mark.slow
def test_running_averages_go_on_after_a_segment_and_through_a_scaling(tmp_path):
    inner = Chain([Dense(4, "relu"), BatchNorm(), ap.models.Dropout(0.2), Dense(1)])
    model = ap.scalings.features(inner, X)
    recipe = ap.Recipe(model=model, optimizer="adamw", steps=6, batch_size=3, learning_rate=0.01)
    options = {"seeds": 3, "lanes": 3, "progress": False, "keep": ("params", "weight_norm")}
    whole = ap.run(ap.given(X, Y), recipe, **options)
    cut = ap.run(ap.given(X, Y), recipe, segment=2, out=tmp_path / "runs", **options)
    for name in whole.data_vars:
        np.testing.assert_array_equal(whole[name], cut[name], err_msg=name)
    params = ap.params(whole, seed=1)
    trained = jax.tree.leaves(params["params"])
    norm = np.sqrt(sum((np.asarray(leaf) ** 2).sum() for leaf in trained))
    found = whole.weight_norm.sel(seed=1).isel(step=-1)
    np.testing.assert_allclose(found, norm, rtol=1e-5)  # without the averages
    error = np.asarray(ap.predict(params, X, recipe)) - Y
    np.testing.assert_allclose(whole.loss.sel(seed=1).isel(step=-1), (error**2).mean(), rtol=1e-4)
