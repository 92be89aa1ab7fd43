"""Functions of one variable on an interval around 0: the square and the sine."""

from collections.abc import Callable
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike, Float

from approx.tasks.data import STATIC, Points, Task, check_number, check_whole, noisy


@register_dataclass
@dataclass(frozen=True, kw_only=True)
class Curve(Task):
    """A function of one variable on [-range, range]: `y = f(frequency x) + noise`.

    Attributes:
        f: the function, elementwise on jax arrays.
        range: half-width of the training interval, in units of x.
        noise: standard deviation of normal noise on the training targets; None for none.
        frequency: factor on x before f; None for none.
        size: number of rows.
        inputs: "grid", equispaced with both ends, or "uniform", drawn from U[-range, range) per seed.
        reach: the points of judgement go out to reach * range, noise-free.
        test_size: number of those points.

    """

    f: Callable = field(metadata=STATIC)
    range: ArrayLike = 1.0
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
        for name in ("reach", "range", "frequency"):
            check_number(name, getattr(self, name))
        if not self.reach >= 1:
            raise ValueError(f"reach is {self.reach}; it must be at least 1, the training range itself")
        if isinstance(self.range, float | int | np.generic) and not self.range > 0:
            raise ValueError(f"range is {self.range}; it is half the width of an interval, and must be above 0")

    def targets(self, x):
        """The noise-free targets at x."""
        return self.f(x if self.frequency is None else self.frequency * x)

    def rows(self, key, noise_key):
        """One seed's rows: the grid, or a draw of its own."""
        if self.inputs == "uniform":
            return self.fresh(key, noise_key, self.size)
        x = grid(self.range, self.size)
        return x, noisy(self.targets(x), self.noise, noise_key)

    def fresh(self, key, noise_key, size):
        """Rows drawn uniformly from the training interval."""
        x = self.range * jax.random.uniform(key, (size, 1), minval=-1, maxval=1)
        return x, noisy(self.targets(x), self.noise, noise_key)

    def points(self):
        """An equispaced grid out to reach * range."""
        x = grid(self.reach * self.range, self.test_size)
        beyond = jnp.abs(x[:, 0]) - self.range
        return Points(x, self.targets(x), jnp.where(beyond > 1e-6 * self.range, beyond, 0))  # the ends are inside


def square(*, range: ArrayLike = 10.0, size: int = 21, test_size: int = 301, **options) -> Curve:
    """x² on [-range, range]; by default the 21 integers from -10 to 10, judged out to ±30 in steps of 0.2."""
    return Curve(f=jnp.square, range=range, size=size, test_size=test_size, **options)


def sine(*, frequency: ArrayLike = 1.0, range: ArrayLike = 2 * np.pi, size: int = 256, **options) -> Curve:
    """sin(frequency x) on [-range, range]; by default 256 equispaced points of two periods, judged out to ±6π."""
    return Curve(f=jnp.sin, frequency=frequency, range=range, size=size, **options)


def grid(half_width: ArrayLike, n: int) -> Float[Array, "n 1"]:
    """Equispaced numbers from -half_width to half_width, multiplied out before the division so that integers are exact.

    The default grids of `square`, 21 integers and the points asked about in the threads, depend on it.
    """
    if n == 1:
        return jnp.zeros((1, 1)) * half_width
    return jnp.asarray(half_width * (2 * jnp.arange(n) - (n - 1)) / (n - 1))[:, None]
