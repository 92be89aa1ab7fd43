"""How far from the best possible networks on x² end, and which randomness decides where.

Source: the thread on x² asks why a small network fails; this takes failure apart. One hidden relu
layer of 1 to 32 units learns x² on [-1, 1] from 101 rows (Adam 1e-2 with a cosine decay to nothing,
5,000 full-batch steps). Its error is held against the least error that any such network can have on
the judged points. Then ten tanh units, 40 rows drawn per seed and batches of 8: initial weights,
rows and order are crossed, to tell their shares of the spread.
Expected finding: errors fall as width^-4 as the floors do, at a growing distance from them.
Found: as width^-2.8, so the distance grows; the rows and the initial weights make the spread, the
order next to none.
Cost: about a minute on two cores for 256 seeds. Writes results/square_floors.nc,
results/square_sources.nc and experiments/summaries/square_floors.csv.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optax
import tyro

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
SUMMARY = Path(__file__).parent / "summaries" / "square_floors.csv"
# Units up to which the attainable optimum is searched for; beyond, the bound by pieces
ATTAINED = 4
WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
QUICK_WIDTHS = (1, 2, 3, 4, 8, 16, 32)  # those that the figure shows one by one
STEPS = 5_000
UNOPTIMISED = {"xla_backend_optimization_level": 0}  # compiles soon, and trains more slowly
SHOWN = ap.tasks.square(range=1.0, size=101)
DRAWN = ap.tasks.square(range=1.0, size=40, inputs="uniform")


def by_width(seeds: int, steps: int, widths: Sequence[int] = WIDTHS, **options):
    """Relu networks of every width, over (width, seed, step)."""
    decay = optax.cosine_decay_schedule(1.0, steps)
    recipes = {}
    for width in widths:
        recipes[str(width)] = ap.Recipe(
            model=ap.MLP((width,), "relu"),
            optimizer="adam",
            learning_rate=1e-2,
            schedule=decay,
            batch_size=None,
            steps=steps,
        )

    runs = ap.run(SHOWN, recipes, seeds=seeds, **options)
    return runs.assign_coords(recipe=list(widths)).rename(recipe="width")


def crossed(levels: int, steps: int, **options):
    """Ten tanh units with initial weights, rows and order crossed."""
    recipe = ap.Recipe(
        model=ap.MLP((10,), "tanh"),
        optimizer="adam",
        learning_rate=1e-2,
        batch_size=8,
        steps=min(steps, 1_500),
    )
    cross = {"init": levels, "data": levels, "order": levels}
    return ap.run(DRAWN, recipe, seeds=1, cross=cross, keep=(), **options)


def floors(runs) -> list[dict]:
    """Each width's best and median error on the judged points, and the least that there can be.

    "bound" is below the error of every such network, "optimum" is the best network's own error,
    where it was searched for.
    """
    inside = runs.distance.values == 0
    x, y = runs.x_test.values[inside, 0], runs.y_test.values[inside, 0]
    ends = ap.stats.quantiles(runs, of="test_loss", q=(0.0, 0.5)).test_loss.isel(step=-1)
    table = []
    for width in runs.width.values.tolist():
        best, median = ends.sel(width=width).values.tolist()
        row = {
            "width": width,
            "seeds": runs.sizes["seed"],
            "points": len(x),
            "best": best,
            "median": median,
            "bound": ap.floors.pieces_bound(x, y, width + 1),
            "optimum": "",
            "fingerprint": runs.fingerprint[:12],
        }
        if width <= ATTAINED:
            row["optimum"] = ap.floors.relu_optimum(x, y, width).mse

        table.append(row)
    return table


def write(table: list[dict], summary: Path) -> None:
    """Write the table of floors."""
    summary.parent.mkdir(parents=True, exist_ok=True)
    with summary.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


def say_floors(table: list[dict]) -> None:
    """Print a line for each width."""
    for row in table:
        errors = f"MSE inside, best {row['best']:.4g}, median {row['median']:.3g}"
        line = f"  {row['width']:2d} units: {errors}; bound {row['bound']:.4g}"
        if row["optimum"]:
            line += f", attainable {row['optimum']:.4g}"
        print(line)


def say_sources(runs) -> None:
    """Print which share of the spread comes from weights, rows and order."""
    split = ap.stats.variance_components(runs)
    crossed = f"{int(split.n)} trainings crossed, fingerprint {runs.fingerprint[:12]}"
    print(f"{crossed}: shares of the variance of log test loss")
    for source in split.source.values:
        one = split.sel(source=source)
        interval = f"[{float(one.low):.1%}, {float(one.high):.1%}]"
        print(f"  {source:20} {float(one.share):6.1%}  {interval}")


def main(
    seeds: int = 256,
    levels: int = 16,
    steps: int = STEPS,
    results: Path = RESULTS,
    summary: Path = SUMMARY,
    quick: bool = False,
) -> None:
    """Train, print what came out, and save it.

    Args:
        seeds: of each width.
        levels: initial weights, draws of rows, and orders; every combination is trained.
        steps: updates of each network.
        results: the folder to write to.
        summary: the table of floors to write.
        quick: a look at few widths, seeds and steps, by programs compiled without optimisation,
            into results/quick.
    """
    options: dict[str, Any] = {}
    widths: Sequence[int] = WIDTHS
    if quick:
        seeds, levels, steps, results = 16, 4, 400, results / "quick"
        results.mkdir(parents=True, exist_ok=True)
        summary, widths = results / summary.name, QUICK_WIDTHS
        options = {"compiler_options": UNOPTIMISED}
        looked = f"{seeds} seeds, {levels} levels, at most {steps:,} steps"
        print(f"Quick look: {looked}; not the experiment.")

    runs = by_width(seeds, steps, widths, **options)
    path = ap.save(runs, results / "square_floors.nc")
    print(f"{seeds} seeds, {steps:,} steps, fingerprint {runs.fingerprint[:12]}")
    table = floors(runs)
    say_floors(table)
    write(table, summary)
    print(f"  saved as {path} and {summary}")
    runs = crossed(levels, steps, **options)
    path = ap.save(runs, results / "square_sources.nc")
    say_sources(runs)
    print(f"  saved as {path}")


if __name__ == "__main__":
    tyro.cli(main)
