"""A task of any function or data set, and what every task has in common.

A task is a frozen dataclass and a pytree. Numbers and arrays are leaves and may be traced; what decides the shape of
the program is static. A task of your own is `task(f, x, x_test)`, `given(x, y, ...)`, or a subclass of `Task` with
two methods: `rows`, the training rows of one seed, and `points`, where it is judged.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike, Float, Key

from approx import losses

STATIC: dict[str, Any] = {"static": True}


class Points(NamedTuple):
    """Where a network is judged: inputs `x (k, i)`, targets `y (k, o)` or labels `(k,)`, `distance (k,)`.

    The distance to the training range is in units of x, and 0 inside it.
    """

    x: ArrayLike
    y: ArrayLike
    distance: ArrayLike


@register_dataclass
@dataclass(frozen=True, kw_only=True)
class Task:
    """What to learn. Subclasses add their numbers as fields and define `rows` and `points`, perhaps `fresh`.

    Attributes:
        loss: a name of `losses.LOSSES`, or a function (outputs (n, o), targets) -> one loss per row (n,).
        correct: a function (outputs, targets) -> (n,) bool, for an accuracy; classification losses bring their own.
        validation: share of the rows, the LAST ones, kept from training (Keras' `validation_split`).
        classes: how many classes integer labels have, and so how many outputs a network must have; None for as many
            as it has.

    """

    loss: str | Callable = field(default="mse", metadata=STATIC)
    correct: Callable | None = field(default=None, metadata=STATIC)
    validation: float = field(default=0.0, metadata=STATIC)
    classes: int | None = field(default=None, metadata=STATIC)

    def __post_init__(self):
        losses.find(self.loss)
        if self.classes is not None and not (isinstance(self.classes, int | np.integer) and self.classes >= 2):
            raise ValueError(f"classes is {self.classes!r}; it must be a whole number of at least 2")
        for name, function in losses.LOSSES.items():
            if self.loss is function:
                object.__setattr__(self, "loss", name)
        for name in ("noise", "sd", "scale"):  # standard deviations, where a task has them
            check_number(name, getattr(self, name, None), low=0)
        check_number("validation", self.validation)
        if not 0 <= self.validation < 1:
            raise ValueError(f"validation is a share of the rows in [0, 1), not {self.validation}")

    def rows(self, key: Key[Array, ""], noise_key: Key[Array, ""]) -> tuple[Array, Array]:
        """Training rows of one seed: inputs (n, i) and targets (n, o), or integer labels (n,)."""
        raise NotImplementedError(f"{type(self).__name__} defines no rows(key, noise_key) -> (x, y)")

    def points(self) -> Points:
        """Where every seed is judged; depends on the task's numbers only."""
        raise NotImplementedError(f"{type(self).__name__} defines no points() -> Points(x, y, distance)")

    def fresh(self, key: Key[Array, ""], noise_key: Key[Array, ""], size: int) -> tuple[Array, Array]:
        """A batch of rows nobody has seen, for `batches="stream"`."""
        raise ValueError(f"{type(self).__name__} has no endless stream of fresh rows; choose other batches")

    def split(self, key: Key[Array, ""], noise_key: Key[Array, ""]) -> tuple[tuple, tuple | None]:
        """Training rows, and validation rows or None: the last share of them, taken before any shuffling."""
        x, y = self.rows(key, noise_key)
        n = math.floor(x.shape[0] * (1 - self.validation))
        if n == 0 or (self.validation and n == x.shape[0]):
            raise ValueError(f"validation={self.validation} splits {x.shape[0]} rows into {n} and {x.shape[0] - n}")
        return (x[:n], y[:n]), ((x[n:], y[n:]) if n < x.shape[0] else None)


@register_dataclass
@dataclass(frozen=True, kw_only=True, eq=False)
class Given(Task):
    """A fixed data set, every seed's alike. Made by `given` or `task`, which check it.

    Attributes:
        x, y: training rows. x_test, y_test, distance: see `Points`.
        noise: standard deviation of normal noise on the training targets, redrawn per seed; None for none.

    """

    x: Float[ArrayLike, "n i"]
    y: ArrayLike
    x_test: Float[ArrayLike, "k i"]
    y_test: ArrayLike
    distance: Float[ArrayLike, " k"]
    noise: ArrayLike | None = None

    def rows(self, key, noise_key):
        """The rows as given, with fresh noise on the targets if there is any."""
        return jnp.asarray(self.x), noisy(jnp.asarray(self.y), self.noise, noise_key)

    def points(self):
        """The points as given."""
        return Points(jnp.asarray(self.x_test), jnp.asarray(self.y_test), jnp.asarray(self.distance))


def task(
    f: Callable,
    x: ArrayLike | Sequence,
    x_test: ArrayLike | Sequence | None = None,
    *,
    noise: ArrayLike | None = None,
    **options,
) -> Given:
    """Any function as a task: `task(lambda x: abs(x), x=np.linspace(-2, 2, 41), x_test=np.linspace(-4, 4, 401))`.

    Args:
        f: called once with x and once with x_test as they are given, in float64; gives (n,), (n, o), or labels (n,).
        x: training inputs, (n,) or (n, i).
        x_test: points of judgement, (k,) or (k, i); the training inputs if left out.
        noise: standard deviation of normal noise on the training targets, redrawn per seed.
        options: `loss`, `correct`, `validation` of `Task`.

    Raises:
        ValueError: shapes that do not fit, values that are not finite, labels that are not whole.

    """
    x = np.asarray(x, np.float64)
    x_test = x if x_test is None else np.asarray(x_test, np.float64)
    return given(x, f(x), x_test, f(x_test), noise=noise, **options)


def given(
    x: ArrayLike | Sequence,
    y: ArrayLike | Sequence,
    x_test: ArrayLike | Sequence | None = None,
    y_test: ArrayLike | Sequence | None = None,
    *,
    distance: ArrayLike | Sequence | None = None,
    noise: ArrayLike | None = None,
    **options,
) -> Given:
    """A data set as a task; x_test and y_test default to the training rows.

    Args:
        x: training inputs, (n,) or (n, i). y: targets, (n,) or (n, o), or integer labels (n,) for `cross_entropy`.
        x_test: points of judgement, (k,) or (k, i). y_test: their targets.
        distance: (k,) of each point to the training range; by default the Euclidean distance to the smallest
            axis-parallel box around the training inputs.
        noise: standard deviation of normal noise on the training targets, redrawn per seed.
        options: `loss`, `correct`, `validation`, `classes` of `Task`.

    Raises:
        ValueError: shapes that do not fit, values that are not finite, labels that are not whole or out of range.

    """
    if (x_test is None) != (y_test is None):
        raise ValueError("x_test and y_test come together; one of them is missing")
    labels = options.get("loss") == "cross_entropy"
    x, y = as_rows("x", x), as_targets("y", y, labels)
    x_test = x if x_test is None else as_rows("x_test", x_test)
    y_test = y if y_test is None else as_targets("y_test", y_test, labels)
    for name, a, b in (("x and y", x, y), ("x_test and y_test", x_test, y_test)):
        if len(a) != len(b):
            raise ValueError(f"{name} differ in their number of rows: {len(a)} and {len(b)}")
    for name, a, b in (("x and x_test", x, x_test), ("y and y_test", y, y_test)):
        if a.shape[1:] != b.shape[1:]:
            raise ValueError(f"{name} differ in their columns: {a.shape} and {b.shape}")
    if distance is None:
        outside = np.maximum(np.maximum(x.min(0) - x_test, x_test - x.max(0)), 0)
        outside[outside <= 1e-6 * np.ptp(x, 0)] = 0  # the ends are inside, whatever their rounding
        distance = np.sqrt((outside**2).sum(1))
    distance = np.asarray(distance, np.float64)
    if distance.shape != (len(x_test),) or not (distance >= 0).all():
        raise ValueError(
            f"distance is one number >= 0 for each of {len(x_test)} test points, not shape {distance.shape}"
        )
    made = Given(x=x, y=y, x_test=x_test, y_test=y_test, distance=distance, noise=noise, **options)
    for name, values in (("y", y), ("y_test", y_test)):
        if labels and made.classes is not None and values.max() >= made.classes:
            raise ValueError(f"{name} has the label {values.max()}, but labels go from 0 to {made.classes - 1}")
    return made


def rays(
    directions: ArrayLike | Sequence, lengths: ArrayLike | Sequence, center: ArrayLike | Sequence = 0.0
) -> np.ndarray:
    """Points on straight lines out of a center, for `x_test`: where a function of several inputs leads far out.

    `x = center + length * direction / |direction|`, ray by ray, each at all the lengths.

    Args:
        directions: (rays, inputs), of any length above 0; or a whole number n of rays in the plane, evenly spaced from
            the first axis on.
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
    toward, far = as_rows("directions", directions), as_rows("lengths", lengths)
    size = np.linalg.norm(toward, axis=1, keepdims=True)
    if not (size > 0).all():
        raise ValueError(f"directions[{int(np.argmin(size))}] has length 0 and points nowhere")
    if far.shape[1] != 1 or not (far > 0).all():
        raise ValueError(f"lengths are distances from the center, one vector of numbers above 0, got {far.min()}")
    return (np.asarray(center, np.float64) + (toward / size)[:, None] * far).reshape(-1, toward.shape[1])


def noisy(y: Array, noise: ArrayLike | None, key: Key[Array, ""]) -> Array:
    """Targets with normal noise of that standard deviation."""
    return y if noise is None else y + noise * jax.random.normal(key, y.shape)


def as_rows(name: str, x: ArrayLike | Sequence) -> np.ndarray:
    """Inputs as a finite (n, i) array; a vector becomes one column."""
    x = np.asarray(x, np.float64)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or not x.size:
        raise ValueError(f"{name} has shape {x.shape}; it must be (rows,) or (rows, inputs) and not empty")
    check_finite(name, x)
    return x


def as_targets(name: str, y: ArrayLike | Sequence, labels: bool) -> np.ndarray:
    """Targets as a finite (n, o) array, or as integer labels (n,)."""
    if not labels:
        return as_rows(name, y)
    y = np.asarray(y)
    if y.dtype.kind not in "iuf":
        raise ValueError(f"{name} are labels for cross_entropy: whole numbers 0, 1, ..., not of type {y.dtype}")
    if y.ndim != 1 or not y.size or not np.array_equal(y, np.round(y)) or y.min() < 0:
        shown: Sequence = y[:3].tolist() if y.ndim == 1 else [f"shape {y.shape}"]
        raise ValueError(f"{name} are labels for cross_entropy: whole numbers 0, 1, ... in one vector, not {shown}")
    return y.astype(np.int32)


def check_whole(task: Task, *names: str) -> None:
    """Refuse sizes that are no whole numbers of at least 1.

    Raises:
        ValueError: with the name and the value.

    """
    for name in names:
        value = getattr(task, name)
        if not (isinstance(value, int | np.integer) and value >= 1):
            raise ValueError(f"{name} is {value}; it must be a whole number of at least 1")
        if value >= 2**31:
            raise ValueError(f"{name} is {value:,}; it must be below 2^31, in which rows are counted")


def check_number(
    name: str, value: Any, low: float | int = -math.inf, high: float | int = math.inf, below: bool = False
) -> None:
    """Refuse what is no number, or a number out of its range; None and what JAX traces pass.

    Args:
        name: of the number. value: of it. low, high: the range, ends included. below: whether high itself is out.

    Raises:
        TypeError: no number. ValueError: out of range.
    """
    if isinstance(value, bool | str | bytes | list | tuple | dict):
        raise TypeError(f"{name} is {value!r}; it must be one number")
    if not isinstance(value, float | int | np.number) or np.isnan(value):  # `run` says what is not finite
        return
    if not low <= value <= high or (below and value == high):
        if high == math.inf:
            raise ValueError(f"{name} is {value}; it must be at least {low:g}")
        raise ValueError(f"{name} is {value}; it must lie between {low:g} and {high:g}{' (excluded)' if below else ''}")


def check_finite(name: str, values: ArrayLike) -> None:
    """Refuse nan and infinities, naming the first.

    Raises:
        ValueError: with the position and the value.

    """
    bad = np.argwhere(~np.isfinite(np.asarray(values)))
    if len(bad):
        raise ValueError(
            f"{name}[{', '.join(map(str, bad[0]))}] is {np.asarray(values)[tuple(bad[0])]}; data must be finite"
        )
