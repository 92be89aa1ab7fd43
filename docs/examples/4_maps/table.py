"""
A small map in numbers
======================

Where the settings are words, a table says more than colours.
"""

import approx as ap

axes = {"activation": ["tanh", "relu", "sigmoid"], "optimizer": ["sgd", "adam"]}
recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), learning_rate=3e-2, steps=500)
runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=64, **axes)
rates = ap.stats.rate(ap.stats.success(runs, below=1e-2)).rate
ap.plot.table(rates.values, *axes.values(), title="Share of 64 seeds that learn x²")
