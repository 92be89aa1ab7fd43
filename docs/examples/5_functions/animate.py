"""
Learned functions as they move
==============================

The call writes a GIF, or, with the ending `.html`, a page with a slider. Here is its last picture.
"""

import tempfile

import approx as ap

steps = (0, 20, 50, 100, 200, 500, 1_000, 2_000)
tanh = ap.MLP((10,), "tanh")
recipe = ap.Recipe(model=tanh, learning_rate=3e-2, steps=2_000, records=steps)
runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=64, keep_at=steps)
ap.plot.animate(runs, f"{tempfile.gettempdir()}/learning.gif")
