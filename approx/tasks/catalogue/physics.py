"""Equations of the Feynman lectures, numbered and sampled as by Udrescu and Tegmark 2020."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from approx.tasks.catalogue.boxes import OnBox
from approx.tasks.catalogue.entries import entered
from approx.tasks.data import Task
from approx.tasks.values import meant


class Equation(NamedTuple):
    """An equation of the benchmark.

    Attributes:
        formula: in words of its variables.
        f: of the variables, in their order.
        box: (low, high) of each variable, as in the benchmark.
    """

    formula: str
    f: Callable[..., Array]
    box: dict[str, tuple[float, float]]

    def of_rows(self, x: Array) -> Array:
        """The equation at inputs (n, variables)."""
        return self.f(*x.T)


def gauss(theta: Array) -> Array:
    """The density of the normal distribution."""
    return jnp.exp(-(theta**2) / 2) / np.sqrt(2 * np.pi)


def distance(x1: Array, x2: Array, y1: Array, y2: Array) -> Array:
    """The distance of two points."""
    return jnp.sqrt((x2 - x1) ** 2 + (y2 - y1) ** 2)


def moving_mass(m0: Array, v: Array, c: Array) -> Array:
    """The mass of a moving body."""
    return m0 / jnp.sqrt(1 - v**2 / c**2)


def friction(mu: Array, force: Array) -> Array:
    """Friction."""
    return mu * force


def coulomb(q1: Array, q2: Array, epsilon: Array, r: Array) -> Array:
    """The force between two charges."""
    return q1 * q2 / (4 * np.pi * epsilon * r**2)


def kinetic_energy(m: Array, u: Array, v: Array, w: Array) -> Array:
    """The kinetic energy of a body."""
    return m * (u**2 + v**2 + w**2) / 2


def lorentz(x: Array, u: Array, c: Array, t: Array) -> Array:
    """The place of an event for a moving observer."""
    return (x - u * t) / jnp.sqrt(1 - u**2 / c**2)


def center_of_mass(m1: Array, m2: Array, r1: Array, r2: Array) -> Array:
    """The centre of two masses."""
    return (m1 * r1 + m2 * r2) / (m1 + m2)


def focus(d1: Array, d2: Array, n: Array) -> Array:
    """The focal length of a surface."""
    return 1 / (1 / d1 + n / d2)


def usual(*names: str) -> dict[str, tuple[float, float]]:
    """The benchmark's usual interval for each variable."""
    return dict.fromkeys(names, (1.0, 5.0))


FEYNMAN: dict[str, Equation] = {
    "I.6.2a": Equation("e^(-θ²/2) / √(2π)", gauss, {"θ": (1.0, 3.0)}),
    "I.8.14": Equation("√((x2 - x1)² + (y2 - y1)²)", distance, usual("x1", "x2", "y1", "y2")),
    "I.10.7": Equation(
        "m0 / √(1 - v²/c²)", moving_mass, {"m0": (1.0, 5.0), "v": (1.0, 2.0), "c": (3.0, 10.0)}
    ),
    "I.12.1": Equation("μ N", friction, usual("μ", "N")),
    "I.12.2": Equation("q1 q2 / (4π ε r²)", coulomb, usual("q1", "q2", "ε", "r")),
    "I.13.4": Equation("m (u² + v² + w²) / 2", kinetic_energy, usual("m", "u", "v", "w")),
    "I.15.3x": Equation(
        "(x - u t) / √(1 - u²/c²)",
        lorentz,
        {"x": (5.0, 10.0), "u": (1.0, 2.0), "c": (3.0, 20.0), "t": (1.0, 2.0)},
    ),
    "I.18.4": Equation(
        "(m1 r1 + m2 r2) / (m1 + m2)", center_of_mass, usual("m1", "m2", "r1", "r2")
    ),
    "I.27.6": Equation("1 / (1/d1 + n/d2)", focus, usual("d1", "d2", "n")),
}


@entered(
    "; ".join(f"{number}: `{each.formula}`" for number, each in FEYNMAN.items()),
    "256 drawn from the benchmark's boxes",
    "Udrescu and Tegmark 2020",
)
def feynman(equation: str, **options: Any) -> Task:
    """An equation of the Feynman lectures, by its number (Udrescu and Tegmark 2020, table 4).

    `catalogue.FEYNMAN` has formulas, variables and the boxes that they are drawn from.

    Args:
        equation: its number, such as "I.12.2".
        options: see `catalogue.OnBox.task`.

    Raises:
        ValueError: an unknown number.

    Example:
        `feynman("I.10.7", size=1_000)`
    """
    if equation not in FEYNMAN:
        raise ValueError(
            f"unknown equation {equation!r}; there is: {', '.join(FEYNMAN)}"
            f"{meant(equation, FEYNMAN)}"
        )
    found = FEYNMAN[equation]
    return OnBox(found.of_rows, tuple(found.box.values())).task(**options)
