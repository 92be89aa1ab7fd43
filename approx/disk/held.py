"""Blocks on their way, held on disk so that a run that was ended goes on from there."""

import hashlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from approx.disk import files


def hold(
    folder: Path, source: str, which: np.ndarray, begin: int, leaves: list[np.ndarray]
) -> None:
    """Keep a block on its way: what its trainings are (`rows`), the steps made, and its state."""
    arrays: dict[str, Any] = {f"leaf{number}": leaf for number, leaf in enumerate(leaves)}
    file = io.BytesIO()
    np.savez(file, source=np.array(source), which=which, begin=np.array(begin), **arrays)
    files.write_sealed(held_path(folder, which), file.getbuffer())


def held(folder: Path, source: str) -> Iterator[tuple[np.ndarray, int, list[np.ndarray]]]:
    """Blocks on their way: `rows` of their trainings, the steps made, and their state. Those of
    other code are not.
    """
    for path in sorted(folder.glob("held-*.npz")):
        try:
            arrays = read_arrays(path)
            leaves = [arrays[f"leaf{number}"] for number in range(len(arrays) - 3)]
            found = arrays["which"], int(arrays["begin"]), leaves
            its = str(arrays["source"])
        except (files.DamagedError, KeyError, TypeError, ValueError) as error:
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
    content = files.read_sealed(path)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # of zip archives and of arrays in them: a dozen kinds
        raise files.DamagedError(f"{path} is damaged, it holds no arrays ({error})") from None


def release(folder: Path, which: np.ndarray) -> None:
    """Forget a held block that is finished."""
    held_path(folder, which).unlink(missing_ok=True)


def held_path(folder: Path, which: np.ndarray) -> Path:
    """Where a block on its way is held."""
    return folder / f"held-{hashlib.sha256(which.tobytes()).hexdigest()[:16]}.npz"
