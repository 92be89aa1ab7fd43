#!/usr/bin/env bash
# Expected: joining a result loaded from a file with a new one makes a Dataset of the wider type, and saving it saves
#   that; what is printed before saving is what is loaded afterwards.
# Found: the loaded variable remembers the type that it had on disk, the joined one inherits the memory, and to_netcdf
#   casts to it. 300 and 70,000 appended to counts kept in int8 are right in memory and 44 and 112 in the new file,
#   without a word; float64 appended to float32 loses half its digits.
# Version: xarray 2026.9.0, h5netcdf 1.8.2 on h5py 3.16.0.
# Consequence: whoever extends a sweep (more seeds, more steps) by load, concat, save can damage the new part while
#   every check in memory passes. Call drop_encoding() on what was loaded.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq xarray==2026.9.0 h5netcdf==1.8.2 h5py==3.16.0 numpy==2.5.5
"$folder/venv/bin/python" - "$folder" <<'PY'
import sys

import numpy as np
import xarray as xr

print("xarray", xr.__version__)


def saved(data):
    data.to_netcdf(sys.argv[1] + "/joined.nc", engine="h5netcdf")
    return xr.load_dataset(sys.argv[1] + "/joined.nc", engine="h5netcdf")


old = saved(
    xr.Dataset({"steps": ("seed", np.array([1, 2], np.int8)), "loss": ("seed", np.array([0.5, 0.25], np.float32))})
)
new = xr.Dataset({"steps": ("seed", [300, 70_000]), "loss": ("seed", [1 / 3, 1 / 7])})
joined = xr.concat([old, new], "seed")
loaded = saved(joined)
cured = saved(xr.concat([old.drop_encoding(), new], "seed"))
for name in joined:
    print(f"{name} in memory:      {joined[name].dtype} {joined[name].values}")
    print(f"{name} in the file:    {loaded[name].dtype} {loaded[name].values}")
    print(f"{name}, drop_encoding: {cured[name].dtype} {cured[name].values}")
assert loaded.steps.values.tolist() == [1, 2, 44, 112] and loaded.loss.dtype == np.float32, "the behaviour changed"
assert joined.steps.values.tolist() == [1, 2, 300, 70_000] and cured.identical(joined), "the behaviour changed"
PY
