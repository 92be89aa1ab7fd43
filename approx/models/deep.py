"""Networks whose layers add to what they are given, or carry it on: residual and highway layers."""

from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike, Float, Key

from approx.models import activations, draws
from approx.models.chain import LayerNorm
from approx.models.initializers import Place, checked
from approx.models.mlp import affine
from approx.models.networks import Network, applied, check_counts, dense
from approx.numerics import elementary
from approx.tasks.arguments import spelled
from approx.tasks.data import STATIC, check_number


class Deep(Network):
    """Layers of one width between an affine map of the inputs and one to the outputs."""

    width: int
    outputs: int
    activation: Any
    initializer: Any

    def settle(self) -> None:
        """Check what both kinds have.

        Raises:
            ValueError: an unknown name, counts below 1.
        """
        check_counts(self, "width", "outputs")
        self._settle("activation", activations.checked("activation", self.activation))
        self._settle("initializer", checked(self.initializer))

    def inner(self, source: draws.Source) -> dict[str, Array]:
        """An affine map from layer to layer."""
        place = Place(False, False, self.activation, self.activation, self.activation)
        return dense(self.initializer, source, (self.width, self.width), place)

    def outer(self, source: draws.Source, inputs: int, last: int) -> tuple[dict, dict]:
        """The first affine map and the last one, which is the layer of that number."""
        first, final = (inputs, self.width), (self.width, self.outputs)
        before = Place(True, False, "linear", self.activation)
        after = Place(False, True, "linear", self.activation, self.activation)
        return (
            dense(self.initializer, source.fold_in(0), first, before),
            dense(self.initializer, source.fold_in(last), final, after),
        )


@spelled
@register_dataclass
@dataclass(frozen=True)
class Residual(Deep):
    """Residual blocks: `h ← h + f(N(h) W + b) V + c`, between two affine maps.

    N is nothing, or a normalisation of each row before the block (He et al. 2016, "Identity
    mappings in deep residual networks"; Ba, Kiros and Hinton 2016).

    Attributes:
        width: numbers h of each row.
        blocks: how many.
        activation: f, a name of `models.ACTIVATIONS` or an elementwise function.
        norm: None, or "layer" for a `LayerNorm` with epsilon 1e-5 in every block.
        outputs: number of outputs.
        initializer: of all affine maps, one of `MLP`'s.

    Raises:
        ValueError: an unknown name, counts below 1.

    Example:
        `Residual(8, 3)`
    """

    width: int = field(default=8, metadata=STATIC)
    blocks: int = field(default=2, metadata=STATIC)
    activation: Any = field(default="relu", metadata=STATIC)
    norm: str | None = field(default=None, metadata=STATIC)
    outputs: int = field(default=1, metadata=STATIC)
    initializer: Any = field(default="pytorch", metadata=STATIC)

    def __post_init__(self):
        check_counts(self, "blocks")
        if self.norm not in (None, "layer"):
            raise ValueError(f"norm is {self.norm!r}; it is None or 'layer'")
        self.settle()

    def products(self, inputs: int) -> list[tuple[int, int]]:
        """The sizes of the weights."""
        within = [(self.width, self.width)] * (2 * self.blocks)
        return [(inputs, self.width), *within, (self.width, self.outputs)]

    def init(self, key: Key[Array, ""] | draws.Source, x: Float[Array, "n i"]) -> list[Any]:
        """The affine map of the inputs, the blocks, and the affine map to the outputs.

        Args:
            key: of the network; or a source of random numbers that stands for it (see `draws`).
            x: inputs, of which only the number of columns counts.
        """
        source = draws.as_source(key)
        first, last = self.outer(source, x.shape[-1], 2 * self.blocks + 1)
        blocks = []
        for n in range(self.blocks):
            block: dict[str, Any] = {
                "in": self.inner(source.fold_in(2 * n + 1)),
                "out": self.inner(source.fold_in(2 * n + 2)),
            }
            if self.norm is not None:
                block["norm"] = LayerNorm(1e-5).init(source, self.width)[0]
            blocks.append(block)
        return [first, *blocks, last]

    def apply(self, params: Any, x: Float[Array, "n i ..."]) -> Float[Array, "n o ..."]:
        """Outputs (n, o) at x (n, i)."""
        first, *blocks, last = params
        h = affine(first, x)
        for block in blocks:
            z = h
            if self.norm is not None:
                z = LayerNorm(1e-5).apply(block["norm"], None, h, None)
            z = applied(self.activation, affine(block["in"], z))
            h = h + affine(block["out"], z)
        return affine(last, h)


@spelled
@register_dataclass
@dataclass(frozen=True)
class Highway(Deep):
    """Highway layers: `h ← t f(h W + b) + (1 - t) h`, `t = sigmoid(h V + c)`, between affine maps.

    The gates t begin with the bias c = gate_bias: below 0 a layer first carries on what it is
    given (Srivastava, Greff and Schmidhuber 2015).

    Attributes:
        width: numbers h of each row.
        layers: how many.
        gate_bias: the first c.
        activation: f, a name of `models.ACTIVATIONS` or an elementwise function.
        outputs: number of outputs.
        initializer: of all affine maps, one of `MLP`'s; its biases of the gates are not taken.

    Raises:
        ValueError: an unknown name, counts below 1.

    Example:
        `Highway(8, 3, gate_bias=-2.0)`
    """

    width: int = field(default=8, metadata=STATIC)
    layers: int = field(default=2, metadata=STATIC)
    gate_bias: ArrayLike = -1.0
    activation: Any = field(default="tanh", metadata=STATIC)
    outputs: int = field(default=1, metadata=STATIC)
    initializer: Any = field(default="pytorch", metadata=STATIC)

    def __post_init__(self):
        check_counts(self, "layers")
        check_number("gate_bias", self.gate_bias)
        self.settle()

    def products(self, inputs: int) -> list[tuple[int, int]]:
        """The sizes of the weights."""
        within = [(self.width, self.width)] * (2 * self.layers)
        return [(inputs, self.width), *within, (self.width, self.outputs)]

    def init(self, key: Key[Array, ""] | draws.Source, x: Float[Array, "n i"]) -> list[Any]:
        """The affine map of the inputs, the layers with their gates, and the map to the outputs.

        Args:
            key: of the network; or a source of random numbers that stands for it (see `draws`).
            x: inputs, of which only the number of columns counts.
        """
        source = draws.as_source(key)
        first, last = self.outer(source, x.shape[-1], 2 * self.layers + 1)
        layers = []
        for n in range(self.layers):
            gate = self.inner(source.fold_in(2 * n + 2))
            gate["b"] = jnp.full(self.width, self.gate_bias, gate["w"].dtype)
            layers.append({"unit": self.inner(source.fold_in(2 * n + 1)), "gate": gate})
        return [first, *layers, last]

    def apply(self, params: Any, x: Float[Array, "n i ..."]) -> Float[Array, "n o ..."]:
        """Outputs (n, o) at x (n, i)."""
        first, *layers, last = params
        h = affine(first, x)
        for layer in layers:
            t = elementary.sigmoid(affine(layer["gate"], h))
            h = t * applied(self.activation, affine(layer["unit"], h)) + (1 - t) * h
        return affine(last, h)
