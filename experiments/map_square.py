"""Maps of x²: under which learning rate and initial scale, range and width, it is learned.

Question: success, cost and the error outside over 64 x 64 settings with 64 seeds each: learning
rate x initial scale, for ten tanh and ten relu units (full-batch SGD, 21 points in [-1, 1], 2,000
steps), and range x width for tanh (Adam at 0.01). Learned: a test error of at most 1% of the
variance of x² in the range.
Source: the thread on x² changes one number at a time and trains once.
Expected finding: a band of learning rates whose lower end falls as the initial scale grows;
divergence above it.
Found: so it is. Decidedly more than half of the seeds learn it in 10% of the settings of tanh and
in 14% of relu's, whose best is 86% [75, 92] of 64 seeds. With Adam the range that is learned grows
with the width. Of what learned it inside, tanh's error at twice the range is 59% of x² (median),
relu's 39%.
Cost: a minute and a half on two cores, 0.7 GB. Writes results/map_square_{tanh,relu,range}.nc for
figures/map_square.py.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import tyro
import xarray as xr

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
VARIANCE = 4 / 45  # of x² on [-1, 1]; range⁴ times as much on [-range, range]
LEARNED = 0.01  # of the variance
WIDTHS = (1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64)
TASK = ap.tasks.square(range=1.0)
SIZE: dict[str, Any] = {
    "points": 64,
    "seeds": 64,
    "quick": {"steps": 500},
    "quick_points": 12,
    "quick_seeds": 8,
}
SCALES = {"learning_rate": ap.study.Axis(1e-3, 10), "init_scale": ap.study.Axis(0.1, 10)}


def far(params, predict):
    """Mean absolute error at x = -2 and 2, twice the range, relative to 4."""
    x = jnp.array([[-2.0], [2.0]])
    return jnp.abs(predict(x) - 4.0).mean() / 4.0


def recipe(activation: str) -> ap.Recipe:
    """Ten units, full-batch SGD."""
    return ap.Recipe(model=ap.MLP((10,), activation), optimizer="sgd", steps=2_000)


def scales(activation: str) -> ap.study.Map:
    """Learning rate x scale of the initial weights."""
    return ap.study.Map(
        TASK,
        recipe(activation),
        axes=SCALES,
        below=LEARNED * VARIANCE,
        metrics={"far": far},
        **SIZE,
    )


def least(runs: xr.Dataset) -> xr.DataArray:
    """The error that counts as success, for each range."""
    return LEARNED * VARIANCE * runs.range**4


MAPS = {
    "tanh": scales("tanh"),
    "relu": scales("relu"),
    "range": ap.study.Map(
        TASK,
        replace(recipe("tanh"), optimizer="adam", learning_rate=0.01),
        axes={"range": ap.study.Axis(0.1, 100)},
        over=ap.study.Over("width", {width: {"widths": (width,)} for width in WIDTHS}),
        below=least,
        **SIZE,
    ),
}
main = ap.study.maps_script("map_square", MAPS, RESULTS)

if __name__ == "__main__":
    tyro.cli(main)
