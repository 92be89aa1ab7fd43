"""Numbers that a source reports of its own training, placed among our seeds."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from approx.stats.evidence import Reported as Placed


class Reported(NamedTuple):
    """A number that a source reports of one training, and where to find it among ours.

    Attributes:
        text: what the number is.
        row: the label of the row that it was measured with.
        value: the number.
        of: the variable of the runs that it is a value of; or a function of the row's runs that
            gives one value for each seed.
        step: the step at which it was measured; None is the last.
        rounding: half a unit of its last digit.

    Example:
        >>> ap.study.Reported("loss after 1,000 steps", "baseline", 0.5566, "loss", 1_000, 5e-5)
    """

    text: str
    row: str
    value: float
    of: str | Callable[[xr.Dataset], Any] = "loss"
    step: int | None = None
    rounding: float = 0.0


def placed(number: Reported, runs: xr.Dataset) -> Placed:
    """The number beside the same quantity of our seeds, for `stats.reported`.

    Raises:
        ValueError: there is no such variable, or no record at that step.
    """
    return Placed(number.text, number.row, values(number, runs), number.value, number.rounding)


def values(number: Reported, runs: xr.Dataset) -> np.ndarray:
    """The quantity that a number is about, for each of our seeds."""
    if callable(number.of):
        return np.asarray(number.of(runs), float).ravel()
    if number.of not in runs:
        there = ", ".join(str(name) for name in runs.data_vars)
        raise ValueError(
            f"the reported number {number.text!r} is of {number.of!r}, which is not among the "
            f"variables {there}"
        )
    found = runs[number.of]
    if "step" not in found.dims:
        return np.asarray(found, float).ravel()
    if number.step is None:
        return np.asarray(found.isel(step=-1), float).ravel()
    if number.step not in found.step:
        raise ValueError(
            f"the reported number {number.text!r} is of step {number.step:,}, which is no record "
            "of this row: name it in the recipe's records="
        )
    return np.asarray(found.sel(step=number.step), float).ravel()
