"""Maps of success rates over two or more settings, from few trainings.

`refine` puts trainings where the rate changes from one setting to the next, and more seeds where
they do not yet tell whether the rate is above or below one half. `axis` makes the values of an
axis, and `zoom` those of a part of it.
"""

from approx.maps.axes import axis, zoom, zooms
from approx.maps.refined import refine
from approx.maps.search import Search

__all__ = ["Search", "axis", "refine", "zoom", "zooms"]
