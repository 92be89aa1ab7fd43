"""Promise: in a real browser the explorer has the numbers of the result, asks nothing of a network,
and can be used with pointer, keyboard and screen reader.
"""

import dataclasses

import browser
import explored
import numpy as np
import pytest
import xarray as xr

import approx as ap
from approx import stats
from approx.plot import explore

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.* trainings are nan in every variable"),
]
READY = "window.explorer && window.explorer.ready"
SOURCE = """
for (const one of Bokeh.documents) {
  const found = one.get_model_by_name(arguments[0]);
  if (found) {
    const plain = (value) => (ArrayBuffer.isView(value) || Array.isArray(value)
      ? Array.from(value, plain) : value);
    return Object.fromEntries(Object.entries(found.data).map(([k, v]) => [k, plain(v)]));
  }
}
"""


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with browser.chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def opened(window, page):
    """The page when it is ready; what the browser did before is forgotten."""
    window.requests()
    window.errors()
    window.open(page)
    window.wait(READY)
    return page


@pytest.fixture(scope="module")
def the_map(window, tmp_path_factory):
    return explore(explored.made(), tmp_path_factory.mktemp("map") / "map.html", below=0.1)


def test_a_page_has_no_errors_and_asks_for_nothing_but_itself(window, the_map):
    opened(window, the_map)
    window.run("explorer.moveTo(3)")
    assert window.requests() == [the_map.resolve().as_uri()]
    assert window.errors() == []


def test_rates_are_those_of_the_statistics_at_every_position(window, the_map):
    opened(window, the_map)
    runs = explored.made()
    positions = window.run("return JSON.parse(content.textContent).about.positions")
    counted = window.run(
        "return arguments[0].map((_, i) => { explorer.moveTo(i); return explorer.rates(); })",
        positions,
    )
    for threshold, here in zip(positions, counted, strict=True):
        rate = stats.rate(stats.success(runs, below=threshold))
        np.testing.assert_array_equal(here, rate.successes.values.ravel())


def test_the_texts_and_colours_of_a_cell_are_its_numbers(window, the_map):
    opened(window, the_map)
    runs = explored.made()
    window.run("explorer.state.setting = 1; explorer.moveTo(arguments[0])", 40)
    threshold = window.run("return JSON.parse(content.textContent).about.positions[40]")
    assert window.text("#threshold-value") == f"≤ {threshold:g}"
    rate = stats.rate(stats.success(runs, below=threshold)).isel(recipe=1)
    cells = window.run(SOURCE, "cells")
    np.testing.assert_allclose(cells["rate"], rate.rate.values.ravel())
    place = window.run("return [explorer.state.row, explorer.state.column]")
    one = rate.isel(learning_rate=place[0], init_scale=place[1])
    said = window.text("#numbers")
    assert f"{int(one.successes)} of 12" in said
    assert f"{one.rate:.3f}, 95% interval {one.low:.3f} to {one.high:.3f}" in said
    status = window.text("#status")
    assert f"{100 * one.rate:.1f}% (95% interval {100 * one.low:.1f}% to" in status
    assert status.startswith(
        f"sgd, learning rate {float(one.learning_rate):g}, scale of the initial weights"
    )


def test_functions_are_those_of_eight_seeds_of_the_cell(window, the_map):
    opened(window, the_map)
    runs = explored.made()
    place = window.run("return [explorer.state.row, explorer.state.column]")
    here = runs.isel(recipe=0, learning_rate=place[0], init_scale=place[1], output=0)
    lines = window.run(SOURCE, "functions_seeds")
    drawn = np.array(lines["ys"], float)
    assert len(drawn) == 8
    expected = here.prediction.values[:8]
    near = np.abs(expected) < 100  # beyond, lines end some heights above the panel
    np.testing.assert_allclose(drawn[near], expected[near], rtol=1e-3)
    succeed = stats.success(runs, below=0.1).hit.isel(step=-1)
    succeed = succeed.isel(recipe=0, learning_rate=place[0], init_scale=place[1]).values[:8]
    colors = ["#0072b2" if good else "#b34700" for good in succeed]
    assert lines["color"] == colors
    band = window.run(SOURCE, "functions_inner")
    quantiles = stats.quantiles(here, of="prediction", q=(0.25, 0.75)).prediction
    np.testing.assert_allclose(band["low"], quantiles.sel(quantile=0.25), rtol=1e-3, atol=1e-4)
    target = window.run(SOURCE, "target")
    np.testing.assert_allclose(target["y"], explored.X**2, rtol=1e-6)


def place_of_cell(window, row, column):
    """Where the middle of a cell is in the window."""
    return window.run(
        """
        const { edges } = JSON.parse(content.textContent).about.axes[1];
        const rows = JSON.parse(content.textContent).about.axes[0].edges;
        const view = Array.from(Bokeh.index.roots).find((one) => one.model.name === "map");
        const box = view.canvas_view.el.getBoundingClientRect();
        const middle = (list, i) => Math.sqrt(list[i] * list[i + 1]);
        const frame = view.frame;
        return [box.left + frame.x_scale.compute(middle(edges, arguments[1])),
          box.top + frame.y_scale.compute(middle(rows, arguments[0]))];
        """,
        row,
        column,
    )


def test_a_pointer_looks_into_a_cell_and_a_click_keeps_it(window, the_map):
    opened(window, the_map)
    window.point(*place_of_cell(window, 1, 2), click=True)
    says = "document.getElementById('status').textContent.includes"
    window.wait(f"{says}('rate 0.1, scale of the initial weights 2:')")
    window.point(*place_of_cell(window, 3, 0))
    window.wait(f"{says}('rate 10, scale of the initial weights 0.5:')")
    assert window.run("return row.value + column.value") == "12"
    window.point(640, 5)
    window.wait(f"{says}('rate 0.1, scale of the initial weights 2:')")
    assert window.errors() == []


def test_all_can_be_reached_and_used_with_the_keyboard(window, the_map):
    opened(window, the_map)
    window.press("Tab")
    assert window.run("return document.activeElement.id") == "threshold"
    before = window.text("#threshold-value"), window.run("return explorer.rates()")
    window.press(*["ArrowRight"] * 9)
    after = window.text("#threshold-value"), window.run("return explorer.rates()")
    assert float(after[0][2:]) > float(before[0][2:])
    assert sum(after[1]) > sum(before[1])
    window.press("Tab")
    assert window.run("return document.activeElement.id") == "setting"
    window.press("s")
    assert window.text("#status").startswith("sgd")
    window.press("Tab")
    assert window.run("return document.activeElement.id") == "map"
    window.run("row.value = 0; row.dispatchEvent(new Event('change'))")
    window.run("column.value = 0; column.dispatchEvent(new Event('change'))")
    window.press("ArrowUp", "ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowRight")
    assert "learning rate 0.1, scale of the initial weights 1:" in window.text("#status")
    names = []
    for _ in range(12):
        window.press("Tab")
        names.append(window.run("return document.activeElement.id || document.activeElement.name"))
    assert {"row", "column", "seed"} <= set(names)
    assert names.index("row") < names.index("column") < names.index("seed")


def test_a_seed_can_be_chosen_and_stays_in_focus(window, the_map):
    opened(window, the_map)
    window.run("document.querySelector('input[name=seed]').focus()")
    window.press("ArrowRight", "ArrowRight")
    assert window.run("return document.activeElement.value") == "2"
    assert window.run("return explorer.state.seed") == 2
    lines = window.run(SOURCE, "functions_seeds")
    assert window.run(SOURCE, "functions_seed")["y"] == [lines["ys"][2]]


def test_everything_that_can_be_used_has_a_name_for_screen_readers(window, the_map):
    opened(window, the_map)
    named = window.names("input, select, [tabindex='0'], #functions, #curves")
    assert len(named) >= 12
    assert all(role and name for role, name in named), named
    assert window.run("return document.documentElement.lang") == "en"
    spoken = window.run("return threshold.getAttribute('aria-valuetext')")
    assert spoken == "test loss at most 0.1"


def test_settings_without_a_map_are_listed_with_all_seeds(window, tmp_path):
    runs = explored.made(seeds=20).isel(learning_rate=1, init_scale=0, drop=True)
    opened(window, explore(runs, tmp_path / "list.html", below=0.1))
    assert window.run("return document.getElementById('map-part').hidden")
    rate = stats.rate(stats.success(runs, below=0.1))
    rows = window.run(
        "return [...document.querySelectorAll('#settings tbody tr')].map((one) => one.innerText)"
    )
    for text, name, k in zip(rows, ("adam", "sgd"), rate.successes.values, strict=True):
        assert name in text
        assert f"{k} of 20" in text
    window.run("document.querySelectorAll('#settings input')[1].click()")
    assert window.text("#status").startswith("sgd: ")
    listed = window.run(
        "return [...document.querySelectorAll('#seeds tbody tr')].map((one) =>"
        " one.cells[1].innerText)"
    )
    final = runs.test_loss.isel(recipe=1, step=-1).values
    assert len(listed) == 20
    for text, value in zip(listed, final, strict=True):
        assert float(text.replace("not a number", "nan")) == pytest.approx(value, 6e-3, nan_ok=True)
    assert window.errors() == []


def test_functions_of_two_inputs_are_tiles(window, tmp_path):
    runs = explored.planes()
    opened(window, explore(runs, tmp_path / "plane.html", below=0.1))
    window.run("document.querySelectorAll('#settings input')[1].click()")
    window.run("document.querySelectorAll('#seeds input')[9].click()")
    tiles = window.run(SOURCE, "tiles")
    assert tiles["text"][0] == "median of 10 seeds"
    assert [text.split()[1] for text in tiles["text"][1:]] == [*"0123456", "9"]
    shown = np.array(tiles["image"], float).reshape(9, 5, 7)
    whole = runs.prediction.isel(learning_rate=1, output=0).values.reshape(10, 5, 7)
    np.testing.assert_allclose(shown[1:8], whole[:7], atol=0.05)
    np.testing.assert_allclose(shown[8], whole[9], atol=0.05)
    np.testing.assert_allclose(shown[0], whole[4], atol=0.05)
    frame = window.run(SOURCE, "tile")
    assert (frame["left"], frame["bottom"]) == (tiles["x"][-1:], tiles["y"][-1:])
    assert "x1 from -3 to 3 to the right" in window.text("#plane-legend")
    assert window.errors() == []


def test_an_accuracy_without_functions_has_a_page_too(window, tmp_path):
    accuracy = np.linspace(0, 1, 11, dtype=np.float32)
    runs = xr.Dataset(
        {"test_accuracy": (("seed", "step"), (accuracy[:, None] * [0.5, 1]).astype(np.float32))},
        {"seed": range(11), "step": [0, 10]},
    )
    page = explore(runs, tmp_path / "one.html", above=0.7, of="test_accuracy")
    opened(window, page)
    assert "4 of 11 seeds succeed" in window.text("#status")
    assert "No predictions were kept" in window.text("#why")
    assert window.run("return document.getElementById('functions-part').hidden")
    window.run("explorer.moveTo(0)")
    assert "1 of 11 seeds succeed" in window.text("#status")
    assert window.errors() == []


def test_settings_with_points_of_their_own_have_axes_of_their_own(window, tmp_path, tanh, quiet):
    """A run of the package itself, over the range of its task."""
    recipe = dataclasses.replace(tanh, steps=20, records=(0, 1, 10, 20))
    grid = {"range": [1.0, 2.0], "learning_rate": [0.01, 0.1]}
    runs = ap.run(ap.tasks.square(), recipe, seeds=8, **grid, **quiet)
    opened(window, explore(runs, tmp_path / "ranges.html", below=0.5))
    rate = stats.rate(stats.success(runs, below=0.5))
    assert window.run("return explorer.rates()") == rate.successes.values.ravel().tolist()
    for row, end in ((0, 3.0), (1, 6.0)):
        window.run("row.value = arguments[0]; row.dispatchEvent(new Event('change'))", row)
        ends = window.run(
            "for (const one of Bokeh.documents) { const found = one.get_model_by_name('functions');"
            " if (found) return [found.x_range.start, found.x_range.end]; }"
        )
        assert ends == pytest.approx([-end, end])
        assert window.text("#status").startswith(f"range {row + 1},")
    assert window.errors() == []
