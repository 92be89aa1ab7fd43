"""What linear models reach: least squares, a bottleneck's residual, and gradient descent step by
step.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg

from approx.floors.points import whole

# What the loss divides the summed squares of one row by, and so the factor in front of its
# gradient.
FACTORS = {"mse": lambda outputs: 2 / outputs, "half_squared_error": lambda outputs: 1.0}


class Linear(NamedTuple):
    """The best linear model on some rows: weights (i, o), bias (o,), and its mean square over rows
    and outputs.
    """

    weights: np.ndarray
    bias: np.ndarray
    mse: float


def least_squares(x: ArrayLike, y: ArrayLike, bias: bool = True) -> Linear:
    """The linear model of least mean squared error on these rows; where several are, the one of
    least norm.

    As a floor it belongs to the rows it was fitted on: fit the judged points, not the training
    rows, to bound an error on the judged points.

    Args:
        x: inputs, (n, i) or (n,).
        y: targets, (n, o) or (n,).
        bias: whether the model has one (it is not part of the norm).

    Raises:
        ValueError: no rows, numbers of rows that differ, values that are not finite.
    """
    x, y = rows(x, y)
    x_mean, y_mean = (
        (x.mean(0), y.mean(0)) if bias else (np.zeros(x.shape[1]), np.zeros(y.shape[1]))
    )
    weights = linalg.lstsq(x - x_mean, y - y_mean)[0]
    residual = (x - x_mean) @ weights - (y - y_mean)
    return Linear(weights, y_mean - x_mean @ weights, float(np.mean(residual**2)))


def pca_residual(x: ArrayLike, units: int, bias: bool = True) -> float:
    """Least mean squared error of a linear autoencoder with a bottleneck of so many units, on these
    rows.

    `sum of the squared singular values beyond the first units / (n i)` of the centred rows (C.
    Eckart and G. Young, Psychometrika 1, 1936; P. Baldi and K. Hornik, Neural Networks 2, 1989);
    without biases, of the rows as they are.

    Args:
        x: rows, (n, i).
        units: width of the bottleneck, 0 to i.
        bias: whether the autoencoder has biases.

    Raises:
        ValueError: a width outside 0 to i, values that are not finite.
    """
    x = table("x", x)
    if whole("units", units, 0) > x.shape[1]:
        raise ValueError(
            f"units is {units}; a bottleneck has at most the {x.shape[1]} inputs' width"
        )
    singular = linalg.svdvals(x - x.mean(0) if bias else x)
    return float((singular[units:] ** 2).sum() / x.size)


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

    With z the inputs, and a 1 for the bias, the Hessian is `c A` for every output, where `A = zᵀz /
    n` and c is 2 / outputs for `mse`, the mean over rows and outputs, or 1 for
    `half_squared_error`. Minibatches do the same in expectation.

    Args:
        x: inputs, (n, i).
        outputs: how many the model has.
        learning_rate: above 0.
        bias: whether the model has one.
        loss: "mse" or "half_squared_error".

    Raises:
        ValueError: an unknown loss, a learning rate that is not positive, values that are not
            finite.
    """
    x = table("x", x)
    if loss not in FACTORS:
        raise ValueError(f"loss is {loss!r}; it must be one of {', '.join(FACTORS)}")
    if not (np.isfinite(learning_rate) and learning_rate > 0):
        raise ValueError(f"learning_rate is {learning_rate}; it must be above 0")
    c = FACTORS[loss](whole("outputs", outputs, 1))
    z = augmented(x, bias)
    values, vectors = linalg.eigh(z.T @ z / len(z))
    values = np.maximum(values, 0)  # a second moment has no negative ones; rounding has
    largest = values[-1]
    return Modes(
        values,
        vectors,
        1 - c * learning_rate * values,
        2 / (c * largest) if largest > 0 else np.inf,
    )


class Descent(NamedTuple):
    """A trajectory of gradient descent: weights (t, i, o), bias (t, o), loss (t,) on the training
    rows.
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
    `w = f^t w0 + (1 - f^t) b / lambda`, and where lambda is 0 nothing moves: b is 0 there too.

    Args:
        x: inputs, (n, i).
        y: targets, (n, o).
        weights: at the start, (i, o).
        bias: at the start, (o,), or None for a model without.
        learning_rate: above 0; one that is too large diverges here as it does in training, up to
            inf.
        steps: numbers of steps, (t,).
        loss: "mse" or "half_squared_error".

    Raises:
        ValueError: shapes that do not fit, steps below 0, and what `modes` raises.
    """
    x, y = rows(x, y)
    has_bias = bias is not None
    start = (
        np.asarray(weights, float)
        if bias is None
        else np.vstack([np.asarray(weights, float), np.atleast_2d(bias)])
    )
    if start.shape != (x.shape[1] + has_bias, y.shape[1]):
        raise ValueError(
            f"weights are {np.shape(weights)}; they must be {(x.shape[1], y.shape[1])}, and a bias one row"
        )
    times = np.atleast_1d(np.asarray(steps))
    if times.ndim != 1 or times.dtype.kind not in "iu" or (times < 0).any():
        raise ValueError(f"steps must be whole numbers of at least 0, got {steps!r}")
    found = modes(x, y.shape[1], learning_rate, has_bias, loss)
    z = augmented(x, has_bias)
    pull, begin = found.vectors.T @ (z.T @ y) / len(z), found.vectors.T @ start
    moves = found.values > np.finfo(float).eps * len(found.values) * found.values[-1]
    # A divergence ends at inf, and inf - inf at nan: both are data
    with np.errstate(over="ignore", invalid="ignore"):
        power = np.where(moves, found.factors, 1.0) ** times[:, None]
        target = np.where(moves[:, None], pull / np.where(moves, found.values, 1.0)[:, None], begin)
        path = found.vectors @ (target + power[:, :, None] * (begin - target))
        squares = ((z @ path - y) ** 2).mean(1).sum(-1)
    inputs = x.shape[1]
    return Descent(
        path[:, :inputs], path[:, inputs:].sum(1), squares * FACTORS[loss](y.shape[1]) / 2
    )


def augmented(x: np.ndarray, bias: bool) -> np.ndarray:
    """Inputs with a column of ones for the bias."""
    return np.hstack([x, np.ones((len(x), 1))]) if bias else x


def rows(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (n, i) and targets (n, o), checked."""
    x, y = table("x", x), table("y", y)
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} rows and y has {len(y)}; they must be as many")
    return x, y


def table(name: str, values: ArrayLike) -> np.ndarray:
    """Rows (n, columns) in float64; a vector is one column."""
    array = np.asarray(values, float)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{name} must have rows and columns, not the shape {np.shape(values)}")
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} has the value {array[~np.isfinite(array)][0]}; all must be finite"
        )
    return array
