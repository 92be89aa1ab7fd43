"""Promise: a study says of every row what `ap.run` and `ap.stats` say of it; its report, its figure
and its files say the same, whatever the rows are called.
"""

from dataclasses import replace
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from conftest import QUICK

import approx as ap
from approx import stats
from approx.study import drawing, reports
from approx.study.measures import hits_of

TASK = ap.tasks.square(range=1.0, size=9)
RECIPE = ap.Recipe(model=ap.MLP((2,), "tanh"), steps=8, learning_rate=0.05, records=(0, 4, 8))
ODD = "<b>&\"'|$x$ %_#{}~^\\"  # a label with all that means something somewhere
SEEDS, MOST = 12, 0.3
PLAIN = {"progress": False, "lanes": 4, "compiler_options": QUICK}
RUN = {"lanes": 4, "compiler_options": QUICK}
CHANGES = {
    "longer": {"steps": 16},
    ODD: {"init_scale": 0.5},
    "None": {"learning_rate": 0.1},
    "wild": {"learning_rate": 1e30},
    "nothing": {},
}
FACTORS = {
    "units": {"2": {}, "3": {"widths": (3,)}},
    "rate": {"slow": {"learning_rate": 0.001}, "fast": {"learning_rate": 0.3}},
}


def is_left_out(cell):
    return cell == {"units": "3", "rate": "slow"}


def final_share(runs, level, interval="exact"):
    """How many seeds of the row "longer" end at a small training loss."""
    return stats.rate(small(runs["longer"]), level=level, interval=interval)


def small(runs):
    return stats.success(runs, below=MOST, of="loss")


CLAIMS = [
    ap.never("wild"),
    ap.rarely("wild", "wild: rarely"),
    ap.usually("longer"),
    ap.always("longer"),
    ap.study.between(0.2, 0.9),
    ap.helps("longer"),
    ap.hurts("wild"),
    ap.same("nothing"),
    ap.helps("longer", "more for the small ones", measure="small"),
    ap.study.better("longer", of="loss"),
    ap.same("best of 3", "best of three"),
    ap.study.own("mine", final_share, (0.5, 1), compared="longer", measure="share"),
]


def made(**more) -> ap.Study:
    measures = {"learned": ap.study.threshold("test_loss", below=MOST), "small": small}
    given = {
        "success": measures,
        "changes": CHANGES,
        "factors": FACTORS,
        "skip": is_left_out,
        "views": {
            "best of 3": ap.study.best_of("baseline", 3),
            "early": ap.study.until("longer", 10),
        },
        "claims": CLAIMS,
        "reported": [ap.study.Reported("a loss of theirs", "baseline", 0.25, step=4)],
        "title": "T <x> $a$",
        "source": "S & co",
    } | more
    study = ap.Study(TASK, RECIPE, **given)
    return ap.Study(TASK, RECIPE, **given, options=dict.fromkeys(study.rows, RUN))


@pytest.fixture(scope="module")
def study():
    return made().run(SEEDS, progress=False)


@pytest.fixture(scope="module")
def rows(study):
    return study.answer().main_rows.set_index("label")


# ---- rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "fields"),
    [
        pytest.param("baseline", {}, marks=pytest.mark.slow),
        pytest.param("longer", {"steps": 16, "records": (0, 4, 16)}, marks=pytest.mark.slow),
        ("3, fast", {"model": ap.MLP((3,), "tanh"), "learning_rate": 0.3}),
    ],
)
def test_a_row_is_what_run_trains_of_its_recipe(study, label, fields):
    runs = ap.run(TASK, replace(RECIPE, **fields), seeds=SEEDS, **PLAIN)
    last = study.runs(label).loss.isel(step=-1)
    np.testing.assert_allclose(last, runs.loss.isel(step=-1), rtol=1e-6)


def test_rates_and_differences_are_those_of_stats(study, rows):
    base = stats.success(study.runs("baseline"), below=MOST)
    for label in (*CHANGES, "2, slow", "3, fast", "early"):
        hits = stats.success(study.runs(label), below=MOST)
        found = stats.rate(hits)
        row = rows.loc[label]
        assert (row.n, row.successes) == (SEEDS, int(found.successes))
        assert (row["rate"], row.low, row.high) == (found.rate, found.low, found.high)
        last = {"a": hits.isel(step=-1), "b": base.isel(step=-1)}
        difference = stats.compare(last, "a", "b")
        assert row.difference == pytest.approx(float(difference.difference))
        assert (row.difference_low, row.difference_high) == (difference.low, difference.high)
    assert np.isnan(rows.difference["baseline"])


def test_verdicts_stand_by_the_exact_interval_that_allows_for_all_verdicts(study, rows):
    judged = rows[rows.verdict.notna()]
    assert sorted(judged.index) == sorted([*CHANGES, "best of 3", "early"])
    many = len(CHANGES) + 2 + len(CLAIMS)
    assert study.answer().facts["verdicts"] == many
    assert judged.deciding_level.to_numpy() == pytest.approx(1 - 0.05 / many)
    for _, row in judged.iterrows():
        assert row.verdict == ap.study.finding(row.deciding_low, row.deciding_high, 0.1)
        assert row.deciding_low <= row.difference_low
        assert row.deciding_high >= row.difference_high


def test_trainings_that_diverged_are_failures_and_stay_in_n(study, rows):
    assert not np.isfinite(study.runs("wild").loss.isel(step=-1)).any()
    wild = rows.loc["wild"]
    assert (wild.n, wild.pairs, wild.successes, wild.diverged) == (SEEDS, SEEDS, 0, SEEDS)
    ends = study.answer().endings
    for label in rows.index:
        here = ends[ends.label == label]
        assert here.seeds.sum() == rows.n[label]
        assert (here.n == rows.n[label]).all()
        assert here["rate"].to_numpy() == pytest.approx((here.seeds / here.n).to_numpy())
    assert ends[ends.label == "wild"].ending.tolist() == ["diverged"]


def test_a_factorial_has_all_combinations_but_those_skipped(study, rows):
    cells = rows[rows.group == "cell"].index
    assert list(cells) == ["2, slow", "2, fast", "3, fast"]
    effects = study.answer().effects.set_index("effect")
    expected = rows["rate"][["2, fast", "3, fast"]].mean()
    assert effects.average["rate=fast"] == pytest.approx(expected)
    assert effects.difference["rate=fast"] == pytest.approx(
        rows["rate"]["2, fast"] - rows["rate"]["2, slow"]
    )
    assert effects.n.tolist() == [SEEDS] * len(effects)


def test_views_look_at_trained_rows(study, rows):
    runs = study.runs("baseline")
    groups = runs.loss.isel(step=-1).values.reshape(-1, 3)
    chosen = groups.argmin(1) + 3 * np.arange(len(groups))
    best = study.runs("best of 3")
    np.testing.assert_array_equal(best.loss.values, runs.loss.values[chosen])
    assert rows.n["best of 3"] == rows.pairs["best of 3"] == SEEDS // 3
    assert rows.steps["early"] == 8
    early = stats.success(study.runs("longer").sel(step=slice(None, 10)), below=MOST)
    assert rows["rate"]["early"] == float(stats.rate(early).rate)


def test_a_claim_about_the_best_of_several_seeds_is_about_pairs_of_groups(study, rows):
    """Each group's best is paired with the first seed of the same group, as in the row's line."""
    claims = study.answer().claims.set_index("claim")
    claim, row = claims.loc["best of three"], rows.loc["best of 3"]
    assert claim.effect == pytest.approx(row.difference)
    assert (claim.low_all, claim.high_all) == (row.deciding_low, row.deciding_high)
    assert claim.n == SEEDS // 3


def test_every_kind_of_claim_is_measured_and_judged(study, rows):
    claims = study.answer().claims.set_index("claim")
    assert len(claims) == len(CLAIMS)
    assert claims.level_all.nunique() == 1
    by_text = {claim.text: claim for claim in CLAIMS}
    for text, line in claims.iterrows():
        assert line.verdict == stats.verdict(
            line.low_all, line.high_all, (line.holds_from, line.holds_to)
        ), text
        if by_text[text].kind == "rate":
            assert line.effect == rows["rate"][by_text[text].row]
    assert claims.effect["longer helps"] == pytest.approx(rows.difference["longer"])
    assert claims.effect["mine"] == float(stats.rate(small(study.runs("longer"))).rate)
    longer, base = (study.runs(label).loss.isel(step=-1) for label in ("longer", "baseline"))
    share = float((longer < base).mean())
    assert claims.effect["longer ends with a better loss"] == pytest.approx(share)
    more = small(study.runs("longer")).hit.isel(step=-1).mean()
    less = small(study.runs("baseline")).hit.isel(step=-1).mean()
    assert claims.effect["more for the small ones"] == pytest.approx(float(more - less))


def test_a_reported_number_has_its_place_among_our_seeds(study):
    (line,) = study.answer().reported.to_dict("records")
    ours = study.runs("baseline").loss.sel(step=4)
    assert line["quantile"] == pytest.approx(float((ours < 0.25).mean()))
    assert (line["n"], line["recipe"]) == (SEEDS, "baseline")


# ---- rows at equal budgets, by hand --------------------------------------------------------------


def by_hand(hit, step) -> xr.Dataset:
    hit = np.array(hit, bool)
    data = {"loss": (("seed", "step"), np.where(hit, 0.1, 0.5)), "hit": (("seed", "step"), hit)}
    return xr.Dataset(data, {"seed": np.arange(len(hit)), "step": list(step)})


def test_rows_at_equal_budgets_by_hand():
    """Nine rows are seen in each step of the baseline: 72 rows in its eight steps."""
    changes = {
        "longer": {"steps": 16, "records": (0, 8, 16)},
        "smaller": {"batch_size": 3},
        "sparse": {"steps": 64, "records": (0, 1, 64)},
        "alike": {"learning_rate": 0.1},
    }
    study = ap.Study(TASK, RECIPE, success=lambda runs: runs.hit, changes=changes)
    base = by_hand([[0, 0, 1], [0, 1, 0], [0, 0, 1], [0, 0, 1]], (0, 4, 8))
    longer = by_hand([[0, 1, 1], [0, 0, 1], [0, 0, 1], [0, 0, 1]], (0, 8, 16))
    for label in study.rows:
        study.trained.add(label, base)
    study.trained.add("longer", longer)
    study.trained.add("sparse", longer.assign_coords(step=[0, 1, 64]))
    rows = study.answer().main_rows.set_index("label")
    assert rows.difference["longer"] == 0.25
    assert rows.equal_rows_seen["longer"] == 72
    assert rows.equal_difference["longer"] == pytest.approx(1 / 4 - 3 / 4)
    found = stats.compare({"a": stats_hits([1, 0, 0, 0]), "b": stats_hits([1, 0, 1, 1])}, "a", "b")
    assert (rows.equal_low["longer"], rows.equal_high["longer"]) == (found.low, found.high)
    unknown = rows.equal_difference[["smaller", "sparse", "alike"]]
    assert unknown.isna().all(), "no record is near the end of the shorter one, or both are alike"


def stats_hits(values) -> xr.Dataset:
    return xr.Dataset({"hit": ("seed", np.array(values, bool))}, {"seed": range(len(values))})


# ---- rules of success ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("give", "words"),
    [
        (lambda runs: 3.0, "gives a float of shape"),
        (lambda runs: np.zeros(2, bool), r"gives a ndarray of shape \(2,\)"),
        (lambda runs: runs.drop_vars("hit"), "no variable 'hit'"),
        (lambda runs: runs.loss.isel(seed=slice(3)) < 1, "every seed counts"),
        (lambda runs: (runs.loss < 0.3).where(runs.loss < 0.3).dropna("seed"), "every seed counts"),
        (lambda runs: (runs.loss < 1).isel(seed=slice(None, None, -1)), "every seed counts"),
        (lambda runs: runs.loss.isel(step=-1), "true or false"),
        (lambda runs: (runs.loss < 1).where(runs.seed > 0), "nan"),
        (lambda runs: (runs.loss < 1).expand_dims(noise=2), "over the dimensions"),
    ],
)
def test_a_rule_of_success_that_gives_no_hits_of_all_seeds_is_refused(give, words):
    runs = by_hand([[0, 0], [0, 1], [1, 1], [0, 1], [0, 0]], (0, 8))
    with pytest.raises(ValueError, match=f"the rule of success 'mine'.*{words}"):
        hits_of("mine", ap.study.Measure("mine", give), runs)


def test_a_rule_of_success_may_give_an_array_of_one_bool_for_each_seed():
    runs = by_hand([[0, 0], [0, 1], [1, 1]], (0, 8))
    rule = ap.study.Measure("mine", lambda runs: runs.hit.values[:, -1])
    assert hits_of("mine", rule, runs).hit.values.tolist() == [False, True, True]


# ---- reports and figures -------------------------------------------------------------------------


class Reader(HTMLParser):
    """Reads a page: which tags are open, the entries of its tables, and what it points to."""

    def __init__(self):
        super().__init__()
        self.open, self.entries, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "!doctype"):
            self.open.append(tag)
        if tag in ("th", "td"):
            self.entries.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"th", "td"} & set(self.open):
            self.entries[-1] += data


def test_a_page_is_whole_and_loads_nothing_from_elsewhere(study):
    text = study.report("html")
    page = Reader()
    page.feed(text)
    assert page.open == []
    assert page.links == []
    assert "http" not in text
    assert "<b>" not in text
    assert ODD in page.entries
    assert {"baseline", "None", "best of 3", "3, fast"} <= set(page.entries)


def test_a_notebook_shows_the_sentences_and_the_rates(study, rows):
    text = study._repr_html_()
    page = Reader()
    page.feed(text)
    assert page.open == []
    assert "<b>" not in text
    assert text == study.answer()._repr_html_()
    for label in ("baseline", "longer", ODD):
        row = rows.loc[label]
        place = page.entries.index(label)
        rate = reports.with_interval(row.rate, row.low, row.high)
        assert page.entries[place + 1 : place + 3] == [str(row.n), rate]


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html"])
def test_every_format_names_every_row(study, form):
    text = study.report(form)
    plain = [label for label in study.labels if label not in (ODD, "None")]
    assert all(label in text for label in plain)
    assert text.count("nan") == text.count("nan%") == 0


def test_tables_in_markdown_and_latex_keep_their_columns(study):
    heads = {}
    for line in study.report("markdown").splitlines():
        if line.startswith("| "):
            bars = line.replace("\\|", "").count("|")
            assert heads.setdefault("now", bars) == bars
        elif not line:
            heads.clear()
    tables = study.report("latex").split(r"\begin{tabular}{")[1:]
    for table in tables:
        columns = len(table.split("}")[0])
        for line in table.splitlines():
            if line.endswith(r" \\"):
                assert line.replace(r"\&", "").count(" & ") == columns - 1
    assert r"\$x\$" in study.report("latex")


def test_an_unknown_format_is_refused(study):
    with pytest.raises(ValueError, match="text, markdown, latex, html; got 'pdf'"):
        study.report("pdf")


def test_the_figure_shows_every_row_and_writes_a_file(study, tmp_path):
    figure = study.figure(tmp_path / "new" / "answer.png")
    assert (tmp_path / "new" / "answer.png").read_bytes()[1:4] == b"PNG"
    rates, _, became = figure.axes[:3]
    names = [text.get_text().replace("\\$", "$") for text in rates.get_yticklabels()]
    assert names[0] == "baseline"
    wanted = {label if label != "best of 3" else "best of 3 (4)" for label in study.labels}
    assert set(names) == wanted
    widths = np.zeros(len(names))
    for bar in became.patches:
        widths[round(bar.get_y() + bar.get_height() / 2)] += bar.get_width()
    assert widths == pytest.approx(1)


def test_endings_are_told_apart_in_grey():
    """Those of one colour differ by their hatches."""
    looks = drawing.LOOKS.values()
    assert len({(look.color, look.hatch) for look in looks}) == len(looks)
    colors = {look.color for look in looks}
    greys = sorted(
        np.dot(plt.matplotlib.colors.to_rgb(c), (0.2126, 0.7152, 0.0722)) for c in colors
    )
    assert np.diff(greys).min() >= 0.08


def test_nothing_is_said_before_anything_is_trained(tmp_path):
    study = made()
    for call in (study.report, study.answer, study.figure, lambda: study.save(tmp_path)):
        with pytest.raises(RuntimeError, match=r"call study\.run"):
            call()
    with pytest.raises(KeyError, match="'longer' is not trained"):
        study.runs("longer")


# ---- files ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "saved"
    study.save(folder)
    return folder


@pytest.mark.parametrize("form", reports.FORMS)
def test_what_was_saved_reports_the_same(study, saved, form):
    assert ap.Study.load(saved).report(form) == study.report(form)


def test_what_was_saved_has_the_same_trainings(study, saved):
    answer = ap.Study.load(saved)
    for label in study.rows:
        xr.testing.assert_identical(answer.runs(label), study.runs(label))
    assert len(answer.figure().axes) == len(study.figure().axes)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("study.json", "{"),
        ("study.json", "[]"),
        ("study.json", '{"format": 1}'),
        ("study.json", '{"format": "x"}'),
        ("rows.csv", None),
        ("endings.csv", None),
        ("rows.csv", ""),
        ("rows.csv", "a,b\n1,2\n"),
        ("claims.csv", 3),
        ("rows.csv", 4),
    ],
)
def test_a_damaged_file_is_refused_by_its_name(saved, tmp_path, file, text):
    """None: the file is missing; a number: so many of its lines are left."""
    for path in saved.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    damaged = tmp_path / file
    if text is None:
        damaged.unlink()
    elif isinstance(text, int):
        damaged.write_text("".join(damaged.read_text().splitlines(keepends=True)[:text]))
    else:
        damaged.write_text(text)
    with pytest.raises(ValueError, match=file):
        ap.Study.load(tmp_path)


def test_a_newer_study_and_none_are_refused(saved, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"study\.json is missing"):
        ap.Study.load(tmp_path)
    newer = (saved / "study.json").read_text().replace('"format": 1', '"format": 99')
    (tmp_path / "study.json").write_text(newer)
    with pytest.raises(ValueError, match=r"newer version of approx \(format 99\)"):
        ap.Study.load(tmp_path)
