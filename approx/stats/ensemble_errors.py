"""The errors of ensembles of one size: plain arrays in, plain arrays out.

Shape letters in this file: c cells of settings, n seeds, g groups of m seeds, k test points, o
outputs.
"""

from typing import NamedTuple

import numpy as np
import scipy

from approx.stats.bounded_means import mean_interval
from approx.stats.intervals import at_rank, quantile_of_sorted, rank_interval

LOSSES = ("squared", "wrong", "log")
LEAST = np.finfo(float).tiny  # of a probability whose logarithm is taken


class Judged(NamedTuple):
    """Outputs of the seeds, and how the mean of some of them is judged.

    Attributes:
        outputs: (c, n, k, o): numbers, or probabilities of the classes.
        targets: (c, k, o) numbers, or (c, k) labels.
        loss: of `LOSSES`.
    """

    outputs: np.ndarray
    targets: np.ndarray
    loss: str

    def errors(self, outputs: np.ndarray) -> np.ndarray:
        """The loss (c, g, k) of outputs (c, g, k, o) at every point."""
        if self.loss == "squared":
            return ((outputs - self.targets[:, None]) ** 2).mean(-1)
        labels = np.broadcast_to(self.targets[:, None], outputs.shape[:-1])
        if self.loss == "wrong":
            wrong = (outputs.argmax(-1) != labels).astype(float)
            return np.where(np.isfinite(outputs).all(-1), wrong, 1.0)
        right = np.take_along_axis(outputs, labels[..., None], -1)[..., 0]
        return -np.log(np.maximum(right, LEAST))


def _finite_or_inf(errors: np.ndarray) -> np.ndarray:
    """Errors, infinite where a network has diverged."""
    return np.where(np.isfinite(errors), errors, np.inf)


def _errors_of_groups(judged: Judged, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The error of each group's mean output, and its members' mean error, both (c, g, k)."""
    rows = np.arange(len(groups))[:, None]
    m = groups.shape[-1]
    mean = np.zeros((*groups.shape[:2], *judged.outputs.shape[2:]))
    members = np.zeros(mean.shape[:-1])
    with np.errstate(invalid="ignore", over="ignore"):
        for place in range(m):
            one = judged.outputs[rows, groups[..., place]]
            mean += one / m
            members += judged.errors(one) / m
        return judged.errors(mean), members


def _difference(members: np.ndarray, error: np.ndarray) -> np.ndarray:
    """What an ensemble gains over its members; nan where networks have diverged."""
    with np.errstate(invalid="ignore"):
        return members - error


def _over_all_groups(judged: Judged, points: np.ndarray, m: int) -> np.ndarray:
    """The mean squared error (c,) over all C(n, m) ensembles of m of the n seeds.

    `(f - y)² + s² (1/m - 1/n)` with the mean f and the unbiased variance s² of all seeds.
    """
    outputs = judged.outputs[:, :, points]
    n = outputs.shape[1]
    errors = (outputs.mean(1) - judged.targets[:, points]) ** 2
    if n > 1:
        errors = errors + outputs.var(1, ddof=1) * (1 / m - 1 / n)
    return _finite_or_inf(errors.mean((-2, -1)))


def _statistic(values: np.ndarray, statistic: str) -> np.ndarray:
    """Mean or median (c,) over the groups (c, g)."""
    if statistic == "mean":
        return values.mean(-1)
    return quantile_of_sorted(np.sort(values, -1), 0.5)


def _summary(
    errors: np.ndarray, exact: np.ndarray | None, statistic: str, level: float, loss: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An estimate with its interval, each (c,), from the errors (c, g) of independent groups.

    Args:
        errors: of the groups.
        exact: an estimate that varies at most as much as their mean (c,), or None for their mean.
        statistic, level: see `ensemble`.
        loss: of `LOSSES`.
    """
    count = errors.shape[-1]
    if statistic == "median":
        ordered = np.sort(errors, -1)
        first, last = rank_interval(count, 0.5, level)
        low, high = at_rank(ordered, first), at_rank(ordered, last)
        return quantile_of_sorted(ordered, 0.5), np.maximum(low, 0), high
    estimate = errors.mean(-1) if exact is None else exact
    if loss == "wrong":
        return estimate, *mean_interval(errors, (0.0, 1.0), level)
    low, high = np.zeros_like(estimate), np.full_like(estimate, np.inf)
    if count == 1:
        return estimate, low, high
    with np.errstate(invalid="ignore"):  # an infinite error has no deviation
        deviation = errors.std(-1, ddof=1)
    half = scipy.stats.t.ppf((1 + level) / 2, count - 1) * deviation / np.sqrt(count)
    known = np.isfinite(half) & (half > 0)
    low = np.where(known, np.maximum(estimate - half, 0), low)
    high = np.where(known, estimate + half, high)
    return estimate, low, high


def of_size(
    judged: Judged,
    groups: np.ndarray,
    regions: dict[str, np.ndarray],
    statistic: str,
    level: float,
    free: bool,
) -> dict[str, np.ndarray]:
    """What the ensembles of one size are like: by name, (c, regions).

    Args:
        judged: what is judged.
        groups: (c, g, m).
        regions: points (k,) of each.
        statistic, level: see `ensemble`.
        free: whether any m of the seeds are an ensemble.
    """
    m = groups.shape[-1]
    every_group = free and statistic == "mean" and judged.loss == "squared"
    of_mean, of_members = _errors_of_groups(judged, groups)
    found: dict[str, list[np.ndarray]] = {}
    for points in regions.values():
        error = _finite_or_inf(of_mean[..., points].mean(-1))
        members = _finite_or_inf(of_members[..., points].mean(-1))
        exact = None
        if every_group:
            exact = _over_all_groups(judged, points, m)
            members = _over_all_groups(judged, points, 1)[:, None]
        estimate, low, high = _summary(error, exact, statistic, level, judged.loss)
        values = {"error": estimate, "low": low, "high": high}
        values["member_error"] = _statistic(members, statistic)
        if judged.loss == "squared":
            less = error if exact is None else exact[:, None]
            values["ambiguity"] = _statistic(_difference(members, less), statistic)
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    return {name: np.stack(values, -1) for name, values in found.items()}
