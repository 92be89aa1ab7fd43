"""The rows of a study: the baseline, its changes, the cells of its factors, and views of rows."""

import itertools
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from approx.stats.labels import final, worst_value
from approx.study.alterations import altered, described, is_function
from approx.study.claims import BASELINE
from approx.tasks import Task, shortened
from approx.training.recipes import Recipe

TUNE = "tune"  # the name in a change that is no alteration: which numbers are tuned


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
    """

    of: str
    take: Callable[[xr.Dataset], xr.Dataset]
    beside: Callable[[xr.Dataset], xr.Dataset] | None = None
    says: str = ""


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
    if not isinstance(tries, int | np.integer) or tries < 2:
        raise ValueError(f"best_of needs at least two tries, got {tries!r}")

    def take(runs: xr.Dataset) -> xr.Dataset:
        return _renumbered(runs.isel(seed=_best_of_groups(runs, tries, by)))

    def beside(runs: xr.Dataset) -> xr.Dataset:
        first = np.arange(runs.sizes["seed"] // tries) * tries
        return _renumbered(runs.isel(seed=first))

    return View(row, take, beside, f"the best of {tries} seeds by {by}, against the first of them")


def until(row: str, step: int) -> View:
    """A row as it was after fewer steps.

    Args:
        row: the label of the row.
        step: the last step of the view; its last record at or before this step is judged.

    Example:
        >>> ap.Study(task, recipe, views={"after 200 steps": ap.study.until("baseline", 200)})
    """

    def take(runs: xr.Dataset) -> xr.Dataset:
        return runs.sel(step=slice(None, step))

    return View(row, take, None, f"{row} after {step:,} steps")


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
    """A label as the name of a file or folder."""
    plain = label.replace("*", "times").replace("/", "over")
    return re.sub("[^0-9A-Za-z.]+", "_", plain).strip("_")[:100] or "row"


# ---- rows of a declaration -----------------------------------------------------------------------


def change_rows(task: Task, recipe: Recipe, changes: Mapping[str, Any]) -> list[Row]:
    """A row for each named change of the baseline.

    Raises:
        TypeError, ValueError: a change that cannot be made, with the label in front.
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
    try:
        its_task, its_recipe = altered(task, recipe, alteration, may_equal=bool(tune))
    except (TypeError, ValueError) as error:
        raise type(error)(f"the change {label!r}: {error}") from None
    return Row(label, its_task, its_recipe, described(alteration), checked_tuning(label, tune))


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
        numbers = np.atleast_1d(np.asarray(values, float))
        if numbers.ndim != 1 or numbers.size < 2 or not np.isfinite(numbers).all():
            raise ValueError(
                f"{label!r}: tune has {shortened(values)} for {name!r}; give two or more numbers, "
                f"as {example}"
            )
        found[str(name)] = tuple(float(value) for value in numbers)
    return found


Factors = dict[str, dict[str, Any]]


def checked_factors(factors: Any) -> Factors:
    """The factors as {name: {level: change}}.

    A list of values instead of levels stands for the number or structure that the factor is named
    after: {"model.activation": ["relu", "tanh"]}.

    Raises:
        TypeError: factors or levels that are no dictionaries.
        ValueError: fewer than two levels, or two of one name.
    """
    if not isinstance(factors, Mapping):
        raise TypeError(
            f"factors is {shortened(factors)}; give a dictionary of named levels, such as "
            "{'units': {'16': {}, '64': {'model.widths': (64,)}}}"
        )
    found: Factors = {}
    for name, levels in factors.items():
        found[str(name)] = _levels(str(name), levels)
        if len(found[str(name)]) < 2:
            raise ValueError(f"the factor {name!r} needs two levels at least")
    return found


def _levels(name: str, levels: Any) -> dict[str, Any]:
    """The levels of one factor by name."""
    if isinstance(levels, Mapping):
        return {str(level): change for level, change in levels.items()}
    if isinstance(levels, str) or not isinstance(levels, Iterable):
        raise TypeError(
            f"the factor {name!r} has {shortened(levels)}; give a dictionary of named levels or a "
            "list of values"
        )
    values = list(levels)
    found = {_level_name(value): {name: value} for value in values}
    if len(found) < len(values):
        raise ValueError(f"the factor {name!r} has two levels of one name: {shortened(values)}")
    return found


def _level_name(value: Hashable) -> str:
    """What a level that is given by a value alone is called."""
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def cell_rows(
    task: Task, recipe: Recipe, factors: Factors, skip: Callable[[dict[str, str]], bool] | None
) -> list[Row]:
    """A row for each combination of levels that makes sense.

    Args:
        task: the baseline's.
        recipe: the baseline's.
        factors: the levels of each factor.
        skip: a function of {factor: level} that says which combinations make no sense.

    Raises:
        ValueError: `skip` leaves out everything, or a combination that cannot be made.
    """
    if not factors:
        return []
    rows = []
    for levels in itertools.product(*factors.values()):
        named = dict(zip(factors, levels, strict=True))
        if skip is not None and skip(named):
            continue
        changes = [factors[factor][level] for factor, level in named.items()]
        rows.append(_cell(task, recipe, levels, changes))
    if not rows:
        raise ValueError("skip= leaves out all combinations of the factors' levels")
    return rows


def _cell(task: Task, recipe: Recipe, levels: tuple[str, ...], changes: Sequence[Any]) -> Row:
    """The row of one combination of levels: their changes together."""
    label = ", ".join(levels)
    tune: dict[str, Sequence[float]] = {}
    alterations = []
    for change in changes:
        alteration, tuned = without_tuning(change)
        alterations.append(alteration)
        tune |= tuned
    merged = [together for together in _merged(alterations) if together]
    for together in merged:
        try:
            task, recipe = altered(task, recipe, together, may_equal=True)
        except (TypeError, ValueError) as error:
            raise type(error)(f"the combination {label!r}: {error}") from None
    said = "; ".join(map(described, merged))
    return Row(label, task, recipe, said, checked_tuning(label, tune), levels)


def _merged(alterations: Sequence[Any]) -> list[Any]:
    """Changes in their order: those that replace recipe or task, names as one, then functions."""
    whole: list[Any] = []
    named: dict[str, Any] = {}
    functions: list[Any] = []
    for one in alterations:
        if isinstance(one, Mapping):
            named |= one
        elif is_function(one):
            functions.append(one)
        else:
            whole.append(one)
    return [*whole, named, *functions]


def all_rows(
    task: Task,
    recipe: Recipe,
    changes: Mapping[str, Any],
    factors: Factors,
    skip: Callable[[dict[str, str]], bool] | None,
) -> dict[str, Row]:
    """Every row by its label, the baseline first.

    Raises:
        ValueError: two rows of one label.
    """
    rows = [Row(BASELINE, task, recipe)]
    rows += change_rows(task, recipe, changes)
    rows += cell_rows(task, recipe, factors, skip)
    found: dict[str, Row] = {}
    for row in rows:
        if row.label in found:
            raise ValueError(f"two rows are called {row.label!r}; give each a name of its own")
        found[row.label] = row
    return found
