"""A sweep read from its folder, in memory or lazily."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from approx.disk.chunks import INPUTS, paths, read_chunk, read_index
from approx.disk.folders import axes_of, read_coordinates, read_sweep
from approx.sweep import provenance, results
from approx.sweep.provenance import WHICH


def say_unchecked(folder: Path) -> None:
    """Say of a sweep of an earlier version that damage to some of its files cannot be seen."""
    if read_sweep(folder)["format"] < 2:
        warnings.warn(
            f"{folder} was written by an earlier version: sweep.json and coordinates.nc have no checksum, so damage "
            "to them would not be seen; the same command again adds them",
            stacklevel=3,
        )


def assemble(
    folder: Path,
    axes: Mapping[str, np.ndarray] | None = None,
    lazy: bool = False,
    partial: bool = False,
) -> xr.Dataset:
    """All trainings of a folder on their axes, by default all that was ever asked for, in
    increasing order.
    """
    sweep, files = read_sweep(folder), paths(folder)
    points = read_coordinates(folder, sweep["sources"])
    axes = axes_of(sweep) if axes is None else dict(axes)
    place, numbers, counts = survey(files, sweep["sources"], axes)
    if (place < 0).any():
        here, whole = int((place >= 0).sum()), place.size
        axes, place, numbers = (
            restrict(axes, place, numbers) if partial else (axes, place[..., :0], numbers)
        )
        if not place.size:
            raise ValueError(
                f"{folder} has {here:,} of {whole:,} trainings: the same command again goes on with it; "
                "partial=True loads those seeds that are finished everywhere"
            )
    if lazy:
        variables = read_lazily(files, sweep["sources"], axes, place, counts)
    else:
        variables = read_now(files, sweep["sources"], axes, place)
    try:
        points = points.sel({axis: values for axis, values in axes.items() if axis in points.dims})
    except KeyError as error:
        raise ValueError(
            f"{folder / 'coordinates.nc'} is of another sweep: it has no {error}"
        ) from None
    source = whole_source(sweep, axes, numbers)
    attributes = {
        "identity": provenance.identity(source),
        "provenance": json.dumps(source),
        "created": sweep["created"],
    }
    named = {axis: (axis, values) for axis, values in axes.items()}
    return results.finished(
        xr.Dataset(variables, named | dict(points.coords), attributes | sweep["attributes"])
    )


def positions(
    axes: Mapping[str, np.ndarray], part: xr.Dataset
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Where a chunk's trainings stand on the axes, and which of them do."""
    inside, found = np.ones(part.sizes["training"], bool), []
    for axis, values in axes.items():
        order = np.argsort(values, kind="stable")
        at = order[
            np.searchsorted(values, part[axis].values, sorter=order).clip(max=len(values) - 1)
        ]
        inside &= values[at] == part[axis].values
        found.append(at)
    return tuple(at[inside] for at in found), inside


def survey(
    files: list[Path], sources: Mapping[str, Any], axes: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Which of all stored trainings stands where, -1 for none, the numbers it was made with, and
    each file's count.
    """
    shape = tuple(map(len, axes.values()))
    place, numbers = np.full(shape, -1, np.int64), np.zeros((*shape, 0))
    counts: list[int] = []
    for path in files:
        part = read_index(path, sources)
        at, inside = positions(axes, part)
        if (place[at] >= 0).any():
            raise ValueError(
                f"{path} holds trainings that another chunk has too, made with other inputs: choose one"
            )
        place[at] = sum(counts) + np.flatnonzero(inside)
        counts.append(len(inside))
        own = part[INPUTS[0]].values[inside]
        numbers = numbers if numbers.shape[-1] else np.zeros((*shape, own.shape[1]), own.dtype)
        numbers[at] = own
    return place, numbers, counts


def restrict(
    axes: Mapping[str, np.ndarray], place: np.ndarray, numbers: np.ndarray
) -> tuple[dict, Any, Any]:
    """The seeds, the last axis, that are there in all cells."""
    whole = (place >= 0).all(tuple(range(place.ndim - 1)))
    return dict(axes) | {"seed": axes["seed"][whole]}, place[..., whole], numbers[..., whole, :]


def read_now(
    files: list[Path], sources: Mapping, axes: Mapping[str, np.ndarray], place: np.ndarray
) -> dict[str, Any]:
    """Every variable, in memory; two chunks are there besides, one of them being read."""
    found: dict[str, Any] = {}
    for part in ahead(lambda path: read_chunk(path, sources), files):
        at, inside = positions(axes, part)
        flat = np.ravel_multi_index(at, place.shape)
        where = (
            slice(flat[0], flat[0] + len(flat))
            if len(flat) and (np.diff(flat) == 1).all()
            else flat
        )
        for name in kept(part, axes):
            values = part[name]
            dims = (*axes, *(dim for dim in values.dims if dim != "training"))
            if "training" not in values.dims:
                found[name] = (
                    dims,
                    np.broadcast_to(values.values, (*place.shape, *values.shape)),
                    values.attrs,
                )
                continue
            if name not in found:
                found[name] = (
                    dims,
                    np.empty((*place.shape, *values.shape[1:]), values.dtype),
                    values.attrs,
                )
            whole = found[name][1].reshape(-1, *values.shape[1:])
            whole[where] = values.values if inside.all() else values.values[inside]
    return found


def ahead(read: Callable[[Path], xr.Dataset], files: list[Path]) -> Iterator[xr.Dataset]:
    """What is read from each file, the next one already under way."""
    with ThreadPoolExecutor(1) as pool:
        coming = [pool.submit(read, path) for path in files[:1]]
        for path in [*files[1:], None]:
            part = coming.pop().result() if coming else None
            if path is not None:
                coming.append(pool.submit(read, path))
            if part is not None:
                yield part


def kept(part: xr.Dataset, axes: Mapping[str, np.ndarray]) -> list[str]:
    """Names of what was measured."""
    return [str(name) for name in part.variables if name not in (*axes, *INPUTS)]


def read_lazily(
    files: list[Path],
    sources: Mapping,
    axes: Mapping[str, np.ndarray],
    place: np.ndarray,
    counts: list[int],
) -> dict[str, Any]:
    """Every variable, as an array of dask's: a chunk is read, and checked, when it is needed."""
    try:
        import dask
        import dask.array as da
    except ImportError as error:
        raise ImportError(
            'lazy=True needs dask: pip install ".[cluster]" in a clone of approx, or load it whole'
        ) from error
    first = read_chunk(files[0], sources)
    shapes = {name: first[name].variable for name in kept(first, axes)}
    parts = [dask.delayed(read_chunk)(path, sources) for path in files]
    found: dict[str, Any] = {}
    for name, like in shapes.items():
        if "training" not in like.dims:
            values = da.broadcast_to(da.from_array(like.values), (*place.shape, *like.shape))
            found[name] = ((*axes, *like.dims), values, like.attrs)
            continue
        blocks = [
            da.from_delayed(part[name].data, (many, *like.shape[1:]), like.dtype)
            for part, many in zip(parts, counts, strict=True)
        ]
        values = da.concatenate(blocks)
        order = place.ravel()
        values = values if np.array_equal(order, np.arange(len(values))) else values[order]
        found[name] = (
            (*axes, *like.dims[1:]),
            values.reshape(*place.shape, *like.shape[1:]),
            like.attrs,
        )
    return found


def whole_source(
    sweep: Mapping[str, Any], axes: Mapping[str, np.ndarray], numbers: np.ndarray
) -> dict[str, Any]:
    """The provenance that a run in memory would have; with all sources, if others were accepted."""
    *others, last = sweep["sources"].values()
    crossed = {f"{name}_seed": name for name in sweep["crossed"]}
    cells = numbers[
        (*(slice(None) if axis not in (*crossed, "seed") else 0 for axis in axes), slice(None))
    ]
    which = {
        "grid": {
            axis: values.tolist() for axis, values in axes.items() if axis not in (*crossed, "seed")
        },
        "seeds": provenance.describe_seeds(axes["seed"]),
        "cross": {name: provenance.describe_seeds(axes[axis]) for axis, name in crossed.items()},
        "table": provenance.digest(cells.reshape(-1, numbers.shape[-1])),
    }
    source = {entry: which[entry] if entry in WHICH else last[entry] for entry in sweep["entries"]}
    return source | ({"accepted": others} if others else {})
