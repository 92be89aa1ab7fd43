"""MATLAB's `feedforwardnet` with `trainlm` as a task and a recipe, by its documentation."""

from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jax.tree_util import register_dataclass

from approx import models
from approx.frameworks import printed
from approx.frameworks.questions import Conventions, Question
from approx.tasks import STATIC
from approx.tasks.own import Given
from approx.training import stops
from approx.training.recipes import Recipe

TRANSFERS = {"tansig": "tanh", "logsig": "sigmoid", "purelin": "linear"}
REFUSED = {
    "poslin": 'nearest is "tansig"',
    "hardlim": 'a step has no slope; nearest is "logsig"',
}
TRAINERS = {
    "trainbr": "Bayesian regularisation has no counterpart here; nearest is trainlm with l2",
    "trainscg": 'nearest is trainlm, or optimizer="bfgs" in a recipe',
    "trainbfg": 'nearest is optimizer="bfgs" in a recipe',
    "traingdx": 'nearest is optimizer="gdx_neurolab" in a recipe',
    "trainrp": 'nearest is optimizer="rprop_plus" in a recipe',
}
TRIALS = 2  # for each that lowers the error, at most
DIVIDE = 11  # child of the stream "data" by which rows are divided


@register_dataclass
@dataclass(frozen=True, kw_only=True, eq=False)
class Divided(Given):
    """Rows that each seed divides at random into those for training, validation and test.

    The test rows are not trained on and not looked at. The test points here are all rows.

    Attributes:
        held: how many rows are for validation.
        unseen: how many are for test.

    """

    held: int = field(default=0, metadata=STATIC)
    unseen: int = field(default=0, metadata=STATIC)

    def split(self, key, noise_key):
        """Training rows, and validation rows or None, of one seed."""
        x, y = self.rows(key, noise_key)
        n = x.shape[0] - self.held - self.unseen
        order = jax.random.permutation(jax.random.fold_in(key, DIVIDE), x.shape[0])
        x, y = x[order], y[order]
        if not self.held:
            return (x[:n], y[:n]), None
        return (x[:n], y[:n]), (x[n : n + self.held], y[n : n + self.held])


def question(  # noqa: PLR0913 (the parameters of a network and of trainlm)
    x: Any,
    y: Any,
    *,
    hiddenSizes: Any = 10,
    trainFcn: str = "trainlm",
    transferFcn: str = "tansig",
    divideFcn: str = "dividerand",
    trainRatio: float = 0.7,
    valRatio: float = 0.15,
    testRatio: float = 0.15,
    epochs: int = 1000,
    goal: float = 0.0,
    max_fail: int = 6,
    min_grad: float = 1e-7,
    mu: float = 1e-3,
    mu_dec: float = 0.1,
    mu_inc: float = 10.0,
    mu_max: float = 1e10,
    **recipe: Any,
) -> Question:
    """`feedforwardnet(hiddenSizes)` and `train` of MATLAB, by the names of their parameters.

    The conventions are those of MathWorks' documentation; they were not held against MATLAB.

    Args:
        x: inputs, (n,) or (n, i); MATLAB has rows and columns the other way round.
        y: targets, (n,) or (n, o).
        hiddenSizes: of the hidden layers.
        trainFcn: must be "trainlm".
        transferFcn: of the hidden layers: "tansig", "logsig" or "purelin"; the outputs are purelin.
        divideFcn: "dividerand", or "dividetrain" to train on all rows.
        trainRatio: share of the rows that are trained on.
        valRatio: share of the rows that stop the training.
        testRatio: share of the rows that are put aside.
        epochs: of trainlm.
        goal: of the mean squared error.
        max_fail: validation failures that end the training.
        min_grad: of the gradient.
        mu: the first damping.
        mu_dec: factor on it after success.
        mu_inc: factor on it after failure.
        mu_max: the largest damping.
        recipe: further fields of the recipe, such as `records`.

    Returns:
        A `Question`, which unpacks into task and recipe. The test points are all rows.

    Raises:
        ValueError: a word that cannot be translated, a division without training rows.

    Example:
        >>> ap.run(*ap.frameworks.matlab.question(x, x**2), seeds=64)

    """
    x, y = printed.rows(x, y)
    printed.find("trainFcn", trainFcn, {"trainlm": True}, TRAINERS)
    transfer = printed.find("transferFcn", transferFcn, TRANSFERS, REFUSED)
    held, unseen = divided(len(x), divideFcn, (trainRatio, valRatio, testRatio))
    failures = (stops.Failures(max_fail=max_fail),) if held else ()
    model = models.MLP(
        printed.widths("hiddenSizes", hiddenSizes), transfer, y.shape[1], initializer="matlab"
    )
    fields: dict[str, Any] = {
        "model": printed.scaled(model, printed.to_range(x, -1, 1), printed.to_range(y, -1, 1)),
        "optimizer": "lm",
        "options": {
            "mu": mu,
            "mu_dec": mu_dec,
            "mu_inc": mu_inc,
            "mu_max": mu_max,
            "min_grad": min_grad,
            "goal": goal,
        },
        "steps": TRIALS * epochs,
        "stop": (*failures, stops.Improvements(count=epochs)),
        "dtype": "float64",
    }
    task = Divided(
        x=x,
        y=y,
        x_test=x,
        y_test=y,
        distance=np.zeros(len(x)),
        loss="mse",
        validation=held / len(x),
        hold_out="random",
        held=held,
        unseen=unseen,
    )
    return Question(task, Recipe(**fields | recipe), NOTES)


def divided(n: int, how: str, ratios: tuple[float, float, float]) -> tuple[int, int]:
    """How many of n rows are for validation and for test: their shares, rounded.

    Raises:
        ValueError: another function of division; no rows to train on.
    """
    printed.find(
        "divideFcn",
        how,
        {"dividerand": True, "dividetrain": True},
        {"divideblock": "nearest is dividerand", "divideint": "nearest is dividerand"},
    )
    if how == "dividetrain":
        return 0, 0
    total = sum(ratios)
    if not (total > 0 and min(ratios) >= 0):
        raise ValueError(f"the ratios are {ratios}; they must not be negative, and not all 0")
    held, unseen = (round(n * ratio / total) for ratio in ratios[1:])
    if held + unseen >= n:
        raise ValueError(f"the ratios {ratios} leave none of the {n} rows to train on")
    return held, unseen


NOTES = (
    "The conventions are those of MathWorks' documentation: MATLAB was not run.",
    "`epochs` counts the trials that lower the error; steps here count all trials.",
    "The test rows of dividerand are not among the training rows, and the test loss is over all "
    "rows.",
)
CONVENTIONS = Conventions(
    "MATLAB feedforwardnet, trainlm",
    "documentation of R2024b",
    {
        "first weights": "Nguyen-Widrow; outputs U(-1, 1).",
        "first biases": "Nguyen-Widrow; outputs U(-1, 1).",
        "activations": "tansig; output purelin.",
        "loss that is descended": "mean squared error in the targets' units.",
        "loss that is reported": "the same.",
        "optimiser": "Levenberg-Marquardt, mu 0.001, factors 0.1 and 10.",
        "batches": "all training rows.",
        "scaling": "inputs and targets to [-1, 1] (mapminmax).",
        "stopping": (
            "6 validation failures on 15% of the rows, best weights restored; gradient 1e-7; mu "
            "1e10; 1,000 epochs."
        ),
        "precision": "float64.",
    },
    "read in MathWorks' documentation; MATLAB was not to be had.",
)
