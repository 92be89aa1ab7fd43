"""Promise: the error of an ensemble is that of the mean output over groups of seeds, with an
interval that no group's luck makes too narrow; the best seeds are chosen by other rows than judge.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from approx import plot, stats

RNG = np.random.default_rng(4)
N, K = 8, 5
Y = RNG.normal(size=(K, 2))
OUTPUTS = Y + 0.2 + 0.5 * RNG.normal(size=(2, N, K, 2))
DISTANCE = np.array([0.0, 0.0, 0.0, 1.0, 2.0])
INSIDE = DISTANCE == 0


def runs_of(outputs=OUTPUTS, y=Y, dims=("point", "output")):
    """A result of two learning rates with predictions of eight seeds."""
    n = outputs.shape[1]
    return xr.Dataset(
        {
            "prediction": (("rate", "seed", "point", "output"), outputs, {"kept_step": 9}),
            "test_loss": (("rate", "seed", "step"), RNG.random((2, n, 1))),
            "validation_loss": (("rate", "seed", "step"), RNG.random((2, n, 1))),
        },
        {
            "rate": [0.1, 0.2],
            "seed": np.arange(n) + 10,
            "step": [9],
            "y_test": (dims, y),
            "distance": ("point", DISTANCE),
        },
    )


RUNS = runs_of()


def squared(members, where):
    """The mean squared error of the mean of some members, by the definition."""
    return ((members.mean(1) - Y) ** 2)[:, where].mean((1, 2))


def test_points_without_targets_count_in_no_error():
    role = np.array(["test"] * 4 + ["at"])
    there = RUNS.assign_coords(
        role=("point", role), distance=("point", np.where(role == "at", np.nan, DISTANCE))
    )
    found, known = stats.ensemble(there, [2]), stats.ensemble(RUNS.isel(point=slice(4)), [2])
    np.testing.assert_array_equal(found.error, known.error)
    assert found.prediction.sizes["point"] == K


def test_every_cell_may_have_distances_of_its_own_if_the_same_points_are_outside():
    away = xr.DataArray(np.stack([DISTANCE, 3 * DISTANCE]), dims=("rate", "point"))
    found = stats.ensemble(RUNS.assign_coords(distance=away), [2])
    np.testing.assert_array_equal(found.error, stats.ensemble(RUNS, [2]).error)
    reversed_in_one = away.copy(data=np.stack([DISTANCE, DISTANCE[::-1]]))
    with pytest.raises(ValueError, match="different points outside"):
        stats.ensemble(RUNS.assign_coords(distance=reversed_in_one), [2])


def test_sizes_are_those_that_there_can_be():
    assert stats.ensemble(RUNS).sizes["size"] == 4
    assert stats.ensemble(RUNS.isel(seed=slice(5)))["size"].values.tolist() == [1, 2, 4]


@pytest.mark.parametrize("m", [1, 2, 3, 8])
def test_the_mean_squared_error_is_that_of_all_groups(m):
    found = stats.ensemble(RUNS, [m])
    for name, where in (("inside", INSIDE), ("outside", ~INSIDE)):
        every = [
            squared(OUTPUTS[:, list(some)], where) for some in itertools.combinations(range(N), m)
        ]
        error = found.error.sel(where=name).isel(size=0)
        np.testing.assert_allclose(error, np.mean(every, 0), rtol=1e-12)
    assert found.n.values.tolist() == [N // m]


def test_an_ensemble_is_better_than_its_members_by_their_ambiguity():
    """Krogh and Vedelsby's decomposition, of all groups and of chosen ones."""
    for options in ({}, {"among": 4}):
        found = stats.ensemble(RUNS, [1, 2, 4], **options)
        np.testing.assert_allclose(found.member_error - found.ambiguity, found.error, rtol=1e-12)
    whole = stats.ensemble(RUNS, [N])
    spread = ((OUTPUTS - OUTPUTS.mean(1, keepdims=True)) ** 2)[:, :, INSIDE].mean((1, 2, 3))
    np.testing.assert_allclose(whole.ambiguity.sel(where="inside").isel(size=0), spread, rtol=1e-12)
    np.testing.assert_allclose(whole.prediction, OUTPUTS.mean(1), rtol=1e-12)
    np.testing.assert_allclose(whole.spread, OUTPUTS.std(1, ddof=1), rtol=1e-12)


def test_the_interval_is_that_of_disjoint_groups():
    from scipy.stats import t

    found = stats.ensemble(RUNS, [2, 8], level=0.9).sel(where="inside")
    groups = np.stack([squared(OUTPUTS[:, [g, g + 1]], INSIDE) for g in range(0, N, 2)], 1)
    half = t.ppf(0.95, 3) * groups.std(1, ddof=1) / 2
    np.testing.assert_allclose(found.high - found.error, np.stack([half, half + np.inf], 1))
    assert (found.low.sel(size=8) == 0).all()
    middle = stats.ensemble(RUNS, [2], statistic="median").sel(where="inside", size=2)
    np.testing.assert_allclose(middle.error, np.median(groups, 1))
    assert (middle.high == np.inf).all()  # four groups do not bound a median


def test_groups_that_all_agree_and_networks_that_diverged_have_no_narrow_interval():
    alike = stats.ensemble(runs_of(np.broadcast_to(OUTPUTS[:, :1], OUTPUTS.shape)), [1])
    assert (alike.high == np.inf).all()
    broken = OUTPUTS.copy()
    broken[0, 3] = np.nan
    found = stats.ensemble(runs_of(broken), [1, 2]).sel(where="inside")
    assert np.isinf(found.error.sel(rate=0.1)).all()
    assert (found.low.sel(rate=0.1) == 0).all()
    assert np.isfinite(found.error.sel(rate=0.2)).all()


def test_classes_are_judged_by_their_mean_probability():
    labels = np.array([0, 1, 1, 0, 1])
    runs = runs_of(y=labels, dims=("point",))
    chance = np.exp(OUTPUTS) / np.exp(OUTPUTS).sum(-1, keepdims=True)
    mean = chance.reshape(2, 4, 2, K, 2).mean(2)
    wrong = (mean.argmax(-1) != labels)[..., INSIDE].mean((1, 2))
    found = stats.ensemble(runs, [2]).sel(where="inside", size=2)
    np.testing.assert_allclose(found.error, wrong)
    assert (found.low < found.high).all()
    right = np.take_along_axis(mean, labels[None, None, :, None], -1)[..., 0]
    logs = -np.log(right)[..., INSIDE].mean((1, 2))
    found = stats.ensemble(runs, [2], loss="log").sel(where="inside", size=2)
    np.testing.assert_allclose(found.error, logs)
    one = runs_of(OUTPUTS[..., :1], labels[:, None].astype(float))
    chance = (1 / (1 + np.exp(-OUTPUTS[..., 0]))).reshape(2, 4, 2, K).mean(2)
    wrong = ((chance > 0.5) != labels)[..., INSIDE].mean((1, 2))
    found = stats.ensemble(one, [2], loss="wrong").sel(where="inside", size=2)
    np.testing.assert_allclose(found.error, wrong)


def test_the_best_of_each_group_by_validation():
    found = stats.ensemble(RUNS, [2], among=4).sel(where="inside", size=2)
    value = RUNS.validation_loss.values[..., 0]
    errors = []
    for group in (slice(0, 4), slice(4, 8)):
        best = np.argsort(value[:, group], 1)[:, :2]
        members = np.take_along_axis(OUTPUTS[:, group], best[..., None, None], 1)
        errors.append(squared(members, INSIDE))
    np.testing.assert_allclose(found.error, np.mean(errors, 0))


def test_the_best_seeds_of_every_cell():
    runs = RUNS.copy(deep=True)
    runs.validation_loss[:] = np.array(
        [[3, 1, np.nan, 1, 0, 9, 9, 9], [np.nan] * 6 + [5, np.inf]], float
    )[..., None]
    best = stats.best_seeds(runs, 3)
    assert best.seed.values.tolist() == [[14, 11, 13], [16, 10, 11]]  # nan is as bad as inf
    assert best.prediction.dims == ("rate", "rank", "point", "output")
    np.testing.assert_array_equal(best.prediction[0, 1], OUTPUTS[0, 1])
    found = stats.ensemble(best, [1, 2]).sel(where="inside")
    np.testing.assert_allclose(found.error.sel(size=2)[0], squared(OUTPUTS[:, [4, 1]], INSIDE)[0])
    accuracy = runs.rename(validation_loss="validation_accuracy")
    assert stats.best_seeds(accuracy, 1, "validation_accuracy").seed.values[0] == 15


REFUSED = {
    "test points": (lambda: stats.best_seeds(RUNS, 2, "test_loss"), "could then not be judged"),
    "many": (lambda: stats.best_seeds(RUNS, 9), "from 1 to the 8 seeds"),
    "half a seed": (lambda: stats.best_seeds(RUNS, 2.5), "k is 2.5"),
    "size": (lambda: stats.ensemble(RUNS, [9]), "whole numbers from 1 to 8"),
    "half": (lambda: stats.ensemble(RUNS, [1.5]), "whole numbers from 1 to 8"),
    "twice": (lambda: stats.ensemble(RUNS, [2, 2]), "each of them once"),
    "among": (lambda: stats.ensemble(RUNS, [1], among=9), "from 1 to the 8 seeds"),
    "of the group": (lambda: stats.ensemble(RUNS, [5], among=4), "whole numbers from 1 to 4"),
    "by": (lambda: stats.ensemble(RUNS, [1], among=4, by="test_loss"), "choose by validation"),
    "chosen": (
        lambda: stats.ensemble(stats.best_seeds(RUNS, 4), [1], among=2),
        "chosen already",
    ),
    "loss": (lambda: stats.ensemble(RUNS, [1], loss="mse"), "squared, wrong, log"),
    "statistic": (lambda: stats.ensemble(RUNS, [1], statistic="max"), "mean, median"),
    "numbers": (lambda: stats.ensemble(RUNS, [1], loss="wrong"), "are of classes"),
    "no points": (
        lambda: stats.ensemble(RUNS.drop_vars("test_loss"), [1]),
        "judged at test points",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_answer_is_refused(case):
    make, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        make()


# ---- panels --------------------------------------------------------------------------------------


def test_an_ensemble_is_drawn_with_its_intervals_and_its_groups():
    found = stats.ensemble(RUNS, [1, 2, 8])
    ax = plot.ensemble(found.sel(rate=0.1), title="more is better")
    lines = [line for line in ax.lines if line.get_marker() != "None"]
    np.testing.assert_allclose(lines[0].get_ydata(), found.error.sel(rate=0.1, where="inside"))
    assert "n = 1 to 8 groups" in [text.get_text() for text in ax.texts]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2", "8"]
    with pytest.raises(ValueError, match=r"stats.ensemble\(runs\)"):
        plot.ensemble(RUNS)
    plt.close("all")


def test_a_rate_is_drawn_against_a_number_and_against_a_word():
    hit = np.random.default_rng(6).random((3, 2, 40)) < 0.5
    hits = xr.Dataset(
        {"hit": (("widths", "activation", "seed"), hit)},
        {"widths": [1, 4, 16], "activation": ["tanh", "relu"]},
    )
    rates = stats.rate(hits)
    ax = plot.rate(hits, over="widths", title="wider")
    assert ax.get_xscale() == "log"
    for line, name in zip(ax.containers, ["tanh", "relu"], strict=True):
        middle, _, (bars,) = line.lines
        np.testing.assert_allclose(middle.get_xdata(), [1, 4, 16])
        one = rates.sel(activation=name)
        np.testing.assert_allclose(middle.get_ydata(), one.rate)
        ends = np.array([[y for _, y in segment] for segment in bars.get_segments()])
        np.testing.assert_allclose(ends, np.stack([one.low, one.high], 1))
    assert "n = 40 seeds" in [text.get_text() for text in ax.texts]
    _, given = plt.subplots()
    assert plot.rate(rates, over="activation", ax=given) is given
    assert [tick.get_text() for tick in given.get_xticklabels()] == ["tanh", "relu"]
    assert plot.rate(hits, over="widths", log=False).get_xscale() == "linear"
    for options, message in (
        ({"over": "activation", "log": True}, "numbers above 0"),
        ({"over": "depth"}, "no 'depth'"),
    ):
        with pytest.raises(ValueError, match=message):
            plot.rate(hits, **options)
    plt.close("all")
