#!/usr/bin/env bash
# Expected: a file in which nobody declared a missing value has none, and two readers of it agree.
# Found: netCDF4-python masks every value that happens to be the format's default filling, also in variables of bytes:
#   a 255 in uint8 and a -127 in int8 become missing, and are left out of a mean. xarray reads the same file as 255
#   and -127.
# Version: netCDF4 1.7.5.1.post1, xarray 2026.9.0.
# Consequence: counts, class labels or grey values that are kept in bytes to save room lose some of their values in
#   one reader only. Call Dataset.set_auto_mask(False), or declare a fill value.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq netCDF4==1.7.5.1.post1 xarray==2026.9.0 numpy==2.5.5
"$folder/venv/bin/python" - "$folder/bytes.nc" <<'PY'
import sys

import netCDF4
import numpy as np
import xarray as xr

data = {"uint8": np.array([253, 254, 255], "u1"), "int8": np.array([-125, -126, -127], "i1")}
with netCDF4.Dataset(sys.argv[1], "w") as file:
    file.createDimension("row", 3)
    for name, values in data.items():
        file.createVariable(name, values.dtype, ("row",))[:] = values
print("netCDF4", netCDF4.__version__, "xarray", xr.__version__)
for name, values in data.items():
    with netCDF4.Dataset(sys.argv[1]) as file, xr.open_dataset(sys.argv[1], engine="netcdf4") as other:
        assert not file[name].ncattrs()
        one, two = file[name][:], other[name].values
        print(f"{name} {values.tolist()}:")
        print(f"  netCDF4 reads {one}, mean {one.mean()}; xarray reads {two}, mean {two.mean()}")
        assert np.ma.getmaskarray(one).tolist() == [False, False, True], "the behaviour changed"
        assert np.array_equal(two, values), "the behaviour changed"
PY
