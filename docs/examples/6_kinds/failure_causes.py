"""
Why trainings miss a threshold
==============================

No network of four relu units can be better than the floor, which ``ap.floors`` computes.
"""

import approx as ap

recipe = ap.Recipe(model=ap.MLP((4,), "relu"), optimizer="adam", learning_rate=1e-2, steps=1_000)
runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=64)
inside = runs.distance.values == 0
x, y = runs.x_test.values[inside], runs.y_test.values[inside]
floor = ap.floors.relu_optimum(x, y, units=4).mse
why = ap.stats.failure_causes(runs, floor, below=1e-3, outside_below=1e-3)
ap.plot.failure_causes(ap.stats.shares(why), title="Training did not find it")
