"""What classifiers reach: the majority, Bayes, and the linear softmax that solves the waveform
task.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from approx.floors.linear import table


class Constant(NamedTuple):
    """The best constant prediction: accuracy of the majority class, and cross-entropy (nats) of the
    class shares.
    """

    accuracy: float
    cross_entropy: float


def majority(labels: ArrayLike) -> Constant:
    """The best constant on these rows: `max p` and the entropy `-Σ p log p` of the class shares p.

    Args:
        labels: (n,) or (n, 1), whole numbers from 0.

    Raises:
        ValueError: labels that are not whole or below 0.
    """
    counts = np.bincount(check_labels(labels))
    share = counts / counts.sum()
    return Constant(float(share.max()), float(special.entr(share).sum()))


def separable(x: ArrayLike, labels: ArrayLike) -> float:
    """The best accuracy any function of x has on these rows: rows with equal x share one answer,
    their majority's.

    Args:
        x: inputs, (n, i) or (n,).
        labels: (n,) or (n, 1), whole numbers from 0.

    Raises:
        ValueError: numbers of rows that differ, labels that are not whole.
    """
    x, labels = table("x", x), check_labels(labels)
    if len(x) != len(labels):
        raise ValueError(f"x has {len(x)} rows and there are {len(labels)} labels")
    _, group = np.unique(x, axis=0, return_inverse=True)
    counts = np.zeros((group.max() + 1, labels.max() + 1), int)
    np.add.at(counts, (group.ravel(), labels), 1)
    return float(counts.max(1).sum() / len(x))


def bayes_accuracy(centres: ArrayLike, deviation: float) -> float:
    """Accuracy of Bayes' rule for equally likely normal classes of one deviation on a line.

    The rule takes the nearest centre; the sum over classes of the probability between the
    midpoints, over their number. For rows of d independent equal entries the row's mean is
    sufficient, with the deviation of an entry over sqrt(d).

    Args:
        centres: (classes,), different.
        deviation: standard deviation, above 0.

    Raises:
        ValueError: fewer than two centres, equal ones, a deviation that is not above 0.
    """
    centres = np.sort(check_centres(centres))
    if not deviation > 0:
        raise ValueError(f"deviation is {deviation}; it must be above 0")
    half = np.diff(centres) / (2 * deviation)
    # A class loses the tail beyond each midpoint; the outermost have one midpoint only.
    return float(1 - 2 * special.ndtr(-half).sum() / len(centres))


class Softmax(NamedTuple):
    """The linear softmax that separates classes by the mean of a row.

    Attributes:
        weights: (dim, classes). bias: (classes,).
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

    Logits `-scale (m - c_k)²`, m the row's mean, are linear in the row up to `-scale m²`, which all
    classes share: weights `2 scale c_k / dim` and bias `-scale c_k²`. What all classes share may be
    subtracted, so the weights take the mean of the c off, which makes their norm least. Each class
    is right wherever its centre is the nearest: Bayes' rule, for every scale. The loss is an
    integral over m ~ N(c_k, deviation² / dim), by Gauss-Hermite quadrature.

    Args:
        centres: c, (classes,), different.
        dim: length of a row.
        deviation: standard deviation of its entries, 0 or above.
        scale: above 0; the loss falls with it until it is that of probabilities sharper than the
            noise.
        nodes: of the quadrature.

    Raises:
        ValueError: fewer than two centres, equal ones, a number out of range.
    """
    c = check_centres(centres)
    if not (dim >= 1 and deviation >= 0 and scale > 0):
        raise ValueError(
            f"dim {dim}, deviation {deviation}, scale {scale}: must be at least 1, at least 0, above 0"
        )
    weights = np.tile(2 * scale * (c - c.mean()) / dim, (dim, 1))
    node, weight = np.polynomial.hermite_e.hermegauss(nodes)
    means = c[:, None] + deviation / np.sqrt(dim) * node
    logits = -scale * (means[:, :, None] - c) ** 2
    own = np.take_along_axis(logits, np.arange(len(c))[:, None, None], 2)[..., 0]
    loss = (special.logsumexp(logits, -1) - own) @ (weight / weight.sum())
    return Softmax(weights, -scale * c**2, float(np.linalg.norm(weights)), float(loss.mean()))


def check_labels(labels: ArrayLike) -> np.ndarray:
    """Labels (n,) as whole numbers from 0."""
    array = np.asarray(labels)
    array = array.reshape(-1)
    if not array.size or not np.isfinite(array.astype(float)).all():
        raise ValueError("labels must be finite whole numbers from 0, and at least one")
    if (array < 0).any() or (array != np.rint(array)).any():
        raise ValueError(
            f"labels must be whole numbers from 0; one is {array[(array < 0) | (array != np.rint(array))][0]}"
        )
    return array.astype(np.int64)


def check_centres(centres: ArrayLike) -> np.ndarray:
    """Centres (classes,), finite, different, two or more."""
    array = np.asarray(centres, float)
    if (
        array.ndim != 1
        or array.size < 2
        or not np.isfinite(array).all()
        or len(np.unique(array)) < array.size
    ):
        raise ValueError(f"centres must be two or more different finite numbers, got {centres!r}")
    return array
