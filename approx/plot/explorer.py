"""The explorer: one HTML file in which a reader looks at every setting and seed of a result."""

import importlib.util
import zlib
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from approx import stats
from approx.plot import explorer_functions as functions
from approx.plot import explorer_settings as settings
from approx.plot.cells import cell_edges
from approx.plot.explorer_functions import Lines, Planes
from approx.plot.series import check_made, readable
from approx.stats.kept import steps_kept
from approx.stats.labels import stage_of
from approx.stats.maps import check_axis, spaced_by_logarithm

MOST_BYTES = 5_000_000  # of a page: what most mail servers let pass
QUANTILES = (0.05, 0.5, 0.95)  # of what is judged, in the table of numbers


SIDES = {201: 41, 101: 31, 61: 21, 41: 15, 31: 11, 21: 9}  # by the points of functions of one input


class Level(NamedTuple):
    """How much detail a page has.

    Attributes:
        seeds: how many have functions and curves of their own, the first ones.
        points: at which a function is known.
        records: of a curve.
    """

    seeds: int
    points: int
    records: int

    @property
    def side(self) -> int:
        """Values of either input at which a function of two inputs is known."""
        return SIDES[self.points]


# The first level with which the page fits into MOST_BYTES is taken
ON_MAPS = (
    Level(8, 201, 80),
    Level(8, 101, 50),
    Level(8, 61, 30),
    Level(8, 41, 24),
    Level(8, 31, 18),
    Level(8, 21, 12),
)
IN_LISTS = (
    Level(512, 201, 80),
    Level(256, 201, 80),
    Level(128, 201, 80),
    Level(64, 201, 80),
    Level(32, 101, 50),
    *ON_MAPS,
)


def explore(
    runs: xr.Dataset,
    path: str | Path,
    *,
    below: float | None = None,
    above: float | None = None,
    of: str = "test_loss",
    output: int = 0,
    title: str | None = None,
) -> Path:
    """Write a page on which one can look into every setting and seed, as one HTML file.

    Where two numbers are swept, the page has a map of success rates. Whoever points at a cell, or
    walks there with the arrow keys, sees what its networks have learned: the functions of eight
    seeds, the band of all seeds, the target, the learning curves, what became of the seeds, and
    the numbers. A click keeps the cell. Where no two numbers are swept, the page has a list of the
    settings, if there are several, and a longer list of seeds. What is neither on the map nor a
    seed, such as the recipe, is chosen from a list. A slider moves the threshold of success.
    Functions of two inputs are drawn as colours, if their points are a grid (`ap.tasks.mesh`).

    The file needs no server and no network, and is at most 5 MB large, so that it can be mailed.
    Rates have the exact interval of `stats.rate`, and `stats.success` decides at each position of
    the slider which seeds succeed. Functions and curves are thinned until the page is small enough:
    points and records are then taken evenly, with the first and the last. The page says how many
    are left. Their values have the 11 significant bits of float16, and a loss has its logarithm in
    float16; the values in tables have all their digits.

    The page is made with Bokeh, which `pip install ".[explore]"` installs in a clone.

    Args:
        runs: what `ap.run` returned.
        path: the file to write; its folder is made.
        below: the threshold that the slider begins with, the largest value that is a success.
        above: the same for accuracies, the smallest value that is a success.
        of: the variable that is judged, at the last record.
        output: the number of the output whose function is drawn.
        title: of the page.

    Returns:
        The path of the file.

    Raises:
        ImportError: Bokeh is not installed.
        ValueError: not what `ap.run` returned; not exactly one threshold, or one for each setting;
            no seeds; more settings than the page has room for.

    Example:
        >>> runs = ap.run(task, recipe, learning_rate=rates, init_scale=scales)
        >>> ap.plot.explore(runs, "map.html", below=0.01)
    """
    check_made(runs, [], "plot.explore", 'runs, "page.html", below=0.01')
    check_runs(runs)
    check_bokeh()
    check_one_threshold(below, above)
    found = contents_of(runs, below, above, of, output, title)
    page = fitting(found)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


# ---- what cannot be shown ------------------------------------------------------------------------


def check_runs(runs: xr.Dataset) -> None:
    """Refuse hits and rates, which hold neither functions nor losses.

    Raises:
        ValueError: saying what to give instead.
    """
    given = stage_of(runs)
    if given != "runs":
        raise ValueError(
            f"plot.explore shows the runs themselves, and these are {given}: give it what ap.run "
            "returned, as in plot.explore(runs, 'page.html', below=0.01)"
        )


def check_bokeh() -> None:
    """Raise an ImportError that says how to install Bokeh, if it is not there."""
    if importlib.util.find_spec("bokeh") is None:
        raise ImportError(
            'plot.explore needs Bokeh: install it with pip install ".[explore]" in a clone, or '
            "with pip install bokeh"
        )


def check_one_threshold(below: Any, above: Any) -> None:
    """Refuse thresholds that are no single number, since one slider moves them all.

    Raises:
        ValueError: saying what was given.
    """
    for name, given in (("below", below), ("above", above)):
        if given is not None and np.ndim(given) > 0:
            raise ValueError(
                f"{name}= has {np.size(given)} thresholds, and the page has one slider: give one "
                "number, or select one setting at a time"
            )


# ---- what is shown -------------------------------------------------------------------------------


class Contents(NamedTuple):
    """Everything that a page shows, before functions and curves are thinned.

    Attributes:
        about: what is written as JSON: titles, axes, thresholds, intervals.
        arrays: by name, what is written as they are.
        functions: the learned functions of one input with their target, or those of two inputs, or
            None.
        curves: the learning curves, or None.
        levels: how much detail to try, one after the other.
    """

    about: dict[str, Any]
    arrays: dict[str, np.ndarray]
    functions: tuple[Lines, functions.Target] | Planes | None
    curves: Lines | None
    levels: tuple[Level, ...]


def contents_of(
    runs: xr.Dataset,
    below: float | None,
    above: float | None,
    of: str,
    output: int,
    title: str | None,
) -> Contents:
    """All that the page shows of a result."""
    hits = stats.success(runs, below=below, above=above, of=of)  # raises what is wrong with runs
    value = settings.judged_values(runs, of)
    if not value.sizes["seed"]:
        raise ValueError("there are no seeds to show: run with seeds=64, say")
    layout = settings.laid_out(value)
    slider = settings.slider_of(value.values, of, below, above)
    became = settings.became_of(runs, hits, layout)
    levels = different_levels(ON_MAPS if layout.on_map else IN_LISTS, value.sizes["seed"])
    most = Level(*(max(numbers) for numbers in zip(*levels, strict=True)))
    why = functions.why_no_functions(runs)
    drawn = None if why else drawn_functions(runs, layout, output, most)
    curves = functions.curves_of(runs, of, layout, most.seeds, most.records)
    final = layout.flat(value, "seed")
    middle = stats.quantiles(value.to_dataset(name=of), of=of, q=QUANTILES)[of]
    arrays = {
        "codes": settings.codes_of(value, slider, layout),
        "kinds": became.codes,
        "final": final[:, : most.seeds].astype(np.float32),
        "middle": layout.flat(middle, "quantile").astype(np.float32),
    }
    n = value.sizes["seed"]
    low, high = stats.binomial_interval(np.arange(n + 1), n)
    about = {
        "title": title or title_of(layout),
        "variable": of,
        "of": readable(of),
        "limit": slider.limit,
        "positions": slider.positions.tolist(),
        "first": slider.first,
        "n": n,
        "low": low.tolist(),
        "high": high.tolist(),
        "kinds": became.kinds,
        "note": became.note,
        "seeds": value.seed.values.tolist()[: most.seeds]
        if "seed" in value.coords
        else [*range(n)],
        "settings": layout.names,
        "axes": [axis_of(value, dim) for dim in layout.on_map],
        "why": why,
        "kept": kept_at(runs),
        "fingerprint": str(runs.attrs.get("fingerprint", ""))[:12],
    }
    return Contents(about, arrays, drawn, curves, levels)


def drawn_functions(
    runs: xr.Dataset, layout: settings.Layout, output: int, most: Level
) -> tuple[Lines, functions.Target] | Planes:
    """The learned functions of one or of two inputs, with the most detail that a page has."""
    if runs.x_test.sizes.get("input", 1) == 2:
        return functions.planes_of(runs, layout, output, most.seeds, most.side)
    return functions.functions_of(runs, layout, output, most.seeds, most.points)


def different_levels(levels: Sequence[Level], seeds: int) -> tuple[Level, ...]:
    """The levels of detail that differ where there are so many seeds."""
    bounded = [Level(min(each.seeds, seeds), each.points, each.records) for each in levels]
    return tuple(dict.fromkeys(bounded))


def seeds_of(value: xr.DataArray) -> list[int]:
    """The seeds, or their numbers where they have no names."""
    if "seed" in value.coords:
        return value.seed.values.tolist()
    return list(range(value.sizes["seed"]))


def title_of(layout: settings.Layout) -> str:
    """A title for a page that was given none."""
    if layout.on_map:
        vertical, horizontal = map(readable, layout.on_map)
        return f"Success over {vertical} and {horizontal}"
    if len(layout.names) > 1:
        return f"{len(layout.names)} settings, seed by seed"
    return "Seed by seed"


def axis_of(value: xr.DataArray, dim: str) -> dict[str, Any]:
    """An axis of the map: its name, its values, and the edges of its cells."""
    numbers = np.asarray(value[dim], float)
    check_axis(dim, numbers)
    return {
        "name": readable(dim),
        "values": numbers.tolist(),
        "texts": settings.axis_texts(value, dim),
        "edges": cell_edges(numbers).tolist(),
        "log": bool(spaced_by_logarithm(numbers)),
    }


def kept_at(runs: xr.Dataset) -> int | None:
    """The step of the predictions, if it is known and is not that of the last record."""
    kept = steps_kept(runs)
    if not kept.size or "step" not in runs.coords or runs.step.ndim > 1:
        return None
    step = int(kept[-1])
    last = int(np.atleast_1d(runs.step.values)[-1])
    return None if step == last else step


# ---- the page ------------------------------------------------------------------------------------


def fitting(found: Contents) -> str:
    """The page with the most detail that it has room for.

    Raises:
        ValueError: not even the least detail fits.
    """
    # Imported here, since Bokeh is optional
    from approx.plot.explorer_page import page_of

    size = 0
    for level in found.levels:
        about, arrays = thinned(found, level)
        text = page_of(about, {name: packed(array) for name, array in arrays.items()})
        size = len(text.encode())
        if size <= MOST_BYTES:
            return text
    settings_there = len(found.arrays["final"])
    raise ValueError(
        f"a page of {settings_there:,} settings needs {size / 1e6:.1f} MB even with little detail, "
        f"and may have {MOST_BYTES / 1e6:g} MB: give it a part, such as every second value of an "
        "axis, runs.isel(learning_rate=slice(None, None, 2))"
    )


def thinned(found: Contents, level: Level) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the page says and its arrays, with the detail of a level."""
    seeds, points, records = level
    about = dict(found.about)
    arrays = dict(found.arrays)
    about["seeds"] = about["seeds"][:seeds]
    arrays["final"] = arrays["final"][:, :seeds]
    about["functions"] = about["plane"] = None
    if isinstance(found.functions, Planes):
        about["plane"] = put_planes(found.functions, level, arrays)
    elif found.functions is not None:
        about["functions"] = put_functions(*found.functions, seeds, points, arrays)
    about["curves"] = None
    if found.curves is not None:
        about["curves"] = put_curves(found.curves, seeds, records, found.about["variable"], arrays)
    return about, arrays


def put_functions(
    lines: Lines, target: functions.Target, seeds: int, points: int, arrays: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Add the functions to the arrays, and return what the page says of them."""
    places = functions.evenly(lines.x.shape[-1], points)
    less = lines.thinned(seeds, points)
    y = target.y[..., places]
    low, high = functions.middle_limits(lines.bands)
    if np.isfinite(y).any():
        low, high = functions.limits(target.y)
    arrays["x"] = less.x.astype(np.float32)
    arrays["target"] = y.astype(np.float32)
    arrays["shown"] = target.shown.astype(np.float32)
    arrays["function"] = halves(less.seeds)
    arrays["function_band"] = halves(less.bands)
    return {
        "points": less.x.shape[-1],
        "whole": lines.whole,
        "x": [float(np.nanmin(lines.x)), float(np.nanmax(lines.x))],
        "y": [low, high],
        "own_x": lines.x.ndim > 1,
    }


def put_planes(planes: Planes, level: Level, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Add functions of two inputs to the arrays, and return what the page says of them."""
    less = planes.thinned(level.seeds, level.side)
    arrays["plane"] = halves(less.seeds)
    arrays["plane_middle"] = halves(less.middle)
    return {
        "names": [readable(name) for name in less.names],
        "ends": [[float(axis[0]), float(axis[-1])] for axis in less.axes],
        "limits": list(functions.middle_limits(planes.middle)),
        "shape": list(less.middle.shape[1:]),
        "whole": [axis.size for axis in planes.axes],
    }


def put_curves(
    lines: Lines, seeds: int, records: int, of: str, arrays: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Add the learning curves to the arrays, and return what the page says of them."""
    log = functions.is_logarithmic(lines.bands, of)
    less = lines.thinned(seeds, records)
    if log:
        less = functions.logarithms(less)
    low, high = functions.limits(less.bands[np.abs(less.bands) < functions.LARGEST])
    arrays["step"] = less.x.astype(np.float32)
    arrays["curve"] = halves(less.seeds)
    arrays["curve_band"] = halves(less.bands)
    return {
        "records": less.x.size,
        "whole": lines.whole,
        "log": log,
        "y": [low, high],
        "right": float(functions.step_places(less.x[-1])),
    }


def halves(values: np.ndarray) -> np.ndarray:
    """Values as float16; beyond its range they are infinite."""
    with np.errstate(over="ignore"):
        return values.astype(np.float16)


def packed(array: np.ndarray) -> dict[str, Any]:
    """An array as text: its bytes by place, first the first byte of all entries, compressed.

    Neighbours in a list of numbers have similar first bytes, so these are compressed well.
    """
    plain = np.ascontiguousarray(array)
    little = plain.astype(plain.dtype.newbyteorder("<"), copy=False)
    planes = little.view(np.uint8).reshape(-1, plain.itemsize).T
    data = zlib.compress(planes.tobytes(), 9)
    return {
        "kind": plain.dtype.name,
        "shape": list(plain.shape),
        "data": b64encode(data).decode(),
    }
