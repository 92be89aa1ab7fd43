"""
What became of all seeds
========================

What each learned function becomes far outside the training range.
"""

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "relu"), optimizer="adam", learning_rate=3e-2, steps=2_000)
runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=64, keep=("prediction",))
far = ap.stats.shares(ap.stats.asymptote(runs))
ap.plot.shares(far, title="Far outside relu networks are lines")
