"""How often small networks learn two periods of a sine, and what they make of it outside them.

Source: the thread on x² (experiments/square.py) links to a sine without a set-up; this one is ours.
256 equispaced points of [-2π, 2π], without noise and with noise of standard deviation 0.1; Adam at
0.001 and 5,000 full-batch steps; judged out to ±6π. Two of the models are linear in sines and
cosines of x: "harmonics" of the frequencies 1/2, 1, ..., 4, the harmonics of the range, and
"random" of 16 frequencies drawn per seed from N(0, 1) and kept (Rahimi and Recht 2007; Tancik et
al. 2020).
Expected: tanh and relu networks learn it inside and become constant or linear outside. Snake, and
the SIREN with its sines, could go on. Restarts cannot help what an activation cannot continue.
The limits of success and the claims' regions were set before this run, when an earlier one of 128
seeds of the five networks had been seen.
Cost: a quarter of an hour on two busy cores for 512 seeds. Writes results/sine/ and the tables and
the report of the study, experiments/summaries/sine_*.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import tyro
import xarray as xr

import approx as ap

CASE = "sine"
RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
FREQUENCIES = np.arange(1, 9) / 2
RANDOM = 16
STEPS = 5_000
LEARNED, GOES_ON = 1e-2, 5e-2  # mean squared errors; a sine's variance is 0.5, the noise's 0.01
SETTING = "Adam 0.001"  # what each claim says of how the networks are trained


# ---- models that are linear in sines and cosines -------------------------------------------------


def waves(x, frequencies):
    """Sines and cosines of x (n, 1) at the frequencies (m,): (n, 2 m)."""
    return jnp.concatenate([jnp.sin(x * frequencies), jnp.cos(x * frequencies)], axis=1)


def harmonics_init(key, x):
    """Parameters of a linear map of the harmonics of the range."""
    return ap.MLP(()).init(key, jnp.zeros((1, 2 * len(FREQUENCIES))))


def harmonics_apply(params, x):
    """Outputs of a linear map of the harmonics of the range."""
    return ap.MLP(()).apply(params, waves(x, jnp.asarray(FREQUENCIES, x.dtype)))


def random_init(key, x):
    """Random frequencies, and a linear map of their sines and cosines."""
    one, two = jax.random.split(key)
    frequencies = jax.random.normal(one, (RANDOM,))
    last = ap.MLP(()).init(two, jnp.zeros((1, 2 * RANDOM)))
    return {"frequencies": frequencies, "last": last}


def random_apply(params, x):
    """Outputs of a linear map of sines and cosines, whose frequencies are not trained."""
    frequencies = jax.lax.stop_gradient(params["frequencies"])
    return ap.MLP(()).apply(params["last"], waves(x, frequencies))


NETWORKS: dict[str, Any] = {
    "10 tanh": ap.MLP((10,), "tanh"),
    "harmonics": (harmonics_init, harmonics_apply),
    "random": (random_init, random_apply),
    "tanh": ap.MLP((32, 32), "tanh"),
    "relu": ap.MLP((32, 32), "relu"),
    "snake": ap.MLP((32, 32), "snake"),
    "SIREN": ap.MLP((32, 32), "sin", initializer="siren"),
}
QUICK = ("baseline", "tanh, no noise", "tanh, noise", "snake, no noise", "snake, noise")


# ---- what counts as success ----------------------------------------------------------------------


def forgiven(runs: xr.Dataset) -> xr.DataArray:
    """Mean squared error outside: any shift and a stretch of up to a tenth are no error."""
    found = ap.stats.phase_tolerant_error(runs, np.pi, 0.1, target=np.sin, where="outside")
    return found.error.reset_coords(drop=True)


def goes_on_but_for_its_phase(runs: xr.Dataset) -> xr.Dataset:
    """Which seeds go on with a sine, wherever it begins."""
    errors = xr.Dataset({"error": forgiven(runs)})
    return ap.stats.success(errors, below=GOES_ON, of="error")


MEASURES = {
    "inside": ap.study.threshold("test_loss", below=LEARNED),
    "outside": ap.study.threshold("outside_loss", below=GOES_ON),
    "forgiven": ap.study.Measure(
        f"loss outside the training range at most {GOES_ON:g}, the phase forgiven",
        goes_on_but_for_its_phase,
        of=forgiven,
    ),
}


# ---- the study -----------------------------------------------------------------------------------


def clean(network: str) -> str:
    """The label of a network on targets without noise."""
    return f"{network}, no noise"


def claims() -> list[ap.study.Claim]:
    """What is expected of each kind of network."""
    found = []
    for network in NETWORKS:
        text = f"two periods of a sine are learned: {network} ({SETTING})"
        found.append(ap.usually(clean(network), text, measure="inside"))

    for network in ("10 tanh", "tanh", "relu"):
        text = f"the sine is not continued outside: {network} ({SETTING})"
        found.append(ap.never(clean(network), text, measure="outside"))

    for network in ("snake", "SIREN", "random", "harmonics"):
        text = f"the sine is continued outside: {network} ({SETTING})"
        found.append(ap.usually(clean(network), text, measure="outside"))

    for network in ("snake", "SIREN", "random"):
        text = f"it is continued but for a shift in phase: {network} ({SETTING})"
        found.append(ap.usually(clean(network), text, measure="forgiven"))

    for one, other in (("snake", "tanh"), ("SIREN", "tanh"), ("snake", "SIREN")):
        text = f"the error outside is smaller: {one} than {other} ({SETTING})"
        found.append(ap.study.better(clean(one), text, against=clean(other), of="outside_loss"))

    for network in ("tanh", "relu", "snake", "SIREN", "harmonics"):
        text = f"noise of 0.1 makes no difference inside: {network} ({SETTING})"
        found.append(ap.same(f"{network}, noise", text, against=clean(network)))

    text = f"two layers of 32 tanh units learn it more often than one of ten ({SETTING})"
    found.append(ap.helps(clean("tanh"), text, against=clean("10 tanh")))
    return found


def study(steps: int = STEPS) -> ap.Study:
    """Every network with and without noise; the baseline is that of tanh units without.

    Args:
        steps: updates of each.
    """
    recipe = ap.Recipe(
        model=NETWORKS["tanh"],
        optimizer="adam",
        learning_rate=1e-3,
        batch_size=None,
        steps=steps,
    )
    return ap.Study(
        ap.tasks.sine(noise=0.0),
        recipe,
        success=MEASURES,
        factors={
            "network": {network: {"model": model} for network, model in NETWORKS.items()},
            "noise": {"no noise": {}, "noise": {"noise": 0.1}},
        },
        claims=claims(),
        judged=(),
        title="How often small networks learn two periods of a sine, and go on outside them",
        source="a link of the thread on x²; the set-up is ours",
    )


# ---- what the figure draws -----------------------------------------------------------------------

DRAWN = ("tanh", "snake", "SIREN", "harmonics")
BAND = (0.05, 0.25, 0.5, 0.75, 0.95)  # of the seeds
MOST = 200  # points of a function that is drawn


def function_table(label: str, runs: xr.Dataset) -> pd.DataFrame:
    """The learned functions: quantiles over seeds and the first two seeds, at some test points."""
    every = -(-runs.sizes["point"] // MOST)
    here = runs.sortby(runs.x_test.isel(input=0)).isel(point=slice(None, None, every), output=0)
    found = ap.stats.quantiles(here, "prediction", BAND).prediction
    table = pd.DataFrame(
        found.transpose("point", "quantile").values,
        columns=[f"q{round(100 * share):02d}" for share in BAND],
    )
    table.insert(0, "label", label)
    table.insert(1, "n", runs.sizes["seed"])
    table.insert(2, "x", here.x_test.isel(input=0).values)
    table.insert(3, "target", np.sin(table.x))
    table.insert(4, "is_shown", here.distance.values == 0)
    for seed in (0, 1):
        table[f"seed {seed}"] = here.prediction.isel(seed=seed).values
    return table.assign(fingerprint=runs.fingerprint[:12])


def write_drawn(asked: ap.Study, summaries: Path) -> Path:
    """Write the learned functions that the figure draws, of those networks that are trained."""
    labels = [clean(network) for network in DRAWN if clean(network) in asked.trained.by_row]
    table = pd.concat([function_table(label, asked.runs(label)) for label in labels])
    path = summaries / f"{CASE}_functions.csv"
    table.to_csv(path, index=False, float_format="%.4g", lineterminator="\n")
    return path


def main(
    seeds: int = 512,
    steps: int = STEPS,
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    quick: bool = False,
) -> None:
    """Train every network, and write the tables and the report of what came out.

    What is in the folder of results is not trained again.

    Args:
        seeds: of each network and noise.
        steps: updates of each.
        results: the folder to write to.
        summaries: the folder of the tables.
        quick: half a minute, two networks, few seeds and steps; all of it goes to results/quick.
    """
    only = None
    if quick:
        seeds, steps, only = min(seeds, 8), min(steps, 300), QUICK
        results = summaries = results / "quick"
        print(f"Quick look: {seeds} seeds, {steps} steps: not the experiment.", flush=True)

    results.mkdir(parents=True, exist_ok=True)
    asked = study(steps)
    asked.run(seeds, only=only, out=results / CASE)
    asked.answer().write(summaries, CASE)
    write_drawn(asked, summaries)
    print(asked.report())


if __name__ == "__main__":
    tyro.cli(main)
