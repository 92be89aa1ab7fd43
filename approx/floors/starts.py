"""Gradient descent of linear models from many starts: the loss after any numbers of steps."""

import numpy as np
from numpy.typing import ArrayLike

from approx.floors.linear import Modes


def loss_from_starts(of: Modes, distances: ArrayLike, steps: ArrayLike) -> np.ndarray:
    """Mean squared error of gradient descent from many starts, in closed form.

    It holds where some linear model has no error at all, as the identity has none for an
    autoencoder. The error is then a quadratic form of the distance d to that model, and after t
    steps it is `sum_k lambda_k f_k^(2t) |v_k . d|² / outputs` over the modes. Training with
    minibatches has nearly this error in expectation, as long as the learning rate is far below the
    largest one.

    Args:
        of: the modes of the inputs, from `modes`.
        distances: of the initial weights to the model without an error, (starts, m, outputs). The
            last of the m rows holds the biases, if the modes have one.
        steps: numbers of steps, (t,); they need not be whole.

    Returns:
        The errors on the rows that the modes are of, (starts, t). A divergence ends at inf.

    Raises:
        ValueError: distances whose shape does not fit the modes; steps below 0.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(100, 8))
        >>> of = floors.modes(x, outputs=8, learning_rate=0.1, bias=False)
        >>> floors.loss_from_starts(of, -np.eye(8)[None], [0, 10, 100])  # from weights of 0
    """
    away = np.asarray(distances, float)
    times = np.atleast_1d(np.asarray(steps, float))
    count = len(of.values)
    if away.ndim != 3 or away.shape[1] != count:
        raise ValueError(
            f"distances have the shape {away.shape}; it must be (starts, {count}, outputs), as "
            f"there are {count} modes"
        )
    if times.ndim != 1 or not (times >= 0).all():
        raise ValueError(f"steps must be a list of numbers of at least 0, got {steps!r}")
    along = (of.vectors.T @ away) ** 2
    weight = of.values * along.sum(-1) / away.shape[-1]
    with np.errstate(over="ignore", invalid="ignore"):
        kept = abs(of.factors[:, None]) ** (2 * times)
        terms = weight[:, :, None] * kept
    # A mode without distance stays without, even if it would diverge: 0 times inf is 0 here
    moves = weight[:, :, None] > 0
    return np.where(moves, terms, 0.0).sum(1)
