"""synaptic's `Architect.Perceptron` and `Trainer` as a task and a recipe."""

from typing import Any

import jax.numpy as jnp
import optax

from approx import models
from approx.frameworks import fits, printed
from approx.frameworks.questions import Conventions, Question
from approx.training import stops
from approx.training.recipes import Recipe


def sequential(learning_rate: Any) -> optax.GradientTransformation:
    """Gradient descent on one row, layer by layer from the outputs, as synaptic does it.

    The last layer is moved first. The layer before it then gets its errors through weights that
    have been moved already, and so on. In one row the gradient of a bias is the error δ of its
    unit, so that δ of a layer below is multiplied by `(W' δ') / (W δ)`, with the moved weights W'
    and the errors δ' that moved them.
    """

    def init(params):
        del params
        return optax.EmptyState()

    def update(gradients, state, params):
        moves: list[Any] = []
        ratio: Any = 1.0
        for layer, found in zip(reversed(params), reversed(gradients), strict=True):
            error = found["b"] * ratio
            w_move = -learning_rate * found["w"] * ratio
            moves.append({"w": w_move, "b": -learning_rate * error})
            before = (layer["w"] * found["b"]).sum(1)
            after = ((layer["w"] + w_move) * error).sum(1)
            ratio = after / jnp.where(before == 0, 1, before)
        return moves[::-1], state

    return optax.GradientTransformation(init, update)


SQUASHES = {"LOGISTIC": "sigmoid", "TANH": "tanh", "IDENTITY": "linear", "RELU": "relu"}
REFUSED = {"HLIM": "a step has no slope; nearest is LOGISTIC"}


def slope(outputs: printed.Values, targets: printed.Values) -> printed.Values:
    """The derivative of the cross-entropy for probabilities p, `(p - y) / (p (1 - p))`."""
    variance = outputs * (1 - outputs)
    least = jnp.finfo(outputs.dtype).tiny
    return (outputs - targets) / jnp.maximum(variance, least)


def cross_entropy(outputs: printed.Values, targets: printed.Values):
    """synaptic's CROSS_ENTROPY: `-Σ_o y log(p + 1e-15) + (1 - y) log(1 + 1e-15 - p)`."""
    yes = targets * jnp.log(outputs + 1e-15)
    no = (1 - targets) * jnp.log(1 + 1e-15 - outputs)
    return -(yes + no).sum(1)


COSTS = {
    "MSE": printed.Printed(slope, printed.mean_square),
    "CROSS_ENTROPY": printed.Printed(slope, cross_entropy),
}


def question(  # noqa: PLR0913 (the words of `Perceptron` and `Trainer`)
    x: Any,
    y: Any,
    *,
    hidden: Any,
    rate: float = 0.2,
    iterations: int = 100000,
    error: float = 0.005,
    cost: str = "MSE",
    shuffle: bool = False,
    squash: str = "LOGISTIC",
    test: Any = None,
    **recipe: Any,
) -> Question:
    """A perceptron of synaptic and its Trainer, by synaptic's own words.

    Args:
        x: the rows' `input`, (n,) or (n, i).
        y: the rows' `output`, (n,) or (n, o), in [0, 1].
        hidden: units of the hidden layers, the middle numbers of `new Perceptron(i, 10, o)`.
        rate: learning rate. 0 is taken for 0.2, as synaptic does.
        iterations: epochs at most.
        error: ends the training when the cost of an epoch is at most this. 0 is taken for 0.005.
        cost: what is printed and stops the training, "MSE" or "CROSS_ENTROPY". The updates are
            those of the cross-entropy in both.
        shuffle: whether the rows are shuffled after each epoch.
        squash: of the hidden neurons; those of the outputs are LOGISTIC.
        test: rows (x, y) for the test loss; None for none.
        recipe: further fields of the recipe, such as `records`.

    Returns:
        A `Question`, which unpacks into task and recipe. The recorded loss is the error that
        synaptic prints.

    Raises:
        ValueError: a word that cannot be translated; targets outside [0, 1].

    Example:
        >>> ap.run(*ap.frameworks.synaptic.question(x, x**2, hidden=10), seeds=64)

    """
    x, y = printed.rows(x, y)
    if y.min() < 0 or y.max() > 1:
        raise ValueError(
            f"y lies in [{y.min():g}, {y.max():g}]; a Perceptron's outputs are logistic, so give "
            "targets in [0, 1]"
        )
    model = models.MLP(
        printed.widths("hidden", hidden),
        printed.find("squash", squash, SQUASHES, REFUSED),
        y.shape[1],
        initializer="synaptic",
        output_activation="sigmoid",
    )
    fields: dict[str, Any] = {
        "model": model,
        "optimizer": sequential,
        "learning_rate": rate or 0.2,
        "epochs": iterations,
        "batch_size": 1,
        "batches": "epoch" if shuffle else "order",
        "stop": stops.Below(of="epoch_loss", value=error or 0.005),
        "dtype": "float64",
    }
    loss = printed.find(
        "cost", cost, COSTS, {"BINARY": "it counts wrong rows only; nearest is MSE"}
    )
    return Question(fits.task_of(x, y, loss=loss, test=test), Recipe(**fields | recipe), NOTES)


NOTES = (
    "The loss is what synaptic prints, its `cost`; it descends the cross-entropy in any case.",
    "Errors reach a hidden layer through weights that this row has moved already.",
)
CONVENTIONS = Conventions(
    "synaptic",
    "1.1.4",
    {
        "first weights": "U(-0.1, 0.1), whatever the layer's size.",
        "first biases": "U(-0.1, 0.1).",
        "activations": "logistic, the outputs too.",
        "loss that is descended": "cross-entropy, whatever `cost` says.",
        "loss that is reported": (
            "`cost` (the mean squared error), the mean over rows before each update."
        ),
        "optimiser": "rate 0.2, no momentum; errors pass through weights that were just moved.",
        "batches": "row by row, in the order given.",
        "scaling": "none.",
        "stopping": "error of an epoch at most 0.005, or 100,000 epochs.",
        "precision": "float64.",
    },
    "three epochs and 500 networks were recorded with node (tests/recorded/words).",
)
