"""What a classical method is given: one seed's training rows in float64, scaled and encoded."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from approx.classical.encoding import Encoding, encoding_of
from approx.tasks import Points, Task, check_finite
from approx.training.inputs import Keys, as_keys


class CannotFitError(Exception):
    """A method that has no answer to a problem; its text says why, as a sentence for the user."""


class Rows(NamedTuple):
    """One seed's training rows and all test points, as a run of some dtype has them.

    Attributes:
        x: training inputs (n, i), float64.
        y: training targets (n, o) in float64, or labels (n,).
        x_test: inputs of the test points (k, i).
        y_test: their targets.
        distance: of the test points to the training range (k,).
        keys: the seed's streams of random numbers.
    """

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    distance: np.ndarray
    keys: Keys


class Problem(NamedTuple):
    """What a method fits.

    Attributes:
        x: training inputs (n, i) in the task's units.
        y: encoded targets (n, o), see `encoding`.
        center: of the training inputs, (i,).
        scale: half the width of their range, (i,); 1 for a constant input.
        parameters: the most fitted numbers that a method may have.
        seed: a whole number, for methods that draw random numbers.
        most_rows: the most rows that a method without a budget of parameters may keep, or None for
            the method's own limit.
        model: a network, for methods that need one; else None.
        keys: the seed's streams of random numbers, from which a run draws the first weights.
    """

    x: np.ndarray
    y: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    parameters: int
    seed: int
    most_rows: int | None
    model: Any
    keys: Keys

    @property
    def outputs(self) -> int:
        """How many numbers are predicted for a row."""
        return self.y.shape[1]

    @property
    def inputs(self) -> int:
        """How many inputs a row has."""
        return self.x.shape[1]

    def scaled(self, x: np.ndarray) -> np.ndarray:
        """Inputs (m, i) such that each training input goes from -1 to 1."""
        return (x - self.center) / self.scale

    def terms(self) -> int:
        """How many coefficients of each output the budget allows.

        Raises:
            CannotFitError: fewer than one.
        """
        found = self.parameters // self.outputs
        if found < 1:
            raise CannotFitError(
                f"There are {self.outputs} outputs, and {self.parameters} parameters give not even "
                "one to each."
            )
        return found


class Fitted(NamedTuple):
    """What a method found.

    Attributes:
        predict: a function of inputs (m, i), in the task's units, that gives (m, o).
        parameters: how many numbers were fitted; of methods that keep rows instead, how many rows.
        chosen: what was chosen on the training rows or drawn, in words.
        note: what a reader of the error must know besides, as a sentence; or "".
        drawn: whether random numbers of the seed had a part in it.
    """

    predict: Callable[[np.ndarray], np.ndarray]
    parameters: int
    chosen: str = ""
    note: str = ""
    drawn: bool = False


def rows_of(task: Task, root: Any, seed: int, dtype: str) -> Rows:
    """The rows that the network of this seed is trained on, and the points where it is judged.

    Validation rows are left out, as they are in a run, and so are points without a target.

    Args:
        task: any.
        root: the root key of the run.
        seed: of the network.
        dtype: "float32" or "float64", in which the run draws and holds its data.

    Raises:
        ValueError: a training row that is not finite.
    """
    with jax.enable_x64(dtype == "float64"):
        keys = as_keys(jax.random.fold_in(root, seed))
        (x, y), _ = task.split(keys.data, keys.noise)
        points = with_targets(Points(*task.points()))
        rows = Rows(
            x=as_held(x, dtype),
            y=as_held(y, dtype),
            x_test=as_held(points.x, dtype),
            y_test=as_held(points.y, dtype),
            distance=np.asarray(points.distance, np.float64),
            keys=keys,
        )
    check_finite(f"the training inputs of seed {seed}", rows.x)
    check_finite(f"the training targets of seed {seed}", rows.y)
    return rows


def with_targets(points: Points) -> Points:
    """The points that have a target: not those of `ap.data(..., at=...)`, whose distance is nan."""
    x, y, distance = map(np.asarray, points)
    known = ~np.isnan(distance)
    return Points(x[known], y[known], distance[known])


def as_held(values: Any, dtype: str) -> np.ndarray:
    """Numbers rounded to a dtype and held in float64; labels stay whole numbers."""
    array = np.asarray(values)
    if array.dtype.kind in "iub":
        return array
    return array.astype(dtype).astype(np.float64)


def problem_of(
    rows: Rows, encoding: Encoding, parameters: int, seed: int, most_rows: int | None, model: Any
) -> Problem:
    """The problem that one seed's rows pose."""
    low = rows.x.min(0)
    high = rows.x.max(0)
    half = (high - low) / 2
    return Problem(
        x=rows.x,
        y=encoding.encode(rows.y),
        center=low + half,
        scale=np.where(half > 0, half, 1.0),
        parameters=parameters,
        seed=seed,
        most_rows=most_rows,
        model=model,
        keys=rows.keys,
    )


def encoding_for(task: Task, rows: Rows) -> Encoding:
    """How the task's targets become numbers that least squares can fit."""
    labels = np.concatenate([rows.y.ravel(), rows.y_test.ravel()])
    classes = task.classes
    if classes is None and rows.y.ndim == 1:
        classes = int(labels.max()) + 1
    return encoding_of(task.loss, classes, len(rows.x))
