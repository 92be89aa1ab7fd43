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
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import scipy.stats
import tyro
import xarray as xr

import approx as ap
from experiments.benchmark import device as bench
from experiments.benchmark.device import ALL_CASES, ORDER, REPEATS, describe

SUMMARY = Path(__file__).parent / "summaries" / "accelerator.json"
NETWORKS = (4_096, 512, 262_144, 32_768)  # in the order in which they are measured
MARGIN = 10.0  # seconds that are kept for writing
CHECKED = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=0.01, steps=300)
SIZES = {True: (64, 4, 30), False: (512, 64, 300)}  # networks, company's lanes, steps; by --quick


# ---- what is written, and when it ends -----------------------------------------------------------


@dataclass
class Report:
    """The rows found so far; each new one is written at once.

    Attributes:
        path: of the JSON file; the table goes beside it, as .md.
        seconds: the time that all may take.
        about: the device, versions and day.
        checks: the rows of promises.
        times: the rows of measurements.
        skipped: what there was no time for.
        began: when it began, on the monotonic clock.
        lock: held while rows are added and written.
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
            content = {
                "about": self.about,
                "checks": self.checks,
                "times": self.times,
                "skipped": self.skipped,
            }
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.path, json.dumps(content, indent=1) + "\n")
            replace_file(self.path.with_suffix(".md"), table(self))

    @contextmanager
    def watched(self, finish: Callable[[], None]) -> Iterator[None]:
        """End the process when the time is over, even within a compilation, after `finish`.

        What ends in time is left alone: the clock stops with the context.
        """

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
        try:
            yield
        finally:
            timer.cancel()


def replace_file(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text)
    os.replace(temporary, path)


def said(row: dict[str, Any]) -> str:
    """A row in one line."""
    if "promise" in row:
        verdict = {True: "holds", False: "DOES NOT HOLD", None: "not checked"}[row["held"]]
        return f"{row['promise']}: {verdict}; {row['detail']}"
    what = f"{row['case']} {row['form']} {row['networks']:,} networks"
    return f"{what}: {row['ns']:.4g} ns per network and step, {row['compile']:.1f} s to compile"


def time_row(row: dict[str, Any], naive: dict[tuple[str, int], float]) -> str:
    """A measurement as a row in Markdown.

    Args:
        row: the measurement.
        naive: nanoseconds of plain JAX by case and number of networks.
    """
    ratio = "-"
    place = row["case"], row["networks"]
    if place in naive:
        ratio = f"{naive[place] / row['ns']:.2f}"

    step = row["ns"] * row["networks"] / 1e3
    cells = [
        row["case"],
        row["form"],
        f"{row['networks']:,}",
        f"{row['ns']:.4g} ({row['least']:.4g} to {row['most']:.4g})",
        ratio,
        f"{step:.4g}",
        f"{row['compile']:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


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
    in_order = sorted(report.times, key=lambda r: (r["case"], r["form"], r["networks"]))
    lines += [time_row(row, naive) for row in in_order]
    if report.skipped:
        lines += ["", "Not measured: " + "; ".join(report.skipped) + "."]
    return "\n".join(lines) + "\n"


# ---- promises ------------------------------------------------------------------------------------


def same(one: xr.Dataset, two: xr.Dataset) -> tuple[bool, str]:
    """Whether two results hold the same bits in every variable, and in which they do not."""
    different = []
    for name in one.data_vars:
        if one[name].values.tobytes() != two[name].values.tobytes():
            different.append(str(name))
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
    """After a save and a load, and from a folder that was written in two calls."""
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
    for_one = 3 * 4 * bench.parameters_of(task, recipe)  # bytes: parameters and two moments
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
    by_one = [
        trained(steps, seeds=part, lanes=lanes) for part in np.split(seeds, len(seeds) // lanes)
    ]
    return same(together, xr.concat(by_one, "seed", combine_attrs="drop"))


CPU = """
import sys
from experiments.accelerator import trained
import approx as ap
ap.save(trained(int(sys.argv[1]), seeds=int(sys.argv[2])), sys.argv[3])
"""


def of_the_cpu(steps: int, networks: int) -> xr.Dataset:
    """The same trainings on the CPU, by a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cpu.nc"
        command = [sys.executable, "-c", CPU, str(steps), str(networks), str(path)]
        # XLA reads only one of the two names, so both are set.
        environment = os.environ | {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
        subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
        return ap.load(path).load()


def like_the_cpu(quick: bool) -> tuple[bool, str]:
    """The final losses of the device and of the CPU come from one distribution; so do their starts.

    Training is chaotic, so single networks differ after some ten steps. The initial losses must
    agree within rounding, and the final ones by a two-sample Kolmogorov-Smirnov test.
    """
    networks, _, steps = SIZES[quick]
    cpu = of_the_cpu(steps, networks)
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

        if held is not None:
            held = bool(held)

        report.add(report.checks, {"promise": promise, "held": held, "detail": detail})


# ---- speed ---------------------------------------------------------------------------------------


def losing(report: Report, name: str, form: str) -> bool:
    """Whether another form was twice as fast at every size where both were measured."""
    ours: dict[int, float] = {}
    others: list[dict[str, Any]] = []
    for row in report.times:
        if row["case"] != name:
            continue
        if row["form"] == form:
            ours[row["networks"]] = row["ns"]
        elif row["form"] != "naive":
            others.append(row)

    beaten = {row["networks"] for row in others if ours.get(row["networks"], 0) > 2 * row["ns"]}
    return bool(ours) and beaten == set(ours)


def measure(report: Report, cases: tuple[str, ...], networks: tuple[int, ...]) -> None:
    """Measure in order, as long as there is time for what comes next."""
    longest: dict[str, float] = {}
    for name, form, count in bench.to_measure(cases, networks):
        expected = 2 * longest.get(name, 5.0)
        if report.left() < expected:
            report.skipped.append(f"{name} {form} at {count:,}")
            continue

        if form != "naive" and losing(report, name, form):
            continue
        began = time.monotonic()
        try:
            if form == "naive":
                found = bench.time_naive(name, count)
            else:
                found = bench.time_block(name, form, count)
        except Exception as error:  # a form that does not compile, or runs out of memory
            report.skipped.append(f"{name} {form} at {count:,} ({type(error).__name__})")
            continue

        longest[name] = max(longest.get(name, 0.0), time.monotonic() - began)
        report.add(report.times, found)


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
        """Write the report, and the tables by which `run` chooses."""
        report.write()
        bench.keep_table(about, report.times, ship)

    networks: tuple[int, ...] = NETWORKS
    if quick:
        networks = (16, 8)

    with report.watched(finish):
        check(report, quick)
        measure(report, cases, networks)
        finish()
    print(table(report))
    print(f"saved as {json_file} and {json_file.with_suffix('.md').name}")


if __name__ == "__main__":
    tyro.cli(main)
