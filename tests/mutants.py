"""Change the code in small ways, one at a time, and count which the quick tests notice.

`make mutants` runs it. mutmut makes the changes ("mutants"): another operator, another number, an
argument left out, and so on. There are some ten thousand, too many to try all, so a stated share of
each file's is drawn by a seed. Each is tried in a copy of the project, in a process of its own, on
the test files that promise the changed file, until the first test fails. A mutant that fails none
has survived: some behaviour is promised by no test. Survivors that nobody could notice, because
they change no result, are listed with the reason in `tests/mutants.md`, by the lines that this
script prints.

Left out are changes of text with a space in it, which is prose for people, and what mutmut itself
leaves out (type annotations, decorators and functions that have one).
"""

import difflib
import itertools
import multiprocessing
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import tyro

ROOT = Path(__file__).parents[1]
LISTED = ROOT / "tests" / "mutants.md"
ENOUGH = 0.9  # the share that must be noticed
# Exit codes of a try: pytest's if it finds no tests, and ours if `approx` was not the copy's
NO_TESTS, OTHER_PROJECT = 5, 99

# Folders of approx of which every file is mutated
WHOLE_FOLDERS = ("stats", "training", "numerics")
# The quick files first: the first failure ends a try.
PROMISED_BY = {
    "approx/tasks/losses.py": (
        "test_mathematics",
        "test_scalings",
        "test_cases",
        "test_parity",
        "test_own_data",
        "test_second_order",
        "test_endings",
    ),
    "approx/training/sampling.py": ("test_sampling",),
    "approx/training/steps.py": (
        "test_case_updates",
        "test_mathematics",
        "test_contract",
        "test_second_order",
        "test_networks",
        "test_frameworks_objects",
    ),
    "approx/training/loop.py": (
        "test_mathematics",
        "test_contract",
        "test_case_updates",
        "test_second_order",
        "test_stops",
        "test_reproducibility",
    ),
    "approx/training/records.py": (
        "test_mathematics",
        "test_contract",
        "test_case_updates",
        "test_second_order",
        "test_own_data",
        "test_networks",
        "test_lanes",
    ),
    "approx/training/recorded_steps.py": ("test_mathematics", "test_contract", "test_refusals"),
    "approx/training/recipes.py": (
        "test_mathematics",
        "test_contract",
        "test_refusals",
        "test_stops",
        "test_optimizers",
    ),
    "approx/training/checks.py": (
        "test_data",
        "test_contract",
        "test_refusals",
        "test_network_losses",
        "test_second_order",
    ),
    "approx/training/inputs.py": (
        "test_sampling",
        "test_data",
        "test_case_updates",
        "test_contract",
    ),
    "approx/training/evaluation.py": (
        "test_data",
        "test_mathematics",
        "test_contract",
        "test_second_order",
        "test_optimizers",
        "test_network_losses",
        "test_lanes",
    ),
    "approx/training/optimizers.py": (
        "test_optimizers",
        "test_mathematics",
        "test_contract",
        "test_refusals",
        "test_parity",
        "test_frameworks_words",
        "test_frameworks_objects",
    ),
    "approx/training/keras.py": ("test_optimizers", "test_mathematics", "test_contract"),
    "approx/training/rules.py": ("test_contract", "test_case_updates", "test_second_order"),
    "approx/training/second_order.py": ("test_second_order",),
    "approx/numerics/elementary.py": ("test_elementary",),
    "approx/numerics/cholesky.py": ("test_second_order",),
    "approx/numerics/barriers.py": ("test_elementary", "test_mathematics", "test_contract"),
    "approx/numerics/products.py": (
        "test_mathematics",
        "test_case_updates",
        "test_scalings",
        "test_lanes",
        "test_second_order",
        "test_network_losses",
        "test_networks",
    ),
}
PROMISED_BY |= dict.fromkeys(
    ("approx/training/quasi_newton.py", "approx/training/inverse_hessians.py"),
    ("test_second_order", "test_networks", "test_frameworks_words", "test_alterations"),
)
# Helpers of the other statistics, named by no test.
PROMISED_BY |= dict.fromkeys(
    (
        "approx/stats/labels.py",
        "approx/stats/resample.py",
        "approx/stats/unseen.py",
        "approx/stats/unseen_sorted.py",
    ),
    ("test_statistics", "test_coverage", "test_variance", "test_maps", "test_extrapolation"),
)
PROMISED_BY |= dict.fromkeys(
    (
        "approx/stats/outcomes.py",
        "approx/study/plateaus.py",
        "approx/study/units.py",
    ),
    ("test_endings",),
)
PROMISED_BY |= dict.fromkeys(
    (
        "approx/training/guards.py",
        "approx/training/keras_extras.py",
        "approx/training/leafwise.py",
        "approx/training/online.py",
        "approx/training/pytorch.py",
        "approx/training/pytorch_lbfgs.py",
        "approx/training/resilient.py",
        "approx/training/schedules.py",
    ),
    ("test_optimizers",),
)
PROMISED_BY |= dict.fromkeys(
    (
        "approx/training/rates.py",
        "approx/training/stopping.py",
        "approx/training/stops.py",
        "approx/training/watching.py",
    ),
    (
        "test_stops",
        "test_resuming",
        "test_frameworks_words",
        "test_frameworks_objects",
        "test_network_losses",
    ),
)
PROMISED_BY["approx/stats/pages.py"] = ("test_claims_page", "test_study")
PROMISED_BY["approx/stats/ensemble_errors.py"] = ("test_ensembles",)
PROMISED_BY |= dict.fromkeys(
    (
        "approx/numerics/derivatives.py",
        "approx/training/network_losses.py",
    ),
    ("test_network_losses",),
)
PROMISED_BY["approx/numerics/lanes.py"] = ("test_network_losses", "test_lanes", "test_contract")
PROMISED_BY["approx/training/network_checks.py"] = ("test_network_losses", "test_refusals")
PROMISED_BY["approx/stats/several_seeds.py"] = ("test_statistics", "test_coverage")
PROMISED_BY["approx/stats/csv_files.py"] = ("test_evidence", "test_ask")
PROMISED_BY["approx/stats/former_names.py"] = ("test_cases",)
PROMISED_BY["approx/stats/layouts.py"] = ("test_statistics", "test_evidence")
PROMISED_BY |= dict.fromkeys(
    (
        "approx/stats/far_behaviour.py",
        "approx/stats/far_fits.py",
        "approx/stats/far_points.py",
    ),
    ("test_extrapolation",),
)
PROMISED_BY |= dict.fromkeys(
    ("approx/stats/crossings.py", "approx/stats/logistic.py"), ("test_maps",)
)
MOMENTS = itertools.count(1)
PRELOADED = [
    "jax",
    "flax.linen",
    "optax",
    "xarray",
    "scipy.stats",
    "matplotlib.pyplot",
    "pandas",
    "pytest",
    "tyro",
]


@dataclass(frozen=True)
class Mutant:
    """A change of one file.

    Attributes:
        path: the file's, from the project's root.
        text: the whole changed file; empty for no change.
        change: the lines that change, and what they become.

    """

    path: str
    text: str = ""
    change: str = ""

    @property
    def name(self) -> str:
        """As it is printed and listed."""
        return f"{self.path}: {self.change}"


def files() -> list[str]:
    """What is mutated: every file of some folders, and what else PROMISED_BY names."""
    paths = []
    for folder in WHOLE_FOLDERS:
        for path in sorted((ROOT / "approx" / folder).glob("*.py")):
            if path.name != "__init__.py":  # a list of names
                paths.append(str(path.relative_to(ROOT)))
    return [*paths, *(path for path in PROMISED_BY if path not in paths)]


def tests_of(path: str) -> tuple[str, ...]:
    """The test files that promise a file: those of PROMISED_BY, else those that name a function.

    Those of every file come first, then the file that names functions of `path` most often.

    Raises:
        ValueError: no test names one.
    """
    first: tuple[str, ...] = ("tests/test_floor_plan.py",)
    if path.startswith("approx/stats/"):
        first += ("tests/test_recorded_statistics.py",)
    if path in PROMISED_BY:
        return first + tuple(f"tests/{name}.py" for name in PROMISED_BY[path])

    public = re.findall(r"^(?:def|class) ([a-zA-Z]\w*)", (ROOT / path).read_text(), re.MULTILINE)
    named = re.compile(rf"\b(?:stats|{Path(path).stem})\.(?:{'|'.join(public)})\b")
    counts: dict[str, int] = {}
    for test in (ROOT / "tests").glob("test_*.py"):
        count = len(named.findall(test.read_text()))
        if count:
            counts[str(test.relative_to(ROOT))] = count

    if not counts:
        advice = "say in PROMISED_BY which tests promise it"
        raise ValueError(f"no test names a function of {path}: {advice}")
    return first + tuple(sorted(counts, key=lambda test: -counts[test]))


def drawn(path: str, one_in: int, seed: int) -> list[Mutant]:
    """A share of a file's mutants, at least one."""
    import libcst
    from mutmut.mutation.file_mutation import create_mutations, deep_replace

    def is_prose(node: libcst.CSTNode) -> bool:
        return isinstance(node, libcst.SimpleString) and " " in node.value

    text = (ROOT / path).read_text()
    module, mutations, *_ = create_mutations(path, text)
    counted = [mutation for mutation in mutations if not is_prose(mutation.original_node)]
    chosen = random.Random(f"{seed} {path}").sample(counted, max(1, round(len(counted) / one_in)))
    texts = [
        deep_replace(module, mutation.original_node, mutation.mutated_node).code
        for mutation in chosen
    ]
    return [Mutant(path, changed, change_of(text, changed)) for changed in texts]


def change_of(old: str, new: str) -> str:
    """The lines that differ, as `old` → `new`."""
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0))[2:]
    before = " ".join(line[1:].strip() for line in lines if line[0] == "-")
    after = " ".join(line[1:].strip() for line in lines if line[0] == "+")
    return f"`{before}` → `{after}`"


# ---- one try -------------------------------------------------------------------------------------


def run_tests(tree: str, tests: Sequence[str], log: str) -> None:
    """Run tests in a copy of the project and end this process with pytest's code."""
    os.setsid()  # so that what it starts can be ended with it
    os.chdir(tree)
    os.environ["PYTHONPATH"] = tree
    sys.path.insert(0, tree)
    sys.dont_write_bytecode = False  # each try would compile the whole project anew
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    import pytest

    code = pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", *tests])
    sys.stdout.flush()
    place = getattr(sys.modules.get("approx"), "__file__", tree)
    if not place.startswith(tree):
        os._exit(OTHER_PROJECT)

    os._exit(int(code))


def outcome(tree: Path, tests: Sequence[str], limit: float | None) -> tuple[int | None, float]:
    """The code that the tests ended with, None if they did not end in time, and their seconds."""
    context = multiprocessing.get_context("forkserver")
    began = time.monotonic()
    process = context.Process(target=run_tests, args=(str(tree), tests, str(tree / "log.txt")))
    process.start()
    process.join(limit)
    code = process.exitcode
    if code is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
    return code, time.monotonic() - began


@contextmanager
def changed(tree: Path, mutant: Mutant) -> Iterator[None]:
    """A copy of the project that has the change as long as the context lasts."""
    file = tree / mutant.path
    whole, times = file.read_text(), file.stat()
    file.write_text(mutant.text)
    moment = next(MOMENTS)
    # Python knows a file's stored bytecode by its time and size: no two have one time
    os.utime(file, (moment, moment))
    try:
        yield
    finally:
        file.write_text(whole)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def survives(tree: Path, mutant: Mutant, limit: float) -> bool:
    """Whether no test notices the change."""
    tests = tests_of(mutant.path)
    with changed(tree, mutant):
        code, _ = outcome(tree, tests, limit)
    if code in (NO_TESTS, OTHER_PROJECT):
        said = f"the tests {' '.join(tests)} did not run as they should"
        raise RuntimeError(f"{said}: see {tree / 'log.txt'}")
    return code == 0


def baseline(tree: Path, tests: Sequence[str]) -> float:
    """Seconds of the tests without a change; they must pass."""
    code, seconds = outcome(tree, tests, None)
    if code != 0:
        log = (tree / "log.txt").read_text()[-3000:]
        raise RuntimeError(f"{' '.join(tests)} fail without any mutant:\n{log}")
    return seconds


# ---- all tries -----------------------------------------------------------------------------------


def copies(folder: Path, number: int) -> queue.Queue[Path]:
    """Copies of the project, without what git ignores, one for each of the tries at a time."""
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    names = [name for name in listed.stdout.decode().splitlines() if (ROOT / name).is_file()]
    trees: queue.Queue[Path] = queue.Queue()
    for k in range(number):
        tree = folder / str(k)
        for name in names:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
        trees.put(tree)
    return trees


def tried(mutants: list[Mutant], workers: int, folder: Path) -> Iterator[tuple[Mutant, bool]]:
    """Every mutant, and whether it survived, as they end."""
    trees = copies(folder, workers)

    def without(tests: tuple[str, ...]) -> float:
        tree = trees.get()
        seconds = baseline(tree, tests)
        trees.put(tree)
        print(f"{seconds:.0f} s without a mutant: {' '.join(tests)}", flush=True)
        return seconds

    sets_of_tests = list({tests_of(mutant.path): None for mutant in mutants})
    with ThreadPoolExecutor(workers) as pool:
        seconds = dict(zip(sets_of_tests, pool.map(without, sets_of_tests), strict=True))

    def one(mutant: Mutant) -> tuple[Mutant, bool]:
        tree = trees.get()
        try:
            return mutant, survives(tree, mutant, 60 + 4 * seconds[tests_of(mutant.path)])
        finally:
            trees.put(tree)

    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(one, mutants)


def prepare() -> None:
    """What the processes of all tries share: imported libraries, and compiled programs on disk."""
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".mutants"))
    os.environ |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "OPENBLAS_NUM_THREADS": "1"}
    multiprocessing.get_context("forkserver").set_forkserver_preload(PRELOADED)


def report(found: list[tuple[Mutant, bool]], listed: str) -> bool:
    """Print the rates and the survivors.

    Args:
        found: every mutant that was tried, and whether it survived.
        listed: the text of the list of survivors that nobody could notice.

    Returns:
        Whether enough mutants are noticed and all others are listed.
    """
    from approx.stats import binomial_interval

    tried_of = Counter(mutant.path for mutant, _ in found)
    lost_of = Counter(mutant.path for mutant, survived in found if survived)
    print("\nmutants noticed, of those tried:")
    for path, n in tried_of.items():
        print(f"  {path}: {n - lost_of[path]} of {n}")

    survivors = [mutant.name for mutant, survived in found if survived]
    noticed = len(found) - len(survivors)
    share = noticed / len(found)
    low, high = binomial_interval(noticed, len(found), 0.95, "exact")
    interval = f"exact 95% interval {low:.1%} to {high:.1%}"
    print(f"  all: {noticed} of {len(found)}, {share:.1%}, {interval}")
    unlisted = [name for name in survivors if name not in listed]
    for name in survivors:
        state = "listed"
        if name in unlisted:
            state = "NOT LISTED"
        print(f"{state}: {name}")

    return share >= ENOUGH and not unlisted


def main(one_in: int = 60, seed: int = 0, workers: int = 2, only: tuple[str, ...] = ()) -> None:
    """Try a share of the mutants and say which survive.

    Args:
        one_in: try one in so many of each file's mutants.
        seed: of the draw.
        workers: how many to try at once.
        only: files to change, such as approx/training/sampling.py; none is all.

    """
    prepare()
    mutants = [mutant for path in only or files() for mutant in drawn(path, one_in, seed)]
    print(
        f"{len(mutants)} mutants, one in {one_in} of each file's, drawn with seed {seed}",
        flush=True,
    )
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for mutant, survived in tried(mutants, workers, Path(folder)):
            found.append((mutant, survived))
            state = "noticed"
            if survived:
                state = "SURVIVED"
            print(f"{state}: {mutant.name}", flush=True)

    if not report(found, LISTED.read_text()):
        few = f"fewer than {ENOUGH:.0%} were noticed"
        sys.exit(f"{few}, or a survivor is not listed in {LISTED.relative_to(ROOT)}")


if __name__ == "__main__":
    tyro.cli(main)
