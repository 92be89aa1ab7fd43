"""Numbers by name: which numbers a task and a recipe have, and how one of them is changed.

A number's full name is that of its owner and its own: `recipe.learning_rate`, `task.noise`,
`model.dropout`. A user may leave out the owner where the rest is unambiguous.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from approx.models import scalings
from approx.tasks import Task, shortened
from approx.training import optimizers
from approx.training.recipes import Recipe, is_number

RULE_FIELDS = ("stop", "plateau")  # of a recipe: rules that have numbers of their own

# ---- which numbers there are ---------------------------------------------------------------------


def numbers(task: Task, recipe: Recipe) -> dict[str, Any]:
    """Every number of a task and a recipe that can be swept, by its full name.

    A number that is left out of the program is None.
    """
    found: dict[str, Any] = {}
    if recipe.learning_rate is not None:  # a finished optax transformation has its own
        found["recipe.learning_rate"] = recipe.learning_rate
    found["recipe.l2"] = recipe.l2
    found["recipe.l1"] = recipe.l1
    options = optimizers.numbers(recipe.optimizer, recipe.options)
    found |= {f"recipe.{name}": value for name, value in options.items()}
    found |= {full: getattr(rule, name) for full, (_, _, rule, name) in of_rules(recipe).items()}
    if recipe.traced_model:  # all fields of a flax module are structure
        for model in reversed(nested(recipe.model)):
            found |= {f"model.{name}": value for name, value in own_numbers(model)}
    found |= {f"task.{name}": value for name, value in own_numbers(task)}
    return found


def of_rules(recipe: Recipe) -> dict[str, tuple[str, int, Any, str]]:
    """The numbers of the rules in `stop` and `plateau`, by full name.

    The name is `stop.tol`, or `stop.1.tol` where several rules of the recipe's field have a number
    of that name, with the place of the rule.

    Returns:
        For each name the recipe's field, the place of the rule in it, the rule, and the number's
        own name.
    """
    found = {}
    for owner in RULE_FIELDS:
        rules = getattr(recipe, owner) or ()
        names = [name for rule in rules for name, _ in own_numbers(rule)]
        for place, rule in enumerate(rules):
            for name, _ in own_numbers(rule):
                alone = names.count(name) == 1
                full = f"{owner}.{name}" if alone else f"{owner}.{place}.{name}"
                found[full] = owner, place, rule, name
    return found


def own_numbers(thing: Any) -> Iterator[tuple[str, Any]]:
    """Name and value of every field of a dataclass that is a number, or None in place of one."""
    if not is_dataclass(thing):
        return
    for field in fields(thing):
        if field.metadata.get("static"):
            continue
        value = getattr(thing, field.name)
        if value is None or (is_number(value) and np.ndim(value) == 0):
            yield field.name, value


def nested(model: Any) -> list[Any]:
    """A model and the models inside it, the outermost first."""
    if model is scalings.core(model):
        return [model]
    return [model, *nested(model.model)]


# ---- what a user's name means --------------------------------------------------------------------


def meanings(name: str, known: Iterable[str]) -> list[str]:
    """The full names of the numbers that a user's name could mean; [] if it means none.

    Args:
        name: what the user wrote, such as "noise" or "task.noise".
        known: the full names of all numbers.
    """
    known = list(known)
    if name in known:
        return [name]
    return [full for full in known if own_name(full) == name]


def qualify(name: str, task: Task, recipe: Recipe) -> str:
    """The full name of the number that a user's name means.

    Example:
        `learning_rate` means `recipe.learning_rate`.

    Raises:
        TypeError: the name is unknown; or it is ambiguous, and the error lists those numbers that
            it could mean.

    """
    means = meanings(name, numbers(task, recipe))
    if not means:
        raise TypeError(f"cannot sweep {name!r}: there is no such number")
    if len(means) > 1:
        raise TypeError(
            f"cannot sweep {name!r}: it is ambiguous; write one of {', '.join(means)} "
            f"(as **{{{means[0]!r}: ...}})"
        )
    return means[0]


def own_name(full: str) -> str:
    """A full name without its owner."""
    return full.split(".", 1)[1]


def shortest_names(known: Iterable[str]) -> list[str]:
    """The shortest name of each number that is unambiguous."""
    known = list(known)
    short = [own_name(full) for full in known]
    found = []
    for full in known:
        alone = short.count(own_name(full)) == 1
        found.append(own_name(full) if alone else full)
    return found


# ---- how a number is changed ---------------------------------------------------------------------


def setting(task: Task, recipe: Recipe, values: Mapping[str, float]) -> tuple[Task, Recipe]:
    """The task and the recipe with other numbers, checked as when they were made.

    Args:
        task: what is learned.
        recipe: how it is learned.
        values: the new numbers by their full names.
    """
    changes: dict[str, dict[str, Any]] = {"task": {}, "recipe": {}, "model": {}}
    options = dict(recipe.options)
    known = of_rules(recipe)
    rules = {owner: list(getattr(recipe, owner) or ()) for owner in RULE_FIELDS}
    for full, value in values.items():
        owner, name = full.split(".", 1)
        if full in known:
            _, place, _, name = known[full]
            rules[owner][place] = replace(rules[owner][place], **{name: value})
        elif owner == "recipe" and name not in ("learning_rate", "l2"):
            options[name] = value
        else:
            changes[owner][name] = value
    model = recipe.model
    if changes["model"]:
        model = with_numbers(model, changes["model"])
    if changes["task"]:
        task = replace(task, **changes["task"])
    changes["recipe"] |= {owner: tuple(rules[owner]) or None for owner in RULE_FIELDS}
    return task, replace(recipe, **changes["recipe"], model=model, options=options)


def with_numbers(model: Any, values: Mapping[str, float]) -> Any:
    """The model with other numbers.

    If a number's name is that of a field in several of the `nested` models, the outermost gets it.
    """
    if model is scalings.core(model):
        return replace(model, **values)
    names = {field.name for field in fields(model)}
    mine = {name: value for name, value in values.items() if name in names}
    others = {name: value for name, value in values.items() if name not in names}
    return replace(model, model=with_numbers(model.model, others), **mine)


def axis(name: str, values: Any) -> np.ndarray:
    """The values of a swept number, as a float64 vector.

    Args:
        name: the user's, for the errors.
        values: one number or several.

    Raises:
        TypeError: the values are not numbers.
        ValueError: there are none, or one is repeated or not finite.

    """
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"cannot sweep {name!r} over {shortened(values)}: not numbers")
    array = np.atleast_1d(array).astype(np.float64)
    if array.ndim != 1 or not array.size:
        raise ValueError(
            f"{name!r} needs one or more values in one dimension, "
            f"not an array of shape {array.shape}"
        )
    infinite = array[~np.isfinite(array)]
    if infinite.size:
        raise ValueError(f"{name!r} has the value {infinite[0]}; swept values must be finite")
    unique, counts = np.unique(array, return_counts=True)
    repeated = unique[counts > 1]
    if repeated.size:
        raise ValueError(
            f"{name!r} repeats the value {repeated[0]}; each cell of a grid needs its own"
        )
    return array
