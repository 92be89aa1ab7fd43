"""How often small sigmoid networks find one interval, and which advice really changes that.

Source: the question-and-answer thread on a bump: 300 points, 1 on the middle hundred; 1-2-1
sigmoids in Keras, binary cross-entropy, SGD at 0.01, batches of 32, 200 and 1,000 epochs, raw x:
accuracy 0.6667, the share of the majority. Its answer standardises x and takes Adam at 0.1 for 20
epochs: accuracy 1.0 from epoch 13 on. R's nnet is said to find it for some seeds; several
initialisations, as k-means has them, are advised.
Remedies: every combination of inputs (raw, z-scored), optimiser (SGD 0.01, SGD 0.1, Adam 0.1, BFGS,
LM), initialiser (Keras', PyTorch's, nnet's), width (1, 2, 3, 4, 8) and loss (cross-entropy,
squares; an entropy is no sum of squares, so LM has squares only): 270 recipes on the same seeds.
Budgets: 1,000 epochs of SGD and of Adam (the latter judged after 20, as the answer has it, and
after 1,000), 200 evaluations of BFGS (by nnet's rules of stopping) and of LM, which start from the
weights that SGD starts from, in float64.
Expected finding: the literal recipe never succeeds; the answer's does for some seeds and not for
others.
Found: the thread's five numbers are ordinary seeds' (quantiles 0.18 to 0.70 of 2,048). No seed of
the literal recipe succeeds, and neither 5 times the epochs, z-scores alone, 8 units nor ten
restarts change that; Adam alone gives 1.4% [0.7, 2.8] of 512 in 1,000 epochs. The answer's recipe
succeeds for 85.1% [83.5, 86.6] of 2,048, by epoch 13 for 67%: "more often than not" holds,
"whatever the seed" does not; after 1,000 epochs it is 97.7%. SGD at 0.1 on z-scores is slower, as
was said, by a factor of 30 in passes, and gets to 93%. nnet's recipe on raw x works for 7.0% [5.1,
9.6], z-scored for 87%: whether BFGS helps raw x by a tenth is undecided. One unit: no success in
any of 54 cells; two can. On raw x failures are one edge and 1/2 behind it (loss 2/3 log 2; 91% of
Adam's seeds, 83% of nnet's), a plateau that is reached, not a training cut short; SGD at 0.01 is
still near the constant 1/3 or on its way to the edge. Where Adam ends at the constant, both hidden
sigmoids are saturated. Squares have a plateau of their own, the output that is 0 throughout (10% of
nnet's seeds), for which BFGS on z-scores gets no better with more units; cross-entropy has none.
Cost: twenty minutes on two cores, half of it compilation; --quick, the recipes that claims speak
of, takes one. Writes results/interval_{label}.nc, results/interval_kinds.csv, and in
experiments/summaries interval_claims.md and
interval_{claims,reported,failures,restarts,factorial,effects}.csv.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
import tyro
import xarray as xr

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
EPOCH = 10  # updates: 300 rows in batches of 32, the last of them on 12 rows
NETWORK = ap.MLP((2,), "sigmoid", initializer="keras")  # the output's sigmoid belongs to the loss

# The factors of the factorial, the literal level first.
INPUTS = {"raw": False, "z": True}
OPTIMIZERS = {
    "sgd0.01": "sgd",
    "sgd0.1": "sgd",
    "adam0.1": "adam_keras",
    "bfgs": "bfgs",
    "lm": "lm",
}
INITS = ("keras", "pytorch", "nnet")
WIDTHS = (2, 1, 3, 4, 8)
LOSSES = {"entropy": "binary_cross_entropy", "squares": "brier"}
FACTORS: dict[str, Iterable[str]] = {
    "inputs": INPUTS,
    "optimizer": OPTIMIZERS,
    "init": INITS,
    "width": [str(width) for width in WIDTHS],
    "loss": LOSSES,
}
EPOCHS = (
    *range(21),
    25,
    30,
    40,
    50,
    70,
    100,
    150,
    199,
    200,
    300,
    400,
    500,
    600,
    700,
    800,
    900,
    999,
    1_000,
)
EVALUATIONS = (*range(20), *range(20, 100, 5), *range(100, 201, 10))
SHORT = 20  # epochs, the answer's


def cell(optimizer: str, init: str, width: int) -> ap.Recipe:
    """The recipe of one cell of the factorial; inputs and loss are the task's."""
    model = ap.MLP((width,), "sigmoid", initializer=init)
    method = OPTIMIZERS[optimizer]
    if method in ("bfgs", "lm"):
        return ap.Recipe(
            model=model,
            optimizer=method,
            steps=EVALUATIONS[-1],
            records=EVALUATIONS,
            dtype="float64",
        )

    records = tuple(EPOCH * epoch for epoch in EPOCHS)
    return ap.Recipe(
        model=model,
        optimizer=method,
        learning_rate=float(optimizer.lstrip("sgdam")),
        batch_size=32,
        steps=records[-1],
        records=records,
    )


def factorial() -> dict[str, tuple[Any, ap.Recipe]]:
    """Task and recipe of every cell, by {inputs}_{optimizer}_{init}_{width}_{loss}.

    Cells that share a compiled program stand together.
    """
    cells = {}
    for loss, init, width, optimizer, inputs in product(LOSSES, INITS, WIDTHS, OPTIMIZERS, INPUTS):
        if optimizer == "lm" and loss == "entropy":  # an entropy is no sum of squares
            continue
        task = ap.tasks.interval(loss=LOSSES[loss], standardise=INPUTS[inputs])
        label = f"{inputs}_{optimizer}_{init}_{width}_{loss}"
        cells[label] = task, cell(optimizer, init, width)
    return cells


LITERAL_EPOCHS = (0, 1, 2, 5, 10, 20, 50, 100, 199, 200, 400, 600, 800, 999, 1_000)


RECIPES = {
    "literal": (
        ap.tasks.interval(),
        ap.Recipe(
            model=NETWORK,
            optimizer="sgd",
            learning_rate=0.01,
            batch_size=32,
            steps=1_000 * EPOCH,
            records=tuple(EPOCH * epoch for epoch in LITERAL_EPOCHS),
        ),
    ),
    "answer": (
        ap.tasks.interval(standardise=True),
        ap.Recipe(
            model=NETWORK,
            optimizer="adam_keras",
            learning_rate=0.1,
            batch_size=32,
            steps=20 * EPOCH,
            records=range(0, 20 * EPOCH + 1, EPOCH),
        ),
    ),
} | factorial()
# Names of the cells that are spoken of.
LITERAL, PLAIN = "raw_sgd0.01_keras_2_entropy", "z_sgd0.01_keras_2_entropy"
ADAM, ANSWER = "raw_adam0.1_keras_2_entropy", "z_adam0.1_keras_2_entropy"
FASTER = "z_sgd0.1_keras_2_entropy"
NNET, NNET_Z, NNET_LM = "raw_bfgs_nnet_2_squares", "z_bfgs_nnet_2_squares", "z_lm_nnet_2_squares"
NNET_GD, NNET_Z_GD = "raw_sgd0.01_nnet_2_squares", "z_sgd0.01_nnet_2_squares"
KERAS_BFGS = "raw_bfgs_keras_2_entropy"
ONE, EIGHT = "z_adam0.1_keras_1_entropy", "z_adam0.1_keras_8_entropy"
LITERAL_EIGHT = "raw_sgd0.01_keras_8_entropy"
# The states after the first epochs, as `states` has them: {label}@{epochs}
ANSWER_SHORT, ADAM_SHORT, PLAIN_SHORT = f"{ANSWER}@{SHORT}", f"{ADAM}@{SHORT}", f"{PLAIN}@{SHORT}"
LITERAL_SHORT = f"{LITERAL}@200"
NAMED = {
    "literal: raw, SGD 0.01": LITERAL,
    "raw, Adam 0.1": ADAM,
    "z, SGD 0.01": PLAIN,
    "z, SGD 0.1": FASTER,
    "answer: z, Adam 0.1, 20 epochs": ANSWER_SHORT,
    "z, Adam 0.1, 1,000 epochs": ANSWER,
    "nnet: raw, BFGS": NNET,
    "nnet: z, BFGS": NNET_Z,
    "nnet's weights: z, LM": NNET_LM,
}
# A quick look has the cells that the claims and NAMED speak of, in the order of RECIPES.
QUICK: tuple[str, ...] = (
    "literal",
    "answer",
    LITERAL,
    ADAM,
    PLAIN,
    FASTER,
    ANSWER,
    ONE,
    EIGHT,
    LITERAL_EIGHT,
    KERAS_BFGS,
    NNET_GD,
    NNET_Z_GD,
    NNET,
    NNET_Z,
    NNET_LM,
)
QUICK_SEEDS, QUICK_EPOCHS = 48, 60
UNOPTIMISED = {"xla_backend_optimization_level": 0}  # compiles soon, and trains more slowly
# Times the seeds for the thread's two recipes: if none of 2,048 seeds succeeds, it can be ruled out
# that the best of ten does
MORE = 4

# ---- training ------------------------------------------------------------------------------------


def shortened(recipe: ap.Recipe, steps: int | None) -> ap.Recipe:
    """The recipe with at most so many steps, and its records up to there."""
    if steps is None or steps >= recipe.steps:
        return recipe
    records = tuple(n for n in sorted({*recipe.records, steps}) if n <= steps)
    return replace(recipe, steps=steps, records=records)


def path_of(results: Path, label: str) -> Path:
    """The file of one recipe's results."""
    return results / f"interval_{label}.nc"


# What a cell's results leave out: it is never read, and there are 268 of them
UNREAD = ("test_loss", "outside_loss", "test_accuracy", "outside_accuracy", "batch_accuracy")


def train(label: str, seeds: int, steps: int | None, results: Path, **options) -> xr.Dataset:
    """Run one recipe and save it.

    The thread's two are saved with predictions, a cell with its first and last parameters.
    """
    task, whole = RECIPES[label]
    recipe = shortened(whole, steps)
    if label in ("literal", "answer"):
        runs = ap.run(task, recipe, seeds=seeds, **options)
        ap.save(runs, path_of(results, label))
        return runs

    if recipe.dtype == "float64":
        # Float64 has random draws of its own, so the initial weights are those of SGD
        init, width, loss = label.split("_")[2:]
        start = ap.load(path_of(results, f"raw_sgd0.01_{init}_{width}_{loss}"))
        options["init_params"] = ap.params(start, kept_step=0)

    keep_at = (0, recipe.steps)
    runs = ap.run(task, recipe, seeds=seeds, keep=("params",), keep_at=keep_at, **options)
    runs = runs.drop_vars(UNREAD, errors="ignore")
    ap.save(runs, path_of(results, label))
    return runs


# ---- what came out -------------------------------------------------------------------------------


def until(runs: xr.Dataset, epochs: int) -> xr.Dataset:
    """The records of the first so many epochs."""
    return runs.sel(step=slice(0, EPOCH * epochs))


def learned(runs: xr.Dataset) -> xr.Dataset:
    """Success: all 300 rows on their side of one half."""
    return ap.stats.success(runs, above=1.0, of="accuracy")


def by_passes(runs: xr.Dataset) -> xr.Dataset:
    """The results over passes through the rows: epochs, or evaluations of all rows."""
    if "stopped" in runs:  # BFGS and LM see all rows at every step
        return runs
    return runs.assign_coords(step=runs.step / EPOCH)


def load(results: Path, labels: Iterable[str]) -> dict[str, xr.Dataset]:
    """Every recipe's runs, and Adam's also as they were after 20 epochs, as {label}@20."""
    runs = {label: ap.load(path_of(results, label)) for label in labels}
    short = {}
    for label, one in runs.items():
        if "_adam" in label:
            short[f"{label}@{SHORT}"] = until(one, SHORT)
    return runs | short


def best_of(hits: xr.Dataset, tries: int, level: float, interval: str = "exact") -> xr.Dataset:
    """What the best of so many seeds adds to the rate of one: q - q^n for the rate of failure q.

    Its interval holds the gains of all rates in the rate's own interval, so that it covers the
    truth whenever that does. The gain is largest where its slope 1 - n q^(n - 1) is 0.
    """
    rate = ap.stats.rate(hits, level=level, interval=interval)
    low, high = float(rate.low), float(rate.high)
    largest_at = 1 - tries ** (-1 / (tries - 1))

    def gain(success: float) -> float:
        failure = 1 - success
        return failure - failure**tries

    gains = [gain(low), gain(high), gain(min(max(largest_at, low), high))]
    found = {
        "gain": gain(float(rate.rate)),
        "low": min(gains),
        "high": max(gains),
        "n": int(rate.n),
    }
    return xr.Dataset({name: ((), value) for name, value in found.items()})


SOMETIMES = (0.01, 0.99)
TRIES = 10  # initialisations, of which k-means in scikit-learn takes the best
MAJORITY = 2 / 3
# What is measured, in the words of the tables
END = "accuracy 1.0 after 1,000 epochs"
AFTER_20 = "accuracy 1.0 after 20 epochs"
AFTER_20_AND_1000 = "accuracy 1.0 after 20, 1,000 epochs"
LAST = "accuracy 1.0 at the end"
Hits = dict[Hashable, xr.Dataset]


def states(runs: Mapping[str, xr.Dataset]) -> Hits:
    """Which seeds succeed, of every recipe, and after fewer epochs of three of them."""
    hits: Hits = {label: learned(one) for label, one in runs.items()}
    hits[LITERAL_SHORT] = learned(until(runs[LITERAL], 200))
    hits["answer@13"] = learned(until(runs["answer"], 13))
    hits[PLAIN_SHORT] = learned(until(runs[PLAIN], SHORT))
    return hits


def often(
    hits: Hits, text: str, label: str, measure: str, holds: tuple[float, float]
) -> ap.stats.Claim:
    """That the rate of success of one recipe lies in a region."""
    return ap.stats.Claim(
        text,
        label,
        measure,
        partial(ap.stats.rate, hits[label]),
        holds,
    )


def more(hits: Hits, text: str, a: str, b: str, measure: str) -> ap.stats.Claim:
    """That recipe a succeeds more often than b."""
    effect: Callable = partial(ap.stats.compare, hits, a, b)
    return ap.stats.Claim(
        text,
        f"{a} against {b}",
        measure,
        effect,
        ap.stats.HELPS,
    )


def again(hits: Hits, text: str, label: str, measure: str) -> ap.stats.Claim:
    """That the best of ten seeds of a recipe succeeds more often than one."""
    effect = partial(best_of, hits[label], TRIES)
    measure = f"{measure}, best of {TRIES} - one"
    return ap.stats.Claim(text, label, measure, effect, ap.stats.HELPS)


def stays(runs: xr.Dataset, epochs: int) -> ap.stats.Claim:
    """That the literal recipe has the accuracy of the majority after so many epochs."""
    accuracy = until(runs, epochs).accuracy.isel(step=-1)
    effect = partial(ap.stats.rate, abs(accuracy - MAJORITY) < 1e-3)
    text = f"it stays at the majority's share: {epochs:,} epochs"
    measure = f"accuracy 2/3 after {epochs:,} epochs"
    return ap.stats.Claim(text, "literal", measure, effect, ap.stats.ALWAYS)


def of_the_question(runs: Mapping[str, xr.Dataset], hits: Hits) -> list[ap.stats.Claim]:
    """What the question says of its own recipe."""
    never = ap.stats.NEVER
    return [
        often(hits, "the literal recipe does not learn the interval", "literal", END, never),
        stays(runs["literal"], 200),
        stays(runs["literal"], 1_000),
        more(hits, "five times the epochs help", LITERAL, LITERAL_SHORT, LAST),
    ]


def of_the_answer(hits: Hits) -> list[ap.stats.Claim]:
    """What the answer says of z-scores and Adam, together and one without the other."""
    usually, always = ap.stats.USUALLY, ap.stats.ALWAYS
    learn = "z-scores and Adam 0.1 learn it in 20 epochs"
    by_13 = "accuracy 1.0 after 13 epochs"
    alone = "Adam 0.1 alone helps (raw x)"
    return [
        often(hits, f"{learn}: more often than not", "answer", AFTER_20, usually),
        often(hits, f"{learn}: whatever the seed", "answer", AFTER_20, always),
        often(hits, "... by epoch 13, more often than not", "answer@13", by_13, usually),
        more(hits, "z-scores with Adam 0.1 help", ANSWER_SHORT, LITERAL, AFTER_20_AND_1000),
        more(hits, "z-scores alone help (SGD 0.01)", PLAIN, LITERAL, END),
        more(hits, f"{alone}, 20 epochs", ADAM_SHORT, LITERAL, AFTER_20_AND_1000),
        more(hits, f"{alone}, 1,000 epochs", ADAM, LITERAL, END),
        more(hits, "Adam 0.1 needs z-scores, 20 epochs", ANSWER_SHORT, ADAM_SHORT, AFTER_20),
        more(hits, "Adam 0.1 needs z-scores, 1,000 epochs", ANSWER, ADAM, END),
        more(hits, "z-scores need Adam 0.1, 20 epochs", ANSWER_SHORT, PLAIN_SHORT, AFTER_20),
    ]


def of_faster_sgd(hits: Hits) -> list[ap.stats.Claim]:
    """What is said of SGD at 0.1."""
    times: Hits = {label: ap.stats.time_to_success(hits[label]) for label in (ANSWER, FASTER)}
    earlier = ap.stats.Claim(
        "SGD 0.1 is slower than Adam 0.1 (z-scores)",
        f"{ANSWER} against {FASTER}",
        "accuracy 1.0 at an earlier epoch, never being the latest",
        partial(ap.stats.improvement, times, ANSWER, FASTER, of="upper", pairs="seed"),
        ap.stats.BETTER,
    )
    there = "... but SGD 0.1 gets there (z-scores)"
    return [earlier, often(hits, there, FASTER, END, ap.stats.USUALLY)]


def of_units_and_nnet(hits: Hits) -> list[ap.stats.Claim]:
    """What is said of one hidden unit, and of R's nnet."""
    works = "in R's nnet it works for some seeds (raw x)"
    bfgs = "BFGS rather than gradient descent"
    one = "one hidden unit cannot (z-scores, Adam 0.1)"
    return [
        often(hits, one, ONE, END, ap.stats.NEVER),
        more(hits, "two hidden units can (z-scores, Adam 0.1)", ANSWER, ONE, END),
        often(hits, works, NNET, LAST, SOMETIMES),
        more(hits, f"{bfgs}: nnet's recipe, raw x", NNET, NNET_GD, LAST),
        more(hits, f"{bfgs}: nnet's recipe, z-scores", NNET_Z, NNET_Z_GD, LAST),
        more(hits, f"{bfgs}: the literal recipe", KERAS_BFGS, LITERAL, LAST),
    ]


def of_restarts_and_width(hits: Hits) -> list[ap.stats.Claim]:
    """What is said of several initialisations, and of more units."""
    several = "several initialisations help"
    wider = "wider helps: 8 units"
    return [
        again(hits, f"{several}: the literal recipe", "literal", END),
        again(hits, f"{several}: z-scores with Adam 0.1", "answer", AFTER_20),
        again(hits, f"{several}: nnet, raw x", NNET, LAST),
        more(hits, f"{wider} in the literal recipe", LITERAL_EIGHT, LITERAL, END),
        more(hits, f"{wider}, z-scores with Adam 0.1", f"{EIGHT}@{SHORT}", ANSWER_SHORT, AFTER_20),
    ]


def statements(runs: Mapping[str, xr.Dataset]) -> list[ap.stats.Claim]:
    """What the thread claims, and the region in which each effect must lie for a claim to hold.

    The regions were written before anything was measured.
    """
    hits = states(runs)
    return [
        *of_the_question(runs, hits),
        *of_the_answer(hits),
        *of_faster_sgd(hits),
        *of_units_and_nnet(hits),
        *of_restarts_and_width(hits),
    ]


# What the threads' outputs say: recipe, quantity (means over an epoch's batches, as Keras prints
# them), epoch, value, half a unit of its last digit.
REPORTED = (
    ("literal", "batch_accuracy", 200, 2 / 3, 5e-5),
    ("literal", "batch_accuracy", 1_000, 2 / 3, 5e-5),
    ("literal", "batch_loss", 1_000, 0.5566, 5e-5),
    ("answer", "batch_accuracy", 13, 1.0, 5e-5),
    ("answer", "batch_loss", 20, 0.072, 5e-4),
)


def reported(runs: Mapping[str, xr.Dataset]) -> list:
    """The thread's numbers beside the same means of our seeds."""
    names = {"batch_accuracy": "accuracy", "batch_loss": "loss"}
    found = []
    for recipe, of, epoch, value, rounding in REPORTED:
        text = f"{recipe}: mean {names[of]} of epoch {epoch:,}"
        ours = until(runs[recipe], epoch)[of].isel(step=-1).values
        found.append(ap.stats.Reported(text, recipe, ours, value, rounding))
    return found


# ---- failures ------------------------------------------------------------------------------------


def best_pieces(y: np.ndarray, edges: int, loss: str) -> float:
    """The least mean loss of a function of x that is constant but for so many edges, 0 or 1.

    All places of the edge are tried.
    """
    if not edges:
        return constant(y, loss)
    sums = []
    for cut in range(1, len(y)):
        left, right = y[:cut], y[cut:]
        sums.append(constant(left, loss) * len(left) + constant(right, loss) * len(right))
    return min(sums) / len(y)


def constant(y: np.ndarray, loss: str) -> float:
    """The least mean loss of a constant: the entropy of the mean p of y, or p (1 - p)."""
    p = y.mean()
    if loss == "squares":
        return float(p * (1 - p))
    return float(-sum(q * np.log(q) for q in (p, 1 - p) if q > 0))


def plateaus(loss: str) -> dict[str, float]:
    """Losses of the best functions with no edge (the majority's share) and with one.

    With the entropy they are 0.6365 and 2/3 log 2. Squares have a plateau of their own, 1/3: the
    output that is 0 throughout, where the output's sigmoid saturates and the slope vanishes. It was
    named after it was found as a plateau. To the entropy such an output is infinitely bad.
    """
    y = np.asarray(ap.tasks.interval().y)[:, 0]
    named = {"constant": best_pieces(y, 0, loss), "one edge": best_pieces(y, 1, loss)}
    if loss == "squares":
        named["zero"] = float(np.mean(y**2))
    return named


def kinds(label: str, runs: xr.Dataset) -> xr.Dataset:
    """What became of every seed: learned, a plateau by name, "not finished", or none of these.

    "not finished" is a loss that was still falling at the end (see `stats.falling`).
    """
    name, _, _ = label.partition("@")
    loss = name.split("_")[-1]
    found = ap.stats.plateaus(runs, plateaus(loss))
    kind = found.kind.astype(object)

    # Where there is no plateau, the loss may be falling still
    nowhere = kind == "on no plateau"
    kind = kind.where(~(nowhere & ap.stats.falling(runs)), "not finished")
    is_learned = ap.stats.reading(learned(runs))
    kind = kind.where(~is_learned, "learned")

    names = [name for name in found.attrs["kinds"] if name not in ("on no plateau", "diverged")]
    order = ["learned", *names, "not finished", "on no plateau", "diverged"]
    return kind.astype(str).to_dataset(name="kind").assign_attrs(kinds=order)


def idle(label: str, runs: xr.Dataset) -> np.ndarray:
    """How many hidden units of every seed are saturated at the end.

    A saturated sigmoid gives the same on all rows, to 0.001.
    """
    task, recipe = RECIPES[label.split("@")[0]]
    last = ap.params(runs, kept_step=int(runs.kept_step[-1]))
    share_of_one = partial(ap.models.idle_units, recipe.model, x=task.x)
    share = np.asarray(jax.vmap(share_of_one)(last))[:, 0]
    return np.round(share * recipe.model.widths[0]).astype(int)


def saturated_units(label: str, runs: xr.Dataset, here: np.ndarray) -> float | str:
    """How many units are saturated, as a mean over some seeds; empty where it is not known.

    Parameters are saved at the start and at the end, and so not after fewer epochs.
    """
    if "@" in label or not here.any():
        return ""
    return round(float(idle(label, runs)[here].mean()), 3)


def rows_of_kinds(
    name: str, label: str, runs: xr.Dataset, found: xr.Dataset
) -> list[dict[str, Any]]:
    """The share of each kind among the seeds of one recipe; of rare kinds only if there are any."""
    rows = []
    shares = ap.stats.shares(found)
    for kind in found.attrs["kinds"]:
        one, here = shares.sel(kind=kind), (found.kind == kind).values
        if not here.any() and kind not in ("learned", "constant", "one edge"):
            continue
        row: dict[str, Any] = {
            "recipe": name,
            "label": label,
            "kind": kind,
            "n": int(one.n),
            "seeds": int(one.successes),
        }
        row |= in_digits(one)
        row["saturated units, mean"] = saturated_units(label, runs, here)
        rows.append(row)
    return rows


def failures(runs: Mapping[str, xr.Dataset], results: Path) -> list[dict[str, Any]]:
    """Share of every kind in the recipes of NAMED, and how many of its units are saturated.

    The kind of every seed goes to results/interval_kinds.csv, for the figure.
    """
    rows, each = [], []
    for name, label in NAMED.items():
        found = kinds(label, runs[label])
        for seed, kind in enumerate(found.kind.values.tolist()):
            each.append({"label": label, "seed": seed, "kind": kind})
        rows += rows_of_kinds(name, label, runs[label], found)
    write(pd.DataFrame(each), results / "interval_kinds.csv")
    return rows


# ---- restarts ------------------------------------------------------------------------------------


def restarts(runs: Mapping[str, xr.Dataset]) -> list[dict[str, Any]]:
    """What a success costs in passes through the rows if every failure is followed by a new seed.

    A training is given up at the end of its budget, or at the cut-off that is best for these seeds
    ("cost there"). The gain of a cut-off is judged on the half of the seeds that did not choose it.
    "tries" are the seeds that give one success with a probability of 95%.
    """
    rows = []
    for name, label in NAMED.items():
        hits = learned(by_passes(runs[label]))
        cost, cut = ap.stats.ert(hits), ap.stats.best_cutoff(hits)
        gain, tries = ap.stats.restart_gain(hits), ap.stats.tries_needed(hits)
        row = {"recipe": name, "label": label, "n": int(cost.n), "successes": int(cost.successes)}
        values = {
            "cost": cost.ert,
            "cost low": cost.low,
            "cost high": cost.high,
            "cut-off": cut.best_cutoff,
            "cost there": cut.best_cost,
            "gain": gain.gain,
            "gain low": gain.low,
            "gain high": gain.high,
            "tries": tries.tries,
            "tries low": tries.low,
            "tries high": tries.high,
        }
        rows.append(row | {of: f"{float(value):.4g}" for of, value in values.items()})
    return rows


# ---- the factorial -------------------------------------------------------------------------------


def cells(runs: Mapping[str, xr.Dataset]) -> list[dict[str, Any]]:
    """Rate and expected cost of a success, in passes through the rows, of every cell."""
    rows = []
    for label, one in runs.items():
        if label in ("literal", "answer"):
            continue
        name, _, _ = label.partition("@")
        hits = learned(by_passes(one))
        rate, cost = ap.stats.rate(hits), ap.stats.ert(hits)
        near = ap.stats.rate(ap.stats.success(one, above=0.99, of="accuracy"))
        row: dict[str, Any] = dict(zip(FACTORS, name.split("_"), strict=True))
        row |= {
            "passes": int(hits.step[-1]),
            "n": int(rate.n),
            "successes": int(rate.successes),
        }
        row |= in_digits(rate)
        row["rate 0.99"] = round(float(near.rate), 5)
        costs = {"cost": cost.ert, "cost low": cost.low, "cost high": cost.high}
        rows.append(row | {of: f"{float(value):.5g}" for of, value in costs.items()})
    return rows


def main_effects(runs: Mapping[str, xr.Dataset]) -> list[dict[str, Any]]:
    """Rate at each level of each factor, averaged over all combinations of the others.

    The effect of LM is over squares alone, the one loss that it has; those of all other levels are
    without LM.
    """
    hits: dict[tuple, xr.Dataset] = {}
    for label, one in runs.items():
        if label.count("_") == len(FACTORS) - 1 and "@" not in label:
            hits[tuple(label.split("_"))] = learned(one)

    table = ap.stats.crossed(hits, FACTORS)
    whole = ap.stats.effects(table)
    others = [name for name in OPTIMIZERS if name != "lm"]
    without_lm = ap.stats.effects(table.sel(optimizer=others))
    rows = []
    for factor, levels in FACTORS.items():
        for level in levels:
            found = without_lm
            if level == "lm":
                found = whole

            one = found.sel(effect=f"{factor}={level}")
            if not int(one.cells):
                continue
            row = {"factor": factor, "level": level, "cells": int(one.cells), "n": int(one.n)}
            ends = {"rate": one.average, "low": one.low, "high": one.high}
            rows.append(row | {name: round(float(value), 5) for name, value in ends.items()})
    return rows


# ---- tables --------------------------------------------------------------------------------------


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table without row numbers."""
    table.to_csv(path, index=False, lineterminator="\n")


def summarise(results: Path, summaries: Path, labels: Iterable[str], note: str = "") -> None:
    """Hold the saved results against the claims, and write and print all tables."""
    runs = load(results, labels)
    tables = {
        "failures": failures(runs, results),
        "restarts": restarts(runs),
        "factorial": cells(runs),
        "effects": main_effects(runs),
    }
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    judged = ap.stats.claims("interval", statements(runs))
    numbers = ap.stats.reported("interval", reported(runs))
    sections = {
        "What became of the seeds": frames["failures"],
        "What a success costs, in passes through the rows": frames["restarts"],
        "Factors, averaged over all others": frames["effects"],
    }
    ap.stats.write_claims(summaries, "interval", judged, numbers, note, sections)
    for name, frame in frames.items():
        write(frame, summaries / f"interval_{name}.csv")


def said(label: str, runs: xr.Dataset) -> str:
    """A recipe's rate of success, as a line."""
    rate = ap.stats.rate(learned(runs))
    interval = f"[{float(rate.low):.1%}, {float(rate.high):.1%}]"
    return f"{label:32} {float(rate.rate):6.1%} {interval} of {int(rate.n):,}"


def in_digits(found: xr.Dataset) -> dict[str, float]:
    """A rate and the ends of its interval, in five digits."""
    return {end: round(float(found[end]), 5) for end in ("rate", "low", "high")}


def main(
    seeds: int = 512,
    steps: int | None = None,
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    quick: bool = False,
    saved: bool = False,
) -> None:
    """Train the literal recipe, the answer's and all remedies, and judge the thread's claims.

    Args:
        seeds: of each recipe; four times as many of the thread's two.
        steps: at most so many updates of each; the thread's numbers if left out.
        results: the folder to write to.
        summaries: the folder of the tables.
        quick: a look at the recipes of the claims, with few seeds and epochs, in results/quick.
        saved: train only what is not in the folder of results, to go on, or to judge anew what is.
    """
    labels, note, options = tuple(RECIPES), "", {}
    if quick:
        labels = QUICK
        seeds = min(seeds, QUICK_SEEDS)
        steps = min(steps or QUICK_EPOCHS * EPOCH, QUICK_EPOCHS * EPOCH)
        results = summaries = results / "quick"
        results.mkdir(parents=True, exist_ok=True)
        note = f"Quick look: {seeds} seeds, at most {steps // EPOCH} epochs; not the experiment."
        options = {"compiler_options": UNOPTIMISED}
        print(note, flush=True)

    missing = [label for label in labels if not (saved and path_of(results, label).exists())]
    for number, label in enumerate(missing, 1):
        count = seeds
        if label in ("literal", "answer"):
            count = MORE * seeds
        runs = train(label, count, steps, results, progress=False, **options)
        print(f"{number:3} of {len(missing)}  {said(label, runs)}", flush=True)

    summarise(results, summaries, labels, note)


if __name__ == "__main__":
    tyro.cli(main)
