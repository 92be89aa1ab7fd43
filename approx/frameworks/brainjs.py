"""brain.js' `NeuralNetwork` as a task and a recipe."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, PyTree

from approx import models
from approx.frameworks import fits, printed
from approx.frameworks.questions import Conventions, Question
from approx.training import stops
from approx.training.recipes import Recipe


class Moments(NamedTuple):
    """Adam between two steps: how many were made, and running means of gradients and squares."""

    steps: Array
    mean: PyTree
    square: PyTree


def adam(learning_rate: Any, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8):
    """brain.js 1.6.1's Adam, which moves biases by the means of the step before.

    Weights move by Adam's formula, with both means corrected by `1 - b^t` and epsilon outside the
    root. The means of biases are corrected for this step, but are those of the step before; so the
    first step leaves biases as they are.
    """

    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return Moments(jnp.zeros((), jnp.int32), zeros, zeros)

    def update(gradients, state, params=None):
        del params
        t = state.steps + 1
        mean = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state.mean, gradients)
        square = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g**2, state.square, gradients)

        def move(old_mean, new_mean, old_square, new_square):
            late = new_mean.ndim < 2
            m = (old_mean if late else new_mean) / (1 - b1**t)
            v = old_square if late else new_square
            return -learning_rate * m / (jnp.sqrt(v / (1 - b2**t)) + eps)

        moves = jax.tree.map(move, state.mean, mean, state.square, square)
        return moves, Moments(t, mean, square)

    return optax.GradientTransformation(init, update)


ACTIVATIONS = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "relu"}
REFUSED = {"leaky-relu": 'its slopes are wrong in 1.6.1; nearest is "relu"'}
WITHIN = "brain.js 1.6.1 takes numbers"


def question(  # noqa: PLR0913 (the words of `new NeuralNetwork` and `train`)
    x: Any,
    y: Any,
    *,
    hiddenLayers: Any = None,
    activation: str = "sigmoid",
    iterations: int = 20000,
    errorThresh: float = 0.005,
    learningRate: float = 0.3,
    momentum: float = 0.1,
    praxis: str | None = None,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    test: Any = None,
    **recipe: Any,
) -> Question:
    """A network of brain.js and its `train`, by brain.js' own words.

    Args:
        x: the rows' `input`, (n,) or (n, i).
        y: the rows' `output`, (n,) or (n, o).
        hiddenLayers: units of the hidden layers; left out, one layer of max(3, floor(i / 2)).
        activation: of all layers, that of the outputs among them: "sigmoid", "tanh" or "relu".
        iterations: epochs at most.
        errorThresh: ends the training when the error of an epoch is at most this.
        learningRate: above 0 and below 1.
        momentum: of the weights; the biases have none. Above 0 and below 1.
        praxis: None, or "adam".
        beta1: of Adam.
        beta2: of Adam.
        epsilon: of Adam.
        test: rows (x, y) for the test loss; None for none.
        recipe: further fields of the recipe, such as `records`.

    Returns:
        A `Question`, which unpacks into task and recipe. The recorded loss is the error that
        brain.js prints.

    Raises:
        ValueError: a word that cannot be translated, or a number that brain.js refuses.

    Example:
        >>> ap.run(*ap.frameworks.brainjs.question(x, x**2, hiddenLayers=[10]), seeds=64)

    """
    x, y = printed.rows(x, y)
    output = printed.find("activation", activation, ACTIVATIONS, REFUSED)
    for name, value in (("learningRate", learningRate), ("errorThresh", errorThresh)):
        printed.check_range(name, value, 0, 1, WITHIN)
    printed.check_range("momentum", momentum, 0, 1, WITHIN)
    hidden = hiddenLayers
    if hidden is None:
        hidden = (max(3, x.shape[1] // 2),)
    model = models.MLP(
        printed.widths("hiddenLayers", hidden),
        output,
        y.shape[1],
        initializer="brainjs",
        output_activation=output,
    )
    rule = printed.find(
        "praxis",
        praxis,
        {
            None: {"optimizer": "momentum_brainjs", "options": {"momentum": momentum}},
            "adam": {
                "optimizer": adam,
                "options": {"b1": beta1, "b2": beta2, "eps": epsilon},
            },
        },
        {},
    )
    fields: dict[str, Any] = {
        "model": model,
        "learning_rate": learningRate,
        "epochs": iterations,
        "batch_size": 1,
        "batches": "order",
        "stop": stops.Below(of="epoch_loss", value=errorThresh),
        **rule,
    }
    loss = printed.half_squares(printed.mean_square)
    return Question(fits.task_of(x, y, loss=loss, test=test), Recipe(**fields | recipe), NOTES)


NOTES = (
    "The loss is what brain.js prints, the mean squared error; it descends half the squared error "
    "of each row, summed over the outputs.",
    'With praxis="adam" biases move by the means of the step before, as in 1.6.1.',
    "brain.js adds up in float64 and keeps weights in float32; here all is float32.",
)
CONVENTIONS = Conventions(
    "brain.js",
    "1.6.1",
    {
        "first weights": "U(-0.2, 0.2), whatever the layer's size.",
        "first biases": "U(-0.2, 0.2).",
        "activations": "logistic in all layers, the outputs too; tanh and relu in all layers.",
        "loss that is descended": "half the squared error of a row, summed over the outputs.",
        "loss that is reported": (
            "mean over rows and outputs of the squared error before each update."
        ),
        "optimiser": "rate 0.3; momentum 0.1 on weights and none on biases.",
        "batches": "row by row, in the order given.",
        "scaling": "none.",
        "stopping": "error of an epoch at most 0.005, or 20,000 epochs.",
        "precision": "float32 weights, sums in float64.",
    },
    "three epochs and 2,000 first weights were recorded with node (tests/recorded/words).",
)
