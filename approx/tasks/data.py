"""What every task has in common.

A task is a frozen dataclass and a pytree. Numbers and arrays are leaves and may be traced; what
decides the shape of the program is static. A task of your own is `task(f, x, x_test)`, `given(x, y,
...)`, or a subclass of `Task` with two methods: `rows`, the training rows of one seed, and
`points`, the test points.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike, Key

from approx.tasks import losses
from approx.tasks.reprs import as_html, described
from approx.tasks.values import shortened

STATIC: dict[str, Any] = {"static": True}
# This is folded into the key of a seed's data, so that the choice of validation rows does not
# depend on how rows are drawn.
HOLD_OUT = 1_701


class Points(NamedTuple):
    """Where a network is judged: k test points.

    Attributes:
        x: inputs (k, i).
        y: targets (k, o), or labels (k,).
        distance: to the training range (k,), in units of x; 0 inside it.
    """

    x: ArrayLike
    y: ArrayLike
    distance: ArrayLike


@register_dataclass
@dataclass(frozen=True, kw_only=True)
class Task:
    """What to learn.

    Subclasses add their numbers as fields and define `rows` and `points`, and `fresh` if they have
    an endless stream of rows.

    Attributes:
        loss: a name of `losses.LOSSES`; a function (outputs (n, o), targets) -> one loss per row
            (n,); or a loss that sees the network (`losses.of_network`).
        correct: a function (outputs, targets) -> (n,) bool, for an accuracy; classification losses
            bring their own.
        validation: share of the rows kept from training.
        hold_out: which rows are kept: "last", the end of the rows as they stand (Keras'
            `validation_split`; the end of sorted rows is one end of the range, which the network
            then never sees), or "random", drawn anew for each seed from its stream "data".
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
        countable = isinstance(self.classes, int | np.integer)
        if self.classes is not None and not (countable and self.classes >= 2):
            raise ValueError(
                f"classes is {self.classes!r}; it must be a whole number of at least 2"
            )
        object.__setattr__(self, "loss", losses.known(self.loss))
        for name in ("noise", "sd", "scale"):  # standard deviations, where a task has them
            check_number(name, getattr(self, name, None), low=0)
        check_share(self.validation)
        if self.hold_out not in ("last", "random"):
            raise ValueError(f"hold_out is 'last' or 'random', not {shortened(self.hold_out)}")

    def __init_subclass__(cls, **options):
        """Give every subclass the short repr.

        `dataclass` would replace it by one with all numbers of all arrays.
        """
        super().__init_subclass__(**options)
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = Task.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        """The fields by name that differ from their defaults, arrays by their shapes."""
        return described(self)

    def _repr_html_(self) -> str:
        """The same as a table, which a notebook shows."""
        return as_html(self)

    @property
    def tested(self) -> bool:
        """Whether `points` are test points.

        If they are the training rows again, no test loss is recorded.
        """
        return True

    @property
    def numbers(self) -> dict[str, ArrayLike]:
        """The numbers that a loss which sees the network is shown as `batch.numbers`.

        A task of your own names those of its fields here that its loss reads. They can be swept.
        """
        return {}

    @property
    def validated(self) -> bool:
        """Whether there are validation rows."""
        return bool(self.validation)

    @property
    def unjudged(self) -> int:
        """How many of the points have no target: the last ones. They count in no loss."""
        return 0

    def axis_names(self) -> dict[str, tuple[Any, ...]]:
        """The names of the inputs ("input") and of the outputs ("output"), where there are any."""
        return {}

    def target_notes(self) -> dict[str, Any]:
        """What is to be said of the targets in a result, such as the names of classes."""
        return {}

    def rows(self, key: Key[Array, ""], noise_key: Key[Array, ""]) -> tuple[Array, Array]:
        """Training rows of one seed: inputs (n, i) and targets (n, o), or integer labels (n,)."""
        raise NotImplementedError(
            f"{type(self).__name__} defines no rows(key, noise_key) -> (x, y)"
        )

    def points(self) -> Points:
        """The test points, which depend on the task's numbers only and not on the seed."""
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
        """Training rows, and validation rows or None.

        They are separated before rows are shuffled into batches.

        Args:
            key: the stream "data" of a seed.
            noise_key: the stream "noise" of a seed.

        Raises:
            ValueError: a share that leaves one of the two without rows.

        """
        x, y = self.rows(key, noise_key)
        rows = x.shape[0]
        n = kept_rows(rows, self.validation)
        if n == rows:
            return (x, y), None
        if self.hold_out == "random":
            order_key = jax.random.fold_in(key, HOLD_OUT)
            order = jax.random.permutation(order_key, rows)
            x, y = x[order], y[order]
        trained = x[:n], y[:n]
        held_out = x[n:], y[n:]
        return trained, held_out


def kept_rows(rows: int, validation: float) -> int:
    """How many of the rows are trained on: Keras' `floor(rows (1 - validation))`.

    Raises:
        ValueError: a share that leaves one of the two without rows.

    """
    n = math.floor(rows * (1 - validation))
    if n == 0 or (validation and n == rows):
        raise ValueError(f"validation={validation} splits {rows} rows into {n} and {rows - n}")
    return n


def noisy(y: Array, noise: ArrayLike | None, key: Key[Array, ""]) -> Array:
    """Targets with normal noise of that standard deviation; None adds none."""
    if noise is None:
        return y
    return y + noise * jax.random.normal(key, y.shape)


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


def check_share(validation: Any) -> None:
    """Refuse what is no share of the rows.

    Raises:
        TypeError: no number, such as rows.
        ValueError: out of range.
    """
    if isinstance(validation, list | tuple) or np.ndim(validation):
        raise TypeError(
            f"validation is {shortened(validation)}; it must be a share of the rows, such as 0.2. "
            "Rows of your own are a pair: ap.data(..., validation=(x, y))"
        )
    check_number("validation", validation)
    if not 0 <= validation < 1:
        raise ValueError(f"validation is a share of the rows in [0, 1), not {validation}")


def check_number(
    name: str,
    value: Any,
    low: float | int = -math.inf,
    high: float | int = math.inf,
    below: bool = False,
) -> None:
    """Refuse what is no number, or a number out of its range.

    None and what JAX traces pass.

    Args:
        name: of the number.
        value: of the number.
        low: the least that is allowed.
        high: the most that is allowed.
        below: whether high itself is refused.

    Raises:
        TypeError: no number.
        ValueError: out of range.
    """
    if isinstance(value, bool | str | bytes | list | tuple | dict):
        raise TypeError(f"{name} is {value!r}; it must be one number")
    # `run` says what is not finite
    if not isinstance(value, float | int | np.number) or np.isnan(value):
        return
    inside = low <= value <= high and not (below and value == high)
    if inside:
        return
    if high == math.inf:
        raise ValueError(f"{name} is {value}; it must be at least {low:g}")
    excluded = " (excluded)" if below else ""
    raise ValueError(f"{name} is {value}; it must lie between {low:g} and {high:g}{excluded}")
