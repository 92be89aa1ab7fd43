#!/usr/bin/env bash
# Expected: xarray.concat(parts, dim) says of a dim that is a Variable, DataArray or Index that "its name is used as the
#   dimension to concatenate along". So a DataArray named "learning_rate" makes an axis "learning_rate".
# Found: the name of a DataArray is dropped without a word, and the axis is called after the array's own dimension. Only
#   an Index gives the axis its name.
# Version: xarray 2026.9.0, pandas 3.0.3.
# Consequence: results that are joined along a labelled axis, such as the runs of several learning rates, get the axis
#   "dim_0" if the DataArray was made without dims=, and sel(learning_rate=...) fails far from the mistake. Name the
#   dimension of the array, or give a pandas Index.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq xarray==2026.9.0 pandas==3.0.3 numpy==2.5.5
"$folder/venv/bin/python" - <<'PY'
import pandas as pd
import xarray as xr

print("xarray", xr.__version__, "pandas", pd.__version__)
part = xr.Dataset({"loss": ("seed", [0.5, 0.25])})
rates = [0.01, 0.1]
axes = {
    "DataArray, named": xr.DataArray(rates, name="learning_rate"),
    "DataArray, named, with a dimension": xr.DataArray(rates, dims="setting", name="learning_rate"),
    "DataArray whose dimension is the name": xr.DataArray(rates, dims="learning_rate"),
    "pandas Index, named": pd.Index(rates, name="learning_rate"),
}
found = {}
for label, axis in axes.items():
    joined = xr.concat([part, part], axis)
    found[label] = (str(joined.loss.dims[0]), sorted(map(str, joined.coords)))
    print(f"{label + ':':39}", *found[label])
assert list(found.values()) == [
    ("dim_0", ["dim_0"]),
    ("setting", ["setting"]),
    ("learning_rate", ["learning_rate"]),
    ("learning_rate", ["learning_rate"]),
], "the behaviour changed"
PY
