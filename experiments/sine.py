"""How often small networks learn two periods of a sine, and what they make of it outside them.

Source: the thread on x² links to a sine without a set-up; this one is ours: 256 equispaced points
of [-2π, 2π], without noise and with noise of standard deviation 0.1, Adam at 1e-3, 5,000 full-batch
steps, judged out to ±6π. Two models are linear in sines and cosines of x: "fourier" of the
frequencies 1/2, 1, ..., 4, the harmonics of the range, and "random" of 16 drawn per seed from N(0,
1) and kept (Rahimi and Recht 2007; Tancik et al. 2020). Learned is a mean squared error inside of
at most 0.01; going on is one of at most 0.05 outside, a tenth of a sine's variance, as it is or
with the phase forgiven (`stats.phase_tolerant_error`, any shift, a stretch of up to a tenth). Both
were set before this run, an earlier one of 128 seeds of the five networks having been seen.
Expected finding: tanh and relu networks learn it inside and become constant or linear outside;
snake, and the SIREN with its sines, could go on. Restarts cannot help what an activation cannot
continue.
Found, with 512 seeds: all but ten tanh units (50%) learn it inside in nearly every seed, noise or
not. Outside only the harmonics of the range go on, in every seed, since the sine is one of them; of
all others no seed does, with the phase forgiven neither. Snake's median error there, 0.37, is below
a constant's 0.5; tanh's, 13, and relu's, 31, not.
Cost: a quarter of an hour on two busy cores for 512 seeds. Writes results/sine_{NETWORK}.nc,
experiments/summaries/sine_claims.{csv,md} and sine_networks.csv.
"""

from collections.abc import Hashable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import tyro
import xarray as xr

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
FREQUENCIES = np.arange(1, 9) / 2
RANDOM = 16
Sides = dict[Hashable, xr.Dataset]


def harmonics(x, frequencies):
    """Sines and cosines of x (n, 1) at the frequencies (m,): (n, 2 m)."""
    return jnp.concatenate([jnp.sin(x * frequencies), jnp.cos(x * frequencies)], axis=1)


def fourier_init(key, x):
    """Parameters of a linear map of the harmonics of the range."""
    return ap.MLP(()).init(key, jnp.zeros((1, 2 * len(FREQUENCIES))))


def fourier_apply(params, x):
    """Outputs of a linear map of the harmonics of the range."""
    return ap.MLP(()).apply(params, harmonics(x, jnp.asarray(FREQUENCIES, x.dtype)))


def random_init(key, x):
    """Random frequencies, and a linear map of their sines and cosines."""
    one, two = jax.random.split(key)
    frequencies = jax.random.normal(one, (RANDOM,))
    last = ap.MLP(()).init(two, jnp.zeros((1, 2 * RANDOM)))
    return {"frequencies": frequencies, "last": last}


def random_apply(params, x):
    """Outputs of a linear map of sines and cosines, whose frequencies are not trained."""
    frequencies = jax.lax.stop_gradient(params["frequencies"])
    return ap.MLP(()).apply(params["last"], harmonics(x, frequencies))


NETWORKS: dict[str, Any] = {
    "tanh10": ap.MLP((10,), "tanh"),
    "fourier": (fourier_init, fourier_apply),
    "random": (random_init, random_apply),
    "tanh": ap.MLP((32, 32), "tanh"),
    "relu": ap.MLP((32, 32), "relu"),
    "snake": ap.MLP((32, 32), "snake"),
    "siren": ap.MLP((32, 32), "sin", initializer="siren"),
}
NOISE = (0.0, 0.1)
STEPS = 5_000
LEARNED, GOES_ON = 1e-2, 5e-2  # mean squared errors; a sine's variance is 0.5, the noise's 0.01


def recipe(network: str, steps: int = STEPS) -> ap.Recipe:
    """The recipe of one network."""
    return ap.Recipe(
        model=NETWORKS[network], optimizer="adam", learning_rate=1e-3, batch_size=None, steps=steps
    )


RECIPES = {network: (ap.tasks.sine(noise=0.0), recipe(network)) for network in NETWORKS}


def forgiven(runs: xr.Dataset) -> xr.DataArray:
    """Mean squared error outside, with the phase forgiven."""
    found = ap.stats.phase_tolerant_error(runs, np.pi, 0.1, target=np.sin, where="outside")
    return found.error.reset_coords(drop=True)


def ends(runs: xr.Dataset, noise: float) -> xr.Dataset:
    """The final errors over seeds: inside, outside, and outside with the phase forgiven."""
    one = runs.sel(noise=noise, drop=True)
    last = one[["test_loss", "outside_loss"]].isel(step=-1, drop=True).reset_coords(drop=True)
    named = last.rename(test_loss="inside", outside_loss="outside")
    return named.assign(forgiven=forgiven(one))


MOST = {"inside": LEARNED, "outside": GOES_ON, "forgiven": GOES_ON}  # the errors of a success
MEASURES = {
    "inside": f"MSE inside ≤ {LEARNED:g}",
    "outside": f"MSE outside ≤ {GOES_ON:g}",
    "forgiven": f"MSE outside, phase forgiven, ≤ {GOES_ON:g}",
}
Errors = Mapping[tuple[str, float], xr.Dataset]  # by network and noise


def successes(errors: Errors, network: str, of: str, noise: float = 0.0) -> xr.Dataset:
    """Which seeds of a network end with a small error.

    Args:
        errors: of all networks, as `ends` gives them.
        network: whose.
        of: "inside", "outside", or outside with the phase "forgiven".
        noise: of the targets.
    """
    return ap.stats.success(errors[network, noise], below=MOST[of], of=of)


def among(errors: Errors, *networks: str) -> list[str]:
    """Those of the networks that were trained."""
    return [network for network in networks if (network, 0.0) in errors]


def often(
    errors: Errors, text: str, network: str, of: str, holds: tuple[float, float]
) -> ap.stats.Claim:
    """That a network's rate of success lies in a region."""
    effect = partial(ap.stats.rate, successes(errors, network, of))
    return ap.stats.Claim(text, network, MEASURES[of], effect, holds)


def of_ranges(errors: Errors) -> list[ap.stats.Claim]:
    """Which networks learn the sine inside, and which go on outside."""
    usually, never = ap.stats.USUALLY, ap.stats.NEVER
    claims = []
    for network in among(errors, *NETWORKS):
        text = f"{network} learns two periods"
        claims.append(often(errors, text, network, "inside", usually))

    for network in among(errors, "tanh10", "tanh", "relu"):
        text = f"{network} does not go on"
        claims.append(often(errors, text, network, "outside", never))

    for network in among(errors, "snake", "siren", "random", "fourier"):
        claims.append(often(errors, f"{network} goes on", network, "outside", usually))

    for network in among(errors, "snake", "siren", "random"):
        text = f"{network} goes on but for its phase"
        claims.append(often(errors, text, network, "forgiven", usually))
    return claims


def ends_better(errors: Errors, a: str, b: str) -> list[ap.stats.Claim]:
    """That network a errs less outside than b; nothing if one was not trained."""
    if len(among(errors, a, b)) < 2:
        return []
    sides: Sides = {a: errors[a, 0.0], b: errors[b, 0.0]}
    effect = partial(ap.stats.improvement, sides, a, b, of="outside", pairs="seed")
    text, pair = f"{a} goes on better than {b}", f"{a} against {b}"
    return [ap.stats.Claim(text, pair, "less MSE outside", effect, ap.stats.BETTER)]


def noise_changes_nothing(errors: Errors, network: str) -> ap.stats.Claim:
    """That a network learns the sine inside as often with noise as without."""
    clean = successes(errors, network, "inside")
    noisy = successes(errors, network, "inside", NOISE[1])
    sides: Sides = {"no noise": clean, "noise": noisy}
    effect = partial(ap.stats.compare, sides, "noise", "no noise")
    text = f"noise of 0.1 makes no difference inside: {network}"
    return ap.stats.Claim(text, "noise against none", MEASURES["inside"], effect, ap.stats.SAME)


def two_layers_help(errors: Errors) -> list[ap.stats.Claim]:
    """That two layers of 32 learn it more often than one of ten; nothing if one was not trained."""
    if len(among(errors, "tanh", "tanh10")) < 2:
        return []
    two, one = successes(errors, "tanh", "inside"), successes(errors, "tanh10", "inside")
    sides: Sides = {"two layers": two, "one": one}
    effect = partial(ap.stats.compare, sides, "two layers", "one")
    text, pair = "two layers of 32 help over one of ten", "tanh against tanh10"
    return [ap.stats.Claim(text, pair, MEASURES["inside"], effect, ap.stats.HELPS)]


def statements(errors: Errors) -> list[ap.stats.Claim]:
    """What is expected of each kind of network, and the region in which each effect must lie.

    The regions were set before anything ran. Claims about networks that were not trained are left
    out.
    """
    claims = of_ranges(errors)
    claims += ends_better(errors, "snake", "tanh")
    claims += ends_better(errors, "siren", "tanh")
    claims += ends_better(errors, "snake", "siren")
    for network in among(errors, "tanh", "relu", "snake", "siren", "fourier"):
        claims.append(noise_changes_nothing(errors, network))
    claims += two_layers_help(errors)
    return claims


def row_of(network: str, noise: float, errors: xr.Dataset, fingerprint: str) -> dict[str, Any]:
    """One line of the summary."""
    row: dict[str, Any] = {"network": network, "noise": noise, "n": errors.sizes["seed"]}
    for of, below in MOST.items():
        low, middle, high = ap.stats.quantiles(errors, of=of, q=(0.05, 0.5, 0.95))[of].values
        found = ap.stats.rate(ap.stats.success(errors, below=below, of=of))
        row |= {
            f"{of}_q05": low,
            f"{of}_q50": middle,
            f"{of}_q95": high,
            f"{of}_rate": float(found.rate),
            f"{of}_low": float(found.low),
            f"{of}_high": float(found.high),
        }

    row["fingerprint"] = fingerprint[:12]
    return row


def said(row: Mapping[str, Any]) -> str:
    """A line of the summary as text."""
    parts = [f"{row['network']:8} noise {row['noise']:3g} n {row['n']:3d}"]
    for of in ("inside", "outside", "forgiven"):
        share = f"{row[f'{of}_rate']:6.1%} [{row[f'{of}_low']:.1%}, {row[f'{of}_high']:.1%}]"
        parts.append(f"{of} median {row[f'{of}_q50']:8.3g}, right {share}")
    return "   ".join(parts)


def runs_of(network: str, seeds: int, steps: int, results: Path, saved: bool) -> xr.Dataset:
    """The results of one network: loaded if `saved` and they are there, else trained and saved."""
    path = results / f"sine_{network}.nc"
    if saved and path.exists():
        return ap.load(path)

    task, _ = RECIPES[network]
    chosen = recipe(network, steps)
    runs = ap.run(task, chosen, seeds=seeds, noise=np.array(NOISE))
    ap.save(runs, path)
    return ap.load(path)


def main(
    seeds: int = 512,
    steps: int = STEPS,
    networks: tuple[str, ...] = tuple(NETWORKS),
    results: Path = RESULTS,
    summaries: Path = SUMMARIES,
    quick: bool = False,
    saved: bool = False,
) -> None:
    """Train every network with and without noise, save it, and judge what was expected.

    Args:
        seeds: of each network and noise.
        steps: updates of each.
        networks: which of NETWORKS to train; the tables hold these alone, and claims about others
            are left out.
        results: the folder to write to.
        summaries: the folder of the tables.
        quick: half a minute, few seeds and steps; everything goes to results/quick.
        saved: train only what is not in the folder of results, to go on, or to judge anew what is.
    """
    if unknown := sorted(set(networks) - set(NETWORKS)):
        raise ValueError(f"networks has {', '.join(unknown)}; choose among {', '.join(NETWORKS)}")

    note = ""
    if quick:
        seeds, steps = min(seeds, 8), min(steps, 300)
        results = summaries = results / "quick"
        results.mkdir(parents=True, exist_ok=True)
        note = f"Quick look: {seeds} seeds, {steps} steps: not the experiment."
        print(note, flush=True)

    errors: dict[tuple[str, float], xr.Dataset] = {}
    rows = []
    for network in networks:
        runs = runs_of(network, seeds, steps, results, saved)
        for noise in NOISE:
            errors[network, noise] = ends(runs, noise)
            rows.append(row_of(network, noise, errors[network, noise], runs.fingerprint))
            print(said(rows[-1]), flush=True)

    summaries.mkdir(parents=True, exist_ok=True)
    table = summaries / "sine_networks.csv"
    pd.DataFrame(rows).to_csv(table, index=False, float_format="%.6g", lineterminator="\n")
    judged = ap.stats.claims("sine", statements(errors))
    print(table, *ap.stats.write_claims(summaries, "sine", judged, note=note), sep="\n")


if __name__ == "__main__":
    tyro.cli(main)
