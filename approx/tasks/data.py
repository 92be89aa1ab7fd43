"""A task of any function or data set, and what every task has in common.

A task is a frozen dataclass and a pytree. Numbers and arrays are leaves and may be traced; what
decides the shape of the program is static. A task of your own is `task(f, x, x_test)`, `given(x, y,
...)`, or a subclass of `Task` with
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

from approx.tasks import losses
from approx.tasks.reprs import described
from approx.tasks.values import as_numbers, as_rows, as_targets, check_precision, shortened

STATIC: dict[str, Any] = {"static": True}
# Folded into the key of a seed's data, so that held-out rows do not depend on how rows are drawn
HOLD_OUT = 1_701


class Points(NamedTuple):
    """Where a network is judged: inputs `x (k, i)`, targets `y (k, o)` or labels `(k,)`, `distance
    (k,)`.

    The distance to the training range is in units of x, and 0 inside it.
    """

    x: ArrayLike
    y: ArrayLike
    distance: ArrayLike


@register_dataclass
@dataclass(frozen=True, kw_only=True)
class Task:
    """What to learn. Subclasses add their numbers as fields and define `rows` and `points`, perhaps
    `fresh`.

    Attributes:
        loss: a name of `losses.LOSSES`, or a function (outputs (n, o), targets) -> one loss per row
            (n,).
        correct: a function (outputs, targets) -> (n,) bool, for an accuracy; classification losses
            bring their own.
        validation: share of the rows kept from training.
        hold_out: which rows these are: "last", the end of the rows as they stand (Keras'
            `validation_split`; of sorted rows that is one end of the range, which the network then
            never sees), or "random", drawn anew for each seed, from its stream "data".
        classes: how many classes integer labels have, and so how many outputs a network must have;
            None for as many as it has.

    """

    loss: str | Callable = field(default="mse", metadata=STATIC)
    correct: Callable | None = field(default=None, metadata=STATIC)
    validation: float = field(default=0.0, metadata=STATIC)
    hold_out: str = field(default="last", metadata=STATIC)
    classes: int | None = field(default=None, metadata=STATIC)

    def __post_init__(self):
        losses.find(self.loss)
        if self.classes is not None and not (
            isinstance(self.classes, int | np.integer) and self.classes >= 2
        ):
            raise ValueError(
                f"classes is {self.classes!r}; it must be a whole number of at least 2"
            )
        for name, function in losses.LOSSES.items():
            if self.loss is function:
                object.__setattr__(self, "loss", name)
        for name in ("noise", "sd", "scale"):  # standard deviations, where a task has them
            check_number(name, getattr(self, name, None), low=0)
        check_number("validation", self.validation)
        if not 0 <= self.validation < 1:
            raise ValueError(f"validation is a share of the rows in [0, 1), not {self.validation}")
        if self.hold_out not in ("last", "random"):
            raise ValueError(f"hold_out is 'last' or 'random', not {shortened(self.hold_out)}")

    def __init_subclass__(cls, **options):
        """Give every subclass the short repr, which `dataclass` would replace by one with all
        numbers of all arrays.
        """
        super().__init_subclass__(**options)
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = Task.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        """The fields by name that differ from their defaults, arrays by their shapes."""
        return described(self)

    @property
    def tested(self) -> bool:
        """Whether `points` are test points; where they are the training rows again, no test loss is
        recorded.
        """
        return True

    def rows(self, key: Key[Array, ""], noise_key: Key[Array, ""]) -> tuple[Array, Array]:
        """Training rows of one seed: inputs (n, i) and targets (n, o), or integer labels (n,)."""
        raise NotImplementedError(
            f"{type(self).__name__} defines no rows(key, noise_key) -> (x, y)"
        )

    def points(self) -> Points:
        """Where every seed is judged; depends on the task's numbers only."""
        raise NotImplementedError(
            f"{type(self).__name__} defines no points() -> Points(x, y, distance)"
        )

    def fresh(
        self, key: Key[Array, ""], noise_key: Key[Array, ""], size: int
    ) -> tuple[Array, Array]:
        """A batch of rows nobody has seen, for `batches="stream"`."""
        raise ValueError(
            f"{type(self).__name__} has no endless stream of fresh rows; choose other batches"
        )

    def split(self, key: Key[Array, ""], noise_key: Key[Array, ""]) -> tuple[tuple, tuple | None]:
        """Training rows, and validation rows or None, taken apart before any shuffling into
        batches.

        Raises:
            ValueError: a share that leaves one of the two without rows.

        """
        x, y = self.rows(key, noise_key)
        n = kept_rows(x.shape[0], self.validation)
        if n == x.shape[0]:
            return (x, y), None
        if self.hold_out == "random":
            order = jax.random.permutation(jax.random.fold_in(key, HOLD_OUT), x.shape[0])
            x, y = x[order], y[order]
        return (x[:n], y[:n]), (x[n:], y[n:])


def kept_rows(rows: int, validation: float) -> int:
    """How many of the rows are trained on: Keras' `floor(rows (1 - validation))`.

    Raises:
        ValueError: a share that leaves one of the two without rows.

    """
    n = math.floor(rows * (1 - validation))
    if n == 0 or (validation and n == rows):
        raise ValueError(f"validation={validation} splits {rows} rows into {n} and {rows - n}")
    return n


@register_dataclass
@dataclass(frozen=True, kw_only=True, eq=False)
class Given(Task):
    """A fixed data set, every seed's alike. Made by `given` or `task`, which check it.

    Attributes:
        x, y: training rows. x_test, y_test: test points and their targets, None for a task without
            them, whose `points` are the training rows.
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
        return jnp.asarray(self.x), noisy(jnp.asarray(self.y), self.noise, noise_key)

    def points(self):
        """The test points as given; else the training rows. A distance that was not given is 0."""
        x, y = (self.x_test, self.y_test) if self.tested else (self.x, self.y)
        x, y = jnp.asarray(x), jnp.asarray(y)
        return Points(
            x, y, jnp.zeros(x.shape[0]) if self.distance is None else jnp.asarray(self.distance)
        )

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
    """Any function as a task: `task(lambda x: abs(x), x=np.linspace(-2, 2, 41),
    x_test=np.linspace(-4, 4, 401))`.

    Test points are told apart by where they lie (`distance="box"` of `given`): `test_loss` is over
    those inside the range of the inputs trained on, `outside_loss` over those outside it.

    Args:
        f: called once with a copy of x and once with one of x_test, in float64; gives (n,), (n, o),
            or labels (n,).
        x: training inputs, (n,) or (n, i).
        x_test: test points, (k,) or (k, i). Left out, there is no test loss, and predictions are at
            the training rows.
        noise: standard deviation of normal noise on the training targets, redrawn per seed.
        options: `distance` of `given`; `loss`, `correct`, `validation`, `hold_out` of `Task`.

    Raises:
        TypeError, ValueError: shapes that do not fit, values that are not finite real numbers,
            labels that are not whole.

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
    test rows there is
    no test loss: judge by `of="loss"`, or keep rows from training with `validation` and judge by
    "validation_loss".

    Args:
        x: training inputs, (n,) or (n, i). y: targets, (n,) or (n, o), or integer labels (n,) for
            `cross_entropy`.
        x_test: test inputs, (k,) or (k, i). y_test: their targets.
        distance: (k,) of each test row to the training range, in units of x, where 0 is inside.
            None is 0 for all rows: a test set is one set. "box" is the Euclidean distance to the
            smallest axis-parallel box around the inputs trained on, without validation rows where
            these are the last rows; with `hold_out="random"`, which differs from seed to seed,
            around all inputs.
        noise: standard deviation of normal noise on the training targets, redrawn per seed.
        options: `loss`, `correct`, `validation`, `hold_out`, `classes` of `Task`.

    Raises:
        TypeError: values that are no real numbers: complex ones, dates, words, sparse matrices,
            units.
        ValueError: shapes that do not fit, masked values or such that are not finite, labels that
            are not whole or out of range.

    """
    if (x_test is None) != (y_test is None):
        raise ValueError("x_test and y_test come together; one of them is missing")
    labels = options.get("loss") in ("cross_entropy", losses.cross_entropy)
    x, y = as_rows("x", x), as_targets("y", y, labels)
    pairs = [("x and y", x, y)]
    if x_test is not None and y_test is not None:
        x_test, y_test = as_rows("x_test", x_test), as_targets("y_test", y_test, labels)
        pairs.append(("x_test and y_test", x_test, y_test))
        for name, a, b in (("x and x_test", x, x_test), ("y and y_test", y, y_test)):
            if a.shape[1:] != b.shape[1:]:
                raise ValueError(f"{name} differ in their columns: {a.shape} and {b.shape}")
    for name, a, b in pairs:
        if len(a) != len(b):
            raise ValueError(f"{name} differ in their number of rows: {len(a)} and {len(b)}")
    judged = x if x_test is None else x_test
    distance = as_distance(distance, trained_inputs(x, options), judged)
    made = Given(x=x, y=y, x_test=x_test, y_test=y_test, distance=distance, noise=noise, **options)
    for name, values in (("y", y), ("y_test", y_test)):
        if (
            values is not None
            and labels
            and made.classes is not None
            and values.max() >= made.classes
        ):
            raise ValueError(
                f"{name} has the label {values.max()}, but labels go from 0 to {made.classes - 1}"
            )
    return made


def trained_inputs(x: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    """The inputs that every seed is trained on: without the last rows where these are kept for
    validation.
    """
    share = options.get("validation", 0.0)
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
    if distance.shape != (len(judged),) or not (distance >= 0).all():
        raise ValueError(
            f"distance is one number >= 0 for each of {len(judged)} test points, not shape {distance.shape}"
        )
    return distance


def box_distance(trained: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Euclidean distance of points (k, i) to the smallest axis-parallel box around the inputs (n,
    i): (k,).
    """
    outside = np.maximum(np.maximum(trained.min(0) - judged, judged - trained.max(0)), 0)
    # The ends are inside, whatever their rounding
    outside[outside <= 1e-6 * np.ptp(trained, 0)] = 0
    return np.sqrt((outside**2).sum(1))


def rays(
    directions: ArrayLike | Sequence,
    lengths: ArrayLike | Sequence,
    center: ArrayLike | Sequence = 0.0,
) -> np.ndarray:
    """Points on straight lines out of a center, for `x_test`: where a function of several inputs
    leads far out.

    `x = center + length * direction / |direction|`, ray by ray, each at all the lengths.

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
    toward, far = as_rows("directions", directions), as_rows("lengths", lengths)
    size = np.linalg.norm(toward, axis=1, keepdims=True)
    if not (size > 0).all():
        raise ValueError(f"directions[{int(np.argmin(size))}] has length 0 and points nowhere")
    if far.shape[1] != 1 or not (far > 0).all():
        raise ValueError(
            f"lengths are distances from the center, one vector of numbers above 0, got {far.min()}"
        )
    return (np.asarray(center, np.float64) + (toward / size)[:, None] * far).reshape(
        -1, toward.shape[1]
    )


def noisy(y: Array, noise: ArrayLike | None, key: Key[Array, ""]) -> Array:
    """Targets with normal noise of that standard deviation."""
    return y if noise is None else y + noise * jax.random.normal(key, y.shape)


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
            raise ValueError(
                f"{name} is {value:,}; it must be below 2^31, in which rows are counted"
            )


def check_number(
    name: str,
    value: Any,
    low: float | int = -math.inf,
    high: float | int = math.inf,
    below: bool = False,
) -> None:
    """Refuse what is no number, or a number out of its range; None and what JAX traces pass.

    Args:
        name: of the number. value: of it. low, high: the range, ends included. below: whether high
            itself is out.

    Raises:
        TypeError: no number. ValueError: out of range.
    """
    if isinstance(value, bool | str | bytes | list | tuple | dict):
        raise TypeError(f"{name} is {value!r}; it must be one number")
    # `run` says what is not finite
    if not isinstance(value, float | int | np.number) or np.isnan(value):
        return
    if not low <= value <= high or (below and value == high):
        if high == math.inf:
            raise ValueError(f"{name} is {value}; it must be at least {low:g}")
        raise ValueError(
            f"{name} is {value}; it must lie between {low:g} and {high:g}{' (excluded)' if below else ''}"
        )
