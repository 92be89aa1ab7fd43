"""
What the best of several seeds reaches
======================================

People train five times and keep the best. This is the error that they may expect.
"""

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="adam", learning_rate=3e-2, steps=2_000)
runs = ap.run(ap.tasks.square(range=5.0), recipe, seeds=256)
best = ap.stats.best_of(runs, tries=(1, 2, 5, 10, 20), statistic="median")
ap.plot.best_of(best, title="More tries help, ever less")
