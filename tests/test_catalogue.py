"""Promise: every task of the catalogue is what its table says, and refuses what is none."""

import inspect
import math
import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
import scipy.signal
import sklearn.datasets
from conftest import QUICK
from scripts import ROOT

import approx as ap
from approx.tasks.catalogue import spaces

T = ap.tasks
C = T.catalogue
KEY = jax.random.key(3)
quick = partial(jax.jit, compiler_options=QUICK)
# What a name needs beside its options
NEEDED = {"genz": ("gaussian",), "feynman": ("I.12.2",)}
SMALL = {"modular_addition": {"p": 5}, "arithmetic": {"test_size": 20}}


def made(name):
    return C.ENTRIES[name].make(*NEEDED.get(name, ()), **SMALL.get(name, {}))


def values(functions, x):
    """What functions give, {name: values} in float64, by one program."""
    program = quick(lambda x: {name: f(x) for name, f in functions.items()})
    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, program(jnp.asarray(x, jnp.float64)))


def rows(task):
    """A seed's training rows; kinds of tasks share their programs' shapes."""
    x, y = quick(task.rows)(KEY, KEY)
    return np.asarray(x), np.asarray(y)


@pytest.mark.parametrize("name", C.ENTRIES)
def test_every_task_has_rows_points_and_help(name):
    task = made(name)
    x, y = jax.eval_shape(lambda: task.rows(KEY, KEY))
    points = jax.eval_shape(task.points)
    assert x.ndim == 2
    assert x.shape[1:] == points.x.shape[1:]
    assert y.shape[0] == x.shape[0]
    assert y.shape[1:] == points.y.shape[1:]
    assert points.distance.shape == points.x.shape[:1]
    make = getattr(T, name)
    assert make is C.ENTRIES[name].make
    assert "Example:" in inspect.getdoc(make)
    for each in inspect.signature(make).parameters:
        assert f"{each}:" in inspect.getdoc(make)


def test_all_names_of_the_table_are_public():
    assert set(C.ENTRIES) <= set(T.__all__)


# ---- one variable --------------------------------------------------------------------------------


FORMULAS = {
    "step": lambda x: np.heaviside(x, 0),
    "absolute": abs,
    "runge": lambda x: 1 / (1 + 25 * x**2),
    "reciprocal": lambda x: 1 / x,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "sawtooth": lambda x: scipy.signal.sawtooth(2 * np.pi * x),
    "chirp": lambda x: scipy.signal.chirp(x, 1, 1, 10, phi=-90),
    "weierstrass": lambda x: sum(0.5**n * np.cos(3**n * np.pi * x) for n in range(8)),
}


def test_functions_of_one_variable():
    x = np.linspace(0.11, 0.97, 12)
    found = values({name: made(name).targets for name in FORMULAS}, x)
    for name, formula in FORMULAS.items():
        np.testing.assert_allclose(found[name], formula(x), atol=1e-9, err_msg=name)
    for name in ("step", "absolute", "sawtooth"):
        np.testing.assert_allclose(made(name).f(jnp.asarray(-x)), FORMULAS[name](-x), atol=1e-6)


def test_the_sum_of_sines_is_that_of_the_paper():
    phases = np.linspace(0, 1, 10)
    task = T.sum_of_sines(phases=phases)
    x = np.linspace(0, 1, 7)
    wanted = sum(np.sin(2 * np.pi * 5 * (n + 1) * x + phases[n]) for n in range(10))
    np.testing.assert_allclose(values({0: task.targets}, x)[0], wanted, atol=1e-9)
    assert task.size == 200
    drawn = [each[2] for each in T.sum_of_sines(phases=4).f.keywords["waves"]]
    np.testing.assert_array_equal(drawn, np.random.default_rng(4).uniform(0, 2 * np.pi, 10))


def test_functions_of_half_a_line_are_judged_where_they_are_defined():
    task = T.reciprocal(range=(1, 2), reach=2.5, size=5, test_size=9)
    points = quick(task.points)()
    np.testing.assert_allclose(points.x[:, 0], np.linspace(0.25, 2.75, 9), rtol=1e-6)
    assert (np.asarray(points.distance) > 0).sum() == 6
    for name in ("sqrt", "log", "reciprocal"):
        points = quick(made(name).points)()
        assert np.isfinite(np.asarray(points.y)).all()
        assert (np.asarray(points.distance) == 0).all()


# ---- several variables ---------------------------------------------------------------------------

U = np.random.default_rng(5).uniform(0.05, 0.95, (9, 10))


def test_functions_of_the_plane():
    x = 2 * U[:, :2] - 1
    u, v = x.T
    gauss = np.exp
    wanted = {
        "product": u * v,
        "maximum": np.maximum(u, v),
        "rosenbrock": scipy.optimize.rosen(x.T),
        "franke": 0.75 * gauss(-((9 * u - 2) ** 2) / 4 - (9 * v - 2) ** 2 / 4)
        + 0.75 * gauss(-((9 * u + 1) ** 2) / 49 - (9 * v + 1) / 10)
        + 0.5 * gauss(-((9 * u - 7) ** 2) / 4 - (9 * v - 3) ** 2 / 4)
        - 0.2 * gauss(-((9 * u - 4) ** 2) - (9 * v - 7) ** 2),
        "peaks": 3 * (1 - u) ** 2 * gauss(-(u**2) - (v + 1) ** 2)
        - 10 * (u / 5 - u**3 - v**5) * gauss(-(u**2) - v**2)
        - gauss(-((u + 1) ** 2) - v**2) / 3,
    }
    found = values({name: made(name).f for name in wanted}, x)
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], atol=1e-9, err_msg=name)


def test_friedmans_functions_are_those_of_sklearn():
    for n in (1, 2, 3):
        x, y = getattr(sklearn.datasets, f"make_friedman{n}")(20, random_state=0)
        task = made(f"friedman{n}")
        np.testing.assert_allclose(values({n: task.f}, x)[n], y, rtol=1e-9)
        low, high = np.asarray(task.draw.low), np.asarray(task.draw.high)
        assert (x >= low).all()
        assert (x <= high).all()


def test_genz_families():
    x, a, u = U[:, :3], np.array([1.0, 2.0, 0.5]), np.array([0.3, 0.6, 0.9])
    wanted = {
        "oscillatory": [math.cos(2 * math.pi * 0.3 + a @ each) for each in x],
        "product_peak": [np.prod(1 / (a**-2 + (each - u) ** 2)) for each in x],
        "corner_peak": [(1 + a @ each) ** -4 for each in x],
        "gaussian": [math.exp(-sum(a**2 * (each - u) ** 2)) for each in x],
        "continuous": [math.exp(-sum(a * abs(each - u))) for each in x],
        "discontinuous": [
            0 if each[0] > 0.3 or each[1] > 0.6 else math.exp(a @ each) for each in x
        ],
    }
    found = values({name: T.genz(name, n=3, a=a, u=u).f for name in wanted}, x)
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-9, err_msg=name)


def test_feynmans_equations():
    wanted = {
        "I.6.2a": ([2.0], math.exp(-2) / math.sqrt(2 * math.pi)),
        "I.8.14": ([1, 4, 2, 6], 5.0),
        "I.10.7": ([2, 1.5, 4], 2 / math.sqrt(1 - 1.5**2 / 16)),
        "I.12.1": ([2, 3.5], 7.0),
        "I.12.2": ([2, 3, 1.5, 2], 6 / (4 * math.pi * 1.5 * 4)),
        "I.13.4": ([2, 1, 2, 3], 14.0),
        "I.15.3x": ([6, 1.5, 5, 2], 3 / math.sqrt(1 - 1.5**2 / 25)),
        "I.18.4": ([1, 3, 2, 4], 3.5),
        "I.27.6": ([2, 4, 2], 1.0),
    }
    assert set(wanted) == set(C.FEYNMAN)
    program = jax.jit(lambda x: {name: C.FEYNMAN[name].of_rows(x[name]) for name in wanted})
    with jax.enable_x64(True):
        found = program({name: jnp.asarray([case[0]], float) for name, case in wanted.items()})
    for name, (_, value) in wanted.items():
        np.testing.assert_allclose(found[name], [value], rtol=1e-9, err_msg=name)


def test_rows_of_a_box_lie_on_a_grid_or_are_drawn_and_points_beyond_are_outside():
    task = T.product(range=((0, 1), (2, 4)), inputs="grid", size=9, reach=2.0, test_size=30)
    x, y = task.x, task.y
    np.testing.assert_allclose(x[[0, 1, 3, 8]], [[0, 2], [0, 3], [0.5, 2], [1, 4]])
    np.testing.assert_allclose(y[:, 0], x[:, 0] * x[:, 1])
    assert task.x_test.shape == (25, 2)
    np.testing.assert_allclose(task.x_test.min(0), [-0.5, 1])
    np.testing.assert_allclose(task.distance[0], np.sqrt(0.5**2 + 1))
    drawn = T.product(size=12)
    x, y = rows(drawn)
    assert x.shape == (12, 2)
    np.testing.assert_allclose(y[:, 0], x[:, 0] * x[:, 1], rtol=1e-6)
    assert drawn.x_test.shape == (41**2, 2)
    assert np.abs(drawn.x_test).max() == 2


# ---- classes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["circles", "moons"])
def test_circles_and_moons_are_those_of_sklearn(name):
    x, y = rows(getattr(T, name)(size=20, noise=0.0))
    theirs = getattr(sklearn.datasets, f"make_{name}")(20, shuffle=False, noise=None)
    np.testing.assert_allclose(x, theirs[0], atol=1e-6)
    np.testing.assert_array_equal(y[:, 0], theirs[1])
    task = getattr(T, name)(size=20, noise=0.1, loss="cross_entropy")
    noisy, labels = rows(task)
    assert labels.dtype == np.int32
    assert 0.05 < (noisy - x).std() < 0.2


def test_the_two_spirals_are_the_points_of_the_benchmark():
    task = T.two_spirals()
    assert task.x.shape == (194, 2)
    np.testing.assert_allclose(task.x[:2], [[0, 6.5], [0, -6.5]], atol=1e-12)
    np.testing.assert_allclose(task.x[2], [1.255894, 6.313805], atol=1e-6)
    np.testing.assert_allclose(task.x[-2], [0, 0.5], atol=1e-12)
    np.testing.assert_array_equal(task.y[:4, 0], [1, 0, 1, 0])
    radius, wanted = np.linalg.norm(task.x_test[::2], axis=1), 6.5 * (103.5 - np.arange(96)) / 104
    np.testing.assert_allclose(radius, wanted)


def test_parity_and_whole_numbers():
    task = T.parity(3)
    np.testing.assert_array_equal(task.y[:, 0], [0, 1, 1, 0, 1, 0, 0, 1])
    np.testing.assert_array_equal(task.x[6], [1, 1, 0])
    np.testing.assert_array_equal(T.parity(3, signs=True).x[6], [1, 1, -1])
    task = T.modulo(divisor=3, range=(1, 5), reach=2)
    np.testing.assert_array_equal(task.y[:, 0], [1, 2, 0, 1, 2])
    np.testing.assert_array_equal(task.x_test[:, 0], np.arange(1, 11))
    np.testing.assert_array_equal(task.distance, [0] * 5 + [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(T.even(range=(0, 3)).y[:, 0], [1, 0, 1, 0])


def test_arithmetic_on_subsets():
    task = T.arithmetic("sub", inputs=10, subset=0.4, overlap=0.5, test_size=3)
    a, b = U[:, :4].sum(1), U[:, 2:6].sum(1)
    np.testing.assert_allclose(quick(task.f)(U), a - b, rtol=1e-4, atol=1e-5)
    assert (task.distance[:3] == 0).all()
    assert (task.distance[3:] > 0).all()
    assert task.x_test[:3].max() <= 2
    assert task.x_test[3:].max() <= 6
    two = T.arithmetic("div", inputs=2, subset=0.5, overlap=0.0, test_size=3)
    np.testing.assert_allclose(quick(two.f)(U[:, :2]), U[:, 0] / U[:, 1], rtol=1e-5)
    assert T.arithmetic().f.keywords == {"operation": "mul", "size": 25, "overlap": 12}


def test_modular_addition_has_every_pair_once():
    task = T.modular_addition(5, train_share=0.4, split=1)
    x, y = np.concatenate([task.x, task.x_test]), np.concatenate([task.y, task.y_test])
    assert len(task.x) == 10
    assert len(np.unique(x, axis=0)) == 25
    a, b = x[:, :5].argmax(1), x[:, 5:].argmax(1)
    np.testing.assert_array_equal(y, (a + b) % 5)
    assert (x.sum(1) == 2).all()
    assert task.classes == 5


def test_genz_families_of_one_input():
    x = np.linspace(0, 1, 5)
    found = spaces.of_genz(jnp.asarray(x), "discontinuous", (2.0,), (0.6,))
    np.testing.assert_allclose(found, np.where(x > 0.6, 0, np.exp(2 * x)), rtol=1e-6)


# ---- refusals and the page -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: T.step(sice=3), TypeError, "did you mean size"),
        (lambda: T.log(range=(0, 1)), ValueError, "needs x above 0"),
        (lambda: T.log(reach=2.0), ValueError, "points begin at x = -0.485"),
        (lambda: T.sqrt(range=(-1, 1)), ValueError, "needs x at least 0"),
        (lambda: T.reciprocal(range=1.0), ValueError, "needs x above 0"),
        (lambda: T.sum_of_sines(frequencies=()), ValueError, "frequencies is empty"),
        (lambda: T.sum_of_sines(amplitudes=(1, 2)), ValueError, "one number, or 10 numbers"),
        (lambda: T.chirp(high="fast"), TypeError, "high is 'fast'"),
        (lambda: T.weierstrass(a=1.5), ValueError, "between 0 and 1"),
        (lambda: T.weierstrass(terms=30), ValueError, "take fewer terms"),
        (lambda: T.product(inputs="grid", size=50), ValueError, r"k\^2 rows.*such as 49"),
        (lambda: T.product(inputs="random"), ValueError, "'grid' or 'uniform'"),
        (lambda: T.product(range=(1, 0)), ValueError, "low below high"),
        (lambda: T.product(range=(1, 2, 3)), ValueError, "or 2 of them"),
        (lambda: T.product(reach=0.5), ValueError, "at least 1, the box itself"),
        (lambda: T.product(nois=0.1), TypeError, "nois"),
        (lambda: T.circles(factor=2), ValueError, "between 0 and 1"),
        (lambda: T.moons(size=1), ValueError, "two classes need 2"),
        (lambda: T.two_spirals(density=0), ValueError, "density is 0"),
        (lambda: T.friedman1(n=4), ValueError, "from 5 to"),
        (lambda: T.genz("gaussain"), ValueError, "did you mean 'gaussian'"),
        (lambda: T.genz("gaussian", a=0), ValueError, "above 0"),
        (lambda: T.feynman("I.6.2"), ValueError, "unknown equation 'I.6.2'"),
        (lambda: T.parity(20), ValueError, "from 1 to 16"),
        (lambda: T.modulo(divisor=1), ValueError, "divisor is 1"),
        (lambda: T.even(range=(0, 2.5)), ValueError, "whole, low below high"),
        (lambda: T.arithmetic("plus"), ValueError, "unknown operation 'plus'"),
        (lambda: T.arithmetic(inputs=2), ValueError, "they need 1 at least"),
        (lambda: T.arithmetic(extrapolation=(1.5, 3)), ValueError, "overlaps with range"),
        (lambda: T.arithmetic("div", range=(-1, 1)), ValueError, "b can be 0"),
        (lambda: T.modular_addition(1), ValueError, "p is 1"),
        (lambda: T.modular_addition(5, train_share=1.0), ValueError, "leave some"),
    ],
)
def test_bad_input_is_refused_in_words(make, error, said):
    with pytest.raises(error, match=said):
        make()


def test_the_page_has_the_table_of_the_code():
    page = (ROOT / "docs" / "catalogue.md").read_text()
    assert C.markdown() in page
    named = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert len(named) == len(set(named))


@pytest.mark.slow
@pytest.mark.parametrize("name", C.ENTRIES)
def test_every_task_can_be_trained_on(name, quiet):
    task = made(name)
    points = task.points()
    for values in points:
        assert np.isfinite(np.asarray(values)).all()
    outputs = task.classes or 1
    recipe = ap.Recipe(model=ap.MLP((4,), outputs=outputs), steps=2)
    runs = ap.run(task, recipe, seeds=2, **quiet)
    assert np.isfinite(runs.loss).all()
