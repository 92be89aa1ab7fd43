"""Promise: what linear models and classifiers can reach is exact, and training follows the
predicted trajectory.
"""

import numpy as np
import pytest

import approx as ap

RNG = np.random.default_rng(3)
X, Y = RNG.uniform(size=(50, 4)), RNG.normal(size=(50, 2))


def test_least_squares_and_bottleneck():
    found = ap.floors.least_squares(X, Y)
    solution, squares, *_ = np.linalg.lstsq(np.c_[X, np.ones(50)], Y)
    np.testing.assert_allclose(
        [*found.weights.ravel(), *found.bias], [*solution[:4].ravel(), *solution[4]], atol=1e-12
    )
    assert np.isclose(found.mse, squares.sum() / Y.size)
    # Rank-deficient: the least norm shares the weight
    twice = ap.floors.least_squares(np.c_[X, X[:, :1]], Y)
    np.testing.assert_allclose(
        twice.weights[[0, 4]], np.stack([found.weights[0] / 2] * 2), atol=1e-12
    )
    eigenvalues = np.linalg.eigvalsh(np.cov(X.T, bias=True))
    for units in range(5):
        assert np.isclose(
            ap.floors.pca_residual(X, units), eigenvalues[: 4 - units].sum() / 4, atol=1e-15
        )
    assert np.isclose(
        ap.floors.pca_residual(X, 1, bias=False), np.linalg.eigvalsh(X.T @ X)[:-1].sum() / X.size
    )


@pytest.mark.parametrize("loss", ["mse", "half_squared_error"])
@pytest.mark.parametrize("bias", [True, False])
def test_descent_is_gradient_descent(loss, bias):
    """Against a loop in float64, on rank-deficient inputs."""
    x = np.c_[X, X[:, :1] - X[:, 1:2]]
    rng = np.random.default_rng(0)
    w, b = rng.normal(size=(5, 2)), rng.normal(size=2) * bias
    steps, rate = [0, 1, 7, 300], 0.3
    found = ap.floors.descent(x, Y, w, b if bias else None, rate, steps, loss)
    c = {"mse": 2 / 2, "half_squared_error": 1.0}[loss]
    for step in range(301):
        residual = x @ w + b - Y
        if step in steps:
            here = steps.index(step)
            np.testing.assert_allclose(found.weights[here], w, atol=1e-10)
            np.testing.assert_allclose(found.bias[here], b, atol=1e-10)
            assert np.isclose(found.loss[here], c / 2 * (residual**2).sum(1).mean())
        w, b = w - rate * c * x.T @ residual / 50, b - rate * c * residual.mean(0) * bias
    modes = ap.floors.modes(x, 2, rate, bias, loss)
    fast, slow = (
        ap.floors.descent(x, Y, w, b if bias else None, modes.largest_rate * k, [4000], loss)
        for k in (1.01, 0.99)
    )
    assert fast.loss[0] > 1e10
    assert slow.loss[0] < 10


@pytest.mark.parametrize("bias", [True, False])
def test_losses_from_many_starts_are_those_of_descent(bias):
    """Each start against its own trajectory, for stable and unstable rates."""
    rng = np.random.default_rng(5)
    exact = rng.normal(size=(4, 2))
    y = X @ exact + 0.7 * bias
    starts = rng.normal(size=(3, 4, 2))
    steps = [0, 1, 40, 3000]
    away = starts - exact
    if bias:
        away = np.concatenate([away, np.full((3, 1, 2), -0.7)], 1)
    for rate in (0.1, 2.0):
        modes = ap.floors.modes(X, 2, rate, bias)
        found = ap.floors.loss_from_starts(modes, away, steps)
        for start, losses in zip(starts, found, strict=True):
            path = ap.floors.descent(X, y, start, np.zeros(2) if bias else None, rate, steps)
            np.testing.assert_allclose(losses, path.loss, rtol=1e-6, atol=1e-20)
    # A training that begins at the exact model stays there at any rate
    at_once = ap.floors.loss_from_starts(ap.floors.modes(X, 2, 1e3, bias), 0 * away, [0, 10**6])
    assert (at_once == 0).all()


def test_training_the_identity_follows_its_modes(quiet):
    """Linear identity under full-batch gradient descent, five inputs: every recorded weight, to
    float32 rounding.

    Each step rounds weights of about 1 to 2^-24 = 6e-8; the errors are contracted like any other,
    those of the slowest mode (factor 0.9939 here) by 0.6%, so that some 160 of them add up, to 160
    * 6e-8 = 1e-5 if all go one way.
    """
    x = np.random.default_rng(0).uniform(size=(200, 5)).astype(np.float32)
    recorded = (0, *np.unique(np.geomspace(1, 2000, 40).astype(int)).tolist())
    recipe = ap.Recipe(
        model=ap.MLP((), outputs=5),
        optimizer="sgd",
        learning_rate=0.5,
        batch_size=None,
        steps=2000,
        records=recorded,
    )
    runs = ap.run(ap.given(x, x), recipe, seeds=4, keep=("params",), keep_at=recorded, **quiet)
    slowest = ap.floors.modes(x, 5, 0.5).factors.max()
    assert slowest < 0.994
    for seed in range(4):
        [layer] = ap.params(runs, seed=seed)
        predicted = ap.floors.descent(x, x, layer["w"][0], layer["b"][0], 0.5, recorded)
        diagonal = (
            np.diagonal(layer["w"], axis1=1, axis2=2),
            np.diagonal(predicted.weights, axis1=1, axis2=2),
        )
        np.testing.assert_allclose(*diagonal, atol=1e-5)
        np.testing.assert_allclose(layer["w"], predicted.weights, atol=1e-5)
        large = predicted.loss > 1e-9  # smaller ones are squares of the weights' rounding
        np.testing.assert_allclose(
            runs.loss.sel(seed=seed).values[large], predicted.loss[large], rtol=1e-3
        )
    assert abs(diagonal[0][0] - diagonal[0][-1]).max() > 0.3  # it did move


def test_classes():
    labels = np.array([0, 0, 1, 2, 0, 1])
    constant = ap.floors.majority(labels)
    share = np.array([3, 2, 1]) / 6
    np.testing.assert_allclose(constant, [0.5, -(share * np.log(share)).sum()])
    assert ap.floors.separable([1.0, 1, 1, 2, 3, 3], labels) == 4 / 6  # one wrong at 1, one at 3
    centres = np.array([0.0, 1.0, 1.5])
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 3, 200_000)
    right = (
        np.abs((centres[drawn] + 0.4 * rng.normal(size=drawn.size))[:, None] - centres).argmin(1)
        == drawn
    )
    assert abs(ap.floors.bayes_accuracy(centres, 0.4) - right.mean()) < 4 * 0.5 / np.sqrt(
        drawn.size
    )


def test_waveform():
    """The linear softmax against rows drawn and a plain softmax; its loss against its norm falls to
    that of Bayes.
    """
    centres, dim, deviation = np.arange(8) / 255, 20, 1e-3
    scale = 3e5
    found = ap.floors.waveform_softmax(centres, dim, deviation, scale)
    labels = np.repeat(np.arange(8), 5000)
    noise = np.random.default_rng(0).normal(size=(labels.size, dim))
    logits = (centres[labels][:, None] + deviation * noise) @ found.weights + found.bias
    logits -= logits.max(1, keepdims=True)
    losses = np.log(np.exp(logits).sum(1)) - logits[np.arange(labels.size), labels]
    assert abs(losses.mean() - found.cross_entropy) < 4 * losses.std() / np.sqrt(labels.size)
    assert (logits.argmax(1) == labels).mean() > 0.999
    literal = [
        ap.floors.waveform_softmax(np.arange(256) / 255, 200, 1e-4, s)
        for s in np.geomspace(0.1, 1e7, 5)
    ]
    losses, norms = (
        np.array([one.cross_entropy for one in literal]),
        np.array([one.norm for one in literal]),
    )
    assert (np.diff(losses) < 0).all()
    assert np.isclose(losses[0], np.log(256), rtol=0.02)  # a scale of 0.1 tells nothing apart
    np.testing.assert_allclose(norms / norms[0], np.geomspace(1, 1e8, 5))
    assert norms[losses < 0.1][0] > 1e5
    assert ap.floors.bayes_accuracy(np.arange(256) / 255, 1e-4 / np.sqrt(200)) == 1


REFUSED = {
    "rows": (lambda: ap.floors.least_squares(X, Y[:3]), "x has 50 rows and y has 3"),
    "nan": (lambda: ap.floors.pca_residual(X / [1, 1, 1, np.inf] * np.inf, 1), "must be finite"),
    "wide": (lambda: ap.floors.pca_residual(X, 5), "at most the 4"),
    "starts": (
        lambda: ap.floors.loss_from_starts(ap.floors.modes(X, 2, 0.1), np.ones((3, 4, 2)), [1]),
        r"shape \(3, 4, 2\); it must be \(starts, 5, outputs\)",
    ),
    "steps of starts": (
        lambda: ap.floors.loss_from_starts(ap.floors.modes(X, 2, 0.1), np.ones((3, 5, 2)), [-1]),
        "steps must be a list of numbers of at least 0",
    ),
    "rate": (lambda: ap.floors.modes(X, 2, -0.1), "must be above 0"),
    "loss": (lambda: ap.floors.modes(X, 2, 0.1, loss="mae"), "mse, half_squared_error"),
    "steps": (lambda: ap.floors.descent(X, Y, np.ones((4, 2)), None, 0.1, [-1]), "whole numbers"),
    "shape": (
        lambda: ap.floors.descent(X, Y, np.ones((3, 2)), None, 0.1, [1]),
        r"must be \(4, 2\)",
    ),
    "labels": (lambda: ap.floors.majority([0, 1.5]), "one is 1.5"),
    "one class": (lambda: ap.floors.bayes_accuracy([1.0], 0.1), "two or more"),
    "scale": (lambda: ap.floors.waveform_softmax([0.0, 1], 3, 0.1, 0), "above 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    call, message = REFUSED[name]
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=message):
        call()
