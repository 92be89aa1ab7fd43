"""The rows of a study: its changes of the baseline, and views of rows."""

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from approx.changes.alterations import altered, described
from approx.stats.labels import final, worst_value
from approx.study.doubts import of_kept_rate
from approx.study.errors import naming_row
from approx.tasks import Task, shortened
from approx.training.recipes import Recipe
from approx.training.recorded_steps import is_whole

TUNE = "tune"  # the name in a change that is no alteration: which numbers are tuned
LONGEST_NAME = 60  # letters of a label in the name of its file


class Row(NamedTuple):
    """One recipe of a study, which is trained.

    Attributes:
        label: its name.
        task: what it learns.
        recipe: how it learns, before any number is tuned.
        change: the change of the baseline in words; "" for the baseline.
        tune: {name of a number: the values to choose from}; empty for none.
        levels: of a factorial's cell: its level of each factor; () for others.
    """

    label: str
    task: Task
    recipe: Recipe
    change: str = ""
    tune: Mapping[str, Sequence[float]] = {}
    levels: tuple[str, ...] = ()


class View(NamedTuple):
    """Another look at a trained row, which costs no training.

    Attributes:
        of: the label of the row that is looked at.
        take: a function of the row's runs that gives the runs of the view, over the same seeds or
            others.
        beside: a function of the row's runs that gives what the view is compared with in pairs;
            None compares it with the baseline.
        says: what the view is, in words.
        step: a step that the row must be trained for; None if any number of steps will do.
        seeds: how many seeds the row must have at least.
        by: a variable that the row's runs must have; None if none is needed.
    """

    of: str
    take: Callable[[xr.Dataset], xr.Dataset]
    beside: Callable[[xr.Dataset], xr.Dataset] | None = None
    says: str = ""
    step: int | None = None
    seeds: int = 1
    by: str | None = None


def best_of(row: str, tries: int, by: str = "loss") -> View:
    """The best of several seeds of a row, chosen by a value that is known in training.

    The seeds are taken in groups, in their order. Of each group the view holds the seed with the
    best value, and it is compared in pairs with the first seed of the same group, so that pairs are
    independent of each other.

    Args:
        row: the label of the row.
        tries: how many seeds make a group, at least 2.
        by: the variable whose last value decides: the training loss by default.

    Raises:
        ValueError: fewer than two tries.

    Example:
        >>> ap.Study(task, recipe, views={"best of 5": ap.study.best_of("baseline", 5)})
    """
    if not is_whole(tries) or tries < 2:
        raise ValueError(f"best_of needs at least two tries, got {tries!r}")

    def take(runs: xr.Dataset) -> xr.Dataset:
        return _renumbered(runs.isel(seed=_best_of_groups(runs, tries, by)))

    def beside(runs: xr.Dataset) -> xr.Dataset:
        first = np.arange(runs.sizes["seed"] // tries) * tries
        return _renumbered(runs.isel(seed=first))

    says = f"the best of {tries} seeds by {by}, against the first of them"
    return View(row, take, beside, says, seeds=int(tries), by=by)


def until(row: str, step: int) -> View:
    """A row as it was after fewer steps.

    Args:
        row: the label of the row.
        step: the last step of the view; its last record at or before this step is judged.

    Raises:
        ValueError: a step that is no whole number of at least 1.

    Example:
        >>> ap.Study(task, recipe, views={"after 200 steps": ap.study.until("baseline", 200)})
    """
    if not is_whole(step) or step < 1:
        raise ValueError(f"until needs a number of steps, such as 200, got {step!r}")

    def take(runs: xr.Dataset) -> xr.Dataset:
        return runs.sel(step=slice(None, step))

    return View(row, take, None, f"{row} after {step:,} steps", step=int(step))


def _best_of_groups(runs: xr.Dataset, tries: int, by: str) -> np.ndarray:
    """The positions of the best seed of each group."""
    groups = runs.sizes["seed"] // tries
    values = final(runs, by).values[: groups * tries].reshape(groups, tries)
    worst = worst_value(by, None)
    values = np.where(np.isfinite(values), values, worst)
    best = values.argmin(1) if worst > 0 else values.argmax(1)
    return best + tries * np.arange(groups)


def _renumbered(runs: xr.Dataset) -> xr.Dataset:
    """The runs with their seeds numbered from 0."""
    return runs.assign_coords(seed=np.arange(runs.sizes["seed"]))


def slug(label: str) -> str:
    """A label as the name of a file or folder.

    Two labels never have the same name: a label that cannot be read off its name has a few letters
    more, which are made of the label alone.
    """
    plain = re.sub("[^0-9A-Za-z.+=-]+", "_", label)[:LONGEST_NAME].strip("_.-")
    if plain.replace("_", " ") == label:
        return plain
    mark = sha256(label.encode()).hexdigest()[:8]
    return f"{plain}_{mark}".strip("_")


# ---- rows of a declaration -----------------------------------------------------------------------


def change_rows(task: Task, recipe: Recipe, changes: Mapping[str, Any]) -> list[Row]:
    """A row for each named change of the baseline.

    Raises:
        TypeError, ValueError: a change that cannot be made, with the label in front.

    Warns:
        UserWarning: a learning rate that does not fit standardised targets.
    """
    if not isinstance(changes, Mapping):
        raise TypeError(
            f"changes is {shortened(changes)}; give a dictionary of named changes, such as "
            "{'tanh': {'model.activation': 'tanh'}}"
        )
    return [_changed(task, recipe, str(label), change) for label, change in changes.items()]


def _changed(task: Task, recipe: Recipe, label: str, change: Any) -> Row:
    """The row of one change."""
    alteration, tune = without_tuning(change)
    with naming_row(f"the change {label!r}"):
        its_task, its_recipe = altered(task, recipe, alteration, may_equal=bool(tune))
    tuned = checked_tuning(label, tune)
    if isinstance(alteration, Mapping):
        doubt = of_kept_rate(recipe, its_task, its_recipe, {**alteration, **tuned})
        if doubt:
            warnings.warn(f"the change {label!r} {doubt}", stacklevel=2)
    return Row(label, its_task, its_recipe, described(alteration), tuned)


def without_tuning(change: Any) -> tuple[Any, Mapping[str, Sequence[float]]]:
    """A change without its entry "tune", and that entry."""
    if not isinstance(change, Mapping) or TUNE not in change:
        return change, {}
    rest = {name: value for name, value in change.items() if name != TUNE}
    return rest, change[TUNE]


def checked_tuning(label: str, tune: Any) -> dict[str, tuple[float, ...]]:
    """The numbers to tune with their values, or an error that says what is wrong."""
    example = "{'learning_rate': [1e-3, 1e-2]}"
    if not isinstance(tune, Mapping):
        raise TypeError(f"{label!r}: tune is {shortened(tune)}; give a dictionary, as {example}")
    found = {}
    for name, values in tune.items():
        numbers = numbers_of(values)
        if numbers.ndim != 1 or numbers.size < 2 or not np.isfinite(numbers).all():
            raise ValueError(
                f"{label!r}: tune has {shortened(values)} for {name!r}; give two or more numbers, "
                f"as {example}"
            )
        found[str(name)] = tuple(float(value) for value in numbers)
    return found


def numbers_of(values: Any) -> np.ndarray:
    """Values as an array; an empty one if they are no numbers."""
    try:
        return np.asarray(values, float)
    except (TypeError, ValueError):
        return np.empty(0)
