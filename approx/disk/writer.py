"""Sweeps into a folder: what is missing there is computed, and written as it ends.

A training's bits depend on its own inputs and on the program only, so chunks can be of any size, in
any order, made by anyone, and a sweep that was killed goes on with what is missing.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import jax
import numpy as np
import psutil

from approx.disk import assemble, chunks, exports, files, folders, held
from approx.disk.description import read_sweep, source_name
from approx.disk.labelled import check_labels, write_labels
from approx.late_imports import xarray as xr
from approx.sweep import plans, programs, provenance, results, settings
from approx.sweep.devices import Batch
from approx.sweep.driver import compute, say
from approx.sweep.plans import Plan
from approx.sweep.programs import Ready
from approx.sweep.progress import plural
from approx.sweep.request import Request
from approx.training.loop import Trace

SECONDS_PER_CHUNK, BYTES_PER_CHUNK = 10.0, 64_000_000
AT_RISK = 0.01  # the share of the work that may be lost, where that is more than those seconds
SECONDS_PER_STATUS = 5.0  # how often progress.json is written

type Finished = tuple[np.ndarray, Trace | xr.Dataset]  # trainings by number, and what came out


class Writer:
    """Gathers trainings that are finished and writes them as chunks: a sink (`devices.Sink`).

    Attributes:
        folder: of the sweep.
        source: the name of what its chunks are made from, from now on.
        plan: of the trainings.
        total: how many of them are missing.
        waiting: finished trainings that are in no chunk yet, and their bytes.
        done: how many trainings were finished, diverged how many of these ended without a finite
            loss, and stored how many are on the disk.
        writing: the chunk that another thread is writing.

    """

    def __init__(self, folder: Path, source: str, plan: Plan, total: int):
        self.folder = folder
        self.source = source
        self.plan = plan
        self.total = total
        self.waiting: list[Finished] = []
        self.bytes = 0
        self.done = 0
        self.diverged = 0
        self.stored = 0
        self.aside = ThreadPoolExecutor(1)
        self.writing: Future | None = None
        self.began = time.time()
        self.written = time.monotonic()
        self.told = 0.0

    def add(self, trainings: np.ndarray, found: Trace | xr.Dataset) -> None:
        """Take finished trainings, as a trace or as a worker's `results.part`.

        It begins to write a chunk if the last one was some time ago, or much is waiting.
        """
        self.waiting.append((trainings, found))
        self.done += len(trainings)
        finite = np.isfinite(np.asarray(found.loss[:, -1]))
        self.diverged += int((~finite).sum())
        if isinstance(found, xr.Dataset):
            self.bytes += found.nbytes
        else:
            self.bytes += programs.nbytes(found)
        due = max(SECONDS_PER_CHUNK, AT_RISK * (time.time() - self.began))
        if time.monotonic() - self.written > due or self.bytes > BYTES_PER_CHUNK:
            self.flush()

    def flush(self) -> None:
        """Let another thread write what is waiting, once the chunk before is written."""
        self.wait()
        waiting = sorted(self.waiting, key=first_number)
        self.waiting = []
        self.bytes = 0
        self.written = time.monotonic()
        if waiting:
            self.writing = self.aside.submit(self.write, waiting)

    def wait(self) -> None:
        """Wait for the chunk that is being written, and raise what went wrong with it."""
        writing = self.writing
        self.writing = None
        if writing is not None:
            writing.result()

    def write(self, waiting: list[Finished]) -> None:
        """Write one chunk, and forget the blocks that were held for its trainings."""
        numbers, found = zip(*waiting, strict=True)
        if isinstance(found[0], xr.Dataset):
            part = results.stacked(found)
        else:
            part = results.gathered(self.plan, waiting)
        chunks.write_chunk(self.folder, part, self.source)
        self.stored += sum(map(len, numbers))
        for each in numbers:
            held.release(self.folder, which(self.plan, each))

    def hold(self, batch: Batch) -> None:
        """Store a batch that is under way, so that another run can go on from there."""
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(batch.carry)]
        rows = which(self.plan, batch.trainings)
        held.hold(self.folder, self.source, rows, batch.begin, leaves)

    def said(self) -> str:
        """How far it is, for people."""
        return f"{self.done:,} of {plural(self.total, 'training')}, {self.diverged:,} diverged"

    def tell(self, share: float) -> None:
        """Write for `status`, every few seconds, which share of the work is done."""
        if time.time() - self.told < SECONDS_PER_STATUS:
            return
        self.told = time.time()
        found = {
            "began": self.began,
            "now": self.told,
            "share": share,
            "missing": self.total,
            "done": self.done,
            "diverged": self.diverged,
            "command": sys.argv,
        }
        folders.write(self.folder / "progress.json", json.dumps(found).encode())

    def finish(self) -> None:
        """Write what is waiting, and wait until all is on the disk."""
        self.flush()
        self.wait()
        self.aside.shutdown()

    def stop(self, error: BaseException) -> None:
        """Write what is finished whatever happened, and say how to go on."""
        how = f"ended by {type(error).__name__}"
        if isinstance(error, KeyboardInterrupt):
            how = "interrupted"
        try:
            self.finish()
        except Exception as again:
            print(f"could not write to {self.folder}: {again}", file=sys.stderr)
        finally:
            self.aside.shutdown()
        left = f"{self.stored:,} of {plural(self.total, 'training')} stored"
        say(f"{how}: {left}; the same command goes on with {self.folder}")


def first_number(finished: Finished) -> int:
    """The first number of some trainings, by which chunks are sorted."""
    return int(finished[0][0])


# ---- which trainings are missing -----------------------------------------------------------------


def which(plan: Plan, trainings: np.ndarray) -> np.ndarray:
    """`chunks.rows` of some trainings of a plan, by number."""
    cell, row = np.divmod(trainings, len(plan.streams))
    return chunks.rows(plan.numbers[cell], plan.streams[row], plans.start_rows(plan, row))


def missing(plan: Plan, folder: Path, wanted: np.ndarray | None = None) -> np.ndarray:
    """Numbers of the trainings that the folder does not have; of all, or of those wanted."""
    done, left = chunks.done(folder), np.arange(plan.trainings)
    if len(done):
        left = left[~np.isin(which(plan, left), done)]
    return left if wanted is None else np.intersect1d(left, wanted)


def is_only_read(
    folder: Path, plan: Plan, head: folders.Head, accept: bool, wanted: np.ndarray | None = None
) -> bool:
    """Whether the folder may not be written to, and need not be: all that is asked for is in it.

    Args:
        folder: of the sweep. plan: of what is asked for. head: describes it.
        accept: whether trainings of other programs or inputs are accepted.
        wanted: numbers of the trainings that are asked for; None is all.

    Raises:
        ValueError: it holds other trainings. PermissionError: trainings are missing.

    """
    if folders.is_writable(folder):
        return False
    name = source_name(provenance.common(head.source))
    folders.check(folder, read_sweep(folder), name, head, accept)
    count = len(missing(plan, folder, wanted))
    if count:
        raise PermissionError(
            f"{folder} may not be written to, and lacks {count:,} of "
            f"{plural(plan.trainings, 'training')}: change its permissions, or copy it to where "
            "you may write"
        )
    return True


# ---- a folder's trainings ------------------------------------------------------------------------


class Engine(Protocol):
    """Who computes what a folder lacks: `Here`, or `executors.Elsewhere`."""

    plan: Plan

    def describe(self) -> tuple[folders.Head, dict[str, Callable[[], bytes]]]:
        """What the folder says of the sweep, and what makes its further files."""

    def compute(self, writer: Writer, todo: np.ndarray) -> None:
        """Compute trainings, by number, and give them to the writer as they end."""


def fill(folder: Path, engine: Engine, request: Request, wanted: np.ndarray | None = None) -> None:
    """Have an engine compute what the folder lacks of a plan.

    Args:
        folder: of the sweep.
        engine: with the plan.
        request: says whether progress is printed, and whether other trainings are accepted.
        wanted: numbers of the trainings that are asked for; None is all.

    """
    plan = engine.plan
    with folders.locked(folder):
        head, contents = engine.describe()
        if is_only_read(folder, plan, head, request.accept, wanted):
            return say_there(folder, plan, request.progress and wanted is None)
        label, selective = plan.entry.label, wanted is not None
        source = folders.begin(folder, head, request.accept, label, selective=selective)
        todo = missing(plan, folder, wanted)
        if not len(todo):
            # A file that was damaged may have been deleted
            folders.write_files(folder, source, contents)
            return say_there(folder, plan, request.progress and wanted is None)
        with ThreadPoolExecutor(1) as aside:
            write = settings.carried(folders.write_files)  # it traces, to export the programs
            making = aside.submit(write, folder, source, contents)
            engine.compute(Writer(folder, source, plan, len(todo)), todo)
            making.result()


def say_there(folder: Path, plan: Plan, progress: bool) -> None:
    """Say that nothing is to be done."""
    if progress:
        say(f"{plan.entry.prefix}all {plural(plan.trainings, 'training')} are in {folder}")


class Here:
    """The engine that is this machine.

    Attributes:
        plan: of the trainings. ready: its compiled blocks.
        request: says how long segments are, and whether progress is printed.

    """

    def __init__(self, plan: Plan, ready: Ready, request: Request):
        self.plan, self.ready, self.request = plan, ready, request

    def describe(self) -> tuple[folders.Head, dict[str, Callable[[], bytes]]]:
        """See `Engine`."""
        return exports.head(self.plan, self.ready), exports.files(self.plan, self.ready.block)

    def compute(self, writer: Writer, todo: np.ndarray) -> None:
        """See `Engine`. Blocks that an earlier run held go on from where they were."""
        plan = self.plan
        batches = [*resumed(writer, self.ready, todo)]
        begun = [number for batch in batches for number in batch.trainings]
        left = np.setdiff1d(todo, begun, assume_unique=True)
        batches += self.begun(left)
        request = self.request
        compute(plan, self.ready, batches, writer, request.segment, request.progress)

    def begun(self, trainings: np.ndarray) -> list[Batch]:
        """Blocks of trainings that no earlier run has held: they begin with their first step."""
        return [Batch(each) for each in plans.blocks_of(self.plan, trainings)]


def resumed(writer: Writer, ready: Ready, todo: np.ndarray) -> Iterator[Batch]:
    """Blocks that an earlier run held under way, if all of their trainings are asked for.

    Blocks whose trainings are all in chunks are forgotten: that run ended before it could.
    """
    folder = writer.folder
    carry = ready.block.carry
    tree = jax.tree.structure(carry)
    blocks = [*held.held(folder, writer.source)]
    if not blocks:
        return
    done = chunks.done(folder)
    rows_of_all = which(writer.plan, todo).tolist()
    number = dict(zip(rows_of_all, todo.tolist(), strict=True))
    for rows, begin, leaves in blocks:
        trainings = [number.pop(row, -1) for row in rows.tolist()]
        if max(trainings) < 0 and np.isin(rows, done).all():
            held.release(folder, rows)
            continue
        fits = shapes_of(leaves) == shapes_of(jax.tree.leaves(carry))
        if fits and min(trainings) >= 0:
            yield Batch(np.array(trainings), jax.tree.unflatten(tree, leaves), begin)


def shapes_of(leaves: list[Any]) -> list[tuple[tuple[int, ...], np.dtype]]:
    """Shapes and types of arrays."""
    return [(leaf.shape, leaf.dtype) for leaf in leaves]


# ---- for `run` -----------------------------------------------------------------------------------


def find_folders(
    out: str | Path,
    labels: list[Any],
    labelled: bool = True,
    axes: Mapping[str, np.ndarray] = results.NO_AXES,
) -> list[Path]:
    """Each recipe's folder, inside that of all; without labels there is one recipe, and one folder.

    Args:
        out: the folder of all. labels: of the recipes. labelled: whether they have such.
        axes: {name: values} of the axes that the recipes are laid out on, if there are any.

    Raises:
        ValueError: a label that cannot be a folder's name, or a folder of something else.
        OSError: the folder cannot be made, or may not be written to.

    """
    out = Path(out)
    if not labelled:
        folders.check_place(out)
        return [out]
    check_labels(out, [str(label) for label in labels])
    files.make_folder(out)
    write_labels(out, labels, axes)
    found = [out / str(label) for label in labels]
    for folder in found:
        folders.check_place(folder)
    return found


def run_here(folder: Path, plan: Plan, ready: Ready, request: Request) -> None:
    """Compute on this machine what the folder lacks of a plan."""
    fill(folder, Here(plan, ready, request), request)


def result(folder: Path, plan: Plan) -> xr.Dataset:
    """A plan's trainings from their folder.

    They are read when they are used, if they would take half of the memory.
    """
    size = sum(path.stat().st_size for path in chunks.paths(folder))
    lazy = size > psutil.virtual_memory().available / 2
    return assemble.assemble(folder, plan.axes, lazy=lazy)
