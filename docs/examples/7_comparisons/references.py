"""
What methods without a network reach
====================================

Grey dots are networks, one for each seed.
"""

import approx as ap

task = ap.tasks.square(range=1.0, size=21, inputs="uniform", noise=0.05)
ten = ap.MLP((10,), "tanh")
found = ap.references(task, model=ten, seeds=10, methods=["polynomial_cv", "spline_cv", "constant"])
runs = ap.run(task, ap.Recipe(model=ten, learning_rate=1e-2, steps=2_000), seeds=64)
ap.plot.references(found, runs, title="Polynomials do better outside")
