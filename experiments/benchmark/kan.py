"""A Kolmogorov-Arnold network (Liu and others, arXiv:2404.19756) as one writes it in plain JAX.

The benchmark compares `ap.models.KAN` with it, so it shares no code with that class.

Each edge from input i to output o has a function of its own,
phi(x) = weight * silu(x) + sum over n of coefficient[n] * B_n(x),
where B_n are the B-splines of a uniform grid on [-1, 1], continued by `order` knots at both ends.
An output is the sum of its edges' functions. Outside the grid the splines are 0, and silu is left.
"""

import math
from itertools import pairwise

import jax
import jax.numpy as jnp
from jax import random


def knots(intervals: int, order: int) -> list[float]:
    """The knots of a uniform grid on [-1, 1], with `order` more at both ends."""
    step = 2 / intervals
    return [-1 + step * n for n in range(-order, intervals + order + 1)]


def splines(x: jax.Array, intervals: int, order: int) -> jax.Array:
    """Every B-spline at x (...), as (..., intervals + order): the recursion of Cox and de Boor."""
    t = knots(intervals, order)

    # Degree 0: 1 between two knots
    values = []
    for left, right in pairwise(t):
        values.append(jnp.where((x >= left) & (x < right), 1.0, 0.0))

    # Each degree blends two neighbours of the degree below
    for degree in range(1, order + 1):
        raised = []
        for n in range(len(values) - 1):
            end, last = t[n + degree], t[n + degree + 1]
            rising = (x - t[n]) / (end - t[n])
            falling = (last - x) / (last - t[n + 1])
            raised.append(rising * values[n] + falling * values[n + 1])
        values = raised

    return jnp.stack(values, -1)


def kan(widths: tuple[int, ...], intervals: int = 3, order: int = 3):
    """A network of these widths, inputs and outputs included, as a pair for `Recipe(model=...)`.

    Edges start with weights U(-1, 1) / sqrt(inputs) and coefficients N(0, 0.04²), about those that
    pykan 0.2.8 starts from on this grid.
    """
    count = intervals + order

    def init(key, x):
        params = []
        for inputs, outputs in pairwise(widths):
            key, of_weight, of_coefficient = random.split(key, 3)
            shape = (inputs, outputs)
            weight = random.uniform(of_weight, shape, minval=-1.0) / math.sqrt(inputs)
            coefficient = 0.04 * random.normal(of_coefficient, (*shape, count))
            params.append({"weight": weight, "coefficient": coefficient})
        return params

    def apply(params, x):
        for layer in params:
            smooth = jax.nn.silu(x) @ layer["weight"]
            bent = jnp.einsum("nik,iok->no", splines(x, intervals, order), layer["coefficient"])
            x = smooth + bent
        return x

    return init, apply
