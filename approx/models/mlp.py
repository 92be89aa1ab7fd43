"""The network: activations, initialisers, and the multilayer perceptron of the catalogue.

A model is anything with `init(key, x) -> params` and `apply(params, x) -> outputs`: an `MLP`, a flax.linen module, or
a pair of functions (init, apply). If its apply takes `key` (or flax's `rngs`), it gets a dropout key in training and
none when it is judged.
"""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike, Float, Key, PyTree

from approx.numerics import elementary
from approx.tasks.data import STATIC, check_number


def sin(z: Array, frequency: ArrayLike = 1.0) -> Array:
    """`sin(frequency z)` (Sitzmann et al. 2020, SIREN, whose omega_0 this is)."""
    return elementary.sin(frequency * z)


def snake(z: Array, a: ArrayLike = 1.0) -> Array:
    """`z + sin²(a z) / a` (Ziyin, Hartwig and Ueda 2020, eq. 3)."""
    return z + elementary.sin(a * z) ** 2 / a


def identity(z: Array) -> Array:
    """`z`."""
    return z


ACTIVATIONS = {
    "tanh": elementary.tanh,
    "relu": jax.nn.relu,
    "sigmoid": elementary.sigmoid,
    "gelu": partial(jax.nn.gelu, approximate=False),  # the exact one, Keras' and PyTorch's default
    "gaussian": elementary.gaussian,
    "sin": sin,
    "snake": snake,
    "square": jnp.square,
    "identity": identity,
    "xla_tanh": jnp.tanh,
}


@dataclass(frozen=True)
class Elementwise:
    """An activation of one's own that is said to take every number by itself, so that `lanes` can be used with it."""

    function: Callable

    def __call__(self, z: Array) -> Array:
        """The function."""
        return self.function(z)


def init_keras(key, fan_in, fan_out, **_):
    """Keras' Dense: Glorot uniform weights, `U(±sqrt(6 / (fan_in + fan_out)))`, zero biases."""
    return uniform(key, (fan_in, fan_out), jnp.sqrt(6 / (fan_in + fan_out))), jnp.zeros(fan_out)


def init_pytorch(key, fan_in, fan_out, **_):
    """PyTorch's Linear: weights AND biases `U(±1 / sqrt(fan_in))`, the fan-in of the weight in both."""
    w_key, b_key = random.split(key)
    bound = 1 / jnp.sqrt(fan_in)
    return uniform(w_key, (fan_in, fan_out), bound), uniform(b_key, (fan_out,), bound)


def init_nnet(key, fan_in, fan_out, **_):
    """R's nnet: weights and biases `U(-0.7, 0.7)` (its `rang`)."""
    w_key, b_key = random.split(key)
    return uniform(w_key, (fan_in, fan_out), 0.7), uniform(b_key, (fan_out,), 0.7)


def init_he(key, fan_in, fan_out, **_):
    """He et al. 2015: weights `N(0, 2 / fan_in)`, untruncated as in PyTorch; zero biases."""
    return jnp.sqrt(2 / fan_in) * random.normal(key, (fan_in, fan_out)), jnp.zeros(fan_out)


def init_uniform(key, fan_in, fan_out, **_):
    """Weights and biases `U(-1, 1)`, to be sized by `init_scale`."""
    w_key, b_key = random.split(key)
    return uniform(w_key, (fan_in, fan_out), 1.0), uniform(b_key, (fan_out,), 1.0)


def init_siren(key, fan_in, fan_out, *, first, frequency):
    """Sitzmann et al. 2020: first layer `U(±1 / fan_in)`, then `U(±sqrt(6 / fan_in) / frequency)`; PyTorch's biases."""
    w_key, b_key = random.split(key)
    bound = 1 / fan_in if first else jnp.sqrt(6 / fan_in) / frequency
    return uniform(w_key, (fan_in, fan_out), bound), uniform(b_key, (fan_out,), 1 / jnp.sqrt(fan_in))


def init_identity(key, fan_in, fan_out, **_):
    """Ones on the diagonal, zeros elsewhere, zero biases."""
    return jnp.eye(fan_in, fan_out), jnp.zeros(fan_out)


INITIALIZERS = {
    "keras": init_keras,
    "pytorch": init_pytorch,
    "nnet": init_nnet,
    "he": init_he,
    "uniform": init_uniform,
    "siren": init_siren,
    "identity": init_identity,
}


def uniform(key: Key[Array, ""], shape: tuple[int, ...], bound: Any) -> Array:
    """`U(-bound, bound)`."""
    return random.uniform(key, shape, minval=-bound, maxval=bound)


OFTEN = 500  # products for which a cheap activation is rather computed anew than stored
CONFLICT = 128  # numbers between those of a column at which they share few sets of a cache


def contract(x: Array, w: ArrayLike) -> Array:
    """`x w` for x (n, i) and w (i, o); or of S networks at once, x (n, i, S or 1) and w (i, o, S), without dots.

    A dot of many small matrices is a kernel each on a CPU; this is one multiply-add along the last axis. Of one network
    x may have a last axis too, (n, i, S): rows, for example.
    """
    w = jnp.asarray(w)
    if w.ndim == 3:
        return (settled(x)[:, :, None] * w).sum(1)
    if x.ndim == 3:
        return jax.vmap(lambda x: w.T @ x)(x)
    return x @ w if x.shape[1] % CONFLICT else product(x, w)


@jax.custom_jvp
def product(x: Array, w: Array) -> Array:
    """`x w`, whose gradient `xᵀ g` is made of x transposed in memory: XLA:CPU else reads x column by column.

    Measured on one core, whole steps of 8-i-o-4, 128 rows: 256 by 256 (i by o) 1.15 times faster, 1,024 by 64 1.6; but
    200 by 200 and 784 by 128 as slow or up to 5% slower, as their columns do not share sets.
    """
    return x @ w


@product.defjvp
def product_jvp(primals, tangents):
    """The product rule."""
    (x, w), (dx, dw) = primals, tangents
    transposed = jax.lax.optimization_barrier(x.T)
    return x @ w, dx @ w + jax.lax.dot_general(transposed, dw, (((0,), (0,)), ((), ())))


# What XLA:CPU stores, and what it computes anew without need, decides the speed of lanes. Measured on one core, 32
# lanes, ns per seed and step: 1-16-16-1, 21 rows, sin 3,754 without `kept` and 667 with it, gelu 1,756 and 1,137, tanh
# 533 and 524, but relu 426 and 643; 64 rows, relu 1,513 without `pulled` and 948 with it, tanh 1,624 and 1,270.


@jax.custom_jvp
def settled(x: Array) -> Array:
    """`x`, computed once where nothing is differentiated; else its derivative stores what is worth it.

    A record costs 13 steps of ten tanh units with it, 130 without: XLA computes x anew for each of its products.
    """
    return jax.lax.optimization_barrier(x)


settled.defjvp(lambda primals, tangents: (primals[0], tangents[0]))


@jax.custom_jvp
def kept(h: Array) -> Array:
    """`h`, computed once."""
    return jax.lax.optimization_barrier(h)


kept.defjvp(lambda primals, tangents: (jax.lax.optimization_barrier(primals[0]), tangents[0]))


@jax.custom_jvp
def pulled(z: Array) -> Array:
    """`z`, whose cotangent is computed once."""
    return z


pulled.defjvp(lambda primals, tangents: (primals[0], jax.lax.optimization_barrier(tangents[0])))


def affine(layer: dict[str, Any], x: Array) -> Array:
    """`x w + b`, of one network or of many (see `contract`)."""
    z = contract(x, layer["w"])
    if "b" not in layer:
        return z
    return z + (layer["b"] if z.ndim == jnp.ndim(layer["w"]) else layer["b"][:, None])


def dropout(key: Key[Array, "..."], layer: int, x: Array, rate: ArrayLike) -> Array:
    """Zero with probability `rate`, the rest scaled by 1 / (1 - rate) (inverted dropout, as in Keras and PyTorch)."""
    draw = lambda key: random.uniform(random.fold_in(key, layer), x.shape[:2])  # noqa: E731
    uniform = jax.vmap(draw, out_axes=-1)(key) if key.ndim else draw(key)
    return jnp.where(uniform < rate, 0, x / (1 - rate))


@register_dataclass
@dataclass(frozen=True)
class MLP:
    """A multilayer perceptron: affine maps with one activation between them, none after the last.

    Attributes:
        widths: hidden widths, `(10,)` or `(8, 8)`; `()` is a linear model.
        activation: a name of `models.ACTIVATIONS`, or an elementwise function.
        outputs: number of outputs (classes, for `cross_entropy`).
        bias: whether the layers have biases.
        initializer: a name of `models.INITIALIZERS`, or a `jax.nn.initializers` one (key, shape, dtype), zero biases.
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
        for what, chosen, known in (
            ("activation", self.activation, ACTIVATIONS),
            ("initializer", self.initializer, INITIALIZERS),
        ):
            if not callable(chosen) and chosen not in known:
                raise ValueError(f"unknown {what} {chosen!r}; there is: {', '.join(known)}, or your own function")
        if not isinstance(self.widths, tuple | list):
            raise TypeError(f"widths is {self.widths!r}; it must be a tuple of hidden widths, such as (10,) or ()")
        object.__setattr__(self, "widths", tuple(self.widths))
        for width in (*self.widths, self.outputs):
            if not (isinstance(width, int | np.integer) and width >= 1):
                raise ValueError(f"widths {self.widths} and outputs {self.outputs} must be whole and at least 1")
        if self.frequency is not None and self.activation != "sin" and self.initializer != "siren":
            raise ValueError(f"frequency belongs to the activation 'sin'; this model's is {self.activation!r}")
        if self.a is not None and self.activation != "snake":
            raise ValueError(f"a belongs to the activation 'snake'; this model's is {self.activation!r}")
        check_number("init_scale", self.init_scale, low=0)
        for name in ("dropout", "frequency", "a"):
            check_number(name, getattr(self, name))
        if isinstance(self.dropout, float | int | np.generic) and not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is a rate in [0, 1), not {self.dropout}")

    def init(self, key: Key[Array, ""], x: Float[Array, "n i"]) -> list[dict[str, Array]]:
        """Parameters: one `{"w": (i, o), "b": (o,)}` per layer, each layer from a key of its own."""
        sizes = (x.shape[-1], *self.widths, self.outputs)
        return [self.layer(random.fold_in(key, n), sizes[n], sizes[n + 1], n == 0) for n in range(len(sizes) - 1)]

    def layer(self, key, fan_in, fan_out, first):
        """One layer's parameters."""
        if callable(self.initializer):
            w, b = self.initializer(key, (fan_in, fan_out), jnp.result_type(float)), jnp.zeros(fan_out)
        else:
            frequency = 1.0 if self.frequency is None else self.frequency
            w, b = INITIALIZERS[self.initializer](key, fan_in, fan_out, first=first, frequency=frequency)
        return {"w": self.init_scale * w, "b": self.init_scale * b} if self.bias else {"w": self.init_scale * w}

    def activate(self, z: Array) -> Array:
        """The activation, with its number if it has one."""
        activation: Any = self.activation if callable(self.activation) else ACTIVATIONS[self.activation]
        if activation is sin and self.frequency is not None:
            return sin(z, self.frequency)
        if activation is snake and self.a is not None:
            return snake(z, self.a)
        return activation(z)

    def apply(self, params, x: Array, key: Key[Array, "..."] | None = None) -> Array:
        """Outputs (n, o) at x (n, i), of one network or of many (see `contract`); with a key, units drop out."""
        cheap = self.activation in ("relu", "square", "identity")  # to compute anew, up to some number of times
        for n, layer in enumerate(params[:-1]):
            z = affine(layer, x)
            x = self.activate(z if cheap and len(layer["w"]) == 1 else pulled(z))
            x = x if cheap and math.prod(params[n + 1]["w"].shape[:2]) <= OFTEN else kept(x)
            if self.dropout is not None and key is not None:
                x = dropout(key, n, x, self.dropout)
        return affine(params[-1], x)


def functions(model: Any) -> tuple[Callable[..., PyTree], Callable[..., Array]]:
    """Any model's `init(key, x)` and `apply(params, x, key=None)`.

    Raises:
        TypeError: something that is not a model.
    """
    pair = model if isinstance(model, tuple) else (getattr(model, "init", None), getattr(model, "apply", None))
    if len(pair) != 2 or not all(map(callable, pair)):
        raise TypeError(
            f"{model!r} is no model: it needs init(key, x) and apply(params, x), as flax.linen modules have"
        )
    init, apply = pair
    taken = inspect.signature(apply).parameters
    if "key" in taken:
        return init, apply
    if "rngs" in taken:
        return flax_functions(model)
    return init, lambda params, x, key=None: apply(params, x)


def flax_functions(module: Any) -> tuple[Callable[..., PyTree], Callable[..., Array]]:
    """A flax.linen module's: a key means training, which its call's `train`, `training` or `deterministic` is told.

    A module without such an argument may ask `self.has_rng("dropout")`.

    Raises:
        ValueError: collections besides the parameters, which training would have to update.
    """
    taken = inspect.signature(type(module).__call__).parameters

    def mode(training: bool) -> dict[str, bool]:
        said = {"train": training, "training": training, "deterministic": not training}
        return {name: value for name, value in said.items() if name in taken}

    def init(key, x):
        variables = module.init(key, x, **mode(False))
        if extra := set(variables) - {"params"}:
            raise ValueError(f"flax collections {sorted(extra)} are not supported: only 'params' are trained")
        return variables

    def apply(params, x, key=None):
        rngs = None if key is None else {"dropout": key}
        return module.apply(params, x, rngs=rngs, **mode(key is not None))

    return init, apply


def idle_units(model: MLP, params: Sequence[Mapping[str, ArrayLike]], x: ArrayLike, tolerance: float = 1e-3) -> Array:
    """Share of each hidden layer's units whose output is the same on all rows: dead relus, saturated sigmoids.

    A unit is idle if its output varies by no more than `tolerance` over the rows: it is a bias to the next layer. One
    network's; `jax.vmap` over the parameters for those of many seeds.

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
