"""Whether all promises hold on this machine's accelerator, and how fast the benchmark is there.

`make accelerator` checks what the README promises (the same bits alone and in company, in segments,
after a save and a load; the CPU's distribution; a refusal before the device's memory runs out;
blocks dealt to all devices) and measures the cases P1 to P7 at 512 to 262,144 networks, against
plain JAX on the same device. The most important comes first. It ends after eight minutes, whatever
it is at, and keeps what it has: JSON and a table are written after every row.

From the measurements it makes the table by which `ap.run` chooses a program's form and its number
of lanes on this kind of device, and puts it into the user's cache folder (see `approx.choice`).
Cost: at most eight minutes. `--quick` goes the whole way on a CPU with few networks; its numbers
say nothing, so that it leaves the table of the cache folder alone.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax
import numpy as np
import scipy.stats
import tyro
import xarray as xr
from jax import random

import approx as ap
from approx import blocks, choice, plans
from experiments.benchmark.cases import CASES, WIDER_CASES, Case
from experiments.benchmark.timing import naive_train

SUMMARY = Path(__file__).parent / "summaries" / "accelerator.json"
ALL_CASES = {name: case for name, case in (CASES | WIDER_CASES).items() if " " not in name}
ORDER = ("P1", "P3", "P2", "P6", "P7", "P4", "P5")
NETWORKS = (4_096, 512, 262_144, 32_768)  # in the order in which they are measured
FOREVER = 1_000_000_000  # steps of a program that takes only its first ones
NAIVE_STEPS = 200
SECONDS_PER_SAMPLE = 0.15
REPEATS = 3
MARGIN = 10.0  # seconds that are kept for writing
CHECKED = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=0.01, steps=300)
SIZES = {True: (64, 4, 30), False: (512, 64, 300)}  # networks, company's lanes, steps; by --quick


# ---- what is written, and when it ends --------------------------------------------------------------------------


@dataclass
class Report:
    """The rows found so far; each new one is written at once.

    Attributes:
        path: of the JSON file; the table goes beside it, as .md.
        seconds: the time that all may take.
        about: the device, versions and day.
        checks, times: the rows, of promises and of measurements.

    """

    path: Path
    seconds: float
    about: dict[str, Any]
    checks: list[dict[str, Any]] = field(default_factory=list)
    times: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    lock: Any = field(default_factory=threading.RLock)

    def left(self) -> float:
        """Seconds that are left, less those kept for writing."""
        return self.seconds - MARGIN - (time.monotonic() - self.began)

    def add(self, rows: list[dict[str, Any]], row: dict[str, Any]) -> None:
        """Keep a row, say it, and write everything."""
        with self.lock:
            rows.append(row)
            print(f"{time.monotonic() - self.began:5.0f} s  {said(row)}", flush=True)
            self.write()

    def write(self) -> None:
        """Write the JSON file and the table, each whole or not at all."""
        with self.lock:
            content = {"about": self.about, "checks": self.checks, "times": self.times}
            content |= {"skipped": self.skipped}
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for path, text in (
                (self.path, json.dumps(content, indent=1) + "\n"),
                (self.path.with_suffix(".md"), table(self)),
            ):
                temporary = path.with_name(f".{path.name}.tmp")
                temporary.write_text(text)
                os.replace(temporary, path)

    def watch(self, finish: Callable[[], None]) -> None:
        """End the process when the time is over, even within a compilation, after `finish`."""

        def end() -> None:
            with self.lock:
                self.skipped.append("what came after this point: the time was over")
                finish()
                print(table(self))
                sys.stdout.flush()
                os._exit(0)

        timer = threading.Timer(max(1.0, self.seconds - MARGIN / 2), end)
        timer.daemon = True
        timer.start()


def said(row: dict[str, Any]) -> str:
    """A row in one line."""
    if "promise" in row:
        verdict = {True: "holds", False: "DOES NOT HOLD", None: "not checked"}[row["held"]]
        return f"{row['promise']}: {verdict}; {row['detail']}"
    what = f"{row['case']} {row['form']} {row['networks']:,} networks"
    return f"{what}: {row['ns']:.4g} ns per network and step, {row['compile']:.1f} s to compile"


def table(report: Report) -> str:
    """The report in Markdown."""
    about = report.about
    lines = [
        f"# Accelerator: {about['device']}, jax {about['jax']}, {about['day']}",
        "",
        f"{about['devices']} of them, {about['memory']} each. Made by `make accelerator`.",
        "",
        "| promise | verdict | what was seen |",
        "|---|---|---|",
    ]
    for row in report.checks:
        verdict = {True: "holds", False: "**does not hold**", None: "not checked"}[row["held"]]
        lines.append(f"| {row['promise']} | {verdict} | {row['detail']} |")
    lines += [
        "",
        "Nanoseconds per network and step, median (smallest to largest) of "
        f"{REPEATS} samples; compilation apart. `naive` is `jit(vmap(train))`.",
        "",
        "| case | form | networks | ns | against naive | us a step | compile, s |",
        "|---|---|---|---|---|---|---|",
    ]
    naive = {(r["case"], r["networks"]): r["ns"] for r in report.times if r["form"] == "naive"}
    for row in sorted(report.times, key=lambda r: (r["case"], r["form"], r["networks"])):
        other = naive.get((row["case"], row["networks"]))
        ratio = "-" if other is None else f"{other / row['ns']:.2f}"
        step = row["ns"] * row["networks"] / 1e3
        lines.append(
            f"| {row['case']} | {row['form']} | {row['networks']:,} | {row['ns']:.4g} "
            f"({row['least']:.4g} to {row['most']:.4g}) | {ratio} | {step:.4g} | "
            f"{row['compile']:.1f} |"
        )
    if report.skipped:
        lines += ["", "Not measured: " + "; ".join(report.skipped) + "."]
    return "\n".join(lines) + "\n"


# ---- promises ----------------------------------------------------------------------------------------------------


def same(one: xr.Dataset, two: xr.Dataset) -> tuple[bool, str]:
    """Whether two results hold the same bits in every variable, and in which they do not."""
    different = [str(name) for name in one.data_vars if one[name].values.tobytes() != two[name].values.tobytes()]
    if different:
        return False, f"other bits in {', '.join(different)}"
    return True, f"the same bits in {len(one.data_vars)} variables"


def trained(steps: int, **options) -> xr.Dataset:
    """Ten tanh units on x², with everything kept."""
    recipe = replace(CHECKED, steps=steps)
    task = ap.tasks.square(range=1.0)
    return ap.run(task, recipe, keep=("prediction", "params"), progress=False, **options)


def alone(quick: bool) -> tuple[bool, str]:
    """One network by itself, and the same one among many, in another place of another block."""
    networks, lanes, steps = SIZES[quick]
    many = trained(steps, seeds=networks, lanes=lanes)
    odd = [networks - 1, 3, lanes + 1]
    few = trained(steps, seeds=odd, lanes=lanes)
    return same(many.sel(seed=odd), few)


def segments(quick: bool) -> tuple[bool, str]:
    """In calls of seven steps each, and in as few calls as it likes."""
    _, lanes, steps = SIZES[quick]
    whole = trained(steps, seeds=lanes, lanes=lanes)
    return same(whole, trained(steps, seeds=lanes, lanes=lanes, segment=7))


def saved(quick: bool) -> tuple[bool, str]:
    """After a save and a load, and through a folder that was written in two calls."""
    networks, lanes, steps = SIZES[quick]
    whole = trained(steps, seeds=networks, lanes=lanes)
    with tempfile.TemporaryDirectory() as folder:
        loaded = ap.load(ap.save(whole, Path(folder) / "runs.nc"))
        trained(steps, seeds=networks // 2, lanes=lanes, out=Path(folder) / "sweep")
        resumed = trained(steps, seeds=networks, lanes=lanes, out=Path(folder) / "sweep")
        resumed = resumed.load()
    held, detail = same(whole, loaded)
    if not held:
        return held, f"after a save and a load: {detail}"
    return same(whole, resumed)


def refused(quick: bool) -> tuple[bool | None, str]:
    """A block of twice the device's memory is refused before anything runs."""
    del quick
    device = jax.local_devices()[0]
    told = device.memory_stats() or {}
    if "bytes_limit" not in told:
        return None, f"{device.device_kind} does not say how much memory it has"
    task = ap.tasks.square(range=1.0)
    recipe = replace(CHECKED, model=ap.MLP((512, 512)), steps=10)
    for_one = 3 * 4 * choice.count_parameters(task, recipe)  # bytes: parameters and two moments
    lanes = int(2 * told["bytes_limit"] // for_one)
    try:
        ap.run(task, recipe, seeds=1, lanes=lanes, progress=False)
    except MemoryError as error:
        return True, str(error)
    return False, f"a block of {lanes:,} networks was not refused"


def dealt(quick: bool) -> tuple[bool | None, str]:
    """Blocks go to every device, and their bits do not depend on which."""
    devices = jax.local_devices()
    if len(devices) < 2:
        return None, "this machine has one device"
    _, lanes, steps = SIZES[quick]
    seeds = np.arange(2 * len(devices) * lanes)
    together = trained(steps, seeds=seeds, lanes=lanes)
    by_one = [trained(steps, seeds=part, lanes=lanes) for part in np.split(seeds, len(seeds) // lanes)]
    return same(together, xr.concat(by_one, "seed", combine_attrs="drop"))


CPU = """
import sys
from experiments.accelerator import trained
import approx as ap
ap.save(trained(int(sys.argv[1]), seeds=int(sys.argv[2])), sys.argv[3])
"""


def like_the_cpu(quick: bool) -> tuple[bool, str]:
    """The final losses of the device and of the CPU come from one distribution; so do their starts.

    Training is chaotic, so single networks differ after some ten steps. The initial losses must
    agree within rounding, and the final ones by a two-sample Kolmogorov-Smirnov test.
    """
    networks, _, steps = SIZES[quick]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cpu.nc"
        command = [sys.executable, "-c", CPU, str(steps), str(networks), str(path)]
        # XLA reads only one of the two names, so both are set.
        environment = os.environ | {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
        subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
        cpu = ap.load(path)
    here = trained(steps, seeds=networks)
    start = float(np.abs(here.loss[:, 0] / cpu.loss[:, 0] - 1).max())
    found = scipy.stats.ks_2samp(here.loss[:, -1].values, cpu.loss[:, -1].values)
    detail = f"first losses within {start:.1e}, final ones p = {found.pvalue:.3f}, n = {networks}"
    return start < 1e-4 and found.pvalue > 1e-3, detail


PROMISES: dict[str, Callable[[bool], tuple[bool | None, str]]] = {
    "the same bits alone and in company": alone,
    "the same bits in segments": segments,
    "the same bits after a save and a load, and from a folder": saved,
    "a distribution equal to the CPU's": like_the_cpu,
    "blocks are dealt to all devices": dealt,
    "a refusal before the device's memory runs out": refused,
}


def check(report: Report, quick: bool) -> None:
    """Check every promise; one that ends in an error does not hold."""
    for promise, function in PROMISES.items():
        if report.left() < 0.5 * report.seconds:
            report.skipped.append(f"the promise of {promise}")
            continue
        try:
            held, detail = function(quick)
        except Exception as error:
            held, detail = False, f"{type(error).__name__}: {str(error)[:300]}"
        verdict = None if held is None else bool(held)
        report.add(report.checks, {"promise": promise, "held": verdict, "detail": detail})


# ---- speed -------------------------------------------------------------------------------------------------------


def median_of_samples(call: Callable[[int], None], steps: int) -> tuple[int, list[float]]:
    """Time `call(steps)`, with as many more steps as make a sample long enough; its seconds."""
    while True:
        began = time.perf_counter()
        call(steps)
        seconds = time.perf_counter() - began
        if seconds > SECONDS_PER_SAMPLE or steps >= 10**7:
            break
        steps *= min(16, max(2, math.ceil(SECONDS_PER_SAMPLE / max(seconds, 1e-6))))
    samples = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call(steps)
        samples.append(time.perf_counter() - began)
    return steps, samples


def row(case: str, form: str, networks: int, compile_seconds: float, steps: int, samples) -> dict:
    """One measurement, as the report has it."""
    ns = np.sort(samples) * 1e9 / networks / steps
    return {
        "case": case,
        "form": form,
        "networks": networks,
        "ns": float(np.median(ns)),
        "least": float(ns[0]),
        "most": float(ns[-1]),
        "compile": compile_seconds,
    }


def time_block(name: str, form: str, networks: int) -> dict:
    """The compiled block of so many networks in one form: steps without records."""
    case = ALL_CASES[name]
    recipe = replace(case.recipe, steps=FOREVER, records=(0, FOREVER))
    keep = plans.check_keep((), (), None)
    options: dict[str, Any] = {"key": 0, "freeze": (), "cross": None, "init_params": None}
    plan = plans.make_plan(case.task, recipe, seeds=networks, lanes=networks, form=form, keep=keep, grid={}, **options)
    device = jax.local_devices()[0]
    began = time.perf_counter()
    inputs = plans.inputs(plan, np.arange(networks))
    block = blocks.build(plan.structure, inputs, None, device)
    compile_seconds = time.perf_counter() - began
    placed = jax.device_put(inputs, device)
    carry = [jax.block_until_ready(block.start(placed))]

    def advance(steps: int) -> None:
        carry[0] = jax.block_until_ready(block.advance(carry[0], placed, np.int32(0), np.int32(steps)))

    steps, samples = median_of_samples(advance, 4)
    return row(name, form, networks, compile_seconds, steps, samples)


def time_naive(name: str, networks: int) -> dict:
    """Plain JAX: `jit(vmap(train))` of a fixed number of steps, called as often as it takes."""
    train = naive_train(ALL_CASES[name], NAIVE_STEPS)
    keys = random.split(random.key(0), networks)
    began = time.perf_counter()
    program = jax.jit(jax.vmap(train)).lower(keys).compile()
    compile_seconds = time.perf_counter() - began

    def call(times: int) -> None:
        for _ in range(times):
            jax.block_until_ready(program(keys))

    times, samples = median_of_samples(call, 1)
    return row(name, "naive", networks, compile_seconds, times * NAIVE_STEPS, samples)


def parameters(case: Case) -> int:
    """Numbers that one network of a case has."""
    return choice.count_parameters(case.task, case.recipe)


def fits(case: Case, networks: int) -> bool:
    """Whether parameters, moments, gradients and rows of so many networks fit into half of the memory."""
    told = jax.local_devices()[0].memory_stats() or {}
    rows = case.recipe.batch_size or choice.shape_of_rows(case.task)[0]
    widest = max((*getattr(case.recipe.model, "widths", ()), 16))
    numbers = 5 * parameters(case) + 4 * rows * widest
    return 4 * numbers * networks < 0.5 * told.get("bytes_limit", 8e9)


def to_measure(cases: tuple[str, ...], networks: tuple[int, ...]) -> list[tuple[str, str, int]]:
    """What is measured, (case, form, networks), the most important first.

    First every form of every case at one size and naive JAX there, by which the forms are chosen;
    then the other sizes.
    """
    wanted = []
    for count in networks:
        for name in ORDER:
            if name not in cases or not fits(ALL_CASES[name], count):
                continue
            forms = [*choice.possible_forms(ALL_CASES[name].task, ALL_CASES[name].recipe), "naive"]
            wanted += [(name, form, count) for form in forms]
    return wanted


def losing(report: Report, name: str, form: str) -> bool:
    """Whether another form was twice as fast at every size where both were measured."""
    ours = {r["networks"]: r["ns"] for r in report.times if (r["case"], r["form"]) == (name, form)}
    others = [r for r in report.times if r["case"] == name and r["form"] not in (form, "naive")]
    beaten = {r["networks"] for r in others if ours.get(r["networks"], 0) > 2 * r["ns"]}
    return bool(ours) and beaten == set(ours)


def measure(report: Report, cases: tuple[str, ...], networks: tuple[int, ...]) -> None:
    """Measure in order, as long as there is time for what comes next."""
    longest: dict[str, float] = {}
    for name, form, count in to_measure(cases, networks):
        expected = 2 * longest.get(name, 5.0)
        if report.left() < expected:
            report.skipped.append(f"{name} {form} at {count:,}")
            continue
        if form != "naive" and losing(report, name, form):
            continue
        began = time.monotonic()
        try:
            found = time_naive(name, count) if form == "naive" else time_block(name, form, count)
        except Exception as error:  # a form that does not compile, or runs out of memory
            report.skipped.append(f"{name} {form} at {count:,} ({type(error).__name__})")
            continue
        longest[name] = max(longest.get(name, 0.0), time.monotonic() - began)
        report.add(report.times, found)


def as_table(report: Report) -> list[choice.Measured]:
    """The measurements by which forms and lanes are chosen."""
    made = []
    for each in report.times:
        if each["form"] == "naive":
            continue
        case = ALL_CASES[each["case"]]
        rows = case.recipe.batch_size or choice.shape_of_rows(case.task)[0]
        made.append(
            choice.Measured(
                case=each["case"],
                parameters=parameters(case),
                rows=rows,
                form=each["form"],
                lanes=each["networks"],
                ns=each["ns"],
            )
        )
    return made


def describe() -> dict[str, Any]:
    """The device, its memory, versions and the day."""
    device = jax.local_devices()[0]
    memory = (device.memory_stats() or {}).get("bytes_limit")
    return {
        "device": device.device_kind,
        "platform": device.platform,
        "devices": jax.local_device_count(),
        "memory": "memory not stated" if memory is None else f"{memory / 1e9:.1f} GB",
        "jax": jax.__version__,
        "day": datetime.now(UTC).date().isoformat(),
    }


def main(
    minutes: float = 8.0,
    json_file: Path = SUMMARY,
    cases: tuple[str, ...] = ORDER,
    quick: bool = False,
    ship: bool = False,
) -> None:
    """Check the promises and measure the benchmark's cases on this machine's accelerator.

    Args:
        minutes: after which it ends, whatever it is at, and keeps what it has.
        json_file: the file to write; the table goes beside it, as .md.
        cases: which of P1 to P7.
        quick: go the whole way with few networks, on a CPU too, into results/quick.
        ship: write the choice table into the package as well, to be committed.
    """
    about = describe()
    if about["platform"] == "cpu" and not quick:
        raise SystemExit(
            "JAX sees no accelerator here, only the CPU. With an NVIDIA GPU install the extra: "
            'pip install ".[cuda]" in this folder. `--quick` goes through all of it on the CPU.'
        )
    if quick and json_file == SUMMARY:
        json_file = Path(__file__).parents[1] / "results" / "quick" / "accelerator.json"
    report = Report(json_file, 60 * minutes, about)
    unknown = [name for name in cases if name not in ALL_CASES]
    if unknown:
        raise SystemExit(f"no case {unknown[0]!r}; there is: {', '.join(ORDER)}")

    def finish() -> None:
        """Write the report, and the choice table if it is of an accelerator."""
        report.write()
        found = as_table(report)
        if about["platform"] == "cpu" or not found:
            return
        choice.write(choice.users_table(), about["device"], found, about)
        if ship:
            choice.write(choice.SHIPPED, about["device"], found, about)

    report.watch(finish)
    check(report, quick)
    measure(report, cases, (16, 8) if quick else NETWORKS)
    finish()
    print(table(report))
    print(f"saved as {json_file} and {json_file.with_suffix('.md').name}")


if __name__ == "__main__":
    tyro.cli(main)
