"""Disk: one netCDF file per result, with the full identity of the computation in it."""

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

FORMAT = 1  # of the files; a reader refuses newer ones


def save(runs: xr.Dataset, path: str | Path) -> Path:
    """Write a result to one netCDF file, atomically: after a crash there is the old file or the new one, never half.

    Args:
        runs: what `run` gave. path: a file; ".nc" is appended if it has no suffix. Folders are made.

    Raises:
        ValueError: if `runs` has no identity, so could never be trusted again.

    """
    if "identity" not in runs.attrs:
        raise ValueError("this Dataset has no identity: only what ap.run gave can be saved as a result")
    path = Path(path)
    path = path if path.suffix else path.with_suffix(".nc")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        runs.assign_attrs(approx_format=FORMAT).to_netcdf(temporary, engine="h5netcdf")
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file to write, which then takes the place of `path`: there is the old file or the new, never half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: str | Path) -> xr.Dataset:
    """Read a result, whole, into memory.

    Raises:
        FileNotFoundError: no such file. ValueError: a file that is not a result, or a newer format than this version's.

    """
    path = Path(path)
    path = path if path.suffix else path.with_suffix(".nc")
    if not path.exists():
        raise FileNotFoundError(f"no result at {path}: run the experiment that writes it first")
    try:
        with xr.open_dataset(path, engine="h5netcdf") as opened:
            runs = opened.load()
    except Exception as error:
        raise ValueError(f"{path} is not a result: it cannot be read as netCDF ({error})") from error
    written = runs.attrs.pop("approx_format", None)
    if written is None or "identity" not in runs.attrs:
        raise ValueError(f"{path} is not a result: it is netCDF, but ap.save did not write it")
    if written > FORMAT:
        raise ValueError(f"{path} has format {written}; this version of approx reads up to {FORMAT}: update approx")
    return runs


def sync(path: Path) -> None:
    """Have the system put a file's or a folder's contents on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def identity(provenance: Mapping[str, Any]) -> str:
    """The sha256 of everything that decides the bits of a result, in a canonical order."""
    return hashlib.sha256(json.dumps(provenance, sort_keys=True).encode()).hexdigest()


def digest(*arrays: Any) -> str:
    """The sha256 of arrays: shapes, types and bytes."""
    sha = hashlib.sha256()
    for array in map(np.ascontiguousarray, arrays):
        sha.update(f"{array.dtype.str}{array.shape}".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that take part in the numbers."""
    found = {"python": platform.python_version()}
    for name in ("jax", "jaxlib", "optax", "flax", "numpy", "jax-cuda13-plugin", "jax-cuda12-plugin"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """The CPU's model and widest vectors: XLA compiles for them, and calls every one of them `cpu`."""
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return f"{platform.machine()} {platform.processor()}".strip()
    entries = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    entries = {name.strip(): value.strip() for name, value in entries.items()}
    flags = entries.get("flags", "").split()
    vectors = next((name for name in ("avx512f", "avx2", "avx", "sse4_2") if name in flags), "")
    name = entries.get("model name") or platform.machine()
    return f"{name} family {entries.get('cpu family', '?')} model {entries.get('model', '?')} {vectors}".strip()
