"""Differential equations with known solutions: decay, the oscillator, logistic growth.

The loss is that of the equation's residual at collocation points t, and of the start, which a
network `u(t)` is trained to satisfy (Lagaris, Likas and Fotiadis 1998; Raissi, Perdikaris and
Karniadakis 2019). The solution is not shown to the network; it judges the test loss.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike, Float

from approx.numerics.derivatives import derivative
from approx.tasks.arguments import spelled
from approx.tasks.data import STATIC, Points, Task, check_number, check_whole
from approx.tasks.of_network import OfNetwork, Seen, of_network


@spelled
@register_dataclass
@dataclass(frozen=True, kw_only=True)
class Equation(Task):
    """A differential equation on [0, end] with a known solution: `solution(t, rate)`.

    Attributes:
        solution: the function (t, rate) -> u, elementwise on jax arrays.
        rate: the number of the equation: a rate, or a frequency.
        boundary_weight: factor on the term of the start in the loss.
        end: the last t; the collocation points lie in [0, end].
        size: number of collocation points.
        inputs: "grid", equispaced with both ends, or "uniform", drawn uniformly per seed.
        test_size: number of equispaced points at which the solution judges the network.
    """

    solution: Callable = field(metadata=STATIC)
    rate: ArrayLike = 1.0
    boundary_weight: ArrayLike = 1.0
    end: ArrayLike = 5.0
    size: int = field(default=64, metadata=STATIC)
    inputs: str = field(default="grid", metadata=STATIC)
    test_size: int = field(default=201, metadata=STATIC)

    def __post_init__(self):
        super().__post_init__()
        if not isinstance(self.loss, OfNetwork):
            raise ValueError(
                f"the loss is {self.loss!r}; that of a differential equation sees the network: "
                "make it by ap.losses.of_network"
            )
        if self.inputs not in ("grid", "uniform"):
            raise ValueError(f"inputs is 'grid' or 'uniform', not {self.inputs!r}")
        check_whole(self, "size", "test_size")
        for name in ("rate", "boundary_weight", "end"):
            check_number(name, getattr(self, name), low=0)

    @property
    def numbers(self):
        """The numbers that the loss reads."""
        return {"rate": self.rate, "boundary_weight": self.boundary_weight}

    def targets(self, t: Any) -> Array:
        """The solution at times (n, 1)."""
        return jnp.asarray(self.solution(t, self.rate))

    def rows(self, key, noise_key):
        """One seed's collocation points: the grid, or a draw of its own."""
        if self.inputs == "uniform":
            return self.fresh(key, noise_key, self.size)
        t = self.end * unit_grid(self.size)
        return t, self.targets(t)

    def fresh(self, key, noise_key, size):
        """Collocation points that nobody has seen, for `batches="stream"`."""
        del noise_key
        t = self.end * jax.random.uniform(key, (size, 1))
        return t, self.targets(t)

    def points(self):
        """An equispaced grid on [0, end]."""
        t = self.end * unit_grid(self.test_size)
        return Points(t, self.targets(t), jnp.zeros(self.test_size))


def unit_grid(n: int) -> Float[Array, "n 1"]:
    """Equispaced numbers from 0 to 1, as a column."""
    return jnp.asarray(np.linspace(0, 1, n)[:, None])


def at_start(network: Callable, order: int = 0) -> tuple[Array, ...]:
    """The network at t = 0, and its first derivatives up to that order there; each is (1, 1)."""
    zero = jnp.zeros((1, 1))
    if not order:
        return (network(zero),)
    return derivative(network, zero, order=order)


def decay_residuals(network: Callable, batch: Seen) -> dict[str, Any]:
    """`u' + rate u`, and `u(0) - 1`."""
    u, du = derivative(network, batch.x)
    (start,) = at_start(network)
    weight = jnp.sqrt(batch.numbers["boundary_weight"])
    return {
        "equation": du + batch.numbers["rate"] * u,
        "start": weight * (start - 1),
    }


def oscillator_residuals(network: Callable, batch: Seen) -> dict[str, Any]:
    """`u'' + frequency² u`, and `u(0) - 1`, `u'(0)`."""
    u, _, ddu = derivative(network, batch.x, order=2)
    start, slope = at_start(network, order=1)
    weight = jnp.sqrt(batch.numbers["boundary_weight"])
    return {
        "equation": ddu + batch.numbers["rate"] ** 2 * u,
        "start": weight * jnp.concatenate([start - 1, slope], 1),
    }


def logistic_residuals(network: Callable, batch: Seen) -> dict[str, Any]:
    """`u' - rate u (1 - u)`, and `u(0) - 1/10`."""
    u, du = derivative(network, batch.x)
    (start,) = at_start(network)
    weight = jnp.sqrt(batch.numbers["boundary_weight"])
    return {
        "equation": du - batch.numbers["rate"] * u * (1 - u),
        "start": weight * (start - LOGISTIC_START),
    }


LOGISTIC_START = 0.1


def decayed(t: Array, rate: Any) -> Array:
    """`e^(-rate t)`."""
    return jnp.exp(-rate * t)


def oscillating(t: Array, frequency: Any) -> Array:
    """`cos(frequency t)`."""
    return jnp.cos(frequency * t)


def grown(t: Array, rate: Any) -> Array:
    """`1 / (1 + 9 e^(-rate t))`."""
    return 1 / (1 + (1 / LOGISTIC_START - 1) * jnp.exp(-rate * t))


def decay(*, rate: ArrayLike = 1.0, end: ArrayLike = 5.0, **options) -> Equation:
    """Exponential decay: `u' = -rate u` with `u(0) = 1` on [0, end], solved by `e^(-rate t)`.

    The loss is `mean (u' + rate u)² + boundary_weight (u(0) - 1)²`.

    Args:
        rate: per unit of t; it can be swept, like `end` and `boundary_weight`.
        end: the last t.
        options: `boundary_weight`, `size`, `inputs`, `test_size` of `Equation`; `loss` for another
            loss that sees the network; `validation`, `hold_out` of `Task`.

    Raises:
        ValueError: a number out of its range.

    Example:
        `ap.run(ap.tasks.decay(), ap.Recipe(optimizer="lm", steps=50), seeds=32)`
    """
    options = {"loss": of_network(residuals=decay_residuals)} | options
    return Equation(solution=decayed, rate=rate, end=end, **options)


def oscillator(frequency: ArrayLike = 1.0, *, end: ArrayLike = 2 * np.pi, **options) -> Equation:
    """The harmonic oscillator: `u'' = -frequency² u`, `u(0) = 1`, `u'(0) = 0`: `cos(frequency t)`.

    The loss is `mean (u'' + frequency² u)² + boundary_weight ((u(0) - 1)² + u'(0)²)` on [0, end].

    Args:
        frequency: in radians per unit of t; it is swept as `rate`.
        end: the last t; one period of frequency 1 by default.
        options: as for `decay`.

    Raises:
        ValueError: a number out of its range.

    Example:
        `ap.tasks.oscillator(frequency=2.0, boundary_weight=10.0)`
    """
    options = {"loss": of_network(residuals=oscillator_residuals)} | options
    return Equation(solution=oscillating, rate=frequency, end=end, **options)


def logistic(*, rate: ArrayLike = 1.0, end: ArrayLike = 6.0, **options) -> Equation:
    """Logistic growth: `u' = rate u (1 - u)`, `u(0) = 1/10`: `1 / (1 + 9 e^(-rate t))` (Verhulst).

    The loss is `mean (u' - rate u (1 - u))² + boundary_weight (u(0) - 1/10)²` on [0, end]. The
    equation is that of Verhulst (1838). It also has the solutions 0 and 1, which fit it everywhere
    but at the start.

    Args:
        rate: per unit of t; it can be swept, like `end` and `boundary_weight`.
        end: the last t.
        options: as for `decay`.

    Raises:
        ValueError: a number out of its range.

    Example:
        `ap.tasks.logistic(rate=2.0, inputs="uniform")`
    """
    options = {"loss": of_network(residuals=logistic_residuals)} | options
    return Equation(solution=grown, rate=rate, end=end, **options)
