"""Numbers by name: which there are in a task and a recipe, and how one is set."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from approx.models import scalings
from approx.tasks import Task, shortened
from approx.training import optimizers
from approx.training.recipes import Recipe, is_number

# What is written where a number to sweep would stand, and what was probably meant.
IN_RECIPE = (
    "Recipe({0}=...): {0} belongs to the recipe; several values of it are a dictionary of recipes"
)
MEANT = {
    "seed": "seeds=3 (how many) or seeds=[3] (which)",
    "epochs": "Recipe(steps=...), where steps = epochs x batches per epoch",
    "lr": "learning_rate=",
    "repeats": "seeds=, how many networks",
    "n_seeds": "seeds=, how many networks",
    "task": "the first argument of run",
    "recipes": "a dictionary as the second argument, {'label': recipe}",
    "momentum": 'Recipe(optimizer="momentum"), whose momentum can then be swept',
    "weight_decay": 'l2=, or Recipe(optimizer="adamw"), whose weight_decay can then be swept',
    "metric": "metrics={name: function}",
}
MEANT |= {
    name: IN_RECIPE.format(name)
    for name in (
        "steps",
        "batch_size",
        "batches",
        "optimizer",
        "records",
        "schedule",
        "dtype",
        "model",
        "options",
    )
}


def numbers(task: Task, recipe: Recipe) -> dict[str, Any]:
    """Every number of task, recipe and model by its qualified name, None where it is left out of
    the program.
    """
    found = {"recipe.learning_rate": recipe.learning_rate, "recipe.l2": recipe.l2}
    if recipe.learning_rate is None:  # a finished optax transformation has its own
        del found["recipe.learning_rate"]
    found |= {
        f"recipe.{k}": v for k, v in optimizers.numbers(recipe.optimizer, recipe.options).items()
    }
    # Flax's are structure
    owners = [("model", one) for one in nested(recipe.model)] if recipe.traced_model else []
    for owner, thing in (*reversed(owners), ("task", task)):
        for f in fields(thing) if is_dataclass(thing) else ():
            value = getattr(thing, f.name)
            if not f.metadata.get("static") and (
                value is None or (is_number(value) and np.ndim(value) == 0)
            ):
                found[f"{owner}.{f.name}"] = value
    return found


def nested(model: Any) -> list[Any]:
    """A model, and those inside it, from the outside in."""
    inner = [] if model is scalings.core(model) else nested(model.model)
    return [model, *inner]


def with_numbers(model: Any, values: Mapping[str, float]) -> Any:
    """The model with those numbers, each in the outermost of `nested` that has it."""
    if model is scalings.core(model):
        return replace(model, **values)
    mine = {
        name: value for name, value in values.items() if name in {f.name for f in fields(model)}
    }
    rest = {name: value for name, value in values.items() if name not in mine}
    return replace(model, model=with_numbers(model.model, rest), **mine)


def qualify(name: str, task: Task, recipe: Recipe) -> str:
    """The qualified name that a user's name means.

    Raises:
        TypeError: an unknown name, listing what there is; an ambiguous one, listing what it could
            mean.

    """
    known = numbers(task, recipe)
    means = [name] if name in known else [full for full in known if full.split(".", 1)[1] == name]
    if len(means) > 1:
        raise TypeError(
            f"cannot sweep {name!r}: it is ambiguous; write one of {', '.join(means)} (as **{{{means[0]!r}: ...}})"
        )
    if not means:
        if name in MEANT:
            raise TypeError(f"cannot sweep {name!r}; did you mean {MEANT[name]}?")
        short = [full.split(".", 1)[1] for full in known]
        there_is = [full if short.count(s) > 1 else s for full, s in zip(known, short, strict=True)]
        raise TypeError(
            f"cannot sweep {name!r}; sweepable: {', '.join(there_is)}. A number of an optimiser of your own is swept "
            "once it stands in the recipe's options as a float. "
            "What changes the program (steps, widths, activations) goes into a dictionary of recipes: {'label': recipe}"
        )
    return means[0]


def setting(task: Task, recipe: Recipe, values: Mapping[str, float]) -> tuple[Task, Recipe]:
    """Task and recipe with those numbers, by qualified name; checked as when they were made."""
    options = dict(recipe.options)
    changes: dict[str, dict[str, Any]] = {"task": {}, "recipe": {}, "model": {}}
    for full, value in values.items():
        owner, name = full.split(".", 1)
        if owner == "recipe" and name not in ("learning_rate", "l2"):
            options[name] = value
        else:
            changes[owner][name] = value
    model = with_numbers(recipe.model, changes["model"]) if changes["model"] else recipe.model
    return (
        replace(task, **changes["task"]) if changes["task"] else task,
        replace(recipe, **changes["recipe"], model=model, options=options),
    )


def axis(name: str, values: Any) -> np.ndarray:
    """The values of a swept number, as a float64 vector.

    Raises:
        TypeError: values that are not numbers. ValueError: an empty axis, a repeated or a
            non-finite value.

    """
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"cannot sweep {name!r} over {shortened(values)}: not numbers")
    array = np.atleast_1d(array).astype(np.float64)
    if array.ndim != 1 or not array.size:
        raise ValueError(
            f"{name!r} needs one or more values in one dimension, not an array of shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name!r} has the value {array[~np.isfinite(array)][0]}; swept values must be finite"
        )
    unique, counts = np.unique(array, return_counts=True)
    if (counts > 1).any():
        raise ValueError(
            f"{name!r} repeats the value {unique[counts > 1][0]}; each cell of a grid needs its own"
        )
    return array
