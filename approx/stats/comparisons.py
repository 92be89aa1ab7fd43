"""Success rates of two recipes on the same seeds.

The seed fixes data, initial weights and order for both recipes, so differences are paired.
"""

import warnings
from collections.abc import Hashable, Mapping
from typing import Any, cast

import numpy as np
import scipy
import xarray as xr

from approx.stats.intervals import check_level
from approx.stats.labels import listed, reduce, require_dims
from approx.stats.paired_intervals import check_paired, paired_interval
from approx.stats.rates import reading, truth

Pairable = xr.Dataset | Mapping[Hashable, xr.Dataset]

# The two sides of a comparison, and what the attributes of a result say of their records
Sides = tuple[xr.Dataset, xr.Dataset, dict[str, object]]


def pair(
    data: Pairable, a: Hashable, b: Hashable, dim: str = "recipe"
) -> tuple[xr.Dataset, xr.Dataset]:
    """The two datasets to compare, on the same seeds in the same order.

    Args:
        data: a Dataset with the dimension `dim`, or a dict of datasets by label.
        a: the first label (a number where `dim` is a swept number).
        b: the second label.
        dim: the dimension that holds the labels.

    Returns:
        The dataset of `a` and that of `b`.

    Raises:
        ValueError: an unknown label, equal labels, seeds that are not the same on both sides, or
            data that are neither a Dataset nor a dict.

    Example:
        >>> adam, sgd = stats.pair(runs, "adam", "sgd")
    """
    if a == b:
        raise ValueError(f"cannot compare {a!r} with itself; give two different labels")
    first = _side(data, a, dim)
    second = _side(data, b, dim)
    return first, _same_seeds(first, second, a, b)


def _side(data: Pairable, label: Hashable, dim: str) -> xr.Dataset:
    """One side of a comparison: an entry of a dimension of a Dataset, or of a dict by label."""
    _check_mapping(data)
    if not isinstance(data, xr.Dataset):
        return _labelled(data, label)
    require_dims(data, [dim], option="dim")
    return data.isel({dim: _position(data, dim, label)}, drop=True)


def _check_mapping(data: object) -> None:
    """Raise a ValueError for anything but a dict or a Dataset, which is a mapping too."""
    if not isinstance(data, Mapping):
        kind = type(data).__name__
        raise ValueError(f"this takes an xarray.Dataset, or a dict of such by label, not {kind}")


def on_common_records(first: xr.Dataset, second: xr.Dataset) -> Sides:
    """Two sides at the records that both have: followed equally long and looked at equally often.

    A side that is followed for longer, or looked at at more records, seems to succeed more often or
    earlier. A success that only records of one side show is therefore dropped, and times are
    censored at the last record in common.

    Args:
        first: what `success` returned for one side, with records.
        second: the same for the other side.

    Returns:
        Both, and what a result's attributes say of it: `until`, the last step, and `records`, how
        many there are.

    Raises:
        ValueError: no hits, hits that are nan, a side without records, or no common record after
            step 0.
    """
    for data in (first, second):
        require_dims(truth(data), ["step"])
    steps = np.asarray(first.step, float)
    others = np.asarray(second.step, float)
    common = _common_steps(steps, others)
    last = float(common[-1])
    _warn_of_earlier_end(last, min(steps[-1], others[-1]))
    first = first.isel(step=np.isin(steps, common))
    second = second.isel(step=np.isin(others, common))
    counts = f"{common.size} in common, of {steps.size} and {others.size}"
    return first, second, {"until": last, "records": counts}


def _common_steps(steps: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The steps at which both sides have a record, or a ValueError if only step 0 is one."""
    common = np.intersect1d(steps, others)
    if not (common > 0).any():
        raise ValueError(
            f"the two sides have no record after step 0 in common: one has steps {_few(steps)}, "
            f"the other {_few(others)}. Train both with the same records="
        )
    return common


def _warn_of_earlier_end(last: float, followed: float) -> None:
    """Warn if the last common record is earlier than the step to which both were followed."""
    if last >= followed:
        return
    warnings.warn(
        f"both sides were followed to step {followed:g}, but the last record that both have is "
        f"step {last:g}: they are compared up to there. Train both with the same records=",
        stacklevel=4,
    )


def last_steps(first: xr.Dataset, second: xr.Dataset) -> dict[str, float]:
    """The last step of either side, `last_a` and `last_b`, for the attributes of a comparison."""
    last = {}
    for name, data in (("last_a", first), ("last_b", second)):
        if data.sizes.get("step", 0):
            last[name] = float(data.step[-1])
    return last


def _labelled(data: Mapping[Hashable, xr.Dataset], label: Hashable) -> xr.Dataset:
    """The dataset of a label, or a ValueError that lists the labels."""
    if label not in data:
        raise ValueError(f"no {label!r} here; there are: {listed(data)}")
    return data[label]


def _position(data: xr.Dataset, dim: str, label: Hashable) -> int:
    """Where a label stands along its dimension, or a ValueError that lists the labels."""
    labels = data[dim].values
    if np.issubdtype(labels.dtype, np.floating):
        same = np.isclose(labels, cast(Any, label))
    else:
        same = labels == label
    found = np.flatnonzero(same)
    if found.size != 1:
        raise ValueError(
            f"{dim} holds {found.size} entries {label!r}; it holds: {', '.join(map(str, labels))}"
        )
    return int(found[0])


def _same_seeds(first: xr.Dataset, second: xr.Dataset, a: Hashable, b: Hashable) -> xr.Dataset:
    """The second dataset in the seed order of the first."""
    for data in (first, second):
        require_dims(data, ["seed"])
    seeds = _different_seeds(first)
    others = _different_seeds(second)
    _check_both_have(seeds, others, a, b)
    return second.sel(seed=seeds)


def _different_seeds(data: xr.Dataset) -> np.ndarray:
    """The seeds of one side, or a ValueError if one of them is there twice."""
    seeds = np.asarray(data.seed)
    if np.unique(seeds).size != seeds.size:
        raise ValueError(
            "a seed appears twice, so pairs are not defined; drop repeats with "
            "drop_duplicates('seed')"
        )
    return seeds


def _check_both_have(seeds: np.ndarray, others: np.ndarray, a: Hashable, b: Hashable) -> None:
    """Raise a ValueError if one side has a seed that the other side lacks."""
    only_a = np.setdiff1d(seeds, others)
    only_b = np.setdiff1d(others, seeds)
    if only_a.size or only_b.size:
        raise ValueError(
            f"paired comparison needs the same seeds: {a!r} has {only_a.size} that {b!r} lacks "
            f"({_few(only_a)}) and {b!r} has {only_b.size} that {a!r} lacks ({_few(only_b)}); "
            "train both on the same seeds, or keep the common ones with "
            "xarray.align(first, second, join='inner')"
        )


def _few(values: np.ndarray) -> str:
    """The first three values as a text."""
    text = ", ".join(map(str, values[:3]))
    if values.size > 3:
        text += ", ..."
    return text


def compare(
    hits: Pairable,
    a: Hashable,
    b: Hashable,
    dim: str = "recipe",
    when: str = "last",
    level: float = 0.95,
    interval: str = "weighted",
) -> xr.Dataset:
    """Difference of two success rates on the same seeds, rate(a) - rate(b).

    The interval reckons with one more seed, on which either recipe may succeed alone (see
    `unseen`). Summed over all outcomes it covers at least 95.8% for n from 1 to 50 at all pairs of
    rates on a grid; the score interval of T. Tango (Statistics in Medicine 17, 1998;
    `paired_interval`) is shorter and covers as little as 90.0%. The p-value is McNemar's exact one,
    binomial in the seeds on which the two disagree (`scipy.stats.binomtest`). Interval and test are
    made apart, so near 5% one may exclude 0 and the other not.

    Each side is judged by its own records: with when="last" at its own last step. Where the two
    were followed for different numbers of steps, the difference is therefore that of two recipes
    with their numbers of steps (the attributes name them, `last_a` and `last_b`). To compare the
    recipes alone, cut both: `.sel(step=slice(None, 100))`.

    Args:
        hits: what `success` returned, with the dimension `dim`; or a dict of such by label.
        a: the label whose rate comes first.
        b: the label whose rate is subtracted.
        dim: the dimension that holds the labels.
        when: which success is meant, see `reading`; "each" compares at every record that both sides
            have.
        level: probability of covering.
        interval: "weighted", "score" (Tango's, nearest to the level on average) or "exact" (never
            below the level, see `paired_interval`; up to a tenth of a second for each cell).

    Returns:
        `difference`, `low`, `high`, `n`, `pvalue`, `rate_a`, `rate_b` and the counts of seeds
        `both`, `only_a`, `only_b`, `neither`, over the other dimensions.

    Raises:
        ValueError: an unknown label or interval, unequal seeds, no hits, or hits that are nan (see
            `rate`).

    Example:
        >>> stats.compare(hits, "adam", "sgd").difference
    """
    check_level(level)
    check_paired(interval)
    first, second = pair(hits, a, b, dim)
    about: dict[str, object] = {
        "a": str(a),
        "b": str(b),
        "when": when,
        "level": level,
    }
    about["test"] = "McNemar, exact"
    if when == "each":
        first, second, common = on_common_records(first, second)
        about |= common
    about |= last_steps(first, second)

    def columns(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        n = x.shape[-1]
        both = np.count_nonzero(x & y, -1)
        only_a = np.count_nonzero(x & ~y, -1)
        only_b = np.count_nonzero(~x & y, -1)
        low, high = paired_interval(only_a, only_b, n, level, interval)
        size = np.full(both.shape, n)
        one = np.where(size > 0, 1.0, np.nan)  # without seeds nothing is known
        return (
            one * (only_a - only_b) / max(n, 1),
            low,
            high,
            size,
            mcnemar(only_a, only_b),
            one * (both + only_a) / max(n, 1),
            one * (both + only_b) / max(n, 1),
            both,
            only_a,
            only_b,
            n - both - only_a - only_b,
        )

    names = ["difference", "low", "high", "n", "pvalue", "rate_a", "rate_b"]
    names += ["both", "only_a", "only_b", "neither"]
    judged = [reading(side, when) for side in (first, second)]
    result = reduce(columns, *judged, names=names)
    result.attrs = about | {"interval": interval}
    return result


def mcnemar(only_a: np.ndarray, only_b: np.ndarray) -> np.ndarray:
    """Exact two-sided p-value of McNemar's test.

    It is 2 P(K <= min(b, c)), at most 1, where K ~ Binomial(b + c, 1/2).

    Args:
        only_a: b, how many seeds succeed with the first recipe alone, any shape.
        only_b: c, how many succeed with the second alone.

    Returns:
        The p-values, of the same shape.

    Example:
        >>> stats.mcnemar(9, 1)
    """
    fewer = np.minimum(only_a, only_b)
    one_sided = scipy.stats.binom.cdf(fewer, only_a + only_b, 0.5)
    return np.minimum(1.0, 2 * one_sided)
