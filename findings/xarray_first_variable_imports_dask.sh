#!/usr/bin/env bash
# Expected: a program that uses xarray with numpy arrays alone never imports Dask, as Dask is optional.
# Found: the first variable that is made of a numpy array imports all of dask.array where Dask is installed. `import
#   xarray` does not. Without Dask nothing is imported.
# Version: xarray 2026.9.0 with dask 2026.8.0.
# Consequence: a short script that labels its results pays for this import, which is longer than xarray's own, at its
#   end. It is best made early, while something else is waited for.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq xarray==2026.9.0 dask==2026.8.0 numpy==2.5.5 pandas==3.1.1 toolz==1.2.0
"$folder/venv/bin/python" -W ignore - <<'PY'
import sys
from importlib.metadata import version

import numpy as np
import xarray as xr

before = "dask.array" in sys.modules
xr.Variable("x", np.arange(3.0))
after = "dask.array" in sys.modules
print("xarray", version("xarray"), "dask", version("dask"))
print("dask.array imported by `import xarray`:", before)
print("dask.array imported by the first variable:", after)
assert (before, after) == (False, True), "the behaviour changed"
PY
