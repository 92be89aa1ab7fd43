"""The protocol of rules that train: what a rule asks of the data, and how it moves the parameters.

One step of a training is the same for every rule. The rule names the point at which it wants to
know something (`Rule.point`). The training loop finds what the rule wants there (`Rule.wants`): the
gradient of a batch, the loss summed over all rows with its gradient, or the squares of all
residuals. From this the rule makes the next parameters (`Rule.step`).

`Optax` is the adapter for transformations of optax. `second_order.Method` is a rule that chooses
its own points and step lengths.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import optax
from jaxtyping import Array, Float, PyTree

from approx.numerics.products import ONE, Batching

# What a rule can want of the data (`Rule.wants`).
GRADIENT = "gradient"  # of a batch of rows, at the parameters as they are: `Gradient`
SUM = "sum"  # the loss times the number of rows, and its gradient, over all rows: `Slope`
SQUARES = "squares"  # of all residuals, linearised: `Squares`


class Gradient(NamedTuple):
    """What a batch says at a point.

    Attributes:
        gradient: of the loss that is minimised, in the form of the parameters.
        value: the loss that is minimised.
        correct: share of the batch's rows that are correct, or None if the task does not say.
        n: how many rows the batch has.
        objective: the loss as a function of the parameters, for rules with a line search.
    """

    gradient: PyTree
    value: Float[Array, "..."]
    correct: Float[Array, "..."] | None
    n: Any
    objective: Callable[[PyTree], Array]


class Slope(NamedTuple):
    """The loss that is minimised times the number of rows, and its gradient as a vector."""

    value: Float[Array, "..."]
    gradient: Float[Array, "p ..."]


class Squares(NamedTuple):
    """A mean of squares `Σ r² / m` at a point, and its linearisation `r + J δ`.

    Attributes:
        value: the mean, and the penalty if there is one.
        gradient_norm: Euclidean norm of the mean's gradient, `|2 Jᵀr / m|`.
        matrix: `JᵀJ`, or `JJᵀ` where that is smaller.
        right: `Jᵀr`, or `r` where the matrix is `JJᵀ`.
        jacobian: None, or `J` where the matrix is `JJᵀ`.
    """

    value: Float[Array, "..."]
    gradient_norm: Float[Array, "..."]
    matrix: Float[Array, "q q ..."]
    right: Float[Array, "q ..."]
    jacobian: Float[Array, "m p ..."] | None


def is_dual(residuals: int, parameters: int) -> bool:
    """Whether `Squares` has `JJᵀ`: with fewer residuals than parameters (0: they do not count)."""
    return 0 < residuals < parameters


class Rule(Protocol):
    """A rule that trains."""

    @property
    def wants(self) -> str:
        """What it wants of the data: `GRADIENT`, `SUM` or `SQUARES`.

        A rule that wants a gradient gets that of a batch and may have a learning rate. All others
        get all rows in every step, and find the lengths of their steps themselves.
        """

    def init(self, params: PyTree, residuals: int = 0) -> Any:
        """The rule's state before the first step.

        Args:
            params: of one network.
            residuals: how many squares the loss is a mean of, or 0 if a penalty is added to them.
        """

    def point(self, params: PyTree, state: Any) -> PyTree:
        """The parameters at which the rule wants to know something."""

    def step(
        self, params: PyTree, state: Any, found: Any, batching: Batching
    ) -> tuple[PyTree, Any]:
        """The next parameters and the rule's next state.

        Args:
            params: the parameters as they are.
            state: the rule's.
            found: what the rule wants, at its point.
            batching: see `Batching`.
        """

    def runs(self, state: Any) -> Array | None:
        """Whether the rule has not stopped, for each network; None if it never stops."""

    def report(self, state: Any) -> dict[str, Array]:
        """What is recorded of the rule's work, by name."""


class Optax(NamedTuple):
    """An optax transformation as a rule.

    Attributes:
        make: `(numbers) -> transformation`.
        numbers: what the transformation is made of. Each of many networks has its own.
    """

    make: Callable[[Any], Any]
    numbers: Any

    @property
    def wants(self) -> str:
        """The gradient of a batch."""
        return GRADIENT

    def init(self, params: PyTree, residuals: int = 0) -> Any:
        """The transformation's state before the first step."""
        del residuals
        return self.make(self.numbers).init(params)

    def point(self, params: PyTree, state: Any) -> PyTree:
        """The parameters as they are."""
        del state
        return params

    def step(
        self, params: PyTree, state: Any, found: Gradient, batching: Batching
    ) -> tuple[PyTree, Any]:
        """The parameters and what the transformation adds to them; and its next state."""

        def move(gradient, state, params, value, numbers):
            more: dict[str, Any] = {"value": value}
            # Line searches take these too, by optax's convention. None runs in a batch.
            if batching is ONE:
                more |= {"grad": gradient, "value_fn": found.objective}
            transformation = optax.with_extra_args_support(self.make(numbers))
            updates, state = transformation.update(gradient, state, params, **more)
            return optax.apply_updates(params, updates), state

        moved = batching.each(move)
        return moved(found.gradient, state, params, found.value, self.numbers)

    def runs(self, state: Any) -> None:
        """A transformation never stops."""
        del state

    def report(self, state: Any) -> dict[str, Array]:
        """Nothing is recorded."""
        del state
        return {}

    def is_plain(self, params: PyTree) -> bool:
        """Whether its update gets by with gradient and loss, as all but line searches do."""
        transformation = optax.with_extra_args_support(self.make(self.numbers))

        def update(params):
            value = jax.tree.leaves(params)[0].mean()
            return transformation.update(params, transformation.init(params), params, value=value)

        try:
            jax.eval_shape(update, params)
        except TypeError:  # it wants grad or value_fn
            return False
        return True
