"""KAN against MLP with equal parameters: which is more accurate after equal steps or equal time.

Question: a KAN of [2, 5, 1] with cubic splines on five intervals has 150 parameters. So has an MLP
of one layer of 37 tanh units (149) or of two of ten (151). Which has the smaller error on x y, on
exp(sin(πx) + y²) and on max(x, y) over [-1, 1]², after as many steps, and after as much time?
Source: Liu et al., "KAN: Kolmogorov-Arnold networks" (2024), who fit the second function and say
that KANs need fewer parameters than MLPs, and ten times their time; Yu, Yu and Wang, "KAN or MLP:
a fairer comparison" (2024), to whom KANs are better at formulas and MLPs elsewhere.
Set-up: 256 rows drawn once and judged on 1,024 others; Adam at 0.01 on batches of 32. The KAN makes
2,000 steps, the MLPs up to 20,000. How much time a step of each takes is measured here, as
processor time of all seeds together, once their programs are compiled. "Equal time" is that record
of an MLP at which it has taken at most the time of the KAN's 2,000 steps. A network is better if
its mean squared error on the other rows is smaller on the same seed.
Expected, before anything was trained: what the sources say, as `statements` has it.
Cost: three quarters of a minute of one core for 128 seeds.
Writes results/kan_*.nc and experiments/summaries/kan_{rates,verdicts}.csv.
"""

import time
from collections.abc import Callable, Hashable, Mapping
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
FUNCTIONS: dict[str, Callable] = {
    "product": lambda x, y: x * y,
    "formula": lambda x, y: np.exp(np.sin(np.pi * x) + y**2),
    "maximum": np.maximum,
}
ROWS, TESTED = 256, 1_024
NETWORKS = {
    "KAN": ap.models.KAN((5,)),
    "MLP 37": ap.MLP((37,), "tanh"),
    "MLP 10-10": ap.MLP((10, 10), "tanh"),
}
STEPS, LONG = 2_000, 20_000
RECORDS = (0, *np.geomspace(100, LONG, 24).round(-2).astype(int).tolist())
CLOSE = 1e-3  # mean squared error over the variance of the targets
SOURCE = "Liu et al. 2024, Yu et al. 2024"


def task(name: str) -> ap.Task:
    """A function on rows that were drawn once."""
    x = np.random.default_rng(0).uniform(-1, 1, (ROWS + TESTED, 2))
    y = FUNCTIONS[name](*x.T)
    return ap.given(x[:ROWS], y[:ROWS], x[ROWS:], y[ROWS:])


def recipe(network: str, longest: int) -> ap.Recipe:
    """How a network is trained: the KAN for a tenth of the MLPs' steps."""
    steps = longest
    if network == "KAN":
        steps = longest * STEPS // LONG
    records = {step for step in RECORDS if step <= steps}
    return ap.Recipe(
        model=NETWORKS[network],
        optimizer="adam",
        learning_rate=1e-2,
        batch_size=32,
        steps=steps,
        records=tuple(sorted(records | {steps})),
    )


def labelled(function: str, network: str) -> str:
    """The label of a network's trainings on a function, which is part of a file's name."""
    return f"{function}_{network.replace(' ', '_')}"


def train(seeds: int, longest: int = LONG) -> dict[str, xr.Dataset]:
    """Every function by every network; each result has the processor time of a step in µs."""
    found = {}
    for network in NETWORKS:
        asked = recipe(network, longest)
        ap.run(task("product"), asked, seeds=1, keep=())  # compiles, so that it is not timed below
        for function in FUNCTIONS:
            begin = time.process_time()
            runs = ap.run(task(function), asked, seeds=seeds, keep=())
            took = time.process_time() - begin
            runs.attrs["microseconds"] = 1e6 * took / (seeds * asked.steps)
            found[labelled(function, network)] = runs
    return found


def step_time(runs: Mapping[str, xr.Dataset], network: str) -> float:
    """Microseconds of processor time that a step of one training takes, the median of functions."""
    times = [runs[labelled(function, network)].microseconds for function in FUNCTIONS]
    return float(ap.stats.order_quantiles(times))


def equal_time(runs: Mapping[str, xr.Dataset], network: str) -> int:
    """The last record of a network that comes no later than the end of the KAN, in time."""
    kan = runs[labelled("product", "KAN")]
    most = int(kan.step[-1]) * step_time(runs, "KAN") / step_time(runs, network)
    steps = runs[labelled("product", network)].step.values
    return int(steps[steps <= most][-1])


def equal_steps(runs: Mapping[str, xr.Dataset]) -> int:
    """The number of steps of the KAN."""
    return int(runs[labelled("product", "KAN")].step[-1])


def until(runs: Mapping[str, xr.Dataset], function: str, network: str, at_equal: str) -> xr.Dataset:
    """A network's trainings up to as many steps as the KAN makes, or to as much time."""
    here = runs[labelled(function, network)]
    last = equal_steps(runs)
    if at_equal == "time":
        last = equal_time(runs, network)
    return here.sel(step=slice(None, last))


def relative(runs: xr.Dataset) -> xr.Dataset:
    """The error on the other rows over the variance of the targets there."""
    targets = runs.y_test.values.reshape(-1)
    return xr.Dataset({"error": (runs.test_loss / targets.var()).reset_coords(drop=True)})


def close(runs: xr.Dataset) -> xr.Dataset:
    """Which seeds are close to the function."""
    return ap.stats.success(relative(runs), below=CLOSE, of="error")


def statements(runs: Mapping[str, xr.Dataset]) -> list[ap.stats.Claim]:
    """The claims; their regions were written before anything was trained."""
    stats, claim = ap.stats, ap.stats.Claim
    fits = partial(stats.rate, close(runs[labelled("formula", "KAN")]))
    found = [
        claim("the KAN learns the formula", "KAN", f"error at most {CLOSE:g}", fits, stats.USUALLY)
    ]
    expected = {
        ("formula", "MLP 10-10"): stats.BETTER,
        ("formula", "MLP 37"): stats.BETTER,
        ("product", "MLP 10-10"): stats.BETTER,
        ("product", "MLP 37"): stats.BETTER,
        ("maximum", "MLP 10-10"): stats.WORSE,
    }
    for at_equal in ("steps", "time"):
        for (function, network), holds in expected.items():
            both: dict[Hashable, xr.Dataset] = {
                "KAN": until(runs, function, "KAN", "steps"),
                network: until(runs, function, network, at_equal),
            }
            than = {stats.BETTER: "better", stats.WORSE: "worse"}[holds]
            found.append(
                claim(
                    f"{function}, equal {at_equal}: the KAN is {than} than {network}",
                    f"KAN and {network}, equal {at_equal}",
                    "share of seeds on which the KAN's error is smaller",
                    partial(stats.improvement, both, "KAN", network),
                    holds,
                )
            )
    return found


def table(runs: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """A line for each function and network, at equal steps and at equal time."""
    lines = []
    for function in FUNCTIONS:
        for network in NETWORKS:
            for at_equal in ("steps", "time"):
                if network == "KAN" and at_equal == "time":
                    continue  # the same as at equal steps
                here = until(runs, function, network, at_equal)
                line: dict[str, Any] = {"function": function, "network": network, "equal": at_equal}
                line |= {"steps": int(here.step[-1]), "microseconds": step_time(runs, network)}
                line |= judged.rated(close(here))
                errors = relative(here).error.isel(step=-1).values
                ends = ap.stats.order_quantiles(errors, (0.25, 0.5, 0.75))
                line |= dict(zip(("q25", "median", "q75"), ends, strict=True))
                lines.append(line | {"fingerprint": here.fingerprint[:12]})
    return pd.DataFrame(lines)


def main(
    seeds: int = 128, results: Path = RESULTS, summaries: Path = SUMMARIES, quick: bool = False
) -> None:
    """Train, judge the claims, and save.

    Args:
        seeds: of each network and function.
        results: the folder to write to.
        summaries: the folder of the tables.
        quick: a look at few seeds and steps, into results/quick.
    """
    longest = LONG
    if quick:
        seeds, longest = 8, LONG // 20
        results = summaries = results / "quick"
        print(f"Quick look: {seeds} seeds, few steps: not the experiment.", flush=True)
    runs = train(seeds, longest)
    judged.write("kan", runs, table(runs), (SOURCE, statements(runs)), (results, summaries))


if __name__ == "__main__":
    tyro.cli(main)
