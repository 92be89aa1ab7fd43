"""Promise: what a study wrote is read again, and says what its tables say."""

import numpy as np
import pytest
from conftest import QUICK

import approx as ap

LINEAR = ap.Recipe(model=ap.MLP((), "linear"), steps=3, batch_size=None)
RUN = {"lanes": 4, "compiler_options": QUICK}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A study in a folder, one of whose cells is the baseline itself."""
    study = ap.Study(
        ap.tasks.square(range=1.0, size=9),
        LINEAR,
        below=0.1,
        factors={"rate": {"as it is": {}, "fast": {"learning_rate": 0.1}}},
        views={"early": ap.study.until("baseline", 2)},
        claims=[ap.never(), ap.same("fast")],
        options=dict.fromkeys(("baseline", "as it is", "fast"), RUN),
    )
    folder = tmp_path_factory.mktemp("study")
    study.run(4, out=folder, progress=False).answer().write(folder, "case")
    return study, folder


def test_rows_that_are_one_training_are_both_read(written):
    study, folder = written
    assert not (folder / "rows" / "as_it_is").exists(), "it is kept as the baseline"
    answer = ap.study.Answer.load(folder, "case")
    for label in study.rows:
        assert answer.runs(label).fingerprint == study.runs(label).fingerprint
    with pytest.raises(KeyError, match=r"no trainings of 'slow' .* there are: baseline, fast"):
        answer.runs("slow")


def test_a_studys_claims_are_read_beside_those_of_other_cases(written):
    study, folder = written
    found = ap.stats.read_claims(folder / "case_claims.csv")
    assert found.claim.values.tolist() == [claim.text for claim in study.claims]
    assert (found.attrs["level"], set(found.n.values)) == (0.95, {4})


def test_effects_are_those_of_the_levels_that_are_trained():
    task = ap.tasks.square(range=1.0, size=9)
    rates = {"rate": {"slow": {}, "fast": {"learning_rate": 0.1}, "wild": {"learning_rate": 1.0}}}
    trained = dict.fromkeys(("slow", "fast"), RUN)
    study = ap.Study(task, LINEAR, below=0.1, factors=rates, options=trained)
    study.run(4, only=["slow", "fast"], progress=False)
    answer = study.answer()
    assert answer.effects.effect.tolist() == ["rate=slow", "rate=fast"]
    assert "nan%" not in answer.report()


def test_a_measure_may_judge_a_function_of_the_runs_and_fits_may_differ_by_row():
    """A share of the variance: rows on a smaller range have smaller losses."""

    def share(runs):
        return runs.loss.isel(step=-1) / float(runs.y_test.where(runs.distance == 0).var())

    def fitted(label):
        return 1e6 if label == "small" else 0.0

    study = ap.Study(
        ap.tasks.square(range=1.0, size=9),
        LINEAR,
        success=ap.study.Measure("never", lambda runs: runs.loss.isel(step=-1) < 0, share),
        changes={"small": {"range": 0.1}},
        fits=fitted,
        options=dict.fromkeys(("baseline", "small"), RUN),
    )
    answer = study.run(4, progress=False).answer()
    rows = answer.rows.set_index("label")
    for label in study.rows:
        values = np.sort(share(study.runs(label)).values)
        assert rows.loc[label, ["q05", "median", "q95"]].tolist() == values[[0, 1, 3]].tolist()
    ends = answer.endings.set_index("label")
    assert ends.ending["small"] == "fits its rows only"
    assert ends.seeds["small"] == 4
    assert "fits its rows only" not in set(ends.loc[["baseline"]].ending)
