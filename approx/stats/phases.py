"""Errors that forgive a shift of phase: the target may be shifted and stretched to fit best."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy
import xarray as xr

from approx.stats.far_points import curves

COARSE = 41  # shifts times stretches of the first grid
ROUNDS = 12  # how often the step of the grid is halved afterwards: to 1/4096 of the first
NAMES = ("plain", "error", "best_shift", "best_stretch")

Function = Callable[[np.ndarray], np.ndarray]


def phase_tolerant_error(
    runs: xr.Dataset,
    max_shift: float,
    max_stretch: float = 0.0,
    target: Function | None = None,
    where: str = "all",
) -> xr.Dataset:
    """Squared error against the target, shifted and stretched to fit best.

    What is left is no error of phase:

    `error = var(y) min over |s| <= max_shift, |r - 1| <= max_stretch of mean (f(x) - y(r x + s))² /
    var(y(r x + s))`, means and variances over the judged points. At s = 0, r = 1 it is the plain
    mean squared error, so it is never above it, apart from rounding. The ratio of variances keeps a
    constant from gaining: for any constant f the error is at least var(y).

    The minimum is searched on a grid of 41 shifts (and 41 stretches), which must resolve the period
    (max_shift / 20, and max_stretch / 20 times the largest |x|, well below a quarter of it), then
    on ever finer ones around the best of each seed.

    Args:
        runs: `prediction` over (..., seed, point, output), one input.
        max_shift: largest |s|, in units of x; half a period allows every phase.
        max_stretch: largest |r - 1|, such as 0.1.
        target: the function y, elementwise on arrays of x. If it is left out, `y_test` is
            interpolated by a cubic spline, and only those points are judged that every allowed
            shift and stretch keeps within the test points: the same points for all seeds.
        where: "all", "inside" or "outside" the training range.

    Returns:
        `plain` (the mean squared error at the same points), `error`, `best_shift` (s),
        `best_stretch` (r) over (..., seed); errors are inf and the others nan for a training whose
        prediction is not finite. Several outputs keep the dimension `output`; `points` in the
        attributes counts the points judged.

    Raises:
        ValueError: `runs` is no Dataset or has no predictions, there are several inputs, a bound
            is negative or lets the target shrink to a point, fewer than two points can be judged,
            or the target is constant there.

    Example:
        found = stats.phase_tolerant_error(runs, max_shift=np.pi, target=np.sin)
        found.error / found.plain  # what is left of the error when the phase is forgiven
    """
    f, x, distance, targets = curves(runs)
    if x.shape[1] != 1:
        raise ValueError(f"a phase is that of one input, and there are {x.shape[1]}")
    _check_options(max_shift, max_stretch, where)
    x = x[:, 0]
    judged = _is_judged(distance, where)
    if target is None:
        judged &= _stays_within(x, max_shift, max_stretch)
    index = _two_or_more(judged)

    parts = []
    for output in range(f.sizes["output"]):
        function = target or _spline(x, targets.isel(output=output).values)
        search = _search(x[index], function, float(max_shift), float(max_stretch))
        found = xr.apply_ufunc(
            search.fit,
            f.isel(point=index, output=output),
            input_core_dims=[["point"]],
            output_core_dims=[[]] * len(NAMES),
        )
        parts.append(xr.Dataset(dict(zip(NAMES, found, strict=True))))
    result = parts[0]
    if len(parts) > 1:
        result = xr.concat(parts, "output").transpose(..., "output")
    result.attrs = {
        "max_shift": max_shift,
        "max_stretch": max_stretch,
        "where": where,
        "points": int(index.size),
    }
    return result


def _two_or_more(judged: np.ndarray) -> np.ndarray:
    """The numbers of the points that are judged, or a ValueError if there are fewer than two."""
    index = np.flatnonzero(judged)
    if index.size < 2:
        raise ValueError(
            f"{index.size} test points to judge: lower max_shift= or max_stretch=, or give target="
        )
    return index


def _check_options(max_shift: float, max_stretch: float, where: str) -> None:
    """Raise a ValueError that says which option is out of range."""
    if not (max_shift >= 0 and 0 <= max_stretch < 1):
        raise ValueError(
            f"max_shift must be at least 0 and max_stretch in [0, 1), got {max_shift} and "
            f"{max_stretch}"
        )
    if where not in ("all", "inside", "outside"):
        raise ValueError(f"where must be 'all', 'inside' or 'outside', got {where!r}")


def _is_judged(distance: np.ndarray, where: str) -> np.ndarray:
    """Which points lie on the wanted side of the border of the training range."""
    if where == "all":
        return np.ones(len(distance), bool)
    is_outside = distance > 0
    return is_outside == (where == "outside")


def _stays_within(x: np.ndarray, max_shift: float, max_stretch: float) -> np.ndarray:
    """Which points no allowed shift and stretch takes out of the range of all points."""
    reach = np.abs(x) * max_stretch + max_shift
    slack = 1e-6 * np.ptp(x)  # for rounding
    leftmost = x.min() - slack
    rightmost = x.max() + slack
    return (x - reach >= leftmost) & (x + reach <= rightmost)


def _spline(x: np.ndarray, y: np.ndarray) -> Function:
    """The cubic spline through samples, whose x may come in any order and more than once."""
    unique, first = np.unique(x, return_index=True)
    return scipy.interpolate.CubicSpline(unique, y[first].astype(float))


class _Best(NamedTuple):
    """The least error of every row so far, and the shift and stretch that gave it, each (rows,)."""

    error: np.ndarray
    shift: np.ndarray
    stretch: np.ndarray

    def or_better(self, other: "_Best") -> "_Best":
        """For each row the one with the lower error; this one of equals."""
        improved = other.error < self.error
        pairs = zip(self, other, strict=True)
        return _Best(*(np.where(improved, theirs, ours) for ours, theirs in pairs))


def _unmoved(error: np.ndarray) -> _Best:
    """These errors (rows,) at no shift and no stretch."""
    rows = len(error)
    return _Best(error, np.zeros(rows), np.ones(rows))


def _search(x: np.ndarray, target: Function, max_shift: float, max_stretch: float) -> "_Search":
    """Evaluate the target at the judged points.

    Raises:
        ValueError: it is constant there.
    """
    y = np.asarray(target(x), float)
    _check_varies(y)
    return _Search(x, y, y.var(), target, max_shift, max_stretch)


def _check_varies(y: np.ndarray) -> None:
    """Raise a ValueError if the values of the target are equal up to rounding."""
    mean_square = (y**2).mean()
    if not y.var() > 1e-12 * max(1.0, mean_square):
        raise ValueError("the target is constant over the judged points: it has no phase")


class _Search(NamedTuple):
    """The search for the best shift and stretch at the judged points.

    Attributes:
        x: (points,), the judged points.
        y: (points,), the target there.
        variance: of y.
        target: the function y.
        max_shift: largest |s|.
        max_stretch: largest |r - 1|.
    """

    x: np.ndarray
    y: np.ndarray
    variance: float
    target: Function
    max_shift: float
    max_stretch: float

    def fit(self, values: np.ndarray) -> tuple[np.ndarray, ...]:
        """Plain error, least error, best shift and best stretch (...) of values (..., points)."""
        shape = values.shape[:-1]
        f = values.reshape(-1, self.x.size).astype(float)
        finite = np.isfinite(f).all(-1)
        f = np.where(finite[:, None], f, 0.0)

        # Without a shift, then on the grid, then around the best of it
        plain = ((f - self.y) ** 2).mean(-1)
        unmoved = _unmoved(plain)
        best = unmoved.or_better(self.best_of_grid(f))
        best = self.refined(f, best)

        found = (
            np.where(finite, plain, np.inf),
            np.where(finite, best.error, np.inf),
            np.where(finite, best.shift, np.nan),
            np.where(finite, best.stretch, np.nan),
        )
        return tuple(part.reshape(shape) for part in found)

    def best_of_grid(self, f: np.ndarray) -> _Best:
        """The best shift and stretch of the first grid for each row of f (rows, points)."""
        rows = len(f)
        shifts = _grid(self.max_shift)
        stretches = 1 + _grid(self.max_stretch)
        best = _unmoved(np.full(rows, np.inf))
        for shift in shifts.tolist():
            errors = self.errors_of_stretches(f, shift, stretches)
            least = errors.min(-1, initial=np.inf)
            stretch = stretches[errors.argmin(-1)]
            tried = _Best(least, np.full(rows, shift), stretch)
            best = best.or_better(tried)

        # Once more, without the rounding of the expanded square
        error = self.errors(f, best.shift, best.stretch)
        return best._replace(error=error)

    def errors_of_stretches(self, f: np.ndarray, shift: float, stretches: np.ndarray) -> np.ndarray:
        """The errors (rows, stretches) at one shift.

        All rows share the moved targets, so the mean of (f - y)² is expanded: its mixed term is one
        product of matrices.
        """
        points = stretches[:, None] * self.x + shift
        moved = self.moved_target(points)
        of_f = (f**2).mean(-1)
        of_moved = (moved**2).mean(-1)
        mixed = 2 * f @ moved.T / self.x.size
        squares = of_f[:, None] - mixed + of_moved
        return self.relative_to_spread(self.variance * squares, moved)

    def errors(self, f: np.ndarray, shift: np.ndarray, stretch: np.ndarray) -> np.ndarray:
        """The error of each row at its own shift and stretch, (rows,)."""
        points = stretch[:, None] * self.x + shift[:, None]
        moved = self.moved_target(points)
        squares = ((f - moved) ** 2).mean(-1)
        return self.relative_to_spread(self.variance * squares, moved)

    def moved_target(self, x: np.ndarray) -> np.ndarray:
        """The target at moved points (any, points)."""
        return np.asarray(self.target(x), float)

    def relative_to_spread(self, errors: np.ndarray, moved: np.ndarray) -> np.ndarray:
        """Errors divided by the variance of the moved targets; inf where these are constant."""
        spread = moved.var(-1)
        nothing = np.full(errors.shape, np.inf)
        return np.divide(errors, spread, out=nothing, where=spread > 0)

    def refined(self, f: np.ndarray, best: _Best) -> _Best:
        """Try the eight neighbours of each row's best with ever smaller steps."""
        shift_step = _step(self.max_shift)
        stretch_step = _step(self.max_stretch)
        least_stretch = 1 - self.max_stretch
        most_stretch = 1 + self.max_stretch
        around = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        for _ in range(ROUNDS):
            start = best
            for i, j in around:
                shift = start.shift + i * shift_step
                shift = np.clip(shift, -self.max_shift, self.max_shift)
                stretch = start.stretch + j * stretch_step
                stretch = np.clip(stretch, least_stretch, most_stretch)
                tried = _Best(self.errors(f, shift, stretch), shift, stretch)
                best = best.or_better(tried)
            shift_step /= 2
            stretch_step /= 2
        return best


def _half_width(bound: float) -> int:
    """How many steps the first grid takes to either side; none if nothing may move."""
    if bound > 0:
        return COARSE // 2
    return 0


def _step(bound: float) -> float:
    """The step of the first grid from -bound to bound."""
    return bound / max(_half_width(bound), 1)


def _grid(bound: float) -> np.ndarray:
    """The first grid from -bound to bound."""
    half = _half_width(bound)
    return _step(bound) * np.arange(-half, half + 1)
