"""Promise: data that a user gives are the data that are learned and judged, or they are refused or
warned of.
"""

import fractions
import warnings
from dataclasses import dataclass, field, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest
import scipy.sparse
from conftest import QUICK

import approx as ap
from approx.tasks import values
from approx.training import checks, evaluation, inputs

X = np.arange(4.0)
KEY = jax.random.key(0)
quick = partial(jax.jit, compiler_options=QUICK)
LINEAR = ap.Recipe(model=ap.MLP(()), optimizer="sgd", steps=2, records=(0, 2))


class Metres(np.ndarray):
    """As a quantity of astropy is: an array with a unit."""

    unit = "m"


MASKED = np.ma.masked_array([1.0, 999.0, 3.0, 4.0], [False, True, False, False])
REFUSED = {
    "masked": (lambda: ap.given(MASKED, X), ValueError, r"x\[1\] is masked"),
    "masked targets": (lambda: ap.given(X, MASKED), ValueError, r"y\[1\] is masked"),
    "masked labels": (
        lambda: ap.given(X, MASKED, loss="cross_entropy"),
        ValueError,
        r"y\[1\] is masked",
    ),
    "masked of f": (
        lambda: ap.task(lambda x: np.ma.masked_less(x, 1), X),
        ValueError,
        r"y\[0\] is masked",
    ),
    "masked distance": (
        lambda: ap.given(X, X, X, X, distance=MASKED),
        ValueError,
        r"distance\[1\] is masked",
    ),
    "complex": (lambda: ap.task(lambda x: x + 1j, X), TypeError, "y holds complex numbers"),
    "dates": (lambda: ap.given(np.arange(4).astype("M8[D]"), X), TypeError, "x holds dates"),
    "dates of pandas": (
        lambda: ap.given(pd.date_range("2020", periods=4), X),
        TypeError,
        "x holds dates",
    ),
    "spans": (
        lambda: ap.given(X, np.arange(4).astype("m8[s]")),
        TypeError,
        "y holds time differences",
    ),
    "words": (lambda: ap.given(["1", "2"], [1, 2]), TypeError, "x holds words"),
    "missing": (
        lambda: ap.given(pd.Series([1, None, 3, 4], dtype="Int64"), X),
        ValueError,
        r"x\[1, 0\] is nan",
    ),
    "missing object": (
        lambda: ap.given(pd.Series([1, pd.NA], dtype=object), [1, 2]),
        TypeError,
        r"x\[1\] is <NA>",
    ),
    "none": (lambda: ap.given([1.0, None], [1, 2]), TypeError, r"x\[1\] is None"),
    "missing float": (
        lambda: ap.given(pd.DataFrame({"a": [1, None]}), [1, 2]),
        ValueError,
        r"x\[1, 0\] is nan",
    ),
    "sparse": (
        lambda: ap.given(scipy.sparse.eye_array(4).tocsr(), X),
        TypeError,
        r"sparse.*x.toarray\(\)",
    ),
    "unit": (lambda: ap.given(X.view(Metres), X), TypeError, "x has the unit m"),
    "dictionary": (lambda: ap.given({"a": X}, X), TypeError, "x is a dict"),
    "ragged": (
        lambda: ap.given([[1, 2], [3]], [1, 2]),
        ValueError,
        r"x has rows of unequal length: \[1, 2\]",
    ),
    "one number": (lambda: ap.given(1.0, 2.0), ValueError, r"x has shape \(\)"),
    "nan label": (
        lambda: ap.given(X, [0, 1, np.nan, 1], loss="cross_entropy"),
        ValueError,
        r"y\[2\] is nan",
    ),
    "large label": (
        lambda: ap.given(X, [0, 1, 2, 2**32], loss="cross_entropy"),
        ValueError,
        "label 4294967296",
    ),
    "large integer": (
        lambda: ap.given([2**60, 2**60 + 1], [0, 1]),
        ValueError,
        r"x\[1\] is 1152921504606846977",
    ),
    "rule of distance": (
        lambda: ap.given(X, X, X, X, distance="range"),
        ValueError,
        "'range'; it is 'box'",
    ),
    "hold_out": (
        lambda: ap.given(X, X, hold_out="first"),
        ValueError,
        "'last' or 'random', not 'first'",
    ),
    "reversed pair": (
        lambda: ap.tasks.square(range=(1, 0)),
        ValueError,
        r"range is \(1, 0\); a pair is \(low, high\)",
    ),
    "three ends": (
        lambda: ap.tasks.sine(range=(0, 1, 2)),
        ValueError,
        r"range is \(0, 1, 2\); a pair",
    ),
    "range in words": (lambda: ap.tasks.square(range="1"), ValueError, "range is '1'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    call, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        call()


def test_what_is_numbers_in_another_form_is_taken():
    for given in (
        [True, False],
        [fractions.Fraction(1, 1), 0],
        pd.Series([1, 0]),
        np.ma.masked_array([1, 0]),
    ):
        np.testing.assert_array_equal(values.as_rows("x", given), [[1.0], [0.0]])


def test_data_are_copied_and_f_cannot_change_them():
    def doubling(x):
        x *= 2
        return x

    mine = X.copy()
    task = ap.task(doubling, mine, mine)
    np.testing.assert_array_equal(mine, X)
    np.testing.assert_array_equal(task.x[:, 0], X)
    np.testing.assert_array_equal(task.x_test[:, 0], X)
    np.testing.assert_array_equal(task.y[:, 0], 2 * X)
    given = ap.given(mine, mine)
    mine[:] = 7
    np.testing.assert_array_equal(given.x[:, 0], X)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (
            1e8 + np.array([-1.0, 1.0]),
            X[:2],
            r"x\[0, 0\] is 99999999, which float32 holds as 100000000",
        ),
        (X[:2], [1e-300, 1e-300], r"y\[0, 0\] is 1e-300, which float32 holds as 0: column 0"),
        (X[:2], [1e-40, 3e-40], r"float32 holds as 0"),  # subnormal, flushed to zero by XLA
        (X[:2], [0.0, 1e39], r"float32 holds as inf"),
        ([2**24, 2**24 + 1], X[:2], "x.*16777217, which float32 holds as 16777216"),
    ],
)
def test_what_a_precision_cannot_hold_is_refused(x, y, message):
    task = ap.given(x, y)
    with pytest.raises(ValueError, match=message):
        checks.check(task, LINEAR)
    if np.max(y) >= 1e-40 or np.min(x) > 1:
        task.check_precision("float64")  # which holds it


def test_coarse_rounding_is_warned_of_and_harmless_rounding_is_not():
    with pytest.warns(UserWarning, match=r"0\.2% of the spread"):
        ap.given(1e8 + np.arange(-1000.0, 1001), np.ones(2001)).check_precision("float32")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = np.linspace(-9, 9, 2001)
        ap.given(x, np.exp(-(x**2) * 2)).check_precision("float32")  # 1e-70 beside 1 may become 0


def test_test_rows_that_are_given_are_all_judged(quiet):
    """Normal inputs in ten dimensions: a box around the training rows would leave some of the test
    rows out.
    """
    rng = np.random.default_rng(0)
    x, x_test = rng.normal(size=(50, 10)), rng.normal(size=(80, 10))
    y, y_test = x[:, 0] > 0, x_test[:, 0] > 0
    assert (ap.given(x, y, x_test, y_test, distance="box").distance > 0).sum() > 10
    task = ap.given(x, y, x_test, y_test, loss="mse", correct=ap.losses.same_half)
    runs = ap.run(task, LINEAR, seeds=2, **quiet)
    outputs = runs.prediction.values[..., 0]
    np.testing.assert_allclose(
        runs.test_loss.isel(step=-1), ((outputs - y_test) ** 2).mean(1), rtol=1e-5
    )
    np.testing.assert_allclose(
        runs.test_accuracy.isel(step=-1), ((outputs > 0.5) == y_test).mean(1), rtol=1e-6
    )
    assert not {"outside_loss", "outside_accuracy"} & set(runs.data_vars)


def test_outside_accuracy_and_a_row_that_is_held_out_at_random(quiet):
    """Accuracies inside and outside the box; each seed keeps two rows of its own from training."""
    x, x_test = np.linspace(-1, 1, 10), np.linspace(-3, 3, 13)
    task = ap.task(
        lambda x: x > 0, x, x_test, correct=ap.losses.same_half, validation=0.2, hold_out="random"
    )
    runs = ap.run(task, LINEAR, seeds=3, keep=("prediction", "params"), **quiet)
    right = (runs.prediction.values[..., 0] > 0.5) == (x_test > 0)
    inside = np.abs(x_test) <= 1
    np.testing.assert_allclose(
        runs.test_accuracy.isel(step=-1), right[:, inside].mean(1), rtol=1e-6
    )
    np.testing.assert_allclose(
        runs.outside_accuracy.isel(step=-1), right[:, ~inside].mean(1), rtol=1e-6
    )

    @quick
    def split(seed):
        data = inputs.streams(jax.random.fold_in(jax.random.key(0, impl="threefry2x32"), seed)).data
        return task.split(data, data)

    predict, held_rows = quick(ap.predict), set()
    for seed in range(3):
        (kept, _), (held, y_held) = jax.tree.map(np.asarray, split(seed))
        np.testing.assert_array_equal(np.sort(np.r_[kept[:, 0], held[:, 0]]), np.float32(x))
        outputs = np.asarray(predict(ap.params(runs, seed=seed), held, LINEAR))
        loss = float(((outputs - y_held) ** 2).mean())
        assert float(runs.validation_loss.sel(seed=seed).isel(step=-1)) == pytest.approx(
            loss, rel=1e-5
        )
        right_held = float(((outputs > 0.5) == (y_held > 0.5)).mean())
        assert float(runs.validation_accuracy.sel(seed=seed).isel(step=-1)) == right_held
        held_rows.add(tuple(held[:, 0].tolist()))
    assert len(held_rows) == 3


def test_without_test_rows_there_is_no_test_loss(quiet):
    runs = ap.run(ap.given(X, X, validation=0.25, hold_out="random"), LINEAR, seeds=2, **quiet)
    assert not {"test_loss", "outside_loss"} & set(runs.data_vars)
    assert {"loss", "validation_loss", "prediction"} <= set(runs.data_vars)
    with pytest.raises(ValueError, match=r'no test rows.*of="loss"'):
        ap.stats.success(runs, below=1.0)


def test_the_end_of_a_sorted_grid_that_is_held_out_counts_as_outside():
    x, x_test = np.linspace(-3, 3, 61), np.linspace(-4, 4, 81)
    end = x[47]  # of floor(61 * 0.8) = 48 rows
    by_rule = np.maximum(np.maximum(-3 - x_test, x_test - end), 0)
    tail = ap.task(np.square, x, x_test, validation=0.2)
    np.testing.assert_allclose(tail.distance, np.where(by_rule > 1e-5, by_rule, 0))
    spread = ap.task(np.square, x, x_test, validation=0.2, hold_out="random")
    assert (spread.distance == 0).sum() == 61
    curve = quick(ap.tasks.square(range=3.0, size=61, test_size=121, validation=0.2).points)()
    x_curve = np.asarray(curve.x[:, 0])
    expected = np.maximum(np.maximum(-3 - x_curve, x_curve - end), 0)
    np.testing.assert_allclose(curve.distance, np.where(expected > 1e-5, expected, 0), atol=1e-5)
    drawn = ap.tasks.square(range=3.0, size=61, test_size=121, validation=0.2, inputs="uniform")
    drawn = quick(drawn.points)()
    assert (np.asarray(drawn.distance) == 0).sum() == 41
    arguments = x[48:, None], x[:48, None], x_test[:, None]
    with pytest.warns(
        UserWarning, match=r"0 goes from 1.8 to 3 in them, and from -3 to 1.7 .*13 test points"
    ):
        values.warn_of_tail(*arguments, np.maximum(abs(x_test) - 3, 0))
    with pytest.warns(UserWarning, match=r"rows trained on\. hold_out"):
        values.warn_of_tail(*arguments, tail.distance)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values.warn_of_tail(x[::5, None], x[1:, None], *arguments[2:], tail.distance)


@pytest.mark.slow  # the quick test of the mean over rows held out, in test_mathematics, warns too
def test_a_run_warns_of_a_held_out_end(quiet):
    with pytest.warns(UserWarning, match="the validation rows are the end of sorted rows"):
        ap.run(ap.task(np.square, X, validation=0.25), LINEAR, seeds=2, **quiet)


@pytest.mark.parametrize("inputs", ["grid", "uniform"])
def test_a_range_of_two_ends(inputs):
    task = ap.tasks.square(range=(0, 1), size=11, test_size=31, inputs=inputs)
    made = quick(lambda key: (task.rows(key, key), task.points(), task.fresh(key, key, 1000)))
    (x, y), points, (fresh, _) = jax.tree.map(np.asarray, made(KEY))
    assert 0 <= x.min() < x.max() <= 1
    np.testing.assert_allclose(y, np.square(x), rtol=1e-6)
    if inputs == "grid":
        np.testing.assert_allclose(x[:, 0], np.arange(11) / 10, atol=1e-7)
    np.testing.assert_allclose(points.x[:, 0], np.linspace(-1, 2, 31), atol=1e-6)
    beyond = np.maximum(np.maximum(-points.x[:, 0], points.x[:, 0] - 1), 0)
    np.testing.assert_allclose(points.distance, np.where(beyond > 1e-5, beyond, 0), atol=1e-6)
    assert fresh.min() < 0.1 and fresh.max() > 0.9 and fresh.min() >= 0  # noqa: PT018


def test_a_pair_is_swept_as_center_and_half_width(quiet):
    runs = ap.run(
        ap.tasks.square(range=(0, 1), size=5), LINEAR, seeds=2, center=[0.5, 2.0], **quiet
    )
    assert float(runs.x_test.sel(center=2.0).mean()) == pytest.approx(2.0)


def test_points_inside_a_range_of_a_tenth():
    """Both ends are inside, though a tenth is no number of the binary system: 303 points, of which
    each third.
    """
    distance = ap.tasks.square(range=0.1).points().distance
    assert (np.asarray(distance) == 0).sum() == 101


# ---- outputs that are not finite -----------------------------------------------------------------

BAD = np.array([[np.nan], [np.inf], [-np.inf]], np.float32)


@pytest.mark.parametrize("rule", [ap.losses.same_side, ap.losses.same_half])
def test_an_output_that_is_not_finite_is_on_no_side(rule):
    rule = quick(rule)
    assert not np.any(rule(BAD, np.zeros((3, 1))))
    assert not np.any(rule(BAD, np.ones((3, 1))))
    assert not np.any(rule(BAD[..., None], np.zeros((3, 1, 1))))  # an axis of networks behind


def test_a_row_with_an_output_that_is_not_finite_is_of_no_class():
    outputs = jnp.array([[1.0, jnp.nan], [1.0, -jnp.inf], [jnp.inf, 0.0], [2.0, 1.0]])
    assert ap.losses.same_class(outputs, jnp.zeros(4, int)).tolist() == [False, False, False, True]
    assert ap.losses.same_largest(outputs, jnp.array([[1.0, 0.0]] * 4)).tolist() == [
        False,
        False,
        False,
        True,
    ]


def test_a_users_own_rule_does_not_find_nan_correct():
    task = ap.given(X, X, correct=lambda outputs, y: ~(jnp.abs(outputs - y) > 0.5)[:, 0])
    assert evaluation.is_correct(
        jnp.r_[BAD, jnp.ones((1, 1))], jnp.ones((4, 1)), task
    ).tolist() == [
        0,
        0,
        0,
        1,
    ]


def test_a_logit_of_zero_is_on_the_side_of_target_zero():
    zero = jnp.zeros((2, 1))
    assert ap.losses.same_side(zero, jnp.array([[0.0], [1.0]])).tolist() == [True, False]


def test_a_diverged_network_has_no_success_on_the_interval(quiet):
    task = ap.tasks.interval(loss="mse")
    recipe = ap.Recipe(
        model=ap.MLP((2,)), optimizer="sgd", learning_rate=1e3, steps=300, records=(0, 300)
    )
    runs = ap.run(task, recipe, seeds=8, **quiet).isel(step=-1)
    assert np.isnan(runs.loss).all()
    for name in ("accuracy", "test_accuracy", "outside_accuracy"):
        assert (runs[name] == 0).all()


# ---- numbers in float64, and what things are called ----------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "factor"),
    [
        ("linear", lambda t: 1 - t / 7),
        ("cosine", lambda t: (1 + np.cos(np.pi * t / 7)) / 2),
        (optax.exponential_decay(1.0, 10, 0.9), lambda t: 0.9 ** (t / 10)),
        (optax.polynomial_schedule(1.0, 0.1, 2, 7), lambda t: 0.9 * (1 - t / 7) ** 2 + 0.1),
        (lambda t: 1 / (1 + t), lambda t: 1 / (1 + t)),
    ],
)
def test_schedules_are_as_exact_as_their_dtype(schedule, factor):
    with jax.enable_x64(True):
        rule = ap.optimizers.make("sgd", jnp.asarray(0.3), {}, schedule, 7)
        state = rule.init(jnp.asarray(1.0))
        for step in range(7):
            update, state = rule.update(jnp.asarray(1.0), state)
            assert float(update) == pytest.approx(-0.3 * factor(step), rel=1e-14)


@pytest.mark.parametrize("optimizer", ap.optimizers.OPTIMIZERS)
def test_nothing_of_a_step_in_float64_is_float32(optimizer):
    with jax.enable_x64(True):
        numbers = {k: jnp.asarray(v) for k, v in ap.optimizers.numbers(optimizer, {}).items()}
        rule = ap.optimizers.make(optimizer, jnp.asarray(0.3), numbers, "linear", 7)
        state = rule.init(jnp.ones(3))
        update = optax.with_extra_args_support(rule).update
        program = jax.make_jaxpr(lambda g: update(g, state, g, value=g.sum()))(jnp.ones(3))
        assert "f32" not in str(program)


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True, eq=False)
class Own(ap.Task):
    """A user's own task."""

    table: np.ndarray
    kind: str = field(default="a", metadata={"static": True})


def test_reprs_are_short():
    many = np.ones((1000, 2))
    task = ap.given(many, many[:, 0], many, many[:, 0])
    assert "x=<float64 array of shape (1000, 2)>" in repr(task)
    assert len(repr(task)) < 500
    assert repr(Own(table=many)) == "Own(table=<float64 array of shape (1000, 2)>)"
    assert repr(Own(table=many, kind="b")).endswith(", kind='b')")
    recipe = ap.Recipe(records=range(1000), learning_rate=0.125)
    assert "records=<tuple of 1000>" in repr(recipe)
    assert "learning_rate=0.125" in repr(recipe)
    assert repr(ap.Recipe(steps=5)) == (
        "Recipe(model=MLP(widths=(10,), activation='tanh'), optimizer='adam', "
        "learning_rate=0.001, steps=5)"
    )
    assert repr(ap.MLP((3,), np.tanh, outputs=2)) == "MLP(widths=(3,), activation=tanh, outputs=2)"
    assert repr(ap.tasks.square(noise=0.1)) == (
        "Curve(f=square, range=10.0, noise=0.1, test_size=301)"
    )
    assert eval(repr(ap.MLP((3,))), {"MLP": ap.MLP}) == ap.MLP((3,))
    for swapped in ((recipe, task), ([task] * 1000, recipe), (many, recipe)):
        with pytest.raises(TypeError, match="the task is") as caught:
            ap.run(*swapped)
        assert len(str(caught.value)) < 300


def test_labels_and_rows_of_zeros_and_one_share_a_run(quiet):
    recipe = replace(LINEAR, model=ap.MLP((), outputs=2))
    rows = np.eye(2)[[0, 1, 0, 1]]
    one_hot = ap.given(X, rows, X, rows, correct=ap.losses.same_largest)
    labels = ap.given(X, [0, 1, 0, 1], X, [0, 1, 0, 1], loss="cross_entropy")
    both = ap.run(one_hot, {"rows": recipe, "labels": (labels, recipe)}, seeds=2, **quiet)
    alone = ap.run(labels, recipe, seeds=2, **quiet)
    np.testing.assert_array_equal(both.loss.sel(recipe="labels"), alone.loss)
    np.testing.assert_array_equal(both.test_accuracy.sel(recipe="labels"), alone.test_accuracy)
    assert "y_test" not in both.coords
    with pytest.raises(ValueError, match="no targets at the test points, since some recipes have"):
        ap.stats.error_by_distance(both)
    with pytest.raises(ValueError, match="no targets at the test points, since some recipes have"):
        ap.plot.fan(both.sel(recipe="labels"))


def test_targets_of_other_columns_are_told_apart():
    two, three = ap.given(X, np.eye(4)[:, :2]), ap.given(X, np.eye(4)[:, :3])
    recipes = {
        "a": ap.Recipe(model=ap.MLP(outputs=2), steps=2),
        "b": (three, ap.Recipe(model=ap.MLP(outputs=3), steps=2)),
    }
    with pytest.raises(ValueError, match=r"targets of other shapes, \(4, 3\) \(columns.* \(4, 2\)"):
        ap.run(two, recipes, seeds=2, progress=False, compiler_options=QUICK)
