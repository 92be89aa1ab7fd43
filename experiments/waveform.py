"""Which optimiser and advice let a network tell 32, 64 or 256 levels of a flat signal apart.

Source: "What make it so hard for a neural network to learn a classifier that class of x/256 is x?",
Stack Overflow. Its signals are 200 numbers, all of them class / 255 but for noise of 1e-4. Its
networks have 200-K-2K-K sigmoids and a softmax, and learn by the cross-entropy on raw x, from one
fresh row of each of the K classes an epoch. The thread does not name its optimiser; Keras' SGD,
Adam and RMSprop are run, each at its default rate. "One batch is one epoch" is our reading. The
thread says that 32 and 64 classes are learned, and that 256 stay at a loss of 2 to 3 and an
accuracy of 0.07 to 0.1 after 2,500 epochs. It advises another optimiser, (x - 0.5) / 0.289, one
hidden layer of 8 K units, Gaussian units, and rows drawn at random instead of one of each class.

Each advice is followed by itself at 64 classes, two of them at 256, and all combinations at 32
classes, for Adam and RMSprop. Besides, levels are spread evenly over [0, 1], and rows have 225
numbers, as the thread's generator says. A success is an accuracy of 0.99 on fresh rows after 3,000
epochs; "within one class" counts the class beside the right one as right. A linear softmax
separates all classes exactly.

Cost: 26 minutes on two cores with other light work beside. Writes results/waveform/ and
summaries/waveform_*; waveform_report.md says what was found, and the figure draws the curves of
waveform_curves.csv.
"""

from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tyro
import xarray as xr

import approx as ap

CASE = "waveform"
RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
SOURCE = (
    '"What make it so hard for a neural network to learn a classifier that class of x/256 is x?", '
    "Stack Overflow"
)
EPOCHS, SEEDS = 3_000, 32
QUICK_EPOCHS, QUICK_SEEDS = 40, 8
# 2,500 alone, because what Keras prints is a mean over one epoch
RECORDS = (0, 1, 10, 50, 100, 200, 300, *range(500, EPOCHS, 250), 2_499)
LEARNED = 0.99
NEAR = f"for {LEARNED:.0%} of fresh rows the class chosen is the right one or beside it"
CLASSES = (32, 64, 256)
MODEL = ap.MLP((32, 64), "sigmoid", outputs=32, initializer="keras")
OPTIMIZERS: dict[str, dict[str, Any]] = {  # with Keras' default rates
    "SGD": {"optimizer": "sgd", "learning_rate": 0.01},
    "Adam": {"optimizer": "adam_keras", "learning_rate": 0.001},
    "RMSprop": {"optimizer": "rmsprop_keras", "learning_rate": 0.001},
}
ADVICE = {  # name of a change: what it claims
    "normalised": "(x - 0.5) / 0.289 helps",
    "one layer": "one hidden layer of 8K units helps",
    "Gaussian": "Gaussian units help",
    "random rows": "rows at random help",
}
BESIDES = ("even levels", "225 numbers")
SWAPS = (("Adam", "SGD"), ("RMSprop", "SGD"), ("Adam", "RMSprop"))
# What the thread says of 256 classes: variable, its name, from, to, after so many epochs
ASKED = 2_500
REPORTED = (("batch_loss", "loss", 2.0, 3.0), ("batch_accuracy", "accuracy", 0.07, 0.1))


def name(classes: int, optimizer: str, advice: str = "") -> str:
    """The label of a row of the study."""
    if (classes, optimizer, advice) == (32, "Adam", ""):
        return ap.study.BASELINE
    return f"{classes} classes, {optimizer}" + (f", {advice}" if advice else "")


QUICK = (
    name(32, "Adam"),
    name(64, "SGD"),
    name(64, "Adam"),
    name(64, "RMSprop"),
    name(64, "Adam", "normalised"),
    name(256, "RMSprop"),
)

# ---- what is changed -----------------------------------------------------------------------------


def of_classes(classes: int) -> dict[str, Any]:
    """The change to another number of classes."""
    return {
        "task.classes": classes,
        "task.spread": (classes - 1) / 255,
        "model.outputs": classes,
        "model.widths": (classes, 2 * classes),
        "batch_size": classes,
    }


def advised(classes: int) -> dict[str, dict[str, Any]]:
    """The change that each advice is, and the two besides, for that many classes."""
    return {
        "": {},
        "normalised": {"model": ap.scalings.PerFeature(MODEL, 0.5, 0.289)},
        "one layer": {"model.widths": (8 * classes,)},
        "Gaussian": {"model.activation": "gaussian"},
        "random rows": {"task.draw": "random"},
        "even levels": {"task.spread": 1.0},
        "225 numbers": {"task.dim": 225},
    }


def designs() -> list[tuple[int, str, str]]:
    """Classes, optimiser and advice of every row but the combinations; the literal rows first."""
    literal = product(CLASSES, OPTIMIZERS, [""])
    single = product([64], OPTIMIZERS, [*ADVICE, *BESIDES])
    large = product([256], ["Adam", "RMSprop"], ["normalised", "one layer"])
    return [*literal, *single, *large]


def changes() -> dict[str, dict[str, Any]]:
    """Every row but the combinations, as a change of Adam's with 32 classes."""
    found = {}
    for classes, optimizer, advice in designs():
        change = of_classes(classes) | OPTIMIZERS[optimizer] | advised(classes)[advice]
        found[name(classes, optimizer, advice)] = change
    del found[ap.study.BASELINE]
    return found


def factors() -> dict[str, dict[str, Any]]:
    """Each advice followed or not, with 32 classes."""
    change = advised(32)
    return {
        "optimiser": {"Adam": {}, "RMSprop": OPTIMIZERS["RMSprop"]},
        "inputs": {"raw": {}, "normalised": change["normalised"]},
        "layers": {"K-2K": {}, "8K": change["one layer"]},
        "units": {"sigmoid": {}, "Gaussian": change["Gaussian"]},
        "rows": {"of each class": {}, "at random": change["random rows"]},
    }


def compared() -> dict[str, str]:
    """With which row each row is compared: without the advice, or else with Adam."""
    found = {}
    for classes, optimizer, advice in designs():
        other = name(classes, "Adam")
        if advice:
            other = name(classes, optimizer)
        found[name(classes, optimizer, advice)] = other

    for levels in product(*factors().values()):
        optimizer = levels[0]
        found[", ".join(levels)] = name(32, optimizer)
    return {label: other for label, other in found.items() if label != other}


def shares() -> dict[str, dict[str, float]]:
    """With 256 classes a row has half of the seeds, and a changed one a quarter."""
    found = {}
    for classes, optimizer, advice in designs():
        if classes == 256:
            found[name(classes, optimizer, advice)] = {"seeds": 0.25 if advice else 0.5}
    return found


# ---- what is judged ------------------------------------------------------------------------------


def far_off(runs: xr.Dataset) -> xr.DataArray:
    """For each seed the share of fresh rows whose class is missed by more than one.

    The fresh rows are of the classes 0, 1, ..., K - 1, 0, 1, ... A network whose outputs are not
    numbers has chosen no class.
    """
    outputs = runs.prediction.transpose("seed", "point", "output").values
    _, rows, classes = outputs.shape
    right = np.arange(rows) % classes
    is_number = np.isfinite(outputs).all(2)
    is_near = abs(outputs.argmax(2) - right) <= 1
    is_far = ~(is_number & is_near)
    return xr.DataArray(is_far.mean(1), {"seed": runs.seed}, "seed")


def near(runs: xr.Dataset) -> xr.DataArray:
    """Seeds that choose the right class or one beside it for nearly all fresh rows."""
    return 1 - far_off(runs) >= LEARNED


def with_rate(optimizer: str) -> str:
    """An optimiser with its learning rate."""
    return f"{optimizer} at {OPTIMIZERS[optimizer]['learning_rate']:g}"


def claims() -> list[ap.study.Claim]:
    """What the thread claims, and the region in which each effect must lie for a claim to hold.

    The regions were written before anything was measured. 256 classes have 16 seeds, on which
    "never" cannot be told from "seldom": "not learned" means by less than half.
    """
    found = []
    for classes, optimizer in product((32, 64), OPTIMIZERS):
        text = f"{classes} classes are learned: {with_rate(optimizer)} on raw x"
        found.append(ap.usually(name(classes, optimizer), text))
    for optimizer in OPTIMIZERS:
        text = f"256 classes are not learned: {with_rate(optimizer)} on raw x"
        found.append(ap.rarely(name(256, optimizer), text))

    for classes, (one, other) in product((64, 256), SWAPS):
        text = f"another optimiser helps, {with_rate(one)} for {with_rate(other)}, "
        text += f"{classes} classes"
        found += claims_of_advice(text, name(classes, one), name(classes, other))

    there = designs()
    for advice, classes, optimizer in product(ADVICE, (64, 256), OPTIMIZERS):
        if (classes, optimizer, advice) in there:
            text = f"{ADVICE[advice]}, {with_rate(optimizer)}, {classes} classes"
            pair = name(classes, optimizer, advice), name(classes, optimizer)
            found += claims_of_advice(text, *pair)
    return found


def claims_of_advice(text: str, row: str, other: str) -> list[ap.study.Claim]:
    """That a row succeeds more often than another, and that it ends with the lower loss."""
    return [
        ap.helps(row, f"{text}: success", against=other),
        ap.study.better(row, f"{text}: loss", against=other, of="test_loss"),
    ]


def reported(epochs: int) -> list[ap.study.Reported]:
    """The thread's ranges at 256 classes, beside the means over an epoch that Keras would print.

    The thread does not name its optimiser, so that each is tried.
    """
    step = min(ASKED, epochs)
    found = []
    for (of, word, least, most), optimizer in product(REPORTED, OPTIMIZERS):
        text = f"mean {word} of epoch {step:,}, {least:g} to {most:g}, if it was {optimizer}"
        middle, half = (least + most) / 2, (most - least) / 2
        row = name(256, optimizer)
        found.append(ap.study.Reported(text, row, middle, of, step, half))
    return found


def study(epochs: int = EPOCHS) -> ap.Study:
    """The question, so that it can be trained, drawn and tested."""
    records = {step for step in RECORDS if step < epochs} | {epochs}
    recipe = ap.Recipe(
        model=MODEL,
        **OPTIMIZERS["Adam"],
        batches="stream",
        batch_size=32,
        steps=epochs,
        records=tuple(sorted(records)),
    )
    measures = {
        "learned": ap.study.threshold("test_accuracy", above=LEARNED),
        "within one class": ap.study.Measure(NEAR, near, far_off),
    }
    rows = changes()
    constant = {label: change["task.classes"] for label, change in rows.items()}
    return ap.Study(
        ap.tasks.waveform(classes=32),
        recipe,
        success=measures,
        changes=rows,
        factors=factors(),
        against=compared(),
        claims=claims(),
        judged=(),
        reported=reported(epochs),
        plateaus=lambda label: {"constant": float(np.log(constant.get(label, 32)))},
        options=shares(),
        keep=("params", "prediction", "weight_norm"),
        title=f"Levels of a flat signal; the baseline is {with_rate('Adam')} with 32 of them",
        source=SOURCE,
    )


# ---- further tables ------------------------------------------------------------------------------


def ends(asked: ap.Study, labels: Iterable[str]) -> pd.DataFrame:
    """Quantiles over seeds of the loss and the norm that the networks of each row end with."""
    rows = []
    for label, of in product(labels, ("test_loss", "weight_norm")):
        last = asked.runs(label)[[of]].isel(step=-1)
        found = ap.stats.quantiles(last, of, (0.05, 0.5, 0.95))
        row = {"label": label, "of": of, "n": last.sizes["seed"]}
        rows.append(row | dict(zip(("q05", "q50", "q95"), found[of].values, strict=True)))
    return pd.DataFrame(rows)


def references() -> pd.DataFrame:
    """The linear softmax that separates all classes: its loss by its scale S.

    Beside it stands the best accuracy that there can be.
    """
    rows = []
    designs = ((32, "k/255"), (64, "k/255"), (256, "k/255"), (64, "even"))
    for (classes, levels), scale in product(designs, 10.0 ** np.arange(0, 9)):
        highest = 1.0 if levels == "even" else (classes - 1) / 255
        centres = np.linspace(0, highest, classes)
        exact = ap.floors.waveform_softmax(centres, 200, 1e-4, scale)
        bias = exact.bias - exact.bias.mean()  # a common constant changes no softmax
        row = {
            "classes": classes,
            "levels": levels,
            "S": scale,
            "norm of weights": np.hypot(exact.norm, np.linalg.norm(bias)),
            "loss": exact.cross_entropy,
            "log K": np.log(classes),
            "accuracy": ap.floors.bayes_accuracy(centres, 1e-4 / np.sqrt(200)),
        }
        rows.append(row)
    return pd.DataFrame(rows)


# ---- what the figures draw -----------------------------------------------------------------------

DRAWN = 64  # classes whose learning curves are drawn
BAND = (0.05, 0.5, 0.95)  # of the seeds


def curve_table(label: str, runs: xr.Dataset) -> pd.DataFrame:
    """Quantiles over the seeds of the accuracy on fresh rows, at every record."""
    found = ap.stats.quantiles(runs, "test_accuracy", BAND).test_accuracy
    low, middle, high = found.transpose("quantile", "step").values
    return pd.DataFrame(
        {
            "label": label,
            "epochs": runs.step.values,
            "n": runs.sizes["seed"],
            "q05": low,
            "q50": middle,
            "q95": high,
            "fingerprint": runs.fingerprint[:12],
        }
    )


def write_drawn(asked: ap.Study, summaries: Path) -> Path:
    """Write the learning curves that the figure draws: those of the literal rows of 64 classes."""
    literal = [name(DRAWN, optimizer) for optimizer in OPTIMIZERS]
    there = [label for label in literal if label in asked.trained.by_row]
    table = pd.concat([curve_table(label, asked.runs(label)) for label in there])
    path = summaries / f"{CASE}_curves.csv"
    table.to_csv(path, index=False, float_format="%.5g", lineterminator="\n")
    return path


def main(
    seeds: int = SEEDS,
    epochs: int = EPOCHS,
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    quick: bool = False,
) -> None:
    """Train the literal recipes and all advice, and judge the thread's claims.

    The same call goes on after an interrupt: what is in the folder of results is not trained again.

    Args:
        seeds: of each row; with 256 classes half as many, and a quarter where a row is changed.
        epochs: of each.
        results: the folder to write to.
        summaries: the folder of the tables.
        quick: a look at a few rows, with few seeds and epochs, in results/quick.
    """
    if quick:
        seeds, epochs = min(seeds, QUICK_SEEDS), min(epochs, QUICK_EPOCHS)
        results = summaries = results / "quick"
        results.mkdir(parents=True, exist_ok=True)
        print(f"Quick look: {seeds} seeds, {epochs} epochs; not the experiment.", flush=True)

    asked = study(epochs)
    labels = list(QUICK if quick else asked.rows)
    asked.run(seeds, out=results / CASE, only=labels)
    asked.answer().write(summaries, CASE)
    for table, frame in (("ends", ends(asked, labels)), ("reference", references())):
        path = summaries / f"{CASE}_{table}.csv"
        frame.to_csv(path, index=False, float_format="%.4g", lineterminator="\n")
    write_drawn(asked, summaries)
    print(asked.report())


if __name__ == "__main__":
    tyro.cli(main)
