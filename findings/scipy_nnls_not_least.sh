#!/usr/bin/env bash
# Expected: scipy.optimize.nnls returns the non-negative least squares solution, at least of two equations in two
#   unknowns, or raises an error.
# Found: it returns a point that is not the least, without a word: one column alone fits better. The residual that it
#   reports is that of its own point, so nothing looks wrong. Of 200 random problems of this size 4 ended so. scipy
#   1.18.1 finds the least.
# Version: scipy 1.15.2, and 1.18.1 beside it.
# Consequence: non-negative weights, such as those of an ensemble or of a model of costs, can be wrong by a half with
#   this version. Compare with lsq_linear(A, b, (0, inf)).
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for version in 1.15.2 1.18.1; do
  python3 -m venv --clear "$folder/venv"
  "$folder/venv/bin/pip" install -qq "scipy==$version" numpy==2.2.6
  "$folder/venv/bin/python" - <<'PY'
import numpy as np
import scipy
from scipy.optimize import lsq_linear, nnls

A, b = np.array([[20.0, 8.0], [22.0, 5.0]]), np.array([0.02, 0.006])
second = A[:, 1] @ b / (A[:, 1] @ A[:, 1])  # the least squares if the first weight is 0
points = {
    "nnls": nnls(A, b)[0],
    "lsq_linear": lsq_linear(A, b, (0, np.inf), method="bvls").x,
    "by hand": np.array([0.0, second]),
}
print("scipy", scipy.__version__)
square = {name: ((A @ x - b) ** 2).sum() for name, x in points.items()}
for name, x in points.items():
    print(f"{name + ':':12}", x.round(6), f"sum of squares {square[name]:.3g}")
assert np.isclose(square["lsq_linear"], square["by hand"]), "the behaviour changed"
is_wrong = square["nnls"] > 2 * square["by hand"]
assert is_wrong == (scipy.__version__ == "1.15.2"), "the behaviour changed"
PY
done
