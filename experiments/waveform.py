"""Which optimiser and advice let a network tell 32, 64 or 256 levels of a flat signal apart.

Source: the question-and-answer thread on "the class of x / 256 is x": signals of 200 numbers, all
of them class / 255 but for noise of 1e-4: Keras, 200-K-2K-K sigmoids and a softmax, cross-entropy,
one batch of one row per class an epoch, freshly drawn, up to 3,000 epochs. It does not name its
optimiser; Keras' SGD, Adam and RMSprop are run, each at its default rate. "One batch is one epoch"
is our reading. 32 and 64 classes are said to be learned, 256 to stay at a loss of 2 to 3 and an
accuracy of 0.07 to 0.1 after 2,500 epochs. A linear softmax separates all classes exactly.
Remedies, one at a time at 64 classes: another optimiser, (x - 0.5) / 0.289, one hidden layer of 8 K
units, a Gaussian activation, rows at random instead of one of each class; besides, levels spread
evenly over [0, 1], and rows of 225, as the thread's generator says. All combinations of the four at
32 classes, for Adam and RMSprop; two of them at 256. A success is an accuracy of 0.99 on fresh rows
after 3,000 epochs; seeds are the same in all recipes.
Expected finding: the optimiser decides, and 256 classes are learned by none within 3,000 epochs.
Found: at 256 classes RMSprop gives the thread's numbers, a loss of 2.98 [2.96, 3.01] and an
accuracy of 0.070 [0.051, 0.094] (5-95% of 16 seeds). All of SGD's, 5.52 and 0.008, and of Adam's,
1.47 and 0.90, lie outside of its ranges: by the optimiser, not by chance, though 16 seeds cannot
exclude a quantile of 2.5%. Adam learns 32 classes in 84% [68, 93] of 32 seeds and 64 in 9% [3, 24],
RMSprop in 41% [26, 58] and none, SGD neither: it stays at log K, a constant. The threshold matters:
at 0.98 all of Adam's seeds have learned 64 classes; 28 miss but the last but one. So it is with 256
after 3,000 epochs: none at 0.99, a median of 0.94, no row of Adam's off by more than three classes.
Apart from SGD's, nearly all failures of the literal recipes are not finished: their loss still
falls. Of the advice, another optimiser than SGD lowers the loss for every seed. Gaussian units
raise Adam at 64 classes from 9 to 100% [89, 100] and RMSprop at 32 from 41 to 100%; RMSprop at 64
they give a lower loss and fewer right, 0.47 of rows instead of 0.83. Normalising hurts Adam and
RMSprop at 32 and 64 classes, whose levels it puts between -1.7 and -0.9; at 256, which then lie
around 0, it lowers the loss of all 8 seeds of both. Rows at random hurt wherever they were tried;
with either, no combination learns 32 classes. One layer of 8 K raises the loss of both, though Adam
at 32 to 100%. SGD loses up to 0.7 nats by all but random rows, and learns nothing. All but one of
the 22 claims that advice raises the rate of success stay undecided: that none of 32 is less than a
tenth would take about a hundred seeds.
Cost: 26 minutes on two cores with other light work beside, 12.5 for `--classes 32 64` and 13.5 for
`--classes 256`. Writes results/waveform_{CLASSES}_{OPTIMISER}[_REMEDY+...].nc and the tables
summaries/waveform_*.
"""

from collections.abc import Iterable, Mapping, Sequence
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
EPOCHS = 3_000
# With Keras' default learning rates
OPTIMIZERS = {"sgd": 0.01, "adam_keras": 1e-3, "rmsprop_keras": 1e-3}
NAMES = {"sgd": "SGD", "adam_keras": "Adam", "rmsprop_keras": "RMSprop"}
# 2,500 alone, as Keras prints it
RECORDS = (0, 1, 10, 50, 100, 200, 300, *range(500, EPOCHS, 250), 2_499, EPOCHS)
ASKED = 2_500  # the epoch that the thread reports
SEEDS = {32: 32, 64: 32, 256: 16}
REMEDY_SEEDS = {256: 8}  # where a remedy has fewer
# The thread's advice besides another optimiser
FACTORS = ("normalise", "wide", "gaussian", "random")
REMEDIES = (*FACTORS, "even", "dim225")
ADAPTIVE = ("adam_keras", "rmsprop_keras")
UNOPTIMISED = {"xla_backend_optimization_level": 0}  # compiles soon, and trains more slowly
CENTER, SCALE = 0.5, 0.289  # the answer's, of numbers uniform over [0, 1]
LEARNED = 0.99


def records_until(epochs: int) -> tuple[int, ...]:
    """The epochs after which losses are recorded, of so many."""
    return tuple(n for n in sorted({*RECORDS, epochs}) if n <= epochs)


def network(classes: int, changes: Sequence[str]):
    """The thread's network for that many classes, with some of the advice."""
    widths: tuple[int, ...] = (classes, 2 * classes)
    if "wide" in changes:
        widths = (8 * classes,)

    activation = "sigmoid"
    if "gaussian" in changes:
        activation = "gaussian"

    model = ap.MLP(widths, activation, outputs=classes, initializer="keras")
    if "normalise" in changes:
        return ap.scalings.PerFeature(model, CENTER, SCALE)
    return model


def recipe(
    classes: int, optimizer: str, epochs: int = EPOCHS, changes: Sequence[str] = ()
) -> ap.Recipe:
    """The thread's recipe for that many classes, with some of the advice."""
    return ap.Recipe(
        model=network(classes, changes),
        optimizer=optimizer,
        learning_rate=OPTIMIZERS[optimizer],
        batches="stream",
        batch_size=classes,
        steps=epochs,
        records=records_until(epochs),
    )


def data(classes: int, changes: Sequence[str] = ()) -> ap.tasks.Waveform:
    """The thread's signals, with some of the changes."""
    dim, spread, draw = 200, None, "each"
    if "dim225" in changes:
        dim = 225
    if "even" in changes:
        spread = 1.0
    if "random" in changes:
        draw = "random"
    return ap.tasks.waveform(classes=classes, dim=dim, spread=spread, draw=draw)


def name(classes: int, optimizer: str, changes: Sequence[str] = ()) -> str:
    """A recipe's label: 64_adam_keras, 64_adam_keras_normalise, 32_adam_keras_normalise+wide."""
    label = f"{classes}_{optimizer}"
    if not changes:
        return label
    return f"{label}_{'+'.join(changes)}"


Design = tuple[int, str, tuple[str, ...]]  # classes, optimiser, changes


def chosen_factors() -> list[tuple[str, ...]]:
    """All combinations of FACTORS but the empty one."""
    combinations = []
    for switches in product((0, 1), repeat=len(FACTORS)):
        on = tuple(f for f, switch in zip(FACTORS, switches, strict=True) if switch)
        if on:
            combinations.append(on)
    return combinations


def designs() -> list[Design]:
    """Every recipe: the literal ones, remedies one by one, the factorial, and 256 classes."""
    literal = list(product(SEEDS, OPTIMIZERS, [()]))
    single: list[Design] = [(64, its, (remedy,)) for remedy in REMEDIES for its in OPTIMIZERS]
    factorial = [(32, its, changes) for changes in chosen_factors() for its in ADAPTIVE]
    large = [(256, its, (remedy,)) for remedy in ("normalise", "wide") for its in ADAPTIVE]
    return [*literal, *single, *factorial, *large]


DESIGNS = {name(*design): design for design in designs()}
RECIPES = {
    label: (data(classes, changes), recipe(classes, optimizer, changes=changes))
    for label, (classes, optimizer, changes) in DESIGNS.items()
}
QUICK = (
    "32_adam_keras",
    "64_sgd",
    "64_adam_keras",
    "64_rmsprop_keras",
    "64_adam_keras_normalise",
    "256_rmsprop_keras",
)
QUICK_SEEDS, QUICK_EPOCHS = 6, 40
# What the thread says of 256 classes after 2,500 epochs: quantity, from, to.
REPORTED = (("batch_loss", 2.0, 3.0), ("batch_accuracy", 0.07, 0.1))

# ---- training ------------------------------------------------------------------------------------


def path_of(results: Path, label: str) -> Path:
    """The file of one recipe's results."""
    return results / f"waveform_{label}.nc"


def seeds_of(label: str) -> int:
    """How many seeds a recipe has; with 256 classes a changed one has fewer."""
    classes, _, changes = DESIGNS[label]
    if changes and classes in REMEDY_SEEDS:
        return REMEDY_SEEDS[classes]
    return SEEDS[classes]


def train(label: str, seeds: int | None, steps: int, results: Path, **options) -> xr.Dataset:
    """Run one recipe and save what is read of it."""
    task, whole = RECIPES[label]
    runs = ap.run(
        task,
        replace(whole, steps=steps, records=records_until(steps)),
        seeds=seeds or seeds_of(label),
        keep=("params", "prediction", "weight_norm"),
        **options,
    )
    runs = condensed(runs, label)
    ap.save(runs, path_of(results, label))
    return runs


def condensed(runs: xr.Dataset, label: str) -> xr.Dataset:
    """The results without outputs and parameters, which are large.

    Instead they have the class chosen at every test point, and the share of idle units by layer.
    """
    task, whole = RECIPES[label]
    inputs = np.asarray(task.points().x)
    if "normalise" in DESIGNS[label][2]:
        inputs = (inputs - CENTER) / SCALE

    share = partial(ap.models.idle_units, ap.scalings.core(whole.model), x=inputs)
    idle = np.asarray(jax.vmap(share)(ap.params(runs)))
    chosen = runs.prediction.argmax("output").astype("int16")
    chosen = chosen.drop_vars(list(chosen.coords))
    kept = [of for of in runs.data_vars if {"seed", "step"} == set(runs[of].dims)]
    small = runs[kept].assign(chosen=chosen, idle=(("seed", "layer"), idle))
    small.attrs = {of: value for of, value in runs.attrs.items() if of != "params"}
    return small


# ---- what came out -------------------------------------------------------------------------------


def learned(runs: xr.Dataset) -> xr.Dataset:
    """Success: at most one fresh row in a hundred in a wrong class."""
    return ap.stats.success(runs, above=LEARNED, of="test_accuracy")


def spoken(label: str) -> str:
    """A recipe in words."""
    classes, optimizer, changes = DESIGNS[label]
    return ", ".join([f"{classes} classes", NAMES[optimizer], *changes])


def common(runs: Mapping[str, xr.Dataset], a: str, b: str) -> dict:
    """The results of two recipes on the seeds that both have."""
    seeds = np.intersect1d(runs[a].seed, runs[b].seed)
    return {label: runs[label].sel(seed=seeds) for label in (a, b)}


def better(
    runs: Mapping[str, xr.Dataset], a: str, b: str, level: float = 0.95, interval: str = "score"
) -> xr.Dataset:
    """Probability that a ends with a lower loss on fresh rows than b, on the same seed."""
    pair = common(runs, a, b)
    return ap.stats.improvement(
        pair, a, b, of="test_loss", pairs="seed", level=level, interval=interval
    )


def more(
    runs: Mapping[str, xr.Dataset], a: str, b: str, level: float = 0.95, interval: str = "score"
) -> xr.Dataset:
    """Difference of their rates of success, on the same seeds."""
    hits: dict = {label: learned(one) for label, one in common(runs, a, b).items()}
    return ap.stats.compare(hits, a, b, level=level, interval=interval)


# ---- claims --------------------------------------------------------------------------------------

ADVICE = {
    "normalise": "normalising helps",
    "wide": "one hidden layer of 8 K helps",
    "gaussian": "a Gaussian activation helps",
    "random": "rows at random help",
}
SWAPS = (("adam_keras", "sgd"), ("rmsprop_keras", "sgd"), ("adam_keras", "rmsprop_keras"))
END = f"accuracy {LEARNED} on fresh rows at the end"


def claim_of_learning(label: str, runs: xr.Dataset) -> ap.stats.Claim:
    """That a literal recipe learns its classes; of 256 classes that it does not."""
    classes, optimizer, _ = DESIGNS[label]
    text, holds = f"{classes} classes are learned: {NAMES[optimizer]}", ap.stats.USUALLY
    if classes == 256:
        text, holds = f"256 classes are not learned: {NAMES[optimizer]}", ap.stats.RARELY
    return ap.stats.Claim(
        text,
        label,
        END,
        partial(ap.stats.rate, learned(runs)),
        holds,
    )


def claims_of_advice(
    runs: Mapping[str, xr.Dataset], text: str, a: str, b: str
) -> list[ap.stats.Claim]:
    """That a recipe succeeds more often than another, and that it ends with the lower loss."""
    pair = f"{a} against {b}"
    rates, losses = partial(more, runs, a, b), partial(better, runs, a, b)
    lower = "lower loss on fresh rows at the end, on the same seed"
    return [
        ap.stats.Claim(f"{text}: success", pair, END, rates, ap.stats.HELPS),
        ap.stats.Claim(f"{text}: loss", pair, lower, losses, ap.stats.BETTER),
    ]


def statements(runs: Mapping[str, xr.Dataset]) -> list[ap.stats.Claim]:
    """What the thread claims, and the region in which each effect must lie for a claim to hold.

    The regions were written before anything was measured. 256 classes have 16 seeds, on which
    "never" cannot be told from "seldom": "not learned" means by less than half. Claims about
    recipes that were not trained are left out.
    """
    found = []
    for label, (_, _, changes) in DESIGNS.items():
        if label in runs and not changes:
            found.append(claim_of_learning(label, runs[label]))
    for text, a, b in comparisons():
        if a in runs and b in runs:
            found += claims_of_advice(runs, text, a, b)
    return found


def comparisons() -> list[tuple[str, str, str]]:
    """Each advice of the thread in words, the recipe that follows it, and the one that does not."""
    found = []
    for classes, (a, b) in product((64, 256), SWAPS):
        text = f"another optimiser helps, {NAMES[a]} for {NAMES[b]}, {classes} classes"
        found.append((text, name(classes, a), name(classes, b)))

    for remedy, classes, optimizer in product(ADVICE, (64, 256), OPTIMIZERS):
        label = name(classes, optimizer, (remedy,))
        if label not in DESIGNS:
            continue
        text = f"{ADVICE[remedy]}, {NAMES[optimizer]}, {classes} classes"
        found.append((text, label, name(classes, optimizer)))
    return found


def reported(runs: Mapping[str, xr.Dataset]) -> list:
    """The thread's ranges at 256 classes, beside the means that Keras would print.

    The thread does not name its optimiser, so that each is tried.
    """
    words = {"batch_loss": "loss", "batch_accuracy": "accuracy"}
    found = []
    for (of, least, most), optimizer in product(REPORTED, OPTIMIZERS):
        label = name(256, optimizer)
        if label not in runs:
            continue
        asked = runs[label].sel(step=slice(0, ASKED)).isel(step=-1)
        epoch = f"mean {words[of]} of epoch {int(asked.step):,}"
        text = f"{epoch}, {least:g} to {most:g}, if it was {NAMES[optimizer]}"
        middle, half = (least + most) / 2, (most - least) / 2
        found.append(ap.stats.Reported(text, label, asked[of].values, middle, half))
    return found


# ---- failures ------------------------------------------------------------------------------------


def kinds(label: str, runs: xr.Dataset) -> xr.Dataset:
    """What became of every seed.

    "learned": it has learned the classes at the end. "lost again": it had at some record.
    "constant", or another plateau of the loss: log K is a constant's. "not finished": the loss on
    fresh rows was still falling (see `stats.falling`). Seeds that lie together in the middle of a
    fall are no plateau; only the constant is one whatever the slope.
    """
    classes, _, _ = DESIGNS[label]
    found = ap.stats.plateaus(runs, {"constant": np.log(classes)}, of="test_loss")
    kind = found.kind.astype(object)

    # What is falling still is on no plateau but the constant's
    falling = ap.stats.falling(runs, of="test_loss")
    kind = kind.where(kind.isin(["constant", "diverged"]) | ~falling, "not finished")

    # Whatever the loss, a seed that has learned the classes has
    hits = learned(runs)
    at_some_record = ap.stats.reading(hits, "first")
    at_the_end = ap.stats.reading(hits)
    kind = kind.where(~at_some_record, "lost again")
    kind = kind.where(~at_the_end, "learned")

    plateaus = [name for name in found.attrs["kinds"] if name not in ("on no plateau", "diverged")]
    order = ["learned", "lost again", *plateaus, "not finished", "on no plateau", "diverged"]
    return kind.astype(str).to_dataset(name="kind").assign_attrs(kinds=order)


def by_layer(shares: np.ndarray) -> str:
    """Means over seeds of shares by layer, (seeds, layers), as text."""
    return " ".join(f"{value:.3f}" for value in shares.mean(0))


def in_digits(found: xr.Dataset) -> dict[str, float]:
    """A rate and the ends of its interval, in five digits."""
    return {end: round(float(found[end]), 5) for end in ("rate", "low", "high")}


def rows_of_kinds(label: str, runs: xr.Dataset, found: xr.Dataset) -> list[dict[str, Any]]:
    """The share of each kind among the seeds of one recipe; of rare kinds only if there are any."""
    rows = []
    shares = ap.stats.shares(found)
    for kind in found.attrs["kinds"]:
        share, here = shares.sel(kind=kind), (found.kind == kind).values
        if not here.any() and kind not in ("learned", "constant"):
            continue
        row = {"recipe": label, "kind": kind, "n": int(share.n), "seeds": int(share.successes)}
        row |= in_digits(share)
        row["idle units by layer, mean"] = ""
        if here.any():
            row["idle units by layer, mean"] = by_layer(runs.idle.values[here])

        rows.append(row)
    return rows


def failures(runs: Mapping[str, xr.Dataset], results: Path) -> list[dict[str, Any]]:
    """Share of every kind in every recipe, and the share of idle units.

    The kind of each seed goes to results/waveform_kinds.csv, for the figure.
    """
    rows, each = [], []
    for label, one in runs.items():
        found = kinds(label, one)
        for seed, kind in enumerate(found.kind.values.tolist()):
            each.append({"label": label, "seed": seed, "kind": kind})
        rows += rows_of_kinds(label, one, found)
    write(pd.DataFrame(each), results / "waveform_kinds.csv")
    return rows


# ---- tables --------------------------------------------------------------------------------------


def quantiles_of(runs: xr.Dataset, of: str) -> dict[str, str]:
    """The 5, 50 and 95% quantiles over seeds of what they ended with."""
    found = ap.stats.quantiles(runs[[of]], q=(0.05, 0.5, 0.95), of=of)[of].values
    low, middle, high = (f"{value:.5g}" for value in found)
    return {f"{of} 5": low, f"{of} 50": middle, f"{of} 95": high}


def outcome(label: str, runs: xr.Dataset) -> dict[str, Any]:
    """One recipe's row of `outcomes`."""
    classes, optimizer, changes = DESIGNS[label]
    hits, last = learned(runs), runs.isel(step=-1)
    rate, cost, tries = ap.stats.rate(hits), ap.stats.ert(hits), ap.stats.tries_needed(hits)
    row: dict[str, Any] = {
        "recipe": label,
        "classes": classes,
        "optimizer": optimizer,
        "changes": "+".join(changes),
        "n": int(rate.n),
        "successes": int(rate.successes),
    }
    row |= in_digits(rate)
    row |= quantiles_of(last, "test_accuracy")
    row |= quantiles_of(last, "test_loss")
    times = ap.stats.time_to_success(hits).upper
    row["epochs"] = f"{ap.stats.order_quantiles(times):g}"
    row["norm of weights"] = f"{ap.stats.order_quantiles(last.weight_norm):.4g}"
    row["idle units"] = by_layer(runs.idle.values)
    values = {
        "cost": cost.ert,
        "cost low": cost.low,
        "cost high": cost.high,
        "tries": tries.tries,
    }
    return row | {of: f"{float(value):.4g}" for of, value in values.items()}


def outcomes(runs: Mapping[str, xr.Dataset]) -> list[dict[str, Any]]:
    """Every recipe: how often it succeeds and when, and what it ends with on fresh rows.

    `epochs`: half of the seeds have first reached 0.99 by this record. `cost`: epochs per success
    if every failure is followed by a new seed. `tries`: seeds for one success with a probability of
    95%.
    """
    return [outcome(label, one) for label, one in runs.items()]


def rounded(name: str, value: xr.DataArray, effect: xr.Dataset) -> dict[str, float]:
    """An effect and the ends of its interval, in four digits."""
    return {
        name: round(float(value), 4),
        f"{name} low": round(float(effect.low), 4),
        f"{name} high": round(float(effect.high), 4),
    }


def against_literal(runs: Mapping[str, xr.Dataset]) -> list[dict[str, Any]]:
    """Every changed recipe against the literal one of its optimiser.

    The difference of their rates of success, and the probability of ending with the lower loss.
    """
    rows = []
    for label in runs:
        classes, optimizer, changes = DESIGNS[label]
        literal = name(classes, optimizer)
        if not changes or literal not in runs:
            continue
        rates, wins = more(runs, label, literal), better(runs, label, literal)
        row: dict[str, Any] = {"recipe": label, "against": literal, "n": int(rates.n)}
        row |= rounded("difference", rates.difference, rates)
        row |= rounded("lower loss", wins.improvement, wins)
        rows.append(row)
    return rows


def factor_row(optimizer: str, factor: str, rate: xr.Dataset, loss: xr.Dataset) -> dict[str, Any]:
    """What one advice changes: the rate of success, and the loss on fresh rows in nats."""
    row: dict[str, Any] = {
        "optimizer": optimizer,
        "factor": factor,
        "pairs": int(rate.pairs),
        "n": int(rate.n),
    }
    for of, found in (("rate", rate), ("loss", loss)):
        row[of] = round(float(found.difference), 5)
        row[f"{of} low"] = round(float(found.difference_low), 5)
        row[f"{of} high"] = round(float(found.difference_high), 5)
    return row


def factor_effects(runs: Mapping[str, xr.Dataset]) -> list[dict[str, Any]]:
    """What each advice changes at 32 classes, averaged over all combinations of the others."""
    rows = []
    for optimizer in ADAPTIVE:
        cells = {}
        for label, (classes, its, changes) in DESIGNS.items():
            if (classes, its) == (32, optimizer) and label in runs:
                cells[tuple(factor in changes for factor in FACTORS)] = runs[label]

        if not cells:
            continue
        rates = factors_of({key: learned(one) for key, one in cells.items()})
        losses = factors_of({key: loss_of(one) for key, one in cells.items()}, bounds=None)
        for factor in FACTORS:
            with_it = f"{factor}=True"
            rate, loss = rates.sel(effect=with_it), losses.sel(effect=with_it)
            if int(rate.pairs):
                rows.append(factor_row(optimizer, factor, rate, loss))
    return rows


def factors_of(cells: Mapping[tuple, Any], **options) -> xr.Dataset:
    """Effects of each advice, over cells that follow it or do not."""
    table = ap.stats.crossed(cells, dict.fromkeys(FACTORS, (False, True)))
    return ap.stats.effects(table, **options)


def loss_of(runs: xr.Dataset) -> xr.DataArray:
    """Loss on fresh rows of each seed at the end; infinite where it diverged."""
    return runs.test_loss.isel(step=-1, drop=True).astype(float).fillna(np.inf)


def levels_of(classes: int, even: bool) -> np.ndarray:
    """The classes' levels: k / 255, or spread evenly over [0, 1]."""
    if even:
        return np.linspace(0, 1, classes)
    return np.linspace(0, (classes - 1) / 255, classes)


def references() -> list[dict[str, Any]]:
    """The linear softmax that separates all classes: its loss by its scale S.

    Beside it stands the best accuracy that there can be.
    """
    rows = []
    designs = ((32, False), (64, False), (256, False), (64, True))
    for (classes, even), scale in product(designs, 10.0 ** np.arange(0, 9)):
        centres = levels_of(classes, even)
        exact = ap.floors.waveform_softmax(centres, 200, 1e-4, scale)
        bias = exact.bias - exact.bias.mean()  # a common constant changes no softmax
        norm = np.hypot(exact.norm, np.linalg.norm(bias))
        row = {
            "classes": classes,
            "levels": "k/255",
            "S": f"{scale:.0e}",
            "norm of weights": f"{norm:.4g}",
            "loss": f"{exact.cross_entropy:.4g}",
            "log K": f"{np.log(classes):.4g}",
            "accuracy": ap.floors.bayes_accuracy(centres, 1e-4 / np.sqrt(200)),
        }
        if even:
            row["levels"] = "even"

        rows.append(row)
    return rows


TITLES = {
    "recipes": "Every recipe",
    "effects": "Against the literal recipe of the same optimiser, on the same seeds",
    "factors": "32 classes: each advice, averaged over the others",
    "failures": "What became of the seeds",
    "reference": "The exact reference: a linear softmax",
}


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table without row numbers."""
    table.to_csv(path, index=False, lineterminator="\n")


def summarise(results: Path, summaries: Path, labels: Iterable[str], note: str = "") -> None:
    """Hold the saved results against the claims, and write and print all tables."""
    runs = {label: ap.load(path_of(results, label)) for label in labels}
    tables = {
        "recipes": outcomes(runs),
        "effects": against_literal(runs),
        "factors": factor_effects(runs),
        "failures": failures(runs, results),
        "reference": references(),
    }
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items() if rows}
    judged, reports = ap.stats.claims("waveform", statements(runs)), reported(runs)
    numbers = None
    if reports:
        numbers = ap.stats.reported("waveform", reports)

    sections = {TITLES[name]: frame for name, frame in frames.items()}
    ap.stats.write_claims(summaries, "waveform", judged, numbers, note, sections)
    for name, frame in frames.items():
        write(frame, summaries / f"waveform_{name}.csv")


def said(label: str, runs: xr.Dataset) -> str:
    """A recipe's rate of success and what its median seed ends with, as a line."""
    rate, last = ap.stats.rate(learned(runs)), runs.isel(step=-1)
    interval = f"[{float(rate.low):.1%}, {float(rate.high):.1%}] of {int(rate.n):,}"
    accuracy = ap.stats.order_quantiles(last.test_accuracy, worst=-np.inf)
    medians = f"accuracy {accuracy:.3f}, loss {ap.stats.order_quantiles(last.test_loss):.3g}"
    return f"{label:48} {float(rate.rate):6.1%} {interval}; median {medians}"


def main(
    seeds: int | None = None,
    steps: int = EPOCHS,
    classes: tuple[int, ...] = tuple(SEEDS),
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    quick: bool = False,
    saved: bool = False,
) -> None:
    """Train the literal recipes and all remedies, save them, and judge the thread's claims.

    Args:
        seeds: of each recipe; 32, and with 256 classes 16 of the literal and 8 of the changed ones,
            if left out.
        steps: epochs of each.
        classes: which of 32, 64, 256 to train; the tables hold whatever results there are.
        results: the folder to write to.
        summaries: the folder of the tables.
        quick: a look at a few recipes, with few seeds and epochs, in results/quick.
        saved: train only what is not in the folder of results, to go on, or to judge anew what is.
    """
    labels = [label for label, (many, *_) in DESIGNS.items() if many in classes]
    note, options = "", {}
    if quick:
        labels = [label for label in QUICK if label in labels]
        seeds, steps = min(seeds or QUICK_SEEDS, QUICK_SEEDS), min(steps, QUICK_EPOCHS)
        results = summaries = results / "quick"
        results.mkdir(parents=True, exist_ok=True)
        note = f"Quick look: {seeds} seeds, {steps} epochs; not the experiment."
        options = {"compiler_options": UNOPTIMISED}
        print(note, flush=True)

    missing = [label for label in labels if not (saved and path_of(results, label).exists())]
    for number, label in enumerate(missing, 1):
        runs = train(label, seeds, steps, results, progress=False, **options)
        print(f"{number:3} of {len(missing)}  {said(label, runs)}", flush=True)

    if not quick:  # the tables hold the classes that were trained before, too
        labels = [label for label in DESIGNS if path_of(results, label).exists()]

    summarise(results, summaries, labels, note)


if __name__ == "__main__":
    tyro.cli(main)
