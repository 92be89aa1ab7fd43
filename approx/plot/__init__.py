"""Panels: finished numbers on axes; `save` writes the figure.

`matplotlib.pyplot.style.use(approx.plot.STYLE)` sets a journal column's look.
"""

from pathlib import Path

from approx.plot.comparisons import forest, performance_profile
from approx.plot.evidence import claims
from approx.plot.extrapolations import shares, split, symmetry
from approx.plot.files import save
from approx.plot.landscapes import facets, field, landscape, regions
from approx.plot.learning import extrapolation, fan, learning_curve, learning_landscape
from approx.plot.planning import plan, running_rate
from approx.plot.sources import power_law, variance_split
from approx.plot.success import success_curve, threshold_profile, work_curve
from approx.plot.times import best_of, restart, survival

STYLE = Path(__file__).with_name("paper.mplstyle")

__all__ = [
    "STYLE",
    "best_of",
    "claims",
    "extrapolation",
    "facets",
    "fan",
    "field",
    "forest",
    "landscape",
    "learning_curve",
    "learning_landscape",
    "performance_profile",
    "plan",
    "power_law",
    "regions",
    "restart",
    "running_rate",
    "save",
    "shares",
    "split",
    "success_curve",
    "survival",
    "symmetry",
    "threshold_profile",
    "variance_split",
    "work_curve",
]
