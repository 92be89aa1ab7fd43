"""A map of rates, refined: trainings go where the rate changes, and where it is undecided."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Array, Key

from approx import stats
from approx.disk import chunks
from approx.maps.search import Search
from approx.sweep.options import check_count
from approx.sweep.plans import make_plans
from approx.sweep.request import Request, checked
from approx.tasks import Task
from approx.training.recipes import Recipe


# 12 parameters: a public verb, whose options are those of `run` and those of the search
def refine(  # noqa: PLR0913
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
    """Rates of success over a grid, from at most `budget` trainings: finer where they change.

    Every cell of a lattice of each `coarse`-th value gets `first` seeds. Then the lattice is
    halved, again and again. A new cell is looked at if a corner around it had both successes and
    failures, or if the rates of the corners (Jeffreys estimates) differ by more than
    `search.CHANGE`. What is left of the budget goes, `first` seeds at a time and `seeds` at most,
    to the cells where it takes most off the variance of the estimates, p (1 - p) / n.

    How many seeds a cell gets depends on what the first ones did, so its interval is
    `stats.confidence_sequence`, which holds for any such rule. Seeds are taken in their order, and
    a training's bits are those that `run` gives it.

    Args:
        task: what to learn. recipe: how. Numbers in `grid` replace theirs, as in `run`.
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
        `attrs`: `trainings`, how many were made, and `full`, how many the whole map takes.

    Raises:
        ValueError: fewer than two axes, or fewer than two values of one; values that are not in
            order, or that repeat, in the recipe's precision too; a budget too small for the first
            lattice; what is no success; what `run` refuses.

    Example:
        >>> grid = {"learning_rate": ap.maps.axis(0.01, 1, 9), "init_scale": ap.maps.axis(1, 9, 9)}
        >>> found = ap.maps.refine(task, recipe, {"below": 1e-2}, budget=400, seeds=16, **grid)

    """
    check_axes(grid)
    sizes = {"budget": budget, "seeds": seeds, "first": first, "coarse": coarse}
    for name, value in sizes.items():
        check_size(name, value)
    if coarse & (coarse - 1):
        raise ValueError(f"coarse is {coarse}; it must be a power of two, as it is halved")
    success = check_success(success)
    request = checked(
        Request(
            task=task,
            recipe=recipe,
            seeds=int(seeds),
            key=key,
            keep=(),
            compiler_options=compiler_options,
            progress=progress,
            grid=grid,
        )
    )
    (plan,) = make_plans(request)
    with folder_of(out) as folder:
        found = Search(request, plan, success, folder)
        found.go(int(budget), min(int(first), int(seeds)), int(coarse))
        rule = {"budget": int(budget), "first": int(first), "coarse": int(coarse)}
        return found.result(level, rule | {"success": {**success}})


def check_axes(grid: Mapping[str, Any]) -> None:
    """Refuse axes that make no map: too few, too short, or not in increasing order."""
    axes = [name for name, values in grid.items() if np.ndim(values) == 1]
    if len(axes) < 2 or len(axes) < len(grid):
        raise ValueError(
            f"a map has two axes or more, lists of values each; got {', '.join(axes) or 'none'}"
        )
    for name, values in grid.items():
        stats.maps.check_axis(name, np.asarray(values, float))
        if len(values) < 2:
            raise ValueError(
                f"{name} has one value: set it in the recipe or the task, and map the others"
            )


def check_size(name: str, value: Any) -> None:
    """Refuse a number of trainings, seeds or cells that is not at least 1."""
    if value is None:
        raise ValueError(f"{name} is None; it must be a whole number of at least 1")
    check_count(name, value)


@contextmanager
def folder_of(out: str | Path | None) -> Iterator[Path]:
    """The folder that was given, or a temporary one.

    The temporary one is removed at the end. If an interruption leaves chunks in it, it stays, and
    is named.
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
            f"success is {rule}; it is one of below and above, and of: "
            "{'below': 1e-3, 'of': 'test_loss'}"
        )
    (name,) = thresholds
    if np.ndim(rule[name]) or not np.isfinite(float(rule[name])):
        raise ValueError(
            f"{name} is {rule[name]!r}; a refined map takes one number for all its cells"
        )
    return {name: float(rule[name]), "of": str(rule.get("of", "test_loss"))}
