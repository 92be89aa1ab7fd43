"""Promise: what a study wrote is read again, and says what its tables say."""

import pytest

import approx as ap

LINEAR = ap.Recipe(model=ap.MLP((), "linear"), steps=3, batch_size=None)


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
    study = ap.Study(task, LINEAR, below=0.1, factors=rates)
    study.run(4, only=["slow", "fast"], progress=False)
    answer = study.answer()
    assert answer.effects.effect.tolist() == ["rate=slow", "rate=fast"]
    assert "nan%" not in answer.report()
