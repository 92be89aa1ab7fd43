#!/usr/bin/env bash
# Expected: the mean of 194 ones is 1, and 194 / 194 is 1, as in NumPy and as IEEE division gives it.
# Found: on a CPU, jnp.ones(194).mean() is 0.99999994 in float32, and so is a compiled x / 194 at x = 194. XLA multiplies by
#   the rounded inverse of a constant divisor where NumPy divides. The same holds for 271 of the divisors up to 2,000, the
#   least of them 41. With a divisor that is an argument of the compiled function, the result is 1.
# Version: jax and jaxlib 0.12.0.
# Consequence: "accuracy == 1" or ">= 1" is false where every row is right. Compare counts, or leave a margin below one row.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq jax==0.12.0 jaxlib==0.12.0 numpy==2.5.5
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PY'
import jax
import jax.numpy as jnp
import numpy as np

print("jax", jax.__version__)
one = np.float32(1)
mean = jnp.ones(194, jnp.float32).mean()
constant = jax.jit(lambda x: x / 194)(np.float32(194))
argument = jax.jit(lambda x, n: x / n)(np.float32(194), np.float32(194))
print("mean of 194 ones:", mean, "in NumPy:", np.ones(194, np.float32).mean())
print("194 / 194 with a constant divisor:", constant, "with an argument:", argument)
inverse = one / np.arange(1, 2001, dtype=np.float32)
below = np.flatnonzero(np.arange(1, 2001, dtype=np.float32) * inverse < 1) + 1
print(len(below), "divisors up to 2,000, from", below[0])
assert mean < 1 and constant < 1 and argument == 1, "the behaviour changed"
assert np.ones(194, np.float32).mean() == 1 and len(below) == 271 and below[0] == 41
PY
