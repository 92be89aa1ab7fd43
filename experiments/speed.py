"""How fast many small networks train: `approx` against vector code by hand and what people use
today.

Question: nanoseconds per seed and training step of five cases, P1 to P5, through `ap.run` (default
records, everything included) and through its inner step (one compiled block after the other, no
records), in both forms of the program, against (a) the C limit of experiments/limit, or the
processor's fused-multiply-add peak for the dense cases, (b) naive JAX, `jit(vmap(train))` with dots
and `randint` draws, (c) PyTorch and scikit-learn where they are installed.
Source: the cases of the project's speed notes. Everything is interleaved in one run, so that ratios
hold when the machine's clock does not; a ratio is taken repeat by repeat. Compilation is excluded
(a first call) and reported.
Expected finding: small networks (P1 to P3) within twice the C limit and ten to thirty times faster
than naive JAX.
Cost: some quarter of an hour on two quiet cores and 3 GB. Output: a table, and
experiments/summaries/speed.json and speed.md.
"""

import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from json import dumps
from pathlib import Path

import jax
import numpy as np
import psutil
import tyro

import approx as ap
from experiments.benchmark.cases import CASES
from experiments.benchmark.report import plain, summarise, table
from experiments.benchmark.timing import (
    CORES,
    Measure,
    Torch,
    c_limit,
    host,
    inner,
    naive,
    public,
    sklearn_measure,
    timed,
    torch_measures,
)
from experiments.limit import limit

SUMMARY = Path(__file__).parent / "summaries" / "speed.json"
SWEEP_STEPS = 10_000  # of the trainings whose time is shown against the number of seeds


def plan_measures(
    chosen: list[str], scale: float, programs, peers: list[Torch], sklearn: bool
) -> list[Measure]:
    """Everything that is timed of each case; `scale` is about the seconds that each sample takes."""
    made: list[Measure] = []
    for name, case in CASES.items():
        base = name.split()[0]
        if base not in chosen:
            continue
        counts = sorted({1, CORES})
        if programs and "epoch" not in name:
            made += [c_limit(name, case, programs, threads, scale) for threads in counts]
        best, *others = case.forms
        if name != base:
            made.append(inner(name, case, best, CORES, scale))
            continue
        made.append(naive(name, case, scale))
        made += [
            inner(name, case, form, threads, scale) for form in case.forms for threads in counts
        ]
        # Thousands of steps, of the largest network hundreds: records are 50 in any number of them.
        long = {"P2": 16, "P4": 16, "P5": 40}.get(name, 8) * scale
        made += [public(name, case, best, threads, long) for threads in counts] + [
            host(name, case, best)
        ]
        made += [public(name, case, form, CORES, 2 * scale) for form in others]
        if not case.flops:
            made += torch_measures(name, case, peers, scale)
            made += [
                measure for measure in [sklearn_measure(name, case, scale)] if measure and sklearn
            ]
    return made


def plan_sweep(seeds: tuple[int, ...], scale: float, programs) -> list[Measure]:
    """P1 against the number of seeds: `ap.run` of SWEEP_STEPS steps as the clock has it, the others
    per step.
    """
    case, made = CASES["P1"], []
    steps = max(20, round(SWEEP_STEPS * min(1, 4 * scale)))
    recipe = replace(case.recipe, steps=steps)
    for n in seeds:
        call = partial(ap.run, case.task, recipe, seeds=n, progress=False)
        made.append(Measure("P1 seeds", "run", CORES, n, steps, partial(timed, call, CORES)))
        made.append(naive("P1 seeds", case, scale, n))
        made += [inner("P1 seeds", case, form, CORES, scale, n) for form in case.forms]
        if n == 1:  # a block of its own
            made.append(
                replace(
                    inner("P1 seeds", case, "vmap", CORES, scale, n, lanes=1), form="step, 1 lane"
                )
            )
        made += (
            [replace(c_limit("P1", case, programs, CORES, scale, n), case="P1 seeds")]
            if programs
            else []
        )
    return made


def measure_all(measures: list[Measure], repeats: int, patience: float) -> None:
    """First calls, which compile; then all of them in turn, `repeats` times."""
    first = {}
    for n, measure in enumerate(measures):
        began = time.perf_counter()
        measure.once()
        first[id(measure)] = time.perf_counter() - began
        say(f"first calls {n + 1}/{len(measures)}", n + 1 == len(measures))
    for repeat in range(repeats):
        for measure in measures:
            patience -= quiet(patience)
            began = time.perf_counter()
            measure.ns.append(measure.sample())
            more = first[id(measure)] - (time.perf_counter() - began)
            measure.compile_seconds = min(measure.compile_seconds or math.inf, max(more, 0))
            say(
                f"repeat {repeat + 1}/{repeats}, {measure.case} {measure.form}",
                measure is measures[-1],
            )


def quiet(most: float) -> float:
    """Wait until other processes leave the processor alone, at most so many seconds; how long it
    took.
    """
    began = time.monotonic()
    while time.monotonic() - began < most and psutil.cpu_percent(0.1) > 15:
        say("waiting for other processes", False)
    return time.monotonic() - began


said = [0.0]


def say(text: str, now: bool) -> None:
    """A line now and then."""
    if now or time.monotonic() - said[0] > 30:
        said[0] = time.monotonic()
        print(f"  {text}", flush=True)


def torch_peers(python: str | None, notes: list[str]) -> list[Torch]:
    """PyTorch with one thread and with one per core; none, and a note, where it is not installed."""
    interpreter = python or sys.executable
    if subprocess.run([interpreter, "-c", "import torch"], capture_output=True).returncode:
        notes.append("No PyTorch: the interpreter has none; name one that has with --torch.")
        return []
    return [Torch(interpreter, threads) for threads in sorted({1, CORES})]


def processor() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    names = (
        [
            line.split(":")[1].strip()
            for line in info.read_text().splitlines()
            if "model name" in line
        ]
        if info.exists()
        else []
    )
    return names[0] if names else "unknown processor"


def main(
    json: Path = SUMMARY,
    cases: tuple[str, ...] = ("P1", "P2", "P3", "P4", "P5"),
    seeds: tuple[int, ...] = (1, 16, 64, 512, 4096, 16384),
    repeats: int = 5,
    seconds: float = 0.4,
    quick: bool = False,
    torch: str | None = None,
    peers: bool = True,
    with_limit: bool = True,
    patience: float = 0.0,
) -> None:
    """Time everything, print the table, and write it as JSON and Markdown.

    Args:
        json: the file to write; the table goes beside it, as .md.
        cases: which of P1 to P5.
        seeds: numbers of seeds at which P1 is timed; none for no such curve.
        repeats: of every measurement, interleaved.
        seconds: of a sample, about; those of `ap.run` take eight to forty times as long.
        quick: samples of hundredths of a second, two repeats: to see that it works. Its numbers
            mean little.
        torch: a Python interpreter with PyTorch, to time that too; without it the one running, if
            it has PyTorch.
        peers: time PyTorch and scikit-learn, where they are installed.
        with_limit: build and time the C limit.
        patience: seconds to wait, in all, where other processes are at work when a sample is due.
    """
    chosen, scale = [name for name in CASES if name in cases], 0.01 if quick else seconds
    repeats = min(repeats, 2) if quick else repeats
    notes = [f"Load average at the start: {os.getloadavg()[0]:.1f}."]
    absent = limit.missing() if with_limit else "it was not asked for"
    notes += [f"No C limit: {absent}."] if absent else []
    with tempfile.TemporaryDirectory() as folder:
        programs = {} if absent else limit.build(Path(folder))
        others = torch_peers(torch, notes) if peers else []
        measures = plan_measures(chosen, scale, programs, others, peers)
        measures += plan_sweep(seeds, scale, programs) if "P1" in chosen else []
        print(f"{len(measures)} measurements, {repeats} repeats", flush=True)
        measure_all(measures, repeats, patience)
        for peer in others:
            peer.process.terminate()
            peer.process.wait()
    records = [measure.record() for measure in measures]
    notes.append(
        f"Load average at the end: {os.getloadavg()[0]:.1f}, of which this run is up to {CORES}."
    )
    versions = {
        "jax": jax.__version__,
        "numpy": np.__version__,
        "torch": others[0].version if others else None,
    }
    result = {
        "processor": processor(),
        "cores": CORES,
        "versions": versions,
        "repeats": repeats,
        "quick": quick,
    }
    result |= {"notes": notes, "summary": summarise(records, chosen), "measures": records}
    json.parent.mkdir(parents=True, exist_ok=True)
    json.write_text(dumps(plain(result), indent=1) + "\n")
    json.with_suffix(".md").write_text(table(result))
    print(table(result))
    print(f"saved as {json} and {json.with_suffix('.md').name}")


if __name__ == "__main__":
    tyro.cli(main)
