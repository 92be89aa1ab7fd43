#!/usr/bin/env bash
# Expected: to open a netCDF file and read its variables takes one or two lookups in the HDF5 file for each variable.
# Found: it takes 44 for each variable, and 18 more: 106 for two variables, 722 for sixteen, however small they are.
#   h5netcdf looks a variable up again whenever its shape, its type or an attribute is asked for.
# Version: xarray 2026.9.0, h5netcdf 1.8.2, h5py 3.16.0.
# Consequence: a small file takes tens of milliseconds to open, so that a folder of many small files is slow to read. A
#   sweep's folder has one chunk for many trainings, and approx.save writes one file.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq xarray==2026.9.0 h5netcdf==1.8.2 h5py==3.16.0
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import h5py._hl.group as group
import numpy as np
import xarray as xr

print({name: version(name) for name in ("xarray", "h5netcdf", "h5py")})
counted = []
found = {}
get = group.Group.__getitem__


def counting(self, name):
    counted.append(name)
    return get(self, name)


for count in (2, 4, 8, 16):
    values = np.arange(12.0).reshape(3, 4)
    made = xr.Dataset({f"v{n}": (("seed", "step"), values) for n in range(count)})
    made.to_netcdf(f"{count}.nc", engine="h5netcdf")
    group.Group.__getitem__ = counting
    counted.clear()
    with xr.open_dataset(f"{count}.nc", engine="h5netcdf") as opened:
        opened_only = len(counted)
        opened.load()
    group.Group.__getitem__ = get
    found[count] = len(counted)
    print(f"{count} variables: {opened_only} lookups to open, {len(counted)} to open and read")
assert found == {count: 18 + 44 * count for count in (2, 4, 8, 16)}, "the behaviour changed"
PY
