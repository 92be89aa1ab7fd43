"""Functions of one variable. All take the options of `Curve`: `inputs`, `noise`, `reach`, ..."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array

from approx.tasks.arguments import spelled
from approx.tasks.catalogue.entries import check_count, entered, vector
from approx.tasks.curves import Curve
from approx.tasks.data import STATIC, check_number


@spelled
@register_dataclass
@dataclass(frozen=True, kw_only=True)
class Bounded(Curve):
    """A `Curve` of a function that is defined on one side of a number only.

    Attributes:
        least: the smallest x at which the function is defined.
        open: whether it is not defined at that number itself.

    Raises:
        ValueError: training rows or test points beyond that number.
    """

    least: float = field(default=0.0, metadata=STATIC)
    open: bool = field(default=False, metadata=STATIC)
    reach: float = field(default=1.0, metadata=STATIC)

    def __post_init__(self):
        super().__post_init__()
        center: Any = 0.0 if self.center is None else self.center
        if not all(isinstance(each, float | int | np.number) for each in (center, self.range)):
            return  # JAX traces them; their values were looked at before
        lowest = float(center) - self.reach * float(self.range)
        # As (low, high) is kept as center and half-width, its ends are rounded
        slack = 1e-12 * float(self.range)
        above = lowest > self.least + slack if self.open else lowest >= self.least - slack
        if not above:
            wanted = "above" if self.open else "at least"
            raise ValueError(
                f"the points begin at x = {lowest:g} (range and reach={self.reach:g}), and the "
                f"function needs x {wanted} {self.least:g}; take range=(low, high) and a reach "
                "that keep to that"
            )

    def place(self, x: Array) -> Array:
        """Inputs around the center, none of them below the least x by rounding."""
        placed = super().place(x)
        return placed if self.open else jnp.maximum(placed, self.least)


# ---- corners and jumps ---------------------------------------------------------------------------


def heaviside(x: Array) -> Array:
    """1 above 0, and 0 elsewhere."""
    return (x > 0).astype(x.dtype)


@entered("1 for x > 0, else 0", "21 points of [-1, 1]", "Heaviside's step")
def step(*, range: Any = 1.0, size: int = 21, **options: Any) -> Curve:
    """1 where x > 0 and 0 elsewhere, on [-range, range].

    Args:
        range: half-width of the interval, or a pair (low, high).
        size: number of rows.
        options: of `Curve`.

    Example:
        `step(inputs="uniform", size=100)`
    """
    return Curve(f=heaviside, range=range, size=size, **options)


@entered("`|x|`", "21 points of [-1, 1]", "a common example of a corner")
def absolute(*, range: Any = 1.0, size: int = 21, **options: Any) -> Curve:
    """`|x|` on [-range, range].

    Args:
        range: half-width of the interval, or a pair (low, high).
        size: number of rows.
        options: of `Curve`.

    Example:
        `absolute(range=2.0)`
    """
    return Curve(f=jnp.abs, range=range, size=size, **options)


def saw(x: Array) -> Array:
    """`2 (x - floor(x)) - 1`."""
    return 2 * (x - jnp.floor(x)) - 1


@entered("`2 (x - floor(x)) - 1`", "256 points of [-2, 2]", "as scipy.signal.sawtooth, period 1")
def sawtooth(*, range: Any = 2.0, size: int = 256, **options: Any) -> Curve:
    """A line that rises from -1 to 1 in every period of length 1, and falls back at once.

    Args:
        range: half-width of the interval, or a pair (low, high).
        size: number of rows.
        options: of `Curve`; `frequency` is the number of periods in a unit of x.

    Example:
        `sawtooth(frequency=2.0)`
    """
    return Curve(f=saw, range=range, size=size, **options)


# ---- smooth functions ----------------------------------------------------------------------------


def witch(x: Array) -> Array:
    """`1 / (1 + 25 x²)`."""
    return 1 / (1 + 25 * x**2)


@entered("`1 / (1 + 25 x²)`", "21 points of [-1, 1]", "Runge 1901")
def runge(*, range: Any = 1.0, size: int = 21, **options: Any) -> Curve:
    """`1 / (1 + 25 x²)` on [-range, range], on which high polynomials swing (Runge 1901).

    Args:
        range: half-width of the interval, or a pair (low, high).
        size: number of rows.
        options: of `Curve`.

    Example:
        `runge(size=41)`
    """
    return Curve(f=witch, range=range, size=size, **options)


@entered("`1 / x`", "64 points of [0.1, 1]", "a common example of a pole")
def reciprocal(*, range: Any = (0.1, 1.0), size: int = 64, **options: Any) -> Bounded:
    """`1 / x` on an interval above 0.

    Args:
        range: the interval (low, high).
        size: number of rows.
        options: of `Curve`; `reach` is 1 by default.

    Raises:
        ValueError: rows or test points at 0 or below.

    Example:
        `reciprocal(range=(1, 2), reach=2.0)`, judged from 0.5 to 2.5
    """
    return Bounded(f=jnp.reciprocal, range=range, size=size, open=True, **options)


@entered("`√x`", "64 points of [0, 1]", "a common example of an infinite slope")
def sqrt(*, range: Any = (0.0, 1.0), size: int = 64, **options: Any) -> Bounded:
    """`√x` on an interval from 0 on.

    Args:
        range: the interval (low, high).
        size: number of rows.
        options: of `Curve`; `reach` is 1 by default.

    Raises:
        ValueError: rows or test points below 0.

    Example:
        `sqrt(range=(0, 4))`
    """
    return Bounded(f=jnp.sqrt, range=range, size=size, **options)


@entered("`e^x`", "64 points of [-1, 1]", "a common example of fast growth")
def exp(*, range: Any = 1.0, size: int = 64, **options: Any) -> Curve:
    """`e^x` on [-range, range].

    Args:
        range: half-width of the interval, or a pair (low, high).
        size: number of rows.
        options: of `Curve`.

    Example:
        `exp(range=2.0)`
    """
    return Curve(f=jnp.exp, range=range, size=size, **options)


@entered("`log x`", "64 points of [0.01, 1]", "stackoverflow.com/questions/41550966, on (0, 1)")
def log(*, range: Any = (0.01, 1.0), size: int = 64, **options: Any) -> Bounded:
    """`log x` on an interval above 0.

    Args:
        range: the interval (low, high).
        size: number of rows.
        options: of `Curve`; `reach` is 1 by default.

    Raises:
        ValueError: rows or test points at 0 or below.

    Example:
        `log(inputs="uniform")`
    """
    return Bounded(f=jnp.log, range=range, size=size, open=True, **options)


# ---- waves ---------------------------------------------------------------------------------------


def waves(x: Array, waves: tuple[tuple[float, float, float], ...]) -> Array:
    """`Σ a sin(2π k x + φ)` over waves (k, a, φ)."""
    total = jnp.zeros_like(x)
    for frequency, amplitude, phase in waves:
        total = total + amplitude * jnp.sin(2 * jnp.pi * frequency * x + phase)
    return total


@entered(
    "`Σ_k sin(2π k x + φ_k)`, k = 5, 10, ..., 50",
    "200 points of [0, 1]",
    "Rahaman et al. 2019, section 3 (spectral bias)",
)
def sum_of_sines(
    *,
    frequencies: Sequence = (5, 10, 15, 20, 25, 30, 35, 40, 45, 50),
    amplitudes: Any = 1.0,
    phases: Any = 0,
    range: Any = (0.0, 1.0),
    size: int = 200,
    **options: Any,
) -> Curve:
    """`Σ_k a_k sin(2π k x + φ_k)`, by default with the frequencies of Rahaman et al. 2019.

    Args:
        frequencies: k, in periods per unit of x.
        amplitudes: a_k, one for each frequency or one for all.
        phases: φ_k, one for each frequency; or one whole number, the seed of numpy's generator
            that draws them from `U(0, 2π)` as the paper does.
        range: half-width of the interval, or a pair (low, high).
        size: number of rows.
        options: of `Curve`; `reach` is 1 by default.

    Raises:
        TypeError: what are no numbers.
        ValueError: no frequency, another number of amplitudes or phases.

    Example:
        `sum_of_sines(frequencies=(1, 2, 4), phases=(0, 0, 0))`
    """
    count = len(frequencies) if isinstance(frequencies, Sequence | np.ndarray) else 1
    if not count:
        raise ValueError("frequencies is empty; give one number or more")
    if isinstance(phases, int | np.integer) and not isinstance(phases, bool):
        seed = check_count("phases", phases, least=0)
        phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, count)
    terms = zip(
        vector("frequencies", frequencies, count),
        vector("amplitudes", amplitudes, count),
        vector("phases", phases, count),
        strict=True,
    )
    options = {"reach": 1.0} | options
    return Curve(f=partial(waves, waves=tuple(terms)), range=range, size=size, **options)


def sweep(x: Array, low: float, high: float) -> Array:
    """`sin(2π (low x + (high - low) x² / 2))`."""
    return jnp.sin(2 * jnp.pi * (low * x + (high - low) * x**2 / 2))


@entered(
    "`sin(2π (a x + (b - a) x² / 2))`, from a = 1 to b = 10 periods per unit",
    "256 points of [0, 1]",
    "as scipy.signal.chirp, linear",
)
def chirp(
    *,
    low: Any = 1.0,
    high: Any = 10.0,
    range: Any = (0.0, 1.0),
    size: int = 256,
    **options: Any,
) -> Curve:
    """A sine whose frequency rises evenly from `low` at x = 0 to `high` at x = 1.

    Args:
        low: frequency at 0, in periods per unit of x.
        high: frequency at 1.
        range: half-width of the interval, or a pair (low, high).
        size: number of rows.
        options: of `Curve`; `reach` is 1 by default.

    Raises:
        TypeError: a frequency that is no number.

    Example:
        `chirp(high=20.0)`
    """
    for name, value in (("low", low), ("high", high)):
        check_number(name, value)
    options = {"reach": 1.0} | options
    f = partial(sweep, low=float(low), high=float(high))
    return Curve(f=f, range=range, size=size, **options)


def weierstrass_sum(x: Array, a: float, b: int, terms: int) -> Array:
    """`Σ_n a^n cos(b^n π x)` over so many terms."""
    total = jnp.zeros_like(x)
    for n in np.arange(terms).tolist():
        total = total + a**n * jnp.cos(float(b) ** n * jnp.pi * x)
    return total


@entered(
    "`Σ_n a^n cos(b^n π x)`, a = 1/2, b = 3, n < 8",
    "256 points of [-1, 1]",
    "Weierstrass 1872; Hardy 1916 for a b >= 1",
)
def weierstrass(
    *,
    a: Any = 0.5,
    b: int = 3,
    terms: int = 8,
    range: Any = 1.0,
    size: int = 256,
    **options: Any,
) -> Curve:
    """The first terms of Weierstrass' function, which has no slope anywhere: `Σ a^n cos(b^n π x)`.

    Args:
        a: ratio of the amplitudes, between 0 and 1.
        b: ratio of the frequencies, a whole number of at least 2 with a b >= 1.
        terms: how many, n from 0 on.
        range: half-width of the interval, or a pair (low, high).
        size: number of rows.
        options: of `Curve`; `reach` is 1 by default.

    Raises:
        TypeError: what is no number.
        ValueError: numbers out of range.

    Example:
        `weierstrass(terms=4)`
    """
    check_number("a", a)
    b, terms = check_count("b", b, 2, 1000), check_count("terms", terms, 1, 100)
    if not (0 < a < 1 and a * b >= 1):
        raise ValueError(f"a is {a} and b is {b}; a must lie between 0 and 1, with a b at least 1")
    if float(b) ** (terms - 1) > 1e6:
        raise ValueError(
            f"the frequency of the last of {terms} terms is {b}^{terms - 1}, of which float32 "
            "cannot take the cosine; take fewer terms"
        )
    options = {"reach": 1.0} | options
    f = partial(weierstrass_sum, a=float(a), b=b, terms=terms)
    return Curve(f=f, range=range, size=size, **options)
