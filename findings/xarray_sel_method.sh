#!/usr/bin/env bash
# Expected: every dimension can be selected by keyword, data.sel(dim=label); a label that is not there raises KeyError.
# Found: along a dimension called "method" (or "tolerance", "drop") the keyword is sel's own option. sel(method="forest")
#   selects nothing and returns the whole array without a word, also for a label that does not exist, and even for one
#   that is no method of lookup at all. sel({"method": "forest"}) selects.
# Version: xarray 2026.9.0.
# Consequence: a table of methods is averaged over all methods where one was meant. Call the dimension otherwise.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq xarray==2026.9.0 numpy==2.5.5
"$folder/venv/bin/python" - <<'PY'
import xarray as xr

print("xarray", xr.__version__)
errors = xr.DataArray([1.0, 2.0, 30.0], coords={"method": ["spline", "forest", "mean"]}, dims="method")
by_keyword = errors.sel(method="forest")
wrong = errors.sel(method="no such label")
by_dictionary = errors.sel({"method": "forest"})
print('sel(method="forest"):', by_keyword.values)
print('sel(method="no such label"):', wrong.values)
print('sel({"method": "forest"}):', by_dictionary.values)
assert by_keyword.identical(errors) and wrong.identical(errors), "the behaviour changed"
assert by_dictionary.item() == 2.0, "the behaviour changed"
PY
