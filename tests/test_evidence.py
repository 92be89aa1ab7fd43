"""Promise: verdicts follow from intervals by the stated rule, and a table of claims is seldom wrong
in any of them.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from conftest import QUICK
from scipy import stats as scipy_stats

import approx as ap
from approx import stats

quick = partial(jax.jit, compiler_options=QUICK)


def hits(values) -> xr.Dataset:
    return xr.Dataset({"hit": (("seed", "step"), np.asarray(values, bool)[:, None])}, {"step": [1]})


def claim(text="helps", effect=None, holds=stats.HELPS):
    return stats.Claim(
        text, "a against b", "success", effect or partial(stats.rate, hits([1] * 30)), holds
    )


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.1, 0.4, "supported"),
        (0.09, 0.4, "undecided"),
        (-0.2, 0.09, "contradicted"),
        (-0.2, 0.1, "undecided"),
        (0.2, 1.0, "supported"),
        (np.nan, np.nan, "undecided"),
        (-np.inf, np.inf, "undecided"),
    ],
)
def test_the_rule(low, high, said):
    assert stats.verdict(low, high, stats.HELPS) == said


def test_intervals_of_a_table_are_those_of_the_statistics_at_its_levels():
    first, second = hits(np.arange(200) % 10 < 8), hits(np.arange(200) % 10 < 4)
    effect = partial(stats.compare, {"a": first, "b": second}, "a", "b")
    table = stats.claims(
        "a thread", [claim("one", effect), claim("two", partial(stats.rate, first), stats.USUALLY)]
    )
    one = table.sel(claim="one")
    expected, wider = effect(level=0.95), effect(level=0.975, interval="exact")
    assert (float(one.low), float(one.high)) == (float(expected.low), float(expected.high))
    assert (float(one.low_all), float(one.high_all)) == (float(wider.low), float(wider.high))
    two, rate = table.sel(claim="two"), stats.rate(first, level=0.975, interval="exact")
    assert (float(two.low_all), float(two.high_all)) == (float(rate.low), float(rate.high))
    assert table["interval"].values.tolist() == ["exact", "exact"]
    np.testing.assert_allclose(table.effect, [0.4, 0.8])
    assert table.n.values.tolist() == [200, 200]
    assert table.verdict.values.tolist() == ["supported", "supported"]
    assert set(table.source.values) == {"a thread"}


@pytest.mark.parametrize(
    ("tables", "more_than"), [(60, 6), pytest.param(200, 30, marks=pytest.mark.slow)]
)
def test_a_table_is_rarely_wrong(tables, more_than):
    """Ten claims at the very edge of their regions: without a correction 40% of tables would have a
    wrong verdict.
    """
    rng, wrong, plain = np.random.default_rng(0), 0, 0
    for _ in range(tables):
        successes = rng.random((10, 300)) < 0.5
        table = stats.claims(
            "simulation",
            [
                claim(str(i), partial(stats.rate, hits(x)), (0.5, 1.0))
                for i, x in enumerate(successes)
            ],
        )
        wrong += bool((table.verdict == "contradicted").any())
        plain += bool((table.high < 0.5).any())
    assert plain > more_than  # what a table of plain intervals says
    assert wrong <= scipy_stats.binom.ppf(0.999, tables, 0.025)  # one side of 5%


def test_reported_numbers_among_seeds():
    values = np.arange(100.0)
    found = stats.reported(
        "a thread",
        [
            stats.Reported("within", "a", values, 49.5),
            stats.Reported("rounded", "a", values, 50.0, rounding=0.5),
            stats.Reported("above all", "a", values, 1e3),
            stats.Reported("above all of many", "a", np.tile(values, 10), 1e3),
            stats.Reported("below what diverged", "a", np.r_[values, np.nan], 1e3),
            stats.Reported("all alike", "a", np.full(100, 2 / 3), 0.6667, rounding=5e-5),
        ],
    )
    np.testing.assert_allclose(found["quantile"], [0.5, 0.505, 1.0, 1.0, 100 / 101, 0.5])
    # A hundred seeds exclude no chance
    places = ["inside", "inside", "undecided", "outside", "undecided", "inside"]
    assert found.place.values.tolist() == places
    low, high = stats.binomial_interval(50, 100, interval="exact")
    np.testing.assert_allclose([found.low[0], found.high[0]], [low, high])
    np.testing.assert_allclose([found.q05[0], found.q50[0], found.q95[0]], [4, 49, 94])


def test_tables_survive_files(tmp_path, capsys):
    table = stats.claims("a thread", [claim("one | two"), claim("three, four", holds=stats.NEVER)])
    numbers = stats.reported("a thread", [stats.Reported("loss", "a", np.arange(9.0), 3.0)])
    frame = pd.DataFrame(
        {"share": [0.123456, np.nan], "seeds": [3, 4]}, index=pd.Index(["a|b", "c"], name="kind")
    )
    sections = {"Kinds": frame, "A remark": "in words"}
    files = stats.write_claims(tmp_path / "new", "case", table, numbers, "a quick look", sections)
    assert {file.name for file in files} == {
        "case_claims.csv",
        "case_reported.csv",
        "case_claims.md",
    }
    back = stats.read_claims(tmp_path / "new" / "case_claims.csv")
    assert back.attrs["level"] == 0.95
    for name in table.data_vars:
        if table[name].dtype == float:
            np.testing.assert_allclose(back[name], table[name], rtol=1e-5)
        else:
            assert back[name].values.tolist() == table[name].values.tolist(), name
    text = (tmp_path / "new" / "case_claims.md").read_text()
    assert "a quick look" in text
    assert "one \\| two" in text
    assert "| contradicted |" in text
    assert "Because 2 claims are tested at once, each is judged by a 97.5% interval; " in text
    assert "; the chance of any wrong verdict in this table is then below 5%. Supported" in text
    assert "95% interval | decided by |" in text
    one = table.isel(claim=0)
    assert f"[{float(one.low_all):.3f}, {float(one.high_all):.3f}] at 97.5% |" in text
    assert "| loss |" in text
    assert "## Kinds\n\n| kind | share | seeds |" in text
    assert "| a\\|b | 0.1235 | 3 |\n| c |  | 4 |" in text
    assert text.endswith("## A remark\n\nin words\n")
    said = capsys.readouterr().out
    assert "a quick look" in said
    assert "a|b   0.1235  3" in said
    stats.write_claims(tmp_path / "new", "case", table, show=False)
    assert not capsys.readouterr().out
    with pytest.raises(ValueError, match="no table of claims"):
        stats.read_claims(tmp_path / "new" / "case_reported.csv")


def test_joined_tables_keep_each_its_own_level(tmp_path):
    """One claim of two, and one alone that has the same words."""
    stats.write_claims(tmp_path, "one", stats.claims("one", [claim("a"), claim("b")]), show=False)
    stats.write_claims(tmp_path, "two", stats.claims("two", [claim("a")]), show=False)
    both = stats.read_claims(tmp_path / "one_claims.csv", tmp_path / "two_claims.csv")
    assert both.claim.values.tolist() == ["a", "b", "a"]
    np.testing.assert_allclose(both.level_all, [0.975, 0.975, 0.95])
    said = stats.claims_table(both)
    assert "Because all claims of a table are tested at once, " in said
    assert "tested at once, they are judged by intervals at 95% to 97.5%" in said
    assert "the chance of any wrong verdict in a table is then below 5%" in said
    assert "One claim is tested; it is judged by a 95% interval" in stats.claims_table(
        both.isel(claim=[2])
    )


def test_what_is_not_exact_is_said(tmp_path):
    """An effect of one's own that knows no exact interval, and a table written before exact
    intervals decided.
    """
    own = claim("own", lambda level: stats.rate(hits([1] * 30), level=level), stats.USUALLY)
    table = stats.claims("a thread", [own, claim("rate", holds=stats.USUALLY)])
    assert table["interval"].values.tolist() == ["its own", "exact"]
    assert float(table.low_all[0]) == float(stats.rate(hits([1] * 30), level=0.975).low)
    assert "if the intervals of 1 of the claims cover as often as they say" in stats.claims_table(
        table
    )
    [file, _] = stats.write_claims(tmp_path, "case", table, show=False)
    pd.read_csv(file).drop(columns="interval").to_csv(file, index=False)
    old = stats.read_claims(file)
    assert old["interval"].values.tolist() == ["unknown", "unknown"]
    assert "if the intervals of 2 of the claims" in stats.claims_table(old)


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        ([], "at least one"),
        ([claim(), claim()], "text of its own"),
        ([claim(holds=(1.0, 0.5))], "from a lower to a higher"),
        (
            [
                claim(
                    effect=lambda level: stats.rate(hits([1, 0]).expand_dims(recipe=2), level=level)
                )
            ],
            "dimensions recipe",
        ),
    ],
)
def test_claims_refused(statements, message):
    with pytest.raises(ValueError, match=message):
        stats.claims("a thread", statements)


def test_plateaus():
    spread = np.linspace(0.25, 0.35, 30)  # neighbours are near, but it is no plateau
    values = np.r_[
        np.full(20, 0.6365),
        np.full(10, 0.462) * (1 + 1e-3 * np.arange(10)),
        spread,
        1e-9,
        np.nan,
        np.inf,
    ]
    runs = xr.Dataset({"loss": (("seed", "step"), np.stack([np.ones_like(values), values], 1))})
    found = stats.plateaus(runs, {"constant": 0.6365, "far": 9.0}, learned=1e-3)
    shares = stats.shares(found).successes
    expected = {
        "learned": 1,
        "constant": 20,
        "far": 0,
        "at 0.4641": 10,
        "on no plateau": 30,
        "diverged": 2,
    }
    assert dict(zip(shares.kind.values.tolist(), shares.values.tolist(), strict=True)) == expected
    with pytest.raises(ValueError, match="positive value"):
        stats.plateaus(runs, {"zero": 0.0})
    with pytest.raises(ValueError, match="class of its own"):
        stats.plateaus(runs, {"learned": 1.0})


def test_idle_units():
    x = np.linspace(-1, 1, 11)[:, None]
    # Dead, at work, always on: at work
    dead = {"w": np.array([[1.0, 1.0, -1.0]]), "b": np.array([-2.0, 0.0, 3.0])}
    last = {"w": np.ones((3, 1)), "b": np.zeros(1)}
    relu = ap.MLP((3,), "relu")
    found = quick(partial(ap.models.idle_units, relu, x=x))([dead, last])
    np.testing.assert_allclose(found, [1 / 3], rtol=1e-6)
    steep = {"w": np.array([[0.1, 1.0, 1.0]]), "b": np.array([20.0, 0.0, -30.0])}
    both = [{k: np.stack([a[k], b[k]]) for k in a} for a, b in ((dead, steep), (last, last))]
    found = quick(jax.vmap(partial(ap.models.idle_units, ap.MLP((3,), "sigmoid"), x=x)))(both)
    np.testing.assert_allclose(found, [[0.0], [2 / 3]], rtol=1e-6)
    silent = [{"w": np.zeros((1, 2))}, {"w": np.ones((2, 1))}]
    found = quick(partial(ap.models.idle_units, ap.MLP((2,), jnp.tanh, bias=False), x=x))(silent)
    assert found.tolist() == [1.0]
    with pytest.raises(ValueError, match="without a hidden layer"):
        ap.models.idle_units(ap.MLP(()), [last], x)


def test_idle_units_know_the_number_of_the_activation():
    """`sin(frequency z)` of units that hardly move, unless the frequency is high."""
    params = [
        {"w": np.full((1, 2), 1e-4), "b": np.zeros(2)},
        {"w": np.ones((2, 1)), "b": np.zeros(1)},
    ]
    x = np.linspace(-1, 1, 11)[:, None]
    shares = quick(lambda model: ap.models.idle_units(model, params, x)[0])
    assert shares(ap.MLP((2,), "sin", frequency=1.0)) == 1.0
    assert shares(ap.MLP((2,), "sin", frequency=1e4)) == 0.0


def test_idle_units_of_a_run(quiet):
    recipe = ap.Recipe(model=ap.MLP((4,), "relu"), optimizer="sgd", steps=2)
    runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=3, keep=("params",), **quiet)
    units = partial(ap.models.idle_units, ap.MLP((4,), "relu"), x=runs.x_test.values)
    idle = np.asarray(quick(jax.vmap(units))(ap.params(runs)))
    layer = ap.params(runs, seed=1)[0]
    outputs = np.maximum(runs.x_test.values @ layer["w"] + layer["b"], 0)
    assert idle.shape == (3, 1)
    assert idle[1, 0] == (np.ptp(outputs, axis=0) <= 1e-3).mean()


def test_claims_are_drawn_with_region_interval_and_verdict():
    a, b = hits(np.arange(100) % 10 < 8), hits(np.arange(100) % 10 < 4)
    better = partial(stats.compare, {"a": a, "b": b}, "a", "b")
    tables = [
        stats.claims("one", [claim("yes", better), claim("no", better, stats.SAME)]),
        stats.claims("two", [claim("open", partial(stats.rate, b), (0.39, 1.0))]),
    ]
    ax = ap.plot.claims(xr.concat(tables, "claim", combine_attrs="override"))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["yes", "no", "open"]
    marks = [line for line in ax.lines if line.get_marker() in ("o", "X")]
    assert [line.get_xdata()[0] for line in marks] == pytest.approx([0.4, 0.4, 0.4])
    assert [line.get_marker() for line in marks] == ["o", "X", "o"]
    assert [line.get_markerfacecolor() == "white" for line in marks] == [False, False, True]
    regions = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    np.testing.assert_allclose(regions, [stats.HELPS, stats.SAME, (0.39, 1.0)])
    ends = [path.vertices[:, 0] for lines in ax.collections for path in lines.get_paths()]
    np.testing.assert_allclose(
        ends[:2],
        [[tables[0].low_all[0], tables[0].high_all[0]], [tables[0].low[0], tables[0].high[0]]],
    )
    assert {"one", "two", "n", "100"} <= {text.get_text() for text in ax.texts}
    legend = [text.get_text() for text in ax.get_legend().texts]
    assert "each is judged by" not in ax.get_xlabel()  # these are two tables
    assert "they are judged by intervals at 95% to 97.5%" in ax.get_xlabel().replace("\n", " ")
    assert legend[-2:] == ["95% interval", "95 to 97.5% interval: decides"]
