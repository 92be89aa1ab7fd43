"""Promise: what the identity's experiment says follows from what it measured."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scripts import assert_answered_anew, script

import approx as ap

IDENTITY = script("experiments", "identity")
STUDY = IDENTITY.study()
TASK, PLAIN = STUDY.task, STUDY.recipe


def made_up(label: str, loss, unexplained) -> xr.Dataset:
    """Trainings of a row, as far as its endings and rates ask for them."""
    values = {"loss": loss, "unexplained": unexplained}
    found = xr.Dataset(
        {name: (("seed", "step"), np.asarray(each, float)) for name, each in values.items()},
        {"seed": np.arange(len(loss)), "step": [0, 7_000, 14_000]},
    )
    found.attrs["fingerprint"] = label
    return found


def test_the_identitys_remedies_change_one_thing():
    """Against A with fewer rows; the factorial holds every combination once, that one too."""
    cells = [row for row in STUDY.rows.values() if row.levels]
    assert len(cells) == 3 * 2 * 2
    assert [row.label for row in cells if row.recipe is PLAIN and row.task is TASK] == [
        "raw, raw loss, SGD"
    ]
    assert (PLAIN.optimizer, PLAIN.learning_rate, PLAIN.batch_size) == ("sgd", 0.01, 8)
    assert (PLAIN.model, TASK.loss) == (STUDY.rows["A"].recipe.model, "mse")
    assert PLAIN.steps == 10 * np.ceil(0.7 * TASK.size / 8)
    for label in IDENTITY.CHANGES:
        its_task, its_recipe = STUDY.rows[label].task, STUDY.rows[label].recipe
        fields = ("model", "optimizer", "learning_rate", "batch_size", "l2", "dtype")
        changed = [name for name in fields if getattr(its_recipe, name) != getattr(PLAIN, name)]
        assert len(changed) + (its_task.loss != TASK.loss) == 1, label
    assert pytest.approx(84 / (84 * IDENTITY.MEAN**2 + 1) / 2, rel=0.01) == IDENTITY.STABLE


def test_the_identitys_loss_is_scaled_in_the_units_of_its_model():
    scales = {row.levels[0]: row.task.loss.scale for row in scaled_cells()}
    assert scales == {"raw": IDENTITY.SD, "per feature": IDENTITY.SD, "per sample": None}


def scaled_cells():
    return [row for row in STUDY.rows.values() if row.levels[1:] == ("scaled loss", "SGD")]


def test_the_identitys_closed_form_is_gradient_descent():
    """Against the trajectory of `floors.descent`, in the units in which each recipe is plain
    descent.
    """
    task, rng = ap.tasks.identity("B", size=60, dim=4), np.random.default_rng(0)
    weights, bias = rng.normal(size=(4, 4)), rng.normal(size=4)
    chosen = ap.Recipe(
        model=ap.MLP((), outputs=4), optimizer="sgd", learning_rate=0.3, batch_size=8
    )
    away = np.vstack([weights - np.eye(4), bias])[None]
    key, steps = jax.random.key(0), [0, 3, 200]
    x = np.asarray(task.split(key, key)[0][0], float)

    def expected_error(of):
        return of.unit * ap.floors.loss_from_starts(of.modes, away, steps)[0]

    plain = ap.floors.descent(x, x, weights, bias, 0.3, steps).loss
    np.testing.assert_allclose(expected_error(IDENTITY.expected(task, chosen)), plain)
    m, sd = IDENTITY.MEAN, IDENTITY.SD
    around = replace(
        chosen, model=ap.scalings.PerFeature(chosen.model, m, sd, m, sd), learning_rate=1e-7
    )
    z = (x - m) / sd
    for loss, rate in (("mse", 1e-7 * sd**2), (ap.losses.ScaledError(sd), 1e-7)):
        found = IDENTITY.expected(replace(task, loss=loss), around)
        path = ap.floors.descent(z, z, weights, bias, rate, steps).loss * sd**2
        np.testing.assert_allclose(expected_error(found), path)
        assert found.largest_rate == pytest.approx(
            ap.floors.modes(z, 4, rate).largest_rate * 1e-7 / rate
        )


def test_the_expected_diagonal_is_the_mean_over_many_starts():
    """By the modes of the distribution's second moment, and of many rows from it."""
    task = ap.tasks.identity("B", size=200_000, dim=3, validation=0.0)
    found = IDENTITY.expected_diagonal(task, 0.5, [0, 10, 60])
    moment = np.full((4, 4), 0.5)
    moment[:3, :3] = 0.25 + np.eye(3) / 12
    moment[3, 3] = 1.0
    kept = np.eye(4) - 2 * 0.5 * moment / 3
    for step, diagonal in zip([0, 10, 60], found, strict=True):
        left = np.linalg.matrix_power(kept, step)
        assert diagonal == pytest.approx(1 - np.diag(left)[:3].mean(), abs=1e-12)
    rows = IDENTITY.training_rows(task)
    zero = np.zeros((3, 3))
    path = ap.floors.descent(rows, rows, zero, zero[0], 0.5, [60]).weights[0]
    assert np.diag(path).mean() == pytest.approx(found[-1], abs=2e-3)


def test_what_became_of_an_identity():
    """By the one rule of `stats.endings`, with plateaus in the units of each row's loss."""
    study = replace(STUDY, claims=(), reported=())
    spread = IDENTITY.SD**2
    ends = {
        "learned": (1e-3, 1e-3),
        "mean only": (1.01, 1.01),
        "noise added": (1.97, 1.97),
        "stuck": (1.5, 1.5),
        "still falling": (0.5, 0.5),
        "diverged": (np.inf, np.inf),
    }
    last = np.array([end for end, _ in ends.values()])
    middle = np.where(last == 0.5, 2.0, last)
    shares = np.array([np.full(last.size, 4.0), middle, last]).T
    study.trained.add("baseline", made_up("baseline", spread * shares, shares))
    scaled = "per sample, scaled loss, SGD"
    study.trained.add(scaled, made_up(scaled, shares, shares))
    found = study.answer().endings.set_index(["label", "ending"]).seeds
    for label in ("baseline", scaled):
        assert found.loc[label].to_dict() == dict.fromkeys(ends, 1)
    rows = study.rows
    # By its definition: the least of (f - m)² + 84 l1 |f|, and of (f - m)² + 84 l2 f²
    f, m = np.linspace(0, 2, 200_001), IDENTITY.MEAN
    l1, l2 = ((f - m) ** 2 + 0.84 * f).min(), ((f - m) ** 2 + 0.84 * f**2).min()
    assert IDENTITY.plateaus(rows["L1 on outputs"])["shrunk outputs"] == pytest.approx(l1)
    assert IDENTITY.plateaus(rows["L2 on outputs"])["shrunk outputs"] == pytest.approx(l2)
    assert "noise added" not in IDENTITY.plateaus(rows["weights at 0"])
    small = IDENTITY.plateaus(rows["weights U(-0.05, 0.05)"])["noise added"]
    assert small == pytest.approx(spread * (1 + 84 * 0.1**2 / 12))


def test_averages_over_the_identitys_cells_have_a_width_where_all_seeds_agree():
    """Three of four cells succeed on every seed (this was printed as 0.750 [0.750, 0.750])."""
    study = replace(STUDY, claims=(), reported=())
    labels = [label for label in study.rows if label.startswith("per feature, ")]
    for label in ("baseline", *labels):
        learned = label not in ("baseline", labels[0])
        shares = np.full((88, 3), 0.0 if learned else 1.0)
        study.trained.add(label, made_up(label, shares, shares))
    found = study.answer().effects.set_index("effect").loc["rows=per feature"]
    assert (found.average, found.cells, found.n) == (0.75, 4, 88)
    assert found.low < 0.72  # exact: 0.75 less 0.75 (1 - 0.025^(1/88)) = 0.719
    assert found.high > 0.76


@pytest.mark.slow  # fourteen networks to compile
def test_the_identity_is_judged_and_drawn(soon, tmp_path, capsys):
    options = {"seeds": 4, "rows": 400, "results": tmp_path, "quick": True}
    IDENTITY.main(**options)
    said = capsys.readouterr().out
    assert "Quick look: 4 seeds, at most 400 rows of data; not the experiment." in said
    quick = tmp_path / "quick"
    tables = {path.name: path.read_text() for path in quick.glob("*.csv")}
    names = ("rows", "endings", "effects", "claims", "reported", "exact", "weights")
    names += ("examples", "curves", "closed_forms")
    assert {f"identity_{name}.csv" for name in names} < set(tables)
    # Of the 22, those of its rows
    assert ap.stats.read_claims(quick / "identity_claims.csv").sizes["claim"] == 17

    assert_answered_anew(quick, IDENTITY.main, **options)

    answer = ap.study.Answer.load(quick, "identity", runs=quick / "identity")
    plain, lbfgs, at_identity = map(answer.runs, ("baseline", "L-BFGS", "weights at I"))
    # The same starts
    np.testing.assert_array_equal(
        *(ap.params(runs, kept_step=0)[0]["w"] for runs in (plain, lbfgs))
    )
    assert (at_identity.loss == 0).all()
    assert (plain.sizes["seed"], at_identity.sizes["seed"]) == (4, 12)
    exact = pd.read_csv(quick / "identity_exact.csv").set_index("label")
    assert exact.loc["A, per sample", "measured / expected"] == pytest.approx(1, abs=0.05)
    for name in ("identity", "identity_remedies", "identity_time"):
        script("figures", name).main(results=tmp_path, quick=True)
        assert (quick / f"{name}.pdf").stat().st_size > 0
