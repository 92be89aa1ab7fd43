"""Rules that lower the learning rate when a quantity no longer improves.

They look at a training as the rules of `stops` do, and are given to a recipe as `plateau=`.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import jax.numpy as jnp
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike

from approx.tasks import STATIC
from approx.tasks.data import check_number
from approx.training.watching import (
    REASONS,
    Look,
    Verdict,
    Waiting,
    Watcher,
    check_whole,
    lacking,
    zero,
)


class Slow(Watcher):
    """A rule that lowers the learning rate."""


class Reducing(NamedTuple):
    """The best value, looks since an improvement, and looks that are still to be passed over."""

    best: Array
    wait: Array
    cooldown: Array


@register_dataclass
@dataclass(frozen=True, kw_only=True, repr=False)
class ReduceRate(Slow):
    """Multiply the learning rate by `factor` when a quantity no longer improves.

    Keras and PyTorch differ, and `convention` says whose rule it is. Keras' ReduceLROnPlateau
    reduces at the `patience`-th look in a row that does not improve, PyTorch's at the one after.
    The look at which a pause (`cooldown`) ends counts in Keras and not in PyTorch. PyTorch leaves a
    rate as it is that would fall by 1e-8 or less. Sources: keras 3.15.1,
    `callbacks/reduce_lr_on_plateau.py`; torch 2.13.0, `optim/lr_scheduler.py`.

    Attributes:
        of: the quantity, see `QUANTITIES`.
        factor: on the learning rate, above 0 and below 1. Both frameworks have .1.
        patience: looks without improvement. Both have 10.
        min_delta: the least improvement that counts, in units of the quantity. Both have 1e-4.
        relative: whether `min_delta` is a share of the best value (PyTorch's default).
        cooldown: looks after a reduction at which none is counted.
        min_rate: the learning rate is never reduced below this.
        convention: "keras" or "torch".
        every: "epoch", or a number of steps.

    Example:
        `Recipe(plateau=ap.stops.ReduceRate(of="epoch_loss", patience=5))`
    """

    of: str = field(default="validation_loss", metadata=STATIC)
    factor: ArrayLike = 0.1
    patience: int = field(default=10, metadata=STATIC)
    min_delta: ArrayLike = 1e-4
    relative: bool = field(default=False, metadata=STATIC)
    cooldown: int = field(default=0, metadata=STATIC)
    min_rate: ArrayLike = 0.0
    convention: str = field(default="keras", metadata=STATIC)
    every: str | int = field(default="epoch", metadata=STATIC)
    reason = REASONS.index("not stopped")

    def __post_init__(self):
        self.check_common()
        if self.convention not in ("keras", "torch"):
            raise ValueError(f'convention is {self.convention!r}; there is: "keras", "torch"')
        check_number("factor", self.factor, 0, 1, below=True)
        check_whole("patience", self.patience)
        check_number("min_delta", self.min_delta, low=0)
        check_whole("cooldown", self.cooldown)
        check_number("min_rate", self.min_rate, low=0)

    def start(self, dtype: str) -> Reducing:
        """No look was made."""
        return Reducing(zero(dtype) + self.worst, zero(), zero())

    def judge(self, memory: Reducing, look: Look) -> Verdict:
        """See the class."""
        margin = self.min_delta
        if self.relative:
            # The best value may be infinite, before the first look
            size = jnp.where(jnp.isfinite(memory.best), memory.best, 0)
            margin = self.min_delta * size
        better = self.exceeds(look.value, memory.best, margin)
        best = jnp.where(better, look.value, memory.best)
        pausing = memory.cooldown > 0
        cooldown = jnp.where(pausing, memory.cooldown - 1, 0)
        if self.convention == "keras":
            before = jnp.where(pausing, 0, memory.wait)
            counts = cooldown == 0
            wait = jnp.where(better, 0, before + counts)
            due = ~better & counts & (wait >= self.patience)
        else:
            wait = jnp.where(better | pausing, 0, memory.wait + 1)
            due = wait > self.patience
        lower = jnp.maximum(look.rate * self.factor, self.min_rate)
        if self.convention == "keras":
            due = due & (look.rate > self.min_rate)
            reduces = due
        else:
            reduces = due & (look.rate - lower > 1e-8)
        factor = jnp.where(reduces, look.factor * (lower / look.rate), look.factor)
        wait = jnp.where(due, 0, wait)
        cooldown = jnp.where(due, self.cooldown, cooldown)
        never = jnp.zeros_like(better)
        return Verdict(Reducing(best, wait, cooldown), never, better, factor)


@register_dataclass
@dataclass(frozen=True, kw_only=True, repr=False)
class AdaptiveRate(Slow):
    """Divide the learning rate by `divisor` after epochs that lack `tol`, as scikit-learn does.

    It counts epochs as `Tolerance` does. After more than `patience` of them the rate is divided and
    the count begins anew; where the rate is at most `least` by then, the training ends. Source:
    scikit-learn 1.9.1, `learning_rate="adaptive"` of `MLPClassifier`, whose documentation speaks of
    two epochs while the code takes `n_iter_no_change`.

    Attributes:
        of: the quantity, see `QUANTITIES`.
        tol: the least improvement that counts, in units of the quantity.
        patience: epochs without it that are borne.
        divisor: of the learning rate.
        least: the rate at which the training ends instead.
        every: "epoch", or a number of steps.

    Example:
        `Recipe(optimizer="nesterov", epochs=200, plateau=ap.stops.AdaptiveRate())`
    """

    of: str = field(default="epoch_loss", metadata=STATIC)
    tol: ArrayLike = 1e-4
    patience: int = field(default=10, metadata=STATIC)
    divisor: ArrayLike = 5.0
    least: ArrayLike = 1e-6
    every: str | int = field(default="epoch", metadata=STATIC)
    reason = REASONS.index("least rate")

    def __post_init__(self):
        self.check_common()
        check_number("tol", self.tol, low=0)
        check_whole("patience", self.patience, 1)
        check_number("divisor", self.divisor, low=1)
        check_number("least", self.least, low=0)

    def start(self, dtype: str) -> Waiting:
        """No look was made."""
        return Waiting(zero(dtype) + self.worst, zero(), zero())

    def judge(self, memory: Waiting, look: Look) -> Verdict:
        """See the class."""
        memory, better = lacking(self, memory, look.value, self.tol)
        due = memory.wait > self.patience
        stops = due & (look.rate <= self.least)
        factor = jnp.where(due & ~stops, look.factor / self.divisor, look.factor)
        memory = memory._replace(wait=jnp.where(due & ~stops, 0, memory.wait))
        return Verdict(memory, stops, better, factor)
