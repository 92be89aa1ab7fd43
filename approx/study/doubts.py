"""What cannot work, or hardly can, said before anything is trained."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import random
from jaxtyping import PyTree

from approx import models
from approx.changes.standardising import moments
from approx.models import MLP, scalings
from approx.study.measures import SHOWN, UNEXPLAINED, has_accuracy
from approx.study.plateaus import Rows, training_rows
from approx.sweep import facts
from approx.tasks import Task
from approx.training.recipes import Recipe

OF_LOGITS = ("binary_cross_entropy", "brier", "cross_entropy")  # the loss has the last sigmoid
OF_SHARES = ("binary_cross_entropy", "brier")  # targets are probabilities
OF_SQUARES = ("mse", "half_squared_error")
# Optimisers whose steps are proportional to the gradient, and so grow with the targets' units
GRADIENT_DESCENT = (
    "sgd",
    "momentum",
    "nesterov",
    "sgd_keras",
    "sgd_sklearn",
    "momentum_weka",
    "momentum_brainjs",
    "gdm_neurolab",
)
LITTLE = (0.5, 2.0)  # factors on a learning rate that are not worth a warning
MOST_ROWS = 256  # on which a network is probed
DRAWS = 64  # networks of each size of the parameters
SMALLER, LARGER = 30.0, 1000.0  # the sizes: factors on random parameters
SAME = 1e-3  # share of the targets' spread: outputs that move less than this have an end there


def doubts(
    task: Task, recipe: Recipe, of: str | None = None, below: float | None = None
) -> list[str]:
    """Why a baseline hardly can succeed, found without any training.

    Args:
        task: what is learned.
        recipe: how it is learned.
        of: the variable that will be judged; None for none.
        below: the largest value of it that counts as success; None where there is no such number.

    Returns:
        What is doubtful, in sentences:

        - outputs that do not reach some of the targets, whatever the weights are;
        - a loss that has a sigmoid or softmax of its own, beside a network that ends with one;
        - rows that have the same inputs and different targets, with the least training loss that
          any function can have;
        - targets that are all the same.

    Raises:
        ValueError: what cannot be: a variable that the trainings do not record, such as the
            accuracy of a regression; targets outside [0, 1] with a loss of probabilities; labels
            that have no output; outputs that leave so much of the targets out of reach that success
            is impossible, such as those of a relu or a sigmoid at the end of the network. Without
            `below`, success is a mean squared error of at most 1% of the targets' variance.

    Example:
        >>> doubts(ap.tasks.square(), ap.Recipe())
        []
    """
    check_recorded(task, recipe, of)
    rows = next(training_rows(task, 0))
    check_shares(task, rows)
    check_classes(task, recipe, rows)
    return [
        *of_range(task, recipe, rows, below),
        *of_equal_inputs(task, rows),
        *of_constant(task, rows),
    ]


# ---- what is judged ------------------------------------------------------------------------------


def check_recorded(task: Task, recipe: Recipe, of: str | None) -> None:
    """Refuse a variable of losses or accuracies that the trainings of a task do not record.

    Raises:
        ValueError: with the reason, and with what is recorded.
    """
    if of is None or of not in SHOWN:
        return
    there = recorded(task, recipe)
    if of in there:
        return
    raise ValueError(
        f"of={of!r} cannot be judged: {why_missing(task, of)}; recorded are: {', '.join(there)}"
    )


def recorded(task: Task, recipe: Recipe) -> list[str]:
    """The losses and accuracies that the trainings of a task record."""
    kinds = ["loss"]
    if has_accuracy(task):
        kinds.append("accuracy")
    found = []
    for kind in kinds:
        found.append(kind)
        if task.tested:
            found += [f"{where}_{kind}" for where in sides(task, recipe)]
    if task.validated:
        found += [f"validation_{kind}" for kind in kinds]
    return found


def sides(task: Task, recipe: Recipe) -> list[str]:
    """Whether there are test points inside and outside the training range."""
    with facts.x64(recipe):
        distance = np.asarray(task.points().distance)
    found = []
    if (distance == 0).any():
        found.append("test")
    if (distance > 0).any():
        found.append("outside")
    return found


def why_missing(task: Task, of: str) -> str:
    """Why a variable is not recorded."""
    if of.endswith("accuracy") and not has_accuracy(task):
        return (
            f"the loss {task.loss!r} says nothing of what is correct, so there is no accuracy: "
            "judge a loss, with below=; or give labels and the loss 'cross_entropy', or correct="
        )
    if of.startswith("validation"):
        return "no rows are kept for validation, see validation="
    if not task.tested:
        return "the task has no test points"
    return "the task has no such test points"


# ---- targets that a loss cannot take -------------------------------------------------------------


def check_shares(task: Task, rows: Rows) -> None:
    """Refuse targets outside [0, 1] with a loss of probabilities.

    Raises:
        ValueError: with the lowest or highest target.
    """
    if task.loss not in OF_SHARES:
        return
    low, high = rows.y.min(), rows.y.max()
    if low >= 0 and high <= 1:
        return
    wrong = low if low < 0 else high
    raise ValueError(
        f"the loss {task.loss!r} is of probabilities in [0, 1], and a target is {wrong:g}: map the "
        "two classes to 0 and 1, or take the loss 'mse' for amounts"
    )


def check_classes(task: Task, recipe: Recipe, rows: Rows) -> None:
    """Refuse labels beyond the outputs of the network.

    Raises:
        ValueError: with the largest label, and the number of outputs that it needs.
    """
    if task.loss != "cross_entropy":
        return
    outputs = facts.find(task, recipe).outputs
    largest = int(rows.y.max())
    if largest >= outputs:
        raise ValueError(
            f"the labels go up to {largest}, and the network has {outputs} "
            f"output{'s' * (outputs > 1)}: it needs {largest + 1}, see MLP(outputs=...)"
        )


# ---- outputs that do not reach the targets -------------------------------------------------------


class Range(NamedTuple):
    """From where to where a network's outputs go, whatever the weights; infinite without an end."""

    low: float
    high: float


def of_range(task: Task, recipe: Recipe, rows: Rows, below: float | None) -> list[str]:
    """What is doubtful of the range of a network's outputs.

    Raises:
        ValueError: outputs that leave so much out of reach that success is impossible.
    """
    if task.loss in OF_SQUARES:
        return of_reach(task, output_range(recipe, rows), rows, below)
    if task.loss not in OF_LOGITS:
        return []
    reach = output_range(recipe, rows)
    if not np.isfinite(reach).any():
        return []
    return [
        f"the network's outputs stay {between(reach)} whatever the weights, and the loss "
        f"{task.loss!r} applies a sigmoid or softmax of its own: end the network with a linear unit"
    ]


def of_reach(task: Task, reach: Range, rows: Rows, below: float | None) -> list[str]:
    """What is doubtful of outputs that do not reach the targets of a regression by squares.

    Raises:
        ValueError: no weights lead to success.
    """
    spread = np.ptp(rows.y) or 1.0
    under, over = reach.low - rows.y.min(), rows.y.max() - reach.high
    if max(under, over) <= SAME * spread:
        return []
    furthest = f"up to {rows.y.max():g}"
    if under > over:
        furthest = f"down to {rows.y.min():g}"
    least = squares(task, rows.y - rows.y.clip(*reach))
    said = (
        f"the network's outputs stay {between(reach)} whatever the weights, and the targets reach "
        f"{furthest}, so that no training loss is below {least:.3g}: end the network with a linear "
        "unit, or scale its outputs"
    )
    enough = below
    if enough is None:
        enough = UNEXPLAINED * squares(task, rows.y - rows.y.mean(0))
    if least <= enough:
        return [said]
    raise ValueError(
        f"{said}. (This was found with {2 * DRAWS} networks of random weights; ap.Study trains it "
        "all the same.)"
    )


def squares(task: Task, residuals: np.ndarray) -> float:
    """The loss of squares of residuals (n, o), a mean over the rows."""
    if task.loss == "mse":
        return float((residuals**2).mean())
    return float(0.5 * (residuals**2).sum(1).mean())


def between(reach: Range) -> str:
    """A range in words."""
    if np.isinf(reach.high):
        return f"at or above {reach.low:.4g}"
    if np.isinf(reach.low):
        return f"at or below {reach.high:.4g}"
    return f"within [{reach.low:.4g}, {reach.high:.4g}]"


def output_range(recipe: Recipe, rows: Rows) -> Range:
    """The range of a network's outputs on the training inputs, whatever its parameters are.

    Networks of random parameters of two sizes are looked at. Where the outputs of the larger
    parameters go no further than those of the smaller ones, they have an end.
    """
    open_range = Range(-np.inf, np.inf)
    if type(scalings.core(recipe.model)) is MLP:
        return open_range  # its last layer is linear
    lows, highs = extremes(recipe, rows)
    if np.isnan(lows).any() or np.isnan(highs).any():
        return open_range
    moved = SAME * np.ptp(rows.y)
    low = lows.min() if lows[1] >= lows[0] - moved else -np.inf
    high = highs.max() if highs[1] <= highs[0] + moved else np.inf
    return Range(float(low), float(high))


def extremes(recipe: Recipe, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest outputs of networks of random parameters of two sizes.

    Args:
        recipe: gives the network.
        rows: on whose inputs it is looked at.

    Returns:
        The lowest outputs (2,) and the highest (2,); nan where an output is none.
    """
    first_params, apply = models.functions(recipe.model)

    def outputs(params, x):
        found = apply(params, x)
        return found.min(), found.max()

    of_draws = jax.vmap(outputs, (0, None))
    of_sizes = jax.jit(jax.vmap(of_draws, (0, None)))
    with facts.x64(recipe):
        x = np.asarray(rows.x[:MOST_ROWS], recipe.dtype)
        shapes = jax.eval_shape(first_params, random.key(0), x)
        low, high = of_sizes(of_random_sizes(shapes), x)
    return np.asarray(low).min(1), np.asarray(high).max(1)


def of_random_sizes(shapes: PyTree) -> PyTree:
    """Parameters of `DRAWS` networks of each size, with two axes before their own: (2, DRAWS, ...).

    All are normal, with the size as standard deviation, also those that an initialiser sets to 0,
    such as biases. numpy draws them, since JAX would compile a program for each shape.
    """
    rng = np.random.default_rng(0)

    def drawn(shape: Any) -> np.ndarray:
        normal = rng.standard_normal((DRAWS, *shape.shape))
        return np.stack([SMALLER * normal, LARGER * normal]).astype(shape.dtype)

    return jax.tree.map(drawn, shapes)


# ---- a learning rate that does not fit -----------------------------------------------------------


def of_kept_rate(
    baseline: Recipe, task: Task, recipe: Recipe, change: Mapping[str, Any]
) -> str | None:
    """What is doubtful of a change that standardises targets and keeps the learning rate.

    Losses stay in the units of the data, so that a loss of squares has a gradient that is larger
    than that of standardised targets by their variance. Steps of gradient descent are larger by
    that factor.

    Args:
        baseline: the recipe before the change.
        task: what the changed recipe learns.
        recipe: the changed recipe.
        change: the names that are changed or tuned.

    Returns:
        The end of a sentence whose subject is the change, or None.
    """
    named = {"learning_rate", "recipe.learning_rate"}.intersection(change)
    if named or change.get("targets") != "standardise":
        return None
    if recipe.optimizer not in GRADIENT_DESCENT or task.loss not in OF_SQUARES:
        return None
    if scales_targets(baseline.model):
        return None
    _, deviation = moments(task, recipe, "targets")
    variance = float(np.mean(np.square(deviation)))
    if LITTLE[0] <= variance <= LITTLE[1]:
        return None
    rate = float(np.asarray(recipe.learning_rate))
    fitting = rate / variance
    return (
        f"standardises the targets and keeps the learning rate {rate:g} of {recipe.optimizer!r}: "
        "losses stay in the units of the data, so that its steps are as large as with the rate "
        f"{rate * variance:.3g} on standardised targets. To train as on standardised targets, add "
        f"'learning_rate': {fitting:.3g} to the change"
    )


def scales_targets(model: Any) -> bool:
    """Whether a model scales its outputs already."""
    if not isinstance(model, scalings.PerFeature):
        return False
    return bool(np.any(np.asarray(model.out_scale) != 1))


# ---- rows that no function can learn -------------------------------------------------------------


def of_equal_inputs(task: Task, rows: Rows) -> list[str]:
    """Rows of the same inputs whose targets differ, and the least loss that they allow."""
    if rows.y.ndim == 1:
        rows = rows._replace(y=rows.y[:, None])  # labels
    residuals = np.zeros_like(rows.y)
    _, which, counts = np.unique(rows.x, axis=0, return_inverse=True, return_counts=True)
    which = which.ravel()
    for group in np.flatnonzero(counts > 1):
        here = which == group
        residuals[here] = rows.y[here] - rows.y[here].mean(0)
    count = int(residuals.any(1).sum())
    if not count:
        return []
    least = "no function fits all of them"
    if task.loss in OF_SQUARES:
        least = f"no function has a training loss below {squares(task, residuals):.3g}"
    return [f"{count} training rows share their inputs with rows of another target: {least}"]


def of_constant(task: Task, rows: Rows) -> list[str]:
    """Targets that are the same in all training rows."""
    if np.ptp(rows.y, axis=0).any():
        return []
    return ["the targets are the same in all training rows: a constant is all there is to learn"]
