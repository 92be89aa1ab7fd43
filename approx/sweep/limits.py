"""What fits: sizes that are refused before anything of that size is made, with a remedy."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import psutil

from approx.sweep.facts import Facts
from approx.sweep.progress import size
from approx.training.recipes import is_whole

if TYPE_CHECKING:
    from approx.sweep.plans import Plan
    from approx.sweep.programs import Ready
    from approx.sweep.request import Request

MOST_VALUES, MOST_CELLS, MOST_LANES = 10**5, 4 * 10**6, 2**20
MOST_TRAININGS = 10**10
# Trainings; the memory for predictions of fewer is checked a second later, when all is compiled
MANY_TRAININGS = 10**6
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


def check_room(request: "Request") -> None:
    """Refuse results that do not fit into memory, before a table of their trainings is made.

    Raises:
        MemoryError: with the numbers and a remedy.

    """
    axes = [request.seeds, *request.grid.values(), *request.cross.values()]
    count, free = math.prod(map(len, axes)), free_memory()
    losses = sum(8 * count * len(entry.facts.recorded) for entry in request.entries)
    predictions = 0
    if "prediction" in request.keeping.what and count > MANY_TRAININGS:
        points = sum(entry.facts.points.x.shape[0] for entry in request.entries)
        predictions = 4 * count * points
    if losses + predictions > free:
        advice = "keep=() keeps no predictions, " if predictions else ""
        raise MemoryError(
            f"{count:,} trainings leave {size(losses)} of losses and {size(predictions)} of "
            f"predictions or more, and {size(free)} are free: {advice}out= keeps all on disk; "
            "fewer seeds, cells, records or points help too"
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


def check_memory(plans: "list[Plan]", ready: "list[Ready]", in_memory: bool) -> None:
    """Refuse what does not fit into memory once all is compiled, with a suggestion.

    That is this machine's memory, and an accelerator's own for one block.

    Args:
        plans: of all recipes. ready: their compiled blocks.
        in_memory: whether the results stay in memory. Joining those of several recipes holds them
            twice.

    Raises:
        MemoryError: with the numbers and a remedy.

    """
    for plan, one in zip(plans, ready, strict=True):
        check_device_memory(plan, one)
    kept = sum(one.bytes for one in ready) if in_memory else 0
    if len(plans) > 1:
        kept *= 2
    work = max(map(bytes_at_work, plans, ready))
    free = free_memory()
    if kept + work < 0.9 * free:
        return
    count = sum(plan.trainings for plan in plans)
    advice = "keep=() keeps no predictions, out= keeps all on disk"
    if work >= kept:
        lanes = max(plan.lanes for plan in plans)
        advice = f"lanes={max(1, lanes // 4)} takes less at a time"
    raise MemoryError(
        f"{count:,} trainings need {size(kept + work)} ({size(kept)} of results, {size(work)} at "
        f"work), and {size(free)} are free: {advice}; fewer records, test points or seeds help too"
    )


def bytes_at_work(plan: "Plan", ready: "Ready") -> int:
    """Bytes of this machine's memory that the blocks of a plan need while they are computed.

    On an accelerator they are in its own memory, which `check_device_memory` looks at.
    """
    if ready.workers[0].platform != "cpu":
        return 0
    at_once = min(len(ready.workers), math.ceil(plan.trainings / plan.lanes))
    return ready.block.bytes * at_once


def check_device_memory(plan: "Plan", ready: "Ready") -> None:
    """Refuse a block that an accelerator's own memory cannot hold.

    Raises:
        MemoryError: with the bytes needed and free, and the number of lanes that would fit.

    """
    for device, block in ready.programs.items():
        if device.platform == "cpu":
            continue
        told = device.memory_stats() or {}
        if "bytes_limit" not in told:  # some platforms do not say
            continue
        free = told["bytes_limit"] - told.get("bytes_in_use", 0)
        if block.bytes <= 0.95 * free:
            continue
        fits = max(1, int(plan.lanes * 0.9 * free / block.bytes))
        raise MemoryError(
            f"a block of {plan.lanes:,} networks needs {size(block.bytes)} on "
            f"{device.device_kind}, and {size(free)} are free there: lanes={fits} would fit"
        )
