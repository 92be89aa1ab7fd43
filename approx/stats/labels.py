"""From labelled arrays to plain ones and back: the one place that knows xarray's broadcasting
rules.
"""

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
        func: takes arrays (..., n) and returns one array (...) per name, or (..., *new) where `new`
            adds dimensions.
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
        func,
        *arrays,
        input_core_dims=[over] * len(arrays),
        output_core_dims=[list(new)] * len(names),
    )
    results = results if isinstance(results, tuple) else (results,)
    return xr.Dataset(dict(zip(names, results, strict=True))).assign_coords(new)


def require_dims(array: xr.DataArray | xr.Dataset, dims: Sequence[str]) -> None:
    """Raise a ValueError that names the dimension that is missing and those there are."""
    missing = [dim for dim in dims if dim not in array.dims]
    if missing:
        there = ", ".join(map(str, array.dims)) or "none"
        advice = "Choose with over= or dim="
        if missing[0] == "seed" and isinstance(array, xr.Dataset) and stage_of(array) == "rates":
            advice = (
                "These are rates, counted over seeds already: give the hits or runs behind them"
            )
        raise ValueError(f"no dimension {missing[0]!r} here; there are: {there}. {advice}")


STAGES = {
    "runs": "runs, which hold losses",
    "hits": "hits, as stats.success returns them",
    "rates": "rates, as stats.rate returns them",
}
REMEDIES = {  # what to do, by what was wanted and what was given
    ("runs", "hits"): "give the runs that the hits were made from",
    ("runs", "rates"): "give the runs that the rates were made from",
    ("hits", "runs"): "call hits = stats.success(runs, below=...) first",
    ("hits", "rates"): "give the hits that stats.rate was called with",
    ("rates", "runs"): "call rates = stats.rate(stats.success(runs, below=...)) first",
    ("rates", "hits"): "call rates = stats.rate(hits) first",
}


def stage_of(data: xr.Dataset) -> str:
    """Whether a Dataset looks like "runs", "hits" or "rates", by the names of its variables."""
    if "hit" in data.data_vars:
        return "hits"
    return "rates" if {"rate", "low", "high"} <= set(data.data_vars) else "runs"


def wrong_stage(data: object, wanted: str) -> ValueError:
    """The error for a function that takes one of `STAGES` and was given something else."""
    if not isinstance(data, xr.Dataset):
        kind = type(data).__name__
        return ValueError(f"this takes {STAGES[wanted]}, an xarray.Dataset, not {kind}")
    given = stage_of(data)
    there = ", ".join(map(str, data.data_vars)) or "no variable"
    remedy = REMEDIES.get((wanted, given), "look at what it holds")
    return ValueError(f"this takes {STAGES[wanted]}, not {given} (they hold: {there}): {remedy}")


def check_rates(data: xr.Dataset, needed: Sequence[str] = ("rate", "low", "high", "n")) -> None:
    """Raise a ValueError unless `data` holds the variables of what `stats.rate` returns."""
    if not isinstance(data, xr.Dataset) or not set(needed) <= set(data.data_vars):
        raise wrong_stage(data, "rates")


def variable(data: xr.Dataset, name: str) -> xr.DataArray:
    """Return one variable of a Dataset, or raise a ValueError that lists those there are."""
    if not isinstance(data, xr.Dataset):
        raise wrong_stage(data, "runs")
    if name not in data.data_vars:
        there = ", ".join(map(str, data.data_vars)) or "none"
        raise ValueError(
            f"no variable {name!r} in the dataset; it holds: {there}. {_advice(data, name)}"
        )
    return without_kept_step(data[name])


def _advice(data: xr.Dataset, name: str) -> str:
    """What to do where a variable is missing."""
    given = stage_of(data)
    if given != "runs":
        return f"These are {given}: {REMEDIES['runs', given]}"
    if name in ("test_loss", "test_accuracy") and "loss" in data.data_vars:
        return f"Choose with of={UNTESTED}"
    return "Choose with of="


def without_kept_step(array: xr.DataArray) -> xr.DataArray:
    """The array without the one step at which predictions were kept, which older results have as a
    coordinate of all.

    It says nothing of a loss or a rate.
    """
    one = "kept_step" in array.coords and array.kept_step.ndim == 0
    return array.drop_vars("kept_step") if one else array


def kind_of(data: xr.Dataset) -> xr.DataArray:
    """Return the variable `kind` of classified trainings.

    Raises:
        ValueError: there is no such variable, or the class of a training is missing.
    """
    if not isinstance(data, xr.Dataset) or "kind" not in data.data_vars:
        raise ValueError(
            "no variable 'kind' here: this takes trainings that were classified, as stats.split, "
            "stats.asymptote and stats.plateaus return them"
        )
    missing = int(data["kind"].isnull().sum())
    if missing:
        raise ValueError(
            f"{missing} of {data['kind'].size} trainings have no class (nan), as when an outer join "
            "fills what one side lacks: leave them out with .dropna('seed')"
        )
    return data["kind"]


def final(runs: xr.Dataset, of: str) -> xr.DataArray:
    """Return a variable at the last record; where the records were reduced before (see `pick`), as
    it is.
    """
    value = variable(runs, of)
    return value.isel(step=-1, drop=True) if "step" in value.dims else value


def worst_value(of: str, worst: float | None) -> float:
    """What nan stands for: +inf for a loss, -inf for an accuracy, unless `worst` says otherwise."""
    if worst is not None:
        return float(worst)
    return -np.inf if "accuracy" in of else np.inf
