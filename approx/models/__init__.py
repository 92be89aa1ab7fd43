"""Networks: multilayer perceptrons, their activations and initialisers, and models of your own.

A model is an `MLP`, a flax.linen module, or a pair of functions: `init(key, x)` gives the first
parameters, and `apply(params, x)` the outputs. `ACTIVATIONS` and `INITIALIZERS` have the names that
an `MLP` takes.
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
from approx.models.initializers import INITIALIZERS, initializer
from approx.models.mlp import MLP, affine, dropout, idle_units
from approx.numerics.barriers import kept, product, pulled, settled
from approx.numerics.products import contract

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "MLP",
    "STATISTICS",
    "Activation",
    "BatchNorm",
    "Chain",
    "Dense",
    "Dropout",
    "Elementwise",
    "GaussianNoise",
    "LayerNorm",
    "Normalization",
    "Rescaling",
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
