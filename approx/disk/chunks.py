"""A sweep on disk: a folder with one file per finished chunk of trainings, from which everything
can be read again.

    sweep.json        what was asked for, and what decides the bits (`sources`: all but which
    trainings there are) coordinates.nc    record steps, and where the networks are judged
    SOURCE.*.jax      the block's program as JAX exports it; SOURCE.inputs.npz is what all trainings
    share chunk-000007.nc   finished trainings in any order, each with the inputs of its own; whole,
    or not there held-*.npz        a block on its way, which goes on from there
    progress.json     of the run that is at it; lock is held as long as it is

Nothing here is ever unpickled. Files are written under other names and renamed, and say themselves
what they are. Each holds a checksum of what it says (`files.write_sealed`, `files.write_json`),
which is checked when it is read; only progress.json and the lock, from which no number comes, have
none.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from approx.disk import files
from approx.disk.folders import FORMAT, read_sweep

# Of a chunk's trainings, beside their axes
INPUTS = ("training_numbers", "training_streams", "training_params")


AGAIN = "delete it, and the same command computes its trainings again"


def paths(folder: Path) -> list[Path]:
    """The chunks, in the order in which they were written."""
    return sorted(folder.glob("chunk-*.nc"), key=lambda path: int(path.stem.partition("-")[2]))


def write_chunk(folder: Path, part: xr.Dataset, source: str) -> Path:
    """Write finished trainings as the next chunk."""
    *_, last = [-1, *(int(path.stem.partition("-")[2]) for path in paths(folder))]
    path = folder / f"chunk-{last + 1:06d}.nc"
    marks = {
        "approx_format": FORMAT,
        "source": source,
        "chunk": path.name,
        "diverged": diverged(part),
    }
    marks["index"] = " ".join(index_names(part))
    part = part.assign_attrs(marks)
    files.write_netcdf(
        path, part.assign_attrs(digest=digest(part), index_digest=index_digest(part))
    )
    return path


def index_names(part: xr.Dataset) -> list[str]:
    """Names of what says which trainings a chunk has: their places on the axes, and their inputs."""
    return [
        str(name) for name in part.variables if name in INPUTS or part[name].dims == ("training",)
    ]


def diverged(part: xr.Dataset) -> int:
    """How many trainings end without a finite loss."""
    return int((~np.isfinite(part.loss.isel(step=-1))).sum())


def digest(part: xr.Dataset) -> str:
    """Of a chunk's names, shapes, types and bytes, and of whose chunk it is: BLAKE2, which is
    faster than sha256.
    """
    found = hashlib.blake2b(
        f"{part.attrs['source']} {part.attrs['chunk']}".encode(), digest_size=32
    )
    for name in sorted(map(str, part.variables)):
        values = np.ascontiguousarray(part[name].values)
        found.update(f"{name} {part[name].dims} {values.dtype.str} {values.shape}".encode())
        found.update(values.reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def index_digest(part: xr.Dataset) -> str:
    """`digest` of what says which trainings a chunk has, which can be read and checked without the
    rest.
    """
    marks = [f"{name} {part.attrs[name]}" for name in ("source", "chunk", "diverged", "index")]
    index = part[part.attrs["index"].split()]
    return hashlib.blake2b(f"{marks} {digest(index)}".encode(), digest_size=32).hexdigest()


def read_chunk(path: Path, sources: Mapping[str, Any], thorough: bool = False) -> xr.Dataset:
    """One chunk, whole and checked: by the file's checksum, and if `thorough` by the digest of its
    contents too.

    Raises:
        ValueError: what is damaged, of another place, of another sweep, or of a newer version, by
            name, and what to do.
    """
    try:
        with files.open_netcdf(path) as (opened, sealed):
            part = opened.load()
        check_marks(path, part.attrs, sealed, sources)
        if (thorough or not sealed) and part.attrs["digest"] != digest(part):
            raise files.DamagedError(
                f"{path} is damaged, its contents are not those that were written"
            )
    except files.DamagedError as error:
        raise remedied(error) from None
    return part


def check_marks(
    path: Path, marks: Mapping[str, Any], sealed: bool, sources: Mapping[str, Any]
) -> None:
    """Refuse a chunk of a newer version, of another sweep or of another place."""
    if lost := {"approx_format", "source", "chunk", "digest"} - marks.keys():
        raise files.DamagedError(f"{path} is damaged, it does not say its {min(lost)}")
    files.check_format(path, marks["approx_format"], sealed)
    if marks["source"] not in sources:
        raise files.DamagedError(f"{path} is of another sweep")
    if marks["chunk"] != path.name:
        raise files.DamagedError(
            f"{path} was written as {marks['chunk']}: name it so again, or {AGAIN}"
        )


def remedied(error: Exception) -> files.DamagedError:
    """What is wrong with a chunk, and what to do."""
    said = str(error)
    return files.DamagedError(said if said.endswith(AGAIN) else f"{said}: {AGAIN}")


def read_index(path: Path, sources: Mapping[str, Any]) -> xr.Dataset:
    """Of a chunk what says which trainings it has; of one of format 1 all, as it has but one
    digest.

    All bytes of the file are checked before HDF5 sees any of them, as HDF5 may never come back from
    damaged ones.

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
            raise files.DamagedError(
                f"{path} is damaged, its contents are not those that were written"
            )
    except files.DamagedError as error:
        raise remedied(error) from None
    return part


def rows(numbers: np.ndarray, streams: np.ndarray, params: np.ndarray) -> np.ndarray:
    """What makes each training what it is, one string of bytes each, to find them by."""
    parts: list[np.ndarray] = [
        numbers.astype(np.float64),
        streams.astype(np.uint32),
        params.astype(np.int64)[:, None],
    ]
    joined = np.concatenate([np.ascontiguousarray(part).view(np.uint8) for part in parts], 1)
    return joined.view(f"S{joined.shape[1]}").ravel()


def done(folder: Path) -> np.ndarray:
    """`rows` of all trainings that are finished; every chunk is read and checked."""
    sources = read_sweep(folder)["sources"]
    parts = [
        rows(*(part[name].values for name in INPUTS))
        for part in (read_chunk(p, sources) for p in paths(folder))
    ]
    return np.concatenate(parts) if parts else np.empty(0, "S1")
