"""
How the error grows outside the training range
==============================================

The first point is the mean over all points inside.
"""

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=3e-2, steps=2_000)
runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=64, keep=("prediction",))
far = ap.stats.error_by_distance(runs)
ap.plot.extrapolation(far, title="The error grows at once")
