"""Disk: whole files under a checksum; one netCDF file per result, with the full identity of the
computation in it.

A file of ours ends with a seal: a line of text with the CRC-32 of all bytes before it. Readers of
netCDF (HDF5) and of zip archives do not look behind the end of what they read, so a sealed file
stays a valid netCDF or npz file.
"""

import json
import os
import re
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import xarray as xr

from approx.sweep.provenance import identity

FORMAT = 2  # of the files; a reader refuses newer ones. Files of format 1 have no seal


SEAL = re.compile(rb"approx-crc32:([0-9a-f]{8})\n")


SEAL_BYTES = len("approx-crc32:00000000\n")


# Folders of which a warning has said that a file of theirs has no checksum
_told: set[Path] = set()


BYTES_AT_A_TIME = 2**20  # that are read to be checked: they stay in the processor's cache


class DamagedError(ValueError):
    """The bytes of a file are not those that were written."""


class UnreadableError(DamagedError):
    """A file is not of the kind that its place says."""


def check_format(path: Path, written: Any, sealed: bool) -> None:
    """Refuse a netCDF file of a newer format, and one that has lost its seal.

    Raises:
        ValueError: the format is newer. DamagedError: the file had a seal once.
    """
    if not (isinstance(written, int | np.integer) and written >= 1):
        raise DamagedError(f"{path} is damaged: its format is {written!r}")
    if written > FORMAT:
        raise ValueError(
            f"{path} has format {written}; this version of approx reads up to {FORMAT}: update approx"
        )
    if written > 1 and not sealed:
        raise DamagedError(
            f"{path} is damaged: the checksum at its end is missing, so it was cut or changed"
        )


def make_folder(folder: Path) -> None:
    """Make a folder if the one around it exists; a whole path that does not exist is rather a slip
    of the pen.

    Raises:
        FileNotFoundError: the folder around it does not exist, or is the root of all files.
        NotADirectoryError: it is a file, or leads through one.
        OSError: its name is too long, or it may not be made.
    """
    folder = folder.absolute()
    for each in (folder, *folder.parents):
        if os.path.lexists(each) and not each.is_dir():
            raise NotADirectoryError(f"{each} is not a folder: choose another place than {folder}")
    if folder.is_dir():
        return
    if not folder.parent.is_dir() or folder.parent == folder.parent.parent:
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
    """A temporary file to write, which then takes the place of `path`: there is the old file or the
    new, never half.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write(path: Path, content: bytes | memoryview) -> None:
    """A whole file, or none; after a crash the old one or the new one."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_sealed(path: Path, content: bytes | memoryview) -> None:
    """`write`, with the seal behind the content."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(content)
        file.write(f"approx-crc32:{zlib.crc32(content):08x}\n".encode())


def is_sealed(file: BinaryIO, path: Path) -> bool:
    """Whether an open file has a seal, which is checked; the file is then back at its beginning.

    Raises:
        DamagedError: the seal is not that of the bytes before it.
    """
    length = max(file.seek(0, os.SEEK_END) - SEAL_BYTES, 0)
    file.seek(length)
    seal = SEAL.fullmatch(file.read())
    file.seek(0)
    if seal is None:
        return False
    buffer, found, left = memoryview(bytearray(BYTES_AT_A_TIME)), 0, length
    while left > 0 and (many := file.readinto(buffer[:left])):  # type: ignore[attr-defined]
        found = zlib.crc32(buffer[:many], found)
        left -= many
    file.seek(0)
    if f"{found:08x}".encode() != seal[1]:
        raise DamagedError(f"{path} is damaged, its contents are not those that were written")
    return True


def read_sealed(path: Path) -> bytes:
    """The content of a file without its seal, which is checked where there is one.

    Raises:
        DamagedError: the seal is not that of the bytes before it. OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        sealed = is_sealed(file, path)
        content = file.read()
    return content[:-SEAL_BYTES] if sealed else content


def write_netcdf(path: Path, content: xr.Dataset) -> None:
    """Write a netCDF file with its seal; HDF5 sees memory only.

    Where a disk is full, HDF5 can neither finish a file nor forget it, and brings the process down
    later.
    """
    with locks_of_this_process():
        made = content.drop_encoding().to_netcdf(engine="h5netcdf", format="NETCDF4")
    write_sealed(path, made)


@contextmanager
def locks_of_this_process() -> Iterator[None]:
    """Keep xarray from asking Dask's scheduler for a lock, which it does in a process that has a
    Dask client.

    The lock would have the name of the file; what is made in memory has none that the scheduler
    could know (xarray 2026.9.0 with distributed 2026.8.0 raises a RuntimeError).
    """
    if "dask" not in sys.modules:
        yield
        return
    import dask

    with dask.config.set(scheduler="threads"):
        yield


@contextmanager
def open_netcdf(path: Path) -> Iterator[tuple[xr.Dataset, bool]]:
    """A netCDF file to read from, and whether it has a seal: then all of its bytes have been
    checked.

    Raises:
        DamagedError: the seal does not fit. UnreadableError: anything goes wrong while the contents
            are read.
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


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write entries for people and programs, and their digest as one more entry."""
    write(path, json.dumps(dict(content) | {"digest": identity(content)}, indent=1).encode())


def read_json(path: Path) -> tuple[dict[str, Any], bool]:
    """The entries that `write_json` wrote, and whether they have a digest: then they have been
    checked.

    Raises:
        DamagedError: no JSON, no entries, or not those that were written.
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
    if digest is not None and digest != identity(found):
        raise DamagedError(
            f"{path} is damaged or was edited, its entries are not those that were written"
        )
    return found, digest is not None


def sync(path: Path) -> None:
    """Have the system put a file's or a folder's contents on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
