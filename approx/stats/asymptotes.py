"""What a learned function does far outside the training range, and how many seeds do each of it."""

import numpy as np
import xarray as xr

from approx.stats.far_behaviour import KINDS, NUMBERS, classify
from approx.stats.far_points import center_of, curves, height_inside, rays_of
from approx.stats.labels import Over, kind_of
from approx.stats.rates import rate


def asymptote(
    runs: xr.Dataset,
    scale: float | None = None,
    tol: float = 0.01,
    center: np.ndarray | float | None = None,
) -> xr.Dataset:
    """Tell what each seed's function does on either side of the training range, or along each ray.

    Let r be the distance from the center of the training range, D the depth of the side (the
    largest less the smallest r outside), and `scale` the height of the target inside. The outer
    half of a side are its points with r at least D / 2 above the smallest, and so on. The first
    statement that holds decides:

    1. "diverged": a value on that side is nan or infinite.
    2. "undecided": that side has fewer than 16 points.
    3. "constant": on the outer half, max f - min f <= tol * scale.
    4. "linear": on the outer half, a least-squares line misses no point by more than tol times its
       own change, and lines through the inner and the outer half of these points, at the mean
       distances r1 < r2, have slopes s1, s2 of one sign with |log(s2 / s1) / log(r2 / r1)| <= 5
       tol. (If f were a power of r, its exponent would lie within 5 tol of 1.)
    5. "power", `f = c + a r^p`, or "exponential", `f = c + a exp(g r)`: on the outer three quarters
       the best p or g misses no point by more than tol / 10 times the range of f there (a larger
       tolerance would find a power near a line that a relu unit bends), and it is the same if it is
       fitted on the two halves of these points: |p1 - p2| <= 10 tol, or
       |g1 - g2| <= 10 tol * max(|g1|, |g2|). If both fit: "undecided". Only growth counts:
       0.2 <= p <= 7.5 and |p - 1| >= 0.1, or g > 0.
    6. "periodic": a constant and a sinusoid with its second and third harmonic explain 1 - tol of
       the variance of f, on the whole side and on either half of it, with at least 1.75 periods
       shown and 8 points in each period. "linear + periodic", as a snake unit makes it: they
       explain as much of what a line leaves over.
    7. "undecided": anything else, such as noise, log r, half a period, or a transition that is not
       finished.

    The rule does not see what is smaller than the tolerance: a line with a ripple of 1% of its
    height is "linear". An exponent belongs to the distance from the center: (x + b)² has another
    one, unless b is small against r.

    Args:
        runs: `prediction` over (..., seed, point, output), with `x_test` and `distance`. With
            several inputs the outside points must lie on rays from the center, see `tasks.rays`.
        scale: the unit of height; by default max - min of the targets inside the training range
            (where that is 0, the largest |target|, and 1 if that is 0 too).
        tol: relative tolerance of the rule.
        center: the center of the training range, one number or one for each input. With one input
            it may be left out: it is then the middle of the test points inside.

    Returns:
        A Dataset over (..., seed, side). `kind` is a string of `KINDS`. The numbers are nan where
        they do not apply: `level` (the mean of the outer half of a constant), `slope` (df/dr,
        outward; also of "linear + periodic"), `period`, `exponent` (in steps of 0.002), `growth`
        (g, per unit of r). `side` is "left" and "right", or the ray's direction. Several outputs
        keep the dimension `output`.

    Raises:
        ValueError: `runs` is no Dataset or has no predictions, the points differ between settings,
            no points lie outside, several inputs come without a center or with fewer than 16
            points on most rays, or the tolerance or scale is not positive.

    Example:
        far = stats.asymptote(runs)  # runs = ap.run(task, recipe, keep=("prediction",))
        stats.shares(far)  # the share of seeds of each kind on each side
    """
    f, x, distance, y = curves(runs)
    _check_options(scale, tol)
    offset = x - center_of(x, distance, center)
    radius = np.linalg.norm(offset, axis=1)
    sides = rays_of(offset, radius, distance)
    if scale is None:
        heights = height_inside(y, distance)
    else:
        heights = xr.DataArray(float(scale))

    parts = []
    for index in sides.values():
        outward = index[np.argsort(radius[index])]
        values = f.isel(point=outward)
        parts.append(classes_of_side(values, heights, radius[outward], tol))
    result = _put_together(parts, list(sides))
    result.attrs = {"tol": tol, "kinds": list(KINDS)}
    return result


def _check_options(scale: float | None, tol: float) -> None:
    """Raise a ValueError if the scale or the tolerance is out of its range."""
    if not 0 < tol < 0.1:
        raise ValueError(f"tol must lie between 0 and 0.1, got {tol}")
    if scale is not None and not scale > 0:
        raise ValueError(
            f"scale must be positive, got {scale}: the height of the target, such as 1.0"
        )


def _put_together(parts: list[xr.Dataset], sides: list[str]) -> xr.Dataset:
    """The classes of all sides in one Dataset; a single output needs no dimension."""
    names = xr.DataArray(sides, dims="side", name="side")
    result = xr.concat(parts, names, coords="minimal", compat="override")
    result = result.transpose(..., "side", "output", missing_dims="ignore")
    return _without_single_output(result)


def _without_single_output(result: xr.Dataset) -> xr.Dataset:
    """The result without the dimension `output`, if there is one output."""
    if result.sizes.get("output") == 1:
        return result.squeeze("output", drop=True)
    return result


def classes_of_side(
    f: xr.DataArray, heights: xr.DataArray, radius: np.ndarray, tol: float
) -> xr.Dataset:
    """Classify every function on one side of the training range.

    Args:
        f: the values of the functions over (..., point), the points ordered outward.
        heights: the unit of height of every function, over some of the other dimensions of `f`.
        radius: (point,), the distances from the center, increasing.
        tol: as for `asymptote`.

    Returns:
        `kind` and the numbers of `NUMBERS` over (...).
    """

    def classes(values: np.ndarray, height: np.ndarray) -> tuple[np.ndarray, ...]:
        shape = values.shape[:-1]
        rows = values.reshape(-1, radius.size).astype(float)
        height_of_row = np.broadcast_to(height, shape).reshape(-1)
        found = classify(radius, rows, height_of_row, tol)
        return tuple(part.reshape(shape) for part in found)

    names = ("kind", *NUMBERS)
    arrays = xr.apply_ufunc(
        classes,
        f,
        heights,
        input_core_dims=[["point"], []],
        output_core_dims=[[]] * len(names),
    )
    return xr.Dataset(dict(zip(names, arrays, strict=True)))


def shares(
    classes: xr.Dataset, over: Over = "seed", interval: str = "exact", level: float = 0.95
) -> xr.Dataset:
    """Share of every class, each with its own binomial interval (the classes exclude each other).

    Args:
        classes: `kind` over (..., seed), as `asymptote`, `split` or `plateaus` returns it.
        over: the dimension or dimensions counted over.
        interval: as for `rate`.
        level: as for `rate`.

    Returns:
        `rate`, `low`, `high`, `n`, `successes` over (kind, ...): all classes there could be, in the
        order of `classes.attrs["kinds"]`.

    Raises:
        ValueError: there is no variable `kind`, or a class is missing (nan).
    """
    kind = kind_of(classes)
    kinds = classes.attrs.get("kinds", np.unique(kind.values))
    names = list(np.atleast_1d(kinds))
    rates = [rate(kind == name, over, interval=interval, level=level) for name in names]
    axis = xr.DataArray(names, dims="kind", name="kind")
    result = xr.concat(rates, axis, combine_attrs="drop")
    result.attrs = {"interval": interval, "level": level}
    return result
