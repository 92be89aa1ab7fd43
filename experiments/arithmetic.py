"""Arithmetic: which networks go on adding, multiplying and dividing beyond what they were shown.

Question: seven architectures are trained on a op b with a = x1 + x2, b = x1 + x2 + x3 + x4 and
inputs from [1, 2], for each of the four operations, and judged on inputs from [2, 6]. How many of
the seeds extrapolate?
Source: Madsen and Johansen, "Neural arithmetic units" (ICLR 2020), whose program stable-nalu has
this task; Trask et al., "Neural arithmetic logic units" (2018); Durbin and Rumelhart, "Product
units" (1989); Xu et al., "How neural networks extrapolate" (2021), to whom relu networks
extrapolate linear functions.
Set-up: two layers, two hidden units (16 in the relu network, which has biases). 512 rows, drawn
once, in batches of 128; Adam at 0.001, as in the paper, for 20,000 steps, where the paper draws
fresh rows and goes on for up to five million steps. A seed extrapolates if its mean squared error
on 1,000 rows from [2, 6] is at most 0.0001 of the variance of the targets there: an error of 1% of
their standard deviation. "NAC, product" adds first and multiplies exp(log) units then, and "product
units" are linear units below a product unit.
Expected, before anything was trained: what the sources say, as `statements` has it. A first run had
b = x3 + x4 and 5,000 steps at a rate of 0.01 that fell to 0; nothing multiplied in it, as a b is
nearly (a + b)² / 4 on [1, 2]. The task was then made that of the paper; the claims and their
regions stayed.
Cost: three and a half minutes of one core for 128 seeds.
Writes results/arithmetic_{add,sub,mul,div}.nc and
experiments/summaries/arithmetic_{rates,verdicts}.csv.
"""

from collections.abc import Hashable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tyro
import xarray as xr

import approx as ap
from experiments.shared import judged

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
OPERATIONS = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}
NEAR, FAR = (1.0, 2.0), (2.0, 6.0)
ROWS, TESTED = 512, 1_000
STEPS = 20_000
SHARE = 1e-4  # of the variance of the targets outside
SOURCE = "Madsen and Johansen 2020, Trask et al. 2018 and others, see experiments/arithmetic.py"
NETWORKS = {
    "relu": ap.MLP((16,), "relu"),
    "NAC": ap.models.NAC((2,)),
    "NAC, product": ap.models.Arithmetic(("nac", "nac_product"), (2,)),
    "NALU": ap.models.NALU((2,)),
    "NAU": ap.models.NAU((2,)),
    "NMU": ap.models.NMU((2,)),
    "product units": ap.models.Arithmetic(("linear", "product_units"), (2,)),
}


def of_sums(operation: str, x: np.ndarray) -> np.ndarray:
    """`(x1 + x2) op (x1 + x2 + x3 + x4)` of rows (n, 4)."""
    return OPERATIONS[operation](x[:, :2].sum(1), x.sum(1))


def task(operation: str) -> ap.Task:
    """The rows of an operation, judged where they were drawn and beyond."""
    rng = np.random.default_rng(0)
    x = rng.uniform(*NEAR, (ROWS, 4))
    x_test = np.concatenate([rng.uniform(*reach, (TESTED, 4)) for reach in (NEAR, FAR)])
    distance = np.linalg.norm(np.maximum(x_test - NEAR[1], 0), axis=1)
    y, y_test = of_sums(operation, x), of_sums(operation, x_test)
    return ap.given(x, y, x_test, y_test, distance=distance)


def train(seeds: int, steps: int = STEPS) -> dict[str, xr.Dataset]:
    """Every operation by every network, over (recipe, seed, step)."""
    recipes = {
        name: ap.Recipe(
            model=model,
            optimizer="adam",
            learning_rate=1e-3,
            batch_size=128,
            steps=steps,
            records=(0, steps),
        )
        for name, model in NETWORKS.items()
    }
    return {name: ap.run(task(name), recipes, seeds=seeds, keep=()) for name in OPERATIONS}


def relative(runs: xr.Dataset, of: str = "outside_loss") -> xr.DataArray:
    """An error inside or outside over the variance of the targets there."""
    beyond = (runs.distance > 0).values
    judged_at = beyond if of == "outside_loss" else ~beyond
    targets = runs.y_test.values.reshape(-1, runs.sizes["point"])[0]
    return (runs[of] / targets[judged_at].var()).reset_coords(drop=True)


def extrapolates(runs: xr.Dataset, network: str) -> xr.Dataset:
    """Which seeds of a network extrapolate."""
    errors = xr.Dataset({"error": relative(runs).sel(recipe=network)})
    return ap.stats.success(errors, below=SHARE, of="error")


def statements(runs: Mapping[str, xr.Dataset]) -> list[ap.stats.Claim]:
    """The claims; their regions were written before anything was trained."""
    stats, claim = ap.stats, ap.stats.Claim
    says = f"mean squared error on [2, 6] at most {SHARE:g} of the variance"

    def rate(operation, network, text, holds):
        effect = partial(stats.rate, extrapolates(runs[operation], network))
        return claim(f"{operation}: {text}", f"{operation}, {network}", says, effect, holds)

    def pair(operation, one, other, text, holds):
        hits: dict[Hashable, xr.Dataset] = {
            network: extrapolates(runs[operation], network) for network in (one, other)
        }
        effect = partial(stats.compare, hits, one, other)
        return claim(f"{operation}: {text}", f"{operation}, {one} and {other}", says, effect, holds)

    return [
        rate("add", "relu", "relu networks do not extrapolate (Trask et al.)", stats.NEVER),
        rate("add", "NAC", "NAC does (Trask et al.)", stats.USUALLY),
        rate("add", "NAU", "NAU always does (Madsen and Johansen)", stats.ALWAYS),
        rate("sub", "NAU", "NAU always does (Madsen and Johansen)", stats.ALWAYS),
        pair("sub", "NAU", "NALU", "NAU is better than NALU", stats.HELPS),
        rate("mul", "relu", "relu networks do not extrapolate (Trask et al.)", stats.NEVER),
        rate("mul", "NMU", "NMU does (Madsen and Johansen)", stats.USUALLY),
        rate("mul", "NALU", "NALU hardly does (Madsen and Johansen)", stats.RARELY),
        pair("mul", "NMU", "NALU", "NMU is better than NALU", stats.HELPS),
        pair("mul", "NMU", "NAC, product", "NMU is better than NAC's product", stats.HELPS),
        rate("mul", "product units", "product units do (Durbin and Rumelhart)", stats.USUALLY),
        rate("div", "NALU", "NALU does not (Madsen and Johansen)", stats.NEVER),
    ]


def table(runs: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """A line for each operation and network: the rate with its exact interval, median errors."""
    lines = []
    for operation, each in runs.items():
        for network in NETWORKS:
            line: dict[str, Any] = {"operation": operation, "network": network}
            line |= judged.rated(extrapolates(each, network))
            for name, of in (("inside", "test_loss"), ("outside", "outside_loss")):
                last = relative(each, of).sel(recipe=network).isel(step=-1)
                line[f"median_{name}"] = judged.middle(last)
            lines.append(line | {"fingerprint": each.fingerprint[:12]})
    return pd.DataFrame(lines)


def main(
    seeds: int = 128, results: Path = RESULTS, summaries: Path = SUMMARIES, quick: bool = False
) -> None:
    """Train, judge the claims, and save.

    Args:
        seeds: of each network and operation.
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
    judged.write("arithmetic", runs, table(runs), (SOURCE, statements(runs)), (results, summaries))


if __name__ == "__main__":
    tyro.cli(main)
