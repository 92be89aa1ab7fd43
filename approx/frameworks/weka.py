"""Weka's MultilayerPerceptron as a task and a recipe."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from approx import models
from approx.frameworks import fits, printed
from approx.frameworks.questions import Conventions, Question
from approx.tasks import losses
from approx.training.recipes import Recipe


@dataclass(frozen=True)
class OverEpochs:
    """The factor 1 / epoch on the learning rate (Weka's -D), of epochs of so many steps.

    Attributes:
        steps: of an epoch.
    """

    steps: int

    def __call__(self, step: Any) -> Any:
        """The factor at a step."""
        return 1.0 / (step // self.steps + 1)


def question(  # noqa: PLR0913 (the options of MultilayerPerceptron)
    x: Any,
    y: Any,
    *,
    hiddenLayers: Any = "a",
    learningRate: float = 0.3,
    momentum: float = 0.2,
    trainingTime: int = 500,
    decay: bool = False,
    validationSetSize: int = 0,
    normalizeAttributes: bool = True,
    normalizeNumericClass: bool = True,
    nominal: bool = False,
    test: Any = None,
    **recipe: Any,
) -> Question:
    """A MultilayerPerceptron of Weka, by the names of its options.

    Args:
        x: numeric attributes, (n,) or (n, i).
        y: the class: numbers (n,), or labels 0, 1, ... with `nominal`.
        hiddenLayers: -H: numbers of nodes as a string such as "10" or "5,3", or the letters "a"
            ((attributes + classes) / 2), "i" (attributes), "o" (classes), "t" (their sum).
        learningRate: -L.
        momentum: -M.
        trainingTime: -N, epochs.
        decay: -D: the rate is divided by the number of the epoch.
        validationSetSize: -V, must be 0: Weka's rule of 20 errors in a row is not supported.
        normalizeAttributes: without -I: attributes are scaled to [-1, 1].
        normalizeNumericClass: without -C: a numeric class is scaled to [-1, 1].
        nominal: whether the class is nominal, with one logistic output for each label.
        test: rows (x, y) for the test loss; None for none.
        recipe: further fields of the recipe, such as `records`.

    Returns:
        A `Question`, which unpacks into task and recipe. The recorded loss is the mean squared
        error in the class's own units; Weka prints its root.

    Raises:
        ValueError: an option that cannot be translated.

    Example:
        >>> ap.run(*ap.frameworks.weka.question(x, x**2, hiddenLayers="10"), seeds=64)

    """
    if validationSetSize:
        raise ValueError(
            f"validationSetSize is {validationSetSize}, and Weka's validation threshold is not "
            'supported; nearest is stop=ap.stops.Patience(of="validation_loss", patience=20)'
        )
    x, y = printed.rows(x, y)
    if y.shape[1] != 1:
        raise ValueError(f"y has {y.shape[1]} columns; Weka has one class")
    correct = None
    if nominal:
        y = one_hot(y[:, 0])
        test = None if test is None else (test[0], one_hot(np.asarray(test[1]).ravel()))
        correct = losses.same_largest
    outputs = None
    if normalizeNumericClass and not nominal:
        outputs = printed.to_range(y, -1, 1)
    model = models.MLP(
        nodes(hiddenLayers, x.shape[1], y.shape[1]),
        "sigmoid",
        y.shape[1],
        initializer="weka",
        output_activation="sigmoid" if nominal else None,
    )
    inputs = printed.to_range(x, -1, 1) if normalizeAttributes else None
    fields: dict[str, Any] = {
        "model": printed.scaled(model, inputs, outputs),
        "optimizer": "momentum_weka",
        "learning_rate": learningRate,
        "options": {"momentum": momentum},
        "schedule": OverEpochs(len(x)) if decay else None,
        "epochs": trainingTime,
        "batch_size": 1,
        "batches": "once",
        "dtype": "float64",
    }
    scale = None if outputs is None else outputs.scale
    loss = printed.half_squares(printed.mean_square, scale)
    task = fits.task_of(x, y, loss=loss, correct=correct, test=test)
    return Question(task, Recipe(**fields | recipe), NOTES)


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Labels 0, 1, ... as rows of zeros and a one."""
    whole = labels.astype(int)
    if not np.array_equal(whole, labels) or whole.min() < 0:
        raise ValueError(f"a nominal class is given as labels 0, 1, ..., not {labels[:3].tolist()}")
    return np.eye(whole.max() + 1)[whole]


def nodes(hidden: Any, attributes: int, classes: int) -> tuple[int, ...]:
    """Hidden nodes from Weka's -H.

    Raises:
        ValueError: a part that is neither a number nor one of the four letters.
    """
    letters = {
        "a": (attributes + classes) // 2,
        "i": attributes,
        "o": classes,
        "t": attributes + classes,
    }
    if not isinstance(hidden, str):
        return printed.widths("hiddenLayers", hidden)
    found = []
    for part in (each.strip() for each in hidden.split(",")):
        if part == "0":
            continue
        number = int(part) if part.isdigit() else printed.find("hiddenLayers", part, letters, {})
        found.append(number)
    return tuple(found)


NOTES = (
    "The loss is the mean squared error in the class's units, whose root Weka prints; it descends "
    "half the squared error of each row in units of the scaled class.",
    "Weka's printed weights are for scaled attributes and class, as the parameters here are.",
)
CONVENTIONS = Conventions(
    "Weka MultilayerPerceptron",
    "3.6.14",
    {
        "first weights": "U(-0.05, 0.05).",
        "first biases": "U(-0.05, 0.05).",
        "activations": "logistic; output linear for a numeric class, logistic for each label.",
        "loss that is descended": "half the squared error of a row, in units of the scaled class.",
        "loss that is reported": "root mean squared error in the class's units.",
        "optimiser": "rate 0.3, momentum 0.2, on biases too.",
        "batches": "row by row, shuffled once with the seed, the same order in every epoch.",
        "scaling": "attributes and numeric class to [-1, 1].",
        "stopping": "500 epochs.",
        "precision": "float64.",
    },
    "three epochs and 2,000 first weights were recorded with Java (tests/recorded/words).",
)
