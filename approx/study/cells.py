"""A factorial: a row for each combination of the levels of several factors."""

import itertools
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from approx.changes.alterations import altered, described, in_words, is_function
from approx.changes.fields import same
from approx.study.claims import BASELINE
from approx.study.errors import naming_row
from approx.study.rows import Row, change_rows, checked_tuning, without_tuning
from approx.tasks import Task, shortened
from approx.training.recipes import Recipe

MOST_CELLS = 5_000  # combinations of one factorial
TOO_MANY = "the factors have too many combinations"

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
        named = {str(level): change for level, change in levels.items()}
        if len(named) < len(levels):
            raise ValueError(f"the factor {name!r} has two levels of one name: {list(levels)}")
        return named
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
    return in_words(value)


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
        ValueError: `skip` leaves out everything; a combination that cannot be made; too many
            combinations.
    """
    if not factors:
        return []
    check_size(factors, skip is not None)
    rows: list[Row] = []
    for levels in itertools.product(*factors.values()):
        named = dict(zip(factors, levels, strict=True))
        if skip is not None and skip(named):
            continue
        if len(rows) >= MOST_CELLS:
            raise ValueError(f"{TOO_MANY}: those that skip= leaves are more than {MOST_CELLS:,}")
        changes = [factors[factor][level] for factor, level in named.items()]
        rows.append(_cell(task, recipe, levels, changes))
    if not rows:
        raise ValueError("skip= leaves out all combinations of the factors' levels")
    return rows


def check_size(factors: Factors, skips: bool) -> None:
    """Refuse a factorial with too many combinations; `skip` may leave out many of them."""
    count = math.prod(map(len, factors.values()))
    most = 1000 * MOST_CELLS if skips else MOST_CELLS
    if count > most:
        raise ValueError(f"{TOO_MANY}: there are {count:,}, and {most:,} can be made")


def _cell(task: Task, recipe: Recipe, levels: tuple[str, ...], changes: Sequence[Any]) -> Row:
    """The row of one combination of levels: their changes together."""
    label = ", ".join(levels)
    split = [without_tuning(change) for change in changes]
    alterations = [alteration for alteration, _ in split]
    tunings = [checked_tuning(label, tuned) for _, tuned in split]
    with naming_row(f"the combination {label!r}"):
        tune = _merged(tunings)
        for together in _in_turn(alterations):
            task, recipe = altered(task, recipe, together, may_equal=True)
    said = "; ".join(described(alteration) for alteration in alterations if alteration)
    return Row(label, task, recipe, said, tune, levels)


def _in_turn(alterations: Sequence[Any]) -> list[Any]:
    """Changes in their order: those that replace recipe or task, names as one, then functions.

    Raises:
        ValueError: two of them replace the same thing, or give one name two values.
    """
    functions = [one for one in alterations if is_function(one)]
    by_name = [one for one in alterations if isinstance(one, Mapping)]
    whole = [one for one in alterations if not is_function(one) and not isinstance(one, Mapping)]
    for kind in (Task, Recipe):
        if sum(_replaces(one, kind) for one in whole) > 1:
            raise ValueError(
                f"two factors replace the whole {kind.__name__.lower()}, and one of them would be "
                "lost; give their levels as dictionaries {name: value}"
            )
    return [*whole, _merged(by_name), *functions]


def _replaces(change: Any, kind: type) -> bool:
    """Whether a change that is no dictionary replaces the whole task, or the whole recipe."""
    parts = change if isinstance(change, tuple) else (change,)
    return any(isinstance(part, kind) for part in parts)


def _merged(changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Changes by name as one, or a ValueError if two give one name different values."""
    found: dict[str, Any] = {}
    for change in changes:
        for name, value in change.items():
            if name in found and not same(found[name], value):
                raise ValueError(
                    f"two factors change {name!r}: to {shortened(found[name])} and to "
                    f"{shortened(value)}"
                )
            found[name] = value
    return found


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
