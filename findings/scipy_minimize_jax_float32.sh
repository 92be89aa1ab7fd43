#!/usr/bin/env bash
# Expected: SciPy works in float64, so minimising a smooth convex function that JAX computes either works or fails
#   visibly.
# Found: without a gradient, SciPy moves each parameter by 1.5e-8 to measure a slope. JAX rounds parameters to
#   float32, where that step is lost: the slope is exactly zero, and BFGS, L-BFGS-B, CG, SLSQP and TNC report success
#   at the start point, after at most one iteration. curve_fit finds the fit where the residuals come back as float32
#   (SciPy then takes a larger step), and returns its start values as the fit where the model ends in numpy.asarray,
#   as then subtracting float64 targets hides that type.
# Version: scipy 1.18.1, jax 0.12.0.1.
# Consequence: "success: True" in a comparison of optimisers on a small network can mean that nothing moved. Pass
#   jac=jax.grad(f), or enable 64-bit numbers, and check that the parameters changed.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq scipy==1.18.1 jax==0.12.0.1 jaxlib==0.12.0.1 numpy==2.5.5
JAX_PLATFORMS=cpu "$folder/venv/bin/python" -W ignore - <<'PY'
import jax
import jax.numpy as jnp
import numpy as np
import scipy
from scipy import optimize

f = jax.jit(lambda p: jnp.sum((p - 3.0) ** 2))
start = np.ones(2)
print("scipy", scipy.__version__, "jax", jax.__version__, "minimum at (3, 3), start at (1, 1)")
for method in ("BFGS", "L-BFGS-B", "CG", "SLSQP", "TNC"):
    end = optimize.minimize(f, start, method=method)
    print(f"{method:9} success {end.success}, iterations {end.nit}, ends at {end.x}")
    assert end.success and np.array_equal(end.x, start), "the behaviour changed"
given = optimize.minimize(f, start, method="BFGS", jac=jax.grad(f))
print("BFGS with jac=jax.grad(f) ends at", given.x)
x = np.linspace(0, 1, 20)
y = 2 * np.sin(3 * x)
curve = jax.jit(lambda x, a, b: a * jnp.sin(b * x))
narrow, _ = optimize.curve_fit(curve, x, y, p0=(1.0, 1.0))
hidden, _ = optimize.curve_fit(lambda x, a, b: np.asarray(curve(x, a, b)), x, y, p0=(1.0, 1.0))
print("curve_fit of 2 sin(3 x) from (1, 1):                     ", narrow)
print("curve_fit, the model's values through numpy.asarray first:", hidden)
assert np.allclose(given.x, 3, atol=1e-3) and np.allclose(narrow, (2, 3), atol=1e-3), "the behaviour changed"
assert np.array_equal(hidden, [1, 1]), "the behaviour changed"
PY
