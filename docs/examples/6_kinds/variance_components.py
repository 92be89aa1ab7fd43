"""
Which randomness makes seeds differ
===================================

Each source of randomness is varied by itself, and all are crossed.
"""

import approx as ap

task = ap.tasks.square(range=1.0, inputs="uniform", size=40)
recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), batch_size=8, steps=500)
runs = ap.run(task, recipe, seeds=1, cross={"init": 8, "data": 8, "order": 4})
parts = ap.stats.variance_components(runs)
ap.plot.variance_components(parts, title="Eight draws of each are too few to rank them")
