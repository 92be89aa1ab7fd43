"""Which optimiser, and which advice, lets a network tell 32, 64 or 256 levels of a flat signal
apart.

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
    accuracy of 0.070 [0.051,
0.094] (5-95% of 16 seeds). All of SGD's, 5.52 and 0.008, and of Adam's, 1.47 and 0.90, lie outside
of its ranges: by the optimiser, not by chance, though 16 seeds cannot exclude a quantile of 2.5%.
Adam learns 32 classes in 84% [68, 93] of 32 seeds and 64 in 9% [3, 24], RMSprop in 41% [26, 58] and
none, SGD neither: it stays at log K, a constant. The
threshold matters: at 0.98 all of Adam's seeds have learned 64 classes; 28 miss but the last but
one. So it is with 256 after 3,000 epochs: none at 0.99, a median of 0.94, no row of Adam's off by
more than three classes. Apart from SGD's, nearly all failures of the literal recipes are not
finished: their loss still falls. Of the advice, another optimiser than SGD lowers the loss for
every seed. Gaussian units raise Adam at 64 classes from 9 to 100% [89, 100] and RMSprop at 32 from
41 to 100%; RMSprop at 64 they give a lower loss and fewer right, 0.47 of rows instead of 0.83.
Normalising hurts Adam and RMSprop at 32 and 64 classes, whose levels it puts between -1.7 and -0.9;
at 256, which then lie around 0, it lowers the loss of all 8 seeds of both. Rows at random hurt
wherever they were tried; with either, no combination learns 32 classes. One layer of 8 K raises the
loss of both, though Adam at 32 to 100%. SGD loses up to 0.7 nats by all but random rows, and learns
nothing. All but one of the 22 claims that advice raises the rate of success stay undecided: that
none of 32 is less than a tenth would take about a hundred seeds.
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
CENTER, SCALE = 0.5, 0.289  # the answer's, of numbers uniform over [0, 1]
LEARNED = 0.99


def recipe(
    classes: int, optimizer: str, epochs: int = EPOCHS, changes: Sequence[str] = ()
) -> ap.Recipe:
    """The thread's network for that many classes, with some of the advice."""
    widths = (8 * classes,) if "wide" in changes else (classes, 2 * classes)
    activation = "gaussian" if "gaussian" in changes else "sigmoid"
    model: Any = ap.MLP(widths, activation, outputs=classes, initializer="keras")
    return ap.Recipe(
        model=ap.scalings.PerFeature(model, CENTER, SCALE) if "normalise" in changes else model,
        optimizer=optimizer,
        learning_rate=OPTIMIZERS[optimizer],
        batches="stream",
        batch_size=classes,
        steps=epochs,
        records=tuple(n for n in sorted({*RECORDS, epochs}) if n <= epochs),
    )


def data(classes: int, changes: Sequence[str] = ()) -> ap.tasks.Waveform:
    """The thread's signals, with some of the changes."""
    return ap.tasks.waveform(
        classes=classes,
        dim=225 if "dim225" in changes else 200,
        spread=1.0 if "even" in changes else None,
        draw="random" if "random" in changes else "each",
    )


def name(classes: int, optimizer: str, changes: Sequence[str] = ()) -> str:
    """A recipe's label: 64_adam_keras, 64_adam_keras_normalise, 32_adam_keras_normalise+wide."""
    return "_".join(filter(None, (str(classes), optimizer, "+".join(changes))))


def designs() -> list[tuple[int, str, tuple[str, ...]]]:
    """Classes, optimiser and changes of every recipe: literal, remedies one by one, factorial, 256
    classes.
    """
    literal = [(classes, optimizer, ()) for classes in SEEDS for optimizer in OPTIMIZERS]
    single = [(64, optimizer, (remedy,)) for remedy in REMEDIES for optimizer in OPTIMIZERS]
    levels = [
        tuple(f for f, on in zip(FACTORS, row, strict=True) if on)
        for row in product((0, 1), repeat=4)
    ]
    adaptive = [optimizer for optimizer in OPTIMIZERS if optimizer != "sgd"]
    factorial = [
        (32, optimizer, changes) for changes in levels if changes for optimizer in adaptive
    ]
    large = [
        (256, optimizer, (remedy,)) for remedy in ("normalise", "wide") for optimizer in adaptive
    ]
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


def train(label: str, seeds: int | None, steps: int, results: Path, **options) -> xr.Dataset:
    """Run one recipe and save what is read of it."""
    classes, _, changes = DESIGNS[label]
    if seeds is None:
        seeds = (REMEDY_SEEDS if changes else SEEDS).get(classes, SEEDS[classes])
    task, whole = RECIPES[label]
    chosen = replace(
        whole, steps=steps, records=tuple(n for n in sorted({*RECORDS, steps}) if n <= steps)
    )
    runs = ap.run(
        task, chosen, seeds=seeds, keep=("params", "prediction", "weight_norm"), **options
    )
    runs = condensed(runs, label)
    ap.save(runs, results / f"waveform_{label}.nc")
    return runs


def condensed(runs: xr.Dataset, label: str) -> xr.Dataset:
    """Without outputs and parameters: the class chosen at every test point, the share of idle units
    per layer.
    """
    task, whole = RECIPES[label]
    points = np.asarray(task.points().x)
    inputs = (points - CENTER) / SCALE if "normalise" in DESIGNS[label][2] else points
    idle = jax.vmap(partial(ap.models.idle_units, ap.scalings.core(whole.model), x=inputs))(
        ap.params(runs)
    )
    chosen = runs.prediction.argmax("output").astype("int16")
    kept = [of for of in runs.data_vars if {"seed", "step"} == set(runs[of].dims)]
    small = runs[kept].assign(
        chosen=chosen.drop_vars(list(chosen.coords)), idle=(("seed", "layer"), np.asarray(idle))
    )
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
    """Two recipes on the seeds that both have."""
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


def statements(runs: Mapping[str, xr.Dataset]) -> list:
    """What the thread claims, and where the effect must lie for it to hold: written before anything
    was measured.

    256 classes have 16 seeds, on which "never" cannot be told from "seldom": "not learned" means by
    less than half.
    """
    end = f"accuracy {LEARNED} on fresh rows at the end"
    found = []
    for label, (classes, optimizer, changes) in DESIGNS.items():
        if label in runs and not changes:
            text = f"{classes} classes are {'not ' if classes == 256 else ''}learned: {NAMES[optimizer]}"
            holds = ap.stats.RARELY if classes == 256 else ap.stats.USUALLY
            found.append(
                ap.stats.Claim(
                    text, label, end, partial(ap.stats.rate, learned(runs[label])), holds
                )
            )
    for text, a, b in comparisons():
        if a in runs and b in runs:
            pair = f"{a} against {b}"
            found.append(
                ap.stats.Claim(
                    f"{text}: success", pair, end, partial(more, runs, a, b), ap.stats.HELPS
                )
            )
            measure = "lower loss on fresh rows at the end, on the same seed"
            found.append(
                ap.stats.Claim(
                    f"{text}: loss", pair, measure, partial(better, runs, a, b), ap.stats.BETTER
                )
            )
    return found


def comparisons() -> list[tuple[str, str, str]]:
    """Each advice of the thread in words, the recipe that follows it, and the one that does not."""
    swaps = [
        (
            f"another optimiser helps, {NAMES[a]} for {NAMES[b]}, {classes} classes",
            name(classes, a),
            name(classes, b),
        )
        for classes in (64, 256)
        for a, b in SWAPS
    ]
    remedies = [
        (
            f"{text}, {NAMES[optimizer]}, {classes} classes",
            name(classes, optimizer, (remedy,)),
            name(classes, optimizer),
        )
        for remedy, text in ADVICE.items()
        for classes in (64, 256)
        for optimizer in OPTIMIZERS
        if name(classes, optimizer, (remedy,)) in DESIGNS
    ]
    return swaps + remedies


def reported(runs: Mapping[str, xr.Dataset]) -> list:
    """The thread's ranges at 256 classes beside the means that Keras would print; its optimiser is
    not known.
    """
    words = {"batch_loss": "loss", "batch_accuracy": "accuracy"}
    found = []
    for (of, least, most), optimizer in product(REPORTED, OPTIMIZERS):
        label = name(256, optimizer)
        if label not in runs:
            continue
        asked = runs[label].sel(step=slice(0, ASKED)).isel(step=-1)
        text = f"mean {words[of]} of epoch {int(asked.step):,}, {least:g} to {most:g}, if it was {NAMES[optimizer]}"
        half = (most - least) / 2
        found.append(ap.stats.Reported(text, label, asked[of].values, (least + most) / 2, half))
    return found


# ---- failures ------------------------------------------------------------------------------------


def kinds(label: str, runs: xr.Dataset) -> xr.Dataset:
    """What became of every seed: learned, learned and lost, a plateau of the loss (log K: a
    constant), not finished.

    Not finished is what was still falling on fresh rows (see `stats.falling`). Seeds that lie
    together in the middle of a fall are no plateau: only the constant's is one whatever the slope.
    """
    hits = learned(runs)
    found = ap.stats.plateaus(runs, {"constant": np.log(DESIGNS[label][0])}, of="test_loss")
    plateaus = [kind for kind in found.attrs["kinds"] if kind not in ("on no plateau", "diverged")]
    kind, falling = found.kind.astype(object), ap.stats.falling(runs, of="test_loss")
    kind = kind.where(kind.isin(["constant", "diverged"]) | ~falling, "not finished")
    kind = kind.where(~ap.stats.reading(hits, "first"), "lost again")
    kind = kind.where(~ap.stats.reading(hits), "learned")
    order = ["learned", "lost again", *plateaus, "not finished", "on no plateau", "diverged"]
    return kind.astype(str).to_dataset(name="kind").assign_attrs(kinds=order)


def failures(runs: Mapping[str, xr.Dataset], results: Path) -> list[dict[str, Any]]:
    """Share of every kind in every recipe, and the share of idle units; every seed's to
    results/waveform_kinds.csv.
    """
    rows, each = [], []
    for label, one in runs.items():
        found = kinds(label, one)
        each += [
            {"label": label, "seed": seed, "kind": kind}
            for seed, kind in enumerate(found.kind.values.tolist())
        ]
        shares = ap.stats.shares(found)
        for kind in found.attrs["kinds"]:
            share, here = shares.sel(kind=kind), (found.kind == kind).values
            if not here.any() and kind not in ("learned", "constant"):
                continue
            row = {"recipe": label, "kind": kind, "n": int(share.n), "seeds": int(share.successes)}
            row |= {end: round(float(share[end]), 5) for end in ("rate", "low", "high")}
            idle = (
                " ".join(f"{value:.3f}" for value in one.idle.values[here].mean(0))
                if here.any()
                else ""
            )
            rows.append(row | {"idle units by layer, mean": idle})
    pd.DataFrame(each).to_csv(results / "waveform_kinds.csv", index=False, lineterminator="\n")
    return rows


# ---- tables --------------------------------------------------------------------------------------


def outcomes(runs: Mapping[str, xr.Dataset]) -> list[dict[str, Any]]:
    """Every recipe: how often it succeeds and when, accuracy and loss on fresh rows, weights, what
    a success costs.

    `epochs`: half of the seeds have first reached 0.99 by this record. `cost`: epochs per success
    if every failure is followed by a new seed. `tries`: seeds for one success with a probability of
    95%.
    """
    rows = []
    for label, one in runs.items():
        classes, optimizer, changes = DESIGNS[label]
        hits, last = learned(one), one.isel(step=-1)
        rate, cost, tries = ap.stats.rate(hits), ap.stats.ert(hits), ap.stats.tries_needed(hits)
        row: dict[str, Any] = {"recipe": label, "classes": classes, "optimizer": optimizer}
        row |= {"changes": "+".join(changes), "n": int(rate.n), "successes": int(rate.successes)}
        row |= {end: round(float(rate[end]), 5) for end in ("rate", "low", "high")}
        for of in ("test_accuracy", "test_loss"):
            found = ap.stats.quantiles(last[[of]], q=(0.05, 0.5, 0.95), of=of)[of].values
            row |= {
                f"{of} {q}": f"{value:.5g}" for q, value in zip((5, 50, 95), found, strict=True)
            }
        times = ap.stats.time_to_success(hits).upper
        row["epochs"] = f"{ap.stats.order_quantiles(times):g}"
        row |= {"norm of weights": f"{ap.stats.order_quantiles(last.weight_norm):.4g}"}
        row["idle units"] = " ".join(f"{value:.3f}" for value in one.idle.values.mean(0))
        values = {
            "cost": cost.ert,
            "cost low": cost.low,
            "cost high": cost.high,
            "tries": tries.tries,
        }
        rows.append(row | {of: f"{float(value):.4g}" for of, value in values.items()})
    return rows


def against_literal(runs: Mapping[str, xr.Dataset]) -> list[dict[str, Any]]:
    """Every changed recipe against the literal one of its optimiser: success, and who ends with the
    lower loss.
    """
    rows = []
    for label in runs:
        classes, optimizer, changes = DESIGNS[label]
        literal = name(classes, optimizer)
        if not changes or literal not in runs:
            continue
        rates, wins = more(runs, label, literal), better(runs, label, literal)
        row: dict[str, Any] = {"recipe": label, "against": literal, "n": int(rates.n)}
        for of, effect, value in (
            ("difference", rates, rates.difference),
            ("lower loss", wins, wins.improvement),
        ):
            row |= {of: round(float(value), 4)}
            row |= {f"{of} {end}": round(float(effect[end]), 4) for end in ("low", "high")}
        rows.append(row)
    return rows


def factor_effects(runs: Mapping[str, xr.Dataset]) -> list[dict[str, Any]]:
    """What each advice changes at 32 classes, averaged over all combinations of the others, with
    and without it.

    Of the rate of success and of the loss on fresh rows (nats).
    """
    rows = []
    for optimizer in ("adam_keras", "rmsprop_keras"):
        cells = {
            tuple(factor in changes for factor in FACTORS): runs[label]
            for label, (classes, its, changes) in DESIGNS.items()
            if (classes, its) == (32, optimizer) and label in runs
        }
        if not cells:
            continue
        rate = factors_of({key: learned(one) for key, one in cells.items()})
        loss = factors_of({key: loss_of(one) for key, one in cells.items()}, bounds=None)
        for factor in FACTORS:
            of = {
                "rate": rate.sel(effect=f"{factor}=True"),
                "loss": loss.sel(effect=f"{factor}=True"),
            }
            row: dict[str, Any] = {
                "optimizer": optimizer,
                "factor": factor,
                "pairs": int(of["rate"].pairs),
            }
            row["n"] = int(of["rate"].n)
            for name, one in of.items():
                ends = {
                    "": one.difference,
                    " low": one.difference_low,
                    " high": one.difference_high,
                }
                row |= {f"{name}{end}": round(float(value), 5) for end, value in ends.items()}
            if row["pairs"]:
                rows.append(row)
    return rows


def factors_of(cells: Mapping[tuple, Any], **options) -> xr.Dataset:
    """Effects of the advice that a cell follows or does not."""
    return ap.stats.effects(
        ap.stats.crossed(cells, dict.fromkeys(FACTORS, (False, True))), **options
    )


def loss_of(runs: xr.Dataset) -> xr.DataArray:
    """Loss on fresh rows of each seed at the end; infinite where it diverged."""
    return runs.test_loss.isel(step=-1, drop=True).astype(float).fillna(np.inf)


def references() -> list[dict[str, Any]]:
    """The linear softmax that separates all classes: its loss by its scale S, and the best accuracy
    there can be.
    """
    rows = []
    for (classes, even), scale in product(
        ((32, 0), (64, 0), (256, 0), (64, 1)), 10.0 ** np.arange(0, 9)
    ):
        centres = np.linspace(0, 1 if even else (classes - 1) / 255, classes)
        exact = ap.floors.waveform_softmax(centres, 200, 1e-4, scale)
        bias = exact.bias - exact.bias.mean()  # a common constant changes no softmax
        bayes = ap.floors.bayes_accuracy(centres, 1e-4 / np.sqrt(200))
        row = {"classes": classes, "levels": "even" if even else "k/255", "S": f"{scale:.0e}"}
        row |= {"norm of weights": f"{np.hypot(exact.norm, np.linalg.norm(bias)):.4g}"}
        rows.append(
            row
            | {
                "loss": f"{exact.cross_entropy:.4g}",
                "log K": f"{np.log(classes):.4g}",
                "accuracy": bayes,
            }
        )
    return rows


TITLES = {
    "recipes": "Every recipe",
    "effects": "Against the literal recipe of the same optimiser, on the same seeds",
    "factors": "32 classes: each advice, averaged over the others",
    "failures": "What became of the seeds",
    "reference": "The exact reference: a linear softmax",
}


def summarise(results: Path, summaries: Path, labels: Iterable[str], note: str = "") -> None:
    """Hold the saved results against the claims, and write and print all tables."""
    runs = {label: ap.load(results / f"waveform_{label}.nc") for label in labels}
    tables = {
        "recipes": outcomes(runs),
        "effects": against_literal(runs),
        "factors": factor_effects(runs),
        "failures": failures(runs, results),
        "reference": references(),
    }
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items() if rows}
    judged, reports = ap.stats.claims("waveform", statements(runs)), reported(runs)
    numbers = ap.stats.reported("waveform", reports) if reports else None
    sections = {TITLES[name]: frame for name, frame in frames.items()}
    ap.stats.write_claims(summaries, "waveform", judged, numbers, note, sections)
    for name, frame in frames.items():
        frame.to_csv(summaries / f"waveform_{name}.csv", index=False, lineterminator="\n")


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
        note = f"Quick look: {seeds} seeds, {steps} epochs; not the experiment."
        options = {
            "compiler_options": ap.sweep.programs.accepted({"xla_backend_optimization_level": 0})
        }
        print(note, flush=True)
    chosen = [
        label for label in labels if not (saved and (results / f"waveform_{label}.nc").exists())
    ]
    for number, label in enumerate(chosen, 1):
        runs = train(label, seeds, steps, results, progress=False, **options)
        rate, last = ap.stats.rate(learned(runs)), runs.isel(step=-1)
        share = f"{float(rate.rate):6.1%} [{float(rate.low):.1%}, {float(rate.high):.1%}] of {int(rate.n):,}"
        accuracy = ap.stats.order_quantiles(last.test_accuracy, worst=-np.inf)
        medians = f"accuracy {accuracy:.3f}, loss {ap.stats.order_quantiles(last.test_loss):.3g}"
        print(f"{number:3} of {len(chosen)}  {label:48} {share}; median {medians}", flush=True)
    there = (
        labels
        if quick
        else [label for label in DESIGNS if (results / f"waveform_{label}.nc").exists()]
    )
    summarise(results, summaries, there, note)


if __name__ == "__main__":
    tyro.cli(main)
