"""Maps of a sine: which frequencies a width learns, when, and what snake's frequency does outside.

Question: over 32 x 32 settings with 32 seeds each, one hidden layer, Adam, 64 points of [-π, π],
3,000 full-batch steps: the frequency of the sine x the width (tanh, rate 0.01); snake's a x the
learning rate (16 units, one period), with the error outside, out to three times the range. And the
spectral view: of a sum of eight sines of equal amplitude (1 to 8 periods), how much of each has
been learned after how many steps (32 tanh units, 128 seeds).
Source: the thread on x² links to a sine; ours is the set-up. Low frequencies first: Rahaman et al.,
ICML 2019.
Expected finding: the frequency a width reaches grows with it; no a of snake goes on outside for
most seeds.
Found: the first: from 1 period with two units to 7 with 32. Not the second: with a about the sine's
frequency and a rate of 0.02 snake goes on outside, to a squared error of 0.05, for 56% [39, 72] of
32 seeds. The median seed has nine tenths of the lowest sine after 139 steps, of the highest after
8,728.
Cost: two and a quarter minutes on two cores. Writes results/map_sine_{width,snake,spectrum}.nc.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import tyro
import xarray as xr

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
POINTS, SEEDS, STEPS, ROWS = 32, 32, 3_000, 64
WIDTHS = (1, 2, 3, 4, 6, 8, 11, 16, 23, 32)
PERIODS = np.arange(1, 9)
TASK = ap.tasks.sine(range=float(np.pi), size=ROWS)


def recipe(model, steps: int = STEPS) -> ap.Recipe:
    """Adam at 0.01, for one of the models."""
    return ap.Recipe(model=model, optimizer="adam", learning_rate=0.01, steps=steps)


def axes(points: int = POINTS) -> dict[str, dict[str, np.ndarray]]:
    """The axes of each map; the spectrum has none."""
    return {
        "width": {"frequency": ap.maps.axis(0.25, 16, points)},
        "snake": {
            "learning_rate": ap.maps.axis(1e-4, 1, points),
            "a": ap.maps.axis(0.1, 30, points),
        },
        "spectrum": {},
    }


def by_width(seeds: int, steps: int, frequency: np.ndarray) -> xr.Dataset:
    """Frequency x width: a program for each width."""
    recipes = {str(width): recipe(ap.MLP((width,), "tanh"), steps) for width in WIDTHS}
    grid: dict[str, Any] = {"task.frequency": frequency}
    runs = ap.run(TASK, recipes, seeds=seeds, keep=(), progress=False, **grid)
    named = runs.rename({"recipe": "width", "task.frequency": "frequency"})
    return named.assign_coords(width=np.array(WIDTHS))


def snake(seeds: int, steps: int, **grid) -> xr.Dataset:
    """Snake's a x the learning rate."""
    chosen = recipe(ap.MLP((16,), "snake", a=1.0), steps)
    return ap.run(TASK, chosen, seeds=seeds, keep=(), **grid)


def learned_share(params, predict):
    """The least-squares amplitude in the outputs of the sine of each number of periods.

    It is 1 when the sine is learned.
    """
    x = jnp.linspace(-1, 1, 257)[:-1, None]
    sines = jnp.sin(jnp.pi * x * PERIODS)  # orthogonal on this grid
    return (sines * predict(x)).sum(0) / (sines**2).sum(0)


def spectrum(seeds: int, steps: int) -> xr.Dataset:
    """When each frequency is learned."""
    x = np.linspace(-1, 1, ROWS)[:, None]
    y = np.sin(np.pi * x * PERIODS).sum(1, keepdims=True)
    records = {0, *(int(n) for n in np.geomspace(1, 4 * steps, 60).round())}
    chosen = recipe(ap.MLP((32,), "tanh"), 4 * steps)
    runs = ap.run(
        ap.given(x, y),
        replace(chosen, records=tuple(sorted(records))),
        seeds=4 * seeds,
        keep=(),
        metrics={"learned_share": learned_share},
    )
    return runs.assign_coords(learned_share_0=PERIODS).rename(learned_share_0="periods")


MAPS: dict[str, Callable[..., xr.Dataset]] = {
    "width": by_width,
    "snake": snake,
    "spectrum": spectrum,
}


def main(
    points: int = POINTS,
    seeds: int = SEEDS,
    steps: int = STEPS,
    zoom: dict[str, tuple[float, float]] | None = None,
    results: Path = RESULTS,
    quick: bool = False,
) -> None:
    """Train every setting of the maps, and save them.

    Args:
        points: values of each axis.
        seeds: of each cell; four times as many of the spectrum.
        steps: of each training; four times as many of the spectrum.
        zoom: a window to map at full resolution instead, such as learning_rate 0.001 0.1 a 0.5 2,
            of the maps that have those axes; saved as map_sine_{NAME}_zoom.nc.
        results: the folder to write to.
        quick: a look at 8 values of each axis with 8 seeds, into results/quick.
    """
    if quick:
        points, seeds, steps, results = 8, 8, min(steps, 500), results / "quick"
        results.mkdir(parents=True, exist_ok=True)
    ending = "_zoom" * bool(zoom)
    for name, grid in ap.maps.zooms(axes(points), zoom).items():
        runs = MAPS[name](seeds, steps, **grid)
        ap.save(runs, results / f"map_sine_{name}{ending}.nc")
        rates = ap.stats.rate(ap.stats.success(runs, below=0.01, of="loss"))
        print(f"{name}: a loss of at most 0.01 for {ap.stats.highest(rates)}", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
