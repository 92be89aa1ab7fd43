"""Promise: a study trains each row once, on the seeds it says, and goes on where it was stopped:
with the same bits as at once, in memory, in a folder, and in another process.
"""

import numpy as np
import pytest
import xarray as xr
from conftest import QUICK

import approx as ap
from approx.study import budgets, trainer
from approx.sweep import driver

TASK = ap.tasks.square(range=1.0, size=9)
RECIPE = ap.Recipe(model=ap.MLP((), "linear"), steps=2, batch_size=None, learning_rate=0.01)
RUN = {"lanes": 4, "compiler_options": QUICK}
CHANGES = {"fast": {"learning_rate": 0.1}, "long": {"steps": 4}}


def even(runs):
    """Success of the seeds of even number."""
    return runs.seed % 2 == 0


def made(changes=None, **more) -> ap.Study:
    given = {"success": even, "changes": CHANGES if changes is None else changes} | more
    rows = ap.Study(TASK, RECIPE, **given).rows
    options = more.get("options", {})
    given["options"] = {label: RUN | options.get(label, {}) for label in rows}
    return ap.Study(TASK, RECIPE, **given)


def assert_same(one: ap.Study, other: ap.Study) -> None:
    """Both have the same trainings, to the bit, and say the same of them."""
    for label in one.rows:
        assert_same_runs(one.runs(label), other.runs(label))
    assert one.report() == other.report()


def assert_same_runs(one: xr.Dataset, other: xr.Dataset) -> None:
    """Both are the same to the bit, whenever they were made."""
    xr.testing.assert_identical(one.assign_attrs(created=""), other.assign_attrs(created=""))


@pytest.fixture(scope="module")
def whole():
    """All rows with ten seeds, trained at once in memory."""
    return made().run(10, progress=False)


@pytest.fixture
def trained(monkeypatch):
    """The label and the seeds of everything that is trained, in its order."""
    found = []
    compute_one = trainer.compute_one

    def noted(job, prepared):
        found.append((job.label, len(prepared.request.seeds)))
        compute_one(job, prepared)

    monkeypatch.setattr(trainer, "compute_one", noted)
    return found


# ---- once ----------------------------------------------------------------------------------------


def test_what_is_trained_is_not_trained_again(trained):
    study = made()
    study.run(4, progress=False)
    study.run(4, progress=False)
    study.run(3, progress=False)
    assert trained == [("baseline", 4), ("fast", 4), ("long", 4)]
    assert study.runs("fast").sizes["seed"] == 4


def test_rows_that_are_one_training_are_trained_once(trained):
    study = made({"again": {}, "fast": {"learning_rate": 0.1}}, factors={"steps": [2, 4]})
    study.run(4, progress=False)
    assert trained == [("baseline", 4), ("fast", 4), ("4", 4)]
    for label in ("again", "2"):
        xr.testing.assert_identical(study.runs(label), study.runs("baseline"))


def test_a_study_in_pieces_equals_one_at_once(whole):
    study = made()
    for seeds in (3, 4, 10):
        study.run(seeds, progress=False)
    assert_same(study, whole)


def test_only_some_rows_and_then_the_others(whole, trained):
    study = made(claims=[ap.usually("fast"), ap.usually("long")])
    study.run(10, only=["long"], progress=False)
    assert [label for label, _ in trained] == ["long"]
    answer = study.answer()
    assert answer.facts["not_trained"] == ["baseline", "fast"]
    assert answer.claims.claim.tolist() == ["long: at least 50% of the seeds succeed"]
    assert "Not trained, and so not in this report: baseline, fast." in study.report()
    study.run(10, progress=False)
    assert len(study.answer().claims) == 2
    for label in study.rows:
        assert_same_runs(study.runs(label), whole.runs(label))


def test_claims_of_ones_own_wait_for_their_rows():
    def effect(runs, level):
        return ap.stats.rate(even(runs["long"]), level=level)

    def slip(runs, level):
        return ap.stats.rate(even(runs["lnog"]), level=level)

    def own(function):
        return ap.study.own("mine", function, (0, 1), compared="long", measure="share")

    study = made(claims=[own(effect)]).run(4, only=["fast"], progress=False)
    assert not len(study.answer().claims)
    assert study.run(4, progress=False).answer().claims.effect.tolist() == [0.5]
    with pytest.raises(KeyError, match="lnog"):
        made(claims=[own(slip)]).run(4, only=["fast"], progress=False).answer()


def test_a_row_has_its_share_of_the_seeds():
    study = made(options={"fast": {"seeds": 0.5}, "long": {"seeds": 0.01}})
    rows = study.run(8, progress=False).answer().main_rows.set_index("label")
    assert rows.n.tolist() == [8, 4, 2]
    assert rows.pairs[1:].tolist() == [4, 2]


# ---- tuning --------------------------------------------------------------------------------------


def test_tuning_chooses_the_best_on_other_seeds(trained):
    """Of the rates only 0.1 gives a smaller loss after two steps."""
    study = made(
        {"tuned": {"tune": {"learning_rate": [1e-4, 0.1, 1e-3]}}},
        success=ap.study.threshold("loss", below=0.0),
        tuning_seeds=range(100, 103),
    )
    study.run(4, progress=False)
    assert trained == [("tuned", 3), ("baseline", 4), ("tuned", 4)]
    rows = study.answer().main_rows.set_index("label")
    assert rows.tuned["tuned"] == "learning_rate = 0.1"
    fast = made({"fast": {"learning_rate": 0.1}}).run(4, progress=False)
    np.testing.assert_array_equal(study.runs("tuned").loss, fast.runs("fast").loss)
    study.run(6, progress=False)
    assert trained[-2:] == [("baseline", 2), ("tuned", 2)]


def test_tuning_counts_successes_before_losses():
    values = {"learning_rate": [0.1, 0.2], "seed": [0, 1, 2], "step": [2]}
    losses = np.array([[0.1, 0.1, 0.9], [0.4, 0.4, np.nan]])[..., None]
    runs = xr.Dataset({"loss": (tuple(values), losses)}, values)
    for below, best in ((0.5, 0.1), (0.05, 0.1), (0.95, 0.1)):
        rule = ap.study.threshold("loss", below=below)
        assert trainer.best_setting(runs, ["learning_rate"], "m", rule, "last") == {
            "learning_rate": best
        }
    rule = ap.study.Measure("high", lambda runs: runs.loss.isel(step=-1) > 0.3, "loss")
    assert trainer.best_setting(runs, ["learning_rate"], "m", rule, "last") == {
        "learning_rate": 0.2
    }


def test_all_values_that_are_tried_share_one_program(count_compiles):
    counts = []
    for values in ([0.01, 0.02], [0.01, 0.02, 0.03, 0.04]):
        study = made({"tuned": {"tune": {"learning_rate": values}}}, tuning_seeds=range(50, 52))
        with count_compiles() as compiled:
            study.run(2, only=["tuned"], progress=False)
        counts.append(len(compiled))
    assert counts[1] <= counts[0]


def test_seeds_that_tune_are_not_those_reported():
    study = made({"tuned": {"tune": {"learning_rate": [0.1, 0.2]}}}, tuning_seeds=range(6, 9))
    with pytest.raises(ValueError, match="2 of them are among the 8 seeds"):
        study.run(8, progress=False)


# ---- before anything is trained ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"success": None, "below": 1.0, "of": "tset_loss"}, "is about 'tset_loss'"),
        ({"success": None, "below": 1.0, "of": "validation_loss"}, "is about 'validation_loss'"),
        (
            {"claims": [ap.study.better("fast", of="speed")]},
            "fast ends with a better.* is about 'speed'",
        ),
        ({"views": {"v": ap.study.best_of("long", 2, by="speed")}}, "the row 'long'.*'speed'"),
        ({"reported": [ap.study.Reported("x", "long", 1.0, "speed")]}, "the row 'long'.*'speed'"),
        ({"changes": {"a": {"tune": {"lr": [1e-3, 1e-2]}}}}, "the row 'a'.*'lr'"),
        ({"views": {"v": ap.study.best_of("long", 9)}}, "needs 9 seeds of 'long', which has 4"),
        ({"metrics": {"loss": lambda params, predict: 1.0}}, "the row 'baseline'.*loss"),
        (
            {
                "metrics": {"pair": lambda params, predict: predict(np.zeros((2, 1)))},
                "success": ap.study.threshold("pair", below=1.0),
            },
            "an array of shape",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_trained(trained, more, words):
    study = made(**more)
    with pytest.raises((TypeError, ValueError), match=words):
        study.run(4, progress=False)
    assert trained == []


@pytest.mark.slow
def test_a_metric_of_ones_own_is_judged():
    def bias(params, predict):
        return predict(np.zeros((1, 1)))[0, 0]

    study = made(metrics={"bias": bias}, success=None, below=0.0, of="bias")
    rows = study.run(4, progress=False).answer().main_rows.set_index("label")
    expected = (study.runs("long").bias.isel(step=-1) <= 0).sum()
    assert rows.successes["long"] == int(expected)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ({"seeds": 1}, ValueError, "at least 2"),
        ({"seeds": 0}, ValueError, "at least 2"),
        ({"seeds": [0, 1]}, TypeError, "a number of seeds"),
        ({"seeds": True}, TypeError, "a number of seeds"),
        ({"budget": "2 minutes"}, ValueError, "'30s', '2m' or '1h'"),
        ({"budget": "1.2.3s"}, ValueError, "'30s', '2m' or '1h'"),
        ({"budget": 0}, ValueError, "positive"),
        ({"budget": [3]}, TypeError, "or seconds"),
        ({"only": ["fsat"]}, ValueError, "'fsat'"),
    ],
)
def test_a_wrong_call_is_refused(trained, call, error, words):
    with pytest.raises(error, match=words):
        made().run(progress=False, **call)
    assert trained == []


# ---- interrupts and folders ----------------------------------------------------------------------


def interrupt(monkeypatch, label: str, batches: int | None = None) -> None:
    """Press Ctrl-C when a row is trained, after so many of its batches."""
    drive, compute_one = driver.drive, trainer.compute_one
    now = {}

    def noted(job, prepared):
        now["label"] = job.label
        compute_one(job, prepared)

    def stopped(plan, ready, some, *more):
        if now["label"] != label:
            return drive(plan, ready, some, *more)
        drive(plan, ready, some[:batches], *more)
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer, "compute_one", noted)
    monkeypatch.setattr(driver, "drive", stopped)


@pytest.mark.parametrize(("batches", "kept"), [(0, 0), (1, 4), (2, 8)])
def test_an_interrupt_in_memory_keeps_what_is_done(whole, monkeypatch, batches, kept):
    study = made()
    with monkeypatch.context() as pressed:
        interrupt(pressed, "fast", batches)
        with pytest.raises(KeyboardInterrupt):
            study.run(10, progress=False)
    assert study.trained.seeds("baseline") == 10
    assert study.trained.seeds("fast") == kept
    assert "Not trained, and so not in this report:" in study.report()
    assert_same(study.run(10, progress=False), whole)


def test_a_study_in_a_folder_goes_on_with_the_same_bits(whole, monkeypatch, tmp_path):
    with monkeypatch.context() as pressed:
        interrupt(pressed, "fast", 1)
        with pytest.raises(KeyboardInterrupt):
            made().run(10, out=tmp_path / "study", progress=False)
    begun = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("baseline/*")}
    assert begun, "the first row is kept"
    study = made().run(10, out=tmp_path / "study", progress=False)
    chunks = [path for path in begun if "chunk" in str(path)]
    assert all(path.stat().st_mtime_ns == begun[path] for path in chunks)
    for label in study.rows:
        np.testing.assert_array_equal(study.runs(label).loss, whole.runs(label).loss)
    assert study.report() == whole.report()


def test_what_is_trained_in_memory_is_kept_in_a_folder_that_is_named_later(tmp_path):
    study = made().run(3, progress=False)
    study.run(3, out=tmp_path / "study", progress=False)
    names = sorted(path.name for path in (tmp_path / "study" / "rows").iterdir())
    assert names == ["baseline", "fast", "long"]


@pytest.mark.slow
def test_labels_that_look_alike_have_folders_of_their_own(tmp_path):
    labels = ["a b", "a_b", "..", "x" * 200, "x" * 201, "学习"]
    changes = {label: {"learning_rate": 0.1 + n} for n, label in enumerate(labels)}
    study = made(changes, keep=()).run(2, out=tmp_path / "study", progress=False)
    study.answer().write(tmp_path / "study")
    answer = ap.study.Answer.load(tmp_path / "study")
    for label in study.rows:
        np.testing.assert_array_equal(answer.runs(label).loss, study.runs(label).loss)
    assert len(list((tmp_path / "study" / "rows").iterdir())) == len(study.rows)


# ---- seeds until all is decided ------------------------------------------------------------------


def decided_by_rate(runs):
    """All seeds of the fast row succeed; of the others every second."""
    fast = runs.loss.isel(step=-1) < runs.loss.isel(step=0) - 0.05
    return fast | (runs.seed % 2 == 0)


UNTIL = {"fast": {"learning_rate": 0.1}, "alike": {"learning_rate": 0.011}}


def test_seeds_are_added_until_all_is_decided():
    study = made(UNTIL, success=decided_by_rate)
    study.run(4096, until_decided=True, progress=False)
    rows = study.answer().main_rows.set_index("label")
    assert rows.verdict[["fast", "alike"]].tolist() == ["helps", "no difference that matters"]
    assert rows.n["fast"] == rows.pairs["fast"] == 64
    assert rows.n["alike"] == rows.n["baseline"] == 256
    levels = rows.deciding_level[["fast", "alike"]].to_numpy()
    assert levels == pytest.approx([1 - 0.05 / 2 / 2, 1 - 0.05 / 12 / 2])
    base = study.runs("baseline")
    first = ap.stats.rate(decided_by_rate(base), level=1 - 0.05 / 12)
    assert (rows.low["baseline"], rows.high["baseline"]) == (first.low, first.high)
    assert "Seeds were added until all was decided" in study.report()


@pytest.mark.slow
def test_looks_do_not_go_back():
    study = made(UNTIL, success=decided_by_rate)
    study.run(256, until_decided=True, progress=False)
    before = study.answer().main_rows.set_index("label")
    study.run(256, until_decided=True, progress=False)
    after = study.answer().main_rows.set_index("label")
    assert after.deciding_level.equals(before.deciding_level)
    study.run(300, progress=False)
    again = study.answer().main_rows.set_index("label")
    assert again.n.tolist() == [300, 300, 300]
    assert again.deciding_level["fast"] == pytest.approx(1 - 0.05 / (4 * 5) / 2)


@pytest.mark.slow
def test_an_effect_of_ones_own_allows_for_the_looks_of_all_rows():
    def effect(runs, level):
        return ap.stats.rate(decided_by_rate(runs["fast"]), level=level)

    own = ap.study.own("mine", effect, (0.5, 1), compared="fast", measure="share")
    study = made(UNTIL, success=decided_by_rate, claims=[own])
    study.run(4096, until_decided=True, progress=False)
    (line,) = study.answer().claims.to_dict("records")
    most = max(study.trained.looks.values())
    assert most > 1
    assert line["level_all"] == pytest.approx(1 - 0.05 / (most * (most + 1)) / 3)


def test_a_budget_stops_after_a_batch_that_would_take_too_long(monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self):
            self.now += 10.0
            return self.now

    monkeypatch.setattr(budgets, "time", Clock())
    study = made(UNTIL, success=even)
    study.run(4096, budget="15s", progress=False)
    assert {study.trained.seeds(label) for label in study.rows} == {64}
    assert study.answer().facts["looked_often"]


def test_fewer_seeds_than_the_first_batch_are_all_that_is_trained():
    study = made().run(10, until_decided=True, progress=False)
    assert {study.trained.seeds(label) for label in study.rows} == {10}
