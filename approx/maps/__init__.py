"""Maps with few trainings: pixels where the rate changes, seeds where it is undecided."""

from approx.maps.axes import axis, zoom, zooms
from approx.maps.refined import refine
from approx.maps.search import Search

__all__ = ["Search", "axis", "refine", "zoom", "zooms"]
