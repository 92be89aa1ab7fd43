"""Networks that are made to add and to multiply: product units, NAC, NALU, NAU and NMU.

Each kind of layer is a `Cell`, and an `Arithmetic` is a stack of them. None has biases.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, Float, Key

from approx.models import draws
from approx.models.networks import Network, check_counts
from approx.numerics import elementary
from approx.numerics.products import contract
from approx.tasks.arguments import spelled
from approx.tasks.data import STATIC
from approx.tasks.values import meant

EPSILON = 1e-7  # is added to |x| before its logarithm, as in Madsen and Johansen's programs


class Cell(NamedTuple):
    """One kind of layer.

    Attributes:
        init: (source, i, o) -> the first parameters.
        apply: (params, x (n, i)) -> outputs (n, o).
        weights: params -> the weights that should become whole numbers, or None.
    """

    init: Callable
    apply: Callable
    weights: Callable


# ---- weights -------------------------------------------------------------------------------------


def glorot(source: draws.Source, i: int, o: int) -> Array:
    """`U(±√(6 / (i + o)))` (Glorot and Bengio 2010)."""
    return source.uniform((i, o), math.sqrt(6 / (i + o)))


def nac_variance(r: float) -> float:
    """The variance of `tanh(a) sigmoid(b)` for a and b from U(±r) (Madsen and Johansen 2020)."""
    return (1 - np.tanh(r) / r) * (r - np.tanh(r / 2)) / (2 * r)


def nac_bound(i: int, o: int) -> float:
    """The r with which the weights of a NAC have the variance `2 / (i + o)`, or 2 / 5 at most.

    It is what Madsen and Johansen's programs take; Trask et al. 2018 do not name an initialiser.
    """
    wanted = 2 / max(i + o, 5)
    low, high = 1e-6, 100.0
    for _ in range(60):  # the variance grows with r
        middle = (low + high) / 2
        low, high = (middle, high) if nac_variance(middle) < wanted else (low, middle)
    return high


def init_nac(source: draws.Source, i: int, o: int) -> dict[str, Array]:
    """The two matrices of a NAC."""
    of_w, of_m = source.split()
    bound = nac_bound(i, o)
    return {"w": of_w.uniform((i, o), bound), "m": of_m.uniform((i, o), bound)}


def nac_weights(params: Any) -> Array:
    """`tanh(w) sigmoid(m)`, which training draws towards -1, 0 and 1 (Trask et al. 2018, eq. 1)."""
    return elementary.tanh(params["w"]) * elementary.sigmoid(params["m"])


def clamped(w: Array, low: int, high: int) -> Array:
    """`min(max(w, low), high)`, whose slope is 1 outside too, so that a weight can come back.

    Madsen and Johansen clamp the weights themselves after each step, where these can come back too.
    """
    return w + jax.lax.stop_gradient(jnp.clip(w, low, high) - w)


def init_nau(source: draws.Source, i: int, o: int) -> dict[str, Array]:
    """`U(±r)` with `r = min(1/2, √(6 / (i + o)))`."""
    return {"w": source.uniform((i, o), min(0.5, math.sqrt(6 / (i + o))))}


def nau_weights(params: Any) -> Array:
    """The weights between -1 and 1."""
    return clamped(params["w"], -1, 1)


def init_nmu(source: draws.Source, i: int, o: int) -> dict[str, Array]:
    """`U(1/4, 3/4)`."""
    return {"w": 0.5 + source.uniform((i, o), 0.25)}


def nmu_weights(params: Any) -> Array:
    """The weights between 0 and 1."""
    return clamped(params["w"], 0, 1)


def init_nalu(source: draws.Source, i: int, o: int) -> dict[str, Array]:
    """A NAC's matrices, and those of the gate by Glorot's scheme."""
    of_nac, of_gate = source.split()
    gate = glorot(of_gate, i, o)
    # The deepest key that can be drawn beforehand is a layer's part
    r = nac_bound(i, o)
    both = of_nac.uniform((2, i, o), r)
    return {"w": both[0], "m": both[1], "gate": gate}


def init_plain(source: draws.Source, i: int, o: int) -> dict[str, Array]:
    """Weights by Glorot's scheme."""
    return {"w": glorot(source, i, o)}


def no_weights(params: Any) -> None:
    """A layer without weights that should become whole."""
    del params


# ---- layers --------------------------------------------------------------------------------------


def linear(params: Any, x: Array) -> Array:
    """`x w`."""
    return contract(x, params["w"])


def product_units(params: Any, x: Array) -> Array:
    """`Π_i x_i^w_io`, of a negative x_i its real part (Durbin and Rumelhart 1989).

    That is `exp(Σ_i w_io log|x_i|) cos(π Σ_i w_io [x_i < 0])`.
    """
    w = params["w"]
    size = jnp.exp(contract(log_size(x), w))
    negative = (x < 0).astype(x.dtype)
    return size * elementary.cos(jnp.pi * contract(negative, w))


def log_size(x: Array) -> Array:
    """`log(|x| + 1e-7)`."""
    return jnp.log(jnp.abs(x) + EPSILON)


def nac(params: Any, x: Array) -> Array:
    """`x W` with `W = tanh(w) sigmoid(m)` (Trask et al. 2018, eq. 1)."""
    return contract(x, nac_weights(params))


def nac_product(params: Any, x: Array) -> Array:
    """`exp(log(|x| + ε) W)` (Trask et al. 2018, eq. 2); it knows no signs."""
    return jnp.exp(contract(log_size(x), nac_weights(params)))


def nalu(params: Any, x: Array) -> Array:
    """`g a + (1 - g) m`, `g = sigmoid(x G)`, with a NAC's sum a and product m of one W.

    Trask et al. 2018, eq. 2.
    """
    g = elementary.sigmoid(contract(x, params["gate"]))
    return g * nac(params, x) + (1 - g) * nac_product(params, x)


def nau(params: Any, x: Array) -> Array:
    """`x W` with W between -1 and 1 (Madsen and Johansen 2020, eq. 6)."""
    return contract(x, nau_weights(params))


def nmu(params: Any, x: Array) -> Array:
    """`Π_i (W_io x_i + 1 - W_io)` with W between 0 and 1 (Madsen and Johansen 2020, eq. 9)."""
    w = nmu_weights(params)
    return (x[:, :, None] * w + (1 - w)).prod(1)


CELLS: dict[str, Cell] = {
    "linear": Cell(init_plain, linear, no_weights),
    "product_units": Cell(init_plain, product_units, no_weights),
    "nac": Cell(init_nac, nac, nac_weights),
    "nac_product": Cell(init_nac, nac_product, nac_weights),
    "nalu": Cell(init_nalu, nalu, nac_weights),
    "nau": Cell(init_nau, nau, nau_weights),
    "nmu": Cell(init_nmu, nmu, nmu_weights),
}


@spelled
@register_dataclass
@dataclass(frozen=True)
class Arithmetic(Network):
    """Layers that add and layers that multiply, one after another.

    Attributes:
        cells: the kind of every layer, the last one too: names of `models.CELLS`, or one name for
            all layers.
        widths: outputs of each layer but the last.
        outputs: outputs of the last layer.

    Raises:
        ValueError: an unknown name, another number of names than of layers, counts below 1.

    Example:
        `Arithmetic(("nau", "nmu"), widths=(2,))` is what Madsen and Johansen 2020 multiply with.
    """

    cells: str | tuple[str, ...] = field(default=("nau", "nmu"), metadata=STATIC)
    widths: tuple[int, ...] = field(default=(2,), metadata=STATIC)
    outputs: int = field(default=1, metadata=STATIC)

    def __post_init__(self):
        check_counts(self, "widths", "outputs")
        layers = len(self.widths) + 1
        several = not isinstance(self.cells, str)
        names = tuple(self.cells) if several else (self.cells,) * layers
        for name in names:
            if name not in CELLS:
                raise ValueError(
                    f"unknown cell {name!r}; there is: {', '.join(CELLS)}{meant(name, CELLS)}"
                )
        if len(names) != layers:
            raise ValueError(
                f"cells has {len(names)} names, for {layers} layers, the last one among them; "
                "give one for each, or one for all"
            )
        self._settle("cells", names)

    def sizes(self, inputs: int) -> list[tuple[int, int]]:
        """Inputs and outputs of each layer."""
        return [*itertools.pairwise((inputs, *self.widths, self.outputs))]

    def products(self, inputs: int) -> list[tuple[int, int]]:
        """The sizes of the weights."""
        return self.sizes(inputs)

    def init(self, key: Key[Array, ""] | draws.Source, x: Float[Array, "n i"]) -> dict[str, Any]:
        """Parameters of each layer: matrices (i, o).

        Args:
            key: of the network; or a source of random numbers that stands for it (see `draws`).
            x: inputs, of which only the number of columns counts.
        """
        source = draws.as_source(key)
        layers = []
        for n, size in enumerate(self.sizes(x.shape[-1])):
            layers.append(CELLS[self.cells[n]].init(source.fold_in(n), *size))
        return {"layers": layers}

    def apply(self, params: Any, x: Float[Array, "n i ..."]) -> Float[Array, "n o ..."]:
        """Outputs (n, o) at x (n, i)."""
        for name, layer in zip(self.cells, params["layers"], strict=True):
            x = CELLS[name].apply(layer, x)
        return x

    def sparsity(self, params: Any) -> Array:
        """How far the weights W are from whole numbers: the largest of all `min(|W|, |1 - |W||)`.

        0 is a network that can be read as a formula (Madsen and Johansen 2020, section 4.1, where
        it is called sparsity error). Layers of product units have no such weights and do not count.

        Args:
            params: of one network; use `jax.vmap` for many.
        """
        worst = jnp.zeros(())
        for name, layer in zip(self.cells, params["layers"], strict=True):
            w = CELLS[name].weights(layer)
            if w is not None:
                size = jnp.abs(w)
                worst = jnp.maximum(worst, jnp.minimum(size, jnp.abs(1 - size)).max())
        return worst


def ProductUnits(units: int = 4, *, outputs: int = 1) -> Arithmetic:  # noqa: N802 (a network's name)
    """Product units and a linear output: `y = Σ_u v_u Π_i x_i^w_iu` (Durbin and Rumelhart 1989).

    Args:
        units: number of product units.
        outputs: number of outputs.

    Raises:
        ValueError: counts below 1.

    Example:
        `ProductUnits(2)`
    """
    return Arithmetic(("product_units", "linear"), (units,), outputs)


def NAC(widths: Any = (2,), *, outputs: int = 1) -> Arithmetic:  # noqa: N802 (as above)
    """Neural accumulators: every layer is `x W`, `W = tanh(w) sigmoid(m)` (Trask et al. 2018).

    Args:
        widths: hidden widths.
        outputs: number of outputs.

    Raises:
        ValueError: counts below 1.

    Example:
        `NAC((2,))`; `Arithmetic(("nac", "nac_product"))` adds first and multiplies then.
    """
    return Arithmetic("nac", widths, outputs)


def NALU(widths: Any = (2,), *, outputs: int = 1) -> Arithmetic:  # noqa: N802 (as above)
    """Neural arithmetic logic units, which choose between sum and product (Trask et al. 2018).

    Args:
        widths: hidden widths.
        outputs: number of outputs.

    Raises:
        ValueError: counts below 1.

    Example:
        `NALU((2,))`
    """
    return Arithmetic("nalu", widths, outputs)


def NAU(widths: Any = (2,), *, outputs: int = 1) -> Arithmetic:  # noqa: N802 (as above)
    """Neural addition units: every layer is `x W`, W in [-1, 1] (Madsen and Johansen 2020).

    Args:
        widths: hidden widths.
        outputs: number of outputs.

    Raises:
        ValueError: counts below 1.

    Example:
        `NAU((2,))`
    """
    return Arithmetic("nau", widths, outputs)


def NMU(widths: Any = (2,), *, outputs: int = 1) -> Arithmetic:  # noqa: N802 (as above)
    """Addition units, and a last layer of multiplication units (Madsen and Johansen 2020).

    The last layer is `Π_i (W_io x_i + 1 - W_io)`, W in [0, 1].

    Args:
        widths: outputs of the addition units; `()` leaves them out.
        outputs: number of outputs.

    Raises:
        ValueError: counts below 1.

    Example:
        `NMU((2,))` multiplies two sums of its inputs.
    """
    if not isinstance(widths, tuple | list):
        raise TypeError(f"widths is {widths!r}; it must be a tuple, as in (2,)")
    return Arithmetic((*("nau" for _ in widths), "nmu"), tuple(widths), outputs)
