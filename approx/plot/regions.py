"""Maps of kinds over two swept numbers: what is best, or commonest, in each cell."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from approx.plot.cells import OPEN, OPEN_HATCH, Bar, add_bar, add_note, hatch, map_axes, mesh
from approx.plot.kinds import check_colors
from approx.plot.series import MOST_SERIES, check_made
from approx.stats.maps import UNDECIDED

NO_MAJORITY = "undecided"  # what the hatching means


def regions(
    kinds: xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    colors: Mapping[str, Any] | None = None,
    bar: Bar = True,
    named: Sequence[str] | None = None,
) -> Axes:
    """What is best, or commonest, in each cell; white and hatched where the seeds do not decide.

    Args:
        kinds: what `stats.best` or `stats.majority` returned, over exactly two dimensions.
        ax: axes to draw on.
        title: the message of the panel.
        colors: {name of a kind: its colour}.
        bar: whether to say which colour is which, or the axes beside which to say it.
        named: the kinds that the colour bar names; those that are there if left out.

    Raises:
        ValueError: as for `landscape`; more than eight kinds; a kind that is there and has no place
            in `named`, or no colour in `colors`.
    """
    check_made(kinds, ["kind", "n"], "plot.regions", "stats.best(hits)")
    ax, edges, _ = map_axes(kinds.kind, ax)
    names = kinds_there(kinds) if named is None else list(named)
    if len(names) > MOST_SERIES:
        raise ValueError(
            f"{len(names)} kinds: more than eight cannot be told apart; name some of them alike"
        )
    check_named(kinds, names)
    if colors is None:
        colors = _colors_of_style(names)
    check_colors(names, colors)
    number = _numbers(kinds.kind.values, names)
    if names:
        colormap = ListedColormap([colors[name] for name in names])
        image = mesh(
            ax,
            edges,
            number,
            cmap=colormap,
            vmin=-0.5,
            vmax=len(names) - 0.5,
        )
        add_bar(
            bar,
            image,
            ax,
            names,
            ticks=range(len(names)),
        )
    said = []
    undecided = kinds.kind.values == UNDECIDED
    if undecided.any():
        hatch(ax, edges, undecided, OPEN, NO_MAJORITY, OPEN_HATCH)
        said.append(f"hatched: {NO_MAJORITY}")
    add_note(ax, kinds["n"].values, said, title)
    return ax


def _colors_of_style(names: Sequence[str]) -> dict[str, Any]:
    """The colours of matplotlib's style for the names, in turn."""
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    return dict(zip(names, cycle * len(names), strict=False))


def _numbers(kinds: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The place of each cell's kind among the names; nan for a kind without one."""
    number = np.full(kinds.shape, np.nan)
    for place, name in enumerate(names):
        number[kinds == name] = place
    return number


def kinds_there(kinds: xr.Dataset) -> list[str]:
    """The kinds that a cell has, in their order, without `undecided`."""
    there = set(np.unique(kinds.kind.values)) - {UNDECIDED}
    order = kinds.attrs.get("kinds", sorted(there))
    return [name for name in order if name in there]


def check_named(kinds: xr.Dataset, names: Sequence[str]) -> None:
    """Refuse kinds that a cell has and that are not among `names`: the cell would stay white.

    Raises:
        ValueError: naming them.
    """
    left_out = [name for name in kinds_there(kinds) if name not in names]
    if left_out:
        there = ", ".join(names) or "none"
        raise ValueError(f"the kinds {left_out} are on the map and not named: named= has {there}")
