"""Success against a setting: one mark with its interval for each value of a number or a word."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, NullLocator

from approx import stats
from approx.plot.scales import corner, share_axis
from approx.plot.series import MARKS, axes, check_made, each, label_ends, readable
from approx.stats.labels import check_rates, require_dims

APART = 0.5  # the part of the distance between two words that the marks of all series take
DECADES = 5.0  # from this ratio of the largest to the least value on an axis is logarithmic
MOST_TICKS = 9  # values that are all written at the axis
MADE_BY = "stats.success(runs, below=...)"


def rate(
    data: xr.Dataset,
    over: str,
    ax: Axes | None = None,
    title: str | None = None,
    *,
    log: bool | None = None,
    level: float = 0.95,
) -> Axes:
    """Share of seeds that succeed, with its interval, against a setting: a number or a word.

    Each value of the setting has a mark with a bar from `low` to `high`. Numbers are joined by a
    line; words, which have no order, are not. Every other dimension makes series, at most eight.

    Args:
        data: what `stats.success` returned, or `stats.rate`.
        over: the dimension along the axis, such as "widths", "learning_rate" or "activation".
        ax: axes to draw on.
        title: the message of the panel.
        log: whether the axis is logarithmic; if left out, it is where the numbers are above 0 and
            the largest is at least five times the least.
        level: of the intervals, if `data` are hits; rates have their own.

    Returns:
        The axes.

    Raises:
        ValueError: there is no such dimension, there are too many series, or a logarithmic axis is
            asked for of words or of numbers that are not above 0.

    Example:
        >>> runs = ap.run(task, recipe, seeds=64, widths=[1, 2, 4, 8])
        >>> plot.rate(stats.success(runs, below=1e-2), over="widths")
    """
    rates = data
    if isinstance(data, xr.Dataset) and "hit" in data:
        rates = stats.rate(data, level=level)
    check_rates(rates)
    check_made(rates, [over], "plot.rate", MADE_BY)
    require_dims(rates.rate, [over], option="over")
    values = rates[over].values
    numeric = np.issubdtype(values.dtype, np.number)
    log = _is_log(values, over, log)
    ax = axes(ax, title)
    if log:
        ax.set_xscale("log")
    series = list(each(rates[["rate", "low", "high", "n"]], over))
    ends = []
    for number, (label, one, line) in enumerate(series):
        x = _places(values, number, len(series))
        order = np.argsort(x, kind="stable")
        _draw_marks(ax, x[order], one.isel({over: order}), number, line, joined=numeric)
        ends.append((one.rate.values[order], label, line["color"]))
    _setting_axis(ax, values, over, log)
    share_axis(ax, "share of seeds that succeed")
    corner(ax, rates.n, "upper left")
    label_ends(ax, ends)
    return ax


def _is_log(values: np.ndarray, over: str, log: bool | None) -> bool:
    """Whether the axis is logarithmic.

    Raises:
        ValueError: it shall be, and cannot.
    """
    positive = np.issubdtype(values.dtype, np.number) and bool((values > 0).all())
    if log and not positive:
        raise ValueError(
            f"log=True needs numbers above 0 along {over!r}; got {values[:5].tolist()}"
        )
    if log is not None:
        return log
    return positive and bool(values.max() >= DECADES * values.min())


def _places(values: np.ndarray, number: int, count: int) -> np.ndarray:
    """Where along the axis the marks of a series are; those of words stand beside each other."""
    if np.issubdtype(values.dtype, np.number):
        return values.astype(float)
    return np.arange(len(values)) + APART * ((number + 0.5) / count - 0.5)


def _draw_marks(
    ax: Axes, x: np.ndarray, one: xr.Dataset, number: int, line: Mapping[str, Any], joined: bool
) -> None:
    """Draw the rates of one series with their intervals."""
    middle = one.rate.values
    ends = np.array([middle - one.low.values, one.high.values - middle]).clip(min=0)
    style = dict(line) if joined else {"color": line["color"], "linestyle": ""}
    bars = ax.errorbar(
        x,
        middle,
        yerr=ends,
        marker=MARKS[number],
        markersize=3.5,
        elinewidth=1.0,
        capsize=0,
        clip_on=False,
        **style,
    )
    for bar in bars.lines[2]:
        bar.set_clip_on(False)
        bar.set_alpha(0.6)


def _setting_axis(ax: Axes, values: np.ndarray, over: str, log: bool) -> None:
    """The axis of the setting, with every value written where there are few."""
    ax.set_xlabel(readable(over))
    if not np.issubdtype(values.dtype, np.number):
        ax.set_xticks(range(len(values)), [str(value) for value in values])
        ax.set_xlim(-0.5, len(values) - 0.5)
        return
    if len(values) <= MOST_TICKS:
        ax.set_xticks(values, [f"{value:.3g}" for value in values])
        ax.xaxis.set_minor_locator(NullLocator())
    if log:
        ax.xaxis.set_minor_formatter(NullFormatter())
        ratio = (values.max() / values.min()) ** 0.04 if len(values) > 1 else 1.2
        ax.set_xlim(values.min() / ratio, values.max() * ratio)
        return
    margin = 0.04 * np.ptp(values) or 0.5
    ax.set_xlim(values.min() - margin, values.max() + margin)
