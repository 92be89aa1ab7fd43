"""What failed trainings became: the losses at which many end, and which were still falling."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr

from approx.stats.labels import final, require_dims, variable, worst_value

LEARNED, BETWEEN, DIVERGED = "learned", "on no plateau", "diverged"
FEWEST = 5  # trainings that make a plateau; fewer lie near each other by chance
WIDEST = 4  # times the tolerance: a wider cluster of values is no plateau
SLOPE = 0.1  # at this pace ten times the steps take off a fifth of the loss: 1 - 10**-0.1 = 0.206
SINCE = 2 / 3  # of the steps; what the last third took off is judged


def plateaus(
    runs: xr.Dataset,
    named: Mapping[str, float],
    of: str = "loss",
    learned: float | None = None,
    tolerance: float = 0.01,
    least: float = 0.02,
) -> xr.Dataset:
    """Class of each training by the value it ended at: learned, on a plateau, or on none.

    A known plateau holds the values within `tolerance` of it, as a share of it; of several the
    nearest. Other plateaus are found: among the other values those whose neighbours in order lie
    within `tolerance` are one cluster, and it is a plateau if it holds the share `least` of all
    trainings, and five, and is no wider than four times `tolerance`. So evenly spread values make
    no plateau.

    Args:
        runs: variables over (..., seed, step), or (..., seed).
        named: plateaus whose value is known, positive, by name.
        of: the variable, of which the last record counts.
        learned: values up to this are "learned", whatever lies near.
        tolerance: relative half-width of a plateau.
        least: share of all trainings that makes a cluster of values a plateau.

    Returns:
        `kind` over (..., seed), ready for `shares`; the plateaus found are named by their median,
        "at 0.4774".

    Raises:
        ValueError: a known plateau is not a positive number, or has the name of another class.

    Example:
        ends = stats.plateaus(runs, named={"the mean": 0.25}, learned=1e-3)
        stats.shares(ends)
    """
    _check_plateaus(named)
    value = final(runs, of)
    v = value.values.astype(float)

    # What is known comes first; "learned" before all plateaus
    kind = np.full(v.shape, BETWEEN, object)
    kind[~np.isfinite(v)] = DIVERGED
    if named:
        nearest, is_near = _nearest(v, named, tolerance)
        kind[is_near] = nearest[is_near]
    if learned is not None:
        kind[v <= learned] = LEARNED

    # Then what is found among the rest
    rest = v[kind == BETWEEN]
    found = clusters(rest, tolerance, least * v.size)
    for one in found:
        is_within = (v >= one.low) & (v <= one.high)
        is_open = kind == BETWEEN
        kind[is_open & is_within] = one.name

    kinds = [*named, *(one.name for one in found), BETWEEN, DIVERGED]
    if learned is not None:
        kinds = [LEARNED, *kinds]
    result = value.copy(data=kind.astype(str)).to_dataset(name="kind")
    return result.assign_attrs(of=of, kinds=kinds)


def _check_plateaus(named: Mapping[str, float]) -> None:
    """Raise a ValueError if a known plateau has a bad value or name."""
    wrong = {}
    for name, value in named.items():
        if not (np.isfinite(value) and value > 0):
            wrong[name] = value
    if wrong:
        raise ValueError(f"a plateau is a positive value; got {wrong}")
    _check_names_of_plateaus(named)


def _check_names_of_plateaus(named: Mapping[str, float]) -> None:
    """Raise a ValueError if a known plateau has the name of another class."""
    taken = {LEARNED, BETWEEN, DIVERGED} & set(named)
    if taken:
        raise ValueError(f"{', '.join(taken)} is a class of its own; choose another name")


def _nearest(
    values: np.ndarray, named: Mapping[str, float], tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """The name of the known plateau nearest to each value, and whether the value is on it."""
    names = np.array(list(named), object)
    centers = np.array(list(named.values()), float)
    away = np.abs(values[..., None] - centers)
    away = away / centers
    nearest = away.argmin(-1)
    is_near = away.min(-1) <= tolerance
    return names[nearest], is_near


class _Cluster(NamedTuple):
    """Values that lie near each other, from `low` to `high`."""

    low: float
    high: float
    name: str


def clusters(values: np.ndarray, tolerance: float, least: float) -> list[_Cluster]:
    """Narrow clusters of positive values, in increasing order.

    Args:
        values: any numbers; those that are not positive are left out.
        tolerance: the largest relative gap between neighbours in a cluster.
        least: how many values make a cluster; never fewer than five.
    """
    ordered = np.sort(values[values > 0])
    if not ordered.size:
        return []

    is_gap = np.diff(ordered) > tolerance * ordered[:-1]
    starts = np.flatnonzero(is_gap) + 1
    found = []
    for part in np.split(ordered, starts):
        is_many = part.size >= max(least, FEWEST)
        if is_many and _is_narrow(part, tolerance):
            name = f"at {np.median(part):.4g}"
            found.append(_Cluster(part[0], part[-1], name))
    return found


def _is_narrow(ordered: np.ndarray, tolerance: float) -> bool:
    """Whether the largest of some ordered values is near enough to the smallest."""
    widest = 1 + WIDEST * tolerance
    return bool(ordered[-1] <= widest * ordered[0])


def falling(
    runs: xr.Dataset, of: str = "loss", slope: float = SLOPE, since: float = SINCE
) -> xr.DataArray:
    """Which trainings were still falling at the end: more steps would have lowered their loss.

    The rule: with T the last record, s the last record at or before `since * T`, v the value at T,
    and b the least value at any record up to s, a training is still falling if

        v < b  and  v <= b (s / T)^slope,

    unless v is not finite, or the training was stopped: by the method itself (the variable
    `stopped` is not 0 at T), or by a rule of the recipe (`stop_reason` is not 0).

    The rule asks whether the loss falls at least as fast as the power law t^-slope, which is a
    straight line of that slope on two logarithmic axes. Such a line has no scale: the answer
    depends neither on the unit of the loss nor on the number of steps, and hardly on where the
    records are. With the default slope of 0.1, going on at that pace for ten times as many steps
    would take off a fifth of the loss; over the last third of the steps it is 4%. Measured losses
    of long trainings do follow power laws (J. Hestness et al., arXiv:1712.00409), but the two
    numbers are conventions of ours. An exponential approach to a plateau, c + a exp(-t / tau), is
    still falling until about T = 1.5 tau log(24 a / c), for a = c until 4.4 tau.

    The value at the end is held against the least one before, not against a single record: a loss
    that only jitters about a level ends below all of its k records up to s with a probability of at
    most 1 / (k + 1).

    Args:
        runs: variables over (..., seed, step), not negative.
        of: the variable.
        slope: the least pace that counts as falling, positive.
        since: share of the steps before the part that is judged, between 0 and 1.

    Returns:
        Booleans over (..., seed).

    Raises:
        ValueError: there are no records over steps, or none in the first part but step 0; values
            are negative, or an accuracy; the slope or share is out of range.

    Example:
        short = stats.falling(runs).mean("seed")  # the share of seeds whose budget was too short
    """
    _check_rule(slope, since)
    value = _losses(runs, of)
    steps = np.asarray(runs.step, float)
    earlier = _earlier_records(steps, since)

    # v and b of the rule
    last = value.isel(step=-1, drop=True)
    before = value.isel(step=earlier)
    before = before.where(np.isfinite(before), np.inf)
    least = before.min("step")

    share = steps[earlier[-1]] / steps[-1]
    allowed = least * share**slope
    is_falling = np.isfinite(last) & (last < least) & (last <= allowed)
    if "stopped" in runs:
        stopped = runs.stopped.isel(step=-1, drop=True)
        is_falling = is_falling & (stopped == 0)
    if "stop_reason" in runs:
        is_falling = is_falling & (runs.stop_reason == 0)
    return is_falling.rename("falling").drop_attrs()


def _check_rule(slope: float, since: float) -> None:
    """Raise a ValueError if a number of the rule of `falling` is out of its range."""
    if not slope > 0:
        raise ValueError(f"slope must be positive, got {slope}: 0.1, for example")
    if not 0 < since < 1:
        raise ValueError(f"since is a share of the steps between 0 and 1, got {since}")


def _losses(runs: xr.Dataset, of: str) -> xr.DataArray:
    """The variable over steps.

    Raises:
        ValueError: it has no records over steps, is an accuracy, or is negative.
    """
    value = variable(runs, of)
    require_dims(value, ["step"])
    _check_is_a_loss(of)
    if bool((value < 0).any()):
        raise ValueError(
            f"{of!r} has values below 0, whose logarithm the rule needs; the least is "
            f"{float(value.min())}"
        )
    return value


def _check_is_a_loss(of: str) -> None:
    """Raise a ValueError if the variable rises where a training improves, as accuracies do."""
    if worst_value(of, None) < 0:
        raise ValueError(
            f"{of!r} rises where a training improves: give a loss, or 1 - accuracy, as of="
        )


def _earlier_records(steps: np.ndarray, since: float) -> np.ndarray:
    """Indices of the records up to the share `since` of the steps.

    Raises:
        ValueError: there are none but step 0.
    """
    end = since * steps[-1]
    earlier = np.flatnonzero(steps <= end)
    if earlier.size == 0 or steps[earlier[-1]] <= 0:
        raise ValueError(
            f"there is no record after step 0 and up to step {end:g}, {since:.2g} of all steps; "
            f"the records are {steps.astype(int).tolist()[:5]}: record more with records="
        )
    return earlier
