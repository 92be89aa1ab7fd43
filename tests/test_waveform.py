"""Promise: what the waveform's experiment says follows from what it measured."""

import csv

import numpy as np
import pytest
import xarray as xr
from scripts import assert_judged_anew, script

import approx as ap

WAVEFORM = script("experiments", "waveform")


def test_the_waveforms_recipes_are_literal_single_changes_and_a_factorial():
    """Nine literal, six remedies of three optimisers, sixteen combinations for two, two remedies of
    256 for two.
    """
    assert len(WAVEFORM.RECIPES) == 9 + 6 * 3 + 15 * 2 + 2 * 2
    assert set(WAVEFORM.QUICK) <= set(WAVEFORM.RECIPES)
    task, literal = WAVEFORM.RECIPES["64_sgd"]
    widths = {"wide": (512,)}
    activations = {"gaussian": "gaussian"}
    dims = {"dim225": 225}
    draws = {"random": "random"}
    for remedy in WAVEFORM.REMEDIES:
        other, changed = WAVEFORM.RECIPES[f"64_sgd_{remedy}"]
        model = ap.scalings.core(changed.model)
        assert (changed.steps, changed.learning_rate, changed.records) == (
            3_000,
            0.01,
            literal.records,
        )
        assert (model is not changed.model) == (remedy == "normalise")
        assert model.widths == widths.get(remedy, (64, 128))
        assert model.activation == activations.get(remedy, "sigmoid")
        assert other.dim == dims.get(remedy, task.dim)
        assert other.draw == draws.get(remedy, "each")
        assert other.spread == (1.0 if remedy == "even" else 63 / 255)
    compared = [label for _, *pair in WAVEFORM.comparisons() for label in pair]
    assert set(compared) <= set(WAVEFORM.RECIPES)


def made_up(accuracy, loss, steps=(0, 1_500, 2_500, 3_000)):
    """Runs of given accuracies and losses on fresh rows, (seed, step)."""
    values = {"test_accuracy": accuracy, "test_loss": loss}
    return xr.Dataset(
        {of: (("seed", "step"), np.array(x)) for of, x in values.items()}, {"step": list(steps)}
    )


def test_what_became_of_the_waveforms_seeds():
    """Learned, learned and lost, the constant's log K, still falling, neither: one seed each."""
    accuracy = [
        [0, 0.5, 1, 1],
        [0, 1, 1, 0.9],
        [0, 0, 0, 0.02],
        [0, 0.1, 0.2, 0.3],
        [0, 0.3, 0.3, 0.3],
    ]
    loss = [
        [5, 1, 0.1, 0.01],
        [5, 1, 0.1, 0.5],
        [5, 4.2, 4.16, np.log(64)],
        [5, 4, 3, 2],
        [5, 2.5, 2.5, 2.5],
    ]
    found = WAVEFORM.kinds("64_sgd", made_up(accuracy, loss))
    assert found.kind.values.tolist() == [
        "learned",
        "lost again",
        "constant",
        "not finished",
        "on no plateau",
    ]


def test_the_waveforms_effects_are_of_pairs_of_the_same_seeds():
    """Two of sixteen seeds of the literal recipe are compared with both of the changed one."""
    good, bad = [0, 0, 0, 1.0], [0, 0, 0, 0.5]
    literal = made_up([bad] * 3 + [good] * 13, [[5, 5, 5, 3.0]] * 16).assign_coords(
        seed=np.arange(16)
    )
    changed = made_up([good, bad], [[5, 5, 5, 1.0]] * 2).assign_coords(seed=[0, 3])
    runs = {"256_adam_keras": literal, "256_adam_keras_wide": changed}
    (row,) = WAVEFORM.against_literal(runs)
    assert (row["n"], row["difference"], row["lower loss"]) == (2, 0.0, 1.0)


def test_what_an_advice_changes_on_average():
    """Of four cells two pairs differ in one factor; the other two factors have no pair."""
    rates = {(): 0, ("normalise",): 1, ("wide",): 0, ("normalise", "wide"): 0}
    runs = {
        WAVEFORM.name(32, "adam_keras", changes): made_up(
            [[0, 0, 0, value]] * 4, [[4, 4, 4, 3.0 - value]] * 4
        ).assign_coords(seed=np.arange(4))
        for changes, value in rates.items()
    }
    found = {row["factor"]: row for row in WAVEFORM.factor_effects(runs)}
    assert set(found) == {"normalise", "wide"}
    assert (found["normalise"]["rate"], found["wide"]["rate"], found["normalise"]["loss"]) == (
        0.5,
        -0.5,
        -0.5,
    )
    # Four seeds that agree
    assert found["normalise"]["rate low"] < 0.2 < 0.8 < found["normalise"]["rate high"]
    assert found["normalise"]["loss low"] == -np.inf  # and say nothing of how far a loss may lie


def test_the_waveforms_exact_reference():
    """Its loss falls with the scale, from log K to nothing, at an accuracy of one."""
    rows = [row for row in WAVEFORM.references() if row["levels"] == "k/255"]
    for classes in (32, 64, 256):
        mine = [row for row in rows if row["classes"] == classes]
        losses = [float(row["loss"]) for row in mine]
        assert losses == sorted(losses, reverse=True)
        assert losses[0] == pytest.approx(np.log(classes), rel=0.05)
        assert losses[-1] < 1e-6
        assert all(row["accuracy"] > 1 - 1e-9 for row in mine)


@pytest.mark.slow  # nine networks to compile
def test_the_waveform_is_judged_and_drawn(tmp_path, monkeypatch):
    WAVEFORM.main(seeds=4, steps=12, results=tmp_path, quick=True)
    quick = tmp_path / "quick"
    assert (
        "Quick look: 4 seeds, 12 epochs; not the experiment."
        in (quick / "waveform_claims.md").read_text()
    )
    judged = ap.stats.read_claims(quick / "waveform_claims.csv")
    assert {"64 classes are learned: SGD", "normalising helps, Adam, 64 classes: loss"} <= set(
        judged.claim.values
    )
    with (quick / "waveform_recipes.csv").open() as file:
        assert [row["recipe"] for row in csv.DictReader(file)] == list(WAVEFORM.QUICK)
    one = ap.load(quick / "waveform_64_adam_keras.nc")
    assert (one.chosen.shape, one.idle.shape) == ((4, 256), (4, 2))
    script("figures", "waveform").main(results=tmp_path, quick=True)
    assert (quick / "waveform.pdf").stat().st_size > 0
    assert set(tmp_path.iterdir()) == {quick}
    assert_judged_anew(
        monkeypatch, quick, WAVEFORM.main, seeds=4, steps=12, results=tmp_path, quick=True
    )
