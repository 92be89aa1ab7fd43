"""A sweep on disk: a folder with one file per finished chunk of trainings, from which everything can be read again.

    sweep.json        what was asked for, and what decides the bits (`sources`: all but which trainings there are)
    coordinates.nc    record steps, and where the networks are judged
    SOURCE.*.jax      the block's program as JAX exports it; SOURCE.inputs.npz is what all trainings share
    chunk-000007.nc   finished trainings in any order, each with the inputs of its own; whole, or not there
    held-*.npz        a block on its way, which goes on from there
    progress.json     of the run that is at it; lock is held as long as it is

Nothing here is ever unpickled. Files are written under other names and renamed, and say themselves what they are.
"""

import hashlib
import json
import os
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from approx import results, store

FORMAT = 1
WHICH = ("grid", "seeds", "cross", "table")  # entries of a provenance that say which trainings there are
INPUTS = ("training_numbers", "training_streams", "training_params")  # of a chunk's trainings, beside their axes
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


# ---- the folder ----------------------------------------------------------------------------------------------------


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only run that writes to the folder, which is made.

    Raises:
        RuntimeError: another one is at it.
    """
    import fcntl  # of POSIX systems only

    folder.mkdir(parents=True, exist_ok=True)
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


def write(path: Path, content: bytes) -> None:
    """A whole file, or none; after a crash the old one or the new one."""
    with store.replacing(path) as temporary:
        temporary.write_bytes(content)


def common(source: Mapping[str, Any]) -> dict[str, Any]:
    """All of a provenance but which trainings there are."""
    return {name: value for name, value in source.items() if name not in WHICH}


def differences(new: Any, old: Any, name: str = "") -> Iterator[str]:
    """In words, where two provenances differ."""
    if isinstance(new, dict) and isinstance(old, dict):
        for key in dict.fromkeys([*new, *old]):
            yield from differences(new.get(key), old.get(key), f"{name}.{key}" if name else key)
    elif new != old:
        short = [text if len(text := str(value)) < 60 else f"{text[:12]}..." for value in (new, old)]
        yield f"{name} is {short[0]}, was {short[1]}"


def begin(folder: Path, head: Head, accept: bool = False) -> str:
    """Make a sweep of a locked folder, or go on with it; the name of the source that chunks are made from now.

    Raises:
        ValueError: a folder of other things, or of other axes; or of trainings that other programs or inputs made,
            saying in what they differ, unless that is accepted.
    """
    source = common(head.source)
    name = store.identity(source)[:16]
    if not (folder / "sweep.json").exists():
        if others := [other.name for other in folder.iterdir() if not OURS.fullmatch(other.name)]:
            raise ValueError(f"{folder} holds other things ({others[0]}): a sweep needs a folder of its own")
        found: dict[str, Any] = {"format": FORMAT, "created": datetime.now(UTC).isoformat(timespec="seconds")}
        found |= {"entries": list(head.source), "axes": {}, "sources": {}}
        points = head.coordinates
    else:
        found = read_sweep(folder)
        check(folder, found, name, head, accept)
        points = head.coordinates.reset_coords().combine_first(read_coordinates(folder).reset_coords())
        points = points.set_coords(list(points.data_vars))
    before = {axis: unpack(packed) for axis, packed in found["axes"].items()}
    axes = {axis: np.union1d(before.get(axis, values), values) for axis, values in head.axes.items()}
    found |= {"crossed": list(head.source["cross"]), "attributes": head.attributes}
    found["axes"] = {axis: pack(values) for axis, values in axes.items()}
    found["sources"][name] = source
    found["programs"] = found.get("programs", {}) | {name: head.program}
    with store.replacing(folder / "coordinates.nc") as temporary:
        points.to_netcdf(temporary, engine="h5netcdf")
    write(folder / "sweep.json", json.dumps(found, indent=1).encode())
    return name


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
        write(path, made)


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


def read_sweep(folder: Path) -> dict[str, Any]:
    """What sweep.json says.

    Raises:
        FileNotFoundError: no such sweep. ValueError: not one of ours, or of a newer version.
    """
    path = folder / "sweep.json"
    if not path.exists():
        raise FileNotFoundError(f"no sweep at {folder}: there is no {path.name} in it")
    try:
        found = json.loads(path.read_text())
        written = found["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged: {error!r}") from None
    if written > FORMAT:
        raise ValueError(f"{folder} has format {written}; this version of approx reads up to {FORMAT}: update approx")
    return found


def read_coordinates(folder: Path) -> xr.Dataset:
    """Record steps and points."""
    try:
        with xr.open_dataset(folder / "coordinates.nc", engine="h5netcdf") as opened:
            return opened.load()
    except Exception as error:
        raise ValueError(f"{folder / 'coordinates.nc'} is damaged: {error}") from error


# ---- chunks --------------------------------------------------------------------------------------------------------


def paths(folder: Path) -> list[Path]:
    """The chunks, in the order in which they were written."""
    return sorted(folder.glob("chunk-*.nc"), key=lambda path: int(path.stem.partition("-")[2]))


def write_chunk(folder: Path, part: xr.Dataset, source: str) -> Path:
    """Write finished trainings as the next chunk."""
    *_, last = [-1, *(int(path.stem.partition("-")[2]) for path in paths(folder))]
    path = folder / f"chunk-{last + 1:06d}.nc"
    marks = {"approx_format": FORMAT, "source": source, "chunk": path.name, "diverged": diverged(part)}
    part = part.assign_attrs(marks)
    part = part.assign_attrs(digest=digest(part))
    with store.replacing(path) as temporary:
        part.to_netcdf(temporary, engine="h5netcdf")
    return path


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


def read_chunk(path: Path, sources: Mapping[str, Any]) -> xr.Dataset:
    """One chunk, whole and checked.

    Raises:
        ValueError: what is damaged, of another place, or of another sweep, by name, and what to do.
    """
    remedy = "delete it, and the same command computes its trainings again"
    try:
        with xr.open_dataset(path, engine="h5netcdf") as opened:
            part = opened.load()
        written = part.attrs["digest"], part.attrs["source"], part.attrs["chunk"]
    except Exception as error:
        raise ValueError(f"{path} is damaged, it cannot be read ({error}): {remedy}") from error
    if written[1] not in sources:
        raise ValueError(f"{path} is of another sweep: {remedy}")
    if written[2] != path.name:
        raise ValueError(f"{path} was written as {written[2]}: name it so again, or {remedy}")
    if written[0] != digest(part):
        raise ValueError(f"{path} is damaged, its contents are not those that were written: {remedy}")
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


# ---- blocks on their way -------------------------------------------------------------------------------------------


def hold(folder: Path, source: str, which: np.ndarray, begin: int, leaves: list[np.ndarray]) -> None:
    """Keep a block on its way: what its trainings are (`rows`), the steps made, and its state."""
    path = held_path(folder, which)
    with store.replacing(path) as temporary, temporary.open("wb") as file:
        arrays: dict[str, Any] = {f"leaf{number}": leaf for number, leaf in enumerate(leaves)}
        np.savez(file, source=np.array(source), which=which, begin=np.array(begin), **arrays)


def held(folder: Path, source: str) -> Iterator[tuple[np.ndarray, int, list[np.ndarray]]]:
    """Blocks on their way: `rows` of their trainings, the steps made, and their state. Those of other code are not."""
    for path in sorted(folder.glob("held-*.npz")):
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}  # zip files check their contents
            leaves = [arrays[f"leaf{number}"] for number in range(len(arrays) - 3)]
            found = arrays["which"], int(arrays["begin"]), leaves
            if str(arrays["source"]) == source:
                yield found
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            warnings.warn(f"{path} is damaged ({error}): its trainings begin anew", stacklevel=2)
            path.unlink()


def release(folder: Path, which: np.ndarray) -> None:
    """Forget a held block that is finished."""
    held_path(folder, which).unlink(missing_ok=True)


def held_path(folder: Path, which: np.ndarray) -> Path:
    """Where a block on its way is held."""
    return folder / f"held-{hashlib.sha256(which.tobytes()).hexdigest()[:16]}.npz"


# ---- reading it all ------------------------------------------------------------------------------------------------


def load(path: str | Path, lazy: bool = False, partial: bool = False) -> xr.Dataset:
    """Read a result: a file that `save` wrote, or a folder that `run(out=...)` wrote.

    Args:
        path: the file, or the folder; of a folder of several recipes, all of them.
        lazy: of a folder, arrays that are read when they are used (needs dask: `pip install ".[cluster]"` in a clone).
        partial: of a folder of an unfinished sweep, only the seeds that are finished in all cells.

    Raises:
        FileNotFoundError: no such result. ValueError: not a result; damaged, saying which file; an unfinished sweep.
    """
    path = Path(path)
    if not path.is_dir():
        return store.load(path)
    inner = sorted(each.parent for each in path.glob("*/sweep.json"))
    if not (path / "sweep.json").exists() and inner:
        order = json.loads((path / "recipes.json").read_text()) if (path / "recipes.json").exists() else []
        labels = {str(label): label for label in order}
        names = [*labels]
        inner.sort(key=lambda folder: names.index(folder.name) if folder.name in names else len(names))
        return results.join(
            {labels.get(folder.name, folder.name): assemble(folder, None, lazy, partial) for folder in inner}
        )
    return assemble(path, None, lazy, partial)


def assemble(
    folder: Path, axes: Mapping[str, np.ndarray] | None = None, lazy: bool = False, partial: bool = False
) -> xr.Dataset:
    """All trainings of a folder on their axes, by default all that was ever asked for, in increasing order."""
    sweep, files = read_sweep(folder), paths(folder)
    axes = {axis: unpack(packed) for axis, packed in sweep["axes"].items()} if axes is None else dict(axes)
    place, numbers = survey(files, axes)
    if (place < 0).any():
        here, whole = int((place >= 0).sum()), place.size
        axes, place, numbers = restrict(axes, place, numbers) if partial else (axes, place[..., :0], numbers)
        if not place.size:
            raise ValueError(
                f"{folder} has {here:,} of {whole:,} trainings: the same command again goes on with it; "
                "partial=True loads those seeds that are finished everywhere"
            )
    read = read_lazily if lazy else read_now
    variables = read(files, sweep["sources"], axes, place)
    points = read_coordinates(folder)
    points = points.sel({axis: values for axis, values in axes.items() if axis in points.dims})
    source = whole_source(sweep, axes, numbers)
    attributes = {"identity": store.identity(source), "provenance": json.dumps(source), "created": sweep["created"]}
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


def survey(files: list[Path], axes: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Which of all stored trainings stands where, -1 for none, and the numbers it was made with."""
    shape = tuple(map(len, axes.values()))
    place, numbers, count = np.full(shape, -1, np.int64), np.zeros((*shape, 0)), 0
    for path in files:
        try:
            with xr.open_dataset(path, engine="h5netcdf") as opened:
                part = opened[[*axes, INPUTS[0]]].load()
        except Exception as error:
            raise ValueError(f"{path} is damaged, it cannot be read ({error}); approx verify tells more") from error
        at, inside = positions(axes, part)
        if (place[at] >= 0).any():
            raise ValueError(f"{path} holds trainings that another chunk has too, made with other inputs: choose one")
        place[at] = count + np.flatnonzero(inside)
        count += len(inside)
        own = part[INPUTS[0]].values[inside]
        numbers = numbers if numbers.shape[-1] else np.zeros((*shape, own.shape[1]), own.dtype)
        numbers[at] = own
    return place, numbers


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
    files: list[Path], sources: Mapping, axes: Mapping[str, np.ndarray], place: np.ndarray
) -> dict[str, Any]:
    """Every variable, as an array of dask's: a chunk is read, and checked, when it is needed."""
    try:
        import dask
        import dask.array as da
    except ImportError as error:
        raise ImportError(
            'lazy=True needs dask: pip install ".[cluster]" in a clone of approx, or load it whole'
        ) from error
    with xr.open_dataset(files[0], engine="h5netcdf") as first:
        shapes = {
            name: first[name].variable.load() if "training" not in first[name].dims else first[name].variable
            for name in kept(first, axes)
        }
    counts = []
    for path in files:
        with xr.open_dataset(path, engine="h5netcdf") as opened:
            counts.append(opened.sizes["training"])
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
        "seeds": results.describe_seeds(axes["seed"]),
        "cross": {name: results.describe_seeds(axes[axis]) for axis, name in crossed.items()},
        "table": store.digest(cells.reshape(-1, numbers.shape[-1])),
    }
    source = {entry: which[entry] if entry in WHICH else last[entry] for entry in sweep["entries"]}
    return source | ({"accepted": others} if others else {})
