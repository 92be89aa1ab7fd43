"""Promise: ten updates of every case are those of a few lines of numpy, from the same weights,
batches and masks.
"""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from conftest import QUICK

import approx as ap
from approx.training import inputs
from tests.test_scripts import script

KEY = jax.random.key(11)
STEPS = 10
EXACT = {"rtol": 1e-9, "atol": 1e-12}  # float64, summed in another order


def literal(case, label):
    """Task and recipe of an experiment, which is a study or lists its recipes."""
    experiment = script("experiments", case)
    if hasattr(experiment, "study"):
        row = experiment.study().rows[label]
        return row.task, row.recipe
    return experiment.RECIPES[label]


class Ten:
    """Ten updates of a literal recipe in float64, one by one: their start, rows and results."""

    def __init__(self, label, case, task=None, **changes):
        its_task, recipe = literal(case, label)
        self.task, self.recipe = (
            its_task if task is None else task,
            replace(recipe, dtype="float64", **changes),
        )
        keys = inputs.as_keys(KEY)
        soon = partial(jax.jit, compiler_options=QUICK)

        @soon
        def begin():
            rows = inputs.prepare(keys, self.task, self.recipe).rows
            return ap.init(keys, self.task, self.recipe), rows

        state, rows = begin()
        self.first, self.seen, self.losses = arrays(state.params), [], []

        @soon
        def step(state, n):
            x, y, weights, index = inputs.batch(keys, n, rows, self.task, self.recipe)
            if index is not None:
                x, y = x[index], y[index]
            key = jax.random.fold_in(keys.dropout, n)
            new = ap.update(state, x, y, self.task, self.recipe, key, weights)
            mask = ap.models.dropout(key, 0, jnp.ones((1, 10)), 0.5) > 0
            return new, (x, y, jnp.ones(len(x)) if weights is None else weights, mask)

        for n in range(STEPS):
            new, seen = step(state, n)
            self.seen.append(tuple(map(np.asarray, seen)))
            self.losses.append(
                float((new.loss_sum - state.loss_sum) / (new.row_sum - state.row_sum))
            )
            state = new
        self.last = arrays(state.params)

    def agree(self, *params):
        for layer, other in zip(self.last, params, strict=True):
            for name, values in other.items():
                np.testing.assert_allclose(layer[name], values, err_msg=name, **EXACT)


def arrays(params):
    return [{name: np.array(values) for name, values in layer.items()} for layer in params]


def test_interval():
    with jax.enable_x64(True):
        ten = Ten("baseline", "interval")
    rate = 0.01
    (w1, b1), (w2, b2) = ((layer["w"], layer["b"]) for layer in ten.first)
    for (x, y, weights, _), loss in zip(ten.seen, ten.losses, strict=True):
        h = scipy.special.expit(x @ w1 + b1)
        p = scipy.special.expit(h @ w2 + b2)
        row = -(y * np.log(p) + (1 - y) * np.log(1 - p))[:, 0]
        assert loss == pytest.approx((row * weights).sum() / weights.sum(), rel=1e-9)
        d = (p - y) * weights[:, None] / weights.sum()
        back = (d @ w2.T) * h * (1 - h)
        w1, b1 = w1 - rate * x.T @ back, b1 - rate * back.sum(0)
        w2, b2 = w2 - rate * h.T @ d, b2 - rate * d.sum(0)
    ten.agree({"w": w1, "b": b1}, {"w": w2, "b": b2})
    assert [int(weights.sum()) for _, _, weights, _ in ten.seen] == [32] * 9 + [12]


def test_waveform():
    """Keras' RMSprop on sigmoids and a softmax, fresh rows each step."""
    model = ap.MLP((4, 8), "sigmoid", outputs=4, initializer="keras")
    with jax.enable_x64(True):
        ten = Ten(
            "32 classes, RMSprop",
            "waveform",
            ap.tasks.waveform(classes=4, dim=6),
            model=model,
            batch_size=4,
        )
    weights = [layer[name] for layer in ten.first for name in ("w", "b")]
    means = [np.zeros_like(w) for w in weights]
    for x, y, _, _ in ten.seen:
        w1, b1, w2, b2, w3, b3 = weights
        h1 = scipy.special.expit(x @ w1 + b1)
        h2 = scipy.special.expit(h1 @ w2 + b2)
        d3 = (scipy.special.softmax(h2 @ w3 + b3, 1) - np.eye(4)[y]) / 4
        d2 = (d3 @ w3.T) * h2 * (1 - h2)
        d1 = (d2 @ w2.T) * h1 * (1 - h1)
        gradients = [x.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ d3, d3.sum(0)]
        means = [0.9 * m + 0.1 * g**2 for m, g in zip(means, gradients, strict=True)]
        weights = [
            w - 1e-3 * g / np.sqrt(m + 1e-7)
            for w, g, m in zip(weights, gradients, means, strict=True)
        ]
    ten.agree(*({"w": w, "b": b} for w, b in zip(weights[::2], weights[1::2], strict=True)))
    assert np.abs(ten.seen[0][0] - ten.seen[1][0]).max() > 0
    assert [y.tolist() for _, y, _, _ in ten.seen] == [[0, 1, 2, 3]] * STEPS


@pytest.mark.parametrize("label", [pytest.param("A", marks=pytest.mark.slow), "A, per sample"])
def test_identity(label):
    small = ap.tasks.identity("A", size=100, dim=7)
    model = replace(script("experiments", "identity").LINEAR, outputs=7)
    with jax.enable_x64(True):
        ten = Ten(
            label, "identity", small, model=model if label == "A" else ap.scalings.PerSample(model)
        )
    w, b = ten.first[0]["w"], ten.first[0]["b"]
    for (x, y, weights, _), loss in zip(ten.seen, ten.losses, strict=True):
        mean, sd = (
            (0.0, 1.0) if label == "A" else (x.mean(1, keepdims=True), x.std(1, keepdims=True))
        )
        z = (x - mean) / sd
        error = mean + sd * (z @ w + b) - y
        assert loss == pytest.approx(
            float(((error**2).mean(1) * weights).sum() / weights.sum()), rel=1e-9
        )
        d = 2 * sd * error / 7 * weights[:, None] / weights.sum()
        w, b = w - 0.01 * z.T @ d, b - 0.01 * d.sum(0)
    ten.agree({"w": w, "b": b})
    # 70 rows, 30 for validation
    assert [int(weights.sum()) for _, _, weights, _ in ten.seen] == [8] * 8 + [6, 8]


@pytest.mark.parametrize(
    "label",
    ["baseline", "both corrected"]
    + [pytest.param(f"{name} corrected", marks=pytest.mark.slow) for name in ("relu", "mask")],
)
def test_clusters(label):
    """The thread's own loop, with its derivatives or the right ones."""
    relu_is_right, mask_is_right = (
        label in (f"{name} corrected", "both corrected") for name in ("relu", "mask")
    )
    with jax.enable_x64(True):
        ten = Ten(label, "clusters")
    w1, w2 = (layer["w"] for layer in ten.first)
    mask_of_slope = 1
    if mask_is_right:
        mask_of_slope = 2
    assert max(abs(w1).max(), abs(w2).max()) <= 0.1
    for n, ((x, y, _, mask), loss) in enumerate(zip(ten.seen, ten.losses, strict=True)):
        np.testing.assert_array_equal(x, ten.task.x[n : n + 1])
        hidden = np.maximum(x @ w1, 0)
        used = hidden * mask * 2
        error = used @ w2 - y
        assert loss == pytest.approx(float((error**2).sum()) / 2, rel=1e-9)
        active = used >= 0
        if relu_is_right:
            active = hidden > 0
        back = error @ w2.T * active * mask * mask_of_slope
        w1, w2 = w1 - 0.002 * x.T @ back, w2 - 0.002 * used.T @ error
    ten.agree({"w": w1}, {"w": w2})
