"""What XLA stores and what it computes anew: functions that change the speed and not the values.

What XLA:CPU stores, and what it computes anew without need, decides the speed of lanes. Measured on
one core, 32 lanes, ns per seed and step: 1-16-16-1, 21 rows, sin 3,754 without `kept` and 667 with
it, gelu 1,756 and 1,137, tanh 533 and 524, but relu 426 and 643; 64 rows, relu 1,513 without
`pulled` and 948 with it, tanh 1,624 and 1,270.
"""

import jax
from jaxtyping import Array

# Products per layer up to which a cheap activation is rather computed anew than stored.
OFTEN = 500


@jax.custom_jvp
def product(x: Array, w: Array) -> Array:
    """`x w`, whose gradient `xᵀ g` uses a transposed copy of x: XLA:CPU else reads x by columns.

    Measured on one core, whole steps of 8-i-o-4, 128 rows: 256 by 256 (i by o) 1.15 times faster,
    1,024 by 64 1.6; but 200 by 200 and 784 by 128 as slow or up to 5% slower, as their columns do
    not share sets of the cache.
    """
    return x @ w


@product.defjvp
def product_jvp(primals, tangents):
    """The product rule."""
    (x, w), (dx, dw) = primals, tangents
    transposed = jax.lax.optimization_barrier(x.T)
    value = x @ w
    of_x = dx @ w
    of_w = jax.lax.dot_general(transposed, dw, (((0,), (0,)), ((), ())))
    return value, of_x + of_w


@jax.custom_jvp
def settled(x: Array) -> Array:
    """`x`, stored where nothing is differentiated: XLA else computes it anew for each product.

    A record costs 13 steps of ten tanh units with it, and 130 without. In a derivative it is `x`
    itself: the derivative's own barriers (`kept`, `pulled`) say what is stored there.
    """
    return jax.lax.optimization_barrier(x)


settled.defjvp(lambda primals, tangents: (primals[0], tangents[0]))


@jax.custom_jvp
def kept(h: Array) -> Array:
    """`h`, which XLA computes once and stores."""
    return jax.lax.optimization_barrier(h)


kept.defjvp(lambda primals, tangents: (jax.lax.optimization_barrier(primals[0]), tangents[0]))


@jax.custom_jvp
def pulled(z: Array) -> Array:
    """`z`, of which XLA computes the cotangent once and stores it."""
    return z


pulled.defjvp(lambda primals, tangents: (primals[0], jax.lax.optimization_barrier(tangents[0])))
