"""
How long until a seed learns
============================

The share of seeds that have *not* yet been in success, as in survival analysis. Seeds that never
learn keep the curve above 0.
"""

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=3e-2, steps=2_000)
runs = ap.run(ap.tasks.square(range=5.0), recipe, seeds=256)
hits = ap.stats.success(runs, below=0.1)
ap.plot.survival(ap.stats.survival(hits), title="One third never learns")
