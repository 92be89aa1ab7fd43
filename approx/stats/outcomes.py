"""What became of each seed, by one rule that holds for every study: `endings`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from approx.stats.endings import DIVERGED, LEARNED, falling
from approx.stats.endings import plateaus as at_values
from approx.stats.labels import final, require_dims, variable, worst_value
from approx.stats.rates import check_records, check_trained, reading, truth

FITS, FALLING, STUCK = "fits its rows only", "still falling", "stuck"
FOUND = "at "  # how the name of a plateau begins that was found
# Where values are spread smoothly, some of them lie near each other by chance. With these two
# numbers fewer than 5% of samples of 10 to 512 values seem to have a plateau if they are spread
# evenly over a factor of 2 or more, or as the exponentials of standard normal numbers. Small
# relu networks that do rest at one loss (on `tasks.square`) mostly end within 0.1% of each other
NARROW = 0.1  # of the tolerance; so much may neighbours in a plateau differ that is found
SHARE = 0.1  # of the trainings of which nothing else is true; so many make a plateau


def endings(
    runs: xr.Dataset,
    hits: xr.Dataset | xr.DataArray,
    plateaus: Mapping[str, float] | None = None,
    *,
    of: str = "loss",
    tolerance: float = 0.02,
    fits: float | None = None,
) -> xr.Dataset:
    """Say in a word or two what became of each seed.

    Let v be a seed's training loss at the last record. These statements are tried one after the
    other, and the first that is true gives the seed its kind.

    1. "learned": the seed is a success at the last record.
    2. "diverged": v is infinite or not a number.
    3. "fits its rows only": v <= `fits`. The network is right on its training rows, and yet the
       seed is no success, because success is judged elsewhere. If `fits` is left out, there is no
       such kind.
    4. The name of a known plateau: v differs from a value in `plateaus` by at most the share
       `tolerance` of that value. Of several such values the nearest counts. A seed counts as on a
       known plateau even if its loss still falls.
    5. "still falling": more steps would have lowered the loss, by the rule of `falling`.
    6. "at 0.4774": many seeds rest at nearly the same v, and its median is 0.4774. This is a
       plateau that nobody has named. "Many" are at least five seeds, and at least a tenth of those
       (in all settings together) for which statements 1 to 5 are false. "Nearly the same" means
       two things: when the losses are sorted, neighbours differ by at most a tenth of `tolerance`,
       and the largest exceeds the smallest by at most four tenths, both as shares of the smaller.
    7. "stuck": none of these. The loss rests or jitters at a value that few other seeds have.

    The rule of `falling` needs losses that are not negative, and a record between step 0 and two
    thirds of the steps. Without them there is no kind "still falling". The attribute `note` of the
    result then says so in a sentence, and "stuck" and "at ..." may hold seeds that were falling.

    Args:
        runs: variables over (..., seed, step), or (..., seed) after `pick`.
        hits: what `success` returned for these runs.
        plateaus: losses at which a training may come to rest, positive, by name: those that are
            known before one looks.
        of: the training loss.
        tolerance: relative half-width of a plateau, between 0 and 1.
        fits: the largest training loss with which the training rows count as fitted.

    Returns:
        `kind` over (..., seed), ready for `shares`. The attribute `kinds` lists all kinds that were
        possible, from "learned" over the plateaus to "diverged".

    Raises:
        TypeError: the plateaus are no dictionary.
        ValueError: the runs and hits are not of the same trainings and the same last record; the
            variable is an accuracy; a plateau has a value that is not positive, or the name of
            another kind; `tolerance` or `fits` is out of range.

    Example:
        hits = stats.success(runs, below=1e-3)
        ends = stats.endings(runs, hits, {"best constant": 0.25})
        stats.shares(ends)  # the share of each kind, with intervals
    """
    named = {} if plateaus is None else plateaus
    _check_options(named, tolerance, fits)
    value = _final_loss(runs, of)
    learned = _learned(runs, hits, of).transpose(*value.dims).values

    # The statements in their order; np.select takes the first that is true
    v = value.values
    is_finite = np.isfinite(v)
    names, is_named = _named_plateaus(value, named, tolerance)
    is_falling, note = _falling(runs, of)
    statements: list[tuple[np.ndarray, Any]] = [
        (learned, LEARNED),
        (~is_finite, DIVERGED),
        (_is_fitted(v, fits), FITS),
        (is_named, names),
        (is_falling.transpose(*value.dims).values, FALLING),
    ]
    conditions = [condition for condition, _ in statements]
    choices = [choice for _, choice in statements]
    first = np.select(conditions, choices, STUCK)
    kind = xr.DataArray(first, value.coords, value.dims)

    # Plateaus are looked for among the others
    is_rest = kind == STUCK
    found_names, found = _found_plateaus(value, is_rest, tolerance)
    kind = xr.where(is_rest, found_names, kind)

    kinds = [LEARNED, FITS, *named, *found, FALLING, STUCK, DIVERGED]
    if fits is None:
        kinds.remove(FITS)
    about: dict[str, Any] = {"of": of, "tolerance": tolerance}
    if note:
        kinds.remove(FALLING)
        about["note"] = note
    return kind.to_dataset(name="kind").assign_attrs(about, kinds=kinds)


# ---- what was given ------------------------------------------------------------------------------


def _check_options(named: Mapping[str, float], tolerance: float, fits: float | None) -> None:
    """Raise an error if the plateaus, the tolerance or `fits` make no sense."""
    if not isinstance(named, Mapping):
        kind = type(named).__name__
        raise TypeError(f'plateaus is a dictionary such as {{"best constant": 0.25}}, not {kind}')
    for name in named:
        _check_name(name)
    if not 0 < tolerance < 1:
        raise ValueError(
            f"tolerance is a share of a plateau's loss between 0 and 1, such as 0.02; "
            f"got {tolerance}"
        )
    if fits is not None and not np.isfinite(fits):
        raise ValueError(f"fits is a training loss, such as 1e-3, or None; got {fits}")


def _check_name(name: str) -> None:
    """Raise a ValueError if a known plateau has the name of another kind."""
    if name in (LEARNED, DIVERGED, FITS, FALLING, STUCK):
        raise ValueError(f"{name!r} is a kind of its own; choose another name for the plateau")
    is_found = name.startswith(FOUND) and name[len(FOUND) :][:1].isdigit()
    if is_found:
        raise ValueError(f"{name!r} is how a plateau is called that was found; choose another name")


def _final_loss(runs: xr.Dataset, of: str) -> xr.DataArray:
    """The loss over (..., seed) at the last record.

    Raises:
        ValueError: there is no such variable, it is an accuracy, or its records are in disorder.
    """
    loss = variable(runs, of)
    require_dims(loss, ["seed"])
    if worst_value(of, None) < 0:
        raise ValueError(f"{of!r} is no loss, by which endings are told; give a loss as of=")
    check_records(loss)
    check_trained(runs)
    return final(runs, of)


def _learned(runs: xr.Dataset, hits: xr.Dataset | xr.DataArray, of: str) -> xr.DataArray:
    """Which seeds are a success at the last record.

    Raises:
        ValueError: the hits are of other trainings, or end at another record.
    """
    hit = truth(hits)
    loss = runs[of]
    _check_last_record(loss, hit)
    learned = reading(hit)
    value = final(runs, of)
    if set(value.dims) != set(learned.dims):
        raise ValueError(
            f"the runs are over {_listed(value)} and the hits over {_listed(learned)}: "
            "make the hits from these runs"
        )
    for dim in value.dims:
        if not np.array_equal(value[dim].values, learned[dim].values):
            raise ValueError(
                f"the runs and the hits differ along {dim!r}: make the hits from these runs"
            )
    return learned


def _listed(array: xr.DataArray) -> str:
    """The dimensions of an array, as an error prints them."""
    return "(" + ", ".join(map(str, array.dims)) + ")"


def _check_last_record(loss: xr.DataArray, hit: xr.DataArray) -> None:
    """Raise a ValueError if the hits end at another record than the losses.

    Hits with a single record are taken to be those of the end.
    """
    if "step" not in hit.dims:
        return
    if "step" not in loss.dims:
        raise ValueError(
            "the runs have one record of each training, as after stats.pick, and the hits have "
            f"{hit.sizes['step']}: make the hits from these runs"
        )
    end_of_hits = int(hit.step[-1])
    end_of_runs = int(loss.step[-1])
    if end_of_hits != end_of_runs:
        raise ValueError(
            f"the last record of the hits is at step {end_of_hits}, and that of the runs at step "
            f"{end_of_runs}: make the hits from these runs, or cut both alike"
        )


# ---- the statements ------------------------------------------------------------------------------


def _is_fitted(v: np.ndarray, fits: float | None) -> np.ndarray:
    """Which losses are at or below `fits`; none if that was left out."""
    if fits is None:
        return np.zeros(v.shape, bool)
    return v <= fits


def _named_plateaus(
    value: xr.DataArray, named: Mapping[str, float], tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """The name of the plateau that each loss is on, and whether it is on one of those known."""
    judged = at_values(value.to_dataset(name="value"), named, of="value", tolerance=tolerance)
    is_named = judged.kind.isin(list(named))
    return judged.kind.values, is_named.values


def _falling(runs: xr.Dataset, of: str) -> tuple[xr.DataArray, str]:
    """Which trainings were still falling, and "" or a sentence on why nobody can say it."""
    loss = runs[of]
    finite = loss.where(np.isfinite(loss))  # else -inf would count as a loss below 0
    try:
        return falling(runs.assign({of: finite}), of), ""
    except ValueError as reason:
        note = (
            f"There is no kind {FALLING!r}, because the records do not tell ({reason}). "
            f"So {STUCK!r} and {FOUND + '...'!r} may hold trainings that were still falling."
        )
        return xr.zeros_like(final(runs, of), bool), note


def _found_plateaus(
    value: xr.DataArray, is_rest: xr.DataArray, tolerance: float
) -> tuple[xr.DataArray, list[str]]:
    """Plateaus among the losses of which nothing was said before.

    Returns:
        The name of the plateau of each loss, "stuck" where there is none; and the names of all.
    """
    rest = value.where(is_rest).to_dataset(name="value")
    least = SHARE * float(is_rest.mean())  # as a share of all trainings
    judged = at_values(rest, {}, of="value", tolerance=NARROW * tolerance, least=least)
    found = [name for name in judged.attrs["kinds"] if name.startswith(FOUND)]
    names = judged.kind.where(judged.kind.isin(found), STUCK)
    return names, list(dict.fromkeys(found))  # two that are printed alike are one
