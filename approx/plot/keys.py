"""One key for several maps: hatching, dots and bars drawn beside what they mean."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.container import Container
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from approx.plot.cells import BETWEEN, NOTE, key_label, set_title_above
from approx.plot.series import small


def map_key(
    panels: Axes | Sequence[Axes] | np.ndarray,
    columns: int = 2,
    also: Mapping[str, Any] | None = None,
    **options: Any,
) -> Legend:
    """Draw one key below several maps, instead of the notes above them.

    The key shows the hatching, the dots and the bars of `landscape`, `field` and `regions`, each
    beside what it means, and says how many seeds a cell has.

    Args:
        panels: the maps, of one figure.
        columns: how many entries stand side by side.
        also: {what it means: mark} of further marks on the maps, such as a line.
        **options: of `Figure.legend`, such as another place.

    Raises:
        ValueError: none of the panels is a map.

    Example:
        figure, panels = plt.subplots(1, 2)
        plot.landscape(stats.rate(hits), panels[0])
        plot.field(stats.ert(hits), "ert", panels[1])
        plot.map_key(panels)
    """
    given_axes = list(np.ravel(np.asarray(panels, object)))
    maps = [ax for ax in given_axes if _notes(ax)]
    if not maps:
        raise ValueError("map_key explains maps, and there is none on these axes: draw them first")
    handles: dict[str, Any] = {}
    counts: dict[str, None] = {}
    for ax in maps:
        counts |= dict.fromkeys(_counts(ax))
        for means, handle in _marks(ax):
            handles.setdefault(means, handle)
        for note in _notes(ax):
            note.remove()
    for ax in given_axes:
        set_title_above(ax, None, 0)
    handles |= also or {}
    figure = maps[0].get_figure(root=True)
    given: dict[str, Any] = {
        **_place(figure),
        "ncols": columns,
        "fontsize": small(),
        "title": _said(counts),
        "title_fontsize": small(),
    }
    return figure.legend(list(handles.values()), list(handles), **(given | options))


def _place(figure: Figure) -> dict[str, Any]:
    """Where the key stands: below the maps, for which the figure's layout makes room.

    Where a figure has no such layout it stands below the page, which `save` enlarges for it.
    """
    if figure.get_layout_engine() is None:
        return {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0)}
    return {"loc": "outside lower center"}


def _notes(ax: Axes) -> list[Any]:
    """The notes above a map."""
    return [text for text in ax.texts if text.get_gid() == NOTE]


def _counts(ax: Axes) -> Iterator[str]:
    """The numbers of seeds in the cells of a map, such as "64" or "16 to 64", from its notes."""
    for note in _notes(ax):
        for part in note.get_text().replace("\n", " ").split(BETWEEN):
            if part.startswith("n = "):
                yield part.removeprefix("n = ").removesuffix(" per cell")


def _said(counts: Iterable[str]) -> str | None:
    """What the key says of the numbers of seeds: that of all maps, or those of the maps in turn.

    None if no map says any.
    """
    numbers = " and ".join(counts)
    if not numbers:
        return None
    return f"n = {numbers} seeds in each cell"


def _marks(ax: Axes) -> Iterator[tuple[str, Any]]:
    """What each mark of a map means, and how the key draws it."""
    artists: list[Any] = [*ax.collections, *ax.lines, *ax.containers]
    for artist in artists:
        label = str(artist.get_label())
        means = label.removeprefix(key_label(""))
        if means != label:
            yield means, _handle(artist)


def _handle(artist: Artist | Container) -> Any:
    """How the key draws a mark."""
    if isinstance(artist, PolyCollection):
        color = to_hex(np.atleast_2d(artist.get_edgecolor())[0])
        ground = _middle_of_the_colours() if color == "#ffffff" else "white"
        return Patch(facecolor=ground, edgecolor=color, hatch=artist.get_hatch(), linewidth=0)
    if isinstance(artist, QuadMesh):
        return Patch(facecolor=_middle_of_the_colours(), alpha=0.5, linewidth=0)
    if isinstance(artist, Line2D):  # dots
        return Patch(facecolor="0.3", hatch="..", edgecolor=artist.get_color(), linewidth=0)
    return artist  # bars


def _middle_of_the_colours() -> Any:
    """The colour of one half in the style's colour map."""
    return plt.get_cmap(plt.rcParams["image.cmap"])(0.5)
