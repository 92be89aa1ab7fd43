"""
What the mean of several networks gains
=======================================

The error of the mean of m networks, beside that of a single one.
"""

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=3e-2, steps=2_000)
noisy = ap.tasks.square(range=1.0, noise=0.1)
runs = ap.run(noisy, recipe, seeds=64, keep=("prediction",))
together = ap.stats.ensemble(runs, sizes=[1, 2, 4, 8, 16])
ap.plot.ensemble(together, title="Twice as many, half the error inside")
