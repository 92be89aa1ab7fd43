"""What linear models reach: least squares, a bottleneck's residual, and gradient descent."""

from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from approx.floors.points import whole

LOSSES = ("mse", "half_squared_error")


class Linear(NamedTuple):
    """The best linear model on some rows.

    Attributes:
        weights: (i, o).
        bias: (o,).
        mse: mean square of its error over rows and outputs.
    """

    weights: np.ndarray
    bias: np.ndarray
    mse: float


def least_squares(x: ArrayLike, y: ArrayLike, bias: bool = True) -> Linear:
    """The linear model of least mean squared error on these rows.

    Where several models have the least error, it is the one whose weights have the least norm. As a
    floor it belongs to the rows it was fitted on: fit the judged points, not the training rows, to
    bound an error on the judged points.

    Args:
        x: inputs, (n, i) or (n,).
        y: targets, (n, o) or (n,).
        bias: whether the model has one (it is not part of the norm).

    Returns:
        Weights, bias, and the mean squared error.

    Raises:
        ValueError: no rows, numbers of rows that differ, values that are not finite.

    Example:
        >>> floors.least_squares([0.0, 1.0, 2.0], [0.0, 1.0, 4.0]).mse
    """
    x, y = rows(x, y)
    x_mean = np.zeros(x.shape[1])
    y_mean = np.zeros(y.shape[1])
    if bias:
        x_mean = x.mean(0)
        y_mean = y.mean(0)
    centred_x = x - x_mean
    centred_y = y - y_mean
    weights = scipy.linalg.lstsq(centred_x, centred_y)[0]
    residual = centred_x @ weights - centred_y
    best_bias = y_mean - x_mean @ weights
    return Linear(weights, best_bias, float(np.mean(residual**2)))


def pca_residual(x: ArrayLike, units: int, bias: bool = True) -> float:
    """Least mean squared error of a linear autoencoder with a bottleneck, on these rows.

    `sum of the squared singular values beyond the first units / (n i)` of the centred rows (C.
    Eckart and G. Young, Psychometrika 1, 1936; P. Baldi and K. Hornik, Neural Networks 2, 1989);
    without biases, of the rows as they are.

    Args:
        x: rows, (n, i).
        units: width of the bottleneck, 0 to i.
        bias: whether the autoencoder has biases.

    Returns:
        The mean squared error over rows and columns.

    Raises:
        ValueError: a width outside 0 to i, values that are not finite.

    Example:
        >>> floors.pca_residual(np.eye(8), units=3)
    """
    x = table("x", x)
    if whole("units", units, 0) > x.shape[1]:
        raise ValueError(
            f"units is {units}; a bottleneck has at most the {x.shape[1]} inputs' width"
        )
    centred = x
    if bias:
        centred = x - x.mean(0)
    beyond = scipy.linalg.svdvals(centred)[units:]
    return float((beyond**2).sum() / x.size)


# ---- gradient descent ----------------------------------------------------------------------------


class Modes(NamedTuple):
    """Eigenmodes of a linear model's Hessian under gradient descent.

    Attributes:
        values: eigenvalues (m,) of the second moment of the inputs (with a 1 for the bias),
            increasing.
        vectors: (m, m), one in each column.
        factors: what each step multiplies the error along a mode by.
        largest_rate: the learning rate from which on the largest mode grows.
    """

    values: np.ndarray
    vectors: np.ndarray
    factors: np.ndarray
    largest_rate: float


def modes(
    x: ArrayLike, outputs: int, learning_rate: float, bias: bool = True, loss: str = "mse"
) -> Modes:
    """How gradient descent shrinks each eigenmode: by `1 - c learning_rate lambda` a step.

    Let z be the inputs, with a 1 for the bias. The Hessian is `c A` for every output, where
    `A = zᵀz / n` and c is 2 / outputs for `mse`, the mean over rows and outputs, or 1 for
    `half_squared_error`. Minibatches do the same in expectation.

    Args:
        x: inputs, (n, i).
        outputs: how many the model has.
        learning_rate: above 0.
        bias: whether the model has one.
        loss: "mse" or "half_squared_error".

    Returns:
        The eigenvalues and eigenvectors of A, the factors, and the largest learning rate.

    Raises:
        ValueError: an unknown loss, a learning rate that is not positive, values that are not
            finite.

    Example:
        >>> floors.modes(np.eye(8), outputs=8, learning_rate=0.1).largest_rate
    """
    x = table("x", x)
    if loss not in LOSSES:
        raise ValueError(f"loss is {loss!r}; it must be one of {', '.join(LOSSES)}")
    if not (np.isfinite(learning_rate) and learning_rate > 0):
        raise ValueError(f"learning_rate is {learning_rate}; it must be above 0")
    c = gradient_factor(loss, whole("outputs", outputs, 1))
    z = augmented(x, bias)
    second_moment = z.T @ z / len(z)
    values, vectors = scipy.linalg.eigh(second_moment)
    values = np.maximum(values, 0)  # a second moment has no negative ones; rounding has
    largest_rate = np.inf
    if values[-1] > 0:
        largest_rate = 2 / (c * values[-1])
    return Modes(values, vectors, 1 - c * learning_rate * values, largest_rate)


def gradient_factor(loss: str, outputs: int) -> float:
    """The factor in front of the gradient of a loss, which is twice that of the summed squares."""
    if loss == "mse":
        return 2 / outputs
    return 1.0


class Descent(NamedTuple):
    """A trajectory of gradient descent.

    Attributes:
        weights: (t, i, o).
        bias: (t, o).
        loss: (t,) on the training rows.
    """

    weights: np.ndarray
    bias: np.ndarray
    loss: np.ndarray


def descent(
    x: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike,
    bias: ArrayLike | None,
    learning_rate: float,
    steps: ArrayLike,
    loss: str = "mse",
) -> Descent:
    """Full-batch gradient descent of a linear model after any numbers of steps, in closed form.

    In the basis of `modes` the gradient is `c (lambda w - b)` with `b = zᵀy / n`, so after t steps
    `w = f^t w0 + (1 - f^t) b / lambda`. Where lambda is 0 nothing moves, since b is 0 there too.

    Args:
        x: inputs, (n, i).
        y: targets, (n, o).
        weights: at the start, (i, o).
        bias: at the start, (o,), or None for a model without.
        learning_rate: above 0; one that is too large diverges here as it does in training, up to
            inf.
        steps: numbers of steps, (t,).
        loss: "mse" or "half_squared_error".

    Returns:
        Weights, biases and losses after these numbers of steps.

    Raises:
        ValueError: shapes that do not fit, steps below 0, and what `modes` raises.

    Example:
        >>> zeros = np.zeros((8, 8))
        >>> floors.descent(np.eye(8), np.eye(8), zeros, None, 0.1, steps=[0, 10, 100]).loss
    """
    x, y = rows(x, y)
    has_bias = bias is not None
    inputs = x.shape[1]
    outputs = y.shape[1]
    start = _start(x, y, weights, bias)
    times = _step_numbers(steps)
    found = modes(x, outputs, learning_rate, has_bias, loss)
    values = found.values
    vectors = found.vectors
    z = augmented(x, has_bias)
    tiny = np.finfo(float).eps * len(values) * values[-1]
    moves = values > tiny
    factors = np.where(moves, found.factors, 1.0)
    curvature = np.where(moves, values, 1.0)
    # In the basis of the modes: where the weights begin, what pulls them, and where they end
    begin = vectors.T @ start
    pull = vectors.T @ (z.T @ y) / len(z)
    # A divergence ends at inf, and inf - inf at nan: both are data
    with np.errstate(over="ignore", invalid="ignore"):
        settled = pull / curvature[:, None]
        end = np.where(moves[:, None], settled, begin)
        power = factors ** times[:, None]
        way = power[:, :, None] * (begin - end)
        path = vectors @ (end + way)
        errors = z @ path - y
        squares = (errors**2).mean(1).sum(-1)
    losses = squares * gradient_factor(loss, outputs) / 2
    biases = path[:, inputs:].sum(1)  # a sum over one row or none
    return Descent(path[:, :inputs], biases, losses)


def _start(x: np.ndarray, y: np.ndarray, weights: ArrayLike, bias: ArrayLike | None) -> np.ndarray:
    """Weights at the start, with a last row for the bias if there is one."""
    start = np.asarray(weights, float)
    inputs = x.shape[1]
    outputs = y.shape[1]
    wanted = (inputs, outputs)
    if bias is not None:
        start = np.vstack([start, np.atleast_2d(bias)])
        wanted = (inputs + 1, outputs)
    if start.shape != wanted:
        raise ValueError(
            f"weights are {np.shape(weights)}; they must be {(inputs, outputs)}, and a bias one row"
        )
    return start


def _step_numbers(steps: ArrayLike) -> np.ndarray:
    """Numbers of steps (t,), or a ValueError."""
    times = np.atleast_1d(np.asarray(steps))
    if times.ndim != 1 or times.dtype.kind not in "iu" or (times < 0).any():
        raise ValueError(f"steps must be whole numbers of at least 0, got {steps!r}")
    return times


# ---- rows ----------------------------------------------------------------------------------------


def augmented(x: np.ndarray, bias: bool) -> np.ndarray:
    """Inputs with a column of ones for the bias, if there is one."""
    if not bias:
        return x
    return np.hstack([x, np.ones((len(x), 1))])


def rows(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (n, i) and targets (n, o), checked."""
    x = table("x", x)
    y = table("y", y)
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} rows and y has {len(y)}; they must be as many")
    return x, y


def table(name: str, values: ArrayLike) -> np.ndarray:
    """Rows (n, columns) in float64; a vector is one column."""
    array = _as_columns(np.asarray(values, float))
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{name} must have rows and columns, not the shape {np.shape(values)}")
    _check_finite(name, array)
    return array


def _as_columns(array: np.ndarray) -> np.ndarray:
    """A vector as one column, any other array as it is."""
    if array.ndim == 1:
        return array[:, None]
    return array


def _check_finite(name: str, array: np.ndarray) -> None:
    """Raise a ValueError that shows the first value that is infinite or nan, if there is one."""
    is_finite = np.isfinite(array)
    if not is_finite.all():
        wrong = array[~is_finite][0]
        raise ValueError(f"{name} has the value {wrong}; all must be finite")
