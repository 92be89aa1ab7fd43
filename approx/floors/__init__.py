"""Floors: the smallest error there can be, computed on the very points that are judged.

A loss of 1e-3 is a failure or the best possible, depending on the network. A floor takes x (k,) or
(k, 1), y likewise and perhaps weights, and knows nothing of training. Lower bounds are proven. What
is attained is the error of a function that was found, and its docstring says so.
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

__all__ = [
    "ReluOptimum",
    "bayes_accuracy",
    "deep_pieces",
    "descent",
    "float32_resolution",
    "float32_rounding",
    "least_squares",
    "majority",
    "modes",
    "pca_residual",
    "pieces_bound",
    "relu_optimum",
    "separable",
    "square_mse",
    "waveform_softmax",
]
