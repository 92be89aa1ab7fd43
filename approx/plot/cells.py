"""What maps over two swept numbers share: cells, hatching, colour bars, and the note above."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.colors import LogNorm
from matplotlib.ticker import FuncFormatter, LogLocator

from approx.plot.scales import counted
from approx.plot.series import axes, points, readable
from approx.stats.maps import check_axis, spaced_by_logarithm

BETWEEN = "; "  # between the parts of a note
NOTE = "note"  # the name by which `map_key` finds the notes of its panels
NOTE_SIZE = 6  # points, beside text of 7.5
HATCH, OPEN_HATCH = "/" * 7, "\\" * 7  # the second for cells that the seeds do not decide
OPEN = "0.6"  # its colour
# Mean width of a note's character, in its size: 58 characters of 6 points measured 2.4 inches
CHARACTER = 0.5
MANY_DECADES = 4  # above which a colour bar has no small ticks
FEW_DECADES = 2.5  # below which its ticks are plain numbers: 200, 500, 1,000
LEFT = 0.4  # inches left of a map
WITH_BAR = 1.2  # width of a map with its colour bar, over that of the map alone
BAR = 20  # height of a colour bar beside one row of maps, over its width
Pair = tuple[np.ndarray, np.ndarray]
Bar = bool | list[Axes]


def map_axes(values: xr.DataArray, ax: Axes | None) -> tuple[Axes, Pair, Pair]:
    """Axes for a map of `values`.

    Returns:
        The axes, the edges of the cells, and their centres; both (to the right, upwards).

    Raises:
        ValueError: not two dimensions; an axis that repeats values or is not in order.
    """
    _check_two_dims(values)
    vertical, horizontal = (str(dim) for dim in values.dims)
    x = np.asarray(values[horizontal], float)
    y = np.asarray(values[vertical], float)
    check_axis(horizontal, x)
    check_axis(vertical, y)
    ax = axes(ax)
    ax.set_facecolor("white")
    ax.set_xscale(_scale(x))
    ax.set_yscale(_scale(y))
    ax.set_xlabel(readable(horizontal))
    ax.set_ylabel(readable(vertical))
    edges = cell_edges(x), cell_edges(y)
    ax.set(xlim=edges[0][[0, -1]], ylim=edges[1][[0, -1]])
    return ax, edges, (x, y)


def _check_two_dims(values: xr.DataArray) -> None:
    """Raise a ValueError unless the values of a map have two dimensions."""
    if values.ndim != 2:
        there = ", ".join(map(str, values.dims)) or "none"
        raise ValueError(
            f"a landscape needs two dimensions, got {there}; reduce or .sel() the others"
        )


def _scale(centres: np.ndarray) -> str:
    """The name of the scale of an axis with cells at these centres."""
    return "log" if spaced_by_logarithm(centres) else "linear"


def cell_edges(values: np.ndarray) -> np.ndarray:
    """Edges of the cells around the given centres, halfway between them.

    On a logarithmic axis they are halfway between the logarithms of the centres.
    """
    log = spaced_by_logarithm(values)
    centres = np.log(values) if log else values
    if centres.size == 1:
        edges = centres[0] + np.array([-0.5, 0.5])
    else:
        middle = (centres[1:] + centres[:-1]) / 2
        first = 2 * centres[0] - middle[0]
        last = 2 * centres[-1] - middle[-1]
        edges = np.concatenate([[first], middle, [last]])
    return np.exp(edges) if log else edges


def mesh(ax: Axes, edges: Pair, values: np.ndarray, **options: Any) -> QuadMesh:
    """Draw a coloured cell for each finite value."""
    return ax.pcolormesh(
        *edges,
        np.ma.masked_invalid(values),
        rasterized=True,
        **options,
    )


def hatch(
    ax: Axes,
    edges: Pair,
    chosen: np.ndarray,
    color: str = "white",
    means: str = "",
    pattern: str = HATCH,
) -> None:
    """Hatch the chosen cells (rows upwards); neighbours in a row make one rectangle.

    Args:
        ax: the map's axes.
        edges: those of the cells, to the right and upwards.
        chosen: which cells, in the shape of the map.
        color: of the hatching.
        means: what it says, for `map_key`.
        pattern: its lines, as matplotlib writes them.
    """
    x, y = edges
    corners = []
    for i, row in enumerate(chosen):
        steps = np.diff(np.pad(row.astype(int), 1))
        begins = np.flatnonzero(steps == 1)
        ends = np.flatnonzero(steps == -1)
        for left, right in zip(x[begins], x[ends], strict=True):
            low = y[i]
            high = y[i + 1]
            corners.append([(left, low), (right, low), (right, high), (left, high)])
    options: dict[str, Any] = {"facecolor": "none", "linewidth": 0, "hatch": pattern}
    ax.add_collection(PolyCollection(corners, edgecolor=color, label=key_label(means), **options))


def key_label(means: str) -> str:
    """The label of a mark on a map: `map_key` finds it, and matplotlib's own legends do not."""
    return f"_key: {means}"


def add_bar(bar: Bar, image: QuadMesh, ax: Axes, names: Sequence[str] = (), **options: Any) -> None:
    """Draw the colour bar.

    Args:
        bar: whether to draw it, or the axes beside which it stands.
        image: what it explains.
        ax: the map's axes.
        names: what is written at its ticks; numbers if left out.
        **options: of `Figure.colorbar`.
    """
    if bar is False:
        return
    beside = [ax] if bar is True else bar
    rows = {round(float(one.get_position().y0), 3) for one in beside}
    shown = ax.figure.colorbar(image, ax=beside, aspect=BAR * len(rows), **options)
    shown.outline.set_visible(False)
    if names:
        shown.ax.set_yticklabels(names)
    if "label" not in options:
        shown.ax.tick_params(length=0)
    decades = _decades(image)
    if decades > MANY_DECADES:
        shown.minorticks_off()
    elif 0 < decades < FEW_DECADES and "ticks" not in options:
        shown.ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        shown.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        shown.minorticks_off()


def _decades(image: QuadMesh) -> float:
    """How many decades the colours span; 0 for colours that do not follow the logarithm."""
    if not isinstance(image.norm, LogNorm):
        return 0.0
    return float(np.ptp(np.log10(image.get_clim())))


def add_note(ax: Axes, n: np.ndarray, said: Sequence[str], title: str | None) -> None:
    """Write the lines above a map, and the title above them.

    Args:
        ax: the map's axes.
        n: seeds of each cell.
        said: what the marks mean.
        title: the message of the panel; that which the axes have if left out.
    """
    if n.size:
        said = [f"{counted(n)} per cell", *said]
    lines = note_lines(said, _room_for_note(ax))
    place: dict[str, Any] = {"xycoords": "axes fraction", "ha": "left", "va": "bottom"}
    note = ax.annotate(
        "\n".join(lines),
        (0, 1.01),
        size=points(NOTE_SIZE),
        **place,
    )
    note.set_gid(NOTE)
    note.set_in_layout(False)  # it may reach over the colour bar, but takes no room from the map
    set_title_above(ax, title, len(lines))


def _room_for_note(ax: Axes) -> float:
    """How wide the note above a map may be, in inches."""
    page = ax.figure.bbox.width / ax.figure.dpi
    width = WITH_BAR * ax.get_position().width * page
    return min(width, page - LEFT)


def set_title_above(ax: Axes, title: str | None, lines: int) -> None:
    """Set the title so that a note of that many lines has room below it."""
    before = ax.get_title(loc=plt.rcParams["axes.titlelocation"])
    height = 1.25 * points(NOTE_SIZE) * lines
    # A blank title keeps the room that the note needs
    ax.set_title(title or before or " ", pad=height + 5.5)


def note_lines(said: Sequence[str], inches: float) -> list[str]:
    """The parts of a note in lines of at most that width, if each part is shorter than that."""
    longest = max(1, int(inches / (CHARACTER * points(NOTE_SIZE) / 72)))
    lines: list[str] = []
    for part in said:
        if lines and len(lines[-1]) + len(BETWEEN) + len(part) <= longest:
            lines[-1] += BETWEEN + part
        else:
            lines.append(part)
    continued = [line + BETWEEN.rstrip() for line in lines[:-1]]
    return continued + lines[-1:]
