"""Panels: finished numbers on axes; `save` writes the figure.

`matplotlib.pyplot.style.use(approx.plot.STYLE)` sets a journal column's look. Every panel takes
what a function of `approx.stats` returned, axes to draw on, and its message as title.
"""

import warnings
from pathlib import Path

from approx.plot.comparisons import forest, performance_profile
from approx.plot.evidence import VERDICTS, claims, claims_legend
from approx.plot.extrapolations import failure_causes, shares, symmetry
from approx.plot.facets import facets
from approx.plot.files import save
from approx.plot.functions import fan
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
from approx.plot.regions import regions
from approx.plot.scales import corner, legend_above, row_axis, share_axis, step_axis
from approx.plot.series import label_ends, lettered
from approx.plot.sources import power_law, variance_components
from approx.plot.success import success_curve, threshold_profile, work_curve
from approx.plot.tables import table
from approx.plot.times import best_of, restart, survival

STYLE = Path(__file__).with_name("paper.mplstyle")

__all__ = [
    "STYLE",
    "VERDICTS",
    "bands",
    "best_of",
    "check_colors",
    "check_counts",
    "check_identity",
    "check_number",
    "claims",
    "claims_legend",
    "corner",
    "drawn_as",
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
    "performance_profile",
    "plan",
    "power_law",
    "regions",
    "restart",
    "row_axis",
    "running_rate",
    "save",
    "seed_dots",
    "share_axis",
    "shares",
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


def __getattr__(name: str):
    """What a function was called in the version before, with a warning."""
    if name not in FORMER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    now = FORMER[name]
    warnings.warn(
        f"{__name__}.{name} is called {now} now; the old name goes with the next version",
        DeprecationWarning,
        stacklevel=2,
    )
    return globals()[now]
