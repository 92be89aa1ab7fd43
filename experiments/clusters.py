"""Two wrong derivatives, or nothing wrong at all: why a numpy network stays at an accuracy of 0.6.

Source: "Numpy NN yields odd results on a synthetic data set", Stack Overflow (the title as a mirror
translates it). A network written by hand, 5-10-4 on scikit-learn's make_classification: relu, no
biases, weights from U(-0.1, 0.1), half the sum of squared errors, SGD at 0.002 on one row after the
other in fixed order, 300 passes, dropout by a mask of 0 and 1 times 2. It prints a test accuracy of
0.77 to 0.81 and a training accuracy of 0.6. Its derivative of relu is `output >= 0` of what is
never negative, so always 1; that of the mask lacks the factor 2.
Claims: the network is stuck at 0.6, and longer training makes it worse. An answer advises biases,
cross-entropy and normalised inputs, unverified.
Rows: the program as it stands, and with either or both derivatives corrected, over 300 passes; the
advice and no dropout, one by one, with the right derivatives, and together, over 100 passes; all 16
combinations of biases, cross-entropy, normalised inputs and no dropout, and batches of 32, Adam and
40 units, over 30 passes. Rows of different length are compared after equally many passes. A network
works if it is right for as many test rows as a linear softmax, 0.882. Thresholds and claims were
fixed before any run, but for biases and cross-entropy with corrected derivatives, which were added
to see why they fail without.
Expected finding: the training accuracy is low because it is counted with dropout on; the wrong
derivatives cost little.
Cost: a quarter of an hour on two shared cores for 128 seeds. Writes results/clusters, a folder of
trainings that the same call goes on with, and in experiments/summaries clusters_{rows,endings,
effects,claims,reported}.csv, clusters_study.json and clusters_report.md, and what no table of a
study says: clusters_{references,factorial,confusion}.csv, and what the figures draw of single
trainings, clusters_{curves,networks}.csv.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import tyro
import xarray as xr
from scipy import optimize, special

import approx as ap

CASE = "clusters"
SOURCE = '"Numpy NN yields odd results on a synthetic data set", Stack Overflow'
RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
ROWS = 8_000  # updates in a pass, one for each training row
WHOLE, COMPARED, SHORT = 300, 100, 30  # passes: the program's, the remedies', the factorial's
# Passes after which there is a record. A mean over batches is one since the record before, so that
# the pass before each that is read has one too
RECORDED = (0, 1, 2, 3, 5, 6, 9, 10, 19, 20, 29, 30, 49, 50, 99, 100, 199, 200, 297, 298, 299, 300)
# Test accuracies of linear classifiers, as `references` computes them: what counts as a success,
# and as half of one
SOFTMAX, LEAST_SQUARES = 0.882, 0.8065
MISLABELLED = 0.01  # of the rows, by make_classification (flip_y), with a label drawn at random
GIVEN_UP = 0.1  # a class is given up whose recall is below
DIRECTION = "Bayes' rule of the direction of x, all that is known without biases"
BASELINE = ap.study.BASELINE
Changes = dict[str, dict[str, Any]]  # by the labels of their rows

# ---- the program and what is changed in it -------------------------------------------------------


@dataclass(frozen=True)
class Relu:
    """Relu with a backward pass of its own.

    Attributes:
        above: what the backward pass takes for the derivative where the input is above 0.
        below: what it takes elsewhere.
    """

    above: float
    below: float

    def __call__(self, z: jax.Array) -> jax.Array:
        """Relu of z."""

        @jax.custom_jvp
        def relu(z):
            return jax.nn.relu(z)

        relu.defjvps(lambda tangent, _, z: tangent * jnp.where(z > 0, self.above, self.below))
        return relu(z)


def relu(above: float, below: float) -> dict[str, Any]:
    """The change to a network whose backward pass takes these derivatives of relu."""
    return {"model.activation": ap.models.Elementwise(Relu(above, below))}


TASK = ap.tasks.clusters()
# The same rows, with labels in place of vectors
LABELS: Any = ap.tasks.clusters(loss="cross_entropy")
# A hidden unit's sum passes through relu and then through the mask times 2. `MLP` has the right
# derivative of the mask, 2. The thread's backward pass leaves the 2 out, which is half of that.
# Here the half stands in the derivative of relu
NETWORK = ap.MLP(
    (10,),
    ap.models.Elementwise(Relu(0.5, 0.5)),
    outputs=4,
    bias=False,
    initializer="uniform",
    init_scale=0.1,
    dropout=0.5,
)
# All inputs go through a scaling, so that raw and normalised ones are one compiled program
RAW = ap.scalings.PerFeature(NETWORK, center=(0.0,) * 5, scale=(1.0,) * 5)
SCALED = ap.scalings.features(NETWORK, np.asarray(TASK.x))

RELU_CORRECTED, MASK_CORRECTED = relu(0.5, 0), relu(1, 1)
BOTH_CORRECTED = {"model.activation": "relu"}
BIASES = {"model.bias": True}  # they start as the weights do
CROSS_ENTROPY = {"loss": "cross_entropy", "y": LABELS.y, "y_test": LABELS.y_test, "classes": 4}
NORMALISED = {"model.center": SCALED.center, "model.scale": SCALED.scale}
# Without the mask its 2 is left out too, so that relu's wrong derivative is 1
NO_DROPOUT = {"model.dropout": None} | MASK_CORRECTED
ADVICE = BIASES | CROSS_ENTROPY | NORMALISED

DERIVATIVES: Changes = {
    "relu corrected": RELU_CORRECTED,
    "mask corrected": MASK_CORRECTED,
    "both corrected": BOTH_CORRECTED,
}
REMEDIES: Changes = {
    "biases": BIASES,
    "cross-entropy": CROSS_ENTROPY,
    "normalised": NORMALISED,
    "no dropout": NO_DROPOUT,
    "all advice": ADVICE,
    "everything": ADVICE | NO_DROPOUT | BOTH_CORRECTED,
    "biases, relu corrected": BIASES | RELU_CORRECTED,
    "biases, right derivatives": BIASES | BOTH_CORRECTED,
    "cross-entropy, relu corrected": CROSS_ENTROPY | RELU_CORRECTED,
    "cross-entropy, right derivatives": CROSS_ENTROPY | BOTH_CORRECTED,
}
# The step of a batch is 32 times that of a row, as for a sum of gradients, or 0.002 times their
# mean
BATCHES: Changes = {
    "batch 32": {"batch_size": 32, "learning_rate": 0.064},
    "batch 32, mean": {"batch_size": 32},
}
OTHERS: Changes = {
    "Adam": {"optimizer": "adam", "learning_rate": 1e-3},
    "width 40": {"model.widths": (40,)},
}
FACTORS: dict[str, Changes] = {
    "biases": {"no biases": {}, "biases": BIASES},
    "loss": {"squares": {}, "cross-entropy": CROSS_ENTROPY},
    "inputs": {"raw": {}, "normalised": NORMALISED},
    "dropout": {"dropout": {}, "no dropout": NO_DROPOUT},
}

# ---- exact references, by NumPy and SciPy alone --------------------------------------------------


def with_ones(x: np.ndarray) -> np.ndarray:
    """Rows with a 1 appended, for an intercept."""
    return np.column_stack([x, np.ones(len(x))])


def by_squares(outputs: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Accuracy, and half the mean sum of squared errors, of outputs."""
    accuracy = (outputs.argmax(1) == y.argmax(1)).mean()
    loss = ((outputs - y) ** 2).sum(1).mean() / 2
    return float(accuracy), float(loss)


def by_entropy(logits: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Accuracy, and mean cross-entropy, of logits."""
    right = y.argmax(1)
    chosen = logits[np.arange(len(right)), right]
    accuracy = (logits.argmax(1) == right).mean()
    loss = (special.logsumexp(logits, 1) - chosen).mean()
    return float(accuracy), float(loss)


def references(task: Any) -> dict[str, tuple[float, float]]:
    """Test accuracy and test loss of simple classifiers, from NumPy and SciPy alone.

    The loss is half the sum of squares of the first three, and the cross-entropy of the others.
    """
    x, y = np.asarray(task.x, float), np.asarray(task.y, float)
    x_test, y_test = np.asarray(task.x_test, float), np.asarray(task.y_test, float)
    constant = np.broadcast_to(y.mean(0), y_test.shape)
    linear = x_test @ np.linalg.lstsq(x, y)[0]
    affine = with_ones(x_test) @ np.linalg.lstsq(with_ones(x), y)[0]
    basis = basis_of(x)
    classes, z = moments(x @ basis, y), x_test @ basis
    by_direction = mislabelled(log_densities(classes, z, directions=True))
    by_bayes = mislabelled(log_densities(classes, z))
    return {
        "constant": by_squares(constant, y_test),
        "least squares without intercept": by_squares(linear, y_test),
        "least squares": by_squares(affine, y_test),
        "softmax without intercept": by_entropy(x_test @ softmax(x, y), y_test),
        "softmax": by_entropy(with_ones(x_test) @ softmax(with_ones(x), y), y_test),
        DIRECTION: by_entropy(by_direction, y_test),
        "Bayes' rule": by_entropy(by_bayes, y_test),
    }


def softmax(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weights (inputs, 4) of the least cross-entropy on some rows."""

    def objective(w):
        logits = x @ w.reshape(-1, 4)
        total = special.logsumexp(logits, 1, keepdims=True)
        loss = (total[:, 0] - (logits * y).sum(1)).mean()
        gradient = x.T @ (np.exp(logits - total) - y) / len(x)
        return loss, gradient.ravel()

    start = np.zeros(x.shape[1] * 4)
    found = optimize.minimize(objective, start, jac=True, method="L-BFGS-B")
    return found.x.reshape(-1, 4)


def mislabelled(logs: np.ndarray) -> np.ndarray:
    """Logarithms of the probabilities of the labels, from the classes' log densities.

    The classes are equally frequent, and a share `MISLABELLED` of the labels is random.
    """
    return np.log((1 - MISLABELLED) * special.softmax(logs, 1) + MISLABELLED / 4)


def basis_of(x: np.ndarray) -> np.ndarray:
    """Orthonormal columns of the space that the rows span: three dimensions of five."""
    _, spread, axes = np.linalg.svd(x, full_matrices=False)
    return axes[spread > 1e-6 * spread[0]].T


def moments(z: np.ndarray, y: np.ndarray, rounds: int = 10) -> list[tuple[np.ndarray, np.ndarray]]:
    """Mean and covariance of each class: Gaussians, but for a share `MISLABELLED` of random labels.

    A row counts for its class by the probability that its label is right, given the moments of the
    round before.
    """
    weights = y
    for _ in range(rounds):
        found = [(np.average(z, 0, w), np.cov(z.T, aweights=w)) for w in weights.T]
        densities = np.exp(log_densities(found, z))
        right, wrong = (1 - MISLABELLED) * densities, MISLABELLED * densities.mean(1, keepdims=True)
        weights = y * right / (right + wrong)
    return found


def of_directions(m: np.ndarray, s: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Logarithms of a Gaussian's density of directions at u (n, 3), |u| = 1, but for a constant.

    With a = u'S⁻¹u and t = u'S⁻¹m / √a, the integral ∫ r² N(r u; m, S) dr is, but for a constant,
    |S|^(-1/2) a^(-3/2) exp((t² - m'S⁻¹m) / 2) ((1 + t²) √(2π) Φ(t) + t exp(-t²/2)).
    """
    inverse = np.linalg.inv(s)
    a = ((u @ inverse) * u).sum(1)
    t = u @ inverse @ m / np.sqrt(a)

    # The factors of the integral, in the order above
    log_determinant = np.linalg.slogdet(inverse)[1] / 2
    log_power = 1.5 * np.log(a)
    exponent = (t**2 - m @ inverse @ m) / 2
    density = t * np.exp(-(t**2) / 2)
    distribution = (1 + t**2) * np.sqrt(2 * np.pi) * special.ndtr(t)
    return log_determinant - log_power + exponent + np.log(distribution + density)


def of_points(m: np.ndarray, s: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Logarithms of a Gaussian's density at u (n, 3), but for a constant."""
    inverse = np.linalg.inv(s)
    away = u - m
    return np.linalg.slogdet(inverse)[1] / 2 - ((away @ inverse) * away).sum(1) / 2


def log_densities(
    found: list[tuple[np.ndarray, np.ndarray]], u: np.ndarray, directions: bool = False
) -> np.ndarray:
    """Logarithms of the classes' densities at some points, up to a constant: (points, classes).

    Args:
        found: mean and covariance of each class.
        u: the points, (points, 3).
        directions: take the densities of the direction u / |u| instead of those of u. Which output
            of a network without biases is the largest depends on the direction of x alone, because
            relu is homogeneous.
    """
    if not directions:
        return np.stack([of_points(m, s, u) for m, s in found], 1)
    unit = u / np.linalg.norm(u, axis=1, keepdims=True)
    return np.stack([of_directions(m, s, unit) for m, s in found], 1)


# ---- what is measured ----------------------------------------------------------------------------


def confusion(_, predict: Callable) -> jax.Array:
    """Which class the network gives to the test rows of each class: shares (right, given).

    Outputs that are not finite give a row to no class.
    """
    outputs = predict(jnp.asarray(LABELS.x_test))
    finite = jnp.isfinite(outputs).all(1, keepdims=True)
    given = jax.nn.one_hot(outputs.argmax(1), 4) * finite
    right = jax.nn.one_hot(jnp.asarray(LABELS.y_test), 4)
    return right.T @ given / right.sum(0)[:, None]


def recalls(runs: xr.Dataset) -> xr.DataArray:
    """The share of the test rows of each class that are found: (seed, step, class)."""
    found = runs.confusion.rename(confusion_0="class", confusion_1="given")
    return xr.concat([found.isel({"class": c, "given": c}) for c in range(4)], "class")


def finds_every_class(runs: xr.Dataset) -> xr.DataArray:
    """Which records have a recall of at least `GIVEN_UP` of every class."""
    return (recalls(runs) >= GIVEN_UP).all("class")


WORKS = ap.study.threshold("test_accuracy", above=SOFTMAX)
MEASURES = {
    "works": WORKS._replace(says=f"{WORKS.says}, a linear softmax's"),
    "as least squares": ap.study.threshold("test_accuracy", above=LEAST_SQUARES),
    "finds every class": ap.study.Measure(f"recall ≥ {GIVEN_UP} of all classes", finds_every_class),
}


def stuck(runs: xr.Dataset) -> xr.DataArray:
    """Which seeds end with a training accuracy, without dropout, that prints as 0.61 or less."""
    return runs.accuracy.isel(step=-1) <= 0.615


def worse(runs: xr.Dataset) -> xr.DataArray:
    """Which seeds end with a lower test accuracy than they have after the first pass."""
    return runs.test_accuracy.isel(step=-1) < runs.test_accuracy.isel(step=1)


def counted_lower(runs: xr.Dataset) -> xr.DataArray:
    """Which seeds' accuracy in the last pass is 0.1 lower with dropout than without, or more."""
    end = runs.isel(step=-1)
    return end.accuracy - end.batch_accuracy >= 0.1


def rate_of(hits: Callable, runs: Mapping[str, xr.Dataset], **options) -> xr.Dataset:
    """The share of the program's seeds of which a statement is true."""
    return ap.stats.rate(hits(runs[BASELINE]), **options)


# ---- what is claimed and printed -----------------------------------------------------------------


def cut(label: str, passes: int) -> str:
    """The label of a row as it was after so many passes."""
    return f"{label}, {passes} passes"


def claims(whole: int, compared: int) -> list[ap.study.Claim]:
    """What the thread says and what we say, with the setting that it is said of."""
    found = []
    # What is said of the program, when it is true of a seed, for how many, and that in words
    for text, hits, holds, measure in (
        (
            "the network is stuck at 0.6, its accuracy on the training rows",
            stuck,
            ap.stats.USUALLY,
            "training rows, no dropout, at most 0.61",
        ),
        (
            "training longer makes it worse",
            worse,
            ap.stats.USUALLY,
            "test accuracy lower after the last pass than after the first",
        ),
        (
            "(ours) 0.6 is the dropout of the count, 0.1 or more",
            counted_lower,
            ap.stats.ALWAYS,
            "counted in the last pass at least 0.1 below the same rows without dropout",
        ),
    ):
        said = f"{text} (the program as it stands, {whole} passes)"
        effect = partial(rate_of, hits)
        found.append(ap.study.own(said, effect, holds, compared=BASELINE, measure=measure))

    wrong, right = f"derivatives wrong, {compared} passes", f"derivatives right, {compared} passes"
    base, corrected = cut(BASELINE, compared), cut("both corrected", compared)
    # What is said of a row, the row, and the one that it is compared with
    for text, row, against in (
        (f"biases are missing ({wrong})", "biases", base),
        (f"use cross-entropy, not squared error ({wrong})", "cross-entropy", base),
        (f"normalise the inputs ({wrong})", "normalised", base),
        (f"all three pieces of advice together help ({wrong})", "all advice", base),
        (f"(ours) dropout hurts a network of ten units ({wrong})", "no dropout", base),
        (f"relu's wrong derivative costs ({whole} passes)", "relu corrected", BASELINE),
        (f"the mask's missing factor costs ({whole} passes)", "mask corrected", BASELINE),
        (f"both wrong derivatives together cost ({whole} passes)", "both corrected", BASELINE),
        (f"(ours) biases help ({right})", "biases, right derivatives", corrected),
        (f"(ours) cross-entropy helps ({right})", "cross-entropy, right derivatives", corrected),
        (f"(ours) all advice and no dropout help ({right})", "everything", base),
    ):
        higher, works = f"{text}: higher test accuracy", f"{text}: works"
        found.append(ap.study.better(row, higher, against=against, of="test_accuracy"))
        found.append(ap.helps(row, works, against=against))
    return found


def test_error(runs: xr.Dataset) -> xr.DataArray:
    """The thread's error at the end: the sum of squares over the outputs, twice the loss."""
    return 2 * runs.test_loss.isel(step=-1)


def printed(text: str, after: int, value: float, of: Any, rounding: float) -> ap.study.Reported:
    """A number that the thread prints: of what, after how many passes, half of its last digit."""
    return ap.study.Reported(text, BASELINE, value, of, ROWS * after, rounding)


# The thread counts passes from 0. Its accuracy in training of "about 0.61" is held against the last
PRINTED = (
    printed("test accuracy, pass 0", 1, 0.812, "test_accuracy", 5e-4),
    printed("test accuracy, pass 2", 3, 0.814, "test_accuracy", 5e-4),
    printed("test accuracy, pass 297", 298, 0.7685, "test_accuracy", 5e-5),
    printed("test accuracy, pass 299", 300, 0.778, "test_accuracy", 5e-4),
    printed("accuracy in training, pass 0", 1, 0.572, "batch_accuracy", 5e-4),
    printed("accuracy in training, pass 299", 300, 0.61, "batch_accuracy", 5e-3),
    printed("test error, pass 299", 300, 0.47, test_error, 5e-3),
)

# ---- the study -----------------------------------------------------------------------------------


def during(passes: int, changes: Changes) -> Changes:
    """Changes by name, each with so many passes over the training rows."""
    return {name: change | {"epochs": passes} for name, change in changes.items()}


def study(
    whole: int = WHOLE,
    compared: int = COMPARED,
    short: int = SHORT,
    factors: Sequence[str] = tuple(FACTORS),
) -> ap.Study:
    """The question, with other numbers of passes for a quick look.

    Args:
        whole: passes of the program, and of its corrections.
        compared: passes of the remedies; those of the program are compared after as many.
        short: passes of the factorial, and of batches, Adam and 40 units.
        factors: of the factorial.
    """
    literal = ap.Recipe(
        model=RAW,
        optimizer="sgd",
        learning_rate=0.002,
        batch_size=1,
        batches="order",
        steps=ROWS * whole,
        records=[ROWS * passes for passes in RECORDED if passes <= whole],
    )
    changes = DERIVATIVES | during(compared, REMEDIES) | during(short, OTHERS)
    updates = ROWS // 32  # in a pass of batches
    for label, change in during(short, BATCHES).items():
        changes[label] = change | {"records": range(0, updates * short + 1, updates)}

    levels = {factor: during(short, FACTORS[factor]) for factor in factors}
    cells = [", ".join(names) for names in product(*levels.values())]
    programs = {cut(label, compared): label for label in (BASELINE, *DERIVATIVES)}
    views = {name: ap.study.until(label, ROWS * compared) for name, label in programs.items()}
    views[cut(BASELINE, short)] = ap.study.until(BASELINE, ROWS * short)
    views["best of 5"] = ap.study.best_of(BASELINE, 5, by="accuracy")
    long = [*REMEDIES, *(cut(label, compared) for label in DERIVATIVES)]
    against = dict.fromkeys(long, cut(BASELINE, compared))
    against |= dict.fromkeys([*BATCHES, *OTHERS, *cells], cut(BASELINE, short))

    title = "Why a numpy network stays at an accuracy of 0.6"
    if (whole, compared, short) != (WHOLE, COMPARED, SHORT):
        title += f" (a quick look, not the experiment: {whole}, {compared} and {short} passes)"
    return ap.Study(
        TASK,
        literal,
        success=MEASURES,
        changes=changes,
        factors=levels,
        views=views,
        against=against,
        claims=claims(whole, compared),
        reported=[number for number in PRINTED if (number.step or 0) <= ROWS * whole],
        judged=(),  # all verdicts are about claims
        keep=("params",),
        metrics={"confusion": confusion},
        title=title,
        source=SOURCE,
    )


def quick_study() -> ap.Study:
    """The question with two passes and two factors, by programs compiled without optimisation."""
    question = study(2, 2, 2, ("biases", "loss"))
    fast = {"lanes": 8, "compiler_options": {"xla_backend_optimization_level": 0}}
    return replace(question, options=dict.fromkeys(question.rows, fast))


# ---- tables that no study has --------------------------------------------------------------------


def effects_on_accuracy(question: ap.Study) -> pd.DataFrame:
    """What each factor changes of the test accuracy; a training that diverged has 0."""
    cells: dict[tuple[Hashable, ...], xr.DataArray] = {}
    for label, row in question.rows.items():
        if row.levels:
            cells[row.levels] = question.runs(label).test_accuracy.isel(step=-1).fillna(0)
    values = ap.stats.crossed(cells, question.factors)
    found = ap.stats.effects(values, interactions=True)
    return found.to_dataframe().reset_index()


def confusions(question: ap.Study) -> pd.DataFrame:
    """Which classes the rows of each class are given to at the end: mean shares over the seeds."""
    labels = (BASELINE, *DERIVATIVES, *REMEDIES)
    ends = [question.runs(label).confusion.isel(step=-1, drop=True) for label in labels]
    shares = xr.concat([end.mean("seed") for end in ends], pd.Index(labels, name="label"))
    named = shares.rename(confusion_0="class", confusion_1="given").rename("share")
    return named.to_dataframe().reset_index()


# ---- what the figures draw -----------------------------------------------------------------------

DRAWN = (BASELINE, "everything")  # the rows of which single trainings are drawn
ACCURACIES = ("accuracy", "test_accuracy", "batch_accuracy")
BAND = (0.05, 0.25, 0.5, 0.75, 0.95)  # of the seeds


def curve_table(label: str, runs: xr.Dataset) -> pd.DataFrame:
    """Quantiles of the accuracies over the seeds, at every record."""
    parts = []
    for of in ACCURACIES:
        found = ap.stats.quantiles(runs, of, BAND)[of].transpose("step", "quantile")
        columns = [f"q{round(100 * share):02d}" for share in BAND]
        table = pd.DataFrame(found.values, columns=columns)
        table.insert(0, "label", label)
        table.insert(1, "of", of)
        table.insert(2, "passes", runs.step.values / ROWS)
        table.insert(3, "n", runs.sizes["seed"])
        parts.append(table)
    return pd.concat(parts).assign(fingerprint=runs.fingerprint[:12])


def network_table(label: str, runs: xr.Dataset) -> pd.DataFrame:
    """The weights of the network whose test accuracy at the end is the median of all seeds.

    `parameter` is the weight's place in the network, as JAX names it, and `number` counts the
    entries of that parameter row by row.
    """
    accuracy = runs.test_accuracy.isel(step=-1).fillna(-np.inf)
    order = np.argsort(accuracy.values, kind="stable")
    place = order[runs.sizes["seed"] // 2]
    seed = int(runs.seed[place])
    parts = []
    for path, values in jax.tree_util.tree_leaves_with_path(ap.params(runs, seed=seed)):
        flat = np.asarray(values, float).ravel()
        entries = {"parameter": jax.tree_util.keystr(path), "number": range(flat.size)}
        parts.append(pd.DataFrame(entries | {"weight": flat}))
    table = pd.concat(parts)
    table.insert(0, "label", label)
    table.insert(1, "seed", seed)
    return table.assign(fingerprint=runs.fingerprint[:12])


def network_of(table: pd.DataFrame, label: str) -> Callable[[np.ndarray], Any]:
    """The network of a row that `network_table` wrote, as a function of inputs (rows, 5)."""
    model = study().rows[label].recipe.model
    x = jnp.zeros((1, LABELS.x.shape[1]))
    template = model.init(jax.random.key(0), x)
    here = table[table.label == label]

    def filled(path: Any, values: jax.Array) -> jax.Array:
        weights = here.weight[here.parameter == jax.tree_util.keystr(path)]
        return jnp.asarray(weights, "float32").reshape(values.shape)

    params = jax.tree_util.tree_map_with_path(filled, template)
    return lambda rows: model.apply(params, jnp.asarray(rows, "float32"))


def write_drawn(question: ap.Study, summaries: Path) -> list[Path]:
    """Write what the figures draw of single trainings: accuracies over passes, and two networks."""
    networks = [network_table(label, question.runs(label)) for label in DRAWN]
    tables = {
        "curves": curve_table(BASELINE, question.runs(BASELINE)),
        "networks": pd.concat(networks),
    }
    paths = []
    for name, table in tables.items():
        path = summaries / f"{CASE}_{name}.csv"
        table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
        paths.append(path)
    return paths


def main(
    seeds: int = 128, results: Path = RESULTS, summaries: Path = SUMMARIES, quick: bool = False
) -> None:
    """Train the program, its corrections and the remedies, and judge the thread's claims.

    Args:
        seeds: of each row.
        results: the folder to write to. What it has already is not trained again.
        summaries: the folder of the tables.
        quick: a look with two factors, few seeds and two passes, in the folder quick of `results`.
    """
    question = study()
    only: list[str] | None = None
    if quick:
        question, seeds = quick_study(), min(seeds, 16)
        only = [label for label in question.rows if label not in BATCHES | OTHERS]
        results = summaries = results / "quick"
    results.mkdir(parents=True, exist_ok=True)
    question.run(seeds, only=only, out=results / CASE)
    question.answer().write(summaries, CASE)
    simple = pd.DataFrame(references(TASK), index=["test_accuracy", "test_loss"])
    tables = {
        "references": simple.T.rename_axis("classifier").reset_index(),
        "factorial": effects_on_accuracy(question),
        "confusion": confusions(question),
    }
    for name, table in tables.items():
        path = summaries / f"{CASE}_{name}.csv"
        table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
    write_drawn(question, summaries)
    print(question.report())


if __name__ == "__main__":
    tyro.cli(main)
