"""Promise: a figure of seeds' kinds says what its committed table says, and names every kind."""

import csv

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scripts import ROOT, script

from approx import plot

SUMMARIES = ROOT / "experiments" / "summaries"
COLUMNS = {"waveform": "recipe"}  # of the recipes in the tables of failures


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
    clusters = pd.read_csv(SUMMARIES / "clusters_kinds.csv")
    plot.check_colors(clusters.kind, script("figures", "clusters").KINDS)


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


def test_every_kind_of_the_waveforms_seeds_is_in_the_legend():
    figure = script("figures", "waveform")
    kinds = [*list(figure.GROUPED)[:-1], "at 4.027"]
    loss = np.linspace(0.1, 4, len(kinds))[:, None]
    runs = xr.Dataset({"test_loss": (("seed", "step"), loss)}, {"step": [10]})
    panel, ax = plt.subplots()
    figure.draw_losses(ax, {"64_sgd": runs}, {"64_sgd": kinds})
    assert legend_of(panel) == figure.ENDS
    assert dots(ax) == set(figure.ENDS.values())
