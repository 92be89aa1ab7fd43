"""Outside the training range: classes of functions, symmetry, errors up to phase, reasons of
failure, on known ones.
"""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import approx as ap
from approx import plot, stats
from approx.stats import far_fits


def noise(x):
    return np.random.default_rng(0).normal(size=x.shape)


def learned(functions, y=np.sin, half=1.0, reach=3.0, n=301, dtype=np.float32):
    """A result as `ap.run` makes it, of given functions in place of trained ones: one for each
    seed.
    """
    x = np.linspace(-reach * half, reach * half, n)
    beyond = np.abs(x) - half
    with np.errstate(all="ignore"):
        values = np.array([np.broadcast_to(f(x), x.shape) for f in functions]).astype(dtype)
    return xr.Dataset(
        {"prediction": (("seed", "point", "output"), values[..., None])},
        {
            "seed": np.arange(len(values)),
            "x_test": (("point", "input"), x[:, None]),
            "y_test": (("point", "output"), y(x)[:, None]),
            "distance": ("point", np.where(beyond > 1e-6 * half, beyond, 0)),
        },
    )


def kinds(functions, **options):
    """The classes of functions, left and right."""
    return stats.asymptote(learned(functions, y=lambda x: x, **options)).kind.values.tolist()


CLASSES = {
    "0": (lambda u: 0 * u, "constant"),
    "3": (lambda u: 0 * u + 3, "constant"),
    "tanh, saturated": (lambda u: np.tanh(4 * u), "constant"),
    "relu line": (lambda u: 0.3 * np.abs(u) - 1, "linear"),
    "|x|": (np.abs, "linear"),
    "steep line": (lambda u: 1e4 * u + 5, "linear"),
    "sin": (lambda u: np.sin(2 * np.pi * u), "periodic"),
    "sin, other phase": (lambda u: np.sin(2.2 * np.pi * u + 1), "periodic"),
    "fast sin with offset": (lambda u: 5 * np.sin(14 * np.pi * u + 2) - 3, "periodic"),
    "triangle wave": (lambda u: np.abs((2 * u) % 1 - 0.5), "periodic"),
    "x + sin x": (lambda u: u + np.sin(2 * np.pi * u), "linear + periodic"),
    "snake": (lambda u: u + np.sin(6 * np.pi * u) ** 2 / 6, "linear + periodic"),
    "x²": (np.square, "power"),
    "x³": (lambda u: u**3, "power"),
    "sqrt": (lambda u: 2 - np.sqrt(np.abs(u)), "power"),
    "x^1.5": (lambda u: -(np.abs(u) ** 1.5), "power"),
    "exp |x|": (lambda u: np.exp(np.abs(u)), "exponential"),
    "exp 3|x|": (lambda u: 1 - np.exp(3 * np.abs(u)), "exponential"),
    "nan": (lambda u: np.where(np.abs(u) > 2.9, np.nan, u), "diverged"),
    "inf": (lambda u: np.where(np.abs(u) > 1.1, np.inf, u), "diverged"),
    "overflow": (lambda u: np.exp(50 * np.abs(u)), "diverged"),
    "noise": (lambda u: noise(u), "undecided"),
    "random walk": (lambda u: np.cumsum(noise(u)), "undecided"),
    "log": (lambda u: np.log(np.abs(u) + 1e-9), "undecided"),
    "half a period": (lambda u: np.sin(np.pi * u / 2 + 0.3), "undecided"),
    "one period": (lambda u: np.sin(np.pi * u), "undecided"),
    "tanh in transition": (lambda u: np.tanh(np.abs(u) - 2), "undecided"),
    "softplus in transition": (lambda u: np.log1p(np.exp(5 * (np.abs(u) - 2))), "undecided"),
    "relu that starts late": (lambda u: np.maximum(np.abs(u) - 2.6, 0), "undecided"),
    "almost a line": (lambda u: np.abs(u) ** 1.07, "undecided"),
    "decaying power": (lambda u: 1 / (np.abs(u) + 0.01), "undecided"),
    "cubic around 2": (lambda u: (np.abs(u) - 2) ** 3 - 0.5 * (np.abs(u) - 2), "undecided"),
    "quintic around 2": (lambda u: (np.abs(u) - 2) ** 5 - 1.3 * (np.abs(u) - 2) ** 3, "undecided"),
    "damped sin": (lambda u: np.sin(6 * np.pi * u) * np.exp(-np.abs(u)), "undecided"),
    "growing sin": (lambda u: u * np.sin(6 * np.pi * u), "undecided"),
    "two tones": (lambda u: np.sin(6 * np.pi * u) + np.sin(8.3 * np.pi * u), "undecided"),
}


@pytest.mark.parametrize("half", [1.0, 2 * np.pi, 10.0])
def test_asymptotes_of_functions_that_are_known(half):
    functions = [lambda x, f=f: f(x / half) for f, _ in CLASSES.values()]
    found = stats.asymptote(learned(functions, half=half, y=lambda x: x / half)).kind
    for side in ("left", "right"):
        answers = dict(zip(CLASSES, found.sel(side=side).values.tolist(), strict=True))
        assert answers == {name: kind for name, (_, kind) in CLASSES.items()}


@pytest.mark.parametrize(
    "cycles", [3.1, *(pytest.param(cycles, marks=pytest.mark.slow) for cycles in (2, 5, 11))]
)
def test_periods_of_sines(cycles):
    waves = [lambda u, p=phase: np.sin(cycles * np.pi * u + p) for phase in (0, 1, 2)]
    found = stats.asymptote(learned(waves, y=lambda x: x))
    np.testing.assert_allclose(found.period, np.full((3, 2), 2 / cycles), rtol=0.02)


def test_asymptotes_come_with_their_numbers():
    cases = (
        (np.square, "exponent", 2, 2),
        (lambda u: np.sqrt(np.abs(u)), "exponent", 0.5, 0.5),
        (lambda u: np.where(u < 0, -2.0, 7.0), "level", -2, 7),
        (np.abs, "slope", 1, 1),
        (lambda u: np.exp(2 * np.abs(u)), "growth", 2, 2),
    )
    both = lambda u: 0.7 * u + np.sin(6 * np.pi * u) ** 2 / 6  # noqa: E731
    all_found = stats.asymptote(learned([*(f for f, *_ in cases), both], y=lambda x: x))
    for seed, (_, name, left, right) in enumerate(cases):
        found = all_found.isel(seed=seed)
        np.testing.assert_allclose(found[name], [left, right], atol=1e-3)
        others = {"exponent", "level", "slope", "growth", "period"} - {name}
        assert all(bool(found[other].isnull().all()) for other in others)
    found = all_found.isel(seed=-1)
    np.testing.assert_allclose(found.slope, [-0.7, 0.7], rtol=1e-2)  # outward
    np.testing.assert_allclose(found.period, 1 / 6, rtol=0.02)


def test_a_power_whose_two_halves_disagree_is_undecided():
    """Of all the points u^2.5 + 0.3 u^5 is nearly a power; the exponents of the halves differ."""
    bent = learned([lambda u: np.abs(u) ** 2.5 + 0.3 * np.abs(u) ** 5], y=lambda x: x)
    assert set(stats.asymptote(bent, tol=0.03).kind.values.ravel()) == {"undecided"}


def test_waves_with_as_many_periods_as_the_points_can_show_are_periodic():
    r = np.linspace(1, 3, 17)  # eight points in each of two periods
    wave = np.sin(2 * np.pi * (r - 1) + 0.3)[None]
    holds, period, _ = far_fits.is_periodic(r, wave, 0, 1e-4)
    assert holds.all()
    assert period == pytest.approx(1.0)


def test_the_unit_of_height_of_a_constant_target_is_its_size():
    runs = learned([lambda u: 0.02 * np.abs(u)], y=lambda x: 0 * x + 5)
    assert set(stats.asymptote(runs).kind.values.ravel()) == {"constant"}
    assert set(stats.asymptote(runs, scale=1.0).kind.values.ravel()) == {"linear"}
    low = learned([lambda u: 0.02 * np.abs(u)], y=lambda x: 0 * x)  # of no size: the unit is 1
    assert set(stats.asymptote(low).kind.values.ravel()) == {"linear"}


def test_asymptotes_of_each_side_and_of_few_points():
    sides = [lambda u: np.maximum(u, 0), lambda u: np.where(u < 0, np.nan, u**2)]
    assert kinds(sides) == [["constant", "linear"], ["diverged", "power"]]
    three_points_on_a_side = [np.abs, lambda u: 0 * u]
    assert kinds(three_points_on_a_side, n=9) == [["undecided"] * 2] * 2
    # 49 points from -3 to 3 have 16 on either side of [-1, 1], and 46 points have 15
    assert kinds([lambda u: 0 * u], n=49) == [["constant"] * 2]
    assert kinds([lambda u: 0 * u], n=46) == [["undecided"] * 2]
    assert kinds([np.exp], reach=1.2) == [["undecided"] * 2], (
        "too short a side to tell a power from an exponential"
    )


def test_asymptotes_survive_noise_below_the_tolerance_and_a_change_of_units():
    names = ("3", "relu line", "sin", "x + sin x", "x²", "exp |x|")
    functions = [CLASSES[name][0] for name in names]
    wanted = [CLASSES[name][1] for name in names]
    runs = learned(functions, y=lambda x: x)
    noisy = runs.copy(deep=True)
    size = np.ptp(runs.prediction.values, axis=1, keepdims=True)
    noisy["prediction"] = runs.prediction + 1e-5 * size * noise(runs.prediction)
    assert stats.asymptote(noisy).kind.isel(side=1).values.tolist() == wanted
    big = runs.assign(prediction=runs.prediction * 1e6).assign_coords(y_test=runs.y_test * 1e6)
    assert stats.asymptote(big).kind.isel(side=1).values.tolist() == wanted
    assert stats.asymptote(runs, scale=1e6).kind.isel(side=1).values.tolist() == ["constant"] * 6


def test_asymptotes_keep_grids_and_outputs_and_any_order_of_points():
    runs = learned([np.abs, np.sin, lambda x: x * np.nan])
    two = xr.concat([runs, runs], "output", data_vars="all")
    assert stats.asymptote(two.isel(seed=[0, 2])).kind.dims == ("seed", "side", "output")
    grid = xr.concat([runs, runs], "rate", data_vars="all", coords="minimal")
    shuffled = grid.isel(point=np.random.default_rng(1).permutation(grid.sizes["point"]))
    assert stats.asymptote(shuffled).kind.dims == ("rate", "seed", "side")
    xr.testing.assert_equal(stats.asymptote(grid).kind, stats.asymptote(shuffled).kind)


def test_shares_count_every_seed_once():
    runs = learned([np.abs] * 3 + [lambda x: 0 * x] * 5 + [lambda x: x * np.nan] * 2, y=lambda x: x)
    shares = stats.shares(stats.asymptote(runs))
    assert shares.rate.dims == ("kind", "side")
    right = shares.sel(side="right")
    assert right.successes.sel(
        kind=["linear", "constant", "diverged", "power"]
    ).values.tolist() == [3, 5, 2, 0]
    np.testing.assert_allclose(shares.rate.sum("kind"), 1)
    low, high = stats.binomial_interval(3, 10)
    np.testing.assert_allclose(
        [right.sel(kind="linear").low, right.sel(kind="linear").high], [low, high]
    )
    assert bool((shares.n == 10).all())


def rays_task():
    lengths = np.linspace(0.02, 3, 150)
    x_test = ap.tasks.rays([[1, 0], [0, -2], [3, 4]], lengths)
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 5)] * 2), -1).reshape(-1, 2)
    return ap.task(lambda x: x[:, 0], grid, x_test), lengths


def test_rays_lead_out_of_the_center_and_distances_are_those_to_the_box():
    task, lengths = rays_task()
    x = task.x_test.reshape(3, -1, 2)
    np.testing.assert_allclose(x[1], np.column_stack([0 * lengths, -lengths]))
    np.testing.assert_allclose(x[2], np.outer(lengths, [0.6, 0.8]))
    # Of a box, the nearest point is found coordinate by coordinate
    nearest = np.clip(task.x_test, -1, 1)
    np.testing.assert_allclose(task.distance, np.linalg.norm(task.x_test - nearest, axis=1))
    quarter = ap.tasks.rays(4, [2.0], center=(1, 1))
    np.testing.assert_allclose(quarter, [[3, 1], [1, 3], [-1, 1], [1, -1]], atol=1e-12)
    with pytest.raises(ValueError, match=r"directions\[1\] has length 0"):
        ap.tasks.rays([[1, 0], [0, 0]], [1])
    with pytest.raises(ValueError, match=r"numbers above 0, got -1"):
        ap.tasks.rays(4, [1, -1])


def on_rays(f):
    task, _ = rays_task()
    return xr.Dataset(
        {"prediction": (("seed", "point", "output"), f(task.x_test)[None, :, None])},
        {
            "x_test": (("point", "input"), task.x_test),
            "y_test": (("point", "output"), task.y_test),
            "distance": ("point", task.distance),
        },
    )


def test_asymptotes_and_profiles_along_rays():
    def f(x):
        return np.maximum(x[:, 0], 0) + np.where(x[:, 1] < 0, x[:, 1] ** 2, 0)

    found = stats.asymptote(on_rays(f), center=0).isel(seed=0)
    kind = dict(zip(found.side.values.tolist(), found.kind.values.tolist(), strict=True))
    assert kind == {"(0, -1)": "power", "(0.6, 0.8)": "linear", "(1, 0)": "linear"}
    np.testing.assert_allclose(found.sel(side="(0.6, 0.8)").slope, 0.6)
    errors = stats.error_by_distance(
        on_rays(lambda x: x[:, 0] + np.linalg.norm(x - np.clip(x, -1, 1), axis=1))
    )
    np.testing.assert_allclose(errors.error.isel(seed=0), errors.distance, rtol=1e-4, atol=1e-9)


def test_asymptote_refuses_what_it_cannot_judge():
    runs = learned([np.abs])
    for broken, message in (
        (runs.drop_vars("prediction"), "no predictions were kept"),
        (runs.isel(point=np.flatnonzero(runs.distance == 0)), "no test points lie outside"),
        (runs.isel(point=np.flatnonzero(runs.distance > 0)), "must be given"),
        (
            runs.assign_coords(x_test=runs.x_test.expand_dims(frequency=[1, 2])),
            "differs over frequency",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            stats.asymptote(broken)
    scattered = on_rays(lambda x: x[:, 0]).isel(point=[0, 1, 149, 299, 449])
    with pytest.raises(ValueError, match=r"place them with tasks\.rays"):
        stats.asymptote(scattered, center=[0, 0])
    with pytest.raises(ValueError, match="of 2 inputs must be given"):
        stats.asymptote(on_rays(lambda x: x[:, 0]))
    with pytest.raises(ValueError, match=r"tol must lie between 0 and 0\.1, got 2"):
        stats.asymptote(runs, tol=2)
    with pytest.raises(ValueError, match="scale must be positive"):
        stats.asymptote(runs, scale=0)


def test_relative_errors_divide_by_the_size_of_the_target_at_that_distance():
    runs = learned(
        [lambda x: 1.1 * x**2, lambda x: x**2, lambda x: np.full_like(x, np.nan)], y=np.square
    )
    errors = stats.error_by_distance(runs, relative=True).error
    np.testing.assert_allclose(errors.isel(seed=0), 0.1, rtol=1e-4)
    np.testing.assert_allclose(errors.isel(seed=1), 0, atol=1e-6)
    assert bool(errors.isel(seed=2).isnull().all()), (
        "as the absolute one: quantiles count it as worst"
    )
    crossing = learned([lambda x: np.sin(np.pi * x) + 0.01], y=lambda x: np.sin(np.pi * x))
    relative = stats.error_by_distance(crossing, relative=True).error
    assert bool(np.isfinite(relative).all())
    mean = abs(crossing.y_test).mean()
    np.testing.assert_allclose(relative.max(), 0.01 / (0.01 * mean), rtol=1e-3)
    with pytest.raises(ValueError, match="target is 0 at every test point"):
        stats.error_by_distance(learned([np.sin], y=lambda x: 0 * x), relative=True)


def test_symmetry_is_zero_for_even_and_odd_functions_and_counts_the_rest():
    runs = learned([np.cos, np.sin, lambda x: x + 1, lambda x: x / (x != 3.0)])
    even, odd = stats.symmetry(runs, "even"), stats.symmetry(runs, "odd")
    np.testing.assert_allclose(even.defect.isel(seed=0), 0, atol=1e-6)
    np.testing.assert_allclose(odd.defect.isel(seed=1), 0, atol=1e-6)
    np.testing.assert_allclose(even.defect.isel(seed=2), 2 * even.radius, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(odd.defect.isel(seed=2), 2, rtol=1e-6)
    assert (even.radius.size, odd.radius.size) == (150, 151), (
        "x = 0 mirrors itself, and tells of odd functions only"
    )
    assert even.inside.isel(seed=0) < 1e-10
    inside = even.radius.values[even.radius.values <= 1 + 1e-9]
    np.testing.assert_allclose(even.inside.isel(seed=2), (4 * inside**2).mean(), rtol=1e-5)
    np.testing.assert_allclose(odd.outside.isel(seed=2), 4, rtol=1e-6)
    assert np.isinf(even.outside[3])
    assert np.isfinite(even.inside[3])
    shifted = learned([lambda x: np.cos(x - 1)]).isel(point=slice(100, None))  # from -1 to 3
    np.testing.assert_allclose(stats.symmetry(shifted, center=1.0).defect, 0, atol=1e-6)
    inexact = runs.assign_coords(x_test=runs.x_test + 1e-7 * noise(runs.x_test))
    assert stats.symmetry(inexact, "odd").radius.size == 151
    with pytest.raises(ValueError, match="no test point mirrors another"):
        stats.symmetry(runs.isel(point=slice(151, None)))
    with pytest.raises(ValueError, match="kind must be 'even' or 'odd', got 'both'"):
        stats.symmetry(runs, "both")


WAVE = {"half": 2 * np.pi, "n": 401}


@pytest.mark.parametrize("target", [np.sin, None])
@pytest.mark.parametrize("where", ["all", "inside", "outside"])
def test_phase_tolerant_error_forgives_phase_and_frequency_only(target, where):
    functions = [
        lambda x: np.sin(1.02 * x + 0.3),
        lambda x: np.sin(0.95 * x - 1.2),
        np.sin,
        lambda x: -np.sin(x),
    ]
    runs = learned(functions, **WAVE)
    found = stats.phase_tolerant_error(
        runs, max_shift=np.pi, max_stretch=0.1, target=target, where=where
    )
    assert bool((found.error < 1e-5).all()), found.error.values
    assert found.plain[0] > 0.03
    assert bool((found.plain[[1, 3]] > 0.3).all())
    np.testing.assert_allclose(found.best_stretch[:3], [1.02, 0.95, 1], atol=2e-3)
    np.testing.assert_allclose(found.best_shift[:3], [0.3, -1.2, 0], atol=1e-2)
    narrow = stats.phase_tolerant_error(runs, 0.1, 0.0, target, where)
    assert narrow.error[0] > 0.01
    assert bool((abs(narrow.best_shift) <= 0.1).all())


def test_phase_tolerant_error_rewards_no_constant_and_no_other_shape():
    functions = [
        lambda x: 0 * x,
        lambda x: 0 * x + 0.3,
        lambda x: np.sin(2 * x),
        lambda x: 0.5 * np.sin(x),
        np.tan,
    ]
    runs = learned([*functions, lambda x: x * np.nan], **WAVE)
    found = stats.phase_tolerant_error(runs, np.pi, 0.1, np.sin)
    variance = np.sin(runs.x_test.values).var()
    assert bool((found.error[:2] >= variance - 1e-9).all())
    np.testing.assert_allclose(found.error[0], variance, rtol=1e-6)
    assert found.error[2] > 0.9 * variance
    np.testing.assert_allclose(found.error[3], 0.25 * variance, rtol=0.02)
    assert bool((found.error <= found.plain + 1e-12).all())
    assert np.isinf(found.error[5])
    assert np.isinf(found.plain[5])
    assert np.isnan(found.best_shift[5])


def test_phase_tolerant_error_judges_each_output_by_its_own_target():
    of_sine, of_cosine = (learned([np.sin], y, **WAVE) for y in (np.sin, np.cos))
    both = xr.concat([of_sine, of_cosine], "output")
    found = stats.phase_tolerant_error(both, max_shift=2.0)
    assert found.error.dims == ("seed", "output")
    assert bool((found.error < 1e-5).all())
    np.testing.assert_allclose(found.best_shift[0], [0, -np.pi / 2], atol=1e-2)


def test_phase_tolerant_error_judges_the_same_points_for_all_shifts():
    runs = learned([np.sin], **WAVE)
    found = stats.phase_tolerant_error(runs, max_shift=1.0, max_stretch=0.1)
    x = runs.x_test.values[:, 0]
    assert found.attrs["points"] == np.count_nonzero(1.1 * abs(x) + 1 <= 6 * np.pi + 1e-4)
    assert stats.phase_tolerant_error(runs, 1.0, 0.1, np.sin).attrs["points"] == 401
    outside = runs.distance.values > 0
    for where, asked in (("inside", ~outside), ("outside", outside)):
        found = stats.phase_tolerant_error(runs, max_shift=1.0, max_stretch=0.1, where=where)
        assert found.attrs["points"] == np.count_nonzero(
            asked & (1.1 * abs(x) + 1 <= 6 * np.pi + 1e-4)
        )
    for options, message in (
        ({"max_shift": 100.0}, "lower max_shift="),
        ({"max_shift": -1.0}, "at least 0"),
        ({"max_shift": 1.0, "max_stretch": 1.0}, r"max_stretch in \[0, 1\)"),
        ({"max_shift": 1.0, "target": np.ones_like}, "constant over the judged points"),
        ({"max_shift": 1.0, "where": "here"}, "where must be"),
    ):
        with pytest.raises(ValueError, match=message):
            stats.phase_tolerant_error(runs, **options)
    with pytest.raises(ValueError, match="one input, and there are 2"):
        stats.phase_tolerant_error(on_rays(lambda x: x[:, 0]), 1.0)


def test_asymptotes_on_a_grid_of_the_plane_are_refused():
    """A grid has some points on a few rays, and one or two on a thousand others."""
    x = np.stack(np.meshgrid(*2 * [np.linspace(-3, 3, 41)]), -1).reshape(-1, 2)
    distance = np.maximum(np.abs(x).max(1) - 1, 0)
    runs = xr.Dataset(
        {"prediction": (("seed", "point", "output"), x[None, :, :1])},
        {
            "x_test": (("point", "input"), x),
            "y_test": (("point", "output"), x[:, :1]),
            "distance": ("point", distance),
        },
    )
    with pytest.raises(
        ValueError,
        match="directions in which test points lie outside hold fewer than the 16 points",
    ):
        stats.asymptote(runs, center=0.0)


def losses():
    inside = [0.1, 0.1, 0.1, 5.0, np.nan, np.inf]
    outside = [0.2, 9.0, np.nan, 0.1, np.nan, np.inf]
    values = {"test_loss": inside, "outside_loss": outside}
    return xr.Dataset(
        {
            name: (("seed", "step"), np.array([[1.0] * 6, v], np.float32).T)
            for name, v in values.items()
        },
        {"seed": np.arange(6), "step": [0, 10]},
    )


def test_split_names_the_reason_of_every_failure():
    found = stats.failure_causes(losses(), floor=0.01, below=1.0, outside_below=2.0)
    far, lost = "does not extrapolate", "did not find"
    assert found.kind.values.tolist() == ["success", far, far, lost, lost, lost]
    assert found.diverged.values.tolist() == [False, False, True, False, True, True]
    inside = stats.failure_causes(losses(), floor=0.01, below=1.0)
    assert inside.kind.values.tolist() == ["success"] * 3 + ["did not find"] * 3
    floors = xr.DataArray([0.01, 3.0], dims="width", coords={"width": [8, 1]})
    by_width = stats.failure_causes(losses(), floor=floors, below=1.0, outside_below=2.0)
    assert by_width.kind.sel(width=1).values.tolist()[3:] == ["cannot represent"] * 3
    shares = stats.shares(by_width)
    assert shares.kind.values.tolist() == ["success", far, lost, "cannot represent"]
    np.testing.assert_allclose(shares.rate.sel(width=8), [1 / 6, 2 / 6, 3 / 6, 0])
    assert "does not extrapolate" not in stats.shares(inside).kind
    with pytest.raises(ValueError, match="floor is the least loss"):
        stats.failure_causes(losses(), floor=-1.0, below=1.0)


PREDICTED = {
    "asymptote": stats.asymptote,
    "symmetry": stats.symmetry,
    "error_by_distance": stats.error_by_distance,
    "phase_tolerant_error": lambda runs: stats.phase_tolerant_error(runs, max_shift=0.1),
}


@pytest.mark.parametrize("judge", PREDICTED.values(), ids=PREDICTED)
def test_what_are_no_runs_is_met_with_what_is_taken(judge):
    for given in (None, [1.0]):
        with pytest.raises(ValueError, match=f"takes runs, .* not {type(given).__name__}"):
            judge(given)
    with pytest.raises(ValueError, match=r"takes runs, .* not hits .* give the runs"):
        judge(stats.success(losses(), below=1.0))


def test_predictions_without_their_points_are_refused():
    runs = xr.Dataset({"prediction": (("seed", "point", "output"), np.zeros((2, 3, 1)))})
    with pytest.raises(ValueError, match="came without x_test"):
        stats.asymptote(runs)


def test_excess_over_the_floor_and_what_lies_below_it():
    runs = losses()
    ratio = stats.excess(runs, 0.05).ratio
    np.testing.assert_allclose(ratio, [2, 2, 2, 100, np.inf, np.inf], rtol=1e-6)
    assert stats.below_floor(runs, 0.1).values.tolist() == [False] * 6, (
        "equal but for float32's rounding"
    )
    assert stats.below_floor(runs, 0.11).values.tolist() == [True] * 3 + [False] * 3
    assert stats.quantiles(stats.excess(runs, 0.05), of="ratio", q=0.5).ratio > 2
    with pytest.raises(ValueError, match="positive floor, got 0"):
        stats.excess(runs, 0.0)


@pytest.fixture
def _style():
    with plt.style.context(plot.STYLE):
        yield
    plt.close("all")


def three_kinds():
    """Shares over (kind, model): 3 linear, 5 constant, 2 diverged for one model, all constant for
    the other.
    """
    one = learned([np.abs] * 3 + [lambda x: 0 * x] * 5 + [lambda x: x * np.nan] * 2, y=lambda x: x)
    two = learned([lambda x: 0 * x + 1] * 10, y=lambda x: x)
    found = [stats.asymptote(runs).isel(side=1) for runs in (one, two)]
    models = xr.DataArray(["relu", "tanh"], dims="model", name="model")
    return stats.shares(xr.concat(found, models, combine_attrs="override"))


@pytest.mark.usefixtures("_style")
def test_panel_of_shares_draws_every_class_with_its_interval():
    data = three_kinds()
    fig, given = plt.subplots()
    ax = plot.shares(data, given, title="Classes")
    fig.canvas.draw()
    assert (ax, ax.get_title(loc="left"), ax.get_xlabel()) == (
        given,
        "Classes",
        "share of seeds (n = 10)",
    )
    assert [t.get_text() for t in ax.get_yticklabels()] == data.kind.values.tolist()
    marks = [line for line in ax.lines if line.get_marker() in "os"]
    whiskers = ax.collections
    for i in range(2):
        np.testing.assert_allclose(marks[i].get_xdata(), data.rate.isel(model=i))
        ends = np.array([segment[:, 0] for segment in whiskers[i].get_segments()])
        np.testing.assert_allclose(
            ends, np.column_stack([data.low.isel(model=i), data.high.isel(model=i)])
        )
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["relu", "tanh"]
    single = plot.shares(data.isel(model=0, drop=True))
    assert single.get_legend() is None


@pytest.mark.usefixtures("_style")
def test_panel_of_the_split_stacks_to_one_and_says_n():
    floors = xr.DataArray([0.01, 3.0], dims="width", coords={"width": [8, 1]})
    data = stats.shares(stats.failure_causes(losses(), floor=floors, below=1.0, outside_below=2.0))
    ax = plot.failure_causes(data, title="Why trainings fail")
    bars = np.array([[bar.get_width() for bar in row] for row in np.split(np.array(ax.patches), 2)])
    np.testing.assert_allclose(bars, data.rate.transpose("width", "kind"))
    starts = np.array([bar.get_x() for bar in ax.patches]).reshape(2, -1)
    np.testing.assert_allclose(starts, np.cumsum(bars, 1) - bars)
    first = ax.collections[0].get_segments()[0][:, 0]
    np.testing.assert_allclose(
        first, [data.low.isel(width=0, kind=0), data.high.isel(width=0, kind=0)]
    )
    assert [t.get_text() for t in ax.texts].count("n = 6") == 2
    assert [t.get_text() for t in ax.get_legend().get_texts()] == data.kind.values.tolist()
    with pytest.raises(ValueError, match="8 classes are too many"):
        plot.failure_causes(three_kinds())


@pytest.mark.usefixtures("_style")
def test_panel_of_symmetry_draws_the_quantiles_and_the_range_shown():
    functions = [lambda x, a=a: x**2 + a * x for a in np.linspace(0.1, 1, 9)]
    defects = stats.symmetry(learned([*functions, lambda x: x * np.nan]), "even")
    ax = plot.symmetry({"mine": defects}, title="Broken")
    median = stats.quantiles(defects, of="defect", q=0.5).defect.isel(quantile=0)
    np.testing.assert_allclose(ax.lines[0].get_xdata(), defects.radius)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), median)
    assert (ax.get_yscale(), ax.get_xlabel(), ax.get_ylabel()) == ("log", "|x|", "|f(x) − f(−x)|")
    assert {"mine", "training range", "n = 10 seeds"} <= {t.get_text() for t in ax.texts}
    assert max(patch.get_width() for patch in ax.patches) == pytest.approx(1.0)
    exact = stats.symmetry(learned([np.square]), "even")
    ax = plot.symmetry({"exact": exact})
    ax.figure.canvas.draw()
    assert len(set(ax.lines[0].get_ydata())) == 1, "a flat line where every defect is 0"
    assert bool((exact.defect == 0).all())
    with pytest.raises(ValueError, match="select one of rate"):
        plot.symmetry({"": defects.expand_dims(rate=2)})


@pytest.mark.usefixtures("_style")
def test_panel_of_errors_says_whether_they_are_relative():
    runs = learned([lambda x: 1.1 * x**2, lambda x: 1.2 * x**2, lambda x: 1.3 * x**2], y=np.square)
    absolute, relative = (stats.error_by_distance(runs, relative=kind) for kind in (False, True))
    ax = plot.extrapolation({"x²": relative})
    assert ax.get_ylabel() == "relative error"
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 0.2, rtol=1e-4)
    assert plot.extrapolation({"x²": absolute}).get_ylabel() == "absolute error"
    diverged = stats.error_by_distance(learned([lambda x: x * np.nan] * 3))
    plot.extrapolation({"all diverged": diverged}).figure.canvas.draw()
    with pytest.raises(ValueError, match="do not share an axis"):
        plot.extrapolation({"a": absolute, "b": relative})


@pytest.mark.slow
def test_a_trained_result_goes_through_all_of_it(quiet):
    recipe = ap.Recipe(model=ap.MLP((8,), "relu"), optimizer="adam", learning_rate=1e-2, steps=200)
    runs = ap.run(ap.tasks.square(range=1.0), recipe, seeds=16, **quiet)
    found = stats.asymptote(runs)
    assert set(np.unique(found.kind)) <= {"linear", "undecided", "constant"}, (
        "relu networks are piecewise linear"
    )
    assert bool((stats.shares(found).successes.sum("kind") == 16).all())
    x, f = runs.x_test.values[:, 0], runs.prediction.values[..., 0]
    steepness = (f[:, -1] - f[:, -20]) / (x[-1] - x[-20])
    right = found.isel(side=1)
    linear = (right.kind == "linear").values
    assert linear.any()
    np.testing.assert_allclose(right.slope.values[linear], steepness[linear], rtol=0.05)
    assert stats.symmetry(runs).defect.sizes == {"seed": 16, "radius": 150}
    split = stats.failure_causes(runs, floor=0.0, below=0.05, outside_below=0.05)
    hits = stats.success(runs, below=0.05)
    np.testing.assert_array_equal(split.kind == "did not find", ~hits.hit.isel(step=-1))


@pytest.mark.slow
def test_asymptotes_of_random_members_of_each_class():
    rng = np.random.default_rng(1)
    u = rng.uniform

    def many(f, *ranges, n=40):
        runs = learned(
            [lambda x, v=v: f(x, *v) for v in zip(*(u(*ends, n) for ends in ranges), strict=True)]
        )
        return set(np.unique(stats.asymptote(runs).isel(side=1).kind))

    def wave(x, cycles, phase, slope=0.0):
        return slope * x + np.sin(np.pi * cycles * x + phase)

    assert many(wave, (2, 12), (0, 7)) == {"periodic"}
    assert many(wave, (2, 12), (0, 7), (0.5, 3)) == {"linear + periodic"}
    assert many(wave, (0.5, 1.4), (0, 7)) == {"undecided"}
    assert many(lambda x, p: np.abs(x) ** p, (1.2, 5)) == {"power"}
    assert many(lambda x, p: np.abs(x) ** p, (0.25, 0.85)) == {"power"}
    assert many(lambda x, g: np.exp(g * np.abs(x)), (0.5, 5)) == {"exponential"}
    assert many(lambda x, a, b: a * x + b, (0.1, 5), (-2, 2)) == {"linear"}
    assert many(lambda x, _: rng.normal(size=x.shape), (0, 1)) == {"undecided"}
