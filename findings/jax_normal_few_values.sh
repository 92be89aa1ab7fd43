#!/usr/bin/env bash
# Expected: float32 normal numbers come from the whole float32 grid, are symmetric, and reach beyond five and a half
#   standard deviations once in about 26 million draws.
# Found: jax.random.normal is a function of 23 random bits, so it has at most 2**23 = 8,388,608 values. Of 2**24 draws
#   only some 7.25 million differ. Nothing lies below -5.42 or above 5.23, and the two ends are not mirror images.
# Version: jax 0.12.0.1 on a CPU.
# Consequence: a million networks of some dozen weights hold many weights that are equal to the last bit, and rare
#   large initial weights do not exist. For tails (rare failures by initialisation), draw in float64.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq jax==0.12.0.1 jaxlib==0.12.0.1 numpy==2.5.5
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PY'
import jax
import numpy as np

parts = [np.asarray(jax.random.normal(key, (2**23,))) for key in jax.random.split(jax.random.key(0), 8)]
distinct = np.unique(np.concatenate(parts[:2])).size
low, high = min(part.min() for part in parts), max(part.max() for part in parts)
print("jax", jax.__version__)
print(f"distinct values among 2**24 = {2**24:,} draws: {distinct:,} (at most 2**23 = {2**23:,})")
print(f"smallest and largest of 2**26 draws: {low:.4f} and {high:.4f}")
print("a normal distribution has about 4 of 2**26 beyond 5.42 on either side, and 6 above 5.2202")
assert distinct < 2**23 and abs(low + 5.42) < 0.01 and abs(high - 5.22) < 0.01, "the behaviour changed"
PY
