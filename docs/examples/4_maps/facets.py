"""
A map for each value of a third setting
=======================================

All panels share their colours.
"""

import numpy as np

import approx as ap

grid = {
    "activation": ["tanh", "relu"],
    "learning_rate": np.logspace(-3, 1, 13),
    "init_scale": np.logspace(-1, 1, 13),
}
recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="sgd", steps=500)
runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=16, **grid)
rates = ap.stats.rate(ap.stats.success(runs, below=1e-2))
ap.plot.facets(rates, col="activation", columns=2)
