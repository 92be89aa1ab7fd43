"""Floors: the smallest error that a network can have at given points, however it is trained.

A loss of 1e-3 is a failure for one network and the best possible for another: a floor tells which.
A floor takes x (k,) or (k, 1), y likewise and perhaps weights of the points; it knows nothing of
training. Some functions prove a lower bound: no network is better. Others search for a good network
and give its error, which can be attained. Each docstring says which of the two it is.
"""

from approx.floors.classes import (
    bayes_accuracy,
    majority,
    separable,
    waveform_softmax,
)
from approx.floors.linear import (
    descent,
    least_squares,
    modes,
    pca_residual,
)
from approx.floors.pieces import (
    deep_pieces,
    pieces_bound,
    square_mse,
)
from approx.floors.precision import (
    float32_resolution,
    float32_rounding,
)
from approx.floors.relu import (
    ReluOptimum,
    relu_optimum,
)
from approx.floors.starts import loss_from_starts

__all__ = [
    "ReluOptimum",
    "bayes_accuracy",
    "deep_pieces",
    "descent",
    "float32_resolution",
    "float32_rounding",
    "least_squares",
    "loss_from_starts",
    "majority",
    "modes",
    "pca_residual",
    "pieces_bound",
    "relu_optimum",
    "separable",
    "square_mse",
    "waveform_softmax",
]
