"""Arguments by the names that other frameworks have for them, and advice for unknown ones."""

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from functools import wraps
from typing import Any

# Names that mean one thing in all frameworks are accepted
ACCEPTED = {"lr": "learning_rate", "validation_split": "validation"}
# Names that may mean something else are answered with what was probably meant
MEANT = {
    "units": "widths=(16,), the units of each hidden layer",
    "hidden_layer_sizes": "widths=(16,), the units of each hidden layer",
    "layers": "widths=(16,), the units of each hidden layer",
    "optimiser": 'optimizer="adam"',
    "nb_epoch": "epochs=",
    "max_iter": "epochs=, or steps=",
    "iterations": "steps=, or epochs=",
    "shuffle": 'batches="epoch", which shuffles anew in each epoch, or batches="order"',
    "early_stopping": "stop=ap.stops.Patience(patience=...)",
    "patience": "stop=ap.stops.Patience(patience=...)",
    "callbacks": "stop=ap.stops.Patience(patience=...)",
    "momentum": 'optimizer="momentum", options={"momentum": 0.9}',
    "weight_decay": 'l2=, or optimizer="adamw" with options={"weight_decay": 0.01}',
    "alpha": "l2=",
    "kernel_initializer": "initializer=",
    "init": "initializer=",
    "loss": 'ap.given(x, y, loss="mse"): the loss belongs to the task',
    "validation_data": "ap.data(x, y, validation=(x_validation, y_validation))",
    "test_size": "ap.given(x, y, x_test, y_test)",
    "random_state": "ap.run(..., seeds=[3])",
    "seed": "ap.run(..., seeds=[3])",
}


def spelled(kind: type) -> type:
    """A dataclass whose constructor takes accepted names, and answers unknown ones with advice.

    All of its arguments but those of positional fields have to be given by name.

    Args:
        kind: the dataclass, which is changed in place.

    Example:
        With this decorator `Recipe(lr=0.1)` is `Recipe(learning_rate=0.1)`.
    """
    made: Any = kind
    own = made.__init__
    names = [each.name for each in fields(kind) if each.init]
    positional = [each.name for each in fields(kind) if each.init and not each.kw_only]

    @wraps(own)
    def init(self, *args: Any, **given: Any) -> None:
        if type(self) is not kind:  # a subclass has arguments of its own
            own(self, *args, **given)
            return
        if len(args) > len(positional):
            first = names[len(positional)]
            raise TypeError(
                f"{kind.__name__} takes its arguments by name, such as "
                f"{kind.__name__}({first}=...); {len(args)} were given without one"
            )
        own(self, *args, **translated(kind.__name__, given, names))

    made.__init__ = init
    return kind


def translated(what: str, given: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """The arguments under their own names.

    Raises:
        TypeError: an unknown name, or two names of one argument.
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        own = name
        if name not in names:
            own = ACCEPTED.get(name, "")
        if own not in names:
            raise TypeError(f"{what} has no argument {name!r}{advice(name, names)}")
        if own in found or (own != name and own in given):
            raise TypeError(f"{what} is given {own!r} twice: {name!r} is another name for it")
        found[own] = value
    return found


def advice(name: str, names: list[str]) -> str:
    """What was probably meant by an unknown name, as the end of a sentence."""
    meant = MEANT.get(name, "")
    if meant.startswith("ap.") or meant.partition("=")[0] in names:
        return f"; did you mean {meant}?"
    close = get_close_matches(name, names, 1)
    if close:
        return f"; did you mean {close[0]}=?"
    return f"; it has: {', '.join(names)}"
