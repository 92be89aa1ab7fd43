"""
Differences with their intervals
================================

Networks of the same seed are compared in pairs. At 0 there is no difference.
"""

from dataclasses import replace

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), learning_rate=3e-2, steps=500)
recipes = {name: replace(recipe, optimizer=name) for name in ("sgd", "adam")}
rates = {"learning_rate": [0.003, 0.01, 0.03, 0.1]}
runs = ap.run(ap.tasks.square(range=1.0), recipes, seeds=64, **rates)
hits = ap.stats.success(runs, below=1e-2)
ap.plot.forest(
    ap.stats.compare(hits, "adam", "sgd"), title="Adam helps at all rates but the largest"
)
