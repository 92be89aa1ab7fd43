"""Numbers in the documentation of libraries: scikit-learn and pykan."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from verdicts import Entry, Run, Source

import approx as ap

# ---- scikit-learn's strategies -------------------------------------------------------------------

STRATEGIES: dict[str, dict[str, Any]] = {
    "constant": {"momentum": 0},
    "momentum": {"momentum": 0.9, "nesterovs_momentum": False},
    "Nesterov": {"momentum": 0.9, "nesterovs_momentum": True},
    "scaling": {"learning_rate": "invscaling", "momentum": 0},
    "scaling, momentum": {
        "learning_rate": "invscaling",
        "momentum": 0.9,
        "nesterovs_momentum": False,
    },
    "scaling, Nesterov": {
        "learning_rate": "invscaling",
        "momentum": 0.9,
        "nesterovs_momentum": True,
    },
    "adam": {},
}
# Scores and losses as the page prints them, in the order of the strategies
IRIS = (
    (0.98, 0.096950),
    (0.98, 0.049530),
    (0.98, 0.049540),
    (0.36, 0.978444),
    (0.86, 0.504185),
    (0.86, 0.503452),
    (0.98, 0.045311),
)
CIRCLES = (
    (0.84, 0.601052),
    (0.94, 0.157334),
    (0.94, 0.154453),
    (0.50, 0.692470),
    (0.50, 0.689751),
    (0.50, 0.689143),
    (0.94, 0.150527),
)
MOONS = (
    (0.85, 0.341523),
    (0.85, 0.336188),
    (0.85, 0.335919),
    (0.50, 0.689015),
    (0.83, 0.513034),
    (0.83, 0.512595),
    (0.93, 0.170087),
)


def data_of(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a data set of the page, each input scaled to [0, 1]."""
    from sklearn import datasets

    made = {
        "iris": lambda: datasets.load_iris(return_X_y=True),
        "circles": lambda: datasets.make_circles(noise=0.2, factor=0.5, random_state=1),
        "moons": lambda: datasets.make_moons(noise=0.3, random_state=0),
    }
    x, y = made[name]()
    low, high = x.min(0), x.max(0)
    return (x - low) / (high - low), y


def strategies(name: str, seeds: int) -> dict[str, np.ndarray]:
    """Losses of the last epoch, and scores, of all strategies.

    There is a record after every epoch: a training that stops keeps the loss of its last record.
    """
    from sklearn.neural_network import MLPClassifier

    x, y = data_of(name)
    questions = {}
    for label, options in STRATEGIES.items():
        solver = {"solver": "sgd", "learning_rate_init": 0.2}
        if label == "adam":
            solver = {"solver": "adam", "learning_rate_init": 0.01}
        estimator = MLPClassifier(max_iter=400, **solver, **options)
        question = ap.frameworks.sklearn.question(estimator, x, y, records=range(401))
        questions[label] = question.task, question.recipe
    runs = ap.run(questions["adam"][0], questions, seeds=seeds, keep=(), progress=False)
    last = runs.isel(step=-1)
    found = {}
    for label in STRATEGIES:
        found[f"{label}: loss"] = last.batch_loss.sel(recipe=label).values
        found[f"{label}: score"] = last.accuracy.sel(recipe=label).values
    return found


def of_strategies(name: str, printed: Sequence[tuple[float, float]], seeds: int) -> Entry:
    """The entry of a data set of the page."""
    numbers = {}
    for label, (score, loss) in zip(STRATEGIES, printed, strict=True):
        numbers[f"{label}: loss"] = Run(f"{label}: loss", loss, 5e-7)
        numbers[f"{label}: score"] = Run(f"{label}: score", score, 5e-7)
    return Entry(
        f"scikit-learn: seven strategies on {name}",
        Source(
            "the scikit-learn developers",
            2025,
            "scikit-learn, examples",
            "Compare Stochastic learning strategies for MLPClassifier",
            "https://scikit-learn.org/stable/auto_examples/neural_networks/"
            "plot_mlp_training_curves.html",
        ),
        "MLPClassifier with 100 relu units on inputs that are scaled to [0, 1], for at most 400 "
        "epochs: plain descent of the rate 0.2, with momentum 0.9, with Nesterov's; the same with "
        "a rate that falls as the inverse root of the steps; and Adam with the rate 0.01. Printed "
        "are the loss of the last epoch and the share of rows that are right.",
        "The rows are those that scikit-learn's generators make of the page's random states.",
        numbers,
        partial(strategies, name, seeds),
    )


# ---- scikit-learn's docstrings -------------------------------------------------------------------


def docstring(name: str) -> Source:
    """The example in the docstring of a class."""
    return Source(
        "the scikit-learn developers",
        2025,
        f"scikit-learn 1.9.1, {name}",
        "section Examples",
        f"https://scikit-learn.org/stable/modules/generated/sklearn.neural_network.{name}.html",
    )


def classifier() -> dict[str, np.ndarray]:
    """The probability of the first test row, and the share of test rows that are right."""
    from sklearn.datasets import make_classification
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    x, y = make_classification(n_samples=100, random_state=1)
    parts = train_test_split(x, y, stratify=y, random_state=1)
    x, x_test, y, y_test = parts
    estimator = MLPClassifier(max_iter=300)
    question = ap.frameworks.sklearn.question(estimator, x, y, test=(x_test, y_test), records=5)
    runs = ap.run(*question, seeds=256, progress=False)
    logits = runs.prediction.values[:, :, 0]
    right = (logits > 0) == (y_test == 1)
    return {"probability": 1 / (1 + np.exp(-logits[:, 0])), "score": right.mean(1)}


def regressor() -> dict[str, np.ndarray]:
    """Two predictions, and R² over the test rows."""
    from sklearn.datasets import make_regression
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPRegressor

    x, y = make_regression(n_samples=200, n_features=20, random_state=1)
    x, x_test, y, y_test = train_test_split(x, y, random_state=1)
    estimator = MLPRegressor(max_iter=2_000, tol=0.1)
    question = ap.frameworks.sklearn.question(estimator, x, y, test=(x_test, y_test), records=5)
    runs = ap.run(*question, seeds=48, progress=False)
    outputs = runs.prediction.values[:, :, 0]
    missed = ((outputs - y_test) ** 2).sum(1)
    r2 = 1 - missed / ((y_test - y_test.mean()) ** 2).sum()
    return {"first": outputs[:, 0], "second": outputs[:, 1], "r2": r2}


# ---- pykan ---------------------------------------------------------------------------------------

EVALUATIONS = 400


def pykan(place: str) -> Source:
    """A page of pykan's documentation."""
    return Source(
        "Ziming Liu and others",
        2024,
        "pykan 0.2, documentation (of KAN: Kolmogorov-Arnold Networks, 2024)",
        place,
        "https://github.com/KindXiaoming/pykan",
    )


def kan(task: Any, model: Any, seeds: int) -> Any:
    """Trainings by L-BFGS of as many evaluations as pykan makes at most."""
    recipe = ap.Recipe(model=model, optimizer="lbfgs", steps=EVALUATIONS, records=3)
    return ap.run(task, recipe, seeds=seeds, keep=(), progress=False).isel(step=-1)


def kan_moons() -> dict[str, np.ndarray]:
    """Root mean squared errors and accuracies on two moons."""
    task = ap.tasks.moons(size=1_000, noise=0.1, loss="mse", correct=same_half)
    runs = kan(task, ap.models.KAN((), grid=3, grid_range=(-1.3, 2.3)), 160)
    return {
        "train": np.sqrt(runs.loss.values),
        "test": np.sqrt(runs.test_loss.values),
        "accuracy": runs.accuracy.values,
        "test accuracy": runs.test_accuracy.values,
    }


def same_half(outputs: Any, targets: Any) -> Any:
    """Whether an output lies on its target's side of one half."""
    return ((outputs > 0.5) == (targets > 0.5)).all(1)


def wave_and_square(x: Any) -> Any:
    """`e^(sin πx + y²)`."""
    return jnp.exp(jnp.sin(jnp.pi * x[:, 0]) + x[:, 1] ** 2)


def kan_fit() -> dict[str, np.ndarray]:
    """Root mean squared errors of `e^(sin πx + y²)`."""
    task = ap.drawn(wave_and_square, [(-1.0, 1.0)] * 2, rows=1_000)
    runs = kan(task, ap.models.KAN((5,), grid=5), 160)
    return {"train": np.sqrt(runs.loss.values), "test": np.sqrt(runs.test_loss.values)}


GRID = (
    "pykan moves its grids to the data every five steps; here the grid stays as it is. L-BFGS "
    "makes 400 evaluations, which is what 20 steps of at most 20 iterations are."
)

# ---- all of them ---------------------------------------------------------------------------------

ENTRIES = {
    "sklearn_iris": of_strategies("iris", IRIS, 160),
    "sklearn_circles": of_strategies("circles", CIRCLES, 160),
    "sklearn_moons": of_strategies("moons", MOONS, 160),
    "sklearn_classifier": Entry(
        "scikit-learn: the example of MLPClassifier",
        docstring("MLPClassifier"),
        "make_classification of 100 rows, of which 25 are kept for the test, and a network of 100 "
        "relu units with Adam, for 300 epochs.",
        "Nothing. The score is printed as 0.8..., so it lies between 0.8 and 0.9.",
        {
            "probability": Run("probability of the first test row", 0.961, 5e-4),
            "score": Run("share of test rows that are right", 0.85, 0.05),
        },
        classifier,
        cheap=True,
    ),
    "sklearn_regressor": Entry(
        "scikit-learn: the example of MLPRegressor",
        docstring("MLPRegressor"),
        "make_regression of 200 rows with 20 inputs, of which 50 are kept for the test, and a "
        "network of 100 relu units with Adam, for 2,000 epochs at most, with tol=0.1.",
        "Nothing.",
        {
            "first": Run("prediction of the first test row", 28.98, 5e-3),
            "second": Run("prediction of the second test row", -291.0, 0.5),
            "r2": Run("R² over the test rows", 0.98, 5e-3),
        },
        regressor,
    ),
    "pykan_moons": Entry(
        "pykan: two moons without a hidden layer",
        pykan("Example 4: Classification"),
        "A KAN of the shape [2, 1] with cubic splines on three intervals, 1,000 points on two "
        "moons with noise 0.1, squared errors, 20 steps of L-BFGS.",
        GRID + " It goes from -1.3 to 2.3, so that all points lie on it.",
        {
            "train": Run("root mean squared error", 0.155, 5e-4),
            "test": Run("root mean squared error on test points", 0.156, 5e-4),
            "accuracy": Run("share of rows that are right", 1.0, 5e-4),
            "test accuracy": Run("share of test points that are right", 0.998, 5e-4),
        },
        kan_moons,
        reason="With grids that follow the data a spline has more of its pieces where points are.",
    ),
    "pykan_fit": Entry(
        "pykan: a function of two variables",
        pykan("API 6: Training Hyperparameters, λ = 0"),
        "A KAN of the shape [2, 5, 1] with cubic splines on five intervals learns "
        "e^(sin πx + y²) from 1,000 points of [-1, 1]², by 20 steps of L-BFGS.",
        GRID + " It goes from -1 to 1 in both layers. First weights are those of the paper, which "
        "pykan 0.2 has changed a little.",
        {
            "train": Run("root mean squared error", 5.51e-3, 5e-6),
            "test": Run("root mean squared error on test points", 6.14e-3, 5e-6),
        },
        kan_fit,
        reason=(
            "The inputs of the second layer leave the grid of [-1, 1] here, while pykan's grids "
            "follow them."
        ),
    ),
}
