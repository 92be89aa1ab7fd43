"""What fits: sizes that are refused before anything of that size is made, with a remedy."""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import psutil

from approx.sweep.facts import Facts
from approx.training.recipes import is_whole

MOST_VALUES, MOST_CELLS, MOST_LANES = 10**5, 4 * 10**6, 2**20
MANY_LANES = 2**12  # a block of fewer is done in a moment, whether it is filled or not
MOST_TRAININGS = 10**10
# Training rows; of fewer, the compiled block says exactly what memory it needs
MANY_ROWS = 10**7
# Of the tables of streams and of numbers while they are made
BYTES_PER_ROW, BYTES_PER_CELL = 70, 250


def free_memory() -> int:
    """Bytes of this machine's memory that are available."""
    return psutil.virtual_memory().available


def length_of(seeds: Any) -> int:
    """How many seeds are asked for, without making them."""
    if is_whole(seeds):
        return max(int(seeds), 1)
    return len(seeds) if hasattr(seeds, "__len__") else 1


def check_size(seeds: Any, cross: Any, grid: Mapping[str, Any], lanes: Any) -> None:
    """Refuse more trainings than can be laid out, before anything of that size is made.

    Raises:
        ValueError: an axis, a grid, a block or a sweep that is too long, with the numbers and a
            remedy.
        MemoryError: a table of trainings that does not fit.

    """
    cells = check_grid_size(grid)
    if is_whole(lanes) and lanes > MOST_LANES:
        raise ValueError(f"lanes is {lanes:,}; at most {MOST_LANES:,} trainings make a block")
    rows = length_of(seeds)
    if isinstance(cross, Mapping):
        rows *= math.prod(map(length_of, cross.values()))
    if rows * cells > MOST_TRAININGS:
        raise ValueError(
            f"{rows:,} seeds x {cells:,} cells are {rows * cells:,} trainings; "
            "at most 10^10 at once"
        )
    needed, free = BYTES_PER_ROW * rows + BYTES_PER_CELL * cells, free_memory()
    if needed > free:
        raise MemoryError(
            f"the table of {rows:,} seeds and {cells:,} cells alone takes {needed / 1e9:,.1f} GB, "
            f"and {free / 1e9:,.1f} GB are free: several calls, seeds=range(0, 10**6) and so on, "
            "into one folder (out=)"
        )


def check_grid_size(grid: Mapping[str, Any]) -> int:
    """Refuse axes that are too long and grids of too many cells; how many cells there are."""
    lengths = {name: len(values) for name, values in grid.items() if hasattr(values, "__len__")}
    for name, length in lengths.items():
        if length > MOST_VALUES:
            raise ValueError(
                f"{name!r} has {length:,} values; at most {MOST_VALUES:,}: "
                "take fewer, or several calls"
            )
    cells = math.prod(lengths.values())
    if cells > MOST_CELLS:
        sizes = " x ".join(f"{length:,}" for length in lengths.values())
        raise ValueError(
            f"the grid has {sizes} = {cells:,} cells; at most {MOST_CELLS:,}: "
            "a coarser grid, or parts"
        )
    return cells


def warn_of_idle_lanes(lanes: int, trainings: int) -> None:
    """Warn of blocks with many more lanes than there are trainings to fill them.

    A block computes all its lanes, those without a training too.

    Args:
        lanes: of a block.
        trainings: how many are asked for.

    """
    if lanes > MANY_LANES and lanes >= 2 * trainings:
        warnings.warn(
            f"lanes is {lanes:,} for {trainings:,} trainings: a block computes all its lanes, so "
            f"this takes {lanes / trainings:,.0f} times the work; leave lanes out",
            stacklevel=5,
        )


def check_block(facts: Facts, lanes: int) -> None:
    """Refuse networks, points or batches so large that one block of them does not fit.

    Raises:
        MemoryError: with the numbers and a remedy.

    """
    judged = sum(leaf.size for leaf in jax.tree.leaves(facts.points))
    batch = rows = 0
    if facts.recipe.batches == "stream":
        batch = facts.recipe.batch_size or 0
    else:
        rows = facts.rows
    # One output for each row, at least
    outputs = rows if rows > MANY_ROWS else 0
    numbers = lanes * (facts.parameters + batch + outputs) + judged
    needed, free = numbers * jnp.dtype(facts.recipe.dtype).itemsize, free_memory()
    if needed > free:
        raise MemoryError(
            f"{lanes} lanes of {facts.parameters:,} parameters, {rows:,} training rows, batches of "
            f"{batch:,} fresh rows and {judged:,} numbers of test points need {needed / 1e9:,.1f} "
            f"GB or more, and {free / 1e9:,.1f} GB are free: narrower layers, fewer rows or "
            "points, smaller batches, or lanes=1"
        )
