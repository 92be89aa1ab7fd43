"""Functions of one variable on an interval: the square and the sine."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike, Float

from approx.tasks.arguments import spelled
from approx.tasks.data import STATIC, Points, Task, check_number, check_whole, kept_rows, noisy
from approx.tasks.values import shortened


@spelled
@register_dataclass
@dataclass(frozen=True, kw_only=True)
class Curve(Task):
    """A function of one variable on [center - range, center + range]: `y = f(frequency x) + noise`.

    A test point counts as inside if it lies between the smallest and the largest input that can be
    trained on: that is the interval, but of a grid whose last rows are kept for validation the part
    below them.

    Attributes:
        f: the function, elementwise on jax arrays.
        range: half-width of the training interval, in units of x; or a pair (low, high), which sets
            range and center.
        center: middle of the training interval; None for 0.
        noise: standard deviation of normal noise on the training targets; None for none.
        frequency: factor on x before f; None for none.
        size: number of rows.
        inputs: "grid", equispaced with both ends, or "uniform", drawn uniformly from the interval
            per seed.
        reach: the test points go out to reach * range on both sides of the center, noise-free.
        test_size: number of those points.

    """

    f: Callable = field(metadata=STATIC)
    range: Any = 1.0
    center: ArrayLike | None = None
    noise: ArrayLike | None = None
    frequency: ArrayLike | None = None
    size: int = field(default=21, metadata=STATIC)
    inputs: str = field(default="grid", metadata=STATIC)
    reach: float = field(default=3.0, metadata=STATIC)
    test_size: int = field(default=401, metadata=STATIC)

    def __post_init__(self):
        super().__post_init__()
        if self.inputs not in ("grid", "uniform"):
            raise ValueError(f"inputs is 'grid' or 'uniform', not {self.inputs!r}")
        check_whole(self, "size", "test_size")
        for name in ("reach", "frequency"):
            check_number(name, getattr(self, name))
        if not self.reach >= 1:
            raise ValueError(
                f"reach is {self.reach}; it must be at least 1, the training range itself"
            )
        if is_pair(self.range):
            center, half_width = middle(self.range)
            object.__setattr__(self, "center", center)
            object.__setattr__(self, "range", half_width)
        known = isinstance(self.range, float | int | np.number)
        if isinstance(self.range, str | np.ndarray) or (known and not float(self.range) > 0):
            raise ValueError(
                f"range is {shortened(self.range)}; it is half the width of an interval, "
                "a number above 0, or a pair (low, high)"
            )

    def place(self, x: Array) -> Array:
        """Inputs around 0 as inputs around the center."""
        if self.center is None:
            return x
        return jnp.asarray(self.center + x)

    def upper_end(self) -> ArrayLike:
        """The largest input that can be trained on, less the center.

        It is the range, but less where the last rows of a grid are kept for validation.
        """
        if self.inputs == "uniform" or not self.validation or self.hold_out == "random":
            return self.range
        rows: Any = grid(self.range, self.size)
        return rows[kept_rows(self.size, self.validation) - 1, 0]

    def targets(self, x):
        """The noise-free targets at x."""
        if self.frequency is not None:
            x = self.frequency * x
        return self.f(x)

    def rows(self, key, noise_key):
        """One seed's rows: the grid, or a draw of its own."""
        if self.inputs == "uniform":
            return self.fresh(key, noise_key, self.size)
        x = self.place(grid(self.range, self.size))
        return x, noisy(self.targets(x), self.noise, noise_key)

    def fresh(self, key, noise_key, size):
        """Rows drawn uniformly from the training interval."""
        share = jax.random.uniform(key, (size, 1), minval=-1, maxval=1)
        x = self.place(self.range * share)
        return x, noisy(self.targets(x), self.noise, noise_key)

    def points(self):
        """An equispaced grid out to reach * range on both sides of the center."""
        away = grid(self.reach * self.range, self.test_size)
        upper = self.upper_end()
        if upper is self.range:
            beyond = jnp.abs(away[:, 0]) - self.range
        else:
            above, below = away[:, 0] - upper, -self.range - away[:, 0]
            beyond = jnp.maximum(above, below)
        x = self.place(away)
        y = self.targets(x)
        # The ends are inside
        is_outside = beyond > 1e-6 * self.range
        return Points(x, y, jnp.where(is_outside, beyond, 0))


def square(*, range: Any = 10.0, size: int = 21, test_size: int = 301, **options) -> Curve:
    """x² on [-range, range], or on [low, high] with `range=(low, high)`.

    By default these are the 21 integers from -10 to 10, judged out to ±30 in steps of 0.2.
    """
    return Curve(f=jnp.square, range=range, size=size, test_size=test_size, **options)


def sine(
    *, frequency: ArrayLike = 1.0, range: Any = 2 * np.pi, size: int = 256, **options
) -> Curve:
    """sin(frequency x) on [-range, range], or on [low, high] with `range=(low, high)`.

    By default these are 256 equispaced points of two periods, judged out to ±6π.
    """
    return Curve(f=jnp.sin, frequency=frequency, range=range, size=size, **options)


def is_pair(interval: Any) -> bool:
    """Whether a range was given as (low, high), rightly or wrongly."""
    if isinstance(interval, np.ndarray):
        return interval.shape == (2,)
    return isinstance(interval, list | tuple)


def middle(pair: Any) -> tuple[float, float]:
    """Center and half-width of the interval (low, high).

    Raises:
        ValueError: not two finite numbers, or a low that is not below the high.

    """
    numeric = [isinstance(end, float | int | np.generic) for end in pair]
    if len(pair) != 2 or not all(numeric):
        raise ValueError(f"range is {shortened(pair)}; a pair is (low, high), two numbers")
    low, high = map(float, pair)
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(
            f"range is ({low:g}, {high:g}); a pair is (low, high), finite, with low below high"
        )
    return (low + high) / 2, (high - low) / 2


def grid(half_width: ArrayLike, n: int) -> Float[Array, "n 1"]:
    """Equispaced numbers from -half_width to half_width.

    The product comes before the division, so that integers are exact: the default rows of `square`
    are the 21 integers that the threads ask about.
    """
    if n == 1:
        return jnp.zeros((1, 1)) * half_width
    steps = 2 * jnp.arange(n) - (n - 1)
    return jnp.asarray(half_width * steps / (n - 1))[:, None]
