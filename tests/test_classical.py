"""Promise: a reference is what its method gives on the seed's own rows, judged as a network is."""

import sys

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.polynomial import Chebyshev
from scipy.interpolate import make_lsq_spline
from scripts import script

import approx as ap
from approx.classical import bases, kept_rows, methods, networks, rational
from approx.classical.encoding import encoding_of
from approx.classical.problems import CannotFitError, Problem, as_held, rows_of
from approx.classical.smoothing import left_out
from approx.training.inputs import as_keys

RNG = np.random.default_rng(0)


def problem(x, y, parameters=31, **options):
    """A problem of plain arrays, as `problem_of` makes it of a seed's rows."""
    x = np.reshape(x, (len(x), -1)).astype(float)
    y = np.reshape(y, (len(y), -1)).astype(float)
    half = np.ptp(x, 0) / 2
    options = {"seed": 0, "most_rows": None, "model": None, "keys": None} | options
    return Problem(
        x=x,
        y=y,
        center=x.min(0) + half,
        scale=np.where(half > 0, half, 1.0),
        parameters=parameters,
        **options,
    )


X = np.sort(RNG.uniform(-3, 5, 40))
Y = np.exp(np.sin(X)) + 0.1 * RNG.normal(size=40)
AT = np.linspace(-4, 6, 30)[:, None]


# ---- the methods, against independent computations -----------------------------------------------


def test_polynomials_are_those_of_numpy():
    found = bases.polynomial(problem(X, Y, 8))
    wanted = Chebyshev.fit(X, Y, 7)
    assert found.parameters == 8
    np.testing.assert_allclose(found.predict(AT)[:, 0], wanted(AT[:, 0]), rtol=1e-8)


def test_polynomials_of_several_inputs_have_all_products_of_a_total_degree():
    x = np.random.default_rng(1).uniform(-1, 2, (60, 2))
    y = np.stack([x[:, 0] * x[:, 1], x[:, 0] ** 2 - 3], 1)
    found = bases.polynomial(problem(x, y, 19))  # 9 terms for each output: 6 of degree 2, not 10
    assert (found.parameters, found.chosen) == (12, "total degree 2")
    at = np.array([[5.0, -7.0], [0.5, 0.1]])
    np.testing.assert_allclose(found.predict(at), [[-35, 22], [0.05, -2.75]], rtol=1e-9)


def test_fourier_series_recover_a_trigonometric_polynomial():
    u = np.random.default_rng(1).uniform(-1, 1, (80, 2))
    x = 3 + 2 * np.vstack([u, [[-1, -1], [1, 1]]])

    def target(x):
        u = (x - 3) / 2
        return 1 + np.cos(np.pi * (u[:, 0] - u[:, 1])) + np.sin(2 * np.pi * u[:, 1])

    found = bases.fourier(problem(x, target(x), 20))
    assert (found.parameters, found.chosen) == (13, "total degree 2")
    at = np.array([[20.0, -1.0], [0.0, 4.0]])
    np.testing.assert_allclose(found.predict(at)[:, 0], target(at), atol=1e-9)


@pytest.mark.parametrize(("inputs", "degree"), [(1, 4), (2, 3), (3, 3), (5, 2)])
def test_frequencies_are_half_of_the_lattice(inputs, degree):
    axis = np.arange(-degree, degree + 1)
    grid = np.stack(np.meshgrid(*[axis] * inputs), -1).reshape(-1, inputs)
    ball = {tuple(k) for k in grid.tolist() if sum(map(abs, k)) <= degree}
    half = bases.frequencies_of_degree(inputs, degree)
    other = [tuple(-k for k in vector) for vector in half]
    assert {*half, *other, (0,) * inputs} == ball
    assert len(ball) == 1 + 2 * len(half) == bases.lattice_points(inputs, degree)


def test_splines_are_those_of_scipy():
    given = problem(X, Y, 9)
    found = bases.spline(given)
    assert (found.parameters, found.chosen) == (9, "degree 3, 5 knots inside")
    u = given.scaled(given.x)[:, 0]
    inside = np.interp(np.arange(1, 6) * 39 / 6, np.arange(40), u)
    wanted = make_lsq_spline(u, Y, np.r_[[u[0]] * 4, inside, [u[-1]] * 4], 3)
    np.testing.assert_allclose(found.predict(AT)[:, 0], wanted(given.scaled(AT)[:, 0]), rtol=1e-6)
    through = bases.spline(problem(X[:12], Y[:12], 31))  # no more coefficients than rows
    assert through.parameters == 12
    np.testing.assert_allclose(through.predict(X[:12, None])[:, 0], Y[:12], rtol=1e-8)


def test_leaving_one_row_out_is_what_it_says():
    features = np.vander(X / 5, 5)
    errors = []
    for row in range(len(X)):
        others = np.arange(len(X)) != row
        solved = np.linalg.lstsq(features[others], Y[others], rcond=None)[0]
        errors.append((features[row] @ solved - Y[row]) ** 2)
    assert left_out(features, Y[:, None]) == pytest.approx(np.mean(errors), rel=1e-7)
    assert left_out(np.eye(3), np.ones((3, 1))) == np.inf


def test_a_degree_is_chosen_that_the_rows_ask_for():
    cubic = bases.polynomial_cv(problem(X, X**3 - X, 20))
    assert cubic.chosen == "degree 3, by leaving one row out"
    noise = bases.polynomial_cv(
        problem(np.arange(30), np.random.default_rng(1).normal(size=30), 20)
    )
    assert noise.parameters <= 3


def test_aaa_finds_a_rational_function():
    x = np.linspace(1, 2, 50)
    found = rational.rational(problem(x, np.stack([1 / x, x**2 / (1 + x)], 1)))
    # 1 / x is of type (1, 1) and x² / (1 + x) of type (2, 2): 3 and 5 numbers
    assert (found.parameters, found.chosen, found.note) == (8, "type (1, 1), (2, 2)", "")
    far = np.array([[0.1], [7.0]])
    np.testing.assert_allclose(found.predict(far)[:, 0], [10, 1 / 7], rtol=1e-10)
    few = rational.rational(problem(X, Y, 6))
    assert few.parameters == 5, "2 m - 1 numbers, m = 3"
    twice = rational.rational(problem(np.r_[x, x], np.r_[1 / x, 1 + 1 / x]))
    assert twice.chosen == "type (1, 1)", "of the means, 1 / x + 1 / 2"
    np.testing.assert_allclose(twice.predict(far)[:, 0], [10.5, 1 / 7 + 0.5], rtol=1e-9)


def test_random_features_are_least_squares_on_a_fixed_layer():
    given = problem(X, Y, 12, seed=3)
    found = networks.random_features(given)
    rng = np.random.default_rng(3)
    sign, center = np.sign(rng.normal(size=(11, 1))), rng.uniform(-1, 1, (11, 1))
    steepness = float(found.chosen.split("steepness ")[1].split(",")[0])

    def layer(x):
        z = (given.scaled(x) - center.T) * sign.T
        return np.hstack([np.ones((len(x), 1)), np.tanh(steepness * z)])

    solved = np.linalg.lstsq(layer(X[:, None]), Y, rcond=None)[0]
    np.testing.assert_allclose(found.predict(AT)[:, 0], layer(AT) @ solved, rtol=1e-6)
    assert found.parameters == 12


def test_neighbours_are_the_nearest_rows():
    x = np.random.default_rng(1).normal(size=(50, 2)) * [1, 100]
    y = np.sin(x[:, 0]) + x[:, 1] / 100
    given = problem(x, y)
    found = kept_rows.neighbours(given)
    k = int(found.chosen.split()[2].strip(","))
    u = given.scaled(x)
    away = np.linalg.norm(u[:, None] - u, axis=-1)
    np.fill_diagonal(away, np.inf)
    order = np.argsort(away, 1)
    errors = {c: np.mean((y[order[:, :c]].mean(1) - y) ** 2) for c in kept_rows.NEIGHBOURS}
    assert k == min(errors, key=errors.get)
    at = np.array([[0.3, 40.0], [9.0, -500.0]])
    near = np.argsort(np.linalg.norm(given.scaled(at)[:, None] - u, axis=-1), 1)[:, :k]
    np.testing.assert_allclose(found.predict(at)[:, 0], y[near].mean(1))


def test_kernel_ridge_is_its_formula():
    given = problem(X, Y)
    found = kept_rows.kernel_ridge(given)
    words = found.chosen.replace(",", "").split()
    width, ridge = float(words[1]), float(words[3])
    u, at = given.scaled(given.x), given.scaled(AT)

    def kernel(a, b):
        return np.exp(-((a - b.T) ** 2) / (2 * width**2))

    weights = np.linalg.solve(kernel(u, u) + ridge * np.eye(40), Y - Y.mean())
    wanted = Y.mean() + kernel(at, u) @ weights
    # The width is printed with three digits
    np.testing.assert_allclose(found.predict(AT)[:, 0], wanted, rtol=0.02, atol=0.02)


def test_forests_and_processes_follow_smooth_rows_and_keep_some_of_many():
    x = np.random.default_rng(1).uniform(-1, 1, 300)
    y = np.stack([np.sin(3 * x), x], 1)
    for fit in (kept_rows.forest, kept_rows.gaussian_process):
        found = fit(problem(x, y, most_rows=60))
        assert found.parameters == 60
        assert found.note == "It keeps 60 of the 300 rows, drawn by the seed."
        assert found.drawn
        assert np.mean((found.predict(x[:, None]) - y) ** 2) < 0.01


def linear(key, x):
    return {"w": jax.random.normal(key, (x.shape[1], 1)), "b": jnp.zeros(1)}


LINEAR = (linear, lambda params, x: x @ params["w"] + params["b"])


def test_points_without_targets_judge_no_reference():
    x = np.linspace(0, 1, 12)
    task = ap.data(x, x**2, test=(x[:3], x[:3] ** 2), at=[2.0, 3.0])
    rows = rows_of(task, jax.random.key(0), 0, "float64")
    np.testing.assert_allclose(rows.x_test[:, 0], x[:3])
    assert (rows.distance == 0).all()


def test_a_linear_network_is_its_own_linearisation():
    rng = np.random.default_rng(1)
    task = ap.given(rng.normal(size=(30, 2)), rng.normal(size=30))
    rows = rows_of(task, jax.random.key(0), 5, "float64")
    given = problem(rows.x, rows.y, model=LINEAR, keys=rows.keys)
    augmented = np.hstack([rows.x, np.ones((30, 1))])
    wanted = augmented @ np.linalg.lstsq(augmented, rows.y, rcond=None)[0]
    for method in (networks.tangent, networks.linearised):
        found = method(given)
        assert found.parameters == 3
        np.testing.assert_allclose(found.predict(rows.x), wanted, rtol=1e-8)


@pytest.mark.parametrize("model", [ap.models.RBF(4), ap.models.Fourier(2, widths=())])
def test_networks_that_look_at_rows_or_have_fixed_frequencies_are_linearised(model):
    x = np.linspace(-1, 1, 9)
    given = ap.given(x, x**2)
    found = ap.references(given, model=model, methods=["linearised"])
    assert found.note.values.item() == ""
    assert found.loss.item() < np.var(x**2)


def test_a_linearised_network_starts_where_the_network_does():
    """f_0 + J (J⁺ (y - f_0)), with the Jacobian by hand: a tanh unit w tanh(v x)."""
    start = {"v": jnp.array([[0.7]]), "w": jnp.array([[-1.3]])}
    unit = (lambda key, x: start, lambda p, x: jnp.tanh(x @ p["v"]) @ p["w"])
    x = np.linspace(-1, 1, 9)[:, None]
    found = networks.linearised(problem(x, x**3, model=unit, keys=ap.Keys(*[None] * 5)))
    v, w = np.float64(np.float32(0.7)), np.float64(np.float32(-1.3))
    hidden = np.tanh(v * x)
    slopes = np.hstack([w * x * (1 - hidden**2), hidden])
    moved = np.linalg.lstsq(slopes, x**3 - w * hidden, rcond=None)[0]
    np.testing.assert_allclose(found.predict(x), w * hidden + slopes @ moved, rtol=1e-9)


# ---- what is asked of the public function --------------------------------------------------------

CHEAP = ["constant", "polynomial", "polynomial_cv", "spline", "rational"]


def test_x_squared_needs_three_numbers():
    found = ap.references(ap.tasks.square(), methods=CHEAP)
    assert found.sizes == {"reference": 5}
    best = found.sel(reference="polynomial_cv")
    assert best.parameters == 3
    assert float(best.loss) < 1e-25, "whole numbers up to 100 are exact in float32"
    for of in ("test_loss", "outside_loss"):
        assert float(best[of]) < 1e-9, "the test points are rounded to float32, up to 900"
    x = np.arange(-10.0, 11)
    assert float(found.loss.sel(reference="constant")) == pytest.approx(np.var(x**2))
    assert int(found.parameters.sel(reference="polynomial")) == 21, "no more than rows"
    assert (found.note == "").all()
    assert found.budget == 31
    assert "accuracy" not in found


def test_seeds_have_the_rows_of_a_run():
    task = ap.tasks.square(range=1.0, inputs="uniform", noise=0.1, size=12, validation=0.25)
    found = ap.references(task, 1, seeds=[4, 2], methods=["polynomial"])
    assert found.loss.dims == ("reference", "seed")
    for seed in (4, 2):
        keys = as_keys(jax.random.fold_in(jax.random.key(0), seed))
        (_, y), _ = task.split(keys.data, keys.noise)
        assert y.shape == (9, 1)
        assert float(found.loss.sel(seed=seed).squeeze()) == pytest.approx(
            float(np.var(y)), rel=1e-5
        )
    text = ap.classical.table(found)
    assert "| polynomial | 1 | " in text
    assert ", inf]" in text, "two seeds do not bound a median"


def test_labels_are_judged_as_a_network_is():
    x = np.r_[np.arange(10.0), np.arange(20.0, 25)]
    labels = np.repeat([1, 0], [10, 5])
    task = ap.given(x, labels, x, labels, loss="cross_entropy", classes=3)
    found = ap.references(task, methods=["constant"]).isel(reference=0)
    shares = np.array([1 / 3, 2 / 3, 1 / 30])  # the least is half a row
    wanted = -np.log((shares / shares.sum())[labels]).mean()
    assert float(found.loss) == pytest.approx(wanted, rel=1e-6)
    assert float(found.accuracy) == float(found.test_accuracy) == pytest.approx(2 / 3)
    assert int(found.parameters) == 3
    assert "outside_loss" not in found


QUICK = ("mse", "cross_entropy", "brier", "hinge", "poisson")  # one of each kind
OTHERS = [pytest.param(name, marks=pytest.mark.slow) for name in {*ap.losses.LOSSES} - {*QUICK}]


@pytest.mark.parametrize("loss", [*QUICK, *sorted(OTHERS, key=str)])
def test_predictions_become_what_each_loss_takes(loss):
    """The conditional mean, predicted exactly, has a finite loss near the least there is."""
    labels = np.array([0, 1, 1, 2])
    y = np.eye(3)[labels]
    encoding = encoding_of(loss, 3, 4_000)
    targets = labels if loss == "cross_entropy" else y
    outputs = jnp.asarray(encoding.decode(encoding.encode(targets)))
    value = float(ap.losses.find(loss)(outputs, jnp.asarray(targets)).mean())
    least = {"poisson": 1 / 3, "poisson_log": 1 / 3}.get(loss, 0.0)
    assert value == pytest.approx(least, abs=3e-3)


def test_what_cannot_be_fitted_says_why():
    x = np.random.default_rng(1).uniform(size=(20, 3))
    task = ap.given(x, x)
    names = ["polynomial", "spline", "rational"]
    found = ap.references(task, 6, methods=names)
    assert int(found.parameters.sel(reference="polynomial")) == 3, "a constant for each output"
    said = dict(zip(names, found.note.values.tolist(), strict=True))
    assert said["polynomial"] == ""
    assert said["spline"] == "A spline here has one input, and there are 3."
    assert said["rational"] == "AAA finds rational functions of one input, and there are 3."
    assert np.isnan(found.loss).values.tolist() == [False, True, True]
    assert "* spline: A spline here" in ap.classical.table(found)
    few = ap.references(task, 2, methods=["polynomial"])
    assert "2 parameters give not even one" in str(few.note.values[0])
    network = networks.Linearised(None, None, None, 50_000)
    with pytest.raises(CannotFitError, match="1,000 targets by 50,000 parameters"):
        networks.check_size(np.zeros((500, 2)), network)


def test_a_model_says_how_many_parameters_there_are():
    found = ap.references(ap.tasks.square(), model=ap.MLP((7,), "tanh"), methods=["constant"])
    assert found.budget == 22
    relu = ap.MLP((7,), "relu")
    assert ap.references(ap.tasks.square(), 5, model=relu, methods=["constant"]).budget == 5
    with pytest.raises(ValueError, match=r"of the shape \(2, 1\) for 2 rows; .* wants \(2, 4\)"):
        ap.references(ap.tasks.clusters(), model=relu)


def test_default_methods_need_no_model():
    names = methods.checked(None, None)
    assert names == [name for name in methods.METHODS if name not in ("tangent", "linearised")]
    assert methods.checked(None, LINEAR) == list(methods.METHODS)


SLOPES = ap.losses.of_network(lambda network, batch: network(batch.x)[:, 0] ** 2)
REFUSED = {
    "no task": (lambda: ap.references(3), TypeError, "task is 3; it must be a task"),
    "no targets": (
        lambda: ap.references(ap.drawn(None, (0.0, 1.0), 9, loss=SLOPES), methods=["constant"]),
        ValueError,
        "the task has no targets",
    ),
    "slopes": (
        lambda: ap.references(
            ap.given(np.ones(3), np.ones((3, 2)), np.ones(3), np.ones(3), loss=SLOPES),
            methods=["constant"],
        ),
        ValueError,
        "have other columns than those of the test points",
    ),
    "dtype": (lambda: square(dtype="float16"), ValueError, "dtype is 'float16'"),
    "no parameters": (lambda: square(0), ValueError, "parameters is 0; it must be a whole"),
    "half": (lambda: square(2.5), ValueError, "parameters is 2.5; it must be a whole number"),
    "rows": (lambda: square(most_rows=0), ValueError, "most_rows is 0"),
    "a slip": (lambda: square(methods=["polinomial"]), ValueError, "did you mean 'polynomial'"),
    "twice": (lambda: square(methods=["spline"] * 2), ValueError, "names 'spline' twice"),
    "none": (lambda: square(methods=[]), ValueError, "methods is empty"),
    "no model": (lambda: square(methods="tangent"), ValueError, "'tangent' needs a network"),
    "seeds": (lambda: square(seeds=-1), ValueError, "seeds"),
    "table": (lambda: ap.classical.table(3), ValueError, "these are no references"),
    "panel": (lambda: ap.plot.references(xr.Dataset()), ValueError, "ap.references"),
}


def square(*args, **options):
    return ap.references(ap.tasks.square(), *args, **options)


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_before_anything_is_fitted(case):
    call, kind, words = REFUSED[case]
    with pytest.raises(kind, match=words):
        call()


def test_without_scikit_learn_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r'pip install "scikit-learn>=1.6", or .*\[references\]'):
        square()
    assert methods.checked(CHEAP, None) == CHEAP


def test_numbers_are_those_that_a_dtype_holds():
    assert as_held(np.array([0.1]), "float32")[0] == np.float64(np.float32(0.1))
    assert as_held(np.array([3]), "float32").dtype.kind == "i"


def test_the_panel_draws_networks_behind_the_references():
    found = xr.Dataset(
        {
            "test_loss": (("reference", "seed"), [[1e-3, 2e-3, 3e-3], [np.nan] * 3]),
            "outside_loss": (("reference", "seed"), [[1.0, np.inf, 5e9], [np.nan] * 3]),
            "parameters": (("reference", "seed"), [[3, 3, 4], [0, 0, 0]]),
            "counts": ("reference", ["parameters", "rows"]),
        },
        {"reference": ["polynomial", "forest"], "seed": [0, 1, 2]},
    )
    errors = {"test_loss": 0.02, "outside_loss": 7.0}
    dims = ("seed", "step")
    runs = xr.Dataset({name: (dims, [[9.0, value]] * 3) for name, value in errors.items()})
    runs = runs.assign_coords(seed=[0, 1, 2], step=[0, 5])
    ax = ap.plot.references(found, runs, between=(1e-4, 1e3))
    medians = [line.get_xdata()[0] for line in ax.lines if line.get_label().startswith("_child")]
    assert {0.02, 7.0} <= set(medians)
    marks = {line.get_label(): list(line.get_xdata()) for line in ax.lines}
    assert marks["inside"] == [2e-3]
    assert marks["outside"] == [], "its median is beyond the edge"
    assert [list(line.get_xdata()) for line in ax.lines if line.get_marker() == ">"] == [[1e3]]
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == ["polynomial (4)", "forest (0 rows)"]
    assert sum(text.get_text() == "none" for text in ax.texts) == 2
    plt.close("all")


@pytest.mark.slow  # scikit-learn's methods and three programs
def test_every_method_answers_x_squared():
    found = ap.references(ap.tasks.square(range=1.0), model=ap.MLP((10,), "tanh"), seeds=2)
    assert found.sizes == {"reference": 15, "seed": 2}
    # On rows rounded to float32 AAA goes on to interpolate the rounding
    assert found.reference[(found.note != "").any("seed")].values.tolist() == ["rational"]
    inside = found.test_loss.max("seed").to_series()
    assert (inside.drop("constant") < inside["constant"]).all()
    assert (inside[["polynomial_cv", "spline_cv", "rational"]] < 1e-13).all()
    assert (found.parameters.sel(reference=["tangent", "linearised"]) == 31).all()
    for name in ("forest", "random_features", "linearised"):
        assert np.ptp(found.test_loss.sel(reference=name).values) > 0, "each seed draws its own"
    assert np.ptp(found.test_loss.sel(reference="polynomial").values) == 0


def test_the_page_has_the_tables_of_the_committed_numbers():
    experiment = script("experiments", "references")
    table = pd.read_csv(experiment.SUMMARIES / "references.csv", dtype={"source": str})
    says = {name: case.says for name, case in experiment.cases().items()}
    tables = experiment.pages_tables(table, says)
    assert tables in experiment.PAGE.read_text()
    assert set(table.case) == set(says)
    missing = table.loss.isna()
    assert table.note[missing].notna().all(), "what is missing has a reason"


def test_what_the_page_says_is_in_the_committed_numbers():
    path = script("experiments", "references").SUMMARIES / "references.csv"
    table = pd.read_csv(path).set_index(["case", "reference"])
    inside, outside = table.test_loss, table.outside_loss
    better = inside.square < inside.square["network"]
    exact = {"polynomial", "polynomial_cv", "spline", "spline_cv", "rational"}
    smooth = {"random_features", "kernel_ridge", "gaussian_process"}
    assert set(better[better].index) == exact | smooth
    assert (inside.square[list(smooth)] < 1e-6 * inside.square["network"]).all()
    right = outside.square < 1e-9
    assert set(right[right].index) == exact - {"polynomial"}
    assert outside.square["polynomial"] > 100
    assert 0.005 < outside.square["gaussian_process"] < 0.015
    worse = inside.sine > inside.sine["network"]
    assert set(worse[worse].index) == {"constant", "neighbours", "forest"}
    assert outside.sine["constant"] < outside.sine["network"]
    assert (outside.sine[["polynomial", "polynomial_cv"]] > 1e10).all()
    assert max(inside.sine["fourier"], outside.sine["fourier"]) < 1e-12
    assert inside.interval.idxmin() == "network"
    of_classes = table.loc["clusters"].test_accuracy.round(2)
    shares = {"network": 0.84, "polynomial": 0.86, "random_features": 0.88, "neighbours": 0.92}
    assert of_classes[list(shares)].to_dict() == shares
    assert of_classes["forest"] == 0.93
    assert inside.identity["polynomial"] < 1e-30
    assert inside.identity["network"] > 1.4e-6 > 0.9 * inside.identity["constant"]
    assert table.parameters.identity[["network", "polynomial"]].tolist() == [7_140, 7_140]
    of_levels = table.loc["waveform"].test_accuracy
    assert (of_levels[["network", "forest", "kernel_ridge", "gaussian_process"]] == 1).all()
    of_rows = table.loc["interval"].test_accuracy
    assert (of_rows[["polynomial", "fourier", "spline", "random_features"]] == 1).all()
    assert inside.interval.drop("network").min() == pytest.approx(1 / 600, rel=0.02)


@pytest.mark.slow  # a network, and three references
def test_the_experiment_runs_and_writes_its_page(tmp_path):
    experiment = script("experiments", "references")
    page = tmp_path / "page.md"
    page.write_text(f"before\n{experiment.BEGIN}\nold\n{experiment.END}\nafter\n")
    experiment.main(["square"], summaries=tmp_path, page=page, quick=True)
    text = page.read_text()
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| constant | 1 | 1.1e+03 |" in text
    assert "| network | 31 |" in text


STEEPNESS = 1.0


def test_a_value_that_a_users_activation_reads_may_change_between_calls(monkeypatch):
    """The functions of a model are compiled once for all seeds, and anew for another value."""
    model = ap.MLP((3,), lambda x: jnp.tanh(STEEPNESS * x))
    found = []
    for steepness in (1.0, 1.0, 30.0):
        monkeypatch.setattr(sys.modules[__name__], "STEEPNESS", steepness)
        made = ap.references(ap.tasks.square(size=9), model=model, methods=("tangent",))
        found.append(float(made.test_loss.squeeze()))
    assert found[0] == found[1]
    assert found[0] != found[2]
