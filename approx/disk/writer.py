"""Sweeps into a folder: what is missing there is computed on this machine and written as it ends.

A training's bits depend on its own inputs and on the program only, so chunks can be of any size, in
any order, made by anyone, and a sweep that was killed goes on with what is missing.
"""

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import (
    Future,
    ThreadPoolExecutor,
)
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from approx.disk import chunks, folders, held
from approx.disk.exports import files, head
from approx.sweep import plans, programs, provenance, results
from approx.sweep.announcement import announce
from approx.sweep.devices import Batch, drive, pilot
from approx.sweep.plans import Plan
from approx.sweep.programs import Block, Ready
from approx.sweep.progress import bar, plural
from approx.training.loop import Trace

SECONDS_PER_CHUNK, BYTES_PER_CHUNK = 10.0, 64_000_000
AT_RISK = 0.01  # the share of the work that may be lost, where that is more than those seconds


@dataclass
class Writer:
    """Gathers trainings that are finished, writes them as chunks, and says how far it is.

    Attributes:
        folder: a sweep's. source: of its chunks from now on. plan: of the trainings. total: how
            many are missing.
        waiting: finished ones that no chunk has yet, as traces or as a worker's `results.part`, and
            their bytes.
        done, diverged, stored: how many were finished, ended so, and are on the disk.
        writing: the chunk that is being written aside.
    """

    folder: Path
    source: str
    plan: Plan
    total: int
    waiting: list[tuple[np.ndarray, Trace | xr.Dataset]] = field(default_factory=list)
    done: int = 0
    diverged: int = 0
    bytes: int = 0
    stored: int = 0
    aside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    writing: Future | None = None
    began: float = field(default_factory=time.time)
    written: float = field(default_factory=time.monotonic)
    told: float = 0.0

    def add(self, trainings: np.ndarray, found: Trace | xr.Dataset) -> None:
        """Take finished trainings; begin to write a chunk if the last one was some time ago, or
        much is waiting.
        """
        self.waiting.append((trainings, found))
        self.done += len(trainings)
        self.diverged += int((~np.isfinite(np.asarray(found.loss[:, -1]))).sum())
        self.bytes += found.nbytes if isinstance(found, xr.Dataset) else programs.nbytes(found)
        due = max(SECONDS_PER_CHUNK, AT_RISK * (time.time() - self.began))
        if time.monotonic() - self.written > due or self.bytes > BYTES_PER_CHUNK:
            self.flush()

    def flush(self, finish: bool = False) -> None:
        """Have what is waiting written aside, once the last chunk is; wait for it, to finish."""
        if self.writing is not None:
            self.writing.result()
        waiting, self.waiting = sorted(self.waiting, key=lambda each: each[0][0]), []
        self.written, self.bytes = time.monotonic(), 0
        self.writing = self.aside.submit(self.write, waiting) if waiting else None
        if finish and self.writing is not None:
            self.writing.result()

    def write(self, waiting: list[tuple[np.ndarray, Any]]) -> None:
        """One chunk."""
        numbers, found = zip(*waiting, strict=True)
        part = (
            results.stacked(found)
            if isinstance(found[0], xr.Dataset)
            else gathered(self.plan, waiting)
        )
        chunks.write_chunk(self.folder, part, self.source)
        self.stored += sum(map(len, numbers))
        for each, _ in waiting:
            held.release(self.folder, which(self.plan, each))

    def hold(self, batch: Batch) -> None:
        """Keep a batch on its way."""
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(batch.carry)]
        held.hold(self.folder, self.source, which(self.plan, batch.trainings), batch.begin, leaves)

    def tell(self, share: float) -> None:
        """Write for `status`, every few seconds, how far it is."""
        if time.time() - self.told > 5:
            self.told = time.time()
            found: dict[str, Any] = {
                "began": self.began,
                "now": self.told,
                "share": share,
                "missing": self.total,
            }
            found |= {"done": self.done, "diverged": self.diverged, "command": sys.argv}
            folders.write(self.folder / "progress.json", json.dumps(found).encode())

    def said(self) -> str:
        """How far it is, for people."""
        return f"{self.done:,} of {plural(self.total, 'training')}, {self.diverged:,} diverged"


def gathered(plan: Plan, found: list[tuple[np.ndarray, Trace]]) -> xr.Dataset:
    """`results.part` of several blocks."""
    numbers, traces = zip(*found, strict=True)
    return results.part(
        plan, np.concatenate(numbers), jax.tree.map(lambda *parts: np.concatenate(parts), *traces)
    )


def which(plan: Plan, trainings: np.ndarray) -> np.ndarray:
    """`chunks.rows` of some trainings."""
    cell, row = np.divmod(trainings, len(plan.streams))
    given = jax.tree.leaves(plan.init_params)
    start = row % len(plan.seeds) % (len(given[0]) if given else 1)
    return chunks.rows(plan.numbers[cell], plan.streams[row], start)


def missing(plan: Plan, folder: Path, wanted: np.ndarray | None = None) -> np.ndarray:
    """Numbers of the trainings that the folder does not have; of those that are wanted, if not all
    are.
    """
    done, every = chunks.done(folder), np.arange(plan.trainings)
    left = every[~np.isin(which(plan, every), done)] if len(done) else every
    return left if wanted is None else np.intersect1d(left, wanted)


def is_only_read(
    folder: Path, plan: Plan, head: folders.Head, accept: bool, wanted: np.ndarray | None = None
) -> bool:
    """Whether the folder may not be written to, and need not be: all that is asked for is in it.

    Raises:
        ValueError: it holds other trainings. PermissionError: trainings are missing.
    """
    if folders.is_writable(folder):
        return False
    name = provenance.identity(provenance.common(head.source))[:16]
    folders.check(folder, folders.read_sweep(folder), name, head, accept)
    if count := len(missing(plan, folder, wanted)):
        raise PermissionError(
            f"{folder} may not be written to, and lacks {count:,} of {plural(plan.trainings, 'training')}: change its "
            "permissions, or copy it to where you may write"
        )
    return True


@contextmanager
def said_if_it_ends(folder: Path, writer: Writer) -> Iterator[None]:
    """Write what is finished whatever happens, and say how to go on."""
    try:
        yield
        writer.flush(finish=True)
    except BaseException as error:
        how = (
            "interrupted"
            if isinstance(error, KeyboardInterrupt)
            else f"ended by {type(error).__name__}"
        )
        try:
            writer.flush(finish=True)
        except Exception as again:
            print(f"could not write to {folder}: {again}", file=sys.stderr)
        left = f"{writer.stored:,} of {plural(writer.total, 'training')} stored"
        print(f"{how}: {left}; the same command goes on with {folder}", file=sys.stderr, flush=True)
        raise
    finally:
        writer.aside.shutdown()


def say_there(folder: Path, plan: Plan, progress: bool, label: str | None) -> None:
    """Say that nothing is to be done."""
    if progress:
        text = f"all {plural(plan.trainings, 'training')} are in {folder}"
        print(f"{label}: {text}" if label is not None else text, file=sys.stderr, flush=True)


def run_here(
    folder: Path,
    plan: Plan,
    ready: Ready,
    workers: list,
    segment: int | None,
    progress: bool,
    label: str | None,
    accept: bool,
    wanted: np.ndarray | None = None,
) -> None:
    """Compute what the folder lacks of a plan, or of those of its trainings that are wanted, on
    this machine.
    """
    block = ready.programs[workers[0]]
    with folders.locked(folder):
        about = head(plan, ready, block)
        if is_only_read(folder, plan, about, accept, wanted):
            return say_there(folder, plan, progress and wanted is None, label)
        source = folders.begin(folder, about, accept, label, selective=wanted is not None)
        todo = missing(plan, folder, wanted)
        batches = [*resumed(folder, source, plan, block, todo)]
        if not len(todo):
            # If somebody deleted a damaged one
            folders.write_files(folder, source, files(plan, block))
            return say_there(folder, plan, progress and wanted is None, label)
        writer = Writer(folder, source, plan, len(todo))
        todo = np.setdiff1d(
            todo, [n for batch in batches for n in batch.trainings], assume_unique=True
        )
        batches += [Batch(each) for each in plans.blocks_of(plan, todo)]
        workers = workers[: len(batches)]
        with said_if_it_ends(folder, writer), ThreadPoolExecutor(1) as aside:
            batches[0], cost = pilot(plan, block, workers[0], batches[0])
            if progress:
                announce(label, plan, writer.total, ready, workers, cost)
            # While blocks are computed
            export_ = aside.submit(folders.write_files, folder, source, files(plan, block))
            total = len(batches) * plan.lanes * plan.recipe.steps
            with bar(total, progress, writer.said) as show:

                def tell(steps: int) -> None:
                    show(steps)
                    writer.tell(steps / total)

                drive(
                    plan,
                    ready.programs,
                    workers,
                    batches,
                    writer.add,
                    cost,
                    segment,
                    tell,
                    writer.hold,
                )
            export_.result()


def resumed(
    folder: Path, source: str, plan: Plan, block: Block, todo: np.ndarray
) -> Iterator[Batch]:
    """Blocks that an earlier run held on their way, if all of it is asked for; finished ones are
    released.
    """
    number: dict[bytes, int] = {}
    tree, like = jax.tree.structure(block.carry), jax.tree.leaves(block.carry)
    for rows, begin, leaves in held.held(folder, source):
        number = number or dict(zip(which(plan, todo).tolist(), todo.tolist(), strict=True))
        trainings = [number.pop(row, -1) for row in rows.tolist()]
        fits = [(leaf.shape, leaf.dtype) for leaf in leaves] == [
            (leaf.shape, leaf.dtype) for leaf in like
        ]
        # It ended before it could release them
        if max(trainings) < 0 and np.isin(rows, chunks.done(folder)).all():
            held.release(folder, rows)
        elif fits and min(trainings) >= 0:
            yield Batch(np.array(trainings), jax.tree.unflatten(tree, leaves), begin)
