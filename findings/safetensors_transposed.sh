#!/usr/bin/env bash
# Expected: saving a NumPy array and loading it gives the same array, or an error, whatever the order of its memory.
# Found: safetensors.numpy writes the memory as it lies and the shape as it is seen. A transposed matrix comes back
#   with its shape and dtype right and its numbers in other places, without a word. numpy.save does it right.
# Version: safetensors 0.8.0, numpy 2.5.5.
# Consequence: frameworks keep weights as (in, out) or (out, in), so whoever converts writes .T, and saves. The
#   network loads, runs, and computes something else. Apply numpy.ascontiguousarray before saving.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq safetensors==0.8.0 numpy==2.5.5
"$folder/venv/bin/python" - "$folder" <<'PY'
import sys
from importlib.metadata import version

import numpy as np
from safetensors.numpy import load_file, save_file

file = sys.argv[1] + "/weights.safetensors"
weights = np.arange(6.0).reshape(2, 3).T
save_file({"weights": weights, "copied": np.ascontiguousarray(weights)}, file)
loaded = load_file(file)
print("safetensors", version("safetensors"))
print("saved:                       ", weights.tolist())
print("loaded:                      ", loaded["weights"].tolist())
print("loaded, ascontiguousarray:   ", loaded["copied"].tolist())
assert loaded["weights"].shape == weights.shape and loaded["weights"].dtype == weights.dtype, "the behaviour changed"
assert not np.array_equal(loaded["weights"], weights), "the behaviour changed"
assert np.array_equal(loaded["copied"], weights), "the behaviour changed"
PY
