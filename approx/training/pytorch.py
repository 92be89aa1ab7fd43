"""PyTorch's optimisers, each with its own formula, defaults and place of epsilon.

The formulas are those that the pages of `torch.optim` state as algorithms (PyTorch 2.13); ten steps
of each were recorded from PyTorch itself (tests/recorded/optimizers.py). In all of them g is the
gradient, w the parameter and t the number of the step, from 1 on. A `weight_decay` λ adds `λ w` to
g; in AdamW it takes `rate λ w` off w instead. `weight_decay=None` leaves it out of the program,
and with `kernels_only` no bias decays.
"""

from typing import Any

import jax.numpy as jnp
import optax
from jaxtyping import Array

from approx.training.leafwise import Move, Now, is_kernel, leafwise


def with_l2(move: Move, weight_decay: Any, kernels_only: bool) -> Move:
    """A rule whose gradient has `weight_decay * w` added, as PyTorch's `weight_decay` does."""
    if weight_decay is None:
        return move

    def decayed(g, w, slots, now):
        if is_kernel(w) or not kernels_only:
            g = g + weight_decay * w
        return move(g, w, slots, now)

    return decayed


def decoupled_decay(move: Move, weight_decay: Any, kernels_only: bool) -> Move:
    """A rule that also takes `rate weight_decay w` off every parameter w."""
    if weight_decay is None:
        return move

    def decayed(g, w, slots, now):
        change, slots = move(g, w, slots, now)
        if is_kernel(w) or not kernels_only:
            change = change - now.rate * weight_decay * w
        return change, slots

    return decayed


def sgd(
    learning_rate,
    momentum=None,
    dampening=None,
    weight_decay=None,
    nesterov=False,
    kernels_only=False,
) -> optax.GradientTransformation:
    """Gradient descent: `b <- momentum b + (1 - dampening) g`, `w <- w - rate b`.

    The first b is g itself, without the dampening. With `nesterov` the step is along `g + momentum
    b` instead.
    """
    if momentum is None and weight_decay is None:
        return optax.sgd(learning_rate)

    def move(g, w, slots, now):
        if momentum is None:
            return -now.rate * g, slots
        share: Any = 1.0
        if dampening is not None:
            share = jnp.where(now.t == 1, 1, 1 - dampening)
        buffer = momentum * slots["buffer"] + share * g
        along = g + momentum * buffer if nesterov else buffer
        return -now.rate * along, {"buffer": buffer}

    slots = {} if momentum is None else {"buffer": 0}
    return leafwise(learning_rate, with_l2(move, weight_decay, kernels_only), slots)


def adam_move(b1, b2, eps, amsgrad: bool) -> Move:
    """Adam: `w <- w - rate m̂ / (sqrt(v̂) + eps)`, both moments corrected for their start at 0.

    With `amsgrad`, v is the largest that there was (Reddi, Kale and Kumar 2018).
    """

    def move(g, w, slots, now):
        mu = b1 * slots["mu"] + (1 - b1) * g
        nu = b2 * slots["nu"] + (1 - b2) * g**2
        kept = {"mu": mu, "nu": nu}
        if amsgrad:
            nu = jnp.maximum(slots["most"], nu)
            kept["most"] = nu
        root = jnp.sqrt(nu / (1 - b2**now.t))
        return -now.rate * mu / (1 - b1**now.t) / (root + eps), kept

    return move


def moments(amsgrad: bool) -> dict[str, int]:
    """The slots of `adam_move`."""
    names = ("mu", "nu", "most") if amsgrad else ("mu", "nu")
    return dict.fromkeys(names, 0)


def adam(
    learning_rate, b1=0.9, b2=0.999, eps=1e-8, weight_decay=None, amsgrad=False, kernels_only=False
) -> optax.GradientTransformation:
    """PyTorch's Adam; see `adam_move`. Without decay and amsgrad it is `optax.adam`."""
    if weight_decay is None and not amsgrad:
        return optax.adam(learning_rate, b1=b1, b2=b2, eps=eps)
    move = with_l2(adam_move(b1, b2, eps, amsgrad), weight_decay, kernels_only)
    return leafwise(learning_rate, move, moments(amsgrad))


def adamw(
    learning_rate, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.01, amsgrad=False, kernels_only=False
) -> optax.GradientTransformation:
    """PyTorch's AdamW: Adam, and `rate weight_decay w` off every parameter."""
    if not amsgrad and not kernels_only:
        return optax.adamw(learning_rate, b1=b1, b2=b2, eps=eps, weight_decay=weight_decay)
    move = decoupled_decay(adam_move(b1, b2, eps, amsgrad), weight_decay, kernels_only)
    return leafwise(learning_rate, move, moments(amsgrad))


def adagrad(
    learning_rate,
    eps=1e-10,
    rate_decay=None,
    initial_accumulator=0.0,
    weight_decay=None,
    kernels_only=False,
) -> optax.GradientTransformation:
    """Adagrad: `s <- s + g²`, `w <- w - rate g / (sqrt(s) + eps)`.

    `rate_decay` (PyTorch's `lr_decay`) divides the rate by `1 + rate_decay (t - 1)`.
    """

    def move(g, w, slots, now):
        rate = now.rate
        if rate_decay is not None:
            rate = rate / (1 + rate_decay * (now.t - 1))
        total = slots["total"] + g**2
        return -rate * g / (jnp.sqrt(total) + eps), {"total": total}

    slots = {"total": initial_accumulator}
    return leafwise(learning_rate, with_l2(move, weight_decay, kernels_only), slots)


def adadelta(
    learning_rate, rho=0.9, eps=1e-6, weight_decay=None, kernels_only=False
) -> optax.GradientTransformation:
    """Adadelta (Zeiler 2012) with a rate: `w <- w - rate d`, `d = sqrt(x + eps) / sqrt(v + eps) g`.

    v and x are running means of `g²` and `d²` that keep the share `rho`.
    """

    def move(g, w, slots, now):
        nu = rho * slots["nu"] + (1 - rho) * g**2
        step = jnp.sqrt(slots["steps"] + eps) / jnp.sqrt(nu + eps) * g
        steps = rho * slots["steps"] + (1 - rho) * step**2
        return -now.rate * step, {"nu": nu, "steps": steps}

    return leafwise(learning_rate, with_l2(move, weight_decay, kernels_only), {"nu": 0, "steps": 0})


def adamax(
    learning_rate, b1=0.9, b2=0.999, eps=1e-8, weight_decay=None, kernels_only=False
) -> optax.GradientTransformation:
    """Adamax (Kingma and Ba 2015): `u <- max(b2 u, |g| + eps)`, `w <- w - rate m̂ / u`."""

    def move(g, w, slots, now):
        mu = b1 * slots["mu"] + (1 - b1) * g
        most = jnp.maximum(b2 * slots["most"], jnp.abs(g) + eps)
        return -now.rate / (1 - b1**now.t) * mu / most, {"mu": mu, "most": most}

    return leafwise(learning_rate, with_l2(move, weight_decay, kernels_only), {"mu": 0, "most": 0})


def nadam(
    learning_rate,
    b1=0.9,
    b2=0.999,
    eps=1e-8,
    momentum_decay=4e-3,
    weight_decay=None,
    decoupled=False,
    kernels_only=False,
) -> optax.GradientTransformation:
    """NAdam (Dozat 2016), with the growing momentum `μ_t = b1 (1 - 0.96^(t momentum_decay) / 2)`.

    The step is `rate (1 - μ_t) / (1 - μ_1...μ_t) g + rate μ_{t+1} / (1 - μ_1...μ_{t+1}) m`, over
    `sqrt(v̂) + eps`. With `decoupled` the weight decay is AdamW's (`decoupled_weight_decay`).
    """

    def momentum_at(t):
        return b1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))

    def advance(now: Now):
        return {"product": now.shared["product"] * momentum_at(now.t)}

    def move(g, w, slots, now):
        mu = b1 * slots["mu"] + (1 - b1) * g
        nu = b2 * slots["nu"] + (1 - b2) * g**2
        divisor = jnp.sqrt(nu / (1 - b2**now.t)) + eps
        product = now.shared["product"]
        following = momentum_at(now.t + 1)
        by_gradient = (1 - momentum_at(now.t)) / (1 - product) * g
        by_mean = following / (1 - product * following) * mu
        return -now.rate * (by_gradient + by_mean) / divisor, {"mu": mu, "nu": nu}

    add = decoupled_decay if decoupled else with_l2
    move = add(move, weight_decay, kernels_only)
    return leafwise(learning_rate, move, {"mu": 0, "nu": 0}, {"product": 1}, advance)


def averaged_gradients(t: Array, b2: Any) -> Array:
    """RAdam's ρ_t: how many gradients Adam's second moment is a mean of, at step t.

    It is `2 / d - 1 - 2 t b2^t / (1 - b2^t)` with `d = 1 - b2` (Liu et al. 2020, algorithm 2). The
    formula is the difference of two large numbers, about t. With `x = -t log(b2)` the last
    term is `2 t / (e^x - 1)`, of which `2 t / x` is taken together with `2 / d`, and the rest comes
    from the series `1 / (e^x - 1) = 1 / x - 1 / 2 + x / 12 - x³ / 720 + ...` where x is small.
    """
    d = 1 - b2
    x = -t * jnp.log1p(-d)
    small = jnp.minimum(x, 0.5)
    large = jnp.maximum(x, 0.5)
    series = small / 12 - small**3 / 720 + small**5 / 30240
    rest = jnp.where(x < 0.5, series, 1 / jnp.expm1(large) - 1 / large + 0.5)
    return 2 * (1 / d + 1 / jnp.log1p(-d)) - 1 + t - 2 * t * rest


def radam(
    learning_rate,
    b1=0.9,
    b2=0.999,
    eps=1e-8,
    weight_decay=None,
    decoupled=False,
    kernels_only=False,
) -> optax.GradientTransformation:
    """RAdam: Adam whose step is rectified, and is `rate m̂` while ρ_t <= 5 (Liu et al. 2020).

    The rectified step is `rate m̂ r sqrt(1 - b2^t) / (sqrt(v) + eps)` with `r² = (ρ_t - 4) (ρ_t - 2)
    ρ_∞ / ((ρ_∞ - 4) (ρ_∞ - 2) ρ_t)`; see `averaged_gradients`.
    """

    def move(g, w, slots, now):
        mu = b1 * slots["mu"] + (1 - b1) * g
        nu = b2 * slots["nu"] + (1 - b2) * g**2
        most = 2 / (1 - b2) - 1
        length = averaged_gradients(now.t, b2)
        is_rectified = length > 5
        length = jnp.where(is_rectified, length, 6)
        square = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
        adaptive = jnp.sqrt(1 - b2**now.t) / (jnp.sqrt(nu) + eps)
        factor = jnp.where(is_rectified, jnp.sqrt(square) * adaptive, 1)
        return -now.rate * mu / (1 - b1**now.t) * factor, {"mu": mu, "nu": nu}

    add = decoupled_decay if decoupled else with_l2
    move = add(move, weight_decay, kernels_only)
    return leafwise(learning_rate, move, {"mu": 0, "nu": 0})


def rmsprop(
    learning_rate,
    decay=0.99,
    eps=1e-8,
    momentum=None,
    weight_decay=None,
    centered=False,
    kernels_only=False,
) -> optax.GradientTransformation:
    """RMSprop: `w <- w - rate g / (sqrt(v) + eps)`; v keeps the share `decay` (PyTorch's `alpha`).

    With `centered`, v has the square of the gradients' running mean taken off. With `momentum`, the
    step is `b <- momentum b + g / (sqrt(v) + eps)`.
    """
    if momentum is None and weight_decay is None and not centered:
        return optax.rmsprop(learning_rate, decay=decay, eps=eps, eps_in_sqrt=False)

    def move(g, w, slots, now):
        nu = decay * slots["nu"] + (1 - decay) * g**2
        kept = {"nu": nu}
        if centered:
            kept["mean"] = decay * slots["mean"] + (1 - decay) * g
            nu = nu - kept["mean"] ** 2
        step = g / (jnp.sqrt(nu) + eps)
        if momentum is not None:
            step = momentum * slots["buffer"] + step
            kept["buffer"] = step
        return -now.rate * step, kept

    slots = {"nu": 0}
    if centered:
        slots["mean"] = 0
    if momentum is not None:
        slots["buffer"] = 0
    return leafwise(learning_rate, with_l2(move, weight_decay, kernels_only), slots)


def asgd(
    learning_rate, lambd=1e-4, alpha=0.75, weight_decay=None, kernels_only=False
) -> optax.GradientTransformation:
    """PyTorch's ASGD: `w <- w - rate_t (g + lambd w)`, `rate_t = rate / (1 + lambd rate t)^alpha`.

    The rate of step t + 1 is that of the formula; the first step has the rate itself. PyTorch
    trains with w, and so does this; the average that gives the rule its name is only kept beside
    w there (`ax`).
    """

    def move(g, w, slots, now):
        before = now.t - 1
        rate = now.rate / (1 + lambd * now.rate * before) ** alpha
        return -rate * (g + lambd * w), slots

    return leafwise(learning_rate, with_l2(move, weight_decay, kernels_only))
