#!/usr/bin/env bash
# Expected: formulas that are the same function have the same derivative in an automatic differentiation system, and
#   that of |x| at 0 is 0 (as in PyTorch) or at least in the middle.
# Found: at x = 0, jax.numpy.abs has slope 1, but maximum(x, -x) has 0. A relu has slope 0 as jax.nn.relu, 1/2 as
#   maximum(x, 0) or clip(x, 0), and 1 as (x + |x|) / 2.
# Version: jax 0.12.0.1.
# Consequence: with biases that start at zero and an input 0 in a symmetric grid, every unit sits exactly there. An L1
#   penalty pushes weights that are exactly zero away from zero, and a mean absolute error pulls on rows that fit
#   exactly.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq jax==0.12.0.1 jaxlib==0.12.0.1 numpy==2.5.5
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PY'
import jax
import jax.numpy as jnp

formulas = {
    "abs(x)": (jnp.abs, 1.0),
    "maximum(x, -x)": (lambda x: jnp.maximum(x, -x), 0.0),
    "jax.nn.relu(x)": (jax.nn.relu, 0.0),
    "maximum(x, 0)": (lambda x: jnp.maximum(x, 0), 0.5),
    "clip(x, 0)": (lambda x: jnp.clip(x, 0), 0.5),
    "(x + abs(x)) / 2": (lambda x: (x + jnp.abs(x)) / 2, 1.0),
}
print("jax", jax.__version__)
for name, (formula, expected) in formulas.items():
    slope = float(jax.grad(formula)(0.0))
    print(f"slope of {name:18} at 0: {slope}")
    assert slope == expected, "the behaviour changed"
PY
