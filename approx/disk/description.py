"""What a sweep's folder says besides its trainings: the files sweep.json and coordinates.nc.

sweep.json holds these entries.

    format        of the folder; a reader refuses newer ones
    created       when the folder was made
    label         the recipe's label, if the folder is one of several recipes
    axes          name and values of every axis, all that was ever asked for
    crossed       names of the crossed streams
    selective     whether trainings are chosen one by one, as a refined map does
    entries       names of the entries of a provenance, in their order
    sources       everything that decides the bits of a training, by a name made of its sha256
    programs      by source: which variables the program's arrays become, and where its lanes are
    attributes    further attributes of the result

coordinates.nc holds the record steps and the points where the networks are judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from approx.disk import files
from approx.disk.seals import DamagedError
from approx.late_imports import xarray as xr
from approx.sweep import provenance

# The format of a folder. A reader refuses newer ones. In format 1 only chunks have a digest.
FORMAT = 2

# Entries that sweep.json has in every format, and their types
ENTRIES = {
    "entries": list,
    "axes": dict,
    "sources": dict,
    "attributes": dict,
    "crossed": list,
    "created": str,
}

# Characters of its sha256 that name a source
NAME_LENGTH = 16


def source_name(source: Mapping[str, Any]) -> str:
    """The name of a source: the beginning of the sha256 of what it says."""
    return provenance.fingerprint(source)[:NAME_LENGTH]


# ---- axes as JSON --------------------------------------------------------------------------------


def pack(values: np.ndarray) -> list:
    """The values of an axis as JSON can hold them.

    Numbers are listed. Seeds, which increase, become pairs [first, last] of consecutive ones.

    Example:
        >>> pack(np.array([0, 1, 2, 7]))
        [[0, 2], [7, 7]]
    """
    if values.dtype.kind == "f":
        return values.tolist()
    gaps = np.flatnonzero(np.diff(values) != 1)
    firsts = values[np.r_[0, gaps + 1]]
    lasts = values[np.r_[gaps, -1]]
    return [[int(first), int(last)] for first, last in zip(firsts, lasts, strict=True)]


def unpack(packed: list) -> np.ndarray:
    """The values of an axis that `pack` packed."""
    if packed and isinstance(packed[0], list):
        return np.concatenate([np.arange(first, last + 1) for first, last in packed])
    return np.asarray(packed)


def axes_of(sweep: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The axes of a sweep with all values that were ever asked for.

    Args:
        sweep: what `read_sweep` gave.
    """
    return {axis: unpack(packed) for axis, packed in sweep["axes"].items()}


# ---- sweep.json ----------------------------------------------------------------------------------


def read_sweep(folder: Path) -> dict[str, Any]:
    """Read sweep.json and check it.

    Raises:
        FileNotFoundError: there is no such sweep.
        ValueError: the file is not one of ours, of a newer version, damaged, or edited.
    """
    path = folder / "sweep.json"
    if not path.exists():
        raise FileNotFoundError(f"no sweep at {folder}: there is no {path.name} in it")
    remedy = "put back the file as it was, or compute the sweep again in another folder"
    try:
        found, checked = files.read_json(path)
    except DamagedError as error:
        raise DamagedError(f"{error}: {remedy}") from None
    written = found.get("format")
    if not isinstance(written, int):
        raise DamagedError(f"{path} is damaged, its format is {written!r}: {remedy}")
    if written > FORMAT:
        raise ValueError(
            f"{folder} has format {written}; this version of approx reads up to {FORMAT}: "
            "update approx"
        )
    if wrong := wrong_entries(found):
        raise DamagedError(
            f"{path} is damaged, its entry {wrong[0]!r} is missing or wrong: {remedy}"
        )
    if written > 1 and not checked:
        raise DamagedError(f"{path} is damaged or was edited, its digest is missing: {remedy}")
    return found


def wrong_entries(found: Mapping[str, Any]) -> list[str]:
    """Names of the entries of sweep.json that nobody can have written so, in any format."""
    missing = [name for name, kind in ENTRIES.items() if not isinstance(found.get(name), kind)]
    if missing:
        return missing
    wrong = []
    for name, source in found["sources"].items():
        if source_name(source) != name:
            wrong.append(f"sources {name}")
    for axis, packed in found["axes"].items():
        if not can_unpack(packed):
            wrong.append(f"axes {axis}")
    return wrong


def can_unpack(packed: Any) -> bool:
    """Whether an axis of sweep.json has one or more values that can be read."""
    try:
        return len(unpack(packed)) > 0
    except (TypeError, ValueError, IndexError, MemoryError):
        return False


# ---- coordinates.nc ------------------------------------------------------------------------------


def read_coordinates(folder: Path, sources: Mapping[str, Any]) -> xr.Dataset:
    """Read the record steps and the points from coordinates.nc, and check them.

    A file of an earlier version has no checksum.

    Args:
        folder: of the sweep.
        sources: those that sweep.json names; coordinates.nc must know them all.

    Raises:
        ValueError: the file is missing, damaged, or of another sweep.
    """
    path = folder / "coordinates.nc"
    remedy = "delete it, and the same command, with all axes, writes it again"
    try:
        with files.open_netcdf(path) as (opened, sealed):
            points = opened.load()
        written = points.attrs.pop("approx_format", 1)
        files.check_format(path, written, sealed)
    except FileNotFoundError:
        raise DamagedError(f"{path} is missing: {remedy}") from None
    except DamagedError as error:
        raise DamagedError(f"{error}: {remedy}") from None
    known = points.attrs.pop("sources", " ".join(sources)).split()
    if not set(sources) <= set(known):
        raise DamagedError(f"{path} is of another sweep: {remedy}")
    return points


def write_coordinates(folder: Path, points: xr.Dataset, sources: list[str]) -> None:
    """Write coordinates.nc: the record steps and points, and the names of the sweep's sources."""
    marks = {"approx_format": FORMAT, "sources": " ".join(sources)}
    files.write_netcdf(folder / "coordinates.nc", points.assign_attrs(marks))
