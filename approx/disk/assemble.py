"""A sweep read from its folder onto its axes, into memory at once or when it is used."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from approx.disk.chunks import INPUTS, paths, read_chunk
from approx.disk.description import axes_of, read_coordinates, read_sweep
from approx.disk.places import (
    Axes,
    Survey,
    Surveyor,
    finished_everywhere,
    of_seeds,
    survey,
)
from approx.late_imports import xarray as xr
from approx.sweep import provenance, results


def warn_if_unchecked(folder: Path) -> None:
    """Warn of a sweep of an earlier version: damage to some of its files cannot be seen."""
    if read_sweep(folder)["format"] < 2:
        warnings.warn(
            f"{folder} was written by an earlier version: sweep.json and coordinates.nc have no "
            "checksum, so damage to them would not be seen; the same command again adds them",
            stacklevel=3,
        )


def assemble(
    folder: Path, axes: Axes | None = None, lazy: bool = False, partial: bool = False
) -> xr.Dataset:
    """Read all trainings of a folder onto their axes.

    Args:
        folder: that of the sweep.
        axes: names and values of the axes; by default all values that were ever asked for, in
            increasing order.
        lazy: whether arrays are read when they are used.
        partial: whether only the seeds that are finished in all cells are read, if trainings are
            missing.

    Raises:
        ValueError: trainings are missing, or a file is damaged.
    """
    sweep = read_sweep(folder)
    points = read_coordinates(folder, sweep["sources"])
    if axes is None:
        axes = axes_of(sweep)
    chunks = paths(folder)
    if lazy or partial:
        found = survey(chunks, sweep["sources"], axes)
        if partial and is_unfinished(found):
            axes, found = of_finished_seeds(folder, axes, found)
    if not lazy:
        variables, found = read_now(chunks, sweep["sources"], axes)
    if is_unfinished(found):
        raise unfinished(folder, found)
    if lazy:
        variables = read_lazily(chunks, sweep["sources"], axes, found)
    coordinates: dict[Any, Any] = {axis: (axis, values) for axis, values in axes.items()}
    coordinates |= dict(points_on(folder, points, axes).coords)
    source = whole_source(sweep, axes, found.numbers)
    attributes = {
        **provenance.marks(source),
        "created": sweep["created"],
        **sweep["attributes"],
    }
    return results.finished(xr.Dataset(variables, coordinates, attributes))


def points_on(folder: Path, points: xr.Dataset, axes: Axes) -> xr.Dataset:
    """The coordinates of a sweep at some of the values of its axes.

    Raises:
        ValueError: the coordinates do not have all of these values.
    """
    wanted = {axis: values for axis, values in axes.items() if axis in points.dims}
    try:
        return points.sel(wanted)
    except KeyError as error:
        raise ValueError(
            f"{folder / 'coordinates.nc'} is of another sweep: it has no {error}"
        ) from None


def is_unfinished(found: Survey) -> bool:
    """Whether a folder lacks trainings."""
    return bool((found.place < 0).any())


def unfinished(folder: Path, found: Survey) -> ValueError:
    """The error that a folder lacks trainings, with their numbers."""
    there, asked = int((found.place >= 0).sum()), found.place.size
    return ValueError(
        f"{folder} has {there:,} of {asked:,} trainings: the same command again goes on with it; "
        "partial=True loads those seeds that are finished everywhere"
    )


def of_finished_seeds(folder: Path, axes: Axes, found: Survey) -> tuple[Axes, Survey]:
    """The axes and the survey of those seeds that are finished in all cells.

    Raises:
        ValueError: there are none.
    """
    seeds = finished_everywhere(found)
    if not seeds.any():
        raise unfinished(folder, found)
    return dict(axes) | {"seed": axes["seed"][seeds]}, of_seeds(found, seeds)


# ---- the variables -------------------------------------------------------------------------------


def measured(part: xr.Dataset, axes: Axes) -> list[str]:
    """Names of a chunk's variables that were measured: neither axes nor inputs."""
    return [str(name) for name in part.variables if name not in (*axes, *INPUTS)]


def read_now(chunks: list[Path], sources: Mapping, axes: Axes) -> tuple[dict[str, Any], Survey]:
    """Read every variable into memory, and find out where all trainings are.

    Two chunks are in memory besides, one of them being read. The values of trainings that the
    folder lacks are undefined: the caller sees in the survey which these are.

    Args:
        chunks: their files.
        sources: those of the sweep, by name.
        axes: names and values of the axes.

    Raises:
        ValueError: as `survey`.
    """
    shape = tuple(map(len, axes.values()))
    surveyor = Surveyor(axes)
    found: dict[str, Any] = {}
    parts = read_ahead(lambda path: read_chunk(path, sources), chunks)
    for path, part in zip(chunks, parts, strict=True):
        at, inside = surveyor.add(path, part)
        where = as_slice(np.ravel_multi_index(at, shape))
        for name in measured(part, axes):
            variable = part[name].variable
            dims = (*axes, *(dim for dim in variable.dims if dim != "training"))
            if "training" not in variable.dims:  # the same for all trainings
                values = np.broadcast_to(variable.values, (*shape, *variable.shape))
                found[name] = (dims, values, variable.attrs)
                continue
            of_one = variable.shape[1:]
            if name not in found:
                values = np.empty((*shape, *of_one), variable.dtype)
                found[name] = (dims, values, variable.attrs)
            own = variable.values
            if not inside.all():
                own = own[inside]
            _, values, _ = found[name]
            values.reshape(-1, *of_one)[where] = own
    return found, surveyor.result()


def as_slice(places: np.ndarray) -> np.ndarray | slice:
    """Places as a slice, if they are consecutive: numpy copies to a slice faster."""
    if len(places) and (np.diff(places) == 1).all():
        return slice(places[0], places[0] + len(places))
    return places


def read_ahead(read: Callable[[Path], xr.Dataset], chunks: Iterable[Path]) -> Iterator[xr.Dataset]:
    """What is read from each file, while a thread reads the next one."""
    waiting: list[Future] = []
    with ThreadPoolExecutor(1) as pool:
        for path in chunks:
            waiting.append(pool.submit(read, path))
            if len(waiting) == 2:
                yield waiting.pop(0).result()
        for last in waiting:
            yield last.result()


def read_lazily(chunks: list[Path], sources: Mapping, axes: Axes, where: Survey) -> dict[str, Any]:
    """Every variable as an array of Dask's: a chunk is read and checked when it is needed.

    Args:
        chunks: their files.
        sources: those of the sweep, by name.
        axes: names and values of the axes.
        where: the places of all trainings.
    """
    try:
        import dask
        import dask.array as da
    except ImportError as error:
        raise ImportError(
            'lazy=True needs dask: pip install ".[cluster]" in a clone of approx, or load it whole'
        ) from error
    shape, order = where.place.shape, where.place.ravel()
    stored_in_order = np.array_equal(order, np.arange(sum(where.counts)))
    parts = [dask.delayed(read_chunk)(path, sources) for path in chunks]
    first = read_chunk(chunks[0], sources)
    found: dict[str, Any] = {}
    for name in measured(first, axes):
        like = first[name].variable
        if "training" not in like.dims:  # the same for all trainings
            values = da.broadcast_to(da.from_array(like.values), (*shape, *like.shape))
            found[name] = ((*axes, *like.dims), values, like.attrs)
            continue
        of_one = like.shape[1:]
        blocks = []
        for part, count in zip(parts, where.counts, strict=True):
            blocks.append(da.from_delayed(part[name].data, (count, *of_one), like.dtype))
        values = da.concatenate(blocks)
        if not stored_in_order:
            values = values[order]
        values = values.reshape(*shape, *of_one)
        found[name] = ((*axes, *like.dims[1:]), values, like.attrs)
    return found


# ---- the provenance ------------------------------------------------------------------------------


def whole_source(sweep: Mapping[str, Any], axes: Axes, numbers: np.ndarray) -> dict[str, Any]:
    """The provenance that the same run in memory would have.

    If trainings of other programs or inputs were accepted, their sources stand in it too.

    Args:
        sweep: what `read_sweep` gave.
        axes: names and values of the axes.
        numbers: on the axes and one more, the numbers that each training was made with.
    """
    *others, last = sweep["sources"].values()
    crossed = {f"{stream}_seed": stream for stream in sweep["crossed"]}
    grid = {}
    first: list[Any] = []  # takes all values of the grid's axes, and the first of the seeds' axes
    for axis, values in axes.items():
        if axis in crossed or axis == "seed":
            first.append(0)
        else:
            grid[axis] = values.tolist()
            first.append(slice(None))
    chosen = numbers[tuple(first)]
    cells = chosen.reshape(math.prod(chosen.shape[:-1]), chosen.shape[-1])
    which = {
        "grid": grid,
        "seeds": provenance.describe_seeds(axes["seed"]),
        "cross": {
            stream: provenance.describe_seeds(axes[axis]) for axis, stream in crossed.items()
        },
        "table": provenance.digest(cells),
    }
    every = {**last, **which}
    source = {entry: every[entry] for entry in sweep["entries"]}
    if others:
        source["accepted"] = others
    return source
