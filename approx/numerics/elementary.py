"""Elementary functions in float32 that cost a few multiply-adds.

A function's derivative is computed from its value where that is possible. XLA's tanh takes two
thirds of a training step of ten tanh units on a CPU, and its softplus two thirds of a step of two
sigmoid units. The coefficients are near-minimax in relative error, fitted in float64 by iteratively
reweighted least squares (Lawson 1961); tests/test_elementary.py states the errors of the results.
In float64 the functions are JAX's own, but for softplus' logarithm, which costs XLA ten times its
exponential.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

# tanh(x) = x P(x²) / Q(x²) for |x| <= 9, where float32's tanh is 1: relative error 1.3e-9.
TANH_P = (
    1.0,
    0.13680852949619293,
    0.003869504202157259,
    2.803123607e-05,
    3.064235443e-08,
    -1.22461225e-11,
)
TANH_Q = (
    1.0,
    0.47014185786247253,
    0.027250142768025398,
    0.00039407069562003016,
    1.2890299103673897e-06,
)
# exp(r) for |r| <= log(2) / 2: relative error 1.9e-9.
EXP = (1.0, 1.000000036, 0.4999999208, 0.1666642015, 0.04166822569, 0.008374817468, 0.00138368441)
# Log 2 in two parts
LOG2_E, LN2_HIGH, LN2_LOW = 1.4426950408889634, 0.693145751953125, 1.4286068203094173e-06
# log(1 + u) = u P(u) / Q(u) for 0 <= u <= 1: relative error 9.4e-10.
LOG1P_P = (0.9999999991, 1.066218681, 0.2381576511, 0.003417285713)
LOG1P_Q = (1.0, 1.566218551, 0.6879365199, 0.07528733319)
# artanh(s) / s = Σ s^2n / (2n + 1), for |s| <= 1/3 in float64: the first term left out is 2e-19.
ARTANH = tuple(1 / (2 * n + 1) for n in range(18))
# sin(r) = r + r³ P(r²) for |r| <= π / 2: relative error 2.4e-11; π in three parts, the first two
# short, so that their products with k are exact (W. Cody and W. Waite, Software Manual for the
# Elementary Functions, 1980).
SIN = (-0.1666666663, 0.008333331109, -0.0001984086821, 2.752538432e-06, -2.388890706e-08)
PI_HIGH, PI_MIDDLE, PI_LOW = 3.140625, 0.0009675025939941406, 1.5099580252808664e-07


@jax.custom_jvp
def tanh(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The hyperbolic tangent; its derivative is `1 - tanh²`."""
    if x.dtype != jnp.float32:
        return jnp.tanh(x)
    near = jnp.clip(x, -9, 9)
    square = near * near
    above = near * polynomial(TANH_P, square)
    below = polynomial(TANH_Q, square)
    # Exactly ±1 from 9 on
    divisor = jnp.where(square >= 81, jnp.abs(above), below)
    return above / divisor


tanh.defjvps(lambda tangent, h, x: tangent * (1 - h * h))


def exp_minus(a: Float[Array, "..."]) -> Float[Array, "..."]:
    """`e^-a` for a >= 0, as `2^k e^r` with `-a = k log 2 + r`.

    It is 0 for a > 87, where float32's normal numbers end.
    """
    if a.dtype != jnp.float32:
        return jnp.exp(-a)
    near = jnp.minimum(a, 87)
    k = jnp.round(-near * LOG2_E)
    r = (-near - k * LN2_HIGH) - k * LN2_LOW
    exponent = k.astype(jnp.int32) + 127
    power = jax.lax.bitcast_convert_type(exponent << 23, jnp.float32)
    return jnp.where(a > 87, 0, polynomial(EXP, r) * power)


@jax.custom_jvp
def sigmoid(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The logistic function s, `1 / (1 + e^-x)` or `e^x / (1 + e^x)`.

    Its derivative is `s (1 - s)`.
    """
    e = exp_minus(jnp.abs(x))
    return jnp.where(x < 0, e, 1) / (1 + e)


sigmoid.defjvps(lambda tangent, s, x: tangent * s * (1 - s))


@jax.custom_jvp
def softplus(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """`log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)`; its derivative is `sigmoid`."""
    e = exp_minus(jnp.abs(x))
    if x.dtype == jnp.float32:
        positive = jnp.maximum(x, 0)
        above = e * polynomial(LOG1P_P, e)
        return positive + above / polynomial(LOG1P_Q, e)
    s = e / (2 + e)  # log(1 + e) = 2 artanh(s)
    positive = jnp.maximum(x, 0)
    return positive + 2 * s * polynomial(ARTANH, s * s)


softplus.defjvps(lambda tangent, _, x: tangent * sigmoid(x))


@jax.custom_jvp
def gaussian(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """`exp(-x²)`; its derivative is `-2 x exp(-x²)`."""
    return exp_minus(x * x)


gaussian.defjvps(lambda tangent, g, x: tangent * -2 * x * g)


@jax.custom_jvp
def sin(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The sine; its derivative is `cos`.

    It loses digits beyond 6,000, where neighbouring float32 are 5e-4 apart.
    """
    if x.dtype != jnp.float32:
        return jnp.sin(x)
    return sine_of(x, jnp.round(x / jnp.pi), 0.0)


@jax.custom_jvp
def cos(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The cosine; its derivative is `-sin`.

    It is `sin(x + π / 2)`, with the π / 2 taken into the reduction of x.
    """
    if x.dtype != jnp.float32:
        return jnp.cos(x)
    return sine_of(x, jnp.round(x / jnp.pi + 0.5), 0.5)


sin.defjvps(lambda tangent, _, x: tangent * cos(x))
cos.defjvps(lambda tangent, _, x: tangent * -sin(x))


def sine_of(x: Array, k: Array, shift: float) -> Array:
    """`sin(x + shift π) = (-1)^k sin(r)` with `r = x - (k - shift) π` between -π / 2 and π / 2."""
    turns = k - shift
    r = ((x - turns * PI_HIGH) - turns * PI_MIDDLE) - turns * PI_LOW
    # Where x is so large that k is not exact, the result stays a sine's
    r = jnp.clip(r, -1.5708, 1.5708)
    square = r * r
    value = r + r * square * polynomial(SIN, square)
    return jnp.where(k == 2 * jnp.floor(k / 2), value, -value)


def polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """`Σ c_n x^n`, by Horner's rule."""
    total = jnp.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total
