"""Promise: `ap.data` trains and judges what a table says, by names and classes, or refuses it."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import approx as ap
from approx.stats import planes
from approx.tasks import outputs

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 2))
Y = X[:, :1] - X[:, 1:]
KIND = np.array(["cat", "dog", "ant"] * 4)
FRAME = pd.DataFrame(X, columns=["a", "b"])
CLASSES = {"loss": "cross_entropy"}


# ---- tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [
        FRAME,
        xr.DataArray(X, {"feature": ["a", "b"]}, ("row", "feature")),
        xr.Dataset({"a": ("row", X[:, 0]), "b": ("row", X[:, 1])}),
    ],
    ids=["DataFrame", "DataArray", "Dataset"],
)
def test_columns_of_a_table_are_found_by_name(table):
    swapped = FRAME[["b", "a"]]
    task = ap.data(table, Y, test=(swapped, Y), validation=(swapped[:3], Y[:3]), at=swapped[:2])
    np.testing.assert_array_equal(task.x, X)
    np.testing.assert_array_equal(task.x_test, X)
    np.testing.assert_array_equal(task.x_validation, X[:3])
    np.testing.assert_array_equal(task.at, X[:2])
    assert task.axis_names() == {"input": ("a", "b")}


def test_columns_of_truth_values_and_of_missing_types_are_numbers():
    frame = pd.DataFrame({"n": pd.array([1, 2, 3], "Int64"), "t": [True, False, True]})
    task = ap.data(frame, pd.Series([1.0, 2.0, 3.0], name="price"))
    np.testing.assert_array_equal(task.x, [[1, 1], [2, 0], [3, 1]])
    assert task.axis_names() == {"input": ("n", "t"), "output": ("price",)}


WORDS = pd.DataFrame({"a": [1.0, 2.0], "color": ["red", "blue"]})
GAPS = pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": [1, 2]})
REFUSED = {
    "words": (lambda: ap.data(WORDS, [0, 1]), TypeError, r"x\['color'\] holds words.*get_dummies"),
    "words without names": (lambda: ap.data([["u"], ["v"]], [0, 1]), TypeError, "column 0 of x"),
    "gaps": (lambda: ap.data(GAPS, [0, 1]), ValueError, r"x\[1, 0\] is nan"),
    "other columns": (
        lambda: ap.data(FRAME, Y, test=(FRAME.rename(columns={"b": "c"}), Y)),
        ValueError,
        r"x_test lacks \['b'\]; only x_test has \['c'\]",
    ),
    "one name twice": (
        lambda: ap.data(pd.DataFrame(X, columns=["a", "a"]), Y),
        ValueError,
        "2 columns named 'a'",
    ),
    "another order of rows": (
        lambda: ap.data(FRAME, pd.Series(Y[:, 0])[::-1]),
        ValueError,
        r"row 0 is 0 in x and 11 in y",
    ),
    "fewer columns": (lambda: ap.data(X, Y, at=X[:, 0]), ValueError, "at has 1 columns, and x has"),
    "other rows": (lambda: ap.data(X, Y, test=(X, Y[1:])), ValueError, "12 and 11"),
    "no pair": (lambda: ap.data(X, Y, test=X), TypeError, r"test=\(x, y\)"),
    "two ways": (
        lambda: ap.data(X, Y, validation=(X, Y), hold_out="random"),
        ValueError,
        "leave one of the two out",
    ),
    "distance of nothing": (lambda: ap.data(X, Y, distance="box"), ValueError, "there are none"),
    "a distance below 0": (
        lambda: ap.data(X, Y, test=(X, Y), distance=[0] * 11 + [-1]),
        ValueError,
        r"distance\[11\] is -1; a distance is at least 0",
    ),
    "one name for classes": (
        lambda: ap.data(X, KIND, classes=["ant"], **CLASSES),
        ValueError,
        "classes names the single class 'ant'",
    ),
    "names": (
        lambda: ap.data(X, Y, names={"inputs": ["a"]}),
        ValueError,
        r"names of inputs are \['a'\]; there must be 2",
    ),
    "names of what": (lambda: ap.data(X, Y, names={"x": ["a"]}), ValueError, "'inputs' and"),
    "unknown class": (
        lambda: ap.data(X, KIND, test=(X[:1], ["eel"]), **CLASSES),
        ValueError,
        r"y_test\[0\] is 'eel', a class that no training row has; the classes are \['ant', 'cat'",
    ),
    "half a class": (
        lambda: ap.data(X, [1.0, 2.0] * 6, test=(X[:1], [1.5]), **CLASSES),
        ValueError,
        r"y_test\[0\] is 1.5",
    ),
    "no class": (
        lambda: ap.data(X, [*KIND[:-1], None], **CLASSES),
        ValueError,
        r"y\[11\] is missing",
    ),
    "one class": (lambda: ap.data(X, ["a"] * 12, **CLASSES), ValueError, "single class 'a'"),
    "classes as amounts": (lambda: ap.data(X, KIND), ValueError, 'loss="cross_entropy"'),
    "three of two": (
        lambda: ap.data(X, KIND, loss="binary_cross_entropy"),
        ValueError,
        "3 classes, and the loss 'binary_cross_entropy' tells two apart",
    ),
    "noise on classes": (
        lambda: ap.data(X, KIND, noise=0.1, **CLASSES),
        ValueError,
        "which have no noise",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused(name):
    make, error, words = REFUSED[name]
    with pytest.raises(error, match=words):
        make()


# ---- classes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "options", "expected", "names"),
    [
        (KIND, CLASSES, [1, 2, 0] * 4, ("ant", "cat", "dog")),
        (KIND, {**CLASSES, "classes": ["dog", "cat", "ant"]}, [1, 0, 2] * 4, ("dog", "cat", "ant")),
        ([3, 9, 5] * 4, CLASSES, [0, 2, 1] * 4, (3, 5, 9)),
        (pd.Series(KIND, dtype="category"), CLASSES, [1, 2, 0] * 4, ("ant", "cat", "dog")),
        ([0, 2, 1] * 4, {**CLASSES, "classes": 4}, [0, 2, 1] * 4, None),
        (["no", "yes"] * 6, {"loss": "BCEWithLogitsLoss"}, [[0], [1]] * 6, ("no", "yes")),
        ([1, 2] * 6, {"loss": "brier"}, [[0], [1]] * 6, (1, 2)),
        ([0, 1] * 6, {"loss": "brier"}, [[0], [1]] * 6, None),
        ([-1, 1] * 6, {"loss": "hinge"}, [[-1], [1]] * 6, None),
        (["no", "yes"] * 6, {"loss": "soft_cross_entropy"}, [[1, 0], [0, 1]] * 6, ("no", "yes")),
    ],
)
def test_classes_become_what_the_loss_takes(y, options, expected, names):
    task = ap.data(X, y, **options)
    np.testing.assert_array_equal(task.y, expected)
    assert task.class_names == names
    if names is None:
        assert "output" not in task.axis_names()
    elif np.shape(expected)[1:] == (1,):
        assert task.axis_names()["output"] == names[1:]
    else:
        assert task.axis_names()["output"] == names


# ---- rows and points -----------------------------------------------------------------------------


def test_validation_rows_that_are_given_are_never_trained_on():
    task = ap.data(X, Y, validation=(X + 9, Y))
    (x, y), (held_x, held_y) = task.split(KEY, KEY)
    np.testing.assert_allclose(x, X, rtol=1e-6)
    np.testing.assert_allclose(held_x, X + 9, rtol=1e-6)
    np.testing.assert_allclose(y, held_y)
    assert task.validated
    x, held = ap.data(X, Y, validation=0.25, hold_out="random").split(KEY, KEY)
    assert (len(x[0]), len(held[0])) == (9, 3)


def test_points_without_targets_stand_behind_the_test_rows():
    points = ap.data(X, Y, test=(X[:3], Y[:3]), at=X[3:5]).points()
    np.testing.assert_allclose(points.x, X[:5], rtol=1e-6)
    np.testing.assert_array_equal(np.isnan(points.y[:, 0]), [False] * 3 + [True] * 2)
    np.testing.assert_array_equal(points.distance, [0, 0, 0, np.nan, np.nan])
    alone = ap.data(X, KIND, at=X[3:5], **CLASSES)
    np.testing.assert_array_equal(alone.points().y, [-1, -1])
    assert not alone.tested


def test_a_mesh_has_every_pair_of_values():
    points = ap.tasks.mesh((0, 10), (1, 12), 3)
    expected = [(a, b) for b in (10, 11, 12) for a in (0, 0.5, 1)]
    np.testing.assert_allclose(points, expected)
    np.testing.assert_allclose(ap.tasks.mesh(0, 1, 3), [[0], [0.5], [1]])
    with pytest.raises(ValueError, match="low below high"):
        ap.tasks.mesh((0, 1), (1, 1))
    with pytest.raises(ValueError, match="at least 2"):
        ap.tasks.mesh(0, 1, 1)
    with pytest.raises(ValueError, match="take fewer"):
        ap.tasks.mesh((0, 0, 0, 0), (1, 1, 1, 1))


# ---- what is recorded ----------------------------------------------------------------------------

SUMS = ("half_squared_error", "sum_squared_error", "kl_divergence")


QUICK = ("mse", "sum_squared_error")  # the others are written like these


@pytest.mark.parametrize(
    "loss",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in outputs.SEPARATE
    ],
)
def test_the_losses_of_outputs_make_up_the_loss_of_a_row(loss):
    f, y = jnp.asarray(np.random.default_rng(1).uniform(0.1, 0.9, (2, 5, 3)), "float32")
    with jax.disable_jit():
        each = np.asarray(outputs.of_outputs(loss, f, y))
        whole = np.asarray(ap.losses.LOSSES[loss](f, y))
        third = np.asarray(ap.losses.LOSSES[loss](f[:, 2:], y[:, 2:]))
    assert each.shape == (5, 3)
    np.testing.assert_allclose(each[:, 2], third, rtol=1e-5)
    together = each.sum(1) if loss in SUMS else each.mean(1)
    np.testing.assert_allclose(together, whole, rtol=1e-5)


def test_a_loss_that_compares_outputs_has_none_for_each():
    task = ap.data(X, KIND, **CLASSES)
    recipe = ap.Recipe(model=ap.MLP((2,), outputs=3), steps=1)
    with pytest.raises(ValueError, match="'cross_entropy' is not known to be a sum or a mean"):
        ap.run(task, recipe, seeds=1, keep=("output_loss",), progress=False)


@pytest.mark.parametrize("folder", [None, pytest.param("a", marks=pytest.mark.slow)])
def test_test_rows_are_judged_and_other_points_are_not(folder, quiet, tmp_path):
    """Against numpy; also after a save, and from a folder."""
    y = np.hstack([Y, Y**2])
    frame = pd.DataFrame(y, columns=["sum", "square"])
    task = ap.data(X[:8], frame[:8], test=(X[8:], frame[8:]), at=X[:3])
    model = ap.MLP((3,), "tanh", outputs=2)
    recipe = ap.Recipe(model=model, optimizer="sgd", steps=4, records=(0, 2, 4))
    keep = "prediction", "params", "output_loss"
    out = folder and tmp_path / folder
    runs = ap.run(task, recipe, seeds=3, keep=keep, keep_at=(2, 4), out=out, **quiet)
    f = runs.prediction.sel(kept_step=4)
    errors = (f.values[:, :4] - y[8:]) ** 2
    last = runs.isel(step=-1)
    np.testing.assert_allclose(last.test_loss, errors.mean((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(last.output_test_loss, errors.mean(1), rtol=1e-5)
    np.testing.assert_allclose(last.output_loss.mean("output"), last.loss, rtol=1e-5)
    params = ap.params(runs, seed=1, kept_step=2)
    expected = jax.jit(ap.predict)(params, X[:3].astype("float32"), recipe)
    found = runs.prediction.sel(seed=1, kept_step=2).values
    np.testing.assert_allclose(found[4:], expected, rtol=1e-5, atol=1e-6)
    assert "outside_loss" not in runs
    assert runs.output.values.tolist() == ["sum", "square"]
    assert runs.role.values.tolist() == ["test"] * 4 + ["at"] * 3
    assert np.isnan(runs.distance.values[4:]).all()
    ap.save(runs, tmp_path / "runs.nc")
    for name in ("runs.nc", folder or "runs.nc"):
        xr.testing.assert_equal(ap.load(tmp_path / name), runs)
    one = runs.sel(kept_step=4)
    far = ap.stats.error_by_distance(one)
    assert far.distance.values.tolist() == [0]
    np.testing.assert_allclose(far.error[..., 0], np.sqrt(errors).mean((1, 2)), rtol=1e-5)
    with pytest.raises(ValueError, match="no point of this result has a target"):
        ap.stats.error_by_distance(one.isel(point=slice(4, None)))


def test_standardised_recipes_have_the_moments_of_the_training_rows():
    task = ap.data(X, 100 * Y, validation=0.25)
    model = ap.standardised(ap.Recipe(), task).model
    np.testing.assert_allclose(model.center, X[:9].mean(0), rtol=1e-5)
    np.testing.assert_allclose(model.scale, X[:9].std(0), rtol=1e-5)
    np.testing.assert_allclose(model.out_scale, 100 * Y[:9].std(0), rtol=1e-5)
    labels = ap.standardised(ap.Recipe(), ap.data(X, KIND, **CLASSES)).model
    assert (labels.out_center, labels.out_scale) == (0.0, 1.0)
    with pytest.raises(ValueError, match="targets cannot be standardised"):
        ap.standardised(ap.Recipe(), ap.data(X, KIND, **CLASSES), targets=True)


# ---- the plane -----------------------------------------------------------------------------------


def over_plane(outputs=1, seeds=5, **notes):
    """Outputs over a grid of 3 by 4 points in any order, and three test points before it."""
    rng = np.random.default_rng(1)
    grid = rng.permutation(ap.tasks.mesh((0, 0), (2, 3), 4))[: 4 * 4]
    x = np.vstack([rng.normal(size=(3, 2)), grid])
    f = rng.normal(size=(seeds, len(x), outputs))
    role = np.where(np.arange(len(x)) < 3, "test", "at")
    return xr.Dataset(
        {"prediction": (("seed", "point", "output"), f)},
        {
            "x_test": (("point", "input"), x),
            "y_test": ("point", np.where(role == "at", -1, 0), notes),
            "distance": ("point", np.where(role == "at", np.nan, 0)),
            "role": ("point", role),
        },
    )


def test_a_surface_is_the_median_at_each_place():
    runs = over_plane(outputs=2)
    found = ap.stats.surface(runs, output=1)
    assert found["median"].dims == ("x2", "x1")
    for place in (3, 10):
        x1, x2 = runs.x_test.values[place]
        expected = np.median(runs.prediction.values[:, place, 1])
        assert found["median"].sel(x1=x1, x2=x2) == expected
    with pytest.raises(ValueError, match="no grid of the plane"):
        ap.stats.surface(runs.isel(point=slice(0, -1)))
    several = runs.assign_coords(x_test=runs.x_test.expand_dims(noise=2))
    line = runs.isel(input=slice(1))
    for no_plane in (several, line):
        with pytest.raises(ValueError, match="a plane has two inputs"):
            ap.stats.surface(no_plane)


def test_decisions_are_the_shares_of_seeds():
    several = over_plane(outputs=3, classes='["u", "v", "w"]', decision="largest")
    several.prediction[0, 5] = np.nan  # this seed names no class
    x1, x2 = several.x_test.values[5]
    share = ap.stats.decisions(several).share.sel(x1=x1, x2=x2)
    named = several.prediction.values[1:, 5].argmax(-1)
    np.testing.assert_allclose(share.sel({"class": "v"}), (named == 1).sum() / 5)
    assert share.sum() == pytest.approx(4 / 5)
    two = over_plane()
    with pytest.raises(ValueError, match="above= is needed"):
        ap.stats.decisions(two)
    share = ap.stats.decisions(two, above=0.5).share.sel(x1=x1, x2=x2)
    np.testing.assert_allclose(share, [1 - (s := (two.prediction[:, 5, 0] > 0.5).mean()), s])
    assert planes.rule_of(over_plane(decision="above 0"), None) == 0
    numbers = over_plane(outputs=2)
    numbers["y_test"] = numbers.y_test.astype(float)
    with pytest.raises(ValueError, match="not known that the 2 outputs are those of classes"):
        ap.stats.decisions(numbers)
    with pytest.raises(ValueError, match="a threshold of its own"):
        ap.stats.decisions(over_plane(outputs=2, decision="above 0"))


# ---- as a new user would -------------------------------------------------------------------------


@pytest.mark.slow
def test_a_flax_module_on_ones_own_split_is_judged_on_all_test_rows():
    from flax import linen

    class Net(linen.Module):
        @linen.compact
        def __call__(self, x):
            return linen.Dense(2)(linen.tanh(linen.Dense(16)(x)))

    rng = np.random.default_rng(0)
    x = rng.normal(5, 3, (500, 3))
    y = 100 * np.stack([x[:, 0] * x[:, 1], np.sin(x[:, 2])], 1)
    task = ap.data(x[:400], y[:400], test=(x[400:], y[400:]), validation=0.1, hold_out="random")
    recipe = ap.standardised(ap.Recipe(model=Net(), steps=300), task)
    runs = ap.run(task, recipe, seeds=8, keep=("prediction", "output_loss"), progress=False)
    errors = (runs.prediction.values - y[400:]) ** 2
    last = runs.isel(step=-1)
    np.testing.assert_allclose(last.test_loss, errors.mean((1, 2)), rtol=1e-4)
    np.testing.assert_allclose(last.output_test_loss, errors.mean(1), rtol=1e-4)
    assert (last.test_loss < runs.test_loss.isel(step=0)).all()


@pytest.mark.slow
def test_moons_have_a_boundary_in_ten_lines(tmp_path):
    from sklearn.datasets import make_moons

    x, y = make_moons(200, noise=0.2, random_state=0)
    kind = np.where(y == 1, "lower", "upper")
    at = ap.tasks.mesh((-2, -1.5), (3, 2), n=41)
    task = ap.data(x, kind, test=(x, kind), at=at, loss="binary_cross_entropy")
    recipe = ap.Recipe(model=ap.MLP((8,), "relu"), learning_rate=0.02, steps=400)
    runs = ap.run(task, recipe, seeds=16, progress=False)
    ax = ap.plot.boundary(runs, rows=(x, kind))
    ap.plot.save(ax, tmp_path, "moons")

    said = runs.prediction.isel(point=slice(0, 200), output=0) > 0
    right = (said.values == (kind == "upper")).mean(1)
    np.testing.assert_allclose(runs.test_accuracy.isel(step=-1), right, atol=1e-6)
    share = ap.stats.decisions(runs).share.sel({"class": "upper"})
    assert share.sel(x1=-1, x2=0.5, method="nearest") > 0.9
    assert share.sel(x1=1, x2=-1, method="nearest") < 0.1
