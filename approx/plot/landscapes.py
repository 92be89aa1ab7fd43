"""Maps over two swept numbers: rates of success; times, costs and errors."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from scipy import ndimage

from approx.plot.cells import Bar, Pair, add_bar, add_note, hatch, key_label, map_axes, mesh
from approx.plot.series import check_made, points, readable
from approx.stats.labels import check_rates

# Greys that no colour of the maps looks like: hatching of cells whose value is infinite, and dots
# in cells in which most seeds diverged
NEVER, DIVERGED = "0.7", "0.75"
MOST_DIVERGED = "most diverged"
PALE = "interpolated"
COLORMAPS = {"least": "cividis_r", "greatest": "cividis"}
HALF = "half of the seeds succeed, 95% interval"


# A public panel: a user sets few of these, and by name
def landscape(  # noqa: PLR0913
    rates: xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    decide: float = 0.5,
    lines: Sequence[float] = (),
    diverged: xr.DataArray | None = None,
    boundary: xr.Dataset | None = None,
    bar: Bar = True,
    label: str = "share of seeds in success",
) -> Axes:
    """Rate of success over two swept numbers.

    A cell is hatched if its interval holds `decide`, and white if it has no seeds. In the results
    of `maps.refine`, a cell without seeds is pale, and its rate is interpolated.

    Args:
        rates: what `stats.rate` returned, over exactly two dimensions: the first upwards, the
            second to the right.
        ax: axes to draw on.
        title: the message of the panel.
        decide: the rate that decides, one half by default.
        lines: rates at which to draw lines. The lines follow the mean over each cell and its eight
            neighbours.
        diverged: share of seeds that diverged, over the same dimensions: cells in which most did
            have a dot.
        boundary: what `stats.boundary` returned of the rates, drawn with its intervals.
        bar: whether to add a colour bar, or the axes beside which to add it.
        label: what the colours mean. It is best to say here what counts as success.

    Raises:
        ValueError: no rates (runs or hits, say); not two dimensions; an axis that repeats values or
            is not in order.

    Example:
        plot.landscape(stats.rate(stats.success(runs, below=0.01)))
    """
    check_rates(rates)
    ax, edges, centres = map_axes(rates.rate, ax)
    image = mesh(ax, edges, rates.rate.values, vmin=0, vmax=1)
    said = []
    if _draw_interpolated(ax, edges, rates):
        said.append(f"pale: {PALE}")
    undecided = _undecided(rates, decide)
    if undecided.any():
        means = f"may be above or below {100 * decide:g}%"
        hatch(ax, edges, undecided, means=means)
        said.append(f"hatched: {means}")
    if len(lines) and min(undecided.shape) > 2:
        _draw_contours(ax, centres, rates, lines)
    if diverged is not None and _dot_diverged(ax, centres, diverged.transpose(*rates.rate.dims)):
        said.append(f"dots: {MOST_DIVERGED}")
    if boundary is not None:
        _draw_boundary(boundary, ax, str(rates.rate.dims[0]))
    shares = [f"{p}%" for p in range(0, 101, 20)]
    add_bar(
        bar,
        image,
        ax,
        shares,
        label=label,
        ticks=np.linspace(0, 1, 6),
    )
    add_note(ax, rates.n.values, said, title)
    return ax


def _undecided(rates: xr.Dataset, decide: float) -> np.ndarray:
    """The cells whose interval holds the rate `decide`, in the shape of the map."""
    is_inside = (rates.low <= decide) & (decide <= rates.high)
    is_undecided = is_inside & np.isfinite(rates.rate)
    return is_undecided.transpose(*rates.rate.dims).values


def _draw_contours(ax: Axes, centres: Pair, rates: xr.Dataset, lines: Sequence[float]) -> None:
    """Draw lines along which the smoothed rate has given values."""
    levels = ax.contour(
        *centres,
        smooth(rates),
        levels=sorted(lines),
        colors="k",
        linewidths=(0.8,),
    )
    ax.clabel(
        levels,
        fmt=lambda rate: f"{100 * rate:g}%",
        fontsize=points(7),
    )


def _draw_interpolated(ax: Axes, edges: Pair, rates: xr.Dataset) -> bool:
    """Draw the rates that were interpolated, in pale; return whether there are any."""
    if "filled" not in rates:
        return False
    without_seeds = rates.n.values == 0
    if without_seeds.any():
        filled = np.where(without_seeds, rates.filled.values, np.nan)
        mesh(ax, edges, filled, vmin=0, vmax=1, alpha=0.5, label=key_label(PALE))
    return bool(without_seeds.any())


def _dot_diverged(ax: Axes, centres: Pair, diverged: xr.DataArray) -> bool:
    """Draw a dot in the cells in which most seeds diverged; return whether there are any."""
    rows, columns = np.nonzero(diverged.values > 0.5)
    if rows.size:
        x, y = centres
        ax.plot(
            x[columns],
            y[rows],
            ".",
            color=DIVERGED,
            ms=1.2,
            mew=0,
            label=key_label(MOST_DIVERGED),
        )
    return rows.size > 0


def _draw_boundary(found: xr.Dataset, ax: Axes, vertical: str) -> None:
    """Draw where the rate crosses one half, with its interval, along the axis of the fit."""
    (other,) = [str(dim) for dim in found.middle.dims if dim != "crossing"]
    places = np.repeat(np.asarray(found[other], float), found.sizes["crossing"])
    middle, low, high = (
        found[name].transpose(other, "crossing").values.ravel()
        for name in ("middle", "low", "high")
    )
    lengths = np.abs(np.stack([low, high]) - middle)
    style: dict[str, Any] = {
        "color": "k",
        "lw": 0.7,
        "fmt": ".",
        "ms": 1.5,
        "label": key_label(HALF),
    }
    if found.attrs["along"] == vertical:
        ax.errorbar(places, middle, yerr=lengths, **style)
    else:
        ax.errorbar(middle, places, xerr=lengths, **style)


def smooth(rates: xr.Dataset) -> np.ndarray:
    """The rate of each cell and its eight neighbours together.

    Lines through these rates do not follow single seeds.
    """
    around = np.ones((3, 3))
    hits, seeds = (
        ndimage.convolve(np.nan_to_num(rates[name].values.astype(float)), around, mode="nearest")
        for name in ("successes", "n")
    )
    return hits / np.where(seeds > 0, seeds, np.nan)


# A public panel: a user sets few of these, and by name
def field(  # noqa: PLR0913
    data: xr.Dataset,
    of: str,
    ax: Axes | None = None,
    title: str | None = None,
    label: str | None = None,
    limits: tuple[float, float] | None = None,
    log: bool | None = None,
    infinite: str = "never",
    bar: Bar = True,
    light: Literal["least", "greatest"] = "least",
) -> Axes:
    """A number over two swept numbers: a time, a cost, an error, the width of an interval.

    Cells whose value is infinite are hatched, and cells whose value is nan are white.

    Args:
        data: the number and `n`, over exactly two dimensions: the first upwards, the second to the
            right.
        of: the variable that holds the number.
        ax: axes to draw on.
        title: the message of the panel.
        label: what the colours mean, with its unit.
        limits: (lowest, highest) number with a colour of its own; those of the finite values if
            left out. Numbers beyond have the colour of the end.
        log: whether colours follow the logarithm; by default they do where positive values span
            more than a decade.
        infinite: what an infinite value means: never reached, or diverged.
        bar: whether to add a colour bar, or the axes beside which to add it.
        light: which numbers have light colours, the "least" or the "greatest". Light should be
            good: the least times, costs and errors are, and the greatest accuracies.

    Raises:
        ValueError: as for `landscape`; an end that is neither "least" nor "greatest".
    """
    check_made(data, [of], "plot.field", 'stats.time_quantiles(hits), "time"')
    if light not in COLORMAPS:
        raise ValueError(f'light="{light}": either the "least" or the "greatest" numbers are light')
    ax, edges, _ = map_axes(data[of], ax)
    values = data[of].values.astype(float)
    finite = values[np.isfinite(values)]
    low, high = limits or finite_limits(values, log)
    if log is None:
        log = bool(low > 0 and high > 10 * low)
    norm = _norm(low, high, log)
    shown = np.where(
        np.isfinite(values),
        np.maximum(values, low),
        np.nan,
    )  # 0 has no logarithm
    image = mesh(ax, edges, shown, norm=norm, cmap=COLORMAPS[light])
    said = []
    if np.isinf(values).any():
        hatch(ax, edges, np.isinf(values), NEVER, infinite)
        said.append(f"hatched: {infinite}")
    add_bar(
        bar,
        image,
        ax,
        label=label or readable(of),
        extend=_ends_to_extend(finite, low, high),
    )
    n = data["n"].values if "n" in data else np.array([])
    add_note(ax, n, said, title)
    return ax


def _norm(low: float, high: float, log: bool) -> Normalize:
    """How numbers become colours: by their logarithm or not, and over some range in any case."""
    if log:
        return LogNorm(low, high)
    if high > low:
        return Normalize(low, high)
    return Normalize(low, low + 1)


def _ends_to_extend(values: np.ndarray, low: float, high: float) -> str:
    """The ends of the colour bar beyond which there are values, as matplotlib names them."""
    is_below = bool((values < low).any())
    is_above = bool((values > high).any())
    names = {(True, True): "both", (True, False): "min", (False, True): "max"}
    return names.get((is_below, is_above), "neither")


def finite_limits(values: np.ndarray, log: bool | None) -> tuple[float, float]:
    """The least and the greatest finite value; on a logarithmic scale, of those above 0."""
    shown = values[np.isfinite(values)]
    if log:
        shown = shown[shown > 0]
    return (float(shown.min()), float(shown.max())) if shown.size else (0.1, 1.0)
