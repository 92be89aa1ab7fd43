"""Maps over two swept numbers: rates, times and errors, kinds."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from scipy import ndimage

from approx.plot.series import axes, readable
from approx.stats.maps import UNDECIDED, check_axis, spaced_by_logarithm

NONE, NEVER = "0.85", "0.65"  # cells without seeds; cells whose value is infinite
DIVERGED = "0.75"
Pair = tuple[np.ndarray, np.ndarray]


def landscape(
    rates: xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    decide: float = 0.5,
    lines: Sequence[float] = (),
    diverged: xr.DataArray | None = None,
    boundary: xr.Dataset | None = None,
) -> Axes:
    """Rate of success over two swept numbers; hatched where its interval holds `decide`, grey where there are no seeds.

    Of what `maps.refine` returned, cells without seeds are pale and interpolated.

    Args:
        rates: what `stats.rate` returned, over exactly two dimensions: the first upwards, the second to the right.
        ax: axes to draw on.
        title: the message of the panel.
        decide: the rate that decides, one half by default.
        lines: rates to draw lines of, of the mean over each cell and its eight neighbours.
        diverged: share of seeds that diverged, over the same dimensions: cells in which most did have a dot.
        boundary: what `stats.boundary` returned of the rates, drawn with its intervals.

    Raises:
        ValueError: not two dimensions; an axis that repeats values or is not in order.
    """
    ax, edges, (x, y) = _panel(rates.rate, ax, title)
    image = ax.pcolormesh(*edges, np.ma.masked_invalid(rates.rate.values), vmin=0, vmax=1, rasterized=True)
    said = []
    if "filled" in rates and (pale := rates.n.values == 0).any():
        ax.pcolormesh(*edges, np.ma.masked_where(~pale, rates.filled.values), vmin=0, vmax=1, alpha=0.5,
                      rasterized=True)  # fmt: skip
        said.append("pale: interpolated")
    undecided = (rates.low.values <= decide) & (decide <= rates.high.values) & np.isfinite(rates.rate.values)
    if undecided.any():
        said.append(f"hatched: {100 * decide:g}% not excluded")
        ax.add_collection(_hatched(*edges, undecided))
    if len(lines) and min(x.size, y.size) > 2:
        shown = ax.contour(x, y, smooth(rates), levels=sorted(lines), colors="k", linewidths=(0.8,))
        ax.clabel(shown, fmt=lambda p: f"{100 * p:g}%", fontsize=6)
    if diverged is not None and (most := diverged.transpose(*rates.rate.dims).values > 0.5).any():
        i, j = np.nonzero(most)
        ax.plot(x[j], y[i], ".", color=DIVERGED, ms=1.2, mew=0)
        said.append("dots: diverged")
    if boundary is not None:
        _draw_boundary(boundary, ax, str(rates.rate.dims[0]))
    bar = ax.figure.colorbar(image, ax=ax, label="share of seeds in success", ticks=np.linspace(0, 1, 6))
    bar.ax.set_yticklabels([f"{p}%" for p in range(0, 101, 20)])
    bar.outline.set_visible(False)
    _note(ax, rates.n.values, said)
    return ax


def field(
    data: xr.Dataset,
    of: str,
    ax: Axes | None = None,
    title: str | None = None,
    label: str | None = None,
    limits: tuple[float, float] | None = None,
    log: bool | None = None,
    infinite: str = "never",
) -> Axes:
    """A number over two swept numbers: a time, a cost, an error, the width of an interval.

    Args:
        data: the number and `n`, over exactly two dimensions: the first upwards, the second to the right.
        of: the variable. Infinite cells are dark grey, nan light grey.
        ax: axes to draw on.
        title: the message of the panel.
        label: of the colours, with its unit.
        limits: of the colours; those of the finite values if left out. What lies beyond has the colour of the end.
        log: whether colours follow the logarithm; by default where positive values span more than a decade.
        infinite: what an infinite value means: never reached, or diverged.

    Raises:
        ValueError: as for `landscape`.
    """
    ax, edges, _ = _panel(data[of], ax, title)
    values = data[of].values.astype(float)
    finite = values[np.isfinite(values)]
    shown = finite[finite > 0] if log else finite
    low, high = limits or ((shown.min(), shown.max()) if shown.size else (0.1, 1.0))
    log = bool(low > 0 and high > 10 * low) if log is None else log
    values = np.where(np.isfinite(values), np.maximum(values, low), values)  # zero has no logarithm
    norm = LogNorm(low, high) if log else Normalize(low, high if high > low else low + 1)
    mesh: dict[str, Any] = {"norm": norm, "cmap": "cividis", "rasterized": True}
    image = ax.pcolormesh(*edges, np.ma.masked_invalid(values), **mesh)
    said = []
    if np.isinf(values).any():
        never = np.ma.masked_where(~np.isinf(values), np.zeros(values.shape))
        ax.pcolormesh(*edges, never, cmap=ListedColormap([NEVER]), rasterized=True)
        said.append(f"dark grey: {infinite}")
    below, above = (bool((finite < low).any()), bool((finite > high).any()))
    extend = "both" if below and above else "min" if below else "max" if above else "neither"
    bar = ax.figure.colorbar(image, ax=ax, label=label or readable(of), extend=extend)
    bar.outline.set_visible(False)
    _note(ax, data["n"].values if "n" in data else np.array([]), said)
    return ax


def regions(
    kinds: xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    colors: Mapping[str, Any] | None = None,
) -> Axes:
    """What is best, or commonest, in each cell; white and hatched where the seeds do not decide.

    Args:
        kinds: what `stats.best` or `stats.majority` returned, over exactly two dimensions.
        ax: axes to draw on.
        title: the message of the panel.
        colors: of the kinds, by name.

    Raises:
        ValueError: as for `landscape`; more than eight kinds.
    """
    ax, edges, _ = _panel(kinds.kind, ax, title)
    there = set(np.unique(kinds.kind.values))
    names = [name for name in kinds.attrs.get("kinds", sorted(there)) if name in there and name != UNDECIDED]
    if len(names) > 8:
        raise ValueError(f"{len(names)} kinds: more than eight cannot be told apart; name some of them alike")
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    chosen = {name: (colors or {}).get(name, cycle[number % len(cycle)]) for number, name in enumerate(names)}
    number = np.full(kinds.kind.shape, np.nan)
    for position, name in enumerate(names):
        number[kinds.kind.values == name] = position
    ax.set_facecolor("white")
    if names:
        colormap = ListedColormap(list(chosen.values()))
        image = ax.pcolormesh(*edges, np.ma.masked_invalid(number), cmap=colormap, vmin=-0.5, vmax=len(names) - 0.5,
                              rasterized=True)  # fmt: skip
        bar = ax.figure.colorbar(image, ax=ax, ticks=range(len(names)))
        bar.ax.set_yticklabels(names)
        bar.ax.tick_params(length=0)
        bar.outline.set_visible(False)
    undecided = kinds.kind.values == UNDECIDED
    if undecided.any():
        ax.add_collection(_hatched(*edges, undecided, "0.6"))
    _note(ax, kinds["n"].values, ["hatched: undecided"] if undecided.any() else [])
    return ax


def _draw_boundary(found: xr.Dataset, ax: Axes, vertical: str) -> None:
    """Where the rate crosses one half, with its interval, along the axis that it was fitted along."""
    (other,) = [str(dim) for dim in found.middle.dims if dim != "crossing"]
    places = np.repeat(np.asarray(found[other], float)[:, None], found.sizes["crossing"], 1)
    middle, low, high = (found[name].transpose(other, "crossing").values for name in ("middle", "low", "high"))
    style: dict[str, Any] = {"color": "k", "lw": 0.7, "fmt": ".", "ms": 1.5}
    if found.attrs["along"] == vertical:
        ax.errorbar(places.ravel(), middle.ravel(), np.abs(np.stack([low, high]) - middle).reshape(2, -1), **style)
    else:
        ax.errorbar(middle.ravel(), places.ravel(), xerr=np.abs(np.stack([low, high]) - middle).reshape(2, -1), **style)


def smooth(rates: xr.Dataset) -> np.ndarray:
    """The rate of each cell and its eight neighbours together, for lines that do not follow single seeds."""
    k, n = (np.nan_to_num(np.asarray(rates[name].values, float)) for name in ("successes", "n"))
    around = np.ones((3, 3))
    hits, seeds = (ndimage.convolve(values, around, mode="nearest") for values in (k, n))
    return hits / np.where(seeds > 0, seeds, np.nan)


def _panel(values: xr.DataArray, ax: Axes | None, title: str | None) -> tuple[Axes, Pair, Pair]:
    """Axes, edges of the cells and their centres, to the right and upwards."""
    if values.ndim != 2:
        raise ValueError(f"a landscape needs two dimensions, got {', '.join(map(str, values.dims)) or 'none'}; "
                         "reduce or .sel() the others")  # fmt: skip
    vertical, horizontal = (str(dim) for dim in values.dims)
    x, y = np.asarray(values[horizontal], float), np.asarray(values[vertical], float)
    check_axis(horizontal, x)
    check_axis(vertical, y)
    ax = axes(ax)
    if title:
        ax.set_title(title, pad=13)  # above the line that says n
    ax.set_facecolor(NONE)
    for centres, set_scale in ((x, ax.set_xscale), (y, ax.set_yscale)):
        set_scale("log" if spaced_by_logarithm(centres) else "linear")
    ax.set_xlabel(readable(horizontal))
    ax.set_ylabel(readable(vertical))
    edges = _edges(x), _edges(y)
    ax.set(xlim=edges[0][[0, -1]], ylim=edges[1][[0, -1]])
    return ax, edges, (x, y)


def _hatched(x: np.ndarray, y: np.ndarray, chosen: np.ndarray, color: str = "white") -> PolyCollection:
    """Hatched rectangles over the chosen cells (rows upwards)."""
    corners = [[(x[j], y[i]), (x[j + 1], y[i]), (x[j + 1], y[i + 1]), (x[j], y[i + 1])] for i, j in np.argwhere(chosen)]
    return PolyCollection(corners, facecolor="none", edgecolor=color, linewidth=0, hatch="///////")


def _note(ax: Axes, n: np.ndarray, said: list[str]) -> None:
    """The line above a map: seeds of a cell, and what marks mean."""
    if n.size:
        count = f"n = {n.min():,}" if n.min() == n.max() else f"n = {n.min():,} to {n.max():,}"
        said = [f"{count} per cell", *said]
    note = ax.annotate("; ".join(said), (0, 1.01), xycoords="axes fraction", ha="left", va="bottom", size=6)
    note.set_in_layout(False)  # it may reach over the colours' bar, but takes no room from the map


def _edges(values: np.ndarray) -> np.ndarray:
    """Edges of cells around the given centres, halfway between them (of their logarithms where so spaced)."""
    log = spaced_by_logarithm(values)
    centres = np.log(values) if log else values
    if centres.size == 1:
        edges = centres[0] + np.array([-0.5, 0.5])
    else:
        middle = (centres[1:] + centres[:-1]) / 2
        edges = np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])
    return np.exp(edges) if log else edges
