"""
A loss over the steps
=====================

The bands hold 50% and 90% of the seeds, the thin lines are single seeds.
"""

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=3e-2, steps=2_000)
runs = ap.run(ap.tasks.square(range=5.0), recipe, seeds=256)
ap.plot.learning_curve(runs, of="test_loss", title="Seeds end far apart")
