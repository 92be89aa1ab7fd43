"""Memories of the inverse Hessian B that quasi-Newton methods learn from their steps.

Shape letters: p parameters, k steps that L-BFGS remembers.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from approx.numerics.products import identity


class Memory(NamedTuple):
    """How a method remembers an inverse Hessian B.

    Attributes:
        empty: `(point) -> memory`.
        learn: `(memory, fresh, step, bend) -> memory` from a step and the change of the gradient
            along it (the bend). Where `fresh`, what the memory held before is ignored.
        times: `(memory, gradient) -> B gradient`.
        most: `(p) -> ` the number of steps after which the memory is emptied.
    """

    empty: Callable
    learn: Callable
    times: Callable
    most: Callable


# ---- BFGS: the whole matrix ----------------------------------------------------------------------


def identity_of(point: Array) -> Array:
    """The identity (p, p), for a point (p,)."""
    return jnp.eye(len(point), dtype=point.dtype)


def update_inverse(inverse: Array, fresh: Array, step: Array, bend: Array) -> Array:
    """The BFGS update of the inverse Hessian B.

    `B + ((1 + yᵀBy / sᵀy) s sᵀ - s (By)ᵀ - (By) sᵀ) / sᵀy` (Nocedal and Wright 2006, equation 6.17,
    multiplied out).

    Args:
        inverse: B.
        fresh: whether B is the identity instead.
        step: s, with `sᵀy` > 0.
        bend: y, the change of the gradient along s.
    """
    inverse = jnp.where(fresh, identity(inverse), inverse)
    image = times(inverse, bend)
    curvature = (step * bend).sum(0)
    # Nobody uses the result where sᵀy <= 0, but its derivative must be finite
    curvature = jnp.where(curvature > 0, curvature, 1)
    factor = 1 + (bend * image).sum(0) / curvature
    change = factor * outer(step, step)
    change = change - outer(step, image)
    change = change - outer(image, step)
    return inverse + change / curvature


def outer(a: Array, b: Array) -> Array:
    """`a bᵀ`."""
    return a[:, None] * b


def times(inverse: Array, gradient: Array) -> Array:
    """`B g`."""
    return (inverse * gradient).sum(1)


WHOLE_MATRIX = Memory(identity_of, update_inverse, times, most=lambda p: 2 * p)


# ---- L-BFGS: the last steps ----------------------------------------------------------------------


class Pairs(NamedTuple):
    """The last k steps and the change of the gradient along each, oldest first.

    Where there is no step yet, both are 0.
    """

    steps: Float[Array, "k p ..."]
    bends: Float[Array, "k p ..."]


def remember(pairs: Pairs, fresh: Array, step: Array, bend: Array) -> Pairs:
    """The pairs with one more at the end, and the oldest gone."""

    def push(old, new):
        return jnp.concatenate([jnp.where(fresh, 0, old[1:]), new[None]])

    return Pairs(push(pairs.steps, step), push(pairs.bends, bend))


def two_loops(pairs: Pairs, gradient: Array) -> Array:
    """`B g` by the two loops of L-BFGS, from `B₀ = sᵀy / yᵀy` of the last pair.

    Nocedal and Wright 2006, algorithm 7.4 and equation 7.20.
    """
    products = pairs.steps * pairs.bends
    curvature = products.sum(1)
    positive = curvature > 0
    divisor = jnp.where(curvature > 0, curvature, 1)
    weight = jnp.where(positive, 1 / divisor, 0)

    def back(gradient, pair):
        step, bend, weight = pair
        along_step = (step * gradient).sum(0)
        share = weight * along_step
        return gradient - share * bend, share

    def forth(direction, pair):
        step, bend, weight, share = pair
        added = share - weight * (bend * direction).sum(0)
        return direction + added * step, None

    gradient, shares = lax.scan(back, gradient, (*pairs, weight), reverse=True)
    upwards = curvature[-1] > 0
    ratio = curvature[-1] / (pairs.bends[-1] ** 2).sum(0)
    scale = jnp.where(upwards, ratio, 1)
    direction, _ = lax.scan(forth, scale * gradient, (*pairs, weight, shares))
    return direction


def last_steps(size: int) -> Memory:
    """The memory of so many steps, which is never emptied."""

    def empty(point):
        steps = jnp.zeros((size, len(point)), point.dtype)
        bends = jnp.zeros((size, len(point)), point.dtype)
        return Pairs(steps, bends)

    return Memory(empty, remember, two_loops, most=lambda p: jnp.inf)
