"""The panel of networks against what classical methods reach."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from approx import stats
from approx.plot.learning import only_seeds
from approx.plot.scales import legend_above, row_axis
from approx.plot.series import SPREAD, axes, check_made, small
from approx.stats.labels import final

NAMED = {"test_loss": "inside", "outside_loss": "outside", "loss": "training rows"}
LEAST = 1e-34  # where an error of exactly 0 is drawn, unless the limits say otherwise
# The errors that are shown, in those of the constant: further out they are all very good or useless
NATURAL = (1e-8, 1e4)
MARKS = "os^"


def references(
    found: xr.Dataset,
    runs: xr.Dataset | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    *,
    of: Sequence[str] = ("test_loss", "outside_loss"),
    between: Sequence[float] | None = None,
) -> Axes:
    """Errors of classical methods, one row for each, and behind them those of networks.

    A mark is a method's error, or the median over seeds with a line through their middle 90%. A
    band holds the middle 90% of the networks' last errors, and the line in it is their median. Each
    error has its colour.

    Args:
        found: what `ap.references` returned.
        runs: networks on the same task, over seed only; None for none.
        ax: axes to draw on.
        title: the message of the panel.
        of: the losses to draw, up to three.
        between: the least and the largest error that are shown; what lies beyond is drawn as a
            triangle at the edge. By default they are 1e-8 and 1e4 times the errors of the constant,
            or what there is between these.

    Raises:
        ValueError: something else than references; a loss that there is not; runs over further
            dimensions.

    Example:
        plot.references(ap.references(task, model=model, seeds=20), runs)
    """
    check_made(found, ["reference", "counts"], "plot.references", "ap.references(task)")
    drawn = [name for name in of if name in found]
    if not drawn or len(of) > len(MARKS):
        raise ValueError(f"of is {list(of)}; name up to three of {losses_of(found)}")
    ax = axes(ax, title)
    ax.set_xscale("log")
    between = between or natural_range(found, runs, drawn)
    names = [row_name(found.sel(reference=name)) for name in found.reference.values.tolist()]
    for number, name in enumerate(drawn):
        color = f"C{number}"
        if runs is not None:
            draw_networks(ax, runs, name, color)
        shift = SPREAD * ((number + 0.5) / len(drawn) - 0.5)
        draw_marks(ax, found, name, between, np.arange(len(names)) + shift, color, MARKS[number])
    row_axis(ax, names)
    for row in range(1, len(names)):
        ax.axhline(row - 0.5, color="0.9", linewidth=0.5, zorder=0)
    label = str(found.attrs.get("loss", "loss"))
    if runs is not None:
        label = f"{label}; bands: networks, n = {runs.sizes['seed']:,} seeds"
    ax.set_xlabel(label)
    ax.set_xlim(*between)
    legend_above(ax, len(drawn), handletextpad=0.2)
    return ax


def natural_range(
    found: xr.Dataset, runs: xr.Dataset | None, drawn: Sequence[str]
) -> tuple[float, float]:
    """The least and the largest error that are shown, see `references`."""
    errors, constants = [found[name].values.ravel() for name in drawn], []
    if "constant" in found.reference:
        one = found.sel(reference="constant")
        constants = [np.median(one[name].values) for name in drawn]
    if runs is not None:
        errors += [final(runs, name).values.ravel() for name in drawn]
    every = np.concatenate(errors)
    finite = every[np.isfinite(every) & (every > 0)]
    low, high = finite.min(initial=np.inf), finite.max(initial=0.0)
    scales = [value for value in constants if np.isfinite(value) and value > 0]
    if scales:
        low, high = max(low, NATURAL[0] * min(scales)), min(high, NATURAL[1] * max(scales))
    if not 0 < low < high:
        return LEAST, 1.0
    return float(low / 2), float(high * 2)


def losses_of(found: xr.Dataset) -> str:
    """The losses that references have, for an error."""
    return ", ".join(str(name) for name in found.data_vars if str(name).endswith("loss"))


def row_name(one: xr.Dataset) -> str:
    """A method's name and how many numbers it fitted, or rows it kept."""
    counts = np.atleast_1d(one.parameters.values)
    size = f"{counts.max():,}"
    if str(one["counts"].item()) == "rows":
        size = f"{size} rows"
    words = str(one.reference.item()).replace("_cv", ", chosen").replace("_", " ")
    return f"{words} ({size})"


def draw_networks(ax: Axes, runs: xr.Dataset, name: str, color: str) -> None:
    """Draw the median and the middle 90% of the networks' last errors behind the rows."""
    only_seeds(runs, name, "step")
    last = final(runs, name).values
    low, middle, high = stats.order_quantiles(last, (0.05, 0.5, 0.95))
    if np.isfinite(high):
        ax.axvspan(max(low, LEAST), high, color=color, alpha=0.15, lw=0, zorder=0)
    if np.isfinite(middle):
        ax.axvline(max(middle, LEAST), color=color, lw=1.0, zorder=1)


def draw_marks(
    ax: Axes,
    found: xr.Dataset,
    name: str,
    between: Sequence[float],
    y: np.ndarray,
    color: str,
    mark: str,
) -> None:
    """Draw one error of all methods, with its spread over seeds if there are several."""
    low, middle, high = spread(found[name])
    least, most = between
    style: dict[str, Any] = {"color": color, "linestyle": "", "clip_on": False, "markersize": 3.5}
    if "seed" in found[name].dims:
        inside = (high >= least) & (low <= most)
        first, last = np.clip(low, least, most), np.clip(high, least, most)
        ax.hlines(y[inside], first[inside], last[inside], color=color, linewidth=1.0)
    shown = (middle >= least) & (middle <= most)
    ax.plot(middle[shown], y[shown], mark, label=NAMED.get(name, name), **style)
    for edge, beyond, arrow in ((least, middle < least, "<"), (most, middle > most, ">")):
        if beyond.any():
            ax.plot(np.full(beyond.sum(), edge), y[beyond], arrow, **style)
    for place in np.flatnonzero(np.isnan(middle)):
        ax.text(
            0.01, y[place], "none", transform=ax.get_yaxis_transform(), va="center", size=small()
        )


def spread(values: xr.DataArray) -> np.ndarray:
    """The 5%, 50% and 95% quantile of each method's error over seeds, (3, methods)."""
    if "seed" not in values.dims:
        return np.stack([values.values] * 3)
    of_seeds = values.transpose("reference", "seed").values
    quantiles = stats.order_quantiles(of_seeds, (0.05, 0.5, 0.95))
    return np.where(np.isnan(of_seeds).any(1), np.nan, quantiles)
