"""Promise: what the interval's experiment says follows from what it measured."""

from dataclasses import replace
from itertools import product

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from scripts import assert_answered_anew, script

import approx as ap

INTERVAL = script("experiments", "interval")
STUDY = INTERVAL.study()


def test_the_intervals_factorial_holds_every_combination_once():
    """Two inputs, three initialisers and five widths, with nine pairs of optimiser and loss."""
    cells = {label: row for label, row in STUDY.rows.items() if row.levels}
    assert len(cells) == 2 * 3 * 5 * 9
    assert set(STUDY.rows) == {"baseline", "answer", *cells}
    assert not any(row.levels[1] == "LM" and row.levels[4] == "entropy" for row in cells.values())
    for named, label in (("baseline", INTERVAL.SGD), ("answer", INTERVAL.Z_ADAM)):
        one, other = STUDY.rows[named], cells[label]
        its = other.recipe
        assert replace(one.recipe, steps=its.steps, records=its.records) == its
        np.testing.assert_array_equal(one.task.x, other.task.x)
        assert one.task.loss == other.task.loss
    for label, row in cells.items():
        inputs, optimizer, weights, width, loss = row.levels
        mean_is_zero = abs(np.mean(row.task.x)) < 1e-9
        assert mean_is_zero == (inputs == "z")
        assert row.recipe.model.initializer == weights.lower()
        assert f"{row.recipe.model.widths[0]} unit" == width.removesuffix("s")
        assert (row.task.loss == "brier") == (loss == "squares")
        starts = STUDY.options.get(label, {}).get("init_params")
        assert (row.recipe.dtype == "float64") == (starts is not None)
        assert (optimizer in ("BFGS", "LM")) == (starts is not None)
        if starts is not None:
            assert starts.args[0] == row.recipe.model


def test_a_quick_look_has_all_that_is_claimed():
    claimed = {label for claim in STUDY.claims for label in (claim.row, claim.against) if label}
    trained = {STUDY.views[label].of if label in STUDY.views else label for label in claimed}
    both = {label for label in trained if label in STUDY.rows}
    assert len(both) > 12
    assert both <= set(INTERVAL.QUICK) <= set(STUDY.rows)
    quick = INTERVAL.study(INTERVAL.QUICK_EPOCHS)
    assert quick.recipe.steps == quick.recipe.records[-1] == 2_000
    assert [claim.text for claim in quick.claims] == [claim.text for claim in STUDY.claims]


@pytest.mark.parametrize("loss", ["entropy", "squares"])
def test_the_intervals_plateaus_are_the_best_functions_with_no_edge_and_with_one(loss):
    """All places of the edge are tried; squares have the output 0 too."""
    y = np.asarray(INTERVAL.RAW.y)[:, 0]

    def constant(part):
        p = part.mean()
        if loss == "squares":
            return p * (1 - p)
        return -sum(q * np.log(q) for q in (p, 1 - p) if q > 0)

    one_edge = [k * constant(y[:k]) + (300 - k) * constant(y[k:]) for k in range(1, 300)]
    expected = [constant(y), min(one_edge) / 300]
    if loss == "squares":
        expected.append(np.mean(y**2))
    for optimizer, width in product(("SGD 0.01", "BFGS"), INTERVAL.WIDTHS):
        found = INTERVAL.plateaus(INTERVAL.cell("z", optimizer, "nnet", width, loss))
        assert list(found.values()) == pytest.approx(expected, rel=1e-12)
    assert INTERVAL.plateaus("baseline") == INTERVAL.PLATEAUS["entropy"]


def test_what_ten_starts_add_to_one():
    """At a rate of 0.2: 1 - 0.8^10 - 0.2; the interval is the range over that of the rate."""
    right = np.where(np.arange(100) < 20, 1.0, 0.9)[:, None]
    runs = xr.Dataset({"accuracy": (("seed", "step"), right)}, {"step": [10]})
    found = INTERVAL.gain_of_ten("a row", {"a row": runs})
    rate = ap.stats.rate(INTERVAL.learned(runs), interval="exact")
    assert float(found.gain) == pytest.approx(0.8 - 0.8**10)
    most = 10 ** (-1 / 9)  # the rate of failure at which the gain is largest, by its derivative
    assert 1 - rate.high < most < 1 - rate.low
    assert float(found.high) == pytest.approx(most - most**10, abs=1e-5)
    assert float(found.low) == pytest.approx(
        min(1 - p - (1 - p) ** 10 for p in map(float, (rate.low, rate.high))), abs=1e-9
    )


def test_drawn_functions_are_those_of_the_networks():
    """The weights of a table give what the networks compute, on raw and on standardised x."""
    rng = np.random.default_rng(0)
    hidden = {"w": rng.normal(size=(3, 1, 2)), "b": rng.normal(size=(3, 2))}
    output = {"w": rng.normal(size=(3, 2, 1)), "b": rng.normal(size=(3, 1))}
    for label, task in ((INTERVAL.RAW_ADAM, INTERVAL.RAW), (INTERVAL.Z_ADAM, INTERVAL.Z_SCORED)):
        table = INTERVAL.network_table(label, "an ending", [5, 6, 7], [hidden, output])
        found = INTERVAL.functions(table, np.asarray(INTERVAL.RAW.x, float)[:, 0])
        for values, one in zip(found, range(3), strict=True):
            params = [{name: layer[name][one] for name in layer} for layer in (hidden, output)]
            logits = np.asarray(INTERVAL.NETWORK.apply(params, jnp.asarray(task.x)))[:, 0]
            np.testing.assert_allclose(values, 1 / (1 + np.exp(-logits)), rtol=1e-4)


def test_the_majoritys_accuracy_is_that_after_so_many_epochs():
    accuracy = [[0.5, 2 / 3, 1.0], [2 / 3, 0.5, 2 / 3]]
    runs = xr.Dataset({"accuracy": (("seed", "step"), accuracy)}, {"step": [0, 130, 1_000]})
    for epochs, expected in ((0, 0.5), (20, 0.5), (13, 0.5), (100, 0.5), (12, 0.5)):
        assert float(INTERVAL.keeps_majority(epochs, {"baseline": runs}).rate) == expected
    both = runs.isel(seed=[0, 0])
    rates = [float(INTERVAL.keeps_majority(n, {"baseline": both}).rate) for n in (12, 13, 100)]
    assert rates == [0, 1, 0]


@pytest.mark.parametrize("rule", ["keras", "pytorch", "nnet"])
@pytest.mark.slow
def test_bfgs_starts_from_the_weights_that_sgd_starts_from(rule, quiet):
    """For the same seeds, to rounding; to the last bit in programs with all optimisation."""
    model = replace(INTERVAL.NETWORK, initializer=rule, widths=(3,))
    recipe = replace(STUDY.recipe, model=model, steps=1, records=(0, 1))
    seeds = [0, 1, 5, 70]
    options = {"keep": ("params",), "keep_at": (0,)}
    runs = ap.run(INTERVAL.Z_SCORED, recipe, seeds=seeds, **options, **quiet)
    starts = INTERVAL.weights_of_sgd(model, np.array(seeds))
    for layer, first in zip(starts, ap.params(runs), strict=True):
        for name, values in layer.items():
            np.testing.assert_allclose(values, first[name], rtol=1e-5, atol=1e-7)


@pytest.mark.slow  # twelve networks to compile
def test_the_interval_is_judged_and_drawn(soon, tmp_path, capsys):
    INTERVAL.main(seeds=6, results=tmp_path, quick=True)
    assert "at most 200 epochs" in capsys.readouterr().out
    quick = tmp_path / "quick"
    judged = ap.stats.read_claims(quick / "interval_claims.csv")
    assert judged.sizes["claim"] == 27
    answer = ap.study.Answer.load(quick, "interval", runs=quick / "interval")
    rows = answer.main_rows.set_index("label")
    assert set(rows.index) == {*INTERVAL.QUICK, *INTERVAL.VIEWS}
    assert rows.n[["baseline", "answer"]].tolist() == [24, 24]
    assert set(rows.n.drop(["baseline", "answer", "answer, 13 epochs"])) == {6}
    by_sgd, by_bfgs = (
        answer.runs(label).loss.sel(step=0) for label in (INTERVAL.NNET_SGD, INTERVAL.NNET)
    )
    np.testing.assert_allclose(by_sgd, by_bfgs, rtol=1e-5)  # the same starts
    for name in ("interval", "interval_remedies"):
        script("figures", name).main(results=tmp_path, quick=True)
        assert (quick / f"{name}.pdf").stat().st_size > 0
    assert set(tmp_path.iterdir()) == {quick}
    assert_answered_anew(quick, INTERVAL.main, seeds=6, results=tmp_path, quick=True)
