"""Errors as a function of the distance to what was shown."""

import numpy as np
import xarray as xr


def error_by_distance(runs: xr.Dataset) -> xr.Dataset:
    """Absolute error of the prediction against the distance to the training range.

    `error(distance) = mean over the points at that distance, and over outputs, of |f(x) - y|`; in one dimension those
    are the two points to the left and to the right.

    Args:
        runs: with `prediction` over (..., seed, point, output), and one distance per point.

    Returns:
        `error` over (..., seed, distance), distance in units of x and increasing; its first value, 0, is the mean over
        all points inside.

    Raises:
        ValueError: predictions were not kept, or the distances differ between settings.
    """
    if "prediction" not in runs:
        raise ValueError('no predictions were kept: run with keep=("prediction",)')
    if runs.distance.dims != ("point",):
        raise ValueError(f"distances differ over {runs.distance.dims[:-1]}: select one setting of the task first")
    if "output" not in runs.y_test.dims:
        raise ValueError("the targets are labels: an absolute error has no meaning for them")
    error = abs(runs.prediction - runs.y_test).mean("output", skipna=False)
    distance = np.array([float(f"{d:.5e}") for d in runs.distance.values])  # left and right differ by rounding
    unique = np.unique(distance)
    means = [error.isel(point=np.flatnonzero(distance == d)).mean("point", skipna=False) for d in unique]
    joined = xr.concat(means, xr.DataArray(unique, dims="distance", name="distance"), coords="minimal")
    return joined.transpose(..., "distance").to_dataset(name="error")
