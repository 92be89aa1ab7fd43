"""Least squares, and the error of leaving one row out in closed form."""

from collections.abc import Sequence

import numpy as np

# From this share of a row's own target in its prediction on, leaving it out says nothing
OWN = 1 - 1e-9


def solve(features: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Coefficients (t, o) of the least squared error; of several, those of the least norm.

    Singular values below `eps max(n, t)` of the largest count as 0 (`numpy.linalg.lstsq`).
    """
    return np.linalg.lstsq(features, y, rcond=None)[0]


def left_out(features: np.ndarray, y: np.ndarray) -> float:
    """Mean squared error of each row's prediction from all others, by least squares.

    `mean_n Σ_o ((y - H y) / (1 - h))²`, where H is the projection on the features' columns and h
    its diagonal (D. M. Allen, Technometrics 16, 1974). It is inf where some row decides its own
    prediction alone.

    Args:
        features: (n, t).
        y: targets (n, o).
    """
    vectors, values, _ = np.linalg.svd(features, full_matrices=False)
    tiny = np.finfo(float).eps * max(features.shape) * values[0]
    vectors = vectors[:, values > tiny]
    return error_left_out(vectors, np.ones(vectors.shape[1]), y)


def error_left_out(vectors: np.ndarray, shrinking: np.ndarray, y: np.ndarray) -> float:
    """`left_out` of the linear smoother `H = V diag(s) Vᵀ`.

    Args:
        vectors: V, orthonormal columns (n, r).
        shrinking: s (r,), from 0 to 1.
        y: targets (n, o).
    """
    own = (vectors**2) @ shrinking
    if own.max() > OWN:
        return np.inf
    predicted = vectors @ (shrinking[:, None] * (vectors.T @ y))
    residual = (y - predicted) / (1 - own)[:, None]
    return float((residual**2).sum(1).mean())


def first_least(errors: Sequence[float], y: np.ndarray) -> int:
    """The place of the first error that is the least, but for what float32 rounds off the targets.

    An error counts as the least if it exceeds the least one by at most `(eps |y|)²`, eps being the
    1.2e-7 of float32 and |y|² the mean square of the targets: rows that a run holds in float32 say
    no more.
    """
    rounding = float(np.finfo(np.float32).eps) ** 2 * float((y**2).sum(1).mean())
    below = min(errors) + rounding
    return next(place for place, error in enumerate(errors) if error <= below or below == np.inf)
