"""Panels of learning curves, and of errors outside the range."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from approx import stats
from approx.plot.landscapes import field
from approx.plot.scales import corner, step_axis
from approx.plot.series import axes, by_label, check_made, label_ends, long_name, name_value

SINGLE: dict[str, Any] = {"color": "0.2", "lw": 0.4, "alpha": 0.8}  # the thin lines of single seeds
SINGLES = 5  # how many of them
MOST_BANDS = 4


def bands(ax: Axes, x: np.ndarray, quantiles: np.ndarray, color: str = "C0") -> None:
    """Draw 5-95% and 25-75% bands around the median.

    Args:
        ax: axes to draw on.
        x: (points,) where the quantiles are known.
        quantiles: (5, points) the 5, 25, 50, 75 and 95% quantiles. Infinite ones run out at the top
            of the panel.
        color: of the bands and of the median.
    """
    low, lower, middle, upper, high = quantiles
    top = 1e6 * np.max(np.abs(quantiles), where=np.isfinite(quantiles), initial=1.0)
    for a, b, alpha in ((low, high, 0.18), (lower, upper, 0.3)):
        ax.fill_between(
            x,
            np.minimum(a, top),
            np.minimum(b, top),
            color=color,
            alpha=alpha,
            lw=0,
        )
    ax.plot(x, middle, color=color)


def only_seeds(runs: xr.Dataset, of: str, *dims: str) -> None:
    """Refuse a result with more dimensions than a panel draws.

    Raises:
        ValueError: naming them.
    """
    extra = [str(dim) for dim in runs[of].dims if dim not in ("seed", *dims)]
    if extra:
        raise ValueError(
            f"a panel draws one setting; select one of {', '.join(extra)}, "
            f"as in runs.isel({extra[0]}=0)"
        )


def learning_curve(
    runs: xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    *,
    of: str = "loss",
    over: str | Sequence[str] = "seed",
    by: str | None = None,
    singles: int | None = None,
) -> Axes:
    """A loss over the steps: quantile bands over seeds and a few single seeds.

    Both axes are logarithmic. The vertical axis of an accuracy, or of another variable that has
    values below 0, is not.

    Args:
        runs: a variable over (seed, step), and what `over` and `by` name.
        ax: axes to draw on.
        title: the message of the panel.
        of: the variable.
        over: what the bands are over: seeds, or seeds and settings.
        by: a dimension whose values, at most four, get a band each, named at its end.
        singles: how many trainings to draw as thin lines: the first seeds, or some taken evenly
            from all seeds and settings. If left out, five, and none with `by`.

    Raises:
        ValueError: the variable has other dimensions, or `by` more than four values.
    """
    over = [over] if isinstance(over, str) else list(over)
    check_made(runs, [of, "step"], "plot.learning_curve", "runs")
    if by is None:
        only_seeds(runs, of, "step", *over)
        parts = {"": runs}
    else:
        only_seeds(runs, of, "step", *over, by)
        parts = _parts(runs, by)
    if singles is None:
        singles = SINGLES if by is None else 0
    ax = axes(ax, title)
    ends, n = [], 0
    for number, (name, one) in enumerate(parts.items()):
        found = stats.quantiles(one, of=of, over=over)[of]
        quantiles = found.transpose("quantile", "step").values
        bands(ax, runs.step.values, quantiles, f"C{number}")
        ends.append((quantiles[2], name, f"C{number}"))
        sample = one[of].stack(sample_=over, create_index=False).transpose("sample_", "step").values
        n = len(sample)
        for line in _some(sample, singles, first=over == ["seed"]):
            ax.plot(runs.step, line, **SINGLE)
    step_axis(ax, runs.step.values)
    value_axis(ax, runs[of])
    corner(ax, n, "lower left", "seeds" if over == ["seed"] else "trainings")
    label_ends(ax, ends)
    return ax


def _parts(runs: xr.Dataset, by: str) -> dict[str, xr.Dataset]:
    """The runs at each value of a dimension, by its name; a ValueError if they are too many."""
    values = [runs.isel({by: place}) for place in range(runs.sizes[by])]
    parts = {name_value(by, one[by].item()): one for one in values}
    if len(parts) > MOST_BANDS:
        raise ValueError(
            f"{len(parts)} bands over {by}; choose at most four, as in runs.isel({by}=[0, 5])"
        )
    return parts


def _some(sample: np.ndarray, many: int, first: bool) -> np.ndarray:
    """That many lines of a sample: the first ones, or some taken evenly from all."""
    if first:
        return sample[:many]
    places = np.linspace(0, len(sample) - 1, min(many, len(sample)))
    return sample[places.astype(int)]


def value_axis(ax: Axes, values: xr.DataArray) -> None:
    """Name and scale the vertical axis for these values.

    It goes from 0 to 1 for an accuracy, is linear where values are negative, and logarithmic for a
    loss.
    """
    ax.set_ylabel(long_name(values))
    if "accuracy" in str(values.name):
        ax.set_ylim(-0.02, 1.02)
    elif not bool((values < 0).any()):
        ax.set_yscale("log")


def learning_landscape(
    runs: xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    *,
    of: str = "loss",
    q: float | tuple[float, float] = 0.5,
    **options,
) -> Axes:
    """A quantile over seeds at every step and setting, or how many decades lie between two.

    Args:
        runs: a variable over (seed, step) and one swept number.
        ax: axes to draw on.
        title: the message of the panel.
        of: the variable.
        q: the quantile's probability, or those of the two.
        **options: of `field`.

    Raises:
        ValueError: as for `field`.
    """
    check_made(runs, [of, "step"], "plot.learning_landscape", "runs")
    probabilities = [q] if isinstance(q, float) else list(q)
    found = stats.quantiles(
        runs.isel(step=runs.step.values > 0),
        of=of,
        q=probabilities,
    )
    quantiles = found[of].transpose("quantile", ..., "step")
    percent = [f"{100 * p:g}" for p in probabilities]
    if len(probabilities) == 1:
        chosen = quantiles[0]
        statistic = "median" if q == 0.5 else f"{percent[0]}% quantile"
        label = f"{statistic} {long_name(runs[of])}"
    else:
        low, high = quantiles.values
        with np.errstate(divide="ignore", invalid="ignore"):
            decades = np.log10(high / low)
        chosen = quantiles[0].copy(data=np.where(np.isinf(high), np.inf, decades))
        label = f"decades between {percent[0]} and {percent[1]}% of seeds"
    n = found.n.isel(quantile=0).transpose(*chosen.dims)
    given: dict[str, Any] = {"label": label, "infinite": "diverged"} | options
    return field(
        xr.Dataset({of: chosen, "n": n}),
        of,
        ax,
        title,
        **given,
    )


def extrapolation(
    named: Mapping[str, xr.Dataset] | xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    *,
    units: dict[str, tuple[float, float]] | None = None,
) -> Axes:
    """Error against the distance outside the training range, quantile bands over seeds.

    Args:
        named: what `stats.error_by_distance` returned, by label; or one of these alone, which gets
            no label.
        ax: axes to draw on.
        title: the message of the panel.
        units: {label: (what distances are divided by, what errors are divided by)}.

    Raises:
        ValueError: absolute and relative errors together, or something else than such errors.
    """
    named = by_label(named, "error", "plot.extrapolation", "stats.error_by_distance(runs)")
    kind = _kind_of_errors(named.values())
    ax = axes(ax, title)
    ends = []
    for number, (label, errors) in enumerate(named.items()):
        per_x, per_y = (units or {}).get(label, (1.0, 1.0))
        found = stats.quantiles(errors, of="error").error
        quantiles = found.transpose("quantile", "distance").values / per_y
        bands(
            ax,
            errors.distance.values / per_x,
            quantiles,
            f"C{number}",
        )
        ends.append((quantiles[2], label, f"C{number}"))
    ax.set(yscale="log", xlabel="distance outside the range", ylabel=f"{kind} error")
    ax.set_xlim(0, max(ax.dataLim.x1, 1e-12))
    seeds = [errors.sizes["seed"] for errors in named.values()]
    corner(ax, np.array(seeds))
    label_ends(ax, ends)
    return ax


def _kind_of_errors(results: Iterable[xr.Dataset]) -> str:
    """Whether all errors are relative or absolute, or a ValueError if they are both."""
    relative = {bool(errors.attrs.get("relative", 0)) for errors in results}
    if len(relative) > 1:
        raise ValueError(
            "absolute and relative errors do not share an axis: make all with relative= alike"
        )
    if True in relative:
        return "relative"
    return "absolute"
