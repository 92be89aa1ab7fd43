"""Promise: the chance that any verdict of a report is wrong is at most 5%, whatever the rates are,
whatever the pairs have in common, and however often one looks.

Whole studies are simulated: hits of a baseline and of 20 rows on the same seeds. What a study says
of a row depends on two counts alone, so the exact intervals are computed once for each pair of
counts, and only where a verdict could be wrong (see `wrong`).
"""

from functools import cache

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtri

import approx as ap
from approx.stats import paired_intervals as intervals
from approx.stats.paired_intervals import paired_interval
from approx.study import levels, trained, verdicts

ROWS, MATTERS = 20, 0.1
BASE_RATES = (0.05, 0.3, 0.5, 0.86, 0.99)
TASK = ap.tasks.square(range=1.0, size=9)
RECIPE = ap.Recipe(model=ap.MLP((), "linear"), steps=2, batch_size=None, learning_rate=0.01)


def study_of(looked_often: bool = False, rows: int = ROWS) -> ap.Study:
    """A study of so many changes, which says at which levels its verdicts are."""
    changes = {f"row {n}": {"learning_rate": 0.02 + n} for n in range(rows)}
    study = ap.Study(TASK, RECIPE, success=hit_of, changes=changes, matters=MATTERS)
    study.trained.looked_often = looked_often
    return study


def hit_of(runs):
    """Success as the hand-made runs have it."""
    return runs.hit


@cache
def level_at(look: int | None) -> float:
    """The level of a verdict, at a look at the data or at the only one, as a study has it."""
    study = study_of(looked_often=look is not None)
    study.trained.look(study.rows, look or 1)
    return levels.level_of_verdict(study, "row 0", "baseline")


# ---- simulated pairs -----------------------------------------------------------------------------


def pairs(rng, studies: int, n: int, rate: float, difference: float, alike: float) -> np.ndarray:
    """Hits of the baseline (studies, 1, n), and of rows (studies, ROWS, n) that differ from it.

    A row's seed copies the baseline's uniform number with the probability `alike`, so that pairs
    are independent at 0 and as dependent as they can be at 1.
    """
    base = rng.random((studies, 1, n), np.float32)
    own = rng.random((studies, ROWS, n), np.float32)
    copied = rng.random((studies, ROWS, n), np.float32) < alike
    row = np.where(copied, base, own)
    return np.stack([np.broadcast_to(base < rate, row.shape), row < rate + difference])


def counts(hits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many seeds succeed with the row alone, and with the baseline alone."""
    base, row = hits
    return (row & ~base).sum(-1), (base & ~row).sum(-1)


# ---- wrong verdicts ------------------------------------------------------------------------------

# What each verdict says of the true difference
TRUE = {
    verdicts.HELPS: lambda d: d >= MATTERS,
    verdicts.HURTS: lambda d: d <= -MATTERS,
    verdicts.SMALL: lambda d: -MATTERS < d < MATTERS,
    verdicts.HELPS_SOME: lambda d: d > 0,
    verdicts.HURTS_SOME: lambda d: d < 0,
    verdicts.UNDECIDED: lambda d: True,
}


@cache
def said(only_row: int, only_base: int, n: int, level: float) -> str:
    """The verdict on a row, as a study finds it."""
    low, high = paired_interval(only_row, only_base, n, level, "exact")
    return verdicts.finding(float(low), float(high), MATTERS)


@cache
def is_below(difference: float, a: int, b: int, n: int, level: float) -> bool:
    """Whether a difference lies below the exact interval's lower end, without finding that end.

    It does if outcomes such as the observed one are rarer under it than the tail, see
    `paired_intervals.exact_lower`.
    """
    tail = (1 - level) / 2
    missed = intervals.SPENT * tail
    limit = float(intervals.tango(np.array(float(a)), np.array(float(b)), n, level)[0])
    observed = float(intervals.score(float(a), float(b), n, limit))
    least = min(ndtri(1 - tail), observed)
    needed = intervals.least_wins(np.arange(n + 1), n, limit, least)
    ends = intervals.binomial_interval(a + b, n, 1 - missed, "exact")
    rates = np.linspace(*ends, intervals.RATES)
    return intervals.largest_tail(difference, needed, n, rates) < tail - missed


def is_missed(difference: float, only_row: int, only_base: int, n: int, level: float) -> bool:
    """Whether the exact interval misses a difference."""
    sides = (difference, only_row, only_base), (-difference, only_base, only_row)
    estimate = (only_row - only_base) / n
    return any(
        is_below(*side, n, level)
        for side, beyond in zip(sides, (estimate > difference, estimate < difference), strict=True)
        if beyond
    )


def may_be_missed(only_row, only_base, n: int, level: float, difference: float) -> np.ndarray:
    """Where the score interval of ten times the risk misses the true difference.

    The exact interval is wider than that one, so that it misses nowhere else.
    """
    low, high = intervals.tango(
        np.asarray(only_row, float), np.asarray(only_base, float), n, easier(level)
    )
    return (difference < low) | (high < difference)


def easier(level: float) -> float:
    """The level with ten times the risk."""
    return 1 - min(10 * (1 - level), 0.5)


def wrong(only_row, only_base, n: int, level: float, difference: float) -> np.ndarray:
    """Which verdicts are false of the true difference, in the shape of the counts.

    A verdict is false only if the interval that decides it misses the true difference.
    """
    found = np.zeros(only_row.shape, bool)
    for place in np.argwhere(may_be_missed(only_row, only_base, n, level, difference)):
        at = tuple(place)
        pair = int(only_row[at]), int(only_base[at])
        if is_missed(difference, *pair, n, level):
            found[at] = not TRUE[said(*pair, n, level)](difference)
    return found


def wrong_reports(rng, studies: int, n: int, rate: float, difference: float, alike: float) -> float:
    """The share of simulated reports at so many seeds with any wrong verdict."""
    counted = counts(pairs(rng, studies, n, rate, difference, alike))
    return float(wrong(*counted, n, level_at(None), difference).any(1).mean())


def wrong_sequences(
    rng, studies: int, last: int, rate: float, difference: float, alike: float
) -> float:
    """The share of simulated studies with a verdict that is wrong at any look up to `last` seeds.

    A study stops a row when its verdict is decided. That a verdict of any look is wrong happens at
    least as often as that the one is at which it stops.
    """
    failed = np.zeros(studies, bool)
    only_row, only_base = (np.zeros((studies, ROWS), int) for _ in range(2))
    n = 0
    while n < last:
        more = max(n, trained.FIRST_LOOK)
        new = counts(pairs(rng, studies, more, rate, difference, alike))
        only_row, only_base, n = only_row + new[0], only_base + new[1], n + more
        level = level_at(trained.look_number(n))
        failed |= wrong(only_row, only_base, n, level, difference).any(1)
    return float(failed.mean())


# ---- the simulation says what a study says -------------------------------------------------------


def runs_of(hits: np.ndarray) -> xr.Dataset:
    """Hand-made runs of a row, which ended with these hits (n,)."""
    n = len(hits)
    losses = np.where(hits, 0.1, 1.0)[:, None]
    return xr.Dataset(
        {"loss": (("seed", "step"), losses), "hit": ("seed", hits)},
        {"seed": np.arange(n), "step": [2]},
    )


def test_a_study_gives_the_verdicts_that_are_simulated():
    rng = np.random.default_rng(3)
    for look in (None, 1, 3):
        study = study_of(looked_often=look is not None, rows=6)
        n = 64 if look is None else 64 * 2 ** (look - 1)
        base = rng.random(n)
        for at, label in enumerate(study.rows):
            hits = np.where(rng.random(n) < 0.7, base, rng.random(n)) < 0.3 + 0.1 * at
            study.trained.add(label, runs_of(hits))
        study.trained.look(study.rows, look or 1)
        rows = study.answer().main_rows.set_index("label")
        level = levels.level_of_verdict(study, "row 0", "baseline")
        risk = 0.05 / 6 * (1 if look is None else 1 / (look * (look + 1)))
        assert level == pytest.approx(1 - risk, rel=1e-12)
        first = study.trained.by_row["baseline"].hit.values
        for label in list(study.rows)[1:]:
            row = study.trained.by_row[label].hit.values
            only_row, only_base = int((row & ~first).sum()), int((first & ~row).sum())
            assert rows.verdict[label] == said(only_row, only_base, n, level)


@pytest.mark.parametrize(("n", "look"), [(64, None), (128, 2)])
def test_verdicts_that_are_not_looked_at_are_right(n, look):
    """`may_be_missed` and `is_missed` say what the exact interval says."""
    rng, level = np.random.default_rng(n), level_at(look)
    for _ in range(15):
        disagree = rng.integers(1, n + 1)
        a = int(rng.binomial(disagree, rng.choice([0.5, 0.2, 0.02])))
        b = int(disagree - a)
        low, high = map(float, paired_interval(a, b, n, level, "exact"))
        inner_low, inner_high = intervals.tango(np.array(a), np.array(b), n, easier(level))
        assert low <= inner_low + 1e-6
        assert inner_high <= high + 1e-6
        for shift in (-1e-4, 1e-4):
            assert is_missed(low + shift, a, b, n, level) == (shift < 0)
            assert is_missed(high + shift, a, b, n, level) == (shift > 0)


# ---- error rates ---------------------------------------------------------------------------------

CASES = [(rate, 0.0) for rate in BASE_RATES]
CASES += [(rate, sign * d) for rate in (0.3, 0.5) for sign in (-1, 1) for d in (0.099, 0.101)]
CASES += [(0.86, 0.099), (0.86, -0.101), (0.05, 0.101), (0.99, -0.099)]


@pytest.mark.parametrize("alike", [0.0, 0.9])
@pytest.mark.parametrize(("rate", "difference"), [(0.05, 0.0), (0.5, 0.0), (0.86, 0.099)])
def test_few_reports_have_a_wrong_verdict(rate, difference, alike):
    """With fixed seeds; the slow tests have more studies, seeds and rates."""
    rng = np.random.default_rng(7)
    assert wrong_reports(rng, 300, 64, rate, difference, alike) <= 0.05
    assert wrong_sequences(rng, 100, 256, rate, difference, alike) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("alike", [0.0, 0.9])
@pytest.mark.parametrize(("rate", "difference"), CASES)
def test_at_most_one_report_in_twenty_has_a_wrong_verdict(rate, difference, alike):
    rng = np.random.default_rng(11)
    for n in (64, 128, 256):
        share = wrong_reports(rng, 1_000, n, rate, difference, alike)
        print(f"report: rate {rate}, difference {difference}, alike {alike}, n {n}: {share:.1%}")
        assert share <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("alike", [0.0, 0.9])
@pytest.mark.parametrize(("rate", "difference"), CASES)
def test_looking_often_makes_no_more_wrong_verdicts(rate, difference, alike):
    """At 64, 128, ..., 2048 seeds, over 1,000 studies."""
    rng = np.random.default_rng(13)
    failed = [wrong_sequences(rng, 50, 2_048, rate, difference, alike) for _ in range(20)]
    print(f"looks: rate {rate}, difference {difference}, alike {alike}: {np.mean(failed):.1%}")
    assert np.mean(failed) <= 0.05
