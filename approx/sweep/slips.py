"""Advice for an argument of `run` that is neither an option nor a number to sweep."""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Any

from approx.models import scalings
from approx.tasks import Task, shortened
from approx.training.recipes import Recipe

ALIKE = 0.75  # how alike two names must be to be taken for one, from 0 to 1 (see `difflib`)
LENGTHS = ("steps", "epochs", "records")  # of a recipe: all trainings of a result share them
# What is often written, and what was meant
MEANT = {
    "seed": "seeds=3 (how many) or seeds=[3] (which)",
    "early_stopping": "ap.Recipe(stop=ap.stops.Patience(...))",
    "patience": "ap.Recipe(stop=ap.stops.Patience(patience=...))",
    "lr": "learning_rate=",
    "repeats": "seeds=, how many networks",
    "n_seeds": "seeds=, how many networks",
    "task": "the first argument of run",
    "recipes": "a dictionary as the second argument, {'label': recipe}",
    "momentum": 'ap.Recipe(optimizer="momentum"), whose momentum can then be swept',
    "weight_decay": 'l2=, or ap.Recipe(optimizer="adamw"), whose weight_decay can then be swept',
    "metric": "metrics={name: function}",
}


def advice(
    name: str,
    value: Any,
    task: Task,
    recipe: Recipe,
    options: Iterable[str],
    sweepable: Iterable[str],
) -> str:
    """Say in a sentence or two what is wrong with an argument of `run`, and what would be right.

    Args:
        name: of the argument. value: that was given for it.
        task, recipe: that are run.
        options: names of the options of `run`.
        sweepable: names of the numbers that can be swept.

    """
    if name == "learning_rate":
        return of_rate(recipe)
    owner = owner_of(name, task, recipe)
    if owner:
        several = ""
        if isinstance(value, list):
            value = value[0] if value else value
            several = "; several values of it are a dictionary of recipes: {'label': recipe}"
        elif name not in LENGTHS:
            several = f"; several values of it are a list, which makes an axis: {name}=[...]"
        written = f"{owner}({name}={shortened(value)})"
        return f"run() cannot sweep {name!r}: {name} belongs to {written}{several}"
    if name in MEANT:
        return f"run() has no option {name!r}; did you mean {MEANT[name]}?"
    alike = get_close_matches(name, [*options, *sweepable], 1, ALIKE)
    if alike:
        kind = "an option" if alike[0] in options else "a number to sweep"
        return f"run() has no option {name!r}; did you mean {alike[0]}=, {kind}?"
    return (
        f"run() has no option {name!r}, and cannot sweep {name!r}; sweepable: "
        f"{', '.join(sweepable)}. A number of an optimiser of your own is swept once it stands in "
        "the recipe's options as a float. What changes the program (widths, activations, "
        "optimizers) has a list of values under its field's name, or goes into a dictionary of "
        "recipes: {'label': recipe}"
    )


def of_rate(recipe: Recipe) -> str:
    """Say why a recipe has no learning rate that could be swept."""
    if isinstance(recipe.optimizer, str):
        return (
            f"run() cannot sweep 'learning_rate': the optimizer {recipe.optimizer!r} finds its own "
            "step lengths; give it a run of its own"
        )
    return (
        "run() cannot sweep 'learning_rate': the recipe's optimizer is a finished optax "
        "transformation, which has its own; give its factory (optimizer=optax.adam) instead"
    )


def owner_of(name: str, task: Task, recipe: Recipe) -> str:
    """Whose field this is that decides the program, as one writes it in code; "" if nobody's."""
    model = scalings.core(recipe.model)
    if name in field_names(recipe):
        return "the recipe: ap.Recipe"
    if name in field_names(model):
        return f"the model: {type(model).__name__}"
    if name in field_names(task):
        return f"the task: {type(task).__name__}"
    return ""


def field_names(thing: Any) -> list[str]:
    """Names of the fields that one gives when one makes a thing; none if it is no dataclass."""
    if not is_dataclass(thing):
        return []
    return [field.name for field in fields(thing) if field.init]
