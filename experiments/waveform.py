"""Which optimiser lets a network tell 32, 64 or 256 levels of a flat signal apart, "the class of x / 256 is x".

Source: the question-and-answer thread on signals of 200 numbers, all of them class / 255 but for noise of 1e-4: Keras,
200-K-2K-K sigmoids and a softmax, cross-entropy, one batch of one row per class an epoch, freshly drawn, up to 3,000
epochs. It does not name its optimiser; Keras' SGD, Adam and RMSprop are run, each at its default rate. "One batch is
one epoch" is our reading. 32 and 64 classes are said to be learned, 256 to stay at a loss of 2 to 3 and an accuracy of
0.07 to 0.1 after 2,500 epochs. A linear softmax separates all classes exactly.
Expected finding: the optimiser decides, and 256 classes are learned by none within 3,000 epochs.
Found: Keras' RMSprop gives the thread's numbers at 256 classes, 2.97 and 0.074, while Adam has learned 0.9 of them by
then; SGD learns none of the three.
Cost: five minutes on two cores, three and a half of them for 256 classes. Writes
results/waveform_{CLASSES}_{OPTIMISER}.nc.
"""

from pathlib import Path

import numpy as np
import tyro

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
EPOCHS = 3_000
OPTIMIZERS = {"sgd": 0.01, "adam_keras": 1e-3, "rmsprop_keras": 1e-3}  # with Keras' default learning rates
RECORDS = (0, 1, 10, 50, 100, 200, 300, *range(500, EPOCHS, 250), 2_499, EPOCHS)  # 2,500 alone, as Keras prints it
SEEDS = {32: 32, 64: 32, 256: 8}


def recipe(classes: int, optimizer: str, epochs: int = EPOCHS) -> ap.Recipe:
    """The thread's network for that many classes."""
    return ap.Recipe(
        model=ap.MLP((classes, 2 * classes), "sigmoid", outputs=classes, initializer="keras"),
        optimizer=optimizer,
        learning_rate=OPTIMIZERS[optimizer],
        batches="stream",
        batch_size=classes,
        steps=epochs,
        records=tuple(n for n in sorted({*RECORDS, epochs}) if n <= epochs),
    )


RECIPES = {
    f"{classes}_{optimizer}": (ap.tasks.waveform(classes=classes), recipe(classes, optimizer))
    for classes in SEEDS
    for optimizer in OPTIMIZERS
}
# What the thread says of 256 classes after 2,500 epochs: quantity, from, to.
REPORTED = (("batch_loss", 2.0, 3.0), ("batch_accuracy", 0.07, 0.1))


def table(label: str, runs) -> str:
    """What a paper would say of one recipe, as text."""
    n, classes = runs.sizes["seed"], int(label.split("_")[0])
    lines = [f"{label}: {n} seeds, {int(runs.step[-1]):,} epochs, identity {runs.identity[:12]}"]
    for of, name in (("test_loss", "loss"), ("test_accuracy", "accuracy")):
        low, mid, high = np.quantile(runs[of].isel(step=-1), (0.05, 0.5, 0.95))
        lines.append(f"  {name:8} on fresh rows at the end: median {mid:.4f}   5% {low:.4f}   95% {high:.4f}")
    r = ap.stats.rate(runs.test_accuracy.isel(step=-1) >= 0.99)
    lines.append(f"  accuracy >= 0.99: {float(r.rate):6.1%} [{float(r.low):.1%}, {float(r.high):.1%}] Wilson 95%")
    if classes == 256 and 2_500 in runs.step:
        for of, least, most in REPORTED:
            values = runs[of].sel(step=2_500)
            low, mid, high = np.quantile(values, (0.05, 0.5, 0.95))
            at = [ap.stats.rate(values <= bound) for bound in (least, most)]
            places = " to ".join(f"{float(r.rate):.2f} [{float(r.low):.2f}, {float(r.high):.2f}]" for r in at)
            lines.append(
                f"  {of:14} epoch 2,500: median {mid:.4f}   5% {low:.4f}   95% {high:.4f}"
                f"   the thread's {least:g} to {most:g}: quantiles {places}"
            )
    return "\n".join(lines)


def main(
    seeds: int | None = None, steps: int = EPOCHS, classes: tuple[int, ...] = tuple(SEEDS), results: Path = RESULTS
) -> None:
    """Train every number of classes with every optimiser, print what came out, and save it.

    Args:
        seeds: of each recipe; 32, and 8 of those with 256 classes, if left out.
        steps: epochs of each.
        classes: which of 32, 64, 256.
        results: the folder to write to.
    """
    for label, (task, whole) in RECIPES.items():
        if task.classes not in classes:
            continue
        chosen = recipe(task.classes, whole.optimizer, steps)
        runs = ap.run(task, chosen, seeds=SEEDS[task.classes] if seeds is None else seeds, keep=())
        path = ap.save(runs, results / f"waveform_{label}.nc")
        print(table(label, runs), f"\n  saved as {path}", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
