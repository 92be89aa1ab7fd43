"""Intervals and tests by simulation: each repetition is a cell of a grid, so one call judges
thousands of samples.

Seeds are fixed, so nothing here flakes. With 2,000 repetitions the simulated coverage has a
standard deviation of 0.5%; the numbers in the docstrings come from `-m slow`.
"""

import numpy as np
import pytest
import scipy.stats as sps
import xarray as xr

from approx import stats

STEPS = np.unique(np.round(np.concatenate([[0], np.geomspace(1, 5000, 49)])))
CLOSE = (0.93, 0.97)  # what is promised for n >= 100 with 20 expected successes
# Intervals that reckon with a seed that was not seen: the fewer seeds, the more they cover
WIDER = (0.93, 1.0)
NOT_BELOW = (0.95, 1.0)  # order statistics and times on records


def times(reps, n, share, rng, scale=400.0, spread=1.0):
    """True times to success, (reps, n): lognormal for a share of the seeds, the others never."""
    t = scale * rng.lognormal(0, spread, (reps, n))
    return np.where((rng.random((reps, n)) < share) & (t <= STEPS[-1]), t, np.inf)


def recorded(t, dims=("rep", "seed")):
    """Hits as `success` returns them, for true times."""
    at = np.searchsorted(STEPS, np.minimum(t, STEPS[-1]))
    hit = np.arange(STEPS.size) >= np.where(np.isinf(t), STEPS.size, at)[..., None]
    upper = np.where(np.isinf(t), np.inf, STEPS[at])
    lower = np.where(np.isinf(t), STEPS[-1], STEPS[np.maximum(at - 1, 0)])
    return xr.Dataset(
        {"hit": ((*dims, "step"), hit), "lower": (dims, lower), "upper": (dims, upper)},
        {"step": STEPS},
    )


def covered(result, truth):
    return float(((result.low <= truth) & (truth <= result.high)).mean())


def check(coverage, bounds):
    assert bounds[0] <= coverage <= bounds[1], coverage


CASES = [(100, 0.25), (100, 0.95), (256, 0.5)]


@pytest.mark.parametrize(
    ("n", "share"),
    [CASES[0], *(pytest.param(*case, marks=pytest.mark.slow) for case in CASES[1:])],
)
def test_times_and_costs_cover(n, share):
    rng = np.random.default_rng(n)
    reps = 2000
    hits, many = recorded(times(reps, n, share, rng)), times(1, 2_000_000, share, rng)
    everyone = recorded(many[:, :500_000])
    check(covered(stats.ert(hits), stats.ert(everyone, resamples=1).ert.item()), WIDER)
    # Between the records the truth is not known, so these may cover more, not less.
    check(covered(stats.restricted_mean(hits), np.minimum(many, STEPS[-1]).mean()), (0.93, 1.0))
    quantile = 0.5 * share
    true_time = np.quantile(many, quantile)
    check(covered(stats.time_quantiles(hits, quantile).isel(quantile=0), true_time), NOT_BELOW)
    curve = stats.survival(hits)
    at = int(np.searchsorted(STEPS, 400))
    check(covered(curve.isel(step=at), (many > STEPS[at]).mean()), WIDER)


@pytest.mark.parametrize("n", [100, pytest.param(256, marks=pytest.mark.slow)])
def test_paired_comparisons_cover(n):
    rng = np.random.default_rng(n)
    reps = 2000

    def both(size, count):  # the two recipes share half of what decides the time
        common, own = rng.normal(size=(1, size, count)), rng.normal(size=(2, size, count))
        t = 400 * np.exp(0.7 * common + 0.7 * own) * np.array([1.0, 1.5])[:, None, None]
        fails = (common + rng.normal(size=own.shape)) / np.sqrt(2) > np.sqrt(2) * 0.3
        return np.where(fails | (t > STEPS[-1]), np.inf, t)

    dims = ("recipe", "rep", "seed")
    labels = {"recipe": ["a", "b"]}
    hits, many = recorded(both(reps, n), dims).assign_coords(labels), both(1, 500_000)
    all_hits = recorded(many, dims).assign_coords(labels)
    rates = np.isfinite(many).mean((1, 2))
    check(covered(stats.compare(hits, "a", "b"), rates[0] - rates[1]), WIDER)
    costs = stats.ert(all_hits, resamples=1).ert.values[:, 0]
    check(covered(stats.ert_ratio(hits, "a", "b"), costs[0] / costs[1]), WIDER)
    upper = all_hits.upper.values[:, 0]
    faster = np.mean((upper[0] < upper[1]) + 0.5 * (upper[0] == upper[1]))
    check(covered(stats.compare_times(hits, "a", "b"), faster), WIDER)


def values(reps, n, rng):
    """Final losses of two recipes on common seeds: heavy tails, and one seed in twenty diverges."""
    common, own = rng.normal(size=(1, reps, n)), rng.normal(size=(2, reps, n))
    loss = np.exp(0.7 * common + 0.7 * own) * np.array([1.0, 1.3])[:, None, None]
    return np.where(rng.random(loss.shape) < 0.05, np.nan, loss)


def as_runs(loss):
    return xr.Dataset({"test_loss": (("recipe", "rep", "seed"), loss)}, {"recipe": ["a", "b"]})


@pytest.mark.parametrize("reps", [400, pytest.param(4000, marks=pytest.mark.slow)])
def test_values_cover(reps):
    rng = np.random.default_rng(1)
    n = 100
    runs, many = (
        as_runs(values(reps, n, rng)),
        np.nan_to_num(values(1, 1_000_000, rng)[:, 0], nan=np.inf),
    )
    # Simulation error, three standard deviations
    slack = 3 * np.sqrt(0.05 * 0.95 / reps) if reps < 4000 else 0.0
    close = (0.93 - slack, 1.0)
    ordered = np.sort(many, -1)
    iqm = ordered[:, 250_000:750_000].mean(-1)
    median = np.median(many, -1)
    single = runs.isel(recipe=0)
    check(covered(stats.aggregate(single, resamples=500), iqm[0]), close)
    check(covered(stats.aggregate(single, statistic="median", resamples=500), median[0]), close)
    check(
        covered(stats.quantiles(single, "test_loss", 0.5).isel(quantile=0), median[0]),
        (0.95 - slack, 1),
    )
    check(covered(stats.compare_values(runs, "a", "b", resamples=500), iqm[0] - iqm[1]), close)
    check(
        covered(
            stats.improvement(runs, "a", "b"),
            np.mean((many[0] < many[1]) + 0.5 * (many[0] == many[1])),
        ),
        close,
    )
    pairs = rng.integers(0, many.shape[1], (2, 4_000_000))
    first, second = many[0][pairs[0]], many[1][pairs[1]]
    wins = np.mean((first < second) + 0.5 * (first == second))
    check(covered(stats.improvement(runs, "a", "b", pairs="all", resamples=300), wins), close)
    # The best of five has a finite mean only where five seeds never all diverge; take what is
    # finite.
    finite = runs.isel(recipe=0).fillna(8.0)
    best = np.where(np.isinf(many[0]), 8.0, many[0]).reshape(-1, 5).min(-1).mean()
    check(covered(stats.best_of(finite, [5], resamples=500).isel(tries=0), best), close)


def test_tests_keep_their_size():
    """Two equal recipes: p <= 5% in at most some 5% of samples, though the seeds are shared or
    censored.
    """
    rng = np.random.default_rng(0)
    common = rng.normal(size=(1, 4000, 60))
    t = 400 * np.exp(common + rng.normal(size=(2, 4000, 60)))
    t[rng.random(t.shape) < 0.3] = np.inf
    t[t > STEPS[-1]] = np.inf
    hits = recorded(t, ("recipe", "rep", "seed")).assign_coords(recipe=["a", "b"])
    slack = 3 * np.sqrt(0.05 * 0.95 / 4000)
    assert (stats.compare(hits, "a", "b").pvalue <= 0.05).mean() <= 0.05
    assert abs((stats.compare_times(hits, "a", "b").pvalue <= 0.05).mean() - 0.05) <= slack + 0.005
    few = hits.isel(seed=slice(0, 12))
    assert (stats.compare_times(few, "a", "b").pvalue <= 0.05).mean() <= 0.05 + slack
    independent = stats.logrank(
        hits.isel(recipe=0, rep=slice(0, 2000)), hits.isel(recipe=1, rep=slice(2000, 4000))
    )
    assert (
        abs((independent.pvalue <= 0.05).mean() - 0.05) <= 3 * np.sqrt(0.05 * 0.95 / 2000) + 0.005
    )
    assert (
        stats.ranking(hits.isel(seed=slice(0, 30))).rank_low.max("recipe") > 1
    ).mean() <= 0.05, "ties are not ranked"


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.99])
def test_confidence_sequence_survives_peeking(rate):
    """Looked at after every batch of 10, it ever misses in at most 5%; Wilson's interval does in
    far more.
    """
    rng = np.random.default_rng(3)
    n = 10 * np.arange(1, 151)
    k = rng.binomial(10, rate, (1000, n.size)).cumsum(1)
    counts = np.stack([k.ravel(), np.tile(n, 1000)])
    # Most of the 150,000 counts occur many times
    once, place = np.unique(counts, axis=1, return_inverse=True)
    low, high = (
        end[place].reshape(k.shape) for end in stats.confidence_sequence(*once, width=0.05)
    )
    assert ((low > rate) | (high < rate)).any(1).mean() <= 0.05
    low, high = stats.binomial_interval(k, n, interval="wilson")
    assert ((low > rate) | (high < rate)).any(1).mean() > 0.2


def test_false_discoveries_are_controlled():
    """Of 200 comparisons, 50 of them real, at most 5% of the discoveries are false on average."""
    rng = np.random.default_rng(4)
    shares = []
    for _ in range(100):
        z = rng.normal(size=200) + np.where(np.arange(200) < 50, 3.0, 0.0)
        found = stats.discoveries(
            xr.DataArray(2 * sps.norm.sf(np.abs(z)), dims="comparison")
        ).discovery.values
        shares.append(found[50:].sum() / max(found.sum(), 1))
    assert np.mean(shares) <= 0.05
    assert np.mean(shares) > 0.01, "some are made, so the test can fail"


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_power_is_what_simulation_finds(correlation):
    rng = np.random.default_rng(5)
    a, b, n, reps = 0.85, 0.7, 120, 4000
    shared = correlation * np.sqrt(a * (1 - a) * b * (1 - b))
    table = [a * b + shared, a * (1 - b) - shared, b * (1 - a) - shared, (1 - a) * (1 - b) + shared]
    counts = rng.multinomial(n, table, reps)
    found = (stats.mcnemar(counts[:, 1], counts[:, 2]) <= 0.05).mean()
    assert found == pytest.approx(stats.power(n, a, b, correlation), abs=3 * np.sqrt(0.25 / reps))


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 256])
@pytest.mark.parametrize("share", [0.2, 0.25, 0.5, 0.8, 0.95])
def test_times_and_costs_cover_widely(n, share):
    rng = np.random.default_rng(7)
    hits, many = recorded(times(4000, n, share, rng)), recorded(times(1, 1_000_000, share, rng))
    check(covered(stats.ert(hits), stats.ert(many, resamples=1).ert.item()), WIDER)
    check(
        covered(stats.restricted_mean(hits), stats.restricted_mean(many).restricted_mean.item()),
        (0.93, 1.0),
    )


@pytest.mark.slow
@pytest.mark.parametrize(("interval", "bounds"), [("score", CLOSE), ("weighted", (0.95, 0.98))])
@pytest.mark.parametrize("n", [100, 256])
def test_paired_difference_covers_widely(n, interval, bounds):
    """All pairs of these rates and correlations with at least 20 expected disagreements."""
    rng = np.random.default_rng(8)
    rates = [0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95]
    simulated = []
    is_drawn = np.zeros((n + 1, n + 1), bool)
    for a in rates:
        for b in [r for r in rates if r <= a]:
            for agreement in (0, 0.3, 0.6, 0.9):
                both = a * b + agreement * (b - a * b)
                table = np.clip([both, a - both, b - both, 1 - a - b + both], 0, 1)
                if n * (table[1] + table[2]) < 20:
                    continue
                counts = rng.multinomial(n, table / table.sum(), 20_000)
                apart, times_seen = np.unique(counts[:, 1:3], axis=0, return_counts=True)
                simulated.append((a - b, apart.T, times_seen))
                is_drawn[*apart.T] = True

    # Most counts are drawn at several rates: their intervals are found once
    low, high = np.full((2, n + 1, n + 1), np.nan)
    low[is_drawn], high[is_drawn] = stats.paired_interval(*is_drawn.nonzero(), n, 0.95, interval)
    seen = []
    for difference, apart, times_seen in simulated:
        is_covered = (low[*apart] <= difference + 1e-12) & (difference - 1e-12 <= high[*apart])
        seen.append(np.average(is_covered, weights=times_seen))
    assert len(seen) > 80
    check(min(seen), bounds)
    check(max(seen), bounds)
