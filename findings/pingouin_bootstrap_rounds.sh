#!/usr/bin/env bash
# Expected: a function that returns numbers returns them as computed; only tables are rounded for reading.
# Found: pingouin.compute_bootci rounds the limits that it returns to two decimals. 2 failures of 1,000 seeds get the
#   interval [0, 0.01], and losses around 0.001 get [0, 0]; decimals=8 shows what was computed.
# Version: pingouin 0.7.0.
# Consequence: intervals of small losses or rare failures look like exact zeros, and comparisons with a threshold
#   below 0.005 are decided by rounding.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq pingouin==0.7.0 numpy==2.5.5
"$folder/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
import pingouin

print("pingouin", version("pingouin"))
failures = np.r_[np.ones(2), np.zeros(998)]
losses = np.random.default_rng(0).exponential(1e-3, 100)
for name, values in (("2 failures of 1,000 seeds", failures), ("losses around 0.001", losses)):
    usual = pingouin.compute_bootci(values, func="mean", seed=1)
    full = pingouin.compute_bootci(values, func="mean", seed=1, decimals=8)
    print(f"{name}: {usual}, with decimals=8 {full}")
    assert np.array_equal(usual, np.round(full, 2)) and not np.array_equal(usual, full), "the behaviour changed"
PY
