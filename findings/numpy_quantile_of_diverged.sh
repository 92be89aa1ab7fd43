#!/usr/bin/env bash
# Expected: the 0.75 quantile of five sorted numbers lies exactly on the fourth of them, so the quantile of (1, 2, 3,
#   4, inf) is 4, whatever the fifth is.
# Found: NumPy answers nan, for its arithmetic adds zero times the distance to the next number, and 0 * inf is nan.
#   The method "inverted_cdf", which only picks, answers 4.
# Version: numpy 2.5.5.
# Consequence: losses of many trainings hold an inf where one diverged. One such training can turn a quantile that it
#   should not touch into nan, and a plot then has a hole although most trainings ended well.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq numpy==2.5.5
"$folder/venv/bin/python" -W ignore - <<'PY'
import numpy as np

losses = np.array([1.0, 2.0, 3.0, 4.0, np.inf])
linear = np.quantile(losses, 0.75)
picked = np.quantile(losses, 0.75, method="inverted_cdf")
finite = np.quantile(np.array([1.0, 2.0, 3.0, 4.0, 1e300]), 0.75)
print("numpy", np.__version__)
print("0.75 quantile of 1, 2, 3, 4, inf:  ", linear)
print("0.75 quantile of 1, 2, 3, 4, 1e300:", finite)
print("the same with inf, inverted_cdf:   ", picked)
assert np.isnan(linear) and finite == 4 and picked == 4, "the behaviour changed"
PY
