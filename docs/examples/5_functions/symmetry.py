"""
Whether the learned function is even, as x² is
==============================================

The defect is half the difference between f(x) and f(-x).
"""

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=3e-2, steps=2_000)
runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=64, keep=("prediction",))
even = ap.stats.symmetry(runs, "even")
ap.plot.symmetry(even, title="Even inside, and lopsided outside")
