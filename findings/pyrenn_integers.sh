#!/usr/bin/env bash
# Expected: training on the integers -5 to 5 is training on the same numbers as floats.
# Found: pyrenn scales data within their own type, so integers divided by their largest become -1, 0 or 1 at the ends
#   and zero everywhere else. Training ends well ("Error reached"), and the network answers 0 or 25 only.
# Version: pyrenn 0.1, numpy 1.26.4.
# Consequence: x and x**2 made by numpy.arange are what a first example uses. The network looks as if it could not
#   learn a parabola; the cause is the dtype of the data.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq pyrenn==0.1 numpy==1.26.4 pandas==2.2.3
"$folder/venv/bin/python" -W ignore - <<'PY'
import contextlib
import io
from importlib.metadata import version

import numpy as np
import pyrenn

print("pyrenn", version("pyrenn"))
errors = {}
for dtype in (int, float):
    x = np.arange(-5, 6).astype(dtype)
    np.random.seed(0)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        net = pyrenn.train_LM(x, x**2, pyrenn.CreateNN([1, 5, 1]), k_max=100, E_stop=1e-5)
        outputs = pyrenn.NNOut(x, net)
    errors[dtype] = np.sqrt(np.mean((outputs - x**2.0) ** 2))
    print(dtype.__name__, "says:", said.getvalue().strip().splitlines()[-1])
    print("  answers", np.round(outputs, 1).tolist(), f"error {errors[dtype]:.2g}")
assert errors[int] > 5 and errors[float] < 0.5, "the behaviour changed"
PY
