"""
What was learned, and where seeds differ
========================================

The training range is shaded. The bands hold 50% and 90% of the seeds.
"""

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=3e-2, steps=2_000)
runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=64, keep=("prediction",))
ap.plot.fan(runs, title="Right inside, a constant far outside")
