"""convnetjs' `Net` and `Trainer` as a task and a recipe."""

from typing import Any

import optax

from approx import models
from approx.frameworks import fits, printed
from approx.frameworks.questions import Conventions, Question
from approx.training.recipes import Recipe

ACTIVATIONS = {None: "linear", "tanh": "tanh", "relu": "relu", "sigmoid": "sigmoid"}
REFUSED = {"maxout": 'a unit is the largest of two sums; nearest is "relu"'}


def adadelta(learning_rate: Any, rho: float = 0.95, eps: float = 1e-6):
    """Adadelta without a learning rate, as Zeiler 2012 and convnetjs have it."""
    del learning_rate
    return optax.adadelta(1.0, rho=rho, eps=eps)


def question(  # noqa: PLR0913 (the words of `makeLayers` and `Trainer`)
    x: Any,
    y: Any,
    *,
    hidden: Any,
    epochs: int,
    activation: str | None = None,
    method: str = "sgd",
    learning_rate: float = 0.01,
    momentum: float = 0.9,
    batch_size: int = 1,
    l1_decay: float = 0.0,
    l2_decay: float = 0.0,
    ro: float = 0.95,
    eps: float = 1e-6,
    test: Any = None,
    **recipe: Any,
) -> Question:
    """A regression network of convnetjs and its Trainer, by convnetjs' own words.

    Args:
        x: inputs, (n,) or (n, i).
        y: targets, (n,) or (n, o), which convnetjs wants as plain arrays.
        hidden: `num_neurons` of the hidden "fc" layers.
        epochs: how often the user's loop shows all rows.
        activation: of the hidden layers: None (linear), "tanh", "relu", "sigmoid".
        method: "sgd", "adagrad", "windowgrad" or "adadelta". convnetjs takes any other word for
            "sgd"; here it is refused.
        learning_rate: without effect with "adadelta".
        momentum: of "sgd".
        batch_size: rows of a step; their gradients are averaged.
        l1_decay: without effect, as each layer multiplies it by its own `l1_decay_mul`, which is 0.
        l2_decay: adds `l2_decay Σ w² / 2` over weights without biases.
        ro: of "windowgrad" and "adadelta".
        eps: of all methods but "sgd".
        test: rows (x, y) for the test loss; None for none.
        recipe: further fields of the recipe, such as `records`.

    Returns:
        A `Question`, which unpacks into task and recipe. The recorded loss is the mean of what
        `train` calls `cost_loss`, four times what is descended.

    Raises:
        ValueError: a word that cannot be translated; a batch size that does not divide the rows.

    Example:
        >>> ap.run(*ap.frameworks.convnetjs.question(x, x**2, hidden=10, epochs=1000), seeds=64)

    """
    del l1_decay
    x, y = printed.rows(x, y)
    fits.check_count("batch_size", batch_size)
    if len(x) % batch_size:
        raise ValueError(
            f"batch_size={batch_size} does not divide the {len(x)} rows; convnetjs fills a batch "
            "with the first rows of the next epoch, which is not supported"
        )
    methods: dict[str, dict[str, Any]] = {
        "sgd": {"optimizer": "momentum", "options": {"momentum": momentum}},
        "adagrad": {
            "optimizer": optax.adagrad,
            "options": {"initial_accumulator_value": 0.0, "eps": eps},
        },
        "windowgrad": {"optimizer": optax.rmsprop, "options": {"decay": ro, "eps": eps}},
        "adadelta": {"optimizer": adadelta, "options": {"rho": ro, "eps": eps}},
    }
    fields: dict[str, Any] = {
        "model": models.MLP(
            printed.widths("hidden", hidden),
            printed.find("activation", activation, ACTIVATIONS, REFUSED),
            y.shape[1],
            initializer="convnetjs",
        ),
        "learning_rate": learning_rate,
        "epochs": epochs,
        "batch_size": batch_size,
        "batches": "order",
        "dtype": "float64",
        # The gradients of the rows are divided by the batch size, and the penalty with them
        "l2": l2_decay / 2 / batch_size if l2_decay else None,
        **printed.find("method", method, methods, {}),
    }
    loss = printed.half_squares(printed.SquaresOf(2.0))
    return Question(fits.task_of(x, y, loss=loss, test=test), Recipe(**fields | recipe), NOTES)


NOTES = (
    "The loss is what convnetjs calls cost_loss, twice the squared error of a row; it descends "
    "half the squared error.",
    "l1_decay has no effect: each layer multiplies it by its own l1_decay_mul, which is 0.",
)
CONVENTIONS = Conventions(
    "convnetjs",
    "0.3.0",
    {
        "first weights": "N(0, 1 / inputs), not truncated.",
        "first biases": "0; 0.1 in layers of relu.",
        "activations": "none unless given; the regression layer is linear.",
        "loss that is descended": "half the squared error of a row, summed over the outputs.",
        "loss that is reported": "twice the squared error of a row, before its update.",
        "optimiser": "SGD with rate 0.01 and momentum 0.9; any unknown method is SGD.",
        "batches": "row by row, in the user's loop; a larger batch averages, the decay too.",
        "scaling": "none.",
        "stopping": "the user's loop.",
        "precision": "float64.",
    },
    "three epochs and 2,000 first weights were recorded with node (tests/recorded/words).",
)
