"""Promise: the cases' data are those of their threads, to the last bit or as close as the source
allows.
"""

import importlib.util
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import QUICK

import approx as ap

KEY, NOISE = jax.random.key(5), jax.random.key(6)

soon = partial(jax.jit, compiler_options=QUICK)
rows = soon(lambda task, *keys: task.rows(*keys))
fresh = soon(lambda task, *given: task.fresh(*given), static_argnums=3)


def test_interval_is_numpys_to_the_last_bit():
    task = ap.tasks.interval()
    x = np.concatenate(
        [np.linspace(0, 10, 100), np.linspace(11, 20, 100), np.linspace(21, 30, 100)]
    )
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


def test_clusters_are_scikit_learns():
    pytest.importorskip("sklearn")
    spec = importlib.util.spec_from_file_location(
        "clusters", Path(__file__).parent / "recorded" / "clusters.py"
    )
    recorded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recorded)
    drawn, task, labels = (
        recorded.draw(),
        ap.tasks.clusters(),
        ap.tasks.clusters(loss="cross_entropy"),
    )
    np.testing.assert_allclose(task.x, drawn["x"], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(task.x_test, drawn["x_test"], rtol=1e-12, atol=1e-12)
    for mine, name in ((labels.y, "y"), (labels.y_test, "y_test"), (task.y.argmax(1), "y")):
        np.testing.assert_array_equal(mine, drawn[name])
    assert task.x.shape == (8000, 5)
    np.testing.assert_array_equal(task.y.sum(1), 1)
    assert task.correct(jnp.asarray(task.y) * 0.1, jnp.asarray(task.y)).all()


def test_waveform_draws_each_class_in_order_or_any_at_random():
    literal, even = (
        ap.tasks.waveform(classes=64),
        ap.tasks.waveform(classes=64, spread=1.0, draw="random"),
    )
    x, y = fresh(literal, KEY, NOISE, 128)
    np.testing.assert_array_equal(y, np.tile(np.arange(64), 2))
    z = (np.asarray(x, np.float64) - np.asarray(y)[:, None] / 255) / 1e-4
    # 25,600 normal numbers: standard errors of mean and deviation are 0.0063 and 0.0044; float32 at
    # 1/4 adds 1.5e-4
    assert abs(z.mean()) < 0.03
    assert z.std() == pytest.approx(1, abs=0.02)
    other, _ = fresh(literal, NOISE, KEY, 128)
    assert np.abs(x - other).min(0).max() > 0  # a draw of its own
    x, y = fresh(even, KEY, NOISE, 6400)
    counts = np.bincount(y, minlength=64)
    assert (np.abs(counts - 100) < 50).all()  # five standard deviations
    np.testing.assert_allclose(x.mean(1), np.asarray(y) / 63, atol=5e-5)
    points = literal.points()
    assert points.x.shape == (256, 200)
    assert set(np.bincount(points.y)) == {4}
    np.testing.assert_array_equal(points.x, literal.points().x)
    assert rows(literal, KEY, NOISE)[1].tolist() == list(range(64))
    wider = ap.tasks.waveform(classes=256, dim=225)
    assert jax.eval_shape(wider.rows, KEY, NOISE)[0].shape == (256, 225)


def test_identity_a_is_shared_and_b_is_drawn_per_seed():
    a, b = ap.tasks.identity("A", size=5000, dim=20), ap.tasks.identity("B", size=5000, dim=20)
    (x, y), (again, _) = rows(a, KEY, NOISE), rows(a, NOISE, KEY)
    np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(x, again)
    # Five standard errors of 100,000 numbers
    assert float(x.mean()) == pytest.approx(1.1090579, abs=2e-5)
    assert np.asarray(x, np.float64).std() == pytest.approx(0.0012380764, rel=0.02)
    (x, _), (other, _) = rows(b, KEY, NOISE), rows(b, NOISE, KEY)
    assert (x != other).any()
    assert 0 <= x.min() < 1e-3 < 0.999 < x.max() < 1
    (shown, _), (held, _) = soon(lambda task, *keys: task.split(*keys))(b, KEY, NOISE)
    np.testing.assert_array_equal(np.vstack([shown, held]), x)
    assert len(held) == 1500
    for kind, size, dim in (("A", 139_336, 84), ("B", 99_999, 84), ("C", 99_999, 5)):
        full = ap.tasks.identity(kind)
        assert (full.size, full.dim, full.validation) == (size, dim, 0.3)


@pytest.mark.parametrize(
    ("former", "now"),
    [
        (lambda: ap.stats.split, ap.stats.failure_causes),
        (lambda: ap.stats.variance_split, ap.stats.variance_components),
        (lambda: ap.plot.split, ap.plot.failure_causes),
        (lambda: ap.plot.variance_split, ap.plot.variance_components),
    ],
)
def test_former_names_still_work_with_a_warning(former, now):
    with pytest.warns(DeprecationWarning, match=f"is called {now.__name__} now"):
        assert former() is now


def test_the_former_name_of_the_linear_activation_works_with_a_warning():
    with pytest.warns(DeprecationWarning, match='"identity" is called "linear" now'):
        model = ap.MLP((3,), "identity")
    assert model == ap.MLP((3,), "linear")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ap.MLP((3,), "ReLU"), "did you mean 'relu'"),
        (lambda: ap.MLP((3,), initializer="glorot_unifrom"), "did you mean 'glorot_uniform'"),
        (lambda: ap.Recipe(optimizer="Adam"), "did you mean 'adam'"),
        (
            lambda: ap.task(lambda x: x, x=[0.0, 1.0], loss="CrossEntropyLoss"),
            "here it is called 'cross_entropy'",
        ),
    ],
    ids=["ReLU", "glorot_unifrom", "Adam", "CrossEntropyLoss"],
)
def test_another_frameworks_name_is_met_with_ours(make, words):
    with pytest.raises(ValueError, match=words):
        make()
