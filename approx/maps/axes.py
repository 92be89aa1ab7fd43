"""The axes of maps: evenly spaced values, and windows into a map."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from approx import stats
from approx.sweep.limits import MOST_VALUES
from approx.training.recipes import is_whole

Axes = Mapping[str, Sequence[float] | np.ndarray]


def axis(low: float, high: float, count: int, log: bool = True) -> np.ndarray:
    """Evenly spaced values of a map's axis, to as few digits as tell them apart.

    Args:
        low: the first value. high: the last.
        count: how many there are.
        log: whether their logarithms are evenly spaced, or they themselves.

    Returns:
        (count,) increasing values.

    Raises:
        ValueError: fewer than two values, or more than a sweep takes; low is not below high; a
            logarithm of what is not positive.

    Example:
        >>> ap.maps.axis(0.01, 1, 3)
        array([0.01, 0.1 , 1.  ])

    """
    if not (is_whole(count) and count >= 2):
        raise ValueError(f"an axis of {count!r} values: it takes at least two")
    if count > MOST_VALUES:
        raise ValueError(
            f"an axis of {count:,} values: a sweep takes at most {MOST_VALUES:,} of each"
        )
    if not low < high:
        raise ValueError(f"an axis from {low:g} to {high:g}: the first must be below the second")
    if log and low <= 0:
        raise ValueError(f"an axis from {low:g} has no logarithm there: log=False")
    spaced = np.geomspace if log else np.linspace
    values = spaced(low, high, count)
    return rounded(values)


def rounded(values: np.ndarray) -> np.ndarray:
    """Increasing values, to as few digits as tell them apart, but six at least."""
    smallest_gap = np.diff(values).min() / np.abs(values).max()
    digits = int(np.ceil(-np.log10(smallest_gap))) + 2
    digits = max(6, digits)
    return np.array([float(f"{value:.{digits}g}") for value in values])


def zoom(axes: Axes, window: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """The axes of a map's window: as many values, spaced the same way, between the ends given.

    Args:
        axes: of the map, by name.
        window: the ends, by name; axes that are left out stay.

    Raises:
        ValueError: an axis that the map has not; see `axis`.

    Example:
        >>> ap.maps.zoom({"noise": [0.0, 0.5, 1.0]}, {"noise": (0.2, 0.4)})
        {'noise': array([0.2, 0.3, 0.4])}

    """
    strange = [name for name in window if name not in axes]
    if strange:
        raise ValueError(f"{strange[0]!r} is no axis of this map; it has {', '.join(axes)}")
    found = {}
    for name, given in axes.items():
        values = np.asarray(given)
        found[name] = values
        if name not in window:
            continue
        low, high = window[name]
        if low <= 0 and values.min() > 0:
            raise ValueError(f"{name} is positive in this map, and its window begins at {low:g}")
        log = stats.maps.spaced_by_logarithm(values.astype(float))
        found[name] = axis(low, high, len(values), log)
    return found


def zooms(
    maps: Mapping[str, Axes], window: Mapping[str, tuple[float, float]] | None
) -> dict[str, dict[str, Any]]:
    """Those of several maps that have all the window's axes, zoomed into.

    Args:
        maps: the axes of each map, by its name.
        window: see `zoom`; None leaves all maps as they are.

    Raises:
        ValueError: no map has these axes; see `zoom`.

    """
    window = window or {}
    having = {name: axes for name, axes in maps.items() if window.keys() <= axes.keys()}
    if not having:
        kinds = [", ".join(axes) for axes in maps.values() if axes]
        there = "; ".join(dict.fromkeys(kinds))
        raise ValueError(f"no map has {' and '.join(window)} as axes; there are {there}")
    return {name: zoom(axes, window) for name, axes in having.items()}
