"""The loss of each output by itself, where a row's loss is a sum or a mean over its outputs."""

from collections.abc import Callable

from jaxtyping import Array, Float

from approx.tasks import losses

# Losses that add what each output contributes, or take its mean. The others compare outputs with
# one another: a softmax, or the largest of them.
SEPARATE = (
    "mse",
    "half_squared_error",
    "sum_squared_error",
    "mae",
    "huber",
    "smooth_l1",
    "log_cosh",
    "mape",
    "msle",
    "poisson",
    "poisson_log",
    "binary_cross_entropy",
    "probability_binary_cross_entropy",
    "brier",
    "hinge",
    "squared_hinge",
    "kl_divergence",
)


def check_separate(loss: str | Callable) -> None:
    """Refuse a loss that no output has by itself.

    Raises:
        ValueError: with the losses that each output has.
    """
    name = loss.name if isinstance(loss, losses.Numbered) else loss
    if name in SEPARATE:
        return
    raise ValueError(
        f'keep=("output_loss",) records the loss of each output, and the loss {loss!r} is not '
        f"known to be a sum or a mean over outputs. These are: {', '.join(SEPARATE)}. For "
        "another number of each output give ap.run a function of your own as metrics="
    )


def of_outputs(
    loss: str | Callable, outputs: Float[Array, "n o ..."], targets: Float[Array, "n o ..."]
) -> Float[Array, "n o ..."]:
    """The loss of each row and output, as if each output were a row of its own.

    For a loss that is a mean over outputs, such as `mse`, the mean of these over the outputs is the
    loss of the row; for one that is a sum over outputs, such as `sum_squared_error`, their sum is.

    Args:
        loss: one of `SEPARATE`.
        outputs: of the network.
        targets: likewise.
    """

    def as_rows(values: Array) -> Array:
        n, o, *networks = values.shape
        return values.reshape(n * o, 1, *networks)

    of_rows = losses.find(loss)(as_rows(outputs), as_rows(targets))
    n, o = outputs.shape[:2]
    return of_rows.reshape(n, o, *of_rows.shape[1:])
