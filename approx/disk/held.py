"""Held blocks: blocks that are not finished, kept on disk.

A later run goes on from there.
"""

import hashlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from approx.disk import files
from approx.disk.seals import DamagedError, read_sealed


class HeldBlock(NamedTuple):
    """A block that is not finished.

    Attributes:
        rows: `chunks.rows` of its trainings.
        begin: how many steps have been made.
        leaves: the arrays of its state, in the order of `jax.tree.leaves`.
    """

    rows: np.ndarray
    begin: int
    leaves: list[np.ndarray]


def hold(
    folder: Path, source: str, which: np.ndarray, begin: int, leaves: list[np.ndarray]
) -> None:
    """Keep a block that is not finished.

    Args:
        folder: that of the sweep.
        source: the name of the source that its trainings are of.
        which: `chunks.rows` of its trainings.
        begin: how many steps have been made.
        leaves: the arrays of its state.
    """
    arrays: dict[str, Any] = {f"leaf{number}": leaf for number, leaf in enumerate(leaves)}
    file = io.BytesIO()
    np.savez(file, source=np.array(source), which=which, begin=np.array(begin), **arrays)
    files.write_sealed(held_path(folder, which), file.getbuffer())


def held(folder: Path, source: str) -> Iterator[HeldBlock]:
    """Read the held blocks of one source; those of other sources are left where they are.

    A damaged file is deleted, with a warning: its trainings begin anew.
    """
    for path in sorted(folder.glob("held-*.npz")):
        try:
            its_source, block = read_block(path)
        except (DamagedError, KeyError, TypeError, ValueError) as error:
            warnings.warn(f"{path} is damaged ({error}): its trainings begin anew", stacklevel=2)
            path.unlink()
            continue
        if its_source == source:
            yield block


def read_block(path: Path) -> tuple[str, HeldBlock]:
    """Read a held block, and the name of its source.

    Raises:
        DamagedError, KeyError, TypeError, ValueError: the file is not as `hold` wrote it.
    """
    arrays = read_arrays(path)
    count = len(arrays) - 3  # besides source, which and begin
    leaves = [arrays[f"leaf{number}"] for number in range(count)]
    return str(arrays["source"]), HeldBlock(arrays["which"], int(arrays["begin"]), leaves)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of an npz file, and check it.

    Raises:
        DamagedError: whatever is wrong with the file's contents.
        OSError: the file cannot be opened.
    """
    content = read_sealed(path)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # zip archives and arrays in them raise a dozen kinds
        raise DamagedError(f"{path} is damaged, it holds no arrays ({error})") from None


def release(folder: Path, which: np.ndarray) -> None:
    """Delete the file of a held block that is finished, if there is one."""
    held_path(folder, which).unlink(missing_ok=True)


def held_path(folder: Path, which: np.ndarray) -> Path:
    """The file of a held block, which is named after its trainings."""
    name = hashlib.sha256(which.tobytes()).hexdigest()[:16]
    return folder / f"held-{name}.npz"
