"""Methods that choose their own points: Levenberg-Marquardt, BFGS and L-BFGS.

Libraries write these as loops until convergence, in which, over many seeds, every seed waits for
the slowest. Here each is a state machine that evaluates the objective once per step: a training of
`steps` steps makes at most `steps` evaluations, whatever its neighbours do, and is recorded, cut
into segments and resumed like any other. The formulas are about one network and accept an axis of
networks behind them.

Shape letters: p parameters, m residuals, q the smaller of the two.
"""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, ArrayLike, Float, PyTree

# Why a method stopped, by the code that is recorded as `stopped`. "no descent": nothing it tries
# lowers the value, often because only rounding is left to gain.
REASONS = ("not stopped", "tolerance reached", "iterations used up", "no descent", "not finite")
RUNNING, TOLERANCE, ITERATIONS, NO_DESCENT, NOT_FINITE = range(len(REASONS))


class Method(NamedTuple):
    """A method of one evaluation per step.

    Attributes:
        init: `(params, residuals) -> state`. The state names the point to be evaluated next,
            `trial` (p,), counts the `evaluations`, and says why it has `stopped` (see `REASONS`). A
            method of squares is told how many residuals there are, or 0 if the squares come with a
            penalty.
        update: `(point, state, evaluation, solve) -> (point, state)`, where `point` (p,) is the
            best so far, `evaluation` is of `state.trial`, and `solve(matrix, right)` solves a
            positive definite system.
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
    mu: ArrayLike = 1e-3,
    mu_dec: ArrayLike = 0.1,
    mu_inc: ArrayLike = 10.0,
    mu_max: ArrayLike = 1e10,
    min_grad: ArrayLike = 1e-7,
    goal: ArrayLike = 0.0,
) -> Method:
    """Levenberg-Marquardt: `(JᵀJ + μ I) δ = -Jᵀr`, with MATLAB's rule for μ.

    A trial that lowers the mean of squares is taken, and μ falls by `mu_dec`; any other, a failed
    factorisation included, is refused, and μ grows by `mu_inc` (Hagan and Menhaj 1994; names and
    numbers are those of MATLAB's `trainlm`). With fewer residuals than parameters the same step is
    `δ = -Jᵀ (JJᵀ + μ I)⁻¹ r`.

    Args (of many networks, one of each per network):
        mu: at the start. mu_dec, mu_inc: its factors.
        mu_max: it stops (no descent) when μ exceeds this.
        min_grad, goal: it stops (tolerance) when the norm of the mean's gradient is below this; the
            mean at most that.
    """

    def init(params: PyTree, residuals: int = 0) -> LMState:
        point = ravel(params)
        dual = 0 < residuals < point.size
        q = residuals if dual else point.size
        zeros = lambda *shape: jnp.zeros(shape, point.dtype)  # noqa: E731
        jacobian = zeros(residuals, point.size) if dual else None
        best = Squares(zeros() + jnp.inf, zeros() + jnp.inf, zeros(q, q), zeros(q), jacobian)
        return LMState(point, zeros(), zeros(), zeros() + mu, best)

    def update(
        point: Array, state: LMState, new: Squares, solve: Callable
    ) -> tuple[Array, LMState]:
        first, better = state.evaluations == 0, new.value < state.best.value
        best = choose(better, new, state.best)
        point = jnp.where(better, state.trial, point)
        fallen = jnp.maximum(state.mu * mu_dec, 1e-20)  # trainlm's floor
        damping = jnp.where(first, state.mu, jnp.where(better, fallen, state.mu * mu_inc))
        step = solve(best.matrix + damping * identity(best.matrix), best.right)
        step = step if best.jacobian is None else (best.jacobian * step[:, None]).sum(0)
        stopped = jnp.where(damping > mu_max, NO_DESCENT, RUNNING)
        stopped = jnp.where(
            (best.gradient_norm < min_grad) | (best.value <= goal), TOLERANCE, stopped
        )
        stopped = jnp.where(jnp.isfinite(best.value), stopped, NOT_FINITE).astype(point.dtype)
        return point, LMState(point - step, state.evaluations + 1, stopped, damping, best)

    return Method(init, update, True)


class SearchState(NamedTuple):
    """A quasi-Newton method between two steps.

    Attributes:
        trial, evaluations, stopped: as `Method` says.
        value, gradient: at the base of the line search.
        direction, length, slope: of the line search, `slope` the directional derivative.
        memory: what it knows of the inverse Hessian. learned: from how many steps, since it last
            forgot everything.
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
    memory: PyTree
    learned: Float[Array, "..."]
    iterations: Float[Array, "..."]


class Memory(NamedTuple):
    """How an inverse Hessian B is remembered.

    Attributes:
        empty: `(point) -> memory`.
        learn: `(memory, fresh, step, bend) -> memory` from a step and the change of the gradient
            along it; where `fresh`, what the memory holds is void.
        times: `(memory, gradient) -> B gradient`.
        most: `(p) -> ` after how many lessons it forgets everything.

    """

    empty: Callable
    learn: Callable
    times: Callable
    most: Callable


def bfgs(
    abstol: ArrayLike = 1e-4,
    reltol: ArrayLike = 1e-8,
    maxit: ArrayLike = 100.0,
    acctol: ArrayLike = 1e-4,
    stepredn: ArrayLike = 0.2,
    reltest: ArrayLike = 10.0,
) -> Method:
    """BFGS with backtracking, as R's `vmmin`, the method of `nnet` and of `optim(method="BFGS")`.

    The variable metric method of Fletcher (1970) in the form of Nash (1990, Compact Numerical
    Methods for Computers, algorithm 21), with R's numbers. The objective is the SUM over rows of
    the loss. With one output it is that of nnet, whose `decay` is `l2 = decay / rows` with
    `l2_on="all"`; `mse` and the like are means over several outputs. From a base, along `-B g`,
    lengths 1, `stepredn`, `stepredn`², ... are tried until the value falls by `acctol` times what
    the slope promises. If that changed the value by more than the tolerances, B learns from the
    step. If not, or if no length will do, B is the identity again; if it was, that is the end.

    Args:
        abstol: a value below this is good enough. reltol: so is a relative change below this.
        maxit: iterations at most (line searches with progress; the start counts as the first).
        acctol: the share of the promised decrease that makes a length acceptable. stepredn: factor
            on the length.
        reltest: a parameter w has not moved if `reltest + w` is the same number.
    """
    memory = Memory(
        empty=lambda point: jnp.eye(len(point), dtype=point.dtype),
        learn=update_inverse,
        times=lambda inverse, gradient: (inverse * gradient).sum(1),
        most=lambda p: 2 * p,
    )
    return quasi_newton(memory, abstol, reltol, maxit, acctol, stepredn, reltest)


def lbfgs(
    memory_size: int = 10,
    abstol: ArrayLike = 1e-4,
    reltol: ArrayLike = 1e-8,
    maxit: ArrayLike = 100.0,
    acctol: ArrayLike = 1e-4,
    stepredn: ArrayLike = 0.2,
    reltest: ArrayLike = 10.0,
) -> Method:
    """`bfgs` that remembers its last steps only (L-BFGS; Nocedal and Wright 2006, algorithm 7.4).

    optax's L-BFGS can be given as an optimiser too, but all seeds wait for the longest line search:
    on the interval, 64 seeds, 20 of its steps take 7 times as long as 100 evaluations here
    (experiments/summaries/second_order_speed.md).

    Args:
        memory_size: how many steps. The others are those of `bfgs`.
    """

    def empty(point):
        return Pairs(
            jnp.zeros((memory_size, len(point)), point.dtype),
            jnp.zeros((memory_size, len(point)), point.dtype),
        )

    memory = Memory(empty, remember, two_loops, lambda p: jnp.inf)
    return quasi_newton(memory, abstol, reltol, maxit, acctol, stepredn, reltest)


def quasi_newton(memory: Memory, abstol, reltol, maxit, acctol, stepredn, reltest) -> Method:
    """The state machine of `bfgs`, with any memory."""

    def init(params: PyTree, residuals: int = 0) -> SearchState:
        del residuals
        point = ravel(params)
        zero, zeros = jnp.zeros((), point.dtype), jnp.zeros_like(point)
        return SearchState(
            point, zero, zero, zero, zeros, zeros, zero, zero, memory.empty(point), zero, zero
        )

    def moves(a: Array, b: Array) -> Array:
        return (reltest + a != reltest + b).any(0)

    def update(
        point: Array, state: SearchState, new: Slope, solve: Callable
    ) -> tuple[Array, SearchState]:
        del solve
        first = state.evaluations == 0
        # The trial is taken or refused; taken, it was progress or not; refused, a shorter one is
        # tried if there is one.
        promised = acctol * state.length * state.slope
        taken = jnp.isfinite(new.value) & (first | (new.value <= state.value + promised))
        change = jnp.abs(new.value - state.value)
        progress = taken & (
            first | ((new.value > abstol) & (change > reltol * (jnp.abs(state.value) + reltol)))
        )
        length = state.length * stepredn
        shorter = point + length * state.direction
        searching = ~taken & ~first & moves(point, shorter)
        base = jnp.where(taken, state.trial, point)
        value = jnp.where(taken, new.value, state.value)
        # Without progress the old one, as in vmmin
        gradient = jnp.where(progress, new.gradient, state.gradient)
        # It learns from progress. Without it, with the wrong curvature, or after enough lessons it
        # forgets everything.
        step, bend = state.length * state.direction, new.gradient - state.gradient
        learns = progress & ~first & ((step * bend).sum(0) > 0)
        known = choose(
            learns, memory.learn(state.memory, state.learned == 0, step, bend), state.memory
        )
        learned = jnp.where(
            learns & (state.learned < memory.most(len(point))), state.learned + 1, 0
        )
        # The next search goes along -B g, or along -g if that leads nowhere.
        direction = jnp.where(learned == 0, -gradient, -memory.times(known, gradient))
        slope = (direction * gradient).sum(0)
        leads = (slope < 0) & moves(base, base + direction)
        direction = jnp.where(leads, direction, -gradient)
        slope = jnp.where(leads, slope, -(gradient**2).sum(0))
        ended = (~progress & (state.learned == 0)) | ~((slope < 0) & moves(base, base + direction))
        iterations = state.iterations + progress
        stopped = jnp.where(ended, jnp.where(taken | (slope == 0), TOLERANCE, NO_DESCENT), RUNNING)
        stopped = jnp.where(~first & (iterations >= maxit), ITERATIONS, stopped)
        stopped = jnp.where(jnp.isfinite(slope) & (taken | ~first), stopped, NOT_FINITE)
        begun = SearchState(
            trial=base + direction,
            evaluations=state.evaluations + 1,
            stopped=stopped.astype(point.dtype),
            value=value,
            gradient=gradient,
            direction=direction,
            length=jnp.ones_like(length),
            slope=slope,
            memory=known,
            learned=jnp.where(leads, learned, 0),
            iterations=iterations,
        )
        on = state._replace(trial=shorter, evaluations=state.evaluations + 1, length=length)
        return base, choose(searching, on, begun)

    return Method(init, update, False)


def update_inverse(inverse: Array, fresh: Array, step: Array, bend: Array) -> Array:
    """The BFGS update of the inverse Hessian B by a step s along which the gradient changed by y,
    with `sᵀy` > 0.

    `B + ((1 + yᵀBy / sᵀy) s sᵀ - s (By)ᵀ - (By) sᵀ) / sᵀy` (Nocedal and Wright 2006, equation 6.17,
    multiplied out).
    """
    inverse = jnp.where(fresh, identity(inverse), inverse)
    image, curvature = (inverse * bend).sum(1), (step * bend).sum(0)
    # Else nobody uses the result, but differentiation passes by
    curvature = jnp.where(curvature > 0, curvature, 1)
    factor = 1 + (bend * image).sum(0) / curvature
    outer = lambda a, b: a[:, None] * b  # noqa: E731
    return (
        inverse + (factor * outer(step, step) - outer(step, image) - outer(image, step)) / curvature
    )


class Pairs(NamedTuple):
    """The last k steps and what the gradient changed along each, oldest first; zeros where there is
    none yet.
    """

    steps: Float[Array, "k p ..."]
    bends: Float[Array, "k p ..."]


def remember(pairs: Pairs, fresh: Array, step: Array, bend: Array) -> Pairs:
    """The pairs with one more at the end, and the oldest gone."""
    push = lambda old, new: jnp.concatenate([jnp.where(fresh, 0, old[1:]), new[None]])  # noqa: E731
    return Pairs(push(pairs.steps, step), push(pairs.bends, bend))


def two_loops(pairs: Pairs, gradient: Array) -> Array:
    """`B g` by the two loops of L-BFGS, from `B₀ = sᵀy / yᵀy` of the last pair (Nocedal and Wright
    2006, 7.20).
    """
    curvature = (pairs.steps * pairs.bends).sum(1)
    weight = jnp.where(curvature > 0, 1 / jnp.where(curvature > 0, curvature, 1), 0)

    def back(gradient, pair):
        step, bend, weight = pair
        share = weight * (step * gradient).sum(0)
        return gradient - share * bend, share

    def forth(direction, pair):
        step, bend, weight, share = pair
        return direction + (share - weight * (bend * direction).sum(0)) * step, None

    gradient, shares = lax.scan(back, gradient, (*pairs, weight), reverse=True)
    scale = jnp.where(curvature[-1] > 0, curvature[-1] / (pairs.bends[-1] ** 2).sum(0), 1)
    direction, _ = lax.scan(forth, scale * gradient, (*pairs, weight, shares))
    return direction


def numbers(factory: Callable) -> dict[str, int | float]:
    """A method's numbers, with their defaults."""
    return {
        name: parameter.default for name, parameter in inspect.signature(factory).parameters.items()
    }


# Between which values, themselves excluded, a number must lie for the method not to run in place.
BOUNDS: dict[str, tuple[float, float]] = {
    "mu": (0, np.inf),
    "mu_inc": (1, np.inf),
    "mu_dec": (0, 1),
    "stepredn": (0, 1),
}
# name -> (factory(**numbers), its numbers with their defaults)
METHODS: dict[str, tuple[Callable, dict[str, int | float]]] = {
    "lm": (lm, numbers(lm)),
    "bfgs": (bfgs, numbers(bfgs)),
    "lbfgs": (lbfgs, numbers(lbfgs)),
}


def report(opt_state: Any) -> dict[str, Array]:
    """What is recorded of a method's work: how many evaluations it has made, and why it has stopped
    (`REASONS`).
    """
    if not isinstance(opt_state, LMState | SearchState):
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
    return jax.tree.unflatten(
        tree, [part.reshape(leaf.shape) for part, leaf in zip(parts, leaves, strict=True)]
    )


def identity(matrix: Array) -> Array:
    """The identity of a matrix's size, with its trailing axes."""
    return jnp.eye(len(matrix), dtype=matrix.dtype).reshape(
        *matrix.shape[:2], *(1 for _ in matrix.shape[2:])
    )


def choose(condition: Array, new: PyTree, old: PyTree) -> PyTree:
    """`new` where the condition holds, else `old`."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)
