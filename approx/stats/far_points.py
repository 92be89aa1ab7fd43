"""Where the test points of a result lie: inside the training range, on a side of it, on a ray."""

import numpy as np
import xarray as xr

from approx.stats.far_behaviour import LEAST_POINTS
from approx.stats.kept import judged, predictions
from approx.stats.labels import without_kept_step

# Two points lie on one ray if the parts of their unit vectors differ by at most this: those of
# float32 points differ by 1e-7.
SAME_RAY = 1e-4


def curves(runs: xr.Dataset) -> tuple[xr.DataArray, np.ndarray, np.ndarray, xr.DataArray]:
    """Take predictions and the points they were made at out of a result.

    Points without targets are left out.

    Returns:
        The predictions (..., point, output), the test inputs (point, input), the distances (point,)
        to the training range, and the targets.

    Raises:
        ValueError: the predictions or the points are missing, or the points differ between
            settings.
    """
    predictions(runs)
    runs = judged(runs)
    f = predictions(runs)
    _check_points_there(runs)
    _check_one_setting(runs)
    x, distance = _test_points(runs)
    return f, x, distance, without_kept_step(runs.y_test)


def _check_points_there(runs: xr.Dataset) -> None:
    """Raise a ValueError if the result does not hold the points of its predictions."""
    for name in ("x_test", "distance", "y_test"):
        if name not in runs:
            raise ValueError(
                f"the predictions came without {name}, which says where they were made: give the "
                "Dataset that ap.run returned"
            )


def _check_one_setting(runs: xr.Dataset) -> None:
    """Raise a ValueError if the test points differ between settings of the task."""
    for name in ("x_test", "distance"):
        extra = [str(dim) for dim in runs[name].dims if dim not in ("point", "input")]
        if extra:
            raise ValueError(
                f"{name} differs over {', '.join(extra)}: select one setting of the task first"
            )


def _test_points(runs: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The inputs (point, input) of the test points, and their distances (point,)."""
    x = runs.x_test.transpose("point", "input").values.astype(float)
    distance = runs.distance.values.astype(float)
    return x, distance


def center_of(x: np.ndarray, distance: np.ndarray, center: np.ndarray | float | None) -> np.ndarray:
    """The center of the training range, (input,): the one given, or else the middle of it."""
    if center is None:
        return middle(x, distance)
    return np.broadcast_to(np.asarray(center, float), x.shape[1:])


def middle(x: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Middle (1,) of the points inside the training range, of one input.

    Raises:
        ValueError: there are several inputs, or no points inside.
    """
    inside = x[distance <= 0]
    why = _why_no_middle(x, inside)
    if why:
        raise ValueError(f"the center of a training range {why} must be given, such as center=0.0")
    return (inside.min(0) + inside.max(0)) / 2


def _why_no_middle(x: np.ndarray, inside: np.ndarray) -> str | None:
    """Why the middle of the training range is unknown, or None if it is known."""
    if x.shape[1] > 1:
        return f"of {x.shape[1]} inputs"
    if not len(inside):
        return "without test points inside"
    return None


def height_inside(y: xr.DataArray, distance: np.ndarray) -> xr.DataArray:
    """Max - min of the targets inside the training range; if it is 0, their largest size, or 1."""
    inside = _targets_inside(y, distance)
    height = _range_over_points(inside)
    size = abs(inside).max("point")
    height = height.where(height > 0, size)
    return height.where(height > 0, 1.0)


def _targets_inside(y: xr.DataArray, distance: np.ndarray) -> xr.DataArray:
    """The targets inside the training range, or all of them if no test point lies inside."""
    is_inside = distance <= 0
    if is_inside.any():
        return y.isel(point=np.flatnonzero(is_inside))
    return y


def _range_over_points(values: xr.DataArray) -> xr.DataArray:
    """The largest value less the smallest one, over the test points."""
    highest = values.max("point")
    lowest = values.min("point")
    return (highest - lowest).astype(float)


def rays_of(offset: np.ndarray, radius: np.ndarray, distance: np.ndarray) -> dict[str, np.ndarray]:
    """Sort the points outside by side: "left" and "right" of one input, else by direction.

    Args:
        offset: (point, input), the points seen from the center.
        radius: (point,), their lengths.
        distance: (point,), their distances to the training range.

    Returns:
        The indices of the points on each side, by the side's name.

    Raises:
        ValueError: no points lie outside, no two of them share a ray, or most rays have too few.
    """
    outside = _points_outside(radius, distance)
    if offset.shape[1] == 1:
        return _left_and_right(offset[:, 0], outside)
    return _rays(offset, radius, outside)


def _points_outside(radius: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """The numbers of the test points outside the training range, or a ValueError without any."""
    outside = np.flatnonzero((distance > 0) & (radius > 0))
    if not outside.size:
        raise ValueError(
            "no test points lie outside the training range: choose a task that is judged further "
            "out"
        )
    return outside


def _left_and_right(offset: np.ndarray, outside: np.ndarray) -> dict[str, np.ndarray]:
    """The points outside on either side of one input, for the sides that have any."""
    left = outside[offset[outside] < 0]
    right = outside[offset[outside] > 0]
    both = {"left": left, "right": right}
    return {name: index for name, index in both.items() if index.size}


def _rays(offset: np.ndarray, radius: np.ndarray, outside: np.ndarray) -> dict[str, np.ndarray]:
    """The points outside on every ray, or a ValueError if they are not placed on rays."""
    unit = offset[outside] / radius[outside, None]
    sides = points_by_direction(unit, outside)
    check_rays(sides)
    return sides


def points_by_direction(unit: np.ndarray, index: np.ndarray) -> dict[str, np.ndarray]:
    """Group points by their unit vectors (m, input); `index` (m,) are the numbers they go by."""
    sides = {}
    left = np.arange(index.size)
    while left.size:
        first = unit[left[0]]
        away = np.abs(unit[left] - first)
        same = away.max(-1) <= SAME_RAY
        sides[_name_of_ray(first)] = index[left[same]]
        left = left[~same]
    return sides


def _name_of_ray(unit: np.ndarray) -> str:
    """The unit vector of a ray as text, such as "(0.7071, -0.7071)"."""
    rounded = np.round(unit, 4) + 0.0  # + 0.0 turns -0.0 into 0.0
    parts = ", ".join(f"{part:.4g}" for part in rounded)
    return f"({parts})"


def check_rays(sides: dict[str, np.ndarray]) -> None:
    """Raise a ValueError if points were not placed on rays, or if most rays have too few."""
    if all(index.size == 1 for index in sides.values()):
        raise ValueError(
            "no two test points outside lie on one ray from the center: place them with tasks.rays"
        )
    _check_long_rays(sides)


def _check_long_rays(sides: dict[str, np.ndarray]) -> None:
    """Raise a ValueError if more than half of the rays have too few points for a class."""
    few = sum(index.size < LEAST_POINTS for index in sides.values())
    if few > len(sides) / 2:
        raise ValueError(
            f"{few} of the {len(sides)} directions in which test points lie outside hold fewer "
            f"than the {LEAST_POINTS} points that a class needs, as those of a grid of the plane "
            "do: place the points with tasks.rays"
        )
