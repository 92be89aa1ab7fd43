"""What counts as success, as a rule that is stated where the reader sees it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from approx.stats.labels import final
from approx.stats.rates import success, truth
from approx.tasks import Task, losses, shortened

MAIN = "success"  # the name of the measure if there is only one
UNEXPLAINED = 0.01  # of the targets' variance, the default of a largest mean squared error
CORRECT = 0.95  # the default of a least accuracy
SHOWN = {
    "test_loss": "test loss",
    "outside_loss": "loss outside the training range",
    "validation_loss": "validation loss",
    "loss": "training loss",
    "test_accuracy": "test accuracy",
    "outside_accuracy": "accuracy outside the training range",
    "validation_accuracy": "validation accuracy",
    "accuracy": "training accuracy",
}


RULE = "the rule of success"
HOW = "it must give true or false for each seed, such as stats.success(runs, below=0.01)"
ACCURACIES = [name for name in SHOWN if "accuracy" in name]


class Measure(NamedTuple):
    """A rule that says which seeds of a row succeed.

    Attributes:
        says: the rule in words, such as "test loss at most 0.01".
        hits: a function of a row's runs that gives what `stats.success` returns, or one bool for
            each seed.
        of: the variable that the rule judges, whose quantiles are reported too; or a function of a
            row's runs that gives one value for each seed, the lower the better; None if there is
            none.
    """

    says: str
    hits: Callable[..., Any]
    of: str | Callable[[xr.Dataset], xr.DataArray] | None = None


def threshold(of: str, below: float | None = None, above: float | None = None) -> Measure:
    """The rule that a variable is at most, or at least, a number.

    Args:
        of: the variable, such as "test_loss".
        below: the largest value that counts as success.
        above: the smallest value that counts as success. Give one of the two.

    Raises:
        ValueError: none or both of the two, or a number that is not finite.

    Example:
        >>> threshold("test_accuracy", above=0.99).says
        'test accuracy at least 0.99'
    """
    if (below is None) == (above is None):
        raise ValueError(f"give one of below= and above=; got below={below!r}, above={above!r}")
    number = above if below is None else below
    if isinstance(number, bool | str) or not np.isscalar(number) or not np.isfinite(number):
        raise ValueError(f"the threshold of success is {number!r}; give a finite number")
    judged = partial(success, below=below, above=above, of=of)
    side = "at least" if below is None else "at most"
    return Measure(f"{SHOWN.get(of, of)} {side} {number:g}", judged, of)


def judged_values(measure: Measure, runs: xr.Dataset) -> xr.Dataset | None:
    """What a measure judges, for each seed at the last record, as the only variable.

    It keeps the variable's name, by which higher and lower values are told apart, and is called
    "value" where a function gives it. None stands for a measure, or for runs, without.
    """
    if callable(measure.of):
        values = measure.of(runs)
        return values.reset_coords(drop=True).to_dataset(name="value")
    if measure.of is None or measure.of not in runs:
        return None
    return xr.Dataset({measure.of: final(runs, measure.of)})


def judged_variable(task: Task, accuracy: bool) -> str:
    """The variable that a task is judged by if nobody names one.

    It is that of the test points; without test points that of the validation rows, and without
    these that of the training rows. There is no accuracy of validation rows, so accuracies are then
    those of the training rows.

    Args:
        task: what is learned.
        accuracy: whether an accuracy is meant, not a loss.
    """
    kind = "accuracy" if accuracy else "loss"
    if task.tested:
        return f"test_{kind}"
    if task.validated and not accuracy:
        return f"validation_{kind}"
    return kind


def has_accuracy(task: Task) -> bool:
    """Whether trainings of a task record an accuracy."""
    return task.correct is not None or task.loss in losses.CORRECT


def measures_of(
    task: Task,
    below: float | None,
    above: float | None,
    of: str | None,
    success: Any,
) -> dict[str, Measure]:
    """The measures of a study by name, the one that its verdicts are about first.

    Args:
        task: the baseline's.
        below: the largest value that counts as success.
        above: the smallest value that counts as success.
        of: the variable judged; by default see `judged_variable`.
        success: a function of runs in place of a threshold, a `Measure`, or a dictionary of such by
            name.

    Raises:
        ValueError: thresholds beside `success`, or a task that has no default.
        TypeError: a measure that is none.
    """
    if success is None:
        return {MAIN: default_measure(task, below, above, of)}
    if not (below is None and above is None and of is None):
        raise ValueError("give success= or a threshold (below=, above=, of=), not both")
    named = success if isinstance(success, Mapping) else {MAIN: success}
    if not named:
        raise ValueError("success= is an empty dictionary; name one measure at least")
    return {str(name): checked_measure(str(name), one) for name, one in named.items()}


def checked_measure(name: str, given: Any) -> Measure:
    """A measure as `Measure`, from one or from a function of runs."""
    if isinstance(given, Measure):
        return given
    if not callable(given):
        raise TypeError(
            f"success= has {shortened(given)} for {name!r}; give a function of the runs, or "
            "ap.study.threshold(...)"
        )
    says = name if name != MAIN else getattr(given, "__name__", name).replace("_", " ")
    return Measure(says, given)


def default_measure(
    task: Task, below: float | None, above: float | None, of: str | None
) -> Measure:
    """The measure by a threshold, or the default of the task's kind.

    By default a classification succeeds with an accuracy of at least 0.95, and a regression by
    least squares with a mean squared error of at most 1% of the judged targets' variance.

    Raises:
        ValueError: a task without a default.
    """
    if below is not None or above is not None:
        return threshold(of or default_variable(task, below, above), below, above)
    of = of or judged_variable(task, has_accuracy(task))
    if of in ACCURACIES:
        return threshold(of, above=CORRECT)
    variance = targets_variance(task)
    if task.loss != "mse" or variance is None or of not in SHOWN:
        raise ValueError(
            f"say what counts as success, such as below=0.01: {of!r} of a task with the loss "
            f"{shortened(task.loss)} has no default"
        )
    most = float(f"{UNEXPLAINED * variance:.2g}")
    found = threshold(of, below=most)
    return found._replace(says=f"{found.says}, 1% of the targets' variance")


def default_variable(task: Task, below: float | None, above: float | None) -> str:
    """The variable that a threshold is about if nobody names one: with `above`, an accuracy.

    Raises:
        ValueError: `above` for a task without accuracies.
    """
    if above is not None and below is None and not has_accuracy(task):
        raise ValueError(
            f"above={above!r} needs of=, the variable that must be large: this task has no accuracy"
        )
    return judged_variable(task, above is not None)


def targets_variance(task: Task) -> float | None:
    """The variance of the targets at the points inside the training range, a mean over outputs.

    None if all targets there are the same, or not known before training.
    """
    points = task.points()
    inside = np.asarray(points.distance) == 0
    targets = np.asarray(points.y, float)[inside]
    if not targets.size:
        return None
    variance = float(targets.reshape(len(targets), -1).var(0).mean())
    return variance if np.isfinite(variance) and variance > 0 else None


def hits_of(name: str, measure: Measure, runs: xr.Dataset) -> xr.Dataset:
    """Which seeds succeed by a measure, as `stats.success` returns it.

    Args:
        name: of the measure.
        measure: the rule.
        runs: the trainings of a row.

    Raises:
        ValueError: hits of other seeds than those of the runs, so that rates would be of others;
            hits over further dimensions.
    """
    found = measure.hits(runs)
    seeds = runs.seed.values
    if isinstance(found, np.ndarray | list) and np.shape(found) == seeds.shape:
        found = xr.DataArray(np.asarray(found), {"seed": seeds}, ("seed",))
    if isinstance(found, xr.Dataset) and "hit" not in found:
        raise ValueError(f"{RULE} {name!r}: the Dataset has no variable 'hit'; {HOW}")
    hit = found["hit"] if isinstance(found, xr.Dataset) else found
    if not isinstance(hit, xr.DataArray):
        kind = type(found).__name__
        raise ValueError(f"{RULE} {name!r}: it gives a {kind} of shape {np.shape(found)}; {HOW}")
    if not {"seed"} <= set(hit.dims) <= {"seed", "step"}:
        raise ValueError(f"{RULE} {name!r}: it gives hits over the dimensions {hit.dims}; {HOW}")
    if hit.sizes["seed"] != len(seeds) or not np.array_equal(hit.seed.values, seeds):
        raise ValueError(
            f"{RULE} {name!r}: it gives hits of {hit.sizes['seed']} seeds, and the row has "
            f"{len(seeds)}; every seed counts, those that diverged as failures"
        )
    try:
        plain = truth(hit)
    except ValueError as error:
        raise ValueError(f"{RULE} {name!r}: {error}") from error
    return plain.reset_coords(drop=True).to_dataset(name="hit")
