"""Kolmogorov-Arnold networks: a function of one variable on every edge, of splines or polynomials.

Every edge from an input to an output has a function of its own, and an output is the sum of its
edges' functions (Liu et al. 2024, "KAN: Kolmogorov-Arnold Networks").
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike, Float, Key

from approx.models import activations, draws
from approx.models.networks import Network, applied, check_counts, dense
from approx.numerics.barriers import kept
from approx.numerics.elementary import tanh
from approx.numerics.products import along, contract, networks_of
from approx.tasks.arguments import spelled
from approx.tasks.data import STATIC, check_number
from approx.tasks.values import shortened

BASES = ("spline", "chebyshev")


@spelled
@register_dataclass
@dataclass(frozen=True)
class KAN(Network):
    """A Kolmogorov-Arnold network: `y_o = Σ_i φ_io(x_i)` in every layer.

    With splines an edge's function is `φ(x) = w_b b(x) + w_s Σ_k c_k B_k(x)`, with the
    `grid + degree` B-splines B_k of an even grid (Liu et al. 2024, eq. 2.10). They are 0 far
    outside the grid, where only the base b is left. The grid stays as it is: it is not moved to
    where the data are, as pykan can do. The first weights are those of section 2.2 there:
    `c_k ~ N(0, init_noise²)`, w_s is 1, and w_b is drawn by Glorot and Bengio's uniform scheme.

    With Chebyshev polynomials it is `φ(x) = w_b b(x) + Σ_k c_k T_k(tanh(x))`, k from 0 to the
    degree, with `c_k ~ N(0, 1 / (i (degree + 1))²)` for i inputs of the layer. Sidharth et al. 2024
    ("Chebyshev polynomial-based KANs") have no base: `base=None`.

    Attributes:
        widths: hidden widths; `(5,)` on two inputs is what the paper writes as [2, 5, 1].
        grid: number of intervals of the grid; splines only.
        degree: of the splines or of the polynomials, at least 1.
        basis: "spline" or "chebyshev".
        base: the function b, a name of `models.ACTIVATIONS` or an elementwise function; None for a
            network without it.
        outputs: number of outputs.
        grid_range: both ends of the grid, in every layer; splines only.
        spline_scale: whether an edge has the factor w_s. It can be taken into the c_k, but a
            training then moves otherwise.
        init_noise: standard deviation of the first c_k; splines only.

    Raises:
        TypeError: widths that are no tuple, a number that is none.
        ValueError: an unknown name, counts below 1, a range whose ends are out of order.

    Example:
        `KAN((5,))` on (n, 2) inputs: splines of degree 3 on 5 intervals of [-1, 1].
    """

    widths: tuple[int, ...] = field(default=(5,), metadata=STATIC)
    grid: int = field(default=5, metadata=STATIC)
    degree: int = field(default=3, metadata=STATIC)
    basis: str = field(default="spline", metadata=STATIC)
    base: str | Callable | None = field(default="silu", metadata=STATIC)
    outputs: int = field(default=1, metadata=STATIC)
    grid_range: tuple[float, float] = field(default=(-1.0, 1.0), metadata=STATIC)
    spline_scale: bool = field(default=True, metadata=STATIC)
    init_noise: ArrayLike = 0.1

    def __post_init__(self):
        check_counts(self, "widths", "grid", "degree", "outputs")
        if self.basis not in BASES:
            raise ValueError(f"basis is {self.basis!r}; it is one of {', '.join(BASES)}")
        if self.base is not None:
            self._settle("base", activations.checked("base", self.base))
        self._settle("grid_range", checked_range("grid_range", self.grid_range))
        check_number("init_noise", self.init_noise, low=0)

    @property
    def bases(self) -> int:
        """How many basis functions an edge has."""
        if self.basis == "chebyshev":
            return self.degree + 1
        return self.grid + self.degree

    def sizes(self, inputs: int) -> list[tuple[int, int]]:
        """Inputs and outputs of each layer."""
        return [*itertools.pairwise((inputs, *self.widths, self.outputs))]

    def products(self, inputs: int) -> list[tuple[int, int]]:
        """The sizes of the matrices of coefficients."""
        return [(i * self.bases, o) for i, o in self.sizes(inputs)]

    def init(self, key: Key[Array, ""] | draws.Source, x: Float[Array, "n i"]) -> dict[str, Any]:
        """Parameters of each layer: c (i k, o), and w_b and w_s (i, o) where there are these.

        Args:
            key: of the network; or a source of random numbers that stands for it (see `draws`).
            x: inputs, of which only the number of columns counts.
        """
        source = draws.as_source(key)
        sizes = self.sizes(x.shape[-1])
        return {"layers": [self.layer(source.fold_in(n), *each) for n, each in enumerate(sizes)]}

    def layer(self, source: draws.Source, i: int, o: int) -> dict[str, Array]:
        """The first parameters of a layer."""
        of_base, of_c = source.split()
        sd = self.init_noise if self.basis == "spline" else 1 / (i * self.bases)
        made = {"c": sd * of_c.normal((i * self.bases, o))}
        if self.base is not None:
            made["w_b"] = dense("keras", of_base, (i, o))["w"]
        if self.spline_scale and self.basis == "spline":
            made["w_s"] = jnp.ones((i, o))
        return made

    def apply(self, params: Any, x: Float[Array, "n i ..."]) -> Float[Array, "n o ..."]:
        """Outputs (n, o) at x (n, i)."""
        for layer in params["layers"]:
            basis = kept(self.basis_of(x))
            z = contract(basis.reshape(len(x), -1, *x.shape[2:]), self.coefficients(layer))
            if self.base is not None:
                z = z + contract(applied(self.base, x), layer["w_b"])
            x = z
        return x

    def coefficients(self, layer: Any) -> Array:
        """`w_s c` (i k, o), or c."""
        c = layer["c"]
        if "w_s" not in layer:
            return c
        w_s = layer["w_s"]
        of_edges = c.reshape(len(w_s), self.bases, *c.shape[1:])
        return (w_s[:, None] * of_edges).reshape(c.shape)

    def basis_of(self, x: Array) -> Array:
        """The basis functions of each input, (n, i, k)."""
        if self.basis == "chebyshev":
            return chebyshev(tanh(x), self.degree)
        return splines(x, self.grid_range, self.grid, self.degree)


def splines(
    x: Float[Array, "n i ..."], ends: tuple[float, float], grid: int, degree: int
) -> Float[Array, "n i k ..."]:
    """The B-splines of an even grid, which goes on by `degree` intervals on both sides.

    By the recursion of Cox and de Boor (1972): with x in units of an interval from the first end
    on, and the knots `t_j = j - degree`,

        B_j,0(x) = 1 where t_j <= x < t_j+1, else 0
        B_j,d(x) = (x - t_j) / d B_j,d-1(x) + (t_j+d+1 - x) / d B_j+1,d-1(x)

    Args:
        x: points (n, i).
        ends: first and last point of the grid.
        grid: number of intervals.
        degree: of the splines.

    Returns:
        `grid + degree` values for each point.
    """
    low, high = ends
    u = (x - low) * (grid / (high - low))
    return even_splines(u, -degree, grid + degree, degree)


@partial(jax.custom_jvp, nondiff_argnums=(1, 2, 3))
def even_splines(
    u: Float[Array, "n i ..."], first: int, count: int, degree: int
) -> Float[Array, "n i k ..."]:
    """B-splines on the knots `first, first + 1, ...`, so many of them; see `splines`.

    Their slopes are those of de Boor 1978, `B_j,d' = B_j,d-1 - B_j+1,d-1`: they are cheaper than
    the slope of the recursion, and as exact.
    """
    networks = networks_of(u, 2)
    u = u[:, :, None]
    t = along(jnp.arange(first, first + count + degree, dtype=u.dtype), networks)
    inside = (u >= t) & (u < t + 1)
    b = inside.astype(u.dtype)
    for d in range(1, degree + 1):
        t = t[:-1]
        rising, falling = (u - t) / d, (t + (d + 1) - u) / d
        b = rising * b[:, :, :-1] + falling * b[:, :, 1:]
    return b


@even_splines.defjvp
def even_splines_jvp(first, count, degree, primals, tangents):
    """The slopes, by the splines of the degree below."""
    (u,), (moved,) = primals, tangents
    value = even_splines(u, first, count, degree)
    if degree == 0:
        return value, jnp.zeros_like(value)
    below = even_splines(u, first, count + 1, degree - 1)
    slope = below[:, :, :-1] - below[:, :, 1:]
    return value, slope * moved[:, :, None]


def chebyshev(x: Float[Array, "n i ..."], degree: int) -> Float[Array, "n i k ..."]:
    """Chebyshev polynomials up to a degree: `T_0 = 1`, `T_1 = x`, `T_k+1 = 2 x T_k - T_k-1`."""
    found = [jnp.ones_like(x), x]
    while len(found) <= degree:
        found.append(2 * x * found[-1] - found[-2])
    return jnp.stack(found, 2)


def checked_range(name: str, ends: Any) -> tuple[float, float]:
    """Both ends of an interval, as it is kept.

    Raises:
        ValueError: not two finite numbers in order.
    """
    try:
        low, high = map(float, ends)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is {shortened(ends)}; it must be (low, high)") from error
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"{name} is ({low:g}, {high:g}); it must be finite, with low below high")
    return low, high
