"""Does a linear autoencoder learn the identity, and what does its small loss hide if it does not.

Source: the question-and-answer thread on an 84-84 linear network in Keras, mean squared error, SGD at 0.01. A: its
data, N(1.1090579, 0.0012380764²), 139,336 rows, batches of 8, 10 epochs "up to 200". B: its U[0, 1), 99,999 rows,
batches of 80, 100 epochs. C: B with 5 columns. The last 30% of the rows are for validation. A's rows are one data set
for all seeds, drawn by us; B's and C's are drawn per seed. A standardised per sample is the advice that closed it.
Expected finding: A reaches a loss of 1e-6, the variance of its data: it has learned the mean and no more.
Exact reference: gradient descent shrinks the distance to the identity by `1 - 2 rate λ / columns` a step in each
eigenmode λ of the inputs' second moment; for B's it leaves a diagonal of 0.82 after 100 epochs.
Found: A ends at 3.05e-6, twice its data's variance, with R² of -0.99: worse than the mean, as weights of mean diagonal
0.01 add noise. Standardised per sample with the loss in the data's units it is as bad: its gradient carries the
variance. B's reported losses lie in the lower part of ours, quantiles 0.09 to 0.38, and its diagonal of 0.79 to 0.86
is the median seed's, least to greatest; C's weights are the identity.
Cost: three and a quarter minutes on two cores for 32 seeds. Writes results/identity_{A,B,C,A_per_sample}.nc.
"""

import math
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import tyro

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
RATE = 0.01  # Keras' default of SGD
LINEAR = ap.MLP((), outputs=84, initializer="keras")


def epoch(task, batch_size) -> int:
    """Updates of an epoch on the training rows."""
    return math.ceil(math.floor(task.size * (1 - task.validation)) / batch_size)


def recipe(task, model, batch_size: int, epochs: int) -> ap.Recipe:
    """Keras' SGD at its default rate, with records after the epochs that the thread reports and some between."""
    length = epoch(task, batch_size)
    wanted = {0, 1, 2, 3, 5, 9, 10, 20, 50, 97, 98, 99, 100, 150, 200}
    records = tuple(length * n for n in sorted(wanted | {epochs}) if n <= epochs)
    steps = length * epochs
    return ap.Recipe(
        model=model, optimizer="sgd", learning_rate=RATE, batch_size=batch_size, steps=steps, records=records
    )


def literal(kind: str, model, batch_size: int, epochs: int):
    """Task and recipe of one kind."""
    task = ap.tasks.identity(kind)
    return task, recipe(task, model, batch_size, epochs)


RECIPES = {
    "A": literal("A", LINEAR, 8, 10),
    "A_per_sample": literal("A", ap.scalings.PerSample(LINEAR), 8, 10),
    "B": literal("B", LINEAR, 80, 100),
    "C": literal("C", replace(LINEAR, outputs=5), 80, 100),
}
LANES = {"C": 16}  # thirty-two seeds are two blocks, one per core


def diagonal(params, predict):
    """Mean of the weights' diagonal: 1 for the identity."""
    return jnp.diag(params[0]["w"]).mean()


def least(params, predict):
    """Least of the weights' diagonal."""
    return jnp.diag(params[0]["w"]).min()


def greatest(params, predict):
    """Greatest of the weights' diagonal."""
    return jnp.diag(params[0]["w"]).max()


def on_diagonal(params, predict):
    """Share of the columns of weights whose largest one is on the diagonal."""
    w = params[0]["w"]
    return (w.argmax(0) == jnp.arange(w.shape[1])).mean()


def distance(params, predict):
    """Frobenius distance of the weights to the identity, over the square root of the columns: 0 for the identity."""
    w = params[0]["w"]
    return jnp.sqrt(((w - jnp.eye(w.shape[0])) ** 2).sum() / w.shape[0])


METRICS = {"diagonal": diagonal, "least_diagonal": least, "greatest_diagonal": greatest, "on_diagonal": on_diagonal}
METRICS |= {"distance_to_identity": distance}
# What the thread reports: recipe, quantity, epoch, value. Losses are means over an epoch's batches, as Keras prints,
# and rounded to the fourth decimal; a seed's counts as below one if it would be printed so.
REPORTED = (
    *(("B", "batch_loss", n, v) for n, v in ((1, 0.2092), (2, 0.1536), (3, 0.1484))),
    *(("B", "batch_loss", n, v) for n, v in ((98, 0.0055), (99, 0.0053), (100, 0.0051))),
    *(("B", "validation_loss", n, v) for n, v in ((1, 0.1564), (2, 0.1510), (3, 0.1459), (100, 0.0051))),
    ("B", "on_diagonal", 100, 1.0),
    ("B", "least_diagonal", 100, 0.79),
    ("B", "greatest_diagonal", 100, 0.86),
)


def predicted_diagonal(task, rate: float, steps: int) -> float:
    """The mean diagonal that gradient descent reaches in expectation from weights of mean 0 and no bias.

    Each eigenmode λ of the second moment of a row and its bias's 1 keeps `(1 - 2 rate λ / dim)^steps` of its distance
    to the identity: Keras' mean squared error is a mean over the columns.
    """
    uniform = task.distribution == "uniform"
    mean, variance = (task.offset + task.scale / 2, task.scale**2 / 12) if uniform else (task.offset, task.scale**2)
    column = np.r_[np.full(task.dim, mean), 1.0]
    moment = np.outer(column, column) + np.diag(np.r_[np.full(task.dim, variance), 0.0])
    values, vectors = np.linalg.eigh(moment)
    left = (vectors * (1 - 2 * rate * values / task.dim) ** steps) @ vectors.T
    return 1 - float(np.diag(left)[: task.dim].mean())


def r_squared(runs):
    """One minus the mean squared error on the points over the variance of their columns, per seed."""
    variance = runs.y_test.var("point").mean("output")
    return 1 - ((runs.prediction - runs.y_test) ** 2).mean(("point", "output")) / variance


def table(label: str, runs, task, length: int) -> str:
    """What a paper would say of one recipe, as text; `length` is that of an epoch."""
    n = runs.sizes["seed"]
    lines = [f"{label}: {n} seeds, {int(runs.step[-1]):,} steps, identity {runs.identity[:12]}"]
    last = {"validation MSE": runs.validation_loss, **{name: runs[name] for name in METRICS}}
    values = {name: of.isel(step=-1) for name, of in last.items()} | {"R²": r_squared(runs)}
    for name, found in values.items():
        low, mid, high = np.quantile(found, (0.05, 0.5, 0.95))
        lines.append(f"  {name:22} median {mid:11.4g}   5% {low:11.4g}   95% {high:11.4g}")
    if label in ("A", "B", "C"):
        expected = predicted_diagonal(task, RATE, int(runs.step[-1]))
        lines.append(f"  diagonal by gradient descent in closed form, from 0: {expected:.4f}")
    for its_label, of, number, reported in REPORTED:
        if its_label == label and length * number in runs.step:
            found = runs[of].sel(step=length * number)
            low, mid, high = np.quantile(found, (0.05, 0.5, 0.95))
            r = ap.stats.rate(found <= reported + 5e-5)
            lines.append(
                f"  {of:17} epoch {number:3d}: median {mid:9.4g}   5% {low:9.4g}   95% {high:9.4g}   the thread's "
                f"{reported:6.4g}: quantile {float(r.rate):.2f} [{float(r.low):.2f}, {float(r.high):.2f}]"
            )
    return "\n".join(lines)


def main(
    seeds: int = 32,
    steps: int | None = None,
    size: int | None = None,
    labels: tuple[str, ...] = tuple(RECIPES),
    results: Path = RESULTS,
) -> None:
    """Train the literal recipes, print what came out, and save it.

    Args:
        seeds: of each recipe.
        steps: at most so many updates of each, for a quick look; the thread's numbers if left out.
        size: other number of rows, for a quick look.
        labels: which recipes.
        results: the folder to write to.
    """
    for label in labels:
        task, chosen = RECIPES[label]
        length = epoch(task, chosen.batch_size)
        if size is not None:
            epochs, task = chosen.steps // length, replace(task, size=size)
            length = epoch(task, chosen.batch_size)
            chosen = recipe(task, chosen.model, chosen.batch_size, epochs)
        if steps is not None and steps < chosen.steps:
            chosen = replace(chosen, steps=steps, records=20)
        runs = ap.run(task, chosen, seeds=seeds, metrics=METRICS, lanes=LANES.get(label))
        path = ap.save(runs, results / f"identity_{label}.nc")
        print(table(label, runs, task, length), f"\n  saved as {path}", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
