"""Promise: the cases' data are those of their threads, to the last bit or as close as the source allows."""

import jax.numpy as jnp
import numpy as np
import pytest

import approx as ap


def test_interval_is_numpys_to_the_last_bit():
    task = ap.tasks.interval()
    x = np.concatenate([np.linspace(0, 10, 100), np.linspace(11, 20, 100), np.linspace(21, 30, 100)])
    np.testing.assert_array_equal(task.x[:, 0], x)
    assert task.x.dtype == np.float64
    np.testing.assert_array_equal(task.y[:, 0], np.repeat([0, 1, 0], 100))
    assert task.loss == "binary_cross_entropy"
    test = task.x_test[:, 0]
    assert not ((test > 10) & (test < 11)).any()
    assert not ((test > 20) & (test < 21)).any()
    np.testing.assert_array_equal(task.y_test[:, 0], (test > 10.5) & (test < 20.5))
    np.testing.assert_array_equal(task.distance, np.maximum(np.maximum(-test, test - 30), 0))
    assert (test.min(), test.max()) == (-30, 60)


def test_standardised_interval():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    raw, task = ap.tasks.interval(), ap.tasks.interval(standardise=True)
    scaler = preprocessing.StandardScaler().fit(raw.x)
    np.testing.assert_allclose(task.x, scaler.transform(raw.x), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(task.x_test, scaler.transform(raw.x_test), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(task.distance, raw.distance / scaler.scale_, rtol=1e-12)


def test_what_is_correct_on_the_interval():
    raw = ap.tasks.interval(loss="mse")
    y = jnp.asarray(raw.y)
    outputs = jnp.where(y > 0, 0.6, 0.4)
    assert raw.correct(outputs, y).all()
    assert not raw.correct(1 - outputs, y).any()
    assert ap.losses.CORRECT["brier"](outputs - 0.5, y).all()  # of logits
