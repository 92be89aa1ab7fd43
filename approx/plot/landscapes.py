"""Maps over two swept numbers: rates, times and errors, kinds; and over more, a panel each."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from scipy import ndimage

from approx.plot.kinds import check_colors
from approx.plot.series import axes, check_made, name_value, readable
from approx.stats.labels import check_rates
from approx.stats.maps import UNDECIDED, check_axis, spaced_by_logarithm

# Hatching of cells whose value is infinite: in grey no colour of the map looks like it
NEVER = "0.7"
DIVERGED = "0.75"
BETWEEN, NOTE, NOTE_SIZE = "; ", "note", 6  # of the line above a map, in points
# Mean width of a character of it, in its size: 58 characters of 6 points measured 2.4 inches
CHARACTER = 0.5
# Inches left of a map; the width with its bar of colours, over that of the map
LEFT, WITH_BAR = 0.4, 1.2
Pair = tuple[np.ndarray, np.ndarray]
Bar = bool | list[Axes]


def landscape(
    rates: xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    decide: float = 0.5,
    lines: Sequence[float] = (),
    diverged: xr.DataArray | None = None,
    boundary: xr.Dataset | None = None,
    bar: Bar = True,
) -> Axes:
    """Rate of success over two swept numbers: hatched where its interval holds `decide`, white
    where no seeds are.

    Of what `maps.refine` returned, cells without seeds are pale and interpolated.

    Args:
        rates: what `stats.rate` returned, over exactly two dimensions: the first upwards, the
            second to the right.
        ax: axes to draw on.
        title: the message of the panel.
        decide: the rate that decides, one half by default.
        lines: rates to draw lines of, of the mean over each cell and its eight neighbours.
        diverged: share of seeds that diverged, over the same dimensions: cells in which most did
            have a dot.
        boundary: what `stats.boundary` returned of the rates, drawn with its intervals.
        bar: whether to add a colour bar, or the axes that it serves.

    Raises:
        ValueError: no rates (runs or hits, say); not two dimensions; an axis that repeats values or
            is not in order.
    """
    check_rates(rates)
    ax, edges, (x, y) = _panel(rates.rate, ax)
    image = ax.pcolormesh(
        *edges, np.ma.masked_invalid(rates.rate.values), vmin=0, vmax=1, rasterized=True
    )
    said = []
    if "filled" in rates and (pale := rates.n.values == 0).any():
        ax.pcolormesh(*edges, np.ma.masked_where(~pale, rates.filled.values), vmin=0, vmax=1, alpha=0.5,
                      rasterized=True)  # fmt: skip
        said.append("pale: interpolated")
    undecided = (
        (rates.low.values <= decide)
        & (decide <= rates.high.values)
        & np.isfinite(rates.rate.values)
    )
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
    shares = [f"{p}%" for p in range(0, 101, 20)]
    _add_bar(bar, image, ax, shares, label="share of seeds in success", ticks=np.linspace(0, 1, 6))
    _note(ax, rates.n.values, said, title)
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
    bar: Bar = True,
) -> Axes:
    """A number over two swept numbers: a time, a cost, an error, the width of an interval.

    Args:
        data: the number and `n`, over exactly two dimensions: the first upwards, the second to the
            right.
        of: the variable. Infinite cells are hatched, nan is white.
        ax: axes to draw on.
        title: the message of the panel.
        label: of the colours, with its unit.
        limits: of the colours; those of the finite values if left out. What lies beyond has the
            colour of the end.
        log: whether colours follow the logarithm; by default where positive values span more than a
            decade.
        infinite: what an infinite value means: never reached, or diverged.
        bar: whether to add a colour bar, or the axes that it serves.

    Raises:
        ValueError: as for `landscape`.
    """
    check_made(data, [of], "plot.field", 'stats.time_quantiles(hits), "time"')
    ax, edges, _ = _panel(data[of], ax)
    values = data[of].values.astype(float)
    finite = values[np.isfinite(values)]
    low, high = limits or _limits(values, log)
    log = bool(low > 0 and high > 10 * low) if log is None else log
    values = np.where(np.isfinite(values), np.maximum(values, low), values)  # zero has no logarithm
    norm = LogNorm(low, high) if log else Normalize(low, high if high > low else low + 1)
    mesh: dict[str, Any] = {"norm": norm, "cmap": "cividis", "rasterized": True}
    image = ax.pcolormesh(*edges, np.ma.masked_invalid(values), **mesh)
    said = []
    if np.isinf(values).any():
        ax.add_collection(_hatched(*edges, np.isinf(values), NEVER))
        said.append(f"hatched: {infinite}")
    below, above = (bool((finite < low).any()), bool((finite > high).any()))
    extend = "both" if below and above else "min" if below else "max" if above else "neither"
    _add_bar(bar, image, ax, label=label or readable(of), extend=extend)
    _note(ax, data["n"].values if "n" in data else np.array([]), said, title)
    return ax


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
        colors: of the kinds, by name.
        bar: whether to say which colour is which, or the axes that it serves.
        named: the kinds that have a colour; those that are there if left out.

    Raises:
        ValueError: as for `landscape`; more than eight kinds; a kind that is there and has no place
            in `named`, or no colour in `colors`.
    """
    check_made(kinds, ["kind", "n"], "plot.regions", "stats.best(hits)")
    ax, edges, _ = _panel(kinds.kind, ax)
    names = _named(kinds) if named is None else list(named)
    if len(names) > 8:
        raise ValueError(
            f"{len(names)} kinds: more than eight cannot be told apart; name some of them alike"
        )
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    check_named(kinds, names)
    given = dict(zip(names, cycle * len(names), strict=False)) if colors is None else colors
    check_colors(names, given)
    chosen = {name: given[name] for name in names}
    number = np.full(kinds.kind.shape, np.nan)
    for position, name in enumerate(names):
        number[kinds.kind.values == name] = position
    if names:
        colormap = ListedColormap(list(chosen.values()))
        image = ax.pcolormesh(*edges, np.ma.masked_invalid(number), cmap=colormap, vmin=-0.5, vmax=len(names) - 0.5,
                              rasterized=True)  # fmt: skip
        _add_bar(bar, image, ax, names, ticks=range(len(names)))
    undecided = kinds.kind.values == UNDECIDED
    if undecided.any():
        ax.add_collection(_hatched(*edges, undecided, "0.6"))
    _note(ax, kinds["n"].values, ["hatched: undecided"] if undecided.any() else [], title)
    return ax


def facets(
    data: xr.Dataset,
    draw: Callable[..., Axes] = landscape,
    *,
    col: str,
    row: str | None = None,
    columns: int = 3,
    panels: np.ndarray | Sequence[Axes] | None = None,
    **options,
) -> np.ndarray:
    """Maps over more than two swept numbers: one for each value of a third, and of a fourth, with
    the same colours.

    Args:
        data: what `draw` takes, over two dimensions and `col`, and `row` if there is one.
        draw: `landscape`, `field` or `regions`.
        col: the dimension whose values lie side by side; without `row` they go on in the next line
            after `columns`.
        row: the dimension whose values lie below each other.
        columns: panels in a line, without `row`.
        panels: axes to draw on, as many as there are values; those of a new figure if left out.
        **options: of `draw`. Datasets and arrays among them that have `col` or `row` are each
            panel's part.

    Returns:
        The axes, lines and columns of them; those that nothing was drawn on are taken away.

    Raises:
        ValueError: not two dimensions beside `col` and `row`; other than as many panels; what
            `draw` refuses.
    """
    dims = [dim for dim in (row, col) if dim is not None]
    if missing := [dim for dim in dims if dim not in data.dims]:
        raise ValueError(
            f"{missing[0]!r} is no dimension of the data; it has {', '.join(map(str, data.dims))}"
        )
    wide = data.sizes[col] if row is not None else min(columns, data.sizes[col])
    values = list(product(*(range(data.sizes[dim]) for dim in dims)))
    high = -(-len(values) // wide)
    if panels is None:
        size = (min(7.0, 0.8 + 2.3 * wide), 0.3 + 2.2 * high)
        panels = plt.subplots(high, wide, sharex=True, sharey=True, squeeze=False, figsize=size)[1]
    else:
        panels = np.asarray(panels)
        if panels.size != len(values):
            raise ValueError(f"{panels.size} panels for {len(values)} values of {' x '.join(dims)}")
    drawn, rest = panels.ravel()[: len(values)], panels.ravel()[len(values) :]
    for ax in rest:
        ax.remove()
    options |= _shared(data, draw, options)
    for ax, at in zip(drawn, values, strict=True):
        place = dict(zip(dims, at, strict=True))
        own = {name: _part(value, place) for name, value in options.items()}
        one = data.isel(place)
        title = ", ".join(name_value(dim, one[dim].item()) for dim in dims if dim in one.coords)
        draw(one, ax=ax, title=title, bar=drawn.tolist() if ax is drawn[-1] else False, **own)
    notes = [text for ax in drawn for text in ax.texts if text.get_gid() == NOTE]
    texts = [note.get_text().replace("\n", " ") for note in notes]
    said = dict.fromkeys(part for text in texts for part in text.split(BETWEEN))
    figure = drawn[0].figure
    # Once for all
    notes[0].set_text("\n".join(_lines(list(said), figure.bbox.width / figure.dpi - LEFT)))
    for note in notes[1:]:
        note.remove()
    for ax in drawn:
        ax.label_outer()
    for ax in drawn[-wide:]:  # the last of each column, those above an empty place too
        ax.tick_params(labelbottom=True)
        ax.set_xlabel(drawn[-1].get_xlabel())
    return panels


def _shared(data: xr.Dataset, draw: Callable, options: Mapping[str, Any]) -> dict[str, Any]:
    """What all panels have in common: limits of the colours, or the kinds that have one."""
    if draw is field:
        values = data[options["of"]].values.astype(float)
        return {"limits": options.get("limits") or _limits(values, options.get("log"))}
    return {"named": options.get("named") or _named(data)} if draw is regions else {}


def _part(value: Any, place: Mapping[str, int]) -> Any:
    """A panel's part of an option."""
    if isinstance(value, xr.Dataset | xr.DataArray):
        return value.isel(place, missing_dims="ignore")
    return value


def _named(kinds: xr.Dataset) -> list[str]:
    """The kinds that are there, in their order, but for what is undecided."""
    there = set(np.unique(kinds.kind.values))
    return [
        name
        for name in kinds.attrs.get("kinds", sorted(there))
        if name in there and name != UNDECIDED
    ]


def check_named(kinds: xr.Dataset, names: Sequence[str]) -> None:
    """Refuse kinds that are in a cell and not among those that are named, whose cells would stay
    white.

    Raises:
        ValueError: naming them.
    """
    left_out = [name for name in _named(kinds) if name not in names]
    if left_out:
        raise ValueError(
            f"the kinds {left_out} are on the map and not named: named= has {', '.join(names) or 'none'}"
        )


def _limits(values: np.ndarray, log: bool | None) -> tuple[float, float]:
    """The least and the greatest value that a colour shows."""
    shown = values[np.isfinite(values) & ((values > 0) | (not log))]
    return (float(shown.min()), float(shown.max())) if shown.size else (0.1, 1.0)


def _add_bar(bar: Bar, image: QuadMesh, ax: Axes, names: Sequence[str] = (), **options) -> None:
    """What the colours mean, beside the panel or beside all that it serves."""
    if bar is False:
        return
    shown = ax.figure.colorbar(image, ax=ax if bar is True else bar, **options)
    shown.outline.set_visible(False)
    if names:
        shown.ax.set_yticklabels(names)
    if "label" not in options:
        shown.ax.tick_params(length=0)
    if isinstance(image.norm, LogNorm) and np.ptp(np.log10(image.get_clim())) > 4:  # decades
        shown.minorticks_off()


def _draw_boundary(found: xr.Dataset, ax: Axes, vertical: str) -> None:
    """Where the rate crosses one half, with its interval, along the axis that it was fitted along."""
    (other,) = [str(dim) for dim in found.middle.dims if dim != "crossing"]
    places = np.repeat(np.asarray(found[other], float)[:, None], found.sizes["crossing"], 1)
    middle, low, high = (
        found[name].transpose(other, "crossing").values for name in ("middle", "low", "high")
    )
    style: dict[str, Any] = {"color": "k", "lw": 0.7, "fmt": ".", "ms": 1.5}
    if found.attrs["along"] == vertical:
        ax.errorbar(
            places.ravel(),
            middle.ravel(),
            np.abs(np.stack([low, high]) - middle).reshape(2, -1),
            **style,
        )
    else:
        ax.errorbar(
            middle.ravel(),
            places.ravel(),
            xerr=np.abs(np.stack([low, high]) - middle).reshape(2, -1),
            **style,
        )


def smooth(rates: xr.Dataset) -> np.ndarray:
    """The rate of each cell and its eight neighbours together, for lines that do not follow single
    seeds.
    """
    k, n = (np.nan_to_num(np.asarray(rates[name].values, float)) for name in ("successes", "n"))
    around = np.ones((3, 3))
    hits, seeds = (ndimage.convolve(values, around, mode="nearest") for values in (k, n))
    return hits / np.where(seeds > 0, seeds, np.nan)


def _panel(values: xr.DataArray, ax: Axes | None) -> tuple[Axes, Pair, Pair]:
    """Axes, edges of the cells and their centres, to the right and upwards."""
    if values.ndim != 2:
        raise ValueError(f"a landscape needs two dimensions, got {', '.join(map(str, values.dims)) or 'none'}; "
                         "reduce or .sel() the others")  # fmt: skip
    vertical, horizontal = (str(dim) for dim in values.dims)
    x, y = np.asarray(values[horizontal], float), np.asarray(values[vertical], float)
    check_axis(horizontal, x)
    check_axis(vertical, y)
    ax = axes(ax)
    ax.set_facecolor("white")
    for centres, set_scale in ((x, ax.set_xscale), (y, ax.set_yscale)):
        set_scale("log" if spaced_by_logarithm(centres) else "linear")
    ax.set_xlabel(readable(horizontal))
    ax.set_ylabel(readable(vertical))
    edges = _edges(x), _edges(y)
    ax.set(xlim=edges[0][[0, -1]], ylim=edges[1][[0, -1]])
    return ax, edges, (x, y)


def _hatched(
    x: np.ndarray, y: np.ndarray, chosen: np.ndarray, color: str = "white"
) -> PolyCollection:
    """Hatched rectangles over the chosen cells (rows upwards), neighbours of a row together."""
    ends = np.diff(np.pad(chosen.astype(int), ((0, 0), (1, 1))), axis=1)
    runs = [(i, first, last) for i, row in enumerate(ends)
            for first, last in zip(np.flatnonzero(row == 1), np.flatnonzero(row == -1), strict=True)]  # fmt: skip
    corners = [[(x[j], y[i]), (x[k], y[i]), (x[k], y[i + 1]), (x[j], y[i + 1])] for i, j, k in runs]
    return PolyCollection(corners, facecolor="none", edgecolor=color, linewidth=0, hatch="///////")


def _note(ax: Axes, n: np.ndarray, said: list[str], title: str | None) -> None:
    """The lines above a map: seeds of a cell, and what marks mean; and the title above them."""
    if n.size:
        count = f"n = {n.min():,}" if n.min() == n.max() else f"n = {n.min():,} to {n.max():,}"
        said = [f"{count} per cell", *said]
    width = ax.get_position().width * ax.figure.bbox.width / ax.figure.dpi
    lines = _lines(said, min(WITH_BAR * width, ax.figure.bbox.width / ax.figure.dpi - LEFT))
    note = ax.annotate(
        "\n".join(lines),
        (0, 1.01),
        xycoords="axes fraction",
        ha="left",
        va="bottom",
        size=NOTE_SIZE,
    )
    note.set_gid(NOTE)
    note.set_in_layout(False)  # it may reach over the colours' bar, but takes no room from the map
    height = 1.25 * NOTE_SIZE * len(lines)  # points
    before = ax.get_title(loc=plt.rcParams["axes.titlelocation"])
    # A blank keeps the room that the note needs
    ax.set_title(title or before or " ", pad=height + 5.5)


def _lines(said: Sequence[str], inches: float) -> list[str]:
    """The parts of a note in lines of at most that width, as far as its parts allow."""
    longest = max(1, int(inches / (CHARACTER * NOTE_SIZE / 72)))
    lines: list[str] = []
    for part in said:
        if lines and len(lines[-1]) + len(BETWEEN) + len(part) <= longest:
            lines[-1] += BETWEEN + part
        else:
            lines.append(part)
    return [line + BETWEEN.rstrip() for line in lines[:-1]] + lines[-1:]


def _edges(values: np.ndarray) -> np.ndarray:
    """Edges of cells around the given centres, halfway between them (of their logarithms where so
    spaced).
    """
    log = spaced_by_logarithm(values)
    centres = np.log(values) if log else values
    if centres.size == 1:
        edges = centres[0] + np.array([-0.5, 0.5])
    else:
        middle = (centres[1:] + centres[:-1]) / 2
        edges = np.concatenate(
            [[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]]
        )
    return np.exp(edges) if log else edges
