"""FANN's `fann_create_standard` and `fann_train_on_data` as a task and a recipe."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from approx import models
from approx.frameworks import fits, printed
from approx.frameworks.questions import Conventions, Question
from approx.training import stops
from approx.training.recipes import Recipe

FLAT = 0.9999999  # errors above this count with a slope of STEEPEST
STEEPEST = 17.0


def scaled_line(z: Any, steepness: float = 0.5) -> Any:
    """FANN's LINEAR: `s z`; with the default steepness outputs are halved."""
    return steepness * z


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def bell(z: Any, steepness: float = 0.5) -> Any:
    """FANN's GAUSSIAN: `exp(-(s z)²)`, whose slope FANN takes for `-2 s³ z exp(-(s z)²)`.

    That is s times the slope of the formula.
    """
    return jnp.exp(-((steepness * z) ** 2))


@bell.defjvp
def bell_slope(steepness: float, primals: Any, tangents: Any) -> tuple[Any, Any]:
    """The value and FANN's slope."""
    (z,) = primals
    value = bell(z, steepness)
    return value, tangents[0] * (-2 * steepness**3 * z * value)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def wave(z: Any, steepness: float = 0.5) -> Any:
    """FANN's SIN_SYMMETRIC: `sin(s z)`, whose slope FANN takes for `s cos(s² z)`."""
    return jnp.sin(steepness * z)


@wave.defjvp
def wave_slope(steepness: float, primals: Any, tangents: Any) -> tuple[Any, Any]:
    """The value and FANN's slope."""
    (z,) = primals
    return wave(z, steepness), tangents[0] * (steepness * jnp.cos(steepness**2 * z))


def named(name: str, steepness: float) -> Any:
    """A named activation with its steepness."""
    return models.activation(name, steepness=steepness)


def own(function: Any, steepness: float) -> Any:
    """An activation of this file with its steepness."""
    return models.Elementwise(function, (("steepness", float(steepness)),))


ACTIVATIONS = {
    "SIGMOID": partial(named, "fann_sigmoid"),
    "SIGMOID_STEPWISE": partial(named, "fann_sigmoid_stepwise"),
    "SIGMOID_SYMMETRIC": partial(named, "fann_tanh"),
    "SIGMOID_SYMMETRIC_STEPWISE": partial(named, "fann_tanh_stepwise"),
    "ELLIOT": partial(named, "elliot"),
    "ELLIOT_SYMMETRIC": partial(named, "elliot_symmetric"),
    "LINEAR": partial(own, scaled_line),
    "GAUSSIAN": partial(own, bell),
    "SIN_SYMMETRIC": partial(own, wave),
}
REFUSED = {
    "THRESHOLD": "FANN cannot train it; nearest is SIGMOID with a large steepness",
    "THRESHOLD_SYMMETRIC": "FANN cannot train it; nearest is SIGMOID_SYMMETRIC",
    "LINEAR_PIECE": "nearest is LINEAR",
    "LINEAR_PIECE_SYMMETRIC": "nearest is LINEAR",
}


@dataclass(frozen=True)
class Error:
    """FANN's error of an output: `e = y - f`, halved for symmetric activations.

    It prints the mean of e². With ERRORFUNC_TANH it follows `log((1 + e) / (1 - e))` in place of e,
    which is at most 17.

    Attributes:
        symmetric: whether the output's activation is symmetric.
        tanh: whether ERRORFUNC_TANH is set.
    """

    symmetric: bool
    tanh: bool

    def errors(self, outputs: printed.Values, targets: printed.Values) -> printed.Values:
        """e."""
        half = 0.5 if self.symmetric else 1.0
        return half * (targets - outputs)

    def slope(self, outputs: printed.Values, targets: printed.Values) -> printed.Values:
        """What is followed, for each output, with its sign turned."""
        e = self.errors(outputs, targets)
        if not self.tanh:
            return -e
        inner = jnp.clip(e, -FLAT, FLAT)
        steep = jnp.log((1 + inner) / (1 - inner))
        beyond = jnp.abs(e) > FLAT
        return -jnp.where(beyond, STEEPEST * jnp.sign(e), steep)

    def value(self, outputs: printed.Values, targets: printed.Values) -> Any:
        """The mean of e² over the outputs of each row."""
        return (self.errors(outputs, targets) ** 2).mean(1)


def question(  # noqa: PLR0913 (the settings of a struct fann)
    x: Any,
    y: Any,
    *,
    num_neurons_hidden: Any,
    max_epochs: int,
    desired_error: float = 0.0,
    activation_function_hidden: str = "SIGMOID_STEPWISE",
    activation_function_output: str = "SIGMOID_STEPWISE",
    activation_steepness_hidden: float = 0.5,
    activation_steepness_output: float = 0.5,
    training_algorithm: str = "RPROP",
    train_error_function: str = "TANH",
    learning_rate: float = 0.7,
    learning_momentum: float = 0.0,
    rprop_increase_factor: float = 1.2,
    rprop_decrease_factor: float = 0.5,
    rprop_delta_min: float = 0.0,
    rprop_delta_max: float = 50.0,
    rprop_delta_zero: float = 0.1,
    test: Any = None,
    **recipe: Any,
) -> Question:
    """A network of FANN and its training on data, by the names of FANN's settings.

    Args:
        x: inputs, (n,) or (n, i).
        y: outputs, (n,) or (n, o).
        num_neurons_hidden: neurons of the hidden layers.
        max_epochs: of `fann_train_on_data`.
        desired_error: ends the training when the error of an epoch is at most this.
        activation_function_hidden: without the prefix `FANN_`.
        activation_function_output: without the prefix `FANN_`.
        activation_steepness_hidden: of the hidden activations.
        activation_steepness_output: of the output's activation.
        training_algorithm: "RPROP", "BATCH" or "INCREMENTAL".
        train_error_function: "TANH" or "LINEAR".
        learning_rate: of BATCH and INCREMENTAL.
        learning_momentum: of INCREMENTAL.
        rprop_increase_factor: of RPROP.
        rprop_decrease_factor: of RPROP.
        rprop_delta_min: of RPROP.
        rprop_delta_max: of RPROP.
        rprop_delta_zero: of RPROP; the first step is larger by the increase factor.
        test: rows (x, y) for the test loss; None for none.
        recipe: further fields of the recipe, such as `records`.

    Returns:
        A `Question`, which unpacks into task and recipe. The recorded loss is `fann_get_MSE`.

    Raises:
        ValueError: a word that cannot be translated.

    Example:
        >>> ap.frameworks.fann.question(x, x**2, num_neurons_hidden=10, max_epochs=1000)

    """
    x, y = printed.rows(x, y)
    hidden = printed.find(
        "activation_function_hidden", activation_function_hidden, ACTIVATIONS, REFUSED
    )
    output = printed.find(
        "activation_function_output", activation_function_output, ACTIVATIONS, REFUSED
    )
    followed = printed.find(
        "train_error_function", train_error_function, {"TANH": True, "LINEAR": False}, {}
    )
    model = models.MLP(
        printed.widths("num_neurons_hidden", num_neurons_hidden),
        hidden(activation_steepness_hidden),
        y.shape[1],
        initializer="fann",
        output_activation=output(activation_steepness_output),
    )
    resilient = {
        "grow": rprop_increase_factor,
        "shrink": rprop_decrease_factor,
        "shortest": rprop_delta_min,
        "longest": rprop_delta_max,
    }
    plain: dict[str, Any] = {"optimizer": "sgd", "learning_rate": learning_rate}
    rules: dict[str, dict[str, Any]] = {
        "RPROP": {
            "optimizer": "rprop_fann",
            "learning_rate": rprop_delta_zero,
            "options": resilient,
        },
        "BATCH": plain,
        "INCREMENTAL": {
            "optimizer": "momentum",
            "learning_rate": learning_rate,
            "options": {"momentum": learning_momentum},
            "batch_size": 1,
            "batches": "order",
        },
    }
    fields: dict[str, Any] = {
        "model": model,
        "epochs": max_epochs,
        "stop": stops.Below(of="epoch_loss", value=desired_error),
        **printed.find(
            "training_algorithm",
            training_algorithm,
            rules,
            {"QUICKPROP": "nearest is RPROP", "SARPROP": "nearest is RPROP"},
        ),
    }
    error = Error("SYMMETRIC" in activation_function_output, followed)
    loss = printed.Printed(error.slope, error.value)
    return Question(fits.task_of(x, y, loss=loss, test=test), Recipe(**fields | recipe), NOTES)


NOTES = (
    "The loss is what fann_get_MSE gives: for a symmetric output a quarter of the mean squared "
    "error.",
    "FANN clamps sums to ±150 / steepness; here they are not clamped.",
)
CONVENTIONS = Conventions(
    "FANN",
    "2.2.0",
    {
        "first weights": "U(-0.1, 0.1).",
        "first biases": "U(-0.1, 0.1).",
        "activations": "SIGMOID_STEPWISE, hidden and output, steepness 0.5; LINEAR halves too.",
        "loss that is descended": (
            "squares, or with ERRORFUNC_TANH, the default, log((1 + e) / (1 - e))."
        ),
        "loss that is reported": (
            "mean of e² before the update; a quarter of it for symmetric outputs."
        ),
        "optimiser": "iRPROP- with a first step of 0.12; rate 0.7 otherwise.",
        "batches": "all rows; incremental: in the order of the file.",
        "scaling": "none.",
        "stopping": "desired error or number of epochs, both the user's.",
        "precision": "float32.",
    },
    "three epochs, activations and 2,000 starts were recorded with C (tests/recorded/words).",
)
