"""The multilayer perceptron of the catalogue.

A model is anything with `init(key, x) -> params` and `apply(params, x) -> outputs`: an `MLP`, a
flax.linen module, or a pair of functions (init, apply). If its apply takes `key` (or flax's
`rngs`), it gets a dropout key in training and none when it is judged.
"""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import random
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike, Float, Key

from approx.models import draws
from approx.models.activations import ACTIVATIONS, Elementwise, sin, snake
from approx.models.initializers import INITIALIZERS
from approx.numerics.barriers import OFTEN, kept, pulled
from approx.numerics.products import contract, of_networks, shifted, with_key
from approx.tasks.data import STATIC, check_number
from approx.tasks.reprs import described
from approx.tasks.values import meant


def affine(layer: dict[str, Any], x: Array) -> Array:
    """`x w + b`, or `x w` if the layer has no bias."""
    z = contract(x, layer["w"])
    if "b" not in layer:
        return z
    return shifted(z, layer["b"])


def dropout(key: Key[Array, "..."], layer: int, x: Array, rate: ArrayLike) -> Array:
    """Every number becomes 0 with probability `rate`; the others are divided by 1 - rate.

    This is inverted dropout, as in Keras and PyTorch.

    Args:
        key: the step's key for dropout.
        layer: number of the hidden layer, which has a stream of its own.
        x: outputs of the layer, (n, o).
        rate: probability that a number becomes 0.
    """

    def draw(key):
        return random.uniform(random.fold_in(key, layer), x.shape[:2])

    return jnp.where(with_key(draw, key) < rate, 0, x / (1 - rate))


@register_dataclass
@dataclass(frozen=True)
class MLP:
    """A multilayer perceptron: affine maps with one activation between them, none after the last.

    Attributes:
        widths: hidden widths, `(10,)` or `(8, 8)`; `()` is a linear model.
        activation: a name of `models.ACTIVATIONS`, or an elementwise function.
        outputs: number of outputs (classes, for `cross_entropy`).
        bias: whether the layers have biases.
        initializer: a name of `models.INITIALIZERS`, or a `jax.nn.initializers` one (key, shape,
            dtype), zero biases.
        init_scale: factor on every initial weight and bias.
        dropout: rate of dropout after each hidden layer while training; None for none.
        frequency: of the `sin` activation and the `siren` initialiser; None is 1.
        a: of the `snake` activation; None is 1.

    Raises:
        ValueError: an unknown name, a width below 1, a number the activation has no use for.

    """

    widths: tuple[int, ...] = field(default=(10,), metadata=STATIC)
    activation: str | Callable = field(default="tanh", metadata=STATIC)
    outputs: int = field(default=1, metadata=STATIC)
    bias: bool = field(default=True, metadata=STATIC)
    initializer: str | Callable = field(default="pytorch", metadata=STATIC)
    init_scale: ArrayLike = 1.0
    dropout: ArrayLike | None = None
    frequency: ArrayLike | None = None
    a: ArrayLike | None = None

    def __post_init__(self):
        if self.activation == "identity":
            warnings.warn(
                'the activation "identity" is called "linear" now; '
                "the old name goes with the next version",
                DeprecationWarning,
                stacklevel=3,
            )
            object.__setattr__(self, "activation", "linear")
        check_known("activation", self.activation, ACTIVATIONS)
        check_known("initializer", self.initializer, INITIALIZERS)
        if not isinstance(self.widths, tuple | list):
            raise TypeError(
                f"widths is {self.widths!r}; it must be a tuple of hidden widths, "
                "such as (10,) or ()"
            )
        object.__setattr__(self, "widths", tuple(self.widths))
        for width in (*self.widths, self.outputs):
            if not (isinstance(width, int | np.integer) and width >= 1):
                raise ValueError(
                    f"widths {self.widths} and outputs {self.outputs} must be whole and at least 1"
                )
        if self.frequency is not None and self.activation != "sin" and self.initializer != "siren":
            raise ValueError(
                f"frequency belongs to the activation 'sin'; this model's is {self.activation!r}"
            )
        if self.a is not None and self.activation != "snake":
            raise ValueError(
                f"a belongs to the activation 'snake'; this model's is {self.activation!r}"
            )
        check_number("init_scale", self.init_scale, low=0)
        for name in ("dropout", "frequency", "a"):
            check_number(name, getattr(self, name))
        if isinstance(self.dropout, float | int | np.generic) and not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is a rate in [0, 1), not {self.dropout}")

    def __repr__(self) -> str:
        """Widths and activation, and the fields that differ from their defaults."""
        return described(self, always=("widths", "activation"))

    def init(
        self, key: Key[Array, ""] | draws.Source, x: Float[Array, "n i"]
    ) -> list[dict[str, Array]]:
        """Parameters: one `{"w": (i, o), "b": (o,)}` per layer, each from a key of its own.

        Args:
            key: of the network; or a source of random numbers that stands for it (see `draws`).
            x: inputs, of which only the number of columns counts.
        """
        source = draws.as_source(key)
        sizes = (x.shape[-1], *self.widths, self.outputs)
        return [
            self.layer(source.fold_in(n), sizes[n], sizes[n + 1], n == 0)
            for n in range(len(sizes) - 1)
        ]

    def layer(self, source: draws.Source, fan_in: int, fan_out: int, first: bool):
        """One layer's parameters; `first` says whether it is the first layer."""
        if callable(self.initializer):
            w = self.initializer(source.own_key(), (fan_in, fan_out), jnp.result_type(float))
            b = jnp.zeros(fan_out)
        else:
            frequency = 1.0 if self.frequency is None else self.frequency
            draw = INITIALIZERS[self.initializer]
            w, b = draw(source, fan_in, fan_out, first=first, frequency=frequency)
        made = {"w": self.init_scale * w}
        if self.bias:
            made["b"] = self.init_scale * b
        return made

    def activate(self, z: Array) -> Array:
        """The activation of z, with the model's number if the activation has one."""
        activation: Any = self.activation
        if isinstance(activation, str):
            activation = ACTIVATIONS[activation]
        elif not isinstance(activation, Elementwise):
            activation = of_networks(activation)
        if activation is sin and self.frequency is not None:
            return sin(z, self.frequency)
        if activation is snake and self.a is not None:
            return snake(z, self.a)
        return activation(z)

    def apply(self, params, x: Array, key: Key[Array, "..."] | None = None) -> Array:
        """Outputs (n, o) at x (n, i); with a key, units drop out.

        `pulled` and `kept` change nothing but what XLA stores. A cheap activation is computed anew
        instead, as long as that is not done too often.
        """
        cheap = self.activation in ("relu", "square", "linear")
        *hidden, output = params
        for n, layer in enumerate(hidden):
            z = affine(layer, x)
            one_input = len(layer["w"]) == 1
            if not (cheap and one_input):
                z = pulled(z)
            x = self.activate(z)
            next_products = math.prod(params[n + 1]["w"].shape[:2])
            if not (cheap and next_products <= OFTEN):
                x = kept(x)
            if self.dropout is not None and key is not None:
                x = dropout(key, n, x, self.dropout)
        return affine(output, x)


def check_known(what: str, chosen: Any, known: Mapping[str, Any]) -> None:
    """Refuse what is neither a function nor a known name.

    Raises:
        ValueError: with all names known.
    """
    if not callable(chosen) and chosen not in known:
        raise ValueError(
            f"unknown {what} {chosen!r}; there is: {', '.join(known)}, or your own function"
            f"{meant(chosen, known)}"
        )


def idle_units(
    model: MLP, params: Sequence[Mapping[str, ArrayLike]], x: ArrayLike, tolerance: float = 1e-3
) -> Array:
    """Share of each hidden layer's units whose output is the same on all rows.

    Such units are dead relus or saturated sigmoids: to the next layer they are a bias. A unit
    counts as idle if its output varies by no more than `tolerance` over the rows. The function is
    for one network; use `jax.vmap` over the parameters for many seeds.

    Args:
        model: the network, inside all scalings (`scalings.core`).
        params: its parameters, such as `ap.params(runs, seed=0)`.
        x: rows (n, in), as the network sees them.
        tolerance: largest variation of an idle unit.

    Returns:
        Shares (hidden layers,).

    Raises:
        ValueError: no hidden layer.
    """
    if not model.widths:
        raise ValueError("a network without a hidden layer has no units that could be idle")
    hidden, shares = jnp.asarray(x), []
    for layer in params[:-1]:
        hidden = model.activate(affine(dict(layer), hidden))
        shares.append((jnp.ptp(hidden, 0) <= tolerance).mean())
    return jnp.stack(shares)
