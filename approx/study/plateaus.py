"""Training losses that are known before any training: those of the best constant and line."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
import scipy
from jaxtyping import Array, Key

from approx.sweep.options import check_key, root_key
from approx.tasks import Task, losses
from approx.training.inputs import streams
from approx.training.recipes import Recipe

CONSTANT, LINE = "best constant", "best line"
SEEDS = 64  # whose rows are averaged over, where each seed has rows of its own
MOST = 2**25  # numbers in these rows together, unless two seeds have more; it bounds the time
ZERO = 1e-10  # share of the constant's loss below which a line's is rounding


def known_plateaus(
    task: Task,
    key: int | Key[Array, ""] = 0,
    *,
    recipe: Recipe | None = None,
    tolerance: float = 0.02,
) -> dict[str, float]:
    """Training losses at which a network often comes to rest, computed from a task's rows alone.

    "best constant" is the least loss of a network whose output is the same on all training rows.
    Depending on the task's loss, it is

    - the variance of the targets for "mse" (the mean over the outputs), for "half_squared_error"
      (half the sum over the outputs) and for `losses.ScaledError` (in its units);
    - the mean squared distance from the targets' mean, which is cut to [0, 1], for "brier";
    - the entropy of the targets' mean for "binary_cross_entropy" (the mean over the outputs);
    - the entropy of the classes' shares for "cross_entropy".

    "best line" is the least loss of a network whose outputs are linear in its inputs, fitted by
    least squares. It is there for "mse", "half_squared_error" and `losses.ScaledError`.

    The rows are those of training: validation rows are left out. Where each seed has rows of its
    own, the losses are means over seeds 0 to 63, and over fewer seeds where these would have more
    than 34 million numbers. Then a seed's own plateau lies a little beside the mean. With few rows
    it may lie further away than the tolerance of `stats.endings`.

    The `loss` that a run records has no l2 penalty in it, and neither have these numbers. A network
    with a penalty comes to rest at other losses.

    Args:
        task: what is learned.
        key: the root key of the run, as for `ap.run`.
        recipe: how it is learned, if that is known. With `batches="stream"` no network sees the
            same rows twice, and none comes to rest at the best constant of some rows.
        tolerance: relative half-width of a plateau; a line that is no better than a constant by
            more than that has no name of its own.

    Returns:
        The losses by name. Those that are 0 are left out, because a network that reaches them has
        learned its rows. There are none for a loss function of your own, nor for a stream.

    Raises:
        TypeError: something that is not a task.

    Example:
        known_plateaus(ap.tasks.interval())  # {"best constant": 0.6365}: 100 of 300 rows are 1
    """
    if not isinstance(task, Task):
        raise TypeError(f"this takes a task, such as ap.tasks.square(), not {task!r}")
    is_stream = recipe is not None and recipe.batches == "stream"
    constant_of = _constant_of(task.loss)
    if is_stream or constant_of is None:
        return {}

    constants, lines = [], []
    for rows in training_rows(task, key):
        constants.append(constant_of(rows))
        lines.append(_line(task.loss, rows))
    constant = float(np.mean(constants))
    line = float(np.mean(lines))

    found = {}
    if np.isfinite(constant) and constant > 0:
        found[CONSTANT] = constant
    is_better = line < (1 - tolerance) * constant
    if is_better and line > ZERO * constant:
        found[LINE] = line
    return found


# ---- the training rows ---------------------------------------------------------------------------


class Rows(NamedTuple):
    """Training rows: inputs (n, i), and targets (n, o) or labels (n,), in float64."""

    x: np.ndarray
    y: np.ndarray


def training_rows(task: Task, key: Any) -> Iterator[Rows]:
    """The training rows of seeds 0 to 63 at most; of seed 0 alone if all seeds have the same."""
    root = root_key(check_key(key))
    first = _rows_of(task, root, 0)
    yield first
    second = _rows_of(task, root, 1)
    if _are_same(first, second):
        return
    yield second
    enough = MOST // (first.x.size + first.y.size)
    for seed in range(2, min(SEEDS, enough)):
        yield _rows_of(task, root, seed)


def _rows_of(task: Task, root: Any, seed: int) -> Rows:
    """The training rows that `ap.run` gives one seed."""
    keys = streams(jax.random.fold_in(root, seed))
    (x, y), _ = task.split(keys.data, keys.noise)
    return Rows(np.asarray(x, float), np.asarray(y, float))


def _are_same(first: Rows, second: Rows) -> bool:
    """Whether two seeds have the same rows."""
    return np.array_equal(first.x, second.x) and np.array_equal(first.y, second.y)


# ---- the best constant ---------------------------------------------------------------------------


def _constant_of(loss: Any) -> Callable[[Rows], float] | None:
    """The function that gives the best constant's loss; None for a loss that is not known."""
    if _is_of_squares(loss):
        return lambda rows: _least_squares(loss, rows, np.ones((len(rows.y), 1)))
    if isinstance(loss, str):
        return CONSTANTS.get(loss)
    return None


def _brier(rows: Rows) -> float:
    """The least mean of `(p - y)²` over probabilities p."""
    best = rows.y.mean(0).clip(0, 1)
    return float(np.mean((rows.y - best) ** 2))


def _binary_cross_entropy(rows: Rows) -> float:
    """The entropy of the mean of every output, averaged; -inf for targets beyond 0 and 1."""
    mean = rows.y.mean(0)
    entropies = scipy.special.entr(mean) + scipy.special.entr(1 - mean)
    return float(entropies.mean())


def _cross_entropy(rows: Rows) -> float:
    """The entropy of the shares of the labels."""
    _, counts = np.unique(rows.y, return_counts=True)
    shares = counts / counts.sum()
    return float(scipy.special.entr(shares).sum())


CONSTANTS: dict[str, Callable[[Rows], float]] = {
    "brier": _brier,
    "binary_cross_entropy": _binary_cross_entropy,
    "cross_entropy": _cross_entropy,
}


# ---- squares, by linear regression ---------------------------------------------------------------


def _is_of_squares(loss: Any) -> bool:
    """Whether a loss is a sum of squares, whose least value is that of a linear regression."""
    return loss in ("mse", "half_squared_error") or isinstance(loss, losses.ScaledError)


def _line(loss: Any, rows: Rows) -> float:
    """The loss of the best linear function of the inputs; nan for a loss that has none."""
    if not _is_of_squares(loss):
        return np.nan
    ones = np.ones((len(rows.x), 1))
    return _least_squares(loss, rows, np.hstack([rows.x, ones]))


def _least_squares(loss: Any, rows: Rows, columns: np.ndarray) -> float:
    """The least loss of outputs that are linear combinations of some columns (n, c)."""
    of_row, of_output = _units(loss, rows.y)
    if not of_row.all():
        return np.nan  # as the loss itself of rows without spread
    # Differences from the first row keep constant targets exact
    target = (rows.y - rows.y[0]) / of_row
    given = columns / of_row
    weights, *_ = np.linalg.lstsq(given, target)
    residuals = (target - given @ weights) / of_output

    squares = residuals**2
    if loss == "half_squared_error":
        return float(0.5 * squares.sum(1).mean())
    return float(squares.mean())


def _units(loss: Any, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The units of the residuals: of every row (n, 1), and of every output (1,) or (o,)."""
    of_row, of_output = np.ones((len(y), 1)), np.ones(1)
    if not isinstance(loss, losses.ScaledError):
        return of_row, of_output
    if loss.scale is None:
        return y.std(1, keepdims=True), of_output
    return of_row, np.atleast_1d(np.asarray(loss.scale, float))
