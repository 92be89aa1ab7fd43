"""What several panels share: axes to draw on, series told apart in colour and in grey, labels at
the lines, n.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

WRAP = 34  # characters in a line of an axis' label
LINES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (4, 1.2, 1, 1.2)))


def axes(ax: Axes | None, title: str | None = None) -> Axes:
    """The axes given, or new ones, with the panel's message as title."""
    if ax is None:
        ax = plt.figure(layout="constrained").add_subplot()  # with room for labels in any style
    if title:
        ax.set_title(title)
    return ax


def each(data: xr.Dataset, along: str) -> Iterator[tuple[str, xr.Dataset, dict[str, Any]]]:
    """Yield (label, dataset over `along`, line style) for every series of a result.

    Raises:
        ValueError: more than eight series, which nobody can tell apart in one panel.
    """
    dims = [str(dim) for dim in data.dims if dim != along]
    # Only what varies along `along` or from series to series; other variables would bring
    # dimensions of their own.
    cells = data.stack(series_=dims, create_index=False) if dims else data.expand_dims("series_")
    if cells.sizes["series_"] > 8:
        raise ValueError(
            f"{cells.sizes['series_']} series over {', '.join(dims)}; choose at most eight with .sel()"
        )
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for i in range(cells.sizes["series_"]):
        one = cells.isel(series_=i)
        label = ", ".join(name_value(dim, one[dim].item()) for dim in dims if dim in one.coords)
        yield label, one, {"color": colors[i % len(colors)], "linestyle": LINES[i % len(LINES)]}


def name_value(dim: str, value: object) -> str:
    """How one coordinate is written: text by itself, numbers with their name."""
    return f"{readable(dim)} {value:.3g}" if isinstance(value, float | int) else str(value)


def readable(name: object) -> str:
    """A variable's name in words: underscores as spaces."""
    return str(name).replace("_", " ")


def long_name(values: xr.DataArray) -> str:
    """What a variable is, in lines short enough for an axis: its `long_name`, or its name in words."""
    return textwrap.fill(str(values.attrs.get("long_name", readable(values.name))), WRAP)


def by_label(
    named: Mapping[str, xr.Dataset] | xr.Dataset, of: str, panel: str, made_by: str
) -> Mapping[str, xr.Dataset]:
    """What a panel takes by label; a single result gets an empty label.

    Raises:
        ValueError: without the variable `of`, saying which call makes it.
    """
    given = {"": named} if isinstance(named, xr.Dataset) else named
    right = f'{panel}({{"a label": {made_by}}})'
    if not isinstance(given, Mapping):
        raise ValueError(f"{panel} draws results by label, not a {type(named).__name__}: {right}")
    for label, data in given.items():
        if not isinstance(data, xr.Dataset) or of not in data:
            whose = f"under {label!r}" if label else "here"
            raise ValueError(f"there is no variable {of!r} {whose}: write {right}")
    return given


def check_made(data: object, needed: Sequence[str], panel: str, made_by: str) -> None:
    """Refuse what a panel does not draw, such as hits where it draws what follows from them.

    Raises:
        ValueError: the name that is missing, those there are, and the call that makes what the
            panel draws.
    """
    if not isinstance(data, xr.Dataset):
        raise ValueError(
            f"{panel} draws an xarray.Dataset, not a {type(data).__name__}: write {panel}({made_by})"
        )
    missing = [name for name in needed if name not in data]
    if missing:
        there = ", ".join(map(str, data.data_vars)) or "no variable"
        raise ValueError(f"there is no {missing[0]!r} here, but {there}: write {panel}({made_by})")


def label_ends(ax: Axes, ends: list[tuple[np.ndarray, str, Any]]) -> None:
    """Write each series' name at the right end of its line; names that would overlap move apart.

    Call it last, when the limits stand.

    Args:
        ax: the panel.
        ends: for each series its heights along the line (the last one counts, ties are settled by
            the mean of all), its name, and its colour.
    """
    ends = [end for end in ends if end[1]]
    if not ends:
        return
    to_fraction = ax.transData + ax.transAxes.inverted()

    def heights(y: np.ndarray) -> np.ndarray:
        points = np.column_stack([np.full(y.size, ax.get_xlim()[1]), y])
        return np.clip(to_fraction.transform(points)[:, 1], 0, 1)

    lines = [heights(np.atleast_1d(np.asarray(y, float))[np.isfinite(y)]) for y, _, _ in ends]
    # Infinite everywhere: named at the top
    lines = [line if line.size else np.ones(1) for line in lines]
    places, means = np.array([y[-1] for y in lines]), np.array([y.mean() for y in lines])
    order = np.lexsort((means, places.round(3)))
    rows = np.array([ends[i][1].count("\n") + 1 for i in order])
    line = plt.rcParams["font.size"] * 1.25 / 72 * ax.figure.dpi / ax.get_window_extent().height
    spread = places[order]
    for _ in range(50):  # push neighbours apart, evenly to both sides
        for i in range(len(spread) - 1):
            gap = min(line * (rows[i] + rows[i + 1]) / 2, 1 / len(ends))
            push = max(0.0, gap - (spread[i + 1] - spread[i])) / 2
            spread[i], spread[i + 1] = spread[i] - push, spread[i + 1] + push
        spread = spread - max(0.0, spread[-1] - 1)
    for place, i in zip(spread, order, strict=True):
        _, text, color = ends[i]
        offset: dict[str, Any] = {"xytext": (3, 0), "textcoords": "offset points"}
        ax.annotate(text, (1, place), xycoords="axes fraction", va="center", color=color, **offset)


def corner(
    ax: Axes, n: xr.DataArray | np.ndarray | int, where: str = "lower right", what: str = "seeds"
) -> None:
    """Write the number of seeds into a corner: one number, or the range over the series."""
    values = np.asarray(n)
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    text = f"n = {low:,} {what}" if low == high else f"n = {low:,} to {high:,} {what}"
    vertical, horizontal = where.split()
    text = text.strip()
    place = (0.98 if horizontal == "right" else 0.02, 0.03 if vertical == "lower" else 0.97)
    ax.text(
        *place,
        text,
        transform=ax.transAxes,
        ha=horizontal,
        va="bottom" if vertical == "lower" else "top",
        size=6.5,
    )


def step_axis(ax: Axes, steps: np.ndarray) -> None:
    """An axis of steps: logarithmic, linear below 1 so that step 0 is shown."""
    ax.set_xscale("symlog", linthresh=1)
    ax.set_xlim(float(steps[0]), float(steps[-1]))
    decades = 10.0 ** np.arange(0, np.ceil(np.log10(max(steps[-1], 10))) + 1)
    ax.set_xticks([0.0, *decades[decades <= steps[-1]]])
    ax.set_xlabel("step")


def share_axis(ax: Axes, label: str) -> None:
    """A vertical axis from 0 to 100%."""
    ax.set_ylim(-0.02, 1.02)
    ax.set_yticks(np.linspace(0, 1, 6), [f"{p}%" for p in range(0, 101, 20)])
    ax.set_ylabel(label)
