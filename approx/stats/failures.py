"""Where a training failed: the architecture cannot, the training did not find it, or it does not
extrapolate.
"""

import numpy as np
import xarray as xr

from approx.stats.labels import final
from approx.stats.rates import success

KINDS = ("success", "does not extrapolate", "did not find", "cannot represent")
ROUNDING = 1e-5  # relative: about 100 float32 rounding units, what the sum of a loss may be off by


def split(
    runs: xr.Dataset,
    floor: float | xr.DataArray,
    below: float | xr.DataArray,
    outside_below: float | xr.DataArray | None = None,
    of: str = "test_loss",
    outside: str = "outside_loss",
) -> xr.Dataset:
    """Every training's outcome, with the reason of its failure.

    With the value inside, v (`of` at the last record), and outside, w, the first that holds:

    - "success": v <= below, and w <= outside_below where that is given.
    - "does not extrapolate": v <= below, but w > outside_below or not finite.
    - "cannot represent": v > below, and the floor, the least value the architecture can reach, is
    above `below` too.
    - "did not find": v > below or not finite, although the floor is not.

    Args:
        runs: variables over (..., seed, step), or (..., seed) after `pick`.
        floor: the architecture's least value of `of`, a number or a labelled array (one per
            setting).
        below: largest value inside that counts as success.
        outside_below: the same outside; left out, nobody has to extrapolate.
        of: the variable inside.
        outside: the variable outside.

    Returns:
        `kind` (..., seed), a string of `KINDS`, and `diverged` (..., seed), whether v (or w, where
        judged) is not finite. `shares` counts the kinds.

    Raises:
        ValueError: a floor or threshold that is nan, a missing variable.
    """
    limit, least = xr.DataArray(below), check_floor(floor)
    found = last_hit(runs, of, limit)
    diverged = ~np.isfinite(final(runs, of))
    far = xr.ones_like(found)
    if outside_below is not None:
        far = last_hit(runs, outside, xr.DataArray(outside_below))
        diverged = diverged | ~np.isfinite(final(runs, outside))
    missing = xr.where(least > limit, KINDS[3], KINDS[2])
    kind = xr.where(found, xr.where(far, KINDS[0], KINDS[1]), missing)
    result = xr.Dataset({"kind": kind.transpose(..., "seed"), "diverged": diverged})
    kinds = [name for name in KINDS if outside_below is not None or name != KINDS[1]]
    result.attrs = {"of": of, "kinds": kinds}
    return result


def excess(runs: xr.Dataset, floor: float | xr.DataArray, of: str = "test_loss") -> xr.Dataset:
    """How many times the architecture's floor a training ended at: `ratio = final value / floor`,
    inf where diverged.

    A ratio below 1 means that the floor is none, see `below_floor`.

    Args:
        runs: variables over (..., seed, step), or (..., seed) after `pick`.
        floor: the architecture's least value of `of`, positive.
        of: the variable.

    Returns:
        `ratio` over (..., seed), ready for `quantiles(..., of="ratio")`.

    Raises:
        ValueError: a floor that is not positive, a missing variable.
    """
    least = check_floor(floor)
    if not bool((least > 0).all()):
        raise ValueError(f"a ratio needs a positive floor, got {float(least.min())}")
    value = final(runs, of).astype(float)
    return (value.where(np.isfinite(value), np.inf) / least).to_dataset(name="ratio")


def below_floor(
    runs: xr.Dataset, floor: float | xr.DataArray, of: str = "test_loss"
) -> xr.DataArray:
    """Which trainings ended below the floor by more than rounding, value < floor (1 - 1e-5): the
    floor is wrong there.

    Args:
        runs: variables over (..., seed, step), or (..., seed) after `pick`.
        floor: the least value that was thought possible.
        of: the variable.

    Returns:
        Booleans over (..., seed).
    """
    return final(runs, of).astype(float) < check_floor(floor) * (1 - ROUNDING)


def check_floor(floor: float | xr.DataArray) -> xr.DataArray:
    """The floor as an array.

    Raises:
        ValueError: it is negative or nan.
    """
    least = xr.DataArray(floor).astype(float)
    if not bool((least >= 0).all()):
        raise ValueError(
            f"floor is the least loss the architecture can reach, a number >= 0, got {least.values}"
        )
    return least


def last_hit(runs: xr.Dataset, of: str, below: xr.DataArray) -> xr.DataArray:
    """Whether the last value is a success, see `success`."""
    return success(xr.Dataset({of: final(runs, of)}), below=below, of=of).hit
