"""TensorFlow.js' layers (`tf.sequential` of dense layers) as a task and a recipe."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import PyTree

from approx import models
from approx.frameworks import fits, printed
from approx.frameworks.questions import Conventions, Question
from approx.training.recipes import Recipe

ACTIVATIONS = {
    None: "linear",
    "linear": "linear",
    "tanh": "tanh",
    "relu": "relu",
    "sigmoid": "sigmoid",
    "elu": "elu",
    "selu": "selu",
    "softplus": "softplus",
    "softsign": "softsign",
    "relu6": "relu6",
    "swish": "silu",
    "mish": "mish",
}
REFUSED = {
    "hardSigmoid": 'nearest is models.activation("hard_sigmoid", slope=0.2) in an MLP',
    "leakyReLU": "a layer there; nearest is models.activation('leaky_relu', slope=0.3) in an MLP",
    "softmax": 'nearest is output_activation="softmax" of an MLP',
}
LOSSES = {"meanSquaredError": "mse", "mse": "mse", "meanAbsoluteError": "mae"}
EPSILON = 1e-7  # tf.backend().epsilon() of a backend in float32


def adagrad(learning_rate: Any, acc: float = 0.1, eps: float = EPSILON):
    """`a <- a + g²` from a = 0.1 on, and `w <- w - rate g / sqrt(a + eps)`."""
    return optax.adagrad(learning_rate, initial_accumulator_value=acc, eps=eps)


class Means(NamedTuple):
    """Adadelta between two steps: running means of squared gradients and of squared updates."""

    gradient: PyTree
    update: PyTree


def adadelta(learning_rate: Any, rho: float = 0.95, eps: float = EPSILON):
    """TensorFlow.js' Adadelta, which divides by the mean of the steps before this one.

    So the first step is the gradient itself, times the rate, and gradients that become larger are
    not yet held back. Zeiler 2012 divides by the mean with this step's gradient in it.
    """

    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return Means(zeros, zeros)

    def mean(old, value):
        return rho * old + (1 - rho) * value**2

    def ratio(e_g, e_u, g):
        return jnp.sqrt(e_u + eps) / jnp.sqrt(e_g + eps) * g

    def update(gradients, state, params=None):
        del params
        updates = jax.tree.map(ratio, state.gradient, state.update, gradients)
        means = jax.tree.map(mean, state.gradient, gradients)
        moved = jax.tree.map(mean, state.update, updates)
        return jax.tree.map(lambda u: -learning_rate * u, updates), Means(means, moved)

    return optax.GradientTransformation(init, update)


# Each with its learning rate as a word (`compile({optimizer: "adam"})`), which is not that of
# `tf.train.adagrad(...)`, whose rate must be given
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": "sgd", "learning_rate": 0.01},
    "momentum": {"optimizer": "momentum", "learning_rate": 0.01},
    "adam": {"optimizer": optax.adam, "learning_rate": 1e-3, "options": {"eps": EPSILON}},
    "adamax": {"optimizer": optax.adamax, "learning_rate": 2e-3, "options": {"eps": EPSILON}},
    "rmsprop": {
        "optimizer": optax.rmsprop,
        "learning_rate": 1e-3,
        "options": {"decay": 0.9, "eps": EPSILON},
    },
    "adagrad": {"optimizer": adagrad, "learning_rate": 0.01},
    "adadelta": {"optimizer": adadelta, "learning_rate": 1e-3},
}


def question(  # noqa: PLR0913 (the words of `tf.layers.dense`, `compile` and `fit`)
    x: Any,
    y: Any,
    *,
    units: Any,
    epochs: int = 1,
    activation: str | None = None,
    outputActivation: str | None = None,
    optimizer: str,
    learningRate: float | None = None,
    options: Mapping[str, float] | None = None,
    loss: str = "meanSquaredError",
    batchSize: int = 32,
    shuffle: bool = True,
    validationSplit: float = 0.0,
    kernelInitializer: str = "glorotNormal",
    test: Any = None,
    **recipe: Any,
) -> Question:
    """A sequential model of dense layers, its `compile` and `fit`, by TensorFlow.js' own words.

    Args:
        x: inputs, (n,) or (n, i).
        y: targets, (n,) or (n, o).
        units: of the hidden layers; a last dense layer has as many units as y has columns.
        epochs: of `fit`.
        activation: of the hidden layers; None is linear.
        outputActivation: of the last layer.
        optimizer: "sgd", "momentum", "adam", "adamax", "rmsprop", "adagrad" or "adadelta".
        learningRate: None for that of the word given to `compile`.
        options: further numbers of the optimiser by the names that optax has for them.
        loss: "meanSquaredError" or "meanAbsoluteError".
        batchSize: of `fit`; the last batch of an epoch may be partial.
        shuffle: whether rows are shuffled in every epoch.
        validationSplit: the last rows are kept for validation.
        kernelInitializer: "glorotNormal" or "glorotUniform".
        test: rows (x, y) for the test loss; None for none.
        recipe: further fields of the recipe, such as `records`.

    Returns:
        A `Question`, which unpacks into task and recipe.

    Raises:
        ValueError: a word that cannot be translated.

    Example:
        >>> ap.frameworks.tfjs.question(x, x**2, units=10, activation="tanh", optimizer="adam")

    """
    x, y = printed.rows(x, y)
    kinds = {"glorotNormal": "tfjs", "glorotUniform": "keras"}
    model = models.MLP(
        printed.widths("units", units),
        printed.find("activation", activation, ACTIVATIONS, REFUSED),
        y.shape[1],
        initializer=printed.find("kernelInitializer", kernelInitializer, kinds, {}),
        output_activation=printed.find("outputActivation", outputActivation, ACTIVATIONS, REFUSED),
    )
    task = fits.task_of(
        x,
        y,
        loss=printed.find("loss", loss, LOSSES, {}),
        validation=validationSplit,
        test=test,
    )
    chosen = printed.find("optimizer", optimizer, OPTIMIZERS, {})
    fields: dict[str, Any] = {
        "model": model,
        **chosen,
        "options": {**chosen.get("options", {}), **(options or {})},
        "epochs": epochs,
        **fits.batches(batchSize, fits.trained_rows(task), shuffle),
    }
    if learningRate is not None:
        fields["learning_rate"] = learningRate
    return Question(task, Recipe(**fields | recipe), NOTES)


NOTES = (
    "TensorFlow.js prints the size-weighted mean of the batches' losses before each update, which "
    'is the "epoch_loss" of stopping rules here.',
)
CONVENTIONS = Conventions(
    "TensorFlow.js",
    "4.22.0",
    {
        "first weights": "normal, sd sqrt(2 / (in + out)), cut at 2 sd: real sd 0.88 of it.",
        "first biases": "0.",
        "activations": "linear unless given.",
        "loss that is descended": "as compiled.",
        "loss that is reported": "size-weighted mean of the batches' losses before each update.",
        "optimiser": "as given; Adam 0.001, epsilon 1e-7 outside the corrected root.",
        "batches": "32, shuffled in every epoch; the last may be partial.",
        "scaling": "none.",
        "stopping": "1 epoch unless given.",
        "precision": "float32.",
    },
    "three epochs and 300 networks were recorded with node (tests/recorded/words); rates of words "
    "from the installed source.",
)
