"""u' = -u by a network: what the weight of the start does to Adam, L-BFGS and Levenberg-Marquardt.

Question: a network of ten tanh units is trained to make u' + u zero at 64 points of [0, 5], and
u(0) - 1 zero, without seeing the solution e^-t. The loss is the mean of the squared residuals and w
times the square of u(0) - 1. Which weights w of the start work, and how do the others fail?
Source: Lagaris, Likas and Fotiadis (1998); Raissi, Perdikaris and Karniadakis (2019), whose method
is L-BFGS; Wang, Teng and Perdikaris (SIAM Journal on Scientific Computing 43, 2021), to whom the
balance of the two terms decides; github.com/levimcclenny/SA-PINNs, issue 1, where a weight of 100
works and a weight of 1 does not.
Expected, before anything was trained: a small weight leaves a solution of the equation with a wrong
start, a large one a right start with a wrong curve; second-order methods do not care.
Cost: a minute and a half of one core for 128 seeds.
Writes results/decay_{adam,lbfgs,lm}.nc and experiments/summaries/decay_{rates,verdicts}.csv.
"""

from collections.abc import Hashable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import tyro
import xarray as xr

import approx as ap
from experiments.shared import judged

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
# The largest error on [0, 5], where the solution falls from 1 to 0.007
CLOSE, CLOSER = 1e-2, 1e-3
WEIGHTS = tuple(10.0**k for k in range(-4, 5))
SMALL, ONE, HUNDRED, LARGE = 1e-4, 1.0, 100.0, 1e4
TASK = ap.tasks.decay(rate=1.0, end=5.0, size=64)
MODEL = ap.MLP((10,), "tanh")
RATE = 1e-2  # Adam's learning rate
# Steps of each method; a step of L-BFGS or LM is one evaluation of the loss and its derivatives
STEPS = {"adam": 3_000, "lbfgs": 300, "lm": 100}
KINDS = ("right", "start wrong", "curve wrong")


def train(seeds: int, steps: Mapping[str, int], weights=WEIGHTS) -> dict[str, xr.Dataset]:
    """Every method with every weight, over (boundary_weight, seed, ...)."""
    found = {}
    for method, most in steps.items():
        recipe = ap.Recipe(
            model=MODEL,
            optimizer=method,
            learning_rate=RATE if method == "adam" else None,
            batch_size=None,
            steps=most,
            records=(0, most),
            dtype="float64",
        )
        found[method] = ap.run(TASK, recipe, seeds=seeds, boundary_weight=list(weights))
    return found


def errors(runs: xr.Dataset) -> xr.Dataset:
    """The largest error of each training, and its error at t = 0; inf where it diverged."""
    away = abs(runs.prediction - runs.y_test).isel(output=0)
    away = away.where(np.isfinite(away), np.inf)
    found = xr.Dataset({"largest": away.max("point"), "start": away.isel(point=0)})
    return found.reset_coords(drop=True)


def hits(runs: xr.Dataset, below: float, of: str = "largest") -> xr.Dataset:
    """Which trainings have an error of at most `below`."""
    return ap.stats.success(errors(runs), below=below, of=of)


def kinds(runs: xr.Dataset) -> xr.DataArray:
    """What each training became: right, or whether its start is wrong or the rest of its curve."""
    found = errors(runs)
    wrong = np.where(found.start > CLOSE, KINDS[1], KINDS[2])
    return found.largest.copy(data=np.where(found.largest <= CLOSE, KINDS[0], wrong))


def starts_right(runs: xr.Dataset, weight: float, **options) -> xr.Dataset:
    """The rate at which u(0) is 1 within 0.01."""
    return ap.stats.rate(hits(runs, CLOSE, "start").sel(boundary_weight=weight), **options)


def statements(runs: Mapping[str, xr.Dataset]) -> list[ap.stats.Claim]:
    """The claims; their regions were written before anything was trained."""
    close = {method: hits(each, CLOSE) for method, each in runs.items()}
    closer = {method: hits(each, CLOSER) for method, each in runs.items()}
    says, strict = (f"largest error at most {most:g}" for most in (CLOSE, CLOSER))

    def rate(hit, weight):
        return partial(ap.stats.rate, hit.sel(boundary_weight=weight))

    def weighed(hit, one, other):
        return partial(ap.stats.compare, hit, one, other, dim="boundary_weight")

    at_one: dict[Hashable, xr.Dataset] = {
        method: each.sel(boundary_weight=ONE) for method, each in closer.items()
    }
    claim, stats = ap.stats.Claim, ap.stats
    return [
        claim("Adam, weight 1: solved", "adam", says, rate(close["adam"], ONE), stats.USUALLY),
        claim(
            "Adam: weight 1 is better than 0.0001",
            "adam, weights 1 and 0.0001",
            says,
            weighed(close["adam"], ONE, SMALL),
            stats.HELPS,
        ),
        claim(
            "Adam: weight 1 is better than 10,000",
            "adam, weights 1 and 10,000",
            says,
            weighed(close["adam"], ONE, LARGE),
            stats.HELPS,
        ),
        claim(
            "Adam: weight 100 is better than 1",
            "adam, weights 100 and 1",
            says,
            weighed(close["adam"], HUNDRED, ONE),
            stats.HELPS,
        ),
        claim(
            "Adam, weight 0.0001: the start is not met",
            "adam, weight 0.0001",
            f"error at 0 at most {CLOSE:g}",
            partial(starts_right, runs["adam"], SMALL),
            stats.NEVER,
        ),
        claim(
            "Adam, weight 10,000: the start is met",
            "adam, weight 10,000",
            f"error at 0 at most {CLOSE:g}",
            partial(starts_right, runs["adam"], LARGE),
            stats.ALWAYS,
        ),
        claim(
            "weight 1: L-BFGS is better than Adam",
            "lbfgs, adam",
            strict,
            partial(stats.compare, at_one, "lbfgs", "adam"),
            stats.HELPS,
        ),
        claim("LM, weight 1: solved", "lm", strict, rate(closer["lm"], ONE), stats.ALWAYS),
        claim(
            "LM: weight 0.0001 is as good as 1",
            "lm, weights 0.0001 and 1",
            strict,
            weighed(closer["lm"], SMALL, ONE),
            stats.SAME,
        ),
        claim(
            "LM: weight 10,000 is as good as 1",
            "lm, weights 10,000 and 1",
            strict,
            weighed(closer["lm"], LARGE, ONE),
            stats.SAME,
        ),
    ]


def table(runs: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """A line for each method and weight: rates with exact intervals, what failed, the errors."""
    lines = []
    for method, each in runs.items():
        became, found = kinds(each), errors(each)
        for weight in each.boundary_weight.values.tolist():
            line = {"method": method, "steps": int(each.step[-1]), "weight": weight}
            for name, most in (("close", CLOSE), ("closer", CLOSER)):
                hit = hits(each, most).sel(boundary_weight=weight)
                rate = ap.stats.rate(hit, interval="exact")
                line |= {"n": int(rate.n), name: float(rate.rate)}
                line |= {f"{name}_low": float(rate.low), f"{name}_high": float(rate.high)}
            for kind in KINDS:
                line[kind] = float((became.sel(boundary_weight=weight) == kind).mean())
            largest = found.largest.sel(boundary_weight=weight).values
            ends = ap.stats.order_quantiles(largest, (0.05, 0.5, 0.95))
            line |= dict(zip(("q05", "median", "q95"), ends, strict=True))
            lines.append(line | {"fingerprint": each.fingerprint[:12]})
    return pd.DataFrame(lines)


def main(
    seeds: int = 128, results: Path = RESULTS, summaries: Path = SUMMARIES, quick: bool = False
) -> None:
    """Train, judge the claims, and save.

    Args:
        seeds: of each method and weight.
        results: the folder to write to.
        summaries: the folder of the tables.
        quick: a look at few seeds and steps, into results/quick.
    """
    steps = STEPS
    if quick:
        seeds, steps = 8, {method: most // 20 for method, most in STEPS.items()}
        results = summaries = results / "quick"
        print(f"Quick look: {seeds} seeds, few steps: not the experiment.", flush=True)
    runs = train(seeds, steps)
    claims = ("the literature on physics-informed networks", statements(runs))
    judged.write("decay", runs, table(runs), claims, (results, summaries))


if __name__ == "__main__":
    tyro.cli(main)
