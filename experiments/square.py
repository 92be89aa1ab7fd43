"""How often and how well small networks learn x², and what they do outside their range.

Source: a question on x and x squared with a linear unit in tf.keras, Stack Overflow, whose answers
point to "Is deep learning bad at fitting simple non linear functions outside training scope?".
Recipe A is its linear unit (Adam at 1e-4, 50,000 epochs on the integers from -10 to 10), B its
1-8-8-1 relu network (Adam at 0.001, 10,000 rows from [-50, 50), 15,000 epochs of Keras'
minibatches), C its answer's ten tanh units (PyTorch, gradient descent at 0.001, 15,000 steps).
Expected: A cannot, C succeeds for some seeds, and none of them holds outside its range. What the
thread claims of these, and its advice, is judged in experiments/square_remedies.py.
Cost: half a minute on two cores, most of it B's 480,000 steps. Writes results/square_recipes/: the
trainings, the tables and the report.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import tyro
import xarray as xr

import approx as ap

CASE = "square_recipes"
RESULTS = Path(__file__).parents[1] / "results"
SOURCE = "a question on x and x squared with a linear unit in tf.keras, Stack Overflow"
LEARNED, HELD = 1e-3, 1e-2  # mean squared error over the targets' variance, inside and outside
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
LANES = 8  # of B: sixteen seeds are two blocks, one per core
ALL_STEPS = 10**9  # no limit on the steps


# ---- what counts as success ----------------------------------------------------------------------


def relative_errors(runs: xr.Dataset, of: str) -> xr.DataArray:
    """Errors, inside or outside, over the variance of the targets that are judged there."""
    shown = runs.distance == 0
    if of == "outside_loss":
        shown = ~shown
    errors = runs[of] / float(runs.y_test.where(shown).var())
    return errors.reset_coords(drop=True)


def at_end(of: str, runs: xr.Dataset) -> xr.DataArray:
    """Relative errors at the last record."""
    return relative_errors(runs, of).isel(step=-1, drop=True)


def small(of: str, below: float, runs: xr.Dataset) -> xr.Dataset:
    """Which seeds have a small relative error, at every record."""
    return ap.stats.success(xr.Dataset({of: relative_errors(runs, of)}), below=below, of=of)


def share_of_variance(says: str, of: str, below: float) -> ap.study.Measure:
    """The rule that an error is at most a share of the variance."""
    return ap.study.Measure(says, partial(small, of, below), partial(at_end, of))


MEASURES = {
    "learned": share_of_variance(
        f"mean squared error inside at most {LEARNED:.1%} of the variance", "test_loss", LEARNED
    ),
    "held": share_of_variance(
        f"mean squared error outside, to 3 x range, at most {HELD:.0%} of the variance",
        "outside_loss",
        HELD,
    ),
}


def output_at(number: float, runs: xr.Dataset) -> xr.DataArray:
    """The output of each seed at an input."""
    x = runs.x_test[:, 0].values
    nearest = int(abs(x - number).argmin())
    return runs.prediction.isel(point=nearest, output=0).reset_coords(drop=True)


def reported() -> list[ap.study.Reported]:
    """The thread's outputs of B."""
    return [
        ap.study.Reported(f"f({x})", "B", value, partial(output_at, x), rounding=0.005)
        for x, value in REPORTED.items()
    ]


# ---- the study -----------------------------------------------------------------------------------


def shortened(label: str, most: int) -> tuple[ap.Task, ap.Recipe]:
    """One of the thread's recipes with at most so many steps."""
    task, recipe = RECIPES[label]
    return task, replace(recipe, steps=min(recipe.steps, most))


def study(share_of_b: float = 1 / 32, most: int = ALL_STEPS) -> ap.Study:
    """Recipe C, and beside it A and B.

    Args:
        share_of_b: how many seeds B has, as a share of all.
        most: the largest number of steps of any recipe.
    """
    return ap.Study(
        *shortened("C", most),
        success=MEASURES,
        changes={label: shortened(label, most) for label in "AB"},
        reported=reported(),
        options={"B": {"seeds": share_of_b, "lanes": LANES}},
        judged=(),
        title="How often small networks learn x², and what they do outside their range",
        source=SOURCE,
    )


def main(
    seeds: int = 512,
    seeds_b: int = 16,
    steps: int = ALL_STEPS,
    results: Path = RESULTS,
    quick: bool = False,
) -> None:
    """Train recipes A, B and C, save them with the tables, and print the report.

    What is in the folder of results is not trained again.

    Args:
        seeds: of recipes A and C.
        seeds_b: of recipe B.
        steps: at most so many updates of each, for a quick look; the thread's numbers if left out.
        results: the folder to write to.
        quick: a look at few seeds and steps, into results/quick.
    """
    if quick:
        seeds, seeds_b, steps, results = 64, 4, min(steps, 2_000), results / "quick"
        looked = f"{seeds} and {seeds_b} seeds, at most {steps:,} steps"
        print(f"Quick look: {looked}; not the experiment.", flush=True)

    results.mkdir(parents=True, exist_ok=True)
    asked = study(seeds_b / seeds, steps)
    asked.run(seeds, out=results / CASE)
    asked.answer().write(results / CASE)
    print(asked.report())


if __name__ == "__main__":
    tyro.cli(main)
