"""The statistics against scipy, closed forms and brute force, and what degenerate inputs give."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.stats as sps
import xarray as xr

from approx import stats
from approx.stats import planning, rankings, unseen
from approx.stats.intervals import quantile_of_sorted

# Some samples here are nan from step 0 on, on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:.* trainings are nan in every variable")

STEPS = np.array([0, 1, 3, 10, 30, 100, 300, 1000])


def losses(values, steps=STEPS, dims=("seed", "step"), **coords):
    """A runs dataset from an array of test losses."""
    values = np.asarray(values, np.float32)
    coords = {"seed": np.arange(values.shape[dims.index("seed")]), "step": steps, **coords}
    return xr.Dataset({"test_loss": (dims, values), "loss": (dims, values)}, coords)


def timed(upper, steps=STEPS, dims=("seed",), **coords):
    """Runs that first reach loss 0.5 at the given records (inf: never) and stay there."""
    upper = np.asarray(upper, float)
    values = np.where(steps >= upper[..., None], 0.5, 2.0)
    return losses(values, steps, (*dims, "step"), **coords)


def random_hits(shape, dims, share=0.3, seed=0, **coords):
    rng = np.random.default_rng(seed)
    upper = rng.choice(STEPS[1:], shape).astype(float)
    upper[rng.random(shape) < share] = np.inf
    return stats.success(timed(upper, dims=dims, **coords), below=1.0)


def shown_at(hits):
    """The record that shows each seed's success, inf where none does."""
    return stats.time_to_success(hits).upper


# ---- success -------------------------------------------------------------------------------------


def test_success_reads_each_record_and_brackets_the_first_hit():
    runs = losses(
        [
            [5, 5, 5, 0.5, 0.5, 0.5, 0.5, 0.5],  # reached at 10 and kept
            [5, 5, 0.5, 5, 5, 5, 5, 5],  # reached at 3 and lost
            [5, 0.5, 5, 5, 5, 5, 5, 0.5],  # reached, lost, reached
            [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5],  # before training
            [5, 5, 5, np.nan, np.nan, np.nan, np.nan, np.nan],  # diverged
            [5, 5, 5, np.inf, -np.inf, 5, 5, 5],  # infinite, though below
        ]
    )
    hits = stats.success(runs, below=1.0)
    times = stats.time_to_success(hits)
    np.testing.assert_array_equal(times.lower, [3, 1, 0, 0, 1000, 1000])
    np.testing.assert_array_equal(times.upper, [10, 3, 1, 0, np.inf, np.inf])
    read = {
        when: stats.reading(hits, when).values.tolist() for when in ("last", "first", "sustained")
    }
    assert read["last"] == [True, False, True, True, False, False]
    assert read["first"] == [True, True, True, True, False, False]
    assert read["sustained"] == [True, False, False, True, False, False]
    assert stats.rate(hits).rate == pytest.approx(3 / 6)
    assert stats.rate(hits).n == 6, "diverged seeds stay in n"
    settled = stats.time_to_success(hits, "settled")
    np.testing.assert_array_equal(settled.upper, [10, np.inf, 1000, 0, np.inf, np.inf])
    np.testing.assert_array_equal(settled.lower, [3, 1000, 300, 0, 1000, 1000])


def test_thresholds_are_inclusive_and_in_the_precision_of_the_data():
    runs = losses([[0.9] * 8]).assign(accuracy=(("seed", "step"), np.full((1, 8), 0.9, np.float32)))
    assert stats.success(runs, above=0.9, of="accuracy").hit.all()
    assert stats.success(runs, below=0.9).hit.all()
    per_task = xr.DataArray([0.5, 1.0], dims="task", coords={"task": ["hard", "easy"]})
    assert stats.success(runs, below=per_task).hit.isel(seed=0, step=0).values.tolist() == [
        False,
        True,
    ]


def test_an_accuracy_of_all_rows_reaches_one_whatever_their_number():
    """XLA divides by a constant as it multiplies by its rounded inverse."""
    n = np.arange(1, 100_001).astype(np.float32)
    inverse = 1 / n
    for right, reached in ((n, True), (n - 1, False)):
        shares = xr.Dataset({"accuracy": (("seed", "step"), (right * inverse)[:, None])})
        shares = shares.assign_coords(seed=n, step=[0])
        hits = stats.success(shares, above=1.0, of="accuracy").hit
        assert (hits == reached).all()
    assert (n * inverse < 1).any()
    eps = np.finfo(np.float32).eps
    nearly = xr.Dataset(
        {"accuracy": (("seed", "step"), np.float32([[1 - 4 * eps], [1 - 4.5 * eps]]))}
    )
    nearly = nearly.assign_coords(seed=[0, 1], step=[0])
    assert stats.success(nearly, above=1.0, of="accuracy").hit.values.tolist() == [[True], [False]]
    below = xr.Dataset({"test_loss": (("seed", "step"), [[np.float32(0.99999994)]])})
    below = below.assign_coords(seed=[0], step=[0])
    assert not stats.success(below, above=1.0).hit.any()


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({}, "give one of below= and above="),
        ({"below": 1.0, "above": 1.0}, "give one of"),
        ({"below": np.nan}, "threshold is nan"),
        ({"below": 1.0, "of": "accuracy"}, "no variable 'accuracy'.*it holds: test_loss, loss"),
    ],
)
def test_success_refuses_what_it_cannot_read(kwargs, message):
    with pytest.raises(ValueError, match=message):
        stats.success(losses([[1.0] * 8]), **kwargs)
    with pytest.raises(ValueError, match="increasing records"):
        stats.success(losses([[1.0] * 8], steps=STEPS[::-1]), below=1.0)
    with pytest.raises(ValueError, match="no dimension 'seed'"):
        stats.success(losses([[1.0] * 8]).isel(seed=0), below=1.0)


@pytest.mark.parametrize("interval", ["wilson", "exact"])
def test_binomial_intervals_agree_with_scipy(interval):
    method = {"wilson": "wilson", "exact": "exact"}[interval]
    for n in (1, 2, 17, 256):
        k = np.arange(n + 1)
        low, high = stats.binomial_interval(k, n, 0.9, interval)
        for i in {0, 1, n // 3, n - 1, n}:
            expected = sps.binomtest(int(i), n).proportion_ci(0.9, method)
            np.testing.assert_allclose(
                [low[i], high[i]], [expected.low, expected.high], rtol=1e-10, atol=1e-12
            )


def test_binomial_interval_degenerate_and_wrong_inputs():
    low, high = stats.binomial_interval([0, 0, 1], [0, 1, 1])
    assert (low[0], high[0]) == (0, 1)
    assert low[1] == 0
    assert high[2] == 1
    with pytest.raises(ValueError, match="between 0 and n"):
        stats.binomial_interval(3, 2)
    with pytest.raises(ValueError, match=r"write 0\.95 for 95%"):
        stats.binomial_interval(1, 2, level=95)
    with pytest.raises(ValueError, match="wilson, exact"):
        stats.binomial_interval(1, 2, interval="wald")


def exact_coverage(interval, n, p):
    """Probability that the interval holds p, summed over all outcomes."""
    k = np.arange(n + 1)
    low, high = stats.binomial_interval(k, n, 0.95, interval)
    inside = (low[:, None] <= p) & (p <= high[:, None])
    return (sps.binom.pmf(k[:, None], n, p) * inside).sum(0)


@pytest.mark.parametrize("n", [100, 256, 1000])
def test_rate_intervals_cover(n):
    p = np.linspace(0, 1, 2003)[1:-1]
    inner = np.minimum(p, 1 - p) * n >= 20
    wilson, exact = exact_coverage("wilson", n, p), exact_coverage("exact", n, p)
    assert wilson[inner].min() >= 0.93
    assert wilson[inner].max() <= 0.97
    assert 0.949 <= wilson.mean() <= 0.953, "what the docstring says of all rates together"
    assert wilson.min() > 0.83, "what the docstring says of the dips near 0 and 1"
    assert exact.min() >= 0.95


@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_exact_intervals_cover_in_small_samples_too(n):
    assert exact_coverage("exact", n, np.linspace(0, 1, 2003)).min() >= 0.95


def test_rate_over_several_axes_and_of_nobody():
    hits = random_hits(
        (2, 3, 40),
        ("recipe", "learning_rate", "seed"),
        recipe=["a", "b"],
        learning_rate=[0.1, 1, 10],
    )
    pooled = stats.rate(hits, over=("learning_rate", "seed"))
    assert pooled.rate.dims == ("recipe",)
    expected = hits.hit.isel(step=-1).values.reshape(2, -1).sum(1)
    np.testing.assert_array_equal(pooled.successes, expected)
    assert pooled.n.values.tolist() == [120, 120]
    assert stats.rate(hits, when="each").rate.dims == ("recipe", "learning_rate", "step")
    nobody = stats.rate(hits.isel(seed=slice(0)))
    assert nobody.rate.isnull().all()
    assert (nobody.low == 0).all()
    assert (nobody.high == 1).all()
    assert (nobody.n == 0).all()
    with pytest.raises(
        ValueError, match="no dimension 'task' here; there are: recipe, learning_rate, seed"
    ):
        stats.rate(hits, over="task")
    with pytest.raises(ValueError, match="when must be one of"):
        stats.rate(hits, when="best")


OF_RUNS = {
    "aggregate": stats.aggregate,
    "best_of": lambda runs, **o: stats.best_of(runs, (1, 3), resamples=20, **o),
    "quantiles": stats.quantiles,
    "profile": lambda runs, **o: stats.profile(runs, thresholds=[0.5, 1.0], **o),
}
OF_HITS = {
    "rate": stats.rate,
    "ert": lambda hits, **o: stats.ert(hits, resamples=20, **o),
    "time_quantiles": stats.time_quantiles,
    "restricted_mean": stats.restricted_mean,
    "survival": stats.survival,
    "best_cutoff": stats.best_cutoff,
    "restart": lambda hits, **o: stats.restart(hits, resamples=20, **o),
    "restart_gain": lambda hits, **o: stats.restart_gain(hits, resamples=20, **o),
    "tries_needed": stats.tries_needed,
}


@pytest.mark.parametrize("name", [*OF_RUNS, *OF_HITS])
def test_a_sample_over_two_dimensions_is_that_of_all_their_values(name):
    rng = np.random.default_rng(0)
    table = rng.lognormal(size=(2, 10, 8))
    runs = losses(table, dims=("data_seed", "seed", "step"), data_seed=[0, 1])
    pooled = losses(table.reshape(20, 8))
    statistic = OF_RUNS.get(name)
    if statistic is None:
        statistic = OF_HITS[name]
        runs, pooled = (stats.success(one, below=1.0) for one in (runs, pooled))
    found = statistic(runs, over=("data_seed", "seed"))
    assert "data_seed" not in found.dims
    xr.testing.assert_allclose(found.drop_attrs(), statistic(pooled).drop_attrs())


@pytest.mark.parametrize("name", [*OF_RUNS, *OF_HITS])
def test_an_axis_that_has_the_name_of_a_result_is_refused(name):
    runs = losses(np.ones((2, 10, 8)), dims=("axis", "seed", "step"), axis=[1, 2])
    statistic = OF_RUNS.get(name)
    given = runs
    if statistic is None:
        statistic = OF_HITS[name]
        given = stats.success(runs, below=1.5)
    taken = [found for found in statistic(given).data_vars if found not in given]
    assert taken
    for found in taken:
        with pytest.raises(ValueError, match=rf"the dimension '{found}' has .*\.rename"):
            statistic(given.rename(axis=found))


def test_profile_is_the_distribution_function():
    rng = np.random.default_rng(1)
    runs = losses(rng.lognormal(size=(50, 8)))
    runs.test_loss[:5] = np.nan
    profile = stats.profile(runs, thresholds=[0.1, 1.0, 2.0, 1e9], floor=1e-7)
    final = runs.test_loss.values[:, -1]
    expected = [np.mean(final <= t) for t in (0.1, 1.0, 2.0, 1e9)]
    np.testing.assert_allclose(profile.rate, expected)
    assert profile.rate[-1] == 0.9
    assert profile.floor == 1e-7
    best = stats.profile(runs, thresholds=[0.1, 1.0], when="first")
    np.testing.assert_allclose(
        best.rate, [np.mean(runs.test_loss.min("step").fillna(np.inf) <= t) for t in (0.1, 1)]
    )
    alike = stats.profile(losses(np.full((3, 8), 0.5)))
    assert alike.threshold.values[[0, -1]] == pytest.approx([0.05, 5])
    automatic = stats.profile(runs)
    assert automatic.sizes["threshold"] == 101
    assert automatic.rate[-1] == 0.9
    assert stats.profile(runs.where(False)).rate.max() == 0, "nan everywhere"


def test_pick_chooses_on_validation_only():
    validation = np.full((3, 8), 5.0)
    validation[0, 2] = 1.0
    validation[1, [4, 6]] = 0.5  # the earlier of equals
    validation[2] = np.nan
    runs = losses(np.arange(24.0).reshape(3, 8)).assign(
        validation_loss=(("seed", "step"), validation)
    )
    picked = stats.pick(runs)
    np.testing.assert_array_equal(picked.test_loss, [2, 12, 23])
    np.testing.assert_array_equal(picked.step, [STEPS[2], STEPS[4], STEPS[-1]])
    assert stats.rate(stats.success(picked, below=12)).successes == 2
    assert stats.pick(runs, by="test_loss", above=True).test_loss.values.tolist() == [7, 15, 23]


# ---- times ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("band", ["linear", "log-log"])
def test_kaplan_meier_agrees_with_scipy(band):
    rng = np.random.default_rng(2)
    time = rng.integers(1, 40, 100).astype(float)
    event = rng.random(100) < 0.6
    ours = stats.kaplan_meier(time, event, band=band)
    theirs = sps.ecdf(sps.CensoredData.right_censored(time, ~event)).sf
    np.testing.assert_allclose(ours.survival, theirs.evaluate(ours.step.values), rtol=1e-12)
    interval = theirs.confidence_interval(0.95, method=band)
    for end in ("low", "high"):
        expected = getattr(interval, end).evaluate(ours.step.values)
        known = np.isfinite(expected) & (ours.survival.values > 0)
        assert known.sum() > 20
        np.testing.assert_allclose(ours[end].values[known], expected[known], rtol=1e-9)


def test_survival_without_early_censoring_is_the_share_still_failing_with_its_wilson_interval():
    hits = random_hits((3, 90), ("learning_rate", "seed"), learning_rate=[1.0, 2.0, 3.0])
    curve = stats.survival(hits)
    share = stats.rate(hits, when="each")  # these runs never lose what they reached
    np.testing.assert_allclose(curve.survival, 1 - share.rate, atol=1e-12)
    np.testing.assert_allclose(curve.low, 1 - share.high, atol=1e-12)
    np.testing.assert_allclose(curve.high, 1 - share.low, atol=1e-12)
    np.testing.assert_array_equal(curve.at_risk.isel(step=0), 90)
    with pytest.raises(ValueError, match="times must be finite"):
        stats.kaplan_meier([1.0, np.inf], [True, False])


def test_time_quantiles_lie_between_records_and_may_not_be_reached():
    hits = stats.success(timed([1, 3, 3, 10, 30, np.inf, np.inf, np.inf]), below=1.0)
    result = stats.time_quantiles(hits, (0.25, 0.5, 0.7))
    np.testing.assert_array_equal(result.time, [3, 10, np.inf])
    np.testing.assert_array_equal(result.after, [1, 3, 1000])
    assert result.high[1] == np.inf
    with pytest.raises(ValueError, match="strictly between"):
        stats.time_quantiles(hits, 1.0)


def test_order_statistics_agree_with_scipy_quantile_test():
    values = np.random.default_rng(3).lognormal(size=(40, 8)).astype(np.float32)
    result = stats.quantiles(losses(values), "test_loss", (0.25, 0.5, 0.9)).isel(step=-1)
    for i, q in enumerate((0.25, 0.5, 0.9)):
        expected = sps.quantile_test(values[:, -1].astype(float), q=0, p=q).confidence_interval(
            0.95
        )
        np.testing.assert_allclose([result.low[i], result.high[i]], [expected.low, expected.high])
        assert result.test_loss[i] == np.quantile(values[:, -1], q, method="inverted_cdf")


def test_quantiles_are_values_of_seeds_where_some_diverged():
    """The largest losses and the smallest accuracies are those of seeds that diverged, inf and nan
    alike.
    """
    diverged = np.array([1.0, np.nan, 3.0, 4.0, 2.0])
    runs = xr.Dataset({name: ("seed", diverged) for name in ("loss", "accuracy")})
    q = (0.0, 0.2, 0.5, 0.75, 0.8, 0.81, 1.0)
    expected = [1, 1, 3, 4, 4, np.inf, np.inf]
    np.testing.assert_array_equal(stats.quantiles(runs, "loss", q).loss, expected)
    np.testing.assert_array_equal(
        stats.quantiles(runs, "accuracy", q).accuracy, [-np.inf, -np.inf, 2, 3, 3, 4, 4]
    )
    np.testing.assert_array_equal(stats.order_quantiles(diverged, q), expected)
    assert stats.order_quantiles([1, 2, 3, 4, np.inf], 0.75) == 4
    assert stats.order_quantiles([1, np.inf], 0.5) == 1, "nothing lies between"
    assert stats.order_quantiles(np.arange(1, 11), 0.7) == 7, (
        "0.7 * 10 is above 7 in floating point"
    )
    values = np.random.default_rng(0).normal(size=(3, 41, 2))
    for several in (0.3, [0.05, 0.5, 0.95]):
        ours, theirs = (
            stats.order_quantiles(values, several, 1),
            np.quantile(values, several, 1, method="inverted_cdf"),
        )
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match="between 0 and 1, got 50"):
        stats.order_quantiles(values, 50)


def test_restricted_mean_is_the_area_under_the_survival_curve():
    hits = random_hits((60,), ("seed",))
    curve = stats.survival(hits)
    late = np.sum(np.diff(STEPS) * curve.survival.values[:-1])
    early = np.sum(np.diff(STEPS) * curve.survival.values[1:])
    result = stats.restricted_mean(hits)
    # A failure is known to have lasted to the end, so the early bound keeps its whole last
    # interval.
    np.testing.assert_allclose(result.restricted_mean, late)
    np.testing.assert_allclose(result.restricted_mean_earliest, early)
    half = stats.restricted_mean(hits, until=50)
    np.testing.assert_allclose(half.restricted_mean, np.minimum(shown_at(hits), 50).mean())
    assert stats.restricted_mean(hits, until=1).restricted_mean == 1
    with pytest.raises(ValueError, match=r"until must lie in \(0, 1000\]"):
        stats.restricted_mean(hits, until=2000)


def test_equal_seeds_of_many_are_weighted_together(monkeypatch):
    """A sum of k weights has one distribution, whether they are drawn one by one or at once."""
    hits = random_hits((2, 60), ("case", "seed"), case=[0, 1])
    one_by_one = stats.ert(hits, resamples=20_000)
    monkeypatch.setattr(unseen, "MANY", 59)
    together = stats.ert(hits, resamples=20_000)
    for name in ("ert", "low", "high"):
        np.testing.assert_allclose(together[name], one_by_one[name], rtol=0.02)
    assert not together.low.equals(one_by_one.low)


def test_logrank_agrees_with_scipy():
    first, second = (
        random_hits((60,), ("seed",), seed=1),
        random_hits((45,), ("seed",), share=0.5, seed=2),
    )
    ours = stats.logrank(first, second)
    times = [shown_at(hits).values for hits in (first, second)]
    censored = [sps.CensoredData.right_censored(np.minimum(t, 1000), np.isinf(t)) for t in times]
    theirs = sps.logrank(*censored)
    np.testing.assert_allclose(ours.statistic, theirs.statistic, rtol=1e-10)
    np.testing.assert_allclose(ours.pvalue, theirs.pvalue, rtol=1e-10)
    never = stats.success(timed([np.inf] * 5), below=1.0)
    assert stats.logrank(never, never).pvalue == 1


def test_paired_prentice_wilcoxon_is_a_rank_test_where_only_the_end_censors():
    hits = random_hits((2, 80), ("recipe", "seed"), recipe=["a", "b"])
    result = stats.compare_times(hits, "a", "b")
    ranks = sps.rankdata(np.nan_to_num(shown_at(hits).values, posinf=1e9)).reshape(2, -1)
    difference = ranks[1] - ranks[0]
    np.testing.assert_allclose(
        result.statistic, difference.sum() / np.sqrt((difference**2).sum()), rtol=1e-9
    )
    np.testing.assert_allclose(result.pvalue, 2 * sps.norm.sf(abs(result.statistic)), rtol=1e-9)


def test_few_pairs_are_judged_by_sign_flips():
    upper = np.array([[1, 3, 1, 10, 3, 1], [10, 30, 100, 300, 100, 30]], float)
    hits = stats.success(timed(upper, dims=("recipe", "seed"), recipe=["a", "b"]), below=1.0)
    result = stats.compare_times(hits, "a", "b")
    # All six pairs one way; 4,999 flips: sd 0.0025
    assert result.pvalue == pytest.approx(2 / 2**6, abs=0.01)
    same = stats.compare_times(
        stats.success(timed([upper[0]] * 2, dims=("recipe", "seed"), recipe=["a", "b"]), 1.0),
        "a",
        "b",
    )
    assert same.pvalue == 1
    assert same.faster == 0.5


# ---- costs ---------------------------------------------------------------------------------------


def test_ert_of_seeds_that_agree_reckons_with_one_that_fails():
    """All of 20 at record 10: the next seed fails with a probability of up to 1 - 0.025^(1/20), at
    1000 steps each.
    """
    result = stats.ert(stats.success(timed([10] * 20), below=1.0), resamples=20_000)
    unseen = 1 - 0.025 ** (1 / 20)
    assert result.ert == 10
    assert result.low == pytest.approx(10 * (1 - unseen), rel=0.02)
    assert result.high == pytest.approx(10 + 1000 * unseen / (1 - unseen), rel=0.05)


def test_intervals_of_means_are_the_exact_ones_of_shares_and_of_medians_those_by_order_statistics():
    values = np.random.default_rng(4).normal(size=(40, 8))
    runs = losses(values).assign(accuracy=("seed", (np.arange(40) < 31).astype(float)))
    final = runs.test_loss.values[:, -1].astype(float)
    for name, func in {
        "iqm": lambda x: sps.trim_mean(x, 0.25),
        "median": np.median,
        "mean": np.mean,
    }.items():
        assert stats.aggregate(runs, statistic=name).value == pytest.approx(float(func(final)))
    by_ranks = stats.quantiles(runs.isel(step=-1), "test_loss", 0.5).isel(quantile=0)
    median = stats.aggregate(runs, statistic="median", resamples=20_000)
    assert (median.low, median.high) == (by_ranks.low, by_ranks.high)
    share = stats.aggregate(runs, "accuracy", "mean", worst=0, resamples=20_000)
    exact = sps.binomtest(31, 40).proportion_ci(0.95, "exact")
    np.testing.assert_allclose([share.low, share.high], [exact.low, exact.high], atol=0.005)


def test_ert_with_rare_or_no_success():
    rare = stats.ert(stats.success(timed([10] + [np.inf] * 9), below=1.0), resamples=20_000)
    assert rare.ert == 10 + 9 * 1000
    least = sps.binomtest(1, 10).proportion_ci(0.95).low
    assert rare.high == pytest.approx(10 + 1000 * (1 - least) / least, rel=0.1)
    assert 0 < rare.low < rare.ert
    none = stats.ert(stats.success(timed([np.inf] * 20), below=1.0))
    most = sps.binomtest(0, 20).proportion_ci(0.95).high
    assert none.ert == np.inf
    assert none.high == np.inf
    assert none.low == pytest.approx(1000 * (1 - most) / most, rel=0.1)


def test_best_cutoff_against_brute_force_and_theory():
    hits = random_hits((4, 50), ("learning_rate", "seed"), learning_rate=[1.0, 2, 3, 4])
    result, best = stats.restart(hits, resamples=50), stats.best_cutoff(hits)
    for cell in range(4):
        upper = shown_at(hits).values[cell]
        costs = [
            np.minimum(upper, c).sum() / np.sum(upper <= c) if np.any(upper <= c) else np.inf
            for c in STEPS[1:]
        ]
        np.testing.assert_allclose(result.cost[cell], costs)
        assert best.best_cutoff[cell] == STEPS[1:][int(np.argmin(costs))]
        assert best.best_cost[cell] == pytest.approx(min(costs))
    assert result.cost.isel(cutoff=-1).values.tolist() == pytest.approx(
        stats.ert(hits, resamples=50).ert.values.tolist()
    )
    # Half succeed at 10, half never: giving up at 10 costs 20, going on to the end 1010.
    half = stats.success(timed([10, np.inf] * 40), below=1.0)
    assert stats.best_cutoff(half).best_cutoff == 10
    assert stats.best_cutoff(half).best_cost == 20
    # The halves by position would be all-success and all-failure here; shuffled they are not.
    mixed = stats.success(timed([10, 10, np.inf, np.inf] * 20), below=1.0)
    assert stats.restart_gain(mixed).gain == pytest.approx(1010 / 20)
    everyone = stats.restart_gain(stats.success(timed([10] * 20), below=1.0))
    assert everyone.gain == 1


def test_restart_gain_is_not_flattered_by_the_choice():
    """With geometric times no cut-off helps; choosing the best of many on the same seeds would
    promise a gain.
    """
    steps = np.arange(0, 201)
    rng = np.random.default_rng(0)
    upper = rng.geometric(0.02, (400, 40)).astype(float)
    upper[upper > 200] = np.inf
    hits = stats.success(timed(upper, steps, ("rep", "seed")), below=1.0)
    chosen = stats.best_cutoff(hits).best_cost
    honest = stats.restart_gain(hits, resamples=2).gain
    naive = stats.ert(hits, resamples=2).ert / chosen
    assert naive.median() > 1.3
    assert honest.median() < 1.05  # 1.01 over 2,000 repetitions; sd of the median of 400 some 0.02


def test_tries_needed():
    hits = stats.success(timed([10] * 50 + [np.inf] * 50), below=1.0)
    assert stats.tries_needed(hits, 0.95).tries == 5  # 1 - 0.5**5 = 0.969, 0.5**4 misses it
    result = stats.tries_needed(hits, 0.95)
    assert result.low <= 5 <= result.high
    assert stats.tries_needed(stats.success(timed([np.inf] * 5), below=1.0)).tries == np.inf
    assert stats.tries_needed(stats.success(timed([10] * 5), below=1.0)).tries == 1


def test_best_of_against_all_subsets():
    from itertools import combinations

    values = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0])
    runs = losses(np.repeat(values[:, None], 8, 1)).assign(
        accuracy=(("seed", "step"), np.repeat(values[:, None], 8, 1))
    )
    for m in (1, 2, 4, 6):
        lowest = [min(c) for c in combinations(values, m)]
        highest = [max(c) for c in combinations(values, m)]
        assert stats.best_of(runs, [m]).best.item() == pytest.approx(np.mean(lowest))
        assert stats.best_of(runs, [m], of="accuracy").best.item() == pytest.approx(
            np.mean(highest)
        )
        assert stats.best_of(runs, [m], statistic="median").best.item() == np.quantile(
            lowest, 0.5, method="inverted_cdf"
        )
    with_failure = runs.copy(deep=True)
    with_failure.test_loss[0] = np.nan
    result = stats.best_of(with_failure, [1, 2])
    assert result.best.values.tolist() == [
        np.inf,
        pytest.approx(np.mean([min(c) for c in combinations([np.inf, 1, 4, 1, 5, 9], 2)])),
    ]
    with pytest.raises(ValueError, match="tries must lie between 1 and the 6 seeds"):
        stats.best_of(runs, [7])


# ---- comparisons ---------------------------------------------------------------------------------


def test_compare_counts_pairs_and_tests_as_binomtest_does():
    hits = random_hits(
        (2, 3, 60),
        ("recipe", "learning_rate", "seed"),
        recipe=["a", "b"],
        learning_rate=[1.0, 2, 3],
    )
    result = stats.compare(hits, "a", "b")
    x, y = hits.hit.isel(step=-1).values
    for cell in range(3):
        b, c = np.sum(x[cell] & ~y[cell]), np.sum(~x[cell] & y[cell])
        assert (result.only_a[cell], result.only_b[cell]) == (b, c)
        assert result.pvalue[cell] == pytest.approx(sps.binomtest(int(b), int(b + c)).pvalue)
        assert result.difference[cell] == pytest.approx((b - c) / 60)
    swapped = stats.compare(hits, "b", "a")
    np.testing.assert_allclose(swapped.low, -result.high, atol=1e-9)
    by_dict = stats.compare(
        {"x": hits.isel(recipe=0), "y": hits.isel(recipe=1, seed=slice(None, None, -1))}, "x", "y"
    )
    np.testing.assert_array_equal(by_dict.only_a, result.only_a)


def test_paired_interval_solves_tangos_equation():
    """At each end the score statistic, its nuisance rate maximised by brute force, is z."""
    b, c, n = 14, 5, 60
    for end in stats.paired_interval(np.array(b), np.array(c), n, 0.95, "score"):
        # P(only b); P(only a) = rate + end
        rates = np.linspace(max(0, -end), (1 - end) / 2, 2_000_001)[1:-1]
        likelihood = (
            b * np.log(rates + end) + c * np.log(rates) + (n - b - c) * np.log1p(-2 * rates - end)
        )
        rate = rates[np.argmax(likelihood)]
        z = (b - c - n * end) / np.sqrt(n * (2 * rate + end * (1 - end)))
        # The grid of rates has steps of 2e-7
        assert abs(z) == pytest.approx(sps.norm.ppf(0.975), abs=1e-4)
    low, high = stats.paired_interval(np.array([5, 0, 0]), np.array([0, 5, 0]), 5, 0.95, "score")
    assert high[0] == pytest.approx(1)
    assert low[1] == pytest.approx(-1)
    assert -low[2] == pytest.approx(high[2])


def test_comparisons_refuse_unequal_seeds_and_unknown_labels():
    first, second = random_hits((10,), ("seed",)), random_hits((12,), ("seed",))
    with pytest.raises(ValueError, match=r"'y' has 2 that 'x' lacks \(10, 11\).*join='inner'"):
        stats.compare({"x": first, "y": second}, "x", "y")
    with pytest.raises(ValueError, match="a seed appears twice"):
        stats.compare({"x": first, "y": xr.concat([first, first], "seed")}, "x", "y")
    both = random_hits((2, 5), ("recipe", "seed"), recipe=["adam", "sgd"])
    with pytest.raises(ValueError, match="0 entries 'lion'; it holds: adam, sgd"):
        stats.compare(both, "adam", "lion")
    with pytest.raises(ValueError, match="with itself"):
        stats.compare(both, "adam", "adam")
    with pytest.raises(ValueError, match="no dimension 'recipe'"):
        stats.compare(first, "adam", "sgd")
    swept = random_hits((2, 5), ("learning_rate", "seed"), learning_rate=np.logspace(-3, -1, 2))
    assert stats.compare(swept, 1e-3, 0.1, dim="learning_rate").n == 5


def test_ert_ratio_pairs_the_resamples_and_allows_infinite_ends():
    upper = np.random.default_rng(0).choice(STEPS[1:-1], 50).astype(float)
    later = np.where(
        upper == 300, np.inf, np.roll(STEPS, -1)[np.searchsorted(STEPS, upper)].astype(float)
    )
    hits = stats.success(
        timed([upper, upper], dims=("recipe", "seed"), recipe=["a", "b"]), below=1.0
    )
    same = stats.ert_ratio(hits, "a", "b")
    assert same.low < 1 == same.ratio < same.high, "the next seed may tell them apart"
    runs = timed(
        [upper, later, np.full(50, np.inf)], dims=("recipe", "seed"), recipe=["a", "b", "c"]
    )
    hits = stats.success(runs, below=1.0)
    assert stats.ert_ratio(hits, "a", "b").high < 1
    never = stats.ert_ratio(hits, "c", "a")
    assert (never.ratio, never.high) == (np.inf, np.inf)
    assert never.low > 1
    assert stats.ert_ratio(hits, "a", "c").low == 0
    neither = stats.ert_ratio({"x": hits.sel(recipe="c"), "y": hits.sel(recipe="c")}, "x", "y")
    assert np.isnan(neither.ratio)
    assert (neither.low, neither.high) == (0, np.inf)


def test_improvement_counts_pairs_and_is_mann_whitney_over_all():
    rng = np.random.default_rng(0)
    values = np.round(rng.lognormal(size=(2, 40, 8)), 1)
    values[:, :3] = np.nan
    runs = losses(values, dims=("recipe", "seed", "step"), recipe=["a", "b"])
    a, b = np.nan_to_num(runs.test_loss.values[..., -1].astype(float), nan=1e9)
    paired, every = (
        stats.improvement(runs, "a", "b"),
        stats.improvement(runs, "a", "b", pairs="all", resamples=200),
    )
    assert paired.improvement == pytest.approx(np.mean((a < b) + 0.5 * (a == b)))
    assert every.improvement == pytest.approx(1 - sps.mannwhitneyu(a, b).statistic / 40**2)
    assert every.low < every.improvement < every.high
    ends = [
        stats.improvement(runs, "a", "b", pairs="all", resamples=200, rng=rng).low.item()
        for rng in (0, 7, 7)
    ]
    assert ends[0] == every.low
    assert ends[1] == ends[2] != ends[0]
    best = stats.improvement(runs.assign(accuracy=-runs.test_loss), "a", "b", of="accuracy")
    assert best.improvement == pytest.approx(paired.improvement.item())


def test_compare_values_is_paired():
    rng = np.random.default_rng(0)
    base = rng.normal(size=60) * 10
    values = np.repeat(np.stack([base, base + 1])[..., None], 8, 2)
    runs = losses(values, dims=("recipe", "seed", "step"), recipe=["a", "b"])
    for statistic in ("iqm", "median", "mean"):
        result = stats.compare_values(runs, "a", "b", statistic=statistic)
        np.testing.assert_allclose(result.difference, -1, atol=1e-5)  # float32
        alone = stats.aggregate(runs.isel(recipe=0), statistic=statistic)
        if statistic == "mean":
            assert (result.low, result.high) == (-np.inf, np.inf), (
                "one seed more could move a mean anywhere"
            )
        else:
            assert result.low < -1 < result.high
            assert result.high - result.low < 0.8 * (alone.high - alone.low)
    broken = runs.where(runs.seed > 40)
    assert np.isnan(stats.compare_values(broken, "a", "b").difference)
    assert stats.compare_values(broken, "a", "b").low == -np.inf
    with pytest.raises(ValueError, match="iqm, median, mean"):
        stats.compare_values(runs, "a", "b", statistic="mode")


def test_discoveries_agree_with_scipy_and_skip_missing():
    p = xr.DataArray([[0.001, 0.02, np.nan], [0.04, 0.6, 0.03]], dims=("x", "y"))
    result = stats.discoveries(p, rate=0.05)
    known = ~np.isnan(p.values)
    np.testing.assert_allclose(
        result.adjusted.values[known], sps.false_discovery_control(p.values[known])
    )
    # Sorted, times 5 over the rank: .001 -> .005, .02 -> .05, .03 -> .05, .04 -> .05, .6 -> .6
    np.testing.assert_allclose(result.adjusted, [[0.005, 0.05, np.nan], [0.05, 0.6, 0.05]])
    most, one = stats.discoveries(p, rate=0.06), stats.discoveries(p, rate=0.045)
    np.testing.assert_array_equal(most.discovery, [[True, True, False], [True, False, True]])
    np.testing.assert_array_equal(one.discovery, [[True, False, False], [False, False, False]])
    np.testing.assert_array_equal(result.discovery, result.adjusted <= 0.05)
    assert stats.discoveries(p.where(False)).discovery.sum() == 0


def test_holm_steps_down():
    adjusted = rankings.holm(np.array([[0.01, 0.2], [0.04, 0.6], [0.03, 0.7]]))
    np.testing.assert_allclose(adjusted, [[0.03, 0.6], [0.06, 1.0], [0.06, 1.0]])


def test_ranking_ranks_what_differs_and_refuses_ties():
    upper = np.full((3, 60), 10.0)
    upper[1, :2] = np.inf  # not told apart from the first
    upper[2, 10:] = np.inf  # clearly worse
    hits = stats.success(timed(upper, dims=("recipe", "seed"), recipe=["a", "b", "c"]), below=1.0)
    result = stats.ranking(hits)
    assert result.rank_low.values.tolist() == [1, 1, 3]
    assert result.rank_high.values.tolist() == [2, 2, 3]
    assert stats.ranking(hits.isel(recipe=[0])).rank_high == 1


def test_performance_profile_against_a_loop():
    hits = random_hits((3, 2, 30), ("recipe", "task", "seed"), recipe=list("abc"), task=["x", "y"])
    ratios = np.array([1.0, 3.0, 10.0, 1e4])
    result = stats.performance_profile(hits, ratios, over=("task", "seed"))
    time = shown_at(hits).values
    for i, factor in enumerate(ratios):
        solved = [
            [
                time[r, t, s] <= factor * time[:, t, s].min() < np.inf
                for t in range(2)
                for s in range(30)
            ]
            for r in range(3)
        ]
        np.testing.assert_allclose(result.profile[:, i], np.mean(solved, 1))
    assert (result.n == 60).all()
    # One task twice is no news: the interval must not shrink.
    twice = xr.concat([hits.isel(task=0), hits.isel(task=0)], "task")
    one, two = (
        stats.performance_profile(hits.isel(task=0), ratios),
        stats.performance_profile(twice, ratios, over=("task", "seed")),
    )
    np.testing.assert_allclose(one.low, two.low, atol=0.02)  # the one is exact, the other drawn
    assert (one.n == 30).all()
    with pytest.raises(ValueError, match="over"):
        stats.performance_profile(hits, over="nothing")


# ---- planning ------------------------------------------------------------------------------------


def test_seeds_for_width_is_the_smallest_number():
    for interval in ("wilson", "exact"):
        n = int(stats.seeds_for_width(0.5, 0.05, interval=interval))
        # Even numbers hold exactly half successes
        for size, reached in ((n, True), (n - 2, False)):
            if size % 2:
                size += 1 if reached else -1
            low, high = stats.binomial_interval(size // 2, size, 0.95, interval)
            assert (max(0.5 - low, high - 0.5) <= 0.05) == reached
    assert stats.seeds_for_width([0.5, 0.99], 0.02).tolist() == [2449, 279]
    with pytest.raises(ValueError, match="widths in"):
        stats.seeds_for_width(0.5, 0)
    for width in (1.0, [0.1, 1.0]):
        with pytest.raises(ValueError, match="width"):
            stats.seeds_for_width(0.5, width)


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_interpolated_quantiles_are_numpys(n):
    values = np.sort(np.random.default_rng(n).normal(size=(2, 5, n)), -1)
    for q in (0.0, 0.1, 0.5, 0.9, 1.0):
        np.testing.assert_allclose(quantile_of_sorted(values, q), np.quantile(values, q, -1))
    assert quantile_of_sorted(np.array([1.0, 2.0, np.inf]), 0.5) == 2


def test_a_half_of_the_seeds_that_teaches_nothing_cuts_nothing_off():
    """Cut-offs are learned from every other seed. Here the seeds of one half succeed at step 10,
    and the others never do, so that the first half goes on to the last record.
    """
    upper = np.where(np.arange(40) % 2, 10.0, np.inf)
    hits = stats.success(timed(upper), below=0.5)
    found = stats.restart_gain(hits, resamples=20)
    whole = 20 * 10 + 20 * 1000
    cut_off = 20 * 10 + 20 * 10  # those that never succeed end at step 10 too
    assert found.gain == pytest.approx(whole / cut_off)


def test_a_value_that_is_the_bound_reaches_it_in_single_precision():
    """0.1 of float32 is larger than 0.1 of float64, and 0.7 of it smaller."""
    runs = losses([[0.1], [0.7]], steps=np.array([5]))
    assert runs.test_loss.dtype == np.float32
    assert stats.success(runs, below=0.1).hit.values.ravel().tolist() == [True, False]
    assert stats.success(runs, above=0.7).hit.values.ravel().tolist() == [False, True]


def test_data_of_another_stage_are_named():
    runs = timed([1.0, 10.0, np.inf])
    hits = stats.success(runs, below=0.5)
    for wrong, call in ((hits, stats.aggregate), (hits, stats.quantiles), (runs, stats.rate)):
        with pytest.raises(ValueError, match=r"stats|hits|runs") as error:
            call(wrong)
        assert "None" not in str(error.value)
    with pytest.raises(ValueError, match=r"not hits .*: call rates = ap.stats.rate\(hits\) first"):
        stats.boundary(hits, "step")
    with pytest.raises(ValueError, match=r"there are: none\. Choose another one with over="):
        stats.rate(hits.isel(step=0, seed=0, drop=True).squeeze(drop=True), over="seed")
    for share in (0, 1):
        with pytest.raises(ValueError, match="strictly between 0 and 1"):
            stats.time_quantiles(hits, share)
    with pytest.raises(ValueError, match=r"this takes runs.* an xarray.Dataset, not list"):
        stats.aggregate([0.1, 0.2])
    with pytest.raises(ValueError, match="no times at which to evaluate the curve"):
        stats.kaplan_meier([1.0], [True], at=[])


def enumerated_power(n, a, b, size):
    """The probability of all outcomes of n seeds at which the exact test rejects."""
    only_a, only_b = a * (1 - b), b * (1 - a)
    total = 0.0
    for i in range(n + 1):
        for j in range(n + 1 - i):
            if i + j and sps.binomtest(i, i + j).pvalue <= size:
                total += sps.multinomial.pmf(
                    [i, j, n - i - j], n, [only_a, only_b, 1 - only_a - only_b]
                )
    return total


def test_power_by_enumeration_of_all_outcomes():
    n, a, b = 12, 0.9, 0.4
    assert stats.power(n, a, b) == pytest.approx(enumerated_power(n, a, b, 0.05), rel=1e-9)
    for size in (0.8, 0.5, 0.01):
        expected = enumerated_power(30, 0.5, 0.4, size)
        assert stats.power(30, 0.5, 0.4, level=1 - size) == pytest.approx(expected, rel=1e-9), size
        many = np.arange(400)  # disagreements
        tails = 2 * sps.binom.cdf(many[:, None], many, 0.5)  # (count, disagreements)
        largest = np.count_nonzero(tails <= size, 0) - 1
        np.testing.assert_array_equal(planning._critical_count(many, size), largest)
    assert stats.power(200, 0.5, 0.5) <= 0.05, "the size of the test"
    n = stats.seeds_for_power(0.8, 0.9)
    assert stats.power(n, 0.8, 0.9) >= 0.8 > stats.power(n - 1, 0.8, 0.9)
    assert stats.seeds_for_power(0.8, 0.9, correlation=0.5) < n, (
        "common seeds that agree save seeds"
    )
    with pytest.raises(ValueError, match=r"cannot have the correlation 0.9"):
        stats.power(10, 0.1, 0.9, correlation=0.9)
    with pytest.raises(ValueError, match="no number of seeds"):
        stats.seeds_for_power(0.5, 0.5)


def test_confidence_sequence_inverts_its_martingale():
    s, n, width = 37, 100, 0.05
    low, high = stats.confidence_sequence(s, n, width=width)
    for p in (low, high):
        k = 1 + p * (1 - p) / width**2
        # The mixture likelihood of the successes in the order they came: a betabinomial over the
        # number of orders.
        mixture = sps.betabinom.logpmf(s, n, k * p, k * (1 - p))
        assert mixture - sps.binom.logpmf(s, n, p) == pytest.approx(np.log(20), abs=1e-6)
    assert [float(x) for x in stats.confidence_sequence(0, 0)] == [0, 1]
    assert stats.confidence_sequence(0, 50)[0] == 0
    assert stats.confidence_sequence(50, 50)[1] == 1
    wide = stats.confidence_sequence(37, 100)
    wilson = stats.binomial_interval(37, 100)
    assert wide[0] < wilson[0] < wilson[1] < wide[1]


def test_enough_stops_when_every_cell_is_known():
    assert not stats.enough(0, 0)
    assert not stats.enough(30, 30), "the lower end is far"
    assert not stats.enough(0, 30), "the upper end is far"
    assert not stats.enough(2700, 5400)
    assert stats.enough(2879, 5758)
    assert stats.enough([5700, 2879], [5758, 5758])
    assert not stats.enough([5700, 1000], [5758, 2000])
    with pytest.raises(ValueError, match="width must be positive"):
        stats.enough(1, 2, width=0)
    hits = random_hits((300,), ("seed",))
    runs = stats.running_rate(hits, width=0.1)
    seen, k = np.arange(1, 301), np.cumsum(hits.hit.isel(step=-1))
    np.testing.assert_array_equal(runs.n, seen)
    np.testing.assert_allclose(runs.rate, k / seen)
    np.testing.assert_allclose([runs.low, runs.high], stats.confidence_sequence(k, seen, width=0.1))
    wilson = [sps.binomtest(int(k[i]), i + 1).proportion_ci(0.95, "wilson") for i in (0, 10, 299)]
    some = runs.isel(n=[0, 10, 299])
    np.testing.assert_allclose(some.wilson_low, [ends.low for ends in wilson], atol=1e-12)
    np.testing.assert_allclose(some.wilson_high, [ends.high for ends in wilson], atol=1e-12)


# ---- all at once ---------------------------------------------------------------------------------


def test_report_repeats_the_single_functions_and_prints_three_tables(capsys):
    hits_in = random_hits((2, 80), ("recipe", "seed"), recipe=["adam", "s_g"])
    runs = xr.Dataset({"test_loss": xr.where(hits_in.hit, 0.5, 2.0)}).assign_attrs(note="x")
    runs.test_loss[0, :3] = np.nan
    hits = stats.success(runs, below=1.0)
    summary = stats.report(runs, below=1.0)
    printed = capsys.readouterr().out
    assert printed.strip() == stats.table(summary)
    np.testing.assert_array_equal(summary.rate_low, stats.rate(hits).low)
    np.testing.assert_array_equal(summary.ert_high, stats.ert(hits).high)
    np.testing.assert_array_equal(summary.diverged, [3, 0])
    np.testing.assert_array_equal(summary.censored, np.isinf(shown_at(hits)).sum("seed"))
    assert summary.difference[1] == stats.compare(hits, "s_g", "adam").difference
    assert f"{100 * float(summary.rate[0]):.1f} [" in printed
    assert "<= 1." in printed
    markdown, latex = stats.table(summary, "markdown"), stats.table(summary, "latex")
    assert markdown.splitlines()[1] == "| --- | --- | --- |"
    assert r"s\_g \\" in latex
    renamed = summary.assign_coords(recipe=["lr < 1", "lr > 1"])
    assert "lr $<$ 1" in (printed := stats.table(renamed, "latex"))
    assert "lr $>$ 1" in printed
    assert latex.count("&") == 2 * (len(latex.splitlines()) - 6)
    assert stats.report(runs, below=1.0, show=None).equals(summary)
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="text, markdown, latex"):
        stats.report(runs, below=1.0, show="html")


def test_report_corrects_for_several_recipes():
    upper = np.full((3, 40), 10.0)
    upper[1, :8], upper[2, :7] = np.inf, np.inf
    runs = timed(upper, dims=("recipe", "seed"), recipe=["a", "b", "c"])
    summary, hits = stats.report(runs, below=1.0, show=None), stats.success(runs, below=1.0)
    single = [stats.compare(hits, label, "a").pvalue.item() for label in "bc"]
    np.testing.assert_allclose(
        summary.pvalue, [np.nan, 2 * min(single), max(2 * min(single), max(single))]
    )
    assert summary.rank_low.values.tolist() == [1, 2, 2]


@pytest.mark.parametrize(
    "kind", ["empty", "one seed", "nan everywhere", "all succeeded", "all failed"]
)
def test_degenerate_samples_have_defined_results(kind):
    upper = np.full((2, 20), 10.0) if kind == "all succeeded" else np.full((2, 20), np.inf)
    runs = timed(upper, dims=("recipe", "seed"), recipe=["a", "b"])
    if kind == "nan everywhere":
        runs = runs.where(False)
    runs = runs.isel(seed=slice({"empty": 0, "one seed": 1}.get(kind)))
    summary = stats.report(runs, below=1.0, show=None)
    n, k = runs.sizes["seed"], summary.successes.values
    assert (summary.n == n).all()
    assert (k == (n if kind == "all succeeded" else 0)).all()
    for name in ("rate", "mean_steps", "ert", "median_steps"):
        value, low, high = (np.asarray(summary[x]) for x in (name, f"{name}_low", f"{name}_high"))
        if n:
            assert (low <= value).all()
            assert (value <= high).all()
        else:
            assert np.isnan(value).all()
    assert summary.rate_high[0] > summary.rate_low[0], "an interval is never a point"
    assert stats.table(summary)
    hits = stats.success(runs, below=1.0)
    assert stats.survival(hits).n.max() == n
    assert stats.compare_times(hits, "a", "b").pvalue == 1
    assert stats.compare(hits, "a", "b").pvalue == 1
    assert stats.performance_profile(hits).n.max() == n
    assert stats.restart(hits, resamples=20).sizes["cutoff"] == 7
    assert stats.improvement(runs, "a", "b").n == n
    assert stats.improvement(runs, "a", "b", pairs="all", resamples=20).n == n
    compared = stats.compare_values(runs, "a", "b", resamples=20)
    assert compared.n == n
    assert compared.difference.dtype == float
    assert stats.ert_ratio(hits, "a", "b", resamples=20).n == n
    aggregated = stats.aggregate(runs, resamples=20)
    assert aggregated.n[0] == n
    assert aggregated.value.dtype == float
    assert (stats.quantiles(runs, "test_loss").n == n).all()
    assert stats.tries_needed(hits).n[0] == n
    assert stats.running_rate(hits).sizes["n"] == n


REDUCED = {
    "rate": stats.rate,
    "survival": stats.survival,
    "median": lambda h: stats.time_quantiles(h, 0.5),
    "restricted_mean": stats.restricted_mean,
    "ert": lambda h: stats.ert(h, resamples=99),
    "restart": lambda h: stats.restart(h, resamples=99),
    "tries": stats.tries_needed,
}


@pytest.mark.parametrize("name", REDUCED)
def test_a_grid_is_reduced_as_its_cells_are(name):
    grid = random_hits(
        (5, 4, 30),
        ("learning_rate", "init_scale", "seed"),
        learning_rate=np.arange(5.0),
        init_scale=np.arange(4.0),
    )
    whole = REDUCED[name](grid)
    for i, j in np.ndindex(5, 4):
        cell = {"learning_rate": i, "init_scale": j}
        alone = REDUCED[name](grid.isel(cell, drop=True))
        xr.testing.assert_allclose(whole.isel(cell, drop=True), alone, rtol=1e-12)


def test_stats_import_neither_jax_nor_higher_floors():
    for file in Path(stats.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            for module in modules:
                known = (
                    "approx",
                    "numpy",
                    "scipy",
                    "xarray",
                    "pandas",
                    "jaxtyping",
                    *sys.stdlib_module_names,
                )
                assert module.split(".")[0] in known, module
                assert module.split(".")[0] != "approx" or module.startswith("approx.stats"), module


def test_integer_values_and_thresholds_beyond_float32():
    counts = xr.Dataset(
        {"errors": (("seed", "step"), [[3, 1, 0], [3, 3, 3]])}, {"seed": [0, 1], "step": [0, 1, 2]}
    )
    assert stats.rate(stats.success(counts, below=0.5, of="errors")).successes == 1
    assert stats.success(losses([[5.0] * 8]), below=1e300).hit.all()
