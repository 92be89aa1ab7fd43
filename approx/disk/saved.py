"""Results kept: `save` one to a file, `load` a file or a folder of a sweep."""

import warnings
from pathlib import Path

import xarray as xr

from approx.disk.assemble import assemble, say_unchecked
from approx.disk.files import (
    FORMAT,
    DamagedError,
    UnreadableError,
    _told,
    check_format,
    make_folder,
    open_netcdf,
    write_netcdf,
)
from approx.disk.folders import recipes
from approx.sweep import results


def save(runs: xr.Dataset, path: str | Path) -> Path:
    """Write a result to one netCDF file, atomically: after a crash there is the old file or the new
    one, never half.

    The file is made in memory first, so that twice the result's size is needed for a moment.

    Args:
        runs: what `run` gave.
        path: a file; ".nc" is appended if it has no suffix. Its folder is made if the folder around
            that exists.

    Returns:
        The path of the file.

    Raises:
        ValueError: `runs` has no identity, so could never be trusted again; or `path` names a
            folder.
        FileNotFoundError: the folder around the file's own does not exist.
        NotADirectoryError: `path` leads through a file.
        OSError: the disk is full, or may not be written to; what stood at `path` is still there.

    Example:
        >>> ap.save(runs, "results/hat.nc")
        PosixPath('results/hat.nc')

    """
    if "identity" not in runs.attrs:
        raise ValueError(
            "this Dataset has no identity: only what ap.run gave can be saved as a result"
        )
    if str(path).endswith("/") or Path(path).is_dir():
        raise ValueError(
            f"{path} is a folder, and a result is saved as a file: say {Path(path) / 'name.nc'}"
        )
    path = Path(path)
    path = path if path.suffix else path.with_suffix(".nc")
    if path.is_dir():
        raise ValueError(
            f"{path} is a folder, and a result is saved as a file: say {path / 'name.nc'}"
        )
    make_folder(path.parent)
    write_netcdf(path, runs.assign_attrs(approx_format=FORMAT))
    return path


def load_file(path: str | Path) -> xr.Dataset:
    """Read a result, whole, into memory; every byte of the file is checked.

    A file of an earlier version has no checksum, so that damage to it is not seen: it is read with
    a warning, the first one of its folder.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file that is damaged, that is not a result, or that has a newer format than
            this version's.

    """
    path = Path(path)
    path = path if path.suffix else path.with_suffix(".nc")
    if not path.exists():
        raise FileNotFoundError(f"no result at {path}: run the experiment that writes it first")
    try:
        with open_netcdf(path) as (opened, sealed):
            runs = opened.load()
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
    check_format(path, written, sealed)
    if not sealed and path.absolute().parent not in _told:
        _told.add(path.absolute().parent)
        warnings.warn(
            f"{path} has no checksum, like others of an earlier version: ap.save(ap.load(path), path) adds one",
            stacklevel=3,
        )
    return runs


def load(path: str | Path, lazy: bool = False, partial: bool = False) -> xr.Dataset:
    """Read a result: a file that `save` wrote, or a folder that `run(out=...)` wrote.

    Every byte that a number comes from is checked when it is read. With `lazy`, all files are
    checked at once, without keeping their contents, and each again when an array of it is used.

    Args:
        path: the file, or the folder; of a folder of several recipes, all of them.
        lazy: of a folder, arrays that are read when they are used (needs dask: `pip install
            ".[cluster]"` in a clone).
        partial: of a folder of an unfinished sweep, only the seeds that are finished in all cells.

    Raises:
        FileNotFoundError: no such result.
        ValueError: not a result; damaged, saying which file and what to do; an unfinished sweep.

    Example:
        >>> runs = ap.load("results/hat.nc")
    """
    path = Path(path)
    if not path.is_dir():
        return load_file(path)
    folders = recipes(path)
    for folder in folders.values():
        say_unchecked(folder)
    return results.join(
        {label: assemble(folder, None, lazy, partial) for label, folder in folders.items()}
    )
