"""The table of the catalogue: what each name stands for. The tasks enter themselves."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from approx.tasks.values import as_numbers, shortened

Make = TypeVar("Make", bound=Callable[..., Any])


class Entry(NamedTuple):
    """A row of the table.

    Attributes:
        make: the function that makes the task.
        formula: of what is learned.
        rows: where the training rows lie by default.
        source: who has used it.
    """

    make: Callable[..., Any]
    formula: str
    rows: str
    source: str


ENTRIES: dict[str, Entry] = {}


def entered(formula: str, rows: str, source: str) -> Callable[[Make], Make]:
    """A decorator that puts a function which makes a task into the table.

    Args:
        formula: of what is learned.
        rows: where the training rows lie by default.
        source: who has used it.
    """

    def enter(make: Make) -> Make:
        ENTRIES[make.__name__] = Entry(make, formula, rows, source)
        return make

    return enter


def markdown() -> str:
    """The table as it stands in docs/catalogue.md."""
    lines = ["| task | what is learned | rows by default | source |", "| --- | --- | --- | --- |"]
    for name, entry in ENTRIES.items():
        formula = entry.formula.replace("|", "\\|")
        lines.append(f"| `{name}` | {formula} | {entry.rows} | {entry.source} |")
    return "\n".join(lines)


def check_count(name: str, value: Any, least: int = 1, most: int = 2**31 - 1) -> int:
    """A whole number, as an int.

    Raises:
        ValueError: with the name, the value and what it may be.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (whole and least <= value <= most):
        raise ValueError(
            f"{name} is {shortened(value)}; it must be a whole number from {least} to {most}"
        )
    return int(value)


def vector(name: str, values: Any, length: int) -> tuple[float, ...]:
    """So many finite numbers, from as many or from one for all.

    Raises:
        TypeError: what are no numbers.
        ValueError: another number of them, or some that are not finite.
    """
    numbers = as_numbers(name, values)
    if numbers.ndim > 1 or (numbers.ndim == 1 and len(numbers) != length):
        raise ValueError(
            f"{name} is {shortened(values)}; it must be one number, or {length} numbers"
        )
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} is {shortened(values)}; its numbers must be finite")
    return tuple(np.broadcast_to(numbers, (length,)).tolist())
