"""The line that says what a run is going to do, and what it costs."""

import sys

from approx.sweep import choice
from approx.sweep.devices import Cost
from approx.sweep.plans import Plan
from approx.sweep.programs import Ready
from approx.sweep.progress import duration, plural, size


def announce(
    label: str | None, plan: Plan, count: int, ready: Ready, workers: list, cost: Cost
) -> None:
    """Say in one line what is to be done, and what it costs."""
    many, thread = -(-count // plan.lanes), "thread" if workers[0].platform == "cpu" else "device"
    say = f"{plural(count, 'training')} of {plural(plan.recipe.steps, 'step')}, {plural(many, 'block')} of "
    say += f"{plan.lanes} lanes on {plural(len(workers), thread)}: {size(ready.bytes * count / plan.trainings)} of "
    say += f"results, {size(ready.programs[workers[0]].bytes * len(workers))} at work, "
    say += f"about {duration(cost.total * many / len(workers))} "
    say += f"after {duration(ready.seconds)} of compilation"
    if remark := choice.remark(workers[0]):
        say += f" ({remark})"
    print(f"{label}: {say}" if label is not None else say, file=sys.stderr, flush=True)
