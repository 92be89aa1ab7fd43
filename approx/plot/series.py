"""What several panels share: axes, series, bands, checks, and names at the lines.

A series is one line or one row of marks of a panel: one recipe, or one setting. Series differ in
colour and in dashes, so that they are told apart in grey too.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from approx.stats.labels import readable

WRAP = 34  # characters in a line of an axis' label
PAPER = 7.5  # points: the size of text for which the sizes in these files are given
LINES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (4, 1.2, 1, 1.2)))
MARKS = "osD^v<>p"
SPREAD = 0.6  # the part of a row of marks that its series share, in rows
MOST_SERIES = 8  # nobody can tell more apart in one panel


def axes(ax: Axes | None, title: str | None = None) -> Axes:
    """The axes given, or new ones, with the panel's message as title.

    Raises:
        TypeError: what was given are no axes.
    """
    if ax is not None and not isinstance(ax, Axes):
        advice = "give the Axes of matplotlib to draw on, or leave it out"
        if isinstance(ax, np.ndarray):
            advice = "give one of them, as in axes[0]"
        raise TypeError(f"ax is of type {type(ax).__name__}: {advice}")
    if ax is None:
        # This layout leaves room for labels in any style
        ax = plt.figure(layout="constrained").add_subplot()
    if title:
        ax.set_title(title)
    return ax


def points(size: float) -> float:
    """A size for text of 7.5 points, as in a journal, grown or shrunk with the text of the style.

    Args:
        size: in points, as it is in `STYLE`.
    """
    return size * float(plt.rcParams["font.size"]) / PAPER


def small() -> float:
    """The size of the small text inside a panel, in points: 7 in a journal."""
    return points(7.0)


def lettered(letter: str, message: str) -> str:
    """The title of a panel of a figure: its letter in bold, and its message.

    Example:
        ax.set_title(plot.lettered("a", "More seeds succeed with biases"))
    """
    return rf"$\bf{{{letter}}}$  {message}"


def style(number: int) -> dict[str, Any]:
    """Colour and dashes of the series with that number, as options of `Axes.plot`."""
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    return {"color": colors[number % len(colors)], "linestyle": LINES[number % len(LINES)]}


def cells(data: xr.Dataset, along: str | None) -> list[tuple[str, xr.Dataset]]:
    """The parts of a result over `along` alone, each with its label, such as "adam, width 8".

    Without `along` every part is a single cell.
    """
    dims = [str(dim) for dim in data.dims if dim != along]
    if not dims:
        return [("", data)]
    stacked = data.stack(series_=dims, create_index=False)
    found = []
    for place in range(stacked.sizes["series_"]):
        one = stacked.isel(series_=place)
        names = [name_value(dim, one[dim].item()) for dim in dims if dim in one.coords]
        found.append((", ".join(names), one))
    return found


def each(data: xr.Dataset, along: str) -> Iterator[tuple[str, xr.Dataset, dict[str, Any]]]:
    """Yield (label, dataset over `along`, line style) for every series of a result.

    Raises:
        ValueError: more than eight series, which nobody can tell apart in one panel.
    """
    found = cells(data, along)
    if len(found) > MOST_SERIES:
        dims = ", ".join(str(dim) for dim in data.dims if dim != along)
        raise ValueError(f"{len(found)} series over {dims}; choose at most eight with .sel()")
    for number, (label, one) in enumerate(found):
        yield label, one, style(number)


def name_value(dim: str, value: object) -> str:
    """How one coordinate is written: text by itself, numbers with their name."""
    if isinstance(value, float | int):
        return f"{readable(dim)} {value:.3g}"
    return str(value)


def long_name(values: xr.DataArray) -> str:
    """What a variable is, in lines short enough for an axis.

    This is the attribute `long_name`, or the variable's name in words.
    """
    name = values.attrs.get("long_name", readable(values.name))
    return textwrap.fill(str(name), WRAP)


def by_label(
    named: Mapping[str, xr.Dataset] | xr.Dataset, of: str, panel: str, made_by: str
) -> Mapping[str, xr.Dataset]:
    """The results that a panel draws, by label; a single result gets an empty label.

    Args:
        named: what the user gave to the panel.
        of: the variable that each result must have.
        panel: the panel's name, such as "plot.symmetry".
        made_by: the call that makes such a result, for the error.

    Raises:
        ValueError: a result has no variable `of`; the error says which call makes it.
    """
    given = {"": named} if isinstance(named, xr.Dataset) else named
    right = f'{panel}({{"a label": {made_by}}})'
    if not isinstance(given, Mapping):
        raise ValueError(f"{panel} draws results by label, not a {type(named).__name__}: {right}")
    for label, data in given.items():
        if isinstance(data, xr.Dataset) and of in data:
            continue
        where = f"under {label!r}" if label else "here"
        raise ValueError(f"there is no variable {of!r} {where}: write {right}")
    return given


def check_made(data: object, needed: Sequence[str], panel: str, made_by: str) -> None:
    """Refuse what a panel does not draw, such as hits where it draws what follows from them.

    Args:
        data: what the user gave to the panel.
        needed: the names of variables and coordinates that the panel reads.
        panel: the panel's name, such as "plot.forest".
        made_by: the call that makes what the panel draws, for the error.

    Raises:
        ValueError: a name is missing. The error says which one, those that there are, and the call
            that makes what the panel draws.
    """
    right = f"write {panel}({made_by})"
    if not isinstance(data, xr.Dataset):
        kind = type(data).__name__
        raise ValueError(f"{panel} draws an xarray.Dataset, not a {kind}: {right}")
    missing = [name for name in needed if name not in data]
    if missing:
        there = ", ".join(map(str, data.data_vars)) or "no variable"
        raise ValueError(f"there is no {missing[0]!r} here, but {there}: {right}")


def band(ax: Axes, x: Any, low: Any, high: Any, color: Any, **options: Any) -> None:
    """The interval around a line, as a pale band."""
    ax.fill_between(
        x,
        low,
        high,
        color=color,
        alpha=0.2,
        linewidth=0,
        **options,
    )


def label_ends(ax: Axes, ends: Sequence[tuple[Any, str, Any]]) -> None:
    """Write each series' name at the right end of its line; names that would overlap move apart.

    Call it last, since it reads the limits of the axes.

    Args:
        ax: the panel.
        ends: (heights, name, colour) of each series. The last height along the line places the
            name; of names in the same place, that with the larger mean of all heights stands above.
    """
    ends = [end for end in ends if end[1]]
    if not ends:
        return
    lines = [_heights(ax, np.atleast_1d(np.asarray(y, float))) for y, _, _ in ends]
    last = np.array([y[-1] for y in lines])
    means = np.array([y.mean() for y in lines])
    order = np.lexsort((means, last.round(3)))
    rows = np.array([ends[i][1].count("\n") + 1 for i in order])
    height = _height_of_line(ax)
    gaps = np.minimum(height * (rows[1:] + rows[:-1]) / 2, 1 / len(ends))
    offset: dict[str, Any] = {"xytext": (3, 0), "textcoords": "offset points", "va": "center"}
    for place, i in zip(_apart(last[order], gaps), order, strict=True):
        _, text, color = ends[i]
        ax.annotate(
            text,
            (1, place),
            xycoords="axes fraction",
            color=color,
            **offset,
        )


def _height_of_line(ax: Axes) -> float:
    """The height of a line of text as a fraction of the panel's height."""
    inches = plt.rcParams["font.size"] * 1.25 / 72
    return inches * ax.figure.dpi / ax.get_window_extent().height


def _heights(ax: Axes, y: np.ndarray) -> np.ndarray:
    """Heights along a line as fractions of the panel's height; a line without any is at the top."""
    y = y[np.isfinite(y)]
    if not y.size:
        return np.ones(1)
    to_fraction = ax.transData + ax.transAxes.inverted()
    right = np.full(y.size, ax.get_xlim()[1])
    points = np.column_stack([right, y])
    return np.clip(
        to_fraction.transform(points)[:, 1],
        0,
        1,
    )


def _apart(places: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Ascending places, moved so that neighbours are at least `gaps` apart, and none is above 1."""
    places = places.copy()
    for _ in range(50):  # each time neighbours are pushed apart, evenly to both sides
        for i, gap in enumerate(gaps):
            push = max(0.0, gap - (places[i + 1] - places[i])) / 2
            places[i] -= push
            places[i + 1] += push
        places -= max(0.0, places[-1] - 1)
    return places
