"""What failed trainings became: the losses at which many of them end, and whether they were still
falling.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from approx.stats.labels import require_dims, variable, worst_value

BETWEEN, DIVERGED = "on no plateau", "diverged"
FEWEST = 5  # trainings that make a plateau; fewer lie near each other by chance
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
    """Class of each training by the value it ended at: learned, at a known plateau, at one found
    here, or at none.

    A known plateau holds the values within `tolerance` of it, as a share of it; of several the
    nearest. Among the other values those whose neighbours in order lie within `tolerance` are one
    cluster; it is a plateau if it holds the share `least` of all trainings, and five, and is no
    wider than four times `tolerance`: evenly spread ones are none.

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
        ValueError: a known plateau that is not a positive number, a name used twice.
    """
    if wrong := {
        name: value for name, value in named.items() if not (np.isfinite(value) and value > 0)
    }:
        raise ValueError(f"a plateau is a positive value; got {wrong}")
    if taken := {"learned", BETWEEN, DIVERGED} & set(named):
        raise ValueError(f"{', '.join(taken)} is a class of its own; choose another name")
    value = variable(runs, of)
    value = value.isel(step=-1, drop=True) if "step" in value.dims else value
    v = value.values.astype(float)
    kind = np.full(v.shape, BETWEEN, object)
    kind[~np.isfinite(v)] = DIVERGED
    if named:
        names, centres = list(named), np.array(list(named.values()), float)
        away = np.abs(v[..., None] - centres) / centres
        near = away.min(-1) <= tolerance
        kind[near] = np.array(names, object)[away.argmin(-1)[near]]
    if learned is not None:
        kind[v <= learned] = "learned"
    found = []
    for low, high, name in clusters(v[kind == BETWEEN], tolerance, least * v.size):
        kind[(kind == BETWEEN) & (v >= low) & (v <= high)] = name
        found.append(name)
    kinds = [*(["learned"] if learned is not None else []), *named, *found, BETWEEN, DIVERGED]
    return (
        value.copy(data=kind.astype(str)).to_dataset(name="kind").assign_attrs(of=of, kinds=kinds)
    )


def clusters(values: np.ndarray, tolerance: float, least: float) -> list[tuple[float, float, str]]:
    """Narrow clusters of positive values: lowest, highest, and name."""
    ordered = np.sort(values[values > 0])
    if not ordered.size:
        return []
    parts = np.split(ordered, np.flatnonzero(np.diff(ordered) > tolerance * ordered[:-1]) + 1)
    kept = [
        part
        for part in parts
        if part.size >= max(least, FEWEST) and part[-1] <= (1 + 4 * tolerance) * part[0]
    ]
    return [(part[0], part[-1], f"at {np.median(part):.4g}") for part in kept]


def falling(
    runs: xr.Dataset, of: str = "loss", slope: float = SLOPE, since: float = SINCE
) -> xr.DataArray:
    """Which trainings were still falling when their steps ended, so that more steps would have
    lowered the loss.

    The rule: with T the last record, s the last record at or before `since * T`, v the value at T,
    and b the least value at any record up to s, a training is still falling if

        v < b  and  v <= b (s / T)^slope,

    unless v is not finite, or the method itself stopped the training (the variable `stopped` is not
    0 at T).

    It asks whether the loss falls at least as fast as the power law t^-slope, which is a straight
    line of that slope on two logarithmic axes. Such a line has no scale: the answer depends neither
    on the unit of the loss nor on the number of steps, and hardly on where the records are. With
    the default slope of 0.1, going on at that pace for ten times as many steps would take off a
    fifth of the loss; over the last third of the steps it is 4%. Measured losses of long trainings
    do follow power laws (J. Hestness et al., arXiv:1712.00409), but the two numbers are conventions
    of ours. An exponential approach to a plateau, c + a exp(-t / tau), is still falling until about
    T = 1.5 tau log(24 a / c), for a = c until 4.4 tau.

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
        ValueError: no records over steps, none in the first part but step 0, negative values, an
            accuracy, a slope or share out of range.

    Example:
        short = stats.falling(runs).mean("seed")  # the share of seeds whose budget was too short
    """
    if not slope > 0:
        raise ValueError(f"slope must be positive, got {slope}: 0.1, for example")
    if not 0 < since < 1:
        raise ValueError(f"since is a share of the steps between 0 and 1, got {since}")
    value = variable(runs, of)
    require_dims(value, ["step"])
    if worst_value(of, None) < 0:
        raise ValueError(
            f"{of!r} rises where a training improves: give a loss, or 1 - accuracy, as of="
        )
    if bool((value < 0).any()):
        raise ValueError(
            f"{of!r} has values below 0, whose logarithm the rule needs; the least is {float(value.min())}"
        )
    steps = np.asarray(runs.step, float)
    before = np.flatnonzero(steps <= since * steps[-1])
    if before.size == 0 or steps[before[-1]] <= 0:
        raise ValueError(
            f"there is no record after step 0 and up to step {since * steps[-1]:g}, {since:.2g} of all steps; "
            f"the records are {steps.astype(int).tolist()[:5]}: record more with records="
        )
    last = value.isel(step=-1, drop=True)
    earlier = value.isel(step=before)
    least = earlier.where(np.isfinite(earlier), np.inf).min("step")
    allowed = (steps[before[-1]] / steps[-1]) ** slope
    found = np.isfinite(last) & (last < least) & (last <= least * allowed)
    if "stopped" in runs:
        found = found & (runs.stopped.isel(step=-1, drop=True) == 0)
    return without_attributes(found)


def without_attributes(found: xr.DataArray) -> xr.DataArray:
    """The truth values under a name of their own, not those of the loss."""
    return found.rename("falling").drop_attrs()
