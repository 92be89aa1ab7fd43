"""Maps with few trainings: pixels where the rate changes, seeds where it is undecided."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Array, Key
from scipy.interpolate import griddata

from approx import stats
from approx.disk import chunks, folders, writer
from approx.sweep import plans, provenance, results
from approx.sweep.devices import find_workers
from approx.sweep.plans import Plan, x64
from approx.sweep.programs import compile_plan
from approx.tasks import Task
from approx.training.recipes import Recipe, is_whole, record_steps

PLAIN: dict[str, Any] = {
    "lanes": None,
    "form": None,
    "freeze": (),
    "cross": {},
    "init_params": None,
}
CHANGE = 0.1  # between the corners of a square, above which its inside is looked at


def axis(low: float, high: float, count: int, log: bool = True) -> np.ndarray:
    """Evenly spaced values of a map's axis, by their logarithm or as they are, to as few digits as
    tell them apart.

    Raises:
        ValueError: fewer than two values, or more than a sweep takes; low is not below high; a
            logarithm of what is not positive.
    """
    if not (is_whole(count) and count >= 2):
        raise ValueError(f"an axis of {count!r} values: it takes at least two")
    if count > plans.MOST_VALUES:
        raise ValueError(
            f"an axis of {count:,} values: a sweep takes at most {plans.MOST_VALUES:,} of each"
        )
    if not low < high:
        raise ValueError(f"an axis from {low:g} to {high:g}: the first must be below the second")
    if log and low <= 0:
        raise ValueError(f"an axis from {low:g} has no logarithm there: log=False")
    values = np.geomspace(low, high, count) if log else np.linspace(low, high, count)
    gap = np.diff(values).min() / np.abs(values).max()
    digits = max(6, int(np.ceil(-np.log10(gap))) + 2)
    return np.array([float(f"{value:.{digits}g}") for value in values])


def zoom(
    axes: Mapping[str, Sequence[float] | np.ndarray], window: Mapping[str, tuple[float, float]]
) -> dict[str, Any]:
    """The axes of a map's window: as many values, spaced the same way, between the ends that are
    given.

    Args:
        axes: of the map, by name.
        window: the ends, by name; axes that are left out stay.

    Raises:
        ValueError: an axis that the map has not; see `axis`.
    """
    if strange := [name for name in window if name not in axes]:
        raise ValueError(f"{strange[0]!r} is no axis of this map; it has {', '.join(axes)}")
    values = {name: np.asarray(axes[name]) for name in axes}
    for name, (low, _) in window.items():
        if low <= 0 and values[name].min() > 0:
            raise ValueError(f"{name} is positive in this map, and its window begins at {low:g}")
    log = {name: stats.maps.spaced_by_logarithm(values[name].astype(float)) for name in axes}
    return {
        name: axis(*window[name], len(values[name]), log[name]) if name in window else values[name]
        for name in axes
    }


def zooms(
    maps: Mapping[str, Mapping[str, Sequence[float] | np.ndarray]],
    window: Mapping[str, tuple[float, float]] | None,
) -> dict[str, dict[str, Any]]:
    """Of several maps those that have all the window's axes, zoomed into; without a window all of
    them as they are.

    Raises:
        ValueError: none of them has; see `zoom`.
    """
    window = window or {}
    found = {
        name: zoom(axes, window) for name, axes in maps.items() if window.keys() <= axes.keys()
    }
    if not found:
        there = "; ".join(dict.fromkeys(", ".join(axes) for axes in maps.values() if axes))
        raise ValueError(f"no map has {' and '.join(window)} as axes; there are {there}")
    return found


def refine(
    task: Task,
    recipe: Recipe,
    success: Mapping[str, Any],
    *,
    budget: int,
    seeds: int = 64,
    first: int = 8,
    coarse: int = 8,
    out: str | Path | None = None,
    level: float = 0.95,
    key: Key[Array, ""] | int = 0,
    progress: bool = True,
    compiler_options: Mapping[str, Any] | None = None,
    **grid: Any,
) -> xr.Dataset:
    """Rates of success over a grid, from at most `budget` trainings: a coarse map, finer where it
    changes.

    Every cell of a lattice of each `coarse`-th value gets `first` seeds. Then the lattice is
    halved, again and again; a new cell is looked at where of the corners around it one had both
    successes and failures, or their rates (Jeffreys estimates) differ by more than `CHANGE`. What
    is left of the budget goes, `first` seeds at a time and `seeds` at most, to where it takes most
    off the variance of the estimates, p (1 - p) / n.

    How many seeds a cell gets depends on what the first ones did, so its interval is
    `stats.confidence_sequence`, which holds for any such rule. Seeds are taken in their order, and
    a training's bits are those that `run` gives it.

    Args:
        task, recipe: what to train; numbers in `grid` replace theirs, as in `run`.
        success: of the arguments of `stats.success` a number, `below` or `above`, and `of`:
            {"below": 1e-3}.
        budget: trainings in all.
        seeds: of a cell, at most.
        first: seeds of a cell, at least, and at a time.
        coarse: distance of the first lattice, a power of two.
        out: a folder, as in `run`, in which an interrupted map goes on and a full `run` finds what
            is done; without it a temporary one, which stays if the map is interrupted, and is
            named.
        level: of the intervals.
        key: the root of all randomness, as in `run`.
        progress: whether to say how far it is.
        compiler_options: as in `run`.
        grid: two or more numbers, each with its values in increasing order.

    Returns:
        Over the grid: `successes`, `n`, `diverged` (counts), `rate`, `low`, `high` (nan, 0 and 1
        where n is 0), and `filled`, the rate with cells that were not looked at interpolated.
        `attrs`: `trainings` that were made, and `full`, how many the whole map takes.

    Raises:
        ValueError: fewer than two axes, or values of one; values that repeat or are not in order,
            or do in the recipe's precision; a budget too small for the first lattice; what is no
            success; what `run` refuses.
    """
    axes = [name for name, values in grid.items() if np.ndim(values) == 1]
    if len(axes) < 2 or len(axes) < len(grid):
        raise ValueError(
            f"a map has two axes or more, lists of values each; got {', '.join(axes) or 'none'}"
        )
    for name, values in grid.items():
        stats.maps.check_axis(name, np.asarray(values, float))
    for name, value in (("budget", budget), ("seeds", seeds), ("first", first), ("coarse", coarse)):
        if not (is_whole(value) and value >= 1):
            raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1")
    if coarse & (coarse - 1):
        raise ValueError(f"coarse is {coarse}; it must be a power of two, as it is halved")
    if thin := [name for name, values in grid.items() if len(values) < 2]:
        raise ValueError(
            f"{thin[0]} has one value: set it in the recipe or the task, and map the others"
        )
    budget, seeds, first, coarse = (int(value) for value in (budget, seeds, first, coarse))
    success = check_success(success)
    keeping = plans.check_keep((), (), None)
    plan = plans.make_plan(task, recipe, keep=keeping, seeds=seeds, key=key, grid=grid, **PLAIN)
    with folder_of(out) as folder:
        found = Search(plan, success, folder, compiler_options, progress)
        found.go(budget, min(first, seeds), coarse)
        return found.result(
            level, {"budget": budget, "first": first, "coarse": coarse, "success": {**success}}
        )


@contextmanager
def folder_of(out: str | Path | None) -> Iterator[Path]:
    """The folder that was given, or a temporary one that stays where an interruption leaves chunks
    in it.
    """
    if out is not None:
        yield Path(out)
        return
    folder = Path(tempfile.mkdtemp(prefix="approx_map_"))
    try:
        yield folder
    except BaseException:
        if chunks.paths(folder):
            print(
                f"refine(..., out={str(folder)!r}) goes on from there", file=sys.stderr, flush=True
            )
        else:
            shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def check_success(success: Mapping[str, Any]) -> dict[str, Any]:
    """The rule of success as plain numbers and text.

    Raises:
        ValueError: not exactly one threshold, one that is no number, or another argument.
    """
    rule = dict(success)
    thresholds = [name for name in ("below", "above") if rule.get(name) is not None]
    if len(thresholds) != 1 or rule.keys() - {"below", "above", "of"}:
        raise ValueError(
            f"success is {rule}; it is one of below and above, and of: {{'below': 1e-3, 'of': 'test_loss'}}"
        )
    (name,) = thresholds
    if np.ndim(rule[name]) or not np.isfinite(float(rule[name])):
        raise ValueError(
            f"{name} is {rule[name]!r}; a refined map takes one number for all its cells"
        )
    return {name: float(rule[name]), "of": str(rule.get("of", "test_loss"))}


class Search:
    """A map on its way: what has come out so far, and how to have more.

    Attributes:
        plan: of the whole map. shape: of its cells. asked: how many seeds each cell has got.
        outcome, blown: of each training, whether it succeeded (-1 if it was not made) and whether
            it diverged.
    """

    def __init__(
        self, plan: Plan, success: Mapping[str, Any], folder: Path, compiler_options, progress: bool
    ):
        self.plan, self.success, self.folder, self.progress = plan, success, folder, progress
        self.workers = find_workers(None)
        self.ready = compile_plan(plan, self.workers, compiler_options)
        self.shape = tuple(len(values) for values in plan.grid.values())
        self.seeds = len(plan.streams)
        every = writer.which(plan, np.arange(plan.trainings)).tolist()
        self.number = dict(zip(every, range(plan.trainings), strict=True))
        if len(self.number) < plan.trainings:
            raise ValueError(
                f"two values of an axis are one in {plan.recipe.dtype}: take them further apart"
            )
        trace = self.ready.programs[self.workers[0]].carry[1]
        there = [
            name
            for name in (*results.NAMES, *trace.metrics, *trace.reports)
            if getattr(trace, name, name) is not None
        ]
        if success["of"] not in there:
            raise ValueError(f"success is of {success['of']!r}; recorded are {', '.join(there)}")
        self.read: set[Path] = set()
        self.outcome = np.full(plan.trainings, -1, np.int8)  # 1 success, 0 failure, -1 not known
        self.blown = np.zeros(plan.trainings, bool)
        self.asked = np.zeros(self.shape, int)

    def go(self, budget: int, first: int, coarse: int) -> None:
        """Spend the budget."""
        lattice = self.lattice(coarse)
        if lattice.sum() * first > budget:
            raise ValueError(
                f"a budget of {budget:,} does not give the {lattice.sum():,} cells of the first lattice {first} seeds "
                f"each: a larger budget, fewer `first` seeds, or `coarse` above {coarse}"
            )
        self.ask(np.where(lattice, first, 0))
        while coarse > 1:
            wanted = self.lattice(coarse // 2) & (self.asked == 0) & self.changes(coarse)
            coarse //= 2
            afford = (budget - self.asked.sum()) // first
            if wanted.sum() > afford:  # those where it changes most
                height = np.where(wanted, self.steepness(2 * coarse), -1.0).ravel()
                wanted = np.zeros(self.shape, bool)
                wanted.flat[np.argsort(-height, kind="stable")[:afford]] = True
            self.ask(np.where(wanted, first, 0))
        while (more := self.sharpen(budget, first)).any():
            self.ask(more)

    def lattice(self, distance: int) -> np.ndarray:
        """Which cells are on it: every so many along each axis, and the last ones."""
        on = [np.isin(np.arange(m), [*range(0, m, distance), m - 1]) for m in self.shape]
        return np.logical_and.reduce(np.meshgrid(*on, indexing="ij"))

    def estimate(self) -> np.ndarray:
        """Jeffreys' estimate of each cell's rate, nan where nothing was asked."""
        return np.where(self.asked > 0, (self.hits + 0.5) / (self.asked + 1), np.nan)

    def corners(self, distance: int, value: np.ndarray) -> Iterator[np.ndarray]:
        """For each corner of the lattice's box around a cell, the value there."""
        ends = []
        for m in self.shape:
            places = np.array([*range(0, m, distance), *([m - 1] if (m - 1) % distance else [])])
            below = places[np.searchsorted(places, np.arange(m), "right") - 1]
            above = places[
                np.minimum(np.searchsorted(places, np.arange(m), "left"), len(places) - 1)
            ]
            ends.append((below, above))
        for chosen in product((0, 1), repeat=len(self.shape)):
            yield value[np.ix_(*(pair[side] for pair, side in zip(ends, chosen, strict=True)))]

    def steepness(self, distance: int) -> np.ndarray:
        """How much the corners around each cell differ; corners that were not looked at are like
        the others.
        """
        around = np.stack([*self.corners(distance, self.estimate())])
        known = ~np.isnan(around).all(0)
        found = np.zeros(self.shape)
        found[known] = np.nanmax(around[:, known], 0) - np.nanmin(around[:, known], 0)
        return found

    def changes(self, distance: int) -> np.ndarray:
        """Which cells are worth a look: what is around them differs, or had both successes and
        failures.
        """
        mixed = (self.hits > 0) & (self.hits < self.asked)
        around = np.stack([*self.corners(distance, mixed)])
        return (around == 1).any(0) | (self.steepness(distance) > CHANGE)

    def sharpen(self, budget: int, first: int) -> np.ndarray:
        """Who gets how many of the next seeds: a third of what is left at a time, by the variance
        they take off.
        """
        left = budget - int(self.asked.sum())
        helping = np.minimum(first, self.seeds - self.asked)
        open_ = (self.asked > 0) & (helping > 0)
        p = np.nan_to_num(self.estimate())
        n = np.maximum(self.asked, 1)
        gain = np.where(open_, p * (1 - p) * (1 / n - 1 / (n + helping)), -1.0).ravel()
        many = left // first // 3 if left > budget / 20 else left // first
        many = min(max(many, left >= first), int(open_.sum()))
        chosen = np.argsort(-gain, kind="stable")[:many]
        more = np.zeros(self.shape, int)
        more.flat[chosen] = helping.flat[chosen]
        return more

    def ask(self, more: np.ndarray) -> None:
        """Have so many more seeds of each cell, those that the folder lacks trained."""
        if not more.any():
            return
        cells = np.flatnonzero(more)
        begin, count = self.asked.ravel()[cells], more.ravel()[cells]
        each = zip(cells, begin, count, strict=True)
        wanted = np.concatenate([c * self.seeds + b + np.arange(n) for c, b, n in each])
        self.asked += more
        with x64(self.plan.recipe):
            writer.run_here(
                self.folder,
                self.plan,
                self.ready,
                self.workers,
                None,
                self.progress,
                None,
                accept=False,
                wanted=wanted,
            )
        self.look()

    def look(self) -> None:
        """Read the chunks that are new."""
        sources = folders.read_sweep(self.folder)["sources"]
        for path in [path for path in chunks.paths(self.folder) if path not in self.read]:
            part = chunks.read_chunk(path, sources)
            rows = chunks.rows(*(part[name].values for name in chunks.INPUTS))
            at = np.array([self.number.get(row, -1) for row in rows.tolist()])
            judged = part[[self.success["of"]]].rename(training="seed")
            judged = judged.assign_coords(step=record_steps(self.plan.recipe))
            hit = stats.reading(stats.success(judged, **self.success)).values
            self.outcome[at[at >= 0]] = hit[at >= 0]
            self.blown[at[at >= 0]] = ~np.isfinite(part.loss.isel(step=-1).values)[at >= 0]
            self.read.add(path)

    def counted(self, of: np.ndarray) -> np.ndarray:
        """How many of each cell's asked seeds."""
        mine = np.arange(self.seeds) < self.asked.reshape(-1, 1)
        return (of.reshape(-1, self.seeds) & mine).sum(1).reshape(self.shape)

    @property
    def hits(self) -> np.ndarray:
        """Successes of each cell."""
        return self.counted(self.outcome == 1)

    def result(self, level: float, rule: Mapping[str, Any]) -> xr.Dataset:
        """The map."""
        names, k, n = list(self.plan.grid), self.hits, self.asked
        rate = np.where(n > 0, k / np.maximum(n, 1), np.nan)
        # Which decides a cell of 8 unanimous seeds
        low, high = stats.confidence_sequence(k, n, level, width=0.4)
        places = np.stack(
            np.meshgrid(*(np.linspace(0, 1, max(m, 2))[:m] for m in self.shape), indexing="ij"), -1
        )
        known = n > 0
        linear, nearest = (
            griddata(places[known], rate[known], places, how) for how in ("linear", "nearest")
        )
        filled = np.where(known, rate, np.where(np.isnan(linear), nearest, linear))
        values = {
            "successes": k,
            "n": n,
            "diverged": self.counted(self.blown),
            "rate": rate,
            "low": low,
            "high": high,
        }
        source = provenance.provenance(self.plan, self.ready.programs[self.workers[0]]) | {
            "refined": dict(rule)
        }
        about = {
            "identity": provenance.identity(source),
            "level": level,
            "trainings": int(n.sum()),
            "full": self.plan.trainings,
        }
        return xr.Dataset(
            {name: (names, value) for name, value in (values | {"filled": filled}).items()},
            {name: np.asarray(values) for name, values in self.plan.grid.items()},
            about,
        )
