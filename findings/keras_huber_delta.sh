#!/usr/bin/env bash
# Expected: a compiled model that is saved as a .keras file and loaded again goes on training with the same loss.
# Found: Huber's delta is not in what get_config() gives, so Huber(2.0) is loaded as Huber(1.0), without a warning. At
#   an error of 3 the loss is 4 before and 2.5 afterwards. Losses with label_smoothing keep their number.
# Version: keras 3.15.1 on jax 0.12.0.1.
# Consequence: a training that is continued from a file, or a loss that is copied by its configuration, treats outliers
#   otherwise than the one before.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq keras==3.15.1 jax==0.12.0.1 jaxlib==0.12.0.1 numpy==2.5.5
KERAS_HOME="$folder" KERAS_BACKEND=jax JAX_PLATFORMS=cpu "$folder/venv/bin/python" - "$folder" <<'PY'
import sys

import keras
import numpy as np

x, y = np.ones((1, 1), np.float32), np.full((1, 1), 3, np.float32)
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
model.compile("sgd", keras.losses.Huber(2.0))
before = model.evaluate(x, y, verbose=0)
model.save(f"{sys.argv[1]}/model.keras")
after = keras.models.load_model(f"{sys.argv[1]}/model.keras").evaluate(x, y, verbose=0)
print("keras", keras.__version__, "loss at an error of 3:", before, "before saving,", after, "after loading")
print("configuration:", keras.losses.Huber(2.0).get_config())
assert abs(before - 4) < 1e-6 and abs(after - 2.5) < 1e-6, "the behaviour changed"
kept = keras.losses.CategoricalCrossentropy(label_smoothing=0.1).get_config()["label_smoothing"]
assert kept == 0.1, "the behaviour changed"
PY
