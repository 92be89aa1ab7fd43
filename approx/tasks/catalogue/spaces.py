"""Functions of several variables: Friedman's three, and Genz' six families."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from approx.tasks.catalogue.boxes import OnBox
from approx.tasks.catalogue.entries import check_count, entered, vector
from approx.tasks.data import Task
from approx.tasks.values import meant

# ---- Friedman's functions ------------------------------------------------------------------------


def of_friedman1(x: Array) -> Array:
    """`10 sin(π x1 x2) + 20 (x3 - 1/2)² + 10 x4 + 5 x5`."""
    wave = 10 * jnp.sin(jnp.pi * x[:, 0] * x[:, 1])
    return wave + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]


def reactance(x: Array) -> Array:
    """`x2 x3 - 1 / (x2 x4)`."""
    return x[:, 1] * x[:, 2] - 1 / (x[:, 1] * x[:, 3])


def of_friedman2(x: Array) -> Array:
    """`√(x1² + (x2 x3 - 1 / (x2 x4))²)`."""
    return jnp.sqrt(x[:, 0] ** 2 + reactance(x) ** 2)


def of_friedman3(x: Array) -> Array:
    """`arctan((x2 x3 - 1 / (x2 x4)) / x1)`; x1 is at least 0."""
    return jnp.arctan2(reactance(x), x[:, 0])


UNIT = (0.0, 1.0)
CIRCUIT = ((0.0, 100.0), (40 * np.pi, 560 * np.pi), (0.0, 1.0), (1.0, 11.0))


@entered(
    "`10 sin(π x1 x2) + 20 (x3 - ½)² + 10 x4 + 5 x5`, and inputs without effect",
    "256 drawn from [0, 1]^10",
    "Friedman 1991; as scikit-learn's make_friedman1",
)
def friedman1(*, n: int = 10, **options: Any) -> Task:
    """`10 sin(π x1 x2) + 20 (x3 - 1/2)² + 10 x4 + 5 x5` on [0, 1]^n; further inputs have no effect.

    Args:
        n: number of inputs, at least 5.
        options: see `catalogue.OnBox.task`. Friedman 1991 has `noise=1.0`.

    Raises:
        ValueError: fewer than 5 inputs.

    Example:
        `friedman1(size=1_000, noise=1.0)`
    """
    n = check_count("n", n, 5, 10_000)
    return OnBox(of_friedman1, (UNIT,) * n).task(**options)


@entered(
    "`√(x1² + (x2 x3 - 1 / (x2 x4))²)`",
    "256 drawn from [0, 100] x [40π, 560π] x [0, 1] x [1, 11]",
    "Friedman 1991; as scikit-learn's make_friedman2",
)
def friedman2(**options: Any) -> Task:
    """The impedance `√(x1² + (x2 x3 - 1 / (x2 x4))²)` of a circuit (Friedman 1991).

    Args:
        options: see `catalogue.OnBox.task`. Inputs and targets are far from 1: scale them, as with
            `scalings.PerFeature`.

    Example:
        `friedman2(size=1_000)`
    """
    return OnBox(of_friedman2, CIRCUIT).task(**options)


@entered(
    "`arctan((x2 x3 - 1 / (x2 x4)) / x1)`",
    "256 drawn from [0, 100] x [40π, 560π] x [0, 1] x [1, 11]",
    "Friedman 1991; as scikit-learn's make_friedman3",
)
def friedman3(**options: Any) -> Task:
    """The phase `arctan((x2 x3 - 1 / (x2 x4)) / x1)` of a circuit (Friedman 1991).

    Args:
        options: see `catalogue.OnBox.task`.

    Example:
        `friedman3(size=1_000)`
    """
    return OnBox(of_friedman3, CIRCUIT).task(**options)


# ---- Genz' families ------------------------------------------------------------------------------


def oscillatory(x: Array, a: Array, u: Array) -> Array:
    """`cos(2π u1 + Σ a x)`."""
    return jnp.cos(2 * jnp.pi * u[0] + (a * x).sum(1))


def product_peak(x: Array, a: Array, u: Array) -> Array:
    """`Π 1 / (a^-2 + (x - u)²)`."""
    return (1 / (a**-2.0 + (x - u) ** 2)).prod(1)


def corner_peak(x: Array, a: Array, u: Array) -> Array:
    """`(1 + Σ a x)^-(n + 1)`."""
    del u
    return (1 + (a * x).sum(1)) ** -(x.shape[1] + 1.0)


def gaussian(x: Array, a: Array, u: Array) -> Array:
    """`exp(-Σ a² (x - u)²)`."""
    return jnp.exp(-(a**2 * (x - u) ** 2).sum(1))


def continuous(x: Array, a: Array, u: Array) -> Array:
    """`exp(-Σ a |x - u|)`."""
    return jnp.exp(-(a * jnp.abs(x - u)).sum(1))


def discontinuous(x: Array, a: Array, u: Array) -> Array:
    """`exp(Σ a x)`, and 0 where x1 > u1 or x2 > u2."""
    beyond = (x[:, :2] > u[:2]).any(1)
    return jnp.where(beyond, 0, jnp.exp((a * x).sum(1)))


FAMILIES: dict[str, Callable] = {
    "oscillatory": oscillatory,
    "product_peak": product_peak,
    "corner_peak": corner_peak,
    "gaussian": gaussian,
    "continuous": continuous,
    "discontinuous": discontinuous,
}


def of_genz(x: Array, family: str, a: tuple[float, ...], u: tuple[float, ...]) -> Array:
    """A member of a family, at rows (k, n); of one input they may be a vector."""
    x = x.reshape(len(x), -1)
    return FAMILIES[family](x, jnp.asarray(a, x.dtype), jnp.asarray(u, x.dtype))


@entered(
    "six families: " + ", ".join(f"`{name}`" for name in FAMILIES),
    "256 drawn from [0, 1]^n, n = 2",
    "Genz 1984",
)
def genz(family: str, *, n: int = 2, a: Any = 5.0, u: Any = 0.5, **options: Any) -> Task:
    """A member of one of Genz' six families of integrands on [0, 1]^n (Genz 1984).

    With sums and products over the inputs these are: "oscillatory" `cos(2π u1 + Σ a x)`,
    "product_peak" `Π 1 / (a^-2 + (x - u)²)`, "corner_peak" `(1 + Σ a x)^-(n + 1)`, "gaussian"
    `exp(-Σ a² (x - u)²)`, "continuous" `exp(-Σ a |x - u|)`, and "discontinuous" `exp(Σ a x)`, which
    is 0 where x1 > u1 or x2 > u2.

    Args:
        family: its name.
        n: number of inputs.
        a: how hard each input makes it, above 0: one number for all, or one for each.
        u: where it happens, one number for all or one for each.
        options: see `catalogue.OnBox.task`.

    Raises:
        ValueError: an unknown family, numbers a that are not above 0.

    Example:
        `genz("corner_peak", n=5, a=0.37)`
    """
    if family not in FAMILIES:
        raise ValueError(
            f"unknown family {family!r}; there is: {', '.join(FAMILIES)}{meant(family, FAMILIES)}"
        )
    n = check_count("n", n, most=1_000)
    sizes, places = vector("a", a, n), vector("u", u, n)
    if min(sizes) <= 0:
        raise ValueError(f"a is {a}; its numbers must be above 0")
    f = partial(of_genz, family=family, a=sizes, u=places)
    return OnBox(f, (UNIT,) * n).task(**options)
