"""Whole files: each is written under another name and renamed, with a checksum of what it holds.

After a crash there is the old file or the new one, never half of one. A netCDF file ends with a
seal (see `seals`); a JSON file holds a digest of its entries as one more entry.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from approx.disk.hdf5_files import FileForHDF5
from approx.disk.seals import DamagedError, is_sealed, make_seal
from approx.late_imports import xarray as xr
from approx.sweep.provenance import fingerprint

# The format of the netCDF files that `save` writes. A reader refuses newer ones. Files of format 1
# have no seal; since format 3 what is the same over some axes is stored once.
FORMAT = 3


class UnreadableError(DamagedError):
    """A file cannot be read as what its name says that it is."""


# ---- writing -------------------------------------------------------------------------------------


def make_folder(folder: Path) -> None:
    """Make a folder if the folder around it exists.

    If several folders of a path are missing, the path is more likely mistyped than meant.

    Raises:
        FileNotFoundError: the folder around it does not exist, or is the root of all files.
        NotADirectoryError: the path is that of a file, or leads through a file.
        OSError: the name is too long, or the folder may not be made.
    """
    folder = folder.absolute()
    for each in (folder, *folder.parents):
        if os.path.lexists(each) and not each.is_dir():
            raise NotADirectoryError(f"{each} is not a folder: choose another place than {folder}")
    if folder.is_dir():
        return
    in_root = folder.parent == folder.parent.parent
    if in_root or not folder.parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {missing_part(folder)}: make it first, or correct the path"
        )
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise type(error)(
            error.errno, f"the folder cannot be made ({error.strerror})", str(folder)
        ) from None


def missing_part(folder: Path) -> Path:
    """The outermost folder of a path that does not exist."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    return missing[-1]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file to write to, and let it take the place of `path` at the end.

    If anything goes wrong, the temporary file is deleted and `path` stays as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have the operating system put the contents of a file or of a folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(path: Path, content: bytes | memoryview) -> None:
    """Write a file whole, or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_sealed(path: Path, content: bytes | memoryview) -> None:
    """Write a file whole, or not at all, with the seal behind the content."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(content)
        file.write(make_seal(content))


# ---- netCDF --------------------------------------------------------------------------------------


def write_netcdf(path: Path, content: xr.Dataset) -> None:
    """Write a Dataset as a netCDF file with a seal; whole, or not at all.

    Raises:
        OSError: the disk has no room, or takes no more for another reason.
    """
    if shutil.disk_usage(path.parent).free < content.nbytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    with replacing(path) as temporary, FileForHDF5(temporary) as file:
        with locks_of_this_process():
            content.drop_encoding().to_netcdf(file, engine="h5netcdf", format="NETCDF4")
        file.end()


@contextmanager
def locks_of_this_process() -> Iterator[None]:
    """Keep xarray from asking Dask's scheduler for a lock.

    xarray does so in a process that has a Dask client. The lock would be named after the file, but
    a file that is made in memory has no name, and a RuntimeError is raised (by xarray 2026.9.0 with
    distributed 2026.8.0).
    """
    if "dask" not in sys.modules:
        yield
        return
    import dask

    with dask.config.set(scheduler="threads"):
        yield


@contextmanager
def open_netcdf(path: Path) -> Iterator[tuple[xr.Dataset, bool]]:
    """Open a netCDF file, after all of its bytes have been checked by its seal.

    HDF5 sees no byte before that, as it may never come back from damaged ones.

    Yields:
        The Dataset, to be read from while the file is open, and whether the file has a seal.

    Raises:
        DamagedError: the seal does not fit.
        UnreadableError: anything goes wrong while the contents are read.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        sealed = is_sealed(file, path)
        try:
            with xr.open_dataset(file, engine="h5netcdf") as opened:
                yield opened, sealed
        except (DamagedError, MemoryError):
            raise
        except Exception as error:
            raise UnreadableError(
                f"{path} is damaged, it cannot be read as netCDF ({error})"
            ) from error


def check_format(path: Path, written: Any, sealed: bool, newest: int = FORMAT) -> None:
    """Refuse a netCDF file of a newer format, and a file that has lost its seal.

    Args:
        path: the file's path, for the error.
        written: the format that the file says it has.
        sealed: whether the file has a seal.
        newest: the format that this version writes.

    Raises:
        ValueError: the format is newer than this version's.
        DamagedError: the format is no number, or the file must have had a seal.
    """
    if not (isinstance(written, int | np.integer) and written >= 1):
        raise DamagedError(f"{path} is damaged: its format is {written!r}")
    if written > newest:
        raise ValueError(
            f"{path} has format {written}; this version of approx reads up to {newest}: "
            "update approx"
        )
    if written > 1 and not sealed:
        raise DamagedError(
            f"{path} is damaged: the checksum at its end is missing, so it was cut or changed"
        )


# ---- JSON ----------------------------------------------------------------------------------------


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write entries as a JSON file, and their digest as one more entry."""
    entries = dict(content) | {"digest": fingerprint(content)}
    write(path, json.dumps(entries, indent=1).encode())


def read_json(path: Path) -> tuple[dict[str, Any], bool]:
    """Read the entries that `write_json` wrote.

    Returns:
        The entries without their digest, and whether there was a digest, which has been checked.

    Raises:
        DamagedError: the file is not JSON, holds no entries, or not those that were written.
    """
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path} is damaged, it cannot be read as JSON ({error})") from None
    if not isinstance(found, dict):
        raise DamagedError(
            f"{path} is damaged: it holds a {type(found).__name__} in place of entries"
        )
    digest = found.pop("digest", None)
    if digest is not None and digest != fingerprint(found):
        raise DamagedError(
            f"{path} is damaged or was edited, its entries are not those that were written"
        )
    return found, digest is not None
