r"""An experiment's recipes on a Dask cluster: two workers here, jobs of Slurm, or any scheduler.

    python experiments/cluster.py --seeds 100000
    python experiments/cluster.py --seeds 1000000 --cluster slurm --partition short \
        --walltime 02:00:00 --workers 50
    python experiments/cluster.py --seeds 1000000 --scheduler tcp://10.0.0.1:8786

Source: the recipes of another experiment, by default x² with ten tanh units.
Expected finding: the same bits as in memory, on workers of one kind, whoever computed them. After
any end, a kill, a walltime or Ctrl-C, the same command goes on; and with more seeds it adds those.
Cost: the experiment's, divided by the workers, and ten seconds of set-up. Writes
results/cluster_square/RECIPE/.

A worker is one process and has a thread per core; each thread trains one block at a time with one
thread of XLA, so a job's cores are its threads. An accelerator needs a process of its own, because
JAX takes most of its memory: `--accelerators` asks Slurm for one per job, feeds it by one thread,
and keeps the other cores for the compiler. By hand it is `CUDA_VISIBLE_DEVICES=0 dask worker
tcp://... --nthreads 1`, and so on for each. Jobs that are lost are asked for again. A block that is
lost begins anew, so that a walltime must be longer than a block takes. Bits depend on the
processor, so that a worker with another model of processor ends the sweep: in a mixed partition,
say `--directives=--constraint=NAME`.

Whoever can connect to a Dask scheduler can run code as its user. The local cluster listens to this
machine only; for Slurm, name an `--interface` of the cluster's own network.
"""

import signal
import sys
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import cloudpickle
import tyro

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
# Where dashboards' servers listen, which Dask starts without dashboards too: to nobody
QUIET = "127.0.0.1:0"


@dataclass(frozen=True)
class Jobs:
    """What to ask Slurm for.

    Attributes:
        partition: to which jobs go.
        account: that pays.
        walltime: of a job.
        interface: the network's, such as ib0.
        workers: how many jobs, of one worker each.
        cores: of a job.
        memory: of a job.
        accelerators: one for each job.
        directives: further ones, as after #SBATCH.
        job_script_prologue: lines of shell before the worker's, such as "module load cuda".
    """

    partition: str | None = None
    account: str | None = None
    walltime: str = "01:00:00"
    interface: str | None = None
    workers: int = 2
    cores: int = 1
    memory: str = "4GB"
    accelerators: bool = False
    directives: tuple[str, ...] = ()
    job_script_prologue: tuple[str, ...] = ()


def worker_options(jobs: Jobs) -> dict[str, Any]:
    """For any cluster of dask-jobqueue: one process per job, one thread per core or accelerator."""
    threads = jobs.cores
    if jobs.accelerators:
        threads = 1
    return {
        "processes": 1,
        "cores": threads,
        "memory": jobs.memory,
        "interface": jobs.interface,
        "worker_extra_args": ["--no-dashboard", "--dashboard-address", QUIET],
        "job_script_prologue": list(jobs.job_script_prologue),
        "scheduler_options": {"dashboard": False, "dashboard_address": QUIET},
    }


def slurm_options(jobs: Jobs) -> dict[str, Any]:
    """What SLURMCluster is made with."""
    directives = list(jobs.directives)
    if jobs.accelerators:
        directives.insert(0, "--gres=gpu:1")
    return worker_options(jobs) | {
        "queue": jobs.partition,
        "account": jobs.account,
        "walltime": jobs.walltime,
        "job_cpu": jobs.cores,
        "job_extra_directives": directives,
    }


def local_cluster() -> Any:
    """Two workers of this machine."""
    from distributed import LocalCluster

    # Workers ignore Ctrl-C, because they inherit this setting; this script handles it
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=QUIET,
            worker_dashboard_address=QUIET,
        )
    finally:
        signal.signal(signal.SIGINT, before)


def slurm_cluster(jobs: Jobs) -> Any:
    """Jobs of Slurm, of which lost ones are asked for again."""
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError:
        install = 'pip install ".[cluster]" in a clone of approx'
        sys.exit(f"--cluster slurm needs dask-jobqueue: {install}")

    cluster = SLURMCluster(**slurm_options(jobs))
    print(cluster.job_script())
    asked = f"Asked for {jobs.workers} of these"
    print(f"{asked}; work begins with the first of them.", flush=True)
    cluster.adapt(minimum_jobs=jobs.workers, maximum_jobs=jobs.workers)
    return cluster


def started(kind: str, jobs: Jobs) -> AbstractContextManager[Any]:
    """A cluster, which ends with its context."""
    if kind == "local":
        return local_cluster()
    return slurm_cluster(jobs)


def recipes_of(module: Any) -> dict[str, tuple[ap.Task, ap.Recipe]]:
    """The recipes of an experiment by label: those that it lists, or the rows of its study."""
    if hasattr(module, "RECIPES"):
        return module.RECIPES
    return {label: (row.task, row.recipe) for label, row in module.study().rows.items()}


def chosen(
    experiment: str, recipes: tuple[str, ...], steps: int | None
) -> dict[str, tuple[ap.Task, ap.Recipe]]:
    """Recipes of an experiment, by label, of at most so many steps."""
    module = import_module(experiment)
    cloudpickle.register_pickle_by_value(module)  # workers need not find the script
    known = recipes_of(module)
    pairs = {}
    for label in recipes:
        if label not in known:
            there = ", ".join(known)
            sys.exit(f"{experiment}.py has no recipe {label!r}; it has {there}")
        task, recipe = known[label]
        if steps is not None:
            recipe = replace(recipe, steps=min(steps, recipe.steps))
        pairs[label] = task, recipe
    return pairs


# More than eight parameters: each is an option of the command line
def main(  # noqa: PLR0913
    experiment: str = "square",
    recipes: tuple[str, ...] = ("C",),
    seeds: int = 512,
    steps: int | None = None,
    lanes: int | None = None,
    below: float = 1.0,
    out: Path = RESULTS / "cluster_square",
    cluster: Literal["local", "slurm"] = "local",
    scheduler: str | None = None,
    jobs: Annotated[Jobs, tyro.conf.arg(name="")] = Jobs(),
) -> None:
    """Train recipes into a folder, on a cluster, and print how often they succeed.

    Args:
        experiment: whose recipes: a script beside this one.
        recipes: their labels.
        seeds: of each.
        steps: at most so many updates of each, for a quick look.
        lanes: of a block; part of the experiment.
        below: what error inside the range is a success.
        out: the folder to write to, and to go on with.
        cluster: two workers of this machine, or jobs of Slurm.
        scheduler: the address of one that runs already, instead.
        jobs: what to ask Slurm for.
    """
    pairs = chosen(experiment, recipes, steps)
    with ExitStack() as stack:
        address = scheduler
        if not address:
            address = stack.enter_context(started(cluster, jobs)).scheduler_address

        try:
            runs = ap.run(
                ap.tasks.square(), pairs, seeds=seeds, lanes=lanes, out=out, executor=address
            )
        except KeyboardInterrupt:
            sys.exit(130)

    for label in recipes:
        rate = ap.stats.rate(ap.stats.success(runs.sel(recipe=label), below=below))
        hits = f"{int(rate.successes):,} of {int(rate.n):,} seeds below {below:g}"
        share = f"{float(rate.rate):.1%} [{float(rate.low):.1%}, {float(rate.high):.1%}]"
        print(f"{label}: {hits}: {share} exact 95%")

    print(f"in {out}, fingerprint {runs.fingerprint[:12]}")


if __name__ == "__main__":
    tyro.cli(main)
