"""Panels: each draws what `approx.run` or `approx.stats` returned, and `save` writes the figure.

A panel takes the data first; its docstring says which function makes them. `ax` are the axes to
draw on (those of a new figure if left out), and `title` is the panel's message.
`matplotlib.pyplot.style.use(approx.plot.STYLE)` sets the look of a journal's column, and
`approx.plot.TALK_STYLE` that of a slide. The panels by what they show:

    success          success_curve, threshold_profile, running_rate, plan
    a setting        rate
    several at once  ensemble
    time and cost    survival, restart, best_of, work_curve, performance_profile
    learning         learning_curve, learning_landscape, power_law
    maps             landscape, field, regions, facets, table
    functions        fan, snapshots, animate, extrapolation, symmetry
    in the plane     boundary, field
    kinds, causes    shares, failure_causes, variance_components
    comparisons      forest, claims, claims_legend, references

`explore` writes a page on which a reader looks into every setting and seed. The other functions
draw parts of panels (legends, axes, bands, labels, dots), or check that a figure agrees with its
table.
"""

from pathlib import Path

from approx.plot.animations import animate, snapshots
from approx.plot.boundaries import boundary
from approx.plot.comparisons import forest, performance_profile
from approx.plot.ensembles import ensemble
from approx.plot.evidence import VERDICTS, claims, claims_legend
from approx.plot.explorer import explore
from approx.plot.extrapolations import failure_causes, shares, symmetry
from approx.plot.facets import facets
from approx.plot.files import save
from approx.plot.functions import fan
from approx.plot.keys import map_key
from approx.plot.kinds import (
    check_colors,
    check_counts,
    check_identity,
    check_number,
    drawn_as,
    seed_dots,
)
from approx.plot.landscapes import field, landscape
from approx.plot.learning import bands, extrapolation, learning_curve, learning_landscape
from approx.plot.planning import plan, running_rate
from approx.plot.rates import rate
from approx.plot.references import references
from approx.plot.regions import regions
from approx.plot.scales import corner, legend_above, row_axis, share_axis, step_axis
from approx.plot.series import label_ends, lettered
from approx.plot.sources import power_law, variance_components
from approx.plot.success import success_curve, threshold_profile, work_curve
from approx.plot.tables import table
from approx.plot.times import best_of, restart, survival
from approx.stats import former_names

STYLE = Path(__file__).with_name("paper.mplstyle")
TALK_STYLE = Path(__file__).with_name("talk.mplstyle")

__all__ = [
    "STYLE",
    "TALK_STYLE",
    "VERDICTS",
    "animate",
    "bands",
    "best_of",
    "boundary",
    "check_colors",
    "check_counts",
    "check_identity",
    "check_number",
    "claims",
    "claims_legend",
    "corner",
    "drawn_as",
    "ensemble",
    "explore",
    "extrapolation",
    "facets",
    "failure_causes",
    "fan",
    "field",
    "forest",
    "label_ends",
    "landscape",
    "learning_curve",
    "learning_landscape",
    "legend_above",
    "lettered",
    "map_key",
    "performance_profile",
    "plan",
    "power_law",
    "rate",
    "references",
    "regions",
    "restart",
    "row_axis",
    "running_rate",
    "save",
    "seed_dots",
    "share_axis",
    "shares",
    "snapshots",
    "step_axis",
    "success_curve",
    "survival",
    "symmetry",
    "table",
    "threshold_profile",
    "variance_components",
    "work_curve",
]

FORMER = {"split": "failure_causes", "variance_split": "variance_components"}
__getattr__ = former_names.finder(__name__, FORMER, globals())
