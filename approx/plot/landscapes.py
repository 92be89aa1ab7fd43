"""Maps of a rate over two swept numbers."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from approx.plot.series import axes, readable


def landscape(rates: xr.Dataset, ax: Axes | None = None, title: str | None = None, decide: float = 0.5) -> Axes:
    """Rate of success over two swept numbers; hatched where its interval holds `decide`, grey where there are no seeds.

    Args:
        rates: what `stats.rate` returned, over exactly two dimensions: the first upwards, the second to the right.
        ax: axes to draw on.
        title: the message of the panel.
        decide: the rate that decides, one half by default.

    Raises:
        ValueError: not two dimensions.
    """
    if rates.rate.ndim != 2:
        raise ValueError(f"a landscape needs two dimensions, got {', '.join(map(str, rates.rate.dims)) or 'none'}; "
                         "reduce or .sel() the others")  # fmt: skip
    ax = axes(ax)
    if title:
        ax.set_title(title, pad=13)  # above the line that says n
    vertical, horizontal = (str(dim) for dim in rates.rate.dims)
    x, y = np.asarray(rates[horizontal], float), np.asarray(rates[vertical], float)
    edges = _edges(x), _edges(y)
    ax.set_facecolor("0.8")
    image = ax.pcolormesh(*edges, np.ma.masked_invalid(rates.rate.values), vmin=0, vmax=1, rasterized=True)
    undecided = (rates.low.values <= decide) & (decide <= rates.high.values) & np.isfinite(rates.rate.values)
    if undecided.any():
        ax.add_collection(_hatched(*edges, undecided))
    for values, set_scale in ((x, ax.set_xscale), (y, ax.set_yscale)):
        set_scale("log" if spaced_by_logarithm(values) else "linear")
    ax.set_xlabel(readable(horizontal))
    ax.set_ylabel(readable(vertical))
    bar = ax.figure.colorbar(image, ax=ax, label="share of seeds in success", ticks=np.linspace(0, 1, 6))
    bar.ax.set_yticklabels([f"{p}%" for p in range(0, 101, 20)])
    bar.outline.set_visible(False)
    n = rates.n.values
    ax.annotate(
        _said(n, undecided.any(), decide), (1, 1.01), xycoords="axes fraction", ha="right", va="bottom", size=6.5
    )
    return ax


def _hatched(x: np.ndarray, y: np.ndarray, chosen: np.ndarray) -> PolyCollection:
    """Hatched rectangles over the chosen cells (rows upwards)."""
    corners = [[(x[j], y[i]), (x[j + 1], y[i]), (x[j + 1], y[i + 1]), (x[j], y[i + 1])] for i, j in np.argwhere(chosen)]
    return PolyCollection(corners, facecolor="none", edgecolor="white", linewidth=0, hatch="///////")


def _said(n: np.ndarray, any_undecided: bool, decide: float) -> str:
    count = f"n = {n.min():,}" if n.min() == n.max() else f"n = {n.min():,} to {n.max():,}"
    return f"{count} per cell" + (f"; hatched: {100 * decide:g}% not excluded" if any_undecided else "")


def spaced_by_logarithm(values: np.ndarray) -> bool:
    """Whether positive values are spaced more evenly by their logarithm than as they are."""
    if values.size < 3 or values.min() <= 0:
        return False
    gaps, ratios = np.diff(values), np.diff(np.log(values))
    return bool(np.std(ratios) / abs(np.mean(ratios)) < np.std(gaps) / abs(np.mean(gaps)))


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
