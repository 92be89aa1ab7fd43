"""
When there are enough seeds
===========================

The wider band holds at all numbers of seeds at once, and so one may stop at any time. The
narrower one holds at a single number of seeds that was chosen before.
"""

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=3e-2, steps=2_000)
runs = ap.run(ap.tasks.square(range=5.0), recipe, seeds=256)
hits = ap.stats.success(runs, below=0.1)
ap.plot.running_rate(ap.stats.running_rate(hits), title="The more seeds, the narrower")
