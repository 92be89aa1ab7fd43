"""Targets in the form that a loss here wants, and what a framework's loss becomes."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from approx.frameworks.chains import Layer


class Meant(NamedTuple):
    """What a framework's loss becomes.

    Attributes:
        loss: of the task.
        y: the targets.
        layers: of the network; a last softmax may be part of the loss here.
        correct: of the task.
        recipe: fields of the recipe.
        notes: sentences.
    """

    loss: Any
    y: np.ndarray
    layers: Sequence[Layer]
    correct: Any = None
    recipe: Mapping[str, Any] = {}
    notes: tuple[str, ...] = ()


def outputs_of(layers: Sequence[Layer]) -> int:
    """How many outputs the network has: the units of its last dense layer.

    Raises:
        ValueError: no dense layer.
    """
    units = [layer.values["units"] for layer in layers if layer.kind == "dense"]
    if not units:
        raise ValueError("the model has no dense layer, so there is nothing to train")
    return units[-1]


def last_activation(layers: Sequence[Layer]) -> Any:
    """The activation after the last dense layer; None if there is none."""
    if layers and layers[-1].kind == "activation":
        return layers[-1].values["function"]
    return None


def check_whole(y: np.ndarray) -> None:
    """Refuse labels that are no whole numbers.

    Raises:
        ValueError: with the first of them.
    """
    try:
        numbers = y.ravel().astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"y holds words, such as {y.ravel().tolist()[0]!r}; give numbers, such as those of "
            "np.unique(y, return_inverse=True)[1]"
        ) from error
    broken = numbers[numbers != np.round(numbers)]
    if len(broken):
        raise ValueError(f"y holds {broken[0].item()!r}; labels must be whole numbers from 0")


def as_floats(y: np.ndarray) -> np.ndarray:
    """Targets as floats.

    Raises:
        ValueError: words.
    """
    if y.dtype.kind in "OUS":
        check_whole(y)
    return y.astype(float)


def one_hot(y: np.ndarray, classes: int) -> np.ndarray:
    """Integer labels as rows of zeros and one 1; rows stay as they are.

    Raises:
        ValueError: labels that are no whole numbers, or beyond the number of classes.
    """
    if y.ndim == 2 and y.shape[1] > 1:
        return y
    check_whole(y)
    labels = y.ravel().astype(int)
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"labels go from {labels.min()} to {labels.max()}, and the network has {classes} "
            "outputs"
        )
    return np.eye(classes)[labels]


def as_labels(y: np.ndarray, classes: int) -> np.ndarray:
    """Integer labels (n,), from labels of any shape and type."""
    one_hot(y.reshape(-1, 1), classes)
    return y.ravel().astype(int)


def smoothed(y: np.ndarray, share: float) -> np.ndarray:
    """Soft labels: `y (1 - share) + share / classes`."""
    if not share:
        return y
    return y * (1 - share) + share / y.shape[1]


def as_columns(y: np.ndarray, outputs: int) -> np.ndarray:
    """Targets (n, o).

    Raises:
        ValueError: another number of columns than the network has outputs.
    """
    columns = y.reshape(len(y), -1)
    if columns.shape[1] != outputs:
        raise ValueError(
            f"y has {columns.shape[1]} columns, and the network {outputs} outputs; a framework "
            "might broadcast one against the other, which is refused here"
        )
    return columns
