"""
Any other number over two settings
==================================

Here it is the step by which half of the seeds have learned.
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
half = ap.stats.time_quantiles(hits, 0.5).sel(quantile=0.5)
ap.plot.field(
    half, "time", label="steps until half have learned", title="The largest rates are fastest"
)
