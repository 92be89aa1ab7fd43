#!/usr/bin/env bash
# Expected: on a CPU it hardly matters to the compiler whether a matrix is transposed as (S, n) to (n, S), or with an axis
#   of length 1 as (S, n, 1) to (n, 1, S). Both move the same numbers to the same places.
# Found: the program with the matrix compiles some four times as long under the option for vectors of 512 bits,
#   and 1.7 to 2 times as long without options. The results are equal. Of a program that trains a small network, this one
#   kernel took 0.2 s of a second.
# Version: jax and jaxlib 0.12.0.1, on an AMD EPYC with AVX-512.
# Consequence: who waits for the compiler gains by a reshape around a transposition. approx.numerics.products.last
#   transposes what is a vector for each network with such an axis.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq jax==0.12.0.1 jaxlib==0.12.0.1
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PY'
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

S, N = 64, 301


def program(with_axis):
    def run(ranges, steps):
        x = jnp.linspace(-3.0, 3.0, N)
        mask = (jnp.abs(x)[None] <= ranges[:, None]).astype(jnp.float32)  # (S, N)
        if with_axis:
            last = mask[:, :, None].transpose(1, 2, 0)[:, 0]
        else:
            last = mask.T

        def step(_, carry):
            return 0.5 * carry + last.sum(0) * carry.mean() / N + last[0]

        return lax.fori_loop(0, steps, step, jnp.ones(S))

    return run


ranges = jnp.linspace(0.5, 3.5, S)
print("jax", jax.__version__)
for options in ({}, {"xla_cpu_prefer_vector_width": 512}):
    seconds = {False: [], True: []}
    results = {}
    for _ in range(5):
        for kind in (False, True):
            lowered = jax.jit(program(kind)).lower(ranges, 3)  # anew: what is compiled is remembered
            began = time.perf_counter()
            compiled = lowered.compile(compiler_options=options)
            seconds[kind].append(time.perf_counter() - began)
            results[kind] = np.asarray(compiled(ranges, 3))
    matrix, axis = (statistics.median(seconds[kind]) for kind in (False, True))
    print(f"options {options}: {matrix:.3f} s, with an axis of length 1 {axis:.3f} s")
    assert np.array_equal(results[False], results[True])
assert matrix > 2 * axis, "the behaviour changed"
PY
