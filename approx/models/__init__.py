"""Networks: multilayer perceptrons, their activations and initialisers, and adapters for models of one's own."""

from approx.models.mlp import (
    ACTIVATIONS,
    INITIALIZERS,
    MLP,
    Elementwise,
    affine,
    contract,
    dropout,
    functions,
    idle_units,
    kept,
    product,
    pulled,
    settled,
    sin,
    snake,
)

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "MLP",
    "Elementwise",
    "affine",
    "contract",
    "dropout",
    "functions",
    "idle_units",
    "kept",
    "product",
    "pulled",
    "settled",
    "sin",
    "snake",
]
