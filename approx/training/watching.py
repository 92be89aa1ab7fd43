"""What the rules have in common that look at a training now and then; see `stops` and `rates`.

All formulas are written for one network, and take numbers for many networks as well.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, PyTree

from approx.tasks.reprs import described
from approx.tasks.values import meant
from approx.training.recorded_steps import is_whole

# What a rule can look at, and where the quantity is found. Those of RISING rise as a network gets
# better.
QUANTITIES = {
    "loss": "the loss on all training rows, as the network stands",
    "objective": "the loss on all training rows with the penalty, as the network stands",
    "accuracy": "the share of the training rows that are correct, as the network stands",
    "validation_loss": "the loss on the validation rows",
    "validation_accuracy": "the share of the validation rows that are correct",
    "validation_r2": "R² on the validation rows, 1 - Σ (f(x) - y)² / Σ (y - mean y)²",
    "epoch_loss": "the mean over the rows of an epoch of the loss before each update",
    "epoch_accuracy": "the share of the rows of an epoch that were correct before each update",
    "gradient_norm": "the Euclidean norm of the gradient on all training rows, with the penalty",
    "gradient_max": "the largest component of that gradient, without its sign",
}
RISING = ("accuracy", "validation_accuracy", "validation_r2", "epoch_accuracy")
OF_EPOCHS = ("epoch_loss", "epoch_accuracy")
OF_VALIDATION = ("validation_loss", "validation_accuracy", "validation_r2")
OF_CORRECT = ("accuracy", "validation_accuracy", "epoch_accuracy")

# Why a training was stopped, by the code that a result has as `stop_reason`.
REASONS = (
    "not stopped",
    "patience",
    "tolerance",
    "failures",
    "value reached",
    "small gradient",
    "small change",
    "least rate",
    "improvements",
)


class Verdict(NamedTuple):
    """What a rule makes of one look at its quantity.

    Attributes:
        memory: what the rule remembers until it looks again.
        stops: whether the training ends here.
        better: whether the network is the best one so far.
        factor: on the learning rate of the recipe, from here on; None if the rule leaves it.
    """

    memory: Any
    stops: Array
    better: Array
    factor: Array | None = None


class Look(NamedTuple):
    """What a rule is shown.

    Attributes:
        value: of the quantity that it looks at.
        rate: the learning rate as it is now, without a schedule; None where there is none.
        factor: the factor on the recipe's learning rate as it is now.
    """

    value: Array
    rate: Any = None
    factor: Any = 1.0


class Best(NamedTuple):
    """The parameters of the best look of a rule, and whether there was any look."""

    params: PyTree
    known: Array


class Stopping(NamedTuple):
    """What a training carries on behalf of its rules. All fields are of one network.

    Attributes:
        running: whether no rule has stopped the network.
        stopped_at: the step after which it was stopped; 0 while it runs.
        reason: which kind of rule stopped it, see `REASONS`.
        loss_sum: sum of the losses of the rows seen in this epoch.
        correct_sum: how many of these rows were correct.
        row_sum: how many rows these are.
        memories: what each rule remembers.
        bests: for each rule, the best parameters, or None if it does not restore any.
        factor: on the learning rate; None if no rule changes it.
    """

    running: Array
    stopped_at: Array
    reason: Array
    loss_sum: Array
    correct_sum: Array
    row_sum: Array
    memories: tuple[Any, ...]
    bests: tuple[Best | None, ...]
    factor: Array | None


class Watcher:
    """What all rules have in common: when they look, and at what."""

    every: str | int
    restore_best: bool = False

    @property
    def of(self) -> str:
        """The quantity that the rule looks at, of `QUANTITIES`; a field of most rules."""
        raise NotImplementedError

    @property
    def rises(self) -> bool:
        """Whether the quantity rises as a network gets better."""
        return self.of in RISING

    @property
    def worst(self) -> float:
        """A value that every other one is better than."""
        return -jnp.inf if self.rises else jnp.inf

    def exceeds(self, value: Array, reference: ArrayLike, margin: ArrayLike = 0.0) -> Array:
        """Whether a value is better than a reference by more than a margin."""
        if self.rises:
            return value - margin > reference
        return value + margin < reference

    def start(self, dtype: str) -> Any:
        """What the rule remembers before it has looked; of one network."""
        raise NotImplementedError

    def judge(self, memory: Any, look: Look) -> Verdict:
        """What the rule makes of a look."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """The rule as one would write it in code."""
        return described(self)

    def check_complete(self) -> None:
        """Refuse a rule without which nothing would change; most rules are complete as they are."""

    def check_common(self) -> None:
        """Refuse a quantity that there is not, and times at which a rule cannot look."""
        check_quantity(self.of)
        check_every(self.every, self.of)


def check_quantity(of: Any) -> None:
    """Refuse a quantity that no rule can look at.

    Raises:
        ValueError: with all that there are.
    """
    if of not in QUANTITIES:
        known = ", ".join(QUANTITIES)
        raise ValueError(f"a rule looks at {of!r}; there is: {known}{meant(of, QUANTITIES)}")


def check_every(every: Any, of: str) -> None:
    """Refuse times at which a rule cannot look.

    Raises:
        ValueError: neither "epoch" nor a number of steps, or steps for a mean over an epoch.
    """
    if every != "epoch" and not (is_whole(every) and every >= 1):
        raise ValueError(f'every is {every!r}; it must be "epoch" or a number of steps, at least 1')
    if of in OF_EPOCHS and every != "epoch":
        raise ValueError(f'{of!r} is a mean over an epoch; it needs every="epoch", not {every!r}')


def check_whole(name: str, value: Any, least: int = 0) -> None:
    """Refuse what is no whole number of at least `least`.

    Raises:
        ValueError: with the value.
    """
    if not (is_whole(value) and value >= least):
        raise ValueError(f"{name} is {value!r}; it must be a whole number of at least {least}")


def zero(dtype: Any = jnp.int32) -> Array:
    """A number 0 of one network."""
    return jnp.zeros((), dtype)


# ---- looks without an improvement ----------------------------------------------------------------


class Waiting(NamedTuple):
    """A rule that waits for improvements: the best value, and how long ago that was.

    Attributes:
        best: the best value so far.
        wait: looks since an improvement.
        looks: that were made.
    """

    best: Array
    wait: Array
    looks: Array


def lacking(rule: Watcher, memory: Waiting, value: Array, tol: ArrayLike) -> tuple[Waiting, Array]:
    """scikit-learn's count of epochs without an improvement of `tol`, and whether one is better.

    An epoch counts if `value > best - tol` (`value < best + tol` for a score), where `best` is the
    best value of all epochs before, whether it counted or not. A value that is not a number does
    not count.
    """
    if rule.rises:
        lacks = value < memory.best + tol
    else:
        lacks = value > memory.best - tol
    better = rule.exceeds(value, memory.best)
    best = jnp.where(better, value, memory.best)
    wait = jnp.where(lacks, memory.wait + 1, 0)
    return Waiting(best, wait, memory.looks + 1), better


# ---- the rules of a recipe -----------------------------------------------------------------------


def as_rules(name: str, given: Any, kind: Any) -> tuple[Any, ...] | None:
    """The rules that a recipe is given, as a tuple; None for none.

    Args:
        name: of the recipe's field.
        given: None, a rule, or several.
        kind: `stops.Stop` or `rates.Slow`.

    Raises:
        TypeError: something that is no such rule.
        ValueError: a rule without a bound.
    """
    if given is None:
        return None
    rules: tuple[Any, ...] = tuple(given) if isinstance(given, Sequence) else (given,)
    for rule in rules:
        if not isinstance(rule, kind):
            known = ", ".join(f"stops.{each.__name__}" for each in kind.__subclasses__())
            raise TypeError(
                f"{name} has {rule!r}; it must be one of {known}, or several in a tuple"
            )
        rule.check_complete()
    return rules or None
