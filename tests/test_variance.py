"""Promise: variance shares are recovered within their intervals, streams cross as they say, powers
are fitted.
"""

from itertools import product

import numpy as np
import pytest
import xarray as xr

import approx as ap
from approx.sweep import plans

SD = {(0,): 1.0, (1,): 0.5, (0, 1): 0.7}


def crossed_table(rng, levels, deviations):
    table = np.zeros(levels)
    for u, deviation in deviations.items():
        table = table + deviation * rng.standard_normal(
            [n if j in u else 1 for j, n in enumerate(levels)]
        )
    return table


def as_runs(table, *lead):
    names = ("init_seed", "data_seed", "order_seed")[: table.ndim - len(lead)]
    return xr.Dataset({"value": ((*lead, *names), table)})


@pytest.mark.parametrize(
    ("levels", "sd"), [((12, 9), SD), ((7, 6, 5), SD | {(2,): 0.3, (1, 2): 0.6, (0, 1, 2): 0.5})]
)
def test_shares_are_covered(levels, sd):
    """400 tables of known components; a 95% interval covers 91 to 99% of them (binomial, and
    conservative at 0).
    """
    rng = np.random.default_rng(5)
    runs = as_runs(np.stack([crossed_table(rng, levels, sd) for _ in range(400)]), "sim")
    split = ap.stats.variance_components(
        runs, of="value", scale="linear", resamples=500, kurtosis=0
    )
    letters = {"init": 0, "data": 1, "order": 2}
    whole = sum(s * s for s in sd.values())
    for source in split.source.values:
        u = tuple(letters[name] for name in source.split(" x "))
        share = sd.get(u, 0.0) ** 2 / whole
        total = sum(s * s for v, s in sd.items() if set(u) <= set(v)) / whole
        one = split.sel(source=source)
        assert ((one.low <= share) & (share <= one.high)).mean() > 0.91, source
        assert ((one.total_low <= total) & (total <= one.total_high)).mean() > 0.91, source
        # Unbiased: 400 tables, sd below 0.6
        assert float(abs(one.component.mean() - share * whole)) < 0.1, source


@pytest.mark.parametrize("levels", [5, 10, 20])
def test_shares_of_exponential_effects_are_covered_by_default(levels):
    """400 tables of effects with an excess kurtosis of 6: at least 93%; intervals for normal
    effects miss more.
    """
    rng = np.random.default_rng(11)
    draw = lambda size: rng.standard_exponential(size) - 1  # noqa: E731
    tables = (
        np.sqrt(0.5) * draw((400, levels, 1))
        + 0.5 * draw((400, 1, levels))
        + 0.5 * draw((400, levels, levels))
    )
    runs = as_runs(tables, "sim")
    covered = {}
    for kurtosis in (6.0, 0.0):
        split = ap.stats.variance_components(
            runs, of="value", scale="linear", resamples=500, kurtosis=kurtosis
        )
        truth = xr.DataArray([0.5, 0.25, 0.25], dims="source")
        covered[kurtosis] = ((split.low <= truth) & (truth <= split.high)).mean("sim").values
    assert np.all(covered[6.0] >= 0.93)
    assert np.all(covered[0.0] < covered[6.0])


def test_components_by_hand():
    """Two factors: textbook formulas (MS_A - MS_AB) / n_B, (MS_B - MS_AB) / n_A, MS_AB."""
    table = crossed_table(np.random.default_rng(1), (5, 4), SD)
    rows, columns = (
        table.mean(1, keepdims=True) - table.mean(),
        table.mean(0, keepdims=True) - table.mean(),
    )
    within = ((table - table.mean() - rows - columns) ** 2).sum() / 12
    by_hand = [
        (4 * (rows**2).sum() / 4 - within) / 4,
        (5 * (columns**2).sum() / 3 - within) / 5,
        within,
    ]
    split = ap.stats.variance_components(as_runs(table), of="value", scale="linear")
    assert split.source.values.tolist() == ["init", "data", "init x data"]
    np.testing.assert_allclose(split.component, by_hand, rtol=1e-12)
    assert int(split.n) == 20


def test_scales():
    table = crossed_table(np.random.default_rng(1), (6, 6), SD)
    log = ap.stats.variance_components(as_runs(10**table), of="value")
    np.testing.assert_allclose(
        log.share, ap.stats.variance_components(as_runs(table), of="value", scale="linear").share
    )
    table[2, 3] = np.nan  # diverged: the last rank
    ranks = ap.stats.variance_components(as_runs(table), of="value", scale="rank")
    table[2, 3] = 1e9
    xr.testing.assert_identical(
        ranks, ap.stats.variance_components(as_runs(table), of="value", scale="rank")
    )


def test_crossed_streams(quiet):
    task = ap.tasks.square(range=1.0, inputs="uniform")
    recipe = ap.Recipe(model=ap.MLP((4,)), optimizer="sgd", batch_size=7, steps=5, records=3)
    seeds = {"init": 3, "data": (4, 9)}
    runs = ap.run(
        task, recipe, seeds=2, cross=seeds, learning_rate=[0.01, 0.1], keep=("params",), **quiet
    )
    assert dict(runs.loss.sizes) == {
        "learning_rate": 2,
        "init_seed": 3,
        "data_seed": 2,
        "seed": 2,
        "step": runs.sizes["step"],
    }
    first = runs.loss.isel(step=0, learning_rate=0)
    # Before the first step order has no say
    assert (first.isel(seed=0) == first.isel(seed=1)).all()
    assert len(np.unique(first.isel(seed=0))) == 6
    for init, data in ((0, 9), (2, 4)):  # corners at which exchanged labels would show
        frozen = {"freeze": {"init": init, "data": data}, "keep": ("params",)}
        same = ap.run(task, recipe, seeds=2, learning_rate=[0.01, 0.1], **frozen, **quiet)
        crossed = runs.loss.sel(init_seed=init, data_seed=data).transpose(*same.loss.dims)
        np.testing.assert_array_equal(crossed, same.loss, f"init {init}, data {data}")
    assert ap.params(runs, learning_rate=0.1, init_seed=0, data_seed=4, seed=1)[0]["w"].shape == (
        1,
        4,
    )


def test_seeds_of_crossed_streams_are_in_the_order_of_their_labels():
    """The last of the crossed streams changes faster than the first, the seeds fastest; other
    streams take the seed.
    """
    crossed = {"init": np.array([7, 8, 9]), "data": np.array([4, 5])}
    streams = plans.stream_seeds(np.array([0, 1]), {}, crossed)
    expected = [
        [init, data, *[seed] * 3] for init, data, seed in product((7, 8, 9), (4, 5), (0, 1))
    ]
    assert streams.tolist() == expected
    assert streams[2].tolist() == [7, 5, 0, 0, 0]
    frozen = plans.stream_seeds(np.array([0, 1]), {"order": 6}, {"init": np.array([7, 8])})
    order = ap.Keys._fields.index("order")
    assert frozen[:, 0].tolist() == [7, 7, 8, 8]
    assert frozen[:, order].tolist() == [6] * 4


def test_power_is_recovered():
    widths = np.array([2, 4, 8, 16, 32])
    noise = np.random.default_rng(0).lognormal(0, 0.5, (5, 200))
    runs = xr.Dataset(
        {"test_loss": (("width", "seed"), 3.0 * widths[:, None] ** -4.0 * noise)}, {"width": widths}
    )
    fit = ap.stats.exponent(runs, "width")
    assert float(fit.low) < -4 < float(fit.high)
    assert float(fit.high - fit.low) < 0.3
    assert float(fit.bend_low) < 0 < float(fit.bend_high)
    by_hand = np.polyfit(np.log(widths), np.log(np.median(runs.test_loss, 1)), 1)
    np.testing.assert_allclose(
        [fit.exponent, fit.fitted[0]], [by_hand[0], np.exp(np.polyval(by_hand, np.log(2)))]
    )
    bent = runs.assign(test_loss=runs.test_loss + 0.01)  # a plateau is no power law
    assert float(ap.stats.exponent(bent, "width").bend_low) > 0
    axes = ap.plot.power_law(fit, floors={"floor": (widths, widths**-4.0)})
    assert len(axes.lines) >= 3  # points, fit, floor
    assert axes.get_xscale() == "log"


def test_split_panel():
    split = ap.stats.variance_components(
        as_runs(crossed_table(np.random.default_rng(1), (6, 6), SD)), of="value", scale="linear"
    )
    axes = ap.plot.variance_components(split)
    assert [bar.get_width() for bar in axes.patches] == split.share.values.tolist()
    assert [t.get_text() for t in axes.get_yticklabels()] == ["init", "data", "init × data"]


def test_whole_numbers_and_truth_values_are_split_as_numbers():
    table = np.random.default_rng(0).integers(0, 2, (5, 4))
    for scale in ("linear", "rank"):
        splits = [
            ap.stats.variance_components(as_runs(table.astype(kind)), of="value", scale=scale)
            for kind in (float, int, bool)
        ]
        for other in splits[1:]:
            xr.testing.assert_identical(other, splits[0])


TABLE = as_runs(np.ones((3, 3)))
REFUSED = {
    "not finite": (lambda: ap.stats.variance_components(TABLE / 0, of="value"), "scale='rank'"),
    "not positive": (lambda: ap.stats.variance_components(TABLE - 1, of="value"), "not positive"),
    "one factor": (
        lambda: ap.stats.variance_components(TABLE.isel(init_seed=0), of="value"),
        "two crossed factors",
    ),
    "a kurtosis below that of a normal distribution": (
        lambda: ap.stats.variance_components(TABLE, of="value", kurtosis=-1.0),
        "kurtosis is -1",
    ),
    "no such scale": (
        lambda: ap.stats.variance_components(TABLE, of="value", scale="ln"),
        "log, linear, rank",
    ),
    "no such axis": (
        lambda: ap.stats.variance_components(TABLE, of="value", over=("init_seed", "width")),
        "no dimension",
    ),
    "two points": (
        lambda: ap.stats.exponent(TABLE.rename(init_seed="seed"), "data_seed", "value"),
        "positive numbers",
    ),
    "unknown stream": (
        lambda: ap.run(ap.tasks.square(), ap.Recipe(), cross={"weights": 2}),
        "cannot cross 'weights'",
    ),
    "both": (
        lambda: ap.run(ap.tasks.square(), ap.Recipe(), cross={"init": 2}, freeze=("init",)),
        "both frozen and",
    ),
    "too many": (
        lambda: ap.run(ap.tasks.square(), ap.Recipe(), cross={"init": 10**5, "data": 10**5}),
        "at most 10\\^10",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    call, message = REFUSED[name]
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=message):
        call()


def test_every_training_gets_the_seeds_under_its_own_labels():
    """Six combinations of crossed seeds, init outside and data inside; all seeds within each."""
    crossed = {"init": np.array([7, 8, 9]), "data": np.array([4, 5])}
    streams = plans.stream_seeds(np.array([0, 1]), {}, crossed)
    expected = [[init, data, s, s, s] for init in (7, 8, 9) for data in (4, 5) for s in (0, 1)]
    np.testing.assert_array_equal(streams, expected)
    frozen = plans.stream_seeds(np.array([0, 1]), {"order": 6}, {"noise": np.array([3])})
    np.testing.assert_array_equal(frozen, [[0, 0, 6, 0, 3], [1, 1, 6, 1, 3]])
