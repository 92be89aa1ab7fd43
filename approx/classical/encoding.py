"""Targets as numbers for least squares, and their predictions as what the task's loss takes.

The classical methods predict conditional means: they minimise a squared error. A loss of means,
such as `mse`, takes these predictions as they are. A loss of classes takes logits or probabilities
of the network; for it the targets are 0 and 1 (labels become rows of zeros and one 1), so that the
predicted mean is a probability, and this is turned into what the loss takes.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

# Losses whose outputs are logarithms of probabilities up to a constant for each row
LOG_SHARES = ("cross_entropy", "soft_cross_entropy")
# Those whose outputs are the logits of independent probabilities
LOGITS = ("binary_cross_entropy", "brier")
# Those whose outputs are probabilities
SHARES = ("probability_cross_entropy", "probability_binary_cross_entropy", "kl_divergence")
# Those whose outputs have the sign of a side
SIDES = ("hinge", "squared_hinge")


class Encoding(NamedTuple):
    """How targets become numbers, and predicted numbers outputs.

    Attributes:
        encode: a function of targets (n, o), or labels (n,), that gives (n, o).
        decode: a function of predictions (m, o) that gives what the loss takes, (m, o).
        words: what the two do, for the user.
    """

    encode: Callable[[np.ndarray], np.ndarray]
    decode: Callable[[np.ndarray], np.ndarray]
    words: str


def encoding_of(loss: Any, classes: int | None, rows: int) -> Encoding:
    """The encoding that fits a loss.

    Probabilities are kept between c and 1 - c with `c = 1 / (2 n)`, half a row of the n training
    rows, since the logarithm of 0 would make a single wrong row count infinitely.

    Args:
        loss: a name of `losses.LOSSES`, or a function.
        classes: how many classes labels have; None for targets that are no labels.
        rows: n.
    """
    least = 1 / (2 * rows)
    kept = f"between {least:.3g} and {1 - least:.6g}"

    def inside(p):
        return np.clip(p, least, 1 - least)

    def one_hot(labels):
        return np.eye(int(classes or 0))[labels]

    if loss in LOG_SHARES:
        encode = one_hot if loss == "cross_entropy" else as_they_are
        words = f"targets are 0 and 1, and outputs are log p with the predictions p {kept}"
        return Encoding(encode, lambda p: np.log(inside(p)), words)
    if loss in LOGITS:
        words = f"outputs are log(p / (1 - p)) with the predictions p {kept}"
        return Encoding(as_they_are, lambda p: logit(inside(p)), words)
    if loss in SHARES:
        return Encoding(as_they_are, inside, f"outputs are the predictions, {kept}")
    if loss in SIDES:
        return Encoding(sides, as_they_are, "targets are the sides -1 and 1")
    if loss == "poisson":
        words = f"outputs are the predictions, at least {least:.3g}"
        return Encoding(as_they_are, lambda f: np.maximum(f, least), words)
    if loss == "poisson_log":
        words = f"outputs are the logarithms of the predictions, at least {least:.3g}"
        return Encoding(as_they_are, lambda f: np.log(np.maximum(f, least)), words)
    return Encoding(as_they_are, as_they_are, "outputs are the predictions of the targets")


def as_they_are(values: np.ndarray) -> np.ndarray:
    """Values unchanged, in float64."""
    return np.asarray(values, np.float64)


def sides(targets: np.ndarray) -> np.ndarray:
    """The side of each target: 1 above 0, else -1, as in `losses.hinge`."""
    return np.where(targets > 0, 1.0, -1.0)


def logit(p: np.ndarray) -> np.ndarray:
    """`log(p / (1 - p))`."""
    return np.log(p) - np.log1p(-p)
