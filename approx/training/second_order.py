"""Methods that choose their own points, and one of them: Levenberg-Marquardt.

Libraries write such methods as loops until convergence. Over many seeds, every seed would wait for
the slowest. Here a method is a state machine that evaluates the loss once per step: a training of
`steps` steps makes at most `steps` evaluations, whatever its neighbours do. It is recorded, cut
into segments and resumed like any other training.

Shape letters: p parameters, m residuals, q the smaller of the two.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, PyTree

from approx.numerics.products import Batching, identity, networks_of, ravel, unravel
from approx.training.rules import SQUARES, Squares, is_dual

# Why a method stopped, by the code that is recorded as `stopped`. "no descent": nothing it tries
# lowers the value, often because only rounding is left to gain.
REASONS = ("not stopped", "tolerance reached", "iterations used up", "no descent", "not finite")
RUNNING, TOLERANCE, ITERATIONS, NO_DESCENT, NOT_FINITE = range(len(REASONS))


class Method(NamedTuple):
    """A rule that chooses its own points, with one evaluation of the loss per step.

    Attributes:
        start: `(params, residuals) -> state`. The state names the point to be evaluated next,
            `trial` (p,), counts the `evaluations`, and says why the method has `stopped` (see
            `REASONS`).
        update: `(point, state, evaluation, solve) -> (point, state)`, where `point` (p,) is the
            best so far, `evaluation` is of `state.trial`, and `solve(matrix, right)` solves a
            positive definite system.
        wants: `SUM` or `SQUARES`.
    """

    start: Callable
    update: Callable
    wants: str

    def init(self, params: PyTree, residuals: int = 0) -> Any:
        """The state before the first step; see `Rule.init`."""
        return self.start(params, residuals)

    def point(self, params: PyTree, state: Any) -> PyTree:
        """The method's trial, as parameters."""
        return unravel(state.trial, params)

    def step(
        self, params: PyTree, state: Any, found: Any, batching: Batching
    ) -> tuple[PyTree, Any]:
        """The best parameters so far and the next state; both as they are once it has stopped."""
        best = ravel(params, networks_of(state.trial, 1))
        point, moved = self.update(best, state, found, batching.solve)
        running = self.runs(state)
        params = choose(running, unravel(point, params), params)
        return params, choose(running, moved, state)

    def runs(self, state: Any) -> Array:
        """Whether the method has not stopped."""
        return state.stopped == RUNNING

    def report(self, state: Any) -> dict[str, Array]:
        """How many evaluations the method has made, and why it has stopped (`REASONS`)."""
        return {"evaluations": state.evaluations, "stopped": state.stopped}


def choose(condition: Array, new: PyTree, old: PyTree) -> PyTree:
    """`new` where the condition holds, else `old`."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)


# ---- Levenberg-Marquardt -------------------------------------------------------------------------


class LMState(NamedTuple):
    """Levenberg-Marquardt between two steps.

    Attributes:
        trial: the point to be evaluated next.
        evaluations: how many were made.
        stopped: why the method has stopped, see `REASONS`.
        mu: the damping μ of the trial.
        best: the squares at the best point so far.
    """

    trial: Float[Array, "p ..."]
    evaluations: Float[Array, "..."]
    stopped: Float[Array, "..."]
    mu: Float[Array, "..."]
    best: Squares


def lm(
    mu: ArrayLike = 1e-3,
    mu_dec: ArrayLike = 0.1,
    mu_inc: ArrayLike = 10.0,
    mu_max: ArrayLike = 1e10,
    min_grad: ArrayLike = 1e-7,
    goal: ArrayLike = 0.0,
) -> Method:
    """Levenberg-Marquardt: `(JᵀJ + μ I) δ = -Jᵀr`, with MATLAB's rule for μ.

    A trial that lowers the mean of squares is taken, and μ falls by the factor `mu_dec`. Any other
    trial is refused, also one whose system has no solution, and μ grows by the factor `mu_inc`
    (Hagan and Menhaj 1994; names and numbers are those of MATLAB's `trainlm`). With fewer residuals
    than parameters the same step is `δ = -Jᵀ (JJᵀ + μ I)⁻¹ r`.

    Args:
        mu: μ of the first trial.
        mu_dec: factor on μ after a trial that was taken.
        mu_inc: factor on μ after a trial that was refused.
        mu_max: the method stops (no descent) when μ exceeds this.
        min_grad: it stops (tolerance reached) when the norm of the mean's gradient is below this.
        goal: it stops (tolerance reached) when the mean is at most this.
    """

    def start(params: PyTree, residuals: int = 0) -> LMState:
        point = ravel(params)

        def zeros(*shape: int) -> Array:
            return jnp.zeros(shape, point.dtype)

        order, jacobian = point.size, None
        if is_dual(residuals, point.size):
            order, jacobian = residuals, zeros(residuals, point.size)
        best = Squares(
            value=zeros() + jnp.inf,
            gradient_norm=zeros() + jnp.inf,
            matrix=zeros(order, order),
            right=zeros(order),
            jacobian=jacobian,
        )
        return LMState(point, zeros(), zeros(), zeros() + mu, best)

    def update(
        point: Array, state: LMState, new: Squares, solve: Callable
    ) -> tuple[Array, LMState]:
        first = state.evaluations == 0
        better = new.value < state.best.value
        best = choose(better, new, state.best)
        point = jnp.where(better, state.trial, point)

        smaller = jnp.maximum(state.mu * mu_dec, 1e-20)  # trainlm's lower bound of μ
        next_mu = jnp.where(better, smaller, state.mu * mu_inc)
        damping = jnp.where(first, state.mu, next_mu)
        damped = best.matrix + damping * identity(best.matrix)
        step = solve(damped, best.right)
        if best.jacobian is not None:
            step = (best.jacobian * step[:, None]).sum(0)

        stopped = jnp.where(damping > mu_max, NO_DESCENT, RUNNING)
        flat = best.gradient_norm < min_grad
        reached = flat | (best.value <= goal)
        stopped = jnp.where(reached, TOLERANCE, stopped)
        finite = jnp.isfinite(best.value)
        stopped = jnp.where(finite, stopped, NOT_FINITE)
        stopped = stopped.astype(point.dtype)
        return point, LMState(
            trial=point - step,
            evaluations=state.evaluations + 1,
            stopped=stopped,
            mu=damping,
            best=best,
        )

    return Method(start, update, SQUARES)
