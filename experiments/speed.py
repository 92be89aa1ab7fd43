"""How fast many small networks train: `approx` against vector code by hand and other tools.

Question: nanoseconds per seed and training step of seven cases, P1 to P7, through `ap.run` (default
records, everything included) and through its inner step (one compiled block after the other, no
records), in both forms of the program, against (a) the C limit of experiments/limit, or the
processor's fused-multiply-add peak for the dense cases, (b) naive JAX, `jit(vmap(train))` with dots
and `randint` draws, (c) PyTorch and scikit-learn where they are installed.
Source: the cases of the project's speed notes. Everything is interleaved in one run, so that ratios
hold when the machine's clock does not; a ratio is taken repeat by repeat. Compilation is excluded
(a first call) and reported.
Expected finding: small networks (P1 to P3, P6) within twice the C limit and ten to thirty times
faster than naive JAX.
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
from typing import Any

import jax
import numpy as np
import psutil
import tyro

import approx as ap
from experiments.benchmark.cases import CASES, Case
from experiments.benchmark.report import plain, summarise, table
from experiments.benchmark.timing import (
    CORES,
    TORCH_NS,
    Measure,
    Torch,
    c_limit,
    host,
    inner,
    naive,
    public,
    sklearn_measures,
    timed,
    torch_measures,
)
from experiments.limit import limit

SUMMARY = Path(__file__).parent / "summaries" / "speed.json"
SWEEP_STEPS = 10_000  # of the trainings whose time is shown against the number of seeds


# `ap.run` is timed over so many times the samples' seconds: thousands of steps, of the largest
# network hundreds, because records are 50 in any number of them
LONGER = {"P2": 16, "P4": 16, "P5": 40}


def plan_case(
    name: str, case: Case, scale: float, peers: list[Torch], sklearn: bool
) -> list[Measure]:
    """What is timed of one case besides the C limit."""
    best, *others = case.forms
    counts = sorted({1, CORES})
    long = LONGER.get(name, 8) * scale
    made = [naive(name, case, scale)]
    for form in case.forms:
        made += [inner(name, case, form, threads, scale) for threads in counts]

    made += [public(name, case, best, threads, long) for threads in counts]
    made.append(host(name, case, best))
    made += [public(name, case, form, CORES, 2 * scale) for form in others]
    if name in TORCH_NS:
        made += torch_measures(name, case, peers, scale)
    if sklearn and name in ("P1", "P2", "P3", "P6"):
        made += sklearn_measures(name, case, scale)
    return made


def plan_measures(
    chosen: list[str],
    scale: float,
    programs: dict[str, Path],
    peers: list[Torch],
    sklearn: bool,
) -> list[Measure]:
    """Everything that is timed of each case.

    Args:
        chosen: the cases.
        scale: about the seconds that each sample takes.
        programs: those of the C limit; none to leave it out.
        peers: PyTorch's processes.
        sklearn: time scikit-learn too, where it is installed.
    """
    made: list[Measure] = []
    for name, case in CASES.items():
        base = name.split()[0]
        if base not in chosen:
            continue
        if programs and case.limited:
            for threads in sorted({1, CORES}):
                made.append(c_limit(name, case, programs, threads, scale))

        if name == base:
            made += plan_case(name, case, scale, peers, sklearn)
        else:  # a variant, "P2 fix" and the like: its inner step alone
            made.append(inner(name, case, case.forms[0], CORES, scale))
    return made


def plan_sweep(seeds: tuple[int, ...], scale: float, programs: dict[str, Path]) -> list[Measure]:
    """P1 against the number of seeds.

    `ap.run` of SWEEP_STEPS steps is timed whole, and everything else by the step.
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
            alone = inner("P1 seeds", case, "vmap", CORES, scale, n, lanes=1)
            made.append(replace(alone, form="step, 1 lane"))

        if programs:
            limit_of_p1 = c_limit("P1", case, programs, CORES, scale, n)
            made.append(replace(limit_of_p1, case="P1 seeds"))
    return made


def first_calls(measures: list[Measure]) -> list[float]:
    """Seconds of the first call of each measure, which compiles."""
    seconds = []
    for number, measure in enumerate(measures, 1):
        began = time.perf_counter()
        measure.once()
        seconds.append(time.perf_counter() - began)
        say(f"first calls {number}/{len(measures)}", number == len(measures))
    return seconds


def measure_all(measures: list[Measure], repeats: int, patience: float) -> None:
    """Call everything once, to compile it, and then all in turn, `repeats` times."""
    first = first_calls(measures)
    for repeat in range(repeats):
        for measure, seconds in zip(measures, first, strict=True):
            patience -= quiet(patience)
            began = time.perf_counter()
            measure.ns.append(measure.sample())
            compiling = max(0.0, seconds - (time.perf_counter() - began))
            measure.compile_seconds = min(measure.compile_seconds or math.inf, compiling)
            done = f"repeat {repeat + 1}/{repeats}"
            say(f"{done}, {measure.case} {measure.form}", measure is measures[-1])


def quiet(most: float) -> float:
    """Wait, at most so many seconds, until other processes leave the processor alone.

    Returns:
        The seconds that it waited.
    """
    began = time.monotonic()
    while time.monotonic() - began < most and psutil.cpu_percent(0.1) > 15:
        say("waiting for other processes", False)
    return time.monotonic() - began


said = [0.0]


def say(text: str, now: bool) -> None:
    """Print a line, if it must be said now or none was for half a minute."""
    if now or time.monotonic() - said[0] > 30:
        said[0] = time.monotonic()
        print(f"  {text}", flush=True)


def torch_peers(python: str | None, notes: list[str]) -> list[Torch]:
    """PyTorch with one thread and with one per core; none, and a note, if it is not installed."""
    interpreter = python or sys.executable
    if subprocess.run([interpreter, "-c", "import torch"], capture_output=True).returncode:
        notes.append("No PyTorch: the interpreter has none; name one that has with --torch.")
        return []
    return [Torch(interpreter, threads) for threads in sorted({1, CORES})]


def processor() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return "unknown processor"
    for line in info.read_text().splitlines():
        if "model name" in line:
            return line.split(":")[1].strip()
    return "unknown processor"


def versions(peers: list[Torch]) -> dict[str, str | None]:
    """Those of the libraries that were timed."""
    torch = None
    if peers:
        torch = peers[0].version
    return {"jax": jax.__version__, "numpy": np.__version__, "torch": torch}


def write(result: dict[str, Any], path: Path) -> None:
    """Write the result as JSON and as a table, and print it."""
    text = table(result)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dumps(plain(result), indent=1) + "\n")
    path.with_suffix(".md").write_text(text)
    print(text)
    print(f"saved as {path} and {path.with_suffix('.md').name}")


# More than eight parameters: each is an option of the command line
def main(  # noqa: PLR0913
    json: Path = SUMMARY,
    cases: tuple[str, ...] = ("P1", "P2", "P3", "P4", "P5", "P6", "P7"),
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
        cases: which of P1 to P7.
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
    chosen = [name for name in CASES if name in cases]
    if quick:
        seconds, repeats = 0.01, min(repeats, 2)

    notes = [f"Load average at the start: {os.getloadavg()[0]:.1f}."]
    absent: str | None = "it was not asked for"
    if with_limit:
        absent = limit.missing()
    if absent:
        notes.append(f"No C limit: {absent}.")

    with tempfile.TemporaryDirectory() as folder:
        programs: dict[str, Path] = {}
        if not absent:
            programs = limit.build(Path(folder))

        others: list[Torch] = []
        if peers:
            others = torch_peers(torch, notes)

        measures = plan_measures(chosen, seconds, programs, others, peers)
        if "P1" in chosen:
            measures += plan_sweep(seeds, seconds, programs)

        print(f"{len(measures)} measurements, {repeats} repeats", flush=True)
        measure_all(measures, repeats, patience)
        for peer in others:
            peer.process.terminate()
            peer.process.wait()

    records = [measure.record() for measure in measures]
    load = os.getloadavg()[0]
    notes.append(f"Load average at the end: {load:.1f}, of which this run is up to {CORES}.")
    result = {
        "processor": processor(),
        "cores": CORES,
        "versions": versions(others),
        "repeats": repeats,
        "quick": quick,
        "notes": notes,
        "summary": summarise(records, chosen),
        "measures": records,
    }
    write(result, json)


if __name__ == "__main__":
    tyro.cli(main)
