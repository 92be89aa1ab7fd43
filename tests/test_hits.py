"""Promise: whatever reads hits is right for hits that were cut, thinned or joined, and for groups
that differ in steps.

Times come from the records that hits have when they are read; a hit that is nan is a missing
training; two groups are compared at the records that both have. Small numbers by hand, most of them
of one sample of 8 records.
"""

import re
import warnings

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
import scipy.stats as sps
import xarray as xr

import approx as ap
from approx import plot, stats

STEPS = np.array([0, 1, 3, 10, 30, 100, 300, 1000])


def runs_of(upper, steps=STEPS, **coords):
    """Runs that first reach loss 0.5 at the given steps (inf: never) and stay there; an axis for
    each of `coords`.
    """
    upper = np.asarray(upper, float)
    values = np.where(np.asarray(steps) >= upper[..., None], 0.5, 2.0)
    coords = {**coords, "seed": np.arange(upper.shape[-1]), "step": steps}
    return xr.Dataset({"test_loss": (tuple(coords), values)}, coords)


def hits_of(upper, steps=STEPS, **coords):
    return stats.success(runs_of(upper, steps, **coords), below=1.0)


def random_times(shape, seed=0, share=0.3):
    rng = np.random.default_rng(seed)
    upper = rng.choice(STEPS[1:], shape).astype(float)
    upper[rng.random(shape) < share] = np.inf
    return upper


# ---- hits that were cut or thinned ---------------------------------------------------------------

READERS = {
    "time_to_success": stats.time_to_success,
    "settled": lambda h: stats.time_to_success(h, "settled"),
    "survival": stats.survival,
    "time_quantiles": stats.time_quantiles,
    "restricted_mean": stats.restricted_mean,
    "ert": lambda h: stats.ert(h, resamples=20),
    "best_cutoff": stats.best_cutoff,
    "restart": lambda h: stats.restart(h, resamples=20),
    "restart_gain": lambda h: stats.restart_gain(h, resamples=20),
    "tries_needed": stats.tries_needed,
    "rate": stats.rate,
    "rate, first": lambda h: stats.rate(h, when="first"),
    "rate, sustained": lambda h: stats.rate(h, when="sustained"),
    "rate, each": lambda h: stats.rate(h, when="each"),
    "running_rate": stats.running_rate,
    "compare": lambda h: stats.compare(h, "a", "b"),
    "compare_times": lambda h: stats.compare_times(h, "a", "b"),
    "ert_ratio": lambda h: stats.ert_ratio(h, "a", "b", resamples=20),
    "logrank": lambda h: stats.logrank(h.sel(recipe="a"), h.sel(recipe="b")),
    "ranking": stats.ranking,
    "performance_profile": stats.performance_profile,
}
CUTS = {
    "by label": lambda data: data.sel(step=slice(None, 100)),
    "by position": lambda data: data.isel(step=slice(0, 4)),
    "its beginning": lambda data: data.sel(step=slice(3, None)),
    "thinned": lambda data: data.isel(step=slice(None, None, 3)),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("cut", CUTS)
def test_hits_that_were_cut_are_the_hits_of_runs_that_were_cut(reader, cut):
    runs = runs_of(random_times((2, 30)), recipe=["a", "b"])
    # Some lose it again
    runs["test_loss"] = runs.test_loss.where(runs.seed % 7 != runs.step % 7, 5.0)
    of_hits = READERS[reader](CUTS[cut](stats.success(runs, below=1.0)))
    of_runs = READERS[reader](stats.success(CUTS[cut](runs), below=1.0))
    xr.testing.assert_identical(of_hits, of_runs)


def test_times_after_a_cut_by_hand():
    """10 of 100 succeed by step 100 and 40 later: at a cut at 100, a tenth has succeeded and 90
    paid 100 steps each.
    """
    cut = hits_of([30] * 10 + [300] * 40 + [np.inf] * 50).isel(
        seed=np.random.default_rng(0).permutation(100)
    )
    cut = cut.sel(step=slice(None, 100))
    times = stats.time_to_success(cut)
    assert times.horizon == 100
    assert np.isfinite(times.upper).sum() == 10
    assert times.lower.max() == 100
    assert stats.survival(cut).survival[-1] == pytest.approx(0.9)
    cost = (10 * 30 + 90 * 100) / 10
    assert stats.ert(cut, resamples=20).ert == pytest.approx(cost) == 930
    # Giving up at 30 costs 300
    assert stats.restart_gain(cut, resamples=20).gain == pytest.approx(cost / 300)
    assert stats.restricted_mean(cut).restricted_mean == pytest.approx(93)
    assert stats.time_quantiles(cut, 0.05).time == 30
    assert stats.time_quantiles(cut, 0.5).time == np.inf


def test_groups_that_are_identical_up_to_the_cut_do_not_differ_there():
    early = [10] * 20 + [100] * 20
    first, second = hits_of(early + [300] * 60), hits_of(early + [np.inf] * 60)
    assert stats.logrank(first, second).pvalue < 1e-8
    cut = [hits.sel(step=slice(None, 100)) for hits in (first, second)]
    assert stats.logrank(*cut).pvalue == 1
    assert stats.compare_times(dict(zip("ab", cut, strict=True)), "a", "b").pvalue == 1


def test_hits_with_one_record_for_each_training_have_rates_but_no_times():
    runs = runs_of([10, np.inf]).assign(validation_loss=(("seed", "step"), np.tile(-STEPS, (2, 1))))
    for data in (stats.pick(runs), runs.isel(step=-1)):
        hits = stats.success(data, below=1.0)
        assert stats.rate(hits).rate == 0.5
        assert stats.compare({"a": hits, "b": hits}, "a", "b").n == 2
        for name in (
            "time_to_success",
            "survival",
            "ert",
            "restart",
            "best_cutoff",
            "restart_gain",
        ):
            with pytest.raises(ValueError, match=r"no dimension 'step' here, as after stats\.pick"):
                READERS[name](hits)


def test_records_that_are_out_of_order_are_refused_by_every_reader():
    hits = hits_of(random_times((2, 30)), recipe=["a", "b"]).isel(step=slice(None, None, -1))
    for read in READERS.values():
        with pytest.raises(ValueError, match=r"increasing records.*sortby"):
            read(hits)


def test_the_success_curve_draws_the_rates_of_the_cut():
    hits = hits_of([30] * 10 + [300] * 40 + [np.inf] * 50).sel(step=slice(None, 100))
    line = plot.success_curve(hits).lines[0].get_ydata()
    np.testing.assert_allclose(line, [0, 0, 0, 0, 0.1, 0.1])


# ---- two groups with other horizons or other records ---------------------------------------------

PAIRED = {
    "compare_times": lambda a, b: stats.compare_times({"a": a, "b": b}, "a", "b"),
    "ert_ratio": lambda a, b: stats.ert_ratio({"a": a, "b": b}, "a", "b", resamples=20),
    "compare, each": lambda a, b: stats.compare({"a": a, "b": b}, "a", "b", when="each"),
    "logrank": stats.logrank,
}


@pytest.mark.parametrize("name", PAIRED)
def test_two_groups_are_compared_up_to_the_earlier_horizon(name):
    compare = PAIRED[name]
    short, long = hits_of(random_times(60, 1), STEPS[:6]), hits_of(random_times(60, 2))
    found, cut = compare(short, long), compare(short, long.sel(step=slice(None, 100)))
    xr.testing.assert_equal(found, cut)
    assert found.attrs["until"] == 100
    assert found.attrs["records"] == "6 in common, of 6 and 8"
    xr.testing.assert_equal(compare(long, short), compare(long.sel(step=slice(None, 100)), short))


@pytest.mark.parametrize("name", PAIRED)
def test_two_groups_are_compared_at_the_records_that_both_have(name):
    """The same trainings, one side recorded at half of the steps: it would seem to be later."""
    upper = random_times(60)
    fine, coarse = hits_of(upper), hits_of(upper, STEPS[[0, 2, 4, 7]])
    found = PAIRED[name](fine, coarse)
    xr.testing.assert_equal(found, PAIRED[name](coarse, coarse))
    assert found.attrs["records"] == "4 in common, of 8 and 4"
    if "pvalue" in found:
        assert (found.pvalue == 1).all()
    late = hits_of(upper, np.array([0, 30, 500]))
    with pytest.warns(
        UserWarning, match="followed to step 500, but the last record that both have is step 30"
    ):
        assert PAIRED[name](fine, late).attrs["until"] == 30
    with pytest.raises(ValueError, match="no record after step 0 in common"):
        PAIRED[name](fine, hits_of(upper, np.array([0, 2, 50])))


def test_one_distribution_followed_for_100_and_1000_steps_is_one_distribution():
    rng = np.random.default_rng(0)
    steps = np.arange(0, 1001, 5)
    upper = rng.geometric(1 / 200, (2, 200)).astype(float)
    short, long = hits_of(upper[0], steps[steps <= 100]), hits_of(upper[1], steps)
    fair = stats.compare_times({"a": long.sel(step=slice(None, 100)), "b": short}, "a", "b").pvalue
    found = stats.compare_times({"a": long, "b": short}, "a", "b")
    assert found.pvalue == fair
    assert found.pvalue > 0.05
    assert stats.logrank(long, short).pvalue > 0.05


def test_compare_says_at_which_steps_it_judged():
    upper = [10, 30, 300, 300]
    found = stats.compare(
        {"a": hits_of(upper), "b": hits_of(upper).sel(step=slice(None, 100))}, "a", "b"
    )
    assert (found.rate_a, found.rate_b) == (1, 0.5)
    assert (found.attrs["last_a"], found.attrs["last_b"]) == (1000, 100)


def test_two_recipes_are_compared_on_a_single_seed():
    found = stats.compare({"a": hits_of([np.inf]), "b": hits_of([10])}, "a", "b")
    assert (found.rate_a, found.rate_b, found.difference, found.n) == (0, 1, -1, 1)


def test_values_are_compared_at_the_last_steps_that_the_attributes_name():
    runs = {"a": runs_of([10, 30, 300, 300]), "b": runs_of([10, 30, 300, 300], STEPS[:6])}
    for found in (
        stats.improvement(runs, "a", "b"),
        stats.compare_values(runs, "a", "b", resamples=20),
    ):
        assert (found.attrs["last_a"], found.attrs["last_b"]) == (1000, 100)
    picked = {name: one.isel(step=-1, drop=True) for name, one in runs.items()}
    assert "last_a" not in stats.improvement(picked, "a", "b").attrs


def test_cells_without_a_threshold_do_not_vanish():
    runs = runs_of(random_times((2, 3, 30)), task=["easy", "hard"], recipe=["a", "b", "c"])
    one = xr.DataArray([1.0], dims="task", coords={"task": ["easy"]})
    with pytest.raises(ValueError, match="no threshold for 1 entries of 'task': hard"):
        stats.success(runs, below=one)
    three = xr.DataArray([1.0, 0.1, 2.0], dims="task", coords={"task": ["hard", "easy", "other"]})
    hits = stats.success(runs, below=three)  # more of them than needed, in any order
    assert not hits.hit.sel(task="easy").any()
    xr.testing.assert_equal(hits.sel(task="hard"), stats.success(runs.sel(task="hard"), below=1.0))


# ---- missing hits --------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", READERS)
def test_a_missing_training_is_neither_a_success_nor_a_failure(reader):
    both = hits_of(random_times((2, 30)), recipe=["a", "b"])
    joined = both.reindex(seed=np.arange(32))  # what an outer join does
    with pytest.raises(
        ValueError, match=r"(4 of 64|2 of 32) trainings have nan instead of a hit.*dropna\('seed'\)"
    ):
        READERS[reader](joined)
    with pytest.raises(ValueError, match="nan instead of a hit"):
        READERS[reader](joined.astype(float))
    for kept in (
        joined.dropna("seed"),
        joined.astype(float).dropna("seed"),
        joined.isel(seed=slice(0, 30)),
    ):
        xr.testing.assert_identical(READERS[reader](kept), READERS[reader](both))


@pytest.mark.parametrize("reader", READERS)
def test_trainings_with_other_records_are_not_filled_up(reader):
    both = hits_of(random_times((2, 30)), recipe=["a", "b"])
    joined = xr.concat(
        [both.sel(recipe=["a"]), both.sel(recipe=["b"], step=STEPS[:6])], "recipe", join="outer"
    )
    with pytest.raises(
        ValueError,
        match=r"missing \(nan\) at 2 of 8 records, the first at step 300.*dropna\('step'\)",
    ):
        READERS[reader](joined)
    cut = both.sel(step=STEPS[:6])
    xr.testing.assert_identical(READERS[reader](joined.dropna("step")), READERS[reader](cut))


def test_rates_of_plain_arrays():
    array = lambda values: xr.DataArray(values, dims="seed")  # noqa: E731
    with pytest.raises(ValueError, match="1 of 3 trainings have nan instead of a hit"):
        stats.rate(array([np.nan, 0, 1]))
    with pytest.raises(ValueError, match="1 of 3 trainings have nan"):
        stats.rate(array(np.array([None, False, True], object)))
    for hit in (
        [False, False, True],
        [0, 0, 1],
        [0.0, 0.0, 1.0],
        np.array([False, False, True], object),
    ):
        assert stats.rate(array(hit)).rate == pytest.approx(1 / 3)
    with pytest.raises(
        ValueError,
        match=r"true or false \(1 or 0\), and there is 0\.3: call hits = ap\.stats\.success",
    ):
        stats.rate(array([0.3, 0.0, 1.0]))
    with pytest.raises(
        ValueError, match=r"hits, as stats\.success returns them, an xarray\.Dataset, not list"
    ):
        stats.rate([True, False])


def test_kaplan_meier_takes_no_missing_event_for_a_success():
    with pytest.raises(
        ValueError, match=r"True where success came and False where censored; got nan"
    ):
        stats.kaplan_meier([1.0, 2.0], [np.nan, 1.0])
    with pytest.raises(ValueError, match=r"got 2"):
        stats.kaplan_meier([1.0, 2.0], [2, 1])
    assert stats.kaplan_meier([1.0, 2.0], [0.0, 1.0]).survival.values.tolist() == [1, 0]


def test_missing_classes_are_refused():
    kinds = xr.Dataset({"kind": ("seed", np.array(["learned", "learned", np.nan], object))})
    for count in (stats.shares, stats.majority):
        with pytest.raises(ValueError, match="1 of 3 trainings have no class"):
            count(kinds)
        assert count(kinds.dropna("seed")).n.max() == 2


def test_diverged_trainings_fail_and_trainings_that_a_join_made_are_warned_of():
    runs = runs_of([10.0, 30, 100, np.inf])
    diverged = runs.where((runs.seed != 1) | (runs.step < 30))  # nan from step 30 on
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert stats.rate(stats.success(diverged, below=1.0)).successes == 2
        assert stats.profile(diverged, thresholds=[1.0]).rate == 0.5
        # Nobody can tell: no first record
        before = stats.success(runs.where(runs.seed != 1).isel(step=-1), below=1.0)
        assert stats.rate(before).successes == 2
        # Nan from the first step, but trained
        started = runs.where(runs.seed != 1).assign(norm=("seed", np.ones(4)))
        assert stats.rate(stats.success(started, below=1.0)).successes == 2
    joined = xr.merge([runs, runs.rename(test_loss="loss").isel(seed=slice(0, 2))], join="outer")
    joined = joined.reindex(seed=np.arange(6))
    for judge in (
        lambda r: stats.success(r, below=1.0),
        lambda r: stats.profile(r, thresholds=[1.0]),
    ):
        with pytest.warns(
            UserWarning, match=r"2 of 6 trainings are nan in every variable.*join='inner'"
        ):
            judge(joined)


def test_a_count_of_evaluations_tells_a_missing_training_from_a_diverged_one():
    runs = runs_of([[10, 30, 100, np.inf], [10, 10, 10, 10]], recipe=["a", "b"])
    counted = runs.step.broadcast_like(runs.test_loss)
    runs["evaluations"] = counted.where(runs.recipe == "a")  # those of b are not counted
    diverged = runs.assign(test_loss=runs.test_loss.where(runs.seed != 1))  # nan, but trained
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hits = stats.success(diverged.sel(recipe=["a"]), below=1.0)
    assert stats.rate(hits).n == 4
    assert stats.rate(hits).successes == 2
    one = runs.sel(recipe=["a"])
    for joined in (runs.reindex(seed=np.arange(6)), one.reindex(step=[*STEPS, 2000])):
        for judge in (CALLS["runs"]["success"], stats.profile):
            with pytest.raises(ValueError, match=r"evaluations are nan, which no.*join='inner'"):
                judge(joined)
    with pytest.raises(ValueError, match="2 of 12 trainings have records that were never made"):
        stats.success(runs.reindex(seed=np.arange(6)), below=1.0)


# ---- records that do not start at 0 --------------------------------------------------------------


def test_a_hit_at_the_first_record_came_between_step_0_and_there():
    """Two of three succeed by 10, the first record; giving up there costs 30 / 2, going on to 100
    costs 120 / 2.
    """
    hits = hits_of([10, 10, np.inf], np.array([10, 100]))
    times = stats.time_to_success(hits)
    np.testing.assert_array_equal(times.lower, [0, 0, 100])
    np.testing.assert_array_equal(times.upper, [10, 10, np.inf])
    np.testing.assert_array_equal(stats.time_to_success(hits, "settled").lower, [0, 0, 100])
    assert stats.ert(hits, resamples=20).ert_earliest == 100 / 2
    assert stats.restricted_mean(hits).restricted_mean_earliest == pytest.approx(100 / 3)
    quantile = stats.time_quantiles(hits, 0.5)
    assert (quantile.after, quantile.low, quantile.time) == (0, 0, 10)
    best = stats.best_cutoff(hits)
    assert (best.best_cutoff, best.best_cost) == (10, 15)
    curve = stats.restart(hits, resamples=20)
    np.testing.assert_array_equal(curve.cutoff, [10, 100])
    np.testing.assert_array_equal(curve.cost, [15, 60])
    gain = stats.restart_gain(
        hits_of([10, 10, np.inf, np.inf] * 5, np.array([10, 100])), resamples=20
    ).gain
    assert gain == pytest.approx((10 + 100) / (10 + 10))


def test_a_recorded_step_0_changes_none_of_it():
    upper = random_times((2, 30))
    for steps in (STEPS, np.append(0, STEPS[4:])):
        with_start, without = (hits_of(upper, s, recipe=["a", "b"]) for s in (steps, steps[1:]))
        for name in set(READERS) - {
            "rate, each",
            "survival",
            "compare",
            "compare_times",
            "ert_ratio",
            "logrank",
        }:
            xr.testing.assert_identical(READERS[name](with_start), READERS[name](without))
        for name in ("compare", "compare_times", "ert_ratio", "logrank"):
            xr.testing.assert_equal(READERS[name](with_start), READERS[name](without))


def test_a_cutoff_needs_a_record_after_step_0():
    for find in (stats.best_cutoff, stats.restart, stats.restart_gain):
        with pytest.raises(ValueError, match="no record after step 0"):
            find(hits_of([0.0] * 8, np.array([0])))


# ---- numbers that a small fault would change -----------------------------------------------------


def test_restricted_mean_weights_its_seeds_and_one_that_was_not_seen():
    """10 hits at 300 and 10 at 1000 on those records: shares of two times are beta numbers.

    The lower end takes each time at the record before, and the unseen seed at 0, so that it is a
    quantile of 100 times one share and 300 times another; the upper end takes the unseen at 1000.
    """
    result = stats.restricted_mean(hits_of([300] * 10 + [1000] * 10))
    shares = np.random.default_rng(3).dirichlet([10, 10, 1], 400_000)
    low = np.quantile(shares @ [100, 300, 0], 0.025)
    high = np.quantile(shares @ [300, 1000, 1000], 0.975)
    np.testing.assert_allclose([result.low, result.high], [low, high], rtol=0.02)  # of 2,000 draws


def test_wilsons_band_of_kaplan_meier_counts_those_who_left_early():
    """Wilson's interval at S (1 - S) / var(S), by Greenwood; 7.06 of the 10, not 10 and not the 5
    at risk.
    """
    time, event = [1, 2, 2, 3, 4, 5, 6, 7, 8, 9], [1, 0, 0, 0, 1, 1, 0, 0, 1, 0]
    curve = stats.kaplan_meier(time, event, at=[5], band="wilson")
    s = (1 - 1 / 10) * (1 - 1 / 6) * (1 - 1 / 5)
    variance = s**2 * (1 / (10 * 9) + 1 / (6 * 5) + 1 / (5 * 4))
    n, z = s * (1 - s) / variance, sps.norm.ppf(0.975)
    half = z * np.sqrt(s * (1 - s) / n + z**2 / (4 * n**2))
    ends = [(s + z**2 / (2 * n) + sign * half) / (1 + z**2 / n) for sign in (-1, 1)]
    assert curve.survival.item() == pytest.approx(s)
    np.testing.assert_allclose([curve.low.item(), curve.high.item()], ends)
    np.testing.assert_allclose(ends, [0.2718, 0.8577], atol=1e-4)


def test_the_earliest_ert_counts_the_steps_of_failures_too():
    result = stats.ert(hits_of([10, 30, np.inf]), resamples=20)
    assert result.ert_earliest == (3 + 10 + 1000) / 2
    assert result.ert == (10 + 30 + 1000) / 2


def test_tries_needed_uses_the_level_that_is_asked_for():
    """50 of 100: at 99.9999% the rate lies between 0.28 and 0.72 (Wilson), so 3 to 10 tries; at 95%
    4 to 6.
    """
    hits = hits_of([10] * 50 + [np.inf] * 50)
    for level, expected in ((0.999999, [3, 10]), (0.95, [4, 6])):
        found = stats.tries_needed(hits, level=level)
        ends = sps.binomtest(50, 100).proportion_ci(level, "wilson")
        exact = [int(np.ceil(np.log(0.05) / np.log(1 - p))) for p in (ends.high, ends.low)]
        assert [int(found.low), int(found.high)] == exact == expected


def test_sign_flips_never_give_a_p_of_zero():
    """20 pairs all one way: of 4,999 random flips none of 2^20 reaches the sum, and the observed
    one counts.
    """
    found = stats.compare_times(hits_of([[10] * 20, [300] * 20], recipe=["a", "b"]), "a", "b")
    assert found.pvalue == 1 / 5000


def test_compare_names_its_sides():
    upper = [[10] * 8 + [np.inf] * 2, [10] * 5 + [np.inf] * 5]
    found = stats.compare(hits_of(upper, recipe=["a", "b"]), "a", "b")
    assert (found.rate_a, found.rate_b, found.only_a, found.only_b) == (0.8, 0.5, 3, 0)
    assert found.difference == pytest.approx(0.3)


def test_a_diverged_accuracy_is_the_worst():
    runs = xr.Dataset({"test_accuracy": ("seed", [0.9, 0.8, 0.7, 0.6, np.nan])})
    assert stats.quantiles(runs, "test_accuracy", 0.5).test_accuracy == 0.7
    assert stats.best_of(runs, [5], of="test_accuracy", resamples=20).best == 0.9
    assert stats.quantiles(runs.rename(test_accuracy="loss"), "loss", 0.5).loss == 0.8


def test_the_best_accuracy_is_the_highest_one():
    runs = xr.Dataset({"accuracy": (("seed", "step"), [[0.1, 0.9, 0.2], [0.4, np.nan, 0.2]])})
    found = stats.profile(runs, "accuracy", [0.15, 0.35, 0.8], when="first", above=True)
    assert found.rate.values.tolist() == [1, 1, 0.5]
    last = stats.profile(runs, "accuracy", [0.15, 0.35, 0.8], above=True)
    assert last.rate.values.tolist() == [1, 0, 0]


def test_the_majority_is_judged_against_the_second_only():
    """45 of 100 lead 15: 45 of 60 exclude one half, though 45 of 100 do not."""
    kinds = np.repeat(list("abcde"), [45, 15, 14, 13, 13])
    found = stats.majority(xr.Dataset({"kind": ("seed", kinds)}))
    assert (found.kind, found.rate, found.n) == ("a", 0.45, 100)
    close = stats.majority(xr.Dataset({"kind": ("seed", np.repeat(list("ab"), [55, 45]))}))
    assert close.kind == "undecided"


# ---- names and wrong ends ------------------------------------------------------------------------

RUNS = runs_of(random_times((2, 30)), recipe=["a", "b"]).isel(seed=slice(0, 8))
HITS = stats.success(RUNS, below=1.0)
RATES = stats.rate(HITS)
GIVEN = {"runs": RUNS, "hits": HITS, "rates": RATES}
CALLS = {
    "runs": {
        "success": lambda d: stats.success(d, below=1.0),
        "profile": stats.profile,
        "quantiles": lambda d: stats.quantiles(d, "test_loss"),
        "aggregate": lambda d: stats.aggregate(d, resamples=20),
        "best_of": lambda d: stats.best_of(d, [1, 2], resamples=20),
        "improvement": lambda d: stats.improvement(d, "a", "b"),
        "compare_values": lambda d: stats.compare_values(d, "a", "b", resamples=20),
        "pick": lambda d: stats.pick(d, "test_loss"),
        "plateaus": lambda d: stats.plateaus(d, {"none": 3.0}, of="test_loss"),
        "failure_causes": lambda d: stats.failure_causes(d, 0.1, below=1.0),
        "excess": lambda d: stats.excess(d, 0.1),
    },
    "hits": {name: read for name, read in READERS.items() if name != "logrank"}
    | {"logrank": lambda h: stats.logrank(h, h)},
    "rates": {
        "boundary": lambda r: stats.boundary(r, "recipe"),
        "best": stats.best,
        "highest": stats.highest,
        "landscape": plot.landscape,
    },
}
ADVICE = {
    ("runs", "hits"): "give the runs",
    ("runs", "rates"): "give the (runs|hits or runs)",
    ("hits", "runs"): r"call hits = ap\.stats\.success\(runs, below=\.\.\.\) first",
    ("hits", "rates"): r"give the (hits that stats\.rate was called with|hits or runs)",
    (
        "rates",
        "runs",
    ): r"call rates = ap\.stats\.rate\(ap\.stats\.success\(runs, below=\.\.\.\)\) first",
    ("rates", "hits"): r"call rates = ap\.stats\.rate\(hits\) first",
}


WRONG = [(wanted, given, name) for wanted, given in ADVICE for name in CALLS[wanted]]


@pytest.mark.parametrize(("wanted", "given", "name"), WRONG)
def test_what_is_given_the_wrong_way_round_says_what_to_call(wanted, given, name):
    with pytest.raises(ValueError, match=ADVICE[wanted, given]):
        CALLS[wanted][name](GIVEN[given])


@pytest.mark.parametrize("name", CALLS["hits"])
def test_a_reader_of_hits_given_runs_advises_a_call_that_it_takes(name):
    with pytest.raises(ValueError, match="this takes hits") as refusal:
        CALLS["hits"][name](RUNS)
    (call,) = re.findall(r"hits = (ap\.stats\.\w+\(.*?\)) first", str(refusal.value))
    hits = eval(call.replace("...", "1.0"), {"ap": ap, "runs": RUNS})
    assert isinstance(CALLS["hits"][name](hits), xr.Dataset | xr.DataArray)


def test_the_advice_on_rates_is_a_call_that_works():
    with pytest.raises(ValueError, match="this takes rates") as refusal:
        stats.best(RUNS)
    (call,) = re.findall(r"rates = (ap\.stats\.rate\(.*?\)\)) first", str(refusal.value))
    rates = eval(call.replace("...", "1.0"), {"ap": ap, "runs": RUNS})
    xr.testing.assert_identical(rates, stats.rate(stats.success(RUNS, below=1.0)))


def test_a_dataset_of_runs_is_no_array_of_times():
    with pytest.raises(
        ValueError, match=r"call ap\.stats\.survival\(ap\.stats\.success\(runs, bel"
    ):
        stats.kaplan_meier(RUNS, RUNS)


# What takes a result of `stats`: a call with something else in its place, and what it says it takes
TAKEN = {
    "ranking": (stats.ranking, "this takes hits, as stats.success returns them"),
    "performance_profile": (stats.performance_profile, "this takes hits, as stats.success returns"),
    "logrank": (lambda d: stats.logrank(d, d), "this takes hits, as stats.success returns them"),
    "compare": (lambda d: stats.compare(d, "a", "b"), "an xarray.Dataset, or a dict of such"),
    "table": (stats.table, "this takes what ap.stats.report returned"),
    "claims_table": (stats.claims_table, "this takes what ap.stats.claims returned"),
    "reported_table": (stats.reported_table, "this takes what ap.stats.reported returned"),
    "discoveries": (stats.discoveries, "this takes p-values as an xarray.DataArray"),
}


@pytest.mark.parametrize("given", [None, [1.0, 2.0]], ids=["nothing", "a list"])
@pytest.mark.parametrize("name", TAKEN)
def test_what_is_no_dataset_is_met_with_what_is_taken(name, given):
    call, says = TAKEN[name]
    kind = type(given).__name__
    with pytest.raises(ValueError, match=rf"(?s){re.escape(says)}.*not {kind}"):
        call(given)


@pytest.mark.parametrize("name", ["table", "claims_table", "reported_table"])
def test_a_table_of_another_result_names_the_variable_that_it_lacks(name):
    with pytest.raises(ValueError, match=r"no variable '\w+' here; there are: loss|test_loss"):
        TAKEN[name][0](RUNS)


def test_nothing_is_written_for_what_are_no_claims(tmp_path):
    with pytest.raises(ValueError, match=r"what ap\.stats\.claims returned"):
        stats.write_claims(tmp_path / "new", "case", None)
    assert not (tmp_path / "new").exists()


def test_the_success_curve_takes_hits_or_rates():
    with pytest.raises(ValueError, match=ADVICE["rates", "runs"]):
        plot.success_curve(RUNS)


def test_no_result_hides_behind_a_method_of_xarray():
    methods = set(dir(xr.Dataset))
    results = {name: read(HITS) for name, read in READERS.items() if name != "running_rate"}
    results |= {name: call(RUNS) for name, call in CALLS["runs"].items()}
    results |= {"best": stats.best(RATES), "report": stats.report(RUNS, below=1.0, show=None)}
    results["running_rate"] = stats.running_rate(HITS.sel(recipe="a"))
    results["kaplan_meier"] = stats.kaplan_meier([1.0, 2.0], [True, False])
    for statistic in ("iqm", "median", "mean"):
        results[f"aggregate, {statistic}"] = stats.aggregate(
            RUNS, statistic=statistic, resamples=20
        )
    for name, result in results.items():
        assert not methods & set(map(str, result.data_vars)), name
    assert stats.aggregate(RUNS, statistic="mean", resamples=20).attrs["statistic"] == "mean"


PANELS = {
    "survival": "stats.survival",
    "restart": "stats.restart",
    "best_of": "stats.best_of",
    "threshold_profile": "stats.profile",
    "performance_profile": "stats.performance_profile",
    "running_rate": "stats.running_rate",
    "plan": "stats.plan",
    "claims": "stats.claims",
    "shares": "stats.shares",
    "failure_causes": "stats.shares",
    "variance_components": "stats.variance_components",
    "power_law": "stats.exponent",
    "regions": "stats.best",
    "forest": "stats.compare",
    "learning_curve": "runs",
    "learning_landscape": "runs",
    "work_curve": "stats.rate",
}


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("given", ["hits", "list"])
def test_panels_say_which_call_makes_what_they_draw(panel, given):
    with pytest.raises(ValueError, match=rf"plot\.{panel}\(.*{PANELS[panel]}"):
        getattr(plot, panel)(GIVEN["hits"] if given == "hits" else [1, 0, 1])


def test_a_field_names_what_there_is():
    with pytest.raises(ValueError, match="no 'upper' here, but hit"):
        plot.field(HITS, "upper")
