"""Promise: a figure says what its committed table says, and every kind that it draws is in its
legend.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.text import Text
from scripts import ROOT, script

import approx as ap
from approx import plot, stats


def texts_of(figure) -> str:
    """All that stands in a figure, in its panels and beside them."""
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def captioned(name: str) -> str:
    """What the gallery says below a figure."""
    return script("figures", "gallery").paragraph("figures", name, "Shows: ")


def test_every_ending_of_the_intervals_seeds_has_a_bar():
    """Plateaus of both losses have colours of their own; what has no name is drawn as one."""
    interval = script("figures", "interval")
    named = {name for plateaus in interval.case.PLATEAUS.values() for name in plateaus}
    assert {interval.LEARNED, *named, interval.OTHER} == set(interval.COLORS)
    assert list(interval.COLORS) == list(interval.WORDS) == list(interval.case.ENDINGS)
    kinds = [*named, "learned", "stuck", "at 0.4801", "still falling", "diverged"]
    label = interval.case.NNET
    ends = pd.DataFrame({"label": label, "ending": kinds, "rate": 1 / len(kinds)})
    row = {"measure": "m", "label": label, "rate": 0.1, "low": 0.0, "high": 0.5, "n": 8}
    facts = {"measures": {"m": ""}}
    answer = ap.study.Answer(facts, pd.DataFrame([row]), ends, *[pd.DataFrame()] * 3)
    shares = interval.shares_of(answer)
    assert shares.loc[label, interval.OTHER] == pytest.approx(4 / len(kinds))
    _, ax = plt.subplots()
    interval.draw_endings(ax, answer, shares, 8)
    assert sum(bar.get_width() for bar in ax.patches) == pytest.approx(1)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["BFGS (R's nnet)"]


def test_the_interval_is_drawn_from_its_tables():
    """Every ending is in the key, has a dozen functions, and its shares are the table's."""
    interval = script("figures", "interval")
    case = interval.case
    networks = pd.read_csv(case.SUMMARIES / "interval_functions.csv")
    assert networks.groupby("ending").size().to_dict() == dict.fromkeys(case.ENDINGS, case.MOST)
    x, y = (np.asarray(values, float)[:, 0] for values in (case.RAW.x, case.RAW.y))
    for (label, ending), here in networks.groupby(["label", "ending"]):
        p = case.functions(here, x)
        is_right = ((p > 0.5) == (y == 1)).all(1)
        assert (is_right == (ending == case.LEARNED)).all()
        if ending in case.plateaus(label):
            losses = -np.log(np.where(y == 1, p, 1 - p)).mean(1)
            if label.endswith("squares"):
                losses = ((p - y) ** 2).mean(1)
            np.testing.assert_allclose(losses, case.plateaus(label)[ending], rtol=0.02)
    answer = ap.study.Answer.load(case.SUMMARIES, case.NAME)
    rows = answer.main_rows.set_index("label")
    said = texts_of(interval.draw(case.SUMMARIES))
    assert set(interval.WORDS.values()) <= set(said.split("\n"))
    for row in (rows.loc[label] for names in interval.ROWS.values() for label in names.values()):
        assert f"{row.rate:.0%} [{100 * row.low:.0f}, {100 * row.high:.0f}]" in said
    ends = interval.shares_of(answer)
    trained = ends.loc[[case.RAW_ADAM, case.Z_ADAM, case.NNET, case.Z_NNET]]
    assert (trained[interval.OTHER] < 0.05 * (1 - trained[interval.LEARNED])).all()
    answered = rows.loc[case.after(case.Z_ADAM, case.SHORT)]
    assert rows.successes[case.SGD] == 0
    assert f"0 of {rows.n[case.SGD]} seeds" in captioned("interval")
    assert f"for {answered.successes}, which are {answered.rate:.0%}" in captioned("interval")


def test_the_intervals_remedies_are_drawn_from_their_tables():
    """The curves end at the rates of the table, and these are the caption's."""
    remedies = script("figures", "interval_remedies")
    case = remedies.case
    curves = pd.read_csv(case.SUMMARIES / "interval_curves.csv")
    rows = ap.study.Answer.load(case.SUMMARIES, case.NAME).main_rows.set_index("label")
    assert set(curves.label) == set(remedies.CURVES) == set(case.CURVES)
    last = curves.groupby("label").tail(1).set_index("label")
    for label in remedies.CURVES:
        assert abs(last.successes[label] - rows.successes[label]) <= 2
        assert last.epoch[label] == case.EPOCHS[-1]
    drawn = remedies.draw(case.SUMMARIES)
    assert f"{rows.n[case.Z_ADAM]} seeds each" in texts_of(drawn)
    names = {look[0] for look in (*remedies.CURVES.values(), *remedies.WIDTHS.values())}
    assert names <= {text.get_text() for text in drawn.findobj(Text)}
    widest = [("raw", "Adam 0.1"), ("raw", "BFGS", "nnet")]
    eight = [case.cell(*levels, width="8 units") for levels in widest[:1]]
    eight += [case.cell(*levels, width="8 units", loss="squares") for levels in widest[1:]]
    adam, sgd, few_adam, few_bfgs = (
        f"{rows.rate[label]:.0%}" for label in (case.Z_ADAM, case.Z_SGD_FASTER, *eight)
    )
    said = captioned("interval_remedies")
    assert f"with them {adam} of {rows.n[case.Z_ADAM]} seeds succeed by Adam and {sgd}" in said
    half = curves[curves.rate >= 0.5].groupby("label").epoch.min()
    after = f"after {half[case.Z_ADAM]:g} and after 300 to {half[case.Z_SGD_FASTER]:g} epochs"
    assert after in said
    assert f"only {few_adam} by Adam and {few_bfgs} by BFGS" in said
    assert f"{rows.rate[case.RAW_ADAM]:.0%} or none" in said
    assert rows.successes[case.Z_SGD] == rows.successes[case.Z_ADAM_1] == 0


def test_the_identity_shows_the_errors_of_its_table():
    """Four networks with 84 inputs and outputs each, whose spread gives the R² that is written."""
    identity = script("figures", "identity")
    case = identity.case
    table = pd.read_csv(case.SUMMARIES / "identity_examples.csv")
    assert list(identity.NAMES) == list(case.EXAMPLES) == list(table.label.unique())
    figure = identity.draw(case.SUMMARIES)
    rows = ap.study.Answer.load(case.SUMMARIES, case.CASE).main_rows.set_index("label")
    for ax, (label, name) in zip(figure.axes, identity.NAMES.items(), strict=True):
        here = table[table.label == label]
        points = ax.lines[-1].get_xydata()
        np.testing.assert_array_equal(points, here[["input", "output"]])
        error, r_squared = here.error.iloc[0], here.r_squared.iloc[0]
        said = texts_of(ax)
        assert name in said
        assert case.power(error) in said
        verdict = "success" if rows.rate[label] == 1 else "no success"
        assert f"R² {r_squared:.2f}: {verdict}".replace("-", "−") in said
        # 84 of the 33,600 numbers that the error is a mean of
        of_this_row = ((here.output - here.input) ** 2).mean()
        assert of_this_row == pytest.approx(1 - r_squared, rel=0.6, abs=1e-6)
        written = 1e-6  # half of the last digit of an R² of 1 in the table
        low, high = 0.9 * rows.q05[label] - written, 1.1 * rows.q95[label] + written
        assert low < 1 - r_squared < high
    first = table.groupby("label").first()
    said = captioned("identity")
    assert f"an error of {case.power(first.error['A'])} and" in said
    assert f"R² is {first.r_squared['A']:.2f}" in said
    assert f"error of {case.power(first.error['B'])} goes" in said
    assert f"R² of {first.r_squared['B']:.2f}" in said


def test_the_identitys_remedies_are_counted_as_in_the_table():
    """Twelve rows, each with its number of seeds; those that learn lie where success is shaded."""
    remedies = script("figures", "identity_remedies")
    case = remedies.case
    rows = ap.study.Answer.load(case.SUMMARIES, case.CASE).main_rows.set_index("label")
    figure = remedies.draw(case.SUMMARIES)
    [ax] = figure.axes
    labels = [case.cell(*pair, of) for of in remedies.OPTIMIZERS for pair in remedies.NAMES]
    assert set(labels) == set(rows.index[rows.group == "cell"])
    counts = [text.get_text() for text in ax.texts if " of " in text.get_text()]
    assert counts == [f"{rows.successes[label]} of {rows.n[label]}" for label in labels]
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == list(remedies.NAMES.values()) * 2
    learned = [name for name, count in zip(labels, counts, strict=True) if count == "88 of 88"]
    scaled = [label for label in labels if label.endswith("Adam") and not label.startswith("raw")]
    scaled += [case.cell(of, "scaled loss", "SGD") for of in ("per sample", "per feature")]
    assert set(learned) == set(scaled)
    assert rows.diverged[case.cell("raw", "scaled loss", "SGD")] == 88
    assert "all of 88 seeds" in captioned("identity_remedies")
    for mark in ax.lines:
        [x, *_], [y, *_] = mark.get_xdata(), mark.get_ydata()
        if mark.get_marker() == "o":
            at = list(ax.get_yticks()).index(y)
            assert (x <= 1 - case.LEARNED) == (labels[at] in learned)


def test_the_identitys_closed_forms_are_what_was_measured():
    """Within a tenth; the title and the caption have the numbers of the table of closed forms."""
    time = script("figures", "identity_time")
    case = time.case
    forms = pd.read_csv(case.SUMMARIES / "identity_closed_forms.csv").set_index("label")
    curves = pd.read_csv(case.SUMMARIES / "identity_curves.csv")
    assert set(forms.index) == set(curves.label) == set(time.LOOKS) == set(case.CURVES)
    for label in ("A", "B", time.STANDARDISED):
        here = curves[(curves.label == label) & (curves.updates >= 300)]
        form = forms.loc[label].query("unexplained > 0")
        expected = np.interp(here.updates, form.updates, np.log(form.unexplained))
        np.testing.assert_allclose(np.log(here["median"]), expected, atol=0.1)
    exact = pd.read_csv(case.SUMMARIES / "identity_exact.csv").set_index("label")
    rows = case.study().rows
    needed = {}
    for label in time.LOOKS:
        needed[label] = time.updates_needed(forms.loc[label])
        length = case.epoch(rows[label].task, rows[label].recipe.batch_size)
        assert needed[label] == pytest.approx(length * exact["epochs to R² 0.99"][label], rel=0.03)
    figure = time.draw(case.SUMMARIES)
    title, said = texts_of(figure), captioned("identity_time")
    for label in ("A", time.STANDARDISED):
        assert case.power(needed[label]) in title
    for label in ("A", "rate 0.4", time.STANDARDISED):
        assert case.power(needed[label]) in said
    assert {look[0] for look in time.LOOKS.values()} <= {
        text.get_text() for text in figure.axes[0].texts
    }
    assert f"made {rows['A'].recipe.steps:,}." in said
    assert time.updates_needed(forms.loc["A"].iloc[:20]) == np.inf


def test_the_remedies_of_the_square_are_drawn_from_the_committed_table():
    """Every row of the table stands in the figure once, and the recipe as asked stands first."""
    figure = script("figures", "square_remedies")
    answer = ap.study.Answer.load(ROOT / "experiments" / "summaries", "square")
    groups = figure.in_groups(answer)
    drawn = [label for rows in groups.values() for label in rows.label]
    assert len(drawn) == len(set(drawn)) >= 34
    assert drawn[0] == "baseline"
    said = texts_of(figure.draw(ROOT / "experiments" / "summaries"))
    for rows in groups.values():
        for row in rows.itertuples():
            assert figure.name_of(row, answer.main_rows.n.max()) in said


def test_results_are_those_of_which_the_table_was_made():
    plot.check_identity("tanh", "e0b94d9f9d67aa", "e0b94d9f9d67")
    for said in ("b94d9f9d67aa", ""):
        with pytest.raises(
            ValueError, match="the results of tanh are e0b94d9f9d67, and the summary was made of"
        ):
            plot.check_identity("tanh", "e0b94d9f9d67aa", said)


def test_numbers_are_compared_to_the_digits_of_the_table():
    plot.check_number("a", 0.12345, 0.123)
    plot.check_number("a", np.inf, np.inf)
    plot.check_number("a", 88, 88)
    for ours, said in ((0.1, 0.2), (88, 87), (np.inf, 3.0), (np.nan, 1.0)):
        with pytest.raises(ValueError, match="would contradict its table: a is"):
            plot.check_number("a", ours, said)


def test_maps_refuse_kinds_without_a_colour_or_a_name():
    dims = ("width", "rate")
    kinds = xr.Dataset(
        {
            "kind": (dims, np.array([["learned", "undecided"], ["constant", "learned"]])),
            "n": (dims, np.full((2, 2), 9)),
        },
        {"width": [1.0, 2.0], "rate": [0.1, 0.2]},
        {"kinds": ["learned", "constant"]},
    )
    assert plot.regions(kinds, colors={"learned": "C0", "constant": "C1", "diverged": "C2"})
    with pytest.raises(ValueError, match=r"no colour for the kinds \['constant'\]"):
        plot.regions(kinds, colors={"learned": "C0"})
    with pytest.raises(ValueError, match=r"\['constant'\] are on the map and not named"):
        plot.regions(kinds, named=["learned"])


def test_the_map_of_the_square_draws_all_its_kinds():
    figure = script("figures", "map_square")
    shape = (1, 1, 5)
    loss = np.array(
        [[np.nan] * 3, [1, 1, 1e-5], [1, 1, 0.5], [figure.CONSTANT] * 3, [0.3, 0.3, 0.3]]
    )
    both = {
        name: (("width", "rate", "seed", "step"), loss.reshape(*shape, 3))
        for name in ("loss", "test_loss")
    }
    runs = xr.Dataset(both, {"step": [0, 10, 20], "width": [1.0], "rate": [0.1]})
    found = figure.kinds(runs)
    assert found.kind.values.ravel().tolist() == [
        "diverged",
        "learned",
        "still falling",
        "best constant",
        "stands still",
    ]
    assert stats.majority(found).kind.shape == (1, 1)
    plot.check_colors(np.unique(found.kind), figure.COLORS)


def test_the_table_of_scalings_says_what_its_summary_says():
    figure = script("figures", "square_scaling")
    answer = ap.study.Answer.load(figure.SUMMARIES, figure.CASE)
    rows = answer.rows.set_index(["measure", "label"]).rate
    for measure in ("learned", "held"):
        _, ax = plt.subplots()
        figure.draw_combinations(answer, measure, "it", ax)
        drawn = [text.get_text() for text in ax.texts]
        units = [label.get_text() for label in ax.get_yticklabels()]
        written = np.array(drawn[:-2]).reshape(len(units), -1)
        assert drawn[-2:] == list(figure.SCALINGS)
        for unit, name in (("highway", "highway"), ("u v", "u·v")):
            said = written[units.index(name)].tolist()
            pairs = [(m, scaling) for scaling in ("raw", "scaled") for m in figure.METHODS]
            asked = [100 * rows[measure, f"{m}, {unit}, {scaling}"] for m, scaling in pairs]
            assert said == [f"{share:.0f}" for share in asked]


def test_the_hero_counts_its_seeds():
    """The seed that stands for one training is drawn last, over the others and the target."""
    figure = script("figures", "hero")
    x = np.linspace(-12, 12, 25)
    distance = ("point", np.maximum(abs(x) - 10, 0))
    outputs = np.stack([x**2, 0 * x, x])[..., None]
    runs = xr.Dataset(
        {"prediction": (("seed", "point", "output"), outputs)},
        {"x_test": (("point", "input"), x[:, None]), "distance": distance},
    )
    _, ax = plt.subplots()
    figure.draw_functions(runs, ax)
    figure.name_lines(stats.rate(xr.DataArray([True, False, False], dims="seed")), ax)
    np.testing.assert_array_equal(ax.lines[-1].get_ydata(), x**2)
    assert len(ax.lines) == 3 + 2
    assert {"light: 3 trainings", "1 learned it"} <= {text.get_text() for text in ax.texts}


def rates_of(successes, n=32, **axes):
    """Rates of cells with those successes."""
    low, high = stats.binomial_interval(successes, n)
    numbers = {"successes": successes, "rate": successes / n, "low": low, "high": high}
    numbers |= {"n": np.full(successes.shape, n), "diverged": 0 * successes}
    return xr.Dataset({name: (list(axes), values) for name, values in numbers.items()}, axes)


def test_the_map_of_the_identity_says_the_least_spread_that_is_learned():
    figure = script("figures", "map_identity")
    axes = {"learning_rate": [0.1, 1.0], "spread": [0.01, 0.485, 3.0]}
    rates = rates_of(np.array([[0, 18, 32], [0, 30, 32]]), **axes)
    assert figure.message("SGD", rates) == "SGD needs a spread of at least 0.48"
    nothing = rates_of(np.array([[0, 18, 16]] * 2), **axes)
    assert figure.message("Adam", nothing) == "Adam: success is decided at no spread"
    _, ax = plt.subplots()
    thread = figure.mark_thread(ax)
    assert (thread.get_xdata()[0], thread.get_ydata()[0]) == figure.THREADS


def test_a_map_of_the_interval_without_success_says_so_in_words():
    figure = script("figures", "map_interval")
    axes = {"learning_rate": [0.1, 1.0], "init_scale": [1.0, 10.0]}
    for successes, says in ((0, ["0 of 128 trainings"]), (1, [])):
        _, ax = plt.subplots()
        figure.draw_rates(rates_of(np.full((2, 2), successes), **axes), ax, "", False)
        assert [text.get_text() for text in ax.texts if text.get_gid() is None] == says


def test_rates_of_the_interval_by_width_are_those_of_the_recipes():
    figure = script("figures", "map_interval_width")
    labels = ["SGD 2", "SGD 16", "Adam 2", "Adam 16"]
    rates = rates_of(np.arange(8).reshape(4, 2), recipe=labels, learning_rate=[0.1, 1.0])
    wide = figure.by_width(rates)
    assert (wide.optimizer.values.tolist(), wide.width.values.tolist()) == (
        ["SGD", "Adam"],
        [2, 16],
    )
    assert wide.successes.values.tolist() == [[[0, 2], [1, 3]], [[4, 6], [5, 7]]]


def test_the_map_of_the_waveform_puts_its_classes_in_order(monkeypatch):
    figure = script("figures", "map_waveform")

    def load(path):
        classes = int(path.stem.split("_")[3])
        return rates_of(np.full(3, classes // 2), learning_rate=[0.1, 1.0, 10.0])

    monkeypatch.setattr(ap.study, "load_rates", load)
    rates = figure.over_classes(ROOT, "adam")
    assert rates.rate.dims == ("classes", "learning_rate")
    assert rates.classes.values.tolist() == [2, 4, 8, 16, 32, 64]
    assert rates.successes.values[:, 0].tolist() == [1, 2, 4, 8, 16, 32]


def test_the_map_of_the_clusters_is_drawn_from_committed_rates(tmp_path):
    """And its title counts them."""
    figure = script("figures", "map_clusters")
    figure.main(figures=tmp_path)
    assert (tmp_path / "map_clusters.png").exists()
    bare = ap.study.load_rates(ROOT / "experiments/summaries/map_clusters_bare_rates.nc")
    assert "without, 0 of 25,600 trainings succeed" in figure.message(bare)


def test_the_gallery_counts_the_trainings_of_rates(tmp_path):
    gallery = script("figures", "gallery")
    says = gallery.facts(tmp_path, gallery.FIGURES["map_clusters"])
    assert says.startswith("51,200 trainings, 32 seeds a setting; checksum of the 2 result files ")
