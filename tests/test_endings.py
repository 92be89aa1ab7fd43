"""Promise: one stated rule says what became of every seed; losses that are known without training
are right; and constant hidden units are counted.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from scipy.optimize import minimize

import approx as ap
from approx import stats
from approx.study.plateaus import known_plateaus
from approx.study.units import idle_share

STEPS = np.arange(0, 1001, 10)


# ---- the rule ------------------------------------------------------------------------------------


def resting(value):
    """A loss that came to rest long ago."""
    return np.where(STEPS < 200, 2 * value, value)


def falling_to(value):
    """A loss that falls as 1 / t, and is at `value` at the end."""
    return value * 1001 / (STEPS + 1)


def runs_of(*losses, test_loss=None):
    """Runs of hand-made losses; nobody learned unless a test loss says so."""
    if test_loss is None:
        test_loss = np.ones(len(losses))
    whole = np.tile(np.asarray(test_loss, float)[:, None], STEPS.size)
    return xr.Dataset(
        {"loss": (("seed", "step"), np.array(losses)), "test_loss": (("seed", "step"), whole)},
        {"step": STEPS, "seed": np.arange(len(losses))},
    )


def hits_of(runs):
    return stats.success(runs, below=0.01)


def kinds_of(runs, *arguments, **options):
    return stats.endings(runs, hits_of(runs), *arguments, **options).kind.values.tolist()


def test_every_kind_of_ending_is_told():
    crowd = [resting(0.4774 * (1 + 1e-4 * n)) for n in range(-3, 4)]
    losses = [
        resting(1e-4),
        resting(np.nan),
        resting(np.inf),
        resting(2e-3),
        resting(0.6365 * 1.015),
        falling_to(0.3),
        resting(0.9),
        *crowd,
    ]
    test_loss = np.ones(len(losses))
    test_loss[0] = 1e-3
    runs = runs_of(*losses, test_loss=test_loss)
    known = {"best constant": 0.6365, "best line": 0.2}
    found = stats.endings(runs, hits_of(runs), known, fits=5e-3)
    assert found.kind.values.tolist() == [
        "learned",
        "diverged",
        "diverged",
        "fits its rows only",
        "best constant",
        "still falling",
        "stuck",
        *["at 0.4774"] * 7,
    ]
    assert found.attrs["kinds"] == [
        "learned",
        "fits its rows only",
        "best constant",
        "best line",
        "at 0.4774",
        "still falling",
        "stuck",
        "diverged",
    ]
    assert (found.attrs["of"], found.attrs["tolerance"]) == ("loss", 0.02)
    assert "note" not in found.attrs
    counted = stats.shares(found)
    assert counted.kind.values.tolist() == found.attrs["kinds"]
    assert counted.successes.values.tolist() == [1, 1, 1, 0, 7, 1, 1, 2]
    assert (counted.low < counted.high).all()
    ap.plot.failure_causes(counted, colors=dict.fromkeys(found.attrs["kinds"], "C0"))


def test_the_first_statement_that_is_true_decides():
    known = {"plateau": 0.3}
    learned = dict(test_loss=[0.0])
    for loss in (np.full(STEPS.size, np.nan), resting(1e-4), resting(0.3), falling_to(0.4)):
        assert kinds_of(runs_of(loss, **learned), known, fits=1e-3) == ["learned"]
    minus = runs_of(np.full(STEPS.size, -np.inf))
    assert kinds_of(minus, known, fits=1e-3) == ["diverged"], "-inf is no fit"
    assert kinds_of(runs_of(resting(0.3)), known, fits=0.5) == ["fits its rows only"]
    assert kinds_of(runs_of(falling_to(0.2)), fits=0.5) == ["fits its rows only"]
    assert kinds_of(runs_of(falling_to(0.3)), known) == ["plateau"]
    crowd = [falling_to(0.2)] * 10 + [resting(0.2)] * 4
    assert kinds_of(runs_of(*crowd)) == ["still falling"] * 10 + ["stuck"] * 4
    assert kinds_of(runs_of(*crowd, resting(0.2)))[10:] == ["at 0.2"] * 5


def test_the_edges_of_every_number():
    known = {"low": 1.0, "high": 1.03}
    values = np.array([0.979, 0.981, 1.014, 1.016, 1.050, 1.052])
    runs = runs_of(*map(resting, values))
    expected = ["stuck", "low", "low", "high", "high", "stuck"]
    assert kinds_of(runs, known) == expected, "of two plateaus the nearest, as a share of its value"
    assert kinds_of(runs, known, tolerance=1e-3) == ["stuck"] * 6
    assert kinds_of(runs, known, tolerance=0.03) == [*["low"] * 3, *["high"] * 3]
    assert kinds_of(runs, fits=0.981) == [*["fits its rows only"] * 2, *["stuck"] * 4]
    assert "fits its rows only" not in stats.endings(runs, hits_of(runs)).attrs["kinds"]


def test_a_plateau_is_found_among_the_rest_only_where_it_is_narrow_and_many_are_there():
    def found(values, others=()):
        runs = runs_of(*map(resting, values), *others)
        return sorted(set(kinds_of(runs)))

    near = 1 + 0.0019 * np.arange(5)  # neighbours within 0.2%, and all within 0.8%
    assert found(near) == ["at 1.004"]
    assert found(near[:4]) == ["stuck"], "five at least"
    assert found(1 + 0.0021 * np.arange(5)) == ["stuck"], "neighbours too far apart"
    assert found(1 + 0.0019 * np.arange(6)) == ["stuck"], "too wide"
    alone = 3.0 * 1.1 ** np.arange(46)
    assert found([*near, *alone[:45]]) == ["at 1.004", "stuck"], "a tenth of the rest"
    assert found([*near, *alone]) == ["stuck"], "fewer than a tenth"
    gone = [resting(np.nan)] * 200
    assert found(near, gone) == ["at 1.004", "diverged"], "a tenth of the rest, not of all seeds"
    apart = runs_of(*map(resting, 1 + 0.006 * np.arange(5)))
    assert set(kinds_of(apart, tolerance=0.08)) == {"at 1.012"}, "the tolerance is the measure"


@pytest.mark.parametrize(
    "seeds", [16, 48, 256, *(pytest.param(seeds, marks=pytest.mark.slow) for seeds in (64, 100))]
)
@pytest.mark.parametrize("spread", ["factor 2", "factor 10", "normal"])
def test_values_that_are_spread_smoothly_are_seldom_called_a_plateau(seeds, spread):
    rng = np.random.default_rng(0)
    samples = {
        "factor 2": lambda: 2 ** rng.uniform(size=seeds),
        "factor 10": lambda: 10 ** rng.uniform(size=seeds),
        "normal": lambda: np.exp(rng.normal(size=seeds)),
    }
    never = xr.DataArray(np.zeros(seeds, bool), dims="seed")
    wrong = 0
    for _ in range(60):
        runs = xr.Dataset({"loss": ("seed", samples[spread]())})
        wrong += (stats.endings(runs, never).kind != "stuck").any().item()
    assert wrong <= 8, "at 5% more than 8 of 60 have a probability below 1%"


def test_all_settings_are_judged_by_one_rule():
    values = np.array([[[1e-4, 0.5], [0.5, np.inf]], [[0.5, 0.7], [0.5, 0.5]]])
    runs = xr.Dataset(
        {"loss": (("recipe", "learning_rate", "seed", "step"), values[..., None] * resting(1.0))},
        {"recipe": ["a", "b"], "learning_rate": [0.1, 0.2], "step": STEPS},
    )
    hits = stats.success(runs, below=0.01, of="loss")
    found = stats.endings(runs, hits)
    assert found.kind.dims == ("recipe", "learning_rate", "seed")
    assert found.kind.values.tolist() == [
        [["learned", "at 0.5"], ["at 0.5", "diverged"]],
        [["at 0.5", "stuck"], ["at 0.5", "at 0.5"]],
    ]
    other_order = stats.endings(runs, hits.transpose("step", "seed", ...))
    xr.testing.assert_identical(found, other_order)
    one = stats.endings(runs.sel(recipe="b"), hits.sel(recipe="b"), {"half": 0.5})
    assert one.kind.values.tolist() == [["half", "stuck"], ["half", "half"]]
    assert stats.shares(found).rate.sel(kind="at 0.5", recipe="b").values.tolist() == [0.5, 1.0]


def test_where_no_record_tells_what_falls_a_note_says_so():
    runs = runs_of(falling_to(0.3), resting(0.5), resting(np.nan))
    for cut, reason in (
        (runs.isel(step=-1), "no dimension 'step'"),
        (stats.pick(runs, by="loss"), "no dimension 'step'"),
        (runs.isel(step=[0, -1]), "no record after step 0"),
        (runs.isel(step=[-1]), "no record after step 0"),
        (runs.assign(loss=runs.loss - 2), "below 0"),
    ):
        found = stats.endings(cut, hits_of(cut))
        assert found.kind.values.tolist() == ["stuck", "stuck", "diverged"]
        assert found.attrs["kinds"] == ["learned", "stuck", "diverged"]
        assert "no kind 'still falling'" in found.attrs["note"]
        assert reason in found.attrs["note"]
    minus = runs.loss.where(runs.seed != 2, -np.inf)
    one_diverged = runs.assign(loss=minus)
    assert kinds_of(one_diverged) == ["still falling", "stuck", "diverged"], (
        "a loss of -inf does not keep the others from being judged"
    )


def test_what_is_wrong_is_said():
    runs = runs_of(resting(0.5), resting(0.3)).assign(test_accuracy=lambda data: data.loss)
    hits = hits_of(runs)
    for call, message in (
        (lambda: stats.endings(hits, hits), "no variable 'loss'"),
        (lambda: stats.endings(runs, runs), "this takes hits"),
        (lambda: stats.endings(runs, hits, of="test_accuracy"), "'test_accuracy' is no loss"),
        (lambda: stats.endings(runs.isel(seed=0), hits), "no dimension 'seed'"),
        (lambda: stats.endings(runs.isel(seed=[0]), hits), "differ along 'seed'"),
        (lambda: stats.endings(runs.isel(seed=[1, 0]), hits), "differ along 'seed'"),
        (lambda: stats.endings(runs.expand_dims(recipe=["a"]), hits), r"\(recipe, seed\)"),
        (lambda: stats.endings(runs, hits.isel(step=slice(50))), "hits is at step 490, and"),
        (lambda: stats.endings(runs.isel(step=-1), hits), "the hits have 101"),
        (lambda: stats.endings(runs.isel(step=[5, 1]), hits), "increasing records"),
        (lambda: stats.endings(runs, hits, {"none": 0.0}), "positive value; got {'none': 0.0}"),
        (lambda: stats.endings(runs, hits, {"none": np.nan}), "positive value"),
        (lambda: stats.endings(runs, hits, {"stuck": 0.1}), "'stuck' is a kind of its own"),
        (lambda: stats.endings(runs, hits, {"learned": 0.1}), "'learned' is a kind of its own"),
        (lambda: stats.endings(runs, hits, {"at 0.5": 0.5}), "choose another name"),
        (lambda: stats.endings(runs, hits, tolerance=0.0), "between 0 and 1, such as 0.02; got 0"),
        (lambda: stats.endings(runs, hits, tolerance=1.0), "between 0 and 1"),
        (lambda: stats.endings(runs, hits, fits=np.nan), "or None; got nan"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match=r"plateaus is a dictionary such as .* not list"):
        stats.endings(runs, hits, [0.5])
    missing = runs.assign(evaluations=runs.loss.where(runs.seed == 0))
    with pytest.raises(ValueError, match="1 of 2 trainings have records that were never made"):
        stats.endings(missing, hits)
    assert kinds_of(runs, {"at the mean": 0.5}) == ["at the mean", "stuck"]
    single = hits.isel(step=-1, drop=True)
    assert stats.endings(runs, single).kind.values.tolist() == ["stuck", "stuck"]


# ---- plateaus that are known ---------------------------------------------------------------------


def task_of(loss, outputs=3, rows=30, **options):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 2))
    y = np.abs(x[:, :1]) + rng.uniform(size=(rows, outputs)) * [1, 2, 3] + x[:, 1:]
    if loss in ("brier", "binary_cross_entropy"):
        y = (y > 1.3).astype(float)
    if loss == "cross_entropy":
        y = np.arange(rows) % 5 // 2
    return ap.given(x, y, loss=loss, **options)


def brute_constant(task):
    """The least of the package's own loss, as runs record it, of outputs that are constant."""

    @jax.jit
    def of_constant(values, y):
        return ap.losses.find(task.loss)(jnp.broadcast_to(values, (len(task.x), 3)), y).mean()

    found = lambda values: float(of_constant(values, task.y))  # noqa: E731
    with jax.enable_x64(True):  # in float32 the search ends where rounding hides the slope
        return minimize(found, np.zeros(3), method="Nelder-Mead", options=EXACT).fun


EXACT = {"xatol": 1e-5, "fatol": 1e-9, "maxiter": 4000, "maxfev": 4000}
LOSSES = ["mse", "half_squared_error", "brier", "binary_cross_entropy", "cross_entropy"]
SCALED = [
    ap.losses.ScaledError(),
    ap.losses.ScaledError(3.0),
    ap.losses.ScaledError((0.5, 1.0, 2.0)),
]


@pytest.mark.parametrize("loss", [*LOSSES, *SCALED], ids=str)
def test_the_best_constant_is_what_a_search_finds(loss):
    task = task_of(loss)
    found = known_plateaus(task)["best constant"]
    assert found == pytest.approx(brute_constant(task), rel=1e-4)


@pytest.mark.parametrize("loss", ["mse", "half_squared_error", *SCALED], ids=str)
def test_the_best_line_is_what_a_search_finds(loss):
    task = task_of(loss)
    columns = np.hstack([task.x, np.ones((30, 1))])

    @jax.jit
    @jax.value_and_grad
    def of_line(weights):
        outputs = jnp.asarray(columns) @ weights.reshape(3, 3)
        return ap.losses.find(loss)(outputs, jnp.asarray(task.y)).mean()

    def both(weights):
        value, slope = of_line(weights)
        return float(value), np.asarray(slope, float)

    searched = minimize(both, np.zeros(9), jac=True, method="BFGS")
    assert known_plateaus(task)["best line"] == pytest.approx(searched.fun, rel=1e-4)


def test_known_plateaus_of_the_catalogue_by_hand():
    x = np.arange(-10, 11)
    variance = np.var(x**2)
    assert known_plateaus(ap.tasks.square()) == {"best constant": pytest.approx(variance)}, (
        "the best line of x² is level, and has no name of its own"
    )
    entropy = -(np.log(1 / 3) + 2 * np.log(2 / 3)) / 3
    assert known_plateaus(ap.tasks.interval()) == {"best constant": pytest.approx(entropy)}
    of_squares = {"best constant": pytest.approx(2 / 9)}
    assert known_plateaus(ap.tasks.interval(loss="brier")) == of_squares
    assert known_plateaus(ap.tasks.waveform(32)) == {"best constant": pytest.approx(np.log(32))}
    line = ap.task(lambda x: 2 * x + 1, np.linspace(-1, 1, 11))
    variance = np.var(np.linspace(-2, 2, 11))
    assert known_plateaus(line) == {"best constant": pytest.approx(variance)}, "its line is exact"


def test_a_line_has_a_name_where_it_is_better_by_more_than_the_tolerance():
    x = np.linspace(-1, 1, 21)
    wave = np.where(np.arange(21) % 2, 1.0, -1.0)
    task = ap.given(x, wave + 0.4 * x)
    slope, level = np.polyfit(x, task.y[:, 0], 1)
    line = np.mean((task.y[:, 0] - slope * x - level) ** 2)
    gain = 1 - line / np.var(task.y)
    assert 0.02 < gain < 0.1
    assert known_plateaus(task)["best line"] == pytest.approx(line, rel=1e-5)
    assert "best line" in known_plateaus(task, tolerance=0.9 * gain)
    assert "best line" not in known_plateaus(task, tolerance=1.1 * gain)


def test_what_is_unknown_or_zero_has_no_name():
    x = np.linspace(0, 1, 7)
    streamed = ap.Recipe(model=ap.MLP((3,)), batches="stream", batch_size=32)
    whole = ap.Recipe(model=ap.MLP((3,)))
    assert known_plateaus(ap.tasks.waveform(), recipe=streamed) == {}
    assert set(known_plateaus(ap.tasks.waveform(), recipe=whole)) == {"best constant"}
    for nothing in (
        ap.given(x, x, loss=lambda outputs, targets: jnp.abs(outputs - targets).mean(1)),
        ap.given(x, np.full(7, 0.1)),
        ap.given(x, np.ones(7), loss="binary_cross_entropy"),
        ap.given(x, np.full(7, 3), loss="cross_entropy"),
        ap.given(x, 3 * x, loss="binary_cross_entropy"),
        ap.given(x, x, loss=ap.losses.ScaledError()),
    ):
        assert known_plateaus(nothing) == {}
    with pytest.raises(TypeError, match=r"ap\.tasks\.square\(\), not 'square'"):
        known_plateaus("square")


def test_validation_rows_are_left_out():
    x = np.linspace(-1, 1, 10)
    y = np.arange(10.0) ** 2
    last = known_plateaus(ap.given(x, y, validation=0.3))
    assert last["best constant"] == pytest.approx(np.var(y[:7]))
    random = known_plateaus(ap.given(x, y, validation=0.3, hold_out="random"))
    assert random["best constant"] != pytest.approx(np.var(y[:7]), rel=1e-3)


@pytest.mark.parametrize(("inputs", "read"), [("grid", 2), ("uniform", 64)])
def test_rows_that_all_seeds_share_are_read_twice_only(inputs, read, monkeypatch):
    calls = []
    split = ap.Task.split

    def counted(self, *keys):
        calls.append(keys)
        return split(self, *keys)

    monkeypatch.setattr(ap.Task, "split", counted)
    assert known_plateaus(ap.tasks.sine(inputs=inputs, size=9))
    assert len(calls) == read


@pytest.mark.parametrize("key", [0, 5])
@pytest.mark.slow
def test_rows_that_each_seed_draws_are_those_of_the_runs(key, quiet, monkeypatch):
    """A network of zeros loses the mean square of the targets: the rows are those of the runs."""
    task = ap.tasks.sine(inputs="uniform", size=9, noise=0.1)
    zeros = ap.Recipe(model=ap.MLP((2,), init_scale=0.0), steps=1, records=(0, 1))
    runs = ap.run(task, zeros, seeds=64, key=key, keep=(), **quiet)
    squares, variances = [], []
    for seed in range(64):
        keys = [
            jax.random.fold_in(jax.random.fold_in(jax.random.key(key), seed), n) for n in (1, 4)
        ]
        _, y = task.rows(*keys)
        squares.append(np.mean(np.asarray(y, float) ** 2))
        variances.append(np.var(np.asarray(y, float)))
    np.testing.assert_allclose(runs.loss.isel(step=0), squares, rtol=1e-5)
    found = known_plateaus(task, jax.random.key(key))
    assert found["best constant"] == pytest.approx(np.mean(variances), rel=1e-6)
    assert found == known_plateaus(task, key)
    monkeypatch.setattr("approx.study.plateaus.MOST", 5 * 2 * 9)  # inputs and targets of five seeds
    few = known_plateaus(task, key)
    assert few["best constant"] == pytest.approx(np.mean(variances[:5]), rel=1e-6)


def test_a_network_that_rests_at_the_best_constant_is_told(quiet):
    """A linear network can do no better on x² than the best constant."""
    task = ap.tasks.square(range=1.0)
    recipe = ap.Recipe(model=ap.MLP(()), steps=400, learning_rate=0.1)
    runs = ap.run(task, recipe, seeds=4, **quiet)
    found = stats.endings(runs, stats.success(runs, below=1e-3), known_plateaus(task))
    assert set(found.kind.values.tolist()) == {"best constant"}


# ---- constant units ------------------------------------------------------------------------------


def layer(w, b):
    return {"w": np.array(w, np.float32), "b": np.array(b, np.float32)}


# On inputs from -1 to 1: of relu units 1 of 2 is dead in the first layer, and 1 of 4 in the second
HALF_DEAD = [
    layer([[1, 1]], [2, -2]),
    layer([[1, 1, -1, 2], [0, 0, 0, 0]], [0, 1, 0, 3]),
    layer(np.ones((4, 1)), [0]),
]
ALIVE = [
    layer([[1, -1]], [2, 2]),
    layer([[1, 2, 3, 4], [0, 0, 0, 0]], [0, 1, 0, 3]),
    layer(np.ones((4, 1)), [0]),
]
BROKEN = jax.tree.map(lambda values: np.full_like(values, np.nan), ALIVE)
RELU = ap.MLP((2, 4), "relu")
SQUARE = ap.tasks.square(range=1.0)
ROWS = np.linspace(-1, 1, 21)[:, None]


def kept(quiet, *networks, task=SQUARE, model=RELU, **options):
    """Runs of these networks that are hardly trained."""
    stacked = jax.tree.map(lambda *parts: np.stack(parts), *networks)
    recipe = ap.Recipe(model=model, optimizer="sgd", learning_rate=1e-9, steps=2, records=(0, 1, 2))
    options = quiet | {"keep": ("params",), "seeds": len(networks)} | options
    return ap.run(task, recipe, init_params=stacked, **options)


@pytest.fixture(scope="module")
def three(quiet):
    with pytest.warns(UserWarning, match="1 trainings have no finite loss"):
        return kept(quiet, HALF_DEAD, ALIVE, BROKEN)


def test_the_share_of_constant_units_counts_the_units_of_all_layers(three):
    share = idle_share(three, RELU, ROWS)
    assert share.dims == ("seed",)
    np.testing.assert_allclose(share, [2 / 6, 0, np.nan], rtol=1e-6)
    right = ROWS[ROWS[:, 0] > 0.99]  # on one row all units are constant
    assert idle_share(three, RELU, right).values.tolist()[:2] == [1, 1]
    picked = three.isel(step=-1)
    np.testing.assert_array_equal(idle_share(picked, RELU, ROWS), share)


def test_settings_and_kept_steps_leave_the_share_over_settings_and_seeds(quiet):
    grid = kept(quiet, HALF_DEAD, ALIVE, learning_rate=[1e-9, 1e-8], keep_at=(0, 2))
    share = idle_share(grid, RELU, ROWS)
    assert share.dims == ("learning_rate", "seed")
    np.testing.assert_allclose(share, [[2 / 6, 0], [2 / 6, 0]], rtol=1e-6)
    moved = grid.copy(deep=True)
    moved["params.0.b"][{"kept_step": 0}] = -9
    np.testing.assert_array_equal(idle_share(moved, RELU, ROWS), share)  # the last step counts


@pytest.mark.slow
def test_scalings_around_a_network_scale_the_rows_first(quiet):
    """Inputs from 9 to 11, which the networks see as -1 to 1."""
    task = ap.given(10 + ROWS, ROWS**2)
    for model in (
        ap.scalings.PerFeature(RELU, 10.0, 1.0),
        ap.scalings.PerFeature(ap.scalings.PerFeature(RELU, 0.0, 0.5), 10.0, 2.0),
    ):
        share = idle_share(kept(quiet, HALF_DEAD, ALIVE, task=task, model=model), model, 10 + ROWS)
        np.testing.assert_allclose(share, [2 / 6, 0], rtol=1e-6)
    rows = np.array([[1.0, 3.0], [2.0, 6.0], [0.0, 8.0]])  # each is -1 and 1 for the network
    of_rows = ap.scalings.PerSample(ap.MLP((2,), "tanh"))
    runs = ap.run(
        ap.given(rows, rows[:, 0]),
        ap.Recipe(model=of_rows, steps=1),
        seeds=2,
        keep=("params",),
        **quiet,
    )
    assert idle_share(runs, of_rows, rows).values.tolist() == [1.0, 1.0]


def test_a_model_whose_units_are_not_known_has_no_share(three):
    own = (RELU.init, RELU.apply)

    class Around(ap.scalings.Around):
        model = RELU

    for model in (own, ap.MLP(()), ap.scalings.PerFeature(own), Around()):
        assert idle_share(three, model, ROWS) is None


def test_shares_that_would_be_wrong_are_refused(three, quiet):
    with pytest.raises(ValueError, match="no parameters were kept"):
        idle_share(runs_of(resting(1.0)), RELU, ROWS)
    with pytest.raises(ValueError, match=r"kept at step 2, .* step 1: run with keep_at=\(1,\)"):
        idle_share(three.isel(step=slice(2)), RELU, ROWS)
    for rows in (ROWS[:, 0], np.ones((3, 2))):
        with pytest.raises(ValueError, match=r"they must be \(n, 1\)"):
            idle_share(three, RELU, rows)
    sine = ap.MLP((2, 4), "sin", frequency=1.0)
    swept = kept(quiet, ALIVE, model=sine, **{"model.frequency": [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"vary 'model\.frequency'"):
        idle_share(swept, sine, ROWS)
    one = swept.sel({"model.frequency": 1.0})
    assert idle_share(one, sine, ROWS).dims == ("seed",)
