"""
How much the rate depends on what is called a success
=====================================================

Losses are stored, not verdicts: every threshold can be read from the same trainings.
"""

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=3e-2, steps=2_000)
runs = ap.run(ap.tasks.square(range=5.0), recipe, seeds=256)
ap.plot.threshold_profile(ap.stats.profile(runs), title="Few seeds are below 0.01")
