"""The steps of a training after which a record is made."""

from functools import lru_cache
from typing import Any

import numpy as np

from approx.tasks import shortened

MOST_RECORDS = 10**6  # of one training
MOST_SPACED = 20_000  # of them, if they are to be spaced evenly on a logarithmic axis


def is_whole(value: Any) -> bool:
    """Whether this is a whole number (and no bool)."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_number_of_records(records: Any, steps: int) -> None:
    """Refuse more records than a result can hold, or than are soon laid out, before any is made.

    Raises:
        ValueError: more than MOST_RECORDS, or more than MOST_SPACED of a larger number of steps.
    """
    count = 0
    if is_whole(records):
        count = min(records, steps + 1)
    elif hasattr(records, "__len__"):
        count = len(records)
    if count > MOST_RECORDS:
        raise ValueError(
            f"records asks for {count:,} records of each training; at most {MOST_RECORDS:,}: "
            "take fewer"
        )
    if is_whole(records) and MOST_SPACED < records <= steps:
        raise ValueError(
            f"records asks for {records:,} of {steps:,} steps, evenly on a logarithmic axis; at "
            f"most {MOST_SPACED:,}: take fewer, or write the steps themselves, such as "
            f"records=range(0, {steps + 1}, 10)"
        )


def checked_records(records: Any) -> Any:
    """A number of records as it is, the steps themselves as a tuple of ints.

    Raises:
        TypeError: neither of the two.
        ValueError: more steps than a result can hold.
    """
    if getattr(records, "shape", None) == ():
        records = records.item()
    if is_whole(records):
        return records
    if hasattr(records, "__len__"):
        check_number_of_records(records, 0)  # before they are laid out as an array
    if isinstance(records, str) or not all(map(is_whole, np.atleast_1d(np.asarray(records)))):
        raise TypeError(
            f"records is {shortened(records)}; it must be a whole number, or the steps themselves"
        )
    return tuple(map(int, records))


def record_steps(recipe: Any) -> np.ndarray:
    """The steps after which a record is made, increasing; step 0 is the untrained network.

    Raises:
        ValueError: records out of range, repeated, or not increasing.

    """
    steps, records = recipe.steps, recipe.records
    if is_whole(records):
        if records < 2:
            raise ValueError(f"records={records}: at least 2, for step 0 and the last")
        if records > steps:
            return np.arange(steps + 1)
        return spaced(steps, int(records)).copy()
    grid = np.asarray(records, np.int64)
    if not grid.size or grid[0] < 0 or grid[-1] > steps or (np.diff(grid) <= 0).any():
        raise ValueError(
            f"records must be increasing steps between 0 and steps={steps}, "
            f"not {shortened(records)}"
        )
    return grid


@lru_cache(maxsize=256)
def spaced(steps: int, records: int) -> np.ndarray:
    """So many record steps, evenly on a logarithmic axis: step 0 and others up to the last step.

    Rounding merges the first ones, so more points are laid than records are wanted: the fewest with
    which enough records are left.
    """
    points = records - 1  # step 0 is no point of the logarithmic axis
    for _ in range(100):
        grid = rounded(steps, points)
        if len(grid) >= records:
            return grid
        points += records - len(grid)
    # Nearly every step is a record, which would take many such rounds
    few, enough = points, 2 * points
    while len(rounded(steps, enough)) < records:
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        if len(rounded(steps, middle)) >= records:
            enough = middle
        else:
            few = middle
    return rounded(steps, enough)


def rounded(steps: int, points: int) -> np.ndarray:
    """Step 0, and so many points from 1 to the last step, rounded to whole steps.

    The points are evenly spaced by their logarithms. Those that fall together are one step.
    """
    logarithmic = np.rint(np.geomspace(steps, 1, points))
    return np.unique(np.r_[0, logarithmic]).astype(np.int64)
