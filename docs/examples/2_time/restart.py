"""
When to give up a training and start anew
=========================================

The expected number of steps until a success, if every training that has not succeeded by the step
on the axis is stopped and replaced by a new seed.
"""

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=3e-2, steps=2_000)
runs = ap.run(ap.tasks.square(range=5.0), recipe, seeds=256)
hits = ap.stats.success(runs, below=0.1)
ap.plot.restart(ap.stats.restart(hits), title="Give up too early, and it gets dear")
