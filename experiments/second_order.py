"""How much work small networks take to learn: SGD, Adam, BFGS, L-BFGS and Levenberg-Marquardt.

Source: the tools people use for networks this small are R's nnet (BFGS) and MATLAB's fitnet
(Levenberg-Marquardt); in the thread on an interval, nnet found it for some seeds where Keras' SGD
did not. Cases: nnet's recipe on the interval, raw and standardised, entropy and least squares
(1-2-1 sigmoids from U(-0.7, 0.7)), x² on 33 points of [-1, 1] and sin x on 256 points of [-2π, 2π]
(1-10-1 tanh, PyTorch's initialisation). All rows at every step. BFGS and L-BFGS stop by nnet's
rules on the interval and by none elsewhere. SGD's and Adam's rates are the best of four, chosen on
64 other seeds. These two compute in float32, the others in float64, as R and MATLAB do.
Expected finding: second order needs orders of magnitude less work where it can be had, and does not
rescue bad starts.
Found: both. On the standardised interval BFGS, as nnet runs it, has every row right for 88% of the
seeds after some 90 evaluations, plain gradient descent with a well-chosen rate for all 512 after
thousands; on the raw one BFGS for 6%, Levenberg-Marquardt for 13%, and 20,000 steps of Adam for 37
to 43%. On x² half of the seeds fall below 10⁻⁶ after some 20 trials of Levenberg-Marquardt and 100
evaluations of BFGS, and in the end all of them; with Adam 70% in 20,000 steps.
Cost: three minutes on two cores for 512 seeds. Writes results/second_order_{CASE}_{METHOD}.nc, and
what the figure draws, experiments/summaries/second_order_rates.csv: the share of seeds in success
at every record, after how many evaluations.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tyro
import xarray as xr

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
NNET = ap.MLP((2,), "sigmoid", initializer="nnet")
TANH = ap.MLP((10,), "tanh")
UNOPTIMISED = {"xla_backend_optimization_level": 0}  # compiles soon, and trains more slowly
X = np.linspace(-1, 1, 33)[:, None]
ALL_RIGHT = {"of": "accuracy", "above": 1.0}
# case -> task, model, what counts as success
CASES: dict[str, Any] = {
    "raw entropy": (ap.tasks.interval(), NNET, ALL_RIGHT),
    "raw squares": (ap.tasks.interval(loss="brier"), NNET, ALL_RIGHT),
    "standardised entropy": (ap.tasks.interval(standardise=True), NNET, ALL_RIGHT),
    "standardised squares": (ap.tasks.interval(standardise=True, loss="brier"), NNET, ALL_RIGHT),
    "square": (ap.given(X, X**2), TANH, {"of": "loss", "below": 1e-6}),
    "sine": (ap.tasks.sine(), TANH, {"of": "loss", "below": 1e-3}),
}
ENDLESS = {"abstol": 0.0, "reltol": 0.0, "maxit": 1e9}
STEPS = {"sgd": 20_000, "adam": 20_000, "bfgs": 2_000, "lbfgs": 2_000, "lm": 1_000}
RATES = {"sgd": (0.01, 0.1, 1.0, 10.0), "adam": (1e-3, 1e-2, 1e-1, 1.0)}
OTHERS = range(10**6, 10**6 + 64)  # the seeds that choose a rate, none of those that are reported


def methods(case: str, quick: bool = False) -> list[str]:
    """The methods that can be had in a case; a quick look is without L-BFGS and SGD."""
    left_out = []
    if "entropy" in case:  # which is no sum of squares
        left_out.append("lm")
    if quick:
        left_out += ["lbfgs", "sgd"]
    return [method for method in STEPS if method not in left_out]


def recipe(case: str, method: str, most: int | None = None) -> ap.Recipe:
    """The recipe of one method in one case, of at most so many steps."""
    _, model, _ = CASES[case]
    dtype = "float64"  # as each of the methods is used
    if method in RATES:
        dtype = "float32"

    options: dict[str, float] = {}
    if method in ("bfgs", "lbfgs") and case in ("square", "sine"):
        options = ENDLESS
    return ap.Recipe(
        model=model,
        optimizer=method,
        options=options,
        steps=min(STEPS[method], most or STEPS[method]),
        dtype=dtype,
    )


def choose_rate(
    case: str, first: ap.Recipe, others: Sequence[int] = OTHERS, **options
) -> ap.Recipe:
    """The recipe with the rate with which most of the other seeds succeed at the end.

    Of rates with as many successes it is the one with the least median loss.
    """
    task, _, success = CASES[case]
    rates = RATES[first.optimizer]
    runs = ap.run(task, first, seeds=others, learning_rate=rates, keep=(), **options).isel(step=-1)
    hits = ap.stats.success(runs, **success).hit.sum("seed")
    loss = ap.stats.quantiles(runs, q=0.5).loss.isel(quantile=0)
    order = np.lexsort((loss, -hits))
    return replace(first, learning_rate=rates[int(order[0])])


def timed(task: ap.Task, its_recipe: ap.Recipe, seeds: int, **options) -> xr.Dataset:
    """A run, with the milliseconds that a training takes once its program is compiled.

    Of methods that take milliseconds, those of each further training: a call of `run` costs a tenth
    of a second itself.
    """

    def seconds(count: int) -> float:
        began = time.perf_counter()
        ap.run(task, its_recipe, seeds=count, keep=(), **options)
        return time.perf_counter() - began

    runs = ap.run(task, its_recipe, seeds=seeds, keep=(), **options)
    few = seconds(seeds)
    each = few / seeds
    if its_recipe.optimizer not in RATES:
        each = (seconds(5 * seeds) - few) / (4 * seeds)
    if each <= 0:
        each = np.nan  # too few seeds to be timed

    rate = 0.0
    if its_recipe.learning_rate is not None:
        rate = float(np.asarray(its_recipe.learning_rate))
    return runs.assign_attrs(milliseconds=1e3 * each, learning_rate=rate)


def table(method: str, runs, success: dict) -> str:
    """One method's line."""
    end = runs.isel(step=-1)
    rate = ap.stats.rate(ap.stats.success(runs, **success), when="last")
    interval = f"[{float(rate.low):.1%}, {float(rate.high):.1%}] of {runs.sizes['seed']}"
    work = float(ap.stats.order_quantiles(end.evaluations))
    parts = [
        f"  {method:5} {float(rate.rate):6.1%} {interval}",
        f"median loss {float(ap.stats.order_quantiles(end.loss)):8.2g}",
        f"evaluations {work:6,.0f}",
        f"{runs.milliseconds:7.3f} ms a training",
    ]
    line = "   ".join(parts)
    if "stopped" in end:
        running = ap.stats.rate(end.stopped == 0)
        line += f"   {float(running.rate):4.0%} not stopped"
    elif runs.learning_rate:
        line += f", learning rate {runs.learning_rate:g}"
    return line


def rates_table(case: str, method: str, runs: xr.Dataset) -> pd.DataFrame:
    """The share of seeds in success at every record, with its exact 95% interval.

    `evaluations` is the mean over seeds of how often the loss and its derivatives were evaluated
    until then. Times are in second_order_speed.md, which is measured on a quiet machine.
    """
    work = runs.evaluations.mean("seed")
    hits = ap.stats.success(runs, **CASES[case][2])
    rates = ap.stats.rate(hits, when="each")
    return pd.DataFrame(
        {
            "case": case,
            "method": method,
            "evaluations": work.values,
            "n": rates.n.values,
            "successes": rates.successes.values,
            "rate": rates.rate.values,
            "low": rates.low.values,
            "high": rates.high.values,
            "fingerprint": runs.fingerprint[:12],
        }
    )


def main(
    seeds: int = 512,
    steps: int | None = None,
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    quick: bool = False,
) -> None:
    """Run every method in every case, print what came out, and save it.

    Args:
        seeds: of each.
        steps: at most so many steps of each method, for a quick look.
        results: the folder to write to.
        summaries: the folder of the table.
        quick: a look at few seeds and steps, most by programs compiled without
            optimisation, into results/quick.
    """
    others, plain = OTHERS, {}
    if quick:
        seeds, steps, others, results = 32, 200, OTHERS[:8], results / "quick"
        summaries = results
        results.mkdir(parents=True, exist_ok=True)
        plain = {"compiler_options": UNOPTIMISED}
        print(f"Quick look: {seeds} seeds, at most {steps:,} steps; not the experiment.")

    tables = []
    for case, (task, _, success) in CASES.items():
        print(case, flush=True)
        for method in methods(case, quick):
            chosen = recipe(case, method, steps)
            options: dict[str, Any] = {"progress": False}
            if method != "lm":
                options |= plain
            if method in RATES:
                chosen = choose_rate(case, chosen, others, **options)

            runs = timed(task, chosen, seeds, **options)
            ap.save(runs, results / f"second_order_{case.replace(' ', '_')}_{method}.nc")
            print(table(method, runs, success), flush=True)
            tables.append(rates_table(case, method, runs))
    path = summaries / "second_order_rates.csv"
    pd.concat(tables).to_csv(path, index=False, float_format="%.5g", lineterminator="\n")


if __name__ == "__main__":
    tyro.cli(main)
