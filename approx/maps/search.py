"""The search for the cells of a map that are worth a look, and for those worth more seeds."""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import xarray as xr

from approx import stats
from approx.disk import chunks, description, writer
from approx.sweep import provenance, results
from approx.sweep.devices import find_workers
from approx.sweep.plans import Plan
from approx.sweep.programs import compile_plan
from approx.sweep.request import Request

CHANGE = 0.1  # between the corners of a square, above which its inside is looked at
SUCCESS, FAILURE, UNKNOWN = 1, 0, -1


class Search:
    """A map on its way: what has come out so far, and how to have more.

    Attributes:
        request: what the map is made from. plan: of all its trainings. ready: its compiled block.
        success: the rule of success. folder: where trainings are stored.
        shape: of the map's cells. seeds: of a cell, at most.
        asked: how many seeds each cell has got.
        outcome: of each training, `SUCCESS`, `FAILURE`, or `UNKNOWN` as it was not made.
        diverged: which trainings ended without a finite loss.
        number: of each training, by its `chunks.rows`.
        read: the chunks that have been read.

    """

    def __init__(self, request: Request, plan: Plan, success: Mapping[str, Any], folder: Path):
        self.request = request
        self.plan = plan
        self.success = success
        self.folder = folder
        self.ready = compile_plan(plan, find_workers(None), request.compiler_options)
        self.shape = tuple(len(values) for values in plan.grid.values())
        self.seeds = len(plan.streams)
        rows = writer.which(plan, np.arange(plan.trainings)).tolist()
        self.number = {row: number for number, row in enumerate(rows)}
        if len(self.number) < plan.trainings:
            raise ValueError(
                f"two values of an axis are one in {plan.recipe.dtype}: take them further apart"
            )
        self.check_recorded(success["of"])
        self.read: set[Path] = set()
        self.outcome = np.full(plan.trainings, UNKNOWN, np.int8)
        self.diverged = np.zeros(plan.trainings, bool)
        self.asked = np.zeros(self.shape, int)

    def check_recorded(self, name: str) -> None:
        """Refuse a success of what is not recorded."""
        trace = self.ready.block.carry[1]
        there = [each for each in results.NAMES if getattr(trace, each) is not None]
        there += [*trace.metrics, *trace.reports]
        if name not in there:
            raise ValueError(f"success is of {name!r}; recorded are {', '.join(there)}")

    def go(self, budget: int, first: int, coarse: int) -> None:
        """Spend the budget.

        Args:
            budget: trainings in all.
            first: seeds of a cell, at least, and at a time.
            coarse: distance of the first lattice's cells, a power of two.

        """
        lattice = self.lattice(coarse)
        if lattice.sum() * first > budget:
            raise ValueError(
                f"a budget of {budget:,} does not give the {lattice.sum():,} cells of the first "
                f"lattice {first} seeds each: a larger budget, fewer `first` seeds, or `coarse` "
                f"above {coarse}"
            )
        self.ask(np.where(lattice, first, 0))
        while coarse > 1:
            wanted = self.lattice(coarse // 2) & (self.asked == 0) & self.changes(coarse)
            afford = (budget - self.asked.sum()) // first
            if wanted.sum() > afford:
                wanted = self.steepest(wanted, coarse, afford)
            coarse //= 2
            self.ask(np.where(wanted, first, 0))
        while (more := self.sharpen(budget, first)).any():
            self.ask(more)

    # ---- which cells ---------------------------------------------------------------------------

    def lattice(self, distance: int) -> np.ndarray:
        """Which cells are on it: every so many along each axis, and the last ones."""
        found = np.zeros(self.shape, bool)
        found[np.ix_(*(places_of(length, distance) for length in self.shape))] = True
        return found

    def estimate(self) -> np.ndarray:
        """Jeffreys' estimate of each cell's rate, nan where nothing was asked."""
        return np.where(self.asked > 0, (self.hits + 0.5) / (self.asked + 1), np.nan)

    def corners(self, distance: int, value: np.ndarray) -> Iterator[np.ndarray]:
        """For each corner of the lattice's box around a cell, the value there."""
        ends = [neighbours(length, distance) for length in self.shape]
        for corner in product(*ends):
            yield value[np.ix_(*corner)]

    def steepness(self, distance: int) -> np.ndarray:
        """How much the rates of the corners around each cell differ.

        A corner that was not looked at is taken to be like the others.
        """
        around = np.stack([*self.corners(distance, self.estimate())])
        known = ~np.isnan(around).all(0)
        some = around[:, known]
        found = np.zeros(self.shape)
        found[known] = np.nanmax(some, 0) - np.nanmin(some, 0)
        return found

    def steepest(self, among: np.ndarray, distance: int, count: int) -> np.ndarray:
        """Those of some cells around which the rate changes most, at most so many."""
        height = np.where(among, self.steepness(distance), -1.0).ravel()
        chosen = np.zeros(self.shape, bool)
        chosen.flat[np.argsort(-height, kind="stable")[:count]] = True
        return chosen

    def changes(self, distance: int) -> np.ndarray:
        """Which cells are worth a look.

        The rates around them differ, or a corner had both successes and failures.
        """
        hits = self.hits
        mixed = (hits > 0) & (hits < self.asked)
        around = np.stack([*self.corners(distance, mixed)])
        return (around == 1).any(0) | (self.steepness(distance) > CHANGE)

    def sharpen(self, budget: int, first: int) -> np.ndarray:
        """How many of the next seeds each cell gets.

        They go to the cells where they take most off the variance, with a third of what is left at
        a time, and with all of it at the end.
        """
        left = budget - int(self.asked.sum())
        helping = np.minimum(first, self.seeds - self.asked)
        can_grow = (self.asked > 0) & (helping > 0)
        many = left // first
        if left > budget / 20:
            many //= 3
        many = max(many, left >= first)
        many = min(many, int(can_grow.sum()))
        gain = np.where(can_grow, self.gain(helping), -1.0)
        chosen = np.argsort(-gain.ravel(), kind="stable")[:many]
        more = np.zeros(self.shape, int)
        more.flat[chosen] = helping.flat[chosen]
        return more

    def gain(self, helping: np.ndarray) -> np.ndarray:
        """How much so many more seeds take off each estimate's variance, p (1 - p) / n."""
        p = np.nan_to_num(self.estimate())
        n = np.maximum(self.asked, 1)
        return p * (1 - p) * (1 / n - 1 / (n + helping))

    # ---- trainings -----------------------------------------------------------------------------

    def ask(self, more: np.ndarray) -> None:
        """Have so many more seeds of each cell, those that the folder lacks trained."""
        if not more.any():
            return
        wanted = []
        for cell in np.flatnonzero(more):
            begin = cell * self.seeds + self.asked.flat[cell]
            wanted.append(np.arange(begin, begin + more.flat[cell]))
        self.asked += more
        engine = writer.Here(self.plan, self.ready, self.request)
        writer.fill(self.folder, engine, self.request, np.concatenate(wanted))
        self.look()

    def look(self) -> None:
        """Read the chunks that are new."""
        sources = description.read_sweep(self.folder)["sources"]
        for path in chunks.paths(self.folder):
            if path not in self.read:
                self.read_part(chunks.read_chunk(path, sources))
                self.read.add(path)

    def read_part(self, part: xr.Dataset) -> None:
        """Take down how the trainings of a chunk ended, those that are of this map."""
        rows = chunks.rows_of(part).tolist()
        at = np.array([self.number.get(row, -1) for row in rows])
        mine = at >= 0
        judged = part[[self.success["of"]]]
        judged = judged.rename(training="seed")
        judged = judged.assign_coords(step=self.plan.facts.recorded)
        hits = stats.success(judged, **self.success)
        hit = stats.reading(hits).values
        last_loss = part.loss.isel(step=-1).values
        self.outcome[at[mine]] = hit[mine]
        self.diverged[at[mine]] = ~np.isfinite(last_loss[mine])

    def counted(self, of: np.ndarray) -> np.ndarray:
        """How many of each cell's asked seeds."""
        mine = np.arange(self.seeds) < self.asked.reshape(-1, 1)
        return (of.reshape(-1, self.seeds) & mine).sum(1).reshape(self.shape)

    @property
    def hits(self) -> np.ndarray:
        """Successes of each cell."""
        return self.counted(self.outcome == SUCCESS)

    # ---- the map -------------------------------------------------------------------------------

    def result(self, level: float, rule: Mapping[str, Any]) -> xr.Dataset:
        """The map.

        Args:
            level: of the intervals.
            rule: by which the trainings were chosen, for the provenance.

        """
        k = self.hits
        n = self.asked
        rate = np.where(n > 0, k / np.maximum(n, 1), np.nan)
        # The width decides a cell of 8 unanimous seeds
        low, high = stats.confidence_sequence(k, n, level, width=0.4)
        values = {
            "successes": k,
            "n": n,
            "diverged": self.counted(self.diverged),
            "rate": rate,
            "low": low,
            "high": high,
            "filled": filled(rate, n > 0),
        }
        source = provenance.provenance(self.plan, self.ready.block) | {"refined": dict(rule)}
        about = {
            "fingerprint": provenance.fingerprint(source),
            "identity": provenance.fingerprint(source),
            "level": level,
            "trainings": int(n.sum()),
            "full": self.plan.trainings,
        }
        axes = list(self.plan.grid)
        on_axes = {name: (axes, value) for name, value in values.items()}
        return xr.Dataset(on_axes, self.plan.grid, about)


def places_of(length: int, distance: int) -> np.ndarray:
    """The lattice's places on an axis: every so many, and the last one."""
    return np.unique([*range(0, length, distance), length - 1])


def neighbours(length: int, distance: int) -> tuple[np.ndarray, np.ndarray]:
    """For each place on an axis, the nearest lattice places at or below it, and at or above it.

    Args:
        length: of the axis. distance: between the lattice's places; the last place is one too.

    """
    on = places_of(length, distance)
    every = np.arange(length)
    below = on[np.searchsorted(on, every, "right") - 1]
    above = on[np.searchsorted(on, every, "left")]
    return below, above


def filled(rate: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Rates with cells that are not known interpolated, linearly if there are known ones around."""
    evenly = [np.linspace(0, 1, length) for length in rate.shape]
    places = np.stack(np.meshgrid(*evenly, indexing="ij"), -1)
    there = places[known]
    linear = scipy.interpolate.griddata(there, rate[known], places, "linear")
    nearest = scipy.interpolate.griddata(there, rate[known], places, "nearest")
    guess = np.where(np.isnan(linear), nearest, linear)
    return np.where(known, rate, guess)
