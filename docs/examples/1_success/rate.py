"""
How often, against a setting
============================

The bars are 95% intervals. A list of widths is an axis of the result.
"""

import approx as ap

recipe = ap.Recipe(optimizer="adam", learning_rate=1e-2, steps=500)
runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=64, widths=[1, 2, 4, 8])
hits = ap.stats.success(runs, below=1e-2)
ap.plot.rate(hits, over="widths", title="Wider layers learn x² more often")
