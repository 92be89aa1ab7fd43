"""How fast second-order methods run over seeds, against R's nnet, optimistix and optax.

All are measured side by side in one run.

BFGS: nnet's recipe on the standardised interval (2 hidden units, 300 rows, entropy) to its stopping
rule, trainings per second, against R's nnet. Levenberg-Marquardt: x² on 33 points, ten tanh units,
512 seeds in float32 from the same starts, against optimistix' under vmap: the time to the same
median error. L-BFGS: the interval again, against optax' with its zoom line search under vmap, 100
evaluations or 20 steps each. All on the cores there are; compilation is left out; medians of
interleaved repeats. `ap.run` is timed whole, with its fixed cost of about a tenth of a second a
call; "further" is the time of each further training.
Cost: two minutes. Writes experiments/summaries/second_order_speed.md.
"""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optax
import tyro

import approx as ap

HERE = Path(__file__).parent
X = np.linspace(-1, 1, 33)[:, None]
SQUARE = ap.given(X, X**2)
LM = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="lm", steps=200, records=2)
INTERVAL = ap.tasks.interval(standardise=True)
BFGS = ap.Recipe(
    model=ap.MLP((2,), "sigmoid", initializer="nnet"), optimizer="bfgs", steps=400, records=2
)
LIMITS = (40, 60, 80, 100, 120, 140, 160, 200)


def clock(task: ap.Task, recipe: ap.Recipe, seeds: int, **options: Any):
    """Seconds of a run whose program is compiled, and the run."""
    began = time.perf_counter()
    runs = ap.run(task, recipe, seeds=seeds, keep=(), progress=False, **options).isel(step=-1)
    return time.perf_counter() - began, runs


def peer(*command: str) -> list[dict]:
    """What another program says, a JSON object a line; nothing if it is not here."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", "") or error
        print(f"left out: {' '.join(command[:2])}: {reason}", file=sys.stderr)
        return []
    return [json.loads(line) for line in said.stdout.splitlines() if line.startswith("{")]


def line(what: str, by: str, taken: str, result: str, ratio: str = "") -> str:
    """A line of the table; empty cells have one space."""
    cells = (what, by, taken, result, ratio)
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def bfgs(seeds: int, repeats: int, rscript: str) -> list[str]:
    """BFGS against nnet, which computes in float64: lines of the table."""
    recipes = {dtype: replace(BFGS, dtype=dtype) for dtype in ("float32", "float64")}
    whole: dict[str, list[float]] = {dtype: [] for dtype in recipes}
    further: dict[str, list[float]] = {dtype: [] for dtype in recipes}
    ends: dict[str, Any] = {}
    theirs: list[dict] = []
    for recipe in recipes.values():
        clock(INTERVAL, recipe, seeds)

    for _ in range(repeats):
        for dtype, recipe in recipes.items():
            seconds, ends[dtype] = clock(INTERVAL, recipe, seeds)
            longer, _ = clock(INTERVAL, recipe, 9 * seeds)
            whole[dtype].append(1e6 * seconds / seeds)
            further[dtype].append(1e6 * (longer - seconds) / seeds / 8)
        theirs += peer(rscript, str(HERE / "benchmark/nnet.R"), str(seeds))

    r = np.nan
    if theirs:
        r = 1e6 * float(np.median([one["seconds"] for one in theirs])) / seeds

    lines = []
    for dtype, runs in ends.items():
        right, evaluations = float((runs.accuracy == 1).mean()), float(runs.evaluations.mean())
        result = f"{right:.1%} right, {evaluations:.0f} evaluations"
        what = f"BFGS, interval, {seeds:,} seeds, {dtype}"
        for name, times in (("`ap.run`", whole), ("further", further)):
            us = float(np.median(times[dtype]))
            lines.append(
                line(
                    what,
                    name,
                    f"{us:.0f} us a training",
                    result,
                    f"**{r / us:.1f} x**",
                )
            )

    if theirs:
        by, right = f"{theirs[0]['version']}, one core", theirs[0]["right"] / seeds
        lines.append(line("", by, f"{r:.0f} us a training", f"{right:.1%} right"))
    return lines


def initial_weights() -> dict[str, Any]:
    """The weights that all Levenberg-Marquardt solvers start from, by w1, b1, w2, b2."""
    once = replace(LM, steps=1)
    runs = ap.run(SQUARE, once, seeds=512, keep=("params",), progress=False)
    named = {}
    for number, layer in enumerate(ap.params(runs), 1):
        for kind in "wb":
            named[f"{kind}{number}"] = layer[kind]
    return named


def levenberg(repeats: int, python: str) -> list[str]:
    """Levenberg-Marquardt against optimistix, at the same median error: lines of the table."""
    settings = {
        "MATLAB's μ": LM,
        "μ x 0.7, x 3": replace(LM, options={"mu_dec": 0.7, "mu_inc": 3.0}),
    }
    times: dict[str, list[float]] = {name: [] for name in settings}
    errors: dict[str, float] = {}
    theirs: list[dict] = []
    with tempfile.TemporaryDirectory() as folder:
        starts = Path(folder) / "starts.npz"
        np.savez(starts, **initial_weights())
        solver = (python, str(HERE / "benchmark/optimistix_lm.py"), str(starts), *map(str, LIMITS))
        for recipe in settings.values():
            clock(SQUARE, recipe, 512)

        for _ in range(repeats):
            for name, recipe in settings.items():
                seconds, runs = clock(SQUARE, recipe, 512)
                times[name].append(seconds)
                errors[name] = float(ap.stats.order_quantiles(runs.loss, axis=None))
            theirs += peer(*solver)

    lines = []
    for name in settings:
        seconds = float(np.median(times[name]))
        per_trial = 1e6 * seconds / 512 / 200
        what = f"LM, x², 512 seeds, 200 trials, {name}"
        taken = f"{1e3 * seconds:.0f} ms ({per_trial:.2f} us a trial)"
        lines.append(line(what, "`ap.run`", taken, f"median MSE {errors[name]:.1e}"))
        lines += least_as_good(theirs, errors[name], seconds)
    return lines


def least_as_good(theirs: list[dict], error: float, seconds: float) -> list[str]:
    """The line of optimistix with the fewest steps that reach an error; none if none do."""
    limits = sorted({one["limit"] for one in theirs if one["median"] <= error})
    if not limits:
        return []

    same = [one for one in theirs if one["limit"] == limits[0]]
    there = float(np.median([one["seconds"] for one in same]))
    by = f"{same[0]['version']}, {limits[0]} steps"
    result = f"median MSE {same[0]['median']:.1e}"
    return [
        line(
            "",
            by,
            f"{1e3 * there:.0f} ms",
            result,
            f"**{there / seconds:.1f} x**",
        )
    ]


def limited(repeats: int) -> list[str]:
    """L-BFGS against optax': lines of the table."""
    ours = replace(BFGS, optimizer="lbfgs", steps=100)
    theirs = replace(ours, optimizer=optax.lbfgs(), learning_rate=None, steps=20)
    recipes = {"ours": ours, "optax": theirs}
    seconds: dict[str, list[float]] = {name: [] for name in recipes}
    losses = {}
    for _ in range(repeats + 1):
        for name, recipe in recipes.items():
            taken, runs = clock(INTERVAL, recipe, 64)
            seconds[name].append(taken)
            losses[name] = f"median loss {ap.stats.order_quantiles(runs.loss, axis=None):.1e}"

    # The first of each compiles
    a, b = np.median(seconds["ours"][1:]), np.median(seconds["optax"][1:])
    what = "L-BFGS, interval, 64 seeds, float32, 100 evaluations"
    by = f"optax {optax.__version__}, vmap, 20 steps"
    return [
        line(what, "`ap.run`", f"{1e3 * a:.0f} ms", losses["ours"]),
        line(
            "",
            by,
            f"{1e3 * b:.0f} ms",
            losses["optax"],
            f"**{b / a:.0f} x**",
        ),
    ]


def main(
    seeds: int = 2048,
    repeats: int = 3,
    rscript: str = "Rscript",
    optimistix: str = sys.executable,
    summaries: Path = HERE / "summaries",
) -> None:
    """Measure, print a table, and write it.

    Args:
        seeds: of BFGS and nnet.
        repeats: of every measurement, interleaved.
        rscript: R's script runner, with the package nnet; left out if it cannot be run.
        optimistix: a Python that has optimistix; left out if it has not.
        summaries: the folder to write to.
    """
    lines = ["| what | by | time | result | ratio |", "|---|---|---|---|---|"]
    lines += bfgs(seeds, repeats, rscript) + levenberg(repeats, optimistix) + limited(repeats)
    about = (__doc__ or "").split("Cost:")[0].strip()
    table = "\n".join(lines)
    text = f"# Second-order methods side by side\n\n{about}\n\n{table}\n"
    print(table)
    summaries.mkdir(parents=True, exist_ok=True)
    (summaries / "second_order_speed.md").write_text(text)


if __name__ == "__main__":
    tyro.cli(main)
