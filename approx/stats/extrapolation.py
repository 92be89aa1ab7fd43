"""Errors outside what was shown: against the distance, against the mirrored point, and up to a
shift of phase.
"""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline
from scipy.spatial import KDTree

from approx.stats.asymptotes import curves
from approx.stats.kept import predictions
from approx.stats.labels import without_kept_step

COARSE = 41  # shifts times stretches of the first grid of `phase_tolerant_error`
ROUNDS = 12  # then its step is halved this often: to 1/4096 of the first
LEAST_TARGET = 0.01  # of the mean |y|: what a relative error is divided by at least


def error_by_distance(runs: xr.Dataset, relative: bool = False) -> xr.Dataset:
    """Absolute or relative error of the prediction against the distance to the training range.

    `error(distance) = mean over the points at that distance, and over outputs, of |f(x) - y|`; in
    one dimension those are the two points to the left and to the right, along rays (`tasks.rays`)
    those of all rays that are equally far. The relative error divides it by the mean of |y| over
    the same points, not point by point, so that a target that crosses zero does no harm; where that
    mean is below 1% of the mean of |y| over all points, by this 1%.

    Args:
        runs: with `prediction` over (..., seed, point, output), and one distance per point.
        relative: divide by the size of the target.

    Returns:
        `error` over (..., seed, distance), distance in units of x and increasing; its first value,
        0, is the mean over all points inside.

    Raises:
        ValueError: predictions were not kept, the distances differ between settings, or the error
            is to be relative to a target that is 0 at every point.
    """
    prediction = predictions(runs)
    if runs.distance.dims != ("point",):
        raise ValueError(
            f"distances differ over {runs.distance.dims[:-1]}: select one setting of the task first"
        )
    if "output" not in runs.y_test.dims:
        raise ValueError("the targets are labels: an absolute error has no meaning for them")
    error = _by_distance(abs(prediction - runs.y_test), runs.distance)
    if relative:
        size = _by_distance(abs(runs.y_test), runs.distance)
        least = LEAST_TARGET * abs(runs.y_test).mean(("point", "output"))
        if not bool((least > 0).all()):
            raise ValueError(
                "the target is 0 at every test point: there is no relative error; use relative=False"
            )
        error = error / np.maximum(size, least)
    result = without_kept_step(error).transpose(..., "distance").to_dataset(name="error")
    result.attrs = {"relative": int(relative)}
    return result


def _by_distance(values: xr.DataArray, distance: xr.DataArray) -> xr.DataArray:
    """Mean over outputs and over the points at the same distance."""
    values = values.mean("output", skipna=False)
    # Left and right differ by rounding
    rounded = np.array([float(f"{d:.5e}") for d in distance.values])
    unique = np.unique(rounded)
    means = [
        values.isel(point=np.flatnonzero(rounded == d)).mean("point", skipna=False) for d in unique
    ]
    return xr.concat(
        means, xr.DataArray(unique, dims="distance", name="distance"), coords="minimal"
    )


def symmetry(
    runs: xr.Dataset, kind: str = "even", center: float | Sequence[float] = 0.0
) -> xr.Dataset:
    """How far learned functions are from being even or odd, at mirrored test points.

    `defect(x) = |f(c + x) - f(c - x)|` for even functions, `|f(c + x) + f(c - x)|` for odd ones, of
    which the point x = 0 tells only the latter anything; with several inputs all of them are
    mirrored at once. A training whose prediction is not finite has the defect inf there.

    Args:
        runs: `prediction` over (..., seed, point, output), with `x_test` and `distance`.
        kind: "even" or "odd".
        center: c, the point to mirror at.

    Returns:
        `defect` over (..., seed, radius), of several outputs the root of the mean of their squares,
        with coordinates `radius` = |x| (which rises) and `distance`, of the pair's farther point to
        the training range. The mean of defect² over the pairs `inside` and `outside` the training
        range, (..., seed); nan where there are none.

    Raises:
        ValueError: an unknown kind, no predictions, swept points, or no two test points that mirror
            each other.
    """
    if kind not in ("even", "odd"):
        raise ValueError(f"kind must be 'even' or 'odd', got {kind!r}")
    f, x, distance, _ = curves(runs)
    first, second = mirrored(x - np.asarray(center, float), odd=kind == "odd")
    a, b = f.isel(point=first), f.isel(point=second)
    squared = ((a - b if kind == "even" else a + b) ** 2).astype(float)
    squared = squared.where(np.isfinite(squared), np.inf).mean("output").rename(point="radius")
    far = np.maximum(distance[first], distance[second])
    radius = np.linalg.norm(x[first] - np.asarray(center, float), axis=1)
    squared = squared.transpose(..., "radius").drop_vars(
        ["x_test", "y_test", "distance"], errors="ignore"
    )
    means = {
        name: squared.isel(radius=np.flatnonzero(where)).mean("radius")
        for name, where in (("inside", far <= 0), ("outside", far > 0))
    }
    result = xr.Dataset({"defect": np.sqrt(squared), **means})
    result.attrs = {"kind": kind}
    return result.assign_coords(radius=radius, distance=("radius", far))


def mirrored(offset: np.ndarray, odd: bool) -> tuple[np.ndarray, np.ndarray]:
    """Index pairs (first, second) with offset[second] = -offset[first] up to 1e-5 of the largest,
    by increasing size.

    Raises:
        ValueError: no such pair.
    """
    largest = np.linalg.norm(offset, axis=1).max()
    # By the nearest point: float32 grids differ by rounding
    gap, other = KDTree(offset).query(-offset)
    near = np.flatnonzero(gap <= 1e-5 * largest)
    pairs = [
        (i, j) for i, j in zip(near.tolist(), other[near].tolist(), strict=True) if i != j or odd
    ]
    pairs = [(i, j) for i, j in pairs if i == j or tuple(offset[i]) > tuple(offset[j])]
    if not pairs:
        raise ValueError(
            "no test point mirrors another: judge on a grid symmetric about the center, or give center="
        )
    first, second = np.array(
        sorted(pairs, key=lambda pair: float(np.linalg.norm(offset[pair[0]])))
    ).T
    return first, second


def phase_tolerant_error(
    runs: xr.Dataset,
    max_shift: float,
    max_stretch: float = 0.0,
    target: Callable[[np.ndarray], np.ndarray] | None = None,
    where: str = "all",
) -> xr.Dataset:
    """Squared error against the target shifted and stretched to fit best: what is left is no error
    of phase.

    `error = var(y) min over |s| <= max_shift, |r - 1| <= max_stretch of mean (f(x) - y(r x + s))² /
    var(y(r x + s))`, means and variances over the judged points. At s = 0, r = 1 it is the plain
    mean squared error, so it is never above it, apart from rounding; and the ratio of variances
    keeps a constant from gaining: for any constant f it is at least var(y). Searched on a grid of
    41 shifts (and 41 stretches), which must resolve the period (max_shift / 20, and max_stretch /
    20 times the largest |x|, well below a quarter of it), then on ever finer ones around the best
    of each seed.

    Args:
        runs: `prediction` over (..., seed, point, output), one input.
        max_shift: largest |s|, in units of x; half a period allows every phase.
        max_stretch: largest |r - 1|, such as 0.1.
        target: the function y, elementwise on arrays of x. Left out, `y_test` is interpolated by a
            cubic spline, and only those points are judged that every allowed shift and stretch
            keeps within the test points: the same points for all seeds.
        where: "all", "inside" or "outside" the training range.

    Returns:
        `plain` (the mean squared error at the same points), `error`, `best_shift` (s),
        `best_stretch` (r) over (..., seed); inf and nan for a training whose prediction is not
        finite. Several outputs keep the dimension `output`; `points` in the attributes counts the
        points judged.

    Raises:
        ValueError: several inputs, bounds that are negative or let the target shrink to a point,
            fewer than two points to judge, a target that is constant there, no predictions.
    """
    f, x, distance, targets = curves(runs)
    if x.shape[1] != 1:
        raise ValueError(f"a phase is that of one input, and there are {x.shape[1]}")
    if not (max_shift >= 0 and 0 <= max_stretch < 1):
        raise ValueError(
            f"max_shift must be at least 0 and max_stretch in [0, 1), got {max_shift} and {max_stretch}"
        )
    if where not in ("all", "inside", "outside"):
        raise ValueError(f"where must be 'all', 'inside' or 'outside', got {where!r}")
    x = x[:, 0]
    judged = np.ones(len(x), bool) if where == "all" else (distance > 0) == (where == "outside")
    if target is None:
        reach = np.abs(x) * max_stretch + max_shift
        slack = 1e-6 * np.ptp(x)
        judged &= (x - reach >= x.min() - slack) & (x + reach <= x.max() + slack)
    index = np.flatnonzero(judged)
    if index.size < 2:
        raise ValueError(
            f"{index.size} test points to judge: lower max_shift= or max_stretch=, or give target="
        )
    parts = []
    for output in range(f.sizes["output"]):
        function = target or _spline(x, targets.isel(output=output).values)
        settings = (x[index], function, float(max_shift), float(max_stretch))
        parts.append(
            xr.apply_ufunc(
                lambda values, settings=settings: _fit_phase(values, *settings),
                f.isel(point=index, output=output),
                input_core_dims=[["point"]],
                output_core_dims=[[]] * 4,
            )
        )
    names = ("plain", "error", "best_shift", "best_stretch")
    sets = [xr.Dataset(dict(zip(names, part, strict=True))) for part in parts]
    result = sets[0] if len(sets) == 1 else xr.concat(sets, "output").transpose(..., "output")
    result.attrs = {
        "max_shift": max_shift,
        "max_stretch": max_stretch,
        "where": where,
        "points": int(index.size),
    }
    return result


def _spline(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The cubic spline through samples, whose x may come in any order and more than once."""
    unique, first = np.unique(x, return_index=True)
    return CubicSpline(unique, y[first].astype(float))


def _fit_phase(
    values: np.ndarray,
    x: np.ndarray,
    target: Callable[[np.ndarray], np.ndarray],
    max_shift: float,
    max_stretch: float,
) -> tuple[np.ndarray, ...]:
    """Plain error, least error, shift and stretch of each row of `values` (..., points)."""
    shape = values.shape[:-1]
    f = values.reshape(-1, x.size).astype(float)
    finite = np.isfinite(f).all(-1)
    f = np.where(finite[:, None], f, 0.0)
    y = np.asarray(target(x), float)
    variance = y.var()
    if not variance > 1e-12 * max(1.0, (y**2).mean()):
        raise ValueError("the target is constant over the judged points: it has no phase")

    def ratio(s: np.ndarray, r: np.ndarray) -> np.ndarray:
        """The error at one shift and stretch for each row."""
        moved = np.asarray(target(r[:, None] * x + s[:, None]), float)
        spread = moved.var(-1)
        error = variance * ((f - moved) ** 2).mean(-1)
        return np.divide(error, spread, out=np.full(len(f), np.inf), where=spread > 0)

    plain = ((f - y) ** 2).mean(-1)
    steps = [COARSE // 2 if bound > 0 else 0 for bound in (max_shift, max_stretch)]
    unit_s, unit_r = (
        bound / max(step, 1) for bound, step in zip((max_shift, max_stretch), steps, strict=True)
    )
    shift, stretch = np.zeros(len(f)), np.ones(len(f))
    best = np.full(len(f), np.inf)
    r = 1 + unit_r * np.arange(-steps[1], steps[1] + 1)
    for s in (unit_s * np.arange(-steps[0], steps[0] + 1)).tolist():
        # The same for all rows: one product of matrices
        moved = np.asarray(target(r[:, None] * x + s), float)
        squares = (f**2).mean(-1)[:, None] - 2 * f @ moved.T / x.size + (moved**2).mean(-1)
        spread = moved.var(-1)
        errors = np.divide(
            variance * squares, spread, out=np.full(squares.shape, np.inf), where=spread > 0
        )
        least = errors.min(-1, initial=np.inf)
        better = least < best
        best, shift = np.where(better, least, best), np.where(better, s, shift)
        stretch = np.where(better, r[errors.argmin(-1)], stretch)
    best = ratio(shift, stretch)  # without the rounding of the expanded square
    best, shift, stretch = np.where(
        plain <= best, [plain, 0 * shift, 0 * stretch + 1], [best, shift, stretch]
    )
    around = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    for _ in range(ROUNDS):
        start_s, start_r = shift, stretch
        for i, j in around:
            s = np.clip(start_s + i * unit_s, -max_shift, max_shift)
            r = np.clip(start_r + j * unit_r, 1 - max_stretch, 1 + max_stretch)
            error = ratio(s, r)
            better = error < best
            best, shift, stretch = np.where(better, [error, s, r], [best, shift, stretch])
        unit_s, unit_r = unit_s / 2, unit_r / 2
    plain, best = np.where(finite, plain, np.inf), np.where(finite, best, np.inf)
    shift, stretch = np.where(finite, shift, np.nan), np.where(finite, stretch, np.nan)
    return plain.reshape(shape), best.reshape(shape), shift.reshape(shape), stretch.reshape(shape)
