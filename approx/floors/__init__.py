"""Floors: the smallest error there can be, computed on the very points that are judged.

A loss of 1e-3 is a failure or the best possible, depending on the network. A floor takes x (k,) or
(k, 1), y likewise and perhaps weights, and knows nothing of training. Lower bounds are proven; what
is attained is the error of a function that was found, and says so.
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
    ReluOptimum,
    deep_pieces,
    pieces_bound,
    relu_optimum,
    square_max,
    square_mse,
)
from approx.floors.polynomials import (
    minimax_polynomial,
    polynomial_mse,
)
from approx.floors.precision import (
    float32_resolution,
    float32_rounding,
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
    "minimax_polynomial",
    "modes",
    "pca_residual",
    "pieces_bound",
    "polynomial_mse",
    "relu_optimum",
    "separable",
    "square_max",
    "square_mse",
    "waveform_softmax",
]
