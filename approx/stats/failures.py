"""Where a training failed: the network cannot, training did not find it, or it fails outside."""

import numpy as np
import xarray as xr

from approx.stats.labels import final
from approx.stats.rates import success

SUCCESS, NOT_OUTSIDE, NOT_FOUND, IMPOSSIBLE = (
    "success",
    "does not extrapolate",
    "did not find",
    "cannot represent",
)
KINDS = (SUCCESS, NOT_OUTSIDE, NOT_FOUND, IMPOSSIBLE)
ROUNDING = 1e-5  # relative: about 100 float32 rounding units, what the sum of a loss may be off by


def failure_causes(
    runs: xr.Dataset,
    floor: float | xr.DataArray,
    below: float | xr.DataArray,
    outside_below: float | xr.DataArray | None = None,
    of: str = "test_loss",
    outside: str = "outside_loss",
) -> xr.Dataset:
    """Tell every training's outcome, with the reason of its failure.

    Let v be the value inside the training range (`of` at the last record), and w the one outside.
    The floor is the least value that the architecture can reach. The first statement that holds
    decides:

    - "success": v <= below, and w <= outside_below where that is given.
    - "does not extrapolate": v <= below, but w > outside_below or not finite.
    - "cannot represent": v > below, and the floor is above `below` too.
    - "did not find": v > below or not finite, although the floor is not.

    Args:
        runs: variables over (..., seed, step), or (..., seed) after `pick`.
        floor: the architecture's least value of `of`, a number or a labelled array (one per
            setting); `ap.floors` computes some.
        below: largest value inside that counts as success.
        outside_below: the same outside; if it is left out, nobody has to extrapolate.
        of: the variable inside.
        outside: the variable outside.

    Returns:
        `kind` (..., seed), a string of `KINDS`, and `diverged` (..., seed), whether v (or w, where
        judged) is not finite. `shares` counts the kinds.

    Raises:
        ValueError: a floor or threshold is nan, or a variable is missing.

    Example:
        stats.shares(stats.failure_causes(runs, floor=0.0, below=1e-3, outside_below=1e-2))
    """
    limit = xr.DataArray(below)
    least = check_floor(floor)
    fits = is_hit_at_last(runs, of, limit)
    diverged = ~np.isfinite(final(runs, of))
    extrapolates = xr.ones_like(fits)
    kinds = [SUCCESS, NOT_FOUND, IMPOSSIBLE]
    if outside_below is not None:
        extrapolates = is_hit_at_last(runs, outside, xr.DataArray(outside_below))
        diverged = diverged | ~np.isfinite(final(runs, outside))
        kinds = list(KINDS)

    if_it_fits = xr.where(extrapolates, SUCCESS, NOT_OUTSIDE)
    if_not = xr.where(least > limit, IMPOSSIBLE, NOT_FOUND)
    kind = xr.where(fits, if_it_fits, if_not)
    result = xr.Dataset({"kind": kind.transpose(..., "seed"), "diverged": diverged})
    result.attrs = {"of": of, "kinds": kinds}
    return result


def excess(runs: xr.Dataset, floor: float | xr.DataArray, of: str = "test_loss") -> xr.Dataset:
    """How many times the architecture's floor a training ended at.

    `ratio = final value / floor`, inf where the training diverged. A ratio below 1 means that the
    floor is none, see `below_floor`.

    Args:
        runs: variables over (..., seed, step), or (..., seed) after `pick`.
        floor: the architecture's least value of `of`, positive.
        of: the variable.

    Returns:
        `ratio` over (..., seed), ready for `quantiles(..., of="ratio")`.

    Raises:
        ValueError: the floor is not positive, or the variable is missing.

    Example:
        stats.quantiles(stats.excess(runs, floor=0.02), of="ratio")
    """
    least = _positive_floor(floor)
    value = final(runs, of).astype(float)
    value = value.where(np.isfinite(value), np.inf)
    return (value / least).to_dataset(name="ratio")


def _positive_floor(floor: float | xr.DataArray) -> xr.DataArray:
    """The floor as a labelled array, or a ValueError if it is 0 somewhere."""
    least = check_floor(floor)
    if not bool((least > 0).all()):
        raise ValueError(f"a ratio needs a positive floor, got {float(least.min())}")
    return least


def below_floor(
    runs: xr.Dataset, floor: float | xr.DataArray, of: str = "test_loss"
) -> xr.DataArray:
    """Which trainings ended below the floor by more than rounding: the floor is wrong there.

    That is the case where value < floor (1 - 1e-5).

    Args:
        runs: variables over (..., seed, step), or (..., seed) after `pick`.
        floor: the least value that was thought possible.
        of: the variable.

    Returns:
        Booleans over (..., seed).

    Raises:
        ValueError: the floor is negative or nan, or the variable is missing.

    Example:
        assert not stats.below_floor(runs, floor=0.02).any()
    """
    least = check_floor(floor)
    return final(runs, of).astype(float) < least * (1 - ROUNDING)


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


def is_hit_at_last(runs: xr.Dataset, of: str, below: xr.DataArray) -> xr.DataArray:
    """Whether the last value is a success, see `success`."""
    last = xr.Dataset({of: final(runs, of)})
    return success(last, below=below, of=of).hit
