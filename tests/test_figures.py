"""Promise: a figure says what its committed table says, and every kind that it draws is in its
legend.
"""

import csv

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scripts import ROOT, script

import approx as ap
from approx import plot, stats
from approx.study import drawing

SUMMARIES = ROOT / "experiments" / "summaries"
# Of the recipes in the tables of failures
COLUMNS = {"interval": "label"}


def seeds_of(name):
    """(recipe, kind) of every seed that a committed table counts."""
    with (SUMMARIES / f"{name}_failures.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [(row[COLUMNS[name]], row["kind"]) for row in rows for _ in range(int(row["seeds"]))]


def write_kinds(folder, name, seeds):
    """The table of every seed's kind, as the experiment leaves it beside its results."""
    rows = [
        {"label": label, "seed": seed, "kind": kind} for seed, (label, kind) in enumerate(seeds)
    ]
    pd.DataFrame(rows).to_csv(folder / f"{name}_kinds.csv", index=False)


def read_kinds(name, folder):
    figure = script("figures", name)
    return figure.read_kinds(folder / f"{name}_kinds.csv", SUMMARIES)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_figure_that_contradicts_its_committed_table_is_not_drawn(name, tmp_path):
    seeds = seeds_of(name)
    write_kinds(tmp_path, name, seeds)
    found = read_kinds(name, tmp_path)
    assert sum(map(len, found.values())) > 100
    label, kind = seeds[-1]
    other = "diverged" if kind != "diverged" else "learned"
    write_kinds(tmp_path, name, [*seeds[:-1], (label, other)])
    with pytest.raises(
        ValueError, match=rf"would contradict its table: \d+ seeds of '{label}' are"
    ):
        read_kinds(name, tmp_path)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_kind_without_a_colour_is_refused(name):
    figure = script("figures", name)
    known = figure.GROUPED
    assert plot.drawn_as(known, known).tolist() == list(known.values())
    with pytest.raises(ValueError, match=r"no colour for the kinds.*half learned"):
        plot.drawn_as(["learned", "half learned"], known)
    colors = next(c for c in (getattr(figure, n, None) for n in ("ENDS", "ENDINGS", "COLORS")) if c)
    assert set(known.values()) <= set(colors), "each kind has a colour"


def test_every_kind_of_the_committed_tables_is_known():
    for name in COLUMNS:
        plot.drawn_as({kind for _, kind in seeds_of(name)}, script("figures", name).GROUPED)


def legend_of(figure):
    legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes if ax.get_legend())]
    colors = {}
    for one in legends:
        for text, handle in zip(one.get_texts(), one.legend_handles, strict=True):
            colors[text.get_text()] = handle.get_color()
    return colors


def dots(ax):
    """Colours of the marks that stand for seeds."""
    return {
        line.get_color()
        for line in ax.lines
        if line.get_linestyle() == "None" and len(line.get_xdata())
    }


def test_every_kind_of_the_intervals_seeds_is_named():
    interval = script("figures", "interval")
    assert set(interval.KINDS) == set(interval.COLORS), "a panel with a title for each colour"
    assert set(interval.BARS) == set(interval.COLORS)
    found = {name: np.array(list(interval.COLORS), object) for name in interval.SHOWN}
    _, ax = plt.subplots()
    interval.draw_shares(ax, found)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == list(
        dict.fromkeys(interval.BARS.values())
    )


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
    shown = square.draw_changes(answer, rates, became)
    square.draw_keys(panel, shown)
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
        "constant",
        "stands still",
    ]
    assert stats.majority(found).kind.shape == (1, 1)
    plot.check_colors(np.unique(found.kind), figure.COLORS)
