"""Promise: an explorer's numbers are those of the result; it is small, and refuses what it cannot
show.
"""

import json
import re

import explored
import numpy as np
import pytest
import xarray as xr

from approx import stats
from approx.plot import explorer_functions, explorer_settings
from approx.plot.explorer import IN_LISTS, ON_MAPS, Level, contents_of, explore, thinned

pytestmark = pytest.mark.filterwarnings("ignore:.* trainings are nan in every variable")


def contents(runs, below=0.1, above=None, of="test_loss", output=0):
    return contents_of(runs, below, above, of, output, None)


def test_the_slider_counts_as_the_statistics_do():
    """In every setting; at some positions, for each call of the statistics takes its time."""
    runs = explored.made()
    found = contents(runs)
    codes = found.arrays["codes"].reshape(2, 4, 3, 12)
    positions = found.about["positions"]
    assert positions == sorted(positions)
    assert positions[found.about["first"]] == 0.1
    counts = set()
    chosen = sorted({*range(0, len(positions), 9), found.about["first"]})
    for position in chosen:
        threshold = positions[position]
        rate = stats.rate(stats.success(runs, below=threshold))
        k = (codes <= position).sum(-1)
        np.testing.assert_array_equal(k, rate.successes)
        np.testing.assert_array_equal(np.array(found.about["low"])[k], rate.low)
        np.testing.assert_array_equal(np.array(found.about["high"])[k], rate.high)
        counts |= set(k.ravel().tolist())
    assert {0, 12} < counts


def test_an_accuracy_is_judged_from_above_and_with_its_rounding():
    accuracy = np.array([0.0, 0.5, 0.99999994, 1.0, np.nan], np.float32)
    runs = xr.Dataset(
        {"test_accuracy": (("seed", "step"), accuracy[:, None])},
        {"seed": range(5), "step": [10]},
    )
    found = contents(runs, None, 1.0, "test_accuracy")
    positions, first = found.about["positions"], found.about["first"]
    assert (positions[0], positions[-1], first) == (1.0, 0.0, 0)
    codes = found.arrays["codes"][0]
    assert codes[[2, 3]].tolist() == [0, 0]
    assert positions[codes[1]] == 0.5
    assert codes[4] == explorer_settings.NEVER
    assert found.about["kinds"] == ["learned"]


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_thresholds_reach_over_all_values_and_fit_into_a_byte(scale):
    values = scale * 10 ** np.linspace(-4, 4, 99)
    slider = explorer_settings.slider_of(np.append(values, [0, np.inf]), "loss", scale, None)
    assert len(slider.positions) <= explorer_settings.MOST_POSITIONS
    assert slider.positions[0] <= 1.01 * values[0]
    assert slider.positions[-1] >= values[-1] * 0.99
    assert slider.positions[slider.first] == scale
    assert (np.diff(slider.positions) > 0).all()


def test_values_below_0_have_a_linear_slider():
    slider = explorer_settings.slider_of(np.array([-2.0, 3.0]), "score", None, 0.3)
    assert (slider.positions[0], slider.positions[-1]) == (3.0, -2.0)
    assert slider.positions[slider.first] == 0.3


def test_seeds_that_fail_have_the_kinds_of_the_statistics():
    runs = explored.made()
    found = contents(runs)
    hits = stats.success(runs, below=0.1)
    ends = stats.endings(runs, hits).kind.values.reshape(24, 12)
    fails = ends != "learned"
    names = np.array(found.about["kinds"])[found.arrays["kinds"]]
    assert fails.any()
    np.testing.assert_array_equal(names[fails], ends[fails])
    assert "learned" not in names[~fails]


def test_functions_curves_and_quantiles_are_those_of_the_result():
    runs = explored.made()
    found = contents(runs)
    about, arrays = thinned(found, ON_MAPS[0])
    whole = runs.prediction.isel(output=0)
    function = arrays["function"].reshape(2, 4, 3, 8, 31)
    np.testing.assert_allclose(function, whole.isel(seed=slice(8)), rtol=1e-3)
    quantiles = stats.quantiles(runs.isel(output=0), of="prediction").prediction
    band = arrays["function_band"].reshape(2, 4, 3, 5, 31)
    expected = quantiles.transpose(*runs.test_loss.dims[:3], "quantile", "point")
    np.testing.assert_allclose(band, expected, rtol=1e-3)
    curve = 10 ** arrays["curve"].reshape(2, 4, 3, 8, 5).astype(float)
    losses = runs.test_loss.isel(seed=slice(8)).values
    finite = np.isfinite(losses)
    np.testing.assert_allclose(curve[finite], losses[finite], rtol=5e-3)
    assert (curve[~finite] > 1e30).all()
    final = runs.test_loss.isel(step=-1, seed=slice(8)).values.reshape(24, 8)
    np.testing.assert_array_equal(arrays["final"], final)
    middle = stats.quantiles(runs.isel(step=-1), of="test_loss", q=(0.05, 0.5, 0.95)).test_loss
    np.testing.assert_array_equal(arrays["middle"], middle.values.reshape(24, 3))
    assert about["functions"]["points"] == about["functions"]["whole"] == 31
    np.testing.assert_array_equal(arrays["shown"], np.float32([X_IN.min(), X_IN.max()]))


X_IN = explored.X[np.abs(explored.X) <= 1]


def test_functions_of_two_inputs_are_those_over_the_grid():
    runs = explored.planes()
    about, arrays = thinned(contents(runs), ON_MAPS[0])
    first, second = np.meshgrid(np.linspace(-3, 3, 7), np.linspace(0, 1, 5))
    one = first + 2 * second
    expected = one + np.arange(8)[:, None, None] + np.array([0, 100])[:, None, None, None]
    np.testing.assert_allclose(arrays["plane"], expected, atol=0.05)
    surface = stats.surface(runs.isel(learning_rate=1))["median"]
    np.testing.assert_allclose(arrays["plane_middle"][1], surface, atol=0.05)
    assert about["plane"]["ends"] == [[0, 1], [-3, 3]]
    assert about["functions"] is None
    _, less = thinned(contents(runs), Level(2, 21, 12))
    assert less["plane"].shape == (2, 2, 5, 7)
    few = explorer_functions.planes_of(
        runs, explorer_settings.laid_out(runs.test_loss[..., 0]), 0, 1, 3
    )
    np.testing.assert_allclose(few.seeds[0, 0], one[::2, ::3])
    with pytest.raises(ValueError, match="output=1 is none of the 1 outputs"):
        contents(runs, output=1)


def test_less_detail_keeps_the_ends_and_spreads_the_rest_evenly():
    places = explorer_functions.evenly(301, 31)
    assert places.tolist() == list(range(0, 301, 10))
    assert explorer_functions.evenly(5, 31).tolist() == [0, 1, 2, 3, 4]
    _, arrays = thinned(contents(explored.made()), Level(8, 11, 3))
    assert arrays["x"].size == 11
    assert arrays["x"][[0, -1]].tolist() == [-2, 2]
    assert arrays["step"].tolist() == [0, 10, 1000]


def test_points_that_settings_do_not_share_stay_with_their_setting():
    runs = explored.made().isel(recipe=0, drop=True)  # as where the task's range is swept
    ranges = xr.DataArray([1.0, 2.0, 3.0], dims="init_scale")
    wider = (runs.x_test * ranges).transpose("init_scale", "point", "input")
    runs = runs.assign_coords(x_test=wider, distance=runs.distance * ranges)
    about, arrays = thinned(contents(runs), ON_MAPS[0])
    assert about["functions"]["own_x"]
    x = arrays["x"].reshape(4, 3, 31)
    np.testing.assert_allclose(x[0], explored.X * ranges.values[:, None], rtol=1e-6)
    np.testing.assert_allclose(x[0], x[3])
    np.testing.assert_allclose(
        arrays["target"], np.broadcast_to(explored.X**2, (12, 31)), rtol=1e-6
    )


def test_what_is_no_axis_of_numbers_is_chosen_from_a_list():
    runs = explored.made()
    layout = explorer_settings.laid_out(runs.test_loss.isel(step=-1))
    assert layout.on_map == ("learning_rate", "init_scale")
    assert layout.names == ["adam", "sgd"]
    one = explorer_settings.laid_out(runs.test_loss.isel(step=-1, init_scale=0))
    assert one.on_map == ()
    assert one.names[:2] == ["adam, learning rate 0.01", "adam, learning rate 0.1"]
    seeds = runs.rename(learning_rate="init_seed", init_scale="data_seed").test_loss
    assert explorer_settings.laid_out(seeds.isel(step=-1)).on_map == ()
    single = runs.test_loss.isel(recipe=0, learning_rate=0, init_scale=0, step=-1)
    assert explorer_settings.laid_out(single).names == [""]


def test_a_page_says_why_there_are_no_functions():
    runs = explored.made()
    assert "keep=" in contents(runs.drop_vars("prediction")).about["why"]
    for inputs, words in (
        (2, "2 inputs, and cannot be drawn: the 31 points are no grid"),
        (3, "3"),
    ):
        x = np.arange(31.0 * inputs).reshape(31, inputs)
        wide = runs.drop_vars("x_test").assign_coords(x_test=(("point", "input"), x))
        assert words in contents(wide).about["why"]
    noted = runs.assign(prediction=runs.prediction.assign_attrs(kept_step=1000))
    assert contents(noted).about["kept"] is None
    assert contents(noted.sel(step=slice(None, 100))).about["kept"] == 1000
    picked = contents(stats.pick(noted, by="loss", above=True))
    assert picked.curves is None
    assert "at every step that stats.pick picked" in picked.about["why"]


def data_of(page):
    found = re.search(r'<script id="content" type="application/json">(.*?)</script>', page, re.S)
    return json.loads(found.group(1))


def test_a_page_is_one_small_file_with_the_same_bytes_each_time(tmp_path):
    runs = explored.made()
    path = explore(runs, tmp_path / "new" / "map.html", below=0.1, title="a < b </script>")
    assert path == tmp_path / "new" / "map.html"
    page = path.read_text()
    assert explore(runs, path, below=0.1, title="a < b </script>").read_text() == page
    assert len(page.encode()) < 2_000_000
    data = data_of(page)
    assert data["about"]["title"] == "a < b </script>"
    assert set(data["panels"]) == {"map", "functions", "curves"}
    assert "<h1>a &lt; b &lt;/script&gt;</h1>" in page


def test_detail_is_given_up_for_size_and_then_the_page_is_refused(tmp_path, monkeypatch):
    runs = explored.made(seeds=40).isel(learning_rate=0, drop=True)
    path = tmp_path / "list.html"
    most = len(explore(runs, path, below=0.1).read_bytes())
    assert len(data_of(path.read_text())["about"]["seeds"]) == 40 <= IN_LISTS[0].seeds
    monkeypatch.setattr("approx.plot.explorer.MOST_BYTES", most - 1)
    less = len(explore(runs, path, below=0.1).read_bytes())
    assert less < most
    assert len(data_of(path.read_text())["about"]["seeds"]) < 40
    monkeypatch.setattr("approx.plot.explorer.MOST_BYTES", 1000)
    with pytest.raises(ValueError, match=r"6 settings needs 1\.. MB even with little detail"):
        explore(runs, path, below=0.1)


def test_what_cannot_be_shown_is_refused(tmp_path):
    runs = explored.made()
    path = tmp_path / "page.html"
    hits = stats.success(runs, below=0.1)
    with pytest.raises(ValueError, match="shows the runs themselves, and these are hits"):
        explore(hits, path, below=0.1)
    with pytest.raises(ValueError, match="shows the runs themselves, and these are rates"):
        explore(stats.rate(hits), path, below=0.1)
    with pytest.raises(ValueError, match=r"draws an xarray\.Dataset, not a list"):
        explore([1], path, below=0.1)
    with pytest.raises(ValueError, match="give one of below= and above="):
        explore(runs, path)
    with pytest.raises(ValueError, match="below= has 2 thresholds, and the page has one slider"):
        explore(runs, path, below=[0.1, 0.2])
    with pytest.raises(ValueError, match="no variable 'outside_loss'"):
        explore(runs, path, below=0.1, of="outside_loss")
    with pytest.raises(ValueError, match="output=3 is none of the 1 outputs"):
        explore(runs, path, below=0.1, output=3)
    with pytest.raises(ValueError, match="there are no seeds to show"):
        explore(runs.isel(seed=[]), path, below=0.1)
    assert not path.exists()


def test_without_bokeh_the_error_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'pip install "\.\[explore\]"'):
        explore(explored.made(), tmp_path / "page.html", below=0.1)
