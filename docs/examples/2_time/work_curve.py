"""
Which method needs less work
============================

One step of Levenberg-Marquardt does more than one of Adam, and needs no learning rate. The axis
counts steps, in which both see all rows once.
"""

import approx as ap

ten = ap.MLP((10,), "tanh")
recipes = {
    "Adam": ap.Recipe(model=ten, optimizer="adam", learning_rate=3e-2, steps=1_000),
    "Levenberg-Marquardt": ap.Recipe(model=ten, optimizer="lm", steps=1_000),
}
rates = {}
for name, recipe in recipes.items():
    runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=64)
    rates[name] = ap.stats.rate(ap.stats.success(runs, below=1e-5), when="each")
ap.plot.work_curve(rates, label="steps", title="Levenberg-Marquardt needs fewer steps")
