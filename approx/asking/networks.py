"""A network in words, as the command line takes it: "MLP(16, relu)"."""

import re
from typing import Any

from approx.models import MLP

EXAMPLE = "such as 'MLP(16, relu)' or 'MLP(32, 32, tanh, initializer=keras)'"


def network(text: str, outputs: int) -> MLP:
    """The network that a text describes.

    Args:
        text: `MLP(...)` with the widths of the hidden layers, then perhaps an activation, and
            perhaps `initializer=` with a name.
        outputs: how many outputs it has.

    Raises:
        ValueError: a text that is no such description; a name that `MLP` does not know.

    Example:
        >>> network("MLP(16, relu)", 1)
        MLP(widths=(16,), activation='relu')
    """
    found = re.fullmatch(r"\s*MLP\s*\(([^()]*)\)\s*", text)
    if found is None:
        raise ValueError(f"the model is {text!r}; write {EXAMPLE}")
    widths: list[int] = []
    words: dict[str, Any] = {}
    for part in filter(None, map(str.strip, found[1].split(","))):
        if part.isdecimal():
            check_place(text, part, words)
            widths.append(int(part))
        else:
            name, value = named(text, part)
            if name in words:
                raise ValueError(
                    f"the model {text!r} has two words for its {name}; write {EXAMPLE}"
                )
            words[name] = value
    return MLP(tuple(widths), outputs=outputs, **words)


def check_place(text: str, width: str, words: dict[str, Any]) -> None:
    """Refuse a width behind the activation, as one activation is that of all layers.

    Raises:
        ValueError: with the width.
    """
    if words:
        raise ValueError(
            f"the model {text!r} has the width {width} behind a word: give all widths first, then "
            f"one activation for all layers, {EXAMPLE}"
        )


def named(text: str, part: str) -> tuple[str, str]:
    """The field of `MLP` that a part of a text is for, and its value.

    Raises:
        ValueError: something that is neither an activation nor an initialiser.
    """
    if re.fullmatch(r"[A-Za-z_]+", part):
        return "activation", part
    given = re.fullmatch(r"(activation|initializer)\s*=\s*([A-Za-z_]+)", part)
    if given is None:
        raise ValueError(f"the model {text!r} has {part!r} in it; write {EXAMPLE}")
    return given[1], given[2]
