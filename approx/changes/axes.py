"""Axes of structure: every value of a field that changes the program becomes a recipe of its own.

`run` gives a name and a list of values; what the values make of task and recipe is said by
`alterations.altered`, as in the changes of a study.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from approx.changes import layers, names
from approx.changes.alterations import altered, in_words
from approx.sweep import numbers
from approx.sweep.request import Request, named_recipes
from approx.tasks import Task
from approx.training.recipes import Recipe

MOST_PROGRAMS = 10_000  # combinations of structure, each of which is compiled
# Fields that decide which steps have a record, and why they cannot be an axis
LENGTHS = {
    "steps": "a training of many steps has those of few in it: train the longest, with records= of "
    "the steps that you want, and select them by runs.sel(step=...)",
    "epochs": "a training of many epochs has those of few in it: train the longest, with records= "
    "of the steps that you want, and select them by runs.sel(step=...)",
    "records": "all trainings of a result have the same records: ap.Recipe(records=...)",
}


def expanded(request: Request) -> Request:
    """The request with a recipe for every combination of the values of its axes of structure.

    An axis of structure is an argument of `run` that is no number of the recipes, names a field of
    task, model or recipe, and has a list of values.

    Returns:
        The request itself if it has no such axis. Else one whose recipes are labelled by their
        values, whose grid has the numbers alone, and whose `unfolded` has the axes.

    Raises:
        TypeError, ValueError: a field that cannot be an axis, or a value that task, model or recipe
            refuse.

    """
    if not request.grid:
        return request
    recipes = named_recipes(request.task, request.recipe)
    found = {}
    for name, values in request.grid.items():
        if is_structure(name, values, recipes):
            found[name] = checked_values(name, values)
    if not found:
        return request
    check_count(found)
    coordinates = {name: coordinate(name, values) for name, values in found.items()}
    labelled = isinstance(request.recipe, Mapping)
    unfolded: dict[str, np.ndarray] = {}
    if labelled:
        unfolded["recipe"] = np.asarray([label for label, _, _ in recipes])
    return replace(
        request,
        recipe={
            label: made for one in recipes for label, made in combinations(one, found, coordinates)
        },
        grid={name: values for name, values in request.grid.items() if name not in found},
        unfolded=unfolded | coordinates,
    )


def is_structure(name: str, values: Any, recipes: list[tuple[Any, Task, Recipe]]) -> bool:
    """Whether an argument of `run` is a list of values of a field that changes the program.

    Raises:
        TypeError: the field is the length of the training, or the name is ambiguous.
    """
    if not is_list(values):
        return False
    for _, task, recipe in recipes:
        if numbers.meanings(name, numbers.numbers(task, recipe)):
            return False
    _, task, recipe = recipes[0]
    known = names.known(task, recipe.model, recipe.optimizer, recipe.options)
    own = name.removeprefix("recipe.")
    if own in LENGTHS and not numbers.meanings(name, known_elsewhere(known)):
        raise TypeError(f"run() cannot sweep {name!r}: {LENGTHS[own]}")
    if name in (*names.SPECIAL, "model"):
        return True
    if name == layers.DEPTH and "model.widths" in known:
        return True
    if not numbers.meanings(name, known):
        return False
    names.full_name(name, known, recipe.model)  # raises where the name is ambiguous
    return True


def known_elsewhere(known: list[str]) -> list[str]:
    """The names of fields of a task or a model."""
    return [full for full in known if not full.startswith("recipe.")]


def is_list(values: Any) -> bool:
    """Whether these are several values: a list, a range, or an array of one dimension."""
    return isinstance(values, list | range) or (isinstance(values, np.ndarray) and values.ndim == 1)


def checked_values(name: str, values: Any) -> list[Any]:
    """The values of an axis in plain Python, a list of numbers among them as a tuple.

    Raises:
        ValueError: there are none.
    """
    plain = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if not plain:
        raise ValueError(f"{name!r} needs one or more values, and the list is empty")
    found = []
    for value in plain:
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, list):
            value = tuple(value)
        if name in layers.WIDTHS and isinstance(value, tuple) and len(value) == 1:
            value = value[0] if len(plain) > 1 else value
        found.append(value)
    return found


def check_count(found: Mapping[str, list[Any]]) -> None:
    """Refuse more combinations than anyone would compile.

    Raises:
        ValueError: with the number.
    """
    count = math.prod(map(len, found.values()))
    if count > MOST_PROGRAMS:
        raise ValueError(
            f"{' x '.join(found)} are {count:,} programs, each of which is compiled; at most "
            f"{MOST_PROGRAMS:,}"
        )


def coordinate(name: str, values: list[Any]) -> np.ndarray:
    """The values of an axis as its coordinates: numbers if all of them are, else words.

    Raises:
        ValueError: two values that are the same, or read the same.
    """
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        found = np.asarray(values)
    else:
        found = np.asarray([in_words(value) for value in values])
    seen, counts = np.unique(found, return_counts=True)
    if (counts > 1).any():
        raise ValueError(
            f"{name!r} has the value {seen[counts > 1][0]} twice: leave one out; values that "
            "differ and read the same go into a dictionary of recipes: {'label': recipe}"
        )
    return found


def combinations(
    one: tuple[Any, Task, Recipe], found: Mapping[str, list[Any]], words: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, tuple[Task, Recipe]]]:
    """A label with the task and the recipe, for every combination of the values of all axes.

    Args:
        one: label (None if there is no other recipe), task and recipe that are altered.
        found: the values of each axis.
        words: their coordinates.

    Raises:
        TypeError, ValueError: a value that task, model or recipe refuse.

    """
    label, task, recipe = one
    before = [] if label is None else [str(label)]
    named = [[f"{name}={word}" for word in words[name]] for name in found]
    for values, texts in zip(product(*found.values()), product(*named), strict=True):
        change = dict(zip(found, values, strict=True))
        yield ", ".join([*before, *texts]), altered(task, recipe, change, may_equal=True)
