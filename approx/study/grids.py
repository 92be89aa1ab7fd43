"""`Map`: success over two numbers, declared; and the script that trains several maps."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from approx import maps
from approx.changes.alterations import altered
from approx.disk.saved import load, save
from approx.runs import run
from approx.stats.maps import highest
from approx.stats.rates import rate, success
from approx.study.map_rates import save_rates
from approx.tasks import Task
from approx.training.recipes import Recipe


class Axis(NamedTuple):
    """A swept number of a map, and the values that it takes.

    Attributes:
        low: the first value.
        high: the last value.
        log: whether the values' logarithms are evenly spaced, or they themselves.
        number: the full name of the number in the sweep, such as "task.scale"; "" is the name that
            the axis has in the map.
        share: how many values it has, as a share of the map's `points`.
    """

    low: float
    high: float
    log: bool = True
    number: str = ""
    share: float = 1.0


class Over(NamedTuple):
    """An axis of a map along which the program changes, such as a width.

    Attributes:
        name: of the axis.
        changes: {value: change of the baseline}, as a `Study` takes them.
    """

    name: str
    changes: Mapping[Any, Any]


@dataclass(frozen=True, eq=False)
class Map:
    """Success over a grid of settings: what is trained, over which numbers, and what counts.

    Attributes:
        task: what is learned.
        recipe: how it is learned.
        axes: {name: `Axis`} of the swept numbers.
        over: an axis along which the program changes (`Over`); None for none.
        below: the largest value of `of` that counts as success; or a function of the runs that
            gives one for each cell.
        above: the smallest value of `of` that counts as success.
        of: the variable that is judged.
        metrics: as `ap.run` takes them.
        points: how many values each axis has.
        seeds: how many seeds each cell has.
        quick: a change that makes trainings shorter, for a quick look.
        quick_points: how many values each axis has then.
        quick_seeds: how many seeds each cell has then.
        options: further options of `ap.run`.

    Example:
        >>> rates = {"learning_rate": study.Axis(1e-3, 10)}
        >>> units = study.Over("units", {2: {"widths": (2,)}, 8: {"widths": (8,)}})
        >>> runs = study.Map(task, recipe, axes=rates, over=units, below=0.01).run(seeds=32)
    """

    task: Task
    recipe: Recipe
    _: KW_ONLY
    axes: Mapping[str, Axis]
    over: Over | None = None
    below: float | Callable[[xr.Dataset], Any] | None = None
    above: float | None = None
    of: str = "test_loss"
    metrics: Mapping[str, Callable] | None = None
    points: int = 32
    seeds: int = 32
    quick: Mapping[str, Any] = field(default_factory=dict)
    quick_points: int = 8
    quick_seeds: int = 4
    options: Mapping[str, Any] = field(default_factory=dict)

    def grid(self, points: int | None = None) -> dict[str, np.ndarray]:
        """The values of each swept number, by the axis' name in the map."""
        count = points or self.points
        found = {}
        for name, axis in self.axes.items():
            values = max(2, int(count * axis.share))
            found[name] = maps.axis(axis.low, axis.high, values, axis.log)
        return found

    def run(
        self,
        grid: Mapping[str, Any] | None = None,
        *,
        seeds: int | None = None,
        quick: bool = False,
        progress: bool = True,
    ) -> xr.Dataset:
        """Train every setting.

        Args:
            grid: values of each axis, such as those of a window; by default `grid()`.
            seeds: of each cell; by default as declared.
            quick: whether trainings are shortened, for a look.
            progress: whether to show how far it is.

        Returns:
            What `ap.run` returns, over the map's axes.
        """
        task, recipe = self.task, self.recipe
        if quick:
            task, recipe = altered(task, recipe, self.quick, may_equal=True)
        values = self.grid() if grid is None else grid
        options: dict[str, Any] = {"keep": (), "metrics": self.metrics, "progress": progress}
        options |= self.options
        for name, each in values.items():
            options[self.axes[name].number or name] = each
        rows = recipe if self.over is None else self._recipes(task, recipe)
        runs = run(task, rows, seeds=seeds or self.seeds, **options)
        return self._named(runs)

    def _recipes(self, task: Task, recipe: Recipe) -> dict[str, tuple[Task, Recipe]]:
        """A task and a recipe for each value of the axis along which the program changes."""
        assert self.over is not None
        changes = self.over.changes.items()
        return {str(at): altered(task, recipe, change, may_equal=True) for at, change in changes}

    def _named(self, runs: xr.Dataset) -> xr.Dataset:
        """The runs with the map's own names of its axes."""
        names = {axis.number: name for name, axis in self.axes.items() if axis.number}
        if self.over is None:
            return runs.rename(names)
        runs = runs.rename(names | {"recipe": self.over.name})
        return runs.assign_coords({self.over.name: np.array(list(self.over.changes))})

    def hits(self, runs: xr.Dataset) -> xr.Dataset:
        """Which trainings of the map succeed, as `stats.success` returns it."""
        below = self.below(runs) if callable(self.below) else self.below
        return success(runs, below, self.above, self.of)

    def rates(self, runs: xr.Dataset) -> xr.Dataset:
        """The share of seeds in success in each cell, as `stats.rate` returns it."""
        return rate(self.hits(runs))


def path_of(results: Path, name: str, label: str, ending: str = "") -> Path:
    """The file of one map of a script, which is called like the map.

    Raises:
        ValueError: a label that cannot be a part of the name of a file.
    """
    if not re.fullmatch(r"[0-9A-Za-z.+=_-]+", label):
        raise ValueError(
            f"a map is called {label!r}, and its files are called like it: name it with letters, "
            "digits and the signs _ - + = . only, such as 'adam_raw'"
        )
    return results / f"{name}_{label}{ending}.nc"


def load_maps(name: str, labels: Iterable[str], results: Path) -> dict[str, xr.Dataset]:
    """The trainings of the maps of a script, by label.

    Args:
        name: of the script.
        labels: of its maps.
        results: the folder that the script wrote to.

    Raises:
        FileNotFoundError: a map that was not trained.
    """
    return {label: load(path_of(results, name, label)) for label in labels}


def train_maps(
    name: str,
    declared: Mapping[str, Map],
    results: Path,
    *,
    summaries: Path | None = None,
    points: int | None = None,
    seeds: int | None = None,
    zoom: Mapping[str, tuple[float, float]] | None = None,
    quick: bool = False,
) -> None:
    """Train the maps of a script, save each, and print where most seeds succeed.

    Args:
        name: of the script, with which the names of all files begin.
        declared: the maps by label.
        results: the folder to write to; results/quick with `quick`.
        summaries: the folder to write the rates of whole maps to, as `save_rates` does, and
            results/quick with `quick`; they are not written if it is left out.
        points: values of each axis; by default as declared.
        seeds: of each cell; by default as declared.
        zoom: a window to map at full resolution instead, such as {"learning_rate": (0.01, 0.1)}, of
            those maps that have its axes. The files end in _zoom.
        quick: a look at few values and seeds with short trainings.
    """
    if quick:
        results = results / "quick"
        results.mkdir(parents=True, exist_ok=True)
        summaries = summaries and results
    axes = {}
    for label, one in declared.items():
        axes[label] = one.grid(points or (one.quick_points if quick else one.points))
    for label, grid in maps.zooms(axes, zoom).items():
        one = declared[label]
        few = one.quick_seeds if quick else one.seeds
        ending = "_zoom" if zoom else ""
        rates_path = None
        if summaries and not zoom:
            rates_path = path_of(summaries, name, label, "_rates")
        runs_path = path_of(results, name, label, ending)
        # All that is large is forgotten before the next map is trained
        said = train_map(one, grid, seeds or few, quick, runs_path, rates_path)
        print(f"{label}: {said}", flush=True)


def train_map(
    one: Map,
    grid: Mapping[str, Any],
    seeds: int,
    quick: bool,
    runs_path: Path,
    rates_path: Path | None,
) -> str:
    """Train one map, save it, and say where most seeds succeed.

    Args:
        one: the map.
        grid: the values of its axes.
        seeds: of each cell.
        quick: whether trainings are shortened, for a look.
        runs_path: the file of its trainings.
        rates_path: the file of its rates; None for none.
    """
    began = time.perf_counter()
    runs = one.run(grid, seeds=seeds, quick=quick)
    count = runs.loss.isel(step=-1).size
    speed = count / (time.perf_counter() - began)
    runs = runs.assign_attrs(trainings_per_second=speed)
    save(runs, runs_path)
    rates = one.rates(runs)
    if rates_path:
        save_rates(rates, runs, rates_path)
    return f"{count:,} trainings, {speed:,.0f} a second; best {highest(rates)}"


def maps_script(
    name: str, declared: Mapping[str, Map], results: Path, summaries: Path | None = None
) -> Callable[..., None]:
    """The `main` of a script of maps, for `tyro.cli`.

    Args:
        name: of the script, such as "map_sine".
        declared: its maps by label.
        results: the folder that it writes to by default.
        summaries: the folder that it writes the rates to by default; it writes none if left out.

    Example:
        >>> main = study.maps_script("map_sine", MAPS, RESULTS)
    """

    def main(
        points: int | None = None,
        seeds: int | None = None,
        zoom: dict[str, tuple[float, float]] | None = None,
        results: Path = results,
        summaries: Path | None = summaries,
        quick: bool = False,
    ) -> None:
        """Train every setting of the maps, and save them.

        Args:
            points: values of each axis; by default as declared.
            seeds: of each cell; by default as declared.
            zoom: a window to map at full resolution instead, such as learning_rate 0.01 0.1, of the
                maps that have its axes; the files end in _zoom.
            results: the folder to write to.
            summaries: the folder to write the rates of whole maps to; none to write none.
            quick: a look at few values and seeds with short trainings, into results/quick.
        """
        options: dict[str, Any] = {"points": points, "seeds": seeds, "zoom": zoom, "quick": quick}
        train_maps(name, declared, results, summaries=summaries, **options)

    return main
