"""Promise: what a map shows of its cells is what its trainings did, however few there were."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from conftest import QUICK, unoptimised
from scipy import optimize, special
from scripts import ROOT, script

import approx as ap
from approx.disk.files import write_netcdf
from approx.maps import Search
from approx.stats.logistic import Cells, logistic
from approx.study.grids import path_of

TASK, RECIPE = (
    ap.tasks.square(range=1.0),
    ap.Recipe(model=ap.MLP((4,), "tanh"), optimizer="sgd", steps=200),
)
GRID = {"learning_rate": ap.maps.axis(0.01, 2.0, 9), "init_scale": ap.maps.axis(0.3, 6.0, 9)}
SPARSE = slice(None, None, 2)  # every second value of an axis
SUCCESS = {"below": 0.01}


def rates(k, n, **axes) -> xr.Dataset:
    """Rates of given counts."""
    k, n = np.broadcast_arrays(k, n)
    low, high = ap.stats.binomial_interval(k, n)
    found = {"rate": k / np.maximum(n, 1), "low": low, "high": high, "n": n, "successes": k}
    return xr.Dataset({name: (list(axes), value) for name, value in found.items()}, axes)


# ---- boundaries ----------------------------------------------------------------------------------


def test_the_logistic_fit_is_the_largest_penalised_likelihood():
    z, n = np.arange(-5, 6.0), np.full(11, 64.0)
    tables = (
        np.random.default_rng(0).binomial(64, special.expit(0.3 - 0.8 * z), (3, 11)).astype(float)
    )

    def against(theta, k):
        eta = theta[0] + theta[1] * z
        x, p = np.column_stack([np.ones(11), z]), special.expit(eta)
        information = np.linalg.slogdet(x.T @ ((n * p * (1 - p))[:, None] * x))[1]
        return (
            -(k * special.log_expit(eta) + (n - k) * special.log_expit(-eta)).sum()
            - information / 2
        )

    falling, rising = np.array([[1.0, 0.0]] * 3), np.array([[0.0, 1.0]])
    for k, a, b in zip(tables, *logistic(Cells(z, n, falling), tables), strict=True):
        expected = optimize.minimize(against, [0.0, -0.5], args=(k,), tol=1e-10).x
        np.testing.assert_allclose([-a, -b], expected, rtol=1e-4)
    separated = logistic(Cells(z, n, rising), np.where(z > 0, 64.0, 0.0)[None])
    assert 2 < separated[1][0] < 20  # finite, where the likelihood has no maximum
    assert -separated[0][0] / separated[1][0] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("top", [pytest.param(1.0, marks=pytest.mark.slow), 0.75])
def test_intervals_of_a_boundary_cover_it(top):
    x = ap.maps.axis(0.01, 1.0, 24)
    middle, width = 0.07, 0.5  # decades
    slope = 2 * special.logit(0.9) / width
    p = top * special.expit(
        slope * (np.log10(x) - np.log10(middle)) + special.logit(0.5 / top) * (top < 1)
    )
    k = np.random.default_rng(0).binomial(64, p, (120, 24))
    found = ap.stats.boundary(rates(k, 64, try_=np.arange(120), x=x), "x", resamples=100).isel(
        crossing=0
    )
    covered = float(((found.low <= middle) & (middle <= found.high)).mean())
    widths = float(((found.spread_low <= width) & (width <= found.spread_high)).mean())
    # 0.92 and 0.93 in long simulations; three standard errors of 120 tries
    assert 0.84 < covered < 0.995
    assert 0.82 < widths < 0.995
    assert abs(float(np.log10(found.middle).mean()) - np.log10(middle)) < 0.01
    assert (found.rising == 1).all()


def test_a_band_of_success_has_two_boundaries_and_a_row_may_have_none():
    x = np.arange(12.0)
    k = np.array([[0, 0, 1, 5, 16, 30, 32, 30, 25, 10, 2, 0], [0] * 12, [32] * 12])
    found = ap.stats.boundary(rates(k, 32, row=[0, 1, 2], x=x), "x")
    assert found.log == 0
    np.testing.assert_allclose(found.middle[0], [4.0, 8.6], atol=0.2)
    assert found.rising[0].values.tolist() == [1, -1]
    assert found.middle[1:].isnull().all()
    assert (found.cells[0] >= 2).all()
    # A cell without seeds
    gap = rates(np.where(k[0] == 16, 0, k[0]), np.where(k[0] == 16, 0, 32), x=x)
    assert float(ap.stats.boundary(gap, "x").middle[0]) == pytest.approx(4.0, abs=0.3)


def test_a_crossing_between_two_cells_has_them_as_its_interval():
    x = np.arange(10.0)
    for k, n, ends in (
        ([0] * 5 + [64] * 5, [64] * 10, (4, 5)),
        ([0] * 8 + [64] * 2, [64] + [0] * 7 + [64] * 2, (0, 8)),  # nobody was between
        ([0] * 4 + [2] + [64] * 5, [64] * 4 + [2] + [64] * 5, (3, 5)),
        # Of six seeds between
        ([0, 0, 0, 0, 3, 0, 64, 64, 64, 64], [64] * 4 + [3, 3] + [64] * 4, (4.4, 4.6)),
    ):
        found = ap.stats.boundary(rates(np.array(k), np.array(n), x=x), "x").isel(crossing=0)
        assert found.low <= ends[0] + 1e-9
        assert found.high >= ends[1] - 1e-9
        assert -1 <= found.low <= found.middle <= found.high <= 10
        assert found.cells >= 2


def test_a_gap_beyond_a_crossing_does_not_widen_its_interval():
    k = np.array([0, 0, 0, 0, 0, 4, 7, 8, 8, 8, 8, 8])
    x = np.arange(12.0)
    apart = np.where(x > 7, x + 100, x)  # behind the first cell in which all succeed again
    near, far = (
        ap.stats.boundary(rates(k, 8, x=places), "x").isel(crossing=0) for places in (x, apart)
    )
    assert near.low > 4
    assert far.low == near.low
    assert far.high == near.high


def test_a_budget_is_spent_to_the_last_helping():
    for seeds, budget, used in ((64, 88, 88), (64, 300, 296), (15, 1_000, 135)):
        found = Drawn(np.full((3, 3), 0.5), seeds, 0)
        found.go(budget, 8, 1)
        assert found.asked.sum() == used


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([1.0, 2.0, 2.0], "has 2 twice"),
        ([3.0, 2.0, 1.0], r"runs.sortby\('x'\)"),
        ([1.0, np.nan, 2.0], "no finite numbers"),
        ([1.0, 2.0], "at least three"),
    ],
)
def test_axes_that_no_map_has_are_refused(values, says):
    with pytest.raises(ValueError, match=says):
        ap.stats.boundary(rates([1] * len(values), 4, x=values), "x")


@pytest.mark.parametrize("name", ["spread", "crossing"])
def test_an_axis_that_has_the_name_of_a_boundarys_number_is_refused(name):
    counted = rates([[0, 2, 4], [0, 1, 4]], 4, other=[1, 2], x=[1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=rf"'{name}' .*\.rename\({name}="):
        ap.stats.boundary(counted.rename(other=name), "x")


def test_a_logarithm_of_nothing_is_refused():
    with pytest.raises(ValueError, match="log=False"):
        ap.stats.boundary(rates([0, 2, 4], 4, x=[0.0, 1.0, 2.0]), "x", log=True)
    with pytest.raises(ValueError, match="log=False"):
        ap.maps.axis(0, 1, 5)
    with pytest.raises(ValueError, match="must be below"):
        ap.maps.axis(2, 1, 5)


# ---- the best and the commonest ------------------------------------------------------------------


def test_the_best_is_named_where_its_interval_lies_above_all_others():
    found = ap.stats.best(
        rates([[60, 30, 0], [10, 31, 0]], 64, recipe=["sgd", "adam"], x=[1.0, 2.0, 3.0])
    )
    assert found.kind.values.tolist() == ["sgd", "undecided", "undecided"]
    assert found.rate.values.tolist() == [60 / 64, 31 / 64, 0]
    assert found.kinds == ["sgd", "adam", "undecided"]
    nobody = ap.stats.best(rates([[0], [0]], 0, recipe=["sgd", "adam"], x=[1.0]))
    assert nobody.kind.values.tolist() == ["undecided"]


def test_the_majority_leads_by_a_sign_test():
    kinds = np.array([["a"] * 9 + ["b"], ["a"] * 6 + ["b"] * 4, ["c"] * 10])
    found = ap.stats.majority(
        xr.Dataset({"kind": (("x", "seed"), kinds)}, attrs={"kinds": ["a", "b", "c"]})
    )
    assert found.kind.values.tolist() == ["a", "undecided", "c"]
    assert found.rate.values.tolist() == [0.9, 0.6, 1.0]


# ---- few trainings -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole():
    return ap.run(TASK, RECIPE, seeds=16, keep=(), progress=False, compiler_options=QUICK, **GRID)


def test_a_map_is_the_program_of_one_cell(count_compiles):
    options = {"seeds": 2, "keep": (), "progress": False, "compiler_options": QUICK}
    ap.run(TASK, RECIPE, **options, **{name: values[:1] for name, values in GRID.items()})
    with count_compiles() as compiles:
        ap.run(TASK, RECIPE, **options, **{name: values[:5] for name, values in GRID.items()})
        ap.run(TASK, RECIPE, **options, **{name: 1.1 * values[:5] for name, values in GRID.items()})
    assert not compiles


def chunk_times(folder):
    """When each file of trainings was written, by its name."""
    return {path.name: path.stat().st_mtime_ns for path in Path(folder).glob("chunk-*.nc")}


def refined(out=None, **options):
    given = {
        "budget": 200,
        "seeds": 16,
        "first": 8,
        "coarse": 2,
        "out": out,
        "compiler_options": QUICK,
    }
    given |= {name: values[SPARSE] for name, values in GRID.items()}
    return ap.maps.refine(TASK, RECIPE, SUCCESS, progress=False, **(given | options))


@pytest.fixture(scope="module")
def found_in(tmp_path_factory):
    """A refined map, and its folder."""
    folder = tmp_path_factory.mktemp("refined") / "map"
    return refined(folder), folder


def test_a_refined_map_counts_the_same_trainings_as_the_whole_one(whole, found_in):
    found, folder = found_in
    whole = whole.isel(learning_rate=SPARSE, init_scale=SPARSE)
    hit = ap.stats.reading(ap.stats.success(whole, **SUCCESS))
    asked = xr.DataArray(np.arange(16), dims="seed") < found.n
    np.testing.assert_array_equal(found.successes, (hit & asked).sum("seed"))
    assert found.trainings == int(found.n.sum()) <= 200 < found.full == 25 * 16
    assert set(np.unique(found.n)) <= {0, 8, 16}
    both = (found.rate > 0.1) & (found.rate < 0.9)
    assert both.any()
    assert float(found.n.where(both).mean()) > 12  # seeds go where it is undecided
    known = found.n > 0
    np.testing.assert_array_equal(found.filled.where(known), found.rate)
    assert bool(found.filled.notnull().all())
    # what is done is found by the same call, which makes the same map
    files = chunk_times(folder)
    assert refined(folder).identical(found)
    assert chunk_times(folder) == files


@pytest.mark.slow
def test_a_full_run_finds_what_a_refined_map_has_trained(whole, tmp_path):
    """What is made is the same as without the map."""
    folder = tmp_path / "map"
    refined(folder)
    whole, files = whole.isel(learning_rate=SPARSE, init_scale=SPARSE), chunk_times(folder)
    options = {"seeds": 16, "keep": (), "progress": False, "compiler_options": QUICK}
    grid = {name: values[SPARSE] for name, values in GRID.items()}
    again = ap.run(TASK, RECIPE, out=folder, **options, **grid)
    xr.testing.assert_equal(again, whole)
    assert chunk_times(folder).items() >= files.items()


class Drawn(Search):
    """A map of outcomes that are drawn, of known rates."""

    def __init__(self, truth: np.ndarray, seeds: int, rng: int):
        self.shape, self.seeds = truth.shape, seeds
        self.outcomes = np.random.default_rng(rng).random((*truth.shape, seeds)) < truth[..., None]
        self.outcome = np.full(truth.size * seeds, -1, np.int8)
        self.asked = np.zeros(truth.shape, int)

    def ask(self, more: np.ndarray) -> None:
        self.asked += more
        known = np.arange(self.seeds) < self.asked[..., None]
        self.outcome = np.where(known, self.outcomes, -1).ravel()


def test_intervals_cover_though_seeds_go_where_it_is_undecided():
    x, y = np.meshgrid(np.linspace(-1, 1, 17), np.linspace(-1, 1, 17))
    truth = special.expit(8 * (0.5 - x**2 - y**2))
    missed, away, used = [], [], []
    for rng in range(40):
        found = Drawn(truth, 64, rng)
        found.go(6_000, 8, 8)
        low, high = ap.stats.confidence_sequence(found.hits, found.asked, width=0.1)
        seen = found.asked > 0
        missed.append(((truth < low) | (truth > high))[seen].mean())
        away.append((found.hits[seen] / found.asked[seen] - truth[seen]).mean())
        used.append(found.asked.sum())
    assert np.mean(missed) < 0.05
    # Of rates; what a cell's rule takes from its own seeds is small
    assert abs(np.mean(away)) < 0.01
    assert max(used) <= 6_000


def test_a_map_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="two axes"):
        refined(init_scale=1.0, learning_rate=[0.1, 0.2])
    with pytest.raises(ValueError, match="power of two"):
        refined(coarse=3)
    with pytest.raises(ValueError, match="whole number"):
        refined(seeds=0)
    with pytest.raises(ValueError, match="set it in the recipe"):
        refined(learning_rate=[0.1])
    with pytest.raises(ValueError, match="are one in float32"):
        refined(learning_rate=[0.1, 0.1 + 1e-10, 0.4])
    for success, says in (
        ({"below": 1, "of": "far"}, "recorded are loss"),
        ({"below": [1, 2]}, "one number"),
        ({"below": 1, "above": 1}, "one of below and above"),
        ({"under": 1}, "one of below and above"),
    ):
        with pytest.raises(ValueError, match=says):
            ap.maps.refine(
                TASK, RECIPE, success, budget=500, progress=False, compiler_options=QUICK, **GRID
            )
    with pytest.raises(ValueError, match="a larger budget"):
        refined(budget=10)
    with pytest.raises(ValueError, match="sortby"):
        refined(learning_rate=[0.2, 0.1])


@pytest.mark.slow
def test_an_interrupted_map_stays_where_it_says(found_in, monkeypatch, capsys):
    asked = Search.ask

    def interrupted(self, more):
        asked(self, more)
        raise KeyboardInterrupt

    monkeypatch.setattr(Search, "ask", interrupted)
    with pytest.raises(KeyboardInterrupt):
        refined()
    monkeypatch.undo()
    (folder,) = re.findall(r"refine\(\.\.\., out='(.*)'\) goes on", capsys.readouterr().err)
    assert refined(folder).identical(found_in[0])
    assert len(set(chunk_times(folder).values())) > 1
    shutil.rmtree(folder)


def test_windows_are_of_the_maps_that_have_their_axes():
    both = {"rate": ap.maps.axis(0.01, 1, 5), "scale": ap.maps.axis(0.1, 10, 5)}
    maps = {"two": both, "one": {"rate": both["rate"]}, "none": {}}
    assert list(ap.maps.zooms(maps, None)) == ["two", "one", "none"]
    assert list(ap.maps.zooms(maps, {"scale": (1, 2)})) == ["two"]
    found = ap.maps.zooms(maps, {"rate": (0.1, 1)})
    assert list(found) == ["two", "one"]
    assert found["one"]["rate"].tolist() == ap.maps.axis(0.1, 1, 5).tolist()
    with pytest.raises(
        ValueError, match="no map has momentum as axes; there are rate, scale; rate"
    ):
        ap.maps.zooms(maps, {"momentum": (0, 1)})


def test_a_window_has_the_maps_spacing():
    axes = {"learning_rate": ap.maps.axis(0.01, 1, 5), "width": np.arange(1, 6)}
    found = ap.maps.zoom(axes, {"learning_rate": (0.1, 1)})
    np.testing.assert_allclose(found["learning_rate"], np.geomspace(0.1, 1, 5), rtol=1e-5)
    assert found["width"].tolist() == [1, 2, 3, 4, 5]
    deep = ap.maps.axis(0.1, 0.10005, 64)
    assert len(np.unique(deep)) == 64
    assert np.diff(deep).max() < 1.1 * np.diff(deep).min()
    with pytest.raises(ValueError, match="positive in this map"):
        ap.maps.zoom(axes, {"learning_rate": (0, 1)})
    with pytest.raises(ValueError, match="at least two"):
        ap.maps.axis(1, 2, 1)
    with pytest.raises(ValueError, match="no axis of this map"):
        ap.maps.zoom(axes, {"momentum": (0, 1)})


# ---- panels --------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def texts(ax) -> str:
    return " | ".join(text.get_text() for text in ax.texts)


def test_panels_of_cells_where_all_or_nothing_succeeds_or_nobody_was(whole):
    for k in (0, 8):
        ax = ap.plot.landscape(
            rates(np.full((3, 4), k), 8, y=[1.0, 2.0, 3.0], x=[1.0, 10.0, 100.0, 1000.0]),
            lines=(0.5,),
        )
        assert "n = 8" in texts(ax)
        assert ax.get_xscale() == "log"
    costs = ap.stats.ert(ap.stats.success(whole, below=-1.0))
    assert "never" in texts(ap.plot.field(costs, "ert"))
    hits = ap.stats.success(whole, **SUCCESS)
    found, share = ap.stats.rate(hits), (~np.isfinite(whole.loss.isel(step=-1))).mean("seed")
    edge = ap.stats.boundary(found, "learning_rate")
    ax = ap.plot.landscape(found, diverged=xr.ones_like(share), boundary=edge)
    assert "dots: most diverged" in texts(ax)
    few = found.where(found.init_scale < 1, 0).assign(filled=found.rate)
    ax = ap.plot.landscape(few)
    assert "pale: interpolated" in texts(ax)
    with pytest.raises(ValueError, match="sortby"):
        ap.plot.landscape(found.isel(init_scale=slice(None, None, -1)))


def test_regions_name_what_is_there_and_hatch_what_is_not_decided():
    found = ap.stats.best(
        rates([[[60, 30]], [[10, 31]]], 64, recipe=["sgd", "adam"], y=[1.0], x=[1.0, 2.0])
    )
    ax = ap.plot.regions(found)
    assert [label.get_text() for label in ax.figure.axes[1].get_yticklabels()] == ["sgd"]
    assert "hatched: undecided" in texts(ax)
    names = [f"k{number}" for number in range(9)]
    many = xr.Dataset(
        {"kind": (("y", "x"), [names]), "n": (("y", "x"), [[4] * 9])},
        {"y": [1.0], "x": np.arange(9.0)},
    )
    with pytest.raises(ValueError, match="more than eight"):
        ap.plot.regions(many.assign_attrs(kinds=names))


def key_of(figure) -> str:
    """What the one key of a figure says."""
    (key,) = figure.legends
    says = [key.get_title().get_text(), *(text.get_text() for text in key.get_texts())]
    return " | ".join(says)


def test_facets_share_their_colours_and_their_key(whole):
    hits = ap.stats.success(whole, **SUCCESS)
    times = ap.stats.time_quantiles(hits, q=(0.1, 0.5, 0.7))
    panels = ap.plot.facets(times, ap.plot.field, col="quantile", of="time", columns=2)
    assert panels.shape == (2, 2)
    drawn = [ax for ax in panels.flat if ax.figure is not None]
    assert [ax.get_title() for ax in drawn] == ["quantile 0.1", "quantile 0.5", "quantile 0.7"]
    finite = times.time.values[np.isfinite(times.time.values)]
    assert {ax.collections[0].get_clim() for ax in drawn} == {(finite.min(), finite.max())}
    assert key_of(drawn[0].figure) == "n = 16 seeds in each cell | never"
    assert [texts(ax) for ax in drawn] == ["", "", ""]
    # Below the second there is none
    assert [bool(ax.get_xlabel()) for ax in drawn] == [False, True, True]
    assert len(drawn[0].figure.axes) == 4  # one bar for all
    cut = xr.concat(
        [hits.isel(seed=slice(0, m)).pipe(ap.stats.rate) for m in (4, 8)],
        xr.Variable("seeds", [4, 8]),
    )
    both = xr.concat([cut, cut], xr.Variable("copy", ["a", "b"]))
    edge = ap.stats.boundary(both, "learning_rate", resamples=10)
    panels = ap.plot.facets(both, row="copy", col="seeds", boundary=edge)
    assert panels.shape == (2, 2)
    assert panels[1, 0].get_title() == "b, seeds 4"
    says = key_of(panels[0, 0].figure)
    assert says.startswith("n = 4 and 8 seeds in each cell | ")
    assert says.count("may be above or below 50%") == says.count("95% interval") == 1
    given = plt.figure().subplots(1, 4)
    assert ap.plot.facets(both, row="copy", col="seeds", panels=given, key=False) is given
    assert [f"n = {n} per cell" in texts(ax) for ax, n in zip(given, (4, 8, 4, 8), strict=True)]
    assert not given[0].figure.legends
    k = [[[[60, 3]], [[3, 3]]], [[[10, 31]], [[4, 4]]], [[[1, 33]], [[9, 60]]]]
    two = ap.stats.best(
        rates(k, 64, recipe=["a", "b", "c"], task=["s", "t"], y=[1.0], x=[1.0, 2.0])
    )
    assert two.kind.values.tolist() == [[["a", "undecided"]], [["undecided", "c"]]]
    panels = ap.plot.facets(two, ap.plot.regions, col="task")
    bar = [ax for ax in panels.flat[0].figure.axes if ax not in panels.flat]
    assert [label.get_text() for label in bar[0].get_yticklabels()] == ["a", "c"]
    with pytest.raises(ValueError, match="3 panels for 4 values of copy x seeds"):
        ap.plot.facets(both, row="copy", col="seeds", panels=given[:3])
    with pytest.raises(ValueError, match="'width' is no dimension"):
        ap.plot.facets(both, col="width")
    with pytest.raises(ValueError, match="needs two dimensions"):
        ap.plot.facets(both, col="seeds")


def test_learning_curves_over_seeds_and_settings(whole):
    one = whole.isel(init_scale=4)
    ax = ap.plot.learning_curve(one.isel(learning_rate=[0, 4]), by="learning_rate")
    assert sorted(text.split()[-1] for text in texts(ax).split(" | ") if "rate" in text) == [
        "0.01",
        "0.141",
    ]
    middles = [line.get_ydata() for line in ax.lines]
    part = one.loss.isel(learning_rate=[0, 4]).transpose("seed", ...)
    np.testing.assert_array_equal(middles, np.quantile(part, 0.5, axis=0, method="inverted_cdf"))
    ax = ap.plot.learning_curve(one, over=("seed", "learning_rate"), singles=3)
    assert "n = 144 trainings" in texts(ax)
    middle = one.loss.transpose("step", ...).values.reshape(one.sizes["step"], -1)
    middle = np.quantile(np.where(np.isnan(middle), np.inf, middle), 0.5, 1, method="inverted_cdf")
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), middle)
    ax = ap.plot.learning_curve(one.isel(learning_rate=[0, 4]), by="learning_rate", singles=2)
    np.testing.assert_array_equal(ax.lines[4].get_ydata(), one.loss.isel(learning_rate=4, seed=0))
    assert len(ax.lines) == 2 * (1 + 2)
    with pytest.raises(ValueError, match="at most four"):
        ap.plot.learning_curve(one, by="learning_rate")
    with pytest.raises(ValueError, match="select one of init_scale"):
        ap.plot.learning_curve(whole, over=("seed", "learning_rate"))
    loss = one.loss.isel(step=slice(1, None)).transpose("learning_rate", "step", "seed").values
    middle = np.quantile(loss, 0.5, axis=-1, method="inverted_cdf")
    shown = ap.plot.learning_landscape(one).collections[0].get_array()
    np.testing.assert_allclose(shown.reshape(middle.shape)[:5], middle[:5], rtol=1e-6)
    low, high = np.quantile(loss, (0.1, 0.9), axis=-1, method="inverted_cdf")
    shown = ap.plot.learning_landscape(one, q=(0.1, 0.9)).collections[0].get_array()
    np.testing.assert_allclose(
        shown.reshape(low.shape)[:5], np.log10(high / low)[:5], rtol=1e-3, atol=1e-6
    )


def test_the_highest_cell_in_words():
    found = rates([[3, 60], [60, 4]], 64, init_scale=[1.0, 2.0], learning_rate=[0.1, 0.25])
    at = "scale of the initial weights 1, learning rate 0.25"
    assert ap.stats.highest(found) == f"94% [85, 98] of 64 seeds at {at}"
    named = rates([[3, 4], [60, 4]], 64, recipe=["sgd", "adam"], learning_rate=[0.1, 0.25])
    assert ap.stats.highest(named) == "94% [85, 98] of 64 seeds at adam, learning rate 0.1"


# ---- rates in files ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def counted(whole, tmp_path_factory):
    """A map, its trainings of which some diverged, and the file of its rates."""
    loss = whole.test_loss.where(whole.learning_rate < 1.5)
    runs = whole.assign(test_loss=loss, loss=whole.loss.where(whole.learning_rate < 1.5))
    below = xr.DataArray(np.geomspace(0.003, 0.03, 9), {"init_scale": runs.init_scale})
    axes = {name: ap.study.Axis(*values[[0, -1]]) for name, values in GRID.items()}
    one = ap.study.Map(TASK, RECIPE, axes=axes, below=lambda _: below)
    path = tmp_path_factory.mktemp("rates") / "summaries" / "map_rates.nc"
    assert ap.study.save_rates(one.rates(runs), runs, path) == path
    return one, runs, path


def test_rates_in_a_file_are_those_of_the_trainings_bit_for_bit(counted):
    one, runs, path = counted
    expected, found = one.rates(runs), ap.study.load_rates(path)
    assert 0 < expected.rate.mean() < 1
    assert len(expected.below) == 9
    for name, values in expected.variables.items():
        assert found[name].dtype == values.dtype
        assert found[name].values.tobytes() == values.values.tobytes()
        assert found[name].dims == values.dims
    assert set(found.variables) - set(expected.variables) == {"diverged"}
    assert {name: found.attrs[name] for name in expected.attrs} == expected.attrs
    finite = np.isfinite(runs.loss.isel(step=-1, drop=True))
    xr.testing.assert_equal(found.diverged, (~finite).sum("seed"))
    assert found.diverged.max() == 16
    assert found.fingerprint == runs.fingerprint
    assert '"jax"' in found.versions
    assert path.stat().st_size < 20_000
    before = path.read_bytes()
    ap.study.save_rates(expected, runs, path)
    assert path.read_bytes() == before


def test_rates_of_several_recipes_are_written_too(tmp_path):
    """Their provenance is one for each recipe."""
    scales = ap.study.Over("scales", {1: {"init_scale": 0.5}, "two": {"init_scale": 2.0}})
    axes = {"learning_rate": ap.study.Axis(0.1, 1.0)}
    one = ap.study.Map(
        TASK,
        RECIPE,
        axes=axes,
        over=scales,
        points=2,
        options={"compiler_options": QUICK},
        **SUCCESS,
    )
    runs = one.run(seeds=2, progress=False)
    rates = one.rates(runs)
    found = ap.study.load_rates(str(ap.study.save_rates(rates, runs, str(tmp_path / "rates.nc"))))
    xr.testing.assert_equal(found.drop_vars("diverged"), rates)
    assert '"jax"' in found.versions


def test_files_of_maps_are_called_like_the_maps():
    assert path_of(Path("results"), "map", "sgd_2", "_rates") == Path("results/map_sgd_2_rates.nc")
    with pytest.raises(ValueError, match="'SGD at 2', and its files are called like it"):
        path_of(Path("results"), "map", "SGD at 2")


def test_rates_have_names_and_many_seeds_or_no_axis_too(tmp_path):
    hit = np.arange(300) < np.array([[1], [299]])
    loss = xr.DataArray(
        np.where(hit, 0.0, 1.0)[..., None],
        {"recipe": ["SGD 2", "Adam 16"], "seed": np.arange(300), "step": [5]},
        ("recipe", "seed", "step"),
    )
    about = {"fingerprint": "f", "provenance": '{"versions": {}}'}
    for runs in (xr.Dataset({"loss": loss}), xr.Dataset({"loss": loss[0].drop_vars("recipe")})):
        expected = ap.stats.rate(ap.stats.success(runs, below=0.5, of="loss"), interval="wilson")
        path = tmp_path / "rates.nc"
        ap.study.save_rates(expected, runs.assign_attrs(about), path)
        found = ap.study.load_rates(path)
        xr.testing.assert_equal(found.drop_vars("diverged"), expected)


def test_a_damaged_file_of_rates_is_refused(counted, whole, tmp_path):
    good = counted[2].read_bytes()
    path = tmp_path / "rates.nc"
    for place in (10, len(good) // 2, len(good) - 30, len(good) - 3):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(ValueError, match=r"is damaged.*run the experiment|is no map's rates"):
            ap.study.load_rates(path)
    path.write_bytes(good[:-22])
    with pytest.raises(ValueError, match="the checksum at its end is missing"):
        ap.study.load_rates(path)
    path.write_bytes(b"no netCDF")
    with pytest.raises(ValueError, match="is no map's rates: it cannot be read as netCDF"):
        ap.study.load_rates(path)
    with pytest.raises(ValueError, match="is no map's rates: save_rates did not write it"):
        ap.study.load_rates(ap.save(whole, tmp_path / "runs.nc"))
    newer = xr.load_dataset(counted[2], engine="h5netcdf").assign_attrs(approx_rates_format=2)
    write_netcdf(path, newer)
    with pytest.raises(ValueError, match="has format 2; this version of approx reads up to 1"):
        ap.study.load_rates(path)
    with pytest.raises(FileNotFoundError, match=r"no rates at .*: run the experiment"):
        ap.study.load_rates(tmp_path / "none.nc")


def test_a_script_of_maps_writes_the_rates_of_whole_maps(tmp_path, capsys):
    axes = {name: ap.study.Axis(*values[[0, -1]]) for name, values in GRID.items()}
    options = {"compiler_options": QUICK}
    one = ap.study.Map(TASK, RECIPE, axes=axes, points=3, seeds=2, quick_points=2, **SUCCESS)
    declared = {"one": replace(one, options=options)}
    results, summaries = tmp_path / "results", tmp_path / "summaries"
    main = ap.study.maps_script("map", declared, results, summaries)
    main(zoom={"learning_rate": (0.1, 1.0)})
    assert not summaries.exists()
    main()
    main(quick=True)
    for folder, there in ((summaries, results), (results / "quick", results / "quick")):
        runs = ap.load(there / "map_one.nc")
        found = ap.study.load_rates(folder / "map_one_rates.nc")
        xr.testing.assert_equal(found.drop_vars("diverged"), one.rates(runs))
    assert [path.name for path in summaries.iterdir()] == ["map_one_rates.nc"]
    ap.study.maps_script("map", declared, tmp_path / "alone")(quick=True)
    assert not list(tmp_path.glob("alone/**/*_rates.nc"))


# ---- experiments ---------------------------------------------------------------------------------


CASES = ("square", "interval", "sine", "identity", "clusters", "waveform")


def fewer(declared):
    """Maps with two programs for each optimiser at most, and without many classes."""
    found = {}
    for label, one in declared.items():
        if re.fullmatch(r"(sgd|adam)_(8|16|32|64)", label):
            continue
        if one.over is not None:
            keep = {at: change for at, change in one.over.changes.items() if is_small(at)}
            one = replace(one, over=one.over._replace(changes=keep))
        found[label] = one
    return found


def is_small(at) -> bool:
    """Whether a value of an axis of programs, such as 4 or "SGD 4", is of one or four units."""
    return str(at).split()[-1] in ("1", "4")


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """{case: its script and its maps with few settings}, and the folder of their results."""
    folder = tmp_path_factory.mktemp("cases")
    found = {}
    for name in CASES:
        module = script("experiments", f"map_{name}")
        found[name] = module, fewer(module.MAPS)
        options = {"summaries": folder, "points": 4, "seeds": 3, "quick": True}
        with unoptimised():
            ap.study.train_maps(f"map_{name}", found[name][1], folder, **options)
    return found, folder / "quick"


def drawn(figure, results):
    """The pixels of a figure."""
    with plt.style.context(ap.plot.STYLE):
        canvas = figure.draw(results).canvas
        canvas.draw()
    pixels = np.array(canvas.buffer_rgba())
    plt.close("all")
    return pixels


@pytest.mark.slow
def test_the_maps_of_the_cases_are_drawn_and_are_the_same_figures_again(cases, tmp_path):
    """Two of them as files, the others as they are on the screen."""
    results = cases[1]
    further = ("square_times", "square_seeds", "square_range", "interval_width", "sine_snake")
    for name in (*CASES, *further):
        figure = script("figures", f"map_{name}")
        if name == "waveform":
            figure.CLASSES = (2, 4)
        if name not in ("square", "identity"):
            assert np.array_equal(drawn(figure, results), drawn(figure, results))
            continue
        source = "summaries" if hasattr(figure, "SUMMARIES") else "results"
        for folder in (tmp_path / "one", tmp_path / "two"):
            figure.main(**{source: results}, figures=folder)
        first, second = ((tmp_path / n / f"map_{name}.png").read_bytes() for n in ("one", "two"))
        assert first == second


@pytest.mark.slow
def test_the_rates_of_the_cases_are_those_of_their_results(cases):
    maps, results = cases
    for name, (_, declared) in maps.items():
        for label, one in declared.items():
            runs = ap.load(results / f"map_{name}_{label}.nc")
            found = ap.study.load_rates(results / f"map_{name}_{label}_rates.nc")
            xr.testing.assert_equal(found.drop_vars("diverged"), one.rates(runs))
            assert found.fingerprint == runs.fingerprint


@pytest.mark.slow
def test_a_window_of_a_case_has_the_other_axes_of_the_whole_map(cases, tmp_path):
    maps, results = cases
    window = {"learning_rate": (0.1, 1.0)}
    for name, label in (("square", "tanh"), ("interval", "width"), ("waveform", "sgd_2")):
        few = {label: maps[name][1][label]}
        options = {"summaries": tmp_path, "points": 4, "seeds": 3, "quick": True}
        ap.study.train_maps(f"map_{name}", few, tmp_path, zoom=window, **options)
        zoomed = ap.load(tmp_path / "quick" / f"map_{name}_{label}_zoom.nc")
        whole = ap.load(results / f"map_{name}_{label}.nc")
        assert zoomed.learning_rate.values.tolist() == ap.maps.axis(0.1, 1.0, 4).tolist()
        others = set(whole.loss.dims) - {"learning_rate", "step"}
        assert all(zoomed[dim].equals(whole[dim]) for dim in others)
    assert not list(tmp_path.glob("**/*_rates.nc"))
    draw = script("figures", "map")
    draw.main(tmp_path / "quick" / "map_square_tanh_zoom.nc", below=0.1, figures=tmp_path)
    assert (tmp_path / "map_square_tanh_zoom.png").exists()
    with pytest.raises(SystemExit, match="has 1 swept numbers"):
        draw.main(results / "map_waveform_sgd_2.nc", above=0.1, of="accuracy")


@pytest.mark.slow
def test_a_cell_computed_alone_is_that_of_the_map(cases):
    """To the bit, of maps of numeric axes."""
    maps, results = cases
    chosen = {
        "square": ("tanh", "relu"),
        "interval": ("sgd_raw", "adam_z"),
        "sine": ("snake",),
        "identity": ("sgd", "adam"),
        "clusters": ("bare", "biases"),
        "waveform": ("adam_2",),
    }
    for name, labels in chosen.items():
        for label in labels:
            whole = ap.load(results / f"map_{name}_{label}.nc")
            one = maps[name][1][label]
            at = {dim: [1 + (dim != "learning_rate")] for dim in one.axes}
            cell = whole.isel(at)
            grid = {dim: cell[dim].values for dim in one.axes}
            alone = one.run(grid, seeds=3, quick=True, progress=False)
            xr.testing.assert_equal(alone, cell)


@pytest.mark.slow
def test_savings_are_those_of_the_whole_map(cases, tmp_path):
    savings = script("experiments", "map_savings")
    table = tmp_path / "savings.md"
    savings.main(shares=(1.0,), steps=500, results=cases[1], summary=table)
    assert "| 12 | 25.0% | 25.0% |" in table.read_text()


def test_the_gallery_says_how_each_figure_was_made(tmp_path):
    gallery = script("figures", "gallery")
    drawn = {path.stem for path in (ROOT / "figures").glob("*.png")}
    assert drawn == set(gallery.FIGURES)
    page = (ROOT / "figures" / "README.md").read_text()
    for name in drawn:
        assert f"({name}.png)" in page
    for name in gallery.FIGURES:
        assert gallery.paragraph("figures", name, "Shows: ") in page
        if name not in gallery.COMMANDS:
            experiment = gallery.MADE_BY.get(name, name)
            assert gallery.paragraph("experiments", experiment, "Cost: ") in page
        assert gallery.paragraph("figures", name, "Shows: ").count(".") >= 2
    with pytest.raises(FileNotFoundError, match="make figures first"):
        gallery.main(results=tmp_path, figures=tmp_path)


def test_the_gallery_has_the_checksums_of_the_tables_that_its_figures_are_drawn_from():
    gallery = script("figures", "gallery")
    page = (ROOT / "figures" / "README.md").read_text()
    for name, pattern in gallery.FIGURES.items():
        if gallery.is_of_tables(pattern):
            assert gallery.whose_tables(pattern) in gallery.earlier_section(page, name), name


def test_one_key_draws_what_the_notes_of_several_maps_say():
    """Hatching, dots and bars stand in the key, each once; the notes above the maps are gone."""
    counts = rates([[0, 8], [8, 16]], 16, y=[1.0, 2.0], x=[1.0, 10.0])
    edge = xr.Dataset(
        {name: (("x", "crossing"), [[1.5], [1.2]]) for name in ("middle", "low", "high")},
        {"x": [1.0, 10.0]},
        {"along": "y"},
    )
    figure, (left, right, plain) = plt.subplots(1, 3, layout="constrained")
    ap.plot.landscape(counts, left, "Left", diverged=xr.ones_like(counts.rate), boundary=edge)
    times = xr.Dataset({"time": counts.rate.where(counts.rate > 0, np.inf), "n": counts.n})
    ap.plot.field(times, "time", right, "Right")
    with pytest.raises(ValueError, match="explains maps, and there is none"):
        ap.plot.map_key(plain)
    key = ap.plot.map_key((left, right, plain))
    assert [text.get_text() for text in key.get_texts()] == [
        "may be above or below 50%",
        "most diverged",
        "half of the seeds succeed, 95% interval",
        "never",
    ]
    assert key.get_title().get_text() == "n = 16 seeds in each cell"
    hatches = {patch.get_hatch() for patch in key.get_patches()}
    assert hatches == {left.collections[1].get_hatch(), ".."}
    assert texts(left) == texts(right) == ""
    assert (left.get_title(), figure.legends) == ("Left", [key])


def test_a_key_has_further_marks_and_stands_off_the_maps():
    counts = rates([[0, 8], [8, 16]], 16, y=[1.0, 2.0], x=[1.0, 10.0])
    for layout in ("constrained", None):
        figure, ax = plt.subplots(layout=layout)
        ap.plot.landscape(counts, ax)
        ax.axvline(3.0, color="red")
        key = ap.plot.map_key(ax, also={"the usual rate": ax.lines[-1]})
        assert key_of(figure).endswith("| the usual rate")
        figure.draw_without_rendering()
        assert key.get_window_extent().y1 <= ax.get_tightbbox().y0
    figure, ax = plt.subplots(layout="constrained")
    without_seeds = xr.Dataset({"time": counts.rate.where(counts.rate > 0, np.inf)})
    ap.plot.field(without_seeds, "time", ax)
    ap.plot.map_key(ax)
    assert key_of(figure) == " | never"


def test_a_colour_bar_beside_two_rows_is_as_wide_as_one_beside_a_row():
    counts = rates([[0, 8], [8, 16]], 16, y=[1.0, 2.0], x=[1.0, 10.0])
    for rows in (1, 2):
        figure, grid = plt.subplots(rows, 2, figsize=(6, 3 * rows), squeeze=False)
        panels = list(grid.flat)
        for ax in panels:
            ap.plot.landscape(counts, ax, bar=panels if ax is panels[-1] else False)
        bar = figure.axes[-1]
        assert bar.get_box_aspect() == 20 * rows


def test_light_is_good_on_a_field():
    """The least numbers are light, those of errors and times; or the greatest, of accuracies."""
    values = xr.Dataset({"error": (("y", "x"), [[1.0, 2.0]])}, {"y": [1.0], "x": [1.0, 2.0]})

    def lightness(**options):
        mesh = ap.plot.field(values, "error", **options).collections[0]
        mesh.update_scalarmappable()
        return mesh.get_facecolor()[:, :3].mean(1)

    assert np.diff(lightness()) < -0.3
    assert np.diff(lightness(light="greatest")) > 0.3
    with pytest.raises(ValueError, match='light="high": either the "least" or the "greatest"'):
        ap.plot.field(values, "error", light="high")
