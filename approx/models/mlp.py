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

from approx.models import activations, draws, initializers
from approx.models.activations import Elementwise, sin, snake
from approx.numerics.barriers import OFTEN, kept, pulled
from approx.numerics.products import contract, of_networks, shifted, with_key
from approx.tasks.arguments import spelled
from approx.tasks.data import STATIC, check_number
from approx.tasks.reprs import described


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


@spelled
@register_dataclass
@dataclass(frozen=True)
class MLP:
    """A multilayer perceptron: affine maps with an activation after each but the last.

    Attributes:
        widths: hidden widths, `(10,)` or `(8, 8)`; `()` is a linear model.
        activation: a name of `models.ACTIVATIONS`, an elementwise function, or a list with one of
            these for each hidden layer.
        outputs: number of outputs (classes, for `cross_entropy`).
        bias: whether the layers have biases.
        initializer: of weights and biases: a name of `models.INITIALIZERS`, one with its numbers
            (`models.initializer`), or a function (key, shape, dtype) as those of
            `jax.nn.initializers`, with zero biases. A tuple of two is for weights and for biases. A
            list has one of all these for each layer, the last one too.
        init_scale: factor on every initial weight and bias.
        dropout: rate of dropout after each hidden layer while training, or a tuple with one for
            each hidden layer; None for none.
        frequency: of the `sin` activation and the `siren` initialiser; None is 1.
        a: of the `snake` activation; None is 1.
        output_activation: activation of the outputs; None is "linear".

    Raises:
        ValueError: an unknown name, a width below 1, a list of another length than there are
            layers, a number the activation has no use for.

    """

    widths: tuple[int, ...] = field(default=(10,), metadata=STATIC)
    activation: Any = field(default="tanh", metadata=STATIC)
    outputs: int = field(default=1, metadata=STATIC)
    bias: bool = field(default=True, metadata=STATIC)
    initializer: Any = field(default="pytorch", metadata=STATIC)
    init_scale: ArrayLike = 1.0
    dropout: Any = None
    frequency: ArrayLike | None = None
    a: ArrayLike | None = None
    output_activation: str | Callable | None = field(default=None, metadata=STATIC)

    def __post_init__(self):
        if not isinstance(self.widths, tuple | list):
            raise TypeError(
                f"widths is {self.widths!r}; it must be a tuple of hidden widths, "
                "such as (10,) or ()"
            )
        for width in (*self.widths, self.outputs):
            if not (isinstance(width, int | np.integer) and width >= 1):
                raise ValueError(
                    f"widths {self.widths} and outputs {self.outputs} must be whole and at least 1"
                )
        self._settle("widths", tuple(map(int, self.widths)))
        self._settle("outputs", int(self.outputs))
        self._settle("activation", checked_activations(self.activation, len(self.widths)))
        if self.output_activation is not None:
            chosen = activations.checked("output_activation", self.output_activation)
            self._settle("output_activation", None if chosen == "linear" else chosen)
        self._settle("initializer", checked_initializers(self.initializer, len(self.widths) + 1))
        check_numbers(self)
        self._settle("dropout", checked_dropout(self.dropout, len(self.widths)))

    def _settle(self, name: str, value: Any) -> None:
        """Set a field while the model is made; afterwards it is frozen."""
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        """Widths and activation, and the fields that differ from their defaults."""
        return described(self, always=("widths", "activation"))

    @property
    def activations(self) -> tuple[str | Callable, ...]:
        """The activation of each hidden layer."""
        if isinstance(self.activation, tuple):
            return self.activation
        return (self.activation,) * len(self.widths)

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
            self.layer(source.fold_in(n), sizes[n], sizes[n + 1], n) for n in range(len(sizes) - 1)
        ]

    def layer(self, source: draws.Source, fan_in: int, fan_out: int, n: int) -> dict[str, Array]:
        """The parameters of the n-th layer."""
        of_layers = (*self.activations, self.output_activation or "linear")
        before = of_layers[n - 1] if n else None
        place = initializers.Place(
            first=n == 0,
            last=n == len(self.widths),
            activation=of_layers[n],
            hidden=of_layers[0],
            before=before,
            frequency=1.0 if self.frequency is None else self.frequency,
        )
        chosen = self.initializer
        if is_layered(chosen):
            chosen = chosen[n][0] if len(chosen[n]) == 1 else chosen[n]
        w, b = initializers.layer_of(chosen, source, fan_in, fan_out, place)
        scale: Any = self.init_scale
        made = {"w": scale * w}
        if self.bias:
            made["b"] = scale * b
        return made

    def activate(self, z: Array, layer: int = 0) -> Array:
        """The activation of z in a hidden layer, with the model's number if it has one."""
        chosen = self.activation
        if isinstance(chosen, tuple):
            chosen = chosen[layer]
        return self.activated(chosen, z)

    def activated(self, chosen: str | Callable, z: Array) -> Array:
        """An activation of z, with the model's number if it has one."""
        activation = activations.find(chosen)
        if not isinstance(chosen, str | Elementwise):
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
        *hidden, output = params
        for n, layer in enumerate(hidden):
            z = affine(layer, x)
            cheap = self.activations[n] in ("relu", "square", "linear")
            one_input = len(layer["w"]) == 1
            if not (cheap and one_input):
                z = pulled(z)
            x = self.activate(z, n)
            next_products = math.prod(params[n + 1]["w"].shape[:2])
            if not (cheap and next_products <= OFTEN):
                x = kept(x)
            rate = self.dropout[n] if isinstance(self.dropout, tuple) else self.dropout
            if rate is not None and key is not None:
                x = dropout(key, n, x, rate)
        outputs = affine(output, x)
        if self.output_activation is None:
            return outputs
        return self.activated(self.output_activation, outputs)


def checked_activations(chosen: Any, hidden: int) -> Any:
    """The activation of all hidden layers, or a tuple with one for each, as it is kept.

    Raises:
        ValueError: an unknown name, or another number of activations than of hidden layers.
    """
    if chosen == "identity":
        warnings.warn(
            'the activation "identity" is called "linear" now; the old name goes with the next '
            "version",
            DeprecationWarning,
            stacklevel=4,
        )
        return "linear"
    if not isinstance(chosen, tuple | list):
        return activations.checked("activation", chosen)
    if len(chosen) != hidden:
        raise ValueError(
            f"activation has {len(chosen)} entries, for {hidden} hidden layers; give one for each, "
            "or one for all"
        )
    return tuple(activations.checked("activation", each) for each in chosen)


def checked_initializers(chosen: Any, layers: int) -> Any:
    """An initialiser as it is kept, so that it can be hashed.

    That is one of them, a pair of them, or for a list a tuple with a tuple of one or two of them
    for each layer.

    Raises:
        ValueError: an unknown name; another number of initialisers than of layers.
    """
    if isinstance(chosen, list) or is_layered(chosen):
        if len(chosen) != layers:
            raise ValueError(
                f"initializer is a list of {len(chosen)}, for {layers} layers, that of the outputs "
                "among them; give one for each layer, or one for all"
            )
        kept_as = [checked_initializers(each, layers) for each in chosen]
        return tuple(each if isinstance(each, tuple) else (each,) for each in kept_as)
    if not isinstance(chosen, tuple):
        return initializers.checked(chosen)
    if len(chosen) == 1:
        return (initializers.checked(chosen[0]),)
    if len(chosen) != 2:
        raise ValueError(
            f"initializer is a tuple of {len(chosen)}; give (weights, biases), or a list with one "
            "for each layer"
        )
    return tuple(map(initializers.checked, chosen))


def is_layered(chosen: Any) -> bool:
    """Whether initialisers are kept layer by layer: a tuple of tuples."""
    return isinstance(chosen, tuple) and bool(chosen) and isinstance(chosen[0], tuple)


def check_numbers(model: MLP) -> None:
    """Refuse numbers that the activation has no use for, or that are out of range.

    Raises:
        TypeError: no number.
        ValueError: with the number.
    """
    used = {*model.activations, model.output_activation, model.activation}
    named = repr(model.activation)
    if model.frequency is not None and "sin" not in used and model.initializer != "siren":
        raise ValueError(f"frequency belongs to the activation 'sin'; this model's is {named}")
    if model.a is not None and "snake" not in used:
        raise ValueError(f"a belongs to the activation 'snake'; this model's is {named}")
    check_number("init_scale", model.init_scale, low=0)
    for name in ("frequency", "a"):
        check_number(name, getattr(model, name))


def checked_dropout(rates: Any, hidden: int) -> Any:
    """A rate of dropout, or a tuple with one for each hidden layer.

    Raises:
        TypeError: no number.
        ValueError: a rate that is not in [0, 1), or another number of them than of hidden layers.
    """
    several = rates if isinstance(rates, tuple | list) else (rates,)
    if several is rates and len(rates) != hidden:
        raise ValueError(
            f"dropout has {len(rates)} rates, for {hidden} hidden layers; give one for each, or "
            "one for all"
        )
    for rate in several:
        check_number("dropout", rate)
        if isinstance(rate, float | int | np.floating) and not 0 <= rate < 1:
            raise ValueError(f"dropout is a rate in [0, 1), not {rate}")
    return tuple(rates) if several is rates else rates


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
    for n, layer in enumerate(params[:-1]):
        hidden = model.activate(affine(dict(layer), hidden), n)
        shares.append((jnp.ptp(hidden, 0) <= tolerance).mean())
    return jnp.stack(shares)
