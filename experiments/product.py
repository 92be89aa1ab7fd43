"""x times y by small networks: what width, depth and activation do to the rate of success.

Question: networks of one or two hidden layers with 2 to 16 units each are trained on 256 points
drawn from [-1, 1]². How many of the seeds multiply, inside that box and outside it?
Source: Lin, Tegmark and Rolnick, "Why does deep and cheap learning work so well?" (2017), whose
gate of four units multiplies as exactly as one likes where their second derivative is not 0;
Rolnick and Tegmark, "The power of deeper networks for expressing natural functions" (2018), to whom
one layer needs four units; Cybenko, "Approximation by superpositions of a sigmoidal function"
(1989), to whom one layer is enough; Yarotsky, "Error bounds for approximations with deep ReLU
networks" (2017), whose relu networks multiply at little cost because they are deep; Xu et al., "How
neural networks extrapolate" (2021), whose relu networks become linear outside their data. Two
square units are exact: x y = ((x + y)² - (x - y)²) / 4.
Set-up: Adam at 0.01, falling to 0 along a cosine, 5,000 steps of batches of 32. A seed multiplies
if its mean squared error on a grid over the box is at most 0.001; the variance of x y there is 1/9.
It extrapolates if its error between the box and one twice as wide is at most 0.01.
Expected, before anything was trained: what the sources say, as `statements` has it.
Cost: two and a half minutes of one core for 128 seeds, most of it compilation of thirty programs.
Writes results/product_all.nc and experiments/summaries/product_{rates,verdicts}.csv.
"""

import itertools
from pathlib import Path
from typing import Any

import pandas as pd
import tyro
import xarray as xr

import approx as ap
from experiments.shared import judged
from experiments.shared.measured import Measured

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
WIDTHS, DEPTHS = (2, 3, 4, 8, 16), (1, 2)
ACTIVATIONS = ("tanh", "relu", "square")
STEPS = 5_000
MULTIPLIES, EXTRAPOLATES = 1e-3, 1e-2  # mean squared errors inside and outside the box
SOURCE = "Lin et al. 2017, Yarotsky 2017 and others, see experiments/product.py"
AXES = ("widths", "depth", "activation")


def train(seeds: int, steps: int = STEPS) -> xr.Dataset:
    """Every width, depth and activation, over (widths, depth, activation, seed, step)."""
    recipe = ap.Recipe(
        model=ap.MLP((4,), "tanh"),
        optimizer="adam",
        learning_rate=1e-2,
        schedule="cosine",
        batch_size=32,
        steps=steps,
        records=(0, steps),
    )
    values = (WIDTHS, DEPTHS, ACTIVATIONS)
    axes: dict[str, Any] = {name: list(each) for name, each in zip(AXES, values, strict=True)}
    return ap.run(ap.tasks.product(), recipe, seeds=seeds, keep=(), **axes)


def measures(runs: xr.Dataset) -> dict[str, Measured]:
    """Which trainings multiply inside the box, and which outside it."""
    inside = ap.stats.success(runs, below=MULTIPLIES)
    outside = ap.stats.success(runs, below=EXTRAPOLATES, of="outside_loss")
    return {
        "rate": Measured(f"mean squared error inside at most {MULTIPLIES:g}", inside),
        "outside": Measured(f"mean squared error outside at most {EXTRAPOLATES:g}", outside),
    }


def statements(runs: xr.Dataset) -> list[ap.stats.Claim]:
    """The claims; their regions were written before anything was trained."""
    stats = ap.stats
    inside, outside = measures(runs).values()
    tanh, relu, square = ({"depth": 1, "activation": name} for name in ACTIVATIONS)
    tall = {"widths": 8, "activation": "relu"}
    smooth = ("tanh", "relu")
    return [
        inside.rate("four tanh units in one layer multiply", stats.USUALLY, widths=4, **tanh),
        inside.rate("three tanh units are too few", stats.NEVER, widths=3, **tanh),
        inside.rate("two tanh units are too few", stats.NEVER, widths=2, **tanh),
        inside.rate("one layer is enough: 16 tanh units", stats.ALWAYS, widths=16, **tanh),
        inside.rate("two square units always find their formula", stats.ALWAYS, widths=2, **square),
        inside.rate("four square units always do", stats.ALWAYS, widths=4, **square),
        inside.pair(
            "eight units: tanh is better than relu",
            stats.HELPS,
            "activation",
            smooth,
            widths=8,
            depth=1,
        ),
        inside.pair("eight relu units: a second layer helps", stats.HELPS, "depth", (2, 1), **tall),
        outside.rate("16 tanh units do not extrapolate", stats.NEVER, widths=16, **tanh),
        outside.rate("16 relu units do not extrapolate", stats.NEVER, widths=16, **relu),
        outside.rate("four square units extrapolate", stats.ALWAYS, widths=4, **square),
    ]


def table(runs: xr.Dataset) -> pd.DataFrame:
    """A line for each network: both rates with exact intervals, and the median errors."""
    lines = []
    for place in itertools.product(*(runs[name].values.tolist() for name in AXES)):
        at = dict(zip(AXES, place, strict=True))
        line = dict(at)
        for name, measure in measures(runs).items():
            line |= judged.rated(measure.hits.sel(at), name)
        for name, of in (("median", "test_loss"), ("median_outside", "outside_loss")):
            line[name] = judged.middle(runs[of].sel(at).isel(step=-1))
        lines.append(line | {"fingerprint": runs.fingerprint[:12]})
    return pd.DataFrame(lines)


def main(
    seeds: int = 128, results: Path = RESULTS, summaries: Path = SUMMARIES, quick: bool = False
) -> None:
    """Train, judge the claims, and save.

    Args:
        seeds: of each network.
        results: the folder to write to.
        summaries: the folder of the tables.
        quick: a look at few seeds and steps, into results/quick.
    """
    steps = STEPS
    if quick:
        seeds, steps = 8, STEPS // 20
        results = summaries = results / "quick"
        print(f"Quick look: {seeds} seeds, few steps: not the experiment.", flush=True)
    runs = train(seeds, steps)
    claims = (SOURCE, statements(runs))
    judged.write("product", {"all": runs}, table(runs), claims, (results, summaries))


if __name__ == "__main__":
    tyro.cli(main)
