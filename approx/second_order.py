"""Methods that choose their own points: Levenberg-Marquardt and BFGS; and L-BFGS.

Libraries write these as loops until convergence, in which, over many seeds, every seed waits for the slowest. Here each
is a state machine that evaluates the objective once per step: a training of `steps` steps makes at most `steps`
evaluations, whatever its neighbours do, and is recorded, cut into segments and resumed like any other. The formulas are
about one network and accept an axis of networks behind them.

Shape letters: p parameters, m residuals, q the smaller of the two.
"""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PyTree, ScalarLike

# Why a method stopped, by the code that is recorded as `stopped`.
REASONS = ("running", "tolerance reached", "iterations used up", "no descent", "not finite")
RUNNING, TOLERANCE, ITERATIONS, NO_DESCENT, NOT_FINITE = range(len(REASONS))


class Method(NamedTuple):
    """A method of one evaluation per step.

    Attributes:
        init: `(params, residuals) -> state`. The state names the point to be evaluated next, `trial` (p,), counts the
            `evaluations`, and says why it has `stopped` (see `REASONS`). A method of squares is told how many residuals
            there are, or 0 if the squares come with a penalty.
        update: `(point, state, evaluation, solve) -> (point, state)`, where `point` (p,) is the best so far,
            `evaluation` is of `state.trial`, and `solve(matrix, right)` solves a positive definite system.
        squares: whether it wants `Squares`; else `Slope`.

    """

    init: Callable
    update: Callable
    squares: bool


class Slope(NamedTuple):
    """The objective at a point, a sum over rows, and its gradient."""

    value: Float[Array, "..."]
    gradient: Float[Array, "p ..."]


class Squares(NamedTuple):
    """A mean of squares `Σ r² / m` at a point, and its linearisation `r + J δ`.

    Attributes:
        value: the mean (with a penalty, if there is one). gradient_norm: Euclidean, `|2 Jᵀr / m|`.
        matrix: `JᵀJ`, or `JJᵀ` where that is smaller. right: `Jᵀr`, or `r`.
        jacobian: None, or `J` where the matrix is `JJᵀ`.

    """

    value: Float[Array, "..."]
    gradient_norm: Float[Array, "..."]
    matrix: Float[Array, "q q ..."]
    right: Float[Array, "q ..."]
    jacobian: Float[Array, "m p ..."] | None


class LMState(NamedTuple):
    """Levenberg-Marquardt between two steps."""

    trial: Float[Array, "p ..."]
    evaluations: Float[Array, "..."]
    stopped: Float[Array, "..."]
    mu: Float[Array, "..."]
    best: Squares


def lm(
    mu: ScalarLike = 1e-3,
    mu_dec: ScalarLike = 0.1,
    mu_inc: ScalarLike = 10.0,
    mu_max: ScalarLike = 1e10,
    min_grad: ScalarLike = 1e-7,
    goal: ScalarLike = 0.0,
) -> Method:
    """Levenberg-Marquardt: `(JᵀJ + μ I) δ = -Jᵀr`, with MATLAB's rule for μ.

    A trial that lowers the mean of squares is taken, and μ falls by `mu_dec`; any other, a failed factorisation
    included, is refused, and μ grows by `mu_inc` (Hagan and Menhaj 1994; names and numbers are those of MATLAB's
    `trainlm`). With fewer residuals than parameters the same step is `δ = -Jᵀ (JJᵀ + μ I)⁻¹ r`.

    Args:
        mu: at the start. mu_dec, mu_inc: its factors.
        mu_max: it stops (no descent) when μ exceeds this.
        min_grad, goal: it stops (tolerance) when the norm of the mean's gradient is below this; the mean at most that.
    """

    def init(params: PyTree, residuals: int = 0) -> LMState:
        point = ravel(params)
        dual = 0 < residuals < point.size
        q = residuals if dual else point.size
        zeros = lambda *shape: jnp.zeros(shape, point.dtype)  # noqa: E731
        jacobian = zeros(residuals, point.size) if dual else None
        best = Squares(zeros() + jnp.inf, zeros() + jnp.inf, zeros(q, q), zeros(q), jacobian)
        return LMState(point, zeros(), zeros(), zeros() + mu, best)

    def update(point: Array, state: LMState, new: Squares, solve: Callable) -> tuple[Array, LMState]:
        first, better = state.evaluations == 0, new.value < state.best.value
        best = choose(better, new, state.best)
        point = jnp.where(better, state.trial, point)
        fallen = jnp.maximum(state.mu * mu_dec, 1e-20)  # trainlm's floor
        damping = jnp.where(first, state.mu, jnp.where(better, fallen, state.mu * mu_inc))
        step = solve(best.matrix + damping * identity(best.matrix), best.right)
        step = step if best.jacobian is None else (best.jacobian * step[:, None]).sum(0)
        stopped = jnp.where(damping > mu_max, NO_DESCENT, RUNNING)
        stopped = jnp.where((best.gradient_norm < min_grad) | (best.value <= goal), TOLERANCE, stopped)
        stopped = jnp.where(jnp.isfinite(best.value), stopped, NOT_FINITE).astype(point.dtype)
        return point, LMState(point - step, state.evaluations + 1, stopped, damping, best)

    return Method(init, update, True)


class BFGSState(NamedTuple):
    """BFGS between two steps.

    Attributes:
        trial, evaluations, stopped: as `Method` says.
        value, gradient: at the base of the line search.
        direction, length, slope: of the line search, `slope` the directional derivative.
        inverse: the estimate of the inverse Hessian. learned: what went into it since it was the identity.
        iterations: line searches that made progress, and one.

    """

    trial: Float[Array, "p ..."]
    evaluations: Float[Array, "..."]
    stopped: Float[Array, "..."]
    value: Float[Array, "..."]
    gradient: Float[Array, "p ..."]
    direction: Float[Array, "p ..."]
    length: Float[Array, "..."]
    slope: Float[Array, "..."]
    inverse: Float[Array, "p p ..."]
    learned: Float[Array, "..."]
    iterations: Float[Array, "..."]


def bfgs(
    abstol: ScalarLike = 1e-4,
    reltol: ScalarLike = 1e-8,
    maxit: ScalarLike = 100.0,
    acctol: ScalarLike = 1e-4,
    stepredn: ScalarLike = 0.2,
    reltest: ScalarLike = 10.0,
) -> Method:
    """BFGS with backtracking, as R's `vmmin`, the method of `nnet` and of `optim(method="BFGS")`.

    The variable metric method of Fletcher (1970) in the form of Nash (1990, Compact Numerical Methods for Computers,
    algorithm 21), with R's numbers. The objective is the SUM over rows, as nnet's is: nnet's `decay` is
    `l2 = decay / rows` with `l2_on="all"`. From a base, along `-B g`, lengths 1, `stepredn`, `stepredn`², ... are tried
    until the value falls by `acctol` times what the slope promises. If that changed the value by more than the
    tolerances, B learns from the step. If not, or if no length will do, B is the identity again; if it was, that is
    the end.

    Args:
        abstol: a value below this is good enough. reltol: so is a relative change below this.
        maxit: iterations at most (line searches with progress; `nnet` counts the start as the first).
        acctol: the share of the promised decrease that makes a length acceptable. stepredn: factor on the length.
        reltest: a parameter w has not moved if `reltest + w` is the same number.
    """

    def init(params: PyTree, residuals: int = 0) -> BFGSState:
        del residuals
        point = ravel(params)
        zero, zeros = jnp.zeros((), point.dtype), jnp.zeros_like(point)
        eye = jnp.eye(point.size, dtype=point.dtype)
        return BFGSState(point, zero, zero, zero, zeros, zeros, zero, zero, eye, zero, zero)

    def moves(a: Array, b: Array) -> Array:
        return (reltest + a != reltest + b).any(0)

    def update(point: Array, state: BFGSState, new: Slope, solve: Callable) -> tuple[Array, BFGSState]:
        del solve
        first = state.evaluations == 0
        # The trial is taken or refused; taken, it was progress or not; refused, a shorter one is tried if there is one.
        promised = acctol * state.length * state.slope
        taken = jnp.isfinite(new.value) & (first | (new.value <= state.value + promised))
        change = jnp.abs(new.value - state.value)
        progress = taken & (first | ((new.value > abstol) & (change > reltol * (jnp.abs(state.value) + reltol))))
        length = state.length * stepredn
        shorter = point + length * state.direction
        searching = ~taken & ~first & moves(point, shorter)
        base = jnp.where(taken, state.trial, point)
        value = jnp.where(taken, new.value, state.value)
        gradient = jnp.where(progress, new.gradient, state.gradient)  # without progress the old one, as in vmmin
        # B learns from progress. Without it, with the wrong curvature, or after 2 p lessons it is the identity again.
        step, bend = state.length * state.direction, new.gradient - state.gradient
        curvature = (step * bend).sum(0)
        learns = progress & ~first & (curvature > 0)
        old = jnp.where(state.learned == 0, identity(state.inverse), state.inverse)
        inverse = jnp.where(learns, learn(old, step, bend, curvature), state.inverse)
        learned = jnp.where(learns & (state.learned < 2 * len(point)), state.learned + 1, 0)
        # The next search goes along -B g, or along -g if that leads nowhere.
        direction = jnp.where(learned == 0, -gradient, -(inverse * gradient).sum(1))
        slope = (direction * gradient).sum(0)
        leads = (slope < 0) & moves(base, base + direction)
        direction = jnp.where(leads, direction, -gradient)
        slope = jnp.where(leads, slope, -(gradient**2).sum(0))
        ended = (~progress & (state.learned == 0)) | ~((slope < 0) & moves(base, base + direction))
        iterations = state.iterations + progress
        stopped = jnp.where(ended, TOLERANCE, RUNNING)
        stopped = jnp.where(~first & (iterations >= maxit), ITERATIONS, stopped)
        stopped = jnp.where(jnp.isfinite(slope) & (taken | ~first), stopped, NOT_FINITE)
        begun = BFGSState(
            trial=base + direction,
            evaluations=state.evaluations + 1,
            stopped=stopped.astype(point.dtype),
            value=value,
            gradient=gradient,
            direction=direction,
            length=jnp.ones_like(length),
            slope=slope,
            inverse=inverse,
            learned=jnp.where(leads, learned, 0),
            iterations=iterations,
        )
        on = state._replace(trial=shorter, evaluations=state.evaluations + 1, length=length)
        return base, choose(searching, on, begun)

    return Method(init, update, False)


def learn(inverse: Array, step: Array, bend: Array, curvature: Array) -> Array:
    """The BFGS update of the inverse Hessian B by a step s along which the gradient changed by y, with `sᵀy` > 0.

    `B + ((1 + yᵀBy / sᵀy) s sᵀ - s (By)ᵀ - (By) sᵀ) / sᵀy` (Nocedal and Wright 2006, equation 6.17, multiplied out).
    """
    image = (inverse * bend).sum(1)
    factor = 1 + (bend * image).sum(0) / curvature
    outer = lambda a, b: a[:, None] * b  # noqa: E731
    return inverse + (factor * outer(step, step) - outer(step, image) - outer(image, step)) / curvature


class LBFGSState(NamedTuple):
    """optax's L-BFGS, and how many evaluations it has made."""

    inner: Any
    evaluations: Float[Array, ""]
    stopped: Float[Array, ""]


def lbfgs(memory_size: int = 10, max_linesearch_steps: int = 20) -> optax.GradientTransformationExtraArgs:
    """L-BFGS with optax's zoom line search, which makes several evaluations a step; it stops where nothing is finite.

    Args:
        memory_size: steps remembered. max_linesearch_steps: evaluations of one line search at most.
    """
    search = optax.scale_by_zoom_linesearch(max_linesearch_steps=max_linesearch_steps, initial_guess_strategy="one")
    inner = optax.lbfgs(memory_size=memory_size, linesearch=search)

    def init(params):
        zero = jnp.zeros_like(ravel(params)[0])
        return LBFGSState(inner.init(params), zero, zero)

    def update(gradient, state, params, *, value, grad, value_fn):
        moves, found = inner.update(gradient, state.inner, params, value=value, grad=grad, value_fn=value_fn)
        running = (state.stopped == RUNNING) & jnp.isfinite(value) & jnp.isfinite(ravel(moves)).all()
        made = state.evaluations + 1 + found[-1].info.num_linesearch_steps
        new = LBFGSState(found, made.astype(value.dtype), state.stopped)
        moves = jax.tree.map(lambda move: jnp.where(running, move, 0), moves)
        stopped = jnp.where(running, RUNNING, NOT_FINITE).astype(value.dtype)
        return moves, choose(running, new, state)._replace(stopped=stopped)

    return optax.GradientTransformationExtraArgs(init, update)


def numbers(factory: Callable) -> dict[str, float]:
    """A method's numbers, with their defaults."""
    return {name: parameter.default for name, parameter in inspect.signature(factory).parameters.items()}


# name -> (factory(**numbers), its numbers with their defaults)
METHODS: dict[str, tuple[Callable, dict[str, float]]] = {
    "lm": (lm, numbers(lm)),
    "bfgs": (bfgs, numbers(bfgs)),
    "lbfgs": (lbfgs, numbers(lbfgs)),
}


def report(opt_state: Any) -> dict[str, Array]:
    """What is recorded of a method's work: how many evaluations it has made, and why it has stopped (`REASONS`)."""
    if not isinstance(opt_state, LMState | BFGSState | LBFGSState):
        return {}
    return {"evaluations": opt_state.evaluations, "stopped": opt_state.stopped}


def ravel(params: PyTree, trailing: tuple[int, ...] = ()) -> Array:
    """Parameters as one vector (p,), or (p, S) of S networks."""
    return jnp.concatenate([leaf.reshape(-1, *trailing) for leaf in jax.tree.leaves(params)])


def unravel(point: Array, like: PyTree) -> PyTree:
    """A vector (p,), or (p, S), as parameters."""
    leaves, tree = jax.tree.flatten(like)
    ends = np.cumsum([leaf.size // point[0].size for leaf in leaves])
    parts = jnp.split(point, ends[:-1])
    return jax.tree.unflatten(tree, [part.reshape(leaf.shape) for part, leaf in zip(parts, leaves, strict=True)])


def identity(matrix: Array) -> Array:
    """The identity of a matrix's size, with its trailing axes."""
    return jnp.eye(len(matrix), dtype=matrix.dtype).reshape(*matrix.shape[:2], *(1 for _ in matrix.shape[2:]))


def choose(condition: Array, new: PyTree, old: PyTree) -> PyTree:
    """`new` where the condition holds, else `old`."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)
