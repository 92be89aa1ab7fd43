"""
Whether claims are true
=======================

The region in which each effect must lie is shaded. ``ap.plot.claims_legend`` draws the legend
alone, for figures of several panels.
"""

from dataclasses import replace
from functools import partial

import approx as ap

recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), learning_rate=3e-2, steps=1_000)
recipes = {name: replace(recipe, optimizer=name) for name in ("sgd", "adam")}
runs = ap.run(ap.tasks.square(range=1.0), recipes, seeds=64)
hits = ap.stats.success(runs, below=1e-3)
helps = ap.stats.Claim(
    text="Adam helps at a rate of 0.03",
    compared="adam against sgd",
    measure="MSE < 0.001 after 1,000 steps",
    effect=partial(ap.stats.compare, hits, "adam", "sgd"),
    holds=ap.stats.HELPS,
)
never = ap.stats.Claim(
    text="SGD never learns it",
    compared="sgd",
    measure="MSE < 0.001 after 1,000 steps",
    effect=partial(ap.stats.rate, hits.sel(recipe="sgd")),
    holds=ap.stats.NEVER,
)
ap.plot.claims(ap.stats.claims("an example", [helps, never]))
