"""PyTorch's L-BFGS without a line search, one of its inner iterations in each step."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from approx.numerics.products import ravel, unravel
from approx.training.inverse_hessians import Pairs, remember, two_loops
from approx.training.leafwise import rate_at
from approx.training.second_order import choose


class LBFGSState(NamedTuple):
    """L-BFGS between two steps, with the parameters as one vector.

    Attributes:
        steps: how many were made.
        pairs: the last steps and the changes of the gradient along them.
        step: the last step.
        gradient: that it was made with.
    """

    steps: Array
    pairs: Pairs
    step: Float[Array, " p"]
    gradient: Float[Array, " p"]


LEAST_CURVATURE = 1e-10  # PyTorch 2.13 learns nothing from a pair with a smaller product


def lbfgs(
    learning_rate: Any,
    tolerance_grad: Any = 1e-7,
    tolerance_change: Any = 1e-9,
    memory_size: int = 100,
) -> optax.GradientTransformation:
    """`w <- w - rate B g` with L-BFGS's inverse Hessian B (Nocedal and Wright 2006, algorithm 7.4).

    The first step is `-min(1, 1 / Σ|g|) rate g`. It is `torch.optim.LBFGS` with
    `line_search_fn=None` on all rows; a step of PyTorch makes up to `max_iter` (20) of these steps,
    so that one step there is 20 here.

    Args:
        learning_rate: 1 in PyTorch.
        tolerance_grad: the method rests when no gradient is larger than this.
        tolerance_change: it rests too when `gᵀ B g` is below this.
        memory_size: how many steps it remembers (PyTorch: `history_size`).
    """

    def init(params: PyTree) -> LBFGSState:
        point = jnp.zeros_like(ravel(params))
        pairs = jnp.zeros((memory_size, len(point)), point.dtype)
        return LBFGSState(jnp.zeros((), jnp.int32), Pairs(pairs, pairs), point, point)

    def update(gradients, state, params=None):
        del params
        g = ravel(gradients)
        bend = g - state.gradient
        learns = (state.steps > 0) & ((bend * state.step).sum() > LEAST_CURVATURE)
        learned = remember(state.pairs, jnp.asarray(False), state.step, bend)
        pairs = choose(learns, learned, state.pairs)
        along = two_loops(pairs, g)
        rate = rate_at(learning_rate, state.steps)
        first = jnp.minimum(1, 1 / jnp.abs(g).sum()) * rate
        length = jnp.where(state.steps == 0, first, rate)
        descends = (g * along).sum() >= tolerance_change
        moves = (jnp.abs(g).max() > tolerance_grad) & descends
        step = (-length * along).astype(g.dtype)
        moved = LBFGSState(state.steps + 1, pairs, step, g)
        change = jnp.where(moves, step, 0)
        return unravel(change, gradients), choose(moves, moved, state)

    return optax.GradientTransformation(init, update)
