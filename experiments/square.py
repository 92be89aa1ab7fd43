"""How often and how well small networks learn x², and what they do outside their range.

Source: the question-and-answer thread on approximating the square function. Recipe A is its linear
unit (Adam, 50,000 epochs on the integers -10..10), B its 1-8-8-1 relu network (10,000 rows, 15,000
epochs of Keras' minibatches), C its answer's ten tanh units (PyTorch, gradient descent).
Expected finding: A cannot, C succeeds for some seeds, and none of them holds outside its range.
Found: all of that, and that A does not even reach the best constant: 50,000 steps of Adam at 1e-4
move a bias by 5.
Cost: half a minute on two cores, most of it B's 480,000 steps. Writes results/square_{A,B,C}.nc.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import tyro

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
SHOWN = ap.tasks.square(range=10.0, size=21)
RECIPES = {
    "A": (
        SHOWN,
        ap.Recipe(
            model=ap.MLP((), initializer="keras"),
            optimizer="adam_keras",
            learning_rate=1e-4,
            steps=50_000,
            batch_size=None,
        ),
    ),
    "B": (
        ap.tasks.square(range=50.0, size=10_000, inputs="uniform", validation=0.2),
        ap.Recipe(
            model=ap.MLP((8, 8), "relu", initializer="keras"),
            optimizer="adam_keras",
            learning_rate=1e-3,
            l2=1e-3,
            l2_on="hidden",
            batch_size=256,
            # 8,000 rows in batches of 256 are 32 updates an epoch, the last of them on 64 rows
            steps=15_000 * 32,
        ),
    ),
    "C": (
        SHOWN,
        ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="sgd", learning_rate=1e-3, steps=15_000),
    ),
}
# What the thread reports as B's outputs, by input.
REPORTED = {4: 16.63, -4: 15.03, 11: 121.27, 20: 397.79, 8: 65.70, -5: 27.04}
LANES = {"B": 8}  # sixteen seeds are two blocks, one per core


def errors_of(runs) -> list[str]:
    """Quantiles of the final errors on the training rows, inside the range and outside it."""
    places = {
        "training rows": "loss",
        "inside the range": "test_loss",
        "outside it": "outside_loss",
    }
    lines = []
    for name, of in places.items():
        found = ap.stats.quantiles(runs, of=of, q=(0.05, 0.5, 0.95))[of]
        low, mid, high = found.isel(step=-1).values
        lines.append(f"  MSE, {name:17} median {mid:11.4g}   5% {low:11.4g}   95% {high:11.4g}")
    return lines


def rates_of(runs) -> list[str]:
    """How many seeds end below some errors inside the range."""
    lines = []
    for below in (10.0, 1.0, 0.1):
        rate = ap.stats.rate(ap.stats.success(runs, below=below))
        hits = f"{float(rate.successes):4.0f} of {int(rate.n)}: {float(rate.rate):6.1%}"
        interval = f"[{float(rate.low):.1%}, {float(rate.high):.1%}] exact 95%"
        lines.append(f"  MSE inside < {below:<4g}    {hits}   {interval}")
    return lines


def outputs_of(runs, compared: bool) -> list[str]:
    """Quantiles of the outputs at the inputs that the thread reports.

    Args:
        runs: of one recipe.
        compared: whether the thread's output gets its quantile among ours.
    """
    x = runs.x_test[:, 0].values
    lines = []
    for number, reported in REPORTED.items():
        at = runs.isel(point=int(np.abs(x - number).argmin()), output=0)
        found = ap.stats.quantiles(at, of="prediction", q=(0.05, 0.5, 0.95)).prediction
        low, mid, high = found.values
        square = f"f({number:3d}) = {number * number:4d}"
        line = f"  {square}     median {mid:9.2f}   5% {low:9.2f}   95% {high:9.2f}"
        if compared:
            share = ap.stats.rate(at.prediction <= reported)
            place = f"{float(share.rate):.2f} [{float(share.low):.2f}, {float(share.high):.2f}]"
            line += f"   the thread's {reported:7.2f}: quantile {place}"

        lines.append(line)
    return lines


def table(label: str, runs) -> str:
    """What a paper would say of one recipe, as text."""
    size = f"{runs.sizes['seed']} seeds, {int(runs.step[-1]):,} steps"
    lines = [
        f"{label}: {size}, fingerprint {runs.fingerprint[:12]}",
        *errors_of(runs),
        *rates_of(runs),
        *outputs_of(runs, compared=label == "B"),
    ]
    return "\n".join(lines)


def main(
    seeds: int = 512,
    seeds_b: int = 16,
    steps: int | None = None,
    results: Path = RESULTS,
    quick: bool = False,
) -> None:
    """Train recipes A, B and C, print what came out, and save it.

    Args:
        seeds: of recipes A and C.
        seeds_b: of recipe B.
        steps: at most so many updates of each, for a quick look; the thread's numbers if left out.
        results: the folder to write to.
        quick: a look at few seeds and steps, into results/quick.
    """
    if quick:
        seeds, seeds_b, steps, results = 64, 4, 2_000, results / "quick"
        results.mkdir(parents=True, exist_ok=True)
        looked = f"{seeds} and {seeds_b} seeds, at most {steps:,} steps"
        print(f"Quick look: {looked}; not the experiment.")

    for label, (task, recipe) in RECIPES.items():
        if steps is not None:
            recipe = replace(recipe, steps=min(steps, recipe.steps))
        count = seeds
        if label == "B":
            count = seeds_b
        runs = ap.run(task, recipe, seeds=count, lanes=LANES.get(label))
        path = ap.save(runs, results / f"square_{label}.nc")
        print(table(label, runs), f"\n  saved as {path}", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
