"""Keras' optimisers, each with its own formula, defaults and place of epsilon.

The formulas are those of Keras 3.15.1; ten steps of each were recorded from Keras itself
(tests/recorded/optimizers.py). In all of them g is the gradient, w the parameter and t the number
of the step, from 1 on. `keras_extras.extended` adds what every optimiser of Keras can do besides:
weight decay, clipping, and averages of the weights.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, PyTree, ScalarLike

from approx.training.leafwise import Now, leafwise


class AdamState(NamedTuple):
    """Adam between two steps.

    Attributes:
        steps: how many were made.
        mu: running mean of the gradients.
        nu: running mean of their squares.
    """

    steps: Array
    mu: PyTree
    nu: PyTree


def scale_by_adam_keras(b1: ScalarLike = 0.9, b2: ScalarLike = 0.999, eps: ScalarLike = 1e-7):
    """Keras' Adam: `m sqrt(1 - b2^t) / (1 - b1^t) / (sqrt(v) + eps)`.

    Epsilon is added after the bias correction went into the rate (Kingma and Ba 2015, the "more
    efficient order" of section 2; keras/src/optimizers/adam.py), so it is not optax.adam(eps=1e-7),
    which corrects v before the root.

    Args:
        b1: share that the running mean m of the gradients keeps in a step.
        b2: share that the running mean v of their squares keeps in a step.
        eps: is added to the root of v.
    """

    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return AdamState(jnp.zeros((), jnp.int32), zeros, zeros)

    def next_mu(m, gradient):
        return b1 * m + (1 - b1) * gradient

    def next_nu(v, gradient):
        return b2 * v + (1 - b2) * gradient**2

    def update(gradients, state, params=None):
        del params
        count = state.steps + 1
        mu = jax.tree.map(next_mu, state.mu, gradients)
        nu = jax.tree.map(next_nu, state.nu, gradients)
        factor = jnp.sqrt(1 - b2**count) / (1 - b1**count)

        def change(m, v):
            return factor * m / (jnp.sqrt(v) + eps)

        return jax.tree.map(change, mu, nu), AdamState(count, mu, nu)

    return optax.GradientTransformation(init, update)


def adam(learning_rate, b1=0.9, b2=0.999, eps=1e-7, amsgrad=False):
    """Keras' Adam, see `scale_by_adam_keras`; with `amsgrad`, v is the largest there was."""
    if not amsgrad:
        rate = optax.scale_by_learning_rate(learning_rate)
        return optax.chain(scale_by_adam_keras(b1, b2, eps), rate)

    def move(g, w, slots, now):
        mu = b1 * slots["mu"] + (1 - b1) * g
        nu = b2 * slots["nu"] + (1 - b2) * g**2
        most = jnp.maximum(slots["most"], nu)
        rate = now.rate * jnp.sqrt(1 - b2**now.t) / (1 - b1**now.t)
        return -rate * mu / (jnp.sqrt(most) + eps), {"mu": mu, "nu": nu, "most": most}

    return leafwise(learning_rate, move, {"mu": 0, "nu": 0, "most": 0})


def adamw(learning_rate, b1=0.9, b2=0.999, eps=1e-7, weight_decay=0.004):
    """Keras' AdamW: its Adam, and `learning_rate * weight_decay * w` off every parameter."""
    return optax.chain(
        scale_by_adam_keras(b1, b2, eps),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(learning_rate),
    )


def sgd(learning_rate, momentum=None, nesterov=False):
    """Gradient descent: `v <- momentum v - rate g`, `w <- w + v`.

    With `nesterov` it is `w <- w + momentum v - rate g`, with the new v. The rate stands inside v,
    so that a schedule acts otherwise than in PyTorch.
    """

    def move(g, w, slots, now):
        step = -now.rate * g
        if momentum is None:
            return step, slots
        velocity = momentum * slots["velocity"] + step
        change = momentum * velocity + step if nesterov else velocity
        return change, {"velocity": velocity}

    return leafwise(learning_rate, move, {} if momentum is None else {"velocity": 0})


def rmsprop(learning_rate, decay=0.9, eps=1e-7, momentum=None, centered=False):
    """RMSprop: `w <- w - rate g / sqrt(v + eps)`; v keeps the share `decay` (Keras' `rho`).

    With `centered`, v has the square of the gradients' running mean taken off. With `momentum`, the
    step is `s <- momentum s + rate g / sqrt(v + eps)`.
    """
    if momentum is None and not centered:
        return optax.rmsprop(learning_rate, decay=decay, eps=eps)

    def move(g, w, slots, now):
        nu = decay * slots["nu"] + (1 - decay) * g**2
        kept = {"nu": nu}
        if centered:
            kept["mean"] = decay * slots["mean"] + (1 - decay) * g
            nu = nu - kept["mean"] ** 2
        step = now.rate * g / jnp.sqrt(nu + eps)
        if momentum is not None:
            step = momentum * slots["step"] + step
            kept["step"] = step
        return -step, kept

    slots = {"nu": 0}
    if centered:
        slots["mean"] = 0
    if momentum is not None:
        slots["step"] = 0
    return leafwise(learning_rate, move, slots)


def adagrad(learning_rate, eps=1e-7, initial_accumulator=0.1):
    """Adagrad (Duchi, Hazan and Singer 2011): `s <- s + g²`, `w <- w - rate g / sqrt(s + eps)`."""

    def move(g, w, slots, now):
        total = slots["total"] + g**2
        return -now.rate * g / jnp.sqrt(total + eps), {"total": total}

    return leafwise(learning_rate, move, {"total": initial_accumulator})


def adamax(learning_rate, b1=0.9, b2=0.999, eps=1e-7):
    """Adamax (Kingma and Ba 2015): `u <- max(b2 u, |g|)`, `w <- w - rate m̂ / (u + eps)`."""

    def move(g, w, slots, now):
        mu = b1 * slots["mu"] + (1 - b1) * g
        most = jnp.maximum(b2 * slots["most"], jnp.abs(g))
        change = -now.rate * mu / ((1 - b1**now.t) * (most + eps))
        return change, {"mu": mu, "most": most}

    return leafwise(learning_rate, move, {"mu": 0, "most": 0})


def nadam(learning_rate, b1=0.9, b2=0.999, eps=1e-7):
    """Nadam (Dozat 2016), with the growing momentum `μ_t = b1 (1 - 0.96^t / 2)`.

    The step is `rate (μ_{t+1} m / (1 - μ_1...μ_{t+1}) + (1 - μ_t) g / (1 - μ_1...μ_t))`, over
    `sqrt(v̂) + eps`.
    """

    def momentum_at(t):
        return b1 * (1 - 0.5 * 0.96**t)

    def advance(now: Now):
        return {"product": now.shared["product"] * momentum_at(now.t)}

    def move(g, w, slots, now):
        mu = b1 * slots["mu"] + (1 - b1) * g
        nu = b2 * slots["nu"] + (1 - b2) * g**2
        product, following = now.shared["product"], momentum_at(now.t + 1)
        by_mean = following / (1 - product * following) * mu
        by_gradient = (1 - momentum_at(now.t)) / (1 - product) * g
        root = jnp.sqrt(nu / (1 - b2**now.t))
        return -now.rate * (by_mean + by_gradient) / (root + eps), {"mu": mu, "nu": nu}

    return leafwise(learning_rate, move, {"mu": 0, "nu": 0}, {"product": 1}, advance)


def ftrl(
    learning_rate,
    rate_power=-0.5,
    initial_accumulator=0.1,
    l1=0.0,
    l2=0.0,
    l2_shrinkage=0.0,
    beta=0.0,
):
    """FTRL-proximal (McMahan et al. 2013, algorithm 1), with the shrinkage of TensorFlow.

    With `q = -rate_power` and `λ = l2 + beta / (2 rate)`: `s' = s + g²`, `z <- z + g + 2
    l2_shrinkage w - (s'^q - s^q) / rate w`, `w <- (clip(z, -l1, l1) - z) / (s'^q / rate + 2 λ)`.
    """

    def move(g, w, slots, now):
        power = -rate_power
        total = slots["total"] + g**2
        grown, before = total**power, slots["total"] ** power
        linear = slots["linear"] + g + 2 * l2_shrinkage * w - (grown - before) / now.rate * w
        quadratic = grown / now.rate + 2 * (l2 + beta / (2 * now.rate))
        target = (jnp.clip(linear, -l1, l1) - linear) / quadratic
        return target - w, {"total": total, "linear": linear}

    return leafwise(learning_rate, move, {"total": initial_accumulator, "linear": 0})


def lion(learning_rate, b1=0.9, b2=0.99):
    """Lion (Chen et al. 2023): `w <- w - rate sign(b1 m + (1 - b1) g)`.

    Then `m <- b2 m + (1 - b2) g`.
    """

    def move(g, w, slots, now):
        sign = jnp.sign(b1 * slots["mu"] + (1 - b1) * g)
        return -now.rate * sign, {"mu": b2 * slots["mu"] + (1 - b2) * g}

    return leafwise(learning_rate, move, {"mu": 0})


def adadelta(learning_rate, rho=0.95, eps=1e-7):
    """Adadelta (Zeiler 2012) with a rate: `w <- w - rate d`, `d = sqrt(x + eps) g / sqrt(v + eps)`.

    v and x are running means of `g²` and `d²` that keep the share `rho`.
    """

    def move(g, w, slots, now):
        nu = rho * slots["nu"] + (1 - rho) * g**2
        step = jnp.sqrt(slots["steps"] + eps) * g / jnp.sqrt(nu + eps)
        steps = rho * slots["steps"] + (1 - rho) * step**2
        return -now.rate * step, {"nu": nu, "steps": steps}

    return leafwise(learning_rate, move, {"nu": 0, "steps": 0})


def lamb(learning_rate, b1=0.9, b2=0.999, eps=1e-7):
    """LAMB (You et al. 2020): `w <- w - rate |w| / |d| d`, `d = m̂ / (sqrt(v̂) + eps)`.

    The norms are those of one array; where one of them is 0 the step is `rate d`.
    """

    def move(g, w, slots, now):
        mu = b1 * slots["mu"] + (1 - b1) * g
        nu = b2 * slots["nu"] + (1 - b2) * g**2
        root = jnp.sqrt(nu / (1 - b2**now.t))
        along = mu / (1 - b1**now.t) / (root + eps)
        squares, length = (w**2).sum(), (along**2).sum()
        usable = (squares > 0) & (length > 0)
        ratio = jnp.where(usable, jnp.sqrt(squares / jnp.where(usable, length, 1)), 1)
        return -now.rate * ratio * along, {"mu": mu, "nu": nu}

    return leafwise(learning_rate, move, {"mu": 0, "nu": 0})


def root_mean_square(values: Array) -> Array:
    """`sqrt(mean v²)`."""
    return jnp.sqrt((values**2).mean())


def adafactor(
    learning_rate,
    b2_decay=-0.8,
    eps=1e-30,
    eps_scale=1e-3,
    clip_threshold=1.0,
):
    """Adafactor (Shazeer and Stern 2018): of `g² + eps`, means of rows and of columns alone.

    The share that these means r and c keep is `1 - t^b2_decay`, and `v = r c / mean(r)`; of biases
    the whole v is kept. With `u = g / sqrt(v)`, divided by `max(1, rms(u) / clip_threshold)`, w
    moves by `-u max(eps_scale, rms(w)) min(rate, 1 / sqrt(t))`. Keras' `relative_step` changes
    nothing: the rate is bounded by `1 / sqrt(t)` with and without it.
    """

    def move(g, w, slots, now):
        share = 1 - now.t**b2_decay
        square = g**2 + eps

        def running(name, values):
            return share * slots[name] + (1 - share) * jnp.broadcast_to(values, g.shape)

        if g.ndim >= 2:
            rows = running("rows", square.mean(-1, keepdims=True))
            columns = running("columns", square.mean(-2, keepdims=True))
            nu = rows / rows.mean(-2, keepdims=True) * columns
        else:
            rows = columns = nu = running("rows", square)
        step = g / jnp.sqrt(nu)
        step = step / jnp.maximum(1, root_mean_square(step) / clip_threshold)
        rate = jnp.minimum(now.rate, 1 / jnp.sqrt(now.t))
        change = -rate * jnp.maximum(eps_scale, root_mean_square(w)) * step
        return change, {"rows": rows, "columns": columns}

    return leafwise(learning_rate, move, {"rows": 0, "columns": 0})
