"""What a training kept at some records only: its predictions and parameters.

Losses are stored at every record. Predictions and parameters are stored at few steps, which the
coordinate `kept_step` names.
"""

import numpy as np
import xarray as xr

from approx.stats.labels import stage_of, variable, without_kept_step, wrong_stage

# The attribute in which `pick` names the variables that it had to leave out
NOT_PICKED = "not_picked"


def pick(runs: xr.Dataset, by: str = "validation_loss", above: bool = False) -> xr.Dataset:
    """Pick each training's step on validation data, to judge it on test data it was not chosen by.

    Predictions and parameters are kept at few steps, by default at the last one. They are picked
    too where they were kept at every picked step (`keep_at=` of all records, for example).
    Otherwise they are left out, because those of another step would be those of another network:
    what needs them then raises an error that says so.

    Args:
        runs: variables over (..., seed, step).
        by: the variable that chooses: its best record, the earliest of equals. Values that are not
            finite are never chosen; where none is finite, the last record is taken.
        above: True where more is better.

    Returns:
        All variables over (..., seed) at the picked records, with `step` (..., seed) as coordinate.
        It goes into `success`, `quantiles` and so on as `runs` does. The attribute `not_picked`
        names what was left out.

    Raises:
        ValueError: `runs` is no Dataset, or has no variable of that name.

    Example:
        runs = ap.run(task, recipe, seeds=64, keep_at=records)  # all record steps; a task with
        validation rows plot.fan(stats.pick(runs))
    """
    value = variable(runs, by)
    worst = np.inf
    if above:
        worst = -np.inf
    value = value.where(np.isfinite(value), worst)

    if above:
        best = value.argmax("step")
    else:
        best = value.argmin("step")
    has_none = (value == worst).all("step")
    last = runs.sizes["step"] - 1
    index = best.where(~has_none, last).astype(int)

    picked = runs.drop_vars(kept_variables(runs)).isel(step=index)
    return with_kept_at(picked, runs, runs.step[index])


def with_kept_at(picked: xr.Dataset, runs: xr.Dataset, steps: xr.DataArray) -> xr.Dataset:
    """Add what `runs` kept at `steps` (..., seed) to `picked`.

    If it was not kept at all of these steps, nothing is added, and the attribute `not_picked` says
    what is missing.
    """
    names = kept_variables(runs)
    picked = picked.drop_vars("kept_step", errors="ignore")
    if not names:
        return picked

    at = steps_kept(runs)
    if not np.isin(steps.values, at).all():
        return _without_kept(picked, names)

    kept = _at_steps(runs[names], at, steps)
    return picked.assign({name: kept[name].variable for name in names})


def _without_kept(picked: xr.Dataset, names: list[str]) -> xr.Dataset:
    """Note which variables were not kept at the picked steps."""
    found = picked.assign_attrs({NOT_PICKED: names})
    # How parameters that are no longer there were nested
    found.attrs.pop("params", None)
    return found


def _at_steps(kept: xr.Dataset, at: np.ndarray, steps: xr.DataArray) -> xr.Dataset:
    """What was kept at the steps (..., seed), from what was kept at all the steps `at`."""
    if "kept_step" in kept.dims:
        place = steps.copy(data=np.searchsorted(at, steps.values))
        kept = kept.isel(kept_step=place.drop_vars("step"))
    return kept.drop_vars("kept_step", errors="ignore")


def kept_variables(runs: xr.Dataset) -> list[str]:
    """The names of the predictions and the parameters among the variables."""
    names = [str(name) for name in runs.data_vars]
    kept = []
    for name in names:
        if name == "prediction" or name.partition(".")[0] == "params":
            kept.append(name)
    return kept


def steps_kept(runs: xr.Dataset) -> np.ndarray:
    """The steps at which predictions and parameters were kept, in increasing order.

    The array is empty where that is not known.
    """
    if "kept_step" in runs.coords:
        return np.atleast_1d(runs.kept_step.values)
    return np.array(sorted(_steps_noted(runs)), int)


def _steps_noted(runs: xr.Dataset) -> set[int]:
    """The steps that the attributes of the kept variables name."""
    noted = set()
    for name in kept_variables(runs):
        attributes = runs[name].attrs
        if "kept_step" in attributes:
            noted.add(attributes["kept_step"])
    return noted


def predictions(runs: xr.Dataset) -> xr.DataArray:
    """The predictions of a result.

    Raises:
        ValueError: `runs` is no result of `ap.run`; there are no predictions, and the message says
            why and what to do; or one record of the losses was selected, and the predictions were
            kept at another step.
    """
    if not isinstance(runs, xr.Dataset):
        raise wrong_stage(runs, "runs")
    if "prediction" in runs:
        check_one_moment(runs)
        return without_kept_step(runs.prediction)
    if stage_of(runs) != "runs":
        raise wrong_stage(runs, "runs")
    raise _no_predictions(runs)


def judged(runs: xr.Dataset) -> xr.Dataset:
    """The result at the points that have a target: without those of `ap.data(..., at=...)`.

    Raises:
        ValueError: no point has a target.
    """
    if not isinstance(runs, xr.Dataset) or "role" not in runs.coords:
        return runs
    chosen = np.flatnonzero(runs.role.values != "at")
    if not chosen.size:
        raise ValueError(
            "no point of this result has a target: all of them are those of at=; give the task "
            "test rows too, as in ap.data(x, y, test=(x_test, y_test), at=...)"
        )
    return runs.isel(point=chosen)


def _no_predictions(runs: xr.Dataset) -> ValueError:
    """The error for runs without predictions: they were not kept, or not at the picked steps."""
    if "prediction" in runs.attrs.get(NOT_PICKED, ()):
        return ValueError(
            "the predictions were not kept at every step that stats.pick picked, and those of "
            "another step belong to other networks: run with keep_at= all record steps "
            "(runs.step.values), then pick"
        )
    return ValueError('no predictions were kept: run with keep=("prediction",)')


def check_one_moment(runs: xr.Dataset) -> None:
    """Refuse predictions of one step beside losses of another, as `runs.isel(step=0)` leaves them.

    Raises:
        ValueError: naming both steps.
    """
    step = _selected_step(runs)
    if step is None:
        return
    kept = steps_kept(runs)
    if len(kept) != 1 or "kept_step" in runs.dims:
        return
    _check_same_step(step, int(kept[0]))


def _selected_step(runs: xr.Dataset) -> int | None:
    """The one step at which these runs are, or None if they have all records or none."""
    step = runs.coords.get("step")
    if step is None or step.ndim > 0:
        return None
    return int(step)


def _check_same_step(selected: int, kept: int) -> None:
    """Raise a ValueError if the losses and the predictions are those of two steps."""
    if selected != kept:
        raise ValueError(
            f"step {selected} was selected, but the predictions were kept at step {kept}: "
            f"run with keep_at=({selected},), or select that step"
        )
