"""How to learn: the recipe, and whether it fits a task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.tree_util import GetAttrKey, register_pytree_with_keys_class
from jaxtyping import ScalarLike

from approx import models
from approx.tasks import shortened
from approx.tasks.data import check_number
from approx.tasks.reprs import described
from approx.training import optimizers, sampling
from approx.training.second_order import Method

MOST_RECORDS, MOST_SPACED = 10**6, 20_000


@register_pytree_with_keys_class
@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to learn. Numbers are leaves and can be swept; the rest is structure: equal structure
    never recompiles.

    Attributes:
        model: see `models`. Its numbers are the recipe's.
        optimizer: a name of `optimizers.OPTIMIZERS`, an optax factory (called with the learning
            rate and `options`), or a finished optax transformation (with learning_rate=None); or
            "lm", "bfgs", "lbfgs" of `second_order`.
        learning_rate: a number. Left out it is 1e-3, and None for those of `second_order`, which
            have none.
        options: further arguments of the optimiser. Floats are numbers; ints, bools and strings are
            structure.
        schedule: factor on the learning rate: "cosine", "linear", or a function of the step (any
            optax schedule).
        l2: adds `l2 * Σ w²` to the loss that is minimised, as Keras' regulariser does; None for
            none.
        l2_on: the w of that sum: "kernels" (arrays of two axes or more), "hidden" (those but the
            last), "all".
        steps: number of updates.
        batch_size: rows per step; None is all of them.
        batches: "epoch", "order", "replacement" (see `sampling.batch`), or "stream", fresh rows
            from the task.
        records: how many records to keep, on a logarithmic grid with step 0 and the last; or the
            steps themselves.
        dtype: "float32" or "float64", of everything, random draws too: recipes of different dtype
            are not paired.

    Raises:
        ValueError, TypeError: naming the value and what would be right.

    """

    model: Any = field(default_factory=models.MLP)
    optimizer: Any = "adam"
    learning_rate: ScalarLike | None = field(default=cast(Any, ...))
    options: Mapping[str, Any] = field(default_factory=dict)
    schedule: str | Callable | None = None
    l2: ScalarLike | None = None
    l2_on: str = "kernels"
    steps: int = 1000
    batch_size: int | None = None
    batches: str = "epoch"
    records: Any = 50
    dtype: str = "float32"
    number_names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    traced_model: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        if self.learning_rate is ...:
            object.__setattr__(self, "learning_rate", optimizers.default_rate(self.optimizer))
        models.functions(self.model)
        if not isinstance(self.options, Mapping):
            raise TypeError(
                f"options is {self.options!r}; it must be a dictionary {{name: value}}, {{}} for none"
            )
        optimizers.check(self.optimizer, self.learning_rate, self.options, self.schedule)
        for name in ("learning_rate", "l2"):
            value = getattr(self, name)
            if value is not None and not (is_number(value) and jnp.ndim(value) == 0):
                raise TypeError(f"{name} is {value!r}; it must be one number")
            check_number(name, value, low=0)
        for name in ("steps", "batch_size"):
            value = getattr(self, name)
            if is_whole(value):
                object.__setattr__(self, name, int(value))
            if not ((value is None and name == "batch_size") or (is_whole(value) and value >= 1)):
                raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1")
            if value is not None and value >= 2**31:
                raise ValueError(
                    f"{name} is {value:,}; it must be below 2^31, which is what a step is counted in"
                )
        for name, known in (
            ("l2_on", ("kernels", "hidden", "all")),
            ("batches", sampling.KINDS),
            ("dtype", ("float32", "float64")),
        ):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"unknown {name} {getattr(self, name)!r}; there is: {', '.join(known)}"
                )
        if optimizers.is_method(self.optimizer) and not (
            self.batch_size is None and self.batches != "stream"
        ):
            has = f"batch_size={self.batch_size}, batches={self.batches!r}"
            raise ValueError(
                f"{self.optimizer!r} takes all rows at every step: batch_size=None and no stream, not {has}"
            )
        if self.batches == "stream" and self.batch_size is None:
            raise ValueError('batches="stream" needs a batch_size')
        check_number_of_records(self.records, self.steps)
        if not is_whole(self.records):
            if isinstance(self.records, str) or not all(
                map(is_whole, np.atleast_1d(np.asarray(self.records)))
            ):
                given = shortened(self.records)
                raise TypeError(
                    f"records is {given}; it must be a whole number, or the steps themselves"
                )
            object.__setattr__(self, "records", tuple(map(int, self.records)))
        record_steps(self)
        # What is a number is settled here, by value, because JAX flattens recipes whose leaves are
        # placeholders too.
        numbers = tuple(sorted(optimizers.numbers(self.optimizer, self.options)))
        object.__setattr__(self, "number_names", numbers)
        object.__setattr__(self, "traced_model", all(map(is_number, jax.tree.leaves(self.model))))

    def __repr__(self) -> str:
        """What mostly differs between recipes, and the fields that differ from their defaults."""
        return described(self, always=("model", "optimizer", "learning_rate", "steps"))

    def tree_flatten_with_keys(self):
        """Numbers, and the structure around them (JAX calls this)."""
        options = {**optimizers.defaults(self.optimizer), **self.options}
        numbers = {
            "learning_rate": self.learning_rate,
            "l2": self.l2,
            "options": {name: options[name] for name in self.number_names},
            "model": self.model if self.traced_model else None,
        }
        structure = {name: getattr(self, name) for name in self.__dict__ if name not in numbers}
        structure["options"] = tuple(
            sorted((k, v) for k, v in options.items() if k not in self.number_names)
        )
        structure["model"] = None if self.traced_model else self.model
        return [(GetAttrKey(name), value) for name, value in numbers.items()], tuple(
            sorted(structure.items())
        )

    @classmethod
    def tree_unflatten(cls, structure, numbers):
        """The recipe again, perhaps with tracers for numbers, so unchecked (JAX calls this)."""
        recipe, values = object.__new__(cls), dict(structure)
        learning_rate, l2, options, model = numbers
        values |= {"learning_rate": learning_rate, "l2": l2}
        values["options"] = {
            **dict(values["options"]),
            **(options if isinstance(options, dict) else {}),
        }
        values["model"] = model if values["traced_model"] else values["model"]
        for name, value in values.items():
            object.__setattr__(recipe, name, value)
        return recipe


def check_number_of_records(records: Any, steps: int) -> None:
    """Refuse more records than a result could hold, or than are soon laid out, before any is.

    Raises:
        ValueError: more than MOST_RECORDS, or more than MOST_SPACED of a larger number of steps.
    """
    count = (
        min(records, steps + 1)
        if is_whole(records)
        else len(records)
        if hasattr(records, "__len__")
        else 0
    )
    if count > MOST_RECORDS:
        raise ValueError(
            f"records asks for {count:,} records of each training; at most {MOST_RECORDS:,}: take fewer"
        )
    if is_whole(records) and MOST_SPACED < records <= steps:
        raise ValueError(
            f"records asks for {records:,} of {steps:,} steps, evenly on a logarithmic axis; at most {MOST_SPACED:,}: "
            f"take fewer, or write the steps themselves, such as records=range(0, {steps + 1}, 10)"
        )


def is_whole(value: Any) -> bool:
    """Whether this is a whole number (and no bool)."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether this leaf of a model is a number or an array."""
    return isinstance(value, float | int | np.generic | np.ndarray | jax.Array) and not isinstance(
        value, bool
    )


def record_steps(recipe: Recipe) -> np.ndarray:
    """The steps after which a record is made, increasing; step 0 is the untrained network.

    Raises:
        ValueError: records out of range, repeated, or not increasing.

    """
    steps, records = recipe.steps, recipe.records
    if is_whole(records):
        if records < 2:
            raise ValueError(f"records={records}: at least 2, for step 0 and the last")
        if records > steps:
            return np.arange(steps + 1)
        return spaced(steps, int(records)).copy()
    grid = np.asarray(records, np.int64)
    if not grid.size or grid[0] < 0 or grid[-1] > steps or (np.diff(grid) <= 0).any():
        raise ValueError(
            f"records must be increasing steps between 0 and steps={steps}, not {shortened(records)}"
        )
    return grid


@lru_cache(maxsize=256)
def spaced(steps: int, records: int) -> np.ndarray:
    """Step 0 and so many further steps up to the last that there are `records` of them, evenly on a
    logarithmic axis.

    Rounding merges the first ones, so that more points are needed than are left: the fewest that
    do.
    """
    points = records - 1  # from the last step down, which one point alone is
    for _ in range(100):
        grid = rounded(steps, points)
        if len(grid) >= records:
            return grid
        points += records - len(grid)
    # Nearly every step is a record, which would take many such rounds
    few, enough = points, 2 * points
    while len(rounded(steps, enough)) < records:
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if len(rounded(steps, middle)) >= records else (middle, enough)
    return rounded(steps, enough)


def rounded(steps: int, points: int) -> np.ndarray:
    """Step 0, and the whole steps next to so many points from the last step down to 1, evenly by
    their logarithms.
    """
    return np.unique(np.r_[0, np.rint(np.geomspace(steps, 1, points))].astype(np.int64))


def optimizer(recipe: Recipe) -> optax.GradientTransformation | Method:
    """The recipe's optax transformation, or its method of second order."""
    return optimizers.make(
        recipe.optimizer, recipe.learning_rate, recipe.options, recipe.schedule, recipe.steps
    )
