"""
How an error falls with the size of the network
===============================================

The line is a power law that is fitted to the medians, and its exponent has an interval.
"""

import approx as ap

recipe = ap.Recipe(model=ap.MLP((4,), "relu"), optimizer="adam", learning_rate=1e-2, steps=1_000)
runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=64, widths=[2, 4, 8, 16, 32])
ap.plot.power_law(
    ap.stats.exponent(runs, along="widths"), title="Wider relu layers, smaller errors"
)
