"""How often small networks learn two periods of a sine, and what they make of the sine outside them.

Source: the thread on x² links to a sine without a set-up; this one is ours: 256 equispaced points of [-2π, 2π], without
noise and with noise of standard deviation 0.1, Adam at 1e-3, 5,000 full-batch steps, judged out to ±6π.
Expected finding: tanh and relu networks learn it inside and become constant or linear outside; snake, and the SIREN
with its sines, could go on. Restarts cannot help what an activation cannot continue.
Cost: some two minutes on two cores for 128 seeds. Writes results/sine_{NETWORK}.nc.
"""

from pathlib import Path

import numpy as np
import tyro

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
NETWORKS = {
    "tanh10": ap.MLP((10,), "tanh"),
    "tanh": ap.MLP((32, 32), "tanh"),
    "relu": ap.MLP((32, 32), "relu"),
    "snake": ap.MLP((32, 32), "snake"),
    "siren": ap.MLP((32, 32), "sin", initializer="siren"),
}
NOISE = (0.0, 0.1)
STEPS = 5_000
LEARNED = 1e-2  # mean squared error; a sine's variance is 0.5, the noise's 0.01


def recipe(network: str, steps: int = STEPS) -> ap.Recipe:
    """The recipe of one network."""
    return ap.Recipe(model=NETWORKS[network], optimizer="adam", learning_rate=1e-3, batch_size=None, steps=steps)


def main(seeds: int = 128, steps: int = STEPS, results: Path = RESULTS) -> None:
    """Train every network with and without noise, print what came out, and save it.

    Args:
        seeds: of each network and noise.
        steps: updates of each.
        results: the folder to write to.
    """
    for network in NETWORKS:
        runs = ap.run(ap.tasks.sine(noise=0.0), recipe(network, steps), seeds=seeds, noise=np.array(NOISE))
        path = ap.save(runs, results / f"sine_{network}.nc")
        print(f"{network}: {seeds} seeds, {steps:,} steps, identity {runs.identity[:12]}")
        for noise in NOISE:
            one = runs.sel(noise=noise)
            for name, of in (("inside the range", "test_loss"), ("outside it", "outside_loss")):
                low, mid, high = ap.stats.quantiles(one, of=of, q=(0.05, 0.5, 0.95))[of].isel(step=-1).values
                rate = ap.stats.rate(ap.stats.success(one, of=of, below=LEARNED))
                print(
                    f"  noise {noise:3g}  MSE, {name:17} median {mid:9.3g}  5% {low:9.3g}  95% {high:9.3g}"
                    f"   < {LEARNED:g}: {float(rate.rate):6.1%} [{float(rate.low):.1%}, {float(rate.high):.1%}]"
                )
        print(f"  saved as {path}", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
