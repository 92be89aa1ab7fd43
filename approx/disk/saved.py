"""Results kept: `save` writes one to a file, `load` reads a file or a sweep's folder."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np

from approx.disk.assemble import assemble, warn_if_unchecked
from approx.disk.files import (
    FORMAT,
    UnreadableError,
    check_format,
    make_folder,
    open_netcdf,
    write_netcdf,
)
from approx.disk.labelled import read_axes, recipes
from approx.disk.seals import DamagedError
from approx.late_imports import xarray as xr
from approx.sweep import results

# Attribute of a variable that is stored once: the axes that it lacks, with their lengths, as JSON
SAME_OVER = "same_over"

# Folders for which a warning has said that a file in them has no checksum
_warned_of: set[Path] = set()


def with_suffix(path: str | Path) -> Path:
    """The path, with ".nc" at its end if it has no suffix."""
    path = Path(path)
    if path.suffix:
        return path
    return path.with_suffix(".nc")


def save(runs: xr.Dataset, path: str | Path) -> Path:
    """Write a result to one netCDF file, whole or not at all.

    After a crash there is the old file or the new one, never half of one.

    A variable that is the same along its first axes, such as the `evaluations` of SGD, is written
    without these axes. `load` gives them back; other programs that read the file see it without.

    Args:
        runs: what `run` gave.
        path: a file; ".nc" is appended if it has no suffix. Its folder is made if the folder around
            that exists.

    Returns:
        The path of the file.

    Raises:
        ValueError: `runs` has no fingerprint, so could never be trusted again; or `path` names a
            folder.
        FileNotFoundError: the folder around the file's own does not exist.
        NotADirectoryError: `path` leads through a file.
        OSError: the disk is full, or may not be written to; what stood at `path` is still there.

    Example:
        >>> ap.save(runs, "results/hat.nc")
        PosixPath('results/hat.nc')

    """
    if "fingerprint" not in runs.attrs:
        raise ValueError(
            "this Dataset has no fingerprint: only what ap.run gave can be saved as a result"
        )
    if str(path).endswith("/"):
        raise not_a_file(path)
    for each in (Path(path), with_suffix(path)):
        if each.is_dir():
            raise not_a_file(each)
    path = with_suffix(path)
    make_folder(path.parent)
    write_netcdf(path, stored_once(runs).assign_attrs(approx_format=FORMAT))
    return path


def stored_once(runs: xr.Dataset) -> xr.Dataset:
    """The result, with every variable that repeats one array along its first axes stored once.

    The `evaluations` of first-order methods are such a variable: the file is smaller without the
    repetitions, and so is the memory in which it is written. The variable loses those axes, and its
    attribute `same_over` names them with their lengths.
    """
    found = {}
    for name, variable in runs.data_vars.variables.items():
        values = variable.data
        strides = values.strides if isinstance(values, np.ndarray) else ()
        repeated = next((axis for axis, stride in enumerate(strides) if stride), len(strides))
        if values.size and repeated:
            lacking = dict(zip(variable.dims[:repeated], values.shape[:repeated], strict=True))
            attrs = variable.attrs | {SAME_OVER: json.dumps(lacking)}
            found[name] = (variable.dims[repeated:], values[(0,) * repeated], attrs)
    return runs.assign(found)


def with_all_axes(runs: xr.Dataset) -> xr.Dataset:
    """The result that `stored_once` was given."""
    found = {}
    for name, variable in runs.data_vars.variables.items():
        attrs = dict(variable.attrs)
        lacking = json.loads(attrs.pop(SAME_OVER, "{}"))
        if lacking:
            values = np.broadcast_to(variable.values, (*lacking.values(), *variable.shape))
            found[name] = ((*lacking, *variable.dims), values, attrs)
    return runs.assign(found)


def not_a_file(path: str | Path) -> ValueError:
    """The error of saving a result to a folder."""
    return ValueError(
        f"{path} is a folder, and a result is saved as a file: say {Path(path) / 'name.nc'}"
    )


def load(path: str | Path, lazy: bool = False, partial: bool = False) -> xr.Dataset:
    """Read a result: a file that `save` wrote, or a folder that `run(out=...)` wrote.

    Every byte that a number comes from is checked when it is read. With `lazy`, all files are
    checked at once, without keeping their contents, and each again when an array of it is used.

    Args:
        path: the file, or the folder; of a folder of several recipes, all of them are read.
        lazy: for a folder, whether arrays are read when they are used. This needs dask
            (`pip install ".[cluster]"` in a clone).
        partial: for a folder of an unfinished sweep, whether only the seeds are read that are
            finished in all cells.

    Raises:
        FileNotFoundError: there is no such result.
        ValueError: the path is not a result; a file is damaged, and the error says which and what
            to do; or the sweep is unfinished.

    Example:
        >>> runs = ap.load("results/hat.nc")
    """
    path = Path(path)
    if not path.is_dir():
        return load_file(path)
    folders = recipes(path)
    for folder in folders.values():
        warn_if_unchecked(folder)
    loaded = {}
    for label, folder in folders.items():
        loaded[label] = assemble(folder, None, lazy, partial)
    labelled = [*loaded] != [None]
    return results.join([*loaded.values()], [*loaded], labelled, read_axes(path))


def missing(path: Path) -> str:
    """What an error says of a result that is not there."""
    there = "ap.save writes a file, and ap.run(..., out=...) writes a folder"
    return f"there is no result at {path}: {there}; if a script writes it, run that first"


def load_file(path: str | Path) -> xr.Dataset:
    """Read a result from one file, whole, into memory. Every byte of the file is checked.

    A file of an earlier version has no checksum, so that damage to it is not seen. Such a file is
    read with a warning, which comes once for each folder.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, is not a result, or has a newer format than this version's.

    """
    path = with_suffix(path)
    if not path.exists():
        raise FileNotFoundError(missing(path))
    try:
        with open_netcdf(path) as (opened, sealed):
            runs = with_all_axes(opened.load())
    except UnreadableError as error:
        raise UnreadableError(
            f"{path} is not a result: it cannot be read as netCDF ({error.__cause__})"
        ) from error
    except DamagedError as error:
        raise DamagedError(
            f"{error}: take a copy of it, or run the experiment that writes it again"
        ) from None
    written = runs.attrs.pop("approx_format", None)
    if written is None or "identity" not in runs.attrs:
        raise ValueError(f"{path} is not a result: it is netCDF, but ap.save did not write it")
    runs.attrs.setdefault("fingerprint", runs.attrs["identity"])  # the name before it was changed
    check_format(path, written, sealed)
    folder = path.absolute().parent
    if not sealed and folder not in _warned_of:
        _warned_of.add(folder)
        warnings.warn(
            f"{path} has no checksum, like others of an earlier version: "
            "ap.save(ap.load(path), path) adds one",
            stacklevel=3,
        )
    return runs
