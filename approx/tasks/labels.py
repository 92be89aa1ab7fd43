"""Class labels that a user gives, such as words: the numbers that losses take in their place."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from approx.tasks import losses
from approx.tasks.tables import Table, is_missing
from approx.tasks.values import LARGEST_LABEL, position, shortened

# Losses by what they take in place of a class: its number; 0 or 1; or a row of zeros and one 1
OF_TWO = (
    "binary_cross_entropy",
    "brier",
    "hinge",
    "squared_hinge",
    "probability_binary_cross_entropy",
)
ONE_HOT = (
    "categorical_hinge",
    "soft_cross_entropy",
    "probability_cross_entropy",
    "kl_divergence",
)
Classes = tuple[Any, ...]


def classes_of(table: Table, loss: Any, given: Any) -> Classes | None:
    """The classes that the training targets name, in order; None if the targets are numbers.

    Args:
        table: the training targets.
        loss: of the task, by its name if it has one.
        given: the classes as a user gave them: None for those that there are, sorted; a whole
            number if labels are to stay as they are; or the classes in the user's order.

    Raises:
        TypeError: classes that cannot be sorted.
        ValueError: a missing label; words with a loss of numbers; fewer than two classes, or more
            than the loss can tell apart.
    """
    values = vector(table)
    numbered = given is None or isinstance(given, int | np.integer)
    if values is None or not names_classes(values, loss, numbered):
        check_not_words(table, loss)
        if not numbered:
            raise ValueError(
                f"classes is given, and with the loss {loss!r} y does not name classes, one for a "
                "row: leave classes= out, or take the loss 'cross_entropy'"
            )
        return None
    if not numbered:
        found = tuple(given)
        if len(set(found)) != len(found):
            raise ValueError(f"classes is {shortened(found)}; each class stands there once")
    elif given is not None:  # labels 0, 1, ... as they stand
        return None
    else:
        found = sorted_classes(values)
    if len(found) < 2:
        holds = "y holds the single class" if numbered else "classes names the single class"
        word = found[0] if found else None
        raise ValueError(f"{holds} {word!r}; there must be two or more")
    if loss in OF_TWO and len(found) > 2:
        raise ValueError(
            f"y holds {len(found)} classes, and the loss {loss!r} tells two apart: take "
            f'loss="cross_entropy" and a model of {len(found)} outputs'
        )
    return found


def vector(table: Table) -> np.ndarray | None:
    """Targets of one column as a vector (n,); None of several columns."""
    values = table.values
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    return values if values.ndim == 1 and values.size else None


def names_classes(values: np.ndarray, loss: Any, numbered: bool) -> bool:
    """Whether targets name classes, and are no amounts or labels 0 and 1.

    Args:
        values: targets (n,).
        loss: of the task.
        numbered: whether the user gave no names of classes.
    """
    if loss == "cross_entropy":
        return values.dtype.kind != "f" or is_whole(values)
    if loss in ONE_HOT:
        return values.dtype.kind != "f" or is_whole(values)
    if loss not in OF_TWO:
        return False
    if values.dtype.kind in "OUSb" or not numbered:
        return True
    sides = loss in losses.SIDES  # any number is on a side of 0
    within = bool(((values >= 0) & (values <= 1)).all())
    return not sides and not within and is_whole(values)


def is_whole(values: np.ndarray) -> bool:
    """Whether numbers are finite and whole."""
    return bool(np.isfinite(values).all() and (values == np.round(values)).all())


def check_not_words(table: Table, loss: Any) -> None:
    """Refuse words as targets of a loss of numbers.

    Raises:
        ValueError: with the first word.
    """
    if table.values.dtype.kind not in "OUS":
        return
    for value in table.values.ravel().tolist():
        if isinstance(value, str | bytes):
            raise ValueError(
                f"y holds words, such as {shortened(value)}, and the loss {loss!r} takes numbers: "
                'for classes take loss="cross_entropy" and a model with one output for each '
                'class, or loss="binary_cross_entropy" for two classes'
            )


def plain(values: np.ndarray) -> list[Any]:
    """Labels as Python has them, without nan; whole numbers of a floating type as integers."""
    if values.dtype.kind == "f":
        return [int(value) if value == round(value) else value for value in values.tolist()]
    if values.dtype.kind == "b":
        return [str(value) for value in values.tolist()]
    return values.tolist()


def sorted_classes(values: np.ndarray) -> Classes:
    """All different labels, sorted.

    Raises:
        TypeError: labels that cannot be sorted.
        ValueError: a label that is missing.
    """
    check_there("y", values)
    try:
        return tuple(sorted(set(plain(values))))
    except TypeError as error:
        raise TypeError(
            f"y holds labels that cannot be sorted or compared ({error}); give classes=[...], "
            "all classes in an order of your own"
        ) from error


def check_there(name: str, values: np.ndarray) -> None:
    """Refuse labels that are missing.

    Raises:
        ValueError: with the position of the first.
    """
    for place, value in enumerate(values.tolist()):
        if is_missing(value):
            raise ValueError(f"{position(name, (place,))} is missing: it has no class")


def encoded(name: str, table: Table, classes: Classes, loss: Any) -> np.ndarray:
    """Labels as the loss takes them: numbers (n,), zeros and ones (n, 1), or (n, classes).

    Args:
        name: of the targets, for errors.
        table: the targets.
        classes: in order.
        loss: of the task.

    Raises:
        ValueError: several columns; a label that is none of the classes.
    """
    values = vector(table)
    if values is None:
        raise ValueError(f"{name} has shape {table.values.shape}; it must be one class for a row")
    check_there(name, values)
    number = {each: place for place, each in enumerate(classes)}
    found = np.empty(len(values), np.int32)
    for place, value in enumerate(plain(values)):
        if value not in number:
            raise ValueError(
                f"{position(name, (place,))} is {value!r}, a class that no training row has; the "
                f"classes are {shortened(list(classes))}"
            )
        found[place] = number[value]
    if loss in OF_TWO:
        return found[:, None].astype(np.float64)
    if loss in ONE_HOT:
        return np.eye(len(classes))[found]
    return found


def names_of(classes: Sequence[Any]) -> tuple[Any, ...]:
    """Names of classes for a file: whole numbers if all of them are, else words."""
    if all(isinstance(each, int) and abs(each) <= LARGEST_LABEL for each in classes):
        return tuple(classes)
    return tuple(str(each) for each in classes)
