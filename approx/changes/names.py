"""Names in a change: which fields a task, a recipe and a model have, and what a wrong name meant.

A field's full name is that of its owner and its own: `recipe.optimizer`, `task.size`,
`model.widths`. A user may leave out the owner where the rest is unambiguous.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from approx.models import MLP, scalings
from approx.sweep import numbers, slips
from approx.tasks import Task, shortened
from approx.training import optimizers
from approx.training.recipes import Recipe

# Names that are no field, but say what is to be done
SPECIAL = ("epochs", "inputs", "targets")
# Of a flax module: fields that flax itself fills in
FLAX_OWN = ("parent", "name")
# What is often written, and what was meant
MEANT = {
    "lr": "'learning_rate'",
    "epoch": "'epochs'",
    "batch": "'batch_size'",
    "recipe": "the recipe itself in place of the dictionary",
    "task": "the task itself in place of the dictionary",
    "weight_decay": '\'l2\'; or "optimizer": "adamw", which has a weight_decay',
}
# What is often written for the widths of the hidden layers
MEANT_WIDTHS = ("units", "layers", "hidden", "width")

# ---- which names there are -----------------------------------------------------------------------


def known(task: Task, model: Any, optimizer: Any, options: Mapping[str, Any]) -> list[str]:
    """The full names of everything that a change can set, in the order recipe, model, task.

    Args:
        task: what is learned.
        model: the recipe's model; the fields of models inside a scaling count too.
        optimizer: the recipe's optimiser, whose numbers count.
        options: the recipe's further arguments of the optimiser.

    """
    own = [name for name in slips.field_names(Recipe) if name not in SPECIAL]
    found = [f"recipe.{name}" for name in own]
    found += [f"recipe.{name}" for name in option_names(optimizer, options)]
    for each in numbers.nested(model):
        found += [f"model.{name}" for name in model_fields(each)]
    found += [f"task.{name}" for name in slips.field_names(task)]
    return list(dict.fromkeys(found))


def option_names(optimizer: Any, options: Mapping[str, Any]) -> list[str]:
    """The names of an optimiser's numbers and options; only those given if it is unknown."""
    names = list(options)
    if isinstance(optimizer, str) and optimizer in optimizers.KNOWN:
        names = [*optimizers.defaults(optimizer), *names]
    return names


def model_fields(model: Any) -> list[str]:
    """The names of a model's own fields; none of a pair (init, apply)."""
    names = slips.field_names(model)
    if all(name in names for name in FLAX_OWN):
        return [name for name in names if name not in FLAX_OWN]
    return names


# ---- what a user's name means --------------------------------------------------------------------


def qualified(change: Mapping[str, Any], known: Iterable[str], model: Any) -> dict[str, Any]:
    """The values of a change by full names.

    Args:
        change: values by the names that the user wrote, without those of SPECIAL.
        known: the full names of everything that can be set.
        model: the model, for errors.

    Raises:
        TypeError: a name that is unknown or ambiguous, or two names of one field.

    """
    known = list(known)
    written: dict[str, str] = {}
    values = {}
    for name, value in change.items():
        full = full_name(name, known, model)
        if full in written:
            raise TypeError(f"{written[full]!r} and {name!r} are two names of {full}; give one")
        written[full] = name
        values[full] = value
    return values


def full_name(name: str, known: list[str], model: Any) -> str:
    """The full name of the field that a user's name means; "model" is the recipe's model.

    Raises:
        TypeError: the name is no string; or it is unknown, with what was probably meant; or it is
            ambiguous, with the full names.

    """
    if not isinstance(name, str):
        raise TypeError(f"a change has the name {shortened(name)}; a name is a string")
    if name == "model":
        return "recipe.model"
    means = numbers.meanings(name, known)
    if not means:
        raise TypeError(advice(name, known, model))
    if len(means) > 1:
        raise TypeError(f"cannot change {name!r}: it is ambiguous; write one of {', '.join(means)}")
    return means[0]


def check_special(name: str, known: Iterable[str]) -> None:
    """Refuse a special name that is also the name of a field.

    Raises:
        TypeError: with the field's full name.
    """
    means = numbers.meanings(name, known)
    if means:
        raise TypeError(
            f"cannot change {name!r}: it is ambiguous; write {means[0]!r} for the field, or set "
            "'recipe.steps' for the length of the training"
        )


def short(known: Iterable[str]) -> list[str]:
    """The shortest unambiguous name of everything that a change can name, SPECIAL first."""
    special = [f".{name}" for name in SPECIAL]
    known = list(known)
    if "model.widths" in known and "model.depth" not in known:
        special.append(".depth")
    found = numbers.shortest_names([*special, *known])
    return [name.removeprefix(".") for name in found]


def advice(name: str, known: list[str], model: Any) -> str:
    """Say that a name is unknown, what was probably meant, and what can be changed."""
    hint = hint_of(name, known, model)
    return (
        f"cannot change {name!r}: there is no such field{hint} "
        f"A change can name: {', '.join(short(known))}"
    )


def hint_of(name: str, known: list[str], model: Any) -> str:
    """What an unknown name was probably meant for, as the end of a sentence; "." if unclear."""
    own = name.rpartition(".")[2]
    core = scalings.core(model)
    if not model_fields(core) and (name.startswith("model.") or own in slips.field_names(MLP)):
        kind = "pair (init, apply)" if isinstance(core, tuple) else type(core).__name__
        return f"; the model is a {kind}, which has no fields: give another one as 'model'."
    elsewhere = numbers.meanings(own, known)
    if elsewhere:
        return f"; perhaps {' or '.join(map(repr, elsewhere))} is meant."
    if own in MEANT_WIDTHS and "model.widths" in known:
        return "; perhaps 'model.widths' is meant, such as (64,) or (64, 64)."
    if own in MEANT:
        return f"; perhaps {MEANT[own]} is meant."
    close = get_close_matches(name.lower(), [*short(known), *known], 1, slips.ALIKE)
    if close:
        return f"; did you mean {close[0]!r}?"
    having = [each for each in optimizers.KNOWN if own in optimizers.defaults(each)]
    if having:
        return f"; it is a number of the optimizers {', '.join(having)}."
    return "."
