"""Quasi-Newton methods: BFGS with backtracking, and L-BFGS, which remembers its last steps only.

Both are one state machine, `QuasiNewton`, with different memories of the inverse Hessian B.

Shape letter: p parameters.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, PyTree

from approx.numerics.products import ravel
from approx.training.inverse_hessians import WHOLE_MATRIX, Memory, last_steps
from approx.training.rules import SUM, Slope
from approx.training.second_order import (
    ITERATIONS,
    NO_DESCENT,
    NOT_FINITE,
    RUNNING,
    TOLERANCE,
    Method,
    choose,
)


def bfgs(
    abstol: ArrayLike = 1e-4,
    reltol: ArrayLike = 1e-8,
    maxit: ArrayLike = 100.0,
    acctol: ArrayLike = 1e-4,
    stepredn: ArrayLike = 0.2,
    reltest: ArrayLike = 10.0,
    first_step: ArrayLike | None = None,
) -> Method:
    """BFGS with backtracking, as R's `vmmin`, the method of `nnet` and of `optim(method="BFGS")`.

    It is the variable metric method of Fletcher (1970) in the form of Nash (1990, Compact Numerical
    Methods for Computers, algorithm 21), with R's numbers. The objective is the SUM over rows of
    the loss. With one output it is that of nnet, whose `decay` is `l2 = decay / rows` with
    `l2_on="all"`; `mse` and the like are means over several outputs.

    A line search goes from a base along `-B g`. It tries the lengths 1, `stepredn`, `stepredn`²,
    ... until the value falls by `acctol` times what the slope promises. If that changed the value
    by more than the tolerances, B learns from the step. If it did not, or if no length will do, B
    becomes the identity again. If B was the identity already, the method stops.

    Args:
        abstol: the method ends a series of steps when the value is below this.
        reltol: it does so too when the relative change of the value is below this.
        maxit: iterations at most. An iteration is a line search that made progress; the evaluation
            of the start counts as the first.
        acctol: share of the promised decrease that makes a length acceptable.
        stepredn: factor on the length after a trial that was refused.
        reltest: a parameter w has not moved if `reltest + w` is the same number as before.
        first_step: where B is the identity, a step is at most this long (Euclidean norm). SciPy's
            BFGS tries 1.01 first (`fmin_bfgs`, by its guess of the value before the start). None,
            as in R, is the whole gradient.
    """
    numbers = abstol, reltol, maxit, acctol, stepredn, reltest, first_step
    return QuasiNewton(WHOLE_MATRIX, *numbers).method()


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
    20 of its steps take 7 times as long as 100 evaluations here, on the interval with 64 seeds
    (experiments/summaries/second_order_speed.md).

    Args:
        memory_size: how many steps it remembers.
        abstol: this and all others are as in `bfgs`.
        reltol: see `bfgs`.
        maxit: see `bfgs`.
        acctol: see `bfgs`.
        stepredn: see `bfgs`.
        reltest: see `bfgs`.
    """
    memory = last_steps(memory_size)
    return QuasiNewton(memory, abstol, reltol, maxit, acctol, stepredn, reltest).method()


# ---- the state machine ---------------------------------------------------------------------------


class SearchState(NamedTuple):
    """A quasi-Newton method between two steps.

    Attributes:
        trial: the point to be evaluated next.
        evaluations: how many were made.
        stopped: why the method has stopped, see `second_order.REASONS`.
        value: of the objective, at the base of the line search.
        gradient: of the objective, at the base of the line search.
        direction: of the line search.
        length: of the trial's step, in units of the direction.
        slope: derivative of the objective along the direction, at the base.
        memory: what the method knows of the inverse Hessian.
        learned: from how many steps it knows this, since the memory was last emptied.
        iterations: how many line searches made progress, and one for the start.
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


class Judged(NamedTuple):
    """What a trial turned out to be, for each network.

    Attributes:
        first: it is the first evaluation, at the start.
        taken: it becomes the base of the next line search.
        progress: it was taken and changed the value by more than the tolerances.
    """

    first: Array
    taken: Array
    progress: Array


class QuasiNewton(NamedTuple):
    """The state machine of `bfgs` and `lbfgs`, which name its numbers.

    A step judges the trial. If it is refused, the next trial is a shorter step from the same base.
    If it is taken, or if shorter steps would not move any parameter, a new line search begins.
    """

    memory: Memory
    abstol: ArrayLike
    reltol: ArrayLike
    maxit: ArrayLike
    acctol: ArrayLike
    stepredn: ArrayLike
    reltest: ArrayLike
    first_step: ArrayLike | None = None

    def method(self) -> Method:
        """The state machine as a rule that trains."""
        return Method(self.start, self.update, SUM)

    def start(self, params: PyTree, residuals: int = 0) -> SearchState:
        """The state before the first evaluation, whose point is the start."""
        del residuals
        point = ravel(params)
        zero, zeros = jnp.zeros((), point.dtype), jnp.zeros_like(point)
        return SearchState(
            trial=point,
            evaluations=zero,
            stopped=zero,
            value=zero,
            gradient=zeros,
            direction=zeros,
            length=zero,
            slope=zero,
            memory=self.memory.empty(point),
            learned=zero,
            iterations=zero,
        )

    def update(
        self, point: Array, state: SearchState, new: Slope, solve: Callable
    ) -> tuple[Array, SearchState]:
        """The base of the next line search, and the state, from the evaluation of the trial."""
        del solve
        trial = self.judge(state, new)
        length = state.length * self.stepredn
        shorter = point + length * state.direction
        searching = ~trial.taken & ~trial.first & self.moves(point, shorter)

        base = jnp.where(trial.taken, state.trial, point)
        value = jnp.where(trial.taken, new.value, state.value)
        # Without progress it is the old gradient, as in vmmin
        gradient = jnp.where(trial.progress, new.gradient, state.gradient)
        memory, learned = self.learn(state, new, trial)
        direction, slope, leads = self.aim(base, gradient, memory, learned)
        ends = self.ends(state, trial, base, direction, slope)
        iterations = state.iterations + trial.progress
        stopped = self.reason(trial, ends, slope, iterations)

        next_search = SearchState(
            trial=base + direction,
            evaluations=state.evaluations + 1,
            stopped=stopped.astype(point.dtype),
            value=value,
            gradient=gradient,
            direction=direction,
            length=jnp.ones_like(length),
            slope=slope,
            memory=memory,
            learned=jnp.where(leads, learned, 0),
            iterations=iterations,
        )
        shorter_step = state._replace(
            trial=shorter, evaluations=state.evaluations + 1, length=length
        )
        return base, choose(searching, shorter_step, next_search)

    def moves(self, a: Array, b: Array) -> Array:
        """Whether any parameter is another number in b than in a, to the precision of `reltest`."""
        return (self.reltest + a != self.reltest + b).any(0)

    def judge(self, state: SearchState, new: Slope) -> Judged:
        """Whether the trial is the first, is taken, and was progress."""
        first = state.evaluations == 0
        promised = self.acctol * state.length * state.slope
        finite = jnp.isfinite(new.value)
        lower = new.value <= state.value + promised
        taken = finite & (first | lower)
        change = jnp.abs(new.value - state.value)
        above = new.value > self.abstol
        least = self.reltol * (jnp.abs(state.value) + self.reltol)
        progress = taken & (first | (above & (change > least)))
        return Judged(first, taken, progress)

    def learn(self, state: SearchState, new: Slope, trial: Judged) -> tuple[PyTree, Array]:
        """What the method knows of B after the trial, and from how many steps.

        It learns from progress along which the gradient grew. After any other trial, and after
        `memory.most` steps, it counts 0 steps, so that B is the identity.
        """
        step = state.length * state.direction
        bend = new.gradient - state.gradient
        progress = trial.progress & ~trial.first
        curvature = (step * bend).sum(0)
        learns = progress & (curvature > 0)
        fresh = state.learned == 0
        taught = self.memory.learn(state.memory, fresh, step, bend)
        memory = choose(learns, taught, state.memory)
        most = self.memory.most(len(step))
        may_learn = learns & (state.learned < most)
        return memory, jnp.where(may_learn, state.learned + 1, 0)

    def aim(
        self, base: Array, gradient: Array, memory: PyTree, learned: Array
    ) -> tuple[Array, Array, Array]:
        """Direction and slope of the next line search, and whether `-B g` led anywhere.

        It goes along `-B g`, or along `-g` if `-B g` leads upwards or moves no parameter.
        """
        is_identity = learned == 0
        steepest = -gradient
        if self.first_step is not None:
            norm = jnp.sqrt((gradient**2).sum(0))
            steepest = steepest * jnp.minimum(1, self.first_step / jnp.where(norm > 0, norm, 1))
        direction = jnp.where(is_identity, steepest, -self.memory.times(memory, gradient))
        slope = (direction * gradient).sum(0)
        leads = (slope < 0) & self.moves(base, base + direction)
        direction = jnp.where(leads, direction, -gradient)
        slope = jnp.where(leads, slope, -(gradient**2).sum(0))
        return direction, slope, leads

    def ends(
        self, state: SearchState, trial: Judged, base: Array, direction: Array, slope: Array
    ) -> Array:
        """Whether there is nothing left to try."""
        without_memory = ~trial.progress & (state.learned == 0)
        return without_memory | ~((slope < 0) & self.moves(base, base + direction))

    def reason(self, trial: Judged, ends: Array, slope: Array, iterations: Array) -> Array:
        """Why the method stops here, or `RUNNING`."""
        reached = trial.taken | (slope == 0)
        at_end = jnp.where(reached, TOLERANCE, NO_DESCENT)
        stopped = jnp.where(ends, at_end, RUNNING)
        used_up = ~trial.first & (iterations >= self.maxit)
        stopped = jnp.where(used_up, ITERATIONS, stopped)
        finite = jnp.isfinite(slope) & (trial.taken | ~trial.first)
        return jnp.where(finite, stopped, NOT_FINITE)
