"""Other optimisers and learning rates, as changes of a baseline."""

import math
from collections.abc import Iterator
from typing import Any

import optax

from approx.changes.fields import takes_rate
from approx.sweep.facts import Facts
from approx.tasks import Task, losses
from approx.training.recipes import Recipe

# Learning rates by decades, around the defaults of the frameworks
DECADES = {
    "sgd": (1e-4, 1e-3, 1e-2, 1e-1, 1.0),
    "momentum": (1e-4, 1e-3, 1e-2, 1e-1),
    "adam": (1e-4, 1e-3, 1e-2, 1e-1),
    "rmsprop": (1e-4, 1e-3, 1e-2, 1e-1),
}
SHOWN = {"sgd": "SGD", "momentum": "momentum", "adam": "Adam", "rmsprop": "RMSprop"}
# Which of the four an optimiser is a kind of
KINDS: dict[Any, str] = {
    "sgd": "sgd",
    "momentum": "momentum",
    "nesterov": "momentum",
    "adam": "adam",
    "adam_keras": "adam",
    "adamw": "adam",
    "adamw_keras": "adam",
    "rmsprop": "rmsprop",
    "rmsprop_keras": "rmsprop",
    optax.sgd: "sgd",
    optax.adam: "adam",
    optax.adamw: "adam",
    optax.rmsprop: "rmsprop",
}
AROUND = (0.1, 0.3, 1.0, 3.0, 10.0)  # factors on the baseline's own rate
EVALUATIONS = 200  # of a method of second order
# How many multiplications one evaluation may take: at 64 seeds the whole row takes some ten seconds
MOST_WORK = 2e7


def optimiser_changes(recipe: Recipe) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each optimiser that a baseline does not have, and its own, all with tuned learning rates.

    A baseline with an optimiser in Keras' convention gets the others in this convention too.

    Args:
        recipe: the baseline's.

    Yields:
        A label and a change, such as "SGD, rate tuned".
    """
    own = kind_of(recipe)
    for kind, values in DECADES.items():
        if kind == own:
            continue
        name = in_convention(kind, recipe.optimizer)
        yield f"{SHOWN[kind]}, rate tuned", {"optimizer": name, "tune": {"learning_rate": values}}
    if takes_rate(recipe.optimizer):
        around = tuple(rounded(factor * rate_of(recipe)) for factor in AROUND)
        yield "its own rate tuned", {"tune": {"learning_rate": around}}


def rate_changes(recipe: Recipe) -> Iterator[tuple[str, dict[str, Any]]]:
    """The baseline's learning rate times 10, and divided by 10; none for methods without a rate."""
    if not takes_rate(recipe.optimizer):
        return
    rate = rate_of(recipe)
    yield "rate x 10", {"learning_rate": rounded(10 * rate)}
    yield "rate / 10", {"learning_rate": rounded(rate / 10)}


def rate_of(recipe: Recipe) -> float:
    """The learning rate of a recipe whose optimiser takes one."""
    rate: Any = recipe.learning_rate
    return float(rate)


def kind_of(recipe: Recipe) -> str | None:
    """Which of the four kinds a recipe's optimiser is; None for another one."""
    optimizer = recipe.optimizer
    if optimizer is optax.sgd and recipe.options.get("momentum"):
        return "momentum"
    try:
        return KINDS.get(optimizer)
    except TypeError:  # what has no hash is no name and no function of optax
        return None


def in_convention(kind: str, optimizer: Any) -> str:
    """The name of a kind of optimiser in the convention, Keras' or PyTorch's, of another one."""
    is_keras = isinstance(optimizer, str) and optimizer.endswith("_keras")
    if is_keras and kind in ("adam", "rmsprop"):
        return f"{kind}_keras"
    return kind


def rounded(rate: float) -> float:
    """A number without the rounding errors of its last digits: 0.003, not 0.0030000000000000005."""
    return float(f"{rate:.12g}")


# ---- methods of second order ---------------------------------------------------------------------


def second_order_changes(task: Task, facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    """Levenberg-Marquardt and BFGS, where one evaluation of the baseline's network is cheap.

    An evaluation counts as cheap if it takes at most 2e7 multiplications. With m residuals (rows
    times outputs) and p parameters, these are m p min(m, p) for Levenberg-Marquardt, and
    m p + p² for BFGS: 1,000 rows and 140 parameters, or 1,000 rows and 4,000 parameters.

    Args:
        task: what the baseline learns.
        facts: of the baseline.

    Yields:
        A label and a change to 200 evaluations of all rows. None for baselines that see fresh rows
        in every step.
    """
    recipe = facts.recipe
    if recipe.batches == "stream":
        return
    p = facts.parameters
    m = math.prod(facts.targets.shape)
    whole = {"batch_size": None, "steps": EVALUATIONS}
    by_squares = isinstance(task.loss, str) and task.loss in losses.RESIDUALS
    if isinstance(task.loss, losses.OfNetwork):
        by_squares = task.loss.squared
    if by_squares and recipe.optimizer != "lm" and m * p * min(m, p) <= MOST_WORK:
        yield "Levenberg-Marquardt", {"optimizer": "lm", **whole}
    if recipe.optimizer != "bfgs" and m * p + p**2 <= MOST_WORK:
        yield "BFGS", {"optimizer": "bfgs", **whole}
