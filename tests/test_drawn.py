"""Promise: every seed draws its own inputs from the distribution that `drawn` was given."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from conftest import QUICK

import approx as ap
from approx.training.inputs import as_keys

KEY, NOISE, OTHER = (jax.random.key(n) for n in (1, 2, 3))


@partial(jax.jit, compiler_options=QUICK)
def drawn_rows(task):
    """A task's rows, as fresh ones, and those of another key."""
    fresh = task.fresh(KEY, NOISE, 2_000)
    return task.rows(KEY, NOISE), fresh, task.fresh(OTHER, NOISE, 2_000)


def product(x):
    return x[:, 0] * x[:, 1]


def test_an_interval_is_drawn_uniformly_anew_for_each_seed():
    task = ap.drawn(jnp.log, (0.5, 3.0), rows=2_000)
    (x, y), (fresh, _), (other, _) = jax.device_get(drawn_rows(task))
    assert x.shape == y.shape == (2_000, 1)
    assert scipy.stats.kstest(x[:, 0], scipy.stats.uniform(0.5, 2.5).cdf).pvalue > 1e-3
    np.testing.assert_allclose(y, np.log(x), rtol=1e-5)
    assert not np.array_equal(x, other)
    np.testing.assert_array_equal(x, fresh)


def test_the_ends_of_an_interval_are_never_drawn():
    many, task = 1 << 22, ap.drawn(jnp.log, (0, 1))

    def draw():
        key = jax.random.fold_in(jax.random.key(0), 4)
        return jax.random.uniform(key, (many, 1)), task.fresh(key, NOISE, many)

    shares, (x, y) = jax.device_get(jax.jit(draw, compiler_options=QUICK)())
    assert shares.min() == 0  # as of one in 2^23 draws
    np.testing.assert_array_equal(x, np.where(shares == 0, np.float32(2.0**-24), shares))
    assert np.isfinite(y).all()


def test_a_box_has_an_interval_for_each_input():
    task = ap.drawn(product, [(-1, 1), (10, 11)], rows=500, noise=0.1)
    x, y = jax.device_get(drawn_rows(task)[0])
    assert ((x >= np.array([-1, 10])) & (x <= np.array([1, 11]))).all()
    assert np.std(y[:, 0] - product(x)) == pytest.approx(0.1, rel=0.1)
    points = task.points()
    assert points.x.shape == (1_000, 2)
    assert not np.any(points.distance)
    np.testing.assert_allclose(points.y[:, 0], product(points.x), rtol=1e-6)


def test_a_distribution_of_ones_own():
    def normal(key, n):
        return 5 + jax.random.normal(key, (n,))

    task = ap.drawn(jnp.square, normal, rows=2_000)
    x, _ = jax.device_get(drawn_rows(task)[0])
    assert scipy.stats.kstest(x[:, 0], scipy.stats.norm(5).cdf).pvalue > 1e-3
    labels = ap.drawn(lambda x: (x > 5).astype(int), normal, loss="cross_entropy")
    assert jax.eval_shape(labels.rows, KEY, NOISE)[1].shape == (256,)
    # A run takes the task: its leaves, as JAX sees them, are numbers
    ap.sweep.request.check_leaves(jax.tree.leaves(task), "Drawn")
    assert jax.tree.structure(task) == jax.tree.structure(ap.drawn(jnp.square, normal, rows=2_000))


def noisy_classes(key, n):
    """Two overlapping classes: which one a point is of does not follow from where it lies."""
    of_label, of_point = jax.random.split(key)
    label = jax.random.bernoulli(of_label, 0.3, (n,)).astype(int)
    return jax.random.normal(of_point, (n, 2)) + label[:, None], label


@partial(jax.jit, compiler_options=QUICK)
def classes_of_key(key):
    return noisy_classes(key, 2_000)


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "cross_entropy"])
def test_inputs_and_targets_are_drawn_together(loss):
    task = ap.drawn(None, noisy_classes, 2_000, loss=loss)
    (x, y), _, (other, _) = jax.device_get(drawn_rows(task))
    expected, labels = classes_of_key(KEY)
    np.testing.assert_allclose(x, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(y.ravel(), labels)
    assert y.shape == ((2_000,) if loss == "cross_entropy" else (2_000, 1))
    points = task.points()
    assert points.x.shape == (1_000, 2)
    assert not np.any(points.distance)
    np.testing.assert_array_equal(points.y.ravel(), noisy_classes(jax.random.key(2_718), 1_000)[1])
    assert not np.array_equal(x, other)


def test_a_run_learns_pairs_as_well_as_anybody_can():
    """The best rule for classes of equal spread is a line, whose weights are known."""
    task = ap.drawn(None, noisy_classes, loss="binary_cross_entropy")
    recipe = ap.Recipe(
        model=ap.MLP(()), learning_rate=0.05, steps=200, records=2, batches="stream", batch_size=64
    )
    runs = ap.run(task, recipe, seeds=2, progress=False, lanes=2, compiler_options=QUICK)
    points = task.points()
    # log odds: x·(1, 1) - 1 + log(0.3 / 0.7)
    named = points.x.sum(1) - 1 + np.log(0.3 / 0.7) > 0
    best = float(np.mean(named == (points.y[:, 0] > 0)))
    assert runs.test_accuracy.isel(step=-1).values == pytest.approx(best, abs=0.03)
    assert best > 0.75


def test_test_points_beyond_the_interval_lie_outside():
    task = ap.drawn(jnp.exp, (0, 2), x_test=[-0.5, 0, 1, 2, 3])
    np.testing.assert_allclose(task.points().distance, [0.5, 0, 0, 0, 1])
    own = ap.drawn(jnp.exp, lambda key, n: jnp.ones(n), x_test=[5.0])
    assert own.points().distance.tolist() == [0]


def test_a_seed_of_a_run_trains_on_its_own_rows():
    """The first record is the loss of the first weights on that seed's rows."""
    task = ap.drawn(product, [(-1, 1)] * 2, rows=7)
    recipe = ap.Recipe(model=ap.MLP(()), steps=1, records=2)
    runs = ap.run(task, recipe, seeds=2, progress=False, compiler_options=QUICK)

    def first(key):
        rows = task.rows(as_keys(key).data, NOISE)
        return ap.loss(ap.init(key, task, recipe).params, *rows, task, recipe)

    first = jax.jit(first, compiler_options=QUICK)
    for seed in range(2):
        expected = first(jax.random.fold_in(jax.random.key(0), seed))
        np.testing.assert_allclose(runs.loss.values[seed, 0], expected, rtol=1e-5)


REFUSED = {
    "numpy": (lambda: ap.drawn(np.log, (1, 2)), TypeError, "f must be written with jax.numpy"),
    "an if": (
        lambda: ap.drawn(lambda x: 1.0 if x[0] > 0 else 2.0, (0, 1)),
        TypeError,
        "f must be written with jax.numpy",
    ),
    "order": (lambda: ap.drawn(jnp.log, (1, 0)), ValueError, r"interval \(1, 0\)"),
    "infinite": (lambda: ap.drawn(jnp.log, (0, np.inf)), ValueError, "must be finite"),
    "outside of f": (lambda: ap.drawn(jnp.log, (-1, 1)), ValueError, r"f\(x_test\)\[.*\] is nan"),
    "a word": (lambda: ap.drawn(jnp.log, "uniform"), TypeError, "inputs is 'uniform'"),
    "three ends": (lambda: ap.drawn(jnp.log, (1, 2, 3)), TypeError, "inputs is"),
    "no rows": (lambda: ap.drawn(jnp.log, (1, 2), rows=0), ValueError, "rows is 0"),
    "fewer targets": (
        lambda: ap.drawn(lambda x: x[:3], (0, 1)),
        ValueError,
        r"targets of shape \(3,\) for 1000 rows",
    ),
    "columns": (
        lambda: ap.drawn(jnp.log, (1, 2), x_test=[[1, 2]]),
        ValueError,
        "x_test has 2 columns, and the inputs have 1",
    ),
    "targets twice": (lambda: ap.drawn(product, noisy_classes), ValueError, "None as f"),
    "points without targets": (
        lambda: ap.drawn(None, noisy_classes, x_test=[[0, 0]]),
        ValueError,
        "x_test has no targets",
    ),
    "three arrays": (
        lambda: ap.drawn(None, lambda key, n: (jnp.ones(n),) * 3),
        ValueError,
        "two rows of inputs",
    ),
    "other rows": (
        lambda: ap.drawn(jnp.log, lambda key, n: jnp.ones(3)),
        ValueError,
        "it must give two rows",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    call, error, words = REFUSED[case]
    with pytest.raises(error, match=words):
        call()
