"""A Dask cluster on this machine: a scheduler, two workers, and an experiment that is verified.

Source: the commands of Dask's own manual; whoever has two machines starts the same ones there.
Expected finding: every training is finished, and a sample of them comes out again bit for bit.
Cost: a minute. Writes results/cluster_demo/, and goes on with it if it is there. Everything listens
to this machine only, and ends with this script.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import tyro

ROOT = Path(__file__).parents[1]
# Without dashboards Dask starts their servers too, by default for every network.
HERE = ("--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen]:
    """A process in a group of its own, which is ended with all its children."""
    print("$ python -m", *command, flush=True)
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "DASK_DISTRIBUTED__SCHEDULER__IDLE_TIMEOUT": "10 minutes",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=environment,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def address_in(file: Path, scheduler: subprocess.Popen) -> str:
    """The address that the scheduler writes into a file as soon as it listens."""
    for _ in range(600):
        if scheduler.poll() is not None:
            sys.exit(f"the scheduler ended with {scheduler.returncode}")
        with suppress(FileNotFoundError, ValueError):
            return json.loads(file.read_text())["address"]
        time.sleep(0.1)
    sys.exit("the scheduler does not say where it listens")


def step(*command: str | Path) -> None:
    """A command of this Python, shown, which must succeed."""
    print("$ python", *command, flush=True)
    subprocess.run(
        [sys.executable, *command], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True
    )


def main(
    seeds: int = 4_096, steps: int | None = None, out: Path = ROOT / "results" / "cluster_demo"
) -> None:
    """Start a scheduler and two workers, and run x² with ten tanh units on them.

    Args:
        seeds: how many trainings.
        steps: at most so many updates of each.
        out: the folder to write to.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends what was started, too
    fewer: tuple[str, ...] = ()
    if steps is not None:
        fewer = ("--steps", str(steps))

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scheduler.json"
        listening = (*HERE, "--port", "0", "--scheduler-file", str(file))
        with running("distributed.cli.dask_scheduler", *listening) as scheduler:
            address = address_in(file, scheduler)
            worker = (
                "distributed.cli.dask_worker",
                address,
                *HERE,
                "--nthreads",
                "1",
                "--local-directory",
                folder,
            )
            with running(*worker), running(*worker):
                sweep = ("--seeds", str(seeds), *fewer, "--out", str(out))
                step(ROOT / "experiments" / "cluster.py", "--scheduler", address, *sweep)

    step("-m", "approx", "status", out)
    step("-m", "approx", "verify", out)


if __name__ == "__main__":
    tyro.cli(main)
