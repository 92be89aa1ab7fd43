"""The same network in fourteen frameworks: what their defaults make of x² and of XOR.

Source: people ask why their network does not learn x² or XOR, and are told about learning rates and
units. Which framework they use is rarely asked, though its defaults decide weights, activations,
loss, steps and when the training ends.
Cases: x² on 21 points of [-1, 1] with ten hidden units, and XOR with two, as each framework trains
them unless it is told otherwise (`ap.frameworks`). Hidden units are tanh where the framework leaves
that to the user. Where it leaves the length to the user, there are 1,000 epochs; where it wants an
optimiser, it is Adam. XOR is put as labels where the framework has classifiers, and else as
numbers. Success: a mean squared error over the 21 points below 10⁻³; all four rows on the right
side. Conventions were measured for all but MATLAB, whose documentation was read.
Expected finding: the same network is learned nearly always in one framework and never in another.
Found: x² by 100% of the seeds with pyrenn's Levenberg-Marquardt, 99% with convnetjs and FANN, 80%
with R's nnet, 43% with Weka, 18% with MATLAB's defaults, which keep 30% of the 21 rows, and by none
with brain.js and synaptic, which stop at an error of 0.005, with OpenCV, which stops when an
iteration changes little, and with Adam at its usual rate in scikit-learn, Keras and TensorFlow.js;
5% with PyTorch's first weights. XOR by 97% with pyrenn and 91% with brain.js, and by none with
Weka's 500 epochs.
Cost: nine minutes on two busy cores for 512 seeds. Writes experiments/summaries/frameworks.csv.
"""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from sklearn.neural_network import MLPClassifier, MLPRegressor

import approx as ap

SUMMARIES = Path(__file__).parent / "summaries"
QUICK = Path(__file__).parents[1] / "results" / "quick"
X = np.linspace(-1, 1, 21)
CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
ODD = np.array([0.0, 1.0, 1.0, 0.0])
LABELLED = {"a": CORNERS[:, 0], "b": CORNERS[:, 1], "kind": ["no", "yes", "yes", "no"]}
EPOCHS = 1000  # where the user must say how many
BELOW = 1e-3
TANH: dict[str, Any] = {"epochs": EPOCHS, "activation": "tanh"}
Make = Callable[[], Any]

SQUARE: dict[str, Make] = {
    "MATLAB": lambda: ap.frameworks.matlab.question(X, X**2),
    "pyrenn": lambda: ap.frameworks.pyrenn.question(X, X**2, nn=[1, 10, 1]),
    "R nnet": lambda: ap.frameworks.nnet.question(X, X**2, size=10),
    "neurolab": lambda: ap.frameworks.neurolab.question(X, X**2, minmax=[[-1, 1]], size=[10, 1]),
    "scikit-learn": lambda: ap.frameworks.sklearn.question(
        MLPRegressor(hidden_layer_sizes=(10,)), X, X**2
    ),
    "Keras": lambda: adam("keras", "adam_keras"),
    "PyTorch": lambda: adam("pytorch", "adam"),
    "TensorFlow.js": lambda: ap.frameworks.tfjs.question(
        X, X**2, units=10, optimizer="adam", **TANH
    ),
    "convnetjs": lambda: ap.frameworks.convnetjs.question(X, X**2, hidden=10, **TANH),
    "brain.js": lambda: ap.frameworks.brainjs.question(X, X**2, hiddenLayers=[10]),
    "synaptic": lambda: ap.frameworks.synaptic.question(X, X**2, hidden=10),
    "FANN": lambda: ap.frameworks.fann.question(X, X**2, num_neurons_hidden=10, max_epochs=EPOCHS),
    "OpenCV": lambda: ap.frameworks.opencv.question(X, X**2, hidden=10),
    "Weka": lambda: ap.frameworks.weka.question(X, X**2, hiddenLayers="10"),
}
XOR: dict[str, Make] = {
    "MATLAB": lambda: ap.frameworks.matlab.question(CORNERS, ODD, hiddenSizes=2),
    "pyrenn": lambda: ap.frameworks.pyrenn.question(CORNERS, ODD, nn=[2, 2, 1]),
    "R nnet": lambda: ap.frameworks.nnet.question("kind ~ a + b", LABELLED, size=2),
    "neurolab": lambda: ap.frameworks.neurolab.question(
        CORNERS, ODD, minmax=[[0, 1]] * 2, size=[2, 1]
    ),
    "scikit-learn": lambda: ap.frameworks.sklearn.question(
        MLPClassifier(hidden_layer_sizes=(2,)), CORNERS, ODD.astype(int)
    ),
    "Keras": lambda: adam("keras", "adam_keras", xor=True),
    "PyTorch": lambda: adam("pytorch", "adam", xor=True),
    "TensorFlow.js": lambda: ap.frameworks.tfjs.question(
        CORNERS, ODD, units=2, optimizer="adam", **TANH
    ),
    "convnetjs": lambda: ap.frameworks.convnetjs.question(CORNERS, ODD, hidden=2, **TANH),
    "brain.js": lambda: ap.frameworks.brainjs.question(CORNERS, ODD, hiddenLayers=[2]),
    "synaptic": lambda: ap.frameworks.synaptic.question(CORNERS, ODD, hidden=2),
    "FANN": lambda: ap.frameworks.fann.question(
        CORNERS, ODD, num_neurons_hidden=2, max_epochs=EPOCHS
    ),
    "OpenCV": lambda: ap.frameworks.opencv.question(CORNERS, ODD, hidden=2),
    "Weka": lambda: ap.frameworks.weka.question(CORNERS, ODD, hiddenLayers="2", nominal=True),
}
PROBLEMS: dict[str, dict[str, Make]] = {"square": SQUARE, "xor": XOR}


def adam(initializer: str, optimizer: str, xor: bool = False) -> ap.frameworks.Question:
    """A network of Keras or PyTorch, whose optimiser, length and units are always the user's.

    XOR has logits and the binary cross-entropy; fewer rows than a batch of 32 are one step.
    """
    task = ap.given(X, X**2)
    if xor:
        task = ap.given(CORNERS, ODD, loss="binary_cross_entropy")
    model = ap.MLP((2 if xor else 10,), "tanh", initializer=initializer)
    return ap.frameworks.Question(task, ap.Recipe(model=model, optimizer=optimizer, epochs=EPOCHS))


def judged(question: ap.frameworks.Question, xor: bool) -> ap.frameworks.Question:
    """The question with two records, and for XOR with a rule of what is correct."""
    task, recipe = question
    brings_its_own = task.correct is not None or task.loss in ap.losses.CORRECT
    if xor and not brings_its_own:
        task = replace(task, correct=ap.losses.same_half)
    return ap.frameworks.Question(task, replace(recipe, records=2), question.notes)


def of_seeds(name: str, problem: str, seeds: int, most: int | None) -> dict[str, Any]:
    """How many seeds succeed with a framework, with the exact 95% interval."""
    task, recipe = judged(PROBLEMS[problem][name](), problem == "xor")
    if most is not None:  # a quick look
        recipe = replace(recipe, steps=most, epochs=None)
    runs = ap.run(task, recipe, seeds=seeds, keep=("prediction",)).isel(step=-1)
    if problem == "xor":
        right = runs.test_accuracy if "test_accuracy" in runs else runs.accuracy
        hit = right == 1
        value = 1 - right
    else:
        error = (runs.prediction - X[:, None] ** 2) ** 2
        value = error.mean([dim for dim in error.dims if dim != "seed"])
        hit = value < BELOW
    stopped = 0
    if "stop_reason" in runs:
        stopped = int((runs.stop_reason > 0).sum())
    rate = ap.stats.rate(hit.to_dataset(name="hit").hit)
    return {
        "problem": problem,
        "framework": name,
        "successes": int(hit.sum()),
        "seeds": seeds,
        "rate": f"{float(rate.rate):.4f}",
        "low": f"{float(rate.low):.4f}",
        "high": f"{float(rate.high):.4f}",
        "median": f"{float(ap.stats.order_quantiles(value, 0.5)):.3g}",
        "stopped": stopped,
    }


def main(
    seeds: int = 512,
    summaries: Path = SUMMARIES,
    only: tuple[str, ...] = (),
    quick: bool = False,
) -> None:
    """Train all networks and write the table.

    Args:
        seeds: how many of each.
        summaries: the folder to write frameworks.csv into.
        only: names of frameworks; none are all.
        quick: eight seeds and at most 20 steps into results/quick, to see that it works.
    """
    most = None
    if quick:
        seeds, most = 8, 20
        summaries = QUICK if summaries == SUMMARIES else summaries
    rows = []
    for problem, makes in PROBLEMS.items():
        for name in only or makes:
            row = of_seeds(name, problem, seeds, most)
            print(json.dumps(row), flush=True)
            rows.append(row)
    summaries.mkdir(parents=True, exist_ok=True)
    with (summaries / "frameworks.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    tyro.cli(main)
