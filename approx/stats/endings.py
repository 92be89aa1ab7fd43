"""What failed trainings became: the losses at which many of them end."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from approx.stats.labels import variable

BETWEEN, DIVERGED = "on no plateau", "diverged"
FEWEST = 5  # trainings that make a plateau; fewer lie near each other by chance


def plateaus(
    runs: xr.Dataset,
    named: Mapping[str, float],
    of: str = "loss",
    learned: float | None = None,
    tolerance: float = 0.01,
    least: float = 0.02,
) -> xr.Dataset:
    """Class of each training by the value it ended at: learned, at a known plateau, at one found here, or at none.

    A known plateau holds the values within `tolerance` of it, as a share of it; of several the nearest. Among the
    other values those whose neighbours in order lie within `tolerance` are one cluster; it is a plateau if it holds the
    share `least` of all trainings, and five, and is no wider than four times `tolerance`: evenly spread ones are none.

    Args:
        runs: variables over (..., seed, step), or (..., seed).
        named: plateaus whose value is known, positive, by name.
        of: the variable, of which the last record counts.
        learned: values up to this are "learned", whatever lies near.
        tolerance: relative half-width of a plateau.
        least: share of all trainings that makes a cluster of values a plateau.

    Returns:
        `kind` over (..., seed), ready for `shares`; the plateaus found are named by their median, "at 0.4774".

    Raises:
        ValueError: a known plateau that is not a positive number, a name used twice.
    """
    if wrong := {name: value for name, value in named.items() if not (np.isfinite(value) and value > 0)}:
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
    return value.copy(data=kind.astype(str)).to_dataset(name="kind").assign_attrs(of=of, kinds=kinds)


def clusters(values: np.ndarray, tolerance: float, least: float) -> list[tuple[float, float, str]]:
    """Narrow clusters of positive values: lowest, highest, and name."""
    ordered = np.sort(values[values > 0])
    if not ordered.size:
        return []
    parts = np.split(ordered, np.flatnonzero(np.diff(ordered) > tolerance * ordered[:-1]) + 1)
    kept = [part for part in parts if part.size >= max(least, FEWEST) and part[-1] <= (1 + 4 * tolerance) * part[0]]
    return [(part[0], part[-1], f"at {np.median(part):.4g}") for part in kept]
