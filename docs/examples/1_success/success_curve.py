"""
Which share of the seeds has learned by which step
==================================================

The band is a 95% interval. A seed counts while its test loss is at most 0.1, so the share may
fall again.
"""

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=3e-2, steps=2_000)
runs = ap.run(ap.tasks.square(range=5.0), recipe, seeds=256)
hits = ap.stats.success(runs, below=0.1)
ap.plot.success_curve(hits, title="Two thirds of the seeds learn x²")
