"""Promise: one rule says which trainings were still falling, and it is right of curves whose form
is known.
"""

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import brentq

from approx import stats

STEPS = np.arange(0, 1001, 10)


def curves(*values, steps=STEPS, **more):
    made = xr.Dataset({"loss": (("seed", "step"), np.array(values, float))}, {"step": steps})
    return made.assign({name: (("seed", "step"), array) for name, array in more.items()})


def test_power_laws_fall_if_they_are_steep_enough():
    t = STEPS + 1e-9
    slopes = np.array([0.0, 0.05, 0.099, 0.101, 0.5, 2.0])
    found = stats.falling(curves(*(1e-3 * t**-p for p in slopes)))
    assert found.values.tolist() == (slopes > 0.1).tolist()
    assert (found.dims, found.name) == (("seed",), "falling")
    few = np.array([0, 10, 300, 500, 1000])  # the answer does not depend on where the records are
    again = stats.falling(curves(*(t[few // 10] ** -p for p in slopes), steps=few))
    np.testing.assert_array_equal(found, again)
    steep = stats.falling(curves(t**-0.5, t**-0.9), slope=0.7)
    assert steep.values.tolist() == [False, True]


@pytest.mark.parametrize("plateau", [1.0, 1e-4])
def test_an_approach_to_a_plateau_falls_until_it_is_there(plateau):
    """Until the value at 2/3 T is less than 4% above that at T, about T = 1.5 tau log(24 a / c)."""

    # What is left at the end of `end` time constants, over what still counts as falling
    def above(end):
        return (plateau + np.exp(-2 / 3 * end)) * (2 / 3) ** 0.1 - (plateau + np.exp(-end))

    end = brentq(above, 2, 100)
    assert end == pytest.approx(1.5 * np.log(24 / plateau), rel=0.1)
    tau = 1000 / (end * np.array([0.7, 0.98, 1.02, 2]))
    found = stats.falling(curves(*(plateau + np.exp(-STEPS / one) for one in tau)))
    assert found.values.tolist() == [True, True, False, False]


def test_what_rests_jitters_rises_diverges_or_was_stopped_does_not_fall():
    t = STEPS + 1.0
    rises = np.where(STEPS < 500, 1 / t, 1 / 501 * 1.5)
    blown = np.where(STEPS < 900, 1 / t, np.nan)
    escaped = np.where(STEPS < 800, 1.0, 0.1)
    there = curves(np.ones_like(t), np.zeros_like(t), rises, blown, escaped, 1 / t)
    assert stats.falling(there).values.tolist() == [False, False, False, False, True, True]
    stopped = np.zeros((6, STEPS.size), int)
    stopped[5, -1] = 3
    found = stats.falling(there.assign(stopped=(("seed", "step"), stopped)))
    assert found.values.tolist() == [False, False, False, False, True, False]
    gaps = 1 / t
    gaps[30] = np.nan  # one record that is not finite says nothing of the end
    assert stats.falling(curves(gaps)).item()
    jitter = np.exp(np.random.default_rng(0).normal(0, 0.2, (4000, STEPS.size)))
    assert stats.falling(curves(*jitter)).mean() < 1 / 68, (
        "at most one in k + 1; k = 67 records up to 660"
    )


def test_what_the_rule_cannot_judge_is_refused():
    one = curves(1 / (STEPS + 1.0), test_accuracy=np.ones((1, STEPS.size)))
    for arguments, message in (
        ({"of": "test_accuracy"}, "rises where a training improves"),
        ({"slope": 0.0}, "slope must be positive"),
        ({"since": 1.0}, "share of the steps between 0 and 1, got 1.0"),
        ({"of": "test_loss"}, "no variable 'test_loss'"),
    ):
        with pytest.raises(ValueError, match=message):
            stats.falling(one, **arguments)
    with pytest.raises(ValueError, match="below 0"):
        stats.falling(one - 1)
    with pytest.raises(ValueError, match="no record after step 0 and up to step 666"):
        stats.falling(one.isel(step=[0, -1]))
    with pytest.raises(ValueError, match="no dimension 'step'"):
        stats.falling(one.isel(step=-1))
