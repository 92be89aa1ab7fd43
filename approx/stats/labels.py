"""From labelled arrays to plain ones and back: the one place that knows xarray's broadcasting rules."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import xarray as xr

Over = str | Sequence[str]
UNTESTED = (
    ': this task has no test rows inside the training range; of="loss" is over the training rows, and '
    'of="validation_loss" over rows kept from training'
)


def reduce(
    func: Callable[..., tuple[np.ndarray, ...]],
    *arrays: xr.DataArray,
    over: Over = "seed",
    names: Sequence[str],
    new: Mapping[str, np.ndarray] | None = None,
) -> xr.Dataset:
    """Apply `func`, which reduces the last axis of its arrays, over the named dimensions.

    Args:
        func: takes arrays (..., n) and returns one array (...) per name, or (..., *new) where `new` adds dimensions.
        arrays: labelled arrays that share the dimensions `over`.
        over: the dimension or dimensions that hold the sample, flattened in this order.
        names: the names of the results.
        new: dimensions that `func` adds at the end of every result, with their coordinates.

    Returns:
        A Dataset of the named results over the remaining dimensions and the new ones.

    Raises:
        ValueError: a dimension of `over` is missing.
    """
    over = [over] if isinstance(over, str) else list(over)
    new = dict(new or {})
    for array in arrays:
        require_dims(array, over)
    if len(over) > 1:
        arrays = tuple(array.stack(sample_=over, create_index=False) for array in arrays)
        over = ["sample_"]
    results = xr.apply_ufunc(
        func, *arrays, input_core_dims=[over] * len(arrays), output_core_dims=[list(new)] * len(names)
    )
    results = results if isinstance(results, tuple) else (results,)
    return xr.Dataset(dict(zip(names, results, strict=True))).assign_coords(new)


def require_dims(array: xr.DataArray | xr.Dataset, dims: Sequence[str]) -> None:
    """Raise a ValueError that names the dimension that is missing and those there are."""
    missing = [dim for dim in dims if dim not in array.dims]
    if missing:
        there = ", ".join(map(str, array.dims)) or "none"
        raise ValueError(f"no dimension {missing[0]!r} here; there are: {there}. Choose with over= or dim=")


def variable(data: xr.Dataset, name: str) -> xr.DataArray:
    """Return one variable of a Dataset, or raise a ValueError that lists those there are."""
    if name not in data.data_vars:
        there = ", ".join(map(str, data.data_vars)) or "none"
        why = UNTESTED if name in ("test_loss", "test_accuracy") and "loss" in data.data_vars else ""
        raise ValueError(f"no variable {name!r} in the dataset; it holds: {there}. Choose with of={why}")
    return data[name]


def final(runs: xr.Dataset, of: str) -> xr.DataArray:
    """Return a variable at the last record; where the records were reduced before (see `pick`), as it is."""
    value = variable(runs, of)
    return value.isel(step=-1, drop=True) if "step" in value.dims else value


def worst_value(of: str, worst: float | None) -> float:
    """What nan stands for: +inf for a loss, -inf for an accuracy, unless `worst` says otherwise."""
    if worst is not None:
        return float(worst)
    return -np.inf if "accuracy" in of else np.inf
