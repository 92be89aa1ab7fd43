"""
What was learned by which step
==============================

One panel for each kept step. The bands hold 50% and 90% of the seeds.
"""

import approx as ap

steps = (0, 50, 200, 2_000)
tanh = ap.MLP((10,), "tanh")
recipe = ap.Recipe(model=tanh, learning_rate=3e-2, steps=2_000, records=steps)
runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=64, keep_at=steps)
ap.plot.snapshots(runs)
