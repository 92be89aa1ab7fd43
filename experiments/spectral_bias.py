"""A sum of four sines: which of its frequencies small networks learn when, and what changes that.

Question: a network of two layers of 24 units is trained on a sum of four sines that have 1, 2, 4
and 8 periods on [-1, 1]. When is each of them learned? Tried are relu and tanh units, relu units
with a sum in which faster sines are louder, Fourier features before one layer of 24 relu units, and
a SIREN.
Source: Rahaman et al., "On the spectral bias of neural networks" (ICML 2019), whose relu networks
learn low frequencies first, also where higher ones have larger amplitudes; Xu et al., "Frequency
principle" (2020), the same of tanh; Tancik et al., "Fourier features let networks learn high
frequency functions in low dimensional domains" (2020); Sitzmann et al., "Implicit neural
representations with periodic activation functions" (2020), SIREN.
Set-up: 65 even points, Adam at 0.001 on all of them in every step, 4,000 steps. The components of
what a network has learned are found by least squares on 129 points of the interval: a constant, and
a sine and a cosine of each frequency. A sine is learned at the first record at which its component,
as a complex number, is off by at most a fifth of its amplitude. Fourier features are 16 frequencies
from N(0, 2²) in turns per unit of x; the SIREN has the paper's omega_0 of 30.
Expected, before anything was trained: what the sources say, as `statements` has it.
Cost: a minute and a quarter of one core for 128 seeds.
Writes results/spectral_bias_all.nc and experiments/summaries/spectral_bias_{rates,verdicts}.csv.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tyro
import xarray as xr

import approx as ap
from experiments.shared import judged
from experiments.shared.measured import Measured

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
PERIODS = np.array([1, 2, 4, 8])  # on the interval, whose length is 2
SLOWEST, FASTEST = 1, 8
LOUD = (0.25, 0.5, 0.75, 1.0)  # amplitudes that rise with the frequency
STEPS = 4_000
RECORDS = np.unique(np.geomspace(10, STEPS, 33).round(-1)).astype(int)
OFF = 0.2  # of its amplitude, by which the component of a sine that is learned may be off
NETWORKS = {
    "relu": ap.MLP((24, 24), "relu", initializer="pytorch"),
    "tanh": ap.MLP((24, 24), "tanh", initializer="pytorch"),
    "Fourier": ap.models.Fourier(features=16, scale=2.0, widths=(24,)),
    "SIREN": ap.models.SIREN((24, 24)),
}
LOUDER = "relu, fast is loud"
SOURCE = "Rahaman et al. 2019, Tancik et al. 2020 and others, see experiments/spectral_bias.py"


def tasks() -> dict[str, ap.Task]:
    """The sum with even amplitudes, and that with rising ones."""
    options: dict[str, Any] = {"range": 1.0, "size": 65, "test_size": 129}
    even = ap.tasks.sum_of_sines(frequencies=tuple(PERIODS / 2), **options)
    rising = ap.tasks.sum_of_sines(frequencies=tuple(PERIODS / 2), amplitudes=LOUD, **options)
    return {"even": even, "rising": rising}


def train(seeds: int, steps: int = STEPS) -> xr.Dataset:
    """Every network, over (recipe, seed, ...), with its outputs at all records."""
    records = (0, *RECORDS[steps >= RECORDS].tolist())
    known = tasks()
    asked = {}
    for name, model in NETWORKS.items():
        recipe = ap.Recipe(
            model=model,
            optimizer="adam",
            learning_rate=1e-3,
            batch_size=None,
            steps=steps,
            records=records,
        )
        asked[name] = (known["even"], recipe)
    asked[LOUDER] = (known["rising"], asked["relu"][1])
    return ap.run(known["even"], asked, seeds=seeds, keep_at=records)


def components(x: np.ndarray, f: np.ndarray) -> np.ndarray:
    """The component of each sine in functions, as complex numbers c with Re(c e^(iπkx)).

    Args:
        x: where the functions are known (point,), on [-1, 1].
        f: the functions (..., point).

    Returns:
        (..., sine), by least squares on a constant and the sines and cosines of all frequencies.
    """
    phases = np.pi * x[:, None] * PERIODS
    basis = np.concatenate([np.ones((len(x), 1)), np.cos(phases), np.sin(phases)], axis=1)
    of_cosine, of_sine = np.split((f @ np.linalg.pinv(basis).T)[..., 1:], 2, axis=-1)
    return of_cosine - 1j * of_sine


def errors(runs: xr.Dataset) -> xr.Dataset:
    """How far each component is off, over its amplitude: (recipe, seed, step, periods)."""
    x = runs.x_test.values.reshape(-1, runs.sizes["point"])[0]
    right = components(x, runs.y_test.isel(output=0).transpose(..., "point").values)
    found = runs.prediction.isel(output=0).transpose("recipe", "seed", "kept_step", "point")
    made = components(x, found.values)
    right = right.reshape(-1, 1, 1, len(PERIODS))
    off = abs(made - right) / abs(right)
    dims = ("recipe", "seed", "step", "periods")
    coords = {"recipe": runs.recipe.values, "seed": runs.seed.values, "step": runs.step.values}
    known = np.where(np.isfinite(off), off, np.inf)
    return xr.Dataset({"off": (dims, known)}, coords | {"periods": PERIODS})


def learned(runs: xr.Dataset) -> xr.Dataset:
    """Which sines are learned at which record, over (recipe, seed, step, periods)."""
    return ap.stats.success(errors(runs), below=OFF, of="off")


def times(hits: xr.Dataset) -> xr.Dataset:
    """The first record at which each sine is learned; inf where it never is."""
    return xr.Dataset({"time": ap.stats.time_to_success(hits).upper})


def statements(runs: xr.Dataset) -> list[ap.stats.Claim]:
    """The claims; their regions were written before anything was trained."""
    stats = ap.stats
    hits = learned(runs)
    first = times(hits)
    ever = Measured(f"component off by at most {OFF:.0%} at the last step", hits)

    def order(text, network, one, other, holds):
        effect = partial(
            stats.improvement, first.sel(recipe=network), one, other, of="time", dim="periods"
        )
        words = f"{network}: {one} and {other} periods"
        return stats.Claim(
            text, words, "share of seeds that learn the first earlier", effect, holds
        )

    fastest = {"periods": FASTEST}
    return [
        order("relu: the slowest before the fastest", "relu", SLOWEST, FASTEST, stats.ALWAYS),
        order("relu: two periods before four", "relu", 2, 4, stats.ALWAYS),
        order("tanh: the slowest before the fastest", "tanh", SLOWEST, FASTEST, stats.ALWAYS),
        order("also where the fastest is loudest", LOUDER, SLOWEST, FASTEST, stats.BETTER),
        order("Fourier features: no order is left", "Fourier", SLOWEST, FASTEST, (0.45, 0.55)),
        order("SIREN: no order is left", "SIREN", SLOWEST, FASTEST, (0.45, 0.55)),
        ever.rate("relu: the fastest is not learned", stats.RARELY, recipe="relu", **fastest),
        ever.rate("tanh: the fastest is not learned", stats.RARELY, recipe="tanh", **fastest),
        ever.rate("Fourier: the fastest is learned", stats.USUALLY, recipe="Fourier", **fastest),
        ever.rate("SIREN: the fastest is learned", stats.USUALLY, recipe="SIREN", **fastest),
        ever.pair(
            "Fourier features help the fastest",
            stats.HELPS,
            "recipe",
            ("Fourier", "relu"),
            **fastest,
        ),
        ever.pair(
            "sines help the fastest (SIREN, tanh)",
            stats.HELPS,
            "recipe",
            ("SIREN", "tanh"),
            **fastest,
        ),
    ]


def table(runs: xr.Dataset) -> pd.DataFrame:
    """A line for each network and sine: the rate with its exact interval, and when half have it."""
    hits = learned(runs)
    first = times(hits).time
    lines = []
    for network in runs.recipe.values.tolist():
        for periods in PERIODS.tolist():
            at = {"recipe": network, "periods": periods}
            line = {"network": network, "periods": periods, **judged.rated(hits.sel(at))}
            middle = ap.stats.order_quantiles(first.sel(at).values, (0.25, 0.5, 0.75))
            line |= dict(zip(("time_q25", "time_median", "time_q75"), middle, strict=True))
            lines.append(line | {"fingerprint": runs.fingerprint[:12]})
    return pd.DataFrame(lines)


def main(
    seeds: int = 128, results: Path = RESULTS, summaries: Path = SUMMARIES, quick: bool = False
) -> None:
    """Train, judge the claims, and save.

    Args:
        seeds: of each network.
        results: the folder to write to.
        summaries: the folder of the tables.
        quick: a look at few seeds and steps, into results/quick.
    """
    steps = STEPS
    if quick:
        seeds, steps = 8, int(RECORDS[len(RECORDS) // 2])
        results = summaries = results / "quick"
        print(f"Quick look: {seeds} seeds, few steps: not the experiment.", flush=True)
    runs = train(seeds, steps)
    claims = (SOURCE, statements(runs))
    judged.write("spectral_bias", {"all": runs}, table(runs), claims, (results, summaries))


if __name__ == "__main__":
    tyro.cli(main)
