"""A sweep's folder: who may write to it, and how a sweep is begun in it or continued."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from approx.disk import files
from approx.disk.description import (
    FORMAT,
    axes_of,
    pack,
    read_coordinates,
    read_sweep,
    source_name,
    write_coordinates,
)
from approx.late_imports import xarray as xr
from approx.sweep.provenance import common, differences

# Names of files that a sweep may have left in its folder before there was a sweep.json
OURS = re.compile(
    r"lock|coordinates\.nc|progress\.json|\w{16}\.((start|advance)\.jax|inputs\.npz)|held-.*|\..*\.tmp"
)


class Head(NamedTuple):
    """What a run asks for, as its folder describes it.

    Attributes:
        source: the provenance of all that is asked for, see `approx.sweep.provenance`.
        axes: the names of the axes and their values.
        coordinates: the record steps, and where the networks are judged.
        attributes: further attributes of the result.
        program: which variables the exported program's arrays become ("leaves"), and which axis of
            these arrays is that of the lanes ("axis").
    """

    source: dict[str, Any]
    axes: dict[str, np.ndarray]
    coordinates: xr.Dataset
    attributes: dict[str, Any]
    program: dict[str, Any]


# ---- who may write -------------------------------------------------------------------------------


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder if it is missing, and keep every other run from writing to it meanwhile.

    A folder that may only be read needs no lock.

    Raises:
        RuntimeError: another run is writing to the folder.
        OSError: the folder cannot be made, or it is empty and may not be written to.
    """
    import fcntl  # POSIX systems only have it

    check_place(folder)
    if not is_writable(folder):
        yield
        return
    with (folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            raise RuntimeError(
                f"{folder} is being written to by another run ({owner}): wait for its end, "
                "or choose another folder"
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {os.uname().nodename}")
        file.flush()
        # A run that was killed while it wrote has left these.
        for temporary in folder.glob(".*.tmp"):
            temporary.unlink(missing_ok=True)
        yield


def is_locked(folder: Path) -> bool:
    """Whether a run is writing to the folder."""
    import fcntl

    try:
        with (folder / "lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def is_writable(folder: Path) -> bool:
    """Whether a run could write to the folder, which exists."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    lock = folder / "lock"
    return not lock.exists() or os.access(lock, os.W_OK)


def check_place(folder: Path) -> None:
    """Make a folder for a sweep if it is missing. A folder with a sweep in it may be read-only.

    Raises:
        OSError: the folder cannot be made, or it has no sweep and may not be written to.
    """
    files.make_folder(folder)
    if not is_writable(folder) and not (folder / "sweep.json").exists():
        raise PermissionError(
            f"{folder} may not be written to: choose another folder, or change its permissions"
        )


# ---- beginning a sweep, or continuing one --------------------------------------------------------


def begin(
    folder: Path,
    head: Head,
    accept: bool = False,
    label: str | None = None,
    selective: bool = False,
) -> str:
    """Write into a locked folder what is asked for, in addition to what it describes already.

    Args:
        folder: a new one, or one with a sweep in it.
        head: what is asked for.
        accept: whether trainings of other programs or inputs may stay beside the new ones.
        label: the recipe's, if the folder is one of several recipes.
        selective: whether trainings are chosen one by one, as a refined map does. Then not all
            trainings that the axes span are wanted.

    Returns:
        The name of the source of all chunks that are written from now on.

    Raises:
        ValueError: the folder has other things in it, or a sweep with other axes; or it has
            trainings that other programs or inputs made, and `accept` is False.
    """
    source = common(head.source)
    name = source_name(source)
    points = None  # to be written
    if (folder / "sweep.json").exists():
        found = read_sweep(folder)
        check(folder, found, name, head, accept)
        if not are_known(folder, found, name, head):
            points = all_points(folder, found, head)
    else:
        check_only_ours(folder)
        found = new_description(head)
        points = head.coordinates
    found["format"] = FORMAT
    found["label"] = label
    if label is not None:
        found["label"] = str(label)  # that of a folder whose label is a number is its digits
    found["selective"] = selective
    found["crossed"] = list(head.source["cross"])
    found["attributes"] = head.attributes
    found["axes"] = joined_axes(axes_of(found), head.axes)
    found["sources"][name] = source
    found.setdefault("programs", {})[name] = head.program
    if points is not None:
        write_coordinates(folder, points, list(found["sources"]))
    files.write_json(folder / "sweep.json", found)
    return name


def new_description(head: Head) -> dict[str, Any]:
    """The entries of sweep.json that never change, and empty ones for axes and sources."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "entries": list(head.source),
        "axes": {},
        "sources": {},
    }


def joined_axes(
    earlier: Mapping[str, np.ndarray], asked: Mapping[str, np.ndarray]
) -> dict[str, list]:
    """Every axis with its earlier values and those that are asked for now, sorted, as JSON."""
    found = {}
    for axis, values in asked.items():
        found[axis] = pack(np.union1d(earlier.get(axis, values), values))
    return found


def check_only_ours(folder: Path) -> None:
    """Refuse a folder without a sweep in which there are other things.

    Raises:
        ValueError: names one of them.
    """
    others = [each.name for each in folder.iterdir() if not OURS.fullmatch(each.name)]
    if others:
        raise ValueError(
            f"{folder} holds other things ({others[0]}): a sweep needs a folder of its own"
        )


def check(folder: Path, found: Mapping[str, Any], name: str, head: Head, accept: bool) -> None:
    """Refuse to put trainings into a folder whose axes, programs or inputs are others.

    Args:
        folder: that of the sweep, for the errors.
        found: what `read_sweep` gave.
        name: the source of what is asked for.
        head: what is asked for.
        accept: whether other programs and inputs are accepted.

    Raises:
        ValueError: says what differs, and what to do.
    """
    if set(found["axes"]) != set(head.axes):
        raise ValueError(
            f"{folder} has the axes {', '.join(found['axes'])}, and {', '.join(head.axes)} are "
            "asked for: choose another folder"
        )
    if name in found["sources"] or accept:
        return
    *_, last = found["sources"].values()
    changes = "; ".join(differences(common(head.source), last))
    raise ValueError(
        f"{folder} holds trainings that other code or other inputs made: {changes}. Choose another "
        "folder; or say accept=True to have both in one result, which is recorded"
    )


def are_known(folder: Path, found: Mapping[str, Any], name: str, head: Head) -> bool:
    """Whether coordinates.nc has all that is asked for: the same source, and no new values of axes.

    The file is not read for this. A file of format 1 is written again, as it has no checksum. So
    are points that depend on several axes, because two values may both have been asked for, but
    never together.
    """
    if found["format"] < FORMAT or name not in found["sources"]:
        return False
    for variable in head.coordinates.variables.values():
        if len(set(variable.dims) & set(head.axes)) > 1:
            return False
    earlier = axes_of(found)
    is_old = [np.isin(values, earlier[axis]).all() for axis, values in head.axes.items()]
    return all(is_old) and (folder / "coordinates.nc").exists()


def all_points(folder: Path, found: Mapping[str, Any], head: Head) -> xr.Dataset:
    """The coordinates that the folder has, and those of what is asked for now.

    Raises:
        ValueError: the folder's are damaged; or they are missing and cannot be made anew, as not
            all values of all axes are asked for.
    """
    missing = not (folder / "coordinates.nc").exists()
    if missing and asks_for_all(axes_of(found), head.axes):
        return head.coordinates
    before = read_coordinates(folder, found["sources"]).reset_coords()
    points = head.coordinates.reset_coords().combine_first(before)
    return points.set_coords(list(points.data_vars))


def asks_for_all(earlier: Mapping[str, np.ndarray], asked: Mapping[str, np.ndarray]) -> bool:
    """Whether all earlier values of all axes are asked for again."""
    return all(np.isin(values, asked[axis]).all() for axis, values in earlier.items())


# ---- further files -------------------------------------------------------------------------------

write = files.write  # for files from which no number comes, which need no checksum


def write_files(folder: Path, name: str, contents: Mapping[str, Callable[[], bytes]]) -> None:
    """Write those further files of a source that the folder does not have yet.

    If a file cannot be made, as JAX cannot export every program, this is a warning.

    Args:
        folder: that of the sweep.
        name: that of the source, with which the files' names begin.
        contents: by the ends of the files' names, the functions that make their contents.
    """
    for end, content in contents.items():
        path = folder / f"{name}.{end}"
        if path.exists():
            continue
        try:
            made = content()
        except Exception as error:  # a user's own functions can raise anything
            warnings.warn(
                f"{path.name} cannot be made, so `verify` will not compute again: {error}",
                stacklevel=2,
            )
            continue
        files.write_sealed(path, made)
