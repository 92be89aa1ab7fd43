"""Fields of a task, a model and an optimiser with other values, and whether values are the same."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from inspect import Parameter, signature
from typing import Any

import numpy as np

from approx.changes import names
from approx.models import scalings
from approx.sweep import slips
from approx.tasks import Given, Task, losses
from approx.tasks.own import box_distance, given, trained_inputs
from approx.training import optimizers
from approx.training.recipes import Recipe, is_number
from approx.training.rules import GRADIENT


@contextmanager
def naming(written: list[str]) -> Iterator[None]:
    """Put the names of a change before the error that their values raise."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if not written:
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{', '.join(written)}: {error}") from error


# ---- the task and the model ----------------------------------------------------------------------

# Fields of a data set that `given` checks, or from which it finds others
DATA = ("x", "y", "x_test", "y_test", "distance", "loss", "validation", "hold_out", "classes")
# Losses that bring a rule of what is correct, by name and as functions
KNOW_WHAT_IS_CORRECT = (*losses.CORRECT, *(losses.LOSSES[name] for name in losses.CORRECT))


def with_task_values(task: Task, values: dict[str, Any]) -> Task:
    """The task with other fields, checked as when it was made."""
    if not values:
        return task
    written = [f"task.{name}" for name in values]
    loss = values.get("loss", task.loss)
    if loss in KNOW_WHAT_IS_CORRECT and task.correct in losses.RULES:
        values = {"correct": None} | values
    with naming(written):
        if type(task) is Given and any(name in DATA for name in values):
            return given(**data_of(task) | values)
        return replace(task, **values)


def data_of(task: Given) -> dict[str, Any]:
    """The arguments of `given` that make a data set again.

    Distances that are those to the box of the training inputs are to be found anew.
    """
    arguments = {name: getattr(task, name) for name in slips.field_names(task)}
    distance: Any = task.distance
    if not np.any(distance):
        arguments["distance"] = None
    elif task.tested:
        trained = trained_inputs(np.asarray(task.x), arguments)
        if np.array_equal(distance, box_distance(trained, np.asarray(task.x_test))):
            arguments["distance"] = "box"
    return arguments


def with_model_values(model: Any, values: dict[str, Any]) -> Any:
    """The model with other fields.

    If several of the nested models have a field of that name, the outermost gets the value.
    """
    if not values:
        return model
    own = names.model_fields(model)
    mine = {name: value for name, value in values.items() if name in own}
    others = {name: value for name, value in values.items() if name not in own}
    if model is not scalings.core(model):
        inner = mine.get("model", model.model)
        mine["model"] = with_model_values(inner, others)
    with naming([f"model.{name}" for name in mine if name in values]):
        return replace(model, **mine)


# ---- the optimiser -------------------------------------------------------------------------------


def carried_over(recipe: Recipe, optimizer: Any) -> dict[str, Any]:
    """What of the optimiser's rate, schedule and options stays with another optimiser."""
    kept = {
        "learning_rate": recipe.learning_rate,
        "schedule": recipe.schedule,
        "options": recipe.options,
    }
    if same(optimizer, recipe.optimizer):
        return kept
    kept["options"] = {
        name: value for name, value in recipe.options.items() if takes_option(optimizer, name)
    }
    if not takes_rate(optimizer):
        kept["learning_rate"] = kept["schedule"] = None
    elif recipe.learning_rate is None:
        kept["learning_rate"] = optimizers.default_rate(optimizer)
    return kept


def takes_rate(optimizer: Any) -> bool:
    """Whether an optimiser is given a learning rate."""
    if optimizers.is_transformation(optimizer):
        return False
    return optimizers.wants(optimizer) == GRADIENT


def takes_option(optimizer: Any, name: str) -> bool:
    """Whether an optimiser knows an option; a function with `**options` knows any."""
    if isinstance(optimizer, str):
        return name in names.option_names(optimizer, {})
    if optimizers.is_transformation(optimizer) or not callable(optimizer):
        return False
    arguments = signature(optimizer).parameters
    any_name = any(each.kind is Parameter.VAR_KEYWORD for each in arguments.values())
    return any_name or name in arguments


# ---- whether anything has changed ----------------------------------------------------------------


def settings(recipe: Recipe) -> dict[str, Any]:
    """The fields of a recipe, and all numbers of its optimiser whether they are defaults or not."""
    found = {name: getattr(recipe, name) for name in slips.field_names(recipe)}
    found["options"] = {**optimizers.defaults(recipe.optimizer), **recipe.options}
    return found


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal, array by array and field by field."""
    if a is b:
        return True
    if is_number(a) and is_number(b):
        return np.array_equal(a, b)
    if type(a) is not type(b):
        return False
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if is_dataclass(a):
        return all(same(getattr(a, each.name), getattr(b, each.name)) for each in fields(a))
    return bool(a == b)
