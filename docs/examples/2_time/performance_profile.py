"""
Which recipe is fast on most problems
=====================================

For each seed the faster recipe sets the pace. The curve says on which share of the seeds a recipe
succeeds within so many times that pace.
"""

from dataclasses import replace

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), learning_rate=3e-2, steps=1_000)
recipes = {name: replace(recipe, optimizer=name) for name in ("momentum", "adam")}
runs = ap.run(ap.tasks.square(range=1.0), recipes, seeds=64)
hits = ap.stats.success(runs, below=1e-2)
ap.plot.performance_profile(
    ap.stats.performance_profile(hits), title="Which optimiser is faster, seed by seed"
)
