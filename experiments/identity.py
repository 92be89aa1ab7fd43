"""Does a linear autoencoder learn the identity, what does its small loss hide, and what helps.

Source: the question-and-answer thread on an 84-84 linear network in Keras, mean squared error, SGD
at 0.01. A: its data, N(1.1090579, 0.0012380764²), 139,336 rows, batches of 8, 10 epochs "up to
200". B: its U[0, 1), 99,999 rows, batches of 80, 100 epochs. C: B with 5 columns. The last 30% of
the rows are for validation. A's rows are one data set for all seeds, drawn by us; B's and C's are
drawn per seed. The advice that closed it: standardise each sample over its 84 values, undo it
after, both inside the model.
Remedies: A with 16,000 rows, again 10 epochs of batches of 8, 1,400 updates each. A factorial of
standardisation (none, feature, sample) x units of the loss (the data's, standardised) x optimiser
(SGD 0.01, Adam 0.001 as in Keras); and one at a time: momentum, half the largest stable rate,
weights at I, at 0, and small ones (U(-0.05, 0.05), Keras 1's), L1 and L2 on the outputs (Keras'
default factor of 0.01), no bias, and L-BFGS (1,000 rows, 150 evaluations, float64). A rate divided
by the variance is the raw cell with a loss in standardised units. BFGS would keep 7,140² numbers a
network: left out.
Success, decided beforehand: R² of 0.99 on 400 further rows.
Exact reference: gradient descent shrinks the distance to the identity by `1 - 2 rate λ / columns` a
step in each eigenmode λ of the inputs' second moment (`ap.floors.modes`), from any initial weights,
up to any number of steps; minibatches do so in expectation. It stands for the 200 epochs that the
thread asks of A. The least error through a bottleneck says what a given R² is worth
(`ap.floors.pca_residual`).
Expected finding: A reaches a loss of 1e-6, the variance of its data: it has learned the mean and no
more; standardising solves it only if the loss is in standardised units too, as else its gradient
carries the variance.
Found: all seeds of a recipe learn it, or none. A ends at 3.05e-6 [2.97e-6, 3.11e-6] (5-95% of 32
seeds), from epoch 2 on and in validation too: twice its data's variance, R² of -0.99, worse than
the mean, as weights of mean diagonal 0.01 add noise. The thread's "about 1e-6" is below all seeds
and can only be an order of magnitude: the best constant has 1.53e-6. Smaller weights do not explain
it: U(-0.05, 0.05) ends at 1.62e-6, but would have B begin with losses of 0.115, 0.083, 0.080 (8
seeds), not with the reported 0.2092, 0.1536, 0.1484. Those and the last three are a seed of the
lower part of ours, quantiles 0.06 to 0.20; B's diagonal of 0.79 to 0.86 is the median seed's. B
finds the diagonal, not the identity: R² of 0.938, as predicted, and 0.99 would take 154 epochs. C's
weights are the identity. The advice as the thread has it, per sample with the loss in the data's
units, solves A for 0 of 32 [0, 11%] seeds; with the loss in standardised units too for 32 of 32. Of
the remedies, all 88 [96, 100%] learn it on rows standardised either way if the loss is too or Adam
is used, and by L-BFGS; none [0, 4%] does on raw rows by anything else: momentum, rate, 200 epochs
in closed form, no bias, penalties, small weights or none. Against expectation raw Adam is worse
than SGD for every seed, R² of -9.8: the means of its outputs move with the batches. A needs 610,000
epochs for an R² of 0.99.
Cost: seven and a half minutes on two cores with other light work beside. Writes
results/identity_{label}.nc and .csv, and experiments/summaries/identity_*.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import tyro
import xarray as xr

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
RATE = 0.01  # Keras' default of SGD
LINEAR = ap.MLP((), outputs=84, initializer="keras")
LEARNED = 0.99  # R² from which on the identity counts as learned
SMALL_LOSS = 1e-5  # "about 1e-6": it prints as some e-6

# ---- recipes -------------------------------------------------------------------------------------


def epoch(task, batch_size) -> int:
    """Updates in one pass over the training rows."""
    training_rows = math.floor(task.size * (1 - task.validation))
    return math.ceil(training_rows / batch_size)


def recipe(task, model, batch_size: int, epochs: int) -> ap.Recipe:
    """Keras' SGD at its default rate, for so many epochs.

    Losses are recorded after the epochs that the thread reports, and after some between them.
    """
    length = epoch(task, batch_size)
    wanted = {0, 1, 2, 3, 5, 9, 10, 20, 50, 97, 98, 99, 100, 150, 200, epochs}
    return ap.Recipe(
        model=model,
        optimizer="sgd",
        learning_rate=RATE,
        batch_size=batch_size,
        steps=length * epochs,
        records=tuple(length * n for n in sorted(wanted) if n <= epochs),
    )


def literal(kind: str, model, batch_size: int, epochs: int, loss: Any = "mse"):
    """Task and recipe of one of the thread's data sets, A, B or C."""
    task = ap.tasks.identity(kind, loss=loss)
    return task, recipe(task, model, batch_size, epochs)


LITERAL = {
    "A": literal("A", LINEAR, 8, 10),
    "A_per_sample": literal("A", ap.scalings.PerSample(LINEAR), 8, 10),
    "A_per_sample_z": literal("A", ap.scalings.PerSample(LINEAR), 8, 10, ap.losses.ScaledError()),
    "B": literal("B", LINEAR, 80, 100),
    "C": literal("C", replace(LINEAR, outputs=5), 80, 100),
}
LANES = {"C": 16}  # thirty-two seeds are two blocks, one per core

SMALL = ap.tasks.identity("A", size=16_000)
EPOCHS, EPOCH = 10, epoch(SMALL, 8)
MEAN, SD = float(np.asarray(SMALL.offset)), float(np.asarray(SMALL.scale))  # of A's columns
RECORDS = (0, 30, 300, EPOCH, 2 * EPOCH, 5 * EPOCH, EPOCHS * EPOCH)

# The factors of the factorial, the literal level first.
MODELS = {
    "none": LINEAR,
    "feature": ap.scalings.PerFeature(LINEAR, MEAN, SD, MEAN, SD),
    "sample": ap.scalings.PerSample(LINEAR),
}
UNITS = ("data", "z")
OPTIMIZERS = {"sgd": RATE, "adam": 0.001}  # and their learning rates
METHODS = {"sgd": "sgd", "adam": "adam_keras"}  # what `Recipe` calls them
FACTORS: dict[str, Iterable[str]] = {
    "standardised": MODELS,
    "units": UNITS,
    "optimizer": OPTIMIZERS,
}
LOSSES = {
    "none": ap.losses.ScaledError(SD),
    "feature": ap.losses.ScaledError(SD),
    "sample": ap.losses.ScaledError(),
}


@dataclass(frozen=True)
class Penalised:
    """Mean squared error with an activity penalty on the outputs, as Keras adds it.

    The penalty of a row is `l1 Σ_o |f| + l2 Σ_o f²` over its outputs; one of the two is used.
    """

    l1: float = 0.0
    l2: float = 0.0

    def __call__(self, outputs, targets):
        """One loss per row."""
        if self.l1:
            penalty = self.l1 * abs(outputs)
        else:
            penalty = self.l2 * outputs**2
        return ap.losses.mse(outputs, targets) + penalty.sum(1)


def cell(standardised: str, units: str, optimizer: str):
    """Task and recipe of one cell of the factorial."""
    loss: Any = "mse"
    if units == "z":
        loss = LOSSES[standardised]

    task = replace(SMALL, loss=loss)
    chosen = replace(
        recipe(task, MODELS[standardised], 8, EPOCHS),
        optimizer=METHODS[optimizer],
        learning_rate=OPTIMIZERS[optimizer],
        records=RECORDS,
    )
    return task, chosen


def changed(task=SMALL, **fields):
    """The plain small A with other fields of the recipe."""
    return task, replace(cell("none", "data", "sgd")[1], **fields)


FACTORIAL = {"_".join(levels): cell(*levels) for levels in product(MODELS, UNITS, OPTIMIZERS)}
PLAIN = "none_data_sgd"  # A as it is, with fewer rows
# Half of the largest rate at which A's largest mode shrinks, 84 / (84 MEAN² + 1) = 0.8
STABLE = 0.4
FEW, EVALUATIONS = 1_000, (0, 1, 2, 5, 10, 20, 35, 50, 75, 100, 125, 150)
ONE_FACTOR = {
    "momentum": changed(optimizer="momentum"),
    "rate": changed(learning_rate=STABLE),
    "identity": changed(
        model=replace(LINEAR, initializer="identity"), steps=EPOCH, records=(0, 30, 300, EPOCH)
    ),
    "zero_weights": changed(model=replace(LINEAR, init_scale=0.0)),
    "small_weights": changed(model=replace(LINEAR, initializer="uniform", init_scale=0.05)),
    "l1": changed(replace(SMALL, loss=Penalised(l1=0.01))),
    "l2": changed(replace(SMALL, loss=Penalised(l2=0.01))),
    "no_bias": changed(model=replace(LINEAR, bias=False)),
    "lbfgs": (
        replace(SMALL, size=FEW),
        ap.Recipe(
            model=LINEAR,
            optimizer="lbfgs",
            # The tolerance that nnet has is a loss of A that learned little
            options={"abstol": 0.0, "maxit": 1e6},
            steps=EVALUATIONS[-1],
            records=EVALUATIONS,
            dtype="float64",
        ),
    ),
}
RECIPES = LITERAL | FACTORIAL | ONE_FACTOR
PER_SAMPLE, PER_SAMPLE_Z = "sample_data_sgd", "sample_z_sgd"
PER_FEATURE, PER_FEATURE_Z = "feature_data_sgd", "feature_z_sgd"
NAMED = {
    "A": "A, literal",
    "A_per_sample": "A, per sample",
    "A_per_sample_z": "A, per sample, loss too",
    "B": "B, uniform",
    "C": "C, uniform, 5 columns",
    PLAIN: "A, 16,000 rows",
    "none_z_sgd": "rate / variance",
    PER_FEATURE: "per feature",
    PER_FEATURE_Z: "per feature, loss too",
    PER_SAMPLE: "per sample",
    PER_SAMPLE_Z: "per sample, loss too",
    "none_data_adam": "Adam",
    "momentum": "momentum 0.9",
    "rate": "rate 0.4",
    "identity": "weights at I",
    "zero_weights": "weights at 0",
    "small_weights": "weights U(-0.05, 0.05)",
    "l1": "L1 of outputs",
    "l2": "L2 of outputs",
    "no_bias": "no bias",
    "lbfgs": "L-BFGS, 1,000 rows",
}
MORE = {"identity": 3}  # times the seeds: "exactly 0" is a claim of always
# A quick look has not the factorial's other cells, and not these.
NOT_QUICK = ("small_weights", "momentum", "no_bias", "l1", "l2", "rate")
QUICK_SEEDS, QUICK_STEPS, QUICK_SIZE = 8, 60, 1_600
UNOPTIMISED = {"xla_backend_optimization_level": 0}  # compiles soon, and trains more slowly

# ---- measures ------------------------------------------------------------------------------------


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
    """Frobenius distance of the weights to the identity over √columns: 0 for the identity."""
    w = params[0]["w"]
    return jnp.sqrt(((w - jnp.eye(w.shape[0])) ** 2).sum() / w.shape[0])


def farthest(params, predict):
    """Largest distance of one weight to the identity's."""
    w = params[0]["w"]
    return abs(w - jnp.eye(w.shape[0])).max()


METRICS = {
    "diagonal": diagonal,
    "least_diagonal": least,
    "greatest_diagonal": greatest,
    "on_diagonal": on_diagonal,
    "distance_to_identity": distance,
    "farthest_weight": farthest,
}


def judged(task) -> np.ndarray:
    """The 400 further rows that every seed is judged on."""
    return np.asarray(task.points().x, np.float32)


def error(task) -> Callable:
    """A metric: mean squared error on the further rows in the data's units, whatever the loss."""
    x = judged(task)
    return lambda params, predict: ((predict(x) - x) ** 2).mean()


def variance(task) -> float:
    """Mean variance of the columns on the further rows.

    It is the mean squared error of a network that has learned the columns' means and no more.
    """
    rows = judged(task).astype(float)
    return float(rows.var(0).mean())


def with_fewer_rows(task, chosen: ap.Recipe, size: int):
    """Task and recipe on so many rows, for as many epochs as before."""
    small = replace(task, size=size)
    if not chosen.batch_size:
        return small, chosen
    before, after = epoch(task, chosen.batch_size), epoch(small, chosen.batch_size)
    records = sorted({record * after // before for record in chosen.records})
    steps = chosen.steps * after // before
    return small, replace(chosen, steps=steps, records=tuple(records))


def resized(pair, size: int | None, steps: int | None):
    """Task and recipe with at most so many rows and at most so many updates, for a quick look."""
    task, chosen = pair
    if size is not None and size < task.size:
        task, chosen = with_fewer_rows(task, chosen, size)
    if steps is not None and steps < chosen.steps:
        # The same records for all recipes, so that A and its smaller copy are one program
        records = sorted({steps * n // 10 for n in (0, 1, 2, 5, 10)})
        chosen = replace(chosen, steps=steps, records=tuple(records))
    return task, chosen


def path_of(results: Path, label: str) -> Path:
    """The file of one recipe's results."""
    return results / f"identity_{label}.nc"


def train(
    label: str, seeds: int, results: Path, size: int | None, steps: int | None, **options
) -> xr.Dataset:
    """Run one recipe and save it, with R², and with the parameters at its start and its end."""
    task, chosen = resized(RECIPES[label], size, steps)
    if chosen.dtype == "float64":
        # Float64 has random draws of its own, so the initial weights are those of another recipe
        options["init_params"] = ap.params(ap.load(path_of(results, PLAIN)), kept_step=0)

    runs = ap.run(
        task,
        chosen,
        seeds=seeds,
        metrics=METRICS | {"mse": error(task)},
        lanes=LANES.get(label),
        keep=("params",),
        keep_at=(0, chosen.steps),
        **options,
    )
    runs = runs.assign(r_squared=1 - runs.mse.astype(float) / variance(task))
    ap.save(runs, path_of(results, label))
    return runs


# ---- exact references ----------------------------------------------------------------------------


def training_rows(task) -> np.ndarray:
    """The training rows of a seed, in float64."""
    key = jax.random.key(0)
    (x, _), *_ = task.split(key, key)
    return np.asarray(x, float)


def column_moments(task) -> tuple[float, float]:
    """Mean and variance of the distribution that the columns are drawn from."""
    if task.distribution == "uniform":
        return task.offset + task.scale / 2, task.scale**2 / 12
    return task.offset, task.scale**2


def predicted_diagonal(task, rate: float, steps: int) -> float:
    """The mean diagonal of the weights after so many steps of gradient descent, in expectation.

    It starts from weights of mean 0 and biases of 0. The row is continued by a 1, which the bias
    multiplies. Each eigenmode λ of the second moment of this longer row keeps the share
    `(1 - 2 rate λ / dim)^steps` of its distance to the identity; dim is there because Keras' mean
    squared error is a mean over the columns.
    """
    mean, variance = column_moments(task)
    means = np.append(np.full(task.dim, mean), 1.0)
    variances = np.append(np.full(task.dim, variance), 0.0)
    values, vectors = np.linalg.eigh(np.outer(means, means) + np.diag(variances))
    kept = (1 - 2 * rate * values / task.dim) ** steps
    distances = (vectors * kept) @ vectors.T
    return 1 - float(np.diag(distances)[: task.dim].mean())


class Expected(NamedTuple):
    """Plain gradient descent, to which a training is equal in expectation.

    Attributes:
        modes: of the rows, in the units in which the training is plain gradient descent
            (`ap.floors.modes`).
        unit: what a squared error in those units is worth in the data's.
        largest_rate: the recipe's learning rate above which the largest mode grows.
    """

    modes: Any
    unit: float
    largest_rate: float


def standardised_rows(rows: np.ndarray, model) -> tuple[np.ndarray, float]:
    """The rows as a model scales them, and the square of the unit that it scales them by.

    Where each sample has a unit of its own, the mean of their squares stands for it.
    """
    if isinstance(model, ap.scalings.PerFeature):
        return (rows - MEAN) / SD, SD**2
    if isinstance(model, ap.scalings.PerSample):
        spread = rows.std(1, keepdims=True)
        return (rows - rows.mean(1, keepdims=True)) / spread, float((spread**2).mean())
    return rows, 1.0


def divisor_of(loss: Any, unit: float) -> float:
    """What a loss divides squared errors in the data's units by."""
    if not isinstance(loss, ap.losses.ScaledError):
        return 1.0
    scale: Any = loss.scale
    if scale:
        return scale**2
    return unit


def expected(task, chosen: Any) -> Expected:
    """The plain gradient descent that the training of a recipe is in expectation.

    A model that standardises its rows sees rows in other units. If its loss is in the data's units,
    each of its gradients is multiplied by the square of that unit, as by another learning rate.
    """
    rows, unit = standardised_rows(training_rows(task), chosen.model)
    factor = unit / divisor_of(task.loss, unit)
    bias = ap.scalings.core(chosen.model).bias
    modes = ap.floors.modes(rows, task.dim, chosen.learning_rate * factor, bias)
    return Expected(modes, unit, modes.largest_rate / factor)


def starts(runs: xr.Dataset) -> np.ndarray:
    """Distances of the initial weights to the identity, (seeds, columns + 1, columns).

    The last row holds the biases; there is none if the network has no biases.
    """
    [layer] = ap.params(runs, kept_step=0)
    away = layer["w"].astype(float) - np.eye(layer["w"].shape[1])
    if "b" not in layer:
        return away
    return np.concatenate([away, layer["b"][:, None]], 1)


def expected_error(of: Expected, away: np.ndarray, steps: Any) -> np.ndarray:
    """Mean squared error of gradient descent after any numbers of steps, in closed form.

    `Σ_k λ_k f_k^(2 steps) |v_k · away|² / columns` over the modes: the error is a quadratic form of
    the distance.

    Args:
        of: the gradient descent.
        away: distances of the initial weights to the identity, as `starts` gives them.
        steps: numbers of steps.

    Returns:
        Errors in the data's units, (seeds, steps).
    """
    values, vectors, factors, _ = of.modes
    pull = ((vectors.T @ away) ** 2).sum(-1) / away.shape[-1]
    twice = 2.0 * np.asarray(steps, float)
    with np.errstate(over="ignore", invalid="ignore"):  # a divergence ends at inf
        return of.unit * (pull * values) @ abs(factors[:, None]) ** twice


GRID = np.geomspace(1, 1e12, 1_201)  # updates, for how many are needed


def needed(errors: np.ndarray, variance: float, r_squared: float) -> float:
    """The median over seeds of the updates after which R² is first so large.

    Args:
        errors: mean squared errors of every seed after the updates in GRID, (seeds, updates).
        variance: of the data, the error at which R² is 0.
        r_squared: what R² has to reach; a seed that does not counts as infinitely many updates.
    """
    reached = errors <= (1 - r_squared) * variance
    first = np.where(reached.any(1), GRID[reached.argmax(1)], np.inf)
    return float(ap.stats.order_quantiles(first))


EXACT: tuple[str, ...] = (
    "A",
    "A_per_sample",
    "A_per_sample_z",
    "B",
    "C",
    PLAIN,
    "none_z_sgd",
    PER_FEATURE,
    PER_FEATURE_Z,
)
EXACT += (PER_SAMPLE, PER_SAMPLE_Z, "rate", "no_bias")  # of SGD


def curve_of(label: str, errors: np.ndarray, variance: float) -> list[dict[str, str]]:
    """The median over seeds of the share of the variance that is unexplained, along GRID."""
    with np.errstate(over="ignore"):
        middle = ap.stats.order_quantiles(errors, axis=0) / variance
    rows = []
    for step, share in zip(GRID, middle, strict=True):
        rows.append({"label": label, "step": f"{step:.6g}", "unexplained": f"{share:.6g}"})
    return rows


def measured_over(last: np.ndarray, end: np.ndarray) -> dict[str, float]:
    """Quantiles over seeds of the last measured losses over the expected errors."""
    found = ap.stats.order_quantiles(last / end, (0.5, 0.05, 0.95)).tolist()
    return dict(zip(("measured / expected", "5%", "95%"), found, strict=True))


def in_digits(value: Any) -> Any:
    """Five digits of a number with decimals; anything else as it is."""
    if isinstance(value, float):
        return f"{value:.5g}"
    return value


def exact_row(
    label: str, of: Expected, errors: np.ndarray, variance: float, length: int
) -> dict[str, Any]:
    """What closed forms say of one recipe.

    Args:
        label: of the recipe.
        of: the gradient descent that it is in expectation.
        errors: mean squared errors of every seed after the updates in GRID.
        variance: of the data.
        length: updates in an epoch.
    """
    values = of.modes.values
    moving = values[values > 1e-12 * values[-1]]
    row = {
        "recipe": NAMED[label],
        "label": label,
        "n": len(errors),
        "least λ": moving[0],
        "largest λ": moving[-1],
        "largest rate": of.largest_rate,
        "R² in expectation": np.nan,
        "measured / expected": np.nan,
        "5%": np.nan,
        "95%": np.nan,
    }
    for r_squared in (0.0, 0.5, LEARNED):
        epochs = needed(errors, variance, r_squared) / length
        row[f"epochs to R² {r_squared:g}"] = epochs
    return row


def exact(
    runs: Mapping[str, xr.Dataset], recipes: Mapping[str, tuple], results: Path
) -> list[dict[str, Any]]:
    """Closed forms of gradient descent, beside the final losses measured on the training rows.

    Median curves go to results/identity_curves.csv, for the figure. Losses in standardised units
    are not compared. C's ratio is limited by float32: at an error of 3e-10 a step of the slowest
    mode is too small to change a weight.
    """
    rows, curves = [], []
    for label in [label for label in EXACT if label in runs]:
        task, chosen = recipes[label]
        _, variance = column_moments(task)
        of, away = expected(task, chosen), starts(runs[label])

        errors = expected_error(of, away, GRID)
        curves += curve_of(label, errors, variance)
        row = exact_row(label, of, errors, variance, epoch(task, chosen.batch_size))

        end = expected_error(of, away, [chosen.steps])[:, 0]
        row["R² in expectation"] = 1 - float(ap.stats.order_quantiles(end)) / variance
        if task.loss == "mse":
            row |= measured_over(runs[label].loss.isel(step=-1).values, end)
        rows.append({name: in_digits(value) for name, value in row.items()})

    write(pd.DataFrame(curves), results / "identity_curves.csv")
    return rows


def bottlenecks(task) -> list[dict[str, Any]]:
    """What the best linear autoencoders with few hidden units leave of A's training rows.

    It says what an R² is worth: how many of the 84 columns a bottleneck has to pass for it.
    """
    rows = training_rows(task)
    spread = rows.var(0).mean()
    table = []
    for units in (0, 21, 42, 63, 83, 84):
        left = ap.floors.pca_residual(rows, units)
        row = {
            "units": units,
            "mean squared error": f"{left:.4g}",
            "R²": f"{1 - left / spread:.4f}",
        }
        table.append(row)
    return table


# ---- claims --------------------------------------------------------------------------------------


def learned(runs: xr.Dataset) -> xr.Dataset:
    """Success: R² of at least 0.99 on further rows."""
    return ap.stats.success(runs, above=LEARNED, of="r_squared")


def early(runs: xr.Dataset) -> xr.Dataset:
    """The records of the first of ten epochs."""
    return runs.sel(step=slice(0, float(runs.step[-1]) / EPOCHS))


def by_closed_form(runs: xr.Dataset, recipes: Mapping[str, tuple], epochs: int) -> xr.Dataset:
    """Whether gradient descent learns the thread's A in so many epochs, in closed form.

    It starts from the initial weights of the seeds of `runs`.
    """
    task, chosen = recipes["A"]
    steps = chosen.steps * epochs // EPOCHS
    error = expected_error(expected(task, chosen), starts(runs), [steps])[:, 0]
    left = error / float(task.scale) ** 2
    return xr.Dataset({"hit": ("seed", 1 - left >= LEARNED)}, {"seed": runs.seed})


def statements(runs: Mapping[str, xr.Dataset], recipes: Mapping[str, tuple]) -> list:
    """What the thread claims, and the region in which each effect must lie for a claim to hold.

    The regions were written before anything was measured.
    """
    hits: dict[Hashable, xr.Dataset] = {label: learned(one) for label, one in runs.items()}
    hits[f"{PLAIN}@1"] = learned(early(runs[PLAIN]))
    hits["A@10"] = by_closed_form(runs[PLAIN], recipes, 10)
    hits["A@200"] = by_closed_form(runs[PLAIN], recipes, 200)
    last: dict[Hashable, xr.Dataset] = {label: one.isel(step=-1) for label, one in runs.items()}
    r2 = f"R² of {LEARNED} after 10 epochs"

    def rate(
        text: str, label: str, measure: str, hit, holds: tuple[float, float] = ap.stats.USUALLY
    ) -> ap.stats.Claim:
        """That the rate of success of one recipe lies in a region."""
        return ap.stats.Claim(
            text,
            label,
            measure,
            partial(ap.stats.rate, hit),
            holds,
        )

    def more(text: str, a: str, b: str = PLAIN, measure: str = r2) -> ap.stats.Claim:
        """That recipe a succeeds more often than b."""
        effect: Callable = partial(ap.stats.compare, hits, a, b)
        return ap.stats.Claim(
            text,
            f"{a} against {b}",
            measure,
            effect,
            ap.stats.HELPS,
        )

    nothing = (last["A"].loss < SMALL_LOSS) & (last["A"].r_squared <= 0)
    zero = (runs["identity"].loss == 0).all("step")
    lower_error = partial(
        ap.stats.improvement, last, "none_data_adam", PLAIN, of="mse", pairs="seed"
    )
    found = [
        rate(
            "from random weights the loss reaches 1e-6 and the output looks nothing like the input",
            "A",
            "loss below 1e-5 and R² of at most 0 after 10 epochs",
            nothing,
        ),
        rate(
            "weights at I give a loss of exactly 0",
            "identity",
            "loss 0 at every record",
            zero,
            ap.stats.ALWAYS,
        ),
        rate(
            "the advice solves it: per sample, as the thread has it",
            "A_per_sample",
            r2,
            hits["A_per_sample"],
        ),
        rate(
            "... with the loss in standardised units too",
            "A_per_sample_z",
            r2,
            hits["A_per_sample_z"],
        ),
        more("standardising each sample helps, loss in the data's units", PER_SAMPLE),
        more("standardising each sample helps, loss in standardised units", PER_SAMPLE_Z),
        more("standardising each feature helps, loss in the data's units", PER_FEATURE),
        more("standardising each feature helps, loss in standardised units", PER_FEATURE_Z),
        rate(
            "B: the largest weight of each column is on the diagonal",
            "B",
            "all columns after 100 epochs",
            last["B"].on_diagonal == 1,
        ),
        rate("B: it learns the identity", "B", f"R² of {LEARNED} after 100 epochs", hits["B"]),
        rate(
            "C: the weights print as the identity",
            "C",
            "all within 0.005 after 100 epochs",
            last["C"].farthest_weight < 0.005,
        ),
        more("more epochs help: 10 instead of 1", PLAIN, f"{PLAIN}@1", "R² of 0.99 at the end"),
        more(
            "more epochs help: 200 instead of 10, in closed form",
            "A@200",
            "A@10",
            "R² of 0.99 at the end",
        ),
        more("Adam helps", "none_data_adam"),
        ap.stats.Claim(
            "Adam ends at a lower error than SGD",
            f"none_data_adam against {PLAIN}",
            "lower mean squared error after 10 epochs",
            lower_error,
            ap.stats.BETTER,
        ),
        more("momentum helps", "momentum"),
        more("a larger rate helps: half of the largest stable one", "rate"),
        more("a rate divided by the variance helps", "none_z_sgd"),
        more("no bias helps", "no_bias"),
        more("an L1 penalty on the outputs helps", "l1"),
        more("an L2 penalty on the outputs helps", "l2"),
        more("L-BFGS helps (1,000 rows)", "lbfgs", measure="R² of 0.99 at the end"),
    ]
    return [claim for claim in found if hits.keys() >= set(claim.compared.split(" against "))]


# What the thread reports: recipe, quantity, epoch (0: the start), value, half a unit of its last
# digit. Losses are means over an epoch's batches, as Keras prints.
REPORTED: tuple[tuple[str, str, int, float, float], ...] = (
    ("A", "batch_loss", 10, 1e-6, 5e-7),
    ("identity", "loss", 0, 0.0, 0.0),
    ("B", "batch_loss", 1, 0.2092, 5e-5),
    ("B", "batch_loss", 2, 0.1536, 5e-5),
    ("B", "batch_loss", 3, 0.1484, 5e-5),
    ("B", "batch_loss", 98, 0.0055, 5e-5),
    ("B", "batch_loss", 99, 0.0053, 5e-5),
    ("B", "batch_loss", 100, 0.0051, 5e-5),
    ("B", "validation_loss", 1, 0.1564, 5e-5),
    ("B", "validation_loss", 2, 0.1510, 5e-5),
    ("B", "validation_loss", 3, 0.1459, 5e-5),
    ("B", "validation_loss", 100, 0.0051, 5e-5),
    ("B", "on_diagonal", 100, 1.0, 0.0),
    ("B", "least_diagonal", 100, 0.79, 0.005),
    ("B", "greatest_diagonal", 100, 0.86, 0.005),
)


def reported(runs: Mapping[str, xr.Dataset], recipes: Mapping[str, tuple]) -> list:
    """The thread's numbers beside those of our seeds, at the epochs that have a record."""
    found = []
    for label, of, number, value, rounding in REPORTED:
        task, chosen = recipes[label]
        step = epoch(task, chosen.batch_size) * number
        if step not in runs[label].step:
            continue
        text = f"{label}: {of.replace('_', ' ')}, epoch {number}"
        ours = runs[label][of].sel(step=step).values
        found.append(ap.stats.Reported(text, label, ours, value, rounding))
    return found


# ---- what became of the seeds --------------------------------------------------------------------


# Variance of the initial weights: Keras' (1 / 84) where a recipe has no other
WEIGHT_VARIANCES = {"zero_weights": 0.0, "small_weights": 0.05**2 / 3}


def plateaus(label: str, spread: float) -> dict[str, float]:
    """Errors at which a training may stay, by name: mean squared errors in the data's units.

    "mean only" is the columns' variance, the error of a network that has learned the means. Initial
    weights of mean 0 and variance v that stay as they are add 84 v times the variance to each
    column's error ("noise added"): with Keras' weights, v = 1/84, once more. A penalty moves an
    output by 84 l1 / 2, or shrinks it by 1 + 84 l2 ("shrunk outputs").
    """
    named = {"mean only": spread}
    weight_variance = WEIGHT_VARIANCES.get(label, 1 / 84)
    if weight_variance:
        named["noise added"] = (1 + 84 * weight_variance) * spread

    loss = RECIPES[label][0].loss
    if not isinstance(loss, Penalised):
        return named
    if loss.l1:
        moved = SMALL.dim * loss.l1 / 2
    else:
        pull = SMALL.dim * loss.l2
        moved = MEAN * pull / (1 + pull)

    named["shrunk outputs"] = moved**2
    return named


def kinds(label: str, runs: xr.Dataset) -> xr.Dataset:
    """What became of every seed: learned, a plateau by name, or one of the four below.

    "on the way": the error was still falling at the end (see `stats.falling`). "means jitter": the
    error is above all plateaus and does not fall as fast as 1 / updates, because the outputs' means
    move with the batches. (Saved parameters of Adam's and of rate 0.4 say so: without the means'
    distances, noise is left.) "diverged": the error has doubled or is no number. "on no plateau":
    none of these.
    """
    spread = variance(RECIPES[label][0])
    levels = plateaus(label, spread)
    found = ap.stats.plateaus(
        runs,
        levels,
        of="mse",
        learned=(1 - LEARNED) * spread,
        tolerance=0.05,
    )
    first = runs.mse.isel(step=0, drop=True)
    last = runs.mse.isel(step=-1, drop=True)

    # Above all plateaus an error must fall faster to count as falling
    above = last > max(levels.values())
    falls = ap.stats.falling(runs, of="mse")
    falls_fast = ap.stats.falling(runs, of="mse", slope=1.0)
    falls = xr.where(above, falls_fast, falls)

    # Later lines take precedence
    unnamed = ~found.kind.isin(["learned", *levels])
    diverged = (last > 2 * first) | ~np.isfinite(last)
    kind = found.kind.astype(object)
    kind = kind.where(~(above & unnamed), "means jitter")
    kind = kind.where(~(falls & unnamed), "on the way")
    kind = kind.where(~diverged, "diverged")

    order = [name for name in found.attrs["kinds"] if name not in ("on no plateau", "diverged")]
    order += ["means jitter", "on the way", "on no plateau", "diverged"]
    return kind.astype(str).to_dataset(name="kind").assign_attrs(kinds=order)


def rows_of_kinds(label: str, runs: xr.Dataset, found: xr.Dataset) -> list[dict[str, Any]]:
    """The share of every kind that there is among the seeds of one recipe."""
    rows = []
    shares = ap.stats.shares(found)
    for kind in found.attrs["kinds"]:
        share, here = shares.sel(kind=kind), (found.kind == kind).values
        if not here.any():
            continue
        row = {"recipe": NAMED.get(label, label), "label": label, "kind": kind}
        row |= {"n": int(share.n), "seeds": int(share.successes)}
        row |= {end: f"{float(share[end]):.3f}" for end in ("rate", "low", "high")}
        middle = float(ap.stats.order_quantiles(runs.mse.isel(step=-1)[here]))
        rows.append(row | {"median MSE": f"{middle:.4g}"})
    return rows


def failures(runs: Mapping[str, xr.Dataset], results: Path) -> list[dict[str, Any]]:
    """Share of every kind in every recipe.

    The kind of each seed goes to results/identity_kinds.csv, for the figure.
    """
    rows, each = [], []
    for label, one in runs.items():
        found = kinds(label, one)
        for seed, kind in enumerate(found.kind.values.tolist()):
            each.append({"label": label, "seed": seed, "kind": kind})
        rows += rows_of_kinds(label, one, found)
    write(pd.DataFrame(each), results / "identity_kinds.csv")
    return rows


MEASURES = {
    "R²": "r_squared",
    "MSE": "mse",
    "diagonal": "diagonal",
    "on diagonal": "on_diagonal",
    "distance to I": "distance_to_identity",
}
LESS_IS_BETTER = ("mse", "distance_to_identity")


def spread_of(values: xr.DataArray, worst: float) -> str:
    """Median [5%, 95%] over seeds; one that diverged counts as the worst."""
    low, middle, high = ap.stats.order_quantiles(values, (0.05, 0.5, 0.95), worst=worst)
    return f"{middle:.4g} [{low:.4g}, {high:.4g}]"


def outcomes(runs: Mapping[str, xr.Dataset]) -> list[dict[str, Any]]:
    """Every recipe's rate of success, the cost of a success, and what its seeds ended with.

    The cost is in updates, if every failure is followed by a new seed. The rest are medians
    [5%, 95%] over the seeds.
    """
    rows = []
    for label, one in runs.items():
        hits, last = learned(one), one.isel(step=-1)
        rate, cost = ap.stats.rate(hits), ap.stats.ert(hits)
        row: dict[str, Any] = {
            "recipe": NAMED.get(label, label),
            "label": label,
            "n": int(rate.n),
            "rate": f"{float(rate.rate):.3f}",
            "low": f"{float(rate.low):.3f}",
            "high": f"{float(rate.high):.3f}",
            "cost": f"{float(cost.ert):.4g}",
            "cost low": f"{float(cost.low):.4g}",
        }
        for name, of in MEASURES.items():
            worst = -np.inf
            if of in LESS_IS_BETTER:
                worst = np.inf
            row[name] = spread_of(last[of], worst)

        rows.append(row)
    return rows


def main_effects(runs: Mapping[str, xr.Dataset]) -> list[dict[str, Any]]:
    """Rate of success at each level of each factor, over all combinations of the others."""
    hits: dict[tuple, xr.Dataset] = {}
    for label in FACTORIAL:
        if label in runs:
            hits[tuple(label.split("_"))] = learned(runs[label])

    found = ap.stats.effects(ap.stats.crossed(hits, FACTORS))
    rows = []
    for factor, levels in FACTORS.items():
        for level in levels:
            one = found.sel(effect=f"{factor}={level}")
            if not int(one.cells):
                continue
            row = {"factor": factor, "level": level, "cells": int(one.cells), "n": int(one.n)}
            ends = {"rate": one.average, "low": one.low, "high": one.high}
            rows.append(row | {name: f"{float(value):.3f}" for name, value in ends.items()})
    return rows


# Drawn in the figure: a training of each kind
EXAMPLES = ("A", "zero_weights", "B", "A_per_sample_z")


def example(label: str, pair: tuple, runs: xr.Dataset) -> list[dict[str, str]]:
    """One judged row, and what the network of the first seed makes of it at the end."""
    task, chosen = pair
    x = judged(task)[:1]
    params = ap.params(runs, seed=0, kept_step=int(runs.kept_step[-1]))
    apply = ap.models.functions(chosen.model)[1]
    out = np.asarray(apply(params, jnp.asarray(x)))
    rows = []
    for put, got in zip(x[0], out[0], strict=True):
        rows.append({"label": label, "input": repr(float(put)), "output": repr(float(got))})
    return rows


def diagonal_by_epoch(task, chosen: ap.Recipe) -> list[dict[str, Any]]:
    """The mean diagonal of the weights after every epoch, in expectation."""
    length = epoch(task, chosen.batch_size)
    rows = []
    for number in range(max(2, chosen.steps // length + 1)):
        step = length * number
        at = predicted_diagonal(task, RATE, step)
        rows.append({"epoch": number, "step": step, "diagonal": f"{at:.6g}"})
    return rows


def examples(runs: Mapping[str, xr.Dataset], recipes: Mapping[str, tuple], results: Path) -> None:
    """Write what the figure shows besides: a row in and out of networks, and B's diagonal."""
    rows: list[dict[str, Any]] = []
    for label in EXAMPLES:
        rows += example(label, recipes[label], runs[label])
    write(pd.DataFrame(rows), results / "identity_examples.csv")
    write(pd.DataFrame(diagonal_by_epoch(*recipes["B"])), results / "identity_diagonal.csv")


# ---- tables --------------------------------------------------------------------------------------


TITLES = {
    "outcomes": "What came out: median [5%, 95%] over seeds, cost in updates",
    "failures": "What became of the seeds",
    "exact": "Closed forms of gradient descent, "
    "and what was measured on the training rows over what they expect",
    "bottlenecks": "What the best bottlenecks leave of A",
    "effects": "Factors, averaged over all others",
}


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table without row numbers."""
    table.to_csv(path, index=False, lineterminator="\n")


def summarise(
    labels: Iterable[str],
    results: Path,
    summaries: Path,
    size: int | None,
    steps: int | None,
    note: str = "",
) -> None:
    """Hold the saved results against the claims, and write and print all tables."""
    runs = {label: ap.load(path_of(results, label)) for label in labels}
    recipes = {label: resized(RECIPES[label], size, steps) for label in labels}
    tables = {
        "outcomes": outcomes(runs),
        "failures": failures(runs, results),
        "exact": exact(runs, recipes, results),
        "bottlenecks": bottlenecks(recipes["A"][0]),
        "effects": main_effects(runs),
    }
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    examples(runs, recipes, results)
    verdicts = ap.stats.claims("identity", statements(runs, recipes))
    numbers = ap.stats.reported("identity", reported(runs, recipes))
    sections = {TITLES[name]: frame for name, frame in frames.items()}
    ap.stats.write_claims(summaries, "identity", verdicts, numbers, note, sections)
    for name, frame in frames.items():
        write(frame, summaries / f"identity_{name}.csv")


def seeds_of(label: str, seeds: int, remedies: int) -> int:
    """How many seeds a recipe has."""
    if label in LITERAL:
        return seeds
    return remedies * MORE.get(label, 1)


def said(label: str, runs: xr.Dataset) -> str:
    """A recipe's rate of success and median R², as a line."""
    rate = ap.stats.rate(learned(runs))
    middle = float(ap.stats.order_quantiles(runs.r_squared.isel(step=-1), worst=-np.inf))
    interval = f"[{float(rate.low):.1%}, {float(rate.high):.1%}] of {int(rate.n):,}"
    return f"{label:22} {float(rate.rate):6.1%} {interval}   R² {middle:.4g}"


def main(
    seeds: int = 32,
    remedies: int = 88,
    steps: int | None = None,
    size: int | None = None,
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    quick: bool = False,
    saved: bool = False,
) -> None:
    """Train the literal recipes and all remedies, save them, and judge the thread's claims.

    Args:
        seeds: of each literal recipe.
        remedies: seeds of each recipe with fewer rows; three times as many from weights at I.
        steps: at most so many updates of each; the thread's numbers if left out.
        size: at most so many rows.
        results: the folder to write to.
        summaries: the folder of the tables.
        quick: a look with few seeds, updates and rows, in results/quick.
        saved: train only what is not in the folder of results, to go on, or to judge anew what is.
    """
    labels, note, options = tuple(RECIPES), "", {}
    if quick:
        labels = tuple(label for label in RECIPES if label in NAMED and label not in NOT_QUICK)
        seeds, remedies = min(seeds, QUICK_SEEDS), min(remedies, QUICK_SEEDS)
        steps, size = min(steps or QUICK_STEPS, QUICK_STEPS), min(size or QUICK_SIZE, QUICK_SIZE)
        results = summaries = results / "quick"
        results.mkdir(parents=True, exist_ok=True)
        most = f"at most {steps} updates and {size:,} rows"
        note = f"Quick look: {seeds} seeds, {most}; not the experiment."
        options = {"compiler_options": UNOPTIMISED}
        print(note, flush=True)

    missing = [label for label in labels if not (saved and path_of(results, label).exists())]
    for number, label in enumerate(missing, 1):
        count = seeds_of(label, seeds, remedies)
        runs = train(label, count, results, size, steps, progress=False, **options)
        print(f"{number:3} of {len(missing)}  {said(label, runs)}", flush=True)

    summarise(labels, results, summaries, size, steps, note)


if __name__ == "__main__":
    tyro.cli(main)
