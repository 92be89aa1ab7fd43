"""
Where training succeeds
=======================

Each square is one setting, and its colour is the share of 16 seeds that succeed.
:doc:`/reading_maps` explains the marks.
"""

import numpy as np

import approx as ap

grid = {
    "learning_rate": np.logspace(-3, 1, 13),
    "init_scale": np.logspace(-1, 1, 13),
}
recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="sgd", steps=500)
runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=16, **grid)
hits = ap.stats.success(runs, below=1e-2)
ap.plot.landscape(ap.stats.rate(hits), title="SGD learns x² in a band of rates")
