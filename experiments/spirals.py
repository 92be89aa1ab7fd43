"""Two spirals and two circles: which small networks tell them apart, and where they draw the line.

Question: networks of two inputs with 2, 10, 5-5-5 and 10-10 tanh units are trained on two circles,
one within the other, and on the 194 points of two spirals of three turns. How many of the seeds
have all training points right? How many of these are right between the points, too?
Source: Lang and Witbrock, "Learning to tell two spirals apart" (1988), whose 2-5-5-5-1 network has
shortcuts from every layer to all later ones, because back-propagation without them is said to slow
down by a factor of ten with each layer; two lines bound no closed region, so that two units are
said not to be enough for a circle.
Set-up: Adam at 0.01 on all rows, 10,000 steps for the spirals, 1,000 for the circles. The circles
have the radii 1 and 1/2, a noise of 0.05 on both coordinates and 200 points; the test points are
another draw. The spirals' test points lie on them, halfway between neighbours.
Expected, before anything was trained: two units fail on both; ten do on the spirals only; 10-10
learns the spirals for most seeds within 3,000 steps; 5-5-5 without shortcuts does not. As they did
not, all were trained to 10,000 steps; the last three claims were written before that.
Cost: two minutes of one core for 128 seeds, half of it compilation.
Writes results/spirals_{circles,spirals}.nc and experiments/summaries/spirals_{rates,verdicts}.csv.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import tyro
import xarray as xr
from sklearn.datasets import make_circles

import approx as ap
from experiments.shared import judged

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
TWO, TEN, FIVES, TENS = (2,), (10,), (5, 5, 5), (10, 10)
LAYERS = {"2": TWO, "10": TEN, "5-5-5": FIVES, "10-10": TENS}
STEPS = {"circles": 1_000, "spirals": 10_000}
RECORDS = {"circles": (0, 100, 300, 1_000), "spirals": (0, 100, 300, 1_000, 3_000, 6_000, 10_000)}
FIRST = 3_000  # the steps that the claims on spirals were written for
ALL = 1.0  # of the training points
MOST = 0.95  # of the test points; so many right count as right between the training points
GRID = 61  # points of a side of the map of decisions


def circles() -> ap.Task:
    """Two circles of the radii 1 and 1/2, with points of a grid at which decisions are drawn."""
    rows = make_circles(200, noise=0.05, factor=0.5, random_state=0)
    test = make_circles(200, noise=0.05, factor=0.5, random_state=1)
    at = ap.tasks.mesh((-1.5, -1.5), (1.5, 1.5), GRID)
    return ap.data(*rows, test=test, at=at, loss="binary_cross_entropy")


def points() -> tuple[np.ndarray, np.ndarray]:
    """The 194 points of the two spirals, and 0 or 1 for each."""
    known = ap.tasks.two_spirals()
    return np.asarray(known.x), np.asarray(known.y)[:, 0]


def spirals() -> ap.Task:
    """Lang and Witbrock's spirals, with points of a grid at which decisions are drawn."""
    known = ap.tasks.two_spirals()
    test = np.asarray(known.x_test), np.asarray(known.y_test)[:, 0]
    at = ap.tasks.mesh((-7, -7), (7, 7), GRID)
    return ap.data(*points(), test=test, at=at, loss="binary_cross_entropy")


def tasks() -> dict[str, ap.Task]:
    """The two tasks by name."""
    return {"circles": circles(), "spirals": spirals()}


def train(seeds: int, steps: Mapping[str, int]) -> dict[str, xr.Dataset]:
    """Both tasks with every network, over (layers, seed, ...)."""
    found = {}
    for name, task in tasks().items():
        recipe = ap.Recipe(
            model=ap.MLP(TEN, "tanh"),
            optimizer="adam",
            learning_rate=1e-2,
            batch_size=None,
            steps=steps[name],
            records=tuple(step for step in RECORDS[name] if step <= steps[name]),
        )
        runs = ap.run(task, recipe, seeds=seeds, widths=list(LAYERS.values()))
        found[name] = runs.assign_coords(widths=list(LAYERS)).rename(widths="layers")
    return found


def fitted(runs: xr.Dataset) -> xr.Dataset:
    """Which trainings have all training points right."""
    return ap.stats.success(runs, above=ALL, of="accuracy")


def between(runs: xr.Dataset) -> xr.Dataset:
    """Which trainings have at least 95% of the test points right."""
    return ap.stats.success(runs, above=MOST, of="test_accuracy")


def between_of_fitted(runs: xr.Dataset, layers: str, **options) -> xr.Dataset:
    """The rate of seeds that are right between the rows, of those that have all rows right."""
    here = runs.sel(layers=layers)
    know = ap.stats.reading(fitted(here), "last").values.astype(bool)
    if not know.any():
        return xr.Dataset({"rate": float("nan"), "low": 0.0, "high": 1.0, "n": 0})
    return ap.stats.rate(between(here.isel(seed=know.nonzero()[0])), **options)


def statements(runs: Mapping[str, xr.Dataset]) -> list[ap.stats.Claim]:
    """The claims; their regions were written before anything was trained."""
    says = "all training points right"
    stats, claim = ap.stats, ap.stats.Claim
    short = {name: fitted(each.sel(step=slice(FIRST))) for name, each in runs.items()}
    long = {"spirals": fitted(runs["spirals"])}

    def rated(hits, name, layers, holds, text):
        effect = partial(stats.rate, hits[name].sel(layers=layers))
        return claim(f"{name}: {text}", f"2-{layers}-1", says, effect, holds)

    def deeper(hits, steps):
        effect = partial(stats.compare, hits["spirals"], "10-10", "10", dim="layers")
        text = f"spirals: a second layer helps, {steps:,} steps"
        return claim(text, "2-10-10-1, 2-10-1", says, effect, stats.HELPS)

    first, all_steps = f"{FIRST:,} steps", f"{STEPS['spirals']:,} steps"
    tens, fives = "two layers of ten learn them", "three layers of five need shortcuts"
    return [
        rated(short, "circles", "2", stats.NEVER, "two units cannot tell them apart"),
        rated(short, "circles", "10", stats.ALWAYS, "ten units always do"),
        rated(short, "spirals", "2", stats.NEVER, f"two units cannot tell them apart, {first}"),
        rated(short, "spirals", "10", stats.NEVER, f"one layer of ten units cannot, {first}"),
        rated(short, "spirals", "5-5-5", stats.NEVER, f"{fives}, {first}"),
        rated(short, "spirals", "10-10", stats.USUALLY, f"{tens}, {first}"),
        deeper(short, FIRST),
        claim(
            "spirals: who fits the rows is right between them",
            "2-10-10-1",
            f"of the seeds with {says}, those with {MOST:.0%} of the test points right",
            partial(between_of_fitted, runs["spirals"], "10-10"),
            stats.ALWAYS,
        ),
        rated(long, "spirals", "5-5-5", stats.NEVER, f"{fives}, {all_steps}"),
        rated(long, "spirals", "10-10", stats.USUALLY, f"{tens}, {all_steps}"),
        deeper(long, STEPS["spirals"]),
    ]


def table(runs: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """A line for each task and network: rates with exact intervals, and the median accuracy."""
    lines = []
    for name, each in runs.items():
        for layers in each.layers.values.tolist():
            here = each.sel(layers=layers)
            line = {"task": name, "layers": layers, "steps": int(here.step[-1])}
            for measure, hit in (("fitted", fitted(here)), ("between", between(here))):
                rate = ap.stats.rate(hit, interval="exact")
                line |= {"n": int(rate.n), measure: float(rate.rate)}
                line |= {f"{measure}_low": float(rate.low), f"{measure}_high": float(rate.high)}
            for of in ("accuracy", "test_accuracy"):
                last = here[of].isel(step=-1).values
                line[f"median_{of}"] = float(ap.stats.order_quantiles(last, worst=0.0))
            lines.append(line | {"fingerprint": each.fingerprint[:12]})
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
        seeds, steps = 8, dict.fromkeys(STEPS, 300)
        results = summaries = results / "quick"
        print(f"Quick look: {seeds} seeds, few steps: not the experiment.", flush=True)
    runs = train(seeds, steps)
    claims = ("Lang and Witbrock 1988, and textbooks", statements(runs))
    judged.write("spirals", runs, table(runs), claims, (results, summaries))


if __name__ == "__main__":
    tyro.cli(main)
