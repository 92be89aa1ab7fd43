#!/usr/bin/env bash
# Expected: the regression losses of one library treat outputs (n, 1) beside targets (n,) alike: all refuse, or all
#   broadcast.
# Found: optax.squared_error refuses. Exchange it for huber_loss or log_cosh, and the same arrays make an (n, n) table
#   of every output against every target, without a word; its mean is a loss like any other.
# Version: optax 0.2.8, jax 0.12.0.1.
# Consequence: who has learned from squared_error that optax looks after shapes, and then tries a robust loss, trains
#   a network towards the mean (or median) of all targets and sees a loss that falls and then stays where it is.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq optax==0.2.8 jax==0.12.0.1 jaxlib==0.12.0.1 numpy==2.5.5
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PY'
import jax.numpy as jnp
import optax

targets = jnp.array([1.0, 2.0, 3.0])
outputs = targets[:, None]  # every output is exactly right
print("optax", optax.__version__)
found = {}
for name in ("squared_error", "huber_loss", "log_cosh"):
    try:
        values = getattr(optax.losses, name)(outputs, targets)
        found[name] = f"shape {values.shape}, mean {float(values.mean()):.3f}"
    except ValueError:
        found[name] = "refused"
    print(f"{name:14}", found[name])
assert found["squared_error"] == "refused", "the behaviour changed"
assert found["huber_loss"].startswith("shape (3, 3)") and found["log_cosh"].startswith("shape (3, 3)"), "changed"
PY
