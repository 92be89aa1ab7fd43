"""The one way in which trainings are computed: time a few steps, say what all cost, and go on.

Where the results go is the sink's matter: into memory, or into a folder.
"""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from approx import models
from approx.models import scalings
from approx.sweep import choice, layouts
from approx.sweep.devices import Batch, Cost, Sink, drive, pilot
from approx.sweep.facts import x64
from approx.sweep.plans import Plan
from approx.sweep.programs import Ready
from approx.sweep.progress import bar, duration, plural, size

LONG = 5.0  # seconds from which a wait is worth advice


def compute(
    plan: Plan, ready: Ready, batches: list[Batch], sink: Sink, segment: int | None, progress: bool
) -> None:
    """Compute batches on this machine, and give what is finished to a sink.

    Args:
        plan: of the trainings. ready: its compiled blocks.
        batches: what is to be done, one or more.
        sink: where finished trainings go.
        segment: steps per call of the program, at most; None for about half a second's.
        progress: whether to print what it costs and how far it is.

    """
    with x64(plan.recipe), closing(sink):
        first, cost = pilot(plan, ready, batches[0])
        if progress:
            count = sum(len(batch.trainings) for batch in batches)
            text = announcement(plan, count, ready, cost)
            say(plan.entry.prefix + text)
        total = len(batches) * plan.lanes * plan.recipe.steps
        with shown(sink, total, progress) as tell:
            drive(plan, ready, [first, *batches[1:]], sink, cost, segment, tell)


@contextmanager
def closing(sink: Sink) -> Iterator[None]:
    """Finish the sink after the work, or stop it when an interrupt or an error ends the work."""
    try:
        yield
        sink.finish()
    except BaseException as error:
        sink.stop(error)
        raise


@contextmanager
def shown(sink: Sink, total: int, progress: bool) -> Iterator[Callable[[int], None]]:
    """A function that is told how much of a total is done, and shows it; the sink hears it too."""
    with bar(total, progress, sink.said) as show:

        def tell(done: int) -> None:
            show(done)
            sink.tell(done / total)

        yield tell


def announcement(plan: Plan, count: int, ready: Ready, cost: Cost) -> str:
    """What is going to be done, and what it costs, in one line.

    Args:
        plan: of the trainings. count: how many of them are to be computed.
        ready: the compiled blocks. cost: of one block.

    """
    blocks = -(-count // plan.lanes)
    workers = ready.workers[:blocks]
    kind = "thread" if workers[0].platform == "cpu" else "device"
    results = size(ready.bytes * count / plan.trainings)
    at_work = size(ready.block.bytes * len(workers))
    seconds = duration(cost.total * blocks / len(workers))
    parts = [
        f"{plural(count, 'training')} of {plural(plan.recipe.steps, 'step')}",
        f"{plural(blocks, 'block')} of {plan.lanes} lanes on {plural(len(workers), kind)}: "
        f"{results} of results",
        f"{at_work} at work",
        f"about {seconds} after {duration(ready.seconds)} of compilation",
    ]
    remarks = [choice.remark(workers[0]), remark_on_lanes(plan, count, workers[0], cost.total)]
    if plan.facts.obstacle and plan.structure.form == "vmap":
        remarks.append(
            f"{plan.facts.obstacle}, so the networks take the form vmap; functions that work "
            "number by number, or sum over an axis, are some four times as fast"
        )
    elif layouts.needs_whole_batch(plan.facts) and plan.structure.form == "vmap":
        remarks.append(
            "a loss that sees the network takes the form vmap with dropout, `correct` or 'lm'"
        )
    elif type(scalings.core(plan.recipe.model)) not in models.IN_LANES:
        kind = type(plan.recipe.model).__name__
        remarks.append(
            f"a {kind} takes the form vmap; only an MLP and the networks of ap.models that are "
            "like it can take the faster form lanes"
        )
    said = "; ".join(filter(None, remarks))
    return ", ".join(parts) + (f" ({said})" if said else "")


def remark_on_lanes(plan: Plan, count: int, device: Any, seconds: float) -> str:
    """Advice where a long training of a few networks computes a block that is mostly padding.

    On a CPU the time of a block of wide layers is proportional to its lanes: four networks of two
    layers of 50 units took 3.5, 0.8 and 0.4 s of 500 steps in blocks of 32, 8 and 4. The small
    networks of the form "lanes" gain little. Numbers of lanes that are multiples of 8 keep all
    promises on any processor, see `choice`.

    Args:
        plan: of the trainings.
        count: how many of them are to be computed.
        device: that computes them.
        seconds: of one block.
    """
    vectors = math.ceil(count / choice.AVX2_NUMBERS)
    fewer = 1 if count == 1 else choice.AVX2_NUMBERS * vectors
    if seconds < LONG or 2 * fewer > plan.lanes:
        return ""
    if device.platform != "cpu" or plan.structure.form == "lanes":
        return ""
    return (
        f"{plan.lanes} networks are computed where {count} are asked for: "
        f"lanes={fewer} takes about {fewer / plan.lanes:.0%} of the time, and rounds differently"
    )


def say(text: str) -> None:
    """Print a line for whoever waits, beside the results of a script rather than among them."""
    print(text, file=sys.stderr, flush=True)
