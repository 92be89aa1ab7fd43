"""How to learn: the recipe, its checks, and the rule that follows from it."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.tree_util import GetAttrKey, register_pytree_with_keys_class
from jaxtyping import ScalarLike

from approx import models
from approx.tasks import Task
from approx.tasks.arguments import spelled
from approx.tasks.data import check_number
from approx.tasks.reprs import as_html, described
from approx.training import optimizers, rates, sampling, stops, watching
from approx.training.recorded_steps import (
    check_number_of_records,
    checked_records,
    is_whole,
    record_steps,
)
from approx.training.rules import GRADIENT, Optax, Rule


@spelled
@register_pytree_with_keys_class
@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to learn: the network, the optimiser and its numbers, the batches, and the records.

    Numbers are leaves of a pytree and can be swept. All other fields are structure: two recipes of
    equal structure share one compiled program.

    Attributes:
        model: the network, see `models`. Its numbers are numbers of the recipe.
        optimizer: a name of `optimizers.OPTIMIZERS`; or "lm" (Levenberg-Marquardt), "bfgs" or
            "lbfgs"; or an optax factory, which is called with the learning rate and `options`; or a
            finished optax transformation, with learning_rate=None.
        learning_rate: a number. Left out it is 1e-3, and None for "lm", "bfgs" and "lbfgs", which
            find the lengths of their steps themselves.
        options: further arguments of the optimiser. Floats are numbers; ints, bools and strings are
            structure.
        schedule: factor on the learning rate: "cosine", "linear", or a function of the step (any
            optax schedule).
        l2: adds `l2 * Σ w²` to the loss that is minimised, as Keras' regulariser does; None adds
            nothing.
        l1: adds `l1 * Σ |w|`, likewise; the slope of `|w|` at 0 is 0, as in Keras and PyTorch.
        l2_on: the parameters w in these sums: "kernels" (arrays of two axes or more), "hidden"
            (kernels without the last one), "all".
        l2_per: "step" adds these sums as they are. "rows" divides them by the rows of the batch,
            as scikit-learn does, whose `alpha` is `2 * l2`.
        reduction: "mean" descends the mean of the rows' losses, "sum" their sum. The losses that
            are recorded are per row in both.
        steps: number of updates; 1000 if neither this nor `epochs` is said.
        epochs: how often every training row is shown, in place of `steps`. The number of steps
            follows from the task, see `settled`.
        batch_size: rows per step; None is all of them.
        batches: "epoch", "once", "order", "replacement" (see `sampling.batch`), or "stream", fresh
            rows from the task.
        drop_last: whether an epoch leaves out its last batch where that would be partial.
        records: how many records to keep, on a logarithmic grid with step 0 and the last; or the
            steps themselves.
        dtype: "float32" or "float64", of all arrays. Random draws differ too, so that recipes of
            different dtype are not paired by seed.
        stop: a rule that ends the training, or several in a tuple, see `stops`; None for none.
        plateau: a rule that lowers the learning rate when a quantity no longer improves, or
            several, see `stops.ReduceRate`; None for none.

    Raises:
        ValueError: a value out of its range, or an unknown name.
        TypeError: a value of the wrong type.

    Example:
        `Recipe(model=MLP((16,), "relu"), optimizer="sgd", learning_rate=0.1, steps=500)`

    """

    model: Any = field(default_factory=models.MLP)
    optimizer: Any = "adam"
    learning_rate: ScalarLike | None = field(default=cast(Any, ...))
    options: Mapping[str, Any] = field(default_factory=dict)
    schedule: str | Callable | None = None
    l2: ScalarLike | None = None
    l1: ScalarLike | None = None
    l2_on: str = "kernels"
    l2_per: str = "step"
    reduction: str = "mean"
    steps: int = cast(Any, None)
    epochs: int | None = None
    batch_size: int | None = None
    batches: str = "epoch"
    drop_last: bool = False
    records: Any = 50
    dtype: str = "float32"
    stop: Any = None
    plateau: Any = None
    number_names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    traced_model: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        if self.learning_rate is ...:
            self._settle("learning_rate", optimizers.default_rate(self.optimizer))
        models.functions(self.model)
        if not isinstance(self.options, Mapping):
            raise TypeError(
                f"options is {self.options!r}; it must be a dictionary {{name: value}}, "
                "{} for none"
            )
        optimizers.check(self.optimizer, self.learning_rate, self.options, self.schedule)
        for name in ("learning_rate", "l2", "l1"):
            check_one_number(name, getattr(self, name))
        self._settle_length()
        if self.batch_size is not None:
            self._settle("batch_size", checked_count("batch_size", self.batch_size))
        check_known("l2_on", self.l2_on, ("kernels", "hidden", "all"))
        check_known("l2_per", self.l2_per, ("step", "rows"))
        check_known("reduction", self.reduction, ("mean", "sum"))
        check_known("batches", self.batches, sampling.KINDS)
        check_known("dtype", self.dtype, ("float32", "float64"))
        check_batches(self)
        self._settle("records", checked_records(self.records))
        if self.epochs is None:
            check_number_of_records(self.records, self.steps)
            record_steps(self)
        self._settle("stop", watching.as_rules("stop", self.stop, stops.Stop))
        self._settle("plateau", watching.as_rules("plateau", self.plateau, rates.Slow))
        check_plateau(self)
        # What is a number is settled here, by value, because JAX flattens recipes whose leaves are
        # placeholders too.
        numbers = tuple(sorted(optimizers.numbers(self.optimizer, self.options)))
        self._settle("number_names", numbers)
        self._settle("traced_model", all(map(is_number, jax.tree.leaves(self.model))))

    def _settle(self, name: str, value: Any) -> None:
        """Set a field while the recipe is made; afterwards it is frozen."""
        object.__setattr__(self, name, value)

    @property
    def penalised(self) -> bool:
        """Whether a penalty is added to the loss."""
        return self.l2 is not None or self.l1 is not None

    def _settle_length(self) -> None:
        """Check the number of steps or of epochs, of which exactly one is kept."""
        if self.epochs is None:
            given = 1000 if self.steps is None else self.steps
            self._settle("steps", checked_count("steps", given))
            return
        if self.steps is not None:
            raise ValueError(
                f"steps={self.steps!r} and epochs={self.epochs!r} both say how long the training "
                "is; give one of them, and None for the other where dataclasses.replace carries it "
                "over"
            )
        self._settle("epochs", checked_count("epochs", self.epochs))

    @property
    def rules(self) -> tuple[Any, ...]:
        """All rules that look at the training: those that end it, and those of the rate."""
        return (*(self.stop or ()), *(self.plateau or ()))

    def __repr__(self) -> str:
        """What mostly differs between recipes, and the fields that differ from their defaults."""
        return described(self, always=self._always_said)

    def _repr_html_(self) -> str:
        """The same as a table, which a notebook shows."""
        return as_html(self, always=self._always_said)

    @property
    def _always_said(self) -> tuple[str, ...]:
        """The fields in which recipes mostly differ."""
        length = "steps" if self.epochs is None else "epochs"
        return ("model", "optimizer", "learning_rate", length)

    def tree_flatten_with_keys(self):
        """Numbers, and the structure around them (JAX calls this)."""
        options = {**optimizers.defaults(self.optimizer), **self.options}
        swept = {name: options.pop(name) for name in self.number_names}
        numbers: dict[str, Any] = {
            "learning_rate": self.learning_rate,
            "l2": self.l2,
            "l1": self.l1,
            "options": swept,
            "model": self.model if self.traced_model else None,
            "stop": self.stop,
            "plateau": self.plateau,
        }
        structure = {name: self.__dict__[name] for name in self.__dict__ if name not in numbers}
        structure["options"] = tuple(sorted(options.items()))
        if self.traced_model:
            structure["model"] = None
        else:
            structure["model"] = self.model
        children = [(GetAttrKey(name), value) for name, value in numbers.items()]
        return children, tuple(sorted(structure.items()))

    @classmethod
    def tree_unflatten(cls, structure, numbers):
        """The recipe again, unchecked, as its numbers may be tracers (JAX calls this)."""
        recipe, values = object.__new__(cls), dict(structure)
        learning_rate, l2, l1, options, model, stop, plateau = numbers
        values |= {"learning_rate": learning_rate, "l2": l2, "l1": l1}
        values |= {"stop": stop, "plateau": plateau}
        values["options"] = dict(values["options"])
        if isinstance(options, dict):
            values["options"] |= options
        if values["traced_model"]:
            values["model"] = model
        for name, value in values.items():
            recipe._settle(name, value)
        return recipe


def check_one_number(name: str, value: Any) -> None:
    """Refuse what is neither None nor one number of at least 0.

    Raises:
        TypeError: no number, or several.
        ValueError: below 0.
    """
    if value is not None and not (is_number(value) and jnp.ndim(value) == 0):
        raise TypeError(f"{name} is {value!r}; it must be one number")
    check_number(name, value, low=0)


def checked_count(name: str, value: Any) -> int:
    """A number of steps or of rows as an int.

    Raises:
        ValueError: no whole number of at least 1, or one that is too large to count to.
    """
    if not (is_whole(value) and value >= 1):
        raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1")
    if value >= 2**31:
        raise ValueError(
            f"{name} is {value:,}; it must be below 2^31, which is what a step is counted in"
        )
    return int(value)


def check_known(name: str, value: Any, known: Sequence[str]) -> None:
    """Refuse a word that is none of those known.

    Raises:
        ValueError: with all words known.
    """
    if value not in known:
        raise ValueError(f"unknown {name} {value!r}; there is: {', '.join(known)}")


def check_batches(recipe: Recipe) -> None:
    """Refuse batches that the optimiser cannot take, and a stream without a batch size.

    Raises:
        ValueError: with the batches that were asked for.
    """
    all_rows = recipe.batch_size is None and recipe.batches != "stream"
    if optimizers.takes_all_rows(recipe.optimizer) and not all_rows:
        has = f"batch_size={recipe.batch_size}, batches={recipe.batches!r}"
        raise ValueError(
            f"{recipe.optimizer!r} takes all rows at every step: batch_size=None and no stream, "
            f"not {has}"
        )
    if recipe.batches == "stream" and recipe.batch_size is None:
        raise ValueError('batches="stream" needs a batch_size')
    if not isinstance(recipe.drop_last, bool):
        raise TypeError(f"drop_last is {recipe.drop_last!r}; it must be True or False")
    has_epochs = recipe.batches in ("epoch", "once", "order") and recipe.batch_size is not None
    if recipe.drop_last and not has_epochs:
        raise ValueError(
            f"drop_last leaves out the last batch of an epoch, and batch_size={recipe.batch_size}, "
            f"batches={recipe.batches!r} has no partial one"
        )
    check_descent(recipe)


def check_descent(recipe: Recipe) -> None:
    """Refuse what a method of second order cannot descend: it has the sum of all rows' losses.

    Raises:
        ValueError: with the option.
    """
    name = recipe.optimizer
    if optimizers.wants(name) == GRADIENT:
        return
    if recipe.reduction != "mean" or recipe.l2_per != "step":
        raise ValueError(
            f"{name!r} chooses its own objective: leave reduction and l2_per out, not "
            f"reduction={recipe.reduction!r}, l2_per={recipe.l2_per!r}"
        )
    if name == "lm" and recipe.l1 is not None:
        raise ValueError("'lm' needs a sum of squares, and l1 adds |w|: take l2, or l1=None")


def check_plateau(recipe: Recipe) -> None:
    """Refuse a rule of the learning rate where the optimiser has no rate that could be lowered.

    Raises:
        ValueError: with the optimiser.
    """
    if recipe.plateau is not None and recipe.learning_rate is None:
        raise ValueError(
            f"plateau lowers the learning rate, and optimizer {recipe.optimizer!r} has none: leave "
            "plateau out, or give an optimizer by name or its factory, with a learning_rate"
        )


# ---- the length of the training ------------------------------------------------------------------


def settled(recipe: Recipe, task: Task) -> Recipe:
    """The recipe with its length in steps: epochs are counted in the rows of the task.

    Args:
        recipe: with `steps`, and then it stays as it is; or with `epochs`.
        task: gives the number of training rows.

    Returns:
        A recipe whose `steps` is a number, and whose `epochs` is None.

    Raises:
        ValueError: a batch of more rows than there are; records beyond the last step; epochs of a
            stream, which has none.

    Example:
        `settled(Recipe(epochs=300, batch_size=8), ap.tasks.square()).steps` is 900: 21 rows are 3
        batches.
    """
    if recipe.epochs is None:
        return recipe
    if recipe.batches == "stream":
        raise ValueError(
            f'epochs={recipe.epochs!r}: with batches="stream" every row is new, and there are no '
            "epochs; give steps"
        )
    steps = steps_of(task, recipe.epochs, recipe.batch_size, recipe.drop_last)
    check_number_of_records(recipe.records, steps)
    found = copy.copy(recipe)
    found._settle("steps", steps)
    found._settle("epochs", None)
    record_steps(found)
    return found


def steps_of(task: Task, epochs: int, batch_size: int | None, drop_last: bool = False) -> int:
    """How many steps so many epochs are: in one epoch every training row is seen once.

    Rows that are kept for validation are not trained on and do not count. The last batch of an
    epoch may be partial and is one step too. With all rows in every step, an epoch is one step.
    With batches that are drawn with replacement, an epoch has as many steps, although a row may be
    seen twice or not at all.

    Args:
        task: gives the number of training rows.
        epochs: how many epochs, at least 1.
        batch_size: rows per step; None is all of them.
        drop_last: whether a last batch that is not full is left out.

    Returns:
        The number of steps.

    Raises:
        ValueError: no whole number of at least 1; a batch of more rows than there are.

    Example:
        `steps_of(ap.tasks.square(), 300, 8)` is 900: 21 rows are 3 batches.

    """
    epochs = checked_count("epochs", epochs)
    if batch_size is None:
        return epochs
    batch_size = checked_count("batch_size", batch_size)
    key = jax.random.key(0)
    x, _ = jax.eval_shape(lambda: task.split(key, key)[0])
    rows = x.shape[0]
    if batch_size > rows:
        raise ValueError(
            f"batch_size={batch_size} is more than the {rows} training rows; None is all of them"
        )
    per_epoch = sampling.batches_per_epoch(rows, batch_size, drop_last)
    return checked_count("steps", epochs * per_epoch)


def epoch_length(recipe: Recipe, rows: int) -> int:
    """How many steps an epoch of so many training rows has.

    A stream has no epochs; there it is the steps in which as many rows are shown.
    """
    if recipe.batch_size is None:
        return 1
    return sampling.batches_per_epoch(rows, recipe.batch_size, recipe.drop_last)


# ---- what follows from a recipe ------------------------------------------------------------------


def with_rate(recipe: Recipe, factor: Any) -> Recipe:
    """The recipe with its learning rate times a factor; as it is for None."""
    if factor is None:
        return recipe
    found = copy.copy(recipe)
    found._settle("learning_rate", recipe.learning_rate * factor)
    return found


def is_number(value: Any) -> bool:
    """Whether this leaf of a model is a number or an array."""
    numeric = float | int | np.generic | np.ndarray | jax.Array
    return isinstance(value, numeric) and not isinstance(value, bool)


def rule(recipe: Recipe) -> Rule:
    """The rule by which a recipe trains, which says what it wants of the data."""
    if optimizers.wants(recipe.optimizer) == GRADIENT:
        return Optax(transformation, recipe)
    factory, numbers = optimizers.METHODS[recipe.optimizer]
    return factory(**numbers | dict(recipe.options))


def transformation(recipe: Recipe) -> optax.GradientTransformation:
    """The optax transformation of a recipe."""
    return optimizers.make(
        recipe.optimizer, recipe.learning_rate, recipe.options, recipe.schedule, recipe.steps
    )
