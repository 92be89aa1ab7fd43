"""Losses and what counts as correct, with one value per row.

Every function takes `outputs (n, o)` and targets, and returns `(n,)`; the training loop takes the
mean over rows, which is exact for any subset of them. Outputs stand on axis 1 and everything else
is elementwise, so an axis of networks behind them passes through unchanged.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from approx.numerics.elementary import sigmoid, softplus
from approx.numerics.products import along, networks_of, of_networks
from approx.tasks.values import meant


def mse(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """Squared error, the mean over the outputs: `mean_o (f - y)²`.

    It is Keras' `mse` and PyTorch's `MSELoss`.
    """
    return ((outputs - targets) ** 2).mean(1)


def half_squared_error(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """Half the squared error, summed over the outputs: `½ Σ_o (f - y)²`."""
    return 0.5 * ((outputs - targets) ** 2).sum(1)


def binary_cross_entropy(
    logits: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """Cross-entropy of independent labels in [0, 1] from logits: `mean_o log(1 + e^z) - y z`.

    The sigmoid belongs to the loss (Keras' `BinaryCrossentropy(from_logits=True)`), so it never
    saturates to log 0.
    """
    return (softplus(logits) - targets * logits).mean(1)


def brier(
    logits: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """Squared error of the probability of a logit, `mean_o (sigmoid(z) - y)²` (Brier 1950).

    It is Keras' `mse` on sigmoid outputs, and R's nnet's least squares without its factor of the
    number of rows.
    """
    return ((sigmoid(logits) - targets) ** 2).mean(1)


def cross_entropy(
    logits: Float[Array, "n o ..."], labels: Int[Array, "n ..."]
) -> Float[Array, "n ..."]:
    """Cross-entropy of integer labels 0..o-1 from logits: `log Σ_o e^z - z_label`.

    The softmax belongs to the loss.
    """
    chosen = jnp.take_along_axis(logits, jnp.expand_dims(labels, 1), 1).squeeze(1)
    return jax.scipy.special.logsumexp(logits, axis=1) - chosen


def is_finite(outputs: Float[Array, "n o ..."]) -> Bool[Array, "n ..."]:
    """Whether all outputs of a row are finite.

    A row with another output is never correct. Comparisons alone would not see to that: every
    comparison with nan is False, and False is what a target of 0 asks for.
    """
    return jnp.isfinite(outputs).all(1)


def same_side(
    logits: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Bool[Array, "n ..."]:
    """Whether every output is finite and on its target's side of probability one half (logit 0).

    A logit of exactly 0 is on the side of target 0.
    """
    same = (logits > 0) == (targets > 0.5)
    return same.all(1) & is_finite(logits)


def same_half(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Bool[Array, "n ..."]:
    """Whether every output is finite and on its target's side of one half.

    It is for labels 0 and 1 and squared error.
    """
    same = (outputs > 0.5) == (targets > 0.5)
    return same.all(1) & is_finite(outputs)


def largest(outputs: Float[Array, "n o ..."]) -> Int[Array, "n ..."]:
    """The number of the largest output, the first of equals; o where one is not a number.

    XLA:CPU's argmax takes one number after the other: with 256 classes it was half of a training
    step.
    """
    number = jax.lax.broadcasted_iota(jnp.int32, outputs.shape, 1)
    is_largest = outputs == outputs.max(1, keepdims=True)
    return jnp.where(is_largest, number, outputs.shape[1]).min(1)


def same_largest(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Bool[Array, "n ..."]:
    """Whether all outputs are finite and the largest stands where the largest target does.

    It is for targets that are vectors of zeros and one 1.
    """
    return (largest(outputs) == largest(targets)) & is_finite(outputs)


def same_class(
    logits: Float[Array, "n o ..."], labels: Int[Array, "n ..."]
) -> Bool[Array, "n ..."]:
    """Whether all outputs are finite and the largest is the label's."""
    return (largest(logits) == labels) & is_finite(logits)


@dataclass(frozen=True)
class ScaledError:
    """Squared error in standardised units, `mean_o ((f - y) / s)²`.

    Outputs and targets are in the data's units.

    Attributes:
        scale: s, one number or one per output; None for the standard deviation (the population's)
            of each row's own targets over the outputs. It is structure: another scale is another
            program.

    """

    scale: float | tuple[float, ...] | None = None

    def __call__(
        self, outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
    ) -> Float[Array, "n ..."]:
        """One loss per row."""
        if self.scale is None:
            scale = targets.std(1, keepdims=True)
        else:
            scale = along(jnp.asarray(self.scale, outputs.dtype), networks_of(outputs, 2))
        return (((outputs - targets) / scale) ** 2).mean(1)


LOSSES = {
    "mse": mse,
    "half_squared_error": half_squared_error,
    "binary_cross_entropy": binary_cross_entropy,
    "brier": brier,
    "cross_entropy": cross_entropy,
}
# The residuals of those losses that are means of squares, up to a factor.
RESIDUALS: dict[str, Callable] = {
    "mse": lambda outputs, targets: outputs - targets,
    "half_squared_error": lambda outputs, targets: outputs - targets,
    "brier": lambda logits, targets: sigmoid(logits) - targets,
}
# What is correct. For squared errors the task says it, by one of RULES or a rule of its own, as its
# targets need not be labels. The other losses know it: CORRECT.
RULES = (same_half, same_largest)
CORRECT = {"binary_cross_entropy": same_side, "brier": same_side, "cross_entropy": same_class}


def find(loss: str | Callable) -> Callable:
    """The loss of that name, or the function itself.

    Raises:
        ValueError: an unknown name.

    """
    if isinstance(loss, ScaledError):
        return loss
    if callable(loss):
        return of_networks(loss)
    if loss not in LOSSES:
        raise ValueError(
            f"unknown loss {loss!r}; there is: {', '.join(LOSSES)}, "
            f"or your own function (outputs, targets) -> (n,){meant(loss, LOSSES)}"
        )
    return LOSSES[loss]
