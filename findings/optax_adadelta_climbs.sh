#!/usr/bin/env bash
# Expected: Adadelta is the method that needs no learning rate, and the argument may be left out; so optax.adadelta()
#   descends, like the Adadelta of Keras and PyTorch with their own defaults.
# Found: left out, the rate is also what would turn the sign, so the updates go up the slope and the loss grows.
# Version: optax 0.2.8, jax 0.12.0.1.
# Consequence: a comparison of optimisers "with their defaults" reports that Adadelta diverges. Write adadelta(1.0).
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq optax==0.2.8 jax==0.12.0.1 jaxlib==0.12.0.1 numpy==2.5.5
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PY'
import jax
import jax.numpy as jnp
import optax


def loss(x):
    return x**2


def train(method, steps=50):
    x = jnp.array(1.0)
    state = method.init(x)
    for _ in range(steps):
        updates, state = method.update(jax.grad(loss)(x), state, x)
        x = optax.apply_updates(x, updates)
    return float(loss(x))


left_out, given = train(optax.adadelta()), train(optax.adadelta(1.0))
print("optax", optax.__version__)
print("x**2 from x = 1 after 50 steps, adadelta():   ", left_out)
print("x**2 from x = 1 after 50 steps, adadelta(1.0):", given)
assert left_out > 1 > given, "the behaviour changed"
PY
