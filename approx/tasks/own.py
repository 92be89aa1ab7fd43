"""A task of any function or data set: `task` and `given`, which check the data, and `rays`."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import ArrayLike, Float

from approx.tasks import losses
from approx.tasks.arguments import spelled, translated
from approx.tasks.data import Points, Task, check_share, noisy
from approx.tasks.values import as_numbers, as_rows, as_targets, check_precision

# Fields of every task, which `given` and `task` take as options
OPTIONS = [each.name for each in fields(Task)]


@spelled
@register_dataclass
@dataclass(frozen=True, kw_only=True, eq=False)
class Given(Task):
    """A fixed data set, every seed's alike. Made by `given` or `task`, which check it.

    Attributes:
        x: training inputs (n, i).
        y: training targets (n, o), or labels (n,).
        x_test: inputs of the test points (k, i); None for a task without test points, whose
            `points` are the training rows.
        y_test: their targets, or None.
        distance: see `Points`.
        noise: standard deviation of normal noise on the training targets, redrawn per seed; None
            for none.

    """

    x: Float[ArrayLike, "n i"]
    y: ArrayLike
    x_test: Float[ArrayLike, "k i"] | None = None
    y_test: ArrayLike | None = None
    distance: Float[ArrayLike, " k"] | None = None
    noise: ArrayLike | None = None

    @property
    def tested(self):
        """Whether test points were given."""
        return self.x_test is not None

    def rows(self, key, noise_key):
        """The rows as given, with fresh noise on the targets if there is any."""
        x, y = jnp.asarray(self.x), jnp.asarray(self.y)
        return x, noisy(y, self.noise, noise_key)

    def points(self):
        """The test points as given; else the training rows. A distance that was not given is 0."""
        rows: Any = self.x, self.y
        if self.tested:
            rows = self.x_test, self.y_test
        x, y = map(jnp.asarray, rows)
        if self.distance is None:
            return Points(x, y, jnp.zeros(x.shape[0]))
        return Points(x, y, jnp.asarray(self.distance))

    def check_precision(self, dtype: str) -> None:
        """Refuse or warn of data that a dtype cannot hold; see `values.check_precision`.

        Raises:
            ValueError: naming the value.

        """
        for name in ("x", "y", "x_test", "y_test"):
            values = getattr(self, name)
            if isinstance(values, np.ndarray) and values.dtype.kind == "f":
                check_precision(name, values, dtype)


def task(
    f: Callable,
    x: Any,
    x_test: Any = None,
    *,
    noise: ArrayLike | None = None,
    **options,
) -> Given:
    """Any function as a task.

    Test points are told apart by where they lie (`distance="box"` of `given`): `test_loss` is over
    those inside the range of the inputs trained on, `outside_loss` over those outside it.

    Args:
        f: called once with a copy of x and once with a copy of x_test, in float64; gives (n,),
            (n, o), or labels (n,).
        x: training inputs, (n,) or (n, i).
        x_test: inputs of the test points, (k,) or (k, i). Without them there is no test loss, and
            predictions are at the training rows.
        noise: standard deviation of normal noise on the training targets, redrawn per seed.
        options: `distance` of `given`; `loss`, `correct`, `validation`, `hold_out` of `Task`.

    Raises:
        TypeError: values that are no real numbers.
        ValueError: shapes that do not fit, values that are not finite, labels that are not whole.

    Example:
        `task(lambda x: abs(x), x=np.linspace(-2, 2, 41), x_test=np.linspace(-4, 4, 401))`

    """
    x = as_numbers("x", x)
    options = {"distance": "box"} | options
    if x_test is None:
        return given(x, f(x.copy()), noise=noise, **options)
    x_test = as_numbers("x_test", x_test)
    return given(x, f(x.copy()), x_test, f(x_test.copy()), noise=noise, **options)


def given(
    x: Any,
    y: Any,
    x_test: Any = None,
    y_test: Any = None,
    *,
    distance: Any = None,
    noise: ArrayLike | None = None,
    **options,
) -> Given:
    """A data set as a task: `given(x, y, x_test, y_test)`. All arrays are copied.

    `test_loss` is over all test rows, unless `distance` says that some of them lie outside. Without
    test rows there is no test loss: judge by `of="loss"`, or keep rows from training with
    `validation` and judge by "validation_loss".

    Args:
        x: training inputs, (n,) or (n, i).
        y: training targets, (n,) or (n, o), or integer labels (n,) for `cross_entropy`.
        x_test: test inputs, (k,) or (k, i).
        y_test: test targets, as for y. With a loss that sees the network y may have further
            columns, such as slopes, and y_test has those of the outputs.
        distance: of each test row to the training range (k,), in units of x; 0 is inside. None is 0
            for all rows: a test set is one set. "box" is the Euclidean distance to the smallest
            axis-parallel box around the inputs trained on. These leave out validation rows that are
            the last rows; with `hold_out="random"`, which differs from seed to seed, they are all
            inputs.
        noise: standard deviation of normal noise on the training targets, redrawn per seed.
        options: `loss`, `correct`, `validation`, `hold_out`, `classes` of `Task`.

    Raises:
        TypeError: values that are no real numbers: complex ones, dates, words, sparse matrices,
            units.
        ValueError: shapes that do not fit, masked values or such that are not finite, labels that
            are not whole or out of range.

    """
    options = translated("given", options, OPTIONS)
    if (x_test is None) != (y_test is None):
        raise ValueError("x_test and y_test come together; one of them is missing")
    labels = options.get("loss") in ("cross_entropy", losses.cross_entropy)
    x, y = as_rows("x", x), as_targets("y", y, labels)
    judged = x
    if x_test is not None:
        x_test, y_test = as_rows("x_test", x_test), as_targets("y_test", y_test, labels)
        judged = x_test
        check_columns("x and x_test", x, x_test)
        if not isinstance(options.get("loss"), losses.OfNetwork):
            check_columns("y and y_test", y, y_test)
    check_lengths("x and y", x, y)
    if x_test is not None:
        check_lengths("x_test and y_test", x_test, y_test)
    distance = as_distance(distance, trained_inputs(x, options), judged)
    made = Given(x=x, y=y, x_test=x_test, y_test=y_test, distance=distance, noise=noise, **options)
    if labels and made.classes is not None:
        check_labels("y", y, made.classes)
        if y_test is not None:
            check_labels("y_test", y_test, made.classes)
    return made


def check_columns(names: str, a: np.ndarray, b: np.ndarray) -> None:
    """Refuse two arrays of rows with different columns.

    Raises:
        ValueError: with the shapes.
    """
    if a.shape[1:] != b.shape[1:]:
        raise ValueError(f"{names} differ in their columns: {a.shape} and {b.shape}")


def check_lengths(names: str, a: np.ndarray, b: np.ndarray) -> None:
    """Refuse inputs and targets with different numbers of rows.

    Raises:
        ValueError: with the numbers.
    """
    if len(a) != len(b):
        raise ValueError(f"{names} differ in their number of rows: {len(a)} and {len(b)}")


def check_labels(name: str, labels: np.ndarray, classes: int) -> None:
    """Refuse labels beyond the number of classes.

    Raises:
        ValueError: with the largest label.
    """
    if labels.max() >= classes:
        raise ValueError(
            f"{name} has the label {labels.max()}, but labels go from 0 to {classes - 1}"
        )


def trained_inputs(x: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    """The inputs that every seed is trained on.

    They leave out the last rows where these are kept for validation.
    """
    share = options.get("validation", 0.0)
    check_share(share)
    if options.get("hold_out", "last") == "random" or not 0 < share < 1:
        return x
    return x[: max(1, math.floor(len(x) * (1 - share)))]


def as_distance(distance: Any, trained: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """One distance for each judged point; see `given`.

    Raises:
        ValueError: an unknown rule, another number of distances, one that is negative or not a
            number.

    """
    if distance is None:
        return np.zeros(len(judged))
    if isinstance(distance, str):
        if distance != "box":
            raise ValueError(
                f"distance is {distance!r}; it is 'box', or one number >= 0 for each test row"
            )
        return box_distance(trained, judged)
    distance = as_numbers("distance", distance)
    if distance.shape != (len(judged),):
        raise ValueError(
            f"distance is one number >= 0 for each of {len(judged)} test points, "
            f"not shape {distance.shape}"
        )
    wrong = np.flatnonzero(~(distance >= 0))
    if len(wrong):
        place = wrong[0]
        raise ValueError(f"distance[{place}] is {distance[place]:g}; a distance is at least 0")
    return distance


def box_distance(trained: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Euclidean distance of points to the smallest axis-parallel box around the inputs.

    Args:
        trained: inputs (n, i).
        judged: points (k, i).

    Returns:
        Distances (k,), 0 inside the box.
    """
    below, above = trained.min(0) - judged, judged - trained.max(0)
    outside = np.maximum(np.maximum(below, above), 0)
    # The ends are inside, whatever their rounding
    outside[outside <= 1e-6 * np.ptp(trained, 0)] = 0
    return np.sqrt((outside**2).sum(1))


def rays(
    directions: ArrayLike | Sequence,
    lengths: ArrayLike | Sequence,
    center: ArrayLike | Sequence = 0.0,
) -> np.ndarray:
    """Points on straight lines out of a center, for the `x_test` of a function of several inputs.

    The points are `x = center + length * direction / |direction|`, ray by ray, each at all the
    lengths.

    Args:
        directions: (rays, inputs), of any length above 0; or a whole number n of rays in the plane,
            evenly spaced from the first axis on.
        lengths: (k,) distances from the center, positive.
        center: (inputs,), or one number for all.

    Returns:
        (rays * k, inputs).

    Raises:
        ValueError: a direction of length 0, lengths that are not positive, shapes that do not fit.
    """
    if isinstance(directions, int | np.integer):
        angles = 2 * np.pi * np.arange(directions) / directions
        directions = np.column_stack([np.cos(angles), np.sin(angles)])
    toward = as_rows("directions", directions)
    far = as_rows("lengths", lengths)
    size = np.linalg.norm(toward, axis=1, keepdims=True)
    if not (size > 0).all():
        raise ValueError(f"directions[{int(np.argmin(size))}] has length 0 and points nowhere")
    if far.shape[1] != 1 or not (far > 0).all():
        raise ValueError(
            f"lengths are distances from the center, one vector of numbers above 0, got {far.min()}"
        )
    units = toward / size
    along = units[:, None] * far
    points = np.asarray(center, np.float64) + along
    return points.reshape(-1, toward.shape[1])
