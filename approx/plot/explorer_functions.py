"""The learned functions and learning curves of an explorer, thinned to fit into a page."""

from typing import NamedTuple

import numpy as np
import xarray as xr

from approx import stats
from approx.plot.explorer_settings import Layout
from approx.stats.kept import predictions
from approx.stats.labels import variable, worst_value
from approx.stats.planes import grid_of

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MARGIN = 0.1  # of the range of what is drawn, above and below it
# The greatest exponent that is drawn of a value on a logarithmic axis; float32 ends at 38
LARGEST = 38.0


class Lines(NamedTuple):
    """What a panel draws in every setting.

    Attributes:
        x: (points,) or (setting, points), where the values are known.
        seeds: (setting, seeds, points) of the first seeds.
        bands: (setting, 5, points) the quantiles over all seeds.
        whole: how many points there were before they were thinned.
    """

    x: np.ndarray
    seeds: np.ndarray
    bands: np.ndarray
    whole: int

    def thinned(self, seeds: int, points: int) -> "Lines":
        """The first seeds, at so many points taken evenly, among them the first and the last."""
        places = evenly(self.x.shape[-1], points)
        return self._replace(
            x=self.x[..., places],
            seeds=self.seeds[:, :seeds, places],
            bands=self.bands[..., places],
        )


class Planes(NamedTuple):
    """Functions of two inputs over a grid of the plane, in every setting.

    Attributes:
        names: of the vertical input and of the horizontal one.
        axes: the values of the vertical input and of the horizontal one, increasing.
        seeds: (setting, seeds, rows, columns) of the first seeds.
        middle: (setting, rows, columns) the median over all seeds.
    """

    names: tuple[str, str]
    axes: tuple[np.ndarray, np.ndarray]
    seeds: np.ndarray
    middle: np.ndarray

    def thinned(self, seeds: int, side: int) -> "Planes":
        """The first seeds, at so many values of either input taken evenly, with both ends."""
        rows, columns = (evenly(len(axis), side) for axis in self.axes)
        vertical, horizontal = self.axes
        return self._replace(
            axes=(vertical[rows], horizontal[columns]),
            seeds=self.seeds[:, :seeds][..., rows, :][..., columns],
            middle=self.middle[..., rows, :][..., columns],
        )


class Target(NamedTuple):
    """What the functions should be.

    Attributes:
        y: like `Lines.x`; nan where a point has no target.
        shown: (setting, 2) or (2,) from where to where the training rows are; nan if nowhere.
    """

    y: np.ndarray
    shown: np.ndarray


def evenly(count: int, most: int) -> np.ndarray:
    """Places of at most `most` of `count` things, spread evenly, with the first and the last."""
    places = np.linspace(0, count - 1, min(most, count))
    return np.unique(np.round(places).astype(int))


def why_no_functions(runs: xr.Dataset) -> str:
    """A sentence that says why there are no functions to draw, or "" if there are."""
    if "prediction" not in runs:
        return why_none_were_kept(runs)
    inputs = runs.x_test.sizes.get("input", 1)
    if inputs == 2:
        return why_no_plane(runs)
    if inputs > 2:
        return f"These functions have {inputs} inputs; those of one or two are drawn here."
    return ""


def why_no_plane(runs: xr.Dataset) -> str:
    """A sentence that says why functions of two inputs cannot be drawn, or "" if they can."""
    try:
        grid_of(runs)
    except ValueError as error:
        return f"These functions have 2 inputs, and cannot be drawn: {error}."
    return ""


def why_none_were_kept(runs: xr.Dataset) -> str:
    """The sentence with which the statistics refuse runs without predictions."""
    try:
        predictions(runs)
    except ValueError as error:
        text = str(error)
        return f"{text[0].upper()}{text[1:]}."
    return ""


def functions_of(
    runs: xr.Dataset, layout: Layout, output: int, seeds: int, points: int
) -> tuple[Lines, Target]:
    """The learned functions from left to right, and their target.

    Raises:
        ValueError: predictions of another step than the losses; an output that there is not.
    """
    predictions(runs)
    check_output(runs, output)
    last = runs.isel(kept_step=-1, missing_dims="ignore")
    own = is_own(last, layout)
    x = at_points(last.x_test.isel(input=0, missing_dims="ignore"), layout, own)
    order = np.argsort(np.atleast_2d(x)[0], kind="stable")
    places = order[evenly(len(order), points)]
    here = last[["prediction"]].isel(point=places, output=output, drop=True)
    found = stats.quantiles(here, of="prediction", q=QUANTILES).prediction
    lines = Lines(
        x[..., places],
        layout.flat(here.prediction.isel(seed=slice(0, seeds)), "seed", "point"),
        layout.flat(found, "quantile", "point"),
        len(order),
    )
    return lines, target_of(last.isel(point=places), layout, output, lines.x, own)


def planes_of(runs: xr.Dataset, layout: Layout, output: int, seeds: int, side: int) -> Planes:
    """Functions of two inputs, at up to so many values of either.

    Raises:
        ValueError: predictions of another step than the losses; an output that there is not.
    """
    predictions(runs)
    check_output(runs, output)
    last = runs.isel(kept_step=-1, missing_dims="ignore")
    grid = grid_of(last)
    vertical, horizontal = grid.axes
    rows, columns = evenly(len(vertical), side), evenly(len(horizontal), side)
    points = grid.points[np.ix_(rows, columns)]
    here = last[["prediction"]].isel(point=points.ravel(), output=output, drop=True)
    middle = stats.quantiles(here, of="prediction", q=0.5).prediction.isel(quantile=0, drop=True)
    first = layout.flat(here.prediction.isel(seed=slice(0, seeds)), "seed", "point")
    return Planes(
        grid.names,
        (vertical[rows], horizontal[columns]),
        first.reshape(*first.shape[:2], *points.shape),
        layout.flat(middle, "point").reshape(layout.settings, *points.shape),
    )


def check_output(runs: xr.Dataset, output: int) -> None:
    """Raise a ValueError unless there is an output of that number."""
    if not 0 <= output < runs.sizes["output"]:
        raise ValueError(f"output={output} is none of the {runs.sizes['output']} outputs")


def is_own(runs: xr.Dataset, layout: Layout) -> bool:
    """Whether settings differ in where functions are known, or in what they should be there."""
    there = [runs[name] for name in ("x_test", "y_test", "distance") if name in runs.coords]
    dims = {dim for values in there for dim in values.dims}
    return bool(dims & set(layout.sizes))


def at_points(values: xr.DataArray, layout: Layout, own: bool) -> np.ndarray:
    """Values over (point,), or over (setting, point) if settings have their own."""
    if own:
        return layout.flat(values, "point").astype(float)
    return values.values.astype(float)


def target_of(runs: xr.Dataset, layout: Layout, output: int, x: np.ndarray, own: bool) -> Target:
    """The target at the same points, if it is of the same kind as the outputs."""
    y = np.full(x.shape, np.nan)
    if "y_test" in runs.coords and "output" in runs.y_test.dims:
        y = at_points(runs.y_test.isel(output=output, drop=True), layout, own)
    if "role" in runs.coords:
        y = np.where(runs.role.values == "at", np.nan, y)
    inside = at_points(runs.distance, layout, own) == 0
    ends = []
    for take, nothing in ((np.min, np.inf), (np.max, -np.inf)):
        here = np.where(inside, x, nothing)
        ends.append(take(here, axis=-1))
    shown = np.stack(ends, -1)
    return Target(y, np.where(np.isfinite(shown), shown, np.nan))


def curves_of(runs: xr.Dataset, of: str, layout: Layout, seeds: int, points: int) -> Lines | None:
    """The learning curves of what is judged, or None if there are no records over steps."""
    value = variable(runs, of)
    if "step" not in value.dims:
        return None
    places = evenly(value.sizes["step"], points)
    here = value.isel(step=places).to_dataset(name=of)
    found = stats.quantiles(here, of=of, q=QUANTILES)[of]
    first = here[of].isel(seed=slice(0, seeds))
    first = first.where(first.notnull(), worst_value(of, None))
    return Lines(
        here.step.values.astype(float),
        layout.flat(first, "seed", "step"),
        layout.flat(found, "quantile", "step"),
        value.sizes["step"],
    )


def is_logarithmic(values: np.ndarray, of: str) -> bool:
    """Whether values are drawn on a logarithmic axis: those of a loss that is never negative."""
    return "accuracy" not in of and not bool((values < 0).any())


def logarithms(lines: Lines) -> Lines:
    """The decimal logarithms of the values; what is 0 or infinite lies beyond all axes."""
    with np.errstate(divide="ignore"):
        seeds = np.log10(lines.seeds.astype(float))
        bands = np.log10(lines.bands.astype(float))
    return lines._replace(
        seeds=np.clip(seeds, -2 * LARGEST, LARGEST),
        bands=np.clip(bands, -2 * LARGEST, LARGEST),
    )


def step_places(steps: np.ndarray) -> np.ndarray:
    """Where steps lie on an axis that is linear below 1 and logarithmic above."""
    return np.where(steps < 1, steps, 1 + np.log10(np.maximum(steps, 1)))


def limits(*arrays: np.ndarray) -> tuple[float, float]:
    """From where to where an axis goes that shows some arrays, with a margin."""
    finite = [array[np.isfinite(array)] for array in arrays]
    values = np.concatenate(finite)
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    pad = MARGIN * (high - low) or MARGIN
    return low - pad, high + pad


def middle_limits(array: np.ndarray) -> tuple[float, float]:
    """Limits between which 98% of the finite values of an array lie, with a margin."""
    values = array[np.isfinite(array)]
    if not values.size:
        return 0.0, 1.0
    return limits(np.quantile(values, (0.01, 0.99)))
