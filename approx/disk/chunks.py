"""A sweep on disk: a folder with one file per finished chunk of trainings, from which everything can be read again.

    sweep.json        what was asked for, and what decides the bits (`sources`: all but which trainings there are)
    coordinates.nc    record steps, and where the networks are judged
    SOURCE.*.jax      the block's program as JAX exports it; SOURCE.inputs.npz is what all trainings share
    chunk-000007.nc   finished trainings in any order, each with the inputs of its own; whole, or not there
    held-*.npz        a block on its way, which goes on from there
    progress.json     of the run that is at it; lock is held as long as it is

Nothing here is ever unpickled. Files are written under other names and renamed, and say themselves what they are.
Each holds a checksum of what it says (`store.write_sealed`, `store.write_json`), which is checked when it is read; only
progress.json and the lock, from which no number comes, have none.
"""

import hashlib
import io
import json
import os
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from approx.disk import store
from approx.sweep import provenance, results
from approx.sweep.provenance import WHICH, common, differences

FORMAT = 2  # of a folder; a reader refuses newer ones. In format 1 only chunks have a digest


INPUTS = ("training_numbers", "training_streams", "training_params")  # of a chunk's trainings, beside their axes


ENTRIES = {"entries": list, "axes": dict, "sources": dict, "attributes": dict, "crossed": list, "created": str}


LONGEST_NAME = 255  # bytes, of file systems in use


AGAIN = "delete it, and the same command computes its trainings again"


OURS = re.compile(r"lock|coordinates\.nc|progress\.json|\w{16}\.((start|advance)\.jax|inputs\.npz)|held-.*|\..*\.tmp")


class Head(NamedTuple):
    """What a sweep's folder says besides its chunks.

    Attributes:
        source: provenance of what is asked for. axes: its axes and their values.
        coordinates: record steps, and where the networks are judged. attributes: further ones of results.
        program: of the exported one: which variables its arrays become, and which of their axes is the lanes'.
    """

    source: dict[str, Any]
    axes: dict[str, np.ndarray]
    coordinates: xr.Dataset
    attributes: dict[str, Any]
    program: dict[str, Any]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only run that writes to the folder, which is made; one that may only be read needs no lock.

    Raises:
        RuntimeError: another one is at it. OSError: the folder cannot be made, or may not be written to and is empty.
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


write = store.write  # of files from which no number comes


def is_writable(folder: Path) -> bool:
    """Whether a run could write to the folder, which is there."""
    lock = folder / "lock"
    return os.access(folder, os.W_OK | os.X_OK) and (not lock.exists() or os.access(lock, os.W_OK))


def check_place(folder: Path) -> None:
    """Make a folder for a sweep, unless it is there; one with a sweep in it may be read-only.

    Raises:
        OSError: it cannot be made, or nothing is in it and it may not be written to.
    """
    store.make_folder(folder)
    if not is_writable(folder) and not (folder / "sweep.json").exists():
        raise PermissionError(f"{folder} may not be written to: choose another folder, or change its permissions")


def check_labels(out: Path, labels: list[str]) -> None:
    """Refuse labels of recipes that cannot be the names of folders beside each other.

    Raises:
        ValueError: naming the label, and what is wrong with it.
    """
    if (out / "sweep.json").exists():
        raise ValueError(f"{out} holds the sweep of a single recipe without a label: choose another folder for several")
    seen: dict[str, str] = {}
    for label in labels:
        about = f"the recipe {label[:60]!r} gets a folder of its own in {out}: call it so that it can be a name"
        if not (re.fullmatch(r"[^/\\.][^/\\]*", label) and label.isprintable()):
            raise ValueError(f"{about}, without slashes, a dot in front, or characters that do not print")
        if len(os.fsencode(label)) > LONGEST_NAME:
            raise ValueError(f"{about}, of at most {LONGEST_NAME} bytes; it has {len(os.fsencode(label))}")
        if label in ("sweep.json", "recipes.json"):
            raise ValueError(f"{about}, which is not that of a file of ours")
        alike = seen.setdefault(unicodedata.normalize("NFKC", label).casefold(), label)
        if alike != label:
            raise ValueError(f"{about}; it differs from {alike!r} only in what some systems' names do not tell apart")


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


def begin(folder: Path, head: Head, accept: bool = False, label: str | None = None, selective: bool = False) -> str:
    """Make a sweep of a locked folder, or go on with it; the name of the source that chunks are made from now.

    `label` is that of the recipe, if the folder is one of several. `selective` says that trainings are chosen one by
    one, as a refined map does: then not all that the axes span are wanted.

    Raises:
        ValueError: a folder of other things, or of other axes; or of trainings that other programs or inputs made,
            saying in what they differ, unless that is accepted.
    """
    source = common(head.source)
    name = provenance.identity(source)[:16]
    if not (folder / "sweep.json").exists():
        if others := [other.name for other in folder.iterdir() if not OURS.fullmatch(other.name)]:
            raise ValueError(f"{folder} holds other things ({others[0]}): a sweep needs a folder of its own")
        found: dict[str, Any] = {"created": datetime.now(UTC).isoformat(timespec="seconds")}
        found |= {"entries": list(head.source), "axes": {}, "sources": {}}
        points = head.coordinates
    else:
        found = read_sweep(folder)
        check(folder, found, name, head, accept)
        points = all_points(folder, found, head)
    earlier = axes_of(found)
    axes = {axis: np.union1d(earlier.get(axis, values), values) for axis, values in head.axes.items()}
    called = None if label is None else str(label)  # a number's folder is called by its digits
    found |= {"format": FORMAT, "label": called, "selective": selective}
    found |= {"crossed": list(head.source["cross"]), "attributes": head.attributes}
    found["axes"] = {axis: pack(values) for axis, values in axes.items()}
    found["sources"][name] = source
    found["programs"] = found.get("programs", {}) | {name: head.program}
    write_coordinates(folder, points, list(found["sources"]))
    store.write_json(folder / "sweep.json", found)
    return name


def all_points(folder: Path, found: Mapping[str, Any], head: Head) -> xr.Dataset:
    """The coordinates that the folder has, and those of what is asked for now.

    Raises:
        ValueError: they are damaged; or they are missing, and not all axes are asked for, so that they cannot be made.
    """
    asked = {axis: np.isin(unpack(packed), head.axes[axis]).all() for axis, packed in found["axes"].items()}
    if not (folder / "coordinates.nc").exists() and all(asked.values()):
        return head.coordinates
    before = read_coordinates(folder, found["sources"]).reset_coords()
    points = head.coordinates.reset_coords().combine_first(before)
    return points.set_coords(list(points.data_vars))


def write_coordinates(folder: Path, points: xr.Dataset, sources: list[str]) -> None:
    """Write where the networks are judged, and of which sources' trainings."""
    marks = {"approx_format": FORMAT, "sources": " ".join(sources)}
    store.write_netcdf(folder / "coordinates.nc", points.assign_attrs(marks))


def write_files(folder: Path, name: str, files: Mapping[str, Callable[[], bytes]]) -> None:
    """Make those further files of a source that are not there; a program that JAX cannot export is warned of."""
    for end, content in files.items():
        path = folder / f"{name}.{end}"
        if path.exists():
            continue
        try:
            made = content()
        except Exception as error:  # whatever a user's own functions hold
            warnings.warn(f"{path.name} cannot be made, so `verify` will not compute again: {error}", stacklevel=2)
            continue
        store.write_sealed(path, made)


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
    """An axis as JSON: numbers as they are; increasing seeds as [first, last] of every run of neighbours."""
    if values.dtype.kind == "f":
        return values.tolist()
    breaks = np.flatnonzero(np.diff(values) != 1)
    return [[int(values[a]), int(values[b])] for a, b in zip(np.r_[0, breaks + 1], np.r_[breaks, -1], strict=True)]


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
        found, checked = store.read_json(path)
    except store.DamagedError as error:
        raise store.DamagedError(f"{error}: {remedy}") from None
    written = found.get("format")
    if not isinstance(written, int):
        raise store.DamagedError(f"{path} is damaged, its format is {written!r}: {remedy}")
    if written > FORMAT:
        raise ValueError(f"{folder} has format {written}; this version of approx reads up to {FORMAT}: update approx")
    if wrong := wrong_entries(found):
        raise store.DamagedError(f"{path} is damaged, its entry {wrong[0]!r} is missing or wrong: {remedy}")
    if written > 1 and not checked:
        raise store.DamagedError(f"{path} is damaged or was edited, its digest is missing: {remedy}")
    return found


def wrong_entries(found: Mapping[str, Any]) -> list[str]:
    """Which entries of sweep.json cannot be as they were written, in any format."""
    wrong = [name for name, kind in ENTRIES.items() if not isinstance(found.get(name), kind)]
    if wrong:
        return wrong
    wrong += [f"sources {name}" for name, about in found["sources"].items() if provenance.identity(about)[:16] != name]
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
        with store.open_netcdf(path) as (opened, sealed):
            points = opened.load()
        written = points.attrs.pop("approx_format", 1)
        store.check_format(path, written, sealed)
    except FileNotFoundError:
        raise store.DamagedError(f"{path} is missing: {remedy}") from None
    except store.DamagedError as error:
        raise store.DamagedError(f"{error}: {remedy}") from None
    its = points.attrs.pop("sources", " ".join(sources)).split()
    if not set(sources) <= set(its):
        raise store.DamagedError(f"{path} is of another sweep: {remedy}")
    return points


def paths(folder: Path) -> list[Path]:
    """The chunks, in the order in which they were written."""
    return sorted(folder.glob("chunk-*.nc"), key=lambda path: int(path.stem.partition("-")[2]))


def write_chunk(folder: Path, part: xr.Dataset, source: str) -> Path:
    """Write finished trainings as the next chunk."""
    *_, last = [-1, *(int(path.stem.partition("-")[2]) for path in paths(folder))]
    path = folder / f"chunk-{last + 1:06d}.nc"
    marks = {"approx_format": FORMAT, "source": source, "chunk": path.name, "diverged": diverged(part)}
    marks["index"] = " ".join(index_names(part))
    part = part.assign_attrs(marks)
    store.write_netcdf(path, part.assign_attrs(digest=digest(part), index_digest=index_digest(part)))
    return path


def index_names(part: xr.Dataset) -> list[str]:
    """Names of what says which trainings a chunk has: their places on the axes, and their inputs."""
    return [str(name) for name in part.variables if name in INPUTS or part[name].dims == ("training",)]


def diverged(part: xr.Dataset) -> int:
    """How many trainings end without a finite loss."""
    return int((~np.isfinite(part.loss.isel(step=-1))).sum())


def digest(part: xr.Dataset) -> str:
    """Of a chunk's names, shapes, types and bytes, and of whose chunk it is: BLAKE2, which is faster than sha256."""
    found = hashlib.blake2b(f"{part.attrs['source']} {part.attrs['chunk']}".encode(), digest_size=32)
    for name in sorted(map(str, part.variables)):
        values = np.ascontiguousarray(part[name].values)
        found.update(f"{name} {part[name].dims} {values.dtype.str} {values.shape}".encode())
        found.update(values.reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def index_digest(part: xr.Dataset) -> str:
    """`digest` of what says which trainings a chunk has, which can be read and checked without the rest."""
    marks = [f"{name} {part.attrs[name]}" for name in ("source", "chunk", "diverged", "index")]
    index = part[part.attrs["index"].split()]
    return hashlib.blake2b(f"{marks} {digest(index)}".encode(), digest_size=32).hexdigest()


def read_chunk(path: Path, sources: Mapping[str, Any], thorough: bool = False) -> xr.Dataset:
    """One chunk, whole and checked: by the file's checksum, and if `thorough` by the digest of its contents too.

    Raises:
        ValueError: what is damaged, of another place, of another sweep, or of a newer version, by name, and what to do.
    """
    try:
        with store.open_netcdf(path) as (opened, sealed):
            part = opened.load()
        check_marks(path, part.attrs, sealed, sources)
        if (thorough or not sealed) and part.attrs["digest"] != digest(part):
            raise store.DamagedError(f"{path} is damaged, its contents are not those that were written")
    except store.DamagedError as error:
        raise remedied(error) from None
    return part


def check_marks(path: Path, marks: Mapping[str, Any], sealed: bool, sources: Mapping[str, Any]) -> None:
    """Refuse a chunk of a newer version, of another sweep or of another place."""
    if lost := {"approx_format", "source", "chunk", "digest"} - marks.keys():
        raise store.DamagedError(f"{path} is damaged, it does not say its {min(lost)}")
    store.check_format(path, marks["approx_format"], sealed)
    if marks["source"] not in sources:
        raise store.DamagedError(f"{path} is of another sweep")
    if marks["chunk"] != path.name:
        raise store.DamagedError(f"{path} was written as {marks['chunk']}: name it so again, or {AGAIN}")


def remedied(error: Exception) -> store.DamagedError:
    """What is wrong with a chunk, and what to do."""
    said = str(error)
    return store.DamagedError(said if said.endswith(AGAIN) else f"{said}: {AGAIN}")


def read_index(path: Path, sources: Mapping[str, Any]) -> xr.Dataset:
    """Of a chunk what says which trainings it has; of one of format 1 all, as it has but one digest.

    All bytes of the file are checked before HDF5 sees any of them, as HDF5 may never come back from damaged ones.

    Raises:
        ValueError: as `read_chunk`.
    """
    try:
        with store.open_netcdf(path) as (opened, sealed):
            marks = opened.attrs
            part = opened[marks.get("index", "").split()].load()
        if "index" not in marks:
            return read_chunk(path, sources)
        check_marks(path, marks, sealed, sources)
        if marks.get("index_digest") != index_digest(part):
            raise store.DamagedError(f"{path} is damaged, its contents are not those that were written")
    except store.DamagedError as error:
        raise remedied(error) from None
    return part


def rows(numbers: np.ndarray, streams: np.ndarray, params: np.ndarray) -> np.ndarray:
    """What makes each training what it is, one string of bytes each, to find them by."""
    parts: list[np.ndarray] = [numbers.astype(np.float64), streams.astype(np.uint32), params.astype(np.int64)[:, None]]
    joined = np.concatenate([np.ascontiguousarray(part).view(np.uint8) for part in parts], 1)
    return joined.view(f"S{joined.shape[1]}").ravel()


def done(folder: Path) -> np.ndarray:
    """`rows` of all trainings that are finished; every chunk is read and checked."""
    sources = read_sweep(folder)["sources"]
    parts = [rows(*(part[name].values for name in INPUTS)) for part in (read_chunk(p, sources) for p in paths(folder))]
    return np.concatenate(parts) if parts else np.empty(0, "S1")


def hold(folder: Path, source: str, which: np.ndarray, begin: int, leaves: list[np.ndarray]) -> None:
    """Keep a block on its way: what its trainings are (`rows`), the steps made, and its state."""
    arrays: dict[str, Any] = {f"leaf{number}": leaf for number, leaf in enumerate(leaves)}
    file = io.BytesIO()
    np.savez(file, source=np.array(source), which=which, begin=np.array(begin), **arrays)
    store.write_sealed(held_path(folder, which), file.getbuffer())


def held(folder: Path, source: str) -> Iterator[tuple[np.ndarray, int, list[np.ndarray]]]:
    """Blocks on their way: `rows` of their trainings, the steps made, and their state. Those of other code are not."""
    for path in sorted(folder.glob("held-*.npz")):
        try:
            arrays = read_arrays(path)
            leaves = [arrays[f"leaf{number}"] for number in range(len(arrays) - 3)]
            found = arrays["which"], int(arrays["begin"]), leaves
            its = str(arrays["source"])
        except (store.DamagedError, KeyError, TypeError, ValueError) as error:
            warnings.warn(f"{path} is damaged ({error}): its trainings begin anew", stacklevel=2)
            path.unlink()
            continue
        if its == source:
            yield found


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an npz file, checked.

    Raises:
        DamagedError: whatever is wrong with its contents. OSError: it cannot be opened.
    """
    content = store.read_sealed(path)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # of zip archives and of arrays in them: a dozen kinds
        raise store.DamagedError(f"{path} is damaged, it holds no arrays ({error})") from None


def release(folder: Path, which: np.ndarray) -> None:
    """Forget a held block that is finished."""
    held_path(folder, which).unlink(missing_ok=True)


def held_path(folder: Path, which: np.ndarray) -> Path:
    """Where a block on its way is held."""
    return folder / f"held-{hashlib.sha256(which.tobytes()).hexdigest()[:16]}.npz"


def load(path: str | Path, lazy: bool = False, partial: bool = False) -> xr.Dataset:
    """Read a result: a file that `save` wrote, or a folder that `run(out=...)` wrote.

    Every byte that a number comes from is checked when it is read. With `lazy`, all files are checked at once, without
    keeping their contents, and each again when an array of it is used.

    Args:
        path: the file, or the folder; of a folder of several recipes, all of them.
        lazy: of a folder, arrays that are read when they are used (needs dask: `pip install ".[cluster]"` in a clone).
        partial: of a folder of an unfinished sweep, only the seeds that are finished in all cells.

    Raises:
        FileNotFoundError: no such result.
        ValueError: not a result; damaged, saying which file and what to do; an unfinished sweep.

    Example:
        >>> runs = ap.load("results/hat.nc")
    """
    path = Path(path)
    if not path.is_dir():
        return store.load(path)
    folders = recipes(path)
    for folder in folders.values():
        say_unchecked(folder)
    return results.join({label: assemble(folder, None, lazy, partial) for label, folder in folders.items()})


def recipes(path: Path) -> dict[Any, Path]:
    """The folder of each recipe in that of a result, in their order; without recipes, {None: path}.

    Raises:
        ValueError: a recipe's folder is missing, or has the name of another recipe.
    """
    inner = {each.parent.name: each.parent for each in sorted(path.glob("*/sweep.json"))}
    labels = {str(label): label for label in read_labels(path)}  # a number has a folder of its digits
    if (path / "sweep.json").exists() or not (inner or labels):
        return {None: path}
    for name, folder in inner.items():  # first, as one that was renamed is missing under its own name too
        label = read_sweep(folder).get("label")
        if label not in (None, name):
            raise ValueError(f"{folder} holds the trainings of the recipe {label!r}: call it {label!r} again")
    for name in labels:
        if name not in inner:
            raise ValueError(
                f"{path} has nothing of the recipe {name!r}: the same command again computes it; or load the others "
                f"one by one, such as {path / next(iter(inner), name)}"
            )
    return {labels.get(name, name): inner[name] for name in dict.fromkeys([*labels, *inner])}


def read_labels(path: Path) -> list[str | int | float]:
    """The labels of the recipes of a folder, in their order, as the last command had them; [] if it has no list.

    Raises:
        ValueError: the list is damaged.
    """
    file = path / "recipes.json"
    remedy = "delete it to have the recipes in alphabetical order; the same command makes it again"
    if not file.exists():
        return []
    try:
        found = json.loads(file.read_bytes())
        found = {"labels": found} if isinstance(found, list) else store.read_json(file)[0]
        labels = found["labels"]
        if not (labels and all(isinstance(label, str | int | float) for label in labels)):
            raise ValueError(f"its labels are {labels!r}")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise store.DamagedError(f"{file} is damaged ({error}): {remedy}") from None
    return labels


def write_labels(path: Path, labels: list) -> None:
    """Write the labels of a folder's recipes, if they are not there already."""
    try:
        same = read_labels(path) == labels
    except store.DamagedError:
        same = False
    if not same:
        store.write_json(path / "recipes.json", {"format": FORMAT, "labels": labels})


def say_unchecked(folder: Path) -> None:
    """Say of a sweep of an earlier version that damage to some of its files cannot be seen."""
    if read_sweep(folder)["format"] < 2:
        warnings.warn(
            f"{folder} was written by an earlier version: sweep.json and coordinates.nc have no checksum, so damage "
            "to them would not be seen; the same command again adds them",
            stacklevel=3,
        )


def assemble(
    folder: Path, axes: Mapping[str, np.ndarray] | None = None, lazy: bool = False, partial: bool = False
) -> xr.Dataset:
    """All trainings of a folder on their axes, by default all that was ever asked for, in increasing order."""
    sweep, files = read_sweep(folder), paths(folder)
    points = read_coordinates(folder, sweep["sources"])
    axes = axes_of(sweep) if axes is None else dict(axes)
    place, numbers, counts = survey(files, sweep["sources"], axes)
    if (place < 0).any():
        here, whole = int((place >= 0).sum()), place.size
        axes, place, numbers = restrict(axes, place, numbers) if partial else (axes, place[..., :0], numbers)
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
        raise ValueError(f"{folder / 'coordinates.nc'} is of another sweep: it has no {error}") from None
    source = whole_source(sweep, axes, numbers)
    attributes = {
        "identity": provenance.identity(source),
        "provenance": json.dumps(source),
        "created": sweep["created"],
    }
    named = {axis: (axis, values) for axis, values in axes.items()}
    return results.finished(xr.Dataset(variables, named | dict(points.coords), attributes | sweep["attributes"]))


def positions(axes: Mapping[str, np.ndarray], part: xr.Dataset) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Where a chunk's trainings stand on the axes, and which of them do."""
    inside, found = np.ones(part.sizes["training"], bool), []
    for axis, values in axes.items():
        order = np.argsort(values, kind="stable")
        at = order[np.searchsorted(values, part[axis].values, sorter=order).clip(max=len(values) - 1)]
        inside &= values[at] == part[axis].values
        found.append(at)
    return tuple(at[inside] for at in found), inside


def survey(
    files: list[Path], sources: Mapping[str, Any], axes: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Which of all stored trainings stands where, -1 for none, the numbers it was made with, and each file's count."""
    shape = tuple(map(len, axes.values()))
    place, numbers = np.full(shape, -1, np.int64), np.zeros((*shape, 0))
    counts: list[int] = []
    for path in files:
        part = read_index(path, sources)
        at, inside = positions(axes, part)
        if (place[at] >= 0).any():
            raise ValueError(f"{path} holds trainings that another chunk has too, made with other inputs: choose one")
        place[at] = sum(counts) + np.flatnonzero(inside)
        counts.append(len(inside))
        own = part[INPUTS[0]].values[inside]
        numbers = numbers if numbers.shape[-1] else np.zeros((*shape, own.shape[1]), own.dtype)
        numbers[at] = own
    return place, numbers, counts


def restrict(axes: Mapping[str, np.ndarray], place: np.ndarray, numbers: np.ndarray) -> tuple[dict, Any, Any]:
    """The seeds, the last axis, that are there in all cells."""
    whole = (place >= 0).all(tuple(range(place.ndim - 1)))
    return dict(axes) | {"seed": axes["seed"][whole]}, place[..., whole], numbers[..., whole, :]


def read_now(files: list[Path], sources: Mapping, axes: Mapping[str, np.ndarray], place: np.ndarray) -> dict[str, Any]:
    """Every variable, in memory; two chunks are there besides, one of them being read."""
    found: dict[str, Any] = {}
    for part in ahead(lambda path: read_chunk(path, sources), files):
        at, inside = positions(axes, part)
        flat = np.ravel_multi_index(at, place.shape)
        where = slice(flat[0], flat[0] + len(flat)) if len(flat) and (np.diff(flat) == 1).all() else flat
        for name in kept(part, axes):
            values = part[name]
            dims = (*axes, *(dim for dim in values.dims if dim != "training"))
            if "training" not in values.dims:
                found[name] = (dims, np.broadcast_to(values.values, (*place.shape, *values.shape)), values.attrs)
                continue
            if name not in found:
                found[name] = (dims, np.empty((*place.shape, *values.shape[1:]), values.dtype), values.attrs)
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
    files: list[Path], sources: Mapping, axes: Mapping[str, np.ndarray], place: np.ndarray, counts: list[int]
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
        found[name] = ((*axes, *like.dims[1:]), values.reshape(*place.shape, *like.shape[1:]), like.attrs)
    return found


def whole_source(sweep: Mapping[str, Any], axes: Mapping[str, np.ndarray], numbers: np.ndarray) -> dict[str, Any]:
    """The provenance that a run in memory would have; with all sources, if others were accepted."""
    *others, last = sweep["sources"].values()
    crossed = {f"{name}_seed": name for name in sweep["crossed"]}
    cells = numbers[(*(slice(None) if axis not in (*crossed, "seed") else 0 for axis in axes), slice(None))]
    which = {
        "grid": {axis: values.tolist() for axis, values in axes.items() if axis not in (*crossed, "seed")},
        "seeds": provenance.describe_seeds(axes["seed"]),
        "cross": {name: provenance.describe_seeds(axes[axis]) for axis, name in crossed.items()},
        "table": provenance.digest(cells.reshape(-1, numbers.shape[-1])),
    }
    source = {entry: which[entry] if entry in WHICH else last[entry] for entry in sweep["entries"]}
    return source | ({"accepted": others} if others else {})
