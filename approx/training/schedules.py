"""Schedules of the learning rate with the frameworks' parameters: step -> factor on the rate.

Each is a function of the number of steps made, for `Recipe(schedule=...)`; the learning rate of a
recipe is what the factor multiplies. Two schedules with equal numbers are equal, so that recipes
share one program. Rates that a framework gives in absolute terms (Keras' `end_learning_rate`,
PyTorch's `eta_min`) are given here as shares of the learning rate.

PyTorch's schedulers count how often they were told, mostly once an epoch: with
`steps_per_epoch=...` a schedule counts whole epochs.

Example:
    `Recipe(learning_rate=0.1, schedule=schedules.Step(every=30, factor=0.1, steps_per_epoch=8))`
"""

from dataclasses import dataclass, fields
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

__all__ = [
    "Constant",
    "Cosine",
    "CosineAnnealing",
    "CosineRestarts",
    "Exponential",
    "InverseScaling",
    "InverseTime",
    "Linear",
    "MultiStep",
    "OneCycle",
    "Piecewise",
    "Polynomial",
    "Schedule",
    "Step",
]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A factor on the learning rate, as a function of the steps made.

    Attributes:
        steps_per_epoch: how many steps count as one; 1 counts steps.
    """

    steps_per_epoch: int = 1

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in COUNTS and not is_count(value, COUNTS[field.name]):
                raise ValueError(
                    f"{type(self).__name__}: {field.name} is {value!r}; it must be a whole number "
                    f"of at least {COUNTS[field.name]}"
                )
            if isinstance(value, list):
                object.__setattr__(self, field.name, tuple(value))

    def __call__(self, step: Any) -> Array:
        """The factor after so many steps."""
        return self.at(jnp.asarray(step // self.steps_per_epoch, float))

    def at(self, t: Array) -> Array:
        """The factor after t steps or epochs."""
        raise NotImplementedError(f"{type(self).__name__} has no formula")


# Fields that are whole numbers, and the least that they may be
COUNTS = {"steps_per_epoch": 1, "steps": 1, "every": 1, "warmup": 0, "rows": 1}


def is_count(value: Any, least: int) -> bool:
    """Whether this is a whole number of at least `least`."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and value >= least


def fraction(t: Array, steps: int, staircase: bool) -> Array:
    """`t / steps`, or the whole number below it."""
    return jnp.floor(t / steps) if staircase else t / steps


def half_cosine(share: Array) -> Array:
    """`(1 + cos(π share)) / 2`: from 1 at 0 to 0 at 1."""
    return 0.5 * (1 + jnp.cos(jnp.pi * share))


@dataclass(frozen=True, kw_only=True)
class Exponential(Schedule):
    """`factor^(t / steps)`: Keras' ExponentialDecay, and PyTorch's ExponentialLR with steps=1.

    With `staircase` the exponent is rounded down.
    """

    factor: float
    steps: int = 1
    staircase: bool = False

    def at(self, t: Array) -> Array:
        """The factor after t steps or epochs."""
        return self.factor ** fraction(t, self.steps, self.staircase)


@dataclass(frozen=True, kw_only=True)
class InverseTime(Schedule):
    """`1 / (1 + decay t / steps)`: Keras' InverseTimeDecay."""

    decay: float
    steps: int = 1
    staircase: bool = False

    def at(self, t: Array) -> Array:
        """The factor after t steps or epochs."""
        return 1 / (1 + self.decay * fraction(t, self.steps, self.staircase))


@dataclass(frozen=True, kw_only=True)
class InverseScaling(Schedule):
    """`(rows e + 1)^-power` in epoch e from 0 on: scikit-learn's learning_rate="invscaling".

    Attributes:
        rows: of the training set, which scikit-learn counts.
        power: its `power_t`.
    """

    rows: int
    power: float = 0.5

    def at(self, t: Array) -> Array:
        """The factor in epoch t."""
        return (t * self.rows + 1) ** -self.power


@dataclass(frozen=True, kw_only=True)
class Polynomial(Schedule):
    """`(1 - end) (1 - t / steps)^power + end`: Keras' PolynomialDecay, PyTorch's PolynomialLR.

    After `steps` it stays at the end. With `cycle` it begins anew instead, with a decay that takes
    once, twice, three times as many steps, as t needs.
    """

    steps: int
    end: float = 0.0
    power: float = 1.0
    cycle: bool = False

    def at(self, t: Array) -> Array:
        """The factor after t steps or epochs."""
        share = t / self.steps
        if self.cycle:
            share = share / jnp.maximum(1, jnp.ceil(share))
        share = jnp.minimum(share, 1)
        return (1 - self.end) * (1 - share) ** self.power + self.end


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """From `peak` down to `end * peak` along half a cosine: Keras' CosineDecay (`end`: alpha).

    Before that, the factor rises from `first` to `peak` in `warmup` steps along a line.
    """

    steps: int
    end: float = 0.0
    warmup: int = 0
    first: float = 0.0
    peak: float = 1.0

    def at(self, t: Array) -> Array:
        """The factor after t steps or epochs."""
        share = jnp.clip((t - self.warmup) / self.steps, 0, 1)
        falling = self.peak * ((1 - self.end) * half_cosine(share) + self.end)
        if not self.warmup:
            return falling
        rising = self.first + (self.peak - self.first) * t / self.warmup
        return jnp.where(t < self.warmup, rising, falling)


@dataclass(frozen=True, kw_only=True)
class CosineAnnealing(Schedule):
    """`end + (1 - end) (1 + cos(π t / steps)) / 2`: PyTorch's CosineAnnealingLR (`steps`: T_max).

    After `steps` it rises again.
    """

    steps: int
    end: float = 0.0

    def at(self, t: Array) -> Array:
        """The factor after t steps or epochs."""
        return self.end + (1 - self.end) * half_cosine(t / self.steps)


@dataclass(frozen=True, kw_only=True)
class CosineRestarts(Schedule):
    """Half cosines one after the other (Loshchilov and Hutter 2017).

    It is Keras' CosineDecayRestarts and PyTorch's CosineAnnealingWarmRestarts.

    Attributes:
        steps: of the first half cosine.
        longer: each takes so many times the steps of the one before.
        lower: each begins at this share of the beginning of the one before.
        end: the lowest factor.
    """

    steps: int
    longer: float = 1.0
    lower: float = 1.0
    end: float = 0.0

    def at(self, t: Array) -> Array:
        """The factor after t steps or epochs."""
        share = t / self.steps
        if self.longer == 1:
            round_ = jnp.floor(share)
            share = share - round_
        else:
            # The first n rounds take (longer^n - 1) / (longer - 1) times the first one. The small
            # number keeps a round that begins now from being rounded down to the one before.
            grown = jnp.log1p(share * (self.longer - 1)) / np.log(self.longer)
            round_ = jnp.floor(grown + 1e-5)
            length = self.longer**round_
            share = (share - (length - 1) / (self.longer - 1)) / length
        height = self.lower**round_
        return (1 - self.end) * height * half_cosine(share) + self.end


@dataclass(frozen=True, kw_only=True)
class Piecewise(Schedule):
    """Constant pieces: Keras' PiecewiseConstantDecay.

    Attributes:
        after: the last step of each piece but the last one, increasing.
        factors: one for each piece, one more than `after` has numbers.
    """

    after: tuple[int, ...]
    factors: tuple[float, ...]

    def __post_init__(self):
        super().__post_init__()
        if len(self.factors) != len(self.after) + 1:
            raise ValueError(
                f"Piecewise has {len(self.after)} numbers in after, {len(self.factors)} factors; "
                "there must be one factor more"
            )

    def at(self, t: Array) -> Array:
        """The factor after t steps or epochs."""
        found = jnp.asarray(self.factors[0], t.dtype)
        for last, factor in zip(self.after, self.factors[1:], strict=True):
            found = jnp.where(t > last, factor, found)
        return found


@dataclass(frozen=True, kw_only=True)
class Step(Schedule):
    """`factor^floor(t / every)`: PyTorch's StepLR."""

    every: int
    factor: float = 0.1

    def at(self, t: Array) -> Array:
        """The factor after t steps or epochs."""
        return self.factor ** jnp.floor(t / self.every)


@dataclass(frozen=True, kw_only=True)
class MultiStep(Schedule):
    """`factor` to the number of milestones that are reached: PyTorch's MultiStepLR."""

    after: tuple[int, ...]
    factor: float = 0.1

    def at(self, t: Array) -> Array:
        """The factor after t steps or epochs."""
        reached = jnp.zeros_like(t)
        for milestone in self.after:
            reached = reached + (t >= milestone)
        return self.factor**reached


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """`factor` for so many steps, then 1: PyTorch's ConstantLR."""

    factor: float = 1 / 3
    steps: int = 5

    def at(self, t: Array) -> Array:
        """The factor after t steps or epochs."""
        return jnp.where(t < self.steps, self.factor, 1.0)


@dataclass(frozen=True, kw_only=True)
class Linear(Schedule):
    """From `start` to `end` along a line, and there it stays: PyTorch's LinearLR."""

    start: float = 1 / 3
    end: float = 1.0
    steps: int = 5

    def at(self, t: Array) -> Array:
        """The factor after t steps or epochs."""
        share = jnp.minimum(t / self.steps, 1)
        return self.start + (self.end - self.start) * share


@dataclass(frozen=True, kw_only=True)
class OneCycle(Schedule):
    """Up and down again (Smith and Topin 2018): PyTorch's OneCycleLR, whose `max_lr` is the rate.

    PyTorch also moves the momentum, unless `cycle_momentum=False`; this does not.

    Attributes:
        steps: of the whole cycle (`total_steps`).
        rise: share of the steps that go up (`pct_start`).
        first: the factor at the beginning (`1 / div_factor`).
        last: the factor at the end (`1 / div_factor / final_div_factor`).
        anneal: "cosine" or "linear".
        three_phase: whether the way down is as long as the way up and ends at `first`, with a third
            phase from there to `last`.
    """

    steps: int
    rise: float = 0.3
    first: float = 1 / 25
    last: float = 1 / 25 / 1e4
    anneal: str = "cosine"
    three_phase: bool = False

    def __post_init__(self):
        super().__post_init__()
        if self.anneal not in ("cosine", "linear"):
            raise ValueError(f"unknown anneal {self.anneal!r}; there is: cosine, linear")

    def at(self, t: Array) -> Array:
        """The factor after t steps or epochs."""
        top, end = self.rise * self.steps - 1, self.steps - 1
        phases = [(0.0, top, self.first, 1.0), (top, end, 1.0, self.last)]
        if self.three_phase:
            bottom = 2 * top
            phases[1:] = [(top, bottom, 1.0, self.first), (bottom, end, self.first, self.last)]
        found = jnp.asarray(self.first, t.dtype)
        for begin, until, low, high in phases:
            share = jnp.clip((t - begin) / (until - begin), 0, 1)
            if self.anneal == "cosine":
                share = 1 - half_cosine(share)
            found = jnp.where(t >= begin, low + (high - low) * share, found)
        return found
