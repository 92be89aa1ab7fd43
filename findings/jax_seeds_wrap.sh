#!/usr/bin/env bash
# Expected: two different integer seeds give two different random keys, or too large a seed is refused; and whether
#   numbers may have 64 bits has nothing to do with which random stream a seed stands for.
# Found: without 64-bit numbers (JAX's normal state) the upper half of a seed is dropped without a word: 7 and 2**32 +
#   7 are the same stream. With jax_enable_x64 they differ, so that one switch changes what such a seed means.
# Version: jax 0.12.0.1.
# Consequence: seeds taken from a hash, a clock in nanoseconds or a job number times 2**32 are not as many independent
#   trainings as they look. Count seeds from zero, or reduce them below 2**32 yourself and look for doubles.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq jax==0.12.0.1 jaxlib==0.12.0.1 numpy==2.5.5
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PY'
import jax

small, large = 7, 2**32 + 7


def draws():
    return [float(jax.random.normal(jax.random.key(seed), dtype="float32")) for seed in (small, large)]


print("jax", jax.__version__)
usual = draws()
print(f"seeds {small} and {large}:                ", *usual)
jax.config.update("jax_enable_x64", True)
wide = draws()
print(f"seeds {small} and {large}, jax_enable_x64:", *wide)
assert usual[0] == usual[1] == wide[0] and wide[0] != wide[1], "the behaviour changed"
PY
