"""pyrenn's feed-forward networks with `train_LM` as a task and a recipe."""

from typing import Any

import numpy as np

from approx import models
from approx.frameworks import fits, printed
from approx.frameworks.questions import Conventions, Question
from approx.training import stops
from approx.training.recipes import Recipe

TRIALS = 4  # for each that lowers the error, at most


def question(
    x: Any,
    y: Any,
    *,
    nn: Any,
    k_max: int = 100,
    E_stop: float = 1e-10,
    dampfac: float = 3.0,
    dampconst: float = 10.0,
    test: Any = None,
    **recipe: Any,
) -> Question:
    """`CreateNN(nn)` and `train_LM` of pyrenn, by pyrenn's own words.

    Args:
        x: inputs, (n,) or (n, i); pyrenn has rows and columns the other way round.
        y: targets, (n,) or (n, o).
        nn: numbers of neurons with inputs and outputs, such as [1, 10, 1].
        k_max: iterations at most, of trials that lower the error.
        E_stop: the training ends when the sum of squares of scaled targets is at most this.
        dampfac: the first damping.
        dampconst: factor on the damping.
        test: rows (x, y) for the test loss; None for none.
        recipe: further fields of the recipe, such as `records`.

    Returns:
        A `Question`, which unpacks into task and recipe. The recorded loss is the mean squared
        error in the targets' own units; pyrenn prints the sum of squares of scaled targets.

    Raises:
        ValueError: layers that do not fit the data; targets whose columns are scaled differently.

    Example:
        >>> ap.run(*ap.frameworks.pyrenn.question(x, x**2, nn=[1, 10, 1]), seeds=64)

    """
    x, y = printed.rows(x, y)
    inputs, *hidden, outputs = printed.widths("nn", nn)
    if (inputs, outputs) != (x.shape[1], y.shape[1]):
        raise ValueError(
            f"nn is {nn!r}; it must begin with {x.shape[1]} inputs and end with {y.shape[1]} "
            "outputs"
        )
    of_x, of_y = down(x), down(y)
    if len(set(of_y)) > 1:
        raise ValueError(
            f"the columns of y are divided by {of_y}, so that their squares count differently; "
            "give columns whose largest absolute value is at most 1, or the same"
        )
    unit = of_y[0]
    model = models.MLP(tuple(hidden), "tanh", outputs, initializer="pyrenn")
    scaled = printed.scaled(model, divided(of_x), divided(of_y))
    fields: dict[str, Any] = {
        "model": scaled,
        "optimizer": "lm",
        # In units of the targets the normal equations are larger by the square of the unit
        "options": {
            "mu": dampfac * unit**2,
            "mu_dec": 1 / dampconst,
            "mu_inc": dampconst,
            "mu_max": 1e300,
            "min_grad": 1e-300,
            "goal": E_stop * unit**2 / y.size,
        },
        "steps": TRIALS * k_max,
        "stop": stops.Improvements(count=k_max),
        "dtype": "float64",
    }
    return Question(fits.task_of(x, y, loss="mse", test=test), Recipe(**fields | recipe), NOTES)


def divided(scale: tuple[float, ...]) -> printed.Columns | None:
    """Columns that are divided, None if all are divided by 1."""
    if max(scale) == 1:
        return None
    return printed.Columns((0.0,) * len(scale), scale)


def down(values: np.ndarray) -> tuple[float, ...]:
    """What pyrenn divides columns by: the largest absolute value, or 1 if that is more."""
    return tuple(np.maximum(np.abs(values).max(0), 1.0).tolist())


NOTES = (
    "pyrenn's error is the sum of squares of scaled targets, which it calls a mean; the loss here "
    "is the mean in the targets' own units.",
    "k_max counts the trials that lower the error; steps here count all trials.",
    "pyrenn runs for ever where no step lowers the error; here such a training ends.",
    "pyrenn cuts integers when it scales them; here they are numbers.",
)
CONVENTIONS = Conventions(
    "pyrenn",
    "0.1",
    {
        "first weights": "U(-0.5, 0.5).",
        "first biases": "U(-0.5, 0.5).",
        "activations": "tanh; output linear.",
        "loss that is descended": "sum of squares of scaled targets.",
        "loss that is reported": "the same sum, called mean squared error.",
        "optimiser": "Levenberg-Marquardt, damping 3, factor 10.",
        "batches": "all rows.",
        "scaling": "columns divided by their largest absolute value where that is above 1.",
        "stopping": "sum of squares at most 1e-10, or 100 successful iterations.",
        "precision": "float64.",
    },
    "three iterations and 2,000 first networks recorded (tests/recorded/words).",
)
