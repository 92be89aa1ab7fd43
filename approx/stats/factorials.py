"""Factorial experiments as labelled arrays: one dimension for each factor, and one for seeds."""

from collections.abc import Hashable, Iterable, Mapping

import numpy as np
import xarray as xr

from approx.stats.rates import reading


def crossed(
    cells: Mapping[tuple[Hashable, ...], xr.DataArray | xr.Dataset],
    factors: Mapping[str, Iterable[Hashable]],
    when: str = "last",
) -> xr.DataArray:
    """Lay the cells of a factorial side by side, as one labelled array.

    Args:
        cells: what each combination of levels gave, by its levels in the order of `factors`: what
            `success` returned, or values over the dimension `seed`.
        factors: the levels of each factor, the one that the others are compared with first.
        when: which success of hits is meant, see `reading`.

    Returns:
        An array over the factors and `seed`; nan where a combination is not among the cells.

    Raises:
        ValueError: there are no cells, they are no dictionary, the levels of a cell are none of the
            factors', a cell has dimensions besides `seed`, or seeds differ between cells.

    Example:
        >>> hits = {("raw", "sgd"): first, ("raw", "adam"): second, ("z", "sgd"): third}
        >>> crossed(hits, {"scaling": ["raw", "z"], "optimizer": ["sgd", "adam"]})
    """
    _check_given(cells, factors)
    levels = {name: list(chosen) for name, chosen in factors.items()}
    arrays = [_values_of_cell(key, cell, levels, when) for key, cell in cells.items()]
    arrays = _on_same_seeds(arrays)
    sizes = [len(chosen) for chosen in levels.values()]
    table = np.full((*sizes, arrays[0].sizes["seed"]), np.nan)
    for key, array in zip(cells, arrays, strict=True):
        table[_place_of(key, levels)] = array.values
    coords = dict(levels)
    if "seed" in arrays[0].coords:
        coords["seed"] = arrays[0].seed.values
    return xr.DataArray(table, coords, dims=(*levels, "seed"))


def _check_given(cells: object, factors: object) -> None:
    """Raise a ValueError if the cells or the factors are no dictionaries, or without cells."""
    if not isinstance(cells, Mapping) or not cells:
        raise ValueError(
            "no cells: give what each combination of levels gave, such as {('raw', 'sgd'): hits}"
        )
    if not isinstance(factors, Mapping):
        raise ValueError(
            "factors is a dictionary of the levels of each factor, such as {'scaling': ['raw', "
            f"'z']}}, not {type(factors).__name__}"
        )


def _on_same_seeds(arrays: list[xr.DataArray]) -> list[xr.DataArray]:
    """The arrays with their seeds in one order, or a ValueError if the seeds differ."""
    try:
        return list(xr.align(*arrays, join="exact"))
    except ValueError as error:
        raise ValueError(
            "all cells must have the same seeds; keep those in common with xarray.align"
        ) from error


def _place_of(key: tuple, levels: Mapping[str, list]) -> tuple[int, ...]:
    """Where a cell stands in the table: the number of its level of each factor."""
    pairs = zip(key, levels.values(), strict=True)
    return tuple(chosen.index(level) for level, chosen in pairs)


def _values_of_cell(
    key: tuple, cell: xr.DataArray | xr.Dataset, levels: Mapping[str, list], when: str
) -> xr.DataArray:
    """The values of a cell over seeds.

    Raises:
        ValueError: its levels are not known, or it has another dimension.
    """
    if not _is_known(key, levels):
        raise ValueError(f"the cell {key!r} must be a tuple of one level of each of {levels}")
    array = values_of(cell, when, f"the cell {key!r} must be")
    _check_over_seeds(array, key)
    return array.astype(float).reset_coords(drop=True)


def _check_over_seeds(array: xr.DataArray, key: tuple) -> None:
    """Raise a ValueError if the values of a cell have other dimensions than seed."""
    if array.dims != ("seed",):
        raise ValueError(
            f"the cell {key!r} must have the dimension seed alone, it has {array.dims}"
        )


def _is_known(key: tuple, levels: Mapping[str, list]) -> bool:
    """Whether a cell is named by one level of each factor."""
    if not isinstance(key, tuple) or len(key) != len(levels):
        return False
    pairs = zip(key, levels.values(), strict=True)
    return all(level in chosen for level, chosen in pairs)


def values_of(given: xr.DataArray | xr.Dataset, when: str, must: str) -> xr.DataArray:
    """Hits read as `when` says; an array without records as it is.

    Raises:
        ValueError: it is neither; the message begins with `must`.
    """
    _check_labelled(given, must)
    if isinstance(given, xr.Dataset) or "step" in given.dims:
        return reading(given, when)
    return given


def _check_labelled(given: object, must: str) -> None:
    """Raise a ValueError that begins with `must` for what is neither hits nor an array."""
    if not isinstance(given, xr.DataArray | xr.Dataset):
        raise ValueError(
            f"{must} hits, as stats.success returns them, or an array over seeds, as stats.crossed "
            f"makes it, not {type(given).__name__}"
        )
