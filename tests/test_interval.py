"""Promise: what the interval's experiment says follows from what it measured."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scripts import assert_judged_anew, script

import approx as ap

INTERVAL = script("experiments", "interval")


def test_the_intervals_factorial_holds_every_combination_once():
    """Two inputs, three initialisers and five widths, with nine pairs of optimiser and loss."""
    cells = {label: recipe for label, recipe in INTERVAL.RECIPES.items() if label.count("_") == 4}
    assert len(cells) == 2 * 3 * 5 * 9
    assert set(INTERVAL.QUICK) <= set(INTERVAL.RECIPES)
    assert not any("_lm_" in label and "entropy" in label for label in cells)
    for named, label in (("literal", INTERVAL.LITERAL), ("answer", INTERVAL.ANSWER)):
        (task, recipe), (its_task, its_recipe) = INTERVAL.RECIPES[named], cells[label]
        changed = replace(recipe, steps=its_recipe.steps, records=its_recipe.records)
        assert (changed.model, changed.optimizer, changed.learning_rate, changed.batch_size) == (
            its_recipe.model,
            its_recipe.optimizer,
            its_recipe.learning_rate,
            its_recipe.batch_size,
        )
        np.testing.assert_array_equal(task.x, its_task.x)
        assert task.loss == its_task.loss


def test_the_intervals_plateaus_are_the_closed_forms():
    """One third and two thirds; then a hundred rows of 0 and two hundred of one half."""
    thirds = np.array([1, 2]) / 3
    assert INTERVAL.plateaus("entropy") == pytest.approx(
        {"constant": -(thirds * np.log(thirds)).sum(), "one edge": 2 / 3 * np.log(2)}, rel=1e-12
    )
    assert INTERVAL.plateaus("squares") == pytest.approx(
        {"constant": 2 / 9, "one edge": 1 / 6, "zero": 1 / 3}, rel=1e-12
    )


def test_what_ten_starts_add_to_one():
    """At a rate of 0.2: 1 - 0.8^10 - 0.2; the interval is the range over that of the rate."""
    hits = xr.DataArray(np.arange(100) < 20, dims="seed").to_dataset(name="hit")
    found, rate = INTERVAL.best_of(hits, 10, 0.95), ap.stats.rate(hits)
    assert float(found.gain) == pytest.approx(0.8 - 0.8**10)
    most = 10 ** (-1 / 9)  # the rate of failure at which the gain is largest, by its derivative
    assert 1 - rate.high < most < 1 - rate.low
    assert float(found.high) == pytest.approx(most - most**10, abs=1e-5)
    assert float(found.low) == pytest.approx(
        min(1 - p - (1 - p) ** 10 for p in map(float, (rate.low, rate.high))), abs=1e-9
    )


def test_averages_over_the_intervals_cells_have_a_width_where_all_seeds_agree():
    """SGD 0.01 never learns it, on any seed (this was printed as 0.0 [0.0, 0.0]); LM counts in its
    own rows alone.
    """
    cell = lambda right: xr.Dataset(  # noqa: E731
        {"accuracy": (("seed", "step"), np.array([[0.5, right]] * 100))},
        {"seed": np.arange(100), "step": [0, 10]},
    )
    runs = {
        "raw_sgd0.01_keras_2_squares": cell(0.9),
        "z_sgd0.01_keras_2_squares": cell(0.9),
        "z_adam0.1_keras_2_squares": cell(1.0),
        "z_lm_keras_2_squares": cell(0.9),
        "z_adam0.1_keras_2_squares@20": cell(0.9),
        "literal": cell(1.0),
    }
    rows = {(row["factor"], row["level"]): row for row in INTERVAL.main_effects(runs)}
    assert len(rows) == 2 + 3 + 1 + 1 + 1
    never, half, lm = rows["optimizer", "sgd0.01"], rows["inputs", "z"], rows["optimizer", "lm"]
    assert (never["rate"], never["low"], never["cells"], never["n"]) == (0.0, 0.0, 2, 100)
    assert 0.03 < never["high"] < 0.05  # exact: 1 - 0.025^(1/100) = 0.036
    assert (half["rate"], half["cells"], lm["cells"]) == (0.5, 2, 1)
    assert half["low"] < 0.49 < 0.51 < half["high"]


def test_what_is_not_finished():
    """A loss that still falls, one that rests, the constant's, one that is learned; and a method
    that stopped.
    """
    loss = np.array([[1.0, 0.5, 0.45], [1.0, 0.5, 0.4999], [1.0, 0.64, 0.6365], [1.0, 0.5, 0.1]])
    accuracy = np.array([[0.5] * 3] * 3 + [[0.5, 0.5, 1.0]])
    runs = xr.Dataset(
        {"loss": (("seed", "step"), loss), "accuracy": (("seed", "step"), accuracy)},
        {"step": [0, 60, 100]},
    )
    label = "raw_sgd0.01_keras_2_entropy"
    kinds = ["not finished", "on no plateau", "constant", "learned"]
    assert INTERVAL.kinds(label, runs).kind.values.tolist() == kinds
    stopped = runs.assign(stopped=(("seed", "step"), [[0, 0, 3]] * 4))
    assert INTERVAL.kinds(label, stopped).kind.values.tolist() == ["on no plateau", *kinds[1:]]


@pytest.mark.slow  # twelve networks to compile
def test_the_interval_is_judged_and_drawn(tmp_path, monkeypatch):
    INTERVAL.main(seeds=6, steps=40, results=tmp_path, quick=True)
    quick = tmp_path / "quick"
    text = (quick / "interval_claims.md").read_text()
    assert "Quick look: 6 seeds, at most 4 epochs; not the experiment." in text
    judged = ap.stats.read_claims(quick / "interval_claims.csv")
    assert judged.sizes["claim"] == 27
    with (quick / "interval_factorial.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(INTERVAL.QUICK) - 2 + sum("_adam" in label for label in INTERVAL.QUICK)
    literal, nnet = (
        ap.load(quick / f"interval_{label}.nc") for label in (INTERVAL.NNET_GD, INTERVAL.NNET)
    )
    for first, second in zip(
        ap.params(literal, kept_step=0), ap.params(nnet, kept_step=0), strict=True
    ):
        np.testing.assert_array_equal(first["w"], second["w"])  # the same starts
    script("figures", "interval").main(results=tmp_path, quick=True)
    assert (quick / "interval.pdf").stat().st_size > 0
    assert set(tmp_path.iterdir()) == {quick}
    assert_judged_anew(
        monkeypatch, quick, INTERVAL.main, seeds=6, steps=40, results=tmp_path, quick=True
    )
