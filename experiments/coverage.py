"""How often every interval of `approx.stats` covers the truth, from 1 to 50 seeds.

Samples are drawn from populations whose rates, means and quantiles are known in closed form or by
integration, without `approx`. Each sample is a cell of a grid. Coverage is the share of samples
whose interval holds the truth; an interval that is unbounded holds it on that side. `python -m
experiments.coverage --quick` takes a tenth of the samples.
Cost: about four minutes on two cores. Writes experiments/summaries/coverage.{md,csv}.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats as sps
import tyro
import xarray as xr

from approx import stats

SEEDS = (1, 2, 3, 5, 10, 20, 50)
RATES = (0.0, 0.02, 0.1, 0.5, 0.98, 1.0)
STEPS = np.array([0, 1, 3, 10, 30, 100, 300, 1000])
SPREAD = np.array([10.0, 30.0, 100.0, 300.0])  # records of success, equally likely
ALIKE = np.array([10.0])  # all at one record
DRAWS = 199  # resamples: enough for 95%, as the ends allow for their number
LEAST = 0.93
GRID = (np.arange(200_000) + 0.5) / 200_000  # shares at which quantile functions are integrated
SUMMARIES = Path(__file__).parent / "summaries"

Row = dict[str, object]


# ---- populations ---------------------------------------------------------------------------------


def times(u: np.ndarray, rate: float, records: np.ndarray) -> np.ndarray:
    """Times to success from uniform numbers: the records in turn, and never above the rate."""
    place = np.minimum((u / max(rate, 1e-12) * len(records)).astype(int), len(records) - 1)
    return np.where(u < rate, records[place], np.inf)


def hits(
    upper: np.ndarray, *dims: str, steps: np.ndarray = STEPS, **labels: list[str]
) -> xr.Dataset:
    """What `stats.success` makes of trainings that succeed at given records and stay so.

    Args:
        upper: the record of each training's success, inf if it never succeeds.
        *dims: names of the dimensions of `upper`; the last is "seed".
        steps: the records.
        **labels: coordinates of other dimensions.
    """
    loss = np.where(steps >= upper[..., None], 0.0, 1.0)
    coords = {"seed": np.arange(upper.shape[-1]), "step": steps, **labels}
    runs = xr.Dataset({"test_loss": ((*dims, "step"), loss)}, coords)
    return stats.success(runs, below=0.5)


def pairs(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Uniform numbers (2, ...) of two recipes: equal on half of the seeds, else independent."""
    u = rng.random((2, *shape))
    return np.where(rng.random(shape) < 0.5, u[:1], u)


def often_diverged(u: np.ndarray) -> np.ndarray:
    """Quantiles of a lognormal of which a tenth is replaced by inf."""
    finite = np.exp(sps.norm.ppf(np.minimum(u / 0.9, 0.999999)))
    return np.where(u < 0.9, finite, np.inf)


# What a value is called in results, and its quantile function
VALUES: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "normal": ("value", sps.norm.ppf),
    "lognormal": ("test_loss", lambda u: np.exp(sps.norm.ppf(u))),
    "lognormal, wide": ("test_loss", lambda u: np.exp(2 * sps.norm.ppf(u))),
    "heavy tail": ("test_loss", lambda u: (1 - u) ** (-1 / 1.5)),
    "ties": ("test_loss", lambda u: sps.poisson.ppf(u, 1.5)),
    "10% diverged": ("test_loss", often_diverged),
    "accuracy": ("test_accuracy", lambda u: sps.beta.ppf(u, 8, 1)),
}


def integral(
    function: Callable[[np.ndarray], np.ndarray], low: float = 0.0, high: float = 1.0
) -> float:
    """Mean of a quantile function over shares from `low` to `high`."""
    return float(function(low + (high - low) * GRID).mean())


# ---- measuring -----------------------------------------------------------------------------------


def row(
    name: str,
    what: str,
    n: int,
    result: xr.Dataset,
    truth: object,
    weights: np.ndarray | None = None,
) -> Row:
    """Coverage of one set of intervals, their median width, and the share that is unbounded.

    Args:
        name: the function that made the intervals.
        what: the population.
        n: seeds of a sample.
        result: the intervals, `low` and `high` over "rep" and further dimensions.
        truth: what they should hold.
        weights: of the samples; equal if left out.
    """
    low = np.asarray(result.low.transpose("rep", ...))
    high = np.asarray(result.high.transpose("rep", ...))
    at = np.asarray(truth)
    close = 1e-9 * np.where(np.isfinite(at), 1 + np.abs(at), 0.0)  # a sum's rounding
    inside = (low <= at + close) & (at - close <= high)
    with np.errstate(invalid="ignore"):
        width = high - low

    middle = stats.order_quantiles(np.nan_to_num(width, nan=np.inf, posinf=np.inf))
    return {
        "function": name,
        "truth": what,
        "n": n,
        "coverage": float(np.average(inside, weights=weights)),
        "width": float(middle),
        "unbounded": float(np.average(~np.isfinite(width), weights=weights)),
    }


def needed_tries(p: float) -> float:
    """Seeds for one success with a probability of 95%."""
    if p == 0:
        return np.inf
    if p == 1:
        return 1.0
    return np.ceil(np.log(0.05) / np.log1p(-p) - 1e-9).clip(1)


def of_rates(n: int, reps: int, rng: np.random.Generator) -> Iterator[Row]:
    """Rates and what follows from them; `rate` by summation over all outcomes."""
    counts = np.arange(n + 1)
    every = hits(np.where(np.arange(n) < counts[:, None], 10.0, np.inf), "rep", "seed")
    at = int(np.flatnonzero(STEPS == 10)[0])
    for p in RATES:
        what = f"rate {100 * p:g}%"
        weights = sps.binom.pmf(counts, n, p)
        for interval in ("exact", "wilson"):
            found = stats.rate(every, interval=interval)
            yield row(f"rate, {interval}", what, n, found, p, weights)

        found = stats.tries_needed(every)
        yield row("tries_needed", what, n, found, needed_tries(p), weights)

        low, high = stats.confidence_sequence(counts, n)
        found = xr.Dataset({"low": ("rep", low), "high": ("rep", high)})
        yield row("confidence_sequence", what, n, found, p, weights)

        found = stats.survival(every).isel(step=at)
        yield row("survival", what, n, found, 1 - p, weights)

        yield from of_kinds(n, p, weights, what)
        yield from of_equal_recipes(n, reps, p, what, rng)


def of_kinds(n: int, p: float, weights: np.ndarray, what: str) -> Iterator[Row]:
    """Shares of two kinds, of which the first has the rate p."""
    counts = np.arange(n + 1)
    kind = np.where(np.arange(n) < counts[:, None], "a", "b")
    kinds = xr.Dataset({"kind": (("rep", "seed"), kind)}, attrs={"kinds": ["a", "b"]})
    yield row("shares", what, n, stats.shares(kinds).sel(kind="a"), p, weights)
    commonest = np.where(counts >= n - counts, p, 1 - p)
    yield row("majority", what, n, stats.majority(kinds), commonest, weights)


def of_equal_recipes(
    n: int, reps: int, p: float, what: str, rng: np.random.Generator
) -> Iterator[Row]:
    """The best of five recipes of one rate, and their ranks, which should all hold rank 1."""
    names = list("abcde")
    upper = times(rng.random((reps, 5, n)), p, ALIKE)
    five = hits(upper, "rep", "recipe", "seed", recipe=names)
    yield row("best of 5 equal recipes", what, n, stats.best(stats.rate(five)), p)
    found = stats.ranking(five)
    low, high = found.rank_low.max("recipe"), found.rank_high.max("recipe")
    ranks = xr.Dataset({"low": low, "high": high})
    yield row("ranking, 5 equal recipes", what, n, ranks, 1.0)


def of_times(n: int, reps: int, rng: np.random.Generator) -> Iterator[Row]:
    """Times and costs of one recipe."""
    for p in RATES:
        yield from of_costs(n, reps, p, SPREAD, f"rate {100 * p:g}%", rng)
        yield from of_costs(n, reps, p, ALIKE, f"rate {100 * p:g}%, one record", rng)
        yield from of_restart_gain(n, reps, p, rng)
        yield from of_censored(n, reps, p, rng)


def of_costs(
    n: int, reps: int, p: float, records: np.ndarray, what: str, rng: np.random.Generator
) -> Iterator[Row]:
    """Costs of a success at a rate p, if successes come at some records, equally often at each."""
    found = hits(times(rng.random((reps, n)), p, records), "rep", "seed")
    spent = p * records.mean() + (1 - p) * STEPS[-1]
    cost = cost_with_cut = np.inf
    if p:
        cost = spent / p

    before = p * np.mean(records <= 30)
    if before:
        spent_with_cut = p * np.minimum(records, 30).mean() + (1 - p) * 30
        cost_with_cut = spent_with_cut / before

    costs = stats.ert(found, resamples=DRAWS)
    yield row("ert", what, n, costs, cost)

    means = stats.restricted_mean(found)
    yield row("restricted_mean", what, n, means, spent)

    quantile = stats.time_quantiles(found, 0.25).isel(quantile=0)
    at = times(np.array(0.25), p, records)
    yield row("time_quantiles, 0.25", what, n, quantile, at)

    cut = stats.restart(found, resamples=DRAWS).sel(cutoff=30)
    yield row("restart, cut at 30", what, n, cut, cost_with_cut)


def of_restart_gain(n: int, reps: int, p: float, rng: np.random.Generator) -> Iterator[Row]:
    """The gain of the best cut-off: 1 if success is as likely in every step, or a large one."""
    chance = 1 - (1 - p) ** (1 / 20)  # of a success in one step
    geometric: Any = np.inf
    if chance:
        uniform = rng.random((reps, n))
        failure = -min(chance, 1 - 1e-16)
        geometric = np.ceil(np.log1p(-uniform) / np.log1p(failure))

    in_time = np.broadcast_to(geometric, (reps, n)) <= 20
    upper = np.where(in_time, geometric, np.inf)
    found = hits(np.maximum(upper, 1), "rep", "seed", steps=np.arange(21))
    gains = stats.restart_gain(found, resamples=DRAWS)
    yield row("restart_gain", f"rate {100 * p:g}%, no cut-off helps", n, gains, 1.0)
    if p <= 0.9:
        return

    upper = times(rng.random((reps, n)), p, ALIKE)
    gains = stats.restart_gain(hits(upper, "rep", "seed"), resamples=DRAWS)
    gain = (10 * p + 1000 * (1 - p)) / 10
    yield row("restart_gain", f"rate {100 * p:g}%, one record", n, gains, gain)


def of_censored(n: int, reps: int, p: float, rng: np.random.Generator) -> Iterator[Row]:
    """A curve of survival at the time at which 1 - p survive; a third is censored before."""
    early = rng.exponential(2.0, (reps, n))
    event = -np.log(rng.random((reps, n)))
    survive = 1 - min(p, 0.999)
    at = np.array([-np.log1p(-min(p, 0.999))])
    curve = stats.kaplan_meier(np.minimum(event, early), event <= early, at)
    what = f"survival {100 * survive:g}%, a third censored early"
    yield row("kaplan_meier", what, n, curve.isel(step=0).rename(axis_0="rep"), survive)


def cost_ratio(p: float, q: float) -> float:
    """The expected cost of a success at a rate p over that at q; 1 if neither ever succeeds."""
    costs = []
    for rate in (p, q):
        cost = np.inf
        if rate:
            cost = (rate * SPREAD.mean() + (1 - rate) * STEPS[-1]) / rate
        costs.append(cost)

    if not np.isfinite(costs).any():
        return 1.0
    return costs[0] / costs[1]


def of_pairs(n: int, reps: int, rng: np.random.Generator) -> Iterator[Row]:
    """Two recipes on the same seeds."""
    for p in RATES:
        for q in (0.5, p):
            yield from of_pair(n, reps, p, q, rng)


def of_pair(n: int, reps: int, p: float, q: float, rng: np.random.Generator) -> Iterator[Row]:
    """Two recipes of the rates p and q on the same seeds."""
    what = f"rates {100 * p:g}% and {100 * q:g}%"
    u = pairs(rng, (reps, n))
    first, second = times(u[0], p, SPREAD), times(u[1], q, SPREAD)
    upper = np.stack([first, second])
    both = hits(upper, "recipe", "rep", "seed", recipe=["a", "b"])

    found = stats.compare(both, "a", "b")
    yield row("compare", what, n, found, p - q)

    found = stats.compare_times(both, "a", "b")
    earlier = (_wins(p, q, same=True) + _wins(p, q, same=False)) / 2
    yield row("compare_times, faster", what, n, found, earlier)

    found = stats.ert_ratio(both, "a", "b", resamples=DRAWS)
    yield row("ert_ratio", what, n, found, cost_ratio(p, q))
    yield from of_profiles(n, upper, what, p)


def of_profiles(n: int, upper: np.ndarray, what: str, p: float) -> Iterator[Row]:
    """Performance profiles of two recipes: on two tasks, one of them slow, and on one."""
    ratios, names = np.array([1.0, 1e3]), ["a", "b"]
    slow = np.where(np.isinf(upper), np.inf, 300.0)
    tasks = np.stack([upper, slow], 2)
    two = hits(tasks, "recipe", "rep", "task", "seed", recipe=names)
    found = stats.performance_profile(two, ratios, over=("task", "seed"))
    yield row("performance_profile", what, n, found.sel(recipe="a").isel(ratio=1), p)

    one = hits(upper, "recipe", "rep", "seed", recipe=names)
    found = stats.performance_profile(one, ratios)
    yield row("performance_profile, one task", what, n, found.sel(recipe="a").isel(ratio=1), p)


def _wins(p: float, q: float, same: bool) -> float:
    """P(a is earlier) + P(equal) / 2 of times, on equal or on independent uniform numbers."""
    u = (np.arange(2000) + 0.5) / 2000
    first, second = times(u, p, SPREAD), times(u, q, SPREAD)
    if not same:
        second = second[:, None]
    return float(np.mean((first < second) + 0.5 * (first == second)))


def improvements(n: int, values: np.ndarray, what: str, truth: float) -> Iterator[Row]:
    """Probability of ending better, of pairs by seed and of all pairs; values (2, samples, n)."""
    dims = ("recipe", "rep", "seed")
    coords = {"recipe": ["a", "b"], "seed": np.arange(n)}
    runs = xr.Dataset({"value": (dims, values)}, coords)
    for way in ("seed", "all"):
        found = stats.improvement(runs, "a", "b", of="value", pairs=way, resamples=DRAWS)
        yield row(f"improvement, pairs={way}", what, n, found, truth)


def of_improvement(n: int, reps: int, rng: np.random.Generator) -> Iterator[Row]:
    """Probability of ending better, where a is better with the stated probability."""
    for p in (0.02, 0.1, 0.5, 0.9, 0.98):
        shift = np.sqrt(2) * sps.norm.ppf(p)
        shifts = np.array([shift, 0.0])[:, None, None]
        yield from improvements(n, rng.normal(size=(2, reps, n)) - shifts, f"P = {p:g}", p)
    tied = rng.poisson(1.5, (2, reps, n)).astype(float)
    yield from improvements(n, tied, "ties, P = 0.5", 0.5)


def of_values(n: int, reps: int, rng: np.random.Generator) -> Iterator[Row]:
    """Final values of one recipe and of two."""
    for name, (of, function) in VALUES.items():
        u = pairs(rng, (reps, n))
        first, second, moved = function(u[0]), function(u[1]), 0.0
        if name == "normal":
            second, moved = second + 1.0, -1.0

        values = np.stack([first, second])
        runs = xr.Dataset({of: (("recipe", "rep", "seed"), values)})
        runs = runs.assign_coords(recipe=["a", "b"], seed=np.arange(n))
        yield from of_statistics(n, name, runs, moved)

        one = runs.isel(recipe=0)
        for q in (0.05, 0.25, 0.75):
            truth = float(function(np.array(q)))
            found = stats.quantiles(one, of, q).isel(quantile=0)
            yield row(f"quantiles, {q:g}", name, n, found, truth)

        if n >= 2:
            yield from of_best(n, name, one)


def of_statistics(n: int, name: str, runs: xr.Dataset, moved: float) -> Iterator[Row]:
    """Median, interquartile mean and mean of one recipe, and their differences of two."""
    of, function = VALUES[name]
    truths = {
        "median": float(function(np.array(0.5))),
        "iqm": integral(function, 0.25, 0.75),
        "mean": _mean(name, function),
    }
    for statistic, truth in truths.items():
        options: dict[str, Any] = {"of": of, "statistic": statistic, "resamples": DRAWS}
        found = stats.aggregate(runs.isel(recipe=0), **options)
        yield row(f"aggregate, {statistic}", name, n, found, truth)
        found = stats.compare_values(runs, "a", "b", **options)
        if np.isfinite(truth):
            yield row(f"compare_values, {statistic}", name, n, found, moved)


def of_best(n: int, name: str, one: xr.Dataset) -> Iterator[Row]:
    """Mean and median of the better of two seeds."""
    of, function = VALUES[name]
    best = stats.best_of(one, [2], of, resamples=DRAWS).isel(tries=0)
    yield row("best_of 2, mean", name, n, best, _best_of_two(name, of, function))
    share = 1 - 0.5**0.5
    if "accuracy" in of:
        share = 1 - share
    found = stats.best_of(one, [2], of, "median", resamples=DRAWS).isel(tries=0)
    yield row("best_of 2, median", name, n, found, float(function(np.array(share))))


MEANS = {  # of the populations whose mean integration over GRID does not give
    "lognormal": np.exp(0.5),
    "lognormal, wide": np.exp(2.0),
    "heavy tail": 3.0,
    "10% diverged": np.inf,
}


def _mean(name: str, function: Callable[[np.ndarray], np.ndarray]) -> float:
    """The mean of a population, in closed form where there is one."""
    if name in MEANS:
        return float(MEANS[name])
    return integral(function)


def _best_of_two(name: str, of: str, function: Callable[[np.ndarray], np.ndarray]) -> float:
    """Mean of the better of two.

    It is that of the quantile function over a share that rises, or falls, as its square root.
    """
    if name == "10% diverged":
        return np.inf
    better = 1 - np.sqrt(1 - GRID)
    if "accuracy" in of:
        better = np.sqrt(GRID)
    return float(function(better).mean())


def of_powers(n: int, reps: int, rng: np.random.Generator) -> Iterator[Row]:
    """Powers of a width; half of the variance of the errors' logarithms is common to all widths."""
    widths = np.array([4.0, 8.0, 16.0, 32.0])
    for spread in (0.3, 1.0):
        what = f"lognormal, spread {spread:g}"
        common, own = rng.normal(size=(reps, 1, n)), rng.normal(size=(reps, 4, n))
        loss = np.exp(spread * (common + own) / np.sqrt(2)) / widths[:, None]
        runs = xr.Dataset({"test_loss": (("rep", "width", "seed"), loss)}, {"width": widths})
        for statistic in ("median", "iqm", "mean"):
            found = stats.exponent(runs, "width", statistic=statistic, resamples=DRAWS)
            yield row(f"exponent, {statistic}", what, n, found, -1.0)
            bend = found[["bend_low", "bend_high"]].rename(bend_low="low", bend_high="high")
            yield row(f"exponent's bend, {statistic}", what, n, bend, 0.0)


def of_variances(n: int, reps: int, rng: np.random.Generator) -> Iterator[Row]:
    """Shares of the variance of a table with n levels of both factors."""
    if n < 2 or n > 20:
        return

    effects: dict[str, Callable[..., Any]] = {
        "normal effects": rng.standard_normal,
        "exponential effects": lambda size: rng.standard_exponential(size) - 1,
    }
    for name, draw in effects.items():
        init = np.sqrt(0.5) * draw((reps, n, 1))
        data = 0.5 * draw((reps, 1, n))
        both = 0.5 * draw((reps, n, n))
        runs = xr.Dataset({"value": (("rep", "init_seed", "data_seed"), init + data + both)})
        found = stats.variance_components(runs, of="value", scale="linear", resamples=DRAWS)
        for source, share in (("init", 0.5), ("data", 0.25), ("init x data", 0.25)):
            yield row(f"variance_components, {source}", name, n, found.sel(source=source), share)


def of_boundaries(n: int, reps: int, rng: np.random.Generator) -> Iterator[Row]:
    """Where a logistic rate crosses one half; only rows with one crossing have an interval."""
    x, middle = np.arange(15.0), 7.3
    for slope in (0.5, 1.0, 3.0):
        chance = 1 / (1 + np.exp(-slope * (x - middle)))
        successes = rng.binomial(n, chance, (reps, x.size))
        hit = np.arange(n) < successes[..., None]
        runs = xr.Dataset({"hit": (("rep", "x", "seed"), hit)}, {"x": x})

        found = stats.boundary(stats.rate(runs), "x", log=False, resamples=DRAWS)
        crossings = found.middle.notnull().sum("crossing")
        one = found.isel(crossing=0).where(crossings == 1, drop=True)
        if one.sizes["rep"] > reps / 4:
            yield row("boundary, middle", f"slope {slope:g} a cell", n, one, middle)


def of_reported(n: int, reps: int, rng: np.random.Generator) -> Iterator[Row]:
    """The quantile of a reported number among our seeds, ties included."""
    values = rng.poisson(1.5, (reps, n)).astype(float)
    truth = float(sps.poisson.cdf(1, 1.5) + sps.poisson.cdf(0, 1.5)) / 2
    numbers = [stats.Reported(str(i), "a", sample, 1.0) for i, sample in enumerate(values)]
    found = stats.reported("simulated", numbers).rename(number="rep")
    yield row("reported", "a tied number", n, found, truth)


PARTS = (
    (of_rates, 1.0),
    (of_times, 1.0),
    (of_pairs, 1.0),
    (of_improvement, 1.0),
    (of_values, 0.5),
    (of_powers, 0.25),
    (of_variances, 1.0),
    (of_boundaries, 0.1),
    (of_reported, 0.25),
)


def measure(reps: int, seeds: tuple[int, ...] = SEEDS, parts=PARTS) -> pd.DataFrame:
    """All rows.

    Each part draws random numbers of its own for each n, so that some seeds or parts alone give the
    same rows.
    """
    rows: list[Row] = []
    for number, (part, share) in enumerate(parts):
        for n in seeds:
            samples = max(20, int(share * reps))
            rows += part(n, samples, np.random.default_rng([number, n]))
    return pd.DataFrame(rows)


def cell(coverage: float, width: float, unbounded: float) -> str:
    """Coverage in percent, and the median width in brackets, or inf if all are unbounded."""
    if unbounded == 1:
        return f"{100 * coverage:.1f} inf"
    return f"{100 * coverage:.1f} ({width:.2g})"


def table(frame: pd.DataFrame) -> str:
    """One line for each function and truth, one column for each n."""
    numbers = zip(frame.coverage, frame.width, frame.unbounded, strict=True)
    frame = frame.assign(cell=[cell(*one) for one in numbers])
    wide = frame.pivot_table(
        index=["function", "truth"],
        columns="n",
        values="cell",
        aggfunc="first",
        sort=False,
    )
    wide = wide[sorted(wide.columns)].reset_index().fillna("")
    lines = [
        list(map(str, wide.columns)),
        ["---"] * wide.shape[1],
        *wide.astype(str).values.tolist(),
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def document(frame: pd.DataFrame, reps: int) -> str:
    """What the .md says."""
    few = frame[frame.coverage < LEAST]
    worst = frame.groupby("function", sort=False).coverage.min()
    least = "\n".join(f"| {name} | {100 * value:.1f} |" for name, value in worst.items())
    below = "No row is below 93%."
    if len(few):
        below = f"{len(few)} of {len(frame)} rows are below {100 * LEAST:g}%:\n\n{table(few)}"

    deviation = f"{100 * np.sqrt(0.0475 / reps):.1f}%"
    return (
        "# Coverage of the 95% intervals\n\n"
        f"Made by `python -m experiments.coverage --samples {reps}`. "
        "The share of samples whose interval holds the truth, in percent; in "
        "brackets the median width of the interval, inf where it is unbounded in every sample. "
        f"Up to {reps:,} samples for each row, so that 95% has a standard deviation of {deviation} "
        "or more; `rate` and what follows from it are summed over all outcomes.\n\n"
        "## The least of each function\n\n"
        f"| function | least coverage |\n| --- | --- |\n{least}\n\n"
        f"## Below {100 * LEAST:g}%\n\n{below}\n\n## Everything\n\n{table(frame)}\n"
    )


def main(quick: bool = False, samples: int = 500, out: Path = SUMMARIES) -> None:
    """Measure all coverages and write the tables.

    Args:
        quick: a tenth of the samples.
        samples: for each row, at most.
        out: where to.
    """
    reps = samples
    if quick:
        reps = samples // 10
    frame = measure(reps)
    out.mkdir(parents=True, exist_ok=True)
    frame.to_csv(out / "coverage.csv", index=False, float_format="%.4g", lineterminator="\n")
    (out / "coverage.md").write_text(document(frame, reps))
    print(frame.groupby("function", sort=False).coverage.min().to_string())


if __name__ == "__main__":
    tyro.cli(main)
