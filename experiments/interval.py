"""How often a network of two sigmoids finds one interval in one dimension, raw or standardised.

Source: the question-and-answer thread on a bump: 300 points, 1 on the middle hundred; 1-2-1 sigmoids in Keras, binary
cross-entropy, SGD at 0.01, batches of 32, 200 and 1,000 epochs, raw x: accuracy 0.6667, the share of the majority. Its
answer standardises x and takes Adam at 0.1 for 20 epochs: accuracy 1.0 from epoch 13 on.
Expected finding: the literal recipe never succeeds; the answer's does for some seeds and not for others.
Found: every seed of the literal recipe ends at the majority's share, and the loss of 0.5566 is an ordinary one; 84% of
the answer's seeds end at accuracy 1.0, 69% have it by epoch 13, and the loss of 0.072 is an ordinary one.
Cost: a quarter of a minute on two cores for 512 seeds, most of it compilation. Writes
results/interval_{literal,answer}.nc.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import tyro

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
EPOCH = 10  # updates: 300 rows in batches of 32, the last of them on 12 rows
NETWORK = ap.MLP((2,), "sigmoid", initializer="keras")  # the output's sigmoid belongs to the loss
RECIPES = {
    "literal": (
        ap.tasks.interval(),
        ap.Recipe(
            model=NETWORK,
            optimizer="sgd",
            learning_rate=0.01,
            batch_size=32,
            steps=1_000 * EPOCH,
            records=tuple(EPOCH * n for n in (0, 1, 2, 5, 10, 20, 50, 100, 199, 200, 400, 600, 800, 999, 1_000)),
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
}
# What the threads' outputs say: recipe, quantity (means over an epoch's batches, as Keras prints them), epoch, value.
REPORTED = (
    ("literal", "batch_accuracy", 200, 2 / 3),
    ("literal", "batch_accuracy", 1_000, 2 / 3),
    ("literal", "batch_loss", 1_000, 0.5566),
    ("answer", "batch_accuracy", 13, 1.0),
    ("answer", "batch_loss", 20, 0.072),
)


def table(label: str, runs) -> str:
    """What a paper would say of one recipe, as text."""
    n = runs.sizes["seed"]
    lines = [f"{label}: {n} seeds, {int(runs.step[-1]):,} steps, identity {runs.identity[:12]}"]
    for above in (1.0, 0.99):
        r = ap.stats.rate(runs.accuracy.isel(step=-1) >= above - 1e-6)
        lines.append(
            f"  accuracy at the end >= {above:<5g}{float(r.successes):4.0f} of {n}: {float(r.rate):6.1%}"
            f"   [{float(r.low):.1%}, {float(r.high):.1%}] Wilson 95%"
        )
    for recipe, of, epoch, reported in REPORTED:
        if recipe != label or EPOCH * epoch not in runs.step:
            continue
        values = runs[of].sel(step=EPOCH * epoch)
        low, mid, high = np.quantile(values, (0.05, 0.5, 0.95))
        r = ap.stats.rate(values <= reported + 1e-6)  # single precision
        lines.append(
            f"  {of:14} epoch {epoch:5,d}: median {mid:.4f}   5% {low:.4f}   95% {high:.4f}"
            f"   the thread's {reported:6.4f}: quantile {float(r.rate):.2f} [{float(r.low):.2f}, {float(r.high):.2f}]"
        )
    return "\n".join(lines)


def main(seeds: int = 512, steps: int | None = None, results: Path = RESULTS) -> None:
    """Train the literal recipe and the answer's, print what came out, and save it.

    Args:
        seeds: of each recipe.
        steps: at most so many updates of each, for a quick look; the thread's numbers if left out.
        results: the folder to write to.
    """
    for label, (task, recipe) in RECIPES.items():
        if steps is not None and steps < recipe.steps:
            recipe = replace(recipe, steps=steps, records=20)
        runs = ap.run(task, recipe, seeds=seeds)
        path = ap.save(runs, results / f"interval_{label}.nc")
        print(table(label, runs), f"\n  saved as {path}", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
