"""One process that asks three questions through `ap.run`; prints the seconds that each one took.

    python with_approx.py WIDTH     WIDTH: units of the first network

The first question pays for the compilation of every program, and the second for the compilation of
another width. The third asks the first again, of 64 seeds and ten steps, so that nearly all of its
time is spent on everything but training.
"""

import json
import statistics
import sys
import time

import approx as ap


def question(width: int, seeds: int, steps: int) -> float:
    """Seconds until the median test loss of `seeds` networks of `width` tanh units is known."""
    began = time.perf_counter()
    recipe = ap.Recipe(
        model=ap.MLP((width,), "tanh"), optimizer="sgd", learning_rate=1e-3, steps=steps
    )
    runs = ap.run(ap.tasks.square(), recipe, seeds=seeds, progress=False)
    float(runs.test_loss.isel(step=-1).median())
    return time.perf_counter() - began


width = int(sys.argv[1])
first = question(width, 512, 1000)
new = question(width + 1, 512, 1000)
question(width, 64, 10)
again = statistics.median(question(width, 64, 10) for _ in range(11))
print(json.dumps({"first": first, "new": new, "again": again}))
