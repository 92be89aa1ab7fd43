"""Promise: the chance that a table of claims holds a wrong verdict is at most 5%, whatever the true
effects.

Chances are summed over all outcomes, not simulated. Verdicts by Wilson's and Tango's score
intervals broke it: at a true rate of 0.05 and n = 64, 30 claims "never" were wrong in 12.5% of
tables, 189 claims in 20.9%.
"""

from functools import partial

import numpy as np
import pytest
import scipy.stats as sps
import xarray as xr

from approx import stats
from approx.stats import paired_intervals
from approx.stats.evidence import judge

# A true rate and a region: at its edges, where a verdict is wrong most easily, and beside them.
RATES = [
    (0.05, stats.NEVER),
    (0.95, stats.ALWAYS),
    (0.5, stats.RARELY),
    (0.5, stats.USUALLY),
    (0.1, (0.1, 0.3)),
]
RATES += [(0.051, stats.NEVER), (0.949, stats.ALWAYS), (0.501, stats.RARELY), (0.099, (0.1, 0.3))]
RATES += [(rate, stats.NEVER) for rate in (0.001, 0.01, 0.06, 0.1, 0.5)]
TABLES = (1, 2, 10, 30, 36, 100, 189, 200)


def hits(successes: int, n: int) -> xr.Dataset:
    """So many of n seeds."""
    return xr.Dataset({"hit": ("seed", np.arange(n) < successes)})


def of_a_table(one: float, many: int) -> float:
    """The chance that any of so many independent claims is wrong."""
    return 1 - (1 - one) ** many


def wrong(effect: float, holds: tuple[float, float]) -> str:
    """The verdict that would be wrong."""
    return "contradicted" if holds[0] <= effect <= holds[1] else "supported"


@pytest.mark.parametrize("many", [30, 189])
def test_claims_at_the_edge_of_never_are_seldom_wrong(many):
    """The verdicts of `claims` themselves, over all outcomes."""
    n, chance = 64, 0.0
    for k in range(12):
        one = stats.Claim("never", "a", "success", partial(stats.rate, hits(k, n)), stats.NEVER)
        chance += sps.binom.pmf(k, n, 0.05) * (judge(one, 0.95, many)["verdict"] == "contradicted")
    chance += sps.binom.sf(11, n, 0.05)  # as if every further outcome were judged wrongly
    assert of_a_table(chance, many) <= 0.05


def rate_chances(n: int, rates=RATES) -> list[float]:
    """The chance of a wrong verdict in every table of claims about rates, by the exact interval."""
    k, found = np.arange(n + 1), []
    for many in TABLES:
        low, high = stats.binomial_interval(k, n, 1 - 0.05 / many, "exact")
        for rate, holds in rates:
            said = np.array([stats.verdict(*ends, holds) for ends in zip(low, high, strict=True)])
            found.append(
                of_a_table(sps.binom.pmf(k, n, rate)[said == wrong(rate, holds)].sum(), many)
            )
    return found


def test_tables_of_rates_are_seldom_wrong():
    chances = [chance for n in (11, 12, 32, 64, 88, 128) for chance in rate_chances(n)]
    assert 0.02 < max(chances) <= 0.05


@pytest.mark.slow
def test_tables_of_rates_are_seldom_wrong_at_any_n():
    """Every n that the experiments use and all between, at the edges of the regions."""
    assert max(chance for n in range(11, 513) for chance in rate_chances(n, RATES[:9])) <= 0.05


def outcomes(n: int) -> np.ndarray:
    """All (only a, only b)."""
    return np.array([(a, b) for a in range(n + 1) for b in range(n + 1 - a)])


def paired_truths() -> list[tuple[float, float]]:
    """(P(only a), P(only b)), with differences at the edges of the regions, from hardly any to
    nothing but ties.
    """
    found = []
    for difference in (-0.9, -0.5, -0.1, 0.0, 0.1, 0.5, 0.9, 0.97):
        for disagree in (0.001, 0.01, 0.05, 0.1, 0.15, 0.3, 0.6, 1.0):
            rate = max(disagree, abs(difference))
            found.append(((rate + difference) / 2, max((rate - difference) / 2, 0.0)))
    return found


def missed(n: int, level: float, limits) -> float:
    """The greatest chance that a lower limit lies above the true difference."""
    counts = outcomes(n)
    low = np.array([limits(a, b) for a, b in counts])
    chances = []
    for a, b in paired_truths():
        chance = sps.multinomial.pmf(
            np.c_[counts, n - counts.sum(1)], n, [a, b, max(0.0, 1 - a - b)]
        )
        chances.append(chance[low > a - b + 1e-12].sum())
    return max(chances)


@pytest.mark.parametrize("many", [1, 36, 200])
def test_exact_paired_limits_are_seldom_missed(many):
    """At n = 8; Tango's limits are missed up to 25 times as often as they should be."""
    n, level = 8, 1 - 0.05 / many
    tail = (1 - level) / 2
    assert missed(n, level, lambda a, b: paired_intervals.exact_lower(a, b, n, level)) <= tail
    assert (
        missed(n, level, lambda a, b: stats.paired_interval(a, b, n, level, "score")[0]) > 2 * tail
    )


@pytest.mark.slow
@pytest.mark.parametrize(("n", "many"), [(11, 1), (11, 36), (16, 200), (24, 36), (32, 200)])
def test_exact_paired_limits_are_seldom_missed_at_more_seeds(n, many):
    level = 1 - 0.05 / many
    assert (
        missed(n, level, lambda a, b: paired_intervals.exact_lower(a, b, n, level))
        <= (1 - level) / 2
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "disagree", "difference"), [(128, 0.15, 0.1), (128, 1.0, 0.1), (512, 0.1, 0.1)]
)
def test_exact_paired_limits_at_many_seeds(n, disagree, difference):
    """Where all outcomes are too many: for each number of disagreements, the fewest wins whose
    limit lies above.
    """
    level = 1 - 0.05 / 36
    chance = 1e-6  # of the numbers of disagreements that are left out
    share, wins = (1 + difference / disagree) / 2, 0
    above = lambda a, m: paired_intervals.exact_lower(a, m - a, n, level) > difference  # noqa: E731
    for m in range(
        int(sps.binom.ppf(5e-7, n, disagree)), int(sps.binom.isf(5e-7, n, disagree)) + 1
    ):
        wins = min(wins, m)
        while wins > 0 and above(wins - 1, m):
            wins -= 1
        while wins <= m and not above(wins, m):  # from where the last number of disagreements ended
            wins += 1
        chance += sps.binom.pmf(m, n, disagree) * sps.binom.sf(wins - 1, m, share)
    assert 0 < chance <= (1 - level) / 2


def test_exact_paired_interval_is_little_wider_than_tangos_and_has_its_symmetry():
    a, b, n = np.array([60, 20, 300, 0]), np.array([5, 2, 212, 0]), np.array([512, 64, 512, 64])
    low, high = stats.paired_interval(a, b, n, 0.95, "exact")
    near_low, near_high = stats.paired_interval(a, b, n, 0.95, "score")
    assert np.all(np.abs(low - near_low) < 0.007)
    assert np.all(np.abs(high - near_high) < 0.007)
    turned_low, turned_high = stats.paired_interval(b, a, n, 0.95, "exact")
    np.testing.assert_allclose((turned_low, turned_high), (-high, -low))


def test_without_ties_it_is_near_clopper_and_pearsons():
    """Of 64 seeds on which a or b wins, the difference is twice the share of wins less 1."""
    low, high = stats.paired_interval(40, 24, 64, 0.99, "exact")
    ends = stats.binomial_interval(40, 64, 0.99, "exact")
    np.testing.assert_allclose([low, high], 2 * np.array(ends) - 1, atol=0.005)
    assert low <= 2 * ends[0] - 1
    assert high >= 2 * ends[1] - 1


@pytest.mark.parametrize(
    ("a", "b", "n", "ends"),
    [
        (0, 0, 0, (-1, 1)),
        (5, 0, 5, (None, 1)),
        (0, 5, 5, (-1, None)),
        (1, 0, 1, (None, 1)),
        (0, 0, 1, (None, None)),
    ],
)
def test_exact_paired_interval_of_few_seeds(a, b, n, ends):
    found = [float(end) for end in stats.paired_interval(a, b, n, 0.95, "exact")]
    assert -1 <= found[0] < found[1] <= 1
    for end, expected in zip(found, ends, strict=True):
        assert expected is None or end == expected


def test_tangos_score_grows_with_the_wins_and_falls_with_the_losses():
    """What the bisection over wins and the interval's being one piece rest on."""
    for n in (11, 32, 64):
        counts = outcomes(n).astype(float)
        table = np.full((n + 1, n + 1), np.nan)
        for limit in (-0.99, -0.6, -0.1, 0.0, 0.1, 0.6, 0.99):
            table[tuple(counts.astype(int).T)] = paired_intervals.score(*counts.T, float(n), limit)
            slack = 1e-9 * (1 + np.abs(table))
            assert not np.any(table[1:] < table[:-1] - slack[:-1])
            assert not np.any(table[:, 1:] > table[:, :-1] + slack[:, :-1])


def test_bad_counts_and_names_are_refused():
    with pytest.raises(ValueError, match="one of weighted, score, exact; got 'wilson'"):
        stats.paired_interval(1, 2, 5, interval="wilson")
    with pytest.raises(ValueError, match="add up to at most n"):
        stats.paired_interval(3, 3, 5)
    pair = {"a": hits(3, 8), "b": hits(2, 8)}
    with pytest.raises(ValueError, match="one of weighted, score, exact"):
        stats.compare(pair, "a", "b", interval="wilson")
    values = {label: xr.Dataset({"loss": ("seed", np.arange(8.0))}) for label in "ab"}
    with pytest.raises(ValueError, match="pairs='seed' only"):
        stats.improvement(values, "a", "b", of="loss", pairs="all", interval="exact")


def test_reported_places_are_honest_with_ties():
    """A share of seeds below and half of those equal: every trinomial on a grid."""
    n = 20
    counts = outcomes(n)
    below, equal = counts.T
    low, high = stats.binomial_interval(below + equal / 2, n, 0.95, "exact")
    for tied in (0.0, 0.05, 0.3, 0.8, 1.0):
        for share in np.linspace(0, 1 - tied, 21):
            place = share + tied / 2
            rest = max(0.0, 1 - share - tied)
            chance = sps.multinomial.pmf(np.c_[counts, n - counts.sum(1)], n, [share, tied, rest])
            assert chance[(low <= place + 1e-12) & (place - 1e-12 <= high)].sum() >= 0.95


@pytest.mark.slow
def test_whole_tables_of_all_kinds_are_seldom_wrong():
    """25 tables of 24 claims at the edges of their regions, by `claims` itself: rates, differences,
    better endings.
    """
    rng, bad = np.random.default_rng(0), 0
    for _ in range(25):
        statements = []
        for number in range(8):
            n = int(rng.choice([11, 32, 64]))
            rare = xr.Dataset({"hit": ("seed", rng.random(n) < 0.05)})
            statements.append(
                stats.Claim(f"never {number}", "a", "s", partial(stats.rate, rare), stats.NEVER)
            )
            ends = rng.choice(3, n, p=[0.1, 0.0, 0.9])  # a alone, b alone, neither
            sides = {
                label: xr.Dataset({"hit": ("seed", ends == at)}) for at, label in enumerate("ab")
            }
            more = partial(stats.compare, sides, "a", "b")
            statements.append(stats.Claim(f"helps {number}", "a, b", "s", more, stats.HELPS))
            wins = rng.random(n) < 0.55
            losses = {
                "a": xr.Dataset({"loss": ("seed", 1.0 - wins)}),
                "b": xr.Dataset({"loss": ("seed", wins * 1.0)}),
            }
            better = partial(stats.improvement, losses, "a", "b", of="loss", pairs="seed")
            statements.append(stats.Claim(f"better {number}", "a, b", "s", better, stats.BETTER))
        bad += bool((stats.claims("simulation", statements).verdict == "contradicted").any())
    assert bad <= sps.binom.ppf(0.999, 25, 0.05)
