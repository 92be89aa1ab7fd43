"""Promise: a statistic says in its attributes what it was asked for, and a power law what its
coefficients are.
"""

import numpy as np
import pytest
import xarray as xr

import approx as ap

STEPS = [0, 1, 10, 100]
ENDS = np.random.default_rng(0).lognormal(0, 1, (2, 3, 12))
FALLING = ENDS[..., None] * np.array([1.0, 0.8, 0.5, 0.3])
RUNS = xr.Dataset(
    {"test_loss": (("recipe", "width", "seed", "step"), FALLING)},
    {"recipe": ["adam", "sgd"], "width": [2, 4, 8], "seed": range(12), "step": STEPS},
)
HITS = ap.stats.success(RUNS, below=0.5)
CROSSED = RUNS.rename(width="init_seed", seed="data_seed").isel(recipe=0)
OF = {"of": "test_loss"}
SAID = {
    "success": lambda: (HITS, OF | {"below": 0.5}),
    "rate": lambda: (
        ap.stats.rate(HITS, when="first", interval="exact", level=0.9),
        OF | {"below": 0.5, "when": "first", "interval": "exact", "level": 0.9},
    ),
    "ert": lambda: (
        ap.stats.ert(HITS, level=0.9, resamples=20),
        OF | {"level": 0.9, "resamples": 20},
    ),
    "restart": lambda: (
        ap.stats.restart(HITS, level=0.9, resamples=20),
        OF | {"level": 0.9, "resamples": 20},
    ),
    "restart_gain": lambda: (
        ap.stats.restart_gain(HITS, level=0.9, resamples=20),
        OF | {"level": 0.9, "resamples": 20},
    ),
    "tries_needed": lambda: (
        ap.stats.tries_needed(HITS, 0.8, level=0.9),
        OF | {"probability": 0.8, "level": 0.9},
    ),
    "compare": lambda: (
        ap.stats.compare(HITS, "adam", "sgd", when="first", level=0.9),
        {"a": "adam", "b": "sgd", "when": "first", "level": 0.9},
    ),
    "compare_values": lambda: (
        ap.stats.compare_values(RUNS, "sgd", "adam", statistic="median", level=0.9, resamples=20),
        OF | {"a": "sgd", "b": "adam", "statistic": "median", "level": 0.9},
    ),
    "improvement": lambda: (
        ap.stats.improvement(RUNS, "sgd", "adam", level=0.9, resamples=20),
        OF | {"a": "sgd", "b": "adam", "pairs": "seed", "level": 0.9},
    ),
    "running_rate": lambda: (
        ap.stats.running_rate(HITS, when="first", level=0.9, width=0.1),
        {"when": "first", "level": 0.9, "width": 0.1},
    ),
    "survival": lambda: (
        ap.stats.survival(HITS, event="settled", level=0.9),
        {"event": "settled", "level": 0.9},
    ),
    "time_quantiles": lambda: (
        ap.stats.time_quantiles(HITS, event="settled", level=0.9),
        {"event": "settled", "level": 0.9},
    ),
    "restricted_mean": lambda: (
        ap.stats.restricted_mean(HITS, until=50, event="settled", level=0.9),
        {"event": "settled", "until": 50, "level": 0.9},
    ),
    "exponent": lambda: (
        ap.stats.exponent(RUNS, "width", statistic="mean", level=0.9, resamples=20),
        OF | {"along": "width", "statistic": "mean", "level": 0.9, "resamples": 20},
    ),
    "variance_components": lambda: (
        ap.stats.variance_components(CROSSED, scale="rank", level=0.9, resamples=20),
        OF | {"scale": "rank", "level": 0.9, "factors": ["init_seed", "data_seed"]},
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_was_asked_for_is_said(name):
    result, expected = SAID[name]()
    assert {key: result.attrs.get(key) for key in expected} == expected


def powers(exponent, bend, along):
    """Runs whose losses are `3 along^exponent` bent by `bend log(along)²`, times a number of each
    seed's.
    """
    logs = np.log(np.maximum(along[1], 1e-300))
    losses = 3 * np.exp(exponent * logs + bend * logs**2)
    spread = np.array([0.5, 1.0, 4.0])
    return xr.Dataset(
        {"test_loss": (("seed", along[0]), spread[:, None] * losses)}, {along[0]: along[1]}
    )


@pytest.mark.parametrize(("exponent", "bend"), [(-2.0, 0.0), (-0.5, 0.25)])
def test_a_power_and_its_bend_are_found_exactly(exponent, bend):
    """Along the width, of medians that are exact: the bend is the quadratic coefficient of the
    logarithms.
    """
    widths = np.array([1.0, 3.0, 9.0])  # equally far apart in logarithms, whose middle is log 3
    fit = ap.stats.exponent(powers(exponent, bend, ("width", widths)), "width", resamples=20)
    np.testing.assert_allclose(fit.bend, bend, atol=1e-12)
    # The slope in the middle
    np.testing.assert_allclose(fit.exponent, exponent + 2 * bend * np.log(3), rtol=1e-12)
    np.testing.assert_allclose(
        fit.value, 3 * widths**exponent * np.exp(bend * np.log(widths) ** 2), rtol=1e-12
    )


def test_a_power_along_the_steps_leaves_out_step_0():
    """Which has no logarithm, and a loss of its own."""
    steps = np.array([0, 1, 10, 100, 1000])
    fit = ap.stats.exponent(powers(-0.5, 0.0, ("step", steps)), "step", resamples=20)
    assert fit.step.values.tolist() == [1, 10, 100, 1000]
    np.testing.assert_allclose(fit.exponent, -0.5, rtol=1e-12)
    np.testing.assert_allclose(fit.fitted, 3 * steps[1:] ** -0.5, rtol=1e-12)


def test_the_power_of_the_best_of_each_width():
    """A better seed than the best of three may always come, so only the upper end is known."""
    widths = np.array([1.0, 3.0, 9.0, 27.0])
    fit = ap.stats.exponent(powers(-2.0, 0.0, ("width", widths)), "width", statistic="best")
    best = 0.5 * 3 * widths**-2.0
    np.testing.assert_allclose(fit.value, best, rtol=1e-12)
    assert np.all(fit.value_low == 0)
    np.testing.assert_allclose(fit.value_high, best, rtol=1e-12)
    np.testing.assert_allclose(fit.exponent, -2, rtol=1e-12)
