"""Reduce a landscape of millions of trainings to numbers with intervals, and time it.

Question: are rates, medians, expected running times with bootstrap intervals and best cut-offs of a
128 x 128 grid of 256 seeds (4.2 million trainings, 20 records each, 336 MB) ready in under five
seconds on two cores?
Expected: yes; 1.0 to 1.4 s in all on two cores of an AMD EPYC (success 0.13, rates 0.01, medians
0.05, ERT 0.7 to 0.9, best cut-off 0.15), and 1.4 s with 50 records (840 MB) on one core.
Cost: half a minute and 2 GB of memory. Output: printed only.
"""

import time
from collections.abc import Callable

import numpy as np
import tyro
import xarray as xr

from approx import stats


def landscape(cells: int, seeds: int, records: int) -> xr.Dataset:
    """Losses of a grid of settings, which fall the faster the nearer a setting is to the diagonal.

    One training in ten never learns.
    """
    rng = np.random.default_rng(0)
    shape = (cells, cells, seeds)
    later = np.geomspace(1, 5000, records - 1)
    steps = np.unique(np.round(np.concatenate([[0], later]))).astype(int)
    rates, scales = np.geomspace(1e-4, 10, cells), np.geomspace(1e-2, 100, cells)

    # Slow away from the diagonal, different for each seed, and for a tenth of them never
    from_diagonal = np.log10(rates)[:, None] + np.log10(scales)[None] / 2
    slowness = 100 * 10 ** np.abs(from_diagonal)
    time_constant = slowness[..., None] * rng.lognormal(0, 1, shape)
    time_constant[rng.random(shape) < 0.1] = np.inf

    decay = np.exp(-steps / time_constant[..., None].astype("f4"))
    loss = 10 * decay.astype("f4")
    dims = ("learning_rate", "init_scale", "seed", "step")
    coords = {
        "learning_rate": rates,
        "init_scale": scales,
        "seed": np.arange(seeds),
        "step": steps,
    }
    return xr.Dataset({"test_loss": (dims, loss)}, coords)


def main(cells: int = 128, seeds: int = 256, records: int = 20, resamples: int = 1000) -> float:
    """Time each reduction once and print seconds.

    Args:
        cells: settings along each axis.
        seeds: of each setting.
        records: of each training.
        resamples: of a bootstrap.
    """
    runs = landscape(cells, seeds, records)
    hits, seconds = timed("success", lambda: stats.success(runs, below=1.0))
    work = {
        "rates": lambda: stats.rate(hits),
        "median steps": lambda: stats.time_quantiles(hits, 0.5),
        "median loss": lambda: stats.quantiles(runs.isel(step=-1), "test_loss", 0.5),
        "ERT": lambda: stats.ert(hits, resamples=resamples),
        "best cut-off": lambda: stats.best_cutoff(hits),
    }
    total = seconds + sum(timed(name, func)[1] for name, func in work.items())
    print(f"{'all':14s}{total:6.2f} s")
    return total


def timed(name: str, func: Callable[[], xr.Dataset]) -> tuple[xr.Dataset, float]:
    """Call, print the seconds, and return both."""
    start = time.perf_counter()
    result = func()
    seconds = time.perf_counter() - start
    print(f"{name:14s}{seconds:6.2f} s")
    return result, seconds


if __name__ == "__main__":
    tyro.cli(main)
