"""Whether a request's results, and its compiled blocks, fit into memory; with a remedy if not."""

import math

from approx.sweep import limits
from approx.sweep.plans import Plan
from approx.sweep.programs import Ready
from approx.sweep.progress import size
from approx.sweep.request import Request

# Trainings; the memory for predictions of fewer is checked a second later, when all is compiled
MANY_TRAININGS = 10**6


def check_room(request: Request) -> None:
    """Refuse results that do not fit into memory, before a table of their trainings is made.

    Raises:
        MemoryError: with the numbers and a remedy.

    """
    axes = [request.seeds, *request.grid.values(), *request.cross.values()]
    count, free = math.prod(map(len, axes)), limits.free_memory()
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


def check_memory(plans: list[Plan], ready: list[Ready], in_memory: bool) -> None:
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
    free = limits.free_memory()
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


def bytes_at_work(plan: Plan, ready: Ready) -> int:
    """Bytes of this machine's memory that the blocks of a plan need while they are computed.

    On an accelerator they are in its own memory, which `check_device_memory` looks at.
    """
    if ready.workers[0].platform != "cpu":
        return 0
    at_once = min(len(ready.workers), math.ceil(plan.trainings / plan.lanes))
    return ready.block.bytes * at_once


def check_device_memory(plan: Plan, ready: Ready) -> None:
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
