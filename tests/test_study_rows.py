"""Promise: a row of a study is compared with the row that the study names, by its rate and by the
values it ends with; and rows that are the same training are trained once.
"""

import numpy as np
import pytest
from conftest import QUICK

import approx as ap

TASK = ap.tasks.square(range=1.0, size=9)
RECIPE = ap.Recipe(model=ap.MLP((), "linear"), steps=2, batch_size=None, learning_rate=0.01)
RUN = {"lanes": 4, "compiler_options": QUICK}


def even(runs):
    """Success of the seeds of even number."""
    return runs.seed % 2 == 0


def made(**options):
    changes = {"fast": {"learning_rate": 0.1}, "fast, long": {"learning_rate": 0.1, "steps": 3}}
    told = options.pop("options", {})
    given = {"success": even, "changes": changes} | options
    rows = ap.Study(TASK, RECIPE, **given).rows
    soon = {label: RUN | told.get(label, {}) for label in rows}
    return ap.Study(TASK, RECIPE, **given, options=soon)


def test_a_row_is_compared_with_the_row_that_is_named():
    study = made(against={"fast, long": "fast"}, options={"fast": {"seeds": 0.5}})
    rows = study.run(8, progress=False).answer().rows.set_index("label")
    assert rows.pairs[["fast", "fast, long"]].tolist() == [4, 4], "both have fewer seeds in common"
    assert rows.against[["fast", "fast, long"]].tolist() == ["", "fast"]
    assert np.isnan(rows.difference["baseline"])
    report = study.report()
    assert (
        "differences are to the row that stands under “against”, or else to the baseline" in report
    )
    plain = made().run(2, progress=False).report()
    assert "differences are to the baseline on" in plain


def test_rows_of_equal_rates_are_told_apart_by_the_values_that_they_end_with():
    """No seed succeeds. A rate of 0.1 ends better than the baseline's 0.01 for every seed, and a
    rate of 0 ends worse than that of 0.1.
    """
    changes = {"still": {"learning_rate": 0.0}, "fast": {"learning_rate": 0.1}}
    against = {"still": "fast"}
    study = made(success=None, below=1e-9, of="loss", changes=changes, against=against)
    rows = study.run(8, progress=False).answer().rows.set_index("label")
    assert rows.difference[["still", "fast"]].tolist() == [0, 0]
    assert rows.better[["still", "fast"]].tolist() == [0, 1]
    assert (rows.better_low["still"], rows.better_high["fast"]) == (0, 1)
    assert rows.better_high["still"] > 0
    assert rows.better_low["fast"] < 1
    assert np.isnan(rows.better["baseline"])
    assert "Ends better: the seeds whose value is better" in study.report()


def test_seeds_that_end_alike_count_half():
    study = made(success=None, below=1e-9, of="loss", changes={"again": {"records": (0, 2)}})
    rows = study.run(8, progress=False).answer().rows.set_index("label")
    assert rows.better["again"] == 0.5


@pytest.mark.parametrize(
    ("against", "words"),
    [
        ({"slow": "fast"}, "against names the row 'slow'; there are only: 'baseline', 'fast'"),
        ({"fast": "slow"}, "against, for 'fast', names the row 'slow'"),
        ({"fast": "fast"}, "against compares 'fast' with itself"),
    ],
    ids=["no such row", "no such other row", "itself"],
)
def test_a_comparison_that_cannot_be_is_refused(against, words):
    with pytest.raises(ValueError, match=words):
        made(against=against)


def test_rows_that_are_equal_are_trained_once():
    factors = {
        "rate": {"0.01": {}, "0.1": {"learning_rate": 0.1}},
        "length": {"short": {}, "long": {"steps": 3}},
    }
    study = made(factors=factors).run(2, progress=False)
    for label, other in (("0.01, short", "baseline"), ("0.1, long", "fast, long")):
        assert study.runs(label) is study.runs(other)
    assert study.runs("0.01, long") is not study.runs("0.1, long")
