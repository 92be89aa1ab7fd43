"""How far from the best possible networks on x² end, and which randomness decides where.

Source: the thread on x² asks why a small network fails; this takes failure apart. One hidden relu layer of 1 to 32
units learns x² on [-1, 1] from 101 rows (Adam 1e-2 with a cosine decay to nothing, 5,000 full-batch steps). Its error
is held against the least error that any such network can have on the judged points. Then ten tanh units, 40 rows drawn
per seed and batches of 8: initial weights, rows and order are crossed, to tell their shares of the spread.
Expected finding: errors fall as width^-4 as the floors do, at a growing distance from them.
Cost: about a minute on two cores for 256 seeds. Writes results/square_floors.nc and results/square_sources.nc.
"""

from pathlib import Path

import optax
import tyro

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
STEPS = 5_000
SHOWN = ap.tasks.square(range=1.0, size=101)
DRAWN = ap.tasks.square(range=1.0, size=40, inputs="uniform")


def by_width(seeds: int, steps: int):
    """Relu networks of every width, over (width, seed, step)."""
    decay = optax.cosine_decay_schedule(1.0, steps)
    recipes = {
        str(width): ap.Recipe(
            model=ap.MLP((width,), "relu"),
            optimizer="adam",
            learning_rate=1e-2,
            schedule=decay,
            batch_size=None,
            steps=steps,
        )
        for width in WIDTHS
    }
    return ap.run(SHOWN, recipes, seeds=seeds).assign_coords(recipe=list(WIDTHS)).rename(recipe="width")


def crossed(levels: int, steps: int):
    """Ten tanh units with initial weights, rows and order crossed."""
    recipe = ap.Recipe(
        model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=1e-2, batch_size=8, steps=min(steps, 1_500)
    )
    cross = {"init": levels, "data": levels, "order": levels}
    return ap.run(DRAWN, recipe, seeds=1, cross=cross, keep=())


def main(seeds: int = 256, levels: int = 16, steps: int = STEPS, results: Path = RESULTS) -> None:
    """Train, print what came out, and save it.

    Args:
        seeds: of each width.
        levels: initial weights, draws of rows, and orders; every combination is trained.
        steps: updates of each network.
        results: the folder to write to.
    """
    runs = by_width(seeds, steps)
    path = ap.save(runs, results / "square_floors.nc")
    print(f"{seeds} seeds, {steps:,} steps, identity {runs.identity[:12]}")
    for width in WIDTHS:
        low, mid = (
            ap.stats.quantiles(runs.sel(width=width), of="test_loss", q=(0.0, 0.5)).test_loss.isel(step=-1).values
        )
        print(f"  {width:2d} units: MSE inside, best {low:.3g}, median {mid:.3g}")
    print(f"  saved as {path}")
    runs = crossed(levels, steps)
    path = ap.save(runs, results / "square_sources.nc")
    split = ap.stats.variance_split(runs)
    print(f"{int(split.n)} trainings crossed, identity {runs.identity[:12]}: shares of the variance of log test loss")
    for source in split.source.values:
        one = split.sel(source=source)
        print(f"  {source:20} {float(one.share):6.1%}  [{float(one.low):.1%}, {float(one.high):.1%}]")
    print(f"  saved as {path}")


if __name__ == "__main__":
    tyro.cli(main)
