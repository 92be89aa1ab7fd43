"""Errors outside the training range: against the distance, and between mirrored points."""

from collections.abc import Sequence

import numpy as np
import scipy
import xarray as xr

from approx.stats.far_points import curves
from approx.stats.kept import judged, predictions
from approx.stats.labels import without_kept_step

LEAST_TARGET = 0.01  # of the mean |y|: what a relative error is divided by at least
SAME_POINT = 1e-5  # of the largest offset: mirrored points of a float32 grid differ by rounding


def error_by_distance(runs: xr.Dataset, relative: bool = False) -> xr.Dataset:
    """Absolute or relative error of the prediction against the distance to the training range.

    `error(distance) = mean over the points at that distance, and over outputs, of |f(x) - y|`. In
    one dimension those are the two points to the left and to the right; along rays (`tasks.rays`)
    those of all rays that are equally far. The relative error divides it by the mean of |y| over
    the same points, not point by point, so that a target that crosses zero does no harm. Where that
    mean is below 1% of the mean of |y| over all points, it divides by this 1%.

    Args:
        runs: with `prediction` over (..., seed, point, output), and one distance per point.
        relative: divide by the size of the target.

    Returns:
        `error` over (..., seed, distance), distance in units of x and increasing; its first value,
        0, is the mean over all points inside.

    Raises:
        ValueError: `runs` is no Dataset, predictions were not kept, the distances differ between
            settings, the targets are labels, or the error is to be relative to a target that is 0
            at every point.

    Example:
        far = stats.error_by_distance(runs)  # runs = ap.run(task, recipe, keep=("prediction",))
        far.error.median("seed")
    """
    predictions(runs)
    runs = judged(runs)
    prediction = predictions(runs)
    _check_has_errors(runs)

    error = _mean_by_distance(abs(prediction - runs.y_test), runs.distance)
    if relative:
        error = error / _size_of_target(runs)
    error = without_kept_step(error).transpose(..., "distance")
    result = error.to_dataset(name="error")
    result.attrs = {"relative": int(relative)}
    return result


def _check_has_errors(runs: xr.Dataset) -> None:
    """Raise a ValueError if the test points of several settings, or labels, leave no error."""
    if runs.distance.dims != ("point",):
        raise ValueError(
            f"distances differ over {runs.distance.dims[:-1]}: select one setting of the task first"
        )
    if "y_test" not in runs.coords:
        raise ValueError(
            "there are no targets at the test points, since some recipes have labels and others "
            "numbers: run them one by one for their errors"
        )
    if "output" not in runs.y_test.dims:
        raise ValueError("the targets are labels: an absolute error has no meaning for them")


def _size_of_target(runs: xr.Dataset) -> xr.DataArray:
    """What a relative error is divided by, over distance.

    Raises:
        ValueError: the target is 0 everywhere.
    """
    size = abs(runs.y_test)
    least = LEAST_TARGET * size.mean(("point", "output"))
    if not (least > 0).all():
        raise ValueError(
            "the target is 0 at every test point: there is no relative error; use relative=False"
        )
    return np.maximum(_mean_by_distance(size, runs.distance), least)


def _mean_by_distance(values: xr.DataArray, distance: xr.DataArray) -> xr.DataArray:
    """Mean over outputs and over the points at the same distance."""
    values = values.mean("output", skipna=False)
    # Points to the left and to the right are equally far up to rounding
    rounded = np.array([float(f"{d:.5e}") for d in distance.values])
    unique = np.unique(rounded)
    means = []
    for one in unique:
        there = values.isel(point=np.flatnonzero(rounded == one))
        means.append(there.mean("point", skipna=False))
    axis = xr.DataArray(unique, dims="distance", name="distance")
    return xr.concat(means, axis, coords="minimal")


def symmetry(
    runs: xr.Dataset, kind: str = "even", center: float | Sequence[float] = 0.0
) -> xr.Dataset:
    """How far learned functions are from being even or odd, at mirrored test points.

    `defect(x) = |f(c + x) - f(c - x)|` for even functions, `|f(c + x) + f(c - x)|` for odd ones.
    The point x = 0, its own mirror image, is used for odd functions only: any function passes
    there as even. Several inputs are mirrored all at once. A training whose prediction is not
    finite has the defect inf there.

    Args:
        runs: `prediction` over (..., seed, point, output), with `x_test` and `distance`.
        kind: "even" or "odd".
        center: c, the point to mirror at.

    Returns:
        `defect` over (..., seed, radius), of several outputs the root of the mean of their squares,
        with coordinates `radius` = |x| (which rises) and `distance`, of the pair's farther point to
        the training range. `inside` and `outside` over (..., seed): the mean of defect² over the
        pairs inside and outside the training range; nan where there are none.

    Raises:
        ValueError: the kind is unknown, `runs` is no Dataset or has no predictions, the points
            differ between settings, or no two test points mirror each other.

    Example:
        even = stats.symmetry(runs, "even")  # runs = ap.run(task, recipe, keep=("prediction",))
        even.outside.median("seed")
    """
    if kind not in ("even", "odd"):
        raise ValueError(f"kind must be 'even' or 'odd', got {kind!r}")
    f, x, distance, _ = curves(runs)
    middle = np.asarray(center, float)
    first, second = mirrored(x - middle, odd=kind == "odd")

    squared = _squared_defect(f.isel(point=first), f.isel(point=second), kind)
    far = np.maximum(distance[first], distance[second])
    inside = squared.isel(radius=np.flatnonzero(far <= 0))
    outside = squared.isel(radius=np.flatnonzero(far > 0))
    result = xr.Dataset(
        {
            "defect": np.sqrt(squared),
            "inside": inside.mean("radius"),
            "outside": outside.mean("radius"),
        }
    )
    result.attrs = {"kind": kind}
    radius = np.linalg.norm(x[first] - middle, axis=1)
    return result.assign_coords(radius=radius, distance=("radius", far))


def _squared_defect(a: xr.DataArray, b: xr.DataArray, kind: str) -> xr.DataArray:
    """The squared defect over (..., seed, radius) of the values at points and at their mirrors."""
    squared = _squared_difference(a, b, kind)
    squared = squared.mean("output").rename(point="radius")
    squared = squared.transpose(..., "radius")
    return squared.drop_vars(["x_test", "y_test", "distance"], errors="ignore")


def _squared_difference(a: xr.DataArray, b: xr.DataArray, kind: str) -> xr.DataArray:
    """(a - b)² of an even function, (a + b)² of an odd one; inf where the function diverged."""
    if kind == "even":
        difference = a - b
    else:
        difference = a + b
    squared = (difference**2).astype(float)
    return squared.where(np.isfinite(squared), np.inf)


def mirrored(offset: np.ndarray, odd: bool) -> tuple[np.ndarray, np.ndarray]:
    """Pair every point with its mirror image, up to rounding.

    Args:
        offset: (point, input), the points seen from the center.
        odd: whether a point that is its own mirror image makes a pair too.

    Returns:
        Indices (first, second) with offset[second] = -offset[first], by increasing size of the
        offset.

    Raises:
        ValueError: there is no such pair.
    """
    size = np.linalg.norm(offset, axis=1)
    gap, image = scipy.spatial.KDTree(offset).query(-offset)
    pairs = []
    for i in np.flatnonzero(gap <= SAME_POINT * size.max()).tolist():
        j = int(image[i])
        if i == j:
            is_kept = odd
        else:
            # Each pair is met twice, once from either point
            is_kept = tuple(offset[i]) > tuple(offset[j])
        if is_kept:
            pairs.append((i, j))
    if not pairs:
        raise ValueError(
            "no test point mirrors another: judge on a grid symmetric about the center, or give "
            "center="
        )
    pairs.sort(key=lambda pair: float(np.linalg.norm(offset[pair[0]])))
    first, second = np.array(pairs).T
    return first, second
