"""The best of several seeds: what a few tries of one recipe give at their best."""

from collections.abc import Sequence

import numpy as np
import scipy
import xarray as xr

from approx.stats.labels import Over, final, reduce_in_chunks, worst_value
from approx.stats.resample import stacked
from approx.stats.unseen_sorted import sorted_interval, weighted_sum
from approx.stats.values import Statistic, possible


# A public verb: three arguments say what is asked, the others are the options of `aggregate`
def best_of(  # noqa: PLR0913
    runs: xr.Dataset,
    tries: Sequence[int] = (1, 2, 5, 10, 20, 50),
    of: str = "test_loss",
    statistic: str = "mean",
    over: Over = "seed",
    level: float = 0.95,
    resamples: int = 1000,
    rng: int = 0,
    worst: float | None = None,
) -> xr.Dataset:
    """Expected (or median) best value among m seeds.

    Among n seeds, the best of m drawn without replacement is the i-th best one with probability
    C(n - i, m - 1) / C(n, m). This is the unbiased estimate of R. Tang et al. (ACL 2020), who
    correct J. Dodge et al. (EMNLP 2019). The interval reckons with one more seed, as that of
    `aggregate` does: the mean best of seeds that may be arbitrarily bad has no end on that side
    unless `worst` is given. The median's interval is by order statistics.

    Args:
        runs: variables over (..., seed, step), or (..., seed) after `pick`.
        tries: numbers m of seeds, each from 1 to n.
        of: the variable; lowest is best, and highest where nan stands for -inf (accuracies).
        statistic: "mean" or "median" of the best value.
        over: the dimension or dimensions of the sample.
        level: probability of covering.
        resamples: number of draws of the weights of seeds.
        rng: seed of the draws.
        worst: what nan stands for; by default inf, and -inf for an accuracy.

    Returns:
        `best`, `low`, `high`, `n` over (..., tries).

    Raises:
        ValueError: m outside 1..n, an unknown statistic.

    Example:
        >>> stats.best_of(runs, tries=(1, 5, 10))
    """
    if statistic not in ("mean", "median"):
        raise ValueError(f"statistic must be 'mean' or 'median', got {statistic!r}")
    wanted = np.atleast_1d(np.asarray(tries, int))
    stand_in = worst_value(of, worst)
    filled = final(runs, of)
    filled = filled.where(filled.notnull(), stand_in).astype(float)
    bounds = possible(filled.values, of, worst)
    larger_is_better = stand_in <= 0
    sign = 1.0
    if larger_is_better:  # the lowest of the negated values is the best then
        sign = -1.0
        bounds = (-bounds[1], -bounds[0])

    def chunk(values: np.ndarray) -> tuple[np.ndarray, ...]:
        n = values.shape[-1]
        if n == 0 or wanted.min() < 1 or wanted.max() > n:
            raise ValueError(
                f"tries must lie between 1 and the {n} seeds there are, got {wanted.tolist()}"
            )
        values = sign * values
        missing = _none_among(n, wanted)
        estimate = best_among(np.sort(values, -1), missing, statistic)
        ends = []
        for m in wanted:
            shares = _best_share(m, statistic)
            ends.append(sorted_interval(values, shares, bounds, level, resamples, rng))
        low, high = stacked(ends)
        if larger_is_better:
            low, high = high, low
        return sign * estimate, sign * low, sign * high, np.full(low.shape, n)

    names = ("best", "low", "high", "n")
    new = {"tries": wanted}
    result = reduce_in_chunks(chunk, filled, over=over, names=names, new=new)
    result.attrs = {
        "of": of,
        "statistic": statistic,
        "level": level,
        "resamples": resamples,
    }
    return result


def _none_among(n: int, tries: np.ndarray) -> np.ndarray:
    """P(none of c given seeds is among m drawn of n) = C(n - c, m) / C(n, m).

    Returns:
        An array (tries, n + 1): one row for each m, one column for each c from 0 to n.
    """
    c = np.arange(n + 1)
    m = tries[:, None]
    rest = np.maximum(n - c - m, 0)
    logs = (
        scipy.special.gammaln(n - c + 1)
        - scipy.special.gammaln(rest + 1)
        - scipy.special.gammaln(n + 1)
        + scipy.special.gammaln(n - m + 1)
    )
    return np.where(n - c >= m, np.exp(logs), 0.0)


def best_among(ordered: np.ndarray, missing: np.ndarray, statistic: str) -> np.ndarray:
    """Mean or median of the lowest of m seeds.

    Args:
        ordered: sorted samples (cells, n).
        missing: what `_none_among` returned, (tries, n + 1).
        statistic: "mean" or "median".

    Returns:
        The statistic, (cells, tries).
    """
    beyond = missing[:, 1:]
    if statistic == "median":
        return ordered[:, np.argmax(beyond <= 0.5, -1)]
    return weighted_sum(ordered, missing[:, :-1] - beyond)


def _best_share(tries: int, statistic: str) -> Statistic:
    """How much a share u of lowest seeds contributes to the mean or median of the lowest of m.

    For the mean this is the probability that the lowest of m seeds lies in that share. For the
    median it is 1 if that probability is at least one half, else 0.
    """
    if statistic == "mean":
        return lambda u: 1 - (1 - u) ** tries
    middle = 1 - 0.5 ** (1 / tries)
    return lambda u: (u >= middle).astype(float)
