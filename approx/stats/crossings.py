"""Where the rate of success crosses one half along a row of cells, see `stats.boundary`."""

from typing import NamedTuple

import numpy as np


class Row(NamedTuple):
    """The cells along the axis at one setting of everything else; each array (cells,).

    Attributes:
        x: the axis, or its logarithm.
        successes: how many of the n seeds succeeded.
        n: the seeds.
        rate: the share of successes.
        low: the lower end of its interval.
        high: the upper end.
    """

    x: np.ndarray
    successes: np.ndarray
    n: np.ndarray
    rate: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Crossing(NamedTuple):
    """A crossing of one half.

    Attributes:
        steep: the cells that are fitted, from plateau to plateau.
        before: the cells of the plateau before.
        after: the cells of the plateau after.
        first: the last decided cell before the crossing.
        last: the first decided cell after it.
    """

    steep: slice
    before: slice
    after: slice
    first: int
    last: int


def crossings(row: Row) -> list[Crossing]:
    """All crossings of a row, in order. Each reaches from one extreme rate to the next."""
    # Neighbours among the decided cells that are on opposite sides
    side = _sides(row)
    firsts, lasts = _changes_of_side(side)

    # From the middle of one crossing to that of the next, the extreme rate divides the cells
    pairs = zip(firsts, lasts, strict=True)
    middles = [(first + last) / 2 for first, last in pairs]
    begins = [0]
    for start, stop, last in zip(middles, middles[1:], lasts, strict=False):
        begins.append(_extreme(row, start, stop, sign=side[last]))
    ends = [*begins[1:], len(side) - 1]

    found = []
    for begin, end, first, last in zip(begins, ends, firsts, lasts, strict=False):
        found.append(_crossing(row, begin, end, first, last))
    return found


def _changes_of_side(side: np.ndarray) -> tuple[list[int], list[int]]:
    """The decided cells before and after each change of side."""
    decided = np.flatnonzero(side)
    changes = np.flatnonzero(np.diff(side[decided]))
    firsts = decided[changes].tolist()
    lasts = decided[changes + 1].tolist()
    return firsts, lasts


def _sides(row: Row) -> np.ndarray:
    """1 where a cell's rate is decidedly above one half, -1 where it is below, 0 elsewhere."""
    below = np.where(row.high < 0.5, -1, 0)
    return np.where(row.low > 0.5, 1, below)


def _extreme(row: Row, start: float, stop: float, sign: int) -> int:
    """The cell with the extreme rate between two crossings: the highest for sign 1, or lowest.

    Of several it is the middle one.
    """
    first = int(np.ceil(start))
    inside = np.arange(first, int(stop) + 1)
    height = sign * row.rate[inside]
    height = np.nan_to_num(height, nan=-np.inf)
    highest = height.max()
    top = inside[height == highest]
    return int(top[len(top) // 2])


def _crossing(row: Row, begin: int, end: int, first: int, last: int) -> Crossing:
    """The crossing between the decided cells `first` and `last`, the cells from begin to end."""
    left = _edge_of_plateau(row, range(first, begin - 1, -1))
    right = _edge_of_plateau(row, range(last, end + 1))
    steep = slice(left, right + 1)
    before = slice(begin, left + 1)
    after = slice(right, end + 1)
    return Crossing(steep, before, after, first, last)


def _edge_of_plateau(row: Row, walk: range) -> int:
    """The first decided cell on the way whose interval holds the extreme rate of its side.

    Args:
        row: the cells.
        walk: the way from the crossing outward; its first cell is decided.
    """
    side = _sides(row)
    own_side = side[walk[0]]
    decided = [i for i in walk if side[i] == own_side]
    rates = row.rate[decided]
    if own_side > 0:
        extreme = rates.max()
    else:
        extreme = rates.min()
    for i in decided:
        if row.low[i] <= extreme <= row.high[i]:
            return i
    raise AssertionError("a cell's interval holds its own rate")
