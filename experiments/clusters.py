"""Two wrong derivatives, or nothing wrong at all: why does a numpy network stay at an accuracy of 0.6.

Source: the question-and-answer thread on a network written by hand, 5-10-4 on scikit-learn's make_classification, which
stays at a test accuracy of 0.77 to 0.81 and a training accuracy of 0.6. Rows one by one in fixed order, no biases, half
the sum of squared errors, dropout by a mask of 0 and 1 times 2. Its derivative of relu is `output >= 0` of what is
never negative, so always 1; that of the mask lacks the factor 2. Each is run as it stands and corrected.
Expected finding: the training accuracy is low because it is counted with dropout on; the wrong derivatives cost little.
Found: every number of the thread lies within the literal recipe's middle 90%; at the end its networks have 0.62 counted
with dropout on and 0.81 with it off, on the same rows. With relu's derivative corrected test accuracy no longer falls
over the passes (0.811 against 0.793); the factor of the mask changes nothing to be seen.
Cost: four and a half minutes on two cores for 128 seeds of four recipes. Writes results/clusters_{RECIPE}.nc.
"""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import tyro

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
ROWS = 8_000  # updates in a pass
PASSES = 300


def relu_with_slope(slope):
    """Relu, and the derivative that a backward pass takes for it: a function of z."""

    @jax.custom_jvp
    def activation(z):
        return jax.nn.relu(z)

    activation.defjvps(lambda tangent, _, z: tangent * slope(z))
    return ap.models.Elementwise(activation)


# What stands between a hidden unit and its sum is relu and then the mask times 2, whose derivative 2 is `MLP`'s. A mask
# without the 2 in its backward pass is half of that, which is put into the derivative of relu before it.
ACTIVATIONS = {
    "literal": relu_with_slope(lambda z: jnp.full_like(z, 0.5)),
    "relu corrected": relu_with_slope(lambda z: 0.5 * (z > 0)),
    "mask corrected": relu_with_slope(jnp.ones_like),
    "both corrected": "relu",
}


def records(passes: int) -> tuple[int, ...]:
    """Before and after the passes that the thread reports and some between, so that batch means are over one pass."""
    wanted = {0, 1, 2, 3, 5, 6, 9, 10, 19, 20, 49, 50, 99, 100, 199, 200, 297, 298, 299, 300}
    return tuple(ROWS * n for n in sorted(wanted | {passes - 1, passes}) if n <= passes)


def recipe(activation, passes: int = PASSES) -> ap.Recipe:
    """The thread's recipe with one of `ACTIVATIONS`."""
    model = ap.MLP((10,), activation, outputs=4, bias=False, initializer="uniform", init_scale=0.1, dropout=0.5)
    return ap.Recipe(
        model=model,
        optimizer="sgd",
        learning_rate=0.002,
        batch_size=1,
        batches="order",
        steps=ROWS * passes,
        records=records(passes),
    )


RECIPES = {label: (ap.tasks.clusters(), recipe(activation)) for label, activation in ACTIVATIONS.items()}

# What the thread prints: quantity, pass (counted from 0), value, factor on what is recorded. Its error is the sum of
# squares over the outputs, twice the loss. Its training accuracy of "about 0.61" is held against the last pass.
REPORTED = (
    ("test_accuracy", 0, 0.812, 1),
    ("test_accuracy", 2, 0.814, 1),
    ("test_accuracy", 297, 0.7685, 1),
    ("test_accuracy", 299, 0.778, 1),
    ("batch_accuracy", 0, 0.572, 1),
    ("batch_accuracy", 299, 0.61, 1),
    ("test_loss", 299, 0.47, 2),
)
NAMES = {"test_accuracy": "test accuracy", "batch_accuracy": "accuracy in training", "test_loss": "test error"}


def table(label: str, runs) -> str:
    """What a paper would say of one recipe, as text."""
    n = runs.sizes["seed"]
    lines = [f"{label}: {n} seeds, {int(runs.step[-1]):,} steps, identity {runs.identity[:12]}"]
    for of, number, reported, factor in REPORTED:
        step = ROWS * (number + 1)
        if step not in runs.step:
            continue
        values = factor * runs[of].sel(step=step)
        low, mid, high = np.quantile(values, (0.05, 0.5, 0.95))
        r = ap.stats.rate(values <= reported)
        lines.append(
            f"  {NAMES[of]:20} pass {number:3d}: median {mid:.4f}   5% {low:.4f}   95% {high:.4f}"
            f"   the thread's {reported:6.4g}: quantile {float(r.rate):.2f} [{float(r.low):.2f}, {float(r.high):.2f}]"
        )
    last = runs.isel(step=-1)
    for of, name in (("test_accuracy", "test accuracy"), ("accuracy", "training rows, no dropout")):
        low, mid, high = np.quantile(last[of], (0.05, 0.5, 0.95))
        lines.append(f"  {name:25} at the end: median {mid:.4f}   5% {low:.4f}   95% {high:.4f}")
    return "\n".join(lines)


def main(seeds: int = 128, passes: int = PASSES, steps: int | None = None, results: Path = RESULTS) -> None:
    """Train the literal network and its corrections, print what came out, and save it.

    Args:
        seeds: of each recipe.
        passes: over the training rows.
        steps: at most so many updates, for a look quicker than one pass.
        results: the folder to write to.
    """
    for label, (task, whole) in RECIPES.items():
        chosen = recipe(whole.model.activation, passes)
        if steps is not None and steps < chosen.steps:
            chosen = replace(chosen, steps=steps, records=20)
        runs = ap.run(task, chosen, seeds=seeds, keep=())
        path = ap.save(runs, results / f"clusters_{label.replace(' ', '_')}.nc")
        print(table(label, runs), f"\n  saved as {path}", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
