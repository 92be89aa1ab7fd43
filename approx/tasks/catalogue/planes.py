"""Functions of two variables, and two classes of points in the plane."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike

from approx.tasks.arguments import spelled
from approx.tasks.catalogue.boxes import OnBox
from approx.tasks.catalogue.entries import check_count, entered
from approx.tasks.data import STATIC, Points, Task, check_number, check_whole, noisy
from approx.tasks.own import Given, given

# ---- functions on a box --------------------------------------------------------------------------


def of_product(x: Array) -> Array:
    """`x y`."""
    return x[:, 0] * x[:, 1]


def of_maximum(x: Array) -> Array:
    """`max(x, y)`."""
    return jnp.maximum(x[:, 0], x[:, 1])


def of_franke(x: Array) -> Array:
    """Franke's two peaks, saddle and dip."""
    u, v = 9 * x[:, 0], 9 * x[:, 1]
    first = 0.75 * jnp.exp(-((u - 2) ** 2 + (v - 2) ** 2) / 4)
    second = 0.75 * jnp.exp(-((u + 1) ** 2) / 49 - (v + 1) / 10)
    third = 0.5 * jnp.exp(-((u - 7) ** 2 + (v - 3) ** 2) / 4)
    dip = 0.2 * jnp.exp(-((u - 4) ** 2) - (v - 7) ** 2)
    return first + second + third - dip


def of_peaks(x: Array) -> Array:
    """MATLAB's peaks."""
    u, v = x[:, 0], x[:, 1]
    first = 3 * (1 - u) ** 2 * jnp.exp(-(u**2) - (v + 1) ** 2)
    second = 10 * (u / 5 - u**3 - v**5) * jnp.exp(-(u**2) - v**2)
    third = jnp.exp(-((u + 1) ** 2) - v**2) / 3
    return first - second - third


def of_rosenbrock(x: Array) -> Array:
    """`(1 - x)² + 100 (y - x²)²`."""
    u, v = x[:, 0], x[:, 1]
    return (1 - u) ** 2 + 100 * (v - u**2) ** 2


SQUARE = ((-1.0, 1.0), (-1.0, 1.0))
PRODUCT = OnBox(of_product, SQUARE, reach=2.0)
MAXIMUM = OnBox(of_maximum, SQUARE, reach=2.0)
FRANKE = OnBox(of_franke, ((0.0, 1.0), (0.0, 1.0)))
PEAKS = OnBox(of_peaks, ((-3.0, 3.0), (-3.0, 3.0)))
ROSENBROCK = OnBox(of_rosenbrock, ((-2.0, 2.0), (-1.0, 3.0)))


@entered("`x y`", "256 drawn from [-1, 1]²", "two inputs that are hard to multiply")
def product(**options: Any) -> Task:
    """`x y` on [-1, 1]², judged out to twice the box.

    Args:
        options: `range`, `size`, `inputs`, `noise`, `reach`, `test_size`, and those of `Task`; see
            `catalogue.OnBox.task`.

    Example:
        `product(range=(0, 1), size=400, inputs="grid")`
    """
    return PRODUCT.task(**options)


@entered("`max(x, y)`", "256 drawn from [-1, 1]²", "one relu is enough: x + relu(y - x)")
def maximum(**options: Any) -> Task:
    """`max(x, y)` on [-1, 1]², judged out to twice the box.

    Args:
        options: see `catalogue.OnBox.task`.

    Example:
        `maximum(size=100)`
    """
    return MAXIMUM.task(**options)


@entered("Franke's function", "256 drawn from [0, 1]²", "Franke 1979")
def franke(**options: Any) -> Task:
    """Franke's function of two peaks, a saddle and a dip, on [0, 1]² (Franke 1979).

    `¾ e^(-((u - 2)² + (v - 2)²) / 4) + ¾ e^(-(u + 1)² / 49 - (v + 1) / 10)
    + ½ e^(-((u - 7)² + (v - 3)²) / 4) - ⅕ e^(-(u - 4)² - (v - 7)²)`, with u = 9 x and v = 9 y.

    Args:
        options: see `catalogue.OnBox.task`.

    Example:
        `franke(inputs="grid", size=225)`
    """
    return FRANKE.task(**options)


@entered("MATLAB's peaks", "256 drawn from [-3, 3]²", "MATLAB's function peaks")
def peaks(**options: Any) -> Task:
    """MATLAB's peaks on [-3, 3]².

    `3 (1 - x)² e^(-x² - (y + 1)²) - 10 (x / 5 - x³ - y⁵) e^(-x² - y²) - ⅓ e^(-(x + 1)² - y²)`.

    Args:
        options: see `catalogue.OnBox.task`.

    Example:
        `peaks(size=1_000)`
    """
    return PEAKS.task(**options)


@entered("`(1 - x)² + 100 (y - x²)²`", "256 drawn from [-2, 2] x [-1, 3]", "Rosenbrock 1960")
def rosenbrock(**options: Any) -> Task:
    """`(1 - x)² + 100 (y - x²)²` on [-2, 2] x [-1, 3] (Rosenbrock 1960).

    Args:
        options: see `catalogue.OnBox.task`.

    Example:
        `rosenbrock(noise=1.0)`
    """
    return ROSENBROCK.task(**options)


# ---- two classes of points -----------------------------------------------------------------------


@spelled
@register_dataclass
@dataclass(frozen=True, kw_only=True)
class Patterns(Task):
    """Two curves in the plane, whose points are to be told apart; each seed draws its own noise.

    The first half of the rows, rounded down, has target 0 and the rest target 1. With
    `loss="cross_entropy"` they are integer labels.

    Attributes:
        curves: (share (n,), class) -> points (n, 2) of the curve of class 0 or 1; a share of 0 is
            its begin, and 1 its end.
        closed: whether the end of a curve is its begin.
        size: number of rows.
        noise: standard deviation of normal noise on the INPUTS; None for none.
        test_size: number of test points, drawn once.

    """

    curves: Callable = field(metadata=STATIC)
    loss: str | Callable = field(default="binary_cross_entropy", metadata=STATIC)
    closed: bool = field(default=False, metadata=STATIC)
    size: int = field(default=200, metadata=STATIC)
    noise: ArrayLike | None = 0.1
    test_size: int = field(default=1_000, metadata=STATIC)

    def __post_init__(self):
        super().__post_init__()
        check_whole(self, "size", "test_size")
        for name in ("size", "test_size"):
            if getattr(self, name) < 2:
                raise ValueError(f"{name} is {getattr(self, name)}; two classes need 2 at least")

    def labelled(self, x: Array, key: Any) -> tuple[Array, Array]:
        """Points with noise, and their targets."""
        x = noisy(x, self.noise, key)
        ones = jnp.arange(len(x)) >= len(x) // 2
        if self.loss == "cross_entropy":
            return x, ones.astype(jnp.int32)
        return x, ones.astype(x.dtype)[:, None]

    def even(self, size: int) -> Array:
        """Points evenly on both curves."""
        parts = []
        for which, count in enumerate((size // 2, size - size // 2)):
            share = np.linspace(0, 1, count, endpoint=not self.closed)
            parts.append(self.curves(jnp.asarray(share), which))
        return jnp.concatenate(parts)

    def rows(self, key, noise_key):
        """Points that lie evenly on the curves, with noise."""
        del key
        return self.labelled(self.even(self.size), noise_key)

    def fresh(self, key, noise_key, size):
        """Points that lie anywhere on the curves, with noise."""
        share = jax.random.uniform(key, (size,))
        first = size // 2
        parts = [self.curves(share[:first], 0), self.curves(share[first:], 1)]
        return self.labelled(jnp.concatenate(parts), noise_key)

    def points(self):
        """Fresh points, drawn from a key of their own."""
        key, noise_key = jax.random.split(jax.random.key(2_718))
        x, y = self.fresh(key, noise_key, self.test_size)
        return Points(x, y, jnp.zeros(self.test_size))


def circle(share: Array, which: int, factor: float) -> Array:
    """The unit circle, and one that is smaller by a factor."""
    angle = 2 * jnp.pi * share
    radius = factor if which else 1.0
    return radius * jnp.stack([jnp.cos(angle), jnp.sin(angle)], 1)


def moon(share: Array, which: int) -> Array:
    """Two half circles, one reaching into the other."""
    x, y = jnp.cos(jnp.pi * share), jnp.sin(jnp.pi * share)
    if which:
        x, y = 1 - x, 0.5 - y
    return jnp.stack([x, y], 1)


@entered(
    "on which of two circles a point lies",
    "200 points, noise 0.1",
    "scikit-learn's make_circles, its factor 0.8",
)
def circles(*, factor: Any = 0.8, **options: Any) -> Patterns:
    """Which of two circles around 0 a point lies on: 0 is that of radius 1, and 1 the inner one.

    Args:
        factor: radius of the inner circle, between 0 and 1.
        options: `size`, `noise` (on the inputs), `test_size`, and those of `Task`; see `Patterns`.

    Raises:
        ValueError: a factor that is not between 0 and 1.

    Example:
        `circles(factor=0.5, noise=0.05, size=500)`
    """
    check_number("factor", factor)
    if not 0 < factor < 1:
        raise ValueError(f"factor is {factor}; it must lie between 0 and 1")
    return Patterns(curves=Circles(float(factor)), closed=True, **options)


@dataclass(frozen=True)
class Circles:
    """The two circles of `circles`."""

    factor: float

    def __call__(self, share: Array, which: int) -> Array:
        """Points on one of them."""
        return circle(share, which, self.factor)


@entered(
    "on which of two half circles a point lies",
    "200 points, noise 0.1",
    "scikit-learn's make_moons",
)
def moons(**options: Any) -> Patterns:
    """Which of two half circles, one reaching into the other, a point lies on.

    Args:
        options: `size`, `noise` (on the inputs), `test_size`, and those of `Task`; see `Patterns`.

    Example:
        `moons(noise=0.2)`
    """
    return Patterns(curves=moon, **options)


def spiral(angle: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Points of the first spiral; those of the second have the opposite signs."""
    return np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])


@entered(
    "on which of two spirals a point lies",
    "the 194 points of the benchmark",
    "Lang and Witbrock 1988",
)
def two_spirals(*, density: int = 1, **options: Any) -> Given:
    """Lang and Witbrock's two spirals of three turns: 97 points of each, 194 together.

    The i-th point of the first spiral, with target 1, has the angle `π i / (16 d)` from the second
    axis and the radius `6.5 (104 d - i) / (104 d)`, i from 0 to 96 d. The second spiral, with
    target 0, is the first one with opposite signs (Lang and Witbrock 1988; the CMU benchmark
    collection). The test points are those halfway between neighbours, i + 1/2.

    Args:
        density: d; points for each one of the benchmark.
        options: of `given`. With "mse" an output is correct on its target's side of one half.

    Raises:
        ValueError: a density below 1.

    Example:
        `two_spirals()`; `two_spirals(density=4, validation=0.2, hold_out="random")`
    """
    density = check_count("density", density, most=10_000)
    turns = np.arange(96 * density + 1)
    halfway = turns[:-1] + 0.5
    found = []
    for i in (turns, halfway):
        first = spiral(np.pi * i / (16 * density), 6.5 * (104 * density - i) / (104 * density))
        found.append(np.stack([first, -first], 1).reshape(-1, 2))
    rows, points = found
    if options.get("loss") == "mse":
        from approx.tasks.losses import same_half

        options = {"correct": same_half} | options
    options = {"loss": "binary_cross_entropy"} | options
    targets = [np.tile([1.0, 0.0], len(each) // 2) for each in found]
    return given(rows, targets[0], points, targets[1], **options)
