"""The panel of decision regions: which class networks of two inputs name over the plane."""

from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb

from approx import stats
from approx.plot.cells import Bar, Pair, add_bar, add_note, map_axes, mesh
from approx.plot.scales import counted
from approx.plot.series import MARKS, MOST_SERIES, check_made

# From a light colour of the first class to a darker one of the second, so that a panel can be read
# in grey
FIRST, SECOND = "#fdf3e7", "#5b9bc8"
STEPS = 256
TINT = 0.55  # how much of its colour a class has where all seeds name it


class Marked(NamedTuple):
    """Rows to be marked: their places (m, 2), and the numbers of their classes (m,)."""

    places: np.ndarray
    classes: np.ndarray


def boundary(
    runs: xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    *,
    rows: tuple[Any, Any] | None = None,
    above: float | None = None,
    bar: Bar = True,
) -> Axes:
    """Which class networks of two inputs name over the plane, and on how much of it seeds agree.

    With two classes the colour is the share of seeds that name the second one: it is light where
    all seeds name the first class and dark where all name the second. The thick line is where half
    of the seeds name either class, the thin lines where 10% and 90% name the second. With more
    classes each place has the colour of the class that most seeds name, paler where fewer do.

    Args:
        runs: predictions over (seed, point, output) at a grid of the plane, as
            `ap.data(x, y, at=ap.tasks.mesh(...))` has it.
        ax: axes to draw on.
        title: the message of the panel.
        rows: inputs (m, 2) and classes (m,) to be marked, such as the training rows; the test rows
            if left out, where there are any.
        above: see `stats.decisions`.
        bar: whether to add a colour bar, or the axes beside which to add it.

    Raises:
        ValueError: as for `stats.decisions`; rows of another shape, or of an unknown class; more
            than eight classes.

    Example:
        plot.boundary(runs, rows=(x, y))
    """
    check_made(runs, [], "plot.boundary", "runs")
    found = stats.decisions(runs, above)
    names = [str(name) for name in found["class"].values]
    if len(names) > MOST_SERIES:
        raise ValueError(f"{len(names)} classes: more than eight cannot be told apart in one panel")
    marked = marked_rows(runs, rows, names)
    first = found.share.isel({"class": 0})
    ax, edges, centres = map_axes(first, ax)
    said = [f"{counted(found.n)} seeds"]
    if len(names) == 2:
        draw_two(ax, edges, centres, found, bar)
        said.append("lines: 10, 50 and 90% of the seeds")
    else:
        draw_several(ax, edges, centres, found)
        said.append("pale: fewer seeds say so")
    colors = colors_of(len(names))
    for number, name in enumerate(names):
        draw_rows(ax, marked, number, name, colors[number])
    add_key(ax, len(names) > 2 or marked is not None)
    add_note(ax, np.array([]), said, title)
    return ax


def colors_of(count: int) -> list[Any]:
    """A colour for each class: white and black of two, so that the marks can be told in grey."""
    if count == 2:
        return ["white", "0.15"]
    return plt.rcParams["axes.prop_cycle"].by_key()["color"][:count]


def draw_two(ax: Axes, edges: Pair, centres: Pair, found: xr.Dataset, bar: Bar) -> None:
    """Draw the share of seeds that name the second of two classes, with lines of equal share."""
    second = str(found["class"].values[1])
    share = found.share.isel({"class": 1}).values
    blend = np.linspace(to_rgb(FIRST), to_rgb(SECOND), STEPS)
    image = mesh(ax, edges, share, cmap=ListedColormap(blend), vmin=0, vmax=1)
    ticks = np.linspace(0, 1, 6)
    label = f"share of seeds that say {second}"
    add_bar(bar, image, ax, [f"{100 * tick:.0f}%" for tick in ticks], label=label, ticks=ticks)
    for level, width in ((0.1, 0.4), (0.5, 1.3), (0.9, 0.4)):
        if share.min() < level < share.max() and min(share.shape) > 1:
            ax.contour(*centres, share, levels=[level], colors="k", linewidths=width)


def draw_several(ax: Axes, edges: Pair, centres: Pair, found: xr.Dataset) -> None:
    """Draw the class that most seeds name, paler where fewer do, with lines between classes."""
    share = found.share.values
    colors = np.array([to_rgb(color) for color in colors_of(len(share))])
    leader = share.argmax(0)
    weight = TINT * share.max(0)[..., None]
    shades = 1 - weight * (1 - colors[leader])
    ax.pcolormesh(*edges, shades, rasterized=True)
    for number in range(len(share)):
        others = np.delete(share, number, 0).max(0)
        lead = share[number] - others
        if lead.min() < 0 < lead.max() and min(lead.shape) > 1:
            ax.contour(*centres, lead, levels=[0.0], colors="k", linewidths=0.8)


def draw_rows(ax: Axes, marked: Marked | None, number: int, name: str, color: Any) -> None:
    """Mark the rows of a class; without rows, only the class's name and colour are kept."""
    places = np.empty((0, 2))
    if marked is not None:
        places = marked.places[marked.classes == number]
    ax.scatter(
        places[:, 0],
        places[:, 1],
        s=9,
        marker=MARKS[number],
        facecolor=color,
        edgecolor="k" if marked is not None else "none",
        linewidth=0.4,
        label=name,
        zorder=3,
    )


def add_key(ax: Axes, wanted: bool) -> None:
    """Say below the panel which mark and colour is which class."""
    if wanted:
        ax.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.17),
            ncols=4,
            handletextpad=0.1,
            columnspacing=1.0,
            borderpad=0,
        )


# ---- which rows are marked -----------------------------------------------------------------------


def marked_rows(runs: xr.Dataset, rows: tuple[Any, Any] | None, names: list[str]) -> Marked | None:
    """The rows that a user gives, or the test rows of the result; None if there are none.

    Raises:
        ValueError: rows of another shape, or of an unknown class.
    """
    if rows is not None:
        return given_rows(rows, names)
    if "role" not in runs.coords or "y_test" not in runs.coords:
        return None
    chosen = np.flatnonzero(runs.role.values != "at")
    if not chosen.size:
        return None
    places = runs.x_test.transpose("point", "input").values[chosen]
    targets = runs.y_test.isel(point=chosen).transpose("point", ...).values
    if targets.ndim == 1:
        return Marked(places, targets.astype(int))
    if targets.shape[1] == 1:
        return Marked(places, (targets[:, 0] > 0.5).astype(int))
    return Marked(places, targets.argmax(1))


def given_rows(rows: Any, names: list[str]) -> Marked:
    """The rows of a pair (x, y), whose y names classes or gives their numbers.

    Raises:
        ValueError: rows of another shape, or of an unknown class.
    """
    if not isinstance(rows, tuple | list) or len(rows) != 2:
        raise ValueError("rows is a pair (x, y): inputs (m, 2), and the class of each")
    places, classes = np.asarray(rows[0], float), np.asarray(rows[1]).squeeze()
    if places.ndim != 2 or places.shape[1] != 2 or classes.shape != places.shape[:1]:
        raise ValueError(
            f"rows has inputs of shape {places.shape} and classes of shape {classes.shape}; they "
            "must be (m, 2) and (m,)"
        )
    numbers = {name: number for number, name in enumerate(names)}
    found = []
    for value in classes.tolist():
        text = str(int(value)) if isinstance(value, float) and value == int(value) else str(value)
        if text not in numbers:
            raise ValueError(f"rows has the class {value!r}; the classes are {', '.join(names)}")
        found.append(numbers[text])
    return Marked(places, np.array(found, int))
