"""Networks on fixed or trained features of their inputs: sines of random frequencies, and bumps."""

import itertools
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike, Float, Key

from approx.models import draws
from approx.models.adapters import STATISTICS
from approx.models.initializers import checked
from approx.models.kan import checked_range
from approx.models.mlp import MLP, affine
from approx.models.networks import Network, check_counts, dense
from approx.numerics import elementary
from approx.numerics.products import contract
from approx.tasks.arguments import spelled
from approx.tasks.data import STATIC, check_number


@spelled
@register_dataclass
@dataclass(frozen=True)
class Fourier(Network):
    """An `MLP` on random Fourier features: its inputs are `[cos(2π x B), sin(2π x B)]`.

    The frequencies are `B ~ N(0, scale²)` (Tancik et al. 2020, eq. 5; Rahimi and Recht 2007). Each
    seed draws its own from its stream "init". They are not trained unless `trainable` says so:
    then they lie beside the parameters, as the running averages of a `BatchNorm` do, and no
    optimiser, penalty or weight decay touches them.

    Attributes:
        features: number m of frequencies; the MLP has 2 m inputs.
        scale: standard deviation of the frequencies, in turns per unit of x.
        widths: hidden widths of the MLP; `()` is a linear model of the features.
        activation: of the MLP.
        outputs: number of outputs.
        initializer: of the MLP.
        trainable: whether the frequencies are trained.

    Raises:
        ValueError: as `MLP`; no feature, a scale below 0.

    Example:
        `Fourier(features=32, scale=5.0, widths=(32,))`
    """

    features: int = field(default=16, metadata=STATIC)
    scale: ArrayLike = 1.0
    widths: tuple[int, ...] = field(default=(10,), metadata=STATIC)
    activation: Any = field(default="relu", metadata=STATIC)
    outputs: int = field(default=1, metadata=STATIC)
    initializer: Any = field(default="pytorch", metadata=STATIC)
    trainable: bool = field(default=False, metadata=STATIC)

    def __post_init__(self):
        check_counts(self, "features")
        check_number("scale", self.scale, low=0)
        body = self.body
        for name in ("widths", "activation", "outputs", "initializer"):
            self._settle(name, getattr(body, name))

    @property
    def body(self) -> MLP:
        """The network on the features."""
        return MLP(self.widths, self.activation, self.outputs, initializer=self.initializer)

    @property
    def functions(self) -> tuple[Any, ...]:
        """The activations of the network."""
        return self.body.activations

    def products(self, inputs: int) -> list[tuple[int, int]]:
        """The sizes of B and of the weights."""
        sizes = (2 * self.features, *self.widths, self.outputs)
        return [(inputs, self.features), *itertools.pairwise(sizes)]

    def init(self, key: Key[Array, ""] | draws.Source, x: Float[Array, "n i"]) -> Any:
        """The parameters of the MLP, with the frequencies (i, m) before or beside them.

        Args:
            key: of the network; or a source of random numbers that stands for it (see `draws`).
            x: inputs, of which only the number of columns counts.
        """
        source = draws.as_source(key)
        scale: Any = self.scale
        frequencies = {"frequencies": scale * source.fold_in(0).normal((x.shape[1], self.features))}
        layers = []
        for n, (i, o) in enumerate(self.products(x.shape[1])[1:]):
            layers.append(self.body.layer(source.fold_in(n + 1), i, o, n))
        if self.trainable:
            return [frequencies, *layers]
        return {"params": layers, STATISTICS: frequencies}

    def apply(
        self, params: Any, x: Float[Array, "n i ..."], key: Any = None, weights: Any = None
    ) -> Float[Array, "n o ..."]:
        """Outputs (n, o) at x (n, i); the key and the weights of rows change nothing."""
        del key, weights
        if self.trainable:
            of_x, *layers = params
            b = of_x["frequencies"]
        else:
            layers = params["params"]
            b = jax.lax.stop_gradient(params[STATISTICS]["frequencies"])
        turns = 2 * jnp.pi * contract(x, b)
        waves = jnp.concatenate([elementary.cos(turns), elementary.sin(turns)], 1)
        return self.body.apply(layers, waves)

    def averages(self, params: Any, x: Array, key: Any, weights: Any = None) -> Any:
        """The frequencies after a batch, which are those before it."""
        del x, key, weights
        return params[STATISTICS]


def SIREN(  # noqa: N802 (it is written so in the paper)
    widths: Any = (16, 16), frequency: ArrayLike = 30.0, *, outputs: int = 1
) -> MLP:
    """A network of sines with the first weights that go with them (Sitzmann et al. 2020).

    Hidden layers are `sin(frequency (x w + b))`. The weights of the first layer are drawn from
    `U(±1 / i)` for i inputs, those of the others from `U(±√(6 / i) / frequency)`, and biases from
    PyTorch's `U(±1 / √i)`, as in the authors' program.

    Args:
        widths: hidden widths.
        frequency: the paper's omega_0, the same in all layers.
        outputs: number of outputs.

    Raises:
        TypeError, ValueError: as `MLP`.

    Example:
        `SIREN((32, 32), frequency=30.0)`, which is
        `MLP((32, 32), "sin", initializer="siren", frequency=30.0)`
    """
    return MLP(widths, "sin", outputs, initializer="siren", frequency=frequency)


@spelled
@register_dataclass
@dataclass(frozen=True)
class RBF(Network):
    """Radial basis functions: `y = b + Σ_j w_j exp(-|x - c_j|² / (2 s_j²))`.

    Weights, biases, centres c and widths s are trained; in place of s the parameter is 1 / s
    (Broomhead and Lowe 1988; Moody and Darken 1989).

    Attributes:
        units: number of units.
        outputs: number of outputs.
        centers: "data" draws the first centres from the training rows, without replacement;
            a pair (low, high) draws them uniformly from that interval in every input.
        width: the first s of every unit, in units of x; None for `d / √(2 units)` with the largest
            distance d of two centres (Haykin 1994).
        initializer: of w and b, one of `MLP`'s.

    Raises:
        ValueError: no unit, more units than training rows, an unknown word, a width of 0 or less.

    Example:
        `RBF(10)`, or `RBF(10, centers=(-1, 1), width=0.3)`
    """

    units: int = field(default=10, metadata=STATIC)
    outputs: int = field(default=1, metadata=STATIC)
    centers: Any = field(default="data", metadata=STATIC)
    width: ArrayLike | None = None
    initializer: Any = field(default="keras", metadata=STATIC)

    def __post_init__(self):
        check_counts(self, "units", "outputs")
        if isinstance(self.centers, str) and self.centers != "data":
            raise ValueError(f"centers is {self.centers!r}; it is 'data', or a pair (low, high)")
        if self.centers != "data":
            self._settle("centers", checked_range("centers", self.centers))
        check_number("width", self.width)
        if isinstance(self.width, float | int) and not self.width > 0:
            raise ValueError(f"width is {self.width}; it must be above 0")
        if self.width is None and self.units < 2:
            raise ValueError("a single unit has no distance to another centre; give its width")
        self._settle("initializer", checked(self.initializer))

    def products(self, inputs: int) -> list[tuple[int, int]]:
        """The sizes of the centres and of the weights."""
        return [(inputs, self.units), (self.units, self.outputs)]

    def init(self, key: Key[Array, ""] | draws.Source, x: Float[Array, "n i"]) -> dict[str, Any]:
        """Centres (i, units), the inverse widths (units,), weights and biases.

        Args:
            key: of the network; or a source of random numbers that stands for it (see `draws`).
            x: the training inputs.

        Raises:
            ValueError: more units than rows, where the centres are rows.
        """
        of_centers, of_output = draws.as_source(key).split()
        centers = self.first_centers(of_centers, x)
        width: Any = self.width
        if width is None:
            apart = ((centers[:, :, None] - centers[:, None]) ** 2).sum(0)
            width = jnp.sqrt(apart.max() / (2 * self.units))
        output = dense(self.initializer, of_output, (self.units, self.outputs))
        return {"centers": centers, "inverse": jnp.ones(self.units) / width, "output": output}

    def first_centers(self, source: draws.Source, x: Array) -> Array:
        """The centres (i, units) before the first step."""
        if self.centers != "data":
            low, high = self.centers
            half = (high - low) / 2
            return (low + high) / 2 + source.uniform((x.shape[1], self.units), half)
        if len(x) < self.units:
            raise ValueError(
                f"{self.units} units cannot have {self.units} of {len(x)} training rows as their "
                "centres; take fewer units, or centers=(low, high)"
            )
        order = jnp.argsort(source.uniform((len(x),), 1.0))
        return x[order[: self.units]].T

    def apply(self, params: Any, x: Float[Array, "n i ..."]) -> Float[Array, "n o ..."]:
        """Outputs (n, o) at x (n, i)."""
        away = (x[:, :, None] - params["centers"]) * params["inverse"]
        bumps = jnp.exp(-(away**2).sum(1) / 2)
        return affine(params["output"], bumps)
