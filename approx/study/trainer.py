"""Training a study's rows: the next rows are compiled while one is trained."""

import importlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from approx import runs as running
from approx.changes.fields import same
from approx.disk.files import make_folder
from approx.study import budgets
from approx.study.declaration import Declaration
from approx.study.errors import naming_row
from approx.study.judgement import undecided_rows
from approx.study.rows import Row, slug
from approx.study.trained import FIRST_LOOK, look_number
from approx.study.tuning import best_setting, tuned_row
from approx.study.variables import check_variables, read_of
from approx.sweep import settings
from approx.sweep.memory import Interrupted
from approx.sweep.progress import bar
from approx.sweep.request import OPTIONS, Request, checked

AHEAD = 2  # rows that are compiled before they are trained
NARROWEST = 2  # seeds of a row that has a small part of those asked for


class Job(NamedTuple):
    """Trainings that are computed together: some seeds of a row, or those that tune its numbers.

    Attributes:
        label: of the row.
        request: what `ap.run` would be asked for.
        done: a function that is given the runs.
        reads: the variables of the runs that the study reads by name, see `read_of`.
    """

    label: str
    request: Callable[[], Request]
    done: Callable[[xr.Dataset], None]
    reads: Mapping[str, str]


def run_study(
    study: Declaration,
    seeds: int,
    budget: str | float | None,
    until_decided: bool,
    only: Sequence[str] | None,
    out: str | Path | None,
    progress: bool,
) -> None:
    """Train the rows of a study; see `Study.run` for the arguments."""
    seeds = budgets.checked_seeds(seeds)
    deadline = budgets.deadline(budget)
    wanted = wanted_rows(study, only)
    check_seeds(study, wanted, seeds)
    folder = None if out is None else made_folder(Path(out))
    if deadline is None and not until_decided:
        train(study, dict.fromkeys(wanted, seeds), folder, progress)
        study.trained.look(wanted, look_number(seeds))
        return
    study.trained.looked_often = True
    asked = min(FIRST_LOOK, seeds)
    while wanted:
        train(study, dict.fromkeys(wanted, asked), folder, progress)
        study.trained.look(wanted, look_number(asked))
        is_over = deadline is not None and not deadline.allows_another()
        if asked >= seeds or is_over:
            break
        wanted = [label for label in undecided_rows(study) if label in wanted]
        asked = min(2 * asked, seeds)


def check_seeds(study: Declaration, wanted: Sequence[str], seeds: int) -> None:
    """Refuse too few seeds for a view, and seeds that also choose the numbers of a row.

    Raises:
        ValueError: naming the view or the row.
    """
    for label in wanted:
        both = [seed for seed in study.tuning_seeds if seed < seeds]
        if study.rows[label].tune and both:
            raise ValueError(
                f"the row {label!r} is tuned on the seeds tuning_seeds=, and {len(both)} of them "
                f"are among the {seeds} seeds that are reported; tune on others"
            )
    for label, view in study.views.items():
        there = wanted_seeds(study, view.of, seeds)
        if view.of in wanted and there < view.seeds:
            raise ValueError(
                f"the view {label!r} needs {view.seeds} seeds of {view.of!r}, which has {there}; "
                "ask for more"
            )


def made_folder(out: Path) -> Path:
    """The folder of a study, with one for the rows and one for what tunes them.

    Raises:
        FileNotFoundError: the folder that it should be in is missing.
    """
    for folder in (out, out / "rows", out / "tuning"):
        make_folder(folder)
    return out


def wanted_rows(study: Declaration, only: Sequence[str] | None) -> list[str]:
    """The labels of the rows to train.

    Raises:
        ValueError: a label that is none.
    """
    if only is None:
        return list(study.rows)
    chosen = [only] if isinstance(only, str) else list(only)
    unknown = [label for label in chosen if label not in study.rows]
    if unknown:
        there = ", ".join(map(repr, study.rows))
        raise ValueError(f"only= names {unknown}, which are no rows; there are: {there}")
    return [label for label in study.rows if label in chosen]


def train(
    study: Declaration, wanted: Mapping[str, int], folder: Path | None, progress: bool
) -> None:
    """Train rows up to a number of seeds each, after tuning those that are tuned."""
    twins = find_twins(study)
    own = {label: n for label, n in wanted.items() if label not in twins}
    for label in wanted:
        if label in twins:
            own.setdefault(twins[label], wanted[label])
    tuning = [job for label in own for job in tuning_jobs(study, study.rows[label], folder)]
    rows = [
        training_job(study, label, n, folder)
        for label, n in own.items()
        if is_missing(study, label, n, folder)
    ]
    check_jobs([*tuning, *rows])
    with shown(len(tuning) + len(rows), progress) as tell:
        compute(tuning, tell)
        compute(rows, tell)
    study.trained.answer = None
    for label, other in twins.items():
        if label in wanted and other in study.trained.by_row:
            study.trained.by_row[label] = study.trained.by_row[other]
            study.trained.tuned[label] = study.trained.tuned.get(other, {})


def is_missing(study: Declaration, label: str, seeds: int, folder: Path | None) -> bool:
    """Whether a row lacks seeds in memory, or in the folder that is to keep them."""
    if missing_seeds(study, label, seeds):
        return True
    return folder is not None and not (folder / "rows" / slug(label)).exists()


def find_twins(study: Declaration) -> dict[str, str]:
    """Rows that equal an earlier row, with that row's label: they are trained once."""
    found: dict[str, str] = {}
    earlier: dict[str, list[Row]] = {}  # those that print alike, so that few are compared
    for label, row in study.rows.items():
        alike = earlier.setdefault(f"{row.task!r}, {row.recipe!r}", [])
        twin = next((one.label for one in alike if _are_twins(study, one, row)), None)
        if twin is None:
            alike.append(row)
        else:
            found[label] = twin
    return found


def _are_twins(study: Declaration, one: Row, other: Row) -> bool:
    """Whether two rows are the same training."""
    if not same(one.task, other.task) or not same(one.recipe, other.recipe):
        return False
    options = _options(study, one.label), _options(study, other.label)
    return one.tune == other.tune and same(*options)


def check_jobs(jobs: Iterable[Job]) -> None:
    """Refuse what `ap.run` would refuse of any row, and unknown variables, before any is trained.

    Raises:
        TypeError, ValueError: naming the row.
    """
    for job in jobs:
        with naming_row(f"the row {job.label!r}"):
            check_variables(checked(job.request()), job.reads)


# ---- jobs ----------------------------------------------------------------------------------------


def training_job(study: Declaration, label: str, seeds: int, folder: Path | None) -> Job:
    """The training of the seeds of a row that are missing."""

    def request() -> Request:
        row = tuned_row(study, label)
        options = _options(study, label)
        options.pop("seeds", None)
        missing = missing_seeds(study, label, seeds)
        out = None
        if folder is not None:
            missing = range(missing.stop)
            out = folder / "rows" / slug(label)
        return asked(study, row, missing, out, options)

    def done(found: xr.Dataset) -> None:
        study.trained.add(label, found)

    return Job(label, request, done, read_of(study, label))


def missing_seeds(study: Declaration, label: str, seeds: int) -> range:
    """The seeds of a row that are not trained yet, of its share of so many."""
    return range(study.trained.seeds(label), wanted_seeds(study, label, seeds))


def wanted_seeds(study: Declaration, label: str, seeds: int) -> int:
    """How many of all seeds a row is to have: its share of them."""
    share = _options(study, label).get("seeds", 1.0)
    return max(NARROWEST, round(share * seeds))


def asked(
    study: Declaration, row: Row, seeds: Sequence[int], out: Path | None, options: Mapping[str, Any]
) -> Request:
    """The request for some seeds of a row."""
    given: dict[str, Any] = {"keep": study.keep, "metrics": study.metrics, "progress": False}
    given |= options
    starts = given.get("init_params")
    if callable(starts):
        given["init_params"] = starts(np.asarray(seeds))

    # What is no option of `run` is a number that is swept
    known = {name: value for name, value in given.items() if name in OPTIONS}
    grid = {name: value for name, value in given.items() if name not in OPTIONS}
    return Request(task=row.task, recipe=row.recipe, seeds=seeds, out=out, grid=grid, **known)


def tuning_jobs(study: Declaration, row: Row, folder: Path | None) -> list[Job]:
    """The trainings that choose a row's numbers; none if it has none, or they are chosen."""
    if not row.tune or row.label in study.trained.tuned:
        return []

    def request() -> Request:
        options = _options(study, row.label)
        options.pop("seeds", None)
        out = None if folder is None else folder / "tuning" / slug(row.label)
        options |= {name: list(values) for name, values in row.tune.items()}
        return asked(study, row, list(study.tuning_seeds), out, options)

    def done(found: xr.Dataset) -> None:
        main, measure = next(iter(study.measures.items()))
        chosen = best_setting(found, list(row.tune), main, measure, study.when)
        study.trained.tuned[row.label] = chosen

    return [Job(row.label, request, done, read_of(study, row.label))]


def _options(study: Declaration, label: str) -> dict[str, Any]:
    """The options of `ap.run` of a row."""
    return dict(study.options.get(label, {}))


# ---- computing -----------------------------------------------------------------------------------


def compute(jobs: Sequence[Job], tell: Callable[[str], None]) -> None:
    """Compute jobs one after another, while the programs of the next ones are compiled."""
    if not jobs:
        return
    with compiling_ahead() as pool:
        # The answer needs scipy.stats, whose import takes up to a second. A thread imports it while
        # XLA compiles the first row. The import ends before any row is judged, because two threads
        # must not import parts of scipy at once.
        statistics = pool.submit(importlib.import_module, "scipy.stats")
        for job, prepared in ready_in_order(pool, jobs):
            statistics.result()
            compute_one(job, prepared)
            tell(job.label)


@contextmanager
def compiling_ahead() -> Iterator[ThreadPoolExecutor]:
    """Threads that compile; at an error or an interrupt what they have not begun is dropped."""
    pool = ThreadPoolExecutor(AHEAD)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def ready_in_order(
    pool: ThreadPoolExecutor, jobs: Iterable[Job]
) -> Iterator[tuple[Job, running.Prepared]]:
    """The jobs with their compiled programs, of which some are made ahead."""
    waiting: deque[tuple[Job, Future]] = deque()
    for job in jobs:
        waiting.append((job, pool.submit(settings.carried(prepared_job), job)))
        if len(waiting) > AHEAD:
            first, future = waiting.popleft()
            yield first, future.result()
    while waiting:
        first, future = waiting.popleft()
        yield first, future.result()


def prepared_job(job: Job) -> running.Prepared:
    """The compiled programs of a job; errors name the row."""
    with naming_row(f"the row {job.label!r}"):
        return running.prepare(checked(job.request()))


def compute_one(job: Job, prepared: running.Prepared) -> None:
    """Train a job. At Ctrl-C the first seeds that had ended are kept."""
    try:
        found = running.computed(prepared)
    except Interrupted as stopped:
        whole = first_seeds(stopped.runs, prepared.request.seeds)
        if whole is not None and not prepared.request.grid:
            job.done(whole)
        raise
    job.done(found)


def first_seeds(runs: xr.Dataset | None, seeds: np.ndarray) -> xr.Dataset | None:
    """The runs of the leading seeds of those asked for, without gaps; None if there are none."""
    if runs is None:
        return None
    count = 0
    for seed, wanted in zip(runs.seed.values, seeds, strict=False):
        if seed != wanted:
            break
        count += 1
    if not count:
        return None
    return runs.isel(seed=slice(count))


@contextmanager
def shown(total: int, progress: bool) -> Iterator[Callable[[str], None]]:
    """A function that is told each row that is done, and shows how far the study is."""
    said = {"label": ""}
    done = 0
    with bar(total, progress and total > 0, lambda: said["label"], unit=" rows") as show:

        def tell(label: str) -> None:
            nonlocal done
            done += 1
            said["label"] = label
            show(done)

        yield tell
