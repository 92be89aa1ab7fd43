"""Rules that end a training by a quantity that they look at now and then.

A rule is given to a recipe: `Recipe(stop=stops.Patience(patience=5))`. It looks at its quantity at
the end of each epoch, or after every so many steps. Several rules in a tuple work side by side, and
the first that stops a network decides. Each network is judged by itself. A network that is stopped
keeps its parameters for the rest of the steps, so that all later records are those of the stopped
network. A result says when and why each training was stopped (`stopped_at` and `stop_reason`).

The numbers of a rule (`min_delta`, `tol`, `value`, ...) can be swept; counts and names are
structure.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import jax.numpy as jnp
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike

from approx.tasks import STATIC
from approx.tasks.data import check_number
from approx.training.rates import AdaptiveRate, ReduceRate
from approx.training.watching import (
    QUANTITIES,
    REASONS,
    Look,
    Verdict,
    Waiting,
    Watcher,
    check_whole,
    lacking,
    zero,
)

__all__ = [
    "QUANTITIES",
    "REASONS",
    "AdaptiveRate",
    "Below",
    "Change",
    "Failures",
    "GradientNorm",
    "Improvements",
    "Patience",
    "ReduceRate",
    "Stop",
    "Tolerance",
]


class Stop(Watcher):
    """A rule that ends a training."""


@register_dataclass
@dataclass(frozen=True, kw_only=True, repr=False)
class Patience(Stop):
    """Stop after `patience` looks in a row without an improvement, as Keras' EarlyStopping.

    A look improves if its value is better than the best by more than `min_delta`. The training ends
    at the first look without improvement that is at least the `patience`-th in a row, but never at
    the first look of all. Source: keras 3.15.1, `callbacks/early_stopping.py`.

    Attributes:
        of: the quantity, see `QUANTITIES`; Keras' val_loss is "validation_loss", its loss is
            "epoch_loss".
        patience: looks without improvement.
        min_delta: the least improvement that counts, in units of the quantity.
        relative: whether `min_delta` is a share of the best value instead.
        restore_best: whether the network gets the parameters of its best look when it is stopped,
            and at the end of the steps if it is not, as in Keras 3.
        start_from: how many looks are passed over first.
        baseline: the count of looks begins anew only if the value is better than this too; None for
            no such value.
        every: "epoch", or a number of steps.

    Example:
        `Recipe(epochs=500, batch_size=32, stop=ap.stops.Patience(patience=10, restore_best=True))`
    """

    of: str = field(default="validation_loss", metadata=STATIC)
    patience: int = field(default=0, metadata=STATIC)
    min_delta: ArrayLike = 0.0
    relative: bool = field(default=False, metadata=STATIC)
    restore_best: bool = field(default=False, metadata=STATIC)
    start_from: int = field(default=0, metadata=STATIC)
    baseline: ArrayLike | None = None
    every: str | int = field(default="epoch", metadata=STATIC)
    reason = REASONS.index("patience")

    def __post_init__(self):
        self.check_common()
        check_whole("patience", self.patience)
        check_whole("start_from", self.start_from)
        check_number("min_delta", self.min_delta, low=0)
        check_number("baseline", self.baseline)

    def start(self, dtype: str) -> Waiting:
        """No look was made."""
        return Waiting(zero(dtype) + self.worst, zero(), zero())

    def judge(self, memory: Waiting, look: Look) -> Verdict:
        """See the class."""
        first = memory.looks == self.start_from
        early = memory.looks < self.start_from
        margin = self.min_delta
        if self.relative:
            margin = self.min_delta * jnp.abs(memory.best)
        better = (first | self.exceeds(look.value, memory.best, margin)) & ~early
        best = jnp.where(better, look.value, memory.best)
        begins_anew = better
        if self.baseline is not None:
            own_margin = self.min_delta
            if self.relative:
                own_margin = self.min_delta * jnp.abs(self.baseline)
            begins_anew = better & self.exceeds(look.value, self.baseline, own_margin)
        wait = jnp.where(begins_anew, 0, memory.wait + 1)
        wait = jnp.where(early, 0, wait)
        used_up = (wait >= self.patience) & (memory.looks > 0)
        stops = used_up & ~better & ~early
        return Verdict(Waiting(best, wait, memory.looks + 1), stops, better)


@register_dataclass
@dataclass(frozen=True, kw_only=True, repr=False)
class Tolerance(Stop):
    """Stop after more than `patience` epochs in a row that lack `tol`, as scikit-learn does.

    An epoch lacks if its value is not better than the best before it by `tol` at least. So a loss
    that never changes ends the training at epoch `patience` + 2. Source: scikit-learn 1.9.1,
    `MLPClassifier.tol` and `n_iter_no_change`; with `early_stopping=True` it looks at
    "validation_accuracy" or "validation_r2" and restores the best.

    Attributes:
        of: the quantity, see `QUANTITIES`; scikit-learn's `loss_` is "epoch_loss".
        tol: the least improvement that counts, in units of the quantity.
        patience: epochs without it that are borne, scikit-learn's `n_iter_no_change`.
        restore_best: whether the network gets the parameters of its best look in the end.
        every: "epoch", or a number of steps.

    Example:
        `Recipe(epochs=200, batch_size=200, stop=ap.stops.Tolerance())`
    """

    of: str = field(default="epoch_loss", metadata=STATIC)
    tol: ArrayLike = 1e-4
    patience: int = field(default=10, metadata=STATIC)
    restore_best: bool = field(default=False, metadata=STATIC)
    every: str | int = field(default="epoch", metadata=STATIC)
    reason = REASONS.index("tolerance")

    def __post_init__(self):
        self.check_common()
        check_number("tol", self.tol, low=0)
        check_whole("patience", self.patience, 1)

    def start(self, dtype: str) -> Waiting:
        """No look was made."""
        return Waiting(zero(dtype) + self.worst, zero(), zero())

    def judge(self, memory: Waiting, look: Look) -> Verdict:
        """See the class."""
        memory, better = lacking(self, memory, look.value, self.tol)
        return Verdict(memory, memory.wait > self.patience, better)


class Failed(NamedTuple):
    """The best value, the last one, and how often the value was above the best since then."""

    best: Array
    last: Array
    failures: Array


@register_dataclass
@dataclass(frozen=True, kw_only=True, repr=False)
class Failures(Stop):
    """Stop when the validation loss has been above its best `max_fail` times, as MATLAB does.

    The count begins anew when the loss falls below its best. The network gets the parameters of its
    best look, when it is stopped and at the end of the steps. A look that finds the same value as
    the look before is no failure: a method such as "lm" refuses many of its trials, and the network
    is the same after these. Source: MathWorks' documentation of `trainlm` (`max_fail`, "validation
    checks"); this rule was not held against MATLAB itself.

    Attributes:
        of: the quantity, see `QUANTITIES`.
        max_fail: failures that end the training.
        restore_best: whether the network gets the parameters of its best look.
        every: "epoch", or a number of steps.

    Example:
        `Recipe(optimizer="lm", steps=1000, stop=ap.stops.Failures(max_fail=6))`
    """

    of: str = field(default="validation_loss", metadata=STATIC)
    max_fail: int = field(default=6, metadata=STATIC)
    restore_best: bool = field(default=True, metadata=STATIC)
    every: str | int = field(default="epoch", metadata=STATIC)
    reason = REASONS.index("failures")

    def __post_init__(self):
        self.check_common()
        check_whole("max_fail", self.max_fail, 1)

    def start(self, dtype: str) -> Failed:
        """No look was made."""
        return Failed(zero(dtype) + self.worst, zero(dtype) + self.worst, zero())

    def judge(self, memory: Failed, look: Look) -> Verdict:
        """See the class."""
        better = self.exceeds(look.value, memory.best)
        as_good = look.value == memory.best
        same = look.value == memory.last
        fails = ~(better | as_good | same)
        failures = memory.failures + fails
        failures = jnp.where(better, 0, failures)
        best = jnp.where(better, look.value, memory.best)
        stops = failures >= self.max_fail
        return Verdict(Failed(best, look.value, failures), stops, better)


class Successes(NamedTuple):
    """The best value, and how often it became better since the first look."""

    best: Array
    made: Array
    looks: Array


@register_dataclass
@dataclass(frozen=True, kw_only=True, repr=False)
class Improvements(Stop):
    """Stop when a quantity has become better `count` times.

    A method such as "lm" refuses many of its trials. Where a library counts only those that lower
    the loss (`k_max` of pyrenn, `epochs` of MATLAB's trainlm), this rule ends the training after as
    many.

    Attributes:
        count: how many improvements end the training.
        of: the quantity, see `QUANTITIES`.
        every: "epoch", or a number of steps.

    Example:
        `Recipe(optimizer="lm", steps=1000, stop=ap.stops.Improvements(count=100))`
    """

    count: int = field(metadata=STATIC)
    of: str = field(default="objective", metadata=STATIC)
    every: str | int = field(default="epoch", metadata=STATIC)
    reason = REASONS.index("improvements")

    def __post_init__(self):
        self.check_common()
        check_whole("count", self.count, 1)

    def start(self, dtype: str) -> Successes:
        """No look was made."""
        return Successes(zero(dtype) + self.worst, zero(), zero())

    def judge(self, memory: Successes, look: Look) -> Verdict:
        """See the class."""
        better = self.exceeds(look.value, memory.best)
        made = memory.made + (better & (memory.looks > 0))
        best = jnp.where(better, look.value, memory.best)
        return Verdict(Successes(best, made, memory.looks + 1), made >= self.count, better)


@register_dataclass
@dataclass(frozen=True, kw_only=True, repr=False)
class Below(Stop):
    """Stop when a quantity is at most `value`; an accuracy or R² when it is at least `value`.

    So stop R's nnet (`abstol`), FANN (`desired_error`), brain.js (`errorThresh`) and neurolab
    (`goal`), each for its own loss.

    Attributes:
        of: the quantity, see `QUANTITIES`.
        value: that is to be reached.
        every: "epoch", or a number of steps.

    Example:
        `Recipe(stop=ap.stops.Below(of="epoch_loss", value=0.005))`
    """

    value: ArrayLike
    of: str = field(default="loss", metadata=STATIC)
    every: str | int = field(default="epoch", metadata=STATIC)
    reason = REASONS.index("value reached")

    def __post_init__(self):
        self.check_common()
        check_number("value", self.value)

    def start(self, dtype: str) -> tuple[()]:
        """The rule remembers nothing."""
        del dtype
        return ()

    def judge(self, memory: tuple[()], look: Look) -> Verdict:
        """See the class."""
        if self.rises:
            reached = look.value >= self.value
        else:
            reached = look.value <= self.value
        return Verdict(memory, reached, reached)


@register_dataclass
@dataclass(frozen=True, kw_only=True, repr=False)
class GradientNorm(Stop):
    """Stop when the gradient on all training rows, with the penalty, is at most `below`.

    Attributes:
        below: bound of the gradient's size.
        norm: "euclidean" (MATLAB's `min_grad`) or "max", the largest component (SciPy's `gtol`,
            which is scikit-learn's `tol` with lbfgs).
        every: "epoch", or a number of steps.

    Example:
        `Recipe(stop=ap.stops.GradientNorm(below=1e-7))`
    """

    below: ArrayLike
    norm: str = field(default="euclidean", metadata=STATIC)
    every: str | int = field(default="epoch", metadata=STATIC)
    reason = REASONS.index("small gradient")

    def __post_init__(self):
        if self.norm not in ("euclidean", "max"):
            raise ValueError(f'norm is {self.norm!r}; there is: "euclidean", "max"')
        self.check_common()
        check_number("below", self.below, low=0)

    @property
    def of(self) -> str:
        """The quantity that the rule looks at."""
        return "gradient_norm" if self.norm == "euclidean" else "gradient_max"

    def start(self, dtype: str) -> tuple[()]:
        """The rule remembers nothing."""
        del dtype
        return ()

    def judge(self, memory: tuple[()], look: Look) -> Verdict:
        """See the class."""
        small = look.value <= self.below
        return Verdict(memory, small, small)


@register_dataclass
@dataclass(frozen=True, kw_only=True, repr=False)
class Change(Stop):
    """Stop when a quantity hardly differs from what it was one look before.

    With v the value and u the value before, the training ends if `|v - u| < absolute` (OpenCV's
    `TermCriteria` epsilon), or if `|v - u| <= relative (|u| + relative)` (`reltol` of R's nnet and
    of `optim`, in R's `vmmin`).

    Attributes:
        of: the quantity, see `QUANTITIES`.
        absolute: bound of the difference, in units of the quantity; None for no such bound.
        relative: bound of the difference as a share of the quantity; None for no such bound.
        every: "epoch", or a number of steps.

    Example:
        `Recipe(stop=ap.stops.Change(of="objective", relative=1e-8))`
    """

    of: str = field(default="loss", metadata=STATIC)
    absolute: ArrayLike | None = None
    relative: ArrayLike | None = None
    every: str | int = field(default="epoch", metadata=STATIC)
    reason = REASONS.index("small change")

    def __post_init__(self):
        self.check_common()
        check_number("absolute", self.absolute, low=0)
        check_number("relative", self.relative, low=0)

    def check_complete(self) -> None:
        """Refuse a rule without a bound.

        Raises:
            ValueError: neither an absolute nor a relative bound.
        """
        if self.absolute is None and self.relative is None:
            raise ValueError("stops.Change needs absolute= or relative=; both are None")

    def start(self, dtype: str) -> Array:
        """There was no look: no difference from nan is small."""
        return zero(dtype) + jnp.nan

    def judge(self, memory: Array, look: Look) -> Verdict:
        """See the class."""
        difference = jnp.abs(look.value - memory)
        small = jnp.zeros_like(difference, bool)
        if self.absolute is not None:
            small = small | (difference < self.absolute)
        if self.relative is not None:
            allowed = self.relative * (jnp.abs(memory) + self.relative)
            small = small | (difference <= allowed)
        return Verdict(look.value, small, small)
