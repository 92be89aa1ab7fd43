"""What classifiers reach: the majority, Bayes' rule, and a linear softmax for the waveform task."""

from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from approx.floors.linear import table


class Constant(NamedTuple):
    """The best constant prediction.

    Attributes:
        accuracy: the share of the majority class.
        cross_entropy: of predicting the class shares, in nats.
    """

    accuracy: float
    cross_entropy: float


def majority(labels: ArrayLike) -> Constant:
    """The best constant on these rows: `max p` and the entropy `-Σ p log p` of the class shares p.

    Args:
        labels: (n,) or (n, 1), whole numbers from 0.

    Returns:
        The accuracy and the cross-entropy.

    Raises:
        ValueError: labels that are not whole or below 0.

    Example:
        >>> floors.majority([0, 0, 1]).accuracy
        0.6666666666666666
    """
    counts = np.bincount(check_labels(labels))
    share = counts / counts.sum()
    accuracy = float(share.max())
    entropy = float(scipy.special.entr(share).sum())
    return Constant(accuracy, entropy)


def separable(x: ArrayLike, labels: ArrayLike) -> float:
    """The best accuracy that any function of x has on these rows.

    Rows with equal x share one answer, and the best answer is the label that most of them have.

    Args:
        x: inputs, (n, i) or (n,).
        labels: (n,) or (n, 1), whole numbers from 0.

    Returns:
        The accuracy.

    Raises:
        ValueError: numbers of rows that differ, labels that are not whole.

    Example:
        >>> floors.separable([0.0, 0.0, 0.0, 1.0], [0, 0, 1, 1])
        0.75
    """
    x = table("x", x)
    labels = check_labels(labels)
    if len(x) != len(labels):
        raise ValueError(f"x has {len(x)} rows and there are {len(labels)} labels")
    counts = _counts_of_equal_rows(x, labels)
    right = counts.max(1).sum()
    return float(right / len(x))


def _counts_of_equal_rows(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many rows of each group of equal rows have each label, (groups, labels)."""
    _, group = np.unique(x, axis=0, return_inverse=True)
    shape = (group.max() + 1, labels.max() + 1)
    counts = np.zeros(shape, int)
    np.add.at(counts, (group.ravel(), labels), 1)
    return counts


def bayes_accuracy(centres: ArrayLike, deviation: float) -> float:
    """Accuracy of Bayes' rule for equally likely normal classes of one deviation on a line.

    The rule takes the nearest centre. Its accuracy is the mean over classes of the probability
    between the midpoints. For rows of d independent equal entries the row's mean is sufficient; its
    deviation is that of an entry over sqrt(d).

    Args:
        centres: (classes,), different.
        deviation: standard deviation, above 0.

    Returns:
        The accuracy.

    Raises:
        ValueError: fewer than two centres, equal ones, a deviation that is not above 0.

    Example:
        >>> floors.bayes_accuracy([0.0, 1.0], 0.25)
        0.9772498680518208
    """
    centres = np.sort(check_centres(centres))
    if not deviation > 0:
        raise ValueError(f"deviation is {deviation}; it must be above 0")
    half = np.diff(centres) / (2 * deviation)
    # A class loses the tail beyond each midpoint; the outermost have one midpoint only.
    tails = scipy.special.ndtr(-half).sum()
    return float(1 - 2 * tails / len(centres))


class Softmax(NamedTuple):
    """The linear softmax that separates classes by the mean of a row.

    Attributes:
        weights: (dim, classes).
        bias: (classes,).
        norm: Euclidean norm of the weights.
        cross_entropy: expected, in nats.
    """

    weights: np.ndarray
    bias: np.ndarray
    norm: float
    cross_entropy: float


def waveform_softmax(
    centres: ArrayLike, dim: int, deviation: float, scale: float, nodes: int = 64
) -> Softmax:
    """The exact solution of the waveform task of one scale, and its expected loss.

    With m the row's mean, the logits `-scale (m - c_k)²` are linear in the row up to `-scale m²`,
    which all classes share: the weights are `2 scale c_k / dim` and the biases `-scale c_k²`. A
    term that all classes share may be subtracted, so the mean of the c is taken off the weights,
    which makes their norm least. Each class is right wherever its centre is the nearest: Bayes'
    rule, for every scale. The loss is an integral over m ~ N(c_k, deviation² / dim), by
    Gauss-Hermite quadrature.

    Args:
        centres: c, (classes,), different.
        dim: length of a row.
        deviation: standard deviation of its entries, 0 or above.
        scale: above 0; the loss falls with it until it is that of probabilities sharper than the
            noise.
        nodes: number of points of the quadrature.

    Returns:
        Weights, biases, the weights' norm, and the loss.

    Raises:
        ValueError: fewer than two centres, equal ones, a number out of range.

    Example:
        >>> floors.waveform_softmax([0.0, 1.0], dim=4, deviation=0.5, scale=10.0).cross_entropy
    """
    c = check_centres(centres)
    if not (dim >= 1 and deviation >= 0 and scale > 0):
        raise ValueError(
            f"dim {dim}, deviation {deviation}, scale {scale}: must be at least 1, at least 0, "
            "above 0"
        )
    one_row = 2 * scale * (c - c.mean()) / dim
    weights = np.tile(one_row, (dim, 1))
    bias = -scale * c**2
    deviation_of_mean = deviation / np.sqrt(dim)
    losses = _softmax_losses(c, deviation_of_mean, scale, nodes)
    norm = float(np.linalg.norm(weights))
    return Softmax(weights, bias, norm, float(losses.mean()))


def _softmax_losses(c: np.ndarray, deviation: float, scale: float, nodes: int) -> np.ndarray:
    """Expected cross-entropy of the rows of each class, (classes,), see `waveform_softmax`."""
    node, weight = np.polynomial.hermite_e.hermegauss(nodes)
    weight = weight / weight.sum()
    means = c[:, None] + deviation * node  # (classes, nodes)
    logits = -scale * (means[:, :, None] - c) ** 2  # (classes, nodes, classes)
    own_class = np.arange(len(c))[:, None, None]
    own = np.take_along_axis(logits, own_class, 2)[..., 0]
    losses = scipy.special.logsumexp(logits, -1) - own
    return losses @ weight


def check_labels(labels: ArrayLike) -> np.ndarray:
    """Labels (n,) as whole numbers from 0, or a ValueError."""
    array = np.asarray(labels).reshape(-1)
    if not array.size or not np.isfinite(array.astype(float)).all():
        raise ValueError("labels must be finite whole numbers from 0, and at least one")
    _check_whole(array)
    return array.astype(np.int64)


def _check_whole(labels: np.ndarray) -> None:
    """Raise a ValueError if a label is negative, or no whole number."""
    is_wrong = (labels < 0) | (labels != np.rint(labels))
    wrong = labels[is_wrong]
    if wrong.size:
        raise ValueError(f"labels must be whole numbers from 0; one is {wrong[0]}")


def check_centres(centres: ArrayLike) -> np.ndarray:
    """Centres (classes,), finite, different, two or more, or a ValueError."""
    array = np.asarray(centres, float)
    if not _is_finite_list(array) or len(np.unique(array)) < array.size:
        raise ValueError(f"centres must be two or more different finite numbers, got {centres!r}")
    return array


def _is_finite_list(array: np.ndarray) -> bool:
    """Whether an array is a list of two or more finite numbers."""
    if array.ndim != 1 or array.size < 2:
        return False
    return bool(np.isfinite(array).all())
