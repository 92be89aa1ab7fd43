"""Maps of a sine: which frequencies a width learns, when, and what snake's frequency does outside.

Question: over 32 x 32 settings with 32 seeds each, one hidden layer, Adam, 64 points of [-π, π],
3,000 full-batch steps: the frequency of the sine x the width (tanh, rate 0.01); snake's a x the
learning rate (16 units, one period), with the error outside, out to three times the range. And the
spectral view: of a sum of eight sines of equal amplitude (1 to 8 periods), how much of each has
been learned after how many steps (32 tanh units, 128 seeds, 12,000 steps).
Source: the thread on x² links to a sine; ours is the set-up. Low frequencies first: Rahaman et al.,
ICML 2019.
Expected finding: the frequency a width reaches grows with it; no a of snake goes on outside for
most seeds.
Found: the first: from 1 period with two units to 7 with 32. Not the second: with a about the sine's
frequency and a rate of 0.02 snake goes on outside, to a squared error of 0.05, for 59% [41, 76] of
32 seeds. The median seed has nine tenths of the lowest sine after 139 steps, of the highest after
8,728.
Cost: two and a quarter minutes on two cores. Writes results/map_sine_{width,snake,spectrum}.nc.
"""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import tyro

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
STEPS, ROWS = 3_000, 64
WIDTHS = (1, 2, 3, 4, 6, 8, 11, 16, 23, 32)
PERIODS = np.arange(1, 9)
TASK = ap.tasks.sine(range=float(np.pi), size=ROWS)
QUICK: dict[str, Any] = {"quick": {"steps": 500}, "quick_seeds": 8}
LEARNED: dict[str, Any] = {"below": 0.01, "of": "loss"}


def recipe(model, steps: int = STEPS, **options) -> ap.Recipe:
    """Adam at 0.01, for one of the models."""
    return ap.Recipe(model=model, optimizer="adam", learning_rate=0.01, steps=steps, **options)


def learned_share(params, predict):
    """The least-squares amplitude in the outputs of the sine of each number of periods.

    It is 1 when the sine is learned.
    """
    x = jnp.linspace(-1, 1, 257)[:-1, None]
    sines = jnp.sin(jnp.pi * x * PERIODS)  # orthogonal on this grid
    return (sines * predict(x)).sum(0) / (sines**2).sum(0)


def spectrum() -> ap.study.Map:
    """When each frequency of a sum of sines is learned; a map without swept numbers."""
    x = np.linspace(-1, 1, ROWS)[:, None]
    y = np.sin(np.pi * x * PERIODS).sum(1, keepdims=True)
    steps = 4 * STEPS
    records = {0, *(int(n) for n in np.geomspace(1, steps, 60).round())}
    return ap.study.Map(
        ap.given(x, y),
        recipe(ap.MLP((32,), "tanh"), steps, records=tuple(sorted(records))),
        axes={},
        metrics={"learned_share": learned_share},
        seeds=128,
        quick={"steps": 2_000},
        quick_seeds=32,
        **LEARNED,
    )


MAPS = {
    "width": ap.study.Map(
        TASK,
        recipe(ap.MLP((10,), "tanh")),
        axes={"frequency": ap.study.Axis(0.25, 16, number="task.frequency")},
        over=ap.study.Over("width", {width: {"widths": (width,)} for width in WIDTHS}),
        **LEARNED,
        **QUICK,
    ),
    "snake": ap.study.Map(
        TASK,
        recipe(ap.MLP((16,), "snake", a=1.0)),
        axes={"learning_rate": ap.study.Axis(1e-4, 1), "a": ap.study.Axis(0.1, 30)},
        **LEARNED,
        **QUICK,
    ),
    "spectrum": spectrum(),
}
main = ap.study.maps_script("map_sine", MAPS, RESULTS)

if __name__ == "__main__":
    tyro.cli(main)
