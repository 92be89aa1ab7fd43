#!/usr/bin/env bash
# Expected: a level of optimisation changes how long a program takes, not its numbers, as long as fast-math is off (which is
#   the default).
# Found: on a CPU, `(w * h).sum(0)` of 24 or 32 rows in float32 has other last bits at levels 1 and 2 of
#   `xla_backend_optimization_level` than at the default, 3. At level 3 the rows are added in their order, at the others in
#   another one: XLA lets LLVM reorder a sum, and the level decides for which lengths it does. Of 20 rows all three levels
#   agree, and of 48 they agree too, since none of them keeps the order then.
# Version: jax and jaxlib 0.12.0, on a processor with AVX-512.
# Consequence: a level that compiles sooner is another version of the program. It gives statistics that agree, but not the
#   same seeds on both sides of a threshold.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq jax==0.12.0 jaxlib==0.12.0 numpy==2.5.5
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PY'
import jax
import numpy as np

print("jax", jax.__version__)
rng = np.random.default_rng(0)
found = {}
for rows in (20, 24, 32, 48):
    w, h = rng.normal(size=(2, rows, 64)).astype(np.float32)
    in_order = np.zeros(64, np.float32)
    for a, b in zip(w.astype(float), h.astype(float)):
        in_order = (in_order + a * b).astype(np.float32)  # a product and a sum, rounded once
    for level in (1, 2, 3):
        options = {"xla_backend_optimization_level": level}
        total = jax.jit(lambda w, h: (w * h).sum(0), compiler_options=options)(w, h)
        found[rows, level] = np.asarray(total)
    kept = [bool((found[rows, level] == in_order).all()) for level in (1, 2, 3)]
    other = int((found[rows, 1] != found[rows, 3]).sum())
    print(f"{rows} rows: added in order at levels 1, 2, 3: {kept}; {other} of 64 sums differ between 1 and 3")
    assert (found[rows, 1] == found[rows, 2]).all(), "the behaviour changed"
    assert kept == {20: [True] * 3, 48: [False] * 3}.get(rows, [False, False, True]), "the behaviour changed"
    assert (other > 0) == (rows in (24, 32)), "the behaviour changed"
PY
