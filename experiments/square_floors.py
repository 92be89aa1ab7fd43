"""How far from the best possible networks on x² end, and which randomness decides where.

Question: the thread on x² (experiments/square.py) asks why a small network fails; this takes
failure apart. One hidden relu layer of 1 to 32 units learns x² on [-1, 1] from 101 rows (Adam at
0.01 with a cosine decay to nothing, 5,000 full-batch steps). Its error is held against the least
error that any such network can have on the judged points. Then ten tanh units, 40 rows drawn per
seed and batches of 8: initial weights, rows and order are crossed, to tell their shares of the
spread.
Expected: errors fall as width^-4 as the least possible ones do, at a growing distance from them.
Cost: about a minute on two cores for 256 seeds. Writes results/square_floors.nc,
results/square_sources.nc and experiments/summaries/square_{floors,exponents,causes,sources}.csv.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optax
import pandas as pd
import tyro
import xarray as xr

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
# Units up to which the attainable optimum is searched for; beyond, the bound by pieces
ATTAINED = 4
WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
QUICK_WIDTHS = (1, 2, 3, 4, 8, 16, 32)  # those that the figure shows one by one
STEPS = 5_000
LEARNED = 1e-3  # mean squared error that counts as learned; the targets' variance is 0.09
UNOPTIMISED = {"xla_backend_optimization_level": 0}  # compiles soon, and trains more slowly
SHOWN = ap.tasks.square(range=1.0, size=101)
DRAWN = ap.tasks.square(range=1.0, size=40, inputs="uniform")


def by_width(seeds: int, steps: int, widths: Sequence[int] = WIDTHS, **options) -> xr.Dataset:
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


def crossed(levels: int, steps: int, **options) -> xr.Dataset:
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


def floors(runs: xr.Dataset) -> pd.DataFrame:
    """Each width's best and median error on the judged points, and the least that there can be.

    "bound" is below the error of every such network, "optimum" is the best network's own error,
    where it was searched for.
    """
    inside = runs.distance.values == 0
    x, y = runs.x_test.values[inside, 0], runs.y_test.values[inside, 0]
    ends = ap.stats.quantiles(runs, of="test_loss", q=(0.0, 0.5)).test_loss.isel(step=-1)
    lines = []
    for width in runs.width.values.tolist():
        best, median = ends.sel(width=width).values.tolist()
        line = {
            "width": width,
            "seeds": runs.sizes["seed"],
            "points": len(x),
            "best": best,
            "median": median,
            "bound": ap.floors.pieces_bound(x, y, width + 1),
            "optimum": None,
            "fingerprint": runs.fingerprint[:12],
        }
        if width <= ATTAINED:
            line["optimum"] = ap.floors.relu_optimum(x, y, width).mse
        lines.append(line)
    return pd.DataFrame(lines)


def exponents(runs: xr.Dataset) -> pd.DataFrame:
    """The exponents with which the median and the best seed's error fall with the width."""
    lines = []
    for statistic in ("median", "best"):
        law = ap.stats.exponent(runs, "width", statistic=statistic)
        numbers = {name: float(law[name]) for name in ("exponent", "low", "high")}
        lines.append({"statistic": statistic} | numbers | {"n": int(law.n)})
    return pd.DataFrame(lines).assign(fingerprint=runs.fingerprint[:12])


def causes(runs: xr.Dataset, bounds: pd.DataFrame) -> pd.DataFrame:
    """Why seeds miss an error of LEARNED: the share of each cause at each width.

    Args:
        runs: what `by_width` returned.
        bounds: what `floors` returned of them.
    """
    floor = bounds.set_index("width").bound.to_xarray()
    kinds = ap.stats.failure_causes(runs, floor, below=LEARNED, outside_below=LEARNED)
    found = ap.stats.shares(kinds)
    table = found[["rate", "low", "high", "n"]].to_dataframe().reset_index()
    return table.assign(fingerprint=runs.fingerprint[:12])


def sources(runs: xr.Dataset) -> pd.DataFrame:
    """Which share of the variance of the log test loss comes from weights, rows and order."""
    found = ap.stats.variance_components(runs)
    table = found[["share", "low", "high"]].to_dataframe().reset_index()
    return table.assign(n=int(found.n), fingerprint=runs.fingerprint[:12])


def main(
    seeds: int = 256,
    levels: int = 16,
    steps: int = STEPS,
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    quick: bool = False,
) -> None:
    """Train, print what came out, and save it.

    Args:
        seeds: of each width.
        levels: initial weights, draws of rows, and orders; every combination is trained.
        steps: updates of each network.
        results: the folder to write to.
        summaries: the folder of the tables.
        quick: a look at few widths, seeds and steps, by programs compiled without optimisation,
            into results/quick.
    """
    options: dict[str, Any] = {}
    widths: Sequence[int] = WIDTHS
    if quick:
        seeds, levels, steps, widths = 16, 4, 400, QUICK_WIDTHS
        results = summaries = results / "quick"
        results.mkdir(parents=True, exist_ok=True)
        options = {"compiler_options": UNOPTIMISED}
        looked = f"{seeds} seeds, {levels} levels, at most {steps:,} steps"
        print(f"Quick look: {looked}; not the experiment.")

    summaries.mkdir(parents=True, exist_ok=True)
    of_widths = by_width(seeds, steps, widths, **options)
    of_sources = crossed(levels, steps, **options)
    ap.save(of_widths, results / "square_floors.nc")
    ap.save(of_sources, results / "square_sources.nc")
    bounds = floors(of_widths)
    tables = {
        "floors": bounds,
        "exponents": exponents(of_widths),
        "causes": causes(of_widths, bounds),
        "sources": sources(of_sources),
    }
    for name in tables:
        path = summaries / f"square_{name}.csv"
        tables[name].to_csv(path, index=False, lineterminator="\n")
        print(path, tables[name].to_string(index=False), sep="\n")


if __name__ == "__main__":
    tyro.cli(main)
