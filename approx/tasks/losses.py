"""Losses and what counts as correct, with one value per row.

Every function takes `outputs (n, o)` and targets, and returns `(n,)`; the training loop takes the
mean over rows, which is exact for any subset of them. Outputs stand on axis 1 and everything else
is elementwise, so an axis of networks behind them passes through unchanged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from approx.numerics.elementary import sigmoid, softplus
from approx.numerics.products import along, networks_of, of_networks
from approx.tasks.of_network import OfNetwork as OfNetwork
from approx.tasks.of_network import Seen as Seen
from approx.tasks.of_network import of_network as of_network
from approx.tasks.values import known_name, meant

__all__ = [
    "CORRECT",
    "LOSSES",
    "RESIDUALS",
    "OfNetwork",
    "ScaledError",
    "Seen",
    "binary_cross_entropy",
    "brier",
    "categorical_hinge",
    "cross_entropy",
    "find",
    "half_squared_error",
    "hinge",
    "huber",
    "is_finite",
    "kl_divergence",
    "log_cosh",
    "mae",
    "mape",
    "mse",
    "msle",
    "of_network",
    "poisson",
    "poisson_log",
    "probability_binary_cross_entropy",
    "probability_cross_entropy",
    "same_class",
    "same_half",
    "same_largest",
    "same_side",
    "same_sign",
    "smooth_l1",
    "soft_cross_entropy",
    "squared_hinge",
    "sum_squared_error",
    "with_numbers",
]


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


def sum_squared_error(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """Squared error, summed over the outputs: `Σ_o (f - y)²`.

    R's nnet also sums over the rows, so that its gradient is this one's times their number.
    """
    return ((outputs - targets) ** 2).sum(1)


# ---- errors of Keras and PyTorch, and of others --------------------------------------------------

EPSILON = 1e-7  # by which Keras keeps logarithms and quotients finite (its backend's epsilon)


def size(error: Array) -> Array:
    """`|e|`, with the slope 0 at 0 that Keras and PyTorch have; that of JAX's abs is 1."""
    return error * jnp.sign(jax.lax.stop_gradient(error))


def mae(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """Absolute error, `mean_o |f - y|` (Keras' `mae`, PyTorch's `L1Loss`)."""
    return size(outputs - targets).mean(1)


def huber(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."], delta: float = 1.0
) -> Float[Array, "n ..."]:
    """`mean_o ½ e²` up to `|e| = delta` and `delta (|e| - ½ delta)` beyond (Huber 1964)."""
    error = size(outputs - targets)
    near = 0.5 * (outputs - targets) ** 2
    return jnp.where(error <= delta, near, delta * (error - 0.5 * delta)).mean(1)


def smooth_l1(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."], beta: float = 1.0
) -> Float[Array, "n ..."]:
    """`mean_o ½ e² / beta` below `|e| = beta`, else `|e| - ½ beta` (PyTorch's `SmoothL1Loss`)."""
    return huber(outputs, targets, beta) / beta


def log_cosh(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """`mean_o log cosh(f - y)`, as `e + log(1 + e^(-2 e)) - log 2` (Keras' `log_cosh`)."""
    error = outputs - targets
    return (error + softplus(-2 * error) - jnp.log(2.0).astype(error.dtype)).mean(1)


def mape(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """`100 mean_o |f - y| / max(|y|, 1e-7)` (Keras' `mape`)."""
    below = jnp.maximum(jnp.abs(targets), EPSILON)
    return 100 * (size(outputs - targets) / below).mean(1)


def msle(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """`mean_o (log(1 + f) - log(1 + y))²`, f and y at least 1e-7 (Keras' `msle`)."""
    of_outputs, of_targets = (jnp.log1p(at_least(v, EPSILON)) for v in (outputs, targets))
    return ((of_outputs - of_targets) ** 2).mean(1)


def poisson(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """`mean_o f - y log(f + 1e-7)`, of means f above 0 (Keras' `poisson`)."""
    return (outputs - targets * jnp.log(outputs + EPSILON)).mean(1)


def poisson_log(
    logarithms: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """`mean_o e^z - y z`, of the means' logarithms z (PyTorch's `PoissonNLLLoss`)."""
    return (jnp.exp(logarithms) - targets * logarithms).mean(1)


def hinge(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """`mean_o max(1 - y f, 0)`, of sides y: above 0 is 1, all others are -1.

    Keras' `hinge` does so with targets of 0 and 1.
    """
    return margin(outputs, targets).mean(1)


def squared_hinge(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """`mean_o max(1 - y f, 0)²`, of sides y as in `hinge` (Keras' `squared_hinge`)."""
    return (margin(outputs, targets) ** 2).mean(1)


def categorical_hinge(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """`max(max_o (1 - y) f - Σ_o y f + 1, 0)`, of one-hot targets (Keras' `categorical_hinge`)."""
    right = (targets * outputs).sum(1)
    wrong = ((1 - targets) * outputs).max(1)
    gap = wrong - right + 1
    return jnp.where(gap > 0, gap, 0)


def margin(outputs: Array, targets: Array) -> Array:
    """`max(1 - y f, 0)` with the sides y of the targets, and the slope 0 where it is 0."""
    sides = jnp.where(targets > 0, 1, -1).astype(outputs.dtype)
    gap = 1 - sides * outputs
    return jnp.where(gap > 0, gap, 0)


def at_least(values: Array, low: float) -> Array:
    """`max(v, low)`, with the slope 0 where it is `low`."""
    return jnp.where(values > low, values, low)


def as_probabilities(outputs: Array, high: float = 1.0) -> Array:
    """Outputs between 1e-7 and `high`; the slope is 0 beyond."""
    below = jnp.where(outputs < high, outputs, high)
    return at_least(below, EPSILON)


def soft_cross_entropy(
    logits: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """Cross-entropy of shares y that sum to 1, from logits: `-Σ_o y log softmax(z)`.

    It is Keras' `CategoricalCrossentropy(from_logits=True)` and PyTorch's `CrossEntropyLoss` with
    shares as targets.
    """
    total = jax.scipy.special.logsumexp(logits, axis=1)
    return targets.sum(1) * total - (targets * logits).sum(1)


def probability_cross_entropy(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """`-Σ_o y log p`, p being the outputs over their sum, between 1e-7 and 1 - 1e-7.

    It is Keras' `categorical_crossentropy`, for a network that ends in a softmax.
    """
    shares = outputs / outputs.sum(1, keepdims=True)
    p = as_probabilities(shares, 1 - EPSILON)
    return -(targets * jnp.log(p)).sum(1)


def probability_binary_cross_entropy(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """`-mean_o y log p + (1 - y) log(1 - p)`, p being the outputs, between 1e-7 and 1 - 1e-7.

    It is Keras' `binary_crossentropy`, for a network that ends in a sigmoid.
    """
    p = as_probabilities(outputs, 1 - EPSILON)
    return -(targets * jnp.log(p) + (1 - targets) * jnp.log(1 - p)).mean(1)


def kl_divergence(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n ..."]:
    """`Σ_o y log(y / p)`, with y and the outputs p between 1e-7 and 1 (Keras' `kl_divergence`)."""
    p, y = as_probabilities(outputs), as_probabilities(targets)
    return (y * (jnp.log(y) - jnp.log(p))).sum(1)


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


def same_sign(
    outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Bool[Array, "n ..."]:
    """Whether every output is finite and above 0 exactly where its target is.

    It is for targets 0 and 1, or -1 and 1, of hinge losses.
    """
    same = (outputs > 0) == (targets > 0)
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


@dataclass(frozen=True)
class Numbered:
    """A named loss with a number of one's own; made by `with_numbers`.

    Attributes:
        name: of `LOSSES`.
        numbers: (name, value) each; they are structure.
    """

    name: str
    numbers: tuple[tuple[str, float], ...]

    def __call__(
        self, outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
    ) -> Float[Array, "n ..."]:
        """One loss per row."""
        return LOSSES[self.name](outputs, targets, **dict(self.numbers))


def with_numbers(name: str, **numbers: Any) -> Numbered:
    """A loss with a number of one's own.

    Args:
        name: "huber", whose number is `delta`, or "smooth_l1", whose number is `beta`.
        numbers: above 0.

    Raises:
        ValueError: a loss or a number that there is not; a number that is not above 0.

    Example:
        `task(f, x, x_test, loss=losses.with_numbers("huber", delta=0.5))`
    """
    if NUMBERS.get(name) is None or set(numbers) != {NUMBERS[name]}:
        known = ", ".join(f"{loss!r} has {number}" for loss, number in NUMBERS.items())
        raise ValueError(f"the loss {name!r} has no numbers {sorted(numbers)}; {known}")
    for number, value in numbers.items():
        check_positive(number, value)
    return Numbered(name, tuple((number, float(value)) for number, value in numbers.items()))


def check_positive(name: str, value: Any) -> None:
    """Refuse what is no number above 0.

    Raises:
        ValueError: with the value.
    """
    is_number = isinstance(value, float | int) and not isinstance(value, bool)
    if not is_number or not value > 0:
        raise ValueError(f"{name} is {value!r}; it must be one number above 0")


NUMBERS = {"huber": "delta", "smooth_l1": "beta"}
LOSSES: dict[str, Callable[..., Array]] = {
    "mse": mse,
    "half_squared_error": half_squared_error,
    "binary_cross_entropy": binary_cross_entropy,
    "brier": brier,
    "cross_entropy": cross_entropy,
    "sum_squared_error": sum_squared_error,
    "mae": mae,
    "huber": huber,
    "smooth_l1": smooth_l1,
    "log_cosh": log_cosh,
    "mape": mape,
    "msle": msle,
    "poisson": poisson,
    "poisson_log": poisson_log,
    "hinge": hinge,
    "squared_hinge": squared_hinge,
    "categorical_hinge": categorical_hinge,
    "soft_cross_entropy": soft_cross_entropy,
    "probability_cross_entropy": probability_cross_entropy,
    "probability_binary_cross_entropy": probability_binary_cross_entropy,
    "kl_divergence": kl_divergence,
}
# What Keras and PyTorch call them where that means one thing
OTHER_NAMES = {
    "mean_squared_error": "mse",
    "MSELoss": "mse",
    "mean_absolute_error": "mae",
    "L1Loss": "mae",
    "HuberLoss": "huber",
    "SmoothL1Loss": "smooth_l1",
    "logcosh": "log_cosh",
    "mean_absolute_percentage_error": "mape",
    "mean_squared_logarithmic_error": "msle",
    "kullback_leibler_divergence": "kl_divergence",
    "kld": "kl_divergence",
    "categorical_crossentropy": "probability_cross_entropy",
    "binary_crossentropy": "probability_binary_cross_entropy",
    "BCELoss": "probability_binary_cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy",
}
# The residuals of those losses that are means of squares, up to a factor.
RESIDUALS: dict[str, Callable] = {
    "mse": lambda outputs, targets: outputs - targets,
    "half_squared_error": lambda outputs, targets: outputs - targets,
    "sum_squared_error": lambda outputs, targets: outputs - targets,
    "brier": lambda logits, targets: sigmoid(logits) - targets,
}
# Those of them that sum over the outputs, and by which factor
SUMS = {"half_squared_error": 0.5, "sum_squared_error": 1.0}
SIDES = ("hinge", "squared_hinge")  # their targets are sides: above 0, or not
# What is correct. For squared errors the task says it, by one of RULES or a rule of its own, as its
# targets need not be labels. The other losses know it: CORRECT.
RULES = (same_half, same_largest)
CORRECT = {
    "binary_cross_entropy": same_side,
    "brier": same_side,
    "cross_entropy": same_class,
    "hinge": same_sign,
    "squared_hinge": same_sign,
    "categorical_hinge": same_largest,
    "soft_cross_entropy": same_largest,
    "probability_cross_entropy": same_largest,
    "kl_divergence": same_largest,
    "probability_binary_cross_entropy": same_half,
}


def known(loss: str | Callable) -> str | Callable:
    """A loss by its name here, as a task keeps it; a function is its own name if it has none."""
    for name, function in LOSSES.items():
        if loss is function:
            return name
    return known_name(loss, LOSSES, OTHER_NAMES)


def judging(loss: OfNetwork) -> Callable:
    """The loss of outputs and targets by which a loss of the network judges test points.

    Raises:
        ValueError: an unknown name, or a loss of labels.
    """
    if loss.test in ("cross_entropy", cross_entropy):
        raise ValueError(
            "test is 'cross_entropy', whose targets are labels; a loss that sees the network is "
            "judged by columns of numbers, such as test='mse' or test='soft_cross_entropy'"
        )
    return find(loss.test)


def find(loss: str | Callable) -> Callable:
    """The loss of outputs and targets of that name, or the function itself.

    Of a loss that sees the network it is the one by which test points are judged.

    Raises:
        ValueError: an unknown name.

    """
    if isinstance(loss, ScaledError | Numbered):
        return loss
    if isinstance(loss, OfNetwork):
        return judging(loss)
    loss = known_name(loss, LOSSES, OTHER_NAMES)
    if callable(loss):
        return of_networks(loss)
    if loss not in LOSSES:
        raise ValueError(
            f"unknown loss {loss!r}; there is: {', '.join(LOSSES)}, "
            f"or your own function (outputs, targets) -> (n,){meant(loss, LOSSES)}"
        )
    return LOSSES[loss]
