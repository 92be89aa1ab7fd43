"""
Learning curves side by side, for every value of a setting
==========================================================

Each row is one learning rate, and the colour is the median loss at that step.
"""

import numpy as np

import approx as ap

rates = np.logspace(-3, -0.4, 27)
recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="sgd", steps=1_000)
runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=16, learning_rate=rates)
ap.plot.learning_landscape(runs, title="Ten times the rate, a tenth of the steps")
