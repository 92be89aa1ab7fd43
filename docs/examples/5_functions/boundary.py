"""
Where networks draw the line between classes
============================================

The colour says which share of the seeds names the class, and the dots are the rows that were
trained on.
"""

import numpy as np

import approx as ap

rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, (100, 2))
y = np.where(np.hypot(*x.T) < 0.6, "inside", "outside")
at = ap.tasks.mesh((-1, -1), (1, 1), n=51)
task = ap.data(x, y, at=at, loss="binary_cross_entropy")
recipe = ap.Recipe(model=ap.MLP((8,), "tanh"), learning_rate=3e-2, steps=500)
runs = ap.run(task, recipe, seeds=64, keep=("prediction",))
ap.plot.boundary(runs, rows=(x, y), title="Seeds differ only near the circle")
