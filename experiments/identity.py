"""Does a linear autoencoder learn the identity, what does its small loss hide, and what helps.

Source: "Autoencoder not learning identity function", Stack Overflow: a linear network of 84 columns
onto themselves, in Keras, with the mean squared error and SGD at 0.01, on raw rows. Its claims, in
our words: weights at the identity have a loss of 0, and yet from random weights the loss comes down
to about 1e-6 while the outputs look nothing like the inputs. The advice that closed it: standardise
each sample over its 84 values, and undo it after, both inside the model.
Three data sets, whose last 30% of the rows are for validation. A, the question's: 139,336 rows of
N(1.1090579, 0.0012380764²), batches of 8, 10 epochs "up to 200". B, an answer's: 99,999 rows of
U[0, 1), batches of 80, 100 epochs. C: B with 5 columns. A's rows are one data set for all seeds,
which we drew; B's and C's are drawn for each seed.
The baseline of the changes is A with 16,000 rows, again for 10 epochs of batches of 8, which are
14,000 updates. A factorial changes the rows (raw, standardised per sample or per feature), the loss
(raw, in the data's units, or scaled, in standardised units) and the optimiser (SGD 0.01, Adam
0.001 as in Keras). SGD on raw rows with a scaled loss is SGD with a rate divided by the variance.
BFGS would keep 7,140² numbers a network: it is left out.
Success, decided beforehand: R² of 0.99 on 400 further rows.
Closed forms: gradient descent shrinks the distance to the identity by `1 - 2 rate λ / columns` a
step in each eigenmode λ of the inputs' second moment, from any initial weights; minibatches do so
in expectation. That stands for the 200 epochs that the question speaks of. The least error through
a bottleneck says what an R² is worth.
Cost: seven and a half minutes on two cores with other light work beside. Writes results/identity/,
and experiments/summaries/identity_*: the tables of the study, the closed forms (exact), what
bottlenecks leave (bottlenecks), the weights at the end (weights), and what the figures draw of
single trainings (examples, curves, closed_forms), so that they need no trainings.
"""

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import tyro
import xarray as xr

import approx as ap

CASE = "identity"
SOURCE = '"Autoencoder not learning identity function", Stack Overflow'
RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"

A = ap.tasks.identity("A")
MEAN, SD = float(np.asarray(A.offset)), float(np.asarray(A.scale))  # of A's columns
LINEAR = ap.MLP((), outputs=84, initializer="keras")
PER_SAMPLE = ap.scalings.PerSample(LINEAR)
PER_FEATURE = ap.scalings.PerFeature(LINEAR, MEAN, SD, MEAN, SD)
ROWS, FEW_ROWS = 16_000, 1_000  # of the baseline, and of L-BFGS
RATE = 0.01  # Keras' default of SGD
# Half of the largest rate at which A's largest mode shrinks, 84 / (84 MEAN² + 1) = 0.8
STABLE = 0.4
LEARNED = 0.99  # R² from which on the identity counts as learned
SMALL_LOSS = 1e-5  # "about 1e-6": it prints as some e-6
SEEDS, LITERAL_SEEDS = 88, 32
QUICK_SEEDS, QUICK_ROWS = 8, 1_600

# ---- the losses and weights of single rows -------------------------------------------------------


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

    def of_constant(self, target: float, columns: int) -> float:
        """The least loss of a constant output, which the penalty pulls from the target."""
        pull = columns * self.l1
        if self.l1:
            return pull * target - pull**2 / 4
        pull = columns * self.l2
        return target**2 * pull / (1 + pull)


def loss_in_standardised_units(task, recipe) -> dict[str, Any]:
    """A change: the loss in the units that the model standardises by, else in those of A."""
    if isinstance(recipe.model, ap.scalings.PerSample):
        return {"loss": ap.losses.ScaledError()}
    return {"loss": ap.losses.ScaledError(SD)}


def keras_in_float32(key, shape, dtype):
    """Keras' initial weights as a training in float32 draws them; float64 draws others."""
    bound = np.sqrt(np.float32(6 / sum(shape)))
    drawn = jax.random.uniform(key, shape, jnp.float32, -bound, bound)
    return drawn.astype(dtype)


# ---- rows of the study ---------------------------------------------------------------------------

THREAD = (0, 1, 2, 3, 5, 9, 10, 20, 50, 97, 98, 99, 100)  # epochs with a record
SHORT = (0, 3 / 140, 3 / 14, 1, 2, 5, 10)  # those of the baseline
EVALUATIONS = (0, 1, 2, 5, 10, 20, 35, 50, 75, 100, 125, 150)  # of L-BFGS


def epoch(task, batch_size: Any) -> int:
    """Updates in one pass over the training rows."""
    training_rows = math.floor(task.size * (1 - task.validation))
    return math.ceil(training_rows / batch_size)


def sgd(task, model, batch_size: int, epochs: int, records=THREAD) -> ap.Recipe:
    """Keras' SGD at its default rate for so many epochs, with records after some of them."""
    length = epoch(task, batch_size)
    recorded = {round(length * number) for number in records if number <= epochs}
    return ap.Recipe(
        model=model,
        optimizer="sgd",
        learning_rate=RATE,
        batch_size=batch_size,
        steps=length * epochs,
        records=tuple(sorted(recorded)),
    )


def literal(rows: int | None) -> dict[str, tuple]:
    """Task and recipe of the thread's data sets, with at most so many rows."""

    def pair(kind: str, model, batch_size: int, epochs: int, loss: Any = "mse"):
        task = ap.tasks.identity(kind, loss=loss)
        task = replace(task, size=min(task.size, rows or task.size))
        return task, sgd(task, model, batch_size, epochs)

    return {
        "A": pair("A", LINEAR, 8, 10),
        "A, per sample": pair("A", PER_SAMPLE, 8, 10),
        "A, per sample, loss too": pair("A", PER_SAMPLE, 8, 10, ap.losses.ScaledError()),
        "B": pair("B", LINEAR, 80, 100),
        "C": pair("C", replace(LINEAR, outputs=5), 80, 100),
    }


RAW, SAMPLE, FEATURE = "raw", "per sample", "per feature"
RAW_LOSS, SCALED_LOSS = "raw loss", "scaled loss"
SGD, ADAM = "SGD", "Adam"
FACTORS: dict[str, dict[str, Any]] = {
    "rows": {RAW: {}, SAMPLE: {"model": PER_SAMPLE}, FEATURE: {"model": PER_FEATURE}},
    "loss": {RAW_LOSS: {}, SCALED_LOSS: loss_in_standardised_units},
    "optimizer": {SGD: {}, ADAM: {"optimizer": "adam_keras", "learning_rate": 0.001}},
}


def cell(*levels: str) -> str:
    """The label of one combination of the factors' levels."""
    return ", ".join(levels)


CHANGES: dict[str, dict[str, Any]] = {
    "momentum 0.9": {"optimizer": "momentum"},
    "rate 0.4": {"learning_rate": STABLE},
    "weights at I": {"initializer": "identity", "epochs": 1},
    "weights at 0": {"init_scale": 0.0},
    "weights U(-0.05, 0.05)": {"initializer": "uniform", "init_scale": 0.05},  # Keras 1's
    "L1 on outputs": {"loss": Penalised(l1=0.01)},  # Keras' default factor
    "L2 on outputs": {"loss": Penalised(l2=0.01)},
    "no bias": {"bias": False},
}


def lbfgs(rows: int) -> dict[str, Any]:
    """The change to L-BFGS, which takes all of few rows in each step."""
    return {
        "size": min(rows, FEW_ROWS),
        "batch_size": None,
        "optimizer": "lbfgs",
        # The tolerance that nnet has is a loss of A that learned little
        "options": {"abstol": 0.0, "maxit": 1e6},
        "steps": EVALUATIONS[-1],
        "records": EVALUATIONS,
        "dtype": "float64",
        "initializer": keras_in_float32,
    }


BASELINE = ap.study.BASELINE
ONE_EPOCH = "baseline, 1 epoch"
# Rows of a quick look
QUICK = [BASELINE, "A", "A, per sample", "A, per sample, loss too", "B", "C"]
QUICK += [cell(RAW, SCALED_LOSS, SGD), cell(RAW, RAW_LOSS, ADAM)]
QUICK += [cell(SAMPLE, loss, SGD) for loss in (RAW_LOSS, SCALED_LOSS)]
QUICK += [cell(FEATURE, loss, SGD) for loss in (RAW_LOSS, SCALED_LOSS)]
QUICK += ["weights at I", "weights at 0", "L-BFGS"]

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


WEIGHTS = {
    "diagonal": diagonal,
    "least_diagonal": least,
    "greatest_diagonal": greatest,
    "on_diagonal": on_diagonal,
    "distance_to_identity": distance,
    "farthest_weight": farthest,
}


def metrics(task) -> dict[str, Any]:
    """What is measured of the weights, and 1 - R² on the further rows, in the data's units."""
    x = np.asarray(task.points().x, np.float32)
    variance = float(x.astype(float).var(0).mean())

    def unexplained(params, predict):
        return ((predict(x) - x) ** 2).mean() / variance

    return WEIGHTS | {"unexplained": unexplained}


def hides(runs: xr.Dataset) -> xr.DataArray:
    """Which seeds end with a small loss, and an error that is not below that of the mean."""
    last = runs.isel(step=-1)
    return (last.loss < SMALL_LOSS) & (last.unexplained >= 1)


def exactly_zero(runs: xr.Dataset) -> xr.DataArray:
    """Which seeds have a loss of 0 at every record."""
    return (runs.loss == 0).all("step")


def all_on_diagonal(runs: xr.Dataset) -> xr.DataArray:
    """Which seeds end with every column's largest weight on the diagonal."""
    return runs.on_diagonal.isel(step=-1) == 1


def prints_as_identity(runs: xr.Dataset) -> xr.DataArray:
    """Which seeds end with weights that differ from the identity's by less than 0.005."""
    return runs.farthest_weight.isel(step=-1) < 0.005


SUCCESS = ap.study.threshold("unexplained", below=1 - LEARNED)
SUCCESS = SUCCESS._replace(says="R² of at least 0.99 on 400 further rows")


def column_moments(task) -> tuple[float, float]:
    """Mean and variance of the distribution that the columns are drawn from."""
    if task.distribution == "uniform":
        return task.offset + task.scale / 2, task.scale**2 / 12
    return task.offset, task.scale**2


def plateaus(row: ap.study.Row) -> dict[str, float]:
    """Training losses at which a row may stay, by name.

    "mean only" is the columns' variance, the loss of a network that has learned the means. Initial
    weights of mean 0 that stay as they are add the noise of their own outputs to it: with Keras'
    weights, whose variance is 1 / columns, once more the variance. Penalties shrink the outputs.
    """
    task: Any = row.task
    mean, variance = column_moments(task)
    if isinstance(task.loss, Penalised):
        return {"shrunk outputs": task.loss.of_constant(mean, task.dim)}

    unit = 1.0
    if task.loss == "mse":
        unit = variance
    found = {"mean only": unit}
    model = ap.scalings.core(row.recipe.model)
    noise = {"keras": 1.0, "uniform": task.dim / 3}.get(model.initializer, 0.0)
    if noise * model.init_scale:
        found["noise added"] = unit * (1 + noise * model.init_scale**2)
    return found


# ---- closed forms --------------------------------------------------------------------------------


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


def training_rows(task) -> np.ndarray:
    """The training rows of a seed, in float64."""
    key = jax.random.key(0)
    (x, _), *_ = task.split(key, key)
    return np.asarray(x, float)


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


def expected(task, recipe: Any) -> Expected:
    """The plain gradient descent that the training of a recipe is in expectation.

    A model that standardises its rows sees rows in other units. If its loss is in the data's units,
    each of its gradients is multiplied by the square of that unit, as by another learning rate.
    """
    rows, unit = standardised_rows(training_rows(task), recipe.model)
    factor = unit / divisor_of(task.loss, unit)
    bias = ap.scalings.core(recipe.model).bias
    modes = ap.floors.modes(rows, task.dim, recipe.learning_rate * factor, bias)
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


def expected_share(of: Expected, task, runs: xr.Dataset, steps: Any) -> np.ndarray:
    """1 - R² that gradient descent has after so many steps in closed form, (seeds, steps)."""
    _, variance = column_moments(task)
    return of.unit * ap.floors.loss_from_starts(of.modes, starts(runs), steps) / variance


def expected_diagonal(task, rate: float, steps: Any) -> np.ndarray:
    """The mean diagonal of the weights after so many steps of gradient descent, in expectation.

    It starts from weights of mean 0 and biases of 0. The descent is that on `2 columns` rows that
    have the mean and the covariance of the columns' distribution.
    """
    mean, variance = column_moments(task)
    axes = math.sqrt(task.dim * variance) * np.eye(task.dim)
    rows = mean + np.concatenate([axes, -axes])
    zero = np.zeros((task.dim, task.dim))
    path = ap.floors.descent(rows, rows, zero, zero[0], rate, steps).weights
    return path.diagonal(axis1=1, axis2=2).mean(1)


GRID = np.geomspace(1, 1e12, 1_201)  # updates, for how many are needed


def needed(shares: np.ndarray, r_squared: float) -> float:
    """The median over seeds of the updates after which R² is first so large.

    Args:
        shares: 1 - R² of every seed after the updates in GRID, (seeds, updates).
        r_squared: what R² has to reach; a seed that does not counts as infinitely many updates.
    """
    reached = shares <= 1 - r_squared
    first = np.where(reached.any(1), GRID[reached.argmax(1)], np.inf)
    return float(ap.stats.order_quantiles(first))


def has_closed_form(row: ap.study.Row) -> bool:
    """Whether a row is plain SGD on squared errors, from weights that are not exact already."""
    model = ap.scalings.core(row.recipe.model)
    is_plain = row.recipe.optimizer == "sgd" and not isinstance(row.task.loss, Penalised)
    return is_plain and model.initializer != "identity"


def exact_row(row: ap.study.Row, runs: xr.Dataset) -> dict[str, Any]:
    """What closed forms say of one row, beside the losses measured on the training rows.

    Losses in standardised units are not compared. C's ratio is limited by float32: at an error of
    3e-10 a step of the slowest mode is too small to change a weight.
    """
    of = expected(row.task, row.recipe)
    values = of.modes.values
    end = expected_share(of, row.task, runs, [row.recipe.steps])[:, 0]
    ratios = np.full(3, np.nan)
    if row.task.loss == "mse":
        _, variance = column_moments(row.task)
        measured = runs.loss.isel(step=-1).values / variance
        ratios = ap.stats.order_quantiles(measured / end, (0.5, 0.05, 0.95))
    found = {
        "label": row.label,
        "n": runs.sizes["seed"],
        "least λ": values[values > 1e-12 * values[-1]][0],
        "largest λ": values[-1],
        "largest rate": of.largest_rate,
        "R² in expectation": 1 - float(ap.stats.order_quantiles(end)),
    }
    found |= dict(zip(("measured / expected", "5%", "95%"), ratios, strict=True))
    along = expected_share(of, row.task, runs, GRID)
    length = epoch(row.task, row.recipe.batch_size)
    for r_squared in (0.0, 0.5, LEARNED):
        found[f"epochs to R² {r_squared:g}"] = needed(along, r_squared) / length
    return found


def bottleneck_row(rows: np.ndarray, units: int) -> dict[str, Any]:
    """What the best linear autoencoder with few hidden units leaves of some rows.

    It says what an R² is worth: how many of the 84 columns a bottleneck has to pass for it.
    """
    left = ap.floors.pca_residual(rows, units)
    return {"units": units, "mean squared error": left, "R²": 1 - left / rows.var(0).mean()}


def weights_row(label: str, runs: xr.Dataset) -> dict[str, Any]:
    """Quantiles over seeds of what is measured of the weights at the end."""
    found: dict[str, Any] = {"label": label, "n": runs.sizes["seed"]}
    for name in ("diagonal", "on_diagonal", "distance_to_identity"):
        worst = np.inf if name == "distance_to_identity" else -np.inf
        last = runs[name].isel(step=-1)
        ends = ap.stats.order_quantiles(last, (0.5, 0.05, 0.95), worst=worst)
        found |= dict(zip((name, f"{name} 5%", f"{name} 95%"), ends, strict=True))
    return found


def further_tables(asked: ap.Study) -> dict[str, pd.DataFrame]:
    """What no table of the study says: the closed forms, bottlenecks, and weights at the end."""
    trained = {label: row for label, row in asked.rows.items() if label in asked.trained.by_row}
    each = {label: row for label, row in trained.items() if not is_baseline_again(asked, label)}
    exact = [row for row in each.values() if has_closed_form(row)]
    rows = training_rows(asked.rows["A"].task)
    return {
        "exact": pd.DataFrame([exact_row(row, asked.runs(row.label)) for row in exact]),
        "bottlenecks": pd.DataFrame([bottleneck_row(rows, n) for n in (0, 21, 42, 63, 83, 84)]),
        "weights": pd.DataFrame([weights_row(label, asked.runs(label)) for label in each]),
    }


def is_baseline_again(asked: ap.Study, label: str) -> bool:
    """Whether a combination of the factors is the baseline by another name."""
    row = asked.rows[label]
    is_same = row.task is asked.task and row.recipe is asked.recipe
    return is_same and label != BASELINE


# ---- what the figures draw -----------------------------------------------------------------------

EXAMPLES = ("A", "weights at 0", "B", "A, per sample, loss too")
CURVES = ("A", "rate 0.4", "B", cell(SAMPLE, SCALED_LOSS, SGD))
DRAWN_UPDATES = np.geomspace(1, 1e11, 133)  # twelve a decade
BAND = (0.05, 0.5, 0.95)  # of the seeds


def power(number: float) -> str:
    """A positive number as figures write it, with one digit, such as 3 × 10⁻⁶."""
    if math.isinf(number):
        return "infinitely many"
    digit, exponent = f"{number:.0e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digit} × 10{raised}"


def example_table(row: ap.study.Row, runs: xr.Dataset) -> pd.DataFrame:
    """One further row in the first seed's network: what goes into its columns, what comes out.

    Both are in standard deviations from the mean of the columns' distribution. The error and R²
    are those of this network on all further rows.
    """
    _, apply = ap.models.functions(row.recipe.model)
    params = ap.params(runs, seed=0, kept_step=int(runs.kept_step[-1]))
    x = np.asarray(row.task.points().x)
    y = np.asarray(apply(params, jnp.asarray(x)))
    mean, variance = column_moments(row.task)
    sd = math.sqrt(variance)
    return pd.DataFrame(
        {
            "label": row.label,
            "column": np.arange(x.shape[1]),
            "input": (x[0].astype(float) - mean) / sd,
            "output": (y[0].astype(float) - mean) / sd,
            "error": float(np.mean((y.astype(float) - x) ** 2)),
            "r_squared": 1 - float(runs.unexplained.isel(seed=0, step=-1)),
            "fingerprint": runs.fingerprint[:12],
        }
    )


def curve_table(row: ap.study.Row, runs: xr.Dataset) -> pd.DataFrame:
    """1 - R² at every record: 5, 50 and 95% of the seeds."""
    seeds = runs.unexplained.transpose("seed", "step")
    low, median, high = ap.stats.order_quantiles(seeds, BAND, axis=0)
    return pd.DataFrame(
        {
            "label": row.label,
            "updates": runs.step.values,
            "n": runs.sizes["seed"],
            "low": low,
            "median": median,
            "high": high,
            "fingerprint": runs.fingerprint[:12],
        }
    )


def closed_form_table(row: ap.study.Row, runs: xr.Dataset) -> pd.DataFrame:
    """The median over seeds of 1 - R² that gradient descent has in closed form."""
    of = expected(row.task, row.recipe)
    shares = expected_share(of, row.task, runs, DRAWN_UPDATES)
    return pd.DataFrame(
        {
            "label": row.label,
            "updates": DRAWN_UPDATES,
            "unexplained": ap.stats.order_quantiles(shares, axis=0),
            "fingerprint": runs.fingerprint[:12],
        }
    )


DRAWN_TABLES: dict[str, tuple[tuple[str, ...], Callable[..., pd.DataFrame]]] = {
    "examples": (EXAMPLES, example_table),
    "curves": (CURVES, curve_table),
    "closed_forms": (CURVES, closed_form_table),
}


def write_drawn(asked: ap.Study, summaries: Path) -> list[Path]:
    """Write what the figures draw of single trainings, of those rows that are trained."""
    paths = []
    for name, (labels, of_row) in DRAWN_TABLES.items():
        there = [label for label in labels if label in asked.trained.by_row]
        table = pd.concat([of_row(asked.rows[label], asked.runs(label)) for label in there])
        path = summaries / f"{CASE}_{name}.csv"
        table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
        paths.append(path)
    return paths


# ---- claims --------------------------------------------------------------------------------------


def longer_in_closed_form(task, recipe: Any) -> Callable[..., xr.Dataset]:
    """The effect of 200 epochs instead of 10 on A, from the baseline's initial weights."""
    epochs = (10, 200)
    steps = [epoch(task, recipe.batch_size) * number for number in epochs]

    def effect(runs: Mapping[str, xr.Dataset], **options: Any) -> xr.Dataset:
        base = runs[BASELINE]
        shares = expected_share(expected(task, recipe), task, base, steps)
        hits: dict[Hashable, xr.Dataset] = {}
        for number, share in zip(epochs, shares.T, strict=True):
            hit = ("seed", share <= 1 - LEARNED)
            hits[number] = xr.Dataset({"hit": hit}, {"seed": base.seed})
        return ap.stats.compare(hits, 200, 10, **options)

    return effect


# Row: what is said of it, beside SGD at 0.01 on raw rows
HELPS = {
    cell(SAMPLE, RAW_LOSS, SGD): "standardising each sample helps, loss in the data's units",
    cell(SAMPLE, SCALED_LOSS, SGD): "standardising each sample helps, loss in standardised units",
    cell(FEATURE, RAW_LOSS, SGD): "standardising each feature helps, loss in the data's units",
    cell(FEATURE, SCALED_LOSS, SGD): "standardising each feature helps, loss in standardised units",
    cell(RAW, RAW_LOSS, ADAM): "Adam at 0.001 helps, instead of SGD",
    cell(RAW, SCALED_LOSS, SGD): "a rate divided by the variance helps",
    "momentum 0.9": "momentum of 0.9 helps",
    "rate 0.4": "a rate of 0.4 helps, half of the largest stable one",
    "no bias": "leaving out the bias helps",
    "L1 on outputs": "an L1 penalty of 0.01 on the outputs helps",
    "L2 on outputs": "an L2 penalty of 0.01 on the outputs helps",
    "L-BFGS": "L-BFGS on 1,000 rows helps, instead of SGD",
}


def own(label: str, text: str, hit: Callable, measure: str, holds=ap.stats.USUALLY):
    """A claim about the share of a row's seeds that meet a condition of their own."""

    def share(runs: Mapping[str, xr.Dataset], **options: Any) -> xr.Dataset:
        return ap.stats.rate(hit(runs[label]), **options)

    return ap.study.own(text, share, holds, compared=label, measure=measure)


def claims(task, recipe: Any) -> list[ap.study.Claim]:
    """What the thread and common advice claim, each with its setting.

    The regions in which the effects must lie were written before anything was measured.

    Args:
        task: A.
        recipe: A's.
    """
    usually = ap.study.usually
    advice = "A (SGD 0.01): the advice solves it, each sample standardised inside the model"
    longer = "A (SGD 0.01, raw rows): more epochs help"
    in_closed_form = ap.study.own(
        f"{longer}, 200 instead of 10, in closed form",
        longer_in_closed_form(task, recipe),
        ap.stats.HELPS,
        compared="A, 200 epochs against A, 10 epochs",
        measure=SUCCESS.says,
    )
    adam = cell(RAW, RAW_LOSS, ADAM)
    lower = "A (raw rows): Adam at 0.001 ends at a lower error than SGD at 0.01"
    setting = "SGD 0.01, raw rows"
    small = f"A ({setting}): the loss reaches about 1e-6, the output looks nothing like the input"
    zero = f"A ({setting}): weights at I have a loss of exactly 0"
    diagonal = f"B ({setting}, 100 epochs): the largest weight of each column is on the diagonal"
    printed = f"C ({setting}, 100 epochs): the weights print as the identity"
    return [
        own("A", small, hides, "loss below 1e-5 and R² of at most 0 after 10 epochs"),
        own("weights at I", zero, exactly_zero, "loss 0 at every record", ap.stats.ALWAYS),
        own("B", diagonal, all_on_diagonal, "all columns at the end"),
        own("C", printed, prints_as_identity, "all weights within 0.005 at the end"),
        usually("A, per sample", f"{advice}, loss in the data's units"),
        usually("A, per sample, loss too", f"{advice}, loss in standardised units"),
        usually("B", "B (SGD 0.01, raw rows, 100 epochs): it learns the identity"),
        ap.study.helps(BASELINE, f"{longer}, 10 instead of 1", against=ONE_EPOCH),
        in_closed_form,
        ap.study.better(adam, lower, of="unexplained"),
        *(ap.study.helps(label, f"A (SGD 0.01): {text}") for label, text in HELPS.items()),
    ]


# What the thread reports: {(row, quantity, half a unit of its last digit): {epoch: value}}. Losses
# are means over an epoch's batches, as Keras prints; epoch 0 is the start.
B_LOSSES = {1: 0.2092, 2: 0.1536, 3: 0.1484, 98: 0.0055, 99: 0.0053, 100: 0.0051}
B_VALIDATION = {1: 0.1564, 2: 0.1510, 3: 0.1459, 100: 0.0051}
REPORTED = {
    ("A", "batch_loss", 5e-7): {10: 1e-6},
    ("weights at I", "loss", 0.0): {0: 0.0},
    ("B", "batch_loss", 5e-5): B_LOSSES,
    ("B", "validation_loss", 5e-5): B_VALIDATION,
    ("B", "on_diagonal", 0.0): {100: 1.0},
    ("B", "least_diagonal", 0.005): {100: 0.79},
    ("B", "greatest_diagonal", 0.005): {100: 0.86},
}


def reported(rows: Mapping[str, ap.study.Row]) -> list[ap.study.Reported]:
    """The thread's numbers, at the steps at which its epochs end."""
    found = []
    for (label, of, rounding), values in REPORTED.items():
        row = rows[label]
        length = epoch(row.task, row.recipe.batch_size)
        for number, value in values.items():
            text = f"{label}: {of.replace('_', ' ')}, epoch {number}"
            step = number * length
            found.append(ap.study.Reported(text, label, value, of, step, rounding))
    return found


# ---- the study -----------------------------------------------------------------------------------


def study(rows: int | None = None) -> ap.Study:
    """The question, with nothing trained.

    Args:
        rows: at most so many in each data set, for a quick look; None for the thread's.
    """
    task = replace(A, size=min(ROWS, rows or ROWS))
    pairs = literal(rows)
    asked: ap.Study = ap.Study(
        task,
        sgd(task, LINEAR, 8, 10, SHORT),
        success=SUCCESS,
        changes=pairs | CHANGES | {"L-BFGS": lbfgs(task.size)},
        factors=FACTORS,
        views={ONE_EPOCH: ap.study.until(BASELINE, epoch(task, 8))},
        claims=claims(*pairs["A"]),
        plateaus=lambda label: plateaus(asked.rows[label]),
        tolerance=0.05,
        judged=(),
        metrics=metrics(task),
        keep=("params",),
        title="Does a linear autoencoder learn the identity?",
        source=SOURCE,
    )
    options: dict[str, dict[str, Any]] = {}
    for label, row in asked.rows.items():
        options[label] = {"keep_at": (0, row.recipe.steps)}
    for label in pairs:
        options[label]["seeds"] = LITERAL_SEEDS / SEEDS
    for label in ("B", "C"):
        options[label]["metrics"] = metrics(asked.rows[label].task)
    options["C"]["lanes"] = 16  # its 32 seeds are two blocks, one per core
    options["weights at I"]["seeds"] = 3  # "exactly 0" is a claim of always
    return replace(asked, options=options, reported=reported(asked.rows))


def main(
    seeds: int = SEEDS,
    rows: int | None = None,
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    quick: bool = False,
) -> None:
    """Train all rows of the study, judge the thread's claims, and write and print all tables.

    What is in the folder of results already is not trained again.

    Args:
        seeds: of each change; the thread's own recipes have 32 for 88, and weights at I 264.
        rows: at most so many in each data set; the thread's numbers if left out.
        results: the folder to write to.
        summaries: the folder of the tables.
        quick: a look at few rows of the study, with few seeds and data, in results/quick.
    """
    only = None
    if quick:
        only = QUICK
        seeds, rows = min(seeds, QUICK_SEEDS), min(rows or QUICK_ROWS, QUICK_ROWS)
        results = summaries = results / "quick"
        results.mkdir(parents=True, exist_ok=True)
        print(f"Quick look: {seeds} seeds, at most {rows:,} rows of data; not the experiment.")

    asked = study(rows)
    asked.run(seeds, out=results / CASE, only=only)
    answer = asked.answer()
    answer.write(summaries, CASE)
    for name, table in further_tables(asked).items():
        path = summaries / f"{CASE}_{name}.csv"
        table.to_csv(path, index=False, float_format="%.5g", lineterminator="\n")
    write_drawn(asked, summaries)
    print(answer.report())


if __name__ == "__main__":
    tyro.cli(main)
