"""Statistics of large grids, some thousand cells at a time, so that memory stays bounded."""

from collections.abc import Callable

import numpy as np

CELLS_AT_ONCE = 4096


def by_chunks(
    func: Callable[..., tuple[np.ndarray, ...]], *arrays: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Call `func` on arrays (cells, n) made of arrays (..., n), some thousand cells at a time;
    results (..., *rest).
    """
    shape = arrays[0].shape[:-1]
    cells = int(np.prod(shape))
    flat = [
        np.broadcast_to(array, arrays[0].shape).reshape(cells, arrays[0].shape[-1])
        for array in arrays
    ]
    starts = range(0, max(cells, 1), CELLS_AT_ONCE)
    parts = [func(*(array[start : start + CELLS_AT_ONCE] for array in flat)) for start in starts]
    joined = (np.concatenate(column) for column in zip(*parts, strict=True))
    return tuple(column.reshape((*shape, *column.shape[1:])) for column in joined)
