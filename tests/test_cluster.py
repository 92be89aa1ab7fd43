"""Promise: who computes a sweep changes no bit of it, and whoever is lost loses nothing."""

import multiprocessing
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import xarray as xr
from conftest import QUICK
from scripts import ROOT, script

import approx as ap
from approx.disk import chunks, executors, writer

TASK, RECIPE = ap.tasks.square(), ap.Recipe(steps=300, records=(0, 10, 300))
FEW = {"seeds": 40, "compiler_options": QUICK}  # ten blocks, soon compiled
PATIENCE = 300  # seconds, for what takes some five on a machine that does nothing else


@pytest.fixture(scope="module")
def sweep():
    """Forty blocks of 300 steps."""

    def made(out=None, executor=None, **options):
        given = {"seeds": 160, "noise": [0.0, 0.1], "lanes": 8, "progress": False} | options
        return ap.run(TASK, RECIPE, out=out, executor=executor, **given)

    return made


@pytest.fixture(scope="module")
def memory(sweep):
    return sweep()


@pytest.fixture(scope="module")
def few(sweep):
    return sweep(**FEW)


@pytest.fixture
def often(monkeypatch):
    """A chunk for every block."""
    monkeypatch.setattr(writer, "SECONDS_PER_CHUNK", 0.0)
    monkeypatch.setattr(writer, "AT_RISK", 0.0)


@pytest.fixture
def at_chunks(monkeypatch):
    """Have something happen when some numbers of chunks are written, the others being under way."""

    def hook(numbers, happen):
        write, left = chunks.write_chunk, set(numbers)

        def writing(*given):
            path = write(*given)
            if int(path.stem[-6:]) in left:
                left.remove(int(path.stem[-6:]))
                happen()
            return path

        monkeypatch.setattr(chunks, "write_chunk", writing)
        return left

    return hook


def same(a: xr.Dataset, b: xr.Dataset) -> bool:
    """Every bit, name, coordinate and attribute, but when it was made."""
    a, b = (one.assign_attrs(created="") for one in (a, b))
    return a.identical(b)


def stored(folder: Path) -> dict[str, tuple[int, int]]:
    """Which files the chunks are: one that is written again is another."""
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in chunks.paths(folder)
    }


def until(found, what: str):
    """What is found at last."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.05)
    raise TimeoutError(what)


# ---- executors -----------------------------------------------------------------------------------


class Shuffled(ThreadPoolExecutor):
    """Threads that take what they are asked for in a random order."""

    def __init__(self):
        super().__init__(2)
        self.asked, self.random = queue.PriorityQueue(), random.Random(0)

    def submit(self, function, *arguments):
        future: Future = Future()
        self.asked.put((self.random.random(), id(future), future, function, arguments))
        super().submit(self.one)
        return future

    def one(self):
        *_, future, function, arguments = self.asked.get()
        if future.set_running_or_notify_cancel():
            future.set_result(function(*arguments))


@pytest.mark.slow  # test_a_worker_of_another_kind_is_refused compares bits too
@pytest.mark.parametrize(
    "kind",
    [lambda: ThreadPoolExecutor(2), Shuffled],
    ids=["threads", "another order"],
)
def test_threads_in_any_order_change_no_bit(sweep, few, tmp_path, often, kind):
    with kind() as pool:
        assert same(sweep(tmp_path / "x", pool, **FEW), few)
        before = stored(tmp_path / "x")
        assert same(sweep(tmp_path / "x", pool, **FEW), few)  # all is there
    assert stored(tmp_path / "x") == before
    assert len(before) == 10
    assert same(ap.load(tmp_path / "x"), few)


@pytest.mark.slow
def test_what_one_engine_began_another_finishes(sweep, few, tmp_path):
    with ThreadPoolExecutor(1) as pool:
        sweep(tmp_path / "x", pool, **FEW | {"seeds": 13})
    before = stored(tmp_path / "x")
    assert same(sweep(tmp_path / "x", **FEW), few)
    assert stored(tmp_path / "x").items() > before.items()
    assert (
        sum(xr.load_dataset(path).sizes["training"] for path in chunks.paths(tmp_path / "x")) == 80
    )


@pytest.mark.slow
def test_several_recipes_go_to_an_executor_too(tmp_path, quiet):
    recipes = {"sgd": ap.Recipe(optimizer="sgd", steps=5), "adam": (TASK, ap.Recipe(steps=5))}
    options = quiet | {"seeds": 3, "key": 7, "cross": {"data": 2}}
    with ThreadPoolExecutor(1) as pool:
        found = ap.run(TASK, recipes, out=tmp_path, executor=pool, **options)
    assert same(found, ap.run(TASK, recipes, **options))


class Counted(Executor):
    """Does nothing; counts what it is asked for at a time, and what of that is cancelled."""

    def __init__(self):
        self.futures: list[Future] = []

    def submit(self, function, *arguments):
        self.futures.append(Future())
        return self.futures[-1]


def test_what_is_asked_for_is_bounded_and_cancelled_by_an_interrupt(
    sweep, tmp_path, monkeypatch, often, capsys
):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as threads, monkeypatch.context() as patch:
        pool = Counted()
        patch.setattr(executors, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):  # before anybody has answered
            sweep(tmp_path / "x", pool, compiler_options=QUICK)
        assert [future.cancelled() for future in pool.futures] == [True]
        answers, pool = executors.answers, Counted()
        patch.setattr(executors, "BYTES_IN_FLIGHT", 1.0)
        patch.setattr(
            executors,
            "answers",
            lambda _, function, *rest: (
                iter([(rest[0][0], function(*rest[0][0]))])
                if function is executors.estimate
                else answers(pool, function, *rest)
            ),
        )
        with pytest.raises(KeyboardInterrupt):
            sweep(tmp_path / "x", threads, compiler_options=QUICK)
    assert [future.cancelled() for future in pool.futures] == [True] * 16
    assert (
        "interrupted: 0 of 320 trainings stored; the same command goes on"
        in capsys.readouterr().err
    )


def test_what_cannot_be_is_refused(sweep, tmp_path, monkeypatch):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        with pytest.raises(ValueError, match=r'get_context\("spawn"\)'):
            sweep(tmp_path / "x", pool)
        with pytest.raises(ValueError, match="say out="):
            sweep(None, pool)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r'pip install "\.\[cluster\]"'):
        sweep(tmp_path / "x", "tcp://127.0.0.1:1")
    assert not chunks.paths(tmp_path / "x")


def test_a_worker_of_another_kind_is_refused(sweep, few, tmp_path, monkeypatch, often, capsys):
    compute, made = executors.compute, []

    def elsewhere(*given):
        made.append(compute(*given))
        return made[-1] if len(made) < 4 else made[-1].assign_attrs(source="0" * 16)

    with ThreadPoolExecutor(1) as pool:
        with monkeypatch.context() as patch:
            patch.setattr(executors, "compute", elsewhere)
            with pytest.raises(RuntimeError, match="use workers of one kind"):
                sweep(tmp_path / "x", pool, **FEW)
        before = stored(tmp_path / "x")
        assert len(before) < 4
        assert (
            f"ended by RuntimeError: {8 * len(before)} of 80 trainings stored"
            in capsys.readouterr().err
        )
        assert same(sweep(tmp_path / "x", pool, **FEW), few)
    assert stored(tmp_path / "x").items() >= before.items()


# ---- processes -----------------------------------------------------------------------------------

SPAWN = multiprocessing.get_context("spawn")


@pytest.mark.slow
def test_processes_change_no_bit(sweep, memory, tmp_path, often):
    with ProcessPoolExecutor(4, mp_context=SPAWN) as pool:
        assert same(sweep(tmp_path / "x", pool), memory)


@pytest.mark.slow
def test_after_a_killed_process_the_same_call_goes_on(
    sweep, memory, tmp_path, often, at_chunks, capsys
):
    with ProcessPoolExecutor(2, mp_context=SPAWN) as pool:
        at_chunks([5], lambda: os.kill(next(iter(pool._processes)), signal.SIGKILL))
        with pytest.raises(BrokenExecutor):
            sweep(tmp_path / "x", pool)
    before = stored(tmp_path / "x")
    assert 6 <= len(before) < 40
    stored_so_far = f"{8 * len(before)} of 320 trainings stored"
    said = f"ended by BrokenProcessPool: {stored_so_far}; the same command goes on"
    assert said in capsys.readouterr().err
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        assert same(sweep(tmp_path / "x", pool), memory)
    assert stored(tmp_path / "x").items() > before.items()


# ---- Dask ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dask_cluster():
    """One worker here; tests ask for more."""
    distributed = pytest.importorskip("distributed")
    quiet = {
        "dashboard_address": "127.0.0.1:0",
        "worker_dashboard_address": "127.0.0.1:0",
        "silence_logs": 50,
    }
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, host="127.0.0.1", **quiet
    ) as cluster:
        yield cluster


def scaled(cluster, workers: int) -> str:
    """The scheduler's address, once there are so many workers.

    The cluster's own `wait_for_workers` puts the scheduler's list of workers in place of the
    cluster's. A worker that has ended is then missing from it when the news of its end arrives: a
    KeyError, raised when the cluster closes.
    """
    cluster.scale(workers)
    until(lambda: len(cluster.scheduler.workers) == workers, f"{workers} workers")
    return cluster.scheduler_address


@pytest.mark.slow
def test_dask_changes_no_bit_and_keeps_nothing(sweep, memory, tmp_path, often, dask_cluster):
    assert same(sweep(tmp_path / "x", scaled(dask_cluster, 4)), memory)
    assert len(stored(tmp_path / "x")) == 40
    until(lambda: not dask_cluster.scheduler.tasks, "results that nobody wants any more")


@pytest.mark.slow
def test_killed_workers_lose_nothing(sweep, memory, tmp_path, often, at_chunks, dask_cluster):
    """One while it says what a block costs, then six more, at random."""
    address, dice = scaled(dask_cluster, 2), np.random.default_rng(0)
    killed: list[int] = []

    def kill(which=None):
        names = [
            name
            for name, nanny in dask_cluster.workers.items()
            if nanny.pid and nanny.pid not in killed
        ]
        if names:  # else both are on their way back
            killed.append(dask_cluster.workers[dice.choice(names) if which is None else which].pid)
            os.kill(killed[-1], signal.SIGKILL)

    def kill_the_first():
        at_work = lambda: [w.name for w in dask_cluster.scheduler.workers.values() if w.processing]  # noqa: E731
        (name,) = until(at_work, "the first question")
        time.sleep(0.3)
        kill(name)

    first = threading.Thread(target=kill_the_first)
    first.start()
    left = at_chunks(dice.choice(39, 6, replace=False), kill)
    assert same(sweep(tmp_path / "x", address), memory)
    first.join()
    assert not left
    assert len(killed) >= 3
    assert len(stored(tmp_path / "x")) == 40


@pytest.mark.slow
def test_what_dask_gives_up_is_asked_for_again(
    sweep, memory, tmp_path, often, at_chunks, dask_cluster
):
    """Dask gives a task up whose workers were lost too often, here once; and its own executors know
    equal tasks.
    """
    from distributed import Client

    scaled(dask_cluster, 2)
    allowed, dask_cluster.scheduler.allowed_failures = dask_cluster.scheduler.allowed_failures, 0
    nanny = dask_cluster.workers[min(dask_cluster.workers)]
    killed: list[int] = []

    def at_work():
        return nanny.pid not in (None, *killed)

    def kill_the_first():
        until(at_work, "the first worker, which may be on its way back")
        killed.append(nanny.pid)
        os.kill(killed[-1], signal.SIGKILL)

    at_chunks([3, 20], kill_the_first)
    try:
        with Client(dask_cluster) as client, client.get_executor() as pool:
            assert same(sweep(tmp_path / "x", pool), memory)
    finally:
        dask_cluster.scheduler.allowed_failures = allowed


# ---- the script, Slurm and the demonstration -----------------------------------------------------


def test_the_job_script_of_slurm(monkeypatch):
    """As far as a machine without Slurm can tell: what would be submitted."""
    jobqueue = pytest.importorskip("dask_jobqueue")
    cluster = script("experiments", "cluster")
    jobs = {
        "partition": "short",
        "account": "lab",
        "walltime": "02:00:00",
        "cores": 8,
        "memory": "16GiB",
    }
    jobs |= {
        "directives": ("--constraint=epyc",),
        "job_script_prologue": ("module load python", "umask 077"),
    }
    texts = []
    for accelerators in (False, True):
        options = cluster.slurm_options(
            cluster.Jobs(**jobs, interface=loopback(), accelerators=accelerators)
        )
        with jobqueue.SLURMCluster(**options) as made:
            assert made.scheduler_address.startswith("tcp://127.0.0.1:")
            texts.append(made.job_script())
    for text, threads in zip(texts, (8, 1), strict=True):
        for line in ("-p short", "-A lab", "-n 1", "--cpus-per-task=8", "--mem=16G", "-t 02:00:00"):
            assert f"#SBATCH {line}\n" in text
        assert "\nmodule load python\numask 077\n" in text
        assert f"--nthreads {threads} " in text
        assert "--nworkers" not in text  # one process for each job
        assert text.index("#SBATCH --constraint=epyc") < text.index("module load")
    assert ["#SBATCH --gres=gpu:1\n" in text for text in texts] == [False, True]


def loopback() -> str:
    """The name of the network that leads nowhere else."""
    return next(
        name
        for name, its in psutil.net_if_addrs().items()
        if any(one.address == "127.0.0.1" for one in its)
    )


@pytest.mark.slow
def test_jobs_that_are_lost_are_asked_for_again(
    sweep, memory, tmp_path, often, at_chunks, monkeypatch
):
    """dask-jobqueue's own kind of job for tests: it runs here what it would submit."""
    local = pytest.importorskip("dask_jobqueue.local")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # of the workers
    cluster = script("experiments", "cluster")
    options = cluster.worker_options(cluster.Jobs(interface=loopback(), memory="2GB"))
    killed = []

    def kill():
        job = psutil.Process(int(next(iter(made.workers.values())).job_id))
        killed.extend([job, *job.children(recursive=True)])
        for process in killed:
            process.kill()

    with local.LocalCluster(**options, silence_logs=50) as made:
        made.adapt(minimum_jobs=1, maximum_jobs=1)
        at_chunks([10], kill)
        assert same(sweep(tmp_path / "x", made.scheduler_address), memory)
    assert killed


@pytest.fixture
def begun(tmp_path_factory):
    """Start a script, in a group of processes of its own, which ends with the test."""
    processes = []
    # What one process has compiled the next ones find, as where a user works
    programs = str(tmp_path_factory.mktemp("programs"))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "APPROX_CACHE": programs}
    pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)

    def start(*command):
        given = [sys.executable, *map(str, command)]
        processes.append(
            subprocess.Popen(given, env=environment, start_new_session=True, text=True, **pipes)
        )
        return processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


# A script whose chunks are so small that there are many, however fast the machine is
IN_SMALL_CHUNKS = """
import runpy
import sys
from pathlib import Path
from approx.disk import writer
writer.BYTES_PER_CHUNK = 1_000_000
del sys.argv[0]
sys.path.insert(0, str(Path(sys.argv[0]).parent))  # as where the script is called
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.slow
def test_the_script_goes_on_after_an_interrupt_and_a_kill(tmp_path, begun):
    """Ctrl-C goes to all of its processes, as from a terminal; a kill to the script alone, whose
    workers then end.
    """
    script_of_cluster, out = ROOT / "experiments" / "cluster.py", tmp_path / "x"
    asked = ("--seeds", 8_192, "--steps", 2_000, "--out", out)
    command = ("-c", IN_SMALL_CHUNKS, script_of_cluster, *asked)
    folder = out / "C"
    for number, end in ((1, "Ctrl-C"), (3, "kill")):
        process = begun(*command)
        until(lambda: len(chunks.paths(folder)) >= number or process.poll() is not None, "chunks")  # noqa: B023
        assert process.poll() is None, process.stderr.read()
        its = psutil.Process(process.pid).children(recursive=True)
        if end == "kill":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=PATIENCE)[1]
        assert process.returncode == {"kill": -signal.SIGKILL, "Ctrl-C": 130}[end], said
        assert (f"trainings stored; the same command goes on with {folder}" in said) == (
            end == "Ctrl-C"
        )
        until(lambda: not any(one.is_running() for one in its), "its workers' end")  # noqa: B023
        before = stored(folder)
    process = begun(*command)
    assert "of 8,192 seeds below 1" in process.communicate(timeout=PATIENCE)[0]
    assert stored(folder).items() > before.items()
    task, recipe = script("experiments", "square").RECIPES["C"]
    runs = ap.run(task, replace(recipe, steps=2_000), seeds=8_192, progress=False)
    xr.testing.assert_identical(ap.load(folder).drop_attrs(), runs.drop_attrs())


def test_the_recipes_of_a_study_are_its_rows():
    cluster, sine = script("experiments", "cluster"), script("experiments", "sine")
    task, recipe = cluster.recipes_of(sine)["relu, noise"]
    assert (task.noise, recipe.model) == (0.1, sine.NETWORKS["relu"])


def test_an_unknown_recipe_is_refused(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "experiments")
    with pytest.raises(SystemExit, match=r"square.py has no recipe 'D'; it has A, B, C"):
        script("experiments", "cluster").main(recipes=("D",), out=tmp_path)


def listening(process: psutil.Process) -> set[str]:
    """Addresses at which it and its children can be reached."""
    found = set()
    for each in [process, *process.children(recursive=True)]:
        try:
            found |= {
                place.laddr.ip for place in each.net_connections("inet") if place.status == "LISTEN"
            }
        except psutil.Error:  # it has ended
            continue
    return found


@pytest.mark.slow
@pytest.mark.parametrize("works", [True, False])
def test_the_demonstration_listens_here_only_and_leaves_nobody(tmp_path, begun, works):
    out = tmp_path / "x"
    if not works:
        out.write_text("a file")
    process = begun(
        ROOT / "experiments" / "cluster_demo.py", "--seeds", 256, "--steps", 50, "--out", out
    )
    places, its = set(), set()
    while process.poll() is None:
        try:
            places |= listening(psutil.Process(process.pid))
            its |= set(psutil.Process(process.pid).children(recursive=True))
        except psutil.NoSuchProcess:
            break
        time.sleep(0.2)
    printed = process.communicate(timeout=PATIENCE)
    assert (process.returncode == 0) == works, printed
    assert places == {"127.0.0.1"}
    assert len(its) >= 5  # a scheduler, two workers with their nannies, an experiment
    until(lambda: not any(one.is_running() for one in its), "their end")
    if works:
        assert "256 of 256 trainings finished (100.0%)" in printed[0]
        assert "256 of 256 trainings came out bit for bit" in printed[0]
        assert printed[0].endswith("  verified\n")
