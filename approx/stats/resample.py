"""Statistics of large grids, some thousand cells at a time, so that memory stays bounded."""

from collections.abc import Callable, Sequence

import numpy as np

CELLS_AT_ONCE = 4096


def by_chunks(
    func: Callable[..., tuple[np.ndarray, ...]], *arrays: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Call a function on a large grid of samples, at most `CELLS_AT_ONCE` cells at a time.

    Args:
        func: takes arrays (cells, n) and returns arrays (cells, *rest).
        arrays: samples (..., n); the leading axes are the grid.

    Returns:
        The function's results, each of shape (..., *rest).
    """
    shape = arrays[0].shape[:-1]
    cells = int(np.prod(shape))
    n = arrays[0].shape[-1]
    flat = []
    for array in arrays:
        whole = np.broadcast_to(array, arrays[0].shape)
        flat.append(whole.reshape(cells, n))
    parts = []
    for start in range(0, max(cells, 1), CELLS_AT_ONCE):
        end = start + CELLS_AT_ONCE
        samples = [array[start:end] for array in flat]
        parts.append(func(*samples))
    return tuple(_joined(column, shape) for column in zip(*parts, strict=True))


def stacked(rows: Sequence[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    """The columns of a list of rows, each column stacked along a new last axis."""
    columns = zip(*rows, strict=True)
    return tuple(np.stack(column, -1) for column in columns)


def _joined(parts: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """The results of all chunks, one after another, in the shape of the grid."""
    joined = np.concatenate(parts)
    return joined.reshape((*shape, *joined.shape[1:]))
