#!/usr/bin/env bash
# Expected: Adam with epsilon 1e-7 takes nearly full steps as long as gradients are ten times epsilon, whatever the
#   framework: a first step of g / (|g| + epsilon) times the rate.
# Found: Keras adds epsilon before the second moment is corrected for its start at zero, where the root is 32 times
#   too small. In the first step its epsilon acts as 3.2e-6: for a gradient of 1e-6 it makes 24% of a step, not 91%.
#   optax (like PyTorch) corrects first. The two approach each other over some thousand steps.
# Version: keras 3.15.1 on jax 0.12.0.1, optax 0.2.8.
# Consequence: with scaled-down targets or nearly dead units, gradients are that small, and a copied recipe "Adam,
#   epsilon=1e-7" trains differently although every number in it is the same.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq keras==3.15.1 optax==0.2.8 jax==0.12.0.1 jaxlib==0.12.0.1 numpy==2.5.5
KERAS_HOME="$folder" KERAS_BACKEND=jax JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PY'
import jax.numpy as jnp
import keras
import optax

print("keras", keras.__version__, "optax", optax.__version__, "first step in units of the rate, epsilon 1e-7")
for gradient in (1e-2, 1e-5, 1e-6, 1e-7):
    weight = keras.Variable(0.0)
    keras.optimizers.Adam(1.0, epsilon=1e-7).apply([jnp.array(gradient)], [weight])
    kerass = -float(weight.numpy())
    method = optax.adam(1.0, eps=1e-7)
    optaxs = -float(method.update(jnp.array(gradient), method.init(jnp.array(0.0)))[0])
    print(f"gradient {gradient:g}: keras {kerass:.4f}, optax {optaxs:.4f}")
    assert abs(kerass - gradient / (gradient + 1e-7 / 0.001**0.5)) < 1e-3, "the behaviour changed"
    assert abs(optaxs - gradient / (gradient + 1e-7)) < 1e-3, "the behaviour changed"
PY
