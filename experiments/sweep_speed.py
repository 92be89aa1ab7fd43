"""What does it cost to have a sweep on disk, or computed by a cluster, against one run in memory.

Question: seconds of 65,536 trainings of P1 (x², 1-10-1 tanh, SGD, as many steps as recipe C of the
square has, default records and predictions) in memory, into a folder, by two processes and by two
Dask workers of one thread each, results written by the driver; all read back whole at the end.
Everything is interleaved and repeated, ratios are taken repeat by repeat.
Compilation is excluded: each way is first taken with few seeds, workers stay.
Finding: a folder costs 4% (three repeats: 4 to 5%), Dask workers 10% (10 to 11%), processes 13% (6
to 13%). Of trainings a third as long the shares are 10, 13 and 20%: transfer, writing and reading
cost the same for any steps.
Cost: ten minutes on two quiet cores and 3 GB. Writes experiments/summaries/sweep_speed.md.
"""

import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from distributed import Client, LocalCluster

import approx as ap
from experiments.benchmark.cases import CASES

SUMMARY = Path(__file__).parent / "summaries" / "sweep_speed.md"


def ways(stack: ExitStack, workers: int) -> dict[str, dict[str, Any]]:
    """Options of `run` for each way.

    `out` is True where there is a folder, which each run makes anew.

    Args:
        stack: ends processes and cluster.
        workers: processes, and Dask's.
    """
    spawn = multiprocessing.get_context("spawn")
    processes = stack.enter_context(ProcessPoolExecutor(workers, mp_context=spawn))
    cluster = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
    )
    cluster = stack.enter_context(cluster)
    # If not direct, all results pass through the scheduler
    client = stack.enter_context(Client(cluster, direct_to_workers=True))
    return {
        "in memory": {},
        "into a folder": {"out": True},
        f"by {workers} processes": {"out": True, "executor": processes},
        f"by {workers} Dask workers": {"out": True, "executor": client.get_executor(pure=False)},
    }


def timed(
    task: ap.Task, recipe: ap.Recipe, seeds: int, folder: Path, options: Mapping[str, Any]
) -> float:
    """Seconds of one run, whose folder is removed afterwards."""
    options = dict(options)
    if options.pop("out", False):
        options["out"] = folder

    began = time.perf_counter()
    runs = ap.run(task, recipe, seeds=seeds, progress=False, **options)
    seconds = time.perf_counter() - began
    assert runs.sizes["seed"] == seeds
    shutil.rmtree(folder, ignore_errors=True)
    return seconds


def table(seconds: Mapping[str, list[float]], about: str) -> str:
    """Medians, and median ratios with the range of the repeats."""
    lines = [
        about,
        "",
        "| way | seconds | ratio to memory: median | least | greatest |",
        "|" + " --- |" * 5,
    ]
    base = np.array(seconds["in memory"])
    for way, values in seconds.items():
        ratios = np.array(values) / base
        numbers = (np.median(values), np.median(ratios), ratios.min(), ratios.max())
        lines.append(f"| {way} | " + " | ".join(f"{number:.3g}" for number in numbers) + " |")

    return "\n".join(lines) + "\n"


def main(
    seeds: int = 65_536,
    steps: int = 15_000,
    repeats: int = 3,
    workers: int = 2,
    summary: Path = SUMMARY,
) -> None:
    """Time the four ways, and write a table.

    Args:
        seeds: of P1.
        steps: of each.
        repeats: of everything, interleaved.
        workers: processes, and Dask's.
        summary: the file to write.
    """
    case = CASES["P1"]
    recipe = replace(case.recipe, steps=steps)
    seconds: dict[str, list[float]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "sweep"
        once: Callable = lambda seeds, options: timed(case.task, recipe, seeds, folder, options)  # noqa: E731
        chosen = ways(stack, workers)
        for options in chosen.values():
            once(4 * 64 * workers, options)

        for _ in range(repeats):
            for way, options in chosen.items():
                seconds.setdefault(way, []).append(once(seeds, options))
                print(f"{way}: {seconds[way][-1]:.2f} s", flush=True)

    about = f"P1, {seeds:,} trainings of {steps:,} steps, {repeats} repeats"
    text = table(seconds, about)
    summary.write_text(text)
    print(text)


if __name__ == "__main__":
    tyro.cli(main)
