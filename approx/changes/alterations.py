"""Changes of a baseline: another task and recipe from a dictionary of names and values."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from approx.changes import fields, layers, names, standardising
from approx.sweep import numbers, slips
from approx.sweep.request import check_nouns
from approx.tasks import Task, shortened
from approx.tasks.reprs import as_code
from approx.training import optimizers
from approx.training.recipes import Recipe, settled, steps_of
from approx.training.recorded_steps import is_whole


def altered(
    task: Task, recipe: Recipe, change: Any, *, may_equal: bool = False
) -> tuple[Task, Recipe]:
    """The task and the recipe that a change makes of a baseline.

    A name in a change is that of any field of the task, the recipe or the model, or that of a
    number of the optimiser: "recipe.steps", "task.size", "model.widths", "recipe.b1". The owner can
    be left out where the name is unambiguous: "steps", "widths". A model inside a scaling has its
    fields changed where it stands. These names do more than to set one field:

    - "model" replaces the whole model, with the scalings around it.
    - "widths" may be one number, which all hidden layers then have, and "depth" is how many hidden
      layers of one width there are (see `layers.resolved`).
    - "optimizer" keeps the learning rate if the baseline's optimiser and the new one both take one.
      Otherwise the learning rate is the new optimiser's default, which is None for "lm", "bfgs" and
      "lbfgs". These find their own step lengths, so that the schedule is dropped with the rate.
      Options that the new optimiser does not know are dropped. What the change itself names is
      taken as it is.
    - "epochs" is a whole number, from which the number of steps follows (see `steps_of`), with the
      changed task and batch size. If only the batch size is changed, the number of steps stays;
      of a baseline that has `epochs`, the number of epochs stays.
    - "steps" and "epochs": if the baseline lists the steps of its records, those below the new
      number of steps are kept, and the new last step is added.
    - "inputs" and "targets" are "standardise" or "raw". "standardise" puts the model into a
      `scalings.PerFeature` with the mean and the standard deviation of each column of the training
      rows, without validation rows. Where rows differ from seed to seed, these are the rows of the
      seeds 0 to 63, pooled. A model that is a `PerFeature` gets these numbers instead of its own;
      a `PerSample` is put into a `PerFeature`, and then sees standardised rows. "raw" takes a
      scaling out.
    - "targets": "standardise" leaves the loss alone, so that all recorded losses stay in the data's
      own units, and thresholds keep their meaning. The gradient with respect to the network's
      standardised outputs is then the gradient in standardised units times the targets' variance.
      Adam hardly sees this factor. For "sgd" it is a factor on the learning rate: divide the rate
      by the variance in the same change, or tune it.
    - "loss": a rule `correct` for squared errors is dropped with a loss that brings its own.

    Args:
        task: the baseline's.
        recipe: the baseline's.
        change: a dictionary {name: value}; or an `ap.Recipe`, an `ap.Task`, or a pair (task,
            recipe), which replace the baseline's. An empty dictionary changes nothing. A function
            of (task, recipe) may return any of these, where a value depends on the others.
        may_equal: whether the change may leave the baseline as it is, as a level of a factor may.

    Returns:
        The task and the recipe. Of the two, the one that stays is the baseline's own object.

    Raises:
        TypeError: an unknown name, with what was probably meant and all names that there are; an
            ambiguous name, with the full names; something that is no change.
        ValueError: values that the task, the model or the recipe refuse; a change that leaves the
            baseline as it is.

    Example:
        `altered(task, recipe, {"activation": "relu", "epochs": 300, "inputs": "standardise"})`

    """
    check_nouns(task, recipe)
    if is_function(change):
        change = change(task, recipe)
    if isinstance(change, Mapping):
        if not change:
            return task, recipe
        new_task, new_recipe = with_values(task, recipe, change)
    else:
        new_task, new_recipe = replaced(task, recipe, change)
    same_task = fields.same(task, new_task)
    same_recipe = fields.same(fields.settings(recipe), fields.settings(new_recipe))
    if same_task and same_recipe and not may_equal:
        raise ValueError(
            f"the change ({described(change)}) leaves the baseline as it is: "
            "all its values are the baseline's own"
        )
    if same_task and same_recipe:
        return task, recipe
    if same_task:
        return task, new_recipe
    if same_recipe:
        return new_task, recipe
    return new_task, new_recipe


def replaced(task: Task, recipe: Recipe, change: Any) -> tuple[Task, Recipe]:
    """The task and the recipe, of which a change replaces one or both.

    Raises:
        TypeError: neither a task, nor a recipe, nor a pair of both.
    """
    if isinstance(change, Task):
        return change, recipe
    if isinstance(change, Recipe):
        return task, change
    if isinstance(change, tuple) and len(change) == 2:
        check_nouns(*change)
        return change
    raise TypeError(
        f"a change is {shortened(change)}; it must be a dictionary {{name: value}}, a task, "
        "a recipe, a pair (task, recipe), or a function of both that returns one of these"
    )


def is_function(change: Any) -> bool:
    """Whether a change is a function of the task and the recipe that returns a change."""
    return callable(change) and not isinstance(change, Task | Recipe)


# ---- a dictionary of names and values ------------------------------------------------------------


def with_values(task: Task, recipe: Recipe, change: Mapping[str, Any]) -> tuple[Task, Recipe]:
    """The task and the recipe with the values of a change.

    The names are those of the new model and the new optimiser, where the change names these.
    """
    special = {name: change[name] for name in names.SPECIAL if name in change}
    plain = {name: value for name, value in change.items() if name not in special}
    model = chosen(plain, "model", recipe.model)
    optimizer = chosen(plain, "optimizer", recipe.optimizer)
    plain = layers.resolved(plain, model)
    carried = fields.carried_over(recipe, optimizer)
    options = chosen(plain, "options", carried["options"])
    if not isinstance(options, Mapping):
        raise TypeError(f"options is {shortened(options)}; it must be a dictionary {{name: value}}")
    known = names.known(task, model, optimizer, options)
    values = names.qualified(plain, known, model)
    if "epochs" in special:
        names.check_special("epochs", known)
    before = task
    task = fields.with_task_values(task, owned(values, "task"))
    new = carried | recipe_values(values, options)
    new["model"] = fields.with_model_values(model, owned(values, "model"))
    written = [full for full in values if full.startswith("recipe.")]
    if "epochs" in special:
        new |= {"steps": steps_in(task, recipe, new, special.pop("epochs")), "epochs": None}
        written.append("epochs")
    elif "steps" in new:
        new["epochs"] = None
    if "records" not in new:
        new["records"] = fitted_records(settled(recipe, before), length_of(task, recipe, new))
    with fields.naming(written):
        recipe = replace(recipe, **new)
    if special:
        recipe = standardising.rescaled(task, recipe, special)
    return task, recipe


def chosen(values: Mapping[str, Any], name: str, otherwise: Any) -> Any:
    """The recipe's field of that name in a change, by its short or its full name."""
    if name in values:
        return values[name]
    return values.get(f"recipe.{name}", otherwise)


def owned(values: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Those values of full names that belong to one owner, by the fields' own names."""
    found = {}
    for full, value in values.items():
        whose, name = full.split(".", 1)
        if whose == owner:
            found[name] = value
    return found


def recipe_values(values: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe's fields in a change; a number of the optimiser is one of its options."""
    own = slips.field_names(Recipe)
    found, numbers_of_optimizer = {}, {}
    for name, value in owned(values, "recipe").items():
        if name in own:
            found[name] = value
        else:
            numbers_of_optimizer[name] = value
    if numbers_of_optimizer:
        found["options"] = {**options, **numbers_of_optimizer}
    return found


# ---- the length of the training ------------------------------------------------------------------


def steps_in(task: Task, recipe: Recipe, new: Mapping[str, Any], epochs: Any) -> int:
    """The steps of so many epochs, with the batches of a recipe of other fields.

    Args:
        task: the changed one.
        recipe: the baseline's.
        new: fields of the recipe that the change names.
        epochs: that the change asks for.

    Raises:
        ValueError: batches that have no epochs, or a change that also says the number of steps.
    """
    if "steps" in new:
        raise ValueError("epochs and steps both say how long the training is; give one of them")
    if new.get("batches", recipe.batches) == "stream":
        raise ValueError(
            f'epochs={shortened(epochs)}: with batches="stream" every row is new, and there are '
            "no epochs; give steps"
        )
    batch_size = new.get("batch_size", recipe.batch_size)
    return steps_of(task, epochs, batch_size, new.get("drop_last", recipe.drop_last))


def length_of(task: Task, recipe: Recipe, new: Mapping[str, Any]) -> Any:
    """The number of steps of a recipe of other fields; epochs of a baseline are counted anew."""
    if "steps" in new or recipe.epochs is None:
        return new.get("steps", recipe.steps)
    return steps_in(task, recipe, new, recipe.epochs)


def fitted_records(recipe: Recipe, steps: Any) -> Any:
    """The records of a recipe for another number of steps: those that fit, and the last step."""
    records = recipe.records
    if is_whole(records) or not is_whole(steps) or steps == recipe.steps:
        return records
    return (*(record for record in records if record < steps), int(steps))


# ---- a change in words ---------------------------------------------------------------------------


def described(change: Any) -> str:
    """A change as a short text for a table.

    Args:
        change: as for `altered`.

    Returns:
        The text, with a semicolon between the parts of the change.

    Example:
        >>> described({"model.activation": "tanh", "epochs": 300, "inputs": "standardise"})
        'activation = tanh; 300 epochs; inputs standardised'

    """
    if is_function(change):
        return getattr(change, "__name__", "a function").replace("_", " ")
    if isinstance(change, tuple):
        return "; ".join(map(as_code, change))
    if not isinstance(change, Mapping):
        return as_code(change)
    if not change:
        return "as the baseline"
    known = [name if "." in name else f".{name}" for name in map(str, change)]
    short = numbers.shortest_names(known)
    parts = map(part, short, change.values())
    return "; ".join(parts)


def part(name: str, value: Any) -> str:
    """One name of a change and its value, in words."""
    name = name.removeprefix(".")
    if name == "epochs" and is_whole(value):
        return "1 epoch" if value == 1 else f"{value} epochs"
    if name in standardising.FIELDS and value == "standardise":
        return f"{name} standardised"
    if name in standardising.FIELDS and value == "raw":
        return f"{name} raw"
    return f"{name} = {in_words(value)}"


def in_words(value: Any) -> str:
    """A value in a table: text without quotes, numbers with as few digits as they need."""
    if isinstance(value, str):
        return value
    if isinstance(value, float | np.floating):
        return f"{value:g}"
    if isinstance(value, np.generic):
        return str(value)
    if optimizers.is_transformation(value):
        return "a finished optax transformation"
    if isinstance(value, tuple) and value and all(map(callable, value)):
        return f"({', '.join(map(in_words, value))})"
    return as_code(value).rpartition("<locals>.")[2]
