"""From labelled arrays to plain ones and back.

The statistics are written for plain arrays whose last axis is the sample. This file alone knows how
xarray lays out dimensions, and says what is wrong where a function is given something else.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

import numpy as np
import xarray as xr

from approx.stats.resample import by_chunks

Over = str | Sequence[str]
WORDS = {  # name of a field or variable: what an axis or a sentence says
    "init_scale": "scale of the initial weights",
    "ert": "expected steps to a success",
}


def reduce(
    func: Callable[..., tuple[np.ndarray, ...]],
    *arrays: xr.DataArray,
    over: Over = "seed",
    names: Sequence[str],
    new: Mapping[str, np.ndarray] | None = None,
) -> xr.Dataset:
    """Apply a function that reduces the last axis of plain arrays to labelled arrays.

    Args:
        func: takes arrays (..., n) and returns one array (...) for each name, or (..., *new) where
            `new` adds dimensions.
        arrays: labelled arrays that share the dimensions `over`.
        over: the dimension or dimensions that hold the sample, flattened in this order.
        names: the names of the results.
        new: dimensions that `func` adds at the end of every result, with their coordinates.

    Returns:
        A Dataset of the named results over the remaining dimensions and the new ones.

    Raises:
        ValueError: a dimension of `over` is missing, or another one has the name of a result.
    """
    sample = dimensions(over)
    added = dict(new or {})
    for array in arrays:
        require_dims(array, sample, option="over")
        others = [dim for dim in array.dims if dim not in sample]
        refuse_names(others, [*names, *added])
    if len(sample) > 1:
        arrays = _stacked(arrays, sample)
        sample = ["sample_"]
    results = xr.apply_ufunc(
        func,
        *arrays,
        input_core_dims=[sample] * len(arrays),
        output_core_dims=[list(added)] * len(names),
    )
    if not isinstance(results, tuple):
        results = (results,)
    named = dict(zip(names, results, strict=True))
    return xr.Dataset(named).assign_coords(added)


def _stacked(arrays: Sequence[xr.DataArray], dims: Sequence[str]) -> tuple[xr.DataArray, ...]:
    """The arrays with some of their dimensions joined into one, `sample_`."""
    return tuple(array.stack(sample_=dims, create_index=False) for array in arrays)


def reduce_in_chunks(
    func: Callable[..., tuple[np.ndarray, ...]],
    *arrays: xr.DataArray,
    over: Over = "seed",
    names: Sequence[str],
    new: Mapping[str, np.ndarray] | None = None,
) -> xr.Dataset:
    """As `reduce`, for a function of samples (cells, n), called on some thousand cells at a time.

    This bounds the memory that large grids take (see `by_chunks`).
    """

    def in_chunks(*samples: np.ndarray) -> tuple[np.ndarray, ...]:
        return by_chunks(func, *samples)

    return reduce(in_chunks, *arrays, over=over, names=names, new=new)


def dimensions(over: Over) -> list[str]:
    """The names in `over` as a list, also where it is a single name."""
    if isinstance(over, str):
        return [over]
    return list(over)


# ---- what a function was given -------------------------------------------------------------------

STAGES = {
    "runs": "runs, which hold losses",
    "hits": "hits, as stats.success returns them",
    "rates": "rates, as stats.rate returns them",
}
REMEDIES = {  # what to do, by what was wanted and what was given
    ("runs", "hits"): "give the runs that the hits were made from",
    ("runs", "rates"): "give the runs that the rates were made from",
    ("hits", "runs"): (
        "call hits = ap.stats.success(runs, below=...) first, then give the hits, as in "
        "ap.stats.rate(hits)"
    ),
    ("hits", "rates"): "give the hits that stats.rate was called with",
    ("rates", "runs"): "call rates = ap.stats.rate(ap.stats.success(runs, below=...)) first",
    ("rates", "hits"): "call rates = ap.stats.rate(hits) first",
}
UNTESTED = (
    ': this task has no test rows inside the training range; of="loss" is over the training rows, '
    'and of="validation_loss" over rows kept from training'
)


def listed(names: object) -> str:
    """Names of dimensions or variables as an error prints them."""
    return ", ".join(map(str, names)) or "none"  # type: ignore[call-overload]


def readable(name: object) -> str:
    """A variable's name in words: those of `WORDS`, or spaces instead of underscores."""
    return WORDS.get(str(name), str(name).replace("_", " "))


def require_dims(
    array: xr.DataArray | xr.Dataset, dims: Sequence[str], option: str | None = None
) -> None:
    """Raise a ValueError unless a labelled array has all of some dimensions.

    Args:
        array: the labelled array that a user gave.
        dims: the names of the dimensions that are needed.
        option: the argument by which the user can name another dimension, if there is one. The
            error mentions it.
    """
    _check_labelled(array)
    missing = [dim for dim in dims if dim not in array.dims]
    if missing:
        raise _no_dimension(array, missing[0], option)


def refuse_names(dims: Iterable[Hashable], names: Iterable[str]) -> None:
    """Raise a ValueError if a dimension has a name that a variable of the result has.

    Args:
        dims: the dimensions of the result.
        names: the names of its variables.
    """
    names = list(names)
    for dim in dims:
        if dim in names:
            raise ValueError(
                f"the dimension {dim!r} has the name of a number that this returns: "
                f'rename it first, as in .rename({dim}="my_{dim}")'
            )


def _check_labelled(array: object) -> None:
    """Raise a ValueError for anything but a Dataset or a DataArray of xarray."""
    if not isinstance(array, xr.DataArray | xr.Dataset):
        kind = type(array).__name__
        raise ValueError(f"this takes a labelled array (xarray.Dataset or DataArray), not {kind}")


def _no_dimension(array: xr.DataArray | xr.Dataset, dim: str, option: str | None) -> ValueError:
    """The error for a labelled array that lacks a dimension."""
    text = f"no dimension {dim!r} here; there are: {listed(array.dims)}"
    if dim == "seed" and _is_counted(array):
        text += ". These are rates, counted over seeds already: give the hits or runs behind them"
    elif option is not None:
        text += f". Choose another one with {option}="
    return ValueError(text)


def _is_counted(array: xr.DataArray | xr.Dataset) -> bool:
    """Whether these are rates, which have been counted over seeds."""
    return isinstance(array, xr.Dataset) and stage_of(array) == "rates"


def stage_of(data: xr.Dataset) -> str:
    """Whether a Dataset looks like "runs", "hits" or "rates", by the names of its variables."""
    if "hit" in data.data_vars:
        return "hits"
    if {"rate", "low", "high"} <= set(data.data_vars):
        return "rates"
    return "runs"


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


def check_result(data: object, maker: str, needed: Sequence[str]) -> None:
    """Raise a ValueError unless `data` is what a function of `stats` returned.

    Args:
        data: what a user gave.
        maker: the name of that function, such as "report".
        needed: variables by which its result is known.
    """
    wanted = f"this takes what ap.stats.{maker} returned, an xarray.Dataset"
    if not isinstance(data, xr.Dataset):
        raise ValueError(f"{wanted}, not {type(data).__name__}")
    missing = [name for name in needed if name not in data.data_vars]
    if missing:
        there = listed(data.data_vars)
        raise ValueError(f"{wanted}: no variable {missing[0]!r} here; there are: {there}")


# ---- variables -----------------------------------------------------------------------------------


def variable(data: xr.Dataset, name: str) -> xr.DataArray:
    """Return one variable of a Dataset, or raise a ValueError that lists those there are."""
    if not isinstance(data, xr.Dataset):
        raise wrong_stage(data, "runs")
    if name not in data.data_vars:
        raise _no_variable(data, name)
    return without_kept_step(data[name])


def _no_variable(data: xr.Dataset, name: str) -> ValueError:
    """The error for a Dataset that lacks a variable, with advice on what to do."""
    there = listed(data.data_vars)
    return ValueError(
        f"no variable {name!r} in the dataset; it holds: {there}. {_advice(data, name)}"
    )


def _advice(data: xr.Dataset, name: str) -> str:
    """What to do where a variable is missing."""
    given = stage_of(data)
    if given != "runs":
        return f"These are {given}: {REMEDIES['runs', given]}"
    if name in ("test_loss", "test_accuracy") and "loss" in data.data_vars:
        return f"Choose with of={UNTESTED}"
    return "Choose with of="


def without_kept_step(array: xr.DataArray) -> xr.DataArray:
    """Drop the coordinate `kept_step`, the step at which predictions were kept, if it is one step.

    Older results carry it on every variable, but it says nothing of a loss or a rate.
    """
    if "kept_step" in array.coords and array.kept_step.ndim == 0:
        return array.drop_vars("kept_step")
    return array


def kind_of(data: xr.Dataset) -> xr.DataArray:
    """Return the variable `kind` of classified trainings.

    Raises:
        ValueError: there is no such variable, or the class of a training is missing.
    """
    if not isinstance(data, xr.Dataset) or "kind" not in data.data_vars:
        raise ValueError(
            "no variable 'kind' here: this takes trainings that were classified, as "
            "stats.failure_causes, stats.asymptote and stats.plateaus return them"
        )
    _check_all_classified(data["kind"])
    return data["kind"]


def _check_all_classified(kind: xr.DataArray) -> None:
    """Raise a ValueError if the class of a training is nan."""
    missing = int(kind.isnull().sum())
    if missing:
        raise ValueError(
            f"{missing} of {kind.size} trainings have no class (nan), as when an outer "
            "join fills what one side lacks: leave them out with .dropna('seed')"
        )


def final(runs: xr.Dataset, of: str) -> xr.DataArray:
    """Return a variable at the last record.

    A variable without the dimension `step` is returned as it is: `pick` has chosen its record.
    """
    value = variable(runs, of)
    if "step" not in value.dims:
        return value
    return value.isel(step=-1, drop=True)


def worst_value(of: str, worst: float | None) -> float:
    """What nan stands for: +inf for a loss, -inf for an accuracy, unless `worst` says otherwise."""
    if worst is not None:
        return float(worst)
    if "accuracy" in of:
        return -np.inf
    return np.inf
