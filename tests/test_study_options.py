"""Promise: options of a row change its seeds and its start alone; pages leave out what no claim
names.
"""

import numpy as np
import pandas as pd
import pytest

import approx as ap
from approx.study.reports import MOST_ROWS, for_a_page

TASK = ap.tasks.square()
RECIPE = ap.Recipe(model=ap.MLP((2,), "tanh"), steps=2, records=(0, 1, 2))


@pytest.fixture
def soon(quiet):
    """Options of a row that make it soon compiled."""
    return {name: value for name, value in quiet.items() if name != "progress"}


def starts(seeds):
    """Networks whose output's bias is the seed's number; from seed 3 on no unit sees the input."""
    n = len(seeds)
    hidden = {"w": np.zeros((n, 1, 2)), "b": np.zeros((n, 2))}
    output = {"w": np.zeros((n, 2, 1)), "b": np.asarray(seeds, float)[:, None]}
    hidden["w"][np.asarray(seeds) < 3] = 1
    return [hidden, output]


@pytest.mark.slow
def test_a_row_has_more_seeds_or_fewer_and_starts_of_its_own(soon):
    """The first seeds of all rows are paired; a start that depends on the seed is its own."""
    study = ap.Study(
        TASK,
        RECIPE,
        below=1e9,
        changes={"few": {"learning_rate": 0.02}, "from zero": {"steps": 1}},
        options={
            "baseline": {"seeds": 3, **soon},
            "few": {"seeds": 0.5, **soon},
            "from zero": {"init_params": starts, "keep_at": (0,), **soon},
        },
        keep=("params",),
    )
    study.run(seeds=6, progress=False)
    sizes = {label: study.runs(label).sizes["seed"] for label in study.rows}
    assert sizes == {"baseline": 18, "few": 3, "from zero": 6}
    rows = study.answer().rows.set_index("label")
    assert rows.loc[["few", "from zero"], "pairs"].tolist() == [3, 6]
    assert study.answer().facts["seeds"] == 18
    first = ap.params(study.runs("from zero"))
    assert first[1]["b"][:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    study.run(seeds=8, only="from zero", progress=False)  # those that are added have theirs too
    assert ap.params(study.runs("from zero"))[1]["b"][:, 0].tolist() == list(range(8))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"seeds": 0}, ValueError, "'baseline': seeds is 0; it is a factor on the seeds"),
        ({"seeds": float("nan")}, ValueError, "seeds is nan; it is a factor"),
        ({"seeds": float("inf")}, ValueError, "seeds is inf; it is a factor"),
        ({"seeds": "512"}, TypeError, "seeds is '512'; it is a factor"),
        ({"seeds": True}, TypeError, "seeds is True; it is a factor"),
        (512, TypeError, "options of 'baseline' is 512; give a dictionary"),
    ],
)
def test_a_factor_on_the_seeds_that_cannot_be_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        ap.Study(TASK, RECIPE, below=1, options={"baseline": options})


@pytest.mark.slow
def test_endings_say_how_many_units_are_idle(soon):
    study = ap.Study(
        TASK,
        RECIPE,
        success=lambda runs: runs.seed < 3,
        options={"baseline": {"init_params": starts, **soon}},
        keep=("params",),
    )
    answer = study.run(seeds=7, progress=False).answer()
    ends = answer.endings.assign(learned=answer.endings.ending == "learned")
    assert ends.seeds[ends.learned].tolist() == [3]
    assert ends.idle_units[ends.learned].tolist() == [0]
    assert set(ends.idle_units[~ends.learned]) == {1}
    assert answer.rows.idle_units.tolist() == [pytest.approx(4 / 7)]
    assert "| learned | 3 of 7 |" in answer.report("markdown")
    assert "idle units" in answer.report("markdown").partition("What became")[2]


def test_a_page_leaves_out_the_combinations_that_no_claim_names():
    labels = ["baseline", *map(str, range(MOST_ROWS))]
    groups = ["baseline", *["cell"] * MOST_ROWS]
    rows = pd.DataFrame({"measure": "success", "label": labels, "group": groups})
    endings = pd.DataFrame({"label": labels, "ending": "learned"})
    facts = {"measures": {"success": ""}, "claimed": ["3"]}
    empty = pd.DataFrame()
    whole = ap.study.Answer(facts, rows, endings, empty, empty, empty)
    page, sentences = for_a_page(whole)
    assert page.rows.label.tolist() == page.endings.label.tolist() == ["baseline", "3"]
    assert sentences == [
        f"The tables below leave out {MOST_ROWS - 1} combinations that no claim names."
    ]
    small = ap.study.Answer(facts, rows[:-1], endings[:-1], empty, empty, empty)
    assert for_a_page(small) == (small, [])
