"""Chunks: the files of a sweep's folder that hold its finished trainings.

These files are in a folder.

    sweep.json, coordinates.nc      what was asked for, see `description`
    SOURCE.start.jax                the program that begins a block, as JAX exports it
    SOURCE.advance.jax              the program that trains a block, likewise
    SOURCE.inputs.npz               the inputs that all trainings share
    chunk-000007.nc                 finished trainings in any order, with the inputs of each
    held-*.npz                      a block that is not finished, from which a later run goes on
    progress.json, lock             of the run that is writing to the folder

Nothing here is ever unpickled. Every file is written under another name and renamed, so that it is
whole or not there. Every file that a number comes from holds a checksum, which is checked when it
is read; progress.json and the lock have none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from approx.disk import files
from approx.disk.description import FORMAT, read_sweep
from approx.disk.seals import DamagedError
from approx.late_imports import xarray as xr

# The variables of a chunk that hold the inputs of each training: its numbers, the seeds of its
# streams, and its place among the parameters to start from.
INPUTS = ("training_numbers", "training_streams", "training_params")

AGAIN = "delete it, and the same command computes its trainings again"


def paths(folder: Path) -> list[Path]:
    """The chunks of a folder, in the order in which they were written."""
    return sorted(folder.glob("chunk-*.nc"), key=number_of)


def number_of(path: Path) -> int:
    """The number in a chunk's name."""
    return int(path.stem.partition("-")[2])


# ---- writing -------------------------------------------------------------------------------------


def write_chunk(folder: Path, part: xr.Dataset, source: str) -> Path:
    """Write finished trainings as the next chunk.

    Args:
        folder: that of the sweep.
        part: the trainings, as `results.part` gives them.
        source: the name of the source that made them.
    """
    number = 0
    if earlier := paths(folder):
        number = number_of(earlier[-1]) + 1
    path = folder / f"chunk-{number:06d}.nc"
    part = part.assign_attrs(
        approx_format=FORMAT,
        source=source,
        chunk=path.name,
        diverged=diverged(part),
        index=" ".join(index_names(part)),
    )
    part = part.assign_attrs(digest=digest(part), index_digest=index_digest(part))
    files.write_netcdf(path, part)
    return path


def index_names(part: xr.Dataset) -> list[str]:
    """Names of the variables that say which trainings a chunk has: places on axes, and inputs."""
    found = []
    for name, variable in part.variables.items():
        if name in INPUTS or variable.dims == ("training",):
            found.append(str(name))
    return found


def diverged(part: xr.Dataset) -> int:
    """How many trainings end without a finite loss."""
    last = part.loss.isel(step=-1)
    return int((~np.isfinite(last)).sum())


def digest(part: xr.Dataset) -> str:
    """The BLAKE2 digest of a chunk's variables, and of the names of its source and of its file.

    Names, shapes, types and bytes of the variables count. BLAKE2 is faster than sha256.
    """
    origin = f"{part.attrs['source']} {part.attrs['chunk']}"
    found = hashlib.blake2b(origin.encode(), digest_size=32)
    for name in sorted(map(str, part.variables)):
        values = np.ascontiguousarray(part[name].values)
        found.update(f"{name} {part[name].dims} {values.dtype.str} {values.shape}".encode())
        found.update(values.reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def index_digest(part: xr.Dataset) -> str:
    """The digest of a chunk's index: of the variables that say which trainings the chunk has.

    The index can be read and checked without the rest.
    """
    marks = [f"{name} {part.attrs[name]}" for name in ("source", "chunk", "diverged", "index")]
    index = part[part.attrs["index"].split()]
    return hashlib.blake2b(f"{marks} {digest(index)}".encode(), digest_size=32).hexdigest()


# ---- reading -------------------------------------------------------------------------------------


def read_chunk(path: Path, sources: Mapping[str, Any], thorough: bool = False) -> xr.Dataset:
    """Read a chunk, and check it by the file's checksum.

    Args:
        path: the chunk's file.
        sources: those of the sweep, by name.
        thorough: check it by the digest of its contents too.

    Raises:
        ValueError: the chunk is damaged, of another place, of another sweep, or of a newer version.
            The error names the file and says what to do.
    """
    try:
        with files.open_netcdf(path) as (opened, sealed):
            part = opened.load()
        check_marks(path, part.attrs, sealed, sources)
        wanted = thorough or not sealed
        if wanted and part.attrs["digest"] != digest(part):
            raise DamagedError(f"{path} is damaged, its contents are not those that were written")
    except DamagedError as error:
        raise with_remedy(error) from None
    return part


def read_index(path: Path, sources: Mapping[str, Any]) -> xr.Dataset:
    """Read of a chunk only what says which trainings it has, and check it.

    All bytes of the file are checked nevertheless. A chunk of format 1 is read whole, as it has a
    digest of the whole only.

    Raises:
        ValueError: as `read_chunk`.
    """
    try:
        with files.open_netcdf(path) as (opened, sealed):
            marks = opened.attrs
            part = opened[marks.get("index", "").split()].load()
        if "index" not in marks:
            return read_chunk(path, sources)
        check_marks(path, marks, sealed, sources)
        if marks.get("index_digest") != index_digest(part):
            raise DamagedError(f"{path} is damaged, its contents are not those that were written")
    except DamagedError as error:
        raise with_remedy(error) from None
    return part


def check_marks(
    path: Path, marks: Mapping[str, Any], sealed: bool, sources: Mapping[str, Any]
) -> None:
    """Refuse a chunk of a newer version, of another sweep or of another place.

    Args:
        path: the chunk's file.
        marks: the attributes that `write_chunk` gave it.
        sealed: whether the file has a seal.
        sources: those of the sweep, by name.
    """
    if lost := {"approx_format", "source", "chunk", "digest"} - marks.keys():
        raise DamagedError(f"{path} is damaged, it does not say its {min(lost)}")
    files.check_format(path, marks["approx_format"], sealed, FORMAT)
    if marks["source"] not in sources:
        raise DamagedError(f"{path} is of another sweep")
    if marks["chunk"] != path.name:
        raise DamagedError(f"{path} was written as {marks['chunk']}: name it so again, or {AGAIN}")


def with_remedy(error: Exception) -> DamagedError:
    """The error about a chunk, with what to do about it."""
    said = str(error)
    if said.endswith(AGAIN):
        return DamagedError(said)
    return DamagedError(f"{said}: {AGAIN}")


# ---- which trainings are there -------------------------------------------------------------------


def rows(numbers: np.ndarray, streams: np.ndarray, params: np.ndarray) -> np.ndarray:
    """The inputs of each training as one string of bytes, by which the training can be found.

    Args:
        numbers: shape (trainings, numbers), those of task and recipe.
        streams: shape (trainings, streams), the seed of every stream.
        params: shape (trainings,), the places among the parameters to start from.
    """
    parts: list[np.ndarray] = [
        numbers.astype(np.float64),
        streams.astype(np.uint32),
        params.astype(np.int64)[:, None],
    ]
    as_bytes = [np.ascontiguousarray(part).view(np.uint8) for part in parts]
    joined = np.concatenate(as_bytes, axis=1)
    return joined.view(f"S{joined.shape[1]}").ravel()


def rows_of(part: xr.Dataset) -> np.ndarray:
    """`rows` of the trainings of a chunk."""
    return rows(*(part[name].values for name in INPUTS))


def done(folder: Path) -> np.ndarray:
    """`rows` of all trainings that are finished. All bytes of every chunk are checked."""
    sources = read_sweep(folder)["sources"]
    found = [rows_of(read_index(path, sources)) for path in paths(folder)]
    if not found:
        return np.empty(0, "S1")
    return np.concatenate(found)
