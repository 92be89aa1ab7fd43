"""How often small sigmoid networks find one interval in one dimension, and which advice really
changes that.

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
    model, method = ap.MLP((width,), "sigmoid", initializer=init), OPTIMIZERS[optimizer]
    if method in ("bfgs", "lm"):
        return ap.Recipe(
            model=model,
            optimizer=method,
            steps=EVALUATIONS[-1],
            records=EVALUATIONS,
            dtype="float64",
        )
    rate, records = float(optimizer.lstrip("sgdam")), tuple(EPOCH * epoch for epoch in EPOCHS)
    return ap.Recipe(
        model=model,
        optimizer=method,
        learning_rate=rate,
        batch_size=32,
        steps=records[-1],
        records=records,
    )


def factorial() -> dict[str, tuple[Any, ap.Recipe]]:
    """Every cell, {inputs}_{optimizer}_{init}_{width}_{loss}; those that share a program stand
    together.
    """
    return {
        f"{inputs}_{optimizer}_{init}_{width}_{loss}": (
            ap.tasks.interval(loss=LOSSES[loss], standardise=INPUTS[inputs]),
            cell(optimizer, init, width),
        )
        for loss, init, width, optimizer, inputs in product(
            LOSSES, INITS, WIDTHS, OPTIMIZERS, INPUTS
        )
        if optimizer != "lm" or loss == "squares"
    }


RECIPES = {
    "literal": (
        ap.tasks.interval(),
        ap.Recipe(
            model=NETWORK,
            optimizer="sgd",
            learning_rate=0.01,
            batch_size=32,
            steps=1_000 * EPOCH,
            records=tuple(
                EPOCH * n
                for n in (0, 1, 2, 5, 10, 20, 50, 100, 199, 200, 400, 600, 800, 999, 1_000)
            ),
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
ONE, EIGHT, LITERAL_EIGHT = (
    "z_adam0.1_keras_1_entropy",
    "z_adam0.1_keras_8_entropy",
    "raw_sgd0.01_keras_8_entropy",
)
NAMED = {
    "literal: raw, SGD 0.01": LITERAL,
    "raw, Adam 0.1": ADAM,
    "z, SGD 0.01": PLAIN,
    "z, SGD 0.1": FASTER,
    "answer: z, Adam 0.1, 20 epochs": f"{ANSWER}@{SHORT}",
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
)
QUICK += (NNET_GD, NNET_Z_GD, NNET, NNET_Z, NNET_LM)
QUICK_SEEDS, QUICK_EPOCHS = 48, 60
# Times the seeds for the thread's two recipes: at no success in 2,048, the best of ten can be ruled
# out too
MORE = 4

# ---- training ------------------------------------------------------------------------------------


def shortened(recipe: ap.Recipe, steps: int | None) -> ap.Recipe:
    """The recipe with at most so many steps, and its records up to there."""
    if steps is None or steps >= recipe.steps:
        return recipe
    return replace(
        recipe,
        steps=steps,
        records=tuple(n for n in sorted({*recipe.records, steps}) if n <= steps),
    )


def train(label: str, seeds: int, steps: int | None, results: Path, **options) -> xr.Dataset:
    """Run one recipe and save it; the thread's with predictions, cells with parameters at their
    start and end.
    """
    task, recipe = RECIPES[label]
    recipe = shortened(recipe, steps)
    if label in ("literal", "answer"):
        runs = ap.run(task, recipe, seeds=seeds, **options)
    else:
        # Draws of its own, so the start is taken from the other optimisers
        if recipe.dtype == "float64":
            init, width, loss = label.split("_")[2:]
            start = ap.load(results / f"interval_raw_sgd0.01_{init}_{width}_{loss}.nc")
            options["init_params"] = ap.params(start, kept_step=0)
        runs = ap.run(
            task, recipe, seeds=seeds, keep=("params",), keep_at=(0, recipe.steps), **options
        )
        runs = runs.drop_vars(
            ["test_loss", "outside_loss", "test_accuracy", "outside_accuracy", "batch_accuracy"],
            errors="ignore",
        )
    ap.save(runs, results / f"interval_{label}.nc")
    return runs


# ---- what came out -------------------------------------------------------------------------------


def until(runs: xr.Dataset, epochs: int) -> xr.Dataset:
    """The records of the first so many epochs."""
    return runs.sel(step=slice(0, EPOCH * epochs))


def learned(runs: xr.Dataset) -> xr.Dataset:
    """Success: all 300 rows on their side of one half."""
    return ap.stats.success(runs, above=1.0, of="accuracy")


def by_passes(runs: xr.Dataset) -> xr.Dataset:
    """The same over passes through the rows: epochs, or evaluations of all rows."""
    whole = "stopped" in runs
    return runs.assign_coords(step=runs.step if whole else runs.step / EPOCH)


def load(results: Path, labels: Iterable[str]) -> dict[str, xr.Dataset]:
    """Every recipe's runs, and Adam's also as they were after 20 epochs, as {label}@20."""
    runs = {label: ap.load(results / f"interval_{label}.nc") for label in labels}
    return runs | {
        f"{label}@{SHORT}": until(one, SHORT) for label, one in runs.items() if "_adam" in label
    }


def best_of(hits: xr.Dataset, tries: int, level: float, interval: str = "exact") -> xr.Dataset:
    """What the best of so many seeds adds to the rate of one: q - q^n for the rate of failure q.

    Its interval holds the gains of all rates in the rate's own, so it covers whenever that does.
    The gain is largest where its slope 1 - n q^(n - 1) is 0.
    """
    rate = ap.stats.rate(hits, level=level, interval=interval)
    gain = lambda success: (1 - success) - (1 - success) ** tries  # noqa: E731
    most = 1 - tries ** (-1 / (tries - 1))
    low, high = float(rate.low), float(rate.high)
    between = [gain(low), gain(high), gain(min(max(most, low), high))]
    ends = {
        "gain": float(gain(rate.rate)),
        "low": min(between),
        "high": max(between),
        "n": int(rate.n),
    }
    return xr.Dataset({name: ((), value) for name, value in ends.items()})


SOMETIMES = (0.01, 0.99)
TRIES = 10  # initialisations, of which k-means in scikit-learn takes the best
MAJORITY = 2 / 3


def statements(runs: Mapping[str, xr.Dataset]) -> list:
    """What the thread claims, and where the effect must lie for it to hold: written before anything
    was measured.
    """
    hits: dict[Hashable, xr.Dataset] = {label: learned(one) for label, one in runs.items()}
    times: dict[Hashable, xr.Dataset]
    times = {label: ap.stats.time_to_success(hits[label]) for label in (ANSWER, FASTER)}
    short = f"{ANSWER}@{SHORT}"
    earlier: dict[Hashable, xr.Dataset] = {
        f"{LITERAL}@200": learned(until(runs[LITERAL], 200)),
        "answer@13": learned(until(runs["answer"], 13)),
    }
    earlier |= {f"{PLAIN}@{SHORT}": learned(until(runs[PLAIN], SHORT))}
    hits |= earlier

    def rate(
        text: str, label: str, measure: str, holds: tuple[float, float], hit=None
    ) -> ap.stats.Claim:
        effect = partial(ap.stats.rate, hits[label] if hit is None else hit)
        return ap.stats.Claim(text, label, measure, effect, holds)

    def more(text: str, a: str, b: str, measure: str) -> ap.stats.Claim:
        effect: Callable = partial(ap.stats.compare, hits, a, b)
        return ap.stats.Claim(text, f"{a} against {b}", measure, effect, ap.stats.HELPS)

    def again(text: str, label: str, measure: str) -> ap.stats.Claim:
        effect = partial(best_of, hits[label], TRIES)
        return ap.stats.Claim(
            text, label, f"{measure}, best of {TRIES} - one", effect, ap.stats.HELPS
        )

    def at_majority(epochs: int) -> xr.DataArray:
        return abs(until(runs["literal"], epochs).accuracy.isel(step=-1) - MAJORITY) < 1e-3

    end, twenty, evaluations = (
        "accuracy 1.0 after 1,000 epochs",
        "accuracy 1.0 after 20 epochs",
        "accuracy 1.0 at the end",
    )
    stays, always = "accuracy 2/3 after {} epochs", ap.stats.ALWAYS
    return [
        rate("the literal recipe does not learn the interval", "literal", end, ap.stats.NEVER),
        rate(
            "it stays at the majority's share: 200 epochs",
            "literal",
            stays.format(200),
            always,
            at_majority(200),
        ),
        rate(
            "it stays at the majority's share: 1,000 epochs",
            "literal",
            stays.format("1,000"),
            always,
            at_majority(1_000),
        ),
        more("five times the epochs help", LITERAL, f"{LITERAL}@200", "accuracy 1.0 at the end"),
        rate(
            "z-scores and Adam 0.1 learn it in 20 epochs: more often than not",
            "answer",
            twenty,
            ap.stats.USUALLY,
        ),
        rate(
            "z-scores and Adam 0.1 learn it in 20 epochs: whatever the seed",
            "answer",
            twenty,
            always,
        ),
        rate(
            "... by epoch 13, more often than not",
            "answer@13",
            "accuracy 1.0 after 13 epochs",
            ap.stats.USUALLY,
        ),
        more("z-scores with Adam 0.1 help", short, LITERAL, "accuracy 1.0 after 20, 1,000 epochs"),
        more("z-scores alone help (SGD 0.01)", PLAIN, LITERAL, end),
        more(
            "Adam 0.1 alone helps (raw x), 20 epochs",
            f"{ADAM}@{SHORT}",
            LITERAL,
            "accuracy 1.0 after 20, 1,000 epochs",
        ),
        more("Adam 0.1 alone helps (raw x), 1,000 epochs", ADAM, LITERAL, end),
        more("Adam 0.1 needs z-scores, 20 epochs", short, f"{ADAM}@{SHORT}", twenty),
        more("Adam 0.1 needs z-scores, 1,000 epochs", ANSWER, ADAM, end),
        more("z-scores need Adam 0.1, 20 epochs", short, f"{PLAIN}@{SHORT}", twenty),
        ap.stats.Claim(
            "SGD 0.1 is slower than Adam 0.1 (z-scores)",
            f"{ANSWER} against {FASTER}",
            "accuracy 1.0 at an earlier epoch, never being the latest",
            partial(ap.stats.improvement, times, ANSWER, FASTER, of="upper", pairs="seed"),
            ap.stats.BETTER,
        ),
        rate("... but SGD 0.1 gets there (z-scores)", FASTER, end, ap.stats.USUALLY),
        rate("one hidden unit cannot (z-scores, Adam 0.1)", ONE, end, ap.stats.NEVER),
        more("two hidden units can (z-scores, Adam 0.1)", ANSWER, ONE, end),
        rate("in R's nnet it works for some seeds (raw x)", NNET, evaluations, SOMETIMES),
        more("BFGS rather than gradient descent: nnet's recipe, raw x", NNET, NNET_GD, evaluations),
        more(
            "BFGS rather than gradient descent: nnet's recipe, z-scores",
            NNET_Z,
            NNET_Z_GD,
            evaluations,
        ),
        more(
            "BFGS rather than gradient descent: the literal recipe",
            KERAS_BFGS,
            LITERAL,
            evaluations,
        ),
        again("several initialisations help: the literal recipe", "literal", end),
        again("several initialisations help: z-scores with Adam 0.1", "answer", twenty),
        again("several initialisations help: nnet, raw x", NNET, evaluations),
        more("wider helps: 8 units in the literal recipe", LITERAL_EIGHT, LITERAL, end),
        more("wider helps: 8 units, z-scores with Adam 0.1", f"{EIGHT}@{SHORT}", short, twenty),
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
    return [
        ap.stats.Reported(
            text=f"{recipe}: mean {names[of]} of epoch {epoch:,}",
            recipe=recipe,
            values=until(runs[recipe], epoch)[of].isel(step=-1).values,
            value=value,
            rounding=rounding,
        )
        for recipe, of, epoch, value, rounding in REPORTED
    ]


# ---- failures ------------------------------------------------------------------------------------


def best_pieces(y: np.ndarray, edges: int, loss: str) -> float:
    """The least mean loss of a function of x that is constant but for so many edges (at most 1),
    tried everywhere.
    """
    cuts = range(1, len(y)) if edges else [len(y)]
    return min(
        sum(constant(part, loss) * len(part) for part in np.split(y, [cut]) if len(part))
        for cut in cuts
    ) / len(y)


def constant(y: np.ndarray, loss: str) -> float:
    """The least mean loss of a constant, the mean p of y: p's entropy, or p (1 - p)."""
    p = y.mean()
    if loss == "squares":
        return float(p * (1 - p))
    return float(-sum(q * np.log(q) for q in (p, 1 - p) if q > 0))


def plateaus(loss: str) -> dict[str, float]:
    """Losses of the best functions without an edge, the majority's share, and with one: 0.6365 and
    2/3 log 2.

    Squares also have the output that is 0 throughout, where its sigmoid saturates and the slope
    vanishes: 1/3. It was named after it was found as a plateau. To cross-entropy it is infinitely
        bad.
    """
    y = np.asarray(ap.tasks.interval().y)[:, 0]
    zero = {"zero": float(np.mean(y**2))} if loss == "squares" else {}
    return {"constant": best_pieces(y, 0, loss), "one edge": best_pieces(y, 1, loss)} | zero


def kinds(label: str, runs: xr.Dataset) -> xr.Dataset:
    """What became of every seed: learned, a plateau, not finished (see `stats.falling`), or none of
    these.
    """
    found = ap.stats.plateaus(runs, plateaus(label.partition("@")[0].split("_")[-1]))
    names = [name for name in found.attrs["kinds"] if name not in ("on no plateau", "diverged")]
    kind = found.kind.astype(object)
    kind = kind.where((kind != "on no plateau") | ~ap.stats.falling(runs), "not finished")
    kind = kind.where(~ap.stats.reading(learned(runs)), "learned")
    order = ["learned", *names, "not finished", "on no plateau", "diverged"]
    return kind.astype(str).to_dataset(name="kind").assign_attrs(kinds=order)


def idle(label: str, runs: xr.Dataset) -> np.ndarray:
    """How many hidden units of every seed give the same on all rows at the end (to 0.001):
    saturated sigmoids.
    """
    task, recipe = RECIPES[label.split("@")[0]]
    last = ap.params(runs, kept_step=int(runs.kept_step[-1]))
    share = np.asarray(jax.vmap(partial(ap.models.idle_units, recipe.model, x=task.x))(last))[:, 0]
    return np.round(share * recipe.model.widths[0]).astype(int)


def failures(runs: Mapping[str, xr.Dataset], results: Path) -> list[dict[str, Any]]:
    """Share of every kind in the recipes that are spoken of, and how many of its units are
    saturated.

    The kind of every seed goes to results/interval_kinds.csv, for the figure.
    """
    rows, each = [], []
    for name, label in NAMED.items():
        found = kinds(label, runs[label])
        saturated = idle(label, runs[label]) if "@" not in label else None
        each += [
            {"label": label, "seed": seed, "kind": kind}
            for seed, kind in enumerate(found.kind.values.tolist())
        ]
        shares = ap.stats.shares(found)
        for kind in found.attrs["kinds"]:
            one, here = shares.sel(kind=kind), (found.kind == kind).values
            if not here.any() and kind not in ("learned", *plateaus("entropy")):
                continue
            row = {
                "recipe": name,
                "label": label,
                "kind": kind,
                "n": int(one.n),
                "seeds": int(one.successes),
            }
            row |= {end: round(float(one[end]), 5) for end in ("rate", "low", "high")}
            units = (
                ""
                if saturated is None or not here.any()
                else round(float(saturated[here].mean()), 3)
            )
            rows.append(row | {"saturated units, mean": units})
    pd.DataFrame(each).to_csv(results / "interval_kinds.csv", index=False, lineterminator="\n")
    return rows


# ---- restarts ------------------------------------------------------------------------------------


def restarts(runs: Mapping[str, xr.Dataset]) -> list[dict[str, Any]]:
    """What a success costs in passes through the rows if every failure is followed by a new seed.

    At the end of its budget, or after the cut-off that is best for these seeds, whose gain is
    judged on the other half.
    `tries`: seeds for one success with a probability of 95%.
    """
    rows = []
    for name, label in NAMED.items():
        hits = learned(by_passes(runs[label]))
        cost, cut, gain = (
            ap.stats.ert(hits),
            ap.stats.best_cutoff(hits),
            ap.stats.restart_gain(hits),
        )
        tries = ap.stats.tries_needed(hits)
        row = {"recipe": name, "label": label, "n": int(cost.n), "successes": int(cost.successes)}
        values = {
            "cost": cost.ert,
            "cost low": cost.low,
            "cost high": cost.high,
            "cut-off": cut.best_cutoff,
        }
        values |= {
            "cost there": cut.best_cost,
            "gain": gain.gain,
            "gain low": gain.low,
            "gain high": gain.high,
        }
        values |= {"tries": tries.tries, "tries low": tries.low, "tries high": tries.high}
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
        row |= {"passes": int(hits.step[-1]), "n": int(rate.n), "successes": int(rate.successes)}
        row |= {end: round(float(rate[end]), 5) for end in ("rate", "low", "high")}
        row |= {"rate 0.99": round(float(near.rate), 5)}
        row |= {
            f"cost{end}": f"{float(cost[name]):.5g}"
            for end, name in (("", "ert"), (" low", "low"), (" high", "high"))
        }
        rows.append(row)
    return rows


def main_effects(runs: Mapping[str, xr.Dataset]) -> list[dict[str, Any]]:
    """Rate at each level of each factor, averaged over all combinations of the others; LM, with one
    loss, apart.
    """
    hits: dict[tuple, xr.Dataset] = {
        tuple(label.split("_")): learned(one)
        for label, one in runs.items()
        if label.count("_") == len(FACTORS) - 1 and "@" not in label
    }
    table = ap.stats.crossed(hits, FACTORS)
    whole = ap.stats.effects(table)
    without_lm = ap.stats.effects(
        table.sel(optimizer=[name for name in OPTIMIZERS if name != "lm"])
    )
    rows = []
    for factor, levels in FACTORS.items():
        for level in levels:
            one = (whole if level == "lm" else without_lm).sel(effect=f"{factor}={level}")
            if int(one.cells):
                row = {"factor": factor, "level": level, "cells": int(one.cells), "n": int(one.n)}
                ends = {"rate": one.average, "low": one.low, "high": one.high}
                rows.append(row | {name: round(float(value), 5) for name, value in ends.items()})
    return rows


# ---- tables --------------------------------------------------------------------------------------


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
        frame.to_csv(summaries / f"interval_{name}.csv", index=False, lineterminator="\n")


def main(
    seeds: int = 512,
    steps: int | None = None,
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    quick: bool = False,
    saved: bool = False,
) -> None:
    """Train the literal recipe, the answer's, and all remedies, save them, and judge the thread's
    claims.

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
        seeds, steps, labels = (
            min(seeds, QUICK_SEEDS),
            min(steps or 10**9, QUICK_EPOCHS * EPOCH),
            QUICK,
        )
        results = summaries = results / "quick"
        note = f"Quick look: {seeds} seeds, at most {steps // EPOCH} epochs; not the experiment."
        options = {
            "compiler_options": ap.sweep.programs.accepted({"xla_backend_optimization_level": 0})
        }
        print(note, flush=True)
    chosen = [
        label for label in labels if not (saved and (results / f"interval_{label}.nc").exists())
    ]
    for number, label in enumerate(chosen, 1):
        runs = train(
            label,
            MORE * seeds if "_" not in label else seeds,
            steps,
            results,
            progress=False,
            **options,
        )
        rate = ap.stats.rate(learned(runs))
        share = f"{float(rate.rate):6.1%} [{float(rate.low):.1%}, {float(rate.high):.1%}] of {int(rate.n):,}"
        print(f"{number:3} of {len(chosen)}  {label:32} {share}", flush=True)
    summarise(results, summaries, labels, note)


if __name__ == "__main__":
    tyro.cli(main)
