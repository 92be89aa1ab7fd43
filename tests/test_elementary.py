"""Promise: the fast elementary functions are as good as XLA's: errors in ulp over float32's range,
and derivatives.
"""

import jax
import numpy as np
import pytest
import scipy.special

from approx.numerics import elementary

POSITIVE = np.concatenate(
    [np.geomspace(1.2e-38, 3e38, 400_001), np.linspace(0, 12, 400_001), np.linspace(80, 90, 9)]
)
X = np.concatenate([-POSITIVE, POSITIVE]).astype(np.float32)
# name: (float64 reference, its derivative, ulp allowed, XLA's own ulp as measured with jax 0.12 for
# comparison)
FUNCTIONS = {
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2, 6.0),  # XLA: 4.4
    # XLA: 2.0
    "sigmoid": (
        scipy.special.expit,
        lambda x: scipy.special.expit(x) * scipy.special.expit(-x),
        3.0,
    ),
    "softplus": (lambda x: np.logaddexp(0, x), scipy.special.expit, 4.0),  # XLA: 2.8
}


def ulps(found, exact):
    spacing = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
    return np.abs(found.astype(np.float64) - exact) / np.maximum(spacing, 1.2e-45)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_errors_in_ulp(name):
    reference, _, allowed = FUNCTIONS[name]
    found = np.asarray(jax.jit(getattr(elementary, name))(X))
    with np.errstate(over="ignore", under="ignore"):
        exact = reference(X.astype(np.float64))
    # Below, float32 has no normal numbers to hold the result
    normal = (np.abs(exact) > 1.2e-38 * 8) & (X > -87)
    assert ulps(found, exact)[normal].max() <= allowed
    assert np.abs(found - exact)[~normal].max() <= 2e-38  # about float32's smallest normal number


def test_gaussian_and_exp_minus():
    a = np.abs(X[np.abs(X) < 87])
    found = np.asarray(jax.jit(elementary.exp_minus)(a))
    assert ulps(found, np.exp(-a.astype(np.float64))).max() <= 3  # XLA's exp: 1.5
    x = X[np.abs(X) < 9]
    found = np.asarray(jax.jit(elementary.gaussian)(x))
    # X² rounds first
    np.testing.assert_allclose(found, np.exp(-(x.astype(np.float64) ** 2)), rtol=8e-6, atol=1e-37)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives(name):
    _, derivative, _ = FUNCTIONS[name]
    x = np.linspace(-30, 30, 20_001).astype(np.float32)
    found = jax.jit(jax.vmap(jax.grad(getattr(elementary, name))))(x)
    # Of values near 1: 1 - h² and s (1 - s) keep the absolute accuracy of a few ulp of 1, as with
    # XLA's own.
    np.testing.assert_allclose(found, derivative(x.astype(np.float64)), rtol=1e-6, atol=1e-6)


def test_derivative_of_the_gaussian():
    x = np.linspace(-5, 5, 2001).astype(np.float32)
    found = jax.jit(jax.vmap(jax.grad(elementary.gaussian)))(x)
    exact = -2 * x.astype(np.float64) * np.exp(-(x.astype(np.float64) ** 2))
    np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("name", "reference"), [("sin", np.sin), ("cos", np.cos)])
def test_sine_and_cosine(name, reference):
    """1.2e-7 in absolute error out to 6,000 (XLA: 3.3e-8), 2 ulp within ±π; bounded, and nan at
    infinity, as XLA's.
    """
    function = jax.jit(getattr(elementary, name))
    x = np.concatenate([np.linspace(-6000, 6000, 400_001), np.linspace(-20, 20, 400_001)]).astype(
        np.float32
    )
    small = np.geomspace(1e-37, 1e-3, 100_001).astype(np.float32)
    none = np.array([np.inf, -np.inf, np.nan], np.float32)
    parts = [x, small, X[np.isfinite(X)], none]
    found = np.asarray(function(np.concatenate(parts)))
    of_x, of_small, of_all, of_none = np.split(found, np.cumsum([len(part) for part in parts[:3]]))
    exact = reference(x.astype(np.float64))
    assert np.abs(of_x - exact).max() < 1.5e-7
    near = np.abs(x) <= 3.1
    assert ulps(of_x, exact)[near].max() < 2.5
    assert ulps(of_small, reference(small.astype(np.float64))).max() < 2.5
    assert np.abs(of_all).max() <= 1
    assert np.isnan(of_none).all()
    slope = jax.jit(jax.vmap(jax.grad(getattr(elementary, name))))(x)
    np.testing.assert_allclose(slope, reference(x.astype(np.float64) + np.pi / 2), atol=2e-7)
    with jax.enable_x64(True):
        x = np.linspace(-20, 20, 4001)
        np.testing.assert_allclose(function(x), reference(x), atol=1e-15)


def test_infinities_and_nan():
    names = ("tanh", "sigmoid", "softplus", "gaussian", "exp_minus")
    all_of = jax.jit(lambda x: {name: getattr(elementary, name)(x) for name in names})
    found = all_of(np.array([np.inf, -np.inf, np.nan], np.float32))
    np.testing.assert_array_equal(found["tanh"][:2], [1, -1])
    np.testing.assert_array_equal(found["sigmoid"][:2], [1, 0])
    np.testing.assert_array_equal(found["softplus"][:2], [np.inf, 0])
    np.testing.assert_array_equal(found["gaussian"][:2], [0, 0])
    for values in found.values():
        assert np.isnan(values[2])


def test_float64_has_its_own_accuracy():
    with jax.enable_x64(True):
        x = np.linspace(-20, 20, 4001)
        for name, (reference, _, _) in FUNCTIONS.items():
            found = jax.jit(getattr(elementary, name))(x)
            np.testing.assert_allclose(found, reference(x), rtol=1e-14, atol=1e-15)
        x = np.concatenate([np.linspace(-700, 700, 200_001), np.geomspace(1e-300, 40, 100_001)])
        exact = np.asarray(np.logaddexp(0, x.astype(np.longdouble)), np.float64)
        # 2.1 ulp; np.longdouble has more digits on x86 only, elsewhere it errs itself
        found = jax.jit(elementary.softplus)(x)
        np.testing.assert_allclose(found, exact, rtol=5 * np.finfo(float).eps)
