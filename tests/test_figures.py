"""Promise: a figure says what its committed table says, and every kind that it draws is in its
legend.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scripts import ROOT, script

import approx as ap
from approx import plot, stats
from approx.study import drawing


def test_every_ending_of_the_intervals_seeds_has_a_bar():
    """Plateaus of both losses have colours of their own; what has no name is drawn as one."""
    interval = script("figures", "interval")
    named = {name for plateaus in interval.case.PLATEAUS.values() for name in plateaus}
    assert {interval.LEARNED, *named, interval.OTHER} == set(interval.COLORS)
    kinds = [*named, "learned", "stuck", "at 0.4801", "still falling", "diverged"]
    label = interval.case.NNET
    ends = pd.DataFrame({"label": label, "ending": kinds, "rate": 1 / len(kinds)})
    row = {"measure": "m", "label": label, "rate": 0.1, "low": 0.0, "high": 0.5}
    facts = {"measures": {"m": ""}}
    answer = ap.study.Answer(facts, pd.DataFrame([row]), ends, *[pd.DataFrame()] * 3)
    shares = interval.endings_of(answer)
    assert shares.loc[label, interval.OTHER] == pytest.approx(4 / len(kinds))
    _, ax = plt.subplots()
    interval.draw_endings(ax, answer, shares)
    assert sum(bar.get_width() for bar in ax.patches) == pytest.approx(1)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["raw, BFGS (R's nnet)"]


def test_every_ending_of_the_squares_remedies_is_in_the_legend():
    """Nine endings of one seed in nine: those of the rule, named plateaus and one that is found."""
    square = script("figures", "square_remedies")
    plateaus = ["best constant", "1 relu unit", "2 steps", "at 17.29"]
    kinds = [kind for kind in drawing.LOOKS if kind not in ("plateau", "found", "fitted")]
    kinds += [*plateaus, "fits its rows only"]
    ends = pd.DataFrame({"label": "baseline", "ending": kinds, "rate": 1 / len(kinds)})
    rows = {"measure": "learned", "label": "baseline", "rate": 0.1, "low": 0.0, "high": 0.5, "n": 9}
    answer = ap.study.Answer(
        {"measures": {"learned": "small error"}}, pd.DataFrame([rows]), ends, *[pd.DataFrame()] * 3
    )
    panel, (rates, became) = plt.subplots(1, 2)
    square.draw_changes(answer, panel, rates, became)
    widths = [bar.get_width() for bar in became.patches]
    np.testing.assert_allclose(sum(widths), 1)
    named = [text.get_text() for text in panel.legends[0].get_texts()]
    assert named == [drawing.KEYS.get(look, look) for look in drawing.LOOKS]


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
    bare = ap.study.load_rates(figure.SUMMARIES / "map_clusters_bare_rates.nc")
    assert "without, 0 of 25,600 trainings succeed" in figure.message(bare)


def test_the_gallery_counts_the_trainings_of_rates(tmp_path):
    gallery = script("figures", "gallery")
    says = gallery.facts(tmp_path, gallery.FIGURES["map_clusters"])
    assert says.startswith("51,200 trainings, 32 seeds a setting; 2 results, together ")
