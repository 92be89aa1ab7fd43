"""Networks: multilayer perceptrons, their activations and initialisers, and models of your own.

`KAN`, `Fourier`, `SIREN`, `RBF`, `Residual`, `Highway`, `ProductUnits`, `NAC`, `NALU`, `NAU` and
`NMU` are networks of other kinds.

A model is an `MLP`, another network of this module, a flax.linen module, or a pair of functions:
`init(key, x)` gives the first parameters, and `apply(params, x)` the outputs. `ACTIVATIONS` and
`INITIALIZERS` have the names that an `MLP` takes, and `CELLS` those that an `Arithmetic` takes.
"""

from approx.models.activations import ACTIVATIONS, Elementwise, activation, sin, snake
from approx.models.adapters import (
    STATISTICS,
    averages,
    functions,
    outputs,
    takes_weights,
    trained,
)
from approx.models.arithmetic import CELLS, NAC, NALU, NAU, NMU, Arithmetic, ProductUnits
from approx.models.chain import (
    Activation,
    BatchNorm,
    Chain,
    Dense,
    Dropout,
    GaussianNoise,
    LayerNorm,
    Normalization,
    Rescaling,
)
from approx.models.deep import Highway, Residual
from approx.models.features import RBF, SIREN, Fourier
from approx.models.initializers import INITIALIZERS, initializer
from approx.models.kan import KAN
from approx.models.mlp import MLP, affine, dropout, idle_units
from approx.numerics.barriers import kept, product, pulled, settled
from approx.numerics.products import contract

# Networks whose formulas accept a further axis of networks, so that they can take the form "lanes"
IN_LANES = (MLP, KAN, Fourier, RBF, Arithmetic, Residual, Highway)

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "INITIALIZERS",
    "IN_LANES",
    "KAN",
    "MLP",
    "NAC",
    "NALU",
    "NAU",
    "NMU",
    "RBF",
    "SIREN",
    "STATISTICS",
    "Activation",
    "Arithmetic",
    "BatchNorm",
    "Chain",
    "Dense",
    "Dropout",
    "Elementwise",
    "Fourier",
    "GaussianNoise",
    "Highway",
    "LayerNorm",
    "Normalization",
    "ProductUnits",
    "Rescaling",
    "Residual",
    "activation",
    "affine",
    "averages",
    "contract",
    "dropout",
    "functions",
    "idle_units",
    "initializer",
    "kept",
    "outputs",
    "product",
    "pulled",
    "settled",
    "sin",
    "snake",
    "takes_weights",
    "trained",
]
