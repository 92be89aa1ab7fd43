"""A sweep's folder: who may write to it, and what it says besides its chunks."""

import json
import os
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from approx.disk import files
from approx.sweep import provenance
from approx.sweep.provenance import common, differences

FORMAT = 2  # of a folder; a reader refuses newer ones. In format 1 only chunks have a digest


ENTRIES = {
    "entries": list,
    "axes": dict,
    "sources": dict,
    "attributes": dict,
    "crossed": list,
    "created": str,
}


LONGEST_NAME = 255  # bytes, of file systems in use


OURS = re.compile(
    r"lock|coordinates\.nc|progress\.json|\w{16}\.((start|advance)\.jax|inputs\.npz)|held-.*|\..*\.tmp"
)


class Head(NamedTuple):
    """What a sweep's folder says besides its chunks.

    Attributes:
        source: provenance of what is asked for. axes: its axes and their values.
        coordinates: record steps, and where the networks are judged. attributes: further ones of
            results.
        program: of the exported one: which variables its arrays become, and which of their axes is
            the lanes'.
    """

    source: dict[str, Any]
    axes: dict[str, np.ndarray]
    coordinates: xr.Dataset
    attributes: dict[str, Any]
    program: dict[str, Any]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only run that writes to the folder, which is made; one that may only be read needs no
    lock.

    Raises:
        RuntimeError: another one is at it. OSError: the folder cannot be made, or may not be
            written to and is empty.
    """
    import fcntl  # of POSIX systems only

    check_place(folder)
    if not is_writable(folder):
        yield
        return
    with (folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise RuntimeError(
                f"{folder} is being written to by another run ({file.read().strip() or 'unknown'}): wait for its end, "
                "or choose another folder"
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {os.uname().nodename}")
        file.flush()
        for left in folder.glob(".*.tmp"):  # of a run that was killed while it wrote
            left.unlink(missing_ok=True)
        yield


write = files.write  # of files from which no number comes


def is_writable(folder: Path) -> bool:
    """Whether a run could write to the folder, which is there."""
    lock = folder / "lock"
    return os.access(folder, os.W_OK | os.X_OK) and (not lock.exists() or os.access(lock, os.W_OK))


def check_place(folder: Path) -> None:
    """Make a folder for a sweep, unless it is there; one with a sweep in it may be read-only.

    Raises:
        OSError: it cannot be made, or nothing is in it and it may not be written to.
    """
    files.make_folder(folder)
    if not is_writable(folder) and not (folder / "sweep.json").exists():
        raise PermissionError(
            f"{folder} may not be written to: choose another folder, or change its permissions"
        )


def check_labels(out: Path, labels: list[str]) -> None:
    """Refuse labels of recipes that cannot be the names of folders beside each other.

    Raises:
        ValueError: naming the label, and what is wrong with it.
    """
    if (out / "sweep.json").exists():
        raise ValueError(
            f"{out} holds the sweep of a single recipe without a label: choose another folder for several"
        )
    seen: dict[str, str] = {}
    for label in labels:
        about = f"the recipe {label[:60]!r} gets a folder of its own in {out}: call it so that it can be a name"
        if not (re.fullmatch(r"[^/\\.][^/\\]*", label) and label.isprintable()):
            raise ValueError(
                f"{about}, without slashes, a dot in front, or characters that do not print"
            )
        if len(os.fsencode(label)) > LONGEST_NAME:
            raise ValueError(
                f"{about}, of at most {LONGEST_NAME} bytes; it has {len(os.fsencode(label))}"
            )
        if label in ("sweep.json", "recipes.json"):
            raise ValueError(f"{about}, which is not that of a file of ours")
        alike = seen.setdefault(unicodedata.normalize("NFKC", label).casefold(), label)
        if alike != label:
            raise ValueError(
                f"{about}; it differs from {alike!r} only in what some systems' names do not tell apart"
            )


def is_locked(folder: Path) -> bool:
    """Whether a run is at it."""
    import fcntl

    try:
        with (folder / "lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def begin(
    folder: Path,
    head: Head,
    accept: bool = False,
    label: str | None = None,
    selective: bool = False,
) -> str:
    """Make a sweep of a locked folder, or go on with it; the name of the source that chunks are
    made from now.

    `label` is that of the recipe, if the folder is one of several. `selective` says that trainings
    are chosen one by one, as a refined map does: then not all that the axes span are wanted.

    Raises:
        ValueError: a folder of other things, or of other axes; or of trainings that other programs
            or inputs made, saying in what they differ, unless that is accepted.
    """
    source = common(head.source)
    name = provenance.identity(source)[:16]
    if not (folder / "sweep.json").exists():
        if others := [other.name for other in folder.iterdir() if not OURS.fullmatch(other.name)]:
            raise ValueError(
                f"{folder} holds other things ({others[0]}): a sweep needs a folder of its own"
            )
        found: dict[str, Any] = {"created": datetime.now(UTC).isoformat(timespec="seconds")}
        found |= {"entries": list(head.source), "axes": {}, "sources": {}}
        points = head.coordinates
    else:
        found = read_sweep(folder)
        check(folder, found, name, head, accept)
        points = all_points(folder, found, head)
    earlier = axes_of(found)
    axes = {
        axis: np.union1d(earlier.get(axis, values), values) for axis, values in head.axes.items()
    }
    called = None if label is None else str(label)  # a number's folder is called by its digits
    found |= {"format": FORMAT, "label": called, "selective": selective}
    found |= {"crossed": list(head.source["cross"]), "attributes": head.attributes}
    found["axes"] = {axis: pack(values) for axis, values in axes.items()}
    found["sources"][name] = source
    found["programs"] = found.get("programs", {}) | {name: head.program}
    write_coordinates(folder, points, list(found["sources"]))
    files.write_json(folder / "sweep.json", found)
    return name


def all_points(folder: Path, found: Mapping[str, Any], head: Head) -> xr.Dataset:
    """The coordinates that the folder has, and those of what is asked for now.

    Raises:
        ValueError: they are damaged; or they are missing, and not all axes are asked for, so that
            they cannot be made.
    """
    asked = {
        axis: np.isin(unpack(packed), head.axes[axis]).all()
        for axis, packed in found["axes"].items()
    }
    if not (folder / "coordinates.nc").exists() and all(asked.values()):
        return head.coordinates
    before = read_coordinates(folder, found["sources"]).reset_coords()
    points = head.coordinates.reset_coords().combine_first(before)
    return points.set_coords(list(points.data_vars))


def write_coordinates(folder: Path, points: xr.Dataset, sources: list[str]) -> None:
    """Write where the networks are judged, and of which sources' trainings."""
    marks = {"approx_format": FORMAT, "sources": " ".join(sources)}
    files.write_netcdf(folder / "coordinates.nc", points.assign_attrs(marks))


def write_files(folder: Path, name: str, contents: Mapping[str, Callable[[], bytes]]) -> None:
    """Make those further files of a source that are not there; a program that JAX cannot export is
    warned of.
    """
    for end, content in contents.items():
        path = folder / f"{name}.{end}"
        if path.exists():
            continue
        try:
            made = content()
        except Exception as error:  # whatever a user's own functions hold
            warnings.warn(
                f"{path.name} cannot be made, so `verify` will not compute again: {error}",
                stacklevel=2,
            )
            continue
        files.write_sealed(path, made)


def check(folder: Path, found: Mapping[str, Any], name: str, head: Head, accept: bool) -> None:
    """Refuse to mix what does not belong together."""
    if set(found["axes"]) != set(head.axes):
        raise ValueError(
            f"{folder} has the axes {', '.join(found['axes'])}, and {', '.join(head.axes)} are asked for: choose "
            "another folder"
        )
    if name not in found["sources"] and not accept:
        *_, last = found["sources"].values()
        raise ValueError(
            f"{folder} holds trainings that other code or other inputs made: "
            f"{'; '.join(differences(common(head.source), last))}. Choose another folder; or say accept=True to have "
            "both in one result, which is recorded"
        )


def pack(values: np.ndarray) -> list:
    """An axis as JSON: numbers as they are; increasing seeds as [first, last] of every run of
    neighbours.
    """
    if values.dtype.kind == "f":
        return values.tolist()
    breaks = np.flatnonzero(np.diff(values) != 1)
    return [
        [int(values[a]), int(values[b])]
        for a, b in zip(np.r_[0, breaks + 1], np.r_[breaks, -1], strict=True)
    ]


def unpack(packed: list) -> np.ndarray:
    """An axis again."""
    if packed and isinstance(packed[0], list):
        return np.concatenate([np.arange(first, last + 1) for first, last in packed])
    return np.asarray(packed)


def axes_of(sweep: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The axes of a sweep and their values, all that was ever asked for."""
    return {axis: unpack(packed) for axis, packed in sweep["axes"].items()}


def read_sweep(folder: Path) -> dict[str, Any]:
    """What sweep.json says.

    Raises:
        FileNotFoundError: no such sweep.
        ValueError: not one of ours, of a newer version, damaged, or edited.
    """
    path = folder / "sweep.json"
    if not path.exists():
        raise FileNotFoundError(f"no sweep at {folder}: there is no {path.name} in it")
    remedy = "put back the file as it was, or compute the sweep again in another folder"
    try:
        found, checked = files.read_json(path)
    except files.DamagedError as error:
        raise files.DamagedError(f"{error}: {remedy}") from None
    written = found.get("format")
    if not isinstance(written, int):
        raise files.DamagedError(f"{path} is damaged, its format is {written!r}: {remedy}")
    if written > FORMAT:
        raise ValueError(
            f"{folder} has format {written}; this version of approx reads up to {FORMAT}: update approx"
        )
    if wrong := wrong_entries(found):
        raise files.DamagedError(
            f"{path} is damaged, its entry {wrong[0]!r} is missing or wrong: {remedy}"
        )
    if written > 1 and not checked:
        raise files.DamagedError(
            f"{path} is damaged or was edited, its digest is missing: {remedy}"
        )
    return found


def wrong_entries(found: Mapping[str, Any]) -> list[str]:
    """Which entries of sweep.json cannot be as they were written, in any format."""
    wrong = [name for name, kind in ENTRIES.items() if not isinstance(found.get(name), kind)]
    if wrong:
        return wrong
    wrong += [
        f"sources {name}"
        for name, about in found["sources"].items()
        if provenance.identity(about)[:16] != name
    ]
    for axis, packed in found["axes"].items():
        try:
            known = len(unpack(packed)) > 0
        except (TypeError, ValueError, IndexError, MemoryError):
            known = False
        wrong += [] if known else [f"axes {axis}"]
    return wrong


def read_coordinates(folder: Path, sources: Mapping[str, Any]) -> xr.Dataset:
    """Record steps and points, checked; those of an earlier version have no checksum.

    Raises:
        ValueError: damaged, or of another sweep.
    """
    path = folder / "coordinates.nc"
    remedy = "delete it, and the same command, with all axes, writes it again"
    try:
        with files.open_netcdf(path) as (opened, sealed):
            points = opened.load()
        written = points.attrs.pop("approx_format", 1)
        files.check_format(path, written, sealed)
    except FileNotFoundError:
        raise files.DamagedError(f"{path} is missing: {remedy}") from None
    except files.DamagedError as error:
        raise files.DamagedError(f"{error}: {remedy}") from None
    its = points.attrs.pop("sources", " ".join(sources)).split()
    if not set(sources) <= set(its):
        raise files.DamagedError(f"{path} is of another sweep: {remedy}")
    return points


def recipes(path: Path) -> dict[Any, Path]:
    """The folder of each recipe in that of a result, in their order; without recipes, {None: path}.

    Raises:
        ValueError: a recipe's folder is missing, or has the name of another recipe.
    """
    inner = {each.parent.name: each.parent for each in sorted(path.glob("*/sweep.json"))}
    # A number has a folder of its digits
    labels = {str(label): label for label in read_labels(path)}
    if (path / "sweep.json").exists() or not (inner or labels):
        return {None: path}
    # First, as one that was renamed is missing under its own name too
    for name, folder in inner.items():
        label = read_sweep(folder).get("label")
        if label not in (None, name):
            raise ValueError(
                f"{folder} holds the trainings of the recipe {label!r}: call it {label!r} again"
            )
    for name in labels:
        if name not in inner:
            raise ValueError(
                f"{path} has nothing of the recipe {name!r}: the same command again computes it; or load the others "
                f"one by one, such as {path / next(iter(inner), name)}"
            )
    return {labels.get(name, name): inner[name] for name in dict.fromkeys([*labels, *inner])}


def read_labels(path: Path) -> list[str | int | float]:
    """The labels of the recipes of a folder, in their order, as the last command had them; [] if it
    has no list.

    Raises:
        ValueError: the list is damaged.
    """
    file = path / "recipes.json"
    remedy = "delete it to have the recipes in alphabetical order; the same command makes it again"
    if not file.exists():
        return []
    try:
        found = json.loads(file.read_bytes())
        found = {"labels": found} if isinstance(found, list) else files.read_json(file)[0]
        labels = found["labels"]
        if not (labels and all(isinstance(label, str | int | float) for label in labels)):
            raise ValueError(f"its labels are {labels!r}")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise files.DamagedError(f"{file} is damaged ({error}): {remedy}") from None
    return labels


def write_labels(path: Path, labels: list) -> None:
    """Write the labels of a folder's recipes, if they are not there already."""
    try:
        same = read_labels(path) == labels
    except files.DamagedError:
        same = False
    if not same:
        files.write_json(path / "recipes.json", {"format": FORMAT, "labels": labels})
